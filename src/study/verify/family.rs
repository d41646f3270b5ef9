//! What a row says of a family: the payload has the keys of its kind and says what the public part says, it fits what became
//! of the family before, and its key is its own.
//!
//! Only a program that sees payloads can see this; an erased row has nothing to compare.

use super::Checker;
use super::past::Past;
use super::sense::Row;
use super::shape;
use crate::protocol::Protocol;
use crate::protocol::model::{Check, Field, FieldKind, Policy, Violations};
use crate::study::field_value::{canonical, field_value};
use crate::study::journal::{Object, Value};
use crate::study::kernel::{Family, FamilyIx, Source, Verdict, What};
use crate::words;

/// Whether what a payload says in ids and values of the protocol in force is there and written in the one way that the
/// specification gives it.
fn values_hold(protocol: &Protocol, row: &Row<'_>) -> bool {
    let payload = &row.said.payload;
    match &row.said.what {
        What::Screened(screening) => {
            // The ids in it were read with the verdict.
            let missed = matches!(screening.verdict, Verdict::NotEligible { .. });
            // A screening that ends in its exception is looked at with its verdict.
            let declared =
                screening.verdict == Verdict::Exception || is_a_reason(protocol, payload);
            intake_holds(protocol, payload) && payload.contains_key("missed") == missed && declared
        }
        What::Returned { .. } => intake_holds(protocol, payload) && is_a_reason(protocol, payload),
        What::Joined { .. } => {
            let named = |key: &str| {
                payload
                    .get(key)
                    .and_then(Value::as_array)
                    .unwrap_or_default()
            };
            let (new, all) = (named("new_children"), named("children"));
            let texts = || all.iter().filter_map(Value::as_str);
            let known = |own: &Value<'_>| {
                own.as_str()
                    .is_some_and(|own| texts().any(|one| one == own))
            };
            intake_holds(protocol, payload)
                && is_a_reason(protocol, payload)
                && new.iter().all(known)
        }
        What::Observed { .. } => row.payload("value").is_some_and(is_plain_decimal),
        What::Violation { reason, .. } => violation_holds(protocol, payload, *reason),
        _ => true,
    }
}

/// Whether an exception that is declared is a reason of the protocol, however the row ends.
fn is_a_reason(protocol: &Protocol, payload: &Object<'_>) -> bool {
    let reasons = &protocol.exceptions.reasons;
    let declared = payload.text("exception");
    declared.is_none_or(|own| reasons.iter().any(|reason| reason.id == own))
}

/// One answer to each question and one value of each field, and no others.
fn intake_holds(protocol: &Protocol, payload: &Object<'_>) -> bool {
    let part = |key: &str| payload.get(key).and_then(Value::as_object);
    let (Some(answers), Some(fields)) = (part("answers"), part("fields")) else {
        return false;
    };
    let mut asked = protocol
        .criteria
        .iter()
        .filter(|own| matches!(own.check, Check::Ask { .. }));
    let as_written = |field: &Field| {
        let text = fields.text(&field.id);
        text.is_some_and(|text| is_as_written(&field.kind, text))
    };
    answers.iter().count() == asked.clone().count()
        && asked.all(|own| answers.contains_key(&own.id))
        && fields.iter().count() == protocol.fields.len()
        && protocol.fields.iter().all(as_written)
}

/// What a standard reason keeps beside it is there, and is not where another reason is.
fn violation_holds(protocol: &Protocol, payload: &Object<'_>, reason: u16) -> bool {
    let policy = Violations::policy(reason);
    let stratum = policy == Some(Policy::WrongStratum);
    let criterion = payload.text("criterion");
    let kept = [
        ("field", stratum),
        ("value", stratum),
        ("received", policy == Some(Policy::WrongService)),
    ];
    let kind = payload.text("field").and_then(|id| protocol.field(id));
    let kind = kind.map(|place| &protocol.fields[place].kind);
    kept.iter()
        .all(|(key, needed)| payload.contains_key(key) == *needed)
        && criterion.is_none_or(|id| {
            policy == Some(Policy::FoundIneligible)
                && protocol.criteria.iter().any(|own| own.id == id)
        })
        && kind.is_none_or(|kind| {
            let value = payload.text("value");
            value.is_some_and(|text| is_as_written(kind, text))
        })
}

/// Whether a text is a value of a field in the one way that there is to write it.
fn is_as_written(kind: &FieldKind, text: &str) -> bool {
    field_value(kind, text).is_some_and(|value| match kind {
        // The text is the id.
        FieldKind::Choice { .. } | FieldKind::YesNo => true,
        // Whole numbers are read with a plus sign and zeros before them too.
        FieldKind::Count { .. } => {
            text.len() == 1 || !text.starts_with(['+', '0']) && !text.starts_with("-0")
        }
        FieldKind::Number { .. } => canonical(kind, value) == text,
    })
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
        let (sequence, what) = (row.entry.sequence, &row.said.what);
        let shaped = shape::holds(&row.entry.kind, &row.said.payload);
        if !shaped || !values_hold(protocol, row) {
            self.push(
                "row-form",
                Some(sequence),
                words!(
                    "the payload of event {sequence} does not have the keys and values of its kind",
                    "innehållet i händelse {sequence} har inte de nycklar och värden som dess slag ska ha"
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
                matches!(&row.said.what, What::Reported(own) if own.source == Source::Intake);
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
        // While a link holds that is taken back later, its names are answered as one family.
        let served = |family: FamilyIx| {
            let one = || past.one_with(state, family);
            drawn(family)
                || past.is_unnamed()
                || past.holds(state, family) && one().into_iter().any(drawn)
        };
        let in_turn = match &row.said.what {
            What::Screened(screening) => !drawn(state.unit(screening.family)),
            What::Returned { family, .. } | What::Joined { family, .. } => {
                served(state.unit(*family)) || served(*family)
            }
            What::Serviced { family, .. }
            | What::Observed { family, .. }
            | What::Violation { family, .. } => served(*family),
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

#[cfg(test)]
mod tests {
    use super::{FieldKind, canonical, field_value, is_as_written};

    /// Against the text that the value has; what is read as whole numbers is the standard library's.
    #[test]
    fn a_count_has_one_text() {
        let kind = FieldKind::Count {
            unit: None,
            range: (-2000, 2000),
        };
        let digits = [
            "", "0", "1", "9", "00", "01", "10", "007", "100", "2000", "2001",
        ];
        let mut read = 0;
        for sign in ["", "-", "+", " ", "--", "0-"] {
            for digits in digits {
                let text = format!("{sign}{digits}");
                let value = field_value(&kind, &text);
                let written = value.is_some_and(|value| canonical(&kind, value) == text);
                assert_eq!(is_as_written(&kind, &text), written, "{text}");
                read += usize::from(value.is_some());
            }
        }
        assert_eq!(read, 27, "nine with each of three signs");
    }
}
