//! A list that was made elsewhere: how balanced and how predictable it is, and whether a method could have made it.
//!
//! `lottning draw --list` is for people who are handed a list. The figures are those of [`crate::allocation::assess`];
//! here a file becomes arms per stratum.

use super::draw::{arms_and_ratio, refused};
use super::exit;
use super::failure::Failure;
use super::guessable::ADVANTAGE;
use super::outside::Outside;
use super::tables::{DialectText, TableFile};
use crate::allocation::{
    Arm, Assessed, MAX_ARMS, METHODS, MethodEntry, Options, Possible, Ratio, assess, choose,
    read_ratio, stratum_label,
};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::words;

/// The column of the arms in a list of this program.
const ARM: &str = "arm";
/// The column of the strata in a list of this program.
const STRATUM: &str = "stratum";
/// The column of the arms in REDCap's allocation table.
const REDCAP_GROUP: &str = "redcap_randomization_group";
/// The column of its running numbers, which is no stratum.
const REDCAP_NUMBER: &str = "redcap_randomization_number";

/// What to look at.
#[derive(Debug, Clone)]
pub struct List {
    /// Path of the file, one row per unit in order; `-` is standard input.
    pub path: String,
    /// The column of the arms; found out if not given.
    pub arm: Option<String>,
    /// The columns that make the strata; found out if neither they nor the arm are given.
    pub by: Option<Vec<String>>,
    /// The arms in the order of the ratio; those of the file, sorted, if not given.
    pub arms: Option<Vec<String>>,
    /// The ratio as text; equal parts if not given.
    pub ratio: Option<String>,
    /// The method that the list is held against, with its options.
    pub method: Option<(String, Options)>,
    /// What a person settled about how the file is written.
    pub dialect: DialectText,
}

/// What a list shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The arms in the order of the ratio.
    pub arms: Vec<String>,
    /// The ratio in lowest terms.
    pub ratio: Ratio,
    /// Each stratum, in the order of its first row.
    pub strata: Vec<Part>,
    /// All strata together; runs and imbalance in the order of the file.
    pub total: Part,
    /// What a person should know.
    pub warnings: Vec<Diagnostic>,
}

/// One stratum, or all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The levels as [`stratum_label`] joins them; empty for all.
    pub stratum: String,
    /// The figures.
    pub assessed: Assessed,
    /// The row of the file whose arm the method could not have drawn.
    pub first_impossible_row: Option<usize>,
    /// Whether the method could have drawn every arm; `None` without a method, and where too many states are hidden to tell.
    pub possible: Option<bool>,
}

/// The columns of a file that are looked at.
struct Columns {
    arm: String,
    by: Vec<String>,
}

