//! How far the numbers of a stored state may reach (`super::super::pages`): against the protocol, the sizes of tables, and
//! each other. A projection may have been forged; no number in one leads beyond a table, into a ring or past what a number
//! can hold.

use super::corrections::Sighting;
use super::event::{ChildIx, FamilyIx, Report, ReportIx, SiteIx, Source as Seen, Truth};
use super::state::{Child, Family, NamedChild, Occurred, Occurrence, ReportState, State, Status};
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::pages::{Limits, Row};

/// Most therapists that a row of the ledger can give a site (`docs/ledger-spec.md`).
const MAX_THERAPISTS: u32 = 10_000;

/// Whether a family keeps to the limits.
fn known(family: FamilyIx, limits: &Limits) -> bool {
    family.0 < limits.families
}

/// A day between the years −9999 and 9999: whatever is counted from it stays a number.
fn possible(day: Day) -> bool {
    (-4_371_587..=2_932_896).contains(&day.0)
}

/// The place of a chain's member before, plus 1: it lies before the member itself, so that no chain is a ring.
fn before(previous: u32, place: usize) -> bool {
    previous as usize <= place
}

fn report_fits(report: ReportIx, limits: &Limits) -> bool {
    report.0 < limits.reports
}

impl State {
    /// Says how many rows there are; what counts names is said by them.
    pub(in crate::study) fn limit(&self, limits: &mut Limits) {
        limits.sequence = self.sequence;
        limits.occurrences = self.occurrences.len() as u32;
        limits.earlier = self.earlier.len() as u32;
        limits.named = self.named.len() as u32;
        limits.allocations = self.allocations.len() as u32;
        limits.sites = self.sites.len() as u16;
    }

    /// Whether the parts that lie in no page keep to the limits and to the protocol.
    pub(in crate::study) fn fits(&self, protocol: &Protocol, limits: &Limits) -> bool {
        if self.epoch > protocol.epoch() {
            return false;
        }
        let own = protocol.in_epoch(self.epoch);
        let sizes_of = |epoch: u32| {
            let own = protocol.in_epoch(epoch);
            (own.strata(), own.cells())
        };
        let epochs: Vec<(usize, usize)> = (0..=self.epoch).map(sizes_of).collect();
        let site = |site: SiteIx| site.0 < limits.sites;
        let slots = protocol.gate.as_ref().map(|own| own.families_per_therapist);
        let sizes = self.sites.len() == own.sites.len()
            && self.families.len() <= limits.families as usize
            && self.children.len() <= limits.children as usize
            && self.reports.len() <= limits.reports as usize
            && self.gated == slots.is_some()
            && self.slots_per_therapist == slots.unwrap_or(0);
        sizes
            && self.allocations.iter().all(|drawn| {
                known(drawn.family, limits)
                    && drawn.arm.0 < limits.arms
                    && epochs
                        .get(drawn.epoch as usize)
                        .is_some_and(|(strata, cells)| {
                            (drawn.stratum as usize) < *strata && (drawn.cell as usize) < *cells
                        })
            })
            && self.counts_draws(&epochs)
            && self.switches.iter().all(|own| {
                known(own.family, limits)
                    && own.to.0 < limits.arms
                    && possible(own.on)
                    && own.sequence <= limits.sequence
            })
            && self.turned_away.iter().all(|own| {
                known(own.family, limits)
                    && site(own.site)
                    && report_fits(own.report, limits)
                    && possible(own.on)
            })
            && (0..)
                .zip(&self.earlier)
                .all(|(place, own)| report_fits(own.report, limits) && before(own.previous, place))
            && self
                .exceptions
                .iter()
                .all(|own| known(own.family, limits) && site(own.site) && possible(own.day))
            && self
                .links
                .iter()
                .all(|(unit, other)| known(*unit, limits) && known(*other, limits))
            && self.link_rows.iter().all(|own| {
                known(own.family, limits)
                    && known(own.other, limits)
                    && own.sequence <= limits.sequence
            })
            && self.epochs.len() == self.epoch as usize + 1
            && self
                .epochs
                .iter()
                .all(|own| self.is_day(own.opened) && own.beacon.is_none_or(possible))
            && self
                .enrolling
                .iter()
                .all(|own| site(own.site) && possible(own.day))
            && self
                .gates
                .iter()
                .all(|own| site(own.site) && possible(own.day))
            && self.erased.iter().all(|own| known(*own, limits))
            && self.locks.iter().all(|own| {
                usize::from(own.lock) < protocol.locks.len()
                    && possible(own.cut)
                    && own.sequence <= limits.sequence
            })
            && self.sites.iter().all(|own| {
                possible(own.opens)
                    && own.therapists <= MAX_THERAPISTS
                    && own.taken <= limits.allocations
            })
            && self.is_day(self.last_day)
    }

    /// Whether a day can be one of the ledger's: before its first row there is none yet.
    fn is_day(&self, day: Day) -> bool {
        possible(day) || (self.sequence == 0 && day == Day(i32::MIN))
    }

    /// Whether draws count on within stratum and epoch, and are as many in each stratum as the state says; `epochs` gives
    /// the strata of each epoch.
    fn counts_draws(&self, epochs: &[(usize, usize)]) -> bool {
        let mut draws = Vec::new();
        let mut epoch = None;
        for own in &self.allocations {
            if epoch != Some(own.epoch) {
                if epoch.is_some_and(|before| before > own.epoch) {
                    return false;
                }
                epoch = Some(own.epoch);
                let strata = epochs.get(own.epoch as usize).map_or(0, |own| own.0);
                draws = vec![0; strata];
            }
            match draws.get_mut(own.stratum as usize) {
                Some(next) if *next == own.draw => *next += 1,
                _ => return false,
            }
        }
        if epoch != Some(self.epoch) {
            draws = vec![0; epochs.last().map_or(0, |own| own.0)];
        }
        draws == self.draws
    }

