//! The conditional randomization test: how unusual is the statistic among the allocations that could have been?
//!
//! It conditions on the randomized families, their order, strata, epochs and the realized gate, draws only the arms
//! again, and recomputes everything that depends on them. The statistic is any function of the arms ([`Statistic`]);
//! the registered one is in `plan`. Tails are counted in integers, so the answer does not depend on threads. A redraw
//! on which the statistic does not exist counts as at least as extreme in both tails, and is reported.

use super::reference_set::{Enumeration, History, Redrawer, replicate};
use crate::allocation::Arm;
use crate::diagnostic::Words;
use crate::estimation::EstimationError;
use crate::numerics::shares::{Parts, within};
use crate::words;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Statistics that differ by less than this, relative to the larger of the observed one and 1, are ties.
pub const TIE: f64 = crate::estimation::inversion::TIE;

/// Redraws of the tests that no protocol registers, because every lock has them: of balance, and of who is unknown.
pub const AUDIT_DRAWS: u64 = 9_999;

/// A number that is computed from the arms of all families in ledger order; `None` where it does not exist.
pub trait Statistic: Clone + Send + Sync {
    /// The statistic; ±∞ is allowed.
    fn value(&mut self, arms: &[Arm]) -> Option<f64>;
}

/// What a randomization test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestFigures {
    /// The observed statistic.
    pub statistic: f64,
    /// Two-sided p: min(1, 2 · smaller tail).
    pub p_value: f64,
    /// Share of the reference set at or above the observed statistic.
    pub upper: f64,
    /// Share of the reference set at or below the observed statistic.
    pub lower: f64,
    /// Whether every sequence was enumerated.
    pub exact: bool,
    /// Redraws, or sequences enumerated.
    pub draws: u64,
    /// Redraws or sequences on which the statistic does not exist.
    pub failed: u64,
    /// Monte Carlo standard error of the p, 0 when exact.
    pub mcse: f64,
}

/// Why there is no test.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TestError {
    /// The statistic does not exist on the observed arms.
    #[error("{}", self.words())]
    NoStatistic,
    /// The statistic is the same whatever the arms: a test says nothing.
    #[error("{}", self.words())]
    NoVariation,
    /// The design could not have made an allocation of the ledger.
    #[error("{}", self.words())]
    NotInSupport {
        /// Number of the allocation, from 1.
        allocation: usize,
    },
    /// No redraws were asked for.
    #[error("{}", self.words())]
    NoDraws,
    /// The arms and the history are of different length.
    #[error("{}", self.words())]
    UnequalLengths,
    /// The model of the registered estimator cannot be fitted.
    #[error("{}", self.words())]
    Estimation(#[from] EstimationError),
}

impl TestError {
    /// Stable code, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStatistic => "test-without-statistic",
            Self::NoVariation => "test-without-variation",
            Self::NotInSupport { .. } => "allocation-not-in-support",
            Self::NoDraws => "test-without-draws",
            Self::UnequalLengths => "unequal-lengths",
            Self::Estimation(error) => error.code(),
        }
    }

    /// What is wrong, in both languages.
    pub fn words(&self) -> Words {
        match self {
            Self::NoStatistic => words!(
                "the test's statistic does not exist for these data, so there is no test",
                "testets statistika finns inte för dessa data, så det finns inget test"
            ),
            Self::NoVariation => words!(
                "the test's statistic is the same however the lots might have fallen, so there is no test",
                "testets statistika är densamma hur lotterna än hade fallit, så det finns inget test"
            ),
            Self::NotInSupport { allocation } => words!(
                "allocation {allocation} is one that the registered method cannot make; run `lottning verify`",
                "lottning {allocation} är en som den registrerade metoden inte kan ge; kör `lottning verify`"
            ),
            Self::NoDraws => words!(
                "a test needs at least one redraw",
                "ett test behöver minst en omlottning"
            ),
            Self::UnequalLengths => words!(
                "there must be one arm for each allocation",
                "det måste finnas en arm för varje lottning"
            ),
            Self::Estimation(error) => error.words(),
        }
    }
}

