//! A method for equal arms at an unequal ratio: it draws for duplicates of the arms, as many of each as the arm's part,
//! and a duplicate is read as the arm that it stands for (Kuznetsova & Tymofyeyev 2012, doi 10.1002/sim.4447).
//!
//! A rule that treats equal arms alike gives every unit each of `S` duplicates with chance `1/S`, whatever the unit's place,
//! and so each arm its part of the ratio. Which duplicate an arm stood for is drawn as soon as the arm is, with purpose
//! [`Purpose::Duplicate`], and recorded nowhere: it follows from the seed. `docs/allocation-spec.md`, section 6.2, is the rule.

use super::method::{Method, Unit};
use super::options::{Choice, Refusal};
use super::streams::{Purpose, Randomness};
use super::weights::{Arm, MAX_ARMS, Ratio, Weights};
use super::wide::{Placed, WideWeights};
use crate::numerics::Whole;
use crate::words;
use std::ops::Range;

/// An arm that no design has: what a method is told of an arm that the ratio does not have.
const NONE: Arm = Arm(u8::MAX);

/// For how many equal arms a method draws: the arms themselves, or the duplicates of unequal ones, of which there are at most
/// [`MAX_ARMS`].
pub(super) fn equal_arms(id: &str, ratio: &Ratio) -> Result<usize, Refusal> {
    if ratio.is_equal() {
        return Ok(ratio.arms());
    }
    let sum = ratio.sum();
    if sum <= MAX_ARMS as u64 {
        return Ok(sum as usize);
    }
    Err(Refusal::new(
        "ratio-too-fine",
        Some("ratio"),
        words!(
            "`{id}` would draw the ratio {ratio} by {sum} duplicates of arms, and at most {MAX_ARMS} are possible",
            "`{id}` skulle lotta förhållandet {ratio} med {sum} dubbletter av armar, och högst {MAX_ARMS} är möjligt"
        ),
    )
    .help(words!(
        "use parts whose sum is at most {MAX_ARMS}, for example 2:1 or 3:2, or a method that offers any parts (`permuted-block`, `random-allocation`, `simple`)",
        "använd delar vars summa är högst {MAX_ARMS}, till exempel 2:1 eller 3:2, eller en metod som erbjuder alla delar (`permuted-block`, `random-allocation`, `simple`)"
    )))
}

/// The design of a method that was made for as many equal arms as [`equal_arms`] says: itself for equal arms, expanded
/// otherwise.
pub(super) fn design<M: Method>(ratio: &Ratio, method: M) -> Choice {
    if ratio.is_equal() {
        return Box::new(method);
    }
    let mut first = [0; MAX_ARMS + 1];
    let mut next = 0;
    for (place, part) in ratio.parts().iter().enumerate() {
        next += *part as usize;
        first[place + 1] = next;
    }
    Box::new(Expanded {
        method,
        arms: ratio.arms(),
        first,
    })
}

/// A method over duplicates of arms, those of the first arm first.
#[derive(Debug)]
struct Expanded<M> {
    /// Over the duplicates, which are equal arms to it.
    method: M,
    arms: usize,
    /// First duplicate of each arm, then the number of duplicates.
    first: [usize; MAX_ARMS + 1],
}

/// What the method remembers of the duplicates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Hidden<S> {
    state: S,
    /// Number of the next allocation, which addresses the draw of a duplicate.
    next: u64,
}

impl<M: Method> Expanded<M> {
    /// The duplicates of an arm; none for an arm that the ratio does not have.
    fn duplicates(&self, arm: Arm) -> Range<usize> {
        let place = arm.index();
        if place < self.arms {
            self.first[place]..self.first[place + 1]
        } else {
            0..0
        }
    }

