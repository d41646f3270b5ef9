//! No child is in two drawn families: what `enrol` refuses is found where somebody wrote it all the same.
//!
//! A child is of the family of the last row that named it. Once that family is drawn it stays there; before, it moves to the
//! family that is screened with it. Where an erased row could have moved it, nobody can tell. Which households may share a
//! child is the study lead's to say, by a link, before anything is drawn: families that a link made one are one here, also by a
//! link that is taken back later, until it is.

use super::Checker;
use super::past::Past;
use super::sense::Row;
use crate::study::kernel::{ChildIx, Family, FamilyIx, State, Verdict, What};
use crate::words;

/// Where children were named, families drawn, and rows that could have named children lost.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// By child.
    named: Latest,
    /// By family.
    drawn: Latest,
    lost: Vec<u64>,
}

/// The latest row of each number that the fold gives to names, which are dense; 0 without one.
#[derive(Debug, Default)]
struct Latest(Vec<u64>);

impl Latest {
    fn note(&mut self, number: u32, row: u64) {
        let place = number as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        self.0[place] = row;
    }

    fn get(&self, number: u32) -> Option<u64> {
        let row = self.0.get(number as usize).copied();
        row.filter(|row| *row > 0)
    }
}

impl Children {
    /// Whether a child is surely of a drawn family other than `own`: that family's unit.
    fn elsewhere(&self, state: &State, past: &Past, child: ChildIx, own: FamilyIx) -> bool {
        let Some(owner) = state.children.get(child.0 as usize) else {
            return false;
        };
        let (unit, own) = (state.unit(owner.family), state.unit(own));
        let is_drawn = state.family(unit).is_some_and(Family::is_randomized);
        if !is_drawn || past.are_one(state, unit, own) {
            return false;
        }
        let (Some(named), Some(drawn)) = (self.named.get(child.0), self.drawn.get(unit.0)) else {
            return false;
        };
        // A link gave the child to the unit at some later time.
        let linked = state.one_family(unit).nth(1).is_some();
        let settled = if linked { u64::MAX } else { drawn };
        let mut lost = self.lost.iter();
        !lost.any(|lost| (named..settled).contains(lost))
    }

    fn note(&mut self, row: &Row<'_>) {
        let sequence = row.entry.sequence;
        let children = match &row.said.what {
            What::Allocated { family, .. } => {
                self.drawn.note(family.0, sequence);
                return;
            }
            What::Screened(own) => &own.children,
            What::Joined { children, .. } => children,
            // Whom an erased row named before.
            What::ChildLinked { child, .. }
                if child.0 as usize == row.before.state.children.len() =>
            {
                self.named.note(child.0, sequence);
                return;
            }
            _ => return,
        };
        if !row.is_seen() {
            self.lost.push(sequence);
        }
        for child in children.as_slice() {
            self.named.note(child.0, sequence);
        }
    }
}

impl Checker {
    /// A child who is drawn with a family, or joins one, against the families before.
    pub(super) fn children(&mut self, kept: &mut Children, past: &Past, row: &Row<'_>) {
        let (names, state) = (&row.before.names, &row.before.state);
        let told = match &row.said.what {
            What::Screened(own) if own.verdict == Verdict::Drawn => {
                Some((own.family, &own.children, row.payload("family")))
            }
            What::Joined {
                family, children, ..
            } => Some((*family, children, None)),
            _ => None,
        };
        if let Some((family, children, name)) = told.filter(|_| row.is_seen() && !past.is_unnamed())
        {
            // A family is called by its index child.
            let index = name.and_then(|name| names.child(name));
            let mut all = children.as_slice().iter().copied().chain(index);
            let by_name = |name: &str| {
                let unit = names.family(name).map(|other| state.unit(other));
                unit.is_some_and(|unit| {
                    !past.are_one(state, unit, family)
                        && state.family(unit).is_some_and(Family::is_randomized)
                })
            };
            let found = all.any(|child| kept.elsewhere(state, past, child, family))
                || row.children().any(by_name);
            if found {
                let sequence = row.entry.sequence;
                self.push(
                    "child-of-another-family",
                    Some(sequence),
                    words!(
                        "event {sequence} takes a child of a drawn family into another one, and no link before it makes the two one",
                        "händelse {sequence} för ett barn i en lottad familj till en annan, och ingen koppling före den gör de två till en"
                    ),
                );
            }
        }
        kept.note(row);
    }
}
