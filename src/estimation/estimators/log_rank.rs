//! `log-rank`: the test of equal hazards, stratified where strata are given.

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::prepared::Strata;
use crate::estimation::settings::{Measure, Settings};
use crate::numerics::normal;
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

/// Sums over the distinct times of events in all strata.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    /// Events in control and treated.
    observed: [usize; 2],
    /// Events expected under equal hazards.
    expected: [f64; 2],
    /// Observed − expected of the treated arm.
    excess: f64,
    /// Variance of the excess.
    variance: f64,
}

/// `X² = (Σ d₁−e₁)² / Σ v` with `e₁ = d n₁/n` and the hypergeometric variance `v = d n₁n₀(n−d)/(n²(n−1))` at each distinct
/// time (Mantel 1966; Peto and Peto 1972, doi 10.2307/2344317), sums running over strata too; one degree of freedom.
/// `survival::survdiff`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut follow_up = FollowUp::new(columns, EventCodes::Event)?;
    let strata = Strata::new(columns, &follow_up.analysed)?;
    let codes = strata.as_ref().map(|strata| strata.codes.as_slice());
    if follow_up.events() == [0, 0] {
        return Err(EstimationError::NoEvents);
    }
    let sums = sums(&follow_up, codes);
    let mut warnings = std::mem::take(&mut follow_up.analysed.warnings);
    let square = sums.excess * sums.excess / sums.variance;
    let statistic = (sums.variance > 0.0).then_some(square);
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
            // A chi-square with one degree of freedom is a squared normal, whose tail is known further out.
            p_value: statistic.map(|square| normal::two_sided(square.sqrt())),
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

fn sums(follow_up: &FollowUp, strata: Option<&[u32]>) -> Sums {
    let mut sums = Sums::default();
    follow_up.steps(strata, |step| {
        let [n0, n1] = step.at_risk.map(|n| n as f64);
        let [d0, d1] = step.events.map(|d| d as f64);
        let (n, d) = (n0 + n1, d0 + d1);
        sums.observed[0] += step.events[0];
        sums.observed[1] += step.events[1];
        sums.expected[0] += d * n0 / n;
        sums.expected[1] += d * n1 / n;
        // d₁ − d n₁/n over one denominator, so that equal shares give exactly zero.
        sums.excess += (d1 * n0 - d0 * n1) / n;
        if n > 1.0 {
            sums.variance += d * (n1 / n) * (n0 / n) * ((n - d) / (n - 1.0));
        }
    });
    sums
}
