//! Two duties that nobody has both of: screening families, and changing what the next family meets.
//!
//! Whoever could open a gate for the next family, or close it, would choose who is randomized; whoever links families
//! chooses whose arm holds, and whoever opens an epoch chooses the seed of the next draw. In ledger order and in the whole
//! study: an actor who has screened a family changes no capacity, opens or closes no site, links no families and opens no
//! epoch, and one who has does not screen from then on. Another site does not help, for two offices could serve each other.

use super::coded::coded;
use super::kernel::What;
use std::collections::BTreeSet;

/// One of the two duties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Screening: `screened`, `returned`, `joined` and what follows from them.
    Intake,
    /// Steering: `capacity-changed`, `site-opened`, `site-closed`, `linked`, `epoch-opened`.
    Capacity,
}

impl Duty {
    /// The duty that an event belongs to, if it is one of the two.
    pub fn of(what: &What) -> Option<Self> {
        match what {
            What::Screened(_) | What::Returned { .. } | What::Joined { .. } => Some(Self::Intake),
            What::CapacityChanged { .. }
            | What::SiteOpened { .. }
            | What::SiteClosed { .. }
            | What::Linked { .. }
            | What::ChildLinked { .. }
            | What::EpochOpened { .. } => Some(Self::Capacity),
            What::Opened
            | What::Beacon { .. }
            | What::Allocated { .. }
            | What::Exception { .. }
            | What::Violation { .. }
            | What::Reported(_)
            | What::Serviced { .. }
            | What::Exited { .. }
            | What::Observed { .. }
            | What::Corrected { .. }
            | What::Withdrawn { .. }
            | What::Erased { .. }
            | What::Locked { .. }
            | What::Analysed { .. }
            | What::Exported
            | What::Revealed => None,
        }
    }
}

/// Who has had which duty so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duties {
    intake: BTreeSet<String>,
    capacity: BTreeSet<String>,
}

coded!(Duties { intake, capacity });

impl Duties {
    /// The duty that keeps an actor from an event: the other one, which the actor has had.
    pub fn forbid(&self, actor: &str, what: &What) -> Option<Duty> {
        match Duty::of(what)? {
            Duty::Intake => self.capacity.contains(actor).then_some(Duty::Capacity),
            Duty::Capacity => self.intake.contains(actor).then_some(Duty::Intake),
        }
    }

    /// Notes what an actor did.
    pub fn note(&mut self, actor: &str, what: &What) {
        let had = match Duty::of(what) {
            Some(Duty::Intake) => &mut self.intake,
            Some(Duty::Capacity) => &mut self.capacity,
            None => return,
        };
        if !had.contains(actor) {
            had.insert(actor.to_owned());
        }
    }
}
