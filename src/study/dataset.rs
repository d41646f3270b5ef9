//! The data set of a lock: one row per randomized family, folded from the state and cut at the lock's date.
//!
//! Windows count from randomization, never from closure, because the arm changes the closing date. While a window or a
//! horizon is open at the cut its outcome is not yet there, whatever has happened in it: were those known who left, closed
//! or answered early, and their cohort-mates not, who is analysed at a look would depend on the outcome. Of an ended window
//! a terminal exit (death, all children 18) ends the count and is observed; a censoring exit or a withdrawal leaves the
//! outcome unknown, and every analysis says what it does then. Times and rates use open windows too, each up to the cut
//! (`course`). Which covariates an analysis uses and how it treats unknown outcomes is `analysis`' business.

use super::kernel::{Family, FamilyIx, Occurred, Occurrence, ReportIx, ReportState, Source, State};
use super::uptake::happened;
use crate::allocation::Arm;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Exit, OutcomeKind, Summary};

/// Mean length of a month in days, the unit of `months_since_start`.
pub const DAYS_PER_MONTH: f64 = 30.4375;

/// A randomized family as a row of the data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// The family.
    pub family: FamilyIx,
    /// Its place among the allocations in ledger order.
    pub allocation: usize,
    /// Arm as randomized.
    pub arm: Arm,
    /// Site of randomization.
    pub site: usize,
    /// Days from the first site's opening to randomization, divided by [`DAYS_PER_MONTH`].
    pub months_since_start: f64,
}

/// What is known of an outcome at the cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutcomeValue {
    /// The window has ended and was observed to its end, or to a terminal exit, or the event or value that settles the
    /// outcome came before follow-up was censored.
    Known(f64),
    /// The window has ended and the value is not known: follow-up was censored inside it, or nothing was observed. What
    /// was seen up to then, if anything can be.
    Unknown(Option<f64>),
    /// The cut lies before the last day of the window or horizon, whatever was seen by then.
    NotYet,
}

/// The rows of a lock, in ledger order, into `units`. Families randomized after the cut are not in it; of two families
/// found to be one, the second draw is kept for audit and is no row.
pub fn units(state: &State, cut: Day, units: &mut Vec<Unit>) {
    draws(state, cut, units);
    units.retain(|unit| {
        state
            .family(unit.family)
            .is_some_and(|family| family.linked_to.is_none())
    });
}

/// Every draw up to a cut as a row of its own, also the later draws of families found to be one, under their own arm and
/// date and with what was recorded under their own name: for the sensitivity analysis, and for audit.
pub fn draws(state: &State, cut: Day, units: &mut Vec<Unit>) {
    units.clear();
    let start = state
        .sites
        .iter()
        .map(|site| site.opens)
        .min()
        .unwrap_or(Day(0));
    for (allocation, allocated) in state.allocations.iter().enumerate() {
        let Some(family) = state.family(allocated.family) else {
            continue;
        };
        if family.randomized > cut || family.erased {
            continue;
        }
        units.push(Unit {
            family: allocated.family,
            allocation,
            arm: allocated.arm,
            site: usize::from(family.site.0),
            months_since_start: f64::from(family.randomized.since(start)) / DAYS_PER_MONTH,
        });
    }
}

/// An outcome of a family at the cut, summarized to one number.
///
/// Reports count when the register or the prospective log has them, whoever else saw them; the index report, a report
/// of the same incident soon after it, and a report on children who joined later do not. What happened to a family counts
/// under whatever name it was recorded, once it is linked.
pub fn outcome(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    family: FamilyIx,
    outcome: usize,
    summary: Summary,
) -> OutcomeValue {
    match state.family(family) {
        Some(own) => outcome_from(protocol, state, cut, (family, own), outcome, summary),
        None => OutcomeValue::NotYet,
    }
}

/// What was read of a unit for several outcomes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read<'r> {
    /// The unit.
    pub(crate) family: FamilyIx,
    /// What ends its follow-up.
    pub(crate) ends: Ends,
    /// Days of its reports that count by the outcome's rules, in any window; of no meaning for an outcome without reports.
    pub(crate) reports: &'r [Day],
}

