//! Whether a family received an arm's service: what complier effects go by. What was allocated is the state's `arm`.

use super::kernel::{FamilyIx, Occurred, State, Switch};
use crate::allocation::Arm;
use crate::protocol::model::{Day, Received, Service};

/// Whether a family had received the service of `arm` at a cut, inclusive, by one of the definitions.
///
/// [`Received::Started`]: the service of `arm` started while the family had it, or the family was switched to it; a
/// violation that says which service it got by mistake settles it. [`Received::HomeVisits`]: at least two home visits.
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
            let mut until: Option<Day> = None;
            for switch in state.switches.iter().filter(own_switch) {
                if switch.to == arm {
                    return true;
                }
                until = Some(until.map_or(switch.on, |before| before.min(switch.on)));
            }
            // No switch leads to the arm, so its service can only have begun before the first switch away.
            own.arm == arm && started.is_some_and(|on| until.is_none_or(|until| on <= until))
        }
    }
}
