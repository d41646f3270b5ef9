//! The overdispersion of counts: maximum likelihood of θ in the negative binomial distribution, given the means.
//!
//! With κ = 1/θ the variance is `μ + κμ²`. The slope of the log-likelihood in κ is written without gamma functions and
//! without differences of near numbers, so that it is right down to κ = 0, the Poisson distribution:
//! `Σ_i [Σ_{j<y} j/(1+jκ) − yμ/(1+μκ) + μ² B(μκ)]`, `B(x) = (ln(1+x) − x/(1+x))/x²`, `B(0) = ½`. At κ = 0 it is
//! `½ Σ((y − μ)² − y)`: not above zero means that the counts vary no more than Poisson counts do.

use super::error::EstimationError;
use crate::numerics::recent::Recent;
use crate::numerics::root::brent;

/// Whole numbers below this are summed one by one.
const ONE_BY_ONE: u64 = 1024;

/// The largest count, in units of θ, beyond which the slope is a sum of logarithms.
const FAR_FROM_POISSON: f64 = 1e4;

/// Nodes and weights of Gauss–Legendre quadrature with ten points on (−1, 1), positive half (Abramowitz and Stegun
/// 1964, table 25.4).
const NODES: [(f64, f64); 5] = [
    (0.148_874_338_981_631_2, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];

/// How many rows exceed each whole number, as runs.
#[derive(Debug, Clone)]
pub(super) struct Overdispersion {
    /// From, to (exclusive), rows whose count is above every number in between.
    runs: Vec<(u64, u64, f64)>,
}

impl Overdispersion {
    /// Of whole numbers from 0 below 2⁵³.
    pub(super) fn new(y: &[f64]) -> Self {
        let mut sorted: Vec<u64> = y.iter().map(|y| *y as u64).collect();
        sorted.sort_unstable();
        let mut runs = Vec::new();
        let mut from = 0;
        for (below, y) in sorted.iter().enumerate() {
            if *y > from {
                runs.push((from, *y, (sorted.len() - below) as f64));
                from = *y;
            }
        }
        Self { runs }
    }

    /// Derivative of the log-likelihood in κ ≥ 0.
    pub(super) fn slope(&self, kappa: f64, y: &[f64], mean: &[f64]) -> f64 {
        let most = self.runs.last().map_or(0.0, |(_, to, _)| *to as f64);
        if most * kappa > FAR_FROM_POISSON {
            return self.slope_of_large(kappa, y, mean);
        }
        let mut sum: f64 = self
            .runs
            .iter()
            .map(|(from, to, rows)| rows * harmonic(*from, *to, kappa))
            .sum();
        // Rows of an arm that were followed as long have the same mean.
        let mut recent = Recent::default();
        for (y, mu) in y.iter().zip(mean) {
            let x = mu * kappa;
            let own = recent.of([x], || bend(x));
            sum += mu * (mu * own - y / (1.0 + x));
        }
        sum
    }

    /// The same as `κ⁻² Σ_i [ln(1+μκ) + κ(y−μ)/(1+μκ) − κ Σ_{j<y} 1/(1+jκ)]`, whose terms are logarithms of counts where those above
    /// are counts, and which is κ⁻² times a difference of near numbers where κ is small.
    fn slope_of_large(&self, kappa: f64, y: &[f64], mean: &[f64]) -> f64 {
        let inverse = |x: f64| 1.0 / (1.0 + x * kappa);
        let steep = |x: f64| -kappa * inverse(x) * inverse(x);
        let runs = self.runs.iter();
        let sums = runs.map(|(from, to, rows)| rows * summed(*from, *to, inverse, steep));
        let sum: f64 = sums.sum();
        let mut own = 0.0;
        for (y, mu) in y.iter().zip(mean) {
            let x = mu * kappa;
            own += libm::log1p(x) + kappa * (y - mu) / (1.0 + x);
        }
        (own - kappa * sum) / kappa / kappa
    }

    /// [`Overdispersion::slope`] and its own slope, at κ > 0; `None` where a count is too large to sum up to it one by one.
    pub(super) fn slopes(&self, kappa: f64, y: &[f64], mean: &[f64]) -> Option<(f64, f64)> {
        if self.runs.last().is_some_and(|(_, to, _)| *to > ONE_BY_ONE) {
            return None;
        }
        let (mut slope, mut second) = (0.0, 0.0);
        for (from, to, rows) in &self.runs {
            for j in *from..*to {
                let part = j as f64 / (1.0 + j as f64 * kappa);
                slope += rows * part;
                second -= rows * part * part;
            }
        }
        // Rows of an arm that were followed as long have the same mean.
        let mut recent = Recent::default();
        for (y, mu) in y.iter().zip(mean) {
            let x = mu * kappa;
            let [own, part, steep] = recent.of([x], || {
                let (own, part) = (bend(x), 1.0 / (1.0 + x));
                // The slope of `bend`, of which a step needs few digits.
                let steep = if x < 0.02 {
                    x * (1.5 - 2.4 * x) - 2.0 / 3.0
                } else {
                    (part * part - 2.0 * own) / x
                };
                [own, part, steep]
            });
            slope += mu * (mu * own - y * part);
            second += mu * mu * (y * part * part + mu * steep);
        }
        Some((slope, second))
    }

    /// κ of maximum likelihood given the means; `None` when the counts are not overdispersed. `near` is a guess.
    pub(super) fn kappa(
        &self,
        y: &[f64],
        mean: &[f64],
        near: Option<f64>,
    ) -> Result<Option<f64>, EstimationError> {
        if self.slope(0.0, y, mean) <= 0.0 {
            return Ok(None);
        }
        let slope = |log_kappa: f64| self.slope(libm::exp(log_kappa), y, mean);
        let start = near.map_or(0.0, libm::log);
        let step = if near.is_some() { 0.05 } else { 1.0 };
        let (mut low, mut high, mut width) = (start - step, start + step, step);
        // ln κ within ±60: beyond, the likelihood has no maximum that a double can hold.
        while slope(low) <= 0.0 {
            width *= 2.0;
            low -= width;
            if low < -60.0 {
                return Ok(None);
            }
        }
        width = step;
        while slope(high) >= 0.0 {
            width *= 2.0;
            high += width;
            if high > 60.0 {
                return Err(EstimationError::NotConverged {
                    estimator: "negative-binomial",
                });
            }
        }
        Ok(Some(libm::exp(brent(low, high, 1e-13, slope)?)))
    }
}

/// `Σ_{j=from}^{to−1} j/(1+jκ)`.
fn harmonic(from: u64, to: u64, kappa: f64) -> f64 {
    let slope = |x: f64| 1.0 / ((1.0 + x * kappa) * (1.0 + x * kappa));
    summed(from, to, |x| x / (1.0 + x * kappa), slope)
}

/// `Σ_{j=from}^{to−1} term(j)` of a function with a slope.
fn summed(from: u64, to: u64, term: impl Fn(f64) -> f64, slope: impl Fn(f64) -> f64) -> f64 {
    let short = to.min(from.max(ONE_BY_ONE));
    let mut sum: f64 = (from..short).map(|j| term(j as f64)).sum();
    // Euler and Maclaurin on intervals that double, where the terms are smooth.
    let mut a = short;
    while a < to {
        let b = to.min(2 * a);
        let (low, high) = (a as f64, b as f64);
        let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
        let integral: f64 = NODES
            .iter()
            .map(|(node, weight)| {
                weight * (term(middle - half * node) + term(middle + half * node))
            })
            .sum();
        sum += half * integral - 0.5 * (term(high) - term(low)) + (slope(high) - slope(low)) / 12.0;
        a = b;
    }
    sum
}

/// `(ln(1+x) − x/(1+x))/x²`, by its series `Σ (−1)^n (n−1)/n x^(n−2)` where that cancels.
fn bend(x: f64) -> f64 {
    if x < 0.02 {
        let mut sum = 0.0;
        for n in (2..=12).rev() {
            let n = f64::from(n);
            sum = (n - 1.0) / n - x * sum;
        }
        return sum;
    }
    (libm::log1p(x) - x / (1.0 + x)) / (x * x)
}

#[cfg(test)]
mod tests {
    use super::{Overdispersion, bend, harmonic};

    /// Against the sums and logarithms as they stand, where those are accurate.
    #[test]
    fn short_cuts_are_the_sums() {
        for kappa in [0.0, 1e-9, 1e-3, 0.7, 40.0] {
            let plain: f64 = (900..70_000)
                .map(|j| f64::from(j) / (1.0 + f64::from(j) * kappa))
                .sum();
            let quick = harmonic(900, 70_000, kappa);
            assert!((quick / plain - 1.0).abs() < 1e-12, "{kappa}");
        }
        let x = 0.019_999_f64;
        let plain = (x.ln_1p() - x / (1.0 + x)) / (x * x);
        assert!((bend(x) / plain - 1.0).abs() < 1e-12);
        assert!((bend(0.0) - 0.5).abs() < 1e-15);
    }

    /// Beside the slope by itself, and a quotient of differences of it; κμ on both sides of where the series ends.
    #[test]
    fn slopes_are_the_slope_and_its_slope() {
        let y = [0.0, 1.0, 5.0, 2.0, 0.0, 9.0];
        let of = Overdispersion::new(&y);
        let mean = [0.01, 0.5, 2.0, 3.0, 1.0, 4.0];
        for kappa in [0.004, 0.3, 2.0] {
            let near =
                |own: f64, other: f64, by: f64| (own - other).abs() <= by * other.abs().max(1.0);
            let by = 1e-5 * kappa;
            let [below, at, above] =
                [kappa - by, kappa, kappa + by].map(|k| of.slope(k, &y, &mean));
            let found = of.slopes(kappa, &y, &mean);
            assert!(
                found.is_some_and(|(slope, second)| near(slope, at, 1e-12)
                    && near(second, (above - below) / (2.0 * by), 1e-4)),
                "{kappa}: {found:?}"
            );
        }
        assert_eq!(
            Overdispersion::new(&[5000.0]).slopes(1.0, &[5000.0], &[3.0]),
            None
        );
    }

    /// y = 0, 4 with mean 2 each: the slope in κ at 0 is ½((−2)² + 2² − 4) = 2 > 0.
    #[test]
    fn the_slope_at_poisson_is_the_excess_variance() {
        let y = [0.0, 4.0];
        let of = Overdispersion::new(&y);
        assert!((of.slope(0.0, &y, &[2.0, 2.0]) - 2.0).abs() < 1e-14);
        assert_eq!(
            of.kappa(&y, &[4.0, 4.0], None).map(|k| k.is_some()),
            Ok(true)
        );
        let even = [2.0, 2.0];
        let of = Overdispersion::new(&even);
        assert_eq!(of.kappa(&even, &[2.0, 2.0], None), Ok(None));
    }

    /// Both forms of the slope where both are good: counts of thousands, κ about 1.
    #[test]
    fn the_slope_of_large_counts_is_the_slope() {
        let (y, mean) = (
            [3000.0, 1500.0, 40.0, 7000.0],
            [2500.0, 2500.0, 900.0, 6500.0],
        );
        let of = Overdispersion::new(&y);
        for kappa in [0.3, 0.9, 1.2] {
            let (own, other) = (
                of.slope(kappa, &y, &mean),
                of.slope_of_large(kappa, &y, &mean),
            );
            assert!((own - other).abs() < 1e-8, "{own} and {other}");
        }
    }
}
