//! Whether a family received an arm's service: what complier effects go by. What was allocated is the state's `arm`.
//!
//! A switch that is recorded to the arm that the family was drawn to is none, whoever reads switches here or elsewhere
//! ([`leads_away`]); after a switch away it is the way back.

use super::kernel::{Family, FamilyIx, Occurred, Occurrence, State, Switch};
use crate::allocation::Arm;
use crate::protocol::model::{Day, Received, Service};

/// The switch that an occurrence is, if it is one.
pub fn switch_of<'a>(state: &'a State, occurrence: &Occurrence) -> Option<&'a Switch> {
    let switches = &state.switches;
    let place = switches.binary_search_by_key(&occurrence.sequence, |own| own.sequence);
    switches.get(place.ok()?)
}

/// Whether a switch leads to the service of another arm than the family was drawn to; of two names that were both drawn each has its
/// own arm.
pub fn leads_away(state: &State, switch: &Switch) -> bool {
    let drawn = |family| state.family(family).filter(|own| own.is_randomized());
    let own = drawn(switch.family).or_else(|| drawn(state.unit(switch.family)));
    own.map(|own: &Family| own.arm)
        .is_some_and(|arm| switch.to != arm)
}

/// Whether an occurrence is a service event of this kind, a switch only if it leads away.
pub fn happened(state: &State, occurrence: &Occurrence, wanted: Service) -> bool {
    occurrence.is(wanted)
        && (wanted != Service::Switched
            || switch_of(state, occurrence).is_some_and(|own| leads_away(state, own)))
}

/// Whether a family had received the service of `arm` at a cut, inclusive, by one of the definitions.
///
/// [`Received::Started`]: the service of `arm` started while the family had it, or the family was switched to it, from
/// another one; a violation that says which service it got by mistake settles it. [`Received::HomeVisits`]: at least two home visits.
pub fn received(state: &State, cut: Day, family: FamilyIx, arm: Arm, how: Received) -> bool {
    let Some(own) = state.family(family) else {
        return false;
    };
    let seen = || {
        let occurrences = state.occurrences_of_unit(family);
        occurrences.filter(|one| one.on <= cut)
    };
    match how {
        Received::HomeVisits => seen()
            .filter(|one| one.is(Service::HomeVisit))
            .nth(1)
            .is_some(),
        Received::Started => {
            let mut started: Option<Day> = None;
            for one in seen() {
                if let Occurred::Violation {
                    received: Some(received),
                    ..
                } = one.what
                {
                    return received == arm;
                }
                if one.is(Service::Started) {
                    started = Some(started.map_or(one.on, |before| before.min(one.on)));
                }
            }
            let own_switch =
                |one: &&Switch| one.family == family && !one.retracted && one.on <= cut;
            let switches = || state.switches.iter().filter(own_switch);
            let by_day = |switch: &Switch| (switch.on, switch.sequence);
            let away = switches().filter(|switch| switch.to != own.arm);
            let away = away.map(by_day).min();
            let comes = |switch: &Switch| {
                let is_back = || away.is_some_and(|away| away < by_day(switch));
                switch.to == arm && (arm != own.arm || is_back())
            };
            if switches().any(comes) {
                return true;
            }
            // No switch leads to the arm, so its service can only have begun before the first switch away.
            own.arm == arm && started.is_some_and(|on| away.is_none_or(|(until, _)| on <= until))
        }
    }
}
