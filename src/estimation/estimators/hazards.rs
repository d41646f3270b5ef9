//! What the estimators of hazard and rate ratios share: from columns to the partial likelihood, and back to a row.

use super::one_limit;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::arm_likelihood::ArmLikelihood;
use crate::estimation::clusters::check_arms;
use crate::estimation::columns::{Arm, Columns, Factor};
use crate::estimation::endless::Endless;
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::inference::{Fit, Inference};
use crate::estimation::partial_likelihood::{
    Maximum, NoMaximum, Objective, PartialLikelihood, Top,
};
use crate::estimation::prepared::{Groups, ModelMatrix, Strata};
use crate::estimation::profile::limit;
use crate::estimation::settings::{Interval, Measure, Ties, Variance};
use crate::estimation::trend::{Trend, proportionality};
use crate::numerics::normal;
use crate::words;
use serde_json::{Map, Value, json};

/// Fewer groups than this are too few for a sandwich variance with a normal quantile.
const FEW_GROUPS: usize = 40;

/// What is asked for.
pub(super) struct Asked {
    pub(super) id: &'static str,
    pub(super) measure: Measure,
    pub(super) ties: Ties,
    /// `model`, `robust` or `firth`.
    pub(super) variance: Variance,
    /// By the profile of the likelihood rather than by the standard error.
    pub(super) profile: bool,
    pub(super) level: f64,
    /// Whether it is checked that hazards are proportional.
    pub(super) checks: bool,
}

/// The ratio of hazards of treated to control, `exp(β)` of the arm in `h(t) exp(β arm + γ covariates)`, with a baseline
/// of its own in each stratum; standard error, test and limits on the scale of β with a normal quantile.
///
/// `groups`: whose rows belong together, for the robust variance, with the column that says so; each row alone without.
///
/// Where the arm's own coefficient has no maximum, the variance `model` answers by the score test and its one limit.
///
/// Errors: no event; with the variance `robust` an arm without one; a likelihood without a maximum otherwise; an arm that the
/// covariates determine, that is never at risk together with the other or whose rows all belong together; strata and covariates as
/// for the linear model.
pub(super) fn ratio(
    asked: &Asked,
    columns: &Columns,
    follow_up: &mut FollowUp,
    groups: Option<(&Factor, &Groups)>,
) -> Result<Answer, EstimationError> {
    check_events(asked, columns, follow_up.events())?;
    let strata = Strata::new(columns, &follow_up.analysed)?;
    let codes = strata.as_ref().map(|strata| strata.codes.as_slice());
    let inference = Inference::new(asked.variance, None, asked.level)?;
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
        let warnings = std::mem::take(&mut follow_up.analysed.warnings);
        let found = match likelihood.maximum() {
            Ok(maximum) => {
                let error = maximum.variance.sqrt();
                let fit = Fit::complete(maximum.coefficient, error, 0.0, &inference);
                let held = (codes, asked.ties);
                let checked = asked.checks.then_some(maximum.coefficient);
                let trend = checked.and_then(|own| proportionality(follow_up, held, own));
                Ok((maximum, Completed { fit, trend }))
            }
            Err(reason) => Err(likelihood
                .endless(inference.critical())
                .ok_or_else(|| refusal(reason, asked, &[], columns))?),
        };
        return Ok(answer(asked, columns, follow_up, None, &found, warnings));
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
    let found = match fitted(asked, &mut likelihood, &inference) {
        Ok(found) => found,
        Err(reason) => return Err(refusal(reason, asked, &matrix.names, columns)),
    };
    if let Some((factor, groups)) = groups {
        check_arms(factor, groups, &follow_up.analysed, asked.variance)?;
    }
    let groups = groups.map(|(_, groups)| groups);
    let mut warnings = std::mem::take(&mut follow_up.analysed.warnings);
    warnings.extend(left_out(&matrix.names, likelihood.kept()));
    let found = found.map(|(maximum, top)| {
        // Before other coefficients are tried.
        let trend = asked
            .checked()
            .then(|| likelihood.proportionality(&Trend::new(follow_up)));
        let own = (&mut likelihood, groups);
        let fit = complete(asked, own, (&maximum, &top), &inference);
        let trend = trend.flatten();
        (maximum, Completed { fit, trend })
    });
    if asked.profile
        && let Ok((_, Completed { fit, .. })) = &found
        && (fit.conf_low.is_none() || fit.conf_high.is_none())
    {
        warnings.push(open_interval());
    }
    let count = groups.map_or(follow_up.len(), |groups| groups.count);
    if asked.variance == Variance::Robust && count < FEW_GROUPS {
        warnings.push(few(count, groups.is_some()));
    }
    Ok(answer(asked, columns, follow_up, groups, &found, warnings))
}

