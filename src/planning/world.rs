//! A world in which a protocol is run: mechanisms put together, and what would happen to a family under both services.
//!
//! Both potential outcomes of a family, and both potential closing days, exist before its arm is known; which of them is
//! seen is the arm's doing. Where the random numbers stand is `arrivals`, what draws the arm is the kernel.

use super::arrivals::{Arrival, ReportDay, Streams};
use super::mechanisms::Mechanism;
use super::mechanisms::accrual::Accrual;
use super::mechanisms::capacity::Capacity;
use super::mechanisms::exit::{Exit, Exits};
use super::mechanisms::family::Family;
use super::mechanisms::quantiles::KeptLaws;
use super::mechanisms::score::Score;
use super::mechanisms::truth::Truth;
use super::mechanisms::uptake::Uptake;
use crate::allocation::Arm;
use crate::protocol::model::{Day, OutcomeKind, Service, Summary};
use crate::study::kernel::Values;

/// Mechanisms with their parameters, for one protocol.
#[derive(Debug)]
pub struct World {
    /// Potential outcomes.
    pub truth: Truth,
    /// Arrivals.
    pub accrual: Accrual,
    /// Lengths of investigations.
    pub capacity: Capacity,
    /// Families.
    pub family: Family,
    /// Uptake.
    pub uptake: Uptake,
    /// Exits.
    pub exit: Exit,
    /// A score, where there is one.
    pub score: Option<Score>,
    /// Optional mechanisms, in the scenario's order.
    pub others: Vec<Box<dyn Mechanism>>,
    /// The arm whose service is on trial.
    pub treated: Arm,
    /// First and last day, after randomization, of the window in which new reports are counted.
    pub window: (i32, i32),
    /// Control risk of a family by its number of children.
    risk_by_children: Vec<f64>,
    /// What the expected number of reports is multiplied by, by service.
    rate_ratio: [f64; 2],
    /// Whether sites differ in risk.
    pub(super) differs_by_site: bool,
    /// Whether therapists come and go.
    pub(in crate::planning) staff_changes: bool,
    /// Whether follow-up can miss a report.
    pub(super) misses: bool,
}

/// What a world is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) truth: Truth,
    pub(crate) accrual: Accrual,
    pub(crate) capacity: Capacity,
    pub(crate) family: Family,
    pub(crate) uptake: Uptake,
    pub(crate) exit: Exit,
    pub(crate) score: Option<Score>,
    pub(crate) others: Vec<Box<dyn Mechanism>>,
    pub(crate) treated: Arm,
    pub(crate) window: (i32, i32),
}

/// A service, as an index of potential outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The control service.
    Control = 0,
    /// The treated service.
    Treated = 1,
}

/// What would happen to a family, under the control service and that of one treated arm. Days count from randomization.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    /// The treated service would not start; known on this day.
    pub not_started: Option<i32>,
    /// The family would be moved from the control to the treated service on this day.
    pub switched: Option<i32>,
    /// Ends of follow-up.
    pub exits: Exits,
    /// Closing of the investigation, by service.
    pub closed: [i32; 2],
    /// Whether an intervention is accepted (when the investigation closes), by service.
    pub accepts: [bool; 2],
    /// Probability of a new report, by service, before what the expected number is multiplied by.
    pub risk: [f64; 2],
    /// What the expected number of reports is multiplied by, by service.
    pub rate_ratio: [f64; 2],
    /// Deviate of the number of reports, by service.
    pub report_deviate: [f64; 2],
    /// Score, by service; 0 where there is none.
    pub score: [f64; 2],
    /// Deviate that decides whether the family answers.
    pub answer_deviate: f64,
    /// The therapist pair that would deliver the treated service: its place at the site, and how often that place has been
    /// filled anew.
    pub pair: (u32, u32),
}

