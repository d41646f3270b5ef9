//! What intake can see must not depend on the arms: the same commands in two studies that differ in their seed alone.
//!
//! The protocol, the families, the times and the actors are the same, so whatever differs between the two studies comes from
//! the arms. What may differ is said in each test; heads and commitments are hashes and always do.

use crate::place::{IUH, Place, Ran, family};
use serde_json::{Value, json};

/// A study with a seed made from this digit. The arms' ids occur nowhere else in its protocol.
fn study(protocol: &str, digit: char) -> Place {
    let place = Place::with(protocol);
    place.seed_of("keys/seed", &format!("concealment {digit}"));
    let opened = place.run(&place.open_words());
    assert_eq!(opened.code, 0, "{}", opened.err);
    place
}

fn protocol(therapists: u32) -> String {
    IUH.replace("iuh-2025", "home-2025")
        .replace("therapists = 2", &format!("therapists = {therapists}"))
        .replace("stop    = { families = 712,", "stop    = { families = 60,")
        .replace("target  = 712", "target  = 60")
}

/// A text with its hashes blotted out: words of 16 and more hexadecimal digits.
fn blotted(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for letter in text.chars().chain([' ']) {
        if letter.is_ascii_hexdigit() {
            word.push(letter);
            continue;
        }
        if word.len() >= 16 {
            out.push('#');
        } else {
            out.push_str(&word);
        }
        word.clear();
        out.push(letter);
    }
    out
}

fn same(one: &Ran, other: &Ran, words: &str) {
    assert_eq!(one.code, other.code, "{words}");
    assert_eq!(blotted(&one.out), blotted(&other.out), "{words}");
    assert_eq!(blotted(&one.err), blotted(&other.err), "{words}");
}

/// Commands that intake can give, and what reads a study without a lock.
const READ: &[&str] = &[
    "status --study study",
    "status --study study --json",
    "status --study study --format csv",
    "status --study study --format table",
    "status --study study --format table --lang sv",
    "status --study study --json --lang sv",
    "verify --study study",
    "verify --study study --seed-file keys/seed --json",
    "check study/protocol.toml",
    "check study/protocol.toml --json --lang sv",
    "analyse --study study --dry-run --json",
    "lock final --study study --cut 2028-01-01 --confirm 00000000 --actor lead",
    "reveal --study study --seed-file keys/seed --actor lead",
    "analyse --study study --lock final --actor lead",
    "report --study study --out report --lock final",
    "explain gate-closed",
    "enrol --help",
    "status --help",
];

/// Enrols a family in both studies; gives the arms.
fn enrolled(places: [&Place; 2], site: &str, name: &str) -> [Value; 2] {
    let words = Place::enrol_words(site, name, "R1");
    places.map(|place| place.act(&words).json(0)["arm"].clone())
}

