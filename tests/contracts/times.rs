//! Laws that estimators of times to an event share, on generated data: what splitting follow-up, stretching time and
//! adding empty strata may not change, and which tests are one.

use lottning::estimation::{
    Arm, Columns, Covariate, Estimate, EstimationError, Factor, Settings, Ties, Values, Variance,
    estimate,
};
use proptest::prelude::{ProptestConfig, Strategy};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq, prop_assume, proptest};

/// Rows in turn: arm, whole time from 2, event, covariate. Every arm has events.
fn rows() -> impl Strategy<Value = Columns> {
    (20usize..60).prop_flat_map(|n| {
        (
            proptest::collection::vec(2u8..40, n),
            proptest::collection::vec(0u8..4, n),
            proptest::collection::vec(-3.0f64..3.0, n),
        )
            .prop_map(move |(times, codes, ages)| Columns {
                arm: (0..n)
                    .map(|row| {
                        if row % 2 == 0 {
                            Arm::Control
                        } else {
                            Arm::Treated
                        }
                    })
                    .collect(),
                time: Some(times.into_iter().map(|t| Some(f64::from(t))).collect()),
                // The first of each arm have events at different times of their own.
                event: Some(
                    (0..n)
                        .map(|row| Some(u32::from(row < 4 || codes[row] > 0)))
                        .collect(),
                ),
                covariates: vec![Covariate::numeric(
                    "age",
                    ages.into_iter().map(Some).collect(),
                )],
                ..Columns::default()
            })
    })
}

fn first(id: &str, columns: &Columns, settings: &Settings) -> Result<Estimate, TestCaseError> {
    match estimate(id, columns, settings) {
        Ok(mut answer) => Ok(answer.results.remove(0)),
        // Outside the domain, and said so.
        Err(EstimationError::MonotoneLikelihood { .. }) => Err(TestCaseError::reject("monotone")),
        Err(error) => Err(TestCaseError::fail(format!("{id}: {error:?}"))),
    }
}

fn near(a: &Estimate, b: &Estimate) -> Result<(), TestCaseError> {
    let close = |x: Option<f64>, y: Option<f64>| match (x, y) {
        (Some(x), Some(y)) => (x - y).abs() <= 1e-9 * x.abs().max(1.0),
        (x, y) => x.is_none() && y.is_none(),
    };
    prop_assert!(
        close(a.estimate, b.estimate)
            && close(a.std_error, b.std_error)
            && close(a.statistic, b.statistic)
            && close(a.p_value, b.p_value),
        "{a:?} {b:?}"
    );
    Ok(())
}

fn horizon(columns: &Columns) -> f64 {
    let times = columns.time.iter().flatten().flatten();
    let times: Vec<f64> = times.copied().collect();
    let last = |first: usize| {
        times
            .iter()
            .skip(first)
            .step_by(2)
            .copied()
            .fold(0.0, f64::max)
    };
    last(0).min(last(1))
}

/// The options of each estimator that the laws go over.
fn asked(columns: &Columns) -> Vec<(&'static str, Settings)> {
    let none = Settings::default();
    let at = Settings {
        horizon: Some(horizon(columns)),
        ..none
    };
    let mut asked = vec![("kaplan-meier", at), ("rmst", at), ("log-rank", none)];
    for ties in [Ties::Efron, Ties::Breslow] {
        for variance in [Variance::Model, Variance::Robust] {
            let settings = Settings {
                ties: Some(ties),
                variance: Some(variance),
                ..none
            };
            asked.push(("cox", settings));
        }
    }
    asked
}

