//! An evaluator has columns of a finished study and wants an effect with an interval, from the library alone.
//!
//! `cargo run --example evaluate`

use std::io::Write;

use lottning::estimation::{Arm, Columns, Counts, Covariate, Labels, Settings, estimate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();

    // Twelve families: reported again within a year (1) or not (0), with the number of earlier reports.
    let arm = [1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1].map(|treated| {
        if treated == 1 {
            Arm::Treated
        } else {
            Arm::Control
        }
    });
    let again = [0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0].map(|value| Some(f64::from(value)));
    let earlier = [2, 3, 2, 6, 5, 2, 3, 4, 2, 3, 7, 2].map(|value| Some(f64::from(value)));
    let columns = Columns {
        labels: Labels {
            treated: "iuh".into(),
            control: "standard".into(),
        },
        arm: arm.to_vec(),
        outcome: again.to_vec(),
        covariates: vec![Covariate::numeric("earlier_reports", earlier.to_vec())],
        ..Columns::default()
    };
    let answer = estimate("lin", &columns, &Settings::default())?;
    let effect = answer.effect()?;
    if let (Some(estimate), Some(low), Some(high)) =
        (effect.estimate, effect.conf_low, effect.conf_high)
    {
        writeln!(
            out,
            "{}: {estimate:.3}, 95 % interval {low:.3} to {high:.3}",
            effect.term
        )?;
    }
    for warning in &answer.warnings {
        writeln!(out, "note: {}", warning.message)?;
    }

    // Printed counts are enough for a risk difference: New Jersey's family-preservation trial, final report.
    let counts = Counts {
        treated_events: 109,
        treated_units: 275,
        control_events: 48,
        control_units: 167,
    };
    let answer = estimate(
        "risk-difference",
        &Columns::from_counts(counts),
        &Settings::default(),
    )?;
    let effect = answer.effect()?;
    if let (Some(estimate), Some(low), Some(high)) =
        (effect.estimate, effect.conf_low, effect.conf_high)
    {
        writeln!(
            out,
            "placed: {estimate:.3}, 95 % interval {low:.3} to {high:.3}"
        )?;
    }

    // An estimator declines what it cannot do, and says why.
    if let Err(refusal) = estimate("lin", &Columns::default(), &Settings::default()) {
        writeln!(out, "{refusal}")?;
    }
    Ok(())
}
