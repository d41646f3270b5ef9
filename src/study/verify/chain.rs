//! The chain: every row in its place, unchanged, of the documented form. No meaning, no seed.

use super::{Checker, form};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::journal::{Entry, GENESIS};
use crate::words;
use std::collections::HashSet;

impl Checker {
    /// Checks the chain; gives the number of leading rows that hold. After the first broken row nothing can be said.
    pub(super) fn chain(&mut self, protocol: &Protocol, entries: &[Entry]) -> usize {
        let erased: HashSet<u64> = entries.iter().flat_map(form::erased).collect();
        let mut previous = GENESIS;
        let mut last_time = "";
        let mut epoch = 0;
        for (place, entry) in entries.iter().enumerate() {
            let expected = place as u64 + 1;
            let found = entry.sequence;
            let at = Some(expected);
            if found != expected {
                self.push(
                    "sequence-gap",
                    at,
                    words!(
                        "event {expected} is missing: event {found} stands in its place",
                        "händelse {expected} saknas: händelse {found} står på dess plats"
                    ),
                );
                return place;
            }
            match (&entry.payload, &entry.salt) {
                (Some(payload), Some(salt)) => {
                    if Entry::hash_payload(salt, payload) != entry.payload_hash {
                        self.push(
                            "payload-changed",
                            at,
                            words!(
                                "the content of event {expected} is not what was recorded",
                                "innehållet i händelse {expected} är inte det som registrerades"
                            ),
                        );
                        return place;
                    }
                }
                (None, None) if erased.contains(&expected) => {}
                _ => {
                    self.push(
                        "payload-missing",
                        at,
                        words!(
                            "the content of event {expected} is missing and no erasure names it",
                            "innehållet i händelse {expected} saknas och ingen radering anger det"
                        ),
                    );
                    return place;
                }
            }
            if entry.chained(&previous, &protocol.in_epoch(epoch).hash.0) != entry.hash {
                let message = if place == 0 {
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
                self.push("chain-broken", at, message);
                return place;
            }
            if !form::holds(entry, last_time) {
                self.push(
                    "row-form",
                    at,
                    words!(
                        "event {expected} does not have the form of its kind",
                        "händelse {expected} har inte den form som dess slag ska ha"
                    ),
                );
                return place;
            }
            if entry.time.as_str() < last_time {
                self.push(
                    "time-went-back",
                    at,
                    words!(
                        "event {expected} is earlier than the event before it",
                        "händelse {expected} är tidigare än händelsen före"
                    ),
                );
                return place;
            }
            if (place == 0) != (entry.kind == "opened") {
                self.push(
                    "opening-misplaced",
                    at,
                    Words::new(
                        "the first event, and no other, opens a study",
                        "den första händelsen, och ingen annan, öppnar en studie",
                    ),
                );
                return place;
            }
            epoch += u32::from(entry.kind == "epoch-opened");
            previous = entry.hash;
            last_time = &entry.time;
        }
        entries.len()
    }
}
