//! A study folder: `protocol.toml` sealed, `ledger.sqlite`, and the fold of both. Every verb that reads or writes a
//! study goes through here.
//!
//! How it is written to is `super::writing`'s business.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::projection::{self, Reach};
use super::sealed::{later_epochs, protocol_changed, sealed_protocol};
use super::seed_file::read_seeds;
use crate::allocation::Seed;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::journal::{Corrupt, Entry, Journal, Ledger, LedgerError, Misfit, Recording, hex};
use crate::words;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the ledger in a study folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";
/// Code of the refusal of a database that is not the one table of a ledger.
pub(super) const LEDGER_FORM: &str = "ledger-form";

/// Who acts, and when: the arguments that every writing verb takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Act {
    /// The actor's id.
    pub actor: String,
    /// RFC 3339 with offset; `None` is now.
    pub at: Option<String>,
}

/// A study, open for reading and writing.
#[derive(Debug)]
pub struct Study {
    /// Its folder, as the person gave it.
    pub folder: PathBuf,
    /// The fold of its ledger.
    pub journal: Journal,
    pub(super) ledger: Box<dyn Ledger>,
    /// The row of the stored projection, 0 without one; `None` where none is kept.
    pub(super) projected: Option<u64>,
    /// The seed in force, where it is there to vouch for a projection.
    pub(super) seed: Option<Seed>,
}

/// What a use case wants recorded, and its answer.
#[derive(Debug)]
pub struct Work<T> {
    /// Events, in order; empty when nothing is to be recorded.
    pub recordings: Vec<Recording>,
    /// The answer.
    pub answer: T,
}

impl Study {
    /// Opens the study in a folder, by way of its stored projection if there is one that fits.
    ///
    /// # Errors
    /// No study there (exit 7), a protocol that cannot be read (3), a ledger that does not hold together (8).
    pub fn load(outside: &Outside, folder: &Path) -> Result<Self, Failure> {
        Self::projected(outside, folder, Reach::Whole)
    }

    /// Opens the study in a folder to write to it: of a stored projection only what is asked for is read, so that a
    /// command costs about the same in a large study as in a small one. Nothing but [`Study::write`] may decide by it.
    ///
    /// # Errors
    /// As [`Study::load`].
    pub fn load_to_write(outside: &Outside, folder: &Path) -> Result<Self, Failure> {
        Self::projected(outside, folder, Reach::Touched)
    }

    /// As [`Study::load_to_write`], to draw with the seed in force: a stored projection for which this seed does not vouch
    /// is passed over, and the rows are folded. Whether it is the seed that the study committed to is for the caller to check.
    ///
    /// # Errors
    /// As [`Study::load`].
    pub(super) fn load_to_draw(
        outside: &Outside,
        folder: &Path,
        seed: &Seed,
    ) -> Result<Self, Failure> {
        Self::projected(outside, folder, Reach::Drawn(seed))
    }

    fn projected(outside: &Outside, folder: &Path, reach: Reach<'_>) -> Result<Self, Failure> {
        let mut ledger: Box<dyn Ledger> = Box::new(projection::open_ledger(outside, folder)?);
        if let Some((journal, rows)) = projection::load(outside, folder, &mut *ledger, reach)? {
            let projected = Some(rows);
            let own = Self::empty(folder, journal, ledger);
            return Ok(Self { projected, ..own });
        }
        Self::folded(outside, folder, ledger)
    }

    /// Opens the study in a folder by folding every row, whatever projection is stored: for what certifies the ledger.
    ///
    /// # Errors
    /// As [`Study::load`].
    pub fn load_whole(outside: &Outside, folder: &Path) -> Result<Self, Failure> {
        let mut ledger = projection::open_ledger(outside, folder)?;
        projection::refuse_lost(outside, folder, &mut ledger)?;
        Self::folded(outside, folder, Box::new(ledger))
    }

    fn folded(
        outside: &Outside,
        folder: &Path,
        mut ledger: Box<dyn Ledger>,
    ) -> Result<Self, Failure> {
        let failed = |error: LedgerError| ledger_failure(&error, folder);
        let mut entries = Vec::new();
        ledger
            .read_from(1, &mut |entry| entries.push(entry))
            .map_err(failed)?;
        if entries.is_empty() {
            return Err(projection::without_rows(outside, folder));
        }
        let protocol = sealed_protocol(outside, folder, later_epochs(&entries))?;
        let mut own = Self::empty(folder, Journal::new(protocol), ledger);
        own.absorb(&entries)?;
        own.projected = Some(0);
        Ok(own)
    }

