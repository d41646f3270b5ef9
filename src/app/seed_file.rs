//! The seed file where a study or an epoch is opened: made for it, or one that was there before.
//!
//! A file that is made is created exclusively, so that no other command can have put its own there meanwhile. One that was
//! there is taken only with a word: its list can be known to whoever made it, read it or opened a study with it before.

use super::exit;
use super::failure::Failure;
use super::open::absolute;
use super::outside::Outside;
use super::study::LEDGER_FILE;
use crate::allocation::Seed;
use crate::diagnostic::{Diagnostic, Words};
use crate::store::read_beside;
use crate::study::journal::{Object, hex};
use crate::study::pseudonym::is_key_file;
use crate::words;
use std::path::{Path, PathBuf};

/// Bytes that are read of a seed file: more than a seed and the first line of a key have.
const LONGEST: u64 = 256;

/// Seeds that are only read, in the order of their files: each in a file, or from a pipe or standard input, so that a seed can
/// come from a store of secrets without lying in a file.
///
/// # Errors
/// As [`read_seed`]; a pipe into which nobody writes.
pub(super) fn read_seeds(outside: &Outside, files: &[PathBuf]) -> Result<Vec<Seed>, Failure> {
    files
        .iter()
        .map(|file| seed_of(file, outside.once(file, LONGEST)))
        .collect()
}

/// The seed file of a study or an epoch that is opened, which stays: a regular one.
///
/// # Errors
/// Missing or not a seed: exit 9, without showing anything of it.
pub(super) fn read_seed(outside: &Outside, path: &Path) -> Result<Seed, Failure> {
    seed_of(path, outside.beginning(path, LONGEST))
}

fn seed_of(path: &Path, bytes: Result<Vec<u8>, Failure>) -> Result<Seed, Failure> {
    let name = path.display();
    let missing = |_| {
        Failure::new(
            exit::SEED,
            "seed-missing",
            words!(
                "the seed file {name} cannot be read",
                "fröfilen {name} kan inte läsas"
            ),
        )
        .help(Words::new(
            "give the file that `open` or `amend` created for the epoch, and check that you may read it",
            "ange filen som `open` eller `amend` skapade för epoken och kontrollera att du får läsa den",
        ))
    };
    let text =
        zeroize::Zeroizing::new(String::from_utf8(bytes.map_err(missing)?).unwrap_or_default());
    if is_key_file(&text) {
        return Err(Failure::new(
            exit::SEED,
            "seed-invalid",
            words!(
                "{name} is the key of pseudonyms, not a seed file",
                "{name} är nyckeln för pseudonymer, ingen fröfil"
            ),
        )
        .help(Words::new(
            "the key stays with the key holder, away from the study; give the file that `open` or `amend` created",
            "nyckeln stannar hos nyckelförvaltaren, skild från studien; ange filen som `open` eller `amend` skapade",
        )));
    }
    Seed::from_hex(&text).map_err(|_| {
        Failure::new(
            exit::SEED,
            "seed-invalid",
            words!(
                "{name} is not a seed file: 64 hexadecimal digits and a newline",
                "{name} är ingen fröfil: 64 hexadecimala siffror och en radbrytning"
            ),
        )
        .help(Words::new(
            "give the file that `open` or `amend` created",
            "ange filen som `open` eller `amend` skapade",
        ))
    })
}

/// The seed of a file for a new epoch, and whether the file was made now. `refused` says why a seed that was there cannot be
/// taken; nothing is told of its use then.
///
/// # Errors
/// A file that was there and is no seed, or is refused: exit 9. A seed is never shown.
pub(super) fn seed_for_epoch(
    outside: &Outside,
    path: &Path,
    study: &Path,
    refused: impl Fn(&Seed) -> Result<(), Failure>,
) -> Result<(Seed, bool), Failure> {
    if outside.exists(path) {
        let seed = read_seed(outside, path)?;
        refused(&seed)?;
        outside.sweep_ended(path);
        if seed.is_guessable() {
            outside.progress.warn(&guessable(path));
        }
        outside.progress.warn(&given(path));
        warn_of_readers(outside, path);
        for other in opened_with(outside, study, &seed) {
            outside.progress.warn(&shared(&other));
        }
        return Ok((seed, false));
    }
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    outside.entropy.fill(&mut *bytes)?;
    let seed = Seed::from_bytes(*bytes);
    // A defect of what the system calls entropy would be seen nowhere else.
    if seed.is_guessable() {
        let told = guessable(path);
        return Err(Failure::new(exit::SEED, "seed-guessable", told.message));
    }
    let text = zeroize::Zeroizing::new(format!("{}\n", seed.to_hex()));
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        outside.create_folder(parent)?;
    }
    outside.create_secret(path, text.as_bytes())?;
    Ok((seed, true))
}

