//! Looks at the primary analysis: what each may decide follows from what was spent and from the information that there is.

use lottning::analysis::looks::{EarlierLook, look};
use lottning::analysis::{Plan, RunSettings, registered_p, run};
use lottning::estimation::Estimate;
use lottning::estimation::group_sequential::Look;
use lottning::numerics::normal;
use lottning::numerics::student_t::StudentT;
use lottning::protocol::model::{Day, Service};
use lottning::study::kernel::{Command, DelivererIx, What};

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
            p_value: None,
        }],
        ..RunSettings::default()
    };
    // Half the information: the variance was twice as large.
    let found = run(protocol, state, &plan, late, &settings(2f64.sqrt()));
    let primary = &found.analyses[0];
    let nominal = 2.0 * normal::sf(1.968_596);
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
    // A look with as much information as now, or more, leaves only what was not spent. Both looks are shown with the critical
    // values that they had: Φ⁻¹(1 − a/2) of the amounts, 2.962588 and by R 4.2.2 qnorm(1 - 0.0469493545/2) = 1.986757. The
    // repeated interval goes by the latter, and there is no other.
    for (scale, share) in [(1.0, 1.0), (0.8, 0.64)] {
        let found = run(protocol, state, &plan, late, &settings(scale));
        let primary = &found.analyses[0];
        let limit = 0.05 - 0.003_050_645_5;
        assert!((primary.alpha.unwrap() - limit).abs() < 1e-12);
        let told = primary.warnings.iter();
        let mut told = told.filter(|own| own.code == "information-fell");
        let told = &told.next().unwrap().message;
        assert!(told.en.contains("at `final` than") && told.sv.contains("vid `final` fanns"));
        let [first, second] = &primary.looks[..] else {
            panic!("two looks");
        };
        assert!((first.critical.unwrap() - 2.962_588).abs() < 2e-5);
        assert!(
            (second.critical.unwrap() - 1.986_757).abs() < 2e-6,
            "{second:?}"
        );
        assert!((first.information - 1.0).abs() < 1e-12);
        assert!((second.information - share).abs() < 1e-12);
        assert!((second.cumulative_alpha - 0.05).abs() < 1e-12);
        let [repeated, next, ..] = &primary.results[..] else {
            panic!("rows beside");
        };
        assert_eq!(repeated.interval, "repeated");
        assert!((repeated.level - (1.0 - limit)).abs() < 1e-12);
        let half = 0.5 * (repeated.conf_high.unwrap() - repeated.conf_low.unwrap());
        let student = StudentT::new(repeated.df.unwrap()).unwrap();
        let quantile = student.quantile_sf(0.5 * limit).unwrap();
        assert!((half - quantile * std_error).abs() < 1e-9);
        assert!(next.extra.contains_key("sensitivity"), "nothing by stages");
    }
}

/// Three looks, the second with less information than the first: it spends its amount alone, and the third goes on from the first as
/// if the second had not been, with what is left. By R 4.2.2, mvtnorm 1.1.3 (`pmvnorm` with correlation √½, root finding): of
/// .0030506455 at half the information and .0399493545 after it, critical values 2.962588 and 2.034533; Φ⁻¹(1 − .007/2) = 2.696844.
#[test]
fn a_look_at_which_information_fell_stands_alone() {
    let text = text()
        .replace(
            "[[lock]]\nid = \"final\"\n",
            "[[lock]]\nid = \"second\"\ncut = 2026-03-31\nkind = \"interim\"\nalpha = 0.007\n\n[[lock]]\nid = \"final\"\n",
        )
        .replace("looks = [\"evaluation-2025\"]", "looks = [\"evaluation-2025\", \"second\"]");
    let (study, late) = study_of(&text, |treated, index| {
        (treated && index % 2 == 0) || index == 5
    });
    let (protocol, state) = (&study.protocol, &study.state);
    let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
    let plan = Plan::registered(protocol, place("final"));
    let alone = run(protocol, state, &plan, late, &RunSettings::default());
    let std_error = alone.analyses[0].results[0].std_error.unwrap();
    let seen = |id: &str, scale: f64| EarlierLook {
        analysis: "primary".into(),
        lock: place(id),
        look: Look {
            estimate: 0.0,
            std_error: std_error * scale,
            df: None,
        },
        p_value: None,
    };
    let settings = RunSettings {
        lock: Some("final".into()),
        earlier: vec![seen("evaluation-2025", 2f64.sqrt()), seen("second", 1.5)],
        ..RunSettings::default()
    };
    let found = run(protocol, state, &plan, late, &settings);
    let primary = &found.analyses[0];
    let critical: Vec<f64> = primary
        .looks
        .iter()
        .filter_map(|own| own.critical)
        .collect();
    for (found, expected) in critical.iter().zip([2.962_588, 2.696_844, 2.034_533]) {
        assert!((found - expected).abs() < 2e-5, "{critical:?}");
    }
    assert_eq!(critical.len(), 3);
    let limit = 2.0 * normal::sf(critical[2]);
    assert!((primary.alpha.unwrap() - limit).abs() < 1e-12);
    let told = primary.warnings.iter();
    let mut told = told.filter(|own| own.code == "information-fell");
    assert!(told.next().unwrap().message.en.contains("at `second` than"));
    assert!(
        primary
            .results
            .iter()
            .all(|row| row.interval != "stage-wise")
    );
}

