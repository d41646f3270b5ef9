//! Weights for outcomes that are not known: known rows stand for rows like them whose outcome is not.
//!
//! Within each arm the probability that the outcome is known is a logistic function of baseline columns, and a known
//! row weighs its inverse. What the weighted rows are used for is the caller's business: normalized by their sum within
//! the arm (Hájek), as weighted least squares does, a difference of weighted means is consistent if, given arm and columns,
//! being known does not depend on the outcome, and the model is right (Robins, Rotnitzky & Zhao 1994, doi
//! 10.1080/01621459.1994.10476818; Seaman & White 2013, doi 10.1177/0962280210395740). A variance that takes the weights
//! as given is, asymptotically, too large rather than too small (Robins et al., section 3).
//!
//! Where indicators tell rows that are all known (or all unknown) from the others, the likelihood has no maximum but a limit:
//! those rows have the probability 1 (or 0), and the model is fitted to the others without the column that has become
//! constant (Albert & Anderson 1984, doi 10.1093/biomet/71.1.1: quasi-complete separation). Only an arm that columns separate
//! in another way goes by its share of known rows.

use super::binary_regression::BinaryRegression;
use super::columns::Arm;

/// Rows of the rarer kind (known or not) in an arm that each column must have, or it is left out (Peduzzi et al. 1996, doi
/// 10.1016/S0895-4356(96)00236-3, advise ten for reading coefficients; five hold for predictions: Vittinghoff & McCulloch
/// 2007, doi 10.1093/aje/kwk052).
pub const ROWS_PER_COLUMN: usize = 5;

/// Weights of the known rows, and how they were made.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownWeights {
    /// 1/P(known) of each known row, in their order; at least 1.
    pub weights: Vec<f64>,
    /// Columns in the model of control and treated.
    pub columns: [usize; 2],
    /// Whether the model of control and treated was given up, and the arm's share of known rows stands in.
    pub separated: [bool; 2],
    /// Rows of control and treated that were set aside, in the order in which they were.
    pub aside: [Vec<Aside>; 2],
}

/// Rows of an arm that are all known or all unknown, as indicators tell them from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Places of the indicators among the columns.
    pub columns: Vec<usize>,
    /// Whether the rows have the (one) indicator; otherwise they have none of them.
    pub with: bool,
    /// Whether the rows are known: their probability is 1. Otherwise it is 0, and no row stands for them.
    pub known: bool,
}

/// Weights for known rows. `columns` is column-major with a value per row, in the order in which columns are taken while
/// there are [`ROWS_PER_COLUMN`] rows of the rarer kind for each; an arm whose rows are all known has weights 1.
///
/// ```
/// use lottning::estimation::Arm::{Control, Treated};
/// use lottning::estimation::known_weights::known_weights;
/// // 2 of 4 control rows are known, and both treated rows: by hand, weights 2 and 1.
/// let arm = [Control, Control, Control, Control, Treated, Treated];
/// let found = known_weights(&arm, &[true, false, true, false, true, true], &[]);
/// assert_eq!(found.weights, [2.0, 2.0, 1.0, 1.0]);
/// ```
pub fn known_weights(arm: &[Arm], known: &[bool], columns: &[f64]) -> KnownWeights {
    let n = arm.len();
    let mut probability = vec![1.0; n];
    let mut found = KnownWeights {
        weights: Vec::new(),
        columns: [0; 2],
        separated: [false; 2],
        aside: [Vec::new(), Vec::new()],
    };
    for side in [Arm::Control, Arm::Treated] {
        let rows: Vec<usize> = (0..n).filter(|row| arm[*row] == side).collect();
        let yes = rows.iter().filter(|row| known[**row]).count();
        let rarer = yes.min(rows.len() - yes);
        if rarer == 0 {
            continue;
        }
        let most = rarer / ROWS_PER_COLUMN;
        let taken: Vec<&[f64]> = columns.chunks_exact(n).take(most).collect();
        let share = yes as f64 / rows.len() as f64;
        if taken.is_empty() {
            for row in &rows {
                probability[*row] = share;
            }
            continue;
        }
        let cells = Cells::new(&rows, known, &taken);
        let fitted = cells.limit().map(|(fitted, aside)| {
            found.aside[side.index()] = aside;
            fitted
        });
        found.separated[side.index()] = fitted.is_none();
        found.columns[side.index()] = if fitted.is_some() { taken.len() } else { 0 };
        for (row, cell) in rows.iter().zip(&cells.of) {
            probability[*row] = fitted.as_ref().map_or(share, |own| own[*cell]);
        }
    }
    let rows = probability.iter().zip(known);
    let rows = rows.filter(|(_, known)| **known);
    found.weights = rows.map(|(own, _)| 1.0 / own).collect();
    found
}

/// Different rows that are looked through for one like the next; rows that come later are cells of their own.
const SEARCHED: usize = 16;

/// Rows with the same columns, taken together: a model of few indicators has few different rows.
struct Cells {
    /// The cell of each row.
    of: Vec<usize>,
    /// Known rows of each cell, and all.
    yes: Vec<f64>,
    trials: Vec<f64>,
    /// Column after column, a value a cell.
    columns: Vec<Vec<f64>>,
}

