//! Imputing the unknown outcomes of one arm from its known ones: proper draws, each with parameters of its own.
//!
//! Assumes that, given arm and columns, being known does not depend on the outcome. An outcome that is 0 or 1 is drawn from
//! a logistic regression whose coefficients are drawn from their large-sample distribution, or without columns from a
//! share with Jeffreys' prior; any other outcome is that of a known row with a similar prediction (predictive mean
//! matching with five donors: van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed., section 3.4), so that only values
//! occur that have been seen. Each imputation has a sample of the known rows of its own, drawn with replacement, and both the
//! regression and the donors are that sample's (the bootstrap variant of the book; without columns the approximate Bayesian
//! bootstrap of Rubin & Schenker 1986, doi 10.1080/01621459.1986.10478280). Coefficients that are drawn beside donors that are
//! not carry no uncertainty of a mean where predictions tie. Pooling is `imputation`'s.
//!
//! Where indicators tell known rows apart that all have the event, or none of which has it, the regression has no maximum, and
//! its limit is certain of the unknown rows like them, as no finite number of rows can be (White, Daniel & Royston 2010, doi
//! 10.1016/j.csda.2010.04.005, on such *perfect prediction* in imputations). Such rows are a share of their own with Jeffreys'
//! prior, whose posterior distribution is exact, and the others have their own regression. Where columns separate the rows in
//! another way, the regression itself has Jeffreys' prior: `BinaryRegression::penalized`.
//!
//! An unknown row of whose kind no row is known, as of a level whose outcomes are all unknown, has no prediction that does not
//! depend on which level is the reference: it goes by the whole arm, a share with Jeffreys' prior or any known row's outcome.

mod estimable;

pub use estimable::Unlike;

use super::binary_regression::BinaryRegression;
use super::cells::{Aside, Cells};
use super::error::EstimationError;
use super::known_weights::ROWS_PER_COLUMN;
use crate::numerics::beta::Beta;
use crate::numerics::linear_algebra::Qr;
use crate::numerics::normal;
use estimable::Estimable;

/// Known rows among which the imputed value of an unknown one is chosen.
const DONORS: usize = 5;

/// What the known rows of an arm say of its unknown ones.
#[derive(Debug, Clone)]
pub struct ArmImputation {
    unknown: usize,
    columns: Vec<Vec<f64>>,
    unlike: Unlike,
    /// Columns that the model goes by, and that there are.
    taken: [usize; 2],
    model: Model,
}

#[derive(Debug, Clone)]
enum Model {
    Binary {
        /// Events and all of the known rows.
        all: [f64; 2],
        /// Rows that are told apart, by their columns; events and all of the known ones.
        aside: Vec<(Aside, [f64; 2])>,
        others: Chances,
    },
    Matching {
        known: Vec<f64>,
        /// Of the known rows.
        columns: Vec<Vec<f64>>,
        /// Of the known rows themselves, for unknown ones that a sample of them has none like.
        fit: Fit,
    },
}

/// Least squares of an outcome, by rows that may be there more than once.
#[derive(Debug, Clone)]
struct Fit {
    coefficients: Vec<f64>,
    kept: Vec<usize>,
    estimable: Estimable,
    /// Prediction and outcome of each row, by prediction.
    donors: Vec<(f64, f64)>,
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
        let given: Vec<&[f64]> = columns.chunks_exact(n).collect();
        let taken = &given[..given.len().min(rarer / ROWS_PER_COLUMN)];
        let columns: Vec<Vec<f64>> = taken.iter().map(|column| column[s..].to_vec()).collect();
        let rows: Vec<usize> = (0..s).collect();
        // Columns that are not taken tell a kind apart too; beside as many columns as rows every row is a kind of its own.
        let asked = if s > given.len() { &given } else { taken };
        let every: Vec<usize> = (0..asked.len()).collect();
        let mut unlike = Unlike::default();
        unlike.add((asked, &every), &rows, (s, 0..unknown));
        let (model, used) = if binary {
            yes_or_no(known, taken, &columns, &mut unlike)
        } else {
            let own: Vec<Vec<f64>> = taken.iter().map(|column| column[..s].to_vec()).collect();
            let matching = Model::Matching {
                fit: Fit::new(known, &own, &rows),
                known: known.to_vec(),
                columns: own,
            };
            (matching, taken.len())
        };
        Ok(Self {
            unknown,
            columns,
            unlike,
            taken: [used, given.len()],
            model,
        })
    }

    /// Unknown rows of whose kind no row is known: they go by the whole arm.
    pub fn unlike(&self) -> &Unlike {
        &self.unlike
    }

    /// Columns that the model goes by, those that tell rows apart among them, and columns that there are: fewer are taken where
    /// known rows are too few for all.
    pub fn taken(&self) -> [usize; 2] {
        self.taken
    }

    /// One imputation of the unknown rows, in their order; `uniform` gives deviates inside (0, 1).
    ///
    /// # Errors
    /// [`EstimationError::Numerics`] where a quantile does not exist.
    pub fn draw(&self, uniform: &mut impl FnMut() -> f64) -> Result<Vec<f64>, EstimationError> {
        let zero_one = |chance: f64, u: f64| f64::from(u8::from(u < chance));
        match &self.model {
            Model::Binary { all, aside, others } => {
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
                if !self.unlike.rows.is_empty() {
                    let drawn = share(*all, uniform())?;
                    for row in &self.unlike.rows {
                        chances[*row] = drawn;
                    }
                }
                Ok(chances
                    .into_iter()
                    .map(|chance| zero_one(chance, uniform()))
                    .collect())
            }
            Model::Matching {
                known,
                columns,
                fit,
            } => {
                let s = known.len();
                let rows: Vec<usize> = (0..s).map(|_| place(s, uniform())).collect();
                let sample = Fit::new(known, columns, &rows);
                let value = |row: usize| {
                    let u = uniform();
                    [&sample, fit]
                        .into_iter()
                        .find_map(|own| {
                            Some(donor(&own.donors, own.predict(&self.columns, row)?, u))
                        })
                        .unwrap_or_else(|| sample.donors[place(s, u)].1)
                };
                Ok((0..self.unknown).map(value).collect())
            }
        }
    }
}

