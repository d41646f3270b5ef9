//! An arm without events: the score test and one limit where there is one, and what is said where there is no answer.

use crate::registered::{estimand, few};
use lottning::estimation::{
    Arm, Columns, Covariate, Estimate, EstimationError, Interval, Settings, Variance, estimate,
};

fn close(actual: Option<f64>, expected: f64, within: f64) {
    let actual = actual.unwrap();
    assert!(
        (actual / expected - 1.0).abs() < within,
        "{actual} is not {expected}"
    );
}

/// Outcomes of the treated and of control.
fn data(treated: &[f64], control: &[f64]) -> Columns {
    let arm = |arm, own: &[f64]| std::iter::repeat_n(arm, own.len());
    Columns {
        arm: arm(Arm::Treated, treated)
            .chain(arm(Arm::Control, control))
            .collect(),
        outcome: treated.iter().chain(control).map(|y| Some(*y)).collect(),
        ..Columns::default()
    }
}

/// None of 20 treated and 10 of 20 in control, as counts if any are given.
fn none_of_twenty(counts: &[f64; 10]) -> Columns {
    let mut control = counts.to_vec();
    control.resize(20, 0.0);
    data(&[0.0; 20], &control)
}

/// With a covariate.
fn beside(mut columns: Columns) -> Columns {
    let x = [
        3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 4, 9, 5, 2, 4, 11, 7, 10, 10,
        5, 4, 7, 6, 3, 11, 5, 2, 6, 1, 4,
    ];
    let x = x.map(|x| Some(f64::from(x)));
    columns.covariates = vec![Covariate::numeric("x", x.to_vec())];
    columns
}

fn with(variance: Variance) -> Settings {
    Settings {
        variance: Some(variance),
        ..Settings::default()
    }
}

/// The row of a ratio of 0 or infinity, which the warning tells.
fn endless(id: &str, columns: &Columns, ratio: &str) -> Estimate {
    let answer = estimate(id, columns, &with(Variance::Model)).unwrap();
    let mut codes = answer.warnings.iter().map(|own| own.code);
    assert!(
        codes.any(|own| own == "no-finite-ratio"),
        "{:?}",
        answer.warnings
    );
    let row = answer.results[0].clone();
    assert_eq!((row.estimate, row.std_error, row.df), (None, None, None));
    assert_eq!(
        (row.interval.as_str(), row.variance.as_str()),
        ("score", "model")
    );
    assert_eq!(
        (row.extra["ratio"].as_str(), row.extra["set"].as_str()),
        (Some(ratio), Some("ray"))
    );
    row
}

