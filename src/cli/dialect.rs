//! The options that settle how a table is read, for every command that reads one.

use clap::Args;

use crate::app::{DialectText, Failure, exit};
use crate::words;

/// `--delimiter`, `--decimal`, `--encoding`.
#[derive(Debug, Args)]
#[command(next_help_heading = "How the table is written (found out when not given)")]
pub(super) struct Dialect {
    /// comma, semicolon or tab
    #[arg(long)]
    delimiter: Option<String>,

    /// point or comma
    #[arg(long, value_name = "SIGN")]
    decimal: Option<String>,

    /// utf-8 or windows-1252
    #[arg(long)]
    encoding: Option<String>,
}

impl Dialect {
    /// Refuses an option of these where no table is read; `instead` is the option that would name one.
    ///
    /// # Errors
    /// Wrong usage (exit 2), naming the first that was given.
    pub(super) fn without_table(&self, instead: &str) -> Result<(), Failure> {
        let given = [
            ("--delimiter", &self.delimiter),
            ("--decimal", &self.decimal),
            ("--encoding", &self.encoding),
        ];
        let Some((flag, _)) = given.iter().find(|(_, value)| value.is_some()) else {
            return Ok(());
        };
        Err(Failure::new(
            exit::USAGE,
            "option-not-used",
            words!(
                "`{flag}` says how a table is written, and none is read here",
                "`{flag}` säger hur en tabell är skriven, och ingen läses här"
            ),
        )
        .help(words!(
            "leave it out, or give a file with {instead}",
            "utelämna den, eller ange en fil med {instead}"
        )))
    }

    pub(super) fn text(&self) -> DialectText {
        DialectText {
            delimiter: self.delimiter.clone(),
            decimal: self.decimal.clone(),
            encoding: self.encoding.clone(),
        }
    }
}
