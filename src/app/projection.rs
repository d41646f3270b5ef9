//! The stored projection of a study folder: the fold of its ledger, kept now and then by who writes.
//!
//! It only saves time. A projection that is not there, not whole, or of another program or protocol is passed over, and
//! the rows are folded from the first one. `verify` never trusts it. But one that was made of rows that the ledger does not
//! have shows that rows were lost, and then nothing is drawn: families would be drawn a second time.
//!
//! There are two files. Who enrols has the seed, and vouches with it for the one that enrolment is decided by: whoever can
//! write to the folder and has no seed cannot move a draw with it. The other commands have no seed; they keep the other file
//! and read the newer of the two.

use super::exit;
use super::failure::Failure;
use super::open::has_events;
use super::outside::Outside;
use super::sealed::{later_epochs, protocol_file, sealed_protocol};
use super::study::{LEDGER_FILE, Study, ledger_failure, not_open};
use crate::allocation::Seed;
use crate::store::SqliteLedger;
use crate::study::journal::{Bytes, Entry, Journal, Ledger, LedgerError, Stored};
use crate::study::verify::Named;
use crate::words;
use std::path::{Path, PathBuf};

/// Name of the projection in a study folder that commands without a seed keep.
const PROJECTION_FILE: &str = "ledger.projection";
/// Name of the projection that the seed in force vouches for.
const VOUCHED_FILE: &str = "ledger.projection.enrolment";
const FILES: [&str; 2] = [PROJECTION_FILE, VOUCHED_FILE];
/// Name of the file that says, ever after, that a study was opened in a folder.
const OPENED_FILE: &str = "ledger.opened";
/// What stands in it, for whoever looks into the folder.
const OPENED: &str = "\
A study was opened in this folder. If ledger.sqlite is gone or empty, its rows were lost: put a copy back, open nothing anew.
En studie öppnades i den här mappen. Om ledger.sqlite saknas eller är tom har dess rader gått förlorade: lägg tillbaka en kopia, \
öppna inget på nytt.
";

/// When a projection is worth its writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// At the end of a command: every later one folds the rows since.
    End,
    /// Of a study that stays open, whose fold is in memory.
    Way,
}

impl Pace {
    /// Rows since the last projection.
    fn due(self, head: u64) -> u64 {
        match self {
            Self::End => (head / 1024).max(256),
            Self::Way => (head / 256).max(1024),
        }
    }
}

/// Every stored projection: the name of its file, and its bytes.
pub(super) fn stored(outside: &Outside, folder: &Path) -> Vec<Named> {
    let own = FILES.map(|name| Some((name, outside.regular(folder.join(name))?)));
    own.into_iter().flatten().collect()
}

/// How much of a projection is brought into memory, and what it is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach<'a> {
    /// All of it, to read.
    Whole,
    /// What is asked for ([`Journal::is_doubtful`]), to write without a seed.
    Touched,
    /// As much, to draw: of the projection that this seed vouches for.
    Drawn(&'a Seed),
}

/// The fold of a ledger by way of its projection, and the last row that this one was made from; `None` if the rows must be
/// folded.
///
/// # Errors
/// A projection of rows that the ledger does not have (exit 8).
///
/// An erasure takes names out of earlier rows, and the correction of a link takes the link out: a projection from before
/// either is removed at once.
pub(super) fn load(
    outside: &Outside,
    folder: &Path,
    ledger: &mut dyn Ledger,
    reach: Reach<'_>,
) -> Result<Option<(Journal, u64)>, Failure> {
    let mut newest: Option<Stored> = None;
    for name in FILES {
        let path = folder.join(name);
        let bytes: Option<Box<dyn Bytes>> = match reach {
            Reach::Whole => outside.regular(path).map(|bytes| Box::new(bytes) as _),
            Reach::Touched | Reach::Drawn(_) => outside.pages(&path).map(|own| Box::new(own) as _),
        };
        let Some(own) = bytes.and_then(Stored::read) else {
            continue;
        };
        continues(&own, (folder, name), ledger)?;
        let usable = match reach {
            Reach::Whole | Reach::Touched => true,
            Reach::Drawn(seed) => own.is_vouched_for_by(seed),
        };
        let rows = own.head().sequence;
        if usable
            && newest
                .as_ref()
                .is_none_or(|other| other.head().sequence < rows)
        {
            newest = Some(own);
        }
    }
    Ok(newest.and_then(|own| {
        let rows = own.head().sequence;
        Some((taken_up(outside, folder, ledger, (own, reach))?, rows))
    }))
}

/// Refuses a ledger that does not have the row of a projection's head, or has another one there: rows were lost, or the
/// ledger was replaced.
///
/// # Errors
/// Such a ledger: exit 8.
pub(super) fn refuse_lost(
    outside: &Outside,
    folder: &Path,
    ledger: &mut dyn Ledger,
) -> Result<(), Failure> {
    for name in FILES {
        let bytes = outside.pages(&folder.join(name));
        if let Some(stored) = bytes.and_then(|bytes| Stored::read(Box::new(bytes))) {
            continues(&stored, (folder, name), ledger)?;
        }
    }
    Ok(())
}

