//! Children as rows of the data set: who stood on a family's roster at the draw, and which reports are about whom.
//!
//! A child under two pseudonyms that were found to be one is one child. Of two drawn families found to be one the first draw
//! is the unit, and its roster the unit's; who joined later, or was on the later roster alone, is no row. A report that
//! names no such child counts for its family alone (`docs/families.md`).

use super::dataset::{End, Unit, counted, follow_up};
use super::kernel::{ChildIx, FamilyIx, State};
use crate::protocol::Protocol;
use crate::protocol::model::{Day, OutcomeKind};

/// A child on the roster of a row of the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Row of its family among the units.
    pub row: u32,
    /// The child, whatever its pseudonyms.
    pub child: ChildIx,
}

/// The children of all rosters, by family and child, none twice.
pub fn members(state: &State, units: &[Unit]) -> Vec<Member> {
    let mut rows: Vec<(FamilyIx, u32)> = units.iter().map(|unit| unit.family).zip(0..).collect();
    rows.sort_unstable();
    let mut list: Vec<Member> = (0..)
        .map(ChildIx)
        .zip(&state.children)
        .filter(|(_, own)| !own.joined)
        .filter_map(|(child, own)| {
            let place = rows.binary_search_by_key(&own.family, |(family, _)| *family);
            let (_, row) = rows.get(place.ok()?)?;
            let child = state.same_child(child);
            Some(Member { row: *row, child })
        })
        .collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// What was seen of a family's children in an outcome's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Why follow-up of the family, and so of each of its children, ended: [`End::Cut`] while the window is open at the
    /// cut, also of a family that has left.
    pub end: End,
    /// Counted reports of each child, in the order of the members.
    pub reports: Vec<u32>,
    /// Counted reports of the family that name none of them.
    pub unnamed: u32,
}

/// Counted reports of the children of a row, `members` being its own, at a cut; `None` of an outcome that is no count of
/// reports, and without the family.
pub fn seen(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    (family, members): (FamilyIx, &[Member]),
    outcome: usize,
) -> Option<Seen> {
    let own = state.family(family)?;
    let kind = &protocol.outcomes[outcome].kind;
    let OutcomeKind::Reports {
        window_days,
        same_incident_within_days,
        without_study_staff,
        without_attached,
        ..
    } = kind
    else {
        return None;
    };
    let last = own.randomized.plus(kind.last_day());
    let follow = follow_up(protocol, state, cut, family, own, last);
    let window = (own.randomized.plus(window_days.0), follow.until);
    let rules = (
        *same_incident_within_days,
        *without_study_staff,
        *without_attached,
    );
    let mut found = Seen {
        end: if cut < last { End::Cut } else { follow.end },
        reports: vec![0; members.len()],
        unnamed: 0,
    };
    for (_, report) in state
        .one_family(family)
        .flat_map(|one| counted(state, one, own, window, rules))
    {
        let child = report.child.map(|child| state.same_child(child));
        let place = members
            .iter()
            .position(|member| Some(member.child) == child);
        match place {
            Some(place) => found.reports[place] += 1,
            None => found.unnamed += 1,
        }
    }
    Some(found)
}
