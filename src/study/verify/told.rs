//! What rows say of other rows and of the study as a whole: what an erasure took, what a correction takes back, commitments,
//! beacons and published seeds.
//!
//! The rows are checked in one reading, so all this must be known before. It is gathered first, from the rows of a few kinds,
//! and the reading itself shows whether it was right.

use super::form;
use super::published::Published;
use crate::study::journal::{Entry, Foresight, LedgerError, Rows};
use std::collections::HashSet;
use std::slice::from_ref;

/// The kinds that say something of other rows or of the study.
const KINDS: [&str; 6] = [
    "opened",
    "epoch-opened",
    "beacon",
    "revealed",
    "erased",
    "corrected",
];

/// What rows say of other rows and of the study.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// Rows that open an epoch.
    epochs: u32,
    /// What rows that hold say of the study.
    pub(super) published: Published,
    /// What erasures say of rows, and what corrections do that hold.
    pub(super) foresight: Foresight,
    /// Rows that an erasure of the documented form names.
    pub(super) erased: HashSet<u64>,
}

impl Told {
    /// What the rows say if all of them hold.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn gather(rows: &mut dyn Rows) -> Result<Self, LedgerError> {
        let mut own = Self::default();
        rows.of_kinds(&KINDS, &mut |entry| own.note(entry, true))?;
        Ok(own)
    }

    /// How many epochs are opened after the first one.
    pub fn epochs(&self) -> u32 {
        self.epochs
    }

    /// Whether a row is of a kind that says something.
    pub(super) fn is_of(entry: &Entry) -> bool {
        KINDS.contains(&entry.kind.as_str())
    }

    /// Notes what such a row says. One that does not hold says nothing, but that erasures still say whose earlier rows were.
    pub(super) fn note(&mut self, entry: &Entry, holds: bool) {
        if entry.kind == "erased" {
            self.erased.extend(form::erased(entry));
            self.foresight.erasures(from_ref(entry));
        }
        if holds {
            self.epochs = self
                .epochs
                .saturating_add(u32::from(entry.kind == "epoch-opened"));
            self.published.note(entry);
            self.foresight.corrections(from_ref(entry));
        }
    }
}
