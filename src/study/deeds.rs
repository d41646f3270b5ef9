//! Deeds: what is written to a study, as far as roles tell it apart, and the roles that they need. One table for whoever
//! writes, who is refused, and for `verify`, which reads who wrote.

use super::kernel::What;
use super::recording::{EventRequest, SITE_EVENTS};
use crate::protocol::Protocol;
use crate::protocol::model::{ActorRole, Exit, Service};

/// Something that is written to a study, as far as roles tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// `open`.
    Open,
    /// `open --mode rehearsal`: everybody may.
    Rehearse,
    /// `enrol`.
    Enrol,
    /// A report of concern.
    Report,
    /// A service event.
    Service,
    /// An end of follow-up, or a withdrawal.
    Exit,
    /// Capacity of a site, its opening and closing.
    Capacity,
    /// A value of an outcome.
    Observe,
    /// A violation.
    Violation,
    /// A correction of an event.
    Correct,
    /// Two families found to be one.
    Link,
    /// Two pseudonyms of a child found to be one.
    LinkChild,
    /// An erasure.
    Erase,
    /// `amend`.
    Amend,
    /// `beacon`.
    Beacon,
    /// `lock`.
    Lock,
    /// `analyse`.
    Analyse,
    /// `reveal`.
    Reveal,
    /// `export`.
    Export,
}

/// Deeds with their names and the roles that may do them: the table of docs/protocol.md, which a test compares.
pub const DEEDS: &[(Deed, &str, &[ActorRole])] = {
    use ActorRole::{Auditor, OutcomeAssessor, Reception, Statistician, StudyLead, Worker};
    &[
        (Deed::Open, "open", &[StudyLead]),
        (Deed::Enrol, "enrol", &[Reception]),
        (Deed::Report, "record report", &[Reception, OutcomeAssessor]),
        (
            Deed::Service,
            "record a service event",
            &[Worker, Reception],
        ),
        (
            Deed::Exit,
            "record an end of follow-up",
            &[Worker, Reception, OutcomeAssessor],
        ),
        (Deed::Capacity, "record an event of a site", &[StudyLead]),
        (Deed::Observe, "record observed", &[OutcomeAssessor]),
        (Deed::Violation, "record violation", &[StudyLead, Reception]),
        (Deed::Correct, "record corrected", &[StudyLead]),
        (Deed::Link, "record linked of two families", &[StudyLead]),
        (
            Deed::LinkChild,
            "record linked of a child",
            &[StudyLead, Reception],
        ),
        (Deed::Erase, "erase", &[StudyLead]),
        (Deed::Amend, "amend", &[StudyLead]),
        (Deed::Beacon, "beacon", &[StudyLead]),
        (Deed::Lock, "lock", &[StudyLead]),
        (Deed::Analyse, "analyse", &[Statistician]),
        (Deed::Reveal, "reveal", &[StudyLead]),
        (Deed::Export, "export", &[Auditor, Statistician, StudyLead]),
    ]
};

impl Deed {
    /// The deed of recording or importing an event, by the event's id. An id that is no event is refused elsewhere.
    pub fn of_event(event: &str) -> Self {
        let service = Service::ALL.iter().any(|own| own.text() == event);
        let exit = Exit::ALL.iter().any(|own| own.text() == event) || event == "withdrawn";
        match event {
            _ if SITE_EVENTS.contains(&event) => Self::Capacity,
            _ if service => Self::Service,
            _ if exit => Self::Exit,
            "report" => Self::Report,
            "observed" => Self::Observe,
            "violation" => Self::Violation,
            "linked" => Self::Link,
            "erased" => Self::Erase,
            _ => Self::Correct,
        }
    }

    /// The deed of recording an event as it was typed.
    pub fn of(request: &EventRequest) -> Self {
        let other = request.set.iter().any(|(key, _)| key == "other");
        match Self::of_event(&request.event) {
            Self::Link if request.child.is_some() && !other => Self::LinkChild,
            deed => deed,
        }
    }

    /// The deed by which an event comes into the ledger of a live study, by its kind and, of links, by what it links; an
    /// erased link says that no longer.
    pub fn of_row(kind: &str, what: &What) -> Self {
        match kind {
            "linked" => match what {
                What::Linked { unit, other, .. } if unit != other => Self::Link,
                _ => Self::LinkChild,
            },
            "opened" => Self::Open,
            "epoch-opened" => Self::Amend,
            "screened" | "allocated" | "returned" | "joined" | "exception" => Self::Enrol,
            "reported" => Self::Report,
            "beacon" => Self::Beacon,
            "locked" => Self::Lock,
            "analysed" => Self::Analyse,
            "exported" => Self::Export,
            "revealed" => Self::Reveal,
            event => Self::of_event(event),
        }
    }

    /// Whether an actor has a role for it under a protocol; without `[roles]` everybody has.
    pub fn is_of(self, protocol: &Protocol, actor: &str) -> bool {
        let Some(roles) = &protocol.roles else {
            return true;
        };
        let (_, needed) = self.row();
        self == Self::Rehearse || roles.of(actor).any(|own| needed.contains(&own))
    }

    /// Its name and the roles that may do it.
    pub fn row(self) -> (&'static str, &'static [ActorRole]) {
        DEEDS
            .iter()
            .find(|(deed, _, _)| *deed == self)
            .map_or(("", &[]), |(_, name, roles)| (name, roles))
    }
}
