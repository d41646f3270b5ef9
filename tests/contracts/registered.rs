//! Every estimator of the registry runs from a protocol, on the columns that it asks for.

use crate::made_up::{IUH, LAST, Study, protocol, study};
use lottning::analysis::results::AnalysisResult;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::estimation::{
    Arm as Side, Columns, Covariate, ESTIMATORS, EstimatorEntry, Factor, Labels, OutcomeDomain,
    Role, Settings, estimate,
};
use lottning::protocol::model::{Exit, Service, Summary};
use lottning::protocol::parse;
use lottning::study::dataset::{self, OutcomeValue};
use lottning::study::kernel::{Command, What};

/// An analysis that an estimator can make, with all that it may be given.
pub(crate) fn analysis(entry: &EstimatorEntry) -> String {
    let needs = |role| entry.required.contains(&role);
    let takes = |role| entry.uses(role);
    let summary =
        if needs(Role::Id) || (needs(Role::Outcome) && entry.outcome == OutcomeDomain::Count) {
            "count"
        } else if needs(Role::Time) {
            "first-time"
        } else {
            "any"
        };
    let own: Vec<&str> = entry.options.measures.iter().map(|m| m.text()).collect();
    let measure = match entry.id {
        "instrumental-variables" => "complier-difference",
        "kaplan-meier" => "survival-difference",
        "rmst" => "restricted-mean-difference",
        "rank-sum" => "probability-index",
        "mean-cumulative-count" => "difference",
        _ if own.is_empty() || own == ["difference"] => "risk-difference",
        _ => own[0],
    };
    let strategy = if takes(Role::Received) || entry.id == "lee-bounds" {
        "principal-stratum"
    } else {
        "treatment-policy"
    };
    let missing = if entry.id.ends_with("bounds") {
        "bounds"
    } else if needs(Role::Time) || takes(Role::Exposure) {
        "censoring"
    } else {
        "complete-case"
    };
    let mut text = format!(
        "estimator = \"{}\"\noutcome = \"rereport\"\nsummary = \"{summary}\"\nestimand = {{ population = \"all\", strategy = \"{strategy}\", measure = \"{measure}\" }}\nmissing = {{ primary = \"{missing}\" }}\n",
        entry.id
    );
    if takes(Role::Covariates) {
        text.push_str("covariates = [\"earlier_reports\"]\n");
    }
    let linear = ["lin", "linear"].contains(&entry.id);
    if takes(Role::Strata) && !linear {
        text.push_str("strata = [\"site\"]\n");
    }
    text
}

pub(crate) fn with(own: &str) -> String {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    format!(
        "{}[[analysis]]\nid = \"own\"\nlock = \"final\"\nrole = \"secondary\"\n{own}",
        &IUH[..start]
    )
}

/// A study in which some families left the city, some died and some started the service.
pub(crate) fn lived(text: &str) -> Study {
    let mut study = study(protocol(text), 200, 4);
    let families: Vec<_> = study
        .state
        .allocations
        .iter()
        .map(|own| own.family)
        .collect();
    for (k, family) in families.into_iter().enumerate() {
        let own = *study.state.family(family).unwrap();
        let on = own.randomized.plus(200);
        let exit = match k % 20 {
            3 => Some(Exit::LeftCoverage),
            7 => Some(Exit::Death),
            _ => None,
        };
        if let Some(exit) = exit {
            let command = Command::Record(What::Exited { family, exit, on });
            study.command(LAST, &command).unwrap();
        }
        if k % 3 > 0 {
            study.serve(family, Service::Started, own.randomized.plus(5), LAST);
        }
    }
    study
}

fn found(study: &Study) -> AnalysisResult {
    let plan = Plan::registered(&study.protocol, 1);
    let settings = RunSettings {
        draws: Some(99),
        ..RunSettings::default()
    };
    let all = run(&study.protocol, &study.state, &plan, LAST, &settings);
    all.analyses
        .into_iter()
        .find(|own| own.id == "own")
        .unwrap()
}

#[test]
fn every_estimator_runs_from_a_protocol() {
    for entry in ESTIMATORS {
        if !entry.in_plan {
            assert_eq!(entry.id, "randomization-test");
            continue;
        }
        let study = lived(&with(&analysis(entry)));
        let own = found(&study);
        let id = entry.id;
        assert_eq!(own.results[0].estimator, id);
        let says = own.results[0].estimate.or(own.results[0].statistic);
        assert!(says.is_some(), "{id}: {:?}", own.warnings);
        assert_eq!(own.used.estimator, id);
        for role in entry.required {
            let handed = own
                .used
                .columns
                .iter()
                .any(|(name, _)| *name == role.text());
            assert!(handed, "{id} was not handed {}", role.text());
        }
        assert!(!own.conclusion.en.is_empty() && !own.conclusion.sv.is_empty());
        assert_eq!(own.attributes.len(), 5);
    }
}

