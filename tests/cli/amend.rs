//! Epochs, beacons and checkpoints through the command: what an amendment may change, who may draw, what verifies.

use lottning::allocation::{
    Address, Arm, Mode, Options, Seed, StratumKeys, Unit, allocate, choose, read_ratio,
};
use lottning::study::journal::{Entry, GENESIS};
use serde_json::Value;

use super::place::{IUH, Place, family, two_arms};
use super::verifier::{independent, own};

/// The IUH protocol amended: permuted blocks at 2:1, a sixth site, a level more.
pub(super) fn amended() -> String {
    let text = IUH
        .replace("method = \"big-stick\"", "method = \"permuted-block\"\nblock_lens = [3, 6]")
        .replace("max_imbalance = 4", "")
        .replacen("ratio = 1", "ratio = 2", 1)
        .replace("en = \"other\" } },\n", "en = \"other\" } },\n  { id = \"added\", label = { sv = \"tillagd\", en = \"added\" } },\n")
        .replace(
            "[[arm]]\nid = \"iuh\"",
            "[[site]]\nid = \"farsta\"\nname = \"Farsta\"\nopens = 2025-02-03\ntherapists = 2\n\n[[arm]]\nid = \"iuh\"",
        );
    assert!(
        lottning::protocol::parse(text.as_bytes())
            .protocol
            .is_some()
    );
    text
}

fn confirm(text: &str) -> String {
    lottning::protocol::parse(text.as_bytes())
        .protocol
        .unwrap()
        .hash
        .short()
}

pub(super) fn amend(place: &Place, text: &str, seed: &str) -> super::place::Ran {
    place.write("next.toml", text);
    let confirm = confirm(text);
    place.act(&format!(
        "amend next.toml --seed-file {seed} --confirm {confirm}"
    ))
}

fn seed(place: &Place, file: &str) -> Seed {
    Seed::from_hex(&std::fs::read_to_string(place.path(file)).unwrap()).unwrap()
}

/// Public parts of the allocated rows.
fn allocated(place: &Place) -> Vec<Value> {
    let rows = place.entries();
    let rows = rows.iter().filter(|row| row.kind == "allocated");
    rows.map(|row| serde_json::from_str(&row.public).unwrap())
        .collect()
}