/// The maximum that is asked for, or what is known without one.
type Found<T> = Result<(Maximum, T), Endless>;

/// Test and limits of a maximum, and the statistic of whether its hazards are proportional.
struct Completed {
    fit: Fit,
    trend: Option<f64>,
}

/// Maximizes; without a maximum in the arm's own coefficient its score test, where that is the variance's own.
fn fitted(
    asked: &Asked,
    likelihood: &mut PartialLikelihood,
    inference: &Inference,
) -> Result<Found<Top>, NoMaximum> {
    if asked.variance == Variance::Firth {
        return likelihood.penalized().map(Ok);
    }
    let reason = match likelihood.maximize() {
        Ok(maximum) => {
            let top = PartialLikelihood::top(&maximum);
            return Ok(Ok((maximum, top)));
        }
        Err(reason) => reason,
    };
    if !matches!(reason, NoMaximum::Diverges(_)) || !asked.may_be_endless() {
        return Err(reason);
    }
    let mut near = None;
    let mut score = |value: f64| {
        let (score, top) = likelihood.score_at(value, near.as_ref())?;
        near = Some(top);
        Ok::<f64, NoMaximum>(score)
    };
    // A covariate that grows without bound does so whatever the arm's coefficient is.
    let at_none = score(0.0)?;
    let beyond = score(FAR.copysign(at_none))?;
    if at_none * beyond <= 0.0 {
        return Err(reason);
    }
    let own = Endless::of(|value| score(value).ok(), inference.critical());
    own.map(Err).ok_or(reason)
}

/// A log hazard ratio at which a likelihood with a maximum falls: its slope still rises there if there is none.
const FAR: f64 = 12.0;

/// Test and limits of a maximum.
fn complete(
    asked: &Asked,
    (likelihood, groups): (&mut PartialLikelihood, Option<&Groups>),
    (maximum, top): (&Maximum, &Top),
    inference: &Inference,
) -> Fit {
    let variance = match asked.variance {
        Variance::Robust => {
            likelihood.sandwich(maximum, groups.map(|groups| groups.codes.as_slice()))
        }
        _ => maximum.variance,
    };
    let error = variance.sqrt();
    let mut fit = Fit::complete(maximum.coefficient, error, 0.0, inference);
    if asked.profile {
        let objective = match asked.variance {
            Variance::Firth => Objective::Firth,
            _ => Objective::Likelihood,
        };
        let mut near = top.clone();
        let mut drop = |value: f64| -> Result<f64, NoMaximum> {
            near = likelihood.held(objective, value, Some(&near))?;
            Ok((2.0 * (top.value - near.value)).max(0.0))
        };
        let root = drop(0.0)
            .map(|drop| drop.sqrt().copysign(fit.estimate))
            .ok();
        fit.statistic = root;
        fit.p_value = root.map(normal::two_sided);
        fit.conf_low = limit(&mut drop, fit.estimate, -error, inference);
        fit.conf_high = limit(&mut drop, fit.estimate, error, inference);
    }
    fit
}

impl Asked {
    /// Whether it is said if its hazards are proportional.
    fn checked(&self) -> bool {
        self.checks && self.measure == Measure::HazardRatio && self.variance != Variance::Firth
    }

    /// Whether a ratio without a maximum has an answer all the same: the score test is that of the model.
    fn may_be_endless(&self) -> bool {
        self.measure == Measure::HazardRatio && self.variance == Variance::Model
    }
}

/// Whether the arm is all that the hazard depends on: then counts settle the ratio.
fn alone(asked: &Asked, columns: &Columns) -> bool {
    asked.measure == Measure::HazardRatio
        && asked.variance == Variance::Model
        && !asked.profile
        && columns.covariates.is_empty()
}

