//! Imputing the unknown outcomes of one arm from its known ones: proper draws, each with parameters of its own.
//!
//! Assumes that, given arm and columns, being known does not depend on the outcome. An outcome that is 0 or 1 is drawn from
//! a logistic regression whose coefficients are drawn from their large-sample distribution, or without columns from a
//! share with Jeffreys' prior; any other outcome is that of a known row with a similar prediction (predictive mean
//! matching of type 1 with five donors: van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed., algorithm 3.3), so
//! that only values occur that have been seen. Pooling is `imputation`'s.

use super::binary_regression::BinaryRegression;
use super::error::EstimationError;
use super::known_weights::ROWS_PER_COLUMN;
use crate::numerics::beta::Beta;
use crate::numerics::chi_square::ChiSquare;
use crate::numerics::linear_algebra::Qr;
use crate::numerics::normal;

/// Known rows among which the imputed value of an unknown one is chosen.
const DONORS: usize = 5;

/// What the known rows of an arm say of its unknown ones.
#[derive(Debug, Clone)]
pub struct ArmImputation {
    unknown: usize,
    columns: Vec<Vec<f64>>,
    model: Model,
}

#[derive(Debug, Clone)]
enum Model {
    /// Events and others among the known rows.
    Share(f64, f64),
    Logistic(BinaryRegression),
    Matching {
        coefficients: Vec<f64>,
        kept: Vec<usize>,
        qr: Qr,
        /// Residual sum of squares and its degrees of freedom.
        residual: (f64, f64),
        /// Prediction and outcome of each known row, by prediction.
        donors: Vec<(f64, f64)>,
    },
}

impl ArmImputation {
    /// `columns` has the known rows first, then `unknown` rows, column after column in the order in which they are taken
    /// while there are five rows of the rarer outcome (or known rows) for each.
    ///
    /// # Errors
    /// [`EstimationError::NoRows`] with fewer than two known rows.
    pub fn new(
        known: &[f64],
        unknown: usize,
        columns: &[f64],
        binary: bool,
    ) -> Result<Self, EstimationError> {
        let s = known.len();
        if s < 2 {
            return Err(EstimationError::NoRows);
        }
        let n = s + unknown;
        let events = known.iter().filter(|y| **y > 0.0).count();
        let rarer = if binary { events.min(s - events) } else { s };
        let taken: Vec<&[f64]> = columns
            .chunks_exact(n)
            .take(rarer / ROWS_PER_COLUMN)
            .collect();
        let own: Vec<Vec<f64>> = taken.iter().map(|column| column[..s].to_vec()).collect();
        let columns = taken.iter().map(|column| column[s..].to_vec()).collect();
        let share = Model::Share(events as f64, (s - events) as f64);
        let model = if binary && own.is_empty() {
            share
        } else if binary {
            let outcome: Vec<bool> = known.iter().map(|y| *y > 0.0).collect();
            BinaryRegression::fit(&outcome, &own).map_or(share, Model::Logistic)
        } else {
            matching(known, &own)
        };
        Ok(Self {
            unknown,
            columns,
            model,
        })
    }

    /// One imputation of the unknown rows, in their order; `uniform` gives deviates inside (0, 1).
    ///
    /// # Errors
    /// [`EstimationError::Numerics`] where a quantile does not exist.
    pub fn draw(&self, uniform: &mut impl FnMut() -> f64) -> Result<Vec<f64>, EstimationError> {
        let zero_one = |chance: f64, u: f64| f64::from(u8::from(u < chance));
        match &self.model {
            Model::Share(events, others) => {
                let chance = Beta::new(events + 0.5, others + 0.5)?.quantile(uniform())?;
                Ok((0..self.unknown)
                    .map(|_| zero_one(chance, uniform()))
                    .collect())
            }
            Model::Logistic(fit) => {
                let mut deviate = || normal::quantile(uniform()).unwrap_or(0.0);
                let coefficients = fit.drawn(&mut deviate);
                let chances = fit.chances(&self.columns, self.unknown, &coefficients);
                Ok(chances
                    .into_iter()
                    .map(|chance| zero_one(chance, uniform()))
                    .collect())
            }
            Model::Matching {
                coefficients,
                kept,
                qr,
                residual: (square, df),
                donors,
            } => {
                let deviation = if *square > 0.0 {
                    (square / ChiSquare::new(*df)?.quantile(uniform())?).sqrt()
                } else {
                    0.0
                };
                let mut z = Vec::with_capacity(coefficients.len());
                for _ in coefficients {
                    z.push(deviation * normal::quantile(uniform())?);
                }
                qr.solve_r(&mut z);
                let drawn: Vec<f64> = coefficients.iter().zip(z).map(|(b, z)| b + z).collect();
                Ok((0..self.unknown)
                    .map(|row| donor(donors, predict(kept, &drawn, &self.columns, row), uniform()))
                    .collect())
            }
        }
    }
}

