//! `stratified-difference-in-means`: the strata's differences of mean outcomes, weighted by the sizes of the strata.

use super::regression;
use crate::estimation::answer::{Answer, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::inference::{Fit, Inference};
use crate::estimation::linear_model::ROUNDING;
use crate::estimation::prepared::{Analysed, Strata};
use crate::estimation::settings::{Df, Measure, Settings, Variance};
use crate::words;
use serde_json::json;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "stratified-difference-in-means",
    about: "differences of mean outcomes within strata, weighted by the sizes of the strata",
    about_sv: "skillnader i medelutfall inom strata, vägda med stratas storlek",
    required: &[Role::Outcome, Role::Strata],
    optional: &[],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: true,
    options: OptionDomain {
        variances: &[Variance::Hc2],
        dfs: &[Df::Residual, Df::BellMccaffrey, Df::Normal],
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

/// Rows, mean and sum of squares of one arm of one stratum.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    n: f64,
    mean: f64,
    square: f64,
}

/// `τ̂ = Σ_b (N_b/N)(ȳ_1b − ȳ_0b)` with `Σ_b (N_b/N)²(s²_1b/n_1b + s²_0b/n_0b)` and N − 2B degrees of freedom (Miratrix,
/// Sekhon and Yu 2013, doi 10.1111/j.1467-9868.2012.01048.x, equation 4; Imbens and Rubin 2015, section 9.6). When every stratum is a
/// pair: the variance of the pairs' differences over their number, with B − 1.
/// `estimatr::difference_in_means(blocks =)`.
///
/// Bell–McCaffrey degrees of freedom are those of the saturated regression: with cells c,
/// `(Σ w²/n_c)² / Σ w⁴/(n_c²(n_c−1))`, `w = N_b/N`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut analysed = Analysed::new(columns, 1)?;
    let strata = Strata::new(columns, &analysed)?.ok_or(EstimationError::ColumnMissing {
        estimator: ENTRY.id,
        role: Role::Strata,
    })?;
    let cells = cells(&strata, &analysed);
    let number = cells.len();
    let single: Vec<String> = strata
        .levels
        .iter()
        .zip(&cells)
        .filter(|(_, cell)| cell.iter().any(|cell| cell.n < 2.0))
        .map(|(level, _)| level.clone())
        .collect();
    let paired = number > 1
        && settings.variance.is_none()
        && cells.iter().flatten().all(|cell| cell.n < 2.0);
    if !single.is_empty() && !paired {
        return Err(EstimationError::SingleInStratum { strata: single });
    }
    let n = analysed.rows.len() as f64;
    let estimate = cells
        .iter()
        .map(|[control, treated]| (control.n + treated.n) / n * (treated.mean - control.mean))
        .sum();
    let blocks = number as f64;
    let (square, residual, df) = if paired {
        analysed.warnings.push(Warning::new(
            "paired-strata",
            words!(
                "every stratum is a pair: the variance is that of the {number} differences",
                "varje stratum är ett par: variansen är den för de {number} skillnaderna"
            ),
        ));
        let square: f64 = cells
            .iter()
            .map(|[control, treated]| {
                let apart = treated.mean - control.mean - estimate;
                apart * apart
            })
            .sum();
        (square / (blocks * (blocks - 1.0)), square, blocks - 1.0)
    } else {
        let (mut square, mut residual, mut trace, mut traces) = (0.0, 0.0, 0.0, 0.0);
        for stratum in &cells {
            let weight = (stratum[0].n + stratum[1].n) / n;
            for cell in stratum {
                let part = weight * weight / cell.n;
                square += part * cell.square / (cell.n - 1.0);
                residual += cell.square;
                trace += part;
                traces += part * part / (cell.n - 1.0);
            }
        }
        let df = match settings.df {
            Some(Df::BellMccaffrey) => trace * trace / traces,
            _ => n - 2.0 * blocks,
        };
        (square, residual, df)
    };
    let largest = analysed.outcome.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    let rounding = ROUNDING * largest;
    let exact = residual <= n * rounding * rounding;
    let df = (settings.df != Some(Df::Normal)).then_some(df);
    let inference = Inference::new(Variance::Hc2, df, settings.level)?;
    let std_error = if exact { 0.0 } else { square.sqrt() };
    let fit = Fit::complete(estimate, std_error, residual, &inference);
    let mut answer =
        regression::answer(ENTRY.id, columns, analysed, Variance::Hc2, &inference, &fit);
    if let Some(row) = answer.results.first_mut() {
        row.extra.insert("strata".into(), json!(number));
        if paired {
            "paired".clone_into(&mut row.variance);
        }
    }
    Ok(answer)
}

/// The cells of every stratum, control first; sums of squares about the cell's own mean, in a second pass.
fn cells(strata: &Strata, analysed: &Analysed) -> Vec<[Cell; 2]> {
    let mut cells = vec![[Cell::default(); 2]; strata.levels.len()];
    let centre = crate::numerics::linear_algebra::mean(&analysed.outcome);
    let rows = || {
        let place = strata.codes.iter().zip(&analysed.arm);
        place
            .map(|(code, arm)| (*code as usize, arm.index()))
            .zip(&analysed.outcome)
    };
    for ((stratum, arm), y) in rows() {
        let cell = &mut cells[stratum][arm];
        cell.n += 1.0;
        cell.mean += y - centre;
    }
    for cell in cells.iter_mut().flatten() {
        cell.mean = centre + cell.mean / cell.n;
    }
    for ((stratum, arm), y) in rows() {
        let cell = &mut cells[stratum][arm];
        let apart = y - cell.mean;
        cell.square += apart * apart;
    }
    cells
}
