//! `maximal`: all lists of one length that end level and never differ by more than the bound are equally likely
//! (Berger, Ivanova & Deloria Knoll 2003, doi 10.1002/sim.1538).
//!
//! An arm's weight is the number of such lists that begin as this one did and go on with that arm. A list may need
//! hundreds of binary digits for it; these are the weights that are drawn from.

use super::big_stick::MAX_IMBALANCE;
use crate::allocation::Choice;
use crate::allocation::method::{Method, Unit};
use crate::allocation::options::{
    LIST_LEN, MethodEntry, Options, Refusal, Setting, list_len, whole,
};
use crate::allocation::streams::Randomness;
use crate::allocation::weights::{Arm, Ratio, Weights};
use crate::allocation::wide::{WideWeights, is_shortened, shortened};
use crate::numerics::Whole;
use crate::words;
use std::sync::OnceLock;

/// Longest list: up to here its completions are kept in a few megabytes.
const LONGEST: u64 = 1_000;

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "maximal",
    about: "all lists that end level and keep within the bound are equally likely",
    about_sv: "alla listor som slutar jämnt och håller sig inom gränsen är lika sannolika",
    options: &[MAX_IMBALANCE, LIST_LEN],
    needs_n: true,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[1, 1], &[("max_imbalance", "1")]),
        Setting::new(&[1, 1], &[("max_imbalance", "2"), ("list_len", "12")]),
        Setting::new(&[1, 1], &[("max_imbalance", "100")]),
    ],
    declines: &[
        (Setting::new(&[2, 1], &[]), "ratio-not-preserved"),
        (
            Setting::new(&[1, 1, 1], &[("list_len", "12")]),
            "ratio-not-preserved",
        ),
        (
            Setting::new(&[1, 1], &[("list_len", "13")]),
            "list-not-divided",
        ),
        (
            Setting::new(&[1, 1], &[("list_len", "1002")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("max_imbalance", "0")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "4")]),
            "unknown-option",
        ),
    ],
    build,
};

/// Number of ways in which a list of two equal arms can be completed: to end level, the difference never beyond the
/// bound.
#[derive(Debug, Clone)]
pub struct Completions {
    /// By units left, then by half the size of the difference: a difference is even or odd as the units left are.
    table: Vec<Vec<Whole>>,
}

impl Completions {
    /// All counts for lists of an even number of units, at most 1000, with a bound of at least 1.
    pub fn new(length: u64, bound: u64) -> Self {
        let mut own = Self {
            table: vec![vec![Whole::from(1)]],
        };
        for left in 1..=length {
            // A difference cannot exceed the bound, what can still be levelled, or what can have come up.
            let reach = bound.min(left).min(length - left);
            let row: Vec<Whole> = (left % 2..=reach)
                .step_by(2)
                .map(|difference| {
                    let difference = difference as i64;
                    let (more, less) = (difference + 1, difference - 1);
                    own.count(more, left - 1).plus(&own.count(less, left - 1))
                })
                .collect();
            own.table.push(row);
        }
        own
    }

    /// The ways to complete a list with a difference and so many units left; zero where it cannot be.
    pub fn count(&self, difference: i64, left: u64) -> Whole {
        let size = difference.unsigned_abs();
        if size % 2 != left % 2 {
            return Whole::default();
        }
        let row = self.table.get(left as usize);
        row.and_then(|row| row.get(size as usize / 2))
            .cloned()
            .unwrap_or_default()
    }
}

/// Where a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Allocations of the first arm minus those of the second, in this list.
    difference: i64,
    /// Units left in this list.
    left: u64,
}

/// Weights are the completions after each arm.
struct Maximal {
    length: u64,
    completions: Completions,
    /// Weights beyond 64 bits in lowest terms, made when first needed; by units left, then by difference from −reach.
    wide: Vec<Vec<OnceLock<WideWeights>>>,
}

impl std::fmt::Debug for Maximal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maximal")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

fn build(ratio: &Ratio, options: &Options, n: Option<u64>) -> Result<Choice, Refusal> {
    if ratio.arms() != 2 || !ratio.is_equal() {
        return Err(Refusal::new(
            "ratio-not-preserved",
            Some("ratio"),
            words!(
                "`maximal` bounds the difference between two arms of equal size and cannot keep the ratio {ratio}",
                "`maximal` begränsar skillnaden mellan två lika stora armar och kan inte hålla förhållandet {ratio}"
            ),
        )
        .help(words!(
            "use `permuted-block` or `random-allocation`, or the ratio 1:1",
            "använd `permuted-block` eller `random-allocation`, eller förhållandet 1:1"
        )));
    }
    let text = options.get("max_imbalance").unwrap_or("3");
    let bound = whole("max_imbalance", text, &(1..=1_000_000))?;
    let length = list_len(options, n, ratio, LONGEST)?;
    let completions = Completions::new(length, bound);
    let wide = completions
        .table
        .iter()
        .map(|row| match row.first() {
            Some(most) if most.bits() > 59 => (0..2 * row.len()).map(|_| OnceLock::new()).collect(),
            _ => Vec::new(),
        })
        .collect();
    Ok(Box::new(Maximal {
        length,
        completions,
        wide,
    }))
}

impl Maximal {
    fn exact(&self, place: &Place) -> [Whole; 2] {
        let Place { difference, left } = *place;
        let left = left.saturating_sub(1);
        [difference + 1, difference - 1].map(|next| self.completions.count(next, left))
    }
}

impl Method for Maximal {
    type State = Place;

    fn start(&self, _randomness: &mut dyn Randomness) -> Place {
        Place {
            difference: 0,
            left: self.length,
        }
    }

    fn weights(&self, place: &Place, _unit: &Unit<'_>) -> Weights {
        let exact = self.exact(place);
        if exact.iter().all(Whole::is_zero) {
            // Only a ledger that was tampered with comes here.
            return Weights::new(&[1, 1]);
        }
        shortened(&exact)
    }

    fn wide(&self, place: &Place, _unit: &Unit<'_>) -> Option<&WideWeights> {
        let row = self.wide.get(place.left as usize)?;
        let half = place.difference.unsigned_abs() as usize / 2;
        let side = if place.difference < 0 {
            row.len() / 2
        } else {
            0
        };
        if half >= row.len() / 2 || place.difference.unsigned_abs() % 2 != place.left % 2 {
            return None;
        }
        let exact = self.exact(place);
        let cell = row.get(side + half)?;
        is_shortened(&exact).then(|| cell.get_or_init(|| WideWeights::new(&exact)))
    }

    fn step(
        &self,
        place: &mut Place,
        _unit: &Unit<'_>,
        arm: Arm,
        _randomness: &mut dyn Randomness,
    ) {
        place.difference += if arm == Arm(0) { 1 } else { -1 };
        place.left = place.left.saturating_sub(1);
        if place.left == 0 {
            *place = Place {
                difference: 0,
                left: self.length,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Completions;

    /// n = 4, bound 1: abab, abba, baab, baba. Bound 2 adds aabb and bbaa. After a, with bound 1: only b.
    #[test]
    fn completions_of_four_units() {
        let one = Completions::new(4, 1);
        assert_eq!(one.count(0, 4).to_u64(), Some(4));
        assert_eq!(one.count(1, 3).to_u64(), Some(2));
        assert_eq!(one.count(-1, 3).to_u64(), Some(2));
        assert!(one.count(2, 2).is_zero() && one.count(0, 3).is_zero());
        assert_eq!(Completions::new(4, 2).count(0, 4).to_u64(), Some(6));
        assert_eq!(Completions::new(4, 99).count(0, 4).to_u64(), Some(6));
    }
}
