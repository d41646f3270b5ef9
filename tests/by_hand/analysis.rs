//! The randomization test, site merging, missing outcomes and words on cases that can be written out.

use crate::made_up::{IUH, Study, protocol};
use lottning::allocation::{Arm, Design, Options, choose, read_ratio};
use lottning::analysis::covariates::SiteGroups;
use lottning::analysis::randomization::{Statistic, TestError, TestFigures, exact, monte_carlo};
use lottning::analysis::reference_set::History;
use lottning::analysis::results::{AnalysisResult, BaselineCell};
use lottning::analysis::{Plan, RunSettings, baseline, conclusion, run};
use lottning::diagnostic::Words;
use lottning::estimation::Arm as Side;
use lottning::estimation::lin_statistic::LinStatistic;
use lottning::protocol::Protocol;
use lottning::protocol::model::{Day, Exit, Missing, Role, Service};
use lottning::study::kernel::{Command, FamilyIx, What};
use std::sync::{Arc, Mutex};

fn design(method: &str, ratio: &str, options: &[(&str, &str)]) -> Arc<dyn Design> {
    choose(
        method,
        &read_ratio(ratio).unwrap(),
        &Options::of(options),
        None,
    )
    .unwrap()
    .into()
}

/// The first arm is treated.
fn arms(text: &str) -> Vec<Arm> {
    text.bytes().map(|letter| Arm(letter - b'a')).collect()
}

/// `lin` over its HC2 standard error.
#[derive(Clone)]
struct Studentized(LinStatistic);

impl Statistic for Studentized {
    fn value(&mut self, arms: &[Arm]) -> Option<f64> {
        let side = |arm: &Arm| {
            if arm.0 == 0 {
                Side::Treated
            } else {
                Side::Control
            }
        };
        let sides: Vec<Side> = arms.iter().map(side).collect();
        self.0.evaluate(&sides).ok()?.statistic()
    }
}

/// The difference of means.
#[derive(Clone)]
struct Difference(Vec<f64>);

impl Statistic for Difference {
    fn value(&mut self, arms: &[Arm]) -> Option<f64> {
        let mean = |which: u8| {
            let of: Vec<f64> = arms
                .iter()
                .zip(&self.0)
                .filter(|(arm, _)| arm.0 == which)
                .map(|(_, y)| *y)
                .collect();
            (!of.is_empty()).then(|| of.iter().sum::<f64>() / of.len() as f64)
        };
        Some(mean(0)? - mean(1)?)
    }
}

