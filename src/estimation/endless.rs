//! A log ratio whose likelihood rises without end: its score test, and the one limit of the values that this test does not reject.
//!
//! With a normal deviate S(β) of the score that falls from the side of 0 to −∞ as β rises (no event in the treated arm: the ratio
//! goes to 0), every β far enough down is accepted and the limit is where S(β) = −z; with no event in control all is mirrored. The
//! p of no effect is that of S(0), so that test and limit never disagree (Rao 1948, doi 10.1017/S0305004100023987).

use super::profile::FARTHEST;
use crate::numerics::normal;
use crate::numerics::root::brent;

/// Log ratios that are tried one after the other lie so far apart.
const STEP: f64 = 0.5;

/// What is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Endless {
    /// Whether the likelihood rises as the ratio does, else as it falls to 0.
    pub(crate) rises: bool,
    /// Score test of no effect, a normal deviate.
    pub(crate) statistic: f64,
    /// The limit on the other side, of the log ratio; `None` where none is found.
    pub(crate) limit: Option<f64>,
}

impl Endless {
    /// From the score's deviate at a log ratio, `None` where it cannot be had; the limit is where it is `critical`.
    pub(super) fn of(mut score: impl FnMut(f64) -> Option<f64>, critical: f64) -> Option<Self> {
        let statistic = score(0.0).filter(|own| own.is_finite())?;
        let rises = statistic > 0.0;
        // Away from the side on which the likelihood rises.
        let away = if rises { -1.0 } else { 1.0 };
        let mut past = |distance: f64| -> Option<f64> {
            let own = score(away * distance)?;
            Some(-away * own - critical)
        };
        let mut inner = 0.0;
        let mut at_inner = past(inner)?;
        let step = if at_inner < 0.0 { STEP } else { -STEP };
        let limit = loop {
            let outer: f64 = inner + step;
            if outer.abs() > FARTHEST {
                break None;
            }
            let Some(at_outer) = past(outer) else {
                break None;
            };
            if (at_outer < 0.0) != (at_inner < 0.0) {
                let (low, high) = (inner.min(outer), inner.max(outer));
                let mut lost = false;
                let root = brent(low, high, 1e-12, |distance| {
                    let own = past(distance);
                    lost |= own.is_none();
                    own.unwrap_or(0.0)
                });
                // A score that cannot be had is no root.
                break root.ok().filter(|_| !lost);
            }
            (inner, at_inner) = (outer, at_outer);
        };
        Some(Self {
            rises,
            statistic,
            limit: limit.map(|distance| away * distance),
        })
    }

    /// The ratio itself: 0 or infinite.
    pub(crate) fn ratio(&self) -> f64 {
        if self.rises { f64::INFINITY } else { 0.0 }
    }

    /// Two-sided p of no effect.
    pub(crate) fn p_value(&self) -> f64 {
        normal::two_sided(self.statistic)
    }

    /// Limits of the ratio, of which one is 0 or infinite.
    pub(crate) fn limits(&self) -> Option<[f64; 2]> {
        let limit = libm::exp(self.limit?);
        Some(if self.rises {
            [limit, f64::INFINITY]
        } else {
            [0.0, limit]
        })
    }
}
