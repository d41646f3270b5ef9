//! Links and what takes them back: what each of them means is told with its receipt, and a link on which a gate has relied is
//! not taken back.

use super::exit;
use super::failure::Failure;
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::model::Service;
use crate::study::journal::{Decoded, Entry, Journal};
use crate::study::kernel::{Allocated, ChildIx, Family, FamilyIx, SiteState, State, What};
use crate::words;
use std::collections::HashSet;
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
                "{one} lottades först, och den lotten gäller: dess arm gäller för båda namnen från och med nu; lotten för {two} finns kvar i liggaren, och en plats som den har blir ledig när insatsen avslutas under namnet {two}"
            )
        }
        (true, false) => words!(
            "the other name means {one} from now on: it is answered with the arm of {one}, and nobody is drawn under it",
            "det andra namnet betyder {one} från och med nu: det besvaras med armen för {one}, och ingen lottas under det"
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

/// Refuses to take a link back if a gate has relied on it, or a later row cannot be read without it. A gate relies on every row
/// of a kind that moves slots which was of a drawn family through the link alone, whatever that family's arm: so the refusal tells
/// nothing of arms. A fold without the link then gives the same draws and, after each row, the same slots.
///
/// Only whose a draw is may change: of two families that were linked before either was drawn, the draw stays with the one
/// under whose name it was made, and the other has none again. Its number, stratum and arm are those of its row.
///
/// # Errors
/// Such a link: exit 7, `link-relied-on`.
pub(super) fn refuse_moved(
    journal: &Journal,
    mut rows: Vec<Entry>,
    entries: &[Entry],
) -> Result<(), Failure> {
    let slots = |rows: &[Entry]| {
        let mut anew = Journal::new(Arc::clone(&journal.protocol));
        let mut after = Vec::with_capacity(rows.len());
        let read = anew.absorb_watching(rows, &mut |_, before, said| {
            after.push((before.state.sites.clone(), moves_slots(before, said)));
        });
        after.push((anew.state.sites.clone(), None));
        (anew, after, read)
    };
    let recorded = rows.len();
    rows.extend(entries.iter().cloned());
    let (without, moved, read) = slots(&rows);
    if let Err(corrupt) = read {
        return Err(relied_on(corrupt.sequence, false));
    }
    // Without the rows to come, as every decision so far was made.
    let (with, decided, _) = slots(&rows[..recorded]);
    let differs = |(one, two): (&Slots, &Slots)| one.1 != two.1;
    if let Some(place) = decided.iter().zip(&moved).position(differs) {
        return Err(relied_on(place as u64 + 1, true));
    }
    let differs = |(one, two): (&Slots, &Slots)| one.0 != two.0;
    if let Some(row) = decided.iter().zip(&moved).position(differs) {
        return Err(relied_on(row as u64, true));
    }
    if same_draws(&with.state, &without.state) {
        return Ok(());
    }
    Err(relied_on(journal.head.sequence, false))
}

/// Slots of the sites before a row, and of which allocation the row says something that moves slots.
type Slots = (Vec<SiteState>, Option<u32>);

/// The allocation of the family of which a row says what moves a slot under a gate, whichever its arm.
fn moves_slots(before: &Journal, said: &Decoded<'_>) -> Option<u32> {
    let gate = before.protocol.gate.as_ref()?;
    let What::Serviced {
        family, service, ..
    } = said.what
    else {
        return None;
    };
    let moves = service == Service::Switched || gate.released_by.contains(&service);
    let own = before.state.family(family)?;
    (moves && own.is_randomized()).then_some(own.allocation)
}

/// Whether the draws of two folds are the same but for the family, no family has two, and each holds a slot in both or in
/// neither.
fn same_draws(before: &State, after: &State) -> bool {
    let holds = |own: &State, family| own.family(family).is_some_and(|own| own.slot);
    let mut families = HashSet::new();
    before.allocations.len() == after.allocations.len()
        && before.gates == after.gates
        && before.draws == after.draws
        && before
            .allocations
            .iter()
            .zip(&after.allocations)
            .all(|(one, two)| {
                let (was, is) = (one.family, two.family);
                let moved = Allocated { family: is, ..*one };
                moved == *two && holds(before, was) == holds(after, is) && families.insert(is)
            })
}

/// The refusal to take a link back on which the row `sequence` rests; `slot` if it moved one under the other name.
fn relied_on(sequence: u64, slot: bool) -> Failure {
    let (message, help) = if slot {
        (
            words!(
                "event {sequence} was recorded under the other name and is of a kind that takes or frees slots, which the gate has relied on: the link stands; nothing was recorded",
                "händelse {sequence} registrerades under det andra namnet och är av ett slag som tar eller frigör platser, som spärren har utgått från: kopplingen står fast; inget har registrerats"
            ),
            words!(
                "take back what event {sequence} says if it was not this family's (`lottning record corrected` with --set sequence={sequence}): data sets leave it out, and the slot stays as it is; the other family has no draw of its own in this study, so say in the report how that came about",
                "ta tillbaka det som händelse {sequence} säger om det inte gällde den här familjen (`lottning record corrected` med --set sequence={sequence}): datamängderna utelämnar det, och platsen förblir som den är; den andra familjen får ingen egen lott i den här studien, så ange i rapporten hur det gick till"
            ),
        )
    } else {
        (
            words!(
                "event {sequence} rests on this link, so the link stands; nothing was recorded",
                "händelse {sequence} bygger på kopplingen, så den står fast; inget har registrerats"
            ),
            words!(
                "if event {sequence} is itself a link or an event that can be retracted, take that back first (`lottning record corrected` with --set sequence={sequence}), then this link",
                "om händelse {sequence} själv är en koppling eller en händelse som kan återtas, ta först tillbaka den (`lottning record corrected` med --set sequence={sequence}) och sedan kopplingen"
            ),
        )
    };
    Failure::new(exit::WRONG_STATE, "link-relied-on", message).help(help)
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
