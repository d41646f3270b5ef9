//! `lottning pseudonym`.

use clap::Args;
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

use crate::app::pseudonym::{Numbers, Pseudonyms, Rows, new_key, of_file, of_lines, of_one};
use crate::app::{Failure, TableFile};
use crate::diagnostic::Words;
use crate::study::identifiers::masked;
use crate::words;

use super::dialect::Dialect;
use super::output::{Cell, Document, Format, Grid};
use super::session::Session;

/// Arguments of `pseudonym`.
#[derive(Debug, Args)]
pub(super) struct Pseudonym {
    /// Make a new key file, outside every study folder, and do nothing else
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["key", "study_id", "from", "column", "manual", "rekey", "on"]
    )]
    new_key: Option<PathBuf>,

    /// The key file
    #[arg(long, value_name = "FILE", required_unless_present = "new_key")]
    key: Option<PathBuf>,

    /// Id of the study, as its protocol writes it
    #[arg(long, value_name = "ID", required_unless_present = "new_key")]
    study_id: Option<String>,

    /// A file with a header; without it, personal numbers are read from standard input, one a line
    #[arg(long, value_name = "FILE.csv", requires = "column")]
    from: Option<String>,

    /// A column of the file that holds numbers; may be repeated
    #[arg(long, value_name = "NAME", requires = "from")]
    column: Vec<String>,

    /// Study numbers of your own instead of personal numbers: this one, or without a value those that are read
    #[expect(
        clippy::option_option,
        reason = "not given, given without a value, given with one"
    )]
    #[arg(long, value_name = "NUMBER", num_args = 0..=1)]
    manual: Option<Option<String>>,

    /// The key file that replaces this key: answers the old and the new pseudonyms, and no number
    #[arg(long, value_name = "NEWKEY")]
    rekey: Option<PathBuf>,

    /// The day on which numbers without a century were written [default: today]
    #[arg(long, value_name = "DATE")]
    on: Option<String>,

    #[command(flatten)]
    dialect: Dialect,
}

impl Pseudonym {
    /// Makes a key, or pseudonyms with one.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        if self.from.is_none() {
            self.dialect.without_table("`--from`")?;
        }
        if let Some(path) = &self.new_key {
            new_key(outside, path)?;
            return made_key(path);
        }
        let request = Pseudonyms {
            study: self.study_id.clone().unwrap_or_default(),
            key: self.key.clone().unwrap_or_default(),
            rekey: self.rekey.clone(),
            numbers: match self.manual {
                None => Numbers::Personal,
                Some(_) => Numbers::Manual,
            },
            on: self.on.clone(),
        };
        let number = self.manual.as_ref().and_then(Option::as_deref);
        let rows = match (number, &self.from) {
            (Some(number), None) => of_one(outside, &request, number)?,
            (Some(_), Some(_)) => return Err(value_and_file()),
            (_, Some(file)) => {
                let file = TableFile::read_for_study(outside, file, &self.dialect.text())?;
                of_file(outside, &request, &file, &self.column)?
            }
            (_, None) => {
                if std::io::stdin().is_terminal() {
                    outside.progress.note(&Words::new(
                        "Type one number a line and end with Ctrl-D.",
                        "Skriv ett nummer per rad och avsluta med Ctrl-D.",
                    ));
                }
                let bytes = Zeroizing::new(outside.read("-")?);
                of_lines(outside, &request, &bytes)?
            }
        };
        answer(&request.study, &rows)
    }
}

fn made_key(path: &Path) -> Result<Document, Failure> {
    let name = masked(&path.display().to_string());
    let body = json!({ "key_file": name });
    Ok(Document::new("pseudonym-key/1", &body)?.text(words!(
        "{name} holds a new key; only this account may read it. Whoever has it can turn pseudonyms back by trying every number: keep it and one copy away from the study, and never send it.",
        "{name} innehåller en ny nyckel; bara det här kontot får läsa den. Den som har den kan spåra pseudonymer genom att pröva alla nummer: förvara den och en kopia skilda från studien, och skicka den aldrig."
    )))
}

fn value_and_file() -> Failure {
    Failure::new(
        crate::app::exit::USAGE,
        "conflicting-options",
        Words::new(
            "`--manual NUMBER` cannot be used together with `--from`",
            "`--manual NUMBER` kan inte användas tillsammans med `--from`",
        ),
    )
    .help(Words::new(
        "give `--manual` without a value for a file of study numbers",
        "ange `--manual` utan värde för en fil med studienummer",
    ))
}

fn answer(study: &str, rows: &Rows) -> Result<Document, Failure> {
    let mut grid = Grid::new();
    for name in &rows.header {
        grid = grid.column(name, Words::same(name));
    }
    for row in &rows.rows {
        grid.row(row.iter().map(|cell| match cell {
            Some(text) => Cell::text(text),
            None => Cell::Empty,
        }));
    }
    let objects: Vec<Value> = rows
        .rows
        .iter()
        .map(|row| {
            let cells = rows.header.iter().zip(row);
            Value::Object(
                cells
                    .map(|(name, cell)| (name.clone(), Value::from(cell.clone())))
                    .collect::<Map<_, _>>(),
            )
        })
        .collect();
    let body = json!({ "study": study, "rows": objects });
    Ok(Document::new("pseudonyms/1", &body)?
        .grid(grid)
        .default_format(Format::Csv))
}
