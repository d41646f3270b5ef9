//! Probabilities of leaving the continuation regions, look by look, by numerical integration.
//!
//! The sub-density of Z_k on its region follows from that of Z_{k−1} by one convolution. Regions are cut where the
//! density is below 1e-18, and panels of 32 Gauss–Legendre nodes are at most eight standard deviations of the
//! narrowest step wide: the printed tables of the literature are met to their last digit, and a check by halving the
//! panels moves no probability by 1e-12.

use crate::numerics::exponential::exponentiate;
use crate::numerics::linear_algebra::dot;
use crate::numerics::normal;
use crate::numerics::quadrature::GaussLegendre;
use std::sync::LazyLock;

/// The nodes of a panel.
static RULE: LazyLock<GaussLegendre> = LazyLock::new(|| GaussLegendre::new(32));

/// How far from its mean a density is followed, in standard deviations.
const REACH: f64 = 9.0;

/// The interval on which a look goes on: Z strictly between its ends. An end may be infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Probabilities of leaving for the first time at each look.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exits {
    /// Above the region.
    pub upper: Vec<f64>,
    /// Below the region.
    pub lower: Vec<f64>,
}

impl Exits {
    /// Probability of leaving upwards at any look.
    pub fn up(&self) -> f64 {
        self.upper.iter().sum()
    }

    /// Probability of leaving downwards at any look.
    pub fn down(&self) -> f64 {
        self.lower.iter().sum()
    }
}

/// Points of a look's region with the sub-density there, times the weight of quadrature.
#[derive(Debug, Clone, Default)]
struct Layer {
    information: f64,
    points: Vec<f64>,
    masses: Vec<f64>,
}

/// The sub-densities before each look under one drift, from which probabilities under any other follow: Z is sufficient,
/// so that on its region the density under drift θ is that under θ₀ times `exp((θ − θ₀)√I·z − (θ² − θ₀²)I/2)`.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    drift: f64,
    layers: Vec<Layer>,
}

/// Points whose densities are taken at once.
const SOME: usize = 32;

/// As [`REACH`], where a density is also taken under other drifts than its own.
const FAR: f64 = 16.0;

impl Layers {
    /// Through the regions of all looks but the last of `information`. `drift` is best near those that will be asked for.
    pub(super) fn new(information: &[f64], regions: &[Region], drift: f64) -> Self {
        let mut path = Path::new(drift);
        path.reach = FAR;
        let mut layers = Vec::with_capacity(regions.len());
        for (look, (t, region)) in information.iter().zip(regions).enumerate() {
            let Some(next) = information.get(look + 1) else {
                break;
            };
            path.go_on(*t, *region, *next);
            layers.push(Layer {
                information: *t,
                points: path.points.clone(),
                masses: path.masses.clone(),
            });
        }
        Self { drift, layers }
    }

    /// The probability, under a drift, of reaching the look with index `look` at information `t` and having Z above `z`.
    pub(super) fn above(&self, look: usize, (t, z): (f64, f64), drift: f64) -> f64 {
        if z.is_infinite() && z > 0.0 {
            return 0.0;
        }
        let Some(before) = look.checked_sub(1).and_then(|own| self.layers.get(own)) else {
            return normal::sf(z - drift * t.sqrt());
        };
        let step = t - before.information;
        let (root, scale) = (before.information.sqrt(), 1.0 / step.sqrt());
        let limit = z * t.sqrt() - drift * step;
        let tilt = (drift - self.drift) * root;
        let level = 0.5 * (drift * drift - self.drift * self.drift) * before.information;
        let each = before.points.iter().zip(&before.masses);
        each.map(|(u, mass)| {
            let density = mass * libm::exp(tilt * u - level);
            density * normal::sf((limit - u * root) * scale)
        })
        .sum()
    }
}

/// The sub-density of the looks so far: all that the next look needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    drift: f64,
    /// How far from its mean the density is followed, in standard deviations.
    reach: f64,
    /// Information of the last look; 0 before the first.
    information: f64,
    /// Whether there is no drift and all regions were symmetric.
    even: bool,
    /// Points of the last region and the sub-density there, times the weight of quadrature.
    points: Vec<f64>,
    masses: Vec<f64>,
}

impl Path {
    /// Before the first look. `drift` is the mean of Z at information 1.
    pub(super) fn new(drift: f64) -> Self {
        Self {
            drift,
            reach: REACH,
            information: 0.0,
            even: drift.abs() <= 0.0,
            points: Vec::new(),
            masses: Vec::new(),
        }
    }

    /// Whether there was no look yet and there is no drift: Z is then standard normal at the next one.
    pub(super) fn is_at_start(&self) -> bool {
        self.points.is_empty() && self.drift.abs() <= 0.0
    }

    /// The probability of reaching a look of information `t` and having Z above `z` there.
    pub(super) fn above(&self, t: f64, z: f64) -> f64 {
        self.tail(t, z, 1.0)
    }

    /// The probability of reaching a look of information `t` and having Z below `z` there.
    pub(super) fn below(&self, t: f64, z: f64) -> f64 {
        self.tail(t, z, -1.0)
    }

