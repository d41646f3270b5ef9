//! A look at a file that may be the ledger of another study: nothing is written to it or beside it, and nothing is waited for.

use super::form::{self, APPLICATION};
use super::sqlite::{encoded, failed, has_log, of_kinds, restrain};
use crate::study::journal::{Entry, LedgerError};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Hands the rows of some kinds of the ledger at `path` to `visit`, in their order.
///
/// The file is opened to be read. Without a log beside it, it is read as one that nobody changes, so that no log and no lock is
/// made; with a log, together with it as its writer left it.
///
/// # Errors
/// [`LedgerError::Missing`] of what is no regular file or has no mark of a ledger: it is then not given to SQLite.
/// [`LedgerError::Form`] and [`LedgerError::Corrupt`] of what is not the one table of a ledger, [`LedgerError::Busy`] of one
/// that somebody holds; those of reading.
pub fn read_beside(
    path: &Path,
    kinds: &[&str],
    visit: &mut dyn FnMut(&Entry),
) -> Result<(), LedgerError> {
    if !is_marked(path) {
        return Err(LedgerError::Missing);
    }
    // A log without the file that its readers share, as in a copy, is passed over: rows that were merged are there.
    if has_log(path) && read_with(path, "readonly_shm=1", kinds, visit).is_ok() {
        return Ok(());
    }
    read_with(path, "immutable=1", kinds, visit)
}

fn read_with(
    path: &Path,
    how: &str,
    kinds: &[&str],
    visit: &mut dyn FnMut(&Entry),
) -> Result<(), LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let address = format!("file:{}?mode=ro&{how}", encoded(path));
    let mut connection = Connection::open_with_flags(address, flags).map_err(failed)?;
    connection.busy_timeout(Duration::ZERO).map_err(failed)?;
    restrain(&connection)?;
    let picture = connection
        .transaction_with_behavior(TransactionBehavior::Deferred)
        .map_err(failed)?;
    form::check(&picture)?;
    of_kinds(&picture, kinds, visit)
}

/// Whether a regular file begins as a ledger does: a database with this program's number, or, where its first rows are still in
/// the log, with none.
fn is_marked(path: &Path) -> bool {
    // A pipe is waited for by whoever opens it.
    if !std::fs::metadata(path).is_ok_and(|file| file.is_file()) {
        return false;
    }
    let mut header = [0; 100];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    if read.is_err() || header.get(..16) != Some(b"SQLite format 3\0") {
        return false;
    }
    let number = i64::from(u32::from_be_bytes([
        header[68], header[69], header[70], header[71],
    ]));
    number == APPLICATION || number == 0 && has_log(path)
}
