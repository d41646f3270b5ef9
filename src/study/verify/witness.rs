//! That every reading was of the same rows.
//!
//! The chain is followed in one reading and the draws are derived in another. If the two were handed other rows, a verdict on
//! the one would be taken for a verdict on the other: so each reading is hashed, and held against the first.

use crate::study::journal::{Entry, Hash, LedgerError, Rows};
use sha2::{Digest, Sha256};

/// Rows whose readings are compared.
pub(super) struct Witness<'a> {
    rows: &'a mut dyn Rows,
    first: Option<Hash>,
    /// Whether a reading was of other rows than the first one.
    pub(super) differs: bool,
}

impl<'a> Witness<'a> {
    pub(super) fn of(rows: &'a mut dyn Rows) -> Self {
        Self {
            rows,
            first: None,
            differs: false,
        }
    }
}

impl Rows for Witness<'_> {
    fn each(&mut self, visit: &mut dyn FnMut(&Entry)) -> Result<(), LedgerError> {
        let mut digest = Sha256::new();
        let mut bytes = Vec::new();
        self.rows.each(&mut |entry| {
            bytes.clear();
            write(entry, &mut bytes);
            digest.update(&bytes);
            visit(entry);
        })?;
        let read: Hash = digest.finalize().into();
        self.differs |= *self.first.get_or_insert(read) != read;
        Ok(())
    }

    fn count(&mut self, kind: &str) -> Result<u64, LedgerError> {
        self.rows.count(kind)
    }
}

/// The bytes of a row, so that no other row has the same ones.
fn write(entry: &Entry, bytes: &mut Vec<u8>) {
    // Without a value: a length that no text has.
    let mut part = |value: Option<&[u8]>| {
        let length = value.map_or(u64::MAX, |value| value.len() as u64);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(value.unwrap_or_default());
    };
    part(Some(&entry.sequence.to_be_bytes()));
    for text in [&entry.time, &entry.actor, &entry.kind, &entry.public] {
        part(Some(text.as_bytes()));
    }
    part(entry.payload.as_deref().map(str::as_bytes));
    part(entry.salt.as_ref().map(<[u8; 32]>::as_slice));
    part(Some(&entry.payload_hash));
    part(Some(&entry.hash));
}
