//! Power of two proportions against printed figures.
//!
//! The table is the one that the usual programs print for the same inputs: R's `power.prop.test`, rpact 3.3.4 and
//! pwr 1.3-0 agree on it to the digits given. Power by enumeration was computed by an independent program that sums
//! over every table.

use lottning::planning::clustering::{ClusteredArms, Clustering};
use lottning::planning::two_proportions::{Direction, PowerError, Question, Solved, Test, solve};

fn n_for(p0: f64, p1: f64, test: Test, power: f64) -> f64 {
    solve(&Question {
        n_control: None,
        power: Some(power),
        test,
        ..Question::power_at(p0, p1, 0.0, 0.05)
    })
    .unwrap()
    .value
}

#[test]
fn sample_sizes_per_arm() {
    // p1, p2; pooled .80, unpooled .80, Fleiss with continuity correction .80, arcsine .80, pooled .90.
    let table = [
        (0.30, 0.20, [293.151, 290.409, 312.832, 291.689, 391.947]),
        (0.40, 0.30, [355.943, 353.200, 375.677, 355.420, 476.007]),
        (0.50, 0.40, [387.339, 384.595, 407.093, 387.169, 518.037]),
        (0.25, 0.15, [249.982, 247.240, 269.611, 247.589, 334.156]),
        (0.10, 0.05, [434.432, 431.688, 473.587, 423.733, 581.082]),
    ];
    for (p0, p1, expected) in table {
        let found = [
            n_for(p0, p1, Test::Pooled, 0.8),
            n_for(p0, p1, Test::Unpooled, 0.8),
            n_for(p0, p1, Test::Continuity, 0.8),
            n_for(p0, p1, Test::Arcsine, 0.8),
            n_for(p0, p1, Test::Pooled, 0.9),
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found - expected).abs() < 5.1e-4,
                "{p0} {p1}: {found} {expected}"
            );
        }
    }
}

#[test]
fn power_of_the_pooled_formula() {
    // power.prop.test of R.
    let power = |question: Question| solve(&question).unwrap().value;
    let half = Question::power_at(0.5, 0.75, 50.0, 0.05);
    assert!((power(half) - 0.740_165_901_331).abs() < 5e-13);
    let strict = Question {
        strict: true,
        ..half
    };
    assert!((power(strict) - 0.740_167_193_454).abs() < 5e-13);
    assert!((power(Question::power_at(0.3, 0.2, 150.0, 0.05)) - 0.516_075_263_865).abs() < 5e-13);
    assert!((power(Question::power_at(0.3, 0.2, 300.0, 0.05)) - 0.809_025_665_325).abs() < 5e-13);
    // R prints 76.7069301141 with its default tolerance (1.2e-4) and 76.7069284518 with `tol = 1e-14`.
    let n = n_for(0.5, 0.75, Test::Pooled, 0.9);
    assert!((n - 76.706_930_114_1).abs() < 1.2e-4);
    assert!((n - 76.706_928_451_8).abs() < 5.1e-11, "{n}");
}

#[test]
fn exact_power_by_enumeration() {
    // n1, n2, p1, p2; z pooled, z unpooled, Yates, Fisher two-sided.
    let table = [
        (
            150.0,
            150.0,
            0.3,
            0.2,
            [0.519_516, 0.526_479, 0.464_652, 0.469_074],
        ),
        (
            300.0,
            300.0,
            0.3,
            0.2,
            [0.810_739, 0.812_448, 0.784_445, 0.784_445],
        ),
        (
            300.0,
            300.0,
            0.2,
            0.2,
            [0.049_889, 0.051_036, 0.039_388, 0.039_388],
        ),
        (
            300.0,
            300.0,
            0.4,
            0.3,
            [0.731_144, 0.734_644, 0.702_996, 0.702_996],
        ),
        (
            200.0,
            100.0,
            0.3,
            0.2,
            [0.456_262, 0.499_452, 0.402_123, 0.434_786],
        ),
        (
            50.0,
            50.0,
            0.2,
            0.2,
            [0.052_166, 0.057_548, 0.028_163, 0.028_163],
        ),
    ];
    for (n1, n2, p1, p2, expected) in table {
        let tests = [
            Test::ExactPooled,
            Test::ExactUnpooled,
            Test::ExactContinuity,
            Test::ExactFisher,
        ];
        for (test, expected) in tests.into_iter().zip(expected) {
            let found = solve(&Question {
                ratio: n1 / n2,
                test,
                ..Question::power_at(p2, p1, n2, 0.05)
            })
            .unwrap();
            assert!(
                (found.value - expected).abs() < 6e-7,
                "{n1} {n2} {test:?}: {}",
                found.value
            );
        }
    }
}

