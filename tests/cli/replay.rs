//! `simulate --replay`: the study folder holds the simulated study, family by family, and its analysis gives the same numbers.

use std::path::PathBuf;

use lottning::analysis::looks::{EarlierLook, look};
use lottning::analysis::{Plan, RunSettings, registered_p, run};
use lottning::app::study::Study;
use lottning::app::{Outside, Silent};
use lottning::planning::scenario::plan;
use lottning::planning::study::Simulator;
use lottning::protocol::model::{Cut, Day, OutcomeKind, Summary};
use lottning::study::dataset::outcome;
use lottning::study::kernel::{FamilyIx, State};
use serde_json::Value;

use crate::place::{IUH, Place};

const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");

fn place() -> Place {
    let place = Place::with(IUH);
    let scenario = SCENARIO.replace("../protocols/iuh-2025/protocol.toml", "p.toml");
    place.write("s.toml", scenario);
    place
}

/// Day, site, arm, values, outcomes.
type Seen = (Day, u16, usize, Vec<i64>, Vec<String>);

/// What the state says of every randomized family, in the order of the draws: when, where, which arm, what intake knew,
/// and every outcome at the end of time.
fn families(protocol: &lottning::protocol::Protocol, state: &State) -> Vec<Seen> {
    let end = Day(i32::MAX - 1000);
    let seen = |family: FamilyIx| -> Vec<String> {
        let kinds = protocol.outcomes.iter().enumerate();
        kinds
            .filter(|(_, own)| !matches!(own.kind, OutcomeKind::Observed { .. }))
            .map(|(place, own)| {
                let summary = match own.kind {
                    OutcomeKind::Reports { .. } => Summary::Count,
                    _ => Summary::Value,
                };
                format!(
                    "{:?}",
                    outcome(protocol, state, end, family, place, summary)
                )
            })
            .collect()
    };
    state
        .allocations
        .iter()
        .map(|allocated| {
            let own = state.family(allocated.family).unwrap();
            let values = own.values.to_vec();
            (
                own.randomized,
                own.site.0,
                allocated.arm.index(),
                values,
                seen(allocated.family),
            )
        })
        .collect()
}

/// The folder, replayed, beside the study as the simulator runs it.
fn replayed(place: &Place, settings: &str, cell: usize, number: u64) -> Value {
    replayed_with(place, settings, (cell, number), 39)
}

fn replayed_with(place: &Place, settings: &str, (cell, number): (usize, u64), draws: u32) -> Value {
    let words: Vec<&str> = settings.split_whitespace().collect();
    let scenario = std::fs::read_to_string(place.path("s.toml")).unwrap();
    let changes: Vec<String> = words.iter().map(ToString::to_string).collect();
    let protocol = std::fs::read_to_string(place.path("p.toml")).unwrap();
    let planned =
        plan(&scenario, &protocol, &changes).unwrap_or_else(|refused| panic!("{refused:?}"));
    let own = &planned.cells[cell];
    let mut command = vec!["simulate".to_owned(), "s.toml".to_owned()];
    for word in &words {
        command.extend(["--set".to_owned(), (*word).to_owned()]);
    }
    let id = &own.id;
    let folder = format!("r{cell}-{number}");
    command.extend([format!(
        "--seed 5 --draws {draws} --json --replay {id}:{number} {folder}"
    )]);
    let told = place.run(&command.join(" ")).json(0);

    let mut simulator = Simulator::new(own, 5).with_draws(draws);
    let record = simulator.study(number).unwrap();
    let outside = Outside {
        folder: PathBuf::new(),
        ..Outside::system(Box::new(Silent))
    };
    let study = Study::load(&outside, &place.path(&folder).join("study")).unwrap();
    assert_eq!(study.protocol().hash, own.protocol.hash);
    let live = &study.journal.state;
    assert!(live.allocations.len() > 30);
    assert_eq!(
        families(&own.protocol, live),
        families(&own.protocol, simulator.state())
    );
    assert_eq!(live.families.len(), simulator.state().families.len());
    assert_eq!(live.children.len(), simulator.state().children.len());
    assert_eq!(told["families"], record.families);
    assert_eq!(told["turned_away"], record.turned_away);
    let planned = own.scenario.analyses.iter();
    let planned = planned.map(|index| &own.protocol.analyses[*index]);
    let analyses = told["analyses"].as_array().unwrap().iter();
    for ((analysis, own), planned) in analyses.zip(&record.analyses).zip(planned) {
        let found = own.found.as_ref().unwrap();
        let simulated = &analysis["simulated"];
        let measure = planned.estimand.measure.as_str();
        for (key, value) in [
            ("estimate", found.estimate),
            ("std_error", found.std_error),
            ("conf_low", found.conf_low),
            ("conf_high", found.conf_high),
            ("p_value", found.p_value),
        ] {
            if measure == "test" && key.starts_with("conf") {
                assert!(simulated[key].is_null(), "{key}");
                continue;
            }
            // The program compares bits; what a reader of JSON makes of the digits may be one unit off.
            let told = simulated[key].as_f64().unwrap();
            assert!(
                (told - value).abs() <= 4.0 * f64::EPSILON * value.abs(),
                "{key}"
            );
        }
        // A difference of another kind is no truth of a ratio or a test.
        if measure == "test" || measure.ends_with("-ratio") {
            assert!(analysis["truth"].is_null(), "{analysis}");
            continue;
        }
        let truth = analysis["truth"].as_f64().unwrap();
        assert!((truth - own.truth).abs() <= 4.0 * f64::EPSILON);
    }
    let study = place.path(&folder).join("study");
    let verified = place
        .run(&format!("verify --study {}", study.display()))
        .json(0);
    assert_eq!(verified["ok"], true);
    assert_eq!(verified["allocations"], record.families);
    told
}

