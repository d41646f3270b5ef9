//! Microseconds of one simulated IUH study of 330 families, whole and in its parts, on one core.
//!
//! `cargo bench --bench study` (limit of the spine: 350 µs through the kernel with both registered analyses, without
//! redraws). Time is that of the thread on its processor.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise"
)]

use lottning::planning::scenario::plan;
use lottning::planning::study::Simulator;
use std::hint::black_box;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds that this thread has spent on a processor (Linux), or the clock: other programs on the machine do not count.
fn seconds() -> f64 {
    let on_cpu = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    match on_cpu {
        Some(nanoseconds) => nanoseconds * 1e-9,
        None => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64()),
    }
}

const STUDIES: u64 = 2000;
const ROUNDS: usize = 5;

fn main() {
    let scenario = include_str!("../simulations/iuh-2025.toml");
    let protocol = include_str!("../protocols/iuh-2025/protocol.toml");
    let settings = ["protocol.sample_size.stop.families=330".to_owned()];
    let plan = plan(scenario, protocol, &settings).expect("the shipped scenario is sound");
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
    let mut out = std::io::stdout().lock();
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
    let verdict = if whole < 350.0 { "within" } else { "ABOVE" };
    writeln!(out, "{verdict} the limit of 350 µs").expect("standard output");
}
