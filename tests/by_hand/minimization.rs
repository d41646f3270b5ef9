//! Minimization by hand: the worked example of `docs/allocation-spec.md` (section 6.1), and shares in every case of a tie.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::made_up::{IUH, Study, protocol};
use lottning::allocation::{
    Address, Arm, Choice, Design, Levels, Mode, Options, Purpose, Randomness, Redraw, Seed,
    Sequence, StratumKeys, Unit, choose, draw_arm, read_ratio, redraw_key,
};
use lottning::analysis::reference_set::{History, Redrawer};
use lottning::study::kernel::Answer;

fn design(ratio: &str, options: &[(&str, &str)]) -> Choice {
    let ratio = read_ratio(ratio).unwrap();
    choose("minimization", &ratio, &Options::of(options), None).unwrap()
}

/// The first duplicate, whatever the weights.
struct First;

impl Randomness for First {
    fn below(&mut self, _: Purpose, _: u64, _: u64) -> u64 {
        0
    }

    fn below_wide(&mut self, _: Purpose, _: u64, n: &[u64]) -> Vec<u64> {
        vec![0; n.len()]
    }
}

fn after(design: &Choice, units: &[(&[u16], u8)]) -> Box<dyn Sequence> {
    let mut sequence = design.begin(&mut First);
    for (levels, arm) in units {
        design.step(&mut *sequence, &Unit { levels }, Arm(*arm), &mut First);
    }
    sequence
}

fn weights(design: &Choice, units: &[(&[u16], u8)], levels: &[u16]) -> Vec<u64> {
    let sequence = after(design, units);
    design
        .weights(&*sequence, &Unit { levels })
        .as_slice()
        .to_vec()
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
        self.keys.below_wide(purpose, index, n)
    }
}

/// Scores and chances are derived in the specification; the numbers are those of `tests/stability/minimization.py`.
#[test]
fn the_worked_example_of_the_specification() {
    let design = design(
        "2:1",
        &[
            ("factors", "site,reports"),
            ("factor_weights", "2,1"),
            ("ratio_preserving", "true"),
        ],
    );
    let seed: [u8; 32] = std::array::from_fn(|place| place as u8);
    let mut randomness = Asked {
        keys: StratumKeys::derive(
            &Seed::from_bytes(seed),
            &Address {
                mode: Mode::Live,
                study: "iuh-2025",
                epoch: 0,
                levels: &[],
            },
        ),
        asked: Vec::new(),
    };
    let mut sequence = design.begin(&mut randomness);
    let (arm, duplicate) = (Purpose::Arm, Purpose::Duplicate);
    // Levels; weights of the arms; arm; (sum of the duplicates' weights, number) or none.
    let units = [
        ([0u16, 0], [2, 1], 0, (3, 1), Some((2, 1))),
        ([0, 1], [3, 2], 0, (5, 2), Some((3, 1))),
        ([1, 0], [3, 2], 0, (5, 2), Some((3, 0))),
        ([0, 0], [1, 4], 1, (5, 3), None),
        ([1, 1], [3, 2], 0, (5, 0), Some((3, 0))),
        ([0, 1], [3, 2], 0, (5, 1), Some((3, 0))),
    ];
    for (index, (levels, weights, drawn, of_arm, of_duplicate)) in (0..).zip(units) {
        let unit = Unit { levels: &levels };
        assert_eq!(design.weights(&*sequence, &unit).as_slice(), weights);
        let found = draw_arm(&*design, &*sequence, &unit, index, &mut randomness);
        assert_eq!(found, Arm(drawn), "unit {index}");
        design.step(&mut *sequence, &unit, found, &mut randomness);
        let mut expected = vec![(arm, index, of_arm.0, of_arm.1)];
        expected.extend(of_duplicate.map(|(sum, number)| (duplicate, index, sum, number)));
        assert_eq!(randomness.asked, expected, "unit {index}");
        randomness.asked.clear();
    }
}

