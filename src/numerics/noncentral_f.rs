//! The noncentral F distribution, from which the power of an analysis of variance comes.

use super::NumericsError;
use super::beta::Beta;
use super::poisson_mixture::mean;

/// A noncentral chi-square over an independent central one, each divided by its degrees of freedom.
///
/// With J a Poisson number of mean λ/2, `df1·F/(df1·F + df2)` is beta with shapes `df1/2 + J` and `df2/2` (Johnson, Kotz and
/// Balakrishnan 1995, Continuous Univariate Distributions 2, equation 30.10).
///
/// ```
/// use lottning::numerics::f::F;
/// use lottning::numerics::noncentral_f::NoncentralF;
/// // Analysis of variance of four groups of 20, f = .28, at .05.
/// let critical = F::new(3.0, 76.0)?.quantile(0.95)?;
/// let power = NoncentralF::new(3.0, 76.0, 80.0 * 0.28 * 0.28)?.sf(critical);
/// // mpmath, thirty digits; R 4.2.2 has 0.514979292197, as its pf stops at 1e-9.
/// assert!((power - 0.514_979_291_964).abs() < 1e-10);
/// # Ok::<(), lottning::numerics::NumericsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoncentralF {
    df1: f64,
    df2: f64,
    ncp: f64,
}

impl NoncentralF {
    /// A distribution with real `df1 > 0` (numerator), `df2 > 0` (denominator) and noncentrality `ncp` of 0 to 1e6.
    ///
    /// # Errors
    /// [`NumericsError::Domain`] otherwise.
    pub fn new(df1: f64, df2: f64, ncp: f64) -> Result<Self, NumericsError> {
        NumericsError::positive("noncentral F", "df1", df1)?;
        NumericsError::positive("noncentral F", "df2", df2)?;
        if !(0.0..=1e6).contains(&ncp) {
            return Err(NumericsError::Domain {
                function: "noncentral F",
                name: "ncp",
                value: ncp,
            });
        }
        Ok(Self { df1, df2, ncp })
    }

    /// `P(X ≤ x)`; 0 for x ≤ 0.
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        let y = self.df1 * x / (self.df1 * x + self.df2);
        mean(0.5 * self.ncp, |j| {
            Beta::new(0.5 * self.df1 + j, 0.5 * self.df2).map_or(0.0, |central| central.cdf(y))
        })
    }

    /// `P(X > x)`; 1 for x ≤ 0.
    pub fn sf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 1.0;
        }
        let y = self.df1 * x / (self.df1 * x + self.df2);
        mean(0.5 * self.ncp, |j| {
            Beta::new(0.5 * self.df1 + j, 0.5 * self.df2).map_or(0.0, |central| central.sf(y))
        })
    }
}
