//! A ledger that is not the one table: nothing is told from it, nothing recorded, and `verify` says so, as does the program
//! of the pages.

use std::sync::Arc;

use super::place::{Place, family, two_arms};
use super::verifier::{independent, own};
use lottning::allocation::Seed;
use lottning::study::journal::{Entry, GENESIS, LedgerError, Rows};
use lottning::study::verify::verify_rows;
use rusqlite::Connection;
use serde_json::json;

fn enrol(number: usize) -> String {
    let child = format!("CH-{}", &family(number)[3..]);
    let name = family(number);
    format!(
        "enrol --site north --family {name} --child {child} --report-key R1 --received 2025-03-01 \
         --answer consent=yes --field earlier_reports=1 --seed-file keys/seed"
    )
}

/// A study with a dozen draws.
fn begun() -> Place {
    let place = Place::open(&two_arms());
    for number in 0..12 {
        place.act(&enrol(number)).json(0);
    }
    place
}

fn change(place: &Place, statements: &str) {
    let connection = Connection::open(place.path("study/ledger.sqlite")).unwrap();
    connection.execute_batch(statements).unwrap();
}

const TRIGGERS: [&str; 4] = [
    "CREATE TRIGGER t BEFORE INSERT ON event BEGIN SELECT raise(IGNORE); END",
    "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event WHERE sequence = new.sequence; END",
    "CREATE TRIGGER t AFTER INSERT ON event BEGIN UPDATE event SET public = '{}' WHERE sequence = new.sequence; END",
    "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event WHERE sequence < new.sequence; END",
];

/// Who was told an arm stands in the ledger: a trigger that swallows the row keeps the arm from being told.
#[test]
fn with_a_trigger_no_arm_is_told() {
    let place = begun();
    let study = place.path("study");
    for trigger in TRIGGERS {
        let before = place.entries();
        change(&place, trigger);
        // A new family, one that would be told again, and every other command.
        for words in [enrol(12), enrol(3)] {
            place.act(&words).refused(8, "ledger-form");
        }
        for words in ["status --study study", "checkpoint head.json --study study"] {
            place.run(words).refused(8, "ledger-form");
        }
        let (code, verdict) = own(&study, &[]);
        assert_eq!((code, &verdict["ok"]), (8, &json!(false)));
        assert_eq!(verdict["findings"][0]["code"], "ledger-form");
        assert_eq!(verdict["draws"], "not-checked");
        let (code, verdict) = independent(&study, &[]);
        assert_eq!((code, &verdict["ok"]), (8, &json!(false)));
        assert_eq!(verdict["findings"][0]["code"], "schema");
        change(&place, "DROP TRIGGER t");
        assert_eq!(place.entries(), before, "nothing was recorded");
    }
    // Without it the study goes on.
    assert_eq!(place.act(&enrol(12)).json(0)["allocation"], 13);
    assert_eq!(place.verify()["ok"], true);
}

