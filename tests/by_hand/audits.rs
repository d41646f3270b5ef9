//! The tests that every lock has, balance and who is unknown, and tests of ranks and times by redraws, where every allocation can
//! be written out.

use crate::made_up::{Study, protocol};
use crate::registered::{Few, LATE, estimand, few, with};
use lottning::allocation::{Arm, Design, Options, choose, read_ratio};
use lottning::analysis::balance::{Imbalance, orthonormal};
use lottning::analysis::randomization::{Statistic, TestError, TestFigures, exact, monte_carlo};
use lottning::analysis::reference_set::History;
use lottning::analysis::results::{Analyses, AnalysisResult};
use lottning::analysis::{Plan, RunSettings, run};
use lottning::estimation::Arm as Side;
use lottning::estimation::redrawn_scores::{Counted, Ranked, TimesInOrder};
use lottning::protocol::model::Exit;
use std::sync::Arc;

fn block(families: usize) -> History {
    let options = [("block_len", families.to_string())];
    let options = options
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let ratio = read_ratio("1:1").unwrap();
    let design = choose("permuted-block", &ratio, &Options::of(&options), None);
    let design: Arc<dyn Design> = design.unwrap().into();
    History::new(vec![0; families], vec![design]).unwrap()
}

fn arms(text: &str) -> Vec<Arm> {
    text.bytes().map(|letter| Arm(letter - b'a')).collect()
}

