//! Tests of a statistic that is noncentral t: its power, and what distance or alpha has a power.

use super::power_error::PowerError;
use crate::numerics::NumericsError;
use crate::numerics::noncentral_t::NoncentralT;
use crate::numerics::root::brent;
use crate::numerics::student_t::StudentT;

/// A t test with one or two sides; two always count both tails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TTest {
    /// 1 or 2.
    pub(super) sides: u8,
}

impl TTest {
    /// The upper `alpha/sides` point of t.
    pub(super) fn critical(self, df: f64, alpha: f64) -> Result<f64, PowerError> {
        if df.is_nan() || df <= 0.0 {
            return Err(PowerError::NoDegreesOfFreedom { df });
        }
        Ok(StudentT::new(df)?.quantile_sf(alpha / f64::from(self.sides))?)
    }

    /// `P(T > critical)`, and `P(T < −critical)` with two sides; `ncp` is positive towards the alternative.
    pub(super) fn power(self, ncp: f64, df: f64, critical: f64) -> Result<f64, NumericsError> {
        let t = NoncentralT::new(df, ncp)?;
        let near = t.sf(critical);
        Ok(if self.sides == 2 {
            near + t.cdf(-critical)
        } else {
            near
        })
    }

    /// The noncentrality with a power.
    pub(super) fn ncp(self, power: f64, df: f64, alpha: f64) -> Result<f64, PowerError> {
        let critical = self.critical(df, alpha)?;
        if alpha >= power {
            return Err(PowerError::AnyEffect);
        }
        let excess = |ncp: f64| {
            self.power(ncp, df, critical)
                .map_or(f64::NAN, |own| own - power)
        };
        let mut high = critical.abs() + 1.0;
        while excess(high) < 0.0 && high < 1e12 {
            high *= 2.0;
        }
        Ok(brent(0.0, high, high * 1e-14, excess)?)
    }

    /// The alpha at which a noncentrality has a power.
    pub(super) fn alpha(self, ncp: f64, df: f64, power: f64) -> Result<f64, PowerError> {
        if df.is_nan() || df <= 0.0 {
            return Err(PowerError::NoDegreesOfFreedom { df });
        }
        let excess = |c: f64| self.power(ncp, df, c).map_or(f64::NAN, |own| own - power);
        let mut high = ncp.abs() + 1.0;
        while excess(high) > 0.0 && high < 1e12 {
            high *= 2.0;
        }
        let mut low = if self.sides == 2 { 0.0 } else { -1.0 };
        while excess(low) < 0.0 && low > -1e12 {
            low *= 2.0;
        }
        let critical = brent(low, high, high * 1e-15, excess)?;
        let alpha = f64::from(self.sides) * StudentT::new(df)?.sf(critical);
        if alpha < 1.0 {
            Ok(alpha)
        } else {
            Err(PowerError::AlphaTooLarge)
        }
    }

    /// The size at which `excess`, of power over the power asked for, is 0: upwards from the size that a normal formula
    /// gives, which is too optimistic; `excess` is negative where there are no degrees of freedom.
    pub(super) fn size(near: f64, excess: impl Fn(f64) -> f64) -> Result<f64, PowerError> {
        let mut high = near.max(1e-9);
        for _ in 0..200 {
            if excess(high) >= 0.0 {
                break;
            }
            high = 1.25 * high + 1.0;
        }
        let mut low = 0.5 * near.min(high);
        while excess(low) >= 0.0 && low > 1e-12 {
            high = low;
            low *= 0.5;
        }
        Ok(brent(low, high, high * 1e-13, excess)?)
    }
}
