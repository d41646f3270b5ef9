//! Laws of running a registered plan.

use crate::made_up::{IUH, LAST, Study, protocol, study};
use lottning::allocation::Arm;
use lottning::analysis::randomization::{
    Statistic, TestFigures, decide_here, exact, monte_carlo, monte_carlo_here,
};
use lottning::analysis::reference_set::{History, Redrawer, test_key};
use lottning::analysis::results::{Analyses, AnalysisResult};
use lottning::analysis::{Plan, RunSettings, Workspace, conclusion, dry_run, run};
use lottning::estimation::lin_statistic::LinStatistic;
use lottning::estimation::{Arm as Side, Columns, Covariate, Factor, Labels, Settings, estimate};
use lottning::protocol::Protocol;
use lottning::protocol::model::{Covariate as Registered, Role, Summary};
use lottning::study::dataset::{self, OutcomeValue};
use lottning::study::kernel::State;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

fn everything(study: &Study) -> Analyses {
    let plan = Plan::registered(&study.protocol, 1);
    run(
        &study.protocol,
        &study.state,
        &plan,
        LAST,
        &RunSettings::default(),
    )
}

/// The protocol without a gate: admission does not depend on earlier arms.
fn ungated() -> Protocol {
    let start = IUH.find("[gate]").unwrap();
    let end = IUH.find("[exceptions]").unwrap();
    let text = format!("{}{}", &IUH[..start], &IUH[end..]);
    protocol(&text.replace("families_per_therapist = 3", ""))
}

#[test]
fn the_light_path_and_the_full_path_give_the_same_numbers() {
    let study = study(protocol(IUH), 330, 1);
    let (protocol, state) = (&study.protocol, &study.state);
    let plan = Plan::registered(protocol, 1);
    let mut effects = Vec::new();
    let mut workspace = Workspace::default();
    // A workspace that has seen another study gives the same.
    let other = crate::made_up::study(protocol.clone(), 60, 2);
    plan.effects(protocol, &other.state, LAST, &mut workspace, &mut effects);
    plan.effects(protocol, state, LAST, &mut workspace, &mut effects);
    let full = everything(&study);
    assert_eq!(effects.len(), 3);
    for (light, full) in effects.iter().zip(&full.analyses) {
        let light = light.as_ref().unwrap();
        let row = &full.results[0];
        assert_eq!(Some(light.estimate), row.estimate);
        assert_eq!(Some(light.std_error), row.std_error);
        assert_eq!(light.statistic, row.statistic);
        assert_eq!(light.df, row.df);
        assert_eq!(light.p_value, row.p_value);
        assert_eq!(
            (light.conf_low, light.conf_high),
            (row.conf_low, row.conf_high)
        );
        assert_eq!(light.n_treated as usize, row.n_treated);
    }
    let test = full.analyses[0].test.as_ref().unwrap();
    let key = test_key(protocol, "primary", 1);
    let here = plan
        .test_here(
            (protocol, state, LAST),
            0,
            (&key, test.draws),
            &mut workspace,
        )
        .unwrap();
    assert_eq!((here.p_value, here.failed), (test.p_value, test.failed));
}

/// The same analysis through the columns of `lottning estimate`, whose `lin` is held against R.
#[test]
fn the_registered_lin_is_the_lin_of_estimate() {
    let study = study(protocol(IUH), 200, 4);
    let (protocol, state) = (&study.protocol, &study.state);
    let mut units = Vec::new();
    dataset::units(state, LAST, &mut units);
    let family = |unit: &dataset::Unit| state.family(unit.family).unwrap();
    let site = Factor::from_texts(
        "site",
        units
            .iter()
            .map(|unit| Some(protocol.sites[unit.site].id.as_str())),
    );
    let numeric = |name: &str, value: &dyn Fn(&dataset::Unit) -> f64| {
        Covariate::numeric(name, units.iter().map(|unit| Some(value(unit))).collect())
    };
    let columns = Columns {
        labels: Labels::default(),
        arm: units
            .iter()
            .map(|unit| {
                if unit.arm == protocol.control {
                    Side::Control
                } else {
                    Side::Treated
                }
            })
            .collect(),
        outcome: units
            .iter()
            .map(|unit| {
                match dataset::outcome(protocol, state, LAST, unit.family, 0, Summary::Any) {
                    OutcomeValue::Known(y) => Some(y),
                    OutcomeValue::Unknown(_) | OutcomeValue::NotYet => None,
                }
            })
            .collect(),
        covariates: vec![
            Covariate::factor(site),
            numeric("earlier_reports", &|unit| family(unit).values[0] as f64),
            numeric("youngest_age", &|unit| family(unit).values[1] as f64),
            numeric("months_since_start", &|unit| unit.months_since_start),
        ],
        ..Columns::default()
    };
    let answer = estimate("lin", &columns, &Settings::default()).unwrap();
    let expected = answer.effect().unwrap();
    let found = everything(&study);
    let row = &found.analyses[0].results[0];
    let near = |found: Option<f64>, expected: Option<f64>| {
        assert!(
            (found.unwrap() - expected.unwrap()).abs() < 1e-10,
            "{found:?} {expected:?}"
        );
    };
    near(row.estimate, expected.estimate);
    near(row.std_error, expected.std_error);
    near(row.p_value, expected.p_value);
    near(row.conf_low, expected.conf_low);
    assert!((row.df.unwrap() - expected.df.unwrap()).abs() < 1e-7);
    assert_eq!(row.n_treated, expected.n_treated);
}

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

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

