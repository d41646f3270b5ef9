//! The linear family against R on the same data in one run: both times and their ratio.
//!
//! `cargo bench --bench against_r`. Data are made up here, written to a temporary folder and read by `Rscript`, whose
//! time is that of the call alone. Without `Rscript` or estimatr its side is skipped with a message. Timings are
//! printed and gate nothing.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at the first surprise"
)]

use lottning::estimation::lin_statistic::LinStatistic;
use lottning::estimation::{
    Arm, Columns, Covariate, Estimate, Factor, Prepared, Settings, estimate,
};
use lottning::numerics::{normal, stream};
use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Made-up rows with `k` normal covariates; with `families` rows fall into families, each in one arm.
fn columns(n: usize, k: usize, families: Option<usize>) -> Columns {
    let mut rng = stream::replicate(&[9; 32], n as u64);
    // Every family has a row; the others fall at random.
    let family: Vec<usize> = (0..n)
        .map(|i| match families {
            Some(families) if i >= families => stream::below(&mut rng, families as u64) as usize,
            _ => i,
        })
        .collect();
    let arm: Vec<Arm> = family
        .iter()
        .map(|family| {
            if family * 7 % 11 < 5 {
                Arm::Treated
            } else {
                Arm::Control
            }
        })
        .collect();
    let mut noise = || normal::quantile(stream::open_unit(&mut rng)).unwrap();
    let common: Vec<f64> = (0..n).map(|_| 0.5 * noise()).collect();
    let mut covariates = Vec::new();
    for j in 0..k {
        let values = (0..n).map(|_| Some(noise())).collect();
        covariates.push(Covariate::numeric(format!("x{j}"), values));
    }
    let outcome = (0..n)
        .map(|i| Some(noise() + common[family[i]] + 0.3 * arm[i].index() as f64))
        .collect();
    let names: Vec<String> = family.iter().map(|f| format!("F{f}")).collect();
    Columns {
        arm,
        outcome,
        covariates,
        cluster: families
            .map(|_| Factor::from_texts("family", names.iter().map(|name| Some(name.as_str())))),
        ..Columns::default()
    }
}

fn write(columns: &Columns, path: &Path) {
    let mut text = String::from("y,z,family");
    for covariate in &columns.covariates {
        let _ = write!(text, ",{}", covariate.name);
    }
    text.push('\n');
    for row in 0..columns.arm.len() {
        let family = columns
            .cluster
            .as_ref()
            .and_then(|f| f.codes[row])
            .unwrap_or(row as u32);
        let _ = write!(
            text,
            "{},{},{family}",
            columns.outcome[row].unwrap(),
            columns.arm[row].index()
        );
        for covariate in &columns.covariates {
            if let lottning::estimation::Values::Numeric(values) = &covariate.values {
                let _ = write!(text, ",{}", values[row].unwrap());
            }
        }
        text.push('\n');
    }
    std::fs::write(path, text).unwrap();
}

/// Seconds of one call, the best of five times `repeats`.
fn time(repeats: u32, mut body: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..repeats {
            body();
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(repeats));
    }
    best
}

/// Seconds of one R call, and its estimate, standard error and degrees of freedom of `z`.
fn r(path: &Path, call: &str, repeats: u32) -> Option<Vec<f64>> {
    let script = format!(
        "suppressMessages(library(estimatr)); d <- read.csv('{}'); m <- {call}; \
         s <- min(replicate(3, system.time(for (i in 1:{repeats}) {call})[['elapsed']])) / {repeats}; \
         cat(sprintf('%.15g', c(s, m$coefficients[['z']], m$std.error[['z']], m$df[['z']])))",
        path.display()
    );
    let output = Command::new("Rscript").args(["-e", &script]).output();
    let text = match output {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => {
            println!("  Rscript with estimatr is not there: its side is skipped");
            return None;
        }
    };
    Some(text.split(' ').map(|x| x.parse().unwrap()).collect())
}

fn compare(what: &str, own: f64, effect: &Estimate, r: Option<Vec<f64>>, same_df: bool) {
    println!("{what}: lottning {:.1} µs", own * 1e6);
    let Some(r) = r else { return };
    println!("  R {:.1} µs, ratio {:.0}", r[0] * 1e6, r[0] / own);
    let apart = |own: Option<f64>, other: f64| (own.unwrap() / other - 1.0).abs();
    println!(
        "  relative difference of estimate {:.1e}, standard error {:.1e}{}",
        apart(effect.estimate, r[1]),
        apart(effect.std_error, r[2]),
        if same_df {
            format!(", degrees of freedom {:.1e}", apart(effect.df, r[3]))
        } else {
            String::new()
        }
    );
}

/// Kilobytes of a line of `/proc/self/status`, where there is one.
fn memory(line: &str) -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(line))?;
    line.trim().trim_end_matches(" kB").trim().parse().ok()
}

/// Memory now, from which the peak begins anew where the kernel allows.
fn peak_begins() -> Option<f64> {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    memory("VmRSS:")
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.csv");
    let settings = Settings::default();

    let data = columns(400, 6, None);
    write(&data, &path);
    let before = peak_begins();
    let own = time(500, || {
        black_box(estimate("lin", black_box(&data), &settings).unwrap());
    });
    if let (Some(before), Some(peak)) = (before, memory("VmHWM:")) {
        println!(
            "lin, 400 rows: peak beyond the data {:.0} kB",
            peak - before
        );
    }
    let answer = estimate("lin", &data, &settings).unwrap();
    let call = "lm_lin(y ~ z, ~ x0 + x1 + x2 + x3 + x4 + x5, d, se_type = 'HC2')";
    let what = "lin, 400 rows, 6 covariates, HC2 and Bell–McCaffrey (R without the latter)";
    compare(
        what,
        own,
        answer.effect().unwrap(),
        r(&path, call, 50),
        false,
    );

    let prepared = Prepared::new(&data).unwrap();
    let mut statistic = LinStatistic::new(&prepared.covariates, &prepared.outcome);
    let own = time(5000, || {
        black_box(statistic.evaluate(black_box(&prepared.arm)).unwrap());
    });
    println!(
        "a redraw of the lin statistic, 400 rows, 6 covariates: {:.2} µs",
        own * 1e6
    );

    let data = columns(10_000, 4, Some(6_000));
    write(&data, &path);
    let own = time(20, || {
        black_box(estimate("linear", black_box(&data), &settings).unwrap());
    });
    let answer = estimate("linear", &data, &settings).unwrap();
    let call = "lm_robust(y ~ z + x0 + x1 + x2 + x3, d, clusters = family, se_type = 'CR2')";
    let what = "linear, 10,000 children in 6,000 families, CR2 and Satterthwaite";
    compare(what, own, answer.effect().unwrap(), r(&path, call, 1), true);

    for (n, repeats) in [(10_000, 20), (100_000, 2), (1_000_000, 1)] {
        let data = columns(n, 4, Some(n * 6 / 10));
        let before = peak_begins();
        let own = time(repeats, || {
            black_box(estimate("linear", black_box(&data), &settings).unwrap());
        });
        println!(
            "linear with CR2, {n} rows: {:.0} ns a row",
            own * 1e9 / n as f64
        );
        if let (Some(before), Some(peak)) = (before, memory("VmHWM:")) {
            // Outcome, arm and four covariates as numbers of eight bytes.
            let matrix = 6.0 * 8.0 * n as f64 / 1024.0;
            println!(
                "  peak beyond the data {:.1} MB, {:.1} times the columns' numbers",
                (peak - before) / 1024.0,
                (peak - before) / matrix
            );
        }
    }
}
