//! Noncentral distributions against forty-digit arithmetic (`noncentral/generate.py`, `values.csv`) and against base R
//! (`noncentral/generate.R`, `base.csv`); versions in `session.txt`.

use lottning::numerics::noncentral_chi_square::NoncentralChiSquare;
use lottning::numerics::noncentral_f::NoncentralF;
use lottning::numerics::noncentral_t::NoncentralT;

fn own(cells: &[&str]) -> f64 {
    let number = |at: usize| cells[at].parse::<f64>().unwrap();
    let (a, b, ncp, x) = (number(1), number(2), number(3), number(4));
    match cells[0] {
        "t_sf" => NoncentralT::new(a, ncp).unwrap().sf(x),
        "t_cdf" => NoncentralT::new(a, ncp).unwrap().cdf(x),
        "chi_square_sf" => NoncentralChiSquare::new(a, ncp).unwrap().sf(x),
        "chi_square_cdf" => NoncentralChiSquare::new(a, ncp).unwrap().cdf(x),
        "f_sf" => NoncentralF::new(a, b, ncp).unwrap().sf(x),
        "f_cdf" => NoncentralF::new(a, b, ncp).unwrap().cdf(x),
        other => panic!("{other}"),
    }
}

/// Relative agreement in both tails, down to 1e-290.
#[test]
fn every_value_agrees_with_forty_digits() {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in include_str!("noncentral/values.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let expected: f64 = cells[5].parse().unwrap();
        let value = own(&cells);
        let tolerance = if cells[0].starts_with('t') {
            2e-12
        } else {
            1e-10
        };
        let off = ((value - expected) / expected).abs();
        if off.is_nan() || off > tolerance {
            failures.push(format!("{line}: {value:e}, off by {off:.1e}"));
        }
        count += 1;
    }
    assert!(count > 1500, "{count}");
    assert!(
        failures.is_empty(),
        "{}\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Absolute agreement with R, which is right to about 1e-12 here; its `pf` stops its sum at 1e-9.
#[test]
fn every_value_agrees_with_r() {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in include_str!("noncentral/base.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let expected: f64 = cells[5].parse().unwrap();
        let off = (own(&cells) - expected).abs();
        let tolerance = if cells[0].starts_with('f') {
            1e-9
        } else {
            1e-10
        };
        if off.is_nan() || off > tolerance {
            failures.push(format!("{line}: off by {off:.1e}"));
        }
        count += 1;
    }
    assert!(count > 600, "{count}");
    assert!(
        failures.is_empty(),
        "{}\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// By law: without noncentrality the distribution is the central one, and both tails sum to one.
#[test]
fn laws() {
    use lottning::numerics::student_t::StudentT;
    for df in [0.4, 1.0, 7.3, 250.0, 1e6] {
        let central = StudentT::new(df).unwrap();
        for t in [-6.0, -0.7, 0.0, 1.1, 25.0] {
            let own = NoncentralT::new(df, 0.0).unwrap();
            let (value, expected) = (own.sf(t), central.sf(t));
            assert!(
                ((value - expected) / expected).abs() < 2e-11,
                "{df} {t}: {value} {expected}"
            );
            for ncp in [-4.0, 0.5, 90.0] {
                let t = t + ncp;
                let own = NoncentralT::new(df, ncp).unwrap();
                let turned = NoncentralT::new(df, -ncp).unwrap();
                assert!(
                    (own.sf(t) + own.cdf(t) - 1.0).abs() < 1e-11,
                    "{df} {ncp} {t}"
                );
                assert!((own.sf(t) - turned.cdf(-t)).abs() < 1e-15, "{df} {ncp} {t}");
            }
        }
    }
}

#[test]
fn outside_the_domain_is_a_typed_error() {
    assert!(NoncentralT::new(0.0, 1.0).is_err());
    assert!(NoncentralT::new(5.0, f64::INFINITY).is_err());
    assert!(NoncentralChiSquare::new(1.0, -1.0).is_err());
    assert!(NoncentralChiSquare::new(f64::NAN, 1.0).is_err());
    assert!(NoncentralF::new(1.0, 0.0, 1.0).is_err());
    assert!(NoncentralF::new(1.0, 2.0, f64::NAN).is_err());
}