/// As [`outcome`], of a unit that was read before.
pub(crate) fn outcome_of(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    read: Read<'_>,
    outcome: usize,
    summary: Summary,
) -> OutcomeValue {
    let Some(own) = state.family(read.family) else {
        return OutcomeValue::NotYet;
    };
    let last = own
        .randomized
        .plus(protocol.outcomes[outcome].kind.last_day());
    if cut < last {
        return OutcomeValue::NotYet;
    }
    let follow = read.ends.follow(cut, last);
    let unit = (read.family, own, Some(read.reports));
    outcome_in(protocol, state, unit, follow, outcome, summary)
}

/// As [`outcome`], of a family whose windows count from `own.randomized` and whose index report is `own.report`.
pub(super) fn outcome_from(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    (family, own): (FamilyIx, &Family),
    outcome: usize,
    summary: Summary,
) -> OutcomeValue {
    let last = own
        .randomized
        .plus(protocol.outcomes[outcome].kind.last_day());
    if cut < last {
        return OutcomeValue::NotYet;
    }
    let follow = follow_up(protocol, state, cut, family, own, last);
    outcome_in(
        protocol,
        state,
        (family, own, None),
        follow,
        outcome,
        summary,
    )
}

/// An outcome whose window has ended of a family that was followed in this way; `reports` are the days of those that count, where they were read.
fn outcome_in(
    protocol: &Protocol,
    state: &State,
    (family, own, reports): (FamilyIx, &Family, Option<&[Day]>),
    follow: FollowUp,
    outcome: usize,
    summary: Summary,
) -> OutcomeValue {
    let kind = &protocol.outcomes[outcome].kind;
    // No family has another name in most studies: what it is called is then not looked for.
    let alone = state.links.is_empty();
    let (from, until) = match kind {
        OutcomeKind::Reports { window_days, .. }
        | OutcomeKind::Binary { window_days, .. }
        | OutcomeKind::Observed { window_days } => {
            (own.randomized.plus(window_days.0), follow.until)
        }
        OutcomeKind::Duration { .. } => (own.randomized, follow.until),
    };
    let value = match kind {
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
            let seen_as = |one| reported(state, one, own, (from, until), rules);
            let seen: usize = if let Some(days) = reports {
                days.iter()
                    .filter(|day| (from..=until).contains(*day))
                    .count()
            } else if alone && summary == Summary::Any {
                usize::from(seen_as(family).next().is_some())
            } else if alone {
                seen_as(family).count()
            } else {
                let names = state.one_family(family);
                names.map(|one| seen_as(one).count()).sum()
            };
            Some(seen as f64)
        }
        OutcomeKind::Binary { events, .. } => {
            let all = events.iter().all(|event| {
                let counts = |own: &Occurrence| {
                    (from..=until).contains(&own.on) && happened(state, own, *event)
                };
                if alone {
                    state.occurrences_of(family).any(counts)
                } else {
                    state.occurrences_of_unit(family).any(counts)
                }
            });
            Some(f64::from(u8::from(all)))
        }
        OutcomeKind::Duration { to, horizon_days } => state
            .occurrences_of_unit(family)
            .filter(|occurrence| occurrence.on <= until && happened(state, occurrence, *to))
            .map(|occurrence| occurrence.on.since(own.randomized))
            .min()
            .map(|days| days.min(*horizon_days))
            .or(matches!(follow.end, End::Window).then_some(*horizon_days))
            .map(f64::from),
        OutcomeKind::Observed { .. } => state
            .occurrences_of_unit(family)
            .filter(|occurrence| (from..=until).contains(&occurrence.on))
            .find_map(|occurrence| match occurrence.what {
                Occurred::Observed {
                    outcome: observed,
                    value,
                } if usize::from(observed) == outcome => Some(value),
                _ => None,
            }),
    };
    // Once the window has ended, an event that ends the clock is known however follow-up went on, and an unseen value is
    // unknown however it ended.
    let settled = matches!(
        kind,
        OutcomeKind::Duration { .. } | OutcomeKind::Observed { .. }
    );
    let value = value.map(|value| match summary {
        Summary::Any => f64::from(u8::from(value > 0.0)),
        Summary::Count | Summary::FirstTime | Summary::Value => value,
    });
    match (value, follow.end) {
        (Some(value), End::Window | End::Terminal) => OutcomeValue::Known(value),
        (Some(value), _) if settled => OutcomeValue::Known(value),
        (value, End::Censored) | (value @ None, End::Window | End::Terminal) => {
            OutcomeValue::Unknown(value)
        }
        (_, End::Cut) => OutcomeValue::NotYet,
    }
}

