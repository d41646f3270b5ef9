//! What was seen of a family in the window of an outcome, day by day: for times, rates and repeated events.
//!
//! Days are those of the window, the first day after the draw or of the window being 1. An event on the day of the draw
//! itself stands at half a day, and follow-up that ended before the window began within the first half day, in the order
//! in which it ended. One number per family is `dataset`'s.

use super::dataset::{End, Ends, Read, report_days, rules};
use super::kernel::{FamilyIx, State};
use super::uptake::happened;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, OutcomeKind, Service};

/// How long a family was followed in a window, and why not longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// Last day of follow-up, events on it included: ½, 1, 2, … in the window's days; in (0, ½] where it ended before the
    /// window began.
    pub days: f64,
    /// Why it ended there.
    pub end: End,
}

impl Course {
    /// Whether some day of the window was followed; `kind` is the outcome's. In a window from the day of the draw on there always is.
    pub(crate) fn is_followed(self, kind: &OutcomeKind) -> bool {
        self.days > 0.5 || first_day(kind) == 0
    }
}

fn first_day(kind: &OutcomeKind) -> i32 {
    match kind {
        OutcomeKind::Reports { window_days, .. }
        | OutcomeKind::Binary { window_days, .. }
        | OutcomeKind::Observed { window_days } => window_days.0,
        OutcomeKind::Duration { .. } => 0,
    }
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
    let mut reports = Vec::new();
    if let Some(rules) = rules(&protocol.outcomes[outcome].kind) {
        report_days(state, (family, own), rules, &mut reports);
    }
    let read = Read {
        family,
        ends: Ends::of(protocol, state, family, own),
        reports: &reports,
    };
    course_of(protocol, state, cut, read, outcome, events)
}

/// As [`course`], of a unit that was read before.
pub(crate) fn course_of(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    read: Read<'_>,
    outcome: usize,
    events: &mut Vec<f64>,
) -> Option<Course> {
    events.clear();
    let family = read.family;
    let own = state.family(family)?;
    let kind = &protocol.outcomes[outcome].kind;
    let last = own.randomized.plus(kind.last_day());
    let follow = read.ends.follow(cut, last);
    let first = first_day(kind);
    let origin = own.randomized.plus(first.max(1) - 1);
    let from = own.randomized.plus(first);
    let day = |on: Day| f64::from(on.since(origin)).max(0.5);
    let earliest = |service: Service| {
        let occurrences = state.occurrences_of_unit(family);
        occurrences
            .filter(|one| (from..=follow.until).contains(&one.on) && happened(state, one, service))
            .map(|one| one.on)
            .min()
    };
    match kind {
        OutcomeKind::Reports { .. } => {
            let days = read.reports.iter().copied();
            let seen = days.filter(|on| (from..=follow.until).contains(on));
            events.extend(seen.map(day));
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
    // Before the window families leave in an order too: who died is one of those who had not left by then.
    let days = if follow.until < from {
        f64::from(follow.until.since(own.randomized).max(0) + 1) / f64::from(2 * first.max(1))
    } else {
        day(follow.until)
    };
    Some(Course {
        days,
        end: follow.end,
    })
}
