//! `open`, `enrol`, `record`, `import`, `lock`, `reveal` and `verify` as people and scripts call them.

use super::place::{IUH, Place, family, two_arms};
use serde_json::{Value, json};

fn object(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn open_seals_the_protocol_and_commits_to_a_private_seed() {
    let place = Place::with(IUH);
    let receipt = place.run(&place.open_words()).json(0);
    assert_eq!(receipt["schema"], "lottning.receipt/1");
    assert_eq!(
        (&receipt["event"], &receipt["sequence"]),
        (&json!("opened"), &json!(1))
    );
    assert!(
        receipt["protocol_hash"]
            .as_str()
            .unwrap()
            .starts_with(place.confirm())
    );
    assert_eq!(receipt["commitment"].as_str().unwrap().len(), 64);
    assert_eq!(
        std::fs::read(place.path("study/protocol.toml")).unwrap(),
        IUH.as_bytes()
    );
    let seed = std::fs::read_to_string(place.path("keys/seed")).unwrap();
    assert_eq!(seed.len(), 65);
    assert!(
        seed.trim_end()
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    );
    let shown = serde_json::to_string(&receipt).unwrap();
    assert!(!shown.contains(seed.trim_end()), "the seed is never shown");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(place.path("keys/seed"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn open_uses_a_seed_that_exists_and_commits_as_the_page_says() {
    // The commitment is SHA-256("lottning/commit/1" ‖ seed ‖ SHA-256(protocol)); computed here from those words.
    use sha2::{Digest, Sha256};
    let place = Place::with(IUH);
    let seed = place.seed_of("keys/seed", "a seed that was there");
    let receipt = place.run(&place.open_words()).json(0);
    let mut bytes = b"lottning/commit/1".to_vec();
    bytes.extend(seed.bytes());
    bytes.extend(Sha256::digest(IUH.as_bytes()));
    let expected = lottning::study::journal::hex(&Sha256::digest(&bytes));
    assert_eq!(receipt["commitment"], expected);
}

#[test]
fn open_is_refused_with_a_reason_and_leaves_nothing() {
    let place = Place::with(IUH);
    let open = |confirm: &str, seed: &str| {
        place.run(&format!(
            "open p.toml --study study --seed-file {seed} --confirm {confirm} --actor lead"
        ))
    };
    open("00000000", "keys/seed").refused(2, "confirm-mismatch");
    open(place.confirm(), "study/seed").refused(9, "seed-inside-study");
    open(place.confirm(), "study/../study/deep/seed").refused(9, "seed-inside-study");
    place.write("noseed", "not a seed");
    open(place.confirm(), "noseed").refused(9, "seed-invalid");
    assert!(!place.path("study").exists() && !place.path("keys").exists());

    let without = Place::with(include_str!("../../protocols/two-arms/protocol.toml"));
    without
        .run(&without.open_words())
        .refused(3, "permission-missing");
    assert!(!without.path("study").exists());

    place.write("broken.toml", "lottning = 1\n[study\n");
    let broken = place.run("open broken.toml --study study --seed-file s --confirm 0 --actor lead");
    broken.refused(3, "invalid-protocol");
    let missing =
        place.run("open nowhere.toml --study study --seed-file s --confirm 0 --actor lead");
    missing.refused(2, "file");
}

#[test]
fn a_study_is_opened_once() {
    let place = Place::open(IUH);
    // The same command is answered again (tests/cli/seed_file.rs); the same file with another seed is another opening.
    let other_seed = place.open_words().replace("keys/seed", "keys/other");
    place
        .unchanged(|| place.run(&other_seed))
        .refused(7, "already-open");
    assert!(!place.path("keys/other").exists());
    place.write("p.toml", two_arms());
    let other = lottning::protocol::parse(two_arms().as_bytes())
        .protocol
        .unwrap()
        .hash
        .short();
    let again = place.unchanged(|| {
        place.run(&format!(
            "open p.toml --study study --seed-file keys/seed --confirm {other} --actor lead"
        ))
    });
    again.refused(7, "already-open");
    assert_eq!(
        std::fs::read(place.path("study/protocol.toml")).unwrap(),
        IUH.as_bytes()
    );
}

#[test]
fn an_open_that_was_killed_before_its_first_event_is_taken_up_again() {
    // A killed `open` may leave an empty file, a blank database, or a table without a row.
    for left in ["", "PRAGMA journal_mode = WAL", "table"] {
        let place = Place::with(IUH);
        std::fs::create_dir(place.path("study")).unwrap();
        let ledger = place.path("study/ledger.sqlite");
        match left {
            "" => std::fs::write(&ledger, "").unwrap(),
            "table" => drop(lottning::store::SqliteLedger::create(&ledger).unwrap()),
            pragma => {
                let connection = rusqlite::Connection::open(&ledger).unwrap();
                let _: String = connection.query_row(pragma, [], |row| row.get(0)).unwrap();
            }
        }
        let early = place.act(&Place::enrol_words("skarpnack", "KATL", "R1"));
        early.refused(7, "not-open");
        assert_eq!(
            place.run(&place.open_words()).json(0)["sequence"],
            1,
            "{left}"
        );
    }
}

#[test]
fn a_family_is_randomized_and_the_answer_has_the_words_of_the_contract() {
    let place = Place::open(IUH);
    let answer = place
        .enrol("KATL-MORU", "R1", "--child KATL-AA --child KATL-BB")
        .json(0);
    assert_eq!(answer["schema"], "lottning.enrolment/1");
    assert_eq!(answer["outcome"], "allocated");
    assert_eq!(answer["family"], "KATL-MORU");
    assert_eq!(
        (&answer["allocation"], &answer["replayed"]),
        (&json!(1), &json!(false))
    );
    assert!(["iuh", "standard"].contains(&answer["arm"].as_str().unwrap()));
    assert_eq!(answer["reasons"], json!([]));
    assert_eq!(answer["head"], place.verify()["head"]);
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "schema",
            "outcome",
            "family",
            "arm",
            "allocation",
            "replayed",
            "reasons",
            "head"
        ],
        "no position in a stratum, nothing that helps to guess"
    );
    let kinds: Vec<String> = place
        .entries()
        .into_iter()
        .map(|entry| entry.kind)
        .collect();
    assert_eq!(kinds, ["opened", "screened", "allocated"]);
}

#[test]
fn a_repeated_request_is_answered_again_and_draws_nothing() {
    let place = Place::open(IUH);
    let first = place
        .enrol("KATL", "R1", "--child KATL-BB --child KATL-AA")
        .json(0);
    place.enrol("MORU", "R1", "").json(0);
    let again = place.unchanged(|| place.enrol("KATL", "R1", "--child KATL-AA --child KATL-BB"));
    let again = again.json(0);
    for key in ["outcome", "arm", "allocation"] {
        assert_eq!(first[key], again[key]);
    }
    assert_eq!(again["replayed"], true);
    // A retry of the very same words, though other families came in between.
    let words = format!(
        "{} --study study --actor a --at {}",
        Place::enrol_words("skarpnack", "TIRA", "R1"),
        place.tick()
    );
    let first = place.run(&words).json(0);
    place.enrol("SOLE", "R1", "").json(0);
    let again = place.unchanged(|| place.run(&words)).json(0);
    assert_eq!(
        (&first["allocation"], &again["replayed"]),
        (&again["allocation"], &json!(true))
    );
}

#[test]
fn a_used_request_with_other_content_is_refused_whatever_differs() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "--child KATL-AA").json(0);
    let words = format!(
        "{} --child KATL-AA",
        Place::enrol_words("skarpnack", "KATL", "R1")
    );
    for (from, to) in [
        ("skarpnack", "skarholmen"),
        ("2025-03-01", "2025-03-02"),
        ("police-led=no", "police-led=yes"),
        ("earlier_reports=3", "earlier_reports=4"),
        ("--child KATL-AA", "--child KATL-BB"),
        ("--child KATL-AA", ""),
        ("--child KATL-AA", "--child KATL-AA --exception court-order"),
    ] {
        let other = words.replace(from, to);
        place
            .unchanged(|| place.act(&other))
            .refused(6, "request-reused");
    }
    // A request id of one's own is compared in the same way, also across families.
    place.enrol("MORU", "R1", "--request-id q-1").json(0);
    place
        .unchanged(|| place.enrol("TIRA", "R1", "--request-id q-1"))
        .refused(6, "request-reused");
}

