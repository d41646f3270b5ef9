//! A write: one exclusive transaction. Catch up with the ledger, let the use case decide, append, commit. What is refused
//! records nothing. A dry run is a write that ends before it appends, so that both are refused for the same.
//!
//! A fold that rests on a stored projection is believed no further than it holds: if a page of it is not whole, if rows do
//! not continue it, or if an arm that is to be told again does not stand in its row of the ledger, the rows are folded from
//! the first one and the use case decides once more.

use super::exit;
use super::failure::Failure;
use super::links;
use super::outside::Outside;
use super::permission::{Deed, duties_mixed, not_taken_back, permitted_in};
use super::projection;
use super::sealed::later_epochs;
use super::study::{Act, Study, Work, ledger_failure, unreadable};
use super::typed_time::{instant, now, untimely};
use crate::diagnostic::Words;
use crate::study::identifiers::{holds_personal_number, is_key};
use crate::study::journal::{
    Corrupt, Entry, Journal, LedgerError, Recording, Transaction, erased_sequences,
};
use crate::study::kernel::What;
use crate::study::slots::keeps_from;
use crate::study::verify::verify;
use crate::words;
use jiff::Timestamp;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// An arm that an answer tells again: it was drawn before, and stands in a row of the ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// The name by which the family came.
    pub family: &'a str,
    /// Id of the arm.
    pub arm: &'a str,
    /// Number of the allocation.
    pub allocation: u32,
}

/// Whether a write ends with its rows in the ledger, or with the answer alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Recorded,
    Tried,
}

impl Study {
    pub(super) fn catch_up(&mut self) -> Result<(), Failure> {
        let mut entries = Vec::new();
        self.ledger
            .read_from(self.journal.head.sequence + 1, &mut |entry| {
                entries.push(entry);
            })
            .map_err(|error| ledger_failure(&error, &self.folder))?;
        self.absorb(&entries)
    }

    /// Runs `work` on the newest state in one exclusive transaction and appends what it wants recorded. A repetition
    /// records nothing and is answered whatever its time: a retry with the same `--at` finds what the first run did.
    /// `work` is run again if what it decided by turns out not to hold.
    ///
    /// # Errors
    /// An invalid actor or time (exit 4), an actor without the role that the deed needs or with the other of two duties
    /// (4), a time before the last event's (4), busy (5), and whatever `work` refuses.
    pub fn write<T>(
        &mut self,
        outside: &Outside,
        act: &Act,
        deed: Deed,
        work: impl FnMut(&Journal, Timestamp) -> Result<Work<T>, Failure>,
    ) -> Result<T, Failure> {
        self.written((outside, act, deed), Ends::Recorded, work, |_| None)
    }

    /// As [`Study::write`], and records nothing.
    ///
    /// # Errors
    /// As [`Study::write`].
    pub(super) fn try_write<T>(
        &mut self,
        outside: &Outside,
        act: &Act,
        deed: Deed,
        work: impl FnMut(&Journal, Timestamp) -> Result<Work<T>, Failure>,
    ) -> Result<T, Failure> {
        self.written((outside, act, deed), Ends::Tried, work, |_| None)
    }

    /// As [`Study::write`]; `told` gives the arm that an answer tells again, so that it is looked up in its row.
    ///
    /// # Errors
    /// As [`Study::write`].
    pub(super) fn write_telling<T>(
        &mut self,
        outside: &Outside,
        act: &Act,
        deed: Deed,
        work: impl FnMut(&Journal, Timestamp) -> Result<Work<T>, Failure>,
        told: fn(&T) -> Option<Told<'_>>,
    ) -> Result<T, Failure> {
        self.written((outside, act, deed), Ends::Recorded, work, told)
    }

