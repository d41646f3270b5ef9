//! The chain: every row in its place, unchanged, of the documented form. No meaning, no seed.
//!
//! One pass over all rows, none of which is kept: what later rows say of earlier ones is noted on the way.

use super::published::Published;
use super::{Finding, form};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::journal::{Entry, GENESIS, Hash, Head, Journal, LedgerError, Rows};
use crate::words;
use std::collections::HashSet;
use std::slice::from_ref;
use std::sync::Arc;

/// What one pass over the rows found.
pub(super) struct Chain {
    /// How many rows there are.
    pub(super) events: u64,
    pub(super) allocations: u64,
    pub(super) head: Head,
    /// How many leading rows hold.
    pub(super) sound: u64,
    /// What is wrong with the row after them.
    pub(super) broken: Option<Finding>,
    /// What those that hold say of the study.
    pub(super) published: Published,
    /// An empty fold that knows what erasures say of rows, and what corrections among those that hold do.
    pub(super) journal: Journal,
    previous: Hash,
    last_time: String,
    epoch: u32,
    /// Rows without content, until an erasure names them.
    unseen: Vec<u64>,
    erased: HashSet<u64>,
}

/// Follows the chain. After the first broken row nothing can be said, but that erasures still say whose earlier rows were.
///
/// # Errors
/// The rows cannot be read.
pub(super) fn follow(protocol: &Arc<Protocol>, rows: &mut dyn Rows) -> Result<Chain, LedgerError> {
    let mut own = Chain {
        events: 0,
        allocations: 0,
        head: Head::EMPTY,
        sound: 0,
        broken: None,
        published: Published::new(),
        journal: Journal::new(Arc::clone(protocol)),
        previous: GENESIS,
        last_time: String::new(),
        epoch: 0,
        unseen: Vec::new(),
        erased: HashSet::new(),
    };
    rows.each(&mut |entry| own.note(protocol, entry))?;
    let unseen = own.unseen.iter().find(|row| !own.erased.contains(row));
    if let Some(row) = unseen.copied() {
        own.broken = Some(missing(row));
        own.sound = row - 1;
        // What rows say that do not hold was noted before that was known.
        own.published = Published::new();
        own.journal = Journal::new(Arc::clone(protocol));
        let mut left = own.sound;
        rows.each(&mut |entry| {
            own.journal.foresee(from_ref(entry));
            if left > 0 {
                left -= 1;
                own.heed(entry);
            }
        })?;
    }
    Ok(own)
}

impl Chain {
    fn note(&mut self, protocol: &Protocol, entry: &Entry) {
        self.events += 1;
        self.head = entry.head();
        self.allocations += u64::from(entry.kind == "allocated");
        if entry.kind == "erased" {
            self.erased.extend(form::erased(entry));
            self.journal.foresee(from_ref(entry));
        }
        if self.broken.is_some() {
            return;
        }
        if let Some((code, message)) = self.wrong(protocol, entry) {
            self.broken = Some(at(code, self.sound + 1, message));
            return;
        }
        self.sound += 1;
        self.epoch += u32::from(entry.kind == "epoch-opened");
        self.previous = entry.hash;
        if self.last_time != entry.time {
            self.last_time.clone_from(&entry.time);
        }
        self.heed(entry);
    }

    /// Notes what a row that holds says of the study and of earlier rows.
    fn heed(&mut self, entry: &Entry) {
        self.published.note(entry);
        self.journal.foresee_corrections(from_ref(entry));
    }

    /// What is wrong with the next row.
    fn wrong(&mut self, protocol: &Protocol, entry: &Entry) -> Option<(&'static str, Words)> {
        let (expected, found) = (self.sound + 1, entry.sequence);
        if found != expected {
            return Some((
                "sequence-gap",
                words!(
                    "event {expected} is missing: event {found} stands in its place",
                    "händelse {expected} saknas: händelse {found} står på dess plats"
                ),
            ));
        }
        match (&entry.payload, &entry.salt) {
            (Some(payload), Some(salt)) => {
                if Entry::hash_payload(salt, payload) != entry.payload_hash {
                    return Some((
                        "payload-changed",
                        words!(
                            "the content of event {expected} is not what was recorded",
                            "innehållet i händelse {expected} är inte det som registrerades"
                        ),
                    ));
                }
            }
            // An erasure that comes later may name it.
            (None, None) => self.unseen.push(expected),
            _ => return Some(("payload-missing", not_there(expected))),
        }
        let sealed = protocol.in_epoch(self.epoch).hash.0;
        if entry.chained(&self.previous, &sealed) != entry.hash {
            let message = if expected == 1 {
                words!(
                    "event {expected} does not begin the chain: it was changed, or the protocol file is not the sealed one",
                    "händelse {expected} inleder inte kedjan: den är ändrad, eller så är protokollfilen inte den förseglade"
                )
            } else {
                words!(
                    "event {expected} does not continue the chain: it was changed, moved or inserted",
                    "händelse {expected} fortsätter inte kedjan: den är ändrad, flyttad eller inskjuten"
                )
            };
            return Some(("chain-broken", message));
        }
        if !form::holds(entry, &self.last_time) {
            return Some((
                "row-form",
                words!(
                    "event {expected} does not have the form of its kind",
                    "händelse {expected} har inte den form som dess slag ska ha"
                ),
            ));
        }
        if entry.time < self.last_time {
            return Some((
                "time-went-back",
                words!(
                    "event {expected} is earlier than the event before it",
                    "händelse {expected} är tidigare än händelsen före"
                ),
            ));
        }
        if (expected == 1) != (entry.kind == "opened") {
            return Some((
                "opening-misplaced",
                Words::new(
                    "the first event, and no other, opens a study",
                    "den första händelsen, och ingen annan, öppnar en studie",
                ),
            ));
        }
        None
    }
}

fn not_there(row: u64) -> Words {
    words!(
        "the content of event {row} is missing and no erasure names it",
        "innehållet i händelse {row} saknas och ingen radering anger det"
    )
}

fn missing(row: u64) -> Finding {
    at("payload-missing", row, not_there(row))
}

fn at(code: &'static str, row: u64, message: Words) -> Finding {
    Finding {
        code,
        sequence: Some(row),
        message,
    }
}
