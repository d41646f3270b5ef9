//! One simulated study: a world's families go through the kernel in calendar order, data are locked, and the
//! registered analyses are run.
//!
//! Decisions are the kernel's, arms its drawer's, estimates those of `analysis`. A [`Simulator`] keeps its memory from
//! study to study; after the first few nothing is asked of the heap per family.

use super::analyst::Analyst;
use super::calendar::{Calendar, Due};
use super::predictability::Follower;
use super::rehearsal::Step;
use super::scenario::{Cell, Shared};
use super::world::{Arrival, Keys, Received, Site, Streams, open_days};
use crate::allocation::Redraw;
use crate::numerics::stream;
use crate::protocol::model::{Check, Cut, Day, Exit, Service};
use crate::study::kernel::{
    Answer, ArmSource, ChildIx, Command, Drawer, Enrolment, Event, FamilyIx, RecordedSource,
    RedrawSource, Refusal, Report, ReportIx, Roster, SiteIx, Source, State, What, apply, decide,
    may_record,
};

/// What one simulated study gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Families randomized.
    pub families: u32,
    /// Families screened.
    pub screened: u32,
    /// Families that met a closed gate.
    pub turned_away: u32,
    /// Days of enrolment, from the first opening to the last day of enrolment, both counted.
    pub enrolment_days: u32,
    /// Whole days on which a gate was closed during enrolment, over all sites.
    pub days_closed: u32,
    /// Share of arms guessed correctly; `None` where nobody was randomized.
    pub correct_guess_share: Option<f64>,
    /// Largest imbalance over strata at the end.
    pub imbalance: f64,
    /// One per analysis, in the scenario's order.
    pub analyses: Vec<AnalysisRecord>,
}

/// What one analysis of a simulated study gives.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisRecord {
    /// The estimand's true value in this study: the mean over the randomized families of the difference between their
    /// potential outcomes, were every family followed to the end.
    pub truth: f64,
    /// The numbers, or the stable code of why there are none.
    pub found: Result<Found, &'static str>,
}

impl AnalysisRecord {
    /// Whether the analysis rejects at a limit of its p-value; a failure does not.
    pub fn rejects(&self, limit: f64) -> bool {
        matches!(&self.found, Ok(found) if found.p_value <= limit)
    }
}

/// The numbers of an analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Estimate.
    pub estimate: f64,
    /// Standard error.
    pub std_error: f64,
    /// Lower limit.
    pub conf_low: f64,
    /// Upper limit.
    pub conf_high: f64,
    /// The p-value that decides.
    pub p_value: f64,
}

/// Steps, record, and index and cut of each lock.
pub(super) type Logged = (Vec<Step>, Record, Vec<(usize, Day)>);

/// Runs the studies of one cell, one after the other.
#[derive(Debug)]
pub struct Simulator<'c> {
    cell: &'c Cell,
    keys: Keys,
    /// Open days of each site, counted from the first opening.
    open_days: Vec<Vec<i32>>,
    first: Day,
    last: Day,
    /// Last day of enrolment in the present study.
    ended: Day,
    horizon: usize,
    /// Answers of a family that misses no asked criterion.
    answers: u64,
    state: State,
    drawer: Drawer<ArmSource>,
    /// What is asked of the study, where somebody wants to know.
    log: Option<Vec<Step>>,
    calendar: Calendar,
    sites: Vec<Site>,
    report_days: Vec<i32>,
    follower: Follower,
    /// Sums of differences of potential outcomes, one per analysis.
    truths: Vec<f64>,
    locks: Vec<usize>,
    draws: u32,
    analyst: Analyst,
}

impl<'c> Simulator<'c> {
    /// A simulator of a cell. Cells that share families share them for the same seed.
    pub fn new(cell: &'c Cell, seed: u64) -> Self {
        let (protocol, scenario) = (&cell.protocol, &cell.scenario);
        let group = match scenario.shared {
            Shared::Families => "",
            Shared::Nothing => cell.id.as_str(),
        };
        let keys = Keys::new(seed, group);
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
        let mut locks: Vec<usize> = scenario
            .analyses
            .iter()
            .map(|index| protocol.analyses[*index].lock)
            .collect();
        locks.sort_unstable();
        locks.dedup();
        Self {
            cell,
            open_days,
            first,
            last,
            ended: last,
            horizon: (last.since(first) + 1 + after).max(0) as usize,
            answers,
            state: State::new(protocol),
            drawer: Drawer::new(ArmSource::Replicate(Box::new(RedrawSource(Redraw::new(
                &keys.arms, 0,
            ))))),
            log: None,
            calendar: Calendar::default(),
            sites: Vec::new(),
            report_days: Vec::new(),
            follower: Follower::new(protocol),
            truths: vec![0.0; scenario.analyses.len()],
            analyst: Analyst::new(protocol, &scenario.analyses, &locks),
            locks,
            draws: scenario.precision.draws,
            keys,
        }
    }

