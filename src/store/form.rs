//! The form of the database: one table as this program makes it, and nothing beside it.
//!
//! A view in the table's place can hand other rows to each reading, a trigger can swallow a row that was told, an index can
//! keep what was erased. Nothing of this is in the rows, so no chain shows it: the form is part of what a ledger is.

use super::sqlite::failed;
use crate::study::journal::{LedgerError, Misfit};
use rusqlite::Connection;

/// Identifies the file as a ledger of this program (`PRAGMA application_id`): the bytes `lott`.
pub(super) const APPLICATION: i64 = 0x6c6f_7474;
/// Version of the table's form (`PRAGMA user_version`).
pub(super) const VERSION: i64 = 1;

/// The statement that makes the table, and that the schema keeps.
pub(super) const CREATE: &str = "CREATE TABLE event (
    sequence     INTEGER PRIMARY KEY,
    time         TEXT NOT NULL,
    actor        TEXT NOT NULL,
    kind         TEXT NOT NULL,
    public       TEXT NOT NULL,
    payload      TEXT,
    salt         BLOB,
    payload_hash BLOB NOT NULL,
    hash         BLOB NOT NULL
) STRICT";

/// Tables that SQLite makes for itself when somebody runs `ANALYZE` (or `PRAGMA optimize`): they guide how it searches and
/// hold no value of a row, for the table has no index.
const STATISTICS: [(&str, &str); 2] = [
    ("sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    (
        "sqlite_stat4",
        "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
    ),
];

/// Checks that the database is the one table, as it is in the transaction that has begun on the connection.
///
/// # Errors
/// [`LedgerError::Form`] for any other schema; those of reading.
pub(super) fn check(connection: &Connection) -> Result<(), LedgerError> {
    let misfit = look(connection).map_err(failed)?;
    misfit.map_or(Ok(()), |misfit| Err(LedgerError::Form(misfit)))
}

/// Checks that a database never held anything: no object, no mark of a program, no schema that was changed, no page beside
/// the first one.
///
/// # Errors
/// [`LedgerError::Exists`] if it holds an object, [`LedgerError::Form`] if it held one; those of reading.
pub(super) fn check_blank(connection: &Connection) -> Result<(), LedgerError> {
    let number = |query: &str| -> Result<i64, LedgerError> {
        let found = connection.query_row(query, [], |row| row.get(0));
        found.map_err(failed)
    };
    if number("SELECT count(*) FROM sqlite_schema")? > 0 {
        return Err(LedgerError::Exists);
    }
    for (query, most) in [
        ("PRAGMA application_id", 0),
        ("PRAGMA user_version", 0),
        ("PRAGMA schema_version", 0),
        ("PRAGMA page_count", 1),
    ] {
        if !(0..=most).contains(&number(query)?) {
            return Err(LedgerError::Form(Misfit::Event));
        }
    }
    Ok(())
}

/// What is not of the form, if anything is.
///
/// The schema itself is read, each time: a number that counts its changes can be set back by whoever changed it. The bytes of
/// a text of our own show the encoding, without a `PRAGMA`, which SQLite would parse anew at every run.
fn look(connection: &Connection) -> rusqlite::Result<Option<Misfit>> {
    let mut schema = connection
        .prepare_cached("SELECT type, name, tbl_name, sql, CAST('e' AS BLOB) FROM sqlite_schema")?;
    let mut objects = schema.query([])?;
    let mut tables = 0;
    while let Some(object) = objects.next()? {
        let mut texts: [&[u8]; 5] = [b""; 5];
        for (column, text) in texts.iter_mut().enumerate() {
            *text = object.get_ref(column)?.as_bytes_or_null()?.unwrap_or(b"");
        }
        let [kind, name, table, sql, encoded] = texts;
        match kind {
            _ if encoded != b"e" => return Ok(Some(Misfit::Encoding)),
            b"table" if name == table && name == b"event" && same_words(sql, CREATE) => tables += 1,
            b"table" if name == b"event" => return Ok(Some(Misfit::Event)),
            b"table" if name == table && is_statistics(name, sql) => {}
            b"view" => return Ok(Some(Misfit::View)),
            b"trigger" => return Ok(Some(Misfit::Trigger)),
            b"index" => return Ok(Some(Misfit::Index)),
            _ => return Ok(Some(Misfit::Table)),
        }
    }
    Ok((tables != 1).then_some(Misfit::Event))
}

fn is_statistics(name: &[u8], sql: &[u8]) -> bool {
    STATISTICS
        .iter()
        .any(|(own, made)| own.as_bytes() == name && made.as_bytes() == sql)
}

/// Whether two statements differ in nothing but the white space between their words.
fn same_words(found: &[u8], made: &str) -> bool {
    let words = || found.split(u8::is_ascii_whitespace);
    found == made.as_bytes()
        || words()
            .filter(|word| !word.is_empty())
            .eq(made.split_ascii_whitespace().map(str::as_bytes))
}
