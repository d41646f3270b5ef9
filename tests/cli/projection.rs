//! The stored projection: it saves time, is never the truth, and is passed over when it does not fit.

use std::sync::Arc;

use super::amend::{amend, amended};
use super::place::{IUH, Place, family};
use lottning::allocation::Seed;
use lottning::study::journal::Stored;
use serde_json::json;

/// The projection that `enrol` keeps, and the one that commands without a seed keep.
pub(crate) const KEPT: &str = "study/ledger.projection.enrolment";
pub(crate) const PLAIN: &str = "study/ledger.projection";

/// A study of 515 families, which is long enough for a projection, and the folder's state before the last file of them.
pub(crate) fn long() -> Place {
    let protocol = IUH
        .replace("therapists = 2", "therapists = 1000")
        .replace("families = 712", "families = 10000");
    let place = Place::with(&protocol);
    // One seed, so that what is drawn is the same in each run.
    place.seed_of("keys/seed", "projection");
    let opened = place.run(&place.open_words());
    assert_eq!(opened.code, 0, "{}", opened.err);
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
    let file = place.path(KEPT);
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
    // A ledger put back from a backup goes on from its rows: the projection is of rows that it has.
    std::fs::write(&file, &made).unwrap();
    let whole = std::fs::read(place.path("study/ledger.sqlite")).unwrap();
    std::fs::write(place.path("study/ledger.sqlite"), &backup[..]).unwrap();
    assert_eq!(place.run(&words(600)).json(0)["allocation"], 516);
    std::fs::write(place.path("study/ledger.sqlite"), &whole[..]).unwrap();
    assert_eq!(place.run(status).json(0), told);
}

/// Families whose rows are gone would be drawn again, so nothing is drawn, told or certified, and `verify` says why.
#[test]
fn a_ledger_that_lost_the_rows_of_its_projection_is_refused() {
    let place = long();
    let ledger = place.path("study/ledger.sqlite");
    let connection = rusqlite::Connection::open(&ledger).unwrap();
    connection
        .execute("DELETE FROM event WHERE sequence > 801", [])
        .unwrap();
    drop(connection);
    let enrol = Place::enrol_words("skarpnack", &family(450), "R1");
    let enrol = format!("{enrol} --study study --actor b --at 2025-06-01T08:00:00Z");
    let file = place.path(KEPT);
    let made = std::fs::read(&file).unwrap();
    for words in [
        enrol.as_str(),
        "status --study study",
        "checkpoint head.json --study study",
    ] {
        place.run(words).refused(8, "rows-missing");
    }
    let verify = "verify --study study --seed-file keys/seed";
    let found = place.run(verify).json(8);
    assert_eq!(found["findings"][0]["code"], "rows-missing");
    // The only trace of the loss stays; who has noted it removes the file and goes on.
    assert_eq!(std::fs::read(&file).unwrap(), made);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(place.run(&enrol).json(0)["allocation"], 401);
    assert_eq!(place.run(verify).json(0)["findings"], json!([]));
}

#[test]
fn verify_folds_from_the_rows_and_finds_a_projection_that_differs() {
    let place = long();
    let file = place.path(KEPT);
    let made = std::fs::read(&file).unwrap();
    assert_eq!(place.verify()["findings"], json!([]));
    // One that is not whole is no projection, and no finding.
    std::fs::write(&file, &made[..made.len() - 1]).unwrap();
    assert_eq!(place.verify()["findings"], json!([]));
    // One of the same rows that holds something else, as who forges would leave it.
    let bytes = std::fs::read(place.path("study/protocol.toml")).unwrap();
    let protocol = Arc::new(lottning::protocol::parse(&bytes).protocol.unwrap());
    let stored = Stored::read(Box::new(made.clone())).unwrap();
    let mut journal = stored.journal(&protocol).unwrap();
    journal.state.sites[0].taken += 1;
    std::fs::write(&file, journal.projection(None).unwrap()).unwrap();
    let found = place
        .run("verify --study study --seed-file keys/seed")
        .json(8);
    assert_eq!(found["findings"][0]["code"], "projection-differs");
    assert_eq!(found["findings"].as_array().unwrap().len(), 1);
    std::fs::remove_file(&file).unwrap();
    place.verify();
}

