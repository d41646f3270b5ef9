//! A world in which a protocol is run: mechanisms put together, and the addresses of their random numbers.
//!
//! Every deviate is one 64-bit word of ChaCha8 under `SHA-256("lottning/replicates/1" ‖ lp(purpose) ‖ lp(seed text))`,
//! purpose `simulate-rates`, `-families`, `-outcomes`, `-reports`, `-pairs`, `-arms`, stream = replicate. Its position is
//! given by site and number of the family within the site, so a family is the same family in every cell of a grid, for
//! every number of replicates and threads. Which family is admitted and which arm it gets is decided elsewhere.

use super::mechanisms::Mechanism;
use super::mechanisms::accrual::Accrual;
use super::mechanisms::capacity::Capacity;
use super::mechanisms::exit::Exit;
use super::mechanisms::family::Family;
use super::mechanisms::truth::{MOST_REPORTS, Truth};
use super::mechanisms::uptake::Uptake;
use crate::allocation::{Arm, replicates_key};
use crate::numerics::stream::{open_unit, replicate};
use crate::protocol::Protocol;
use crate::protocol::model::{Day, OutcomeKind, Service, Summary};
use crate::study::kernel::Values;
use rand_chacha::ChaCha8Rng;

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
    /// Optional mechanisms, in the scenario's order.
    pub others: Vec<Box<dyn Mechanism>>,
    /// The arm whose service is on trial.
    pub treated: Arm,
    /// First and last day, after randomization, of the window in which new reports are counted.
    pub window: (i32, i32),
}

/// A service, as an index of potential outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The control service.
    Control = 0,
    /// The treated service.
    Treated = 1,
}

/// What would happen to a family, under both services. Days count from randomization.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    /// The treated service would not start; known on this day.
    pub not_started: Option<i32>,
    /// The family would be moved from the control to the treated service on this day.
    pub switched: Option<i32>,
    /// The family leaves the register's coverage on this day.
    pub left: Option<i32>,
    /// Closing of the investigation, by service.
    pub closed: [i32; 2],
    /// Whether an intervention is accepted (when the investigation closes), by service.
    pub accepts: [bool; 2],
    /// Probability of a new report under control at the family's time.
    pub risk: f64,
    /// Deviate of the number of reports, by service.
    pub report_deviate: [f64; 2],
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
}

/// A family that comes to a site.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// Number within the site, from 0.
    pub(super) ordinal: u32,
    /// Deviate of the family's risk, shared by both services.
    pub(super) risk: f64,
    pub(super) children: usize,
    /// Index of the reason of a declared exception.
    pub(super) exception: Option<u16>,
    pub(super) values: Values,
}

/// The keys of a simulated study's streams.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    rates: [u8; 32],
    families: [u8; 32],
    outcomes: [u8; 32],
    reports: [u8; 32],
    pairs: [u8; 32],
    pub(super) arms: [u8; 32],
    pub(super) redraws: [u8; 32],
}

impl Keys {
    /// Keys from a seed; cells of the same `group` share their families.
    pub(super) fn new(seed: u64, group: &str) -> Self {
        let seed = seed.to_string();
        let key = |purpose: &str| {
            if group.is_empty() {
                replicates_key(&format!("simulate-{purpose}"), &seed)
            } else {
                replicates_key(&format!("simulate-{purpose}/{group}"), &seed)
            }
        };
        Self {
            rates: key("rates"),
            families: key("families"),
            outcomes: key("outcomes"),
            reports: key("reports"),
            pairs: key("pairs"),
            arms: key("arms"),
            redraws: key("redraws"),
        }
    }
}

/// Deviates of a family that are no days of reports.
const FATE: u32 = 9;
/// Days of reports that fit beside them; further ones have a stream of their own.
const NEAR: u32 = FAMILY / 2 - FATE;

/// Bits of a site's part of a stream: families of a site never run into those of the next.
const SITE: u32 = 40;
/// Words that a family has in the stream of outcomes: four blocks, which the generator makes at once.
const FAMILY: u32 = 64;

/// Families arriving at one site.
#[derive(Debug)]
pub(super) struct Site {
    rng: ChaCha8Rng,
    rate: f64,
    /// Open days passed.
    clock: f64,
    ordinal: u32,
    /// Day of the next arrival, counted from the study's first day; `i32::MAX` after the last.
    pub(super) next: i32,
}

impl Site {
    fn new(keys: &Keys, replicate_number: u64, site: usize, rate: f64) -> Self {
        let mut rng = replicate(&keys.families, replicate_number);
        rng.set_word_pos((site as u128) << SITE);
        Self {
            rng,
            rate,
            clock: 0.0,
            ordinal: 0,
            next: i32::MAX,
        }
    }