#[test]
fn a_family_that_comes_back_keeps_its_arm_and_a_sibling_joins_it() {
    let place = Place::open(IUH);
    let first = place.enrol("KATL", "R1", "--child KATL-AA").json(0);
    let back = place.enrol("KATL", "R2", "--child KATL-AA").json(0);
    assert_eq!(back["outcome"], "returned");
    let join = place
        .enrol("KATL", "R3", "--child KATL-AA --child KATL-BB")
        .json(0);
    assert_eq!(join["outcome"], "joined");
    for answer in [&back, &join] {
        assert_eq!(
            (&answer["arm"], &answer["allocation"]),
            (&first["arm"], &first["allocation"])
        );
    }
    for (key, more, outcome) in [
        ("R2", "--child KATL-AA", "returned"),
        ("R3", "--child KATL-BB --child KATL-AA", "joined"),
    ] {
        let again = place.unchanged(|| place.enrol("KATL", key, more)).json(0);
        assert_eq!(
            (&again["outcome"], &again["replayed"]),
            (&json!(outcome), &json!(true))
        );
        assert_eq!(again["arm"], first["arm"]);
    }
    // Another answer does not matter: a randomized family keeps its arm whatever is asked later.
    let not_now = place.enrol("KATL", "R4", "").code;
    assert_eq!(not_now, 0);
    // A child of a randomized family cannot come in with another one.
    place
        .unchanged(|| place.enrol("MORU", "R1", "--child KATL-BB"))
        .refused(4, "child-of-another-family");
    assert_eq!(place.verify()["allocations"], 1);
}

#[test]
fn not_eligible_is_an_answer_and_the_same_command_screens_anew() {
    let place = Place::open(IUH);
    let words =
        Place::enrol_words("skarpnack", "KATL", "R1").replace("police-led=no", "police-led=yes");
    let words = words.replace("earlier_reports=3", "earlier_reports=1");
    let no = place.act(&words).json(20);
    assert_eq!(no["outcome"], "not-eligible");
    assert_eq!(no["reasons"], json!(["police-led", "target-group"]));
    assert_eq!(
        (&no["arm"], &no["allocation"]),
        (&Value::Null, &Value::Null)
    );
    let again = place.act(&words).json(20);
    assert_eq!(again["replayed"], false, "screened anew, not replayed");
    assert_eq!(place.entries().len(), 3);
    let changed = place.enrol("KATL", "R1", "");
    assert!(changed.err.contains("[answers-changed]"), "{}", changed.err);
    let changed = changed.json(0);
    assert_eq!(changed["outcome"], "allocated");
    assert_eq!(changed["warnings"][0]["code"], "answers-changed");
    assert_eq!(
        place.run("status --study study --json").json(0)["changed_answers"],
        1
    );
}

