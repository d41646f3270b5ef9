//! `verifier/verify.py` beside `lottning verify`, on real ledgers and on ledgers that were tampered with.
//!
//! The two share no code: both must accept what is right, and both must name the same first bad event of what is not.

use std::path::Path;
use std::process::Command;

use super::place::{IUH, Place, family, read_entries, two_arms};
use lottning::study::journal::{Entry, GENESIS};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/verifier/verify.py");

/// Exit code and answer of the program of the pages.
pub(super) fn independent(study: &Path, more: &[&str]) -> (i32, Value) {
    let output = Command::new("python3")
        .arg(SCRIPT)
        .arg(study)
        .args(more)
        .arg("--json")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), answer)
}

/// Exit code and answer of the command.
pub(super) fn own(study: &Path, more: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .args(["verify", "--json", "--study"])
        .arg(study)
        .args(more)
        .output()
        .unwrap();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        serde_json::from_slice(&output.stderr)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    });
    (output.status.code().unwrap(), answer)
}

#[test]
fn the_unit_tests_of_the_program_of_the_pages_hold() {
    let output = Command::new("python3")
        .args(["-m", "unittest", "discover", "-q"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/verifier"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told = Command::new("python3")
        .arg(SCRIPT)
        .arg("--self-test")
        .output()
        .unwrap();
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stdout)
    );
}

