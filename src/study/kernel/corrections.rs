//! Corrections: an earlier event is retracted, and what data sets read is folded anew without it.
//!
//! Reports are merged from sightings, so the sightings are kept. What a gate or a draw saw is never undone: slots stay
//! as they moved, screenings and allocations cannot be retracted. A link that is retracted is only marked here: the fold
//! leaves it out from the beginning (`super::super::journal`).

use super::command::Refusal;
use super::event::{Report, ReportIx, Source};
use super::state::{ReportState, State};

/// A sighting of a report by the log or a register.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// Sequence of the event.
    pub sequence: u64,
    /// What was seen.
    pub report: Report,
    /// Whether a correction retracted it.
    pub retracted: bool,
}

/// Whether an event can be retracted now.
pub(super) fn retractable(state: &State, sequence: u64) -> Result<(), Refusal> {
    let occurrence = occurrence(state, sequence).map(|place| state.occurrences[place].retracted);
    let sighting = sighting(state, sequence).map(|place| state.sightings[place].retracted);
    let link = link_row(state, sequence).map(|place| state.link_rows[place].retracted);
    match occurrence.or(sighting).or(link) {
        Some(false) => Ok(()),
        Some(true) => Err(Refusal::AlreadyRetracted { sequence }),
        None => Err(Refusal::NotRetractable { sequence }),
    }
}

/// Retracts an event.
pub(super) fn correct(state: &mut State, sequence: u64) {
    if let Some(place) = occurrence(state, sequence) {
        state.occurrences[place].retracted = true;
    }
    if let Ok(place) = state
        .switches
        .binary_search_by_key(&sequence, |switch| switch.sequence)
    {
        state.switches[place].retracted = true;
    }
    if let Some(place) = link_row(state, sequence) {
        state.link_rows[place].retracted = true;
    }
    if let Some(place) = sighting(state, sequence) {
        state.sightings[place].retracted = true;
        let report = state.sightings[place].report.report;
        settle(state, report);
    }
}

fn occurrence(state: &State, sequence: u64) -> Option<usize> {
    state
        .occurrences
        .search(&sequence, |occurrence| occurrence.sequence)
}

/// The place of a row that linked families or children.
pub(super) fn link_row(state: &State, sequence: u64) -> Option<usize> {
    state
        .link_rows
        .binary_search_by_key(&sequence, |row| row.sequence)
        .ok()
}

fn sighting(state: &State, sequence: u64) -> Option<usize> {
    state
        .sightings
        .search(&sequence, |sighting| sighting.sequence)
}

/// Notes one more sighting of a report.
pub(super) fn sight(state: &mut State, report: &Report) {
    let sequence = state.sequence;
    let Some(own) = state.reports.get_mut(report.report.0 as usize) else {
        return;
    };
    merge(own, report);
    if report.source == Source::Intake {
        own.intake = Some(report.received);
    } else {
        own.retracted = false;
        state.sightings.push(Sighting {
            sequence,
            report: *report,
            retracted: false,
        });
    }
}

/// Folds a report anew from what intake saw and the sightings that stand. Nothing left: the report is retracted.
pub(super) fn settle(state: &mut State, report: ReportIx) {
    let Some(own) = state.reports.get_mut(report.0 as usize) else {
        return;
    };
    *own = ReportState {
        received: own.intake.unwrap_or(own.received),
        sources: own.intake.map_or(0, |_| Source::Intake.bit()),
        incident: None,
        child: None,
        unknown_child: false,
        attached: None,
        by_study_staff: false,
        retracted: own.intake.is_none(),
        ..*own
    };
    for sighting in state
        .sightings
        .iter()
        .filter(|sighting| sighting.report.report == report && !sighting.retracted)
    {
        own.retracted = false;
        merge(own, &sighting.report);
    }
}

/// The best source's date stands: register over log over intake; sources are bits in that order.
fn merge(own: &mut ReportState, report: &Report) {
    let best = own.sources.checked_ilog2().map_or(0, |bit| 1_u8 << bit);
    if report.source.bit() >= best {
        own.received = report.received;
    }
    own.sources |= report.source.bit();
    own.incident = report.incident.or(own.incident);
    own.child = report.child.or(own.child);
    own.unknown_child |= report.unknown_child;
    own.attached = report.attached.or(own.attached);
    own.by_study_staff |= report.by_study_staff;
}
