//! Simulated studies with interim looks against published group-sequential figures.

use crate::target::within;
use lottning::analysis::looks::EarlierLook;
use lottning::analysis::{Plan as Analyses, RunSettings, run};
use lottning::estimation::cluster_variance::ClusterVariance;
use lottning::estimation::group_sequential::{Boundaries, Look, Sides};
use lottning::estimation::linear_model::{Design, Form, Workspace};
use lottning::estimation::{Arm, Df, Variance};
use lottning::numerics::{normal, stream};
use lottning::planning::performance::LooksPerformance;
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{CellPerformance, Options, simulate};
use lottning::planning::study::Simulator;

const PROTOCOL: &str = include_str!("../../simulations/protocols/score.toml");
const SCENARIO: &str = include_str!("../../simulations/workloads/w2.toml");

/// A normal score known the day after the draw, 500 families at 50 a month, and looks when a third and two thirds of them
/// are expected to be known: 500/3 · 30.4375/50 = 101.5 days after 5 January 2026, and 202.9.
fn planned(effect: f64, settings: &[&str]) -> Plan {
    let protocol = PROTOCOL
        .replace("window_days = [300, 365]", "window_days = [1, 1]")
        .replace(
            "covariates = [\"earlier_reports\", \"youngest_age\", \"adults\", \"lone_parent\", \"interpreter\", \"baseline\"]",
            "looks = [\"look-1\", \"look-2\"]",
        )
        .replace(
            "[[lock]]\nid = \"final\"",
            "[[lock]]\nid = \"look-1\"\ncut = 2026-04-17\nkind = \"interim\"\nalpha = 0.00051834744\n\n\
             [[lock]]\nid = \"look-2\"\ncut = 2026-07-27\nkind = \"interim\"\nalpha = 0.01380177136\n\n\
             [[lock]]\nid = \"final\"",
        );
    assert!(protocol.contains("looks = [") && protocol.contains("window_days = [1, 1]"));
    let grid = SCENARIO.find("[grid.full]").unwrap();
    let precision = SCENARIO.find("[precision]").unwrap();
    let scenario = format!("{}{}", &SCENARIO[..grid], &SCENARIO[precision..]);
    // Looks are outside what the workload's engine is valid for.
    let scenario = scenario.replace("engine   = \"kernel\"", "engine   = \"study\"");
    let mut all: Vec<String> = vec![
        "accrual.families_per_month_and_site={ mean = 50 }".to_owned(),
        "protocol.sample_size.stop.families=500".to_owned(),
        "score.sd=1".to_owned(),
        format!("score.effect={effect}"),
    ];
    all.extend(settings.iter().map(ToString::to_string));
    plan(&scenario, &protocol, &all).unwrap_or_else(|refused| panic!("{refused:?}"))
}

fn options(replicates: u64, threads: usize) -> Options {
    Options {
        seed: 11,
        replicates: Some(replicates),
        draws: Some(0),
        threads: Some(threads),
    }
}

fn ran(effect: f64) -> (CellPerformance, LooksPerformance) {
    let plan = planned(effect, &[]);
    let mut cells = simulate(&plan, &options(6000, 2), &|_, _| {}).unwrap();
    let cell = cells.remove(0);
    let (place, looks) = cell.looks.clone().unwrap();
    assert_eq!((place, cells.len()), (0, 0));
    (cell, looks)
}

