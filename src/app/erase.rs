//! `erase`: remove what the ledger says of a family, under all its names, and keep the chain.
//!
//! Payload and salt of every row go, in one transaction with the event that says so; the public parts, which name nobody,
//! stay, so that every draw can still be derived and slots still follow. The bytes leave the file and its log.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::permission::Deed;
use super::record::Receipt;
use super::sealed::check_confirm;
use super::study::{Act, Study, Work};
use super::writing::{leave, would_be_unreadable};
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::model::Service;
use crate::study::identifiers::{holds_personal_number, is_key};
use crate::study::journal::{Content, Entry, Journal, Recording, erased_sequences};
use crate::study::kernel::{Family, FamilyIx, Occurred, Occurrence, What};
use crate::words;
use std::collections::BTreeSet;
use std::sync::Arc;

/// An erasure that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Erasure {
    /// Its receipt.
    pub receipt: Receipt,
    /// Earlier answers to other families of which nobody can tell any more whose draw they told: they were given while a link
    /// held that has been taken back, and its row went with this family.
    pub untraceable_answers: usize,
}

/// Says what [`erase`] would do, and changes nothing.
///
/// # Errors
/// As [`erase`].
pub fn try_erase(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    whose: (&str, &str),
    confirm: &str,
) -> Result<Receipt, Failure> {
    check(study, whose, confirm)?;
    let mut before = 0;
    let mut erasures = Vec::new();
    let mut receipt = study.try_write(outside, act, Deed::Erase, |journal, time| {
        before = reports_before(journal, whose.0)?;
        let mut work = work(journal, whose)?;
        // Nothing of these is kept, so that no salt need be secret.
        let salts = vec![[0; 32]; work.recordings.len()];
        let (rows, given) = (&work.recordings, act.at.is_some());
        erasures = journal.entries(rows, time, given, &act.actor, &salts);
        work.answer.sequence = journal.head.sequence;
        Ok(work)
    })?;
    receipt.head = study.journal.head.to_hex();
    let mut rows = study.entries()?;
    rows.retain(|row| row.sequence <= receipt.sequence);
    let earlier = untraceable(&study.journal, &rows);
    let sequences = erasures.iter().map(|own| erased_sequences(&own.public));
    let gone: Vec<u64> = sequences.flatten().collect();
    leave(&mut rows, &erasures, &gone);
    let mut left = Journal::new(Arc::clone(&study.journal.protocol));
    left.absorb(&rows)
        .map_err(|corrupt| would_be_unreadable(&corrupt))?;
    let open = untraceable(&left, &rows).difference(&earlier).count();
    let slots = std::mem::take(&mut receipt.warnings);
    receipt.warnings.extend(meaning(&left, before, open));
    receipt.warnings.extend(slots);
    Ok(receipt)
}

/// Erases a family.
///
/// # Errors
/// Digits that do not confirm the protocol (exit 2), a reason that is no code or a family that the ledger does not know (4),
/// and those of every write.
pub fn erase(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    (family, reason): (&str, &str),
    confirm: &str,
) -> Result<Erasure, Failure> {
    check(study, (family, reason), confirm)?;
    let rows = study.entries().unwrap_or_default();
    let earlier = untraceable(&study.journal, &rows);
    let mut before = 0;
    let written = study.write(outside, act, Deed::Erase, |journal, _| {
        before = reports_before(journal, family)?;
        work(journal, (family, reason))
    });
    let mut receipt = match written {
        // An earlier erasure may have left old copies of its bytes.
        Err(unknown) if unknown.code == "unknown-family" => {
            return Err(match left_over(study.scrub()) {
                None => unknown,
                Some(left) => Failure {
                    message: left.message,
                    help: left.help,
                    ..unknown
                },
            });
        }
        written => written?,
    };
    receipt.head = study.journal.head.to_hex();
    let slots = std::mem::take(&mut receipt.warnings);
    // The event stands whatever happens to the old bytes.
    receipt.warnings.extend(left_over(study.scrub()));
    let rows = study.entries().unwrap_or_default();
    let open = untraceable(&study.journal, &rows);
    let untraceable_answers = open.difference(&earlier).count();
    let told = meaning(&study.journal, before, untraceable_answers);
    receipt.warnings.extend(told);
    receipt.warnings.extend(slots);
    Ok(Erasure {
        receipt,
        untraceable_answers,
    })
}

