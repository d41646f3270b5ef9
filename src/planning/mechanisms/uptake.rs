//! `[uptake]`: families whose allocated service does not start, families moved to the other service, and families
//! taken out by a declared exception before the draw.
//!
//! Whether a family would not start, or would be moved, is drawn before its arm is known: both potential outcomes of
//! each family exist. Who does not start gets the control service and frees the slot; who is moved gets the treated
//! service whether a slot is free or not.

use super::{MechanismEntry, or_default, share};
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "uptake",
    about: "service that does not start or is switched, and exceptions before the draw",
    about_sv: "handläggning som inte påbörjas eller byts, och undantag före lottningen",
    keys: &[
        "exceptions",
        "not_started_within_days",
        "switched_within_days",
    ],
    build: None,
};

/// Uptake.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uptake {
    /// Share of families whose treated service would not start.
    pub not_started: f64,
    /// Share of families that would be moved from the control to the treated service.
    pub switched: f64,
    /// Share of screened families with a declared exception.
    pub exceptions: f64,
    /// It is known within so many days that the service does not start.
    pub not_started_within_days: i32,
    /// A family is moved within so many days.
    pub switched_within_days: i32,
}

/// The key of an arm: `iuh_not_started` for the arm `iuh`.
pub(crate) fn arm_key(arm: &str, what: &str) -> String {
    format!("{}_{what}", arm.replace('-', "_"))
}

impl Uptake {
    /// Keys, with the names of the arms.
    pub(crate) fn keys(protocol: &Protocol, treated: usize, control: usize) -> Vec<String> {
        let mut keys = vec![
            arm_key(&protocol.arms[treated].id, "not_started"),
            arm_key(&protocol.arms[control].id, "switched"),
        ];
        keys.extend(ENTRY.keys.iter().map(ToString::to_string));
        keys
    }

    /// Reads the section.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        keys: &[String],
        protocol: &Protocol,
    ) -> Option<Self> {
        let mut part = |key: &str| or_default(out, section, key, 0.0, share);
        let not_started = part(&keys[0]);
        let switched = part(&keys[1]);
        let exceptions = part("exceptions");
        if let Some(value) = section.get("exceptions")
            && exceptions.is_some_and(|share| share > 0.0)
            && protocol.exceptions.reasons.is_empty()
        {
            out.error(
                "no-exceptions",
                &value.span,
                crate::words!(
                    "the protocol declares no reasons for exceptions",
                    "protokollet anger inga skäl till undantag"
                ),
                crate::words!("set `exceptions = 0`", "ange `exceptions = 0`"),
            );
        }
        let mut days = |key: &str, default| {
            or_default(out, section, key, default, |out, value| {
                value.days(out, 1, 365)
            })
        };
        let not_started_within_days = days("not_started_within_days", 14);
        let switched_within_days = days("switched_within_days", 30);
        Some(Self {
            not_started: not_started?,
            switched: switched?,
            exceptions: exceptions?,
            not_started_within_days: not_started_within_days?,
            switched_within_days: switched_within_days?,
        })
    }
}
