//! Microseconds of one simulated IUH study of 330 families, whole and in its parts, on one core.
//!
//! `cargo bench --bench study` (limit of the spine: 350 µs through the kernel with both registered analyses, without
//! redraws). `floor` is the time to draw the random numbers of all families that come, as if each were randomized.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise"
)]

use lottning::planning::scenario::plan;
use lottning::planning::study::Simulator;
use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

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
    let mut best = [f64::INFINITY; 4];
    for _ in 0..ROUNDS {
        let mut each = |what: &mut dyn FnMut(&mut Simulator<'_>, u64)| {
            let start = Instant::now();
            for replicate in 0..STUDIES {
                what(&mut simulator, replicate);
            }
            start.elapsed().as_secs_f64() * 1e6 / STUDIES as f64
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
    let [floor, live, whole, _] = best;
    let mut out = std::io::stdout().lock();
    let mut line = |what: &str, value: f64| {
        writeln!(out, "{what:<44} {value:8.1} µs").expect("standard output");
    };
    line("families per study (mean)", f64::from(families) / 100.0);
    line("floor: random numbers of all families", floor);
    line("world and kernel", live);
    line("lock, data sets, analyses", whole - live);
    line("whole study", whole);
    assert!(
        whole < 350.0,
        "one study takes {whole:.0} µs, the limit is 350"
    );
}