    /// Draws which of its duplicates an arm stands for. A number is taken also when one duplicate has all the weight; an arm
    /// with one duplicate takes none.
    fn drawn(
        &self,
        hidden: &Hidden<M::State>,
        unit: &Unit<'_>,
        duplicates: Range<usize>,
        randomness: &mut dyn Randomness,
    ) -> usize {
        let first = duplicates.start;
        if duplicates.len() < 2 {
            return first;
        }
        let weights = self.method.weights(&hidden.state, unit);
        let own = Weights::new(&weights.as_slice()[duplicates.clone()]).reduced();
        if own.sum() == 0 {
            // Only in a ledger that was tampered with can an arm have had no weight.
            return first;
        }
        let purpose = Purpose::Duplicate;
        first
            + match self.method.wide(&hidden.state, unit) {
                Some(wide) => {
                    let exact: Vec<Whole> = duplicates.map(|place| wide.weight(place)).collect();
                    let exact = WideWeights::new(&exact).in_order();
                    randomness.pick_wide(purpose, hidden.next, &exact, own.as_slice())
                }
                None => randomness.pick(purpose, hidden.next, own.as_slice()),
            }
    }
}

impl<M: Method> Method for Expanded<M> {
    type State = Hidden<M::State>;

    fn start(&self, randomness: &mut dyn Randomness) -> Self::State {
        Hidden {
            state: self.method.start(randomness),
            next: 0,
        }
    }

    fn restart(&self, hidden: &mut Self::State, randomness: &mut dyn Randomness) {
        self.method.restart(&mut hidden.state, randomness);
        hidden.next = 0;
    }

    fn weights(&self, hidden: &Self::State, unit: &Unit<'_>) -> Weights {
        let weights = self.method.weights(&hidden.state, unit);
        let mut of_arms = [0; MAX_ARMS];
        for (weight, bounds) in of_arms
            .iter_mut()
            .zip(self.first.windows(2))
            .take(self.arms)
        {
            *weight = weights.as_slice()[bounds[0]..bounds[1]].iter().sum();
        }
        Weights::new(&of_arms[..self.arms])
    }

    fn wide(&self, hidden: &Self::State, unit: &Unit<'_>) -> Option<Placed<'_>> {
        let wide = self.method.wide(&hidden.state, unit)?;
        let bounds = self.first.windows(2).take(self.arms);
        let of_arms: Vec<Whole> = bounds
            .map(|bounds| {
                (bounds[0]..bounds[1])
                    .fold(Whole::default(), |sum, place| sum.plus(&wide.weight(place)))
            })
            .collect();
        Some(WideWeights::new(&of_arms).in_order())
    }

    fn step(
        &self,
        hidden: &mut Self::State,
        unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    ) {
        let duplicates = self.duplicates(arm);
        let duplicate = if duplicates.is_empty() {
            NONE
        } else {
            Arm(self.drawn(hidden, unit, duplicates, randomness) as u8)
        };
        self.method
            .step(&mut hidden.state, unit, duplicate, randomness);
        hidden.next += 1;
    }

    fn keeps_ratio(&self) -> bool {
        self.method.keeps_ratio()
    }

    fn hides_duplicates(&self) -> bool {
        true
    }

    fn ways(&self) -> Option<u64> {
        self.method.ways()
    }

    fn balanced_every(&self) -> Option<u64> {
        self.method.balanced_every()
    }

    fn forget_address(&self, hidden: &mut Self::State) {
        self.method.forget_address(&mut hidden.state);
        hidden.next = 0;
    }

    /// Where the method needs to know of an arm no more than its duplicates together, that alone is kept. Otherwise duplicates of one arm are
    /// alike: of the states that differ by which of them is which, the one that comes first.
    fn merge(&self, hidden: &mut Self::State) {
        if self
            .method
            .lump(&mut hidden.state, &self.first[..=self.arms])
        {
            return;
        }
        let mut order: [usize; MAX_ARMS] = std::array::from_fn(|place| place);
        let number = self.first[self.arms];
        let mut settled = false;
        while !settled {
            settled = true;
            for bounds in self.first.windows(2).take(self.arms) {
                for place in bounds[0] + 1..bounds[1] {
                    order.swap(place - 1, place);
                    let mut other = hidden.state.clone();
                    let renamed = self.method.rename(&mut other, &order[..number]);
                    order.swap(place - 1, place);
                    if renamed && other < hidden.state {
                        hidden.state = other;
                        settled = false;
                    }
                }
            }
        }
    }
}
