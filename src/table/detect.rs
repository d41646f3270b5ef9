//! Which delimiter and which decimal sign a file uses; refused, naming the option, when two readings are possible.

use crate::diagnostic::{Diagnostic, Lang, Place, Words};
use crate::words;

use super::dialect::{Decimal, Delimiter};
use super::number::{Evidence, evidence};
use super::records::{split, widths};

/// The delimiter: the only one that splits the header, best of all into as many cells as every other record.
pub(super) fn delimiter(text: &str) -> Result<Delimiter, Diagnostic> {
    let mut splitting = Vec::new();
    let mut even = Vec::new();
    let mut single = true;
    for delimiter in Delimiter::ALL {
        // What never occurs splits nothing.
        if !text.as_bytes().contains(&delimiter.byte()) {
            continue;
        }
        let widths = widths(text, delimiter.byte());
        let Some(header) = widths.first().copied() else {
            continue;
        };
        if header > 1 {
            splitting.push(delimiter);
            if widths.iter().all(|own| *own == header) {
                even.push(delimiter);
            }
        } else if widths.iter().any(|own| *own > 1) {
            // The header is one cell. Records that split are decimals with a comma, or something is wrong.
            single &= delimiter == Delimiter::Comma && decimals(text);
        }
    }
    match (even.as_slice(), splitting.as_slice()) {
        ([only], _) | ([], [only]) => Ok(*only),
        // One column: no delimiter is needed, and a comma can only be a decimal sign.
        ([], []) if single => Ok(Delimiter::Semicolon),
        ([], []) => Err(ambiguous(&Delimiter::ALL)),
        ([], several) | (several, _) => Err(ambiguous(several)),
    }
}

/// Whether every record of a one-column text that holds a comma is a number.
fn decimals(text: &str) -> bool {
    let (records, _) = split(text, Delimiter::Semicolon.byte());
    records
        .all
        .iter()
        .skip(1)
        .filter_map(|record| records.of(record).next())
        .filter(|cell| cell.contains(','))
        .all(|cell| evidence(cell).is_some())
}

fn ambiguous(several: &[Delimiter]) -> Diagnostic {
    let names: Vec<Words> = several.iter().map(|delimiter| delimiter.name()).collect();
    let join = |lang, or: &str| -> String {
        let names: Vec<&str> = names.iter().map(|name| name.get(lang)).collect();
        names.join(or)
    };
    let (or_en, or_sv) = (join(Lang::En, " or "), join(Lang::Sv, " eller "));
    Diagnostic::error(
        "delimiter-ambiguous",
        words!(
            "it is not clear what separates the cells: {or_en}",
            "det är oklart vad som skiljer cellerna åt: {or_sv}"
        ),
    )
    .at(Place::row(1))
    .help(Words::new(
        "settle it with --delimiter comma, --delimiter semicolon or --delimiter tab",
        "avgör det med --delimiter comma, --delimiter semicolon eller --delimiter tab",
    ))
}

/// The decimal sign, from the numbers among some cells, each with its row and column.
pub(super) fn decimal<'c>(
    cells: impl Iterator<Item = (usize, &'c str, &'c str)>,
    delimiter: Delimiter,
) -> Result<Decimal, Diagnostic> {
    type Spot<'a> = (usize, &'a str, &'a str);
    let [mut point, mut comma]: [Option<Spot<'_>>; 2] = [None, None];
    let [mut point_sure, mut comma_sure] = [false, false];
    for spot in cells {
        let Some(evidence) = evidence(spot.2) else {
            continue;
        };
        match evidence {
            Evidence::Sure(Decimal::Point) => point_sure = true,
            Evidence::Sure(Decimal::Comma) => comma_sure = true,
            Evidence::Thousands(_) => {}
        }
        match evidence {
            Evidence::Sure(Decimal::Point) | Evidence::Thousands(Decimal::Point) => {
                point.get_or_insert(spot);
            }
            Evidence::Sure(Decimal::Comma) | Evidence::Thousands(Decimal::Comma) => {
                comma.get_or_insert(spot);
            }
        }
    }
    match (point, comma) {
        (None, None) => Ok(Decimal::Point),
        (Some(_), None) if point_sure || delimiter != Delimiter::Semicolon => Ok(Decimal::Point),
        (None, Some(_)) if comma_sure => Ok(Decimal::Comma),
        (Some((row, column, cell)), None) | (None, Some((row, column, cell))) => {
            Err(Diagnostic::error(
                "decimal-ambiguous",
                words!(
                    "`{cell}` can be read with decimals or with a separator of thousands",
                    "`{cell}` kan läsas med decimaler eller med tusentalsavgränsare"
                ),
            )
            .at(Place::cell(row, column))
            .help(Words::new(
                "settle it with --decimal point or --decimal comma; thousands are written without a separator",
                "avgör det med --decimal point eller --decimal comma; tusental skrivs utan avgränsare",
            )))
        }
        (Some((row, column, cell)), Some((other_row, other_column, other))) => {
            Err(Diagnostic::error(
                "decimal-ambiguous",
                words!(
                    "`{cell}` has a decimal point, but `{other}` in row {other_row}, column `{other_column}`, has a decimal comma",
                    "`{cell}` har decimalpunkt, men `{other}` på rad {other_row} i kolumn `{other_column}` har decimalkomma"
                ),
            )
            .at(Place::cell(row, column))
            .help(Words::new(
                "settle it with --decimal point or --decimal comma, or write all numbers alike",
                "avgör det med --decimal point eller --decimal comma, eller skriv alla tal på samma sätt",
            )))
        }
    }
}
