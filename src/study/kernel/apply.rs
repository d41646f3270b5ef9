//! What an event does to the state. Replaying a ledger and living through it give the same state.

use super::corrections::{correct, sight};
use super::event::{
    ChildIx, Event, FamilyIx, LeftAside, Report, ReportIx, Roster, Screening, SiteIx, Source,
    Verdict, What,
};
use super::families::{came_from, ensure_child, link, link_children, name_with, note_link};
use super::state::{
    Allocated, Child, EarlierScreening, EpochState, Exempted, Family, GateChange, LockState,
    Occurred, Occurrence, ReportState, SiteChange, SiteState, State, Status, Switch, TurnedAway,
};
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Service};

/// Applies an event that was decided earlier. Never refuses: whether an event may stand is `decide`'s business, and
/// whether a ledger holds together is `verify`'s.
pub fn apply(protocol: &Protocol, state: &mut State, event: &Event<'_>) {
    apply_in_place(protocol, state, event);
}

/// As [`apply`], for a place where the kind of the event is known: nothing is left there of the others.
#[expect(
    clippy::inline_always,
    reason = "a call of its own would have to ask for the kind"
)]
#[inline(always)]
pub(crate) fn apply_in_place(protocol: &Protocol, state: &mut State, event: &Event<'_>) {
    state.sequence += 1;
    state.last_day = state.last_day.max(event.day);
    let day = event.day;
    match *event.what {
        What::Exported | What::Analysed { .. } => {}
        What::Opened => {
            if let Some(first) = state.epochs.first_mut() {
                first.opened = day;
            }
            begin(state, 0, day);
        }
        What::EpochOpened { epoch } => epoch_opened(protocol, state, epoch, day),
        What::Beacon { .. } => state.record_beacon(day),
        What::SiteOpened { site, on } => {
            if let Some(own) = state.sites.get_mut(usize::from(site.0)) {
                own.closed = false;
                own.opens = on;
                state.enrolling.push(SiteChange {
                    site,
                    day,
                    enrols: true,
                });
            }
        }
        What::SiteClosed { site, .. } => {
            if let Some(own) = state.sites.get_mut(usize::from(site.0)) {
                own.closed = true;
                state.enrolling.push(SiteChange {
                    site,
                    day,
                    enrols: false,
                });
            }
        }
        What::CapacityChanged {
            site, therapists, ..
        } => {
            with_gate(state, site, day, |state| {
                state.sites[usize::from(site.0)].therapists = therapists;
            });
        }
        What::Screened(ref screening) => screened(state, screening, day),
        What::Allocated {
            family,
            site,
            epoch,
            stratum,
            cell,
            draw,
            arm,
            ..
        } => {
            allocated(
                protocol,
                state,
                (family, site),
                [epoch, stratum, cell, draw],
                arm,
                day,
            );
        }
        What::Returned {
            family,
            site,
            report,
            received,
            left_aside,
            ref named,
        } => {
            ensure_family(state, family, site);
            ensure_report(state, report, family, received);
            note_left_aside(state, family, left_aside);
            name_with(state, report, named);
        }
        What::Joined {
            family,
            site,
            report,
            received,
            left_aside,
            ref children,
            ref named,
        } => {
            ensure_family(state, family, site);
            ensure_report(state, report, family, received);
            note_left_aside(state, family, left_aside);
            join(state, family, children, true);
            name_with(state, report, named);
        }
        What::Exception {
            family,
            site,
            reason,
        } => {
            if let Some(own) = state.families.get_mut(family.0 as usize)
                && !own.is_randomized()
            {
                own.status = Status::Excepted { reason };
            }
            state.exceptions.push(Exempted { family, site, day });
        }
        What::Violation {
            family,
            on,
            reason,
            truth,
            received,
        } => {
            if let Some(own) = state.families.get_mut(family.0 as usize) {
                own.mistaken |= truth.is_some();
            }
            let what = Occurred::Violation {
                reason,
                truth,
                received,
            };
            occur(state, family, what, on);
        }
        What::Reported(ref report) => reported(state, report),
        What::Serviced {
            family,
            service,
            on,
            arm,
            by,
        } => {
            occur(state, family, Occurred::Service { service, by }, on);
            if let (Service::Switched, Some(to)) = (service, arm) {
                state.switches.push(Switch {
                    family,
                    to,
                    on,
                    sequence: state.sequence,
                    retracted: false,
                });
            }
            slot_after(protocol, state, family, service, arm, day);
        }
        What::Exited { family, exit, on } => occur(state, family, Occurred::Exit(exit), on),
        What::Observed {
            family,
            outcome,
            value,
            on,
        } => {
            occur(state, family, Occurred::Observed { outcome, value }, on);
        }
        What::Withdrawn { family, on } => occur(state, family, Occurred::Withdrawn, on),
        What::Corrected { sequence, .. } => correct(state, sequence),
        What::Linked { unit, other, .. } => {
            // A name may be known from a link alone that was taken back.
            let known = state.family(unit).or(state.family(other));
            let site = known.map_or(SiteIx(0), |own| own.site);
            ensure_family(state, unit, site);
            ensure_family(state, other, site);
            note_link(state, unit, other);
            link(state, unit, other);
        }
        What::ChildLinked {
            family,
            child,
            other,
            ..
        } => {
            note_link(state, family, family);
            ensure_child(state, child, family);
            if let Some(other) = other {
                link_children(state, child, other);
            }
        }
        // A slot is held by service, which an erasure does not end.
        What::Erased { family } => {
            let gone: Vec<FamilyIx> = state.one_family(family).collect();
            for one in gone {
                if let Some(own) = state.families.get_mut(one.0 as usize)
                    && (one == family || !own.is_randomized())
                {
                    if !own.erased {
                        state.erased.push(one);
                    }
                    own.erased = true;
                }
            }
        }
        What::Locked { lock, cut } => {
            state.locks.push(LockState {
                lock,
                cut,
                sequence: state.sequence,
            });
            if protocol.final_lock() == Some(usize::from(lock)) {
                state.closed = true;
            }
        }
        What::Revealed => state.revealed = true,
    }
}

