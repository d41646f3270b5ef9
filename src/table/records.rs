//! Text to records of cells, each with its row as a spreadsheet counts it.

use crate::diagnostic::{Diagnostic, Place, Words};

/// One record and its row: blank lines count, line ends inside a quoted cell do not.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) row: usize,
    pub(super) cells: Vec<String>,
}

/// Splits the text; quotes that do not match are findings.
pub(super) fn split(text: &str, delimiter: u8) -> (Vec<Record>, Vec<Diagnostic>) {
    let (rows, findings) = scan(text.as_bytes(), delimiter);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let records = reader
        .records()
        .map_while(Result::ok)
        .enumerate()
        .map(|(at, record)| Record {
            row: rows.get(at).copied().unwrap_or(at + 1),
            cells: record.iter().map(|cell| trim(cell).to_owned()).collect(),
        })
        .collect();
    (records, findings)
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
        let rows: Vec<usize> = records.iter().map(|record| record.row).collect();
        assert_eq!(rows, [1, 2, 4]);
        assert_eq!(records[1].cells, ["x\ny", "1"]);
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
