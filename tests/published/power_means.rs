//! Power of means, and of the tests that share their distributions, against printed figures.
//!
//! pwr is the R package, version 1.3-0; figures marked statsmodels stand in the tests of that Python package, which has them
//! from pwr. `power.t.test` is base R's, 4.2.2, whose two-sided figure leaves the farther tail out unless it is strict.

use lottning::numerics::chi_square::ChiSquare;
use lottning::numerics::f::F;
use lottning::numerics::noncentral_chi_square::NoncentralChiSquare;
use lottning::numerics::noncentral_f::NoncentralF;
use lottning::numerics::noncentral_t::NoncentralT;
use lottning::numerics::student_t::StudentT;
use lottning::planning::PowerError;
use lottning::planning::figure::{Direction, Solved};
use lottning::planning::two_means::{Adjustment, Question, Test, solve};
use lottning::planning::two_proportions;

fn near(value: f64, printed: f64, tolerance: f64) {
    assert!(
        (value - printed).abs() <= tolerance,
        "{value} and not {printed}"
    );
}

fn power(question: Question) -> f64 {
    solve(&question).unwrap().value
}

#[test]
fn power_of_the_t_test() {
    // statsmodels.
    near(
        power(Question::power_at(1.0, 1.0, 30.0, 0.05)),
        0.967_708_258_242_517,
        1e-12,
    );
    near(
        power(Question::power_at(0.1, 1.0, 20.0, 0.05)),
        0.060_959_124_654_112_35,
        1e-12,
    );
    let unequal = Question {
        ratio: 1.5,
        ..Question::power_at(0.1, 1.0, 20.0, 0.05)
    };
    near(power(unequal), 0.063_308_183_256_466_7, 1e-12);
    let greater = Question {
        sides: 1,
        ..unequal
    };
    near(power(greater), 0.096_235_890_809_178_05, 1e-12);
    // pwr.t.test, 12 digits.
    near(
        power(Question::power_at(0.5, 1.0, 64.0, 0.05)),
        0.801_459_557_922,
        5e-13,
    );
    // The unit of the outcome does not matter, nor the sign.
    near(
        power(Question::power_at(-7.5, 15.0, 64.0, 0.05)),
        0.801_459_557_922,
        5e-13,
    );
    // power.t.test(n = 20, delta = 1): one tail of .025.
    let one_tail = Question {
        sides: 1,
        ..Question::power_at(1.0, 1.0, 20.0, 0.025)
    };
    near(power(one_tail), 0.868_952_801_692, 5e-13);
}

#[test]
fn sample_sizes_of_the_t_test() {
    let n = |delta: f64, power: f64, alpha: f64, sides: u8| {
        solve(&Question {
            n_control: None,
            power: Some(power),
            sides,
            ..Question::power_at(delta, 1.0, 1.0, alpha)
        })
        .unwrap()
        .value
    };
    // pwr.t.test; its root finder stops within a tolerance of its own.
    near(n(0.5, 0.8, 0.05, 2), 63.765_610_444_1, 2e-6);
    near(n(0.2, 0.8, 0.05, 2), 393.405_696_022, 2e-6);
    near(n(0.3, 0.9, 0.05, 2), 234.462_743_571, 2e-6);
    // power.t.test(power = .9, delta = 1), two-sided (one tail of .025) and one-sided: R prints 22.0210977039 and
    // 17.8471260865 with its default tolerance (1.2e-4), and the figures here with `tol = 1e-13`.
    near(n(1.0, 0.9, 0.025, 1), 22.021_097_703_9, 1.2e-4);
    near(n(1.0, 0.9, 0.025, 1), 22.021_095_570_094, 1e-10);
    near(n(1.0, 0.9, 0.05, 1), 17.847_126_086_5, 1.2e-4);
    near(n(1.0, 0.9, 0.05, 1), 17.847_120_626_537, 1e-10);
    near(n(0.5, 0.8, 0.05, 2), 63.765_610_190_942, 1e-10); // power.t.test(strict = TRUE, tol = 1e-13)
    let rounded = solve(&Question {
        n_control: None,
        power: Some(0.8),
        ..Question::power_at(0.5, 1.0, 1.0, 0.05)
    })
    .unwrap();
    assert_eq!((rounded.n_control, rounded.n_treated), (64, 64));
    near(rounded.power_at_n, 0.801_459_557_922, 5e-13);
}

/// pwr.t.test(type = "one.sample") is the noncentral t itself: δ = d√n with n − 1 degrees of freedom.
#[test]
fn one_sample() {
    let t = NoncentralT::new(19.0, 0.2 * 20f64.sqrt()).unwrap();
    let critical = StudentT::new(19.0).unwrap().quantile(0.975).unwrap();
    near(
        t.sf(critical) + t.cdf(-critical),
        0.135_956_288_766_796_6,
        1e-12,
    ); // statsmodels
}

