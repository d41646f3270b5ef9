//! Minimization against the literature: worked cases, the probabilities of Han et al., and the invariants.

use lottning::allocation::{
    Arm, Choice, Options, Purpose, Randomness, Sequence, Unit, choose, exact_characteristics,
    read_ratio, redraw_key,
};

pub(super) fn design(ratio: &str, options: &[(&str, &str)]) -> Choice {
    let ratio = read_ratio(ratio).unwrap();
    choose("minimization", &ratio, &Options::of(options), None).unwrap()
}

/// The first duplicate that has weight.
pub(super) struct First;

impl Randomness for First {
    fn below(&mut self, _: Purpose, _: u64, _: u64) -> u64 {
        0
    }

    fn below_wide(&mut self, _: Purpose, _: u64, n: &[u64]) -> Vec<u64> {
        vec![0; n.len()]
    }
}

/// A unit that came before: its levels, its arm.
pub(super) type Before = (Vec<u16>, u8);

pub(super) fn after(design: &Choice, before: &[Before]) -> Box<dyn Sequence> {
    let mut sequence = design.begin(&mut First);
    for (levels, arm) in before {
        let unit = Unit { levels };
        design.step(&mut *sequence, &unit, Arm(*arm), &mut First);
    }
    sequence
}

pub(super) fn weights(design: &Choice, before: &[Before], levels: &[u16]) -> Vec<u64> {
    let sequence = after(design, before);
    let weights = design.weights(&*sequence, &Unit { levels });
    weights.as_slice().to_vec()
}

/// Units with given margins: for each factor, the number of units of each arm at each level. Only margins matter, so the
/// levels are paired as they come.
pub(super) fn margins(factors: &[&[(usize, usize)]]) -> Vec<Before> {
    let total = |pick: fn(&(usize, usize)) -> usize, levels: &[(usize, usize)]| -> usize {
        levels.iter().map(pick).sum()
    };
    let mut before = Vec::new();
    for (arm, pick) in [|own: &(usize, usize)| own.0, |own: &(usize, usize)| own.1]
        .into_iter()
        .enumerate()
    {
        let n = total(pick, factors[0]);
        let columns: Vec<Vec<u16>> = factors
            .iter()
            .map(|levels| {
                assert_eq!(total(pick, levels), n, "margins of one arm have one sum");
                let each = levels.iter().zip(0..);
                each.flat_map(|(own, level)| std::iter::repeat_n(level, pick(own)))
                    .collect()
            })
            .collect();
        for unit in 0..n {
            let levels = columns.iter().map(|column| column[unit]).collect();
            before.push((levels, arm as u8));
        }
    }
    before
}

const MEASURES: [&str; 3] = ["range", "variance", "sum"];

/// Worked case A (PMC6547231, table 4). Control/treatment before patient 15: site 4/2, 3/5; sex 4/4, 3/3; age 2/2, 2/2,
/// 3/3. The new one: site 2, female, ≥ 65. Ranges: 1+1+1 = 3 if control, 3+1+1 = 5 if treatment, so control.
#[test]
fn worked_case_a() {
    let printed: [&[(usize, usize)]; 3] = [
        &[(4, 2), (3, 5)],
        &[(4, 4), (3, 3)],
        &[(2, 2), (2, 2), (3, 3)],
    ];
    for measure in MEASURES {
        let options = [
            ("factors", "site,sex,age"),
            ("imbalance", measure),
            ("probability", "1"),
        ];
        assert_eq!(
            weights(&design("1:1", &options), &margins(&printed), &[1, 1, 2]),
            [1, 0],
            "{measure}"
        );
    }
    // The scores differ by 2 and no more: a fourth factor whose level has 5/3 adds 3 if control and 1 if treatment, and
    // 6 against 6 is a tie.
    let before = margins(&[printed[0], printed[1], printed[2], &[(5, 3), (2, 4)]]);
    let four = design("1:1", &[("factors", "site,sex,age,more")]);
    assert_eq!(weights(&four, &before, &[1, 1, 2, 0]), [1, 1]);
}

