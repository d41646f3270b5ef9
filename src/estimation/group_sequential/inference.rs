//! Inference at and after a look: repeated intervals, and what a stopped study says.
//!
//! Repeated intervals hold at every look whatever the reason for stopping (Jennison and Turnbull 1989, doi
//! 10.1111/j.2517-6161.1989.tb01432.x). After a stop by the boundary, outcomes are ordered stage by stage (Tsiatis, Rosner
//! and Mehta 1984, doi 10.2307/2530921; Fairbanks and Madsen 1982): an earlier exit upwards is more extreme, and at one
//! look the larger Z is. The p-value, the interval and the median-unbiased estimate come from that ordering, so that
//! they agree with the decision. Statistics with few degrees of freedom enter by the p-value that they have alone.

use super::boundaries::{Boundaries, Shape, Sides};
use super::recursion::{Layers, Path};
use crate::estimation::answer::reported;
use crate::estimation::error::EstimationError;
use crate::numerics::student_t::StudentT;
use crate::numerics::{normal, root};

/// One look at an effect: the estimate, its standard error, and the degrees of freedom of its own reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Estimate; positive is towards the upper boundary.
    pub estimate: f64,
    /// Its standard error, above 0.
    pub std_error: f64,
    /// Degrees of freedom; `None` for a normal reference.
    pub df: Option<f64>,
}

impl Look {
    /// The normal deviate with the one-sided p-value of this look alone.
    ///
    /// # Errors
    /// A standard error or degrees of freedom that are not above 0.
    pub fn z(&self) -> Result<f64, EstimationError> {
        if !(self.std_error > 0.0 && self.std_error.is_finite()) {
            return Err(EstimationError::Looks { what: "std_error" });
        }
        let statistic = self.estimate / self.std_error;
        let Some(df) = self.df else {
            return Ok(statistic);
        };
        let student = StudentT::new(df)?;
        // The nearer tail keeps its digits.
        let tail = student.sf(statistic.abs()).max(1e-300);
        Ok(-normal::quantile(tail)? * statistic.signum())
    }

    /// What a study says that stops with this look, the one with index `stopped` of a two-sided plan, at confidence
    /// `level`: the stage-wise ordering in the direction of the estimate.
    ///
    /// The ordering is that of normal deviates. An effect θ is taken back to the scale of the estimate by the distance
    /// d between its deviate and the observed one: (estimate − θ)/se is the t quantile with the probability Φ(d). Without
    /// earlier looks that is the t interval around the estimate, exactly; with them it keeps the p-value's decision.
    ///
    /// # Errors
    /// As [`Look::z`] and [`Boundaries::final_inference`].
    pub fn stage_wise(
        &self,
        plan: &Boundaries,
        stopped: usize,
        level: f64,
    ) -> Result<Final, EstimationError> {
        let z = self.z()?;
        // The ordering looks upwards; a negative effect is turned.
        let sign = if z < 0.0 { -1.0 } else { 1.0 };
        let found = plan.final_inference(stopped, sign * z, level)?;
        let information = plan.information().get(stopped).copied().unwrap_or(1.0);
        let back = |effect: f64| -> Result<f64, EstimationError> {
            let distance = sign * z - effect * information.sqrt();
            let quantile = match self.df {
                None => distance,
                Some(df) => {
                    let tail = normal::sf(distance.abs()).max(1e-300);
                    StudentT::new(df)?.quantile_sf(tail)?.copysign(distance)
                }
            };
            Ok(sign * self.estimate - quantile * self.std_error)
        };
        let (estimate, low, high) = (
            back(found.estimate)?,
            back(found.conf_low)?,
            back(found.conf_high)?,
        );
        let (low, high) = if sign < 0.0 {
            (-high, -low)
        } else {
            (low, high)
        };
        Ok(Final {
            estimate: sign * estimate,
            conf_low: low,
            conf_high: high,
            ..found
        })
    }

    /// The two-sided p-value of [`Look::stage_wise`] alone.
    ///
    /// # Errors
    /// As [`Look::z`] and [`Boundaries::final_inference`].
    pub fn stage_wise_p_value(
        &self,
        plan: &Boundaries,
        stopped: usize,
    ) -> Result<f64, EstimationError> {
        let p_upper = plan.final_p_upper(stopped, self.z()?.abs())?;
        Ok(two_sided(p_upper))
    }

    /// Information: the inverse of the variance.
    pub fn information(&self) -> f64 {
        1.0 / (self.std_error * self.std_error)
    }

    /// The interval around the estimate whose every point a critical value of Z leaves.
    ///
    /// # Errors
    /// Degrees of freedom that are not above 0.
    pub fn repeated_interval(&self, critical: f64) -> Result<(f64, f64), EstimationError> {
        let quantile = match self.df {
            None => critical,
            Some(df) => StudentT::new(df)?.quantile_sf(normal::sf(critical).max(1e-300))?,
        };
        let margin = quantile * self.std_error;
        Ok((self.estimate - margin, self.estimate + margin))
    }
}

