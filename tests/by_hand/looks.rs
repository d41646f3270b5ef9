//! Looks at the primary analysis: what each may decide follows from what was spent and from the information that there is.

use lottning::analysis::looks::EarlierLook;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::estimation::group_sequential::Look;
use lottning::protocol::model::Day;

use crate::made_up::{IUH, Study, protocol};

/// The protocol whose interim lock spends .0030506455, of both sides, and whose primary analysis is looked at there.
fn text() -> String {
    let text = IUH.replace("alpha = 0.0\n", "alpha = 0.0030506455\n");
    let text = text.replace(
        "covariates = [\"site\", \"earlier_reports\", \"youngest_age\", \"months_since_start\"]",
        "covariates = [\"youngest_age\"]",
    );
    let primary = "id = \"primary\"\nlock = \"final\"\n";
    text.replace(
        primary,
        &format!("{primary}looks = [\"evaluation-2025\"]\n"),
    )
}

/// Twenty families at five sites, half of the treated ones and one of the others reported again.
fn study() -> (Study, Day) {
    study_of(&text(), |treated, index| {
        (treated && index % 2 == 0) || index == 5
    })
}

fn study_of(text: &str, reported: impl Fn(bool, usize) -> bool) -> (Study, Day) {
    let mut study = Study::new(protocol(text), 5);
    let day = study.protocol.first_opening();
    let late = day.plus(500);
    let families: Vec<_> = (0..20)
        .map(|k| {
            study
                .enrol(
                    day.plus(k),
                    (k % 5) as usize,
                    1,
                    &[
                        i64::from(2 + k % 3),
                        i64::from(4 * k % 17),
                        i64::from(k % 5),
                    ],
                )
                .unwrap()
                .0
        })
        .collect();
    for (index, family) in families.iter().enumerate() {
        let treated = study.state.family(*family).unwrap().arm.index() == 0;
        if reported(treated, index) {
            study.report(*family, day.plus(60), late);
        }
    }
    (study, late)
}

/// By rpact 3.3.4 (one-sided .025 a side): alpha spent at half the information by O'Brien–Fleming spending is .00152532 a
/// side, and the critical values are 2.962588 and 1.968596. The nominal level of the last, 2·(1 − Φ(1.968596)), is .04900.
#[test]
fn the_limit_follows_from_what_was_spent() {
    let (study, late) = study();
    let (protocol, state) = (&study.protocol, &study.state);
    let lock = |id: &str| {
        protocol
            .locks
            .iter()
            .position(|lock| lock.id == id)
            .unwrap()
    };
    let plan = Plan::registered(protocol, lock("final"));
    let alone = run(protocol, state, &plan, late, &RunSettings::default());
    let row = &alone.analyses[0].results[0];
    let (estimate, std_error) = (row.estimate.unwrap(), row.std_error.unwrap());
    // Nothing is known of a lock: what is left when the look has spent its amount.
    assert!((alone.analyses[0].alpha.unwrap() - (0.05 - 0.003_050_645_5)).abs() < 1e-12);
    let settings = |scale: f64| RunSettings {
        lock: Some("final".into()),
        earlier: vec![EarlierLook {
            analysis: "primary".into(),
            lock: lock("evaluation-2025"),
            look: Look {
                estimate: 0.0,
                std_error: std_error * scale,
                df: None,
            },
        }],
        ..RunSettings::default()
    };
    // Half the information: the variance was twice as large.
    let found = run(protocol, state, &plan, late, &settings(2f64.sqrt()));
    let primary = &found.analyses[0];
    let nominal = 2.0 * lottning::numerics::normal::sf(1.968_596);
    assert!(
        (primary.alpha.unwrap() - nominal).abs() < 1e-6,
        "{:?}",
        primary.alpha
    );
    let critical: Vec<f64> = primary
        .looks
        .iter()
        .map(|look| look.critical.unwrap())
        .collect();
    assert!((critical[0] - 2.962_588).abs() < 2e-5, "{critical:?}");
    assert!((critical[1] - 1.968_596).abs() < 2e-6, "{critical:?}");
    assert!((primary.looks[0].information - 0.5).abs() < 1e-12);
    // The repeated interval has the level of the limit, and the stage-wise row comes next, at the registered level.
    let [repeated, stage_wise, ..] = &primary.results[..] else {
        panic!("two rows");
    };
    assert_eq!(
        (repeated.interval.as_str(), stage_wise.interval.as_str()),
        ("repeated", "stage-wise")
    );
    assert!((repeated.level - (1.0 - nominal)).abs() < 1e-6);
    let half = 0.5 * (repeated.conf_high.unwrap() - repeated.conf_low.unwrap());
    assert!(
        half > 1.968_596 * std_error,
        "few degrees of freedom widen it"
    );
    // The first look saw nothing, so the median-unbiased estimate is close to the estimate and on its side.
    assert!(
        stage_wise.conf_low < stage_wise.estimate && stage_wise.estimate < stage_wise.conf_high
    );
    let unbiased = stage_wise.estimate.unwrap();
    assert!(
        (unbiased - estimate).abs() < 0.2 * std_error,
        "{unbiased} {estimate}"
    );
    assert!((stage_wise.level - 0.95).abs() < 1e-12);
    // A look with as much information as now leaves only what was not spent.
    let found = run(protocol, state, &plan, late, &settings(1.0));
    let primary = &found.analyses[0];
    assert!((primary.alpha.unwrap() - (0.05 - 0.003_050_645_5)).abs() < 1e-12);
    assert!(
        primary
            .warnings
            .iter()
            .any(|own| own.code == "information-fell")
    );
}

