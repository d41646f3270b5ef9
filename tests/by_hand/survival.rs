//! Times to an event on cases small enough for paper.

use lottning::estimation::{
    Answer, Arm, Columns, Covariate, Estimate, EstimationError, Factor, Interval, Measure,
    Settings, Ties, Variance, estimate,
};

/// Treated then control; a negative time is the end of follow-up.
pub(crate) fn times(treated: &[f64], control: &[f64]) -> Columns {
    let arms = treated.iter().map(|_| Arm::Treated);
    let rows = || treated.iter().chain(control);
    Columns {
        arm: arms.chain(control.iter().map(|_| Arm::Control)).collect(),
        time: Some(rows().map(|time| Some(time.abs())).collect()),
        event: Some(rows().map(|time| Some(u32::from(*time > 0.0))).collect()),
        ..Columns::default()
    }
}

fn at(horizon: f64) -> Settings {
    Settings {
        horizon: Some(horizon),
        ..Settings::default()
    }
}

fn codes(answer: &Answer) -> Vec<&'static str> {
    answer.warnings.iter().map(|w| w.code).collect()
}

#[track_caller]
pub(crate) fn close(actual: Option<f64>, expected: f64) {
    let actual = actual.unwrap();
    assert!(
        (actual - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        "{actual} {expected}"
    );
}

fn square(row: &Estimate) -> Option<f64> {
    row.std_error.map(|error| error * error)
}

/// Treated 2, 4+, 6; control 1, 3, 3+, 5+ (the event at 3 precedes the end of follow-up at 3).
fn small() -> Columns {
    times(&[2.0, -4.0, 6.0], &[1.0, 3.0, -3.0, -5.0])
}

/// Treated: S is 2/3 from 2 and 0 from 6. Control: 3/4 from 1, and 3/4·2/3 = 1/2 from 3.
/// At 5: difference 2/3 − 1/2 = 1/6; Greenwood (2/3)²·1/(3·2) = 2/27 and (1/2)²(1/(4·3) + 1/(3·2)) = 1/16.
/// Median of control: level at one half from 3 to the last time, 5: the middle, 4.
#[test]
fn kaplan_meier_on_seven_rows() {
    let answer = estimate("kaplan-meier", &small(), &at(5.0)).unwrap();
    let [effect, treated, control] = answer.results.as_slice() else {
        panic!("{answer:?}")
    };
    close(effect.estimate, 1.0 / 6.0);
    close(square(effect), 2.0 / 27.0 + 1.0 / 16.0);
    close(treated.estimate, 2.0 / 3.0);
    close(square(treated), 2.0 / 27.0);
    close(control.estimate, 0.5);
    close(square(control), 1.0 / 16.0);
    // ln(−ln S) has standard error √(1/6)/ln(3/2) in the treated arm.
    let margin = 1.959_963_984_540_054 * (1.0f64 / 6.0).sqrt() / 1.5f64.ln();
    close(treated.conf_low, (2.0f64 / 3.0).powf(margin.exp()));
    close(treated.conf_high, (2.0f64 / 3.0).powf((-margin).exp()));
    close(treated.extra["median"].as_f64(), 6.0);
    close(control.extra["median"].as_f64(), 4.0);
    assert_eq!(treated.extra["at_risk"], 1);
    assert_eq!(control.extra["at_risk"], 1);
    assert_eq!(
        (&treated.extra["events"], &control.extra["events"]),
        (&1.into(), &2.into())
    );
    assert_eq!((effect.n_treated, effect.n_control), (3, 4));
    assert_eq!(effect.term, "treated vs control");
    assert_eq!(treated.term, "treated");
}

/// Areas until 5: treated 2 + 3·2/3 = 4 with (3·2/3)²/(3·2) = 2/3; control 1 + 2·3/4 + 2·1/2 = 7/2 with
/// (5/2)²/(4·3) + 1²/(3·2) = 11/16. Difference 1/2, variance 65/48; ratio 8/7 with (2/3)/16 + (11/16)/(49/4).
#[test]
fn restricted_mean_on_seven_rows() {
    let answer = estimate("rmst", &small(), &at(5.0)).unwrap();
    let [effect, treated, control] = answer.results.as_slice() else {
        panic!("{answer:?}")
    };
    close(effect.estimate, 0.5);
    close(square(effect), 65.0 / 48.0);
    close(treated.estimate, 4.0);
    close(square(treated), 2.0 / 3.0);
    close(control.estimate, 3.5);
    close(square(control), 11.0 / 16.0);
    let settings = Settings {
        measure: Some(Measure::Ratio),
        ..at(5.0)
    };
    let ratio = estimate("rmst", &small(), &settings)
        .unwrap()
        .results
        .remove(0);
    close(ratio.estimate, 8.0 / 7.0);
    close(square(&ratio), 1.0 / 24.0 + 11.0 / 196.0);
    let margin = 1.959_963_984_540_054 * (1.0f64 / 24.0 + 11.0 / 196.0).sqrt();
    close(ratio.conf_low, 8.0 / 7.0 * (-margin).exp());
    assert_eq!(ratio.std_error_scale, "log");
}

/// At 1: 3 of 7 at risk are treated, e = 3/7, v = 12/49. At 2: 3 of 6, e = 1/2, v = 1/4. At 3: 2 of 5, e = 2/5, v = 6/25.
/// At 6 the last treated is alone: e = 1, v = 0. Observed 2, expected 163/70; X² = (23/70)²/(3601/4900) = 529/3601.
#[test]
fn log_rank_on_seven_rows() {
    let row = estimate("log-rank", &small(), &Settings::default())
        .unwrap()
        .results
        .remove(0);
    close(row.statistic, 529.0 / 3601.0);
    close(row.extra["expected_treated"].as_f64(), 163.0 / 70.0);
    close(row.extra["expected_control"].as_f64(), 4.0 - 163.0 / 70.0);
    close(row.extra["excess_variance"].as_f64(), 3601.0 / 4900.0);
    assert_eq!(
        (
            &row.extra["observed_treated"],
            &row.extra["observed_control"]
        ),
        (&2.into(), &2.into())
    );
    // P(|Z| ≥ √(529/3601)), R 4.2.2 pchisq(529/3601, 1, lower.tail = FALSE).
    assert!((row.p_value.unwrap() - 0.701_512_089_915).abs() < 1e-12);
}

/// Control is followed until 5 only. The treated arm's last row had the event at 6, so its curve is known to stay at 0.
#[test]
fn the_horizon_is_within_follow_up() {
    for id in ["kaplan-meier", "rmst"] {
        let refused = estimate(id, &small(), &at(5.5)).unwrap_err();
        let expected = EstimationError::HorizonBeyond {
            arm: "control".into(),
            horizon: 5.5,
            last: 5.0,
        };
        assert_eq!(refused, expected);
        assert!(!refused.is_usage());
        let followed = times(&[2.0, 4.0], &[1.0, 3.0, -9.0]);
        let answer = estimate(id, &followed, &at(8.0)).unwrap();
        // Treated: S is 1/2 from 2 and 0 from 4; area 2 + 2·1/2 = 3.
        close(
            answer.results[1].estimate,
            if id == "rmst" { 3.0 } else { 0.0 },
        );
    }
}

/// Everyone or nobody: no limits of the arm, and a reason.
#[test]
fn survival_of_nought_and_one() {
    let answer = estimate("kaplan-meier", &times(&[2.0, 4.0], &[-9.0, -9.0]), &at(5.0)).unwrap();
    let [effect, treated, control] = answer.results.as_slice() else {
        panic!("{answer:?}")
    };
    close(effect.estimate, -1.0);
    close(effect.std_error, 0.0);
    assert_eq!(
        (effect.statistic, effect.p_value, effect.conf_low),
        (None, None, None)
    );
    for row in [treated, control] {
        assert_eq!((row.conf_low, row.conf_high), (None, None));
    }
    assert!(control.extra["median"].is_null());
    assert_eq!(
        codes(&answer),
        [
            "no-variation",
            "survival-at-boundary",
            "median-not-reached",
            "survival-at-boundary",
            "median-not-reached"
        ]
    );
    // Nobody at all has the event: curves and areas are known, hazards cannot be compared.
    let nobody = times(&[-5.0, -6.0], &[-9.0, -9.0]);
    let answer = estimate("rmst", &nobody, &at(5.0)).unwrap();
    close(answer.results[0].estimate, 0.0);
    close(answer.results[1].estimate, 5.0);
    assert_eq!(codes(&answer), ["no-variation"; 3]);
    assert_eq!(
        estimate("log-rank", &nobody, &Settings::default()).unwrap_err(),
        EstimationError::NoEvents
    );
}

/// The only event comes when one arm has left: observed is expected and nothing varies.
#[test]
fn an_event_without_a_comparison() {
    let answer = estimate(
        "log-rank",
        &times(&[-2.0, -3.0], &[-1.0, 5.0]),
        &Settings::default(),
    );
    let answer = answer.unwrap();
    let row = &answer.results[0];
    assert_eq!((row.statistic, row.df, row.p_value), (None, None, None));
    close(row.extra["expected_control"].as_f64(), 1.0);
    assert_eq!(codes(&answer), ["no-variation"]);
}

/// One row an arm, both at the same time: everyone has the event at once, so observed is expected.
#[test]
fn one_row_an_arm() {
    let columns = times(&[3.0], &[3.0]);
    let answer = estimate("kaplan-meier", &columns, &at(2.0)).unwrap();
    close(answer.results[0].estimate, 0.0);
    let row = estimate("log-rank", &columns, &Settings::default()).unwrap();
    assert_eq!(row.results[0].statistic, None);
    close(row.results[0].extra["expected_treated"].as_f64(), 1.0);
}

/// Late entry. Control: (0,2] event, (3,9] end; at 2 the first is alone at risk, so S is 0 from 2 although another enters
/// at 3. Treated: (0,4] event, (1,9] end: at 4 two are at risk, S is 1/2.
#[test]
fn late_entry_can_empty_a_risk_set() {
    let mut columns = times(&[4.0, -9.0], &[2.0, -9.0]);
    columns.entry = Some([0.0, 1.0, 0.0, 3.0].map(Some).to_vec());
    let answer = estimate("kaplan-meier", &columns, &at(8.0)).unwrap();
    close(answer.results[1].estimate, 0.5);
    close(answer.results[2].estimate, 0.0);
    assert_eq!(codes(&answer)[0], "risk-set-emptied");
    assert!(answer.warnings[0].message.en.contains("arm control"));
    let early = estimate("kaplan-meier", &columns, &at(1.5)).unwrap();
    assert!(!codes(&early).contains(&"risk-set-emptied"));
    // The row that enters at 3 is not at risk at 1.5.
    assert_eq!(early.results[2].extra["at_risk"], 1);
}

/// Treated 1, 4+; control 2, 3+. With x = exp β, at 1 the treated dies among 2 and 2, at 2 the control among 1 and 2:
/// l = ln x − ln(2x+2) − ln(x+2). l' = 0 is 1/(x+1) = x/(x+2), so x² = 2. Information x/(x+1)² + 2x/(x+2)².
/// At x = 1: score 1 − 1/2 − 1/3 = 1/6, information 1/4 + 2/9 = 17/36, statistic 1/17, which is the log-rank test.
#[test]
fn cox_on_four_rows() {
    let columns = times(&[1.0, -4.0], &[2.0, -3.0]);
    let x = 2.0f64.sqrt();
    let information = x / ((x + 1.0) * (x + 1.0)) + 2.0 * x / ((x + 2.0) * (x + 2.0));
    for ties in [Ties::Efron, Ties::Breslow] {
        let settings = Settings {
            ties: Some(ties),
            ..Settings::default()
        };
        let row = estimate("cox", &columns, &settings)
            .unwrap()
            .results
            .remove(0);
        close(row.estimate, x);
        close(square(&row), 1.0 / information);
        close(row.statistic, x.ln() * information.sqrt());
        close(
            row.conf_low,
            x * (-1.959_963_984_540_054 / information.sqrt()).exp(),
        );
        close(row.extra["log_likelihood_null"].as_f64(), -(12.0f64.ln()));
        let highest = x.ln() - (2.0 * x + 2.0).ln() - (x + 2.0).ln();
        close(row.extra["log_likelihood"].as_f64(), highest);
        close(row.extra["score"].as_f64(), 1.0 / 17.0);
        close(row.extra["wald"].as_f64(), x.ln() * x.ln() * information);
    }
    let log_rank = estimate("log-rank", &columns, &Settings::default()).unwrap();
    close(log_rank.results[0].statistic, 1.0 / 17.0);
    // Score residuals. Mean treated p = x/(x+1) at 1 and q = x/(x+2) at 2, hazards 1/(2x+2) and 1/(x+2).
    let (p, q) = (x / (x + 1.0), x / (x + 2.0));
    let (a, b) = (1.0 / (2.0 * x + 2.0), 1.0 / (x + 2.0));
    let residuals = [
        (1.0 - p) - x * (1.0 - p) * a,
        -x * (1.0 - p) * a - x * (1.0 - q) * b,
        -q + p * a + q * b,
        p * a + q * b,
    ];
    let settings = Settings {
        variance: Some(Variance::Robust),
        ..Settings::default()
    };
    let answer = estimate("cox", &columns, &settings).unwrap();
    let meat: f64 = residuals.iter().map(|r| r * r).sum();
    close(
        square(&answer.results[0]),
        meat / (information * information),
    );
    assert_eq!(codes(&answer), ["few-clusters"]);
    // By cluster: the first treated with the first control, the two others together.
    let mut clustered = columns.clone();
    // One office an arm says nothing of how offices differ.
    clustered.cluster = Some(Factor::from_texts("office", ["a", "a", "b", "b"].map(Some)));
    let refused = estimate("cox", &clustered, &Settings::default());
    let expected = EstimationError::DecisiveCluster {
        clusters: vec!["a".into(), "b".into()],
        variance: "robust",
    };
    assert_eq!(refused.unwrap_err(), expected);
    clustered.cluster = Some(Factor::from_texts("office", ["a", "b", "a", "b"].map(Some)));
    let answer = estimate("cox", &clustered, &Settings::default()).unwrap();
    let sums = [residuals[0] + residuals[2], residuals[1] + residuals[3]];
    let meat: f64 = sums.iter().map(|r| r * r).sum();
    close(
        square(&answer.results[0]),
        meat / (information * information),
    );
    assert_eq!(answer.results[0].variance, "robust");
    assert_eq!(answer.results[0].extra["units_treated"], 2);
    let settings = Settings {
        variance: Some(Variance::Model),
        ..Settings::default()
    };
    let refused = estimate("cox", &clustered, &settings).unwrap_err();
    assert_eq!(
        refused,
        EstimationError::ClustersUnused { variance: "model" }
    );
    assert!(refused.is_usage());
}

/// One of two treated and one of three control die at the same time. Breslow: 1 = 2·2x/(2x+3), so x = 3/2, information
/// 2·½·½. Efron: the second among 2x+3−(x+1)/2 = (3x+5)/2: 3/(2x+3) = 3x/(3x+5), so x² = 5/2; information
/// p(1−p) + q(1−q) with p = 2x/(2x+3), q = 3x/(3x+5).
#[test]
fn cox_on_a_tie() {
    let columns = times(&[1.0, -4.0], &[1.0, -3.0, -2.0]);
    let run = |ties| {
        let settings = Settings {
            ties: Some(ties),
            ..Settings::default()
        };
        estimate("cox", &columns, &settings)
            .unwrap()
            .results
            .remove(0)
    };
    let breslow = run(Ties::Breslow);
    close(breslow.estimate, 1.5);
    close(square(&breslow), 2.0);
    let efron = run(Ties::Efron);
    let x = 2.5f64.sqrt();
    let (p, q) = (2.0 * x / (2.0 * x + 3.0), 3.0 * x / (3.0 * x + 5.0));
    close(efron.estimate, x);
    close(square(&efron), 1.0 / (p * (1.0 - p) + q * (1.0 - q)));
    assert_eq!(efron.extra["ties"], "efron");
}

/// A control that enters at 1 is not at risk then, and is at 2: 1/(x+1) = x/(x+3), so x² = 3. A treated row that enters
/// after the last event, and a stratum without events, change nothing.
#[test]
fn cox_with_late_entry_and_an_empty_stratum() {
    let mut columns = times(&[1.0, -4.0, -5.0], &[2.0, -3.0, -3.0]);
    columns.entry = Some([0.0, 0.0, 2.0, 0.0, 0.0, 1.0].map(Some).to_vec());
    let row = estimate("cox", &columns, &Settings::default()).unwrap();
    close(row.results[0].estimate, 3.0f64.sqrt());
    let mut columns = times(&[1.0, -4.0, -5.0], &[2.0, -3.0, -3.0]);
    let site = ["a", "a", "b", "a", "a", "b"].map(Some);
    columns.strata = vec![Factor::from_texts("site", site)];
    let row = estimate("cox", &columns, &Settings::default()).unwrap();
    close(row.results[0].estimate, 2.0f64.sqrt());
}

/// No maximum: a level all of whose rows stay without the event; with the sandwich, an arm without events. Nothing compared: one
/// arm leaves before the first event; a covariate that is the arm.
#[test]
fn cox_refuses_what_has_no_maximum() {
    let refusal = |columns: &Columns| {
        let refused = estimate("cox", columns, &Settings::default()).unwrap_err();
        assert!(!refused.is_usage());
        refused
    };
    let robust = Settings {
        variance: Some(Variance::Robust),
        ..Settings::default()
    };
    let refused = estimate("cox", &times(&[-1.0, -4.0], &[2.0, 3.0]), &robust).unwrap_err();
    let none = EstimationError::ArmWithoutEvents {
        arm: "treated".into(),
        cox: true,
    };
    assert_eq!(refused, none);
    assert!(refused.words().en.contains("`firth`"));
    assert_eq!(refusal(&times(&[-1.0], &[-2.0])), EstimationError::NoEvents);
    let mut columns = times(&[1.0, 4.0, -9.0, -9.0], &[2.0, 3.0, -9.0, 5.0]);
    let home = ["no", "no", "yes", "no", "no", "no", "yes", "no"].map(Some);
    columns.covariates = vec![Covariate::factor(Factor::from_texts("home", home))];
    let monotone = EstimationError::MonotoneLikelihood {
        terms: vec!["home=yes".into()],
        cox: true,
    };
    assert_eq!(refusal(&columns), monotone);
    assert!(monotone.words().sv.contains("`firth`"));
    // Without an event in the treated arm the covariate still has no maximum, whatever the arm's coefficient is.
    let mut both = times(&[-1.0, -4.0, -9.0, -9.0], &[2.0, 3.0, -9.0, 5.0]);
    both.covariates.clone_from(&columns.covariates);
    let refused = refusal(&both);
    assert_eq!(refused.code(), "monotone-likelihood");
    // Firth's likelihood has one.
    let firth = Settings {
        variance: Some(Variance::Firth),
        ..Settings::default()
    };
    for columns in [&columns, &both] {
        let row = estimate("cox", columns, &firth).unwrap().results.remove(0);
        assert!(row.std_error.is_some_and(|error| error < 5.0), "{row:?}");
    }
    let never = times(&[-1.0, -1.0, 9.0], &[2.0, 3.0, 4.0]);
    let mut apart = never.clone();
    // The treated row with the event enters when the control rows have left.
    apart.entry = Some([0.0, 0.0, 5.0, 0.0, 0.0, 0.0].map(Some).to_vec());
    assert_eq!(refusal(&apart), EstimationError::NeverCompared);
    let mut copied = times(&[1.0, 4.0, -9.0], &[2.0, 3.0, -9.0]);
    let twice = copied.arm.iter().map(|arm| Some(2.0 * arm.index() as f64));
    copied.covariates = vec![Covariate::numeric("offered", twice.collect())];
    assert_eq!(refusal(&copied), EstimationError::ArmAliased);
}

/// No event in the treated arm: control dies among one treated and two control at 2, one and one at 3. With shares p = x/(2+x) and
/// q = x/(1+x) the score is −(p + q) and its variance p(1−p) + q(1−q): at x = 1 z = −(5/6)/√(17/36) = −5/√17, and the limit is
/// where z is −1.96 (R: qnorm(0.975)). With the arms exchanged all is the inverse. Three treated die before the control rows, which
/// die alone: at 3 and 3, 2 and 3, 1 and 3 at risk the score is 1/2 + 3/5 + 3/4, its variance 1/4 + 6/25 + 3/16.
#[test]
fn a_ratio_without_a_maximum_has_a_test_and_one_limit() {
    let own = |columns: &Columns| {
        let answer = estimate("cox", columns, &Settings::default()).unwrap();
        assert!(codes(&answer).contains(&"no-finite-ratio"), "{answer:?}");
        let row = answer.results[0].clone();
        assert_eq!((row.estimate, row.std_error), (None, None));
        assert_eq!(
            (row.interval.as_str(), row.variance.as_str()),
            ("score", "model")
        );
        assert_eq!(row.extra["set"], "ray");
        row
    };
    let none = own(&times(&[-1.0, -4.0], &[2.0, 3.0]));
    close(none.statistic, -5.0 / 17f64.sqrt());
    assert_eq!(
        (none.conf_low, none.extra["ratio"].as_str()),
        (None, Some("zero"))
    );
    let x = none.conf_high.unwrap();
    let (p, q) = (x / (2.0 + x), x / (1.0 + x));
    let z = (p + q) / (p * (1.0 - p) + q * (1.0 - q)).sqrt();
    assert!((z - 1.959_963_984_540_054).abs() < 1e-10, "{z}");
    // p is 0.225: no effect is inside.
    assert!(x > 1.0 && none.p_value > Some(0.05));
    let exchanged = own(&times(&[2.0, 3.0], &[-1.0, -4.0]));
    close(exchanged.statistic, 5.0 / 17f64.sqrt());
    close(exchanged.conf_low, 1.0 / x);
    assert_eq!(
        (exchanged.conf_high, exchanged.extra["ratio"].as_str()),
        (None, Some("infinite"))
    );
    let after = own(&times(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]));
    close(after.statistic, 1.85 / 0.6775f64.sqrt());
    assert!(after.conf_low > Some(1.0) && after.p_value < Some(0.05));
    // A covariate that is the same for all at risk leaves all as it is, by the other path; a stratum without events too.
    let mut columns = times(&[-1.0, -4.0, -5.0], &[2.0, 3.0, -3.0]);
    columns.strata = vec![Factor::from_texts(
        "site",
        ["a", "a", "b", "a", "a", "b"].map(Some),
    )];
    let stratified = own(&columns);
    close(stratified.statistic, -5.0 / 17f64.sqrt());
    columns.covariates = vec![Covariate::numeric(
        "east",
        [0.0, 0.0, 1.0, 0.0, 0.0, 2.0].map(Some).to_vec(),
    )];
    let adjusted = own(&columns);
    close(adjusted.statistic, -5.0 / 17f64.sqrt());
    assert!((adjusted.conf_high.unwrap() / x - 1.0).abs() < 1e-9);
}

