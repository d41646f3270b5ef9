//! The chi-square distribution: tails of statrs, quantile polished because that of statrs is off in small tails.

use super::NumericsError;
use super::root::monotone_quantile;
use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF};

/// Chi-square with `df` degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    inner: ChiSquared,
}

impl ChiSquare {
    /// A distribution with real `df > 0`.
    pub fn new(df: f64) -> Result<Self, NumericsError> {
        NumericsError::positive("chi-square", "df", df)?;
        ChiSquared::new(df)
            .map(|inner| Self { inner })
            .map_err(|_| NumericsError::Domain {
                function: "chi-square",
                name: "df",
                value: df,
            })
    }

    /// `P(X ≤ x)`; 0 for x ≤ 0.
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { self.inner.cdf(x) }
    }

    /// `P(X > x)`; 1 for x ≤ 0.
    ///
    /// ```
    /// use lottning::numerics::chi_square::ChiSquare;
    /// let p = ChiSquare::new(2.0)?.sf(3.0);
    /// assert!((p - (-1.5f64).exp()).abs() < 1e-15); // with two degrees of freedom the tail is exp(−x/2)
    /// # Ok::<(), lottning::numerics::NumericsError>(())
    /// ```
    pub fn sf(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { self.inner.sf(x) }
    }

    /// The value below which X falls with probability `p`, for 0 < p < 1.
    pub fn quantile(&self, p: f64) -> Result<f64, NumericsError> {
        NumericsError::probability("quantile of chi-square", p)?;
        Ok(monotone_quantile(
            p,
            |x| self.cdf(x),
            |x| self.sf(x),
            |x| self.inner.pdf(x),
            f64::INFINITY,
        ))
    }
}