/// At the look itself the limit is the amount that it may spend, whatever the information.
#[test]
fn a_look_may_spend_its_amount() {
    let (study, late) = study();
    let (protocol, state) = (&study.protocol, &study.state);
    let place = protocol
        .locks
        .iter()
        .position(|lock| lock.id == "evaluation-2025")
        .unwrap();
    let plan = Plan::registered(protocol, place);
    let settings = RunSettings {
        lock: Some("evaluation-2025".into()),
        ..RunSettings::default()
    };
    let found = run(protocol, state, &plan, late, &settings);
    let ids: Vec<&str> = found.analyses.iter().map(|own| own.id.as_str()).collect();
    assert_eq!(ids, ["primary"]);
    let primary = &found.analyses[0];
    assert!((primary.alpha.unwrap() - 0.003_050_645_5).abs() < 1e-9);
    let crossed = primary.looks[0].crossed;
    // Only a look that stops the study has a stage-wise row.
    assert_eq!(primary.results.len(), if crossed { 2 } else { 1 });
}

/// The primary analysis of [`text`] by an estimator of the time to the first report.
fn timed(estimator: &str, measure: &str) -> String {
    let text = text();
    let from = text.find("[[analysis]]\nid = \"primary\"").unwrap();
    let to = from + 10 + text[from + 10..].find("[[analysis]]").unwrap();
    let own = format!(
        "[[analysis]]\nid = \"primary\"\nlock = \"final\"\nlooks = [\"evaluation-2025\"]\noutcome = \"rereport\"\n\
         summary = \"first-time\"\nestimand = {{ population = {{ sv = \"alla\", en = \"all\" }}, strategy = \"treatment-policy\", \
         measure = \"{measure}\" }}\nestimator = \"{estimator}\"\nmissing = {{ primary = \"censoring\" }}\nrole = \"primary\"\n\n"
    );
    format!("{}{own}{}", &text[..from], &text[to..])
}

/// Half of the information at the look, as above: critical values 2.962588 and 1.968596 (rpact 3.3.4). A log-rank test is
/// weighed by the variance of O − E and has no interval; a hazard ratio by its logarithm, and its repeated interval is
/// HR·exp(±1.968596·se), by hand.
#[test]
fn hazards_are_looked_at_on_the_scale_of_their_logarithm() {
    for (estimator, measure) in [("log-rank", "test"), ("cox", "hazard-ratio")] {
        let (study, late) = study_of(&timed(estimator, measure), |treated, index| {
            index % if treated { 2 } else { 3 } == 0
        });
        let (protocol, state) = (&study.protocol, &study.state);
        let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
        let plan = Plan::registered(protocol, place("final"));
        let alone = run(protocol, state, &plan, late, &RunSettings::default());
        let row = alone.analyses[0].results[0].clone();
        let of = |key: &str| row.extra[key].as_f64().unwrap();
        let (z, std_error) = if estimator == "cox" {
            let std_error = row.std_error.unwrap();
            (row.estimate.unwrap().ln() / std_error, std_error)
        } else {
            let variance = of("excess_variance");
            let excess = of("observed_treated") - of("expected_treated");
            // The chi-square of the test is the square of this deviate.
            assert!((excess * excess / variance - row.statistic.unwrap()).abs() < 1e-9);
            (excess / variance.sqrt(), 1.0 / variance.sqrt())
        };
        let settings = RunSettings {
            lock: Some("final".into()),
            earlier: vec![EarlierLook {
                analysis: "primary".into(),
                lock: place("evaluation-2025"),
                look: Look {
                    estimate: 0.0,
                    std_error: std_error * 2f64.sqrt(),
                    df: None,
                },
            }],
            ..RunSettings::default()
        };
        let found = run(protocol, state, &plan, late, &settings);
        let primary = &found.analyses[0];
        let [first, second] = &primary.looks[..] else {
            panic!("two looks");
        };
        assert!((second.z - z).abs() < 1e-9, "{estimator} {} {z}", second.z);
        assert!((first.critical.unwrap() - 2.962_588).abs() < 2e-5);
        assert!((second.critical.unwrap() - 1.968_596).abs() < 2e-6);
        assert!((first.information - 0.5).abs() < 1e-9);
        let nominal = 2.0 * lottning::numerics::normal::sf(1.968_596);
        assert!((primary.alpha.unwrap() - nominal).abs() < 1e-6);
        let [repeated, stage_wise, ..] = &primary.results[..] else {
            panic!("two rows");
        };
        assert_eq!(stage_wise.interval, "stage-wise");
        assert!(stage_wise.p_value.is_some());
        if estimator == "cox" {
            let factor = (1.968_596 * std_error).exp();
            let estimate = repeated.estimate.unwrap();
            assert!((repeated.conf_low.unwrap() / (estimate / factor) - 1.0).abs() < 1e-5);
            assert!((repeated.conf_high.unwrap() / (estimate * factor) - 1.0).abs() < 1e-5);
            assert!(stage_wise.conf_low < stage_wise.estimate);
            let moved = (stage_wise.estimate.unwrap() / estimate).ln();
            assert!(moved.abs() < 0.2 * std_error, "{moved}");
        } else {
            assert_eq!(repeated.interval, "none");
            let limits = [repeated.conf_low, repeated.conf_high];
            let ends = [
                stage_wise.estimate,
                stage_wise.conf_low,
                stage_wise.conf_high,
            ];
            assert!(limits.iter().chain(&ends).all(Option::is_none));
        }
    }
}
