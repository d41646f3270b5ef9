//! The laws that estimators declare, on generated data, for every entry of the registry; and that each declines with a
//! reason outside its domain.

use lottning::diagnostic::Lang;
use lottning::estimation::lin_statistic::LinStatistic;
use lottning::estimation::linear_model::{Design, Form, Workspace};
use lottning::estimation::{
    Arm, Columns, Counts, Covariate, Df, ESTIMATORS, Estimate, EstimationError, EstimatorEntry,
    Factor, Interval, Measure, Role, Settings, Variance, find,
};
use proptest::prelude::{ProptestConfig, Strategy};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq, proptest};

/// Rows: arm, outcome, number, level. Both arms hold every level several times.
#[derive(Debug, Clone)]
struct Rows {
    arm: Vec<Arm>,
    outcome: Vec<f64>,
    number: Vec<f64>,
    level: Vec<u8>,
}

fn rows() -> impl Strategy<Value = Rows> {
    (16usize..60).prop_flat_map(|n| {
        (
            proptest::collection::vec(-3.0f64..3.0, n),
            proptest::collection::vec(0.0f64..18.0, n),
            proptest::collection::vec(0u8..2, n),
        )
            .prop_map(move |(noise, number, shuffle)| {
                let arm: Vec<Arm> = (0..n)
                    .map(|i| {
                        if i % 8 < 3 {
                            Arm::Treated
                        } else {
                            Arm::Control
                        }
                    })
                    .collect();
                let level: Vec<u8> = (0..n)
                    .map(|i| {
                        let fixed = (i / 8 % 2) as u8;
                        if i < 16 { fixed } else { shuffle[i] }
                    })
                    .collect();
                let outcome = (0..n)
                    .map(|i| {
                        noise[i] + 0.2 * number[i] + f64::from(level[i]) + arm[i].index() as f64
                    })
                    .collect();
                Rows {
                    arm,
                    outcome,
                    number,
                    level,
                }
            })
    })
}

fn columns(rows: &Rows, entry: &EstimatorEntry) -> Columns {
    let cut = rows.outcome.iter().sum::<f64>() / rows.outcome.len() as f64;
    let outcome = |y: f64| {
        if entry.binary {
            f64::from(u8::from(y > cut))
        } else {
            y
        }
    };
    let names = ["east", "west"];
    let factor =
        |name: &str| Factor::from_texts(name, rows.level.iter().map(|l| Some(names[*l as usize])));
    let mut columns = Columns {
        arm: rows.arm.clone(),
        outcome: rows.outcome.iter().map(|y| Some(outcome(*y))).collect(),
        ..Columns::default()
    };
    if entry.uses(Role::Covariates) {
        columns.covariates = vec![Covariate::numeric(
            "age",
            rows.number.iter().map(|x| Some(*x)).collect(),
        )];
    }
    if entry.uses(Role::Strata) {
        columns.strata = vec![factor("site")];
    }
    columns
}

/// Every combination of options that the entry says it accepts and that goes together.
fn settings(entry: &EstimatorEntry) -> Vec<Settings> {
    let mut all = vec![Settings::default()];
    for variance in entry.options.variances {
        for df in entry.options.dfs {
            let needs_hc2 = matches!(df, Df::BellMccaffrey | Df::Welch);
            if !needs_hc2 || *variance == Variance::Hc2 {
                all.push(Settings {
                    variance: Some(*variance),
                    df: Some(*df),
                    ..Settings::default()
                });
            }
        }
    }
    for interval in entry.options.intervals {
        all.push(Settings {
            interval: Some(*interval),
            level: 0.9,
            ..Settings::default()
        });
    }
    all
}

