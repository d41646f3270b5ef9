//! `open`: seal a protocol into a study folder, commit to a seed, begin the ledger.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::permission::{Deed, permitted};
use super::projection;
use super::sealed::{
    PROTOCOL_MISMATCH, check_confirm, parse_protocol, protocol_file, refuse_personal_numbers,
};
use super::seed_file::{read_seed, seed_for_epoch};
use super::study::{Act, LEDGER_FILE, Study, Work, ledger_failure};
use super::typed_time::{instant, now};
use crate::allocation::{Mode, Seed};
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::Protocol;
use crate::protocol::model::{Beacon, Custody, Day};
use crate::store::SqliteLedger;
use crate::study::journal::{Content, Journal, Ledger, LedgerError, Recording, hex};
use crate::study::kernel::What;
use crate::words;
use jiff::Timestamp;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What `open` needs.
#[derive(Debug, Clone)]
pub struct Open {
    /// The protocol file.
    pub protocol: PathBuf,
    /// The study folder to make.
    pub study: PathBuf,
    /// The seed file, outside the study folder; made if it does not exist, and taken with a warning if it does.
    pub seed_file: PathBuf,
    /// The first digits of the protocol's hash.
    pub confirm: String,
    /// Who and when.
    pub act: Act,
    /// A study, or a trial run that can never show a live list.
    pub mode: Mode,
}

/// A study was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Id of the study.
    pub study: String,
    /// Hash of the sealed protocol.
    pub protocol_hash: String,
    /// Commitment to the seed, to be published anywhere.
    pub commitment: String,
    /// Who could read the seed.
    pub custody: Custody,
    /// Whether the protocol names roles.
    pub roles: bool,
    /// Whether the seed file was made now.
    pub seed_created: bool,
    /// Whether it had been opened before, by the same file with the same seed.
    pub replayed: bool,
    /// Sequence of the event.
    pub sequence: u64,
    /// Head of the ledger.
    pub head: String,
}

/// Opens a study.
///
/// # Errors
/// An invalid protocol, or one without ethics decision and impact assessment (exit 3); digits that do not confirm it
/// (2); a study there already, unless the same file opened it with the same seed (7); one whose rows were lost (8); a seed file that is none or lies inside
/// the study folder (9). A seed that was there and can be guessed is a warning.
pub fn open(outside: &Outside, request: &Open) -> Result<Opened, Failure> {
    // Read once: what is sealed is what was checked, also from standard input.
    let bytes = outside.read(&request.protocol)?;
    let (protocol, warnings) = parse_protocol(&bytes, &request.protocol)?;
    refuse_personal_numbers(&bytes, &request.protocol)?;
    let ledger_path = outside.path(&request.study).join(LEDGER_FILE);
    if has_events(&ledger_path, &request.study)? {
        return opened_before(outside, request, &protocol, &bytes);
    }
    for warning in &warnings {
        outside.progress.warn(warning);
    }
    // A rehearsal randomizes nobody, so it may come before the permissions.
    if request.mode == Mode::Live {
        check_permissions(&protocol, &request.protocol)?;
        check_round(outside, &protocol)?;
        permitted(&protocol, &request.act.actor, Deed::Open)?;
        if request.act.at.is_some() {
            outside.progress.warn(&typed_opening());
        }
        let typed = request.act.at.as_deref().and_then(|at| instant(at).ok());
        let time = typed.unwrap_or_else(|| now(outside));
        if let Some(past) = past_last_day(&protocol, time) {
            outside.progress.warn(&past);
        }
    }
    check_confirm(&protocol, &request.confirm)?;
    refuse_inside(outside, &request.seed_file, &request.study)?;
    projection::refuse_emptied(outside, &request.study)?;
    outside.refuse_file_for_folder(&request.study)?;
    let (seed, seed_created) =
        seed_for_epoch(outside, &request.seed_file, &request.study, |_| Ok(()))?;
    outside.create_private_folder(&request.study)?;
    let seal = || outside.write(request.study.join(protocol_file(0)), &bytes);
    let failed = |error: LedgerError| ledger_failure(&error, &request.study);
    let ledger = match SqliteLedger::create(&ledger_path) {
        // An `open` that was killed before its first event leaves an empty ledger: go on with it.
        Err(LedgerError::Exists) => SqliteLedger::open(&ledger_path).map_err(failed)?,
        made => made.map_err(failed)?,
    };
    let opened = begin(
        outside,
        request,
        &protocol,
        Box::new(ledger),
        &seed,
        seed_created,
        seal,
    )?;
    projection::mark_opened(outside, &request.study)?;
    Ok(opened)
}