#[test]
fn an_amendment_opens_an_epoch_and_leaves_earlier_draws_alone() {
    let spacious = |text: &str| text.replace("therapists = 2", "therapists = 1000");
    let (first, next) = (spacious(IUH), spacious(&amended()));
    let place = Place::open(&first);
    for number in 0..4 {
        place.enrol(&family(number), "R1", "").json(0);
    }
    let before = place.entries();
    let receipt = amend(&place, &next, "keys/later").json(0);
    assert_eq!(receipt["epoch"], 1);
    assert_eq!(receipt["event"], "epoch-opened");
    let hash = lottning::protocol::parse(next.as_bytes())
        .protocol
        .unwrap()
        .hash;
    assert_eq!(receipt["protocol_hash"], hash.to_hex());
    let later = seed(&place, "keys/later");
    assert_eq!(
        receipt["commitment"],
        lottning::study::journal::hex(&later.commitment(&hash.0))
    );
    assert_eq!(
        std::fs::read_to_string(place.path("study/protocol-1.toml")).unwrap(),
        next
    );
    assert_eq!(
        std::fs::read_to_string(place.path("study/protocol.toml")).unwrap(),
        first
    );

    // The seed of the ended epoch draws nothing more, and the new one alone is enough for intake.
    place.unchanged(|| {
        let refused = place.enrol(&family(4), "R1", "");
        refused.refused(9, "seed-mismatch");
        let said = "the study was amended: epoch 1 has a seed of its own, and the one that was given is that of epoch 0";
        assert!(refused.err.contains(said), "{}", refused.err);
    });
    let enrol = |number: usize, site: &str, category: &str| {
        let words = Place::enrol_words(site, &family(number), "R1")
            .replace("keys/seed", "keys/later")
            .replace("category=violence", &format!("category={category}"));
        place.act(&words).json(0)
    };
    for number in 4..13 {
        let answer = enrol(number, "skarpnack", "added");
        assert_eq!(
            answer["allocation"],
            number + 1,
            "allocations count on over epochs"
        );
    }
    // A site that the amendment added.
    enrol(13, "farsta", "violence");

    // No earlier row was touched.
    assert_eq!(before[..], place.entries()[..before.len()]);
    let rows = allocated(&place);
    let numbers = |epoch: u64| -> Vec<u64> {
        let own = rows
            .iter()
            .filter(|row| row["epoch"] == epoch && row["site"] == "skarpnack");
        own.map(|row| row["draw"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers(0), (0..4).collect::<Vec<u64>>());
    assert_eq!(numbers(1), (0..9).collect::<Vec<u64>>(), "draws count anew");

    // The arms of the epoch are those of its own seed, method and ratio, drawn here from the library's parts.
    let ratio = read_ratio("2:1").unwrap();
    let design = choose(
        "permuted-block",
        &ratio,
        &Options::of(&[("block_lens", "3,6")]),
        None,
    )
    .unwrap();
    let mut keys = StratumKeys::derive(
        &later,
        &Address {
            mode: Mode::Live,
            study: "iuh-2025",
            epoch: 1,
            levels: &["skarpnack"],
        },
    );
    let mut sequence = design.begin(&mut keys);
    let arms: Vec<Arm> = (0..9)
        .map(|index| allocate(&*design, &mut *sequence, &Unit::default(), index, &mut keys))
        .collect();
    let recorded: Vec<&str> = rows
        .iter()
        .filter(|row| row["epoch"] == 1 && row["site"] == "skarpnack")
        .map(|row| row["arm"].as_str().unwrap())
        .collect();
    let expected: Vec<&str> = arms
        .iter()
        .map(|arm| ["iuh", "standard"][arm.index()])
        .collect();
    assert_eq!(recorded, expected);

    // Verification needs the seeds of both epochs.
    let verify = |words: &str| place.run(&format!("verify --study study {words}"));
    let both = verify("--seed-file keys/seed --seed-file keys/later").json(0);
    assert_eq!(
        (both["draws"].as_str(), both["allocations"].as_u64()),
        (Some("verified"), Some(14))
    );
    let turned = verify("--seed-file keys/later --seed-file keys/seed").json(0);
    assert_eq!(turned["draws"], "verified", "each seed finds its epoch");
    assert_eq!(verify("--seed-file keys/seed").code, 9);
    assert_eq!(verify("").json(0)["draws"], "not-checked");
    // Intake may also give the seeds of all epochs.
    let words = Place::enrol_words("skarpnack", &family(14), "R1");
    place
        .act(&format!("{words} --seed-file keys/later"))
        .json(0);
    assert_eq!(place.run("status --study study").json(0)["randomized"], 15);
}

#[test]
fn an_amendment_that_breaks_a_promise_or_comes_at_the_wrong_time_records_nothing() {
    let place = Place::open(IUH);
    place.enrol(&family(0), "R1", "").json(0);
    for (from, to) in [
        ("grace_days = 30", "grace_days = 60"),
        ("window_days = [1, 365]", "window_days = [1, 180]"),
        ("id = \"skarpnack\"", "id = \"skarpnack-2\""),
        ("families_per_therapist = 3", "families_per_therapist = 5"),
    ] {
        let text = IUH.replacen(from, to, 1);
        let ran = place.unchanged(|| amend(&place, &text, "keys/later"));
        assert_eq!(ran.code, 3, "{to}: {}", ran.err);
        assert!(
            ran.err.contains("not-amendable") && ran.err.contains("next.toml:"),
            "{}",
            ran.err
        );
        assert!(
            !place.path("keys/later").exists(),
            "no seed is made for nothing"
        );
    }
    place.unchanged(|| amend(&place, &amended(), "study/later").refused(9, "seed-inside-study"));
    // The seed of an epoch is its own: also a lost seed needs a new one.
    place.unchanged(|| amend(&place, IUH, "keys/seed").refused(9, "seed-used"));
    place.write("next.toml", amended());
    let wrong = "amend next.toml --seed-file keys/later --confirm 00000000";
    place.unchanged(|| place.act(wrong).refused(2, "confirm-mismatch"));
    // A lost seed: the same file again, a new seed. The chain goes on under the same hash.
    amend(&place, IUH, "keys/second").json(0);
    let words =
        Place::enrol_words("skarpnack", &family(1), "R1").replace("keys/seed", "keys/second");
    place.act(&words).json(0);
    let verdict = place
        .run("verify --study study --seed-file keys/seed --seed-file keys/second")
        .json(0);
    assert_eq!(verdict["draws"], "verified");

    // The file of an epoch is gone or changed: nothing is drawn, and verify says so.
    let sealed = place.path("study/protocol-1.toml");
    let bytes = std::fs::read(&sealed).unwrap();
    std::fs::remove_file(&sealed).unwrap();
    let words =
        Place::enrol_words("skarpnack", &family(2), "R1").replace("keys/seed", "keys/second");
    place.act(&words).refused(8, "protocol-missing");
    assert_eq!(place.run("verify --study study").json(8)["first_bad"], 4);
    std::fs::write(&sealed, [&bytes[..], b"\n"].concat()).unwrap();
    // The row that opened the epoch names the hash of its file.
    assert_eq!(place.run("verify --study study").json(8)["first_bad"], 4);
    std::fs::write(&sealed, bytes).unwrap();
    place.act(&words).json(0);
}

/// The hash of a sealed file binds every event from the one that opened its epoch on: with another file nothing is told, and
/// nothing is written that the sealed one could not be chained with.
#[test]
fn a_sealed_protocol_that_was_changed_is_refused_before_any_row_is_bound_to_it() {
    let place = Place::open(IUH);
    let refused = |file: &str, seed: &str| {
        let sealed = place.path(file);
        let bytes = std::fs::read(&sealed).unwrap();
        let hash = lottning::protocol::parse(&bytes).protocol.unwrap().hash;
        place.write(file, [&bytes[..], b"\n"].concat());
        place.write("next.toml", format!("{}# later\n", amended()));
        place.write("service.csv", "family,on,event_key\nFA-AAA,2025-03-01,s9\n");
        let confirm = confirm(&format!("{}# later\n", amended()));
        let enrol = Place::enrol_words("skarpnack", &family(9), "R9").replace("keys/seed", seed);
        let words = [
            "status --study study".to_owned(),
            "checkpoint head.json --study study".to_owned(),
            "export --proof proof --study study --actor lead".to_owned(),
            format!("{enrol} --study study --actor intake-1"),
            "record capacity-changed --site skarpnack --set therapists=3 --on 2025-03-03 --event-key c9 --study study --actor lead".to_owned(),
            "import started service.csv --study study --actor intake-1".to_owned(),
            format!("amend next.toml --seed-file keys/never --confirm {confirm} --study study --actor lead"),
        ];
        place.unchanged(|| {
            for words in &words {
                let ran = place.run(words);
                ran.refused(8, "protocol-mismatch");
                let name = file.strip_prefix("study/").unwrap();
                assert!(ran.err.contains(name), "{words}: {}", ran.err);
                assert!(ran.err.contains(&hash.to_hex()), "{words}: {}", ran.err);
            }
        });
        let found = place.run("verify --study study");
        assert_eq!(found.code, 8, "{}", found.err);
        assert_eq!(independent(&place.path("study"), &[]).0, 8);
        assert!(!place.path("keys/never").exists());
        std::fs::write(&sealed, bytes).unwrap();
        assert_eq!(place.run("verify --study study").code, 0);
    };
    refused("study/protocol.toml", "keys/seed");
    place.enrol(&family(0), "R1", "").json(0);
    refused("study/protocol.toml", "keys/seed");
    // A file that an amendment left that never opened its epoch is no sealed one.
    place.write("study/protocol-1.toml", "half of a prot");
    place.enrol(&family(1), "R1", "").json(0);
    amend(&place, &amended(), "keys/later").json(0);
    refused("study/protocol-1.toml", "keys/later");
    refused("study/protocol.toml", "keys/later");
    place
        .act(&Place::enrol_words("skarpnack", &family(2), "R1").replace("keys/seed", "keys/later"))
        .json(0);
    refused("study/protocol-1.toml", "keys/later");
    let verify = "verify --study study --seed-file keys/seed --seed-file keys/later";
    assert_eq!(place.run(verify).json(0)["draws"], "verified");
}

#[test]
fn nothing_is_amended_after_the_final_lock() {
    let place = Place::open(&two_arms());
    place
        .act(&format!(
            "enrol --site north --family {} --report-key R1 --received 2025-03-01 --answer consent=yes \
             --field earlier_reports=3 --seed-file keys/seed",
            family(0)
        ))
        .json(0);
    place.days(900);
    let confirm = place.confirm().to_owned();
    place
        .act(&format!("lock final --cut 2027-08-01 --confirm {confirm}"))
        .json(0);
    let late = place.unchanged(|| amend(&place, &two_arms(), "keys/later"));
    assert!(
        late.err.contains("the protocol in force stands"),
        "{}",
        late.err
    );
    late.refused(7, "enrolment-closed");
}

/// An amendment chooses the seed of the next draw: nobody who screens families makes one.
#[test]
fn who_screens_families_opens_no_epoch() {
    let place = Place::open(IUH);
    place.enrol(&family(0), "R1", "").json(0);
    place.write("next.toml", amended());
    let confirm = confirm(&amended());
    let words = format!("amend next.toml --seed-file keys/later --confirm {confirm}");
    place
        .unchanged(|| place.act_as("intake-1", &words))
        .refused(4, "duties-mixed");
    place.act_as("lead", &words).json(0);
    let words =
        Place::enrol_words("skarpnack", &family(1), "R1").replace("keys/seed", "keys/later");
    place
        .unchanged(|| place.act_as("lead", &words))
        .refused(4, "duties-mixed");
    place.act(&words).json(0);
}

/// The value of a round is the seed's other half: who typed one screens no families.
#[test]
fn who_recorded_the_beacon_screens_nobody() {
    let text = waiting();
    let place = Place::with(&text);
    place.opened_by_hand(&text);
    place.days(1);
    place.act_as("lead", &format!("beacon {VALUE}")).json(0);
    let words = Place::enrol_words("skarpnack", &family(1), "R1");
    place
        .unchanged(|| place.act_as("lead", &words))
        .refused(4, "duties-mixed");
    place.act(&words).json(0);
    assert_eq!(place.verify()["ok"], true);
}

/// The time of a row can be typed and the round cannot: the computer's own clock says that nobody knows the value yet.
#[test]
fn a_round_that_lies_ahead_is_not_recorded_at_a_typed_time() {
    let text = IUH.replace(
        "time_zone ",
        "beacon = { source = \"a public lottery\", round = \"2099-03-03\", time = 2099-03-03T09:00:00+01:00 }\ntime_zone ",
    );
    let place = Place::open(&text);
    place
        .unchanged(|| {
            place.run(&format!(
                "beacon {VALUE} --study study --actor lead --at 2099-03-04T09:00:00+01:00"
            ))
        })
        .refused(7, "beacon-early");
}

/// A sealed file cannot be changed and is shown in proofs: a number in it is refused before. (An official test number.)
#[test]
fn a_protocol_that_holds_a_personal_number_is_never_sealed() {
    let numbered = |text: &str| text.replacen("fictitious-2025-01", "fictitious-191212121212", 1);
    let text = numbered(IUH);
    assert_ne!(text, IUH);
    let place = Place::with(&text);
    let ran = place.run(&place.open_words());
    ran.refused(3, "personal-number");
    assert!(
        !ran.err.contains("191212121212") && ran.err.contains("line "),
        "{}",
        ran.err
    );
    assert!(!place.path("study").exists() && !place.path("keys").exists());
    let place = Place::open(IUH);
    place.unchanged(|| amend(&place, &numbered(IUH), "keys/later").refused(3, "personal-number"));
}

/// A desk that goes on while another command amends is refused, and may be run again.
#[test]
fn two_amendments_at_once_open_one_epoch_each_in_turn_or_one_is_refused() {
    let place = Place::open(IUH);
    place.write("next.toml", amended());
    let confirm = confirm(&amended());
    let children: Vec<_> = (0..2)
        .map(|number| {
            place
                .command(&format!(
                    "amend next.toml --study study --actor lead --seed-file keys/s{number} --confirm {confirm}"
                ))
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let codes: Vec<i32> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap().status.code().unwrap())
        .collect();
    let done = codes.iter().filter(|code| **code == 0).count();
    assert!(
        done >= 1 && codes.iter().all(|code| [0, 5].contains(code)),
        "{codes:?}"
    );
    let opened = place
        .entries()
        .iter()
        .filter(|row| row.kind == "epoch-opened")
        .count();
    assert_eq!(opened, done);
    place.run("verify --study study").json(0);
}

pub(super) const VALUE: &str = "4d6d26aa00d79558f1d686cfab1168f0589e2ccad5768850b68ecdcebdd6e0cb";

/// The IUH protocol with a round an hour after the study is opened at 07:01 UTC on 3 March 2025.
pub(super) fn waiting() -> String {
    IUH.replace(
        "time_zone ",
        "beacon = { source = \"a public lottery\", round = \"2025-03-03\", time = 2025-03-03T09:00:00+01:00 }\ntime_zone ",
    )
}

/// `open` looks at the real clock for the round's time, so a study whose round was in the future then is rehearsed: its
/// first row is written as `open` would have written it.
#[test]
fn nobody_is_drawn_before_the_round_and_everybody_with_its_value_after() {
    let text = waiting();
    let past = Place::with(&text);
    past.run(&past.open_words()).refused(3, "beacon-past");
    assert!(
        !past.path("keys/seed").exists(),
        "no seed is made for a round that is known"
    );

    let place = Place::with(&text);
    place.opened_by_hand(&text);
    let refused = |number: usize| {
        place.unchanged(|| {
            place
                .enrol(&family(number), "R1", "")
                .refused(7, "beacon-missing");
        });
    };
    refused(0);
    place.unchanged(|| {
        place
            .act(&format!("beacon {VALUE}"))
            .refused(7, "beacon-early");
    });
    place.days(1);
    refused(0);
    place.unchanged(|| {
        place
            .act("beacon 4d6d26aa00d79558zz")
            .refused(4, "invalid-beacon");
    });
    let made = place
        .act(&format!("beacon {}", VALUE.to_uppercase()))
        .json(0);
    assert_eq!(
        (made["event"].as_str(), made["replayed"].as_bool()),
        (Some("beacon"), Some(false))
    );
    let again = place.act(&format!("beacon {VALUE}")).json(0);
    assert_eq!(
        (again["sequence"].clone(), again["replayed"].as_bool()),
        (made["sequence"].clone(), Some(true))
    );
    let other = VALUE.replace('4', "5");
    place.unchanged(|| {
        place
            .act(&format!("beacon {other}"))
            .refused(6, "beacon-recorded");
    });
    for number in 0..8 {
        place.enrol(&family(number), "R1", "").json(0);
    }
    assert_eq!(place.verify()["draws"], "verified");

    // The arms are those of the effective seed: HMAC-SHA-256(seed, "lottning/beacon/1" ‖ value).
    let effective = seed(&place, "keys/seed").with_beacon(VALUE);
    let drawn = |seed: &Seed| -> Vec<&str> {
        let ratio = read_ratio("1:1").unwrap();
        let design = choose(
            "big-stick",
            &ratio,
            &Options::of(&[("max_imbalance", "4")]),
            None,
        )
        .unwrap();
        let mut keys = StratumKeys::derive(
            seed,
            &Address {
                mode: Mode::Live,
                study: "iuh-2025",
                epoch: 0,
                levels: &["skarpnack"],
            },
        );
        let mut sequence = design.begin(&mut keys);
        (0..8)
            .map(|index| {
                let arm = allocate(&*design, &mut *sequence, &Unit::default(), index, &mut keys);
                ["iuh", "standard"][arm.index()]
            })
            .collect()
    };
    let rows = allocated(&place);
    let recorded: Vec<&str> = rows
        .iter()
        .map(|row| row["arm"].as_str().unwrap())
        .collect();
    assert_eq!(recorded, drawn(&effective));
}

#[test]
fn a_study_that_waits_for_no_round_takes_none() {
    let place = Place::open(IUH);
    place.unchanged(|| {
        place
            .act(&format!("beacon {VALUE}"))
            .refused(7, "no-beacon");
    });
}

#[test]
fn a_checkpoint_finds_what_a_chain_cannot() {
    let place = Place::open(IUH);
    for number in 0..3 {
        place.enrol(&family(number), "R1", "").json(0);
    }
    let made = place
        .run("checkpoint elsewhere/1.json --study study")
        .json(0);
    assert_eq!(
        (made["schema"].as_str(), made["events"].as_u64()),
        (Some("lottning.checkpoint/1"), Some(7))
    );
    let written: Value =
        serde_json::from_slice(&std::fs::read(place.path("elsewhere/1.json")).unwrap()).unwrap();
    assert_eq!(written, made);
    place
        .run("checkpoint elsewhere/1.json --study study")
        .refused(2, "exists");
    place
        .run("checkpoint study/1.json --study study")
        .refused(2, "inside-study");
    place.enrol(&family(3), "R1", "").json(0);
    place
        .run("verify --study study --checkpoint elsewhere/1.json")
        .json(0);
    place
        .run("verify --study study --checkpoint p.toml")
        .refused(4, "invalid-checkpoint");

    // Rows cut off: the chain holds, the checkpoint does not.
    let connection = rusqlite::Connection::open(place.path("study/ledger.sqlite")).unwrap();
    connection
        .execute("DELETE FROM event WHERE sequence > 5", [])
        .unwrap();
    drop(connection);
    place.run("verify --study study").json(0);
    let verdict = place
        .run("verify --study study --checkpoint elsewhere/1.json")
        .json(8);
    assert_eq!(verdict["findings"][0]["code"], "checkpoint-missed");
    // Other rows grown in their place: the same number of events, another head.
    place.enrol(&family(4), "R1", "").json(0);
    let verdict = place
        .run("verify --study study --checkpoint elsewhere/1.json")
        .json(8);
    assert_eq!(verdict["findings"][0]["code"], "checkpoint-missed");
    // A checkpoint of another study.
    let other = Place::open(&two_arms());
    other.run("checkpoint one.json --study study").json(0);
    // What is no checkpoint, and a head in capitals: both programs judge alike.
    let made: Value =
        serde_json::from_slice(&std::fs::read(other.path("one.json")).unwrap()).unwrap();
    let study = other.path("study");
    let judged = |kept: &Value| {
        other.write("kept.json", kept.to_string());
        let file = other.path("kept.json");
        let more = ["--checkpoint", file.to_str().unwrap()];
        let (code, _) = super::verifier::own(&study, &more);
        let theirs = std::process::Command::new("python3")
            .arg(super::verifier::SCRIPT)
            .arg(&study)
            .args(more)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        (code, theirs.status.code().unwrap())
    };
    let with = |key: &str, value: Value| {
        let mut kept = made.clone();
        kept[key] = value;
        kept
    };
    assert_eq!(judged(&made), (0, 0));
    let capitals = made["head"].as_str().unwrap().to_uppercase();
    assert_eq!(judged(&with("head", capitals.into())), (0, 0));
    assert_eq!(judged(&with("study", "other".into())), (8, 8));
    assert_eq!(judged(&with("events", 0.into())), (8, 8));
    assert_eq!(judged(&with("events", (-1).into())), (4, 2));
    for key in ["schema", "study", "events", "head", "last_event", "written"] {
        let mut kept = made.clone();
        kept.as_object_mut().unwrap().remove(key);
        assert_eq!(judged(&kept), (4, 2), "without {key}");
        assert_eq!(judged(&with(key, Value::Null)), (4, 2), "{key}");
    }
    std::fs::copy(other.path("one.json"), place.path("two.json")).unwrap();
    place
        .run("verify --study study --checkpoint two.json")
        .json(8);
}

/// Two sites under big stick, then minimization over site and earlier reports, then other cuts of the same field: each
/// epoch balances by its own factors, and every draw is derived again from three seeds.
#[test]
fn an_amendment_may_bring_minimization_and_change_what_it_balances() {
    let spacious = IUH.replace("therapists = 2", "therapists = 1000");
    let minimized = |cuts: &str| {
        let text = spacious
            .replace(
                "method = \"big-stick\"",
                "method = \"minimization\"\nfactors = [\"site\", \"earlier_reports\"]",
            )
            .replace("max_imbalance = 4", "probability = \"4/5\"")
            .replace("strata = [\"site\"]", "strata = []")
            .replacen(
                "label = { sv = \"Tidigare orosanmälningar\"",
                &format!("cuts = {cuts}\nlabel = {{ sv = \"Tidigare orosanmälningar\""),
                1,
            );
        let parsed = lottning::protocol::parse(text.as_bytes());
        assert!(parsed.protocol.is_some(), "{:?}", parsed.diagnostics);
        text
    };
    let place = Place::open(&spacious);
    let enrol = |number: usize, seed: &str| {
        let site = ["skarpnack", "skarholmen"][number % 2];
        let words = Place::enrol_words(site, &family(number), "R1")
            .replace("keys/seed", seed)
            .replace(
                "earlier_reports=3",
                &format!("earlier_reports={}", 2 + number % 5),
            );
        place.act(&words).json(0);
    };
    (0..6).for_each(|number| enrol(number, "keys/seed"));
    amend(&place, &minimized("[3]"), "keys/one").json(0);
    (6..16).for_each(|number| enrol(number, "keys/one"));
    amend(&place, &minimized("[4, 6]"), "keys/two").json(0);
    (16..30).for_each(|number| enrol(number, "keys/two"));

    let rows = allocated(&place);
    let factors = |row: &Value| row["factors"].as_array().map(Vec::len);
    assert!(rows[..6].iter().all(|row| factors(row).is_none()));
    assert!(rows[6..].iter().all(|row| factors(row) == Some(2)));
    // Number 8 has 5 earlier reports: `3+` under the first cuts; number 18 has 5 as well: `4-5` under the second.
    assert_eq!(rows[8]["factors"], serde_json::json!(["skarpnack", "3+"]));
    assert_eq!(rows[18]["factors"], serde_json::json!(["skarpnack", "4-5"]));
    let seeds = "--seed-file keys/seed --seed-file keys/one --seed-file keys/two";
    let verdict = place.run(&format!("verify --study study {seeds}")).json(0);
    assert_eq!(
        (verdict["draws"].as_str(), verdict["allocations"].as_u64()),
        (Some("verified"), Some(30))
    );
    // A dry run redraws each epoch by its own rule.
    place
        .run("analyse --study study --dry-run --format json")
        .json(0);
}

/// An amendment that drops the public round, or changes the size after data were locked, is warned of; how many families each
/// epoch drew is in the status; the number of seeds is said as `reveal` says it; and a protocol that is gone is named first.
#[test]
fn what_an_amendment_gives_up_is_said() {
    let round = "beacon = { source = \"a public lottery\", round = \"2099-03-03\", time = 2099-03-03T09:00:00+01:00 }\ntime_zone ";
    let place = Place::open(&IUH.replace("time_zone ", round));
    let dropped = amend(&place, IUH, "keys/second");
    assert_eq!(dropped.code, 0, "{}", dropped.err);
    assert!(dropped.err.contains("[beacon-dropped]"), "{}", dropped.err);
    assert!(
        !dropped.err.contains("[size-after-lock]"),
        "{}",
        dropped.err
    );
    let words =
        Place::enrol_words("skarpnack", &family(1), "R1").replace("keys/seed", "keys/second");
    place.act(&words).json(0);
    let status = place.run("status --study study").json(0);
    assert_eq!(
        status["epochs"],
        serde_json::json!([{"epoch": 0, "randomized": 0}, {"epoch": 1, "randomized": 1}])
    );
    let one = place.run("verify --study study --seed-file keys/second");
    assert_eq!(one.code, 9, "{}{}", one.out, one.err);
    let verdict: Value = serde_json::from_str(&one.out).unwrap();
    assert_eq!(verdict["findings"][0]["code"], "seed-missing");
    assert!(
        verdict["findings"]
            .to_string()
            .contains("seed files needed: 2"),
        "{verdict}"
    );
    // What was derived is named, and the study is not called verified.
    let epochs = serde_json::json!([
        {"epoch": 0, "draws": "not-checked"}, {"epoch": 1, "draws": "verified"}
    ]);
    assert_eq!(
        (&verdict["epochs"], &verdict["draws"]),
        (&epochs, &"not-checked".into())
    );
    let both = place
        .run("verify --study study --seed-file keys/second --seed-file keys/seed")
        .json(0);
    assert_eq!(both["draws"], "verified", "in any order");
    // The program of the pages says the same of one seed for two epochs.
    let second = place.path("keys/second");
    let seed = ["--seed-file", second.to_str().unwrap()];
    let (code, verdict) = independent(&place.path("study"), &seed);
    assert_eq!((code, &verdict["ok"]), (9, &serde_json::json!(false)));
    assert_eq!(verdict["findings"][0]["code"], "seed-missing");
    std::fs::remove_file(place.path("study/protocol-1.toml")).unwrap();
    let gone = place.run("verify --study study");
    assert_eq!(gone.code, 8, "{}", gone.err);
    let verdict: Value = serde_json::from_str(&gone.out).unwrap();
    assert_eq!(verdict["findings"][0]["code"], "protocol-missing");
}

/// The same seed twice is no seed of the other epoch, and every seed that was given is the study's; one that is of no epoch is
/// said to be that, however many were given.
#[test]
fn an_epoch_without_a_seed_is_named() {
    let place = Place::open(IUH);
    assert_eq!(amend(&place, &amended(), "keys/second").code, 0);
    place.seed_of("keys/strange", "of no epoch");
    for (seeds, code, said) in [
        ("seed seed", "seed-missing", "no seed was given for epoch 1"),
        ("seed seed", "seed-missing", "more than once"),
        ("seed", "seed-missing", "no seed was given for epoch 1"),
        ("seed", "seed-missing", "seed files needed: 2"),
        ("second", "seed-missing", "no seed was given for epoch 0"),
        ("seed strange", "seed-mismatch", "not the one"),
        ("strange", "seed-mismatch", "not the one"),
        ("seed second strange", "seed-mismatch", "not the one"),
    ] {
        let files = seeds
            .split(' ')
            .map(|seed| format!(" --seed-file keys/{seed}"));
        let files = files.collect::<Vec<_>>().concat();
        let verdict = place.run(&format!("verify --study study{files}")).json(9);
        let finding = &verdict["findings"][0];
        assert_eq!(finding["code"], code, "{seeds}");
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains(said), "{seeds}: {message}");
        let table = place.run(&format!("verify --study study{files} --format table"));
        assert!(table.code == 9 && table.out.contains(said), "{}", table.out);
    }
    let swedish = place.run("verify --study study --seed-file keys/seed --format table --lang sv");
    assert!(
        swedish.out.contains("inget frö angavs för epok 1"),
        "{}",
        swedish.out
    );
}

/// With one of two seeds the draws of its epoch are checked and a false one among them is found; once the seeds are published,
/// they stand for the one that was not given, and both programs check everything.
#[test]
fn each_seed_checks_its_own_epoch_and_published_ones_the_rest() {
    let place = Place::open(IUH);
    let before = place.enrol(&family(0), "R1", "").json(0);
    let text = amended();
    assert_eq!(amend(&place, &text, "keys/second").code, 0);
    let words =
        Place::enrol_words("skarpnack", &family(1), "R1").replace("keys/seed", "keys/second");
    place.act(&words).json(0);
    let study = place.path("study");
    let check = |files: &[&str]| {
        let files: Vec<String> = files
            .iter()
            .map(|own| place.path(own).display().to_string())
            .collect();
        let seeds: Vec<&str> = files.iter().flat_map(|own| ["--seed-file", own]).collect();
        (own(&study, &seeds), independent(&study, &seeds))
    };
    let of = |checks: [&str; 2]| serde_json::json!([{"epoch": 0, "draws": checks[0]}, {"epoch": 1, "draws": checks[1]}]);
    for (file, checks) in [
        ("keys/seed", ["verified", "not-checked"]),
        ("keys/second", ["not-checked", "verified"]),
    ] {
        let ((code, verdict), (other, said)) = check(&[file]);
        assert_eq!((code, other), (9, 9), "{verdict}{said}");
        assert_eq!(
            (&verdict["epochs"], &verdict["draws"]),
            (&of(checks), &"not-checked".into())
        );
        assert_eq!(
            (&said["draws"]["verified"], &said["draws"]["not_checked"]),
            (&1.into(), &1.into())
        );
    }
    // A forged arm in the first epoch: seen with its seed, and not called checked without.
    let (rows, arm) = (place.entries(), before["arm"].as_str().unwrap());
    let other = if arm == "iuh" { "standard" } else { "iuh" };
    let mut forged = rows.clone();
    let drawn = forged
        .iter_mut()
        .find(|row| row.kind == "allocated")
        .unwrap();
    drawn.public = drawn
        .public
        .replace(&format!(r#""arm":"{arm}""#), &format!(r#""arm":"{other}""#));
    let sealed = |text: &str| {
        let protocol = lottning::protocol::parse(text.as_bytes()).protocol;
        protocol.unwrap().hash.0
    };
    let rewrite = |rows: &mut [Entry]| {
        let ledger = rusqlite::Connection::open(place.path("study/ledger.sqlite")).unwrap();
        let (mut before, mut hash) = (GENESIS, sealed(IUH));
        for row in rows {
            row.hash = row.chained(&before, &hash);
            before = row.hash;
            if row.kind == "epoch-opened" {
                hash = sealed(&text);
            }
            let own = rusqlite::params![row.sequence as i64, row.public, row.hash];
            let update = "UPDATE event SET public = ?2, hash = ?3 WHERE sequence = ?1";
            ledger.execute(update, own).unwrap();
        }
    };
    rewrite(&mut forged);
    let ((code, verdict), (said, _)) = check(&["keys/seed"]);
    assert_eq!((code, said), (8, 8), "{verdict}");
    assert!(
        verdict["findings"].to_string().contains("draw-differs"),
        "{verdict}"
    );
    let ((code, verdict), (said, _)) = check(&["keys/second"]);
    assert_eq!((code, said), (9, 9), "{verdict}");
    assert_eq!(verdict["epochs"], of(["not-checked", "verified"]));
    rewrite(&mut rows.clone());
    assert_eq!(place.entries(), rows, "as it was");
    place.days(800);
    let confirm = confirm(&text);
    for lock in ["evaluation-2025 --cut 2025-11-30", "final --cut 2026-12-31"] {
        place
            .act(&format!("lock {lock} --confirm {confirm}"))
            .json(0);
    }
    place
        .act("reveal --seed-file keys/seed --seed-file keys/second")
        .json(0);
    for files in [&["keys/second"][..], &["keys/seed"], &[]] {
        let ((code, verdict), (other, said)) = check(files);
        assert_eq!((code, other), (0, 0), "{verdict}{said}");
        assert_eq!(verdict["draws"], "verified");
        assert_eq!(verdict["epochs"], of(["verified", "verified"]));
        assert_eq!(said["draws"]["verified"], 2);
    }
}

/// An amendment that is refused leaves no seed behind; one that drops the roles says so; one that was made and is repeated, as
/// after a kill between its commit and its answer, is answered, and opens no second epoch.
#[test]
fn an_amendment_is_whole_or_not_made() {
    let roles = format!("{IUH}\n[roles]\nreception = [\"intake-1\"]\nstudy-lead = [\"lead\"]\n");
    let place = Place::open(&roles);
    place.enrol(&family(0), "R1", "").json(0);
    let words = |text: &str, seed: &str| {
        place.write("next.toml", text);
        let hash = lottning::protocol::parse(text.as_bytes())
            .protocol
            .unwrap()
            .hash;
        format!(
            "amend next.toml --seed-file {seed} --confirm {}",
            hash.short()
        )
    };
    let kept = words(&roles, "keys/one");
    // What an amendment that was killed while it wrote has left is removed, and nothing else.
    for left in ["protocol-1.toml.4711.partial", "protocol-1.toml.partial"] {
        place.write(&format!("study/{left}"), "half of a prot");
    }
    let made = place.act_as("lead", &kept);
    assert!(!made.err.contains("[roles-dropped]"), "{}", made.err);
    let made = made.json(0);
    let again = place.unchanged(|| place.act_as("lead", &kept)).json(0);
    assert_eq!(
        (&made["replayed"], &again["replayed"]),
        (&false.into(), &true.into())
    );
    for key in ["epoch", "sequence", "commitment", "protocol_hash", "head"] {
        assert_eq!(made[key], again[key], "{key}");
    }
    assert!(!place.path("study/protocol-1.toml.4711.partial").exists());
    assert!(place.path("study/protocol-1.toml.partial").exists());
    // The seed of another epoch is no repetition, and another seed opens another epoch.
    place
        .unchanged(|| place.act_as("lead", &words(&roles, "keys/seed")))
        .refused(9, "seed-used");
    let dropped = place.act_as("lead", &words(IUH, "keys/two"));
    assert_eq!(dropped.code, 0, "{}", dropped.err);
    assert!(dropped.err.contains("[roles-dropped]"), "{}", dropped.err);
    // Whoever screens is refused for it, now that there are no roles, and so is a time before the last row's.
    let refused = words(IUH, "keys/three");
    place
        .unchanged(|| place.act_as("intake-1", &refused))
        .refused(4, "duties-mixed");
    let early = format!("{refused} --study study --actor lead --at 2024-01-01T09:00:00+01:00");
    assert_eq!(place.unchanged(|| place.run(&early)).code, 4);
    assert!(
        !place.path("keys/three").exists(),
        "no seed is made for nothing"
    );
    assert_eq!(place.act_as("lead", &refused).json(0)["epoch"], 3);
}

/// Days with a closed gate are counted until the day before the last event, unless the study enrolled on none of the last ones: while an
/// epoch awaits its public round, or where enrolment had ended and the amendment, the last event, begins it anew. Days count from
/// 3 March 2025.
#[test]
fn until_when_days_are_counted_is_said_as_it_is() {
    let said = |place: &Place, until: &str, yesterday: bool| {
        let status = place.run("status --study study").json(0);
        assert_eq!(
            (&status["days_closed_until"], &status["enrolment"]),
            (&until.into(), &"open".into())
        );
        for (lang, line, day) in [
            (
                "en",
                "Whole days closed are counted until",
                ", the day before the last event.",
            ),
            (
                "sv",
                "Hela dagar med intagsstopp räknas till och med",
                ", dagen före den senaste händelsen.",
            ),
        ] {
            let told = place.run(&format!(
                "status --study study --format table --lang {lang}"
            ));
            let end = if yesterday { day } else { "." };
            let line = format!("{line} {until}{end}");
            assert!(told.out.contains(&line), "{line}: {}", told.out);
        }
    };
    let capacity = |place: &Place, days: i64| {
        place.days(days);
        let words = format!(
            "record capacity-changed --site skarpnack --on 2025-03-03 --event-key c{days} --set therapists=3"
        );
        place.act_as("lead", &words).json(0);
    };
    let round = "beacon = { source = \"a public lottery\", round = \"2099-03-03\", time = 2099-03-03T09:00:00+01:00 }\ntime_zone ";
    let place = Place::open(IUH);
    capacity(&place, 14);
    said(&place, "2025-03-16", true);
    place.days(17);
    amend(&place, &IUH.replace("time_zone ", round), "keys/second").json(0);
    said(&place, "2025-03-19", true);
    capacity(&place, 22);
    said(&place, "2025-03-19", false);

    let place = Place::open(&IUH.replace("or_date = 2027-01-31", "or_date = 2025-03-10"));
    capacity(&place, 14);
    place.days(17);
    amend(&place, IUH, "keys/second").json(0);
    said(&place, "2025-03-10", false);
    capacity(&place, 22);
    said(&place, "2025-03-24", true);
}
