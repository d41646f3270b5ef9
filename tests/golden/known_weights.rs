//! Weights for unknown outcomes against R 4.2.2 (`known-weights/generate.R`): glm within each arm, then estimatr's weighted
//! least squares with HC2.

use crate::data::{Data, close};
use lottning::estimation::known_weights::{Aside, known_weights};
use lottning::estimation::{Arm, Columns, Covariate, Labels, Settings, estimate};

#[test]
fn weights_and_weighted_effects_agree_with_r() {
    let data = Data::parse(include_str!("known-weights/data.csv"));
    let expected = Data::parse(include_str!("known-weights/results.csv"));
    let side = |row: usize| match data.text("arm", row) {
        "iuh" => Arm::Treated,
        _ => Arm::Control,
    };
    let arm: Vec<Arm> = (0..data.rows()).map(side).collect();
    let outcome = data.numbers("outcome");
    let known: Vec<bool> = outcome.iter().map(Option::is_some).collect();
    let (age, reports) = (data.numbers("age"), data.numbers("reports"));
    let columns: Vec<f64> = age.iter().chain(&reports).map(|x| x.unwrap()).collect();
    let found = known_weights(&arm, &known, &columns);
    assert_eq!((found.columns, found.separated), ([2, 2], [false, false]));
    let theirs: Vec<f64> = data.numbers("weight").into_iter().flatten().collect();
    assert_eq!(found.weights.len(), theirs.len());
    for (own, theirs) in found.weights.iter().zip(theirs) {
        close("weight", Some(*own), Some(theirs), 1e-11, 0.0);
    }
    let rows: Vec<usize> = (0..data.rows()).filter(|row| known[*row]).collect();
    let pick = |values: &[Option<f64>]| rows.iter().map(|row| values[*row]).collect::<Vec<_>>();
    let comparison = Columns {
        labels: Labels::default(),
        arm: rows.iter().map(|row| arm[*row]).collect(),
        outcome: pick(&outcome),
        covariates: vec![
            Covariate::numeric("age", pick(&age)),
            Covariate::numeric("reports", pick(&reports)),
        ],
        weights: Some(found.weights.iter().copied().map(Some).collect()),
        ..Columns::default()
    };
    for row in 0..expected.rows() {
        let id = expected.text("estimator", row);
        let answer = estimate(id, &comparison, &Settings::default()).unwrap();
        let own = answer.effect().unwrap();
        close(
            id,
            own.estimate,
            expected.number("estimate", row),
            1e-10,
            1.0,
        );
        close(
            id,
            own.std_error,
            expected.number("std_error", row),
            1e-10,
            1.0,
        );
    }
}

/// A site where all are known in one arm, with and without an indicator of its own (`known-weights/separated.R`): the limit of glm.
#[test]
fn weights_of_separated_sites_are_the_limit_of_glm() {
    let data = Data::parse(include_str!("known-weights/separated.csv"));
    let side = |row: usize| match data.text("arm", row) {
        "iuh" => Arm::Treated,
        _ => Arm::Control,
    };
    let arm: Vec<Arm> = (0..data.rows()).map(side).collect();
    let known: Vec<bool> = (0..data.rows())
        .map(|row| data.text("known", row) == "1")
        .collect();
    let mut columns: Vec<f64> = Vec::new();
    for site in ["b", "c", "d"] {
        let at = |row: usize| f64::from(u8::from(data.text("site", row) == site));
        columns.extend((0..data.rows()).map(at));
    }
    columns.extend(data.numbers("age").into_iter().flatten());
    let found = known_weights(&arm, &known, &columns);
    assert_eq!((found.columns, found.separated), ([4, 4], [false, false]));
    let aside = |columns: &[usize], with| {
        let columns = columns.to_vec();
        let known = true;
        vec![Aside {
            columns,
            with,
            known,
        }]
    };
    assert_eq!(found.aside, [aside(&[0, 1, 2], false), aside(&[1], true)]);
    let theirs: Vec<f64> = data.numbers("weight").into_iter().flatten().collect();
    assert_eq!(found.weights.len(), theirs.len());
    for (own, theirs) in found.weights.iter().zip(theirs) {
        close("weight", Some(*own), Some(theirs), 1e-11, 0.0);
    }
}
