//! Coverage of the intervals of risk ratios and odds ratios, by counting every two-by-two table: no random numbers.

use lottning::estimation::Counts;
use lottning::estimation::conditional_odds::conditional_odds;
use lottning::estimation::proportion_ratios::{Limits, Ratio, ratio};
use lottning::numerics::binomial::Binomial;

/// Limits of every table; an open end is infinite, an interval that does not exist is empty.
fn limits(n1: u64, n0: u64, of: impl Fn(Counts) -> (Option<f64>, Option<f64>)) -> Vec<(f64, f64)> {
    let mut limits = Vec::new();
    for x1 in 0..=n1 {
        for x0 in 0..=n0 {
            let (low, high) = of(Counts {
                treated_events: x1,
                treated_units: n1,
                control_events: x0,
                control_units: n0,
            });
            limits.push((low.unwrap_or(f64::INFINITY), high.unwrap_or(f64::INFINITY)));
        }
    }
    limits
}

fn coverage(n1: u64, n0: u64, p1: f64, p0: f64, truth: f64, limits: &[(f64, f64)]) -> f64 {
    let (b1, b0) = (
        Binomial::new(n1, p1).unwrap(),
        Binomial::new(n0, p0).unwrap(),
    );
    let mut sum = 0.0;
    for x1 in 0..=n1 {
        for x0 in 0..=n0 {
            let (low, high) = limits[(x1 * (n0 + 1) + x0) as usize];
            if low <= truth && truth <= high {
                sum += b1.pmf(x1) * b0.pmf(x0);
            }
        }
    }
    sum
}

fn odds(p1: f64, p0: f64) -> f64 {
    p1 * (1.0 - p0) / (p0 * (1.0 - p1))
}

/// Proportions off the lattice of possible estimates, where coverage jumps.
fn grid() -> impl Iterator<Item = (f64, f64)> {
    let p = |k: i32| (f64::from(k) + 0.413) / 20.0;
    (0..20).flat_map(move |i| (0..20).map(move |j| (p(i), p(j))))
}

/// Mean coverage of the score intervals over a grid of proportions is near 95 %; a log-Wald interval, where it does not
/// exist, covers nothing, which is why it is not the default.
#[test]
fn mean_coverage_by_enumeration() {
    for (n1, n0) in [(10, 10), (15, 30)] {
        for which in [Ratio::Risk, Ratio::Odds] {
            let mean = |kind: Limits| {
                let limits = limits(n1, n0, |counts| {
                    let effect = ratio(counts, which, kind, 0.95).unwrap();
                    (effect.conf_low, effect.conf_high)
                });
                let of = |(p1, p0): (f64, f64)| {
                    let truth = if which == Ratio::Risk {
                        p1 / p0
                    } else {
                        odds(p1, p0)
                    };
                    coverage(n1, n0, p1, p0, truth, &limits)
                };
                grid().map(of).sum::<f64>() / 400.0
            };
            let (score, wald) = (mean(Limits::Score), mean(Limits::LogWald));
            assert!(
                (0.945..0.975).contains(&score),
                "{n1} {n0} {which:?}: {score}"
            );
            assert!(wald < score, "{n1} {n0} {which:?}: {wald} {score}");
        }
    }
}

/// `"fisher-exact"`: the exact interval covers at least 95 % for every pair of proportions, and its p-value rejects a
/// true null at 5 % in at most 5 %.
#[test]
fn exact_interval_covers_everywhere() {
    for (n1, n0) in [(6, 6), (10, 15), (4, 20)] {
        let limits = limits(n1, n0, |counts| {
            let exact = conditional_odds(counts, 0.95).unwrap();
            (Some(exact.conf_low), exact.conf_high)
        });
        for (p1, p0) in grid() {
            let covered = coverage(n1, n0, p1, p0, odds(p1, p0), &limits);
            assert!(covered >= 0.95, "{n1} {n0} {p1} {p0}: {covered}");
        }
    }
}
