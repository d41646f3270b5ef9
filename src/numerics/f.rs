//! Snedecor's F distribution: tails of statrs, quantile polished because that of statrs loses digits from 5000
//! degrees of freedom on.

use super::NumericsError;
use super::root::monotone_quantile;
use statrs::distribution::{Continuous, ContinuousCDF, FisherSnedecor};

/// F with `df1` and `df2` degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct F {
    inner: FisherSnedecor,
}

impl F {
    /// A distribution with real `df1 > 0` (numerator) and `df2 > 0` (denominator).
    pub fn new(df1: f64, df2: f64) -> Result<Self, NumericsError> {
        NumericsError::positive("F", "df1", df1)?;
        NumericsError::positive("F", "df2", df2)?;
        FisherSnedecor::new(df1, df2)
            .map(|inner| Self { inner })
            .map_err(|_| NumericsError::Domain {
                function: "F",
                name: "df1",
                value: df1,
            })
    }

    /// `P(X ≤ x)`; 0 for x ≤ 0.
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { self.inner.cdf(x) }
    }

    /// `P(X > x)`; 1 for x ≤ 0.
    pub fn sf(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { self.inner.sf(x) }
    }

    /// The value below which X falls with probability `p`, for 0 < p < 1.
    pub fn quantile(&self, p: f64) -> Result<f64, NumericsError> {
        NumericsError::probability("quantile of F", p)?;
        Ok(monotone_quantile(
            p,
            |x| self.cdf(x),
            |x| self.sf(x),
            |x| self.inner.pdf(x),
            f64::INFINITY,
        ))
    }
}