#[test]
fn the_test_does_not_depend_on_threads_and_agrees_with_enumeration() {
    // Fourteen families of a study without a gate, in five strata of their own: few enough to enumerate.
    let study = study(ungated(), 14, 11);
    let history = History::of(&study.protocol, &study.state);
    let arms: Vec<Arm> = study.state.allocations.iter().map(|own| own.arm).collect();
    let y: Vec<f64> = (0..14)
        .map(|k| f64::from(k * k % 11) + 0.1 * f64::from(k))
        .collect();
    let statistic = Studentized(LinStatistic::new(&[], &y));
    let key = [7; 32];
    let draw = |threads: usize, draws: u64| -> TestFigures {
        pool(threads)
            .install(|| monte_carlo(&history, &arms, &statistic, &key, draws))
            .unwrap()
    };
    let one = draw(1, 20_000);
    for threads in [2, 3, 7] {
        assert_eq!(one, draw(threads, 20_000));
    }
    let here = monte_carlo_here(
        &history,
        &arms,
        &mut statistic.clone(),
        (&key, 20_000),
        (&mut Redrawer::default(), &mut Vec::new()),
    );
    assert_eq!(one, here.unwrap());
    let enumeration = history.enumerate(100_000).unwrap();
    let all = |threads: usize| {
        pool(threads)
            .install(|| exact(&history, &enumeration, &arms, &statistic))
            .unwrap()
    };
    let truth = all(1);
    for threads in [2, 3, 7] {
        assert_eq!(truth, all(threads));
    }
    assert!(truth.exact && truth.mcse.abs() < f64::EPSILON);
    for (found, exact) in [(one.upper, truth.upper), (one.lower, truth.lower)] {
        let mcse = (exact * (1.0 - exact) / 20_000.0).sqrt();
        // (1 + b)/(1 + R) moves a tail by less than 1/R.
        assert!(
            (found - exact).abs() < 4.0 * mcse + 1.0 / 20_000.0,
            "{found} {exact}"
        );
    }
    assert!((one.p_value - truth.p_value).abs() < 4.0 * one.mcse + 1e-4);
}

/// The estimator of the registry too, redrawn and enumerated: every number of the answer, to the bit.
#[test]
fn the_estimator_does_not_depend_on_threads() {
    let names = ["a", "b", "c"];
    for (n, exact) in [(90, false), (15, true)] {
        let columns = Columns {
            arm: (0..n)
                .map(|i| {
                    if i * 3 % 7 < 3 {
                        Side::Treated
                    } else {
                        Side::Control
                    }
                })
                .collect(),
            outcome: (0..n).map(|i| Some(f64::from(i * i % 13) + 0.1)).collect(),
            strata: vec![Factor::from_texts(
                "site",
                (0..n).map(|i| Some(names[i as usize % 3])),
            )],
            ..Columns::default()
        };
        let settings = Settings {
            draws: (!exact).then_some(3_000),
            ..Settings::default()
        };
        let answer = |threads: usize| {
            let run = || estimate("randomization-test", &columns, &settings).unwrap();
            pool(threads).install(run)
        };
        let one = answer(1);
        assert_eq!(one.results[0].extra["exact"], exact);
        for threads in [2, 3, 7] {
            assert_eq!(format!("{one:?}"), format!("{:?}", answer(threads)));
        }
    }
}

