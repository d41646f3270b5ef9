//! `lin`: least squares with covariates and strata centred and interacted with the arm.

use super::{linear, regression};
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{EstimatorEntry, Exchange, OutcomeDomain, Role, Symmetries};
use crate::estimation::error::EstimationError;
use crate::estimation::linear_model::Form;
use crate::estimation::settings::Settings;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "lin",
    about: "least squares with covariates and strata centred and interacted with the arm",
    about_sv: "minsta kvadratmetoden med kovariater och strata centrerade och i samspel med armen",
    required: &[Role::Outcome],
    optional: &[Role::Covariates, Role::Strata, Role::Cluster, Role::Weights],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: true,
    options: linear::OPTIONS,
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        row_order: true,
        covariate_affine: true,
        outcome_affine: true,
    },
    run,
};

/// `y ~ 1 + arm + W + arm·W` with `W` centred at the mean of the analysed rows (Lin 2013, doi 10.1214/12-AOAS583);
/// the effect is the coefficient of the arm. `estimatr::lm_lin`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    regression::estimate(ENTRY.id, columns, settings, Form::Interacted)
}
