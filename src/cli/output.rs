//! What a verb answers, and the three formats in which it is written: from one [`Document`], in one place.
//!
//! JSON has full precision, keys that are never translated, and `null` for an undefined number. CSV is the main grid with
//! keys as its header, a decimal point and an empty cell for what is missing. The table is for people: rounded, translated.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::{Failure, exit};
use crate::diagnostic::{Lang, Words};
use crate::words;

/// A format of standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For spreadsheets and scripts.
    Csv,
    /// For programs.
    Json,
}

/// How a number is shown to people. CSV and JSON always have full precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A fixed number of decimals.
    Decimals(usize),
    /// At least this many significant digits, at most eight decimals.
    Significant(usize),
    /// A p-value: three decimals, `<0.001` below.
    PValue,
    /// Percent with this many decimals.
    Percent(usize),
}

/// One cell of a grid.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing, or a number that is undefined.
    Empty,
    /// A name, an id, a code: never translated.
    Text(String),
    /// Words for people; CSV has the English ones.
    Words(Words),
    /// A count.
    Whole(i64),
    /// A number. Use [`Cell::number`], which turns what is not finite into [`Cell::Empty`].
    Number(f64, Shown),
}

impl Cell {
    /// A number, or nothing when it is undefined.
    pub fn number(value: impl Into<Option<f64>>, shown: Shown) -> Self {
        match value.into() {
            Some(value) if value.is_finite() => Self::Number(value, shown),
            _ => Self::Empty,
        }
    }

    /// A count.
    pub fn count(value: usize) -> Self {
        i64::try_from(value).map_or(Self::Empty, Self::Whole)
    }

    /// A name, an id or a code.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn plain(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Words(words) => words.en.clone(),
            Self::Whole(value) => value.to_string(),
            Self::Number(value, _) => full(*value),
        }
    }

    /// As people read it.
    pub fn shown(&self, lang: Lang) -> String {
        match self {
            Self::Empty => "–".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Words(words) => words.get(lang).to_owned(),
            Self::Whole(value) => value.to_string(),
            Self::Number(value, shown) => number(*value, *shown, lang),
        }
    }

    fn is_numeric(&self) -> bool {
        matches!(self, Self::Empty | Self::Whole(_) | Self::Number(..))
    }
}

/// The shortest text that reads back as the same number.
fn full(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs();
    if (1e-5..1e16).contains(&magnitude) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// A number for people, with a decimal comma in Swedish.
pub fn number(value: f64, shown: Shown, lang: Lang) -> String {
    let text = match shown {
        Shown::Decimals(decimals) => format!("{value:.decimals$}"),
        Shown::Significant(digits) => significant(value, digits),
        Shown::PValue if value < 0.0005 => "<0.001".to_owned(),
        Shown::PValue => format!("{value:.3}"),
        Shown::Percent(decimals) => format!("{:.decimals$} %", 100.0 * value),
    };
    let text = if text.starts_with('-') && !text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        text[1..].to_owned()
    } else {
        text
    };
    match lang {
        Lang::En => text,
        Lang::Sv => text.replace('.', ","),
    }
}

/// The decimals that show a standard error with three significant digits; its estimate is shown with as many.
pub fn decimals_for(std_error: Option<f64>) -> Shown {
    match std_error {
        Some(value) if value.is_finite() && value > 0.0 => {
            let shown = significant(value, 3);
            if shown.contains('e') {
                return Shown::Significant(4);
            }
            Shown::Decimals(
                shown
                    .split_once('.')
                    .map_or(0, |(_, decimals)| decimals.len()),
            )
        }
        _ => Shown::Significant(4),
    }
}

fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value:.0}");
    }
    if !(1e-6..1e15).contains(&value.abs()) {
        let decimals = digits.saturating_sub(1);
        return format!("{value:.decimals$e}");
    }
    // Position of the leading digit, read from the scientific text: no logarithm, no rounding trap at 9.99….
    let decimals = digits.saturating_sub(1);
    let scientific = format!("{value:.decimals$e}");
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    let decimals = (decimals as i32 - exponent).clamp(0, 8) as usize;
    format!("{value:.decimals$}")
}

/// One column of a grid: its key in CSV and its words for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Header in CSV, never translated.
    pub key: String,
    /// Header in the table.
    pub words: Words,
}

