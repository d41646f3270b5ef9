//! The stored projection: it saves time, is never the truth, and is passed over when it does not fit.

use std::sync::Arc;

use super::place::{IUH, Place, family};
use lottning::study::journal::Stored;
use serde_json::json;

/// A study of 515 families, which is long enough for a projection, and the folder's state before the last file of them.
fn long() -> Place {
    let protocol = IUH
        .replace("therapists = 2", "therapists = 1000")
        .replace("families = 712", "families = 10000");
    let place = Place::open(&protocol);
    let header = "site,family,report_key,received,answer.investigation-opened,answer.immediate-placement,\
                  answer.police-led,field.earlier_reports,field.youngest_age,field.category\n";
    let rows: Vec<String> = (0..515)
        .map(|number| {
            let name = family(number);
            format!("skarpnack,{name},R1,2025-03-01,yes,no,no,3,4,violence\n")
        })
        .collect();
    place.write("all.csv", header.to_owned() + &rows.concat());
    let ran = place.act("enrol --from all.csv --seed-file keys/seed");
    assert_eq!(ran.code, 0, "{}", ran.err);
    place
}

#[test]
fn commands_say_the_same_with_and_without_a_projection_and_with_one_that_does_not_fit() {
    let place = long();
    let file = place.path("study/ledger.projection");
    let made = std::fs::read(&file).unwrap();
    let backup = std::fs::read(place.path("study/ledger.sqlite")).unwrap();
    let status = "status --study study";
    let words = |number: usize| {
        let words = Place::enrol_words("skarpnack", &family(number), "R1");
        format!("{words} --study study --actor b --at 2025-06-01T08:00:00Z")
    };
    let told = place.run(status).json(0);
    let mut cut = made.clone();
    cut.truncate(made.len() / 2);
    let mut changed = made.clone();
    changed[made.len() / 3] ^= 1;
    // Whole, cut, changed, empty, something else, none: reading tells the same, and writing draws on.
    let stored = [&made[..], &cut, &changed, b"", b"something else", &made];
    for (next, bytes) in (515..).zip(stored) {
        std::fs::write(&file, bytes).unwrap();
        if next == 515 {
            assert_eq!(place.run(status).json(0), told);
        }
        let enrolled = place.run(&words(next)).json(0);
        assert_eq!(enrolled["allocation"], next + 1);
        let again = place.run(&words(next)).json(0);
        assert_eq!(
            (&again["replayed"], &again["arm"]),
            (&json!(true), &enrolled["arm"])
        );
        // An old request is known too, and an old key with other content is refused.
        assert_eq!(place.run(&words(3)).json(0)["replayed"], true);
    }
    place.verify();
    let told = place.run(status).json(0);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(place.run(status).json(0), told);
    // A ledger that was put back from a backup is shorter than its projection: folded from its rows.
    std::fs::write(&file, &made).unwrap();
    let whole = std::fs::read(place.path("study/ledger.sqlite")).unwrap();
    std::fs::write(place.path("study/ledger.sqlite"), &backup[..]).unwrap();
    assert_eq!(place.run(&words(600)).json(0)["allocation"], 516);
    std::fs::write(place.path("study/ledger.sqlite"), &whole[..]).unwrap();
    assert_eq!(place.run(status).json(0), told);
}

#[test]
fn verify_folds_from_the_rows_and_finds_a_projection_that_differs() {
    let place = long();
    let file = place.path("study/ledger.projection");
    let made = std::fs::read(&file).unwrap();
    assert_eq!(place.verify()["findings"], json!([]));
    // One that is not whole is no projection, and no finding.
    std::fs::write(&file, &made[..made.len() - 1]).unwrap();
    assert_eq!(place.verify()["findings"], json!([]));
    // One of the same rows that holds something else, as who forges would leave it.
    let bytes = std::fs::read(place.path("study/protocol.toml")).unwrap();
    let protocol = Arc::new(lottning::protocol::parse(&bytes).protocol.unwrap());
    let mut rest = made.as_slice();
    let stored = Stored::read(&mut rest).unwrap();
    let mut journal = stored.journal(&protocol).unwrap();
    journal.state.sites[0].taken += 1;
    std::fs::write(&file, journal.projection().unwrap()).unwrap();
    let found = place
        .run("verify --study study --seed-file keys/seed")
        .json(8);
    assert_eq!(found["findings"][0]["code"], "projection-differs");
    assert_eq!(found["findings"].as_array().unwrap().len(), 1);
    std::fs::remove_file(&file).unwrap();
    place.verify();
}

/// What certifies the ledger folds every row: a projection only stands for the rows before it.
#[test]
fn nothing_certifies_a_chain_that_is_broken_before_the_projection() {
    let place = long();
    let ledger = place.path("study/ledger.sqlite");
    let connection = rusqlite::Connection::open(&ledger).unwrap();
    connection
        .execute("UPDATE event SET actor = 'somebody' WHERE sequence = 5", [])
        .unwrap();
    drop(connection);
    let confirm = place.confirm().to_owned();
    for words in [
        "checkpoint checkpoint.json --study study".to_owned(),
        "export --proof proof --study study --actor lead".to_owned(),
        format!("lock final --cut 2026-12-31 --confirm {confirm} --study study --actor lead"),
        "reveal --seed-file keys/seed --study study --actor lead".to_owned(),
        format!(
            "amend p.toml --seed-file keys/later --confirm {confirm} --study study --actor lead"
        ),
        "analyse --lock final --study study --actor lead".to_owned(),
        "report --study study --lock final".to_owned(),
    ] {
        place.run(&words).refused(8, "ledger-broken");
    }
    assert!(!place.path("checkpoint.json").exists() && !place.path("proof").exists());
}

/// Rows that are gone are damage, and no reason to open a study once more over what is left of it.
#[test]
fn a_ledger_without_rows_beside_a_projection_is_damaged() {
    let place = long();
    let ledger = place.path("study/ledger.sqlite");
    let commands = [
        "status --study study".to_owned(),
        "verify --study study".to_owned(),
        "checkpoint checkpoint.json --study study".to_owned(),
        format!(
            "{} --study study --actor b",
            Place::enrol_words("skarpnack", &family(600), "R1")
        ),
        place.open_words(),
    ];
    for words in &commands {
        std::fs::write(&ledger, b"").unwrap();
        place.run(words).refused(8, "ledger-damaged");
        if !words.starts_with("open ") {
            assert_eq!(std::fs::read(&ledger).unwrap(), b"", "{words}");
        }
    }
    for words in &commands {
        std::fs::remove_file(&ledger).unwrap();
        drop(lottning::store::SqliteLedger::create(&ledger).unwrap());
        let ran = place.run(words);
        assert_eq!(ran.code, 8, "{words}: {}{}", ran.out, ran.err);
    }
    for words in &commands {
        let _ = std::fs::remove_file(&ledger);
        place.run(words).refused(8, "ledger-damaged");
    }
}
