//! `linear`: least squares of the outcome on the arm, covariates and strata, additive.

use super::regression;
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::linear_model::Form;
use crate::estimation::settings::{Df, Measure, Settings, Variance};

/// Options that `linear` and `lin` share.
pub(super) const OPTIONS: OptionDomain = OptionDomain {
    variances: &[
        Variance::Hc2,
        Variance::Hc0,
        Variance::Hc1,
        Variance::Hc3,
        Variance::Classical,
        Variance::Cr2,
        Variance::Cr0,
        Variance::Cr1,
        Variance::Cr3,
    ],
    dfs: &[
        Df::BellMccaffrey,
        Df::Satterthwaite,
        Df::Residual,
        Df::Normal,
    ],
    intervals: &[],
    measures: &[Measure::Difference],
    ..OptionDomain::NONE
};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "linear",
    about: "least squares on the arm, covariates and strata, additive",
    about_sv: "minsta kvadratmetoden med arm, kovariater och strata, utan samspel",
    required: &[Role::Outcome],
    optional: &[Role::Covariates, Role::Strata, Role::Cluster, Role::Weights],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: true,
    options: OPTIONS,
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        row_order: true,
        covariate_affine: true,
        outcome_affine: true,
    },
    run,
};

/// `y ~ 1 + arm + covariates + strata`; the effect is the coefficient of the arm. `estimatr::lm_robust`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    regression::estimate(ENTRY.id, columns, settings, Form::Additive)
}
