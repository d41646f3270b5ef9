//! What the estimators that are linear regressions share: columns to design, design to answer.

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::error::EstimationError;
use crate::estimation::linear_model::{Design, Dropped, Fit, Form, Inference, Workspace};
use crate::estimation::prepared::{Analysed, ModelMatrix};
use crate::estimation::settings::{Df, Measure, Settings, Variance};
use crate::words;
use serde_json::Map;

/// The reference distribution that goes with a variance when none was asked for.
pub(super) fn default_df(variance: Variance) -> Df {
    match variance {
        Variance::Hc2 => Df::BellMccaffrey,
        Variance::Cr2 | Variance::Cr3 => Df::Satterthwaite,
        _ => Df::Residual,
    }
}

/// `linear` and `lin`.
pub(super) fn estimate(
    id: &'static str,
    columns: &Columns,
    settings: &Settings,
    form: Form,
) -> Result<Answer, EstimationError> {
    let mut analysed = Analysed::new(columns, 1)?;
    let matrix = ModelMatrix::new(columns, &mut analysed)?;
    let design = Design::factor(&analysed.arm, &matrix.values, form)?;
    note_dropped(&design, &matrix, &mut analysed);
    let variance = settings.variance.unwrap_or(Variance::Hc2);
    let df = settings.df.unwrap_or_else(|| default_df(variance));
    let inference = infer(&design, variance, df, settings.level, columns, &analysed)?;
    note_leverage(&design, columns, &mut analysed);
    let fit = design.fit(&analysed.outcome, &inference, &mut Workspace::default());
    Ok(answer(id, columns, analysed, variance, &inference, &fit))
}

/// As [`Design::inference`], with rows named as people count them.
pub(super) fn infer(
    design: &Design,
    variance: Variance,
    df: Df,
    level: f64,
    columns: &Columns,
    analysed: &Analysed,
) -> Result<Inference, EstimationError> {
    design
        .inference(variance, df, level)
        .map_err(|error| match error {
            EstimationError::LeverageOne { rows, variance } => EstimationError::LeverageOne {
                rows: row_numbers(&rows, columns, analysed),
                variance,
            },
            other => other,
        })
}

fn row_numbers(rows: &[usize], columns: &Columns, analysed: &Analysed) -> Vec<usize> {
    let mut numbers: Vec<usize> = rows
        .iter()
        .map(|row| columns.row_number(analysed.rows[*row]))
        .collect();
    numbers.sort_unstable();
    numbers
}

fn note_dropped(design: &Design, matrix: &ModelMatrix, analysed: &mut Analysed) {
    let mut mains = Vec::new();
    for dropped in design.dropped() {
        match *dropped {
            Dropped::Covariate(j) => {
                mains.push(j);
                let name = &matrix.names[j];
                analysed.warnings.push(Warning::new(
                    "collinear-covariate",
                    words!(
                        "covariate {name} is constant or a combination of the others and is left out",
                        "kovariaten {name} är konstant eller en kombination av de andra och utelämnas"
                    ),
                ));
            }
            Dropped::Interaction(j) if mains.contains(&j) => {}
            Dropped::Interaction(j) => {
                let name = &matrix.names[j];
                analysed.warnings.push(Warning::new(
                    "collinear-interaction",
                    words!(
                        "covariate {name} does not vary enough within an arm: it enters without its interaction with the arm",
                        "kovariaten {name} varierar inte tillräckligt inom en arm: den ingår utan samspel med armen"
                    ),
                ));
            }
        }
    }
}

fn note_leverage(design: &Design, columns: &Columns, analysed: &mut Analysed) {
    for (rows, influential) in [
        (design.influential_rows(), true),
        (design.exact_rows(), false),
    ] {
        if rows.is_empty() {
            continue;
        }
        let numbers = row_numbers(rows, columns, analysed);
        let count = numbers.len();
        let first = numbers.first().copied().unwrap_or_default();
        let message = if influential {
            words!(
                "{count} rows (the first is row {first}) are fitted exactly whatever their outcome, so this variance does not see them and is too small",
                "{count} rader (den första är rad {first}) anpassas exakt oavsett utfall, så variansen tar inte hänsyn till dem och blir för liten"
            )
        } else {
            words!(
                "{count} rows (the first is row {first}) are alone in their level and carry no information about the effect",
                "{count} rader (den första är rad {first}) är ensamma på sin nivå och säger inget om effekten"
            )
        };
        analysed
            .warnings
            .push(Warning::new("leverage-one", message));
    }
}

/// The answer of a fit, with a warning when nothing varies.
pub(super) fn answer(
    id: &str,
    columns: &Columns,
    analysed: Analysed,
    variance: Variance,
    inference: &Inference,
    fit: &Fit,
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
    let result = Estimate {
        estimator: id.to_owned(),
        term: columns.labels.effect(),
        measure: Measure::Difference.text().to_owned(),
        estimate: Some(fit.estimate),
        std_error: Some(fit.std_error),
        std_error_scale: "identity".to_owned(),
        statistic: fit.statistic,
        df: fit.df,
        p_value: fit.p_value,
        conf_low: fit.conf_low,
        conf_high: fit.conf_high,
        level: inference.level(),
        n_treated: analysed.n[1],
        n_control: analysed.n[0],
        variance: variance.text().to_owned(),
        interval: if inference.df().is_some() {
            "t"
        } else {
            "normal"
        }
        .to_owned(),
        extra: Map::new(),
    };
    Answer {
        results: vec![result],
        warnings,
    }
}