/// The share of a sample with so many events of so many, drawn from its posterior distribution under Jeffreys' prior.
fn share([events, all]: [f64; 2], u: f64) -> Result<f64, EstimationError> {
    Ok(Beta::new(events + 0.5, all - events + 0.5)?.quantile(u)?)
}

/// The model of an outcome that is 0 or 1, by columns with the known rows first and then the `unknown` ones, and the number of
/// columns that it goes by. Where rows are told apart, unknown ones that are like none of the others are added to `unlike`.
fn yes_or_no(
    known: &[f64],
    taken: &[&[f64]],
    unknown: &[Vec<f64>],
    unlike: &mut Unlike,
) -> (Model, usize) {
    let s = known.len();
    let rows: Vec<usize> = (0..known.len()).collect();
    let outcome: Vec<bool> = known.iter().map(|y| *y > 0.0).collect();
    let mut cells = Cells::new(&rows, &outcome, taken);
    let all = cells.total();
    let mut apart = cells.apart();
    let counts = cells.aside_counts(&apart.aside);
    if !apart.aside.is_empty() {
        let before = apart.kept.clone();
        cells.keep(&mut apart, ROWS_PER_COLUMN);
        let other = |row: &usize| {
            let mut aside = apart.aside.iter();
            !aside.any(|own| own.has(|column| taken[column][*row]))
        };
        let others: Vec<usize> = rows.iter().copied().filter(other).collect();
        let asked =
            (0..taken.first().map_or(0, |own| own.len() - s)).filter(|row| other(&(s + row)));
        let which = if others.len() > before.len() {
            &before
        } else {
            &apart.kept
        };
        unlike.add((taken, which), &others, (s, asked));
    }
    let columns = || apart.kept.iter().map(|own| unknown[*own].clone()).collect();
    let model = (!apart.kept.is_empty()).then(|| cells.model()).flatten();
    let others = model.map_or_else(
        || Chances::Share(cells.total()),
        |model| Chances::Logistic(model, columns()),
    );
    let fitted = match &others {
        Chances::Share(_) => 0,
        Chances::Logistic(_, columns) => columns.len(),
    };
    let used = apart.aside.len() + fitted;
    let model = Model::Binary {
        all,
        aside: apart.aside.into_iter().zip(counts).collect(),
        others,
    };
    (model, used)
}

