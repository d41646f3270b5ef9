//! What a randomization method is, and the one shared draw.

use super::exact::{self, Exact};
use super::guess::Guesser;
use super::observer;
use super::streams::{Purpose, Randomness};
use super::weights::{Arm, MAX_ARMS, Ratio, Weights};
use super::wide::Placed;
use std::any::Any;
use std::cmp::Ordering;
use std::fmt::Debug;

/// What a method may know of the unit to allocate, besides its own state: factor levels as small integers.
///
/// Most methods look at nothing; minimization looks at the levels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unit<'a> {
    /// Level of each balancing factor, in the order of the method's options.
    pub levels: &'a [u16],
}

/// Most balancing factors of a study. A fixed bound lets the state machine run without the heap.
pub const MAX_FACTORS: usize = 8;

/// The levels of a unit's balancing factors, on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Levels {
    len: u8,
    levels: [u16; MAX_FACTORS],
}

impl Levels {
    /// Adds the level of the next factor; `false` when there are [`MAX_FACTORS`] already.
    pub fn push(&mut self, level: u16) -> bool {
        let Some(place) = self.levels.get_mut(usize::from(self.len)) else {
            return false;
        };
        *place = level;
        self.len += 1;
        true
    }

    /// One level per factor.
    pub fn as_slice(&self) -> &[u16] {
        &self.levels[..usize::from(self.len)]
    }

    /// The unit that a method is asked about.
    pub fn unit(&self) -> Unit<'_> {
        Unit {
            levels: self.as_slice(),
        }
    }
}

