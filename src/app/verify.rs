//! `verify`: check the chain, and with the seeds every draw.

use super::failure::Failure;
use super::outside::Outside;
use super::study::{LEDGER_FILE, ledger_failure, read_seed, sealed_protocol};
use crate::protocol::model::Custody;
use crate::store::SqliteLedger;
use crate::study::journal::Ledger;
use crate::study::verify::{Verification, verify};
use std::path::{Path, PathBuf};

/// The verdict on a study folder, and who could have read its seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The verdict.
    pub verification: Verification,
    /// Who could read the seed.
    pub custody: Custody,
}

/// Verifies the study in a folder. What does not hold is in the verdict, not a failure.
///
/// # Errors
/// No study (exit 7), a protocol or a seed file that cannot be read (3, 9), a ledger that is no database (8).
pub fn check(
    outside: &Outside,
    folder: &Path,
    seed_files: &[PathBuf],
    expect_head: Option<&str>,
) -> Result<Verdict, Failure> {
    let failed = |error| ledger_failure(&error, folder);
    let mut ledger = SqliteLedger::open(&outside.path(folder).join(LEDGER_FILE)).map_err(failed)?;
    let protocol = sealed_protocol(outside, folder)?;
    let seeds = seed_files
        .iter()
        .map(|file| read_seed(outside, file))
        .collect::<Result<Vec<_>, _>>()?;
    let mut entries = Vec::new();
    ledger
        .read_from(1, &mut |entry| entries.push(entry))
        .map_err(failed)?;
    Ok(Verdict {
        verification: verify(&protocol, &entries, &seeds, expect_head),
        custody: protocol.study.custody,
    })
}
