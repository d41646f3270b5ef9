//! What only a file can do: be missing, locked, damaged, of another version, or somebody else's.

use std::time::{Duration, Instant};

use crate::contract::{append, chain, entry, read};
use lottning::store::SqliteLedger;
use lottning::study::journal::{Entry, Head, Ledger, LedgerError, Misfit};
use rusqlite::Connection;
use std::path::PathBuf;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    (folder, path)
}

fn filled() -> (TempDir, PathBuf) {
    let (folder, path) = place();
    let mut ledger = SqliteLedger::create(&path).unwrap();
    append(&mut ledger, &Head::EMPTY, &chain(200)).unwrap();
    (folder, path)
}

fn refused(result: Result<SqliteLedger, LedgerError>) -> LedgerError {
    match result {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn a_ledger_is_made_once_and_found_where_it_is() {
    let (_folder, path) = place();
    assert_eq!(refused(SqliteLedger::open(&path)), LedgerError::Missing);
    drop(SqliteLedger::create(&path).unwrap());
    assert_eq!(refused(SqliteLedger::create(&path)), LedgerError::Exists);
    SqliteLedger::open(&path).unwrap();
}

#[test]
fn a_blank_file_is_no_ledger_yet_and_can_become_one() {
    let (_folder, path) = place();
    std::fs::write(&path, "").unwrap();
    assert_eq!(refused(SqliteLedger::open(&path)), LedgerError::Missing);
    drop(SqliteLedger::create(&path).unwrap());
    SqliteLedger::open(&path).unwrap();
}

/// Rows that were told may have been in it, so nothing begins anew in its place.
#[test]
fn a_ledger_whose_table_was_dropped_is_not_begun_anew() {
    let marks = "PRAGMA application_id = 0; PRAGMA user_version = 0;";
    let unmarked = format!("{marks} PRAGMA schema_version = 0;");
    for more in ["", "VACUUM", marks, &unmarked] {
        let (_folder, path) = filled();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("DROP TABLE event").unwrap();
        other.execute_batch(more).unwrap();
        drop(other);
        let misfit = LedgerError::Form(Misfit::Event);
        assert_eq!(refused(SqliteLedger::create(&path)), misfit, "{more}");
        assert!(SqliteLedger::open(&path).is_err());
        let left = Connection::open(&path).unwrap();
        let tables: i64 = left
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0, "nothing was made in it");
    }
}

#[test]
fn settings_are_those_that_survive_a_power_cut() {
    let (_folder, path) = filled();
    let connection = Connection::open(&path).unwrap();
    let mode: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_second_writer_waits_and_then_sees_what_the_first_wrote() {
    let (_folder, path) = filled();
    let mut first = SqliteLedger::open(&path).unwrap();
    let mut transaction = first.exclusive().unwrap();
    let other = path.clone();
    let second = std::thread::spawn(move || {
        let mut ledger = SqliteLedger::open(&other).unwrap();
        let begun = Instant::now();
        let mut transaction = ledger.exclusive().unwrap();
        let waited = begun.elapsed();
        let mut last = 0;
        transaction
            .read_from(1, &mut |entry| last = entry.sequence)
            .unwrap();
        (waited, last)
    });
    std::thread::sleep(Duration::from_millis(300));
    let head = chain(200)[199].head();
    transaction.append(&head, &[entry(&head, "{}")]).unwrap();
    transaction.commit().unwrap();
    let (waited, last) = second.join().unwrap();
    assert_eq!(last, 201, "it waited for the commit");
    assert!(waited < Duration::from_secs(15), "{waited:?}");
}

#[test]
fn patience_ends_as_busy_and_readers_never_wait() {
    let (_folder, path) = filled();
    let mut holder = SqliteLedger::open(&path).unwrap();
    let transaction = holder.exclusive().unwrap();
    let mut other = SqliteLedger::open(&path)
        .unwrap()
        .with_patience(Duration::from_millis(50))
        .unwrap();
    let begun = Instant::now();
    assert!(matches!(
        other.exclusive().map(drop),
        Err(LedgerError::Busy)
    ));
    assert!(begun.elapsed() >= Duration::from_millis(40));
    assert_eq!(read(&mut other, 1).len(), 200, "reading goes on");
    drop(transaction);
    other.exclusive().unwrap();
}

#[test]
fn the_loser_of_a_race_conflicts_when_it_did_not_look_again() {
    let (_folder, path) = filled();
    let head = chain(200)[199].head();
    let (mut one, mut two) = (
        SqliteLedger::open(&path).unwrap(),
        SqliteLedger::open(&path).unwrap(),
    );
    append(&mut one, &head, &[entry(&head, "{\"a\":1}")]).unwrap();
    assert_eq!(
        append(&mut two, &head, &[entry(&head, "{\"a\":2}")]),
        Err(LedgerError::Conflict)
    );
    assert_eq!(read(&mut two, 201).len(), 1);
}

/// Root reads and writes whatever the mode says; then there is nothing to see.
#[cfg(unix)]
#[test]
fn a_ledger_that_cannot_be_written_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = filled();
    let mode = |file: &std::path::Path, mode: u32| {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&path, 0o444);
    mode(folder.path(), 0o555);
    let effective = std::fs::write(folder.path().join("probe"), "").is_err();
    let result = SqliteLedger::open(&path).map(|mut ledger| {
        let rows = read(&mut ledger, 1).len();
        (rows, ledger.exclusive().map(drop))
    });
    mode(folder.path(), 0o755);
    mode(&path, 0o644);
    if effective {
        let (rows, written) = result.unwrap();
        assert_eq!(rows, 200);
        assert!(
            matches!(written, Err(LedgerError::ReadOnly(_))),
            "{written:?}"
        );
    }
}

#[test]
fn a_file_that_is_no_database_or_no_ledger_is_refused_and_kept() {
    let (_folder, path) = place();
    for bytes in [
        &b"not a database, only some text that is long enough to be looked at"[..],
        &[0xff; 5000],
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(
            refused(SqliteLedger::open(&path)),
            LedgerError::Corrupt(_)
        ));
        assert!(matches!(
            refused(SqliteLedger::create(&path)),
            LedgerError::Corrupt(_)
        ));
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is left as it was");
    }
    std::fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE something (x)").unwrap();
    drop(other);
    assert!(matches!(
        refused(SqliteLedger::open(&path)),
        LedgerError::Corrupt(_)
    ));
    assert_eq!(refused(SqliteLedger::create(&path)), LedgerError::Exists);
}

