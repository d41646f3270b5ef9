//! The probability index `θ = P(X > Y) + ½ P(X = Y)` of two samples, its standard error and its intervals.
//!
//! `X` is a treated outcome, `Y` a control outcome. The test of equal distributions is `ranks`'s.

use super::error::EstimationError;
use super::ranks::Samples;
use crate::numerics::normal;
use crate::numerics::root::bisect;
use crate::numerics::student_t::StudentT;

/// Limits are found to this accuracy.
const LIMIT_TOLERANCE: f64 = 1e-13;

/// θ̂ with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ProbabilityIndex {
    /// Mean of the placements: the Mann–Whitney count over mn.
    pub(super) estimate: f64,
    /// Number of pairs in which the treated value is larger, ties counting half.
    pub(super) count: f64,
    /// Standard error of Brunner and Munzel (2000), which is DeLong's; `None` with one row in an arm.
    pub(super) std_error: Option<f64>,
    /// Its Satterthwaite degrees of freedom; `None` without a standard error above 0.
    pub(super) df: Option<f64>,
    m: f64,
    n: f64,
}

impl ProbabilityIndex {
    /// Placements of the treated rows `V_i = (#{y < x_i} + ½#{y = x_i})/n` and of the control rows
    /// `W_j = (#{x > y_j} + ½#{x = y_j})/m`; `θ̂ = V̄ = W̄`, `s² = S²_V/m + S²_W/n` and
    /// `df = s⁴/((S²_V/m)²/(m−1) + (S²_W/n)²/(n−1))` (Brunner and Munzel 2000, doi
    /// 10.1002/(SICI)1521-4036(200001)42:1<17::AID-BIMJ17>3.0.CO;2-U; DeLong, DeLong and Clarke-Pearson 1988, doi
    /// 10.2307/2531595).
    pub(super) fn new(samples: &Samples) -> Self {
        let rows = (samples.x.len(), samples.y.len());
        Self::of_groups(&samples.groups(0.0), rows)
    }

    /// As [`Self::new`], of the numbers of treated and control rows with each value in rising order, and of all.
    pub(super) fn of_groups(groups: &[(usize, usize)], (m, n): (usize, usize)) -> Self {
        let (m, n) = (m as f64, n as f64);
        let mut doubled = 0u64;
        let mut below = 0;
        for (a, b) in groups {
            doubled += *a as u64 * (2 * below + *b as u64);
            below += *b as u64;
        }
        let count = 0.5 * doubled as f64;
        let estimate = count / (m * n);
        let (mut x_before, mut y_before) = (0.0, 0.0);
        let (mut v, mut w) = (0.0, 0.0);
        for (a, b) in groups {
            let (a, b) = (*a as f64, *b as f64);
            let own = (y_before + 0.5 * b) / n - estimate;
            let other = (m - x_before - 0.5 * a) / m - estimate;
            v += a * own * own;
            w += b * other * other;
            x_before += a;
            y_before += b;
        }
        let (v, w) = (v / (m - 1.0) / m, w / (n - 1.0) / n);
        let square = v + w;
        let std_error = (m > 1.0 && n > 1.0).then(|| {
            // Placements that are all alike differ by rounding only.
            let rounding = square <= 1e-30;
            if rounding { 0.0 } else { square.sqrt() }
        });
        let df = std_error.filter(|s| *s > 0.0).map(|_| {
            let (v, w) = (v / square, w / square);
            1.0 / (v * v / (m - 1.0) + w * w / (n - 1.0))
        });
        Self {
            estimate,
            count,
            std_error,
            df,
            m,
            n,
        }
    }

    /// `logit⁻¹(logit θ̂ ± t·s/(θ̂(1 − θ̂)))` (Brunner, Bathke and Konietschke 2018, doi 10.1007/978-3-030-02914-2,
    /// section 3.7); `None` without a standard error above 0.
    pub(super) fn logit(&self, level: f64) -> Result<Option<(f64, f64)>, EstimationError> {
        let (Some(std_error), Some(df)) = (self.std_error, self.df) else {
            return Ok(None);
        };
        let t = StudentT::new(df)?.quantile_sf(0.5 * (1.0 - level))?;
        let theta = self.estimate;
        let centre = libm::log(theta / (1.0 - theta));
        let half = t * std_error / (theta * (1.0 - theta));
        let inverse = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        Ok(Some((inverse(centre - half), inverse(centre + half))))
    }

    /// Brunner and Munzel's two-sided p of θ = ½.
    pub(super) fn brunner_munzel(&self) -> Result<Option<f64>, EstimationError> {
        let (Some(std_error), Some(df)) = (self.std_error, self.df) else {
            return Ok(None);
        };
        let t = StudentT::new(df)?;
        Ok(Some(t.two_sided((self.estimate - 0.5) / std_error)))
    }

    /// Newcombe's pseudo-score interval (2006, doi 10.1002/sim.2324, method 5): `{θ: |θ̂ − θ| ≤ z√v(θ)}` with
    /// `v(θ) = θ(1−θ)(1 + N*(1−θ)/(2−θ) + N*θ/(1+θ))/(mn)`, `N* = (m+n)/2 − 1`. It exists whatever the data.
    pub(super) fn newcombe(&self, level: f64) -> Result<(f64, f64), EstimationError> {
        let z = -normal::quantile(0.5 * (1.0 - level))?;
        let star = 0.5 * (self.m + self.n) - 1.0;
        let half = |theta: f64| {
            let q = 1.0 - theta;
            let sum = 1.0 + star * q / (1.0 + q) + star * theta / (1.0 + theta);
            z * (theta * q * sum / (self.m * self.n)).sqrt()
        };
        let theta = self.estimate;
        let low = if theta > 0.0 {
            bisect(0.0, theta, LIMIT_TOLERANCE, |t| theta - t > half(t))
        } else {
            0.0
        };
        let high = if theta < 1.0 {
            bisect(theta, 1.0, LIMIT_TOLERANCE, |t| t - theta <= half(t))
        } else {
            1.0
        };
        Ok((low, high))
    }
}
