//! Two independent proportions: score and log-Wald intervals of their risk ratio and their odds ratio.
//!
//! `p1 = x1/n1` is the treated arm and `p0 = x0/n0` the control arm; a ratio is treated over control. Zero cells have
//! score intervals, with an end that is open where the data do not bound the ratio. The difference of the proportions
//! is [`super::two_proportions`]'.

use super::columns::{Counts, Labels};
use super::error::EstimationError;
use crate::numerics::normal;
use crate::numerics::root::bisect;

/// Which ratio of two proportions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ratio {
    /// `p1/p0`.
    Risk,
    /// `p1(1−p0) / (p0(1−p1))`.
    Odds,
}

/// How the limits of a ratio are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// Inversion of the score test with N/(N−1) (Miettinen and Nurminen 1985).
    Score,
    /// Estimate times or over `exp(z · standard error of the logarithm)`.
    LogWald,
}

/// A ratio with the test that belongs to its interval. What does not exist is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioEffect {
    /// Treated over control; `None` when it is infinite or 0/0.
    pub estimate: Option<f64>,
    /// Standard error of the logarithm; `None` when a cell that it divides by is zero.
    pub std_error: Option<f64>,
    /// Normal deviate of the ratio 1.
    pub statistic: Option<f64>,
    /// Two-sided p-value of the ratio 1.
    pub p_value: Option<f64>,
    /// Lower limit, at least 0.
    pub conf_low: Option<f64>,
    /// Upper limit; `None` when the interval is open.
    pub conf_high: Option<f64>,
}

/// Logarithms of limits are found to this accuracy.
const LIMIT_TOLERANCE: f64 = 1e-13;

/// Logarithms of limits are searched within this distance of 0; counts are below 2⁶⁴, and so is any finite limit's
/// distance from their ratio.
const FARTHEST: f64 = 300.0;

/// The ratio of two proportions, or of their odds.
///
/// Score: `{θ: |T(θ)| ≤ z}` (Miettinen and Nurminen 1985, doi 10.1002/sim.4780040211, sections 3 and 4), with the
/// proportions `p̃` that maximize the likelihood under the ratio θ:
/// risk ratio `T = (p1 − θ p0) / √(k (p̃1q̃1/n1 + θ² p̃0q̃0/n0))`, odds ratio
/// `T = n1(p1 − p̃1) √(1/(n1p̃1q̃1) + 1/(n0p̃0q̃0)) / √k`, `k = N/(N−1)`. At θ = 1 both are the score test of equal
/// proportions. Log-Wald standard errors: `√(1/x1 − 1/n1 + 1/x0 − 1/n0)` (Katz et al. 1978) and
/// `√(1/x1 + 1/(n1−x1) + 1/x0 + 1/(n0−x0))` (Woolf 1955).
///
/// Assumes independent units within and between the arms. Errors: an arm without units, more events than units, a
/// level outside (0, 1).
///
/// ```
/// use lottning::estimation::Counts;
/// use lottning::estimation::proportion_ratios::{Limits, Ratio, ratio};
/// let counts = Counts { treated_events: 0, treated_units: 10, control_events: 3, control_units: 10 };
/// let effect = ratio(counts, Ratio::Risk, Limits::Score, 0.95)?;
/// assert_eq!((effect.estimate, effect.conf_low), (Some(0.0), Some(0.0)));
/// assert!(effect.conf_high.is_some_and(|high| high < 1.2));
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
pub fn ratio(
    counts: Counts,
    which: Ratio,
    limits: Limits,
    level: f64,
) -> Result<RatioEffect, EstimationError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(EstimationError::Level { level });
    }
    counts.check(&Labels::default())?;
    let z = -normal::quantile(0.5 * (1.0 - level))?;
    let table = Table {
        x1: counts.treated_events as f64,
        y1: (counts.treated_units - counts.treated_events) as f64,
        x0: counts.control_events as f64,
        y0: (counts.control_units - counts.control_events) as f64,
    };
    Ok(match limits {
        Limits::Score => table.score(which, z),
        Limits::LogWald => table.log_wald(which, z),
    })
}

/// Events `x` and non-events `y`.
#[derive(Debug, Clone, Copy)]
struct Table {
    x1: f64,
    y1: f64,
    x0: f64,
    y0: f64,
}

impl Table {
    fn n1(&self) -> f64 {
        self.x1 + self.y1
    }

    fn n0(&self) -> f64 {
        self.x0 + self.y0
    }

    /// N/(N−1).
    fn inflation(&self) -> f64 {
        let n = self.n1() + self.n0();
        n / (n - 1.0)
    }

    /// Numerator and denominator of the ratio, as products of whole numbers.
    fn parts(&self, which: Ratio) -> (f64, f64) {
        match which {
            Ratio::Risk => (self.x1 * self.n0(), self.x0 * self.n1()),
            Ratio::Odds => (self.x1 * self.y0, self.x0 * self.y1),
        }
    }

    fn estimate(&self, which: Ratio) -> Option<f64> {
        let (top, bottom) = self.parts(which);
        (bottom > 0.0).then(|| top / bottom)
    }

    fn log_std_error(&self, which: Ratio) -> Option<f64> {
        let square = match which {
            // 1/x − 1/n = y/(x n), without the cancellation.
            Ratio::Risk => self.y1 / (self.x1 * self.n1()) + self.y0 / (self.x0 * self.n0()),
            Ratio::Odds => 1.0 / self.x1 + 1.0 / self.y1 + 1.0 / self.x0 + 1.0 / self.y0,
        };
        let cells = match which {
            Ratio::Risk => self.x1.min(self.x0),
            Ratio::Odds => self.x1.min(self.y1).min(self.x0).min(self.y0),
        };
        (cells > 0.0).then(|| square.sqrt())
    }

