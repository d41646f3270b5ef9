//! The five workloads of `simulations/workloads`: studies a second by both engines, beside the floor of their random
//! numbers, memory, and the time to a Monte Carlo standard error of .005.
//!
//! `cargo bench --bench workloads [w1 …]`. The floor of a workload is the time to draw its random numbers in bulk, the same
//! words of the same streams, measured beside what it is compared with. Time is that of the thread on its processor;
//! of several rounds the best counts.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise"
)]

mod measure;

use lottning::planning::kernel_tier::Kernel;
use lottning::planning::scenario::{Cell, Plan, plan};
use lottning::planning::study::Simulator;
use measure::{peak, seconds};
use std::hint::black_box;
use std::io::Write;

/// A workload: its name, scenario, protocol, studies a round by the kernel and by the whole machine, and how many
/// floors the kernel may take.
struct Workload {
    name: &'static str,
    scenario: &'static str,
    protocol: &'static str,
    studies: [u64; 2],
    limit: Option<f64>,
}

macro_rules! workload {
    ($name:literal, $protocol:literal, $studies:expr, $limit:expr) => {
        Workload {
            name: $name,
            scenario: include_str!(concat!("../simulations/workloads/", $name, ".toml")),
            protocol: include_str!(concat!("../simulations/protocols/", $protocol, ".toml")),
            studies: $studies,
            limit: $limit,
        }
    };
}

const WORKLOADS: [Workload; 6] = [
    workload!("w1", "fixed-binary", [50_000, 500], Some(3.0)),
    workload!("w2", "score", [2000, 20], Some(4.0)),
    workload!("w3", "whole", [0, 50], None),
    workload!("w3-overflow", "whole-without-gate", [0, 50], None),
    workload!("w4", "monitored", [5_000, 500], Some(4.0)),
    workload!("w5", "fixed-binary", [20, 2], Some(3.0)),
];

/// Rounds of at least a tenth of a second each: the clock of a thread is told a few milliseconds at a time.
const ROUNDS: usize = 5;
/// Standard error that a power is to have.
const PRECISE: f64 = 0.005;

/// Microseconds of one of `studies`.
fn each(studies: u64, mut what: impl FnMut(u64)) -> f64 {
    let start = seconds();
    for replicate in 0..studies {
        what(replicate);
    }
    (seconds() - start) * 1e6 / studies as f64
}

/// What one study costs in microseconds, over the cells.
#[derive(Default)]
struct Costs {
    study: f64,
    kernel: f64,
    /// Numbers of the kernel in bulk, and how many words they are.
    floor: f64,
    words: f64,
    /// Share of studies that reject, of the kernel's where there is one.
    power: f64,
    both: bool,
    cells: f64,
}

fn planned(workload: &Workload, settings: &[&str]) -> Plan {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    plan(workload.scenario, workload.protocol, &settings).expect("a shipped workload is sound")
}

fn whole(cell: &Cell, studies: u64, costs: &mut Costs) {
    let mut simulator = Simulator::new(cell, 1);
    let mut rejected = 0_u64;
    let mut best = f64::INFINITY;
    for round in 0..ROUNDS {
        let found = each(studies, |replicate| {
            let record = simulator.study(replicate).expect("a study");
            rejected += u64::from(round == 0 && record.analyses[0].rejects(0.05));
        });
        best = best.min(found);
    }
    costs.study += best;
    if !costs.both {
        costs.power += rejected as f64 / studies as f64;
    }
    costs.cells += 1.0;
}

fn kernel(cell: &Cell, studies: u64, costs: &mut Costs) {
    let mut kernel = Kernel::new(cell, 1);
    let mut numbers = Vec::with_capacity(studies as usize);
    let mut rejected = 0_u64;
    for replicate in 0..studies {
        let record = kernel.study(replicate).expect("a study");
        rejected += u64::from(record.analyses[0].rejects(0.05));
        numbers.push(kernel.numbers());
    }
    costs.power += rejected as f64 / studies as f64;
    assert_eq!(kernel.left(), 0, "a path settles every study of a workload");
    let (mut fast, mut floor) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        fast = fast.min(each(studies, |replicate| {
            black_box(kernel.study(replicate).expect("a study"));
        }));
        floor = floor.min(each(studies, |replicate| {
            black_box(kernel.floor(replicate, &numbers[replicate as usize]));
        }));
    }
    let words: u64 = numbers
        .iter()
        .map(lottning::planning::kernel_tier::Numbers::words)
        .sum();
    costs.kernel += fast;
    costs.floor += floor;
    costs.words += words as f64 / studies as f64;
}

fn main() {
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|own| !own.starts_with('-'))
        .collect();
    let mut out = std::io::stdout().lock();
    let mut tell = |text: String| writeln!(out, "{text}").expect("standard output");
    for workload in &WORKLOADS {
        if !chosen.is_empty() && !chosen.iter().any(|own| own == workload.name) {
            continue;
        }
        let mut costs = Costs {
            both: workload.limit.is_some(),
            ..Costs::default()
        };
        // Of a large grid some cells, from one end to the other; by an odd step, so that keys that run fast take turns.
        let cells = planned(workload, &[]).cells;
        let step = cells.len().div_ceil(12) | 1;
        for cell in cells.iter().step_by(step) {
            whole(cell, workload.studies[1], &mut costs);
        }
        if workload.limit.is_some() {
            let plan = planned(workload, &["engine=\"kernel\""]);
            for cell in plan.cells.iter().step_by(step) {
                kernel(cell, workload.studies[0], &mut costs);
            }
        }
        let mean = |sum: f64| sum / costs.cells;
        let power = mean(costs.power);
        let studies = power * (1.0 - power) / (PRECISE * PRECISE);
        let line = |what: &str, micros: f64| {
            format!(
                "{:<12} {what:<34} {micros:>11.1} µs a study {:>10.0} studies a core-second {:>9.2} core-seconds to an error of .005",
                workload.name,
                1e6 / micros,
                micros * studies * 1e-6,
            )
        };
        tell(line("engine study", mean(costs.study)));
        if let Some(limit) = workload.limit {
            let (fast, floor) = (mean(costs.kernel), mean(costs.floor));
            let words = mean(costs.words);
            tell(line("engine kernel", fast));
            tell(line(&format!("floor: {words:.0} words in bulk"), floor));
            let ratio = fast / floor;
            let verdict = if ratio <= limit { "within" } else { "ABOVE" };
            tell(format!(
                "{:<12} kernel / floor = {ratio:.2}: {verdict} the limit of {limit}; study / kernel = {:.0}",
                workload.name,
                mean(costs.study) / fast,
            ));
        }
        if let Some(megabytes) = peak() {
            tell(format!(
                "{:<12} most memory so far {megabytes:.0} MB",
                workload.name
            ));
        }
    }
}
