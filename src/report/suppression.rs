//! Small counts that are not shown, and with them all that they could be worked out from.
//!
//! Whoever reads knows the rule. A rule that masks one count more wherever a masked one can be worked out tells by what it
//! masks which numbers made it do so. Here a whole table stands or falls: its cells are shown if none of them is small; else,
//! if no total over its rows is, those totals alone; else nothing but how many families each row has. Whatever is masked
//! looks alike, small, large or 0. That every table with a small cell shares its page with another in which that cell is not
//! the same is shown by listing all small tables, in `tests/by_hand/suppression.rs`, and in general by moving one family:
//! a small cell of 1 to bound − 2 may be one more, at the cost of another cell of its row and, where totals are shown, of its
//! column, both of which there are, since rows and shown totals are no small numbers; and one of bound − 1 may be one less, or,
//! where that leaves a cell without families, one more, which makes a 1 elsewhere.

/// What is shown of a table; `None` is masked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown {
    /// Cells, row by row.
    pub cells: Vec<Vec<Option<u32>>>,
    /// Totals of the columns.
    pub totals: Vec<Option<u32>>,
}

/// Counts below a bound, which are small unless they are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound(pub u32);

impl Bound {
    /// Whether a count is small.
    ///
    /// ```
    /// use lottning::report::suppression::Bound;
    /// let small = [0, 1, 4, 5].map(|count| Bound(5).is_small(count));
    /// assert_eq!(small, [false, true, true, false]);
    /// ```
    pub fn is_small(self, count: u32) -> bool {
        (1..self.0).contains(&count)
    }

    /// Whether one of some counts is small.
    pub fn any_small(self, counts: &[u32]) -> bool {
        counts.iter().any(|own| self.is_small(*own))
    }

    /// A table whose rows are parted families of which it is known how many they are, none of them a small number; the totals
    /// of its columns are shown too.
    pub fn table(self, rows: &[Vec<u32>]) -> Shown {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let of = |column: usize| rows.iter().filter_map(|row| row.get(column)).sum();
        let totals: Vec<u32> = (0..columns).map(of).collect();
        let whole = !rows.iter().any(|row| self.any_small(row)) && !self.any_small(&totals);
        let summed = !self.any_small(&totals);
        let all = |counts: &[u32], shown: bool| -> Vec<Option<u32>> {
            counts.iter().map(|own| shown.then_some(*own)).collect()
        };
        Shown {
            cells: rows.iter().map(|row| all(row, whole)).collect(),
            totals: all(&totals, summed),
        }
    }

    /// Parts and their total: the parts if none of them is small, the total unless it is.
    pub fn parts(self, parts: &[u32]) -> (Vec<Option<u32>>, Option<u32>) {
        let total = parts.iter().sum();
        let (whole, summed) = (!self.any_small(parts), !self.is_small(total));
        let shown = |own: &u32| (whole && summed).then_some(*own);
        (parts.iter().map(shown).collect(), summed.then_some(total))
    }
}
