//! The interval of a shift by inversion of the rank test: all shifts that the test does not reject.
//!
//! The two-sided p as a function of the shift changes at differences of a treated and a control value only: it is
//! constant between two neighbouring differences, and has a value of its own at each of them, where rows tie. So there
//! are finitely many cells to ask, and the limits are exact. Where few enough, all are asked; else the outermost
//! accepted cell is found by bisection and its surroundings are asked.

use super::ranks::{RankTest, Samples, first_key, from_key, to_key};
use crate::numerics::shares::within;

/// Most pairs of distinct values that are listed.
const LISTED: usize = 100_000;
/// Most additions for asking every cell.
const EVERY_CELL: f64 = 1e8;
/// Cells asked beyond the one that bisection found.
const BEYOND: usize = 16;

/// The set of shifts that are not rejected, as its smallest interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Accepted {
    /// Lower limit and whether it belongs to the set; `None` when no shift is too small.
    pub(super) low: Option<(f64, bool)>,
    /// Upper limit.
    pub(super) high: Option<(f64, bool)>,
    /// Whether a shift between the limits was found that is rejected all the same.
    pub(super) gap: bool,
}

/// Inverts the test at level 1 − `alpha` around an estimate.
pub(super) fn invert(
    samples: &Samples,
    test: &mut RankTest,
    alpha: f64,
    estimate: f64,
) -> Accepted {
    let work = test.work(samples);
    let mut accepts = |shift: f64| !within(test.tails(&samples.groups(shift)).two_sided(), alpha);
    match samples.distinct_differences(LISTED) {
        Some(differences) => among_cells(&differences, &mut accepts, work, estimate),
        None => among_doubles(samples, &mut accepts, estimate),
    }
}

/// A shift inside a cell: odd cells are the differences, even ones the gaps below, between and above them.
fn representative(differences: &[f64], cell: usize) -> f64 {
    let at = cell / 2;
    if cell % 2 == 1 {
        return differences[at];
    }
    match (
        at.checked_sub(1).map(|below| differences[below]),
        differences.get(at),
    ) {
        (Some(low), Some(high)) => low + 0.5 * (high - low),
        (None, Some(_)) => f64::NEG_INFINITY,
        _ => f64::INFINITY,
    }
}

fn among_cells(
    differences: &[f64],
    accepts: &mut impl FnMut(f64) -> bool,
    work: f64,
    estimate: f64,
) -> Accepted {
    let last = 2 * differences.len();
    let mut ask = |cell: usize| accepts(representative(differences, cell));
    let below = differences.partition_point(|d| *d < estimate);
    let exactly = differences.get(below).is_some_and(|d| *d <= estimate);
    let centre = 2 * below + usize::from(exactly);
    let (mut low, mut high, mut gap) = (centre, centre, false);
    if (last + 1) as f64 * work <= EVERY_CELL {
        let accepted: Vec<usize> = (0..=last).filter(|cell| ask(*cell)).collect();
        if let (Some(first), Some(end)) = (accepted.first(), accepted.last()) {
            (low, high) = (*first, *end);
            gap = end - first + 1 > accepted.len();
        }
    } else {
        if ask(0) {
            low = 0;
        } else {
            let mut rejected = 0;
            while low - rejected > 1 {
                let middle = rejected.midpoint(low);
                if ask(middle) {
                    low = middle;
                } else {
                    rejected = middle;
                }
            }
            for cell in (low.saturating_sub(BEYOND)..low).rev() {
                if ask(cell) {
                    low = cell;
                    gap = true;
                }
            }
        }
        if ask(last) {
            high = last;
        } else {
            let mut rejected = last;
            while rejected - high > 1 {
                let middle = rejected.midpoint(high);
                if ask(middle) {
                    high = middle;
                } else {
                    rejected = middle;
                }
            }
            for cell in high + 1..=(high + BEYOND).min(last) {
                if ask(cell) {
                    high = cell;
                    gap = true;
                }
            }
        }
    }
    Accepted {
        low: (low > 0).then(|| (differences[(low - 1) / 2], low % 2 == 1)),
        high: (high < last).then(|| (differences[high / 2], high % 2 == 1)),
        gap,
    }
}

/// As [`among_cells`] where the differences are too many to list: bisection over the doubles themselves.
fn among_doubles(
    samples: &Samples,
    accepts: &mut impl FnMut(f64) -> bool,
    estimate: f64,
) -> Accepted {
    let centre = to_key(estimate);
    let low = (!accepts(f64::NEG_INFINITY)).then(|| {
        let first = from_key(first_key(|key| key >= centre || accepts(from_key(key))));
        match samples.neighbours(first) {
            // Between two differences: the limit is the one below, which is rejected.
            (Some(below), _) if !samples.is_difference(first) => (below, false),
            _ => (first, true),
        }
    });
    let high = (!accepts(f64::INFINITY)).then(|| {
        let rejected = first_key(|key| key > centre && !accepts(from_key(key)));
        let last = from_key((rejected - 1).max(centre));
        match samples.neighbours(last) {
            (_, Some(above)) if !samples.is_difference(last) => (above, false),
            _ => (last, true),
        }
    });
    Accepted {
        low,
        high,
        gap: false,
    }
}