impl Cells {
    fn new(rows: &[usize], known: &[bool], taken: &[&[f64]]) -> Self {
        let mut cells = Self {
            of: Vec::with_capacity(rows.len()),
            yes: Vec::with_capacity(rows.len()),
            trials: Vec::with_capacity(rows.len()),
            columns: taken
                .iter()
                .map(|_| Vec::with_capacity(rows.len()))
                .collect(),
        };
        for row in rows {
            let like = |cell: &usize| {
                let mut pairs = taken.iter().zip(&cells.columns);
                pairs.all(|(column, own)| column[*row].to_bits() == own[*cell].to_bits())
            };
            let mut searched = 0..cells.len().min(SEARCHED);
            let cell = searched.find(like).unwrap_or(cells.len());
            if cell == cells.len() {
                cells.yes.push(0.0);
                cells.trials.push(0.0);
                for (own, column) in cells.columns.iter_mut().zip(taken) {
                    own.push(column[*row]);
                }
            }
            cells.of.push(cell);
            cells.yes[cell] += f64::from(u8::from(known[*row]));
            cells.trials[cell] += 1.0;
        }
        cells
    }

    fn len(&self) -> usize {
        self.trials.len()
    }

    /// The probability of each cell at the maximum of the likelihood; `None` where it has none.
    fn fit(&self) -> Option<Vec<f64>> {
        let own = BinaryRegression::fit_cells(&self.yes, &self.trials, &self.columns)?;
        Some(own.chances(&self.columns, self.len(), &own.coefficients))
    }

    /// The probability of each cell at the maximum of the likelihood, or in its limit where indicators tell rows apart that are
    /// alike, and what was set aside; `None` where columns separate the rows in another way.
    fn limit(&self) -> Option<(Vec<f64>, Vec<Aside>)> {
        let mut chances = vec![0.0; self.len()];
        let mut left: Vec<usize> = (0..self.len()).collect();
        let mut kept: Vec<usize> = (0..self.columns.len()).collect();
        let mut all = Vec::new();
        // There is no maximum while rows are told apart, and none is sought.
        while let Some((aside, known)) = self.aside(&left, &kept) {
            // On the others this column is constant, or 1 less the others that are named.
            kept.retain(|column| Some(column) != aside.columns.first());
            left.retain(|cell| {
                let out = self.is_in(&aside, *cell);
                if out {
                    chances[*cell] = known;
                }
                !out
            });
            all.push(aside);
        }
        if all.is_empty() {
            return Some((self.fit()?, all));
        }
        let fitted = match self.alike(left.iter().copied()) {
            Some(known) => vec![known; left.len()],
            None => self.part(&left, &kept).fit()?,
        };
        for (cell, chance) in left.iter().zip(fitted) {
            chances[*cell] = chance;
        }
        Some((chances, all))
    }

    /// Some cells with some columns.
    fn part(&self, left: &[usize], kept: &[usize]) -> Self {
        let of = |values: &[f64]| left.iter().map(|cell| values[*cell]).collect();
        Self {
            of: Vec::new(),
            yes: of(&self.yes),
            trials: of(&self.trials),
            columns: kept.iter().map(|own| of(&self.columns[*own])).collect(),
        }
    }

    /// The first rows of the cells `left` that indicators among the columns `kept` tell from the others and that are alike, and
    /// their probability: those with an indicator, then those with none of some neighbouring ones that exclude each other, as
    /// the families of the site without an indicator.
    fn aside(&self, left: &[usize], kept: &[usize]) -> Option<(Aside, f64)> {
        let mut with = kept.iter().filter(|own| self.indicates(left, **own));
        if let Some(own) = with.find_map(|own| self.told_apart(left, &[*own], true)) {
            return Some(own);
        }
        for from in 0..kept.len() {
            for to in from + 1..=kept.len() {
                let columns = &kept[from..to];
                let exclude = |cell: &usize| {
                    let sum: f64 = columns.iter().map(|own| self.columns[*own][*cell]).sum();
                    sum <= 1.0
                };
                let indicate = columns.iter().all(|own| self.indicates(left, *own));
                if !indicate || !left.iter().all(exclude) {
                    break;
                }
                if let Some(own) = self.told_apart(left, columns, false) {
                    return Some(own);
                }
            }
        }
        None
    }

    /// Whether a column has 0 and 1 alone.
    fn indicates(&self, left: &[usize], column: usize) -> bool {
        let mut values = left.iter().map(|cell| self.columns[column][*cell]);
        values.all(|x| x == 0.0 || x.total_cmp(&1.0).is_eq())
    }

    /// The rows with (or without) some indicators, and their probability, if there are such and others and they are alike.
    fn told_apart(&self, left: &[usize], columns: &[usize], with: bool) -> Option<(Aside, f64)> {
        let inside = |cell: &usize| self.has(columns, *cell) == with;
        let own = left.iter().copied().filter(inside);
        let number = own.clone().count();
        if number == 0 || number == left.len() {
            return None;
        }
        let known = self.alike(own)?;
        let aside = Aside {
            columns: columns.to_vec(),
            with,
            known: known > 0.0,
        };
        Some((aside, known))
    }

    /// Whether a cell has one of some indicators.
    fn has(&self, columns: &[usize], cell: usize) -> bool {
        columns.iter().any(|own| self.columns[*own][cell] > 0.0)
    }

    fn is_in(&self, aside: &Aside, cell: usize) -> bool {
        self.has(&aside.columns, cell) == aside.with
    }

    /// 1 where all rows of some cells are known, 0 where none is.
    fn alike(&self, cells: impl Iterator<Item = usize>) -> Option<f64> {
        let (mut yes, mut trials) = (0.0, 0.0);
        for cell in cells {
            yes += self.yes[cell];
            trials += self.trials[cell];
        }
        if yes <= 0.0 {
            Some(0.0)
        } else if yes >= trials {
            Some(1.0)
        } else {
            None
        }
    }
}