/// Two therapists with three families each: six slots of the gate's arm at a site.
#[test]
fn a_full_site_closes_the_gate_until_service_frees_a_slot() {
    let place = Place::open(IUH);
    let mut holders = Vec::new();
    let mut number = 0;
    while holders.len() < 6 {
        let name = family(number);
        number += 1;
        let answer = place.enrol(&name, "R1", "").json(0);
        if answer["arm"] == "iuh" {
            holders.push(name);
        }
    }
    let late = family(number);
    let shut = place.enrol(&late, "R1", "").json(21);
    assert_eq!(
        (&shut["outcome"], &shut["arm"]),
        (&json!("gate-closed"), &Value::Null)
    );
    place.enrol(&late, "R1", "").json(21);
    // Another site has slots of its own.
    place
        .act(&Place::enrol_words("skarholmen", "KATL", "R1"))
        .json(0);
    // A family that came back keeps its arm though the gate is closed.
    assert_eq!(
        place.enrol(&holders[0], "R2", "").json(0)["outcome"],
        "returned"
    );
    let closed = format!(
        "record closed --family {} --on 2025-03-03 --event-key c1",
        holders[0]
    );
    place.act(&closed).json(0);
    let open = place.enrol(&late, "R1", "").json(0);
    assert_eq!(open["outcome"], "allocated");
    place.verify();
}

#[test]
fn a_declared_exception_is_an_answer_of_its_own() {
    let place = Place::open(IUH);
    let made = place
        .enrol("KATL", "R1", "--exception court-order")
        .json(22);
    assert_eq!(
        (&made["outcome"], &made["reasons"]),
        (&json!("exception"), &json!(["court-order"]))
    );
    assert_eq!(made["arm"], Value::Null);
    let again = place
        .unchanged(|| place.enrol("KATL", "R1", "--exception court-order"))
        .json(22);
    assert_eq!(
        (&again["replayed"], &again["reasons"]),
        (&json!(true), &json!(["court-order"]))
    );
    place
        .unchanged(|| place.enrol("KATL", "R1", ""))
        .refused(6, "request-reused");
    // The registered cap is one per site and quarter: a second one is told, and recorded all the same.
    let second = place.enrol("MORU", "R1", "--exception court-order");
    assert!(second.err.contains("[exception-cap]"), "{}", second.err);
    second.json(22);
    place
        .unchanged(|| place.enrol("TIRA", "R1", "--exception because"))
        .refused(4, "invalid-enrolment");
}

#[test]
fn wrong_input_names_every_fault_and_changes_nothing() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let good = Place::enrol_words("skarpnack", "MORU", "R1");
    for (from, to, exit, code) in [
        ("--site skarpnack", "--site skarpnak", 4, "unknown-site"),
        ("MORU", "moru", 4, "invalid-pseudonym"),
        ("MORU", "MORU1", 4, "invalid-pseudonym"),
        ("--report-key R1", "--report-key R/1", 4, "invalid-key"),
        ("2025-03-01", "1-mars-2025", 4, "invalid-date"),
        ("2025-03-01", "2025-02-30", 4, "invalid-date"),
        ("2025-03-01", "2026-03-01", 4, "received-in-the-future"),
        ("--answer police-led=no", "", 4, "missing-answer"),
        ("police-led=no", "police-led=maybe", 4, "invalid-answer"),
        (
            "police-led=no",
            "police-led=no --answer police-led=no",
            4,
            "repeated-value",
        ),
        ("police-led=no", "police=no", 4, "unknown-criterion"),
        ("police-led=no", "police-led", 2, "invalid-value"),
        ("--field category=violence", "", 4, "missing-field"),
        (
            "category=violence",
            "category=violent",
            4,
            "invalid-field-value",
        ),
        (
            "youngest_age=4",
            "youngest_age=18",
            4,
            "invalid-field-value",
        ),
        (
            "youngest_age=4",
            "youngest_age=4.5",
            4,
            "invalid-field-value",
        ),
        ("youngest_age", "age", 4, "unknown-field"),
        (
            "--seed-file keys/seed",
            "--seed-file keys/none",
            9,
            "seed-missing",
        ),
        (
            "--seed-file keys/seed",
            "--seed-file p.toml",
            9,
            "seed-invalid",
        ),
        ("--seed-file keys/seed", "", 2, "missing-option"),
        ("--family MORU", "", 2, "missing-option"),
        (
            "--family MORU",
            "--family MORU --famly X",
            2,
            "unknown-option",
        ),
    ] {
        let words = good.replacen(from, to, 1);
        let ran = place.unchanged(|| place.act(&words));
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (exit, ""),
            "{words}\n{}",
            ran.err
        );
        assert!(
            ran.err.contains(&format!("[{code}]")),
            "{words}\n{}",
            ran.err
        );
    }
    let many: Vec<String> = (0..25).map(|n| format!(" --child {}", family(n))).collect();
    let many = many.concat();
    place
        .unchanged(|| place.act(&format!("{good}{many}")))
        .refused(4, "invalid-enrolment");
    // All faults of one request at once.
    let ran = place.act(
        &good
            .replace("skarpnack", "x")
            .replace("MORU", "m")
            .replace("=4", "=x"),
    );
    for code in ["unknown-site", "invalid-pseudonym", "invalid-field-value"] {
        assert!(ran.err.contains(code), "{}", ran.err);
    }
    for (words, exit, code) in [
        ("--actor a/b", 4, "invalid-key"),
        ("--actor a --at yesterday", 4, "invalid-time"),
        ("--actor a --at 2025-03-03T09:00:00", 4, "invalid-time"),
        (
            "--actor a --at 2025-03-01T09:00:00+01:00",
            4,
            "time-went-back",
        ),
        ("", 2, "missing-option"),
    ] {
        let ran = place.unchanged(|| place.run(&format!("{good} --study study {words}")));
        ran.refused(exit, code);
    }
    place
        .run(&format!("{good} --study nowhere --actor a"))
        .refused(7, "not-open");
    std::fs::write(place.path("keys/other"), format!("{}\n", "cd".repeat(32))).unwrap();
    let other = good.replace("keys/seed", "keys/other");
    place
        .unchanged(|| place.act(&other))
        .refused(9, "seed-mismatch");
    place
        .unchanged(|| place.act(&format!("{good} --seed-file keys/seed")))
        .refused(9, "seed-missing");
}

