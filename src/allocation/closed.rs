//! Operating characteristics in closed form where units are drawn one independently of the other, for lists too long
//! to follow every state.
//!
//! A figure without a closed form that holds for every ratio and number of arms is left out. Probabilities are
//! those of [`crate::numerics::binomial`].

use super::exact::Exact;
use super::guess::Guesser;
use super::weights::Ratio;
use crate::numerics::binomial::Binomial;

/// Simple randomization in a ratio. No arm is ever forced, and whoever knows the method can do no better than to name
/// the largest arm. With K equal arms every guess is right with chance 1/K.
///
/// With two arms `a : b` in lowest terms, of counts `A` and `B`, and an equal ratio, `Var(A − B) = n`. `P(D = 0)` is the
/// multinomial probability that every count is its part of `n`, and 0 where `n` is no multiple of the ratio's sum.
pub(super) fn independent(ratio: &Ratio, guesser: &Guesser, n: u64) -> Exact {
    let (sum, arms) = (ratio.sum(), ratio.arms());
    let largest = ratio.parts().iter().copied().max().unwrap_or(0);
    let chance = largest as f64 / sum as f64;
    let variances = guesser
        .is_plain()
        .then(|| (1..=n).map(|units| units as f64).collect());
    Exact {
        correct_guess_share: ratio.is_equal().then(|| 1.0 / arms as f64),
        best_guess_share: Some(chance),
        forced_share: Some(0.0),
        imbalance_variance: guesser.is_plain().then_some(n as f64),
        p_balanced: p_balanced(ratio, n),
        variances,
        farthest: guesser.is_plain().then_some(n as f64),
        ..Exact::default()
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

    /// Where every state can be followed, both ways give the same.
    #[test]
    fn closed_forms_are_what_following_every_state_gives() {
        for text in ["1:1", "1:1:1", "2:1", "3:2:1"] {
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
                    let Some(own) = own else { continue };
                    assert!(
                        (own - other.unwrap()).abs() < 1e-11,
                        "{text} {n}: {own} {other:?}"
                    );
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
        let three = read_ratio("1:1:1").unwrap();
        let long = exact_characteristics("simple", &three, &Options::default(), 2_000).unwrap();
        assert_eq!(long.correct_guess_share, Some(1.0 / 3.0));
        for id in ["random-allocation", "truncated-binomial"] {
            let full = exact_characteristics(id, &ratio, &Options::default(), 6_000).unwrap();
            assert_eq!(
                (full.imbalance_variance, full.p_balanced),
                (Some(0.0), Some(1.0))
            );
        }
    }
}
