//! The chain: every row in its place, unchanged, of the documented form. No meaning, no seed.
//!
//! Rows come one by one and none is kept: what later rows say of earlier ones is known before, and noted on the way to see
//! whether it was right.

use super::told::Told;
use super::{Finding, form};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::journal::{Entry, GENESIS, Hash, Head, Parts};
use crate::words;

/// The rows so far.
pub(super) struct Chain<'a> {
    /// How many rows there are.
    pub(super) events: u64,
    pub(super) allocations: u64,
    pub(super) head: Head,
    /// How many leading rows hold.
    pub(super) sound: u64,
    /// What is wrong with the row after them.
    pub(super) broken: Option<Finding>,
    /// What rows say of other rows and of the study.
    pub(super) told: Told,
    protocol: &'a Protocol,
    /// What they were known to say before.
    known: &'a Told,
    previous: Hash,
    last_time: String,
    last_actor: String,
    epoch: u32,
    bytes: Vec<u8>,
}

impl<'a> Chain<'a> {
    /// Before the first row; `told` says which rows erasures name.
    pub(super) fn new(protocol: &'a Protocol, told: &'a Told) -> Self {
        Self {
            events: 0,
            allocations: 0,
            head: Head::EMPTY,
            sound: 0,
            broken: None,
            told: Told::default(),
            protocol,
            known: told,
            previous: GENESIS,
            last_time: String::new(),
            last_actor: String::new(),
            epoch: 0,
            bytes: Vec::new(),
        }
    }

    /// Follows the next row; gives whether it and all rows before it hold. After the first broken row nothing can be said.
    pub(super) fn follow(&mut self, entry: &Entry, parts: &Parts<'_>) -> bool {
        self.events += 1;
        self.head = entry.head();
        self.allocations += u64::from(entry.kind == "allocated");
        if self.broken.is_none() {
            let wrong = self.wrong(entry, parts);
            self.broken = wrong.map(|(code, message)| Finding {
                code,
                sequence: Some(self.sound + 1),
                message,
            });
        }
        let holds = self.broken.is_none();
        self.told.note(entry);
        if holds {
            self.sound += 1;
            self.epoch += u32::from(entry.kind == "epoch-opened");
            self.previous = entry.hash;
            for (last, own) in [
                (&mut self.last_time, &entry.time),
                (&mut self.last_actor, &entry.actor),
            ] {
                if last != own {
                    last.clone_from(own);
                }
            }
        }
        holds
    }

    /// What is wrong with the next row.
    fn wrong(&mut self, entry: &Entry, parts: &Parts<'_>) -> Option<(&'static str, Words)> {
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
            // An erasure that comes later names it.
            (None, None) if self.known.foresight.is_erased(expected) => {}
            _ => {
                return Some((
                    "payload-missing",
                    words!(
                        "the content of event {expected} is missing and no erasure names it",
                        "innehållet i händelse {expected} saknas och ingen radering anger det"
                    ),
                ));
            }
        }
        let sealed = self.protocol.in_epoch(self.epoch).hash.0;
        if entry.chained_in(&mut self.bytes, &self.previous, &sealed) != entry.hash {
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
        if !form::holds(entry, parts, (&self.last_time, &self.last_actor)) {
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
