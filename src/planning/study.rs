//! One simulated study: a world's families go through the kernel in calendar order, data are locked, and the
//! registered analyses are run.
//!
//! Decisions are the kernel's, arms its drawer's, estimates those of `analysis`; who is screened when, and what follows
//! for a family, is `admission`. A [`Simulator`] keeps its memory from study to study; after the first few nothing is
//! asked of the heap per family. Where a protocol has a gate and a randomization test decides, each study has a *twin*
//! in which the treated service has no effect on anybody and all else is the same: how often the test rejects there is
//! its size, which the gate leaves approximate.

use super::admission::Waiting;
use super::analyst::Analyst;
use super::arrivals::{Keys, ReportDay, Site, StaffChange, Streams, open_days};
use super::calendar::{Calendar, Due, Months};
use super::mechanisms::quantiles::KeptLaws;
use super::predictability::Follower;
use super::rehearsal::Step;
use super::scenario::Cell;
use super::sizing::Sizing;
use super::world::{Fate, Received};
use crate::allocation::Redraw;
use crate::numerics::stream;
use crate::protocol::model::{Check, Cut, Day};
use crate::study::kernel::{
    ArmSource, Drawer, Enrolment, FamilyIx, RecordedSource, RedrawSource, Refusal, ReportIx,
    Roster, SiteIx, State, Values,
};
use std::collections::{BTreeMap, VecDeque};

pub use super::record::{AnalysisRecord, Found, Record};

/// Whether studies have a twin without an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twin {
    /// No test's size is asked for.
    No,
    /// The study is one itself.
    Itself,
    /// It is run beside it.
    Beside,
}

/// Steps, record, and index and cut of each lock.
pub(super) type Logged = (Vec<Step>, Record, Vec<(usize, Day)>);

/// Whether the looks at a monitored analysis are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// As in a study.
    Held,
    /// In a rehearsal, whose locks come after all of it.
    Left,
}

/// Runs the studies of one cell, one after the other.
#[derive(Debug)]
pub struct Simulator<'c> {
    pub(super) cell: &'c Cell,
    pub(super) keys: Keys,
    /// Open days of each site, counted from the first opening.
    open_days: Vec<Vec<i32>>,
    pub(super) first: Day,
    last: Day,
    months: Months,
    /// Last day of enrolment in the present study.
    pub(super) ended: Day,
    horizon: usize,
    /// Answers of a family that misses no asked criterion.
    pub(super) answers: u64,
    /// The request at hand.
    pub(super) enrolment: Enrolment,
    pub(super) state: State,
    pub(super) drawer: Drawer<ArmSource>,
    /// What is asked of the study, where somebody wants to know.
    pub(super) log: Option<Vec<Step>>,
    pub(super) calendar: Calendar,
    pub(super) sites: Vec<Site>,
    /// Families at a closed gate, by site, in the order in which they came.
    pub(super) waiting: Vec<VecDeque<Waiting>>,
    pub(super) report_days: Vec<ReportDay>,
    /// Changes of staff, and the first of each site.
    pub(super) staff: Vec<StaffChange>,
    pub(super) staff_from: Vec<usize>,
    /// Slots in use by site, and who uses one, where there is no gate and slots matter all the same.
    pub(super) busy: Vec<u32>,
    pub(super) holds: Vec<bool>,
    /// Therapist pairs that have closed an investigation, by site, place and crew: their numbers as deliverers.
    pub(super) pairs: BTreeMap<(u16, (u32, u32)), u32>,
    /// Whether an analysis goes by who delivered.
    pub(super) delivers: bool,
    pub(super) follower: Follower,
    /// What would happen to every randomized family under control and each treated arm, in the order of the draws: one fate for each
    /// treated arm.
    pub(super) fates: Vec<(FamilyIx, Fate)>,
    /// Values of the analysed outcomes under allocation to control and to treatment: of every randomized family, in the
    /// order of the draws, one pair per comparison.
    pub(super) potentials: Vec<[f64; 2]>,
    /// Sums of differences of potential outcomes, one per comparison.
    pub(super) truths: Vec<f64>,
    /// For each analysis the first one with the same outcome and summary, whose potential values are its own too.
    pub(super) alike: Vec<usize>,
    /// Laws of numbers of reports that families had before.
    pub(super) laws: KeptLaws,
    /// Whether a truth depends on the days of every family's reports.
    pub(super) by_days: bool,
    /// Families randomized in each month.
    pub(super) reached: Vec<u32>,
    pub(super) draws: u32,
    /// Numbers of reports of a family under control and each treated arm.
    pub(super) counted: Vec<u32>,
    /// Whether the treated service has no effect in the study that is run at the moment.
    pub(super) without_effect: bool,
    /// For each comparison whether the size of its test is asked for.
    sized: Vec<bool>,
    /// For each whether that of all with which its p is adjusted is, by redraws that they share or with contrasts, so that it is in
    /// the twin too.
    jointly_sized: Vec<bool>,
    null_replicates: u64,
    pub(super) analyst: Analyst,
}

