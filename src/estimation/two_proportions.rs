//! Two independent proportions: score statistics, intervals of their difference.
//!
//! `p1 = x1/n1` is the treated arm and `p0 = x0/n0` the control arm; every interval is that of `p1 − p0`. Zero cells
//! have intervals, not errors. Newcombe (1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I)
//! compares them; the numbers of his table II are in the tests.

use super::columns::{Counts, Labels};
use super::error::EstimationError;
use super::settings::Interval;
use crate::numerics::normal;
use crate::numerics::root::bisect;

/// Limits are found to this accuracy.
const LIMIT_TOLERANCE: f64 = 1e-12;

/// An effect on two proportions, with the test that belongs to its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskDifference {
    /// `p1 − p0`.
    pub estimate: f64,
    /// Standard error: unpooled, or of the shrunken proportions for Agresti and Caffo.
    pub std_error: f64,
    /// Statistic of no difference; `None` when a Wald standard error is zero.
    pub statistic: Option<f64>,
    /// Two-sided p-value of no difference.
    pub p_value: Option<f64>,
    /// Lower limit; `None` when a Wald standard error is zero.
    pub conf_low: Option<f64>,
    /// Upper limit.
    pub conf_high: Option<f64>,
}

/// Two-by-two counts as floating-point numbers, with both arms non-empty.
#[derive(Debug, Clone, Copy)]
struct Table {
    x1: f64,
    n1: f64,
    x0: f64,
    n0: f64,
}

/// The difference of two proportions with an interval of the asked kind and the p-value of the same inversion.
///
/// Errors: an arm without units, more events than units, a level outside (0, 1), an interval that is not one of a
/// risk difference.
///
/// ```
/// use lottning::estimation::two_proportions::risk_difference;
/// use lottning::estimation::{Counts, Interval};
/// let counts = Counts { treated_events: 56, treated_units: 70, control_events: 48, control_units: 80 };
/// let effect = risk_difference(counts, Interval::Newcombe, 0.95)?;
/// assert_eq!(effect.conf_low.map(|x| (x * 1e4).round()), Some(524.0)); // Newcombe (1998), table II (a): .0524
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
pub fn risk_difference(
    counts: Counts,
    interval: Interval,
    level: f64,
) -> Result<RiskDifference, EstimationError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(EstimationError::Level { level });
    }
    counts.check(&Labels::default())?;
    let table = Table {
        x1: counts.treated_events as f64,
        n1: counts.treated_units as f64,
        x0: counts.control_events as f64,
        n0: counts.control_units as f64,
    };
    let z = -normal::quantile(0.5 * (1.0 - level))?;
    match interval {
        Interval::MiettinenNurminen => Ok(table.score(z, table.inflation())),
        Interval::Mee => Ok(table.score(z, 1.0)),
        Interval::Newcombe => Ok(table.newcombe(z)),
        Interval::Wald => Ok(table.wald(z, 0.0)),
        Interval::AgrestiCaffo => Ok(table.wald(z, 1.0)),
        Interval::LogWald | Interval::Profile | Interval::Logit => {
            Err(EstimationError::OptionNotUsed {
                estimator: "risk-difference",
                option: "interval",
                value: interval.text(),
            })
        }
    }
}

impl Table {
    fn p1(&self) -> f64 {
        self.x1 / self.n1
    }

    fn p0(&self) -> f64 {
        self.x0 / self.n0
    }

    /// `p1 − p0` over one denominator, so that equal proportions differ by exactly zero.
    fn difference(&self) -> f64 {
        (self.x1 * self.n0 - self.x0 * self.n1) / (self.n1 * self.n0)
    }

    /// N/(N−1) of Miettinen and Nurminen.
    fn inflation(&self) -> f64 {
        let n = self.n1 + self.n0;
        n / (n - 1.0)
    }

    fn unpooled(&self) -> f64 {
        let (p1, p0) = (self.p1(), self.p0());
        (p1 * (1.0 - p1) / self.n1 + p0 * (1.0 - p0) / self.n0).sqrt()
    }

    /// Wald after adding `add` successes and `add` failures to each arm; the estimate stays the raw difference.
    fn wald(&self, z: f64, add: f64) -> RiskDifference {
        let shrunk = Self {
            x1: self.x1 + add,
            n1: self.n1 + 2.0 * add,
            x0: self.x0 + add,
            n0: self.n0 + 2.0 * add,
        };
        let centre = shrunk.difference();
        let std_error = shrunk.unpooled();
        let exists = std_error > 0.0;
        let statistic = exists.then(|| centre / std_error);
        RiskDifference {
            estimate: self.difference(),
            std_error,
            statistic,
            p_value: statistic.map(normal::two_sided),
            conf_low: exists.then(|| (centre - z * std_error).max(-1.0)),
            conf_high: exists.then(|| (centre + z * std_error).min(1.0)),
        }
    }

    /// Score interval `{δ: |T(δ)| ≤ z}`, `T(δ) = (p1 − p0 − δ)/√(inflation·(p̃1q̃1/n1 + p̃0q̃0/n0))`, with the
    /// likelihood maximized under `p1 − p0 = δ` (Miettinen and Nurminen 1985, doi 10.1002/sim.4780040211; without the
    /// inflation Mee 1984). T decreases in δ.
    fn score(&self, z: f64, inflation: f64) -> RiskDifference {
        let estimate = self.difference();
        let statistic = self.score_at(0.0, inflation);
        let low = if estimate <= -1.0 {
            -1.0
        } else {
            bisect(-1.0, estimate, LIMIT_TOLERANCE, |d| {
                self.score_at(d, inflation) > z
            })
        };
        let high = if estimate >= 1.0 {
            1.0
        } else {
            bisect(estimate, 1.0, LIMIT_TOLERANCE, |d| {
                self.score_at(d, inflation) > -z
            })
        };
        RiskDifference {
            estimate,
            std_error: self.unpooled(),
            statistic: Some(statistic),
            p_value: Some(normal::two_sided(statistic)),
            conf_low: Some(low),
            conf_high: Some(high),
        }
    }