    /// A study of a protocol and a ledger, wherever its bytes live.
    ///
    /// # Errors
    /// As [`Study::load`].
    pub fn of(
        folder: &Path,
        protocol: Arc<Protocol>,
        ledger: Box<dyn Ledger>,
    ) -> Result<Self, Failure> {
        let mut own = Self {
            folder: folder.to_path_buf(),
            journal: Journal::new(protocol),
            ledger,
            projected: None,
            seed: None,
        };
        own.catch_up()?;
        if own.journal.opening.is_none() {
            return Err(not_open(folder));
        }
        Ok(own)
    }

    /// A study whose ledger is empty, for its first event.
    pub(super) fn empty(folder: &Path, journal: Journal, ledger: Box<dyn Ledger>) -> Self {
        Self {
            folder: folder.to_path_buf(),
            journal,
            ledger,
            projected: None,
            seed: None,
        }
    }

    /// The sealed protocol.
    pub fn protocol(&self) -> &Protocol {
        &self.journal.protocol
    }

    /// Every entry of the ledger.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn entries(&mut self) -> Result<Vec<Entry>, Failure> {
        let mut entries = Vec::new();
        self.ledger
            .read_from(1, &mut |entry| entries.push(entry))
            .map_err(|error| ledger_failure(&error, &self.folder))?;
        Ok(entries)
    }

    /// Removes what erasures left outside the rows; gives whether nothing is left of it.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub(super) fn scrub(&mut self) -> Result<bool, Failure> {
        self.ledger
            .scrub()
            .map_err(|error| ledger_failure(&error, &self.folder))
    }

    pub(super) fn absorb(&mut self, entries: &[Entry]) -> Result<(), Failure> {
        self.journal
            .absorb(entries)
            .map_err(|corrupt| unreadable(&corrupt, &self.folder))
    }

    /// Reads the seeds of all epochs from files, in the order of the epochs, and checks their commitments.
    ///
    /// # Errors
    /// A file that is missing, is no seed, or does not fit its commitment: exit 9. The seed is never shown.
    pub fn seeds(&self, outside: &Outside, files: &[PathBuf]) -> Result<Vec<Seed>, Failure> {
        let seeds = read_seeds(outside, files)?;
        self.check_seeds(&seeds)?;
        Ok(seeds)
    }

    fn check_seeds(&self, seeds: &[Seed]) -> Result<(), Failure> {
        let commitments = self.commitments();
        if seeds.len() != commitments.len() {
            let message = seeds_needed(commitments.len(), seeds.len());
            return Err(
                Failure::new(exit::SEED, "seed-missing", message).help(Words::new(
                    "give one --seed-file per epoch, in their order",
                    "ange en --seed-file per epok, i deras ordning",
                )),
            );
        }
        for (epoch, seed) in seeds.iter().enumerate() {
            if !self.committed(epoch as u32, seed) {
                return Err(self.misfit(epoch as u32, seed));
            }
        }
        Ok(())
    }

    /// The seed of the epoch in force, out of it alone or the seeds of all epochs; a beacon is not in it.
    ///
    /// # Errors
    /// As [`Study::seeds`].
    pub(super) fn seed_in_force<'a>(&self, seeds: &'a [Seed]) -> Result<&'a Seed, Failure> {
        if seeds.len() != 1 {
            self.check_seeds(seeds)?;
        }
        let epoch = self.journal.state.epoch;
        match seeds.last() {
            Some(own) if self.committed(epoch, own) => Ok(own),
            Some(other) => Err(self.misfit(epoch, other)),
            None => Err(seed_mismatch(epoch)),
        }
    }

    /// Why a seed is not that of an epoch: the study may have been amended since its file was named.
    fn misfit(&self, epoch: u32, seed: &Seed) -> Failure {
        let Some(of) = (0..epoch).find(|own| self.committed(*own, seed)) else {
            return seed_mismatch(epoch);
        };
        Failure::new(
            exit::SEED,
            "seed-mismatch",
            words!(
                "the study was amended: epoch {epoch} has a seed of its own, and the one that was given is that of epoch {of}; nothing was recorded",
                "studien har ändrats: epok {epoch} har ett eget frö, och det som angavs är fröet för epok {of}; inget har registrerats"
            ),
        )
        .help(words!(
            "run the same command again with the seed file that `lottning amend` made for epoch {epoch}",
            "kör samma kommando igen med fröfilen som `lottning amend` skapade för epok {epoch}"
        ))
    }

    /// Commitments to the seeds of the epochs that are open or were.
    pub(super) fn commitments(&self) -> &[String] {
        let opening = self.journal.opening.as_ref();
        opening.map_or(&[], |opening| opening.commitments.as_slice())
    }

    /// Whether a seed is the one that an epoch committed to.
    pub(super) fn committed(&self, epoch: u32, seed: &Seed) -> bool {
        let hash = &self.journal.protocol.in_epoch(epoch).hash.0;
        self.commitments().get(epoch as usize) == Some(&hex(&seed.commitment(hash)))
    }
}