#[test]
fn a_run_repeats_and_enumerates_where_it_can() {
    let study = study(ungated(), 14, 12);
    let (first, second) = (everything(&study), everything(&study));
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    let primary = &first.analyses[0];
    assert!(
        primary
            .test
            .as_ref()
            .is_none_or(|test| test.exact && test.approximate.is_none())
    );
    let codes: Vec<&str> = primary
        .warnings
        .iter()
        .map(|warning| warning.code)
        .collect();
    assert!(
        codes.contains(&"small-arm") && codes.contains(&"many-covariates"),
        "{codes:?}"
    );
    // Few families at five sites: the sites merge, and it is said.
    assert!(
        primary
            .deviations
            .iter()
            .any(|own| own.code.starts_with("site-"))
    );
    let large = everything(&crate::made_up::study(protocol(IUH), 200, 3));
    let test = large.analyses[0].test.as_ref().unwrap();
    assert!(!test.exact && test.approximate.is_some() && test.draws == 10_000);
    assert_eq!(large.analyses[0].covariates[0], "site");
}

/// A state with the other arm for every family.
fn flipped(protocol: &Protocol, state: &State) -> State {
    let mut other = state.clone();
    let flip = |arm: Arm| Arm((usize::from(arm.0 == 0)) as u8);
    assert_eq!(protocol.arms.len(), 2);
    for allocated in &mut other.allocations {
        allocated.arm = flip(allocated.arm);
        let family = &mut other.families[allocated.family.0 as usize];
        family.arm = flip(family.arm);
        family.service = flip(family.service);
    }
    other
}

#[test]
fn a_dry_run_knows_nothing_of_the_true_arms() {
    let study = study(protocol(IUH), 120, 21);
    let (protocol, state) = (&study.protocol, &study.state);
    let other = flipped(protocol, state);
    assert_ne!(state.allocations, other.allocations);
    let (one, two) = (dry_run(protocol, state), dry_run(protocol, &other));
    assert_eq!(one.allocations, two.allocations);
    assert_eq!(one.families, two.families);
    assert_eq!(one.sites, two.sites);
    let results = |state: &State| {
        let plan = Plan::everything(protocol);
        let settings = RunSettings {
            dry_run: true,
            ..RunSettings::default()
        };
        let found = run(protocol, state, &plan, LAST, &settings);
        let flow = lottning::study::flow::flow(protocol, state, LAST);
        format!("{found:?} {flow:?}")
    };
    assert_eq!(results(&one), results(&two));
    // And the redrawn arms are not the true ones: with 120 families they agree on about half.
    let same = state
        .allocations
        .iter()
        .zip(&one.allocations)
        .filter(|(own, redrawn)| own.arm == redrawn.arm)
        .count();
    assert!((30..=90).contains(&same), "{same}");
    // A dry run of more families begins with the same arms: what a person saw earlier stays as it was.
    let mut shorter = state.clone();
    shorter.allocations.truncate(50);
    assert_eq!(
        dry_run(protocol, &shorter).allocations[..50],
        one.allocations[..50]
    );
}

#[test]
fn what_was_not_registered_is_marked() {
    let study = study(protocol(IUH), 100, 31);
    let (protocol, state) = (&study.protocol, &study.state);
    let mut analysis = protocol.analyses[1].clone();
    analysis.id = "unplanned".into();
    analysis.estimator = "risk-difference".into();
    analysis.covariates.clear();
    let plan = Plan::registered(protocol, 1).with_post_hoc(analysis);
    let found = run(protocol, state, &plan, LAST, &RunSettings::default());
    let marks: Vec<bool> = found.analyses.iter().map(|own| own.prespecified).collect();
    assert_eq!(marks, [true, true, true, false]);
    let unplanned = &found.analyses[3];
    assert!(
        unplanned
            .warnings
            .iter()
            .any(|warning| warning.code == "post-hoc")
    );
    assert_eq!(unplanned.results[0].interval, "miettinen-nurminen");
    // Holm is over the two registered secondary analyses alone.
    let p = |place: usize| found.analyses[place].results[0].p_value.unwrap();
    let expected = lottning::analysis::multiplicity::holm(&[p(1), p(2)]);
    for (place, expected) in [1, 2].into_iter().zip(expected) {
        assert_eq!(found.analyses[place].p_adjusted, Some(expected));
    }
    assert_eq!(unplanned.p_adjusted, None);
    assert_eq!(found.analyses[0].role, Role::Primary);
    assert_eq!(found.analyses[0].p_adjusted, None);
}

