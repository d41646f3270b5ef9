//! Power of a log-rank test: how many events it needs, and how many individuals those are.
//!
//! One of size, power, alpha and hazard ratio is left out and solved for. The test sees events only; follow-up turns them
//! into individuals, and the other way round.

use super::clustering::Clustering;
use super::figure::{Caution, Direction, Solved, up};
use super::normal_test::{NormalTest, Ratio};
use super::power_error::{PowerError, check_design, range};

/// How far the statistic lies from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    /// `|ln θ|·√(r·E)/(1 + r)`: Schoenfeld 1983, doi 10.2307/2531021.
    Schoenfeld,
    /// `|1 − θ|·√(r·E)/(1 + r·θ)`: Freedman 1982, doi 10.1002/sim.4780010204.
    Freedman,
}

impl Formula {
    /// Every formula, in the order of the help.
    pub const ALL: [Self; 2] = [Self::Schoenfeld, Self::Freedman];

    /// The id on the command line and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Schoenfeld => "schoenfeld",
            Self::Freedman => "freedman",
        }
    }
}

/// How long individuals are followed: uniform entry over `accrual`, then `follow_up` after the last one's entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FollowUp {
    /// Median time to the event in the control arm, above 0, in any unit of time; times are exponential.
    pub control_median: f64,
    /// Duration of entry, at least 0, in the same unit.
    pub accrual: f64,
    /// Time from the last entry to the end, at least 0, in the same unit; not both 0.
    pub follow_up: f64,
    /// Hazard of being lost, at least 0, per the same unit.
    pub loss: f64,
}

impl FollowUp {
    /// Hazard in the control arm.
    fn hazard(&self) -> f64 {
        std::f64::consts::LN_2 / self.control_median
    }

    /// Probability that an event is seen: `λ/(λ+η) · (1 − (e^(−(λ+η)f) − e^(−(λ+η)(a+f)))/((λ+η)a))` for an event hazard λ
    /// and a hazard η of being lost (Lachin and Foulkes 1986, doi 10.2307/2531201).
    fn event_probability(&self, hazard: f64) -> f64 {
        let all = hazard + self.loss;
        let x = all * self.accrual;
        // (1 − e^(−x))/x, 1 for no accrual.
        let mean = if x < 1e-12 { 1.0 } else { -libm::expm1(-x) / x };
        hazard / all * (1.0 - libm::exp(-all * self.follow_up) * mean)
    }
}

/// What is known; exactly one of `hazard_ratio`, the size, `power`, `alpha` is `None` and is solved for. The size is
/// `events` or `n_control`; with neither it is the size that is solved for, in events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Hazard of the treated arm over that of the control arm, above 0.
    pub hazard_ratio: Option<f64>,
    /// Events of both arms together, at least 1.
    pub events: Option<f64>,
    /// Individuals in the control arm, at least 1; needs `follow_up`.
    pub n_control: Option<f64>,
    /// Power, inside (0, 1).
    pub power: Option<f64>,
    /// Type I error, the total of both sides, inside (0, 1).
    pub alpha: Option<f64>,
    /// Treated individuals per control individual, positive.
    pub ratio: f64,
    /// 1 or 2. A one-sided test looks on the side of the effect.
    pub sides: u8,
    /// Whether two sides count the farther tail too.
    pub strict: bool,
    /// The formula.
    pub formula: Formula,
    /// The side on which an effect is sought; `None` is the side of `hazard_ratio`, or lower.
    pub direction: Option<Direction>,
    /// What turns individuals into events, if known.
    pub follow_up: Option<FollowUp>,
    /// Clusters, if any.
    pub clustering: Option<Clustering>,
}

impl Question {
    /// The power of a two-sided log-rank test at `alpha`, equal arms, Schoenfeld's formula.
    pub fn power_at(hazard_ratio: f64, events: f64, alpha: f64) -> Self {
        Self {
            hazard_ratio: Some(hazard_ratio),
            events: Some(events),
            n_control: None,
            power: None,
            alpha: Some(alpha),
            ratio: 1.0,
            sides: 2,
            strict: false,
            formula: Formula::Schoenfeld,
            direction: None,
            follow_up: None,
            clustering: None,
        }
    }
}

