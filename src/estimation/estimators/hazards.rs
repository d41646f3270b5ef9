//! What the estimators of hazard and rate ratios share: from columns to the partial likelihood, and back to a row.

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::arm_likelihood::ArmLikelihood;
use crate::estimation::clusters::check_arms;
use crate::estimation::columns::{Arm, Columns, Factor};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::inference::{Fit, Inference};
use crate::estimation::partial_likelihood::{Maximum, NoMaximum, PartialLikelihood};
use crate::estimation::prepared::{Groups, ModelMatrix, Strata};
use crate::estimation::settings::{Measure, Ties, Variance};
use crate::words;
use serde_json::{Map, json};

/// Fewer groups than this are too few for a sandwich variance with a normal quantile.
const FEW_GROUPS: usize = 40;

/// What is asked for.
pub(super) struct Asked {
    pub(super) id: &'static str,
    pub(super) measure: Measure,
    pub(super) ties: Ties,
    /// `model` or `robust`.
    pub(super) variance: Variance,
    pub(super) level: f64,
}

/// The ratio of hazards of treated to control, `exp(β)` of the arm in `h(t) exp(β arm + γ covariates)`, with a baseline
/// of its own in each stratum; standard error, test and limits on the scale of β with a normal quantile.
///
/// `groups`: whose rows belong together, for the robust variance, with the column that says so; each row alone without.
///
/// Errors: no event, an arm without one, a likelihood without a maximum, an arm that the covariates determine, that is
/// never at risk together with the other or whose rows all belong together; strata and covariates as for the linear model.
pub(super) fn ratio(
    asked: &Asked,
    columns: &Columns,
    follow_up: &mut FollowUp,
    groups: Option<(&Factor, &Groups)>,
) -> Result<Answer, EstimationError> {
    let events = follow_up.events();
    check_events(columns, events)?;
    let strata = Strata::new(columns, &follow_up.analysed)?;
    let codes = strata.as_ref().map(|strata| strata.codes.as_slice());
    if alone(asked, columns) && groups.is_none() {
        let mut likelihood = ArmLikelihood::default();
        follow_up.steps(codes, |step| {
            if step.events != [0; 2] {
                let [at_risk, events] = [step.at_risk, step.events];
                likelihood.add(
                    at_risk.map(|n| n as u32),
                    events.map(|n| n as u32),
                    asked.ties,
                );
            }
        });
        let maximum = likelihood
            .maximum()
            .map_err(|reason| refusal(reason, asked.id, &[], columns))?;
        let warnings = std::mem::take(&mut follow_up.analysed.warnings);
        let inference = Inference::new(asked.variance, None, asked.level)?;
        let fit = Fit::complete(
            maximum.coefficient,
            maximum.variance.sqrt(),
            0.0,
            &inference,
        );
        return Ok(answer(
            asked,
            columns,
            follow_up,
            None,
            (&maximum, &fit),
            warnings,
        ));
    }
    let mut matrix = ModelMatrix::default();
    // Room for the arm too, so that the columns need not move for it.
    let wide = columns.covariates.len() + 1;
    matrix.values.reserve_exact(wide * follow_up.len());
    matrix.covariates(columns, &mut follow_up.analysed)?;
    let arms = follow_up.analysed.arm.iter();
    matrix.values.extend(arms.map(|arm| arm.index() as f64));
    let mut likelihood = match asked.measure {
        Measure::SubdistributionHazardRatio => {
            PartialLikelihood::subdistribution(follow_up, &matrix.values)
        }
        _ => PartialLikelihood::new(follow_up, codes, &matrix.values, asked.ties),
    };
    // Ordered and scaled, the columns live on in the likelihood.
    matrix.values = Vec::new();
    let maximum = likelihood
        .maximize()
        .map_err(|reason| refusal(reason, asked.id, &matrix.names, columns))?;
    if let Some((factor, groups)) = groups {
        check_arms(factor, groups, &follow_up.analysed, asked.variance)?;
    }
    let groups = groups.map(|(_, groups)| groups);
    let mut warnings = std::mem::take(&mut follow_up.analysed.warnings);
    warnings.extend(left_out(&matrix.names, likelihood.kept()));
    let robust = asked.variance == Variance::Robust;
    let variance = if robust {
        let codes = groups.map(|groups| groups.codes.as_slice());
        likelihood.sandwich(&maximum, codes)
    } else {
        maximum.variance
    };
    let count = groups.map_or(follow_up.len(), |groups| groups.count);
    if robust && count < FEW_GROUPS {
        warnings.push(few(count, groups.is_some()));
    }
    let inference = Inference::new(asked.variance, None, asked.level)?;
    let fit = Fit::complete(maximum.coefficient, variance.sqrt(), 0.0, &inference);
    Ok(answer(
        asked,
        columns,
        follow_up,
        groups,
        (&maximum, &fit),
        warnings,
    ))
}