/// Counts of a set of redraws; adding them in any order gives the same.
#[derive(Debug, Clone, Copy)]
struct Tails {
    upper: u64,
    lower: u64,
    failed: u64,
    least: f64,
    greatest: f64,
}

impl Tails {
    const NONE: Self = Self {
        upper: 0,
        lower: 0,
        failed: 0,
        least: f64::INFINITY,
        greatest: f64::NEG_INFINITY,
    };

    fn add(&mut self, value: Option<f64>, observed: &Observed) {
        let (upper, lower) = observed.sides(value);
        self.upper += u64::from(upper);
        self.lower += u64::from(lower);
        match value {
            Some(value) => {
                self.least = self.least.min(value);
                self.greatest = self.greatest.max(value);
            }
            None => self.failed += 1,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            upper: self.upper + other.upper,
            lower: self.lower + other.lower,
            failed: self.failed + other.failed,
            least: self.least.min(other.least),
            greatest: self.greatest.max(other.greatest),
        }
    }
}

/// The observed statistic and what ties with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed {
    value: f64,
    tolerance: f64,
}

impl Observed {
    fn new(value: f64) -> Self {
        let size = if value.is_finite() { value.abs() } else { 1.0 };
        Self {
            value,
            tolerance: TIE * size.max(1.0),
        }
    }

    /// Whether a value is at least as extreme in the upper and in the lower tail.
    fn sides(&self, value: Option<f64>) -> (bool, bool) {
        match value {
            None => (true, true),
            Some(value) => (
                value >= self.value - self.tolerance,
                value <= self.value + self.tolerance,
            ),
        }
    }

    fn varies(&self, least: f64, greatest: f64) -> bool {
        let below = least < self.value - self.tolerance;
        let above = greatest > self.value + self.tolerance;
        below || above
    }
}

/// Checks the observed arms and computes their statistic.
pub(super) fn observe(
    history: &History,
    arms: &[Arm],
    statistic: &mut impl Statistic,
) -> Result<Observed, TestError> {
    if let (true, Some(place)) = (history.len() == arms.len(), history.impossible(arms)) {
        return Err(TestError::NotInSupport {
            allocation: place + 1,
        });
    }
    observe_drawn(history, arms, statistic)
}

/// The statistic of arms that the design itself has drawn: they are not looked for in its support, which takes storage for every
/// family.
fn observe_drawn(
    history: &History,
    arms: &[Arm],
    statistic: &mut impl Statistic,
) -> Result<Observed, TestError> {
    if history.len() != arms.len() {
        return Err(TestError::UnequalLengths);
    }
    match statistic.value(arms) {
        Some(value) if !value.is_nan() => Ok(Observed::new(value)),
        _ => Err(TestError::NoStatistic),
    }
}

/// The test by complete enumeration: each sequence of arms counts with its probability under the design.
///
/// `p = min(1, 2·min(P(T ≥ t), P(T ≤ t)))`; a sequence without a statistic counts in both tails.
///
/// Assumes the sharp null hypothesis that no family's outcome depends on its arm, and that admission did not depend
/// on earlier arms. Reference: Edgington & Onghena 2007, doi 10.1201/9781420011814; with the studentized statistic the
/// test is also asymptotically valid for the average effect (Wu & Ding 2021, doi 10.1080/01621459.2020.1750415).
///
/// # Errors
/// [`TestError`].
pub fn exact<S: Statistic>(
    history: &History,
    enumeration: &Enumeration,
    arms: &[Arm],
    statistic: &S,
) -> Result<TestFigures, TestError> {
    listed(history, enumeration, arms, statistic).map(|(figures, _)| figures)
}

/// The probability of a sequence of arms, and the statistic on it.
pub(super) type Listed = (f64, Option<f64>);