/// How follow-up of a window ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The window was observed to its end.
    Window,
    /// A terminal exit ended it: the count is observed.
    Terminal,
    /// A censoring exit or a withdrawal ended it.
    Censored,
    /// The cut came before the window's end.
    Cut,
}

/// Follow-up of a family up to a last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUp {
    /// Last day on which events are seen, inclusive.
    pub until: Day,
    /// Why not later.
    pub end: End,
}

/// What ends the follow-up of a family, whatever the window and the cut: the first day of either kind of end, at or after
/// its draw; before it there was no follow-up to end, as of a family that left and came back, or a name found later to be
/// this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    terminal: Day,
    censored: Day,
}

impl Ends {
    /// None stands in the ledger.
    const NEVER: Self = Self {
        terminal: Day(i32::MAX),
        censored: Day(i32::MAX),
    };

    /// Of a family that was drawn on `own.randomized`.
    pub(crate) fn of(protocol: &Protocol, state: &State, family: FamilyIx, own: &Family) -> Self {
        let mut ends = Self::NEVER;
        if own.last_occurrence == 0 && state.links.is_empty() {
            return ends;
        }
        let mut end_by = |occurrence: &Occurrence| {
            let end = match occurrence.what {
                Occurred::Exit(exit) => exit_end(protocol, exit),
                Occurred::Withdrawn => Some(End::Censored),
                Occurred::Service { .. }
                | Occurred::Violation { .. }
                | Occurred::Observed { .. } => None,
            };
            if occurrence.on < own.randomized {
                return;
            }
            match end {
                Some(End::Terminal) => ends.terminal = ends.terminal.min(occurrence.on),
                Some(End::Censored) => ends.censored = ends.censored.min(occurrence.on),
                Some(End::Window | End::Cut) | None => {}
            }
        };
        if state.links.is_empty() {
            state.occurrences_of(family).for_each(&mut end_by);
        } else {
            state.occurrences_of_unit(family).for_each(&mut end_by);
        }
        ends
    }

    /// Of a family by its own draw.
    pub(crate) fn of_unit(protocol: &Protocol, state: &State, family: FamilyIx) -> Self {
        match state.family(family) {
            Some(own) => Self::of(protocol, state, family, own),
            None => Self::NEVER,
        }
    }

    /// Follow-up to `last`, the last day of a window, at a cut that may come before it. The earliest end counts; on the same day a terminal exit comes
    /// before a censoring one, and any exit before the cut. An exit after the window, or on its last day, changes nothing.
    pub(crate) fn follow(self, cut: Day, last: Day) -> FollowUp {
        let own = if self.terminal <= self.censored {
            FollowUp {
                until: self.terminal,
                end: End::Terminal,
            }
        } else {
            FollowUp {
                until: self.censored,
                end: End::Censored,
            }
        };
        let without = without_exit(cut, last);
        let at_the_cut = without.end == End::Cut && own.until == without.until;
        if own.until < without.until || at_the_cut {
            own
        } else {
            without
        }
    }
}

/// Follow-up of a family to `last`, the last day of a window, at a cut: of what ends it, the earliest.
pub fn follow_up(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    family: FamilyIx,
    own: &Family,
    last: Day,
) -> FollowUp {
    Ends::of(protocol, state, family, own).follow(cut, last)
}

/// Follow-up that neither an exit nor a withdrawal ends.
fn without_exit(cut: Day, last: Day) -> FollowUp {
    if cut < last {
        FollowUp {
            until: cut,
            end: End::Cut,
        }
    } else {
        FollowUp {
            until: last,
            end: End::Window,
        }
    }
}

fn exit_end(protocol: &Protocol, exit: Exit) -> Option<End> {
    if protocol.exits.terminal.contains(&exit) {
        Some(End::Terminal)
    } else if protocol.exits.censors.contains(&exit) {
        Some(End::Censored)
    } else {
        None
    }
}

