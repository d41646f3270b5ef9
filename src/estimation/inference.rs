//! From an estimate and its standard error to test and interval: the reference distribution and its critical value,
//! fixed before any outcome is seen, and the completed [`Fit`].

use super::answer::reported;
use super::error::EstimationError;
use super::settings::Variance;
use crate::numerics::normal;
use crate::numerics::student_t::StudentT;

/// Variance, reference distribution and critical value, fixed before any outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inference {
    variance: Variance,
    reference: Reference,
    level: f64,
    critical: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Reference {
    Normal,
    Student(StudentT),
}

impl Inference {
    /// Critical value for a given reference: `df` degrees of freedom, or normal without.
    pub(crate) fn new(
        variance: Variance,
        df: Option<f64>,
        level: f64,
    ) -> Result<Self, EstimationError> {
        let tail = 0.5 * (1.0 - level);
        let (reference, critical) = match df {
            None => (Reference::Normal, -normal::quantile(tail)?),
            Some(df) => {
                let student = StudentT::new(df)?;
                (Reference::Student(student), student.quantile_sf(tail)?)
            }
        };
        Ok(Self {
            variance,
            reference,
            level,
            critical,
        })
    }

    /// Degrees of freedom, `None` for a normal reference.
    pub fn df(&self) -> Option<f64> {
        match self.reference {
            Reference::Normal => None,
            Reference::Student(student) => Some(student.df()),
        }
    }

    /// The quantile that multiplies the standard error.
    pub fn critical(&self) -> f64 {
        self.critical
    }

    /// Variance estimator.
    pub fn variance(&self) -> Variance {
        self.variance
    }

    /// Confidence level.
    pub fn level(&self) -> f64 {
        self.level
    }

    fn two_sided(&self, statistic: f64) -> f64 {
        match self.reference {
            Reference::Normal => normal::two_sided(statistic),
            Reference::Student(student) => student.two_sided(statistic),
        }
    }
}

/// The effect in one outcome. What does not exist because nothing varies is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Effect of the arm.
    pub estimate: f64,
    /// Its standard error; exactly zero when the residuals are rounding.
    pub std_error: f64,
    /// estimate / std_error.
    pub statistic: Option<f64>,
    /// Degrees of freedom, `None` for a normal reference.
    pub df: Option<f64>,
    /// Two-sided p-value, never 0.
    pub p_value: Option<f64>,
    /// Lower limit.
    pub conf_low: Option<f64>,
    /// Upper limit.
    pub conf_high: Option<f64>,
    /// Sum of squared residuals.
    pub residual_square: f64,
}

impl Fit {
    /// Completes an estimate and its standard error by test and interval.
    pub(super) fn complete(
        estimate: f64,
        std_error: f64,
        residual_square: f64,
        inference: &Inference,
    ) -> Self {
        let exists = std_error > 0.0;
        let statistic = exists.then(|| estimate / std_error);
        let margin = inference.critical * std_error;
        Self {
            estimate,
            std_error,
            statistic,
            df: inference.df(),
            p_value: statistic.map(|t| reported(inference.two_sided(t))),
            conf_low: exists.then_some(estimate - margin),
            conf_high: exists.then_some(estimate + margin),
            residual_square,
        }
    }
}
