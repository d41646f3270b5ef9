//! What rows say of other rows and of the study as a whole: what an erasure took, what a correction takes back, commitments,
//! beacons and published seeds.
//!
//! The rows are checked in one reading, so all this must be known before. It is gathered first, from the rows of a few kinds,
//! and the reading itself shows whether it was that. A row of the documented form is believed also where the chain is broken
//! before it, for which row is the first bad one hangs on what all of them say: a link that was taken back and erased is not
//! there for the rows before the break either, and published seeds tell which of their arms is wrong.

use super::form;
use super::published::Published;
use crate::study::journal::{Entry, Foresight, LedgerError, Rows, is_same};

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
    /// What rows say of the study.
    pub(super) published: Published,
    /// What erasures and corrections say of rows.
    pub(super) foresight: Foresight,
}

impl Told {
    /// What the rows say.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn gather(rows: &mut dyn Rows) -> Result<Self, LedgerError> {
        let mut own = Self::default();
        rows.of_kinds(&KINDS, &mut |entry| own.note(entry))?;
        Ok(own)
    }

    /// How many epochs are opened after the first one.
    pub fn epochs(&self) -> u32 {
        self.epochs
    }

    /// Notes what the next row says. One without the form of its kind says nothing, but that an epoch is opened.
    pub(super) fn note(&mut self, entry: &Entry) {
        let (kind, sequence) = (entry.kind.as_str(), entry.sequence);
        if !KINDS.iter().any(|own| is_same(own, kind)) {
            return;
        }
        self.epochs = self
            .epochs
            .saturating_add(u32::from(kind == "epoch-opened"));
        let public = form::public(kind, &entry.public);
        self.published.note(entry, public.as_ref());
        match kind {
            "erased" => {
                let named = form::erased(public.as_ref());
                if !named.is_empty() {
                    self.foresight.erasure(sequence, &entry.time);
                }
                let named = named.into_iter();
                for own in named.filter(|own| *own < sequence) {
                    self.foresight.erase(own, sequence);
                }
            }
            "corrected" => {
                let named = public.and_then(|own| own.get("sequence")?.as_u64());
                if let Some(own) = named.filter(|own| *own < sequence) {
                    self.foresight.retract(own);
                }
            }
            _ => {}
        }
    }
}
