//! The form of the database is part of a ledger: one table as it was made, and nothing that changes what is read or kept.

use std::path::Path;

use crate::contract::{append, chain, entry, read};
use lottning::store::SqliteLedger;
use lottning::study::journal::{Head, Ledger, LedgerError, Misfit};
use rusqlite::Connection;
use tempfile::TempDir;

const COLUMNS: &str = "sequence, time, actor, kind, public, payload, salt, payload_hash, hash";

fn filled() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let mut ledger = SqliteLedger::create(&path).unwrap();
    append(&mut ledger, &Head::EMPTY, &chain(20)).unwrap();
    (folder, path)
}

fn stranger(path: &Path, statements: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(statements).unwrap();
}

/// The table as its schema keeps it, with one text in place of another.
fn remade(path: &Path, from: &str, to: &str) -> String {
    let connection = Connection::open(path).unwrap();
    let made: String = connection
        .query_row("SELECT sql FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert!(made.contains(from), "{made}");
    format!(
        "ALTER TABLE event RENAME TO old; {};
         INSERT INTO event ({COLUMNS}) SELECT * FROM old; DROP TABLE old",
        made.replacen(from, to, 1)
    )
}

fn refused<T>(result: Result<T, LedgerError>, misfit: Misfit, what: &str) {
    match result {
        Err(error) => assert_eq!(error, LedgerError::Form(misfit), "{what}"),
        Ok(_) => panic!("{what}: taken for a ledger"),
    }
}

/// What is made, and what of it is named.
const MADE: [(&str, Misfit); 14] = [
    ("CREATE VIEW v AS SELECT 1", Misfit::View),
    (
        "ALTER TABLE event RENAME TO h; CREATE VIEW event AS SELECT * FROM h",
        Misfit::Table,
    ),
    (
        "DROP TABLE event; CREATE VIEW event AS SELECT 1 AS sequence",
        Misfit::View,
    ),
    (
        "CREATE TRIGGER t BEFORE INSERT ON event BEGIN SELECT raise(IGNORE); END",
        Misfit::Trigger,
    ),
    (
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event WHERE sequence = new.sequence; END",
        Misfit::Trigger,
    ),
    (
        "CREATE TRIGGER t AFTER UPDATE ON event BEGIN UPDATE event SET payload = old.payload WHERE sequence = old.sequence; END",
        Misfit::Trigger,
    ),
    ("CREATE INDEX i ON event (payload)", Misfit::Index),
    ("CREATE TABLE other (x)", Misfit::Table),
    (
        "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE a",
        Misfit::Table,
    ),
    ("CREATE VIRTUAL TABLE f USING fts5(x)", Misfit::Table),
    ("ALTER TABLE event ADD COLUMN more TEXT", Misfit::Event),
    (
        "ALTER TABLE event ADD COLUMN more TEXT AS (kind) VIRTUAL",
        Misfit::Event,
    ),
    (
        "ALTER TABLE event RENAME COLUMN actor TO who",
        Misfit::Event,
    ),
    ("DROP TABLE event", Misfit::Event),
];

#[test]
fn a_database_with_anything_but_the_table_is_refused() {
    for (made, misfit) in MADE {
        let (_folder, path) = filled();
        // A process that had the ledger open before finds it too, whatever it does next.
        let mut open = SqliteLedger::open(&path).unwrap();
        stranger(&path, made);
        refused(SqliteLedger::open(&path), misfit, made);
        refused(open.read_from(1, &mut |_| panic!("a row")), misfit, made);
        refused(open.picture(&mut |_| panic!("rows")), misfit, made);
        refused(open.exclusive().map(drop), misfit, made);
        if made != "DROP TABLE event" {
            let again = SqliteLedger::create(&path).map(drop);
            assert_eq!(again, Err(LedgerError::Exists), "{made}");
        }
    }
}

#[test]
fn a_table_of_other_rules_is_refused() {
    for (from, to) in [
        (") STRICT", ")"),
        (") STRICT", ") STRICT, WITHOUT ROWID"),
        (
            "INTEGER PRIMARY KEY",
            "INTEGER PRIMARY KEY ON CONFLICT IGNORE",
        ),
        (
            "INTEGER PRIMARY KEY",
            "INTEGER PRIMARY KEY ON CONFLICT REPLACE",
        ),
        ("TEXT NOT NULL", "TEXT"),
        ("TEXT NOT NULL", "TEXT NOT NULL COLLATE NOCASE"),
        ("TEXT NOT NULL", "TEXT NOT NULL DEFAULT ''"),
        ("payload_hash BLOB", "payload_hash ANY"),
        ("payload      TEXT", "payload TEXT CHECK (payload IS NULL)"),
    ] {
        let (_folder, path) = filled();
        let mut remade = remade(&path, from, to);
        if to.contains("CHECK") {
            let none = COLUMNS.replace("payload, salt", "NULL, NULL");
            remade = remade.replace("* FROM old", &format!("{none} FROM old"));
        }
        stranger(&path, &remade);
        refused(SqliteLedger::open(&path), Misfit::Event, to);
    }
    // The same table in other white space, as a copy by a dump may have it, is the same table.
    let (_folder, path) = filled();
    let spaced = remade(&path, "payload      TEXT", "payload TEXT");
    stranger(&path, &spaced);
    let mut ledger = SqliteLedger::open(&path).unwrap();
    assert_eq!(read(&mut ledger, 1), chain(20));
}

#[test]
fn text_in_another_encoding_is_refused() {
    let (folder, path) = filled();
    let other = folder.path().join("other.sqlite");
    let connection = Connection::open(&other).unwrap();
    connection
        .execute_batch("PRAGMA encoding = 'UTF-16le'")
        .unwrap();
    let made: String = Connection::open(&path)
        .unwrap()
        .query_row("SELECT sql FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    connection
        .execute_batch(&format!(
            "{made}; PRAGMA application_id = {}; PRAGMA user_version = 1",
            0x6c6f_7474
        ))
        .unwrap();
    drop(connection);
    refused(SqliteLedger::open(&other), Misfit::Encoding, "UTF-16");
}

/// What an administrator's tools leave who never meant to change anything.
#[test]
fn what_analyze_and_vacuum_leave_is_no_fault() {
    let (_folder, path) = filled();
    let rows = chain(20);
    stranger(&path, "ANALYZE; PRAGMA optimize; VACUUM; REINDEX");
    let count: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert!(count > 1, "statistics were kept");
    let mut ledger = SqliteLedger::open(&path).unwrap();
    let next = entry(&rows[19].head(), "{}");
    append(&mut ledger, &rows[19].head(), std::slice::from_ref(&next)).unwrap();
    assert_eq!(read(&mut ledger, 21), [next]);
    // But a trigger on their table is one.
    stranger(
        &path,
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM sqlite_stat1; END",
    );
    refused(ledger.exclusive().map(drop), Misfit::Trigger, "statistics");
}

/// An erasure of a row that is not there would be promised and not done.
#[test]
fn an_erasure_reaches_every_row_that_it_names() {
    let (_folder, path) = filled();
    let mut ledger = SqliteLedger::open(&path).unwrap();
    let mut transaction = ledger.exclusive().unwrap();
    assert_eq!(
        transaction.erase(&[3, 21]),
        Err(LedgerError::Form(Misfit::Row))
    );
    drop(transaction);
    assert_eq!(read(&mut ledger, 1), chain(20));
}