    fn log_wald(&self, which: Ratio, z: f64) -> RatioEffect {
        let estimate = self.estimate(which);
        let std_error = self.log_std_error(which);
        let usable = std_error.filter(|se| *se > 0.0).zip(estimate);
        let statistic = usable.map(|(se, estimate)| libm::log(estimate) / se);
        RatioEffect {
            estimate,
            std_error,
            statistic,
            p_value: statistic.map(normal::two_sided),
            conf_low: usable.map(|(se, estimate)| estimate * libm::exp(-z * se)),
            conf_high: usable.map(|(se, estimate)| estimate * libm::exp(z * se)),
        }
    }

    fn score(&self, which: Ratio, z: f64) -> RatioEffect {
        let (top, bottom) = self.parts(which);
        let statistic = self.score_at(which, 0.0);
        // T decreases in the ratio, and is zero at the estimate.
        let centre = if top > 0.0 && bottom > 0.0 {
            libm::log(top / bottom)
        } else {
            0.0
        };
        let limit = |from: f64, to: f64, bound: f64| {
            let root = bisect(from, to, LIMIT_TOLERANCE, |t| {
                self.score_at(which, t) > bound
            });
            libm::exp(root)
        };
        let low = if top > 0.0 {
            let from = if bottom > 0.0 { centre } else { FARTHEST };
            limit(-FARTHEST, from, z)
        } else {
            0.0
        };
        let high = (bottom > 0.0).then(|| {
            let from = if top > 0.0 { centre } else { -FARTHEST };
            limit(from, FARTHEST, -z)
        });
        RatioEffect {
            estimate: self.estimate(which),
            std_error: self.log_std_error(which),
            statistic: Some(statistic),
            p_value: Some(normal::two_sided(statistic)),
            conf_low: Some(low),
            conf_high: high,
        }
    }

    /// T at a logarithm of the ratio; zero when numerator and variance are both zero.
    fn score_at(&self, which: Ratio, log_ratio: f64) -> f64 {
        let root = self.inflation().sqrt();
        if log_ratio == 0.0 {
            return self.equality() / root;
        }
        let t = match which {
            Ratio::Risk => self.risk_score(libm::exp(log_ratio)),
            Ratio::Odds => self.odds_score(libm::exp(log_ratio)),
        };
        t / root
    }

    /// The score statistic of equal proportions, pooled; exactly zero for equal proportions.
    fn equality(&self) -> f64 {
        let (n1, n0) = (self.n1(), self.n0());
        let (x, y) = (self.x1 + self.x0, self.y1 + self.y0);
        let difference = self.x1 * n0 - self.x0 * n1;
        if difference == 0.0 {
            return 0.0;
        }
        // (p1 − p0)/√(p̄q̄(1/n1 + 1/n0)) over one denominator.
        difference / (n1 * n0).sqrt() / (x * y / (n1 + n0)).sqrt()
    }

    fn risk_score(&self, theta: f64) -> f64 {
        let (n1, n0) = (self.n1(), self.n0());
        let numerator = self.x1 / n1 - theta * (self.x0 / n0);
        // N θ p² − (θ(n1 + x0) + x1 + n0) p + x1 + x0 = 0, the smaller root.
        let a = (n1 + n0) * theta;
        let b = theta * (n1 + self.x0) + self.x1 + n0;
        let c = self.x1 + self.x0;
        let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
        let p0 = (2.0 * c / (b + root)).min(1.0);
        let p1 = (theta * p0).min(1.0);
        let variance = p1 * (1.0 - p1) / n1 + theta * theta * p0 * (1.0 - p0) / n0;
        quotient(numerator, variance)
    }

    fn odds_score(&self, psi: f64) -> f64 {
        let (n1, n0) = (self.n1(), self.n0());
        let m = self.x1 + self.x0;
        // n0(ψ−1) p² + ((n1 − m)ψ + n0 + m) p − m = 0, the root between 0 and 1; q = 1 − p by the mirrored equation, so
        // that neither is a difference of near numbers.
        let p0 = proportion(n1, n0, m, psi);
        let q0 = proportion(n1, n0, n1 + n0 - m, 1.0 / psi);
        let (odds, total) = (psi * p0, psi * p0 + q0);
        let (p1, q1) = (odds / total, q0 / total);
        let (v1, v0) = (n1 * p1 * q1, n0 * p0 * q0);
        // n1(p1 − p̃1) √(1/v1 + 1/v0) = n1(p1 − p̃1)/√(v1 v0/(v1 + v0)). All four cells deviate from what is expected
        // by the same amount; the cell where the least is expected gives it with the most digits.
        let cells = [
            (n1 * p1, self.x1, 1.0),
            (n1 * q1, self.y1, -1.0),
            (n0 * p0, self.x0, -1.0),
            (n0 * q0, self.y0, 1.0),
        ];
        let least = cells.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let numerator = least.map_or(0.0, |(expected, seen, sign)| sign * (seen - expected));
        quotient(numerator, v1 * v0 / (v1 + v0))
    }
}

/// The control proportion with `m` events in all and odds ratio `psi`.
fn proportion(n1: f64, n0: f64, m: f64, psi: f64) -> f64 {
    let a = n0 * (psi - 1.0);
    let b = (n1 - m) * psi + n0 + m;
    let root = (b * b + 4.0 * a * m).max(0.0).sqrt();
    let p = if b >= 0.0 {
        2.0 * m / (b + root)
    } else {
        (root - b) / (2.0 * a)
    };
    p.clamp(0.0, 1.0)
}

fn quotient(numerator: f64, variance: f64) -> f64 {
    if numerator == 0.0 {
        0.0
    } else {
        numerator / variance.sqrt()
    }
}