    /// T(δ); zero when numerator and variance are both zero.
    fn score_at(&self, delta: f64, inflation: f64) -> f64 {
        let distance = self.difference() - delta;
        if distance == 0.0 {
            return 0.0;
        }
        let p0 = self.constrained(delta);
        let p1 = (p0 + delta).clamp(0.0, 1.0);
        let variance = inflation * (p1 * (1.0 - p1) / self.n1 + p0 * (1.0 - p0) / self.n0);
        distance / variance.sqrt()
    }

    /// The control proportion that maximizes the likelihood when `p1 = p0 + δ`: the root of a cubic that is positive
    /// to its left and negative to its right within the admissible range.
    fn constrained(&self, delta: f64) -> f64 {
        let Self { x1, n1, x0, n0 } = *self;
        let (low, high) = ((-delta).max(0.0), (1.0 - delta).min(1.0));
        let (n, x) = (n1 + n0, x1 + x0);
        let l2 = (n1 + 2.0 * n0) * delta - n - x;
        let l1 = (n0 * delta - n - 2.0 * x0) * delta + x;
        let l0 = x0 * delta * (1.0 - delta);
        let third = l2 / (3.0 * n);
        let q = third * third * third - l1 * l2 / (6.0 * n * n) + l0 / (2.0 * n);
        let p = (third * third - l1 / (3.0 * n)).max(0.0).sqrt().copysign(q);
        let mut root = if p == 0.0 {
            -third
        } else {
            let angle =
                (std::f64::consts::PI + libm::acos((q / (p * p * p)).clamp(-1.0, 1.0))) / 3.0;
            2.0 * p * libm::cos(angle) - third
        };
        root = root.clamp(low, high);
        // The cosine loses half of the digits where two roots nearly meet; Newton's method gives them back.
        for _ in 0..3 {
            let value = ((n * root + l2) * root + l1) * root + l0;
            let slope = (3.0 * n * root + 2.0 * l2) * root + l1;
            let next = root - value / slope;
            if !(next >= low && next <= high) {
                break;
            }
            root = next;
        }
        root
    }

    /// Newcombe's square-and-add of two Wilson intervals (his method 10), and the normal deviate at which a limit
    /// reaches zero as its statistic.
    fn newcombe(&self, z: f64) -> RiskDifference {
        let estimate = self.difference();
        let (low, high) = self.square_and_add(z);
        let statistic = if estimate == 0.0 {
            0.0
        } else {
            // Both limits move away from the estimate as z grows, so the limit crosses zero once.
            let magnitude = bisect(0.0, 1e4, LIMIT_TOLERANCE, |z| {
                let (low, high) = self.square_and_add(z);
                if estimate > 0.0 {
                    low > 0.0
                } else {
                    high < 0.0
                }
            });
            magnitude.copysign(estimate)
        };
        RiskDifference {
            estimate,
            std_error: self.unpooled(),
            statistic: Some(statistic),
            p_value: Some(normal::two_sided(statistic)),
            conf_low: Some(low),
            conf_high: Some(high),
        }
    }

    fn square_and_add(&self, z: f64) -> (f64, f64) {
        let (p1, p0, d) = (self.p1(), self.p0(), self.difference());
        let ((l1, u1), (l0, u0)) = (
            wilson_at(self.x1, self.n1, z),
            wilson_at(self.x0, self.n0, z),
        );
        (
            (d - libm::hypot(p1 - l1, u0 - p0)).max(-1.0),
            (d + libm::hypot(u1 - p1, p0 - l0)).min(1.0),
        )
    }
}

/// Wilson's score interval of one proportion, `x` of `n` (Wilson 1927, doi 10.1080/01621459.1927.10502953).
///
/// `{p: |x/n − p| ≤ z √(p(1−p)/n)}`. Errors: no units, more events than units, a level outside (0, 1).
///
/// ```
/// let (low, high) = lottning::estimation::two_proportions::wilson(81, 263, 0.95)?;
/// assert_eq!(((low * 1e4).round(), (high * 1e4).round()), (2553.0, 3662.0)); // Newcombe (1998a), table I
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
pub fn wilson(x: u64, n: u64, level: f64) -> Result<(f64, f64), EstimationError> {
    if n == 0 || x > n {
        return Err(EstimationError::Counts {
            arm: String::new(),
            events: x,
            units: n,
        });
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(EstimationError::Level { level });
    }
    let z = -normal::quantile(0.5 * (1.0 - level))?;
    Ok(wilson_at(x as f64, n as f64, z))
}

fn wilson_at(x: f64, n: f64, z: f64) -> (f64, f64) {
    let centre = (x + 0.5 * z * z) / (n + z * z);
    let half = z * (x * (n - x) / n + 0.25 * z * z).sqrt() / (n + z * z);
    // The ends are exact where no event or no non-event occurred.
    let low = if x == 0.0 { 0.0 } else { centre - half };
    let high = if n - x == 0.0 { 1.0 } else { centre + half };
    (low, high)
}
