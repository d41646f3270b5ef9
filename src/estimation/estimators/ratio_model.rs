//! What the regressions whose effect is a ratio share: the design, warnings, and the answer from the log scale.

use super::regression::note_dropped;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::error::EstimationError;
use crate::estimation::generalized_linear::{Design, Fit, Separation};
use crate::estimation::inference::{self, Inference};
use crate::estimation::linear_model::Form;
use crate::estimation::prepared::{Analysed, ModelMatrix};
use crate::estimation::settings::{Df, Measure, Variance};
use crate::words;
use serde_json::{Map, Value};

/// Covariates and strata of the analysed rows and their additive design, with warnings of what was set aside.
pub(super) fn design(
    columns: &Columns,
    analysed: &mut Analysed,
    form: Form,
) -> Result<Design, EstimationError> {
    let matrix = ModelMatrix::new(columns, analysed)?;
    let design = Design::factor(&analysed.arm, &matrix.values, form)?;
    note_dropped(design.dropped(), &matrix, analysed);
    Ok(design)
}

/// Test and interval of the logarithm.
pub(super) fn inference(
    design: &Design,
    analysed: &Analysed,
    variance: Variance,
    df: Option<Df>,
    level: f64,
) -> Result<Inference, EstimationError> {
    let df = match df {
        Some(Df::Residual) => Some((analysed.rows.len() - design.coefficients()) as f64),
        _ => None,
    };
    Inference::new(variance, df, level)
}

/// Standard error of a fit's effect; rows of leverage one are named as people count them. A sandwich of a model that fits every outcome
/// exactly is 0: what its residuals have is the residue of convergence.
pub(super) fn std_error(
    fit: &Fit,
    variance: Variance,
    columns: &Columns,
    analysed: &mut Analysed,
) -> Result<f64, EstimationError> {
    let numbers = |rows: &[usize]| -> Vec<usize> {
        let number = |row: &usize| columns.row_number(analysed.rows[*row]);
        rows.iter().map(number).collect()
    };
    let std_error = fit.std_error(variance).map_err(|error| match error {
        EstimationError::LeverageOne { rows, variance } => EstimationError::LeverageOne {
            rows: numbers(&rows),
            variance,
        },
        other => other,
    })?;
    let blind = matches!(variance, Variance::Hc0 | Variance::Hc1);
    let rows = if blind {
        numbers(&fit.influential_rows())
    } else {
        Vec::new()
    };
    if let Some(first) = rows.first() {
        let count = rows.len();
        analysed.warnings.push(Warning::new(
            "leverage-one",
            words!(
                "{count} rows (the first is row {first}) are fitted exactly whatever their outcome, so this variance does not see them and is too small",
                "{count} rader (den första är rad {first}) anpassas exakt oavsett utfall, så variansen tar inte hänsyn till dem och blir för liten"
            ),
        ));
    }
    let sandwich = matches!(
        variance,
        Variance::Hc0 | Variance::Hc1 | Variance::Hc2 | Variance::Hc3
    );
    Ok(if sandwich && fit.is_exact() {
        0.0
    } else {
        std_error
    })
}

/// The warning that a covariate has no finite coefficient, or the refusal when it is the arm.
pub(super) fn check_separation(
    fit: &Fit,
    firth: bool,
    analysed: &mut Analysed,
) -> Result<(), EstimationError> {
    match fit.separation {
        None => Ok(()),
        Some(Separation::Arm) => Err(EstimationError::Separation { firth }),
        Some(Separation::Covariates) => {
            analysed.warnings.push(Warning::new(
                "separation",
                words!(
                    "a covariate or level tells some rows' outcomes without error, so its own coefficient has no finite estimate; the effect of the arm has, from the other rows",
                    "en kovariat eller nivå bestämmer utfallet på några rader utan fel, så dess egen koefficient har ingen ändlig skattning; armens effekt har det, från övriga rader"
                ),
            ));
            Ok(())
        }
    }
}

/// The parts of an answer that are not the fit's.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) id: &'static str,
    pub(super) measure: Measure,
    pub(super) interval: &'static str,
    pub(super) extra: Map<String, Value>,
}

/// A number on the ratio's scale; `None` where the exponential is no double.
fn exponential(value: Option<f64>) -> Option<f64> {
    value.map(libm::exp).filter(|value| value.is_finite())
}

/// The answer of a fit on the log scale.
pub(super) fn answer(
    shown: Shown,
    columns: &Columns,
    analysed: Analysed,
    inference: &Inference,
    fit: &inference::Fit,
) -> Answer {
    let mut warnings = analysed.warnings;
    if fit.statistic.is_none() {
        warnings.push(Warning::new(
            "no-variation",
            words!(
                "the model fits every outcome exactly, so there is no test and no interval",
                "modellen anpassas exakt till alla utfall, så det finns varken test eller intervall"
            ),
        ));
    }
    let interval = match (shown.interval, inference.df()) {
        ("", Some(_)) => "t",
        ("", None) => "normal",
        (own, _) => own,
    };
    let result = Estimate {
        estimator: shown.id.to_owned(),
        term: columns.labels.effect(),
        measure: shown.measure.text().to_owned(),
        estimate: exponential(Some(fit.estimate)),
        std_error: Some(fit.std_error),
        std_error_scale: "log".to_owned(),
        statistic: fit.statistic,
        df: fit.df,
        p_value: fit.p_value,
        conf_low: exponential(fit.conf_low),
        conf_high: exponential(fit.conf_high),
        level: inference.level(),
        n_treated: analysed.n[1],
        n_control: analysed.n[0],
        variance: inference.variance().text().to_owned(),
        interval: interval.to_owned(),
        extra: shown.extra,
    };
    let beyond = |shown: Option<f64>, log: Option<f64>| shown.is_none() && log.is_some();
    if beyond(result.estimate, Some(fit.estimate)) || beyond(result.conf_high, fit.conf_high) {
        warnings.push(Warning::new(
            "numerics",
            words!(
                "a ratio or limit is larger than any number that can be written and is left out",
                "en kvot eller gräns är större än något tal som kan skrivas och är utelämnad"
            ),
        ));
    }
    Answer {
        results: vec![result],
        warnings,
    }
}