/// Refuses digits that do not confirm the protocol, a personal number, and a reason that is no code.
fn check(study: &Study, (family, reason): (&str, &str), confirm: &str) -> Result<(), Failure> {
    check_confirm(study.protocol(), confirm)?;
    for text in [family, reason] {
        if holds_personal_number(text) {
            return Err(Failure::new(
                exit::INVALID_DATA,
                "personal-number",
                Words::new(
                    "a value looks like a personal number; it is not repeated here and nothing was recorded",
                    "ett värde ser ut som ett personnummer; det upprepas inte här och inget har registrerats",
                ),
            ));
        }
    }
    if !is_key(reason) {
        return Err(Failure::new(
            exit::INVALID_DATA,
            "invalid-code",
            Words::new("the reason is not a code", "skälet är ingen kod"),
        )
        .help(Words::new(
            "for example --reason retention",
            "till exempel --reason gallring",
        )));
    }
    Ok(())
}

/// The rows of an erasure, and its receipt.
fn work(journal: &Journal, (family, reason): (&str, &str)) -> Result<Work<Receipt>, Failure> {
    let known = journal.names.family(family).ok_or_else(unknown_family)?;
    let recordings: Vec<Recording> = journal
        .rows_of(known)
        .into_iter()
        .filter(|(_, sequences)| !sequences.is_empty())
        .map(|(family, sequences)| {
            let public = Content::new()
                .with("reason", reason.to_owned())
                .with("sequences", sequences);
            Recording::public(What::Erased { family }, public)
        })
        .collect();
    let answer = Receipt {
        event: "erased".into(),
        sequence: journal.head.sequence + recordings.len() as u64,
        replayed: false,
        head: String::new(),
        warnings: in_service(journal, known)
            .then(slot_stays)
            .into_iter()
            .collect(),
    };
    Ok(Work { recordings, answer })
}

/// Whether a draw of the family may hold a slot that nothing frees once the name is gone: the study has a gate, and the end of its
/// service is not recorded. Of whatever arm, so that it tells none. What a correction retracted counts: it never moves a slot.
fn in_service(journal: &Journal, family: FamilyIx) -> bool {
    let (state, protocol) = (&journal.state, &journal.protocol);
    let Some(gate) = &protocol.in_epoch(state.epoch).gate else {
        return false;
    };
    let moves = |own: &Occurrence| match own.what {
        Occurred::Service { service, .. } => Some(service)
            .filter(|own| *own == Service::Switched || gate.released_by.contains(own))
            .map(|service| (own.sequence, service)),
        _ => None,
    };
    state.one_family(state.unit(family)).any(|own| {
        let drawn = state.family(own).is_some_and(Family::is_randomized);
        let last = state
            .recorded_of(own)
            .filter_map(moves)
            .max_by_key(|(sequence, _)| *sequence);
        drawn && last.is_none_or(|(_, service)| service == Service::Switched)
    })
}

/// That a slot may stay taken for good.
fn slot_stays() -> Diagnostic {
    Diagnostic::warning(
        "slot-may-stay-taken",
        Words::new(
            "the study has a gate and the end of this family's service is not recorded: a slot that it may hold stays taken for good, since no event can be recorded of a family that is erased",
            "studien har en spärr och det är inte registrerat att familjens insats har avslutats: en plats som den kan ha förblir upptagen för gott, eftersom inget kan registreras om en familj som är raderad",
        ),
    )
    .help(Words::new(
        "before an erasure record when the service ended (`lottning record closed`), and look first with `lottning erase --dry-run`; once it is erased only `capacity-changed` can make room for one more family",
        "registrera före en radering när insatsen avslutades (`lottning record closed`), och se efter först med `lottning erase --dry-run`; när familjen är raderad kan bara `capacity-changed` ge plats åt en familj till",
    ))
}

/// Reports on children whom the study does not know, without those of the family itself, which an erasure takes.
fn reports_before(journal: &Journal, family: &str) -> Result<usize, Failure> {
    let known = journal.names.family(family).ok_or_else(unknown_family)?;
    let state = &journal.state;
    Ok(state.reports_on_unknown_children(Some(state.unit(known))))
}

/// What an erasure means, by the fold of the rows that it leaves: the same before it and after it.
fn meaning(left: &Journal, reports_before: usize, untraceable: usize) -> Vec<Diagnostic> {
    let after = left.state.reports_on_unknown_children(None);
    let moved = after.saturating_sub(reports_before);
    let mut warnings = vec![forgotten()];
    warnings.extend((moved > 0).then(|| left_out(moved)));
    warnings.extend((untraceable > 0).then(|| cannot_be_traced(untraceable)));
    warnings
}

