//! Every coefficient of regressions on R's `mtcars`, with every variance, against R 4.2.2: estimatr 1.0.0,
//! clubSandwich 0.5.8, sandwich 3.0.2. Generator: `mtcars/generate.R`.

use crate::data::{Data, close};
use lottning::estimation::cluster_variance::ClusterVariance;
use lottning::estimation::linear_model::{Design, Workspace};
use lottning::estimation::{Arm, Columns, Df, Settings, Variance, estimate};

fn values(data: &Data, column: &str) -> Vec<f64> {
    data.numbers(column)
        .into_iter()
        .map(Option::unwrap)
        .collect()
}

#[test]
fn every_coefficient_agrees_with_r() {
    let data = Data::parse(include_str!("mtcars/data.csv"));
    let expected = Data::parse(include_str!("mtcars/results.csv"));
    let (n, y) = (data.rows(), values(&data, "mpg"));
    let cluster: Vec<u32> = {
        let factor = data.factor("carb");
        factor.codes.iter().map(|code| code.unwrap()).collect()
    };
    let mut compared = 0;
    for row in 0..expected.rows() {
        let word = |column| expected.text(column, row);
        if word("model") == "lin" {
            continue;
        }
        compared += 1;
        let names: &[&str] = match word("model") {
            "mpg ~ hp" => &["(Intercept)", "hp"],
            "mpg ~ am + hp" => &["(Intercept)", "am", "hp"],
            other => panic!("{other}"),
        };
        let mut columns = vec![1.0; n];
        for name in &names[1..] {
            columns.extend(values(&data, name));
        }
        let of = names.iter().position(|name| *name == word("coefficient"));
        let weights = match word("weighted") {
            "yes" => values(&data, "wt"),
            _ => Vec::new(),
        };
        let design = Design::coefficient(n, &columns, of.unwrap(), &weights).unwrap();
        let (variance, df) = word("variance")
            .split_once(' ')
            .unwrap_or((word("variance"), ""));
        let variance = Variance::parse(variance).unwrap();
        let mut workspace = Workspace::default();
        let fit = if word("cluster") == "none" {
            let df = Df::parse(df).unwrap_or(Df::Residual);
            let inference = design.inference(variance, df, 0.95).unwrap();
            design.fit(&y, &inference, &mut workspace)
        } else {
            let clustered = ClusterVariance::new(&design, &cluster, variance).unwrap();
            let inference = clustered.inference(Df::Satterthwaite, 0.95).unwrap();
            clustered.fit(&design, &y, &inference, &mut workspace)
        };
        let what = ["model", "weighted", "cluster", "variance", "coefficient"].map(word);
        let what = format!("{what:?}");
        let number = |column| expected.number(column, row);
        let scale = number("std_error").unwrap();
        close(&what, Some(fit.estimate), number("estimate"), 1e-11, scale);
        close(&what, Some(fit.std_error), number("std_error"), 1e-10, 0.0);
        close(&what, fit.df, number("nu"), 1e-8, 0.0);
    }
    assert_eq!(compared, 95);
}

/// Manual against automatic gears, by the command line's way.
#[test]
fn lin_agrees_with_r() {
    let data = Data::parse(include_str!("mtcars/data.csv"));
    let expected = Data::parse(include_str!("mtcars/results.csv"));
    let base = Columns {
        arm: data
            .numbers("am")
            .iter()
            .map(|am| {
                if *am == Some(1.0) {
                    Arm::Treated
                } else {
                    Arm::Control
                }
            })
            .collect(),
        outcome: data.numbers("mpg"),
        covariates: vec![data.covariate("hp"), data.covariate("wt")],
        ..Columns::default()
    };
    for row in expected.rows() - 2..expected.rows() {
        let clustered = expected.text("cluster", row) == "carb";
        let columns = Columns {
            cluster: clustered.then(|| data.factor("carb")),
            ..base.clone()
        };
        let settings = Settings {
            df: (!clustered).then_some(Df::Residual),
            ..Settings::default()
        };
        let answer = estimate("lin", &columns, &settings).unwrap();
        let result = answer.effect().unwrap();
        assert_eq!(result.variance, expected.text("variance", row));
        close(
            "estimate",
            result.estimate,
            expected.number("estimate", row),
            1e-10,
            1.0,
        );
        close(
            "std_error",
            result.std_error,
            expected.number("std_error", row),
            1e-10,
            0.0,
        );
        close("df", result.df, expected.number("nu", row), 1e-9, 0.0);
    }
}