/// That the number of seed files is not the number of epochs.
pub fn seeds_needed(needed: usize, given: usize) -> Words {
    words!(
        "seed files needed: {needed}, one for each epoch; given: {given}",
        "fröfiler som behövs: {needed}, en för varje epok; angivna: {given}"
    )
}

fn seed_mismatch(epoch: u32) -> Failure {
    Failure::new(
        exit::SEED,
        "seed-mismatch",
        words!(
            "the seed of epoch {epoch} is not the one that this study committed to",
            "fröet för epok {epoch} är inte det som studien har utfäst"
        ),
    )
    .help(Words::new(
        "give the file that `open` or `amend` created for this epoch; a lost seed means a new epoch",
        "ange filen som `open` eller `amend` skapade för epoken; ett förlorat frö kräver en ny epok",
    ))
}

pub(super) fn not_open(folder: &Path) -> Failure {
    let folder = folder.display();
    Failure::new(
        exit::WRONG_STATE,
        "not-open",
        words!(
            "there is no open study in {folder}",
            "det finns ingen öppnad studie i {folder}"
        ),
    )
    .help(Words::new(
        "name its folder with --study, or open a study with `lottning open`",
        "ange dess mapp med --study, eller öppna en studie med `lottning open`",
    ))
}

pub(super) fn unreadable(corrupt: &Corrupt, folder: &Path) -> Failure {
    if let Some((epoch, hash)) = &corrupt.sealed {
        return protocol_changed(folder, (*epoch, corrupt.sequence), hash);
    }
    let (sequence, folder) = (corrupt.sequence, folder.display());
    let Words { en, sv } = &corrupt.reason;
    Failure::new(
        exit::VERIFICATION_FAILED,
        "ledger-broken",
        words!(
            "the ledger in {folder} does not hold together at event {sequence}: {en}",
            "liggaren i {folder} håller inte ihop vid händelse {sequence}: {sv}"
        ),
    )
    .help(Words::new(
        "record nothing more, keep the folder as it is, and run `lottning verify`",
        "registrera inget mer, behåll mappen som den är och kör `lottning verify`",
    ))
}

/// A database with something in it that could change what is read or written without a trace in the rows.
fn misfit(misfit: Misfit, folder: &Path) -> Failure {
    let (en, sv) = match misfit {
        Misfit::Event => (
            "its table `event` is missing or is not as a ledger's",
            "dess tabell `event` saknas eller är inte som en liggares",
        ),
        Misfit::Table => (
            "it holds another table beside `event`",
            "den innehåller en annan tabell bredvid `event`",
        ),
        Misfit::View => ("it holds a view", "den innehåller en vy"),
        Misfit::Trigger => ("it holds a trigger", "den innehåller en trigger"),
        Misfit::Index => ("it holds an index", "den innehåller ett index"),
        Misfit::Encoding => ("its text is not UTF-8", "dess text är inte UTF-8"),
        Misfit::Row => (
            "a row was not kept as it was written",
            "en rad bevarades inte som den skrevs",
        ),
    };
    let name = folder.display();
    Failure::new(
        exit::VERIFICATION_FAILED,
        LEDGER_FORM,
        words!(
            "the database in {name} is not of the form of a ledger: {en}; nothing was recorded and nothing is told from it",
            "databasen i {name} har inte en liggares form: {sv}; inget har registrerats och inget uppges ur den"
        ),
    )
    .help(Words::new(
        "draw nobody; keep a copy of the folder, find out who changed the file (`SELECT type, name, sql FROM sqlite_schema`), and restore a copy that `lottning verify` accepts",
        "lotta ingen; behåll en kopia av mappen, ta reda på vem som har ändrat filen (`SELECT type, name, sql FROM sqlite_schema`) och återställ en kopia som `lottning verify` godtar",
    ))
}

