//! Exact weights that need more than 64 bits, in lowest terms: what a method that counts sequences draws from.
//!
//! For figures the same weights are shortened to 64 bits; a draw never uses the short ones.

use super::weights::{Arm, MAX_ARMS};
use crate::numerics::Whole;
use std::borrow::{Borrow, Cow};
use std::collections::{BTreeMap, BTreeSet};

/// Whole-number weights over arms in lowest terms; at least one is positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WideWeights {
    weights: Vec<Whole>,
    sum: Whole,
}

impl WideWeights {
    /// Weights divided by their greatest common divisor. Each that there is costs once, however many arms have it.
    pub fn new<W: Borrow<Whole>>(weights: &[W]) -> Self {
        let all = weights.iter().map(Borrow::borrow);
        let each: BTreeSet<&Whole> = all.clone().collect();
        let divisor = each.iter().fold(Whole::default(), |divisor, weight| {
            divisor.common_divisor(weight)
        });
        let divided = |weight: &&Whole| weight.divided(&divisor).unwrap_or_default();
        let lowest: Vec<Whole> = each.iter().map(divided).collect();
        let lowest: BTreeMap<&Whole, Whole> = each.into_iter().zip(lowest).collect();
        let weights: Vec<Whole> = all
            .map(|weight| lowest.get(weight).cloned().unwrap_or_default())
            .collect();
        let sum = weights
            .iter()
            .fold(Whole::default(), |sum, weight| sum.plus(weight));
        Self { weights, sum }
    }

    /// The same weights for arms in another order: `order` names the arm that has each weight, every arm once.
    pub fn placed(&self, order: &[u8]) -> Placed<'_> {
        let mut places = [0; MAX_ARMS];
        for (place, arm) in order.iter().enumerate() {
            places[usize::from(*arm) % MAX_ARMS] = place as u8;
        }
        Placed {
            weights: Cow::Borrowed(self),
            places: Some(places),
        }
    }

    /// The weights of the arms, or of as many duplicates, in their own order.
    pub fn in_order(self) -> Placed<'static> {
        Placed {
            weights: Cow::Owned(self),
            places: None,
        }
    }
}

/// Wide weights that arms have in an order of their own: what alike arms share, whichever of them is ahead.
#[derive(Debug, Clone)]
pub struct Placed<'w> {
    weights: Cow<'w, WideWeights>,
    /// By arm: the place of its weight; the arm's own without.
    places: Option<[u8; MAX_ARMS]>,
}

impl Placed<'_> {
    /// Sum of the weights.
    pub fn sum(&self) -> &Whole {
        &self.weights.sum
    }

    /// The weight of an arm by its place; none for an arm that is not there.
    fn weight(&self, arm: usize) -> Option<&Whole> {
        let place = match &self.places {
            Some(places) => usize::from(*places.get(arm)?),
            None => arm,
        };
        self.weights.weights.get(place)
    }

    /// The first arm, in the protocol's order, whose cumulative weight exceeds `point` (limbs, least significant first,
    /// leading zeros allowed), for a `point` below [`Placed::sum`].
    pub fn arm_at(&self, point: &[u64]) -> Arm {
        let point = Whole::of_limbs(point);
        let arms = self.weights.weights.len();
        let mut cumulative = Whole::default();
        for arm in 0..arms {
            if let Some(weight) = self.weight(arm) {
                cumulative = cumulative.plus(weight);
            }
            if cumulative > point {
                return Arm(arm as u8);
            }
        }
        Arm(arms.saturating_sub(1) as u8)
    }
}

/// Writes weights of 64 bits in the same order and, to 2^-57, in the same proportion; exact where everything fits. A positive
/// weight stays positive.
pub(super) fn shorten<W: Borrow<Whole>>(weights: &[W], short: &mut [u64]) {
    let shift = excess(weights);
    for (short, weight) in short.iter_mut().zip(weights) {
        let weight: &Whole = weight.borrow();
        let own = weight.shifted(shift).unwrap_or(0);
        *short = if weight.is_zero() { 0 } else { own.max(1) };
    }
}

