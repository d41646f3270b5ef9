//! Does the ledger hold together, and was every arm drawn as promised?
//!
//! Three readings of the same rows: the chain (no seed, no meaning), the fold (numbers, gates and verdicts follow from
//! what came before) and the draws (with the seeds, every arm is derived again). `verifier/verify.py` does the same
//! without this code.

mod chain;
mod children;
mod ending;
mod family;
mod form;
mod pairs;
mod past;
mod published;
mod sense;
mod shape;
mod witness;

use super::journal::{Entry, Head, LedgerError, Rows};
use crate::allocation::Seed;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::words;
use std::sync::Arc;
use witness::Witness;

/// Whether the draws were derived again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawCheck {
    /// With the seeds of all epochs.
    Verified,
    /// No seed was given or published.
    NotChecked,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable code.
    pub code: &'static str,
    /// The event concerned, if one is.
    pub sequence: Option<u64>,
    /// What does not hold.
    pub message: Words,
}

/// The verdict on a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Whether everything that was checked holds.
    pub ok: bool,
    /// Whether the draws were derived again.
    pub draws: DrawCheck,
    /// Rows.
    pub events: u64,
    /// Allocations.
    pub allocations: u64,
    /// Hash of the last row.
    pub head: Head,
    /// Sequence number of the first row that does not hold.
    pub first_bad: Option<u64>,
    /// Everything that does not hold.
    pub findings: Vec<Finding>,
    /// Whether a seed was given that does not fit its commitment: then nothing else was said about draws.
    pub seed_mismatch: bool,
}

/// Checks a ledger: `seeds` are those of the epochs from 0 (empty: those published in the ledger, or none),
/// `expect_head` a head that was kept elsewhere.
pub fn verify(
    protocol: &Arc<Protocol>,
    entries: &[Entry],
    seeds: &[Seed],
    expect_head: Option<&str>,
) -> Verification {
    verify_with(protocol, entries, seeds, expect_head, &[])
}

/// As [`verify`], and compares stored projections with the fold of the rows that each was made from, if its bytes are
/// whole and of this program.
pub fn verify_with(
    protocol: &Arc<Protocol>,
    entries: &[Entry],
    seeds: &[Seed],
    expect_head: Option<&str>,
    stored: &[Vec<u8>],
) -> Verification {
    let mut rows = entries;
    let verified = verify_rows(protocol, &mut rows, seeds, expect_head, stored);
    // Rows in memory can be read; were they not, nothing would hold.
    verified.unwrap_or_else(|_| Verification {
        ok: false,
        draws: DrawCheck::NotChecked,
        events: 0,
        allocations: 0,
        head: Head::EMPTY,
        first_bad: None,
        findings: Vec::new(),
        seed_mismatch: false,
    })
}

/// As [`verify_with`], of rows that are gone through twice and never kept: both times they must be the same ones.
///
/// # Errors
/// The rows cannot be read.
pub fn verify_rows(
    protocol: &Arc<Protocol>,
    rows: &mut dyn Rows,
    seeds: &[Seed],
    expect_head: Option<&str>,
    stored: &[Vec<u8>],
) -> Result<Verification, LedgerError> {
    let mut checker = Checker {
        findings: Vec::new(),
    };
    let mut rows = Witness::of(rows);
    let mut chain = chain::follow(protocol, &mut rows)?;
    let (head, events, allocations) = (chain.head, chain.events, chain.allocations);
    if events == 0 {
        checker.push(
            "no-events",
            Some(1),
            Words::new(
                "the ledger holds no event",
                "liggaren innehåller ingen händelse",
            ),
        );
    }
    checker.findings.extend(chain.broken.take());
    let (draws, seed_mismatch) = checker.sense(protocol, &mut rows, chain, seeds, stored)?;
    if rows.differs {
        checker.findings.push(rows_changed());
    }
    if expect_head.is_some_and(|expected| !expected.eq_ignore_ascii_case(&head.to_hex())) {
        let found = head.to_hex();
        checker.push("head-mismatch", None, words!(
            "the ledger ends at {found}, not at the head that was expected: rows are missing, or rows were added since",
            "liggaren slutar vid {found}, inte vid det väntade huvudet: rader saknas, eller rader har tillkommit sedan dess"
        ));
    }
    let findings = checker.findings;
    Ok(Verification {
        ok: findings.is_empty() && !seed_mismatch,
        draws,
        events,
        allocations,
        head,
        first_bad: findings.iter().filter_map(|finding| finding.sequence).min(),
        findings,
        seed_mismatch,
    })
}

/// That one reading was of other rows than another: then no verdict on either is one on the ledger.
pub fn rows_changed() -> Finding {
    Finding {
        code: "rows-changed",
        sequence: None,
        message: Words::new(
            "the rows were not the same each time that they were read: nothing is known of this ledger; keep a copy of the folder and find out what stands in its file",
            "raderna var inte desamma varje gång de lästes: ingenting är känt om den här liggaren; behåll en kopia av mappen och ta reda på vad som står i dess fil",
        ),
    }
}

struct Checker {
    findings: Vec<Finding>,
}

impl Checker {
    fn push(&mut self, code: &'static str, sequence: Option<u64>, message: Words) {
        self.findings.push(Finding {
            code,
            sequence,
            message,
        });
    }
}
