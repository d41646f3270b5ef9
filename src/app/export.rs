//! `export`: what leaves a study. The proof holds the chain and the public parts, so that anyone can check it offline.
//!
//! The data and the folder for replication hold a row for each family of a lock, under numbers. An export is recorded first, so
//! that the proof shows it, too. No pseudonym leaves here.

use super::analyse::{Analysed, body, earlier_states, locked, up_to_lock};
use super::exit;
use super::failure::Failure;
use super::lock::find;
use super::outside::Outside;
use super::permission::Deed;
use super::record::{NoDraw, Receipt};
use super::refusal::refusal;
use super::sealed::protocol_file;
use super::study::{Act, Study, Work};
use crate::analysis::Plan;
use crate::analysis::replication::{AtLock, replication};
use crate::diagnostic::{Diagnostic, Lang, Words};
use crate::report::File;
use crate::report::data::{self, Data};
use crate::report::proof::{self, Proof};
use crate::report::replicate::{Folder, files};
use crate::study::identifiers::holds_personal_number;
use crate::study::journal::{Content, Entry, Recording};
use crate::study::kernel::{Command, decide};
use crate::words;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Room in bytes for a row more, or for the last page of a file.
const ROW: usize = 4096;

/// An export was written.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The event.
    pub receipt: Receipt,
    /// The files, the page first.
    pub files: Vec<PathBuf>,
}

/// Writes `proof.html` and `proof.json` to a folder and records it.
///
/// # Errors
/// A sealed protocol that cannot be read (exit 1), is no text or holds a personal number (4), a folder that cannot be made
/// or has no room (1), busy (5).
pub fn proof(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    folder: &Path,
    lang: Lang,
) -> Result<Exported, Failure> {
    let protocols = sealed_texts(outside, study)?;
    outside.create_folder(folder)?;
    let id = study.journal.protocol.study.id.clone();
    // The record of the export is a row more.
    let whole = |entries: &[Entry]| {
        let whole = Proof {
            study: &id,
            protocols: &protocols,
            entries,
        };
        [
            ("proof.html", proof::html(&whole, lang)),
            ("proof.json", proof::json(&whole)),
        ]
    };
    let size: usize = whole(&study.entries()?)
        .iter()
        .map(|(_, text)| text.len())
        .sum();
    outside.has_room(folder, size + ROW)?;
    let mut receipt = recorded(outside, study, act, &Content::new().with("what", "proof"))?;
    receipt.warnings = before_the_end(study.journal.state.closed);
    // What another command recorded since is of a later proof.
    let mut entries = study.entries()?;
    entries.retain(|entry| entry.sequence <= receipt.sequence);
    let mut files = Vec::new();
    for (name, text) in whole(&entries) {
        let path = folder.join(name);
        outside
            .write_private(&path, text.as_bytes())
            .map_err(|failure| recorded_already(failure, receipt.sequence))?;
        files.push(path);
    }
    Ok(Exported { receipt, files })
}

/// Writes data, codebook, results and the script that computes them again to a new folder, and records it.
///
/// The folder is for its owner alone: it holds a row for each family, under a number instead of its pseudonym.
///
/// # Errors
/// An unknown lock (exit 2); data that are not locked, or a folder with something in it (7); a sealed protocol with a
/// personal number (4); files that cannot be written (1); busy (5).
pub fn replicate(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    lock: &str,
    folder: &Path,
) -> Result<Exported, Failure> {
    let place = find(study, lock)?;
    if outside.exists(folder) {
        return Err(in_use(folder));
    }
    let Analysed {
        analyses, state, ..
    } = locked(study, place)?;
    sealed_texts(outside, study)?;
    let earlier = earlier_states(study, place, state.epoch)?;
    let protocol = study.protocol().in_epoch(state.epoch);
    let plan = Plan::registered(protocol, usize::from(place));
    let at = AtLock {
        lock: Some(usize::from(place)),
        earlier: &earlier,
    };
    let replication = replication(protocol, (&state, analyses.cut), &plan, at);
    let made = files(&Folder {
        protocol,
        body: &body(protocol, &analyses, Lang::En),
        analyses: &analyses,
        replication: &replication,
    });
    write(outside, study, act, (folder, "replicate"), &made)
}

/// Writes the data sets of a lock with their codebook to a new folder, and records it.
///
/// The folder is for its owner alone: it holds a row for each family, under a number instead of its pseudonym.
///
/// # Errors
/// As [`replicate`].
pub fn data(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    lock: &str,
    folder: &Path,
) -> Result<Exported, Failure> {
    let place = find(study, lock)?;
    if outside.exists(folder) {
        return Err(in_use(folder));
    }
    let (state, at) = up_to_lock(study, place)?;
    sealed_texts(outside, study)?;
    let epochs = study.protocol();
    let made = data::files(&Data {
        protocol: epochs.in_epoch(state.epoch),
        epochs,
        state: &state,
        cut: at.cut,
        lock,
    });
    write(outside, study, act, (folder, "data"), &made)
}

