//! Competing and repeated events against R 4.2.2: `cumulative-incidence` against survival 3.5.3 (survfit of several states) and
//! cmprsk 2.2.11 (cuminc), generator `cumulative-incidence/generate.R`; `mean-cumulative-count` and `recurrent-rate-ratio`
//! against survival (survfit and coxph by id), mets, and R's own complex arithmetic, generator
//! `mean-cumulative-count/generate.R`.

use crate::data::{Data, close};
use crate::survival::case;
use lottning::estimation::{Answer, Columns, Covariate, Factor, Settings, Ties, estimate};

#[test]
fn cumulative_incidence_agrees_with_r() {
    let data = Data::parse(include_str!("cumulative-incidence/data.csv"));
    let expected = Data::parse(include_str!("cumulative-incidence/results.csv"));
    assert_eq!(expected.rows(), 170);
    let mut answer: Option<Answer> = None;
    for at in 0..expected.rows() {
        let (text, number) = (|c| expected.text(c, at), |c| expected.number(c, at));
        let (name, term) = (text("case"), text("term"));
        let run = |strata| {
            let settings = Settings {
                horizon: number("horizon"),
                level: number("level").unwrap(),
                ..Settings::default()
            };
            estimate(
                "cumulative-incidence",
                &case(&data, name, false, strata),
                &settings,
            )
            .unwrap()
        };
        if term == "effect" || term == "stratified" {
            answer = Some(run(term == "stratified"));
        }
        let answer = answer.as_ref().unwrap();
        let index = match term {
            "effect" => 0,
            "iuh" => 1,
            "standard" => 2,
            _ => 3,
        };
        let row = &answer.results[index];
        let what = format!("{name} {} {} {term}", text("horizon"), text("level"));
        close(&what, row.estimate, number("estimate"), 1e-11, 1e-3);
        close(&what, row.std_error, number("std_error"), 1e-10, 1e-6);
        close(&what, row.p_value, number("p_value"), 1e-9, 1e-12);
        close(&what, row.conf_low, number("conf_low"), 1e-10, 1e-3);
        close(&what, row.conf_high, number("conf_high"), 1e-10, 1e-3);
        if index == 3 {
            close(&what, row.statistic, number("statistic"), 1e-10, 1e-12);
            assert_eq!((row.df, row.measure.as_str()), (Some(1.0), "test"));
        } else if index > 0 {
            for key in ["events", "competing", "at_risk"] {
                assert_eq!(row.extra[key].as_f64(), number(key), "{what} {key}");
            }
            // Every null has its reason.
            let limits = answer.results[1..3].iter();
            let unlimited = limits.filter(|row| row.conf_low.is_none()).count();
            let warnings = answer.warnings.iter();
            let warned = warnings.filter(|w| w.code == "survival-at-boundary");
            assert_eq!(warned.count(), unlimited, "{what}");
        }
        assert_eq!(Some(row.n_treated as f64), number("n_treated"), "{what}");
        assert_eq!(Some(row.n_control as f64), number("n_control"), "{what}");
    }
}

/// The rows of one case with their ids.
fn histories(data: &Data, name: &str, strata: bool) -> Columns {
    let rows = (0..data.rows()).filter(|row| data.text("case", *row) == name);
    let ids = rows.map(|row| Some(data.text("id", row)));
    let mut columns = case(data, name, true, strata);
    columns.id = Some(Factor::from_texts("id", ids));
    columns
}

#[test]
fn mean_cumulative_count_agrees_with_r() {
    let data = Data::parse(include_str!("mean-cumulative-count/data.csv"));
    let expected = Data::parse(include_str!("mean-cumulative-count/results.csv"));
    assert_eq!(expected.rows(), 96);
    for first in (0..expected.rows()).step_by(3) {
        let name = expected.text("case", first);
        let settings = Settings {
            horizon: expected.number("horizon", first),
            level: expected.number("level", first).unwrap(),
            ..Settings::default()
        };
        let columns = histories(&data, name, false);
        let answer = estimate("mean-cumulative-count", &columns, &settings).unwrap();
        assert_eq!(answer.results.len(), 3);
        for (at, row) in (first..).zip(&answer.results) {
            let number = |column| expected.number(column, at);
            let what = format!("{name} {:?} {}", settings.horizon, row.term);
            close(&what, row.estimate, number("estimate"), 1e-11, 1e-2);
            close(&what, row.std_error, number("std_error"), 1e-10, 1e-6);
            close(&what, row.p_value, number("p_value"), 1e-9, 1e-12);
            close(&what, row.conf_low, number("conf_low"), 1e-10, 1e-2);
            close(&what, row.conf_high, number("conf_high"), 1e-10, 1e-2);
            if at > first {
                let survival = row.extra["survival"].as_f64();
                close(&what, survival, number("survival"), 1e-12, 0.0);
                for key in ["events", "terminal", "at_risk"] {
                    assert_eq!(row.extra[key].as_f64(), number(key), "{what} {key}");
                }
            }
            for key in ["units_treated", "units_control"] {
                assert_eq!(row.extra[key].as_f64(), number(key), "{what} {key}");
            }
            assert_eq!(Some(row.n_treated as f64), number("n_treated"), "{what}");
            assert_eq!(Some(row.n_control as f64), number("n_control"), "{what}");
        }
        let warned = |code| answer.warnings.iter().any(|warning| warning.code == code);
        assert_eq!(warned("outcome-missing"), name == "gaps");
        let unlimited = answer.results.iter().any(|row| row.conf_low.is_none());
        assert_eq!(warned("no-variation"), unlimited);
    }
}

#[test]
fn recurrent_rate_ratio_agrees_with_r() {
    let data = Data::parse(include_str!("mean-cumulative-count/data.csv"));
    let expected = Data::parse(include_str!("recurrent-rate-ratio/results.csv"));
    assert_eq!(expected.rows(), 52);
    for at in 0..expected.rows() {
        let (text, number) = (|c| expected.text(c, at), |c| expected.number(c, at));
        let name = text("case");
        let mut columns = histories(&data, name, text("strata") == "TRUE");
        if text("age") == "TRUE" {
            let rows = (0..data.rows()).filter(|row| data.text("case", *row) == name);
            let age = rows.map(|row| data.number("age", row)).collect();
            columns.covariates = vec![Covariate::numeric("age", age)];
        }
        let settings = Settings {
            ties: Ties::parse(text("ties")),
            ..Settings::default()
        };
        let answer = estimate("recurrent-rate-ratio", &columns, &settings).unwrap();
        let row = &answer.results[0];
        let what = format!("{name} {} {} {}", text("ties"), text("strata"), text("age"));
        close(&what, row.estimate, number("estimate"), 1e-9, 0.0);
        close(&what, row.std_error, number("std_error"), 1e-9, 0.0);
        close(&what, row.p_value, number("p_value"), 1e-7, 1e-12);
        close(&what, row.conf_low, number("conf_low"), 1e-8, 0.0);
        close(&what, row.conf_high, number("conf_high"), 1e-8, 0.0);
        for key in [
            "units_treated",
            "units_control",
            "events_treated",
            "events_control",
        ] {
            assert_eq!(row.extra[key].as_f64(), number(key), "{what} {key}");
        }
        assert_eq!(Some(row.n_treated as f64), number("n_treated"), "{what}");
        assert_eq!(Some(row.n_control as f64), number("n_control"), "{what}");
    }
}
