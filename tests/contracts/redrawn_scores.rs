//! Tests of times and ranks by redraws, and the tests that every lock has, against running the whole analysis on every redraw.

use crate::made_up::{IUH, LAST, protocol, study};
use crate::replication::{all_alike, folder};
use crate::weighted_redraws::{left, with_arms};
use lottning::allocation::{Arm, Redraw};
use lottning::analysis::reference_set::{
    History, Redrawer, balance_key, joint_key, missingness_key, test_key,
};
use lottning::analysis::results::Analyses;
use lottning::analysis::{Plan, RunSettings, Workspace, dry_run, run};
use lottning::protocol::Protocol;
use lottning::protocol::model::{Exit, Service};
use lottning::study::kernel::{Occurred, State};

/// The shipped protocol with another primary analysis.
fn with_primary(own: &str) -> String {
    let from = IUH.find("[[analysis]]\nid = \"primary\"").unwrap();
    let to = from + 1 + IUH[from + 1..].find("[[analysis]]").unwrap();
    let head = "[[analysis]]\nid = \"primary\"\nlock = \"final\"\nrole = \"primary\"\noutcome = \"rereport\"\ntest = { kind = \"randomization\", draws = 99 }\n";
    format!("{}{head}{own}\n\n{}", &IUH[..from], &IUH[to..])
}

fn estimand(measure: &str) -> String {
    format!(
        "estimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"{measure}\" }}\n"
    )
}

fn times(strata: &str) -> String {
    with_primary(&format!(
        "summary = \"first-time\"\nestimator = \"log-rank\"\n{strata}missing = {{ primary = \"censoring\" }}\n{}",
        estimand("test")
    ))
}

fn ranks() -> String {
    with_primary(&format!(
        "summary = \"count\"\nestimator = \"rank-sum\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
        estimand("probability-index")
    ))
}

/// Tails of a statistic over 99 redraws under a key.
fn two_sided(
    (protocol, state): (&Protocol, &State),
    key: &[u8; 32],
    mut value: impl FnMut(&State) -> f64,
) -> f64 {
    let observed = value(state);
    let history = History::of(protocol, state);
    let (mut redrawer, mut arms) = (Redrawer::default(), Vec::new());
    let (mut above, mut below) = (1.0, 1.0);
    for replicate in 0..99 {
        history.redraw(&mut redrawer, &mut Redraw::new(key, replicate), &mut arms);
        let redrawn = value(&with_arms(state, &arms));
        above += f64::from(u8::from(redrawn >= observed - 1e-9));
        below += f64::from(u8::from(redrawn <= observed + 1e-9));
    }
    (2.0 * f64::min(above, below) / 100.0).min(1.0)
}

/// The p of the registered test is that of running the registered estimator on every redrawn allocation, small sites merged anew.
#[test]
fn the_test_is_the_whole_analysis_of_times_or_ranks_on_every_redraw() {
    for (text, null, families, number) in [
        (times(""), 0.0, 60, 3),
        (times("strata = [\"site\"]\n"), 0.0, 70, 4),
        (times("strata = [\"category\"]\n"), 0.0, 150, 5),
        (ranks(), 0.5, 70, 6),
    ] {
        let study = left(&text, families, number, None);
        let (protocol, state) = (&study.protocol, &study.state);
        let analysis = protocol.analyses[0].clone();
        let plan = Plan::default().with_post_hoc(analysis.clone());
        let found = run(protocol, state, &plan, LAST, &RunSettings::default());
        let test = found.analyses[0].test.as_ref().unwrap();
        let mut workspace = Workspace::default();
        let mut effects = Vec::new();
        let value = |state: &State| {
            plan.effects(protocol, state, LAST, &mut workspace, &mut effects);
            let effect = effects[0].as_ref().unwrap();
            (effect.estimate - null) / effect.std_error
        };
        let key = test_key(protocol, &analysis.id, analysis.lock);
        let p = two_sided((protocol, state), &key, value);
        assert!((test.p_value - p).abs() < 1e-12, "{} {p}", test.p_value);
        assert_eq!((test.conf_low, test.conf_high), (None, None));
        // A simulated study has the same.
        let redraws = (&key, 99);
        let here = plan.test_here((protocol, state, LAST), 0, redraws, &mut workspace);
        assert!((here.unwrap().p_value - p).abs() < 1e-12);
    }
}