/// Whether the arm is all that the hazard depends on: then counts settle the ratio.
fn alone(asked: &Asked, columns: &Columns) -> bool {
    asked.measure == Measure::HazardRatio
        && asked.variance == Variance::Model
        && columns.covariates.is_empty()
}

fn answer(
    asked: &Asked,
    columns: &Columns,
    follow_up: &FollowUp,
    groups: Option<&Groups>,
    (maximum, fit): (&Maximum, &Fit),
    warnings: Vec<Warning>,
) -> Answer {
    let events = follow_up.events();
    let [at_zero, highest] = maximum.log_likelihood;
    let mut extra = Map::with_capacity(12);
    extra.insert("log_estimate".into(), json!(fit.estimate));
    extra.insert("events_treated".into(), json!(events[1]));
    extra.insert("events_control".into(), json!(events[0]));
    if let Some(groups) = groups {
        extra.insert("units_treated".into(), json!(groups.per_arm[1]));
        extra.insert("units_control".into(), json!(groups.per_arm[0]));
    }
    extra.insert("ties".into(), json!(asked.ties));
    extra.insert("log_likelihood_null".into(), json!(at_zero));
    extra.insert("log_likelihood".into(), json!(highest));
    extra.insert("likelihood_ratio".into(), json!(2.0 * (highest - at_zero)));
    extra.insert("score".into(), json!(maximum.score));
    extra.insert("wald".into(), json!(maximum.wald));
    extra.insert("coefficients".into(), json!(maximum.coefficients));
    let [n_control, n_treated] = follow_up.analysed.n;
    Answer {
        results: vec![Estimate {
            estimator: asked.id.to_owned(),
            term: columns.labels.effect(),
            measure: asked.measure.text().to_owned(),
            estimate: Some(libm::exp(fit.estimate)),
            std_error: Some(fit.std_error),
            std_error_scale: "log".to_owned(),
            statistic: fit.statistic,
            df: None,
            p_value: fit.p_value,
            conf_low: fit.conf_low.map(libm::exp),
            conf_high: fit.conf_high.map(libm::exp),
            level: asked.level,
            n_treated,
            n_control,
            variance: asked.variance.text().to_owned(),
            interval: "normal".to_owned(),
            extra,
        }],
        warnings,
    }
}

/// An arm without events has no finite ratio.
fn check_events(columns: &Columns, events: [usize; 2]) -> Result<(), EstimationError> {
    if events == [0, 0] {
        return Err(EstimationError::NoEvents);
    }
    for arm in [Arm::Treated, Arm::Control] {
        if events[arm.index()] == 0 {
            return Err(EstimationError::ArmWithoutEvents {
                arm: columns.labels.arm(arm).to_owned(),
            });
        }
    }
    Ok(())
}

fn refusal(
    reason: NoMaximum,
    estimator: &'static str,
    names: &[String],
    columns: &Columns,
) -> EstimationError {
    match reason {
        NoMaximum::NotCompared => EstimationError::NeverCompared,
        NoMaximum::Aliased => EstimationError::ArmAliased,
        NoMaximum::NotConverged => EstimationError::NotConverged { estimator },
        NoMaximum::Diverges(indices) => {
            let terms = indices.iter().map(|index| match names.get(*index) {
                Some(name) => name.clone(),
                None => columns.labels.effect(),
            });
            EstimationError::MonotoneLikelihood {
                terms: terms.collect(),
            }
        }
    }
}

fn left_out(names: &[String], kept: &[usize]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if !kept.contains(&index) {
            warnings.push(Warning::new(
                "collinear-covariate",
                words!(
                    "covariate {name} is the same for all at risk, or a combination of the others, and is left out",
                    "kovariaten {name} är densamma för alla under risk, eller en kombination av de andra, och utelämnas"
                ),
            ));
        }
    }
    warnings
}

fn few(count: usize, grouped: bool) -> Warning {
    let (en, sv) = if grouped {
        ("clusters", "kluster")
    } else {
        ("rows", "rader")
    };
    Warning::new(
        "few-clusters",
        words!(
            "{count} {en} are few for a robust variance with a normal quantile, which needs {FEW_GROUPS} or more; it is probably too small",
            "{count} {sv} är få för en robust varians med normalkvantil, som behöver {FEW_GROUPS} eller fler; den är troligen för liten"
        ),
    )
}