/// A margin: the tests of the R package gsDesign have these sizes of nBinomial, which cite Farrington and Manning 1990, doi
/// 10.1002/sim.4780091208; there the difference is control minus treated, here treated minus control.
#[test]
fn sample_sizes_with_a_margin() {
    let sized = |p0, p1, margin, ratio, power| {
        let question = Question {
            n_control: None,
            power: Some(power),
            sides: 1,
            margin,
            ratio,
            ..Question::power_at(p0, p1, 1.0, 0.05)
        };
        let n0 = solve(&question).unwrap().value;
        (n0 * ratio, n0)
    };
    let near = |value: f64, printed: f64, tolerance: f64| {
        assert!((value - printed).abs() < tolerance, "{value} {printed}");
    };
    // .4 against .05, by more than .2, power .8; the other two at that function's usual power of .9.
    let (n1, n0) = sized(0.4, 0.05, -0.2, 1.0, 0.8);
    near(n1 + n0, 159.6876, 5.1e-5);
    // Not inferior by .2.
    let (n1, n0) = sized(0.1, 0.1, 0.2, 2.0 / 3.0, 0.9);
    near(n0, 62.88, 5.1e-3);
    near(n1, 41.92, 5.1e-3);
    let (n1, n0) = sized(0.25, 0.05, -0.1, 1.5, 0.9);
    near(n0, 173.2214, 5.1e-5);
    near(n1, 259.8322, 5.1e-5);
    // The odds ratio of .15 and .1, one-sided .025.
    let odds = Question {
        n_control: None,
        power: Some(0.8),
        test: Test::LogOdds,
        ..Question::power_at(0.15, 0.1, 1.0, 0.05)
    };
    near(2.0 * solve(&odds).unwrap().value, 1355.84, 5.1e-3);
}

#[test]
fn a_margin_belongs_to_differences_and_must_be_passed() {
    let base = Question {
        margin: 0.05,
        ..Question::power_at(0.3, 0.3, 400.0, 0.05)
    };
    let refused = |question: Question| solve(&question).unwrap_err();
    for test in Test::ALL {
        let found = solve(&Question { test, ..base });
        match test {
            Test::Pooled | Test::Unpooled | Test::T => assert!(found.is_ok(), "{test:?}"),
            Test::Arcsine
            | Test::Continuity
            | Test::LogOdds
            | Test::ExactPooled
            | Test::ExactUnpooled
            | Test::ExactContinuity
            | Test::ExactFisher
            | Test::ExactFisherCentral => assert_eq!(found, Err(PowerError::MarginNotUsed)),
        }
    }
    let lower = Question {
        direction: Some(Direction::Higher),
        ..base
    };
    assert_eq!(refused(lower), PowerError::WithinMargin);
    let beyond = Question {
        margin: 0.75,
        ..base
    };
    assert!(matches!(refused(beyond), PowerError::OutOfRange { .. }));
    // A margin of nothing is the pooled formula: the constrained proportions tend to the pooled one.
    let tiny = Question {
        margin: 1e-9,
        ..Question::power_at(0.3, 0.2, 300.0, 0.05)
    };
    let value = solve(&tiny).unwrap().value;
    assert!((value - 0.809_025_665_325).abs() < 1e-6, "{value}");
}

#[test]
fn clusters_inflate_the_variance() {
    // 13 clusters of 150 per arm, .1 against .2, ICC .05: .860 (tests of the R package clusterPower, there from
    // PASS 11), .85954 to five digits.
    let question = Question {
        test: Test::Unpooled,
        clustering: Some(Clustering {
            size: 150.0,
            icc: 0.05,
            size_cv: 0.0,
            arms: ClusteredArms::Both,
        }),
        ..Question::power_at(0.1, 0.2, 1950.0, 0.05)
    };
    let answer = solve(&question).unwrap();
    assert!((answer.value - 0.859_54).abs() < 5.1e-6, "{}", answer.value);
    // n of individuals is the unclustered n times 8.45.
    let clustered = solve(&Question {
        n_control: None,
        power: Some(0.8),
        ..question
    })
    .unwrap()
    .value;
    let plain = n_for(0.1, 0.2, Test::Unpooled, 0.8);
    assert!((clustered / plain - 8.45).abs() < 1e-12);
}

