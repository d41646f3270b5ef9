//! Power of a comparison of two rates of recurrent events: the log-rate Wald test of a negative binomial model.
//!
//! One of sample size, power, alpha and the treated arm's rate is left out and solved for. Without dispersion the model is
//! Poisson's.

use super::clustering::Clustering;
use super::figure::{Caution, Direction, Solved, WholeClusters, up};
use super::normal_test::{NormalTest, Ratio};
use super::power_error::{PowerError, check_design, range};

/// What is known; exactly one of `rate1`, `n_control`, `power`, `alpha` is `None` and is solved for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Events per unit of time in the control arm, above 0.
    pub rate0: f64,
    /// Events per unit of time in the treated arm, above 0.
    pub rate1: Option<f64>,
    /// Dispersion k, at least 0: a count of mean μ has the variance μ + kμ².
    pub dispersion: f64,
    /// How long each individual is followed, above 0, in the same unit of time.
    pub time: f64,
    /// Individuals in the control arm, at least 1.
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
    /// The side on which an effect is sought; `None` is the side of `rate1`, or lower.
    pub direction: Option<Direction>,
    /// Clusters, if any.
    pub clustering: Option<Clustering>,
}

impl Question {
    /// The power of a two-sided test at `alpha`, equal arms, over one unit of time.
    pub fn power_at(rate0: f64, rate1: f64, dispersion: f64, n_per_arm: f64, alpha: f64) -> Self {
        Self {
            rate0,
            rate1: Some(rate1),
            dispersion,
            time: 1.0,
            n_control: Some(n_per_arm),
            power: None,
            alpha: Some(alpha),
            ratio: 1.0,
            sides: 2,
            strict: false,
            direction: None,
            clustering: None,
        }
    }
}

/// A figure and everything that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was solved for.
    pub solved: Solved,
    /// Its value: n unrounded, the effect as `rate1`.
    pub value: f64,
    /// Rate in the treated arm.
    pub rate1: f64,
    /// Type I error.
    pub alpha: f64,
    /// Power asked for, or found.
    pub power: f64,
    /// Power of the whole numbers `n_treated` and `n_control`.
    pub power_at_n: f64,
    /// Individuals in the treated arm, rounded up.
    pub n_treated: u64,
    /// Individuals in the control arm, rounded up.
    pub n_control: u64,
    /// Design effect of the treated and of the control arm.
    pub design_effects: (f64, f64),
    /// Whole clusters, if there are any.
    pub clusters: Option<WholeClusters>,
    /// What a reader should know.
    pub warnings: Vec<Caution>,
}

/// Solves for the one of sample size, power, alpha and the treated arm's rate that is left out.
///
/// With `n1 = ratio·n0` and design effects e, `v = (1/(r1·t) + k)·e1/n1 + (1/(r0·t) + k)·e0/n0` is the variance of the log
/// rate ratio, and the power is `Φ(|ln(r1/r0)|/√v − z)` with z the upper `alpha/sides` point; `strict` adds the farther
/// tail. The effect is the rate nearest to `r0` with the power: a Wald test loses power again where a rate is next to 0.
///
/// Assumes the same follow-up for all, one dispersion, and a variance under the alternative (method 3 of Zhu and Lakkis
/// 2014, doi 10.1002/sim.5947, is that of the null hypothesis: a little larger).
///
/// ```
/// use lottning::planning::rates::{Question, solve};
/// let question = Question { n_control: None, power: Some(0.8), ..Question::power_at(0.5, 0.35, 0.7, 0.0, 0.05) };
/// assert!((solve(&question)?.value - 386.046).abs() < 5e-4); // the formula, in R 4.2.2
/// # Ok::<(), lottning::planning::PowerError>(())
/// ```
///
/// # Errors
/// [`PowerError`] says which argument is outside its range, or why there is no figure.
pub fn solve(question: &Question) -> Result<Answer, PowerError> {
    check(question)?;
    let q = question;
    let unit = |ln_ratio: f64| ln_ratio.abs() / variance(q, q.ratio, ln_ratio).sqrt();
    let test = NormalTest::new(q.sides, q.strict);
    let side = q.direction.unwrap_or(Direction::Lower);
    let four = Ratio {
        test,
        unit: &unit,
        edge: 20.0 * side.sign(),
    }
    .solve(
        q.rate1.map(|rate1| libm::log(rate1 / q.rate0)),
        q.n_control,
        q.power,
        q.alpha,
    )?;
    let rate1 = q.rate1.unwrap_or_else(|| q.rate0 * libm::exp(four.effect));
    let (n_treated, n_control) = (up(q.ratio * four.size), up(four.size));
    let z = test.critical(four.alpha)?;
    let power_of = |n1: f64, n0: f64| {
        let own = variance(q, n1 / n0, four.effect) / n0;
        test.power(four.effect.abs() / own.sqrt(), z)
    };
    let mut warnings = Vec::new();
    let clusters = q.clustering.map(|own| {
        let (k1, k0) = own.count(n_treated as f64, n_control as f64);
        let (treated, control) = (up(k1), k0.map(up));
        let full = |k: u64| k as f64 * own.size;
        let fewest = control.map_or(treated, |k0| treated.min(k0));
        if fewest < 20 {
            warnings.push(Caution::FewClusters { clusters: fewest });
        }
        WholeClusters {
            treated,
            control,
            power: power_of(full(treated), control.map_or(n_control as f64, full)),
        }
    });
    if four.effect == 0.0 && q.sides == 2 && !q.strict {
        warnings.push(Caution::NoDifference);
    }
    Ok(Answer {
        solved: four.solved,
        value: match four.solved {
            Solved::N | Solved::Events => four.size,
            Solved::Power => four.power,
            Solved::Alpha => four.alpha,
            Solved::Effect => rate1,
        },
        rate1,
        alpha: four.alpha,
        power: four.power,
        power_at_n: power_of(n_treated as f64, n_control as f64),
        n_treated,
        n_control,
        design_effects: q.clustering.map_or((1.0, 1.0), |c| c.by_arm()),
        clusters,
        warnings,
    })
}

/// Variance of the log rate ratio with one control individual and `ratio` treated ones.
fn variance(q: &Question, ratio: f64, ln_ratio: f64) -> f64 {
    let (e1, e0) = q.clustering.map_or((1.0, 1.0), |c| c.by_arm());
    let own = |rate: f64| 1.0 / (rate * q.time) + q.dispersion;
    own(q.rate0 * libm::exp(ln_ratio)) * e1 / ratio + own(q.rate0) * e0
}

fn check(q: &Question) -> Result<(), PowerError> {
    check_design((q.power, q.alpha, q.n_control), q.ratio, q.sides)?;
    range("rate0", q.rate0, q.rate0 > 0.0, "(0, ∞)")?;
    range("dispersion", q.dispersion, q.dispersion >= 0.0, "[0, ∞)")?;
    range("time", q.time, q.time > 0.0, "(0, ∞)")?;
    if let Some(rate1) = q.rate1 {
        range("rate1", rate1, rate1 > 0.0, "(0, ∞)")?;
        if q.direction
            .is_some_and(|side| side.contradicts(rate1 - q.rate0))
        {
            return Err(PowerError::WrongSide);
        }
    }
    q.clustering.map_or(Ok(()), |clusters| clusters.check())
}
