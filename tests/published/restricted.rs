//! Predictability and balance of the methods without blocks, against the literature and exact arithmetic.
//!
//! Decimal columns were computed once with rational arithmetic (Python's `fractions`, every state with its probability)
//! and printed to six decimals, so half a unit of the sixth is the tolerance; fractions, limits and closed forms are
//! those of the papers that each test names.

use lottning::allocation::methods::Completions;
use lottning::allocation::{Exact, Options, exact_characteristics, read_ratio};

/// Half a unit of the sixth decimal, and room for a figure that ends in exactly half a unit.
const SIX: f64 = 0.5e-6 + 1e-12;

fn exact(id: &str, options: &[(&str, &str)], n: u64) -> Exact {
    exact_characteristics(id, &read_ratio("1:1").unwrap(), &Options::of(options), n).unwrap()
}

#[track_caller]
fn near(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap();
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} is not {expected}"
    );
}

/// What one more unit adds to a sum over units, once the beginning is forgotten: the share in the long run.
fn slope(share: impl Fn(u64) -> Option<f64>, short: u64, long: u64) -> Option<f64> {
    let whole = |n: u64| share(n).map(|share| share * n as f64);
    Some((whole(long)? - whole(short)?) / (long - short) as f64)
}

fn binomial(n: u64, k: u64) -> f64 {
    (1..=k).fold(1.0, |own, i| own * (n - k + i) as f64 / i as f64)
}

/// Complete randomization: P(|D| ≥ t) is a binomial tail.
#[test]
fn complete_randomization_ends_far_from_balance_so_often() {
    for (n, size, expected) in [
        (20, 6.0, 0.263_176),
        (50, 10.0, 0.202_639),
        (100, 20.0, 0.056_888),
        (200, 20.0, 0.178_964),
    ] {
        near(exact("simple", &[], n).p_at_least(size), expected, SIX);
    }
    // Nothing is left out: the whole distribution, and beyond it.
    near(exact("simple", &[], 200).p_at_least(0.0), 1.0, 1e-12);
    near(exact("simple", &[], 200).p_at_least(201.0), 0.0, 0.0);
}

const SIZES: [u64; 4] = [10, 20, 50, 100];

/// Efron (1971): every cell of the table.
#[test]
fn efrons_biased_coin() {
    for (bias, shares, variances, balanced) in [
        (
            "3/5",
            [0.570_078, 0.575_276, 0.579_561, 0.581_356],
            [5.188_465, 7.650_093, 10.776_991, 12.096_924],
            0.334_638,
        ),
        (
            "2/3",
            [0.610_661, 0.617_053, 0.621_678, 0.623_333],
            [3.244_424, 3.985_847, 4.405_311, 4.443_404],
            0.500_011,
        ),
        (
            "0.75",
            [0.654_601, 0.660_443, 0.664_167, 0.665_417],
            [1.750_641, 1.857_977, 1.874_910, 1.875_000],
            0.666_667,
        ),
    ] {
        for (i, n) in SIZES.into_iter().enumerate() {
            let found = exact("biased-coin", &[("bias", bias)], n);
            near(found.correct_guess_share, shares[i], SIX);
            near(found.imbalance_variance, variances[i], SIX);
            near(found.forced_share, 0.0, 0.0);
        }
        let hundred = exact("biased-coin", &[("bias", bias)], 100);
        near(hundred.p_balanced, balanced, SIX);
    }
    // n = 10 in fractions; the default bias is 2/3.
    let ten = exact("biased-coin", &[], 10);
    near(ten.correct_guess_share, 80_131.0 / 131_220.0, 1e-12);
    near(ten.imbalance_variance, 63_860.0 / 19_683.0, 1e-12);
}

/// Efron (1971), with r = p/q: correct guesses → ½ + (r−1)/(4r); for even n, P(D = 0) → 1 − 1/r and
/// P(|D| = 2j) → (r²−1)/r^(2j+1). Markaryan & Rosenberger (2010, doi 10.1214/09-AOS758) give the same limits.
#[test]
fn efrons_biased_coin_in_the_long_run() {
    for (bias, r) in [("3/5", 1.5_f64), ("2/3", 2.0), ("0.75", 3.0), ("9/10", 9.0)] {
        let found = |n| exact("biased-coin", &[("bias", bias)], n);
        let share = slope(|n| found(n).correct_guess_share, 1000, 2000);
        near(share, 0.5 + (r - 1.0) / (4.0 * r), 1e-9);
        let long = found(2000);
        near(long.p_balanced, 1.0 - 1.0 / r, 1e-9);
        for j in 1..=4 {
            let size = f64::from(2 * j);
            let own = long.p_at_least(size).zip(long.p_at_least(size + 2.0));
            let expected = (r * r - 1.0) / r.powi(2 * j + 1);
            near(own.map(|(from, beyond)| from - beyond), expected, 1e-9);
        }
    }
    // p = 1 is a block of two, p = ½ a fair coin.
    near(
        exact("biased-coin", &[("bias", "1")], 40).correct_guess_share,
        0.75,
        1e-12,
    );
    near(
        exact("biased-coin", &[("bias", "1/2")], 40).imbalance_variance,
        40.0,
        1e-9,
    );
}