/// A look at which the ratio was 0 or infinite has a test and no standard error: it spends its amount alone, and that amount is gone,
/// so that the last look has .05 − .0030506455 and no more. By R 4.2.2 Φ⁻¹(1 − a/2) of the two amounts is 2.962588 and 1.986757. The
/// deviate of its test stands where others have theirs, on either side of its own critical value.
#[test]
fn a_look_at_a_ratio_without_end_spends_its_amount() {
    let test = "test = { kind = \"randomization\", draws = 10000 }\n";
    let (study, late) = study_of(&text().replacen(test, "", 1), |treated, index| {
        (treated && index % 2 == 0) || index == 5
    });
    let (protocol, state) = (&study.protocol, &study.state);
    let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
    let plan = Plan::registered(protocol, place("final"));
    for (deviate, crossed) in [(-2.9, false), (3.0, true)] {
        let settings = RunSettings {
            lock: Some("final".into()),
            earlier: vec![EarlierLook {
                analysis: "primary".into(),
                lock: place("evaluation-2025"),
                look: Look {
                    estimate: deviate,
                    std_error: f64::INFINITY,
                    df: None,
                },
                p_value: None,
            }],
            ..RunSettings::default()
        };
        let found = run(protocol, state, &plan, late, &settings);
        let primary = &found.analyses[0];
        assert!((primary.alpha.unwrap() - (0.05 - 0.003_050_645_5)).abs() < 1e-9);
        let [first, second] = &primary.looks[..] else {
            panic!("two looks");
        };
        assert!((first.z - deviate).abs() < 1e-12 && first.information.abs() < 1e-12);
        assert_eq!(first.crossed, crossed);
        assert!((first.critical.unwrap() - 2.962_588).abs() < 2e-5);
        assert!((second.critical.unwrap() - 1.986_757).abs() < 2e-6);
        assert!((second.information - 1.0).abs() < 1e-12);
        let said = |code: &str| primary.warnings.iter().find(|own| own.code == code);
        let told = &said("information-fell").unwrap().message;
        assert!(told.en.contains("0 or infinite") && told.sv.contains("0 eller oändlig"));
        assert_eq!(said("crossed-earlier").is_some(), crossed);
    }
}

/// The deviate of the score of a log hazard ratio where `events` of `control` families have their event, each on a day of its own, and
/// none of the treated, who stay at risk: after j events the share of the treated among those at risk, each weighed by the ratio, is
/// p = tθ/(tθ + c − j), the score −Σp and its variance Σp(1 − p).
fn without_events_of_the_treated([treated, control, events]: [usize; 3], ratio: f64) -> f64 {
    let share = |before: usize| {
        let own = treated as f64 * ratio;
        own / (own + (control - before) as f64)
    };
    let score: f64 = (0..events).map(share).sum();
    let variance: f64 = (0..events).map(|own| share(own) * (1.0 - share(own))).sum();
    -score / variance.sqrt()
}