    /// With another number of redraws per randomization test than the scenario's; 0 leaves the test out.
    #[must_use]
    pub fn with_draws(mut self, draws: u32) -> Self {
        self.draws = draws;
        self
    }

    /// One whole study. The same replicate is the same study whatever else is run.
    ///
    /// # Errors
    /// The kernel refused what a world must be able to do: a defect of the program.
    pub fn study(&mut self, replicate: u64) -> Result<Record, Refusal> {
        self.live(replicate)?;
        let cuts = self.lock()?;
        Ok(self.record(replicate, &cuts))
    }

    /// Enrolment and follow-up: everything before the lock.
    ///
    /// # Errors
    /// As [`Simulator::study`].
    pub fn live(&mut self, replicate: u64) -> Result<(), Refusal> {
        let arms = self.arms(replicate);
        self.live_from(replicate, arms)
    }

    /// Enrolment and follow-up with the arms of a recorded seed, as the steps that the study's staff would take.
    ///
    /// # Errors
    /// As [`Simulator::study`].
    pub fn steps(&mut self, replicate: u64, arms: RecordedSource) -> Result<Vec<Step>, Refusal> {
        self.log = Some(Vec::new());
        self.live_from(replicate, ArmSource::Recorded(Box::new(arms)))?;
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
        let cuts = self.lock()?;
        let record = self.record(replicate, &cuts);
        Ok((
            steps,
            record,
            self.locks.iter().copied().zip(cuts).collect(),
        ))
    }

    fn live_from(&mut self, replicate: u64, arms: ArmSource) -> Result<(), Refusal> {
        let protocol = &self.cell.protocol;
        let world = &self.cell.scenario.world;
        self.state.restart(protocol);
        // A simulated study has its public round, if it waits for one, before the first family.
        self.state.beacon = true;
        self.drawer.restart(arms);
        self.calendar.restart(self.horizon);
        self.truths.fill(0.0);
        let mut sites = std::mem::take(&mut self.sites);
        world.sites(&self.keys, replicate, &self.open_days, &mut sites);
        let mut streams = Streams::new(&self.keys, replicate);
        let mut enrolling = true;
        let mut ended = false;
        self.ended = self.last;
        let exceptions = protocol.exceptions.reasons.len();
        for offset in 0..self.horizon {
            let day = self.first.plus(offset as i32);
            while let Some((family, due)) = self.calendar.take(offset) {
                self.happen(family, due, day)?;
            }
            if !enrolling {
                if self.calendar.is_empty() {
                    break;
                }
                continue;
            }
            enrolling = false;
            for (index, site) in sites.iter_mut().enumerate() {
                while site.next == offset as i32 {
                    let arrival = site.arrive(world, exceptions, &self.open_days[index]);
                    if !self.arrive(&mut streams, (index, offset as i32, day), &arrival)? {
                        ended = true;
                        break;
                    }
                }
                enrolling |= site.next != i32::MAX;
            }
            if ended {
                // Who would have come later is never screened.
                enrolling = false;
                self.ended = day;
            }
        }
        self.sites = sites;
        Ok(())
    }

