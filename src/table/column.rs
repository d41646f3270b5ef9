//! One column, read as what its caller needs: numbers, a factor, 0/1, dates, text.

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Place, Words, nearest};
use crate::words;

use super::dialect::Decimal;
use super::number::{NotANumber, parse};
use super::records::{Cells, Record};
use super::{condense, is_missing};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers only (or nothing at all).
    Numbers,
    /// Anything else.
    Factor,
}

/// A factor: sorted levels, and for each unit its level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// The levels in order of their characters' code points.
    pub levels: Vec<String>,
    /// For each unit the position of its level; `None` is missing.
    pub codes: Vec<Option<usize>>,
}

/// One column of a [`super::Table`].
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    name: &'a str,
    /// Its place in every record.
    at: usize,
    cells: &'a Cells,
    records: &'a [Record],
    decimal: Decimal,
}

impl<'a> Column<'a> {
    pub(super) fn new(
        name: &'a str,
        at: usize,
        (cells, records): (&'a Cells, &'a [Record]),
        decimal: Decimal,
    ) -> Self {
        Self {
            name,
            at,
            cells,
            records,
            decimal,
        }
    }

    /// The name in the header.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The texts without spaces around them; `None` is missing.
    pub fn texts(&self) -> impl Iterator<Item = Option<&'a str>> + use<'a> {
        self.written()
            .map(|cell| (!is_missing(cell)).then_some(cell))
    }

    /// The texts as they stand, also those that mean that nothing is known.
    pub fn written(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (cells, at) = (self.cells, self.at);
        let records = self.records.iter();
        records.map(move |record| cells.get(record.first + at))
    }

    /// The number of missing cells.
    pub fn missing(&self) -> usize {
        self.texts().filter(Option::is_none).count()
    }

    /// Whether the column holds numbers only.
    pub fn kind(&self) -> Kind {
        let numbers = self
            .texts()
            .flatten()
            .all(|cell| parse(cell, self.decimal).is_ok());
        if numbers { Kind::Numbers } else { Kind::Factor }
    }

    /// A warning when at least half of the cells of a factor are numbers: a slip, more likely than a factor.
    pub fn mostly_numbers(&self) -> Option<Diagnostic> {
        let mut numbers = 0;
        let mut first = None;
        let mut others = 0;
        for (at, cell) in self.texts().enumerate() {
            let Some(cell) = cell else { continue };
            if parse(cell, self.decimal).is_ok() {
                numbers += 1;
            } else {
                others += 1;
                first.get_or_insert((at, cell));
            }
        }
        let (at, cell) = first?;
        let name = self.name;
        (numbers >= others && numbers > 0).then(|| {
            Diagnostic::warning(
                "mostly-numbers",
                words!(
                    "column `{name}` is taken as a factor because of cells like `{cell}`, although {numbers} cells are numbers",
                    "kolumnen `{name}` behandlas som en faktor på grund av celler som `{cell}`, trots att {numbers} celler är tal"
                ),
            )
            .at(self.place(at))
            .help(Words::new(
                "write missing values as empty cells or NA, and numbers without thousands separators",
                "skriv saknade värden som tomma celler eller NA, och tal utan tusentalsavgränsare",
            ))
        })
    }

    /// The cells as numbers.
    ///
    /// # Errors
    /// Each cell that is no number, with its row.
    pub fn numbers(&self) -> Result<Vec<Option<f64>>, Vec<Diagnostic>> {
        self.each(|cell| {
            parse(cell, self.decimal).map_err(|why| no_number(cell, why, self.decimal))
        })
    }

    /// The cells as numbers, if they are numbers only.
    pub fn only_numbers(&self) -> Option<Vec<Option<f64>>> {
        let mut values = Vec::with_capacity(self.records.len());
        for cell in self.texts() {
            let value = cell.map(|cell| parse(cell, self.decimal)).transpose();
            values.push(value.ok()?);
        }
        Some(values)
    }

    /// The cells as 0 and 1.
    ///
    /// # Errors
    /// Each cell that is neither, with its row.
    pub fn zero_one(&self) -> Result<Vec<Option<bool>>, Vec<Diagnostic>> {
        self.each(|cell| match parse(cell, self.decimal) {
            Ok(0.0) => Ok(false),
            Ok(1.0) => Ok(true),
            _ => Err(Diagnostic::error(
                "not-zero-one",
                words!(
                    "`{cell}` is neither 0 nor 1",
                    "`{cell}` är varken 0 eller 1"
                ),
            )
            .help(Words::new(
                "code the column 0 (no) and 1 (yes)",
                "koda kolumnen 0 (nej) och 1 (ja)",
            ))),
        })
    }