/// O'Brien and Fleming, three equal looks, two-sided .05: alpha spent until each look .00051834744, .0143201188, .05 (twice
/// the one-sided .00025917372, .0071600594, .025 of rpact's shipped test). Known families at a look vary by the square root
/// of 167: their share of the information moves, the amounts that looks spend do not.
#[test]
fn looks_spend_what_they_may() {
    let (cell, looks) = ran(0.0);
    let found = &cell.analyses[0].1;
    within(found.type_i_error.unwrap(), 0.05, "all looks");
    for (look, spent) in looks
        .looks
        .iter()
        .zip([0.000_518_35, 0.013_801_77, 0.035_679_88])
    {
        // A share of so few studies may be none at all: the error is that of the share that is expected.
        let mcse = (spent * (1.0 - spent) / 6000.0_f64).sqrt();
        let share = look.stopped.value.unwrap();
        assert!((share - spent).abs() <= 4.0 * mcse, "{} {share}", look.lock);
    }
    let last = looks.stage_wise.unwrap();
    within(last.above, 0.5, "median");
    within(last.coverage, 0.95, "stage-wise coverage");
    within(last.bias, 0.0, "stage-wise bias");
    // The repeated interval holds at every look.
    let coverage = found.coverage;
    assert!(
        coverage.value.unwrap() > 0.95 - 4.0 * 0.0029,
        "{coverage:?}"
    ); // √(.05·.95/6000)
}

/// Means that differ by a quarter of a standard deviation, 500 in all, O'Brien and Fleming with three equal looks: rejected at
/// the looks with probability .0314100, .3993602, .3589939, in all .78976 (rpact 3.3.4, normal and t-adjusted; the planning
/// note, §4.5). Expected number: .0314100·166.7 + .3993602·333.3 + .5692298·500 = 422.97 known, and a day's 1.64 who are not
/// known yet in the .4307702 that stop early: 423.7.
#[test]
fn power_by_look_is_the_published_one() {
    let (cell, looks) = ran(-0.25);
    let found = &cell.analyses[0].1;
    within(found.power, 0.789_764, "power");
    for (look, share) in looks
        .looks
        .iter()
        .zip([0.031_410_0, 0.399_360_2, 0.358_993_9])
    {
        within(look.stopped, share, &look.lock);
    }
    within(cell.studies.families, 423.7, "families");
    let information = |look: usize| looks.looks[look].information.value.unwrap();
    // 500/4 units of information: n/4 by law for two arms of n/2 and variance 1.
    assert!((information(0) / 41.67 - 1.0).abs() < 0.02, "{looks:?}");
    assert!((information(2) / 125.0 - 1.0).abs() < 0.02, "{looks:?}");
    // Studies end at the look or after all of 500 · 30.4375/50 days.
    let months = looks.months.value.unwrap();
    assert!((7.5..9.5).contains(&months), "{months}");
    // Stopping on a large estimate exaggerates; the median-unbiased estimate is beyond the truth half of the time.
    let bias = found.bias;
    assert!(bias.value.unwrap() < -4.0 * bias.mcse.unwrap(), "{bias:?}");
    let last = looks.stage_wise.unwrap();
    within(last.above, 0.5, "median");
    within(last.coverage, 0.95, "stage-wise coverage");
    assert!(last.bias.value.unwrap().abs() < bias.value.unwrap().abs());
}

/// By law: a study that stops has enrolled nobody after the look's cut and makes no later lock; one that goes on is the study
/// that it would be without looks.
#[test]
fn a_stopped_study_enrols_nobody_more() {
    let plan = planned(-0.6, &[]);
    let cell = &plan.cells[0];
    let mut simulator = Simulator::new(cell, 3).with_draws(0);
    let mut stages = [0; 3];
    for replicate in 0..60 {
        let record = simulator.study(replicate).unwrap();
        let looked = record.analyses[0].looked.as_ref().unwrap();
        let stage = usize::from(looked.stage);
        stages[stage] += 1;
        let state = simulator.state();
        let locks: Vec<u16> = state.locks.iter().map(|made| made.lock).collect();
        assert_eq!(locks, (0..=looked.stage).collect::<Vec<u16>>());
        let cut = state.locks.last().unwrap().cut;
        assert_eq!(
            looked.days as i32,
            cut.since(cell.protocol.first_opening()) + 1
        );
        let last = state.allocations.last().unwrap().family;
        assert!(state.family(last).unwrap().randomized <= cut);
        assert_eq!(record.families == 500, stage == 2);
        assert!(looked.information[stage] > 0.0);
        assert!(
            looked.information[stage + 1..]
                .iter()
                .all(|own| *own <= 0.0)
        );
    }
    assert!(stages[0] > 10 && stages[1] > 10, "{stages:?}");
}