/// The rows of which erasures leave open whose draw they told. Only links that were taken back can be lost so. The fold was
/// just made from these entries, so that they can be read.
fn untraceable(journal: &Journal, entries: &[Entry]) -> BTreeSet<u64> {
    if !journal.state.link_rows.iter().any(|row| row.retracted) {
        return BTreeSet::new();
    }
    Journal::untraceable_answers(&journal.protocol, entries).unwrap_or_default()
}

/// That nobody can tell any more whose draw other families were answered with.
fn cannot_be_traced(answers: usize) -> Diagnostic {
    Diagnostic::warning(
        "untraceable-answers",
        words!(
            "of earlier answers to other families, {answers} cannot be traced to a draw once this one is erased: given while a link with it, or through it, held that has been taken back, and whose row goes with it",
            "av tidigare svar till andra familjer kan {answers} inte spåras till en lott när den här är raderad: de gavs medan en koppling till den, eller genom den, gällde som sedan har tagits tillbaka och vars rad raderas med den"
        ),
    )
    .help(Words::new(
        "keep the receipts of those answers: where such a family is enrolled again the answer says that an earlier one may have told another arm (`answered-under-a-link`), and the receipt shows whether it did",
        "spara kvittona på de svaren: när en sådan familj skrivs in igen anger svaret att ett tidigare kan ha angett en annan arm (`answered-under-a-link`), och kvittot visar om det gjorde det",
    ))
}

/// That reports of other families count no more.
fn left_out(reports: usize) -> Diagnostic {
    Diagnostic::warning(
        "erasure-moves-reports",
        words!(
            "{reports} reports of other families name a child that only the rows of this family name: once it is erased they are on an unknown child, and count in no outcome",
            "{reports} anmälningar om andra familjer anger ett barn som bara den här familjens rader anger: när den är raderad gäller de ett okänt barn och räknas inte i något utfall"
        ),
    )
    .help(Words::new(
        "note the number and the day for the report of the study; analyses say how many such reports there are",
        "anteckna antalet och dagen för studiens rapport; analyserna säger hur många sådana anmälningar som finns",
    ))
}

/// What is left of erased rows outside the rows, and how to finish.
fn left_over(scrubbed: Result<bool, Failure>) -> Option<Diagnostic> {
    let again = Words::new(
        "then run the same command again: it says that the family is unknown, and removes what is left",
        "kör sedan samma kommando igen: det säger att familjen är okänd, och tar bort det som är kvar",
    );
    match scrubbed {
        Ok(true) => None,
        Ok(false) => Some(
            Diagnostic::warning(
                "erasure-in-log",
                Words::new(
                    "the rows are erased, and old copies of their bytes still lie in the ledger's file or log, which another process is reading",
                    "raderna är raderade, men gamla kopior av deras byte ligger kvar i liggarens fil eller logg, som en annan process läser",
                ),
            )
            .help(Words::new(
                format!("end the other processes; {}", again.en),
                format!("avsluta de andra processerna; {}", again.sv),
            )),
        ),
        Err(failure) => Some(
            Diagnostic::warning(
                "erasure-unfinished",
                Words::new(
                    format!("the rows are erased, and old copies of their bytes still lie in the ledger's file, which could not be written anew [{}]", failure.code),
                    format!("raderna är raderade, men gamla kopior av deras byte ligger kvar i liggarens fil, som inte kunde skrivas om [{}]", failure.code),
                ),
            )
            .help(Words::new(
                format!("make room for a second copy of the ledger and its log; {}", again.en),
                format!("frigör plats för en andra kopia av liggaren och dess logg; {}", again.sv),
            )),
        ),
    }
}

fn forgotten() -> Diagnostic {
    Diagnostic::warning(
        "name-forgotten",
        Words::new(
            "once the family is erased the study knows none of its names: under any of them it would be screened and drawn as a new family",
            "när familjen är raderad känner studien inte till något av dess namn: under vilket som helst av dem skulle den screenas och lottas som en ny familj",
        ),
    )
    .help(Words::new(
        "tell intake when it is erased, and let the key holder mark the pseudonyms",
        "meddela mottagningen när den är raderad, och låt nyckelhållaren märka pseudonymerna",
    ))
}

fn unknown_family() -> Failure {
    Failure::new(
        exit::INVALID_DATA,
        "unknown-family",
        words!(
            "the ledger names no such family: it was never screened, or it has been erased",
            "liggaren har ingen sådan familj: den har aldrig screenats, eller så är den raderad"
        ),
    )
    .help(Words::new(
        "no row was changed, and no old copy of an erased row is left in the file; docs/families.md says what an erasure leaves",
        "ingen rad har ändrats, och ingen gammal kopia av en raderad rad finns kvar i filen; docs/families.md beskriver vad en radering lämnar kvar",
    ))
}
