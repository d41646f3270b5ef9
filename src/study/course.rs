//! What was seen of a family in the window of an outcome, day by day: for times, rates and repeated events.
//!
//! Days are those of the window, the first day after the draw or of the window being 1. An event on the day of the draw
//! itself, or follow-up that ended before the window began, stands at half a day. One number per family is `dataset`'s.

use super::dataset::{End, follow_up, reported};
use super::kernel::{FamilyIx, State};
use crate::protocol::Protocol;
use crate::protocol::model::{Day, OutcomeKind, Service};

/// How long a family was followed in a window, and why not longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// Last day of follow-up, events on it included: ½, 1, 2, … in the window's days.
    pub days: f64,
    /// Why it ended there.
    pub end: End,
}

/// The course of a family in the window of an outcome at a cut; days of its events into `events`, in rising order.
///
/// Events: each counted report; the day on which the last of a binary outcome's events had happened for the first time;
/// the first event that a duration ends with. An observed outcome has none. `None` for a family that the ledger does not
/// name.
pub fn course(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    family: FamilyIx,
    outcome: usize,
    events: &mut Vec<f64>,
) -> Option<Course> {
    events.clear();
    let own = state.family(family)?;
    let kind = &protocol.outcomes[outcome].kind;
    let follow = follow_up(
        protocol,
        state,
        cut,
        family,
        own,
        own.randomized.plus(kind.last_day()),
    );
    let first = match kind {
        OutcomeKind::Reports { window_days, .. }
        | OutcomeKind::Binary { window_days, .. }
        | OutcomeKind::Observed { window_days } => window_days.0,
        OutcomeKind::Duration { .. } => 0,
    };
    let origin = own.randomized.plus(first.max(1) - 1);
    let from = own.randomized.plus(first);
    let day = |on: Day| f64::from(on.since(origin)).max(0.5);
    let earliest = |service: Service| {
        let occurrences = state.occurrences_of_unit(family);
        occurrences
            .filter(|one| one.is(service))
            .map(|one| one.on)
            .filter(|on| (from..=follow.until).contains(on))
            .min()
    };
    match kind {
        OutcomeKind::Reports {
            same_incident_within_days,
            without_study_staff,
            without_attached,
            ..
        } => {
            let rules = (
                *same_incident_within_days,
                *without_study_staff,
                *without_attached,
            );
            for one in state.one_family(family) {
                let days = reported(state, one, own, (from, follow.until), rules);
                events.extend(days.map(day));
            }
            events.sort_by(f64::total_cmp);
        }
        OutcomeKind::Binary {
            events: services, ..
        } => {
            let days: Option<Vec<Day>> = services.iter().map(|own| earliest(*own)).collect();
            events.extend(days.and_then(|days| days.into_iter().max()).map(day));
        }
        OutcomeKind::Duration { to, .. } => events.extend(earliest(*to).map(day)),
        OutcomeKind::Observed { .. } => {}
    }
    Some(Course {
        days: day(follow.until),
        end: follow.end,
    })
}
