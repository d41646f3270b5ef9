//! Nanoseconds of a draw whose arm is certain and of one whose arm is not, for methods that force arms, on one core.
//!
//! `cargo bench --bench concealment`. A coarse comparison for people to read, no gate: both take one bounded number from
//! the same stream, and the medians should differ by no more than the noise. Time is that of the machine's clock.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise"
)]

use lottning::allocation::{
    Address, Mode, Options, Ratio, Seed, StratumKeys, Unit, choose, draw_arm,
};
use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

const DRAWS: u64 = 400;
const ROUNDS: usize = 200;

fn main() {
    for (method, options) in [
        ("permuted-block", &[("block_len", "4")][..]),
        ("big-stick", &[("max_imbalance", "2")][..]),
    ] {
        let ratio = Ratio::new(&[1, 1]).expect("1:1 is a ratio");
        let design = choose(method, &ratio, &Options::of(options), Some(DRAWS))
            .expect("the method takes 1:1");
        let address = Address {
            mode: Mode::Draw,
            study: "bench",
            epoch: 0,
            levels: &[],
        };
        let mut keys = StratumKeys::derive(&Seed::from_bytes([7; 32]), &address);
        let mut times: [Vec<u128>; 2] = [Vec::new(), Vec::new()];
        let mut sequence = design.begin(&mut keys);
        for index in 0..DRAWS {
            let weights = design.weights(&*sequence, &Unit::default());
            let possible = weights.as_slice().iter().filter(|own| **own > 0).count();
            let start = Instant::now();
            for _ in 0..ROUNDS {
                let unit = Unit::default();
                black_box(draw_arm(&*design, &*sequence, &unit, index, &mut keys));
            }
            times[usize::from(possible > 1)].push(start.elapsed().as_nanos() / ROUNDS as u128);
            let unit = Unit::default();
            let arm = draw_arm(&*design, &*sequence, &unit, index, &mut keys);
            design.step(&mut *sequence, &unit, arm, &mut keys);
        }
        let median = |times: &mut Vec<u128>| {
            times.sort_unstable();
            times.get(times.len() / 2).copied().unwrap_or(0)
        };
        let [certain, free] = &mut times;
        let line = format!(
            "{method}: certain {} ns ({} draws), free {} ns ({} draws)\n",
            median(certain),
            certain.len(),
            median(free),
            free.len(),
        );
        std::io::stdout()
            .write_all(line.as_bytes())
            .expect("standard output takes a line");
    }
}
