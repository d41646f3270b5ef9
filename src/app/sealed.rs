//! The sealed protocols of a study folder: `protocol.toml`, and one file more for each later epoch.
//!
//! Which of them are in force is said by the ledger, never by the folder: a file of an amendment that was broken off is
//! a leftover. Whether a file carries on the one before it is `protocol`'s to say; sealing is `open`'s and `amend`'s.

use super::exit;
use super::failure::Failure;
use super::open::protocol_missing;
use super::outside::Outside;
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::Protocol;
use crate::study::identifiers::holds_personal_number;
use crate::study::journal::Entry;
use crate::words;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Code of a sealed protocol that is not the one that the ledger names.
pub(super) const PROTOCOL_MISMATCH: &str = "protocol-mismatch";

/// The file of an epoch's sealed protocol in a study folder.
pub fn protocol_file(epoch: u32) -> PathBuf {
    match epoch {
        0 => PathBuf::from("protocol.toml"),
        later => PathBuf::from(format!("protocol-{later}.toml")),
    }
}

/// Number of epochs that a ledger has opened after the first.
pub fn later_epochs(entries: &[Entry]) -> u32 {
    let opened = entries.iter().filter(|entry| entry.kind == "epoch-opened");
    opened.count() as u32
}

/// The protocol in force of a study folder whose ledger has opened `later` epochs after the first.
///
/// # Errors
/// A file that is gone (exit 8) or is no protocol (3).
pub fn sealed_protocol(
    outside: &Outside,
    folder: &Path,
    later: u32,
) -> Result<Arc<Protocol>, Failure> {
    let read = |epoch: u32| {
        let path = folder.join(protocol_file(epoch));
        if !outside.exists(&path) {
            return Err(protocol_missing(folder, epoch));
        }
        read_protocol(outside, &path).map(|(protocol, _)| protocol)
    };
    let mut protocol = read(0)?;
    for epoch in 1..=later {
        protocol = Arc::new(read(epoch)?.as_ref().clone().after(&protocol));
    }
    Ok(protocol)
}

/// That the sealed protocol of an epoch is not the one whose hash the event that opened the epoch has.
pub(super) fn protocol_changed(
    folder: &Path,
    (epoch, sequence): (u32, u64),
    hash: &str,
) -> Failure {
    let file = protocol_file(epoch);
    let (folder, file) = (folder.display(), file.display());
    Failure::new(
        exit::VERIFICATION_FAILED,
        PROTOCOL_MISMATCH,
        words!(
            "{file} in {folder} is not the file that event {sequence} sealed: it was changed, or the event was; nothing was recorded",
            "{file} i {folder} är inte filen som händelse {sequence} förseglade: den har ändrats, eller så har händelsen det; inget har registrerats"
        ),
    )
    .help(words!(
        "put the sealed file back, byte for byte (its SHA-256 is {hash}), and run `lottning verify`",
        "lägg tillbaka den förseglade filen, byte för byte (dess SHA-256 är {hash}), och kör `lottning verify`"
    ))
}

/// A protocol file: the protocol and its warnings.
///
/// # Errors
/// Every error in the file at once: exit 3.
pub fn read_protocol(
    outside: &Outside,
    path: &Path,
) -> Result<(Arc<Protocol>, Vec<Diagnostic>), Failure> {
    parse_protocol(&outside.read(path)?, path)
}

/// The protocol of a file's bytes and its warnings; `path` names the file.
///
/// # Errors
/// As [`read_protocol`].
pub(super) fn parse_protocol(
    bytes: &[u8],
    path: &Path,
) -> Result<(Arc<Protocol>, Vec<Diagnostic>), Failure> {
    let parsed = crate::protocol::parse(bytes);
    match parsed.protocol {
        Some(protocol) => Ok((Arc::new(protocol), parsed.diagnostics)),
        None => Err(Failure::refused_file(
            exit::INVALID_PROTOCOL,
            "invalid-protocol",
            path.display().to_string(),
            String::from_utf8_lossy(bytes),
            parsed.diagnostics,
        )),
    }
}

/// A protocol is sealed for good and shown in proofs, so nothing in it may look like a personal number.
///
/// # Errors
/// The line that does, without its text: exit 3.
pub(super) fn refuse_personal_numbers(bytes: &[u8], path: &Path) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(bytes);
    let Some(line) = text.lines().position(holds_personal_number) else {
        return Ok(());
    };
    let (line, path) = (line + 1, path.display());
    Err(Failure::new(
        exit::INVALID_PROTOCOL,
        "personal-number",
        words!(
            "line {line} of {path} looks like it holds a personal number; it is not repeated here and nothing was sealed",
            "rad {line} i {path} ser ut att innehålla ett personnummer; det upprepas inte här och inget förseglades"
        ),
    )
    .help(Words::new(
        "write decisions and registrations without such digits; a sealed protocol is shown to anyone",
        "skriv beslut och registreringar utan sådana siffror; ett förseglat protokoll visas för alla",
    )))
}

/// Checks the digits by which a person confirms a sealed protocol.
///
/// # Errors
/// Other digits: exit 2.
pub fn check_confirm(protocol: &Protocol, given: &str) -> Result<(), Failure> {
    let short = protocol.hash.short();
    if given.eq_ignore_ascii_case(&short) || given.eq_ignore_ascii_case(&protocol.hash.to_hex()) {
        return Ok(());
    }
    Err(Failure::new(
        exit::USAGE,
        "confirm-mismatch",
        words!(
            "--confirm does not name this protocol: its hash begins with {short}",
            "--confirm gäller inte det här protokollet: dess hash börjar med {short}"
        ),
    )
    .help(Words::new(
        "run `lottning check` on the file, read what will be sealed, and give the digits that it prints",
        "kör `lottning check` på filen, läs vad som förseglas och ange siffrorna som visas",
    )))
}
