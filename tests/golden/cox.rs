//! `cox` against R 4.2.2, survival 3.5.3 (coxph, with `cluster =` for the robust variance). Generator: `cox/generate.R`.

use crate::data::{Data, close};
use crate::survival::case;
use lottning::estimation::{Covariate, Factor, Settings, Ties, Values, Variance, estimate};

/// A covariate of one case's rows: numeric when every cell of the column is a number.
pub(crate) fn covariate(data: &Data, name: &str, column: &str) -> Covariate {
    let rows: Vec<usize> = (0..data.rows())
        .filter(|row| data.text("case", *row) == name)
        .collect();
    if column == "category" {
        let cells = rows.iter().map(|row| data.text(column, *row));
        let cells = cells.map(|cell| (cell != "NA").then_some(cell));
        return Covariate::factor(Factor::from_texts(column, cells));
    }
    Covariate {
        name: column.into(),
        values: Values::Numeric(rows.iter().map(|row| data.number(column, *row)).collect()),
    }
}

#[test]
fn every_option_agrees_with_r() {
    let data = Data::parse(include_str!("cox/data.csv"));
    let expected = Data::parse(include_str!("cox/results.csv"));
    assert_eq!(expected.rows(), 186);
    for at in 0..expected.rows() {
        let (text, number) = (|c| expected.text(c, at), |c| expected.number(c, at));
        let (name, model, variance) = (text("case"), text("model"), text("variance"));
        let strata = text("strata") == "TRUE";
        let mut columns = case(&data, name, name == "late", strata);
        let covariates: &[&str] = match model {
            "none" => &[],
            "age" => &["age"],
            _ => &["age", "score", "category"],
        };
        columns.covariates = covariates
            .iter()
            .map(|column| covariate(&data, name, column))
            .collect();
        if variance == "cluster" {
            let rows = (0..data.rows()).filter(|row| data.text("case", *row) == name);
            let family = rows.map(|row| Some(data.text("family", row)));
            columns.cluster = Some(Factor::from_texts("family", family));
        }
        let settings = Settings {
            ties: Ties::parse(text("ties")),
            variance: Variance::parse(variance),
            ..Settings::default()
        };
        let answer = estimate("cox", &columns, &settings).unwrap();
        let row = &answer.results[0];
        let what = format!("{name} {model} {strata} {} {variance}", text("ties"));
        let extra = |key: &str| row.extra[key].as_f64();
        let error = number("std_error").unwrap();
        close(
            &what,
            extra("log_estimate"),
            number("log_estimate"),
            1e-9,
            error,
        );
        close(&what, row.estimate, number("estimate"), 1e-9, 0.0);
        close(&what, row.std_error, number("std_error"), 1e-9, 0.0);
        close(&what, row.p_value, number("p_value"), 1e-7, 1e-12);
        close(&what, row.conf_low, number("conf_low"), 1e-8, 0.0);
        close(&what, row.conf_high, number("conf_high"), 1e-8, 0.0);
        for key in ["log_likelihood_null", "log_likelihood", "score", "wald"] {
            close(&format!("{what} {key}"), extra(key), number(key), 1e-9, 1.0);
        }
        for key in ["coefficients", "events_treated", "events_control"] {
            assert_eq!(extra(key), number(key), "{what} {key}");
        }
        if variance == "cluster" {
            assert_eq!(extra("units_treated"), number("units_treated"), "{what}");
            assert_eq!(extra("units_control"), number("units_control"), "{what}");
            assert_eq!(row.variance, "robust");
        } else {
            assert_eq!(row.variance, variance);
        }
        assert_eq!(Some(row.n_treated as f64), number("n_treated"), "{what}");
        assert_eq!(Some(row.n_control as f64), number("n_control"), "{what}");
        assert_eq!(row.std_error_scale, "log");
    }
}
