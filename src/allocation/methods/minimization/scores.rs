//! Imbalance and shares as integers: what a candidate's allocation would do to the levels of a unit, and how the
//! chance is divided between the best candidates and the others.

use crate::allocation::rational::Rational;
use crate::allocation::weights::MAX_DUPLICATES;

/// Most candidates: arms, or duplicates of arms.
pub(super) const MAX_CANDIDATES: usize = MAX_DUPLICATES;

/// How the imbalance of a level is measured. With `x` = count / part of the ratio, for each candidate:
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Imbalance {
    /// Largest − smallest `x` as if the unit were added to the candidate.
    Range,
    /// `k·Σx² − (Σx)²` as if the unit were added to the candidate: `k²` times the variance of the `k` values.
    Variance,
    /// The candidate's own `x`, without the unit.
    Sum,
}

impl Imbalance {
    /// Adds the weighted imbalance of one level to each candidate's score.
    ///
    /// `counts` are those of the level, empty when nobody had it; `scales` are the common multiple of the ratio's
    /// parts over each part, so that count × scale compares as count / part does. There are at most `N` candidates.
    pub(super) fn add<const N: usize>(
        self,
        counts: &[u32],
        scales: &[u64],
        weight: u64,
        scores: &mut [u128],
    ) {
        let mut values = [0_u128; N];
        for ((value, scale), place) in values.iter_mut().zip(scales).zip(0..) {
            let count = counts.get(place).copied().unwrap_or(0);
            *value = u128::from(count) * u128::from(*scale);
        }
        let values = &values[..scales.len()];
        let weight = u128::from(weight);
        let one = |scale: &u64| u128::from(*scale);
        match self {
            Self::Sum => {
                for (score, value) in scores.iter_mut().zip(values) {
                    *score += weight * value;
                }
            }
            Self::Range => {
                let (mut least, mut second, mut most) = (u128::MAX, u128::MAX, 0);
                for value in values {
                    most = most.max(*value);
                    if *value < least {
                        second = std::mem::replace(&mut least, *value);
                    } else {
                        second = second.min(*value);
                    }
                }
                for ((score, value), scale) in scores.iter_mut().zip(values).zip(scales) {
                    let added = value + one(scale);
                    // Without the candidate the smallest is the second smallest if the candidate was the smallest.
                    let others = if *value == least { second } else { least };
                    *score += weight * (most.max(added) - others.min(added));
                }
            }
            Self::Variance => {
                let sum: u128 = values.iter().sum();
                let squares: u128 = values.iter().map(|value| value * value).sum();
                for ((score, value), scale) in scores.iter_mut().zip(values).zip(scales) {
                    let step = one(scale);
                    let (sum, squares) = (sum + step, squares + step * (2 * value + step));
                    *score += weight * (values.len() as u128 * squares - sum * sum);
                }
            }
        }
    }
}