/// Two arms, one factor, p = 4/5: level → 1, 1; one ahead → 1, 4; another level knows nothing of it. A family counts
/// at its own level only.
#[test]
fn one_factor_by_hand() {
    let design = design("1:1", &[("factors", "site")]);
    assert_eq!(weights(&design, &[], &[3]), [1, 1]);
    assert_eq!(weights(&design, &[(&[3], 0)], &[3]), [1, 4]);
    assert_eq!(weights(&design, &[(&[3], 0)], &[2]), [1, 1]);
    assert_eq!(weights(&design, &[(&[3], 0), (&[3], 1)], &[3]), [1, 1]);
}

/// Weights: the first factor says b (2 ahead: ranges 3, 1), the second says a (ranges 0, 2). Equal weights: 3 + 0
/// against 1 + 2, a tie. 2:1: 6 against 4, b. 1:2: 3 against 5, a. 0.5:1 is 1:2.
#[test]
fn factor_weights_by_hand() {
    let history: [(&[u16], u8); 3] = [(&[0, 9], 0), (&[0, 9], 0), (&[9, 0], 1)];
    let of = |text: &str| {
        let options = [("factors", "site,reports"), ("factor_weights", text)];
        weights(&design("1:1", &options), &history, &[0, 0])
    };
    assert_eq!(of("1,1"), [1, 1]);
    assert_eq!(of("2,1"), [1, 4]);
    assert_eq!(of("1,2"), [4, 1]);
    assert_eq!(of("0.5,1"), [4, 1]);
    assert_eq!(of("7/3,7/3"), [1, 1]);
}

/// Three arms 1:1:1, p = 4/5. One best: 4/5, 1/10, 1/10 → 8, 1, 1. Two best: max(4/5, 2/3) shared, 2/5, 2/5, 1/5.
/// With p = 1/2 two best have 2/3 > 1/2: 1, 1, 1. All: 1, 1, 1.
#[test]
fn three_arms_by_hand() {
    let usual = design("1:1:1", &[("factors", "site")]);
    let fair = design("1:1:1", &[("factors", "site"), ("probability", "1/2")]);
    let two: [(&[u16], u8); 2] = [(&[0], 1), (&[0], 2)];
    assert_eq!(weights(&usual, &two, &[0]), [8, 1, 1]);
    assert_eq!(weights(&usual, &two[..1], &[0]), [2, 1, 2]);
    assert_eq!(weights(&usual, &[], &[0]), [1, 1, 1]);
    assert_eq!(weights(&fair, &two, &[0]), [2, 1, 1]);
    assert_eq!(weights(&fair, &two[..1], &[0]), [1, 1, 1]);
}

/// Ratio 3:1:1 in 3:1:1 steps, p = 7/10, range of count / part. Nothing yet: adding to a gives x = 1/3, 0, 0, to b
/// 0, 1, 0: a is the only best, 7/10, 3/20, 3/20 → 14, 3, 3. After a, b: x = 1/3, 1, 0; a: 2/3, 1, 0 range 1; b: 2;
/// c: 1/3, 1, 1 range 2/3: c → 3, 3, 14.
#[test]
fn an_unequal_ratio_by_hand() {
    let options = [("factors", "site"), ("probability", "0.7")];
    for ratio in ["3:1:1", "6:2:2"] {
        let design = design(ratio, &options);
        assert_eq!(weights(&design, &[], &[0]), [14, 3, 3]);
        assert_eq!(weights(&design, &[(&[0], 0), (&[0], 1)], &[0]), [3, 3, 14]);
    }
}

/// With p = 1 an arm that had no weight is in a ledger that was tampered with: it is followed, counts, and leads to no
/// sum of zero.
#[test]
fn an_arm_without_weight_is_followed() {
    let options = [
        ("factors", "site"),
        ("probability", "1"),
        ("ratio_preserving", "true"),
    ];
    let design = design("2:1", &options);
    // b leaves a, a′ as the best; b again had no weight, and a third b neither.
    assert_eq!(weights(&design, &[(&[0], 1)], &[0]), [1, 0]);
    let history: [(&[u16], u8); 3] = [(&[0], 1), (&[0], 1), (&[0], 1)];
    assert_eq!(weights(&design, &history, &[0]), [1, 0]);
    // a, a (of which the second had to be the other duplicate) and b are even again.
    let even: [(&[u16], u8); 3] = [(&[0], 0), (&[0], 0), (&[0], 1)];
    assert_eq!(weights(&design, &even, &[0]), [2, 1]);
}