fn predict(kept: &[usize], coefficients: &[f64], columns: &[Vec<f64>], row: usize) -> f64 {
    let terms = kept.iter().zip(coefficients);
    terms
        .map(|(column, b)| b * column.checked_sub(1).map_or(1.0, |c| columns[c][row]))
        .sum()
}

fn matching(known: &[f64], columns: &[Vec<f64>]) -> Model {
    let s = known.len();
    let mut matrix = vec![1.0; s];
    matrix.extend(columns.iter().flatten());
    let mut qr = Qr::default();
    qr.factor(s, &matrix);
    let coefficients = qr.coefficients(known);
    let kept = qr.kept().to_vec();
    let mut square = 0.0;
    let mut donors: Vec<(f64, f64)> = known
        .iter()
        .enumerate()
        .map(|(row, y)| {
            let fitted = predict(&kept, &coefficients, columns, row);
            square += (y - fitted) * (y - fitted);
            (fitted, *y)
        })
        .collect();
    donors.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let df = (s.saturating_sub(kept.len())).max(1) as f64;
    Model::Matching {
        coefficients,
        kept,
        qr,
        residual: (square, df),
        donors,
    }
}

/// The outcome of one of the known rows whose predictions are nearest; all rows with the same prediction as the
/// farthest of them take part.
fn donor(donors: &[(f64, f64)], wanted: f64, u: f64) -> f64 {
    let at = donors.partition_point(|own| own.0 < wanted);
    let (mut low, mut high) = (at, at);
    let distance = |place: usize| (donors[place].0 - wanted).abs();
    let most = DONORS.min(donors.len());
    let mut last = 0.0;
    loop {
        let down = low.checked_sub(1).map(distance);
        let up = (high < donors.len()).then(|| distance(high));
        let next = match (down, up) {
            (Some(down), Some(up)) => down.min(up),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => break,
        };
        if high - low >= most && next > last {
            break;
        }
        last = next;
        if down.is_some_and(|down| down <= next) {
            low -= 1;
        } else {
            high += 1;
        }
    }
    let place = low + ((high - low) as f64 * u) as usize;
    donors[place.min(high.saturating_sub(1))].1
}

#[cfg(test)]
mod tests {
    use super::{ArmImputation, donor};

    #[test]
    fn donors_are_the_five_nearest_and_their_ties() {
        let donors: Vec<(f64, f64)> = (0..8).map(|k| (f64::from(k), f64::from(10 * k))).collect();
        // At 3.2 the five nearest are 3, 4, 2, 5, 1: u picks them in the order of their predictions.
        let found: Vec<f64> = [0.0, 0.3, 0.5, 0.7, 0.99]
            .iter()
            .map(|u| donor(&donors, 3.2, *u))
            .collect();
        assert_eq!(found, [10.0, 20.0, 30.0, 40.0, 50.0]);
        // All alike: all take part.
        let alike: Vec<(f64, f64)> = (0..8).map(|k| (1.0, f64::from(k))).collect();
        assert!((donor(&alike, 1.0, 0.99) - 7.0).abs() < 1e-15);
        assert!(donor(&alike, 1.0, 0.0).abs() < 1e-15);
    }

    /// Without columns the share is drawn from Beta(½ + events, ½ + others): its median at u = ½ lies between 0 and 1 where
    /// all known rows had the event, so that an unknown one may have none.
    #[test]
    fn a_share_without_variation_is_not_certain() {
        let model = ArmImputation::new(&[1.0; 4], 2, &[], true).unwrap();
        // Beta(4.5, 0.5) has its quantile of 0.1 at 0.7281 (its density integrated numerically, own Python).
        let mut deviates = [0.1, 0.99, 0.01].into_iter();
        let found = model.draw(&mut || deviates.next().unwrap_or(0.5)).unwrap();
        assert_eq!(found, [0.0, 1.0]);
        assert!(ArmImputation::new(&[1.0], 2, &[], true).is_err());
    }
}
