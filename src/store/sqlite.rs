//! A ledger in `ledger.sqlite`: write-ahead log, full synchronization, one exclusive transaction per command.
//!
//! An allocation that was told to a family survives a power cut: `synchronous=FULL` syncs at every commit. Writers
//! begin with `BEGIN IMMEDIATE` and wait for each other up to 20 seconds; after that the command is refused as busy.
//! Never put the file on a network share.

use super::form::{self, APPLICATION, VERSION};
use super::reasons::told;
use super::rows::{blank, entry, fill, head_of, is_of};
use crate::diagnostic::Words;
use crate::study::journal::{Entry, Head, Ledger, LedgerError, Misfit, Rows, Transaction};
use crate::words;
use rusqlite::config::DbConfig;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Row, TransactionBehavior, ffi, params,
    params_from_iter,
};
use std::path::Path;
use std::time::Duration;

/// All columns of a row.
const SELECT: &str =
    "SELECT sequence, time, actor, kind, public, payload, salt, payload_hash, hash FROM event";

/// The rows from a sequence on.
const SELECT_FROM: &str =
    "SELECT sequence, time, actor, kind, public, payload, salt, payload_hash, hash
     FROM event WHERE sequence >= ?1 ORDER BY sequence";

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(20);

/// A ledger in a SQLite file.
#[derive(Debug)]
pub struct SqliteLedger {
    connection: Connection,
    /// Why the file can only be read, if that is so.
    at_rest: Option<LedgerError>,
}

impl SqliteLedger {
    /// Makes a new, empty ledger.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] if the file holds a table or anything of the kind, [`LedgerError::Form`] if it held one: what
    /// was in it may be what families were told. A blank database, as a killed `create` may leave one, is taken over. Errors
    /// of the file system.
    pub fn create(path: &Path) -> Result<Self, LedgerError> {
        make_private(path);
        let mut own = Self::connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        let transaction = own
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        form::check_blank(&transaction)?;
        transaction.execute_batch(form::CREATE).map_err(failed)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION)
            .map_err(failed)?;
        transaction
            .pragma_update(None, "user_version", VERSION)
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(own)
    }

    /// Opens a ledger that exists.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] without a file or with a blank database, [`LedgerError::Corrupt`] if it is no ledger of
    /// this version, [`LedgerError::Form`] if it is not the one table of a ledger.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::Missing);
        }
        let recognized = |own: Self| own.recognize().map(|()| own);
        match Self::connect(path, OpenFlags::empty()).and_then(recognized) {
            Err(
                reason @ (LedgerError::ReadOnly(_) | LedgerError::Full | LedgerError::Unwritten(_)),
            ) if !has_log(path) => Self::at_rest(path, reason).and_then(recognized),
            result => result,
        }
    }

    /// Whether the file is a ledger that this program reads.
    fn recognize(&self) -> Result<(), LedgerError> {
        let number = |name: &str| -> Result<i64, LedgerError> {
            self.connection
                .pragma_query_value(None, name, |row| row.get(0))
                .map_err(failed)
        };
        if number("application_id")? != APPLICATION {
            if number("schema_version")? == 0 {
                return Err(LedgerError::Missing);
            }
            return Err(LedgerError::Corrupt(Words::new(
                "the file is not a ledger",
                "filen är ingen liggare",
            )));
        }
        let version = number("user_version")?;
        if version > VERSION {
            return Err(LedgerError::Newer(version));
        }
        if version != VERSION {
            return Err(LedgerError::Corrupt(words!(
                "the ledger's form has version {version}; this program reads version {VERSION}",
                "liggarens form har version {version}; det här programmet läser version {VERSION}"
            )));
        }
        form::check(&self.connection)
    }

    /// Opens a file in a folder that cannot be written or has no room, where SQLite cannot keep its log: as a file that
    /// nobody changes. Reading is all that it can do; `reason` is what a writer is told.
    fn at_rest(path: &Path, reason: LedgerError) -> Result<Self, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let address = format!("file:{}?immutable=1", encoded(path));
        let connection = Connection::open_with_flags(address, flags).map_err(failed)?;
        restrain(&connection)?;
        let at_rest = Some(reason);
        Ok(Self {
            connection,
            at_rest,
        })
    }

    /// Waits for another writer as long as said instead of 20 seconds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn with_patience(self, patience: Duration) -> Result<Self, LedgerError> {
        self.connection.busy_timeout(patience).map_err(failed)?;
        Ok(self)
    }

    fn connect(path: &Path, more: OpenFlags) -> Result<Self, LedgerError> {
        refuse_torn(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        restrain(&connection)?;
        // On a folder that cannot be written the journal mode stays as it is; reading still works then.
        let mode: Result<String, _> =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match mode {
            Ok(_) => {}
            Err(error) if is_read_only(&error) => {}
            Err(error) => return Err(failed(error)),
        }
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(failed)?;
        // Freed bytes are overwritten with zeros, also those of cells that move when a page is split.
        connection
            .pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))
            .map_err(failed)?;
        Ok(Self {
            connection,
            at_rest: None,
        })
    }
}

