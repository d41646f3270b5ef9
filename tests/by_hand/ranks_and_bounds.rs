//! Rank sums, randomization tests and bounds small enough for paper, and what they decline.

use lottning::estimation::{
    Answer, Arm, Columns, EstimationError, Factor, Interval, Settings, estimate,
};

fn data(arm: &str, outcome: &[Option<f64>]) -> Columns {
    let side = |c| if c == '1' { Arm::Treated } else { Arm::Control };
    Columns {
        arm: arm.chars().map(side).collect(),
        outcome: outcome.to_vec(),
        ..Columns::default()
    }
}

fn known(arm: &str, outcome: &[f64]) -> Columns {
    let outcome: Vec<Option<f64>> = outcome.iter().map(|y| Some(*y)).collect();
    data(arm, &outcome)
}

fn at(id: &str, columns: &Columns, level: f64) -> Answer {
    let settings = Settings {
        level,
        ..Settings::default()
    };
    estimate(id, columns, &settings).unwrap()
}

fn error(id: &str, columns: &Columns) -> EstimationError {
    let error = estimate(id, columns, &Settings::default()).unwrap_err();
    assert!(error.words().en != error.words().sv);
    error
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

/// Treated 2, 3, control 1, 2. Placements of the treated ¾, 1 and of the control 1, ¾: θ = ⅞, both variances 1/32,
/// s² = 1/64 + 1/64 = 1/32, df 2. Midranks 2½ + 4 = 6½; of the sums 3½, 3½, 5, 5, 6½, 6½ two are as large: p = ⅔.
/// Differences 0, 1, 1, 2. Shifts: below 0 and above 2 p = ⅓; at 0, between and at 2 p = ⅔; at 1 p = 1.
#[test]
fn rank_sum_of_four() {
    let columns = known("1100", &[2.0, 3.0, 1.0, 2.0]);
    let answer = at("rank-sum", &columns, 0.5);
    let (index, shift) = (&answer.results[0], &answer.results[1]);
    close(index.estimate, 7.0 / 8.0);
    close(index.std_error.map(|s| s * s), 1.0 / 32.0);
    close(index.extra["interval_df"].as_f64(), 2.0);
    close(index.p_value, 2.0 / 3.0);
    // t of 2 degrees of freedom at ¾: 2·(¾ − ½)·√(2/(4·¾·¼)) = √(2/3); on the logit: ln 7 ± t·s·64/7.
    let half = (2.0f64 / 3.0).sqrt() * (1.0f64 / 32.0).sqrt() * 64.0 / 7.0;
    let inverse = |x: f64| 1.0 / (1.0 + (-x).exp());
    close(index.conf_low, inverse(7.0f64.ln() - half));
    close(index.conf_high, inverse(7.0f64.ln() + half));
    close(shift.estimate, 1.0);
    close(shift.conf_low, 0.0);
    close(shift.conf_high, 2.0);
    assert_eq!(shift.extra["conf_low_included"], true);
    // At a level of .3 only the shift 1 stays; at .8 every shift does.
    let shift = &at("rank-sum", &columns, 0.3).results[1];
    assert_eq!((shift.conf_low, shift.conf_high), (Some(1.0), Some(1.0)));
    let answer = at("rank-sum", &columns, 0.8);
    let shift = &answer.results[1];
    assert_eq!((shift.conf_low, shift.conf_high), (None, None));
    assert_eq!(codes(&answer), ["interval-unbounded"]);
}

/// Arms that do not overlap: θ = 1 without a standard error; Newcombe's upper limit is 1. All outcomes alike: θ = ½, p 1,
/// shift 0.
#[test]
fn rank_sum_at_the_ends() {
    let answer = at(
        "rank-sum",
        &known("11100", &[5.0, 6.0, 7.0, 1.0, 2.0]),
        0.95,
    );
    let index = &answer.results[0];
    close(index.estimate, 1.0);
    assert_eq!(index.std_error, None);
    assert_eq!(
        (index.conf_high, index.interval.as_str()),
        (Some(1.0), "newcombe")
    );
    assert!(codes(&answer).contains(&"interval-replaced"));
    // C(5, 2) = 10 choices: 2 · 1/10.
    close(index.p_value, 0.2);
    let answer = at("rank-sum", &known("11100", &[4.0; 5]), 0.95);
    close(answer.results[0].estimate, 0.5);
    close(answer.results[0].p_value, 1.0);
    assert_eq!(answer.results[0].statistic, None);
    close(answer.results[1].estimate, 0.0);
    let values: Vec<f64> = (0..2000).map(|i| f64::from(i % 7)).collect();
    let many = known(&"10".repeat(1000), &values);
    let row = &at("rank-sum", &many, 0.95).results[1];
    assert_eq!(row.extra["exact"], false);
    let asked = Settings {
        interval: Some(Interval::Wald),
        ..Settings::default()
    };
    assert!(estimate("rank-sum", &many, &asked).is_err());
}

/// Too many differences to list: the limits of the normal test, found over the doubles, are order statistics of the
/// differences. Treated i, control i + ½ for i below 600: differences −½ + k, 600 − |k| of each.
#[test]
fn rank_sum_of_many() {
    let n = 600;
    let treated = (0..n).map(|i| f64::from(i) * 1.01);
    let control = (0..n).map(|i| f64::from(i) * 1.01 + 0.5);
    let values: Vec<f64> = treated.chain(control).collect();
    let arm = "1".repeat(n as usize) + &"0".repeat(n as usize);
    let answer = at("rank-sum", &known(&arm, &values), 0.95);
    let shift = &answer.results[1];
    close(shift.estimate, -0.5);
    let (low, high) = (shift.conf_low.unwrap(), shift.conf_high.unwrap());
    // Symmetric around −½, and each limit a difference.
    assert!((low + high + 1.0).abs() < 1e-9, "{low} {high}");
    let step = (low + 0.5) / 1.01;
    assert!((step - step.round()).abs() < 1e-9);
    // z of a shift of k steps: the count is 600·600/2 + ½·(pairs between), 1.96 standard deviations away.
    let sd = (600.0f64 * 600.0 * 1201.0 / 12.0).sqrt();
    let pairs: f64 = (0..=(-step.round()) as i32)
        .map(|k| if k == 0 { 300.0 } else { 600.0 - f64::from(k) })
        .sum();
    assert!((pairs / sd - 1.96).abs() < 0.2, "{}", pairs / sd);
}

/// Treated 4, 6 and control 1, 2: the difference is 3½ and its variance 2/2 + ½/2 = 5/4. Of six choices the observed one
/// alone is as large: p = 2/6, and no smaller one can be had. At level ½ the interval is where a neighbouring choice
/// ties: {2, 6}, whose adjusted outcomes are 4 − δ, 6 − δ, 1, 2.
#[test]
fn randomization_of_four() {
    let columns = known("1100", &[4.0, 6.0, 1.0, 2.0]);
    let answer = at("randomization-test", &columns, 0.5);
    let row = &answer.results[0];
    close(row.estimate, 3.5);
    close(row.std_error.map(|s| s * s), 1.25);
    close(row.p_value, 1.0 / 3.0);
    close(row.extra["p_smallest"].as_f64(), 1.0 / 3.0);
    assert_eq!(row.extra["draws"], 6);
    let (low, high) = (row.conf_low.unwrap(), row.conf_high.unwrap());
    assert!(low > 0.0 && low < 3.5 && high > 3.5);
    // Its own definition: p is above ½ inside each limit and not beyond it.
    for (limit, out) in [(low, -1.0), (high, 1.0)] {
        let p = |shift: f64| {
            let moved = known("1100", &[4.0 - shift, 6.0 - shift, 1.0, 2.0]);
            at("randomization-test", &moved, 0.5).results[0]
                .p_value
                .unwrap()
        };
        assert!(p(limit - 1e-6 * out) > 0.5 && p(limit + 1e-6 * out) <= 0.5);
    }
    let wide = at("randomization-test", &columns, 0.95);
    let row = &wide.results[0];
    assert_eq!((row.conf_low, row.conf_high), (None, None));
    assert!(codes(&wide).contains(&"interval-unbounded"));
}

#[test]
fn randomization_that_is_declined() {
    let id = "randomization-test";
    let none = at(id, &known("11100", &[4.0; 5]), 0.95);
    assert_eq!(codes(&none), ["no-variation"]);
    assert_eq!(none.results[0].p_value, None);
    let alone = known("1000", &[4.0, 1.0, 2.0, 3.0]);
    assert_eq!(error(id, &alone).code(), "too-few-rows");
    let mut strata = known("10001100", &[1.0, 2.0, 3.0, 4.0, 6.0, 5.0, 7.0, 9.0]);
    let site = ["a", "a", "a", "a", "b", "b", "b", "b"];
    strata.strata = vec![Factor::from_texts("site", site.map(Some))];
    assert_eq!(
        error(id, &strata),
        EstimationError::AloneInStratum {
            stratum: "a".into()
        }
    );
    let mut clusters = known("110010", &[1.0, 2.0, 3.0, 4.0, 6.0, 5.0]);
    let own = ["x", "x", "y", "y", "y", "z"];
    clusters.cluster = Some(Factor::from_texts("family", own.map(Some)));
    let split = EstimationError::ClusterSplit {
        cluster: "y".into(),
        between: "arms",
    };
    assert_eq!(error(id, &clusters), split);
    clusters.cluster = Some(Factor::from_texts("family", [None; 6]));
    assert_eq!(error(id, &clusters).code(), "group-missing");
    for draws in [0, u64::MAX] {
        let settings = Settings {
            draws: Some(draws),
            ..Settings::default()
        };
        let refused = estimate(id, &strata, &settings).unwrap_err();
        assert!(refused.is_usage() && refused.code() == "invalid-value");
    }
}

/// The smallest p of a million alike redraws, the same for any order of rows and either name of the arms.
#[test]
fn redraws_do_not_depend_on_the_order_of_rows_or_names() {
    let values: Vec<f64> = (0..40).map(|i| f64::from(i * 37 % 41) + 0.25).collect();
    let columns = known(&"1101000101".repeat(4), &values);
    let answer = at("randomization-test", &columns, 0.9);
    let mut turned = columns.clone();
    turned.arm.rotate_left(13);
    turned.outcome.rotate_left(13);
    let other = at("randomization-test", &turned, 0.9);
    assert_eq!(answer.results[0].p_value, other.results[0].p_value);
    let mut exchanged = columns.clone();
    for arm in &mut exchanged.arm {
        *arm = if *arm == Arm::Treated {
            Arm::Control
        } else {
            Arm::Treated
        };
    }
    let other = at("randomization-test", &exchanged, 0.9);
    assert_eq!(answer.results[0].p_value, other.results[0].p_value);
    let seeded = Settings {
        seed: Some(2),
        ..Settings::default()
    };
    let second = estimate("randomization-test", &columns, &seeded).unwrap();
    assert_ne!(answer.results[0].p_value, second.results[0].p_value);
}

/// Control known in 3 of 3, treated in 2 of 3 (5, 9): a third of the control outcomes 1, 4, 7 is trimmed, one outcome.
/// Lower: 7 − (4 + 7)/2 = 3/2; upper: 7 − (1 + 4)/2 = 9/2. Exchanging the arms mirrors the bounds.
#[test]
fn lee_bounds_trim_the_arm_that_answers_more() {
    let outcome = [Some(5.0), Some(9.0), None, Some(1.0), Some(4.0), Some(7.0)];
    let answer = at("lee-bounds", &data("111000", &outcome), 0.95);
    close(answer.results[0].estimate, 1.5);
    close(answer.results[1].estimate, 4.5);
    assert_eq!(answer.results[0].extra["trimmed_arm"], "control");
    let other = at("lee-bounds", &data("000111", &outcome), 0.95);
    close(other.results[0].estimate, -4.5);
    close(other.results[1].estimate, -1.5);
    assert_eq!(answer.results[0].std_error, other.results[1].std_error);
    // A fraction: treated known in 2 of 2 (2, 8), control in 3 of 4: 1½ outcomes stay. (2 + ½·8)/1½ = 4, (8 + ½·2)/1½ = 6.
    let outcome = [Some(2.0), Some(8.0), Some(1.0), Some(1.0), Some(1.0), None];
    let answer = at("lee-bounds", &data("110000", &outcome), 0.95);
    close(answer.results[0].estimate, 3.0);
    close(answer.results[1].estimate, 5.0);
    // One arm without a known outcome is no comparison.
    let none = data(
        "110000",
        &[None, None, Some(1.0), Some(1.0), Some(1.0), None],
    );
    assert_eq!(error("lee-bounds", &none).code(), "too-few-rows");
    assert_eq!(error("manski-bounds", &none).code(), "too-few-rows");
}

/// Treated 1, 1, unknown; control 0, 1, unknown, unknown. Lower: 2/3 − 3/4, upper: 1 − 1/4. Variances of the lower one:
/// (2/3)(1/3)·3/2/3 = 1/9 and (3/4)(1/4)·4/3/4 = 1/16.
#[test]
fn manski_bounds_by_hand() {
    let outcome = [Some(1.0), Some(1.0), None, Some(0.0), Some(1.0), None, None];
    let columns = data("1110000", &outcome);
    let answer = at("manski-bounds", &columns, 0.95);
    close(answer.results[0].estimate, 2.0 / 3.0 - 0.75);
    close(answer.results[1].estimate, 0.75);
    let square = |row: usize| answer.results[row].std_error.map(|s| s * s);
    close(square(0), 1.0 / 9.0 + 1.0 / 16.0);
    close(square(1), 1.0 / 16.0);
    assert_eq!(
        (answer.results[0].n_treated, answer.results[0].n_control),
        (3, 4)
    );
    let mut scores = columns;
    scores.outcome[0] = Some(7.0);
    let missing = error("manski-bounds", &scores);
    assert!(missing.is_usage() && missing.code() == "missing-option");
    let settings = Settings {
        range: Some((0.0, 6.0)),
        ..Settings::default()
    };
    let outside = estimate("manski-bounds", &scores, &settings).unwrap_err();
    assert!(matches!(
        outside,
        EstimationError::OutsideRange { row: 2, .. }
    ));
}
