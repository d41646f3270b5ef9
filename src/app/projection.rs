//! The stored projection of a study folder: the fold of its ledger, kept now and then by who writes.
//!
//! It only saves time. A projection that is not there, not whole, of another program or protocol, or of a ledger that
//! has gone another way is passed over, and the rows are folded from the first one. `verify` never trusts it.

use super::failure::Failure;
use super::outside::Outside;
use super::sealed::{later_epochs, protocol_file, sealed_protocol};
use super::study::{LEDGER_FILE, Study, ledger_failure, not_open};
use crate::store::SqliteLedger;
use crate::study::journal::{Entry, Journal, Ledger, LedgerError, Stored};
use std::path::{Path, PathBuf};

/// Name of the projection in a study folder.
const PROJECTION_FILE: &str = "ledger.projection";

/// Rows that every command folds anew before a projection is worth its writing.
const ROWS: u64 = 1024;

fn place(folder: &Path) -> PathBuf {
    folder.join(PROJECTION_FILE)
}

/// The stored bytes, if there are any.
pub(super) fn stored(outside: &Outside, folder: &Path) -> Option<Vec<u8>> {
    let path = place(folder);
    outside.exists(&path).then(|| outside.read(&path).ok())?
}

/// The fold of a ledger by way of its projection; `None` if the rows must be folded.
///
/// An erasure takes names out of earlier rows, and the correction of a link takes the link out: a projection from before
/// either is removed at once.
pub(super) fn load(outside: &Outside, folder: &Path, ledger: &mut dyn Ledger) -> Option<Journal> {
    let mut file = std::fs::File::open(outside.path(place(folder))).ok()?;
    let stored = Stored::read(&mut file)?;
    let protocol = sealed_protocol(outside, folder, stored.later_epochs()).ok()?;
    let mut rows: Vec<Entry> = Vec::new();
    ledger
        .read_from(stored.head().sequence, &mut |row| rows.push(row))
        .ok()?;
    let (last, later) = rows.split_first()?;
    if last.head() != stored.head() || later_epochs(later) > 0 {
        return None;
    }
    let mut journal = stored.journal(&protocol)?;
    if later.iter().any(|row| journal.must_begin_anew(row)) {
        discard(outside, folder);
        return None;
    }
    journal.absorb(later).ok()?;
    Some(journal)
}

/// The ledger of a study folder.
///
/// # Errors
/// No study there (exit 7); a ledger that is damaged, or that lost its rows (8).
pub(super) fn open_ledger(outside: &Outside, folder: &Path) -> Result<SqliteLedger, Failure> {
    let path = outside.path(folder).join(LEDGER_FILE);
    // SQLite would write to an empty file, and what is left is to be kept as it is.
    if std::fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
        refuse_emptied(outside, folder)?;
    }
    SqliteLedger::open(&path).map_err(|error| match error {
        LedgerError::Missing => without_rows(outside, folder),
        other => ledger_failure(&other, folder),
    })
}

/// What is said of a folder whose ledger has no row.
pub(super) fn without_rows(outside: &Outside, folder: &Path) -> Failure {
    refuse_emptied(outside, folder).map_or_else(|lost| lost, |()| not_open(folder))
}

/// Refuses a folder whose ledger has no row if it holds a file that only a study with rows has: they were lost.
///
/// # Errors
/// Such a folder: exit 8.
pub(super) fn refuse_emptied(outside: &Outside, folder: &Path) -> Result<(), Failure> {
    let left = [PathBuf::from(PROJECTION_FILE), protocol_file(1)];
    if !left.iter().any(|name| outside.exists(folder.join(name))) {
        return Ok(());
    }
    let lost = "it has no events, and files beside it were made of its events";
    Err(ledger_failure(&LedgerError::Corrupt(lost.into()), folder))
}

/// Removes the projection.
pub(super) fn discard(outside: &Outside, folder: &Path) {
    outside.discard(place(folder));
}

impl Study {
    /// Keeps the projection if enough rows have come since the last one. Failing to do so is no failure.
    pub(super) fn keep(&mut self, outside: &Outside) {
        let head = self.journal.head.sequence;
        let due = ROWS.max(head / 256);
        if self.projected.is_none_or(|before| head < before + due) {
            return;
        }
        if let Some(bytes) = self.journal.projection() {
            outside.keep(place(&self.folder), &bytes);
        }
        self.projected = Some(head);
    }
}
