//! Defects that other allocators have, or had, in minimization: one test a row, which names whose it was. A frequency
//! test rejects at p < 1e-6 only, and each shows that it rejects the defect.

use super::minimization::{Before, design, margins, weights};
use lottning::allocation::{
    Address, Arm, Levels, Mode, Options, Purpose, Randomness, Seed, StratumKeys, Unit,
    balanced_list, choose, draw_arm, read_ratio,
};
use std::collections::BTreeSet;
use std::process::Command;

const DRAWS: u64 = 12_000;

/// Pearson's statistic of counts against weights.
fn statistic(counts: &[u64], weights: &[u64]) -> f64 {
    let (n, sum): (u64, u64) = (counts.iter().sum(), weights.iter().sum());
    counts
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0)
        .map(|(count, weight)| {
            let expected = n as f64 * *weight as f64 / sum as f64;
            (*count as f64 - expected).powi(2) / expected
        })
        .sum()
}

/// Whether counts differ from weights at p < 1e-6: the quantiles of the chi-square distribution with 1 and 2 degrees of
/// freedom (the second is −2 ln 10⁻⁶).
fn rejected(counts: &[u64], weights: &[u64]) -> bool {
    let possible = weights.iter().filter(|weight| **weight > 0).count();
    let impossible = counts.iter().zip(weights).any(|(c, w)| *w == 0 && *c > 0);
    let limit = [23.928, 27.631][possible - 2];
    impossible || statistic(counts, weights) > limit
}

/// Keys of a stratum of a study of its own.
fn keys(number: u64) -> StratumKeys {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    StratumKeys::derive(
        &Seed::from_bytes(seed),
        &Address {
            mode: Mode::Live,
            study: "peers",
            epoch: 0,
            levels: &[],
        },
    )
}

/// How often each arm is drawn for a unit after `before`, over many seeds.
fn frequencies(
    ratio: &str,
    options: &[(&str, &str)],
    before: &[Before],
    levels: &[u16],
) -> Vec<u64> {
    let design = design(ratio, options);
    let sequence = super::minimization::after(&design, before);
    let mut unit = Levels::default();
    for level in levels {
        assert!(unit.push(*level));
    }
    let mut counts = vec![0; ratio.split(':').count()];
    for number in 0..DRAWS {
        let index = before.len() as u64;
        let arm = draw_arm(&*design, &*sequence, &unit.unit(), index, &mut keys(number));
        counts[arm.index()] += 1;
    }
    counts
}

/// `lsgs/redcap-extended-randomisation2`, `AbstractRandomiser::getRandomNumber`: a uniform floored over [0, count − 1],
/// so the last option is never picked, and a tie of two always gives the first arm; elsewhere an index may equal the
/// length.
#[test]
fn redcap_module_a_tie_reaches_the_last_arm() {
    for (ratio, weights) in [("1:1", vec![1, 1]), ("1:1:1", vec![1, 1, 1])] {
        let found = frequencies(ratio, &[("factors", "site")], &[], &[0]);
        assert!(!rejected(&found, &weights), "{found:?}");
        // The defect: the last is never picked.
        let mut biased = found.clone();
        let last = biased.pop().unwrap();
        biased[0] += last;
        biased.push(0);
        assert!(rejected(&biased, &weights), "the test must see the defect");
    }
    // Both ends of every range are reached, and its length is not.
    for n in 1..=12 {
        let drawn: BTreeSet<u64> = (0..400)
            .map(|index| keys(1).below(Purpose::Arm, index, n))
            .collect();
        assert_eq!(drawn, (0..n).collect());
    }
}

/// Each rule of the draw has its frequencies, and the test would see a slip in each: the probability of one best arm (0.8
/// for 0.76), a partial tie with p < 1 (2:2:1, not three alike), a tie of all with an unequal ratio (2:1, not level).
#[test]
fn every_rule_has_its_frequencies() {
    let kept = [("factors", "site"), ("ratio_preserving", "true")];
    let check = |ratio, options: &[(&str, &str)], before: &[Before], due: &[u64], slip: &[u64]| {
        let found = frequencies(ratio, options, before, &[0]);
        assert!(!rejected(&found, due), "{ratio} {found:?}");
        assert!(rejected(&found, slip), "{ratio}: the slip is not seen");
        assert_eq!(weights(&design(ratio, options), before, &[0]), due);
    };
    check("1:1", &kept[..1], &[(vec![0], 0)], &[1, 4], &[6, 19]);
    check("1:1:1", &kept[..1], &[(vec![0], 2)], &[2, 2, 1], &[1, 1, 1]);
    check("2:1", &kept, &[], &[2, 1], &[1, 1]);
}

