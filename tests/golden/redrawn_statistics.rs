//! Statistics on redrawn arms against R 4.2.2: survival's `survdiff`, `manova`, and placements in base R.

use crate::data::Data;
use lottning::allocation::Arm as Drawn;
use lottning::analysis::balance::{Imbalance, orthonormal};
use lottning::analysis::randomization::Statistic;
use lottning::estimation::Arm;
use lottning::estimation::redrawn_scores::{Counted, Ranked, TimesInOrder};

const DATA: &str = include_str!("redrawn-statistics/data.csv");
const RESULTS: &str = include_str!("redrawn-statistics/results.csv");

fn column(data: &Data, name: &str) -> Vec<f64> {
    let own = data.numbers(name);
    own.into_iter().map(Option::unwrap).collect()
}

#[track_caller]
fn near(found: f64, expected: f64, what: &str) {
    let tolerance = 1e-10 * expected.abs().max(1.0);
    let difference = (found - expected).abs();
    assert!(difference < tolerance, "{what}: {found} is not {expected}");
}

/// Six redraws of 42 rows with ties; on the last two a third arm takes no part in the tests.
#[test]
fn every_redraw_agrees_with_r() {
    let (data, results) = (Data::parse(DATA), Data::parse(RESULTS));
    let event: Vec<bool> = column(&data, "event")
        .iter()
        .map(|own| *own > 0.5)
        .collect();
    let times = TimesInOrder::new(&column(&data, "time"), &event);
    let ranked = Ranked::new(&column(&data, "score"));
    let stratum = column(&data, "stratum");
    let characteristics = ["x1", "x2", "x3"].map(|name| (name.to_owned(), column(&data, name)));
    let (rows, k) = orthonormal(&characteristics, data.rows());
    assert_eq!(k, 3);
    let places: Vec<usize> = (0..data.rows()).collect();
    // Storage is shared between redraws of different arms.
    let mut counted = Counted::default();
    for redraw in 0..results.rows() {
        let arm = column(&data, &format!("arm{}", redraw + 1));
        let side = |own: &f64| match *own as u8 {
            0 => Some(Arm::Control),
            1 => Some(Arm::Treated),
            _ => None,
        };
        let sides: Vec<Option<Arm>> = arm.iter().map(side).collect();
        let expected = |name: &str| results.number(name, redraw).unwrap();
        let (excess, variance) = times.excess(&sides, |_| 0, 1, &mut counted).unwrap();
        near(excess, expected("excess"), "excess");
        near(variance, expected("variance"), "variance");
        let within = |row: usize| stratum[row] as usize;
        let (excess, variance) = times.excess(&sides, within, 2, &mut counted).unwrap();
        near(excess, expected("excess_within"), "excess within strata");
        near(
            variance,
            expected("variance_within"),
            "variance within strata",
        );
        let (index, variance) = ranked.index(&sides, &mut counted).unwrap();
        near(index, expected("index"), "index");
        near(
            variance,
            expected("index_variance"),
            "variance of the index",
        );
        let drawn: Vec<Drawn> = arm.iter().map(|own| Drawn(*own as u8)).collect();
        let mut imbalance = Imbalance::new(&places, &rows, k, 3);
        near(imbalance.value(&drawn).unwrap(), expected("trace"), "trace");
    }
}
