//! What later rows say of earlier ones: a correction retracts a row, an erasure takes the content of rows.
//!
//! Two bytes for each row are kept. What was erased says no longer whose it was, so an erasure is held against what its rows
//! still show: that they are of families, begin with a screening or a link unless a link that is gone gave the name, and are whole
//! pairs of one allocation at most.

use super::sense::Row;
use super::{Checker, form};
use crate::study::kernel::{FamilyIx, Source, State, Verdict, What};
use crate::words;
use std::collections::HashSet;

/// Of a family.
const OF_FAMILY: u16 = 1;
/// A screening.
const SCREENED: u16 = 2;
/// A screening whose outcome is the next row.
const BEFORE_ITS_OUTCOME: u16 = 4;
/// An allocation.
const ALLOCATED: u16 = 8;
/// A correction can retract it.
const RETRACTABLE: u16 = 16;
/// A correction has.
const RETRACTED: u16 = 32;
/// Its content is there.
const SEEN: u16 = 64;
/// An erasure names it.
const NAMED: u16 = 128;
/// A link.
const LINKED: u16 = 256;

/// What the rows so far were.
#[derive(Debug, Default)]
pub(super) struct Past {
    rows: Vec<u16>,
    /// Links that are taken back later, as long as they hold: their row and the families.
    holding: Vec<(u64, FamilyIx, FamilyIx)>,
    /// Whether such a link was erased: nobody can tell whom it named.
    unnamed: bool,
}

impl Past {
    fn get(&self, sequence: u64) -> u16 {
        let place = sequence
            .checked_sub(1)
            .and_then(|own| usize::try_from(own).ok());
        place.map_or(0, |place| self.rows.get(place).copied().unwrap_or(0))
    }

    fn is(&self, sequence: u64, flag: u16) -> bool {
        self.get(sequence) & flag != 0
    }

    fn mark(&mut self, sequence: u64, flag: u16) {
        let place = usize::try_from(sequence.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(own) = self.rows.get_mut(place) {
            *own |= flag;
        }
    }

    /// Whether a link that was taken back is erased: nobody can tell whom it named.
    pub(super) fn is_unnamed(&self) -> bool {
        self.unnamed
    }

    /// Whether two families are one at this row: by links that stand, or through one that is taken back later and holds as yet.
    pub(super) fn are_one(&self, state: &State, one: FamilyIx, two: FamilyIx) -> bool {
        self.one_with(state, one).contains(&state.unit(two))
    }

    /// Whether a family is one with another at this row through a link that is taken back later.
    pub(super) fn holds(&self, state: &State, family: FamilyIx) -> bool {
        let unit = state.unit(family);
        let mut pairs = self.holding.iter();
        pairs.any(|(_, one, two)| state.unit(*one) == unit || state.unit(*two) == unit)
    }

    /// The units that are one with a family's at this row, its own among them. Pair by pair: two families of two such links are
    /// not one.
    pub(super) fn one_with(&self, state: &State, family: FamilyIx) -> HashSet<FamilyIx> {
        let start = state.unit(family);
        let (mut met, mut next) = (HashSet::from([start]), vec![start]);
        while let Some(own) = next.pop() {
            for (_, one, two) in &self.holding {
                let (one, two) = (state.unit(*one), state.unit(*two));
                for (from, to) in [(one, two), (two, one)] {
                    if from == own && met.insert(to) {
                        next.push(to);
                    }
                }
            }
        }
        met
    }

    fn push(&mut self, row: &Row<'_>) {
        if let What::Corrected { sequence, .. } = row.said.what {
            self.holding.retain(|(link, ..)| *link != sequence);
        }
        if let What::Linked { unit, other, .. } = &row.said.what {
            self.link(row, [*unit, *other]);
        }
        let kind = match &row.said.what {
            What::Screened(own) => {
                let awaited = matches!(own.verdict, Verdict::Drawn | Verdict::Exception);
                OF_FAMILY | SCREENED | if awaited { BEFORE_ITS_OUTCOME } else { 0 }
            }
            What::Allocated { .. } => OF_FAMILY | ALLOCATED,
            What::Reported(own) if own.source == Source::Intake && row.is_seen() => OF_FAMILY,
            What::Reported(_)
            | What::Serviced { .. }
            | What::Exited { .. }
            | What::Withdrawn { .. }
            | What::Violation { .. }
            | What::Observed { .. } => OF_FAMILY | RETRACTABLE,
            What::Linked { .. } | What::ChildLinked { .. } => OF_FAMILY | RETRACTABLE | LINKED,
            What::Returned { .. }
            | What::Joined { .. }
            | What::Exception { .. }
            | What::Corrected { .. } => OF_FAMILY,
            What::Opened
            | What::EpochOpened { .. }
            | What::Beacon { .. }
            | What::SiteOpened { .. }
            | What::SiteClosed { .. }
            | What::CapacityChanged { .. }
            | What::Erased { .. }
            | What::Locked { .. }
            | What::Analysed { .. }
            | What::Exported
            | What::Revealed => 0,
        };
        self.rows.push(kind | if row.is_seen() { SEEN } else { 0 });
    }

    /// Notes a link that is taken back later.
    fn link(&mut self, row: &Row<'_>, [one, two]: [FamilyIx; 2]) {
        let is_taken_back = row.before.is_corrected(row.entry.sequence);
        if is_taken_back {
            self.holding.push((row.entry.sequence, one, two));
        }
        self.unnamed |= is_taken_back && !row.is_seen();
    }

    /// Whether a link before a row was taken back and erased with another family: the row may be the first one of a name that
    /// the link gave. With another family: by an erasure before this one, or by one right after it and of its time, which
    /// erases families together.
    fn follows_a_lost_link(&self, own: u64, erasure: &Row<'_>) -> bool {
        let lost = LINKED | RETRACTED;
        let is_gone = |link: u64| {
            self.is(link, NAMED) || erasure.before.goes_with(link, erasure.entry.sequence)
        };
        (1..own).any(|link| self.get(link) & lost == lost && is_gone(link))
    }

    /// Whether rows can be those of one family: earlier ones that no erasure named, a screening or a link first or a row after a
    /// link that is lost, no half of a screening and its outcome, one allocation at most.
    fn are_of_one_family(&self, named: &[u64], erasure: &Row<'_>) -> bool {
        let last = self.rows.len() as u64;
        let halved = |own: u64| {
            let follows = self.is(own.wrapping_sub(1), BEFORE_ITS_OUTCOME);
            self.is(own, BEFORE_ITS_OUTCOME) && named.binary_search(&(own + 1)).is_err()
                || follows && named.binary_search(&(own - 1)).is_err()
        };
        let allocations = named.iter().filter(|own| self.is(**own, ALLOCATED)).count();
        named.first().is_some_and(|own| {
            self.is(*own, SCREENED | LINKED) || self.follows_a_lost_link(*own, erasure)
        }) && named.iter().all(|own| {
            *own <= last && self.is(*own, OF_FAMILY) && !self.is(*own, NAMED) && !halved(*own)
        }) && allocations <= 1
    }
}

impl Checker {
    /// A correction or an erasure against the rows before it.
    pub(super) fn past(&mut self, past: &mut Past, row: &Row<'_>) {
        match &row.said.what {
            What::Corrected { sequence, .. } => self.corrected(past, row, *sequence),
            What::Erased { .. } => self.erased(past, row),
            _ => {}
        }
        past.push(row);
    }