impl Ledger for SqliteLedger {
    fn read_from(
        &mut self,
        sequence: u64,
        visit: &mut dyn FnMut(Entry),
    ) -> Result<(), LedgerError> {
        let picture = self.connection.transaction().map_err(failed)?;
        form::check(&picture)?;
        read(&picture, sequence, visit)
    }

    fn picture(
        &mut self,
        look: &mut dyn FnMut(&mut dyn Rows) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        // A transaction that only reads: every time through sees the rows of its first reading.
        let transaction = self.connection.transaction().map_err(failed)?;
        form::check(&transaction)?;
        look(&mut Picture(&transaction))
    }

    fn exclusive(&mut self) -> Result<Box<dyn Transaction + '_>, LedgerError> {
        if let Some(reason) = &self.at_rest {
            return Err(reason.clone());
        }
        if self.connection.is_readonly("main").map_err(failed)? {
            return Err(LedgerError::ReadOnly(Words::new(
                "no permission to write",
                "skrivrättighet saknas",
            )));
        }
        run(&self.connection, "BEGIN IMMEDIATE").map_err(failed)?;
        let begun = SqliteTransaction {
            connection: &self.connection,
            head: None,
        };
        form::check(begun.connection)?;
        Ok(Box::new(begun))
    }

    fn scrub(&mut self) -> Result<bool, LedgerError> {
        // Pages that were split can hold old copies of their rows outside every row: the file is written anew from the
        // rows alone. Another process in the way leaves the old pages.
        match self
            .connection
            .execute_batch("PRAGMA temp_store = MEMORY; VACUUM")
        {
            Ok(()) => {}
            Err(error) if is_busy(&error) => return Ok(false),
            Err(error) => return Err(failed(error)),
        }
        // The first number says whether a reader stood in the way; then the log keeps its old pages.
        let blocked: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(failed)?;
        Ok(blocked == 0)
    }
}

struct Picture<'a>(&'a Connection);

impl Rows for Picture<'_> {
    fn each(&mut self, visit: &mut dyn FnMut(&Entry)) -> Result<(), LedgerError> {
        let mut select = select_from(self.0)?;
        visit_rows(select.query([i64::MIN]), visit)
    }

    fn of_kinds(
        &mut self,
        kinds: &[&str],
        visit: &mut dyn FnMut(&Entry),
    ) -> Result<(), LedgerError> {
        of_kinds(self.0, kinds, visit)
    }
}

/// Hands the rows of some kinds to `visit`, in their order.
pub(super) fn of_kinds(
    connection: &Connection,
    kinds: &[&str],
    visit: &mut dyn FnMut(&Entry),
) -> Result<(), LedgerError> {
    let places = vec!["?"; kinds.len()].join(", ");
    let select = format!("{SELECT} WHERE kind IN ({places}) ORDER BY sequence");
    let mut select = connection.prepare_cached(&select).map_err(failed)?;
    visit_rows(select.query(params_from_iter(kinds)), visit)
}

/// Hands each row to `visit` as an entry, whose texts keep their room from row to row.
fn visit_rows(
    rows: rusqlite::Result<rusqlite::Rows<'_>>,
    visit: &mut dyn FnMut(&Entry),
) -> Result<(), LedgerError> {
    let mut rows = rows.map_err(failed)?;
    let mut own = blank();
    while let Some(row) = rows.next().map_err(failed)? {
        fill(&mut own, row).map_err(failed)?;
        visit(&own);
    }
    Ok(())
}

/// Whatever stands in a file's schema, this connection runs no trigger, reads no view and trusts no function of it.
/// [`form::check`] refuses such a file; this holds also between one check and the next.
pub(super) fn restrain(connection: &Connection) -> Result<(), LedgerError> {
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    ] {
        connection.set_db_config(setting, value).map_err(failed)?;
    }
    Ok(())
}