/// The rows with the arms of the last two allocations changed and chained anew.
fn forged(rows: &[Entry], protocol: &[u8; 32]) -> Vec<Entry> {
    let mut rows = rows.to_vec();
    let drawn: Vec<usize> = (0..rows.len())
        .filter(|place| rows[*place].kind == "allocated")
        .collect();
    for place in &drawn[drawn.len() - 2..] {
        let public = &mut rows[*place].public;
        let (a, b) = (r#""arm":"new""#, r#""arm":"usual""#);
        *public = if public.contains(a) {
            public.replace(a, b)
        } else {
            public.replace(b, a)
        };
    }
    let mut before = GENESIS;
    for row in &mut rows {
        row.hash = row.chained(&before, protocol);
        before = row.hash;
    }
    rows
}

/// A view that hands forged or honest rows to each reading, as the dice fall: chain and head of the one, draws of the other.
#[test]
fn a_view_that_throws_dice_is_never_verified() {
    let place = begun();
    let study = place.path("study");
    let protocol = lottning::protocol::parse(two_arms().as_bytes())
        .protocol
        .unwrap();
    let forged = forged(&place.entries(), &protocol.hash.0);
    assert_ne!(
        forged.last().unwrap().hash,
        place.entries().last().unwrap().hash
    );
    let connection = Connection::open(study.join("ledger.sqlite")).unwrap();
    connection
        .execute_batch("ALTER TABLE event RENAME TO h; CREATE TABLE f AS SELECT * FROM h")
        .unwrap();
    for row in &forged {
        connection
            .execute(
                "UPDATE f SET public = ?2, hash = ?3 WHERE sequence = ?1",
                rusqlite::params![row.sequence as i64, row.public, row.hash],
            )
            .unwrap();
    }
    connection
        .execute_batch(
            "CREATE VIEW event AS WITH r AS MATERIALIZED (SELECT abs(random()) % 2 AS x)
             SELECT e.* FROM r CROSS JOIN
             (SELECT *, 0 AS src FROM h UNION ALL SELECT *, 1 FROM f) e WHERE e.src = r.x",
        )
        .unwrap();
    drop(connection);
    let seed = place.path("keys/seed");
    let seed = ["--seed-file", seed.to_str().unwrap()];
    for _ in 0..6 {
        let (code, verdict) = own(&study, &seed);
        assert_eq!(code, 8, "{verdict}");
        assert_eq!(verdict["findings"][0]["code"], "ledger-form");
        assert_eq!(
            (&verdict["ok"], &verdict["events"]),
            (&json!(false), &json!(0))
        );
        let (code, verdict) = independent(&study, &seed);
        assert_eq!(
            (code, verdict["findings"][0]["code"].as_str()),
            (8, Some("schema"))
        );
        assert!(verdict["head"].is_null(), "{verdict}");
    }
    place.act(&enrol(12)).refused(8, "ledger-form");
}

/// Rows that are other ones from some reading on.
struct Shifting {
    first: Vec<Entry>,
    then: Vec<Entry>,
    readings: usize,
    from: usize,
}

impl Rows for Shifting {
    fn each(&mut self, visit: &mut dyn FnMut(&Entry)) -> Result<(), LedgerError> {
        let rows = if self.readings < self.from {
            &self.first
        } else {
            &self.then
        };
        self.readings += 1;
        rows.iter().for_each(visit);
        Ok(())
    }

    fn count(&mut self, kind: &str) -> Result<u64, LedgerError> {
        Ok(self.first.iter().filter(|row| row.kind == kind).count() as u64)
    }
}

/// Wherever the rows come from, both readings must be of the same ones.
#[test]
fn rows_that_change_between_two_readings_are_not_verified() {
    let place = begun();
    let honest = place.entries();
    let protocol = Arc::new(
        lottning::protocol::parse(two_arms().as_bytes())
            .protocol
            .unwrap(),
    );
    let seed = Seed::from_hex(&std::fs::read_to_string(place.path("keys/seed")).unwrap()).unwrap();
    let changed = |then: Vec<Entry>, forged_first: bool, from: usize| {
        let first = honest.clone();
        let (first, then) = if forged_first {
            (then, first)
        } else {
            (first, then)
        };
        let mut rows = Shifting {
            first,
            then,
            readings: 0,
            from,
        };
        let seeds = [seed.clone()];
        let verdict = verify_rows(&protocol, &mut rows, &seeds, None, &[]).unwrap();
        assert!(rows.readings >= 2);
        let codes: Vec<&str> = verdict.findings.iter().map(|own| own.code).collect();
        (verdict.ok, codes)
    };
    let forged = forged(&honest, &protocol.hash.0);
    assert_eq!(changed(honest.clone(), false, 1), (true, vec![]));
    // A forged chain whose draws were derived from honest rows is what the dice hit on.
    assert_eq!(
        changed(forged.clone(), true, 1),
        (false, vec!["rows-changed"])
    );
    // Read twice, it is found by its draws.
    let (ok, codes) = changed(forged.clone(), true, 9);
    assert!(
        !ok && !codes.contains(&"rows-changed") && codes.contains(&"draw-differs"),
        "{codes:?}"
    );
    // Any byte of any column, a row more and a row less.
    let mut others = vec![honest[..honest.len() - 1].to_vec()];
    let mut more = honest.clone();
    more.push(honest[3].clone());
    others.push(more);
    let columns: [fn(&mut Entry); 9] = [
        |row| row.sequence += 1,
        |row| row.time = row.time.replace('2', "3"),
        |row| row.actor.push('x'),
        |row| row.kind.push('x'),
        |row| row.public.push(' '),
        |row| row.payload = None,
        |row| row.salt = None,
        |row| row.payload_hash[31] ^= 1,
        |row| row.hash[0] ^= 1,
    ];
    for column in columns {
        let mut rows = honest.clone();
        column(rows.last_mut().unwrap());
        others.push(rows);
    }
    for other in others {
        let (ok, codes) = changed(other, false, 1);
        assert!(!ok && codes.contains(&"rows-changed"), "{codes:?}");
    }
}