pub(super) fn enrol_file(
    place: &Place,
    header: &str,
    rows: impl Iterator<Item = String>,
) -> Vec<Value> {
    let rows: Vec<String> = rows.collect();
    place.write("f.csv", format!("{header}\n{}\n", rows.join("\n")));
    let newest = seeds(place).pop().unwrap();
    let ran = place.act(&format!("enrol --from f.csv --seed-file {newest}"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const SMALL: &str = "site,family,child,report_key,received,answer.consent,field.earlier_reports";

/// The seed files of a study's epochs, in their order: those of `NAMES` that are there.
fn seeds(place: &Place) -> Vec<String> {
    const NAMES: [&str; 3] = ["keys/seed", "keys/later", "keys/latest"];
    let files = NAMES.map(|name| place.path(name));
    let there = files.iter().filter(|file| file.exists());
    there
        .map(|file| file.to_str().unwrap().to_owned())
        .collect()
}

fn as_options(seeds: &[String]) -> Vec<&str> {
    seeds
        .iter()
        .flat_map(|seed| ["--seed-file", seed.as_str()])
        .collect()
}

/// Both programs accept a study with its seeds, and find the same number of events and draws.
pub(super) fn both_accept(place: &Place) {
    let study = place.path("study");
    let seeds = seeds(place);
    let more = as_options(&seeds);
    let (code, ours) = own(&study, &more);
    assert_eq!(
        (code, &ours["ok"], &ours["draws"]),
        (0, &json!(true), &json!("verified")),
        "{ours}"
    );
    let (code, theirs) = independent(&study, &more);
    assert_eq!((code, &theirs["ok"]), (0, &json!(true)), "{theirs}");
    for key in ["events", "allocations", "head"] {
        assert_eq!(ours[key], theirs[key]);
    }
    assert_eq!(theirs["draws"]["verified"], ours["allocations"]);
    assert_eq!(
        (&theirs["draws"]["wrong"], &theirs["draws"]["not_checked"]),
        (&json!(0), &json!(0))
    );
}

fn small_study(allocation: &str, arms: &str) -> Place {
    let text = two_arms();
    let (head, rest) = text.split_once("[[arm]]").unwrap();
    let (_, tail) = rest.split_once("[unit]").unwrap();
    let text = format!("{head}{arms}\n[unit]{tail}")
        .replace("kind = \"count\"\n", "kind = \"count\"\ncuts = [1, 3]\n")
        .replace("method = \"big-stick\"\nmax_imbalance = 4\n", allocation);
    let place = Place::open(&text);
    let rows = (0..45).map(|number| {
        let site = ["north", "south"][number * 7 % 5 % 2];
        let consent = ["yes", "no"][usize::from(number % 11 == 3)];
        format!(
            "{site},{},,R1,2025-03-01,{consent},{}",
            family(number),
            number % 4
        )
    });
    let answers = enrol_file(&place, SMALL, rows);
    assert_eq!(answers.len(), 45);
    place
}

pub(super) fn arms(ratios: &[(&str, u32)]) -> String {
    let blocks: Vec<String> = ratios
        .iter()
        .enumerate()
        .map(|(place, (id, ratio))| {
            let control = if place + 1 == ratios.len() { "control = true\n" } else { "" };
            format!(
                "[[arm]]\nid = \"{id}\"\nlabel = {{ sv = \"{id}\", en = \"{id}\" }}\nratio = {ratio}\n{control}\n"
            )
        })
        .collect();
    blocks.concat()
}

#[test]
fn both_programs_derive_every_draw_of_every_method_again() {
    let equal = arms(&[("new", 1), ("usual", 1)]);
    for (allocation, arms) in [
        ("method = \"simple\"\n", equal.clone()),
        ("method = \"simple\"\n", arms(&[("new", 2), ("usual", 1)])),
        (
            "method = \"permuted-block\"\nblock_len = 4\n",
            equal.clone(),
        ),
        (
            "method = \"permuted-block\"\nblock_lens = [4, 2, 6]\n",
            equal.clone(),
        ),
        (
            "method = \"permuted-block\"\nblock_lens = [3, 6]\n",
            arms(&[("new", 2), ("usual", 1)]),
        ),
        (
            "method = \"permuted-block\"\nblock_len = 6\n",
            arms(&[("new", 1), ("more", 1), ("usual", 1)]),
        ),
        ("method = \"big-stick\"\nmax_imbalance = 2\n", equal.clone()),
        (
            "method = \"big-stick\"\nmax_imbalance = 2\n",
            arms(&[("new", 2), ("usual", 1)]),
        ),
        (
            "method = \"biased-coin\"\n",
            arms(&[("new", 4), ("usual", 6)]),
        ),
        (
            "method = \"urn\"\n",
            arms(&[("new", 2), ("more", 1), ("usual", 1)]),
        ),
        (
            "method = \"truncated-binomial\"\nlist_len = 12\n",
            arms(&[("new", 1), ("usual", 3)]),
        ),
        (
            "method = \"maximal\"\nlist_len = 201\n",
            arms(&[("new", 2), ("usual", 1)]),
        ),
        (
            "method = \"big-stick\"\n",
            arms(&[("new", 9), ("usual", 1)]),
        ),
        (
            "method = \"maximal\"\nlist_len = 40\nmax_imbalance = 2\n",
            arms(&[("new", 10), ("more", 9), ("usual", 1)]),
        ),
        (
            "method = \"random-allocation\"\nlist_len = 6\n",
            arms(&[("new", 2), ("usual", 1)]),
        ),
        ("method = \"biased-coin\"\nbias = 0.6\n", equal.clone()),
        (
            "method = \"biased-coin\"\n",
            arms(&[("new", 1), ("more", 1), ("usual", 1)]),
        ),
        (
            "method = \"urn\"\nurn = [1, 2]\n",
            arms(&[("new", 1), ("more", 1), ("usual", 1)]),
        ),
        // An option is its text: a list may be written as one.
        ("method = \"urn\"\nurn = \"1, 2\"\n", equal.clone()),
        (
            "method = \"minimization\"\nfactors = [\"earlier_reports\"]\nfactor_weights = \"1\"\nratio_preserving = \"false\"\n",
            equal.clone(),
        ),
        (
            "method = \"truncated-binomial\"\nlist_len = \"10\"\n",
            equal.clone(),
        ),
        (
            "method = \"maximal\"\nlist_len = 200\nmax_imbalance = 3\n",
            equal.clone(),
        ),
        (
            "method = \"maximal\"\nlist_len = 90\nmax_imbalance = 4\n",
            arms(&[("new", 1), ("more", 1), ("usual", 1)]),
        ),
        (
            "method = \"minimization\"\nfactors = [\"earlier_reports\"]\nfactor_weights = [1]\nimbalance = \"sum\"\n",
            equal,
        ),
        (
            "method = \"minimization\"\nfactors = [\"earlier_reports\"]\nprobability = \"3/4\"\nratio_preserving = true\n",
            arms(&[("new", 3), ("more", 1), ("usual", 2)]),
        ),
    ] {
        let place = small_study(allocation, &arms);
        both_accept(&place);
    }
}

/// A gate that closes and opens, joins, returns, an exception, switches, site events, a lock and the published seed.
pub(super) fn eventful() -> Place {
    let place = Place::open(IUH);
    let header = "site,family,child,report_key,received,exception,answer.investigation-opened,\
                  answer.immediate-placement,answer.police-led,field.earlier_reports,field.youngest_age,field.category";
    let row = |number: usize, key: &str, child: &str, exception: &str, police: &str| {
        format!(
            "skarpnack,{},{child},{key},2025-03-01,{exception},yes,no,{police},3,4,violence",
            family(number)
        )
    };
    let mut rows: Vec<String> = (0..16).map(|n| row(n, "R1", "", "", "no")).collect();
    rows.push(row(20, "R1", "", "", "yes"));
    rows.push(row(21, "R1", "", "court-order", "no"));
    let answers = enrol_file(&place, header, rows.into_iter());
    let holders: Vec<&str> = answers
        .iter()
        .filter(|answer| answer["arm"] == "iuh")
        .map(|answer| answer["family"].as_str().unwrap())
        .collect();
    let turned: Vec<usize> = (0..16)
        .filter(|n| answers[*n]["outcome"] == "gate-closed")
        .collect();
    assert_eq!(holders.len(), 6, "two therapists with three families each");
    let on = "--on 2025-03-03";
    for words in [
        format!("record closed --family {} {on} --event-key c1", holders[0]),
        format!(
            "record not-started --family {} {on} --event-key c2",
            holders[1]
        ),
        format!(
            "record switched --family {} {on} --event-key c3 --set arm=standard",
            holders[2]
        ),
        format!(
            "record home-visit --family {} {on} --event-key c4 --set delivered_by=pair-1",
            holders[3]
        ),
        format!("record capacity-changed --site skarpnack {on} --event-key c5 --set therapists=3"),
        format!("record site-closed --site skarpnack {on} --event-key c6"),
        format!("record site-opened --site skarpnack {on} --event-key c7"),
        format!(
            "record report --family {} {on} --event-key R8 --set reporter=school",
            holders[0]
        ),
        format!(
            "record withdrawn --family {} {on} --event-key c8",
            holders[4]
        ),
    ] {
        place.act(&words).json(0);
    }
    let mut more: Vec<String> = turned.iter().map(|n| row(*n, "R1", "", "", "no")).collect();
    more.push(row(0, "R2", "FA-XX", "", "no"));
    more.push(row(0, "R3", "FA-XX", "", "no"));
    more.extend((30..40).map(|n| row(n, "R1", "", "", "no")));
    enrol_file(&place, header, more.into_iter());
    place.days(800);
    let confirm = place.confirm().to_owned();
    place
        .act(&format!(
            "lock evaluation-2025 --cut 2025-11-30 --confirm {confirm}"
        ))
        .json(0);
    place
        .act(&format!("lock final --cut 2026-12-31 --confirm {confirm}"))
        .json(0);
    let kinds: Vec<String> = place
        .entries()
        .into_iter()
        .map(|entry| entry.kind)
        .collect();
    for kind in [
        "returned",
        "joined",
        "exception",
        "switched",
        "reported",
        "locked",
    ] {
        assert!(kinds.iter().any(|own| own == kind), "{kind}");
    }
    let gate_closed = place
        .entries()
        .iter()
        .any(|entry| entry.public.contains("gate-closed"));
    assert!(gate_closed);
    place
}

#[test]
fn both_programs_accept_an_eventful_study_before_and_after_the_reveal() {
    let place = eventful();
    both_accept(&place);
    place.act("reveal --seed-file keys/seed").json(0);
    both_accept(&place);
    let study = place.path("study");
    let (code, theirs) = independent(&study, &[]);
    assert_eq!(
        (code, &theirs["draws"]["not_checked"]),
        (0, &json!(0)),
        "the published seed is enough"
    );
    let (code, ours) = own(&study, &[]);
    assert_eq!((code, &ours["draws"]), (0, &json!("verified")));
}

/// A copy of a study to tamper with.
pub(super) struct Copied {
    pub(super) folder: tempfile::TempDir,
    seed: String,
    seeds: Vec<String>,
}

impl Copied {
    pub(super) fn of(place: &Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(place.path("study")).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
            }
        }
        let seeds = seeds(place);
        Self {
            folder,
            seed: seeds[0].clone(),
            seeds,
        }
    }

    /// The hash of an epoch's protocol file; of an epoch that has none, of the last one before it.
    fn protocol_hash(&self, epoch: usize) -> [u8; 32] {
        let named = |epoch| match epoch {
            0 => self.folder.path().join("protocol.toml"),
            later => self.folder.path().join(format!("protocol-{later}.toml")),
        };
        let file = (0..=epoch).rev().map(named).find(|file| file.exists());
        Sha256::digest(std::fs::read(file.unwrap()).unwrap()).into()
    }

    fn sql(&self, statements: &str) {
        let connection = Connection::open(self.folder.path().join("ledger.sqlite")).unwrap();
        connection.execute_batch(statements).unwrap();
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        read_entries(self.folder.path())
    }

    /// Replaces all rows, each hash made anew: what somebody with write access to the folder can do.
    pub(super) fn forge(&self, mut entries: Vec<Entry>) {
        let (mut previous, mut epoch) = (GENESIS, 0);
        let mut hash = self.protocol_hash(0);
        let mut connection = Connection::open(self.folder.path().join("ledger.sqlite")).unwrap();
        let transaction = connection.transaction().unwrap();
        transaction.execute("DELETE FROM event", []).unwrap();
        for (place, entry) in entries.iter_mut().enumerate() {
            entry.sequence = place as u64 + 1;
            if let (Some(payload), Some(salt)) = (&entry.payload, &entry.salt) {
                entry.payload_hash = Entry::hash_payload(salt, payload);
            }
            entry.hash = entry.chained(&previous, &hash);
            previous = entry.hash;
            if entry.kind == "epoch-opened" {
                epoch += 1;
                hash = self.protocol_hash(epoch);
            }
            transaction
                .execute(
                    "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    params![
                        entry.sequence as i64,
                        entry.time,
                        entry.actor,
                        entry.kind,
                        entry.public,
                        entry.payload,
                        entry.salt,
                        entry.payload_hash,
                        entry.hash
                    ],
                )
                .unwrap();
        }
        transaction.commit().unwrap();
    }

    /// Both programs accept the copy with its seeds, and derive every draw.
    pub(super) fn both_accept_copy(&self) {
        let more = as_options(&self.seeds);
        let (code, ours) = own(self.folder.path(), &more);
        assert_eq!((code, &ours["draws"]), (0, &json!("verified")), "{ours}");
        let (code, theirs) = independent(self.folder.path(), &more);
        assert_eq!(
            (code, &theirs["draws"]["not_checked"]),
            (0, &json!(0)),
            "{theirs}"
        );
    }

    /// Both programs reject with exit 8 and name the same first bad event; gives it.
    pub(super) fn both_reject(&self, what: &str, with_seeds: bool) -> Option<u64> {
        let more = as_options(if with_seeds { &self.seeds } else { &[] });
        let (code, ours) = own(self.folder.path(), &more);
        assert_eq!(code, 8, "{what}: {ours}");
        let (code, theirs) = independent(self.folder.path(), &more);
        assert_eq!(code, 8, "{what}: {theirs}");
        assert_eq!(ours["ok"], false, "{what}: {ours}");
        assert_eq!(
            ours["first_bad"], theirs["first_bad"],
            "{what}\n{ours}\n{theirs}"
        );
        ours["first_bad"].as_u64()
    }
}

