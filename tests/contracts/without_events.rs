//! An arm without events, or without families that have none: R computes the score tests and their limits, and simulated studies count
//! as the others do.

use crate::made_up::{IUH, LAST, Study, protocol};
use crate::replication::{all_alike, folder, text};
use lottning::planning::rehearsal::scenario_of;
use lottning::planning::scenario::plan;
use lottning::planning::simulate::{Options, simulate};
use lottning::protocol::model::Service;
use lottning::study::kernel::Answer;
use std::fmt::Write;

/// Analyses whose likelihood has a maximum no more, and those that have no answer then.
const ENDLESS: [(&str, &str); 5] = [
    ("cox", ""),
    ("cox", "covariates = [\"site\", \"earlier_reports\"]\n"),
    ("logistic", "covariates = [\"site\", \"earlier_reports\"]\n"),
    ("poisson", "variance = \"model\"\n"),
    (
        "poisson",
        "variance = \"model\"\ncovariates = [\"site\", \"earlier_reports\"]\n",
    ),
];
const REFUSED: [(&str, &str); 3] = [
    ("poisson", ""),
    ("negative-binomial", ""),
    ("recurrent-rate-ratio", ""),
];

/// An analysis by its estimator, with what is added.
fn own(estimator: &str, added: &str) -> String {
    let (summary, measure, missing) = match estimator {
        "cox" => ("first-time", "hazard-ratio", "censoring"),
        "logistic" => ("any", "odds-ratio", "complete-case"),
        _ => ("count", "rate-ratio", "censoring"),
    };
    format!(
        "lock = \"final\"\nestimator = \"{estimator}\"\noutcome = \"rereport\"\nsummary = \"{summary}\"\nestimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"{measure}\" }}\nmissing = {{ primary = \"{missing}\" }}\n{added}"
    )
}

/// The shipped protocol with its primary analysis and these.
fn registered() -> String {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let mut all = IUH[..start].replace("draws = 10000", "draws = 99");
    for (number, (id, added)) in ENDLESS.iter().chain(&REFUSED).enumerate() {
        let own = own(id, added);
        let _ = write!(
            all,
            "[[analysis]]\nid = \"{id}-{number}\"\nrole = \"exploratory\"\n{own}\n"
        );
    }
    all
}

/// Sixty families of two sites. Of one arm four in seven have reports, the first of them two; of the other nobody has, or, if `all`,
/// everybody has one.
fn one_sided(treated: bool, all: bool) -> Study {
    let mut study = Study::new(protocol(&registered()), 5);
    let first = study.protocol.first_opening();
    let control = study.protocol.control;
    let mut drawn = Vec::new();
    for number in 0..60 {
        let day = first.plus(number);
        let values = [2 + i64::from(number) % 4, i64::from(number) % 17, 0];
        let enrolled = study.enrol(day, (number % 2) as usize, 1, &values);
        if let Some((family, Answer::Allocated { .. })) = enrolled {
            drawn.push((family, day));
            // Its place at the service is free for the next.
            study.serve(family, Service::Closed, day, day);
        }
    }
    let mut seen = 0;
    for (family, day) in drawn {
        let arm = study.state.family(family).unwrap().arm;
        if (arm == control) == treated {
            seen += 1;
            for report in 0..[2, 0, 1, 0, 1, 0, 1][seen % 7] {
                let after = 20 + 3 * (seen as i32) + 9 * report;
                study.report(family, day.plus(after), LAST);
            }
        } else if all {
            study.report(family, day.plus(15), LAST);
        }
    }
    assert!(seen > 20 && seen < 40);
    study
}

