//! What a command means, given the protocol and the state: a pure function up to the draw that it asks for.

use super::command::{Answer, Command, Decision, Enrolment, Refusal};
use super::corrections::retractable;
use super::draws::Draws;
use super::event::{FamilyIx, LeftAside, Report, Roster, Screening, Source, Values, Verdict, What};
use super::state::{Family, State, Status};
use crate::protocol::Protocol;
use crate::protocol::model::{Check, Cut, Day};

/// Decides a command on the day `day` (the study's time zone). Nothing is recorded here: the caller appends the
/// events and then applies them. A refusal records nothing; an answer that is no allocation is recorded.
///
/// The order of an enrolment is fixed: study and site open, family known, criteria, declared exception, gate, draw.
pub fn decide(
    protocol: &Protocol,
    state: &State,
    command: &Command,
    day: Day,
    draws: &mut impl Draws,
) -> Result<Decision, Refusal> {
    match command {
        Command::Enrol(enrolment) => enrol(protocol, state, enrolment, day, draws),
        Command::Record(what) => may_record(state, what, day).map(|()| recorded(what)),
        Command::Lock { lock, cut } => lock_data(protocol, state, *lock, *cut, day),
        Command::Analyse { lock } => match state.lock(*lock) {
            Some(_) => Ok(recorded(&What::Analysed { lock: *lock })),
            None => Err(Refusal::NotLocked),
        },
        Command::Amend => {
            // A seed that is published governs no further draw, and neither does one that comes after it.
            if state.closed || state.revealed {
                return Err(Refusal::EnrolmentClosed);
            }
            let epoch = state.epoch + 1;
            Ok(recorded(&What::EpochOpened { epoch }))
        }
        Command::Beacon => {
            if protocol.in_epoch(state.epoch).study.beacon.is_none() {
                Err(Refusal::NoBeacon)
            } else if state.beacon() {
                Err(Refusal::BeaconRecorded)
            } else {
                Ok(recorded(&What::Beacon { epoch: state.epoch }))
            }
        }
        Command::Reveal => {
            if state.revealed {
                Err(Refusal::AlreadyRevealed)
            } else if state.closed {
                Ok(recorded(&What::Revealed))
            } else {
                Err(Refusal::NotFinallyLocked)
            }
        }
        Command::Export => Ok(recorded(&What::Exported)),
    }
}

fn recorded(what: &What) -> Decision {
    Decision {
        answer: Answer::Recorded,
        events: [Some(*what), None],
    }
}

/// Decides on a request to enrol, where it lies: what [`decide`] asks of [`Command::Enrol`].
///
/// # Errors
/// Why nothing is recorded.
pub fn enrol(
    protocol: &Protocol,
    state: &State,
    enrolment: &Enrolment,
    day: Day,
    draws: &mut impl Draws,
) -> Result<Decision, Refusal> {
    if enrolment.received > day {
        return Err(Refusal::ReceivedInTheFuture);
    }
    let unit = state.unit(enrolment.family);
    if is_randomized(state, unit) {
        // A randomized family keeps its arm whatever has become of study or site.
        return again(state, enrolment, unit);
    }
    // Under whatever name it comes, the unit is screened.
    let family = state.family(unit);
    may_enrol(protocol, state, enrolment, day)?;
    for child in enrolment.children.as_slice() {
        let owner = state
            .children
            .get(child.0 as usize)
            .map(|child| child.family);
        let owner = owner.map(|owner| state.unit(owner));
        if let Some(family) = owner.filter(|own| *own != unit && is_randomized(state, *own)) {
            return Err(Refusal::ChildOfAnotherFamily {
                child: *child,
                family,
            });
        }
    }
    let may_return = |gate: &crate::protocol::model::Gate| gate.turned_away_may_return;
    if family.is_some_and(|family| family.turned_away)
        && !protocol.gate.as_ref().is_none_or(may_return)
    {
        return Err(Refusal::TurnedAwayForGood);
    }
    let changed = state.changed(unit, enrolment.report, enrolment.answers, &enrolment.values);
    let screening = |verdict| {
        Some(What::Screened(Screening {
            family: unit,
            site: enrolment.site,
            report: enrolment.report,
            received: enrolment.received,
            children: enrolment.children,
            answers: enrolment.answers,
            values: enrolment.values,
            verdict,
            changed,
        }))
    };
    let missed = missed_criteria(protocol, enrolment.answers, &enrolment.values);
    if missed != 0 {
        return Ok(Decision {
            answer: Answer::NotEligible { missed },
            events: [screening(Verdict::NotEligible { missed }), None],
        });
    }
    if let Some(reason) = enrolment.exception {
        let exception = What::Exception {
            family: unit,
            site: enrolment.site,
            reason,
        };
        return Ok(Decision {
            answer: Answer::Exception { reason },
            events: [screening(Verdict::Exception), Some(exception)],
        });
    }
    if !state.gate_open(enrolment.site) {
        return Ok(Decision {
            answer: Answer::GateClosed,
            events: [screening(Verdict::GateClosed), None],
        });
    }
    let (own, site) = (
        protocol.in_epoch(state.epoch),
        usize::from(enrolment.site.0),
    );
    let stratum = own.stratum(site, &enrolment.values) as u32;
    let draw = state.draws.get(stratum as usize).copied().unwrap_or(0);
    let (cell, levels) = own.placed(site, &enrolment.values);
    let arm = draws.arm(protocol, state, stratum, &levels.unit());
    let allocation = state.allocations.len() as u32 + 1;
    let allocated = What::Allocated {
        family: unit,
        site: enrolment.site,
        epoch: state.epoch,
        stratum,
        cell,
        draw,
        arm,
        allocation,
    };
    Ok(Decision {
        answer: Answer::Allocated { arm, allocation },
        events: [screening(Verdict::Drawn), Some(allocated)],
    })
}