/// Individuals that have so many events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Individuals {
    /// Both arms, unrounded.
    pub total: f64,
    /// Treated arm, rounded up.
    pub n_treated: u64,
    /// Control arm, rounded up.
    pub n_control: u64,
    /// Power of those whole numbers.
    pub power: f64,
    /// Probability that a treated individual's event is seen.
    pub event_probability_treated: f64,
    /// Probability that a control individual's event is seen.
    pub event_probability_control: f64,
}

/// A figure and everything that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was solved for.
    pub solved: Solved,
    /// Its value: events unrounded, the effect as a hazard ratio.
    pub value: f64,
    /// Hazard ratio.
    pub hazard_ratio: f64,
    /// Events of both arms, unrounded.
    pub events_unrounded: f64,
    /// Events of both arms, rounded up.
    pub events: u64,
    /// Type I error.
    pub alpha: f64,
    /// Power asked for, or found.
    pub power: f64,
    /// Power of the whole number of events.
    pub power_at_events: f64,
    /// Individuals, if their follow-up is known.
    pub individuals: Option<Individuals>,
    /// Design effect of the treated and of the control arm.
    pub design_effects: (f64, f64),
    /// What a reader should know.
    pub warnings: Vec<Caution>,
}

/// Solves for the one of size, power, alpha and hazard ratio that is left out.
///
/// With E events in both arms, `r = ratio` and the hazard ratio θ the statistic lies `d = |ln θ|·√(r·E)/(1 + r)` (Schoenfeld)
/// or `d = |1 − θ|·√(r·E)/(1 + r·θ)` (Freedman) from 0, and the power is `Φ(d − z)` with z the upper `alpha/sides` point;
/// `strict` adds `Φ(−d − z)`. In clusters E is divided by `(e1 + r·e0)/(1 + r)`, e the design effects, their correlation
/// that of the log-rank scores. The effect is the θ nearest to 1 with the power.
///
/// Assumes proportional hazards, few tied times and an effect that is not strong: Schoenfeld's formula takes the shares of
/// the arms among those at risk to be those at the start, and is too optimistic for strong effects. Individuals assume
/// exponential times.
///
/// ```
/// use lottning::planning::log_rank::{Question, solve};
/// let question = Question { events: None, power: Some(0.8), ..Question::power_at(0.7, 0.0, 0.05) };
/// assert!((solve(&question)?.value - 246.787).abs() < 5e-4); // rpact 3.3.4: getSampleSizeSurvival
/// # Ok::<(), lottning::planning::PowerError>(())
/// ```
///
/// # Errors
/// [`PowerError`] says which argument is outside its range, or why there is no figure.
pub fn solve(question: &Question) -> Result<Answer, PowerError> {
    check(question)?;
    let q = question;
    let by_individuals = q.n_control.is_some();
    let unit = |ln_ratio: f64| {
        let events = if by_individuals {
            q.follow_up
                .map_or(0.0, |own| per_control(q, &own, libm::exp(ln_ratio)))
        } else {
            1.0
        };
        distance(q, ln_ratio, events)
    };
    let side = q.direction.unwrap_or(Direction::Lower);
    let test = NormalTest::new(q.sides, q.strict);
    let four = Ratio {
        test,
        unit: &unit,
        edge: 20.0 * side.sign(),
    }
    .solve(
        q.hazard_ratio.map(libm::log),
        q.events.or(q.n_control),
        q.power,
        q.alpha,
    )?;
    let hazard_ratio = q.hazard_ratio.unwrap_or_else(|| libm::exp(four.effect));
    let per = q.follow_up.map(|own| per_control(q, &own, hazard_ratio));
    let events = match per {
        Some(per) if by_individuals => four.size * per,
        _ => four.size,
    };
    let z = test.critical(four.alpha)?;
    let power_of = |events: f64| test.power(distance(q, four.effect, events), z);
    let whole = up(events);
    let individuals = q.follow_up.zip(per).map(|(own, per)| {
        let n0 = if by_individuals {
            four.size
        } else {
            events / per
        };
        let (n_treated, n_control) = (up(q.ratio * n0), up(n0));
        let probability = |ratio: f64| own.event_probability(own.hazard() * ratio);
        let (p1, p0) = (probability(hazard_ratio), probability(1.0));
        // Whole arms have a ratio of their own.
        let (whole1, whole0) = (n_treated as f64, n_control as f64);
        let at = Question {
            ratio: whole1 / whole0,
            ..*q
        };
        let seen = whole1 * p1 + whole0 * p0;
        Individuals {
            total: n0 * (1.0 + q.ratio),
            n_treated,
            n_control,
            power: test.power(distance(&at, four.effect, seen), z),
            event_probability_treated: p1,
            event_probability_control: p0,
        }
    });
    let (solved, value) = match four.solved {
        Solved::N | Solved::Events => (Solved::Events, events),
        Solved::Power => (Solved::Power, four.power),
        Solved::Alpha => (Solved::Alpha, four.alpha),
        Solved::Effect => (Solved::Effect, hazard_ratio),
    };
    let mut warnings = Vec::new();
    if four.effect == 0.0 && q.sides == 2 && !q.strict {
        warnings.push(Caution::NoDifference);
    }
    let strong = !(STRONG..=1.0 / STRONG).contains(&hazard_ratio);
    let unequal = !(0.5..=2.0).contains(&q.ratio);
    if q.formula == Formula::Schoenfeld && (strong || unequal) {
        warnings.push(Caution::OptimisticFormula);
    }
    Ok(Answer {
        solved,
        value,
        hazard_ratio,
        events_unrounded: events,
        events: whole,
        alpha: four.alpha,
        power: four.power,
        power_at_events: power_of(whole as f64),
        individuals,
        design_effects: q.clustering.map_or((1.0, 1.0), |c| c.by_arm()),
        warnings,
    })
}