#[test]
fn an_interim_lock_without_alpha_decides_nothing() {
    let text = IUH.replace(
        "id = \"acceptance\"\nlock = \"final\"",
        "id = \"acceptance\"\nlock = \"evaluation-2025\"",
    );
    let study = study(protocol(&text), 100, 32);
    let plan = Plan::registered(&study.protocol, 0);
    let found = run(
        &study.protocol,
        &study.state,
        &plan,
        LAST,
        &RunSettings::default(),
    );
    let [acceptance] = found.analyses.as_slice() else {
        panic!("one analysis names the interim lock");
    };
    assert_eq!(acceptance.alpha, None);
    assert!(
        acceptance
            .warnings
            .iter()
            .any(|warning| warning.code == "interim-descriptive")
    );
    assert!(acceptance.conclusion.en.contains("decides nothing"));
    assert!(acceptance.conclusion.sv.contains("avgör ingenting"));
}

#[test]
fn every_estimator_and_more_than_two_arms_can_be_registered() {
    for estimator in ["linear", "difference-in-means", "risk-difference"] {
        let mut own = ungated();
        own.analyses[0].estimator = estimator.into();
        if estimator != "linear" {
            own.analyses[0].covariates.clear();
        }
        let found = everything(&study(own, 150, 41));
        let primary = &found.analyses[0];
        assert_eq!(primary.results[0].estimator, estimator);
        assert!(primary.results[0].conf_low.is_some());
        let (test, model) = (
            primary.test.as_ref().unwrap().p_value,
            primary.results[0].p_value,
        );
        // Two ways to the same question; 150 families, p within a few hundredths.
        assert!(
            (test - model.unwrap()).abs() < 0.08,
            "{estimator}: {test} {model:?}"
        );
    }
    let start = IUH.find("[gate]").unwrap();
    let end = IUH.find("[exceptions]").unwrap();
    let text = format!("{}{}", &IUH[..start], &IUH[end..])
        .replace("families_per_therapist = 3", "")
        .replace("method = \"big-stick\"", "method = \"simple\"")
        .replace("max_imbalance = 4", "")
        .replace(
            "[unit]\n",
            "[[arm]]\nid = \"network\"\nlabel = { sv = \"Nätverk\", en = \"Network\" }\nratio = 1\n\n[unit]\n",
        );
    let mut own = protocol(&text);
    own.analyses[0].test = Some(lottning::protocol::model::Test::Randomization { draws: 199 });
    assert!(own.analyses[0].covariates.contains(&Registered::Site));
    let found = everything(&study(own, 200, 42));
    let primary = &found.analyses[0];
    let own = |row: &&lottning::estimation::Estimate| !row.extra.contains_key("sensitivity");
    let terms: Vec<&str> = primary
        .results
        .iter()
        .filter(own)
        .map(|row| row.term.as_str())
        .collect();
    assert_eq!(terms, ["iuh vs standard", "network vs standard"]);
    assert!(
        primary
            .results
            .iter()
            .filter(own)
            .all(|row| row.estimate.is_some())
    );
    assert_eq!(primary.test.as_ref().unwrap().draws, 199);
    assert!(
        primary
            .warnings
            .iter()
            .any(|warning| warning.code == "test-of-all-arms")
    );
}

/// Zero is among the constant effects that are not rejected exactly when the test does not reject; threads do not matter.
#[test]
fn the_interval_of_the_registered_test_agrees_with_its_p() {
    for (number, families) in [(51, 14), (52, 14), (53, 120), (54, 120)] {
        let mut own = ungated();
        own.analyses[0].test = Some(lottning::protocol::model::Test::Randomization { draws: 999 });
        let study = study(own, families, number);
        let found = pool(1).install(|| everything(&study));
        let other = pool(3).install(|| everything(&study));
        assert_eq!(format!("{found:?}"), format!("{other:?}"));
        let primary = &found.analyses[0];
        let Some(test) = &primary.test else { continue };
        let low = test.conf_low.is_none_or(|low| low <= 0.0);
        let high = test.conf_high.is_none_or(|high| high >= 0.0);
        assert_eq!(
            low && high,
            test.p_value > primary.alpha.unwrap(),
            "{test:?}"
        );
        if families == 120 {
            // Two ways to the interval of one effect: their widths are alike.
            let width = test.conf_high.unwrap() - test.conf_low.unwrap();
            let row = &primary.results[0];
            let model = row.conf_high.unwrap() - row.conf_low.unwrap();
            assert!((width / model - 1.0).abs() < 0.2, "{width} {model}");
        }
    }
}

