//! Rows that are of two kinds, known or not, or with an event or without, taken together where their columns are alike; and
//! which of them indicators tell from the others.
//!
//! Where all rows with an indicator are of one kind, or all without some that exclude each other, the likelihood of a logistic
//! model has no maximum but a limit (Albert & Anderson 1984, doi 10.1093/biomet/71.1.1: quasi-complete separation): those rows
//! have the probability 1 or 0, and the others the maximum of their own likelihood without the column that has become constant.
//! What becomes of such rows is the caller's business.

use super::binary_regression::BinaryRegression;

/// Rows that are all of one kind, as indicators tell them from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Places of the indicators among the columns.
    pub columns: Vec<usize>,
    /// Whether the rows have the (one) indicator; otherwise they have none of them.
    pub with: bool,
    /// Whether the rows are known (or have the event): their probability is 1 in the limit. Otherwise it is 0.
    pub known: bool,
}

impl Aside {
    /// Whether a row belongs to them, given the value of each column.
    pub(super) fn has(&self, value: impl Fn(usize) -> f64) -> bool {
        self.columns.iter().any(|own| value(*own) > 0.0) == self.with
    }
}

/// Different rows that are looked through for one like the next; rows that come later are cells of their own.
const SEARCHED: usize = 16;

/// An odd number whose multiples spread over all bits (⌊2⁶⁴/φ⌋, φ the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Rows with the same columns, taken together: a model of few indicators has few different rows.
pub(super) struct Cells {
    /// The cell of each row.
    pub(super) of: Vec<usize>,
    /// Rows with an event (or known) in each cell, and all.
    yes: Vec<f64>,
    trials: Vec<f64>,
    /// Column after column, a value a cell.
    columns: Vec<Vec<f64>>,
}

/// What is told apart.
pub(super) struct Apart {
    /// In the order in which they were told apart; a row belongs to the first that has it.
    pub(super) aside: Vec<Aside>,
    /// Cells of the others, ascending.
    left: Vec<usize>,
    /// Columns that are not constant on the others, or a combination of those that are named; ascending.
    pub(super) kept: Vec<usize>,
}

/// A fit in its limit.
pub(super) struct Limit {
    /// The probability of each cell.
    pub(super) chances: Vec<f64>,
    /// Rows with the probability 0 or 1.
    pub(super) aside: Vec<Aside>,
    /// Columns that the others were fitted with.
    pub(super) fitted: usize,
}

impl Cells {
    /// The cells of some rows by the columns `taken`; `yes` has a value for each row that there is.
    pub(super) fn new(rows: &[usize], yes: &[bool], taken: &[&[f64]]) -> Self {
        let room = || Vec::with_capacity(rows.len());
        let mut cells = Self {
            of: Vec::with_capacity(rows.len()),
            yes: room(),
            trials: room(),
            columns: taken.iter().map(|_| room()).collect(),
        };
        // Of the cells that are looked through a number each, which those alike share.
        let mut shared: Vec<u64> = Vec::with_capacity(SEARCHED);
        for row in rows {
            let bits = taken.iter().map(|column| column[*row].to_bits());
            let own = bits.fold(0u64, |own, bits| {
                (own ^ bits).wrapping_mul(SPREAD).rotate_left(26)
            });
            let like = |cell: &usize| {
                let mut pairs = taken.iter().zip(&cells.columns);
                pairs.all(|(column, own)| column[*row].to_bits() == own[*cell].to_bits())
            };
            let searched = shared.iter().enumerate();
            let mut searched = searched.filter(|(_, of)| **of == own).map(|(cell, _)| cell);
            let cell = searched.find(like).unwrap_or(cells.len());
            if cell == cells.len() {
                if shared.len() < SEARCHED {
                    shared.push(own);
                }
                cells.yes.push(0.0);
                cells.trials.push(0.0);
                for (own, column) in cells.columns.iter_mut().zip(taken) {
                    own.push(column[*row]);
                }
            }
            cells.of.push(cell);
            cells.yes[cell] += f64::from(u8::from(yes[*row]));
            cells.trials[cell] += 1.0;
        }
        cells
    }