    /// Brings every table into memory.
    pub(in crate::study) fn load_all(&mut self) {
        self.families.load_all();
        self.children.load_all();
        self.reports.load_all();
        self.named.load_all();
        self.sightings.load_all();
        self.occurrences.load_all();
    }
}

impl Row for Family {
    const IN_PAGE: usize = 64;

    fn blank() -> Self {
        Self::named(ReportIx(u32::MAX), SiteIx(0))
    }

    fn fits(&self, _: usize, limits: &Limits) -> bool {
        let drawn = !self.is_randomized() || (1..=limits.allocations).contains(&self.allocation);
        drawn
            && self.site.0 < limits.sites
            && self.last_screened <= limits.sequence
            && self.earlier <= limits.earlier
            && (self.report.0 == u32::MAX || report_fits(self.report, limits))
            && self.arm.0.max(self.service.0) < limits.arms
            && self.linked_to.is_none_or(|unit| known(unit, limits))
            && self.allocation <= limits.allocations
            && self.came_from.is_none_or(|before| known(before, limits))
            && self.went_to.is_none_or(|later| known(later, limits))
            && match self.status {
                Status::Excepted { reason } => reason < limits.exceptions || reason == u16::MAX,
                Status::NotEligible { missed } => {
                    missed.checked_shr(limits.criteria.into()).unwrap_or(0) == 0
                }
                Status::Unscreened | Status::TurnedAway | Status::Randomized => true,
            }
            && self.last_occurrence <= limits.occurrences
            && self.last_report <= limits.reports
            && possible(self.randomized)
    }
}

impl Row for Child {
    const IN_PAGE: usize = 256;

    fn blank() -> Self {
        Self {
            family: FamilyIx(0),
            joined: false,
            same_as: None,
        }
    }

    fn fits(&self, _: usize, limits: &Limits) -> bool {
        known(self.family, limits) && self.same_as.is_none_or(|own| own.0 < limits.children)
    }
}

impl Row for ReportState {
    const IN_PAGE: usize = 128;

    fn blank() -> Self {
        Self {
            family: FamilyIx(0),
            received: Day(0),
            sources: 0,
            incident: None,
            child: None,
            unknown_child: false,
            attached: None,
            by_study_staff: false,
            intake: None,
            last_named: 0,
            retracted: false,
            previous: 0,
        }
    }

    fn fits(&self, place: usize, limits: &Limits) -> bool {
        let days = [Some(self.received), self.incident, self.intake];
        known(self.family, limits)
            && self.child.is_none_or(|child| child.0 < limits.children)
            && self.last_named <= limits.named
            && before(self.previous, place)
            && days.into_iter().flatten().all(possible)
    }
}

impl Row for NamedChild {
    const IN_PAGE: usize = 256;

    fn blank() -> Self {
        Self {
            child: ChildIx(0),
            previous: 0,
        }
    }

    fn fits(&self, place: usize, limits: &Limits) -> bool {
        self.child.0 < limits.children && before(self.previous, place)
    }
}

impl Row for Sighting {
    const IN_PAGE: usize = 64;

    fn blank() -> Self {
        Self {
            sequence: 0,
            report: Report {
                family: FamilyIx(0),
                report: ReportIx(0),
                received: Day(0),
                source: Seen::Intake,
                incident: None,
                child: None,
                unknown_child: false,
                attached: None,
                by_study_staff: false,
            },
            retracted: false,
        }
    }

    fn fits(&self, _: usize, limits: &Limits) -> bool {
        let days = [Some(self.report.received), self.report.incident];
        known(self.report.family, limits)
            && report_fits(self.report.report, limits)
            && self.report.child.is_none_or(|own| own.0 < limits.children)
            && self.sequence <= limits.sequence
            && days.into_iter().flatten().all(possible)
    }
}

impl Row for Occurrence {
    const IN_PAGE: usize = 128;

    fn blank() -> Self {
        Self {
            family: FamilyIx(0),
            what: Occurred::Withdrawn,
            on: Day(0),
            sequence: 0,
            retracted: false,
            previous: 0,
        }
    }

    fn fits(&self, place: usize, limits: &Limits) -> bool {
        let what = match self.what {
            Occurred::Violation {
                reason,
                truth,
                received,
            } => {
                (reason < limits.violations || reason == u16::MAX)
                    && truth.is_none_or(|truth| match truth.field {
                        Truth::SITE => (0..i64::from(limits.sites)).contains(&truth.value),
                        field => field < limits.fields,
                    })
                    && received.is_none_or(|arm| arm.0 < limits.arms)
            }
            Occurred::Observed { outcome, value } => {
                (outcome < limits.outcomes || outcome == u16::MAX) && value.is_finite()
            }
            Occurred::Service { by, .. } => by.is_none_or(|own| own.0 < limits.deliverers),
            Occurred::Exit(_) | Occurred::Withdrawn => true,
        };
        what && known(self.family, limits)
            && self.sequence <= limits.sequence
            && before(self.previous, place)
            && possible(self.on)
    }
}