    fn tail(&self, t: f64, z: f64, sign: f64) -> f64 {
        if z.is_infinite() {
            return if (z > 0.0) == (sign > 0.0) {
                0.0
            } else {
                self.alive()
            };
        }
        if self.points.is_empty() {
            return normal::sf(sign * (z - self.drift * t.sqrt()));
        }
        let step = t - self.information;
        let (root, scale) = (self.information.sqrt(), 1.0 / step.sqrt());
        let limit = z * t.sqrt() - self.drift * step;
        let (mut sum, mut values) = (0.0, [0.0; SOME]);
        for (points, masses) in self.points.chunks(SOME).zip(self.masses.chunks(SOME)) {
            let values = &mut values[..points.len()];
            for (value, u) in values.iter_mut().zip(points) {
                *value = sign * (limit - u * root) * scale;
            }
            normal::upper_tails(values);
            sum += dot(values, masses);
        }
        sum
    }

    /// The probability of having left at no look so far.
    fn alive(&self) -> f64 {
        if self.points.is_empty() {
            1.0
        } else {
            self.masses.iter().sum()
        }
    }

    /// Goes on through `region` of a look of information `t`; `next` is the information of the look after it.
    pub(super) fn go_on(&mut self, t: f64, region: Region, next: f64) {
        let mean = self.drift * t.sqrt();
        let (low, high) = (
            region.low.max(mean - self.reach),
            region.high.min(mean + self.reach),
        );
        let (mut points, mut masses) = (Vec::new(), Vec::new());
        if low < high {
            // Features of the density are as wide as the step to it and the step from it, on the scale of Z.
            let narrow = |step: f64| (step / t).sqrt().min(1.0);
            let width = narrow(t - self.information).min(narrow(next - t));
            let panels = ((high - low) / (8.0 * width)).ceil().clamp(1.0, 4096.0);
            let each = (high - low) / panels;
            let all = panels as usize * RULE.len();
            // Without a drift what lies on one side of a symmetric region lies on the other too.
            let even = self.even && (low + high).abs() <= 0.0;
            let some = if even { all / 2 } else { all };
            points.reserve_exact(all);
            masses.reserve_exact(all);
            let panel = |panel: usize| {
                let start = low + panel as f64 * each;
                RULE.panel(start, start + each)
            };
            for (z, weight) in (0..panels as usize).flat_map(panel).take(some) {
                points.push(z);
                masses.push(weight * self.density(t, z));
            }
            for mirrored in (0..all - some).rev() {
                points.push(-points[mirrored]);
                masses.push(masses[mirrored]);
            }
            self.even = even;
        } else {
            points.push(mean);
            masses.push(0.0);
            self.even = false;
        }
        self.points = points;
        self.masses = masses;
        self.information = t;
    }

    /// Sub-density of Z at a look of information `t`.
    pub(super) fn density(&self, t: f64, z: f64) -> f64 {
        if self.points.is_empty() {
            return normal::pdf(z - self.drift * t.sqrt());
        }
        let step = t - self.information;
        let (root, scale) = (self.information.sqrt(), 1.0 / step.sqrt());
        let centre = z * t.sqrt() - self.drift * step;
        let (mut sum, mut values) = (0.0, [0.0; SOME]);
        for (points, masses) in self.points.chunks(SOME).zip(self.masses.chunks(SOME)) {
            let values = &mut values[..points.len()];
            for (value, u) in values.iter_mut().zip(points) {
                let x = (centre - u * root) * scale;
                *value = -0.5 * x * x;
            }
            exponentiate(values);
            sum += dot(values, masses);
        }
        sum * (t.sqrt() * scale) / (2.0 * std::f64::consts::PI).sqrt()
    }
}

/// Probabilities of leaving each look's region for the first time, for a mean of `drift·√t` at information `t`.
///
/// `information` ascends and is above 0; `regions` has one region per look, or one less: then the last look only
/// receives who is left, and is not in the answer.
pub(super) fn exits(information: &[f64], regions: &[Region], drift: f64) -> Exits {
    let mut path = Path::new(drift);
    let mut exits = Exits::default();
    for (look, (t, region)) in information.iter().zip(regions).enumerate() {
        exits.upper.push(path.above(*t, region.high));
        exits.lower.push(path.below(*t, region.low));
        if let Some(next) = information.get(look + 1) {
            path.go_on(*t, *region, *next);
        }
    }
    exits
}

#[cfg(test)]
mod tests {
    use super::{Layers, Path, Region};

    /// By law: tilted sub-densities give what the recursion under the other drift gives, to 1e-12, for a region with both
    /// ends and for one that is open below.
    #[test]
    fn layers_serve_every_drift() {
        let information = [1.0, 1.7, 3.0];
        for low in [-2.5, f64::NEG_INFINITY] {
            let regions = [2.9, 2.4].map(|high| Region { low, high });
            let layers = Layers::new(&information, &regions, 0.4);
            for drift in [-2.0, 0.0, 0.4, 1.5, 3.5] {
                let mut path = Path::new(drift);
                for (look, t) in information.iter().enumerate() {
                    let exact = path.above(*t, 2.0);
                    let found = layers.above(look, (*t, 2.0), drift);
                    assert!((found - exact).abs() < 1e-12, "{found} {exact}");
                    if let (Some(region), Some(next)) =
                        (regions.get(look), information.get(look + 1))
                    {
                        path.go_on(*t, *region, *next);
                    }
                }
            }
        }
    }
}
