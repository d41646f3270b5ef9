//! The registry of estimators: one file each, one line here.

use super::answer::Answer;
use super::columns::Columns;
use super::entry::EstimatorEntry;
use super::error::EstimationError;
use super::settings::Settings;
use crate::diagnostic::nearest;

mod count_model;
mod cox;
mod cumulative_incidence;
mod difference_in_means;
mod fine_gray;
mod fisher_exact;
mod g_computation;
mod hazards;
mod instrumental_variables;
mod kaplan_meier;
mod lee_bounds;
mod lin;
mod linear;
mod log_rank;
mod logistic;
mod manski_bounds;
mod mantel_haenszel;
mod mean_cumulative_count;
mod negative_binomial;
mod odds_ratio;
mod one_limit;
mod poisson;
mod proportion_ratio;
mod randomization_test;
mod rank_sum;
mod ratio_model;
mod recurrent_rate_ratio;
mod regression;
mod risk_difference;
mod risk_ratio;
mod rmst;
mod stratified_difference_in_means;
mod survival;
mod two_by_two;
mod until_horizon;

/// Every estimator, in the order in which help lists them.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    difference_in_means::ENTRY,
    stratified_difference_in_means::ENTRY,
    linear::ENTRY,
    lin::ENTRY,
    risk_difference::ENTRY,
    risk_ratio::ENTRY,
    odds_ratio::ENTRY,
    fisher_exact::ENTRY,
    mantel_haenszel::ENTRY,
    g_computation::ENTRY,
    logistic::ENTRY,
    poisson::ENTRY,
    negative_binomial::ENTRY,
    instrumental_variables::ENTRY,
    kaplan_meier::ENTRY,
    log_rank::ENTRY,
    cox::ENTRY,
    rmst::ENTRY,
    cumulative_incidence::ENTRY,
    fine_gray::ENTRY,
    mean_cumulative_count::ENTRY,
    recurrent_rate_ratio::ENTRY,
    rank_sum::ENTRY,
    randomization_test::ENTRY,
    lee_bounds::ENTRY,
    manski_bounds::ENTRY,
];

/// The estimator of an id.
pub fn find(id: &str) -> Result<&'static EstimatorEntry, EstimationError> {
    ESTIMATORS
        .iter()
        .find(|entry| entry.id == id)
        .ok_or_else(|| EstimationError::UnknownEstimator {
            id: id.to_owned(),
            nearest: nearest(id, ESTIMATORS.iter().map(|entry| entry.id)),
        })
}

/// One estimator on one set of columns: checks columns and options against the entry, then estimates.
///
/// ```
/// use lottning::estimation::{Columns, Counts, Settings, estimate};
/// let counts = Counts { treated_events: 109, treated_units: 275, control_events: 48, control_units: 167 };
/// let answer = estimate("risk-difference", &Columns::from_counts(counts), &Settings::default())?;
/// // 109/275 − 48/167, by hand
/// assert!(answer.effect()?.estimate.is_some_and(|d| (d - 0.108_938_5).abs() < 1e-7));
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
pub fn estimate(
    id: &str,
    columns: &Columns,
    settings: &Settings,
) -> Result<Answer, EstimationError> {
    find(id)?.estimate(columns, settings)
}
