//! What bounds of an effect share: the interval of the effect between them, and their two rows.

use super::answer::{Answer, Estimate, Warning};
use super::columns::Columns;
use super::error::EstimationError;
use super::settings::Measure;
use crate::numerics::normal;
use crate::numerics::root::bisect;
use crate::words;
use serde_json::{Map, Value};

/// A bound and its standard error, `None` where it does not exist.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bound {
    /// The bound.
    pub(super) estimate: f64,
    /// Its standard error.
    pub(super) std_error: Option<f64>,
}

/// Limits between which the effect itself lies with the given probability (Imbens and Manski 2004, doi
/// 10.1111/j.1468-0262.2004.00555.x, equations 6 and 7): `[L − c·s_L, U + c·s_U]` with c from
/// `Φ(c + (U − L)/max(s_L, s_U)) − Φ(−c) = level`. `None` without standard errors above 0.
pub(super) fn imbens_manski(
    lower: Bound,
    upper: Bound,
    level: f64,
) -> Result<Option<(f64, f64)>, EstimationError> {
    let (Some(low), Some(high)) = (lower.std_error, upper.std_error) else {
        return Ok(None);
    };
    let largest = low.max(high);
    if largest <= 0.0 {
        return Ok(None);
    }
    let width = (upper.estimate - lower.estimate) / largest;
    // From one-sided (bounds far apart) to two-sided (bounds that coincide).
    let one_sided = -normal::quantile(1.0 - level)?;
    let two_sided = -normal::quantile(0.5 * (1.0 - level))?;
    let c = bisect(one_sided.min(0.0), two_sided, 1e-14, |c| {
        normal::sf(c + width) + normal::sf(c) > 1.0 - level
    });
    Ok(Some((lower.estimate - c * low, upper.estimate + c * high)))
}

/// What both rows share.
pub(super) struct Rows<'a> {
    /// Id of the estimator.
    pub(super) estimator: &'static str,
    /// Names of the arms.
    pub(super) columns: &'a Columns,
    /// Confidence level.
    pub(super) level: f64,
    /// Rows that count, in control and treated.
    pub(super) n: [usize; 2],
    /// Where the standard errors come from.
    pub(super) variance: &'static str,
    /// Fields of both rows.
    pub(super) extra: Map<String, Value>,
}

impl Rows<'_> {
    /// The rows `lower` and `upper`, each with the interval of the effect.
    pub(super) fn answer(
        &self,
        lower: Bound,
        upper: Bound,
        mut warnings: Vec<Warning>,
    ) -> Result<Answer, EstimationError> {
        let limits = imbens_manski(lower, upper, self.level)?;
        if limits.is_none() {
            warnings.push(Warning::new(
                "no-variation",
                words!(
                    "too few outcomes, or outcomes that do not vary: the bounds have no standard error, so there is no interval",
                    "för få utfall, eller utfall som inte varierar: gränserna saknar medelfel, så det finns inget intervall"
                ),
            ));
        }
        let row = |term: &str, bound: Bound| {
            let mut extra = self.extra.clone();
            let comparison = self.columns.labels.effect();
            extra.insert("comparison".into(), Value::from(comparison));
            Estimate {
                estimator: self.estimator.to_owned(),
                term: term.to_owned(),
                measure: Measure::Difference.text().to_owned(),
                estimate: Some(bound.estimate),
                std_error: bound.std_error,
                std_error_scale: "identity".to_owned(),
                statistic: None,
                df: None,
                p_value: None,
                conf_low: limits.map(|(low, _)| low),
                conf_high: limits.map(|(_, high)| high),
                level: self.level,
                n_treated: self.n[1],
                n_control: self.n[0],
                variance: self.variance.to_owned(),
                interval: "imbens-manski".to_owned(),
                extra,
            }
        };
        Ok(Answer {
            results: vec![row("lower", lower), row("upper", upper)],
            warnings,
        })
    }
}