#[test]
fn a_change_of_any_column_of_any_row_is_named_by_its_row() {
    let place = eventful();
    let last = place.entries().len() as u64;
    let flipped = |column: &str| format!("{column} = randomblob(32)");
    let changes = [
        "time = '2025-03-03T07:00:00.000000Z'".to_owned(),
        "actor = 'somebody'".to_owned(),
        "kind = 'offered'".to_owned(),
        "public = replace(public, '}', ' }')".to_owned(),
        "payload = replace(payload, '}', ' }')".to_owned(),
        "payload = '{}'||' '".to_owned(),
        flipped("salt"),
        "salt = x'0011'".to_owned(),
        flipped("payload_hash"),
        "hash = x'00'".to_owned(),
        "payload = NULL".to_owned(),
        "salt = NULL".to_owned(),
        "payload = NULL, salt = NULL".to_owned(),
        "actor = CAST(x'ff' AS TEXT)".to_owned(),
        "public = CAST(x'7bff7d' AS TEXT)".to_owned(),
    ];
    for (number, change) in changes.iter().enumerate() {
        // Different rows for different changes, and the first and the last for each third.
        let rows = match number % 3 {
            0 => vec![1, 2 + number as u64],
            1 => vec![3 + number as u64],
            _ => vec![5 + number as u64, last],
        };
        for row in rows {
            let copy = Copied::of(&place);
            copy.sql(&format!("UPDATE event SET {change} WHERE sequence = {row}"));
            let found = copy.both_reject(&format!("{change} of row {row}"), number % 2 == 0);
            assert_eq!(found, Some(row), "{change} of row {row}");
        }
    }
    let copy = Copied::of(&place);
    copy.sql(&format!(
        "UPDATE event SET hash = zeroblob(32) WHERE sequence = {last}"
    ));
    assert_eq!(copy.both_reject("the last hash", true), Some(last));
}