/// Which reports of an outcome count: within how many days one of the same incident as the index report is left out, and
/// whether those by study staff, and those that were attached to the investigation, are.
pub(crate) type Rules = (Option<i32>, bool, bool);

/// The rules of an outcome of reports.
pub(crate) fn rules(kind: &OutcomeKind) -> Option<Rules> {
    match kind {
        OutcomeKind::Reports {
            same_incident_within_days,
            without_study_staff,
            without_attached,
            ..
        } => Some((
            *same_incident_within_days,
            *without_study_staff,
            *without_attached,
        )),
        OutcomeKind::Binary { .. }
        | OutcomeKind::Duration { .. }
        | OutcomeKind::Observed { .. } => None,
    }
}

/// Adds the days of a unit's counted reports under whatever name, in any window and no order.
pub(crate) fn report_days(
    state: &State,
    (family, own): (FamilyIx, &Family),
    rules: Rules,
    days: &mut Vec<Day>,
) {
    let always = (Day(i32::MIN), Day(i32::MAX));
    if state.links.is_empty() {
        days.extend(reported(state, family, own, always, rules));
    } else {
        for one in state.one_family(family) {
            days.extend(reported(state, one, own, always, rules));
        }
    }
}

/// Days of the counted reports of `family` (the unit itself or a family linked to it) in a window of the unit's days.
pub(super) fn reported<'s>(
    state: &'s State,
    family: FamilyIx,
    unit: &'s Family,
    window: (Day, Day),
    rules: Rules,
) -> impl Iterator<Item = Day> + 's {
    counted(state, family, unit, window, rules).map(|(_, report)| report.received)
}

/// The counted reports themselves.
pub(super) fn counted<'s>(
    state: &'s State,
    family: FamilyIx,
    unit: &'s Family,
    (from, until): (Day, Day),
    (same_incident_within_days, without_study_staff, without_attached): Rules,
) -> impl Iterator<Item = (ReportIx, &'s ReportState)> + 's {
    let counted = Source::Log.bit() | Source::Register.bit();
    let index = same_incident_within_days.and_then(|_| state.reports.get(unit.report.0 as usize));
    state.reports_of(family).filter(move |(place, report)| {
        let comes_in = *place != unit.report
            && report.sources & counted != 0
            && (from..=until).contains(&report.received);
        if !comes_in {
            return false;
        }
        let same_incident = match (same_incident_within_days, index, report.incident) {
            (Some(days), Some(index), Some(incident)) => {
                index.incident == Some(incident) && report.received.since(index.received) <= days
            }
            _ => false,
        };
        let joined = state.is_on_joined(unit, report);
        let outside = report.unknown_child && unit.children > 0;
        let by_staff = without_study_staff && report.by_study_staff;
        let open = without_attached && report.attached == Some(true);
        let left_out = same_incident || joined || outside || by_staff || open;
        !left_out
    })
}

#[cfg(test)]
mod tests {
    use super::{Day, End, Ends, FollowUp};

    /// By hand: a window to day 10, cut after it or on day 8, and ends before, on and after both; a terminal end comes before a
    /// censoring one of the same day, and any before the cut; one on the window's last day changes nothing.
    #[test]
    fn the_earliest_end_counts() {
        let never = i32::MAX;
        for (terminal, censored, cut, until, end) in [
            (never, never, 20, 10, End::Window),
            (never, never, 10, 10, End::Window),
            (never, never, 8, 8, End::Cut),
            (9, never, 20, 9, End::Terminal),
            (never, 9, 20, 9, End::Censored),
            (9, 9, 20, 9, End::Terminal),
            (9, 7, 20, 7, End::Censored),
            (10, never, 20, 10, End::Window),
            (11, 12, 20, 10, End::Window),
            (9, never, 8, 8, End::Cut),
            (8, never, 8, 8, End::Terminal),
            (never, 8, 8, 8, End::Censored),
            (8, 8, 8, 8, End::Terminal),
            (9, 8, 8, 8, End::Censored),
            (3, 2, 8, 2, End::Censored),
        ] {
            let ends = Ends {
                terminal: Day(terminal),
                censored: Day(censored),
            };
            let expected = FollowUp {
                until: Day(until),
                end,
            };
            assert_eq!(ends.follow(Day(cut), Day(10)), expected);
        }
    }
}
