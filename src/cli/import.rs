//! `lottning import`.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::import::{Import as Importing, import};
use crate::app::study::Study;
use crate::app::{Failure, TableFile};
use crate::words;

use super::acting::{Acting, At, head, warned};
use super::dialect::Dialect;
use super::output::Document;
use super::session::Session;

/// Arguments of `import`.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The event, as for `record`
    event: String,

    /// The file: columns family (or site), on, event_key, child and the event's own; all rows or none
    #[arg(value_name = "FILE.csv")]
    file: String,

    #[command(flatten)]
    at: At,

    /// A TOML file whose table [columns] says name = "header of the file"
    #[arg(long, value_name = "MAP.toml")]
    map: Option<PathBuf>,

    /// Check every row and record nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    acting: Acting,

    #[command(flatten)]
    dialect: Dialect,
}

impl Import {
    /// Imports a file of events.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        let file = TableFile::read_for_study(outside, &self.file, &self.dialect.text())?;
        let mut study = Study::load_to_write(outside, &self.at.study)?;
        let request = Importing {
            event: self.event.clone(),
            file: &file,
            map: self.map.as_deref(),
            dry_run: self.dry_run,
            act: self.acting.act(),
        };
        let made = import(outside, &mut study, &request)?;
        session.keep_afterwards(study);
        let mut body = json!({
            "event": made.event,
            "sequence": made.sequence,
            "replayed": made.replayed,
            "head": made.head,
            "rows": made.rows,
            "recorded": made.recorded,
            "replayed_rows": made.replayed_rows,
            "dry_run": self.dry_run,
        });
        let warnings = warned(session, &made.warnings);
        if !warnings.is_empty() {
            body["warnings"] = Value::from(warnings);
        }
        let (rows, recorded, replayed) = (made.rows, made.recorded, made.replayed_rows);
        Ok(Document::new("receipt/1", &body)?
            .text(words!(
                "{rows} rows: {recorded} recorded, {replayed} had been recorded before.",
                "{rows} rader: {recorded} registrerade, {replayed} var redan registrerade."
            ))
            .text(head(&made.head))
            .receipt())
    }
}