/// The finding names the file: the other one is as it should be.
#[test]
fn verify_says_which_of_the_two_projections_differs() {
    let place = long();
    let protocol = std::fs::read(place.path("study/protocol.toml")).unwrap();
    let protocol = Arc::new(lottning::protocol::parse(&protocol).protocol.unwrap());
    let made = std::fs::read(place.path(KEPT)).unwrap();
    let mut journal = Stored::read(Box::new(made))
        .unwrap()
        .journal(&protocol)
        .unwrap();
    place.write(PLAIN, journal.projection(None).unwrap());
    place.verify();
    journal.state.sites[0].taken += 1;
    place.write(PLAIN, journal.projection(None).unwrap());
    let found = place
        .run("verify --study study --seed-file keys/seed")
        .json(8);
    let findings = found["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    let message = findings[0]["message"].as_str().unwrap();
    assert!(message.contains("`ledger.projection`"), "{message}");
}

/// A projection knows the epochs that its rows have opened. One that comes later, here with a site, a level, a method and a
/// ratio of its own, does not make it wrong.
#[test]
fn a_projection_from_before_an_amendment_is_still_the_fold_of_its_rows() {
    let place = long();
    assert_eq!(place.verify()["findings"], json!([]));
    let before = std::fs::read(place.path(KEPT)).unwrap();
    let next = amended()
        .replace("therapists = 2", "therapists = 1000")
        .replace("families = 712", "families = 10000");
    amend(&place, &next, "keys/later").json(0);
    assert_eq!(std::fs::read(place.path(KEPT)).unwrap(), before);
    let verify = "verify --study study --seed-file keys/seed --seed-file keys/later";
    assert_eq!(place.run(verify).json(0)["findings"], json!([]));
    let words = Place::enrol_words("farsta", &family(600), "R1");
    let enrolled = place.act(&words.replace("keys/seed", "keys/later"));
    assert_eq!(enrolled.json(0)["allocation"], 516);
    assert_eq!(place.run(verify).json(0)["findings"], json!([]));
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
        place.run(words).refused(8, "ledger-missing");
        assert_eq!(std::fs::read(&ledger).unwrap(), b"", "{words}");
    }
    for words in &commands {
        std::fs::remove_file(&ledger).unwrap();
        drop(lottning::store::SqliteLedger::create(&ledger).unwrap());
        let ran = place.run(words);
        assert_eq!(ran.code, 8, "{words}: {}{}", ran.out, ran.err);
    }
    for words in &commands {
        let _ = std::fs::remove_file(&ledger);
        place.run(words).refused(8, "ledger-missing");
    }
}

/// A study that is too short for a projection: that it was opened is known from the file that `open` leaves, whatever else goes.
#[test]
fn a_short_study_that_lost_its_ledger_is_never_opened_anew() {
    let place = Place::open(IUH);
    let ledger = place.path("study/ledger.sqlite");
    let mark = place.path("study/ledger.opened");
    let enrol = |name: &str| Place::enrol_words("skarpnack", name, "R1");
    place.act(&enrol("KATL")).json(0);
    let whole = std::fs::read(&ledger).unwrap();
    let commands = || {
        [
            "status --study study".to_owned(),
            "verify --study study".to_owned(),
            "checkpoint checkpoint.json --study study".to_owned(),
            format!("{} --study study --actor b", enrol("MORU")),
            place.open_words(),
        ]
    };
    let refused = |also_open: bool| {
        for words in commands() {
            if also_open || !words.starts_with("open ") {
                let ran = place.run(&words);
                ran.refused(8, "ledger-missing");
                assert!(!ran.err.contains("`lottning open`"), "{}", ran.err);
            }
        }
    };
    std::fs::write(&ledger, b"").unwrap();
    refused(true);
    assert_eq!(std::fs::read(&ledger).unwrap(), b"");
    std::fs::remove_file(&ledger).unwrap();
    refused(true);
    // An erasure removes what was made of the rows, and not this.
    std::fs::write(&ledger, &whole).unwrap();
    let confirm = place.confirm().to_owned();
    place
        .act(&format!(
            "erase --family KATL --reason request --confirm {confirm}"
        ))
        .json(0);
    std::fs::remove_file(&ledger).unwrap();
    refused(true);
    // Where it is gone too, the sealed protocol is left, and nobody is told to open a study.
    std::fs::remove_file(&mark).unwrap();
    refused(false);
    // A study without it, as an earlier version made it, has it from the next command that writes.
    std::fs::write(&ledger, &whole).unwrap();
    place.act(&enrol("MORU")).json(0);
    assert!(mark.exists());
}

/// Killed before its commit, `open` leaves a sealed protocol and no row; between commit and mark, a row and no mark.
#[test]
fn an_open_that_was_killed_before_or_after_its_commit_is_repeated() {
    let place = Place::with(IUH);
    let mark = place.path("study/ledger.opened");
    std::fs::create_dir(place.path("study")).unwrap();
    place.write("study/protocol.toml", IUH);
    for table in [false, true] {
        if table {
            let ledger = place.path("study/ledger.sqlite");
            drop(lottning::store::SqliteLedger::create(&ledger).unwrap());
        }
        place
            .run("status --study study")
            .refused(8, "ledger-missing");
        place
            .act(&Place::enrol_words("skarpnack", "KATL", "R1"))
            .refused(8, "ledger-missing");
    }
    let first = place.run(&place.open_words()).json(0);
    assert_eq!(first["replayed"], false);
    assert!(mark.exists());
    std::fs::remove_file(&mark).unwrap();
    let again = place.run(&place.open_words()).json(0);
    assert_eq!(
        (&again["replayed"], &again["head"]),
        (&json!(true), &first["head"])
    );
    assert!(mark.exists());
}

