//! `logistic`, `g-computation`, `mantel-haenszel`, `poisson` and `negative-binomial` against R 4.2.2: glm, brglm2,
//! sandwich, MASS::glm.nb with theta iterated to 1e-13, mantelhaen.test. Generators: `logistic/generate.R` (writes the
//! first three) and `poisson/generate.R` (writes the last two).

use crate::data::{Data, close};
use lottning::estimation::{
    Columns, Df, Estimate, EstimationError, Interval, Measure, Settings, Variance, estimate,
};

fn columns(data: &Data, case: &str) -> Columns {
    let mut columns = data.comparison("arm", "iuh", "standard", "outcome");
    let covariates: &[&str] = match case {
        "none" => &[],
        "age" => &["age"],
        "numbers" => &["age", "score"],
        "factor" => &["age", "category"],
        "all" => &["age", "score", "category"],
        "quiet" => &["age", "quiet"],
        other => panic!("{other}"),
    };
    columns.covariates = covariates.iter().map(|name| data.covariate(name)).collect();
    if case == "all" {
        columns.strata = vec![data.factor("site")];
    }
    columns
}

/// The numbers of a row of results.
fn compare(what: &str, result: &Estimate, expected: &Data, row: usize, tolerance: f64) {
    let number = |column| expected.number(column, row);
    close(what, result.estimate, number("estimate"), tolerance, 1e-3);
    close(what, result.std_error, number("std_error"), tolerance, 1e-3);
    close(what, result.conf_low, number("conf_low"), tolerance, 1e-3);
    close(what, result.conf_high, number("conf_high"), tolerance, 1e-3);
    close(
        what,
        result.p_value,
        number("p_value"),
        100.0 * tolerance,
        1e-12,
    );
}

#[test]
fn logistic_agrees_with_r() {
    let data = Data::parse(include_str!("logistic/data.csv"));
    let expected = Data::parse(include_str!("logistic/results.csv"));
    assert_eq!(expected.rows(), 69);
    for row in 0..expected.rows() {
        let case = expected.text("case", row);
        let interval = expected.text("interval", row);
        let settings = Settings {
            variance: Variance::parse(expected.text("variance", row)),
            df: Df::parse(expected.text("df", row)),
            interval: Interval::parse(interval),
            ..Settings::default()
        };
        let answer = estimate("logistic", &columns(&data, case), &settings).unwrap();
        let result = answer.effect().unwrap();
        let what = format!("logistic {case} {:?} {interval}", settings.variance);
        // The penalized profile of the generator is found by a search within a search.
        let tolerance = if interval == "profile" { 1e-7 } else { 1e-9 };
        compare(&what, result, &expected, row, tolerance);
        assert_eq!(result.interval, interval);
        let codes: Vec<&str> = answer.warnings.iter().map(|w| w.code).collect();
        let quiet = case == "quiet" && settings.variance == Some(Variance::Model);
        assert_eq!(codes.contains(&"separation"), quiet, "{what} {codes:?}");
        assert!(codes.contains(&"outcome-missing"));
    }
}

#[test]
fn logistic_defaults_and_clashes() {
    let data = Data::parse(include_str!("logistic/data.csv"));
    let mut columns = columns(&data, "numbers");
    let of = |settings: &Settings, columns: &Columns| estimate("logistic", columns, settings);
    let asked = Settings {
        variance: Some(Variance::Model),
        df: Some(Df::Normal),
        interval: Some(Interval::Wald),
        ..Settings::default()
    };
    let default = of(&Settings::default(), &columns).unwrap();
    assert_eq!(default, of(&asked, &columns).unwrap());
    let clash = Settings {
        variance: Some(Variance::Hc0),
        interval: Some(Interval::Profile),
        ..Settings::default()
    };
    let error = of(&clash, &columns).unwrap_err();
    assert_eq!((error.code(), error.is_usage()), ("options-clash", true));
    // A collinear covariate is set aside by name and changes nothing.
    columns.covariates.push(data.covariate("twice"));
    let collinear = of(&Settings::default(), &columns).unwrap();
    let (a, b) = (default.effect().unwrap(), collinear.effect().unwrap());
    assert!((a.estimate.unwrap() / b.estimate.unwrap() - 1.0).abs() < 1e-12);
    assert!(
        collinear
            .warnings
            .iter()
            .any(|w| w.code == "collinear-covariate")
    );
}