/// The columns that an estimator takes.
fn of(id: &str, columns: &Columns) -> Columns {
    let mut own = columns.clone();
    if id != "cox" {
        own.covariates.clear();
    }
    own
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// (0, t] is (0, s] without the event and (s, t] with what happened: the same risk sets. Robust variances take both
    /// pieces as one cluster.
    #[test]
    fn splitting_follow_up_changes_nothing(columns in rows(), cuts in proptest::collection::vec(1u8..40, 60)) {
        let n = columns.arm.len();
        let mut pieces = Columns::default();
        let (mut entry, mut time, mut event, mut age, mut unit) = (vec![], vec![], vec![], vec![], vec![]);
        let Values::Numeric(ages) = &columns.covariates[0].values else { unreachable!() };
        for row in 0..n {
            let own = columns.time.as_ref().unwrap()[row].unwrap();
            let code = columns.event.as_ref().unwrap()[row].unwrap();
            let cut = f64::from(cuts[row]);
            let mut piece = |from: f64, to: f64, code: u32| {
                pieces.arm.push(columns.arm[row]);
                entry.push(Some(from));
                time.push(Some(to));
                event.push(Some(code));
                age.push(ages[row]);
                unit.push(format!("u{row}"));
            };
            if cut < own {
                piece(0.0, cut, 0);
                piece(cut, own, code);
            } else {
                piece(0.0, own, code);
            }
        }
        pieces.entry = Some(entry);
        pieces.time = Some(time);
        pieces.event = Some(event);
        for (id, settings) in asked(&columns) {
            if id == "log-rank" {
                continue;
            }
            let mut own = pieces.clone();
            if id == "cox" {
                own.covariates = vec![Covariate::numeric("age", age.clone())];
                if settings.variance == Some(Variance::Robust) {
                    let units = unit.iter().map(|unit| Some(unit.as_str()));
                    own.cluster = Some(Factor::from_texts("unit", units));
                }
            }
            // The last time of an arm is the same; the horizon is reached by both.
            let (whole, split) = (first(id, &of(id, &columns), &settings)?, first(id, &own, &settings)?);
            near(&whole, &split)?;
        }
    }

    /// Tests and hazard ratios know the order of times only.
    #[test]
    fn stretching_time_changes_no_comparison(columns in rows(), power in 0.2f64..3.0) {
        let mut stretched = columns.clone();
        for time in stretched.time.iter_mut().flatten().flatten() {
            *time = 1e-3 * time.powf(power);
        }
        for (id, settings) in asked(&columns) {
            if settings.horizon.is_none() {
                near(&first(id, &of(id, &columns), &settings)?, &first(id, &of(id, &stretched), &settings)?)?;
            }
        }
    }

    /// One stratum is none; a further stratum in which nobody has the event adds nothing.
    #[test]
    fn an_empty_stratum_adds_nothing(columns in rows()) {
        let n = columns.arm.len();
        let mut more = columns.clone();
        for row in 0..6 {
            more.arm.push(if row % 2 == 0 { Arm::Control } else { Arm::Treated });
            more.time.as_mut().unwrap().push(Some(f64::from(row) * 7.0 + 1.0));
            more.event.as_mut().unwrap().push(Some(0));
            if let Values::Numeric(ages) = &mut more.covariates[0].values {
                ages.push(Some(2.0 * f64::from(row)));
            }
        }
        let site = (0..n + 6).map(|row| Some(if row < n { "a" } else { "b" }));
        more.strata = vec![Factor::from_texts("site", site)];
        let mut one = columns.clone();
        one.strata = vec![Factor::from_texts("site", (0..n).map(|_| Some("a")))];
        for (id, settings) in asked(&columns) {
            if settings.horizon.is_none() {
                let plain = first(id, &of(id, &columns), &settings)?;
                near(&plain, &first(id, &of(id, &one), &settings)?)?;
                near(&plain, &first(id, &of(id, &more), &settings)?)?;
            }
        }
    }

    /// Without ties the score test of the arm alone is the log-rank test; the likelihood rises from 0 to its maximum.
    #[test]
    fn the_score_test_is_the_log_rank_test(columns in rows()) {
        let mut untied = of("log-rank", &columns);
        for (row, time) in untied.time.iter_mut().flatten().flatten().enumerate() {
            *time += 1e-3 * row as f64;
        }
        let plain = Settings::default();
        let cox = first("cox", &untied, &plain)?;
        let log_rank = first("log-rank", &untied, &plain)?;
        // Without a maximum the row is the score test itself.
        let own = cox.statistic.map(|statistic| statistic * statistic);
        let endless = cox.endless().is_some();
        let score = cox.extra.get("score").and_then(serde_json::Value::as_f64).or(own).unwrap();
        prop_assume!(log_rank.statistic.is_some());
        prop_assert!((score - log_rank.statistic.unwrap()).abs() < 1e-9 * score.max(1.0));
        prop_assert!(endless || cox.extra["likelihood_ratio"].as_f64() >= Some(-1e-9));
        prop_assert_eq!(cox.extra["events_treated"].as_u64(), log_rank.extra["observed_treated"].as_u64());
    }
}
