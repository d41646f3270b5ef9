//! `amend`: seal an amended protocol as the next epoch, with a seed and a commitment of its own.
//!
//! Earlier draws are never touched: they belong to their epochs, whose protocols stay sealed beside the new one. What
//! an amendment may change is `protocol`'s to say.

use super::exit;
use super::failure::Failure;
use super::open::{check_permissions, check_round, refuse_inside};
use super::outside::{Outside, sweep};
use super::permission::{Deed, duties_mixed, permitted_in};
use super::record::NoDraw;
use super::refusal::refusal;
use super::sealed::{check_confirm, parse_protocol, protocol_file, refuse_personal_numbers};
use super::seed_file::{read_seed, seed_for_epoch};
use super::study::{Act, Study, Work};
use super::typed_time::untimely;
use crate::allocation::{Mode, Seed};
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::{Protocol, carry_on, unadjusted};
use crate::study::journal::{Content, Journal, Recording, hex};
use crate::study::kernel::{Command, What, decide};
use crate::words;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `amend` needs.
#[derive(Debug, Clone)]
pub struct Amend {
    /// The amended protocol file.
    pub protocol: PathBuf,
    /// The seed file of the new epoch, outside the study folder; made if it does not exist.
    pub seed_file: PathBuf,
    /// The first digits of the amended protocol's hash.
    pub confirm: String,
    /// Who and when.
    pub act: Act,
}

/// An epoch was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// Its number, from 1.
    pub epoch: u32,
    /// Hash of its sealed protocol.
    pub protocol_hash: String,
    /// Commitment to its seed, to be published anywhere.
    pub commitment: String,
    /// Whether the seed file was made now.
    pub seed_created: bool,
    /// Whether it had been opened before, by the same file with the same seed.
    pub replayed: bool,
    /// Sequence of the event.
    pub sequence: u64,
    /// Head of the ledger.
    pub head: String,
}

/// Opens the next epoch of a study.
///
/// # Errors
/// An invalid protocol, or one that changes what stands (exit 3); digits that do not confirm it (2); a study whose
/// enrolment is closed (7); a seed file that is none, lies inside the study folder, or holds the seed of an earlier
/// epoch (9).
pub fn amend(outside: &Outside, folder: &Path, request: &Amend) -> Result<Amended, Failure> {
    let mut study = Study::load_whole(outside, folder)?;
    let bytes = outside.read(&request.protocol)?;
    if let Some(made) = opened_before(outside, &mut study, request, &bytes)? {
        return Ok(made);
    }
    let amended = read(outside, &study, &bytes, &request.protocol)?;
    check_confirm(&amended, &request.confirm)?;
    permitted_in(&study.journal, &request.act.actor, Deed::Amend)?;
    refuse_inside(outside, &request.seed_file, folder)?;
    let allowed = |journal: &Journal, day| {
        decide(
            &journal.protocol,
            &journal.state,
            &Command::Amend,
            day,
            &mut NoDraw,
        )
        .map_err(|refused| refusal(&journal.protocol, refused).help(after_enrolment()))
    };
    allowed(&study.journal, study.journal.state.last_day)?;
    let epoch = amended.epoch();
    let hash = amended.hash;
    let protocol_hash = hash.to_hex();
    let committed = study.commitments().to_vec();
    let mut seed_created = false;
    // The fold needs the new protocol from the row after this event on; until then it works by the epoch.
    study.journal.protocol = Arc::new(amended);
    let commitment = study.write(outside, &request.act, Deed::Amend, |journal, time| {
        let decision = allowed(journal, journal.day(time))?;
        // What is refused leaves no seed behind, so the seed comes after every reason to refuse.
        let (actor, given) = (&request.act.actor, request.act.at.is_some());
        let what = What::EpochOpened { epoch };
        if let Some(had) = journal.duties.forbid(actor, &what, &journal.state) {
            return Err(duties_mixed(actor, had));
        }
        untimely(outside, journal, time, given).map_or(Ok(()), Err)?;
        let used = |seed: &Seed| refuse_used(journal, &committed, seed);
        let (seed, made) = seed_for_epoch(outside, &request.seed_file, folder, used)?;
        seed_created |= made;
        let commitment = hex(&seed.commitment(&hash.0));
        let public = Content::new()
            .with("commitment", commitment.clone())
            .with("protocol_hash", hash.to_hex());
        let sealed = folder.join(protocol_file(epoch));
        // The ledger is ours alone here, so no other amendment is being written.
        sweep(&outside.path(&sealed));
        outside.write(sealed, &bytes)?;
        let recordings = decision
            .events
            .into_iter()
            .flatten()
            .map(|what| Recording::public(what, public.clone()))
            .collect();
        Ok(Work {
            recordings,
            answer: commitment,
        })
    })?;
    Ok(Amended {
        epoch,
        protocol_hash,
        commitment,
        seed_created,
        replayed: false,
        sequence: study.journal.head.sequence,
        head: study.journal.head.to_hex(),
    })
}

/// The only reason why no epoch can be opened is that nobody is drawn any more.
fn after_enrolment() -> Words {
    Words::new(
        "an amendment is for draws to come, and there are none: the protocol in force stands; report what was done otherwise as a deviation",
        "en ändring gäller kommande lotter, och det blir inga fler: det gällande protokollet står fast; redovisa det som gjordes annorlunda som en avvikelse",
    )
}