impl<'c> Simulator<'c> {
    /// A simulator of a cell. Cells that share families share them for the same seed. A cell with priors is run as it is
    /// in a replicate: [`Cell::in_replicate`].
    pub fn new(cell: &'c Cell, seed: u64) -> Self {
        let (protocol, scenario) = (&cell.protocol, &cell.scenario);
        let keys = Keys::new(seed, cell.group());
        let (open_days, last) = open_days(&scenario.world, protocol);
        let first = protocol.first_opening();
        let grace = protocol
            .locks
            .iter()
            .map(|lock| match lock.cut {
                Cut::AfterLastWindow { grace_days } => grace_days,
                Cut::On(_) => 0,
            })
            .max()
            .unwrap_or(0);
        let after = protocol.last_window().max(scenario.world.window.1) + grace + 2;
        let answers = protocol
            .criteria
            .iter()
            .enumerate()
            .fold(0, |bits, (index, criterion)| match &criterion.check {
                Check::Ask { include_if, .. } => bits | u64::from(*include_if) << index,
                Check::Rule { .. } => bits,
            });
        let kind = |index: &usize| &protocol.outcomes[protocol.analyses[*index].outcome].kind;
        let by_days = |index: &usize| scenario.world.counts_days(kind(index));
        let sized = |index: &usize| Sizing::of(protocol, scenario, *index) == Sizing::Shown;
        let alike = |index: &usize| {
            let of = |index: usize| {
                let own = &protocol.analyses[index];
                (own.outcome, own.summary)
            };
            let mut all = scenario.analyses.iter();
            all.position(|own| of(*own) == of(*index)).unwrap_or(0)
        };
        let months = Months::new(first, last);
        let sites = protocol.sites.len();
        let analyst = Analyst::new(protocol, &scenario.analyses);
        let sized: Vec<bool> = scenario.comparisons().map(|(own, _)| sized(&own)).collect();
        let jointly_sized = |place| {
            let own = analyst.beside(place);
            own.is_some_and(|all| all.iter().all(|place| sized[*place]))
        };
        Self {
            jointly_sized: (0..sized.len()).map(jointly_sized).collect(),
            cell,
            open_days,
            first,
            last,
            ended: last,
            horizon: (last.since(first) + 1 + after).max(0) as usize,
            answers,
            enrolment: Enrolment {
                family: FamilyIx(0),
                site: SiteIx(0),
                report: ReportIx(0),
                received: first,
                children: Roster::EMPTY,
                answers,
                values: Values::default(),
                exception: None,
            },
            state: State::new(protocol),
            drawer: Drawer::new(ArmSource::Replicate(Box::new(RedrawSource(Redraw::new(
                &keys.arms, 0,
            ))))),
            log: None,
            calendar: Calendar::default(),
            sites: Vec::new(),
            waiting: vec![VecDeque::new(); sites],
            report_days: Vec::new(),
            staff: Vec::new(),
            staff_from: Vec::new(),
            busy: vec![0; sites],
            holds: Vec::new(),
            pairs: BTreeMap::new(),
            delivers: scenario
                .analyses
                .iter()
                .any(|index| protocol.analyses[*index].clusters.is_some()),
            follower: Follower::new(protocol),
            fates: Vec::new(),
            potentials: Vec::new(),
            truths: vec![0.0; scenario.comparisons().count()],
            alike: scenario.analyses.iter().map(alike).collect(),
            laws: KeptLaws::new(),
            by_days: scenario.analyses.iter().any(by_days),
            reached: vec![0; months.ends.len()],
            months,
            analyst,
            draws: scenario.precision.draws,
            counted: Vec::new(),
            without_effect: false,
            sized,
            null_replicates: scenario.precision.null_replicates,
            keys,
        }
    }

    /// With another number of redraws per randomization test than the scenario's; 0 leaves the test out.
    #[must_use]
    pub fn with_draws(mut self, draws: u32) -> Self {
        self.draws = draws;
        self
    }

    /// The last days of the calendar months in which families are counted.
    pub fn month_ends(&self) -> &[Day] {
        &self.months.ends
    }

