//! `pseudonym`: the key holder's verb. Personal numbers in, pseudonyms out; no study is read or written.
//!
//! Numbers come by standard input or in a file, never on the command line, where other accounts could read them. No
//! message repeats one. The key file stays outside every study folder and is private to one account.

use super::exit;
use super::failure::Failure;
use super::open::absolute;
use super::outside::Outside;
use super::study::LEDGER_FILE;
use super::tables::TableFile;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::is_kebab;
use crate::study::identifiers::holds_personal_number;
use crate::study::personal_number::{CanonicalNumber, NotCanonical};
use crate::study::pseudonym::{KEY_FILE, NotAKey, PseudonymKey, is_manual_number};
use crate::words;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What the numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Personal and coordination numbers.
    Personal,
    /// Study numbers of the key holder's own, for protected identities and children without a number.
    Manual,
}

/// What `pseudonym` needs beside the numbers.
#[derive(Debug, Clone)]
pub struct Pseudonyms {
    /// Id of the study.
    pub study: String,
    /// The key file.
    pub key: PathBuf,
    /// The key file that comes after it: old and new pseudonyms are answered side by side.
    pub rekey: Option<PathBuf>,
    /// What the numbers are.
    pub numbers: Numbers,
    /// The day on which short forms were written; `None` is today in Sweden.
    pub on: Option<String>,
}

/// Rows and columns of text: the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Cells; `None` is empty.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Makes a key file that only its owner may read.
///
/// # Errors
/// A file there already (exit 7), or a place inside a study folder (7).
pub fn new_key(outside: &Outside, path: &Path) -> Result<(), Failure> {
    refuse_inside_study(outside, path)?;
    if outside.exists(path) {
        let name = path.display();
        return Err(Failure::new(
            exit::WRONG_STATE,
            "exists",
            words!(
                "{name} is there already and is not overwritten",
                "{name} finns redan och skrivs inte över"
            ),
        )
        .help(Words::new(
            "a key that has been used must be kept; name another file",
            "en nyckel som har använts måste sparas; ange en annan fil",
        )));
    }
    let mut bytes = Zeroizing::new([0; 32]);
    outside.entropy.fill(&mut *bytes)?;
    let key = PseudonymKey::from_bytes(*bytes);
    let text = key.to_file();
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        outside.create_folder(parent)?;
    }
    outside.create_secret(path, text.as_bytes())
}

/// The pseudonym of one study number of one's own.
///
/// # Errors
/// A number that is none, or could be a personal number (exit 4); a key that cannot be used.
pub fn of_one(outside: &Outside, request: &Pseudonyms, number: &str) -> Result<Rows, Failure> {
    let maker = Maker::new(outside, request)?;
    let made = maker.make(number).map_err(|finding| {
        Failure::new(exit::INVALID_DATA, finding.code, finding.message)
            .help(finding.help.unwrap_or_else(|| Words::same("")))
    })?;
    Ok(maker.list(vec![made]))
}

/// The pseudonyms of numbers on lines; empty lines are passed over.
///
/// # Errors
/// Every line that is refused, by its row (exit 4); a key that cannot be used.
pub fn of_lines(outside: &Outside, request: &Pseudonyms, bytes: &[u8]) -> Result<Rows, Failure> {
    let maker = Maker::new(outside, request)?;
    // Editors and spreadsheets put a byte-order mark before the first line.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let (mut made, mut findings) = (Vec::new(), Vec::new());
    for (place, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match maker.make(line) {
            Ok(own) => made.push(own),
            Err(finding) => findings.push(finding.at(Place::row(place + 1))),
        }
    }
    if findings.is_empty() && made.is_empty() {
        findings.push(Diagnostic::error(
            "empty-file",
            Words::new("no number was given", "inget nummer angavs"),
        ));
    }
    if !findings.is_empty() {
        return Err(refused("stdin", findings));
    }
    Ok(maker.list(made))
}