#[test]
fn each_unknown_gives_the_others_back() {
    for test in Test::ALL {
        for (sides, ratio) in [(2, 1.0), (1, 1.0), (2, 0.5), (2, 3.0)] {
            let known = Question {
                ratio,
                sides,
                test,
                direction: Some(Direction::Lower),
                ..Question::power_at(0.45, 0.2, 60.0, 0.05)
            };
            let power = solve(&known).unwrap();
            assert_eq!(power.solved, Solved::Power);
            let complete = Question {
                power: Some(power.value),
                ..known
            };
            let effect = solve(&Question {
                p1: None,
                ..complete
            })
            .unwrap()
            .value;
            assert!(
                (effect - 0.2).abs() < 1e-9,
                "{test:?} {sides} {ratio}: {effect}"
            );
            let n = solve(&Question {
                n_control: None,
                ..complete
            })
            .unwrap();
            let alpha = solve(&Question {
                alpha: None,
                ..complete
            })
            .unwrap()
            .value;
            if test.id().starts_with("exact") {
                // Exact power has steps: the smallest n is at most 60, the smallest alpha at most .05.
                assert!(n.value <= 60.0 && n.power_at_n >= power.value, "{test:?}");
                assert!(n.n_control_steady.unwrap() >= n.n_control);
                assert!(alpha <= 0.05 && alpha > 0.01, "{test:?} {alpha}");
            } else {
                assert!((n.value - 60.0).abs() < 1e-8, "{test:?} {}", n.value);
                assert!((alpha - 0.05).abs() < 1e-12, "{test:?} {alpha}");
            }
        }
    }
}

#[test]
fn figures_that_do_not_exist_are_refused_with_the_reason() {
    let base = Question::power_at(0.3, 0.2, 100.0, 0.05);
    let refused = |question: Question| solve(&question).unwrap_err();
    let sized = Question {
        n_control: None,
        power: Some(0.8),
        ..base
    };
    assert_eq!(
        refused(Question {
            p1: Some(0.3),
            ..sized
        }),
        PowerError::NoDifference
    );
    assert_eq!(
        refused(Question {
            power: Some(0.001),
            ..sized
        }),
        PowerError::PowerTooLow
    );
    assert_eq!(
        refused(Question { p1: None, ..base }),
        PowerError::Underdetermined
    );
    assert_eq!(
        refused(Question {
            power: Some(0.5),
            ..base
        }),
        PowerError::Overdetermined
    );
    let effect = Question {
        p1: None,
        power: Some(0.8),
        ..base
    };
    assert!(matches!(
        refused(Question {
            n_control: Some(10.0),
            ..effect
        }),
        PowerError::EffectTooSmall { .. }
    ));
    assert_eq!(
        refused(Question {
            power: Some(0.02),
            ..effect
        }),
        PowerError::AnyEffect
    );
    assert_eq!(
        refused(Question {
            direction: Some(Direction::Higher),
            ..base
        }),
        PowerError::WrongSide
    );
    let alpha = Question {
        alpha: None,
        power: Some(0.999_999),
        ..base
    };
    assert_eq!(
        refused(Question {
            n_control: Some(5.0),
            ..alpha
        }),
        PowerError::AlphaTooLarge
    );
    let exact = Question {
        test: Test::ExactFisher,
        ..base
    };
    assert!(matches!(
        refused(Question {
            n_control: Some(10.5),
            ..exact
        }),
        PowerError::NotWhole { .. }
    ));
    assert!(matches!(
        refused(Question {
            n_control: Some(6000.0),
            ..exact
        }),
        PowerError::TooManyTables { .. }
    ));
    for (p0, ratio) in [
        (0.0, 1.0),
        (1.0, 1.0),
        (f64::NAN, 1.0),
        (0.3, 0.0),
        (0.3, f64::INFINITY),
    ] {
        assert!(matches!(
            refused(Question { p0, ratio, ..base }),
            PowerError::OutOfRange { .. }
        ));
    }
}
