//! `cumulative-incidence`: the probability of an event of code 1 until the horizon where other events compete, per arm and
//! as a difference, and Gray's test.

use super::until_horizon::UntilHorizon;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::cumulative_events::Ending;
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::gray_test::{GrayTest, gray_test};
use crate::estimation::prepared::Strata;
use crate::estimation::settings::{Measure, Settings};
use crate::numerics::normal;
use crate::words;
use serde_json::json;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "cumulative-incidence",
    about: "difference of cumulative incidence at the horizon under competing events, each arm's, and Gray's test",
    about_sv: "skillnad i kumulativ incidens vid horisonten under konkurrerande händelser, varje arms, och Grays test",
    required: &[Role::Time, Role::Event],
    optional: &[Role::Strata],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: Some(EventCodes::Several),
    in_plan: true,
    options: OptionDomain {
        measures: &[Measure::Difference],
        horizon: true,
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        ..Symmetries::ROW_ORDER
    },
    run,
};

/// `F̂₁(τ) − F̂₀(τ)` of Aalen and Johansen with the infinitesimal-jackknife variance, each arm's `F̂(τ)` with log–log limits,
/// and Gray's test, which alone looks at strata.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let follow_up = FollowUp::new(columns, EventCodes::Several)?;
    let strata = Strata::new(columns, &follow_up.analysed)?;
    let codes = strata.as_ref().map(|strata| strata.codes.as_slice());
    let ending = Ending::AnyEvent;
    let mut both = UntilHorizon::new(ENTRY.id, columns, &follow_up, None, ending, settings)?;
    let mut results = vec![both.difference()];
    for arm in [Arm::Treated, Arm::Control] {
        let measure = Measure::CumulativeIncidence;
        let mut row = both.arm(arm, measure, "competing", log_log_limits);
        "log-log".clone_into(&mut row.interval);
        if row.conf_low.is_none() {
            let incidence = both.events.mean[arm.index()];
            both.warnings.push(at_boundary(&row.term, incidence));
        }
        results.push(row);
    }
    let test = gray_test(&follow_up, codes);
    let levels = strata.as_ref().map_or(1, |strata| strata.levels.len());
    let row = both.row(columns.labels.effect(), Measure::Test);
    let row = gray(row, &test, levels);
    if row.statistic.is_none() {
        both.warnings.push(Warning::new(
            "no-variation",
            words!(
                "at no time of an event are both arms at risk with somebody left, so there is no test of Gray",
                "vid ingen händelses tidpunkt är båda armarna under risk med någon kvar, så Grays test finns inte"
            ),
        ));
    }
    results.push(row);
    Ok(both.answer(results))
}

/// `1 − (1 − F̂)^exp(±z·se)`, `se = σ/((1 − F̂)|ln(1 − F̂)|)`: limits on the scale of ln(−ln(1 − F̂)), which stay within (0, 1).
/// A standard error above 0 keeps `F̂` below 1.
fn log_log_limits(incidence: f64, error: f64, z: f64) -> (f64, f64) {
    let log = libm::log1p(-incidence);
    let margin = z * error / ((1.0 - incidence) * -log);
    let limit = |sign: f64| -libm::expm1(log * libm::exp(sign * margin));
    (limit(-1.0), limit(1.0))
}

fn at_boundary(arm: &str, incidence: f64) -> Warning {
    Warning::new(
        "survival-at-boundary",
        words!(
            "in arm {arm} the cumulative incidence is {incidence} at the horizon: log–log limits do not exist there, and its variance counts as 0, so the interval of the difference is too narrow",
            "i armen {arm} är den kumulativa incidensen {incidence} vid horisonten: log–log-gränser finns inte där, och variansen räknas som 0, så skillnadens intervall är för smalt"
        ),
    )
}

/// Statistic and p-value of the test, over all of follow-up.
fn gray(mut row: Estimate, test: &GrayTest, strata: usize) -> Estimate {
    let exists = test.variance > 0.0;
    let square = exists.then(|| test.score * test.score / test.variance);
    row.statistic = square;
    row.df = square.map(|_| 1.0);
    // A chi-square with one degree of freedom is a squared normal, whose tail is known further out.
    row.p_value = square.map(|square| normal::two_sided(square.sqrt()));
    "gray".clone_into(&mut row.variance);
    "none".clone_into(&mut row.interval);
    row.extra.clear();
    row.extra.insert("excess".into(), json!(test.score));
    row.extra
        .insert("excess_variance".into(), json!(test.variance));
    row.extra.insert("strata".into(), json!(strata));
    row
}
