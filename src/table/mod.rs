//! Bytes to typed columns: delimited text as people have it.
//!
//! [`Table::read`] finds out delimiter, decimal sign and encoding ([`Dialect`]), or takes what a person has settled
//! ([`Settled`]); a file that can be read in two ways is refused, never guessed. Every finding names row and column, and
//! all are reported at once. A [`Column`] is then read as numbers, a factor, 0/1, dates or text.
//!
//! This room reads no files and knows no trial: the meaning of a column is its caller's. Missing is an empty cell, `NA`
//! or `.`, in a column of pseudonyms too. Rows count as in a spreadsheet: the header is row 1, blank lines count, line ends inside a cell do not.

mod column;
mod decode;
mod detect;
mod dialect;
mod number;
mod points;
mod records;
#[cfg(test)]
mod tests;

pub use column::{Column, Factor, Kind};
pub use dialect::{Decimal, Delimiter, Dialect, Encoding, Settled};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, Words, nearest};
use crate::words;
use records::{Cells, Record, Records};

/// How many findings of one code are shown before the rest is counted.
const SHOWN: usize = 20;
/// Most names of columns that are shown.
const COLUMNS_SHOWN: usize = 40;

/// Whether a cell without spaces around it says that nothing is known.
pub fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "NA" | ".")
}

/// A table that was read whole: a header without duplicates, and rows that all fit it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    dialect: Dialect,
    header: Vec<String>,
    records: Vec<Record>,
    cells: Arc<Cells>,
    warnings: Vec<Diagnostic>,
}

impl Table {
    /// Reads delimited text.
    ///
    /// # Errors
    /// Every finding that refuses the file, at most twenty of each kind and a count of the rest.
    ///
    /// ```
    /// use lottning::table::{Settled, Table};
    /// let table = Table::read("arm;days\niuh;31,5\nstandard;NA\n".as_bytes(), Settled::default()).unwrap();
    /// assert_eq!(table.how().en, "separated by semicolons, decimal comma, UTF-8");
    /// assert_eq!(table.column("days").unwrap().numbers().unwrap(), [Some(31.5), None]);
    /// ```
    pub fn read(bytes: &[u8], settled: Settled) -> Result<Self, Vec<Diagnostic>> {
        let decoded = decode::decode(bytes, settled.encoding).map_err(|finding| vec![finding])?;
        let (text, hinted) = hint(&decoded.text);
        if text.trim().is_empty() {
            return Err(vec![
                Diagnostic::error(
                    "empty-file",
                    Words::new("the file is empty", "filen är tom"),
                )
                .help(Words::new(
                    "the first row names the columns, each row below is one unit",
                    "första raden namnger kolumnerna, varje rad därunder är en enhet",
                )),
            ]);
        }
        let delimiter = match settled.delimiter.or(hinted) {
            Some(delimiter) => delimiter,
            None => detect::delimiter(text).map_err(|finding| vec![finding])?,
        };
        let (mut records, mut findings) = records::split(text, delimiter.byte());
        if hinted.is_some() {
            for record in &mut records.all {
                record.row += 1;
            }
        }
        let mut warnings = Vec::new();
        let (header_row, mut header) = if records.all.is_empty() {
            (1, Vec::new())
        } else {
            let header = records.all.remove(0);
            let cells = records.of(&header).map(str::to_owned).collect();
            (header.row, cells)
        };
        drop_trailing_columns(&mut header, &mut records, &mut warnings);
        findings.extend(check_header(&header));
        keep_rows(&mut records, header.len(), header_row, &mut warnings);
        findings.extend(check_rows(&header, &records.all, delimiter));
        let decimal = match settled.decimal {
            Some(decimal) => decimal,
            None => match detect::decimal(spots(&header, &records), delimiter) {
                Ok(decimal) => decimal,
                Err(finding) => {
                    // A row that is torn apart has no numbers to judge by.
                    if findings.is_empty() {
                        findings.push(finding);
                    }
                    Decimal::Point
                }
            },
        };
        if !findings.is_empty() {
            return Err(condense(findings));
        }
        Ok(Self {
            dialect: Dialect {
                delimiter,
                decimal,
                encoding: decoded.encoding,
                byte_order_mark: decoded.byte_order_mark,
            },
            header,
            records: records.all,
            cells: Arc::new(records.cells),
            warnings,
        })
    }

    /// How the file was read, in words, to be announced: of a table of one column nothing says what would separate columns.
    pub fn how(&self) -> Words {
        self.dialect.words(self.header.len() > 1)
    }

    /// The same without a decimal sign, where nobody asks the file for numbers yet.
    pub fn how_besides_numbers(&self) -> Words {
        self.dialect.words_besides_numbers(self.header.len() > 1)
    }

