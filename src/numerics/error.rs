//! Why a number does not exist.

use crate::diagnostic::Words;
use crate::words;

/// An argument outside a function's domain, or a search that found nothing.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NumericsError {
    /// A parameter or argument is outside the domain.
    #[error("{function}: {name} = {value} is outside its domain")]
    Domain {
        /// The distribution or function.
        function: &'static str,
        /// The parameter.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// A function has the same sign at both ends of an interval, so a root there is not certain.
    #[error("no change of sign between {low} and {high}")]
    NoBracket {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// A matrix that must be positive definite is not.
    #[error("the matrix is not positive definite (column {column})")]
    NotPositiveDefinite {
        /// First column, from 0, whose pivot is too small.
        column: usize,
    },
}

impl NumericsError {
    /// The same in both languages.
    pub fn words(&self) -> Words {
        match self {
            Self::Domain {
                function,
                name,
                value,
            } => words!(
                "{function}: {name} = {value} is outside its domain",
                "{function}: {name} = {value} ligger utanför definitionsområdet"
            ),
            Self::NoBracket { low, high } => words!(
                "no change of sign between {low} and {high}",
                "inget teckenbyte mellan {low} och {high}"
            ),
            Self::NotPositiveDefinite { column } => words!(
                "the matrix is not positive definite (column {column})",
                "matrisen är inte positivt definit (kolumn {column})"
            ),
        }
    }

    pub(super) fn probability(function: &'static str, p: f64) -> Result<(), Self> {
        if p > 0.0 && p < 1.0 {
            Ok(())
        } else {
            Err(Self::Domain {
                function,
                name: "p",
                value: p,
            })
        }
    }

    pub(super) fn positive(
        function: &'static str,
        name: &'static str,
        value: f64,
    ) -> Result<(), Self> {
        if value > 0.0 && value.is_finite() {
            Ok(())
        } else {
            Err(Self::Domain {
                function,
                name,
                value,
            })
        }
    }
}
