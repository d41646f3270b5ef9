//! Operating characteristics in closed form where units are drawn one independently of the other, for lists too long
//! to follow every state.
//!
//! A figure without a closed form is left out, unless the counts of the arms after the last unit can be enumerated.
//! Probabilities are those of [`crate::numerics::binomial`].

use super::exact::Exact;
use super::guess::Guesser;
use super::weights::{MAX_ARMS, Ratio};
use crate::numerics::binomial::Binomial;
use std::collections::BTreeMap;

/// Most counts of the arms that are enumerated.
const MOST: f64 = 1e6;

/// Simple randomization in a ratio. No arm is ever forced, and whoever knows the method can do no better than to name
/// the largest arm. With K equal arms every guess is right with chance 1/K. `P(D = 0)` is the multinomial probability that
/// every count is its part of `n`, and 0 where `n` is no multiple of the ratio's sum. The imbalance is farthest where one
/// arm of the smallest part has every unit.
///
/// With two arms `a : b` in lowest terms, `π = a/(a + b)` and `X` the first arm's count of `n`, the plain difference of
/// equal arms has `Var(D) = n`. Otherwise `D = |X − nπ|(a + b)/(ab)`, so `E D² = n/(ab)`, and with `ν = ⌊nπ⌋ + 1` de Moivre's
/// `E|X − nπ| = 2ν(1 − π)P(X = ν)` (Diaconis & Zabell 1991, doi 10.1214/ss/1177011699) gives `Var(D)`. The guess that comes
/// after `k` units names the first arm below `kπ`, so its chance is a sum of two binomial tails.
///
/// With more arms the distribution of `D` is enumerated from all counts, up to a million of them; there is no closed form,
/// nor one of the guesses at an unequal ratio.
pub(super) fn independent(ratio: &Ratio, guesser: &Guesser, n: u64) -> Exact {
    let parts = ratio.parts();
    let sum = ratio.sum();
    let largest = parts.iter().copied().max().unwrap_or(0) as f64;
    let imbalances = enumerated(ratio, guesser, n);
    let (mut variances, mut squares, mut correct) = (None::<Vec<f64>>, None, None);
    if let [a, b] = *parts {
        let unit = if guesser.is_plain() {
            1.0
        } else {
            (a * b) as f64
        };
        squares = Some((1..=n).map(|units| units as f64 / unit).collect());
        variances = if guesser.is_plain() {
            squares.clone()
        } else {
            (1..=n).map(|units| variance_of_two(a, b, units)).collect()
        };
        correct = correct_of_two(a, b, n);
    }
    if ratio.is_equal() {
        correct = Some(1.0 / ratio.arms() as f64);
    }
    let variance = match &variances {
        Some(all) => all.last().copied(),
        None => imbalances.as_deref().map(super::exact::variance),
    };
    Exact {
        correct_guess_share: correct,
        best_guess_share: Some(largest / sum as f64),
        forced_share: Some(0.0),
        imbalance_variance: variance,
        p_balanced: p_balanced(ratio, n),
        differences: differences(parts, imbalances.as_deref(), guesser, n),
        imbalances,
        variances,
        squares,
        farthest: Some(farthest(ratio, n)),
        ..Exact::default()
    }
}

/// The differences of two arms with their probabilities, where the imbalances are known too.
fn differences(
    parts: &[u64],
    imbalances: Option<&[(f64, f64)]>,
    guesser: &Guesser,
    n: u64,
) -> Option<Vec<(i64, f64)>> {
    let imbalances = imbalances?;
    if guesser.is_plain() {
        return Some(imbalances.iter().map(|(d, p)| (*d as i64, *p)).collect());
    }
    let [a, b] = *parts else { return None };
    let counts = Binomial::new(n, a as f64 / (a + b) as f64).ok()?;
    let mut of_arms = [0; MAX_ARMS];
    (0..=n)
        .map(|first| {
            of_arms[..2].copy_from_slice(&[first, n - first]);
            Some((guesser.difference(&of_arms)?, counts.pmf(first)))
        })
        .collect()
}

/// The largest imbalance that independent draws can come to: all units in an arm of the smallest part.
pub(super) fn farthest(ratio: &Ratio, n: u64) -> f64 {
    let smallest = ratio.parts().iter().copied().min().unwrap_or(1);
    n as f64 / smallest as f64
}

