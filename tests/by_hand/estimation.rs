//! Estimators on cases small enough for paper.

use lottning::estimation::lin_statistic::LinStatistic;
use lottning::estimation::{
    Answer, Arm, Columns, Counts, Covariate, Df, Estimate, EstimationError, Factor, Interval,
    Settings, Variance, estimate,
};

fn arms(text: &str) -> Vec<Arm> {
    text.chars()
        .map(|c| if c == '1' { Arm::Treated } else { Arm::Control })
        .collect()
}

fn data(arm: &str, outcome: &[f64]) -> Columns {
    Columns {
        arm: arms(arm),
        outcome: outcome.iter().map(|y| Some(*y)).collect(),
        ..Columns::default()
    }
}

fn effect(id: &str, columns: &Columns, settings: &Settings) -> Estimate {
    estimate(id, columns, settings).unwrap().results.remove(0)
}

fn codes(answer: &Answer) -> Vec<&'static str> {
    answer.warnings.iter().map(|w| w.code).collect()
}

#[track_caller]
fn close(actual: Option<f64>, expected: f64) {
    let actual = actual.unwrap();
    assert!(
        (actual - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        "{actual} {expected}"
    );
}

/// Treated 5, 7, 9 and control 1, 2, 3, 6. Means 7 and 3; sums of squares 8 and 14.
/// v₁ = (8/2)/3 = 4/3, v₀ = (14/3)/4 = 7/6; HC2 = v₁+v₀ = 5/2.
/// Welch: (5/2)² / ((4/3)²/2 + (7/6)²/3) = 6.25/(8/9 + 49/108) = 6.25·108/145 = 675/145.
/// HC0 = 8/9 + 14/16 = 127/72, HC1 = HC0·7/5, HC3 = 8/4 + 14/9 = 32/9; classical = (22/5)(1/3+1/4) = 77/30.
#[test]
fn difference_in_means_on_seven_rows() {
    let columns = data("1110000", &[5.0, 7.0, 9.0, 1.0, 2.0, 3.0, 6.0]);
    for (variance, square, df) in [
        (Variance::Hc2, 2.5, 675.0 / 145.0),
        (Variance::Hc0, 127.0 / 72.0, 5.0),
        (Variance::Hc1, 127.0 / 72.0 * 1.4, 5.0),
        (Variance::Hc3, 32.0 / 9.0, 5.0),
        (Variance::Classical, 77.0 / 30.0, 5.0),
    ] {
        let settings = Settings {
            variance: Some(variance),
            ..Settings::default()
        };
        let row = effect("difference-in-means", &columns, &settings);
        close(row.estimate, 4.0);
        close(row.std_error.map(|s| s * s), square);
        close(row.df, df);
        // The regression on the arm alone is the same model.
        let settings = Settings {
            df: Some(Df::Residual),
            ..settings
        };
        for id in ["linear", "lin"] {
            close(
                effect(id, &columns, &settings).std_error.map(|s| s * s),
                square,
            );
        }
    }
    // Bell–McCaffrey, by the definition. Treated: h = 1/3, b_i² = a²/(1−h) = (1/9)/(2/3) = 1/6, and (I−H)_ij is 2/3 on
    // the diagonal and −1/3 off it: Σ = (1/36)(3·4/9 + 6·1/9) = 1/18. Control: h = 1/4, b² = (1/16)/(3/4) = 1/12:
    // Σ = (1/144)(4·9/16 + 12·1/16) = 1/48. Trace 1/3 + 1/4 = 7/12. df = (49/144)/(1/18 + 1/48) = 49/11.
    let settings = Settings {
        df: Some(Df::BellMccaffrey),
        ..Settings::default()
    };
    close(
        effect("difference-in-means", &columns, &settings).df,
        49.0 / 11.0,
    );
}

/// Two blocks. a: treated 5, 7, control 6, 9, 4, 3: 6 − 5.5 = ½. b: treated 8, 10, 12, control 11, 2, 6: 10 − 19/3.
/// Equal sizes: (½ + 11/3)/2 = 25/12. Variance ¼(2/2 + 7/4 + 4/3 + (61/3)/3) = ¼(1 + 7/4 + 4/3 + 61/9).
#[test]
fn lin_with_strata_is_the_weighted_difference() {
    let mut columns = data(
        "110000111000",
        &[
            5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 10.0, 12.0, 11.0, 2.0, 6.0,
        ],
    );
    let block = ["a"; 6].into_iter().chain(["b"; 6]).map(Some);
    columns.strata = vec![Factor::from_texts("block", block)];
    let settings = Settings {
        df: Some(Df::Residual),
        ..Settings::default()
    };
    let row = effect("lin", &columns, &settings);
    close(row.estimate, 25.0 / 12.0);
    close(
        row.std_error.map(|s| s * s),
        0.25 * (1.0 + 7.0 / 4.0 + 4.0 / 3.0 + 61.0 / 9.0),
    );
    close(row.df, 8.0);
    // R 4.2.2, estimatr 1.0.0, difference_in_means(blocks =): printed to 9 and 12 digits.
    assert!((row.p_value.unwrap() - 0.241_710_620_463).abs() < 5e-13);
    assert!((row.conf_low.unwrap() + 1.716_523_33).abs() < 5e-9);
    assert!((row.conf_high.unwrap() - 5.883_189_99).abs() < 5e-9);
}

#[test]
fn strata_that_hold_no_comparison_are_refused_by_name() {
    let refusal = |stratum: &[&str], arm: &str| {
        let mut columns = data(arm, &[5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 1.0]);
        columns.strata = vec![Factor::from_texts("site", stratum.iter().map(|s| Some(*s)))];
        columns.labels.control = "standard".into();
        ["linear", "lin"].map(|id| estimate(id, &columns, &Settings::default()).unwrap_err())
    };
    let one_armed = refusal(&["a", "a", "a", "a", "a", "b", "b", "b"], "11001111");
    for error in one_armed {
        assert_eq!(
            error,
            EstimationError::OneArmedStratum {
                stratum: "b".into(),
                absent: "standard".into()
            }
        );
    }
    for error in refusal(&["a", "a", "a", "a", "a", "a", "a", "b"], "11001101") {
        assert_eq!(
            error,
            EstimationError::SingletonStratum {
                stratum: "b".into()
            }
        );
    }
    let mut columns = data("1010", &[1.0, 2.0, 3.0, 5.0]);
    columns.strata = vec![Factor::from_texts(
        "site",
        [Some("a"), None, Some("a"), Some("a")],
    )];
    columns.row_numbers = vec![2, 7, 9, 11];
    assert_eq!(
        estimate("lin", &columns, &Settings::default()).unwrap_err(),
        EstimationError::StratumMissing {
            column: "site".into(),
            row: 7
        }
    );
}

/// One treated row alone in stratum b: its leverage in the interacted model is one and the effect depends on it.
/// HC2 and HC3 do not exist; HC0 exists and says what it does not see. The additive model has no such row.
#[test]
fn leverage_one_is_refused_or_told() {
    let mut columns = data(
        "1110000100",
        &[5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 1.0, 2.0, 4.0],
    );
    let site = ["a"; 7].into_iter().chain(["b"; 3]).map(Some);
    columns.strata = vec![Factor::from_texts("site", site)];
    for variance in [Variance::Hc2, Variance::Hc3] {
        let settings = Settings {
            variance: Some(variance),
            ..Settings::default()
        };
        assert_eq!(
            estimate("lin", &columns, &settings).unwrap_err(),
            EstimationError::LeverageOne {
                rows: vec![9],
                variance: variance.text()
            }
        );
        assert!(estimate("linear", &columns, &settings).is_ok());
    }
    let settings = Settings {
        variance: Some(Variance::Hc0),
        ..Settings::default()
    };
    let answer = estimate("lin", &columns, &settings).unwrap();
    assert_eq!(codes(&answer), ["leverage-one"]);
    // a: 6 − 6; b: 1 − 3; weights 7/10 and 3/10.
    close(answer.results[0].estimate, -0.6);
    // The randomization test's path refuses alike.
    let indicator: Vec<f64> = (0..10).map(|i| f64::from(u8::from(i > 6))).collect();
    let outcome: Vec<f64> = columns.outcome.iter().flatten().copied().collect();
    let mut statistic = LinStatistic::new(&indicator, &outcome);
    assert!(matches!(
        statistic.evaluate(&columns.arm),
        Err(EstimationError::LeverageOne { .. })
    ));
}

/// A level that one row alone has: the additive model fits that row exactly and the effect does not depend on it, so
/// estimate and standard error are those without the row.
#[test]
fn a_row_alone_in_its_level_carries_nothing() {
    let y = [5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 1.0, 40.0];
    let mut with = data("111100001", &y);
    let level = ["x"; 8].into_iter().chain(["y"]).map(Some);
    with.covariates = vec![Covariate::factor(Factor::from_texts("kind", level))];
    let answer = estimate("linear", &with, &Settings::default()).unwrap();
    assert_eq!(codes(&answer), ["leverage-one"]);
    let without = effect("linear", &data("11110000", &y[..8]), &Settings::default());
    close(answer.results[0].estimate, without.estimate.unwrap());
    close(answer.results[0].std_error, without.std_error.unwrap());
    close(answer.results[0].df, without.df.unwrap());
}

#[test]
fn what_the_covariates_determine_is_refused() {
    let mut columns = data("11110000", &[5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 1.0]);
    let offered = columns
        .arm
        .iter()
        .map(|a| Some(3.0 - 2.0 * a.index() as f64))
        .collect();
    columns.covariates = vec![Covariate::numeric("offered", offered)];
    for id in ["linear", "lin"] {
        let error = estimate(id, &columns, &Settings::default()).unwrap_err();
        assert_eq!(error, EstimationError::ArmAliased);
    }
    columns.covariates = (0..7)
        .map(|j| {
            let values = (0..8).map(|i| Some(f64::from(u8::from(i == j)))).collect();
            Covariate::numeric(format!("x{j}"), values)
        })
        .collect();
    assert_eq!(
        estimate("linear", &columns, &Settings::default()).unwrap_err(),
        EstimationError::ArmAliased
    );
    // Six rows with their own indicator and two of different arms: eight coefficients for eight rows.
    columns.covariates.truncate(6);
    columns.arm = arms("11100010");
    assert_eq!(
        estimate("linear", &columns, &Settings::default()).unwrap_err(),
        EstimationError::NoResidualDf {
            rows: 8,
            coefficients: 8
        }
    );
}

/// Ten rows, one missing value is a tenth: the mean stands in. Two are more than a tenth: an indicator is added. The
/// fit then is that of the covariates written out by hand.
#[test]
fn missing_covariates_follow_the_rule() {
    let y = [5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 1.0, 2.0, 6.5];
    let arm = "1110000110";
    let with = |covariates: Vec<Covariate>| Columns {
        covariates,
        ..data(arm, &y)
    };
    let x = |missing: &[usize], stand_in: Option<f64>| -> Vec<Option<f64>> {
        (0..10)
            .map(|i| {
                if missing.contains(&i) {
                    stand_in
                } else {
                    Some(f64::from((i * 7 % 10) as u8))
                }
            })
            .collect()
    };
    // The values are 0 7 4 1 8 5 2 9 6 3, 45 in all. Without row 1 (7): 38/9. Without rows 1 and 6 (2): 36/8.
    for (missing, stand_in, indicator) in [(vec![1], 38.0 / 9.0, false), (vec![1, 6], 4.5, true)] {
        let asked = with(vec![Covariate::numeric("age", x(&missing, None))]);
        let mut by_hand = vec![Covariate::numeric("age", x(&missing, Some(stand_in)))];
        if indicator {
            let flag = (0..10)
                .map(|i| Some(f64::from(u8::from(missing.contains(&i)))))
                .collect();
            by_hand.push(Covariate::numeric("flag", flag));
        }
        let by_hand = with(by_hand);
        let hc0 = Settings {
            variance: Some(Variance::Hc0),
            ..Settings::default()
        };
        for id in ["linear", "lin"] {
            let answer = estimate(id, &asked, &hc0).unwrap();
            let expected = effect(id, &by_hand, &hc0);
            close(answer.results[0].estimate, expected.estimate.unwrap());
            close(answer.results[0].std_error, expected.std_error.unwrap());
            assert_eq!(codes(&answer)[0], "covariate-missing");
        }
    }
    // A missing level is a level.
    let levels = ["a", "b", "a", "b", "a", "b", "-", "-", "a", "-"];
    let asked = Factor::from_texts("k", levels.iter().map(|l| (*l != "-").then_some(*l)));
    let by_hand = Factor::from_texts(
        "k",
        levels
            .iter()
            .map(|l| Some(if *l == "-" { "z" } else { *l })),
    );
    let one = effect(
        "linear",
        &with(vec![Covariate::factor(asked)]),
        &Settings::default(),
    );
    let two = effect(
        "linear",
        &with(vec![Covariate::factor(by_hand)]),
        &Settings::default(),
    );
    assert_eq!(one, two);
    let empty = with(vec![Covariate::numeric("age", vec![None; 10])]);
    assert_eq!(
        estimate("lin", &empty, &Settings::default()).unwrap_err(),
        EstimationError::CovariateEmpty {
            column: "age".into()
        }
    );
}

/// When nothing varies there is an estimate but no test: `None`, with a warning, never NaN.
#[test]
fn no_variation_is_said() {
    for (treated, control) in [(0.1, 0.1), (1.0, 0.0)] {
        let columns = data(
            "111000",
            &[treated, treated, treated, control, control, control],
        );
        for id in ["difference-in-means", "linear", "lin"] {
            let answer = estimate(id, &columns, &Settings::default()).unwrap();
            let row = &answer.results[0];
            close(row.estimate, treated - control);
            assert_eq!(
                (row.std_error, row.statistic, row.p_value),
                (Some(0.0), None, None)
            );
            assert_eq!((row.conf_low, row.conf_high), (None, None));
            assert_eq!(codes(&answer), ["no-variation"]);
        }
    }
    let counts = Counts {
        treated_events: 3,
        treated_units: 3,
        control_events: 0,
        control_units: 4,
    };
    let settings = Settings {
        interval: Some(Interval::Wald),
        ..Settings::default()
    };
    let answer = estimate("risk-difference", &Columns::from_counts(counts), &settings).unwrap();
    assert_eq!(codes(&answer), ["no-variation"]);
    assert_eq!(answer.results[0].conf_low, None);
}

#[test]
fn impossible_counts_are_refused() {
    for (x1, n1) in [(3, 2), (0, 0)] {
        let counts = Counts {
            treated_events: x1,
            treated_units: n1,
            control_events: 1,
            control_units: 2,
        };
        let error = estimate(
            "risk-difference",
            &Columns::from_counts(counts),
            &Settings::default(),
        )
        .unwrap_err();
        assert_eq!(
            error,
            EstimationError::Counts {
                arm: "treated".into(),
                events: x1,
                units: n1
            }
        );
    }
}

/// 1/2 against 0/1. Agresti–Caffo: (2/4 − 1/3) ± z √(¼/4 + (2/9)/3) = 1/6 ± z √(1/16 + 2/27).
/// Mee at zero difference: pooled 1/3, z = ½/√((2/9)(½+1)) = ½/√(1/3); Miettinen–Nurminen: times √(2/3).
#[test]
fn risk_difference_on_three_units() {
    let columns = data("110", &[1.0, 0.0, 0.0]);
    let with = |interval| {
        let settings = Settings {
            interval: Some(interval),
            ..Settings::default()
        };
        effect("risk-difference", &columns, &settings)
    };
    close(with(Interval::Mee).statistic, 0.75f64.sqrt());
    close(with(Interval::MiettinenNurminen).statistic, 0.5f64.sqrt());
    let row = with(Interval::AgrestiCaffo);
    close(row.estimate, 0.5);
    close(row.std_error, (1.0f64 / 16.0 + 2.0 / 27.0).sqrt());
    let z = 1.959_963_984_540_054;
    close(
        row.conf_low,
        1.0 / 6.0 - z * (1.0f64 / 16.0 + 2.0 / 27.0).sqrt(),
    );
    assert_eq!(row.extra["events_treated"], 1);
    assert_eq!(row.extra["risk_treated"], 0.5);
}

/// The unit of a covariate is nobody's business, even when squares of its values leave the range of doubles.
#[test]
fn extreme_units_change_nothing() {
    let with = |unit: f64| {
        let mut columns = data(
            "1110000110",
            &[5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 1.0, 2.0, 6.5],
        );
        let age = (0..10)
            .map(|i| Some(unit * f64::from((i * 7 % 10) as u8)))
            .collect();
        columns.covariates = vec![Covariate::numeric("age", age)];
        columns
    };
    for id in ["linear", "lin"] {
        let plain = effect(id, &with(1.0), &Settings::default());
        for unit in [1e-200, 1e-8, 1e8, 1e99] {
            let other = effect(id, &with(unit), &Settings::default());
            close(other.estimate, plain.estimate.unwrap());
            close(other.std_error, plain.std_error.unwrap());
            close(other.p_value, plain.p_value.unwrap());
        }
    }
}
