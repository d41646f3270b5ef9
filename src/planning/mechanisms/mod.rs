//! What can happen in a simulated world, one mechanism per file, registered in [`MECHANISMS`].
//!
//! A mechanism reads its own keys from the scenario and turns uniform deviates into what happens. Each deviate is one
//! 64-bit word at an address of its own ([`super::world`]), and each value an inverse distribution function of it, so
//! that scenarios that differ in one number share everything else. What families are told and how arms are drawn is
//! the kernel's; nothing here decides on admission.
//!
//! To add one: a file here with an `ENTRY`, a line in [`MECHANISMS`]. A mechanism that a scenario may leave out is a
//! `[[mechanism]]` and implements [`Mechanism`].

pub mod accrual;
mod ascertainment_break;
pub mod capacity;
mod detection_by_home_visits;
pub mod exit;
pub mod family;
pub mod quantiles;
pub mod score;
mod site_effects;
mod staff_turnover;
mod time_trend;
pub mod truth;
pub mod uptake;

use super::arrivals::StaffChange;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::model::Day;
use crate::protocol::tree::{Section, Value};
use crate::words;
use toml::de::DeValue;

/// Builds an optional mechanism from its keys.
pub(crate) type Build = fn(&mut Findings<'_>, &Section<'_>, Arms<'_>) -> Option<Box<dyn Mechanism>>;

/// A registered mechanism.
#[derive(Debug, Clone, Copy)]
pub struct MechanismEntry {
    /// Identifier: the section of the scenario, or the `id` of a `[[mechanism]]`.
    pub id: &'static str,
    /// What it does, in English.
    pub about: &'static str,
    /// What it does, in Swedish.
    pub about_sv: &'static str,
    /// Its keys, without `id`; those that hold an arm's name are not listed.
    pub keys: &'static [&'static str],
    /// For a `[[mechanism]]`; `None` for a section of its own.
    pub(crate) build: Option<Build>,
}

impl MechanismEntry {
    /// Whether it is a `[[mechanism]]`.
    pub fn is_optional(&self) -> bool {
        self.build.is_some()
    }
}

/// Every mechanism.
pub const MECHANISMS: &[MechanismEntry] = &[
    truth::ENTRY,
    accrual::ENTRY,
    capacity::ENTRY,
    family::ENTRY,
    uptake::ENTRY,
    exit::ENTRY,
    score::ENTRY,
    detection_by_home_visits::ENTRY,
    time_trend::ENTRY,
    site_effects::ENTRY,
    staff_turnover::ENTRY,
    ascertainment_break::ENTRY,
];

/// What a `[[mechanism]]` changes in a world; each part stands still unless the mechanism says otherwise.
pub trait Mechanism: std::fmt::Debug + Send + Sync {
    /// What is added to the probability of a new report under control, `years` after the first site opened.
    fn added_risk(&self, years: f64) -> f64 {
        let _ = years;
        0.0
    }

    /// What the expected number of reports is multiplied by for a family with (or without) the service of the world's treated arm.
    fn rate_ratio(&self, treated: bool) -> f64 {
        let _ = treated;
        1.0
    }

    /// The mechanism's id, where it changes how many reports there are and nothing else of what happens to a family.
    fn moves_reports_alone(&self) -> Option<&'static str> {
        None
    }

    /// Whether [`Mechanism::site_risk`] is ever other than 0.
    fn differs_by_site(&self) -> bool {
        false
    }

    /// The part of [`Mechanism::site_risk`] that is no chance.
    fn stated_site_risk(&self, site: usize) -> f64 {
        let _ = site;
        0.0
    }

    /// What a site adds to the control risk in one study, for a deviate of the site's own.
    fn site_risk(&self, site: usize, control: f64, u: f64) -> f64 {
        let _ = (site, control, u);
        0.0
    }

    /// Whether [`Mechanism::found`] is ever below 1.
    fn misses(&self) -> bool {
        false
    }

    /// Probability that follow-up finds a report of a family of the treated (or the control) arm that was received on a
    /// day.
    fn found(&self, treated: bool, received: Day) -> f64 {
        let _ = (treated, received);
        1.0
    }

    /// Whether [`Mechanism::staff`] changes anything.
    fn staff_changes(&self) -> bool {
        false
    }

    /// Adds the changes at one place of a site's staff until the day `last`, from deviates of the place's own.
    fn staff(
        &self,
        position: u32,
        last: i32,
        deviate: &mut dyn FnMut() -> f64,
        changes: &mut Vec<StaffChange>,
    ) {
        let _ = (position, last, deviate, changes);
    }
}

