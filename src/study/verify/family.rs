//! What a row says of a family: the payload has the keys of its kind and says what the public part says, it fits what became
//! of the family before, and its key is its own.
//!
//! Only a program that sees payloads can see this; an erased row has nothing to compare.

use super::Checker;
use super::past::Past;
use super::sense::Row;
use crate::study::identifiers::is_key;
use crate::study::kernel::{Family, FamilyIx, Source, What};
use crate::words;

/// Keys of the payload with values that are keys themselves, beside those without which a row cannot be read; `None` of a
/// kind whose payload is empty.
fn keys(what: &What) -> Option<&'static [&'static str]> {
    Some(match what {
        What::Screened(_)
        | What::Allocated { .. }
        | What::Returned { .. }
        | What::Joined { .. }
        | What::Exception { .. } => &["request_id"],
        What::Corrected { .. } => &["event_key", "reason"],
        What::Serviced { .. }
        | What::Exited { .. }
        | What::Withdrawn { .. }
        | What::Violation { .. }
        | What::Observed { .. }
        | What::Linked { .. }
        | What::ChildLinked { .. } => &["event_key"],
        What::Reported(_) => &["report_key"],
        What::Opened
        | What::EpochOpened { .. }
        | What::Beacon { .. }
        | What::SiteOpened { .. }
        | What::SiteClosed { .. }
        | What::CapacityChanged { .. }
        | What::Erased { .. }
        | What::Locked { .. }
        | What::Analysed { .. }
        | What::Exported
        | What::Revealed => return None,
    })
}

impl Checker {
    /// The payload against its kind and against the public part.
    pub(super) fn payload(&mut self, row: &Row<'_>) {
        if !row.is_seen() {
            return;
        }
        let (sequence, what) = (row.entry.sequence, row.said.what);
        let has = |key: &&str| row.payload(key).is_some_and(is_key);
        let empty = row.said.payload.is_empty();
        if !keys(&what).map_or(empty, |keys| keys.iter().all(has)) {
            self.push(
                "row-form",
                Some(sequence),
                words!(
                    "the payload of event {sequence} does not have the keys of its kind",
                    "innehållet i händelse {sequence} har inte de nycklar som dess slag ska ha"
                ),
            );
        }
        let compared = match what {
            What::Screened(_) | What::Returned { .. } | What::Joined { .. } => "site",
            What::Serviced { arm: Some(_), .. } => "arm",
            _ => return,
        };
        if row.public(compared) != row.payload(compared) {
            self.push(
                "public-differs",
                Some(sequence),
                words!(
                    "the public part of event {sequence} names another {compared} than its payload",
                    "den öppna delen av händelse {sequence} anger något annat än dess innehåll: {compared}"
                ),
            );
        }
    }

    /// A row of a family against what became of it before, and its key against the keys before.
    pub(super) fn family(&mut self, past: &Past, row: &Row<'_>) {
        let sequence = row.entry.sequence;
        if let Some(used) = row.before.key_before(row.entry, row.said) {
            let again =
                matches!(row.said.what, What::Reported(own) if own.source == Source::Intake);
            let other = used.sequence;
            if !used.retracted && !again {
                self.push(
                    "key-reused",
                    Some(sequence),
                    words!(
                        "event {sequence} has the key of event {other}, which nobody retracted",
                        "händelse {sequence} har samma nyckel som händelse {other}, som ingen har rättat"
                    ),
                );
            }
        }
        if !row.is_seen() {
            return;
        }
        let state = &row.before.state;
        let drawn = |family: FamilyIx| state.family(family).is_some_and(Family::is_randomized);
        // While a link held that was taken back later, its names were answered as one family.
        let served = |family: FamilyIx| {
            drawn(family) || past.is_parted(family) || past.is_parted(state.unit(family))
        };
        let in_turn = match row.said.what {
            What::Screened(screening) => !drawn(state.unit(screening.family)),
            What::Returned { family, .. } | What::Joined { family, .. } => {
                served(state.unit(family)) || served(family)
            }
            What::Serviced { family, .. }
            | What::Observed { family, .. }
            | What::Violation { family, .. } => served(family),
            _ => true,
        };
        if !in_turn {
            self.push(
                "out-of-turn",
                Some(sequence),
                words!(
                    "event {sequence} does not fit whether its family was allocated before",
                    "händelse {sequence} stämmer inte med om dess familj var lottad förut"
                ),
            );
        }
    }
}