fn enumerated(history: &History, observed: &str, statistic: &impl Statistic) -> TestFigures {
    let enumeration = history.enumerate(200_000).unwrap();
    exact(history, &enumeration, &arms(observed), statistic).unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

#[test]
fn four_against_eight() {
    // y treated (1,4,2,8), control (5,7,3,9,10,12,6,11): of the C(12,4) = 495 equally likely choices 20 have a Welch t
    // at or below the observed −2.16633… and 476 at or above it (counted in rational arithmetic, Python 3, fractions).
    let y = [1., 4., 2., 8., 5., 7., 3., 9., 10., 12., 6., 11.];
    let block = design("permuted-block", "1:2", &[("block_len", "12")]);
    let history = History::new(vec![0; 12], vec![block]).unwrap();
    let found = enumerated(
        &history,
        "aaaabbbbbbbb",
        &Studentized(LinStatistic::new(&[], &y)),
    );
    assert_eq!(found.draws, 495);
    near(found.lower, 20.0 / 495.0);
    near(found.upper, 476.0 / 495.0);
    near(found.p_value, 40.0 / 495.0);
    // −4.125 / 1.9041386629 (R 4.2.2).
    assert!((found.statistic - -4.125 / 1.904_138_662_9).abs() < 1e-9);
}

#[test]
fn two_blocks_of_six() {
    // R 4.2.2: of C(6,2)·C(6,3) = 300 sequences 39 have a studentized difference at or above the observed; doubled 78.
    let y = [5., 7., 6., 9., 4., 3., 8., 10., 12., 11., 2., 6.];
    let second: Vec<f64> = (0..12).map(|row| f64::from(u8::from(row >= 6))).collect();
    let lists = (0..12).map(|row| u32::from(row >= 6)).collect();
    let history = History::new(
        lists,
        vec![
            design("permuted-block", "1:2", &[("block_len", "6")]),
            design("permuted-block", "1:1", &[("block_len", "6")]),
        ],
    )
    .unwrap();
    let statistic = Studentized(LinStatistic::new(&second, &y));
    let found = enumerated(&history, "aabbbbaaabbb", &statistic);
    assert_eq!(found.draws, 300);
    near(found.upper, 39.0 / 300.0);
    near(found.p_value, 78.0 / 300.0);
    // 25/12 over 1.64780999444 (R 4.2.2, `estimatr::lm_lin`).
    assert!((found.statistic - 25.0 / 12.0 / 1.647_809_994_44).abs() < 1e-9);
    // Unstudentized: 41 at or above, 261 at or below (R 4.2.2).
    let weighted = |arms: &[Arm]| -> Option<f64> {
        let part =
            |rows: std::ops::Range<usize>| Difference(y[rows.clone()].to_vec()).value(&arms[rows]);
        Some(f64::midpoint(part(0..6)?, part(6..12)?))
    };
    let found = enumerated(&history, "aabbbbaaabbb", &By(weighted));
    near(found.upper, 41.0 / 300.0);
    near(found.lower, 261.0 / 300.0);
    // In size: 80 without and 77 with studentization (R 4.2.2).
    let found = enumerated(
        &history,
        "aabbbbaaabbb",
        &By(move |arms: &[Arm]| weighted(arms).map(f64::abs)),
    );
    near(found.upper, 80.0 / 300.0);
    let size = move |arms: &[Arm]| statistic.clone().value(arms).map(f64::abs);
    let found = enumerated(&history, "aabbbbaaabbb", &By(size));
    near(found.upper, 77.0 / 300.0);
}

#[derive(Clone)]
struct By<F>(F);

impl<F: Fn(&[Arm]) -> Option<f64> + Clone + Send + Sync> Statistic for By<F> {
    fn value(&mut self, arms: &[Arm]) -> Option<f64> {
        (self.0)(arms)
    }
}

#[test]
fn the_sleep_data_in_pairs() {
    // Extra sleep of ten patients on two drugs (Student 1908): within pairs 4 of the 2^10 sequences are as extreme
    // (R 4.2.2: .00390625).
    let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    let y: Vec<f64> = first
        .iter()
        .zip(&second)
        .flat_map(|(a, b)| [*b, *a])
        .collect();
    let pair = design("permuted-block", "1:1", &[("block_len", "2")]);
    let lists = (0..20).map(|row| row / 2).collect();
    let history = History::new(lists, vec![pair; 10]).unwrap();
    let found = enumerated(&history, &"ab".repeat(10), &Difference(y));
    assert_eq!(found.draws, 1024);
    near(found.p_value, 4.0 / 1024.0);
}

#[test]
fn sequences_weigh_what_the_design_gives_them() {
    let chance = |method: &str, ratio: &str, options: &[(&str, &str)], n: usize, wanted: &str| {
        let history = History::new(vec![0; n], vec![design(method, ratio, options)]).unwrap();
        let enumeration = history.enumerate(1000).unwrap();
        let mut drawn = Vec::new();
        (0..enumeration.total())
            .map(|number| (enumeration.sequence(number, &mut drawn), drawn.clone()))
            .filter(|(_, drawn)| *drawn == arms(wanted))
            .map(|(chance, _)| chance)
            .sum::<f64>()
    };
    // simple 2:1: the product of 2/3 and 1/3.
    near(chance("simple", "2:1", &[], 2, "aa"), 4.0 / 9.0);
    near(chance("simple", "2:1", &[], 2, "ab"), 2.0 / 9.0);
    // A stick of 1: a coin, then the other arm for sure, then a coin.
    let stick = [("max_imbalance", "1")];
    near(chance("big-stick", "1:1", &stick, 3, "aba"), 0.25);
    near(chance("big-stick", "1:1", &stick, 3, "aab"), 0.0);
    // Blocks of 2 or 4, a coin decides: aa is ½·0 + ½·(½·⅓), ab is ½·½ + ½·(½·⅔).
    let lengths = [("block_lens", "2,4")];
    near(
        chance("permuted-block", "1:1", &lengths, 2, "aa"),
        1.0 / 12.0,
    );
    near(
        chance("permuted-block", "1:1", &lengths, 2, "ab"),
        5.0 / 12.0,
    );
}

#[test]
fn a_weighted_tail() {
    // simple 2:1, two families with y = 3 and 1, observed ab: difference 2. aa and bb have no difference and count in
    // both tails. Upper: ab 2/9 + aa 4/9 + bb 1/9 = 7/9. Lower: all but nothing: ab, ba, aa, bb = 1. p = 1.
    let history = History::new(vec![0; 2], vec![design("simple", "2:1", &[])]).unwrap();
    let found = enumerated(&history, "ab", &Difference(vec![3.0, 1.0]));
    near(found.upper, 7.0 / 9.0);
    near(found.lower, 1.0);
    near(found.p_value, 1.0);
    assert_eq!((found.draws, found.failed), (4, 2));
}

/// The difference of means, and every value that was asked for.
#[derive(Clone)]
struct Watched(Difference, Arc<Mutex<Vec<Option<f64>>>>);

impl Statistic for Watched {
    fn value(&mut self, arms: &[Arm]) -> Option<f64> {
        let value = self.0.value(arms);
        self.1.lock().unwrap().push(value);
        value
    }
}

/// By the definition: per tail (1 + b)/(1 + R), a redraw without a statistic in both tails, p twice the smaller tail, its
/// error 2·√(q(1−q)/R). Four coins give one arm alone in 1 of 8 redraws, which has no difference of means.
#[test]
fn tails_of_redraws_count_the_observed_one() {
    let history = History::new(vec![0; 4], vec![design("simple", "1:1", &[])]).unwrap();
    let watched = Watched(Difference(vec![1.0, 2.0, 4.0, 8.0]), Arc::default());
    let found = monte_carlo(&history, &arms("abbb"), &watched, &[3; 32], 39).unwrap();
    let values = watched.1.lock().unwrap().clone();
    assert_eq!(values.len(), 40); // the observed one and 39 redraws
    let observed = 1.0 - 14.0 / 3.0;
    near(found.statistic, observed);
    // One of the values is the observed one itself: the 1 of 1 + b.
    let tail = |inside: &dyn Fn(f64) -> bool| {
        let count = values.iter().filter(|value| value.is_none_or(inside));
        count.count() as f64 / 40.0
    };
    let upper = tail(&|value| value > observed - 1e-6);
    let lower = tail(&|value| value < observed + 1e-6);
    near(found.upper, upper);
    near(found.lower, lower);
    let q = upper.min(lower);
    near(found.p_value, (2.0 * q).min(1.0));
    near(found.mcse, 2.0 * (q * (1.0 - q) / 39.0).sqrt());
    let failed = values.iter().filter(|value| value.is_none()).count();
    assert_eq!((found.failed, found.draws), (failed as u64, 39));
    assert!(!found.exact);
}

#[test]
fn what_cannot_have_been_drawn_is_no_test() {
    let block = || design("permuted-block", "1:1", &[("block_len", "2")]);
    let history = History::new(vec![0; 4], vec![block()]).unwrap();
    let enumeration = history.enumerate(1000).unwrap();
    let test = |observed: &str, y: &[f64]| {
        exact(
            &history,
            &enumeration,
            &arms(observed),
            &Difference(y.to_vec()),
        )
        .unwrap_err()
    };
    // The fourth of aba? must be b.
    assert_eq!(
        test("abaa", &[1., 2., 3., 4.]),
        TestError::NotInSupport { allocation: 4 }
    );
    assert_eq!(test("abab", &[1.; 4]), TestError::NoVariation);
    assert_eq!(test("aba", &[1.; 4]), TestError::UnequalLengths);
    // A hidden block length: after aab a block of 2 is impossible, a block of 4 is not; aaa is impossible for both.
    let hidden = design("permuted-block", "1:1", &[("block_lens", "2,4")]);
    let history = History::new(vec![0; 3], vec![hidden]).unwrap();
    assert_eq!(history.impossible(&arms("aab")), None);
    assert_eq!(history.impossible(&arms("aaa")), Some(2));
}

#[test]
fn too_many_sequences_are_not_enumerated() {
    // Two lists of ten coins are 2^20 sequences; of eight, 2^16 = 65,536.
    let coin = || design("simple", "1:1", &[]);
    let lists = |n: u32| (0..2 * n).map(|k| k % 2).collect::<Vec<u32>>();
    let two = |n| History::new(lists(n), vec![coin(), coin()]).unwrap();
    assert!(two(10).enumerate(100_000).is_none());
    assert_eq!(two(8).enumerate(100_000).unwrap().total(), 65_536);
    assert!(History::new(vec![1], vec![coin()]).is_none());
}

#[test]
fn small_sites_merge_into_the_next() {
    let grouped = |cells: &[u32]| {
        let mut groups = SiteGroups::default();
        groups.realize(cells, 2);
        (0..cells.len() / 2)
            .map(|site| groups.of(site).map_or(-1, i32::from))
            .collect::<Vec<_>>()
    };
    // All cells hold.
    assert_eq!(grouped(&[5, 5, 9, 5, 7, 8]), [0, 1, 2]);
    // The first is small (4): into the second.
    assert_eq!(grouped(&[4, 9, 9, 5, 7, 8]), [0, 0, 1]);
    // The last is small: into the one before.
    assert_eq!(grouped(&[5, 5, 9, 5, 7, 2]), [0, 1, 1]);
    // 2+2 = 4 is still small after the first step, so the two go into the third.
    assert_eq!(grouped(&[2, 9, 2, 9, 7, 8, 6, 6]), [0, 0, 0, 1]);
    // Nothing holds: one group is left, and no indicator.
    assert_eq!(grouped(&[1, 1, 1, 1, 1, 1]), [0, 0, 0]);
    // A site without families is absent and in nobody's way.
    assert_eq!(grouped(&[5, 5, 0, 0, 7, 8]), [0, -1, 1]);
}

/// Four families on one day, two in each arm: the protocol's method is a stick of 1 at one site.
fn four() -> (Study, Vec<FamilyIx>) {
    let text = IUH.replace("max_imbalance = 4", "max_imbalance = 1");
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    let families = (0..4)
        .map(|k| study.enrol(day, 0, 1, &[2 + k, 4 * k, k]).unwrap().0)
        .collect();
    (study, families)
}

fn of(study: &Study, family: FamilyIx) -> usize {
    study.state.family(family).unwrap().arm.index()
}

#[test]
fn unknown_outcomes_follow_the_registered_rule() {
    let (mut study, families) = four();
    let day = study.protocol.first_opening();
    let late = day.plus(400);
    // 0 left coverage on day 100 after accepting and starting; 1 left before anything; 2 died on day 50 after a report;
    // 3 was followed with a report on day 30.
    study.serve(families[0], Service::Accepted, day.plus(10), late);
    study.serve(families[0], Service::Started, day.plus(20), late);
    let exit = |exit, family: usize, on| {
        let (family, on) = (families[family], day.plus(on));
        Command::Record(What::Exited { family, exit, on })
    };
    study.command(late, &exit(Exit::LeftCoverage, 0, 100));
    study.command(late, &exit(Exit::LeftCoverage, 1, 100));
    study.report(families[2], day.plus(20), late);
    study.command(late, &exit(Exit::Death, 2, 50));
    study.report(families[3], day.plus(30), late);
    let (protocol, state) = (&study.protocol, &study.state);
    let found = run(
        protocol,
        state,
        &Plan::registered(protocol, 1),
        late,
        &RunSettings::default(),
    );
    let total = |analysis: &AnalysisResult,
                 count: fn(&lottning::analysis::results::ArmOutcome) -> u32| {
        analysis.arms.iter().map(count).sum::<u32>()
    };
    // Known: the two who left are not known; the death ended the count and its report stands.
    let primary = &found.analyses[0];
    assert_eq!(primary.missing_rule, Missing::CensoringWeights);
    assert_eq!(total(primary, |arm| arm.analysed), 2);
    assert_eq!(total(primary, |arm| arm.missing), 2);
    assert_eq!(total(primary, |arm| arm.events.unwrap()), 2);
    // not-accepted: nobody is left out; the one who had started counts as started, the other as not.
    let acceptance = &found.analyses[1];
    assert_eq!(total(acceptance, |arm| arm.analysed), 4);
    assert_eq!(total(acceptance, |arm| arm.missing), 0);
    assert_eq!(total(acceptance, |arm| arm.by_rule), 2);
    assert_eq!(acceptance.arms[of(&study, families[0])].events, Some(1));
    assert_eq!(total(acceptance, |arm| arm.events.unwrap()), 1);
    // At a cut on day 40 no window has ended: nobody is analysed, whatever the rule, and everybody is counted.
    let early = day.plus(40);
    let found = run(
        protocol,
        state,
        &Plan::registered(protocol, 1),
        early,
        &RunSettings::default(),
    );
    for analysis in &found.analyses[..2] {
        assert_eq!(total(analysis, |arm| arm.not_yet), 4);
        assert_eq!(total(analysis, |arm| arm.analysed), 0);
        assert_eq!(analysis.results[0].estimate, None);
        assert!(analysis.test.is_none());
        assert!(
            analysis
                .warnings
                .iter()
                .any(|warning| warning.code == "window-not-ended")
        );
        assert!(
            analysis
                .conclusion
                .en
                .contains("compatible with any difference")
        );
    }
}

#[test]
fn the_baseline_of_four_families() {
    let (study, families) = four();
    let found = baseline(&study.protocol, &study.state, Day(22_000));
    assert_eq!(found.families, [2, 2]);
    // earlier_reports are 2, 3, 4, 5 in the order of arrival; those of an arm are a and b: mean (a+b)/2, standard
    // deviation |a−b|/√2, median the mean, quartiles (type 7) a quarter of the way in.
    for arm in 0..2 {
        let own: Vec<f64> = (0..4)
            .filter(|k| of(&study, families[*k]) == arm)
            .map(|k| 2.0 + k as f64)
            .collect();
        let BaselineCell::Number {
            n,
            mean,
            sd,
            median,
            quartiles,
            missing,
        } = found.rows[0].arms[arm].clone()
        else {
            panic!("a count is a number");
        };
        assert_eq!((n, missing), (2, 0));
        near(mean, f64::midpoint(own[0], own[1]));
        near(median, mean);
        near(sd, (own[1] - own[0]) / 2f64.sqrt());
        near(quartiles.0, own[0] + 0.25 * (own[1] - own[0]));
        near(quartiles.1, own[0] + 0.75 * (own[1] - own[0]));
    }
    // Every category but the last was seen once: 1 of 2 in one arm, 0 of 2 in the other; p(1−p) is ¼ and 0, so the
    // standardized difference is ±½ / √(⅛) = ±√2. The last was never seen: undefined.
    let category: Vec<_> = found
        .rows
        .iter()
        .filter(|row| row.label.en == "Category of the report")
        .collect();
    assert_eq!(category.len(), 5);
    near(category[0].smd.unwrap().abs(), 2f64.sqrt());
    assert_eq!(category[4].smd, None);
    // All four came to the first site: no spread, no standardized difference.
    let site = found
        .rows
        .iter()
        .find(|row| row.label.en == "Site")
        .unwrap();
    assert_eq!(site.arms[0], BaselineCell::Share { count: 2, of: 2 });
    assert_eq!(site.smd, None);
}

/// A result with an interval, to be worded.
fn result(protocol: &Protocol, limits: Option<(f64, f64)>, p: Option<f64>) -> AnalysisResult {
    let (study, _) = four();
    let plan = Plan::registered(protocol, 1);
    let found = run(
        protocol,
        &study.state,
        &plan,
        Day(22_000),
        &RunSettings::default(),
    );
    let mut result = found.analyses[0].clone();
    let row = &mut result.results[0];
    row.conf_low = limits.map(|(low, _)| low);
    row.conf_high = limits.map(|(_, high)| high);
    row.estimate = limits.map(|(low, high)| f64::midpoint(low, high));
    row.p_value = p;
    result.refused = None;
    result.test = None;
    result.test_registered = false;
    result.p_adjusted = None;
    result.role = Role::Primary;
    result
}

fn words(limits: Option<(f64, f64)>, p: Option<f64>) -> Words {
    let protocol = protocol(IUH);
    let analysis = &protocol.analyses[0];
    conclusion(
        &protocol,
        analysis,
        Arm(0),
        &result(&protocol, limits, p),
        false,
    )
}

#[test]
fn a_conclusion_speaks_of_families() {
    let found = words(Some((-0.14, 0.03)), Some(0.2));
    assert_eq!(
        found.en,
        "Per 100 families, the result is compatible with between 14 fewer and 3 more with the outcome “New report of concern within 12 months” among families allocated to Intensified home investigation than among those allocated to Standard handling. Best estimate: 6 fewer. The estimator's own test leaves the direction open (p = 0.200, limit 0.05)."
    );
    assert_eq!(
        found.sv,
        "Per 100 familjer är resultatet förenligt med mellan 14 färre och 3 fler med utfallet ”Ny orosanmälan inom 12 månader” bland familjer lottade till Intensifierad utredning i hemmiljö än bland dem lottade till Sedvanlig handläggning. Bästa skattning: 6 färre. Skattningsmetodens eget test lämnar riktningen öppen (p = 0,200, gräns 0,05)."
    );
    let says = |limits, p, en: &str, sv: &str| {
        let found = words(Some(limits), Some(p));
        assert!(found.en.contains(en), "{}", found.en);
        assert!(found.sv.contains(sv), "{}", found.sv);
    };
    says(
        (-0.14, -0.03),
        0.01,
        "between 14 and 3 fewer",
        "mellan 14 och 3 färre",
    );
    says(
        (-0.14, -0.03),
        0.01,
        "speaks for fewer (p = 0.010, limit 0.05)",
        "talar för färre (p = 0,010, gräns 0,05)",
    );
    says(
        (0.03, 0.14),
        0.01,
        "between 3 and 14 more",
        "mellan 3 och 14 fler",
    );
    // No limit is rounded away, and no more than all families are fewer.
    says(
        (-0.14, 0.003),
        0.06,
        "between 14.0 fewer and 0.3 more",
        "mellan 14,0 färre och 0,3 fler",
    );
    says(
        (-1.3, 0.2),
        0.06,
        "between 100 fewer and 20 more",
        "mellan 100 färre och 20 fler",
    );
    says(
        (-0.14, 0.0),
        0.06,
        "between 14 fewer and equally many",
        "mellan 14 färre och lika många",
    );
    // A p is never rounded across its limit.
    says((-0.14, 0.01), 0.050_4, "p = 0.0504", "p = 0,0504");
    says((-0.14, -0.01), 0.000_2, "p < 0.001", "p < 0,001");
    let found = words(None, None);
    let alone =
        "The data give no interval; which differences they are compatible with is not said here.";
    assert!(found.en.starts_with(alone), "{}", found.en);
    assert!(found.sv.contains("förenliga med"), "{}", found.sv);
}

/// With several arms it is said of which there is no interval.
#[test]
fn a_conclusion_without_an_interval_names_the_arms() {
    let text = IUH
        .replace(
            "[unit]\n",
            "[[arm]]\nid = \"network\"\nlabel = { sv = \"Nätverk\", en = \"Network\" }\nratio = 1\n\n[unit]\n",
        )
        .replace("method = \"big-stick\"", "method = \"simple\"")
        .replace("max_imbalance = 4\n", "");
    let three = protocol(&text);
    let network = three.arm("network").unwrap();
    let mut own = result(&protocol(IUH), None, None);
    let said = |own: &AnalysisResult| conclusion(&three, &three.analyses[0], network, own, false);
    let found = said(&own);
    let en = "The data give no interval for Network compared with Standard handling; which differences they";
    let sv = "Data ger inget intervall för Nätverk jämfört med Sedvanlig handläggning; vilka skillnader de";
    assert!(found.en.starts_with(en), "{}", found.en);
    assert!(found.sv.starts_with(sv), "{}", found.sv);
    own.refused = Some(Words::new("for a reason", "av ett skäl"));
    let found = said(&own);
    let en = "The method `lin` gives no answer for Network compared with Standard handling from these data: for a reason.";
    let sv = "Metoden `lin` ger inget svar för Nätverk jämfört med Sedvanlig handläggning utifrån dessa data: av ett skäl.";
    assert!(found.en.starts_with(en), "{}", found.en);
    assert!(found.sv.starts_with(sv), "{}", found.sv);
}
