//! What the ledger has of a family at a cut, row by row: every report and every other thing recorded that no correction
//! retracted, under whatever name of the family, each with the outcomes that it counts for. A violation is there whenever it was
//! found, as in `conduct`: what was wrong at the draw is so at every cut.
//!
//! Days count from the draw, or from the day that stands for it. What a family's outcome is in one number is `dataset`'s.

use super::dataset::{counted, follow_up, rules};
use super::kernel::{Family, FamilyIx, Occurred, Occurrence, ReportIx, ReportState, State};
use super::uptake::{happened, switch_of};
use crate::allocation::Arm;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, OutcomeKind};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// Days from the draw; before it negative.
    pub day: i32,
    /// What.
    pub what: Happened,
    /// Indices of the outcomes that it counts for at the cut, by their windows and rules.
    pub counts_for: Vec<usize>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Happened {
    /// A report came.
    Report {
        /// The report.
        report: ReportState,
        /// Whether it is the one that the family was drawn with.
        index: bool,
    },
    /// Something else was recorded.
    Occurred {
        /// What.
        what: Occurred,
        /// Of a switch, the arm whose service the family has from then on.
        to: Option<Arm>,
    },
}

/// Everything up to a cut, inclusive, and every violation, by day and then in the ledger's order.
pub fn happenings(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    family: FamilyIx,
) -> Vec<Happening> {
    let Some(own) = state.family(family) else {
        return Vec::new();
    };
    let windows: Vec<Counting> = (0..protocol.outcomes.len())
        .map(|outcome| Counting::of(protocol, state, cut, (family, own), outcome))
        .collect();
    let mut reports: Vec<(ReportIx, &ReportState)> = state
        .one_family(family)
        .flat_map(|one| state.reports_of(one))
        .filter(|(_, report)| report.received <= cut)
        .collect();
    reports.sort_unstable_by_key(|(place, report)| (report.received, *place));
    let mut occurrences: Vec<&Occurrence> = state
        .occurrences_of_unit(family)
        .filter(|own| own.on <= cut || matches!(own.what, Occurred::Violation { .. }))
        .collect();
    occurrences.sort_unstable_by_key(|occurrence| (occurrence.on, occurrence.sequence));
    let counts_for = |counts: &dyn Fn(&Counting) -> bool| {
        let all = windows.iter().enumerate();
        all.filter(|(_, window)| counts(window))
            .map(|(outcome, _)| outcome)
            .collect()
    };
    let mut list: Vec<Happening> = reports
        .into_iter()
        .map(|(place, report)| Happening {
            day: report.received.since(own.randomized),
            what: Happened::Report {
                report: *report,
                index: place == own.report,
            },
            counts_for: counts_for(&|window| window.reports.contains(&place)),
        })
        .collect();
    list.extend(occurrences.into_iter().map(|occurrence| Happening {
        day: occurrence.on.since(own.randomized),
        what: Happened::Occurred {
            what: occurrence.what,
            to: switch_of(state, occurrence).map(|switch| switch.to),
        },
        counts_for: counts_for(&|window| window.occurrences.contains(&occurrence.sequence)),
    }));
    // Reports stay before what else happened on their day.
    list.sort_by_key(|happening| happening.day);
    list
}

/// What counts for an outcome of a family: its reports, or its occurrences by their events.
struct Counting {
    reports: Vec<ReportIx>,
    occurrences: Vec<u64>,
}

impl Counting {
    fn of(
        protocol: &Protocol,
        state: &State,
        cut: Day,
        (family, own): (FamilyIx, &Family),
        outcome: usize,
    ) -> Self {
        let kind = &protocol.outcomes[outcome].kind;
        let last = own.randomized.plus(kind.last_day());
        let until = follow_up(protocol, state, cut, family, own, last).until;
        let from = match kind {
            OutcomeKind::Reports { window_days, .. }
            | OutcomeKind::Binary { window_days, .. }
            | OutcomeKind::Observed { window_days } => own.randomized.plus(window_days.0),
            // As the outcome itself: whatever was recorded up to its horizon.
            OutcomeKind::Duration { .. } => Day(i32::MIN),
        };
        let inside = |occurrence: &&Occurrence| (from..=until).contains(&occurrence.on);
        let occurrences = || state.occurrences_of_unit(family).filter(inside);
        let reports = rules(kind).map_or_else(Vec::new, |rules| {
            state
                .one_family(family)
                .flat_map(|one| counted(state, one, own, (from, until), rules))
                .map(|(place, _)| place)
                .collect()
        });
        let occurrences = match kind {
            OutcomeKind::Reports { .. } => Vec::new(),
            OutcomeKind::Binary { events, .. } => occurrences()
                .filter(|one| events.iter().any(|event| happened(state, one, *event)))
                .map(|one| one.sequence)
                .collect(),
            OutcomeKind::Duration { to, .. } => occurrences()
                .filter(|one| happened(state, one, *to))
                .min_by_key(|one| (one.on, one.sequence))
                .map(|one| one.sequence)
                .into_iter()
                .collect(),
            OutcomeKind::Observed { .. } => occurrences()
                .find(|one| {
                    matches!(one.what, Occurred::Observed { outcome: own, .. } if usize::from(own) == outcome)
                })
                .map(|one| one.sequence)
                .into_iter()
                .collect(),
        };
        Self {
            reports,
            occurrences,
        }
    }
}