/// Wei (1978): Var D is n/3 for UD(0,1) from n = 3 and (n+2)/3 for UD(1,1); every cell of the table.
#[test]
fn weis_urn() {
    let cases = [
        (
            "0,1",
            [0.619_237, 0.589_777, 0.559_876, 0.543_438],
            0.0,
            0.137_990,
        ),
        (
            "1,1",
            [0.583_114, 0.569_809, 0.551_167, 0.538_896],
            2.0,
            0.136_635,
        ),
    ];
    for (urn, shares, extra, balanced) in cases {
        for (i, n) in SIZES.into_iter().enumerate() {
            let found = exact("urn", &[("urn", urn)], n);
            near(found.correct_guess_share, shares[i], SIX);
            near(found.imbalance_variance, (n as f64 + extra) / 3.0, 1e-9);
        }
        near(exact("urn", &[("urn", urn)], 100).p_balanced, balanced, SIX);
    }
    // UD(0,1): the second unit is certain and no other.
    near(exact("urn", &[], 50).forced_share, 1.0 / 50.0, 1e-12);
    // In the long run Var D / n → 1/3 whenever β > 0, and without β the urn is a fair coin.
    let long = exact("urn", &[("urn", "5,2")], 1200).imbalance_variance;
    near(long.map(|variance| variance / 1200.0), 1.0 / 3.0, 2e-3);
    near(
        exact("urn", &[("urn", "4,0")], 30).imbalance_variance,
        30.0,
        1e-9,
    );
}

/// Blackwell & Hodges (1957): a list of n = 2b gives b + b·C(2b,b)/4^b correct guesses.
#[test]
fn the_truncated_binomial() {
    for (n, share) in [
        (4, 0.6875),
        (8, 0.636_719),
        (20, 0.588_099),
        (50, 0.556_138),
    ] {
        let found = exact("truncated-binomial", &[], n);
        near(found.correct_guess_share, share, SIX);
        let b = n / 2;
        let guessed = b as f64 * (1.0 + binomial(n, b) / 4f64.powi(b as i32));
        near(found.correct_guess_share, guessed / n as f64, 1e-12);
        near(found.p_balanced, 1.0, 1e-12);
    }
    // Certain are the units after an arm has b: at least one, and the expected number is b·C(2b,b)/4^(b−½)… by hand for
    // n = 4: aa|bb 2, aba|b 1, baa|b 1, abb|a 1, bab|a 1, bb|aa 2, with chances ¼, ⅛, ⅛, ⅛, ⅛, ¼: 1½ of 4.
    near(
        exact("truncated-binomial", &[], 4).forced_share,
        1.5 / 4.0,
        1e-12,
    );
}

/// The random allocation rule is one block of n.
#[test]
fn the_random_allocation_rule_is_one_block() {
    for (n, correct) in [(8, 373.0 / 70.0), (20, 1_139_735.0 / 92_378.0)] {
        let found = exact("random-allocation", &[], n);
        near(found.correct_guess_share, correct / n as f64, 1e-12);
        near(found.forced_share, 1.0 / (n as f64 / 2.0 + 1.0), 1e-12);
    }
    for n in [6, 30] {
        let block = exact("permuted-block", &[("block_len", &n.to_string())], n);
        assert_eq!(exact("random-allocation", &[], n), block);
    }
}

