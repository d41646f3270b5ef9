//! The state of a study: tables indexed by small integers, all of them folds of the ledger.

use super::corrections::Sighting;
use super::event::{
    ChildIx, DelivererIx, FamilyIx, ReportIx, Screening, SiteIx, Truth, Values, Verdict,
};
use crate::allocation::Arm;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Exit, MAX_FIELDS, Service, Site};
use crate::study::pages::Table;

/// Where a family stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Named, never screened.
    Unscreened,
    /// The last screening found it not eligible.
    NotEligible {
        /// Missed criteria, a bit each.
        missed: u64,
    },
    /// The last screening met a closed gate.
    TurnedAway,
    /// Taken out by a declared exception.
    Excepted {
        /// Index of the reason.
        reason: u16,
    },
    /// Randomized.
    Randomized,
}

/// A family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// Where it stands.
    pub status: Status,
    /// Where it was screened last, or randomized.
    pub site: SiteIx,
    /// Number of screenings.
    pub screenings: u16,
    /// Sequence of the last screening; 0 before.
    pub last_screened: u64,
    /// Whether a closed gate ever turned it away.
    pub turned_away: bool,
    /// Whether a screening gave other answers than an earlier one of the same report. Never taken back.
    pub changed_answers: bool,
    /// Whether a screening gave other answers or values than the one before it, of another report. Never taken back: time
    /// may have changed them, and so may somebody who wanted another verdict.
    pub changed_between: bool,
    /// The last family that a child of this one, or its report, was screened with before it was randomized: one that was not
    /// randomized then, or one that was drawn, of which this may be another name.
    pub came_from: Option<FamilyIx>,
    /// A family that came from this one while this one was not randomized: the first of them that was drawn, or else the last.
    pub went_to: Option<FamilyIx>,
    /// Whether a screening declared no exception where the one before it, of the same report, had. Never taken back.
    pub exception_withdrawn: bool,
    /// Whether an exception was declared after the draw, when nobody is taken out. Never taken back.
    pub exception_after_draw: bool,
    /// Whether a report that was screened came again after the draw with other answers. Never taken back.
    pub answers_after_draw: bool,
    /// Whether the screenings of the report of the last screening differ among themselves.
    pub report_changed: bool,
    /// Last screening of another report than the last one, as a place in [`State::earlier`] plus 1; 0 for none.
    pub earlier: u32,
    /// Report of the last screening; for a randomized family, the index report.
    pub report: ReportIx,
    /// Answers of the last screening.
    pub answers: u64,
    /// Values of the last screening; for a randomized family, those that it was drawn with, which nothing changes.
    /// [`State::true_value`] knows of mistakes in them.
    pub values: Values,
    /// Whether a violation says that a value was wrong when the family was drawn.
    pub mistaken: bool,
    /// Arm as randomized.
    pub arm: Arm,
    /// Arm whose service the family has; differs after a switch.
    pub service: Arm,
    /// Number of the allocation, from 1; 0 before.
    pub allocation: u32,
    /// Day of randomization.
    pub randomized: Day,
    /// Whether the family holds a slot of the gate's arm.
    pub slot: bool,
    /// Children on the roster.
    pub children: u16,
    /// Children who joined after randomization.
    pub joined: u16,
    /// The unit to which this family was linked: a later draw, or another name of it.
    pub linked_to: Option<FamilyIx>,
    /// Whether its payloads were erased.
    pub erased: bool,
    /// Last occurrence of the family, as a place in [`State::occurrences`] plus 1; 0 for none.
    pub last_occurrence: u32,
    /// Last report of the family, as a place in [`State::reports`] plus 1; 0 for none.
    pub last_report: u32,
}

impl Family {
    pub(super) fn named(report: ReportIx, site: SiteIx) -> Self {
        Self {
            status: Status::Unscreened,
            site,
            screenings: 0,
            last_screened: 0,
            turned_away: false,
            changed_answers: false,
            changed_between: false,
            came_from: None,
            went_to: None,
            exception_withdrawn: false,
            exception_after_draw: false,
            answers_after_draw: false,
            report_changed: false,
            earlier: 0,
            report,
            answers: 0,
            values: [0; MAX_FIELDS],
            mistaken: false,
            arm: Arm(0),
            service: Arm(0),
            allocation: 0,
            randomized: Day(0),
            slot: false,
            children: 0,
            joined: 0,
            linked_to: None,
            erased: false,
            last_occurrence: 0,
            last_report: 0,
        }
    }