    fn len(&self) -> usize {
        self.trials.len()
    }

    /// The probability of each cell at the maximum of the likelihood, or in its limit where indicators tell rows apart that
    /// are alike; `None` where columns separate the rows in another way. The cells are left with what was fitted. Of rows
    /// that are told apart the others have a column for each `each` of their rarer kind at most.
    pub(super) fn limit(&mut self, each: usize) -> Option<Limit> {
        let mut apart = self.apart();
        if apart.aside.is_empty() {
            return Some(Limit {
                chances: self.fit()?,
                aside: apart.aside,
                fitted: self.columns.len(),
            });
        }
        let mut chances: Vec<f64> = (0..self.len())
            .map(|cell| {
                let own = self.place(&apart.aside, cell);
                own.map_or(0.0, |own| f64::from(u8::from(apart.aside[own].known)))
            })
            .collect();
        self.keep(&mut apart, each);
        let fitted = match alike(self.total()) {
            Some(known) => vec![f64::from(u8::from(known)); self.len()],
            None => self.fit()?,
        };
        for (cell, chance) in apart.left.iter().zip(fitted) {
            chances[*cell] = chance;
        }
        Some(Limit {
            chances,
            aside: apart.aside,
            fitted: apart.kept.len(),
        })
    }

    fn fit(&self) -> Option<Vec<f64>> {
        let (yes, trials, columns) = (&self.yes, &self.trials, &self.columns);
        BinaryRegression::chances_of_cells(yes, trials, columns)
    }

    /// Keeps the cells that were not told apart, with the columns that are left while there are `each` rows of the rarer kind
    /// for each; the rows' cells are left as they were.
    pub(super) fn keep(&mut self, apart: &mut Apart, each: usize) {
        let [yes, trials] = self.counts(apart.left.iter().copied());
        apart.kept.truncate(yes.min(trials - yes) as usize / each);
        keep(&mut self.columns, &apart.kept);
        for own in [&mut self.yes, &mut self.trials] {
            keep(own, &apart.left);
        }
        for column in &mut self.columns {
            keep(column, &apart.left);
        }
    }

    /// The model of the cells: the maximum of the likelihood, or of the penalized one where there is none.
    pub(super) fn model(&self) -> Option<BinaryRegression> {
        let (yes, trials, columns) = (&self.yes, &self.trials, &self.columns);
        BinaryRegression::fit_cells(yes, trials, columns)
            .or_else(|| BinaryRegression::penalized(yes, trials, columns))
    }

    /// Events and all rows of the cells.
    pub(super) fn total(&self) -> [f64; 2] {
        self.counts(0..self.len())
    }

    /// Events and all rows of those that were told apart, in their order.
    pub(super) fn aside_counts(&self, aside: &[Aside]) -> Vec<[f64; 2]> {
        let mut counts = vec![[0.0; 2]; aside.len()];
        for cell in 0..self.len() {
            if let Some(own) = self.place(aside, cell) {
                counts[own][0] += self.yes[cell];
                counts[own][1] += self.trials[cell];
            }
        }
        counts
    }

    /// Which of some rows that were told apart a cell belongs to.
    fn place(&self, aside: &[Aside], cell: usize) -> Option<usize> {
        let mut aside = aside.iter();
        aside.position(|own| own.has(|column| self.columns[column][cell]))
    }

    /// What indicators tell apart: there is no maximum while they do.
    pub(super) fn apart(&self) -> Apart {
        let mut apart = Apart {
            aside: Vec::new(),
            left: (0..self.len()).collect(),
            kept: (0..self.columns.len()).collect(),
        };
        while let Some(aside) = self.aside(&apart.left, &apart.kept) {
            // On the others this column is constant, or 1 less the others that are named.
            let (left, kept) = (&mut apart.left, &mut apart.kept);
            kept.retain(|column| Some(column) != aside.columns.first());
            left.retain(|cell| !aside.has(|column| self.columns[column][*cell]));
            apart.aside.push(aside);
        }
        apart
    }