fn answer(
    asked: &Asked,
    columns: &Columns,
    follow_up: &FollowUp,
    groups: Option<&Groups>,
    found: &Found<Completed>,
    mut warnings: Vec<Warning>,
) -> Answer {
    let events = follow_up.events();
    let mut extra = Map::with_capacity(12);
    let log_estimate = found.as_ref().ok().map(|(_, own)| own.fit.estimate);
    extra.insert("log_estimate".into(), json!(log_estimate));
    extra.insert("events_treated".into(), json!(events[1]));
    extra.insert("events_control".into(), json!(events[0]));
    if let Some(groups) = groups {
        extra.insert("units_treated".into(), json!(groups.per_arm[1]));
        extra.insert("units_control".into(), json!(groups.per_arm[0]));
    }
    extra.insert("ties".into(), json!(asked.ties));
    match found {
        Ok((maximum, own)) => {
            add_tests(&mut extra, maximum);
            if asked.checked() {
                let p_value = own.trend.map(|square| normal::two_sided(square.sqrt()));
                extra.insert("proportional_hazards".into(), json!(own.trend));
                extra.insert("proportional_hazards_p_value".into(), json!(p_value));
            }
        }
        Err(endless) => {
            one_limit::note(&mut extra, endless);
            warnings.push(no_finite_ratio(columns, events, endless));
        }
    }
    let interval = match found {
        Ok(_) if asked.profile => Interval::Profile.text(),
        Ok(_) => "normal",
        Err(_) => one_limit::INTERVAL,
    };
    let (statistic, p_value) = match found {
        Ok((_, own)) => (own.fit.statistic, own.fit.p_value),
        Err(endless) => (Some(endless.statistic), Some(endless.p_value())),
    };
    let [conf_low, conf_high] = match found {
        Ok((_, own)) => [own.fit.conf_low, own.fit.conf_high].map(|own| own.map(libm::exp)),
        Err(endless) => one_limit::limits(endless),
    };
    let [n_control, n_treated] = follow_up.analysed.n;
    Answer {
        results: vec![Estimate {
            estimator: asked.id.to_owned(),
            term: columns.labels.effect(),
            measure: asked.measure.text().to_owned(),
            estimate: log_estimate.map(libm::exp),
            std_error: found.as_ref().ok().map(|(_, own)| own.fit.std_error),
            std_error_scale: "log".to_owned(),
            statistic,
            df: None,
            p_value,
            conf_low,
            conf_high,
            level: asked.level,
            n_treated,
            n_control,
            variance: asked.variance.text().to_owned(),
            interval: interval.to_owned(),
            extra,
        }],
        warnings,
    }
}

/// Tests of all coefficients, and the likelihood, penalized where it was.
fn add_tests(extra: &mut Map<String, Value>, maximum: &Maximum) {
    let [at_zero, highest] = maximum.log_likelihood;
    extra.insert("log_likelihood_null".into(), json!(at_zero));
    extra.insert("log_likelihood".into(), json!(highest));
    extra.insert("likelihood_ratio".into(), json!(2.0 * (highest - at_zero)));
    if let Some(score) = maximum.score {
        extra.insert("score".into(), json!(score));
    }
    extra.insert("wald".into(), json!(maximum.wald));
    extra.insert("coefficients".into(), json!(maximum.coefficients));
}

/// Without events there is nothing; without one in an arm neither a sandwich nor a ratio that is not asked for by the model.
fn check_events(
    asked: &Asked,
    columns: &Columns,
    events: [usize; 2],
) -> Result<(), EstimationError> {
    if events == [0, 0] {
        return Err(EstimationError::NoEvents);
    }
    if asked.variance == Variance::Firth || asked.may_be_endless() {
        return Ok(());
    }
    for arm in [Arm::Treated, Arm::Control] {
        if events[arm.index()] == 0 {
            return Err(EstimationError::ArmWithoutEvents {
                arm: columns.labels.arm(arm).to_owned(),
                cox: asked.measure == Measure::HazardRatio,
            });
        }
    }
    Ok(())
}

fn refusal(
    reason: NoMaximum,
    asked: &Asked,
    names: &[String],
    columns: &Columns,
) -> EstimationError {
    match reason {
        NoMaximum::NotCompared => EstimationError::NeverCompared,
        NoMaximum::Aliased => EstimationError::ArmAliased,
        NoMaximum::NotConverged => EstimationError::NotConverged {
            estimator: asked.id,
        },
        NoMaximum::Diverges(indices) => {
            let terms = indices.iter().map(|index| match names.get(*index) {
                Some(name) => name.clone(),
                None => columns.labels.effect(),
            });
            EstimationError::MonotoneLikelihood {
                terms: terms.collect(),
                cox: asked.measure == Measure::HazardRatio,
            }
        }
    }
}

/// That the ratio has no finite estimate, why, and what stands in its place.
fn no_finite_ratio(columns: &Columns, events: [usize; 2], endless: &Endless) -> Warning {
    let without = [Arm::Treated, Arm::Control];
    let without = without.into_iter().find(|arm| events[arm.index()] == 0);
    let why = match without {
        Some(arm) => one_limit::alike(columns, arm, false),
        None => words!(
            "while both arms are at risk, all that the covariates do not explain happens in one of them",
            "medan båda armarna är under risk händer allt som kovariaterna inte förklarar i en av dem"
        ),
    };
    let name = words!("hazard ratio", "hasardkvoten");
    one_limit::warning(&name, why, endless.rises)
}

fn open_interval() -> Warning {
    Warning::new(
        "open-interval",
        words!(
            "the profile does not fall far enough for a limit within hazard ratios of 1e-13 to 1e13: the interval is open (null) at that end",
            "profilen faller inte tillräckligt för en gräns inom hasardkvoter från 1e-13 till 1e13: intervallet är öppet (tomt) i den änden"
        ),
    )
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
