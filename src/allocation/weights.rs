//! Arms, ratios and integer weights.

use std::fmt;

/// Most arms that a study can have. A fixed bound lets the state machine run without the heap.
pub const MAX_ARMS: usize = 8;

/// Most duplicates by which the arms of an unequal ratio are drawn: the largest sum of its parts in lowest terms. A bound for the
/// same reason.
pub const MAX_DUPLICATES: usize = 64;

/// An arm by its place in the protocol, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arm(pub u8);

impl Arm {
    /// The place as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Integer weights over arms, in the protocol's order; at least one is positive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weights {
    arms: u8,
    weights: [u64; MAX_ARMS],
}

impl Weights {
    /// Weights from a slice of 1 to [`MAX_ARMS`] entries; further entries are not read.
    pub fn new(weights: &[u64]) -> Self {
        let arms = weights.len().min(MAX_ARMS);
        let mut own = [0; MAX_ARMS];
        own[..arms].copy_from_slice(&weights[..arms]);
        Self {
            arms: arms as u8,
            weights: own,
        }
    }

    /// All weight on one of `arms` arms: a forced allocation.
    pub fn forced(arm: Arm, arms: usize) -> Self {
        let mut own = [0; MAX_ARMS];
        own[arm.index()] = 1;
        Self {
            arms: arms as u8,
            weights: own,
        }
    }

    /// One weight per arm.
    pub fn as_slice(&self) -> &[u64] {
        &self.weights[..usize::from(self.arms)]
    }

    /// Divided by the greatest common divisor, as the derivation demands before a draw.
    #[must_use]
    pub fn reduced(&self) -> Self {
        if self.as_slice().contains(&1) {
            return *self;
        }
        let divisor = self.as_slice().iter().copied().fold(0, gcd).max(1);
        let mut own = *self;
        for weight in &mut own.weights[..usize::from(own.arms)] {
            *weight /= divisor;
        }
        own
    }

    /// Sum of the weights.
    pub fn sum(&self) -> u64 {
        self.as_slice().iter().sum()
    }

    /// Whether one arm has all the weight.
    pub fn is_forced(&self) -> bool {
        self.as_slice().iter().filter(|w| **w > 0).count() == 1
    }

    /// The first arm, in order, whose cumulative weight exceeds `point`, for `point` below [`Weights::sum`].
    pub fn arm_at(&self, point: u64) -> Arm {
        let mut cumulative = 0;
        for (arm, weight) in self.as_slice().iter().enumerate() {
            cumulative += weight;
            if cumulative > point {
                return Arm(arm as u8);
            }
        }
        Arm(self.arms.saturating_sub(1))
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// Allocation ratio: one positive integer per arm, 2 to [`MAX_ARMS`] arms, kept in lowest terms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ratio(Weights);

impl Ratio {
    /// A ratio in lowest terms, or `None` with fewer than two or more than [`MAX_ARMS`] arms, a zero part, or a part
    /// above one million (so that no sum of counts can overflow).
    pub fn new(parts: &[u64]) -> Option<Self> {
        let valid = (2..=MAX_ARMS).contains(&parts.len())
            && parts.iter().all(|part| (1..=1_000_000).contains(part));
        valid.then(|| Self(Weights::new(parts).reduced()))
    }

    /// One part per arm, in lowest terms.
    pub fn parts(&self) -> &[u64] {
        self.0.as_slice()
    }

    /// Number of arms.
    pub fn arms(&self) -> usize {
        self.parts().len()
    }

    /// Sum of the parts.
    pub fn sum(&self) -> u64 {
        self.0.sum()
    }

    /// Whether all arms have the same part.
    pub fn is_equal(&self) -> bool {
        self.parts().iter().all(|part| *part == 1)
    }

    /// The ratio as weights.
    pub fn weights(&self) -> Weights {
        self.0
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts().iter().enumerate() {
            if i > 0 {
                f.write_str(":")?;
            }
            write!(f, "{part}")?;
        }
        Ok(())
    }
}

/// Greatest common divisor; of zero and a number it is the number.
pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