/// The normal test: pwr.norm, pwr.2p and pwr.2p2n count both tails; h and d are the same to it.
#[test]
fn known_variance() {
    let question = Question {
        test: Test::Normal,
        strict: true,
        ..Question::power_at(0.3, 1.0, 80.0, 0.05)
    };
    near(power(question), 0.475_100_870_572_638, 1e-12); // statsmodels
    let unequal = Question {
        ratio: 245.0 / 80.0,
        ..question
    };
    near(power(unequal), 0.644_234_558_877, 5e-13); // pwr.2p2n.test
    // The same by the arcsine formula of proportions whose h is .3: p1 = sin²(asin √½ + .15).
    let p1 = (0.5f64.sqrt().asin() + 0.15).sin().powi(2);
    let arcsine = two_proportions::Question {
        test: two_proportions::Test::Arcsine,
        strict: true,
        ..two_proportions::Question::power_at(0.5, p1, 80.0, 0.05)
    };
    let value = |ratio| {
        let question = two_proportions::Question { ratio, ..arcsine };
        two_proportions::solve(&question).unwrap().value
    };
    near(value(1.0), 0.475_100_870_572_638, 1e-12);
    near(value(245.0 / 80.0), 0.644_234_558_877, 5e-13);
}

/// Chi-square, regression and analysis of variance: the figures are those of the noncentral distributions alone.
#[test]
fn chi_square_and_f() {
    let critical = ChiSquare::new(1.0).unwrap().quantile(0.95).unwrap();
    let w = NoncentralChiSquare::new(1.0, 100.0 * 0.09).unwrap();
    near(w.sf(critical), 0.850_838_768_327, 1e-11); // pwr.chisq.test(w = .3, N = 100, df = 1)
    let f = |u: f64, v: f64, ncp: f64, alpha: f64| {
        let critical = F::new(u, v).unwrap().quantile(1.0 - alpha).unwrap();
        NoncentralF::new(u, v, ncp).unwrap().sf(critical)
    };
    // pwr.f2.test: ncp = f2·(u + v + 1). R's pf stops its own sum at 1e-9.
    near(
        f(5.0, 89.0, 0.1 / 0.9 * 95.0, 0.05),
        0.673_585_770_914,
        1e-9,
    );
    near(
        f(5.0, 199.0, 0.09 * 205.0, 0.01),
        0.796_719_100_629_087_2,
        1e-9,
    ); // statsmodels
    // pwr.anova.test(k = 4, n = 20, f = .28): ncp = k·n·f².
    near(
        f(3.0, 76.0, 80.0 * 0.28 * 0.28, 0.05),
        0.514_979_292_197,
        1e-9,
    );
}

#[test]
fn each_unknown_gives_the_others_back() {
    for test in Test::ALL {
        for (sides, ratio, strict) in [(2, 1.0, false), (2, 2.5, true), (1, 0.5, false)] {
            for adjustment in [
                None,
                Some(Adjustment {
                    r_squared: 0.4,
                    covariates: 3,
                }),
            ] {
                let known = Question {
                    test,
                    sides,
                    ratio,
                    strict,
                    adjustment,
                    direction: Some(Direction::Lower),
                    ..Question::power_at(-0.8, 2.0, 40.0, 0.05)
                };
                let found = solve(&known).unwrap();
                assert_eq!(found.solved, Solved::Power);
                let complete = Question {
                    power: Some(found.value),
                    ..known
                };
                let own = |question: Question| solve(&question).unwrap().value;
                let what = format!("{known:?}");
                let n = own(Question {
                    n_control: None,
                    ..complete
                });
                assert!((n - 40.0).abs() < 1e-7, "{what}: {n}");
                let alpha = own(Question {
                    alpha: None,
                    ..complete
                });
                assert!((alpha - 0.05).abs() < 1e-10, "{what}: {alpha}");
                let delta = own(Question {
                    delta: None,
                    ..complete
                });
                assert!((delta + 0.8).abs() < 1e-9, "{what}: {delta}");
            }
        }
    }
}

#[test]
fn figures_that_do_not_exist_are_refused_with_the_reason() {
    let base = Question::power_at(0.5, 1.0, 20.0, 0.05);
    let refused = |question: Question| solve(&question).unwrap_err();
    let sized = Question {
        n_control: None,
        power: Some(0.8),
        ..base
    };
    assert_eq!(
        refused(Question {
            delta: Some(0.0),
            ..sized
        }),
        PowerError::NoDifference
    );
    assert_eq!(
        refused(Question {
            power: Some(0.04),
            ..sized
        }),
        PowerError::PowerTooLow
    );
    assert_eq!(
        refused(Question {
            delta: None,
            power: Some(0.05),
            ..base
        }),
        PowerError::AnyEffect
    );
    assert_eq!(
        refused(Question {
            alpha: None,
            ..base
        }),
        PowerError::Underdetermined
    );
    assert_eq!(
        refused(Question {
            power: Some(0.5),
            ..base
        }),
        PowerError::Overdetermined
    );
    assert_eq!(
        refused(Question {
            direction: Some(Direction::Lower),
            ..base
        }),
        PowerError::WrongSide
    );
    assert!(matches!(
        refused(Question {
            n_control: Some(1.0),
            ..base
        }),
        PowerError::NoDegreesOfFreedom { .. }
    ));
    for bad in [
        Question { sd: 0.0, ..base },
        Question { sides: 3, ..base },
        Question {
            ratio: -1.0,
            ..base
        },
        Question {
            delta: Some(f64::NAN),
            ..base
        },
        Question {
            n_control: Some(0.5),
            ..base
        },
        Question {
            adjustment: Some(Adjustment {
                r_squared: 1.0,
                covariates: 1,
            }),
            ..base
        },
        Question {
            adjustment: Some(Adjustment {
                r_squared: 0.5,
                covariates: 0,
            }),
            ..base
        },
    ] {
        assert!(
            matches!(refused(bad), PowerError::OutOfRange { .. }),
            "{bad:?}"
        );
    }
}
