//! `difference-in-means`, `linear` and `lin` for every variance and every degrees of freedom, against R 4.2.2:
//! t.test, estimatr 1.0.0 (lm_robust, lm_lin, difference_in_means), sandwich 3.0.2, clubSandwich 0.5.8.
//! Generators: `linear/generate.R` (writes `lin` too) and `difference-in-means/generate.R`.

use crate::data::{Data, close};
use lottning::estimation::{Columns, Df, Estimate, Settings, Variance, estimate};

fn compare(result: &Estimate, expected: &Data, row: usize, what: &str) {
    let number = |column| expected.number(column, row);
    let scale = number("std_error").unwrap();
    close(what, result.estimate, number("estimate"), 1e-10, scale);
    close(what, result.std_error, number("std_error"), 1e-10, 0.0);
    close(what, result.df, number("nu"), 1e-8, 0.0);
    close(what, result.p_value, number("p_value"), 1e-8, 1e-12);
    close(what, result.conf_low, number("conf_low"), 1e-9, scale);
    close(what, result.conf_high, number("conf_high"), 1e-9, scale);
    assert_eq!(
        Some(result.n_treated),
        number("n_treated").map(|n| n as usize)
    );
    assert_eq!(
        Some(result.n_control),
        number("n_control").map(|n| n as usize)
    );
    let interval = if number("nu").is_some() {
        "t"
    } else {
        "normal"
    };
    assert_eq!(
        (result.variance.as_str(), result.interval.as_str()),
        (expected.text("variance", row), interval)
    );
}

fn settings(expected: &Data, row: usize, level: f64) -> Settings {
    Settings {
        variance: Variance::parse(expected.text("variance", row)),
        df: Df::parse(expected.text("df", row)),
        level,
        ..Settings::default()
    }
}

fn case(data: &Data, case: &str) -> Columns {
    let mut columns = data.comparison("arm", "iuh", "standard", "outcome");
    let covariates: &[&str] = match case {
        "none" | "strata" => &[],
        "age" => &["age"],
        "numbers" => &["age", "score"],
        "factor" => &["age", "category"],
        "all" => &["age", "score", "category"],
        "collinear" => &["age", "twice"],
        "one_armed_level" => &["age", "rare"],
        other => panic!("{other}"),
    };
    columns.covariates = covariates.iter().map(|name| data.covariate(name)).collect();
    if matches!(case, "strata" | "all") {
        columns.strata = vec![data.factor("site")];
    }
    columns
}

fn every_row(id: &str, data: &str, results: &str) {
    let (data, expected) = (Data::parse(data), Data::parse(results));
    assert_eq!(expected.rows(), 8 * 11);
    for row in 0..expected.rows() {
        let name = expected.text("case", row);
        let answer = estimate(id, &case(&data, name), &settings(&expected, row, 0.95)).unwrap();
        let what = format!(
            "{id} {name} {} {}",
            expected.text("variance", row),
            expected.text("df", row)
        );
        let result = answer.effect().unwrap();
        compare(result, &expected, row, &what);
        assert_eq!(
            (result.estimator.as_str(), result.term.as_str()),
            (id, "iuh vs standard")
        );
        let codes: Vec<&str> = answer.warnings.iter().map(|w| w.code).collect();
        assert!(codes.contains(&"outcome-missing"), "{codes:?}");
        assert_eq!(codes.contains(&"collinear-covariate"), name == "collinear");
        assert_eq!(
            codes.contains(&"collinear-interaction"),
            id == "lin" && name == "one_armed_level"
        );
        assert_eq!(
            codes.contains(&"covariate-missing"),
            !matches!(name, "none" | "strata"),
            "{name}"
        );
    }
}

#[test]
fn linear_agrees_with_r() {
    every_row(
        "linear",
        include_str!("linear/data.csv"),
        include_str!("linear/results.csv"),
    );
}

#[test]
fn lin_agrees_with_r() {
    every_row(
        "lin",
        include_str!("lin/data.csv"),
        include_str!("lin/results.csv"),
    );
}

#[test]
fn difference_in_means_agrees_with_r() {
    let data = Data::parse(include_str!("difference-in-means/data.csv"));
    let expected = Data::parse(include_str!("difference-in-means/results.csv"));
    assert_eq!(expected.rows(), 28);
    let columns = data.comparison("arm", "iuh", "standard", "outcome");
    for row in 0..expected.rows() {
        let level = expected.number("level", row).unwrap();
        let answer = estimate(
            "difference-in-means",
            &columns,
            &settings(&expected, row, level),
        )
        .unwrap();
        let what = format!(
            "{} {}",
            expected.text("case", row),
            expected.text("df", row)
        );
        compare(answer.effect().unwrap(), &expected, row, &what);
    }
}

#[test]
fn defaults_are_the_contracts() {
    let data = Data::parse(include_str!("lin/data.csv"));
    let columns = case(&data, "all");
    for id in ["linear", "lin"] {
        let asked = Settings {
            variance: Some(Variance::Hc2),
            df: Some(Df::BellMccaffrey),
            ..Settings::default()
        };
        assert_eq!(
            estimate(id, &columns, &Settings::default()),
            estimate(id, &columns, &asked)
        );
        let hc1 = Settings {
            variance: Some(Variance::Hc1),
            ..Settings::default()
        };
        let residual = Settings {
            df: Some(Df::Residual),
            ..hc1
        };
        assert_eq!(
            estimate(id, &columns, &hc1),
            estimate(id, &columns, &residual)
        );
    }
}