    /// One whole study. The same replicate is the same study whatever else is run.
    ///
    /// # Errors
    /// The kernel refused what a world must be able to do: a defect of the program.
    pub fn study(&mut self, replicate: u64) -> Result<Record, Refusal> {
        let twin = self.twin(replicate);
        let beside = if twin == Twin::Beside {
            // Before the study itself, whose state stays to be looked at.
            self.without_effect = true;
            let found = self.whole(replicate);
            self.without_effect = false;
            Some(found?)
        } else {
            None
        };
        let mut record = self.whole(replicate)?;
        for (place, own) in record.analyses.iter_mut().enumerate() {
            if twin == Twin::No || !self.sized[place] {
                continue;
            }
            let twin = match &beside {
                Some(twin) => &twin.analyses[place],
                None => own,
            };
            let alone = twin.deciding();
            own.under_null = Some(if self.jointly_sized[place] {
                alone.map(|p| twin.joint.map_or(1.0, |joint| joint.max(p)))
            } else {
                alone
            });
        }
        Ok(record)
    }

    fn twin(&self, replicate: u64) -> Twin {
        if self.draws == 0 || replicate >= self.null_replicates {
            return Twin::No;
        }
        let world = &self.cell.scenario.world;
        let asked = self.sized.iter().zip(&self.cell.is_null);
        let mut asked = asked.filter(|(sized, _)| **sized).peekable();
        if asked.peek().is_none() {
            Twin::No
        } else if world.family.icc_pair <= 0.0 && !world.misses && asked.all(|(_, null)| *null) {
            Twin::Itself
        } else {
            Twin::Beside
        }
    }

    fn whole(&mut self, replicate: u64) -> Result<Record, Refusal> {
        self.live(replicate)?;
        self.lock()?;
        Ok(self.record(replicate))
    }

    /// Enrolment and follow-up: everything before the lock.
    ///
    /// # Errors
    /// As [`Simulator::study`].
    pub fn live(&mut self, replicate: u64) -> Result<(), Refusal> {
        let arms = self.arms(replicate);
        self.live_from(replicate, arms, Watch::Held)
    }

    /// Enrolment and follow-up with the arms of a recorded seed, as the steps that the study's staff would take.
    ///
    /// # Errors
    /// As [`Simulator::study`].
    pub fn steps(&mut self, replicate: u64, arms: RecordedSource) -> Result<Vec<Step>, Refusal> {
        self.log = Some(Vec::new());
        self.live_from(replicate, ArmSource::Recorded(Box::new(arms)), Watch::Left)?;
        Ok(self.log.take().unwrap_or_default())
    }

    /// The arms of a replicate.
    pub(super) fn arms(&self, replicate: u64) -> ArmSource {
        let arms = Redraw::new(&self.keys.arms, replicate);
        ArmSource::Replicate(Box::new(RedrawSource(arms)))
    }

    /// One whole study, with the steps that its staff would take and the cuts of its locks.
    pub(super) fn logged(&mut self, replicate: u64) -> Result<Logged, Refusal> {
        self.log = Some(Vec::new());
        self.live(replicate)?;
        let steps = self.log.take().unwrap_or_default();
        self.lock()?;
        let record = self.record(replicate);
        let made = self.state.locks.iter();
        let mut locks: Vec<(usize, Day)> = made
            .map(|made| (usize::from(made.lock), made.cut))
            .collect();
        locks.sort_unstable();
        Ok((steps, record, locks))
    }