/// The receipt of a study that this very file opened with this very seed: the command was repeated, perhaps because the first
/// one was killed before it answered. Whatever else is in the folder was opened before, and stays.
fn opened_before(
    outside: &Outside,
    request: &Open,
    protocol: &Protocol,
    bytes: &[u8],
) -> Result<Opened, Failure> {
    let exists = || ledger_failure(&LedgerError::Exists, &request.study);
    let sealed = request.study.join(protocol_file(0));
    if !outside.exists(&sealed) || outside.read(&sealed)? != bytes {
        return Err(exists());
    }
    check_confirm(protocol, &request.confirm)?;
    let deed = deed(request.mode);
    if request.mode == Mode::Live {
        permitted(protocol, &request.act.actor, deed)?;
    }
    refuse_inside(outside, &request.seed_file, &request.study)?;
    let study = Study::load_whole(outside, &request.study)?;
    let mode = study.journal.opening.as_ref().map(|own| own.mode);
    if mode != Some(request.mode) || !outside.exists(&request.seed_file) {
        return Err(exists());
    }
    let seed = read_seed(outside, &request.seed_file)?;
    if !study.committed(0, &seed) {
        return Err(exists());
    }
    // The first command may have been killed while it wrote any of its files.
    outside.sweep_ended(&request.seed_file);
    outside.sweep_ended(&sealed);
    projection::mark_opened(outside, &request.study)?;
    Ok(Opened {
        study: protocol.study.id.clone(),
        protocol_hash: protocol.hash.to_hex(),
        commitment: hex(&seed.commitment(&protocol.hash.0)),
        custody: protocol.study.custody,
        roles: protocol.roles.is_some(),
        seed_created: false,
        replayed: true,
        sequence: 1,
        head: study.journal.head.to_hex(),
    })
}

/// What whoever opens a study does, for roles.
fn deed(mode: Mode) -> Deed {
    match mode {
        Mode::Live => Deed::Open,
        Mode::Rehearsal | Mode::Draw => Deed::Rehearse,
    }
}

fn typed_opening() -> Diagnostic {
    Diagnostic::warning(
        "opened-at-a-typed-time",
        Words::new(
            "the study is opened at a typed time and follows typed times for good: no time of --at is refused for being ahead of the clock",
            "studien öppnas vid en angiven tidpunkt och följer angivna tider för gott: ingen tid i --at avvisas för att den ligger framför klockan",
        ),
    )
    .help(Words::new(
        "for a study in earnest leave --at out; `status` and `verify` say which it is",
        "utelämna --at för en studie på allvar; `status` och `verify` säger vilket det är",
    ))
}

/// That the registered last day of enrolment has passed at the opening: nobody will be enrolled.
fn past_last_day(protocol: &Arc<Protocol>, time: Timestamp) -> Option<Diagnostic> {
    let last = protocol.sample_size.stop_date?;
    let today = Journal::new(Arc::clone(protocol)).day(time);
    (today > Day::of(last)).then(|| {
        Diagnostic::warning(
            "last-day-passed",
            words!(
                "enrolment ended on {last}, the registered last day: nobody can be enrolled in the study",
                "inskrivningen avslutades {last}, den registrerade sista dagen: ingen kan skrivas in i studien"
            ),
        )
        .help(words!(
            "register a later `or_date` under `stop` (`lottning amend` in the study that is open now)",
            "registrera ett senare `or_date` under `stop` (`lottning amend` i studien som nu är öppen)"
        ))
    })
}

/// Writes the first event. `seal` puts the protocol into the folder; it runs while no other command can open the
/// study, so that of two that try at once the winner's protocol stays.
pub(super) fn begin(
    outside: &Outside,
    request: &Open,
    protocol: &Arc<Protocol>,
    ledger: Box<dyn Ledger>,
    seed: &Seed,
    seed_created: bool,
    mut seal: impl FnMut() -> Result<(), Failure>,
) -> Result<Opened, Failure> {
    let commitment = hex(&seed.commitment(&protocol.hash.0));
    let public = Content::new()
        .with("commitment", commitment.clone())
        .with("custody", protocol.study.custody.text())
        .with("format", 1)
        .with("mode", request.mode.text())
        .with("protocol_hash", protocol.hash.to_hex())
        .with("study", protocol.study.id.clone());
    let mut study = Study::empty(&request.study, Journal::new(Arc::clone(protocol)), ledger);
    study
        .write(outside, &request.act, deed(request.mode), |journal, _| {
            if journal.head.sequence > 0 {
                return Err(ledger_failure(&LedgerError::Exists, &request.study));
            }
            seal()?;
            Ok(Work {
                recordings: vec![Recording::public(What::Opened, public.clone())],
                answer: (),
            })
        })
        .map_err(|failure| match failure.code {
            // Another command opened the study first, perhaps with another protocol: its events do not fold with this one.
            "ledger-broken" | PROTOCOL_MISMATCH => {
                ledger_failure(&LedgerError::Exists, &request.study)
            }
            _ => failure,
        })?;
    Ok(Opened {
        study: protocol.study.id.clone(),
        protocol_hash: protocol.hash.to_hex(),
        commitment,
        custody: protocol.study.custody,
        roles: protocol.roles.is_some(),
        seed_created,
        replayed: false,
        sequence: study.journal.head.sequence,
        head: study.journal.head.to_hex(),
    })
}