/// The duplicate of an arm is drawn as well. 2:1, two families without a level in common, both in a: each has one of two
/// duplicates with equal chance. A third with a level of each sees whether they share one: then b and the other duplicate
/// are best with 2/5 each (arms 3:2), otherwise b alone with 4/5 (1:4).
#[test]
fn duplicates_have_their_frequencies() {
    let options = [("factors", "a,b"), ("ratio_preserving", "true")];
    let design = design("2:1", &options);
    let mut shared = [0, 0];
    for number in 0..DRAWS {
        let mut keys = keys(number);
        let mut sequence = design.begin(&mut keys);
        for levels in [[0, 9], [9, 0]] {
            design.step(&mut *sequence, &Unit { levels: &levels }, Arm(0), &mut keys);
        }
        let weights = design.weights(&*sequence, &Unit { levels: &[0, 0] });
        let share = match weights.as_slice() {
            [3, 2] => 0,
            [1, 4] => 1,
            other => panic!("{other:?}"),
        };
        shared[share] += 1;
    }
    assert!(!rejected(&shared, &[1, 1]), "{shared:?}");
    assert!(rejected(&[DRAWS, 0], &[1, 1]) && rejected(&[DRAWS / 3, 2 * DRAWS / 3], &[1, 1]));
}

/// The same module: the number of the draw is read, raised and written without a lock, and a seed of 0 counts as none.
/// Here the number of the allocation addresses its draw: as many numbers as allocations, whoever asks how often, in
/// whatever order, and a seed of zeros is a seed.
#[test]
fn redcap_module_every_allocation_has_a_number_of_its_own() {
    let zero = || keys(0);
    let once: Vec<u64> = (0..1000)
        .map(|index| zero().below(Purpose::Arm, index, u64::MAX))
        .collect();
    assert_eq!(once.iter().collect::<BTreeSet<_>>().len(), 1000);
    let drawn = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|first| {
                scope.spawn(move || {
                    let own = (first..1000).step_by(8);
                    own.map(|index| (index, zero().below(Purpose::Arm, index, u64::MAX)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(drawn.len(), 1000);
    assert!(
        drawn
            .iter()
            .all(|(index, own)| once[*index as usize] == *own)
    );
}

/// `ttscience/unbiased` #106, #107: an unequal ratio was ignored until 1.0.2. Oracle 3:1:1 on a tie of all, and 6:2:2 is
/// the same in every weight.
#[test]
fn unbiased_106_107_the_ratio_counts() {
    for ratio in ["3:1:1", "6:2:2"] {
        // With duplicates a first unit meets a tie of all.
        let options = [("factors", "site,sex"), ("ratio_preserving", "true")];
        let found = frequencies(ratio, &options, &[], &[0, 0]);
        assert!(!rejected(&found, &[3, 1, 1]), "{found:?}");
        assert!(rejected(&found, &[1, 1, 1]), "the test must see the defect");
        let sum = [("factors", "site"), ("imbalance", "sum")];
        assert_eq!(weights(&design(ratio, &sum), &[], &[0]), [3, 1, 1]);
    }
    let before: Vec<Before> = (0..23)
        .map(|unit| (vec![unit % 3, unit % 2], (unit % 5 % 3) as u8))
        .collect();
    for preserving in ["true", "false"] {
        for measure in ["range", "variance", "sum"] {
            let options = [
                ("factors", "a,b"),
                ("imbalance", measure),
                ("ratio_preserving", preserving),
            ];
            let of = |ratio| weights(&design(ratio, &options), &before, &[1, 1]);
            assert_eq!(of("6:2:2"), of("3:1:1"));
        }
    }
}

/// The same over a list: the tenth unit of a study of two factors gets each arm in its part, whatever came before it.
#[test]
fn unbiased_106_107_the_tenth_unit_has_the_ratio() {
    let options = [("factors", "site,sex"), ("ratio_preserving", "true")];
    let design = design("3:1:1", &options);
    let mut counts = vec![0; 3];
    for number in 0..DRAWS {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        let units = (0..10_u16).map(|unit| {
            let mut levels = Levels::default();
            levels.push(unit % 3);
            levels.push(unit % 2);
            ([""; 0], levels)
        });
        let rows = balanced_list(&*design, &Seed::from_bytes(seed), units);
        counts[rows[9].arm.index()] += 1;
    }
    assert!(!rejected(&counts, &[3, 1, 1]), "{counts:?}");
    assert!(
        rejected(&counts, &[1, 1, 1]),
        "the test must see the defect"
    );
}

/// `unbiased` #102: `p = 0` means "always the worse arm" there. Here p is from 1/arms to 1, and 1/arms is chance alone.
#[test]
fn unbiased_102_probability_begins_at_chance() {
    for (ratio, chance, below) in [("1:1", "1/2", "0.4999"), ("1:1:1", "1/3", "0.3333")] {
        let options = [("factors", "site,sex"), ("probability", chance)];
        let fair = design(ratio, &options);
        for size in 0..12_u16 {
            let before: Vec<Before> = (0..size).map(|unit| (vec![unit % 2, 0], 0)).collect();
            let weights = weights(&fair, &before, &[0, 0]);
            assert!(weights.iter().all(|weight| *weight == weights[0]));
        }
        for low in ["0", below, "-0.1"] {
            let options = Options::of(&[("factors", "site"), ("probability", low)]);
            let refused = choose("minimization", &read_ratio(ratio).unwrap(), &options, None);
            let refusal = &refused.err().unwrap()[0];
            assert_eq!(refusal.option.as_deref(), Some("probability"), "{low}");
        }
    }
}

/// The same at an unequal ratio: with 3:1:1 in duplicates chance alone begins at 1/5 and is the ratio itself, as in simple
/// randomization, whatever came before.
#[test]
fn unbiased_102_chance_at_an_unequal_ratio_is_the_ratio() {
    let options = |p| {
        [
            ("factors", "site,sex"),
            ("ratio_preserving", "true"),
            ("probability", p),
        ]
    };
    let fair = design("3:1:1", &options("1/5"));
    let ratio = read_ratio("3:1:1").unwrap();
    let simple = choose("simple", &ratio, &Options::default(), None).unwrap();
    let mut keys = keys(1);
    let sequence = simple.begin(&mut keys);
    let chance = simple.weights(&*sequence, &Unit::default());
    assert_eq!(chance.as_slice(), [3, 1, 1]);
    for arm in 0..3 {
        for size in 0..12_u16 {
            let before: Vec<Before> = (0..size).map(|unit| (vec![unit % 2, 0], arm)).collect();
            assert_eq!(weights(&fair, &before, &[0, 0]), chance.as_slice());
        }
    }
    for low in ["0", "0.1999"] {
        let refused = choose("minimization", &ratio, &Options::of(&options(low)), None);
        let refusal = &refused.err().unwrap()[0];
        assert_eq!(refusal.option.as_deref(), Some("probability"), "{low}");
    }
}

/// Minirand (R): arm labels are used as positions, a tie of all ignores the ratio, and a matrix of one covariate
/// collapses. Here arms are named 10, 20 and 30, and one factor is enough.
#[test]
fn minirand_labels_are_names_and_one_factor_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "x\ny\n".repeat(30);
    std::fs::write(folder.path().join("one.csv"), format!("sex\n{rows}")).unwrap();
    let draw = |arms: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
            .args(["draw", "--method", "minimization", "--arrivals", "one.csv"])
            .args(["--factors", "sex", "--ratio", "1:2:3", "--ratio-preserving"])
            .args(["--arms", arms, "--seed", &"07".repeat(32)])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let (plain, named) = (draw("a,b,c"), draw("10,20,30"));
    let mapped = plain
        .replace(",a\n", ",10\n")
        .replace(",b\n", ",20\n")
        .replace(",c\n", ",30\n");
    assert_eq!(mapped, named);
    assert_eq!(named.lines().count(), 61);
    // The full tie is in the ratio.
    let options = [("factors", "sex"), ("ratio_preserving", "true")];
    let found = frequencies("1:2:3", &options, &[], &[0]);
    assert!(!rejected(&found, &[1, 2, 3]), "{found:?}");
    assert!(rejected(&found, &[1, 1, 1]), "the test must see the defect");
}

/// RANDI2, `Minimization`: a partial tie among three arms draws from all of them.
#[test]
fn randi2_a_partial_tie_is_among_the_tied() {
    let options = [("factors", "site"), ("probability", "1")];
    for (one, tied) in [(0, [0, 1, 1]), (1, [1, 0, 1]), (2, [1, 1, 0])] {
        let before = [(vec![0], one)];
        assert_eq!(weights(&design("1:1:1", &options), &before, &[0]), tied);
        let found = frequencies("1:1:1", &options, &before, &[0]);
        assert!(!rejected(&found, &tied), "{found:?}");
        // The defect: a third of the draws go to each.
        let third = DRAWS / 3;
        assert!(rejected(&[third, third, third], &tied));
    }
}

/// RANDI2: ties are found by `==` on doubles, and 0.1 + 0.2 is not 0.3 there. Weights 0.1, 0.2, 0.3: a has one unit at
/// the first two factors' levels, b one at the third's, so the sums are 0.1 + 0.2 and 0.3.
#[test]
fn randi2_ties_are_exact() {
    let before = [(vec![0, 0, 9], 0), (vec![9, 9, 0], 1)];
    for (weights_text, expected) in [
        ("0.1,0.2,0.3", [1, 1]),
        ("0.1,0.2,0.30001", [4, 1]),
        ("1/3,1/6,1/2", [1, 1]),
    ] {
        let options = [
            ("factors", "a,b,c"),
            ("imbalance", "sum"),
            ("factor_weights", weights_text),
        ];
        let found = weights(&design("1:1", &options), &before, &[0, 0, 0]);
        let sum = 0.1_f64 + 0.2;
        assert!(sum > 0.3, "doubles would see no tie");
        assert_eq!(found, expected, "{weights_text}");
    }
}

/// RANDI2: a hash map's order decides the order of arms. Here a file in any order of equal units, read twice by two
/// programs, gives one list, and levels are numbered as they come without a trace in the arms.
#[test]
fn randi2_no_order_decides() {
    let design = design("1:1:1", &[("factors", "a,b")]);
    let seed = Seed::from_bytes([3; 32]);
    let list = |number: fn(u16) -> u16| -> Vec<Arm> {
        let units = (0..90_u16).map(|unit| {
            let mut levels = Levels::default();
            levels.push(number(unit % 4));
            levels.push(number(unit % 7));
            ([""; 0], levels)
        });
        let rows = balanced_list(&*design, &seed, units);
        rows.iter().map(|row| row.arm).collect()
    };
    assert_eq!(list(|level| level), list(|level| level));
    assert_eq!(list(|level| level), list(|level| 90 - level));
}

/// `sleepepi/slice` #239 and #379: the site counted though it was not to, which changed the arm. Ratio 3:1, male A5/B1,
/// site A5/B3. With the site 10/3 against 4: A. Without 5/3 against 1: B.
#[test]
fn slice_239_379_both_columns() {
    let before = margins(&[&[(5, 1), (0, 2)], &[(5, 3)]]);
    let of = |factors: &str, levels: &[u16]| {
        let options = [
            ("factors", factors),
            ("imbalance", "sum"),
            ("probability", "1"),
        ];
        weights(&design("3:1", &options), &before, levels)
    };
    assert_eq!(of("sex,site", &[0, 0]), [1, 0]);
    assert_eq!(of("sex", &[0]), [0, 1]);
    // A factor is named once, so it cannot count twice.
    let twice = Options::of(&[("factors", "sex,site,site")]);
    let refused = choose("minimization", &read_ratio("3:1").unwrap(), &twice, None);
    assert_eq!(refused.err().unwrap()[0].option.as_deref(), Some("factors"));
}

/// randomizr #26, #92: an option without effect is ignored in silence. Here it is refused.
#[test]
fn randomizr_26_92_an_option_without_effect_is_refused() {
    for (method, options) in [
        ("big-stick", &[("probability", "4/5")][..]),
        ("simple", &[("factors", "site")]),
        ("minimization", &[("factors", "site"), ("block_len", "4")]),
    ] {
        let refused = choose(
            method,
            &read_ratio("1:1").unwrap(),
            &Options::of(options),
            None,
        );
        assert_eq!(refused.err().unwrap()[0].code, "unknown-option");
    }
}
