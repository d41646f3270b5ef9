//! Stopping for futility by spending beta, and what a look says of the looks after it.
//!
//! Futility bounds are non-binding: they never enter the type I error, so a study that goes on in spite of them still
//! holds its alpha. They cost power, which the study makes up for by more information.

use super::boundaries::{Boundaries, Shape, Sides};
use super::recursion::{Exits, Path, Region, exits};
use crate::estimation::error::EstimationError;
use crate::numerics::quadrature::GaussLegendre;
use crate::numerics::{normal, root};

/// Futility bounds beside the critical values of a one-sided design.
#[derive(Debug, Clone, PartialEq)]
pub struct Futility {
    information: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    beta: Vec<f64>,
    effect: f64,
}

impl Futility {
    /// Values of Z below which the study may stop, by look; the last is the critical value. −∞ where a look spends nothing.
    pub fn values(&self) -> &[f64] {
        &self.low
    }

    /// Type II error spent until each look.
    pub fn cumulative_beta(&self) -> &[f64] {
        &self.beta
    }

    /// The effect, on the scale of which information is the inverse variance, that is found with the power asked for
    /// when the study stops at these bounds.
    pub fn effect(&self) -> f64 {
        self.effect
    }

    /// Probabilities of stopping at each look for the mean `effect·√information` of Z: upwards for efficacy, downwards for
    /// futility.
    pub fn exits(&self, effect: f64) -> Exits {
        let regions: Vec<Region> = self
            .low
            .iter()
            .zip(&self.high)
            .map(|(low, high)| Region {
                low: *low,
                high: *high,
            })
            .collect();
        exits(&self.information, &regions, effect)
    }

    /// Mean information at stopping, on the scale given.
    pub fn expected_information(&self, effect: f64) -> f64 {
        let exits = self.exits(effect);
        let stops = exits.upper.iter().zip(&exits.lower);
        let sum = stops.map(|(up, down)| up + down).zip(&self.information);
        sum.map(|(share, information)| share * information).sum()
    }
}

impl Boundaries {
    /// Futility bounds of a one-sided design that spend `1 − power` as a spending function says, non-binding: the bound of
    /// look k is where, under the effect with that power, the probability of going below it for the first time is what
    /// look k may spend; the effect is the one for which the last bound meets the critical value (Pampallona, Tsiatis and
    /// Kim 2001, doi 10.1177/009286150103500408).
    ///
    /// ```
    /// use lottning::estimation::group_sequential::{Boundaries, Shape, Sides};
    /// let shape = Shape::LanDemetsObrienFleming;
    /// let plan = Boundaries::solve(shape, &[1.0, 2.0, 3.0], 0.025, Sides::One)?;
    /// let futility = plan.futility(shape, 0.8)?;
    /// assert!((futility.values()[1] - 1.170_372).abs() < 2e-6); // rpact 3.3.4: typeBetaSpending = "bsOF"
    /// # Ok::<(), lottning::estimation::EstimationError>(())
    /// ```
    ///
    /// # Errors
    /// [`EstimationError::Looks`] for a two-sided design, a shape that spends nothing (one with a constant), or a power that
    /// is not between alpha and 1.
    pub fn futility(&self, spending: Shape, power: f64) -> Result<Futility, EstimationError> {
        if self.sides() == Sides::Two {
            return Err(EstimationError::Looks { what: "sides" });
        }
        if !(power > self.alpha() && power < 1.0) {
            return Err(EstimationError::Looks { what: "power" });
        }
        let information = self.information();
        let whole = information.last().copied().unwrap_or(1.0);
        let beta: Vec<f64> = information
            .iter()
            .map(|own| {
                let spent = spending.spent(own / whole, 1.0 - power)?;
                spent.ok_or(EstimationError::Looks { what: "futility" })
            })
            .collect::<Result<_, _>>()?;
        let alone = normal::quantile(power)? - normal::quantile(self.alpha())?;
        let excess = |drift: f64| {
            self.bounds(&beta, drift / whole.sqrt())
                .map_or(f64::NAN, |(_, left)| left)
        };
        let drift = root::brent(0.5 * alone, 3.0 * alone + 3.0, 1e-13, excess)?;
        let effect = drift / whole.sqrt();
        let (low, _) = self.bounds(&beta, effect)?;
        Ok(Futility {
            information: information.to_vec(),
            high: self.critical_values().to_vec(),
            low,
            beta,
            effect,
        })
    }