    fn written<T>(
        &mut self,
        (outside, act, deed): (&Outside, &Act, Deed),
        ends: Ends,
        mut work: impl FnMut(&Journal, Timestamp) -> Result<Work<T>, Failure>,
        told: fn(&T) -> Option<Told<'_>>,
    ) -> Result<T, Failure> {
        check_actor(&act.actor)?;
        let given = act.at.as_deref().map(instant).transpose()?;
        let folder = self.folder.clone();
        let failed = |error: LedgerError| ledger_failure(&error, &folder);
        let Self {
            journal, ledger, ..
        } = self;
        let mut transaction = ledger.exclusive().map_err(failed)?;
        catch_up_in(journal, &mut *transaction, &folder)?;
        if journal.lacks_an_outcome() {
            return Err(cut_off(journal.head.sequence));
        }
        let (Work { recordings, answer }, time) = loop {
            let (found, time) = decided(journal, outside, act, (given, deed), &mut work);
            let holds = !journal.is_projected()
                || !journal.is_doubtful()
                    && match &found {
                        Ok(work) if takes_back(journal, &work.recordings) => false,
                        Ok(work) => match told(&work.answer) {
                            Some(told) => {
                                stands(journal, &mut *transaction, told).map_err(failed)?
                            }
                            None => true,
                        },
                        Err(_) => true,
                    };
            if holds {
                break (found?, time);
            }
            projection::discard(outside, &folder);
            fold_anew(journal, &mut *transaction, &folder)?;
        };
        if recordings.is_empty() {
            return Ok(answer);
        }
        let mut salts = vec![[0; 32]; recordings.len()];
        if ends == Ends::Recorded {
            outside.entropy.fill(salts.as_flattened_mut())?;
        }
        let entries = journal.entries(&recordings, time, given.is_some(), &act.actor, &salts);
        let head = journal.head;
        let anew = entries.iter().any(|entry| journal.must_begin_anew(entry));
        if anew {
            if ends == Ends::Recorded {
                projection::discard(outside, &folder);
            }
            if entries.iter().any(|entry| entry.kind == "corrected") {
                let rows = all_rows(&mut *transaction, &folder)?;
                links::refuse_moved(journal, rows, &entries)?;
            }
        }
        let gone: Vec<u64> = entries
            .iter()
            .filter(|entry| entry.kind == "erased")
            .flat_map(|entry| erased_sequences(&entry.public))
            .collect();
        if !gone.is_empty() {
            let rows = all_rows(&mut *transaction, &folder)?;
            refuse_lasting_damage(journal, rows, &entries, &gone)?;
        }
        if ends == Ends::Tried {
            return Ok(answer);
        }
        transaction.append(&head, &entries).map_err(failed)?;
        if !gone.is_empty() {
            transaction.erase(&gone).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        if anew {
            // This fold knows names and links that a fold of the rows no longer finds.
            self.projected = None;
            self.begin_anew()?;
            return Ok(answer);
        }
        let absorbed = journal.absorb(&entries);
        if journal.is_doubtful() {
            // The rows are written by now, and only they are asked.
            projection::discard(outside, &folder);
            self.begin_anew()?;
            return Ok(answer);
        }
        absorbed.map_err(|corrupt| unreadable(&corrupt, &folder))?;
        Ok(answer)
    }

    /// Folds the rows from the first one.
    fn begin_anew(&mut self) -> Result<(), Failure> {
        self.journal = Journal::new(Arc::clone(&self.journal.protocol));
        self.catch_up()
    }
}

/// What the use case decides by the newest state, and the time of it.
fn decided<T>(
    journal: &Journal,
    outside: &Outside,
    act: &Act,
    (given, deed): (Option<Timestamp>, Deed),
    work: &mut impl FnMut(&Journal, Timestamp) -> Result<Work<T>, Failure>,
) -> (Result<Work<T>, Failure>, Timestamp) {
    let time = given.unwrap_or_else(|| now(outside));
    if let Err(refused) = permitted_in(journal, &act.actor, deed) {
        return (Err(refused), time);
    }
    let late = untimely(outside, journal, time, given.is_some());
    let found = match (work(journal, time), late) {
        (Ok(work), Some(late)) if !work.recordings.is_empty() => Err(late),
        (Err(refused), Some(late)) if refused.exit != exit::REUSED => Err(late),
        (found, _) => found,
    };
    let found = found.and_then(|work| {
        may_record(journal, &act.actor, &work.recordings)?;
        Ok(work)
    });
    (found, time)
}

/// Refuses what the actor's other duty keeps from being recorded.
///
/// # Errors
/// Exit 4, `duties-mixed`.
fn of_one_duty<'a>(
    journal: &Journal,
    actor: &str,
    recordings: impl IntoIterator<Item = &'a Recording>,
) -> Result<(), Failure> {
    let (state, duties) = (&journal.state, &journal.duties);
    let mut had = recordings.into_iter();
    let had = had.find_map(|own| duties.forbid(actor, &own.what, state));
    had.map_or(Ok(()), |had| Err(duties_mixed(actor, had)))
}

/// Refuses what the actor's other duty keeps from being recorded, and what somebody who screens does not take back.
fn may_record(journal: &Journal, actor: &str, recordings: &[Recording]) -> Result<(), Failure> {
    let (state, duties) = (&journal.state, &journal.duties);
    of_one_duty(journal, actor, recordings)?;
    let protocol = journal.protocol.in_epoch(state.epoch);
    let kept = |own: &Recording| keeps_from(protocol, state, duties, actor, &own.what);
    match recordings.iter().find_map(kept) {
        Some(kept) => Err(not_taken_back(actor, kept)),
        None => Ok(()),
    }
}

