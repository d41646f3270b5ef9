//! Rows whose prediction a linear predictor's own rows determine: those in their span.
//!
//! A column that is a combination of others on the rows of a fit has no coefficient of its own, and leaving it out says of a
//! row that breaks the combination what is true of other rows alone: a family of a level that no row of the fit has would
//! count as one of the reference level. Which rows are estimable does not depend on how the columns are coded.

use crate::numerics::linear_algebra::Qr;

/// A combination holds where what is left of it is less than this part of its terms, and a term belongs to it that is more
/// than [`TERM`] of the column; both above [`crate::numerics::linear_algebra::RANK_TOLERANCE`]'s rounding.
const HOLDS: f64 = 1e-6;
const TERM: f64 = 1e-7;

/// A column as a combination of columns before it.
#[derive(Debug, Clone)]
struct Relation {
    column: usize,
    terms: Vec<(usize, f64)>,
}

/// What holds for all rows of a fit, by columns of which the first is 1.
#[derive(Debug, Clone)]
pub(super) struct Estimable(Vec<Relation>);

impl Estimable {
    /// Of the rows whose column-major `matrix` was factored.
    pub(super) fn new(qr: &Qr, matrix: &[f64]) -> Self {
        let n = qr.rows();
        let column = |own: usize| matrix.get(own * n..(own + 1) * n).unwrap_or(&[]);
        let most = |own: usize| {
            column(own)
                .iter()
                .fold(0.0, |most: f64, x| most.max(x.abs()))
        };
        let relation = |own: &usize| {
            let terms = qr.kept().iter().copied().zip(qr.coefficients(column(*own)));
            let terms = terms.filter(|(of, b)| b.abs() * most(*of) > TERM * most(*own));
            Relation {
                column: *own,
                terms: terms.collect(),
            }
        };
        Self(qr.dropped().iter().map(relation).collect())
    }

    /// The columns of the combinations that a row breaks, given its value of each column; none where it is estimable.
    pub(super) fn broken(&self, value: impl Fn(usize) -> f64) -> Vec<usize> {
        let mut columns = Vec::new();
        for own in &self.0 {
            let x = value(own.column);
            let (mut left, mut size) = (x, x.abs());
            for (column, b) in &own.terms {
                let term = b * value(*column);
                left -= term;
                size += term.abs();
            }
            if left.abs() > HOLDS * size {
                columns.push(own.column);
                columns.extend(own.terms.iter().map(|(column, _)| *column));
            }
        }
        columns
    }
}

/// Unknown rows of whose kind no row is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unlike {
    /// Their places among the unknown rows, ascending.
    pub rows: Vec<usize>,
    /// Places of the columns that tell them from all known rows, ascending.
    pub columns: Vec<usize>,
}

impl Unlike {
    /// Adds those of some unknown rows of whose kind none of the known rows `from` is, by the columns `which` of those that are
    /// taken; these have `known` rows before the unknown ones.
    pub(super) fn add(
        &mut self,
        (taken, which): (&[&[f64]], &[usize]),
        from: &[usize],
        (known, unknown): (usize, impl Iterator<Item = usize>),
    ) {
        let mut matrix = vec![1.0; from.len()];
        for own in which {
            matrix.extend(from.iter().map(|row| taken[*own][*row]));
        }
        let mut qr = Qr::default();
        qr.factor(from.len(), &matrix);
        if qr.dropped().is_empty() {
            return;
        }
        let estimable = Estimable::new(&qr, &matrix);
        let column = |own: usize| own.checked_sub(1).map(|own| which[own]);
        for row in unknown {
            let broken =
                estimable.broken(|own| column(own).map_or(1.0, |own| taken[own][known + row]));
            if !broken.is_empty() {
                self.rows.push(row);
                self.columns.extend(broken.into_iter().filter_map(column));
            }
        }
        for own in [&mut self.rows, &mut self.columns] {
            own.sort_unstable();
            own.dedup();
        }
    }
}
