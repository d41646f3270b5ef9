//! A ledger that is not the one table: nothing is told from it, nothing recorded, and `verify` says so, as does the program
//! of the pages.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::place::{Place, family, two_arms};
use super::verifier::{independent, own};
use lottning::allocation::Seed;
use lottning::app::enrol::{Desk, Enrolled};
use lottning::app::study::Act;
use lottning::app::{Failure, Outside, Silent, SystemClock, SystemEntropy};
use lottning::protocol::Protocol;
use lottning::study::intake::EnrolRequest;
use lottning::study::journal::{Entry, GENESIS, LedgerError, Rows};
use lottning::study::verify::{DrawCheck, Told, Verification, verify_rows};
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

/// Another program at the database: it changes the schema and, if asked to, sets back the number by which SQLite tells one
/// schema from another, so that an open connection goes on with the one that it knows.
const STRANGER: &str = "import sqlite3, sys
with sqlite3.connect(sys.argv[1], isolation_level=None) as database:
    number, = database.execute('PRAGMA schema_version').fetchone()
    database.executescript(sys.argv[2])
    if sys.argv[3] == 'back':
        database.execute(f'PRAGMA schema_version = {number}')
";

fn change_elsewhere(place: &Place, statements: &str, set_back: bool) {
    let done = Command::new("python3")
        .args(["-c", STRANGER])
        .arg(place.path("study/ledger.sqlite"))
        .args([statements, if set_back { "back" } else { "on" }])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// A desk that stays open, without a process for each family.
struct Intake<'a> {
    place: &'a Place,
    outside: Outside,
    desk: Desk,
}

impl<'a> Intake<'a> {
    fn at(place: &'a Place) -> Self {
        let outside = Outside {
            clock: Box::new(SystemClock),
            entropy: Box::new(SystemEntropy),
            progress: Box::new(Silent),
            folder: place.path(""),
        };
        let desk = Desk::open(&outside, Path::new("study"), &["keys/seed".into()]).unwrap();
        Self {
            place,
            outside,
            desk,
        }
    }

    fn enrol(&mut self, number: usize) -> Result<Enrolled, Failure> {
        let act = Act {
            actor: "intake-1".into(),
            at: Some(self.place.tick().to_string()),
        };
        let request = EnrolRequest {
            site: "north".into(),
            family: family(number),
            report_key: "R1".into(),
            received: "2025-03-01".into(),
            answers: vec![("consent".into(), "yes".into())],
            fields: vec![("earlier_reports".into(), "1".into())],
            ..EnrolRequest::default()
        };
        self.desk.enrol(&self.outside, &act, &request)
    }
}