/// Stopping when the rest cannot matter gives the decision of the whole run, at any limit.
#[test]
fn a_decision_that_stops_is_the_decision_of_all_redraws() {
    let mut stopped = 0;
    for number in 0..12u64 {
        let study = study(ungated(), 40, 60 + number);
        let history = History::of(&study.protocol, &study.state);
        let arms: Vec<Arm> = study.state.allocations.iter().map(|own| own.arm).collect();
        let y: Vec<f64> = arms
            .iter()
            .zip(0u64..)
            .map(|(arm, k)| {
                ((k * k + 7 * k * number) % 13) as f64 + 0.4 * number as f64 * f64::from(arm.0)
            })
            .collect();
        let mut statistic = Studentized(LinStatistic::new(&[], &y));
        let key = [number as u8; 32];
        let mut storage = (Redrawer::default(), Vec::new());
        let whole = monte_carlo_here(
            &history,
            &arms,
            &mut statistic,
            (&key, 499),
            (&mut storage.0, &mut storage.1),
        )
        .unwrap();
        for alpha in [0.01, 0.05, 0.2, whole.p_value] {
            let decided = decide_here(
                &history,
                &arms,
                &mut statistic,
                (&key, 499, &[alpha]),
                (&mut storage.0, &mut storage.1),
            )
            .unwrap();
            assert_eq!(
                decided.p_value <= alpha,
                whole.p_value <= alpha,
                "{number} {alpha}"
            );
            stopped += 499 - decided.draws;
        }
        // Several limits at once, as where Holm's rule may hold a p against each of them.
        let limits = [0.05 / 3.0, 0.025, 0.05, whole.p_value];
        let decided = decide_here(
            &history,
            &arms,
            &mut statistic,
            (&key, 499, &limits),
            (&mut storage.0, &mut storage.1),
        )
        .unwrap();
        for limit in limits {
            assert_eq!(decided.p_value <= limit, whole.p_value <= limit);
        }
    }
    assert!(stopped > 499, "{stopped}");
}

/// Secondary analyses adjusted as the protocol says, exploratory ones by Benjamini and Hochberg.
#[test]
fn secondary_analyses_are_adjusted_as_registered() {
    use lottning::analysis::multiplicity::{benjamini_hochberg, fixed_sequence, holm};
    use lottning::protocol::model::{Multiplicity, Test};
    let adjusted = |rule, role, families| {
        let mut own = ungated();
        let mut analysis = own.analyses[0].clone();
        analysis.role = role;
        analysis.test = Some(Test::Randomization { draws: 499 });
        own.multiplicity = rule;
        for (index, name) in ["second", "third", "fourth"].into_iter().enumerate() {
            analysis.id = name.into();
            analysis.estimator = if index == 1 {
                "difference-in-means"
            } else {
                "lin"
            }
            .into();
            if index > 0 {
                analysis.covariates.clear();
            }
            if index == 2 {
                analysis.outcome = own.analyses[1].outcome;
                analysis.summary = own.analyses[1].summary;
                analysis.missing = own.analyses[1].missing;
            }
            own.analyses.push(analysis.clone());
        }
        own.analyses.drain(1..3);
        let found = everything(&study(own, families, 71));
        let own = found.analyses.into_iter().skip(1);
        own.collect::<Vec<AnalysisResult>>()
    };
    // A test that does not exist counts as 1, and has no adjusted p itself.
    let p = |rows: &[AnalysisResult]| -> Vec<f64> {
        let own = rows.iter().map(AnalysisResult::deciding_p);
        own.map(|p| p.unwrap_or(1.0)).collect()
    };
    let second = |rows: &[AnalysisResult]| -> Vec<f64> {
        rows.iter()
            .map(|row| {
                assert_eq!(row.p_adjusted.is_some(), row.deciding_p().is_some());
                row.p_adjusted.unwrap_or(1.0)
            })
            .collect()
    };
    let says = |row: &AnalysisResult, words: &str| row.conclusion.en.contains(words);
    for families in [14, 150] {
        let rows = adjusted(Some(Multiplicity::Holm), Role::Secondary, families);
        let exist: Vec<bool> = rows.iter().map(|row| row.deciding_p().is_some()).collect();
        assert!(exist.contains(&true));
        let of = |all: Vec<f64>| -> Vec<f64> {
            let each = all.into_iter().zip(&exist);
            each.map(|(p, exists)| if *exists { p } else { 1.0 })
                .collect()
        };
        assert_eq!(second(&rows), of(holm(&p(&rows))));
        assert!(rows.iter().all(|row| row.q_value.is_none()));
        assert!(rows.iter().any(|row| says(row, "Holm-adjusted p")));
        let rows = adjusted(Some(Multiplicity::FixedSequence), Role::Secondary, families);
        assert_eq!(second(&rows), of(fixed_sequence(&p(&rows))));
        assert!(rows.iter().any(|row| says(row, "sequence-adjusted p")));
        let rows = adjusted(Some(Multiplicity::WestfallYoung), Role::Secondary, families);
        // The first two are nearly the same test, so that less is lost than with Holm.
        let holm = holm(&p(&rows));
        for ((joint, own), holm) in second(&rows).iter().zip(p(&rows)).zip(&holm) {
            assert!(*joint >= own && *joint <= 1.0, "{joint} {own}");
            // Two p of 499 redraws each: four standard errors of the worst case.
            assert!(
                *joint <= holm + 4.0 * (0.25f64 / 499.0).sqrt(),
                "{joint} {holm}"
            );
        }
        assert!(
            rows.iter()
                .any(|row| says(row, "Westfall–Young-adjusted p"))
        );
        let rows = adjusted(None, Role::Secondary, families);
        assert!(
            rows.iter()
                .all(|row| row.p_adjusted.is_none() && row.q_value.is_none())
        );
        let rows = adjusted(Some(Multiplicity::Holm), Role::Exploratory, families);
        let q: Vec<f64> = rows.iter().map(|row| row.q_value.unwrap_or(1.0)).collect();
        assert_eq!(q, of(benjamini_hochberg(&p(&rows))));
        assert!(rows.iter().all(|row| row.p_adjusted.is_none()));
    }
}

