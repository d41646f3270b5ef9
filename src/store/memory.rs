//! A ledger in memory: for rehearsals and tests.

use crate::study::journal::{Entry, Head, Ledger, LedgerError, Rows, Transaction};

/// A ledger that lives as long as the value.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    entries: Vec<Entry>,
}

impl MemoryLedger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Its entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Ledger for MemoryLedger {
    fn read_from(
        &mut self,
        sequence: u64,
        visit: &mut dyn FnMut(Entry),
    ) -> Result<(), LedgerError> {
        visit_from(&self.entries, sequence, visit);
        Ok(())
    }

    fn picture(
        &mut self,
        look: &mut dyn FnMut(&mut dyn Rows) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        look(&mut self.entries.as_slice())
    }

    fn exclusive(&mut self) -> Result<Box<dyn Transaction + '_>, LedgerError> {
        let kept = self.entries.len();
        Ok(Box::new(MemoryTransaction {
            ledger: self,
            kept,
            erased: Vec::new(),
        }))
    }

    fn scrub(&mut self) -> Result<bool, LedgerError> {
        Ok(true)
    }
}

struct MemoryTransaction<'a> {
    ledger: &'a mut MemoryLedger,
    kept: usize,
    /// Rows as they were before they were erased, until that is committed.
    erased: Vec<(usize, Entry)>,
}

impl Transaction for MemoryTransaction<'_> {
    fn read_from(
        &mut self,
        sequence: u64,
        visit: &mut dyn FnMut(Entry),
    ) -> Result<(), LedgerError> {
        visit_from(&self.ledger.entries, sequence, visit);
        Ok(())
    }

    fn row(&mut self, sequence: u64) -> Result<Option<Entry>, LedgerError> {
        let own = |entry: &&Entry| entry.sequence == sequence;
        Ok(self.ledger.entries.iter().find(own).cloned())
    }

    fn append(&mut self, expected: &Head, entries: &[Entry]) -> Result<(), LedgerError> {
        let head = self.ledger.entries.last().map_or(Head::EMPTY, Entry::head);
        if head != *expected {
            return Err(LedgerError::Conflict);
        }
        self.ledger.entries.extend_from_slice(entries);
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), LedgerError> {
        self.kept = self.ledger.entries.len();
        self.erased.clear();
        Ok(())
    }

    fn erase(&mut self, sequences: &[u64]) -> Result<(), LedgerError> {
        for (place, entry) in self.ledger.entries.iter_mut().enumerate() {
            if sequences.contains(&entry.sequence) {
                self.erased.push((place, entry.clone()));
                (entry.payload, entry.salt) = (None, None);
            }
        }
        Ok(())
    }
}

impl Drop for MemoryTransaction<'_> {
    fn drop(&mut self) {
        for (place, entry) in self.erased.drain(..).rev() {
            if let Some(own) = self.ledger.entries.get_mut(place) {
                *own = entry;
            }
        }
        self.ledger.entries.truncate(self.kept);
    }
}

fn visit_from(entries: &[Entry], sequence: u64, visit: &mut dyn FnMut(Entry)) {
    // Rows are appended in the order of their numbers.
    let first = entries.partition_point(|entry| entry.sequence < sequence);
    for entry in &entries[first..] {
        visit(entry.clone());
    }
}
