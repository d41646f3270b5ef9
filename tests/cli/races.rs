//! Several processes at one study, and processes that are killed: no allocation is shared, lost or drawn twice.
//!
//! The numbers are small in `cargo test`; `.ci/run` sets `LOTTNING_TEST_FAMILIES=1000`, `LOTTNING_TEST_KILLS=2000` and
//! `LOTTNING_TEST_PROGRAM`, the program built for release.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::place::{IUH, Place, Ran, family, two_arms};
use serde_json::Value;

/// The IUH study with so many therapists that the gate stays open, and room for every family of a test.
fn spacious() -> String {
    IUH.replace("therapists = 2", "therapists = 1000")
        .replace("families = 712", "families = 10000")
        .replace("or_date = 2027-01-31", "or_date = 2099-01-31")
}

/// A number that the environment may raise.
fn number(name: &str, usual: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

const SITES: [&str; 3] = ["skarpnack", "skarholmen", "rinkeby-kista"];

const HEADER: &str = "site,family,report_key,received,answer.investigation-opened,answer.immediate-placement,\
                      answer.police-led,field.earlier_reports,field.youngest_age,field.category\n";

fn row(number: usize) -> String {
    let (site, name) = (SITES[number % SITES.len()], family(number));
    format!("{site},{name},R1,2025-03-01,yes,no,no,3,4,violence\n")
}

fn rows(numbers: impl IntoIterator<Item = usize>) -> String {
    let rows: Vec<String> = numbers.into_iter().map(row).collect();
    HEADER.to_owned() + &rows.concat()
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

fn lines(out: &str) -> Vec<Value> {
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The allocations as the rows of the ledger have them, after checking that in each epoch and stratum the draws count
/// 0, 1, 2 … and over the study the allocations 1, 2, 3 ….
fn recorded(place: &Place) -> BTreeMap<u64, (String, String)> {
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    let mut list = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for entry in place.entries() {
        if entry.kind != "allocated" {
            continue;
        }
        let public: Value = serde_json::from_str(&entry.public).unwrap();
        let payload: Value = serde_json::from_str(entry.payload.as_deref().unwrap()).unwrap();
        let stratum = format!("{} {}", public["epoch"], public["levels"]);
        let draw = next.entry(stratum.clone()).or_default();
        assert_eq!(public["draw"], *draw, "draws of stratum {stratum}");
        *draw += 1;
        let allocation = list.len() as u64 + 1;
        assert_eq!(public["allocation"], allocation);
        let found = (text(&payload["family"]), text(&public["arm"]));
        list.insert(allocation, found);
    }
    list
}

/// Eight processes at once, half of them enrolling family by family (a process each), half of them from files.
#[test]
fn racing_processes_draw_the_list_that_one_process_would_have_drawn() {
    const WORKERS: usize = 8;
    let families = number("LOTTNING_TEST_FAMILIES", 120);
    let place = Place::open(&spacious());
    let begun = Instant::now();
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let own: Vec<usize> = (worker..families).step_by(WORKERS).collect();
                if worker % 2 == 0 {
                    let file = format!("worker-{worker}.csv");
                    place.write(&file, rows(own.iter().copied()));
                    let words = format!(
                        "enrol --from {file} --seed-file keys/seed --study study --actor w{worker}"
                    );
                    let mut command = place.command(&words);
                    scope.spawn(move || {
                        let output = command.output().unwrap();
                        let err = String::from_utf8_lossy(&output.stderr);
                        assert_eq!(output.status.code(), Some(0), "{err}");
                        lines(std::str::from_utf8(&output.stdout).unwrap())
                    })
                } else {
                    let commands: Vec<_> = own
                        .iter()
                        .map(|number| {
                            let site = SITES[number % SITES.len()];
                            let words = Place::enrol_words(site, &family(*number), "R1");
                            place.command(&format!("{words} --study study --actor w{worker}"))
                        })
                        .collect();
                    scope.spawn(move || {
                        let one = |mut command: std::process::Command| {
                            let output = command.output().unwrap();
                            let err = String::from_utf8_lossy(&output.stderr);
                            assert_eq!(output.status.code(), Some(0), "{err}");
                            serde_json::from_slice::<Value>(&output.stdout).unwrap()
                        };
                        commands.into_iter().map(one).collect()
                    })
                }
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    let took = begun.elapsed();
    let raced = list(&answers);
    assert!(
        answers
            .iter()
            .all(|answer| answer["outcome"] == "allocated" && answer["replayed"] == false)
    );
    assert!(
        raced.keys().copied().eq(1..=families as u64),
        "numbers count on without a gap"
    );
    let mut names: Vec<&String> = raced.values().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), families, "every family once");
    assert_eq!(
        recorded(&place),
        raced,
        "the ledger says what intake was told"
    );
    let verified = place.verify();
    assert_eq!(
        (verified["events"].as_u64(), verified["draws"].as_str()),
        (Some(2 * families as u64 + 1), Some("verified"))
    );

    // One process, the same seed, the families in the order of that ledger.
    let alone = Place::with(&spacious());
    std::fs::create_dir(alone.path("keys")).unwrap();
    std::fs::copy(place.path("keys/seed"), alone.path("keys/seed")).unwrap();
    assert_eq!(alone.run(&alone.open_words()).code, 0);
    let numbers: BTreeMap<String, usize> = (0..families).map(|own| (family(own), own)).collect();
    alone.write(
        "all.csv",
        rows(raced.values().map(|(name, _)| numbers[name])),
    );
    let ran = alone.act("enrol --from all.csv --seed-file keys/seed");
    assert_eq!(list(&lines(&ran.out)), raced);
    say(&format!(
        "{WORKERS} processes enrolled {families} families in {took:.1?}: one list, no gap"
    ));
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

/// A line that `--nocapture` shows.
#[expect(clippy::print_stderr, reason = "what a run of the full numbers met")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// Kills the program at a random moment of its life, which lasts `usual`.
fn killed(mut command: std::process::Command, usual: Duration, state: &mut u64) {
    let wait = usual.as_nanos() as u64 * (next(state) % 120) / 100;
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_nanos(wait));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What the kills met: how many came after the commit, and that neither side is empty when there are many.
fn met(what: &str, kills: usize, happened: usize, took: Duration) {
    assert!(
        happened < kills,
        "no kill came in time: the waits are too long for this machine"
    );
    assert!(
        kills < 50 || happened > 0,
        "no kill came late: the waits are too short for this machine"
    );
    say(&format!(
        "{kills} kills of {what} in {took:.1?}: {happened} after the commit, nothing lost or doubled"
    ));
}

/// Half of `LOTTNING_TEST_KILLS`. Every fourth is of a process that enrols a file of three families: what was committed
/// is a beginning of the file, whole families only.
#[test]
fn a_killed_enrolment_happened_or_did_not_and_its_retry_tells_which() {
    let kills = number("LOTTNING_TEST_KILLS", 100) / 2;
    let place = Place::open(&spacious());
    let words = |number: usize| {
        let words = Place::enrol_words("skarpnack", &family(number), "R1");
        format!("{words} --study study --actor a")
    };
    let begun = Instant::now();
    place.run(&words(0)).json(0);
    let mut usual = begun.elapsed();
    let whole = Instant::now();
    let (mut state, mut happened, mut families) = (2025, 0, 1);
    for kill in 1..=kills {
        let before = families as u64;
        let group = if kill % 4 == 0 { 3 } else { 1 };
        let command = if group == 1 {
            words(families)
        } else {
            place.write("three.csv", rows(families..families + group));
            "enrol --from three.csv --seed-file keys/seed --study study --actor a".to_owned()
        };
        killed(place.command(&command), usual, &mut state);
        let rows = place.entries();
        let done = rows.iter().filter(|row| row.kind == "allocated").count() as u64 - before;
        assert_eq!(
            rows.len() as u64,
            1 + 2 * (before + done),
            "whole transactions only"
        );
        assert!(done <= group as u64);
        happened += usize::from(done > 0);
        let begun = Instant::now();
        let retry = place.run(&command);
        if group == 1 {
            usual = begun.elapsed();
        }
        assert_eq!(retry.code, 0, "{}", retry.err);
        let answers = lines(&retry.out);
        assert_eq!(answers.len(), group);
        for (place, answer) in answers.iter().enumerate() {
            assert_eq!(answer["outcome"], "allocated");
            assert_eq!(answer["family"], family(families + place));
            assert_eq!(answer["allocation"], before + 1 + place as u64);
            let replayed = (place as u64) < done;
            assert_eq!(
                answer["replayed"], replayed,
                "the retry tells what happened"
            );
        }
        families += group;
    }
    assert_eq!(recorded(&place).len(), families);
    let verified = place.verify();
    assert_eq!(verified["allocations"], families);
    assert_eq!(verified["events"], 2 * families + 1);
    met("enrol", kills, happened, whole.elapsed());
}

/// The other half of `LOTTNING_TEST_KILLS`: all rows of a file or none.
#[test]
fn a_killed_import_recorded_all_rows_or_none() {
    const ROWS: usize = 5;
    let kills = number("LOTTNING_TEST_KILLS", 100) / 2;
    let place = Place::open(&spacious());
    place.write("families.csv", rows(0..ROWS));
    let ran = place.run("enrol --from families.csv --seed-file keys/seed --study study --actor a");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let first = place.entries().len();
    let file = |kill: usize| {
        let rows: Vec<String> = (0..ROWS)
            .map(|row| format!("{},2025-06-0{},K{kill}.{row}\n", family(row), row + 1))
            .collect();
        "family,received,report_key\n".to_owned() + &rows.concat()
    };
    let command = "import report reports.csv --study study --actor a";
    let receipt = |recorded: usize, replayed: usize| {
        let ran = place.run(command).json(0);
        assert_eq!(ran["recorded"], recorded, "{ran}");
        assert_eq!(ran["replayed_rows"], replayed, "{ran}");
    };
    place.write("reports.csv", file(0));
    let begun = Instant::now();
    receipt(ROWS, 0);
    let mut usual = begun.elapsed();
    let whole = Instant::now();
    let (mut state, mut happened) = (1980, 0);
    for kill in 1..=kills {
        place.write("reports.csv", file(kill));
        killed(place.command(command), usual, &mut state);
        let grown = place.entries().len() - first - kill * ROWS;
        assert!(grown == 0 || grown == ROWS, "{grown} of {ROWS} rows");
        let begun = Instant::now();
        receipt(ROWS - grown, grown);
        usual = begun.elapsed();
        happened += grown / ROWS;
    }
    assert_eq!(place.verify()["events"], first + (kills + 1) * ROWS);
    met("import", kills, happened, whole.elapsed());
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

/// Runs commands at once, all at one instant of the study, and gives what each said.
fn raced(place: &Place, commands: &[(&str, String)]) -> Vec<Ran> {
    let at = place.tick();
    let children: Vec<_> = commands
        .iter()
        .map(|(actor, words)| {
            place
                .command(&format!("{words} --study study --actor {actor} --at {at}"))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            Ran {
                code: output.status.code().unwrap(),
                out: String::from_utf8(output.stdout).unwrap(),
                err: String::from_utf8(output.stderr).unwrap(),
            }
        })
        .collect()
}

fn enrolments(numbers: impl Iterator<Item = usize>) -> Vec<(&'static str, String)> {
    numbers
        .map(|number| {
            (
                "desk",
                Place::enrol_words("skarpnack", &family(number), "R1"),
            )
        })
        .collect()
}

/// How often each race is run: the moment at which one process overtakes another differs.
const ROUNDS: usize = 3;

/// With two of three slots taken, nine families come at once. The big stick lets the other arm lead by four at most, so at
/// least one of them takes the last slot, and whoever comes after is turned away.
#[test]
fn the_last_slot_is_given_once() {
    for _ in 0..ROUNDS {
        let text = IUH.replace("therapists = 2", "therapists = 1");
        let place = Place::open(&text);
        let mut taken = 0;
        let mut number = 0;
        while taken < 2 {
            let answer = place.act_as(
                "desk",
                &Place::enrol_words("skarpnack", &family(number), "R1"),
            );
            taken += usize::from(answer.json(0)["arm"] == "iuh");
            number += 1;
        }
        let ran = raced(&place, &enrolments(number..number + 9));
        let given = |ran: &&Ran| ran.code == 0 && ran.json(0)["arm"] == "iuh";
        assert!(ran.iter().all(|ran| [0, 21].contains(&ran.code)), "{ran:?}");
        assert_eq!(ran.iter().filter(given).count(), 1, "{ran:?}");
        assert!(ran.iter().any(|ran| ran.code == 21), "{ran:?}");
        let rows = place.entries();
        let last = rows
            .iter()
            .rposition(|row| row.public.contains(r#""arm":"iuh""#))
            .unwrap();
        let after = rows[last + 1..].iter();
        assert!(
            after.clone().count() > 0
                && after.clone().all(|row| row.public.contains("gate-closed")),
            "after the last slot everybody is turned away"
        );
        assert_eq!(place.verify()["ok"], true);
    }
}

/// Whoever holds the seed of the ended epoch draws nothing any more; each family is drawn once, in the epoch of its row.
#[test]
fn who_enrols_while_the_protocol_is_amended_draws_before_or_not_at_all() {
    for _ in 0..ROUNDS {
        let place = Place::open(&spacious());
        let next = format!("{}\n# amended\n", spacious());
        place.write("next.toml", &next);
        let hash = lottning::protocol::parse(next.as_bytes()).protocol.unwrap();
        let confirm = hash.hash.short();
        let mut commands = enrolments(0..5);
        let amend = format!("amend next.toml --seed-file keys/later --confirm {confirm}");
        commands.insert(2, ("lead", amend));
        let ran = raced(&place, &commands);
        assert_eq!(ran[2].code, 0, "{:?}", ran[2]);
        assert!(
            ran.iter().all(|ran| [0, 5, 7, 9].contains(&ran.code)),
            "{ran:?}"
        );
        let rows = place.entries();
        let opened = rows
            .iter()
            .position(|row| row.kind == "epoch-opened")
            .unwrap();
        let drawn = rows.iter().filter(|row| row.kind == "allocated").count();
        assert_eq!(
            ran.iter().filter(|ran| ran.code == 0).count(),
            drawn + 1,
            "who was told an arm was drawn"
        );
        assert!(
            rows[opened..].iter().all(|row| row.kind != "allocated"),
            "the seed of an ended epoch draws nothing"
        );
        let verified =
            place.run("verify --study study --seed-file keys/seed --seed-file keys/later");
        assert_eq!(verified.json(0)["draws"], "verified");
    }
}

/// The final lock needs the windows of all families ended, and ends enrolment: either the families come first and the lock
/// is refused, or it is made and they are.
#[test]
fn the_final_lock_and_an_enrolment_exclude_each_other() {
    let place = Place::open(&spacious());
    let confirm = place.confirm().to_owned();
    for (command, code) in enrolments(0..2).iter().zip([0, 0]) {
        assert_eq!(place.act_as("desk", &command.1).code, code);
    }
    place.days(800);
    let mut commands = enrolments(2..6);
    let lock = format!("lock final --cut 2027-05-01 --confirm {confirm}");
    commands.insert(1, ("lead", lock));
    let ran = raced(&place, &commands);
    let rows = place.entries();
    let locked = rows.iter().any(|row| row.kind == "locked");
    assert_eq!(ran[1].code, if locked { 0 } else { 7 }, "{:?}", ran[1]);
    for (place, ran) in ran.iter().enumerate().filter(|(place, _)| *place != 1) {
        let wanted = if locked { 7 } else { 0 };
        assert_eq!(ran.code, wanted, "{place}: {ran:?}");
    }
    assert_eq!(place.verify()["ok"], true);
}

/// Nobody is drawn before the value of the round is recorded, however close.
#[test]
fn who_enrols_while_the_beacon_is_recorded_draws_after_it_or_not_at_all() {
    let text = super::amend::waiting();
    for _ in 0..ROUNDS {
        let place = Place::with(&text);
        place.opened_by_hand(&text);
        place.days(1);
        let mut commands = enrolments(0..5);
        let beacon = format!("beacon {}", super::amend::VALUE);
        commands.insert(2, ("lead", beacon));
        let ran = raced(&place, &commands);
        assert_eq!(ran[2].code, 0, "{:?}", ran[2]);
        assert!(ran.iter().all(|ran| [0, 7].contains(&ran.code)), "{ran:?}");
        let rows = place.entries();
        assert_eq!(rows[1].kind, "beacon", "no row stands before it");
        let drawn = rows.iter().filter(|row| row.kind == "allocated").count();
        assert_eq!(ran.iter().filter(|ran| ran.code == 0).count(), drawn + 1);
        assert_eq!(place.verify()["draws"], "verified");
    }
}

/// Others come while a family is erased, and so does the family itself: it returns before, and its return is erased with it,
/// or it comes after as somebody whom the ledger does not know.
#[test]
fn who_enrols_while_a_family_is_erased_is_drawn_once() {
    for _ in 0..ROUNDS {
        let place = Place::open(&spacious());
        let confirm = place.confirm().to_owned();
        let gone = family(0);
        place
            .act_as("desk", &Place::enrol_words("skarpnack", &gone, "R1"))
            .json(0);
        let mut commands = enrolments(1..4);
        commands.push(("desk", Place::enrol_words("skarpnack", &gone, "R2")));
        let erase = format!("erase --family {gone} --reason retention --confirm {confirm}");
        commands.insert(1, ("lead", erase));
        let ran = raced(&place, &commands);
        assert!(ran.iter().all(|ran| ran.code == 0), "{ran:?}");
        let rows = place.entries();
        let erased = rows.iter().position(|row| row.kind == "erased").unwrap();
        let names = |row: &&lottning::study::journal::Entry| {
            let payload = row.payload.as_deref().unwrap_or("");
            payload.contains(&gone)
        };
        assert_eq!(
            rows[..erased].iter().filter(names).count(),
            0,
            "no row before the erasure names the family"
        );
        let outcome = ran[4].json(0)["outcome"].clone();
        let after = rows[erased..].iter().filter(names).count();
        assert_eq!(
            after,
            if outcome == "returned" { 0 } else { 2 },
            "{outcome}"
        );
        let verified = place.verify();
        assert_eq!(verified["draws"], "verified");
        let drawn = if outcome == "returned" { 4 } else { 5 };
        assert_eq!(verified["allocations"], drawn);
    }
}