impl Fate {
    /// The service that a family of an arm gets.
    pub fn received(&self, is_treated: bool) -> Received {
        let treated = if is_treated {
            self.not_started.is_none()
        } else {
            self.switched.is_some()
        };
        if treated {
            Received::Treated
        } else {
            Received::Control
        }
    }

    /// Day of closing for a family of an arm: not before it is known that the service did not start or was switched.
    pub fn closing(&self, is_treated: bool) -> i32 {
        let known = if is_treated {
            self.not_started
        } else {
            self.switched
        };
        self.closed[self.received(is_treated) as usize].max(known.unwrap_or(0))
    }

    /// The same family in a world in which the treated service does to it what the control service does; how long its
    /// investigation takes, and so how long it holds a slot, stays.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.accepts[1] = self.accepts[0];
        self.risk[1] = self.risk[0];
        self.rate_ratio[1] = self.rate_ratio[0];
        self.report_deviate[1] = self.report_deviate[0];
        self.score[1] = self.score[0];
        self
    }
}

impl World {
    /// Puts mechanisms together.
    pub(crate) fn new(parts: Parts) -> Self {
        let control = parts.truth.rereport_control;
        // The number of reports in a longer window than that of the stated risk is of the same law with a larger mean.
        let days = |(from, to): (i32, i32)| f64::from(to - from + 1);
        let longer = days(parts.window) / days(parts.truth.window_days.unwrap_or(parts.window));
        let ratio = |treated| {
            let each = parts.others.iter().map(|m| m.rate_ratio(treated));
            longer * each.product::<f64>()
        };
        Self {
            risk_by_children: parts.family.risks(control),
            rate_ratio: [ratio(false), ratio(true)],
            differs_by_site: parts.others.iter().any(|m| m.differs_by_site()),
            staff_changes: parts.others.iter().any(|m| m.staff_changes()),
            misses: parts.others.iter().any(|m| m.misses()),
            truth: parts.truth,
            accrual: parts.accrual,
            capacity: parts.capacity,
            family: parts.family,
            uptake: parts.uptake,
            exit: parts.exit,
            score: parts.score,
            others: parts.others,
            treated: parts.treated,
            window: parts.window,
        }
    }

    /// The probabilities of a new report in the window with the control and the treated service, where they are the same
    /// for every family whenever it comes; else `None`.
    pub(super) fn same_risk(&self) -> Option<[f64; 2]> {
        let control = *self.risk_by_children.first()?;
        let alike = self.others.is_empty()
            && self.family.icc_pair <= 0.0
            && self
                .risk_by_children
                .iter()
                .all(|own| own.total_cmp(&control).is_eq())
            && self
                .rate_ratio
                .iter()
                .all(|ratio| ratio.total_cmp(&1.0).is_eq());
        let risk = |treated| self.truth.risk(control.clamp(0.0, 1.0), treated);
        alike.then(|| [risk(false), risk(true)])
    }

