//! `poisson`: the rate ratio of the arm from a log-linear regression of counts, with a variance that needs no Poisson.

use super::count_model::{CountModel, never_counted};
use super::one_limit;
use super::ratio_model::{self, Shown};
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::generalized_linear::Family;
use crate::estimation::inference;
use crate::estimation::settings::{Df, Measure, Settings, Variance};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "poisson",
    about: "rate ratio of the arm by Poisson regression with a robust variance",
    about_sv: "armens kvot mellan takter med Poisson-regression och robust varians",
    required: &[Role::Outcome],
    optional: &[Role::Covariates, Role::Strata, Role::Exposure],
    counts: false,
    outcome: OutcomeDomain::Count,
    events: None,
    in_plan: true,
    options: OptionDomain {
        variances: &[
            Variance::Hc0,
            Variance::Model,
            Variance::Hc1,
            Variance::Hc2,
            Variance::Hc3,
        ],
        dfs: &[Df::Normal, Df::Residual],
        measures: &[Measure::RateRatio],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Inverts,
        row_order: true,
        covariate_affine: true,
        outcome_affine: false,
    },
    run,
};

/// `ln E[Y] = ln exposure + β₀ + β₁ arm + covariates + strata`; `exp(β₁)`. `glm(family = poisson)` with
/// `sandwich::vcovHC`. Without a maximum the variance `model` answers by the score test and its one limit.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let variance = settings.variance.unwrap_or(Variance::Hc0);
    let scored = variance == Variance::Model;
    let mut model = CountModel::new(columns, scored)?;
    let free = match model.without {
        Some(_) => None,
        None => Some(model.fit(ENTRY.id, Family::Poisson, None, None)?),
    };
    let Some(fit) = free.filter(|own| own.exists(variance)) else {
        return endless(model, columns, settings.level);
    };
    model.note_dispersion(&fit);
    let CountModel {
        mut analysed,
        design,
        extra,
        ..
    } = model;
    ratio_model::check_separation(&fit, false, &mut analysed)?;
    let std_error = ratio_model::std_error(&fit, variance, columns, &mut analysed)?;
    let inference =
        ratio_model::inference(&design, &analysed, variance, settings.df, settings.level)?;
    let completed = inference::Fit::complete(fit.effect(), std_error, 0.0, &inference);
    let shown = Shown {
        id: ENTRY.id,
        measure: Measure::RateRatio,
        interval: "",
        extra,
    };
    Ok(ratio_model::answer(
        shown, columns, analysed, &inference, &completed,
    ))
}

/// Where the arm's coefficient has no maximum: the score test and its one limit.
fn endless(model: CountModel, columns: &Columns, level: f64) -> Result<Answer, EstimationError> {
    let held =
        |value, start: Option<&[f64]>| model.fit(ENTRY.id, Family::Poisson, Some(value), start);
    let refusal = || match model.without {
        Some(arm) => never_counted(columns, arm),
        None => EstimationError::Separation { firth: false },
    };
    let found = one_limit::found(held, level)?.ok_or_else(refusal)?;
    let why = match model.without {
        Some(arm) => one_limit::alike(columns, arm, false),
        None => one_limit::separated(),
    };
    let shown = Shown {
        id: ENTRY.id,
        measure: Measure::RateRatio,
        interval: one_limit::INTERVAL,
        extra: model.extra,
    };
    let found = (found, why);
    Ok(one_limit::answer(
        shown,
        columns,
        model.analysed,
        found,
        level,
    ))
}
