//! The interval of a randomization test by inversion, without a grid.
//!
//! Under the hypothesis that the effect is δ for everyone, the outcome without treatment is `Y − δZ`, with Z the observed
//! arm. On any redraw the estimate of that outcome is linear in δ and its variance quadratic, so five numbers a redraw say
//! everything: `t(δ) = (a − bδ)/√(c − 2dδ + eδ²)`. The p-value of every δ is then a count over the redraws, a step
//! function of δ whose ends are found by bisection. Which arms are redrawn, and how, is the caller's business.

use crate::numerics::shares::{Parts, within};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;

/// Statistics that differ by less than this, relative to the larger of the observed one and 1, are ties.
pub const TIE: f64 = 1e-9;

/// Redraws that one thread counts at a time.
const CHUNK: usize = 4096;

/// Limits are found to this part of the standard error.
const PRECISION: f64 = 1e-10;

/// A studentized statistic as a function of a constant effect δ: `(a − bδ)/√(c − 2dδ + eδ²)`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Studentized {
    /// Estimate of the outcome as it is; NaN where the statistic does not exist.
    pub a: f64,
    /// Estimate of the observed arm (1 treated, 0 control) in place of the outcome.
    pub b: f64,
    /// Variance of the estimate of the outcome.
    pub c: f64,
    /// Covariance of both estimates.
    pub d: f64,
    /// Variance of the estimate of the observed arm.
    pub e: f64,
}

impl Studentized {
    /// A redraw on which the statistic does not exist: as extreme as the observed one, whatever the shift.
    pub const NONE: Self = Self {
        a: f64::NAN,
        b: 0.0,
        c: 0.0,
        d: 0.0,
        e: 0.0,
    };

    /// The statistic at a shift. Without variance it is the infinite sign of the estimate, and an estimate that is
    /// rounding is 0; `None` where the statistic does not exist.
    pub fn value(&self, shift: f64) -> Option<f64> {
        if self.a.is_nan() {
            return None;
        }
        let estimate = self.a - self.b * shift;
        let (linear, square) = (2.0 * self.d * shift, self.e * shift * shift);
        let variance = self.c - linear + square;
        let size = self.c + linear.abs() + square;
        Some(if variance > 1e-13 * size {
            estimate / variance.sqrt()
        } else if estimate.abs() <= 1e-12 * (self.a.abs() + (self.b * shift).abs()) {
            0.0
        } else {
            estimate.signum() * f64::INFINITY
        })
    }
}

/// How redraws count.
#[derive(Debug, Clone, Copy)]
pub enum Counting<'a> {
    /// `(1 + b)/(1 + R)` per tail, as redraws at random (Phipson and Smyth 2010, doi 10.2202/1544-6115.1585).
    Redraws,
    /// Every possible sequence once, all equally likely.
    Sequences,
    /// Every possible sequence once, with these probabilities under the design.
    Weighted(&'a [f64]),
}

/// The share of the reference set that is at least as extreme as the observed statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// At or below the observed statistic.
    pub lower: f64,
    /// At or above it.
    pub upper: f64,
}

impl Shares {
    /// min(1, 2 · smaller tail).
    pub fn two_sided(&self) -> f64 {
        (2.0 * self.lower.min(self.upper)).min(1.0)
    }
}

/// The set of shifts that the test does not reject, as its smallest interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Lower limit; `None` when no shift is too small.
    pub low: Option<f64>,
    /// Upper limit; `None` when no shift is too large.
    pub high: Option<f64>,
    /// Whether a shift between the limits was found that is rejected all the same.
    pub gap: bool,
}

/// A randomization test as a function of a constant effect.
#[derive(Debug, Clone, Copy)]
pub struct Inversion<'a> {
    /// The observed statistic.
    pub observed: Studentized,
    /// The statistic on every redraw, or on every possible sequence.
    pub draws: &'a [Studentized],
    /// How they count.
    pub counting: Counting<'a>,
}

