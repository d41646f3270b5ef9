//! `power two-means` against base R and `power log-rank` against rpact (`power_families/generate.R`, versions in
//! `session.txt`).

use lottning::planning::clustering::{ClusteredArms, Clustering};
use lottning::planning::log_rank::{self, FollowUp, Formula};
use lottning::planning::two_means::{Adjustment, Question, solve};

#[test]
fn means_agree_with_r() {
    let mut rows = 0;
    for line in include_str!("power_families/means.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse::<f64>().unwrap();
        let covariates: u32 = cells[7].parse().unwrap();
        let clusters = |arms| {
            Some(Clustering {
                size: number(8),
                icc: number(9),
                size_cv: number(10),
                arms,
            })
        };
        let question = Question {
            ratio: number(2) / number(3),
            sides: cells[5].parse().unwrap(),
            adjustment: (covariates > 0).then(|| Adjustment {
                r_squared: number(6),
                covariates,
            }),
            clustering: match cells[11] {
                "both" => clusters(ClusteredArms::Both),
                "treated" => clusters(ClusteredArms::Treated),
                _ => None,
            },
            ..Question::power_at(number(0), number(1), number(3), number(4))
        };
        // R's integrate is asked for ten digits.
        let tolerance = if covariates > 0 { 2e-10 } else { 1e-11 };
        let value = solve(&question).unwrap().value;
        assert!(
            (value - number(12)).abs() < tolerance,
            "{line}: {value}, off by {:.1e}",
            value - number(12)
        );
        rows += 1;
    }
    assert!(rows > 200, "{rows}");
}

#[test]
fn survival_agrees_with_rpact() {
    let mut rows = 0;
    for line in include_str!("power_families/survival.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse::<f64>().unwrap();
        let formula = Formula::ALL.into_iter().find(|own| own.id() == cells[0]);
        let question = log_rank::Question {
            events: None,
            power: Some(number(4)),
            ratio: number(2),
            formula: formula.unwrap(),
            follow_up: Some(FollowUp {
                control_median: number(5),
                accrual: number(6),
                follow_up: number(7),
                loss: number(8),
            }),
            ..log_rank::Question::power_at(number(1), 1.0, number(3))
        };
        let found = log_rank::solve(&question).unwrap();
        let individuals = found.individuals.unwrap();
        assert!(
            (found.value / number(9) - 1.0).abs() < 1e-11,
            "{line}: {}",
            found.value
        );
        assert!(
            (individuals.total / number(10) - 1.0).abs() < 1e-11,
            "{line}: {individuals:?}"
        );
        rows += 1;
    }
    assert_eq!(rows, 72);
}
