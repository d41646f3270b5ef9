//! Two programs on studies of several epochs, with beacons and with factors to balance: both accept the honest ledger, and both
//! name the same first row of each forgery.

use super::amend::{VALUE, amend, amended, waiting};
use super::place::{IUH, Place, family, two_arms};
use super::verifier::{Copied, both_accept, enrol_file, independent, own, put};
use lottning::study::journal::Entry;
use serde_json::{Value, json};

const HEADER: &str = "site,family,child,report_key,received,answer.investigation-opened,answer.immediate-placement,\
                      answer.police-led,field.earlier_reports,field.youngest_age,field.category";

fn enrol(place: &Place, numbers: std::ops::Range<usize>, sites: &[&str]) -> Vec<Value> {
    let category = ["violence", "parent", "child"];
    let rows = numbers.map(|number| {
        let site = sites[number % sites.len()];
        let (reports, kind) = (2 + number % 3, category[number % 7 % 3]);
        format!(
            "{site},{},,R1,2025-03-01,yes,no,no,{reports},4,{kind}",
            family(number)
        )
    });
    enrol_file(place, HEADER, rows)
}

/// Families by big stick, by permuted blocks at 2:1, and by ratio-preserving minimization; a gate that closes in each
/// epoch; a site that the second epoch adds.
fn three_epochs() -> Place {
    let place = Place::open(IUH);
    enrol(&place, 0..16, &["skarpnack"]);
    // As the first seed, so that a gate closes and a forgery is where it is in each run.
    place.seed_of("keys/later", "a second epoch");
    amend(&place, &amended(), "keys/later").json(0);
    enrol(&place, 16..30, &["skarpnack", "farsta"]);
    let minimized = put(
        &amended(),
        "method = \"permuted-block\"\nblock_lens = [3, 6]",
        "method = \"minimization\"\nfactors = [\"site\", \"category\"]\nfactor_weights = [2, 1]\nratio_preserving = true",
    );
    let minimized = put(&minimized, "strata = [\"site\"]", "strata = []");
    place.seed_of("keys/latest", "a third epoch");
    amend(&place, &minimized, "keys/latest").json(0);
    enrol(
        &place,
        30..44,
        &["farsta", "enskede-arsta-vantor", "skarholmen"],
    );
    place
}

fn nth(rows: &[Entry], kind: &str, nth: usize) -> usize {
    rows.iter()
        .enumerate()
        .filter(|(_, entry)| entry.kind == kind)
        .nth(nth)
        .unwrap()
        .0
}

/// The place of the nth allocation of an epoch.
fn allocated(rows: &[Entry], epoch: u32, nth: usize) -> usize {
    rows.iter()
        .enumerate()
        .filter(|(_, entry)| {
            entry.kind == "allocated" && entry.public.contains(&format!("\"epoch\":{epoch},"))
        })
        .nth(nth)
        .unwrap()
        .0
}

