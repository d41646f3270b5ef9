//! The command line: one file per command, and what they share.
//!
//! A command turns arguments into a call of its use case in [`crate::app`] and its answer into an
//! [`output::Document`]; it knows no rule of a trial. Standard output has the answer alone, everything else goes to
//! standard error.
//!
//! To add a verb: a file with `#[derive(clap::Args)]` and `run(&self, &Session) -> Result<Document, Failure>`, a line in
//! `Command`, a line in `dispatch`, a line in [`help::VERBS`].

mod acting;
mod amend;
mod analyse;
mod beacon;
mod boundaries;
mod characteristics;
mod check;
mod checkpoint;
mod completions;
mod dialect;
mod draw;
mod enrol;
mod erase;
mod estimate;
mod explain;
mod export;
mod failure;
mod help;
mod import;
mod lists;
mod lock;
mod methods;
mod new;
mod open;
mod options;
pub mod output;
mod power;
mod pseudonym;
mod record;
mod rehearse;
mod report;
mod reveal;
mod session;
mod simulate;
mod simulated;
mod status;
mod swedish;
mod usage;
mod verify;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::app::{Failure, Outside, exit};
use crate::diagnostic::{Lang, Words};
use output::{Document, Format};
use session::{Colour, Terminal};

pub use help::{VERBS, Verb, Who};
pub use session::Session;

#[derive(Debug, Subcommand)]
enum Command {
    Amend(amend::Amend),
    #[command(alias = "analyze")]
    Analyse(analyse::Analyse),
    Beacon(beacon::Beacon),
    Boundaries(boundaries::Boundaries),
    Check(check::Check),
    Checkpoint(checkpoint::Checkpoint),
    Completions(completions::Completions),
    Demo(rehearse::Demo),
    Draw(Box<draw::Draw>),
    #[command(alias = "enroll")]
    Enrol(Box<enrol::Enrol>),
    Erase(erase::Erase),
    Estimate(Box<estimate::Estimate>),
    Explain(explain::Explain),
    Export(export::Export),
    Import(import::Import),
    Lock(lock::Lock),
    New(new::New),
    Open(open::Open),
    Power(power::Power),
    Pseudonym(pseudonym::Pseudonym),
    Record(record::Record),
    Rehearse(rehearse::Rehearse),
    Report(report::Report),
    Reveal(reveal::Reveal),
    Simulate(Box<simulate::Simulate>),
    Status(status::Status),
    Verify(verify::Verify),
}

fn dispatch(command: &Command, session: &Session) -> Result<Document, Failure> {
    match command {
        Command::Amend(verb) => verb.run(session),
        Command::Analyse(verb) => verb.run(session),
        Command::Beacon(verb) => verb.run(session),
        Command::Boundaries(verb) => verb.run(session),
        Command::Check(verb) => verb.run(session),
        Command::Checkpoint(verb) => verb.run(session),
        Command::Completions(verb) => verb.run(session),
        Command::Demo(verb) => verb.run(session),
        Command::Draw(verb) => verb.run(session),
        Command::Enrol(verb) => verb.run(session),
        Command::Erase(verb) => verb.run(session),
        Command::Estimate(verb) => verb.run(session),
        Command::Explain(verb) => verb.run(session),
        Command::Export(verb) => verb.run(session),
        Command::Import(verb) => verb.run(session),
        Command::Lock(verb) => verb.run(session),
        Command::New(verb) => verb.run(session),
        Command::Open(verb) => verb.run(session),
        Command::Power(verb) => verb.run(session),
        Command::Pseudonym(verb) => verb.run(session),
        Command::Record(verb) => verb.run(session),
        Command::Rehearse(verb) => verb.run(session),
        Command::Report(verb) => verb.run(session),
        Command::Reveal(verb) => verb.run(session),
        Command::Simulate(verb) => verb.run(session),
        Command::Status(verb) => verb.run(session),
        Command::Verify(verb) => verb.run(session),
    }
}

#[derive(Debug, Parser)]
#[command(
    name = "lottning",
    version,
    disable_help_subcommand = true,
    disable_help_flag = true,
    disable_version_flag = true,
    subcommand_required = true
)]
struct Cli {
    #[arg(long, global = true, value_enum, hide_possible_values = true)]
    format: Option<Format>,

    #[arg(long, global = true)]
    json: bool,

    #[arg(long, global = true)]
    quiet: bool,

    #[arg(long, global = true, value_parser = ["sv", "en"], hide_possible_values = true)]
    lang: Option<String>,

    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,

    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,

    #[command(subcommand)]
    command: Command,
}

/// Entry point of the program.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(run(&arguments))
}