/// By hand, with n₁ = n₀ = 20 and 10 events in control alone. Logistic: the shares are 1/4 at no effect, U = 0 − 20/4 = −5 and
/// V = 3/16 · 10, so z² = 40/3. Poisson: U = −5, V = 10/4, z² = 10; with the ratio x the means are 10x/(1 + x) and 10/(1 + x), their
/// product over their sum is V, and z² = 10x, so the limit is 1.96²/10. With exposures of 2 among the treated it is half of that. The
/// limit of the odds, and all figures with the covariate x and with exposures, are R's (4.2.2): with
/// `fit <- glm(y ~ x + offset(log(exposure) + b * arm), family, control = glm.control(epsilon = 1e-15))`,
/// `w <- sqrt(fit$weights)`, `u <- w * residuals(fit, "working")` and `r <- qr.resid(qr(cbind(1, x) * w), arm * w)` the deviate is
/// `sum(x * u) / sqrt(sum(x^2))` of r, whose square at b = 0 `anova(test = "Rao")` gives (12.56639, 15.44308), and the limit is `exp` of
/// the root of `abs(deviate) - qnorm(.975)` by `uniroot(tol = 1e-14)`.
#[test]
fn no_event_in_an_arm_has_a_score_test_and_one_limit() {
    let events = none_of_twenty(&[1.0; 10]);
    let counts = none_of_twenty(&[1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 4.0, 1.0, 2.0, 1.0]);
    let mut exposed = beside(counts);
    let days = (0..40).map(|row| Some(f64::from(100 + 13 * (row % 7))));
    exposed.exposure = Some(days.collect());
    let q = 1.959_963_984_540_054f64;
    let cases = [
        (
            "logistic",
            events.clone(),
            -(40f64 / 3.0).sqrt(),
            0.215_552_605_584_5,
        ),
        (
            "logistic",
            beside(events.clone()),
            -3.544_909_768_326_0,
            0.229_430_641_514_4,
        ),
        ("poisson", events.clone(), -10f64.sqrt(), q * q / 10.0),
        (
            "poisson",
            exposed,
            -3.929_762_126_959_9,
            0.243_511_816_122_3,
        ),
    ];
    for (id, columns, deviate, limit) in cases {
        let row = endless(id, &columns, "zero");
        close(row.statistic, deviate, 1e-9);
        close(row.conf_high, limit, 1e-9);
        assert_eq!(row.conf_low, None);
        // With the arms exchanged all is mirrored.
        let mut exchanged = columns.clone();
        for arm in &mut exchanged.arm {
            *arm = match *arm {
                Arm::Treated => Arm::Control,
                Arm::Control => Arm::Treated,
            };
        }
        let mirrored = endless(id, &exchanged, "infinite");
        close(mirrored.statistic, -deviate, 1e-9);
        close(mirrored.conf_low, 1.0 / limit, 1e-9);
        assert_eq!(mirrored.conf_high, None);
        close(mirrored.p_value, row.p_value.unwrap(), 1e-8);
    }
    let p = endless("poisson", &events, "zero").p_value;
    // R: 2 * pnorm(-sqrt(10)).
    close(p, 0.001_565_402_258_002_55, 1e-12);
    let mut double = events.clone();
    let days = (0..40).map(|row| Some(if row < 20 { 2.0 } else { 1.0 }));
    double.exposure = Some(days.collect());
    close(
        endless("poisson", &double, "zero").conf_high,
        q * q / 20.0,
        1e-9,
    );
    // Where everybody in an arm has the event the odds are those of having none, turned.
    let all = data(&[1.0; 20], &[[1.0; 10], [0.0; 10]].concat());
    let row = endless("logistic", &all, "infinite");
    close(row.statistic, (40f64 / 3.0).sqrt(), 1e-9);
    close(row.conf_low, 1.0 / 0.215_552_605_584_5, 1e-9);
    // None of 6 against all of 6: z² = 3² / (3/2 · 1/2 · 2 · 1/2) = 12, and the limit is R's as above.
    let row = endless("logistic", &data(&[0.0; 6], &[1.0; 6]), "zero");
    close(row.statistic, -(12f64.sqrt()), 1e-9);
    close(row.conf_high, 0.102_477_818_549_2, 1e-9);
}

/// A level whose units all had the event, or none, says nothing of the arm: with its rows or without, the test and the limit are those
/// of the others, by hand, since their likelihood there is 1 whatever the ratio.
#[test]
fn levels_that_decide_their_rows_leave_the_test_to_the_others() {
    let events = none_of_twenty(&[1.0; 10]);
    let mut wider = events.clone();
    let mut level = vec![Some(0.0); 40];
    for arm in [Arm::Treated, Arm::Control, Arm::Control] {
        wider.arm.push(arm);
        wider.outcome.push(Some(0.0));
        level.push(Some(1.0));
    }
    wider.covariates = vec![Covariate::numeric("site", level)];
    for id in ["logistic", "poisson"] {
        let (alone, own) = (endless(id, &events, "zero"), endless(id, &wider, "zero"));
        close(own.statistic, alone.statistic.unwrap(), 1e-9);
        close(own.conf_high, alone.conf_high.unwrap(), 1e-9);
    }
}

