//! The two-by-two table with both margins fixed: conditional odds ratio, exact interval, exact p-values.
//!
//! Given the number of events in all, the events of the treated arm have Fisher's noncentral hypergeometric
//! distribution, `P(X = x) ∝ C(n1, x) C(n0, m − x) ψ^x`, which holds nothing but the odds ratio ψ. Probabilities are
//! products of ratios of neighbours, outward from the mode, so that no factorial is formed and nothing overflows.

use super::columns::Counts;
use super::error::EstimationError;
use crate::numerics::root::brent;
use std::cmp::Ordering;

/// The most units of both arms: sums run over the possible tables.
pub const MOST_UNITS: u64 = 100_000_000;

/// Two tables are equally likely when their probabilities differ by less than this part (as in R's `fisher.test`).
pub const TIE_TOLERANCE: f64 = 1e-7;

/// Terms below this part of the largest are left out of a sum.
const NEGLIGIBLE: f64 = 1e-22;

/// Logarithms of limits are found to this accuracy.
const LIMIT_TOLERANCE: f64 = 1e-13;

/// The exact analysis of a two-by-two table. What does not exist is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConditionalOdds {
    /// Conditional maximum-likelihood odds ratio, treated over control; `None` when infinite or undefined.
    pub estimate: Option<f64>,
    /// Standard error of its logarithm from the conditional information; `None` at the ends of the range.
    pub std_error: Option<f64>,
    /// Lower limit of the central interval, at least 0.
    pub conf_low: f64,
    /// Upper limit; `None` when the interval is open.
    pub conf_high: Option<f64>,
    /// `min(1, 2·smaller tail)` at ψ = 1; the interval is its inversion.
    pub p_central: f64,
    /// Probability at ψ = 1 of all tables that are not more likely than the observed one.
    pub p_minlike: f64,
}

/// Analyses a table. `level` is in (0, 1).
///
/// Estimate: the ψ with `E_ψ[X] = x` (Cornfield 1956). Limits: the ψ with `P_ψ(X ≥ x) = α/2` and `P_ψ(X ≤ x) = α/2`,
/// so coverage is at least nominal. Standard error: `1/√Var_ψ̂[X]`.
///
/// Errors: an arm without units, more events than units, more than [`MOST_UNITS`] units, a level outside (0, 1).
///
/// ```
/// use lottning::estimation::Counts;
/// use lottning::estimation::conditional_odds::conditional_odds;
/// // Fisher's tea: 3 of 4 and 1 of 4; p = (16 + 1 + 16 + 1)/70 = 34/70 by counting.
/// let tea = Counts { treated_events: 3, treated_units: 4, control_events: 1, control_units: 4 };
/// let exact = conditional_odds(tea, 0.95)?;
/// assert!((exact.p_minlike - 34.0 / 70.0).abs() < 1e-14);
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
pub fn conditional_odds(counts: Counts, level: f64) -> Result<ConditionalOdds, EstimationError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(EstimationError::Level { level });
    }
    for (arm, events, units) in [
        ("treated", counts.treated_events, counts.treated_units),
        ("control", counts.control_events, counts.control_units),
    ] {
        if units == 0 || events > units {
            return Err(EstimationError::Counts {
                arm: arm.to_owned(),
                events,
                units,
            });
        }
    }
    let units = counts.treated_units.saturating_add(counts.control_units);
    if units > MOST_UNITS {
        return Err(EstimationError::TooManyUnits {
            units,
            most: MOST_UNITS,
        });
    }
    let margins = Margins {
        n1: counts.treated_units as i64,
        n0: counts.control_units as i64,
        m: (counts.treated_events + counts.control_events) as i64,
    };
    margins.analyse(counts.treated_events as i64, 0.5 * (1.0 - level))
}

/// The fixed margins: units of both arms and events in all.
#[derive(Debug, Clone, Copy)]
struct Margins {
    n1: i64,
    n0: i64,
    m: i64,
}

/// Sums over the distribution at one ψ, relative to the probability of the mode.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    total: f64,
    /// Over x at most the observed, and at least the observed.
    at_most: f64,
    at_least: f64,
    mean: f64,
    variance: f64,
}