/// Whether [`shorten`] loses digits.
pub(super) fn is_shortened<W: Borrow<Whole>>(weights: &[W]) -> bool {
    excess(weights) > 0
}

/// Binary digits of a weight that leave room for the sum of so many in 64 bits: of eight arms, or of more duplicates.
pub(super) fn digits(weights: usize) -> usize {
    if weights <= MAX_ARMS { 60 } else { 57 }
}

/// Digits beyond those.
fn excess<W: Borrow<Whole>>(weights: &[W]) -> usize {
    let all = weights.iter().map(|weight| weight.borrow().bits());
    let longest = all.max().unwrap_or(0);
    longest.saturating_sub(digits(weights.len()))
}

#[cfg(test)]
mod tests {
    use super::{WideWeights, is_shortened, shorten};
    use crate::allocation::Arm;
    use crate::numerics::Whole;

    fn power(exponent: usize) -> Whole {
        (0..exponent).fold(Whole::from(1), |own, _| own.plus(&own))
    }

    /// 3·2^200 and 2^200 are 3 and 1; the point 3 is the first of the second arm.
    #[test]
    fn weights_are_in_lowest_terms() {
        let three = power(200).plus(&power(201));
        let weights = WideWeights::new(&[three, power(200)]);
        let arms = |order: &[u8]| -> Vec<Arm> {
            let placed = weights.placed(order);
            assert_eq!(placed.sum().to_u64(), Some(4));
            (0..4).map(|point| placed.arm_at(&[point])).collect()
        };
        assert_eq!(arms(&[0, 1]), [Arm(0), Arm(0), Arm(0), Arm(1)]);
        // The second arm has the first weight, and is drawn after the first arm all the same.
        assert_eq!(arms(&[1, 0]), [Arm(0), Arm(1), Arm(1), Arm(1)]);
    }

    /// 2^130 + 1 and 2^130: no common factor. The boundary lies at the first weight, exactly.
    #[test]
    fn the_boundary_is_exact() {
        let first = power(130).plus(&Whole::from(1));
        let weights = WideWeights::new(&[first.clone(), power(130)]);
        let weights = weights.placed(&[0, 1]);
        assert_eq!(weights.arm_at(power(130).limbs()), Arm(0));
        assert_eq!(weights.arm_at(first.limbs()), Arm(1));
        assert_eq!(weights.arm_at(&[0, 0, 0]), Arm(0));
    }

    #[test]
    fn short_weights_keep_order_zero_and_what_fits() {
        let short = |weights: &[Whole]| {
            let mut short = vec![7; weights.len()];
            shorten(weights, &mut short);
            short
        };
        let exact = [Whole::from(5), Whole::from(0), Whole::from(7)];
        assert_eq!(short(&exact), [5, 0, 7]);
        assert!(!is_shortened(&exact));
        let wide = [power(300), Whole::from(1), Whole::from(0), power(299)];
        assert_eq!(short(&wide), [1 << 59, 1, 0, 1 << 58]);
        assert!(is_shortened(&wide));
        // Of 64 duplicates the sum of the shortened ones fits too, and 57 digits are kept as they are.
        let many: Vec<Whole> = (0..64).map(|_| power(58)).collect();
        assert_eq!(short(&many).iter().sum::<u64>(), 64 << 56);
        assert!(is_shortened(&many) && !is_shortened(&many[..8]));
        let few: Vec<Whole> = (0..64).map(|_| power(56)).collect();
        assert_eq!(short(&few), vec![1 << 56; 64]);
    }

    /// Twelve duplicates of weight 2^70, more than there are arms: each has the next part of the sum.
    #[test]
    fn more_duplicates_than_arms_have_an_order() {
        let weights: Vec<Whole> = (0..12).map(|_| power(70)).collect();
        let weights = WideWeights::new(&weights).in_order();
        assert_eq!(weights.sum().to_u64(), Some(12));
        for place in 0..12 {
            assert_eq!(weights.arm_at(&[place]), Arm(place as u8));
        }
    }
}
