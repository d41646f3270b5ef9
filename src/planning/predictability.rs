//! How well the arms of a finished study could have been guessed, and how unequal its strata ended.
//!
//! The guesser is that of `allocation`: it sees every arm given so far in the stratum. Nothing here draws.

use crate::allocation::{
    Arm, Design, Guesser, MAX_ARMS, Purpose, Randomness, Sequence, Unit, WHOLE, Weights,
};
use crate::protocol::Protocol;
use crate::study::kernel::Allocated;

/// Follows the allocations of one study after the other, in storage of its own.
#[derive(Debug)]
pub(super) struct Follower {
    guesser: Option<Guesser>,
    counts: Vec<[u64; MAX_ARMS]>,
    sequences: Vec<Option<Box<dyn Sequence>>>,
    begun: Vec<bool>,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Followed {
    /// Share of correct guesses; `None` without allocations or a guesser.
    pub(super) correct_share: Option<f64>,
    /// Largest |D| over strata at the end.
    pub(super) imbalance: f64,
}

/// A design that shows its places has one block length and asks for no random number that matters.
struct Nothing;

impl Randomness for Nothing {
    fn below(&mut self, _: Purpose, _: u64, _: u64) -> u64 {
        0
    }

    fn below_wide(&mut self, _: Purpose, _: u64, n: &[u64]) -> Vec<u64> {
        vec![0; n.len()]
    }
}

impl Follower {
    pub(super) fn new(protocol: &Protocol) -> Self {
        let strata = protocol.strata();
        let allocation = &protocol.allocation;
        Self {
            guesser: Guesser::new(&*allocation.design, &allocation.ratio).ok(),
            counts: vec![[0; MAX_ARMS]; strata],
            sequences: (0..strata).map(|_| None).collect(),
            begun: vec![false; strata],
        }
    }

    pub(super) fn follow(&mut self, protocol: &Protocol, allocations: &[Allocated]) -> Followed {
        let Some(guesser) = self.guesser else {
            return Followed {
                correct_share: None,
                imbalance: 0.0,
            };
        };
        let design = &*protocol.allocation.design;
        self.counts.fill([0; MAX_ARMS]);
        self.begun.fill(false);
        let places = design.shows_places();
        let arms = protocol.arms.len();
        let mut correct = 0;
        for allocated in allocations {
            let stratum = allocated.stratum as usize;
            let Some(counts) = self.counts.get_mut(stratum) else {
                continue;
            };
            let weights = if places {
                let begun = std::mem::replace(&mut self.begun[stratum], true);
                places_left(design, &mut self.sequences[stratum], begun, allocated.arm)
            } else {
                Weights::forced(Arm(0), arms)
            };
            correct += guesser.correct(allocated.arm, counts, &weights);
            counts[allocated.arm.index()] += 1;
        }
        let largest = self
            .counts
            .iter()
            .map(|counts| guesser.imbalance(counts).unsigned_abs())
            .max()
            .unwrap_or(0);
        Followed {
            correct_share: (!allocations.is_empty())
                .then(|| correct as f64 / (WHOLE * allocations.len() as u64) as f64),
            imbalance: largest as f64 / guesser.unit(),
        }
    }
}

/// The weights before an allocation; the sequence moves past it.
fn places_left(
    design: &dyn Design,
    slot: &mut Option<Box<dyn Sequence>>,
    begun: bool,
    arm: Arm,
) -> Weights {
    let sequence = match slot {
        Some(sequence) => {
            if !begun {
                design.restart(&mut **sequence, &mut Nothing);
            }
            sequence
        }
        none => none.insert(design.begin(&mut Nothing)),
    };
    let weights = design.weights(&**sequence, &Unit::default());
    design.step(&mut **sequence, &Unit::default(), arm, &mut Nothing);
    weights
}
