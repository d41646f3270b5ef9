//! What every ledger promises, on memory and on SQLite.

use lottning::store::{MemoryLedger, SqliteLedger};
use lottning::study::journal::{Entry, GENESIS, Head, Ledger, LedgerError};

/// A row that continues `head`; a ledger stores it and interprets nothing.
pub(crate) fn entry(head: &Head, payload: &str) -> Entry {
    let salt = [7; 32];
    let mut entry = Entry {
        sequence: head.sequence + 1,
        time: "2025-03-01T08:15:30.000000Z".into(),
        actor: "intake-1".into(),
        kind: "closed".into(),
        public: "{}".into(),
        payload_hash: Entry::hash_payload(&salt, payload),
        payload: Some(payload.into()),
        salt: Some(salt),
        hash: GENESIS,
    };
    entry.hash = entry.chained(&head.hash, &[1; 32]);
    entry
}

pub(crate) fn read(ledger: &mut dyn Ledger, from: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    ledger
        .read_from(from, &mut |entry| entries.push(entry))
        .unwrap();
    entries
}

pub(crate) fn append(
    ledger: &mut dyn Ledger,
    expected: &Head,
    entries: &[Entry],
) -> Result<(), LedgerError> {
    let mut transaction = ledger.exclusive()?;
    transaction.append(expected, entries)?;
    transaction.commit()
}

/// `n` rows that chain.
pub(crate) fn chain(n: usize) -> Vec<Entry> {
    let mut head = Head::EMPTY;
    (0..n)
        .map(|number| {
            let made = entry(&head, &format!("{{\"n\":{number}}}"));
            head = made.head();
            made
        })
        .collect()
}

fn suite(ledger: &mut dyn Ledger) {
    assert_eq!(read(ledger, 1), [], "a new ledger is empty");
    let rows = chain(5);
    append(ledger, &Head::EMPTY, &rows[..2]).unwrap();
    assert_eq!(
        read(ledger, 1),
        rows[..2],
        "rows come back as they were written"
    );
    append(ledger, &rows[1].head(), &rows[2..3]).unwrap();

    // Another head than the ledger's: a conflict, and nothing is written.
    let stranger = Head {
        hash: [9; 32],
        ..rows[2].head()
    };
    for expected in [Head::EMPTY, rows[0].head(), rows[1].head(), stranger] {
        assert_eq!(
            append(ledger, &expected, &rows[3..4]),
            Err(LedgerError::Conflict)
        );
    }
    assert_eq!(read(ledger, 1), rows[..3]);

    // Whatever was looked at before in the transaction, rows are appended to the head and to nothing else.
    for from in [0, 1, 2, 3, 4, 9, u64::MAX] {
        for (expected, result) in [
            (Head::EMPTY, Err(LedgerError::Conflict)),
            (rows[1].head(), Err(LedgerError::Conflict)),
            (stranger, Err(LedgerError::Conflict)),
            (rows[2].head(), Ok(())),
        ] {
            let mut transaction = ledger.exclusive().unwrap();
            let mut seen = 0;
            transaction.read_from(from, &mut |_| seen += 1).unwrap();
            assert_eq!(seen, 4_u64.saturating_sub(from.max(1)));
            assert_eq!(transaction.append(&expected, &rows[3..4]), result);
        }
    }

    // A transaction sees its own rows; dropped, it leaves nothing.
    {
        let mut transaction = ledger.exclusive().unwrap();
        transaction.append(&rows[2].head(), &rows[3..4]).unwrap();
        transaction.append(&rows[3].head(), &rows[4..]).unwrap();
        let mut seen = Vec::new();
        transaction
            .read_from(3, &mut |entry| seen.push(entry.sequence))
            .unwrap();
        assert_eq!(seen, [3, 4, 5]);
    }
    assert_eq!(
        read(ledger, 1),
        rows[..3],
        "a dropped transaction leaves nothing"
    );
    {
        let mut transaction = ledger.exclusive().unwrap();
        transaction.append(&rows[2].head(), &rows[3..4]).unwrap();
        assert_eq!(
            transaction.append(&rows[2].head(), &rows[4..]),
            Err(LedgerError::Conflict)
        );
    }
    assert_eq!(
        read(ledger, 1),
        rows[..3],
        "what came before a conflict in the same transaction is undone with it"
    );

    append(ledger, &rows[2].head(), &rows[3..]).unwrap();
    assert_eq!(read(ledger, 4), rows[3..]);
    assert_eq!(read(ledger, 0), rows);
    assert_eq!(read(ledger, 6), []);
    assert_eq!(read(ledger, u64::MAX), []);
    // An empty append is allowed and changes nothing, at the right head only.
    append(ledger, &rows[4].head(), &[]).unwrap();
    assert_eq!(
        append(ledger, &rows[3].head(), &[]),
        Err(LedgerError::Conflict)
    );

    // Erased rows and any text come back as they are.
    let mut erased = entry(&rows[4].head(), "{}");
    erased.payload = None;
    erased.salt = None;
    let mut odd = entry(&erased.head(), "{\"å\":\"'; DROP TABLE event; --\\u0000\"}");
    odd.public = "{\"name\":\"Ö 🜁\"}".into();
    append(ledger, &rows[4].head(), &[erased.clone(), odd.clone()]).unwrap();
    assert_eq!(read(ledger, 6), [erased.clone(), odd.clone()]);

    // An erasure takes payload and salt of the rows that it names and of no others; dropped, it takes nothing.
    let before = read(ledger, 1);
    {
        let mut transaction = ledger.exclusive().unwrap();
        transaction.erase(&[2, 4]).unwrap();
        let mut seen = Vec::new();
        transaction
            .read_from(1, &mut |entry| seen.push(entry.payload.is_none()))
            .unwrap();
        assert_eq!(seen, [false, true, false, true, false, true, false]);
    }
    assert_eq!(read(ledger, 1), before);
    let mut transaction = ledger.exclusive().unwrap();
    transaction.erase(&[2, 4]).unwrap();
    transaction.commit().unwrap();
    let mut wanted = before;
    for row in [1, 3] {
        (wanted[row].payload, wanted[row].salt) = (None, None);
    }
    assert_eq!(read(ledger, 1), wanted);
    assert_eq!(ledger.scrub(), Ok(true));
    assert_eq!(read(ledger, 1), wanted);
}

#[test]
fn memory_is_a_ledger() {
    suite(&mut MemoryLedger::new());
}

#[test]
fn sqlite_is_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    suite(&mut SqliteLedger::create(&path).unwrap());
    // And what was committed is there for the next process.
    let mut again = SqliteLedger::open(&path).unwrap();
    assert_eq!(read(&mut again, 1).len(), 7);
}
