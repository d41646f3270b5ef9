//! Rows beside the result of a skewed number, such as a cost.

use crate::diagnostic::Words;
use crate::words;

/// A check of a difference of means that few large values may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skewed {
    /// The same analysis of outcomes whose extremes are drawn in.
    Winsorized,
    /// The same effect with the interval of the studentized bootstrap.
    Bootstrap,
}

impl Skewed {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Winsorized, Self::Bootstrap];

    /// The name of the row.
    pub fn text(self) -> &'static str {
        match self {
            Self::Winsorized => "winsorized",
            Self::Bootstrap => "bootstrap",
        }
    }

    /// The row of a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.text() == text)
    }

    /// Its name for people.
    pub fn words(self) -> Words {
        match self {
            Self::Winsorized => words!(
                "extreme outcomes drawn in (winsorized)",
                "extrema utfall indragna (winsoriserade)"
            ),
            Self::Bootstrap => words!(
                "studentized bootstrap of families",
                "studentiserad bootstrap av familjer"
            ),
        }
    }
}
