//! Minimization by hand: the worked example of `docs/allocation-spec.md` (section 6.1), and shares in every case of a tie.

use lottning::allocation::{
    Address, Arm, Choice, Mode, Options, Purpose, Randomness, Seed, Sequence, StratumKeys, Unit,
    choose, draw_arm, read_ratio,
};

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
