//! `verify`: check the chain, and with the seeds every draw.

use super::checkpoint::Checkpoint;
use super::failure::Failure;
use super::outside::Outside;
use super::projection;
use super::sealed::{protocol_file, sealed_protocol};
use super::seed_file::read_seeds;
use super::study::{LEDGER_FORM, ledger_failure, not_open};
use crate::protocol::Protocol;
use crate::protocol::model::Custody;
use crate::study::journal::{Entry, Hash, Head, Ledger, LedgerError, Rows, hex};
use crate::study::verify::{
    DrawCheck, Finding, SeedFit, Told, Verification, rows_changed, verify_rows,
};
use crate::words;
use std::collections::BTreeMap;
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

/// What is asked of the rows beside their verification, noted as they go by.
#[derive(Debug, Default)]
struct Notes {
    /// Whether the first one opens a live study at a typed time.
    typed_time: bool,
    /// Which ones open an epoch.
    opened: Vec<u64>,
    /// Hashes of the rows that checkpoints name.
    hashes: BTreeMap<u64, Option<Hash>>,
    /// How many there are.
    events: u64,
}

impl Notes {
    fn note(&mut self, entry: &Entry) {
        self.events += 1;
        if self.events == 1 {
            self.typed_time = entry.public.contains(r#""clock":"override""#)
                && entry.public.contains(r#""mode":"live""#);
        }
        if entry.kind == "epoch-opened" {
            self.opened.push(entry.sequence);
        }
        if let Some(hash) = self.hashes.get_mut(&self.events) {
            *hash = Some(entry.hash);
        }
    }
}

/// Rows that are noted whenever they are gone through.
struct Noted<'a> {
    rows: &'a mut dyn Rows,
    notes: Notes,
}

impl Rows for Noted<'_> {
    fn each(&mut self, visit: &mut dyn FnMut(&Entry)) -> Result<(), LedgerError> {
        let Self { rows, notes } = self;
        (notes.events, notes.opened) = (0, Vec::new());
        rows.each(&mut |entry| {
            notes.note(entry);
            visit(entry);
        })
    }

    fn of_kinds(
        &mut self,
        kinds: &[&str],
        visit: &mut dyn FnMut(&Entry),
    ) -> Result<(), LedgerError> {
        self.rows.of_kinds(kinds, visit)
    }
}

/// What does not fit a checkpoint: another study, a row that is gone, or one with another hash.
fn missed(checkpoint: &Checkpoint, protocol: &Protocol, notes: &Notes) -> Option<Finding> {
    let Checkpoint {
        study,
        events,
        written,
        ..
    } = checkpoint;
    let row = notes.hashes.get(events).copied().flatten();
    let message = if *study != protocol.study.id {
        words!(
            "the checkpoint of {written} is of the study {study}",
            "kontrollpunkten från {written} gäller studien {study}"
        )
    } else if let Some(hash) = row {
        if hex(&hash).eq_ignore_ascii_case(&checkpoint.head) {
            return None;
        }
        words!(
            "event {events} is not the one that the checkpoint of {written} saw: the ledger was written anew",
            "händelse {events} är inte den som kontrollpunkten från {written} såg: liggaren har skrivits om"
        )
    } else {
        let found = notes.events;
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
fn missing_protocol(opened: &[u64], epoch: u32) -> Finding {
    let place = (epoch as usize).saturating_sub(1);
    let file = protocol_file(epoch);
    let file = file.display();
    Finding {
        code: "protocol-missing",
        sequence: opened.get(place).copied(),
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
    match of_ledger(outside, folder, seed_files, expected) {
        // Nothing is read of such a file: the verdict says that and no more.
        Err(failure) if failure.code == LEDGER_FORM => {
            let protocol = sealed_protocol(outside, folder, 0).map_err(|_| failure.clone())?;
            Ok(unread(&protocol, failure))
        }
        result => result,
    }
}

/// The verdict on a database that is not of the form of a ledger.
fn unread(protocol: &Protocol, failure: Failure) -> Verdict {
    Verdict {
        verification: Verification {
            ok: false,
            draws: DrawCheck::NotChecked,
            epochs: Vec::new(),
            events: 0,
            allocations: 0,
            head: Head::EMPTY,
            first_bad: None,
            findings: vec![Finding {
                code: failure.code,
                sequence: None,
                message: failure.message,
            }],
            seeds: SeedFit::Fitting,
        },
        custody: protocol.study.custody,
        roles: protocol.roles.is_some(),
        typed_time: false,
        seeds_needed: None,
    }
}

fn of_ledger(
    outside: &Outside,
    folder: &Path,
    seed_files: &[PathBuf],
    expected: &Expected<'_>,
) -> Result<Verdict, Failure> {
    let mut ledger = projection::open_ledger(outside, folder)?;
    let mut found = None;
    ledger
        .picture(&mut |rows| {
            found = Some(check_rows(outside, folder, seed_files, expected, rows));
            Ok(())
        })
        .map_err(|error| ledger_failure(&error, folder))?;
    found.unwrap_or_else(|| Err(not_open(folder)))
}

fn check_rows(
    outside: &Outside,
    folder: &Path,
    seed_files: &[PathBuf],
    expected: &Expected<'_>,
    rows: &mut dyn Rows,
) -> Result<Verdict, Failure> {
    let failed = |error| ledger_failure(&error, folder);
    // A forged epoch has no file; the verdict then names its row.
    let there = |epoch: &u32| outside.exists(folder.join(protocol_file(*epoch)));
    let told = Told::gather(rows).map_err(failed)?;
    let epochs = told.epochs();
    let later = (1..=epochs).take_while(there).count();
    let protocol = sealed_protocol(outside, folder, later as u32)?;
    let seeds = read_seeds(outside, seed_files)?;
    let checkpoints = expected
        .checkpoints
        .iter()
        .map(|path| Checkpoint::read(outside, path))
        .collect::<Result<Vec<_>, _>>()?;
    let stored = projection::stored(outside, folder);
    let notes = Notes {
        hashes: checkpoints.iter().map(|own| (own.events, None)).collect(),
        ..Notes::default()
    };
    let mut rows = Noted { rows, notes };
    let verified = verify_rows(
        &protocol,
        (&mut rows, &told),
        &seeds,
        expected.head,
        &stored,
    );
    let (mut verification, notes) = (verified.map_err(failed)?, rows.notes);
    let again =
        (notes.events, notes.opened.len() as u64) != (verification.events, u64::from(epochs));
    if again
        && verification
            .findings
            .iter()
            .all(|own| own.code != "rows-changed")
    {
        verification.ok = false;
        verification.findings.push(rows_changed());
    }
    if later < epochs as usize {
        let missing = missing_protocol(&notes.opened, later as u32 + 1);
        verification.ok = false;
        let first = verification.first_bad.into_iter().chain(missing.sequence);
        verification.first_bad = first.min();
        verification.findings.insert(0, missing);
    }
    for checkpoint in &checkpoints {
        if let Some(finding) = missed(checkpoint, &protocol, &notes) {
            verification.ok = false;
            verification.findings.push(finding);
        }
    }
    Ok(Verdict {
        verification,
        custody: protocol.study.custody,
        roles: protocol.roles.is_some(),
        typed_time: notes.typed_time,
        seeds_needed: Some(epochs as usize + 1)
            .filter(|needed| !seeds.is_empty() && *needed != seeds.len()),
    })
}
