//! Predictability and balance of allocation methods against the literature and exact hand arithmetic.
//!
//! Fractions for blocks: Blackwell & Hodges (1957), correct guesses per block of 2b = b + ½(4^b / C(2b,b) − 1),
//! certain allocations 2b/(b+1). Big stick: Soares & Wu (1983). Decimal columns were computed once with rational
//! arithmetic and printed to six decimals, so half a unit of the sixth is the tolerance; fractions are held to 1e-12.

use lottning::allocation::{Exact, Options, exact_characteristics, read_ratio};

/// Half a unit of the sixth decimal, and room for a figure that ends in exactly half a unit (341/128 = 2.6640625).
const SIX: f64 = 0.5e-6 + 1e-12;

fn exact(id: &str, ratio: &str, options: &[(&str, &str)], n: u64) -> Exact {
    exact_characteristics(id, &read_ratio(ratio).unwrap(), &Options::of(options), n).unwrap()
}

#[track_caller]
fn near(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap();
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} is not {expected}"
    );
}

/// Blackwell & Hodges (1957): one block of m.
#[test]
fn one_block_of_two_equal_arms() {
    for (m, correct, certain) in [
        (2, 3.0 / 2.0, 1.0),
        (4, 17.0 / 6.0, 4.0 / 3.0),
        (6, 41.0 / 10.0, 3.0 / 2.0),
        (8, 373.0 / 70.0, 8.0 / 5.0),
        (10, 823.0 / 126.0, 5.0 / 3.0),
        (20, 1_139_735.0 / 92_378.0, 20.0 / 11.0),
    ] {
        let len = m.to_string();
        // One block and three: blocks are independent and alike.
        for blocks in [1, 3] {
            let found = exact("permuted-block", "1:1", &[("block_len", &len)], blocks * m);
            near(found.correct_guess_share, correct / m as f64, 1e-12);
            near(found.forced_share, certain / m as f64, 1e-12);
            near(found.imbalance_variance, 0.0, 0.0);
            near(found.p_balanced, 1.0, 1e-12);
        }
        // Within a block the imbalance is hypergeometric: Var D_k = k(m − k)/(m − 1).
        for k in 1..m {
            let found = exact("permuted-block", "1:1", &[("block_len", &len)], k);
            let (k, m) = (k as f64, m as f64);
            near(found.imbalance_variance, k * (m - k) / (m - 1.0), 1e-12);
        }
    }
}

/// One block, the guesser names the arm with most places left: enumerated by hand with rational arithmetic.
/// (2,1): orders aab, aba, baa. Guesses: a is right 2/3 of the time; after a the places are 1,1 (½); after b they are
/// 2,0 (sure): 2/3 + [2/3·½ + 1/3] + 1 = 7/3. Certain: the last place always, the second after b: 1 + 1/3 = 4/3.
#[test]
fn one_block_of_unequal_or_several_arms() {
    for (ratio, m, correct, certain) in [
        ("2:1", 3, 7.0 / 3.0, 4.0 / 3.0),
        ("2:1", 6, 67.0 / 15.0, 26.0 / 15.0),
        ("1:1:1", 3, 11.0 / 6.0, 1.0),
        ("1:1:1", 6, 101.0 / 30.0, 6.0 / 5.0),
        ("3:2", 5, 18.0 / 5.0, 3.0 / 2.0),
        ("3:2", 10, 718.0 / 105.0, 62.0 / 35.0),
    ] {
        let len = m.to_string();
        for blocks in [1, 2] {
            let found = exact("permuted-block", ratio, &[("block_len", &len)], blocks * m);
            near(found.correct_guess_share, correct / m as f64, 1e-12);
            near(found.forced_share, certain / m as f64, 1e-12);
            near(found.p_balanced, 1.0, 1e-12);
        }
    }
}