/// Variance of the imbalance of two unequal arms.
fn variance_of_two(a: u64, b: u64, n: u64) -> Option<f64> {
    let (sum, product) = ((a + b) as f64, (a * b) as f64);
    let share = a as f64 / sum;
    let above = n * a / (a + b) + 1;
    let at = Binomial::new(n, share).ok()?.pmf(above);
    let deviation = 2.0 * above as f64 * (1.0 - share) * at;
    Some(n as f64 / product - (deviation * sum / product).powi(2))
}

/// Expected share of right guesses of who names the arm that has less than its part, of two arms.
fn correct_of_two(a: u64, b: u64, n: u64) -> Option<f64> {
    let share = a as f64 / (a + b) as f64;
    let mut right = 0.5;
    for units in 1..n {
        let counts = Binomial::new(units, share).ok()?;
        let (due, rest) = (units * a / (a + b), units * a % (a + b));
        // Below, at and above the first arm's part; it is a whole number of units or none.
        let at = if rest == 0 { counts.pmf(due) } else { 0.0 };
        let above = counts.sf(due);
        let below = counts.cdf(due) - at;
        right += below * share + at / 2.0 + above * (1.0 - share);
    }
    Some(right / n as f64)
}

/// Every imbalance after `n` units with its probability, ascending, from every count of the arms.
fn enumerated(ratio: &Ratio, guesser: &Guesser, n: u64) -> Option<Vec<(f64, f64)>> {
    let counts = (1..ratio.arms()).fold(1.0, |all, arm| all * (n as f64 + arm as f64) / arm as f64);
    if counts > MOST {
        return None;
    }
    let mut all = BTreeMap::new();
    let left = Left {
        parts: ratio.parts(),
        sum: ratio.sum(),
        units: n,
        probability: 1.0,
    };
    let mut counts = [0; MAX_ARMS];
    left.follow(0, &mut counts, &mut |counts, probability| {
        *all.entry(guesser.imbalance(counts)).or_insert(0.0) += probability;
    })?;
    let unit = guesser.unit();
    Some(all.iter().map(|(d, p)| (*d as f64 / unit, *p)).collect())
}

/// What the arms before one have left to it and those after it.
#[derive(Clone, Copy)]
struct Left<'a> {
    parts: &'a [u64],
    sum: u64,
    units: u64,
    probability: f64,
}

impl Left<'_> {
    /// Calls `with` for every count of the arms from `arm` on.
    fn follow(
        self,
        arm: usize,
        counts: &mut [u64; MAX_ARMS],
        with: &mut impl FnMut(&[u64; MAX_ARMS], f64),
    ) -> Option<()> {
        let [part, rest @ ..] = self.parts else {
            return Some(());
        };
        if rest.is_empty() {
            *counts.get_mut(arm)? = self.units;
            with(counts, self.probability);
            return Some(());
        }
        let binomial = Binomial::new(self.units, *part as f64 / self.sum as f64).ok()?;
        for count in 0..=self.units {
            *counts.get_mut(arm)? = count;
            let left = Self {
                parts: rest,
                sum: self.sum - part,
                units: self.units - count,
                probability: self.probability * binomial.pmf(count),
            };
            left.follow(arm + 1, counts, with)?;
        }
        Some(())
    }
}