/// As [`exact`], with every sequence.
pub(super) fn listed<S: Statistic>(
    history: &History,
    enumeration: &Enumeration,
    arms: &[Arm],
    statistic: &S,
) -> Result<(TestFigures, Vec<Listed>), TestError> {
    let observed = observe(history, arms, &mut statistic.clone())?;
    // Values in parallel, sums in the order of the sequences: the same bytes for any number of threads.
    let values: Vec<Listed> = (0..enumeration.total())
        .into_par_iter()
        .map_init(
            || (statistic.clone(), Vec::new()),
            |(statistic, arms), number| {
                let probability = enumeration.sequence(number, arms);
                (probability, statistic.value(arms))
            },
        )
        .collect();
    let mut parts = Parts::default();
    let mut tails = Tails::NONE;
    for (probability, value) in &values {
        let (above, below) = observed.sides(*value);
        parts.add(*probability, [above, below]);
        tails.add(*value, &observed);
    }
    if !observed.varies(tails.least, tails.greatest) {
        return Err(TestError::NoVariation);
    }
    let [upper, lower] = parts.shares();
    let figures = TestFigures {
        statistic: observed.value,
        p_value: (2.0 * f64::min(upper, lower)).min(1.0),
        upper,
        lower,
        exact: true,
        draws: enumeration.total(),
        failed: tails.failed,
        mcse: 0.0,
    };
    Ok((figures, values))
}

/// The test by `draws` redraws under `key` (replicates 0, 1, …), on all threads.
///
/// Per tail `(1 + b)/(1 + R)`, where `b` of `R` redraws are at least as extreme; `p = min(1, 2·smaller tail)`; its
/// Monte Carlo standard error is `2·√(q(1−q)/R)` with `q` the smaller tail. Reference: Phipson & Smyth 2010,
/// doi 10.2202/1544-6115.1585. Assumptions as in [`exact`].
///
/// # Errors
/// [`TestError`].
pub fn monte_carlo<S: Statistic>(
    history: &History,
    arms: &[Arm],
    statistic: &S,
    key: &[u8; 32],
    draws: u64,
) -> Result<TestFigures, TestError> {
    let observed = observe(history, arms, &mut statistic.clone())?;
    let tails = (0..draws)
        .into_par_iter()
        .fold_with(
            Runner {
                statistic: statistic.clone(),
                redrawer: Redrawer::default(),
                arms: Vec::new(),
                tails: Tails::NONE,
            },
            |mut runner, number| {
                runner.run(history, key, number, &observed);
                runner
            },
        )
        .map(|runner| runner.tails)
        .reduce(|| Tails::NONE, Tails::plus);
    figures(&observed, tails, draws)
}

/// Which side of each of some limits the p of [`monte_carlo_here`] falls on, stopping when the redraws that are left cannot
/// change that: the same answer with a fraction of the redraws.
///
/// After `k` of `R` redraws the smaller tail ends between `(1 + b)/(1 + R)` and `(1 + b + R − k)/(1 + R)`. The `p_value` of
/// the figures is the bound that decided, on the same side of every limit as the full p, and `draws` is how many were made;
/// tails are those of the redraws made. Without variation so far the run goes on, so that [`TestError::NoVariation`] is
/// found as without stopping. Reference: Davidson & MacKinnon 2000, doi 10.1080/07474930008800459; here without any error,
/// because only what can no longer change stops it. The arms must be drawn by the design, as a simulated study's are: see
/// [`monte_carlo_here`].
///
/// # Errors
/// [`TestError`].
pub fn decide_here<S: Statistic>(
    history: &History,
    arms: &[Arm],
    statistic: &mut S,
    (key, draws, limits): (&[u8; 32], u64, &[f64]),
    (redrawer, redrawn): (&mut Redrawer, &mut Vec<Arm>),
) -> Result<TestFigures, TestError> {
    let observed = observe_drawn(history, arms, statistic)?;
    decide_by(observed.value, (draws, limits), |number| {
        history.redraw(redrawer, &mut replicate(key, number), redrawn);
        statistic.value(redrawn)
    })
}