/// With a gate that is wide open nothing but the arm that an enrolment answers differs: the answer without it, every
/// receipt, refusal and warning, the status in every form and language, and a dry run of the analyses are the same bytes.
#[test]
fn nothing_but_the_arm_that_was_drawn_depends_on_the_arms() {
    let text = protocol(40);
    let places = [&study(&text, '3'), &study(&text, 'a')];
    let mut differ = 0;
    for number in 0..24 {
        let site = ["skarpnack", "skarholmen"][number % 2];
        let words = Place::enrol_words(site, &family(number), "R1");
        let answers = places.map(|place| place.act(&words));
        let [one, other] = answers.each_ref().map(|ran| ran.json(0));
        differ += u32::from(one["arm"] != other["arm"]);
        // The answer differs in arm and head alone, in its bytes as in its keys.
        let masked = |ran: &Ran, arm: &Value| {
            let out = ran.out.replace(&format!("{arm}"), "\"arm\"");
            (ran.code, blotted(&out), ran.err.clone())
        };
        assert_eq!(
            masked(&answers[0], &one["arm"]),
            masked(&answers[1], &other["arm"])
        );
        assert_eq!(one["allocation"], json!(number + 1));
    }
    assert!(
        differ >= 6,
        "the seeds give other arms: {differ} of 24 differ"
    );
    // One and two are standard in one study and iuh in the other, or the other way round.
    let name = family(0);
    for words in [
        format!("record accepted --family {name} --on 2025-03-03 --event-key k1"),
        format!("record accepted --family {name} --on 2025-03-03 --event-key k1"),
        format!("record accepted --family {name} --on 2025-03-04 --event-key k1"),
        format!("record closed --family {name} --on 2025-03-03 --event-key k2"),
        format!("record home-visit --family {name} --on 2025-03-03 --event-key k3 --lang sv"),
        format!(
            "record violation --family {name} --on 2025-03-03 --event-key k4 --set reason=double-draw"
        ),
        format!(
            "record violation --family {name} --on 2025-03-03 --event-key k5 --set reason=nothing"
        ),
        format!(
            "record withdrawn --family {} --on 2025-03-03 --event-key k6",
            family(1)
        ),
        format!(
            "record report --family {} --on 2025-03-03 --event-key R9",
            family(2)
        ),
        "record accepted --family NOBODY --on 2025-03-03 --event-key k7".to_owned(),
        Place::enrol_words("skarpnack", &family(4), "R1"),
        Place::enrol_words("skarpnack", "ZZ-AA", "R1").replace("police-led=no", "police-led=yes"),
        Place::enrol_words("skarpnack", "ZZ-BB", "R1").replace("--field category=violence", ""),
        Place::enrol_words("skarpnak", "ZZ-BB", "R1"),
        format!(
            "{} --exception court-order",
            Place::enrol_words("skarpnack", "ZZ-CC", "R1")
        ),
        format!(
            "{} --exception court-order",
            Place::enrol_words("skarpnack", "ZZ-DD", "R1")
        ),
        "record site-closed --site skarholmen --on 2025-03-03 --event-key s1".to_owned(),
        Place::enrol_words("skarholmen", "ZZ-EE", "R1"),
    ] {
        let [one, other] = places.map(|place| place.act(&words));
        if words.contains(&family(4)) {
            // A repetition says the arm again, and nothing else.
            assert_eq!(one.json(0)["replayed"], true);
            assert_eq!(one.err, other.err);
            continue;
        }
        same(&one, &other, &words);
        for told in [&one.out, &one.err] {
            assert!(
                !told.contains("\"iuh\"") && !told.contains("standard"),
                "{words}: {told}"
            );
        }
    }
    for words in READ {
        let [one, other] = places.map(|place| place.run(words));
        same(&one, &other, words);
    }
    for (lang, format) in [
        ("en", "table"),
        ("sv", "table"),
        ("en", "csv"),
        ("en", "json"),
    ] {
        let told = places[0].run(&format!(
            "status --study study --format {format} --lang {lang}"
        ));
        assert!(
            !told.out.contains("iuh") && !told.out.contains("standard"),
            "{}",
            told.out
        );
    }
}

/// With a gate that closes, what differs besides the arm is whether the gate is open, which intake must know. The status
/// says no more: it can be counted from the answers that intake was given, without their arms.
#[test]
fn a_gate_tells_whether_it_is_open_and_nothing_of_its_slots() {
    let text = protocol(1);
    let places = [&study(&text, '3'), &study(&text, 'a')];
    let mut closings = Vec::new();
    for place in places {
        let (mut randomized, mut turned_away, mut names) = (0, 0, Vec::new());
        let mut before = place.run("status --study study --json").json(0);
        for number in 0..14 {
            let answer = place.act(&Place::enrol_words("skarpnack", &family(number), "R1"));
            let told: Value = serde_json::from_str(&answer.out).unwrap();
            let closed = told["outcome"] == "gate-closed";
            assert_eq!(answer.code, if closed { 21 } else { 0 });
            randomized += u32::from(!closed);
            turned_away += u32::from(closed);
            names.push(told["arm"].clone());
            let status = place.run("status --study study --json").json(0);
            let sites = status["sites"].as_array().unwrap();
            let site = sites
                .iter()
                .find(|site| site["site"] == "skarpnack")
                .unwrap();
            assert_eq!(site["randomized"], randomized);
            assert_eq!(site["turned_away"], turned_away);
            assert_eq!(site["screened"], randomized + turned_away);
            // A family that meets a closed gate found it closed in the status before, and the other way round.
            let earlier = before["sites"]
                .as_array()
                .unwrap()
                .iter()
                .find(|site| site["site"] == "skarpnack")
                .unwrap();
            assert_eq!(earlier["gate"] == "closed", closed);
            // The keys are these; none of them is a slot, a block or an arm.
            let keys: Vec<&String> = site.as_object().unwrap().keys().collect();
            let known = [
                "site",
                "enrols",
                "gate",
                "screened",
                "randomized",
                "turned_away",
                "days_closed",
            ];
            assert!(
                keys.iter().all(|key| known.contains(&key.as_str())),
                "{keys:?}"
            );
            before = status;
        }
        closings.push((randomized, names));
    }
    assert_ne!(closings[0].1, closings[1].1, "the seeds give other arms");
    // The other site, where the gate never closed, is the same in both: its status knows nothing of the first one's arms.
    let arms = enrolled(places, "skarholmen", "ZZ-AA");
    let other = places.map(|place| {
        let status = place.run("status --study study --json").json(0);
        let sites = status["sites"].as_array().unwrap();
        sites
            .iter()
            .find(|site| site["site"] == "skarholmen")
            .unwrap()
            .clone()
    });
    assert_eq!(other[0], other[1], "{arms:?}");
}
