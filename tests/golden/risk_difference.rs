//! `risk-difference` against R 4.2.2: `risk-difference/generate.R`, where score limits come from optimize() and
//! uniroot() instead of the closed form, Wald and Wilson limits and the pooled p-value from prop.test.

use crate::data::{Data, close};
use lottning::estimation::{Columns, Counts, Interval, Settings, estimate};

#[test]
fn every_interval_agrees_with_r() {
    let expected = Data::parse(include_str!("risk-difference/results.csv"));
    assert_eq!(expected.rows(), 140);
    for row in 0..expected.rows() {
        let number = |column| expected.number(column, row);
        let count = |column| number(column).unwrap() as u64;
        let counts = Counts {
            treated_events: count("x1"),
            treated_units: count("n1"),
            control_events: count("x0"),
            control_units: count("n0"),
        };
        let interval = Interval::parse(expected.text("interval", row)).unwrap();
        let settings = Settings {
            interval: Some(interval),
            level: number("level").unwrap(),
            ..Settings::default()
        };
        let answer = estimate("risk-difference", &Columns::from_counts(counts), &settings).unwrap();
        let result = answer.effect().unwrap();
        let what = format!("{counts:?} {interval}");
        close(&what, result.estimate, number("estimate"), 1e-13, 1.0);
        close(&what, result.std_error, number("std_error"), 1e-12, 1e-3);
        close(&what, result.conf_low, number("conf_low"), 1e-9, 1.0);
        close(&what, result.conf_high, number("conf_high"), 1e-9, 1.0);
        if interval != Interval::Newcombe {
            close(&what, result.p_value, number("p_value"), 1e-8, 1e-12);
        }
        assert_eq!(
            result.p_value.is_none(),
            answer.warnings.iter().any(|w| w.code == "no-variation")
        );
    }
}

/// The p-value of each interval is its own inversion: at level 1 − p the limit on the near side is zero.
#[test]
fn p_value_and_interval_are_one_inversion() {
    let expected = Data::parse(include_str!("risk-difference/results.csv"));
    for row in 0..expected.rows() {
        let count = |column| expected.number(column, row).unwrap() as u64;
        let columns = Columns::from_counts(Counts {
            treated_events: count("x1"),
            treated_units: count("n1"),
            control_events: count("x0"),
            control_units: count("n0"),
        });
        let interval = Interval::parse(expected.text("interval", row));
        let at = |level| {
            let settings = Settings {
                interval,
                level,
                ..Settings::default()
            };
            estimate("risk-difference", &columns, &settings)
                .unwrap()
                .results
                .remove(0)
        };
        let Some(p) = at(0.95).p_value else { continue };
        // Level 1 − p must be a level, and far from 1, where the limit is a steep function of it.
        if !(1e-6..0.999).contains(&p) {
            continue;
        }
        let result = at(1.0 - p);
        let near = if result.statistic > Some(0.0) {
            result.conf_low
        } else {
            result.conf_high
        };
        assert!(near.unwrap().abs() < 1e-8, "{row} {interval:?} {near:?}");
    }
}
