//! `odds-ratio`: the ratio of the odds of two proportions, from rows or from counts.

use super::proportion_ratio;
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{EstimatorEntry, OptionDomain};
use crate::estimation::error::EstimationError;
use crate::estimation::proportion_ratios::Ratio;
use crate::estimation::settings::{Measure, Settings};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "odds-ratio",
    about: "ratio of the odds of two proportions with a score interval",
    about_sv: "kvot mellan oddsen för två andelar med score-intervall",
    options: OptionDomain {
        measures: &[Measure::OddsRatio],
        ..proportion_ratio::ENTRY.options
    },
    run,
    ..proportion_ratio::ENTRY
};

/// `x1(n0−x0) / (x0(n1−x1))`; the standard error is that of the logarithm, statistic and p-value are those of the interval.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    proportion_ratio::estimate(ENTRY.id, Measure::OddsRatio, Ratio::Odds, columns, settings)
}