    fn corrected(&mut self, past: &mut Past, row: &Row<'_>, other: u64) {
        let sequence = row.entry.sequence;
        let own_family = row.said.subject;
        // A link that was taken back is of both its families.
        let linked = row.before.state.link_row(other).map(|own| own.other);
        let whose = [
            row.before.subject(other),
            linked.or(row.before.subject(other)),
        ];
        // Families of a link that is taken back later are one while it holds, also the link's own.
        let state = &row.before.state;
        let are_one = |own: FamilyIx| {
            let mut others = whose.into_iter().flatten();
            past.unnamed || others.any(|other| past.are_one(state, own, other))
        };
        let same = whose
            .into_iter()
            .any(|own| row.before.same_family(own_family, own))
            || own_family.is_some_and(are_one);
        let comparable = row.is_seen() && past.is(other, SEEN);
        let holds =
            past.is(other, RETRACTABLE) && !past.is(other, RETRACTED) && (!comparable || same);
        if !holds {
            self.push(
                "retracts-nothing",
                Some(sequence),
                words!(
                    "event {sequence} retracts event {other}, which is no earlier event of the family that can be retracted, or was retracted before",
                    "händelse {sequence} rättar händelse {other}, som inte är någon tidigare händelse för familjen som kan rättas, eller redan är rättad"
                ),
            );
        }
        past.mark(other, RETRACTED);
    }

    fn erased(&mut self, past: &mut Past, row: &Row<'_>) {
        let sequence = row.entry.sequence;
        let named = form::erased(form::public("erased", &row.entry.public).as_ref());
        if let Some(left) = named.iter().find(|own| past.is(**own, SEEN)) {
            self.push(
                "erasure-incomplete",
                Some(sequence),
                words!(
                    "event {sequence} says that the content of event {left} is erased, and it is there",
                    "händelse {sequence} anger att innehållet i händelse {left} är raderat, men det finns kvar"
                ),
            );
        }
        if !past.are_of_one_family(&named, row) {
            self.push(
                "erasure-incomplete",
                Some(sequence),
                words!(
                    "event {sequence} erases rows that cannot be those of one family before it, or that were erased before",
                    "händelse {sequence} raderar rader som inte kan vara en enda familjs tidigare rader, eller som redan är raderade"
                ),
            );
        }
        for own in named {
            past.mark(own, NAMED);
        }
    }
}
