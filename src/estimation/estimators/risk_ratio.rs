//! `risk-ratio`: the ratio of two proportions, from rows or from counts.

use super::proportion_ratio;
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{EstimatorEntry, OptionDomain};
use crate::estimation::error::EstimationError;
use crate::estimation::proportion_ratios::Ratio;
use crate::estimation::settings::{Measure, Settings};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "risk-ratio",
    about: "ratio of two proportions with a score interval",
    about_sv: "kvot mellan två andelar med score-intervall",
    options: OptionDomain {
        measures: &[Measure::RiskRatio],
        ..proportion_ratio::ENTRY.options
    },
    run,
    ..proportion_ratio::ENTRY
};

/// `(x1/n1) / (x0/n0)`; the standard error is that of the logarithm, statistic and p-value are those of the interval.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    proportion_ratio::estimate(ENTRY.id, Measure::RiskRatio, Ratio::Risk, columns, settings)
}