    /// The bounds for an effect, and by how much the type II error of the last look is more than it may spend: a fall of
    /// the effect raises it. An effect whose bounds cross the critical values before the last look is too large.
    fn bounds(&self, beta: &[f64], effect: f64) -> Result<(Vec<f64>, f64), EstimationError> {
        let (information, critical) = (self.information(), self.critical_values());
        let mut path = Path::new(effect);
        let mut low = Vec::with_capacity(beta.len());
        let mut before = 0.0;
        let last = beta.len().saturating_sub(1);
        for look in 0..beta.len() {
            let (t, high) = (information[look], critical[look]);
            let now = beta[look] - before;
            before = beta[look];
            if look == last {
                low.push(high);
                return Ok((low, path.below(t, high) - now));
            }
            if path.below(t, high) <= now {
                return Ok((low, -now));
            }
            let bound = if now > 1e-300 {
                let target = normal::quantile(now)?;
                let excess = |z: f64| {
                    let down = path.below(t, z).clamp(1e-305, 0.999_999);
                    normal::quantile(down).unwrap_or(0.0) - target
                };
                let floor = effect * t.sqrt() - 38.0;
                root::brent(floor, high.min(floor + 76.0), 1e-13, excess)?
            } else {
                f64::NEG_INFINITY
            };
            low.push(bound);
            path.go_on(t, Region { low: bound, high }, information[look + 1]);
        }
        Err(EstimationError::Looks {
            what: "information",
        })
    }

    /// Probability that a later look stops the study upwards when look `seen` (from 0) had the value `z` and did not stop
    /// it, for an `effect` on the scale of information: 0, `z/√information` (the trend) or the one of the design.
    ///
    /// From look k on the increments of `Z√I` are those of a new study with information `I_j − I_k` (Jennison and Turnbull
    /// 2000, chapter 10, doi 10.1201/9780367805326).
    ///
    /// # Errors
    /// [`EstimationError::Looks`] for a look that is not followed by another, or a value that is no number.
    pub fn conditional_power(
        &self,
        seen: usize,
        z: f64,
        effect: f64,
    ) -> Result<f64, EstimationError> {
        let information = self.information();
        if seen >= information.len().saturating_sub(1) {
            return Err(EstimationError::Looks { what: "seen" });
        }
        if !(z.is_finite() && effect.is_finite()) {
            return Err(EstimationError::Looks { what: "z" });
        }
        let own = information[seen];
        let left: Vec<f64> = information[seen + 1..].iter().map(|t| t - own).collect();
        let regions: Vec<Region> = information[seen + 1..]
            .iter()
            .zip(&self.regions()[seen + 1..])
            .map(|(t, region)| {
                let turned = |value: f64| (value * t.sqrt() - z * own.sqrt()) / (t - own).sqrt();
                Region {
                    low: turned(region.low),
                    high: turned(region.high),
                }
            })
            .collect();
        Ok(exits(&left, &regions, effect).up())
    }

    /// Conditional power averaged over what look `seen` says of the effect, without an opinion of one's own: normal around
    /// `z/√information` with the variance `1/information` (Spiegelhalter, Freedman and Blackburn 1986, doi
    /// 10.1016/0197-2456(86)90003-6).
    ///
    /// # Errors
    /// As [`Boundaries::conditional_power`].
    pub fn predictive_power(&self, seen: usize, z: f64) -> Result<f64, EstimationError> {
        let own = self.information().get(seen).copied().unwrap_or(1.0).sqrt();
        let mut sum = 0.0;
        for panel in -3..3 {
            let start = 3.0 * f64::from(panel);
            for (x, weight) in GaussLegendre::new(24).panel(start, start + 3.0) {
                let power = self.conditional_power(seen, z, (z + x) / own)?;
                sum += weight * normal::pdf(x) * power;
            }
        }
        Ok(sum)
    }

    /// Power of the design for a study that would have the power `fixed` with one look at the whole information: its
    /// effect lies `z_α + Φ⁻¹(fixed)` from none. With the power of a t test it is that of a t test with looks.
    ///
    /// # Errors
    /// [`EstimationError::Looks`] for a power outside (0, 1).
    pub fn power_with_looks(&self, fixed: f64) -> Result<f64, EstimationError> {
        Ok(self.power(self.effect_of_fixed(fixed)?))
    }

    /// The effect on the scale of information that one look at the whole would find with the power `fixed`.
    ///
    /// # Errors
    /// As [`Boundaries::power_with_looks`].
    pub fn effect_of_fixed(&self, fixed: f64) -> Result<f64, EstimationError> {
        if !(fixed > 0.0 && fixed < 1.0) {
            return Err(EstimationError::Looks { what: "power" });
        }
        let side = match self.sides() {
            Sides::One => self.alpha(),
            Sides::Two => 0.5 * self.alpha(),
        };
        let whole = self.information().last().copied().unwrap_or(1.0);
        Ok((normal::quantile(fixed)? - normal::quantile(side)?) / whole.sqrt())
    }
}
