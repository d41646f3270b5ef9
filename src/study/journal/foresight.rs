//! What later rows say of earlier ones: an erasure takes their content, and the correction of a link takes the link out of
//! the fold from the beginning.

use super::entry::Entry;
use super::fold::Journal;
use crate::study::kernel::{FamilyIx, What};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What is known of rows before they are absorbed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Foresight {
    /// Rows that an erasure names, and that erasure.
    pub(super) erased: HashMap<u64, u64>,
    /// Rows that a correction retracts.
    pub(super) corrected: HashSet<u64>,
    /// Erasures, and the first one of those that erase families together with each.
    together: HashMap<u64, u64>,
    /// The last of them, and its time.
    last: Option<(u64, String)>,
}

impl Foresight {
    /// Learns from erasures among `entries` which rows they concern.
    pub(crate) fn erasures(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.kind == "erased") {
            for sequence in erased_sequences(&entry.public) {
                self.erase(sequence, entry.sequence);
            }
        }
    }

    /// Learns that a row is erased by another one: by the first one that names it.
    pub(crate) fn erase(&mut self, sequence: u64, erasure: u64) {
        self.erased.entry(sequence).or_insert(erasure);
    }

    /// Learns of an erasure: one right after another and of its time is of the same command, which erases families together.
    pub(crate) fn erasure(&mut self, sequence: u64, time: &str) {
        let before = self.last.as_ref();
        let before = before.filter(|(own, at)| *own + 1 == sequence && at == time);
        let first = before.and_then(|(own, _)| self.together.get(own).copied());
        self.together.insert(sequence, first.unwrap_or(sequence));
        self.last = Some((sequence, time.to_owned()));
    }

    /// Whether an erasure names a row.
    pub(crate) fn is_erased(&self, sequence: u64) -> bool {
        self.erased.contains_key(&sequence)
    }

    /// Learns that a row is taken back.
    pub(crate) fn retract(&mut self, sequence: u64) {
        self.corrected.insert(sequence);
    }

    /// Learns from corrections among `entries` which rows they retract.
    pub(crate) fn corrections(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.kind == "corrected") {
            let earlier = |sequence: &u64| *sequence < entry.sequence;
            self.corrected
                .extend(retracted_sequence(&entry.public).filter(earlier));
        }
    }
}

impl Journal {
    /// Learns from erasures among `entries` which rows they concern, before those rows are absorbed.
    pub fn foresee(&mut self, entries: &[Entry]) {
        self.foresight.erasures(entries);
    }

    /// Learns from corrections among `entries` which rows they retract, before those rows are absorbed: a link that is
    /// retracted is left out from the beginning.
    pub fn foresee_corrections(&mut self, entries: &[Entry]) {
        self.foresight.corrections(entries);
    }

    /// The rows that corrections are known to retract.
    pub fn corrected_rows(&self) -> &HashSet<u64> {
        &self.foresight.corrected
    }

    /// Whether a row is named by an erasure of the same command as another one, as far as the caller followed them.
    pub(crate) fn goes_with(&self, sequence: u64, erasure: u64) -> bool {
        let together = &self.foresight.together;
        let first = |own: &u64| together.get(own);
        let own = self.foresight.erased.get(&sequence).and_then(first);
        own.is_some() && own == first(&erasure)
    }

    /// Whether a correction that was learned of retracts a row.
    pub fn is_corrected(&self, sequence: u64) -> bool {
        self.foresight.corrected.contains(&sequence)
    }

    /// Whether an entry that is to come changes how earlier rows are read, so that the fold begins anew from the first one:
    /// an erasure, or the correction of a link that this fold has followed.
    pub fn must_begin_anew(&self, entry: &Entry) -> bool {
        match entry.kind.as_str() {
            "erased" => true,
            "corrected" => retracted_sequence(&entry.public)
                .and_then(|sequence| self.state.link_row(sequence))
                .is_some_and(|row| !row.retracted),
            _ => false,
        }
    }
}

/// Takes out of a link what it links, and gives the other family: of a child's pseudonyms, its own. The row is kept as one
/// of its family.
pub(super) fn part(what: &mut What) -> Option<FamilyIx> {
    match what {
        What::Linked { unit, other, .. } => Some(std::mem::replace(other, *unit)),
        What::ChildLinked { family, other, .. } => {
            *other = None;
            Some(*family)
        }
        _ => None,
    }
}

/// The sequences that an erasure names.
pub(crate) fn erased_sequences(public: &str) -> Vec<u64> {
    serde_json::from_str::<Value>(public)
        .ok()
        .and_then(|public| {
            let sequences = public.get("sequences")?.as_array()?;
            Some(
                sequences
                    .iter()
                    .filter_map(Value::as_u64)
                    .filter(|own| *own > 0)
                    .collect(),
            )
        })
        .unwrap_or_default()
}

/// The sequence that a correction retracts.
pub(crate) fn retracted_sequence(public: &str) -> Option<u64> {
    serde_json::from_str::<Value>(public)
        .ok()?
        .get("sequence")?
        .as_u64()
}
