//! Methods for equal arms, also at an unequal ratio: there they draw for duplicates of the arms, as many of each as the arm's part,
//! and a duplicate is read as the arm that it stands for (Kuznetsova & Tymofyeyev 2012, doi 10.1002/sim.4447).
//!
//! A rule that treats equal arms alike gives every unit each of `S` duplicates with chance `1/S`, whatever the unit's place,
//! and so each arm its part of the ratio. Which duplicate an arm stood for is drawn as soon as the arm is, with purpose
//! [`Purpose::Duplicate`], and recorded nowhere: it follows from the seed. `docs/allocation-spec.md`, section 6.2, is the rule.

use super::method::{Method, Unit, renamed};
use super::options::{Choice, Refusal};
use super::streams::{Purpose, Randomness};
use super::weights::{Arm, MAX_ARMS, MAX_DUPLICATES, Ratio, Weights, gcd};
use super::wide::{Placed, WideWeights};
use crate::numerics::Whole;
use crate::words;
use std::fmt::Debug;
use std::ops::Range;

/// A rule that treats its arms alike. Its state holds a number for each of at most `PLACES` arms, so that a study of few arms
/// carries no more than it needs, and none asks the heap for it.
pub(super) trait EqualArms<const PLACES: usize>: Debug + Send + Sync + 'static {
    /// As [`Method::State`]; two arms with the same number in [`EqualArms::by_arm`] are alike.
    type State: Clone + Debug + Ord + Send + Sync + 'static;

    /// Number of arms, 2 to `PLACES`.
    fn arms(&self) -> usize;

    /// State before the first allocation. Nothing is drawn.
    fn start(&self) -> Self::State;

    /// Writes the weights of the arms, so many.
    fn weigh(&self, state: &Self::State, weights: &mut [u64]);

    /// The same, and the exact weights of the arms where it had to shorten them.
    fn weigh_exactly(&self, state: &Self::State, weights: &mut [u64]) -> Option<Vec<&Whole>> {
        self.weigh(state, weights);
        None
    }

    /// The exact weights in lowest terms, for a rule that keeps them so; of at most [`MAX_ARMS`] arms.
    fn wide(&self, _state: &Self::State) -> Option<Placed<'_>> {
        None
    }

    /// Counts one allocation; an arm that there is not is counted for none.
    fn take(&self, state: &mut Self::State, arm: usize);

    /// What the state holds of each arm.
    fn by_arm(state: &mut Self::State) -> &mut [u64];

    /// As [`Method::ways`].
    fn ways(&self) -> Option<u64> {
        None
    }

    /// As [`Method::cost`], of the duplicates of unequal arms.
    fn cost(&self) -> u64 {
        1
    }

    /// As [`Method::balanced_every`].
    fn balanced_every(&self) -> Option<u64> {
        None
    }

    /// Whether the chances of unequal arms ever after need no more than the sums of what the state holds of each arm's duplicates;
    /// then a state in which the first duplicate has the sum and the others nothing gives the same.
    fn needs_sums_only(&self) -> bool {
        false
    }
}

/// For how many equal arms a method draws: the arms themselves, or the duplicates of unequal ones, of which there are at most
/// [`MAX_DUPLICATES`].
pub(super) fn equal_arms(id: &str, ratio: &Ratio) -> Result<usize, Refusal> {
    if ratio.is_equal() {
        return Ok(ratio.arms());
    }
    let sum = ratio.sum();
    if sum <= MAX_DUPLICATES as u64 {
        return Ok(sum as usize);
    }
    Err(Refusal::new(
        "ratio-too-fine",
        Some("ratio"),
        words!(
            "`{id}` would draw the ratio {ratio} by {sum} duplicates of arms, and at most {MAX_DUPLICATES} are possible",
            "`{id}` skulle lotta förhållandet {ratio} med {sum} dubbletter av armar, och högst {MAX_DUPLICATES} är möjligt"
        ),
    )
    .help(words!(
        "use parts whose sum is at most {MAX_DUPLICATES}, for example 2:1 or 9:1, or a method that offers any parts (`permuted-block`, `random-allocation`, `simple`)",
        "använd delar vars summa är högst {MAX_DUPLICATES}, till exempel 2:1 eller 9:1, eller en metod som erbjuder alla delar (`permuted-block`, `random-allocation`, `simple`)"
    )))
}