#[test]
fn g_computation_agrees_with_r() {
    let data = Data::parse(include_str!("g-computation/data.csv"));
    let expected = Data::parse(include_str!("g-computation/results.csv"));
    assert_eq!(expected.rows(), 30);
    for row in 0..expected.rows() {
        let case = expected.text("case", row);
        let settings = Settings {
            measure: Measure::parse(expected.text("measure", row)),
            interacted: expected.text("interacted", row) == "1",
            ..Settings::default()
        };
        let answer = estimate("g-computation", &columns(&data, case), &settings).unwrap();
        let result = answer.effect().unwrap();
        let what = format!("g-computation {case} {settings:?}");
        compare(&what, result, &expected, row, 1e-9);
        for key in ["risk_treated", "risk_control"] {
            close(
                &what,
                result.extra[key].as_f64(),
                expected.number(key, row),
                1e-10,
                1.0,
            );
        }
        assert_eq!(result.extra["model"], "logit");
        let codes: Vec<&str> = answer.warnings.iter().map(|w| w.code).collect();
        assert!(codes.contains(&"large-sample-interval"), "{codes:?}");
    }
}

#[test]
fn mantel_haenszel_agrees_with_r() {
    let data = Data::parse(include_str!("mantel-haenszel/data.csv"));
    let expected = Data::parse(include_str!("mantel-haenszel/results.csv"));
    assert_eq!(expected.rows(), 6);
    for row in 0..expected.rows() {
        let case = expected.text("case", row);
        let mut columns = data.comparison("arm", "iuh", "standard", "outcome");
        columns.strata = vec![data.factor("site")];
        if case == "site_category" {
            columns.strata.push(data.factor("category"));
            // A unit is randomized within a stratum: rows without a category are refused, and left out by R's script.
            let refused = estimate("mantel-haenszel", &columns, &Settings::default());
            assert!(matches!(
                refused,
                Err(EstimationError::StratumMissing { .. })
            ));
            for (outcome, code) in columns.outcome.iter_mut().zip(&columns.strata[1].codes) {
                if code.is_none() {
                    *outcome = None;
                }
            }
        }
        let settings = Settings {
            measure: Measure::parse(expected.text("measure", row)),
            ..Settings::default()
        };
        let answer = estimate("mantel-haenszel", &columns, &settings).unwrap();
        let number = |column| expected.number(column, row);
        let (effect, test) = (&answer.results[0], &answer.results[1]);
        let what = format!("{case} {}", effect.measure);
        close(&what, effect.estimate, number("estimate"), 1e-12, 1e-3);
        close(&what, effect.std_error, number("std_error"), 1e-11, 1e-3);
        close(&what, effect.conf_low, number("conf_low"), 1e-11, 1e-3);
        close(&what, effect.conf_high, number("conf_high"), 1e-11, 1e-3);
        close(&what, test.statistic, number("statistic"), 1e-12, 1e-3);
        close(&what, test.p_value, number("p_value"), 1e-10, 1e-12);
        assert_eq!(
            (test.df, test.estimate, test.measure.as_str()),
            (Some(1.0), None, "test")
        );
    }
}