/// Runs a statement without rows, which stays prepared for the next time.
fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// A transaction that has begun. Dropping it undoes it.
struct SqliteTransaction<'a> {
    connection: &'a Connection,
    /// The head of the rows as they stand, once it was read; nobody but this transaction can move it.
    head: Option<Head>,
}

impl SqliteTransaction<'_> {
    /// The head of the rows as they stand.
    fn head(&self) -> Result<Head, LedgerError> {
        if let Some(known) = self.head {
            return Ok(known);
        }
        let head = |row: &Row<'_>| head_of(row, 1);
        self.connection
            .prepare_cached("SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1")
            .and_then(|mut last| last.query_row([], head).optional())
            .map(|found| found.unwrap_or(Head::EMPTY))
            .map_err(failed)
    }

    /// Whether the rows from the first of some entries on are these entries, column by column, and no others.
    fn holds(&self, entries: &[Entry]) -> Result<bool, LedgerError> {
        let Some(first) = entries.first() else {
            return Ok(true);
        };
        let mut select = select_from(self.connection)?;
        let mut rows = select.query([first.sequence as i64]).map_err(failed)?;
        for entry in entries {
            match rows.next().map_err(failed)? {
                Some(row) if is_of(row, entry).map_err(failed)? => {}
                _ => return Ok(false),
            }
        }
        Ok(rows.next().map_err(failed)?.is_none())
    }
}

impl Drop for SqliteTransaction<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            // What cannot be undone now is undone by whoever opens the file next.
            let _ = run(self.connection, "ROLLBACK");
        }
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn read_from(
        &mut self,
        sequence: u64,
        visit: &mut dyn FnMut(Entry),
    ) -> Result<(), LedgerError> {
        // The row before tells the head where none follows.
        let from = sequence.saturating_sub(1);
        let mut select = select_from(self.connection)?;
        let mut rows = select.query([least(from)]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let head = head_of(row, 8).map_err(failed)?;
            if from == 0 || head.sequence >= sequence {
                visit(entry(row).map_err(failed)?);
            }
            self.head = Some(head);
        }
        Ok(())
    }

    fn row(&mut self, sequence: u64) -> Result<Option<Entry>, LedgerError> {
        let Ok(sequence) = i64::try_from(sequence) else {
            return Ok(None);
        };
        self.connection
            .prepare_cached(
                "SELECT sequence, time, actor, kind, public, payload, salt, payload_hash, hash
                 FROM event WHERE sequence = ?1",
            )
            .and_then(|mut one| one.query_row([sequence], entry).optional())
            .map_err(failed)
    }

    fn append(&mut self, expected: &Head, entries: &[Entry]) -> Result<(), LedgerError> {
        let found = self.head()?;
        if found != *expected {
            return Err(LedgerError::Conflict);
        }
        // Until it is known what stands in the rows, the head is not.
        self.head = None;
        let mut insert = self
            .connection
            .prepare_cached(
                "INSERT INTO event (sequence, time, actor, kind, public, payload, salt, payload_hash, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )
            .map_err(failed)?;
        let before = self.connection.total_changes();
        for entry in entries {
            let inserted = insert
                .execute(params![
                    entry.sequence as i64,
                    entry.time,
                    entry.actor,
                    entry.kind,
                    entry.public,
                    entry.payload,
                    entry.salt,
                    entry.payload_hash,
                    entry.hash,
                ])
                .map_err(failed)?;
            if inserted != 1 {
                return Err(LedgerError::Form(Misfit::Row));
            }
        }
        // What is told must stand in the rows: they are read back before the commit.
        let changed = self.connection.total_changes().wrapping_sub(before);
        if changed != entries.len() as u64 || !self.holds(entries)? {
            return Err(LedgerError::Form(Misfit::Row));
        }
        self.head = Some(entries.last().map_or(found, Entry::head));
        Ok(())
    }

    fn erase(&mut self, sequences: &[u64]) -> Result<(), LedgerError> {
        self.head = None;
        let mut update = self
            .connection
            .prepare_cached("UPDATE event SET payload = NULL, salt = NULL WHERE sequence = ?1")
            .map_err(failed)?;
        let before = self.connection.total_changes();
        for sequence in sequences {
            update.execute([*sequence as i64]).map_err(failed)?;
        }
        // Each of the rows is there, and no other was changed.
        let changed = self.connection.total_changes().wrapping_sub(before);
        if changed == sequences.len() as u64 {
            Ok(())
        } else {
            Err(LedgerError::Form(Misfit::Row))
        }
    }

    fn commit(self: Box<Self>) -> Result<(), LedgerError> {
        run(self.connection, "COMMIT").map_err(failed)
    }
}

