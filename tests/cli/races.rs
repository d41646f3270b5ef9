//! Several processes at one study, and processes that are killed: no allocation is shared, lost or drawn twice.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::place::{IUH, Place, Ran, family, two_arms};
use serde_json::Value;

/// The IUH study with so many therapists that the gate stays open.
fn spacious() -> String {
    IUH.replace("therapists = 2", "therapists = 1000")
}

fn rows(numbers: std::ops::Range<usize>) -> String {
    let header = "site,family,report_key,received,answer.investigation-opened,answer.immediate-placement,\
                  answer.police-led,field.earlier_reports,field.youngest_age,field.category\n";
    let rows: Vec<String> = numbers
        .map(|number| {
            let (site, name) = (["skarpnack", "skarholmen"][number % 2], family(number));
            format!("{site},{name},R1,2025-03-01,yes,no,no,3,4,violence\n")
        })
        .collect();
    header.to_owned() + &rows.concat()
}

/// Arms by allocation number.
fn list(answers: &[Value]) -> BTreeMap<u64, (String, String)> {
    let mut list = BTreeMap::new();
    for answer in answers {
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        let before = list.insert(
            answer["allocation"].as_u64().unwrap(),
            (text("family"), text("arm")),
        );
        assert_eq!(before, None, "two families share an allocation number");
    }
    list
}

#[test]
fn racing_processes_draw_the_list_that_one_process_would_have_drawn() {
    let place = Place::open(&spacious());
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for worker in 0..3 {
            let place = place.path(".");
            threads.push(scope.spawn(move || {
                let mut answers = Vec::new();
                for number in (worker * 10)..(worker * 10 + 10) {
                    let site = ["skarpnack", "skarholmen"][number % 2];
                    let words = Place::enrol_words(site, &family(number), "R1");
                    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lottning"))
                        .args(words.split_whitespace())
                        .args(["--study", "study", "--actor", "a"])
                        .current_dir(&place)
                        .output()
                        .unwrap();
                    assert_eq!(
                        output.status.code(),
                        Some(0),
                        "{}",
                        String::from_utf8_lossy(&output.stderr)
                    );
                    answers.push(serde_json::from_slice::<Value>(&output.stdout).unwrap());
                }
                answers
            }));
        }
        place.write("rest.csv", rows(30..60));
        let words = "enrol --from rest.csv --seed-file keys/seed --study study --actor b";
        let file = place.run(words);
        assert_eq!(file.code, 0, "{}", file.err);
        let mut answers: Vec<Value> = file
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for thread in threads {
            answers.extend(thread.join().unwrap());
        }
        answers
    });
    let raced = list(&answers);
    assert!(
        raced.keys().copied().eq(1..=60),
        "numbers count on without a gap"
    );
    let verified = place.verify();
    assert_eq!(
        (verified["events"].as_u64(), verified["draws"].as_str()),
        (Some(121), Some("verified"))
    );

    // One process, the same seed, the families in the order of that ledger.
    let alone = Place::with(&spacious());
    std::fs::create_dir(alone.path("keys")).unwrap();
    std::fs::copy(place.path("keys/seed"), alone.path("keys/seed")).unwrap();
    assert_eq!(alone.run(&alone.open_words()).code, 0);
    let order: Vec<usize> = raced
        .values()
        .map(|(name, _)| (0..60).find(|number| family(*number) == *name).unwrap())
        .collect();
    let header = rows(0..0);
    let body: Vec<String> = order
        .iter()
        .map(|number| {
            rows(*number..number + 1)
                .strip_prefix(&header)
                .unwrap()
                .to_owned()
        })
        .collect();
    alone.write("all.csv", header + &body.concat());
    let ran = alone.act("enrol --from all.csv --seed-file keys/seed");
    let answers: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(list(&answers), raced);
}

