//! What a randomization method is, and the one shared draw.

use super::streams::{Purpose, Randomness};
use super::weights::{Arm, Weights};
use std::any::Any;
use std::fmt::Debug;

/// What a method may know of the unit to allocate, besides its own state: factor levels as small integers.
///
/// Most methods look at nothing; minimization looks at the levels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unit<'a> {
    /// Level of each balancing factor, in the order of the method's options.
    pub levels: &'a [u16],
}

/// A randomization method with its options fixed: integer weights over arms from its own state.
///
/// Laws (contract tests iterate over [`super::METHODS`]): weights have one entry per arm and a positive sum; they
/// depend on the state and the unit only; the state after `k` steps does not depend on what comes later.
pub trait Method: Debug + Send + Sync + 'static {
    /// What the method remembers of a stratum.
    type State: Clone + Debug + PartialEq + Send + Sync + 'static;

    /// State of a stratum before its first allocation in an epoch. A random block length is drawn here.
    fn start(&self, randomness: &mut dyn Randomness) -> Self::State;

    /// How likely each arm is for the next unit.
    fn weights(&self, state: &Self::State, unit: &Unit<'_>) -> Weights;

    /// The state after `unit` was allocated to `arm`. When a block is full, the next length is drawn here.
    fn step(
        &self,
        state: &mut Self::State,
        unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    );
}

/// A method with its options, its state type hidden: what a study, a list and a simulation hold.
pub trait Design: Debug + Send + Sync {
    /// Begins the sequence of one stratum in one epoch.
    fn begin(&self, randomness: &mut dyn Randomness) -> Box<dyn Sequence>;

    /// Puts a used sequence of this design back to its beginning without a new allocation on the heap.
    fn restart(&self, sequence: &mut dyn Sequence, randomness: &mut dyn Randomness);

    /// How likely each arm is for the next unit of a sequence of this design.
    fn weights(&self, sequence: &dyn Sequence, unit: &Unit<'_>) -> Weights;

    /// Moves a sequence of this design past one allocation.
    fn step(
        &self,
        sequence: &mut dyn Sequence,
        unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    );
}

/// The state of one stratum, whatever the method.
pub trait Sequence: Debug + Any + Send + Sync {
    /// A copy.
    fn copy(&self) -> Box<dyn Sequence>;
    /// Whether another sequence is in the same state.
    fn same(&self, other: &dyn Sequence) -> bool;
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

#[derive(Debug, Clone, PartialEq)]
struct Held<S>(S);

impl<S: Clone + Debug + PartialEq + Send + Sync + 'static> Sequence for Held<S> {
    fn copy(&self) -> Box<dyn Sequence> {
        Box::new(self.clone())
    }

    fn same(&self, other: &dyn Sequence) -> bool {
        other
            .as_any()
            .downcast_ref::<Self>()
            .is_some_and(|other| other == self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// A sequence handed to another design than its own is put at that design's beginning: a mix-up can only ever
/// start a list, and the state machine never mixes (one design per epoch).
impl<M: Method> Design for M {
    fn begin(&self, randomness: &mut dyn Randomness) -> Box<dyn Sequence> {
        Box::new(Held(self.start(randomness)))
    }

    fn restart(&self, sequence: &mut dyn Sequence, randomness: &mut dyn Randomness) {
        if let Some(held) = sequence.as_any_mut().downcast_mut::<Held<M::State>>() {
            held.0 = self.start(randomness);
        }
    }

    fn weights(&self, sequence: &dyn Sequence, unit: &Unit<'_>) -> Weights {
        match sequence.as_any().downcast_ref::<Held<M::State>>() {
            Some(held) => Method::weights(self, &held.0, unit),
            None => Weights::new(&[]),
        }
    }

    fn step(
        &self,
        sequence: &mut dyn Sequence,
        unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    ) {
        if let Some(held) = sequence.as_any_mut().downcast_mut::<Held<M::State>>() {
            Method::step(self, &mut held.0, unit, arm, randomness);
        }
    }
}

/// The one shared draw: weights in lowest terms, one bounded integer, the arm; then the sequence moves on.
///
/// `index` is the number of the allocation within stratum and epoch, from 0; it addresses the random number, so a
/// repeated call with the same state and index gives the same arm.
pub fn allocate(
    design: &dyn Design,
    sequence: &mut dyn Sequence,
    unit: &Unit<'_>,
    index: u64,
    randomness: &mut dyn Randomness,
) -> Arm {
    let weights = design.weights(sequence, unit).reduced();
    let point = randomness.below(Purpose::Arm, index, weights.sum());
    let arm = weights.arm_at(point);
    design.step(sequence, unit, arm, randomness);
    arm
}
