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
    let later = (1..=later_epochs(&entries)).take_while(there).count();
    let protocol = sealed_protocol(outside, folder, later as u32)?;
    let seeds = seed_files
        .iter()
        .map(|file| read_seed(outside, file))
        .collect::<Result<Vec<_>, _>>()?;
    let projection = projection::stored(outside, folder);
    let stored = projection.as_deref();
    let mut verification = verify_with(&protocol, &entries, &seeds, expected.head, stored);
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
    })
}