/// The tails of `draws` redraws around an observed statistic, `value` giving the statistic on redraw 0, 1, …; with
/// limits it stops as [`decide_here`] does.
///
/// # Errors
/// [`TestError`].
pub(crate) fn decide_by(
    observed: f64,
    (draws, limits): (u64, &[f64]),
    mut value: impl FnMut(u64) -> Option<f64>,
) -> Result<TestFigures, TestError> {
    let observed = Observed::new(observed);
    let mut tails = Tails::NONE;
    let two_sided = |b: u64| (2.0 * ((1 + b) as f64 / (1 + draws) as f64)).min(1.0);
    for number in 0..draws {
        tails.add(value(number), &observed);
        if limits.is_empty() {
            continue;
        }
        let left = draws - number - 1;
        let least = two_sided(tails.upper.min(tails.lower));
        let most = two_sided(tails.upper.min(tails.lower) + left);
        let decided = limits
            .iter()
            .all(|own| !within(least, *own) || within(most, *own));
        if left > 0 && decided && observed.varies(tails.least, tails.greatest) {
            let made = figures(&observed, tails, number + 1)?;
            let above = limits.iter().all(|own| !within(least, *own));
            let p_value = if above { least } else { most };
            return Ok(TestFigures { p_value, ..made });
        }
    }
    figures(&observed, tails, draws)
}

/// As [`monte_carlo`] on the calling thread and in the caller's storage: the same figures, bit for bit, and nothing asked of the
/// heap for a family. For arms that the design has drawn, as those of a simulated study: whether they were possible is not looked at.
///
/// # Errors
/// [`TestError`].
pub fn monte_carlo_here<S: Statistic>(
    history: &History,
    arms: &[Arm],
    statistic: &mut S,
    (key, draws): (&[u8; 32], u64),
    (redrawer, redrawn): (&mut Redrawer, &mut Vec<Arm>),
) -> Result<TestFigures, TestError> {
    let observed = observe_drawn(history, arms, statistic)?;
    decide_by(observed.value, (draws, &[]), |number| {
        history.redraw(redrawer, &mut replicate(key, number), redrawn);
        statistic.value(redrawn)
    })
}

fn figures(observed: &Observed, tails: Tails, draws: u64) -> Result<TestFigures, TestError> {
    if draws == 0 {
        return Err(TestError::NoDraws);
    }
    if !observed.varies(tails.least, tails.greatest) {
        return Err(TestError::NoVariation);
    }
    let tail = |b: u64| (1 + b) as f64 / (1 + draws) as f64;
    let (upper, lower) = (tail(tails.upper), tail(tails.lower));
    let q = upper.min(lower);
    Ok(TestFigures {
        statistic: observed.value,
        p_value: (2.0 * q).min(1.0),
        upper,
        lower,
        exact: false,
        draws,
        failed: tails.failed,
        mcse: 2.0 * (q * (1.0 - q) / draws as f64).sqrt(),
    })
}

/// One thread's share of the redraws.
#[derive(Debug)]
struct Runner<S> {
    statistic: S,
    redrawer: Redrawer,
    arms: Vec<Arm>,
    tails: Tails,
}

impl<S: Clone> Clone for Runner<S> {
    /// A copy for another thread: nothing counted yet, storage of its own.
    fn clone(&self) -> Self {
        Self {
            statistic: self.statistic.clone(),
            redrawer: Redrawer::default(),
            arms: Vec::new(),
            tails: Tails::NONE,
        }
    }
}

impl<S: Statistic> Runner<S> {
    fn run(&mut self, history: &History, key: &[u8; 32], number: u64, observed: &Observed) {
        history.redraw(
            &mut self.redrawer,
            &mut replicate(key, number),
            &mut self.arms,
        );
        self.tails.add(self.statistic.value(&self.arms), observed);
    }
}
