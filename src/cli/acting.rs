//! The options that study commands share: which study, who acts, when.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::record::Receipt;
use crate::app::study::Act;
use crate::app::{Failure, exit};
use crate::diagnostic::{Diagnostic, Words};
use crate::words;

use super::output::Document;
use super::session::Session;

/// `--study`.
#[derive(Debug, Args)]
pub(super) struct At {
    /// Folder of the study
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) study: PathBuf,
}

/// `--actor`, `--at`.
#[derive(Debug, Args)]
pub(super) struct Acting {
    /// Who does this: a role or a user id
    #[arg(long, value_name = "ID")]
    actor: String,

    /// When, as RFC 3339 with offset [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl Acting {
    /// Who acts and when.
    pub(super) fn act(&self) -> Act {
        Act {
            actor: self.actor.clone(),
            at: self.at.clone(),
        }
    }
}

/// `KEY=VALUE`, split at the first `=`.
///
/// # Errors
/// A text without `=`: exit 2.
pub(super) fn pairs(option: &str, texts: &[String]) -> Result<Vec<(String, String)>, Failure> {
    texts
        .iter()
        .map(|text| {
            let pair = text
                .split_once('=')
                .map(|(key, value)| (key.to_owned(), value.to_owned()));
            pair.ok_or_else(|| {
                Failure::new(
                    exit::USAGE,
                    "invalid-value",
                    words!("`{option}` takes KEY=VALUE", "`{option}` tar NYCKEL=VÄRDE"),
                )
                .help(words!(
                    "for example {option} name=yes",
                    "till exempel {option} namn=yes"
                ))
            })
        })
        .collect()
}

/// Shows warnings and gives them as they stand in JSON.
pub(super) fn warned(session: &Session, warnings: &[Diagnostic]) -> Vec<Value> {
    warnings
        .iter()
        .map(|warning| {
            session.outside.progress.warn(warning);
            json!({ "code": warning.code, "message": warning.message.get(session.lang) })
        })
        .collect()
}

/// What a command that would write says when it records nothing.
pub(super) fn tried(session: &Session, receipt: &Receipt) -> Result<Document, Failure> {
    let mut body = json!({
        "event": receipt.event,
        "sequence": receipt.sequence,
        "replayed": receipt.replayed,
        "head": receipt.head,
        "dry_run": true,
    });
    let warnings = warned(session, &receipt.warnings);
    if !warnings.is_empty() {
        body["warnings"] = Value::from(warnings);
    }
    let event = &receipt.event;
    Ok(Document::new("receipt/1", &body)?
        .text(words!(
            "`{event}` could be recorded; nothing was.",
            "`{event}` kan registreras; inget har registrerats."
        ))
        .text(head(&receipt.head))
        .receipt())
}

/// The receipt of a writing command.
pub(super) fn receipt(session: &Session, receipt: &Receipt) -> Result<Document, Failure> {
    receipt_with(session, receipt, [])
}

/// The same with more fields of JSON.
pub(super) fn receipt_with<const N: usize>(
    session: &Session,
    receipt: &Receipt,
    more: [(&str, Value); N],
) -> Result<Document, Failure> {
    let mut body = json!({
        "event": receipt.event,
        "sequence": receipt.sequence,
        "replayed": receipt.replayed,
        "head": receipt.head,
    });
    for (key, value) in more {
        body[key] = value;
    }
    let warnings = warned(session, &receipt.warnings);
    if !warnings.is_empty() {
        body["warnings"] = Value::from(warnings);
    }
    let (event, sequence) = (&receipt.event, receipt.sequence);
    let sentence = if receipt.replayed {
        words!(
            "`{event}` had been recorded before, as event {sequence}.",
            "`{event}` var redan registrerad, som händelse {sequence}."
        )
    } else {
        words!(
            "`{event}` is recorded as event {sequence}.",
            "`{event}` är registrerad som händelse {sequence}."
        )
    };
    Ok(Document::new("receipt/1", &body)?
        .text(sentence)
        .text(head(&receipt.head))
        .receipt())
}

/// The head of the ledger as a sentence.
pub(super) fn head(head: &str) -> Words {
    words!("Head of the ledger: {head}", "Liggarens huvud: {head}")
}