#[test]
fn rows_deleted_inserted_swapped_or_renumbered_are_found() {
    let place = eventful();
    let last = place.entries().len() as u64;
    let insert = |sequence: i64| {
        format!(
            "INSERT INTO event SELECT {sequence}, time, actor, kind, public, payload, salt, payload_hash, hash \
             FROM event WHERE sequence = 4;"
        )
    };
    for (what, statements, first) in [
        ("the first row is gone", "DELETE FROM event WHERE sequence = 1".to_owned(), 1),
        ("a row is gone", "DELETE FROM event WHERE sequence = 7".to_owned(), 7),
        ("rows are gone", "DELETE FROM event WHERE sequence BETWEEN 7 AND 9".to_owned(), 7),
        (
            "a row is gone and the rest renumbered",
            "DELETE FROM event WHERE sequence = 7; UPDATE event SET sequence = -sequence WHERE sequence > 7; \
             UPDATE event SET sequence = -sequence - 1 WHERE sequence < 0"
                .to_owned(),
            7,
        ),
        (
            "two rows are swapped",
            "UPDATE event SET sequence = -1 WHERE sequence = 8; UPDATE event SET sequence = 8 WHERE sequence = 12; \
             UPDATE event SET sequence = 12 WHERE sequence = -1"
                .to_owned(),
            8,
        ),
        (
            "a row is inserted",
            format!(
                "UPDATE event SET sequence = -sequence WHERE sequence > 9; \
                 UPDATE event SET sequence = -sequence + 1 WHERE sequence < 0; {}",
                insert(10)
            ),
            10,
        ),
        ("a row is appended", insert(last as i64 + 1), last + 1),
        ("a row is appended far away", insert(last as i64 + 100), last + 1),
        ("a row is renumbered", format!("UPDATE event SET sequence = 1000 WHERE sequence = {last}"), last),
        ("everything is gone", "DELETE FROM event".to_owned(), 1),
    ] {
        let copy = Copied::of(&place);
        copy.sql(&statements);
        let (code, ours) = own(copy.folder.path(), &["--seed-file", &copy.seed]);
        let (their_code, theirs) = independent(copy.folder.path(), &["--seed-file", &copy.seed]);
        assert_eq!(their_code, 8, "{what}: {theirs}");
        assert_eq!(theirs["first_bad"], first, "{what}: {theirs}");
        assert_eq!(code, 8, "{what}: {ours}");
        assert_eq!(ours["first_bad"], first, "{what}: {ours}");
    }
    // A row before the first one: neither program may overlook it.
    for sequence in [0, -5] {
        let copy = Copied::of(&place);
        copy.sql(&insert(sequence));
        let (code, ours) = own(copy.folder.path(), &[]);
        assert_eq!((code, &ours["first_bad"]), (8, &json!(1)), "{ours}");
        assert_eq!(independent(copy.folder.path(), &[]).0, 8);
    }
}