fn same(a: &Estimate, b: &Estimate, sign: f64, scale: f64) -> Result<(), TestCaseError> {
    let se = a.std_error.unwrap_or(1.0).max(1e-3);
    let near = |x: Option<f64>, y: Option<f64>, factor: f64, tolerance: f64| match (x, y) {
        (Some(x), Some(y)) => {
            (factor * x - y).abs() <= tolerance * (factor * x).abs().max(factor.abs() * se)
        }
        (x, y) => x.is_none() && y.is_none(),
    };
    let (low, high) = if sign * scale < 0.0 {
        (b.conf_high, b.conf_low)
    } else {
        (b.conf_low, b.conf_high)
    };
    prop_assert!(
        near(a.estimate, b.estimate, sign * scale, 1e-8),
        "{a:?} {b:?}"
    );
    prop_assert!(
        near(a.std_error, b.std_error, scale.abs(), 1e-8),
        "{a:?} {b:?}"
    );
    prop_assert!(near(a.conf_low, low, sign * scale, 1e-7), "{a:?} {b:?}");
    prop_assert!(near(a.conf_high, high, sign * scale, 1e-7), "{a:?} {b:?}");
    prop_assert!(near(a.p_value, b.p_value, 1.0, 1e-7), "{a:?} {b:?}");
    prop_assert!(near(a.df, b.df, 1.0, 1e-6), "{a:?} {b:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn declared_symmetries_hold(rows in rows(), shift in -50.0f64..50.0, power in -8i32..9, turn in 1usize..15) {
        for entry in ESTIMATORS {
            let plain = columns(&rows, entry);
            for settings in settings(entry) {
                let base = entry.estimate(&plain, &settings).unwrap().results.remove(0);
                prop_assert!(base.conf_low <= base.estimate && base.estimate <= base.conf_high);
                if entry.symmetries.arm_exchange {
                    let mut other = plain.clone();
                    for arm in &mut other.arm {
                        *arm = if *arm == Arm::Treated { Arm::Control } else { Arm::Treated };
                    }
                    let flipped = entry.estimate(&other, &settings).unwrap().results.remove(0);
                    prop_assert_eq!((base.n_treated, base.n_control), (flipped.n_control, flipped.n_treated));
                    same(&base, &flipped, -1.0, 1.0)?;
                }
                if entry.symmetries.row_order {
                    let mut turned = rows.clone();
                    turned.arm.rotate_left(turn);
                    turned.outcome.rotate_left(turn);
                    turned.number.rotate_left(turn);
                    turned.level.rotate_left(turn);
                    let turned = entry.estimate(&columns(&turned, entry), &settings).unwrap().results.remove(0);
                    same(&base, &turned, 1.0, 1.0)?;
                }
                if entry.symmetries.covariate_affine {
                    let mut other = rows.clone();
                    for x in &mut other.number {
                        *x = (*x + shift) * 10f64.powi(power);
                    }
                    let other = entry.estimate(&columns(&other, entry), &settings).unwrap().results.remove(0);
                    same(&base, &other, 1.0, 1.0)?;
                }
                if entry.symmetries.outcome_affine {
                    let scale = -2.5;
                    let mut other = plain.clone();
                    for y in other.outcome.iter_mut().flatten() {
                        *y = shift + scale * *y;
                    }
                    let other = entry.estimate(&other, &settings).unwrap().results.remove(0);
                    same(&base, &other, 1.0, scale)?;
                }
            }
        }
    }

    /// The short path of the randomization test, the arms' own regressions and the joint matrix give one value.
    #[test]
    fn three_paths_to_one_value(rows in rows(), extra in proptest::collection::vec(-1.0f64..1.0, 60)) {
        let n = rows.arm.len();
        let mut covariates = rows.number.clone();
        covariates.extend(rows.level.iter().map(|l| f64::from(*l)));
        covariates.extend_from_slice(&extra[..n]);
        // A constant and a copy: set aside on every path.
        covariates.extend(std::iter::repeat_n(0.1, n));
        covariates.extend(rows.number.iter().map(|x| 3.0 - 2.0 * x));
        let by_arm = Design::factor(&rows.arm, &covariates[..3 * n], Form::Interacted).unwrap();
        let joint = Design::factor_jointly(&rows.arm, &covariates, Form::Interacted).unwrap();
        prop_assert_eq!(by_arm.coefficients(), joint.coefficients());
        let (df, other) = (by_arm.bell_mccaffrey().unwrap(), joint.bell_mccaffrey().unwrap());
        prop_assert!((df - other).abs() < 1e-8 * df, "{df} {other}");
        let mut workspace = Workspace::default();
        let fit = |design: &Design, workspace: &mut Workspace| {
            let inference = design.inference(Variance::Hc2, Df::BellMccaffrey, 0.95).unwrap();
            design.fit(&rows.outcome, &inference, workspace)
        };
        let (a, b) = (fit(&by_arm, &mut workspace), fit(&joint, &mut workspace));
        let mut statistic = LinStatistic::new(&covariates, &rows.outcome);
        // The storage is used before: nothing of it may stay.
        let mut turned = rows.arm.clone();
        turned.rotate_left(3);
        statistic.evaluate(&turned).unwrap();
        let c = statistic.evaluate(&rows.arm).unwrap();
        for (estimate, std_error) in [(b.estimate, b.std_error), (c.estimate, c.std_error)] {
            prop_assert!((a.estimate - estimate).abs() < 1e-9 * a.std_error, "{a:?} {estimate}");
            prop_assert!((a.std_error / std_error - 1.0).abs() < 1e-9, "{a:?} {std_error}");
        }
    }

    /// `Σ_ij b_i² b_j² (I−H)_ij²` without the n × n matrix, against the n × n matrix.
    #[test]
    fn bell_mccaffrey_by_its_definition(rows in rows()) {
        let n = rows.arm.len();
        let design = Design::factor(&rows.arm, &rows.number, Form::Additive).unwrap();
        // By the definition: fit each unit vector to get the columns of I − H and the weights.
        let mut qr = lottning::numerics::linear_algebra::Qr::default();
        let mut x = vec![1.0; n];
        x.extend_from_slice(&rows.number);
        x.extend(rows.arm.iter().map(|a| a.index() as f64));
        qr.factor(n, &x);
        let inverse = qr.inverse_gram();
        let hat = |i: usize, j: usize| (0..3).map(|k| qr.q()[k * n + i] * qr.q()[k * n + j]).sum::<f64>();
        let b: Vec<f64> = (0..n)
            .map(|i| {
                let a: f64 = (0..3).map(|k| x[k * n + i] * inverse[2 * 3 + k]).sum();
                a / (1.0 - hat(i, i)).sqrt()
            })
            .collect();
        let (mut trace, mut square) = (0.0, 0.0);
        for i in 0..n {
            for j in 0..n {
                let entry = b[i] * b[j] * (f64::from(u8::from(i == j)) - hat(i, j));
                square += entry * entry;
                if i == j {
                    trace += entry;
                }
            }
        }
        let df = design.bell_mccaffrey().unwrap();
        prop_assert!((df / (trace * trace / square) - 1.0).abs() < 1e-8);
    }
}

