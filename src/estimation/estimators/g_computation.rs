//! `g-computation`: risks of all units as if all were in one arm and as if all were in the other, from a logistic model.

use super::ratio_model;
use super::two_by_two;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::generalized_linear::{Design, Family, Objective};
use crate::estimation::inference::{Fit, Inference};
use crate::estimation::linear_model::Form;
use crate::estimation::prepared::Analysed;
use crate::estimation::settings::{Df, Measure, Settings, Variance};
use crate::numerics::linear_algebra::mean;
use crate::words;
use serde_json::{Map, json};

/// Rows in an arm below which the large-sample interval is known to be short.
const LARGE_ARM: usize = 100;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "g-computation",
    about: "standardized risks of a logistic model and their difference or ratio",
    about_sv: "standardiserade risker ur en logistisk modell, deras skillnad eller kvot",
    required: &[Role::Outcome],
    optional: &[Role::Covariates, Role::Strata],
    counts: false,
    outcome: OutcomeDomain::ZeroOne,
    events: None,
    in_plan: true,
    options: OptionDomain {
        dfs: &[Df::Normal],
        measures: &[
            Measure::RiskDifference,
            Measure::RiskRatio,
            Measure::OddsRatio,
        ],
        interacted: true,
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

/// With `p̂_z(X)` the model's probability in arm z and `p̄_z` its mean over all rows, the effect is `p̄₁ − p̄₀`, `p̄₁/p̄₀` or
/// the ratio of their odds. Influence of row i on `p̄_z`: `1(Z=z)/π_z (Y − p̂_z) + p̂_z − p̄_z`, π the share of the arm;
/// variance `Σ IF²/(n(n−1))`, on the logarithm for ratios. It does not assume that the model is right.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let measure = settings.measure.unwrap_or(Measure::RiskDifference);
    let mut analysed = Analysed::new(columns, 1)?;
    two_by_two::check_binary(columns, &analysed)?;
    if let Some((arm, all)) = two_by_two::same_outcome(&analysed) {
        return Err(EstimationError::SameOutcome {
            arm: columns.labels.arm(arm).to_owned(),
            all,
        });
    }
    let form = if settings.interacted {
        Form::Interacted
    } else {
        Form::Additive
    };
    let design = ratio_model::design(columns, &mut analysed, form)?;
    let (coefficients, model) = fit(&design, &mut analysed)?;
    let standardized = [Arm::Control, Arm::Treated]
        .map(|arm| Standardized::new(&design, &coefficients, &analysed, arm));
    note_small_arms(columns, &mut analysed);
    let inference = Inference::new(Variance::Model, None, settings.level)?;
    let [control, treated] = &standardized;
    let effect = effect(measure, treated, control);
    let mut warnings = std::mem::take(&mut analysed.warnings);
    if effect.is_none() {
        warnings.push(Warning::new(
            "zero-cell",
            words!(
                "a standardized risk is not between 0 and 1, so this ratio does not exist; use the risk difference",
                "en standardiserad risk ligger inte mellan 0 och 1, så den här kvoten finns inte; använd riskskillnaden"
            ),
        ));
    }
    let fit = effect.map(|(estimate, se)| Fit::complete(estimate, se, 0.0, &inference));
    let log = measure != Measure::RiskDifference;
    let scale = |value: f64| if log { libm::exp(value) } else { value };
    let number = |of: fn(&Fit) -> Option<f64>| fit.as_ref().and_then(of);
    let mut extra = Map::new();
    extra.insert("risk_treated".into(), json!(treated.risk));
    extra.insert("risk_control".into(), json!(control.risk));
    extra.insert("model".into(), json!(model));
    let result = Estimate {
        estimator: ENTRY.id.to_owned(),
        term: columns.labels.effect(),
        measure: measure.text().to_owned(),
        estimate: number(|fit| Some(fit.estimate)).map(scale),
        std_error: number(|fit| Some(fit.std_error)),
        std_error_scale: if log { "log" } else { "identity" }.to_owned(),
        statistic: number(|fit| fit.statistic),
        df: None,
        p_value: number(|fit| fit.p_value),
        conf_low: number(|fit| fit.conf_low).map(scale),
        conf_high: number(|fit| fit.conf_high).map(scale),
        level: settings.level,
        n_treated: analysed.n[1],
        n_control: analysed.n[0],
        variance: "influence".to_owned(),
        interval: "normal".to_owned(),
        extra,
    };
    Ok(Answer {
        results: vec![result],
        warnings,
    })
}