fn history(ratio: &str, options: &[(&str, &str)], units: &[&[u16]]) -> History {
    let own: Arc<dyn Design> = design(ratio, options).into();
    let levels: Vec<Levels> = units
        .iter()
        .map(|unit| {
            let mut levels = Levels::default();
            for level in *unit {
                assert!(levels.push(*level));
            }
            levels
        })
        .collect();
    History::new(vec![0; units.len()], vec![own])
        .unwrap()
        .with_levels(&levels)
}

/// Every possible sequence with its probability.
fn sequences(history: &History) -> BTreeMap<String, f64> {
    let enumeration = history.enumerate(10_000).unwrap();
    let mut arms = Vec::new();
    (0..enumeration.total())
        .map(|number| {
            let chance = enumeration.sequence(number, &mut arms);
            let text = arms.iter().map(|arm| char::from(b'a' + arm.0)).collect();
            (text, chance)
        })
        .collect()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

/// Levels north, north, south, p = 4/5: ½ · 4/5 · ½ = 1/5 for each of the four sequences that part the first two, ½ · 1/5 · ½
/// = 1/20 for each other. The same families all in the north: a, b leaves a tie, ½ · 4/5 · ½ = 1/5; a, a makes b the best,
/// ½ · 1/5 · 4/5 = 2/25 and ½ · 1/5 · 1/5 = 1/50.
#[test]
fn a_reference_set_knows_the_levels() {
    let options = [("factors", "site")];
    let found = sequences(&history("1:1", &options, &[&[0], &[0], &[1]]));
    assert_eq!(found.len(), 8);
    for (arms, chance) in &found {
        let apart = arms[0..1] != arms[1..2];
        near(*chance, if apart { 0.2 } else { 0.05 });
    }
    let found = sequences(&history("1:1", &options, &[&[0], &[0], &[0]]));
    near(found["aba"], 0.2);
    near(found["bab"], 0.2);
    near(found["aab"], 0.08);
    near(found["aaa"], 0.02);
}

/// Ratio 2:1, p = 1, one level: the duplicates make a block of three, each of aab, aba, baa with chance 1/3, although
/// the duplicates themselves are not seen. Two levels: two blocks, and only their own sequences are possible.
#[test]
fn duplicates_are_summed_over() {
    let options = [
        ("factors", "site"),
        ("probability", "1"),
        ("ratio_preserving", "true"),
    ];
    let found = sequences(&history("2:1", &options, &[&[0], &[0], &[0]]));
    let expected = ["aab", "aba", "baa"];
    assert_eq!(found.keys().collect::<Vec<_>>(), expected);
    for chance in found.values() {
        near(*chance, 1.0 / 3.0);
    }
    let two = history("2:1", &options, &[&[0], &[1], &[0], &[1], &[0], &[1]]);
    let found = sequences(&two);
    assert_eq!(found.len(), 9);
    for chance in found.values() {
        near(*chance, 1.0 / 9.0);
    }
    let arms = |text: &str| -> Vec<Arm> { text.bytes().map(|own| Arm(own - b'a')).collect() };
    // North a, b, a and south b, a, a can be; a second b in the north cannot.
    assert_eq!(two.impossible(&arms("abbaaa")), None);
    assert_eq!(two.impossible(&arms("bbbaaa")), Some(2));
}

/// Families with two factors in an order without a pattern.
const MIXED: [&[u16]; 7] = [
    &[0, 1],
    &[2, 1],
    &[0, 0],
    &[1, 1],
    &[0, 1],
    &[2, 0],
    &[0, 1],
];

/// The share of each arm at each place over every possible sequence.
fn shares(history: &History, arms: usize) -> Vec<Vec<f64>> {
    let mut shares = vec![vec![0.0; arms]; history.len()];
    for (text, chance) in sequences(history) {
        for (place, letter) in text.bytes().enumerate() {
            shares[place][usize::from(letter - b'a')] += chance;
        }
    }
    shares
}

/// With duplicates every unit has each arm with its part, whatever came and in whatever order: exactly, over every
/// sequence that could have been (Kuznetsova & Tymofyeyev 2012).
#[test]
fn duplicates_keep_the_ratio_at_every_draw() {
    for (ratio, parts) in [("2:1", vec![2.0, 1.0]), ("1:2:1", vec![1.0, 2.0, 1.0])] {
        for imbalance in ["range", "variance", "sum"] {
            for probability in ["1", "4/5", "0.5"] {
                let options = [
                    ("factors", "site,reports"),
                    ("factor_weights", "2,1"),
                    ("imbalance", imbalance),
                    ("probability", probability),
                    ("ratio_preserving", "true"),
                ];
                let sum: f64 = parts.iter().sum();
                for share in shares(&history(ratio, &options, &MIXED), parts.len()) {
                    for (found, part) in share.iter().zip(&parts) {
                        near(*found, part / sum);
                    }
                }
            }
        }
    }
}

/// Without duplicates it is not kept, which is why a protocol refuses it. 2:1 and the range: the first unit gives a ½ or
/// b 1 more, so a is best and has 4/5, not 2/3; a second unit with the same levels: after a (4/5) x = ½, 0 and adding to
/// a leaves 1, to b ½: b is best, 1/5; after b x = 0, 1, a is best, 4/5. Together 4/25 + 4/25 = 8/25.
#[test]
fn plain_unequal_minimization_does_not_keep_the_ratio() {
    let options = [("factors", "site")];
    let found = shares(&history("2:1", &options, &[&[0], &[0]]), 2);
    near(found[0][0], 0.8);
    near(found[1][0], 0.32);
    let ratio = read_ratio("2:1").unwrap();
    let of = |own: &Options| {
        choose("minimization", &ratio, own, None)
            .unwrap()
            .keeps_ratio()
    };
    assert!(!of(&Options::of(&options)));
    assert!(of(&Options::of(&[
        ("factors", "site"),
        ("ratio_preserving", "true")
    ])));
}

/// What the test of a study conditions on is what the study recorded: the levels of each family at its draw.
#[test]
fn the_history_of_a_study_has_its_levels() {
    let text = IUH
        .replacen("method = \"big-stick\"", "method = \"minimization\"", 1)
        .replacen("max_imbalance = 4", "factors = [\"site\", \"category\"]", 1)
        .replacen("strata = [\"site\"]", "strata = []", 1);
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    let mut seen: Vec<Levels> = Vec::new();
    for number in 0..40_usize {
        let (site, category) = (number * 7 % 5, number % 3);
        let values = [3, 4, category as i64];
        let answer = study.enrol(day, site, 1, &values);
        if let Some((_, Answer::Allocated { .. })) = answer {
            let mut levels = Levels::default();
            levels.push(site as u16);
            levels.push(category as u16);
            seen.push(levels);
        }
    }
    assert!(seen.len() > 15, "{}", seen.len());
    let own = History::of(&study.protocol, &study.state);
    let design = Arc::clone(&study.protocol.allocation.design);
    let told = History::new(vec![0; seen.len()], vec![design]).unwrap();
    let redraw = |history: &History| {
        let mut arms = Vec::new();
        let mut numbers = Redraw::new(&redraw_key(&[4; 32], "primary", "final"), 5);
        history.redraw(&mut Redrawer::default(), &mut numbers, &mut arms);
        arms
    };
    assert_eq!(redraw(&own), redraw(&told.clone().with_levels(&seen)));
    // It could differ: without the levels all families are alike.
    assert_ne!(redraw(&own), redraw(&told));
}
