//! The short way of the randomization test's statistic gives what the full path gives, whoever is in which arm.

use lottning::estimation::lin_statistic::{LinStatistic, Studentized};
use lottning::estimation::linear_model::{Design, Form, Workspace};
use lottning::estimation::{Arm, Df, Variance};
use lottning::numerics::stream;
use rand_chacha::ChaCha8Rng;

/// `k` covariates of n rows, every third an indicator of some rows, the others numbers with a large mean.
fn covariates(rng: &mut ChaCha8Rng, n: usize, k: usize) -> Vec<f64> {
    let mut values = Vec::new();
    for j in 0..k {
        for _ in 0..n {
            let own = stream::unit(rng);
            values.push(if j % 3 == 2 {
                f64::from(u8::from(own < 0.2))
            } else {
                1000.0 * (j + 1) as f64 + own
            });
        }
    }
    values
}

fn arms(rng: &mut ChaCha8Rng, n: usize, treated: f64) -> Vec<Arm> {
    let mut arm = || {
        if stream::unit(rng) < treated {
            Arm::Treated
        } else {
            Arm::Control
        }
    };
    (0..n).map(|_| arm()).collect()
}

fn close(what: &str, own: Studentized, full: Studentized) {
    let apart = (own.estimate - full.estimate).abs();
    assert!(apart <= 1e-10 * full.std_error, "{what} {own:?} {full:?}");
    let apart = (own.std_error / full.std_error - 1.0).abs();
    assert!(apart <= 1e-10, "{what} {own:?} {full:?}");
}

/// Against QR on the same arms, for every length of the records and beyond them, sums of both outcomes included: the
/// covariance is (V(y + z) − V(y) − V(z))/2.
#[test]
fn the_short_way_is_the_full_path() {
    let mut rng = stream::replicate(&[3; 32], 0);
    let mut workspace = Workspace::default();
    for k in [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 16, 20, 24, 25, 30] {
        let n = 150 + 3 * k;
        let matrix = covariates(&mut rng, n, k);
        // A rare 0/1 outcome, and a number far from zero.
        let mut outcome = || f64::from(u8::from(stream::unit(&mut rng) < 0.15));
        let y: Vec<f64> = (0..n).map(|_| outcome()).collect();
        let z: Vec<f64> = (0..n).map(|_| 50.0 + stream::unit(&mut rng)).collect();
        let both: Vec<f64> = y.iter().zip(&z).map(|(y, z)| y + z).collect();
        let mut short = LinStatistic::of_two(&matrix, &y, &z);
        for treated in [0.5, 0.5, 0.3, 0.7] {
            let arm = arms(&mut rng, n, treated);
            let what = format!("{k} covariates, {treated}");
            let design = Design::factor(&arm, &matrix, Form::Interacted).unwrap();
            let inference = design.inference(Variance::Hc2, Df::Normal, 0.95).unwrap();
            let mut full = |outcome: &[f64]| {
                let fit = design.fit(outcome, &inference, &mut workspace);
                Studentized {
                    estimate: fit.estimate,
                    std_error: fit.std_error,
                }
            };
            let [of_y, of_z, of_both] = [full(&y), full(&z), full(&both)];
            close(&what, short.evaluate(&arm).unwrap(), of_y);
            let found = short.evaluate_both(&arm).unwrap();
            close(&what, found.effects[0], of_y);
            close(&what, found.effects[1], of_z);
            let variance = |own: Studentized| own.std_error * own.std_error;
            let covariance = (variance(of_both) - variance(of_y) - variance(of_z)) / 2.0;
            let size = of_y.std_error * of_z.std_error;
            assert!(
                (found.covariance - covariance).abs() < 1e-9 * size,
                "{what}"
            );
            let own = design.covariance(&y, &z, &mut workspace);
            assert!((found.covariance - own).abs() < 1e-10 * size, "{what}");
        }
    }
}

/// Where an arm is near to not identifying its coefficients, a row near to leverage one, or everything near to being
/// fitted exactly, the answer is that of the full path, to the bit; and exchanging the arms changes the sign alone.
#[test]
fn near_the_edge_the_full_path_decides() {
    let mut rng = stream::replicate(&[4; 32], 0);
    let n = 60;
    let arm: Vec<Arm> = (0..n)
        .map(|i| {
            if i % 3 == 0 {
                Arm::Treated
            } else {
                Arm::Control
            }
        })
        .collect();
    let mut workspace = Workspace::default();
    // Within the control arm the second number is almost the first; an outlier; an outcome of the covariates alone.
    let number = covariates(&mut rng, n, 1);
    let almost: Vec<f64> = (0..n)
        .map(|i| {
            number[i]
                + if i % 3 == 0 {
                    (i % 7) as f64
                } else {
                    1e-5 * (i % 5) as f64
                }
        })
        .collect();
    let outlier: Vec<f64> = (0..n)
        .map(|i| if i == 7 { 1e4 } else { (i % 5) as f64 })
        .collect();
    let noise: Vec<f64> = (0..n).map(|_| stream::unit(&mut rng)).collect();
    let fitted: Vec<f64> = (0..n)
        .map(|i| 2.0 * number[i] + arm[i].index() as f64)
        .collect();
    for (matrix, y) in [
        ([&number[..], &almost].concat(), &noise),
        (outlier, &noise),
        (number.clone(), &fitted),
    ] {
        let mut short = LinStatistic::new(&matrix, y);
        let own = short.evaluate(&arm).unwrap();
        let design = Design::factor(&arm, &matrix, Form::Interacted).unwrap();
        let inference = design.inference(Variance::Hc2, Df::Normal, 0.95).unwrap();
        let fit = design.fit(y, &inference, &mut workspace);
        assert_eq!(own.estimate.to_bits(), fit.estimate.to_bits());
        assert_eq!(own.std_error.to_bits(), fit.std_error.to_bits());
    }
    let mut short = LinStatistic::new(&number, &noise);
    let own = short.evaluate(&arm).unwrap();
    let turned: Vec<Arm> = arm
        .iter()
        .map(|arm| {
            if *arm == Arm::Treated {
                Arm::Control
            } else {
                Arm::Treated
            }
        })
        .collect();
    let turned = short.evaluate(&turned).unwrap();
    assert_eq!(own.estimate.to_bits(), (-turned.estimate).to_bits());
    assert_eq!(own.std_error.to_bits(), turned.std_error.to_bits());
}