/// By law: threads leave no trace, and a randomization test decides at a look by its own limit.
#[test]
fn looks_do_not_depend_on_threads() {
    let protocol_test =
        ["protocol.analysis.primary.test={ kind = \"randomization\", draws = 999 }"];
    let plan = planned(-0.4, &protocol_test);
    let answer = |threads, draws| {
        let options = Options {
            draws: Some(draws),
            ..options(120, threads)
        };
        simulate(&plan, &options, &|_, _| {}).unwrap()
    };
    let tested = answer(1, 199);
    assert_eq!(tested, answer(3, 199));
    // 199 redraws leave no p below .005, and the first look may spend .0005: nobody stops there.
    let (_, looks) = tested[0].looks.clone().unwrap();
    assert_eq!(looks.looks[0].stopped.value, Some(0.0));
    assert!(looks.looks[1].stopped.value.unwrap() > 0.5, "{looks:?}");
    assert_eq!(answer(1, 0), answer(2, 0));
}

/// By law: where the information fell, at the last look or before it, a simulated study says what `analyse` says of its state: the
/// same interval, nothing by stages, and the same decision. Five families a month, twenty in all, and the second look five days
/// after the first.
#[test]
fn looks_at_which_information_fell_are_those_of_a_live_study() {
    let settings = [
        "protocol.sample_size.stop.families=20",
        "accrual.families_per_month_and_site={ mean = 5 }",
        "protocol.lock.look-2.cut=2026-04-22",
    ];
    let plan = planned(-0.5, &settings);
    let cell = &plan.cells[0];
    let mut simulator = Simulator::new(cell, 3).with_draws(0);
    let mut fell = [0; 2];
    for replicate in 0..600 {
        let record = simulator.study(replicate).unwrap();
        let own = &record.analyses[0];
        let (looked, state) = (own.looked.as_ref().unwrap(), simulator.state());
        let seen = |information: &&f64| **information > 0.0;
        let information: Vec<f64> = looked.information.iter().filter(seen).copied().collect();
        let falls = |pair: &[f64]| pair[1] < 0.999 * pair[0];
        let last = information.len().saturating_sub(2);
        if !information.windows(2).any(falls) || state.locks.len() != information.len() {
            continue;
        }
        fell[usize::from(falls(&information[last..]))] += 1;
        let lock = state.locks.last().unwrap();
        let earlier = |(information, place): (&f64, usize)| EarlierLook {
            analysis: "primary".to_owned(),
            lock: usize::from(state.locks[place].lock),
            look: Look {
                estimate: 0.0,
                std_error: 1.0 / information.sqrt(),
                df: None,
            },
            p_value: None,
        };
        let id = cell.protocol.locks[usize::from(lock.lock)].id.clone();
        let settings = RunSettings {
            lock: Some(id),
            earlier: information.iter().zip(0..=last).map(earlier).collect(),
            ..RunSettings::default()
        };
        let registered = Analyses::registered(&cell.protocol, usize::from(lock.lock));
        let live = run(&cell.protocol, state, &registered, lock.cut, &settings);
        let live = &live.analyses[0];
        let (found, row) = (own.found.as_ref().unwrap(), &live.results[0]);
        assert_eq!(row.interval, "repeated");
        for (ours, theirs) in [
            (found.estimate, row.estimate),
            (found.conf_low, row.conf_low),
            (found.conf_high, row.conf_high),
        ] {
            let difference = (ours - theirs.unwrap()).abs();
            assert!(difference < 1e-9, "{replicate}: {ours} {theirs:?}");
        }
        assert_eq!(looked.rejects, found.p_value <= live.alpha.unwrap());
        let by_stages = live.results.iter().any(|row| row.interval == "stage-wise");
        assert!(looked.stage_wise.is_none() && !by_stages, "{replicate}");
    }
    assert!(fell[0] > 20 && fell[1] > 20, "{fell:?}");
}