/// Rows and columns with a title.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    title: Option<Words>,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// An empty grid without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// A title above the table.
    #[must_use]
    pub fn title(mut self, words: Words) -> Self {
        self.title = Some(words);
        self
    }

    /// Adds a column: its key in CSV and its words for people.
    #[must_use]
    pub fn column(mut self, key: impl Into<String>, words: Words) -> Self {
        self.columns.push(Column {
            key: key.into(),
            words,
        });
        self
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut cells: Vec<Cell> = cells.into_iter().collect();
        cells.resize(self.columns.len(), Cell::Empty);
        self.rows.push(cells);
    }

    /// Drops the columns that are empty in every row from the table for people (CSV keeps its own copy).
    #[must_use]
    pub fn without_empty_columns(mut self) -> Self {
        for at in (0..self.columns.len()).rev() {
            if self.rows.iter().all(|row| row[at] == Cell::Empty) {
                self.columns.remove(at);
                for row in &mut self.rows {
                    row.remove(at);
                }
            }
        }
        self
    }

    fn table(&self, lang: Lang) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(self.columns.iter().map(|column| column.words.get(lang)));
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| cell.shown(lang)));
        }
        for at in 0..self.columns.len() {
            let numeric = self
                .rows
                .iter()
                .all(|row| row.get(at).is_some_and(Cell::is_numeric));
            if let Some(column) = table.column_mut(at) {
                column.set_padding((u16::from(at != 0), 1));
                if numeric {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        let mut text = String::new();
        if let Some(title) = &self.title {
            let _ = writeln!(text, "{}", title.get(lang));
        }
        for line in table.lines() {
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }

    fn csv(&self) -> Result<String, Failure> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::Any(b'\n'))
            .from_writer(Vec::new());
        let mut result = writer.write_record(self.columns.iter().map(|column| &column.key));
        for row in &self.rows {
            result = result.and_then(|()| writer.write_record(row.iter().map(Cell::plain)));
        }
        result.map_err(|error| not_written(&error.to_string()))?;
        let bytes = writer
            .into_inner()
            .map_err(|error| not_written(&error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| not_written(&error.to_string()))
    }
}

/// The failure of an answer that could not be written.
pub fn not_written(reason: &str) -> Failure {
    Failure::new(
        exit::UNEXPECTED,
        "no-answer",
        words!(
            "the answer could not be written: {reason}",
            "svaret kunde inte skrivas: {reason}"
        ),
    )
}

/// What a verb answers.
#[derive(Debug, Clone)]
pub struct Document {
    value: Map<String, Value>,
    one_line: bool,
    default: Format,
    parts: Vec<Part>,
    csv: Option<Grid>,
    exit: u8,
}

#[derive(Debug, Clone)]
enum Part {
    Text(Words),
    Grid(Grid),
}

impl Document {
    /// An answer with the schema `lottning.<schema>` (`schema` is for example `estimates/1`) and the fields of `body`.
    ///
    /// # Errors
    /// A `body` that is not an object of JSON: a defect of the program, exit 1.
    pub fn new(schema: &str, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).map_err(|error| not_written(&error.to_string()))?;
        let Value::Object(fields) = body else {
            return Err(not_written("the body is no object"));
        };
        let mut value = Map::new();
        value.insert("schema".into(), format!("lottning.{schema}").into());
        value.extend(fields);
        Ok(Self {
            value,
            one_line: false,
            default: Format::Table,
            parts: Vec::new(),
            csv: None,
            exit: exit::DONE,
        })
    }

    /// An answer that has been written line by line already: nothing is left to write, only the exit code counts.
    pub fn streamed(exit: u8) -> Self {
        Self {
            value: Map::new(),
            one_line: true,
            default: Format::Json,
            parts: Vec::new(),
            csv: None,
            exit,
        }
    }

    /// Adds a grid to what people see. The first grid is also the CSV, unless [`Document::csv`] gives another.
    #[must_use]
    pub fn grid(mut self, grid: Grid) -> Self {
        self.parts.push(Part::Grid(grid));
        self
    }

    /// Adds a paragraph to what people see.
    #[must_use]
    pub fn text(mut self, words: Words) -> Self {
        self.parts.push(Part::Text(words));
        self
    }

    /// The grid that is written as CSV, when it is not the first one that people see.
    #[must_use]
    pub fn csv(mut self, grid: Grid) -> Self {
        self.csv = Some(grid);
        self
    }

    /// Prints JSON on one line, and JSON unless another format is asked for: receipts of study verbs.
    #[must_use]
    pub fn receipt(mut self) -> Self {
        self.one_line = true;
        self.default = Format::Json;
        self
    }

    /// The format when none is asked for.
    #[must_use]
    pub fn default_format(mut self, format: Format) -> Self {
        self.default = format;
        self
    }

    /// The exit code of the process, a constant of [`exit`]; 0 when nothing is said.
    #[must_use]
    pub fn exit(mut self, code: u8) -> Self {
        self.exit = code;
        self
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        self.exit
    }

    /// The text of standard output.
    ///
    /// # Errors
    /// CSV of an answer that has no rows and columns: exit 2.
    pub fn render(&self, format: Option<Format>, lang: Lang) -> Result<String, Failure> {
        if self.value.is_empty() {
            return Ok(String::new());
        }
        match format.unwrap_or(self.default) {
            Format::Json => self.json(),
            Format::Csv => self.as_csv(),
            Format::Table if self.parts.is_empty() => self.json(),
            Format::Table => Ok(self.as_table(lang)),
        }
    }

    fn json(&self) -> Result<String, Failure> {
        let text = if self.one_line {
            serde_json::to_string(&self.value)
        } else {
            serde_json::to_string_pretty(&self.value)
        };
        text.map(|text| text + "\n")
            .map_err(|error| not_written(&error.to_string()))
    }

    fn as_csv(&self) -> Result<String, Failure> {
        let first = self.parts.iter().find_map(|part| match part {
            Part::Grid(grid) => Some(grid),
            Part::Text(_) => None,
        });
        if let Some(grid) = self.csv.as_ref().or(first) {
            return grid.csv();
        }
        // An answer without rows is one row of its plain fields.
        let mut grid = Grid::new();
        let mut row = Vec::new();
        for (key, value) in &self.value {
            let cell = match value {
                Value::Null => Cell::Empty,
                Value::Bool(value) => Cell::text(value.to_string()),
                Value::Number(value) => Cell::text(value.to_string()),
                Value::String(value) => Cell::text(value),
                Value::Array(_) | Value::Object(_) => continue,
            };
            grid = grid.column(key, Words::same(key));
            row.push(cell);
        }
        grid.row(row);
        grid.csv()
    }

    fn as_table(&self, lang: Lang) -> String {
        let mut text = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            match part {
                Part::Text(words) => {
                    let _ = writeln!(text, "{}", words.get(lang));
                }
                Part::Grid(grid) => text.push_str(&grid.table(lang)),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Document, Format, Grid, Shown, number};
    use crate::diagnostic::{Lang, Words};
    use serde_json::json;

    fn document() -> Document {
        let mut grid = Grid::new()
            .column("term", Words::new("comparison", "jämförelse"))
            .column("estimate", Words::new("estimate", "skattning"));
        grid.row([
            Cell::text("iuh vs standard"),
            Cell::number(-0.08, Shown::Significant(3)),
        ]);
        grid.row([
            Cell::text("a; \"b\""),
            Cell::number(f64::NAN, Shown::Decimals(2)),
        ]);
        Document::new("estimates/1", &json!({"b": 0.1, "a": f64::NAN}))
            .unwrap()
            .grid(grid)
    }

    #[test]
    fn json_opens_with_the_schema_keeps_order_and_has_null_for_nan() {
        let text = document().render(Some(Format::Json), Lang::Sv).unwrap();
        assert_eq!(
            text,
            "{\n  \"schema\": \"lottning.estimates/1\",\n  \"b\": 0.1,\n  \"a\": null\n}\n"
        );
    }

    #[test]
    fn csv_has_keys_a_point_and_empty_cells() {
        let text = document().render(Some(Format::Csv), Lang::Sv).unwrap();
        assert_eq!(
            text,
            "term,estimate\niuh vs standard,-0.08\n\"a; \"\"b\"\"\",\n"
        );
    }

    #[test]
    fn the_table_is_translated() {
        let text = document().render(None, Lang::Sv).unwrap();
        assert!(text.contains("jämförelse"), "{text}");
        assert!(text.contains("-0,0800"), "{text}");
        assert!(text.contains('–'), "{text}");
    }

    #[test]
    fn numbers_for_people() {
        let en = |value, shown| number(value, shown, Lang::En);
        assert_eq!(en(0.000_49, Shown::PValue), "<0.001");
        assert_eq!(en(0.000_5, Shown::PValue), "0.001"); // 0.0005 rounds up to the smallest shown
        assert_eq!(en(0.049_9, Shown::PValue), "0.050");
        assert_eq!(en(1234.567, Shown::Significant(3)), "1235");
        assert_eq!(en(0.012_345, Shown::Significant(3)), "0.0123");
        assert_eq!(en(9.996, Shown::Significant(3)), "10.0");
        assert_eq!(en(-0.000_1, Shown::Decimals(2)), "0.00", "no minus zero");
        assert_eq!(number(0.255, Shown::Percent(1), Lang::Sv), "25,5 %");
    }
}