/// Worked case B: Pocock, Clinical Trials (1983), the 80-patient breast-cancer table. A/B: ambulatory 30/31, age < 50
/// 18/17, disease-free interval ≥ 2 years 9/8, visceral 19/21. Sums of counts 76 and 77: A. Ranges 5 and 5: a tie.
/// Squared differences 9 and 13: A. One table separates the three measures.
#[test]
fn worked_case_b() {
    let before = margins(&[
        &[(30, 31), (10, 9)],
        &[(18, 17), (22, 23)],
        &[(9, 8), (31, 32)],
        &[(19, 21), (21, 19)],
    ]);
    assert_eq!(before.len(), 80);
    for (measure, expected) in [("sum", [4, 1]), ("range", [1, 1]), ("variance", [4, 1])] {
        let options = [
            ("factors", "ambulatory,age,interval,visceral"),
            ("imbalance", measure),
        ];
        assert_eq!(
            weights(&design("1:1", &options), &before, &[0, 0, 0, 0]),
            expected,
            "{measure}"
        );
    }
}

/// The chances of the arms when one duplicate of the arm `preferred` is the only best candidate, base 0.7: every other
/// duplicate has had a unit. They come with p = 1, so each goes to a duplicate that has none.
fn row(ratio: &str, preferred: usize) -> Vec<(u64, u64)> {
    let of = |probability| {
        design(
            ratio,
            &[
                ("factors", "site"),
                ("probability", probability),
                ("ratio_preserving", "true"),
            ],
        )
    };
    let parts = read_ratio(ratio).unwrap();
    let before: Vec<Before> = parts
        .parts()
        .iter()
        .enumerate()
        .flat_map(|(arm, part)| {
            let units = *part as usize - usize::from(arm == preferred);
            std::iter::repeat_n((vec![0], arm as u8), units)
        })
        .collect();
    let sequence = after(&of("1"), &before);
    let weights = of("0.7").weights(&*sequence, &Unit { levels: &[0] });
    let sum = weights.sum();
    weights.as_slice().iter().map(|own| (*own, sum)).collect()
}

fn equal(found: &[(u64, u64)], expected: &[(u64, u64)]) -> bool {
    let mut pairs = found.iter().zip(expected);
    found.len() == expected.len() && pairs.all(|(a, b)| a.0 * b.1 == b.0 * a.1)
}

/// Han, Enas & McEntegart (2009, Stat Med 28:3329), formula of two published programs: with base p for the smallest arm, a
/// preferred arm i has 1 − (1 − p)(R − rᵢ)/(R − r₁), the others share the rest in the ratio. Where the smallest part is 1,
/// these are the chances here when one duplicate is best: p + (rᵢ − 1)(1 − p)/(R − 1). The rows for p = 7/10:
#[test]
fn the_probabilities_of_han_for_one_best_duplicate() {
    type Row = &'static [(u64, u64)];
    let rows: [(&str, &[Row]); 3] = [
        ("1:2", &[&[(7, 10), (3, 10)], &[(3, 20), (17, 20)]]),
        (
            "1:2:3",
            &[
                &[(7, 10), (3, 25), (9, 50)],
                &[(3, 50), (19, 25), (9, 50)],
                &[(3, 50), (3, 25), (41, 50)],
            ],
        ),
        (
            "3:1:1",
            &[
                &[(17, 20), (3, 40), (3, 40)],
                &[(9, 40), (7, 10), (3, 40)],
                &[(9, 40), (3, 40), (7, 10)],
            ],
        ),
    ];
    for (ratio, expected) in rows {
        for (preferred, expected) in expected.iter().enumerate() {
            let found = row(ratio, preferred);
            assert!(equal(&found, expected), "{ratio} {preferred}: {found:?}");
        }
    }
}

/// Han's invariants for the rule here, any ratio: rows sum to one, and the rows weighted by the parts give the ratio
/// (each duplicate is equally often the best). All rows have one denominator or a divisor of it.
#[test]
fn rows_weighted_by_the_ratio_give_the_ratio() {
    for ratio in ["1:2", "3:2", "1:2:3", "3:1:1", "5:3", "2:3:4"] {
        let parts = read_ratio(ratio).unwrap();
        let rows: Vec<_> = (0..parts.arms()).map(|arm| row(ratio, arm)).collect();
        let common: u64 = rows.iter().map(|row| row[0].1).product();
        for (arm, part) in parts.parts().iter().enumerate() {
            let mean: u64 = rows
                .iter()
                .zip(parts.parts())
                .map(|(row, weight)| weight * row[arm].0 * (common / row[arm].1))
                .sum();
            assert_eq!(mean, part * common, "{ratio} arm {arm}");
        }
    }
}

