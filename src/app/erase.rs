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
use super::typed_time::untimely;
use super::writing::of_one_duty;
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::model::Service;
use crate::study::identifiers::{holds_personal_number, is_key};
use crate::study::journal::{Content, Journal, Recording};
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
/// As [`erase`], but for what is found only when the rows that are left are read.
pub fn try_erase(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    whose: (&str, &str),
    confirm: &str,
) -> Result<Receipt, Failure> {
    check(study, whose, confirm)?;
    let mut receipt = study.write(outside, act, Deed::Erase, |journal, time| {
        untimely(outside, journal, time, act.at.is_some()).map_or(Ok(()), Err)?;
        let mut work = work(journal, whose)?;
        of_one_duty(journal, &act.actor, &work.recordings)?;
        work.recordings.clear();
        work.answer.sequence = journal.head.sequence;
        Ok(work)
    })?;
    receipt.head = study.journal.head.to_hex();
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
    let earlier = untraceable(study);
    let mut before = 0;
    let written = study.write(outside, act, Deed::Erase, |journal, _| {
        let known = journal.names.family(family).ok_or_else(unknown_family)?;
        let (state, unit) = (&journal.state, journal.state.unit(known));
        before = state.reports_on_unknown_children(Some(unit));
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
    receipt.warnings.push(forgotten());
    let after = study.journal.state.reports_on_unknown_children(None);
    let moved = after.saturating_sub(before);
    receipt
        .warnings
        .extend((moved > 0).then(|| left_out(moved)));
    let untraceable_answers = untraceable(study).difference(&earlier).count();
    receipt
        .warnings
        .extend((untraceable_answers > 0).then(|| cannot_be_traced(untraceable_answers)));
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

/// The rows of which erasures leave open whose draw they told. Only links that were taken back can be lost so.
fn untraceable(study: &mut Study) -> BTreeSet<u64> {
    let state = &study.journal.state;
    if !state.link_rows.iter().any(|row| row.retracted) {
        return BTreeSet::new();
    }
    let protocol = Arc::clone(&study.journal.protocol);
    // The study has just been folded from these rows, so that they can be read.
    let entries = study.entries().unwrap_or_default();
    Journal::untraceable_answers(&protocol, &entries).unwrap_or_default()
}

/// That nobody can tell any more whose draw other families were answered with.
fn cannot_be_traced(answers: usize) -> Diagnostic {
    Diagnostic::warning(
        "untraceable-answers",
        words!(
            "of earlier answers to other families, {answers} can no longer be traced to a draw: given while a link with this family, or through it, held that has been taken back, and whose row is erased now",
            "av tidigare svar till andra familjer kan {answers} inte längre spåras till en lott: de gavs medan en koppling till den här familjen, eller genom den, gällde som sedan har tagits tillbaka och vars rad nu är raderad"
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
            "{reports} reports of other families name a child that only the erased rows named: they are on an unknown child now, and count in no outcome",
            "{reports} anmälningar om andra familjer anger ett barn som bara de raderade raderna angav: de gäller nu ett okänt barn och räknas inte i något utfall"
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
            "the study has forgotten the family's names: under any of them it would be screened and drawn as a new family",
            "studien har glömt familjens namn: under vilket som helst av dem skulle den screenas och lottas som en ny familj",
        ),
    )
    .help(Words::new(
        "tell intake now, and let the key holder mark the pseudonyms as erased",
        "meddela mottagningen nu, och låt nyckelhållaren märka pseudonymerna som raderade",
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
