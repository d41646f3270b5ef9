//! The Kaplan–Meier curve of each arm: survival, Greenwood's variance, the area under it, its median.
//!
//! With nᵢ at risk and dᵢ events at the distinct times tᵢ, `Ŝ(t) = Π_{tᵢ≤t} (nᵢ−dᵢ)/nᵢ` (Kaplan and Meier 1958, doi
//! 10.1080/01621459.1958.10501452) and `Var Ŝ(t) = Ŝ(t)² Σ_{tᵢ≤t} dᵢ/(nᵢ(nᵢ−dᵢ))` (Greenwood 1926). Where everyone at
//! risk has the event, Ŝ is 0 and the sum has no value; the variance is then taken as 0, its limit without
//! censoring, and whoever uses it says so.

use super::follow_up::{FollowUp, Step};

/// Survival is taken to be one half when it differs from it by less: products of fractions round.
const HALF: f64 = 1e-10;

/// A drop of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Drop {
    time: f64,
    at_risk: f64,
    events: f64,
    /// Survival from this time on.
    survival: f64,
    /// `Σ dᵢ/(nᵢ(nᵢ−dᵢ))` so far; without a value where the survival is 0.
    greenwood: f64,
}

/// The curve of one arm: 1 from 0 on, then dropping.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SurvivalCurve {
    drops: Vec<Drop>,
    /// Last time at which the arm was observed.
    last: f64,
}

/// The curve at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Survival {
    /// Probability of no event until then, in [0, 1].
    pub(super) probability: f64,
    /// Greenwood's variance; 0 at a survival of 0 or 1.
    pub(super) variance: f64,
    /// Standard error of ln(−ln Ŝ); none at a survival of 0 or 1.
    pub(super) log_log_error: Option<f64>,
    /// Events until then.
    pub(super) events: usize,
}

impl Survival {
    /// Limits `Ŝ^exp(±z·se)` on the scale of ln(−ln Ŝ) (Kalbfleisch and Prentice 1980, section 1.3), which stay within
    /// (0, 1); none at a survival of 0 or 1. `z` is the normal quantile.
    pub(super) fn log_log_limits(&self, z: f64) -> Option<(f64, f64)> {
        let margin = z * self.log_log_error?;
        let limit = |sign: f64| libm::pow(self.probability, libm::exp(sign * margin));
        Some((limit(1.0), limit(-1.0)))
    }
}

/// The median and its limits, each none where it is not reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Median {
    /// First time at which the survival is at most one half.
    pub(super) time: Option<f64>,
    /// Lower limit.
    pub(super) low: Option<f64>,
    /// Upper limit.
    pub(super) high: Option<f64>,
}

/// The curves of control and treated, from events of code 1; other codes end follow-up.
pub(super) fn curves(follow_up: &FollowUp) -> [SurvivalCurve; 2] {
    let last = follow_up.last();
    let mut curves = last.map(|last| SurvivalCurve {
        drops: Vec::new(),
        last,
    });
    follow_up.steps(None, |step| {
        for (arm, curve) in curves.iter_mut().enumerate() {
            curve.add(step, arm);
        }
    });
    curves
}

impl SurvivalCurve {
    fn add(&mut self, step: &Step, arm: usize) {
        let events = step.events[arm];
        if events == 0 {
            return;
        }
        let at_risk = step.at_risk[arm];
        let (survival, greenwood) = self
            .drops
            .last()
            .map_or((1.0, 0.0), |drop| (drop.survival, drop.greenwood));
        let (n, d) = (at_risk as f64, events as f64);
        let left = (at_risk - events) as f64;
        let term = if at_risk == events {
            0.0
        } else {
            d / (n * left)
        };
        self.drops.push(Drop {
            time: step.time,
            at_risk: n,
            events: d,
            survival: survival * (left / n),
            greenwood: greenwood + term,
        });
    }

    /// Whether the curve ends at zero, and so is defined beyond the last time.
    pub(super) fn ended(&self) -> bool {
        self.drops.last().is_some_and(|drop| drop.survival <= 0.0)
    }

    /// When everyone at risk had the event although others were followed later: from then on the curve is zero and
    /// tells nothing. Only late entry makes this possible.
    pub(super) fn emptied(&self) -> Option<f64> {
        let drop = self.drops.iter().find(|drop| drop.survival <= 0.0)?;
        (drop.time < self.last).then_some(drop.time)
    }

    /// The curve at a time.
    pub(super) fn at(&self, time: f64) -> Survival {
        let reached = self.drops.partition_point(|drop| drop.time <= time);
        let until = &self.drops[..reached];
        let events = until.iter().map(|drop| drop.events as usize).sum();
        let (survival, greenwood) = until
            .last()
            .map_or((1.0, 0.0), |drop| (drop.survival, drop.greenwood));
        let inside = survival > 0.0 && reached > 0;
        Survival {
            probability: survival,
            variance: if inside {
                survival * survival * greenwood
            } else {
                0.0
            },
            log_log_error: inside.then(|| greenwood.sqrt() / -libm::log(survival)),
            events,
        }
    }

    /// The area under the curve until the horizon and its variance,
    /// `Σ_{tᵢ≤τ} (∫_{tᵢ}^τ Ŝ)² dᵢ/(nᵢ(nᵢ−dᵢ))`, with terms of zero where nobody is left (Klein and Moeschberger 2003,
    /// equations 4.5.1 and 4.5.2).
    pub(super) fn restricted_mean(&self, horizon: f64) -> (f64, f64) {
        let reached = self.drops.partition_point(|drop| drop.time <= horizon);
        let (mut area, mut variance, mut end) = (0.0, 0.0, horizon);
        for drop in self.drops[..reached].iter().rev() {
            area += (end - drop.time) * drop.survival;
            end = drop.time;
            let left = drop.at_risk - drop.events;
            if left > 0.0 {
                variance += area * area * drop.events / (drop.at_risk * left);
            }
        }
        (area + end, variance)
    }

    /// The median and the limits where the pointwise log–log band crosses one half (Brookmeyer and Crowley 1982, doi
    /// 10.2307/2530286, with the band of [`Survival::log_log_limits`]). Where the curve is level at one half, the
    /// middle of that stretch.
    pub(super) fn median(&self, z: f64) -> Median {
        let crossing = |height: &dyn Fn(&Drop) -> Option<f64>| {
            let below = |drop: &Drop| height(drop).is_some_and(|height| height <= 0.5 + HALF);
            let first = self.drops.iter().position(below)?;
            let drop = &self.drops[first];
            let level = height(drop).is_some_and(|height| height >= 0.5 - HALF);
            let next = self
                .drops
                .get(first + 1)
                .map_or(self.last, |next| next.time);
            Some(if level {
                0.5 * (drop.time + next)
            } else {
                drop.time
            })
        };
        let limit = |drop: &Drop, sign: f64| {
            let inside = drop.survival > 0.0;
            let log = libm::log(drop.survival);
            let margin = sign * z * drop.greenwood.sqrt() / -log;
            inside.then(|| libm::pow(drop.survival, libm::exp(margin)))
        };
        Median {
            time: crossing(&|drop| Some(drop.survival)),
            low: crossing(&|drop| limit(drop, 1.0)),
            high: crossing(&|drop| limit(drop, -1.0)),
        }
    }
}
