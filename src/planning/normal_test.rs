//! Tests of a statistic that is normal with variance 1: how far its mean must lie from 0, and what power a distance has.
//!
//! Log-rank, rates and means of known variance are all this test; a family only says how its effect and its size become
//! a distance.

use super::figure::Solved;
use super::power_error::PowerError;
use crate::numerics::root::brent;
use crate::numerics::{NumericsError, normal};

/// One or two sides, and whether the farther tail counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NormalTest {
    sides: u8,
    both_tails: bool,
}

impl NormalTest {
    /// `sides` is 1 or 2; `strict` counts the farther tail of two.
    pub(super) fn new(sides: u8, strict: bool) -> Self {
        Self {
            sides,
            both_tails: strict && sides == 2,
        }
    }

    /// The upper `alpha/sides` point.
    pub(super) fn critical(self, alpha: f64) -> Result<f64, NumericsError> {
        Ok(-normal::quantile(alpha / f64::from(self.sides))?)
    }

    /// `Φ(distance − z)`, and `Φ(−distance − z)` with both tails; the distance is positive towards the alternative.
    pub(super) fn power(self, distance: f64, z: f64) -> f64 {
        let near = normal::sf(z - distance);
        if self.both_tails {
            near + normal::sf(z + distance)
        } else {
            near
        }
    }

    /// The positive distance with a power.
    pub(super) fn distance(self, power: f64, z: f64) -> Result<f64, PowerError> {
        let near = z + normal::quantile(power)?;
        if self.power(0.0, z) >= power {
            return Err(PowerError::PowerTooLow);
        }
        // A farther tail below rounding leaves nothing to look for.
        if !self.both_tails || self.power(near, z) <= power {
            return Ok(near);
        }
        Ok(brent(0.0, near, near * 1e-14, |d| {
            self.power(d, z) - power
        })?)
    }

    /// The alpha at which a distance has a power.
    pub(super) fn alpha(self, distance: f64, power: f64) -> Result<f64, PowerError> {
        let z = if self.both_tails {
            brent(0.0, distance + 60.0, 1e-14, |z| {
                self.power(distance, z) - power
            })?
        } else {
            distance - normal::quantile(power)?
        };
        let alpha = f64::from(self.sides) * normal::sf(z);
        if alpha < 1.0 {
            Ok(alpha)
        } else {
            Err(PowerError::AlphaTooLarge)
        }
    }
}

/// The four figures, one of them found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Four {
    /// Which one was left out.
    pub(super) solved: Solved,
    /// Effect, measured from none.
    pub(super) effect: f64,
    /// Size, unrounded.
    pub(super) size: f64,
    /// Power.
    pub(super) power: f64,
    /// Type I error.
    pub(super) alpha: f64,
}

/// A test whose distance is `unit(effect)·√size`.
pub(super) struct Ratio<'a> {
    /// The test.
    pub(super) test: NormalTest,
    /// Distance from no effect at size 1, positive for an effect on either side.
    pub(super) unit: &'a dyn Fn(f64) -> f64,
    /// Where effects are sought: from none to this one.
    pub(super) edge: f64,
}

impl Ratio<'_> {
    fn power(&self, effect: f64, size: f64, z: f64) -> f64 {
        self.test.power((self.unit)(effect) * size.sqrt(), z)
    }

    /// Solves for the one of effect, size, power and alpha that is `None`.
    pub(super) fn solve(
        &self,
        effect: Option<f64>,
        size: Option<f64>,
        power: Option<f64>,
        alpha: Option<f64>,
    ) -> Result<Four, PowerError> {
        let four = |solved, effect, size, power, alpha| Four {
            solved,
            effect,
            size,
            power,
            alpha,
        };
        match (effect, size, power, alpha) {
            (Some(effect), Some(size), None, Some(alpha)) => {
                let power = self.power(effect, size, self.test.critical(alpha)?);
                Ok(four(Solved::Power, effect, size, power, alpha))
            }
            (Some(effect), None, Some(power), Some(alpha)) => {
                let unit = (self.unit)(effect);
                if unit == 0.0 {
                    return Err(PowerError::NoDifference);
                }
                let distance = self.test.distance(power, self.test.critical(alpha)?)?;
                let size = (distance / unit).powi(2);
                Ok(four(Solved::N, effect, size, power, alpha))
            }
            (Some(effect), Some(size), Some(power), None) => {
                let distance = (self.unit)(effect) * size.sqrt();
                let alpha = self.test.alpha(distance, power)?;
                Ok(four(Solved::Alpha, effect, size, power, alpha))
            }
            (None, Some(size), Some(power), Some(alpha)) => {
                let effect = self.nearest(size, power, self.test.critical(alpha)?)?;
                Ok(four(Solved::Effect, effect, size, power, alpha))
            }
            (Some(_), Some(_), Some(_), Some(_)) => Err(PowerError::Overdetermined),
            _ => Err(PowerError::Underdetermined),
        }
    }

    /// The effect nearest to none with the power: outwards in steps, as power need not rise all the way.
    fn nearest(&self, size: f64, power: f64, z: f64) -> Result<f64, PowerError> {
        let distance = self.test.distance(power, z).map_err(|error| match error {
            PowerError::PowerTooLow => PowerError::AnyEffect,
            other => other,
        })?;
        let excess = |effect: f64| (self.unit)(effect) * size.sqrt() - distance;
        let steps = 2000;
        let mut inner = 0.0;
        let mut reached = 0.0_f64;
        for step in 1..=steps {
            let outer = self.edge * f64::from(step) / f64::from(steps);
            if excess(outer) >= 0.0 {
                let (low, high) = (f64::min(inner, outer), f64::max(inner, outer));
                return Ok(brent(low, high, 1e-15, excess)?);
            }
            reached = reached.max(self.power(outer, size, z));
            inner = outer;
        }
        Err(PowerError::EffectTooSmall { reached })
    }
}