/// A file with the numbers of some columns replaced by pseudonyms; with a second key, the old and new pseudonyms of
/// those numbers, each pair once.
///
/// # Errors
/// Every cell that is refused, by row and column, also a personal number in a column that was not named (exit 4).
pub fn of_file(
    outside: &Outside,
    request: &Pseudonyms,
    file: &TableFile,
    columns: &[String],
) -> Result<Rows, Failure> {
    let maker = Maker::new(outside, request)?;
    let table = &file.table;
    let mut findings: Vec<Diagnostic> = columns
        .iter()
        .filter_map(|name| table.column(name).err())
        .collect();
    if !findings.is_empty() {
        return Err(file.refuse(findings));
    }
    let mut made = Vec::new();
    let mut rows = vec![Vec::new(); table.len()];
    for column in table.columns() {
        let named = columns.iter().any(|name| name == column.name());
        for (place, (cell, written)) in column.texts().zip(column.written()).enumerate() {
            let at = |finding: Diagnostic| finding.at(column.place(place));
            let own = match cell {
                Some(cell) if named => match maker.make_each(cell, column.name() == CHILDREN) {
                    Ok(pairs) => {
                        let own: Vec<&str> = pairs.iter().map(|(own, _)| own.as_str()).collect();
                        let own = own.join(" ");
                        made.extend(pairs);
                        Some(own)
                    }
                    Err(finding) => {
                        findings.push(at(finding));
                        None
                    }
                },
                // A family of whom no child is known yet.
                None if named && column.name() == CHILDREN => None,
                None if named => {
                    findings.push(at(not_made(
                        Words::new("the cell is empty", "cellen är tom"),
                        request.numbers,
                    )));
                    None
                }
                Some(cell) if holds_personal_number(cell) => {
                    findings.push(at(left_over()));
                    None
                }
                // `NA` may be the name of a child there; what the study means by it is for the study to say.
                _ => (!written.is_empty()).then(|| written.to_owned()),
            };
            rows[place].push(own);
        }
    }
    if table
        .header()
        .iter()
        .any(|name| holds_personal_number(name))
    {
        findings.push(left_over().at(Place::row(1)));
    }
    if !findings.is_empty() {
        return Err(refused(&file.name, findings));
    }
    if request.rekey.is_some() {
        return Ok(maker.list(made));
    }
    Ok(Rows {
        header: table.header().to_vec(),
        rows,
    })
}

fn refused(name: &str, findings: Vec<Diagnostic>) -> Failure {
    Failure::refused_file(exit::INVALID_DATA, "invalid-data", name, "", findings)
}

/// The column of an enrolment file that holds any number of children, with spaces between them.
const CHILDREN: &str = "child";

/// A pseudonym, and the one under the key that comes after.
type Made = (String, Option<String>);

struct Maker<'a> {
    request: &'a Pseudonyms,
    key: PseudonymKey,
    next: Option<PseudonymKey>,
    on: Date,
}

