//! What clap finds wrong with a command line, said in our own words and in both languages. Exit 2.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::app::{Failure, exit, shown};
use crate::diagnostic::{Words, nearest};
use crate::words;

/// The failure for an error of clap. Help and version are no errors and never come here.
pub(super) fn failure(error: &clap::Error) -> Failure {
    let argument = shown(&text(error, ContextKind::InvalidArg));
    let value = shown(&text(error, ContextKind::InvalidValue));
    let (code, message) = match error.kind() {
        ErrorKind::UnknownArgument => (
            "unknown-option",
            words!(
                "there is no option or argument `{argument}` here",
                "det finns ingen flagga och inget argument `{argument}` här"
            ),
        ),
        ErrorKind::InvalidSubcommand => {
            let name = shown(&text(error, ContextKind::InvalidSubcommand));
            (
                "unknown-command",
                words!(
                    "there is no command `{name}`",
                    "det finns inget kommando `{name}`"
                ),
            )
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => (
            "unknown-command",
            Words::new("a command is missing", "ett kommando saknas"),
        ),
        ErrorKind::MissingRequiredArgument => (
            "missing-option",
            words!("missing: {argument}", "saknas: {argument}"),
        ),
        ErrorKind::InvalidValue | ErrorKind::NoEquals | ErrorKind::TooFewValues
            if value.is_empty() =>
        {
            (
                "invalid-value",
                words!(
                    "`{argument}` needs a value",
                    "`{argument}` behöver ett värde"
                ),
            )
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let (expected_en, expected_sv) = expected(error);
            (
                "invalid-value",
                words!(
                    "`{value}` is no value of `{argument}`{expected_en}",
                    "`{value}` är inget värde för `{argument}`{expected_sv}"
                ),
            )
        }
        ErrorKind::ArgumentConflict => {
            let prior = text(error, ContextKind::PriorArg);
            if prior.is_empty() || prior == argument {
                (
                    "conflicting-options",
                    words!(
                        "`{argument}` is given more than once",
                        "`{argument}` har angetts mer än en gång"
                    ),
                )
            } else {
                (
                    "conflicting-options",
                    words!(
                        "`{argument}` cannot be used with `{prior}`",
                        "`{argument}` kan inte användas tillsammans med `{prior}`"
                    ),
                )
            }
        }
        _ => (
            "usage",
            Words::new(
                error.kind().as_str().unwrap_or("the command line is wrong"),
                "kommandoraden går inte att tolka",
            ),
        ),
    };
    Failure::new(exit::USAGE, code, message).help(help(error))
}

/// What a value that could not be read should have been, when the reason is one of the standard library's.
fn expected(error: &clap::Error) -> (String, String) {
    let Some(source) = error.source() else {
        return (String::new(), String::new());
    };
    if source.is::<std::num::ParseFloatError>() {
        (": a number is expected".into(), ": ett tal väntas".into())
    } else if source.is::<std::num::ParseIntError>() && counts_from_one(error) {
        (
            ": a whole number from 1 is expected".into(),
            ": ett heltal från 1 väntas".into(),
        )
    } else if source.is::<std::num::ParseIntError>() {
        (
            ": a whole number is expected".into(),
            ": ett heltal väntas".into(),
        )
    } else {
        (format!(": {source}"), format!(": {source}"))
    }
}

/// Whether the value is a number of units, of replicates or of threads.
fn counts_from_one(error: &clap::Error) -> bool {
    let argument = text(error, ContextKind::InvalidArg);
    matches!(
        argument.split_whitespace().next(),
        Some("--n" | "--replicates" | "--threads")
    )
}

fn help(error: &clap::Error) -> Words {
    for (kind, given) in [
        (
            ContextKind::SuggestedSubcommand,
            ContextKind::InvalidSubcommand,
        ),
        (ContextKind::SuggestedArg, ContextKind::InvalidArg),
        (ContextKind::SuggestedValue, ContextKind::InvalidValue),
    ] {
        let given = text(error, given);
        let name = match error.get(kind) {
            Some(ContextValue::String(name)) => Some(name.clone()),
            // Several are near: our own measure of a slip decides, so that all suggestions follow one rule.
            Some(ContextValue::Strings(names)) => nearest(&given, names.iter().map(String::as_str))
                .map(str::to_owned)
                .or_else(|| names.last().cloned()),
            _ => None,
        };
        if let Some(name) = name {
            return words!("did you mean `{name}`?", "menade du `{name}`?");
        }
    }
    let number = text(error, ContextKind::InvalidValue).replace(',', ".");
    let value = text(error, ContextKind::InvalidValue);
    if value.contains(',') && number.parse::<f64>().is_ok() {
        return words!(
            "write decimals with a point: {number}",
            "skriv decimaler med punkt: {number}"
        );
    }
    let valid = text(error, ContextKind::ValidValue);
    if !valid.is_empty() {
        return words!("it can be: {valid}", "det kan vara: {valid}");
    }
    let usage = text(error, ContextKind::Usage);
    let usage = usage
        .trim_start_matches("Usage:")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    if usage.is_empty() {
        Words::new(
            "`lottning --help` shows how commands are written",
            "`lottning --help` visar hur kommandon skrivs",
        )
    } else {
        let swedish = super::swedish::page(&usage);
        words!(
            "it is written: {usage}; `--help` says more",
            "så skrivs det: {swedish}; `--help` berättar mer"
        )
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::StyledStrs(texts)) => texts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