/// Divides the chance over candidates by their scores: integers in the proportion of the chances.
///
/// With the best candidates those of the least score: all candidates → their parts of the ratio; otherwise the best, one
/// or several → the greater of `probability` and their joint part of the ratio, in proportion to their parts. The other
/// candidates share the rest equally. A best candidate thus never has less than its part, or the ratio would be lost.
pub(super) fn shares(
    scores: &[u128],
    parts: &[u64],
    probability: Rational,
    shares: &mut [u64; MAX_CANDIDATES],
) {
    let least = scores.iter().min().copied().unwrap_or(0);
    let best = |place: usize| scores.get(place) == Some(&least);
    let tied = (0..parts.len()).filter(|place| best(*place)).count();
    if tied == parts.len() {
        shares[..parts.len()].copy_from_slice(parts);
        return;
    }
    let tied_parts: u64 = (0..parts.len())
        .filter(|place| best(*place))
        .map(|place| parts[place])
        .sum();
    let own = Rational::new(tied_parts, parts.iter().sum());
    let share = own.map_or(probability, |own| probability.max(own));
    let others = (parts.len() - tied) as u64;
    for (place, (share_of, part)) in shares.iter_mut().zip(parts).enumerate() {
        *share_of = if best(place) {
            share.over * part * others
        } else {
            (share.under - share.over) * tied_parts
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Imbalance, MAX_CANDIDATES, shares};
    use crate::allocation::rational::Rational;

    fn scores(imbalance: Imbalance, counts: &[u32], scales: &[u64]) -> Vec<u128> {
        let mut scores = vec![0; scales.len()];
        imbalance.add::<MAX_CANDIDATES>(counts, scales, 1, &mut scores);
        scores
    }

    /// By hand, three equal arms with 4, 2, 2 of a level. Added to the first: 5, 2, 2 has range 3 and
    /// 3·33 − 81 = 18; to the second: 4, 3, 2 has range 2 and 3·29 − 81 = 6; to the third the same.
    #[test]
    fn three_arms_by_hand() {
        let (counts, scales) = ([4, 2, 2], [1, 1, 1]);
        assert_eq!(scores(Imbalance::Range, &counts, &scales), [3, 2, 2]);
        assert_eq!(scores(Imbalance::Variance, &counts, &scales), [18, 6, 6]);
        assert_eq!(scores(Imbalance::Sum, &counts, &scales), [4, 2, 2]);
    }

    /// By hand, ratio 3:2, common multiple 6, scales 2 and 3, counts 3 and 2: x·6 = 6, 6. Added to the first: 8, 6,
    /// range 2, 2·100 − 196 = 4; to the second: 6, 9, range 3, 2·117 − 225 = 9.
    #[test]
    fn an_unequal_ratio_by_hand() {
        let (counts, scales) = ([3, 2], [2, 3]);
        assert_eq!(scores(Imbalance::Range, &counts, &scales), [2, 3]);
        assert_eq!(scores(Imbalance::Variance, &counts, &scales), [4, 9]);
        assert_eq!(scores(Imbalance::Sum, &counts, &scales), [6, 6]);
        assert_eq!(scores(Imbalance::Range, &[], &scales), [2, 3]);
    }

    /// Pocock (1983), the 80-patient breast-cancer table, A/B 30/31, 18/17, 9/8, 19/21: sums 76 and 77, ranges 5 and 5,
    /// squared differences 9 and 13. PMC6547231, table 4, 3/5, 3/3, 3/3: ranges 3 and 5.
    #[test]
    fn published_scores() {
        let total = |imbalance: Imbalance, levels: &[[u32; 2]]| {
            let mut scores = [0; 2];
            for level in levels {
                imbalance.add::<2>(level, &[1, 1], 1, &mut scores);
            }
            scores
        };
        let pocock = [[30, 31], [18, 17], [9, 8], [19, 21]];
        assert_eq!(total(Imbalance::Sum, &pocock), [76, 77]);
        assert_eq!(total(Imbalance::Range, &pocock), [5, 5]);
        assert_eq!(total(Imbalance::Variance, &pocock), [9, 13]);
        let other = [[3, 5], [3, 3], [3, 3]];
        assert_eq!(total(Imbalance::Range, &other), [3, 5]);
    }

    /// Ruling of ties: three arms 2:1:1, p = 3/5. One best: 3/5 and 1/5, 1/5. Two best of part 3/4 > p: 2/4, 1/4 and
    /// 1/4. Two best of part 2/4 < p: 3/10, 3/10 and 2/5. All: the ratio.
    #[test]
    fn shares_by_hand() {
        let p = Rational::new(3, 5).unwrap();
        let of = |scores: &[u128]| {
            let mut own = [0; MAX_CANDIDATES];
            shares(scores, &[2, 1, 1], p, &mut own);
            let sum: u64 = own.iter().sum();
            own[..3]
                .iter()
                .map(|share| Rational::new(*share, sum).unwrap().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&[0, 1, 2]), ["3/5", "1/5", "1/5"]);
        assert_eq!(of(&[2, 1, 3]), ["1/5", "3/5", "1/5"]);
        assert_eq!(of(&[1, 1, 2]), ["1/2", "1/4", "1/4"]);
        assert_eq!(of(&[2, 1, 1]), ["2/5", "3/10", "3/10"]);
        assert_eq!(of(&[1, 1, 1]), ["1/2", "1/4", "1/4"]);
    }

    /// By hand: at 9:1 the first arm's own part 9/10 is more than p = 4/5, the second's 1/10 is not. At 5:1:1 and p = 1/2
    /// the first alone has 5/7, the others half of 2/7 each; the second alone 1/2 and the others 1/4; the last two
    /// together 1/2 and the first 1/2.
    #[test]
    fn one_best_arm_has_its_part_at_least() {
        let of = |parts: &[u64], p: (u64, u64), scores: &[u128]| {
            let mut own = [0; MAX_CANDIDATES];
            shares(scores, parts, Rational::new(p.0, p.1).unwrap(), &mut own);
            let sum: u64 = own.iter().sum();
            let own = own[..parts.len()].iter();
            own.map(|share| Rational::new(*share, sum).unwrap().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&[9, 1], (4, 5), &[0, 1]), ["9/10", "1/10"]);
        assert_eq!(of(&[9, 1], (4, 5), &[1, 0]), ["1/5", "4/5"]);
        assert_eq!(of(&[5, 1, 1], (1, 2), &[0, 1, 1]), ["5/7", "1/7", "1/7"]);
        assert_eq!(of(&[5, 1, 1], (1, 2), &[1, 0, 1]), ["1/4", "1/2", "1/4"]);
        assert_eq!(of(&[5, 1, 1], (1, 2), &[1, 0, 0]), ["1/2", "1/4", "1/4"]);
    }
}
