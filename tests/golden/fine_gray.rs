//! `fine-gray` against R 4.2.2, cmprsk 2.2.11 (crr). Generator: `fine-gray/generate.R`.

use crate::cox::covariate;
use crate::data::{Data, close};
use crate::survival::case;
use lottning::estimation::{Settings, estimate};

#[test]
fn every_model_agrees_with_r() {
    let data = Data::parse(include_str!("fine-gray/data.csv"));
    let expected = Data::parse(include_str!("fine-gray/results.csv"));
    assert_eq!(expected.rows(), 18);
    for at in 0..expected.rows() {
        let (text, number) = (|c| expected.text(c, at), |c| expected.number(c, at));
        let name = text("case");
        let mut columns = case(&data, name, false, false);
        let covariates: &[&str] = match text("model") {
            "none" => &[],
            "age" => &["age"],
            _ => &["age", "score", "category"],
        };
        columns.covariates = covariates
            .iter()
            .map(|column| covariate(&data, name, column))
            .collect();
        let answer = estimate("fine-gray", &columns, &Settings::default()).unwrap();
        let row = &answer.results[0];
        let what = format!("{name} {}", text("model"));
        let extra = |key: &str| row.extra[key].as_f64();
        let error = number("std_error").unwrap();
        let log = extra("log_estimate");
        close(&what, log, number("log_estimate"), 1e-8, error);
        close(&what, row.estimate, number("estimate"), 1e-8, 0.0);
        close(&what, row.std_error, number("std_error"), 1e-8, 0.0);
        close(&what, row.p_value, number("p_value"), 1e-7, 1e-12);
        close(&what, row.conf_low, number("conf_low"), 1e-8, 0.0);
        close(&what, row.conf_high, number("conf_high"), 1e-8, 0.0);
        for key in ["log_likelihood_null", "log_likelihood"] {
            close(&format!("{what} {key}"), extra(key), number(key), 1e-9, 1.0);
        }
        for key in ["coefficients", "events_treated", "events_control"] {
            assert_eq!(extra(key), number(key), "{what} {key}");
        }
        assert_eq!(Some(row.n_treated as f64), number("n_treated"), "{what}");
        assert_eq!(Some(row.n_control as f64), number("n_control"), "{what}");
        assert_eq!(row.measure, "subdistribution-hazard-ratio");
    }
}