/// Looks at a list.
///
/// # Errors
/// Wrong usage (exit 2); a file that cannot be read so (exit 4).
pub fn look(list: &List, outside: &Outside) -> Result<Assessment, Failure> {
    let entry = match &list.method {
        None => None,
        Some((id, _)) => {
            let known = METHODS.iter().map(|entry| entry.id);
            let found = METHODS.iter().find(|entry| entry.id == id);
            let what = Words::new("method", "metod");
            Some(found.ok_or_else(|| Failure::unknown_id(&what, id, known))?)
        }
    };
    if entry.is_some_and(MethodEntry::balances_factors) {
        return Err(Failure::new(
            exit::USAGE,
            "conflicting-options",
            words!(
                "`--list` cannot be held against a method that balances factors: a list does not hold them",
                "`--list` kan inte jämföras med en metod som balanserar faktorer: de finns inte i en lista"
            ),
        )
        .help(words!(
            "leave `--method` out; counts, balance and guesses need none",
            "utelämna `--method`; antal, balans och gissningar behöver ingen"
        )));
    }
    // Levels are text, so a decimal sign changes nothing and need not be found out.
    let decimal = list.dialect.decimal.clone();
    let dialect = DialectText {
        decimal: decimal.or_else(|| Some("point".to_owned())),
        ..list.dialect.clone()
    };
    let file = TableFile::read(outside, &list.path, &dialect)?;
    let columns = columns(list, &file)?;
    let (texts, strata) = read(&file, &columns)?;
    let levels = different(&texts);
    let named = match &list.arms {
        Some(arms) => arms.clone(),
        None if levels.len() > MAX_ARMS => {
            let count = levels.len();
            let column = &columns.arm;
            let message = words!(
                "`{column}` has {count} different values, more than the {MAX_ARMS} arms that a study can have",
                "`{column}` har {count} olika värden, fler än de {MAX_ARMS} armar som en studie kan ha"
            );
            return Err(file.refuse(vec![
                Diagnostic::error("wrong-arms", message).at(Place::column(column)),
            ]));
        }
        None if levels.len() < 2 => {
            let column = &columns.arm;
            let message = words!(
                "`{column}` has the same arm in every row",
                "`{column}` har samma arm i varje rad"
            );
            return Err(file.refuse(vec![
                Diagnostic::error("wrong-arms", message)
                    .at(Place::column(column))
                    .help(words!(
                        "name the arms that could have come up, for example `--arms a,b`",
                        "ange de armar som kunde ha kommit upp, till exempel `--arms a,b`"
                    )),
            ]));
        }
        None => levels,
    };
    unequal_needs_arms(list, &named)?;
    let (arms, ratio) = arms_and_ratio(Some(&named), list.ratio.as_deref())?;
    let drawn = drawn(&file, &columns.arm, &texts, &arms)?;
    let mut parts: Vec<(&[String], Vec<usize>)> = Vec::new();
    for (row, stratum) in strata.iter().enumerate() {
        match parts.iter_mut().find(|(own, _)| own == stratum) {
            Some((_, rows)) => rows.push(row),
            None => parts.push((stratum, vec![row])),
        }
    }
    let mut found = Vec::new();
    for (stratum, rows) in parts {
        let own: Vec<Arm> = rows.iter().map(|row| drawn[*row]).collect();
        let design = match &list.method {
            None => None,
            Some((id, options)) => {
                // Only a method that must know it is told how many units there are.
                let n = entry
                    .is_some_and(|entry| entry.needs_n)
                    .then_some(rows.len() as u64);
                Some(choose(id, &ratio, options, n).map_err(refused)?)
            }
        };
        let assessed =
            assess(&own, &ratio, design.as_deref()).map_err(|refusal| refused(vec![refusal]))?;
        let first_impossible_row = match assessed.possible {
            Some(Possible::NotAt(place)) => rows.get(place).map(|row| file.table.row(*row)),
            _ => None,
        };
        found.push(Part {
            stratum: stratum_label(stratum),
            possible: match assessed.possible {
                None | Some(Possible::Unknown) => None,
                Some(possible) => Some(possible == Possible::Yes),
            },
            assessed,
            first_impossible_row,
        });
    }
    let mut total = assess(&drawn, &ratio, None).map_err(|refusal| refused(vec![refusal]))?;
    // A guesser keeps count of each stratum.
    total.correct_guesses = found.iter().map(|part| part.assessed.correct_guesses).sum();
    let first = found
        .iter()
        .filter_map(|part| part.first_impossible_row)
        .min();
    let total = Part {
        stratum: String::new(),
        assessed: total,
        first_impossible_row: first,
        possible: match first {
            Some(_) => Some(false),
            None => found
                .iter()
                .try_fold(true, |all, part| part.possible.map(|own| all && own)),
        },
    };
    Ok(Assessment {
        warnings: warnings(list, &total),
        arms,
        ratio,
        strata: found,
        total,
    })
}

/// The columns that were named, or those of a list of this program or of REDCap's allocation table.
fn columns(list: &List, file: &TableFile) -> Result<Columns, Failure> {
    let header = file.table.header();
    let has = |name: &str| header.iter().any(|own| own == name);
    let arm = match &list.arm {
        Some(arm) => arm.clone(),
        None if has(REDCAP_GROUP) => REDCAP_GROUP.to_owned(),
        None if has(ARM) => ARM.to_owned(),
        None => {
            return Err(Failure::new(
                exit::USAGE,
                "missing-option",
                words!(
                    "the column of the arms is not known: `--arm` is missing",
                    "kolumnen med armarna är inte känd: `--arm` saknas"
                ),
            )
            .help(words!(
                "name it: `--arm COLUMN`, and `--by` for the columns that make the strata",
                "ange den: `--arm KOLUMN`, och `--by` för kolumnerna som bildar strata"
            )));
        }
    };
    let by = match &list.by {
        Some(by) => by.clone(),
        None => strata_columns(&arm, file)?,
    };
    Ok(Columns { arm, by })
}

