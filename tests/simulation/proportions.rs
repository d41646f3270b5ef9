//! Coverage of the intervals of a risk difference, by counting every two-by-two table: no random numbers.

use lottning::estimation::two_proportions::risk_difference;
use lottning::estimation::{Counts, Interval};
use lottning::numerics::binomial::Binomial;

const KINDS: [Interval; 5] = [
    Interval::MiettinenNurminen,
    Interval::Mee,
    Interval::Newcombe,
    Interval::Wald,
    Interval::AgrestiCaffo,
];

/// Limits of every table with these arms, by kind; a Wald interval that does not exist covers the estimate alone.
fn limits(n1: u64, n0: u64, interval: Interval) -> Vec<(f64, f64)> {
    let mut limits = Vec::new();
    for x1 in 0..=n1 {
        for x0 in 0..=n0 {
            let counts = Counts {
                treated_events: x1,
                treated_units: n1,
                control_events: x0,
                control_units: n0,
            };
            let effect = risk_difference(counts, interval, 0.95).unwrap();
            limits.push((
                effect.conf_low.unwrap_or(effect.estimate),
                effect.conf_high.unwrap_or(effect.estimate),
            ));
        }
    }
    limits
}

fn coverage(n1: u64, n0: u64, p1: f64, p0: f64, limits: &[(f64, f64)]) -> f64 {
    let (b1, b0) = (
        Binomial::new(n1, p1).unwrap(),
        Binomial::new(n0, p0).unwrap(),
    );
    let delta = p1 - p0;
    let mut sum = 0.0;
    for x1 in 0..=n1 {
        for x0 in 0..=n0 {
            let (low, high) = limits[(x1 * (n0 + 1) + x0) as usize];
            if low <= delta && delta <= high {
                sum += b1.pmf(x1) * b0.pmf(x0);
            }
        }
    }
    sum
}

/// Mean coverage over a grid of proportions: the score intervals, square-and-add and Agresti–Caffo are near 95 %, the
/// Wald interval below it (the finding of Newcombe 1998b, section 4, and of Agresti and Caffo 2000).
#[test]
fn mean_coverage_by_enumeration() {
    for (n1, n0) in [(10, 10), (15, 30), (40, 25)] {
        let mean = KINDS.map(|interval| {
            let limits = limits(n1, n0, interval);
            let mut sum = 0.0;
            for i in 0..25 {
                for j in 0..25 {
                    // Off the lattice of possible estimates, where coverage jumps.
                    let p = |k: i32| (f64::from(k) + 0.413) / 25.0;
                    sum += coverage(n1, n0, p(i), p(j), &limits);
                }
            }
            sum / 625.0
        });
        let [miettinen_nurminen, mee, newcombe, wald, agresti_caffo] = mean;
        for (value, name) in [
            (miettinen_nurminen, "miettinen-nurminen"),
            (mee, "mee"),
            (newcombe, "newcombe"),
            (agresti_caffo, "agresti-caffo"),
        ] {
            assert!((0.945..0.975).contains(&value), "{n1} {n0} {name}: {value}");
        }
        assert!(wald < 0.94 && wald > 0.8, "{n1} {n0} wald: {wald}");
    }
}

/// N/(N−1) widens: every Miettinen–Nurminen interval contains the Mee interval of the same table.
#[test]
fn miettinen_nurminen_contains_mee() {
    for (n1, n0) in [(7, 7), (12, 5)] {
        let wide = limits(n1, n0, Interval::MiettinenNurminen);
        let narrow = limits(n1, n0, Interval::Mee);
        for (wide, narrow) in wide.iter().zip(&narrow) {
            assert!(
                wide.0 <= narrow.0 + 1e-11 && wide.1 >= narrow.1 - 1e-11,
                "{wide:?} {narrow:?}"
            );
        }
    }
}

/// Exchanging events and non-events mirrors an interval; exchanging arms does too.
#[test]
fn intervals_mirror() {
    let (n1, n0) = (9, 6);
    for interval in KINDS {
        for x1 in 0..=n1 {
            for x0 in 0..=n0 {
                let of = |a, n, b, m| {
                    let counts = Counts {
                        treated_events: a,
                        treated_units: n,
                        control_events: b,
                        control_units: m,
                    };
                    let effect = risk_difference(counts, interval, 0.95).unwrap();
                    (effect.conf_low, effect.conf_high)
                };
                let (low, high) = of(x1, n1, x0, n0);
                for (l, h) in [of(n1 - x1, n1, n0 - x0, n0), of(x0, n0, x1, n1)] {
                    let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
                        (Some(a), Some(b)) => (a + b).abs() < 1e-10,
                        (a, b) => a.is_none() && b.is_none(),
                    };
                    assert!(near(low, h) && near(high, l), "{interval} {x1} {x0}");
                }
            }
        }
    }
}