    /// What the random numbers of a study's families cost by themselves: the floor of a simulation's speed. Every
    /// family is taken for randomized. Returns a sum, so that the work cannot be left out.
    pub fn floor(&mut self, replicate: u64) -> f64 {
        let world = &self.cell.scenario.world;
        let exceptions = self.cell.protocol.exceptions.reasons.len();
        let mut sites = std::mem::take(&mut self.sites);
        world.sites(&self.keys, replicate, &self.open_days, &mut sites);
        let mut streams = Streams::new(&self.keys, replicate);
        let mut sum = 0.0;
        for (index, site) in sites.iter_mut().enumerate() {
            while site.next != i32::MAX {
                let arrival = site.arrive(world, exceptions, &self.open_days[index]);
                let fate = world.fate(&mut streams, (index, 2), &arrival, 0.0);
                let days = &mut self.report_days;
                let count = world.reports(&fate, Received::Control);
                world.report_days(&mut streams, (index, arrival.ordinal), count, days);
                sum += f64::from(fate.closed.iter().sum::<i32>()) + days.len() as f64;
            }
        }
        self.sites = sites;
        sum
    }

    fn happen(&mut self, family: FamilyIx, due: Due, day: Day) -> Result<(), Refusal> {
        let what = match due {
            Due::Service(service) => What::Serviced {
                family,
                service,
                on: day,
                arm: (service == Service::Switched).then_some(self.cell.scenario.world.treated),
            },
            Due::Report => What::Reported(Report {
                family,
                report: ReportIx(self.state.reports.len() as u32),
                received: day,
                source: Source::Register,
                incident: None,
                child: None,
                unknown_child: false,
                attached: None,
                by_study_staff: false,
            }),
            Due::Left => What::Exited {
                family,
                exit: Exit::LeftCoverage,
                on: day,
            },
        };
        may_record(&self.state, &what, day)?;
        let event = Event { day, what: &what };
        apply(&self.cell.protocol, &mut self.state, &event);
        if let Some(log) = &mut self.log {
            log.push(Step {
                day,
                command: Command::Record(what),
                answer: None,
            });
        }
        Ok(())
    }

    /// Screens a family; `false` when enrolment has ended as registered.
    fn arrive(
        &mut self,
        streams: &mut Streams,
        (site, offset, day): (usize, i32, Day),
        arrival: &Arrival,
    ) -> Result<bool, Refusal> {
        let mut children = Roster::EMPTY;
        for child in 0..arrival.children {
            children.push(ChildIx((self.state.children.len() + child) as u32));
        }
        let family = FamilyIx(self.state.families.len() as u32);
        let enrolment = Command::Enrol(Enrolment {
            family,
            site: SiteIx(site as u16),
            report: ReportIx(self.state.reports.len() as u32),
            received: day,
            children,
            answers: self.answers,
            values: arrival.values,
            exception: arrival.exception,
        });
        let decided = decide(
            &self.cell.protocol,
            &self.state,
            &enrolment,
            day,
            &mut self.drawer,
        );
        // Looked at where it lies: it is copied some ten thousand times a second otherwise.
        let decision = match &decided {
            Ok(decision) => decision,
            Err(Refusal::TargetReached | Refusal::PastLastDay { .. }) => return Ok(false),
            Err(refusal) => return Err(*refusal),
        };
        for what in decision.events.iter().flatten() {
            let event = Event { day, what };
            apply(&self.cell.protocol, &mut self.state, &event);
        }
        if let Some(log) = &mut self.log {
            log.push(Step {
                day,
                command: enrolment,
                answer: Some(decision.answer),
            });
        }
        if let Answer::Allocated { arm, .. } = decision.answer {
            let is_treated = arm == self.cell.scenario.world.treated;
            self.follow_up(streams, (site, offset), family, arrival, is_treated);
        }
        Ok(true)
    }

