//! The beta distribution: tails of statrs, quantile polished because that of statrs is floored at about 1e-17.

use super::NumericsError;
use super::root::monotone_quantile;
use statrs::distribution::{Beta as Inner, Continuous, ContinuousCDF};

/// Beta with shapes `a` and `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    inner: Inner,
}

impl Beta {
    /// A distribution with real `a > 0` and `b > 0`.
    pub fn new(a: f64, b: f64) -> Result<Self, NumericsError> {
        NumericsError::positive("beta", "a", a)?;
        NumericsError::positive("beta", "b", b)?;
        Inner::new(a, b)
            .map(|inner| Self { inner })
            .map_err(|_| NumericsError::Domain {
                function: "beta",
                name: "a",
                value: a,
            })
    }

    /// `P(X ≤ x)`, the regularized incomplete beta function; 0 for x ≤ 0, 1 for x ≥ 1.
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            0.0
        } else if x >= 1.0 {
            1.0
        } else {
            self.inner.cdf(x)
        }
    }

    /// `P(X > x)`; 1 for x ≤ 0, 0 for x ≥ 1.
    pub fn sf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            1.0
        } else if x >= 1.0 {
            0.0
        } else {
            self.inner.sf(x)
        }
    }

    /// The value below which X falls with probability `p`, for 0 < p < 1.
    pub fn quantile(&self, p: f64) -> Result<f64, NumericsError> {
        NumericsError::probability("quantile of beta", p)?;
        Ok(monotone_quantile(
            p,
            |x| self.cdf(x),
            |x| self.sf(x),
            |x| self.inner.pdf(x),
            1.0,
        ))
    }
}
