//! Families found to be one, and children whose pseudonym changed.
//!
//! Of two draws the earlier one is the unit, whatever order was typed; the later is kept for audit. A family that was
//! never drawn becomes another name of the unit. Nothing is drawn again, no number and no slot is freed, and no outcome
//! is looked at.

use super::corrections::{link_row, settle};
use super::event::{ChildIx, FamilyIx, ReportIx, Roster, Source};
use super::state::{Child, Family, LinkRow, NamedChild, Occurrence, ReportState, State};

impl State {
    /// The family that is the unit of a family's real family: itself, unless it was linked.
    pub fn unit(&self, family: FamilyIx) -> FamilyIx {
        self.family(family)
            .and_then(|own| own.linked_to)
            .unwrap_or(family)
    }

    /// A unit and the families that were found to be it.
    pub fn one_family(&self, unit: FamilyIx) -> impl Iterator<Item = FamilyIx> + '_ {
        let others = self.links.iter().filter(move |(own, _)| *own == unit);
        std::iter::once(unit).chain(others.map(|(_, other)| *other))
    }

    /// Reports of the log or a register that count in no outcome because they name a child whom the ledger does not know: of
    /// randomized families whose data are there, but for one.
    pub fn reports_on_unknown_children(&self, but: Option<FamilyIx>) -> usize {
        let counted = Source::Log.bit() | Source::Register.bit();
        let units = (0..).map(FamilyIx).zip(&self.families);
        let units = units.filter(|(unit, own)| {
            let has_roster = own.is_randomized() && own.children > 0;
            has_roster && own.linked_to.is_none() && !own.erased && Some(*unit) != but
        });
        units
            .flat_map(|(unit, _)| self.one_family(unit))
            .flat_map(|name| self.reports_of(name))
            .filter(|(_, report)| report.unknown_child && report.sources & counted != 0)
            .count()
    }

    /// Whether a report of a unit is one on children who joined after its draw, which counts in no outcome: the log or a
    /// register names such a child, or they name none and intake named such children with it and no other. Of a unit on
    /// whose roster no child is named nobody knows who stood on it: there intake's word says nothing.
    pub fn is_on_joined(&self, unit: &Family, report: &ReportState) -> bool {
        let joined = |child: ChildIx| {
            let own = self.children.get(self.same_child(child).0 as usize);
            own.is_some_and(|own| own.joined)
        };
        match report.child {
            Some(child) => joined(child),
            None => {
                report.last_named > 0
                    && unit.children > unit.joined
                    && self.named_with(report).all(joined)
            }
        }
    }

    /// Children whom intake named with a report.
    fn named_with(&self, report: &ReportState) -> impl Iterator<Item = ChildIx> {
        let mut place = report.last_named;
        std::iter::from_fn(move || {
            let own = self.named.get(place.checked_sub(1)? as usize)?;
            place = own.previous;
            Some(own.child)
        })
    }

    /// A child under whichever pseudonym: the number that all of its pseudonyms mean.
    pub fn same_child(&self, child: ChildIx) -> ChildIx {
        let own = self.children.get(child.0 as usize);
        own.and_then(|own| own.same_as).unwrap_or(child)
    }

    /// Occurrences of a unit's real family under every name that no correction retracted, latest first by name.
    pub fn occurrences_of_unit(&self, unit: FamilyIx) -> impl Iterator<Item = &Occurrence> {
        self.one_family(unit)
            .flat_map(|family| self.occurrences_of(family))
    }

    /// Which of two families is the unit when they are linked: the one drawn first; a drawn one before one that was not;
    /// of two that were not, the one screened last, whose answers are the newer ones.
    pub fn link_order(&self, one: FamilyIx, two: FamilyIx) -> (FamilyIx, FamilyIx) {
        let rank = |family: FamilyIx| {
            let own = self.family(family);
            let drawn = own.filter(|own| own.is_randomized());
            let screened = own.map_or(0, |own| own.last_screened);
            (
                drawn.map_or(u32::MAX, |own| own.allocation),
                u64::MAX - screened,
                family,
            )
        };
        if rank(one) <= rank(two) {
            (one, two)
        } else {
            (two, one)
        }
    }

    /// The row that linked families or children, by its sequence.
    pub fn link_row(&self, sequence: u64) -> Option<&LinkRow> {
        self.link_rows.get(link_row(self, sequence)?)
    }

    /// Whether a family was screened and is neither randomized nor another name: one that the study turned away.
    pub fn is_turned_back(&self, family: FamilyIx) -> bool {
        self.family(family).is_some_and(|own| {
            own.screenings > 0 && !own.is_randomized() && own.linked_to.is_none()
        })
    }

    /// Whether a family was drawn and its data are there.
    pub fn is_drawn(&self, family: FamilyIx) -> bool {
        self.family(family)
            .is_some_and(|own| own.is_randomized() && !own.erased)
    }

    /// The drawn family that came from this one while this one was not randomized, if it is another one still.
    pub fn gone_to_draw(&self, family: FamilyIx) -> Option<FamilyIx> {
        let own = self.unit(family);
        let later = self.unit(self.family(own)?.went_to?);
        (later != own && self.is_drawn(later)).then_some(later)
    }

    /// Notes that sightings named a child that is known now.
    pub fn recognize(&mut self, sequences: &[u64], child: ChildIx) {
        for sequence in sequences {
            let Some(sighting) = self
                .sightings
                .iter_mut()
                .find(|sighting| sighting.sequence == *sequence)
            else {
                continue;
            };
            sighting.report.child = Some(child);
            sighting.report.unknown_child = false;
            let report = sighting.report.report;
            settle(self, report);
        }
    }

    /// Notes that two reports are one: the sightings of `from` are those of `into`.
    pub fn merge_reports(&mut self, from: ReportIx, into: ReportIx) {
        for sighting in &mut self.sightings {
            if sighting.report.report == from {
                sighting.report.report = into;
            }
        }
        let intake = self
            .reports
            .get_mut(from.0 as usize)
            .and_then(|own| own.intake.take());
        if let Some(own) = self.reports.get_mut(into.0 as usize) {
            own.intake = own.intake.or(intake);
        }
        let named = self.reports.get(from.0 as usize);
        let named: Vec<ChildIx> = named.map_or_else(Vec::new, |own| self.named_with(own).collect());
        for child in named {
            name_child_with(self, into, child);
        }
        settle(self, from);
        settle(self, into);
    }
}