/// Berger, Ivanova & Deloria Knoll (2003): how many lists there are, and guesses that are right.
#[test]
fn the_maximal_procedure() {
    for (bound, n, lists) in [
        (2, 6, 18),
        (2, 8, 54),
        (2, 12, 486),
        (2, 20, 39_366),
        (3, 6, 20),
        (3, 8, 68),
        (3, 10, 232),
        (3, 12, 792),
        (3, 20, 107_616),
        (4, 8, 70),
        (4, 10, 250),
        (4, 12, 900),
        (4, 20, 153_750),
    ] {
        let all = Completions::new(2, n, bound);
        let found = all.count(&[0, 0], n);
        assert_eq!(found.to_u64(), Some(lists), "n = {n}, bound {bound}");
    }
    // b = 1: 2^(n/2); b = 2: 2·3^(n/2 − 1); b ≥ n/2: C(n, n/2).
    for n in (2..=40).step_by(2) {
        let count = |bound| {
            let all = Completions::new(2, n, bound);
            all.count(&[0, 0], n).to_u64()
        };
        assert_eq!(count(1), Some(1 << (n / 2)));
        assert_eq!(count(2), Some(2 * 3u64.pow(n as u32 / 2 - 1)));
        assert_eq!(count(n / 2), Some(binomial(n, n / 2).round() as u64));
    }
    for (n, bound, correct) in [
        (8, "2", 11.0 / 2.0),
        (8, "3", 91.0 / 17.0),
        (12, "3", 1555.0 / 198.0),
        (20, "3", 86_453.0 / 6726.0),
    ] {
        let found = exact("maximal", &[("max_imbalance", bound)], n);
        near(found.correct_guess_share, correct / n as f64, 1e-12);
        near(found.p_balanced, 1.0, 1e-12);
    }
    near(
        exact("maximal", &[], 20).correct_guess_share,
        0.642_678,
        SIX,
    );
}

/// More arms: numbers of lists from every one of the Kⁿ sequences, looked at one by one (Python); b = 1 is (K!)^(n/K), b ≥ n/K
/// the multinomial coefficient. Guesses, certain units and the largest difference from every admissible list in exact
/// fractions (Python); of three arms in six units with b = 2 they are those of one block (2, 2, 2): 101/30 and 6/5.
#[test]
fn the_maximal_procedure_of_more_arms() {
    for (arms, n, bound, lists) in [
        (3, 6, 1, 36),
        (3, 6, 2, 90),
        (3, 9, 1, 216),
        (3, 9, 2, 1_296),
        (3, 12, 1, 1_296),
        (3, 12, 2, 18_684),
        (3, 12, 3, 32_100),
        (3, 12, 4, 34_650),
        (4, 8, 1, 576),
        (4, 8, 2, 2_520),
    ] {
        let all = Completions::new(arms, n, bound);
        let found = all.count(&vec![0; arms], n);
        assert_eq!(found.to_u64(), Some(lists), "{arms} arms, n = {n}, {bound}");
    }
    for (ratio, n, bound, correct, forced, largest) in [
        ("1:1:1", 6, "1", 11.0 / 3.0, 2.0, 1.0),
        ("1:1:1", 6, "2", 101.0 / 30.0, 6.0 / 5.0, 8.0 / 5.0),
        (
            "1:1:1",
            12,
            "2",
            3370.0 / 519.0,
            791.0 / 519.0,
            334.0 / 173.0,
        ),
        ("1:1:1", 12, "4", 4731.0 / 770.0, 4.0 / 3.0, 412.0 / 165.0),
        ("1:1:1:1", 8, "1", 25.0 / 6.0, 2.0, 1.0),
    ] {
        let options = Options::of(&[("max_imbalance", bound)]);
        let ratio = read_ratio(ratio).unwrap();
        let found = exact_characteristics("maximal", &ratio, &options, n).unwrap();
        near(found.correct_guess_share, correct / n as f64, 1e-12);
        near(found.best_guess_share, correct / n as f64, 1e-12);
        near(found.forced_share, forced / n as f64, 1e-12);
        near(found.max_imbalance, largest, 1e-12);
        near(found.imbalance_variance, 0.0, 1e-12);
        near(found.p_balanced, 1.0, 1e-12);
    }
}

/// A bound that never binds: one block (§ "blocks" of this folder): 373/70 of 8 and 1139735/92378 of 20.
#[test]
fn the_maximal_procedure_without_a_bound_is_one_block() {
    for (n, correct) in [(8, 373.0 / 70.0), (20, 1_139_735.0 / 92_378.0)] {
        let bound = (n / 2).to_string();
        let found = exact("maximal", &[("max_imbalance", &bound)], n);
        near(found.correct_guess_share, correct / n as f64, 1e-12);
        near(found.forced_share, 1.0 / (n as f64 / 2.0 + 1.0), 1e-12);
    }
    // With hundreds of binary digits too: the figures of one block of 200 follow from shortened weights.
    let wide = exact("maximal", &[("max_imbalance", "100")], 200);
    let block = exact("random-allocation", &[], 200);
    near(
        wide.correct_guess_share,
        block.correct_guess_share.unwrap(),
        1e-12,
    );
    near(wide.max_imbalance, block.max_imbalance.unwrap(), 1e-9);
}