#[test]
fn a_truncated_ledger_is_found_by_a_head_that_was_kept() {
    let place = eventful();
    let head = place.verify()["head"].as_str().unwrap().to_owned();
    let last = place.entries().len();
    let copy = Copied::of(&place);
    copy.sql(&format!("DELETE FROM event WHERE sequence > {}", last - 2));
    let (code, ours) = own(copy.folder.path(), &["--seed-file", &copy.seed]);
    assert_eq!(code, 0, "what is left still chains: {ours}");
    let more = ["--seed-file", &copy.seed, "--expect-head", &head];
    let (code, ours) = own(copy.folder.path(), &more);
    assert_eq!(
        (code, &ours["findings"][0]["code"]),
        (8, &json!("head-mismatch"))
    );
    assert_eq!(independent(copy.folder.path(), &more).0, 8);
}

#[test]
fn another_protocol_or_another_seed_is_found() {
    let place = eventful();
    let copy = Copied::of(&place);
    std::fs::write(copy.folder.path().join("protocol.toml"), format!("{IUH}\n")).unwrap();
    assert_eq!(copy.both_reject("protocol", true), Some(1));
    let copy = Copied::of(&place);
    let other = copy.folder.path().join("seed");
    std::fs::write(&other, format!("{}\n", "ab".repeat(32))).unwrap();
    let more = ["--seed-file", other.to_str().unwrap()];
    assert_eq!(own(copy.folder.path(), &more).0, 9);
    assert_eq!(independent(copy.folder.path(), &more).0, 9);
}

/// What a forgery is, what it does, and the first event that cannot be.
type Forgery<'a> = (&'a str, Box<dyn Fn(&mut Vec<Entry>) + 'a>, usize);

pub(super) fn put(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{text} lacks {from}");
    text.replacen(from, to, 1)
}

