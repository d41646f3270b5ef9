//! Slots that were freed by people who screen families: in a small office the one who screens may also be the one who hears
//! that a family's service has ended, so it is not forbidden, and it is counted.
//!
//! Whoever frees a slot lets a family past the gate. What would show that somebody did so on purpose is a slot that was freed by
//! an event that did not happen: one that was retracted later. A correction moves no slot back, so such a slot stays free until
//! the family's service ends in truth, and the draws that needed it are counted too. Nobody who screens retracts such an event
//! ([`frees_slot`]), so it takes two people.

use super::duties::{Duties, person};
use super::journal::{Corrupt, Entry, Journal};
use super::kernel::{FamilyIx, Occurred, SiteIx, State, What};
use crate::protocol::Protocol;
use crate::protocol::model::Service;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Slots freed by people who screen, in the whole study.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FreedByIntake {
    /// Events of service that freed a slot, recorded by somebody who screens.
    pub freed: u32,
    /// Of these, events that were retracted later.
    pub retracted: u32,
    /// Families that were drawn while every slot was taken but for such a retracted one.
    pub drawn: u32,
}

fn releases(protocol: &Protocol, service: Service) -> bool {
    let gate = protocol.gate.as_ref();
    gate.is_some_and(|gate| service == Service::Switched || gate.released_by.contains(&service))
}

/// Whether the event of a sequence is one of service by which a slot can have been freed or taken.
pub fn frees_slot(protocol: &Protocol, state: &State, sequence: u64) -> bool {
    let found = state
        .occurrences
        .search(&sequence, |occurrence| occurrence.sequence);
    let occurrence = found.and_then(|place| state.occurrences.get(place));
    occurrence.is_some_and(
        |own| matches!(own.what, Occurred::Service { service, .. } if releases(protocol, service)),
    )
}

/// A slot that was freed by an event which was retracted later.
struct Phantom {
    family: FamilyIx,
    site: SiteIx,
}

/// Counts the slots that people who screen have freed, over the rows of a ledger.
///
/// # Errors
/// A row that cannot be read.
pub fn freed_by_intake(
    protocol: &Arc<Protocol>,
    entries: &[Entry],
) -> Result<FreedByIntake, Corrupt> {
    let mut counts = FreedByIntake::default();
    let Some(gate) = &protocol.gate else {
        return Ok(counts);
    };
    let screens: BTreeSet<String> = entries
        .iter()
        .filter(|entry| matches!(entry.kind.as_str(), "screened" | "returned" | "joined"))
        .map(|entry| person(&entry.actor))
        .collect();
    let mut phantoms: Vec<Phantom> = Vec::new();
    let mut journal = Journal::new(Arc::clone(protocol));
    journal.foresee_corrections(entries);
    let retracted = journal.corrected_rows().clone();
    journal.absorb_watching(entries, &mut |entry, before, said| match said.what {
        What::Serviced {
            family,
            service,
            arm,
            ..
        } if releases(protocol, service) && arm != Some(gate.arm) => {
            let Some(own) = before.state.family(family) else {
                return;
            };
            let stands = !retracted.contains(&entry.sequence);
            if !own.slot {
                // The service has ended in truth: the slot is free by right.
                phantoms.retain(|phantom| !stands || phantom.family != family);
            } else if screens.contains(&person(&entry.actor)) {
                counts.freed += 1;
                counts.retracted += u32::from(!stands);
                if !stands {
                    let site = own.site;
                    phantoms.push(Phantom { family, site });
                }
            }
        }
        What::Allocated { site, .. } => {
            let here = phantoms.iter().filter(|phantom| phantom.site == site);
            let missing = here.count() as u32;
            counts.drawn += u32::from(missing > 0 && before.state.free_slots(site) <= missing);
        }
        _ => {}
    })?;
    Ok(counts)
}

/// What somebody who screens families does not take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// An event of service that moved a slot.
    Slot,
    /// A violation: it may be of the actor's own screening.
    Violation,
}

/// What keeps an actor from an event: somebody who screens does not take back what freed a slot, or a violation.
pub fn keeps_from(
    protocol: &Protocol,
    state: &State,
    duties: &Duties,
    actor: &str,
    what: &What,
) -> Option<Kept> {
    let What::Corrected { sequence, .. } = *what else {
        return None;
    };
    if !duties.screens(actor) {
        return None;
    }
    if frees_slot(protocol, state, sequence) {
        return Some(Kept::Slot);
    }
    let found = state
        .occurrences
        .search(&sequence, |occurrence| occurrence.sequence);
    let occurrence = found.and_then(|place| state.occurrences.get(place))?;
    matches!(occurrence.what, Occurred::Violation { .. }).then_some(Kept::Violation)
}
