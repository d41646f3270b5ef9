//! Microseconds of one simulated IUH study of 330 families, whole and in its parts, on one core; what a second thread
//! brings; and memory with few and with many replicates.
//!
//! `cargo bench --bench study` (limit: 3,000 studies a second and core through the kernel with both registered analyses,
//! without redraws). Time of a study is that of the thread on its processor; that of threads is on the clock, with the
//! processor seconds beside it that say whether other work kept them from running side by side. Each peak of memory is that
//! of a process of its own.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise"
)]

mod measure;

use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{CellPerformance, Options, simulate};
use lottning::planning::study::Simulator;
use measure::{peak, processor, seconds};
use std::hint::black_box;
use std::io::Write;
use std::process::Command;
use std::time::Instant;

const STUDIES: u64 = 2000;
const ROUNDS: usize = 5;
/// Microseconds of a study at 3,000 a second.
const LIMIT: f64 = 1e6 / 3000.0;

fn scenario(settings: &[String]) -> Plan {
    let scenario = include_str!("../simulations/iuh-2025.toml");
    let protocol = include_str!("../protocols/iuh-2025/protocol.toml");
    plan(scenario, protocol, settings).expect("the shipped scenario is sound")
}

/// Microseconds of the lock, the data set and one analysis of a study of 330 families, the least of some rounds.
fn alone(id: &str) -> f64 {
    let plan = scenario(&[
        "protocol.sample_size.stop.families=330".to_owned(),
        format!("analyses=[\"{id}\"]"),
    ]);
    let mut simulator = Simulator::new(&plan.cells[1], 1).with_draws(0);
    let mut best = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (place, best) in best.iter_mut().enumerate() {
            let start = seconds();
            for replicate in 0..STUDIES / 4 {
                if place == 0 {
                    simulator.live(replicate).expect("a study");
                } else {
                    black_box(simulator.study(replicate).expect("a study"));
                }
            }
            *best = best.min((seconds() - start) * 1e6 / (STUDIES / 4) as f64);
        }
    }
    best[1] - best[0]
}

/// Families of a study of the shipped scenario, which runs until its protocol's last day or 712 families, and microseconds
/// of it, the least of some rounds.
fn as_shipped() -> (f64, f64) {
    let plan = scenario(&[]);
    let mut simulator = Simulator::new(&plan.cells[1], 1).with_draws(0);
    let (mut best, mut families) = (f64::INFINITY, 0_u64);
    for _ in 0..ROUNDS {
        families = 0;
        let start = seconds();
        for replicate in 0..STUDIES / 4 {
            families += u64::from(simulator.study(replicate).expect("a study").families);
        }
        best = best.min((seconds() - start) * 1e6 / (STUDIES / 4) as f64);
    }
    (families as f64 / (STUDIES / 4) as f64, best)
}

/// What the shipped scenario shows, with so many studies a cell.
fn simulated(replicates: u64, draws: Option<u32>, threads: usize) -> Vec<CellPerformance> {
    let options = Options {
        replicates: Some(replicates),
        draws,
        threads: Some(threads),
        ..Options::default()
    };
    simulate(&scenario(&[]), &options, &|_, _| {}).expect("the shipped scenario runs")
}

/// Seconds on the clock, processor seconds a second on it, and the figures, of the fastest of three runs.
fn timed(threads: usize) -> (f64, Option<f64>, Vec<CellPerformance>) {
    let run = |_| {
        let (start, before) = (Instant::now(), processor());
        let found = simulated(400, None, threads);
        let seconds = start.elapsed().as_secs_f64();
        let used = processor().zip(before);
        (
            seconds,
            used.map(|(after, before)| (after - before) / seconds),
            found,
        )
    };
    let runs = (0..3)
        .map(run)
        .min_by(|one, other| one.0.total_cmp(&other.0));
    runs.expect("three runs")
}

/// Peak memory, in megabytes, of a process that runs so many studies of each cell.
fn peak_of(replicates: u64) -> Option<f64> {
    let own = std::env::current_exe().ok()?;
    let child = Command::new(own)
        .args([CHILD, &replicates.to_string()])
        .output();
    String::from_utf8(child.ok()?.stdout)
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// First argument of a process whose memory is asked for.
const CHILD: &str = "peak-of";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut out = std::io::stdout().lock();
    if arguments.next().as_deref() == Some(CHILD) {
        let replicates = arguments.next().and_then(|number| number.parse().ok());
        black_box(simulated(replicates.expect("a number"), Some(0), 1));
        writeln!(out, "{}", peak().expect("a peak")).expect("standard output");
        return;
    }
    let plan = scenario(&["protocol.sample_size.stop.families=330".to_owned()]);
    let mut simulator = Simulator::new(&plan.cells[1], 1).with_draws(0);
    let mut families = 0;
    for replicate in 0..100 {
        families += simulator.study(replicate).expect("a study").families;
    }
    let mut best = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        let mut each = |what: &mut dyn FnMut(&mut Simulator<'_>, u64)| {
            let start = seconds();
            for replicate in 0..STUDIES {
                what(&mut simulator, replicate);
            }
            (seconds() - start) * 1e6 / STUDIES as f64
        };
        let found = [
            each(&mut |simulator, r| {
                black_box(simulator.floor(r));
            }),
            each(&mut |simulator, r| simulator.live(r).expect("a study")),
            each(&mut |simulator, r| {
                black_box(simulator.study(r).expect("a study"));
            }),
        ];
        for (best, found) in best.iter_mut().zip(found) {
            *best = best.min(found);
        }
    }
    let [floor, live, whole] = best;
    assert_eq!(families, 100 * 330, "each study has 330 families");
    let mut line = |what: &str, value: f64| {
        writeln!(out, "{what:<58} {value:8.1} µs").expect("standard output");
    };
    line(
        "random numbers, were every arrival of 24 months randomized",
        floor,
    );
    line("world and kernel", live);
    line("lock, data sets, analyses", whole - live);
    line("whole study", whole);
    for index in &plan.cells[1].scenario.analyses {
        let id = &plan.cells[1].protocol.analyses[*index].id;
        line(&format!("lock, data set and `{id}` alone"), alone(id));
    }
    let verdict = if whole < LIMIT { "within" } else { "ABOVE" };
    let a_second = 1e6 / whole;
    writeln!(
        out,
        "{a_second:.0} studies a second and core: {verdict} the limit of 3000"
    )
    .expect("standard output");
    let (families, shipped) = as_shipped();
    writeln!(
        out,
        "as shipped, with {families:.0} families a study: {shipped:.1} µs, {:.0} studies a second and core",
        1e6 / shipped
    )
    .expect("standard output");
    let (one, alone, first) = timed(1);
    let (two, both, second) = timed(2);
    assert_eq!(first, second, "the same figures for any number of threads");
    writeln!(
        out,
        "simulations/iuh-2025.toml, 400 studies a cell: 1 thread {one:.3} s, 2 threads {two:.3} s, ratio {:.2}; the same figures",
        one / two
    )
    .expect("standard output");
    if let (Some(alone), Some(both)) = (alone, both) {
        writeln!(
            out,
            "processor seconds a second on the clock: {alone:.2} with 1 thread, {both:.2} with 2"
        )
        .expect("standard output");
    }
    if let (Some(few), Some(many)) = (peak_of(1000), peak_of(10_000)) {
        writeln!(
            out,
            "peak memory {few:.1} MB with 1000 studies a cell, {many:.1} MB with 10000"
        )
        .expect("standard output");
    }
}
