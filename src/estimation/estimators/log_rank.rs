//! `log-rank`: the test of equal hazards, stratified where strata are given.

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::observed_expected::ObservedExpected;
use crate::estimation::prepared::Strata;
use crate::estimation::settings::{Measure, Settings};
use crate::words;
use serde_json::{Map, json};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "log-rank",
    about: "log-rank test of equal hazards, within strata where given",
    about_sv: "log-rank-test av lika risker, inom strata där sådana anges",
    required: &[Role::Time, Role::Event],
    optional: &[Role::Strata],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: Some(EventCodes::Event),
    in_plan: true,
    options: OptionDomain {
        measures: &[Measure::Test],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Stays,
        ..Symmetries::ROW_ORDER
    },
    run,
};

/// The test of [`ObservedExpected`], sums running over strata too. `survival::survdiff`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut follow_up = FollowUp::new(columns, EventCodes::Event)?;
    let strata = Strata::new(columns, &follow_up.analysed)?;
    let codes = strata.as_ref().map(|strata| strata.codes.as_slice());
    if follow_up.events() == [0, 0] {
        return Err(EstimationError::NoEvents);
    }
    let sums = sums(&follow_up, codes);
    let mut warnings = std::mem::take(&mut follow_up.analysed.warnings);
    let statistic = sums.statistic();
    if statistic.is_none() {
        warnings.push(Warning::new(
            "no-variation",
            words!(
                "at no time of an event are both arms at risk with somebody left, so there is no test",
                "vid ingen händelses tidpunkt är båda armarna under risk med någon kvar, så det finns inget test"
            ),
        ));
    }
    let mut extra = Map::new();
    let [control, treated] = sums.observed;
    extra.insert("observed_treated".into(), json!(treated));
    extra.insert("observed_control".into(), json!(control));
    extra.insert("expected_treated".into(), json!(sums.expected[1]));
    extra.insert("expected_control".into(), json!(sums.expected[0]));
    extra.insert("excess_variance".into(), json!(sums.variance));
    extra.insert(
        "strata".into(),
        json!(strata.as_ref().map_or(1, |strata| strata.levels.len())),
    );
    let [n_control, n_treated] = follow_up.analysed.n;
    Ok(Answer {
        results: vec![Estimate {
            estimator: ENTRY.id.to_owned(),
            term: columns.labels.effect(),
            measure: Measure::Test.text().to_owned(),
            estimate: None,
            std_error: None,
            std_error_scale: "identity".to_owned(),
            statistic,
            df: statistic.map(|_| 1.0),
            p_value: sums.p_value(),
            conf_low: None,
            conf_high: None,
            level: settings.level,
            n_treated,
            n_control,
            variance: "hypergeometric".to_owned(),
            interval: "none".to_owned(),
            extra,
        }],
        warnings,
    })
}

fn sums(follow_up: &FollowUp, strata: Option<&[u32]>) -> ObservedExpected {
    let mut sums = ObservedExpected::default();
    follow_up.steps(strata, |step| {
        let count = |number: [usize; 2]| number.map(|own| own as u32);
        sums.add(count(step.at_risk), count(step.events));
    });
    sums
}