/// Twenty families of whom some of the controls are reported again, each on a day of its own; the counts of
/// [`without_events_of_the_treated`].
fn without_reports_of_the_treated(text: &str, most: usize) -> (Study, Day, [usize; 3]) {
    let seen = std::cell::Cell::new([0; 3]);
    let (study, late) = study_of(text, |treated, _| {
        let [of_treated, of_control, events] = seen.get();
        let reported = !treated && events < most;
        seen.set([
            of_treated + usize::from(treated),
            of_control + usize::from(!treated),
            events + usize::from(reported),
        ]);
        reported
    });
    (study, late, seen.get())
}

/// Where nothing can be weighed at the end, since the analysis is refused (one family) or nothing varies (nobody is reported again), what
/// was seen at the look and decided there stands: its critical value is Φ⁻¹(1 − .0030506455/2) = 2.962588 (R 4.2.2), which −3 is past and
/// −2.9 is not; of a registered test the limit of its p is the amount itself. What is left is .05 − .0030506455.
#[test]
fn a_crossed_limit_stands_whatever_the_last_data_hold() {
    let test = "test = { kind = \"randomization\", draws = 10000 }\n";
    let texts = [text(), text().replacen(test, "", 1)];
    for (text, (z, p, crossed)) in texts
        .iter()
        .flat_map(|text| [(-3.0, 0.003, true), (-2.9, 0.0031, false)].map(|seen| (text, seen)))
    {
        let (nobody, late) = study_of(text, |_, _| false);
        let mut alone = Study::new(protocol(text), 5);
        let day = alone.protocol.first_opening();
        alone.enrol(day, 0, 1, &[2, 4, 0]).unwrap();
        for (study, answers) in [(&nobody, true), (&alone, false)] {
            let (protocol, state) = (&study.protocol, &study.state);
            let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
            let seen = EarlierLook {
                analysis: "primary".into(),
                lock: place("evaluation-2025"),
                look: Look {
                    estimate: 0.5 * z,
                    std_error: 0.5,
                    df: None,
                },
                p_value: Some(p),
            };
            let settings = RunSettings {
                lock: Some("final".into()),
                earlier: vec![seen],
                ..RunSettings::default()
            };
            let plan = Plan::registered(protocol, place("final"));
            let found = run(protocol, state, &plan, late, &settings);
            let primary = &found.analyses[0];
            assert_eq!(primary.refused.is_none(), answers);
            let left = 0.05 - 0.003_050_645_5;
            assert!((primary.alpha.unwrap() - left).abs() < 1e-12);
            let [look] = &primary.looks[..] else {
                panic!("the look alone: {:?}", primary.looks);
            };
            assert_eq!(
                (look.lock.as_str(), look.crossed),
                ("evaluation-2025", crossed)
            );
            assert!((look.z - z).abs() < 1e-9 && (look.information - 1.0).abs() < 1e-12);
            assert!((look.critical.unwrap() - 2.962_588).abs() < 2e-5);
            assert!((look.cumulative_alpha - 0.003_050_645_5).abs() < 1e-12);
            let told = primary.warnings.iter();
            let told = told.filter(|own| own.code == "crossed-earlier").count();
            assert_eq!(told, usize::from(crossed));
            assert_eq!(primary.decided_earlier().is_some(), crossed);
            let decided = primary
                .conclusion
                .en
                .contains("was decided at the look `evaluation-2025`, where");
            assert_eq!(decided, crossed, "{}", primary.conclusion.en);
            let mut rows = primary.results.iter();
            assert!(rows.all(|row| row.interval != "stage-wise" && row.interval != "repeated"));
        }
    }
}