/// The columns that make the strata where nobody named them: in REDCap's table all besides group and number, in a list of
/// this program `stratum`. Elsewhere that is not known, and asked for if it matters.
///
/// A column that is the same in every row divides nothing, and one that is different in every row (a number, a date) is no
/// stratum.
fn strata_columns(arm: &str, file: &TableFile) -> Result<Vec<String>, Failure> {
    let levels = |name: &str| {
        let texts = file.table.column(name).ok();
        let mut texts: Vec<&str> =
            texts.map_or_else(Vec::new, |column| column.texts().flatten().collect());
        texts.sort_unstable();
        texts.dedup();
        texts.len()
    };
    let all_differ = |name: &str| levels(name) == file.table.len();
    let divides = |name: &str| levels(name) > 1 && !all_differ(name);
    let header = file.table.header().iter();
    if file.table.column(arm).is_err() {
        // Whoever reads it says so, with the name that was probably meant.
        return Ok(Vec::new());
    }
    if arm == REDCAP_GROUP {
        let own = |name: &&String| *name != REDCAP_GROUP && *name != REDCAP_NUMBER;
        let own: Vec<String> = header.filter(own).cloned().collect();
        // REDCap's table has no record in it; one that somebody has put there makes every row a stratum of its own.
        if file.table.len() < 2 || !own.iter().any(|name| all_differ(name)) {
            return Ok(own);
        }
        let dividing = own.iter().filter(|name| divides(name)).cloned();
        return Err(strata_unknown(&own, &dividing.collect::<Vec<_>>()));
    }
    let dividing: Vec<String> = header
        .filter(|name| *name != arm && divides(name))
        .cloned()
        .collect();
    if dividing.is_empty() || arm == ARM && dividing == [STRATUM] {
        return Ok(dividing);
    }
    Err(strata_unknown(&dividing, &dividing))
}

/// That columns of a list may be strata or not, and `--by` is to say it.
///
/// The example names those of them that divide the list, and does not ask for a stratum of every row.
fn strata_unknown(columns: &[String], dividing: &[String]) -> Failure {
    let names = columns.join("`, `");
    let example = match dividing {
        [] => "''".to_owned(),
        some => some.join(","),
    };
    Failure::new(
        exit::USAGE,
        "missing-option",
        words!(
            "whether `{names}` make the strata is not known: `--by` is missing",
            "om `{names}` bildar strata är inte känt: `--by` saknas"
        ),
    )
    .help(words!(
        "name those that do, for example `--by {example}`, or `--by ''` if the file is one list",
        "ange dem som gör det, till exempel `--by {example}`, eller `--by ''` om filen är en enda lista"
    ))
}

/// The different arms of a list in order: as numbers if all of them are, otherwise as text.
fn different(texts: &[String]) -> Vec<String> {
    let mut levels = texts.to_vec();
    levels.sort_unstable();
    levels.dedup();
    let number = |level: &String| level.parse::<u64>().ok();
    if levels.iter().all(|level| number(level).is_some()) {
        levels.sort_by_key(number);
    }
    levels
}

/// Refuses parts that are not equal for arms in an order that nobody gave.
fn unequal_needs_arms(list: &List, levels: &[String]) -> Result<(), Failure> {
    let Some(text) = list.ratio.as_deref().filter(|_| list.arms.is_none()) else {
        return Ok(());
    };
    match read_ratio(text) {
        Ok(ratio) if !ratio.is_equal() => {
            let arms = levels.join(",");
            Err(Failure::new(
                exit::USAGE,
                "missing-option",
                words!(
                    "which arm has which part of {ratio} is not known: `--arms` is missing",
                    "vilken arm som har vilken del av {ratio} är inte känt: `--arms` saknas"
                ),
            )
            .help(words!(
                "name the arms in the order of `--ratio`, for example `--arms {arms}`",
                "ange armarna i samma ordning som `--ratio`, till exempel `--arms {arms}`"
            )))
        }
        _ => Ok(()),
    }
}

/// The arm of each row.
type Arms = Vec<String>;
/// The levels of each row.
type Strata = Vec<Vec<String>>;

