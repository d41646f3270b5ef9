//! `[cost]`: what a study costs, for comparing alternatives. In any one currency; the program never names it.
//!
//! `fixed + per_family·(families randomized) + per_therapist_month·(therapist-months) + per_replacement·(therapists who began
//! in a vacant place)`. A site's places for therapists are paid from its opening to the end of enrolment, vacant or not, months
//! being days / 30.4375; what they finish after that day is not counted.

use super::mechanisms::{not_negative, or_default};
use super::record::Record;
use super::scenario::Cell;
use crate::protocol::findings::Findings;
use crate::protocol::model::Day;
use crate::protocol::tree::Section;

/// Keys of the section.
pub const KEYS: &[&str] = &[
    "fixed",
    "per_family",
    "per_therapist_month",
    "per_replacement",
];
/// Largest amount.
const MOST: f64 = 1e12;

/// What things cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Whatever happens.
    pub fixed: f64,
    /// A randomized family.
    pub per_family: f64,
    /// A therapist for a month.
    pub per_therapist_month: f64,
    /// Recruiting and training a therapist who takes a vacant place.
    pub per_replacement: f64,
}

impl Cost {
    /// Reads the section.
    pub(super) fn read(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Self> {
        let mut amount = |key| {
            or_default(out, section, key, 0.0, |out, value| {
                not_negative(out, value, MOST)
            })
        };
        let (fixed, per_family) = (amount("fixed"), amount("per_family"));
        let per_therapist_month = amount("per_therapist_month");
        let per_replacement = amount("per_replacement");
        Some(Self {
            fixed: fixed?,
            per_family: per_family?,
            per_therapist_month: per_therapist_month?,
            per_replacement: per_replacement?,
        })
    }

    /// What a simulated study of the cell costs.
    pub fn of(&self, cell: &Cell, record: &Record) -> f64 {
        let first = cell.protocol.first_opening();
        let ended = first.plus(record.enrolment_days as i32);
        let months: f64 = cell
            .protocol
            .sites
            .iter()
            .map(|site| {
                let days = ended.since(Day::of(site.opens)).max(0);
                f64::from(site.therapists) * f64::from(days) / 30.4375
            })
            .sum();
        self.fixed
            + self.per_family * f64::from(record.families)
            + self.per_therapist_month * months
            + self.per_replacement * f64::from(record.replacements)
    }
}