/// A look at which the hazard ratio is 0 spends its amount, and its interval has the level that this leaves: the score test, whose
/// deviate at a ratio of 1 is that of the look, does not reject the ratios up to the limit at Φ⁻¹(1 − .0030506455/2) = 2.962588 (R 4.2.2).
/// One event of a control has the deviate −√(t/c).
#[test]
fn a_look_without_end_has_the_limit_of_its_level() {
    let lock = "evaluation-2025";
    let text = timed("cox", "hazard-ratio");
    for most in [1, 3, 20] {
        let (study, late, counts) = without_reports_of_the_treated(&text, most);
        let (protocol, state) = (&study.protocol, &study.state);
        let place = protocol.locks.iter().position(|own| own.id == lock);
        let plan = Plan::registered(protocol, place.unwrap());
        let settings = RunSettings {
            lock: Some(lock.into()),
            ..RunSettings::default()
        };
        let found = run(protocol, state, &plan, late, &settings);
        let primary = &found.analyses[0];
        assert_eq!(primary.alpha, Some(0.003_050_645_5));
        let row = &primary.results[0];
        assert!((row.level - (1.0 - 0.003_050_645_5)).abs() < 1e-12);
        assert_eq!(row.interval, "repeated");
        assert_eq!((row.estimate, row.conf_low), (None, None));
        let limit = without_events_of_the_treated(counts, row.conf_high.unwrap());
        assert!((limit + 2.962_588).abs() < 2e-5, "{most}: {limit}");
        let z = without_events_of_the_treated(counts, 1.0);
        if most == 1 {
            let [treated, control, _] = counts.map(|own| own as f64);
            assert!((z + (treated / control).sqrt()).abs() < 1e-12);
        }
        let [own] = &primary.looks[..] else {
            panic!("one look");
        };
        assert!((own.z - z).abs() < 1e-9, "{most}: {} {z}", own.z);
        assert!((own.critical.unwrap() - 2.962_588).abs() < 2e-5);
        assert!(own.information.abs() < 1e-12);
        // Test, boundary and interval agree.
        assert_eq!(own.crossed, z < -2.962_588);
        assert_eq!(own.crossed, row.p_value.unwrap() <= 0.003_050_645_5);
        assert_eq!(own.crossed, row.conf_high.unwrap() < 1.0);
        let mut told = primary.warnings.iter();
        let told = told.find(|own| own.code == "information-fell").unwrap();
        assert!(told.message.en.contains("infinite at `evaluation-2025`,"));
        assert!(told.message.sv.contains("oändlig vid `evaluation-2025`,"));
    }
}

/// The hazard ratio is 0 at the end, after a look: what was seen there stands in the report, and what was decided there is not decided
/// again. The look has its own critical value, 2.962588, whether it was weighed or not, and the last one that of what is left,
/// Φ⁻¹(1 − (.05 − .0030506455)/2) = 1.986757 (R 4.2.2), at which its limit is.
#[test]
fn a_ratio_without_end_at_the_end_does_not_forget_the_looks() {
    let text = timed("cox", "hazard-ratio");
    let (study, late, counts) = without_reports_of_the_treated(&text, 3);
    let (protocol, state) = (&study.protocol, &study.state);
    let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
    let plan = Plan::registered(protocol, place("final"));
    // Of a ratio of exp(∓3·½), and of one without end.
    for (estimate, std_error, deviate, crossed) in [
        (-1.5, 0.5, -3.0, true),
        (-1.45, 0.5, -2.9, false),
        (3.0, f64::INFINITY, 3.0, true),
        (-2.9, f64::INFINITY, -2.9, false),
    ] {
        let settings = RunSettings {
            lock: Some("final".into()),
            earlier: vec![EarlierLook {
                analysis: "primary".into(),
                lock: place("evaluation-2025"),
                look: Look {
                    estimate,
                    std_error,
                    df: None,
                },
                p_value: None,
            }],
            ..RunSettings::default()
        };
        let found = run(protocol, state, &plan, late, &settings);
        let primary = &found.analyses[0];
        let left = 0.05 - 0.003_050_645_5;
        assert!((primary.alpha.unwrap() - left).abs() < 1e-12);
        let [first, second] = &primary.looks[..] else {
            panic!("two looks");
        };
        assert!((first.z - deviate).abs() < 1e-9 && first.crossed == crossed);
        assert!((first.critical.unwrap() - 2.962_588).abs() < 2e-5);
        let share = if std_error.is_finite() { 1.0 } else { 0.0 };
        assert!((first.information - share).abs() < 1e-12);
        assert!(second.information.abs() < 1e-12);
        let z = without_events_of_the_treated(counts, 1.0);
        assert!((second.z - z).abs() < 1e-9);
        assert!((second.critical.unwrap() - 1.986_757).abs() < 2e-6);
        let row = &primary.results[0];
        assert!((row.level - (1.0 - left)).abs() < 1e-12);
        let limit = without_events_of_the_treated(counts, row.conf_high.unwrap());
        assert!((limit + 1.986_757).abs() < 2e-6);
        let said = |code: &str| primary.warnings.iter().find(|own| own.code == code);
        let told = &said("information-fell").unwrap().message;
        assert!(told.en.contains("`final`") && told.sv.contains("`final`"));
        let both = told.en.contains("`evaluation-2025`, `final`");
        assert_eq!(both, std_error.is_infinite());
        assert_eq!(said("crossed-earlier").is_some(), crossed);
        let said = &primary.conclusion.en;
        assert_eq!(
            said.contains("was decided at the look `evaluation-2025`, where"),
            crossed
        );
        assert!(
            primary
                .results
                .iter()
                .all(|row| row.interval != "stage-wise")
        );
    }
}

