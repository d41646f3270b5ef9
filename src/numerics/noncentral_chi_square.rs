//! The noncentral chi-square distribution, from which the power of a chi-square test comes.

use super::NumericsError;
use super::chi_square::ChiSquare;
use super::poisson_mixture::mean;

/// The sum of squares of `df` normal variables of variance 1 whose means squared sum to `ncp`.
///
/// With J a Poisson number of mean λ/2 it is chi-square with `df + 2J` degrees of freedom (Johnson, Kotz and Balakrishnan
/// 1995, Continuous Univariate Distributions 2, equation 29.2).
///
/// ```
/// use lottning::numerics::chi_square::ChiSquare;
/// use lottning::numerics::noncentral_chi_square::NoncentralChiSquare;
/// // Power of a test at .05 with one degree of freedom: effect size w = .3, N = 100.
/// let critical = ChiSquare::new(1.0)?.quantile(0.95)?;
/// let power = NoncentralChiSquare::new(1.0, 100.0 * 0.3 * 0.3)?.sf(critical);
/// assert!((power - 0.850_838_768_327).abs() < 1e-10); // R 4.2.2, pchisq
/// # Ok::<(), lottning::numerics::NumericsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoncentralChiSquare {
    df: f64,
    ncp: f64,
}

impl NoncentralChiSquare {
    /// A distribution with real `df > 0` and noncentrality `ncp` of 0 to 1e6.
    ///
    /// # Errors
    /// [`NumericsError::Domain`] otherwise.
    pub fn new(df: f64, ncp: f64) -> Result<Self, NumericsError> {
        NumericsError::positive("noncentral chi-square", "df", df)?;
        if !(0.0..=1e6).contains(&ncp) {
            return Err(NumericsError::Domain {
                function: "noncentral chi-square",
                name: "ncp",
                value: ncp,
            });
        }
        Ok(Self { df, ncp })
    }

    /// `P(X ≤ x)`; 0 for x ≤ 0.
    pub fn cdf(&self, x: f64) -> f64 {
        mean(0.5 * self.ncp, |j| {
            ChiSquare::new(self.df + 2.0 * j).map_or(0.0, |central| central.cdf(x))
        })
    }

    /// `P(X > x)`; 1 for x ≤ 0.
    pub fn sf(&self, x: f64) -> f64 {
        mean(0.5 * self.ncp, |j| {
            ChiSquare::new(self.df + 2.0 * j).map_or(0.0, |central| central.sf(x))
        })
    }
}