    /// What would happen to a family that is randomized `years` after the first site opened, under both services.
    /// `crew` tells how often a pair's place has been filled anew.
    pub(super) fn fate(
        &self,
        streams: &mut Streams,
        (site, therapists, site_risk): (usize, u32, f64),
        (arrival, values): (&Arrival, &Values),
        years: f64,
        crew: impl Fn(u32) -> u32,
    ) -> Fate {
        let deviates = streams.fate(site, arrival.ordinal);
        let [
            accept,
            length,
            start,
            start_day,
            switch,
            switch_day,
            left,
            pair,
            tie,
            death,
            birthday,
            ..,
        ] = deviates;
        let day = |u: f64, within: i32| (u * f64::from(within)) as i32 + 1;
        let uptake = &self.uptake;
        let mut treated = (arrival.risk, accept);
        let icc = self.family.icc_pair;
        let place = (pair * f64::from(therapists.max(1))) as u32;
        let crew = crew(place);
        if icc > 0.0 && tie * tie < icc {
            treated = streams.pair(site, place, crew);
        }
        let (score, answer_deviate) = match &self.score {
            Some(own) => {
                let [u, answer] = streams.score(site, arrival.ordinal);
                let scores = if icc > 0.0 {
                    let shared = streams.pair_score(site, place, crew);
                    own.values_in_pair((arrival.risk, u), icc, shared)
                } else {
                    own.values(arrival.risk, u)
                };
                (scores, answer)
            }
            None => ([0.0; 2], 0.0),
        };
        let added: f64 = self.others.iter().map(|m| m.added_risk(years)).sum();
        let control = self.risk_by_children[arrival.children.min(self.risk_by_children.len() - 1)];
        let control = (control + added + site_risk).clamp(0.0, 1.0);
        Fate {
            not_started: (start < uptake.not_started)
                .then(|| day(start_day, uptake.not_started_within_days)),
            switched: (switch >= uptake.switched_before
                && switch < uptake.switched_before + uptake.switched)
                .then(|| day(switch_day, uptake.switched_within_days)),
            exits: self
                .exit
                .days([left, death, birthday], values, self.window.1),
            closed: [
                self.capacity.control.days(length),
                self.capacity.treated.days(length),
            ],
            accepts: [
                self.truth.accepts(accept, false),
                self.truth.accepts(treated.1, true),
            ],
            risk: [
                self.truth.risk(control, false),
                self.truth.risk(control, true),
            ],
            rate_ratio: self.rate_ratio,
            report_deviate: [arrival.risk, treated.0],
            score,
            answer_deviate,
            pair: (place, crew),
        }
    }

    /// Number of a family's reports in the window under a service, were it followed to the end.
    pub fn reports(&self, fate: &Fate, received: Received) -> u32 {
        let own = received as usize;
        self.truth.reports(
            fate.report_deviate[own],
            fate.risk[own],
            fate.rate_ratio[own],
        )
    }

    /// As [`World::reports`], with laws that are kept.
    pub(super) fn reports_kept(&self, fate: &Fate, received: Received, kept: &mut KeptLaws) -> u32 {
        let own = received as usize;
        let (risk, ratio) = (fate.risk[own], fate.rate_ratio[own]);
        let deviate = fate.report_deviate[own];
        self.truth.reports_kept(deviate, risk, ratio, kept)
    }

    /// Whether a report that is received on a day is found by follow-up; `u` is a deviate of the report's own.
    pub(super) fn finds(&self, is_treated: bool, received: Day, u: f64) -> bool {
        let mut found = self.others.iter().map(|m| m.found(is_treated, received));
        found.all(|share| u < share)
    }

    /// Whether the services do not differ in what drives an outcome, so that its expected difference is zero. What
    /// families of a therapist pair share may still make single families differ.
    pub fn is_null(&self, kind: &OutcomeKind) -> bool {
        match kind {
            OutcomeKind::Reports {
                without_attached, ..
            } => {
                (self.truth.rereport_ratio - 1.0).abs() == 0.0
                    && (self.rate_ratio[0] - self.rate_ratio[1]).abs() == 0.0
                    && (!without_attached || self.closes_alike())
            }
            OutcomeKind::Binary { .. } => {
                self.truth.acceptance_difference.abs() == 0.0 && self.closes_alike()
            }
            OutcomeKind::Duration { .. } => self.closes_alike(),
            OutcomeKind::Observed { .. } => self.score.is_none_or(|own| own.effect.abs() == 0.0),
        }
    }

    /// Whether an investigation closes on the same day under either assignment: it never closes before it is known that
    /// a service did not start or was switched, which can delay one arm alone.
    pub(super) fn closes_alike(&self) -> bool {
        let hitches = self.uptake.not_started.max(self.uptake.switched) > 0.0;
        self.capacity.control == self.capacity.treated && !hitches && !self.capacity.overflows()
    }