impl Fit {
    /// By `rows` of the known ones.
    fn new(known: &[f64], columns: &[Vec<f64>], rows: &[usize]) -> Self {
        let s = rows.len();
        let mut matrix = vec![1.0; s];
        for column in columns {
            matrix.extend(rows.iter().map(|row| column[*row]));
        }
        let outcome: Vec<f64> = rows.iter().map(|row| known[*row]).collect();
        let mut qr = Qr::default();
        qr.factor(s, &matrix);
        let mut fit = Self {
            coefficients: qr.coefficients(&outcome),
            kept: qr.kept().to_vec(),
            estimable: Estimable::new(&qr, &matrix),
            donors: Vec::new(),
        };
        let donors = rows.iter().zip(outcome);
        fit.donors = donors
            .map(|(row, y)| (fit.value(columns, *row), y))
            .collect();
        let by = |a: &(f64, f64), b: &(f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
        fit.donors.sort_unstable_by(by);
        fit
    }

    fn value(&self, columns: &[Vec<f64>], row: usize) -> f64 {
        let terms = self.kept.iter().zip(&self.coefficients);
        terms
            .map(|(column, b)| b * column.checked_sub(1).map_or(1.0, |c| columns[c][row]))
            .sum()
    }

    /// The prediction of a row, where the fit's own rows determine it.
    fn predict(&self, columns: &[Vec<f64>], row: usize) -> Option<f64> {
        let value = |own: usize| own.checked_sub(1).map_or(1.0, |own| columns[own][row]);
        self.estimable
            .broken(value)
            .is_empty()
            .then(|| self.value(columns, row))
    }
}

/// One of `number` places.
fn place(number: usize, u: f64) -> usize {
    ((number as f64 * u) as usize).min(number.saturating_sub(1))
}

/// The outcome of one of the known rows whose predictions are nearest; all rows with the same prediction as the
/// farthest of them take part.
fn donor(donors: &[(f64, f64)], wanted: f64, u: f64) -> f64 {
    let at = donors.partition_point(|own| own.0 < wanted);
    let (mut low, mut high) = (at, at);
    let distance = |own: usize| (donors[own].0 - wanted).abs();
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
    donors[low + place(high - low, u)].1
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

    /// Five rows of the rarer outcome (or known rows) for each column, by hand: 11 events allow two of three, 4 none, 15 numbers three. An
    /// indicator counts that tells rows apart, and of five of the rarer outcome there is no other.
    #[test]
    fn columns_are_taken_while_there_are_five_rows_for_each() {
        let columns = |n: usize| {
            let own = |by: usize| (0..n).map(move |row| (row * by % 7) as f64);
            [1, 2, 3].into_iter().flat_map(own).collect::<Vec<f64>>()
        };
        let events = |n: usize, of: usize| -> Vec<f64> {
            (0..n).map(|row| f64::from(u8::from(row < of))).collect()
        };
        let taken = |known: &[f64], binary: bool| {
            let columns = columns(known.len() + 2);
            ArmImputation::new(known, 2, &columns, binary)
                .unwrap()
                .taken()
        };
        assert_eq!(taken(&events(40, 11), true), [2, 3]);
        assert_eq!(taken(&events(40, 29), true), [2, 3]);
        assert_eq!(taken(&events(40, 4), true), [0, 3]);
        assert_eq!(taken(&events(40, 20), true), [3, 3]);
        let numbers: Vec<f64> = (0..15).map(f64::from).collect();
        assert_eq!(taken(&numbers, false), [3, 3]);
        assert_eq!(taken(&numbers[..14], false), [2, 3]);
        // Rows 10 to 15 have the indicator and all the event, rows 5 to 9 the event alone, rows 0 to 4 neither: 11 events, 5 others.
        let known: Vec<f64> = (0..16).map(|row| f64::from(u8::from(row >= 5))).collect();
        let indicator = (0..18).map(|row| f64::from(u8::from((10..16).contains(&row))));
        let columns: Vec<f64> = indicator.chain(columns(18)).collect();
        let model = ArmImputation::new(&known, 2, &columns, true).unwrap();
        assert_eq!(model.taken(), [1, 4]);
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

    /// Levels `a`, `b` and `c` of a factor by two indicators, one of the levels being the reference without one.
    fn levels(rows: &[char], reference: char) -> Vec<f64> {
        let own = "abc".chars().filter(|level| *level != reference);
        let column = |level| {
            rows.iter()
                .map(move |row| f64::from(u8::from(*row == level)))
        };
        own.flat_map(column).collect()
    }

    /// A draw whose `first` deviates are ½, so that coefficients are those of the fit, and the others `u`.
    fn drawn(model: &ArmImputation, first: usize, u: f64) -> Vec<f64> {
        let mut taken = 0;
        let mut uniform = || {
            taken += 1;
            if taken > first { u } else { 0.5 }
        };
        model.draw(&mut uniform).unwrap()
    }

    /// No outcome of `b` is known: by whichever reference level, an unknown row of `b` has any of the fifteen known outcomes, and
    /// one of `c` one of its own five, 11 to 15.
    #[test]
    fn a_level_without_known_outcomes_goes_by_the_whole_arm_whatever_the_reference() {
        let mut rows = [['a'; 10].as_slice(), &['c'; 5]].concat();
        rows.extend(['b', 'c', 'b']);
        let known: Vec<f64> = (1..=15).map(f64::from).collect();
        for reference in ['a', 'b', 'c'] {
            let model = ArmImputation::new(&known, 3, &levels(&rows, reference), false).unwrap();
            assert_eq!(model.unlike().rows, [0, 2], "{reference}");
            // `b`'s own indicator is 0 on all known rows, or those of the other two are 1 together.
            let told: &[usize] = match reference {
                'a' => &[0],
                'b' => &[0, 1],
                _ => &[1],
            };
            assert_eq!(model.unlike().columns, told, "{reference}");
            for row in 0..15 {
                // Each known row once in the sample.
                let u = (f64::from(row) + 0.5) / 15.0;
                let (any, of_c) = (f64::from(row + 1), 11.0 + f64::from(row / 3));
                let mut taken = 0;
                let mut uniform = || {
                    taken += 1;
                    if taken > 15 {
                        u
                    } else {
                        (f64::from(taken) - 0.5) / 15.0
                    }
                };
                assert_eq!(
                    model.draw(&mut uniform).unwrap(),
                    [any, of_c, any],
                    "{reference}"
                );
            }
        }
    }

    /// Of the known rows a sample has `a` alone: an unknown row of `c` goes by all known ones, whose `c` are 11 to 15, and one of
    /// `a` by the sample, ten of its first row and five of its second, of outcomes 1 and 2: by hand.
    #[test]
    fn a_level_that_a_sample_has_not_goes_by_all_known_rows() {
        let mut rows = [['a'; 10].as_slice(), &['c'; 5]].concat();
        rows.extend(['c', 'a']);
        let known: Vec<f64> = (1..=15).map(f64::from).collect();
        for reference in ['a', 'b', 'c'] {
            let model = ArmImputation::new(&known, 2, &levels(&rows, reference), false).unwrap();
            assert!(model.unlike().rows.is_empty());
            for (u, expected) in [(0.1, [11.0, 1.0]), (0.66, [14.0, 1.0]), (0.67, [14.0, 2.0])] {
                let mut taken = 0;
                let mut uniform = || {
                    taken += 1;
                    match taken {
                        1..=10 => 0.01,
                        11..=15 => 0.1,
                        _ => u,
                    }
                };
                assert_eq!(model.draw(&mut uniform).unwrap(), expected, "{reference}");
            }
        }
    }

    /// Without columns an imputation draws from a sample of the known rows, not from them: by hand of 10, 20, 30 and 40 the sample
    /// 10, 10, 10, 40, whose second is 10 and whose last is 40.
    #[test]
    fn the_donors_are_a_sample_of_the_known_rows() {
        let model = ArmImputation::new(&[10.0, 20.0, 30.0, 40.0], 2, &[], false).unwrap();
        let mut deviates = [0.9, 0.1, 0.2, 0.0, 0.3, 0.8].into_iter();
        let found = model.draw(&mut || deviates.next().unwrap()).unwrap();
        assert_eq!(found, [10.0, 40.0]);
    }

    /// Known: 10 of 20 at `a`, 15 of 20 at `c`, none of `b`: their share is 25 of 40, with the median .623953 of Beta(25½, 15½)
    /// (`qbeta` of R 4.2.2), and that of `c` the fit's .75, by whichever reference level. Where all of `c` have the event they are a
    /// share of their own, and the others are those at `a`: `b` is neither, and goes by 30 of 40, median .747899 of Beta(30½, 10½); `c` by .988831 of Beta(20½, ½).
    #[test]
    fn a_share_of_a_level_without_known_outcomes_is_that_of_the_whole_arm() {
        let mut rows = [['a'; 20].as_slice(), &['c'; 20]].concat();
        rows.extend(['b', 'c']);
        for (of_c, at_b, at_c, first) in [(15, 0.623_953, 0.75, 3), (20, 0.747_899, 0.988_831, 3)] {
            let events = |row: usize| row % 20 < if row < 20 { 10 } else { of_c };
            let known: Vec<f64> = (0..40)
                .map(|row| f64::from(u8::from(events(row))))
                .collect();
            for reference in ['a', 'b', 'c'] {
                let model = ArmImputation::new(&known, 2, &levels(&rows, reference), true).unwrap();
                assert_eq!(model.unlike().rows, [0], "{reference}");
                for (place, chance) in [at_b, at_c].into_iter().enumerate() {
                    for (u, event) in [(chance - 1e-5, 1.0), (chance + 1e-5, 0.0)] {
                        let own = drawn(&model, first, u)[place];
                        assert!((own - event).abs() < 1e-15, "{reference} {place} {u}");
                    }
                }
            }
        }
    }

    /// Five events allow one of the two indicators: `b`, of which no outcome is known, is told from the others by both.
    #[test]
    fn a_level_without_known_outcomes_is_told_by_columns_that_are_not_taken_too() {
        let mut rows = [['a'; 20].as_slice(), &['c'; 20]].concat();
        rows.extend(['b', 'c']);
        let known: Vec<f64> = (0..40)
            .map(|row| f64::from(u8::from(row % 8 == 0)))
            .collect();
        for reference in ['a', 'b', 'c'] {
            let model = ArmImputation::new(&known, 2, &levels(&rows, reference), true).unwrap();
            assert_eq!(model.unlike().rows, [0], "{reference}");
        }
    }
}
