//! `kaplan-meier`: the probability of no event until the horizon, per arm and as a difference.

use super::survival::Curves;
use crate::estimation::answer::{Answer, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::settings::{Measure, Settings};
use crate::estimation::survival_curve::Median;
use crate::words;
use serde_json::json;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "kaplan-meier",
    about: "difference of survival at the horizon, and survival and median of each arm",
    about_sv: "skillnad i överlevnad vid horisonten, och varje arms överlevnad och median",
    required: &[Role::Time, Role::Event],
    optional: &[Role::Entry],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: Some(EventCodes::Event),
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

/// `Ŝ₁(τ) − Ŝ₀(τ)` with the sum of Greenwood's variances and a normal quantile, then `Ŝ(τ)` of each arm with log–log
/// limits. `survival::survfit(conf.type = "log-log")`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut curves = Curves::new(ENTRY.id, columns, settings)?;
    let at = [0, 1].map(|arm: usize| curves.by_arm[arm].at(curves.horizon));
    let pair = |arm: Arm| {
        let at = &at[arm.index()];
        (at.probability, at.variance)
    };
    let mut results = vec![curves.difference(ENTRY.id, pair(Arm::Treated), pair(Arm::Control))];
    let z = curves.inference.critical();
    for arm in [Arm::Treated, Arm::Control] {
        let name = columns.labels.arm(arm).to_owned();
        let here = &at[arm.index()];
        let limits = here.log_log_limits(z);
        let mut row = curves.row(ENTRY.id, name.clone(), Measure::Survival);
        row.estimate = Some(here.probability);
        row.std_error = Some(here.variance.sqrt());
        row.conf_low = limits.map(|limits| limits.0);
        row.conf_high = limits.map(|limits| limits.1);
        "log-log".clone_into(&mut row.interval);
        let median = curves.by_arm[arm.index()].median(z);
        row.extra.insert("events".into(), json!(here.events));
        row.extra
            .insert("at_risk".into(), json!(curves.at_risk(arm)));
        row.extra.insert("median".into(), json!(median.time));
        row.extra.insert("median_low".into(), json!(median.low));
        row.extra.insert("median_high".into(), json!(median.high));
        results.push(row);
        if limits.is_none() {
            curves.warnings.push(at_boundary(&name, here.probability));
        }
        curves.warnings.extend(not_reached(&name, &median));
    }
    Ok(curves.answer(results))
}

fn at_boundary(arm: &str, survival: f64) -> Warning {
    Warning::new(
        "survival-at-boundary",
        words!(
            "in arm {arm} survival is {survival} at the horizon: log–log limits do not exist there, and its variance counts as 0, so the interval of the difference is too narrow",
            "i armen {arm} är överlevnaden {survival} vid horisonten: log–log-gränser finns inte där, och variansen räknas som 0, så skillnadens intervall är för smalt"
        ),
    )
}

fn not_reached(arm: &str, median: &Median) -> Option<Warning> {
    let (en, sv) = match (median.time, median.low, median.high) {
        (Some(_), Some(_), Some(_)) => return None,
        (None, ..) => ("the median", "medianen"),
        (_, None, _) => ("a limit of the median", "en gräns för medianen"),
        (_, _, None) => ("the upper limit of the median", "medianens övre gräns"),
    };
    Some(Warning::new(
        "median-not-reached",
        words!(
            "{en} of arm {arm} is not reached within its follow-up",
            "{sv} för armen {arm} nås inte inom uppföljningen"
        ),
    ))
}