/// What a study that stopped at a look says, by the stage-wise ordering.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Final {
    /// One-sided p-value of no effect, against a positive one.
    pub p_upper: f64,
    /// Two-sided p-value, twice the smaller tail and at most 1.
    pub p_value: f64,
    /// Median-unbiased estimate.
    pub estimate: f64,
    /// Lower limit.
    pub conf_low: f64,
    /// Upper limit.
    pub conf_high: f64,
}

/// Twice the smaller tail, at most 1 and as it is reported.
fn two_sided(p_upper: f64) -> f64 {
    reported((2.0 * p_upper.min(1.0 - p_upper)).clamp(0.0, 1.0))
}

impl Boundaries {
    /// What a study says that stopped at the look with index `stopped` with deviate `z` there; information is on the
    /// scale of 1/variance, and the interval has confidence `level`.
    ///
    /// # Errors
    /// [`EstimationError::Looks`] for a look that the design does not have.
    pub fn final_inference(
        &self,
        stopped: usize,
        z: f64,
        level: f64,
    ) -> Result<Final, EstimationError> {
        let Some(information) = self.information().get(stopped) else {
            return Err(EstimationError::Looks { what: "look" });
        };
        let own = z / information.sqrt();
        let half = 0.5 * (1.0 - level);
        let looks = &self.information()[..=stopped];
        let regions = self.regions();
        let layers = Layers::new(looks, &regions, own);
        // Probability of an outcome at least as extreme upwards; it rises with the effect.
        let more_extreme = |effect: f64| -> f64 {
            let each = looks.iter().zip(&regions).enumerate();
            each.map(|(look, (t, region))| {
                let limit = if look == stopped { z } else { region.high };
                layers.above(look, (*t, limit), effect)
            })
            .sum()
        };
        let solve = |target: f64| -> Result<f64, EstimationError> {
            let goal = normal::quantile(target)?;
            let excess = |effect: f64| {
                let p = more_extreme(effect).clamp(1e-300, 1.0 - 1e-16);
                normal::quantile(p).unwrap_or(0.0) - goal
            };
            let unit = 1.0 / information.sqrt();
            let (mut low, mut high) = (own - 4.0 * unit, own + 4.0 * unit);
            for _ in 0..12 {
                if excess(low) < 0.0 {
                    break;
                }
                low -= 4.0 * unit;
            }
            for _ in 0..12 {
                if excess(high) > 0.0 {
                    break;
                }
                high += 4.0 * unit;
            }
            Ok(root::brent(low, high, 1e-12 * unit, excess)?)
        };
        let p_upper = more_extreme(0.0);
        Ok(Final {
            p_upper,
            p_value: two_sided(p_upper),
            estimate: solve(0.5)?,
            conf_low: solve(half)?,
            conf_high: solve(1.0 - half)?,
        })
    }

    /// [`Final::p_upper`] alone: what earlier looks have spent upwards, and the probability of passing them and having a
    /// deviate above `z` at the look with index `stopped`.
    ///
    /// # Errors
    /// As [`Boundaries::final_inference`].
    pub fn final_p_upper(&self, stopped: usize, z: f64) -> Result<f64, EstimationError> {
        let Some(information) = self.information().get(stopped) else {
            return Err(EstimationError::Looks { what: "look" });
        };
        let last = stopped + 1 == self.information().len();
        if let Some((before, path)) = self.until_last().filter(|_| last) {
            return Ok(before + path.above(*information, z));
        }
        let mut path = Path::new(0.0);
        let mut before = 0.0;
        let looks = self.information().windows(2).zip(self.regions());
        for (pair, region) in looks.take(stopped) {
            before += path.above(pair[0], region.high);
            path.go_on(pair[0], region, pair[1]);
        }
        Ok(before + path.above(*information, z))
    }

    /// The smallest total alpha at which the look with index `look` would stop the study with deviate `z`, upwards (one
    /// side) or in either direction (two sides): the repeated p-value (Jennison and Turnbull 2000, section 9.4).
    ///
    /// # Errors
    /// As [`Boundaries::solve`]. An alpha above 0.999 is answered as 1.
    pub fn repeated_p_value(
        &self,
        shape: Shape,
        look: usize,
        z: f64,
    ) -> Result<f64, EstimationError> {
        let reached = match self.sides() {
            Sides::One => z,
            Sides::Two => z.abs(),
        };
        let excess = |ln_alpha: f64| -> f64 {
            let alpha = libm::exp(ln_alpha);
            let solved = Self::solve(shape, self.information(), alpha, self.sides());
            let critical = solved
                .ok()
                .and_then(|own| own.critical_values().get(look).copied());
            critical.unwrap_or(f64::INFINITY).min(40.0) - reached
        };
        let (low, high) = (libm::log(1e-12), libm::log(0.999));
        if look >= self.information().len() {
            return Err(EstimationError::Looks { what: "look" });
        }
        if excess(high) >= 0.0 {
            return Ok(1.0);
        }
        if excess(low) <= 0.0 {
            return Ok(1e-12);
        }
        Ok(libm::exp(root::brent(low, high, 1e-10, excess)?))
    }
}
