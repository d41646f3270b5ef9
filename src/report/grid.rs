//! A table as text in cells: what the page shows and what stands beneath a figure.
//!
//! Cells are finished text in one language. The machine-readable tables are in `delimited` and `json`.

/// A table with a caption, a header row and a label for each row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grid {
    /// What the table shows.
    pub caption: String,
    /// Headers, the one above the labels first.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<GridRow>,
    /// Whether the cells are numbers, aligned to the right.
    pub numeric: bool,
    /// Remarks under the table.
    pub notes: Vec<String>,
}

/// One row of a [`Grid`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GridRow {
    /// The label at the left.
    pub label: String,
    /// Whether the row belongs to the one above.
    pub indent: bool,
    /// Whether the row is a total or a heading.
    pub strong: bool,
    /// The cells after the label; none for a heading across the table.
    pub cells: Vec<String>,
}

impl Grid {
    /// An empty table of numbers.
    pub fn numbers(caption: impl Into<String>, head: Vec<String>) -> Self {
        Self {
            caption: caption.into(),
            head,
            numeric: true,
            ..Self::default()
        }
    }

    /// An empty table of sentences.
    pub fn prose(caption: impl Into<String>, head: Vec<String>) -> Self {
        Self {
            caption: caption.into(),
            head,
            ..Self::default()
        }
    }

    /// Whether the columns are few enough that numbers need not be broken.
    pub fn tight(&self) -> bool {
        self.numeric && self.head.len() <= 5
    }

    /// Whether the table is short enough to stand on one printed page.
    pub fn short(&self) -> bool {
        self.rows.len() <= 18
    }

    /// Adds a row.
    pub fn row(&mut self, label: impl Into<String>, cells: Vec<String>) {
        self.rows.push(GridRow {
            label: label.into(),
            cells,
            ..GridRow::default()
        });
    }

    /// Adds a row that belongs to the one above.
    pub fn sub(&mut self, label: impl Into<String>, cells: Vec<String>) {
        self.rows.push(GridRow {
            label: label.into(),
            cells,
            indent: true,
            strong: false,
        });
    }

    /// Adds a heading or a total.
    pub fn strong(&mut self, label: impl Into<String>, cells: Vec<String>) {
        self.rows.push(GridRow {
            label: label.into(),
            cells,
            indent: false,
            strong: true,
        });
    }
}