    /// Draws the fate of a randomized family, keeps the difference of its potential outcomes, and schedules what will
    /// be seen under the arm that it has.
    fn follow_up(
        &mut self,
        streams: &mut Streams,
        (site, offset): (usize, i32),
        family: FamilyIx,
        arrival: &Arrival,
        is_treated: bool,
    ) {
        let (protocol, scenario) = (&self.cell.protocol, &self.cell.scenario);
        let world = &scenario.world;
        let therapists = self.state.sites[site].therapists;
        let years = f64::from(offset) / 365.25;
        let fate = world.fate(streams, (site, therapists), arrival, years);
        for (sum, index) in self.truths.iter_mut().zip(&scenario.analyses) {
            let analysis = &protocol.analyses[*index];
            let kind = &protocol.outcomes[analysis.outcome].kind;
            *sum += world.potential(kind, analysis.summary, &fate, true)
                - world.potential(kind, analysis.summary, &fate, false);
        }
        let received = fate.received(is_treated);
        let seen = fate.left.unwrap_or(i32::MAX);
        let calendar = &mut self.calendar;
        let mut at = |day: i32, due: Due| calendar.schedule(offset + day, family, due);
        let (hitch, service) = if is_treated {
            (fate.not_started, Service::NotStarted)
        } else {
            (fate.switched, Service::Switched)
        };
        if let Some(day) = hitch {
            at(day, Due::Service(service));
        }
        let closing = fate.closing(is_treated);
        at(closing, Due::Service(Service::Closed));
        if fate.accepts[received as usize] && closing <= seen {
            at(closing, Due::Service(Service::Accepted));
            let started = closing + world.truth.started_after_days;
            if started <= seen {
                at(started, Due::Service(Service::Started));
            }
        }
        if let Some(day) = fate.left {
            at(day, Due::Left);
        }
        let count = world.reports(&fate, received);
        let days = &mut self.report_days;
        world.report_days(streams, (site, arrival.ordinal), count, days);
        for day in days.iter().filter(|day| **day <= seen) {
            at(*day, Due::Report);
        }
    }

    /// Locks the data of every lock that an analysis needs; the cuts in their order.
    fn lock(&mut self) -> Result<Vec<Day>, Refusal> {
        let protocol = &self.cell.protocol;
        let mut cuts = Vec::with_capacity(self.locks.len());
        let last = self
            .state
            .allocations
            .iter()
            .filter_map(|allocated| self.state.family(allocated.family))
            .map(|family| family.randomized)
            .max()
            .unwrap_or(self.last);
        for lock in &self.locks {
            let cut = match protocol.locks[*lock].cut {
                Cut::On(date) => Day::of(date),
                Cut::AfterLastWindow { grace_days } => {
                    last.plus(protocol.last_window()).plus(grace_days)
                }
            };
            let command = Command::Lock {
                lock: *lock as u16,
                cut,
            };
            let day = cut.max(self.state.last_day);
            let decision = decide(protocol, &self.state, &command, day, &mut self.drawer)?;
            for what in decision.events.iter().flatten() {
                let event = Event { day, what };
                apply(protocol, &mut self.state, &event);
            }
            cuts.push(cut);
        }
        Ok(cuts)
    }

    fn record(&mut self, replicate: u64, cuts: &[Day]) -> Record {
        let (protocol, scenario) = (&self.cell.protocol, &self.cell.scenario);
        let families = self.state.randomized();
        let followed = self.follower.follow(protocol, &self.state.allocations);
        let mut analyses = Vec::with_capacity(scenario.analyses.len());
        let mut truths = self.truths.iter();
        self.analyst.analyse(
            protocol,
            &self.state,
            cuts,
            self.draws,
            &mut stream::replicate(&self.keys.redraws, replicate),
            |found| {
                let sum = truths.next().copied().unwrap_or(0.0);
                let truth = if families == 0 {
                    0.0
                } else {
                    sum / families as f64
                };
                analyses.push(AnalysisRecord { truth, found });
            },
        );
        Record {
            families: families as u32,
            screened: self.state.families.len() as u32,
            turned_away: self
                .state
                .families
                .iter()
                .filter(|family| family.turned_away)
                .count() as u32,
            enrolment_days: (self.ended.since(self.first) + 1).max(0) as u32,
            days_closed: self.days_closed(),
            correct_guess_share: followed.correct_share,
            imbalance: followed.imbalance,
            analyses,
        }
    }

    /// Whole days from morning to night on which a site's gate was closed, until enrolment ended.
    fn days_closed(&self) -> u32 {
        let mut days = 0;
        for site in 0..self.sites.len() {
            let mut closed: Option<Day> = None;
            let own = self.state.gates.iter();
            for change in own.filter(|change| usize::from(change.site.0) == site) {
                if !change.open {
                    closed = closed.or(Some(change.day));
                } else if let Some(from) = closed.take() {
                    days += (change.day.min(self.ended.plus(1)).since(from) - 1).max(0);
                }
            }
            if let Some(from) = closed {
                days += (self.ended.plus(1).since(from) - 1).max(0);
            }
        }
        days as u32
    }

    /// The state of the last study, for tests and pictures.
    pub fn state(&self) -> &State {
        &self.state
    }
}
