//! The state as bytes and back, for the stored projection of a ledger (`super::super::coded`).

use super::corrections::Sighting;
use super::event::{ChildIx, FamilyIx, Report, ReportIx, SiteIx, Source as Seen, Truth};
use super::state::{
    Allocated, Child, EarlierScreening, Exempted, Family, GateChange, LinkRow, LockState, Occurred,
    Occurrence, ReportState, SiteChange, SiteState, State, Status, Switch, TurnedAway,
};
use crate::allocation::Arm;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Exit, Service};
use crate::study::coded::{Coded, Sink, Source, coded};
use crate::study::pages::{Limits, Row};

coded!(SiteIx(whole));
coded!(FamilyIx(whole));
coded!(ChildIx(whole));
coded!(ReportIx(whole));
coded!(Arm(whole));
coded!(Day(whole));
coded!(Truth { field, value });

impl Coded for Status {
    fn put(&self, out: &mut Sink) {
        match self {
            Self::Unscreened => 0_u8.put(out),
            Self::NotEligible { missed } => (1_u8, *missed).put(out),
            Self::TurnedAway => 2_u8.put(out),
            Self::Excepted { reason } => (3_u8, *reason).put(out),
            Self::Randomized => 4_u8.put(out),
        }
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(match u8::take(input)? {
            0 => Self::Unscreened,
            1 => Self::NotEligible {
                missed: Coded::take(input)?,
            },
            2 => Self::TurnedAway,
            3 => Self::Excepted {
                reason: Coded::take(input)?,
            },
            4 => Self::Randomized,
            _ => return None,
        })
    }
}

/// A member of a closed set, by its place in the set.
fn put_member<T: PartialEq>(own: &T, all: &[T], out: &mut Sink) {
    let place = all.iter().position(|other| other == own);
    place.unwrap_or(all.len()).put(out);
}

fn take_member<T: Copy>(all: &[T], input: &mut Source<'_>) -> Option<T> {
    all.get(usize::take(input)?).copied()
}

impl Coded for Occurred {
    fn put(&self, out: &mut Sink) {
        match self {
            Self::Service(service) => {
                0_u8.put(out);
                put_member(service, &Service::ALL, out);
            }
            Self::Exit(exit) => {
                1_u8.put(out);
                put_member(exit, &Exit::ALL, out);
            }
            Self::Withdrawn => 2_u8.put(out),
            Self::Violation {
                reason,
                truth,
                received,
            } => (3_u8, (*reason, (*truth, *received))).put(out),
            Self::Observed { outcome, value } => (4_u8, (*outcome, *value)).put(out),
        }
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(match u8::take(input)? {
            0 => Self::Service(take_member(&Service::ALL, input)?),
            1 => Self::Exit(take_member(&Exit::ALL, input)?),
            2 => Self::Withdrawn,
            3 => Self::Violation {
                reason: Coded::take(input)?,
                truth: Coded::take(input)?,
                received: Coded::take(input)?,
            },
            4 => Self::Observed {
                outcome: Coded::take(input)?,
                value: Coded::take(input)?,
            },
            _ => return None,
        })
    }
}

coded!(Family {
    status,
    site,
    screenings,
    last_screened,
    turned_away,
    changed_answers,
    changed_between,
    came_from,
    exception_withdrawn,
    exception_after_draw,
    answers_after_draw,
    report_changed,
    earlier,
    report,
    answers,
    values,
    mistaken,
    arm,
    service,
    allocation,
    randomized,
    slot,
    children,
    joined,
    linked_to,
    erased,
    last_occurrence,
    last_report,
});
coded!(Child { family, joined });
coded!(ReportState {
    family,
    received,
    sources,
    incident,
    child,
    unknown_child,
    attached,
    by_study_staff,
    intake,
    retracted,
    previous,
});
coded!(Report {
    family,
    report,
    received,
    source,
    incident,
    child,
    unknown_child,
    attached,
    by_study_staff,
});
coded!(Sighting {
    sequence,
    report,
    retracted,
});

