//! What `poisson` and `negative-binomial` share: whole-number outcomes, exposures, the log-linear design.

use super::ratio_model;
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::error::EstimationError;
use crate::estimation::generalized_linear::{Design, Family, Fit, Objective};
use crate::estimation::linear_model::Form;
use crate::estimation::overdispersed_counts::{Near, near_maximum};
use crate::estimation::overdispersion::Overdispersion;
use crate::estimation::prepared::{Analysed, Later};
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
    /// The arm without an event.
    pub(super) without: Option<Arm>,
}

impl CountModel {
    /// Leaves out rows without an outcome or an exposure, checks both, and factors the design. An arm without an event is refused, unless
    /// there is a score test and the other arm has one.
    pub(super) fn new(columns: &Columns, scored: bool) -> Result<Self, EstimationError> {
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
        let arms = [Arm::Treated, Arm::Control];
        let without = arms.into_iter().find(|arm| events[arm.index()] <= 0.0);
        if let Some(arm) = without
            && (!scored || events.iter().all(|own| *own <= 0.0))
        {
            return Err(never_counted(columns, arm));
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
            without,
        })
    }

    /// Maximizes the likelihood of a family, with the arm's coefficient free or held at a value.
    pub(super) fn fit(
        &self,
        id: &'static str,
        family: Family,
        held: Option<f64>,
        start: Option<&[f64]>,
    ) -> Result<Fit, EstimationError> {
        let offset = self.offset.as_deref();
        let y = &self.analysed.outcome;
        self.design
            .fit(family, Objective::Likelihood, y, offset, held, start)
            .map_err(|error| match error {
                EstimationError::NotConverged { .. } => {
                    EstimationError::NotConverged { estimator: id }
                }
                other => other,
            })
    }

    /// Coefficients and overdispersion near the maximum of the negative binomial likelihood.
    pub(super) fn near_maximum(&self, spread: &Overdispersion) -> Option<Near> {
        let (y, offset) = (&self.analysed.outcome, self.offset.as_deref());
        let intercept = Family::Poisson.intercept(y, offset);
        near_maximum(self.design.columns(), y, offset, intercept, spread)
    }

    /// Pearson's statistic over its degrees of freedom: near 1 for Poisson counts.
    pub(super) fn note_dispersion(&mut self, fit: &Fit) {
        let df = self.analysed.rows.len() - self.design.coefficients();
        let dispersion = fit.pearson() / df as f64;
        self.extra
            .insert("pearson_dispersion".into(), json!(dispersion));
    }
}

/// The refusal of an arm without an event.
pub(super) fn never_counted(columns: &Columns, arm: Arm) -> EstimationError {
    EstimationError::ArmNeverCounted {
        arm: columns.labels.arm(arm).to_owned(),
    }
}

/// The column of exposures.
const EXPOSURE: Later = Later {
    column: "exposure",
    code: "exposure-missing",
    lacking: ["an exposure", "exponering"],
};

/// Exposures of the analysed rows, each above 0; rows without one are left out and counted.
fn exposure(
    columns: &Columns,
    analysed: &mut Analysed,
) -> Result<Option<Vec<f64>>, EstimationError> {
    let Some(exposure) = &columns.exposure else {
        return Ok(None);
    };
    let values = analysed.keep_known(columns, exposure, &EXPOSURE)?;
    for (value, row) in values.iter().zip(&analysed.rows) {
        if *value <= 0.0 {
            return Err(EstimationError::NotPositive {
                column: EXPOSURE.column.into(),
                row: columns.row_number(*row),
                value: *value,
            });
        }
    }
    Ok(Some(values))
}