/// The epoch in force, if this very file opened it with this very seed: the command was repeated, perhaps because the first
/// one was killed before it answered.
fn opened_before(
    outside: &Outside,
    study: &mut Study,
    request: &Amend,
    bytes: &[u8],
) -> Result<Option<Amended>, Failure> {
    let epoch = study.journal.state.epoch;
    let sealed = study.folder.join(protocol_file(epoch));
    if epoch == 0 || !outside.exists(&request.seed_file) || outside.read(&sealed)? != bytes {
        return Ok(None);
    }
    check_confirm(study.protocol(), &request.confirm)?;
    permitted_in(&study.journal, &request.act.actor, Deed::Amend)?;
    let seed = read_seed(outside, &request.seed_file)?;
    if !study.committed(epoch, &seed) {
        return Ok(None);
    }
    outside.sweep_ended(&request.seed_file);
    outside.sweep_ended(&sealed);
    let rows = study.entries()?;
    let opened = rows.iter().rfind(|row| row.kind == "epoch-opened");
    Ok(Some(Amended {
        epoch,
        protocol_hash: study.protocol().hash.to_hex(),
        commitment: hex(&seed.commitment(&study.protocol().hash.0)),
        seed_created: false,
        replayed: true,
        sequence: opened.map_or(0, |row| row.sequence),
        head: study.journal.head.to_hex(),
    }))
}

/// The amended protocol, carrying on the one in force.
fn read(outside: &Outside, study: &Study, bytes: &[u8], path: &Path) -> Result<Protocol, Failure> {
    let (amended, warnings) = parse_protocol(bytes, path)?;
    refuse_personal_numbers(bytes, path)?;
    let in_force = &study.journal.protocol;
    let sealed = study.folder.join(protocol_file(in_force.epoch()));
    let before = outside.read_text(sealed, exit::VERIFICATION_FAILED)?;
    let text = String::from_utf8_lossy(bytes);
    let amended = carry_on(in_force, &before, amended.as_ref().clone(), &text).map_err(|all| {
        let name = path.display().to_string();
        Failure::refused_file(exit::INVALID_PROTOCOL, "invalid-amendment", name, text, all)
    })?;
    let live = |own: &crate::study::journal::Opening| own.mode == Mode::Live;
    if study.journal.opening.as_ref().is_some_and(live) {
        check_permissions(&amended, path)?;
        check_round(outside, &amended)?;
    }
    let own = given_up(&study.journal, &amended);
    for warning in warnings.iter().chain(&unadjusted(&amended)).chain(&own) {
        outside.progress.warn(warning);
    }
    Ok(amended)
}

/// What an amendment gives up that the protocol in force promised, and that no rule forbids: said aloud, because it cannot be
/// promised again for the draws that follow.
fn given_up(journal: &Journal, amended: &Protocol) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let before = &journal.protocol;
    if before.study.beacon.is_some() && amended.study.beacon.is_none() {
        warnings.push(
            Diagnostic::warning(
                "beacon-dropped",
                Words::new(
                    "the protocol in force waits for a public round and the amended one names none: the draws of the new epoch follow from its seed alone, which whoever makes it could have chosen",
                    "det gällande protokollet väntar på en offentlig omgång och det ändrade anger ingen: den nya epokens lotter följer av dess frö ensamt, som den som skapar det kan ha valt",
                ),
            )
            .help(Words::new(
                "name a round to come under [study], unless that is meant; the report shows which epochs had one",
                "ange en kommande omgång under [study], om det inte är meningen; rapporten visar vilka epoker som hade en",
            )),
        );
    }
    if before.roles.is_some() && amended.roles.is_none() {
        warnings.push(
            Diagnostic::warning(
                "roles-dropped",
                Words::new(
                    "the protocol in force says who may do what and the amended one has no [roles]: from now on everybody may do everything, but for the two duties",
                    "det gällande protokollet säger vem som får göra vad och det ändrade saknar [roles]: från och med nu får alla göra allt, utom de två uppgifter som hålls isär",
                ),
            )
            .help(Words::new(
                "keep [roles], unless that is meant",
                "behåll [roles], om det inte är meningen",
            )),
        );
    }
    let size = |own: &Protocol| {
        let size = &own.sample_size;
        (size.target, size.stop_families, size.stop_date)
    };
    if !journal.state.locks.is_empty() && size(before) != size(amended) {
        warnings.push(
            Diagnostic::warning(
                "size-after-lock",
                Words::new(
                    "the planned number of families, or the end of enrolment, changes after data were locked: whoever has seen results by arm may not decide it",
                    "det planerade antalet familjer, eller inskrivningens slut, ändras efter en låsning av data: den som har sett resultat per arm får inte bestämma det",
                ),
            )
            .help(Words::new(
                "say in the amendment who decided and what they had seen; the registered error rates hold only if the change did not depend on results",
                "ange i ändringen vem som bestämde och vad de hade sett; de registrerade felriskerna gäller bara om ändringen inte berodde på resultat",
            )),
        );
    }
    warnings
}

/// Each epoch has a seed of its own: who was told the seed of an ended epoch must not know the next one.
fn refuse_used(journal: &Journal, committed: &[String], seed: &Seed) -> Result<(), Failure> {
    let of = |epoch: u32| hex(&seed.commitment(&journal.protocol.in_epoch(epoch).hash.0));
    let Some((epoch, _)) = (0..)
        .zip(committed)
        .find(|(epoch, own)| **own == of(*epoch))
    else {
        return Ok(());
    };
    Err(Failure::new(
        exit::SEED,
        "seed-used",
        words!(
            "the seed file holds the seed of epoch {epoch}: each epoch has a seed of its own",
            "fröfilen innehåller fröet för epok {epoch}: varje epok har ett eget frö"
        ),
    )
    .help(Words::new(
        "name a file that does not exist yet: a new seed is made there",
        "ange en fil som inte finns än: ett nytt frö skapas där",
    )))
}