/// Westfall and Young redraw the arms, so each secondary analysis must have a test.
#[test]
fn westfall_young_needs_tests() {
    let text = IUH.replace("secondary = \"holm\"", "secondary = \"westfall-young\"");
    assert_ne!(text, IUH);
    let parsed = lottning::protocol::parse(text.as_bytes());
    assert!(parsed.protocol.is_none());
    assert!(
        parsed
            .diagnostics
            .iter()
            .any(|found| found.code == "estimator-mismatch")
    );
}

/// Any double, the ordinary ones often.
fn number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        4 => (-1.0f64..1.0).prop_map(Some),
        1 => (-1e-6f64..1e-6).prop_map(Some),
        1 => any::<f64>().prop_map(Some),
        1 => Just(Some(0.0)),
        1 => Just(None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_conclusion_says_that_nothing_happened(
        low in number(), high in number(), estimate in number(), p in number(),
        summary in 0usize..3, adjusted in any::<bool>(), registered in any::<bool>(),
        decides in any::<bool>(), dry in any::<bool>(),
    ) {
        thread_local! {
            static FOUND: (Protocol, Analyses) = {
                let study = study(ungated(), 30, 51);
                let found = everything(&study);
                (study.protocol, found)
            };
        }
        FOUND.with(|(protocol, found)| {
            let mut analysis = protocol.analyses[0].clone();
            match summary {
                0 => {}
                1 => analysis.summary = Summary::Count,
                _ => {
                    analysis.summary = Summary::Value;
                    analysis.outcome = 2;
                }
            }
            let mut result = found.analyses[0].clone();
            let row = &mut result.results[0];
            (row.estimate, row.conf_low, row.conf_high) = (estimate, low, high);
            row.p_value = p;
            result.test = None;
            result.test_registered = registered;
            result.p_adjusted = p.filter(|_| adjusted);
            result.alpha = decides.then_some(0.05);
            let words = conclusion(protocol, &analysis, Arm(0), &result, dry);
            let (en, sv) = (words.en.to_lowercase(), words.sv.to_lowercase());
            for never in ["no effect", "signific", "no difference", "nan", "inf", "proves"] {
                assert!(!en.contains(never), "{en}");
            }
            for never in ["ingen effekt", "signifik", "ingen skillnad", "bevisar", "nan"] {
                assert!(!sv.contains(never), "{sv}");
            }
            assert!(en.contains("compatible with"), "{en}");
            assert!(sv.contains("förenligt med") || sv.contains("förenliga med"), "{sv}");
            assert_eq!(dry, en.starts_with("dry run"));
        });
    }
}