/// Whether what is to be recorded changes how earlier rows are read: it is decided by the rows themselves.
fn takes_back(journal: &Journal, recordings: &[Recording]) -> bool {
    recordings.iter().any(|own| match own.what {
        What::Erased { .. } => true,
        What::Corrected { sequence, .. } => journal.state.link_row(sequence).is_some(),
        _ => false,
    })
}

/// Every row of the ledger.
pub(super) fn all_rows(
    transaction: &mut dyn Transaction,
    folder: &Path,
) -> Result<Vec<Entry>, Failure> {
    let mut rows = Vec::new();
    transaction
        .read_from(1, &mut |entry| rows.push(entry))
        .map_err(|error| ledger_failure(&error, folder))?;
    Ok(rows)
}

/// Refuses an erasure after which the rows that are left could not be read, or would not verify where they do now: what is gone
/// never comes back, so that is found out before.
fn refuse_lasting_damage(
    journal: &Journal,
    mut rows: Vec<Entry>,
    entries: &[Entry],
    gone: &[u64],
) -> Result<(), Failure> {
    let before = verify(&journal.protocol, &rows, &[], None).findings;
    leave(&mut rows, entries, gone);
    let mut left = Journal::new(Arc::clone(&journal.protocol));
    let Err(corrupt) = left.absorb(&rows) else {
        let after = verify(&journal.protocol, &rows, &[], None).findings;
        // What did not hold before hinders no erasure.
        let broken = after.into_iter().find(|own| !before.contains(own));
        return broken.map_or(Ok(()), |own| Err(unverifiable(&own.message)));
    };
    Err(would_be_unreadable(&corrupt))
}

/// The refusal of an erasure after which a row could not be read.
pub(super) fn would_be_unreadable(corrupt: &Corrupt) -> Failure {
    let (sequence, Words { en, sv }) = (corrupt.sequence, &corrupt.reason);
    Failure::new(
        exit::WRONG_STATE,
        "erasure-unreadable",
        words!(
            "without the rows of this family event {sequence} could not be read ({en}): the study would be lost; nothing was erased",
            "utan den här familjens rader skulle händelse {sequence} inte kunna läsas ({sv}): studien skulle gå förlorad; inget har raderats"
        ),
    )
    .help(words!(
        "event {sequence} rests on what would be erased: if it is of another family, erase that family first if it is to be erased at all; keep a copy of the folder and report the case with the numbers of both events",
        "händelse {sequence} bygger på det som skulle raderas: gäller den en annan familj, radera den familjen först om den alls ska raderas; spara en kopia av mappen och rapportera fallet med båda händelsernas nummer"
    ))
}

/// Makes of the rows what an erasure by `entries` leaves of them.
pub(super) fn leave(rows: &mut Vec<Entry>, entries: &[Entry], gone: &[u64]) {
    for row in rows.iter_mut().filter(|row| gone.contains(&row.sequence)) {
        row.payload = None;
        row.salt = None;
    }
    rows.extend(entries.iter().cloned());
}

/// The refusal of an erasure after which the study would be NOT verified, for what would not hold.
fn unverifiable(what: &Words) -> Failure {
    let Words { en, sv } = what;
    Failure::new(
        exit::WRONG_STATE,
        "erasure-unverifiable",
        words!(
            "after this erasure the study would never verify again: {en}; nothing was erased",
            "efter den här raderingen skulle studien aldrig mer gå att verifiera: {sv}; inget har raderats"
        ),
    )
    .help(Words::new(
        "this is a defect of the program: keep a copy of the folder and report the case with the numbers of the events",
        "det här är ett fel i programmet: spara en kopia av mappen och rapportera fallet med händelsernas nummer",
    ))
}

/// Moves a fold past the rows that it has not seen.
fn catch_up_in(
    journal: &mut Journal,
    transaction: &mut dyn Transaction,
    folder: &Path,
) -> Result<(), Failure> {
    let mut news = Vec::new();
    transaction
        .read_from(journal.head.sequence + 1, &mut |entry| news.push(entry))
        .map_err(|error| ledger_failure(&error, folder))?;
    if later_epochs(&news) > 0 {
        return Err(amended_meanwhile());
    }
    if news.iter().any(|entry| journal.must_begin_anew(entry)) {
        // Another process erased rows that this fold has read, or took back a link: only the rows tell what is left.
        return fold_anew(journal, transaction, folder);
    }
    match journal.absorb(&news) {
        Err(_) if journal.is_projected() => fold_anew(journal, transaction, folder),
        Err(corrupt) => Err(unreadable(&corrupt, folder)),
        Ok(()) if journal.is_doubtful() => fold_anew(journal, transaction, folder),
        Ok(()) => Ok(()),
    }
}

