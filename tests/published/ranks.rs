//! Two samples of small published data.

use lottning::estimation::{Answer, Arm, Columns, Settings, estimate};

pub(crate) fn samples(x: &[f64], y: &[f64]) -> Columns {
    let treated = x.iter().map(|v| (Arm::Treated, Some(*v)));
    let (arm, outcome) = treated
        .chain(y.iter().map(|v| (Arm::Control, Some(*v))))
        .unzip();
    Columns {
        arm,
        outcome,
        ..Columns::default()
    }
}

fn answer(x: &[f64], y: &[f64]) -> Answer {
    estimate("rank-sum", &samples(x, y), &Settings::default()).unwrap()
}

#[track_caller]
fn close(actual: Option<f64>, printed: f64, tolerance: f64) {
    let actual = actual.unwrap();
    assert!((actual - printed).abs() <= tolerance, "{actual} {printed}");
}

/// Permeability of the human chorioamnion at term and at 12 to 26 weeks (Hollander and Wolfe 1973, Nonparametric
/// Statistical Methods, table 4.1, p. 69): W = 35, one-sided exact P = .1272, as printed there; shift .305 with limits
/// −.15 and .76 and the further digits from R 4.2.2 (wilcox.test, coin 1.4.2).
#[test]
fn chorioamnion() {
    let x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    let y = [1.15, 0.88, 0.90, 0.74, 1.21];
    let answer = answer(&x, &y);
    let (index, shift) = (&answer.results[0], &answer.results[1]);
    assert_eq!(index.extra["mann_whitney"], 35.0);
    assert_eq!(index.extra["exact"], true);
    close(index.extra["p_upper"].as_f64(), 0.127_206_1, 5e-8);
    close(index.p_value, 0.254_412_254_4, 5e-11);
    close(index.statistic, 1.224_744_871, 5e-10);
    close(index.estimate, 0.7, 1e-15);
    close(shift.estimate, 0.305, 1e-12);
    close(shift.conf_low, -0.15, 1e-12);
    close(shift.conf_high, 0.76, 1e-12);
}

/// Six against seven values with ties, printed with R 4.2.2 and coin 1.4.2.
#[test]
fn ties_in_minutes() {
    let x = [30.0, 45.0, 60.0, 90.0, 120.0, 120.0];
    let y = [40.0, 75.0, 90.0, 110.0, 130.0, 150.0, 160.0];
    let answer = answer(&x, &y);
    let (index, shift) = (&answer.results[0], &answer.results[1]);
    close(index.estimate, 0.297_619_047_6, 5e-11);
    close(shift.estimate, -30.0, 1e-12);
    close(index.p_value, 0.247_086_247_1, 5e-11);
    // The normal p with the variance of the ties.
    let z = index.statistic.unwrap();
    let p = lottning::numerics::normal::two_sided(z);
    close(Some(p), 0.223_362_527_5, 5e-11);
}
