//! A ledger that a newer program wrote: every command refuses it by its own code, in both languages, and writes nothing.

use std::collections::BTreeMap;

use super::place::{Place, family, two_arms};
use rusqlite::Connection;

fn form(place: &Place, version: u32) {
    let connection = Connection::open(place.path("study/ledger.sqlite")).unwrap();
    connection
        .execute_batch(&format!("PRAGMA user_version = {version}"))
        .unwrap();
}

/// The bytes of every file of the study but SQLite's index of its log, which a reader makes anew.
fn bytes(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(place.path("study")).unwrap();
    let named = files.map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap_or_default())
    });
    named
        .filter(|(name, bytes)| !name.ends_with("-shm") && !bytes.is_empty())
        .collect()
}

#[test]
fn a_ledger_of_a_newer_program_is_refused_and_left_as_it_is() {
    let place = Place::open(&two_arms());
    let enrol = |number: usize| {
        let name = family(number);
        format!(
            "enrol --site north --family {name} --report-key R1 --received 2025-03-01 \
             --answer consent=yes --field earlier_reports=1 --seed-file keys/seed"
        )
    };
    for number in 0..3 {
        place.act(&enrol(number)).json(0);
    }
    let entries = place.entries();
    form(&place, 2);
    let before = bytes(&place);
    let confirm = place.confirm().to_owned();
    let name = family(0);
    // A new family, one that was told its arm, and the commands that write or tell something else.
    let acts = [
        enrol(3),
        enrol(0),
        format!("record offered --family {name} --on 2025-03-03 --event-key o1"),
        format!("erase --family {name} --reason request --confirm {confirm}"),
    ];
    let reads = [
        "status --study study",
        "verify --study study --seed-file keys/seed",
        "checkpoint head.json --study study",
    ];
    let runs = acts.iter().map(|words| place.act(words));
    let runs = runs.chain(reads.map(|words| place.run(words)));
    for (ran, words) in runs.zip(acts.iter().map(String::as_str).chain(reads)) {
        ran.refused(8, "ledger-newer");
        for said in [
            "a form of version 2, which this program does not know; nothing was read or recorded",
            "help: use the newer program that wrote it",
        ] {
            assert!(ran.err.contains(said), "{words}: {}", ran.err);
        }
    }
    let swedish = place.run("--lang sv status --study study");
    swedish.refused(8, "ledger-newer");
    assert!(
        swedish.err.contains("inget har lästs eller registrerats")
            && swedish
                .err
                .contains("hjälp: använd det nyare program som skrev den"),
        "{}",
        swedish.err
    );
    assert_eq!(bytes(&place), before, "the study's files changed");
    assert!(!place.path("head.json").exists());
    // With the form that this program knows the study goes on where it was.
    form(&place, 1);
    assert_eq!(place.entries(), entries);
    assert_eq!(place.act(&enrol(3)).json(0)["allocation"], 4);
    assert_eq!(place.verify()["ok"], true);
}
