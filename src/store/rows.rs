//! A row of the table as an entry. Values that cannot be right become such as make the chain fail at their row.

use crate::study::journal::{Entry, Head};
use rusqlite::Row;
use rusqlite::types::ValueRef;

/// The entry of a row.
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let mut own = blank();
    fill(&mut own, row)?;
    Ok(own)
}

/// An entry without content, to be filled.
pub(super) fn blank() -> Entry {
    Entry {
        sequence: 0,
        time: String::new(),
        actor: String::new(),
        kind: String::new(),
        public: String::new(),
        payload: None,
        salt: None,
        payload_hash: [0; 32],
        hash: [0; 32],
    }
}

/// Makes an entry that of a row.
pub(super) fn fill(own: &mut Entry, row: &Row<'_>) -> rusqlite::Result<()> {
    own.sequence = unsigned(row, 0)?;
    for (column, into) in [
        (1, &mut own.time),
        (2, &mut own.actor),
        (3, &mut own.kind),
        (4, &mut own.public),
    ] {
        text(row, column, into)?;
    }
    let mut payload = own.payload.take().unwrap_or_default();
    own.payload = text(row, 5, &mut payload)?.then_some(payload);
    // A salt of another length cannot be right; the zero salt makes the payload hash fail at this row.
    let salt = row.get_ref(6)?.as_blob_or_null()?;
    own.salt = salt.map(|salt| salt.try_into().unwrap_or([0; 32]));
    own.payload_hash = bytes(row, 7)?;
    own.hash = bytes(row, 8)?;
    Ok(())
}

/// The end of a chain that ends with a row: its sequence in the first column, its hash in the one that is named.
pub(super) fn head_of(row: &Row<'_>, hash: usize) -> rusqlite::Result<Head> {
    Ok(Head {
        sequence: unsigned(row, 0)?,
        hash: bytes(row, hash)?,
    })
}

/// Whether a row holds an entry as it would be written, byte by byte and of the same types.
pub(super) fn is_of(row: &Row<'_>, entry: &Entry) -> rusqlite::Result<bool> {
    let columns = [
        ValueRef::Integer(entry.sequence as i64),
        entry.time.as_str().into(),
        entry.actor.as_str().into(),
        entry.kind.as_str().into(),
        entry.public.as_str().into(),
        entry.payload.as_deref().into(),
        entry.salt.as_ref().map(<[u8; 32]>::as_slice).into(),
        entry.payload_hash.as_slice().into(),
        entry.hash.as_slice().into(),
    ];
    for (place, own) in columns.into_iter().enumerate() {
        if row.get_ref(place)? != own {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Text as it stands, or none; bytes that are not UTF-8 are replaced, so that the chain fails at this row.
fn text(row: &Row<'_>, column: usize, into: &mut String) -> rusqlite::Result<bool> {
    into.clear();
    let Some(bytes) = row.get_ref(column)?.as_bytes_or_null()? else {
        return Ok(false);
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => into.push_str(text),
        Err(_) => into.push_str(&String::from_utf8_lossy(bytes)),
    }
    Ok(true)
}

/// A number that counts; one below 0 cannot be right, and 0 makes the chain fail at this row.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// 32 bytes; of another length they cannot be right, and zeros make the chain fail at this row.
fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; 32]> {
    let bytes = row.get_ref(column)?.as_blob()?;
    Ok(bytes.try_into().unwrap_or([0; 32]))
}
