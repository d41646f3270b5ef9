//! The state as bytes and back, for the stored projection of a ledger (`super::super::coded`).

use super::corrections::Sighting;
use super::event::{
    ChildIx, DelivererIx, FamilyIx, Report, ReportIx, SiteIx, Source as Seen, Truth,
};
use super::state::{
    Allocated, Child, EarlierScreening, EpochState, Exempted, Family, GateChange, LinkRow,
    LockState, NamedChild, Occurred, Occurrence, ReportState, SiteChange, SiteState, State, Status,
    Switch, TurnedAway,
};
use crate::allocation::Arm;
use crate::protocol::model::{Day, Exit, Service};
use crate::study::coded::{Coded, Sink, Source, coded};

coded!(SiteIx(whole));
coded!(FamilyIx(whole));
coded!(ChildIx(whole));
coded!(ReportIx(whole));
coded!(DelivererIx(whole));
coded!(Arm(whole));
coded!(Day(whole));
coded!(Truth { field, value });

impl Coded for Status {
    fn put(&self, out: &mut Sink) {
        match self {
            Self::Unscreened => 0_u8.put(out),
            Self::NotEligible { missed } => (1_u8, *missed).put(out),
            Self::TurnedAway => 2_u8.put(out),
            Self::Excepted { reason } => (3_u8, *reason).put(out),
            Self::Randomized => 4_u8.put(out),
        }
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(match u8::take(input)? {
            0 => Self::Unscreened,
            1 => Self::NotEligible {
                missed: Coded::take(input)?,
            },
            2 => Self::TurnedAway,
            3 => Self::Excepted {
                reason: Coded::take(input)?,
            },
            4 => Self::Randomized,
            _ => return None,
        })
    }
}

/// A member of a closed set, by its place in the set.
fn put_member<T: PartialEq>(own: &T, all: &[T], out: &mut Sink) {
    let place = all.iter().position(|other| other == own);
    place.unwrap_or(all.len()).put(out);
}

fn take_member<T: Copy>(all: &[T], input: &mut Source<'_>) -> Option<T> {
    all.get(usize::take(input)?).copied()
}

impl Coded for Occurred {
    fn put(&self, out: &mut Sink) {
        match self {
            Self::Service { service, by } => {
                0_u8.put(out);
                put_member(service, &Service::ALL, out);
                by.put(out);
            }
            Self::Exit(exit) => {
                1_u8.put(out);
                put_member(exit, &Exit::ALL, out);
            }
            Self::Withdrawn => 2_u8.put(out),
            Self::Violation {
                reason,
                truth,
                received,
            } => (3_u8, (*reason, (*truth, *received))).put(out),
            Self::Observed { outcome, value } => (4_u8, (*outcome, *value)).put(out),
        }
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(match u8::take(input)? {
            0 => Self::Service {
                service: take_member(&Service::ALL, input)?,
                by: Coded::take(input)?,
            },
            1 => Self::Exit(take_member(&Exit::ALL, input)?),
            2 => Self::Withdrawn,
            3 => Self::Violation {
                reason: Coded::take(input)?,
                truth: Coded::take(input)?,
                received: Coded::take(input)?,
            },
            4 => Self::Observed {
                outcome: Coded::take(input)?,
                value: Coded::take(input)?,
            },
            _ => return None,
        })
    }
}

coded!(Family {
    status,
    site,
    screenings,
    last_screened,
    turned_away,
    changed_answers,
    changed_between,
    came_from,
    went_to,
    exception_withdrawn,
    exception_after_draw,
    answers_after_draw,
    report_changed,
    earlier,
    report,
    answers,
    values,
    mistaken,
    arm,
    service,
    allocation,
    randomized,
    slot,
    children,
    joined,
    linked_to,
    erased,
    last_occurrence,
    last_report,
});
coded!(Child {
    family,
    joined,
    same_as,
});
coded!(ReportState {
    family,
    received,
    sources,
    incident,
    child,
    unknown_child,
    attached,
    by_study_staff,
    intake,
    last_named,
    retracted,
    previous,
});
coded!(NamedChild { child, previous });
coded!(Report {
    family,
    report,
    received,
    source,
    incident,
    child,
    unknown_child,
    attached,
    by_study_staff,
});
coded!(Sighting {
    sequence,
    report,
    retracted,
});

impl Coded for Seen {
    fn put(&self, out: &mut Sink) {
        self.bit().put(out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let bit = u8::take(input)?;
        [Self::Intake, Self::Log, Self::Register]
            .into_iter()
            .find(|own| own.bit() == bit)
    }
}

coded!(Occurrence {
    family,
    what,
    on,
    sequence,
    retracted,
    previous,
});
coded!(Switch {
    family,
    to,
    on,
    sequence,
    retracted,
});
coded!(TurnedAway {
    family,
    site,
    on,
    report,
});
coded!(EarlierScreening {
    report,
    answers,
    values,
    changed,
    previous,
});
coded!(SiteState {
    opens,
    closed,
    therapists,
    taken,
});
/// Of a fixed length, for a drawer follows all of them.
impl Coded for Allocated {
    fn put(&self, out: &mut Sink) {
        let Self {
            family,
            epoch,
            stratum,
            cell,
            draw,
            arm,
        } = self;
        for word in [family.0, *epoch, *stratum, *cell, *draw, u32::from(arm.0)] {
            out.bytes(&word.to_le_bytes());
        }
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        let (words, _) = input.bytes(24)?.as_chunks();
        let [family, epoch, stratum, cell, draw, arm] =
            [0, 1, 2, 3, 4, 5].map(|place| u32::from_le_bytes(words[place]));
        Some(Self {
            family: FamilyIx(family),
            epoch,
            stratum,
            cell,
            draw,
            arm: Arm(u8::try_from(arm).ok()?),
        })
    }
}

coded!(Exempted { family, site, day });
coded!(LinkRow {
    sequence,
    family,
    other,
    retracted,
});
coded!(EpochState { opened, beacon });
coded!(SiteChange { site, day, enrols });
coded!(GateChange { site, day, open });
coded!(LockState {
    lock,
    cut,
    sequence,
});
coded!(State {
    sequence,
    epoch,
    epochs,
    families,
    children,
    reports,
    named,
    sightings,
    occurrences,
    switches,
    turned_away,
    earlier,
    sites,
    allocations,
    draws,
    exceptions,
    links,
    link_rows,
    enrolling,
    gates,
    locks,
    erased,
    closed,
    revealed,
    slots_per_therapist,
    gated,
    last_day,
});
