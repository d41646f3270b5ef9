//! `risk-ratio`, `odds-ratio` and `fisher-exact` against R 4.2.2. Generators: `risk-ratio/generate.R` (writes
//! `odds-ratio` too), where score limits come from uniroot() on a numerically maximized likelihood, and
//! `fisher-exact/generate.R`, whose p-values are fisher.test's and whose limits are found to 1e-14.

use crate::data::{Data, close};
use lottning::estimation::{
    Answer, Columns, Counts, Estimate, Interval, PValue, Settings, estimate,
};

fn columns(data: &Data, row: usize) -> Columns {
    let count = |column| data.number(column, row).unwrap() as u64;
    Columns::from_counts(Counts {
        treated_events: count("x1"),
        treated_units: count("n1"),
        control_events: count("x0"),
        control_units: count("n0"),
    })
}

fn warned(answer: &Answer) -> bool {
    answer.warnings.iter().any(|w| w.code == "zero-cell")
}

fn every_row(id: &str, results: &str) {
    let expected = Data::parse(results);
    assert_eq!(expected.rows(), 72);
    for row in 0..expected.rows() {
        let number = |column| expected.number(column, row);
        let interval = Interval::parse(expected.text("interval", row)).unwrap();
        let settings = Settings {
            interval: Some(interval),
            level: number("level").unwrap(),
            ..Settings::default()
        };
        let answer = estimate(id, &columns(&expected, row), &settings).unwrap();
        let result = answer.effect().unwrap();
        let what = format!("{id} {row} {interval}");
        close(&what, result.estimate, number("estimate"), 1e-13, 1e-3);
        close(&what, result.std_error, number("std_error"), 1e-12, 1e-3);
        close(&what, result.conf_low, number("conf_low"), 1e-9, 1e-6);
        close(&what, result.conf_high, number("conf_high"), 1e-9, 1e-6);
        close(&what, result.p_value, number("p_value"), 1e-8, 1e-290);
        let incomplete = ["estimate", "std_error", "conf_low", "conf_high"]
            .iter()
            .any(|column| number(column).is_none());
        assert_eq!(warned(&answer), incomplete, "{what}");
        assert_eq!(result.std_error_scale, "log");
    }
}

#[test]
fn risk_ratio_agrees_with_r() {
    every_row("risk-ratio", include_str!("risk-ratio/results.csv"));
}

#[test]
fn odds_ratio_agrees_with_r() {
    every_row("odds-ratio", include_str!("odds-ratio/results.csv"));
}

/// The p-value of a score interval is its own inversion: at level 1 − p the limit on the near side is one.
#[test]
fn p_value_and_score_interval_are_one_inversion() {
    for (id, results) in [
        ("risk-ratio", include_str!("risk-ratio/results.csv")),
        ("odds-ratio", include_str!("odds-ratio/results.csv")),
    ] {
        let expected = Data::parse(results);
        let mut checked = 0;
        for row in 0..expected.rows() {
            let columns = columns(&expected, row);
            let at = |level| {
                let settings = Settings {
                    level,
                    ..Settings::default()
                };
                estimate(id, &columns, &settings).unwrap().results.remove(0)
            };
            let p = at(0.95).p_value.unwrap();
            if !(1e-6..0.999).contains(&p) {
                continue;
            }
            let result = at(1.0 - p);
            let near = if result.statistic > Some(0.0) {
                result.conf_low
            } else {
                result.conf_high
            };
            assert!((near.unwrap() - 1.0).abs() < 1e-8, "{id} {row} {near:?}");
            checked += 1;
        }
        assert!(checked > 40, "{checked}");
    }
}

fn fisher(columns: &Columns, level: f64, p_value: PValue) -> (Answer, Estimate) {
    let settings = Settings {
        level,
        p_value: Some(p_value),
        ..Settings::default()
    };
    let answer = estimate("fisher-exact", columns, &settings).unwrap();
    let effect = answer.effect().unwrap().clone();
    (answer, effect)
}

#[test]
fn fisher_exact_agrees_with_r() {
    let expected = Data::parse(include_str!("fisher-exact/results.csv"));
    assert_eq!(expected.rows(), 36);
    for row in 0..expected.rows() {
        let number = |column| expected.number(column, row);
        let columns = columns(&expected, row);
        let level = number("level").unwrap();
        let (answer, central) = fisher(&columns, level, PValue::Central);
        let (_, minlike) = fisher(&columns, level, PValue::Minlike);
        let what = format!("fisher-exact {row}");
        close(&what, central.estimate, number("estimate"), 1e-10, 1e-3);
        close(&what, central.std_error, number("std_error"), 1e-9, 1e-3);
        close(&what, central.conf_low, number("conf_low"), 1e-9, 1e-6);
        close(&what, central.conf_high, number("conf_high"), 1e-9, 1e-6);
        close(&what, central.p_value, number("p_central"), 1e-10, 1e-300);
        close(&what, minlike.p_value, number("p_minlike"), 1e-9, 1e-300);
        assert_eq!(central.extra, minlike.extra);
        for (key, value) in [("p_central", &central), ("p_minlike", &minlike)] {
            assert_eq!(central.extra[key].as_f64(), value.p_value);
        }
        assert_eq!(warned(&answer), number("std_error").is_none(), "{what}");
    }
}