/// Whether nobody of the treated arm or of control has an event. The log ratio is −∞ or ∞, by R as here, whatever the covariates, and
/// the methods that have no answer are as many rows without numbers.
#[test]
fn r_computes_score_tests_of_an_arm_without_events() {
    for (name, treated) in [("none-treated", true), ("none-in-control", false)] {
        let study = one_sided(treated, false);
        let files = folder(&study, "final", LAST, &[]);
        let results: serde_json::Value =
            serde_json::from_str(text(&files, "results.json")).unwrap();
        let analyses = results["analyses"].as_array().unwrap();
        for (number, (id, _)) in ENDLESS.iter().chain(&REFUSED).enumerate() {
            let id = format!("{id}-{number}");
            let own = analyses.iter().find(|own| own["id"] == id).unwrap();
            let row = &own["results"][0];
            let answered = number < ENDLESS.len();
            let ratio = if treated { "zero" } else { "infinite" };
            assert_eq!(row["ratio"] == ratio, answered, "{name} {id}: {row}");
            assert_eq!(row["p_value"].is_number(), answered, "{name} {id}");
            let limit = if treated { "conf_high" } else { "conf_low" };
            assert_eq!(row[limit].is_number(), answered, "{name} {id}");
            let conclusion = own["conclusion"].as_str().unwrap();
            assert!(!conclusion.contains("any difference"), "{conclusion}");
            let unanswered = conclusion.contains("gives no answer from these data");
            assert_eq!(unanswered, !answered, "{conclusion}");
        }
        let Some(found) = all_alike(name, &files) else {
            return;
        };
        let alike = found.numbers("alike");
        for (number, (id, _)) in ENDLESS.iter().enumerate() {
            for value in ["statistic", "p_value"] {
                let path = format!("{id}-{number}/results/1/{value}");
                assert!(alike.contains(&path), "{path}");
            }
        }
    }
}

/// With everybody treated reported the odds ratio is infinite, and so it is in R.
#[test]
fn r_computes_score_tests_of_an_arm_of_events_alone() {
    let files = folder(&one_sided(true, true), "final", LAST, &[]);
    let results: serde_json::Value = serde_json::from_str(text(&files, "results.json")).unwrap();
    let analyses = results["analyses"].as_array().unwrap();
    let number = ENDLESS
        .iter()
        .position(|(id, _)| *id == "logistic")
        .unwrap();
    let id = format!("logistic-{number}");
    let own = analyses.iter().find(|own| own["id"] == id).unwrap();
    let row = &own["results"][0];
    assert_eq!(row["ratio"], "infinite", "{row}");
    assert!(
        row["conf_low"].is_number() && row["conf_high"].is_null(),
        "{row}"
    );
    let Some(found) = all_alike("all-treated", &files) else {
        return;
    };
    let alike = found.numbers("alike");
    for value in ["statistic", "p_value", "conf_low"] {
        let path = format!("{id}/results/1/{value}");
        assert!(alike.contains(&path), "{path}");
    }
}

/// Where hardly anybody in an arm has the event, simulated studies without one decide by the score test and count as such: none fails
/// but for want of an event in either.
#[test]
fn simulated_studies_of_an_arm_without_events_are_counted() {
    let shipped = include_str!("../../protocols/two-arms/protocol.toml");
    let start = shipped.find("[[analysis]]").unwrap();
    let mut text = shipped[..start].to_owned();
    let analyses = [
        ("cox", ""),
        ("logistic", ""),
        ("poisson", "variance = \"model\"\n"),
    ];
    for (place, (id, added)) in analyses.iter().enumerate() {
        let role = if place == 0 { "primary" } else { "secondary" };
        let own = own(id, added);
        let _ = write!(
            text,
            "[[analysis]]\nid = \"{id}\"\nrole = \"{role}\"\n{own}\n"
        );
    }
    let parsed = lottning::protocol::parse(text.as_bytes());
    let valid = parsed
        .protocol
        .unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let none = ["no-events", "separation", "arm-without-events"];
    for (control, ratio) in [(0.01, 30.0), (0.3, 0.03)] {
        let settings = [
            "accrual.months=6".to_owned(),
            format!("truth.rereport_control={control}"),
            format!("truth.rereport_ratio={ratio}"),
            "protocol.sample_size.stop.families=80".to_owned(),
        ];
        let plan = plan(&scenario_of(&valid), &text, &settings)
            .unwrap_or_else(|refused| panic!("{:#?}", refused.diagnostics));
        let options = Options {
            seed: 3,
            replicates: Some(60),
            draws: Some(0),
            threads: Some(1),
        };
        let cell = simulate(&plan, &options, &|_, _| {}).unwrap().remove(0);
        let of = |id: &str| &cell.analyses.iter().find(|(own, _)| own == id).unwrap().1;
        for (id, _) in analyses {
            let own = of(id);
            assert!(own.endless > 0 && own.failures < 10, "{id}: {own:?}");
            assert!(
                own.first_failure
                    .is_none_or(|(_, code)| none.contains(&code))
            );
            assert!(own.power.value > Some(0.0), "{id}: {own:?}");
        }
    }
}
