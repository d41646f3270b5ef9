//! Figures of a report, one per file: an SVG with a title and a full text alternative, and the table of its numbers.
//!
//! To add a figure, write `figures/<id>.rs` with an entry and one line in [`FIGURES`]; the page decides where it
//! stands. Drawing is separate from deciding what is drawn (`*_layout`, `*_chart`). Colour never carries meaning alone.

mod flow;
mod flow_layout;
mod forest;
mod forest_chart;
mod recruitment;
mod recruitment_chart;

use super::{Grid, Report};
use crate::diagnostic::Lang;

/// A figure in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Identifier, kebab-case; also the prefix of the ids inside the drawing.
    pub id: &'static str,
    /// Title.
    pub title: String,
    /// Everything that the drawing shows, as sentences.
    pub desc: String,
    /// The drawing, to be placed inside HTML.
    pub svg: String,
    /// The numbers of the drawing; `None` when the page has them in a table of their own.
    pub table: Option<Grid>,
}

impl Figure {
    /// The drawing as a file of its own.
    pub fn standalone(&self) -> String {
        self.svg
            .replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1)
    }
}

/// A registered figure.
#[derive(Debug, Clone, Copy)]
pub struct FigureEntry {
    /// Identifier, kebab-case.
    pub id: &'static str,
    /// Draws it; `None` when the report has nothing to draw.
    pub draw: fn(&Report<'_>, Lang) -> Option<Figure>,
}

/// All figures.
pub const FIGURES: &[FigureEntry] = &[flow::ENTRY, forest::ENTRY, recruitment::ENTRY];

/// Draws a registered figure by its id.
pub fn draw(id: &str, report: &Report<'_>, lang: Lang) -> Option<Figure> {
    let entry = FIGURES.iter().find(|entry| entry.id == id)?;
    (entry.draw)(report, lang)
}
