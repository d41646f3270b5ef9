//! Does the ledger hold together, and was every arm drawn as promised?
//!
//! Three checks of the same rows: the chain (no seed, no meaning), the fold (numbers, gates and verdicts follow from
//! what came before) and the draws (with the seeds, every arm is derived again). `verifier/verify.py` does the same
//! without this code.
//!
//! A verdict is that of one reading, in which each row goes through all three: a ledger that handed other rows to another
//! reading could not have its chain taken from the one and its draws from the other. What later rows say of earlier ones is
//! gathered before, and the reading shows whether it was that.

mod chain;
mod children;
mod ending;
mod family;
mod form;
mod pairs;
mod past;
mod projections;
mod published;
mod seeds;
mod sense;
mod shape;
mod told;

use super::journal::{Entry, Head, LedgerError, Rows};
use crate::allocation::Seed;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::words;
use chain::Chain;
pub use projections::Named;
pub use seeds::SeedFit;
use sense::Sense;
use std::sync::Arc;
pub use told::Told;

/// Whether the draws were derived again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawCheck {
    /// With the seed.
    Verified,
    /// Its seed, or that of an epoch, was neither given nor published.
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
    /// Whether the draws of all epochs were derived again.
    pub draws: DrawCheck,
    /// Whether those of each epoch were.
    pub epochs: Vec<DrawCheck>,
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
    /// How the seeds that were given fit the epochs; nothing is verified if they do not.
    pub seeds: SeedFit,
}

/// Checks a ledger: `seeds` are those of epochs, in any order; those that the ledger publishes stand for epochs without one.
/// `expect_head` is a head that was kept elsewhere.
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
    stored: &[Named],
) -> Verification {
    let mut rows = entries;
    let verified = Told::gather(&mut rows)
        .and_then(|told| verify_rows(protocol, (&mut rows, &told), seeds, expect_head, stored));
    // Rows in memory can be read; were they not, nothing would hold.
    verified.unwrap_or_else(|_| Verification {
        ok: false,
        draws: DrawCheck::NotChecked,
        epochs: Vec::new(),
        events: 0,
        allocations: 0,
        head: Head::EMPTY,
        first_bad: None,
        findings: Vec::new(),
        seeds: SeedFit::Fitting,
    })
}

/// As [`verify_with`], of rows that are gone through and never kept, and what was gathered of them before: once, unless they say
/// something else then.
///
/// # Errors
/// The rows cannot be read.
pub fn verify_rows(
    protocol: &Arc<Protocol>,
    (rows, gathered): (&mut dyn Rows, &Told),
    seeds: &[Seed],
    expect_head: Option<&str>,
    stored: &[Named],
) -> Result<Verification, LedgerError> {
    let mut reading = Reading::of(protocol, rows, gathered, seeds, stored)?;
    let differs = reading.told != *gathered;
    if differs {
        // What they say now is what they are read by.
        let told = reading.told;
        reading = Reading::of(protocol, rows, &told, seeds, stored)?;
    }
    let Reading {
        events,
        head,
        allocations,
        epochs,
        fit,
        findings,
        ..
    } = reading;
    let all = !epochs.is_empty() && epochs.iter().all(|own| *own == DrawCheck::Verified);
    let mut checker = Checker {
        findings: Vec::new(),
    };
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
    checker.findings.extend(findings);
    if differs {
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
        ok: findings.is_empty() && fit == SeedFit::Fitting,
        draws: if all {
            DrawCheck::Verified
        } else {
            DrawCheck::NotChecked
        },
        epochs,
        events,
        allocations,
        head,
        first_bad: findings.iter().filter_map(|finding| finding.sequence).min(),
        findings,
        seeds: fit,
    })
}

/// What one reading of the rows found.
struct Reading {
    events: u64,
    head: Head,
    allocations: u64,
    /// What rows say of others and of the study.
    told: Told,
    epochs: Vec<DrawCheck>,
    fit: SeedFit,
    findings: Vec<Finding>,
}

impl Reading {
    /// Reads the rows by what they are said to say of each other.
    fn of(
        protocol: &Arc<Protocol>,
        rows: &mut dyn Rows,
        told: &Told,
        seeds: &[Seed],
        stored: &[Named],
    ) -> Result<Self, LedgerError> {
        let mut chain = Chain::new(protocol, told);
        let mut sense = Sense::new(protocol, told, seeds, stored);
        rows.each(&mut |entry| {
            let parts = entry.parts();
            if chain.follow(entry, &parts) {
                sense.row(entry, parts);
            }
        })?;
        let (found, epochs, fit) = sense.end();
        let mut findings: Vec<Finding> = chain.broken.into_iter().collect();
        findings.extend(found);
        Ok(Self {
            events: chain.events,
            head: chain.head,
            allocations: chain.allocations,
            told: chain.told,
            epochs,
            fit,
            findings,
        })
    }
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
