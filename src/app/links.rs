//! Links and what takes them back: what each of them means is told with its receipt, and a link on which a gate has relied is
//! not taken back.

use super::exit;
use super::failure::Failure;
use super::study::ledger_failure;
use crate::diagnostic::{Diagnostic, Words};
use crate::study::journal::{Entry, Journal, Transaction};
use crate::study::kernel::{ChildIx, Family, FamilyIx, State, What};
use crate::words;
use std::path::Path;
use std::sync::Arc;

/// What a person should know when a link is recorded, or taken back: what follows from it, and the way back.
pub(super) fn of_event(journal: &Journal, what: &What) -> Vec<Diagnostic> {
    let told = match *what {
        What::Linked { unit, other, .. } => Some(families(journal, unit, other)),
        What::ChildLinked { family, child, .. } => Some(children(journal, family, child)),
        What::Corrected { sequence, .. } => journal
            .state
            .link_row(sequence)
            .map(|row| parted(journal, row.family, row.other)),
        _ => None,
    };
    told.into_iter().collect()
}

fn families(journal: &Journal, unit: FamilyIx, other: FamilyIx) -> Diagnostic {
    let state = &journal.state;
    let drawn = |family| state.family(family).is_some_and(Family::is_randomized);
    let (unit, other) = (state.unit(unit), state.unit(other));
    let name = |family| journal.names.family_name(family);
    // A name that the study has not heard yet is the text that was typed; it needs no mention.
    let (one, known) = (name(unit), state.family(other).is_some());
    let message = match (drawn(unit), known && drawn(other)) {
        (true, true) => {
            let two = name(other);
            words!(
                "{one} was drawn first and is the unit: its arm governs for both names from now on; the draw of {two} stays in the ledger, and a slot that it holds is free when its service is closed under the name {two}",
                "{one} lottades först och är enheten: dess grupp gäller för båda namnen från och med nu; lotten för {two} finns kvar i liggaren, och en plats som den har blir ledig när insatsen avslutas under namnet {two}"
            )
        }
        (true, false) => words!(
            "the other name means {one} from now on: it is answered with the arm of {one}, and nobody is drawn under it",
            "det andra namnet betyder {one} från och med nu: det besvaras med gruppen för {one}, och ingen lottas under det"
        ),
        (false, _) => words!(
            "both names mean {one} from now on, which has not been randomized: it is screened and drawn once",
            "båda namnen betyder {one} från och med nu, som inte har lottats: den screenas och lottas en gång"
        ),
    };
    way_back(journal, one, message)
}

fn children(journal: &Journal, family: FamilyIx, child: ChildIx) -> Diagnostic {
    let family = journal.names.family_name(family);
    let child = journal.names.child_name(child);
    let message = words!(
        "both pseudonyms mean {child}, a child of {family}, from now on, also in reports that named either before",
        "båda pseudonymerna betyder {child}, ett barn i {family}, från och med nu, även i anmälningar som nämnde någon av dem tidigare"
    );
    way_back(journal, family, message)
}

fn way_back(journal: &Journal, family: &str, message: Words) -> Diagnostic {
    let sequence = journal.head.sequence + 1;
    Diagnostic::warning("link-recorded", message).help(words!(
        "if that is wrong, take it back before anything else is recorded: lottning record corrected --family {family} --on DATE --event-key KEY --set sequence={sequence} --set reason=CODE",
        "om det är fel, ta tillbaka det innan något annat registreras: lottning record corrected --family {family} --on DATUM --event-key NYCKEL --set sequence={sequence} --set reason=KOD"
    ))
}

fn parted(journal: &Journal, family: FamilyIx, other: FamilyIx) -> Diagnostic {
    let name = |family| journal.names.family_name(family);
    let (one, two) = (name(family), name(other));
    let message = if family == other {
        words!(
            "the two pseudonyms of the child of {one} are two children again",
            "de två pseudonymerna för barnet i {one} är två barn igen"
        )
    } else {
        words!(
            "{one} and {two} are two families again, each with what was recorded under its own name; what intake was told in between is not taken back",
            "{one} och {two} är två familjer igen, var och en med det som registrerats under dess eget namn; det som mottagningen fick veta däremellan tas inte tillbaka"
        )
    };
    Diagnostic::warning("link-taken-back", message).help(Words::new(
        "tell intake; a lock that was made while the link held keeps it",
        "meddela mottagningen; en låsning som gjordes medan kopplingen gällde behåller den",
    ))
}

/// Refuses to take a link back if a gate or a draw has relied on it: a fold without the link must give the same slots, gates
/// and draws.
///
/// # Errors
/// Such a link: exit 7, `link-relied-on`; a ledger that cannot be read.
pub(super) fn refuse_moved(
    journal: &Journal,
    transaction: &mut dyn Transaction,
    entries: &[Entry],
    folder: &Path,
) -> Result<(), Failure> {
    if entries.iter().all(|entry| entry.kind != "corrected") {
        return Ok(());
    }
    let mut rows = Vec::new();
    transaction
        .read_from(1, &mut |entry| rows.push(entry))
        .map_err(|error| ledger_failure(&error, folder))?;
    rows.extend(entries.iter().cloned());
    let mut anew = Journal::new(Arc::clone(&journal.protocol));
    let read = anew.absorb(&rows).is_ok();
    let (before, after) = (&journal.state, &anew.state);
    let holds = |own: &State, ix: usize| own.families.get(ix).is_some_and(|own| own.slot);
    let families = before.families.len().max(after.families.len());
    let same = (0..families).all(|ix| holds(before, ix) == holds(after, ix))
        && before.sites == after.sites
        && before.gates == after.gates
        && before.allocations == after.allocations
        && before.draws == after.draws;
    if read && same {
        return Ok(());
    }
    Err(Failure::new(
        exit::WRONG_STATE,
        "link-relied-on",
        Words::new(
            "a gate or a later row has relied on this link, so it stands; nothing was recorded",
            "ett intagsstopp eller en senare rad bygger på kopplingen, så den står fast; inget har registrerats",
        ),
    )
    .help(Words::new(
        "service that was recorded under the other name has moved a slot: record `violation` with a reason of the protocol, and what should have been recorded under each name",
        "en insats som registrerades under det andra namnet har flyttat en plats: registrera `violation` med ett av protokollets skäl, och det som borde ha registrerats under vart namn",
    )))
}

/// The refusal to take a link back together with other rows.
pub(super) fn alone() -> Failure {
    Failure::new(
        exit::WRONG_STATE,
        "link-taken-back-alone",
        Words::new(
            "a link is taken back alone: what the other rows mean depends on it",
            "en koppling tas tillbaka för sig: vad de andra raderna betyder beror på den",
        ),
    )
    .help(Words::new(
        "run `lottning record corrected` for the link, then import the other rows",
        "kör `lottning record corrected` för kopplingen och importera sedan de andra raderna",
    ))
}
