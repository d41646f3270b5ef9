//! Files as a power cut, a full disk or a careless copy leaves them: cut anywhere, copied in the middle of a write.
//!
//! The law: what is read is the ledger up to one of its commits, or an error; never rows that were not committed, never
//! a hole.

use std::path::{Path, PathBuf};

use crate::contract::{append, chain, entry};
use lottning::store::SqliteLedger;
use lottning::study::journal::{Entry, Head, Ledger, LedgerError};
use tempfile::TempDir;

/// Files of a ledger as they lie on the disk: the database and its log.
#[derive(Clone)]
struct Files {
    database: Vec<u8>,
    log: Vec<u8>,
}

impl Files {
    fn of(path: &Path) -> Self {
        Self {
            database: std::fs::read(path).unwrap(),
            log: std::fs::read(log_of(path)).unwrap(),
        }
    }

    /// What a new process reads of them.
    fn read(&self) -> Result<Vec<Entry>, LedgerError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        std::fs::write(&path, &self.database).unwrap();
        std::fs::write(log_of(&path), &self.log).unwrap();
        let mut ledger = SqliteLedger::open(&path)?;
        let mut rows = Vec::new();
        ledger.read_from(1, &mut |entry| rows.push(entry))?;
        Ok(rows)
    }
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// A ledger of 40 rows at rest and then 12 commits of one to three rows that are in its log only; the files and how
/// many rows each commit leaves.
fn logged() -> (Files, Vec<Entry>, Vec<usize>) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let rows = chain(64);
    let mut ledger = SqliteLedger::create(&path).unwrap();
    append(&mut ledger, &Head::EMPTY, &rows[..40]).unwrap();
    drop(ledger);
    let mut ledger = SqliteLedger::open(&path).unwrap();
    let mut commits = vec![40];
    for commit in 0..12 {
        let from = commits[commit];
        let to = from + 1 + commit % 3;
        append(&mut ledger, &rows[from - 1].head(), &rows[from..to]).unwrap();
        commits.push(to);
    }
    assert_eq!(commits.last(), Some(&64));
    (Files::of(&path), rows, commits)
}

#[test]
fn a_log_that_is_cut_anywhere_gives_the_ledger_up_to_a_commit() {
    let (whole, rows, commits) = logged();
    assert_eq!(whole.read().unwrap(), rows);
    // Frames are 24 + 4096 bytes after a header of 32: the places around their ends, and some in between.
    let near = [0, 1, 23, 24, 25, 2048, 4119];
    let cuts = (0..=whole.log.len())
        .filter(|cut| {
            cut.checked_sub(32)
                .is_some_and(|cut| near.contains(&(cut % 4120)))
        })
        .chain([0, 1, 8, 24, 31]);
    let mut seen = vec![false; commits.len()];
    for cut in cuts {
        let mut torn = whole.clone();
        torn.log.truncate(cut);
        let found = torn.read().unwrap();
        let commit = commits.iter().position(|rows| *rows == found.len());
        let commit = commit.unwrap_or_else(|| panic!("{cut} bytes: {} rows", found.len()));
        assert_eq!(found, rows[..found.len()], "{cut} bytes");
        seen[commit] = true;
    }
    assert!(seen.iter().all(|seen| *seen), "{seen:?}");
}

#[test]
fn a_log_with_a_changed_byte_gives_the_ledger_up_to_a_commit_before_it() {
    let (whole, rows, commits) = logged();
    for place in (0..whole.log.len()).step_by(2999) {
        let mut torn = whole.clone();
        torn.log[place] ^= 0x40;
        match torn.read() {
            Ok(found) => {
                assert!(commits.contains(&found.len()), "byte {place}");
                assert_eq!(found, rows[..found.len()], "byte {place}");
            }
            // The log's version is in its header: one that this program does not know is refused.
            Err(error) => assert!(place < 32, "byte {place}: {error}"),
        }
    }
}

#[test]
fn a_database_that_is_cut_anywhere_is_an_error_or_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let rows = chain(200);
    let mut ledger = SqliteLedger::create(&path).unwrap();
    append(&mut ledger, &Head::EMPTY, &rows).unwrap();
    drop(ledger);
    let whole = Files {
        database: std::fs::read(&path).unwrap(),
        log: Vec::new(),
    };
    assert!(whole.database.len() > 16_384, "several pages");
    let cuts = (0..whole.database.len()).filter(|cut| cut % 4096 < 2 || cut % 1511 == 0);
    for cut in cuts.chain([16, 99, 100, 511, 512, 513]) {
        let mut torn = whole.clone();
        torn.database.truncate(cut);
        match torn.read() {
            Err(LedgerError::Missing) => assert_eq!(cut, 0, "only an empty file is no ledger yet"),
            Err(LedgerError::Corrupt(_)) => {}
            other => panic!("{cut} bytes: {other:?}"),
        }
    }
    // With a log that is newer than the database, SQLite may read a missing half page as zeros: then rows have changed,
    // and the chain breaks. It is never a shorter ledger that holds.
    let (logged, rows, _) = logged();
    for cut in (0..logged.database.len()).step_by(1021) {
        let mut torn = logged.clone();
        torn.database.truncate(cut);
        match torn.read() {
            Ok(found) if found == rows => {}
            Ok(found) => {
                let held = rows.iter().zip(&found).take_while(|(a, b)| a == b).count();
                assert!(held < found.len(), "{cut} bytes: a shorter ledger");
            }
            Err(error) => assert!(matches!(error, LedgerError::Corrupt(_)), "{cut}: {error:?}"),
        }
    }
}

/// The files as they lie on the disk after `append` and before `commit`: also when so much was appended that it
/// already went to the log.
#[test]
fn a_power_cut_between_append_and_commit_leaves_what_was_there_before() {
    let payload = format!("{{\"text\":\"{}\"}}", "x".repeat(2000));
    for more in [1, 3000] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let rows = chain(20);
        let mut ledger = SqliteLedger::create(&path).unwrap();
        append(&mut ledger, &Head::EMPTY, &rows).unwrap();
        let mut head = rows[19].head();
        let news: Vec<Entry> = (0..more)
            .map(|_| {
                let row = entry(&head, &payload);
                head = row.head();
                row
            })
            .collect();
        let before = Files::of(&path);
        let mut transaction = ledger.exclusive().unwrap();
        transaction.append(&rows[19].head(), &news).unwrap();
        let cut = Files::of(&path);
        assert_eq!(cut.read().unwrap(), rows, "{more} rows");
        if more > 1 {
            assert!(
                cut.log.len() > before.log.len() + 100_000,
                "the rows are in the log already, without a commit"
            );
        }
        transaction.commit().unwrap();
        let after = Files::of(&path);
        assert_eq!(after.read().unwrap().len(), 20 + more);
    }
}
