//! `logistic`: the odds ratio of the arm from a logistic regression, by maximum or penalized likelihood.

use super::one_limit;
use super::ratio_model::{self, Shown};
use super::two_by_two;
use crate::estimation::answer::{Answer, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::generalized_linear::{Design, Family, Fit, Objective, Separation};
use crate::estimation::inference::{self, Inference};
use crate::estimation::linear_model::Form;
use crate::estimation::prepared::Analysed;
use crate::estimation::profile::limit;
use crate::estimation::settings::{Df, Interval, Measure, Settings, Variance};
use crate::numerics::normal;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "logistic",
    about: "odds ratio of the arm given the covariates, by logistic regression",
    about_sv: "armens oddskvot givet kovariaterna, med logistisk regression",
    required: &[Role::Outcome],
    optional: &[Role::Covariates, Role::Strata],
    counts: false,
    outcome: OutcomeDomain::ZeroOne,
    events: None,
    in_plan: true,
    options: OptionDomain {
        variances: &[
            Variance::Model,
            Variance::Firth,
            Variance::Hc0,
            Variance::Hc1,
            Variance::Hc2,
            Variance::Hc3,
        ],
        dfs: &[Df::Normal, Df::Residual],
        intervals: &[Interval::Wald, Interval::Profile],
        measures: &[Measure::OddsRatio],
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

/// `logit P(Y = 1) = β₀ + β₁ arm + covariates + strata`; `exp(β₁)`. `glm(family = binomial)`, with `firth`
/// `brglm2::brglmFit(type = "AS_mean")`. Without a maximum the variance `model` answers by the score test and its one limit, with Wald's
/// interval asked for: a profile has no maximum to fall from.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let variance = settings.variance.unwrap_or(Variance::Model);
    let interval = settings.interval.unwrap_or(Interval::Wald);
    let penalized = variance == Variance::Firth;
    if interval == Interval::Profile && !penalized && variance != Variance::Model {
        return Err(EstimationError::IntervalClash {
            interval: interval.text(),
            variance: variance.text(),
        });
    }
    let mut analysed = Analysed::new(columns, 1)?;
    two_by_two::check_binary(columns, &analysed)?;
    let design = ratio_model::design(columns, &mut analysed, Form::Additive)?;
    let objective = if penalized {
        Objective::Firth
    } else {
        Objective::Likelihood
    };
    let model = Model {
        design: &design,
        objective,
        y: &analysed.outcome,
    };
    let alike = !penalized && two_by_two::same_outcome(&analysed).is_some();
    let free = if alike {
        None
    } else {
        Some(model.fit(None, None)?)
    };
    let scored = variance == Variance::Model && interval == Interval::Wald;
    let exists = |own: &Fit| !scored || own.exists(variance);
    let Some(fit) = free.filter(exists) else {
        if scored {
            return endless(columns, analysed, &design, settings.level);
        }
        return Err(EstimationError::Separation { firth: true });
    };
    ratio_model::check_separation(&fit, true, &mut analysed)?;
    let std_error = ratio_model::std_error(&fit, variance, columns, &mut analysed)?;
    let inference =
        ratio_model::inference(&design, &analysed, variance, settings.df, settings.level)?;
    let model = Model {
        design: &design,
        objective,
        y: &analysed.outcome,
    };
    let completed = if interval == Interval::Profile {
        let profile = model.profile_of_what_is_left(&fit, std_error, &inference)?;
        if profile.conf_low.is_none() || profile.conf_high.is_none() {
            analysed.warnings.push(Warning::new(
                "open-interval",
                words!(
                    "the profile does not fall far enough for a limit within odds ratios of 1e-13 to 1e13: the interval is open (null) at that end",
                    "profilen faller inte tillräckligt för en gräns inom oddskvoter från 1e-13 till 1e13: intervallet är öppet (tomt) i den änden"
                ),
            ));
        }
        profile
    } else {
        inference::Fit::complete(fit.effect(), std_error, 0.0, &inference)
    };
    let counts = two_by_two::counted(&analysed);
    let shown = Shown {
        id: ENTRY.id,
        measure: Measure::OddsRatio,
        interval: interval.text(),
        extra: two_by_two::fields(&counts),
    };
    Ok(ratio_model::answer(
        shown, columns, analysed, &inference, &completed,
    ))
}

/// Where the arm's coefficient has no maximum: the score test and its one limit.
fn endless(
    columns: &Columns,
    analysed: Analysed,
    design: &Design,
    level: f64,
) -> Result<Answer, EstimationError> {
    let model = Model {
        design,
        objective: Objective::Likelihood,
        y: &analysed.outcome,
    };
    let held = |value, start: Option<&[f64]>| model.fit(Some(value), start);
    let found = one_limit::found(held, level)?;
    let found = found.ok_or(EstimationError::Separation { firth: true })?;
    let why = match two_by_two::same_outcome(&analysed) {
        Some((arm, all)) => one_limit::alike(columns, arm, all),
        None => one_limit::separated(),
    };
    let shown = Shown {
        id: ENTRY.id,
        measure: Measure::OddsRatio,
        interval: one_limit::INTERVAL,
        extra: two_by_two::fields(&two_by_two::counted(&analysed)),
    };
    let found = (found, why);
    Ok(one_limit::answer(shown, columns, analysed, found, level))
}

/// A logistic model of given outcomes.
struct Model<'d> {
    design: &'d Design,
    objective: Objective,
    y: &'d [f64],
}