    /// The first rows of the cells `left` that indicators among the columns `kept` tell from the others and that are alike:
    /// those with an indicator, then those with none of some neighbouring ones that exclude each other, as the families of
    /// the site without an indicator.
    fn aside(&self, left: &[usize], kept: &[usize]) -> Option<Aside> {
        let marked: Vec<Option<Marked>> = kept.iter().map(|own| self.marked(left, *own)).collect();
        for (own, marked) in kept.iter().zip(&marked) {
            let Some(marked) = marked else { continue };
            if marked.cells == 0 || marked.cells == left.len() {
                continue;
            }
            if let Some(known) = alike(marked.counts) {
                return Some(Aside {
                    columns: vec![*own],
                    with: true,
                    known,
                });
            }
        }
        let all = self.counts(left.iter().copied());
        for from in 0..kept.len() {
            let mut with = Marked::default();
            for (to, own) in marked.iter().enumerate().skip(from) {
                let Some(own) = own.as_ref().filter(|own| !with.meets(own)) else {
                    break;
                };
                with.join(own);
                let others = left.len() - with.cells;
                if others == 0 || others == left.len() {
                    continue;
                }
                let [yes, trials] = with.counts;
                if let Some(known) = alike([all[0] - yes, all[1] - trials]) {
                    return Some(Aside {
                        columns: kept[from..=to].to_vec(),
                        with: false,
                        known,
                    });
                }
            }
        }
        None
    }

    /// The cells with an indicator; `None` for a column that has other values than 0 and 1.
    fn marked(&self, left: &[usize], column: usize) -> Option<Marked> {
        let mut marked = Marked {
            places: vec![0; left.len().div_ceil(64)],
            ..Marked::default()
        };
        for (place, cell) in left.iter().enumerate() {
            let x = self.columns[column][*cell];
            if x.to_bits() == 1f64.to_bits() {
                marked.places[place / 64] |= 1 << (place % 64);
                marked.cells += 1;
                marked.counts[0] += self.yes[*cell];
                marked.counts[1] += self.trials[*cell];
            } else if x != 0.0 {
                return None;
            }
        }
        Some(marked)
    }

    fn counts(&self, cells: impl Iterator<Item = usize>) -> [f64; 2] {
        cells.fold([0.0; 2], |[yes, trials], cell| {
            [yes + self.yes[cell], trials + self.trials[cell]]
        })
    }
}

/// Cells with some indicators that exclude each other.
#[derive(Default)]
struct Marked {
    /// A bit for each place among the cells that are looked at.
    places: Vec<u64>,
    cells: usize,
    /// Events and all rows.
    counts: [f64; 2],
}

impl Marked {
    fn meets(&self, other: &Self) -> bool {
        let mut pairs = self.places.iter().zip(&other.places);
        pairs.any(|(own, other)| own & other != 0)
    }

    /// Takes in the cells of another indicator.
    fn join(&mut self, other: &Self) {
        self.places.resize(other.places.len(), 0);
        for (own, other) in self.places.iter_mut().zip(&other.places) {
            *own |= other;
        }
        self.cells += other.cells;
        self.counts[0] += other.counts[0];
        self.counts[1] += other.counts[1];
    }
}

/// Whether some rows are events, where they are alike: by events and all.
fn alike([yes, trials]: [f64; 2]) -> Option<bool> {
    if yes <= 0.0 {
        Some(false)
    } else if yes >= trials {
        Some(true)
    } else {
        None
    }
}

/// Keeps the values at some places, which ascend.
fn keep<T>(values: &mut Vec<T>, places: &[usize]) {
    let mut at = 0..values.len();
    values.retain(|_| {
        at.next()
            .is_some_and(|own| places.binary_search(&own).is_ok())
    });
}
