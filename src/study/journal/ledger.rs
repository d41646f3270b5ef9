//! Where a ledger's bytes live, as the journal sees it: read, and append inside one exclusive transaction.
//!
//! `store` implements this on memory and SQLite. A busy or unclear outcome is an error and never draws.

use super::entry::{Entry, Head};
use crate::diagnostic::Words;

/// Why a ledger could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Another process holds the ledger; trying again is safe.
    #[error("another process is writing to the ledger")]
    Busy,
    /// Another writer appended in between; trying again is safe.
    #[error("the ledger has grown since it was read")]
    Conflict,
    /// There is no ledger.
    #[error("there is no ledger here")]
    Missing,
    /// There is one already.
    #[error("there is a ledger here already")]
    Exists,
    /// The ledger cannot be written: permissions or a read-only file system.
    #[error("the ledger cannot be written: {0}")]
    ReadOnly(Words),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The disk did not take what was written: a limit on files, or a disk that fails.
    #[error("the ledger could not be written: {0}")]
    Unwritten(Words),
    /// The ledger has a form of this version, which a later program made.
    #[error("the ledger has a form of version {0}, which this program does not know")]
    Newer(i64),
    /// The file is damaged or not a ledger.
    #[error("the ledger cannot be read: {0}")]
    Corrupt(Words),
    /// The database is not the one table that a ledger is, or did not keep a row as it was written: what is read from it
    /// or written to it need not be its rows.
    #[error("the database is not of the form of a ledger: {0:?}")]
    Form(Misfit),
}

/// What of a database is not of the form of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// The table `event` is missing, or has other columns, types or rules.
    Event,
    /// A further table.
    Table,
    /// A view.
    View,
    /// A trigger.
    Trigger,
    /// An index.
    Index,
    /// Text in another encoding than UTF-8.
    Encoding,
    /// A row is not as it was just written.
    Row,
}

/// A ledger.
pub trait Ledger: std::fmt::Debug + Send {
    /// Hands every entry from `sequence` on, in order, to `visit`, as one consistent picture.
    fn read_from(&mut self, sequence: u64, visit: &mut dyn FnMut(Entry))
    -> Result<(), LedgerError>;

    /// Runs `look` on one consistent picture of all entries, which it may go through as often as it likes.
    ///
    /// # Errors
    /// Those of reading, and that of `look`.
    fn picture(
        &mut self,
        look: &mut dyn FnMut(&mut dyn Rows) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError>;

    /// Begins an exclusive transaction: look-up, gate, draw and append happen in it or not at all. Dropping it
    /// undoes it.
    fn exclusive(&mut self) -> Result<Box<dyn Transaction + '_>, LedgerError>;

    /// Removes what committed erasures left outside the rows, such as a log. Gives whether nothing is left of it: another
    /// reader can stand in the way.
    ///
    /// # Errors
    /// Those of the file.
    fn scrub(&mut self) -> Result<bool, LedgerError>;
}

/// Entries that are gone through one by one, none of them kept.
pub trait Rows {
    /// Hands every entry in order to `visit`.
    ///
    /// # Errors
    /// The ledger cannot be read.
    fn each(&mut self, visit: &mut dyn FnMut(&Entry)) -> Result<(), LedgerError>;

    /// Hands every entry of some kinds in order to `visit`.
    ///
    /// # Errors
    /// As [`Rows::each`].
    fn of_kinds(
        &mut self,
        kinds: &[&str],
        visit: &mut dyn FnMut(&Entry),
    ) -> Result<(), LedgerError>;
}

impl Rows for &[Entry] {
    fn each(&mut self, visit: &mut dyn FnMut(&Entry)) -> Result<(), LedgerError> {
        self.iter().for_each(visit);
        Ok(())
    }

    fn of_kinds(
        &mut self,
        kinds: &[&str],
        visit: &mut dyn FnMut(&Entry),
    ) -> Result<(), LedgerError> {
        let own = |entry: &&Entry| kinds.contains(&entry.kind.as_str());
        self.iter().filter(own).for_each(visit);
        Ok(())
    }
}

/// An exclusive transaction on a ledger.
pub trait Transaction {
    /// As [`Ledger::read_from`].
    fn read_from(&mut self, sequence: u64, visit: &mut dyn FnMut(Entry))
    -> Result<(), LedgerError>;

    /// The entry with a sequence number, if there is one.
    fn row(&mut self, sequence: u64) -> Result<Option<Entry>, LedgerError>;

    /// Appends entries after `expected`, which must be the ledger's head.
    fn append(&mut self, expected: &Head, entries: &[Entry]) -> Result<(), LedgerError>;

    /// Removes payload and salt of rows, for good once committed.
    fn erase(&mut self, sequences: &[u64]) -> Result<(), LedgerError>;

    /// Makes what was appended durable. After an error nothing was recorded; only after [`LedgerError::Unwritten`], when
    /// the disk did not confirm, must the ledger be read again to know.
    fn commit(self: Box<Self>) -> Result<(), LedgerError>;
}