    /// Whether this is another name of a family, and no draw of its own: counts leave it out.
    pub fn is_another_name(&self) -> bool {
        self.linked_to.is_some() && !self.is_randomized()
    }

    /// Whether a screening comes without the exception that the family was taken out by for the same report.
    pub fn withdraws_exception(&self, screening: &Screening) -> bool {
        matches!(self.status, Status::Excepted { .. })
            && self.report == screening.report
            && screening.verdict != Verdict::Exception
    }

    /// Whether the family has been randomized.
    pub fn is_randomized(&self) -> bool {
        self.status == Status::Randomized
    }
}

/// A child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// Its family.
    pub family: FamilyIx,
    /// Whether it joined after randomization: such children are reported apart.
    pub joined: bool,
    /// The child that this one was found to be, under another pseudonym; that one is no other itself.
    pub same_as: Option<ChildIx>,
}

impl Child {
    pub(super) fn new(family: FamilyIx, joined: bool) -> Self {
        Self {
            family,
            joined,
            same_as: None,
        }
    }
}

/// A report, merged from its sightings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReportState {
    /// The family.
    pub family: FamilyIx,
    /// When it was received; the register's date wins over the log's, the log's over intake's.
    pub received: Day,
    /// Who saw it: bits of [`super::Source`].
    pub sources: u8,
    /// When the incident happened, if known.
    pub incident: Option<Day>,
    /// The child it concerns, if named.
    pub child: Option<ChildIx>,
    /// Whether it names a child that the ledger did not know when it was recorded.
    pub unknown_child: bool,
    /// Whether it was attached to an open investigation, if known.
    pub attached: Option<bool>,
    /// Whether staff of the study's services made it.
    pub by_study_staff: bool,
    /// When intake says that it was received, if intake saw it.
    pub intake: Option<Day>,
    /// Last child whom intake named with it, as a place in [`State::named`] plus 1; 0 for none.
    pub last_named: u32,
    /// Whether nobody has seen it: every sighting was retracted, or is one of another report.
    pub retracted: bool,
    /// The family's report before this one, as a place plus 1; 0 for none.
    pub previous: u32,
}

/// A child whom intake named with a report that no family was drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedChild {
    /// The child.
    pub child: ChildIx,
    /// The report's child before this one, as a place plus 1; 0 for none.
    pub previous: u32,
}

/// What occurred to a family, beside reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Occurred {
    /// Service.
    Service {
        /// What.
        service: Service,
        /// Who delivered it, if named.
        by: Option<DelivererIx>,
    },
    /// End of follow-up.
    Exit(Exit),
    /// Withdrawal.
    Withdrawn,
    /// Protocol violation.
    Violation {
        /// Index of the reason in the protocol; `u16::MAX` once erased.
        reason: u16,
        /// The true value, of a family that was drawn with a wrong one.
        truth: Option<Truth>,
        /// The arm whose service the family received by mistake.
        received: Option<Arm>,
    },
    /// A value of an outcome.
    Observed {
        /// Index of the outcome.
        outcome: u16,
        /// The value.
        value: f64,
    },
}

/// Something that occurred to a family on a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurrence {
    /// The family.
    pub family: FamilyIx,
    /// What.
    pub what: Occurred,
    /// When.
    pub on: Day,
    /// Sequence of the event.
    pub sequence: u64,
    /// Whether a correction retracted it.
    pub retracted: bool,
    /// The family's occurrence before this one, as a place plus 1; 0 for none.
    pub previous: u32,
}

impl Occurrence {
    /// Whether it is a service of this kind, whoever delivered it.
    pub fn is(&self, wanted: Service) -> bool {
        matches!(self.what, Occurred::Service { service, .. } if service == wanted)
    }
}

/// A move of a family to an arm's service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// The family.
    pub family: FamilyIx,
    /// The arm whose service it has from then on.
    pub to: Arm,
    /// When.
    pub on: Day,
    /// Sequence of the event.
    pub sequence: u64,
    /// Whether a correction retracted it.
    pub retracted: bool,
}