    /// Moves to the next arrival among the site's open days.
    fn advance(&mut self, open_days: &[i32]) {
        self.clock += -libm::log(open_unit(&mut self.rng)) / self.rate;
        self.next = open_days
            .get(self.clock as usize)
            .copied()
            .unwrap_or(i32::MAX);
    }

    /// The family of the present arrival; the next arrival is drawn.
    pub(super) fn arrive(
        &mut self,
        world: &World,
        exceptions: usize,
        open_days: &[i32],
    ) -> Arrival {
        let risk = open_unit(&mut self.rng);
        let children = world.family.children(open_unit(&mut self.rng));
        let exempt = open_unit(&mut self.rng);
        let mut values: Values = Values::default();
        for (value, law) in values.iter_mut().zip(&world.family.fields) {
            *value = law.at(open_unit(&mut self.rng), risk);
        }
        let share = world.uptake.exceptions;
        let exception = (exempt < share)
            .then(|| (exempt / share * exceptions as f64) as u16)
            .map(|reason| reason.min(exceptions.saturating_sub(1) as u16));
        let ordinal = self.ordinal;
        self.ordinal += 1;
        self.advance(open_days);
        Arrival {
            ordinal,
            risk,
            children,
            exception,
            values,
        }
    }
}

/// The streams of one replicate that are addressed by family.
#[derive(Debug)]
pub(super) struct Streams {
    outcomes: ChaCha8Rng,
    reports: ChaCha8Rng,
    /// Shared deviates of therapist pairs, as needed.
    pairs: ChaCha8Rng,
}

impl Streams {
    pub(super) fn new(keys: &Keys, replicate_number: u64) -> Self {
        Self {
            outcomes: replicate(&keys.outcomes, replicate_number),
            reports: replicate(&keys.reports, replicate_number),
            pairs: replicate(&keys.pairs, replicate_number),
        }
    }
}

impl World {
    /// The sites of a replicate, each before its first arrival.
    pub(super) fn sites(
        &self,
        keys: &Keys,
        replicate_number: u64,
        open_days: &[Vec<i32>],
        sites: &mut Vec<Site>,
    ) {
        let deviates = self.accrual.deviates();
        let mut rates = replicate(&keys.rates, replicate_number);
        sites.clear();
        for (index, open_days) in open_days.iter().enumerate() {
            rates.set_word_pos((index * deviates * 2) as u128);
            let rate = self.accrual.rate(|| open_unit(&mut rates));
            let mut site = Site::new(keys, replicate_number, index, rate);
            site.advance(open_days);
            sites.push(site);
        }
    }

    /// What would happen to a randomized family, under both services.
    pub(super) fn fate(
        &self,
        streams: &mut Streams,
        (site, therapists): (usize, u32),
        arrival: &Arrival,
        years: f64,
    ) -> Fate {
        let rng = &mut streams.outcomes;
        rng.set_word_pos(
            ((site as u128) << SITE) + u128::from(arrival.ordinal) * u128::from(FAMILY),
        );
        let mut u = || open_unit(rng);
        let (accept, length, start, start_day) = (u(), u(), u(), u());
        let (switch, switch_day, exit, pair, tie) = (u(), u(), u(), u(), u());
        let day = |u: f64, within: i32| (u * f64::from(within)) as i32 + 1;
        let uptake = &self.uptake;
        let mut treated = (arrival.risk, accept);
        let icc = self.family.icc_pair;
        if icc > 0.0 && tie * tie < icc {
            let own = (pair * f64::from(therapists.max(1))) as u128;
            let shared = &mut streams.pairs;
            shared.set_word_pos(((site as u128) << SITE) + (own << 2));
            treated = (open_unit(shared), open_unit(shared));
        }
        let added: f64 = self.others.iter().map(|m| m.added_risk(years)).sum();
        let risk = (self.truth.rereport_control + added).clamp(0.0, 1.0);
        Fate {
            not_started: (start < uptake.not_started)
                .then(|| day(start_day, uptake.not_started_within_days)),
            switched: (switch < uptake.switched)
                .then(|| day(switch_day, uptake.switched_within_days)),
            left: self.exit.days(exit, self.window.1),
            closed: [
                self.capacity.control.days(length),
                self.capacity.treated.days(length),
            ],
            accepts: [
                self.truth.accepts(accept, false),
                self.truth.accepts(treated.1, true),
            ],
            risk,
            report_deviate: [arrival.risk, treated.0],
        }
    }