/// Records an export with a row for each family, and writes its files to a new folder.
fn write(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    (folder, what): (&Path, &str),
    made: &[File],
) -> Result<Exported, Failure> {
    let size = made.iter().map(|file| file.text.len() + ROW).sum();
    let above = folder.parent().unwrap_or(Path::new("."));
    outside.create_folder(above)?;
    outside.has_room(above, size)?;
    let mut receipt = recorded(outside, study, act, &Content::new().with("what", what))?;
    receipt.warnings = rows_before_the_end(study.journal.state.closed);
    outside.create_private_folder(folder)?;
    let folders: BTreeSet<&Path> = made
        .iter()
        .filter_map(|file| Path::new(&file.path).parent())
        .filter(|inside| !inside.as_os_str().is_empty())
        .collect();
    for inside in folders {
        outside.create_private_folder(folder.join(inside))?;
    }
    let mut files = Vec::new();
    for file in made {
        let path = folder.join(&file.path);
        outside
            .write_private(&path, file.text.as_bytes())
            .map_err(|failure| recorded_already(failure, receipt.sequence))?;
        files.push(path);
    }
    Ok(Exported { receipt, files })
}

fn in_use(folder: &Path) -> Failure {
    let name = folder.display();
    Failure::new(
        exit::WRONG_STATE,
        "exists",
        words!(
            "{name} is there already; nothing was written",
            "{name} finns redan; inget skrevs"
        ),
    )
    .help(Words::new(
        "name a folder that does not exist",
        "ange en mapp som inte finns",
    ))
}

/// That files which could not be written are of an export that the ledger has.
fn recorded_already(failure: Failure, sequence: u64) -> Failure {
    failure.help(words!(
        "the export is recorded as event {sequence}, though its files are not whole: remove them, make room and export again, which records another one",
        "exporten är registrerad som händelse {sequence} fast dess filer inte är hela: ta bort dem, frigör plats och exportera på nytt, vilket registrerar en till"
    ))
}

/// Records an export.
fn recorded(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    public: &Content,
) -> Result<Receipt, Failure> {
    let mut receipt = study.write(outside, act, Deed::Export, |journal, time| {
        let decision = decide(
            &journal.protocol,
            &journal.state,
            &Command::Export,
            journal.day(time),
            &mut NoDraw,
        )
        .map_err(|refused| refusal(&journal.protocol, refused))?;
        let recordings = decision
            .events
            .into_iter()
            .flatten()
            .map(|what| Recording::public(what, public.clone()))
            .collect();
        Ok(Work {
            recordings,
            answer: Receipt {
                event: "exported".to_owned(),
                sequence: journal.head.sequence + 1,
                replayed: false,
                head: String::new(),
                warnings: Vec::new(),
            },
        })
    })?;
    receipt.head = study.journal.head.to_hex();
    Ok(receipt)
}

/// A proof lists every arm in order: whoever still enrols could guess the next one from it.
fn before_the_end(closed: bool) -> Vec<Diagnostic> {
    let warning = Diagnostic::warning(
        "proof-before-the-end",
        Words::new(
            "enrolment goes on, and the proof lists every allocation with its arm; keep it from everybody who takes part in enrolment",
            "inskrivningen pågår, och beviset räknar upp varje lottning med dess arm; håll det borta från alla som deltar i inskrivningen",
        ),
    );
    if closed { Vec::new() } else { vec![warning] }
}

/// Rows by arm in the order of the draw, while families are still drawn.
fn rows_before_the_end(closed: bool) -> Vec<Diagnostic> {
    let warning = Diagnostic::warning(
        "data-before-the-end",
        Words::new(
            "enrolment goes on, and the folder lists the families of the lock with their arms in the order of the draw; keep it from everybody who takes part in enrolment",
            "inskrivningen pågår, och mappen räknar upp låsningens familjer med deras arm i lottningens ordning; håll den borta från alla som deltar i inskrivningen",
        ),
    );
    if closed { Vec::new() } else { vec![warning] }
}

/// The texts of the sealed protocols, one for each epoch.
fn sealed_texts(outside: &Outside, study: &Study) -> Result<Vec<String>, Failure> {
    let epochs = study
        .journal
        .opening
        .as_ref()
        .map_or(1, |opening| opening.commitments.len());
    (0..epochs as u32)
        .map(|epoch| {
            let path = study.folder.join(protocol_file(epoch));
            let text = outside.read_text(&path, exit::INVALID_DATA)?;
            match text.lines().position(holds_personal_number) {
                None => Ok(text),
                Some(line) => Err(in_protocol(&path, line + 1)),
            }
        })
        .collect()
}

fn in_protocol(path: &Path, line: usize) -> Failure {
    let name = path.display();
    Failure::new(
        exit::INVALID_DATA,
        "personal-number",
        words!(
            "line {line} of {name} looks like it holds a personal number; an export would publish it, so nothing was written",
            "rad {line} i {name} ser ut att innehålla ett personnummer; en export skulle publicera det, så inget skrevs"
        ),
    )
    .help(Words::new(
        "the protocol is sealed and stays as it is; show the proof of this study only in `lottning verify`",
        "protokollet är förseglat och förblir som det är; visa den här studiens bevis endast med `lottning verify`",
    ))
}