#[test]
fn sites_open_and_close_and_capacity_changes() {
    let place = Place::open(IUH);
    let words = Place::enrol_words("skarpnack", "KATL", "R1");
    let early = words.replace("2025-03-01", "2025-01-01");
    place
        .act("record site-closed --site skarpnack --on 2025-03-03 --event-key s1")
        .json(0);
    place
        .unchanged(|| place.act(&words))
        .refused(7, "site-closed");
    place
        .unchanged(|| {
            place.act("record site-closed --site skarpnack --on 2025-03-03 --event-key s2")
        })
        .refused(7, "nothing-changes");
    place
        .act("record site-opened --site skarpnack --on 2025-03-03 --event-key s3")
        .json(0);
    place
        .act("record capacity-changed --site skarpnack --on 2025-03-03 --event-key s4 --set therapists=0")
        .json(0);
    assert_eq!(place.act(&words).json(21)["outcome"], "gate-closed");
    place
        .act("record capacity-changed --site skarpnack --on 2025-03-03 --event-key s5 --set therapists=1")
        .json(0);
    place.act(&words).json(0);
    // The same key with the same content is replayed, with other content refused.
    let again = "record capacity-changed --site skarpnack --on 2025-03-03 --event-key s5 --set therapists=1";
    assert_eq!(
        place.unchanged(|| place.act(again)).json(0)["replayed"],
        true
    );
    place
        .unchanged(|| place.act(&again.replace("=1", "=2")))
        .refused(6, "key-reused");
    place.verify();

    // A site that opens later refuses before its day.
    let later = Place::open(&IUH.replacen("opens = 2025-02-03", "opens = 2025-04-01", 1));
    let words = early.replace("skarpnack", "rinkeby-kista");
    later
        .unchanged(|| later.act(&words))
        .refused(7, "site-not-open");
}

#[test]
fn recording_is_checked_replayed_and_bound_to_randomized_families() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "--child KATL-AA").json(0);
    let no =
        Place::enrol_words("skarpnack", "MORU", "R1").replace("police-led=no", "police-led=yes");
    place.act(&no).json(20);
    let report = "record report --family KATL --on 2025-03-03 --event-key R9 --child KATL-AA \
                  --set reporter=school --set incident_date=2025-03-02 --set attached_to_open_investigation=no";
    let made = place.act(report).json(0);
    assert_eq!(
        (&made["schema"], &made["event"]),
        (&json!("lottning.receipt/1"), &json!("report"))
    );
    assert_eq!(
        (&made["sequence"], &made["replayed"]),
        (&json!(5), &json!(false))
    );
    assert!(made.get("warnings").is_none());
    let again = place.unchanged(|| place.act(report)).json(0);
    assert_eq!(
        (&again["sequence"], &again["replayed"]),
        (&json!(5), &json!(true))
    );
    place
        .unchanged(|| place.act(&report.replace("school", "police")))
        .refused(6, "key-reused");
    // The same report key of another family is another report.
    place
        .act(
            &report
                .replace("KATL --on", "MORU --on")
                .replace("KATL-AA", "MORU-AA"),
        )
        .json(0);
    let bare = place.act("record report --family KATL --on 2025-03-03 --event-key R10");
    assert!(bare.err.contains("[not-carried]"), "{}", bare.err);
    bare.json(0);

    for (words, exit, code) in [
        (
            "accepted --family MORU --on 2025-03-03 --event-key k",
            7,
            "not-randomized",
        ),
        (
            "accepted --family TIRA --on 2025-03-03 --event-key k",
            4,
            "unknown-family",
        ),
        (
            "accepted --family KATL --on 2025-03-02 --event-key k",
            4,
            "before-randomization",
        ),
        (
            "accepted --family KATL --on 2026-01-01 --event-key k",
            4,
            "on-in-the-future",
        ),
        (
            "accepted --site skarpnack --on 2025-03-03 --event-key k",
            4,
            "wrong-subject",
        ),
        (
            "site-closed --family KATL --on 2025-03-03 --event-key k",
            4,
            "wrong-subject",
        ),
        (
            "accepted --on 2025-03-03 --event-key k",
            2,
            "missing-option",
        ),
        (
            "accepted --family KATL --site skarpnack --on 2025-03-03 --event-key k",
            2,
            "conflicting-options",
        ),
        (
            "acepted --family KATL --on 2025-03-03 --event-key k",
            2,
            "unknown-id",
        ),
        (
            "switched --family KATL --on 2025-03-03 --event-key k",
            4,
            "missing-set-key",
        ),
        (
            "switched --family KATL --on 2025-03-03 --event-key k --set arm=ihu",
            4,
            "unknown-arm",
        ),
        (
            "violation --family KATL --on 2025-03-03 --event-key k",
            4,
            "missing-set-key",
        ),
        (
            "observed --family KATL --on 2025-03-03 --event-key k --set outcome=x --set value=1",
            4,
            "unknown-outcome",
        ),
        (
            "observed --family KATL --on 2025-03-03 --event-key k --set outcome=accepted --set value=inf",
            4,
            "invalid-value",
        ),
        (
            "accepted --family KATL --on 2025-03-03 --event-key k --set colour=red",
            4,
            "unknown-set-key",
        ),
        (
            "accepted --family KATL --on 2025-03-03 --event-key k --set delivered_by=å",
            4,
            "invalid-code",
        ),
        (
            "accepted --family KATL --on 2025-03-03 --event-key k --set delivered_by",
            2,
            "invalid-value",
        ),
        (
            "report --family KATL --on 2025-03-03 --event-key k --set incident_date=soon",
            4,
            "invalid-date",
        ),
        (
            "report --family KATL --on 2025-03-03 --event-key k --set incident_date=2025-03-04",
            4,
            "invalid-value",
        ),
        (
            "observed --family KATL --on 2025-03-03 --event-key k --set outcome=accepted --set value=1e5",
            4,
            "invalid-value",
        ),
        (
            "report --family KATL --on 2025-03-03 --event-key k --set attached_to_open_investigation=maybe",
            4,
            "invalid-value",
        ),
        (
            "capacity-changed --site skarpnack --on 2025-03-03 --event-key k --set therapists=two",
            4,
            "invalid-value",
        ),
        (
            "capacity-changed --site north --on 2025-03-03 --event-key k --set therapists=2",
            4,
            "unknown-site",
        ),
        (
            "accepted --family KATL --on 3/3 --event-key k",
            4,
            "invalid-date",
        ),
        (
            "accepted --family KATL --on 2025-03-03 --event-key k/1",
            4,
            "invalid-key",
        ),
        (
            "accepted --family KATL --on 2025-03-03 --event-key k --child aa",
            4,
            "invalid-pseudonym",
        ),
    ] {
        let ran = place.unchanged(|| place.act(&format!("record {words}")));
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (exit, ""),
            "{words}\n{}",
            ran.err
        );
        assert!(
            ran.err.contains(&format!("[{code}]")),
            "{words}\n{}",
            ran.err
        );
    }
    for event in [
        "offered",
        "accepted",
        "declined",
        "started",
        "not-started",
        "home-visit",
        "closed",
        "reopened",
        "withdrawn",
        "all-children-18",
        "left-coverage",
        "death",
    ] {
        let words = format!("record {event} --family KATL --on 2025-03-03 --event-key k-1");
        assert_eq!(place.act(&words).json(0)["event"], event);
    }
    place
        .act("record switched --family KATL --on 2025-03-03 --event-key k-1 --set arm=iuh")
        .json(0);
    place
        .act("record violation --family KATL --on 2025-03-03 --event-key k-1 --set reason=double-draw")
        .json(0);
    let observed = place
        .act("record observed --family KATL --on 2025-03-03 --event-key k-1 --set outcome=accepted --set value=1")
        .json(0);
    assert_eq!(observed["warnings"][0]["code"], "value-not-counted");
    place.verify();
}

