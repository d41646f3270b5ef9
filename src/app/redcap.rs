//! A scheme's list in the form of REDCap's allocation table, which REDCap looks arms up in.
//!
//! REDCap (14.7 and later) reads `redcap_randomization_number,redcap_randomization_group`, then
//! `redcap_data_access_group` if it randomizes by data access group, then the strata fields; every version reads the
//! randomization field's own name in place of the first two. Values are raw codes. For each record the first unused row
//! with its strata is taken, so the order of a stratum's rows is its list. `docs/lists.md` says how to load it.

use super::arrivals;
use super::draw::{Arrivals, Draw, refused};
use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use crate::allocation::{self, METHODS, choose};
use crate::diagnostic::{Diagnostic, Words};
use crate::words;
use std::collections::BTreeMap;

/// The column of the group in the form of REDCap 14.7.
const GROUP: &str = "redcap_randomization_group";
/// The column of the number in the form of REDCap 14.7: the place in the stratum's list, from 1.
const NUMBER: &str = "redcap_randomization_number";
/// The column of the data access group, before the strata fields.
const ACCESS_GROUP: &str = "redcap_data_access_group";

/// An allocation table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationTable {
    /// The header, in REDCap's order.
    pub columns: Vec<String>,
    /// The rows: one code per column.
    pub rows: Vec<Vec<String>>,
    /// What a person should know before loading it.
    pub warnings: Vec<Diagnostic>,
}

impl Draw {
    /// Draws a list in the form of REDCap's allocation table, for the randomization field `field`.
    ///
    /// `arrivals` are so many units without strata; or the rows of a file as they come, or with `each` so many units for
    /// every stratum that the file has. The arms are codes: 1, 2, … if not named.
    ///
    /// # Errors
    /// Wrong usage, a name or code that REDCap does not read (exit 2), a file that cannot be used (exit 4).
    pub fn allocation_table(
        &self,
        field: &str,
        arrivals: &Arrivals,
        each: Option<u64>,
        outside: &Outside,
    ) -> Result<AllocationTable, Failure> {
        if METHODS
            .iter()
            .any(|entry| entry.id == self.method && entry.balances_factors())
        {
            let method = &self.method;
            return Err(Failure::new(
                exit::USAGE,
                "conflicting-options",
                words!(
                    "`{method}` depends on who comes and cannot be a list made beforehand",
                    "`{method}` beror på vilka som kommer och kan inte vara en lista som görs i förväg"
                ),
            )
            .help(words!(
                "a study of `lottning` draws it live; a list takes `permuted-block` or `big-stick`",
                "en studie i `lottning` lottar den direkt; en lista tar `permuted-block` eller `big-stick`"
            )));
        }
        let (letters, ratio) = self.understand()?;
        let arms = match self.arms {
            Some(_) => letters,
            None => (1..=ratio.arms()).map(|code| code.to_string()).collect(),
        };
        variable("--redcap", field)?;
        if [NUMBER, ACCESS_GROUP].contains(&field) {
            return Err(doubled(words!(
                "`{field}` is a name that REDCap's allocation table keeps for something else than the randomization field",
                "`{field}` är ett namn som REDCaps lottningstabell har för något annat än lottningsfältet"
            )));
        }
        for arm in &arms {
            code("--arms", arm)?;
        }
        let (strata, by) = match arrivals {
            Arrivals::Count(n) => (vec![Vec::new(); *n as usize], Vec::new()),
            Arrivals::File { path, by, dialect } => {
                for name in by {
                    variable("--by", name)?;
                    stands_once(field, name)?;
                }
                choose(&self.method, &ratio, &self.options, each).map_err(refused)?;
                let rows = arrivals::read(path, by, &[], dialect, outside)?.strata;
                (repeated(rows, each), by.clone())
            }
        };
        for levels in &strata {
            for (name, level) in by.iter().zip(levels) {
                let good = match name.as_str() {
                    ACCESS_GROUP => access_group(level),
                    _ => code("--by", level),
                };
                good.map_err(|failure| Failure {
                    exit: exit::INVALID_DATA,
                    ..failure
                })?;
            }
        }
        let n = match arrivals {
            Arrivals::Count(n) => Some(*n),
            Arrivals::File { .. } => each,
        };
        let design = choose(&self.method, &ratio, &self.options, n).map_err(refused)?;
        let drawn = allocation::list(&*design, &self.seed()?, &strata);
        // The data access group stands before the strata fields, wherever `--by` names it.
        let mut order: Vec<usize> = (0..by.len()).collect();
        order.sort_by_key(|place| by[*place] != ACCESS_GROUP);
        let numbered = field == GROUP;
        let head = if numbered {
            vec![NUMBER, GROUP]
        } else {
            vec![field]
        };
        let mut columns: Vec<String> = head.into_iter().map(str::to_owned).collect();
        columns.extend(order.iter().map(|place| by[*place].clone()));
        let mut places: BTreeMap<&[String], u64> = BTreeMap::new();
        let mut rows = Vec::with_capacity(drawn.len());
        for (row, levels) in drawn.iter().zip(&strata) {
            let place = places.entry(levels).or_insert(0);
            *place += 1;
            let mut cells = Vec::with_capacity(columns.len());
            if numbered {
                cells.push(place.to_string());
            }
            cells.push(arms.get(row.arm.index()).cloned().unwrap_or_default());
            cells.extend(order.iter().map(|place| levels[*place].clone()));
            rows.push(cells);
        }
        Ok(AllocationTable {
            columns,
            rows,
            warnings: vec![readable()],
        })
    }
}