/// A family at the first time that a closed gate turned it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnedAway {
    /// The family.
    pub family: FamilyIx,
    /// Where.
    pub site: SiteIx,
    /// When.
    pub on: Day,
    /// The report that it was screened for.
    pub report: ReportIx,
}

/// What an earlier report of a family was screened with, kept when another report is screened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierScreening {
    /// The report.
    pub report: ReportIx,
    /// Answers of its last screening until then.
    pub answers: u64,
    /// Values of its last screening until then.
    pub values: Values,
    /// Whether its screenings differ among themselves.
    pub changed: bool,
    /// The family's earlier one, as a place plus 1; 0 for none.
    pub previous: u32,
}

/// A site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteState {
    /// First day of enrolment.
    pub opens: Day,
    /// Whether the site has stopped enrolling.
    pub closed: bool,
    /// Therapists now.
    pub therapists: u32,
    /// Slots taken.
    pub taken: u32,
}

impl SiteState {
    /// A site as its protocol opens it.
    pub(super) fn of(site: &Site) -> Self {
        Self {
            opens: Day::of(site.opens),
            closed: false,
            therapists: site.therapists,
            taken: 0,
        }
    }
}

/// A change of a site's gate, on the day of recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateChange {
    /// The site.
    pub site: SiteIx,
    /// The day.
    pub day: Day,
    /// Whether it is open from now on.
    pub open: bool,
}

/// A day from which a site enrols or no longer does: of recording, or the registered one if that is later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteChange {
    /// The site.
    pub site: SiteIx,
    /// The day.
    pub day: Day,
    /// Whether it enrols from now on.
    pub enrols: bool,
}

/// An epoch: from when lots could be drawn in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochState {
    /// The day on which it was opened; of a study that no ledger opened, before every day.
    pub opened: Day,
    /// The day on which the value of its public round was recorded.
    pub beacon: Option<Day>,
}

impl EpochState {
    /// An epoch that opens.
    pub(super) fn opened(day: Day) -> Self {
        Self {
            opened: day,
            beacon: None,
        }
    }
}

/// An allocation in ledger order: all that a redraw or a re-derivation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocated {
    /// The family.
    pub family: FamilyIx,
    /// Epoch.
    pub epoch: u32,
    /// Stratum.
    pub stratum: u32,
    /// Cell of the balancing factors; 0 if the method balances none.
    pub cell: u32,
    /// Number within stratum and epoch, from 0.
    pub draw: u32,
    /// The arm.
    pub arm: Arm,
}

/// An exception, for the caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exempted {
    /// The family.
    pub family: FamilyIx,
    /// Where.
    pub site: SiteIx,
    /// Day of recording.
    pub day: Day,
}

/// A row that says that two families, or two pseudonyms of a child, are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRow {
    /// Sequence of the event.
    pub sequence: u64,
    /// The unit, or the child's family.
    pub family: FamilyIx,
    /// The other name or the later draw; the family itself, of a child's pseudonyms and of an erased row.
    pub other: FamilyIx,
    /// Whether a correction retracted it: the fold then leaves it out from the beginning.
    pub retracted: bool,
}

/// A lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockState {
    /// Index in the protocol.
    pub lock: u16,
    /// Cut date, inclusive.
    pub cut: Day,
    /// Sequence of the event: the lock is the ledger up to it.
    pub sequence: u64,
}

