//! `risk-difference`: the difference of two proportions, from rows or from counts.

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns, Counts};
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::prepared::Analysed;
use crate::estimation::settings::{Interval, Measure, Settings};
use crate::estimation::two_proportions::risk_difference;
use crate::words;
use serde_json::{Map, json};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "risk-difference",
    about: "difference of two proportions with a score interval",
    about_sv: "skillnad mellan två andelar med score-intervall",
    required: &[Role::Outcome],
    optional: &[],
    counts: true,
    outcome: OutcomeDomain::ZeroOne,
    events: None,
    in_plan: true,
    options: OptionDomain {
        intervals: &[
            Interval::MiettinenNurminen,
            Interval::Mee,
            Interval::Newcombe,
            Interval::Wald,
            Interval::AgrestiCaffo,
        ],
        measures: &[Measure::RiskDifference],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        row_order: true,
        covariate_affine: true,
        outcome_affine: false,
    },
    run,
};

/// `x1/n1 − x0/n0`; `std_error` is unpooled, and `statistic` and `p_value` are those whose inversion is the interval.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let (counts, mut warnings) = match columns.counts {
        Some(counts) => (counts, Vec::new()),
        None => count(columns)?,
    };
    let interval = settings.interval.unwrap_or(Interval::MiettinenNurminen);
    let effect =
        risk_difference(counts, interval, settings.level).map_err(|error| match error {
            EstimationError::Counts { arm, events, units } => {
                let arm = if arm == "treated" {
                    &columns.labels.treated
                } else {
                    &columns.labels.control
                };
                EstimationError::Counts {
                    arm: arm.clone(),
                    events,
                    units,
                }
            }
            other => other,
        })?;
    if effect.statistic.is_none() {
        warnings.push(Warning::new(
            "no-variation",
            words!(
                "no arm has both events and non-events, so a Wald interval and test do not exist; use miettinen-nurminen",
                "ingen arm har både händelser och icke-händelser, så Wald-intervall och test finns inte; använd miettinen-nurminen"
            ),
        ));
    }
    let mut extra = Map::new();
    let share = |events: u64, units: u64| json!(events as f64 / units as f64);
    extra.insert("events_treated".into(), json!(counts.treated_events));
    extra.insert("events_control".into(), json!(counts.control_events));
    extra.insert(
        "risk_treated".into(),
        share(counts.treated_events, counts.treated_units),
    );
    extra.insert(
        "risk_control".into(),
        share(counts.control_events, counts.control_units),
    );
    let variance = if interval == Interval::AgrestiCaffo {
        "agresti-caffo"
    } else {
        "unpooled"
    };
    Ok(Answer {
        results: vec![Estimate {
            estimator: ENTRY.id.to_owned(),
            term: columns.labels.effect(),
            measure: Measure::RiskDifference.text().to_owned(),
            estimate: Some(effect.estimate),
            std_error: Some(effect.std_error),
            std_error_scale: "identity".to_owned(),
            statistic: effect.statistic,
            df: None,
            p_value: effect.p_value,
            conf_low: effect.conf_low,
            conf_high: effect.conf_high,
            level: settings.level,
            n_treated: counts.treated_units as usize,
            n_control: counts.control_units as usize,
            variance: variance.to_owned(),
            interval: interval.text().to_owned(),
            extra,
        }],
        warnings,
    })
}

fn count(columns: &Columns) -> Result<(Counts, Vec<Warning>), EstimationError> {
    let analysed = Analysed::new(columns, 1)?;
    let mut events = [0u64; 2];
    for ((row, arm), y) in analysed
        .rows
        .iter()
        .zip(&analysed.arm)
        .zip(&analysed.outcome)
    {
        if *y - 1.0 == 0.0 {
            events[arm.index()] += 1;
        } else if *y != 0.0 {
            return Err(EstimationError::NotBinary {
                row: columns.row_number(*row),
                value: *y,
            });
        }
    }
    let (t, c) = (Arm::Treated.index(), Arm::Control.index());
    let counts = Counts {
        treated_events: events[t],
        treated_units: analysed.n[t] as u64,
        control_events: events[c],
        control_units: analysed.n[c] as u64,
    };
    Ok((counts, analysed.warnings))
}
