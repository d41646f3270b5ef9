//! `lee-bounds` and `manski-bounds` against R 4.2.2: `lee-bounds/generate.R`, where outcomes are copied until a whole
//! number is trimmed, standard errors are in the terms of Lee's proposition 3 or from t.test, and Imbens and Manski's
//! equation is solved by uniroot.

use crate::data::{Data, close};
use lottning::estimation::{Answer, Columns, Settings, estimate};

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

fn compare(answer: &Answer, expected: &Data, row: usize) {
    let name = expected.text("case", row);
    let number = |column: &str| expected.number(column, row);
    assert_eq!(answer.results.len(), 2);
    for (result, term) in answer.results.iter().zip(["lower", "upper"]) {
        assert_eq!(
            (result.term.as_str(), result.interval.as_str()),
            (term, "imbens-manski")
        );
        assert_eq!(result.extra["comparison"], "iuh vs standard");
        let se = number(&format!("{term}_se"));
        close(name, result.estimate, number(term), 1e-12, 1.0);
        close(name, result.std_error, se, 1e-10, 0.0);
        close(name, result.conf_low, number("conf_low"), 1e-9, 1.0);
        close(name, result.conf_high, number("conf_high"), 1e-9, 1.0);
    }
}

#[test]
fn lee_bounds_agree_with_r() {
    let data = Data::parse(include_str!("lee-bounds/data.csv"));
    let expected = Data::parse(include_str!("lee-bounds/results.csv"));
    assert_eq!(expected.rows(), 12);
    for row in 0..expected.rows() {
        let settings = Settings {
            level: expected.number("level", row).unwrap(),
            ..Settings::default()
        };
        let name = expected.text("case", row);
        let answer = estimate("lee-bounds", &case(&data, name), &settings).unwrap();
        compare(&answer, &expected, row);
        let first = &answer.results[0];
        let arm = first.extra["trimmed_arm"].as_str().unwrap_or("NA");
        assert_eq!(arm, expected.text("arm", row));
        let share = first.extra["trimmed_share"].as_f64();
        close(name, share, expected.number("share", row), 1e-12, 1.0);
        let codes: Vec<&str> = answer.warnings.iter().map(|w| w.code).collect();
        assert_eq!(codes, ["monotonicity-assumed"]);
    }
}

#[test]
fn manski_bounds_agree_with_r() {
    let data = Data::parse(include_str!("manski-bounds/data.csv"));
    let expected = Data::parse(include_str!("manski-bounds/results.csv"));
    assert_eq!(expected.rows(), 12);
    for row in 0..expected.rows() {
        let number = |column: &str| expected.number(column, row).unwrap();
        let name = expected.text("case", row);
        let settings = Settings {
            level: number("level"),
            range: (name != "binary").then(|| (number("range_low"), number("range_high"))),
            ..Settings::default()
        };
        let answer = estimate("manski-bounds", &case(&data, name), &settings).unwrap();
        compare(&answer, &expected, row);
        assert!(answer.warnings.is_empty());
    }
}