impl Coded for Seen {
    fn put(&self, out: &mut Sink) {
        self.bit().put(out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let bit = u8::take(input)?;
        [Self::Intake, Self::Log, Self::Register]
            .into_iter()
            .find(|own| own.bit() == bit)
    }
}

coded!(Occurrence {
    family,
    what,
    on,
    sequence,
    retracted,
    previous,
});
coded!(Switch {
    family,
    to,
    on,
    sequence,
    retracted,
});
coded!(TurnedAway {
    family,
    site,
    on,
    report,
});
coded!(EarlierScreening {
    report,
    answers,
    values,
    changed,
    previous,
});
coded!(SiteState {
    opens,
    closed,
    therapists,
    taken,
});
/// Of a fixed length, for a drawer follows all of them.
impl Coded for Allocated {
    fn put(&self, out: &mut Sink) {
        let Self {
            family,
            epoch,
            stratum,
            cell,
            draw,
            arm,
        } = self;
        for word in [family.0, *epoch, *stratum, *cell, *draw, u32::from(arm.0)] {
            out.bytes(&word.to_le_bytes());
        }
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        let (words, _) = input.bytes(24)?.as_chunks();
        let [family, epoch, stratum, cell, draw, arm] =
            [0, 1, 2, 3, 4, 5].map(|place| u32::from_le_bytes(words[place]));
        Some(Self {
            family: FamilyIx(family),
            epoch,
            stratum,
            cell,
            draw,
            arm: Arm(u8::try_from(arm).ok()?),
        })
    }
}

coded!(Exempted { family, site, day });
coded!(LinkRow {
    sequence,
    family,
    other,
    retracted,
});
coded!(SiteChange { site, day, enrols });
coded!(GateChange { site, day, open });
coded!(LockState {
    lock,
    cut,
    sequence,
});
coded!(State {
    sequence,
    epoch,
    beacon,
    families,
    children,
    reports,
    sightings,
    occurrences,
    switches,
    turned_away,
    earlier,
    sites,
    allocations,
    draws,
    exceptions,
    links,
    link_rows,
    enrolling,
    gates,
    locks,
    closed,
    revealed,
    slots_per_therapist,
    gated,
    last_day,
});

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
        let sizes = self.sites.len() == own.sites.len()
            && self.draws.len() == own.strata()
            && self.families.len() <= limits.families as usize
            && self.children.len() <= limits.children as usize
            && self.reports.len() <= limits.reports as usize
            && self.gated == protocol.gate.is_some();
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
            && self
                .switches
                .iter()
                .all(|own| known(own.family, limits) && own.to.0 < limits.arms && possible(own.on))
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
                .all(|own| site(own.site) && possible(own.day))
            && self
                .links
                .iter()
                .all(|(unit, other)| known(*unit, limits) && known(*other, limits))
            && self.link_rows.iter().all(|own| {
                known(own.family, limits)
                    && known(own.other, limits)
                    && own.sequence <= limits.sequence
            })
            && self
                .enrolling
                .iter()
                .all(|own| site(own.site) && possible(own.day))
            && self
                .gates
                .iter()
                .all(|own| site(own.site) && possible(own.day))
            && self
                .locks
                .iter()
                .all(|own| usize::from(own.lock) < protocol.locks.len() && possible(own.cut))
            && self.sites.iter().all(|own| possible(own.opens))
            && (self.last_day == Day(i32::MIN) || possible(self.last_day))
    }

    /// Brings every table into memory.
    pub(in crate::study) fn load_all(&mut self) {
        self.families.load_all();
        self.children.load_all();
        self.reports.load_all();
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
        }
    }

    fn fits(&self, _: usize, limits: &Limits) -> bool {
        known(self.family, limits)
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
            retracted: false,
            previous: 0,
        }
    }

    fn fits(&self, place: usize, limits: &Limits) -> bool {
        let days = [Some(self.received), self.incident, self.intake];
        known(self.family, limits)
            && self.child.is_none_or(|child| child.0 < limits.children)
            && before(self.previous, place)
            && days.into_iter().flatten().all(possible)
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
                truth, received, ..
            } => {
                truth.is_none_or(|truth| truth.field < limits.fields)
                    && received.is_none_or(|arm| arm.0 < limits.arms)
            }
            Occurred::Service(_)
            | Occurred::Exit(_)
            | Occurred::Withdrawn
            | Occurred::Observed { .. } => true,
        };
        what && known(self.family, limits)
            && self.sequence <= limits.sequence
            && before(self.previous, place)
            && possible(self.on)
    }
}
