//! `record`: note one event of a family or a site.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::permission::{Deed, permitted_in};
use super::refusal::refusal_in;
use super::study::{Act, Study, Work};
use crate::diagnostic::{Diagnostic, Words};
use crate::study::journal::{Journal, Recording, retracted_sequence};
use crate::study::kernel::{Command, Draws, Source, State, What, decide};
use crate::study::recording::{EventRequest, Repetition, prepare};
use crate::words;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a writing command other than `enrol` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The event.
    pub event: String,
    /// Its sequence number.
    pub sequence: u64,
    /// Whether it had been recorded before.
    pub replayed: bool,
    /// Head of the ledger.
    pub head: String,
    /// What a person should know.
    pub warnings: Vec<Diagnostic>,
}

/// Records one event.
///
/// # Errors
/// Invalid data (exit 4, every finding), busy (5), a key used with other content (6), a wrong state (7).
pub fn record(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    request: &EventRequest,
) -> Result<Receipt, Failure> {
    write_one(outside, study, act, request, Reach::Whole)
}

/// Says what [`record`] would do, and records nothing. What depends on an arm is not looked at.
///
/// # Errors
/// As [`record`].
pub fn try_record(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    request: &EventRequest,
) -> Result<Receipt, Failure> {
    write_one(outside, study, act, request, Reach::Blind)
}

fn write_one(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    request: &EventRequest,
    reach: Reach,
) -> Result<Receipt, Failure> {
    let mut again = false;
    let dry = reach == Reach::Blind;
    let work = |journal: &Journal, time| {
        let (recording, warnings) = match ready(journal, request, Source::Log, time, reach)? {
            Ready::New(recording, warnings) => (*recording, warnings),
            Ready::Same {
                sequence,
                retracted,
            } => {
                again = retracted;
                let receipt = Receipt {
                    event: request.event.clone(),
                    sequence,
                    replayed: true,
                    head: String::new(),
                    warnings: Vec::new(),
                };
                return Ok(Work {
                    recordings: Vec::new(),
                    answer: receipt,
                });
            }
        };
        let receipt = Receipt {
            event: request.event.clone(),
            sequence: journal.head.sequence + u64::from(!dry),
            replayed: false,
            head: String::new(),
            warnings,
        };
        Ok(Work {
            recordings: vec![recording],
            answer: receipt,
        })
    };
    let deed = Deed::of(request);
    let mut receipt = if dry {
        study.try_write(outside, act, deed, work)?
    } else {
        study.write(outside, act, deed, work)?
    };
    receipt.head = study.journal.head.to_hex();
    if again {
        receipt
            .warnings
            .extend(taken_back(study, &[receipt.sequence])?);
    }
    Ok(receipt)
}

/// That events which are recorded once more were taken back by later rows.
///
/// # Errors
/// The rows cannot be read.
pub(super) fn taken_back(study: &mut Study, sequences: &[u64]) -> Result<Vec<Diagnostic>, Failure> {
    if sequences.is_empty() {
        return Ok(Vec::new());
    }
    let rows = study.entries()?;
    let corrections = rows.iter().filter(|row| row.kind == "corrected");
    let by: BTreeMap<u64, u64> = corrections
        .filter_map(|row| Some((retracted_sequence(&row.public)?, row.sequence)))
        .collect();
    let told = |sequence: &u64| {
        let row = by.get(sequence).copied().unwrap_or(0);
        Diagnostic::warning(
            "retracted",
            words!(
                "event {sequence} was taken back by event {row} and says nothing: this command recorded nothing of it and brings nothing back",
                "händelse {sequence} togs tillbaka av händelse {row} och säger inget: det här kommandot har inte registrerat något av den och återställer inget"
            ),
        )
        .help(Words::new(
            "if it is so after all, record it anew under another event key",
            "om det ändå är så, registrera det på nytt med en annan händelsenyckel",
        ))
    };
    Ok(sequences.iter().map(told).collect())
}

/// An event against the journal.
#[derive(Debug)]
pub(super) enum Ready {
    /// To be recorded.
    New(Box<Recording>, Vec<Diagnostic>),
    /// Recorded before.
    Same {
        /// Its sequence number.
        sequence: u64,
        /// Whether a correction took it back.
        retracted: bool,
    },
}

/// How far a check of an event looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// At everything.
    Whole,
    /// At nothing that depends on an arm: for what records nothing, so that nobody asks for arms without a trace.
    Blind,
}

