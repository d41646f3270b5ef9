//! Seconds of `randomization-test` with 1 and 2 threads, and of the same redraws in R.
//!
//! `cargo bench --bench randomization`: 1,000 made-up families in 8 strata, 100,000 redraws, p and interval. The answer
//! must be the same with any number of threads. Processor seconds beside the seconds on the clock say whether other work
//! kept the threads from running side by side. R redraws a studentized stratified difference 1,000 times and is scaled up;
//! it is left out where there is no Rscript. Timings are printed and gate nothing.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at the first surprise"
)]

mod measure;

use lottning::estimation::{Answer, Arm, Columns, Factor, Settings, estimate};
use lottning::numerics::{normal, stream};
use measure::{peak, processor};
use std::process::Command;
use std::time::Instant;

const FAMILIES: usize = 1000;
const DRAWS: u64 = 100_000;

fn columns() -> Columns {
    let mut rng = stream::replicate(&[7; 32], 0);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut columns = Columns::default();
    let mut strata = Vec::new();
    for i in 0..FAMILIES {
        let stratum = stream::below(&mut rng, 8) as usize;
        let treated = (i / 8) % 2 == 0;
        let noise = normal::quantile(stream::open_unit(&mut rng)).unwrap();
        columns
            .arm
            .push(if treated { Arm::Treated } else { Arm::Control });
        columns.outcome.push(Some(
            noise + 0.1 * stratum as f64 + 0.1 * f64::from(u8::from(treated)),
        ));
        strata.push(Some(names[stratum]));
    }
    columns.strata = vec![Factor::from_texts("site", strata)];
    columns
}

/// Seconds on the clock and of processors, and the answer, of the fastest of three runs.
fn timed(threads: usize, columns: &Columns) -> (f64, Option<f64>, Answer) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let settings = Settings {
        draws: Some(DRAWS),
        ..Settings::default()
    };
    let mut best: Option<(f64, Option<f64>, Answer)> = None;
    for _ in 0..3 {
        let (start, before) = (Instant::now(), processor());
        let answer = pool.install(|| estimate("randomization-test", columns, &settings).unwrap());
        let seconds = start.elapsed().as_secs_f64();
        let used = processor()
            .zip(before)
            .map(|(after, before)| after - before);
        if best.as_ref().is_none_or(|(least, ..)| seconds < *least) {
            best = Some((seconds, used, answer));
        }
    }
    best.unwrap()
}

/// Seconds of 100,000 redraws in R, from 1,000 of them.
fn in_r() -> Option<f64> {
    let script = "set.seed(1); n <- 1000; b <- sample(8, n, TRUE); z <- rep(rep(1:0, each = 8), length.out = n)
y <- rnorm(n) + .1 * b + .1 * z; rows <- split(seq_len(n), b); w <- lengths(rows) / n
statistic <- function(z) { t <- v <- 0; for (k in seq_along(rows)) { i <- rows[[k]]; a <- y[i][z[i] == 1]; c <- y[i][z[i] == 0]
  t <- t + w[k] * (mean(a) - mean(c)); v <- v + w[k]^2 * (var(a) / length(a) + var(c) / length(c)) }; t / sqrt(v) }
s <- proc.time()[[3]]; o <- statistic(z); r <- replicate(1000, { p <- z; for (i in rows) p[i] <- sample(z[i]); statistic(p) })
cat(100 * (proc.time()[[3]] - s))";
    let output = Command::new("Rscript").args(["-e", script]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn main() {
    let columns = columns();
    let before = peak();
    let (one, used_by_one, first) = timed(1, &columns);
    let (two, used_by_two, second) = timed(2, &columns);
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    let row = &first.results[0];
    println!(
        "randomization-test, {FAMILIES} families in 8 strata, {DRAWS} redraws: p {:?}, {:?} to {:?}",
        row.p_value, row.conf_low, row.conf_high
    );
    println!(
        "1 thread {one:.3} s, 2 threads {two:.3} s, ratio {:.2}; the same answer",
        one / two
    );
    if let (Some(alone), Some(both)) = (used_by_one, used_by_two) {
        println!(
            "processor seconds a second on the clock: {:.2} with 1 thread, {:.2} with 2",
            alone / one,
            both / two
        );
    }
    if let (Some(before), Some(after)) = (before, peak()) {
        println!("peak memory beyond the data {:.1} MB", after - before);
    }
    match in_r() {
        Some(seconds) => println!(
            "R, p alone: {seconds:.1} s; ratio to 2 threads {:.0}",
            seconds / two
        ),
        None => println!("R: no Rscript here, left out"),
    }
}
