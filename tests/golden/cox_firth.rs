//! `cox` with Firth's penalty, its score test where the likelihood has no maximum, and the check of proportional hazards, against R
//! 4.2.2, survival 3.5.3. Generators: `cox_firth/generate.R`, whose penalized likelihood is made of survival's own likelihood and
//! information, and `cox_zph/generate.R`, by cox.zph.

use crate::cox::covariate;
use crate::data::{Data, close};
use crate::survival::case;
use lottning::estimation::{Columns, Interval, Settings, Ties, Variance, estimate};

/// The rows of a line of results, with the covariates of its model.
fn columns(data: &Data, expected: &Data, at: usize, late: &str) -> Columns {
    let name = expected.text("case", at);
    let strata = expected.text("strata", at) == "TRUE";
    let mut columns = case(data, name, name == late, strata);
    let covariates: &[&str] = match expected.text("model", at) {
        "none" => &[],
        "age" => &["age"],
        _ => &["age", "score"],
    };
    let named = covariates.iter();
    columns.covariates = named.map(|own| covariate(data, name, own)).collect();
    columns
}

#[test]
fn the_penalized_fit_and_its_profile_agree_with_r() {
    let data = Data::parse(include_str!("cox_firth/data.csv"));
    let expected = Data::parse(include_str!("cox_firth/firth.csv"));
    assert_eq!(expected.rows(), 60);
    for at in 0..expected.rows() {
        let number = |column| expected.number(column, at);
        let what = format!(
            "{} {} {} {}",
            expected.text("case", at),
            expected.text("model", at),
            expected.text("ties", at),
            expected.text("strata", at)
        );
        let columns = columns(&data, &expected, at, "none-control");
        let settings = Settings {
            variance: Some(Variance::Firth),
            ties: Ties::parse(expected.text("ties", at)),
            ..Settings::default()
        };
        let row = estimate("cox", &columns, &settings)
            .unwrap()
            .results
            .remove(0);
        let error = number("std_error").unwrap();
        let extra = |key: &str| row.extra[key].as_f64();
        // R's maximum is found by differences of the likelihood.
        close(
            &what,
            extra("log_estimate"),
            number("log_estimate"),
            1e-6,
            error,
        );
        close(&what, row.std_error, number("std_error"), 1e-6, 0.0);
        close(
            &what,
            extra("likelihood_ratio"),
            number("likelihood_ratio"),
            1e-8,
            1.0,
        );
        let settings = Settings {
            interval: Some(Interval::Profile),
            ..settings
        };
        let row = estimate("cox", &columns, &settings)
            .unwrap()
            .results
            .remove(0);
        close(&what, row.statistic, number("profile_statistic"), 1e-6, 1.0);
        let low = row.conf_low.map(f64::ln);
        let high = row.conf_high.map(f64::ln);
        close(&what, low, number("profile_low"), 1e-6, error);
        close(&what, high, number("profile_high"), 1e-6, error);
    }
}

#[test]
fn the_score_test_of_a_ratio_without_end_agrees_with_r() {
    let data = Data::parse(include_str!("cox_firth/data.csv"));
    let expected = Data::parse(include_str!("cox_firth/score.csv"));
    assert_eq!(expected.rows(), 24);
    for at in 0..expected.rows() {
        let number = |column| expected.number(column, at);
        let columns = columns(&data, &expected, at, "none-control");
        let settings = Settings {
            ties: Ties::parse(expected.text("ties", at)),
            ..Settings::default()
        };
        let row = estimate("cox", &columns, &settings)
            .unwrap()
            .results
            .remove(0);
        let what = format!(
            "{} {}",
            expected.text("case", at),
            expected.text("model", at)
        );
        let rises = expected.text("rises", at).trim() == "TRUE";
        assert_eq!(row.extra["ratio"], if rises { "infinite" } else { "zero" });
        close(&what, row.statistic, number("statistic"), 1e-7, 1.0);
        close(&what, row.p_value, number("p_value"), 1e-7, 1e-9);
        let limit = number("limit");
        close(&what, row.conf_low, limit.filter(|_| rises), 1e-6, 0.0);
        close(&what, row.conf_high, limit.filter(|_| !rises), 1e-6, 0.0);
    }
}

#[test]
fn the_check_of_proportional_hazards_agrees_with_r() {
    let data = Data::parse(include_str!("cox/data.csv"));
    let expected = Data::parse(include_str!("cox_zph/results.csv"));
    assert_eq!(expected.rows(), 60);
    for at in 0..expected.rows() {
        let mut columns = columns(&data, &expected, at, "late");
        let name = expected.text("case", at);
        // Rows without a covariate are left out of both models.
        let covariates = ["age", "score"].map(|own| covariate(&data, name, own));
        let missing = |row: usize| {
            covariates.iter().any(|own| match &own.values {
                lottning::estimation::Values::Numeric(values) => values[row].is_none(),
                lottning::estimation::Values::Factor(_) => false,
            })
        };
        for (row, time) in columns.time.as_mut().unwrap().iter_mut().enumerate() {
            if missing(row) {
                *time = None;
            }
        }
        let settings = Settings {
            ties: Ties::parse(expected.text("ties", at)),
            checks: true,
            ..Settings::default()
        };
        let row = estimate("cox", &columns, &settings)
            .unwrap()
            .results
            .remove(0);
        let what = format!("{name} {}", expected.text("model", at));
        assert_eq!(
            Some((row.n_treated + row.n_control) as f64),
            expected.number("n", at)
        );
        let (statistic, p_value) = ("proportional_hazards", "proportional_hazards_p_value");
        let own = |key: &str| row.extra[key].as_f64();
        close(
            &what,
            own(statistic),
            expected.number("statistic", at),
            1e-8,
            1e-6,
        );
        close(
            &what,
            own(p_value),
            expected.number("p_value", at),
            1e-8,
            1e-6,
        );
        // Only who asks for it pays for it.
        let unasked = Settings {
            checks: false,
            ..settings
        };
        let row = estimate("cox", &columns, &unasked)
            .unwrap()
            .results
            .remove(0);
        assert!(!row.extra.contains_key(statistic) && !row.extra.contains_key(p_value));
    }
}
