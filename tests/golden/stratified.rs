//! `stratified-difference-in-means` against R 4.2.2: estimatr 1.0.0 (difference_in_means with blocks, and with pairs),
//! clubSandwich 0.5.8 (Bell–McCaffrey). Generator: `stratified-difference-in-means/generate.R`.

use crate::data::{Data, close};
use lottning::estimation::{Df, Settings, estimate};

#[test]
fn every_row_agrees_with_r() {
    let data = Data::parse(include_str!("stratified-difference-in-means/data.csv"));
    let pairs = Data::parse(include_str!("stratified-difference-in-means/pairs.csv"));
    let expected = Data::parse(include_str!("stratified-difference-in-means/results.csv"));
    assert_eq!(expected.rows(), 14);
    for row in 0..expected.rows() {
        let word = |column| expected.text(column, row);
        let (data, strata): (&Data, &[&str]) = match word("case") {
            "site" => (&data, &["site"]),
            "crossed" => (&data, &["site", "half"]),
            "pairs" => (&pairs, &["pair"]),
            other => panic!("{other}"),
        };
        let mut columns = data.comparison("arm", "iuh", "standard", "outcome");
        columns.strata = strata.iter().map(|name| data.factor(name)).collect();
        let settings = Settings {
            df: Df::parse(word("df")),
            level: expected.number("level", row).unwrap(),
            ..Settings::default()
        };
        let answer = estimate("stratified-difference-in-means", &columns, &settings).unwrap();
        let result = answer.effect().unwrap();
        let what = format!("{} {}", word("case"), word("df"));
        let number = |column| expected.number(column, row);
        let scale = number("std_error").unwrap();
        close(&what, result.estimate, number("estimate"), 1e-11, scale);
        close(&what, result.std_error, number("std_error"), 1e-11, 0.0);
        close(&what, result.df, number("nu"), 1e-9, 0.0);
        close(&what, result.p_value, number("p_value"), 1e-9, 1e-12);
        close(&what, result.conf_low, number("conf_low"), 1e-10, scale);
        close(&what, result.conf_high, number("conf_high"), 1e-10, scale);
        assert_eq!(Some(result.n_treated as f64), number("n_treated"));
        assert_eq!(Some(result.n_control as f64), number("n_control"));
        // The interacted regression on the strata is the same estimator; its rows of leverage one are the pairs'.
        if word("case") != "pairs" {
            let lin = estimate("lin", &columns, &settings).unwrap();
            let lin = lin.effect().unwrap();
            close(&what, lin.estimate, number("estimate"), 1e-10, scale);
            close(&what, lin.std_error, number("std_error"), 1e-10, 0.0);
            close(&what, lin.df, number("nu"), 1e-8, 0.0);
        }
    }
}