    fn rate_ratio(&self, is_treated: bool) -> f64 {
        self.others
            .iter()
            .map(|m| m.rate_ratio(is_treated))
            .product()
    }

    /// Number of a family's reports in the window under a service.
    pub fn reports(&self, fate: &Fate, received: Received) -> u32 {
        let is_treated = received == Received::Treated;
        let u = fate.report_deviate[received as usize];
        let ratio = self.rate_ratio(is_treated);
        self.truth.reports(u, fate.risk, is_treated, ratio)
    }

    /// The days on which the reports of the family whose fate was drawn last are received: report `k` is on the same
    /// day under both services.
    pub(super) fn report_days(
        &self,
        streams: &mut Streams,
        (site, ordinal): (usize, u32),
        count: u32,
        days: &mut Vec<i32>,
    ) {
        days.clear();
        let (from, to) = self.window;
        let width = f64::from(to - from + 1);
        let near = count.min(NEAR);
        let day = |u: f64| from + (u * width) as i32;
        for _ in 0..near {
            days.push(day(open_unit(&mut streams.outcomes)));
        }
        if near < count {
            // MOST_REPORTS deviates of two words fit into 2^15 words.
            const { assert!(MOST_REPORTS * 2 < 1 << 15) }
            let rng = &mut streams.reports;
            rng.set_word_pos(((site as u128) << (SITE + 10)) + (u128::from(ordinal) << 15));
            for _ in near..count {
                days.push(day(open_unit(rng)));
            }
        }
    }

    /// Whether the services do not differ in what drives an outcome, so that its expected difference is zero. What
    /// families of a therapist pair share may still make single families differ.
    pub fn is_null(&self, kind: &OutcomeKind) -> bool {
        match kind {
            OutcomeKind::Reports { .. } => {
                let differs =
                    |m: &dyn Mechanism| (m.rate_ratio(true) - m.rate_ratio(false)).abs() > 0.0;
                (self.truth.rereport_ratio - 1.0).abs() == 0.0
                    && !self.others.iter().any(|m| differs(&**m))
            }
            OutcomeKind::Binary { .. } => {
                self.truth.acceptance_difference.abs() == 0.0 && self.closes_alike()
            }
            OutcomeKind::Duration { .. } | OutcomeKind::Observed { .. } => self.closes_alike(),
        }
    }

    /// Whether an investigation closes on the same day under either assignment: it never closes before it is known that
    /// a service did not start or was switched, which can delay one arm alone.
    fn closes_alike(&self) -> bool {
        let hitches = self.uptake.not_started.max(self.uptake.switched) > 0.0;
        self.capacity.control == self.capacity.treated && !hitches
    }

    /// The value of an outcome for a family of an arm, were it followed to the end.
    pub(super) fn potential(
        &self,
        kind: &OutcomeKind,
        summary: Summary,
        fate: &Fate,
        is_treated: bool,
    ) -> f64 {
        let received = fate.received(is_treated);
        let closing = fate.closing(is_treated);
        match kind {
            OutcomeKind::Reports { .. } => match summary {
                Summary::Any => {
                    let is_treated = received == Received::Treated;
                    let u = fate.report_deviate[received as usize];
                    let ratio = self.rate_ratio(is_treated);
                    let any = self.truth.reported(u, fate.risk, is_treated, ratio);
                    f64::from(u8::from(any))
                }
                Summary::Count | Summary::FirstTime | Summary::Value => {
                    f64::from(self.reports(fate, received))
                }
            },
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
                    on.is_some_and(|on| (window_days.0..=window_days.1).contains(&on))
                });
                f64::from(u8::from(happened))
            }
            OutcomeKind::Duration { horizon_days, .. } => f64::from(closing.min(*horizon_days)),
            OutcomeKind::Observed { .. } => 0.0,
        }
    }
}

/// Whether the world gives rise to an outcome, so that its true value is known.
pub(crate) fn can_give(kind: &OutcomeKind) -> bool {
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
        OutcomeKind::Observed { .. } => false,
    }
}

/// Open days of each site of a protocol, counted from the first opening, and the last day of enrolment.
pub(super) fn open_days(world: &World, protocol: &Protocol) -> (Vec<Vec<i32>>, Day) {
    let first = protocol.first_opening();
    let mut last = world.accrual.last_day(first);
    if let Some(stop) = protocol.sample_size.stop_date {
        last = last.min(Day::of(stop));
    }
    let days = protocol
        .sites
        .iter()
        .map(|site| {
            let open = world.accrual.open_days(Day::of(site.opens), last);
            open.iter().map(|day| day.since(first)).collect()
        })
        .collect();
    (days, last)
}