/// Checks and decides one event; `source` says who saw a report.
pub(super) fn ready(
    journal: &Journal,
    request: &EventRequest,
    source: Source,
    time: Timestamp,
    reach: Reach,
) -> Result<Ready, Failure> {
    let prepared = prepare(journal, request, source).map_err(|findings| {
        Failure::refused_file(
            exit::INVALID_DATA,
            "invalid-event",
            request.event.clone(),
            String::new(),
            findings,
        )
    })?;
    match prepared.repetition(journal) {
        Repetition::New => {}
        Repetition::Same {
            sequence,
            retracted,
        } => {
            return Ok(Ready::Same {
                sequence,
                retracted,
            });
        }
        Repetition::Other { sequence } => {
            let event = &request.event;
            return Err(Failure::new(
                exit::REUSED,
                "key-reused",
                words!(
                    "the key of this `{event}` was used with other content (event {sequence}); nothing was recorded",
                    "nyckeln för `{event}` har använts med annat innehåll (händelse {sequence}); inget har registrerats"
                ),
            )
            .help(words!(
                "give another event its own key, and so the service of each draw of a linked family; an event that was recorded wrongly is corrected, never overwritten",
                "ge en annan händelse en egen nyckel, och så även insatsen för varje lottning av en kopplad familj; en felregistrerad händelse rättas, den skrivs aldrig över"
            )));
        }
    }
    let command = Command::Record(prepared.recording.what);
    let day = journal.day(time);
    let mut warnings = prepared.warnings;
    let decided = decide(
        &journal.protocol,
        &journal.state,
        &command,
        day,
        &mut NoDraw,
    );
    let of_arm = matches!(
        prepared.recording.what,
        What::Violation {
            received: Some(_),
            ..
        }
    );
    if reach == Reach::Blind {
        warnings.retain(|warning| warning.code != "linked-arms-differ");
    }
    warnings.extend(of_arm.then(arm_not_checked));
    if let Err(refused) = decided {
        let other = request.set.iter().filter(|(key, _)| key == "other_child");
        let children = request.child.iter().chain(other.map(|(_, name)| name));
        let children = children.map(String::as_str);
        return Err(refusal_in(
            journal,
            request.family.as_deref(),
            children,
            refused,
        ));
    }
    warnings.extend(super::caps::of_event(journal, &prepared.recording.what));
    warnings.extend(super::links::of_event(journal, &prepared.recording.what));
    let (what, key) = (&prepared.recording.what, &request.event_key);
    warnings.extend(super::returning::of_report(journal, what, key));
    Ok(Ready::New(Box::new(prepared.recording), warnings))
}

fn arm_not_checked() -> Diagnostic {
    Diagnostic::warning(
        "arm-not-checked",
        Words::new(
            "nobody is told here whether the service is that of another arm than the family's own",
            "här får ingen veta om insatsen hör till en annan arm än familjens egen",
        ),
    )
    .help(Words::new(
        "look at what the family received, not at its arm; the study lead sees in `status --conduct` where the two are the same",
        "se till vad familjen fick, inte till dess arm; studieledaren ser i `status --conduct` var de är desamma",
    ))
}

/// Many events against the journal, each seeing those before it.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// To be recorded together.
    pub recordings: Vec<Recording>,
    /// Events that had been recorded before.
    pub replayed: usize,
    /// Sequence numbers of those of them that a correction took back.
    pub retracted: Vec<u64>,
    /// Events that are refused, by their place.
    pub refused: Vec<(usize, Failure)>,
    /// What a person should know, each thing once.
    pub warnings: Vec<Diagnostic>,
}

/// Checks and decides events in order. A scratch fold lets later events see earlier ones; its salts are never written.
pub(super) fn batch<'r>(
    journal: &Journal,
    requests: impl IntoIterator<Item = &'r EventRequest>,
    source: Source,
    time: Timestamp,
    reach: Reach,
) -> Batch {
    let mut scratch = journal.clone();
    let mut batch = Batch::default();
    let mut parts = false;
    for (place, request) in requests.into_iter().enumerate() {
        if parts {
            batch.refused.push((place, super::links::alone()));
            continue;
        }
        match ready(&scratch, request, source, time, reach) {
            Ok(Ready::Same {
                sequence,
                retracted,
            }) => {
                batch.replayed += 1;
                batch.retracted.extend(retracted.then_some(sequence));
            }
            Ok(Ready::New(recording, warnings)) => {
                let one = std::slice::from_ref(&*recording);
                let entries = scratch.entries(one, time, false, "batch", &[[0; 32]]);
                parts |= entries.iter().any(|own| scratch.must_begin_anew(own));
                if parts && !batch.recordings.is_empty() {
                    batch.refused.push((place, super::links::alone()));
                    continue;
                }
                if let Err(corrupt) = scratch.absorb(&entries) {
                    let Words { en, sv } = corrupt.reason;
                    let message = words!(
                        "the event cannot be recorded: {en}",
                        "händelsen kan inte registreras: {sv}"
                    );
                    let failure = Failure::new(exit::INVALID_DATA, "invalid-event", message);
                    batch.refused.push((place, failure));
                    continue;
                }
                batch.recordings.push(*recording);
                for warning in warnings {
                    if batch
                        .warnings
                        .iter()
                        .all(|known| known.message != warning.message)
                    {
                        batch.warnings.push(warning);
                    }
                }
            }
            Err(failure) => batch.refused.push((place, failure)),
        }
    }
    batch
}

/// Records events together, all or none.
///
/// # Errors
/// The first event that is refused; nothing is recorded then.
pub fn record_all(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    requests: &[EventRequest],
) -> Result<(), Failure> {
    let Some(first) = requests.first() else {
        return Ok(());
    };
    let deed = Deed::of(first);
    study.write(outside, act, deed, |journal, time| {
        for request in requests {
            permitted_in(journal, &act.actor, Deed::of(request))?;
        }
        let batch = batch(journal, requests, Source::Log, time, Reach::Whole);
        match batch.refused.into_iter().next() {
            Some((_, failure)) => Err(failure),
            None => Ok(Work {
                recordings: batch.recordings,
                answer: (),
            }),
        }
    })
}

/// For commands that never draw.
#[derive(Debug)]
pub(super) struct NoDraw;

impl Draws for NoDraw {
    fn arm(
        &mut self,
        _: &crate::protocol::Protocol,
        _: &State,
        _: u32,
        _: &crate::allocation::Unit<'_>,
    ) -> crate::allocation::Arm {
        crate::allocation::Arm(0)
    }
}
