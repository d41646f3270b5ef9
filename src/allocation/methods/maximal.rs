//! `maximal`: all lists of one length that end level and in which no two arms are ever further apart than the bound are
//! equally likely (Berger, Ivanova & Deloria Knoll 2003, doi 10.1002/sim.1538, for two arms; with more, the same for
//! every pair of arms).
//!
//! An arm's weight is the number of such lists that begin as this one did and go on with that arm. A list may need
//! hundreds of binary digits for it; these are the weights that are drawn from. Arms are alike, so every unit has each
//! arm with the same chance. Lists that are equally likely cannot do that for unequal parts: of 2:1 in six units with
//! |D| at most 3/2 there are 13 lists, and nine of them begin with the first arm. So it is lists of duplicates that are
//! equally likely there.

use super::big_stick::MAX_IMBALANCE;
use super::completions::Completions;
use super::lead::Lead;
use crate::allocation::Choice;
use crate::allocation::expanded::{self, EqualArms, equal_arms};
use crate::allocation::options::{
    LIST_LEN, MethodEntry, Options, Refusal, Setting, list_len, whole,
};
use crate::allocation::weights::{MAX_ARMS, Ratio};
use crate::allocation::wide::{Placed, WideWeights, digits, is_shortened, shorten};
use crate::numerics::Whole;
use crate::words;
use std::sync::OnceLock;

/// Longest list: up to here its completions are kept in a few megabytes.
const LONGEST: u64 = 1_000;
/// Most units × states of a list: up to here its completions are kept in some tens of megabytes.
const MOST: u64 = 1_000_000;

/// Numbers of up to so many binary digits cost the same.
const DIGITS: u64 = 512;

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
        Setting::new(&[1, 1, 1], &[("max_imbalance", "2"), ("list_len", "12")]),
        Setting::new(&[1, 1, 1], &[("max_imbalance", "4"), ("list_len", "90")]),
        Setting::new(&[1, 1, 1, 1], &[("max_imbalance", "1"), ("list_len", "16")]),
        Setting::new(&[2, 1], &[("max_imbalance", "2"), ("list_len", "12")]),
        Setting::new(&[1, 2, 1], &[("max_imbalance", "2"), ("list_len", "16")]),
        Setting::new(&[3, 2], &[("max_imbalance", "1"), ("list_len", "10")]),
        Setting::new(&[7, 2], &[("list_len", "18")]),
    ],
    declines: &[
        (
            Setting::new(&[37, 28], &[("list_len", "65")]),
            "ratio-too-fine",
        ),
        (
            Setting::new(&[63, 1], &[("list_len", "320")]),
            "invalid-value",
        ),
        (
            Setting::new(&[2, 1, 1], &[("list_len", "14")]),
            "list-not-divided",
        ),
        (
            Setting::new(&[2, 1], &[("max_imbalance", "50"), ("list_len", "999")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("list_len", "13")]),
            "list-not-divided",
        ),
        (
            Setting::new(&[1, 1, 1], &[("list_len", "16")]),
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
            Setting::new(&[1, 1, 1], &[("max_imbalance", "50"), ("list_len", "999")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "4")]),
            "unknown-option",
        ),
    ],
    build,
};

/// Where a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<const PLACES: usize> {
    /// How far each arm is ahead in this list.
    lead: Lead<PLACES>,
    /// Units left in this list.
    left: u64,
}

/// Weights are the completions after each arm.
struct Maximal {
    arms: usize,
    length: u64,
    completions: Completions,
    /// Weights beyond 64 bits in lowest terms, arms in descending order of lead, made when first needed; by units left,
    /// then by place. None for more duplicates than there can be arms.
    wide: Vec<Vec<OnceLock<Box<WideWeights>>>>,
}

impl std::fmt::Debug for Maximal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maximal")
            .field("arms", &self.arms)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

fn build(ratio: &Ratio, options: &Options, n: Option<u64>) -> Result<Choice, Refusal> {
    let arms = equal_arms("maximal", ratio)?;
    let text = options.get("max_imbalance").unwrap_or("3");
    let bound = whole("max_imbalance", text, &(1..=1_000_000))?;
    let length = list_len(options, n, ratio, LONGEST)?;
    fits(arms, length, bound)?;
    let completions = Completions::new(arms, length, bound);
    let wide = (0..=length)
        .map(|left| {
            let row = completions.row(left);
            if arms <= MAX_ARMS && row.iter().any(|count| count.bits() >= digits(arms)) {
                row.iter().map(|_| OnceLock::new()).collect()
            } else {
                Vec::new()
            }
        })
        .collect();
    let maximal = Maximal {
        arms,
        length,
        completions,
        wide,
    };
    Ok(expanded::design(ratio, maximal))
}

