//! Power of a comparison of two means: the t test, with covariates, with clusters, or with a known variance.
//!
//! One of sample size, power, alpha and difference is left out and solved for. With two sides a t test counts both tails.

use super::clustering::Clustering;
use super::figure::{Caution, Direction, Solved, WholeClusters, up};
use super::normal_test::NormalTest;
use super::power_error::{PowerError, check_design, range};
use super::t_test::TTest;
use crate::numerics::quadrature::GaussLegendre;
use crate::numerics::root::brent;

/// The reference distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// t: the variance is estimated from the data.
    T,
    /// Normal: the variance is known.
    Normal,
}

impl Test {
    /// Every test, in the order of the help.
    pub const ALL: [Self; 2] = [Self::T, Self::Normal];

    /// The id on the command line and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::T => "t",
            Self::Normal => "normal",
        }
    }
}

/// Covariates that the analysis adjusts for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjustment {
    /// Share of the variance within arms that they explain, at least 0 and below 1.
    pub r_squared: f64,
    /// Their number, at least 1.
    pub covariates: u32,
}

/// What is known; exactly one of `delta`, `n_control`, `power`, `alpha` is `None` and is solved for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Mean of the treated arm minus that of the control arm, in the unit of the outcome.
    pub delta: Option<f64>,
    /// Standard deviation within an arm (between and within clusters together), above 0, in the same unit.
    pub sd: f64,
    /// Individuals in the control arm, at least 1.
    pub n_control: Option<f64>,
    /// Power, inside (0, 1).
    pub power: Option<f64>,
    /// Type I error, the total of both sides, inside (0, 1).
    pub alpha: Option<f64>,
    /// Treated individuals per control individual, positive.
    pub ratio: f64,
    /// 1 or 2. A one-sided test looks on the side of the difference.
    pub sides: u8,
    /// Whether a two-sided normal test counts the farther tail too; a t test always does.
    pub strict: bool,
    /// The test.
    pub test: Test,
    /// The side on which a difference is sought; `None` is the side of `delta`, or lower.
    pub direction: Option<Direction>,
    /// Covariates, if any; not together with clusters.
    pub adjustment: Option<Adjustment>,
    /// Clusters, if any.
    pub clustering: Option<Clustering>,
}

impl Question {
    /// The power of a two-sided t test at `alpha`, equal arms.
    pub fn power_at(delta: f64, sd: f64, n_per_arm: f64, alpha: f64) -> Self {
        Self {
            delta: Some(delta),
            sd,
            n_control: Some(n_per_arm),
            power: None,
            alpha: Some(alpha),
            ratio: 1.0,
            sides: 2,
            strict: false,
            test: Test::T,
            direction: None,
            adjustment: None,
            clustering: None,
        }
    }
}

/// A figure and everything that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was solved for.
    pub solved: Solved,
    /// Its value: n unrounded, the effect as `delta`.
    pub value: f64,
    /// Difference of means.
    pub delta: f64,
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
    /// Degrees of freedom at those numbers; `None` for a normal test.
    pub df: Option<f64>,
    /// Design effect of the treated and of the control arm.
    pub design_effects: (f64, f64),
    /// Whole clusters, if there are any.
    pub clusters: Option<WholeClusters>,
    /// What a reader should know.
    pub warnings: Vec<Caution>,
}

/// Solves for the one of sample size, power, alpha and difference that is left out.
///
/// With `n1 = ratio·n0`, design effects `e` and R² of the covariates, `se² = sd²(1 − R²)(e1/n1 + e0/n0)` and the power is
/// - `t`: `P(T > t) + P(T < −t)` for T noncentral t with `delta/se` and t the upper `alpha/sides` point with the same
///   degrees of freedom: `n1 + n0 − 2`; with clusters in both arms `k1 + k0 − 2`, a t test on cluster means (`k` clusters per
///   arm: `2(k − 1)`); with clusters in the treated arm only Satterthwaite's;
/// - `normal`: `Φ(|delta|/se − z)`, the variance known; `strict` adds the farther tail.
///
/// With q covariates the t test has `n1 + n0 − 2 − q` degrees of freedom, and as covariates differ between arms by chance,
/// `delta/se` is multiplied by `√B` and the power averaged over `B ~ Beta((n1 + n0 − 1 − q)/2, q/2)`, which is exact for
/// covariates that are normal (Shieh 2020, doi 10.1007/s11336-019-09692-3); a normal test ignores that.
///
/// Assumes normal outcomes with one variance; clusters of a size that does not depend on the outcome. Cohen 1988,
/// Statistical Power Analysis, chapter 2, doi 10.4324/9780203771587.
///
/// ```
/// use lottning::planning::two_means::{Question, solve};
/// let answer = solve(&Question::power_at(0.5, 1.0, 64.0, 0.05))?;
/// assert!((answer.value - 0.801_459_6).abs() < 1e-7); // pwr 1.3-0: pwr.t.test
/// # Ok::<(), lottning::planning::PowerError>(())
/// ```
///
/// # Errors
/// [`PowerError`] says which argument is outside its range, or why there is no figure.
pub fn solve(question: &Question) -> Result<Answer, PowerError> {
    check(question)?;
    let solver = Solver { q: question };
    let (delta, n, power, alpha) = (
        question.delta,
        question.n_control,
        question.power,
        question.alpha,
    );
    match (delta, n, power, alpha) {
        (Some(delta), Some(n), None, Some(alpha)) => {
            let power = solver.power(delta, n, alpha)?;
            solver.answer(Solved::Power, power, (delta, n, power, alpha))
        }
        (Some(delta), None, Some(power), Some(alpha)) => {
            let n = solver.n(delta, power, alpha)?;
            solver.answer(Solved::N, n, (delta, n, power, alpha))
        }
        (Some(delta), Some(n), Some(power), None) => {
            let alpha = solver.alpha(delta, n, power)?;
            solver.answer(Solved::Alpha, alpha, (delta, n, power, alpha))
        }
        (None, Some(n), Some(power), Some(alpha)) => {
            let size = solver.size(n, power, alpha)?;
            let delta = question.direction.unwrap_or(Direction::Lower).sign() * size;
            solver.answer(Solved::Effect, delta, (delta, n, power, alpha))
        }
        (Some(_), Some(_), Some(_), Some(_)) => Err(PowerError::Overdetermined),
        _ => Err(PowerError::Underdetermined),
    }
}

