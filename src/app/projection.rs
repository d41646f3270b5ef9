//! The stored projection of a study folder: the fold of its ledger, kept now and then by who writes.
//!
//! It only saves time. A projection that is not there, not whole, of another program or protocol, or of a ledger that
//! has gone another way is passed over, and the rows are folded from the first one. `verify` never trusts it.

use super::outside::Outside;
use super::sealed::{later_epochs, sealed_protocol};
use super::study::Study;
use crate::study::journal::{Entry, Journal, Ledger, Recording, Stored};
use crate::study::kernel::What;
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
/// An erasure takes names out of earlier rows: a projection from before it is removed at once.
pub(super) fn load(outside: &Outside, folder: &Path, ledger: &mut dyn Ledger) -> Option<Journal> {
    let mut file = std::fs::File::open(outside.path(place(folder))).ok()?;
    let stored = Stored::read(&mut file)?;
    let protocol = sealed_protocol(outside, folder, stored.later_epochs()).ok()?;
    let mut rows: Vec<Entry> = Vec::new();
    ledger
        .read_from(stored.head().sequence, &mut |row| rows.push(row))
        .ok()?;
    let (last, later) = rows.split_first()?;
    if later.iter().any(|row| row.kind == "erased") {
        discard(outside, folder);
        return None;
    }
    if last.head() != stored.head() || later_epochs(later) > 0 {
        return None;
    }
    let mut journal = stored.journal(&protocol)?;
    journal.absorb(later).ok()?;
    Some(journal)
}

/// Removes the projection.
pub(super) fn discard(outside: &Outside, folder: &Path) {
    outside.discard(place(folder));
}

/// Whether what is to be recorded takes names out of earlier rows.
pub(super) fn erases(recordings: &[Recording]) -> bool {
    let erased = |own: &Recording| matches!(own.what, What::Erased { .. });
    recordings.iter().any(erased)
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