/// The state of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Number of events applied; the sequence of the last one.
    pub sequence: u64,
    /// Current epoch.
    pub epoch: u32,
    /// Epochs until the current one, by number.
    pub epochs: Vec<EpochState>,
    /// Families, by [`FamilyIx`].
    pub families: Table<Family>,
    /// Children, by [`ChildIx`].
    pub children: Table<Child>,
    /// Reports, by [`ReportIx`].
    pub reports: Table<ReportState>,
    /// Children whom intake named with reports, in ledger order.
    pub named: Table<NamedChild>,
    /// Sightings of reports outside intake, in ledger order.
    pub sightings: Table<Sighting>,
    /// Occurrences in ledger order.
    pub occurrences: Table<Occurrence>,
    /// Moves to an arm's service in ledger order.
    pub switches: Vec<Switch>,
    /// Families that a closed gate turned away, at the first time, in ledger order.
    pub turned_away: Vec<TurnedAway>,
    /// Screenings of reports other than a family's last one, in ledger order.
    pub earlier: Vec<EarlierScreening>,
    /// Sites, by [`SiteIx`].
    pub sites: Vec<SiteState>,
    /// Allocations in ledger order.
    pub allocations: Vec<Allocated>,
    /// Draws so far in each stratum of the current epoch.
    pub draws: Vec<u32>,
    /// Exceptions in ledger order.
    pub exceptions: Vec<Exempted>,
    /// Families found to be one: the unit, and the later draw or other name. No unit is linked to another one.
    pub links: Vec<(FamilyIx, FamilyIx)>,
    /// Rows that linked families or children, in ledger order.
    pub link_rows: Vec<LinkRow>,
    /// When sites began and stopped enrolling, in ledger order; empty before the study is opened.
    pub enrolling: Vec<SiteChange>,
    /// Changes of gates in ledger order.
    pub gates: Vec<GateChange>,
    /// Locks in ledger order.
    pub locks: Vec<LockState>,
    /// Families whose payloads were erased, in ledger order.
    pub erased: Vec<FamilyIx>,
    /// Whether the final lock has closed enrolment.
    pub closed: bool,
    /// Whether the seeds have been published.
    pub revealed: bool,
    /// Slots per therapist; 0 without a gate.
    pub(super) slots_per_therapist: u32,
    /// Whether there is a gate.
    pub(super) gated: bool,
    /// Last day recorded.
    pub last_day: Day,
}

impl State {
    /// The state of a study before its first event.
    pub fn new(protocol: &Protocol) -> Self {
        let mut state = Self {
            sequence: 0,
            epoch: 0,
            epochs: Vec::new(),
            families: Table::new(),
            children: Table::new(),
            reports: Table::new(),
            named: Table::new(),
            sightings: Table::new(),
            occurrences: Table::new(),
            switches: Vec::new(),
            turned_away: Vec::new(),
            earlier: Vec::new(),
            sites: Vec::new(),
            allocations: Vec::new(),
            draws: Vec::new(),
            exceptions: Vec::new(),
            links: Vec::new(),
            link_rows: Vec::new(),
            enrolling: Vec::new(),
            gates: Vec::new(),
            locks: Vec::new(),
            erased: Vec::new(),
            closed: false,
            revealed: false,
            slots_per_therapist: 0,
            gated: false,
            last_day: Day(i32::MIN),
        };
        state.restart(protocol);
        state
    }

    /// Back to before the first event, keeping the tables' memory for the next simulated study.
    pub fn restart(&mut self, protocol: &Protocol) {
        self.sequence = 0;
        self.epoch = 0;
        self.epochs.clear();
        self.epochs.push(EpochState::opened(Day(i32::MIN)));
        self.families.clear();
        self.children.clear();
        self.reports.clear();
        self.named.clear();
        self.sightings.clear();
        self.occurrences.clear();
        self.switches.clear();
        self.turned_away.clear();
        self.earlier.clear();
        self.allocations.clear();
        self.exceptions.clear();
        self.links.clear();
        self.link_rows.clear();
        self.enrolling.clear();
        self.gates.clear();
        self.locks.clear();
        self.erased.clear();
        self.closed = false;
        self.revealed = false;
        self.last_day = Day(i32::MIN);
        let first = protocol.in_epoch(0);
        self.sites.clear();
        self.sites.extend(first.sites.iter().map(SiteState::of));
        self.draws.clear();
        self.draws.resize(first.strata(), 0);
        self.gated = protocol.gate.is_some();
        self.slots_per_therapist = protocol
            .gate
            .as_ref()
            .map_or(0, |gate| gate.families_per_therapist);
    }

    /// Whether the value of the current epoch's public round is recorded.
    pub fn beacon(&self) -> bool {
        self.epochs.last().is_some_and(|own| own.beacon.is_some())
    }

