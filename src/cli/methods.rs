//! The options of the registered methods as options of `draw`: a new method brings its own.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, error::ErrorKind};

use crate::allocation::{METHODS, OptionSpec, Options};
use crate::diagnostic::Lang;
use crate::words;

/// The options of every registered method; which of them a method uses is the method's to say.
#[derive(Debug, Clone)]
pub(super) struct MethodOptions(pub(super) Options);

/// Each option once, whatever the number of methods that use it.
pub(super) fn every_option() -> impl Iterator<Item = &'static OptionSpec> {
    let all = || METHODS.iter().flat_map(|entry| entry.options);
    all().enumerate().filter_map(move |(at, spec)| {
        let first = all().position(|other| other.name == spec.name);
        (first == Some(at)).then_some(spec)
    })
}

/// What `--method` takes, with a sentence on each method.
fn methods(lang: Lang) -> String {
    let methods = METHODS.iter().map(|entry| match lang {
        Lang::En => format!("{} ({})", entry.id, entry.about),
        Lang::Sv => format!("{} ({})", entry.id, entry.about_sv),
    });
    let list = methods.collect::<Vec<String>>().join("; ");
    words!("Id of the method: {list}", "Metodens id: {list}")
        .get(lang)
        .to_owned()
}

/// Which methods use an option, and what for.
fn about(spec: &OptionSpec, lang: Lang) -> String {
    let users: Vec<&str> = METHODS
        .iter()
        .filter(|entry| entry.options.iter().any(|own| own.name == spec.name))
        .map(|entry| entry.id)
        .collect();
    let default = spec.default.filter(|_| !spec.is_switch());
    let (about, word) = match lang {
        Lang::En => (spec.about, "default"),
        Lang::Sv => (spec.about_sv, "förval"),
    };
    let default = default.map(|text| format!(" [{word}: {text}]"));
    let (users, default) = (users.join(", "), default.unwrap_or_default());
    format!("{users}: {about}{default}")
}

/// The Swedish help of an option that the methods have, by its long name.
pub(super) fn swedish(flag: &str) -> Option<String> {
    if flag == "method" {
        return Some(methods(Lang::Sv));
    }
    let spec = every_option().find(|spec| spec.flag == flag)?;
    Some(about(spec, Lang::Sv))
}

impl Args for MethodOptions {
    fn augment_args(command: Command) -> Command {
        let command = command.mut_arg("method", |arg| arg.help(methods(Lang::En)));
        every_option().fold(command, |command, spec| {
            let switch = spec.is_switch();
            let help = about(spec, Lang::En);
            let arg = Arg::new(spec.name).long(spec.flag).help(help);
            command.arg(if switch {
                arg.num_args(0..=1)
                    .require_equals(true)
                    .value_name("true|false")
                    .default_missing_value("true")
            } else {
                arg.value_name("V").allow_hyphen_values(true)
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for MethodOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for spec in every_option() {
            match matches.try_get_one::<String>(spec.name) {
                Ok(Some(text)) => given.push((spec.name.to_owned(), text.clone())),
                Ok(None) => {}
                Err(error) => return Err(clap::Error::raw(ErrorKind::Format, error)),
            }
        }
        Ok(Self(Options(given)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
