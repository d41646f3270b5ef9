//! Who may do what: every write says its deed, so no verb can forget, and whoever lacks the role is refused.
//!
//! A protocol without `[roles]` permits everything to everybody, and a rehearsal has no roles. Actors are what `--actor`
//! says: within one account of the computer roles divide work and are written into the ledger, but they do not authenticate
//! anybody (docs/concealment.md).

use super::exit;
use super::failure::Failure;
use crate::allocation::Mode;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::protocol::model::ActorRole;
pub use crate::study::deeds::{DEEDS, Deed};
use crate::study::duties::Duty;
use crate::study::journal::Journal;
use crate::study::slots::Kept;
use crate::words;

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
    let Some(roles) = protocol
        .roles
        .as_ref()
        .filter(|_| !deed.is_of(protocol, actor))
    else {
        return Ok(());
    };
    let (name, needed) = deed.row();
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

/// The refusal of an actor who screens, and would take back an event that freed or took a slot, or a violation.
pub(super) fn not_taken_back(actor: &str, kept: Kept) -> Failure {
    let (message, help) = match kept {
        Kept::Slot => (
            words!(
                "{actor} has screened families, and whoever does takes back no event of service that moves a slot; nothing was recorded",
                "{actor} har screenat familjer, och den som gör det tar inte tillbaka någon insatshändelse som flyttar en plats; inget har registrerats"
            ),
            Words::new(
                "let the study lead correct it: a slot that is freed by an event which did not happen lets a family past the gate",
                "låt studieledaren rätta det: en plats som frigörs av en händelse som inte har inträffat släpper förbi en familj",
            ),
        ),
        Kept::Violation => (
            words!(
                "{actor} has screened families, and whoever does takes back no violation; nothing was recorded",
                "{actor} har screenat familjer, och den som gör det tar inte tillbaka något avsteg; inget har registrerats"
            ),
            Words::new(
                "let the study lead correct it: the violation may be of the screening itself",
                "låt studieledaren rätta det: avsteget kan gälla själva screeningen",
            ),
        ),
    };
    Failure::new(exit::INVALID_DATA, "duties-mixed", message).help(help)
}

/// The refusal of an actor who has had the other of two duties.
pub(super) fn duties_mixed(actor: &str, had: Duty) -> Failure {
    let message = match had {
        Duty::Intake => words!(
            "{actor} has screened families, and whoever does changes no capacity, opens or closes no site, links or parts no families, erases none, amends no protocol and records no beacon; nothing was recorded",
            "{actor} har screenat familjer, och den som gör det ändrar ingen kapacitet, öppnar eller stänger ingen enhet, kopplar eller skiljer inga familjer, raderar ingen, ändrar inget protokoll och registrerar inget värde av en offentlig omgång; inget har registrerats"
        ),
        Duty::Capacity => words!(
            "{actor} has changed capacity, opened or closed a site, linked or parted families, erased one, amended the protocol or recorded a beacon, and whoever does screens no families; nothing was recorded",
            "{actor} har ändrat kapacitet, öppnat eller stängt en enhet, kopplat eller skilt familjer, raderat en, ändrat protokollet eller registrerat värdet av en offentlig omgång, och den som gör det screenar inga familjer; inget har registrerats"
        ),
    };
    Failure::new(exit::INVALID_DATA, "duties-mixed", message).help(Words::new(
        "let somebody else do it and give their own id with --actor: whoever could open a gate for the next family would choose who is randomized",
        "låt någon annan göra det och ange den personens id med --actor: den som kunde öppna för nästa familj skulle välja vem som lottas",
    ))
}
