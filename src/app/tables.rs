//! Reading a table from a file for any use case: find out or take the dialect, announce it, or refuse the file.

use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::Protocol;
use crate::protocol::model::FieldKind;
use crate::study::identifiers::holds_personal_number;
use crate::table::{Decimal, Delimiter, Encoding, Settled, Table};
use crate::words;

use super::exit;
use super::failure::Failure;
use super::outside::Outside;

/// What a person settled about a file, as typed; `None` is detected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialectText {
    /// `comma`, `semicolon` or `tab`.
    pub delimiter: Option<String>,
    /// `point` or `comma`.
    pub decimal: Option<String>,
    /// `utf-8` or `windows-1252`.
    pub encoding: Option<String>,
}

impl DialectText {
    /// The meaning of the words.
    ///
    /// # Errors
    /// A word that is none of the known ones: exit 2.
    pub fn settle(&self) -> Result<Settled, Failure> {
        Ok(Settled {
            delimiter: settle(
                self.delimiter.as_deref(),
                &Words::new("delimiter", "avgränsare"),
                Delimiter::parse,
                &Delimiter::ALL.map(Delimiter::id),
            )?,
            decimal: settle(
                self.decimal.as_deref(),
                &Words::new("decimal sign", "decimaltecken"),
                Decimal::parse,
                &Decimal::ALL.map(Decimal::id),
            )?,
            encoding: settle(
                self.encoding.as_deref(),
                &Words::new("encoding", "teckenkodning"),
                Encoding::parse,
                &Encoding::ALL.map(Encoding::id),
            )?,
        })
    }
}

fn settle<T>(
    text: Option<&str>,
    what: &Words,
    parse: impl Fn(&str) -> Option<T>,
    known: &[&str],
) -> Result<Option<T>, Failure> {
    text.map(|text| {
        parse(text).ok_or_else(|| Failure::unknown_id(what, text, known.iter().copied()))
    })
    .transpose()
}

/// A table and the bytes that it was read from.
#[derive(Debug)]
pub struct TableFile {
    /// Name for messages.
    pub name: String,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The table.
    pub table: Table,
    /// The decimal sign, where somebody settled it.
    decimal: Option<Decimal>,
    for_study: bool,
}

impl TableFile {
    /// Reads a file (`-` is standard input), announces how it was read, and shows its warnings.
    ///
    /// # Errors
    /// A file that cannot be read, a dialect that is unknown (exit 2), a table that is refused (exit 4).
    pub fn read(outside: &Outside, path: &str, dialect: &DialectText) -> Result<Self, Failure> {
        Self::read_as(outside, path, dialect, false)
    }

    fn read_as(
        outside: &Outside,
        path: &str,
        dialect: &DialectText,
        for_study: bool,
    ) -> Result<Self, Failure> {
        let mut settled = dialect.settle()?;
        let decimal = settled.decimal;
        if for_study {
            // Which of its columns hold numbers is known later.
            settled.decimal = decimal.or(Some(Decimal::Point));
        }
        let bytes = outside.read(path)?;
        let name = if path == "-" { "stdin" } else { path }.to_owned();
        let table =
            Table::read(&bytes, settled).map_err(|findings| refused(&name, findings, for_study))?;
        let how = if for_study && decimal.is_none() {
            table.how_besides_numbers()
        } else {
            table.how()
        };
        let (rows, columns) = (table.len(), table.header().len());
        let (how_en, how_sv) = (how.en, how.sv);
        let of = |number: usize, one: &'static str, more: &'static str| {
            format!("{number} {}", if number == 1 { one } else { more })
        };
        let (rows_en, rows_sv) = (of(rows, "row", "rows"), of(rows, "rad", "rader"));
        let columns_en = of(columns, "column", "columns");
        let columns_sv = of(columns, "kolumn", "kolumner");
        outside.progress.note(&words!(
            "{name}: {rows_en}, {columns_en}; {how_en}",
            "{name}: {rows_sv}, {columns_sv}; {how_sv}"
        ));
        for warning in table.warnings() {
            let mut warning = warning.clone();
            if for_study {
                without_personal_numbers(&mut warning);
            }
            outside.progress.warn(&warning);
        }
        Ok(Self {
            name,
            bytes,
            table,
            decimal,
            for_study,
        })
    }

    /// As [`TableFile::read`], for a file whose values enter a study: no finding repeats a text that holds a personal number, and
    /// which sign numbers have is found out by `TableFile::with_points`, from the columns that hold some.
    ///
    /// # Errors
    /// As [`TableFile::read`].
    pub fn read_for_study(
        outside: &Outside,
        path: &str,
        dialect: &DialectText,
    ) -> Result<Self, Failure> {
        Self::read_as(outside, path, dialect, true)
    }

    /// The columns of an enrolment file whose fields are numbers with decimals.
    pub(super) fn number_fields(&self, protocol: &Protocol) -> Vec<&str> {
        let is_number = |id: &str| {
            let field = protocol.fields.iter().find(|own| own.id == id);
            field.is_some_and(|own| matches!(own.kind, FieldKind::Number { .. }))
        };
        let names = self.table.header().iter().map(String::as_str);
        names
            .filter(|name| name.strip_prefix("field.").is_some_and(is_number))
            .collect()
    }

    /// The file with a decimal point in the numbers of `columns`, as values of a study have it. A comma that nobody settled is
    /// announced.
    ///
    /// # Errors
    /// Numbers that do not all have one sign, or may have separators of thousands: exit 4.
    pub(super) fn with_points(&self, outside: &Outside, columns: &[&str]) -> Result<Self, Failure> {
        let table = self.table.clone();
        let (table, decimal) = table
            .with_points(columns, self.decimal)
            .map_err(|findings| self.refuse(findings))?;
        if self.decimal.is_none() && decimal == Decimal::Comma {
            let (name, Words { en, sv }) = (&self.name, decimal.words());
            outside
                .progress
                .note(&words!("{name}: {en}", "{name}: {sv}"));
        }
        Ok(Self {
            name: self.name.clone(),
            bytes: Vec::new(),
            table,
            decimal: Some(decimal),
            for_study: self.for_study,
        })
    }

    /// The failure of findings in this table: exit 4.
    pub fn refuse(&self, findings: Vec<Diagnostic>) -> Failure {
        refused(&self.name, findings, self.for_study)
    }
}

/// Keeps the place of a finding and drops its words when they repeat a personal number.
fn without_personal_numbers(finding: &mut Diagnostic) {
    let words = [
        Some(&finding.message),
        finding.label.as_ref(),
        finding.help.as_ref(),
    ];
    let column = finding
        .place
        .as_ref()
        .and_then(|place| place.column.as_deref());
    let repeats = words
        .into_iter()
        .flatten()
        .any(|words| holds_personal_number(&words.en))
        || column.is_some_and(holds_personal_number);
    if repeats {
        let row = finding.place.as_ref().and_then(|place| place.row);
        *finding = Diagnostic::error(
            "personal-number",
            Words::new(
                "a text looks like a personal or coordination number; it is not repeated here and nothing was recorded",
                "en text ser ut som ett person- eller samordningsnummer; den upprepas inte här och inget har registrerats",
            ),
        );
        finding.place = row.map(Place::row);
    }
}

fn refused(name: &str, mut findings: Vec<Diagnostic>, for_study: bool) -> Failure {
    if for_study {
        findings.iter_mut().for_each(without_personal_numbers);
    }
    Failure::refused_file(exit::INVALID_DATA, "invalid-data", name, "", findings)
}
