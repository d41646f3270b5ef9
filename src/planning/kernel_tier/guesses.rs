//! What the arms of a study look like to somebody who guesses the next one, counted as they are drawn.

use crate::allocation::{Arm, Guesser, MAX_ARMS, WHOLE, Weights};

/// What the arms look like to somebody who guesses the next one.
#[derive(Debug)]
pub(super) struct Guesses {
    guesser: Option<Guesser>,
    /// With two equal arms: chance that a guess is right, by which arm has fewer so far (first, neither, second) and the
    /// arm that came.
    pub(super) plain: Option<[[u64; 2]; 3]>,
    counts: Vec<[u64; 2]>,
    correct: u64,
}

impl Guesses {
    pub(super) fn new(guesser: Option<Guesser>, lists: usize) -> Self {
        let chance = |own: &Guesser, counts: [u64; 2]| {
            let none = Weights::forced(Arm(0), 2);
            [0, 1].map(|arm| own.correct(Arm(arm), &of_all(counts), &none))
        };
        let plain = guesser.filter(Guesser::is_plain);
        Self {
            plain: plain.map(|own| [[0, 1], [0, 0], [1, 0]].map(|counts| chance(&own, counts))),
            guesser,
            counts: vec![[0; 2]; lists],
            correct: 0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.counts.fill([0; 2]);
        self.correct = 0;
    }

    #[allow(
        clippy::inline_always,
        reason = "called for each family, in a loop with little else"
    )]
    #[inline(always)]
    pub(super) fn see(&mut self, list: usize, arm: Arm, [first, second]: [u64; 2]) {
        let counts = &mut self.counts[list];
        let own = arm.index() & 1;
        if let Some(chances) = &self.plain {
            let row = 1 + usize::from(counts[0] > counts[1]) - usize::from(counts[0] < counts[1]);
            self.correct += chances[row][own];
        } else if let Some(guesser) = &self.guesser {
            let weights = Weights::new(&[first, second]);
            self.correct += guesser.correct(arm, &of_all(*counts), &weights);
        }
        counts[own] += 1;
    }

    /// Takes a list that was followed elsewhere: its counts and the chances of its guesses.
    pub(super) fn add(&mut self, list: usize, counts: [u64; 2], correct: u64) {
        self.counts[list] = counts;
        self.correct += correct;
    }

    pub(super) fn correct_share(&self, families: usize) -> Option<f64> {
        let some = self.guesser.is_some() && families > 0;
        some.then(|| self.correct as f64 / (WHOLE * families as u64) as f64)
    }

    pub(super) fn imbalance(&self) -> f64 {
        self.guesser.map_or(0.0, |guesser| {
            let own = self.counts.iter();
            let own = own.map(|own| guesser.imbalance(&of_all(*own)).unsigned_abs());
            let largest = own.max();
            largest.unwrap_or(0) as f64 / guesser.unit()
        })
    }
}

/// The counts of two arms as those of all that there can be.
fn of_all([first, second]: [u64; 2]) -> [u64; MAX_ARMS] {
    let mut all = [0; MAX_ARMS];
    (all[0], all[1]) = (first, second);
    all
}