/// The rows as they come, or so many of each different one, in the order in which they first come.
fn repeated(rows: Vec<Vec<String>>, each: Option<u64>) -> Vec<Vec<String>> {
    let Some(each) = each else { return rows };
    let mut different: Vec<Vec<String>> = Vec::new();
    for row in rows {
        if !different.contains(&row) {
            different.push(row);
        }
    }
    different
        .into_iter()
        .flat_map(|row| std::iter::repeat_n(row, each as usize))
        .collect()
}

fn readable() -> Diagnostic {
    Diagnostic::warning(
        "list-readable",
        words!(
            "a list made beforehand shows every coming arm to whoever loads it, keeps it, or may set up the randomization",
            "en lista som görs i förväg visar alla kommande armar för den som laddar upp den, förvarar den eller får ställa in lottningen"
        ),
    )
    .help(words!(
        "let somebody outside intake make and load it, with a seed that nobody else has, and keep no copy at intake",
        "låt någon utanför mottagningen göra och ladda upp den, med ett frö som ingen annan har, och ha ingen kopia i mottagningen"
    ))
}

/// A name of a variable: lower-case letters, digits and underscores, a letter first.
fn variable(flag: &str, name: &str) -> Result<(), Failure> {
    let own = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let good =
        name.starts_with(|letter: char| letter.is_ascii_lowercase()) && name.bytes().all(own);
    if good {
        return Ok(());
    }
    let message = words!(
        "`{name}` in `{flag}` is no name of a variable in REDCap: lower-case letters, digits and underscores, a letter first",
        "`{name}` i `{flag}` är inget variabelnamn i REDCap: små bokstäver, siffror och understreck, en bokstav först"
    );
    Err(Failure::new(exit::USAGE, "redcap-code", message).help(words!(
        "write the field's variable name as REDCap's codebook has it, not its label, for example `rand_group`",
        "skriv fältets variabelnamn som det står i REDCaps kodbok, inte dess etikett, till exempel `rand_group`"
    )))
}

/// A strata field is neither the randomization field nor a column that REDCap's form has already.
fn stands_once(field: &str, name: &str) -> Result<(), Failure> {
    if name != field && ![NUMBER, GROUP].contains(&name) {
        return Ok(());
    }
    Err(doubled(words!(
        "`{name}` in `--by` would stand in the table twice: REDCap reads it as the column of the arms or of the numbers",
        "`{name}` i `--by` skulle stå två gånger i tabellen: REDCap läser den som kolumnen för armarna eller numren"
    )))
}

fn doubled(message: Words) -> Failure {
    Failure::new(exit::USAGE, "redcap-code", message).help(words!(
        "give the randomization field's own name with `--redcap`, and only strata fields and `redcap_data_access_group` with `--by`",
        "ange lottningsfältets eget namn med `--redcap`, och bara stratumfält och `redcap_data_access_group` med `--by`"
    ))
}

/// The number of a data access group: REDCap's template has its whole number, not its name.
fn access_group(text: &str) -> Result<(), Failure> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(Failure::new(
        exit::USAGE,
        "redcap-code",
        words!(
            "`{text}` of `redcap_data_access_group` is no whole number",
            "`{text}` i `redcap_data_access_group` är inget heltal"
        ),
    )
    .help(words!(
        "write the group's number, as REDCap's template of the allocation table lists it",
        "skriv gruppens nummer, som det står i REDCaps mall för lottningstabellen"
    )))
}

/// A raw code of a choice: what is saved, not its label.
fn code(flag: &str, text: &str) -> Result<(), Failure> {
    let own = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if !text.is_empty() && text.bytes().all(own) {
        return Ok(());
    }
    Err(not_read(words!(
        "`{text}` of `{flag}` is no coded value in REDCap: letters a to z, digits, `_`, `.` and `-`",
        "`{text}` i `{flag}` är inget kodat värde i REDCap: bokstäver a till z, siffror, `_`, `.` och `-`"
    )))
}

fn not_read(message: Words) -> Failure {
    Failure::new(exit::USAGE, "redcap-code", message).help(words!(
        "write the raw codes of the choices, as REDCap's codebook lists them, for example `--arms 1,2`",
        "skriv alternativens koder, som de står i REDCaps kodbok, till exempel `--arms 1,2`"
    ))
}