/// A randomization method with its options fixed: integer weights over arms from its own state.
///
/// Laws (contract tests iterate over [`super::METHODS`]): weights have one entry per arm and a positive sum; they
/// depend on the state and the unit only; the state after `k` steps does not depend on what comes later.
pub trait Method: Debug + Send + Sync + 'static {
    /// What the method remembers of a stratum: integers, best without the heap, so that a simulated study restarts
    /// its strata for nothing.
    type State: Clone + Debug + Ord + Send + Sync + 'static;

    /// State of a stratum before its first allocation in an epoch. A random block length is drawn here.
    fn start(&self, randomness: &mut dyn Randomness) -> Self::State;

    /// How likely each arm is for the next unit.
    fn weights(&self, state: &Self::State, unit: &Unit<'_>) -> Weights;

    /// The exact weights where [`Method::weights`] had to shorten them for lack of digits; then these are drawn from.
    fn wide(&self, _state: &Self::State, _unit: &Unit<'_>) -> Option<Placed<'_>> {
        None
    }

    /// The state after `unit` was allocated to `arm`. When a block is full, the next length is drawn here.
    ///
    /// A ledger that was tampered with can hold an arm that had no weight. Any state may follow then, but no panic and
    /// no weights that sum to zero: it is `verify` that finds the arm.
    fn step(
        &self,
        state: &mut Self::State,
        unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    );

    /// Puts a used state back to the beginning. Override where [`Method::start`] would ask the heap for memory that
    /// the state already has.
    fn restart(&self, state: &mut Self::State, randomness: &mut dyn Randomness) {
        *state = self.start(randomness);
    }

    /// Whether the weights are the places left in a block whose length is known beforehand; a guesser who sees the
    /// arms can then count along.
    fn shows_places(&self) -> bool {
        false
    }

    /// Whether every unit has each arm with its part in the ratio, whatever units come and in whatever order. A method
    /// without this may describe itself and draw lists, but a study cannot use it.
    fn keeps_ratio(&self) -> bool {
        true
    }

    /// Whether each arm stands for a duplicate that is drawn beside it and that nobody sees.
    fn hides_duplicates(&self) -> bool {
        false
    }

    /// Whether the chances given the state are more than anybody can know who sees the arms before: the state holds duplicates, and the
    /// chances need them.
    fn hides_chances(&self) -> bool {
        self.hides_duplicates()
    }

    /// If no arm is ever ruled out, the number of ways in which each unit can go: arms, times what is hidden behind an
    /// arm. `None` where some state forces an arm, or where nobody has said.
    fn ways(&self) -> Option<u64> {
        None
    }

    /// What asking for weights and moving on cost, in those of a method of few arms: how much is followed is divided by it.
    fn cost(&self) -> u64 {
        1
    }

    /// The ratio in which every unit is drawn, if no draw depends on anything before it.
    fn always(&self) -> Option<Ratio> {
        None
    }

    /// If the counts are in the ratio whenever so many more units have come, that number.
    fn balanced_every(&self) -> Option<u64> {
        None
    }

    /// Forgets what only addresses random numbers (the number of a block), so that states with the same future are
    /// equal and an exact calculation meets few of them.
    fn forget_address(&self, _state: &mut Self::State) {}

    /// Puts one state in the place of all that differ from it only by what is hidden behind an arm and have the same chances
    /// ever after. The same numbers may draw other arms from it, so this is for who follows chances, not draws.
    fn merge(&self, _state: &mut Self::State) {}

    /// Renames arms: what the state holds of arm `order[k]` becomes that of arm `k`. A method that treats arms of equal
    /// parts alike can do so (its weights are then renamed too), and gives `true`; then histories that differ by the
    /// names of the arms are followed as one.
    fn rename(&self, _state: &mut Self::State, _order: &[usize]) -> bool {
        false
    }
}

/// What a state holds by arm, renamed: arm `order[k]` becomes arm `k`. More than [`MAX_ARMS`] are none of arms.
pub(super) fn renamed(by_arm: &mut [u64], order: &[usize]) {
    let mut before = [0; MAX_ARMS];
    for (before, own) in before.iter_mut().zip(&*by_arm) {
        *before = *own;
    }
    for (own, from) in by_arm.iter_mut().zip(order) {
        *own = before[*from];
    }
}

/// A method with its options, its state type hidden: what a study, a list and a simulation hold.
///
/// A sequence belongs to the design that began it (one design per epoch). Handing it to another one is a mistake in
/// the program, not in its input, and stops the program: going on would allocate a wrong arm in silence.
pub trait Design: Debug + Send + Sync {
    /// Begins the sequence of one stratum in one epoch.
    fn begin(&self, randomness: &mut dyn Randomness) -> Box<dyn Sequence>;

    /// Puts a used sequence of this design back to its beginning without a new allocation on the heap.
    fn restart(&self, sequence: &mut dyn Sequence, randomness: &mut dyn Randomness);

    /// How likely each arm is for the next unit of a sequence of this design.
    fn weights(&self, sequence: &dyn Sequence, unit: &Unit<'_>) -> Weights;

    /// The exact weights where [`Design::weights`] had to shorten them.
    fn wide<'d>(&'d self, sequence: &dyn Sequence, unit: &Unit<'_>) -> Option<Placed<'d>>;

    /// Moves a sequence of this design past one allocation.
    fn step(
        &self,
        sequence: &mut dyn Sequence,
        unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    );

    /// Whether the weights are the places left in a block whose length is known beforehand.
    fn shows_places(&self) -> bool;

    /// Whether every unit has each arm with its part in the ratio, whatever units come and in whatever order.
    fn keeps_ratio(&self) -> bool;

    /// Whether each arm stands for a duplicate that is drawn beside it and that nobody sees.
    fn hides_duplicates(&self) -> bool;

    /// Whether the chances given the state are more than anybody can know who sees the arms before.
    fn hides_chances(&self) -> bool;

    /// If no arm is ever ruled out, the number of ways in which each unit can go.
    fn ways(&self) -> Option<u64>;

    /// What asking for weights and moving on cost, in those of a method of few arms.
    fn cost(&self) -> u64;

    /// Forgets what only addresses random numbers, so that sequences with the same future are the same.
    fn forget_address(&self, sequence: &mut dyn Sequence);

    /// Puts one sequence in the place of all that have the same chances ever after.
    fn merge(&self, sequence: &mut dyn Sequence);

    /// Operating characteristics of a list of `n` by following every state that the design can be in. Units beyond
    /// `arrivals` have the first level of every factor.
    fn exact(&self, guesser: &Guesser, n: u64, arrivals: &[Levels]) -> Exact;
}

/// The state of one stratum, whatever the method.
pub trait Sequence: Debug + Any + Send + Sync {
    /// A copy.
    fn copy(&self) -> Box<dyn Sequence>;
    /// Whether another sequence is in the same state.
    fn same(&self, other: &dyn Sequence) -> bool;
    /// A total order of the states of one design, of no meaning but always the same.
    fn order(&self, other: &dyn Sequence) -> Ordering;
    /// For the design that made it.
    fn as_any(&self) -> &dyn Any;
    /// For the design that made it.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl Clone for Box<dyn Sequence> {
    fn clone(&self) -> Self {
        (**self).copy()
    }
}

impl PartialEq for Box<dyn Sequence> {
    fn eq(&self, other: &Self) -> bool {
        (**self).same(&**other)
    }
}

impl Eq for Box<dyn Sequence> {}

impl PartialOrd for Box<dyn Sequence> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Box<dyn Sequence> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).order(&**other)
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Held<S>(S);

impl<S: Clone + Debug + Ord + Send + Sync + 'static> Sequence for Held<S> {
    fn copy(&self) -> Box<dyn Sequence> {
        Box::new(self.clone())
    }

    fn same(&self, other: &dyn Sequence) -> bool {
        other
            .as_any()
            .downcast_ref::<Self>()
            .is_some_and(|other| other == self)
    }

    fn order(&self, other: &dyn Sequence) -> Ordering {
        match other.as_any().downcast_ref::<Self>() {
            Some(other) => self.0.cmp(&other.0),
            None => self.type_id().cmp(&other.as_any().type_id()),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

impl<M: Method> Design for M {
    fn begin(&self, randomness: &mut dyn Randomness) -> Box<dyn Sequence> {
        Box::new(Held(self.start(randomness)))
    }

    fn restart(&self, sequence: &mut dyn Sequence, randomness: &mut dyn Randomness) {
        Method::restart(self, own_mut::<M>(sequence), randomness);
    }

    fn weights(&self, sequence: &dyn Sequence, unit: &Unit<'_>) -> Weights {
        Method::weights(self, own::<M>(sequence), unit)
    }

    fn wide<'d>(&'d self, sequence: &dyn Sequence, unit: &Unit<'_>) -> Option<Placed<'d>> {
        Method::wide(self, own::<M>(sequence), unit)
    }

    fn step(
        &self,
        sequence: &mut dyn Sequence,
        unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    ) {
        Method::step(self, own_mut::<M>(sequence), unit, arm, randomness);
    }

    fn shows_places(&self) -> bool {
        Method::shows_places(self)
    }

    fn keeps_ratio(&self) -> bool {
        Method::keeps_ratio(self)
    }

    fn hides_duplicates(&self) -> bool {
        Method::hides_duplicates(self)
    }

    fn hides_chances(&self) -> bool {
        Method::hides_chances(self)
    }

    fn forget_address(&self, sequence: &mut dyn Sequence) {
        Method::forget_address(self, own_mut::<M>(sequence));
    }

    fn merge(&self, sequence: &mut dyn Sequence) {
        Method::merge(self, own_mut::<M>(sequence));
    }

    fn ways(&self) -> Option<u64> {
        Method::ways(self)
    }

    fn cost(&self) -> u64 {
        Method::cost(self)
    }

    fn exact(&self, guesser: &Guesser, n: u64, arrivals: &[Levels]) -> Exact {
        let found = exact::follow(self, guesser, n, arrivals);
        let never = Exact::of_ways(Method::ways(self)).forced_share;
        let found = Exact {
            forced_share: never.or(found.forced_share),
            ..found
        };
        if !Method::hides_chances(self) {
            return found;
        }
        let seen = observer::exactly(self, n, arrivals);
        Exact {
            best_guess_share: seen.map(|own| own.best),
            forced_share: never.or(seen.map(|own| own.certain)),
            best_guess_bound: found.best_guess_share,
            forced_bound: found.forced_share,
            ..found
        }
    }
}

const STRANGER: &str = "a sequence was handed to another design than the one that began it";

fn own<M: Method>(sequence: &dyn Sequence) -> &M::State {
    match sequence.as_any().downcast_ref::<Held<M::State>>() {
        Some(held) => &held.0,
        None => unreachable!("{STRANGER}"),
    }
}

fn own_mut<M: Method>(sequence: &mut dyn Sequence) -> &mut M::State {
    match sequence.as_any_mut().downcast_mut::<Held<M::State>>() {
        Some(held) => &mut held.0,
        None => unreachable!("{STRANGER}"),
    }
}

/// The one shared draw: weights in lowest terms, one bounded random integer, the first arm whose cumulative weight
/// exceeds it. The sequence is not moved.
///
/// `index` is the number of the allocation within stratum and epoch, from 0; it addresses the random number, so a
/// repeated call with the same state and index gives the same arm.
pub fn draw_arm(
    design: &dyn Design,
    sequence: &dyn Sequence,
    unit: &Unit<'_>,
    index: u64,
    randomness: &mut dyn Randomness,
) -> Arm {
    if let Some(weights) = design.wide(sequence, unit) {
        let sum = weights.sum().limbs();
        return weights.arm_at(&randomness.below_wide(Purpose::Arm, index, sum));
    }
    let weights = design.weights(sequence, unit).reduced();
    weights.arm_at(randomness.below(Purpose::Arm, index, weights.sum()))
}

/// Draws by [`draw_arm`] and moves the sequence past the allocation.
pub fn allocate(
    design: &dyn Design,
    sequence: &mut dyn Sequence,
    unit: &Unit<'_>,
    index: u64,
    randomness: &mut dyn Randomness,
) -> Arm {
    let arm = draw_arm(design, sequence, unit, index, randomness);
    design.step(sequence, unit, arm, randomness);
    arm
}
