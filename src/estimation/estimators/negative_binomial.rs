//! `negative-binomial`: the rate ratio of the arm from a log-linear regression of overdispersed counts.

use super::count_model::CountModel;
use super::ratio_model::{self, Shown};
use crate::estimation::answer::{Answer, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::generalized_linear::{Family, Fit};
use crate::estimation::inference;
use crate::estimation::overdispersion::Overdispersion;
use crate::estimation::settings::{Df, Measure, Settings, Variance};
use crate::words;
use serde_json::{Value, json};

/// Rounds of coefficients and overdispersion in turn.
const MOST_ROUNDS: usize = 200;

/// κ is settled when another round would move it by less than this part of it.
const SETTLED: f64 = 1e-10;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "negative-binomial",
    about: "rate ratio of the arm by negative binomial regression",
    about_sv: "armens kvot mellan takter med negativ binomialregression",
    required: &[Role::Outcome],
    optional: &[Role::Covariates, Role::Strata, Role::Exposure],
    counts: false,
    outcome: OutcomeDomain::Count,
    events: None,
    in_plan: true,
    options: OptionDomain {
        variances: &[
            Variance::Model,
            Variance::Hc0,
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

/// `ln E[Y] = ln exposure + β₀ + β₁ arm + covariates + strata`, `Var Y = μ + μ²/θ`; `exp(β₁)`, θ by maximum likelihood.
/// `MASS::glm.nb`. An arm without an event is refused: where θ is found anew at each ratio the score does not fall as ratios go away from
/// the data, since the variance rises with the misfit, and the ratios that it does not reject have no one limit. Counts that are not
/// overdispersed have no finite θ: then the fit is Poisson's, with a warning.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let variance = settings.variance.unwrap_or(Variance::Model);
    let model = CountModel::new(columns, false)?;
    let (fit, kappa) = maximize(&model)?;
    let CountModel {
        mut analysed,
        design,
        mut extra,
        ..
    } = model;
    extra.insert(
        "theta".into(),
        kappa.map_or(Value::Null, |k| json!(1.0 / k)),
    );
    if kappa.is_none() {
        analysed.warnings.push(Warning::new(
            "no-overdispersion",
            words!(
                "the counts vary no more than Poisson counts, so theta is infinite (null) and the fit is that of Poisson regression",
                "antalen varierar inte mer än Poissonfördelade antal, så theta är oändligt (tomt) och anpassningen är Poissonregressionens"
            ),
        ));
    }
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

/// From near the maximum, where Newton's method goes straight there; the fit and the slope in κ say whether it is the maximum.
fn directly(model: &CountModel, spread: &Overdispersion) -> Option<(Fit, Option<f64>)> {
    let near = model.near_maximum(spread)?;
    let kappa = near.kappa;
    let family = Family::NegativeBinomial { theta: 1.0 / kappa };
    let fit = model
        .fit(ENTRY.id, family, None, Some(&near.coefficients))
        .ok()?;
    let slope = spread.slope(kappa, &model.analysed.outcome, fit.means());
    let settled = (kappa * slope).abs() <= SETTLED * near.information;
    (settled && fit.separation.is_none()).then_some((fit, Some(kappa)))
}

/// The direct way where that succeeds. Else coefficients given κ = 1/θ and κ given the means, in turn, from the Poisson fit: their information is orthogonal
/// (Lawless 1987, doi 10.2307/3314912), so few rounds are needed.
fn maximize(model: &CountModel) -> Result<(Fit, Option<f64>), EstimationError> {
    let y = &model.analysed.outcome;
    let spread = Overdispersion::new(y);
    if let Some(found) = directly(model, &spread) {
        return Ok(found);
    }
    let mut fit = model.fit(ENTRY.id, Family::Poisson, None, None)?;
    let mut kappa = None;
    for _ in 0..MOST_ROUNDS {
        let Some(next) = spread.kappa(y, fit.means(), kappa)? else {
            // The maximum is at κ = 0.
            let poisson = model.fit(ENTRY.id, Family::Poisson, None, None)?;
            return Ok((poisson, None));
        };
        let family = Family::NegativeBinomial { theta: 1.0 / next };
        fit = model.fit(ENTRY.id, family, None, Some(&fit.coefficients))?;
        let settled = kappa.is_some_and(|kappa: f64| (next / kappa - 1.0).abs() < SETTLED);
        kappa = Some(next);
        if settled {
            return Ok((fit, kappa));
        }
    }
    Err(EstimationError::NotConverged {
        estimator: ENTRY.id,
    })
}