/// Lengths drawn uniformly: in the long run the share of right guesses is Σcg/Σm by renewal (a guesser who follows the
/// imbalance does not need the lengths). The share of n units differs from the limit by O(1/n), so the slope between
/// n and 2n is compared: there the O(1) term is gone and what remains falls geometrically.
#[test]
fn random_block_lengths_in_the_long_run() {
    for (lens, correct, certain) in [
        ("2,4", 13.0 / 18.0, None),
        ("2,4,6", 253.0 / 360.0, Some(23.0 / 72.0)),
        ("4,6", 52.0 / 75.0, None),
        ("4,6,8", 515.0 / 756.0, Some(133.0 / 540.0)),
        ("4,8", 857.0 / 1260.0, None),
    ] {
        // A difference of n over a multiple of every length keeps the phase of the blocks.
        let (short, long) = (480, 960);
        let slope = |figure: fn(&Exact) -> Option<f64>| {
            let share = |n| figure(&exact("permuted-block", "1:1", &[("block_lens", lens)], n));
            let whole = |n: u64| share(n).map(|share| share * n as f64);
            Some((whole(long)? - whole(short)?) / (long - short) as f64)
        };
        near(slope(|found| found.correct_guess_share), correct, 1e-9);
        if let Some(certain) = certain {
            near(slope(|found| found.forced_share), certain, 1e-9);
        }
    }
}

/// Complete randomization: cg ½, nothing certain, Var D = n, P(D = 0) = C(n, n/2)/2^n (n = 100: .079589).
#[test]
fn simple_randomization_of_two_equal_arms() {
    for n in [1, 2, 10, 20, 50, 100] {
        let found = exact("simple", "1:1", &[], n);
        near(found.correct_guess_share, 0.5, 1e-12);
        near(found.forced_share, 0.0, 0.0);
        near(found.imbalance_variance, n as f64, 1e-9);
    }
    near(exact("simple", "1:1", &[], 100).p_balanced, 0.079_589, SIX);
    // n = 2: aa, ab, ba, bb: the largest |D| is 2, 1, 1, 2.
    near(exact("simple", "1:1", &[], 2).max_imbalance, 1.5, 1e-12);
    // n = 4, 16 paths of a walk: |S| peaks at 4 on aaaa, bbbb; at 3 on aaab, bbba; at 1 where both pairs are level
    // (2 × 2 paths); at 2 on the other 8: (4·2 + 3·2 + 1·4 + 2·8)/16.
    near(
        exact("simple", "1:1", &[], 4).max_imbalance,
        34.0 / 16.0,
        1e-12,
    );
}

/// Soares & Wu (1983): finite lists and limits; certain share → 1/(2b), cg → ½ + 1/(4b).
#[test]
fn big_stick() {
    let found = |bound: u64, n| {
        exact(
            "big-stick",
            "1:1",
            &[("max_imbalance", &bound.to_string())],
            n,
        )
    };
    for (bound, shares, variances) in [
        (2, [0.6, 0.6125, 0.62, 0.6225], [2.0, 2.0, 2.0, 2.0]),
        (
            3,
            [0.561_133, 0.572_222, 0.578_889, 0.581_111],
            [2.664_062, 2.666_664, 8.0 / 3.0, 8.0 / 3.0],
        ),
        (
            4,
            [0.526_563, 0.543_774, 0.555_000, 0.558_750],
            [5.75, 5.992_188, 6.0, 6.0],
        ),
    ] {
        for (i, n) in [10, 20, 50, 100].into_iter().enumerate() {
            near(found(bound, n).correct_guess_share, shares[i], SIX);
            near(found(bound, n).imbalance_variance, variances[i], SIX);
        }
        near(found(bound, 100).p_balanced, 1.0 / bound as f64, SIX);
        let slope = |figure: fn(&Exact) -> Option<f64>| {
            let whole = |n: u64| figure(&found(bound, n)).map(|share| share * n as f64);
            Some((whole(1000)? - whole(500)?) / 500.0)
        };
        near(slope(|found| found.forced_share), 0.5 / bound as f64, 1e-9);
        near(
            slope(|found| found.correct_guess_share),
            0.5 + 0.25 / bound as f64,
            1e-9,
        );
    }
    near(found(3, 10).correct_guess_share, 2873.0 / 5120.0, 1e-12);
    near(found(3, 10).imbalance_variance, 341.0 / 128.0, 1e-12);
    near(found(3, 20).forced_share, 0.144_444, SIX);
    near(found(3, 50).forced_share, 0.157_778, SIX);
}