fn run(arguments: &[OsString]) -> u8 {
    let typed = Typed::read(arguments);
    let colour = Colour::detect();
    let outcome = match parse(arguments, typed.lang) {
        Ok(cli) => answer(&cli, typed.lang, colour),
        Err(error) if !error.use_stderr() => {
            let text = error.render();
            let text = if colour.out {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            let text = match typed.lang {
                Lang::En => text,
                Lang::Sv => swedish::page(&text),
            };
            write_answer(&text).map(|()| exit::DONE)
        }
        Err(error) => Err(usage::failure(&error)),
    };
    outcome.unwrap_or_else(|failure| {
        let text = if typed.json {
            failure::json(&failure, typed.lang)
        } else {
            failure::text(&failure, typed.lang, colour.err)
        };
        // Nothing is left to be done when standard error is closed too.
        let _ = std::io::stderr().write_all(text.as_bytes());
        failure.exit
    })
}

/// The options that decide how even a usage error is said, read before clap reads the rest.
#[derive(Debug, Clone, Copy)]
struct Typed {
    lang: Lang,
    json: bool,
}

impl Typed {
    fn read(arguments: &[OsString]) -> Self {
        let environment = std::env::var("LOTTNING_LANG").ok();
        let words: Vec<&str> = arguments
            .iter()
            .skip(1)
            .filter_map(|argument| argument.to_str())
            .take_while(|argument| *argument != "--")
            .collect();
        let value = |name: &str| {
            words.iter().enumerate().rev().find_map(|(at, word)| {
                let rest = word.strip_prefix(name)?;
                match rest.strip_prefix('=') {
                    Some(value) => Some(value),
                    None if rest.is_empty() => words.get(at + 1).copied(),
                    None => None,
                }
            })
        };
        let lang = match value("--lang").or(environment.as_deref()) {
            Some("sv") => Lang::Sv,
            _ => Lang::En,
        };
        Self {
            lang,
            json: words.contains(&"--json") || value("--format") == Some("json"),
        }
    }
}

fn parse(arguments: &[OsString], lang: Lang) -> Result<Cli, clap::Error> {
    let mut command = command(lang);
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The whole command with its help in one language.
fn command(lang: Lang) -> clap::Command {
    help::write(Cli::command(), lang)
}

fn answer(cli: &Cli, lang: Lang, colour: Colour) -> Result<u8, Failure> {
    let format = match (cli.json, cli.format) {
        (true, Some(Format::Table | Format::Csv)) => {
            return Err(Failure::new(
                exit::USAGE,
                "conflicting-options",
                Words::new(
                    "`--json` cannot be used with another `--format`",
                    "`--json` kan inte användas tillsammans med ett annat `--format`",
                ),
            ));
        }
        (true, _) => Some(Format::Json),
        (false, format) => format,
    };
    let session = Session {
        lang,
        format,
        outside: Outside::system(Box::new(Terminal::new(lang, cli.quiet, colour.err))),
        written: RefCell::default(),
    };
    let document = dispatch(&cli.command, &session)?;
    write_answer(&document.render(format, lang)?)?;
    // What saves later commands time must not cost this one its answer.
    if let Some(study) = session.written.borrow_mut().as_mut() {
        study.keep(&session.outside);
    }
    Ok(document.exit_code())
}

/// Writes to standard output. A reader that has gone away (a closed pipe) is no failure.
fn write_answer(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(output::not_written(&error.to_string()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Typed, VERBS, command};
    use crate::diagnostic::Lang;
    use std::ffi::OsString;

    #[test]
    fn the_command_is_sound_and_each_verb_stands_in_the_help_once() {
        for lang in [Lang::En, Lang::Sv] {
            let mut built = command(lang);
            built.build();
            built.clone().debug_assert();
            let names: Vec<&str> = built
                .get_subcommands()
                .filter(|sub| !sub.is_hide_set())
                .map(clap::Command::get_name)
                .collect();
            for name in &names {
                let listed = VERBS.iter().filter(|verb| verb.name == *name).count();
                assert_eq!(listed, 1, "{name}");
            }
            assert_eq!(names.len(), VERBS.len());
        }
    }

    #[test]
    fn language_and_json_are_known_before_the_rest_is_read() {
        let read = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            Typed::read(&words)
        };
        assert_eq!(read("lottning --lang sv nonsense").lang, Lang::Sv);
        assert_eq!(read("lottning nonsense --lang=sv").lang, Lang::Sv);
        assert!(read("lottning estimate --format json").json);
        assert!(read("lottning estimate --json").json);
        assert!(!read("lottning estimate -- --json").json);
    }
}
