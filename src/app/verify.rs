//! `verify`: check the chain, and with the seeds every draw.

use super::checkpoint::Checkpoint;
use super::failure::Failure;
use super::outside::Outside;
use super::projection;
use super::sealed::{later_epochs, protocol_file, sealed_protocol};
use super::study::{ledger_failure, read_seed};
use crate::protocol::Protocol;
use crate::protocol::model::Custody;
use crate::study::journal::{Entry, Ledger, hex};
use crate::study::verify::{Finding, Verification, verify_with};
use crate::words;
use std::path::{Path, PathBuf};

/// The verdict on a study folder, and who could have read its seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The verdict.
    pub verification: Verification,
    /// Who could read the seed.
    pub custody: Custody,
    /// Whether the protocol names roles.
    pub roles: bool,
    /// Whether a live study was opened at a typed time, and so follows typed times.
    pub typed_time: bool,
    /// Seed files needed, one per epoch, if another number was given.
    pub seeds_needed: Option<usize>,
}

/// What was kept elsewhere and must be found again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// The head that the ledger must have now.
    pub head: Option<&'a str>,
    /// Files with heads that the ledger must have had.
    pub checkpoints: &'a [PathBuf],
}

/// What does not fit a checkpoint: another study, a row that is gone, or one with another hash.
fn missed(checkpoint: &Checkpoint, protocol: &Protocol, entries: &[Entry]) -> Option<Finding> {
    let Checkpoint {
        study,
        events,
        written,
        ..
    } = checkpoint;
    let row = usize::try_from(*events)
        .ok()
        .and_then(|events| entries.get(events.checked_sub(1)?));
    let message = if *study != protocol.study.id {
        words!(
            "the checkpoint of {written} is of the study {study}",
            "kontrollpunkten från {written} gäller studien {study}"
        )
    } else if let Some(row) = row {
        if hex(&row.hash).eq_ignore_ascii_case(&checkpoint.head) {
            return None;
        }
        words!(
            "event {events} is not the one that the checkpoint of {written} saw: the ledger was written anew",
            "händelse {events} är inte den som kontrollpunkten från {written} såg: liggaren har skrivits om"
        )
    } else {
        let found = entries.len();
        words!(
            "the checkpoint of {written} saw {events} events, and the ledger has {found}: rows are missing",
            "kontrollpunkten från {written} såg {events} händelser, men liggaren har {found}: rader saknas"
        )
    };
    Some(Finding {
        code: "checkpoint-missed",
        sequence: None,
        message,
    })
}

/// That the sealed protocol of an epoch is gone: what else does not hold follows from it.
fn missing_protocol(entries: &[Entry], epoch: u32) -> Finding {
    let opened = entries
        .iter()
        .filter(|entry| entry.kind == "epoch-opened")
        .nth(epoch as usize - 1);
    let file = protocol_file(epoch);
    let file = file.display();
    Finding {
        code: "protocol-missing",
        sequence: opened.map(|entry| entry.sequence),
        message: words!(
            "epoch {epoch} is open, and its sealed protocol {file} is not in the folder: put it back, byte for byte; the rows after it cannot be checked without it",
            "epok {epoch} är öppnad, och dess förseglade protokoll {file} finns inte i mappen: lägg tillbaka det, byte för byte; raderna efter den kan inte kontrolleras utan det"
        ),
    }
}

/// Verifies the study in a folder. What does not hold is in the verdict, not a failure.
///
/// # Errors
/// No study (exit 7), a protocol or a seed file that cannot be read (3, 9), a ledger that is no database (8).
pub fn check(
    outside: &Outside,
    folder: &Path,
    seed_files: &[PathBuf],
    expected: &Expected<'_>,
) -> Result<Verdict, Failure> {
    let failed = |error| ledger_failure(&error, folder);
    let mut ledger = projection::open_ledger(outside, folder)?;
    let mut entries = Vec::new();
    ledger
        .read_from(1, &mut |entry| entries.push(entry))
        .map_err(failed)?;
    // A forged epoch has no file; the verdict then names its row.
    let there = |epoch: &u32| outside.exists(folder.join(protocol_file(*epoch)));
    let epochs = later_epochs(&entries);
    let later = (1..=epochs).take_while(there).count();
    let protocol = sealed_protocol(outside, folder, later as u32)?;
    let seeds = seed_files
        .iter()
        .map(|file| read_seed(outside, file))
        .collect::<Result<Vec<_>, _>>()?;
    let stored = projection::stored(outside, folder);
    let mut verification = verify_with(&protocol, &entries, &seeds, expected.head, &stored);
    if later < epochs as usize {
        let missing = missing_protocol(&entries, later as u32 + 1);
        verification.ok = false;
        let first = verification.first_bad.into_iter().chain(missing.sequence);
        verification.first_bad = first.min();
        verification.findings.insert(0, missing);
    }
    for path in expected.checkpoints {
        let checkpoint = Checkpoint::read(outside, path)?;
        if let Some(finding) = missed(&checkpoint, &protocol, &entries) {
            verification.ok = false;
            verification.findings.push(finding);
        }
    }
    Ok(Verdict {
        verification,
        custody: protocol.study.custody,
        roles: protocol.roles.is_some(),
        typed_time: entries.first().is_some_and(|first| {
            first.public.contains(r#""clock":"override""#)
                && first.public.contains(r#""mode":"live""#)
        }),
        seeds_needed: Some(epochs as usize + 1)
            .filter(|needed| !seeds.is_empty() && *needed != seeds.len()),
    })
}
