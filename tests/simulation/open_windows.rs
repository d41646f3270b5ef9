//! A look while windows are open, where families leave and cases close: it is about the families whose windows have ended.

use lottning::analysis::{Plan as Analyses, RunSettings, run};
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::study::Simulator;

const PROTOCOL: &str = include_str!("../../protocols/iuh-2025/protocol.toml");
const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");
/// Day of the look, of 24 months of enrolment; windows last 365 days, horizons 122.
const LOOK: i32 = 500;
const STUDIES: u64 = 200;

/// Two analyses by `linear` without covariates: whether there is a new report, and how long the investigation lasted.
fn planned(left_per_year: f64) -> Plan {
    let analysis = |id: &str, role: &str, outcome: &str, scale: &str| {
        format!(
            "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"{role}\"\n{outcome}\nestimator = \"linear\"\n\
             missing = {{ primary = \"complete-case\" }}\n\
             estimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"{scale}difference\" }}\n\n"
        )
    };
    let any = "outcome = \"rereport\"\nsummary = \"any\"";
    let start = PROTOCOL.find("[[analysis]]").unwrap();
    let protocol = format!(
        "{}{}{}",
        &PROTOCOL[..start],
        analysis("primary", "primary", any, "risk-"),
        analysis("days", "secondary", "outcome = \"investigation_days\"", ""),
    );
    let analyses = "analyses = [\"primary\", \"acceptance\"]";
    assert!(SCENARIO.contains(analyses));
    let scenario = SCENARIO.replace(analyses, "analyses = [\"primary\", \"days\"]");
    let left = format!("exit.left_coverage_per_year={left_per_year}");
    plan(&scenario, &protocol, &[left]).unwrap_or_else(|refused| panic!("{refused:?}"))
}

/// Errors of the estimates of both analyses at the look against the true effect in the families whose window has ended by
/// then; each look must count these and no others, by arm.
fn errors(left_per_year: f64) -> [Vec<f64>; 2] {
    let plan = planned(left_per_year);
    let cell = &plan.cells[1]; // benefit
    let protocol = &cell.protocol;
    let lock = |id: &str| protocol.locks.iter().position(|lock| lock.id == id);
    let analyses = Analyses::registered(protocol, lock("final").unwrap());
    let cut = protocol.first_opening().plus(LOOK);
    let mut simulator = Simulator::new(cell, 5).with_draws(0);
    let mut errors = [Vec::new(), Vec::new()];
    for replicate in 0..STUDIES {
        simulator.study(replicate).unwrap();
        let state = simulator.state();
        let found = run(protocol, state, &analyses, cut, &RunSettings::default());
        for ((place, own), errors) in found.analyses.iter().enumerate().zip(&mut errors) {
            let last = [365, 122][place];
            let (mut ended, mut effect) = ([0; 2], 0.0);
            for (drawn, values) in state.allocations.iter().zip(simulator.potentials()) {
                let family = state.family(drawn.family).unwrap();
                if family.randomized.plus(last) <= cut {
                    ended[drawn.arm.index()] += 1;
                    effect += values[place][1] - values[place][0];
                }
            }
            for (arm, ended) in own.arms.iter().zip(ended) {
                assert_eq!(arm.analysed + arm.missing + arm.by_rule, ended);
                assert!(ended > 20 && arm.not_yet > 20, "{ended} {}", arm.not_yet);
            }
            let truth = effect / f64::from(ended[0] + ended[1]);
            errors.push(own.results[0].estimate.unwrap() - truth);
        }
    }
    errors
}

/// Mean, within four Monte Carlo standard errors of 0.
#[track_caller]
fn no_bias(errors: &[f64]) {
    let n = errors.len() as f64;
    let mean = errors.iter().sum::<f64>() / n;
    let spread = errors.iter().map(|own| (own - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let mcse = (spread / n).sqrt();
    assert!(mean.abs() <= 4.0 * mcse, "{mean} (mcse {mcse})");
}

/// By law: who leaves at random takes nobody else out of a look, and adds nobody to it.
#[test]
fn leaving_does_not_choose_who_is_analysed() {
    let [any, _] = errors(0.2);
    no_bias(&any);
}

/// By law: where nobody leaves, a look finds the effect on durations in the families whose horizon has ended; were closed
/// cases known at once, short durations would come first.
#[test]
fn short_durations_do_not_come_first() {
    let [any, days] = errors(0.0);
    no_bias(&any);
    no_bias(&days);
}