#[test]
fn a_replay_is_the_simulated_study() {
    let place = place();
    replayed(&place, "months=5", 1, 0);
    // Another ratio, of a name with colons, that the protocol's method keeps by blocks; and no registered test.
    replayed(&place, "months=5 ratio=1:2 truth.rereport_ratio=0.9", 0, 12);
}

#[test]
fn a_replay_is_written_over_nothing_and_names_a_study() {
    let place = place();
    let order = "simulate s.toml --set months=3 --draws 0";
    let ran = place.run(&format!("{order} --replay truth.rereport_ratio=1.1:2 r"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!place.path("r/seed").exists());
    let first = std::fs::read_to_string(place.path("r/replay.json")).unwrap();
    place
        .run(&format!("{order} --replay truth.rereport_ratio=1.1:2 r"))
        .refused(7, "exists");
    // The plan of a folder replays as well, into the same bytes.
    place
        .run(&format!("{order} --replicates 3 --out d --json"))
        .json(0);
    let ran = place.run("simulate --out d --replay truth.rereport_ratio=1.1:2 again");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let again = std::fs::read_to_string(place.path("again/replay.json")).unwrap();
    assert_eq!(again.replace("again/", "r/"), first);
    for (study, code) in [
        ("truth.rereport_ratio=1.2:2", "unknown-id"),
        ("truth.rereport_ratio=1.1", "invalid-value"),
        ("base", "invalid-value"),
        ("base:x", "invalid-value"),
        ("base:-1", "invalid-value"),
    ] {
        place
            .run(&format!("{order} --replay {study} n"))
            .refused(2, code);
    }
}

/// The protocol with a look at 31 March 2026 that may spend .02, and the arms that a study stops with.
fn watched() -> Place {
    let primary = "id = \"primary\"\nlock = \"final\"\n";
    let protocol = IUH
        .replace("cut = 2025-11-30", "cut = 2026-03-31")
        .replace("alpha = 0.0\n", "alpha = 0.02\n")
        .replace(
            primary,
            &format!("{primary}looks = [\"evaluation-2025\"]\n"),
        );
    let place = Place::with(&protocol);
    let scenario = SCENARIO.replace("../protocols/iuh-2025/protocol.toml", "p.toml");
    place.write("s.toml", scenario);
    place
}

/// A study that its look stops is, replayed, locked and analysed there with the same numbers, its stage-wise row too; one that
/// goes on is decided at its own lock.
#[test]
fn a_replay_is_stopped_where_the_simulated_study_was() {
    let place = watched();
    let settings = "months=18 truth.rereport_ratio=0.05 exit.left_coverage_per_year=0";
    let changes: Vec<String> = settings.split_whitespace().map(str::to_owned).collect();
    let scenario = std::fs::read_to_string(place.path("s.toml")).unwrap();
    let protocol = std::fs::read_to_string(place.path("p.toml")).unwrap();
    let planned = plan(&scenario, &protocol, &changes).unwrap();
    let mut simulator = Simulator::new(&planned.cells[0], 5).with_draws(0);
    let mut of_stage = [None; 2];
    for number in 0..40 {
        let record = simulator.study(number).unwrap();
        let looked = record.analyses[0].looked.as_ref().unwrap();
        if record.families > 30 && record.analyses.iter().all(|own| own.found.is_ok()) {
            of_stage[usize::from(looked.stage)].get_or_insert(number);
        }
    }
    for (number, lock) in of_stage.into_iter().zip(["evaluation-2025", "final"]) {
        let told = replayed_with(&place, settings, (0, number.unwrap()), 0);
        let own = &told["analyses"][0];
        assert_eq!(own["lock"], lock);
        assert!(own["stage_wise"]["estimate"].as_f64().is_some(), "{own}");
    }
}

/// By stages a log-rank test has a p alone: its estimate and its limits are empty, as in the live answer, and a hazard ratio has no
/// true effect on the scale of a difference.
#[test]
fn a_monitored_log_rank_test_is_replayed_without_an_interval() {
    let place = Place::with(include_str!("../../simulations/protocols/monitored.toml"));
    let scenario = include_str!("../../simulations/workloads/w4.toml");
    let scenario = scenario
        .replace("../protocols/monitored.toml", "p.toml")
        .replace("engine   = \"kernel\"", "engine = \"study\"");
    place.write("s.toml", scenario);
    let told = replayed_with(&place, "protocol.sample_size.stop.families=120", (0, 3), 0);
    let own = &told["analyses"][0];
    assert_eq!(own["analysis"], "primary");
    assert!(own["stage_wise"]["p_value"].is_f64(), "{own}");
    for key in ["estimate", "conf_low", "conf_high"] {
        assert!(own["stage_wise"][key].is_null(), "{key}: {own}");
    }
    assert!(own["truth"].is_null(), "{own}");
}

/// A log-rank test has no estimate, and its p by redraws is of other redraws in the simulation: O − E and its variance are the same.
#[test]
fn a_log_rank_test_by_redraws_is_replayed() {
    let own = "estimator = \"log-rank\"\nstrata = [\"site\"]\nlooks = [\"look-1\", \"look-2\"]\n";
    let tested = "estimator = \"log-rank\"\nstrata = [\"site\"]\ntest = { kind = \"randomization\", draws = 199 }\n";
    let protocol = include_str!("../../simulations/protocols/monitored.toml");
    assert!(protocol.contains(own));
    let protocol = protocol
        .replacen(own, tested, 1)
        .replace("alpha = 0.000164031\n", "")
        .replace("alpha = 0.010545075\n", "");
    let place = Place::with(&protocol);
    let scenario = include_str!("../../simulations/workloads/w4.toml");
    let scenario = scenario
        .replace("../protocols/monitored.toml", "p.toml")
        .replace("engine   = \"kernel\"", "engine = \"study\"");
    place.write("s.toml", scenario);
    let settings = "protocol.sample_size.stop.families=60";
    for draws in [39, 0] {
        let told = replayed_with(&place, settings, (0, u64::from(draws)), draws);
        let own = &told["analyses"][0];
        assert_eq!(own["analysis"], "primary");
        assert!(own["registered_p_value"].is_f64(), "{own}");
    }
}

/// Of rare reports and a strong effect the hazard ratio is often 0, with a test and no standard error. At every look and at the end the
/// simulated study decides as the live analysis of its families does, with what earlier looks left, those at such a ratio too.
#[test]
fn a_monitored_ratio_without_end_is_decided_as_in_a_live_study() {
    let primary = "measure = \"test\" }\nestimator = \"log-rank\"";
    let cox = "measure = \"hazard-ratio\" }\nestimator = \"cox\"";
    let protocol = include_str!("../../simulations/protocols/monitored.toml");
    assert!(protocol.contains(primary));
    let protocol = protocol.replacen(primary, cox, 1);
    let scenario = include_str!("../../simulations/workloads/w4.toml")
        .replace("engine   = \"kernel\"", "engine = \"study\"");
    let settings = [
        "analyses=[\"primary\"]",
        "truth.rereport_control=0.3",
        "truth.rereport_ratio=0.05",
        "protocol.sample_size.stop.families=120",
    ];
    let settings = settings.map(str::to_owned);
    let planned = plan(&scenario, &protocol, &settings).unwrap();
    let cell = &planned.cells[0];
    let own = &cell.protocol;
    let index = cell.scenario.analyses[0];
    let analysis = &own.analyses[index];
    let locks: Vec<usize> = analysis
        .looks
        .iter()
        .chain([&analysis.lock])
        .copied()
        .collect();
    let mut simulator = Simulator::new(cell, 1).with_draws(0);
    // Three studies that are decided at such a ratio, three that have a look after one, three without.
    let mut kinds: [Vec<u64>; 3] = Default::default();
    for number in 0..300 {
        let record = simulator.study(number).unwrap();
        let looked = record.analyses[0].looked.as_ref().unwrap();
        let last = looked.information[usize::from(looked.stage)];
        let without_end = looked.information.iter().any(|own| *own < 0.0);
        let found = record.analyses[0].found.as_ref();
        let is_endless = found.is_ok_and(|own| own.std_error.is_infinite());
        assert_eq!(is_endless, last < 0.0, "{number}");
        kinds[if is_endless {
            0
        } else {
            2 - usize::from(without_end)
        }]
        .push(number);
    }
    for number in kinds.iter().flat_map(|own| &own[..3]) {
        let record = simulator.study(*number).unwrap();
        let looked = record.analyses[0].looked.clone().unwrap();
        let state = simulator.state();
        let mut earlier: Vec<EarlierLook> = Vec::new();
        for (stage, lock) in locks.iter().enumerate().take(usize::from(looked.stage) + 1) {
            let Cut::On(date) = own.locks[*lock].cut else {
                panic!("a lock on a date");
            };
            let cut = Day::of(date);
            let settings = RunSettings {
                lock: Some(own.locks[*lock].id.clone()),
                earlier: earlier.clone(),
                ..RunSettings::default()
            };
            let found = run(own, state, &Plan::registered(own, *lock), cut, &settings);
            let mut live = found.analyses.iter();
            let live = live.find(|own| own.id == "primary").unwrap();
            let p_value = live.results.first().and_then(|row| row.p_value);
            let rejects = p_value.zip(live.alpha).is_some_and(|(p, limit)| p <= limit);
            let is_last = stage == usize::from(looked.stage);
            assert_eq!(rejects, is_last && looked.rejects, "{number} {stage}");
            if is_last {
                let found = record.analyses[0].found.as_ref().unwrap();
                let row = &live.results[0];
                let limits = [
                    row.conf_low.unwrap_or(0.0),
                    row.conf_high.unwrap_or(f64::INFINITY),
                ];
                let simulated = [found.conf_low, found.conf_high];
                assert_eq!(
                    simulated.map(f64::to_bits),
                    limits.map(f64::to_bits),
                    "{number} {stage}"
                );
                assert!((row.level - (1.0 - live.alpha.unwrap())).abs() < 1e-15);
                assert_eq!(live.looks.len(), earlier.len() + 1);
            }
            let seen = look(own, state, cut, analysis);
            let information = looked.information[stage];
            assert_eq!(seen.is_ok(), information.abs() > 0.0, "{number} {stage}");
            earlier.extend(seen.ok().map(|look| EarlierLook {
                analysis: analysis.id.clone(),
                lock: *lock,
                look,
                p_value: None,
            }));
        }
    }
}

/// A study of scores: no family has more adults than intake can write down, and a score keeps all its decimals, in which the digits of
/// somebody's number may stand by chance.
#[test]
fn a_study_of_scores_is_replayed() {
    let place = Place::with(include_str!("../../simulations/protocols/score.toml"));
    let scenario = include_str!("../../simulations/workloads/w2.toml");
    place.write(
        "s.toml",
        scenario.replace("../protocols/score.toml", "p.toml"),
    );
    let cell = "protocol.sample_size.stop.families=150,score.effect=-1,score.missing.new=0.15,score.missing.usual=0.15,\
                score.risk_correlation=0.45";
    for replicate in 0..3 {
        let told = place
            .run(&format!(
                "simulate s.toml --json --replay {cell}:{replicate} r{replicate}"
            ))
            .json(0);
        assert_eq!(told["families"], 150);
        let own = &told["analyses"][0];
        assert!(own["simulated"]["estimate"].is_number(), "{own}");
        let verified = place
            .run(&format!("verify --study r{replicate}/study"))
            .json(0);
        assert_eq!(verified["ok"], true);
    }
}

/// A replay that fails leaves nothing, its seed least of all. Here its protocol, with a made-up number in it, cannot be opened.
#[test]
fn a_replay_that_fails_leaves_nothing() {
    let place = Place::with(&IUH.replace("en = \"Intensified home", "en = \"000101-2384 home"));
    let scenario = SCENARIO.replace("../protocols/iuh-2025/protocol.toml", "p.toml");
    place.write("s.toml", scenario);
    let order = "simulate s.toml --set months=3 --draws 0 --replay truth.rereport_ratio=1.1:2";
    place
        .run(&format!("{order} r"))
        .refused(3, "personal-number");
    assert!(!place.path("r").exists());
    // What was there before stays.
    std::fs::create_dir(place.path("d")).unwrap();
    place.write("d/n.txt", "mine");
    place
        .run(&format!("{order} d"))
        .refused(3, "personal-number");
    let left: Vec<_> = std::fs::read_dir(place.path("d")).unwrap().collect();
    assert_eq!(left.len(), 1);
}

/// Every control family is reported again and no treated one, so that the model leaves nothing over for a standard error: the p of
/// redraws decides, in a simulated study as in a live one. Of R redraws none is as extreme, and p is 2/(1 + R): .004 of 499 is within
/// the .01 that the look may spend, and .02 of 99 is not, but is within the .04 that this leaves to the end.
#[test]
fn redraws_decide_of_an_effect_without_a_standard_error_as_in_a_live_study() {
    let protocol = include_str!("../../simulations/protocols/fixed-binary.toml").replace(
        "after = \"last-window\"\ngrace_days = 30",
        "cut = 2032-12-31",
    );
    let looks = protocol
        .replace(
            "[[lock]]\n",
            "[[lock]]\nid = \"look\"\ncut = 2027-02-28\nkind = \"interim\"\nalpha = 0.01\n\n[[lock]]\n",
        )
        .replacen(
            "lock = \"final\"\n",
            "lock = \"final\"\nlooks = [\"look\"]\n",
            1,
        );
    let scenario = include_str!("../../simulations/workloads/w5.toml")
        .replace("engine   = \"kernel\"", "engine = \"study\"");
    let settings = [
        "protocol.sample_size.stop.families=60",
        "truth.rereport_control=0.999999999999",
        "truth.rereport_ratio=1e-12",
    ];
    let settings = settings.map(str::to_owned);
    for (protocol, draws, stage, limit) in [
        (&protocol, 99, None, 0.05),
        (&looks, 499, Some(0), 0.01),
        (&looks, 99, Some(1), 0.04),
    ] {
        let protocol = protocol.replace("draws = 10000", &format!("draws = {draws}"));
        let planned = plan(&scenario, &protocol, &settings).unwrap();
        let cell = &planned.cells[0];
        let own = &cell.protocol;
        let analysis = &own.analyses[cell.scenario.analyses[0]];
        let mut simulator = Simulator::new(cell, 1).with_draws(draws);
        let record = simulator.study(0).unwrap();
        let simulated = &record.analyses[0];
        let found = simulated.found.as_ref().unwrap();
        assert!((found.estimate + 1.0).abs() < 1e-9 && found.std_error.abs() <= 0.0);
        assert!(!found.has_interval());
        assert!(simulated.rejects(limit));
        let looked = simulated.looked.as_ref();
        assert_eq!(looked.map(|own| usize::from(own.stage)), stage);
        let state = simulator.state();
        let mut earlier: Vec<EarlierLook> = Vec::new();
        let locks = analysis.looks.iter().chain([&analysis.lock]).copied();
        for (place, lock) in locks.enumerate().take(stage.unwrap_or(0) + 1) {
            let Cut::On(date) = own.locks[lock].cut else {
                panic!("a lock on a date");
            };
            let cut = Day::of(date);
            let settings = RunSettings {
                lock: Some(own.locks[lock].id.clone()),
                earlier: earlier.clone(),
                ..RunSettings::default()
            };
            let live = run(own, state, &Plan::registered(own, lock), cut, &settings);
            let live = live
                .analyses
                .iter()
                .find(|own| own.id == "primary")
                .unwrap();
            let row = &live.results[0];
            assert_eq!(row.std_error, Some(0.0));
            assert_eq!(
                (row.p_value, row.conf_low, row.conf_high),
                (None, None, None)
            );
            let p_value = live.test.as_ref().unwrap().p_value;
            assert!((p_value - 2.0 / (1.0 + f64::from(draws))).abs() < 1e-12);
            let rejects = p_value <= live.alpha.unwrap();
            assert_eq!(rejects, place == stage.unwrap_or(0), "{draws}: {place}");
            let Some(looked) = looked else {
                continue;
            };
            let last = live.looks.last().unwrap();
            assert_eq!((live.looks.len(), last.crossed), (place + 1, rejects));
            assert!((last.z + 37.0).abs() < 1e-12 && last.information.abs() <= 0.0);
            assert!((looked.information[place] + 1.0).abs() <= 0.0);
            assert!(rejects || (live.alpha.unwrap() - 0.01).abs() < 1e-12);
            assert!(!rejects || (live.alpha.unwrap() - limit).abs() < 1e-12);
            let mut told = live.warnings.iter();
            let told = told.find(|own| own.code == "information-fell").unwrap();
            assert!(told.message.en.contains("fits every outcome exactly"));
            earlier.extend(
                look(own, state, cut, analysis)
                    .ok()
                    .map(|look| EarlierLook {
                        analysis: analysis.id.clone(),
                        lock,
                        look,
                        p_value: registered_p(own, state, cut, analysis),
                    }),
            );
        }
    }
}