fn read(
    connection: &Connection,
    sequence: u64,
    visit: &mut dyn FnMut(Entry),
) -> Result<(), LedgerError> {
    let mut select = select_from(connection)?;
    let mut rows = select.query([least(sequence)]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        visit(entry(row).map_err(failed)?);
    }
    Ok(())
}

/// Where rows are read from: from the beginning means every row, also one that somebody numbered 0 or below.
fn least(sequence: u64) -> i64 {
    match sequence {
        0 | 1 => i64::MIN,
        later => i64::try_from(later).unwrap_or(i64::MAX),
    }
}

fn select_from(connection: &Connection) -> Result<rusqlite::CachedStatement<'_>, LedgerError> {
    connection.prepare_cached(SELECT_FROM).map_err(failed)
}

/// Makes an empty file that only its owner may read; SQLite gives its mode to the log beside it. A file that cannot be
/// made, or is there already, is left to SQLite.
#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt;
    let _ = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

/// A file of which hardly anything is left. SQLite takes it for a new one, and would throw away the log beside it.
fn refuse_torn(path: &Path) -> Result<(), LedgerError> {
    // The log is looked at first: who makes a ledger writes the file before the log.
    let logged = has_log(path);
    let left = std::fs::metadata(path).map_or(0, |file| file.len());
    if (1..512).contains(&left) || (left == 0 && logged) {
        return Err(LedgerError::Corrupt(words!(
            "only {left} bytes of the file are left",
            "bara {left} byte finns kvar av filen"
        )));
    }
    // Twice, for another process may be merging its log into the file, and end, between two looks.
    match cut_to(path).and_then(|_| cut_to(path)) {
        Some((left, whole)) => Err(LedgerError::Corrupt(words!(
            "{left} bytes of the file are left, of {whole} at least",
            "{left} byte finns kvar av filen, av minst {whole}"
        ))),
        None => Ok(()),
    }
}

/// The length of a file that was cut, and the least that it should be: without a log beside it, it is a number of whole pages,
/// and not fewer than its header says (where what wrote it last was a program that counts them). SQLite reads zeros where a page
/// is cut.
fn cut_to(path: &Path) -> Option<(u64, u64)> {
    use std::io::Read;
    if has_beside(path, "-wal") || has_beside(path, "-journal") {
        return None;
    }
    let mut header = [0; 100];
    let mut file = std::fs::File::open(path).ok()?;
    file.read_exact(&mut header).ok()?;
    let left = file.metadata().ok()?.len();
    if header.get(..16) != Some(b"SQLite format 3\0") {
        return None;
    }
    let number = |at: usize| {
        let bytes = header.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65536,
        own => u64::from(own),
    };
    if page < 512 {
        return None;
    }
    let counted = number(24) == number(92);
    let pages = number(28).filter(|_| counted).map_or(1, u64::from);
    let whole = page * pages.max(left.div_ceil(page));
    let is_cut = left < whole && !has_beside(path, "-wal") && !has_beside(path, "-journal");
    is_cut.then_some((left, whole))
}

/// Whether a log with rows that are not merged yet lies beside the file.
pub(super) fn has_log(path: &Path) -> bool {
    has_beside(path, "-wal")
}