pub(super) fn ledger_failure(error: &LedgerError, folder: &Path) -> Failure {
    let name = folder.display();
    match error {
        LedgerError::Missing => not_open(folder),
        LedgerError::Form(own) => misfit(*own, folder),
        LedgerError::Busy | LedgerError::Conflict => Failure::new(
            exit::BUSY,
            "busy",
            Words::new(
                "another command is writing to the study; nothing was recorded",
                "ett annat kommando skriver till studien; inget har registrerats",
            ),
        )
        .help(Words::new(
            "run the same command again: it is safe",
            "kör samma kommando igen: det är riskfritt",
        )),
        LedgerError::Exists => Failure::new(
            exit::WRONG_STATE,
            "already-open",
            words!("there is a study in {name} already", "det finns redan en studie i {name}"),
        )
        .help(Words::new(
            "a study is opened once; choose another folder for another study",
            "en studie öppnas en gång; välj en annan mapp för en annan studie",
        )),
        LedgerError::ReadOnly(Words { en, sv }) => Failure::new(
            exit::UNEXPECTED,
            "ledger-read-only",
            words!(
                "the ledger in {name} cannot be written ({en}); nothing was recorded",
                "liggaren i {name} kan inte skrivas ({sv}); inget har registrerats"
            ),
        )
        .help(Words::new(
            "check the permissions of the folder and its files",
            "kontrollera behörigheterna för mappen och dess filer",
        )),
        LedgerError::Full => Failure::new(
            exit::UNEXPECTED,
            "disk-full",
            Words::new(
                "the disk is full; nothing was recorded",
                "disken är full; inget har registrerats",
            ),
        )
        .help(Words::new("make room and run the command again", "frigör plats och kör kommandot igen")),
        LedgerError::Unwritten(Words { en, sv }) => Failure::new(
            exit::UNEXPECTED,
            "disk-write",
            words!(
                "the disk did not take what was to be written to the ledger in {name} ({en})",
                "disken tog inte emot det som skulle skrivas till liggaren i {name} ({sv})"
            ),
        )
        .help(Words::new(
            "look for a limit on the size of files, a quota or a failing disk; then run the same command again: it tells whether this one was recorded",
            "leta efter en gräns för filers storlek, en kvot eller en trasig disk; kör sedan samma kommando igen: det berättar om detta registrerades",
        )),
        LedgerError::Newer(version) => Failure::new(
            exit::VERIFICATION_FAILED,
            "ledger-newer",
            words!(
                "the ledger in {name} has a form of version {version}, which this program does not know; nothing was read or recorded",
                "liggaren i {name} har en form av version {version}, som det här programmet inte känner till; inget har lästs eller registrerats"
            ),
        )
        .help(Words::new(
            "use the newer program that wrote it, or a later one (`lottning --version`); the file need not be damaged, so leave it as it is",
            "använd det nyare program som skrev den, eller ett senare (`lottning --version`); filen behöver inte vara skadad, så lämna den som den är",
        )),
        LedgerError::Corrupt(Words { en, sv }) => Failure::new(
            exit::VERIFICATION_FAILED,
            "ledger-damaged",
            words!(
                "the ledger in {name} cannot be read ({en})",
                "liggaren i {name} kan inte läsas ({sv})"
            ),
        )
        .help(Words::new(
            "record nothing more; keep a copy of the file as it is, then restore a backup and compare its head",
            "registrera inget mer; spara en kopia av filen som den är, återställ sedan en säkerhetskopia och jämför dess huvud",
        )),
    }
}