/// What a report under any name said and nothing was done with is a mark of the unit.
fn note_left_aside(state: &mut State, family: FamilyIx, left_aside: LeftAside) {
    let unit = state.unit(family);
    if let Some(own) = state.families.get_mut(unit.0 as usize) {
        own.answers_after_draw |= left_aside.answers;
        own.exception_after_draw |= left_aside.exception;
    }
}

/// Draws count anew, a beacon is awaited anew, and sites that the epoch's protocol adds begin.
fn epoch_opened(protocol: &Protocol, state: &mut State, epoch: u32, day: Day) {
    let own = protocol.in_epoch(epoch);
    state.epoch = epoch;
    state.epochs.push(EpochState::opened(day));
    state.draws.clear();
    state.draws.resize(own.strata(), 0);
    let known = state.sites.len();
    state
        .sites
        .extend(own.sites.iter().skip(known).map(SiteState::of));
    begin(state, known, day);
}

/// Sites from a place on begin to enrol: on the day on which the protocol opens them, not before the day itself.
fn begin(state: &mut State, from: usize, day: Day) {
    let State {
        sites, enrolling, ..
    } = state;
    enrolling.extend(
        (0..)
            .zip(&*sites)
            .skip(from)
            .map(|(place, own)| SiteChange {
                site: SiteIx(place),
                day: own.opens.max(day),
                enrols: true,
            }),
    );
}

fn screened(state: &mut State, screening: &Screening, day: Day) {
    ensure_family(state, screening.family, screening.site);
    ensure_report(
        state,
        screening.report,
        screening.family,
        screening.received,
    );
    join(state, screening.family, &screening.children, false);
    // The report that a family is drawn with is its index report, whomever it is on.
    if screening.verdict != Verdict::Drawn {
        name_with(state, screening.report, &screening.children);
    }
    let sequence = state.sequence;
    let report = &mut state.reports[screening.report.0 as usize];
    report.sources |= Source::Intake.bit();
    report.intake = Some(screening.received);
    let State {
        families,
        earlier,
        turned_away,
        ..
    } = state;
    let own = &mut families[screening.family.0 as usize];
    // Only an erasure, which leaves a family and its other name under one placeholder, screens after a draw.
    if own.is_randomized() {
        own.screenings = own.screenings.saturating_add(1);
        return;
    }
    if own.screenings > 0 && own.report != screening.report {
        earlier.push(EarlierScreening {
            report: own.report,
            answers: own.answers,
            values: own.values,
            changed: own.report_changed,
            previous: own.earlier,
        });
        own.earlier = earlier.len() as u32;
    }
    own.changed_between |= own.screenings > 0
        && own.report != screening.report
        && (own.answers != screening.answers || own.values != screening.values);
    own.exception_withdrawn |= own.withdraws_exception(screening);
    own.screenings = own.screenings.saturating_add(1);
    own.site = screening.site;
    own.last_screened = sequence;
    own.report = screening.report;
    own.answers = screening.answers;
    own.values = screening.values;
    own.report_changed = screening.changed;
    own.changed_answers |= screening.changed;
    own.status = match screening.verdict {
        Verdict::NotEligible { missed } => Status::NotEligible { missed },
        Verdict::GateClosed => {
            if !own.turned_away {
                turned_away.push(TurnedAway {
                    family: screening.family,
                    site: screening.site,
                    on: day,
                    report: screening.report,
                });
            }
            own.turned_away = true;
            Status::TurnedAway
        }
        // The event of the same transaction that follows says the rest.
        Verdict::Exception | Verdict::Drawn => own.status,
    };
}

fn allocated(
    protocol: &Protocol,
    state: &mut State,
    (family, site): (FamilyIx, SiteIx),
    [epoch, stratum, cell, draw]: [u32; 4],
    arm: crate::allocation::Arm,
    day: Day,
) {
    ensure_family(state, family, site);
    state.allocations.push(Allocated {
        family,
        epoch,
        stratum,
        cell,
        draw,
        arm,
    });
    if let Some(draws) = state.draws.get_mut(stratum as usize) {
        *draws += 1;
    }
    let allocation = state.allocations.len() as u32;
    let own = &mut state.families[family.0 as usize];
    own.status = Status::Randomized;
    own.site = site;
    own.arm = arm;
    own.service = arm;
    own.allocation = allocation;
    own.randomized = day;
    if protocol.gate.as_ref().is_some_and(|gate| gate.arm == arm) {
        take_slot(state, family, day);
    }
}