impl Model<'_> {
    /// Maximizes, with the effect held at a value or free.
    fn fit(&self, held: Option<f64>, start: Option<&[f64]>) -> Result<Fit, EstimationError> {
        self.design
            .fit(Family::Binomial, self.objective, self.y, None, held, start)
            .map_err(|error| match error {
                EstimationError::NotConverged { .. } => EstimationError::NotConverged {
                    estimator: ENTRY.id,
                },
                other => other,
            })
    }

    /// The profile, where covariates tell some rows apart that of the others: from coefficients without end none can be followed.
    fn profile_of_what_is_left(
        &self,
        fit: &Fit,
        std_error: f64,
        inference: &Inference,
    ) -> Result<inference::Fit, EstimationError> {
        if fit.separation.is_none() {
            return self.profile(fit, std_error, inference);
        }
        let Some((design, y)) = self.design.beyond_separation(fit, self.y) else {
            return Err(EstimationError::Separation { firth: true });
        };
        let left = Model {
            design: &design,
            objective: self.objective,
            y: &y,
        };
        match left.fit(None, None)? {
            fit if fit.separation == Some(Separation::Arm) => {
                Err(EstimationError::Separation { firth: true })
            }
            // Each time fewer rows are left.
            fit => left.profile_of_what_is_left(&fit, std_error, inference),
        }
    }

    /// Limits and test of the profile likelihood `l(β) = max l(β, ·)`: `{β: 2(l(β̂) − l(β)) ≤ z²}`, penalized as the fit
    /// is (Heinze and Schemper 2002, doi 10.1002/sim.1047). The statistic is the signed root.
    fn profile(
        &self,
        fit: &Fit,
        std_error: f64,
        inference: &Inference,
    ) -> Result<inference::Fit, EstimationError> {
        let estimate = fit.effect();
        let mut start = fit.coefficients.clone();
        let mut drop = |value: f64| -> Result<f64, EstimationError> {
            let held = self.fit(Some(value), Some(&start))?;
            start.clone_from(&held.coefficients);
            Ok((held.deviance - fit.deviance).max(0.0))
        };
        let mut completed = inference::Fit::complete(estimate, std_error, 0.0, inference);
        let root = drop(0.0)?.sqrt().copysign(estimate);
        completed.statistic = Some(root);
        completed.p_value = Some(normal::two_sided(root));
        completed.df = None;
        completed.conf_low = limit(&mut drop, estimate, -std_error, inference);
        completed.conf_high = limit(&mut drop, estimate, std_error, inference);
        Ok(completed)
    }
}
