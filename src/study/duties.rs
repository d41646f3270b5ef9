//! Two duties that nobody has both of: screening families, and changing what the next family meets.
//!
//! Whoever could open a gate for the next family, or close it, would choose who is randomized; whoever links families
//! chooses whose arm holds, and whoever opens an epoch, or records the value of its beacon, chooses the seed of the next draw. In
//! ledger order and in the whole study: an actor who has screened a family changes no capacity, opens or closes no site, links no
//! families, takes no such link back, erases nobody, opens no epoch and records no beacon, and one who has does not screen from then on. Another site does not help, for two
//! offices could serve each other. A family that is erased, or parted from the one that holds its arm, would be drawn anew.
//!
//! A child's other pseudonym is of neither duty: it joins no family that was another one, so that it moves no arm, and a
//! number that replaces another one is intake's daily work. Service is of neither: it is counted (`super::slots`).

use super::coded::coded;
use super::kernel::{State, What};
use crate::protocol::model::is_person;
pub use crate::protocol::model::person;
use std::collections::BTreeSet;

/// One of the two duties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Screening: `screened`, `returned`, `joined` and what follows from them.
    Intake,
    /// Steering: `capacity-changed`, `site-opened`, `site-closed`, `epoch-opened`, `beacon`, `erased`, and `linked` of two families or
    /// its correction.
    Capacity,
}

impl Duty {
    /// The duty that an event belongs to, if it is one of the two; `state` is that of the rows before it.
    pub fn of(what: &What, state: &State) -> Option<Self> {
        match what {
            What::Screened(_) | What::Returned { .. } | What::Joined { .. } => Some(Self::Intake),
            // An erased row says nothing of whom it linked.
            What::Linked { unit, other, .. } if unit == other => None,
            What::CapacityChanged { .. }
            | What::SiteOpened { .. }
            | What::SiteClosed { .. }
            | What::Linked { .. }
            | What::Erased { .. }
            | What::EpochOpened { .. }
            | What::Beacon { .. } => Some(Self::Capacity),
            What::Corrected { sequence, .. } => {
                let link = state.link_row(*sequence);
                link.filter(|row| row.family != row.other)
                    .map(|_| Self::Capacity)
            }
            What::Opened
            | What::ChildLinked { .. }
            | What::Allocated { .. }
            | What::Exception { .. }
            | What::Violation { .. }
            | What::Reported(_)
            | What::Serviced { .. }
            | What::Exited { .. }
            | What::Observed { .. }
            | What::Withdrawn { .. }
            | What::Locked { .. }
            | What::Analysed { .. }
            | What::Exported
            | What::Revealed => None,
        }
    }
}

/// Who has had which duty so far, by person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duties {
    intake: BTreeSet<String>,
    capacity: BTreeSet<String>,
}

coded!(Duties { intake, capacity });

impl Duties {
    /// The duty that keeps an actor from an event: the other one, which the actor has had.
    pub fn forbid(&self, actor: &str, what: &What, state: &State) -> Option<Duty> {
        match Duty::of(what, state)? {
            Duty::Intake => is_among(&self.capacity, actor).then_some(Duty::Capacity),
            Duty::Capacity => self.screens(actor).then_some(Duty::Intake),
        }
    }

    /// Whether an actor has screened a family.
    pub fn screens(&self, actor: &str) -> bool {
        is_among(&self.intake, actor)
    }

    /// Notes what an actor did; `state` is that of the rows before it.
    pub fn note(&mut self, actor: &str, what: &What, state: &State) {
        let had = match Duty::of(what, state) {
            Some(Duty::Intake) => &mut self.intake,
            Some(Duty::Capacity) => &mut self.capacity,
            None => return,
        };
        if !is_among(had, actor) {
            had.insert(person(actor));
        }
    }
}

/// Whether the person behind an actor's id is among some.
fn is_among(persons: &BTreeSet<String>, actor: &str) -> bool {
    // Few are compared where they lie: every row of a ledger asks.
    if persons.len() <= 8 {
        persons.iter().any(|own| is_person(own, actor))
    } else {
        persons.contains(&person(actor))
    }
}