/// The refusal to write after a screening whose draw or exception is gone.
fn cut_off(sequence: u64) -> Failure {
    Failure::new(
        exit::VERIFICATION_FAILED,
        "screening-without-outcome",
        words!(
            "the ledger ends at event {sequence}, and the draw or exception of its last screening is missing: rows were cut off; nothing was recorded",
            "liggaren slutar med händelse {sequence}, och lottningen eller undantaget efter den sista screeningen saknas: rader har klippts bort; inget har registrerats"
        ),
    )
    .help(Words::new(
        "draw nobody: a family that was drawn would be drawn again; keep the file as it is, put back the last copy that holds (`lottning verify`) and tell the study lead",
        "lotta ingen: en lottad familj skulle lottas igen; behåll filen som den är, lägg tillbaka den senaste kopian som håller (`lottning verify`) och meddela studieledaren",
    ))
}

/// Folds every row, and nothing but the rows.
fn fold_anew(
    journal: &mut Journal,
    transaction: &mut dyn Transaction,
    folder: &Path,
) -> Result<(), Failure> {
    let rows = all_rows(transaction, folder)?;
    if later_epochs(&rows) > journal.protocol.epoch() {
        return Err(amended_meanwhile());
    }
    *journal = Journal::new(Arc::clone(&journal.protocol));
    journal
        .absorb(&rows)
        .map_err(|corrupt| unreadable(&corrupt, folder))
}

/// Whether an arm that is to be told again stands in its row of the ledger: the row after the family's last screening,
/// which continues the chain, is of this family, and names the arm and the number.
fn stands(
    journal: &Journal,
    transaction: &mut dyn Transaction,
    told: Told<'_>,
) -> Result<bool, LedgerError> {
    let unit_of = |name: &str| {
        let family = journal.names.family(name)?;
        Some(journal.state.unit(family))
    };
    let unit = unit_of(told.family);
    let Some(own) = unit.and_then(|unit| journal.state.family(unit)) else {
        return Ok(false);
    };
    let screened = transaction.row(own.last_screened)?;
    let drawn = transaction.row(own.last_screened + 1)?;
    let (Some(screened), Some(drawn)) = (screened, drawn) else {
        return Ok(false);
    };
    let public: Value = serde_json::from_str(&drawn.public).unwrap_or_default();
    let number = |key: &str| public.get(key).and_then(Value::as_u64);
    let epoch = number("epoch").and_then(|epoch| u32::try_from(epoch).ok());
    let Some(epoch) = epoch.filter(|epoch| *epoch <= journal.protocol.epoch()) else {
        return Ok(false);
    };
    let chained = drawn.chained(&screened.hash, &journal.protocol.in_epoch(epoch).hash.0);
    let of_family = match (&drawn.payload, &drawn.salt) {
        (Some(payload), Some(salt)) => {
            let content: Value = serde_json::from_str(payload).unwrap_or_default();
            let name = content.get("family").and_then(Value::as_str);
            Entry::hash_payload(salt, payload) == drawn.payload_hash
                && name.and_then(unit_of) == unit
        }
        // An erased row names nobody.
        _ => own.erased,
    };
    Ok(drawn.kind == "allocated"
        && chained == drawn.hash
        && of_family
        && public.get("arm").and_then(Value::as_str) == Some(told.arm)
        && number("allocation") == Some(u64::from(told.allocation)))
}

/// Another command opened an epoch after this one had read the study.
fn amended_meanwhile() -> Failure {
    Failure::new(
        exit::BUSY,
        "amended-meanwhile",
        Words::new(
            "the study was amended while this command ran; nothing was recorded",
            "studien ändrades medan kommandot kördes; inget har registrerats",
        ),
    )
    .help(Words::new(
        "run the same command again, with the seed of the new epoch",
        "kör samma kommando igen, med den nya epokens frö",
    ))
}

fn check_actor(actor: &str) -> Result<(), Failure> {
    let (code, message) = if holds_personal_number(actor) {
        (
            "personal-number",
            Words::new(
                "the actor looks like a personal number; it is not repeated here and nothing was recorded",
                "aktören ser ut som ett personnummer; det upprepas inte här och inget har registrerats",
            ),
        )
    } else if is_key(actor) {
        return Ok(());
    } else {
        (
            "invalid-key",
            Words::new(
                "the actor is not a key: one to 64 of A–Z, a–z, 0–9, full stop, underscore and hyphen",
                "aktören är ingen nyckel: ett till 64 tecken av A–Z, a–z, 0–9, punkt, understreck och bindestreck",
            ),
        )
    };
    Err(
        Failure::new(exit::INVALID_DATA, code, message).help(Words::new(
            "give a role or a user id, for example --actor intake-1",
            "ange en roll eller ett användar-id, till exempel --actor intake-1",
        )),
    )
}