/// A limit that is an amount, or what amounts leave, is the decimal that they are written in, by hand: .05 − .000164031 − .010545075 is
/// .039290894. In binary fractions .000164031 + .010545075 − .000164031 is .010545074999999996.
#[test]
fn limits_are_the_decimals_that_amounts_are_written_in() {
    let text = timed("cox", "hazard-ratio")
        .replace("alpha = 0.0030506455", "alpha = 0.000164031")
        .replace(
            "[[lock]]\nid = \"final\"\n",
            "[[lock]]\nid = \"second\"\ncut = 2026-03-31\nkind = \"interim\"\nalpha = 0.010545075\n\n[[lock]]\nid = \"final\"\n",
        )
        .replace("looks = [\"evaluation-2025\"]", "looks = [\"evaluation-2025\", \"second\"]");
    let (endless, late, _) = without_reports_of_the_treated(&text, 3);
    let (weighed, _) = study_of(&text, |_, index| index % 3 == 0);
    let alpha_of = |study: &Study, lock: Option<&str>, earlier: &[(&str, f64)]| {
        let (protocol, state) = (&study.protocol, &study.state);
        let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
        let plan = Plan::registered(protocol, place(lock.unwrap_or("final")));
        let seen = |(id, std_error): &(&str, f64)| EarlierLook {
            analysis: "primary".into(),
            lock: place(id),
            look: Look {
                estimate: -1.0,
                std_error: *std_error,
                df: None,
            },
            p_value: None,
        };
        let settings = RunSettings {
            lock: lock.map(str::to_owned),
            earlier: earlier.iter().map(seen).collect(),
            ..RunSettings::default()
        };
        let found = run(protocol, state, &plan, late, &settings);
        let primary = &found.analyses[0];
        let spent = primary.looks.last().map(|own| own.cumulative_alpha);
        (primary.alpha.unwrap().to_string(), spent)
    };
    let (first, second) = ("evaluation-2025", "second");
    let none = f64::INFINITY;
    let own = |alpha: &str, spent: f64| (alpha.to_owned(), Some(spent));
    let at_second = own("0.010545075", 0.010_709_106);
    assert_eq!(alpha_of(&endless, Some(second), &[(first, 0.5)]), at_second);
    assert_eq!(
        alpha_of(&endless, Some(second), &[(first, none)]),
        at_second
    );
    assert_eq!(
        alpha_of(&weighed, Some(second), &[(first, none)]),
        at_second
    );
    let both = &[(first, none), (second, none)];
    let at_last = own("0.039290894", 0.05);
    assert_eq!(alpha_of(&endless, Some("final"), both), at_last);
    assert_eq!(alpha_of(&weighed, Some("final"), both), at_last);
    let whole = alpha_of(&endless, Some("final"), &[(first, none)]);
    assert_eq!(whole, own("0.049835969", 0.05));
    // Where no lock is known.
    assert_eq!(alpha_of(&endless, None, &[]).0, "0.039290894");
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
    // The registered amount itself, as a p of redraws can be: not what comes back from its critical value.
    assert_eq!(primary.alpha, Some(0.003_050_645_5));
    let crossed = primary.looks[0].crossed;
    // The interval of the test by redraws is at the level at which it decides, and holds zero where it does not reject.
    let test = primary.test.as_ref().unwrap();
    assert!((test.level - (1.0 - 0.003_050_645_5)).abs() < 1e-9);
    let above = test.conf_low.is_some_and(|low| low > 0.0);
    let below = test.conf_high.is_some_and(|high| high < 0.0);
    assert_eq!(above || below, test.p_value <= primary.alpha.unwrap());
    // Only a look that stops the study has a stage-wise row.
    let (beside, own): (Vec<&Estimate>, Vec<&Estimate>) = primary
        .results
        .iter()
        .partition(|row| row.extra.contains_key("sensitivity"));
    assert_eq!(own.len(), if crossed { 2 } else { 1 });
    // What stands beside it is there at a look too, in the order of the registration, at the level of the look: nothing beside is
    // read as more than the look may say.
    let names: Vec<&str> = beside
        .iter()
        .filter_map(|row| row.extra["sensitivity"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "complete-case",
            "multiple-imputation",
            "manski",
            "manski",
            "tipping-point",
            "rereport_without_staff",
            "rereport_from_day_123",
            "delivered-by"
        ]
    );
    for row in beside {
        assert!(
            (row.level - (1.0 - 0.003_050_645_5)).abs() < 1e-9,
            "{row:?}"
        );
    }
}