pub(super) fn check_permissions(protocol: &Protocol, path: &Path) -> Result<(), Failure> {
    if protocol.study.ethics.is_some() && protocol.study.dpia.is_some() {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::new(
        exit::INVALID_PROTOCOL,
        "permission-missing",
        words!(
            "{path} names no ethics decision or no data-protection impact assessment: no family may be randomized",
            "{path} anger inget etikbeslut eller ingen konsekvensbedömning: ingen familj får lottas"
        ),
    )
    .help(Words::new(
        "give `ethics = { decision = …, date = … }` and `dpia = …` under [study]",
        "ange `ethics = { decision = …, date = … }` och `dpia = …` under [study]",
    )))
}

/// A round whose value is known could have been chosen for its value.
pub(super) fn check_round(outside: &Outside, protocol: &Protocol) -> Result<(), Failure> {
    let past = |own: &&Beacon| own.time <= now(outside);
    let Some(beacon) = protocol.study.beacon.as_ref().filter(past) else {
        return Ok(());
    };
    let Beacon { round, time, .. } = beacon;
    Err(Failure::new(
        exit::INVALID_PROTOCOL,
        "beacon-past",
        words!(
            "the public round {round} was published at {time}: its value could have been chosen",
            "den offentliga omgången {round} publicerades {time}: dess värde kan ha valts"
        ),
    )
    .help(Words::new(
        "name a round in the future under `beacon`, and check the protocol again",
        "ange en kommande omgång under `beacon` och kontrollera protokollet igen",
    )))
}

/// A ledger with events whose sealed protocol is gone.
pub(super) fn protocol_missing(folder: &Path, epoch: u32) -> Failure {
    let file = protocol_file(epoch);
    let (folder, file) = (folder.display(), file.display());
    Failure::new(
        exit::VERIFICATION_FAILED,
        "protocol-missing",
        words!(
            "the study in {folder} has lost its sealed protocol, {file}",
            "studien i {folder} saknar sitt förseglade protokoll, {file}"
        ),
    )
    .help(Words::new(
        "put the sealed file back, byte for byte, and run `lottning verify`",
        "lägg tillbaka den förseglade filen, byte för byte, och kör `lottning verify`",
    ))
}

/// The seed must not lie where the study's readers look.
pub(super) fn refuse_inside(outside: &Outside, seed: &Path, study: &Path) -> Result<(), Failure> {
    if !lies_inside(outside, seed, study) {
        return Ok(());
    }
    Err(Failure::new(
        exit::SEED,
        "seed-inside-study",
        Words::new(
            "the seed file lies inside the study folder, where everybody who reads the study could read it",
            "fröfilen ligger i studiemappen, där alla som läser studien skulle kunna läsa den",
        ),
    )
    .help(Words::new(
        "keep the seed in another place that only one account can read",
        "förvara fröet på en annan plats som bara ett konto kan läsa",
    )))
}

/// What binds a study from outside must not lie in its folder.
pub(super) fn refuse_inside_folder(
    outside: &Outside,
    file: &Path,
    study: &Path,
) -> Result<(), Failure> {
    if !lies_inside(outside, file, study) {
        return Ok(());
    }
    Err(Failure::new(
        exit::USAGE,
        "inside-study",
        Words::new(
            "the file lies inside the study folder: who can change the ledger there could change it too",
            "filen ligger i studiemappen: den som kan ändra liggaren där skulle kunna ändra också den",
        ),
    )
    .help(Words::new(
        "write it to another place, best one that somebody else keeps",
        "skriv den på en annan plats, helst hos någon annan",
    )))
}

/// Whether a file lies in a folder.
fn lies_inside(outside: &Outside, file: &Path, folder: &Path) -> bool {
    absolute(outside, file).starts_with(absolute(outside, folder))
}

/// A path from the root. As far as it exists, links are resolved; the rest is taken as written, with `..` going up.
pub(super) fn absolute(outside: &Outside, path: &Path) -> PathBuf {
    let path = outside.path(path);
    let mut known = PathBuf::new();
    if path.is_relative() {
        known = Path::new(".").canonicalize().unwrap_or_default();
    }
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                known.pop();
            }
            other => known.push(other),
        }
        if let Ok(resolved) = known.canonicalize() {
            known = resolved;
        }
    }
    known
}

/// Whether a study was opened in a folder.
pub(super) fn has_events(path: &Path, folder: &Path) -> Result<bool, Failure> {
    // SQLite would write to an empty file, and what is left is to be kept as it is.
    if std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0) {
        return Ok(false);
    }
    let mut ledger = match SqliteLedger::open(path) {
        Ok(ledger) => ledger,
        Err(LedgerError::Missing) => return Ok(false),
        Err(error) => return Err(ledger_failure(&error, folder)),
    };
    let mut any = false;
    ledger
        .read_from(1, &mut |_| any = true)
        .map_err(|error| ledger_failure(&error, folder))?;
    Ok(any)
}