/// Shares of families who left within a year, by arm, over Welch's standard error.
fn lost(protocol: &Protocol, state: &State) -> f64 {
    let shares = [Arm(0), Arm(1)].map(|arm| {
        let own = state.allocations.iter().filter(|own| own.arm == arm);
        let gone = own.map(|own| {
            let exits = state.occurrences_of(own.family);
            let left = |what| matches!(what, Occurred::Exit(Exit::LeftCoverage));
            f64::from(u8::from(exits.into_iter().any(|one| left(one.what))))
        });
        let gone: Vec<f64> = gone.collect();
        let n = gone.len() as f64;
        let mean = gone.iter().sum::<f64>() / n;
        (mean, mean * (1.0 - mean) / (n - 1.0))
    });
    let [treated, control] = if protocol.control == Arm(1) {
        shares
    } else {
        [shares[1], shares[0]]
    };
    (treated.0 - control.0) / (treated.1 + control.1).sqrt()
}

/// Who is unknown is tested by the difference of the shares on every redraw.
#[test]
fn the_test_of_who_is_unknown_is_the_difference_of_shares_on_every_redraw() {
    for number in [5, 9] {
        let study = left(IUH, 120, number, None);
        let (protocol, state) = (&study.protocol, &study.state);
        let settings = RunSettings {
            draws: Some(99),
            ..RunSettings::default()
        };
        let plan = Plan::registered(protocol, 1);
        let found = run(protocol, state, &plan, LAST, &settings);
        let primary = &found.analyses[0];
        let unknown = primary.missingness.as_ref().unwrap();
        let missing: Vec<u32> = primary.arms.iter().map(|own| own.missing).collect();
        let counted: Vec<u32> = unknown.arms.iter().map(|own| own.unknown).collect();
        assert_eq!(missing, counted);
        let outcome = protocol.analyses[0].outcome;
        let key = missingness_key(protocol, outcome, protocol.analyses[0].lock);
        let p = two_sided((protocol, state), &key, |state| lost(protocol, state));
        let test = unknown.tests[0].found.as_ref().unwrap();
        assert!((test.p_value - p).abs() < 1e-12, "{} {p}", test.p_value);
    }
}

fn everything(protocol: &Protocol, state: &State, settings: &RunSettings) -> Analyses {
    run(
        protocol,
        state,
        &Plan::registered(protocol, 1),
        LAST,
        settings,
    )
}

/// Nothing depends on the threads, keys differ, and before a lock nothing of the tests knows the true arms.
#[test]
fn the_tests_of_every_lock_know_nothing_before_it_and_no_threads() {
    let text = times("strata = [\"site\"]\n");
    let study = left(&text, 100, 11, None);
    let (protocol, state) = (&study.protocol, &study.state);
    let settings = RunSettings {
        lock: Some("final".to_owned()),
        draws: Some(199),
        ..RunSettings::default()
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| format!("{:?}", everything(protocol, state, &settings)))
    };
    assert_eq!(on(1), on(3));
    let keys = [
        balance_key(protocol, 1),
        missingness_key(protocol, 0, 1),
        test_key(protocol, "primary", 1),
    ];
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    let other: Vec<Arm> = state
        .allocations
        .iter()
        .map(|own| Arm(1 - own.arm.0))
        .collect();
    let flipped = with_arms(state, &other);
    let dry = |state: &State| {
        let settings = RunSettings {
            dry_run: true,
            ..settings.clone()
        };
        let state = dry_run(protocol, state);
        let found = everything(protocol, &state, &settings);
        assert!(found.analyses.iter().any(|own| own.missingness.is_some()));
        assert!(found.balance.test.is_ok());
        format!("{found:?}")
    };
    assert_eq!(dry(state), dry(&flipped));
    // With the true arms the tests are others.
    let balance = |state: &State| everything(protocol, state, &settings).balance.test.unwrap();
    let redrawn = dry_run(protocol, state);
    assert!((balance(state).statistic - balance(&redrawn).statistic).abs() > 1e-12);
}