/// Of 99 redraws and the draw itself, two-sided, no p is below 2/100: the registered test cannot decide at the limit of .00305 of the
/// look, however far the deviate of the effect is beyond 2.962588.
#[test]
fn where_a_test_is_registered_it_decides_at_every_look() {
    let (study, late) = study_of(&text(), |treated, index| treated == (index > 1));
    let (protocol, state) = (&study.protocol, &study.state);
    let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
    let told = |own: &lottning::analysis::results::AnalysisResult, code: &str| {
        own.warnings.iter().any(|own| own.code == code)
    };
    let by_stages = |own: &lottning::analysis::results::AnalysisResult| {
        own.results.iter().any(|row| row.interval == "stage-wise")
    };
    let plan = Plan::registered(protocol, place("evaluation-2025"));
    let settings = RunSettings {
        lock: Some("evaluation-2025".into()),
        draws: Some(99),
        ..RunSettings::default()
    };
    let found = run(protocol, state, &plan, late, &settings);
    let primary = &found.analyses[0];
    let own = &primary.looks[0];
    assert!(own.z.abs() > own.critical.unwrap(), "{own:?}");
    assert!(primary.test.as_ref().unwrap().p_value >= 0.02);
    assert!(!own.crossed && !by_stages(primary));
    // The p that a later lock is told of is that of the look with its registered redraws.
    let settings = RunSettings {
        draws: None,
        ..settings
    };
    let found = run(protocol, state, &plan, late, &settings);
    let p_value = found.analyses[0].test.as_ref().map(|test| test.p_value);
    let analysis = &plan.planned()[0].analysis;
    assert_eq!(registered_p(protocol, state, late, analysis), p_value);
    // At the last lock: an earlier deviate of 4 with a p of .043 has decided nothing, one of 1 with a p of .001 has. The order by
    // stages supposes a stop past the boundary, which was not made after the former: nothing is said by it, and why is said.
    let plan = Plan::registered(protocol, place("final"));
    let std_error = primary.results[0].std_error.unwrap() * 2f64.sqrt();
    for (deviate, p_value, crossed) in [
        (4.0, 0.043, false),
        (-4.0, 0.043, false),
        (1.0, 0.001, true),
        (1.0, 0.3, false),
    ] {
        let settings = RunSettings {
            lock: Some("final".into()),
            earlier: vec![EarlierLook {
                analysis: "primary".into(),
                lock: place("evaluation-2025"),
                look: Look {
                    estimate: deviate * std_error,
                    std_error,
                    df: None,
                },
                p_value: Some(p_value),
            }],
            ..RunSettings::default()
        };
        let found = run(protocol, state, &plan, late, &settings);
        let primary = &found.analyses[0];
        assert_eq!(primary.looks[0].crossed, crossed);
        assert_eq!(told(primary, "crossed-earlier"), crossed);
        let (en, sv) = (&primary.conclusion.en, &primary.conclusion.sv);
        assert_eq!(
            en.contains("was decided at the look `evaluation-2025`, where"),
            crossed
        );
        assert_eq!(
            sv.contains("avgjordes vid titten `evaluation-2025`, där"),
            crossed
        );
        assert!(!(crossed && en.contains("leaves the direction open")));
        let passed = f64::abs(deviate) > primary.looks[0].critical.unwrap();
        assert_eq!(by_stages(primary), !crossed && !passed);
        let told = primary.warnings.iter();
        let mut told = told.filter(|own| own.code == "look-past-boundary");
        let told = told.next().map(|own| &own.message);
        assert_eq!(told.is_some(), passed);
        assert!(told.is_none_or(|own| {
            own.en.contains("at `evaluation-2025` the effect was past")
                && own.sv.contains("vid `evaluation-2025` var effekten bortom")
        }));
    }
}