/// A positive number as `mantissa · exp(−level · SHIFT)`.
#[derive(Debug, Clone, Copy)]
struct Scaled {
    mantissa: f64,
    level: i32,
}

/// `ln 2^600`.
const SHIFT: f64 = 415.888_308_335_967_2;
const SHRINK: f64 = 2.409_919_865_102_884e-181; // 2^−600
const GROW: f64 = 4.149_515_568_880_993e180; // 2^600

impl Scaled {
    fn times(self, factor: f64) -> Self {
        let mantissa = self.mantissa * factor;
        if mantissa < SHRINK {
            Self {
                mantissa: mantissa * GROW,
                level: self.level + 1,
            }
        } else {
            Self {
                mantissa,
                level: self.level,
            }
        }
    }

    /// Relative to a power of 2^−600: zero when too far below.
    fn at(self, level: i32) -> f64 {
        match self.level - level {
            0 => self.mantissa,
            1 => self.mantissa * SHRINK,
            -1 => self.mantissa * GROW,
            below if below > 1 => 0.0,
            _ => f64::INFINITY,
        }
    }
}

impl Margins {
    fn lowest(&self) -> i64 {
        (self.m - self.n0).max(0)
    }

    fn highest(&self) -> i64 {
        self.m.min(self.n1)
    }

    /// `P(X = x+1)/P(X = x)` at ψ = 1.
    fn up(&self, x: i64) -> f64 {
        let (a, b) = ((self.n1 - x) as f64, (self.m - x) as f64);
        let (c, d) = ((x + 1) as f64, (self.n0 - self.m + x + 1) as f64);
        (a / c) * (b / d)
    }

