//! `rank-sum` against R 4.2.2: `rank-sum/generate.R`, where p comes from coin 1.4.2 (exact) and wilcox.test (normal),
//! the standard error of the index from pROC 1.18.0 (DeLong), and the shift's limits from an inversion that asks coin's
//! exact p at every difference and between every two.

use crate::data::{Data, close};
use lottning::estimation::{Arm, Columns, Interval, Settings, estimate};

fn case(data: &Data, name: &str) -> Columns {
    let all = data.comparison("arm", "iuh", "standard", "outcome");
    let rows: Vec<usize> = (0..data.rows())
        .filter(|row| data.text("case", *row) == name)
        .collect();
    Columns {
        arm: rows.iter().map(|row| all.arm[*row]).collect(),
        outcome: rows.iter().map(|row| all.outcome[*row]).collect(),
        labels: all.labels,
        ..Columns::default()
    }
}

#[test]
fn rank_sum_agrees_with_r() {
    let data = Data::parse(include_str!("rank-sum/data.csv"));
    let expected = Data::parse(include_str!("rank-sum/results.csv"));
    assert_eq!(expected.rows(), 14);
    for row in 0..expected.rows() {
        let number = |column: &str| expected.number(column, row);
        let name = expected.text("case", row);
        let columns = case(&data, name);
        for interval in [None, Some(Interval::Newcombe)] {
            let settings = Settings {
                interval,
                level: number("level").unwrap(),
                ..Settings::default()
            };
            let answer = estimate("rank-sum", &columns, &settings).unwrap();
            let (index, shift) = (&answer.results[0], &answer.results[1]);
            assert_eq!(
                (index.measure.as_str(), shift.measure.as_str()),
                ("probability-index", "shift")
            );
            let replaced = interval.is_none() && number("logit_low").is_none();
            let codes: Vec<&str> = answer.warnings.iter().map(|w| w.code).collect();
            assert_eq!(codes.contains(&"interval-replaced"), replaced, "{name}");
            assert_eq!(codes.contains(&"outcome-missing"), name == "survey");
            let kind = if interval.is_none() && !replaced {
                "logit"
            } else {
                "newcombe"
            };
            assert_eq!(index.interval, kind);
            let limit = |end: &str| number(&format!("{kind}_{end}"));
            close(name, index.conf_low, limit("low"), 1e-9, 1.0);
            close(name, index.conf_high, limit("high"), 1e-9, 1.0);
            close(name, index.estimate, number("index"), 1e-14, 1.0);
            close(name, index.std_error, number("std_error"), 1e-12, 0.0);
            close(name, index.statistic, number("z"), 1e-12, 1.0);
            let field = |key: &str| index.extra[key].as_f64();
            close(name, field("interval_df"), number("df"), 1e-10, 0.0);
            let bm = number("p_brunner_munzel");
            close(name, field("p_brunner_munzel"), bm, 1e-9, 0.0);
            for row in [index, shift] {
                close(name, row.p_value, number("p_value"), 1e-10, 1e-12);
                let tail = |key: &str| row.extra[key].as_f64();
                close(name, tail("p_lower"), number("p_lower"), 1e-10, 1e-12);
                close(name, tail("p_upper"), number("p_upper"), 1e-10, 1e-12);
                let exact = name != "large";
                assert_eq!(row.extra["exact"], exact, "{name}");
            }
            close(name, shift.estimate, number("shift"), 1e-12, 1.0);
            close(name, shift.conf_low, number("conf_low"), 1e-12, 1.0);
            close(name, shift.conf_high, number("conf_high"), 1e-12, 1.0);
            let included = |key: &str| shift.extra[key].as_bool().map(|b| f64::from(u8::from(b)));
            for (key, column) in [
                ("conf_low_included", "low_included"),
                ("conf_high_included", "high_included"),
            ] {
                assert_eq!(included(key), number(column), "{name} {key}");
            }
            assert_eq!(number("gap"), Some(0.0));
            let unbounded = number("conf_low").is_none() || number("conf_high").is_none();
            assert_eq!(codes.contains(&"interval-unbounded"), unbounded, "{name}");
        }
    }
}

/// Whatever the data, 0 is in the shift's interval exactly when the test does not reject at its level.
#[test]
fn the_interval_of_the_shift_agrees_with_the_p() {
    let data = Data::parse(include_str!("rank-sum/data.csv"));
    for name in ["untied", "survey", "halves", "large", "skewed", "separated"] {
        for step in 0..8 {
            let mut columns = case(&data, name);
            for (y, arm) in columns.outcome.iter_mut().zip(&columns.arm) {
                if *arm == Arm::Treated {
                    *y = y.map(|y| y - 0.5 * f64::from(step));
                }
            }
            for level in [0.5, 0.8, 0.9, 0.95, 0.99] {
                let settings = Settings {
                    level,
                    ..Settings::default()
                };
                let answer = estimate("rank-sum", &columns, &settings).unwrap();
                let shift = &answer.results[1];
                let flag = |key: &str| shift.extra[key].as_bool() == Some(true);
                let low = shift
                    .conf_low
                    .is_none_or(|low| low < 0.0 || (low <= 0.0 && flag("conf_low_included")));
                let high = shift
                    .conf_high
                    .is_none_or(|high| high > 0.0 || (high >= 0.0 && flag("conf_high_included")));
                let rejected = shift.p_value.unwrap() <= 1.0 - level;
                assert_eq!(low && high, !rejected, "{name} {step} {level} {shift:?}");
            }
        }
    }
}