/// Looks at an analysis whose variance goes by who delivered: 1/variance is the cluster-robust one, and the deviate has the tail of
/// its t with Satterthwaite's degrees of freedom. Half the information at the look as above: rpact's critical values.
#[test]
fn looks_with_clusters_are_weighed_by_the_variance_of_the_clusters() {
    let test = "test = { kind = \"randomization\", draws = 10000 }\n";
    let text = text();
    let beside = "sensitivity_clusters = \"delivered-by\"\n";
    assert!(text.contains(test) && text.contains(beside));
    let text = text.replace(test, "");
    let text = text.replace(beside, "clusters = \"delivered-by\"\n");
    let (mut study, late) = study_of(&text, |treated, index| {
        (treated && index % 2 == 0) || index == 5
    });
    let control = study.protocol.control;
    for (place, own) in study.state.allocations.clone().into_iter().enumerate() {
        if own.arm != control && place % 5 > 0 {
            let what = What::Serviced {
                family: own.family,
                service: Service::HomeVisit,
                on: study.protocol.first_opening().plus(40),
                arm: None,
                by: Some(DelivererIx((place % 4) as u32)),
            };
            study.command(late, &Command::Record(what)).unwrap();
        }
    }
    let (protocol, state) = (&study.protocol, &study.state);
    let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
    let plan = Plan::registered(protocol, place("final"));
    let alone = run(protocol, state, &plan, late, &RunSettings::default());
    let row = alone.analyses[0].results[0].clone();
    assert_eq!(row.variance, "cr2");
    let (estimate, std_error, df) = (row.estimate, row.std_error, row.df);
    let (estimate, std_error, df) = (estimate.unwrap(), std_error.unwrap(), df.unwrap());
    // What a later lock is told of this one is the same.
    let own = look(protocol, state, late, &plan.planned()[0].analysis).unwrap();
    assert!((own.std_error - std_error).abs() < 1e-12 && own.df == row.df);
    let settings = RunSettings {
        lock: Some("final".into()),
        earlier: vec![EarlierLook {
            analysis: "primary".into(),
            lock: place("evaluation-2025"),
            look: Look {
                estimate: 0.0,
                std_error: std_error * 2f64.sqrt(),
                df: Some(5.5),
            },
            p_value: None,
        }],
        ..RunSettings::default()
    };
    let found = run(protocol, state, &plan, late, &settings);
    let primary = &found.analyses[0];
    let [first, second] = &primary.looks[..] else {
        panic!("two looks");
    };
    assert!((first.information - 0.5).abs() < 1e-9);
    assert!((first.critical.unwrap() - 2.962_588).abs() < 2e-5);
    assert!((second.critical.unwrap() - 1.968_596).abs() < 2e-6);
    let student = StudentT::new(df).unwrap();
    let tail = student.sf((estimate / std_error).abs());
    assert!((normal::sf(second.z.abs()) - tail).abs() < 1e-9);
    let half = student.quantile_sf(normal::sf(1.968_596)).unwrap() * std_error;
    let repeated = &primary.results[0];
    assert!((repeated.conf_high.unwrap() - (estimate + half)).abs() < 1e-5);
    assert_eq!(primary.results[1].interval, "stage-wise");
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

/// A log-rank test is looked at by its own p; with a test by redraws it is looked at no more, and `check` says so at the test.
#[test]
fn a_log_rank_test_by_redraws_is_not_looked_at() {
    let looked = timed("log-rank", "test");
    protocol(&looked);
    let own = "estimator = \"log-rank\"\n";
    let text = looked.replace(
        own,
        &format!("{own}test = {{ kind = \"randomization\" }}\n"),
    );
    let parsed = lottning::protocol::parse(text.as_bytes());
    assert!(parsed.protocol.is_none());
    let told: Vec<&str> = parsed.diagnostics.iter().map(|own| own.code).collect();
    assert_eq!(told, ["estimator-mismatch"]);
    let message = &parsed.diagnostics[0].message;
    assert!(message.en.contains("not judged at looks"), "{}", message.en);
    // Without looks it is a protocol.
    protocol(
        &text
            .replace("looks = [\"evaluation-2025\"]\n", "")
            .replace("alpha = 0.0030506455", "alpha = 0.0"),
    );
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
                p_value: None,
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
        let nominal = 2.0 * normal::sf(1.968_596);
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

/// Twenty families of two arms have few allocations, so that the p of the registered test differs from that of the deviate. Of an amount
/// between the two the test spends enough and the deviate does not: the study stops short of the boundary, and by the order of stages,
/// in which it would go on, nothing is said.
#[test]
fn a_stop_short_of_the_boundary_has_no_place_by_stages() {
    let lock = "evaluation-2025";
    let settings = RunSettings {
        lock: Some(lock.into()),
        ..RunSettings::default()
    };
    let reported = (3..9).flat_map(|treated| (0..4).map(move |control| (treated, control)));
    let mut stopped = 0;
    for (treated_reports, control_reports) in reported {
        let seen = std::cell::Cell::new([0; 2]);
        let (mut study, late) = study_of(&text(), |treated, _| {
            let mut so_far = seen.get();
            so_far[usize::from(treated)] += 1;
            seen.set(so_far);
            let most = [control_reports, treated_reports][usize::from(treated)];
            so_far[usize::from(treated)] <= most
        });
        let mut locks = study.protocol.locks.iter();
        let place = locks.position(|own| own.id == lock).unwrap();
        let plan = Plan::registered(&study.protocol, place);
        let found = run(&study.protocol, &study.state, &plan, late, &settings);
        let primary = &found.analyses[0];
        let p_value = primary.test.as_ref().unwrap().p_value;
        let of_deviate = 2.0 * normal::sf(primary.looks[0].z.abs());
        if of_deviate > 0.045 || p_value > 0.9 * of_deviate {
            continue;
        }
        stopped += 1;
        study.protocol.locks[place].alpha = 0.5 * (p_value + of_deviate);
        let plan = Plan::registered(&study.protocol, place);
        let found = run(&study.protocol, &study.state, &plan, late, &settings);
        let primary = &found.analyses[0];
        let look = &primary.looks[0];
        assert!(look.crossed && look.z.abs() < look.critical.unwrap());
        assert_eq!(primary.results[0].interval, "repeated");
        let rows = primary.results.iter();
        assert!(rows.clone().all(|row| row.interval != "stage-wise"));
        let told = primary.warnings.iter();
        let mut told = told.filter(|own| own.code == "look-short-of-boundary");
        let told = &told.next().unwrap().message;
        assert!(
            told.en
                .starts_with("at `evaluation-2025` the registered test rejects")
        );
        assert!(
            told.sv
                .starts_with("vid `evaluation-2025` förkastar det registrerade testet")
        );
    }
    assert!(stopped > 0, "no such study among them");
}

/// At the first look nothing varies, so that nothing can be weighed: what stands beside it has the level of the amount that the look spends.
#[test]
fn rows_beside_a_first_look_without_a_number_have_its_level() {
    let (study, late) = study_of(&text(), |_, _| false);
    let (protocol, state) = (&study.protocol, &study.state);
    let lock = protocol
        .locks
        .iter()
        .position(|own| own.id == "evaluation-2025")
        .unwrap();
    let settings = RunSettings {
        lock: Some("evaluation-2025".into()),
        ..RunSettings::default()
    };
    let found = run(
        protocol,
        state,
        &Plan::registered(protocol, lock),
        late,
        &settings,
    );
    let primary = &found.analyses[0];
    assert!(primary.looks.is_empty());
    assert_eq!(primary.alpha, Some(0.003_050_645_5));
    let beside = primary
        .results
        .iter()
        .filter(|row| row.extra.contains_key("sensitivity"));
    let levels: Vec<f64> = beside.map(|row| row.level).collect();
    assert!(!levels.is_empty());
    assert!(
        levels
            .iter()
            .all(|own| (own - (1.0 - 0.003_050_645_5)).abs() < 1e-12),
        "{levels:?}"
    );
}