/// Refuses more states than are kept.
fn fits(arms: usize, length: u64, bound: u64) -> Result<(), Refusal> {
    let fits = |bound: u64| {
        let states = Completions::states(arms, bound.min(length / arms as u64));
        states.saturating_mul(length) <= MOST
    };
    if fits(bound) {
        return Ok(());
    }
    let most = bound.min(length / arms as u64);
    let largest = (1..most).rev().find(|bound| fits(*bound)).unwrap_or(1);
    let refusal = Refusal::new(
        "invalid-value",
        Some("max_imbalance"),
        words!(
            "{arms} arms (duplicates, if parts are unequal) in lists of {length} with differences up to {bound} stand in too many ways to count the completions of each",
            "{arms} armar (dubbletter, om delarna är olika) i listor om {length} med skillnader upp till {bound} kan stå på för många sätt för att fortsättningarna ska kunna räknas"
        ),
    );
    Err(refusal.help(words!(
        "with this length a `max_imbalance` up to {largest} can be counted; shorter lists allow more",
        "med den här längden går en `max_imbalance` upp till {largest} att räkna; kortare listor tillåter mer"
    )))
}

/// The arms in descending order of lead, and their leads in that order.
fn descending<const PLACES: usize>(
    lead: &Lead<PLACES>,
    arms: usize,
) -> ([u8; PLACES], [u64; PLACES]) {
    let own = lead.of(arms);
    let mut order = std::array::from_fn(|arm| arm as u8);
    order[..arms].sort_by_key(|arm| std::cmp::Reverse(own[usize::from(*arm)]));
    let mut leads = [0; PLACES];
    for (lead, arm) in leads.iter_mut().zip(order).take(arms) {
        *lead = own[usize::from(arm)];
    }
    (order, leads)
}

impl Maximal {
    /// The completions after each arm.
    fn completed<const PLACES: usize>(&self, place: &Place<PLACES>) -> Vec<&Whole> {
        let (order, leads) = descending(&place.lead, self.arms);
        let ways = self.completions.after_each(&leads, place.left);
        let mut exact = ways.clone();
        for (arm, ways) in order.iter().zip(ways) {
            exact[usize::from(*arm)] = ways;
        }
        exact
    }
}

impl<const PLACES: usize> EqualArms<PLACES> for Maximal {
    type State = Place<PLACES>;

    fn arms(&self) -> usize {
        self.arms
    }

    fn start(&self) -> Place<PLACES> {
        Place {
            lead: Lead::level(),
            left: self.length,
        }
    }

    fn weigh(&self, place: &Place<PLACES>, weights: &mut [u64]) {
        self.weigh_exactly(place, weights);
    }

    fn weigh_exactly(&self, place: &Place<PLACES>, weights: &mut [u64]) -> Option<Vec<&Whole>> {
        let exact = self.completed(place);
        if exact.iter().all(|ways| ways.is_zero()) {
            // Only a ledger that was tampered with comes here.
            weights.fill(1);
        } else {
            shorten(&exact, weights);
        }
        is_shortened(&exact).then_some(exact)
    }

    fn wide(&self, place: &Place<PLACES>) -> Option<Placed<'_>> {
        let row = self.wide.get(place.left as usize)?;
        if row.is_empty() {
            return None;
        }
        let (order, leads) = descending(&place.lead, self.arms);
        let cell = row.get(self.completions.place(&leads, place.left)?)?;
        let weights = if let Some(weights) = cell.get() {
            weights
        } else {
            let exact = self.completions.after_each(&leads, place.left);
            if !is_shortened(&exact) {
                return None;
            }
            cell.get_or_init(|| Box::new(WideWeights::new(&exact)))
        };
        Some(weights.placed(&order[..self.arms]))
    }

    fn take(&self, place: &mut Place<PLACES>, arm: usize) {
        place.lead.count(arm, self.arms);
        place.left = place.left.saturating_sub(1);
        if place.left == 0 {
            *place = self.start();
        }
    }

    fn balanced_every(&self) -> Option<u64> {
        Some(self.length)
    }

    /// Duplicates, and numbers of hundreds of digits.
    fn cost(&self) -> u64 {
        let digits = self.completions.row(self.length).first();
        let digits = digits.map_or(0, Whole::bits) as u64;
        (self.arms as u64).div_ceil(MAX_ARMS as u64) * digits.div_ceil(DIGITS).max(1)
    }

    fn by_arm(place: &mut Place<PLACES>) -> &mut [u64] {
        place.lead.by_arm()
    }
}
