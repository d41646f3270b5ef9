//! The number by which an estimator's answer is weighed: its effect with a standard error on one scale or another.

use super::{Effect, Scale};
use crate::estimation::{Answer, Estimate, EstimationError};

impl Effect {
    /// The effect that an estimator of the registry answers with.
    pub(crate) fn of(answer: &Answer) -> Result<Self, EstimationError> {
        let row: &Estimate = answer.effect()?;
        if let Some(ratio) = row.endless() {
            return Ok(endless(row, ratio));
        }
        let bare = || Some((row.estimate?, f64::INFINITY, Scale::of(row)));
        let found = weighed(row).or_else(bare);
        let (estimate, std_error, scale) = found.ok_or(EstimationError::NoVariation)?;
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

/// A ratio of 0 or infinity, with an interval that goes as far: it decides and covers, and has no standard error.
fn endless(row: &Estimate, ratio: f64) -> Effect {
    let rises = ratio > 0.0;
    let limit = row.conf_low.or(row.conf_high);
    Effect {
        estimate: ratio,
        std_error: f64::INFINITY,
        scale: Scale::Log,
        statistic: row.statistic,
        df: None,
        p_value: row.p_value,
        conf_low: if rises {
            row.conf_low
        } else {
            limit.map(|_| 0.0)
        },
        conf_high: if rises {
            limit.map(|_| f64::INFINITY)
        } else {
            row.conf_high
        },
        n_treated: row.n_treated as u32,
        n_control: row.n_control as u32,
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
pub(crate) fn weighed(row: &Estimate) -> Option<(f64, f64, Scale)> {
    if let (Some(estimate), Some(std_error)) = (row.estimate, row.std_error) {
        return Some((estimate, std_error, Scale::of(row)));
    }
    let of = |key: &str| row.extra.get(key)?.as_f64();
    let variance = of("excess_variance").filter(|variance| *variance > 0.0)?;
    let excess = of("observed_treated")? - of("expected_treated")?;
    Some((excess / variance, 1.0 / variance.sqrt(), Scale::Score))
}
