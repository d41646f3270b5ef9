//! The Swedish help of options and arguments: read from one file with a section for each command.
//!
//! English stands beside each argument as its doc comment. A test below asks that every option of every command has its
//! words in both languages, and that the file names nothing that is no option.

use super::{estimate, methods};
use clap::builder::PossibleValue;
use clap::{Arg, Command};
use std::fmt::Write as _;

const TEXT: &str = include_str!("options_sv.txt");

/// Words that the parser of arguments writes by itself, none of them broken over lines.
const OF_CLAP: [(&str, &str); 6] = [
    ("Arguments:", "Argument:"),
    ("Options:", "Flaggor:"),
    ("Commands:", "Kommandon:"),
    ("[OPTIONS]", "[FLAGGOR]"),
    ("[COMMAND]", "[KOMMANDO]"),
    ("<COMMAND>", "<KOMMANDO>"),
];

/// The entries of a section: key and words.
fn section(name: &str) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
    let mut inside = false;
    TEXT.lines().filter_map(move |line| {
        if let Some(own) = line.strip_prefix('[').and_then(|own| own.strip_suffix(']')) {
            inside = own == name;
            return None;
        }
        line.split_once(" = ")
            .filter(|_| inside && !line.starts_with('#'))
    })
}

fn find(name: &str, key: &str) -> Option<&'static str> {
    section(name)
        .find(|(own, _)| *own == key)
        .map(|(_, words)| words)
}

/// The key of an argument in the file: its long name, or its id if it has none.
fn key(arg: &Arg) -> String {
    arg.get_long()
        .map_or_else(|| arg.get_id().to_string(), str::to_owned)
}

/// What an argument of a command is for.
fn words(path: &str, arg: &Arg) -> Option<String> {
    let key = key(arg);
    let own = find(path, &key).or_else(|| find("*", &key));
    own.map(str::to_owned).or_else(|| match path {
        "draw" => methods::swedish(&key),
        _ => None,
    })
}

/// A command with the help of its options, and of the commands under it, in Swedish.
pub(super) fn translate(command: Command, path: &str, template: &str) -> Command {
    let mut command = command.help_template(template.to_owned());
    if let Some(about) = find(path, "about") {
        command = command.about(about);
    }
    if path == "estimate" {
        command = command.after_help(estimate::estimators(crate::diagnostic::Lang::Sv));
    }
    command
        .mut_args(|arg| translated(arg, path))
        .mut_subcommands(|sub| {
            let path = format!("{path} {}", sub.get_name());
            translate(sub, path.trim(), template)
        })
}

fn translated(arg: Arg, path: &str) -> Arg {
    let Some(mut help) = words(path, &arg) else {
        return arg;
    };
    let takes = arg.get_action().takes_values();
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|own| own.to_string_lossy()).collect();
    if takes && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        let _ = write!(help, " [förval: {}]", defaults.join(","));
    }
    let values = arg.get_possible_values();
    if takes && !values.is_empty() && !arg.is_hide_possible_values_set() {
        let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
        let _ = write!(help, " [värden: {}]", values.join(", "));
    }
    let names: Vec<&'static str> = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .filter_map(|name| find("values", name))
        .collect();
    let heading = arg.get_help_heading().and_then(|own| find("headings", own));
    let mut arg = arg.help(help);
    if takes {
        arg = arg.hide_default_value(true).hide_possible_values(true);
    }
    if !names.is_empty() {
        arg = arg.value_names(names);
    }
    match heading {
        Some(heading) => arg.help_heading(heading),
        None => arg,
    }
}

/// A help page with the words that the parser wrote by itself in Swedish.
pub(super) fn page(text: &str) -> String {
    OF_CLAP
        .iter()
        .fold(text.to_owned(), |text, (en, sv)| text.replace(en, sv))
}

#[cfg(test)]
mod tests {
    use super::{OF_CLAP, TEXT, find, key, page, section, words};
    use crate::cli::command;
    use crate::diagnostic::Lang;
    use clap::Command;
    use std::collections::BTreeSet;

    /// Calls `each` with every command and its path.
    fn walk(command: &Command, path: &str, each: &mut dyn FnMut(&str, &Command)) {
        each(path, command);
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name());
            walk(sub, path.trim(), each);
        }
    }

    #[test]
    fn every_option_of_every_command_has_its_words_in_both_languages() {
        let (english, swedish) = (command(Lang::En), command(Lang::Sv));
        let (mut named, mut missing) = (BTreeSet::new(), Vec::new());
        let mut pages = Vec::new();
        walk(&english, "", &mut |path, own| {
            let mut other = &swedish;
            for name in path.split(' ').filter(|name| !name.is_empty()) {
                other = other.find_subcommand(name).unwrap();
            }
            assert_ne!(
                own.get_about().map(ToString::to_string),
                other.get_about().map(ToString::to_string),
                "{path}"
            );
            let line = format!("lottning {path} --help");
            let asked = command(Lang::Sv).try_get_matches_from(line.split_whitespace());
            pages.push((path.to_owned(), asked.unwrap_err().render().to_string()));
            named.insert((path.to_owned(), "about".to_owned()));
            for arg in own.get_arguments().filter(|arg| !arg.is_hide_set()) {
                let (key, place) = (key(arg), arg.get_id().as_str());
                let theirs = other.get_arguments().find(|own| own.get_id() == place);
                let help = |arg: &clap::Arg| arg.get_help().map(ToString::to_string);
                let (en, sv) = (help(arg), theirs.and_then(help));
                assert!(en.is_some(), "{path} --{key}");
                // Of the options of every command the two languages stand together, in `help`.
                if !path.is_empty() {
                    if words(path, arg).is_none() {
                        missing.push(format!("{path} --{key}"));
                    }
                    named.insert((path.to_owned(), key.clone()));
                    named.insert(("*".to_owned(), key.clone()));
                }
                if en == sv {
                    missing.push(format!("{path} --{key} is the same in both"));
                }
                let heading = arg.get_help_heading().filter(|_| !path.is_empty());
                if let Some(heading) = heading {
                    assert!(find("headings", heading).is_some(), "{heading}");
                    named.insert(("headings".to_owned(), heading.to_owned()));
                }
                for name in arg.get_value_names().unwrap_or_default() {
                    named.insert(("values".to_owned(), name.to_string()));
                }
            }
        });
        let sections = TEXT.lines().filter_map(|line| line.strip_prefix('['));
        for name in sections.filter_map(|line| line.strip_suffix(']')) {
            for (key, words) in section(name) {
                let entry = (name.to_owned(), key.to_owned());
                if !named.contains(&entry) {
                    missing.push(format!("[{name}] {key} is no option"));
                }
                assert_eq!(words.trim(), words, "[{name}] {key}");
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
        for (path, text) in pages {
            let text = page(&text);
            for english in ["[default", "[possible", " the ", " of the "] {
                assert!(!text.contains(english), "{path}: {english} in\n{text}");
            }
            for (english, _) in OF_CLAP {
                assert!(!text.contains(english), "{path}: {english} in\n{text}");
            }
        }
    }
}