/// The two arms that a world is about: one of the treated arms, and the control arm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arms<'p> {
    pub(crate) protocol: &'p Protocol,
    /// Index of the treated arm.
    pub(crate) treated: usize,
    /// Index of the control arm.
    pub(crate) control: usize,
}

impl<'p> Arms<'p> {
    /// Ids of all treated arms, in the protocol's order.
    pub(crate) fn treated_ids(&self) -> Vec<&'p str> {
        let arms = self.protocol.arms.iter().enumerate();
        let treated = arms.filter(|(place, _)| *place != self.control);
        treated.map(|(_, arm)| arm.id.as_str()).collect()
    }

    /// Whether there are several treated arms.
    pub(crate) fn several(&self) -> bool {
        self.protocol.arms.len() > 2
    }

    /// The value of a key for the treated arm: that of all treated arms, or of its own in a table by their ids.
    pub(crate) fn need(
        &self,
        out: &mut Findings<'_>,
        section: &Section<'_>,
        key: &str,
        read: impl FnOnce(&mut Findings<'_>, &Value<'_>) -> Option<f64>,
    ) -> Option<f64> {
        let value = section.need(out, key)?;
        self.own(out, &value, read)
    }

    /// As [`Arms::need`], of a value that is there.
    pub(crate) fn own(
        &self,
        out: &mut Findings<'_>,
        value: &Value<'_>,
        read: impl FnOnce(&mut Findings<'_>, &Value<'_>) -> Option<f64>,
    ) -> Option<f64> {
        let DeValue::Table(_) = value.raw() else {
            return read(out, value);
        };
        let table = value.section(out, &self.treated_ids())?;
        let own = table.need(out, &self.protocol.arms[self.treated].id)?;
        read(out, &own)
    }
}

/// A probability from 0 to 1, both ends included.
pub(crate) fn share(out: &mut Findings<'_>, value: &Value<'_>) -> Option<f64> {
    value.number(
        out,
        |share| (0.0..=1.0).contains(&share),
        words!("a number from 0 to 1", "ett tal från 0 till 1"),
    )
}

/// A probability strictly between 0 and 1.
pub(crate) fn probability(out: &mut Findings<'_>, value: &Value<'_>) -> Option<f64> {
    value.number(
        out,
        |share| share > 0.0 && share < 1.0,
        words!(
            "a number above 0 and below 1",
            "ett tal större än 0 och mindre än 1"
        ),
    )
}

/// A number above zero and up to a limit.
pub(crate) fn positive(out: &mut Findings<'_>, value: &Value<'_>, most: f64) -> Option<f64> {
    let Words { en, sv } = Words::number(most);
    value.number(
        out,
        |number| number > 0.0 && number <= most,
        words!(
            "a number above 0 and at most {en}",
            "ett tal större än 0 och högst {sv}"
        ),
    )
}

/// A number from zero to a limit.
pub(crate) fn not_negative(out: &mut Findings<'_>, value: &Value<'_>, most: f64) -> Option<f64> {
    let Words { en, sv } = Words::number(most);
    value.number(
        out,
        |number| (0.0..=most).contains(&number),
        words!("a number from 0 to {en}", "ett tal från 0 till {sv}"),
    )
}

/// The value of a key, read by `read`, or `default` without the key.
pub(crate) fn or_default<T>(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    key: &str,
    default: T,
    read: impl FnOnce(&mut Findings<'_>, &Value<'_>) -> Option<T>,
) -> Option<T> {
    match section.get(key) {
        None => Some(default),
        Some(value) => read(out, &value),
    }
}