    /// The most likely value: the first whose successor is less likely.
    fn mode(&self, psi: f64) -> i64 {
        let (mut low, mut high) = (self.lowest(), self.highest());
        while low < high {
            let middle = low + (high - low) / 2;
            if psi * self.up(middle) > 1.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Values from the mode upward or downward with their probability relative to that of the mode, until `stop`.
    fn walk(&self, mode: i64, psi: f64, upward: bool, mut each: impl FnMut(i64, Scaled) -> bool) {
        let mut weight = Scaled {
            mantissa: 1.0,
            level: 0,
        };
        let mut x = mode;
        loop {
            if upward {
                if x == self.highest() {
                    return;
                }
                weight = weight.times(psi * self.up(x));
                x += 1;
            } else {
                if x == self.lowest() {
                    return;
                }
                x -= 1;
                weight = weight.times(1.0 / (psi * self.up(x)));
            }
            if !each(x, weight) {
                return;
            }
        }
    }

    /// Total, tails, mean and variance at ψ.
    fn sums(&self, observed: i64, psi: f64) -> Sums {
        let mode = self.mode(psi);
        let mut sums = Sums::default();
        let (mut first, mut second) = (0.0, 0.0);
        let mut add = |x: i64, weight: f64| {
            let distance = (x - mode) as f64;
            sums.total += weight;
            first += distance * weight;
            second += distance * distance * weight;
            if x <= observed {
                sums.at_most += weight;
            }
            if x >= observed {
                sums.at_least += weight;
            }
        };
        add(mode, 1.0);
        for upward in [true, false] {
            self.walk(mode, psi, upward, |x, weight| {
                let weight = weight.at(0);
                add(x, weight);
                weight > NEGLIGIBLE
            });
        }
        let mean = first / sums.total;
        sums.variance = (second / sums.total - mean * mean).max(0.0);
        sums.mean = mode as f64 + mean;
        sums
    }

    fn analyse(&self, observed: i64, tail: f64) -> Result<ConditionalOdds, EstimationError> {
        let (lowest, highest) = (self.lowest(), self.highest());
        let (p_central, p_minlike) = self.p_values(observed);
        let inside = observed > lowest && observed < highest;
        // The sample odds ratio is near enough to every root to begin from.
        let (x, y) = (observed as f64, (self.n1 - observed) as f64);
        let (x0, y0) = (
            (self.m - observed) as f64,
            (self.n0 - self.m + observed) as f64,
        );
        let start = libm::log((x + 0.5) * (y0 + 0.5) / ((y + 0.5) * (x0 + 0.5)));
        let spread =
            (1.0 / (x + 0.5) + 1.0 / (y + 0.5) + 1.0 / (x0 + 0.5) + 1.0 / (y0 + 0.5)).sqrt();
        let (mut estimate, mut std_error) = (None, None);
        if inside {
            let root = rising(start, spread, |t| {
                self.sums(observed, libm::exp(t)).mean - observed as f64
            })?;
            let psi = libm::exp(root);
            estimate = Some(psi);
            std_error = Some(1.0 / self.sums(observed, psi).variance.sqrt());
        } else if observed == lowest && lowest < highest {
            estimate = Some(0.0);
        }
        let conf_low = if observed == lowest {
            0.0
        } else {
            libm::exp(rising(start, spread, |t| {
                let sums = self.sums(observed, libm::exp(t));
                libm::log(sums.at_least / sums.total / tail).max(-1e3)
            })?)
        };
        let conf_high = if observed == highest {
            None
        } else {
            Some(libm::exp(rising(start, spread, |t| {
                let sums = self.sums(observed, libm::exp(t));
                -libm::log(sums.at_most / sums.total / tail).max(-1e3)
            })?))
        };
        Ok(ConditionalOdds {
            estimate,
            std_error,
            conf_low,
            conf_high,
            p_central,
            p_minlike,
        })
    }

    /// Both p-values at ψ = 1, with full relative accuracy however small.
    fn p_values(&self, observed: i64) -> (f64, f64) {
        let mode = self.mode(1.0);
        let sums = self.sums(observed, 1.0);
        let total = sums.total;
        // The observed table's own probability, relative to the mode's.
        let mut own = Scaled {
            mantissa: 1.0,
            level: 0,
        };
        if observed != mode {
            self.walk(mode, 1.0, observed > mode, |x, weight| {
                own = weight;
                x != observed
            });
        }
        let most = own.mantissa * (1.0 + TIE_TOLERANCE);
        // Sums relative to 2^(−600·level), so that far tails keep their digits.
        let level = own.level;
        let (mut central, mut minlike) = ([0.0f64; 2], 0.0);
        if level == 0 && most >= 1.0 {
            minlike += 1.0;
        }
        for (side, upward) in [true, false].into_iter().enumerate() {
            let own_side = if upward {
                observed >= mode
            } else {
                observed <= mode
            };
            self.walk(mode, 1.0, upward, |x, weight| {
                let relative = weight.at(level);
                let reached = if upward { x >= observed } else { x <= observed };
                if own_side && reached {
                    central[side] += relative;
                }
                if relative <= most {
                    minlike += relative;
                }
                relative > NEGLIGIBLE * most
            });
        }
        let scale = |sum: f64| match level {
            0 => (sum / total).min(1.0),
            _ => libm::exp(libm::log(sum / total) - f64::from(level) * SHIFT),
        };
        // The tail away from the mode keeps its digits; the other one decides only near the mode.
        let (upper, lower) = match observed.cmp(&mode) {
            Ordering::Greater => (scale(central[0]), sums.at_most / total),
            Ordering::Equal => (sums.at_least / total, sums.at_most / total),
            Ordering::Less => (sums.at_least / total, scale(central[1])),
        };
        ((2.0 * upper.min(lower)).min(1.0), scale(minlike))
    }
}

/// The root of a rising function, from a start and a typical distance.
fn rising(
    start: f64,
    spread: f64,
    mut function: impl FnMut(f64) -> f64,
) -> Result<f64, EstimationError> {
    let (mut low, mut high, mut step) = (start - spread, start + spread, spread);
    for _ in 0..60 {
        if function(low) <= 0.0 {
            break;
        }
        step *= 2.0;
        low -= step;
    }
    step = spread;
    for _ in 0..60 {
        if function(high) >= 0.0 {
            break;
        }
        step *= 2.0;
        high += step;
    }
    // Below the smallest double ψ is no number; such limits do not occur with fewer than MOST_UNITS units.
    Ok(brent(
        low.max(-700.0),
        high.min(700.0),
        LIMIT_TOLERANCE,
        function,
    )?)
}