/// One control of two dies while two treated are at risk. With p = x/(1 + x) the share of the treated, Firth's likelihood is
/// 3/2 ln(1 − p) + 1/2 ln p: p = 1/4, x = 1/3, information 3/16. Its profile falls by half of 1.96² where 3 ln(1 − p) + ln p does by
/// 1.96² (R: qnorm(0.975)). Clusters and the sandwich do not go with it.
#[test]
fn firth_on_one_event() {
    let columns = times(&[-4.0, -5.0], &[2.0, -6.0]);
    for ties in [Ties::Efron, Ties::Breslow] {
        let settings = Settings {
            variance: Some(Variance::Firth),
            ties: Some(ties),
            ..Settings::default()
        };
        let wald = estimate("cox", &columns, &settings)
            .unwrap()
            .results
            .remove(0);
        assert!(
            (wald.estimate.unwrap() - 1.0 / 3.0).abs() < 1e-10,
            "{wald:?}"
        );
        assert!((square(&wald).unwrap() - 16.0 / 3.0).abs() < 1e-8);
        let penalized = 1.5 * 0.75f64.ln() + 0.5 * 0.25f64.ln();
        let value = wald.extra["log_likelihood"].as_f64().unwrap();
        assert!((value - (penalized - 2f64.ln())).abs() < 1e-10, "{value}");
        assert!(!wald.extra.contains_key("score"));
        let settings = Settings {
            interval: Some(Interval::Profile),
            ..settings
        };
        let row = estimate("cox", &columns, &settings)
            .unwrap()
            .results
            .remove(0);
        assert_eq!(row.interval, "profile");
        for limit in [row.conf_low, row.conf_high] {
            let x = limit.unwrap();
            let p = x / (1.0 + x);
            let fall = 2.0 * penalized - (3.0 * (1.0 - p).ln() + p.ln());
            assert!(
                (fall - 1.959_963_984_540_054f64.powi(2)).abs() < 1e-7,
                "{fall}"
            );
        }
        // At no effect p is 1/2: the statistic is the signed root of the fall.
        let fall = 2.0 * penalized - 4.0 * 0.5f64.ln();
        assert!(
            (row.statistic.unwrap() + fall.sqrt()).abs() < 1e-7,
            "{row:?}"
        );
    }
    let mut clustered = columns.clone();
    clustered.cluster = Some(Factor::from_texts("family", ["a", "b", "c", "d"].map(Some)));
    let firth = Settings {
        variance: Some(Variance::Firth),
        ..Settings::default()
    };
    let refused = estimate("cox", &clustered, &firth).unwrap_err();
    assert_eq!(
        refused,
        EstimationError::ClustersUnused { variance: "firth" }
    );
    let robust = Settings {
        variance: Some(Variance::Robust),
        interval: Some(Interval::Profile),
        ..Settings::default()
    };
    let refused = estimate("cox", &columns, &robust).unwrap_err();
    assert!(refused.is_usage(), "{refused:?}");
}