/// A bit per criterion that a family misses, from its answers and values.
pub fn missed_criteria(protocol: &Protocol, answers: u64, values: &Values) -> u64 {
    protocol
        .criteria
        .iter()
        .enumerate()
        .fold(0, |bits, (index, criterion)| {
            let met = match &criterion.check {
                Check::Ask { include_if, .. } => ((answers >> index) & 1 == 1) == *include_if,
                Check::Rule { rule, .. } => rule.holds(values),
            };
            bits | (u64::from(!met) << index)
        })
}

fn may_enrol(
    protocol: &Protocol,
    state: &State,
    enrolment: &Enrolment,
    day: Day,
) -> Result<(), Refusal> {
    if state.closed {
        return Err(Refusal::EnrolmentClosed);
    }
    let stop = protocol.sample_size.stop_families;
    if stop.is_some_and(|families| state.randomized() as u32 >= families) {
        return Err(Refusal::TargetReached);
    }
    if let Some(last) = protocol
        .sample_size
        .stop_date
        .map(Day::of)
        .filter(|last| day > *last)
    {
        return Err(Refusal::PastLastDay { last });
    }
    let awaits = protocol.in_epoch(state.epoch).study.beacon.is_some();
    if awaits && !state.beacon() {
        return Err(Refusal::BeaconMissing);
    }
    let site = &state.sites[usize::from(enrolment.site.0)];
    if site.closed {
        return Err(Refusal::SiteClosed {
            site: enrolment.site,
        });
    }
    if day < site.opens {
        return Err(Refusal::SiteNotOpen {
            site: enrolment.site,
            opens: site.opens,
        });
    }
    Ok(())
}

/// A randomized family is reported again: it keeps its arm, a new child joins it, and the report is an outcome.
fn again(state: &State, enrolment: &Enrolment, unit: FamilyIx) -> Result<Decision, Refusal> {
    let Some(family) = state.family(unit) else {
        return Err(Refusal::UnknownFamily);
    };
    let mut children = Roster::EMPTY;
    for child in enrolment.children.as_slice() {
        match state.children.get(child.0 as usize) {
            Some(known) if state.unit(known.family) == unit => {}
            Some(known) if is_randomized(state, state.unit(known.family)) => {
                return Err(Refusal::ChildOfAnotherFamily {
                    child: *child,
                    family: state.unit(known.family),
                });
            }
            Some(_) | None => {
                children.push(*child);
            }
        }
    }
    let (report, received, site) = (enrolment.report, enrolment.received, enrolment.site);
    let named = enrolment.children;
    let left_aside = LeftAside {
        answers: state.changed(unit, report, enrolment.answers, &enrolment.values),
        exception: enrolment.exception.is_some(),
    };
    let sighted = state.reports.get(report.0 as usize).is_some_and(|known| {
        known.sources & Source::Intake.bit() != 0 && known.received == received
    });
    let sighting = (!sighted).then_some(What::Reported(Report {
        family: enrolment.family,
        report,
        received,
        source: Source::Intake,
        incident: None,
        child: None,
        unknown_child: false,
        attached: None,
        by_study_staff: false,
    }));
    let (arm, allocation) = (family.arm, family.allocation);
    Ok(if children.as_slice().is_empty() {
        let returned = What::Returned {
            family: enrolment.family,
            site,
            report,
            received,
            left_aside,
            named,
        };
        Decision {
            answer: Answer::Returned { arm, allocation },
            events: [Some(returned), sighting],
        }
    } else {
        let joined = What::Joined {
            family: enrolment.family,
            site,
            report,
            received,
            left_aside,
            children,
            named,
        };
        Decision {
            answer: Answer::Joined { arm, allocation },
            events: [Some(joined), sighting],
        }
    })
}

fn is_randomized(state: &State, family: FamilyIx) -> bool {
    state
        .family(family)
        .is_some_and(|family| family.status == Status::Randomized)
}

/// Whether an event that somebody reports can be recorded on a day: what [`decide`] asks of [`Command::Record`].
///
/// # Errors
/// Why it cannot.
pub fn may_record(state: &State, what: &What, day: Day) -> Result<(), Refusal> {
    may_record_in_place(state, what, day)
}