/// A child whom an erased row named, and a link names again, is of the link's family: on its roster unless a child joined it.
/// It is one whom the family's rows name already, by another pseudonym, and is not counted again.
pub(super) fn ensure_child(state: &mut State, child: ChildIx, family: FamilyIx) {
    // A link that is taken back may name no child.
    if child.0 as usize != state.children.len() {
        return;
    }
    let joined = state.family(family).is_some_and(|own| own.joined > 0);
    state.children.push(Child::new(family, joined));
}

/// Notes a row that links.
pub(super) fn note_link(state: &mut State, family: FamilyIx, other: FamilyIx) {
    state.link_rows.push(LinkRow {
        sequence: state.sequence,
        family,
        other,
        retracted: false,
    });
}

/// Notes whom intake named with a report.
pub(super) fn name_with(state: &mut State, report: ReportIx, children: &Roster) {
    for child in children.as_slice() {
        name_child_with(state, report, *child);
    }
}

fn name_child_with(state: &mut State, report: ReportIx, child: ChildIx) {
    let place = state.named.len() as u32 + 1;
    let Some(own) = state.reports.get_mut(report.0 as usize) else {
        return;
    };
    let previous = std::mem::replace(&mut own.last_named, place);
    state.named.push(NamedChild { child, previous });
}

/// Links two families, and whatever was linked to either.
pub(super) fn link(state: &mut State, one: FamilyIx, two: FamilyIx) {
    let (one, two) = (state.unit(one), state.unit(two));
    if one == two || state.family(one).is_none() || state.family(two).is_none() {
        return;
    }
    let (unit, other) = state.link_order(one, two);
    for link in &mut state.links {
        if link.0 == other {
            link.0 = unit;
        }
    }
    state.links.push((unit, other));
    for place in 0..state.links.len() {
        let (own, linked) = state.links[place];
        if own == unit
            && let Some(family) = state.families.get_mut(linked.0 as usize)
        {
            family.linked_to = Some(unit);
        }
    }
    let Some(gone) = state
        .family(other)
        .copied()
        .filter(|own| !own.is_randomized())
    else {
        return;
    };
    // Children of a family that was not drawn become the unit's: of a drawn unit they join its fixed roster.
    let drawn = state.family(unit).is_some_and(Family::is_randomized);
    let mut moved = 0;
    for child in state
        .children
        .iter_mut()
        .filter(|child| child.family == other)
    {
        child.family = unit;
        child.joined = drawn;
        moved = u16::saturating_add(moved, 1);
    }
    state.families[other.0 as usize].children = 0;
    let own = &mut state.families[unit.0 as usize];
    own.children = own.children.saturating_add(moved);
    own.joined = own.joined.saturating_add(if drawn { moved } else { 0 });
    own.turned_away |= gone.turned_away && !drawn;
    own.changed_answers |= gone.changed_answers;
    own.changed_between |= gone.changed_between;
    own.exception_withdrawn |= gone.exception_withdrawn;
    own.came_from = own
        .came_from
        .or(gone.came_from)
        .filter(|before| *before != unit && *before != other);
    own.went_to = own
        .went_to
        .or(gone.went_to)
        .filter(|later| *later != unit && *later != other);
}

/// Notes that a child of `family`, or its report, was screened with `before`, which was not randomized, or was drawn.
pub(in crate::study) fn came_from(state: &mut State, family: FamilyIx, before: FamilyIx) {
    let turned_back = state.is_turned_back(before);
    if !turned_back && !state.is_drawn(before) {
        return;
    }
    let Some(own) = state
        .families
        .get_mut(family.0 as usize)
        .filter(|own| !own.is_randomized())
    else {
        return;
    };
    own.came_from = Some(before);
    let gone = state.family(before).and_then(|own| own.went_to);
    if turned_back
        && !gone.is_some_and(|later| state.is_drawn(later))
        && let Some(before) = state.families.get_mut(before.0 as usize)
    {
        before.went_to = Some(family);
    }
}

/// Links two pseudonyms of one child: it stood on the roster at the draw if either did.
pub(super) fn link_children(state: &mut State, child: ChildIx, other: ChildIx) {
    let (child, other) = (state.same_child(child), state.same_child(other));
    let (Some(one), Some(two)) = (
        state.children.get(child.0 as usize).copied(),
        state.children.get(other.0 as usize).copied(),
    ) else {
        return;
    };
    if child == other {
        return;
    }
    for own in &mut state.children {
        if own.same_as == Some(other) {
            own.same_as = Some(child);
        }
    }
    state.children[other.0 as usize].same_as = Some(child);
    if one.family != two.family {
        return;
    }
    let joined = one.joined && two.joined;
    state.children[child.0 as usize].joined = joined;
    state.children[other.0 as usize].joined = joined;
    if let Some(own) = state.families.get_mut(one.family.0 as usize) {
        own.children = own.children.saturating_sub(1);
        own.joined = own
            .joined
            .saturating_sub(u16::from(one.joined || two.joined));
    }
}