/// The same answer as from columns that are built here, cell by cell.
#[test]
fn estimators_of_one_number_per_family_get_the_columns_of_the_data_set() {
    for entry in ESTIMATORS {
        let values = entry.required.contains(&Role::Outcome) && !entry.uses(Role::Received);
        if !entry.in_plan || !values || entry.uses(Role::Exposure) || entry.id.ends_with("bounds") {
            continue;
        }
        let study = lived(&with(&analysis(entry)));
        let (protocol, state) = (&study.protocol, &study.state);
        let mut units = Vec::new();
        dataset::units(state, LAST, &mut units);
        let mut columns = Columns {
            labels: Labels {
                treated: "iuh".into(),
                control: "standard".into(),
            },
            ..Columns::default()
        };
        let (mut sites, mut earlier) = (Vec::new(), Vec::new());
        for unit in &units {
            let value = dataset::outcome(protocol, state, LAST, unit.family, 0, Summary::Any);
            let OutcomeValue::Known(y) = value else {
                continue;
            };
            let control = unit.arm == protocol.control;
            columns.arm.push(if control {
                Side::Control
            } else {
                Side::Treated
            });
            columns.outcome.push(Some(y));
            sites.push(Some(protocol.sites[unit.site].id.as_str()));
            earlier.push(Some(state.family(unit.family).unwrap().values[0] as f64));
        }
        if entry.uses(Role::Covariates) {
            columns.covariates = vec![Covariate::numeric("earlier_reports", earlier)];
        }
        if entry.uses(Role::Strata) && !["lin", "linear"].contains(&entry.id) {
            columns.strata = vec![Factor::from_texts("site", sites)];
        }
        let expected = estimate(entry.id, &columns, &Settings::default()).unwrap();
        let own = found(&study);
        for (found, expected) in own.results.iter().zip(&expected.results) {
            let near = |found: Option<f64>, expected: Option<f64>| match (found, expected) {
                (Some(found), Some(expected)) => {
                    let size = expected.abs().max(1.0);
                    assert!((found - expected).abs() < 1e-9 * size, "{}", entry.id);
                }
                (found, expected) => assert_eq!(found, expected, "{}", entry.id),
            };
            near(found.estimate, expected.estimate);
            near(found.std_error, expected.std_error);
            near(found.p_value, expected.p_value);
            near(found.conf_low, expected.conf_low);
            assert_eq!(found.n_treated, expected.n_treated);
        }
    }
}

/// What an analysis asks in vain is found with its place in the file.
#[test]
fn what_does_not_fit_is_told() {
    let base = "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"lin\"\nestimand = { population = \"all\", strategy = \"treatment-policy\", measure = \"risk-difference\" }\nmissing = { primary = \"complete-case\" }\n";
    let cases: &[(&str, &str, &str)] = &[
        (
            "estimator = \"lin\"",
            "estimator = \"cox\"",
            "estimator-mismatch",
        ),
        (
            "estimator = \"lin\"",
            "estimator = \"randomization-test\"",
            "estimator-mismatch",
        ),
        (
            "estimator = \"lin\"",
            "estimator = \"mean-cumulative-count\"",
            "estimator-mismatch",
        ),
        (
            "estimator = \"lin\"",
            "estimator = \"poisson\"",
            "estimator-mismatch",
        ),
        (
            "estimator = \"lin\"",
            "estimator = \"risk-ratio\"",
            "measure-mismatch",
        ),
        ("\"risk-difference\"", "\"difference\"", "measure-mismatch"),
        (
            "treatment-policy",
            "principal-stratum",
            "estimator-mismatch",
        ),
        ("complete-case", "censoring", "missing-rule-mismatch"),
        ("complete-case", "bounds", "missing-rule-mismatch"),
        (
            "summary = \"any\"",
            "summary = \"first-time\"",
            "estimator-mismatch",
        ),
        (
            "summary = \"any\"",
            "summary = \"any\"\nties = \"efron\"",
            "not-applicable",
        ),
        (
            "summary = \"any\"",
            "summary = \"any\"\nhorizon = 90",
            "not-applicable",
        ),
        (
            "summary = \"any\"",
            "summary = \"any\"\nvariance = \"hc7\"",
            "unknown-value",
        ),
        (
            "summary = \"any\"",
            "summary = \"any\"\nvariance = \"cr2\"",
            "estimator-mismatch",
        ),
        (
            "summary = \"any\"",
            "summary = \"any\"\nstrata = [\"site\"]",
            "not-applicable",
        ),
        (
            "summary = \"any\"",
            "summary = \"any\"\nreceived = \"started\"",
            "not-applicable",
        ),
    ];
    for (from, to, code) in cases {
        assert!(base.contains(from), "{from}");
        let text = with(&base.replace(from, to));
        let parsed = parse(text.as_bytes());
        assert!(parsed.protocol.is_none(), "{to}");
        let own = parsed.diagnostics.iter().filter(|one| one.is_error());
        let own: Vec<_> = own.collect();
        assert!(own.iter().any(|one| one.code == *code), "{to}: {own:#?}");
        for one in own {
            let span = one
                .place
                .as_ref()
                .and_then(|place| place.span.clone())
                .unwrap();
            assert!(span.start < span.end && span.end <= text.len());
            assert!(one.help.is_some());
        }
    }
    let randomized = base.replace(
        "estimator = \"lin\"",
        "estimator = \"risk-ratio\"\ntest = { kind = \"randomization\" }",
    );
    let parsed =
        parse(with(&randomized.replace("\"risk-difference\"", "\"risk-ratio\"")).as_bytes());
    assert!(
        parsed
            .diagnostics
            .iter()
            .any(|one| one.code == "estimator-mismatch")
    );
}
