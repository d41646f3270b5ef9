//! `[uptake]`: families whose allocated service does not start, families moved to the other service, and families
//! taken out by a declared exception before the draw.
//!
//! Whether a family would not start, or would be moved, is drawn before its arm is known: both potential outcomes of
//! each family exist. Who does not start gets the control service and frees the slot; who is moved gets the treated
//! service whether a slot is free or not.

use super::{Arms, MechanismEntry, or_default, share};
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::words;
use toml::de::DeValue;

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
    /// Share of those that would be moved to one of the treated arms before this one; 0 where there is one.
    pub switched_before: f64,
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
    /// Keys, with the names of the arms: first those of the two arms.
    pub(crate) fn keys(arms: Arms<'_>) -> Vec<String> {
        let id = |arm: usize| arms.protocol.arms[arm].id.as_str();
        let not_started = |id: &str| arm_key(id, "not_started");
        let own = id(arms.treated);
        let mut keys = vec![not_started(own), arm_key(id(arms.control), "switched")];
        let others = arms.treated_ids().into_iter().filter(|other| *other != own);
        keys.extend(others.map(not_started));
        keys.extend(ENTRY.keys.iter().map(ToString::to_string));
        keys
    }

    /// Reads the section.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        keys: &[String],
        arms: Arms<'_>,
    ) -> Option<Self> {
        let protocol = arms.protocol;
        let mut part = |key: &str| or_default(out, section, key, 0.0, share);
        let not_started = part(&keys[0]);
        let exceptions = part("exceptions");
        let switched = switched(out, section, &keys[1], arms);
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
        let (switched_before, switched) = switched?;
        Some(Self {
            not_started: not_started?,
            switched,
            switched_before,
            exceptions: exceptions?,
            not_started_within_days: not_started_within_days?,
            switched_within_days: switched_within_days?,
        })
    }
}

/// Shares of families that would be moved from control to treated arms before this one, and to it: with several arms of a table
/// by their ids.
fn switched(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    key: &str,
    arms: Arms<'_>,
) -> Option<(f64, f64)> {
    let Some(value) = section.get(key) else {
        return Some((0.0, 0.0));
    };
    let DeValue::Table(_) = value.raw() else {
        let share = share(out, &value)?;
        if arms.several() && share > 0.0 {
            value.wrong_type(
                out,
                words!(
                    "a table with the share of each arm that families are moved to",
                    "en tabell med andelen för varje arm som familjer flyttas till"
                ),
            );
            return None;
        }
        return Some((0.0, share));
    };
    let ids = arms.treated_ids();
    let table = value.section(out, &ids)?;
    let (mut before, mut own, mut all) = (0.0, 0.0, 0.0);
    for id in ids {
        let part = or_default(out, &table, id, 0.0, share)?;
        if *id == *arms.protocol.arms[arms.treated].id {
            (before, own) = (all, part);
        }
        all += part;
    }
    if all > 1.0 {
        let range = words!("at most 1 together", "högst 1 tillsammans");
        out.out_of_range(&value.span, key, &all.to_string(), range);
        return None;
    }
    Some((before, own))
}