fn other_arm(entry: &mut Entry) {
    let (iuh, standard) = (r#""arm":"iuh""#, r#""arm":"standard""#);
    entry.public = if entry.public.contains(iuh) {
        put(&entry.public, iuh, standard)
    } else {
        put(&entry.public, standard, iuh)
    };
}

type Forgery = (&'static str, fn(&mut Vec<Entry>) -> usize);

#[test]
fn both_programs_check_three_epochs_and_name_the_same_row_of_each_forgery() {
    let place = three_epochs();
    both_accept(&place);
    let rows = place.entries();
    for epoch in 0..3 {
        assert!(allocated(&rows, epoch, 3) > 0, "draws of epoch {epoch}");
    }
    let forgeries: &[Forgery] = &[
        ("an arm of the first epoch", |rows| {
            let at = allocated(rows, 0, 1);
            other_arm(&mut rows[at]);
            at + 1
        }),
        ("an arm of the second epoch", |rows| {
            let at = allocated(rows, 1, 2);
            other_arm(&mut rows[at]);
            at + 1
        }),
        ("an arm of the third epoch", |rows| {
            let at = allocated(rows, 2, 3);
            other_arm(&mut rows[at]);
            at + 1
        }),
        ("another file than the sealed one", |rows| {
            let at = nth(rows, "epoch-opened", 0);
            let hash =
                serde_json::from_str::<Value>(&rows[at].public).unwrap()["protocol_hash"].clone();
            rows[at].public = put(&rows[at].public, hash.as_str().unwrap(), &"ab".repeat(32));
            at + 1
        }),
        ("another number of an epoch", |rows| {
            let at = nth(rows, "epoch-opened", 1);
            rows[at].public = put(&rows[at].public, "\"epoch\":2", "\"epoch\":3");
            at + 1
        }),
        ("an epoch that is left out", |rows| {
            let at = nth(rows, "epoch-opened", 1);
            rows.remove(at);
            allocated(rows, 2, 0) + 1
        }),
        ("a draw before its epoch", |rows| {
            let at = nth(rows, "epoch-opened", 0);
            let opening = rows.remove(at);
            let first = allocated(rows, 1, 0);
            rows.insert(first + 1, opening);
            for pair in 1..rows.len() {
                if rows[pair].time < rows[pair - 1].time {
                    rows[pair].time = rows[pair - 1].time.clone();
                }
            }
            // The screening before the draw names a site that only the second file has.
            assert!(rows[first - 1].public.contains("farsta"));
            first
        }),
        ("draws that count on over epochs", |rows| {
            let at = allocated(rows, 1, 0);
            rows[at].public = put(&rows[at].public, "\"draw\":0", "\"draw\":6");
            at + 1
        }),
        ("a draw of an ended epoch", |rows| {
            let at = allocated(rows, 1, 0);
            rows[at].public = put(&rows[at].public, "\"epoch\":1", "\"epoch\":0");
            at + 1
        }),
        ("other levels of factors", |rows| {
            let at = allocated(rows, 2, 0);
            let public: Value = serde_json::from_str(&rows[at].public).unwrap();
            let category = public["factors"][1].as_str().unwrap();
            let other = if category == "parent" {
                "child"
            } else {
                "parent"
            };
            rows[at].public = put(
                &rows[at].public,
                &format!("\"{category}\""),
                &format!("\"{other}\""),
            );
            at + 1
        }),
        ("a level that the factor does not have", |rows| {
            let at = allocated(rows, 2, 0);
            let public: Value = serde_json::from_str(&rows[at].public).unwrap();
            let category = public["factors"][1].as_str().unwrap();
            rows[at].public = put(
                &rows[at].public,
                &format!("\"{category}\""),
                "\"none-such\"",
            );
            at + 1
        }),
        ("a site that an epoch does not have", |rows| {
            let at = allocated(rows, 0, 0);
            rows[at - 1].public = put(&rows[at - 1].public, "skarpnack", "farsta");
            at
        }),
        ("factors left out", |rows| {
            let at = allocated(rows, 2, 1);
            let mut public: Value = serde_json::from_str(&rows[at].public).unwrap();
            public.as_object_mut().unwrap().remove("factors");
            rows[at].public = public.to_string();
            at + 1
        }),
        ("factors where none are balanced", |rows| {
            let at = allocated(rows, 0, 0);
            rows[at].public = put(&rows[at].public, "\"levels\"", "\"factors\":[],\"levels\"");
            at + 1
        }),
    ];
    for (what, forge) in forgeries {
        let copy = Copied::of(&place);
        let mut forged = rows.clone();
        let first = forge(&mut forged);
        copy.forge(forged);
        assert_eq!(copy.both_reject(what, true), Some(first as u64), "{what}");
    }
    // An honest chain made anew is accepted: the forger makes no mistake of its own.
    let copy = Copied::of(&place);
    copy.forge(rows.clone());
    assert_eq!(own(copy.folder.path(), &[]).0, 0);
    assert_eq!(copy.entries(), rows);
}

#[test]
fn the_file_of_an_epoch_is_bound_to_the_row_that_opens_it() {
    let place = three_epochs();
    let rows = place.entries();
    let openings = [
        nth(&rows, "epoch-opened", 0) + 1,
        nth(&rows, "epoch-opened", 1) + 1,
    ];
    let file =
        |copy: &Copied, epoch: usize| copy.folder.path().join(format!("protocol-{epoch}.toml"));
    for (epoch, opening) in (1..).zip(openings) {
        let copy = Copied::of(&place);
        let text = std::fs::read_to_string(file(&copy, epoch)).unwrap();
        std::fs::write(file(&copy, epoch), format!("{text}# one line more\n")).unwrap();
        assert_eq!(copy.both_reject("a line more", true), Some(opening as u64));
        std::fs::remove_file(file(&copy, epoch)).unwrap();
        assert_eq!(own(copy.folder.path(), &[]).0, 8);
        assert_eq!(independent(copy.folder.path(), &[]).0, 8);
    }
    let copy = Copied::of(&place);
    std::fs::rename(file(&copy, 1), copy.folder.path().join("x")).unwrap();
    std::fs::rename(file(&copy, 2), file(&copy, 1)).unwrap();
    std::fs::rename(copy.folder.path().join("x"), file(&copy, 2)).unwrap();
    assert_eq!(
        copy.both_reject("swapped files", true),
        Some(openings[0] as u64)
    );
    // A leftover beyond the last epoch is not read.
    let copy = Copied::of(&place);
    std::fs::write(file(&copy, 3), "a leftover").unwrap();
    assert_eq!(own(copy.folder.path(), &[]).0, 0);
    assert_eq!(independent(copy.folder.path(), &[]).0, 0);
    // Another commitment: no seed matches it.
    let copy = Copied::of(&place);
    let mut forged = rows.clone();
    let public: Value = serde_json::from_str(&rows[openings[0] - 1].public).unwrap();
    forged[openings[0] - 1].public = put(
        &rows[openings[0] - 1].public,
        public["commitment"].as_str().unwrap(),
        &"ab".repeat(32),
    );
    copy.forge(forged);
    let later = place.path("keys/later");
    let first = place.path("keys/seed");
    let latest = place.path("keys/latest");
    let more: Vec<&str> = [&first, &later, &latest]
        .iter()
        .flat_map(|file| ["--seed-file", file.to_str().unwrap()])
        .collect();
    assert_eq!(own(copy.folder.path(), &more).0, 9);
    assert_eq!(independent(copy.folder.path(), &more).0, 9);
}

#[test]
fn both_programs_check_a_beacon() {
    let text = waiting();
    let place = Place::with(&text);
    place.opened_by_hand(&text);
    place.days(1);
    place.act(&format!("beacon {VALUE}")).json(0);
    enrol(&place, 0..9, &["skarpnack", "skarholmen"]);
    both_accept(&place);
    let rows = place.entries();
    assert_eq!(rows[1].kind, "beacon");
    let forgeries: &[Forgery] = &[
        ("another round", |rows| {
            rows[1].public = put(&rows[1].public, "2025-03-03", "2025-03-04");
            2
        }),
        ("another epoch", |rows| {
            rows[1].public = put(&rows[1].public, "\"epoch\":0", "\"epoch\":1");
            2
        }),
        ("a value that is no hexadecimal text", |rows| {
            rows[1].public = put(&rows[1].public, VALUE, &VALUE.to_uppercase());
            2
        }),
        ("no beacon", |rows| {
            rows.remove(1);
            allocated(rows, 0, 0) + 1
        }),
        ("a draw before the beacon", |rows| {
            let mut beacon = rows.remove(1);
            let first = allocated(rows, 0, 0);
            beacon.time.clone_from(&rows[first].time);
            rows.insert(first + 1, beacon);
            first + 1
        }),
        ("a value recorded by who screens families later", |rows| {
            let first = rows.iter().position(|row| row.kind == "screened").unwrap();
            rows[1].actor = rows[first].actor.clone();
            first + 1
        }),
        ("a second beacon", |rows| {
            let mut again = rows[1].clone();
            again.time.clone_from(&rows[rows.len() - 1].time);
            rows.push(again);
            rows.len()
        }),
    ];
    for (what, forge) in forgeries {
        let copy = Copied::of(&place);
        let mut forged = rows.clone();
        let first = forge(&mut forged);
        copy.forge(forged);
        assert_eq!(copy.both_reject(what, true), Some(first as u64), "{what}");
    }
    // Another value gives other draws; which is the first, both agree on.
    let copy = Copied::of(&place);
    let mut forged = rows.clone();
    forged[1].public = put(&rows[1].public, VALUE, &"ab".repeat(32));
    copy.forge(forged);
    assert!(copy.both_reject("another value", true) > Some(2));
    // A beacon that the protocol does not name.
    let plain = Place::open(IUH);
    let copy = Copied::of(&plain);
    let mut forged = plain.entries();
    let mut beacon = rows[1].clone();
    beacon.time.clone_from(&forged[0].time);
    forged.push(beacon);
    copy.forge(forged);
    assert_eq!(copy.both_reject("an unnamed beacon", true), Some(2));
}

/// Both programs read the ranges of numbers alike, with decimals and without, in strata and as balanced factors.
#[test]
fn both_programs_give_a_value_the_same_level() {
    for (kind, levels) in [
        (
            "kind = \"number\"\nrange = [-2, 40]\ncuts = [0.5, 1.5]",
            ["-2-<0.5", "0.5-<1.5", "1.5+"],
        ),
        (
            "kind = \"number\"\nplaces = 2\nrange = [-0.25, 40]\ncuts = [0.1, 1.75]",
            ["-0.25-<0.1", "0.1-<1.75", "1.75+"],
        ),
        (
            "kind = \"number\"\nplaces = 0\nrange = [-2, 40]\ncuts = [1, 2]",
            ["-2-0", "1", "2+"],
        ),
        (
            "kind = \"count\"\nrange = [0, 9]\ncuts = [1, 2]",
            ["0", "1", "2+"],
        ),
    ] {
        let text = put(&two_arms(), "kind = \"count\"", kind);
        for (from, to) in [
            (
                "strata = [\"site\"]",
                "strata = [\"site\", \"earlier_reports\"]",
            ),
            (
                "method = \"big-stick\"\nmax_imbalance = 4\nstrata = [\"site\"]",
                "method = \"minimization\"\nfactors = [\"earlier_reports\", \"site\"]\nstrata = []",
            ),
        ] {
            let place = Place::open(&put(&text, from, to));
            let header =
                "site,family,child,report_key,received,answer.consent,field.earlier_reports";
            let rows = (0..12).map(|n| format!("north,{},,R1,2025-03-01,yes,{}", family(n), n % 4));
            enrol_file(&place, header, rows);
            both_accept(&place);
            let all: String = place
                .entries()
                .into_iter()
                .map(|entry| entry.public)
                .collect();
            for level in levels {
                assert!(all.contains(&format!("\"{level}\"")), "{level}");
            }
        }
    }
}

#[test]
fn a_proof_of_three_epochs_is_checked_without_the_study() {
    let place = three_epochs();
    place.act("export --proof proof").json(0);
    let proof: Value =
        serde_json::from_slice(&std::fs::read(place.path("proof/proof.json")).unwrap()).unwrap();
    assert_eq!(proof["protocols"].as_array().unwrap().len(), 3);
    let allocations = proof["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["kind"] == "allocated")
        .count();
    let mut command = std::process::Command::new("python3");
    command
        .arg(super::verifier::SCRIPT)
        .arg("--json")
        .arg("--proof");
    command.arg(place.path("proof/proof.json"));
    for seed in ["keys/latest", "keys/seed", "keys/later"] {
        command.arg("--seed-file").arg(place.path(seed));
    }
    let output = command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["findings"], json!([]));
    assert_eq!(
        answer["draws"],
        json!({"verified": allocations, "wrong": 0, "not_checked": 0})
    );
}

/// An amendment at half past eleven in the evening, UTC, is of the next day in Stockholm.
#[test]
fn the_ledger_of_deviations_dates_an_amendment_in_the_zone_of_the_study() {
    let place = Place::open(IUH);
    enrol(&place, 0..12, &["skarpnack"]);
    let next = IUH.replacen("ratio = 1", "ratio = 2", 1);
    let next = next.replace(
        "method = \"big-stick\"",
        "method = \"permuted-block\"\nblock_lens = [3, 6]",
    );
    place.write("next.toml", next.replace("max_imbalance = 4", ""));
    let parsed = lottning::protocol::parse(&std::fs::read(place.path("next.toml")).unwrap());
    let confirm = parsed.protocol.unwrap().hash.short();
    for words in [
        format!(
            "amend next.toml --seed-file keys/later --confirm {confirm} --at 2025-03-03T23:30:00Z"
        ),
        format!(
            "lock evaluation-2025 --cut 2025-11-30 --confirm {confirm} --at 2025-12-02T08:00:00Z"
        ),
    ] {
        place
            .run(&format!("{words} --study study --actor lead"))
            .json(0);
    }
    let analysed = place
        .run("analyse --study study --lock evaluation-2025 --actor lead --at 2025-12-03T08:00:00Z --json")
        .json(0);
    let all = analysed["deviations"].as_array().unwrap();
    let own = all.iter().find(|own| own["code"] == "amendment").unwrap();
    assert_eq!(own["when"], "2025-03-04", "{own}");
}
