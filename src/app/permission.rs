//! Who may do what: one table of deeds and the roles that they need. Every write says its deed, so no verb can forget.
//!
//! A protocol without `[roles]` permits everything to everybody, and a rehearsal has no roles. Actors are what `--actor`
//! says: within one account of the computer roles divide work and are written into the ledger, but they do not authenticate
//! anybody (docs/concealment.md).

use super::exit;
use super::failure::Failure;
use crate::allocation::Mode;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::protocol::model::{ActorRole, Exit, Service};
use crate::study::duties::Duty;
use crate::study::journal::Journal;
use crate::study::recording::{EventRequest, SITE_EVENTS};
use crate::words;

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

    fn row(self) -> (&'static str, &'static [ActorRole]) {
        DEEDS
            .iter()
            .find(|(deed, _, _)| *deed == self)
            .map_or(("", &[]), |(_, name, roles)| (name, roles))
    }
}

/// Whether an actor may do something in a study, by the protocol of the epoch in force.
///
/// # Errors
/// Without a fitting role: exit 4, `not-permitted`.
pub(super) fn permitted_in(journal: &Journal, actor: &str, deed: Deed) -> Result<(), Failure> {
    let rehearsal = |opening: &crate::study::journal::Opening| opening.mode == Mode::Rehearsal;
    if journal.opening.as_ref().is_some_and(rehearsal) {
        return Ok(());
    }
    permitted(journal.protocol.in_epoch(journal.state.epoch), actor, deed)
}

/// Whether an actor may do something under a protocol.
///
/// # Errors
/// Without a fitting role: exit 4, `not-permitted`.
pub fn permitted(protocol: &Protocol, actor: &str, deed: Deed) -> Result<(), Failure> {
    let Some(roles) = protocol.roles.as_ref().filter(|_| deed != Deed::Rehearse) else {
        return Ok(());
    };
    let (name, needed) = deed.row();
    if roles.of(actor).any(|own| needed.contains(&own)) {
        return Ok(());
    }
    let own: Vec<&str> = roles.of(actor).map(ActorRole::text).collect();
    let message = if own.is_empty() {
        words!(
            "{actor} has no role in this study; nothing was recorded",
            "{actor} har ingen roll i studien; inget har registrerats"
        )
    } else {
        let own = own.join(", ");
        words!(
            "{actor} is {own}, and `{name}` is for others; nothing was recorded",
            "{actor} är {own}, och `{name}` är för andra; inget har registrerats"
        )
    };
    let needed: Vec<&str> = needed.iter().map(|role| role.text()).collect();
    let needed = needed.join(", ");
    Err(
        Failure::new(exit::INVALID_DATA, "not-permitted", message).help(words!(
            "`{name}` needs the role {needed}: ask somebody who has it; `[roles]` of the protocol says who",
            "`{name}` kräver rollen {needed}: be någon som har den; `[roles]` i protokollet säger vem"
        )),
    )
}

/// The refusal of an actor who screens, and would take back an event that freed or took a slot.
pub(super) fn slot_kept(actor: &str) -> Failure {
    Failure::new(
        exit::INVALID_DATA,
        "duties-mixed",
        words!(
            "{actor} has screened families, and whoever does takes back no event of service that moves a slot; nothing was recorded",
            "{actor} har screenat familjer, och den som gör det tar inte tillbaka någon insatshändelse som flyttar en plats; inget har registrerats"
        ),
    )
    .help(Words::new(
        "let the study lead correct it: a slot that is freed by an event which did not happen lets a family past the gate",
        "låt studieledaren rätta det: en plats som frigörs av en händelse som inte har inträffat släpper förbi en familj",
    ))
}

/// The refusal of an actor who has had the other of two duties.
pub(super) fn duties_mixed(actor: &str, had: Duty) -> Failure {
    let message = match had {
        Duty::Intake => words!(
            "{actor} has screened families, and whoever does changes no capacity, opens or closes no site, links no families and amends no protocol; nothing was recorded",
            "{actor} har screenat familjer, och den som gör det ändrar ingen kapacitet, öppnar eller stänger ingen plats, kopplar inga familjer och ändrar inget protokoll; inget har registrerats"
        ),
        Duty::Capacity => words!(
            "{actor} has changed capacity, opened or closed a site, linked families or amended the protocol, and whoever does screens no families; nothing was recorded",
            "{actor} har ändrat kapacitet, öppnat eller stängt en plats, kopplat familjer eller ändrat protokollet, och den som gör det screenar inga familjer; inget har registrerats"
        ),
    };
    Failure::new(exit::INVALID_DATA, "duties-mixed", message).help(Words::new(
        "let somebody else do it and give their own id with --actor: whoever could open a gate for the next family would choose who is randomized",
        "låt någon annan göra det och ange den personens id med --actor: den som kunde öppna för nästa familj skulle välja vem som lottas",
    ))
}