fn counts(id: &str, data: &str, results: &str) {
    let (data, expected) = (Data::parse(data), Data::parse(results));
    assert_eq!(expected.rows(), 80);
    for row in 0..expected.rows() {
        let case = expected.text("case", row);
        let exposed = expected.text("exposed", row) == "1";
        let mut columns = columns(&data, case);
        if exposed {
            columns.exposure = Some(data.numbers("exposure"));
        }
        let settings = Settings {
            variance: Variance::parse(expected.text("variance", row)),
            df: Df::parse(expected.text("df", row)),
            ..Settings::default()
        };
        let answer = estimate(id, &columns, &settings).unwrap();
        let result = answer.effect().unwrap();
        let what = format!("{id} {case} {exposed} {:?}", settings.variance);
        compare(&what, result, &expected, row, 1e-9);
        let number = |column| expected.number(column, row);
        if id == "poisson" {
            let dispersion = result.extra["pearson_dispersion"].as_f64();
            close(&what, dispersion, number("dispersion"), 1e-9, 1e-3);
        } else {
            close(
                &what,
                result.extra["theta"].as_f64(),
                number("theta"),
                1e-9,
                1e-3,
            );
        }
        assert_eq!(Some(result.n_treated as f64), number("n_treated"));
        assert_eq!(Some(result.n_control as f64), number("n_control"));
        let codes: Vec<&str> = answer.warnings.iter().map(|w| w.code).collect();
        assert_eq!(codes.contains(&"exposure-missing"), exposed, "{codes:?}");
    }
    let mut columns = columns(&data, "age");
    columns.exposure = Some(data.numbers("exposure"));
    let default = if id == "poisson" {
        Variance::Hc0
    } else {
        Variance::Model
    };
    let asked = Settings {
        variance: Some(default),
        df: Some(Df::Normal),
        ..Settings::default()
    };
    assert_eq!(
        estimate(id, &columns, &Settings::default()),
        estimate(id, &columns, &asked)
    );
}

#[test]
fn poisson_agrees_with_r() {
    counts(
        "poisson",
        include_str!("poisson/data.csv"),
        include_str!("poisson/results.csv"),
    );
}

#[test]
fn negative_binomial_agrees_with_r() {
    counts(
        "negative-binomial",
        include_str!("negative-binomial/data.csv"),
        include_str!("negative-binomial/results.csv"),
    );
}

/// Counts of 1 and 2 in turn vary less than Poisson counts: θ is infinite, and the fit is Poisson's with its variance.
#[test]
fn without_overdispersion_the_fit_is_poissons() {
    let data = Data::parse(include_str!("poisson/data.csv"));
    let mut columns = columns(&data, "age");
    columns.outcome = data.numbers("even");
    let model = Settings {
        variance: Some(Variance::Model),
        ..Settings::default()
    };
    let negative = estimate("negative-binomial", &columns, &model).unwrap();
    let poisson = estimate("poisson", &columns, &model).unwrap();
    assert!(
        negative
            .warnings
            .iter()
            .any(|w| w.code == "no-overdispersion")
    );
    let (a, b) = (negative.effect().unwrap(), poisson.effect().unwrap());
    assert_eq!((a.estimate, a.std_error), (b.estimate, b.std_error));
    assert!(a.extra["theta"].is_null());
}

/// Counts near 10⁹, which spread as Poisson counts do and 1,000 times less. A double's logarithm of a mean of 10⁹ is no more exact
/// than 4·10⁻¹⁵, its mean than 4·10⁻⁶: what residuals of some 30 lose by it is below 10⁻⁶ of them.
#[test]
fn large_counts_agree_with_r() {
    let data = Data::parse(include_str!("poisson/large.csv"));
    let expected = Data::parse(include_str!("poisson/large_results.csv"));
    assert_eq!(expected.rows(), 20);
    for row in 0..expected.rows() {
        let spread = expected.text("spread", row);
        let outcome = format!("outcome{spread}");
        let mut columns = data.comparison("arm", "iuh", "standard", &outcome);
        if expected.text("case", row) == "age" {
            columns.covariates = vec![data.covariate("age")];
        }
        let settings = Settings {
            variance: Variance::parse(expected.text("variance", row)),
            ..Settings::default()
        };
        let answer = estimate("poisson", &columns, &settings).unwrap();
        let result = answer.effect().unwrap();
        let what = format!(
            "{spread} {} {:?}",
            columns.covariates.len(),
            settings.variance
        );
        let log_ratio = result.estimate.map(f64::ln);
        close(
            &what,
            log_ratio,
            expected.number("log_ratio", row),
            1e-13,
            1.0,
        );
        let std_error = expected.number("std_error", row);
        close(&what, result.std_error, std_error, 1e-6, 0.0);
    }
}
