//! Methods for equal arms at an unequal ratio, by duplicates of the arms: the worked example of `docs/allocation-spec.md` (section
//! 6.2), and lists short enough to write out.

use std::collections::BTreeMap;
use std::sync::Arc;

use lottning::allocation::{
    Address, Arm, Choice, Design, Levels, Mode, Options, Purpose, Randomness, Seed, StratumKeys,
    Unit, choose, draw_arm, drawn_characteristics_of, exact_characteristics, list, read_ratio,
};
use lottning::analysis::reference_set::History;

fn design(id: &str, ratio: &str, options: &[(&str, &str)]) -> Choice {
    let ratio = read_ratio(ratio).unwrap();
    choose(id, &ratio, &Options::of(options), None).unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

/// Every list of `n` arms with its probability.
fn lists(id: &str, ratio: &str, options: &[(&str, &str)], n: usize) -> BTreeMap<String, f64> {
    let own: Arc<dyn Design> = design(id, ratio, options).into();
    let history = History::new(vec![0; n], vec![own]).unwrap();
    let enumeration = history.enumerate(100_000).unwrap();
    let mut arms = Vec::new();
    (0..enumeration.total())
        .map(|number| {
            let chance = enumeration.sequence(number, &mut arms);
            let text = arms.iter().map(|arm| char::from(b'a' + arm.0)).collect();
            (text, chance)
        })
        .collect()
}

/// Records what is asked of the keys.
struct Asked {
    keys: StratumKeys,
    asked: Vec<(Purpose, u64, u64, u64)>,
}

impl Randomness for Asked {
    fn below(&mut self, purpose: Purpose, index: u64, n: u64) -> u64 {
        let drawn = self.keys.below(purpose, index, n);
        self.asked.push((purpose, index, n, drawn));
        drawn
    }

    fn below_wide(&mut self, purpose: Purpose, index: u64, n: &[u64]) -> Vec<u64> {
        self.asked.push((purpose, index, 0, n.len() as u64));
        self.keys.below_wide(purpose, index, n)
    }
}

fn asked() -> Asked {
    let seed: [u8; 32] = std::array::from_fn(|place| place as u8);
    let address = Address {
        mode: Mode::Live,
        study: "iuh-2025",
        epoch: 0,
        levels: &[],
    };
    Asked {
        keys: StratumKeys::derive(&Seed::from_bytes(seed), &address),
        asked: Vec::new(),
    }
}

/// Weights are derived in the specification; the numbers are those of `tests/stability/reference.py`.
#[test]
fn the_worked_example_of_the_specification() {
    let design = design("urn", "2:1", &[]);
    let mut randomness = asked();
    let mut sequence = design.begin(&mut randomness);
    // Weights of the arms; arm; (their sum in lowest terms, number); (sum of the duplicates' weights, number) or none.
    let units = [
        ([2, 1], 0, (3, 1), Some((2, 1))),
        ([1, 1], 1, (2, 1), None),
        ([3, 1], 0, (4, 1), Some((3, 0))),
        ([2, 1], 0, (3, 1), Some((2, 0))),
        ([5, 3], 0, (8, 0), Some((5, 1))),
        ([3, 2], 0, (5, 1), Some((3, 0))),
        ([7, 5], 1, (12, 8), None),
        ([9, 5], 0, (14, 2), Some((3, 1))),
    ];
    let unit = Unit::default();
    for (index, (weights, arm, of_arm, of_duplicate)) in (0..).zip(units) {
        let found = design.weights(&*sequence, &unit).reduced();
        assert_eq!(found.as_slice(), weights, "unit {index}");
        let drawn = draw_arm(&*design, &*sequence, &unit, index, &mut randomness);
        assert_eq!(drawn, Arm(arm), "unit {index}");
        design.step(&mut *sequence, &unit, drawn, &mut randomness);
        let mut expected = vec![(Purpose::Arm, index, of_arm.0, of_arm.1)];
        let (purpose, number) = (Purpose::Duplicate, of_duplicate);
        expected.extend(number.map(|(sum, number)| (purpose, index, sum, number)));
        assert_eq!(randomness.asked, expected, "unit {index}");
        randomness.asked.clear();
    }
}

/// UD(0, 1) at 2:1, three duplicates a, a′, b. First 2 : 1. After a the urn holds no ball of that duplicate: 1 : 1. After b it holds a, a′: a is
/// certain. After a, a′: 1, 1, 2, so 2 : 2; after a and b in any order 1, 2, 1, so 3 : 1.
#[test]
fn an_urn_of_two_to_one() {
    let found = lists("urn", "2:1", &[], 3);
    let expected = [
        ("aaa", 1.0 / 6.0),
        ("aab", 1.0 / 6.0),
        ("aba", 1.0 / 4.0),
        ("abb", 1.0 / 12.0),
        ("baa", 1.0 / 4.0),
        ("bab", 1.0 / 12.0),
    ];
    assert_eq!(found.len(), expected.len());
    for (arms, chance) in expected {
        near(found[arms], chance);
    }
}

/// The same list of three. The guesser names the smallest count / part: a coin at first, ½; after a (½, 0) b, right half the time, after b a,
/// certain: 2/3 · 1/2 + 1/3; after a, a (1, 0) b, right half the time, otherwise (½, 1) a, 3/4: 1/3 · 1/2 + 2/3 · 3/4. So (1/2 + 2/3 + 2/3)/3.
/// Who names the likeliest has 2/3 at each place. An arm is certain only after b. D ends at 0 (aab, aba, baa) or 3/2, and the largest on the way
/// is 3/2, 1, 1/2, 3/2, 1, 3/2 in the order of the lists above.
#[test]
fn figures_of_an_urn_of_two_to_one() {
    let ratio = read_ratio("2:1").unwrap();
    let exact = exact_characteristics("urn", &ratio, &Options::default(), 3).unwrap();
    near(exact.correct_guess_share.unwrap(), 11.0 / 18.0);
    near(exact.best_guess_share.unwrap(), 2.0 / 3.0);
    near(exact.forced_share.unwrap(), 1.0 / 9.0);
    near(exact.p_balanced.unwrap(), 2.0 / 3.0);
    near(exact.imbalance_variance.unwrap(), 0.5);
    near(exact.max_imbalance.unwrap(), 25.0 / 24.0);
    near(exact.farthest.unwrap(), 1.5);
}

/// Big stick of bound 1 opens each duplicate once in a round, a coin of 1 favours those that are behind alone, lists of as many places as
/// duplicates hold each once, and so do the lists within bound 1: all are permuted blocks, arm by arm from the same numbers.
#[test]
fn the_strictest_rules_are_permuted_blocks() {
    for (ratio, sum, long) in [
        ("2:1", "3", "120"),
        ("1:2:1", "4", "120"),
        ("3:2", "5", "120"),
        ("5:3", "8", "120"),
        ("9:1", "10", "120"),
        ("10:9:1", "20", "120"),
        ("40:23:1", "64", "128"),
    ] {
        let arms = |id: &str, options: &[(&str, &str)]| -> Vec<Arm> {
            let own = design(id, ratio, options);
            let rows = list(&*own, &Seed::from_bytes([3; 32]), vec![[""; 0]; 240]);
            rows.iter().map(|row| row.arm).collect()
        };
        let blocks = arms("permuted-block", &[("block_len", sum)]);
        for (id, options) in [
            ("big-stick", vec![("max_imbalance", "1")]),
            ("biased-coin", vec![("bias", "1")]),
            ("truncated-binomial", vec![("list_len", sum)]),
            ("maximal", vec![("max_imbalance", "1"), ("list_len", long)]),
        ] {
            assert_eq!(arms(id, &options), blocks, "{id} {ratio}");
        }
    }
}

/// Big stick of bound 1 at 2:1: after a′ only a and b are open, and a takes a number for its one open duplicate; b, which has one, takes none.
#[test]
fn a_certain_duplicate_takes_a_number_and_a_single_one_none() {
    let design = design("big-stick", "2:1", &[("max_imbalance", "1")]);
    let (mut randomness, unit) = (asked(), Unit::default());
    let mut sequence = design.begin(&mut randomness);
    let mut sums = Vec::new();
    for arm in [0, 0, 1, 0] {
        design.step(&mut *sequence, &unit, Arm(arm), &mut randomness);
        sums.extend(
            randomness
                .asked
                .drain(..)
                .map(|(_, index, sum, _)| (index, sum)),
        );
    }
    assert_eq!(sums, [(0, 2), (1, 1), (3, 2)]);
}

/// Before anything is known every unit has each arm with its part, by every list that can be (Kuznetsova & Tymofyeyev 2012). Ten units at 9:1
/// have 10^10 lists of duplicates but 1,024 of arms, and these are listed.
#[test]
fn duplicates_keep_the_ratio_at_every_place() {
    for (ratio, parts, length, n) in [
        ("2:1", vec![2.0, 1.0], "6", 6),
        ("1:2:1", vec![1.0, 2.0, 1.0], "8", 6),
        ("9:1", vec![9.0, 1.0], "20", 10),
        ("7:3", vec![7.0, 3.0], "20", 10),
        ("5:4", vec![5.0, 4.0], "18", 10),
        ("13:7", vec![13.0, 7.0], "40", 4),
        ("10:9:1", vec![10.0, 9.0, 1.0], "40", 4),
        ("40:24", vec![5.0, 3.0], "16", 6),
        ("63:1", vec![63.0, 1.0], "64", 8),
    ] {
        for (id, options) in [
            ("big-stick", vec![("max_imbalance", "2")]),
            ("biased-coin", vec![]),
            ("urn", vec![("urn", "1,2")]),
            ("truncated-binomial", vec![("list_len", length)]),
            (
                "maximal",
                vec![("max_imbalance", "2"), ("list_len", length)],
            ),
        ] {
            let mut shares = vec![vec![0.0; parts.len()]; n];
            for (arms, chance) in lists(id, ratio, &options, n) {
                for (place, letter) in arms.bytes().enumerate() {
                    shares[place][usize::from(letter - b'a')] += chance;
                }
            }
            let sum: f64 = parts.iter().sum();
            for share in shares {
                for (found, part) in share.iter().zip(&parts) {
                    near(*found, part / sum);
                }
            }
        }
    }
}

/// Lists of 201 are counted in hundreds of digits: arm and duplicate are drawn from the exact numbers, of several limbs. The first unit has
/// 2 : 1 and duplicates of 1 : 1 exactly, which is told by one limb.
#[test]
fn wide_weights_are_added_exactly() {
    let design = design("maximal", "2:1", &[("list_len", "201")]);
    let (mut randomness, unit) = (asked(), Unit::default());
    let mut sequence = design.begin(&mut randomness);
    assert_eq!(
        design.wide(&*sequence, &unit).unwrap().sum().to_u64(),
        Some(3)
    );
    design.step(&mut *sequence, &unit, Arm(0), &mut randomness);
    assert_eq!(randomness.asked, [(Purpose::Duplicate, 0, 0, 1)]);
    let limbs = design.wide(&*sequence, &unit).unwrap().sum().limbs().len();
    assert!(limbs >= 3, "{limbs}");
    design.step(&mut *sequence, &unit, Arm(0), &mut randomness);
    assert!(randomness.asked[1].3 >= 3, "{:?}", randomness.asked);
    // The last places are short again, and the list ends in the ratio.
    let rows = list(&*design, &Seed::from_bytes([5; 32]), vec![[""; 0]; 201]);
    assert_eq!(rows.iter().filter(|row| row.arm == Arm(0)).count(), 134);
}

/// An arm that had no weight is in a ledger that was tampered with: it is followed, as its first duplicate, and takes no number.
#[test]
fn an_arm_without_weight_is_followed() {
    let design = design("big-stick", "1:2", &[("max_imbalance", "1")]);
    let (mut randomness, unit) = (asked(), Unit::default());
    let mut sequence = design.begin(&mut randomness);
    design.step(&mut *sequence, &unit, Arm(0), &mut randomness);
    assert_eq!(design.weights(&*sequence, &unit).as_slice(), [0, 2]);
    for arm in [0, 7, 0] {
        design.step(&mut *sequence, &unit, Arm(arm), &mut randomness);
    }
    assert!(randomness.asked.is_empty());
    assert_eq!(design.weights(&*sequence, &unit).as_slice(), [0, 2]);
}

/// Shares of right guesses of the convergence strategy and of who knows the duplicates, of certain arms, Var(D) and P(D = 0) of lists of 40,
/// by own Python over the counts of the duplicates, none of them taken for another.
#[test]
fn longer_lists_have_exact_figures() {
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    let figures: [(&str, &str, Pairs<'_>, [f64; 5]); 7] = [
        (
            "big-stick",
            "2:1",
            &[],
            [
                0.570_867_974_858_656_9,
                0.686_726_282_002_098_3,
                0.138_517_812_545_462_2,
                0.467_954_255_993_526_5,
                0.0,
            ],
        ),
        (
            "big-stick",
            "2:1:1",
            &[("max_imbalance", "2")],
            [
                0.445_477_581_980_336_1,
                0.548_854_624_026_846_8,
                0.097_709_248_053_697_3,
                0.593_054_072_295_187_8,
                0.270_440_251_659_500_75,
            ],
        ),
        (
            "biased-coin",
            "2:1",
            &[("bias", "3/4")],
            [
                0.609_161_478_216_595_4,
                0.737_355_702_074_818_3,
                0.0,
                0.628_426_974_687_625_2,
                0.0,
            ],
        ),
        (
            "urn",
            "2:1",
            &[],
            [
                0.537_975_374_173_360_8,
                2.0 / 3.0,
                1.0 / 120.0,
                3.536_671_770_855_928_5,
                0.0,
            ],
        ),
        (
            "urn",
            "1:3",
            &[("urn", "1,2")],
            [
                0.518_205_881_752_529,
                0.75,
                0.0,
                3.126_522_634_037_532,
                0.185_502_888_613_336_4,
            ],
        ),
        (
            "truncated-binomial",
            "3:1",
            &[],
            [
                0.560_852_089_157_048_8,
                0.766_603_206_874_463_2,
                0.148_750_995_875_928_4,
                0.0,
                1.0,
            ],
        ),
        (
            "maximal",
            "2:1",
            &[("list_len", "30")],
            [
                0.608_600_297_421_130_9,
                0.696_310_292_402_241_2,
                0.086_710_302_803_900_63,
                0.382_645_416_716_372_75,
                0.0,
            ],
        ),
    ];
    for (id, ratio, options, expected) in figures {
        let ratio = read_ratio(ratio).unwrap();
        let found = exact_characteristics(id, &ratio, &Options::of(options), 40).unwrap();
        let found = [
            found.correct_guess_share,
            found.best_guess_bound.or(found.best_guess_share),
            found.forced_bound.or(found.forced_share),
            found.imbalance_variance,
            found.p_balanced,
        ];
        for (found, expected) in found.iter().zip(expected) {
            near(found.unwrap(), expected);
        }
    }
}

/// What who sees the arms alone can guess: Σ over lists of the largest probability that a list goes on with, and how often it goes on
/// one way only, over n; in fractions by own Python from every list of duplicates. Along drawn lists it is the same within the error.
#[test]
fn what_the_arms_tell_of_the_duplicates_behind_them() {
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    let figures: [(&str, &str, Pairs<'_>, u64, [f64; 2]); 8] = [
        (
            "big-stick",
            "2:1",
            &[],
            8,
            [1745.0 / 2592.0, 247.0 / 5832.0],
        ),
        (
            "big-stick",
            "2:1:1",
            &[("max_imbalance", "2")],
            6,
            [5311.0 / 10_368.0, 127.0 / 5184.0],
        ),
        (
            "biased-coin",
            "2:1",
            &[("bias", "3/4")],
            10,
            [17_827_415.0 / 25_165_824.0, 0.0],
        ),
        (
            "truncated-binomial",
            "2:1",
            &[("list_len", "6")],
            12,
            [241.0 / 324.0, 53.0 / 162.0],
        ),
        (
            "maximal",
            "3:1",
            &[("list_len", "8"), ("max_imbalance", "2")],
            8,
            [177.0 / 224.0, 2.0 / 7.0],
        ),
        ("big-stick", "9:1", &[], 5, [9.0 / 10.0, 47.0 / 50_000.0]),
        (
            "big-stick",
            "5:4",
            &[("max_imbalance", "1")],
            6,
            [113.0 / 189.0, 1.0 / 108.0],
        ),
        ("urn", "2:1", &[], 8, [2.0 / 3.0, 1.0 / 24.0]),
    ];
    for (id, ratio, options, n, expected) in figures {
        let (ratio, options) = (read_ratio(ratio).unwrap(), Options::of(options));
        let exact = exact_characteristics(id, &ratio, &options, n).unwrap();
        for (found, expected) in [exact.best_guess_share, exact.forced_share]
            .iter()
            .zip(expected)
        {
            near(found.unwrap(), expected);
        }
        // Who knows the duplicates has no less.
        for (bound, expected) in [exact.best_guess_bound, exact.forced_bound]
            .into_iter()
            .zip(expected)
        {
            assert!(bound.is_none_or(|bound| bound >= expected - 1e-12));
        }
        let arrivals = vec![Levels::default(); n as usize];
        let seed = Seed::from_bytes([7; 32]);
        let drawn =
            drawn_characteristics_of(id, &ratio, &options, &arrivals, 2_000, &seed).unwrap();
        assert!(!drawn.at_most && drawn.followed_lists.is_none());
        for (figure, expected) in [drawn.best_guess_share, drawn.forced_share]
            .iter()
            .zip(expected)
        {
            let apart = (figure.value.unwrap() - expected).abs();
            assert!(
                apart <= 4.0 * figure.mcse.unwrap() + 1e-12,
                "{id}: {figure:?}"
            );
        }
    }
}

/// Every list of duplicates by the rule, α + β · (counts of the others), with its probability, summed over what they stand for: an urn of
/// which nothing is put together.
fn urn_by_duplicates(
    (alpha, beta): (u32, u32),
    stands_for: &[u8],
    n: usize,
) -> BTreeMap<String, f64> {
    let mut lists = vec![(vec![0; stands_for.len()], String::new(), 1.0)];
    for before in 0..n as u32 {
        let mut longer = Vec::new();
        for (counts, text, chance) in lists {
            let mut balls: Vec<u32> = counts
                .iter()
                .map(|count| alpha + beta * (before - count))
                .collect();
            if balls.iter().all(|own| *own == 0) {
                balls.fill(1);
            }
            let sum = f64::from(balls.iter().sum::<u32>());
            for (duplicate, own) in balls.iter().enumerate().filter(|(_, own)| **own > 0) {
                let mut later = counts.clone();
                later[duplicate] += 1;
                let text = format!("{text}{}", char::from(stands_for[duplicate]));
                longer.push((later, text, chance * f64::from(*own) / sum));
            }
        }
        lists = longer;
    }
    let mut all = BTreeMap::new();
    for (_, text, chance) in lists {
        *all.entry(text).or_insert(0.0) += chance;
    }
    all
}

/// An urn is followed by the counts of the arms. That leaves every list of arms its probability, by the lists of duplicates one by one, and the
/// chance of balance, which is that of the lists that end in the ratio.
#[test]
fn an_urn_needs_the_counts_of_the_arms_only() {
    for (ratio, stands_for, n) in [
        ("2:1", &b"aab"[..], 6),
        ("1:3", b"abbb", 4),
        ("2:1:1", b"aabc", 4),
        ("3:2", b"aaabb", 5),
    ] {
        for (text, urn) in [("0,1", (0, 1)), ("2,3", (2, 3)), ("1,0", (1, 0))] {
            let options = [("urn", text)];
            let found = lists("urn", ratio, &options, n);
            let expected = urn_by_duplicates(urn, stands_for, n);
            assert_eq!(found.len(), expected.len(), "{ratio} {text}");
            for (arms, chance) in &expected {
                near(found[arms], *chance);
            }
            let in_ratio = |arms: &str| {
                let count = |text: &[u8], arm| text.split(|own| *own == arm).count() - 1;
                (b'a'..=b'c').all(|arm| {
                    count(arms.as_bytes(), arm) * stands_for.len() == count(stands_for, arm) * n
                })
            };
            let balanced = expected.iter().filter(|(arms, _)| in_ratio(arms));
            let parsed = read_ratio(ratio).unwrap();
            let exact =
                exact_characteristics("urn", &parsed, &Options::of(&options), n as u64).unwrap();
            near(exact.p_balanced.unwrap(), balanced.map(|(_, p)| p).sum());
        }
    }
}

/// A list of 120 at 3:1 has exact figures: right guesses, certain arms, Var(D) and P(D = 0) by own Python over the counts of the arms.
#[test]
fn a_long_list_of_an_urn_has_exact_figures() {
    let ratio = read_ratio("3:1").unwrap();
    let exact = exact_characteristics("urn", &ratio, &Options::default(), 120).unwrap();
    for (found, expected) in [
        (exact.correct_guess_share, 0.512_704_972_774_887_8),
        (exact.best_guess_share, 0.75),
        (exact.forced_share, 0.002_083_333_333_333_333_3),
        (exact.imbalance_variance, 8.893_272_763_962_793),
        (exact.p_balanced, 0.108_373_617_785_487_22),
    ] {
        near(found.unwrap(), expected);
    }
}