    /// How the file was read.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// What a person should know although the table stands (rows without content that were left out).
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The names of the columns, in order.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The number of rows below the header.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no row below the header; a table that was read has at least one.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The row of the spreadsheet (the header being 1) where the unit `index`, counted from 0, stands.
    pub fn row(&self, index: usize) -> usize {
        self.records.get(index).map_or(index + 2, |own| own.row)
    }

    /// The table with only the rows whose index, counted from 0, is wanted; they keep their rows of the spreadsheet.
    #[must_use]
    pub fn keep(&self, wanted: impl Fn(usize) -> bool) -> Self {
        let records = self.records.iter().enumerate();
        let kept = records.filter(|(index, _)| wanted(*index));
        Self {
            dialect: self.dialect,
            header: self.header.clone(),
            records: kept.map(|(_, record)| *record).collect(),
            cells: Arc::clone(&self.cells),
            warnings: self.warnings.clone(),
        }
    }

    /// Whether there is a column of that name.
    pub fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }

    /// A column.
    ///
    /// # Errors
    /// The table has no column of that name; the nearest is suggested.
    pub fn column(&self, name: &str) -> Result<Column<'_>, Diagnostic> {
        self.column_besides(name, &[])
    }

    /// As [`Table::column`]; a column that is `used` already is not suggested in place of an unknown one.
    ///
    /// # Errors
    /// `unknown-column`, with the nearest other column.
    pub fn column_besides(&self, name: &str, used: &[&str]) -> Result<Column<'_>, Diagnostic> {
        if let Some(at) = self.header.iter().position(|column| column == name) {
            return Ok(self.column_at(at));
        }
        let free = self.header.iter().map(String::as_str);
        let free = free.filter(|own| !used.contains(own));
        let help = if let Some(near) = nearest(name, free) {
            words!("did you mean `{near}`?", "menade du `{near}`?")
        } else {
            let all = &self.header;
            let shown = all[..all.len().min(COLUMNS_SHOWN)].join(", ");
            match all.len().saturating_sub(COLUMNS_SHOWN) {
                0 => words!("the file has: {shown}", "filen har: {shown}"),
                more => words!(
                    "the file has: {shown} and {more} more columns",
                    "filen har: {shown} och {more} kolumner till"
                ),
            }
        };
        Err(Diagnostic::error(
            "unknown-column",
            words!(
                "there is no column `{name}`",
                "det finns ingen kolumn `{name}`"
            ),
        )
        .help(help))
    }

    /// Every column, in order.
    pub fn columns(&self) -> impl Iterator<Item = Column<'_>> {
        (0..self.header.len()).map(|at| self.column_at(at))
    }

    fn column_at(&self, at: usize) -> Column<'_> {
        let records = (&*self.cells, self.records.as_slice());
        Column::new(&self.header[at], at, records, self.dialect.decimal)
    }
}

/// The cells of records with their rows and columns.
fn spots<'r>(
    header: &'r [String],
    records: &'r records::Records,
) -> impl Iterator<Item = (usize, &'r str, &'r str)> {
    records.all.iter().flat_map(move |record| {
        let cells = records.of(record).enumerate();
        cells.map(move |(at, cell)| {
            let column = header.get(at).map_or("", String::as_str);
            (record.row, column, cell)
        })
    })
}

/// A spreadsheet's hint on the first line, `sep=;`, and the text below it.
fn hint(text: &str) -> (&str, Option<Delimiter>) {
    if let Some(rest) = text.strip_prefix("sep=")
        && let Some((sign, below)) = rest.split_once('\n')
        && let Some(delimiter) = Delimiter::parse(sign)
    {
        return (below, Some(delimiter));
    }
    (text, None)
}

/// Columns at the right end without a name and without any content, as spreadsheets leave them.
fn drop_trailing_columns(
    header: &mut Vec<String>,
    records: &mut Records,
    warnings: &mut Vec<Diagnostic>,
) {
    let mut dropped = 0;
    let is_empty = |record: &Record, at: usize| {
        record.width <= at || records.cells.get(record.first + at).is_empty()
    };
    while header.len() > 1
        && header.last().is_some_and(String::is_empty)
        && records
            .all
            .iter()
            .all(|record| is_empty(record, header.len() - 1))
    {
        header.pop();
        dropped += 1;
    }
    if dropped > 0 {
        // A row with something further to the right stays longer than the header, and is refused.
        let Records { cells, all } = records;
        for record in all {
            let mut beyond = record.first + header.len()..record.first + record.width;
            if beyond.all(|place| cells.get(place).is_empty()) {
                record.width = record.width.min(header.len());
            }
        }
    }
    if dropped > 0 {
        warnings.push(Diagnostic::warning(
            "empty-columns",
            words!(
                "columns without name and content are left out: {dropped}",
                "kolumner utan namn och innehåll utelämnas: {dropped}"
            ),
        ));
    }
}