    /// Takes the value of the current epoch's public round as recorded on a day.
    pub(crate) fn record_beacon(&mut self, day: Day) {
        if let Some(own) = self.epochs.last_mut() {
            own.beacon = Some(day);
        }
    }

    /// Whether a site's gate is open: there is no gate, or a slot is free.
    pub fn gate_open(&self, site: SiteIx) -> bool {
        let site = &self.sites[usize::from(site.0)];
        !self.gated || site.taken < site.therapists.saturating_mul(self.slots_per_therapist)
    }

    /// Slots of a site that are free; 0 without a gate.
    pub fn free_slots(&self, site: SiteIx) -> u32 {
        let own = self.sites.get(usize::from(site.0));
        own.map_or(0, |own| {
            own.therapists
                .saturating_mul(self.slots_per_therapist)
                .saturating_sub(own.taken)
        })
    }

    /// Families randomized.
    pub fn randomized(&self) -> usize {
        self.allocations.len()
    }

    /// The lock of an index of the protocol, if it has been made.
    pub fn lock(&self, lock: u16) -> Option<&LockState> {
        self.locks.iter().find(|made| made.lock == lock)
    }

    /// A family, if the ledger names it.
    pub fn family(&self, family: FamilyIx) -> Option<&Family> {
        self.families.get(family.0 as usize)
    }

    /// Occurrences of a family that no correction retracted, latest first.
    pub fn occurrences_of(&self, family: FamilyIx) -> impl Iterator<Item = &Occurrence> {
        self.recorded_of(family)
            .filter(|occurrence| !occurrence.retracted)
    }

    /// Occurrences of a family as they were recorded, latest first, those too that a correction retracted: the gate saw them.
    pub fn recorded_of(&self, family: FamilyIx) -> impl Iterator<Item = &Occurrence> {
        let mut place = self.family(family).map_or(0, |own| own.last_occurrence);
        std::iter::from_fn(move || {
            let occurrence = self.occurrences.get(place.checked_sub(1)? as usize)?;
            place = occurrence.previous;
            Some(occurrence)
        })
    }

    /// Whether earlier screenings of a report, taken together with one that gives these answers and values, differ: a
    /// report that was ever screened in two ways stays changed, whichever of them comes again.
    pub fn changed(
        &self,
        family: FamilyIx,
        report: ReportIx,
        answers: u64,
        values: &Values,
    ) -> bool {
        let Some(own) = self.family(family).filter(|own| own.screenings > 0) else {
            return false;
        };
        if own.report == report {
            return own.report_changed || own.answers != answers || own.values != *values;
        }
        let mut place = own.earlier;
        std::iter::from_fn(|| {
            let earlier = self.earlier.get(place.checked_sub(1)? as usize)?;
            place = earlier.previous;
            Some(earlier)
        })
        .find(|earlier| earlier.report == report)
        .is_some_and(|earlier| {
            earlier.changed || earlier.answers != answers || earlier.values != *values
        })
    }

    /// The true value of a field, or of the site ([`Truth::SITE`]), at randomization: the one that the family was drawn with, unless a violation that
    /// stands says that it was another.
    pub fn true_value(&self, family: FamilyIx, field: usize) -> Option<i64> {
        let own = self.family(family)?;
        let drawn = if field == usize::from(Truth::SITE) {
            i64::from(own.site.0)
        } else {
            own.values.get(field).copied()?
        };
        if !own.mistaken {
            return Some(drawn);
        }
        let truth = self
            .occurrences_of(family)
            .find_map(|occurrence| match occurrence.what {
                Occurred::Violation { truth, .. } => {
                    truth.filter(|truth| usize::from(truth.field) == field)
                }
                _ => None,
            });
        Some(truth.map_or(drawn, |truth| truth.value))
    }

    /// Reports of a family that no correction retracted, latest named first.
    pub fn reports_of(&self, family: FamilyIx) -> impl Iterator<Item = (ReportIx, &ReportState)> {
        let mut place = self.family(family).map_or(0, |own| own.last_report);
        std::iter::from_fn(move || {
            let index = place.checked_sub(1)?;
            let report = self.reports.get(index as usize)?;
            place = report.previous;
            Some((ReportIx(index), report))
        })
        .filter(|(_, report)| !report.retracted)
    }
}