/// Constant covariates and copies are left out with a warning; values of 1e100 and units change nothing.
#[test]
fn cox_with_odd_covariates() {
    let mut columns = times(&[1.0, 4.0, -9.0, 6.0], &[2.0, 3.0, -9.0, 5.0]);
    let age = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
    let covariate = |name: &str, value: &dyn Fn(f64) -> f64| {
        Covariate::numeric(name, age.iter().map(|age| Some(value(*age))).collect())
    };
    columns.covariates = vec![covariate("age", &|age| age)];
    let plain = estimate("cox", &columns, &Settings::default()).unwrap();
    columns.covariates = vec![
        covariate("age", &|age| 1e99 * age),
        covariate("constant", &|_| 0.1),
        covariate("shifted", &|age| 1e3 - age / 1e3),
    ];
    let odd = estimate("cox", &columns, &Settings::default()).unwrap();
    assert_eq!(codes(&odd), ["collinear-covariate", "collinear-covariate"]);
    let (plain, odd) = (&plain.results[0], &odd.results[0]);
    for (a, b) in [
        (plain.estimate, odd.estimate),
        (plain.std_error, odd.std_error),
    ] {
        assert!((a.unwrap() / b.unwrap() - 1.0).abs() < 1e-9);
    }
    assert_eq!(odd.extra["coefficients"], 2);
}
