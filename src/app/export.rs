//! `export`: what leaves a study. The proof holds the chain and the public parts, so that anyone can check it offline.
//!
//! The export is recorded first, so that the proof shows it, too. Nothing of a payload leaves here.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::permission::Deed;
use super::record::{NoDraw, Receipt};
use super::refusal::refusal;
use super::sealed::protocol_file;
use super::study::{Act, Study, Work};
use crate::diagnostic::{Diagnostic, Lang, Words};
use crate::report::proof::{self, Proof};
use crate::study::identifiers::holds_personal_number;
use crate::study::journal::{Content, Recording};
use crate::study::kernel::{Command, decide};
use crate::words;
use std::path::{Path, PathBuf};

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
/// (1), busy (5).
pub fn proof(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    folder: &Path,
    lang: Lang,
) -> Result<Exported, Failure> {
    let protocols = sealed_texts(outside, study)?;
    outside.create_folder(folder)?;
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
            .map(|what| Recording::public(what, Content::new().with("what", "proof")))
            .collect();
        Ok(Work {
            recordings,
            answer: Receipt {
                event: "exported".to_owned(),
                sequence: journal.head.sequence + 1,
                replayed: false,
                head: String::new(),
                warnings: before_the_end(journal.state.closed),
            },
        })
    })?;
    receipt.head = study.journal.head.to_hex();
    // What another command recorded since is of a later proof.
    let mut entries = study.entries()?;
    entries.retain(|entry| entry.sequence <= receipt.sequence);
    let id = study.journal.protocol.study.id.clone();
    let whole = Proof {
        study: &id,
        protocols: &protocols,
        entries: &entries,
    };
    let mut files = Vec::new();
    for (name, text) in [
        ("proof.html", proof::html(&whole, lang)),
        ("proof.json", proof::json(&whole)),
    ] {
        let path = folder.join(name);
        outside.write_private(&path, text.as_bytes())?;
        files.push(path);
    }
    Ok(Exported { receipt, files })
}

/// What is planned and not built yet.
pub fn not_built(what: &str) -> Failure {
    Failure::new(
        exit::USAGE,
        "not-built-yet",
        words!(
            "`export {what}` is not built yet",
            "`export {what}` finns inte än"
        ),
    )
    .help(Words::new("what exists: --proof", "det här finns: --proof"))
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
            "line {line} of {name} looks like it holds a personal number; a proof would publish it, so nothing was written",
            "rad {line} i {name} ser ut att innehålla ett personnummer; ett bevis skulle publicera det, så inget skrevs"
        ),
    )
    .help(Words::new(
        "the protocol is sealed and stays as it is; show the proof of this study only in `lottning verify`",
        "protokollet är förseglat och förblir som det är; visa den här studiens bevis endast med `lottning verify`",
    ))
}