/// A hazard ratio below this, or above its inverse, is strong.
const STRONG: f64 = 0.5;

/// Events of both arms per control individual.
fn per_control(q: &Question, follow_up: &FollowUp, hazard_ratio: f64) -> f64 {
    let hazard = follow_up.hazard();
    q.ratio * follow_up.event_probability(hazard * hazard_ratio)
        + follow_up.event_probability(hazard)
}

/// How far the statistic lies from 0.
fn distance(q: &Question, ln_ratio: f64, events: f64) -> f64 {
    let r = q.ratio;
    let (e1, e0) = q.clustering.map_or((1.0, 1.0), |c| c.by_arm());
    let root = (r * events * (1.0 + r) / (e1 + r * e0)).sqrt();
    match q.formula {
        Formula::Schoenfeld => ln_ratio.abs() / (1.0 + r) * root,
        Formula::Freedman => libm::expm1(ln_ratio).abs() / (1.0 + r * libm::exp(ln_ratio)) * root,
    }
}

fn check(q: &Question) -> Result<(), PowerError> {
    check_design((q.power, q.alpha, q.n_control), q.ratio, q.sides)?;
    if let Some(hazard_ratio) = q.hazard_ratio {
        range("hazard-ratio", hazard_ratio, hazard_ratio > 0.0, "(0, ∞)")?;
        if q.direction
            .is_some_and(|side| side.contradicts(hazard_ratio - 1.0))
        {
            return Err(PowerError::WrongSide);
        }
    }
    if let Some(events) = q.events {
        range("events", events, events >= 1.0, "[1, ∞)")?;
        if q.n_control.is_some() {
            return Err(PowerError::TwoSizes);
        }
    }
    match &q.follow_up {
        None if q.n_control.is_some() => return Err(PowerError::FollowUpMissing),
        None => {}
        Some(own) => {
            let median = own.control_median;
            range("control-median", median, median > 0.0, "(0, ∞)")?;
            range("accrual", own.accrual, own.accrual >= 0.0, "[0, ∞)")?;
            let some = own.follow_up >= 0.0 && own.accrual + own.follow_up > 0.0;
            range(
                "follow-up",
                own.follow_up,
                some,
                "[0, ∞), and (0, ∞) without accrual",
            )?;
            range("loss", own.loss, own.loss >= 0.0, "[0, ∞)")?;
        }
    }
    q.clustering.map_or(Ok(()), |clusters| clusters.check())
}
