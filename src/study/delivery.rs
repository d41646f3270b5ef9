//! Who delivered an arm's service to a family: the person or pair that the rows of its service name. Families of the same
//! one may be more alike than others (`docs/protocol.md`, `clusters`).

use super::kernel::{DelivererIx, FamilyIx, Occurred, Occurrence, State, Switch};
use crate::allocation::Arm;
use crate::protocol::model::{Day, Service};

/// Service events by which a service is delivered; what is offered, accepted or declined is not yet.
pub const DELIVERS: [Service; 4] = [
    Service::Started,
    Service::HomeVisit,
    Service::Closed,
    Service::Reopened,
];

/// What the rows of a family say of who delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Whoever is named first, by day and then by row.
    pub first: Option<DelivererIx>,
    /// Whether others are named later.
    pub several: bool,
}

/// Who delivered the service of `arm` to a family at a cut, inclusive; nobody to one that a mistake gave another arm's
/// service. What happened on the day of a switch was done by the service before it.
pub fn delivery(state: &State, cut: Day, family: FamilyIx, arm: Arm) -> Delivery {
    let Some(own) = state.family(family) else {
        return Delivery::default();
    };
    let occurrences = || {
        state
            .occurrences_of_unit(family)
            .filter(|one| one.on <= cut)
    };
    let mistaken = occurrences().any(|one| {
        matches!(one.what, Occurred::Violation { received: Some(received), .. } if received != arm)
    });
    if mistaken {
        return Delivery::default();
    }
    let stands = |switch: &&Switch| switch.family == family && !switch.retracted;
    let switches: Vec<&Switch> = state.switches.iter().filter(stands).collect();
    // By day and then by row, as whoever received a service is found: a row may tell late of an earlier day.
    let service = |on: Day| {
        let before = switches.iter().filter(|switch| switch.on < on);
        let last = before.max_by_key(|switch| (switch.on, switch.sequence));
        last.map_or(own.arm, |switch| switch.to)
    };
    let named = |one: &Occurrence| match one.what {
        Occurred::Service {
            service: kind,
            by: Some(by),
        } if DELIVERS.contains(&kind) && service(one.on) == arm => Some((one.on, one.sequence, by)),
        _ => None,
    };
    let first = occurrences().filter_map(named).min();
    let first = first.map(|(_, _, by)| by);
    let several = occurrences()
        .filter_map(named)
        .any(|(_, _, by)| Some(by) != first);
    Delivery { first, several }
}
