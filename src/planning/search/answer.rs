//! What is searched for and what is found: the question, the curve, the number with its interval, and why there may be none.

use super::points::{By, Scale, Tried};
use crate::numerics::beta::Beta;
use crate::numerics::normal;
use crate::planning::performance::{Figure, share};

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Smallest and largest number; 1 ≤ smallest < largest.
    pub between: (u64, u64),
    /// Power, in (0, 1).
    pub power: f64,
    /// Whether it is an average over studies that have different powers at a number, as with a prior: it has a bend then, and only
    /// numbers near the answer lie on a line.
    pub average: bool,
    /// Half width of the interval, as a share of the number, at which the search ends; half a unit is always enough.
    pub within: f64,
    /// Studies after which the search ends in any case, without those of the confirmation.
    pub most: u64,
    /// Studies of the confirmation; `None` for a Monte Carlo standard error of .005 at the target.
    pub confirm: Option<u64>,
}

/// The curve and where it meets the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Intercept on the scale of Φ⁻¹(power).
    pub a: f64,
    /// Slope by √x.
    pub b: f64,
    /// What x is.
    pub by: By,
    /// The number at which the curve has the target power, unrounded.
    pub estimate: f64,
    /// 95 % interval for it: its lower end, the smallest number of the range where it would lie below.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Pearson's chi-square of the points around the curve, its degrees of freedom and p; the points share replicates,
    /// which makes it conservative.
    pub lack_of_fit: Option<(f64, usize, f64)>,
    pub(super) scale: Scale,
}

impl Fit {
    /// Power of the curve at a number.
    pub fn power(&self, x: f64) -> f64 {
        normal::cdf(self.a + self.b * self.scale.root(x))
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The smallest whole number at which the curve has the target power.
    pub x: u64,
    /// 95 % interval for the smallest whole number with the target power; it holds `x`.
    pub whole: (u64, u64),
    /// The curve.
    pub fit: Fit,
    /// Everything that was tried, by number.
    pub tried: Vec<Tried>,
    /// Whether the interval is as narrow as was asked.
    pub is_narrow: bool,
    /// First replicate of the confirmation, how many, and how many of them rejected.
    pub confirmed: (u64, u64, u64),
}

/// How fresh replicates contradict a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// They have less power than the target.
    TooSmall,
    /// They have more power than the curve gives the upper end of the interval, so that fewer would do.
    TooLarge,
}

impl Found {
    /// Power at the number found, on fresh replicates.
    pub fn confirmed_power(&self) -> Figure {
        share(self.confirmed.2, self.confirmed.1)
    }

    /// Whether fresh replicates contradict the number: the exact interval of the power, with as much in each tail as a normal
    /// deviate has beyond two, lies wholly on one side.
    pub fn contradiction(&self, target: f64) -> Option<Contradiction> {
        let (_, studies, rejections) = self.confirmed;
        let (low, high) = exact_ends(rejections, studies, 2.0)?;
        let most = self.fit.power(self.whole.1 as f64).max(target);
        if high < target {
            Some(Contradiction::TooSmall)
        } else if low > most {
            Some(Contradiction::TooLarge)
        } else {
            None
        }
    }
}

/// The exact ends of a probability of which `count` of `of` are seen, each with the tail of a normal deviate beyond `errors`
/// (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404); `None` of no studies.
pub(super) fn exact_ends(count: u64, of: u64, errors: f64) -> Option<(f64, f64)> {
    let tail = normal::cdf(-errors);
    let (seen, rest) = (count as f64, of.checked_sub(count)? as f64);
    let end = |a: f64, b: f64, p: f64| Beta::new(a, b).and_then(|own| own.quantile(p)).ok();
    let low = match count {
        _ if of == 0 => return None,
        0 => 0.0,
        _ => end(seen, rest + 1.0, tail)?,
    };
    let high = match count {
        all if all == of => 1.0,
        _ => end(seen + 1.0, rest, 1.0 - tail)?,
    };
    Some((low, high))
}

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoAnswer {
    /// Even the largest number has not enough power, on fresh replicates too.
    Beyond(Figure),
    /// Already the smallest number has enough power, on fresh replicates too.
    Below(Figure),
    /// The smallest number has about the target power or a little more, and the largest clearly more: the power of the
    /// smallest on fresh replicates.
    AtTheLowEnd(Figure),
    /// No study at the largest number gave numbers, so that it has no power: how many were run.
    Failed(u64),
    /// Power does not grow with the number.
    Flat,
    /// Power comes so near the target and grows so little that all studies together do not tell where it has it, if
    /// anywhere.
    Unclear {
        /// Power at the largest number, on fresh replicates.
        power: Figure,
        /// Lower end of the 95 % interval for the number, which has no upper end in the range: the smallest number of the range
        /// where it would lie below, `None` where it lies above all of them.
        from: Option<u64>,
    },
}