/// The arm and the levels of each row.
fn read(file: &TableFile, columns: &Columns) -> Result<(Arms, Strata), Failure> {
    let used = std::iter::once(&columns.arm).chain(&columns.by);
    let used: Vec<&str> = used.map(String::as_str).collect();
    let mut findings = Vec::new();
    let mut column = |name: &str| -> Vec<String> {
        let column = match file.table.column_besides(name, &used) {
            Ok(column) => column,
            Err(finding) => {
                findings.push(finding);
                return Vec::new();
            }
        };
        let mut texts = Vec::with_capacity(file.table.len());
        for (index, text) in column.texts().enumerate() {
            if text.is_none() {
                let message = words!("the level is missing", "nivån saknas");
                let at = Place::cell(file.table.row(index), name);
                findings.push(
                    Diagnostic::error("missing-level", message)
                        .at(at)
                        .help(words!(
                            "fill it in, or leave `{name}` out of `--by`",
                            "fyll i den, eller utelämna `{name}` ur `--by`"
                        )),
                );
            }
            texts.push(text.unwrap_or_default().to_owned());
        }
        texts
    };
    let arms = column(&columns.arm);
    let by: Vec<Vec<String>> = columns.by.iter().map(|name| column(name)).collect();
    if !findings.is_empty() {
        return Err(file.refuse(findings));
    }
    let strata = (0..arms.len())
        .map(|row| by.iter().map(|texts| texts[row].clone()).collect())
        .collect();
    Ok((arms, strata))
}

/// The arms as places; one that is not named is a finding at its row.
fn drawn(
    file: &TableFile,
    column: &str,
    texts: &[String],
    arms: &[String],
) -> Result<Vec<Arm>, Failure> {
    let mut findings = Vec::new();
    let mut drawn = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        if let Some(place) = arms.iter().position(|arm| arm == text) {
            drawn.push(Arm(place as u8));
            continue;
        }
        let known = arms.join("`, `");
        let message = words!(
            "`{text}` is none of the arms `{known}`",
            "`{text}` är ingen av armarna `{known}`"
        );
        let at = Place::cell(file.table.row(index), column);
        findings.push(Diagnostic::error("wrong-arms", message).at(at));
    }
    if findings.is_empty() {
        Ok(drawn)
    } else {
        Err(file.refuse(findings))
    }
}

fn warnings(list: &List, total: &Part) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    if let (Some(row), Some((id, _))) = (total.first_impossible_row, &list.method) {
        warnings.push(
            Diagnostic::warning(
                "list-impossible",
                words!(
                    "row {row}: `{id}` could not have drawn this arm after the arms before it",
                    "rad {row}: `{id}` kunde inte ha lottat denna arm efter armarna före den"
                ),
            )
            .help(words!(
                "the list is of another method or other options, or it was changed or sorted",
                "listan är gjord med en annan metod eller andra inställningar, eller så har den ändrats eller sorterats"
            )),
        );
    }
    if let (None, Some((id, _))) = (total.possible, &list.method) {
        warnings.push(
            Diagnostic::warning(
                "list-not-followed",
                words!(
                    "whether `{id}` could have drawn the whole list is not known: behind an arm of an unequal ratio too much is hidden",
                    "om `{id}` kunde ha lottat hela listan är inte känt: bakom en arm i ett ojämnt förhållande är för mycket dolt"
                ),
            )
            .help(words!(
                "with the seed, draw the list again and compare",
                "lotta om listan med fröet och jämför"
            )),
        );
    }
    let Assessed {
        n,
        correct_guesses,
        guesses_by_chance,
        ..
    } = total.assessed;
    let gained = correct_guesses - guesses_by_chance;
    // More than chance alone does to a list of this length: two standard deviations of n fair guesses.
    if gained > ADVANTAGE * n as f64 && gained > (n as f64).sqrt() {
        let (right, chance) = (correct_guesses.round(), guesses_by_chance.round());
        warnings.push(
            Diagnostic::warning(
                "guessable",
                words!(
                    "whoever kept count of the strata would have guessed {right} of {n} right, {chance} by chance",
                    "den som höll räkning på strata skulle ha gissat {right} av {n} rätt, {chance} av en slump"
                ),
            )
            .help(words!(
                "`lottning draw --characteristics` compares methods that are harder to guess",
                "`lottning draw --characteristics` jämför metoder som är svårare att gissa"
            )),
        );
    }
    warnings
}