#[test]
fn another_version_is_named_and_refused() {
    let (_folder, path) = filled();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 2").unwrap();
    drop(connection);
    assert_eq!(refused(SqliteLedger::open(&path)), LedgerError::Newer(2));
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 0").unwrap();
    drop(connection);
    let error = refused(SqliteLedger::open(&path)).to_string();
    assert!(
        error.contains("version 0") && error.contains("version 1"),
        "{error}"
    );
}

#[test]
fn a_truncated_or_overwritten_file_is_an_error_and_never_a_shorter_ledger() {
    let (_folder, path) = filled();
    let whole = std::fs::read(&path).unwrap();
    assert!(whole.len() > 16_384, "several pages");
    for keep in [100, 4096, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(&path, &whole[..keep]).unwrap();
        let result = SqliteLedger::open(&path).and_then(|mut ledger| {
            let mut rows = 0;
            ledger.read_from(1, &mut |_| rows += 1)?;
            Ok(rows)
        });
        assert!(
            matches!(result, Err(LedgerError::Corrupt(_))),
            "{keep} bytes: {result:?}"
        );
    }
    let mut holes = whole.clone();
    let middle = holes.len() / 2;
    holes[middle..middle + 4096].fill(0);
    std::fs::write(&path, &holes).unwrap();
    let result = SqliteLedger::open(&path).and_then(|mut ledger| {
        let mut rows = Vec::new();
        ledger.read_from(1, &mut |entry| rows.push(entry))?;
        Ok(rows)
    });
    assert!(result.is_err() || result.unwrap() != chain(200));
}

/// SQLite reads zeros where the last page is cut; a file that is no whole pages, or fewer than it says, is refused before.
#[test]
fn a_file_that_lost_its_end_is_refused() {
    let (_folder, path) = filled();
    let whole = std::fs::read(&path).unwrap();
    for cut in [1, 10, 60, 200, 4096, 4097] {
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let refused = refused(SqliteLedger::open(&path));
        assert!(
            matches!(refused, LedgerError::Corrupt(_)),
            "{cut}: {refused}"
        );
    }
    std::fs::write(&path, &whole).unwrap();
    assert!(SqliteLedger::open(&path).is_ok());
}

#[test]
fn odd_bytes_come_back_as_something_that_cannot_chain() {
    let (_folder, path) = filled();
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "UPDATE event SET actor = CAST(x'ff41' AS TEXT) WHERE sequence = 1;
             UPDATE event SET payload = CAST(x'7bff7d' AS TEXT) WHERE sequence = 2;
             UPDATE event SET salt = x'00' WHERE sequence = 3;
             UPDATE event SET hash = x'0011' WHERE sequence = 4;
             UPDATE event SET payload_hash = zeroblob(1000) WHERE sequence = 5;
             UPDATE event SET sequence = -7 WHERE sequence = 6;",
        )
        .unwrap();
    drop(connection);
    let mut ledger = SqliteLedger::open(&path).unwrap();
    let rows = read(&mut ledger, 1);
    assert_eq!(
        rows[0].sequence, 0,
        "a row before the first is not overlooked"
    );
    let whole = chain(200);
    for (row, number) in rows[1..6].iter().zip(0..) {
        assert_ne!(*row, whole[number]);
        let broken = Entry::hash_payload(&row.salt.unwrap(), row.payload.as_ref().unwrap())
            != row.payload_hash
            || row.chained(
                &number
                    .checked_sub(1)
                    .map_or([0; 32], |before| whole[before].hash),
                &[1; 32],
            ) != row.hash;
        assert!(broken, "row {}", row.sequence);
    }
}