/// Says that other accounts may read a seed file, where the system has modes.
pub(super) fn warn_of_readers(outside: &Outside, path: &Path) {
    if !outside.others_may_read(path) {
        return;
    }
    let name = path.display();
    outside.progress.warn(
        &Diagnostic::warning(
            "seed-not-private",
            words!(
                "other accounts may read the seed file {name}, and from it every arm to come: run `chmod 600 {name}`",
                "andra konton får läsa fröfilen {name}, och ur den varje arm som ska lottas: kör `chmod 600 {name}`"
            ),
        )
        .help(Words::new(
            "if somebody may have read it, open a new epoch with `lottning amend` and a new seed",
            "om någon kan ha läst den, öppna en ny epok med `lottning amend` och ett nytt frö",
        )),
    );
}

fn guessable(path: &Path) -> Diagnostic {
    let name = path.display();
    Diagnostic::warning(
        "seed-guessable",
        words!(
            "the seed in {name} was not drawn by lot: it repeats a pattern, counts, or has few different bytes, so that it can be guessed, and every arm with it",
            "fröet i {name} är inte framlottat: det upprepar ett mönster, räknar eller har få olika byte, så att det går att gissa, och varje arm med det"
        ),
    )
    .help(Words::new(
        "use it for trials alone; for a study in earnest name a file that does not exist yet: a seed of the system's entropy is made there",
        "använd det bara för att prova; ange för en studie på allvar en fil som inte finns än, så skapas ett frö av systemets slumptal där",
    ))
}

fn given(path: &Path) -> Diagnostic {
    let name = path.display();
    Diagnostic::warning(
        "seed-given",
        words!(
            "the seed file {name} was there before, and its seed is used: whoever made or read it, or drew from it, can know the arms to come",
            "fröfilen {name} fanns redan, och dess frö används: den som har skapat eller läst den, eller lottat med den, kan veta kommande armar"
        ),
    )
    .help(Words::new(
        "nothing is amiss if this very command made it and was stopped; otherwise name a file that does not exist yet, and a new seed is made there",
        "allt är som det ska om just det här kommandot skapade den och avbröts; ange annars en fil som inte finns än, så skapas ett nytt frö där",
    ))
}

fn shared(other: &Path) -> Diagnostic {
    let name = other.display();
    Diagnostic::warning(
        "seed-shared",
        words!(
            "the study in {name} was opened with this seed: the same study draws the same list, and who is shown the seed of one knows the other's",
            "studien i {name} öppnades med det här fröet: samma studie lottar samma lista, och den som får se den enas frö vet den andras"
        ),
    )
    .help(Words::new(
        "for a study in earnest open it anew in another folder, with a seed file that does not exist yet",
        "öppna en studie på allvar på nytt i en annan mapp, med en fröfil som inte finns än",
    ))
}

/// Studies beside this one whose ledger commits to the seed. What cannot be read at once is passed over, and nothing is changed.
fn opened_with(outside: &Outside, study: &Path, seed: &Seed) -> Vec<PathBuf> {
    let own = absolute(outside, study);
    let beside = own.parent().and_then(|folder| folder.read_dir().ok());
    let mut found: Vec<PathBuf> = beside
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|folder| *folder != own && commits_to(&folder.join(LEDGER_FILE), seed))
        .collect();
    found.sort();
    found
}

fn commits_to(ledger: &Path, seed: &Seed) -> bool {
    let mut found = false;
    let read = read_beside(ledger, &["opened", "epoch-opened"], &mut |entry| {
        let Some((public, _)) = Object::read(&entry.public) else {
            return;
        };
        let hash = public.text("protocol_hash").and_then(bytes);
        let commitment = hash.map(|hash| hex(&seed.commitment(&hash)));
        found |= commitment.is_some() && commitment.as_deref() == public.text("commitment");
    });
    read.is_ok() && found
}

/// 32 bytes of 64 hexadecimal digits.
fn bytes(text: &str) -> Option<[u8; 32]> {
    Seed::from_hex(text).ok().map(|read| *read.bytes())
}
