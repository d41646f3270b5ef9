//! What `poisson` and `negative-binomial` share: whole-number outcomes, exposures, the log-linear design.

use super::ratio_model;
use crate::estimation::answer::Warning;
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::error::EstimationError;
use crate::estimation::generalized_linear::{Design, Family, Fit, Objective};
use crate::estimation::linear_model::Form;
use crate::estimation::prepared::Analysed;
use crate::words;
use serde_json::{Map, Value, json};

/// The largest count that a double tells from its neighbours.
const LARGEST_COUNT: f64 = 9_007_199_254_740_992.0;

/// Counts ready for a log-linear model.
pub(super) struct CountModel {
    pub(super) analysed: Analysed,
    pub(super) design: Design,
    /// Logarithm of the exposure of each analysed row.
    pub(super) offset: Option<Vec<f64>>,
    /// Events and exposures per arm.
    pub(super) extra: Map<String, Value>,
}

impl CountModel {
    /// Leaves out rows without an outcome or an exposure, checks both, and factors the design.
    pub(super) fn new(columns: &Columns) -> Result<Self, EstimationError> {
        let mut analysed = Analysed::new(columns, 1)?;
        let exposure = exposure(columns, &mut analysed)?;
        let (mut events, mut exposed) = ([0.0; 2], [0.0; 2]);
        for (i, (arm, y)) in analysed.arm.iter().zip(&analysed.outcome).enumerate() {
            if *y < 0.0 || *y > LARGEST_COUNT || *y - y.round() != 0.0 {
                return Err(EstimationError::NotCount {
                    row: columns.row_number(analysed.rows[i]),
                    value: *y,
                });
            }
            events[arm.index()] += y;
            exposed[arm.index()] += exposure.as_ref().map_or(1.0, |values| values[i]);
        }
        for arm in [Arm::Treated, Arm::Control] {
            if events[arm.index()] <= 0.0 {
                return Err(EstimationError::ArmNeverCounted {
                    arm: columns.labels.arm(arm).to_owned(),
                });
            }
        }
        let design = ratio_model::design(columns, &mut analysed, Form::Additive)?;
        let mut extra = Map::new();
        for (arm, name) in [(Arm::Treated, "treated"), (Arm::Control, "control")] {
            extra.insert(format!("events_{name}"), json!(events[arm.index()]));
            extra.insert(format!("exposure_{name}"), json!(exposed[arm.index()]));
        }
        Ok(Self {
            analysed,
            design,
            offset: exposure.map(|values| values.into_iter().map(libm::log).collect()),
            extra,
        })
    }

    /// Maximizes the likelihood of a family.
    pub(super) fn fit(
        &self,
        id: &'static str,
        family: Family,
        start: Option<&[f64]>,
    ) -> Result<Fit, EstimationError> {
        let offset = self.offset.as_deref();
        let y = &self.analysed.outcome;
        self.design
            .fit(family, Objective::Likelihood, y, offset, None, start)
            .map_err(|error| match error {
                EstimationError::NotConverged { .. } => {
                    EstimationError::NotConverged { estimator: id }
                }
                other => other,
            })
    }

    /// Pearson's statistic over its degrees of freedom: near 1 for Poisson counts.
    pub(super) fn note_dispersion(&mut self, fit: &Fit) {
        let df = self.analysed.rows.len() - self.design.coefficients();
        let dispersion = fit.pearson() / df as f64;
        self.extra
            .insert("pearson_dispersion".into(), json!(dispersion));
    }
}

/// Exposures of the analysed rows; rows without one are left out and counted.
fn exposure(
    columns: &Columns,
    analysed: &mut Analysed,
) -> Result<Option<Vec<f64>>, EstimationError> {
    let Some(exposure) = &columns.exposure else {
        return Ok(None);
    };
    let mut kept = Analysed::default();
    let mut values = Vec::with_capacity(analysed.rows.len());
    let mut missing = [0usize; 2];
    for ((row, arm), y) in analysed
        .rows
        .iter()
        .zip(&analysed.arm)
        .zip(&analysed.outcome)
    {
        let number = columns.row_number(*row);
        match exposure[*row] {
            None => missing[arm.index()] += 1,
            Some(value) if !value.is_finite() || value.abs() > 1e100 => {
                return Err(EstimationError::NotFinite {
                    column: "exposure".into(),
                    row: number,
                });
            }
            Some(value) if value <= 0.0 => {
                return Err(EstimationError::NotPositive {
                    column: "exposure".into(),
                    row: number,
                    value,
                });
            }
            Some(value) => {
                values.push(value);
                kept.rows.push(*row);
                kept.arm.push(*arm);
                kept.outcome.push(*y);
                kept.n[arm.index()] += 1;
            }
        }
    }
    kept.warnings = std::mem::take(&mut analysed.warnings);
    for arm in [Arm::Treated, Arm::Control] {
        if kept.n[arm.index()] == 0 {
            return Err(EstimationError::TooFewRows {
                arm: columns.labels.arm(arm).to_owned(),
                rows: 0,
                needed: 1,
            });
        }
    }
    if missing != [0, 0] {
        let [control, treated] = missing;
        let (t, c) = (&columns.labels.treated, &columns.labels.control);
        kept.warnings.push(Warning::new(
            "exposure-missing",
            words!(
                "rows without an exposure are left out: {treated} in {t}, {control} in {c}",
                "rader utan exponering är utelämnade: {treated} i {t}, {control} i {c}"
            ),
        ));
    }
    *analysed = kept;
    Ok(Some(values))
}
