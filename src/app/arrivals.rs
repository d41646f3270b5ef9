//! A file of arrivals for `draw`: one row per unit in order, with the columns that stratify and those that a method
//! balances. Levels are text; they become small integers in the order in which they first appear.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::tables::{DialectText, TableFile};
use crate::allocation::Levels;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::words;

/// The units of a file, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrived {
    /// Levels that stratify.
    pub(super) strata: Vec<Vec<String>>,
    /// Levels that the method balances.
    pub(super) factors: Vec<Levels>,
}

/// Reads the columns `by` and `factors` of a file.
///
/// # Errors
/// A name that is given twice: exit 2. A missing column or level: exit 4, all of them at once.
pub(super) fn read(
    path: &str,
    by: &[String],
    factors: &[String],
    dialect: &DialectText,
    outside: &Outside,
) -> Result<Arrived, Failure> {
    for (i, name) in by.iter().enumerate() {
        if by[..i].contains(name) {
            let message = words!(
                "`--by` names `{name}` twice",
                "`--by` nämner `{name}` två gånger"
            );
            return Err(Failure::new(exit::USAGE, "invalid-value", message)
                .help(words!("name each column once", "nämn varje kolumn en gång")));
        }
        if factors.contains(name) {
            let message = words!(
                "`{name}` is in `--by` and in `--factors`: within a stratum there is nothing left to balance",
                "`{name}` finns i `--by` och i `--factors`: inom ett stratum finns inget kvar att balansera"
            );
            return Err(
                Failure::new(exit::USAGE, "factor-is-stratum", message).help(words!(
                    "keep it in one of the two: usually in `--factors`",
                    "behåll den i den ena: oftast i `--factors`"
                )),
            );
        }
    }
    // Levels are text, so a decimal sign changes nothing and need not be found out.
    let decimal = dialect.decimal.clone().or_else(|| Some("point".to_owned()));
    let file = TableFile::read(
        outside,
        path,
        &DialectText {
            decimal,
            ..dialect.clone()
        },
    )?;
    let used = by.iter().chain(factors).map(String::as_str).collect();
    let mut columns = Columns {
        used,
        option: "--by",
        file: &file,
        findings: Vec::new(),
    };
    let mut strata = vec![Vec::with_capacity(by.len()); file.table.len()];
    for name in by {
        columns.each(name, |unit, level| strata[unit].push(level.to_owned()));
    }
    columns.option = "--factors";
    let mut units = vec![Levels::default(); file.table.len()];
    for name in factors {
        let mut seen: Vec<String> = Vec::new();
        let mut too_many = false;
        columns.each(name, |unit, level| {
            let place = seen.iter().position(|own| own == level);
            let place = place.unwrap_or_else(|| {
                seen.push(level.to_owned());
                seen.len() - 1
            });
            too_many |= u16::try_from(place).is_err() || !units[unit].push(place as u16);
        });
        if too_many {
            let (most, levels) = (usize::from(u16::MAX) + 1, seen.len());
            let message = words!(
                "`{name}` has {levels} levels, and at most {most} can be balanced",
                "`{name}` har {levels} nivåer, och högst {most} kan balanseras"
            );
            let finding = Diagnostic::error("too-many", message).at(Place::column(name));
            columns.findings.push(finding.help(words!(
                "it looks like a number of the unit: take it out of `--factors`, or give a column with a few groups",
                "det ser ut som ett nummer på enheten: ta bort den ur `--factors`, eller ange en kolumn med några få grupper"
            )));
        }
    }
    let findings = columns.findings;
    if findings.is_empty() {
        Ok(Arrived {
            strata,
            factors: units,
        })
    } else {
        Err(file.refuse(findings))
    }
}

struct Columns<'f> {
    used: Vec<&'f str>,
    /// The option that names the columns that are being read.
    option: &'static str,
    file: &'f TableFile,
    findings: Vec<Diagnostic>,
}

impl Columns<'_> {
    /// Hands on the level of each unit of a column, trimmed; what is wrong becomes a finding.
    fn each(&mut self, name: &str, mut take: impl FnMut(usize, &str)) {
        let table = &self.file.table;
        let column = match table.column_besides(name, &self.used) {
            Ok(column) => column,
            Err(mut finding) => {
                let option = self.option;
                finding.help = finding.help.map(|Words { en, sv }| {
                    words!(
                        "{en}; `{option}` names columns of the file as its first row has them",
                        "{sv}; `{option}` anger filens kolumner så som de står i första raden"
                    )
                });
                self.findings.push(finding);
                return;
            }
        };
        for (index, text) in column.texts().enumerate() {
            let level = text.unwrap_or_default().trim_matches(' ');
            let at = Place::cell(table.row(index), name);
            if level.is_empty() {
                let message = Words::new("the level is missing", "nivån saknas");
                let finding = Diagnostic::error("missing-level", message).at(at);
                let option = self.option;
                self.findings.push(finding.help(words!(
                    "fill it in (of a unit whose level is not known with a level of its own, such as `unknown`), or take `{name}` out of `{option}`",
                    "fyll i den (för en enhet vars nivå inte är känd med en egen nivå, till exempel `okänd`), eller ta bort `{name}` ur `{option}`"
                )));
            } else if u16::try_from(level.len()).is_err() {
                let bytes = level.len();
                let message = words!(
                    "the level has {bytes} bytes, more than the 65,535 that one can have",
                    "nivån har {bytes} byte, fler än de 65 535 som en nivå kan ha"
                );
                let finding = Diagnostic::error("level-too-long", message).at(at);
                self.findings.push(finding.help(Words::new(
                    "look whether a quotation mark is missing before this row",
                    "se efter om ett citattecken saknas före den här raden",
                )));
            }
            take(index, level);
        }
    }
}
