//! Stored projections against the fold of the rows that each was made from.

use super::Checker;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::journal::{Head, Journal, Stored};
use std::collections::HashSet;
use std::sync::Arc;

/// Projections that are whole and of this program, in the order of the rows where they end.
pub(super) struct Projections<'a> {
    kept: Vec<(Head, &'a [u8])>,
    compared: usize,
    differs: bool,
    met: HashSet<Head>,
}

impl<'a> Projections<'a> {
    pub(super) fn of(protocol: &Arc<Protocol>, stored: &'a [Vec<u8>]) -> Self {
        let mut kept: Vec<(Head, &[u8])> = stored
            .iter()
            .filter_map(|bytes| {
                let own = Stored::read(Box::new(bytes.clone()))?;
                own.is_whole(protocol).then(|| (own.head(), &**bytes))
            })
            .collect();
        kept.sort_by_key(|(head, _)| head.sequence);
        Self {
            kept,
            compared: 0,
            differs: false,
            met: HashSet::new(),
        }
    }

    /// Compares those that end at a row or before it with the fold of so many rows.
    pub(super) fn compare(&mut self, journal: &Journal, rows: u64) {
        while let Some((_, bytes)) = self
            .kept
            .get(self.compared)
            .filter(|(head, _)| head.sequence <= rows)
        {
            let own = journal.projection(None);
            self.differs |= own.is_none_or(|own| !Stored::same(&own, bytes));
            self.compared += 1;
        }
    }

    /// Notes that the ledger has a row.
    pub(super) fn meet(&mut self, head: Head) {
        if self.kept.iter().any(|(own, _)| *own == head) {
            self.met.insert(head);
        }
    }

    /// Says what does not hold.
    pub(super) fn judge(&self, checker: &mut Checker) {
        let lost = |(head, _): &(Head, &[u8])| head.sequence > 0 && !self.met.contains(head);
        if self.kept.iter().any(lost) {
            checker.push(
                "rows-missing",
                None,
                Words::new(
                    "the stored projection was made of rows that the ledger does not have: rows are missing, or the ledger was replaced; keep a copy of the folder and compare with a head that was kept elsewhere",
                    "den lagrade projektionen gjordes av rader som inte finns i liggaren: rader saknas, eller så har liggaren bytts ut; behåll en kopia av mappen och jämför med ett huvud som sparats på annat håll",
                ),
            );
        } else if self.differs {
            checker.push(
                "projection-differs",
                None,
                Words::new(
                    "the stored projection is not the fold of the rows that it says it was made from; remove the file",
                    "den lagrade projektionen motsvarar inte de rader som den anger; ta bort filen",
                ),
            );
        }
    }
}
