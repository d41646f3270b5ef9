//! Shares of a weighed whole, such as the two tails of an enumerated reference set, and whether such a share is within a limit.
//!
//! Where all weights are alike shares are quotients of counts, so that 10 of 400 is .025 and not a little more.

use super::Twofold;

/// How much weights may differ and count as alike, and by how much of a limit a share may exceed it by rounding.
const ROUNDING: f64 = 1e-12;

/// Two parts of a whole, which may overlap.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    least: f64,
    greatest: f64,
    numbers: [u64; 3],
    weights: [Twofold; 3],
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            least: f64::INFINITY,
            greatest: 0.0,
            numbers: [0; 3],
            weights: [Twofold::default(); 3],
        }
    }
}

impl Parts {
    /// Adds a member of weight above 0 to the whole, and to each part that it belongs to.
    pub fn add(&mut self, weight: f64, belongs: [bool; 2]) {
        self.least = self.least.min(weight);
        self.greatest = self.greatest.max(weight);
        for (place, belongs) in [belongs[0], belongs[1], true].into_iter().enumerate() {
            if belongs {
                self.numbers[place] += 1;
                self.weights[place] += Twofold::from(weight);
            }
        }
    }

    /// The share of each part in the whole, in [0, 1]; 0 of nothing.
    ///
    /// ```
    /// use lottning::numerics::shares::Parts;
    /// let mut parts = Parts::default();
    /// (0..400).for_each(|own| parts.add(1.0 / 400.0, [own < 10, true]));
    /// assert_eq!(parts.shares(), [0.025, 1.0]);
    /// ```
    pub fn shares(&self) -> [f64; 2] {
        let alike = self.greatest - self.least <= ROUNDING * self.greatest;
        let of = |place: usize| {
            if alike {
                self.numbers[place] as f64
            } else {
                self.weights[place].rounded()
            }
        };
        let all = of(2);
        [0, 1].map(|place| {
            if all > 0.0 {
                (of(place) / all).min(1.0)
            } else {
                0.0
            }
        })
    }
}

/// Whether a p-value is at most a limit, but for what sums and products lose: an exact p of 20/400 is not beyond .05.
///
/// ```
/// use lottning::numerics::shares::within;
/// assert!(within(0.1 + 0.2, 0.3) && !within(0.05001, 0.05));
/// ```
pub fn within(p: f64, limit: f64) -> bool {
    p <= limit * (1.0 + ROUNDING)
}

#[cfg(test)]
mod tests {
    use super::Parts;

    /// By hand: weights 1/8, 1/4 and 5/8 in any unit.
    #[test]
    fn unlike_weights_are_added_up() {
        let mut parts = Parts::default();
        parts.add(0.1, [true, true]);
        parts.add(0.2, [true, false]);
        parts.add(0.5, [false, false]);
        let [first, second] = parts.shares();
        assert!((first - 0.375).abs() < 1e-15 && (second - 0.125).abs() < 1e-15);
        let none = Parts::default().shares();
        assert!(none.iter().all(|own| own.abs() <= 0.0), "{none:?}");
    }
}