/// Pocock & Simon (1975): the k-th best of N arms has `p_k = q − 2(Nq − 1)k/(N(N + 1))`, q from 1/N to 2/(N − 1); as two whole
/// numbers, with q as two as well.
fn ranked(arms: i64, (numerator, denominator): (i64, i64)) -> Vec<(i64, i64)> {
    let common = denominator * arms * (arms + 1);
    (1..=arms)
        .map(|rank| {
            let chance = numerator * arms * (arms + 1);
            (chance - 2 * (arms * numerator - denominator) * rank, common)
        })
        .collect()
}

/// The ranked probabilities from their formula, at its ends and at the two examples of `rules_that_differ`.
#[test]
fn the_ranked_probabilities_of_pocock_and_simon() {
    let is = |found: &[(i64, i64)], expected: &[(i64, i64)]| {
        let mut pairs = found.iter().zip(expected);
        found.len() == expected.len() && pairs.all(|(a, b)| a.0 * b.1 == b.0 * a.1)
    };
    assert!(is(&ranked(3, (1, 2)), &[(5, 12), (1, 3), (1, 4)]));
    assert!(is(&ranked(2, (1, 1)), &[(2, 3), (1, 3)]));
    for arms in 2..=6 {
        for q in [(1, arms), (2, arms - 1), (3, 2 * arms)] {
            let chances = ranked(arms, q);
            let sum: i64 = chances.iter().map(|own| own.0).sum();
            assert_eq!(sum, chances[0].1, "{arms} {q:?}");
            assert!(chances.windows(2).all(|pair| pair[0].0 >= pair[1].0));
        }
        assert!(
            ranked(arms, (1, arms))
                .iter()
                .all(|own| own.0 * arms == own.1)
        );
        assert_eq!(ranked(arms, (2, arms - 1))[arms as usize - 1].0, 0);
    }
    // Here the best of three has p and both others the same: the first of the ranked chances, and the mean of the rest.
    let (best, rest) = (ranked(3, (1, 2))[0], &ranked(3, (1, 2))[1..]);
    let probability = format!("{}/{}", best.0, best.1);
    let options = [("factors", "site"), ("probability", probability.as_str())];
    let before = [(vec![0], 1), (vec![0], 2), (vec![0], 2)];
    let ours = weights(&design("1:1:1", &options), &before, &[0]);
    let mean = rest.iter().map(|own| own.0).sum::<i64>();
    let (best, other) = (ours[0] as i64, ours[1] as i64);
    assert_eq!(best * mean, other * 2 * ranked(3, (1, 2))[0].0);
    assert_eq!(ours, [10, 7, 7]);
}

/// Where we stand apart (docs/differences.md): without duplicates a single best arm has p, or its part where that is
/// more (1:4: 4/5), where Han gives 1:2 the rows 7/10, 3/10 and 3/20, 17/20; with them, a ratio whose smallest part is
/// above 1 has more for the best (3:2: 17/20 and 31/40, Han 4/5 and 7/10), because p is a duplicate's; and Pocock & Simon's ranked probabilities, q = 1/2 with three arms
/// 5/12, 1/3, 1/4, are here 5/12 and 7/24 for both others. With two arms q = 1 and p = 2/3 are the same rule.
#[test]
fn rules_that_differ() {
    let plain = design("1:2", &[("factors", "site"), ("probability", "0.7")]);
    assert_eq!(weights(&plain, &[(vec![0], 1)], &[0]), [7, 3]);
    assert_eq!(weights(&plain, &[(vec![0], 0)], &[0]), [3, 7]);
    let larger = design("1:4", &[("factors", "site"), ("probability", "0.7")]);
    assert_eq!(weights(&larger, &[(vec![0], 0)], &[0]), [1, 4]);
    // By hand: after one of the larger arm it is 1/4 against 0, and another one makes 1/2 against 1 − 1/4 of the smaller.
    assert_eq!(weights(&larger, &[(vec![0], 1)], &[0]), [1, 4]);
    let four = vec![(vec![0], 1); 4];
    assert_eq!(weights(&larger, &four, &[0]), [7, 3]);
    assert!(equal(&row("3:2", 0), &[(17, 20), (3, 20)]));
    assert!(equal(&row("3:2", 1), &[(9, 40), (31, 40)]));
    let three = design("1:1:1", &[("factors", "site"), ("probability", "5/12")]);
    let before = [(vec![0], 1), (vec![0], 2), (vec![0], 2)];
    assert_eq!(weights(&three, &before, &[0]), [10, 7, 7]);
    let two = design("1:1", &[("factors", "site"), ("probability", "2/3")]);
    assert_eq!(weights(&two, &before[..1], &[0]), [2, 1]);
}

