//! The registry of estimators: one file each, one line here.

use super::answer::Answer;
use super::columns::Columns;
use super::entry::EstimatorEntry;
use super::error::EstimationError;
use super::settings::Settings;
use crate::diagnostic::nearest;

mod difference_in_means;
mod lin;
mod linear;
mod regression;
mod risk_difference;

/// Every estimator, in the order in which help lists them.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    difference_in_means::ENTRY,
    linear::ENTRY,
    lin::ENTRY,
    risk_difference::ENTRY,
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
pub fn estimate(
    id: &str,
    columns: &Columns,
    settings: &Settings,
) -> Result<Answer, EstimationError> {
    find(id)?.estimate(columns, settings)
}
