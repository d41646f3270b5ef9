//! `beacon`: record the value of the public round that the epoch's protocol waits for.
//!
//! The program calls nobody: the value is typed as it was published, and whoever checks the study looks it up. It is
//! refused before the round's time, for nobody can know it then.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::permission::Deed;
use super::record::{NoDraw, Receipt};
use super::refusal::refusal;
use super::study::{Act, Study, Work};
use super::typed_time::now;
use crate::allocation::Mode;
use crate::diagnostic::Words;
use crate::study::identifiers::is_beacon_value;
use crate::study::journal::{Content, Recording};
use crate::study::kernel::{Command, What, decide};
use crate::words;

/// Records the value, upper-case digits lowered. The same value again is a replay.
///
/// # Errors
/// A text that is no value (exit 4), another value than the recorded one (6), a protocol that waits for none, or a
/// round that is not published yet (7).
pub fn beacon(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    value: &str,
) -> Result<Receipt, Failure> {
    let value = value.trim().to_ascii_lowercase();
    if !is_beacon_value(&value) {
        return Err(Failure::new(
            exit::INVALID_DATA,
            "invalid-beacon",
            Words::new(
                "the value is not 16 to 256 hexadecimal digits, an even number of them",
                "värdet är inte 16 till 256 hexadecimala siffror, ett jämnt antal",
            ),
        )
        .help(Words::new(
            "give the randomness of the round as its source publishes it, in hexadecimal digits",
            "ange omgångens slumpvärde så som källan publicerar det, i hexadecimala siffror",
        )));
    }
    let mut receipt = study.write(outside, act, Deed::Beacon, |journal, time| {
        let epoch = journal.state.epoch;
        if let Some(known) = journal.beacon(epoch) {
            if known == value {
                return Ok(Work {
                    recordings: Vec::new(),
                    answer: receipt(0, true),
                });
            }
            return Err(Failure {
                exit: exit::REUSED,
                ..refusal(
                    &journal.protocol,
                    crate::study::kernel::Refusal::BeaconRecorded,
                )
            });
        }
        let decision = decide(
            &journal.protocol,
            &journal.state,
            &Command::Beacon,
            journal.day(time),
            &mut NoDraw,
        )
        .map_err(|refused| refusal(&journal.protocol, refused))?;
        let named = journal.protocol.in_epoch(epoch).study.beacon.as_ref();
        let round = named.map(|own| own.round.clone());
        let live = journal
            .opening
            .as_ref()
            .is_some_and(|own| own.mode == Mode::Live);
        // The time of the row can be typed; the computer's clock says whether the round is published.
        let known = time.min(now(outside));
        if let Some(own) = named.filter(|own| live && own.time > known) {
            let (round, at) = (&own.round, own.time);
            return Err(Failure::new(
                exit::WRONG_STATE,
                "beacon-early",
                words!(
                    "the round {round} is published at {at}: nobody knows its value yet",
                    "omgången {round} publiceras {at}: ingen känner dess värde än"
                ),
            )
            .help(Words::new(
                "wait for the round and run the same command with the value that its source publishes; nobody is randomized until then",
                "vänta på omgången och kör samma kommando med det värde som källan publicerar; ingen lottas före det",
            )));
        }
        let public = Content::new()
            .with("value", value.clone())
            .with_some("round", round);
        let recordings = decision
            .events
            .into_iter()
            .flatten()
            .map(|what: What| Recording::public(what, public.clone()))
            .collect();
        Ok(Work {
            recordings,
            answer: receipt(journal.head.sequence + 1, false),
        })
    })?;
    receipt.head = study.journal.head.to_hex();
    if receipt.replayed {
        let entries = study.entries()?;
        let recorded = entries.iter().rfind(|entry| entry.kind == "beacon");
        receipt.sequence = recorded.map_or(0, |entry| entry.sequence);
    }
    Ok(receipt)
}

fn receipt(sequence: u64, replayed: bool) -> Receipt {
    Receipt {
        event: "beacon".to_owned(),
        sequence,
        replayed,
        head: String::new(),
        warnings: Vec::new(),
    }
}