/// One factor with one level and p = 1 is a permuted block of the ratio: same figures at every length, same chances.
#[test]
fn one_level_and_certainty_is_a_block_of_the_ratio() {
    for (ratio, block) in [("1:1", "2"), ("1:1:1", "3"), ("2:1", "3"), ("3:2", "5")] {
        for measure in MEASURES {
            let options = Options::of(&[
                ("factors", "site"),
                ("probability", "1"),
                ("imbalance", measure),
                ("ratio_preserving", "true"),
            ]);
            let ratio = read_ratio(ratio).unwrap();
            let blocks = Options::of(&[("block_len", block)]);
            for n in [1, 2, 7, 30] {
                let ours = exact_characteristics("minimization", &ratio, &options, n).unwrap();
                let theirs = exact_characteristics("permuted-block", &ratio, &blocks, n).unwrap();
                for (one, other) in [
                    (ours.forced_share, theirs.forced_share),
                    (ours.imbalance_variance, theirs.imbalance_variance),
                    (ours.max_imbalance, theirs.max_imbalance),
                    (ours.p_balanced, theirs.p_balanced),
                ] {
                    let (one, other) = (one.unwrap(), other.unwrap());
                    assert!((one - other).abs() < 1e-12, "{ratio} {n}: {one} {other}");
                }
                // The guesser of blocks sees the places left, that of minimization counts; equal ratios agree.
                if ratio.is_equal() {
                    let (one, other) = (ours.correct_guess_share, theirs.correct_guess_share);
                    assert!((one.unwrap() - other.unwrap()).abs() < 1e-12);
                }
            }
        }
    }
}

/// Relabelling levels changes nothing, nor does the order of the factors with their weights, nor the order in which
/// the units came.
#[test]
fn labels_and_orders_do_not_matter() {
    let mut numbers = lottning::allocation::Redraw::new(&redraw_key(&[9; 32], "law", "m"), 0);
    let mut below = |n: u64| numbers.below(Purpose::Arm, 0, n);
    for measure in MEASURES {
        for ratio in ["1:1", "3:1:1"] {
            let of = |names: &str, weights: &str| {
                design(
                    ratio,
                    &[
                        ("factors", names),
                        ("factor_weights", weights),
                        ("imbalance", measure),
                    ],
                )
            };
            let (plain, turned) = (of("a,b,c", "3,1,2"), of("c,a,b", "2,3,1"));
            for _ in 0..50 {
                let arms = ratio.split(':').count() as u64;
                let before: Vec<Before> = (0..below(30))
                    .map(|_| {
                        let levels = (0..3).map(|_| below(4) as u16).collect();
                        (levels, below(arms) as u8)
                    })
                    .collect();
                let unit = [below(4) as u16, below(4) as u16, below(4) as u16];
                let expected = weights(&plain, &before, &unit);
                let relabel = |levels: &[u16]| -> Vec<u16> {
                    levels.iter().map(|level| (level * 3 + 1) % 4 + 7).collect()
                };
                let mapped: Vec<Before> = before
                    .iter()
                    .map(|(levels, arm)| (relabel(levels), *arm))
                    .collect();
                assert_eq!(weights(&plain, &mapped, &relabel(&unit)), expected);
                let rotate = |own: &[u16]| vec![own[2], own[0], own[1]];
                let mut mapped: Vec<Before> = before
                    .iter()
                    .map(|(levels, arm)| (rotate(levels), *arm))
                    .collect();
                mapped.reverse();
                assert_eq!(weights(&turned, &mapped, &rotate(&unit)), expected);
            }
        }
    }
}