fn continues(
    stored: &Stored,
    (folder, file): (&Path, &str),
    ledger: &mut dyn Ledger,
) -> Result<(), Failure> {
    let head = stored.head();
    let mut own = None;
    let mut first = |row: Entry| {
        own.get_or_insert(row.head());
    };
    // A ledger that cannot be read says so where its rows are folded.
    let none = head.sequence == 0;
    if none || ledger.read_from(head.sequence, &mut first).is_err() || own == Some(head) {
        return Ok(());
    }
    let (name, rows) = (folder.display(), head.sequence);
    Err(Failure::new(
        exit::VERIFICATION_FAILED,
        "rows-missing",
        words!(
            "rows of the ledger in {name} are missing, or it was replaced: `{file}` beside it was made of {rows} rows whose last one is not in it; nothing was recorded",
            "rader saknas i liggaren i {name}, eller så har den bytts ut: `{file}` bredvid den gjordes av {rows} rader vars sista inte finns i den; inget har registrerats"
        ),
    )
    .help(words!(
        "put the newest `ledger.sqlite` back, with its `-wal`; only if those rows are lost for good: note it, compare `lottning verify` with a head that was kept elsewhere, keep a copy of the folder, then remove `{file}`",
        "lägg tillbaka den senaste `ledger.sqlite`, med dess `-wal`; bara om raderna är förlorade för gott: anteckna det, jämför `lottning verify` med ett huvud som sparats på annat håll, behåll en kopia av mappen och ta sedan bort `{file}`"
    )))
}

fn taken_up(
    outside: &Outside,
    folder: &Path,
    ledger: &mut dyn Ledger,
    (stored, reach): (Stored, Reach<'_>),
) -> Option<Journal> {
    let protocol = sealed_protocol(outside, folder, stored.later_epochs()).ok()?;
    let mut rows: Vec<Entry> = Vec::new();
    ledger
        .read_from(stored.head().sequence, &mut |row| rows.push(row))
        .ok()?;
    let (last, later) = rows.split_first()?;
    if last.head() != stored.head() || later_epochs(later) > 0 {
        return None;
    }
    let mut journal = match reach {
        Reach::Whole => stored.whole_journal(&protocol)?,
        Reach::Touched | Reach::Drawn(_) => stored.journal(&protocol)?,
    };
    if later.iter().any(|row| journal.must_begin_anew(row)) {
        discard(outside, folder);
        return None;
    }
    journal.absorb(later).ok()?;
    (!journal.is_doubtful()).then_some(journal)
}

/// Leaves the file that says that a study was opened in a folder, if it is not there: to be called once its first row is
/// committed. It names nobody, and no erasure removes it.
///
/// # Errors
/// It cannot be written.
pub(super) fn mark_opened(outside: &Outside, folder: &Path) -> Result<(), Failure> {
    let file = folder.join(OPENED_FILE);
    if outside.exists(&file) {
        return Ok(());
    }
    outside.write_private(file, OPENED.as_bytes())
}

/// The ledger of a study folder.
///
/// # Errors
/// No study there (exit 7); a ledger that is damaged, or that lost its rows (8).
pub(super) fn open_ledger(outside: &Outside, folder: &Path) -> Result<SqliteLedger, Failure> {
    let path = outside.path(folder).join(LEDGER_FILE);
    // SQLite would write to an empty file, and what is left is to be kept as it is.
    if std::fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
        refuse_emptied(outside, folder)?;
    }
    SqliteLedger::open(&path).map_err(|error| match error {
        LedgerError::Missing => without_rows(outside, folder),
        other => ledger_failure(&other, folder),
    })
}

/// What is said of a folder whose ledger has no row.
pub(super) fn without_rows(outside: &Outside, folder: &Path) -> Failure {
    match refuse_emptied(outside, folder) {
        Err(lost) => lost,
        Ok(()) if outside.exists(folder.join(protocol_file(0))) => unfinished(folder),
        Ok(()) => not_open(folder),
    }
}

/// A sealed protocol without a row, and nothing that says that there was one: `open` seals before it commits.
fn unfinished(folder: &Path) -> Failure {
    let name = folder.display();
    Failure::new(
        exit::VERIFICATION_FAILED,
        "ledger-missing",
        words!(
            "{name} holds a protocol and no event of a study: its ledger was lost, or `open` never finished there",
            "{name} innehåller ett protokoll men ingen händelse i en studie: liggaren har gått förlorad, eller så blev `open` aldrig klart där"
        ),
    )
    .help(words!(
        "if the study was ever opened (a receipt of `open`, a family that was drawn), draw nobody and put a copy of `{LEDGER_FILE}` back, with its `-wal`; only if `open` never answered, run that very command again",
        "om studien någonsin har öppnats (ett kvitto från `open`, en lottad familj), lotta ingen och lägg tillbaka en kopia av `{LEDGER_FILE}`, med dess `-wal`; bara om `open` aldrig svarade, kör just det kommandot igen"
    ))
}

