//! What a row says of a family: the payload has the keys of its kind and says what the public part says, it fits what became
//! of the family before, and its key is its own.
//!
//! Only a program that sees payloads can see this; an erased row has nothing to compare.

use super::Checker;
use super::past::Past;
use super::sense::Row;
use crate::protocol::Protocol;
use crate::protocol::model::Field;
use crate::study::field_value::canonical;
use crate::study::identifiers::is_key;
use crate::study::journal::Value;
use crate::study::kernel::{Family, FamilyIx, Source, What};
use crate::words;

/// Keys of the payload with values that are keys themselves, beside those without which a row cannot be read; `None` of a
/// kind whose payload is empty.
fn keys(what: &What) -> Option<&'static [&'static str]> {
    Some(match what {
        What::Screened(_) | What::Returned { .. } | What::Joined { .. } => {
            &["report_key", "request_id"]
        }
        What::Allocated { .. } | What::Exception { .. } => &["request_id"],
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

/// Whether what a payload says in texts is written in the one way that the specification gives it: fields as their canonical
/// text, an observation as a plain decimal, a declared exception as a text.
fn values_hold(protocol: &Protocol, row: &Row<'_>) -> bool {
    let payload = &row.said.payload;
    match row.said.what {
        What::Screened(screening) => {
            let fields = payload.get("fields").and_then(Value::as_object);
            let as_written = |field: &Field, value: i64| {
                let text = fields.and_then(|own| own.get(&field.id)?.as_str());
                text == Some(canonical(&field.kind, value).as_str())
            };
            let mut values = protocol.fields.iter().zip(screening.values);
            values.all(|(field, value)| as_written(field, value))
                && payload
                    .get("exception")
                    .is_none_or(|own| own.as_str().is_some())
        }
        What::Observed { .. } => row.payload("value").is_some_and(is_plain_decimal),
        _ => true,
    }
}

/// Digits with one point at most, possibly after a minus sign.
fn is_plain_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let points = digits.bytes().filter(|byte| *byte == b'.').count();
    let others = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    others && points <= 1 && digits.len() > points
}

impl Checker {
    /// The payload against its kind and against the public part.
    pub(super) fn payload(&mut self, protocol: &Protocol, row: &Row<'_>) {
        if !row.is_seen() {
            return;
        }
        let (sequence, what) = (row.entry.sequence, row.said.what);
        let has = |key: &&str| row.payload(key).is_some_and(is_key);
        let empty = row.said.payload.is_empty();
        let keyed = keys(&what).map_or(empty, |keys| keys.iter().all(has));
        if !keyed || !values_hold(protocol, row) {
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