/// No event at all, a sandwich of residuals that are alike, a profile without a maximum to fall from, and θ that rises with the misfit
/// leave no answer. With Firth's penalty there is one.
#[test]
fn other_variances_and_no_event_at_all_are_refused() {
    let events = none_of_twenty(&[1.0; 10]);
    let refused = |id: &str, columns: &Columns, settings: &Settings| {
        let refusal = estimate(id, columns, settings).err();
        refusal.as_ref().map(EstimationError::code)
    };
    let model = with(Variance::Model);
    let nothing = data(&[0.0; 6], &[0.0; 6]);
    assert_eq!(
        refused("poisson", &nothing, &model),
        Some("arm-without-events")
    );
    assert_eq!(refused("logistic", &nothing, &model), Some("separation"));
    assert_eq!(
        refused("poisson", &events, &with(Variance::Hc0)),
        Some("arm-without-events")
    );
    assert_eq!(
        refused("logistic", &events, &with(Variance::Hc0)),
        Some("separation")
    );
    let profile = Settings {
        interval: Some(Interval::Profile),
        ..model
    };
    assert_eq!(refused("logistic", &events, &profile), Some("separation"));
    assert_eq!(
        refused("negative-binomial", &events, &model),
        Some("arm-without-events")
    );
    assert_eq!(refused("logistic", &events, &with(Variance::Firth)), None);
}

/// What a method has no answer for is not compatible with any difference: a sandwich of the rates says nothing where only control has
/// reports, and other methods do.
#[test]
fn a_method_without_an_answer_says_so_and_why() {
    let rates = |options: &str| {
        format!(
            "outcome = \"rereport\"\nsummary = \"count\"\nestimator = \"poisson\"\n{options}missing = {{ primary = \"censoring\" }}\n{}",
            estimand("rate-ratio", "treatment-policy")
        )
    };
    let seen = |options: &str| {
        let mut few = few(&rates(options), 8);
        let control = few.control.clone();
        for family in control {
            few.report(family, 20);
        }
        few.run()
    };
    let found = seen("");
    let said = &found.conclusion;
    assert!(
        said.en.starts_with("The method `poisson` gives no answer from these data: arm iuh has no event, so a rate ratio has no finite estimate"),
        "{}",
        said.en
    );
    assert!(
        said.en
            .contains("Which differences the data are compatible with is not said here."),
        "{}",
        said.en
    );
    assert!(
        said.sv.starts_with(
            "Metoden `poisson` ger inget svar utifrån dessa data: armen iuh har ingen händelse"
        ),
        "{}",
        said.sv
    );
    assert!(!said.en.contains("any difference") && !said.sv.contains("vilken skillnad som helst"));
    // Equal exposures, 4 events of control alone: z² = 4x, so that the limit is 1.96²/4 = 0.96, and no effect has p = .0455.
    let found = seen("variance = \"model\"\n");
    let said = &found.conclusion;
    assert!(found.refused.is_none());
    assert!(
        said.en
            .contains("the result is compatible with 0.96 and any ratio below it, down to 0"),
        "{}",
        said.en
    );
    assert!(
        said.sv.contains("0,96 och varje kvot under den"),
        "{}",
        said.sv
    );
}

/// A ratio of proportions, or of odds, of which only the treated have events, is infinite and has one limit: the conclusion tells it and
/// what the test decides.
#[test]
fn a_ratio_of_proportions_without_events_in_control_tells_its_limit() {
    for (id, measure) in [
        ("risk-ratio", "risk-ratio"),
        ("odds-ratio", "odds-ratio"),
        ("fisher-exact", "odds-ratio"),
    ] {
        let analysis = format!(
            "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"{id}\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
            estimand(measure, "treatment-policy")
        );
        let mut few = few(&analysis, 8);
        for family in few.treated.clone() {
            few.report(family, 20);
        }
        let found = few.run();
        let row = &found.results[0];
        assert_eq!((row.estimate, row.conf_high), (None, None), "{id}");
        assert_eq!(row.endless(), Some(f64::INFINITY), "{id}");
        let said = &found.conclusion;
        assert!(said.en.contains("and any ratio above it"), "{}", said.en);
        assert!(said.sv.contains("och varje kvot över den"), "{}", said.sv);
        assert!(said.en.contains("The estimator's own test"), "{}", said.en);
        assert!(!said.en.contains("any difference"), "{}", said.en);
    }
}