impl<'a> Maker<'a> {
    fn new(outside: &Outside, request: &'a Pseudonyms) -> Result<Self, Failure> {
        if !is_kebab(&request.study) {
            return Err(Failure::new(
                exit::USAGE,
                "invalid-value",
                Words::new(
                    "the value of --study-id is no id of a study",
                    "värdet på --study-id är inget id för en studie",
                ),
            )
            .help(Words::new(
                "give `id` of the protocol's [study], for example iuh-2025: every pseudonym depends on it",
                "ange `id` i protokollets [study], till exempel iuh-2025: varje pseudonym beror på det",
            )));
        }
        let today = || {
            let zone = TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC);
            outside.clock.now().to_zoned(zone).date()
        };
        let on = match &request.on {
            None => today(),
            Some(text) => text
                .parse()
                .ok()
                .filter(|_| text.len() == 10)
                .ok_or_else(|| {
                    Failure::new(
                        exit::INVALID_DATA,
                        "invalid-date",
                        Words::new(
                            "the value of --on is not a date",
                            "värdet på --on är inget datum",
                        ),
                    )
                    .help(Words::new(
                        "write it as year-month-day, for example 2025-03-01",
                        "skriv det som år-månad-dag, till exempel 2025-03-01",
                    ))
                })?,
        };
        let key = read_key(outside, &request.key)?;
        let next = request.rekey.as_deref();
        let next = next.map(|path| read_key(outside, path)).transpose()?;
        if next.as_ref().is_some_and(|next| next.is(&key)) {
            return Err(same_key());
        }
        Ok(Self {
            request,
            key,
            next,
            on,
        })
    }

    /// One number, or where a cell may hold `several` the one or those with spaces between them.
    fn make_each(&self, cell: &str, several: bool) -> Result<Vec<Made>, Diagnostic> {
        let whole = self.make(cell).map(|made| vec![made]);
        if whole.is_ok() || !several || !cell.trim().contains(char::is_whitespace) {
            return whole;
        }
        cell.split_whitespace().map(|own| self.make(own)).collect()
    }

    fn make(&self, text: &str) -> Result<Made, Diagnostic> {
        let study = &self.request.study;
        let next = |of: &dyn Fn(&PseudonymKey) -> String| self.next.as_ref().map(of);
        match self.request.numbers {
            Numbers::Personal => {
                let number = CanonicalNumber::read(text, self.on)
                    .map_err(|why| not_made(reason(why), Numbers::Personal))?;
                let of = |key: &PseudonymKey| key.of_number(study, &number);
                Ok((of(&self.key), next(&of)))
            }
            Numbers::Manual => {
                let text = text.trim();
                if !is_manual_number(text) {
                    return Err(not_made(
                        Words::new(
                            "this is no study number of your own",
                            "detta är inget eget studienummer",
                        ),
                        Numbers::Manual,
                    ));
                }
                let of = |key: &PseudonymKey| key.of_manual(study, text);
                Ok((of(&self.key), next(&of)))
            }
        }
    }

    /// A list of pseudonyms as they came, or the map from old to new ones, each pair once.
    fn list(&self, made: Vec<Made>) -> Rows {
        if self.next.is_none() {
            return Rows {
                header: vec!["pseudonym".into()],
                rows: made.into_iter().map(|(own, _)| vec![Some(own)]).collect(),
            };
        }
        let mut rows: Vec<Vec<Option<String>>> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for (old, new) in made {
            if seen.insert(old.clone()) {
                rows.push(vec![Some(old), new]);
            }
        }
        Rows {
            header: vec!["old".into(), "new".into()],
            rows,
        }
    }
}

/// Why a number has no canonical form, in words that do not repeat it.
fn reason(why: NotCanonical) -> Words {
    match why {
        NotCanonical::Form => Words::new(
            "this is not a personal or coordination number of ten or twelve digits",
            "detta är inget person- eller samordningsnummer med tio eller tolv siffror",
        ),
        NotCanonical::Interim => Words::new(
            "this is an interim number, which may be given again to somebody else",
            "detta är ett interimsnummer, som kan ges till någon annan",
        ),
        NotCanonical::Date => Words::new(
            "its date does not exist: mistyped, or a reserve number",
            "dess datum finns inte: felskrivet, eller ett reservnummer",
        ),
        NotCanonical::Future => Words::new(
            "its date lies in the future",
            "dess datum ligger i framtiden",
        ),
        NotCanonical::Minus => Words::new(
            "its sign - belongs to those under 100, and its date lies ahead or is of somebody who turns 100 this year",
            "dess bindestreck hör till dem under 100 år, och dess datum ligger i framtiden eller hör till någon som fyller 100 år i år",
        ),
        NotCanonical::Serial => Words::new(
            "the three digits after its date are 000, which nobody has",
            "de tre siffrorna efter dess datum är 000, vilket ingen har",
        ),
        NotCanonical::Plus => Words::new(
            "its sign + belongs to those who turn 100 or more this year, and its date does not",
            "dess plustecken hör till dem som fyller 100 år eller mer i år, men inte dess datum",
        ),
        NotCanonical::CheckDigit => Words::new(
            "its check digit is wrong: mistyped, or a reserve number",
            "dess kontrollsiffra är fel: felskrivet, eller ett reservnummer",
        ),
    }
}

fn not_made(why: Words, numbers: Numbers) -> Diagnostic {
    match numbers {
        Numbers::Personal => Diagnostic::error("not-canonical", why).help(Words::new(
            "correct the number; whoever has none of their own, or a protected identity, gets a study number: --manual",
            "rätta numret; den som saknar eget nummer, eller har skyddade personuppgifter, får ett studienummer: --manual",
        )),
        Numbers::Manual => Diagnostic::error("not-a-study-number", why).help(Words::new(
            "a study number is one to 64 of A–Z, a–z, 0–9, full stop, underscore and hyphen, with at most nine digits, for example M-17",
            "ett studienummer är ett till 64 tecken av A–Z, a–z, 0–9, punkt, understreck och bindestreck, med högst nio siffror, till exempel M-17",
        )),
    }
}