    fn live_from(&mut self, replicate: u64, arms: ArmSource, watch: Watch) -> Result<(), Refusal> {
        let protocol = &self.cell.protocol;
        let world = &self.cell.scenario.world;
        self.state.restart(protocol);
        // A simulated study has its public round, if it waits for one, before the first family.
        self.state.record_beacon(Day(i32::MIN));
        self.drawer.restart(arms);
        let mut redraws = stream::replicate(&self.keys.looks, replicate);
        if let Some(monitor) = &mut self.analyst.monitor {
            monitor.restart();
        }
        let watched = watch == Watch::Held && self.analyst.monitor.is_some();
        self.calendar.restart(self.horizon);
        self.truths.fill(0.0);
        self.fates.clear();
        self.potentials.clear();
        self.reached.fill(0);
        self.busy.fill(0);
        self.holds.clear();
        self.pairs.clear();
        self.waiting.iter_mut().for_each(VecDeque::clear);
        let mut sites = std::mem::take(&mut self.sites);
        world.sites(&self.keys, replicate, &self.open_days, &mut sites);
        self.staff(replicate);
        let mut streams = Streams::new(&self.keys, replicate);
        let mut enrolling = true;
        let mut ended = false;
        self.ended = self.last;
        let last = self.last.since(self.first);
        let exceptions = protocol.exceptions.reasons.len();
        let earliest = |sites: &[Site]| sites.iter().map(|site| site.next).min();
        let mut next = earliest(&sites).unwrap_or(i32::MAX);
        for offset in 0..self.horizon {
            let day = self.first.plus(offset as i32);
            while let Some((family, due)) = self.calendar.take(offset) {
                self.happen(family, due, day)?;
            }
            if !enrolling {
                if self.calendar.is_empty() {
                    break;
                }
                if watched {
                    self.look_on(Some(day), false, &mut redraws)?;
                }
                continue;
            }
            if !watched && (offset as i32) < next && self.waiting.iter().all(VecDeque::is_empty) {
                // Nobody comes on this day.
                enrolling = next != i32::MAX && (offset as i32) < last;
                continue;
            }
            enrolling = false;
            for (index, site) in sites.iter_mut().enumerate() {
                let place = (index, offset as i32, day, site.added);
                if !self.waiting[index].is_empty() && !self.readmit(&mut streams, place)? {
                    ended = true;
                    break;
                }
                while site.next == offset as i32 {
                    let values = &mut self.enrolment.values;
                    let open_days = &self.open_days[index];
                    let arrival = site.arrive(world, exceptions, open_days, values);
                    if !self.arrive(&mut streams, place, &arrival)? {
                        ended = true;
                        break;
                    }
                }
                let comes = site.next != i32::MAX || !self.waiting[index].is_empty();
                enrolling |= comes && (offset as i32) < last;
            }
            next = earliest(&sites).unwrap_or(i32::MAX);
            let goes_on = enrolling && !ended;
            if watched && self.look_on(Some(day), goes_on, &mut redraws)? {
                ended = true;
            }
            if ended {
                // Who would have come later is never screened.
                enrolling = false;
                self.ended = day;
            }
        }
        if watched {
            self.look_on(None, false, &mut redraws)?;
        }
        self.sites = sites;
        Ok(())
    }

    /// Draws who leaves when among the staff, and puts it on the calendar.
    fn staff(&mut self, replicate: u64) {
        let Cell {
            protocol, scenario, ..
        } = self.cell;
        let therapists = protocol.sites.iter().map(|site| site.therapists);
        let last = self.last.since(self.first);
        scenario.world.staff(
            &self.keys,
            replicate,
            therapists,
            last,
            (&mut self.staff, &mut self.staff_from),
        );
        for (place, change) in self.staff.iter().enumerate() {
            if change.day <= last {
                self.calendar
                    .schedule(change.day, FamilyIx(place as u32), Due::Staff);
            }
        }
    }

    /// What the random numbers of a study's families cost by themselves: the floor of a simulation's speed. Every
    /// family is taken for randomized. Returns a sum, so that the work cannot be left out.
    pub fn floor(&mut self, replicate: u64) -> f64 {
        let world = &self.cell.scenario.world;
        let exceptions = self.cell.protocol.exceptions.reasons.len();
        let mut sites = std::mem::take(&mut self.sites);
        world.sites(&self.keys, replicate, &self.open_days, &mut sites);
        let mut streams = Streams::new(&self.keys, replicate);
        let (mut sum, mut values) = (0.0, Values::default());
        for (index, site) in sites.iter_mut().enumerate() {
            while site.next != i32::MAX {
                let open_days = &self.open_days[index];
                let arrival = site.arrive(world, exceptions, open_days, &mut values);
                let (place, own) = ((index, 2, site.added), (&arrival, &values));
                let fate = world.fate(&mut streams, place, own, 0.0, |_| 0);
                let days = &mut self.report_days;
                let count = world.reports(&fate, Received::Control);
                streams.report_days((index, arrival.ordinal), world.window, count, days);
                sum += f64::from(fate.closed.iter().sum::<i32>()) + days.len() as f64;
            }
        }
        self.sites = sites;
        sum
    }

    /// The state of the last study, for tests and pictures.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What would happen to each randomized family of the last study, in the order of the draws: under the control service and
    /// that of each treated arm, one after the other.
    pub fn fates(&self) -> &[(FamilyIx, Fate)] {
        &self.fates
    }

    /// Values of the analysed outcomes under allocation to control and to treatment, were the family followed to the end:
    /// of every randomized family of the last study, in the order of the draws, one pair per comparison.
    pub fn potentials(&self) -> impl Iterator<Item = &[[f64; 2]]> {
        self.potentials.chunks(self.truths.len().max(1))
    }

    pub(super) fn month(&self, offset: i32) -> Option<usize> {
        self.months.of(offset)
    }
}
