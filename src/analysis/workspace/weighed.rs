//! The number by which an estimator's answer is weighed: its effect with a standard error on one scale or another.

use super::{Effect, Scale};
use crate::estimation::{Answer, Estimate, EstimationError};

impl Effect {
    /// The effect that an estimator of the registry answers with.
    pub(crate) fn of(answer: &Answer) -> Result<Self, EstimationError> {
        let row: &Estimate = answer.effect()?;
        let bare = || Some((row.estimate?, f64::INFINITY, Scale::of(row)));
        let found = weighed(row).or_else(bare);
        let (estimate, std_error, scale) = found.ok_or(EstimationError::NoRows)?;
        let strong = answer.results.iter().find(|row| row.is_anderson_rubin());
        Ok(Self {
            estimate,
            std_error,
            scale,
            statistic: row.statistic,
            df: row.df.filter(|_| scale != Scale::Score),
            p_value: strong.unwrap_or(row).p_value,
            conf_low: row.conf_low,
            conf_high: row.conf_high,
            n_treated: row.n_treated as u32,
            n_control: row.n_control as u32,
        })
    }
}

impl Scale {
    /// That of the standard error of a row with an estimate.
    fn of(row: &Estimate) -> Self {
        if row.std_error_scale == "log" {
            Self::Log
        } else {
            Self::Identity
        }
    }
}

/// Estimate and standard error of a row, with their scale; of a log-rank test its one-step log hazard ratio. `None` where
/// there is neither.
pub(in crate::analysis) fn weighed(row: &Estimate) -> Option<(f64, f64, Scale)> {
    if let (Some(estimate), Some(std_error)) = (row.estimate, row.std_error) {
        return Some((estimate, std_error, Scale::of(row)));
    }
    let of = |key: &str| row.extra.get(key)?.as_f64();
    let variance = of("excess_variance").filter(|variance| *variance > 0.0)?;
    let excess = of("observed_treated")? - of("expected_treated")?;
    Some((excess / variance, 1.0 / variance.sqrt(), Scale::Score))
}
