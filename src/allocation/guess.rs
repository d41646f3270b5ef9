//! The guesser who sees every arm given so far, and the imbalance: integers, so that figures do not depend on threads.

use super::method::Design;
use super::options::Refusal;
use super::weights::{Arm, MAX_ARMS, Ratio, Weights, gcd};
use crate::words;

/// A guess is counted in 840ths, the least common multiple of 1 to 8: an arm among k tied ones is named with chance 1/k.
pub(crate) const WHOLE: u64 = 840;

/// Largest common multiple of the ratio's parts with which counts can be compared as 64-bit integers.
const FINEST: u64 = 1 << 32;

/// The convergence strategy of one stratum (Blackwell & Hodges 1957, doi 10.1214/aoms/1177706973), as this program
/// rules it where the textbook is silent.
///
/// | design | the guesser names |
/// |---|---|
/// | equal ratio | the arm with the fewest allocations so far |
/// | unequal ratio in blocks of one length | the arm with most places left in the block |
/// | several arms in blocks of one length | the same (with an equal ratio, both rules agree) |
/// | any other | the arm with the smallest count / ratio |
///
/// Tied arms are named with equal chance.
#[derive(Debug, Clone, Copy)]
pub struct Guesser {
    arms: usize,
    parts: [u64; MAX_ARMS],
    /// Least common multiple of the parts / part: count × scale orders arms by count / part.
    scales: [u64; MAX_ARMS],
    multiple: u64,
    places: bool,
    plain: bool,
    alike: bool,
    hides_duplicates: bool,
    hides_chances: bool,
}

impl Guesser {
    /// The guesser of a design. Refused when the parts of the ratio have no common multiple up to 2^32.
    pub fn new(design: &dyn Design, ratio: &Ratio) -> Result<Self, Refusal> {
        let arms = ratio.arms();
        let mut multiple = 1;
        for part in ratio.parts() {
            multiple = multiple / gcd(multiple, *part) * part;
            if multiple > FINEST {
                return Err(Refusal::new(
                    "ratio-too-fine",
                    Some("ratio"),
                    words!(
                        "the parts of the ratio {ratio} have no common multiple up to {FINEST}",
                        "delarna i förhållandet {ratio} har ingen gemensam multipel upp till {FINEST}"
                    ),
                ).help(words!("use smaller whole numbers, for example 2:1", "använd mindre heltal, till exempel 2:1")));
            }
        }
        let mut parts = [1; MAX_ARMS];
        let mut scales = [1; MAX_ARMS];
        for (arm, part) in ratio.parts().iter().enumerate() {
            parts[arm] = *part;
            scales[arm] = multiple / part;
        }
        Ok(Self {
            arms,
            parts,
            scales,
            multiple,
            places: design.shows_places() && (!ratio.is_equal() || arms > 2),
            plain: arms == 2 && ratio.is_equal(),
            alike: arms > 2 && (1..arms).any(|arm| parts[..arm].contains(&parts[arm])),
            hides_duplicates: design.hides_duplicates(),
            hides_chances: design.hides_chances(),
        })
    }

    /// Chance, in 840ths, that the guess is `arm`, given the counts so far and the places left in the block.
    pub(crate) fn correct(&self, arm: Arm, counts: &[u64; MAX_ARMS], weights: &Weights) -> u64 {
        if self.places {
            return likeliest(arm, weights);
        }
        let arms = 0..self.arms;
        let scaled = |i: usize| counts[i] * self.scales[i];
        let least = arms.clone().map(scaled).min();
        let tied = arms.filter(|i| Some(scaled(*i)) == least).count();
        if Some(scaled(arm.index())) == least {
            WHOLE / tied as u64
        } else {
            0
        }
    }

    /// Imbalance D times [`Guesser::unit`]: the plain difference of two equal arms, otherwise largest − smallest
    /// count / ratio.
    pub(crate) fn imbalance(&self, counts: &[u64; MAX_ARMS]) -> i64 {
        if self.plain {
            return counts[0] as i64 - counts[1] as i64;
        }
        let scaled = (0..self.arms).map(|arm| (counts[arm] * self.scales[arm]) as i64);
        scaled.clone().max().unwrap_or(0) - scaled.min().unwrap_or(0)
    }

    /// Of two arms the difference count / part, with its sign, times [`Guesser::unit`]: the imbalance is its size, with two equal
    /// arms itself. It adds up over lists. `None` with more arms.
    pub(super) fn difference(&self, counts: &[u64; MAX_ARMS]) -> Option<i64> {
        let scaled = |arm: usize| (counts[arm] * self.scales[arm]) as i64;
        (self.arms == 2).then(|| scaled(0) - scaled(1))
    }

    /// Whether the imbalance is the plain difference of two equal arms, whose expectation is zero by symmetry.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether the design hides duplicates of the arms.
    pub(super) fn hides_duplicates(&self) -> bool {
        self.hides_duplicates
    }

    /// Whether what follows from the design's state is more than anybody can know who sees the arms.
    pub(super) fn hides_chances(&self) -> bool {
        self.hides_chances
    }

    /// What an imbalance of one is as an integer.
    pub(crate) fn unit(&self) -> f64 {
        self.multiple as f64
    }

    /// Whether there are arms of equal parts, and more than two arms: guesses and imbalance are then the same under other names.
    pub(super) fn has_many_alike(&self) -> bool {
        self.alike
    }

    /// The same guesser, for whom arms of equal parts are not alike.
    #[cfg(test)]
    pub(super) fn that_tells_names(self) -> Self {
        Self {
            alike: false,
            ..self
        }
    }

    /// The arms of each part from the one with most allocations to the one with fewest, in the places of the arms of that part.
    pub(super) fn descending(&self, counts: &[u64; MAX_ARMS]) -> ([usize; MAX_ARMS], usize) {
        let mut order: [usize; MAX_ARMS] = std::array::from_fn(|arm| arm);
        for place in 0..self.arms {
            let later = (place..self.arms).filter(|own| self.parts[*own] == self.parts[place]);
            let most = later.min_by_key(|own| std::cmp::Reverse(counts[order[*own]]));
            order.swap(place, most.unwrap_or(place));
        }
        (order, self.arms)
    }

    /// Counts with as many whole ratios taken away as they hold: same imbalance, same guesses, fewer values.
    pub(super) fn without_whole_ratios(&self, counts: &mut [u64; MAX_ARMS]) {
        let whole = (0..self.arms)
            .map(|arm| counts[arm] / self.parts[arm])
            .min()
            .unwrap_or(0);
        for (count, part) in counts.iter_mut().zip(self.parts).take(self.arms) {
            *count -= whole * part;
        }
    }
}

/// Chance, in 840ths, that `arm` is named by whoever names the arm with the largest weight, tied arms with equal chance.
pub(crate) fn likeliest(arm: Arm, weights: &Weights) -> u64 {
    let weights = weights.as_slice();
    let most = weights.iter().max();
    let tied = weights
        .iter()
        .filter(|weight| Some(*weight) == most)
        .count();
    if weights.get(arm.index()) == most {
        WHOLE / tied as u64
    } else {
        0
    }
}