impl Inversion<'_> {
    /// Shares of the reference set at a shift; `None` where the observed statistic does not exist.
    ///
    /// Counted in integers or, with probabilities, in the order of the sequences: the same bits on any number of
    /// threads.
    pub fn shares(&self, shift: f64) -> Option<Shares> {
        let observed = self.observed.value(shift)?;
        let size = if observed.is_finite() {
            observed.abs()
        } else {
            1.0
        };
        let tolerance = TIE * size.max(1.0);
        let sides = |draw: &Studentized| match draw.value(shift) {
            None => (true, true),
            Some(value) => (value <= observed + tolerance, value >= observed - tolerance),
        };
        if let Counting::Weighted(probabilities) = self.counting {
            let mut parts = Parts::default();
            for (draw, probability) in self.draws.iter().zip(probabilities) {
                let (below, above) = sides(draw);
                parts.add(*probability, [below, above]);
            }
            let [lower, upper] = parts.shares();
            return Some(Shares { lower, upper });
        }
        let count = |draws: &[Studentized]| {
            draws.iter().fold((0u64, 0u64), |(lower, upper), draw| {
                let (below, above) = sides(draw);
                (lower + u64::from(below), upper + u64::from(above))
            })
        };
        let (lower, upper) = self
            .draws
            .par_chunks(CHUNK)
            .with_min_len(1)
            .map(count)
            .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let one = u64::from(matches!(self.counting, Counting::Redraws));
        let all = (one + self.draws.len() as u64) as f64;
        Some(Shares {
            lower: (one + lower) as f64 / all,
            upper: (one + upper) as f64 / all,
        })
    }

    /// All shifts with a two-sided p above `alpha`, as their smallest interval; `None` where the observed statistic
    /// has no variance or its own estimate is rejected.
    ///
    /// Each end is bracketed outwards from the estimate by doubling, then bisected to 1e-10 standard errors; beyond
    /// it more shifts are asked, up to 1,000 standard errors, and an accepted one moves the end outwards.
    pub fn limits(&self, alpha: f64) -> Option<Limits> {
        let std_error = self.observed.c.sqrt();
        if !(std_error > 0.0 && self.observed.b != 0.0) {
            return None;
        }
        let centre = self.observed.a / self.observed.b;
        let accepts = |shift: f64| {
            self.shares(shift)
                .is_some_and(|shares| !within(shares.two_sided(), alpha))
        };
        if !accepts(centre) {
            return None;
        }
        let (low, low_gap) = end(centre, -std_error, &accepts);
        let (high, high_gap) = end(centre, std_error, &accepts);
        Some(Limits {
            low,
            high,
            gap: low_gap || high_gap,
        })
    }
}

/// The outermost accepted shift in the direction of `step`, and whether a rejected one lies before it.
fn end(centre: f64, step: f64, accepts: &impl Fn(f64) -> bool) -> (Option<f64>, bool) {
    let at = |steps: f64| centre + step * steps;
    // Accepted and rejected distances from the centre, in standard errors.
    let (mut inside, mut outside) = (0.0, 0.5);
    while accepts(at(outside)) {
        inside = outside;
        outside *= 2.0;
        if outside > 1e12 {
            return (None, false);
        }
    }
    let mut gap = false;
    loop {
        while outside - inside > PRECISION {
            let middle = inside + 0.5 * (outside - inside);
            if middle <= inside || middle >= outside {
                break;
            }
            if accepts(at(middle)) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        // Beyond a step there may be another one.
        let further = (0..40)
            .map(|k| inside + 1e-3 * 1.41f64.powi(k))
            .take_while(|distance| *distance < 1000.0)
            .filter(|distance| accepts(at(*distance)))
            .last();
        match further {
            Some(distance) => {
                gap = true;
                inside = distance;
                outside = distance + 1e-3;
                while accepts(at(outside)) && outside < 1e12 {
                    outside *= 1.5;
                }
            }
            None => return (Some(at(inside)), gap),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Studentized;

    /// By hand: t(δ) = (3 − 2δ)/√(4 − 4δ + 4δ²) with a = 3, b = 2, c = 4, d = 2, e = 4: 3/2 at 0, ½ at 1.
    #[test]
    fn a_statistic_moves_with_the_shift() {
        let own = Studentized {
            a: 3.0,
            b: 2.0,
            c: 4.0,
            d: 2.0,
            e: 4.0,
        };
        assert!((own.value(0.0).unwrap_or(0.0) - 1.5).abs() < 1e-15);
        assert!((own.value(1.0).unwrap_or(0.0) - 0.5).abs() < 1e-15);
        assert_eq!(Studentized::NONE.value(1.0), None);
        // Variance 1 − 2δ + δ² is 0 at 1, where the estimate 1 − δ is 0 too.
        let flat = Studentized {
            a: 1.0,
            b: 1.0,
            c: 1.0,
            d: 1.0,
            e: 1.0,
        };
        assert_eq!(flat.value(1.0), Some(0.0));
        assert_eq!(
            Studentized { a: 5.0, ..flat }.value(1.0),
            Some(f64::INFINITY)
        );
    }
}
