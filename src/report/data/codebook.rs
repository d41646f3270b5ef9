//! Columns that explain themselves: a table whose every column stands in the codebook, for neither is written without the other.

use crate::diagnostic::Words;
use crate::report::flat::{File, Table, csv};

/// What stands where a value is missing.
pub(super) const MISSING: &str = "NA";

/// What the values of a column are.
pub(super) enum Kind {
    /// Whole numbers.
    Whole,
    /// Numbers with decimals.
    Number,
    /// One of so many codes, each with its name.
    Category(Vec<(String, Words)>),
    /// `yes` or `no`.
    YesNo,
    /// Codes with a space between.
    List,
    /// A text of ids.
    Text,
}

impl Kind {
    fn text(&self) -> &'static str {
        match self {
            Self::Whole => "integer",
            Self::Number => "number",
            Self::Category(_) => "category",
            Self::YesNo => "yes-no",
            Self::List => "list",
            Self::Text => "text",
        }
    }

    fn levels(&self) -> String {
        match self {
            Self::Category(levels) => {
                let level = |(id, name): &(String, Words)| {
                    let Words { en, sv } = name;
                    if en == sv {
                        format!("{id}: {en}")
                    } else {
                        format!("{id}: {en} / {sv}")
                    }
                };
                levels.iter().map(level).collect::<Vec<_>>().join(" | ")
            }
            Self::YesNo => "no | yes".to_owned(),
            Self::Whole | Self::Number | Self::List | Self::Text => String::new(),
        }
    }
}

/// The unit of a column of days.
pub(super) fn days() -> Words {
    Words::new("days", "dagar")
}

/// Lines of the codebook.
#[derive(Default)]
pub(super) struct Codebook(Vec<Vec<String>>);

impl Codebook {
    /// The file.
    pub(super) fn file(&self) -> File {
        let head = [
            "file",
            "column",
            "meaning_en",
            "meaning_sv",
            "type",
            "unit",
            "levels",
            "missing",
        ];
        File {
            path: "codebook.csv".to_owned(),
            text: csv(&head, &self.0),
        }
    }
}

/// A table whose columns are explained as they are added.
pub(super) struct Explained<'b> {
    path: &'static str,
    table: Table,
    book: &'b mut Codebook,
}

impl<'b> Explained<'b> {
    pub(super) fn new(path: &'static str, book: &'b mut Codebook) -> Self {
        Self {
            path,
            table: Table::new(),
            book,
        }
    }

    /// Adds a column without a unit.
    pub(super) fn add(
        &mut self,
        name: impl Into<String>,
        kind: &Kind,
        meaning: &Words,
        values: Vec<String>,
    ) {
        self.measured(name, kind, &Words::default(), meaning, values);
    }

    /// Adds a column with a unit.
    pub(super) fn measured(
        &mut self,
        name: impl Into<String>,
        kind: &Kind,
        unit: &Words,
        meaning: &Words,
        values: Vec<String>,
    ) {
        let name = name.into();
        let Words { en, sv } = unit;
        let unit = if en == sv {
            en.clone()
        } else {
            format!("{en} / {sv}")
        };
        self.book.0.push(vec![
            self.path.to_owned(),
            name.clone(),
            meaning.en.clone(),
            meaning.sv.clone(),
            kind.text().to_owned(),
            unit,
            kind.levels(),
            MISSING.to_owned(),
        ]);
        self.table.add(name, values);
    }

    pub(super) fn file(self) -> File {
        File {
            path: self.path.to_owned(),
            text: self.table.text(),
        }
    }
}

/// A value, or what stands for a missing one.
pub(super) fn cell(value: Option<impl ToString>) -> String {
    value.map_or_else(|| MISSING.to_owned(), |value| value.to_string())
}

/// `yes`, `no`, or missing.
pub(super) fn yes_no(value: Option<bool>) -> String {
    cell(value.map(|yes| if yes { "yes" } else { "no" }))
}
