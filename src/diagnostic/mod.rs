//! A finding as data: what is wrong, where, and what to do next, in English and Swedish.
//!
//! Protocol, scenario, import map and CSV files all report [`Diagnostic`]s, all of them at once.
//! This room does not colour or print anything: the terminal does that in `cli`, a page in `report`.

mod nearest;
mod words;

pub use nearest::nearest;
pub use words::{Lang, Words};

use std::ops::Range;

/// How grave a finding is. An error refuses the file; a warning is shown and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is accepted; a person should know this.
    Warning,
}

/// Where a finding is. Rows and columns count from 1, as people count; the header is row 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Byte range in the text of the file.
    pub span: Option<Range<usize>>,
    /// Row of a table, the header being row 1.
    pub row: Option<usize>,
    /// Name of the column of a table.
    pub column: Option<String>,
}

impl Place {
    /// A byte range of a text file.
    pub fn span(span: Range<usize>) -> Self {
        Self {
            span: Some(span),
            ..Self::default()
        }
    }

    /// A row of a table, the header being row 1.
    pub fn row(row: usize) -> Self {
        Self {
            row: Some(row),
            ..Self::default()
        }
    }

    /// A cell of a table.
    pub fn cell(row: usize, column: impl Into<String>) -> Self {
        Self {
            row: Some(row),
            column: Some(column.into()),
            span: None,
        }
    }

    /// A column of a table.
    pub fn column(column: impl Into<String>) -> Self {
        Self {
            column: Some(column.into()),
            ..Self::default()
        }
    }
}

/// One finding. `code` is stable, kebab-case, and has a page: `lottning explain <code>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable identifier, for example `unknown-key`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong.
    pub message: Words,
    /// Where it is; `None` when the whole file is meant.
    pub place: Option<Place>,
    /// A short text at the spot itself.
    pub label: Option<Words>,
    /// What to do next.
    pub help: Option<Words>,
}

impl Diagnostic {
    /// An error without a place; add one with [`Diagnostic::at`].
    pub fn error(code: &'static str, message: Words) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message,
            place: None,
            label: None,
            help: None,
        }
    }

    /// A warning without a place; add one with [`Diagnostic::at`].
    pub fn warning(code: &'static str, message: Words) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says what is at the spot, in a few words.
    #[must_use]
    pub fn label(mut self, label: Words) -> Self {
        self.label = Some(label);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: Words) -> Self {
        self.help = Some(help);
        self
    }

    /// Whether this finding refuses the file.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
