//! Milliseconds of `cox` beside R's `survival::coxph`, and the other estimators of times, on the same made-up rows.
//!
//! `cargo bench --bench survival`. Each data set is written to a temporary file that `Rscript` reads, both sides are timed
//! in one run, and the ratio is printed; without `Rscript` a line says so. R's time is that of the call alone; beside the fit
//! stands `lottning estimate` on the file, reading and all. Timings gate nothing.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at the first surprise"
)]

mod measure;

use lottning::estimation::{Arm, Columns, Covariate, Settings, Ties, Variance, estimate};
use lottning::numerics::{normal, stream};
use measure::peak;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::process::Command;
use std::time::Instant;

/// `n` rows followed for a year in whole days, or (`fine`) in times without ties: arms in turn, `k` normal covariates.
fn rows(n: usize, k: usize, fine: bool) -> Columns {
    let mut rng = stream::replicate(&[5; 32], n as u64);
    let mut normal = || normal::quantile(stream::open_unit(&mut rng)).unwrap();
    let covariates: Vec<Vec<f64>> = (0..k)
        .map(|_| (0..n).map(|_| (normal() * 1e4).round() / 1e4).collect())
        .collect();
    let mut rng = stream::replicate(&[6; 32], n as u64);
    let mut columns = Columns::default();
    let (mut time, mut event) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for (row, x) in covariates[0].iter().enumerate() {
        let arm = if row % 2 == 0 {
            Arm::Control
        } else {
            Arm::Treated
        };
        let eta = 0.3 * x - 0.5 * arm.index() as f64;
        let own = -libm::log(stream::open_unit(&mut rng)) / libm::exp(eta) * 300.0;
        let own = if fine {
            (own * 1e6).ceil() / 1e6
        } else {
            own.ceil()
        };
        let end = if fine {
            365.0 + stream::open_unit(&mut rng)
        } else {
            365.0
        };
        columns.arm.push(arm);
        time.push(Some(own.min(end)));
        event.push(Some(u32::from(own <= end)));
    }
    columns.time = Some(time);
    columns.event = Some(event);
    let named = covariates.into_iter().zip(1..);
    columns.covariates = named
        .map(|(x, j)| Covariate::numeric(format!("x{j}"), x.into_iter().map(Some).collect()))
        .collect();
    columns
}

/// Best of `repeats` runs, each of `inner` calls, in milliseconds a call.
fn time(repeats: u32, inner: u32, mut body: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..repeats {
        let start = Instant::now();
        for _ in 0..inner {
            body();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e3 / f64::from(inner));
    }
    best
}