/// As [`may_record`], for a place where the kind of the event is known: nothing is left there of the others.
///
/// # Errors
/// As [`may_record`].
#[expect(
    clippy::inline_always,
    reason = "a call of its own would have to ask for the kind"
)]
#[inline(always)]
pub(crate) fn may_record_in_place(state: &State, what: &What, day: Day) -> Result<(), Refusal> {
    let family = |family: FamilyIx, on: Day| {
        if on > day {
            return Err(Refusal::OnInTheFuture);
        }
        state.family(family).ok_or(Refusal::UnknownFamily)
    };
    let randomized = |ix: FamilyIx, on: Day| {
        let own = family(ix, on)?;
        if !own.is_randomized() {
            Err(Refusal::NotRandomized)
        } else if on < own.randomized {
            Err(Refusal::BeforeRandomization {
                randomized: own.randomized,
            })
        } else {
            Ok(())
        }
    };
    match *what {
        What::SiteOpened { site, on } | What::SiteClosed { site, on } => {
            if on > day {
                return Err(Refusal::OnInTheFuture);
            }
            let own = &state.sites[usize::from(site.0)];
            let closes = matches!(what, What::SiteClosed { .. });
            if own.closed == closes && (closes || own.opens <= on) {
                return Err(Refusal::NothingChanges);
            }
        }
        What::CapacityChanged { on, .. } => {
            if on > day {
                return Err(Refusal::OnInTheFuture);
            }
        }
        What::Reported(report) => {
            family(report.family, report.received)?;
        }
        What::Exited { family: ix, on, .. } | What::Withdrawn { family: ix, on } => {
            family(ix, on)?;
            // Follow-up is of the unit and counts from its draw; a family without a draw has none that could end.
            if state
                .family(state.unit(ix))
                .is_some_and(Family::is_randomized)
            {
                randomized(state.unit(ix), on)?;
            }
        }
        What::Serviced { family: ix, on, .. } | What::Observed { family: ix, on, .. } => {
            randomized(ix, on)?;
        }
        What::Violation {
            family: ix,
            on,
            truth,
            ..
        } => {
            randomized(ix, on)?;
            // Whether the service is that of another arm is not looked at: a refusal would tell the arm, and leave no trace.
            let known = truth.is_some_and(|truth| {
                state.true_value(ix, usize::from(truth.field)) == Some(truth.value)
            });
            if known {
                return Err(Refusal::NothingWrong);
            }
        }
        What::Corrected { sequence, on } => {
            if on > day {
                return Err(Refusal::OnInTheFuture);
            }
            retractable(state, sequence)?;
        }
        What::Linked { unit, other, on } => {
            family(unit, on)?;
            if state.unit(unit) == state.unit(other) {
                return Err(Refusal::AlreadyLinked);
            }
        }
        What::ChildLinked {
            family: ix,
            child,
            other,
            on,
        } => {
            family(ix, on)?;
            if Some(child) == other {
                return Err(Refusal::AlreadyLinked);
            }
            let unit = state.unit(ix);
            for one in std::iter::once(child).chain(other) {
                let owner = state.children.get(one.0 as usize);
                if let Some(owner) = owner.filter(|own| state.unit(own.family) != unit) {
                    return Err(Refusal::ChildOfAnotherFamily {
                        child: one,
                        family: state.unit(owner.family),
                    });
                }
            }
        }
        What::Erased { .. }
        | What::Opened
        | What::EpochOpened { .. }
        | What::Beacon { .. }
        | What::Screened(_)
        | What::Allocated { .. }
        | What::Returned { .. }
        | What::Joined { .. }
        | What::Exception { .. }
        | What::Locked { .. }
        | What::Analysed { .. }
        | What::Exported
        | What::Revealed => {}
    }
    Ok(())
}

fn lock_data(
    protocol: &Protocol,
    state: &State,
    lock: u16,
    cut: Day,
    day: Day,
) -> Result<Decision, Refusal> {
    if state.lock(lock).is_some() {
        return Err(Refusal::AlreadyLocked);
    }
    match protocol.locks[usize::from(lock)].cut {
        Cut::On(date) if Day::of(date) != cut => {
            return Err(Refusal::CutNotRegistered {
                registered: Day::of(date),
            });
        }
        Cut::On(_) => {}
        Cut::AfterLastWindow { grace_days } => {
            let last = state
                .allocations
                .iter()
                .filter_map(|allocated| state.family(allocated.family))
                .map(|family| family.randomized)
                .max();
            if let Some(last) = last {
                let first = last.plus(protocol.last_window()).plus(grace_days);
                if cut < first {
                    return Err(Refusal::WindowsNotEnded { first });
                }
            }
        }
    }
    if cut > day {
        return Err(Refusal::CutInTheFuture);
    }
    let randomized = state
        .allocations
        .iter()
        .filter_map(|allocated| state.family(allocated.family))
        .map(|family| family.randomized);
    let first = randomized.min();
    if first.is_none_or(|first| cut < first) {
        return Err(Refusal::NobodyRandomized { first });
    }
    Ok(recorded(&What::Locked { lock, cut }))
}
