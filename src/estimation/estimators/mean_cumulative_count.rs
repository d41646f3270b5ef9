//! `mean-cumulative-count`: the mean number of events until the horizon, per arm and as a difference.

use super::until_horizon::UntilHorizon;
use crate::estimation::answer::{Answer, Warning};
use crate::estimation::clusters::check_arms;
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::cumulative_events::Ending;
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::histories::histories;
use crate::estimation::settings::{Measure, Settings, Variance};
use crate::words;
use serde_json::json;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "mean-cumulative-count",
    about: "difference of the mean number of events until the horizon, and each arm's, terminal events ending the counting",
    about_sv: "skillnad i genomsnittligt antal händelser fram till horisonten, och varje arms, där slutgiltiga händelser avslutar räkningen",
    required: &[Role::Time, Role::Event, Role::Entry, Role::Id],
    optional: &[],
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

/// `μ̂₁(τ) − μ̂₀(τ)` of Ghosh and Lin, which without terminal events is that of Nelson and Aalen, with the
/// infinitesimal-jackknife variance by id, which needs two ids in each arm; then each arm's `μ̂(τ)` with limits on the logarithm.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut follow_up = FollowUp::new(columns, EventCodes::Several)?;
    let Some(id) = &columns.id else {
        return Err(EstimationError::ColumnMissing {
            estimator: ENTRY.id,
            role: Role::Id,
        });
    };
    let units = histories(id, columns, &mut follow_up)?;
    check_arms(id, &units, &follow_up.analysed, Variance::Robust)?;
    let ending = Ending::OtherEvents;
    let mut both = UntilHorizon::new(
        ENTRY.id,
        columns,
        &follow_up,
        Some(&units),
        ending,
        settings,
    )?;
    let mut results = vec![both.difference()];
    for arm in [Arm::Treated, Arm::Control] {
        let mut row = both.arm(arm, Measure::Mean, "terminal", log_limits);
        "log".clone_into(&mut row.interval);
        let survival = both.events.survival[arm.index()];
        row.extra.insert("survival".into(), json!(survival));
        if row.conf_low.is_none() {
            both.warnings.push(constant(&row.term));
        }
        results.push(row);
    }
    Ok(both.answer(results))
}

/// `μ̂ exp(±z·σ/μ̂)`: limits on the logarithm, which stay above 0.
fn log_limits(mean: f64, error: f64, z: f64) -> (f64, f64) {
    let margin = z * error / mean;
    (mean * libm::exp(-margin), mean * libm::exp(margin))
}

fn constant(arm: &str) -> Warning {
    Warning::new(
        "no-variation",
        words!(
            "in arm {arm} all units have the same number of events until the horizon, or nobody any: its variance counts as 0, so it has no interval and that of the difference is too narrow",
            "i armen {arm} har alla enheter lika många händelser fram till horisonten, eller ingen någon: variansen räknas som 0, så den saknar intervall och skillnadens är för smalt"
        ),
    )
}