/// Westfall and Young's step-down procedure goes over times and ranks on shared redraws: the larger |t| against the largest of both on
/// every redraw, the smaller against its own, and neither below its own p or the one before it.
#[test]
fn times_and_ranks_share_redraws() {
    let secondary = |own: String, id: &str| {
        let from = own.find("[[analysis]]\nid = \"primary\"").unwrap();
        let to = from + 1 + own[from + 1..].find("[[analysis]]").unwrap();
        let own = own[from..to].replace("id = \"primary\"", &format!("id = \"{id}\""));
        own.replace("role = \"primary\"", "role = \"secondary\"")
    };
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let text = format!(
        "{}{}{}[multiplicity]\nsecondary = \"westfall-young\"\n",
        IUH[..start].replace("draws = 10000", "draws = 99"),
        secondary(times("strata = [\"site\"]\n"), "times"),
        secondary(ranks(), "ranks"),
    );
    let study = study(protocol(&text), 90, 12);
    let (protocol, state) = (&study.protocol, &study.state);
    let settings = RunSettings {
        draws: Some(99),
        ..RunSettings::default()
    };
    let found = everything(protocol, state, &settings);
    let result = |id: &str| found.analyses.iter().find(|own| own.id == id).unwrap();
    let own = ["times", "ranks"].map(result);
    let both = ["times", "ranks"].map(|id| {
        let mut all = protocol.analyses.iter();
        all.find(|own| own.id == id).unwrap().clone()
    });
    let plan = both.into_iter().fold(Plan::default(), Plan::with_post_hoc);
    let (mut workspace, mut effects) = (Workspace::default(), Vec::new());
    let mut sizes = |state: &State| {
        plan.effects(protocol, state, LAST, &mut workspace, &mut effects);
        let size = |place: usize, null: f64| {
            let effect = effects[place].as_ref().unwrap();
            ((effect.estimate - null) / effect.std_error).abs()
        };
        [size(0, 0.0), size(1, 0.5)]
    };
    let observed = sizes(state);
    let first = usize::from(observed[1] > observed[0]);
    let history = History::of(protocol, state);
    let key = joint_key(protocol, 1);
    let (mut redrawer, mut arms) = (Redrawer::default(), Vec::new());
    let mut hits = [1.0, 1.0];
    for replicate in 0..99 {
        history.redraw(&mut redrawer, &mut Redraw::new(&key, replicate), &mut arms);
        let redrawn = sizes(&with_arms(state, &arms));
        let largest = redrawn[0].max(redrawn[1]);
        let second = 1 - first;
        hits[first] += f64::from(u8::from(largest >= observed[first] - 1e-9));
        hits[second] += f64::from(u8::from(redrawn[second] >= observed[second] - 1e-9));
    }
    let raised = hits[1 - first].max(hits[first]);
    hits[1 - first] = raised;
    for (place, own) in own.into_iter().enumerate() {
        let expected = f64::max(hits[place] / 100.0, own.test.as_ref().unwrap().p_value);
        let adjusted = own.p_adjusted.unwrap();
        assert!(
            (adjusted - expected).abs() < 1e-12,
            "{}: {adjusted} {expected}",
            own.id
        );
    }
}

/// Twelve families in two lists of 6 can have been drawn in 20² = 400 ways, all alike: p moves in steps of 2/400, and limits stand
/// where it comes to be 20/400. R, which adds up 400 shares, finds the same limits.
#[test]
fn r_finds_the_limits_of_an_exact_test_whose_p_steps_onto_alpha() {
    let text = with_primary(&format!(
        "estimator = \"difference-in-means\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
        estimand("difference")
    ));
    let days = text.replacen(
        "outcome = \"rereport\"",
        "outcome = \"investigation_days\"",
        1,
    );
    let listed = days.replace(
        "method = \"big-stick\"                            # families and staff know the arm, so a method that is hard to guess\nmax_imbalance = 4\nstrata = [\"site\"]",
        "method = \"random-allocation\"\nlist_len = 6\nstrata = []",
    );
    assert!(listed != days && days != text);
    for number in 1..=3 {
        let mut study = study(protocol(&listed), 12, number);
        // Those that enrolment left open, each after a number of days of its own.
        for (place, own) in study.state.allocations.clone().iter().enumerate() {
            let drawn = study.state.family(own.family).unwrap().randomized;
            let on = drawn.plus(91 + place as i32);
            study.serve(own.family, Service::Closed, on, LAST);
        }
        let files = folder(&study, "final", LAST, &[]);
        if all_alike(&format!("steps-{number}"), &files).is_none() {
            return;
        }
    }
}
