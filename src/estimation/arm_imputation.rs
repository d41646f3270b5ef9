//! Imputing the unknown outcomes of one arm from its known ones: proper draws, each with parameters of its own.
//!
//! Assumes that, given arm and columns, being known does not depend on the outcome. An outcome that is 0 or 1 is drawn from
//! a logistic regression whose coefficients are drawn from their large-sample distribution, or without columns from a
//! share with Jeffreys' prior; any other outcome is that of a known row with a similar prediction (predictive mean
//! matching of type 1 with five donors: van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed., algorithm 3.3), so
//! that only values occur that have been seen. Pooling is `imputation`'s.
//!
//! Where indicators tell known rows apart that all have the event, or none of which has it, the regression has no maximum, and
//! its limit is certain of the unknown rows like them, as no finite number of rows can be (White, Daniel & Royston 2010, doi
//! 10.1016/j.csda.2010.04.005, on such *perfect prediction* in imputations). Such rows are a share of their own with Jeffreys'
//! prior, whose posterior distribution is exact, and the others have their own regression. Where columns separate the rows in
//! another way, the regression itself has Jeffreys' prior: `BinaryRegression::penalized`.

use super::binary_regression::BinaryRegression;
use super::cells::{Aside, Cells};
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
    Binary {
        /// Rows that are told apart, by their columns; events and all of the known ones.
        aside: Vec<(Aside, [f64; 2])>,
        others: Chances,
    },
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

/// The chances of rows that are not told apart.
#[derive(Debug, Clone)]
enum Chances {
    /// Events and all of the known ones.
    Share([f64; 2]),
    /// With the columns that it goes by, of the unknown rows.
    Logistic(BinaryRegression, Vec<Vec<f64>>),
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
        let columns: Vec<Vec<f64>> = taken.iter().map(|column| column[s..].to_vec()).collect();
        let model = if binary {
            yes_or_no(known, &taken, &columns)
        } else {
            let own: Vec<Vec<f64>> = taken.iter().map(|column| column[..s].to_vec()).collect();
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
            Model::Binary { aside, others } => {
                let mut chances = match others {
                    Chances::Share(counts) => vec![share(*counts, uniform())?; self.unknown],
                    Chances::Logistic(fit, columns) => {
                        let mut deviate = || normal::quantile(uniform()).unwrap_or(0.0);
                        let coefficients = fit.drawn(&mut deviate);
                        fit.chances(columns, self.unknown, &coefficients)
                    }
                };
                let mut told = vec![false; if aside.is_empty() { 0 } else { self.unknown }];
                for (own, counts) in aside {
                    let drawn = share(*counts, uniform())?;
                    for (row, (told, chance)) in told.iter_mut().zip(&mut chances).enumerate() {
                        if !*told && own.has(|column| self.columns[column][row]) {
                            (*told, *chance) = (true, drawn);
                        }
                    }
                }
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

/// The share of a sample with so many events of so many, drawn from its posterior distribution under Jeffreys' prior.
fn share([events, all]: [f64; 2], u: f64) -> Result<f64, EstimationError> {
    Ok(Beta::new(events + 0.5, all - events + 0.5)?.quantile(u)?)
}

/// The model of an outcome that is 0 or 1, by columns with the known rows first and then the `unknown` ones.
fn yes_or_no(known: &[f64], taken: &[&[f64]], unknown: &[Vec<f64>]) -> Model {
    let rows: Vec<usize> = (0..known.len()).collect();
    let outcome: Vec<bool> = known.iter().map(|y| *y > 0.0).collect();
    let mut cells = Cells::new(&rows, &outcome, taken);
    let mut apart = cells.apart();
    let counts = cells.aside_counts(&apart.aside);
    if !apart.aside.is_empty() {
        cells.keep(&mut apart, ROWS_PER_COLUMN);
    }
    let columns = || apart.kept.iter().map(|own| unknown[*own].clone()).collect();
    let model = (!apart.kept.is_empty()).then(|| cells.model()).flatten();
    let others = model.map_or_else(
        || Chances::Share(cells.total()),
        |model| Chances::Logistic(model, columns()),
    );
    Model::Binary {
        aside: apart.aside.into_iter().zip(counts).collect(),
        others,
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

    /// By hand: of ten known rows without the indicator five have the event, of six with it all: these are a share of their own,
    /// Beta(6½, ½), and the others are alike, Beta(5½, 5½). Quantiles of .1 by `qbeta` of R 4.2.2: .80564 and .30989.
    #[test]
    fn rows_that_are_told_apart_are_a_share_of_their_own_and_not_certain() {
        let known: Vec<f64> = (0..16).map(|row| f64::from(u8::from(row >= 5))).collect();
        let mut indicator: Vec<f64> = (0..16).map(|row| f64::from(u8::from(row >= 10))).collect();
        indicator.extend([0.0, 1.0]);
        let drawn = |known: &[f64], deviates: [f64; 4]| {
            let model = ArmImputation::new(known, 2, &indicator, true).unwrap();
            let mut deviates = deviates.into_iter();
            model.draw(&mut || deviates.next().unwrap()).unwrap()
        };
        // The others' share, that of those apart, and the two rows.
        assert_eq!(drawn(&known, [0.1, 0.1, 0.309, 0.805]), [1.0, 1.0]);
        assert_eq!(drawn(&known, [0.1, 0.1, 0.310, 0.806]), [0.0, 0.0]);
        // Six without the indicator of whom none has the event: Beta(½, 6½), whose quantile of .9 is 1 − .80564.
        let known: Vec<f64> = (0..16).map(|row| f64::from(u8::from(row >= 11))).collect();
        for own in &mut indicator[..16] {
            *own = 0.0;
        }
        for own in &mut indicator[6..16] {
            *own = 1.0;
        }
        let drawn = |deviates: [f64; 4]| {
            let model = ArmImputation::new(&known, 2, &indicator, true).unwrap();
            let mut deviates = deviates.into_iter();
            model.draw(&mut || deviates.next().unwrap()).unwrap()
        };
        assert_eq!(drawn([0.1, 0.9, 0.194, 0.309]), [1.0, 1.0]);
        assert_eq!(drawn([0.1, 0.9, 0.195, 0.310]), [0.0, 0.0]);
    }

    /// The numbers 1 to 10 tell the kinds apart: the regression has Jeffreys' prior (its coefficients are
    /// `binary_regression`'s test). At the deviates of the medians the chance at 4 is 1/(1 + exp(5.33857 − 4·.97065)) =
    /// .18908, by hand; by the share it would be a half.
    #[test]
    fn a_number_that_separates_is_kept() {
        let known: Vec<f64> = (1..=10).map(|row| f64::from(u8::from(row > 5))).collect();
        let mut column: Vec<f64> = (1..=10).map(f64::from).collect();
        column.push(4.0);
        let model = ArmImputation::new(&known, 1, &column, true).unwrap();
        let drawn = |u: f64| {
            let mut deviates = [0.5, 0.5, u].into_iter();
            model.draw(&mut || deviates.next().unwrap()).unwrap()
        };
        assert_eq!((drawn(0.189), drawn(0.190)), (vec![1.0], vec![0.0]));
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
