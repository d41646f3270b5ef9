//! Stored projections against the fold of the rows that each was made from.

use super::Checker;
use crate::protocol::Protocol;
use crate::study::journal::{Head, Journal, Stored};
use crate::words;
use std::collections::HashSet;
use std::sync::Arc;

/// A stored projection: the name of its file, and its bytes.
pub type Named = (&'static str, Vec<u8>);

/// A projection that is whole and of this program.
struct Kept<'a> {
    file: &'static str,
    head: Head,
    bytes: &'a [u8],
    /// Whether it is another than the fold of its rows.
    differs: bool,
}

/// Projections that are whole and of this program, in the order of the rows where they end.
pub(super) struct Projections<'a> {
    kept: Vec<Kept<'a>>,
    compared: usize,
    met: HashSet<Head>,
}

impl<'a> Projections<'a> {
    pub(super) fn of(protocol: &Arc<Protocol>, stored: &'a [Named]) -> Self {
        let mut kept: Vec<Kept<'_>> = stored
            .iter()
            .filter_map(|(file, bytes)| {
                let own = Stored::read(Box::new(bytes.clone()))?;
                own.is_whole(protocol).then(|| Kept {
                    file,
                    head: own.head(),
                    bytes,
                    differs: false,
                })
            })
            .collect();
        kept.sort_by_key(|own| own.head.sequence);
        Self {
            kept,
            compared: 0,
            met: HashSet::new(),
        }
    }

    /// Compares those that end at a row or before it with the fold of so many rows.
    pub(super) fn compare(&mut self, journal: &Journal, rows: u64) {
        while let Some(kept) = self
            .kept
            .get_mut(self.compared)
            .filter(|own| own.head.sequence <= rows)
        {
            let own = journal.projection(None);
            kept.differs = own.is_none_or(|own| !Stored::same(&own, kept.bytes));
            self.compared += 1;
        }
    }

    /// Notes that the ledger has a row.
    pub(super) fn meet(&mut self, head: Head) {
        if self.kept.iter().any(|own| own.head == head) {
            self.met.insert(head);
        }
    }

    /// Says what does not hold.
    pub(super) fn judge(&self, checker: &mut Checker) {
        let lost = |own: &&Kept<'_>| own.head.sequence > 0 && !self.met.contains(&own.head);
        if let Some(Kept { file, .. }) = self.kept.iter().find(lost) {
            checker.push(
                "rows-missing",
                None,
                words!(
                    "the stored projection `{file}` was made of rows that the ledger does not have: rows are missing, or the ledger was replaced; keep a copy of the folder and compare with a head that was kept elsewhere",
                    "den lagrade projektionen `{file}` gjordes av rader som inte finns i liggaren: rader saknas, eller så har liggaren bytts ut; behåll en kopia av mappen och jämför med ett huvud som sparats på annat håll"
                ),
            );
            return;
        }
        for Kept { file, .. } in self.kept.iter().filter(|own| own.differs) {
            checker.push(
                "projection-differs",
                None,
                words!(
                    "the stored projection `{file}` is not the fold of the rows that it says it was made from; remove that file",
                    "den lagrade projektionen `{file}` motsvarar inte de rader som den anger; ta bort den filen"
                ),
            );
        }
    }
}