/// A personal number where no pseudonym was asked for would be written out as it stands.
fn left_over() -> Diagnostic {
    Diagnostic::error(
        "personal-number",
        Words::new(
            "a value looks like a personal or coordination number and would be written out; it is not repeated here",
            "ett värde ser ut som ett person- eller samordningsnummer och skulle skrivas ut; det upprepas inte här",
        ),
    )
    .help(Words::new(
        "name this column too with --column, or take it out of the file",
        "ange även denna kolumn med --column, eller ta bort den ur filen",
    ))
}

/// The refusal to replace a key by itself.
fn same_key() -> Failure {
    Failure::new(
        exit::WRONG_STATE,
        "key-unchanged",
        Words::new(
            "the key of --rekey is the key that it would replace: no pseudonym would change",
            "nyckeln i --rekey är samma nyckel som den skulle ersätta: ingen pseudonym skulle ändras",
        ),
    )
    .help(Words::new(
        "make a new one with `lottning pseudonym --new-key FILE`, and give that with --rekey",
        "skapa en ny med `lottning pseudonym --new-key FIL`, och ange den med --rekey",
    ))
}

fn read_key(outside: &Outside, path: &Path) -> Result<PseudonymKey, Failure> {
    refuse_inside_study(outside, path)?;
    let name = path.display();
    let text = Zeroizing::new(String::from_utf8(outside.read(path)?).unwrap_or_default());
    if outside.others_may_read(path) {
        return Err(Failure::new(
            exit::WRONG_STATE,
            "key-not-private",
            words!(
                "other accounts may read the key file {name}",
                "andra konton får läsa nyckelfilen {name}"
            ),
        )
        .help(words!(
            "run `chmod 600 {name}`; if others may have read it, make a new key and re-key (docs/pseudonyms.md)",
            "kör `chmod 600 {name}`; om andra kan ha läst den, skapa en ny nyckel och byt (docs/pseudonyms.md)"
        )));
    }
    PseudonymKey::from_file(&text).map_err(|why| match why {
        NotAKey::Seed => Failure::new(
            exit::INVALID_DATA,
            "key-invalid",
            words!(
                "{name} is a seed file, not a key of pseudonyms: it lacks the first line `{KEY_FILE}`",
                "{name} är en fröfil, ingen nyckel för pseudonymer: den saknar första raden `{KEY_FILE}`"
            ),
        )
        .help(words!(
            "give the file that --new-key made; a key made before keys had that line is used again once you put the line before it",
            "ange filen som --new-key skapade; en nyckel från tiden före den raden går att använda när raden har satts framför"
        )),
        NotAKey::Form => Failure::new(
            exit::INVALID_DATA,
            "key-invalid",
            words!(
                "{name} is not a key file: the line `{KEY_FILE}` and 64 hexadecimal digits",
                "{name} är ingen nyckelfil: raden `{KEY_FILE}` och 64 hexadecimala siffror"
            ),
        )
        .help(Words::new(
            "give the file that --new-key made",
            "ange filen som --new-key skapade",
        )),
    })
}

/// The key must not lie where the study's readers look, nor where its backups go.
fn refuse_inside_study(outside: &Outside, path: &Path) -> Result<(), Failure> {
    let inside = absolute(outside, path)
        .ancestors()
        .skip(1)
        .any(|folder| folder.join(LEDGER_FILE).exists());
    if !inside {
        return Ok(());
    }
    Err(Failure::new(
        exit::WRONG_STATE,
        "key-inside-study",
        Words::new(
            "the key file lies inside a study folder, where everybody who reads the study could turn pseudonyms back",
            "nyckelfilen ligger i en studiemapp, där alla som läser studien skulle kunna spåra pseudonymerna",
        ),
    )
    .help(Words::new(
        "the key holder keeps it elsewhere, best on another computer",
        "nyckelförvaltaren förvarar den på en annan plats, helst på en annan dator",
    )))
}