fn check(q: &Question) -> Result<(), PowerError> {
    check_design((q.power, q.alpha, q.n_control), q.ratio, q.sides)?;
    range("sd", q.sd, q.sd > 0.0, "(0, ∞)")?;
    if let Some(delta) = q.delta {
        range("delta", delta, true, "(−∞, ∞)")?;
        if q.direction.is_some_and(|side| side.contradicts(delta)) {
            return Err(PowerError::WrongSide);
        }
    }
    if let Some(adjustment) = q.adjustment {
        let own = adjustment.r_squared;
        range("r-squared", own, (0.0..1.0).contains(&own), "[0, 1)")?;
        let count = f64::from(adjustment.covariates);
        range(
            "covariates",
            count,
            (1.0..=1000.0).contains(&count),
            "[1, 1000]",
        )?;
        if q.clustering.is_some() {
            return Err(PowerError::CovariatesAndClusters);
        }
    }
    q.clustering.map_or(Ok(()), |clusters| clusters.check())
}

/// The design at one size of the control arm.
struct Design {
    se: f64,
    df: f64,
    /// n1 + n0
    total: f64,
}

struct Solver<'a> {
    q: &'a Question,
}

impl Solver<'_> {
    fn covariates(&self) -> f64 {
        self.q
            .adjustment
            .map_or(0.0, |own| f64::from(own.covariates))
    }

    fn design(&self, n0: f64) -> Design {
        let n1 = self.q.ratio * n0;
        let (e1, e0) = self.q.clustering.map_or((1.0, 1.0), |c| c.by_arm());
        let left = 1.0 - self.q.adjustment.map_or(0.0, |own| own.r_squared);
        let variance = self.q.sd * self.q.sd * left;
        let (v1, v0) = (variance * e1 / n1, variance * e0 / n0);
        let df = match self.q.clustering {
            Some(clusters) => clusters.degrees_of_freedom(n1, n0, v1, v0),
            None => n1 + n0 - 2.0 - self.covariates(),
        };
        Design {
            se: (v1 + v0).sqrt(),
            df,
            total: n1 + n0,
        }
    }

    fn normal(&self) -> NormalTest {
        NormalTest::new(self.q.sides, self.q.strict)
    }

    fn t(&self) -> TTest {
        TTest {
            sides: self.q.sides,
        }
    }

    fn power(&self, delta: f64, n0: f64, alpha: f64) -> Result<f64, PowerError> {
        let at = self.design(n0);
        match self.q.test {
            Test::Normal => {
                let test = self.normal();
                Ok(test.power(delta.abs() / at.se, test.critical(alpha)?))
            }
            Test::T => {
                let critical = self.t().critical(at.df, alpha)?;
                self.t_power(delta.abs() / at.se, &at, critical)
            }
        }
    }

    /// Power at a critical value, averaged over the chance imbalance of the covariates.
    ///
    /// `B = 1 − w²` has the density `2w^(q−1) (1 − w²)^((N−1−q)/2 − 1)` up to a constant in w, which is summed away.
    fn t_power(&self, ncp: f64, at: &Design, critical: f64) -> Result<f64, PowerError> {
        let q = self.covariates();
        if q <= 0.0 {
            return Ok(self.t().power(ncp, at.df, critical)?);
        }
        let a = 0.5 * (at.total - 1.0 - q);
        // Beyond this w the density is below e^−40 of its greatest value.
        let reach = ((40.0 + q + 9.0 * q.sqrt()) / a.max(1.0)).min(1.0).sqrt();
        let (mut sum, mut weights) = (0.0, 0.0);
        for (w, weight) in GaussLegendre::new(48).panel(0.0, reach) {
            let log = (q - 1.0) * libm::log(w) + (a - 1.0) * libm::log1p(-w * w);
            let mass = weight * libm::exp(log);
            sum += mass
                * self
                    .t()
                    .power(ncp * (1.0 - w * w).sqrt(), at.df, critical)?;
            weights += mass;
        }
        Ok((sum / weights).min(1.0))
    }

    fn n(&self, delta: f64, power: f64, alpha: f64) -> Result<f64, PowerError> {
        if delta == 0.0 {
            return Err(PowerError::NoDifference);
        }
        let test = self.normal();
        let unit = delta.abs() / self.design(1.0).se;
        let near = (test.distance(power, test.critical(alpha)?)? / unit).powi(2);
        if self.q.test == Test::Normal {
            return Ok(near);
        }
        if alpha >= power {
            return Err(PowerError::PowerTooLow);
        }
        let excess = |n: f64| self.power(delta, n, alpha).map_or(-1.0, |own| own - power);
        TTest::size(near, excess)
    }

    fn alpha(&self, delta: f64, n0: f64, power: f64) -> Result<f64, PowerError> {
        let at = self.design(n0);
        let ncp = delta.abs() / at.se;
        match self.q.test {
            Test::Normal => self.normal().alpha(ncp, power),
            Test::T if self.q.adjustment.is_none() => self.t().alpha(ncp, at.df, power),
            Test::T => {
                let test = self.t();
                let critical = test.critical(at.df, 0.5)?; // refuses what has no degrees of freedom
                let excess = |ln_alpha: f64| {
                    test.critical(at.df, libm::exp(ln_alpha))
                        .and_then(|critical| self.t_power(ncp, &at, critical))
                        .map_or(f64::NAN, |own| own - power)
                };
                let highest = -1e-12;
                if critical.is_nan() || excess(highest) < 0.0 {
                    return Err(PowerError::AlphaTooLarge);
                }
                Ok(libm::exp(brent(-600.0, highest, 1e-14, excess)?))
            }
        }
    }

    /// The size of the difference with a power.
    fn size(&self, n0: f64, power: f64, alpha: f64) -> Result<f64, PowerError> {
        let at = self.design(n0);
        let test = self.normal();
        let none = |error| match error {
            PowerError::PowerTooLow => PowerError::AnyEffect,
            other => other,
        };
        let ncp = match self.q.test {
            Test::Normal => test.distance(power, test.critical(alpha)?).map_err(none)?,
            Test::T => {
                let near = self.t().ncp(power, at.df, alpha)?;
                if self.q.adjustment.is_none() {
                    near
                } else {
                    let critical = self.t().critical(at.df, alpha)?;
                    let excess = |ncp: f64| {
                        self.t_power(ncp, &at, critical)
                            .map_or(f64::NAN, |own| own - power)
                    };
                    let mut high = 1.25 * near;
                    while excess(high) < 0.0 && high < 1e12 {
                        high *= 1.5;
                    }
                    brent(near, high, high * 1e-14, excess)?
                }
            }
        };
        Ok(ncp * at.se)
    }

    fn answer(
        &self,
        solved: Solved,
        value: f64,
        (delta, n0, power, alpha): (f64, f64, f64, f64),
    ) -> Result<Answer, PowerError> {
        let (n_treated, n_control) = (up(self.q.ratio * n0), up(n0));
        let at = |n1: f64, n0: f64| {
            let q = Question {
                ratio: n1 / n0,
                ..*self.q
            };
            let solver = Solver { q: &q };
            Ok::<_, PowerError>((solver.power(delta, n0, alpha)?, solver.design(n0).df))
        };
        let (power_at_n, df) = at(n_treated as f64, n_control as f64)?;
        let mut warnings = Vec::new();
        let clusters = match self.q.clustering {
            None => None,
            Some(own) => {
                let (k1, k0) = own.count(n_treated as f64, n_control as f64);
                let (treated, control) = (up(k1), k0.map(up));
                let full = |k: u64| k as f64 * own.size;
                let n0 = control.map_or(n_control as f64, full);
                let fewest = control.map_or(treated, |k0| treated.min(k0));
                if self.q.test == Test::Normal && fewest < 20 {
                    warnings.push(Caution::FewClusters { clusters: fewest });
                }
                Some(WholeClusters {
                    treated,
                    control,
                    power: at(full(treated), n0)?.0,
                })
            }
        };
        if delta == 0.0 && self.q.test == Test::Normal && self.q.sides == 2 && !self.q.strict {
            warnings.push(Caution::NoDifference);
        }
        Ok(Answer {
            solved,
            value,
            delta,
            alpha,
            power,
            power_at_n,
            n_treated,
            n_control,
            df: (self.q.test == Test::T).then_some(df),
            design_effects: self.q.clustering.map_or((1.0, 1.0), |c| c.by_arm()),
            clusters,
            warnings,
        })
    }
}
