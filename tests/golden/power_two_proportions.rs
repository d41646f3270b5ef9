//! `power two-proportions` against base R: `power.prop.test`, and enumeration with `dbinom` and `fisher.test`
//! (`power_two_proportions/generate.R`, version in `session.txt`).

use lottning::planning::two_proportions::{Direction, Question, Test, solve};

#[test]
fn every_figure_agrees_with_r() {
    let text = include_str!("power_two_proportions/values.csv");
    let mut rows = 0;
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse::<f64>().unwrap();
        let (n1, n0, p1, p0, alpha, power) = (
            number(4),
            number(5),
            number(6),
            number(7),
            number(8),
            number(9),
        );
        let known = Question {
            p0,
            p1: Some(p1),
            n_control: Some(n0),
            power: Some(power),
            alpha: Some(alpha),
            ratio: n1 / n0,
            sides: cells[2].parse().unwrap(),
            strict: cells[3] == "TRUE",
            margin: 0.0,
            test: Test::ALL.into_iter().find(|t| t.id() == cells[1]).unwrap(),
            direction: None,
            clustering: None,
        };
        // R's uniroot stops at .Machine$double.eps^0.75 = 1.8e-12 of its search variable; n is some hundreds.
        let (question, expected, tolerance) = match cells[0] {
            "power" => (
                Question {
                    power: None,
                    ..known
                },
                power,
                1e-12,
            ),
            "n" => (
                Question {
                    n_control: None,
                    ..known
                },
                n0,
                1e-8,
            ),
            "alpha" => (
                Question {
                    alpha: None,
                    ..known
                },
                alpha,
                1e-10,
            ),
            "effect" => (
                Question {
                    p1: None,
                    direction: Some(Direction::Higher),
                    ..known
                },
                p1,
                1e-10,
            ),
            other => panic!("{other}"),
        };
        let value = solve(&question).unwrap().value;
        assert!(
            (value - expected).abs() <= tolerance,
            "{line}: {value}, R has {expected}"
        );
        rows += 1;
    }
    assert!(rows > 80, "{rows}");
}