    /// The cells as codes of events: 0 the end of follow-up, 1 the event, and with `several` 2 and above other events.
    ///
    /// # Errors
    /// Each cell that is no such code, with its row.
    pub fn event_codes(&self, several: bool) -> Result<Vec<Option<u32>>, Vec<Diagnostic>> {
        self.each(|cell| {
            let number = parse(cell, self.decimal).ok();
            let code = number.filter(|number| number.fract().abs() <= 0.0);
            let largest = if several { 1000.0 } else { 1.0 };
            match code.filter(|code| (0.0..=largest).contains(code)) {
                Some(code) => Ok(code as u32),
                None => Err(Diagnostic::error(
                    "not-an-event-code",
                    words!(
                        "`{cell}` is no code of an event",
                        "`{cell}` är ingen kod för en händelse"
                    ),
                )
                .help(if several {
                    Words::new(
                        "code the column 0 (end of follow-up), 1 (the event), 2 and above (other events)",
                        "koda kolumnen 0 (uppföljningens slut), 1 (händelsen), 2 och uppåt (andra händelser)",
                    )
                } else {
                    Words::new(
                        "code the column 0 (end of follow-up) and 1 (the event)",
                        "koda kolumnen 0 (uppföljningens slut) och 1 (händelsen)",
                    )
                })),
            }
        })
    }

    /// The cells as ISO dates, `YYYY-MM-DD`.
    ///
    /// # Errors
    /// Each cell that is no such date, with its row.
    pub fn dates(&self) -> Result<Vec<Option<Date>>, Vec<Diagnostic>> {
        self.each(|cell| {
            iso_date(cell).ok_or_else(|| {
                Diagnostic::error(
                    "not-a-date",
                    words!("`{cell}` is no date", "`{cell}` är inget datum"),
                )
                .help(Words::new(
                    "dates are written year-month-day: 2025-03-31",
                    "datum skrivs år-månad-dag: 2025-03-31",
                ))
            })
        })
    }

    /// The cells as a factor with sorted levels.
    pub fn factor(&self) -> Factor {
        let mut levels: Vec<&str> = self.texts().flatten().collect();
        levels.sort_unstable();
        levels.dedup();
        let codes = self
            .texts()
            .map(|cell| cell.and_then(|cell| levels.binary_search(&cell).ok()))
            .collect();
        Factor {
            levels: levels.into_iter().map(str::to_owned).collect(),
            codes,
        }
    }

    /// The finding that a level does not occur in this column; the nearest is suggested.
    pub fn unknown_level(&self, level: &str) -> Diagnostic {
        let levels = self.factor().levels;
        let help = if let Some(near) = nearest(level, levels.iter().map(String::as_str)) {
            words!("did you mean `{near}`?", "menade du `{near}`?")
        } else {
            let mut all = levels;
            let more = all.len() > super::SHOWN;
            all.truncate(super::SHOWN);
            let all = all.join(", ") + if more { ", …" } else { "" };
            words!("the column has: {all}", "kolumnen har: {all}")
        };
        let name = self.name;
        Diagnostic::error(
            "unknown-level",
            words!(
                "column `{name}` never has the value `{level}`",
                "kolumnen `{name}` har aldrig värdet `{level}`"
            ),
        )
        .help(help)
    }

    /// Where the cell of a unit, counted from 0, stands.
    pub fn place(&self, index: usize) -> Place {
        let row = self.records.get(index).map_or(index + 2, |own| own.row);
        Place::cell(row, self.name)
    }

    fn each<T>(
        &self,
        read: impl Fn(&str) -> Result<T, Diagnostic>,
    ) -> Result<Vec<Option<T>>, Vec<Diagnostic>> {
        let mut values = Vec::with_capacity(self.records.len());
        let mut findings = Vec::new();
        for (at, cell) in self.texts().enumerate() {
            match cell.map(&read).transpose() {
                Ok(value) => values.push(value),
                Err(finding) => findings.push(finding.at(self.place(at))),
            }
        }
        if findings.is_empty() {
            Ok(values)
        } else {
            Err(condense(findings))
        }
    }
}

/// Why a cell is no number in a file with this decimal sign.
pub(super) fn no_number(cell: &str, why: NotANumber, decimal: Decimal) -> Diagnostic {
    let (sign, other) = match decimal {
        Decimal::Point => ('.', "comma"),
        Decimal::Comma => (',', "point"),
    };
    match why {
        NotANumber::Separator => Diagnostic::error(
            "thousands-separator",
            words!(
                "`{cell}` has a separator that is not the file's decimal sign `{sign}`",
                "`{cell}` har en avgränsare som inte är filens decimaltecken `{sign}`"
            ),
        )
        .help(words!(
            "write thousands without a separator (1234), or settle the decimal sign with --decimal {other}",
            "skriv tusental utan avgränsare (1234), eller avgör decimaltecknet med --decimal {other}"
        )),
        NotANumber::TooLarge => Diagnostic::error(
            "not-a-number",
            words!(
                "`{cell}` is larger than a number can be",
                "`{cell}` är större än ett tal kan vara"
            ),
        ),
        NotANumber::Text => Diagnostic::error(
            "not-a-number",
            words!("`{cell}` is no number", "`{cell}` är inget tal"),
        )
        .help(Words::new(
            "correct the cell; a missing value is an empty cell, NA or .",
            "rätta cellen; ett saknat värde är en tom cell, NA eller .",
        )),
    }
}

/// `YYYY-MM-DD` and nothing else.
fn iso_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shaped { text.parse().ok() } else { None }
}