    /// Whether the true value of an outcome follows from the days of a family's reports, not from their number alone.
    pub(super) fn counts_days(&self, kind: &OutcomeKind) -> bool {
        match kind {
            OutcomeKind::Reports {
                without_attached,
                window_days,
                ..
            } => *without_attached || *window_days != self.window,
            OutcomeKind::Binary { .. }
            | OutcomeKind::Duration { .. }
            | OutcomeKind::Observed { .. } => false,
        }
    }

    /// The value of an outcome for a family of an arm, were it followed to the end. `days` are those of its reports
    /// under the service that it would get, if they are known; they must be where [`World::counts_days`] or an exit ends
    /// the count.
    pub(super) fn potential(
        &self,
        kind: &OutcomeKind,
        summary: Summary,
        fate: &Fate,
        is_treated: bool,
        days: Option<&[ReportDay]>,
    ) -> f64 {
        let received = fate.received(is_treated);
        let closing = fate.closing(is_treated);
        let ended = fate.exits.ended.map_or(i32::MAX, |(day, _)| day);
        match kind {
            OutcomeKind::Reports {
                without_attached,
                window_days,
                ..
            } => {
                if fate.exits.ended.is_some() || self.counts_days(kind) {
                    let until = window_days.1.min(ended);
                    let from = if *without_attached {
                        window_days.0.max(closing.saturating_add(1))
                    } else {
                        window_days.0
                    };
                    // Without a branch, since no processor guesses a day.
                    let inside = |own: &ReportDay| {
                        usize::from(from <= own.day) & usize::from(own.day <= until)
                    };
                    let counted: usize = days.unwrap_or_default().iter().map(inside).sum();
                    return match summary {
                        Summary::Any => f64::from(u8::from(counted > 0)),
                        Summary::Count | Summary::FirstTime | Summary::Value => counted as f64,
                    };
                }
                match summary {
                    Summary::Any => {
                        let own = received as usize;
                        let (u, risk) = (fate.report_deviate[own], fate.risk[own]);
                        let any = match days {
                            Some(days) => !days.is_empty(),
                            None => self.truth.reported(u, risk, fate.rate_ratio[own]),
                        };
                        f64::from(u8::from(any))
                    }
                    Summary::Count | Summary::FirstTime | Summary::Value => match days {
                        Some(days) => days.len() as f64,
                        None => f64::from(self.reports(fate, received)),
                    },
                }
            }
            OutcomeKind::Binary {
                events,
                window_days,
            } => {
                let happened = events.iter().all(|event| {
                    let on = match event {
                        Service::Closed => Some(closing),
                        Service::Accepted => fate.accepts[received as usize].then_some(closing),
                        Service::Started => fate.accepts[received as usize]
                            .then_some(closing + self.truth.started_after_days),
                        Service::Offered
                        | Service::Declined
                        | Service::NotStarted
                        | Service::HomeVisit
                        | Service::Switched
                        | Service::Reopened => None,
                    };
                    on.is_some_and(|on| {
                        on <= ended && (window_days.0..=window_days.1).contains(&on)
                    })
                });
                f64::from(u8::from(happened))
            }
            OutcomeKind::Duration { horizon_days, .. } => f64::from(closing.min(*horizon_days)),
            OutcomeKind::Observed { .. } => fate.score[received as usize],
        }
    }
}

/// Whether a world, with or without a score, gives rise to an outcome, so that its true value is known.
pub(crate) fn can_give(kind: &OutcomeKind, has_score: bool) -> bool {
    let given = |event: &Service| {
        matches!(
            event,
            Service::Accepted | Service::Started | Service::Closed
        )
    };
    match kind {
        OutcomeKind::Reports { .. } => true,
        OutcomeKind::Binary { events, .. } => events.iter().all(given),
        OutcomeKind::Duration { to, .. } => *to == Service::Closed,
        OutcomeKind::Observed { .. } => has_score,
    }
}