fn slot_after(
    protocol: &Protocol,
    state: &mut State,
    family: FamilyIx,
    service: Service,
    arm: Option<crate::allocation::Arm>,
    day: Day,
) {
    let Some(gate) = &protocol.gate else { return };
    if service == Service::Switched {
        let Some(arm) = arm else { return };
        if let Some(own) = state.families.get_mut(family.0 as usize) {
            own.service = arm;
        }
        if arm == gate.arm {
            take_slot(state, family, day);
        } else {
            free_slot(state, family, day);
        }
    } else if gate.released_by.contains(&service) {
        free_slot(state, family, day);
    }
}

fn take_slot(state: &mut State, family: FamilyIx, day: Day) {
    let Some(own) = state.families.get_mut(family.0 as usize) else {
        return;
    };
    // Service under a name that a link gave, and that was taken back, is of a family without a draw: it takes no slot.
    if own.slot || !own.is_randomized() {
        return;
    }
    own.slot = true;
    let site = own.site;
    with_gate(state, site, day, |state| {
        state.sites[usize::from(site.0)].taken += 1;
    });
}

fn free_slot(state: &mut State, family: FamilyIx, day: Day) {
    let Some(own) = state.families.get_mut(family.0 as usize) else {
        return;
    };
    if !own.slot {
        return;
    }
    own.slot = false;
    let site = own.site;
    with_gate(state, site, day, |state| {
        let own = &mut state.sites[usize::from(site.0)];
        own.taken = own.taken.saturating_sub(1);
    });
}

/// Makes a change that may open or close a site's gate, and notes the day if it does.
fn with_gate(state: &mut State, site: SiteIx, day: Day, change: impl FnOnce(&mut State)) {
    if usize::from(site.0) >= state.sites.len() {
        return;
    }
    let before = state.gate_open(site);
    change(state);
    let open = state.gate_open(site);
    if before != open {
        state.gates.push(GateChange { site, day, open });
    }
}

fn reported(state: &mut State, report: &Report) {
    ensure_report(state, report.report, report.family, report.received);
    sight(state, report);
}

fn occur(state: &mut State, family: FamilyIx, what: Occurred, on: Day) {
    let sequence = state.sequence;
    let place = state.occurrences.len() as u32 + 1;
    let Some(own) = state.families.get_mut(family.0 as usize) else {
        return;
    };
    let previous = std::mem::replace(&mut own.last_occurrence, place);
    state.occurrences.push(Occurrence {
        family,
        what,
        on,
        sequence,
        retracted: false,
        previous,
    });
}

fn join(state: &mut State, family: FamilyIx, children: &Roster, joined: bool) {
    for ChildIx(index) in children.as_slice() {
        let index = *index as usize;
        while state.children.len() < index {
            state.children.push(Child::new(family, joined));
        }
        let mut child = Child::new(family, joined);
        match state.children.get_mut(index) {
            Some(known) if known.family == family => {
                // Who joined while the family was taken for another one, and is screened with it now, is on its roster.
                if let Some(own) = state.families.get_mut(family.0 as usize)
                    && known.joined
                    && !joined
                    && !own.is_randomized()
                {
                    known.joined = false;
                    own.joined = own.joined.saturating_sub(1);
                }
                continue;
            }
            Some(known) => {
                child.same_as = known.same_as;
                let before = std::mem::replace(known, child).family;
                came_from(state, family, before);
                if let Some(before) = state.families.get_mut(before.0 as usize) {
                    before.children = before.children.saturating_sub(1);
                }
            }
            None => state.children.push(child),
        }
        if let Some(own) = state.families.get_mut(family.0 as usize) {
            own.children = own.children.saturating_add(1);
            own.joined = own.joined.saturating_add(u16::from(joined));
        }
    }
}

/// Tables are filled up to a place that an event names, so that no ledger, however odd, can lead beyond their end.
fn ensure_family(state: &mut State, family: FamilyIx, site: SiteIx) {
    while family.0 as usize >= state.families.len() {
        state.families.push(Family::named(ReportIx(u32::MAX), site));
    }
}

fn ensure_report(state: &mut State, report: ReportIx, family: FamilyIx, received: Day) {
    while report.0 as usize >= state.reports.len() {
        let place = state.reports.len() as u32 + 1;
        let Some(own) = state.families.get_mut(family.0 as usize) else {
            return;
        };
        let previous = std::mem::replace(&mut own.last_report, place);
        state.reports.push(ReportState {
            family,
            received,
            sources: 0,
            incident: None,
            child: None,
            unknown_child: false,
            attached: None,
            by_study_staff: false,
            intake: None,
            last_named: 0,
            retracted: false,
            previous,
        });
    }
}