/// The design of a rule that was made for as many equal arms as [`equal_arms`] says: itself for equal arms, expanded otherwise.
pub(super) fn design<R>(ratio: &Ratio, rule: R) -> Choice
where
    R: EqualArms<MAX_ARMS> + EqualArms<MAX_DUPLICATES>,
{
    if ratio.is_equal() {
        Box::new(Alike(rule))
    } else if ratio.sum() <= MAX_ARMS as u64 {
        Box::new(Expanded::<R, MAX_ARMS>::new(ratio, rule))
    } else {
        Box::new(Expanded::<R, MAX_DUPLICATES>::new(ratio, rule))
    }
}

/// A rule over the arms themselves.
#[derive(Debug)]
struct Alike<R>(R);

impl<R: EqualArms<MAX_ARMS>> Method for Alike<R> {
    type State = R::State;

    fn start(&self, _randomness: &mut dyn Randomness) -> Self::State {
        self.0.start()
    }

    fn weights(&self, state: &Self::State, _unit: &Unit<'_>) -> Weights {
        let mut weights = [0; MAX_ARMS];
        let own = &mut weights[..self.0.arms()];
        self.0.weigh(state, own);
        Weights::new(own)
    }

    fn wide(&self, state: &Self::State, _unit: &Unit<'_>) -> Option<Placed<'_>> {
        self.0.wide(state)
    }

    fn step(
        &self,
        state: &mut Self::State,
        _unit: &Unit<'_>,
        arm: Arm,
        _randomness: &mut dyn Randomness,
    ) {
        self.0.take(state, arm.index());
    }

    fn ways(&self) -> Option<u64> {
        self.0.ways()
    }

    fn balanced_every(&self) -> Option<u64> {
        self.0.balanced_every()
    }

    fn rename(&self, state: &mut Self::State, order: &[usize]) -> bool {
        renamed(R::by_arm(state), order);
        true
    }
}

/// A rule over duplicates of arms, those of the first arm first.
#[derive(Debug)]
struct Expanded<R, const PLACES: usize> {
    /// Over the duplicates, which are equal arms to it.
    rule: R,
    arms: usize,
    /// First duplicate of each arm, then the number of duplicates.
    first: [usize; MAX_ARMS + 1],
}

/// What the rule remembers of the duplicates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Hidden<S> {
    state: S,
    /// Number of the next allocation, which addresses the draw of a duplicate.
    next: u64,
}

impl<R: EqualArms<PLACES>, const PLACES: usize> Expanded<R, PLACES> {
    fn new(ratio: &Ratio, rule: R) -> Self {
        let mut first = [0; MAX_ARMS + 1];
        let mut next = 0;
        for (place, part) in ratio.parts().iter().enumerate() {
            next += *part as usize;
            first[place + 1] = next;
        }
        Self {
            rule,
            arms: ratio.arms(),
            first,
        }
    }

    /// The duplicates of each arm.
    fn of_arms(&self) -> impl Iterator<Item = Range<usize>> {
        let bounds = self.first.windows(2).take(self.arms);
        bounds.map(|bounds| bounds[0]..bounds[1])
    }

    /// The duplicates of an arm; none for an arm that the ratio does not have.
    fn duplicates(&self, arm: Arm) -> Range<usize> {
        self.of_arms().nth(arm.index()).unwrap_or(0..0)
    }

    /// Draws which of its duplicates an arm stands for. A number is taken also when one duplicate has all the weight; an arm
    /// with one duplicate takes none.
    fn drawn(
        &self,
        hidden: &mut Hidden<R::State>,
        duplicates: Range<usize>,
        randomness: &mut dyn Randomness,
    ) -> usize {
        let first = duplicates.start;
        if duplicates.len() < 2 {
            return first;
        }
        let mut weights = [0; PLACES];
        let all = &mut weights[..self.first[self.arms]];
        let exact = self.rule.weigh_exactly(&hidden.state, all);
        let own = &mut weights[duplicates.clone()];
        let divisor = own.iter().copied().fold(0, gcd);
        if divisor == 0 {
            // Only in a ledger that was tampered with can an arm have had no weight.
            return first;
        }
        for weight in &mut *own {
            *weight /= divisor;
        }
        let purpose = Purpose::Duplicate;
        let none_apart = [0; PLACES];
        let alike = if self.rule.needs_sums_only() {
            &none_apart[duplicates.clone()]
        } else {
            &R::by_arm(&mut hidden.state)[duplicates.clone()]
        };
        first
            + match exact {
                Some(exact) => {
                    let exact = || WideWeights::new(&exact[duplicates.clone()]).in_order();
                    randomness.pick_wide(purpose, hidden.next, &exact, own, alike)
                }
                None => randomness.pick_alike(purpose, hidden.next, own, alike),
            }
    }
}