fn example(entry: &EstimatorEntry) -> Columns {
    let rows = Rows {
        arm: (0..24)
            .map(|i| {
                if i % 3 == 0 {
                    Arm::Treated
                } else {
                    Arm::Control
                }
            })
            .collect(),
        outcome: (0..24).map(|i| f64::from(i * 7 % 11)).collect(),
        number: (0..24).map(|i| f64::from(i * 5 % 13)).collect(),
        level: (0..24).map(|i| (i / 3 % 2) as u8).collect(),
    };
    columns(&rows, entry)
}

#[test]
fn each_declines_with_a_reason_outside_its_domain() {
    for entry in ESTIMATORS {
        let good = example(entry);
        let run = |columns: &Columns, settings: &Settings| entry.estimate(columns, settings);
        assert!(run(&good, &Settings::default()).is_ok(), "{}", entry.id);
        let code = |columns: &Columns| {
            let error = run(columns, &Settings::default()).unwrap_err();
            let words = error.words();
            assert!(
                !words.en.is_empty() && !words.sv.is_empty() && words.en != words.sv,
                "{error:?}"
            );
            (error.code(), error.is_usage())
        };

        assert_eq!(code(&Columns::default()), ("no-rows", false));
        let mut missing = good.clone();
        missing.outcome.fill(None);
        assert_eq!(code(&missing), ("no-rows", false));
        let mut one_arm = good.clone();
        one_arm.arm.fill(Arm::Control);
        assert_eq!(code(&one_arm), ("too-few-rows", false));
        for bad in [f64::NAN, f64::INFINITY, -2e100] {
            let mut columns = good.clone();
            columns.outcome[4] = Some(bad);
            assert_eq!(code(&columns), ("not-finite", false));
        }
        let mut short = good.clone();
        short.outcome.pop();
        assert_eq!(code(&short), ("unequal-lengths", false));
        if entry.binary {
            let mut columns = good.clone();
            columns.outcome[3] = Some(2.0);
            assert_eq!(code(&columns), ("not-binary", false));
        }

        // Columns that it does not use, or not yet.
        let factor = Factor::from_texts("c", (0..24).map(|_| Some("x")));
        let covariate = Covariate::numeric("x", vec![Some(1.0); 24]);
        let with: [(Role, Columns); 4] = [
            (
                Role::Covariates,
                Columns {
                    covariates: vec![covariate],
                    ..good.clone()
                },
            ),
            (
                Role::Strata,
                Columns {
                    strata: vec![factor.clone()],
                    ..good.clone()
                },
            ),
            (
                Role::Cluster,
                Columns {
                    cluster: Some(factor),
                    ..good.clone()
                },
            ),
            (
                Role::Weights,
                Columns {
                    weights: Some(vec![Some(1.0); 24]),
                    ..good.clone()
                },
            ),
        ];
        for (role, columns) in &with {
            if entry.later.contains(role) {
                assert_eq!(
                    code(columns),
                    ("not-built-yet", true),
                    "{} {role:?}",
                    entry.id
                );
            } else if !entry.uses(*role) {
                assert_eq!(
                    code(columns),
                    ("column-not-used", true),
                    "{} {role:?}",
                    entry.id
                );
            }
        }
        let counts = Counts {
            treated_events: 1,
            treated_units: 2,
            control_events: 3,
            control_units: 4,
        };
        let from_counts = run(&Columns::from_counts(counts), &Settings::default());
        assert_eq!(from_counts.is_ok(), entry.counts);

        // Options: every word of the contract is either accepted or declined by name.
        for level in [0.0, 1.0, -0.5, f64::NAN] {
            let settings = Settings {
                level,
                ..Settings::default()
            };
            assert_eq!(
                run(&good, &settings).unwrap_err().code(),
                "level-out-of-range"
            );
        }
        let base = Settings::default();
        let asked = Variance::ALL
            .iter()
            .map(|v| {
                (
                    entry.options.variances.contains(v),
                    Settings {
                        variance: Some(*v),
                        ..base
                    },
                )
            })
            .chain(Interval::ALL.iter().map(|v| {
                (
                    entry.options.intervals.contains(v),
                    Settings {
                        interval: Some(*v),
                        ..base
                    },
                )
            }))
            .chain(Measure::ALL.iter().map(|v| {
                (
                    entry.options.measures.contains(v),
                    Settings {
                        measure: Some(*v),
                        ..base
                    },
                )
            }))
            .chain(Df::ALL.iter().map(|v| {
                (
                    entry.options.dfs.contains(v),
                    Settings {
                        df: Some(*v),
                        ..base
                    },
                )
            }));
        for (accepted, settings) in asked {
            match run(&good, &settings) {
                Ok(_) => assert!(accepted, "{} {settings:?}", entry.id),
                Err(error) => assert!(
                    !accepted && error.is_usage(),
                    "{} {settings:?} {error:?}",
                    entry.id
                ),
            }
        }
    }
}

