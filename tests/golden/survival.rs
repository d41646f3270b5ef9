//! `kaplan-meier`, `rmst` and `log-rank` against R 4.2.2, survival 3.5.3 (survfit, summary(rmean =), quantile, survdiff).
//! Generator: `kaplan-meier/generate.R`, which writes the results of all three.

use crate::data::{Data, close};
use lottning::estimation::{Arm, Columns, Estimate, Factor, Labels, Measure, Settings, estimate};

/// The rows of one case.
pub(crate) fn case(data: &Data, case: &str, entry: bool, strata: bool) -> Columns {
    let rows: Vec<usize> = (0..data.rows())
        .filter(|row| data.text("case", *row) == case)
        .collect();
    let numbers = |column| rows.iter().map(|row| data.number(column, *row)).collect();
    let event = rows.iter().map(|row| data.number("event", *row));
    Columns {
        labels: Labels {
            treated: "iuh".into(),
            control: "standard".into(),
        },
        arm: rows
            .iter()
            .map(|row| match data.text("arm", *row) {
                "iuh" => Arm::Treated,
                _ => Arm::Control,
            })
            .collect(),
        time: Some(numbers("time")),
        event: Some(event.map(|code| code.map(|code| code as u32)).collect()),
        entry: entry.then(|| numbers("entry")),
        strata: if strata {
            let site = rows.iter().map(|row| Some(data.text("site", *row)));
            vec![Factor::from_texts("site", site)]
        } else {
            Vec::new()
        },
        row_numbers: rows.iter().map(|row| row + 2).collect(),
        ..Columns::default()
    }
}

fn data() -> Data {
    Data::parse(include_str!("kaplan-meier/data.csv"))
}

/// Every number of a row: those of the results file by the keys of the JSON, `tolerance` relative to the number or to
/// `scale`.
fn compare(row: &Estimate, expected: &Data, at: usize, scale: f64, extra: &[&str]) {
    let number = |column| expected.number(column, at);
    let what = format!(
        "{} {} {}",
        expected.text("case", at),
        expected.text("horizon", at),
        row.term
    );
    close(&what, row.estimate, number("estimate"), 1e-11, scale);
    close(&what, row.std_error, number("std_error"), 1e-10, 1e-12);
    close(&what, row.p_value, number("p_value"), 1e-9, 1e-12);
    close(&what, row.conf_low, number("conf_low"), 1e-10, scale);
    close(&what, row.conf_high, number("conf_high"), 1e-10, scale);
    for key in extra {
        let actual = row.extra[*key].as_f64();
        close(&format!("{what} {key}"), actual, number(key), 1e-12, 0.0);
    }
    assert_eq!(Some(row.n_treated as f64), number("n_treated"), "{what}");
    assert_eq!(Some(row.n_control as f64), number("n_control"), "{what}");
}

fn settings(expected: &Data, at: usize, measure: Option<Measure>) -> Settings {
    Settings {
        horizon: expected.number("horizon", at),
        level: expected.number("level", at).unwrap(),
        measure,
        ..Settings::default()
    }
}

#[test]
fn kaplan_meier_agrees_with_r() {
    let (data, expected) = (
        data(),
        Data::parse(include_str!("kaplan-meier/results.csv")),
    );
    assert_eq!(expected.rows(), 120);
    for at in (0..expected.rows()).step_by(3) {
        let name = expected.text("case", at);
        // The cases without late entry have entry 0 throughout, so the column changes nothing.
        for entry in [true, false] {
            if name == "late" && !entry {
                continue;
            }
            let columns = case(&data, name, entry, false);
            let answer =
                estimate("kaplan-meier", &columns, &settings(&expected, at, None)).unwrap();
            let [effect, treated, control] = answer.results.as_slice() else {
                panic!("{answer:?}")
            };
            let median = ["median", "median_low", "median_high", "at_risk", "events"];
            compare(effect, &expected, at, 1.0, &[]);
            compare(treated, &expected, at + 1, 1e-3, &median);
            compare(control, &expected, at + 2, 1e-3, &median);
            let measures = [effect, treated, control].map(|row| row.measure.as_str());
            assert_eq!(measures, ["difference", "survival", "survival"]);
            // Every null has its reason.
            let warned = |code| answer.warnings.iter().any(|warning| warning.code == code);
            let arms = [treated, control];
            let unlimited = arms.iter().any(|row| row.conf_low.is_none());
            assert_eq!(warned("survival-at-boundary"), unlimited);
            let unreached = |row: &&Estimate| median.iter().any(|key| row.extra[*key].is_null());
            assert_eq!(warned("median-not-reached"), arms.iter().any(unreached));
            assert_eq!(warned("no-variation"), effect.p_value.is_none());
            assert_eq!(warned("outcome-missing"), name == "ties");
        }
    }
}

#[test]
fn restricted_means_agree_with_r() {
    let (data, expected) = (data(), Data::parse(include_str!("rmst/results.csv")));
    assert_eq!(expected.rows(), 160);
    for at in (0..expected.rows()).step_by(4) {
        let columns = case(&data, expected.text("case", at), true, false);
        let horizon = expected.number("horizon", at).unwrap();
        for (offset, measure) in [
            (0, None),
            (0, Some(Measure::Difference)),
            (1, Some(Measure::Ratio)),
        ] {
            let settings = settings(&expected, at, measure);
            let answer = estimate("rmst", &columns, &settings).unwrap();
            let [effect, treated, control] = answer.results.as_slice() else {
                panic!("{answer:?}")
            };
            assert_eq!(effect.measure, expected.text("term", at + offset));
            // Differences of areas round at the areas' own size.
            compare(
                effect,
                &expected,
                at + offset,
                if offset == 0 { horizon } else { 1.0 },
                &[],
            );
            compare(treated, &expected, at + 2, horizon, &[]);
            compare(control, &expected, at + 3, horizon, &[]);
            let scale = if offset == 0 { "identity" } else { "log" };
            assert_eq!(effect.std_error_scale, scale);
            let warned = answer
                .warnings
                .iter()
                .any(|warning| warning.code == "no-variation");
            assert_eq!(
                warned,
                answer.results.iter().any(|row| row.conf_low.is_none())
            );
        }
    }
}

#[test]
fn log_rank_agrees_with_r() {
    let (data, expected) = (data(), Data::parse(include_str!("log-rank/results.csv")));
    assert_eq!(expected.rows(), 8);
    for at in 0..expected.rows() {
        let number = |column| expected.number(column, at);
        let (name, strata) = (
            expected.text("case", at),
            expected.text("strata", at) == "TRUE",
        );
        let answer = estimate(
            "log-rank",
            &case(&data, name, false, strata),
            &Settings::default(),
        );
        let answer = answer.unwrap();
        let [row] = answer.results.as_slice() else {
            panic!("{answer:?}")
        };
        close(name, row.statistic, number("statistic"), 1e-11, 0.0);
        close(name, row.p_value, number("p_value"), 1e-10, 0.0);
        for key in [
            "observed_treated",
            "observed_control",
            "expected_treated",
            "expected_control",
        ] {
            close(name, row.extra[key].as_f64(), number(key), 1e-12, 0.0);
        }
        close(
            name,
            row.extra["excess_variance"].as_f64(),
            number("variance"),
            1e-12,
            0.0,
        );
        assert_eq!((row.df, row.measure.as_str()), (Some(1.0), "test"));
        assert_eq!(
            (row.estimate, row.std_error, row.conf_low),
            (None, None, None)
        );
        assert_eq!(Some(row.n_treated as f64), number("n_treated"));
    }
}
