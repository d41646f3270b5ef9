//! `difference-in-means`: the difference of the arms' mean outcomes with Welch's standard error.

use super::regression;
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::linear_model::{Design, Form, Inference, Workspace};
use crate::estimation::prepared::Analysed;
use crate::estimation::settings::{Df, Measure, Settings, Variance};
use crate::numerics::linear_algebra::mean;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "difference-in-means",
    about: "difference of mean outcomes with Welch's standard error and degrees of freedom",
    about_sv: "skillnad i medelutfall med Welchs medelfel och frihetsgrader",
    required: &[Role::Outcome],
    optional: &[],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: true,
    options: OptionDomain {
        variances: &[
            Variance::Hc2,
            Variance::Hc0,
            Variance::Hc1,
            Variance::Hc3,
            Variance::Classical,
        ],
        dfs: &[Df::Welch, Df::BellMccaffrey, Df::Residual, Df::Normal],
        intervals: &[],
        measures: &[Measure::Difference],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        row_order: true,
        covariate_affine: true,
        outcome_affine: true,
    },
    run,
};

/// `ȳ₁ − ȳ₀` with `s₁²/n₁ + s₀²/n₀`, which is the HC2 variance of the regression on the arm alone (Samii and Aronow
/// 2012, doi 10.1016/j.spl.2011.10.024). Degrees of freedom of Welch (1947, doi 10.1093/biomet/34.1-2.28):
/// `(v₁+v₀)² / (v₁²/(n₁−1) + v₀²/(n₀−1))`, `v = s²/n`. `t.test`, `estimatr::difference_in_means`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let analysed = Analysed::new(columns, 2)?;
    let design = Design::factor(&analysed.arm, &[], Form::Interacted)?;
    let variance = settings.variance.unwrap_or(Variance::Hc2);
    let df = settings.df.unwrap_or(if variance == Variance::Hc2 {
        Df::Welch
    } else {
        Df::Residual
    });
    let inference = if df == Df::Welch && variance == Variance::Hc2 {
        // Without variation there is no Welch df; the smaller arm's stands in, and the fit has no test anyway.
        let fallback = (analysed.n[0].min(analysed.n[1]) - 1) as f64;
        Inference::new(
            variance,
            Some(welch(&analysed).unwrap_or(fallback)),
            settings.level,
        )?
    } else {
        regression::infer(&design, variance, df, settings.level, columns, &analysed)?
    };
    let mut fit = design.fit(&analysed.outcome, &inference, &mut Workspace::default());
    if df == Df::Welch && fit.statistic.is_none() {
        fit.df = None;
    }
    Ok(regression::answer(
        ENTRY.id, columns, analysed, variance, &inference, &fit,
    ))
}

fn welch(analysed: &Analysed) -> Option<f64> {
    let mut v = [0.0; 2];
    for (arm, v) in v.iter_mut().enumerate() {
        let y: Vec<f64> = analysed
            .arm
            .iter()
            .zip(&analysed.outcome)
            .filter(|(a, _)| a.index() == arm)
            .map(|(_, y)| *y)
            .collect();
        let centre = mean(&y);
        let n = y.len() as f64;
        *v = y.iter().map(|y| (y - centre) * (y - centre)).sum::<f64>() / (n - 1.0) / n;
    }
    let [n0, n1] = analysed.n.map(|n| n as f64);
    // Relative to the larger, so that neither square underflows.
    let largest = v[0].max(v[1]);
    let (v0, v1) = (v[0] / largest, v[1] / largest);
    let df = (v0 + v1) * (v0 + v1) / (v1 * v1 / (n1 - 1.0) + v0 * v0 / (n0 - 1.0));
    df.is_finite().then_some(df)
}
