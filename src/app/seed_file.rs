//! The seed file where a study or an epoch is opened: made for it, or one that was there before.
//!
//! A file that is made is created exclusively, so that no other command can have put its own there meanwhile. One that was
//! there is taken only with a word: its list can be known to whoever made it, read it or opened a study with it before.

use super::exit;
use super::failure::Failure;
use super::open::absolute;
use super::outside::Outside;
use super::study::{LEDGER_FILE, read_seed};
use crate::allocation::Seed;
use crate::diagnostic::{Diagnostic, Words};
use crate::store::read_beside;
use crate::study::journal::{Object, hex};
use crate::words;
use std::path::{Path, PathBuf};

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