/// The rows as a file that R reads.
fn file(columns: &Columns) -> tempfile::NamedTempFile {
    let mut text = String::from("z,t,e");
    for covariate in &columns.covariates {
        let _ = write!(text, ",{}", covariate.name);
    }
    text.push('\n');
    let (times, events) = (
        columns.time.as_ref().unwrap(),
        columns.event.as_ref().unwrap(),
    );
    for row in 0..columns.arm.len() {
        let (t, e) = (times[row].unwrap(), events[row].unwrap());
        let _ = write!(text, "{},{t},{e}", columns.arm[row].index());
        for covariate in &columns.covariates {
            if let lottning::estimation::Values::Numeric(values) = &covariate.values {
                let _ = write!(text, ",{}", values[row].unwrap());
            }
        }
        text.push('\n');
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// Milliseconds and answer of an R expression on the file's rows `d`.
fn in_r(
    columns: &Columns,
    fit: &str,
    answer: &str,
    repeats: u32,
    inner: u32,
) -> Option<(f64, f64)> {
    let file = file(columns);
    let script = format!(
        "suppressMessages(library(survival)); d <- read.csv('{}'); m <- Inf; \
         for (r in 1:{repeats}) m <- min(m, system.time(for (i in 1:{inner}) f <- {fit})[['elapsed']] / {inner}); \
         cat(sprintf('%.9g %.12g', 1e3 * m, {answer}))",
        file.path().display()
    );
    let output = Command::new("Rscript")
        .args(["-e", &script])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (milliseconds, value) = text.split_once(' ')?;
    Some((milliseconds.parse().ok()?, value.parse().ok()?))
}

/// Milliseconds of the command `lottning estimate` on the rows as a file, and its log hazard ratio.
fn command(columns: &Columns) -> (f64, f64) {
    let file = file(columns);
    let names: Vec<&str> = columns.covariates.iter().map(|x| x.name.as_str()).collect();
    let names = names.join(",");
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .args([
            "estimate",
            "--estimator",
            "cox",
            "--arm",
            "z",
            "--control",
            "0",
        ])
        .args(["--time", "t", "--event", "e", "--covariates", &names])
        .args(["--quiet", "--json"])
        .arg(file.path())
        .output()
        .unwrap();
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = text.split_once("\"estimate\":").unwrap();
    let number = rest.split([',', '}', '\n']).next().unwrap().trim();
    (milliseconds, libm::log(number.parse().unwrap()))
}

fn line(what: &str, own: f64, value: f64, r: Option<(f64, f64)>) {
    match r {
        Some((milliseconds, other)) => println!(
            "{what:<58} {own:>10.4} ms   R {milliseconds:>10.4} ms   {:>7.1} times; {value:.9} and {other:.9}",
            milliseconds / own
        ),
        None => println!("{what:<58} {own:>10.4} ms   (no Rscript with survival: not compared)"),
    }
}

fn main() {
    let settings = Settings::default();
    let cox = |columns: &Columns, settings: &Settings| {
        let row = estimate("cox", columns, settings)
            .unwrap()
            .results
            .remove(0);
        libm::log(row.estimate.unwrap())
    };
    let formula = |k: usize| {
        let names: Vec<String> = (1..=k).map(|j| format!("x{j}")).collect();
        format!("coxph(Surv(t, e) ~ z + {}, d)", names.join(" + "))
    };
    for fine in [false, true] {
        let times = if fine { "no ties" } else { "whole days" };
        let columns = rows(400, 6, fine);
        let before = peak();
        let own = time(20, 200, || {
            black_box(cox(black_box(&columns), &settings));
        });
        if let (Some(before), Some(after)) = (before, peak()) {
            println!(
                "cox n=400 k=6, {times}: peak of {after:.1} MB, {:.1} MB above the one before",
                after - before
            );
        }
        let r = in_r(&columns, &formula(6), "coef(f)[['z']]", 10, 50);
        line(
            &format!("cox n=400 k=6, {times}"),
            own,
            cox(&columns, &settings),
            r,
        );
    }
    for fine in [false, true] {
        let times = if fine { "no ties" } else { "whole days" };
        let columns = rows(1_000_000, 5, fine);
        let before = peak();
        let own = time(2, 1, || {
            black_box(cox(black_box(&columns), &settings));
        });
        if let (Some(before), Some(after)) = (before, peak()) {
            // Arm, time, event and covariates as they are given.
            let given = 1.0 + 16.0 + 8.0 + 5.0 * 16.0;
            println!(
                "cox n=1000000 k=5, {times}: {:.0} MB above the {:.0} MB of the columns",
                after - before,
                given * 1e6 / 1024.0 / 1024.0
            );
        }
        let r = in_r(&columns, &formula(5), "coef(f)[['z']]", 1, 1);
        line(
            &format!("cox n=1000000 k=5, {times}"),
            own,
            cox(&columns, &settings),
            r,
        );
        let (own, value) = command(&columns);
        line(
            &format!("cox n=1000000 k=5, {times}, the command"),
            own,
            value,
            r,
        );
        let robust = Settings {
            variance: Some(Variance::Robust),
            ties: Some(Ties::Breslow),
            ..settings
        };
        let own = time(1, 1, || {
            black_box(cox(black_box(&columns), &robust));
        });
        line(
            &format!("cox n=1000000 k=5, {times}, breslow, robust"),
            own,
            cox(&columns, &robust),
            None,
        );
        let mut plain = columns;
        plain.covariates.clear();
        let year = Settings {
            horizon: Some(365.0),
            ..settings
        };
        for (id, settings) in [
            ("kaplan-meier", year),
            ("rmst", year),
            ("log-rank", settings),
        ] {
            let own = time(2, 1, || {
                black_box(estimate(id, black_box(&plain), &settings).unwrap());
            });
            let row = estimate(id, &plain, &settings).unwrap().results.remove(0);
            let (fit, answer) = match id {
                "kaplan-meier" => (
                    "summary(survfit(Surv(t, e) ~ z, d), times = 365)$surv",
                    "diff(f)",
                ),
                "rmst" => (
                    "summary(survfit(Surv(t, e) ~ z, d), rmean = 365)$table[, 'rmean']",
                    "diff(f)",
                ),
                _ => ("survdiff(Surv(t, e) ~ z, d)", "f$chisq"),
            };
            let value = row.estimate.or(row.statistic).unwrap();
            let r = in_r(&plain, fit, answer, 1, 1);
            line(&format!("{id} n=1000000, {times}"), own, value, r);
        }
    }
}