#[test]
fn the_same_request_from_four_processes_is_carried_out_once() {
    let place = Place::open(&spacious());
    let words = format!(
        "{} --study study --actor a",
        Place::enrol_words("skarpnack", "KATL", "R1")
    );
    let children: Vec<_> = (0..4)
        .map(|_| {
            place
                .command(&words)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let answers: Vec<Value> = children
        .into_iter()
        .map(|child| serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    assert!(answers.iter().all(|answer| answer["allocation"] == 1));
    assert_eq!(
        answers
            .iter()
            .filter(|answer| answer["replayed"] == false)
            .count(),
        1
    );
    assert_eq!(place.verify()["events"], 3);
}

#[test]
fn of_two_that_open_at_once_one_does_and_its_protocol_stays() {
    for _ in 0..4 {
        let place = Place::with(&spacious());
        place.write("q.toml", two_arms());
        let hash = |bytes: &[u8]| lottning::protocol::parse(bytes).protocol.unwrap().hash;
        let other = hash(two_arms().as_bytes()).short();
        let words = [
            place.open_words(),
            format!(
                "open q.toml --study study --seed-file keys/other --confirm {other} --actor lead"
            ),
        ];
        let children: Vec<_> = words
            .iter()
            .map(|words| {
                place
                    .command(words)
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let ran: Vec<Ran> = children
            .into_iter()
            .map(|child| {
                let output = child.wait_with_output().unwrap();
                Ran {
                    code: output.status.code().unwrap(),
                    out: String::from_utf8(output.stdout).unwrap(),
                    err: String::from_utf8(output.stderr).unwrap(),
                }
            })
            .collect();
        let won: Vec<&Ran> = ran.iter().filter(|ran| ran.code == 0).collect();
        assert_eq!(won.len(), 1, "{ran:?}");
        assert!(
            ran.iter().all(|ran| [0, 5, 7].contains(&ran.code)),
            "{ran:?}"
        );
        let sealed = std::fs::read(place.path("study/protocol.toml")).unwrap();
        assert_eq!(won[0].json(0)["protocol_hash"], hash(&sealed).to_hex());
        place.run("verify --study study").json(0);
    }
}

/// A small generator for the moments of the kills; nothing of a study depends on it.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// `LOTTNING_TEST_KILLS` sets the number of kills, up to 700: 712 families end the study.
#[test]
fn a_killed_enrolment_happened_or_did_not_and_its_retry_tells_which() {
    let kills: usize = std::env::var("LOTTNING_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(60);
    let place = Place::open(&spacious());
    let words = |number: usize| {
        let words = Place::enrol_words("skarpnack", &family(number), "R1");
        format!("{words} --study study --actor a")
    };
    let begun = Instant::now();
    place.run(&words(0)).json(0);
    let usual = begun.elapsed();
    let mut state = 2025;
    let mut happened = 0;
    for number in 1..=kills {
        let wait = usual.as_nanos() as u64 * (next(&mut state) % 120) / 100;
        let mut child = place
            .command(&words(number))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_nanos(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        let recorded = place
            .entries()
            .iter()
            .filter(|entry| entry.kind == "allocated")
            .count()
            == number + 1;
        happened += usize::from(recorded);
        let retry = place.run(&words(number)).json(0);
        assert_eq!(retry["outcome"], "allocated");
        assert_eq!(retry["allocation"], number + 1);
        assert_eq!(retry["replayed"], recorded, "the retry tells what happened");
    }
    let verified = place.verify();
    assert_eq!(verified["allocations"], kills + 1);
    assert_eq!(verified["events"], 2 * (kills + 1) + 1);
    assert!(
        happened < kills,
        "no kill came in time: the waits are too long for this machine"
    );
}

/// A writer that waits longer than its patience is refused as busy, and nothing was recorded or drawn.
#[test]
fn a_busy_study_refuses_and_never_draws() {
    let place = Place::open(IUH);
    let holder = rusqlite::Connection::open(place.path("study/ledger.sqlite")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let words = Place::enrol_words("skarpnack", "KATL", "R1");
    let begun = Instant::now();
    place.act(&words).refused(5, "busy");
    assert!(
        begun.elapsed() > Duration::from_secs(15),
        "it waits for the other writer"
    );
    // Reading does not wait for a writer.
    assert_eq!(place.verify()["events"], 1);
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(place.act(&words).json(0)["allocation"], 1);
}
