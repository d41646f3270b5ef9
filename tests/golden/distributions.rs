//! `numerics` against 50-digit arithmetic: `distributions/generate.py` (mpmath 1.3.0), values in `values.csv`.

use lottning::numerics::beta::Beta;
use lottning::numerics::binomial::Binomial;
use lottning::numerics::chi_square::ChiSquare;
use lottning::numerics::f::F;
use lottning::numerics::normal;
use lottning::numerics::student_t::StudentT;

/// Relative accuracy that is promised; statrs wraps (chi-square, F, beta, binomial) and own functions alike.
fn tolerance(function: &str) -> f64 {
    match function {
        "t_sf" | "t_centre" | "t_pdf" => 2e-12,
        "t_quantile" => 1e-12,
        "normal_cdf" | "normal_ln_sf" | "normal_quantile" => 2e-13,
        _ => 1e-10,
    }
}

#[test]
fn every_value_agrees_with_fifty_digits() {
    let text = include_str!("distributions/values.csv");
    let mut failures = Vec::new();
    let mut count = 0;
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse::<f64>().unwrap();
        let (a, b, x, expected) = (number(1), number(2), number(3), number(4));
        let actual = match cells[0] {
            "t_sf" => StudentT::new(a).unwrap().sf(x),
            "t_centre" => StudentT::new(a).unwrap().centre(x),
            "t_pdf" => StudentT::new(a).unwrap().pdf(x),
            "t_quantile" => StudentT::new(a).unwrap().quantile(x).unwrap(),
            "normal_cdf" => normal::cdf(x),
            "normal_ln_sf" => normal::ln_sf(x),
            "normal_quantile" => normal::quantile(x).unwrap(),
            "chi_square_sf" => ChiSquare::new(a).unwrap().sf(x),
            "chi_square_quantile" => ChiSquare::new(a).unwrap().quantile(x).unwrap(),
            "beta_quantile" => Beta::new(a, b).unwrap().quantile(x).unwrap(),
            "f_sf" => F::new(a, b).unwrap().sf(x),
            "f_quantile" => F::new(a, b).unwrap().quantile(x).unwrap(),
            "binomial_cdf" => Binomial::new(a as u64, b).unwrap().cdf(x as u64),
            other => panic!("{other}"),
        };
        let error = ((actual - expected) / expected).abs();
        count += 1;
        if error > tolerance(cells[0]) || actual.is_nan() {
            failures.push(format!("{line}: {actual:e}, off by {error:.1e}"));
        }
    }
    assert_eq!(count, 669);
    assert!(
        failures.is_empty(),
        "{}\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// The check list of special functions printed with R 4.2.2 (12 digits).
#[test]
fn printed_special_functions() {
    let t = |df: f64| StudentT::new(df).unwrap();
    let close = |actual: f64, printed: f64| {
        assert!(
            ((actual - printed) / printed).abs() < 1e-11,
            "{actual:e} {printed:e}"
        );
    };
    close(t(30.0).cdf(-40.0), 6.863_022_597_2e-28);
    close(t(2.5).cdf(-10.0), 0.002_220_747_883_65);
    close(t(1.8429).quantile(0.975).unwrap(), 4.673_979_393_83);
    close(t(2.6).quantile(0.975).unwrap(), 3.478_182_410_69);
    // R prints 3.18309822944e-10 for pt(1e-9, 1) − .5: what double rounding leaves of arctan(1e-9)/π, which is
    close(t(1.0).centre(1e-9), 1e-9f64.atan() / std::f64::consts::PI);
    close(t(3.0).quantile(1e-10).unwrap(), -2_225.769_284_68);
    close(normal::ln_sf(38.0), -726.557_216_019);
}

#[test]
fn outside_the_domain_is_a_typed_error() {
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(StudentT::new(bad).is_err());
        assert!(ChiSquare::new(bad).is_err());
        assert!(F::new(1.0, bad).is_err());
        assert!(Beta::new(bad, 1.0).is_err());
    }
    for bad in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(StudentT::new(3.0).unwrap().quantile(bad).is_err());
        assert!(normal::quantile(bad).is_err());
        assert!(ChiSquare::new(3.0).unwrap().quantile(bad).is_err());
    }
    assert!(Binomial::new(3, f64::NAN).is_err());
}