fn p_balanced(ratio: &Ratio, n: u64) -> Option<f64> {
    let sum = ratio.sum();
    if !n.is_multiple_of(sum) {
        return Some(0.0);
    }
    // The arms one after another: each among the units that the arms before it left.
    let (mut units, mut parts, mut all) = (n, sum, 1.0);
    for part in ratio.parts() {
        let count = n / sum * part;
        if parts > *part {
            let share = *part as f64 / parts as f64;
            let Ok(binomial) = Binomial::new(units, share) else {
                return None;
            };
            all *= binomial.pmf(count);
        }
        units -= count;
        parts -= part;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::super::{Options, exact_characteristics, read_ratio};

    /// By hand: C(2, 1)/4 = 1/2; 3!·(1/3)³ = 2/9; of three units in 2:1, 3·(2/3)²·(1/3) = 4/9.
    #[test]
    fn small_lists_by_hand() {
        for (text, n, by_hand) in [
            ("1:1", 2, 0.5),
            ("1:1:1", 3, 2.0 / 9.0),
            ("2:1", 3, 4.0 / 9.0),
        ] {
            let ratio = read_ratio(text).unwrap();
            let closed = super::p_balanced(&ratio, n).unwrap();
            assert!((closed - by_hand).abs() < 1e-14, "{text}: {closed}");
            assert_eq!(super::p_balanced(&ratio, n + 1).map(f64::to_bits), Some(0));
        }
    }

    /// 2:1 by hand. One unit: D is 1/2 with chance 2/3 and 1 with 1/3, so Var = 1/2 − 4/9 = 1/18; the first guess is right with
    /// 1/2. Of two the second is right with 2/3 · 1/3 + 1/3 · 2/3 = 4/9, together (1/2 + 4/9)/2 = 17/36; D is 1, 1/2 or 2 with
    /// 4/9, 4/9 and 1/9: mean 8/9, mean square 1, Var = 17/81.
    #[test]
    fn two_unequal_arms_by_hand() {
        let ratio = read_ratio("2:1").unwrap();
        let of = |n| {
            let design = super::super::choose("simple", &ratio, &Options::default(), None).unwrap();
            let guesser = super::Guesser::new(&*design, &ratio).unwrap();
            super::independent(&ratio, &guesser, n)
        };
        for (n, variance, correct, farthest) in [
            (1, 1.0 / 18.0, 0.5, 1.0),
            (2, 17.0 / 81.0, 17.0 / 36.0, 2.0),
        ] {
            let found = of(n);
            assert!((found.imbalance_variance.unwrap() - variance).abs() < 1e-14);
            assert!((found.correct_guess_share.unwrap() - correct).abs() < 1e-14);
            assert_eq!(found.farthest, Some(farthest));
        }
    }

    /// Two units of 2:1, in halves of a unit: D = a/2 − b is 1, −1/2 or −2 with 4/9, 4/9 and 1/9, by hand.
    #[test]
    fn differences_of_two_unequal_arms_by_hand() {
        let ratio = read_ratio("2:1").unwrap();
        let design = super::super::choose("simple", &ratio, &Options::default(), None).unwrap();
        let guesser = super::Guesser::new(&*design, &ratio).unwrap();
        let mut found = super::independent(&ratio, &guesser, 2).differences.unwrap();
        found.sort_by_key(|(difference, _)| *difference);
        for (found, expected) in
            found
                .iter()
                .zip([(-4, 1.0 / 9.0), (-1, 4.0 / 9.0), (2, 4.0 / 9.0)])
        {
            assert_eq!(found.0, expected.0);
            assert!((found.1 - expected.1).abs() < 1e-15, "{found:?}");
        }
        assert_eq!(found.len(), 3);
    }

    /// Where every state can be followed, both ways give the same.
    #[test]
    fn closed_forms_are_what_following_every_state_gives() {
        for text in ["1:1", "1:1:1", "2:1", "3:5", "3:2:1"] {
            let ratio = read_ratio(text).unwrap();
            let design = super::super::choose("simple", &ratio, &Options::default(), None).unwrap();
            let guesser = super::Guesser::new(&*design, &ratio).unwrap();
            for n in [1, 6, 12, 25, 60] {
                let every =
                    exact_characteristics("simple", &ratio, &Options::default(), n).unwrap();
                let closed = super::independent(&ratio, &guesser, n);
                for (own, other) in [
                    (closed.correct_guess_share, every.correct_guess_share),
                    (closed.best_guess_share, every.best_guess_share),
                    (closed.forced_share, every.forced_share),
                    (closed.imbalance_variance, every.imbalance_variance),
                    (closed.p_balanced, every.p_balanced),
                    (closed.farthest, every.farthest),
                ] {
                    let Some(own) = own else {
                        assert_eq!(text, "3:2:1", "only its guesses have no closed form");
                        continue;
                    };
                    assert!(
                        (own - other.unwrap()).abs() < 1e-11,
                        "{text} {n}: {own} {other:?}"
                    );
                }
                // Who follows every state leaves those that are all but impossible.
                let likely = |all: Option<Vec<(f64, f64)>>| -> Vec<(f64, f64)> {
                    let all = all.unwrap().into_iter();
                    all.filter(|(_, p)| *p > 1e-25).collect()
                };
                let (own, other) = (likely(closed.imbalances), likely(every.imbalances));
                assert_eq!(own.len(), other.len(), "{text} {n}");
                for (own, other) in own.iter().zip(&other) {
                    assert!((own.0 - other.0).abs() < 1e-12 && (own.1 - other.1).abs() < 1e-12);
                }
                if ratio.arms() > 2 {
                    assert_eq!((closed.variances, closed.squares), (None, None));
                    assert!(closed.differences.is_none() && every.differences.is_none());
                    continue;
                }
                // With their signs: what adds up over strata.
                let likely = |all: Option<Vec<(i64, f64)>>| -> Vec<(i64, f64)> {
                    let all = all.unwrap().into_iter();
                    let mut all: Vec<_> = all.filter(|(_, p)| *p > 1e-25).collect();
                    all.sort_by_key(|(difference, _)| *difference);
                    all
                };
                let (own, other) = (likely(closed.differences), likely(every.differences));
                assert_eq!(own.len(), other.len(), "{text} {n}");
                for (own, other) in own.iter().zip(&other) {
                    assert_eq!(own.0, other.0, "{text} {n}");
                    assert!(
                        (own.1 - other.1).abs() < 1e-12,
                        "{text} {n}: {own:?} {other:?}"
                    );
                }
                for (own, other) in [
                    (closed.variances, every.variances),
                    (closed.squares, every.squares),
                ] {
                    let (own, other) = (own.unwrap(), other.unwrap());
                    assert_eq!(own.len(), other.len());
                    for (own, other) in own.iter().zip(&other) {
                        assert!((own - other).abs() < 1e-11, "{text} {n}: {own} {other}");
                    }
                }
            }
        }
    }

    /// C(2m, m)/4^m lies between 1/√(π(m + 1/2)) and 1/√(πm) (Wallis).
    #[test]
    fn lists_beyond_every_state_have_their_figures() {
        let ratio = read_ratio("1:1").unwrap();
        let long = exact_characteristics("simple", &ratio, &Options::default(), 20_000).unwrap();
        assert_eq!(long.imbalance_variance, Some(20_000.0));
        assert_eq!(long.correct_guess_share, Some(0.5));
        assert_eq!(long.forced_share, Some(0.0));
        let (p, m) = (long.p_balanced.unwrap(), 10_000.0);
        let wallis = |m: f64| 1.0 / (std::f64::consts::PI * m).sqrt();
        assert!(wallis(m + 0.5) < p && p < wallis(m), "{p}");
        // A hundred thousand units at 2:1: E|X − nπ| is √(2nπ(1 − π)/π*) to one part in n, so Var(D) = n/2 · (1 − 2/π*), and the
        // guesser, who is mostly told which arm is behind by an even chance, nears the mean of 2/3 and 1/3.
        let two = read_ratio("2:1").unwrap();
        let long = exact_characteristics("simple", &two, &Options::default(), 100_000).unwrap();
        let limit = 50_000.0 * (1.0 - 2.0 / std::f64::consts::PI);
        assert!((long.imbalance_variance.unwrap() / limit - 1.0).abs() < 1e-4);
        assert!((long.correct_guess_share.unwrap() - 0.5).abs() < 1e-3);
        assert_eq!(long.farthest, Some(100_000.0));
        let total: f64 = long.imbalances.unwrap().iter().map(|(_, p)| p).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        let three = read_ratio("1:1:1").unwrap();
        let long = exact_characteristics("simple", &three, &Options::default(), 2_000).unwrap();
        assert_eq!(long.correct_guess_share, Some(1.0 / 3.0));
        // More arms than can be enumerated keep the figures that have a closed form.
        assert!(long.imbalance_variance.is_none() && long.imbalances.is_none());
        assert_eq!(long.farthest, Some(2_000.0));
        for id in ["random-allocation", "truncated-binomial"] {
            let full = exact_characteristics(id, &ratio, &Options::default(), 6_000).unwrap();
            assert_eq!(
                (full.imbalance_variance, full.p_balanced),
                (Some(0.0), Some(1.0))
            );
        }
    }
}
