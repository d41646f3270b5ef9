//! Guessing rules, weights and certain allocations on lists short enough to write out.

use lottning::allocation::{
    Arm, Exact, Options, Purpose, Randomness, Ratio, Unit, Weights, choose, exact_characteristics,
    read_ratio,
};

fn exact(id: &str, ratio: &str, options: &[(&str, &str)], n: u64) -> Exact {
    exact_characteristics(id, &read_ratio(ratio).unwrap(), &Options::of(options), n).unwrap()
}

#[track_caller]
fn near(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

#[test]
fn an_arm_is_the_first_whose_cumulative_weight_exceeds_the_point() {
    let weights = Weights::new(&[2, 0, 3]);
    let arms: Vec<u8> = (0..5).map(|point| weights.arm_at(point).0).collect();
    assert_eq!(arms, [0, 0, 2, 2, 2]);
}

#[test]
fn weights_and_ratios_are_in_lowest_terms() {
    assert_eq!(Weights::new(&[6, 2, 2]).reduced().as_slice(), [3, 1, 1]);
    assert_eq!(Weights::new(&[0, 4]).reduced().as_slice(), [0, 1]);
    assert_eq!(read_ratio("6:2:2").unwrap(), read_ratio("3:1:1").unwrap());
    assert_eq!(read_ratio(" 2 : 1 ").unwrap().to_string(), "2:1");
}

#[test]
fn ratios_that_are_none_are_refused_by_name() {
    let code = |text| read_ratio(text).err().unwrap().code;
    assert_eq!(code("1:0"), "zero-ratio");
    for text in [
        "",
        "1",
        "1:",
        "a:b",
        "1:-1",
        "+1:1",
        "1.5:1",
        "1/1",
        "1000001:1",
        "1:1:1:1:1:1:1:1:1",
    ] {
        assert_eq!(code(text), "bad-ratio", "{text}");
    }
}

/// Answers from a list, and the questions that were asked.
#[derive(Default)]
struct Told {
    answers: Vec<u64>,
    asked: Vec<(Purpose, u64, u64)>,
}

impl Randomness for Told {
    fn below(&mut self, purpose: Purpose, index: u64, n: u64) -> u64 {
        self.asked.push((purpose, index, n));
        self.answers.remove(0)
    }

    fn below_wide(&mut self, _purpose: Purpose, _index: u64, _n: &[u64]) -> Vec<u64> {
        unreachable!("no list here has weights of more than 64 bits")
    }
}

/// Lengths 2,4,6 at 2:… are indices in the order written; block 0 is asked for at the start, block 1 as soon as block
/// 0 is full, before the next family.
#[test]
fn a_block_length_is_asked_for_when_its_block_opens() {
    let ratio = Ratio::new(&[1, 1]).unwrap();
    let design = choose(
        "permuted-block",
        &ratio,
        &Options::of(&[("block_lens", "6,2,4")]),
        None,
    )
    .unwrap();
    let mut told = Told {
        answers: vec![1, 2],
        ..Told::default()
    };
    let unit = Unit::default();
    let mut sequence = design.begin(&mut told);
    assert_eq!(told.asked, [(Purpose::Block, 0, 3)]);
    assert_eq!(design.weights(&*sequence, &unit).as_slice(), [1, 1]); // answer 1: length 2
    design.step(&mut *sequence, &unit, Arm(1), &mut told);
    assert_eq!(design.weights(&*sequence, &unit).as_slice(), [1, 0]);
    assert!(design.weights(&*sequence, &unit).is_forced());
    design.step(&mut *sequence, &unit, Arm(0), &mut told);
    assert_eq!(told.asked, [(Purpose::Block, 0, 3), (Purpose::Block, 1, 3)]);
    assert_eq!(design.weights(&*sequence, &unit).as_slice(), [2, 2]); // answer 2: length 4
}

#[test]
fn one_block_length_asks_for_nothing() {
    let ratio = Ratio::new(&[2, 1]).unwrap();
    let design = choose(
        "permuted-block",
        &ratio,
        &Options::of(&[("block_len", "6")]),
        None,
    )
    .unwrap();
    let mut told = Told::default();
    let mut sequence = design.begin(&mut told);
    for arm in [0, 0, 1, 0, 0, 1] {
        design.step(&mut *sequence, &Unit::default(), Arm(arm), &mut told);
    }
    assert!(told.asked.is_empty());
    assert_eq!(
        design.weights(&*sequence, &Unit::default()).as_slice(),
        [4, 2]
    );
}

/// Bound 2: after a, a the arm b is certain; after b, b the arm a.
#[test]
fn the_big_stick_strikes_at_the_bound() {
    let ratio = Ratio::new(&[1, 1]).unwrap();
    let design = choose(
        "big-stick",
        &ratio,
        &Options::of(&[("max_imbalance", "2")]),
        None,
    )
    .unwrap();
    let mut told = Told::default();
    let mut sequence = design.begin(&mut told);
    let mut seen = Vec::new();
    for arm in [0, 0, 1, 1, 1, 1, 0] {
        seen.push(
            design
                .weights(&*sequence, &Unit::default())
                .as_slice()
                .to_vec(),
        );
        design.step(&mut *sequence, &Unit::default(), Arm(arm), &mut told);
    }
    let fair = vec![1, 1];
    // D before each unit: 0, 1, 2, 1, 0, −1, −2.
    assert_eq!(
        seen,
        [
            fair.clone(),
            fair.clone(),
            vec![0, 1],
            fair.clone(),
            fair.clone(),
            fair,
            vec![1, 0]
        ]
    );
}

/// Rule "otherwise" (unequal ratio, no blocks): the arm with the smallest count / ratio. `simple` 2:1, n = 2.
/// First unit: both at 0, a coin: ½. Second: after a (2/3) the quotients are ½ and 0, guess b, right 1/3; after b (1/3)
/// 0 and 1, guess a, right 2/3: 2/9 + 2/9 = 4/9. Share (½ + 4/9)/2 = 17/36.
/// D: aa (4/9): 1; ab, ba (4/9): 1 − ½ = ½; bb (1/9): 2. Mean 4/9 + 2/9 + 2/9 = 8/9, mean square 4/9 + 1/9 + 4/9 = 1.
/// Largest on the way: after a it is ½, after b 1: aa 1, ab ½, ba 1, bb 2: 4/9 + 1/9 + 2/9 + 2/9 = 1.
#[test]
fn unequal_ratio_without_blocks() {
    let found = exact("simple", "2:1", &[], 2);
    near(found.correct_guess_share, 17.0 / 36.0);
    near(found.imbalance_variance, 1.0 - 64.0 / 81.0);
    near(found.max_imbalance, 1.0);
    near(found.p_balanced, 0.0);
    near(found.forced_share, 0.0);
    // n = 3: level are aab, aba, baa: 3 · 4/27.
    near(exact("simple", "2:1", &[], 3).p_balanced, 12.0 / 27.0);
}

/// Rule "equal ratio", several arms, no blocks. `simple` 1:1:1: every arm has chance 1/3 whatever is guessed.
#[test]
fn several_equal_arms_without_blocks() {
    let found = exact("simple", "1:1:1", &[], 9);
    near(found.correct_guess_share, 1.0 / 3.0);
    // 9!/(3!)³/3⁹ = 1680/19683.
    near(found.p_balanced, 1680.0 / 19683.0);
}

/// Unequal ratio and lengths drawn by chance: places are hidden, so the rule is "smallest count / ratio".
/// 2:1 with lengths 3, 6, n = 2. First: tie, ½. After a (2/3): guess b. Given a, length 3: b has ½; length 6 (4,2 → 3,2):
/// 2/5; each length has chance ½: 9/20. After b (1/3): guess a; length 3: places 2,0, sure; length 6: 4,1, 4/5: 9/10.
/// ½ + 2/3 · 9/20 + 1/3 · 9/10 = 1.1. Certain: unit 2 after b in length 3: 1/3 · ½ = 1/6.
#[test]
fn unequal_ratio_with_hidden_lengths() {
    let found = exact("permuted-block", "2:1", &[("block_lens", "3,6")], 2);
    near(found.correct_guess_share, 1.1 / 2.0);
    near(found.forced_share, 1.0 / 12.0);
    // At best, with the lengths known: 2/3; after a ½ or 3/5 (half the time each: 11/20), after b 1 or 4/5 (9/10):
    // 2/3 + 2/3 · 11/20 + 1/3 · 9/10 = 4/3.
    near(found.best_guess_share, 4.0 / 6.0);
}

/// With two equal arms nobody guesses better than the convergence strategy: the arm with fewer is never less likely, and
/// where they are level both are. Three equal arms in an urn UD(0,1), n = 2: the second is one of two others, ½.
#[test]
fn nobody_guesses_two_equal_arms_better() {
    for (id, options) in [
        ("simple", &[][..]),
        ("permuted-block", &[("block_lens", "2,4,6")]),
        ("big-stick", &[]),
        ("biased-coin", &[]),
        ("urn", &[]),
        ("truncated-binomial", &[]),
        ("maximal", &[]),
    ] {
        let found = exact(id, "1:1", options, 40);
        near(found.best_guess_share, found.correct_guess_share.unwrap());
    }
    near(
        exact("urn", "1:1:1", &[], 2).best_guess_share,
        5.0 / 12.0, // (1/3 + 1/2)/2
    );
}

/// The same with the length known (6): guess the arm with most places. First: a, 4/6. After a (3,2): a, 3/5; after b
/// (4,1): a, 4/5. 2/3 + 2/3 · 3/5 + 1/3 · 4/5 = 4/3.
#[test]
fn unequal_ratio_with_known_length() {
    near(
        exact("permuted-block", "2:1", &[("block_len", "6")], 2).correct_guess_share,
        4.0 / 6.0,
    );
    // A list of one length is a known length.
    near(
        exact("permuted-block", "2:1", &[("block_lens", "6")], 2).correct_guess_share,
        4.0 / 6.0,
    );
}

/// The weights before each of `arms`, of a method with equal arms.
fn weights(id: &str, arms: usize, options: &[(&str, &str)], drawn: &[u8]) -> Vec<Vec<u64>> {
    let ratio = Ratio::new(&vec![1; arms]).unwrap();
    let design = choose(id, &ratio, &Options::of(options), None).unwrap();
    let mut told = Told::default();
    let mut sequence = design.begin(&mut told);
    let mut seen = Vec::new();
    for arm in drawn {
        let weights = design.weights(&*sequence, &Unit::default());
        seen.push(weights.reduced().as_slice().to_vec());
        design.step(&mut *sequence, &Unit::default(), Arm(*arm), &mut told);
    }
    assert!(told.asked.is_empty(), "only arms are drawn");
    seen
}

/// Three arms, bound 2: a, a makes a lead by 2, so a is closed; b leaves a − c = 2; c makes the smallest 1: a leads by 1.
#[test]
fn the_big_stick_of_three_arms_closes_whoever_leads_by_the_bound() {
    let bound = [("max_imbalance", "2")];
    assert_eq!(
        weights("big-stick", 3, &bound, &[0, 0, 1, 2, 1]),
        [[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 1, 1], [1, 1, 1]]
    );
}

/// Efron, p = 2/3: level 1, 1; behind 2 of 3.
#[test]
fn the_biased_coin_favours_the_arm_behind() {
    assert_eq!(
        weights("biased-coin", 2, &[], &[0, 1, 1, 1, 0]),
        [[1, 1], [1, 2], [1, 1], [2, 1], [2, 1]]
    );
    // p = 1: the arm behind is certain.
    assert_eq!(
        weights("biased-coin", 2, &[("bias", "1")], &[0, 1]),
        [[1, 1], [0, 1]]
    );
}

/// Three arms, p = 3/4. After a: b and c share 3/4, a has 1/4: 2, 3, 3. After a, b: c alone has 3/4, a and b 1/8 each.
/// p = 1/2 after a: the two behind would share ½, less than the 2/3 that is theirs without a coin, so they keep 2/3.
/// After a, b: ½ is more than 1/3, so c has ½ and a and b ¼.
#[test]
fn the_biased_coin_of_three_arms_never_favours_a_leader() {
    assert_eq!(
        weights("biased-coin", 3, &[("bias", "0.75")], &[0, 1, 2]),
        [[1, 1, 1], [2, 3, 3], [1, 1, 6]]
    );
    assert_eq!(
        weights("biased-coin", 3, &[("bias", "1/2")], &[0, 1, 2]),
        [[1, 1, 1], [1, 1, 1], [1, 1, 2]]
    );
}

/// UD(0,1) begins empty and fair; after a it holds only b; after a, a, b: two of b for the a's, one of a for the b.
/// UD(1,1) with three arms after a: 1, 2, 2; after a, b: 2, 2, 3.
#[test]
fn the_urn_gains_balls_of_the_other_arms() {
    assert_eq!(
        weights("urn", 2, &[], &[0, 1, 0, 0]),
        [[1, 1], [0, 1], [1, 1], [1, 2]]
    );
    assert_eq!(
        weights("urn", 3, &[("urn", "1,1")], &[0, 1, 2]),
        [[1, 1, 1], [1, 2, 2], [2, 2, 3]]
    );
}

/// Lists of four, two places an arm: after a, a only b is left; the fifth unit begins a new list.
#[test]
fn the_truncated_binomial_closes_a_full_arm() {
    assert_eq!(
        weights(
            "truncated-binomial",
            2,
            &[("list_len", "4")],
            &[0, 0, 1, 1, 1]
        ),
        [[1, 1], [1, 1], [0, 1], [0, 1], [1, 1]]
    );
}

/// Lists of six: places left. Ratio-free here; 2:1 is the block of `permuted-block`.
#[test]
fn random_allocation_draws_the_places_that_are_left() {
    assert_eq!(
        weights(
            "random-allocation",
            2,
            &[("list_len", "6")],
            &[0, 0, 1, 1, 0, 1, 0]
        ),
        [[1, 1], [2, 3], [1, 3], [1, 2], [1, 1], [0, 1], [1, 1]]
    );
}

/// Lists of six, bound 2: 18 in all. After a: b can go on in 9 − … ways: with left 5 at difference 1 there are 9 lists;
/// going to 2 leaves 4 units at difference 2: down to 1, then (3 units at 1) up-down-down, down-up-down, down-down-up: 3;
/// going to 0 leaves 4 units level within 2: 6. After a, a (difference 2): b is certain.
#[test]
fn the_maximal_procedure_counts_the_lists_that_can_follow() {
    let options = [("list_len", "6"), ("max_imbalance", "2")];
    assert_eq!(
        weights("maximal", 2, &options, &[0, 0, 1, 0, 1, 1, 0]),
        [[1, 1], [1, 2], [0, 1], [1, 2], [0, 1], [0, 1], [1, 1]]
    );
}

/// Three arms, lists of six. Bound 1: each round of three holds every arm once. Bound 2 never binds where an arm has two
/// places: of the places left (1, 2, 2) after a, 4!/(2! 2!) = 6 lists go on with a and 4!/2! = 12 with b or c; of (0, 1, 2)
/// after a, a, b, one goes on with b and two with c.
#[test]
fn the_maximal_procedure_counts_the_lists_of_three_arms() {
    let one = [("list_len", "6"), ("max_imbalance", "1")];
    assert_eq!(
        weights("maximal", 3, &one, &[0, 2, 1, 1]),
        [[1, 1, 1], [0, 1, 1], [0, 1, 0], [1, 1, 1]]
    );
    let two = [("list_len", "6"), ("max_imbalance", "2")];
    assert_eq!(
        weights("maximal", 3, &two, &[0, 0, 1, 2, 1, 2, 2]),
        [
            [1, 1, 1],
            [1, 2, 2],
            [0, 1, 1],
            [0, 1, 2],
            [0, 1, 1],
            [0, 0, 1],
            [1, 1, 1]
        ]
    );
}