/// Who can write the file can make every hash anew. What the rules and the seed say is then all that is left.
#[test]
fn a_forged_chain_is_found_by_what_must_follow_from_what() {
    let place = eventful();
    let rows = place.entries();
    let find = |kind: &str, nth: usize| {
        rows.iter()
            .enumerate()
            .filter(|(_, entry)| entry.kind == kind)
            .nth(nth)
            .unwrap()
            .0
    };
    let allocated = find("allocated", 3);
    let swap_arm = |text: &str| {
        if text.contains(r#""arm":"iuh""#) {
            put(text, r#""arm":"iuh""#, r#""arm":"standard""#)
        } else {
            put(text, r#""arm":"standard""#, r#""arm":"iuh""#)
        }
    };
    // The arm of one allocation: the chain is sound, the gate too (a slot fewer or more may still be free).
    let mut forged = rows.clone();
    let place_of_standard = (0..rows.len())
        .map(|nth| find("allocated", nth))
        .find(|place| rows[*place].public.contains(r#""arm":"standard""#))
        .unwrap();
    let last_standard = place_of_standard;
    forged[last_standard].public = swap_arm(&forged[last_standard].public);
    let copy = Copied::of(&place);
    copy.forge(forged);
    assert_eq!(
        copy.both_reject("an arm", true),
        Some(last_standard as u64 + 1),
        "the seed finds it"
    );

    let gate = rows
        .iter()
        .position(|entry| entry.public.contains("gate-closed"))
        .unwrap();
    let seed = std::fs::read_to_string(place.path("keys/seed")).unwrap();
    let seed = seed.trim_end();
    let last_allocated = rows
        .iter()
        .rposition(|entry| entry.kind == "allocated")
        .unwrap();
    let forgeries: Vec<Forgery<'_>> = vec![
        (
            "an allocation number",
            Box::new(|rows| {
                rows[allocated].public = put(
                    &rows[allocated].public,
                    r#""allocation":4"#,
                    r#""allocation":5"#,
                );
            }),
            allocated + 1,
        ),
        (
            "a draw number",
            Box::new(|rows| {
                rows[allocated].public = put(&rows[allocated].public, r#""draw":3"#, r#""draw":2"#);
            }),
            allocated + 1,
        ),
        (
            "an epoch",
            Box::new(|rows| {
                rows[allocated].public =
                    put(&rows[allocated].public, r#""epoch":0"#, r#""epoch":1"#);
            }),
            allocated + 1,
        ),
        (
            "the levels",
            Box::new(|rows| {
                rows[allocated].public = put(
                    &rows[allocated].public,
                    r#"["skarpnack"]"#,
                    r#"["skarholmen"]"#,
                );
            }),
            allocated + 1,
        ),
        (
            "the site of the allocation",
            Box::new(|rows| {
                rows[allocated].public = put(
                    &rows[allocated].public,
                    r#""site":"skarpnack""#,
                    r#""site":"skarholmen""#,
                );
            }),
            allocated + 1,
        ),
        (
            "the family of the allocation",
            Box::new(|rows| {
                let payload = rows[allocated].payload.clone().unwrap();
                rows[allocated].payload = Some(put(&payload, &family(3), &family(2)));
            }),
            allocated + 1,
        ),
        (
            "the request of the allocation",
            Box::new(|rows| {
                let payload = rows[allocated].payload.clone().unwrap();
                rows[allocated].payload =
                    Some(put(&payload, "auto-", "auto+").replace("auto+", "other-"));
            }),
            allocated + 1,
        ),
        (
            "a screening without its allocation",
            Box::new(|rows| {
                rows.remove(allocated);
            }),
            allocated + 1,
        ),
        (
            "an allocation without its screening",
            Box::new(|rows| {
                rows.remove(allocated - 1);
            }),
            allocated,
        ),
        (
            "a closed gate that was open",
            Box::new(|rows| {
                let verdict = put(&rows[1].public, "drawn", "gate-closed");
                rows[1].public = verdict;
                rows.remove(2);
            }),
            2,
        ),
        (
            "a family let past a closed gate",
            Box::new(|rows| {
                rows[gate].public = put(&rows[gate].public, "gate-closed", "drawn");
                let mut extra = rows[allocated].clone();
                let payload: Value =
                    serde_json::from_str(rows[gate].payload.as_deref().unwrap()).unwrap();
                extra.time.clone_from(&rows[gate].time);
                extra.payload = Some(format!(
                    r#"{{"family":{},"request_id":{}}}"#,
                    payload["family"], payload["request_id"]
                ));
                let before = rows[..gate]
                    .iter()
                    .filter(|entry| entry.kind == "allocated")
                    .count();
                extra.public = put(
                    &extra.public,
                    r#""allocation":4"#,
                    &format!(r#""allocation":{}"#, before + 1),
                );
                extra.public = put(&extra.public, r#""draw":3"#, &format!(r#""draw":{before}"#));
                rows.insert(gate + 1, extra);
            }),
            gate + 2,
        ),
        (
            "a time that goes back",
            Box::new(|rows| {
                rows[20].time = rows[1].time.replace("T07", "T06");
            }),
            21,
        ),
        (
            "a time of another form",
            Box::new(|rows| {
                rows[20].time = rows[20].time.replace(".000000Z", "Z");
            }),
            21,
        ),
        (
            "an actor of another form",
            Box::new(|rows| rows[20].actor = "a b".into()),
            21,
        ),
        (
            "white space",
            Box::new(|rows| {
                rows[20].public = rows[20].public.replacen('{', "{ ", 1);
            }),
            21,
        ),
        (
            "an unknown kind",
            Box::new(|rows| rows[20].kind = "drawn".into()),
            21,
        ),
        (
            "an unknown arm",
            Box::new(|rows| {
                rows[allocated].public = swap_arm(&rows[allocated].public)
                    .replace("\"arm\":\"iuh\"", "\"arm\":\"x\"")
                    .replace("\"arm\":\"standard\"", "\"arm\":\"x\"");
            }),
            allocated + 1,
        ),
        (
            "another commitment",
            Box::new(|rows| {
                rows[0].public = put(&rows[0].public, "\"format\":1", "\"format\":2");
            }),
            1,
        ),
        (
            "another study",
            Box::new(|rows| {
                rows[0].public = put(&rows[0].public, "iuh-2025", "iuh-2026");
            }),
            1,
        ),
        (
            "a family drawn after the final lock",
            Box::new(|rows| {
                let mut lock = rows.pop().unwrap();
                assert!(lock.public.contains("final"));
                lock.time.clone_from(&rows[allocated - 1].time);
                rows.insert(allocated - 1, lock);
            }),
            allocated + 2,
        ),
        (
            "a family drawn at a closed site",
            Box::new(|rows| {
                let at = rows.iter().position(|row| row.kind == "site-closed");
                let mut closed = rows.remove(at.unwrap());
                closed.time.clone_from(&rows[allocated - 1].time);
                rows.insert(allocated - 1, closed);
            }),
            allocated + 2,
        ),
        (
            "a seed published before the final lock",
            Box::new(|rows| {
                let mut revealed = rows[rows.len() - 1].clone();
                revealed.kind = "revealed".into();
                revealed.public = json!({ "seeds": [seed] }).to_string();
                rows.insert(rows.len() - 1, revealed);
            }),
            rows.len(),
        ),
        (
            "a family drawn after the seeds were published",
            Box::new(|rows| {
                // The pair that stood last, with its lock and the published seed before it.
                let mut revealed = rows[rows.len() - 1].clone();
                let mut lock = rows.pop().unwrap();
                let last = rows.iter().rposition(|row| row.kind == "allocated");
                let pair = last.unwrap() - 1;
                revealed.kind = "revealed".into();
                revealed.public = json!({ "seeds": [seed] }).to_string();
                lock.time.clone_from(&rows[pair].time);
                revealed.time.clone_from(&rows[pair].time);
                rows.insert(pair, revealed);
                rows.insert(pair, lock);
            }),
            last_allocated + 3,
        ),
        (
            "a lock made twice",
            Box::new(|rows| {
                let lock = rows[rows.len() - 1].clone();
                rows.push(lock);
            }),
            rows.len() + 1,
        ),
        (
            "an analysis of a lock that was never made",
            Box::new(|rows| {
                let mut analysed = rows[rows.len() - 1].clone();
                analysed.kind = "analysed".into();
                analysed.public =
                    json!({ "lock": "final", "results_sha256": "00".repeat(32) }).to_string();
                rows.insert(rows.len() - 1, analysed);
            }),
            rows.len(),
        ),
        (
            "a second opening",
            Box::new(|rows| {
                let mut again = rows[0].clone();
                again.time.clone_from(&rows[20].time);
                rows.insert(21, again);
            }),
            22,
        ),
    ];
    for (what, forge, first) in &forgeries {
        let copy = Copied::of(&place);
        let mut forged = copy.entries();
        forge(&mut forged);
        copy.forge(forged);
        assert_eq!(copy.both_reject(what, true), Some(*first as u64), "{what}");
    }
}

#[test]
fn a_published_seed_that_is_not_the_committed_one_is_found() {
    let place = eventful();
    place.act("reveal --seed-file keys/seed").json(0);
    let seed = std::fs::read_to_string(place.path("keys/seed"))
        .unwrap()
        .trim_end()
        .to_owned();
    let last = place.entries().len() as u64;
    for other in ["ab".repeat(32), "zz".repeat(32), String::new()] {
        let copy = Copied::of(&place);
        let mut forged = copy.entries();
        let reveal = forged.last_mut().unwrap();
        reveal.public = put(&reveal.public, &seed, &other);
        copy.forge(forged);
        assert_eq!(copy.both_reject(&other, false), Some(last), "{other}");
    }
}

#[test]
fn a_ledger_that_names_unknown_families_is_refused_and_never_stops_the_program() {
    let place = eventful();
    let rows = place.entries();
    let first = rows
        .iter()
        .position(|entry| entry.kind == "closed")
        .unwrap();
    // A service event and a report of a family that nobody screened, before all others.
    for kind in ["closed", "reported", "withdrawn", "returned", "allocated"] {
        let copy = Copied::of(&place);
        let mut forged = copy.entries();
        let mut stranger = forged[first].clone();
        stranger.time.clone_from(&forged[1].time);
        stranger.kind = kind.into();
        if kind == "reported" {
            stranger.public = "{}".into();
            stranger.payload = Some(
                r#"{"family":"QQ","received":"2025-03-01","report_key":"R1","source":"log"}"#
                    .into(),
            );
        } else {
            stranger.payload = Some(
                r#"{"event_key":"c","family":"QQ","on":"2025-03-03","request_id":"q"}"#.into(),
            );
        }
        forged.insert(1, stranger);
        copy.forge(forged);
        let (code, ours) = own(copy.folder.path(), &[]);
        assert_eq!((code, &ours["first_bad"]), (8, &json!(2)), "{kind}: {ours}");
    }
}

/// Retention will erase a family's payloads and salts; the erasure is written here by hand.
#[test]
fn an_erased_family_still_verifies_and_a_false_erasure_does_not() {
    let place = eventful();
    let rows = place.entries();
    let holder = rows
        .iter()
        .find(|row| row.kind == "closed")
        .and_then(|row| serde_json::from_str::<Value>(row.payload.as_deref()?).ok())
        .unwrap()["family"]
        .as_str()
        .unwrap()
        .to_owned();
    let own: Vec<u64> = rows
        .iter()
        .filter(|row| {
            row.payload
                .as_ref()
                .is_some_and(|payload| payload.contains(&format!("\"{holder}\"")))
        })
        .map(|row| row.sequence)
        .collect();
    assert!(own.len() > 3, "screened, allocated, closed, reported");
    let erased = |named: &[u64]| {
        let mut forged = rows.clone();
        for sequence in &own {
            let row = &mut forged[*sequence as usize - 1];
            (row.payload, row.salt) = (None, None);
        }
        let mut last = rows[rows.len() - 1].clone();
        last.kind = "erased".into();
        last.actor = "lead".into();
        last.public = json!({ "reason": "retention", "sequences": named }).to_string();
        last.payload = Some("{}".into());
        forged.push(last);
        let copy = Copied::of(&place);
        copy.forge(forged);
        copy
    };
    let copy = erased(&own);
    let more = ["--seed-file", copy.seed.as_str()];
    let (code, ours) = self::own(copy.folder.path(), &more);
    assert_eq!((code, &ours["draws"]), (0, &json!("verified")), "{ours}");
    let (code, theirs) = independent(copy.folder.path(), &more);
    assert_eq!(
        (code, &theirs["draws"]["not_checked"]),
        (0, &json!(0)),
        "{theirs}"
    );

    // One row was erased and is not named.
    let missing = own[1];
    let named: Vec<u64> = own
        .iter()
        .copied()
        .filter(|sequence| *sequence != missing)
        .collect();
    assert_eq!(
        erased(&named).both_reject("an unnamed erasure", true),
        Some(missing)
    );
    // A row is named and was not erased: the withdrawal of another family.
    let other = rows
        .iter()
        .find(|row| row.kind == "withdrawn")
        .unwrap()
        .sequence;
    let with = |more: u64| {
        let mut named: Vec<u64> = own.iter().copied().chain([more]).collect();
        named.sort_unstable();
        named
    };
    let next = rows.len() as u64 + 1;
    assert_eq!(
        erased(&with(other)).both_reject("a false erasure", true),
        Some(next)
    );
    // A row that does not exist yet.
    assert_eq!(
        erased(&with(next)).both_reject("an erasure of itself", true),
        Some(next)
    );
    // Rows that are not in their order: an erasure without its form says nothing, so the first of them is missing.
    let backwards: Vec<u64> = own.iter().rev().copied().collect();
    assert_eq!(
        erased(&backwards).both_reject("an erasure without form", true),
        Some(own[0])
    );
}

/// A child who was named by a family that was never drawn may be drawn with another, and stays with the first that is drawn. Once
/// the rows that moved a child are erased nobody can tell, and no program says that it can.
#[test]
fn a_child_moves_until_its_family_is_drawn() {
    let place = Place::open(&two_arms());
    let enrol = |number: usize, key: &str, child: &str, consent: &str| {
        let family = family(number);
        place.act(&format!(
            "enrol --site north --family {family} --report-key {key} --received 2025-03-01 {child} \
             --answer consent={consent} --field earlier_reports=1 --seed-file keys/seed"
        ))
    };
    let child = "--child CH-XA";
    enrol(0, "R1", child, "no").json(20);
    enrol(1, "R1", child, "no").json(20);
    enrol(0, "R2", "", "yes").json(0);
    both_accept(&place);
    enrol(2, "R1", child, "yes").json(0);
    both_accept(&place);
    place.unchanged(|| enrol(3, "R1", child, "yes").refused(4, "child-of-another-family"));
    let (confirm, moved) = (place.confirm().to_owned(), family(1));
    place
        .act(&format!(
            "erase --family {moved} --reason retention --confirm {confirm}"
        ))
        .json(0);
    both_accept(&place);
    // A link made before the draw makes two households one: nobody is drawn under the other name.
    let (known, other) = (family(2), family(4));
    place
        .act(&format!(
            "record linked --family {known} --set other={other} --on 2025-03-03 --event-key l1"
        ))
        .json(0);
    assert_eq!(enrol(4, "R1", child, "yes").json(0)["outcome"], "returned");
    both_accept(&place);
}
