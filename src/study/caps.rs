//! Caps on exceptions and violations: how many there are per site and quarter and in the study, and which registered cap
//! they pass. Passing one alerts the study lead and refuses nothing.
//!
//! Exceptions count by the day of recording, violations by the day on which they happened; a violation that was corrected
//! counts no more. Per site and quarter each one counts. In the share a family counts once: that of exceptions is of the
//! families that were randomized, excepted or both, that of violations is of randomized families. A
//! share is passed by two families or more: the first one of a study is above any cap, and shows nothing.

use super::kernel::{FamilyIx, Occurred, SiteIx, State};
use crate::protocol::Protocol;
use crate::protocol::model::{Cap, Day};
use std::collections::{BTreeMap, BTreeSet};

/// What a cap is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capped {
    /// Exceptions before the draw.
    Exceptions,
    /// Violations after it.
    Violations,
}

impl Capped {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Exceptions, Self::Violations];

    /// The registered cap.
    pub fn cap(self, protocol: &Protocol) -> Cap {
        match self {
            Self::Exceptions => protocol.exceptions.cap,
            Self::Violations => protocol.violations.cap,
        }
    }
}

/// A calendar quarter: year, and 1 to 4.
pub type Quarter = (i16, i8);

/// The quarter of a day.
pub fn quarter(day: Day) -> Option<Quarter> {
    let date = day.date()?;
    Some((date.year(), (date.month() - 1) / 3 + 1))
}

/// A cap that is passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Alert {
    /// More than registered at a site in a quarter.
    Site {
        /// Of what.
        capped: Capped,
        /// Where.
        site: SiteIx,
        /// When.
        quarter: Quarter,
        /// How many there are.
        count: u32,
        /// How many are registered.
        cap: u32,
    },
    /// More than registered in the study.
    Study {
        /// Of what.
        capped: Capped,
        /// Families with an exception, or with a violation; at least two, unless none is allowed.
        families: u32,
        /// Families that the share is of.
        of: u32,
        /// The share of families.
        share: f64,
        /// The registered share.
        cap: f64,
    },
}

/// Every cap that is passed, sites first, in their order and that of the quarters.
pub fn alerts(protocol: &Protocol, state: &State) -> Vec<Alert> {
    Capped::ALL
        .into_iter()
        .flat_map(|capped| Tally::of(state, capped).alerts(capped, capped.cap(protocol)))
        .collect()
}

/// The caps that are passed by one more of a family at a site on a day: those of the site's quarter and of the study.
pub fn alerts_after(
    protocol: &Protocol,
    state: &State,
    capped: Capped,
    (site, day): (SiteIx, Day),
    family: FamilyIx,
) -> Vec<Alert> {
    let mut tally = Tally::of(state, capped);
    tally.add(site, day, family);
    if capped == Capped::Exceptions {
        tally.of.insert(family);
    }
    let of_quarter = quarter(day);
    tally
        .alerts(capped, capped.cap(protocol))
        .into_iter()
        .filter(|alert| match alert {
            Alert::Site {
                site: own, quarter, ..
            } => *own == site && Some(*quarter) == of_quarter,
            Alert::Study { .. } => true,
        })
        .collect()
}

#[derive(Debug, Default)]
struct Tally {
    by_quarter: BTreeMap<(SiteIx, Quarter), u32>,
    /// Families with an exception, or with a violation.
    families: BTreeSet<FamilyIx>,
    /// Families that the share is of.
    of: BTreeSet<FamilyIx>,
}

impl Tally {
    fn of(state: &State, capped: Capped) -> Self {
        let mut own = Self::default();
        own.of
            .extend(state.allocations.iter().map(|made| made.family));
        match capped {
            Capped::Exceptions => {
                for made in &state.exceptions {
                    own.add(made.site, made.day, state.unit(made.family));
                }
                own.of = own.of.iter().map(|family| state.unit(*family)).collect();
                own.of.extend(&own.families);
            }
            Capped::Violations => {
                for occurrence in &state.occurrences {
                    let Occurred::Violation { .. } = occurrence.what else {
                        continue;
                    };
                    if occurrence.retracted {
                        continue;
                    }
                    let Some(family) = state.family(occurrence.family) else {
                        continue;
                    };
                    // An erased row no longer says when; the family counts in the share.
                    if family.erased {
                        own.families.insert(occurrence.family);
                    } else {
                        own.add(family.site, occurrence.on, occurrence.family);
                    }
                }
            }
        }
        own
    }

    fn add(&mut self, site: SiteIx, day: Day, family: FamilyIx) {
        self.families.insert(family);
        if let Some(quarter) = quarter(day) {
            *self.by_quarter.entry((site, quarter)).or_default() += 1;
        }
    }

    fn alerts(&self, capped: Capped, cap: Cap) -> Vec<Alert> {
        let mut alerts: Vec<Alert> = self
            .by_quarter
            .iter()
            .filter_map(|((site, quarter), count)| {
                let cap = cap.per_site_and_quarter.filter(|cap| count > cap)?;
                Some(Alert::Site {
                    capped,
                    site: *site,
                    quarter: *quarter,
                    count: *count,
                    cap,
                })
            })
            .collect();
        let (families, of) = (self.families.len() as u32, self.of.len() as u32);
        let share = f64::from(families) / f64::from(of.max(1));
        // One family is above any share as long as there are few: it shows nothing, unless not even one is allowed.
        let shown = |cap: &f64| share > *cap && (families > 1 || *cap <= 0.0);
        let study = cap.study_share.filter(shown);
        alerts.extend(study.map(|cap| Alert::Study {
            capped,
            families,
            of,
            share,
            cap,
        }));
        alerts
    }
}