fn enumerated(
    history: &History,
    observed: &str,
    statistic: &impl Statistic,
) -> Result<TestFigures, TestError> {
    let enumeration = history.enumerate(100_000).unwrap();
    exact(history, &enumeration, &arms(observed), statistic)
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

/// One characteristic, 0, 1, 2 and 5: mean 2, squares about it 4 + 1 + 0 + 9 = 14. R² = (2·2/4)(x̄₁ − x̄₀)²/14, where the
/// difference is 3 of {0, 1} and {2, 5}, 2 of {0, 2} and {1, 5}, 1 of {0, 5} and {1, 2}: two of six allocations differ as much as
/// the first.
#[test]
fn balance_of_a_block_of_four() {
    let history = block(4);
    let columns = [("x".to_owned(), vec![0.0, 1.0, 2.0, 5.0])];
    let (rows, k) = orthonormal(&columns, 4);
    let statistic = Imbalance::new(&[0, 1, 2, 3], &rows, k, 2);
    for (observed, square, tail) in [("aabb", 9.0, 2.0), ("baba", 4.0, 4.0), ("abba", 1.0, 6.0)] {
        let found = enumerated(&history, observed, &statistic).unwrap();
        near(found.statistic, square / 14.0);
        near(found.upper, tail / 6.0);
    }
    // Twice the same column, a constant and another unit change nothing.
    let doubled = vec![1.0, 1.0 + 1e-3, 1.0 + 2e-3, 1.0 + 5e-3];
    let more = [
        ("constant".to_owned(), vec![7.0; 4]),
        ("x".to_owned(), vec![0.0, 1.0, 2.0, 5.0]),
        ("again".to_owned(), doubled),
    ];
    let (rows, k) = orthonormal(&more, 4);
    assert_eq!(k, 1);
    let found = enumerated(
        &history,
        "aabb",
        &Imbalance::new(&[0, 1, 2, 3], &rows, k, 2),
    )
    .unwrap();
    assert!((found.statistic - 9.0 / 14.0).abs() < 1e-9);
    // Three independent columns of four families explain every allocation: no test, and no p of 1.
    let three = [
        ("x".to_owned(), vec![0.0, 1.0, 2.0, 5.0]),
        ("y".to_owned(), vec![0.0, 1.0, 0.0, 1.0]),
        ("z".to_owned(), vec![0.0, 0.0, 1.0, 0.0]),
    ];
    let (rows, k) = orthonormal(&three, 4);
    let found = enumerated(
        &history,
        "aabb",
        &Imbalance::new(&[0, 1, 2, 3], &rows, k, 2),
    );
    assert_eq!(found, Err(TestError::NoVariation));
}

/// Over all 70 allocations of a block of eight the p of balance is at most any p that it can give with exactly that probability: it
/// is the share of allocations that differ as much.
#[test]
fn the_size_of_the_test_of_balance_is_exact() {
    let history = block(8);
    let x = vec![3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
    let y = vec![1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    let (rows, k) = orthonormal(&[("x".to_owned(), x), ("y".to_owned(), y)], 8);
    let places: Vec<usize> = (0..8).collect();
    let statistic = Imbalance::new(&places, &rows, k, 2);
    let enumeration = history.enumerate(100).unwrap();
    let mut all = Vec::new();
    let mut sequence = Vec::new();
    for number in 0..enumeration.total() {
        enumeration.sequence(number, &mut sequence);
        let found = exact(&history, &enumeration, &sequence, &statistic).unwrap();
        all.push(found.upper);
    }
    assert_eq!(all.len(), 70);
    for p in &all {
        let at_most = all.iter().filter(|own| **own <= p + 1e-12).count();
        near(at_most as f64 / 70.0, *p);
    }
    // Redraws agree within four standard errors; 9,999 of them on every thread.
    let observed = arms("aaabbabb");
    let exactly = exact(&history, &enumeration, &observed, &statistic).unwrap();
    let drawn = monte_carlo(&history, &observed, &statistic, &[7; 32], 9_999).unwrap();
    let error = (exactly.upper * (1.0 - exactly.upper) / 9_999.0).sqrt();
    assert!(
        (drawn.upper - exactly.upper).abs() < 4.0 * error,
        "{drawn:?} {exactly:?}"
    );
}

/// O − E over √V of six families, or the probability index less ½ over its standard error.
#[derive(Clone)]
enum Scored {
    Times(TimesInOrder, Counted),
    Ranks(Ranked, Counted),
}

impl Statistic for Scored {
    fn value(&mut self, arms: &[Arm]) -> Option<f64> {
        let side = |arm: &Arm| {
            Some(if arm.0 == 0 {
                Side::Treated
            } else {
                Side::Control
            })
        };
        let sides: Vec<Option<Side>> = arms.iter().map(side).collect();
        let (a, c) = match self {
            Self::Times(times, counted) => times.excess(&sides, |_| 0, 1, counted)?,
            Self::Ranks(ranked, counted) => ranked.index(&sides, counted)?,
        };
        Some(if c > 0.0 {
            a / c.sqrt()
        } else {
            a.signum() * f64::INFINITY
        })
    }
}

/// Python 3, fractions, over the 20 allocations of a block of six. Times 1, 2, 2, 3, 5, 6 with events at the first, second, fourth and
/// sixth; treated are the first, second and fourth: O − E = 53/30 and V = 641/900, the largest of all. Scores 1, 4, 2, 2, 7, 9;
/// treated 1, 7 and 9: θ̂ − ½ = 1/6 with variance 1/9, at or below which 15 are and at or above which 6.
#[test]
fn times_and_ranks_of_a_block_of_six() {
    let history = block(6);
    let event = [true, true, false, true, false, true];
    let times = TimesInOrder::new(&[1.0, 2.0, 2.0, 3.0, 5.0, 6.0], &event);
    let found = enumerated(
        &history,
        "aababb",
        &Scored::Times(times, Counted::default()),
    )
    .unwrap();
    near(found.statistic, 53.0 / 30.0 / (641.0f64 / 900.0).sqrt());
    near(found.upper, 1.0 / 20.0);
    near(found.lower, 1.0);
    near(found.p_value, 2.0 / 20.0);
    let ranked = Ranked::new(&[1.0, 4.0, 2.0, 2.0, 7.0, 9.0]);
    let ranks = Scored::Ranks(ranked, Counted::default());
    let found = enumerated(&history, "abbbaa", &ranks).unwrap();
    near(found.statistic, 0.5);
    near(found.upper, 6.0 / 20.0);
    near(found.lower, 15.0 / 20.0);
    near(found.p_value, 12.0 / 20.0);
    // Without an overlap there is no variance, and nothing is more extreme: 4, 7 and 9 are the treated ones.
    let found = enumerated(&history, "babbaa", &ranks).unwrap();
    near(found.upper, 1.0 / 20.0);
}

fn analysed(few: &Few) -> Analyses {
    let (protocol, state) = (&few.study.protocol, &few.study.state);
    let plan = Plan::registered(protocol, 1);
    let settings = RunSettings {
        lock: Some("final".to_owned()),
        ..RunSettings::default()
    };
    run(protocol, state, &plan, few.day.plus(LATE), &settings)
}

fn own(found: &Analyses) -> &AnalysisResult {
    found.analyses.iter().find(|own| own.id == "own").unwrap()
}

fn has(result: &AnalysisResult, code: &str) -> bool {
    result.warnings.iter().any(|own| own.code == code)
}

/// An analysis of an outcome that no other one has, with a rule for unknown outcomes.
fn plain(rule: &str) -> String {
    format!(
        "outcome = \"late\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = {rule}\n{}\n[[outcome]]\nid = \"late\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [1, 365]\n",
        estimand("risk-difference", "treatment-policy")
    )
}

const COMPLETE: &str = "{ primary = \"complete-case\" }";

/// Eight families in pairs (a stick of 1): 2⁴ allocations. All four treated ones leave the city, no control does: shares 1 and 0, and
/// without spread, so that the statistic is infinite; that happens in 1 of 16 allocations on each side, p 2/16.
#[test]
fn everyone_of_an_arm_is_unknown() {
    let text = plain(COMPLETE);
    let mut few = few(&text, 8);
    let gone = few.treated.clone();
    // Nobody is unknown, and there is no test.
    assert_eq!(own(&analysed(&few)).missingness, None);
    for family in gone {
        few.exit(family, Exit::LeftCoverage, 50);
    }
    let found = analysed(&few);
    let result = own(&found);
    let unknown = result.missingness.as_ref().unwrap();
    let counts: Vec<(u32, u32)> = unknown
        .arms
        .iter()
        .map(|own| (own.unknown, own.of))
        .collect();
    assert_eq!(counts, [(4, 4), (0, 4)]);
    let test = &unknown.tests[0];
    near(test.difference.unwrap(), 1.0);
    let figures = test.found.as_ref().unwrap();
    assert!(figures.exact);
    assert_eq!(figures.draws, 16);
    near(figures.p_value, 2.0 / 16.0);
    // Half of the outcomes are unknown, and no bounds are registered.
    assert!(has(result, "bounds-advised") && !has(result, "missingness-differs"));
    // Twelve families: 2⁶ allocations, p 2/64.
    let mut few = self::few(&text, 12);
    for family in few.treated.clone() {
        few.exit(family, Exit::LeftCoverage, 50);
    }
    let found = analysed(&few);
    let figures = own(&found).missingness.as_ref().unwrap().tests[0].clone();
    near(figures.found.unwrap().p_value, 2.0 / 64.0);
    assert!(has(own(&found), "missingness-differs") && has(own(&found), "bounds-advised"));
    // When everyone is unknown nothing varies: that is said, and is no p of 1.
    for family in few.control.clone() {
        few.exit(family, Exit::LeftCoverage, 50);
    }
    let found = analysed(&few);
    let test = own(&found).missingness.as_ref().unwrap().tests[0].clone();
    assert_eq!(test.found, Err(TestError::NoVariation));
    assert!(has(own(&found), "missingness-not-tested"));
}

/// Registered bounds are not advised; other rules are no bounds. One of eight is more than a tenth.
#[test]
fn bounds_that_are_registered_are_not_advised() {
    let weights =
        "{ primary = \"inverse-probability-of-censoring\", sensitivity = [\"complete-case\"] }";
    for (rule, advised) in [
        (COMPLETE, true),
        (weights, true),
        (
            "{ primary = \"complete-case\", sensitivity = [\"manski\"] }",
            false,
        ),
        (
            "{ primary = \"complete-case\", sensitivity = [\"lee\"] }",
            false,
        ),
    ] {
        let mut few = few(&plain(rule), 8);
        let gone = few.treated[1];
        few.exit(gone, Exit::LeftCoverage, 50);
        let found = analysed(&few);
        assert_eq!(has(own(&found), "bounds-advised"), advised, "{rule}");
    }
}

/// Eight families in pairs, whose characteristics are the same but for the age of the youngest child, 0 to 7: the test of balance of a
/// lock is that of this column over 2⁴ allocations.
#[test]
fn balance_stands_beside_the_baseline_table() {
    let few = few(&plain(COMPLETE), 8);
    let found = analysed(&few);
    let test = found.balance.test.clone().unwrap();
    assert_eq!(
        (test.characteristics, test.draws, test.exact),
        (1, 16, true)
    );
    let age = |family: &lottning::study::kernel::FamilyIx| {
        let own = few.study.state.family(*family).unwrap();
        own.values[1] as f64
    };
    let mean = |families: &[lottning::study::kernel::FamilyIx]| {
        families.iter().map(age).sum::<f64>() / families.len() as f64
    };
    // R² = (4·4/8)(x̄₁ − x̄₀)²/42, the squares of 0 to 7 about their mean being 42.
    let difference = mean(&few.treated) - mean(&few.control);
    near(test.statistic, 2.0 * difference * difference / 42.0);
    // Each pair gives ±1 to the difference of the sums, 0 to 7 in order: |d| is 4 in 2 of 16, 2 in 8 and 0 in 6.
    let p = match (4.0 * difference).abs().round() as i64 {
        4 => 2.0 / 16.0,
        2 => 10.0 / 16.0,
        _ => 1.0,
    };
    near(test.p_value, p);
    near(test.p_smallest, 2.0 / 16.0);
    // With 16 allocations nothing is rarer than 1%: that is said.
    assert_eq!(found.balance.warnings[0].code, "balance-not-tested");
}

/// Ten families in two blocks of 2:3, whose youngest children are 0, 1, 2, 3 and 9 in each: of 10² allocations, each as likely, the treated
/// four are oldest in one, 2·(3 + 9), 12 years above their 12, and nowhere 12 below. So the smallest p is 1/100, which no difference has
/// below 1%; a sum of 100 shares, each rounded, need not be 100 times as much as one of them.
#[test]
fn one_allocation_of_a_hundred_is_not_below_one_percent() {
    let text = with(&plain(COMPLETE));
    // No gate: all ten are drawn.
    let gate = text.find("[gate]").unwrap()..text.find("[exceptions]").unwrap();
    let text = text
        .replace(&text[gate], "")
        .replacen("ratio = 1\n", "ratio = 2\n", 1)
        .replacen("ratio = 1\n", "ratio = 3\n", 1)
        .replace("\"big-stick\"", "\"permuted-block\"")
        .replace("max_imbalance = 1", "block_len = 5");
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    for age in [0, 1, 2, 3, 9, 0, 1, 2, 3, 9] {
        study.enrol(day, 0, 1, &[2, age, 0]).unwrap();
    }
    let (treated, control) = (Vec::new(), Vec::new());
    let found = analysed(&Few {
        study,
        treated,
        control,
        day,
    });
    let test = found.balance.test.unwrap();
    assert_eq!(
        (test.characteristics, test.draws, test.exact),
        (1, 100, true)
    );
    assert_eq!(test.p_smallest.to_bits(), 0.01_f64.to_bits());
    let codes: Vec<&str> = found.balance.warnings.iter().map(|own| own.code).collect();
    assert_eq!(codes, ["balance-not-tested"]);
}

/// A registered test of times or ranks decides by redraws, and says that it has no interval by inversion.
#[test]
fn a_test_of_times_decides_by_redraws() {
    let text = format!(
        "outcome = \"rereport\"\nsummary = \"first-time\"\nestimator = \"log-rank\"\ntest = {{ kind = \"randomization\", draws = 999 }}\nmissing = {{ primary = \"censoring\" }}\n{}",
        estimand("test", "treatment-policy")
    );
    let mut few = few(&text, 8);
    for (place, day) in [(0, 10), (1, 20), (2, 30), (3, 40)] {
        let family = few.treated[place];
        few.report(family, day);
    }
    let found = analysed(&few);
    let result = own(&found);
    let test = result.test.as_ref().unwrap();
    // All treated families have a report before anyone else: of 16 allocations one is as extreme, p 2/16.
    assert!(test.exact);
    near(test.p_value, 2.0 / 16.0);
    assert_eq!((test.conf_low, test.conf_high), (None, None));
    assert!(has(result, "test-without-interval"));
    assert_eq!(result.deciding_p(), Some(test.p_value));
}

/// By law: over all 70 allocations of a block of eight, each as likely, the two-sided p of times and of ranks is at most any a with
/// probability at most a; and for some a with just that, or it would be a test of nothing.
#[test]
fn the_size_of_tests_of_times_and_ranks_is_kept_exactly() {
    let history = block(8);
    let enumeration = history.enumerate(100).unwrap();
    let event = [true, true, false, true, true, false, true, true];
    let days = [1.0, 2.0, 2.0, 3.0, 5.0, 6.0, 6.0, 9.0];
    let times = Scored::Times(TimesInOrder::new(&days, &event), Counted::default());
    let ranked = Ranked::new(&[1.0, 4.0, 2.0, 2.0, 7.0, 9.0, 4.0, 3.0]);
    for statistic in [times, Scored::Ranks(ranked, Counted::default())] {
        let mut all = Vec::new();
        let mut sequence = Vec::new();
        for number in 0..enumeration.total() {
            enumeration.sequence(number, &mut sequence);
            let found = exact(&history, &enumeration, &sequence, &statistic).unwrap();
            all.push(found.p_value);
        }
        let at_most = |a: f64| all.iter().filter(|own| **own <= a + 1e-12).count() as f64 / 70.0;
        assert!(all.iter().all(|p| at_most(*p) <= p + 1e-12));
        let smallest = all.iter().copied().fold(1.0, f64::min);
        near(at_most(smallest), smallest);
    }
}
