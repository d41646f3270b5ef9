//! What an estimator answers: rows of `lottning.estimates/1` and warnings.
//!
//! A number that does not exist is `None`, which is `null` in JSON, and a warning says why.

use super::error::EstimationError;
use crate::diagnostic::{Lang, Words};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One row of results, with the keys of the JSON document in their order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Id of the estimator.
    pub estimator: String,
    /// What is compared, `iuh vs standard`, or an arm.
    pub term: String,
    /// Measure, for example `difference` or `risk-difference`.
    pub measure: String,
    /// The estimate on the measure's own scale.
    pub estimate: Option<f64>,
    /// Standard error on the scale of `std_error_scale`.
    pub std_error: Option<f64>,
    /// `identity`, or `log` for ratios.
    pub std_error_scale: String,
    /// Test statistic of no effect.
    pub statistic: Option<f64>,
    /// Degrees of freedom; `None` with a normal reference.
    pub df: Option<f64>,
    /// Two-sided p-value of no effect.
    pub p_value: Option<f64>,
    /// Lower confidence limit on the measure's own scale.
    pub conf_low: Option<f64>,
    /// Upper confidence limit on the measure's own scale.
    pub conf_high: Option<f64>,
    /// Confidence level.
    #[serde(serialize_with = "as_decimal")]
    pub level: f64,
    /// Analysed rows in the treated arm.
    pub n_treated: usize,
    /// Analysed rows in the control arm.
    pub n_control: usize,
    /// Variance estimator.
    pub variance: String,
    /// Kind of interval: `t`, `normal`, or an interval's own id.
    pub interval: String,
    /// Further fields of this estimator.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A level as it is printed: 1 − α to twelve decimals, so that binary fractions leave no trace of a difference.
///
/// ```
/// use lottning::estimation::printed_level;
///
/// assert_eq!(printed_level(0.950_000_000_000_000_1), 0.95);
/// assert_eq!(printed_level(1.0 - 0.0125), 0.9875);
/// ```
pub fn printed_level(level: f64) -> f64 {
    (level * 1e12).round() / 1e12
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn as_decimal<S: serde::Serializer>(level: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(printed_level(*level))
}

impl Estimate {
    /// Whether the row is the set and the test of Anderson and Rubin, beside an effect among compliers.
    pub fn is_anderson_rubin(&self) -> bool {
        self.interval == "anderson-rubin"
    }

    /// Of a ratio without a finite estimate, whose likelihood rises without end: 0 or infinite. So is a ratio of proportions or odds with
    /// an empty cell below the line, which is a number in no row; nought to nought is not, of which every ratio may be.
    pub fn endless(&self) -> Option<f64> {
        match self.extra.get("ratio").and_then(Value::as_str) {
            Some("zero") => Some(0.0),
            Some("infinite") => Some(f64::INFINITY),
            _ => {
                let open = self.conf_low.is_some_and(|low| low > 0.0) && self.conf_high.is_none();
                let infinite = self.estimate.is_none() && self.std_error_scale == "log" && open;
                infinite.then_some(f64::INFINITY)
            }
        }
    }
}

/// Something that a reader must know of an answer that was given all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable code, kebab-case.
    pub code: &'static str,
    /// The sentence.
    pub message: Words,
}

impl Warning {
    /// A warning.
    pub fn new(code: &'static str, message: Words) -> Self {
        Self { code, message }
    }
}

/// Results with their warnings. The first result is always the effect asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Rows.
    pub results: Vec<Estimate>,
    /// Warnings.
    pub warnings: Vec<Warning>,
}

/// Keys of the p-values that stand beside an estimator's own.
const BESIDE: [&str; 6] = [
    "p_central",
    "p_minlike",
    "p_lower",
    "p_upper",
    "p_brunner_munzel",
    "proportional_hazards_p_value",
];

/// A p-value as it is reported: none is 0, so one that is too small for a number is the smallest positive normal one, 2⁻¹⁰²².
pub(crate) fn reported(p_value: f64) -> f64 {
    if p_value == 0.0 {
        f64::MIN_POSITIVE
    } else {
        p_value
    }
}

impl Answer {
    /// The same with every p-value, those beside too, as it is [`reported`].
    pub(super) fn reported(mut self) -> Self {
        for row in &mut self.results {
            row.p_value = row.p_value.map(reported);
            for (key, value) in &mut row.extra {
                if let Some(p_value) = value.as_f64().filter(|_| BESIDE.contains(&key.as_str())) {
                    *value = json!(reported(p_value));
                }
            }
        }
        self
    }

    /// The effect asked for.
    pub fn effect(&self) -> Result<&Estimate, EstimationError> {
        self.results.first().ok_or(EstimationError::NoRows)
    }

    /// The document `lottning.estimates/1` without its provenance, which the caller adds.
    pub fn document(&self, lang: Lang) -> Value {
        let warnings: Vec<Value> = self
            .warnings
            .iter()
            .map(|w| json!({"code": w.code, "message": w.message.get(lang)}))
            .collect();
        json!({
            "schema": "lottning.estimates/1",
            "results": self.results,
            "warnings": warnings,
        })
    }
}