fn check_header(header: &[String]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, name) in header.iter().enumerate() {
        let number = at + 1;
        if name.is_empty() {
            findings.push(
                Diagnostic::error(
                    "empty-header",
                    words!("column {number} has no name", "kolumn {number} saknar namn"),
                )
                .at(Place::row(1))
                .help(Words::new(
                    "name the column, or remove it (in R: write.csv(…, row.names = FALSE))",
                    "namnge kolumnen, eller ta bort den (i R: write.csv(…, row.names = FALSE))",
                )),
            );
        } else if let Some(first) = seen.insert(name, number) {
            findings.push(
                Diagnostic::error(
                    "duplicate-header",
                    words!(
                        "columns {first} and {number} are both named `{name}`",
                        "kolumn {first} och {number} heter båda `{name}`"
                    ),
                )
                .at(Place::cell(1, name))
                .help(Words::new(
                    "give each column a name of its own",
                    "ge varje kolumn ett eget namn",
                )),
            );
        }
    }
    findings
}

/// Leaves out rows without any content; in a table of one column they are missing cells, except at the end.
fn keep_rows(
    records: &mut Records,
    width: usize,
    header_row: usize,
    warnings: &mut Vec<Diagnostic>,
) {
    if width == 1 {
        let mut filled: Vec<Record> = Vec::with_capacity(records.all.len());
        for record in std::mem::take(&mut records.all) {
            let next = filled.last().map_or(header_row, |last| last.row) + 1;
            for row in next..record.row {
                filled.push(records.empty(row));
            }
            filled.push(record);
        }
        records.all = filled;
        return;
    }
    let before = records.all.len();
    let blank = |record: &Record| records.of(record).all(str::is_empty);
    let first = records.all.iter().find(|record| blank(record));
    if let Some(first) = first.map(|record| record.row) {
        let all = records.all.iter().filter(|record| !blank(record));
        let kept: Vec<Record> = all.copied().collect();
        let count = before - kept.len();
        records.all = kept;
        warnings.push(
            Diagnostic::warning(
                "empty-rows",
                words!(
                    "rows without any content are left out: {count}",
                    "rader utan innehåll utelämnas: {count}"
                ),
            )
            .at(Place::row(first)),
        );
    }
}

fn check_rows(header: &[String], records: &[Record], delimiter: Delimiter) -> Vec<Diagnostic> {
    if records.is_empty() {
        return vec![
            Diagnostic::error(
                "no-rows",
                Words::new(
                    "there is no row below the header",
                    "det finns ingen rad under rubrikraden",
                ),
            )
            .help(Words::new(
                "the first row names the columns, each row below is one unit",
                "första raden namnger kolumnerna, varje rad därunder är en enhet",
            )),
        ];
    }
    let wanted = header.len();
    let ragged = |record: &&Record| record.width != wanted;
    records
        .iter()
        .filter(ragged)
        .map(|record| {
            let found = record.width;
            let help = if found > wanted && delimiter == Delimiter::Comma {
                Words::new(
                    "put quotation marks around a cell that holds a comma; numbers with a decimal comma need another delimiter",
                    "sätt citattecken runt en cell som innehåller ett komma; tal med decimalkomma kräver en annan avgränsare",
                )
            } else {
                Words::new(
                    "give every row as many cells as the header; an empty cell is a missing value",
                    "ge varje rad lika många celler som rubrikraden; en tom cell är ett saknat värde",
                )
            };
            Diagnostic::error(
                "ragged-row",
                words!(
                    "the header has {wanted} cells and this row has {found}",
                    "rubrikraden har {wanted} celler och den här raden har {found}"
                ),
            )
            .at(Place::row(record.row))
            .help(help)
        })
        .collect()
}

/// At most [`SHOWN`] findings of each code, and a count of the others.
pub(crate) fn condense(findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for finding in findings {
        let count = counts.entry(finding.code).or_default();
        *count += 1;
        if *count <= SHOWN {
            kept.push(finding);
        }
    }
    for (code, count) in counts {
        if count > SHOWN {
            let more = count - SHOWN;
            kept.push(Diagnostic::error(
                "more-of-the-same",
                words!(
                    "and {more} more findings of `{code}`",
                    "och ytterligare {more} fynd av `{code}`"
                ),
            ));
        }
    }
    kept
}