#[test]
fn words_parse_to_what_prints_them() {
    for v in Variance::ALL {
        assert_eq!(Variance::parse(v.text()), Some(*v));
    }
    for v in Df::ALL {
        assert_eq!(Df::parse(v.text()), Some(*v));
    }
    for v in Interval::ALL {
        assert_eq!(Interval::parse(v.text()), Some(*v));
    }
    assert_eq!(Variance::parse("HC2"), None);
    let ids: Vec<&str> = ESTIMATORS.iter().map(|entry| entry.id).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
    assert!(matches!(
        find("lni").unwrap_err(),
        EstimationError::UnknownEstimator {
            nearest: Some("lin"),
            ..
        }
    ));
}

/// The document has the keys of the contract, in its order, and no number that JSON lacks.
#[test]
fn the_document_is_the_contracts() {
    for entry in ESTIMATORS {
        let mut columns = example(entry);
        columns.other_arms = 3;
        let answer = entry.estimate(&columns, &Settings::default()).unwrap();
        let document = answer.document(Lang::Sv);
        assert_eq!(document["schema"], "lottning.estimates/1");
        let keys: Vec<&str> = document["results"][0]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .take(16)
            .collect();
        assert_eq!(
            keys,
            [
                "estimator",
                "term",
                "measure",
                "estimate",
                "std_error",
                "std_error_scale",
                "statistic",
                "df",
                "p_value",
                "conf_low",
                "conf_high",
                "level",
                "n_treated",
                "n_control",
                "variance",
                "interval"
            ]
        );
        assert_eq!(document["warnings"][0]["code"], "other-arms-dropped");
        assert_eq!(
            document["warnings"][0]["message"],
            "3 rader från andra armar är utelämnade"
        );
    }
}
