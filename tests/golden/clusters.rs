//! `linear` and `lin` with clusters and weights, for every variance and every degrees of freedom, against R 4.2.2:
//! clubSandwich 0.5.8, estimatr 1.0.0, sandwich 3.0.2. Generator: `linear/clusters.R` (writes `lin` too). Families are
//! nested in an arm, therapists see both; some clusters have fewer rows than the model has coefficients, some more than
//! twice as many.

use crate::data::{Data, close};
use lottning::estimation::{Columns, Df, Settings, Variance, estimate};

fn case(data: &Data, expected: &Data, row: usize) -> Columns {
    let mut columns = data.comparison("arm", "iuh", "standard", "outcome");
    let (covariates, strata): (&[&str], &[&str]) = match expected.text("case", row) {
        "none" => (&[], &[]),
        "age" => (&["age"], &[]),
        "strata" => (&[], &["site"]),
        "all" => (&["age", "category"], &["site"]),
        other => panic!("{other}"),
    };
    columns.covariates = covariates.iter().map(|name| data.covariate(name)).collect();
    columns.strata = strata.iter().map(|name| data.factor(name)).collect();
    match expected.text("cluster", row) {
        "none" => {}
        cluster => columns.cluster = Some(data.factor(cluster)),
    }
    if expected.text("weighted", row) == "yes" {
        columns.weights = Some(data.numbers("weight"));
    }
    columns
}

fn every_row(id: &str, data: &str, results: &str) {
    let (data, expected) = (Data::parse(data), Data::parse(results));
    assert_eq!(expected.rows(), 216);
    for row in 0..expected.rows() {
        let word = |column| expected.text(column, row);
        let columns = case(&data, &expected, row);
        let settings = Settings {
            variance: Variance::parse(word("variance")),
            df: Df::parse(word("df")),
            ..Settings::default()
        };
        assert!(settings.variance.is_some() && settings.df.is_some());
        let answer = estimate(id, &columns, &settings).unwrap();
        let result = answer.effect().unwrap();
        let what = ["case", "cluster", "weighted", "variance", "df"].map(word);
        let what = format!("{id} {what:?}");
        let number = |column| expected.number(column, row);
        let scale = number("std_error").unwrap();
        close(&what, result.estimate, number("estimate"), 1e-10, scale);
        close(&what, result.std_error, number("std_error"), 1e-10, 0.0);
        close(&what, result.df, number("nu"), 1e-8, 0.0);
        close(&what, result.p_value, number("p_value"), 1e-8, 1e-12);
        close(&what, result.conf_low, number("conf_low"), 1e-9, scale);
        close(&what, result.conf_high, number("conf_high"), 1e-9, scale);
        let units = |key: &str| result.extra.get(key).and_then(serde_json::Value::as_f64);
        assert_eq!(units("units_treated"), number("units_treated"), "{what}");
        assert_eq!(units("units_control"), number("units_control"), "{what}");
        assert_eq!(
            (Some(result.n_treated as f64), Some(result.n_control as f64)),
            (number("n_treated"), number("n_control"))
        );
        // What was not asked for is the contract's default.
        if matches!(
            (word("variance"), word("df")),
            ("cr2", "satterthwaite") | ("hc2", "bell-mccaffrey")
        ) {
            let default = estimate(id, &columns, &Settings::default()).unwrap();
            assert_eq!(default, answer, "{what}");
        }
        // Few clusters are said: R's degrees of freedom decide.
        let few = answer.warnings.iter().any(|w| w.code == "few-clusters");
        if word("df") == "satterthwaite" && number("nu").unwrap() < 10.0 {
            assert!(few, "{what}");
        }
        if word("cluster") == "family" && matches!(word("variance"), "cr2" | "cr3") {
            assert!(!few, "{what}");
        }
    }
}

#[test]
fn linear_with_clusters_agrees_with_r() {
    every_row(
        "linear",
        include_str!("linear/clustered_data.csv"),
        include_str!("linear/clustered_results.csv"),
    );
}

#[test]
fn lin_with_clusters_agrees_with_r() {
    every_row(
        "lin",
        include_str!("lin/clustered_data.csv"),
        include_str!("lin/clustered_results.csv"),
    );
}

/// One arm alone has clusters: the other, and some families of the first, stand for themselves. R 4.2.2, clubSandwich 0.5.8;
/// generator `linear/partially_nested.R`.
fn partially_nested(id: &str, results: &str) {
    let data = Data::parse(include_str!("linear/partially_nested_data.csv"));
    let expected = Data::parse(results);
    assert_eq!(expected.rows(), 3);
    for row in 0..expected.rows() {
        let mut columns = data.comparison("arm", "iuh", "standard", "outcome");
        let covariates: &[&str] = match expected.text("case", row) {
            "none" => &[],
            "age" => &["age"],
            "both" => &["age", "earlier"],
            other => panic!("{other}"),
        };
        columns.covariates = covariates.iter().map(|name| data.covariate(name)).collect();
        columns.cluster = Some(data.factor("cluster"));
        let answer = estimate(id, &columns, &Settings::default()).unwrap();
        let result = answer.effect().unwrap();
        let what = format!("{id} {}", expected.text("case", row));
        let number = |column| expected.number(column, row);
        let scale = number("std_error").unwrap();
        close(&what, result.estimate, number("estimate"), 1e-10, scale);
        close(&what, result.std_error, number("std_error"), 1e-10, 0.0);
        close(&what, result.df, number("nu"), 1e-8, 0.0);
        close(&what, result.p_value, number("p_value"), 1e-8, 1e-12);
        close(&what, result.conf_low, number("conf_low"), 1e-9, scale);
        close(&what, result.conf_high, number("conf_high"), 1e-9, scale);
        let units = |key: &str| result.extra.get(key).and_then(serde_json::Value::as_f64);
        assert_eq!(units("units_treated"), number("units_treated"), "{what}");
        assert_eq!(units("units_control"), number("units_control"), "{what}");
    }
}

#[test]
fn clusters_of_one_arm_agree_with_r() {
    partially_nested(
        "linear",
        include_str!("linear/partially_nested_results.csv"),
    );
    partially_nested("lin", include_str!("lin/partially_nested_results.csv"));
}