/// Coefficients of the logistic model, or of the penalized one when the likelihood has no maximum.
fn fit(
    design: &Design,
    analysed: &mut Analysed,
) -> Result<(Vec<f64>, &'static str), EstimationError> {
    let y = &analysed.outcome;
    let maximize = |objective| {
        design
            .fit(Family::Binomial, objective, y, None, None, None)
            .map_err(|_| EstimationError::NotConverged {
                estimator: ENTRY.id,
            })
    };
    if let Ok(fit) = maximize(Objective::Likelihood)
        && fit.separation.is_none()
    {
        return Ok((fit.coefficients, "logit"));
    }
    let fit = maximize(Objective::Firth)?;
    analysed.warnings.push(Warning::new(
        "separation",
        words!(
            "covariates tell some rows' outcomes without error, so the predictions are those of the penalized fit (Firth), corrected by each arm's mean residual",
            "kovariaterna bestämmer utfallet på några rader utan fel, så prediktionerna är den penaliserade anpassningens (Firth), korrigerade med varje arms medelresidual"
        ),
    ));
    Ok((fit.coefficients, "firth"))
}

/// One arm's standardized risk with the influence of every row.
struct Standardized {
    risk: f64,
    influence: Vec<f64>,
}

impl Standardized {
    /// The mean of the predictions plus the arm's mean residual, which is zero for a maximized model with an intercept
    /// in each arm.
    fn new(design: &Design, coefficients: &[f64], analysed: &Analysed, arm: Arm) -> Self {
        let mut predicted = design.predictor_in(coefficients, arm);
        for value in &mut predicted {
            *value = 1.0 / (1.0 + libm::exp(-*value));
        }
        let weight = analysed.rows.len() as f64 / analysed.n[arm.index()] as f64;
        let rows = analysed.arm.iter().zip(&analysed.outcome);
        let mut influence: Vec<f64> = rows
            .zip(&predicted)
            .map(|((own, y), p)| {
                let residual = if *own == arm { weight * (y - p) } else { 0.0 };
                residual + p
            })
            .collect();
        let risk = mean(&influence);
        for value in &mut influence {
            *value -= risk;
        }
        Self { risk, influence }
    }
}

/// Estimate and standard error, on the logarithm for ratios; `None` when the ratio does not exist.
fn effect(measure: Measure, treated: &Standardized, control: &Standardized) -> Option<(f64, f64)> {
    let (p1, p0) = (treated.risk, control.risk);
    let inside = |p: f64| p > 0.0 && p < 1.0;
    if measure != Measure::RiskDifference && !(inside(p1) && inside(p0)) {
        return None;
    }
    let (estimate, c1, c0) = match measure {
        Measure::RiskRatio => (libm::log(p1 / p0), 1.0 / p1, 1.0 / p0),
        Measure::OddsRatio => {
            let (q1, q0) = (1.0 - p1, 1.0 - p0);
            let odds = (p1 / q1) / (p0 / q0);
            (libm::log(odds), 1.0 / (p1 * q1), 1.0 / (p0 * q0))
        }
        _ => (p1 - p0, 1.0, 1.0),
    };
    let n = treated.influence.len() as f64;
    let rows = treated.influence.iter().zip(&control.influence);
    let square: f64 = rows
        .map(|(i1, i0)| (c1 * i1 - c0 * i0) * (c1 * i1 - c0 * i0))
        .sum();
    Some((estimate, (square / (n * (n - 1.0))).sqrt()))
}

fn note_small_arms(columns: &Columns, analysed: &mut Analysed) {
    let [control, treated] = analysed.n;
    if control.min(treated) >= LARGE_ARM {
        return;
    }
    let (t, c) = (&columns.labels.treated, &columns.labels.control);
    analysed.warnings.push(Warning::new(
        "large-sample-interval",
        words!(
            "{treated} rows in {t}, {control} in {c}: below {LARGE_ARM} in an arm this large-sample interval covers less than it says; report that of lin beside it, or of risk-difference without covariates",
            "{treated} rader i {t}, {control} i {c}: under {LARGE_ARM} i en arm täcker det här storstickprovsintervallet mindre än det säger; redovisa det från lin bredvid, eller från risk-difference utan kovariater"
        ),
    ));
}
