//! `checkpoint`: the head of the ledger in a file elsewhere, so that cut-off rows are found later.
//!
//! A ledger that lost its last rows still chains. A checkpoint that somebody else keeps (by mail, on paper, in a records
//! system) binds everything up to its row: `verify --checkpoint` finds the row changed or gone. Nothing is recorded.

use super::exit;
use super::failure::Failure;
use super::open::refuse_inside_folder;
use super::outside::Outside;
use super::study::Study;
use super::typed_time::now;
use crate::diagnostic::Words;
use crate::study::journal::time_text;
use crate::words;
use serde_json::{Value, json};
use std::path::Path;

/// The head of a ledger at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Id of the study.
    pub study: String,
    /// Number of events: the sequence of the last one.
    pub events: u64,
    /// Hash of the last event.
    pub head: String,
    /// Time of the last event, UTC.
    pub last_event: String,
    /// When the checkpoint was written, UTC.
    pub written: String,
}

/// Schema of the file.
const SCHEMA: &str = "lottning.checkpoint/1";

impl Checkpoint {
    /// The JSON of the file.
    pub fn json(&self) -> Value {
        json!({
            "schema": SCHEMA,
            "study": self.study,
            "events": self.events,
            "head": self.head,
            "last_event": self.last_event,
            "written": self.written,
        })
    }

    /// Reads a file that [`checkpoint`] wrote.
    ///
    /// # Errors
    /// A file that cannot be read (exit 2) or is no checkpoint (4).
    pub fn read(outside: &Outside, path: &Path) -> Result<Self, Failure> {
        let bytes = outside.read(path)?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let read = || {
            Some(Self {
                study: text("study")?,
                events: value.get("events")?.as_u64()?,
                head: text("head").filter(|head| is_head(head))?,
                last_event: text("last_event")?,
                written: text("written")?,
            })
        };
        let own = read().filter(|_| text("schema").as_deref() == Some(SCHEMA));
        own.ok_or_else(|| {
            let name = path.display();
            Failure::new(
                exit::INVALID_DATA,
                "invalid-checkpoint",
                words!(
                    "{name} is not a checkpoint of a study",
                    "{name} är ingen kontrollpunkt för en studie"
                ),
            )
            .help(Words::new(
                "give a file that `lottning checkpoint` wrote",
                "ange en fil som `lottning checkpoint` har skrivit",
            ))
        })
    }
}

/// Whether a text is a head: 64 hexadecimal digits.
pub fn is_head(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Writes the head of a study to a file that does not exist yet, outside the study folder.
///
/// # Errors
/// A file inside the study folder or one that exists (exit 2); the errors of the file system.
pub fn checkpoint(outside: &Outside, study: &Study, path: &Path) -> Result<Checkpoint, Failure> {
    refuse_inside_folder(outside, path, &study.folder)?;
    let journal = &study.journal;
    let own = Checkpoint {
        study: journal.protocol.study.id.clone(),
        events: journal.head.sequence,
        head: journal.head.to_hex(),
        last_event: journal.last_time.map_or_else(String::new, time_text),
        written: time_text(now(outside)),
    };
    let text = format!("{:#}\n", own.json());
    if outside.create(path, text.as_bytes())? {
        return Ok(own);
    }
    let name = path.display();
    Err(Failure::new(
        exit::USAGE,
        "exists",
        words!(
            "{name} exists: a checkpoint is never overwritten",
            "{name} finns redan: en kontrollpunkt skrivs aldrig över"
        ),
    )
    .help(Words::new(
        "name a new file, for example with the date in it",
        "ange en ny fil, till exempel med datumet i namnet",
    )))
}