impl<R: EqualArms<PLACES>, const PLACES: usize> Method for Expanded<R, PLACES> {
    type State = Hidden<R::State>;

    fn start(&self, _randomness: &mut dyn Randomness) -> Self::State {
        Hidden {
            state: self.rule.start(),
            next: 0,
        }
    }

    fn weights(&self, hidden: &Self::State, _unit: &Unit<'_>) -> Weights {
        let mut weights = [0; PLACES];
        self.rule
            .weigh(&hidden.state, &mut weights[..self.first[self.arms]]);
        let mut of_arms = [0; MAX_ARMS];
        for (weight, duplicates) in of_arms.iter_mut().zip(self.of_arms()) {
            *weight = weights[duplicates].iter().sum();
        }
        Weights::new(&of_arms[..self.arms])
    }

    fn wide(&self, hidden: &Self::State, _unit: &Unit<'_>) -> Option<Placed<'_>> {
        let mut weights = [0; PLACES];
        let all = &mut weights[..self.first[self.arms]];
        let exact = self.rule.weigh_exactly(&hidden.state, all)?;
        let of_arms: Vec<Whole> = self
            .of_arms()
            .map(|duplicates| {
                let own = exact[duplicates].iter();
                own.fold(Whole::default(), |sum, weight| sum.plus(weight))
            })
            .collect();
        Some(WideWeights::new(&of_arms).in_order())
    }

    fn step(
        &self,
        hidden: &mut Self::State,
        _unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    ) {
        let duplicates = self.duplicates(arm);
        let duplicate = if duplicates.is_empty() {
            usize::MAX
        } else {
            self.drawn(hidden, duplicates, randomness)
        };
        self.rule.take(&mut hidden.state, duplicate);
        hidden.next += 1;
    }

    fn hides_duplicates(&self) -> bool {
        true
    }

    fn hides_chances(&self) -> bool {
        !self.rule.needs_sums_only()
    }

    fn ways(&self) -> Option<u64> {
        self.rule.ways()
    }

    fn cost(&self) -> u64 {
        self.rule.cost()
    }

    fn balanced_every(&self) -> Option<u64> {
        self.rule.balanced_every()
    }

    fn forget_address(&self, hidden: &mut Self::State) {
        hidden.next = 0;
    }

    /// Arms with as many duplicates are alike.
    fn rename(&self, hidden: &mut Self::State, order: &[usize]) -> bool {
        let duplicates = |arm: usize| self.duplicates(Arm(arm as u8));
        let same = |(arm, from): (usize, &usize)| duplicates(arm).len() == duplicates(*from).len();
        if !order.iter().enumerate().all(same) {
            return false;
        }
        let by_duplicate = R::by_arm(&mut hidden.state);
        let mut before = [0; PLACES];
        before.copy_from_slice(by_duplicate);
        for (arm, from) in order.iter().enumerate() {
            by_duplicate[duplicates(arm)].copy_from_slice(&before[duplicates(*from)]);
        }
        true
    }

    /// Where the rule needs to know of an arm no more than its duplicates together, that alone is kept. Otherwise duplicates of one
    /// arm are alike: of the states that differ by which of them is which, the one in ascending order.
    fn merge(&self, hidden: &mut Self::State) {
        let by_duplicate = R::by_arm(&mut hidden.state);
        for duplicates in self.of_arms() {
            let own = &mut by_duplicate[duplicates];
            if self.rule.needs_sums_only() {
                let sum = own.iter().sum();
                own.fill(0);
                own[0] = sum;
            } else {
                own.sort_unstable();
            }
        }
    }
}
