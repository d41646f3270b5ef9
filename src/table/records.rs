//! Text to records of cells, each with its row as a spreadsheet counts it.

use crate::diagnostic::{Diagnostic, Place, Words};

/// The cells of a file, one text after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cells {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Cells {
    pub(super) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// A cell by its place; of a place that there is not, nothing.
    pub(super) fn get(&self, place: usize) -> &str {
        let from = match place {
            0 => 0,
            _ => self.ends.get(place - 1).copied().unwrap_or_default(),
        };
        let to = self.ends.get(place).copied().unwrap_or(from);
        self.text.get(from..to).unwrap_or_default()
    }
}

/// Records of cells: blank lines count as rows, line ends inside a quoted cell do not.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) cells: Cells,
    /// By record: its row, its first cell, and how many cells it has.
    pub(super) all: Vec<Record>,
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) row: usize,
    pub(super) first: usize,
    pub(super) width: usize,
}

impl Records {
    /// The cells of a record.
    pub(super) fn of(&self, record: &Record) -> impl Iterator<Item = &str> {
        let places = record.first..record.first + record.width;
        places.map(|place| self.cells.get(place))
    }

    /// A record of one empty cell.
    pub(super) fn empty(&mut self, row: usize) -> Record {
        let first = self.cells.ends.len();
        self.cells.push("");
        Record {
            row,
            first,
            width: 1,
        }
    }
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
}

/// Splits the text; quotes that do not match are findings.
pub(super) fn split(text: &str, delimiter: u8) -> (Records, Vec<Diagnostic>) {
    let (rows, findings) = scan(text.as_bytes(), delimiter);
    let mut reader = reader(text, delimiter);
    let mut records = Records::default();
    records.cells.text.reserve(text.len());
    records.all.reserve(rows.len());
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).unwrap_or(false) {
        let at = records.all.len();
        records.all.push(Record {
            row: rows.get(at).copied().unwrap_or(at + 1),
            first: records.cells.ends.len(),
            width: record.len(),
        });
        for cell in &record {
            records.cells.push(trim(cell));
        }
    }
    (records, findings)
}

/// How many cells the records have, in order, without keeping them.
pub(super) fn widths(text: &str, delimiter: u8) -> Vec<usize> {
    let mut reader = reader(text, delimiter);
    let mut record = csv::ByteRecord::new();
    let mut widths = Vec::new();
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        widths.push(record.len());
    }
    widths
}

/// Cells are compared and read without the spaces around them.
pub(super) fn trim(cell: &str) -> &str {
    cell.trim_matches([' ', '\t', '\u{a0}', '\u{feff}'])
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Record,
    Field,
    Plain,
    Quoted,
    AfterQuote,
}

/// The rows of the records that are not blank, in step with the reader, and quotes that do not match.
fn scan(text: &[u8], delimiter: u8) -> (Vec<usize>, Vec<Diagnostic>) {
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    let (mut row, mut at) = (1, At::Record);
    for &byte in text {
        if at == At::Record && byte != b'\n' {
            rows.push(row);
            at = At::Field;
        }
        at = match (at, byte) {
            (At::Quoted, b'"') => At::AfterQuote,
            (At::Quoted, _) | (At::AfterQuote, b'"') => At::Quoted,
            (_, b'\n') => {
                row += 1;
                At::Record
            }
            (_, byte) if byte == delimiter => At::Field,
            (At::Field | At::Record, b'"') => At::Quoted,
            (At::AfterQuote, _) => {
                findings.push(
                    Diagnostic::error(
                        "stray-quote",
                        Words::new(
                            "text follows a closing quotation mark in the same cell",
                            "text följer efter ett avslutande citattecken i samma cell",
                        ),
                    )
                    .at(Place::row(row))
                    .help(Words::new(
                        "double a quotation mark that belongs to the text (\"\"), or remove it",
                        "dubblera ett citattecken som hör till texten (\"\"), eller ta bort det",
                    )),
                );
                At::Plain
            }
            (At::Field | At::Record | At::Plain, _) => At::Plain,
        };
    }
    if at == At::Quoted {
        let row = rows.last().copied().unwrap_or(1);
        findings.push(
            Diagnostic::error(
                "unclosed-quote",
                Words::new(
                    "a quotation mark that opens here is never closed",
                    "ett citattecken som öppnas här stängs aldrig",
                ),
            )
            .at(Place::row(row))
            .help(Words::new(
                "close the quotation mark, or remove it",
                "stäng citattecknet, eller ta bort det",
            )),
        );
    }
    (rows, findings)
}

#[cfg(test)]
pub(super) fn rows(text: &str, delimiter: u8) -> Vec<usize> {
    scan(text.as_bytes(), delimiter).0
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn rows_are_those_of_a_spreadsheet() {
        // Row 1 header, row 2 with a line end inside a cell, row 3 blank, row 4.
        let (records, findings) = split("a,b\n\"x\ny\",1\n\nz,2\n", b',');
        let rows: Vec<usize> = records.all.iter().map(|record| record.row).collect();
        assert_eq!(rows, [1, 2, 4]);
        let second: Vec<&str> = records.of(&records.all[1]).collect();
        assert_eq!(second, ["x\ny", "1"]);
        assert!(findings.is_empty());
    }

    #[test]
    fn quotes_that_do_not_match_are_found() {
        let (_, findings) = split("a,b\n\"x\"y,1\n\"z,2\n", b',');
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["stray-quote", "unclosed-quote"]);
        let (_, findings) = split("a,b\nx \"y\",1\n", b',');
        assert!(findings.is_empty(), "a quote inside plain text is text");
    }
}