/// Whether a file whose name ends so lies beside the ledger and holds something.
fn has_beside(path: &Path, end: &str) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push(end);
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// A path as SQLite's file addresses take it.
pub(super) fn encoded(path: &Path) -> String {
    use std::fmt::Write;
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                text.push(char::from(*byte));
            }
            other => {
                let _ = write!(text, "%{other:02X}");
            }
        }
        text
    })
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn is_read_only(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
    )
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` takes"
)]
pub(super) fn failed(error: rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy,
        Some(ErrorCode::DiskFull) => LedgerError::Full,
        Some(ErrorCode::SystemIoFailure) => match error.sqlite_error().map(|own| own.extended_code)
        {
            // The file that processes share beside the log did not find its room.
            Some(ffi::SQLITE_IOERR_SHMSIZE) => LedgerError::Full,
            Some(
                ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_FSYNC
                | ffi::SQLITE_IOERR_DIR_FSYNC
                | ffi::SQLITE_IOERR_TRUNCATE
                | ffi::SQLITE_IOERR_SHMOPEN
                | ffi::SQLITE_IOERR_SHMMAP,
            ) => LedgerError::Unwritten(told(&error)),
            _ => LedgerError::Corrupt(told(&error)),
        },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            LedgerError::ReadOnly(told(&error))
        }
        _ => LedgerError::Corrupt(told(&error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::{Connection, SqliteTransaction, form, run};
    use crate::study::journal::{Entry, Head, LedgerError, Misfit, Transaction};

    fn entry(sequence: u64) -> Entry {
        Entry {
            sequence,
            salt: Some([7; 32]),
            payload: Some("{}".into()),
            hash: [sequence as u8; 32],
            ..super::blank()
        }
    }

    /// The trigger's statement on a connection that runs triggers, and what a writer of two rows is told.
    fn told(trigger: &str) -> (Result<(), LedgerError>, i64) {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(form::CREATE).unwrap();
        connection.execute_batch(trigger).unwrap();
        run(&connection, "BEGIN IMMEDIATE").unwrap();
        let mut transaction = SqliteTransaction {
            connection: &connection,
            head: None,
        };
        let result = transaction.append(&Head::EMPTY, &[entry(1), entry(2)]);
        drop(transaction);
        let left = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0));
        (result, left.unwrap())
    }

    /// If a trigger ran in spite of everything, what it did to the rows would be seen before the commit.
    #[test]
    fn what_was_appended_is_read_back() {
        assert_eq!(told(""), (Ok(()), 0), "dropped without a commit");
        for trigger in [
            "CREATE TRIGGER t BEFORE INSERT ON event BEGIN SELECT raise(IGNORE); END",
            "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event WHERE sequence = new.sequence; END",
            "CREATE TRIGGER t AFTER INSERT ON event WHEN new.sequence = 2 BEGIN DELETE FROM event WHERE sequence = 1; END",
            "CREATE TRIGGER t AFTER INSERT ON event BEGIN UPDATE event SET public = '{\"arm\":\"b\"}'; END",
            "CREATE TRIGGER t AFTER INSERT ON event WHEN new.sequence = 2 BEGIN INSERT INTO event SELECT 9, time, actor, kind, public, payload, salt, payload_hash, hash FROM event WHERE sequence = 1; END",
        ] {
            let misfit = Err(LedgerError::Form(Misfit::Row));
            assert_eq!(told(trigger), (misfit, 0), "{trigger}");
        }
    }

    /// Any column of either row, whatever it was changed to, a row less and a row more.
    #[test]
    fn each_column_is_read_back() {
        let mut statements: Vec<String> = [
            "sequence = sequence + 7",
            "time = time || 'x'",
            "actor = 'x'",
            "kind = 'closed'",
            "public = ' '",
            "payload = NULL",
            "payload = '{}' || char(0)",
            "salt = NULL",
            "salt = CAST(salt || x'00' AS BLOB)",
            "payload_hash = zeroblob(31)",
            "payload_hash = CAST(zeroblob(31) || x'01' AS BLOB)",
            "hash = x'01'",
        ]
        .iter()
        .flat_map(|change| {
            [1, 2].map(|row| format!("UPDATE event SET {change} WHERE sequence = {row}"))
        })
        .collect();
        statements.extend([
            "DELETE FROM event WHERE sequence = 1".into(),
            "DELETE FROM event WHERE sequence = 2".into(),
            "INSERT INTO event SELECT 3, time, actor, kind, public, payload, salt, payload_hash, hash FROM event WHERE sequence = 2".into(),
        ]);
        let entries = [entry(1), entry(2)];
        for statement in statements {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(form::CREATE).unwrap();
            run(&connection, "BEGIN IMMEDIATE").unwrap();
            let mut transaction = SqliteTransaction {
                connection: &connection,
                head: None,
            };
            assert_eq!(transaction.append(&Head::EMPTY, &entries), Ok(()));
            assert_eq!(transaction.holds(&entries), Ok(true));
            assert_eq!(connection.execute(&statement, []), Ok(1));
            assert_eq!(transaction.holds(&entries), Ok(false), "{statement}");
        }
    }
}