/// Families of a stage: the first eight of twelve pairs have three each at the look and six at the end, the last four come later with
/// six each, so that a pair's share of the treated families is about the same; as many control families. Of each its pair, if treated,
/// and whether the look has it.
fn families() -> Vec<(Option<usize>, bool)> {
    let pairs = (0..12).flat_map(|pair| (0..6).map(move |k| (Some(pair), pair < 8 && k < 3)));
    pairs.chain((0..72).map(|k| (None, k < 24))).collect()
}

/// No effect, a tenth of the variance of treated families shared within pairs, .01 spent at the look and .05 in all: CR2 by pair with
/// Satterthwaite's degrees of freedom rejects at the look as often as it may, and in all as often as it may, within four Monte Carlo
/// standard errors.
#[test]
fn looks_with_clusters_spend_what_they_may() {
    let all = families();
    let stages: Vec<(Vec<usize>, Design, ClusterVariance)> = [true, false]
        .into_iter()
        .map(|early| {
            let rows: Vec<usize> = (0..all.len()).filter(|row| !early || all[*row].1).collect();
            let side = |row: &usize| match all[*row].0 {
                Some(_) => Arm::Treated,
                None => Arm::Control,
            };
            let arm: Vec<Arm> = rows.iter().map(side).collect();
            let design = Design::factor(&arm, &[], Form::Additive).unwrap();
            let mut codes: Vec<usize> = rows
                .iter()
                .map(|row| all[*row].0.unwrap_or(12 + row))
                .collect();
            let mut distinct = codes.clone();
            distinct.sort_unstable();
            distinct.dedup();
            for code in &mut codes {
                *code = distinct.binary_search(code).unwrap();
            }
            let codes: Vec<u32> = codes.into_iter().map(|code| code as u32).collect();
            let variance = ClusterVariance::new(&design, &codes, Variance::Cr2).unwrap();
            (rows, design, variance)
        })
        .collect();
    let replicates = 10_000_u32;
    let (mut early, mut ever) = (0_u32, 0_u32);
    let mut workspace = Workspace::default();
    for replicate in 0..replicates {
        let mut rng = stream::replicate(&[7; 32], u64::from(replicate));
        let mut deviate = || normal::quantile(stream::open_unit(&mut rng)).unwrap();
        let shared: Vec<f64> = (0..12).map(|_| 0.1_f64.sqrt() * deviate()).collect();
        let y: Vec<f64> = all
            .iter()
            .map(|(pair, _)| match pair {
                Some(pair) => shared[*pair] + 0.9_f64.sqrt() * deviate(),
                None => deviate(),
            })
            .collect();
        let looks: Vec<Look> = stages
            .iter()
            .map(|(rows, design, variance)| {
                let inference = variance.inference(Df::Satterthwaite, 0.95).unwrap();
                let y: Vec<f64> = rows.iter().map(|row| y[*row]).collect();
                let fit = variance.fit(design, &y, &inference, &mut workspace);
                Look {
                    estimate: fit.estimate,
                    std_error: fit.std_error,
                    df: fit.df,
                }
            })
            .collect();
        let information: Vec<f64> = looks.iter().map(Look::information).collect();
        let plan = Boundaries::spending(&information, &[0.01, 0.05], Sides::Two);
        // Where the information fell, the amount that is left.
        let critical = plan.map_or_else(
            |_| {
                [0.01, 0.04]
                    .map(|amount: f64| -normal::quantile(0.5 * amount).unwrap())
                    .to_vec()
            },
            |plan| plan.critical_values().to_vec(),
        );
        let crossed = |look: usize| looks[look].z().unwrap().abs() >= critical[look];
        early += u32::from(crossed(0));
        ever += u32::from(crossed(0) || crossed(1));
    }
    for (count, spent) in [(early, 0.01), (ever, 0.05)] {
        let share = f64::from(count) / f64::from(replicates);
        let mcse = (spent * (1.0 - spent) / f64::from(replicates)).sqrt();
        assert!(
            (share - spent).abs() <= 4.0 * mcse,
            "{share} is not {spent}"
        );
    }
}
