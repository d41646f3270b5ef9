//! What the estimators of two proportions share: rows to counts, counts that are possible, fields of the answer.

use crate::estimation::answer::Warning;
use crate::estimation::columns::{Arm, Columns, Counts};
use crate::estimation::error::EstimationError;
use crate::estimation::prepared::Analysed;
use serde_json::{Map, Value, json};

/// The two-by-two table of the columns: given as counts, or counted from rows with an outcome of 0 or 1.
pub(super) fn read(columns: &Columns) -> Result<(Counts, Vec<Warning>), EstimationError> {
    let (counts, warnings) = match columns.counts {
        Some(counts) => (counts, Vec::new()),
        None => count(columns)?,
    };
    counts.check(&columns.labels)?;
    Ok((counts, warnings))
}

fn count(columns: &Columns) -> Result<(Counts, Vec<Warning>), EstimationError> {
    let analysed = Analysed::new(columns, 1)?;
    check_binary(columns, &analysed)?;
    Ok((counted(&analysed), analysed.warnings))
}

/// Whether every analysed outcome is 0 or 1.
pub(super) fn check_binary(columns: &Columns, analysed: &Analysed) -> Result<(), EstimationError> {
    for (row, y) in analysed.rows.iter().zip(&analysed.outcome) {
        if *y != 0.0 && *y - 1.0 != 0.0 {
            return Err(EstimationError::NotBinary {
                row: columns.row_number(*row),
                value: *y,
            });
        }
    }
    Ok(())
}

/// Events and risks per arm.
pub(super) fn fields(counts: &Counts) -> Map<String, Value> {
    let share = |events: u64, units: u64| json!(events as f64 / units as f64);
    let mut extra = Map::new();
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
    extra
}

/// The counts of analysed rows whose outcomes are 0 or 1.
pub(super) fn counted(analysed: &Analysed) -> Counts {
    let mut events = [0u64; 2];
    for (arm, y) in analysed.arm.iter().zip(&analysed.outcome) {
        events[arm.index()] += u64::from(*y > 0.5);
    }
    let (t, c) = (Arm::Treated.index(), Arm::Control.index());
    Counts {
        treated_events: events[t],
        treated_units: analysed.n[t] as u64,
        control_events: events[c],
        control_units: analysed.n[c] as u64,
    }
}

/// The first arm, treated before control, in which all units have the event (true) or none (false).
pub(super) fn same_outcome(analysed: &Analysed) -> Option<(Arm, bool)> {
    let counts = counted(analysed);
    [
        (Arm::Treated, counts.treated_events, counts.treated_units),
        (Arm::Control, counts.control_events, counts.control_units),
    ]
    .into_iter()
    .find(|(_, events, units)| *events == 0 || events == units)
    .map(|(arm, events, _)| (arm, events > 0))
}
