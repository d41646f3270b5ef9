//! Microseconds of one study of workload W3 (600 families, minimization, a gate, seven analyses; limit 1 ms) on one core, whole
//! and in its parts, with what each analysis costs by itself.
//!
//! `cargo bench --bench whole_protocol`. Time is that of the thread on its processor.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise"
)]

mod measure;

use lottning::planning::scenario::plan;
use lottning::planning::study::Simulator;
use measure::seconds;
use std::hint::black_box;
use std::io::Write;

/// Least microseconds per study of some rounds.
fn least(studies: u64, what: &mut dyn FnMut(u64)) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = seconds();
        for replicate in 0..studies {
            what(replicate);
        }
        best = best.min((seconds() - start) * 1e6 / studies as f64);
    }
    best
}

fn main() {
    const W3: u64 = 300;
    let scenario = include_str!("../simulations/workloads/w3.toml");
    let protocol = include_str!("../simulations/protocols/whole.toml");
    let planned = |settings: &[String]| plan(scenario, protocol, settings).expect("W3 is sound");
    let whole = planned(&[]);
    let mut simulator = Simulator::new(&whole.cells[0], 1).with_draws(0);
    let all = least(W3, &mut |r| {
        black_box(simulator.study(r).expect("a study"));
    });
    let floor = least(W3, &mut |r| {
        black_box(simulator.floor(r));
    });
    let mut out = std::io::stdout().lock();
    let mut line = |what: &str, value: f64| {
        writeln!(out, "{what:<58} {value:8.1} µs").expect("standard output");
    };
    let live = least(W3, &mut |r| simulator.live(r).expect("a study"));
    let mut families = [0_u64; 3];
    for replicate in 0..W3 {
        let record = simulator.study(replicate).expect("a study");
        let own = [record.screened, record.turned_away, record.families];
        families = std::array::from_fn(|place| families[place] + u64::from(own[place]));
    }
    line("W3: random numbers of every arrival", floor);
    line("W3: whole study, seven analyses", all);
    line(
        "W3: world and kernel, potential values of all analyses",
        live,
    );
    line(
        "W3: all analyses together, which share what they can",
        all - live,
    );
    for (number, index) in whole.cells[0].scenario.analyses.iter().enumerate() {
        let id = &whole.cells[0].protocol.analyses[*index].id;
        let alone = planned(&[format!("analyses=[\"{id}\"]")]);
        let mut simulator = Simulator::new(&alone.cells[0], 1).with_draws(0);
        let live = least(W3, &mut |r| simulator.live(r).expect("a study"));
        let own = least(W3, &mut |r| {
            black_box(simulator.study(r).expect("a study"));
        });
        if number == 0 {
            line(&format!("W3: world and kernel, those of `{id}`"), live);
        }
        line(&format!("W3: lock, data set and `{id}` alone"), own - live);
    }
    let [screened, turned_away, families] = families.map(|sum| sum as f64 / W3 as f64);
    line(
        "W3: of a family that was screened, world and kernel",
        live / screened,
    );
    writeln!(
        out,
        "{screened:.0} screenings, {turned_away:.0} families turned away, {families:.0} randomized a study"
    )
    .expect("standard output");
    let verdict = if all < 1000.0 { "within" } else { "ABOVE" };
    writeln!(out, "{verdict} the limit of 1 ms").expect("standard output");
}