/// Refuses a folder whose ledger has no row if it holds a file that only a study with rows has: they were lost.
///
/// # Errors
/// Such a folder: exit 8.
pub(super) fn refuse_emptied(outside: &Outside, folder: &Path) -> Result<(), Failure> {
    let [one, other] = FILES.map(PathBuf::from);
    let left = [OPENED_FILE.into(), one, other, protocol_file(1)];
    if !left.iter().any(|name| outside.exists(folder.join(name))) {
        return Ok(());
    }
    // Another command may have opened the study since its ledger was looked at.
    if has_events(&outside.path(folder).join(LEDGER_FILE), folder)? {
        return Ok(());
    }
    Err(lost(
        folder,
        outside.exists(outside.path(folder).join(LEDGER_FILE)),
    ))
}

/// A study that had rows has none: its ledger is gone, or is there and empty.
fn lost(folder: &Path, there: bool) -> Failure {
    let name = folder.display();
    let message = if there {
        words!(
            "the ledger in {name} has no event, and files beside it show that it had some: it was emptied, or another stands in its place",
            "liggaren i {name} har ingen händelse, och filer bredvid den visar att den har haft händelser: den har tömts, eller så står en annan i dess ställe"
        )
    } else {
        words!(
            "the ledger in {name} is gone: there is no `{LEDGER_FILE}`, and files beside it show that the study was opened",
            "liggaren i {name} är borta: `{LEDGER_FILE}` finns inte, och filer bredvid visar att studien har öppnats"
        )
    };
    Failure::new(exit::VERIFICATION_FAILED, "ledger-missing", message).help(words!(
        "draw nobody; put the newest copy of `{LEDGER_FILE}` back, with its `-wal`, and compare its head with one that was kept (`lottning verify --expect-head`)",
        "lotta ingen; lägg tillbaka den senaste kopian av `{LEDGER_FILE}`, med dess `-wal`, och jämför dess huvud med ett som har sparats (`lottning verify --expect-head`)"
    ))
}

/// Removes the projections.
pub(super) fn discard(outside: &Outside, folder: &Path) {
    for name in FILES {
        outside.discard(folder.join(name));
    }
}

impl Study {
    /// Keeps the projection at the end of a command, if enough rows have come since the last one. Failing to do so is no
    /// failure, and being killed meanwhile loses nothing: to be called once the answer has been told.
    ///
    /// It is written under the ledger's lock, so that no erasure comes in between and nothing that was erased comes back.
    pub fn keep(&mut self, outside: &Outside) {
        if self.journal.head.sequence > 0 {
            // One that an earlier version opened, or an `open` that was killed after its commit.
            let _ = mark_opened(outside, &self.folder);
        }
        self.keep_at(outside, Pace::End);
    }

    /// As [`Study::keep`], less often: after each answer of a study that stays open.
    pub fn keep_on_the_way(&mut self, outside: &Outside) {
        self.keep_at(outside, Pace::Way);
    }

    fn keep_at(&mut self, outside: &Outside, pace: Pace) {
        let head = self.journal.head;
        let due = pace.due(head.sequence);
        if self
            .projected
            .is_none_or(|before| head.sequence < before + due)
        {
            return;
        }
        self.projected = Some(head.sequence);
        let Some(bytes) = self.journal.projection(self.seed.as_ref()) else {
            return;
        };
        let Ok(mut transaction) = self.ledger.exclusive() else {
            return;
        };
        let mut rows: Vec<Entry> = Vec::new();
        let read = transaction.read_from(head.sequence, &mut |row| rows.push(row));
        let Some((own, later)) = rows.split_first().filter(|_| read.is_ok()) else {
            return;
        };
        let stays =
            own.head() == head && !later.iter().any(|row| self.journal.must_begin_anew(row));
        let name = match self.seed {
            Some(_) => VOUCHED_FILE,
            None => PROJECTION_FILE,
        };
        let path = self.folder.join(name);
        if stays && !is_newer(outside, &path, self.seed.as_ref(), head.sequence) {
            outside.keep(&path, &bytes);
        }
    }
}

/// Whether a file holds a projection of more rows, for which the seed vouches if one is given.
fn is_newer(outside: &Outside, path: &Path, seed: Option<&Seed>, rows: u64) -> bool {
    let bytes = outside.pages(path);
    let stored = bytes.and_then(|bytes| Stored::read(Box::new(bytes)));
    stored.is_some_and(|own| {
        own.head().sequence > rows && seed.is_none_or(|seed| own.is_vouched_for_by(seed))
    })
}
