//! The options that settle how a table is read, for every command that reads one.

use clap::Args;

use crate::app::DialectText;

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
    pub(super) fn text(&self) -> DialectText {
        DialectText {
            delimiter: self.delimiter.clone(),
            decimal: self.decimal.clone(),
            encoding: self.encoding.clone(),
        }
    }
}
