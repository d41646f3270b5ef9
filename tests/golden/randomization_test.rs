//! `randomization-test` against R 4.2.2: `randomization-test/generate.R`, which lists every sequence with combn, counts,
//! and finds limits by a scan; estimatr 1.0.0 for estimates and standard errors.

use crate::data::{Data, close};
use lottning::estimation::{Columns, Settings, estimate};

fn case(data: &Data, name: &str) -> Columns {
    let rows: Vec<usize> = (0..data.rows())
        .filter(|row| data.text("case", *row) == name)
        .collect();
    let all = data.comparison("arm", "iuh", "standard", "outcome");
    let factor = |column: &str| {
        let mut factor = data.factor(column);
        factor.codes = rows.iter().map(|row| factor.codes[*row]).collect();
        factor
    };
    Columns {
        arm: rows.iter().map(|row| all.arm[*row]).collect(),
        outcome: rows.iter().map(|row| all.outcome[*row]).collect(),
        strata: vec![factor("stratum")],
        cluster: (name == "families").then(|| factor("cluster")),
        labels: all.labels,
        ..Columns::default()
    }
}

#[test]
fn randomization_test_agrees_with_r() {
    let data = Data::parse(include_str!("randomization-test/data.csv"));
    let expected = Data::parse(include_str!("randomization-test/results.csv"));
    assert_eq!(expected.rows(), 14);
    for row in 0..expected.rows() {
        let number = |column: &str| expected.number(column, row);
        let name = expected.text("case", row);
        let settings = Settings {
            level: number("level").unwrap(),
            ..Settings::default()
        };
        let mut columns = case(&data, name);
        let answer = estimate("randomization-test", &columns, &settings).unwrap();
        let result = &answer.results[0];
        let se = number("std_error").unwrap();
        close(name, result.estimate, number("estimate"), 1e-9, se);
        close(name, result.std_error, number("std_error"), 1e-9, 0.0);
        close(name, result.p_value, number("p_value"), 1e-12, 1.0);
        let field = |key: &str| result.extra[key].as_f64();
        close(name, field("p_lower"), number("p_lower"), 1e-12, 1.0);
        close(name, field("p_upper"), number("p_upper"), 1e-12, 1.0);
        close(name, field("p_smallest"), number("p_smallest"), 1e-12, 1.0);
        close(name, field("draws"), number("sequences"), 0.0, 0.0);
        assert_eq!(result.extra["exact"], true);
        // A limit is where two statistics tie, to 1e-9 of the statistic on either side.
        close(name, result.conf_low, number("conf_low"), 1e-8, 10.0 * se);
        close(name, result.conf_high, number("conf_high"), 1e-8, 10.0 * se);
        let codes: Vec<&str> = answer.warnings.iter().map(|w| w.code).collect();
        assert!(codes.contains(&"constant-effect-assumed"));
        assert_eq!(number("gap"), Some(0.0));
        if matches!(name, "plain" | "ties" | "offset") {
            columns.strata.clear();
            let other = estimate("randomization-test", &columns, &settings).unwrap();
            assert_eq!(other.results[0], answer.results[0]);
        }
    }
}
