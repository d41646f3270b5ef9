//! The form of a row: canonical JSON, the keys of its kind in the public part, plain actors and times.
//!
//! The public part is never erased, so a key that does not belong there could keep what should be erasable.

use crate::study::identifiers::is_key;
use crate::study::journal::{Entry, Object};

/// Public keys by kind, beside `clock`; kinds that are not listed have none.
const PUBLIC: &[(&str, &[&str])] = &[
    (
        "opened",
        &[
            "commitment",
            "custody",
            "format",
            "mode",
            "protocol_hash",
            "study",
        ],
    ),
    ("epoch-opened", &["commitment", "epoch", "protocol_hash"]),
    ("beacon", &["epoch", "round", "value"]),
    ("site-opened", &["event_key", "on", "site"]),
    ("site-closed", &["event_key", "on", "site"]),
    (
        "capacity-changed",
        &["event_key", "on", "site", "therapists"],
    ),
    ("screened", &["site", "verdict"]),
    (
        "allocated",
        &[
            "allocation",
            "arm",
            "draw",
            "epoch",
            "factors",
            "levels",
            "site",
        ],
    ),
    ("returned", &["site"]),
    ("joined", &["site"]),
    ("exception", &["site"]),
    ("switched", &["arm"]),
    ("corrected", &["sequence"]),
    ("erased", &["reason", "sequences"]),
    ("locked", &["cut", "lock"]),
    ("analysed", &["lock", "results_sha256"]),
    ("exported", &["what"]),
    ("revealed", &["seeds"]),
];

/// Whether a row has the form that the specification gives it; `last_time` is that of a row that has it, or empty.
pub(super) fn holds(entry: &Entry, last_time: &str) -> bool {
    let known = PUBLIC
        .iter()
        .find(|(kind, _)| *kind == entry.kind)
        .map_or(&[][..], |(_, k)| *k);
    let Some((public, true)) = Object::read(&entry.public) else {
        return false;
    };
    let payload_holds = entry
        .payload
        .as_ref()
        .is_none_or(|payload| Object::is_canonical(payload));
    is_key(&entry.actor)
        && (entry.time == last_time && !last_time.is_empty() || time_holds(&entry.time))
        && payload_holds
        && public.iter().all(|(key, value)| {
            known.contains(&key) || (key == "clock" && value.as_str() == Some("override"))
        })
}

/// `2025-03-01T08:15:30.000000Z`: one length, so that text order is time order.
fn time_holds(time: &str) -> bool {
    time.len() == 27 && time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok()
}