/// Between two families at one desk another process changes the schema: the next arm is not told. Once the schema is as it was,
/// the same desk goes on.
#[test]
fn a_desk_that_stays_open_sees_what_another_process_made_of_the_schema() {
    let place = begun();
    let mut intake = Intake::at(&place);
    let mut number = 12;
    let more = [
        ("CREATE VIEW v AS SELECT 1", "DROP VIEW v"),
        ("CREATE INDEX i ON event (kind)", "DROP INDEX i"),
        ("CREATE TABLE t (x)", "DROP TABLE t"),
    ];
    let triggers = TRIGGERS.map(|made| (made, "DROP TRIGGER t"));
    for (made, undone) in triggers.into_iter().chain(more) {
        for set_back in [false, true] {
            let drawn = intake.enrol(number).unwrap();
            assert_eq!(drawn.allocation, Some(number as u32 + 1));
            let before = place.entries();
            change_elsewhere(&place, made, set_back);
            for again in [number + 1, number] {
                let refused = intake.enrol(again).unwrap_err();
                assert_eq!((refused.exit, refused.code), (8, "ledger-form"), "{made}");
            }
            change_elsewhere(&place, undone, set_back);
            assert_eq!(place.entries(), before, "nothing was recorded");
            number += 1;
        }
    }
    // The table moved away, and a view in its place that keeps the last row to itself.
    let before = place.entries();
    let hidden =
        "ALTER TABLE event RENAME TO h; CREATE VIEW event AS SELECT * FROM h WHERE sequence < 5";
    change_elsewhere(&place, hidden, true);
    let refused = intake.enrol(number).unwrap_err();
    assert_eq!((refused.exit, refused.code), (8, "ledger-form"));
    let count = "SELECT count(*) FROM h";
    let count: i64 = Connection::open(place.path("study/ledger.sqlite"))
        .unwrap()
        .query_row(count, [], |row| row.get(0))
        .unwrap();
    assert_eq!(count as usize, before.len());
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

/// Rows that are other ones each time that they are asked for.
struct Shifting {
    /// What a question for some kinds is answered from.
    asked: Vec<Entry>,
    /// What each reading hands out; the last one again and again.
    readings: Vec<Vec<Entry>>,
    read: usize,
}

impl Rows for Shifting {
    fn each(&mut self, visit: &mut dyn FnMut(&Entry)) -> Result<(), LedgerError> {
        let last = self.readings.len() - 1;
        let rows = &self.readings[self.read.min(last)];
        self.read += 1;
        rows.iter().for_each(visit);
        Ok(())
    }

    fn of_kinds(
        &mut self,
        kinds: &[&str],
        visit: &mut dyn FnMut(&Entry),
    ) -> Result<(), LedgerError> {
        let own = |row: &&Entry| kinds.contains(&row.kind.as_str());
        self.asked.iter().filter(own).for_each(visit);
        Ok(())
    }
}

/// A study, its rows, and what is found of rows that shift.
struct Shown {
    protocol: Arc<Protocol>,
    seed: Seed,
    rows: Vec<Entry>,
}

impl Shown {
    fn of(place: &Place) -> Self {
        let protocol = lottning::protocol::parse(two_arms().as_bytes()).protocol;
        let seed = std::fs::read_to_string(place.path("keys/seed")).unwrap();
        Self {
            protocol: Arc::new(protocol.unwrap()),
            seed: Seed::from_hex(&seed).unwrap(),
            rows: place.entries(),
        }
    }

    /// The verdict, its codes, and how often the rows were read.
    fn found(
        &self,
        asked: &[Entry],
        readings: &[&[Entry]],
    ) -> (Verification, Vec<&'static str>, usize) {
        let mut rows = Shifting {
            asked: asked.to_vec(),
            readings: readings.iter().map(|own| own.to_vec()).collect(),
            read: 0,
        };
        let seeds = [self.seed.clone()];
        let told = Told::gather(&mut rows).unwrap();
        let verdict = verify_rows(&self.protocol, (&mut rows, &told), &seeds, None, &[]).unwrap();
        let codes = verdict.findings.iter().map(|own| own.code).collect();
        (verdict, codes, rows.read)
    }

    /// The rows with one row changed, chained anew from there on.
    fn chained(&self, place: usize, change: impl Fn(&mut Entry)) -> Vec<Entry> {
        let mut rows = self.rows.clone();
        change(&mut rows[place]);
        let mut before = GENESIS;
        for row in &mut rows {
            row.hash = row.chained(&before, &self.protocol.hash.0);
            before = row.hash;
        }
        rows
    }
}

/// Each column of a row, changed.
const COLUMNS: [fn(&mut Entry); 9] = [
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

/// A chain of one reading and the draws of another are what dice could hit on: so a verdict is of one reading, in which each row
/// is chained and derived. Whatever other readings would be, it is that of the one.
#[test]
fn a_verdict_is_of_one_reading() {
    let own = Shown::of(&begun());
    let honest = &own.rows;
    let forged = forged(honest, &own.protocol.hash.0);
    let (verdict, codes, read) = own.found(honest, &[honest, &forged]);
    assert_eq!((verdict.ok, codes, read), (true, vec![], 1));
    assert_eq!(verdict.head.hash, honest.last().unwrap().hash);
    let (verdict, codes, read) = own.found(honest, &[&forged, honest]);
    assert_eq!((verdict.ok, read), (false, 1));
    assert!(codes.iter().all(|own| *own == "draw-differs") && !codes.is_empty());
    assert_eq!(verdict.head.hash, forged.last().unwrap().hash);
    // Any byte of any column of any row, a row more and a row less: whatever is read next.
    let mut others = vec![honest[1..].to_vec()];
    let mut more = honest.clone();
    more.push(honest[3].clone());
    others.push(more);
    for column in COLUMNS {
        for place in 0..honest.len() {
            let mut rows = honest.clone();
            column(&mut rows[place]);
            others.push(rows);
        }
    }
    for other in &others {
        let (verdict, codes, _) = own.found(honest, &[other, honest]);
        assert!(!verdict.ok && !codes.is_empty());
        // The same rows each time: what does not hold is said, and not that they changed.
        let (verdict, codes, _) = own.found(other, &[other]);
        assert!(!verdict.ok && !codes.contains(&"rows-changed"), "{codes:?}");
    }
}

/// What rows say of others is gathered before the reading. If the reading shows something else, both are looked at again, and
/// nothing is called verified.
#[test]
fn rows_that_change_between_two_readings_are_not_verified() {
    let place = begun();
    place
        .act(&format!(
            "record closed --family {} --on 2025-03-03 --event-key c1",
            family(0)
        ))
        .json(0);
    let closed = place.entries().len();
    place
        .act_as(
            "lead",
            &format!(
                "record corrected --family {} --on 2025-03-03 --event-key c2 --set sequence={closed} --set reason=mistake",
                family(0)
            ),
        )
        .json(0);
    let own = Shown::of(&place);
    let honest = &own.rows;
    assert!(own.found(honest, &[honest]).0.ok);
    // Another commitment, a publication of seeds, an erasure, a correction less, one of another row.
    let seed = Seed::from_hex(&"5a".repeat(32)).unwrap();
    let commitment = lottning::study::journal::hex(&seed.commitment(&own.protocol.hash.0));
    let told = |kind: &str, public: &str| Entry {
        kind: kind.into(),
        public: public.into(),
        sequence: honest.len() as u64 + 1,
        ..honest[0].clone()
    };
    let with = |row: Entry| [honest.clone(), vec![row]].concat();
    let mut gathered = vec![
        honest[1..].to_vec(),
        honest[..closed].to_vec(),
        with(told(
            "revealed",
            &format!(r#"{{"seeds":["{}"]}}"#, "5a".repeat(32)),
        )),
        with(told("erased", r#"{"reason":"request","sequences":[2,3]}"#)),
        with(told("corrected", r#"{"sequence":2}"#)),
    ];
    let public: serde_json::Value = serde_json::from_str(&honest[0].public).unwrap();
    let committed = public["commitment"].as_str().unwrap().to_owned();
    let mut other = honest.clone();
    other[0].public = other[0].public.replace(&committed, &commitment);
    gathered.push(other);
    for asked in &gathered {
        let (verdict, codes, read) = own.found(asked, &[honest]);
        assert_eq!((verdict.ok, codes, read), (false, vec!["rows-changed"], 2));
        // By what the reading showed, the draws are those of the seed.
        assert_eq!(verdict.draws, DrawCheck::Verified);
        // Forged rows are found whatever was gathered.
        let forged = forged(honest, &own.protocol.hash.0);
        let (verdict, codes, _) = own.found(asked, &[&forged, honest]);
        assert!(!verdict.ok && codes.contains(&"rows-changed"), "{codes:?}");
    }
    // Rows after one that does not hold are believed in what they say of others, so one reading does; if they say something else
    // when they are read, that is named.
    let broken = {
        let mut rows = honest.clone();
        rows[3].actor.push('x');
        rows
    };
    let (verdict, codes, read) = own.found(&broken, &[&broken, honest]);
    assert_eq!((codes, read), (vec!["chain-broken"], 1));
    assert_eq!(verdict.first_bad, Some(4));
    let mut silent = broken.clone();
    silent.last_mut().unwrap().public = "{}".into();
    for second in [honest, &broken, &silent] {
        let (verdict, codes, read) = own.found(&broken, &[&silent, second]);
        assert_eq!((verdict.ok, read), (false, 2));
        assert!(codes.contains(&"rows-changed"), "{codes:?}");
    }
    // A row that was written anew is one of its own chain.
    let (verdict, codes, _) = own.found(honest, &[&own.chained(3, |row| row.actor.push('x'))]);
    assert_eq!((verdict.ok, codes), (true, vec![]));
}