/// What is changed in a family of a projection.
type Forge = fn(&mut lottning::study::kernel::Family);

/// Bytes that hold something else and that the seed vouches for, as only its holder may leave them: an arm that was drawn
/// before is told from its row of the ledger, and nothing that reaches beyond its table is believed.
#[test]
fn an_arm_is_told_from_its_row_whatever_a_projection_says() {
    let place = long();
    let file = place.path(KEPT);
    let bytes = std::fs::read(place.path("study/protocol.toml")).unwrap();
    let protocol = Arc::new(lottning::protocol::parse(&bytes).protocol.unwrap());
    let stored = Stored::read(Box::new(std::fs::read(&file).unwrap())).unwrap();
    let journal = stored.journal(&protocol).unwrap();
    let text = std::fs::read_to_string(place.path("keys/seed")).unwrap();
    let seed = Seed::from_hex(&text).unwrap();
    let words = |key: &str, at: &str| {
        let words = Place::enrol_words("skarpnack", &family(3), key);
        format!("{words} --study study --actor b --at {at}")
    };
    let told = place.run(&words("R1", "2025-06-01T08:00:00Z")).json(0);
    let number = journal.names.family(&family(3)).unwrap().0 as usize;
    let forged: [(&str, Forge); 5] = [
        ("the other arm", |own| own.arm.0 ^= 1),
        ("another number", |own| own.allocation = 9),
        ("another screening", |own| own.last_screened = 1),
        ("the row of another family", |own| own.last_screened += 2),
        ("an arm that there is not", |own| own.arm.0 = 200),
    ];
    for (at, (what, forge)) in (10..).zip(forged) {
        let mut other = journal.clone();
        forge(other.state.families.get_mut(number).unwrap());
        for (again, key) in ["R1".to_owned(), format!("A{at}")].into_iter().enumerate() {
            std::fs::write(&file, other.projection(Some(&seed)).unwrap()).unwrap();
            let found = place
                .run(&words(&key, &format!("2025-06-01T{at}:0{again}:00Z")))
                .json(0);
            assert_eq!(found["arm"], told["arm"], "{what}");
            assert_eq!(found["allocation"], told["allocation"], "{what}");
            assert_eq!(found["replayed"], again == 0, "{what}");
        }
        place.verify();
    }
    // The same of a sound projection, which stays.
    std::fs::write(&file, journal.projection(Some(&seed)).unwrap()).unwrap();
    let found = place.run(&words("B1", "2025-06-01T20:00:00Z")).json(0);
    assert_eq!(found["arm"], told["arm"]);
    assert!(file.exists());
}

/// A pipe would be waited for, and a device read without an end.
#[cfg(unix)]
#[test]
fn only_a_regular_file_is_a_projection() {
    let place = long();
    let file = place.path(KEPT);
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("pipe"))
        .status();
    assert!(made.unwrap().success());
    for (next, target) in [(600, place.path("pipe")), (601, "/dev/zero".into())] {
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&target, &file).unwrap();
        place.run("status --study study").json(0);
        place.verify();
        let enrolled = place.enrol(&family(next), "R1", "").json(0);
        assert_eq!(enrolled["outcome"], "allocated");
        let found = std::fs::symlink_metadata(&file).unwrap();
        assert!(found.is_file(), "a projection was kept in its place");
    }
    place.verify();
}

#[cfg(unix)]
#[test]
fn a_projection_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = long();
    let mode = |name: &str| {
        let found = std::fs::metadata(place.path(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode(KEPT), 0o600);
    assert_eq!(mode("study/ledger.sqlite"), 0o600);
    assert_eq!(mode("study"), 0o700);
}

/// The answer is told before the projection is written: what stops that costs time, and nobody an answer.
#[cfg(unix)]
#[test]
fn a_limit_on_files_takes_no_answer_away() {
    let place = long();
    let file = place.path(KEPT);
    let size = std::fs::metadata(&file).unwrap().len();
    std::fs::remove_file(&file).unwrap();
    let words = Place::enrol_words("skarpnack", &family(600), "R1");
    let words = format!("{words} --study study --actor b --at 2025-06-01T08:00:00Z");
    // No trap: the signal of a write beyond the limit ends the process.
    let script = format!("ulimit -f {}; exec \"$@\"", size / 1024);
    let output = std::process::Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(super::place::program())
        .args(words.split_whitespace())
        .current_dir(place.path("."))
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["allocation"], 516);
    assert!(!file.exists() && !place.path(&format!("{KEPT}.partial")).exists());
    let again = place.run(&words).json(0);
    assert_eq!(
        (&again["replayed"], &again["arm"]),
        (&json!(true), &told["arm"])
    );
    assert!(file.exists());
}
