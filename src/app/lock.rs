//! `lock`: freeze the data of a registered lock at its cut.

use super::deviations;
use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::permission::Deed;
use super::record::{NoDraw, Receipt};
use super::refusal::refusal;
use super::sealed::check_confirm;
use super::study::{Act, Study, Work};
use crate::diagnostic::Words;
use crate::protocol::model::Day;
use crate::study::journal::{Content, Recording};
use crate::study::kernel::{Command, decide};
use jiff::civil::Date;

/// Locks the data. `named` are coded reasons for which something was done otherwise than registered; they are recorded with
/// the lock, and excuse nothing: the cut is the registered one.
///
/// # Errors
/// An unknown lock or reason, a date that is none, digits that do not confirm the protocol (exit 2); a lock made already, a cut
/// that is not the registered one or comes too early (7).
pub fn lock(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    id: &str,
    cut: &str,
    confirm: &str,
    named: &[String],
) -> Result<Receipt, Failure> {
    let place = find(study, id)?;
    let date = cut.parse::<Date>().ok().filter(|_| cut.len() == 10);
    let date = date.ok_or_else(|| {
        Failure::new(
            exit::USAGE,
            "invalid-date",
            Words::new("the cut is not a date", "brytdatumet är inget datum"),
        )
        .help(Words::new(
            "write it as year-month-day, for example 2025-11-30",
            "skriv det som år-månad-dag, till exempel 2025-11-30",
        ))
    })?;
    check_confirm(study.protocol(), confirm)?;
    let mut receipt = study.write(outside, act, Deed::Lock, |journal, time| {
        let command = Command::Lock {
            lock: place,
            cut: Day::of(date),
        };
        let day = journal.day(time);
        let in_force = journal.protocol.in_epoch(journal.state.epoch);
        let codes = deviations::codes(in_force, named)?;
        let decision = decide(
            &journal.protocol,
            &journal.state,
            &command,
            day,
            &mut NoDraw,
        )
        .map_err(|refused| refusal(&journal.protocol, refused))?;
        let recordings: Vec<Recording> = decision
            .events
            .into_iter()
            .flatten()
            .map(|what| Recording::public(what, deviations::public(Content::new(), &codes)))
            .collect();
        let receipt = Receipt {
            event: "locked".to_owned(),
            sequence: journal.head.sequence + 1,
            replayed: false,
            head: String::new(),
            warnings: Vec::new(),
        };
        Ok(Work {
            recordings,
            answer: receipt,
        })
    })?;
    receipt.head = study.journal.head.to_hex();
    Ok(receipt)
}

/// Index of a lock of the protocol.
///
/// # Errors
/// An unknown lock: exit 2 with the nearest.
pub(super) fn find(study: &Study, id: &str) -> Result<u16, Failure> {
    let protocol = study.protocol();
    let what = Words::new("lock", "låsning");
    protocol.lock(id).map(|place| place as u16).ok_or_else(|| {
        Failure::unknown_id(
            &what,
            id,
            protocol.locks.iter().map(|lock| lock.id.as_str()),
        )
    })
}
