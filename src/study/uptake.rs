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
    let days = |service: Service| {
        let occurrences = state.occurrences_of_unit(family);
        occurrences
            .filter(move |one| one.is(service) && one.on <= cut)
            .map(|one| one.on)
    };
    match how {
        Received::HomeVisits => days(Service::HomeVisit).nth(1).is_some(),
        Received::Started => {
            let mistaken = state
                .occurrences_of_unit(family)
                .find_map(|one| match one.what {
                    Occurred::Violation {
                        received: Some(received),
                        ..
                    } if one.on <= cut => Some(received),
                    _ => None,
                });
            if let Some(received) = mistaken {
                return received == arm;
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
            own.arm == arm && days(Service::Started).any(|on| until.is_none_or(|until| on <= until))
        }
    }
}