/// E[max |D|]. A walk of n fair steps by reflection at both sides (whole numbers, Python): n = 100, 300, 1000. The others
/// with rational arithmetic over states that carry their largest value so far, which the program does not do.
#[test]
fn the_largest_imbalance_on_the_way() {
    for (n, expected) in [
        (100, 12.054_026_242_132_28),
        (300, 21.220_096_525_706_35),
        (1000, 39.139_878_328_866_25),
    ] {
        near(exact("simple", &[], n).max_imbalance, expected, 1e-9);
    }
    for (id, n, expected) in [
        ("urn", 50, 5.838_271_422_496_158),
        ("biased-coin", 50, 4.276_259_501_309_13),
        ("truncated-binomial", 40, 6.653_412_201_369_065),
        ("random-allocation", 40, 5.028_877_168_820_101),
        ("maximal", 40, 2.899_597_152_331_881),
    ] {
        near(exact(id, &[], n).max_imbalance, expected, 1e-9);
    }
}

/// Hallstrom & Davis (1988, Controlled Clinical Trials 9:375–382): a stratum whose last block is left at a place that is equally likely
/// anywhere in it has Var D = (B+1)/6: ½, 5/6, 7/6, 3/2 for blocks of 2, 4, 6, 8.
#[test]
fn what_an_open_block_costs_a_stratum() {
    for (block, expected) in [(2, 0.5), (4, 5.0 / 6.0), (6, 7.0 / 6.0), (8, 1.5)] {
        let len = block.to_string();
        let mean: f64 = (block..2 * block)
            .map(|n| {
                let found = exact("permuted-block", &[("block_len", &len)], n);
                found.imbalance_variance.unwrap()
            })
            .sum::<f64>()
            / block as f64;
        near(Some(mean), expected, 1e-12);
    }
}

/// Zhao et al. 2012 (PMC3399213), table III: lists of one block of 20 were simulated to .616–.617 right guesses and
/// .090–.091 certain arms; exactly 1139735/1847560 (Blackwell & Hodges 1957) and 1/11.
#[test]
fn blocks_of_twenty_in_a_printed_simulation() {
    let found = exact("permuted-block", &[("block_len", "20")], 20);
    near(found.correct_guess_share, 1_139_735.0 / 1_847_560.0, 1e-12);
    near(found.forced_share, 1.0 / 11.0, 1e-12);
    assert!((0.616..=0.617).contains(&found.correct_guess_share.unwrap()));
    assert!((0.090..=0.091).contains(&found.forced_share.unwrap()));
}

/// Wei (1978), UD(0,1): Var D is n/3 at every n from 3 on, not in the limit only; 1 and 0 before, for the second unit is
/// certain.
#[test]
fn weis_urn_at_every_length() {
    let variances = exact("urn", &[("urn", "0,1")], 200).variances.unwrap();
    assert_eq!(variances.len(), 200);
    assert!((variances[0] - 1.0).abs() < 1e-12 && variances[1].abs() < 1e-12);
    for (place, variance) in variances.iter().enumerate().skip(2) {
        let n = place as f64 + 1.0;
        assert!((variance - n / 3.0).abs() < 1e-9, "n = {n}: {variance}");
    }
}

/// What strata cost (Hallstrom & Davis 1988: K strata in blocks of B leave Var D = K(B + 1)/6 in the long run, here 20).
/// Families fall into 24 strata at random, so a stratum has a binomial number. Part of simple randomization's variance N
/// that is left (Python's `fractions`: every number of families in a stratum, variances 0, 1, 4/3, 1 by place in the block):
/// 85 % with half a family to a stratum, 44 % with half a block, 4 % at five times K·B.
#[test]
fn strata_gain_little_before_their_blocks_are_filled() {
    let blocks = exact("permuted-block", &[("block_len", "4")], 480)
        .variances
        .unwrap();
    let strata = 24_u32;
    for (n, left) in [
        (12, 0.847_658),
        (24, 0.688_976),
        (48, 0.437_655),
        (96, 0.209_904),
        (480, 0.041_667),
    ] {
        let share = 1.0 / f64::from(strata);
        let number = lottning::numerics::binomial::Binomial::new(n, share).unwrap();
        let of_one: f64 = (1..=n)
            .map(|families| number.pmf(families) * blocks[families as usize - 1])
            .sum();
        near(Some(f64::from(strata) * of_one / n as f64), left, SIX);
    }
}
