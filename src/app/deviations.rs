//! Deviations from the registered plan that a person names when locking or analysing: coded reasons, kept in the public part
//! of the row and shown in the ledger of deviations.

use super::failure::Failure;
use super::study::Study;
use crate::analysis::deviations::{NamedAt, Recorded};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::journal::{Content, Entry, Object, Value};
use jiff::Timestamp;

/// The codes in the one order in which a row has them: ascending, none twice.
///
/// # Errors
/// A code that is no reason of the protocol in force: exit 2 with the nearest.
pub(super) fn codes(protocol: &Protocol, given: &[String]) -> Result<Vec<String>, Failure> {
    let what = Words::new("reason of a deviation", "skäl till avvikelse");
    for code in given {
        if protocol.deviations.label(code).is_none() {
            let known = protocol.deviations.reasons.iter();
            let known = known.map(|own| own.id.as_str());
            return Err(Failure::unknown_id(&what, code, known));
        }
    }
    let mut codes = given.to_vec();
    codes.sort_unstable();
    codes.dedup();
    Ok(codes)
}

/// The public part of a row with such codes; without the key where there are none.
pub(super) fn public(public: Content, codes: &[String]) -> Content {
    public.with_some("deviations", (!codes.is_empty()).then(|| codes.to_vec()))
}

/// The deviations that a lock shows: of every lock and analysis up to its row `until`, and of each analysis of the lock
/// after it.
///
/// # Errors
/// A ledger that cannot be read (exit 8).
pub(super) fn recorded(
    study: &mut Study,
    lock: &str,
    until: u64,
) -> Result<Vec<Recorded>, Failure> {
    let entries = study.entries()?;
    let mut epoch = 0;
    let mut found = Vec::new();
    for entry in &entries {
        epoch += u32::from(entry.kind == "epoch-opened");
        let at = match entry.kind.as_str() {
            "locked" => NamedAt::Lock,
            "analysed" => NamedAt::Analysis,
            _ => continue,
        };
        let Some((public, _)) = Object::read(&entry.public) else {
            continue;
        };
        let own = public.text("lock").unwrap_or_default();
        let shown = entry.sequence <= until || at == NamedAt::Analysis && own == lock;
        let named = public.get("deviations").and_then(Value::as_array);
        let codes = named.unwrap_or_default().iter().filter_map(Value::as_str);
        let day = day(study, entry);
        let protocol = study.journal.protocol.in_epoch(epoch);
        for code in codes.filter(|_| shown) {
            found.extend(one(protocol, code, (at, own), &day, &entry.actor));
        }
    }
    Ok(found)
}

/// A deviation as the ledger of deviations has it; `None` for a code that the protocol does not know.
pub(super) fn one(
    protocol: &Protocol,
    code: &str,
    (at, lock): (NamedAt, &str),
    day: &str,
    actor: &str,
) -> Option<Recorded> {
    Some(Recorded {
        code: code.to_owned(),
        reason: protocol.deviations.label(code)?.clone(),
        at,
        lock: lock.to_owned(),
        day: day.to_owned(),
        actor: actor.to_owned(),
    })
}

/// The civil day of a row in the study's time zone.
pub(super) fn day(study: &Study, entry: &Entry) -> String {
    let time = entry.time.parse::<Timestamp>().ok();
    let date = time.and_then(|time| study.journal.day(time).date());
    date.map_or_else(String::new, |date| date.to_string())
}