#[test]
fn a_study_that_lost_its_protocol_is_not_taken_for_none() {
    let place = Place::open(IUH);
    let (file, kept) = (place.path("study/protocol.toml"), place.path("kept"));
    std::fs::rename(&file, &kept).unwrap();
    for words in ["status --study study", "verify --study study"] {
        place.run(words).refused(8, "protocol-missing");
    }
    place
        .unchanged(|| place.enrol("KATL", "R1", ""))
        .refused(8, "protocol-missing");
    std::fs::rename(kept, file).unwrap();
    place.enrol("KATL", "R1", "").json(0);
    place.verify();
}

#[test]
fn a_time_far_ahead_of_the_clock_is_said_aloud() {
    let place = Place::open(IUH);
    let words = "record capacity-changed --site skarpnack --on 2025-03-03 --event-key c1 --set therapists=3 \
                 --study study --actor lead";
    let ahead = place.run(&format!("{words} --at 9000-01-01T00:00:00Z"));
    assert!(ahead.err.contains("[time-ahead]"), "{}", ahead.err);
    ahead.json(0);
    let late = place.run(&words.replace("c1", "c2"));
    late.refused(4, "time-went-back");
}

#[test]
fn every_refusal_of_the_state_has_a_page() {
    let place = Place::open(IUH);
    let early = place.run("reveal --study study --seed-file keys/seed --actor lead");
    early.refused(7, "not-finally-locked");
    let page = place.run("explain not-finally-locked --lang sv");
    assert_eq!(page.code, 0, "{}", page.err);
    assert!(page.out.contains("slutliga låsningen"), "{}", page.out);
}

const ROWS: &str = "site,family,child,report_key,received,exception,answer.investigation-opened,\
                    answer.immediate-placement,answer.police-led,field.earlier_reports,field.youngest_age,field.category\n";

