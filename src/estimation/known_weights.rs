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
//! in another way goes by its share of known rows. A column that has told rows apart counts as taken: the data were asked for
//! its coefficient. The others are taken while there are [`ROWS_PER_COLUMN`] rows of the rarer kind for each among the rows
//! that are fitted, too: where rows without any known one were set aside, fewer are left.

pub use super::cells::Aside;

use super::cells::Cells;
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
        let mut rows = Vec::with_capacity(n);
        rows.extend((0..n).filter(|row| arm[*row] == side));
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
        let mut cells = Cells::new(&rows, known, &taken);
        let fitted = cells.limit(ROWS_PER_COLUMN);
        found.separated[side.index()] = fitted.is_none();
        for (row, cell) in rows.iter().zip(&cells.of) {
            probability[*row] = fitted.as_ref().map_or(share, |own| own.chances[*cell]);
        }
        if let Some(limit) = fitted {
            found.columns[side.index()] = limit.aside.len() + limit.fitted;
            found.aside[side.index()] = limit.aside;
        }
    }
    let rows = probability.iter().zip(known);
    let rows = rows.filter(|(_, known)| **known);
    found.weights.reserve_exact(n);
    found.weights.extend(rows.map(|(own, _)| 1.0 / own));
    found
}
