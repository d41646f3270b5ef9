//! Microseconds per factor and fit of the linear model, and per value of the randomization test's statistic.
//!
//! `cargo bench --bench estimation`. Timings are printed and gate nothing.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at the first surprise"
)]

use lottning::estimation::lin_statistic::LinStatistic;
use lottning::estimation::linear_model::{Design, Form, Workspace};
use lottning::estimation::{Arm, Df, Variance};
use lottning::numerics::student_t::StudentT;
use lottning::numerics::{normal, stream};
use std::hint::black_box;
use std::time::Instant;

/// Made-up rows: arms in turn at random, normal covariates (the first three are site indicators), a 0/1 outcome.
fn rows(n: usize, k: usize) -> (Vec<Arm>, Vec<f64>, Vec<f64>) {
    let mut rng = stream::replicate(&[7; 32], 0);
    let arm = (0..n)
        .map(|_| {
            if stream::below(&mut rng, 2) == 1 {
                Arm::Treated
            } else {
                Arm::Control
            }
        })
        .collect();
    let mut covariates = Vec::with_capacity(n * k);
    let sites: Vec<u64> = (0..n).map(|_| stream::below(&mut rng, 4)).collect();
    for j in 0..k {
        for site in &sites {
            covariates.push(if j < 3 {
                f64::from(u8::from(*site == j as u64))
            } else {
                normal::quantile(stream::open_unit(&mut rng)).unwrap()
            });
        }
    }
    let outcome = (0..n)
        .map(|_| f64::from(u8::from(stream::unit(&mut rng) < 0.4)))
        .collect();
    (arm, covariates, outcome)
}

fn time(what: &str, repeats: u32, mut body: impl FnMut()) {
    for _ in 0..repeats / 10 {
        body();
    }
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..repeats {
            body();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(repeats));
    }
    println!("{what:<60} {best:>8.2} µs");
}

fn main() {
    for (n, k) in [(330, 7), (700, 7)] {
        let (arm, covariates, outcome) = rows(n, k);
        let (mut design, mut workspace) = (Design::default(), Workspace::default());
        for (form, name) in [(Form::Interacted, "lin"), (Form::Additive, "linear")] {
            time(
                &format!("{name} n={n} k={k}: factor, HC2, Bell–McCaffrey, 2 fits"),
                2000,
                || {
                    design.refactor(&arm, &covariates, form).unwrap();
                    let inference = design
                        .inference(Variance::Hc2, Df::BellMccaffrey, 0.95)
                        .unwrap();
                    black_box(design.fit(&outcome, &inference, &mut workspace));
                    black_box(design.fit(&outcome, &inference, &mut workspace));
                },
            );
            let inference = design
                .inference(Variance::Hc2, Df::BellMccaffrey, 0.95)
                .unwrap();
            time(&format!("{name} n={n} k={k}: one more fit"), 10_000, || {
                black_box(design.fit(&outcome, &inference, &mut workspace));
            });
        }
        let mut statistic = LinStatistic::new(&covariates, &outcome);
        time(
            &format!("lin_statistic n={n} k={k}: one arm vector"),
            5000,
            || {
                black_box(statistic.evaluate(black_box(&arm)).unwrap());
            },
        );
    }
    let student = StudentT::new(182.3).unwrap();
    time("t, df 182.3: two-sided p", 100_000, || {
        black_box(student.two_sided(black_box(2.4)));
    });
    time("t, df 182.3: quantile", 20_000, || {
        black_box(student.quantile(black_box(0.975)).unwrap());
    });
}