#[test]
fn a_file_of_families_enrols_row_by_row_and_skips_what_is_refused() {
    let place = Place::open(IUH);
    let file = format!(
        "{ROWS}\
         skarpnack,KATL,KATL-AA KATL-BB,R1,2025-03-01,,yes,no,no,3,4,violence\n\
         skarpnack,moru,,R1,2025-03-01,,yes,no,no,3,4,violence\n\
         skarpnack,TIRA,,R1,2025-03-01,,yes,no,yes,3,4,violence\n\
         skarpnack,SOLE,,R1,2025-03-01,court-order,yes,no,no,3,4,violence\n\
         nowhere,VIND,,R1,2025-03-01,,yes,no,,3,4,violence\n\
         skarholmen,REGN,,R1,2025-03-01,,yes,no,no,2,0,other\n"
    );
    place.write("families.csv", &file);
    let ran = place.act("enrol --from families.csv --seed-file keys/seed");
    assert_eq!(ran.code, 4, "{}", ran.err);
    let answers: Vec<Value> = ran.out.lines().map(object).collect();
    let found: Vec<(&str, &str)> = answers
        .iter()
        .map(|a| {
            (
                a["family"].as_str().unwrap(),
                a["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("KATL", "allocated"),
            ("TIRA", "not-eligible"),
            ("SOLE", "exception"),
            ("REGN", "allocated")
        ]
    );
    for said in [
        "row 3",
        "[invalid-pseudonym]",
        "row 6",
        "[unknown-site]",
        "[missing-answer]",
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    let again = place.act("enrol --from families.csv --seed-file keys/seed");
    assert_eq!(again.code, 4);
    let again: Vec<Value> = again.out.lines().map(object).collect();
    assert_eq!(
        again
            .iter()
            .map(|a| a["replayed"].as_bool().unwrap())
            .collect::<Vec<_>>(),
        [true, false, true, true],
        "a screening that missed a criterion is made anew"
    );
    place.verify();

    let good = file.replace("moru", "MORU").replace(
        "nowhere,VIND,,R1,2025-03-01,,yes,no,,",
        "skarholmen,VIND,,R1,2025-03-01,,yes,no,no,",
    );
    place.write("good.csv", good);
    assert_eq!(
        place
            .act("enrol --from good.csv --seed-file keys/seed")
            .code,
        0
    );
}

#[test]
fn a_file_with_times_of_its_own_can_be_given_again() {
    let place = Place::open(IUH);
    let header = ROWS.replace("exception,", "exception,at,");
    let file = format!(
        "{header}\
         skarpnack,KATL,,R1,2025-03-01,,2025-03-04T08:00:00+01:00,yes,no,no,3,4,violence\n\
         skarpnack,MORU,,R1,2025-03-01,,2025-03-05T08:00:00+01:00,yes,no,no,3,4,violence\n\
         skarpnack,TIRA,,R1,2025-03-01,,2025-03-04T09:00:00+01:00,yes,no,no,3,4,violence\n"
    );
    place.write("f.csv", &file);
    let first = place.run("enrol --from f.csv --study study --seed-file keys/seed --actor a");
    assert_eq!(first.code, 4, "{}", first.err);
    assert!(
        first.err.contains("row 4") && first.err.contains("[time-went-back]"),
        "{}",
        first.err
    );
    let again = place.unchanged(|| {
        place.run("enrol --from f.csv --study study --seed-file keys/seed --actor a")
    });
    let replayed: Vec<bool> = again
        .out
        .lines()
        .map(|line| object(line)["replayed"].as_bool().unwrap())
        .collect();
    assert_eq!(replayed, [true, true]);
    let time = &place.entries()[1].time;
    assert_eq!(time, "2025-03-04T07:00:00.000000Z");
    assert!(place.entries()[1].public.contains(r#""clock":"override""#));
}

#[test]
fn files_are_read_as_people_have_them() {
    let row = "skarpnack,KATL,,R1,2025-03-01,,yes,no,no,3,4,violence\n";
    let utf8 = format!("{ROWS}{row}");
    let mut windows: Vec<u8> = utf8.replace(',', ";").into_bytes();
    // A column of one's own note cannot be there; the header itself is plain, so a Windows file differs by its text.
    windows.extend(b"skarpnack;MORU;;R-\xe5;2025-03-01;;yes;no;no;3;4;violence\r\n");
    let files: [(&str, Vec<u8>, &str); 5] = [
        ("comma", utf8.clone().into_bytes(), ""),
        (
            "mark",
            [b"\xef\xbb\xbf".to_vec(), utf8.clone().into_bytes()].concat(),
            "",
        ),
        (
            "semicolon",
            utf8.replace(',', ";").replace('\n', "\r\n").into_bytes(),
            "",
        ),
        ("tab", utf8.replace(',', "\t").into_bytes(), ""),
        (
            "quoted",
            utf8.replace("KATL", "\"KATL\"").into_bytes(),
            "--delimiter comma --encoding utf-8",
        ),
    ];
    for (name, bytes, more) in files {
        let place = Place::open(IUH);
        place.write("f.csv", bytes);
        let ran = place.act(&format!("enrol --from f.csv --seed-file keys/seed {more}"));
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        assert_eq!(object(ran.out.trim())["outcome"], "allocated", "{name}");
    }
    let place = Place::open(IUH);
    place.write("w.csv", windows);
    let ran = place.act("enrol --from w.csv --seed-file keys/seed --encoding windows-1252");
    assert_eq!(ran.code, 4, "å is no key: {}", ran.err);
    assert_eq!(ran.out.lines().count(), 1);
    for (name, text, code) in [
        ("empty", String::new(), "empty-file"),
        ("header", ROWS.to_owned(), "no-rows"),
        (
            "twice",
            utf8.replacen("child", "family", 1),
            "duplicate-header",
        ),
        ("ragged", format!("{utf8}skarpnack,MORU\n"), "ragged-row"),
        (
            "unknown",
            utf8.replacen("child", "barn", 1),
            "unknown-column",
        ),
        (
            "missing",
            utf8.replacen("report_key", "answer.report", 1),
            "missing-column",
        ),
        ("nul", utf8.replacen("KATL", "KA\0TL", 1), "nul-byte"),
    ] {
        place.write("bad.csv", text);
        let ran = place.unchanged(|| place.act("enrol --from bad.csv --seed-file keys/seed"));
        assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{name}: {}", ran.err);
        assert!(
            ran.err.contains(&format!("[{code}]")),
            "{name}: {}",
            ran.err
        );
        // The two groups that most files need are named among what there is.
        if name == "unknown" {
            for group in ["answer.<id>", "field.<id>"] {
                assert!(ran.err.contains(group), "{}", ran.err);
            }
        }
    }
    let dash = place.unchanged(|| place.act("enrol --from - --seed-file keys/seed"));
    assert_eq!(
        dash.code, 4,
        "standard input is read and is empty here: {}",
        dash.err
    );
}

#[test]
fn an_import_takes_all_rows_or_none() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place.enrol("MORU", "R1", "").json(0);
    place.days(60);
    let good = "family,report_key,received,reporter,incident_date,attached_to_open_investigation,child\n\
                KATL,R2,2025-04-01,school,2025-03-30,no,\n\
                MORU,R2,2025-04-02,study-staff,,yes,MORU-AA\n\
                KATL,R2,2025-04-01,school,2025-03-30,no,\n";
    place.write("good.csv", good);
    let dry = place
        .unchanged(|| place.act("import report good.csv --dry-run"))
        .json(0);
    assert_eq!(
        (&dry["rows"], &dry["recorded"], &dry["dry_run"]),
        (&json!(3), &json!(0), &json!(true))
    );
    place.write(
        "bad.csv",
        format!("{good}TIRA,R2,2025-04-01,school,,no,\nKATL,R3,2025-04-01,å!,,perhaps,\nKATL,R4,2027-04-01,,,,\n"),
    );
    let bad = place.unchanged(|| place.act("import report bad.csv"));
    bad.refused(4, "invalid-data");
    for said in [
        "row 5",
        "unknown-family",
        "row 6",
        "invalid-code",
        "invalid-value",
        "row 7",
        "on-in-the-future",
    ] {
        assert!(bad.err.contains(said), "{said}: {}", bad.err);
    }
    let made = place.act("import report good.csv").json(0);
    assert_eq!(
        (
            &made["rows"],
            &made["recorded"],
            &made["replayed_rows"],
            &made["replayed"]
        ),
        (&json!(3), &json!(2), &json!(1), &json!(false))
    );
    let again = place
        .unchanged(|| place.act("import report good.csv"))
        .json(0);
    assert_eq!(
        (&again["recorded"], &again["replayed"]),
        (&json!(0), &json!(true))
    );
    place.write("other.csv", good.replace("school", "police"));
    place
        .unchanged(|| place.act("import report other.csv"))
        .refused(6, "key-reused");
    place.write(
        "double.csv",
        "family,on,event_key\nKATL,2025-03-20,c1\nMORU,2025-03-20,c1\n",
    );
    place
        .unchanged(|| place.act("import closed double.csv"))
        .refused(6, "key-reused");
    place
        .unchanged(|| place.act("import clsed good.csv"))
        .refused(2, "unknown-id");
    place
        .unchanged(|| place.act("import report nowhere.csv"))
        .refused(2, "file");
    place.write(
        "colour.csv",
        "family,on,event_key,colour\nKATL,2025-03-20,c1,red\n",
    );
    let colour = place.unchanged(|| place.act("import closed colour.csv"));
    colour.refused(4, "invalid-data");
    assert!(colour.err.contains("[unknown-set-key]"), "{}", colour.err);
    place.verify();
}

#[test]
fn a_map_names_the_headers_that_people_have() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place.days(60);
    place.write(
        "s.csv",
        "Löpnr;Familj;Inkom;Anmälare;Handläggare\nR7;KATL;2025-04-01;school;NN\n",
    );
    let act = |map: &str| {
        place.write("map.toml", map);
        place.act("import report s.csv --map map.toml")
    };
    let fine = "[columns]\nreport_key = \"Löpnr\"\nfamily = \"Familj\"\nreceived = \"Inkom\"\nreporter = \"Anmälare\"\n";
    for (map, code) in [
        ("columns = 1", "map-shape"),
        ("[columns]\nfamily = 1", "map-shape"),
        ("[column]\nfamily = \"Familj\"", "map-shape"),
        ("[columns\n", "map-syntax"),
        ("[columns]\nfamily = \"Familjen\"", "unknown-column"),
        ("[columns]\nfamily = \"Familj\"", "missing-column"),
    ] {
        let ran = place.unchanged(|| act(map));
        assert_eq!(ran.code, 4, "{}", ran.err);
        assert!(ran.err.contains(&format!("[{code}]")), "{map}: {}", ran.err);
    }
    let twice = format!("{fine}event_key = \"Löpnr\"\n");
    assert!(
        place
            .unchanged(|| act(&twice))
            .err
            .contains("[repeated-column]")
    );
    let made = act(fine).json(0);
    assert_eq!(made["recorded"], 1);
    let last = place.entries().pop().unwrap();
    assert!(last.payload.unwrap().contains(r#""source":"register""#));
}

#[test]
fn locks_are_the_registered_ones_and_the_last_closes_enrolment() {
    let place = Place::open(IUH);
    let confirm = place.confirm().to_owned();
    let arm = place.enrol("KATL", "R1", "").json(0)["arm"].clone();
    let lock =
        |id: &str, cut: &str| place.act(&format!("lock {id} --cut {cut} --confirm {confirm}"));
    place
        .unchanged(|| lock("evaluation-2025", "2025-10-31"))
        .refused(7, "cut-not-registered");
    place
        .unchanged(|| lock("evaluation-2025", "2025-11-30"))
        .refused(7, "cut-in-the-future");
    place
        .unchanged(|| lock("evaluation", "2025-11-30"))
        .refused(2, "unknown-id");
    place
        .unchanged(|| lock("final", "soon"))
        .refused(2, "invalid-date");
    place
        .unchanged(|| place.act("lock final --cut 2026-06-01 --confirm 00000000"))
        .refused(2, "confirm-mismatch");
    place
        .unchanged(|| place.act("reveal --seed-file keys/seed"))
        .refused(7, "not-finally-locked");
    place.days(300);
    assert_eq!(
        lock("evaluation-2025", "2025-11-30").json(0)["event"],
        "locked"
    );
    place
        .unchanged(|| lock("evaluation-2025", "2025-11-30"))
        .refused(7, "already-locked");
    place.enrol("MORU", "R1", "").json(0);
    // MORU came in on 2025-12-28; 365 days of window and 30 of grace end on 2027-01-27.
    place.days(695);
    place
        .unchanged(|| lock("final", "2027-01-26"))
        .refused(7, "windows-not-ended");
    lock("final", "2027-01-27").json(0);
    place
        .unchanged(|| place.enrol("TIRA", "R1", ""))
        .refused(7, "enrolment-closed");
    // A replay is answered, and a randomized family comes back, after the lock too.
    let again = place.unchanged(|| place.enrol("KATL", "R1", "")).json(0);
    assert_eq!((&again["arm"], &again["replayed"]), (&arm, &json!(true)));
    assert_eq!(place.enrol("KATL", "R2", "").json(0)["outcome"], "returned");

    let chain = place.run("verify --study study").json(0);
    assert_eq!(
        (&chain["ok"], &chain["draws"]),
        (&json!(true), &json!("not-checked"))
    );
    std::fs::write(place.path("keys/other"), format!("{}\n", "cd".repeat(32))).unwrap();
    place
        .unchanged(|| place.act("reveal --seed-file keys/other"))
        .refused(9, "seed-mismatch");
    let shown = place.act("reveal --seed-file keys/seed").json(0);
    let seed = std::fs::read_to_string(place.path("keys/seed")).unwrap();
    assert_eq!(shown["seeds"][0]["seed"], seed.trim_end());
    assert_eq!(shown["seeds"][0]["epoch"], 0);
    place
        .unchanged(|| place.act("reveal --seed-file keys/seed"))
        .refused(7, "already-revealed");
    std::fs::remove_file(place.path("keys/seed")).unwrap();
    let open = place.run("verify --study study").json(0);
    assert_eq!(
        (&open["draws"], &open["allocations"]),
        (&json!("verified"), &json!(2))
    );
    assert_eq!(
        (&open["schema"], &open["first_bad"]),
        (&json!("lottning.verification/1"), &Value::Null)
    );
    let head = open["head"].as_str().unwrap();
    place
        .run(&format!("verify --study study --expect-head {head}"))
        .json(0);
    let missed = place
        .run(&format!(
            "verify --study study --expect-head {}",
            "0".repeat(64)
        ))
        .json(8);
    assert_eq!(missed["findings"][0]["code"], "head-mismatch");
    place
        .run("verify --study study --seed-file keys/other")
        .json(9);
    place
        .run("verify --study study --seed-file keys/seed")
        .refused(9, "seed-missing");
}

#[test]
fn a_time_before_the_last_event_is_refused_for_every_verb_that_writes() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place.write("c.csv", "family,on,event_key\nKATL,2025-03-01,c1\n");
    let confirm = place.confirm();
    for words in [
        Place::enrol_words("skarpnack", "MORU", "R1"),
        "record closed --family KATL --on 2025-03-01 --event-key c1".to_owned(),
        "import closed c.csv".to_owned(),
        "import closed c.csv --dry-run".to_owned(),
        format!("lock final --cut 2025-03-01 --confirm {confirm}"),
        "reveal --seed-file keys/seed".to_owned(),
    ] {
        let words = format!("{words} --study study --actor a --at 2025-03-02T12:00:00Z");
        let ran = place.unchanged(|| place.run(&words));
        assert_eq!(ran.code, 4, "{words}: {}", ran.err);
    }
}

#[test]
fn the_same_sentences_in_swedish_and_the_same_keys() {
    let place = Place::open(IUH);
    let words = Place::enrol_words("skarpnak", "KATL", "R1");
    let ran = place.act(&format!("{words} --lang sv"));
    assert_eq!(ran.code, 4);
    for said in [
        "fel[unknown-site]",
        "finns inte i protokollet",
        "hjälp: menade du `skarpnack`?",
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    let table = place.enrol("KATL", "R1", "--lang sv --format table");
    assert_eq!(table.code, 0, "{}", table.err);
    assert!(table.out.contains("KATL är lottad till"), "{}", table.out);
    let json = place.enrol("MORU", "R1", "--lang sv").json(0);
    assert_eq!(json["outcome"], "allocated");
    let closed = place.act("record accepted --family TIRA --on 2025-03-03 --event-key k --lang sv");
    assert!(
        closed.err.contains("finns inte i studien"),
        "{}",
        closed.err
    );
    let ran = place.run("verify --study study --format table --lang sv");
    assert!(ran.out.contains("händelser håller ihop"), "{}", ran.out);
    let failure = place.run("verify --study nowhere --json --lang sv");
    let failure: Value = serde_json::from_str(&failure.err).unwrap();
    assert_eq!(
        (&failure["exit"], &failure["code"]),
        (&json!(7), &json!("not-open"))
    );
}

#[test]
fn the_registered_size_ends_enrolment() {
    let small = two_arms()
        .replace("stop    = { families = 304,", "stop    = { families = 2,")
        .replace("target  = 304", "target  = 2");
    let place = Place::open(&small);
    let enrol = |name: &str| {
        place.act(&format!(
            "enrol --site north --family {name} --report-key R1 --received 2025-03-01 --answer consent=yes \
             --field earlier_reports=1 --seed-file keys/seed"
        ))
    };
    enrol("KATL").json(0);
    enrol("MORU").json(0);
    place
        .unchanged(|| enrol("TIRA"))
        .refused(7, "target-reached");
    assert_eq!(place.unchanged(|| enrol("KATL")).json(0)["replayed"], true);
    place.days(1100);
    let late = Place::open(&two_arms());
    late.days(1100);
    let words = "enrol --site north --family KATL --report-key R1 --received 2025-03-01 --answer consent=yes \
                 --field earlier_reports=1 --seed-file keys/seed";
    late.unchanged(|| late.act(words))
        .refused(7, "past-last-day");
}
