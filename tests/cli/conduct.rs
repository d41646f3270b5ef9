//! How a study is run: violations and their caps, changed answers, and what `status` says to whom.

use crate::place::{IUH, Place, family, two_arms};
use serde_json::{Value, json};

/// A violation is recorded under its policy, told when a cap is passed, and refused under a reason that nobody registered.
#[test]
fn a_violation_is_documented_and_counted() {
    let place = Place::open(&format!(
        "{IUH}\n[violations]\nreasons = [\"late-draw\"]\ncap = {{ per_site_and_quarter = 1 }}\n"
    ));
    place.enrol("KATL", "R1", "").json(0);
    place.enrol("MORU", "R1", "").json(0);
    let record = |words: &str| place.act(&format!("record violation {words}"));
    let first = record(
        "--family KATL --on 2025-03-03 --event-key v1 --set reason=wrong-stratum \
         --set field=earlier_reports --set value=5",
    );
    assert_eq!(first.json(0)["warnings"][0]["code"], "document-not-correct");
    assert!(!first.err.contains("[violation-cap]"), "{}", first.err);
    let again = place.unchanged(|| {
        record(
            "--family KATL --on 2025-03-03 --event-key v1 --set reason=wrong-stratum \
             --set field=earlier_reports --set value=5",
        )
    });
    assert_eq!(
        again.json(0)["replayed"],
        true,
        "a repetition is no second violation"
    );
    let second = record("--family MORU --on 2025-03-03 --event-key v2 --set reason=late-draw");
    let codes = |value: &Value| value["warnings"][0]["code"].clone();
    assert_eq!(codes(&second.json(0)), "violation-cap");
    let refused = place.unchanged(|| {
        record("--family MORU --on 2025-03-03 --event-key v3 --set reason=late-drow")
    });
    refused.refused(4, "unknown-violation");
    assert!(refused.err.contains("`late-draw`"), "{}", refused.err);
    let status = place.run("status --study study --json").json(0);
    assert_eq!(
        status["violations"],
        json!({"found-ineligible": 0, "wrong-stratum": 1, "double-draw": 0, "wrong-service": 0, "late-draw": 1})
    );
    assert_eq!(
        status["alerts"],
        json!([{"what": "violations", "site": "skarpnack", "quarter": "2025-Q1", "count": 2, "cap": 1}])
    );
    assert_eq!(status.get("switches"), None, "only with --conduct");
    let told = place.run("status --study study --format table --lang sv");
    for line in [
        "Skarpnäck har 2 avsteg under kvartal 1 2025",
        "Familjer med avsteg, alla armar tillsammans: lottad med fel värde på ett fält: 1; late draw: 1.",
        "Inskrivningen pågår.",
    ] {
        assert!(told.out.contains(line), "{line} in {}", told.out);
    }
    place.verify();
}

/// Whether switches lean is said to the study lead alone, when asked for.
#[test]
fn the_direction_of_switches_is_for_the_study_lead() {
    let place = Place::open(IUH);
    let mut standard = Vec::new();
    for number in 0..12 {
        let name = family(number);
        if place.enrol(&name, "R1", "").json(0)["arm"] == "standard" {
            standard.push(name);
        }
        if standard.len() == 2 {
            break;
        }
    }
    for name in &standard {
        place
            .act(&format!(
                "record switched --family {name} --on 2025-03-03 --event-key {name} --set arm=iuh"
            ))
            .json(0);
    }
    let status = place.run("status --study study --json --conduct").json(0);
    // Two of two at 1:1: a quarter.
    assert_eq!(
        status["switches"],
        json!({"toward": "iuh", "to": 2, "of": 2, "expected_share": 0.5, "p_value": 0.25})
    );
    for (lang, words) in [
        ("en", "For the study lead, not for intake: 2 of 2"),
        (
            "sv",
            "Till studieledaren, inte till mottagningen: av 2 familjer som bytte insats gick 2 till",
        ),
    ] {
        let told = place.run(&format!(
            "status --study study --format table --conduct --lang {lang}"
        ));
        assert!(told.out.contains(words), "{}", told.out);
    }
}

/// Answers that change are kept, and `status` names the family.
#[test]
fn changed_answers_name_the_family() {
    let place = Place::open(IUH);
    let words = Place::enrol_words("skarpnack", "KATL", "R1");
    place
        .act(&words.replace("earlier_reports=3", "earlier_reports=1"))
        .json(20);
    place
        .act(
            &Place::enrol_words("skarpnack", "KATL", "R2")
                .replace("earlier_reports=3", "earlier_reports=0"),
        )
        .json(20);
    let changed = place.act(&words).json(0);
    assert_eq!(changed["warnings"][0]["code"], "answers-changed");
    let status = place.run("status --study study --json").json(0);
    assert_eq!(
        (&status["changed_answers"], &status["changed_families"]),
        (&json!(1), &json!(["KATL"]))
    );
}

const ROLES: &str = r#"
[roles]
reception = ["desk-1", "desk-2"]
worker = ["pair-1"]
key-holder = ["keys-1"]
outcome-assessor = ["records-1"]
statistician = ["numbers-1"]
study-lead = ["lead"]
auditor = ["audit-1"]
"#;

/// With `[roles]` every writing command needs its role; a refusal records nothing, names the role that is needed, and comes
/// before anything else that could be said.
#[test]
fn each_writing_command_needs_its_role() {
    let protocol = format!("{IUH}{ROLES}");
    let place = Place::with(&protocol);
    let open = place.open_words();
    let refused = place.run(&open.replace("--actor lead", "--actor desk-1"));
    refused.refused(4, "not-permitted");
    assert!(
        !place.path("keys/seed").exists(),
        "no seed is made for who may not open"
    );
    let opened = place.run(&open);
    assert_eq!(opened.code, 0, "{}", opened.err);
    let enrol = |name: &str| Place::enrol_words("skarpnack", name, "R1");
    place.act_as("desk-1", &enrol("KATL")).json(0);
    let of_family =
        |what: &str| format!("record {what} --family KATL --on 2025-03-03 --event-key k");
    for (words, may, may_not) in [
        (enrol("MORU"), "desk-2", ["lead", "pair-1", "keys-1", "nobody"]),
        (of_family("accepted"), "pair-1", ["lead", "records-1", "numbers-1", "audit-1"]),
        (of_family("withdrawn"), "records-1", ["lead", "keys-1", "numbers-1", "audit-1"]),
        (
            "record report --family KATL --on 2025-03-03 --event-key R9".to_owned(),
            "desk-1",
            ["lead", "pair-1", "keys-1", "audit-1"],
        ),
        (
            format!("{} --set outcome=accepted --set value=1", of_family("observed")),
            "records-1",
            ["lead", "desk-1", "pair-1", "numbers-1"],
        ),
        (
            format!("{} --set reason=double-draw", of_family("violation")),
            "lead",
            ["pair-1", "records-1", "keys-1", "audit-1"],
        ),
        (
            "record capacity-changed --site skarpnack --on 2025-03-03 --event-key c1 --set therapists=3".to_owned(),
            "lead",
            ["desk-1", "pair-1", "records-1", "nobody"],
        ),
    ] {
        for actor in may_not {
            let refused = place.unchanged(|| place.act_as(actor, &words));
            refused.refused(4, "not-permitted");
        }
        let done = place.act_as(may, &words);
        assert_eq!(done.code, 0, "{words}\n{}", done.err);
    }
    let confirm = place.confirm().to_owned();
    for (words, may_not) in [
        (
            format!("lock final --cut 2025-03-01 --confirm {confirm}"),
            "numbers-1",
        ),
        ("reveal --seed-file keys/seed".to_owned(), "desk-1"),
        ("export --proof out".to_owned(), "desk-1"),
        ("export --proof out".to_owned(), "keys-1"),
    ] {
        let refused = place.unchanged(|| place.act_as(may_not, &words));
        refused.refused(4, "not-permitted");
    }
    // The advice names the role; the message names those that the actor has.
    let refused = place.act_as("pair-1", &enrol("TIRA"));
    assert!(
        refused.err.contains("pair-1 is worker") && refused.err.contains("reception"),
        "{}",
        refused.err
    );
    let refused = place.act_as("nobody", &format!("{} --lang sv", enrol("TIRA")));
    assert!(
        refused.err.contains("nobody har ingen roll i studien"),
        "{}",
        refused.err
    );
    place.act_as("audit-1", "export --proof out").json(0);
    place.verify();
    let status = place.run("status --study study --format table");
    assert!(
        status
            .out
            .contains("Roles are kept by the id given with --actor"),
        "{}",
        status.out
    );
}

/// Whoever screens families changes no capacity, with and without roles, and `verify` names a row that does.
#[test]
fn the_two_duties_are_kept_apart_on_the_command_line() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let change = "record capacity-changed --site skarholmen --on 2025-03-03 --event-key c1 --set therapists=3";
    let refused = place.unchanged(|| place.act_as("intake-1", change));
    refused.refused(4, "duties-mixed");
    place.act_as("lead", change).json(0);
    let words = Place::enrol_words("skarpnack", "MORU", "R1");
    let refused = place.unchanged(|| place.act_as("lead", &words));
    refused.refused(4, "duties-mixed");
    let closes = "record site-closed --site skarholmen --on 2025-03-03 --event-key s1";
    place
        .unchanged(|| place.act_as("intake-1", closes))
        .refused(4, "duties-mixed");
    place.verify();
}

/// One therapist with one slot. The desk that screens says that the service of the family in it never began, and the next family
/// is drawn; that was not so. The desk cannot take it back, the study lead can, and both see what came of it.
#[test]
fn slots_that_the_desk_frees_are_counted_and_not_taken_back_by_it() {
    let text = IUH
        .replace("therapists = 2", "therapists = 1")
        .replace("families_per_therapist = 3", "families_per_therapist = 1");
    let place = Place::open(&text);
    let held = (0..30)
        .map(family)
        .find(|name| place.enrol(name, "R1", "").json(0)["arm"] == "iuh")
        .unwrap();
    assert_eq!(
        place.enrol("KATL", "R1", "").json(21)["outcome"],
        "gate-closed"
    );
    let freed = format!("record not-started --family {held} --on 2025-03-03 --event-key N1");
    let sequence = place.act_as("intake-1", &freed).json(0)["sequence"].clone();
    place.enrol("KATL", "R1", "").json(0);
    let back = format!(
        "record corrected --family {held} --on 2025-03-03 --event-key K1 --set sequence={sequence} --set reason=mistaken"
    );
    for actor in ["intake-1", "INTAKE.1"] {
        place
            .unchanged(|| place.act_as(actor, &back))
            .refused(4, "duties-mixed");
    }
    let counted =
        || place.run("status --study study --conduct").json(0)["slots_freed_by_intake"].clone();
    assert_eq!(counted(), json!({"freed": 1, "retracted": 0, "drawn": 0}));
    place.act_as("lead", &back).json(0);
    assert_eq!(counted(), json!({"freed": 1, "retracted": 1, "drawn": 1}));
    // What does not move a slot the desk may correct as before.
    let offered = format!("record offered --family {held} --on 2025-03-03 --event-key O1");
    let sequence = place.act_as("intake-1", &offered).json(0)["sequence"].clone();
    let back = format!(
        "record corrected --family {held} --on 2025-03-03 --event-key K2 --set sequence={sequence} --set reason=mistaken"
    );
    place.act_as("intake-1", &back).json(0);
    place.verify();
}

/// Of an erased family nothing can be recorded, so that a slot that it holds stays taken: said before the erasure, of every family
/// whose service has not ended, so that it tells no arm, and not of one whose service has.
#[test]
fn an_erasure_says_beforehand_that_a_slot_may_stay_taken() {
    let place = Place::open(IUH);
    let confirm = place.confirm().to_owned();
    let erase =
        |family: &str| format!("erase --family {family} --reason consent --confirm {confirm}");
    let warned = |words: &str| -> Vec<String> {
        let told = place.act_as("lead", words).json(0);
        let warnings = told["warnings"].as_array().cloned().unwrap_or_default();
        let codes = warnings.iter().filter_map(|own| own["code"].as_str());
        codes.map(str::to_owned).collect()
    };
    let families: Vec<String> = (0..6).map(family).collect();
    for name in &families {
        place.enrol(name, "R1", "").json(0);
    }
    let rows = place.entries().len();
    for name in &families {
        let words = format!("{} --dry-run", erase(name));
        assert_eq!(
            warned(&words),
            ["name-forgotten", "slot-may-stay-taken"],
            "{name}"
        );
    }
    let dry = place.act_as("intake-1", &format!("{} --dry-run", erase(&families[0])));
    dry.refused(4, "duties-mixed");
    for (number, name) in families.iter().skip(1).enumerate() {
        place
            .act(&format!(
                "record closed --family {name} --on 2025-03-03 --event-key C{number}"
            ))
            .json(0);
        assert_eq!(
            warned(&format!("{} --dry-run", erase(name))),
            ["name-forgotten"],
            "{name}"
        );
    }
    assert_eq!(place.entries().len(), rows + 5, "nothing else was recorded");
    assert_eq!(
        warned(&erase(&families[0])),
        ["name-forgotten", "slot-may-stay-taken"]
    );
    assert_eq!(warned(&erase(&families[1])), ["name-forgotten"]);
    place.verify();
}

/// A correction moves no slot: after a switch that was taken back the gate is closed as before, and an erasure would keep it so.
#[test]
fn an_erasure_warns_of_a_slot_whose_last_event_was_taken_back() {
    let text = IUH
        .replace("therapists = 2", "therapists = 1")
        .replace("families_per_therapist = 3", "families_per_therapist = 1");
    let place = Place::open(&text);
    let confirm = place.confirm().to_owned();
    let held = (0..30)
        .map(family)
        .find(|name| place.enrol(name, "R1", "").json(0)["arm"] == "iuh")
        .unwrap();
    let record = |words: &str| {
        let words = format!("record {words} --family {held} --on 2025-03-03");
        place.act_as("lead", &words).json(0)["sequence"].clone()
    };
    let warned = || {
        let words = format!("erase --family {held} --reason consent --confirm {confirm} --dry-run");
        let told = place.act_as("lead", &words).json(0);
        told["warnings"].to_string().contains("slot-may-stay-taken")
    };
    assert!(warned());
    record("closed --event-key C1");
    assert!(!warned());
    let switched = record("switched --event-key S1 --set arm=iuh");
    assert!(warned());
    record(&format!(
        "corrected --event-key K1 --set sequence={switched} --set reason=mistaken"
    ));
    assert_eq!(
        place.enrol("KATL", "R1", "").json(21)["outcome"],
        "gate-closed"
    );
    assert!(warned());
    place.verify();
}

/// What intake could use to have a family drawn anew, or to undo what is said of its own screening: an erasure, the taking back
/// of a link, and that of a violation are the lead's. Whoever has erased screens nobody.
#[test]
fn who_screens_erases_parts_and_exonerates_nobody() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "--child BARN-AA").json(0);
    let confirm = place.confirm().to_owned();
    let erase =
        |family: &str| format!("erase --family {family} --reason consent --confirm {confirm}");
    let back = |sequence: &serde_json::Value, key: &str| {
        format!(
            "record corrected --family KATL --on 2025-03-03 --event-key {key} --set sequence={sequence} --set reason=mistaken"
        )
    };
    let on = "--on 2025-03-03 --event-key";
    let linked = place
        .act_as(
            "lead",
            &format!("record linked --family KATL --set other=MORU {on} L1"),
        )
        .json(0)["sequence"]
        .clone();
    let wrong = place
        .act_as(
            "lead",
            &format!("record violation --family KATL --set reason=found-ineligible {on} V1"),
        )
        .json(0)["sequence"]
        .clone();
    let child = place
        .act_as(
            "intake-1",
            &format!(
                "record linked --family KATL --child BARN-AA --set other_child=BARN-BB {on} L2"
            ),
        )
        .json(0)["sequence"]
        .clone();
    for actor in ["intake-1", "Intake_1"] {
        for words in [erase("KATL"), back(&linked, "K1"), back(&wrong, "K2")] {
            place
                .unchanged(|| place.act_as(actor, &words))
                .refused(4, "duties-mixed");
        }
    }
    // Two names of one child join no families, and intake takes back its own.
    place.act_as("intake-1", &back(&child, "K3")).json(0);
    place.act_as("lead", &back(&linked, "K1")).json(0);
    place.act_as("lead", &back(&wrong, "K2")).json(0);
    // Who has taken a link back, or erased, screens nobody, though the link holds no more.
    let screens = |actor: &str| {
        place.unchanged(|| place.act_as(actor, &Place::enrol_words("skarpnack", "SILL", "R1")))
    };
    screens("lead").refused(4, "duties-mixed");
    place.act_as("other-lead", &erase("KATL")).json(0);
    screens("OTHER.lead").refused(4, "duties-mixed");
    place.verify();
}

/// Ids that differ in case, full stops, underscores and hyphens are one person's: in roles, too, nobody has two that clash, and
/// the role is the person's.
#[test]
fn roles_are_kept_by_person_however_the_id_is_written() {
    let roles = |more: &str| format!("{IUH}\n[roles]\nreception = [\"desk-1\"]\n{more}");
    for (more, code) in [
        ("study-lead = [\"DESK.1\"]\n", "roles-clash"),
        (
            "study-lead = [\"lead\"]\nkey-holder = [\"kh\"]\noutcome-assessor = [\"K_H\"]\n",
            "roles-clash",
        ),
        ("study-lead = [\"lead\", \"Le-ad\"]\n", "duplicate-id"),
    ] {
        let parsed = lottning::protocol::parse(roles(more).as_bytes());
        let codes: Vec<_> = parsed.diagnostics.iter().map(|own| own.code).collect();
        assert!(codes.contains(&code), "{more}: {codes:?}");
    }
    let place = Place::open(&roles("study-lead = [\"lead\"]\n"));
    let words = |family: &str| Place::enrol_words("skarpnack", family, "R1");
    place.act_as("Desk_1", &words("KATL")).json(0);
    place
        .unchanged(|| place.act_as("lead", &words("MORU")))
        .refused(4, "not-permitted");
    place.verify();
}

/// A refused file records nothing, so nothing in it is refused for an arm: else one bad row more would tell the arm of every
/// family without a trace. What is recorded is told alike of both arms, and the study lead sees which were of the family's own.
#[test]
fn no_violation_tells_an_arm() {
    let place = Place::open(IUH);
    let own = place.enrol("KATL", "R1", "").json(0)["arm"].clone();
    let mut told = Vec::new();
    for arm in ["iuh", "standard"] {
        let row = |key: &str| format!("KATL,2025-03-03,{key}-{arm},wrong-service,{arm}\n");
        let header = "family,on,event_key,reason,received\n";
        place.write("v.csv", format!("{header}{}", row("W")));
        let tried = place
            .unchanged(|| place.act_as("intake-1", "import violation v.csv --dry-run"))
            .json(0);
        place.write(
            "bad.csv",
            format!("{header}{}KATL,2025-03-03,B,nope,{arm}\n", row("W")),
        );
        let refused =
            place.unchanged(|| place.act_as("intake-1", "import violation bad.csv --json"));
        assert_eq!(refused.code, 4, "{}", refused.err);
        let words = format!(
            "record violation --family KATL --on 2025-03-03 --event-key V-{arm} --set reason=wrong-service --set received={arm}"
        );
        let dry = place
            .unchanged(|| place.act_as("intake-1", &format!("{words} --dry-run")))
            .json(0);
        let recorded = place.act_as("intake-1", &words).json(0);
        let imported = place.act_as("intake-1", "import violation v.csv").json(0);
        let codes = |answer: &serde_json::Value| {
            let all = answer["warnings"].as_array().unwrap().iter();
            all.map(|own| own["code"].clone()).collect::<Vec<_>>()
        };
        assert!(!refused.err.contains("nothing-wrong"), "{}", refused.err);
        let alike = refused.err.matches("\"code\"").count();
        told.push((alike, [&tried, &dry, &recorded, &imported].map(codes)));
    }
    assert_eq!(told[0], told[1]);
    assert!(
        told[0]
            .1
            .iter()
            .all(|own| own.contains(&json!("arm-not-checked"))),
        "{told:?}"
    );
    let seen =
        || place.run("status --study study --conduct").json(0)["wrong_service_of_own_arm"].clone();
    assert_eq!(seen(), json!(["KATL"]));
    // Corrected, it is gone. Each arm has two rows, and those of the family's own are taken back.
    for (number, row) in (0..).zip(place.entries().iter().filter(|row| row.kind == "violation")) {
        if row
            .payload
            .as_deref()
            .unwrap()
            .contains(&format!("\"received\":{own}"))
        {
            let sequence = row.sequence;
            place
                .act_as("lead", &format!("record corrected --family KATL --on 2025-03-03 --event-key K{number} --set sequence={sequence} --set reason=mistaken"))
                .json(0);
        }
    }
    assert_eq!(seen(), json!([]));
    place.verify();
}

/// Strata cost independent lots nothing, so no verb warns of thin ones.
#[test]
fn thin_strata_are_no_finding_of_simple_randomization() {
    let simple = IUH
        .replace("method = \"big-stick\"", "method = \"simple\"")
        .replace("max_imbalance = 4", "")
        .replace("target  = 712", "target  = 30");
    for (text, thin) in [
        (
            simple.replace("\"simple\"", "\"permuted-block\"\nblock_lens = [4]"),
            true,
        ),
        (simple, false),
    ] {
        let place = Place::with(&text);
        let opened = place.run(&place.open_words());
        assert_eq!(opened.code, 0, "{}", opened.err);
        assert_eq!(opened.err.contains("[thin-strata]"), thin, "{}", opened.err);
    }
}

/// Follow-up is counted from the draw: no end of it lies before. A family that was not drawn may leave and come back.
#[test]
fn no_follow_up_ends_before_the_draw() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let link = "record linked --family KATL --set other=MORU --on 2025-03-03 --event-key l1";
    place.act_as("lead", link).json(0);
    let exits = ["death", "all-children-18", "left-coverage", "withdrawn"];
    for exit in exits {
        for name in ["KATL", "MORU"] {
            place
                .unchanged(|| {
                    place.act(&format!(
                        "record {exit} --family {name} --on 2025-03-02 --event-key k1"
                    ))
                })
                .refused(4, "before-randomization");
        }
        place.write(
            "exits.csv",
            "family,on,event_key\nKATL,2015-03-01,x1\nKATL,2025-03-03,x2\nMORU,2025-03-02,x3\n",
        );
        let refused = place.unchanged(|| place.act(&format!("import {exit} exits.csv")));
        refused.refused(4, "invalid-data");
        assert_eq!(
            refused.err.matches("before-randomization").count(),
            2,
            "{}",
            refused.err
        );
    }
    for exit in exits {
        let words = format!("record {exit} --family KATL --on 2025-03-03 --event-key k1");
        place.act(&words).json(0);
    }
    let words = Place::enrol_words("skarpnack", "SILL", "R1");
    let words = words.replace("immediate-placement=no", "immediate-placement=yes");
    place.act(&words).json(20);
    let left = "record left-coverage --family SILL --on 2025-03-01 --event-key k2";
    place.act(left).json(0);
    assert_eq!(
        place.enrol("SILL", "R2", "").json(0)["outcome"],
        "allocated"
    );
    place.verify();
}

/// A site without therapists, on paper. Its registered first day is 3 February 2025, and the study is opened on 3 March: that day is
/// the first closed one, once it has ended. It stops enrolling on 12 March, after nine such days (3 to 11 March), begins again on
/// 19 March, and on 23 March it has had four more; that day has not ended.
#[test]
fn days_closed_are_days_on_which_the_site_enrolled() {
    let (head, tail) = IUH.split_once("id = \"rinkeby-kista\"").unwrap();
    let tail = tail.replacen("therapists = 2", "therapists = 0", 1);
    let place = Place::open(&format!("{head}id = \"rinkeby-kista\"{tail}"));
    let closed = || {
        let status = place.run("status --study study").json(0);
        let mut sites = status["sites"].as_array().unwrap().iter();
        sites.find(|site| site["site"] == "rinkeby-kista").unwrap()["days_closed"].clone()
    };
    let site = |event: &str, on: &str| {
        let words = format!("record {event} --site rinkeby-kista --on {on} --event-key {event}");
        place.act_as("lead", &words).json(0);
    };
    place
        .act(&Place::enrol_words("rinkeby-kista", "KATL", "R1"))
        .json(21);
    assert_eq!(closed(), 0);
    place.days(9);
    site("site-closed", "2025-03-12");
    assert_eq!(closed(), 9);
    place.days(16);
    site("site-opened", "2025-03-19");
    assert_eq!(closed(), 9);
    place.days(20);
    place
        .act(&Place::enrol_words("rinkeby-kista", "KATL", "R2"))
        .json(21);
    assert_eq!(closed(), 13);
    let status = place.run("status --study study").json(0);
    assert_eq!(
        (&status["as_of"], &status["days_closed_until"]),
        (&json!("2025-03-23"), &json!("2025-03-22"))
    );
    for (lang, line) in [
        (
            "en",
            "Whole days closed are counted until 2025-03-22, the day before the last event.",
        ),
        (
            "sv",
            "Hela dagar med intagsstopp räknas till och med 2025-03-22, dagen före den senaste händelsen.",
        ),
    ] {
        let told = place.run(&format!(
            "status --study study --format table --lang {lang}"
        ));
        assert!(told.out.contains(line), "{}", told.out);
    }
    place.verify();
}

/// Enrolment that ends by its date. The registered last day is 31 March 2025; on it the study enrols, and on 1 April nobody does.
#[test]
fn enrolment_has_ended_after_its_registered_last_day() {
    let text = two_arms().replace("or_date = 2027-12-31", "or_date = 2025-03-31");
    let ended = |place: &Place| {
        let status = place.run("status --study study").json(0);
        let sites = status["sites"].as_array().unwrap().iter();
        let enrols: Vec<Value> = sites.map(|site| site["enrols"].clone()).collect();
        (
            status["enrolment"].clone(),
            enrols,
            status["last_day"].clone(),
        )
    };
    let until =
        |place: &Place| place.run("status --study study").json(0)["days_closed_until"].clone();
    let place = Place::open(&text);
    let capacity = |key: &str| {
        let words = format!(
            "record capacity-changed --site north --on 2025-03-31 --event-key {key} --set therapists=3"
        );
        place.act_as("lead", &words).json(0);
    };
    place.days(28);
    capacity("c1");
    let last = json!("2025-03-31");
    assert_eq!(
        ended(&place),
        (json!("open"), vec![json!(true); 2], last.clone())
    );
    place.days(29);
    capacity("c2");
    let past = (json!("past-last-day"), vec![json!(false); 2], last);
    assert_eq!(ended(&place), past);
    assert_eq!(until(&place), past.2, "days of enrolment alone are counted");
    for (lang, line) in [
        (
            "en",
            "Enrolment ended on 2025-03-31, the registered last day.",
        ),
        (
            "sv",
            "Inskrivningen avslutades 2025-03-31, den registrerade sista dagen.",
        ),
    ] {
        let told = place.run(&format!(
            "status --study study --format table --lang {lang}"
        ));
        assert!(told.out.contains(line), "{}", told.out);
    }
    // Opened by the computer's clock, which is past that day: told at the opening, and at once in the status.
    let place = Place::with(&text);
    std::fs::create_dir_all(place.path("keys")).unwrap();
    let confirm = place.confirm();
    let words =
        format!("open p.toml --study study --seed-file keys/seed --confirm {confirm} --actor lead");
    let day = || {
        let now = jiff::Timestamp::now().in_tz("Europe/Stockholm").unwrap();
        json!(now.date().to_string())
    };
    let before = day();
    let opened = place.run(&words);
    assert_eq!(opened.code, 0, "{}", opened.err);
    assert!(opened.err.contains("[last-day-passed]"), "{}", opened.err);
    assert_eq!((ended(&place), until(&place)), (past.clone(), past.2));
    let told = place.run("status --study study").json(0)["as_of"].clone();
    assert!([before, day()].contains(&told), "{told}");
    // On the last day it is not past.
    let place = Place::with(&text);
    place.seed_of("keys/seed", "a study that is open");
    place.days(28);
    let opened = place.run(&place.open_words());
    assert!(!opened.err.contains("[last-day-passed]"), "{}", opened.err);
}

/// Violations that are found between the cut and the lock are in the ledger of the lock: its analyses use them, and its report counts
/// them. Windows end on 3 March 2026, and 30 days of grace on 2 April.
#[test]
fn a_report_counts_what_was_found_between_the_cut_and_the_lock() {
    let text = two_arms()
        .replace("stop    = { families = 304,", "stop    = { families = 9,")
        .replace("target  = 304", "target  = 9")
        .replace("draws = 10000", "draws = 99");
    let place = Place::open(&text);
    for number in 0..8 {
        let (site, name) = (["north", "south"][number % 2], family(number));
        let words = format!(
            "enrol --site {site} --family {name} --report-key R1 --received 2025-03-01 --answer consent=yes \
             --field earlier_reports={number} --seed-file keys/seed"
        );
        place.act(&words).json(0);
    }
    place.days(402);
    let record = |number: usize, set: &str| {
        let name = family(number);
        let words =
            format!("record violation --family {name} --on 2026-04-08 --event-key v{number} {set}");
        place.act(&words).json(0);
    };
    record(5, "--set reason=found-ineligible");
    record(
        6,
        "--set reason=wrong-stratum --set field=earlier_reports --set value=17",
    );
    let confirm = place.confirm();
    place
        .act_as(
            "lead",
            &format!("lock final --cut 2026-04-05 --confirm {confirm}"),
        )
        .json(0);
    let status = place.run("status --study study").json(0);
    assert_eq!(
        (&status["as_of"], &status["days_closed_until"]),
        (&json!("2026-04-09"), &json!("2026-04-05")),
        "the cut of the final lock ends the count"
    );
    let report = place.run("report --study study --lock final --out r");
    assert_eq!(report.code, 0, "{}", report.err);
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(place.path("r/report.json")).unwrap())
            .unwrap();
    let violations = report["conduct"]["violations"].as_array().unwrap().iter();
    let counts: Vec<(Value, Value)> = violations
        .map(|own| (own["reason"].clone(), own["families"].clone()))
        .collect();
    let count = |reason: &str, families: u32| (json!(reason), json!(families));
    assert_eq!(
        counts,
        [
            count("found-ineligible", 1),
            count("wrong-stratum", 1),
            count("double-draw", 0),
            count("wrong-service", 0)
        ]
    );
    let page = std::fs::read_to_string(place.path("r/report.en.html")).unwrap();
    assert!(page.contains("without-found-ineligible and leaves 1 out"));
    let found = place.act_as("lead", "analyse --lock final").json(0);
    let rows = found["analyses"][0]["results"].as_array().unwrap();
    let families =
        |row: &Value| row["n_treated"].as_u64().unwrap() + row["n_control"].as_u64().unwrap();
    let set = rows
        .iter()
        .find(|row| row["sensitivity"] == "without-found-ineligible");
    assert_eq!((families(&rows[0]), families(set.unwrap())), (8, 7));
    assert_eq!(set.unwrap()["randomized_groups_whole"], false);
    let replicated = place.act_as("lead", "export --replicate out --lock final");
    assert_eq!(replicated.code, 0, "{}", replicated.err);
    let data = std::fs::read_to_string(place.path("out/data/families.csv")).unwrap();
    let head = data.lines().next().unwrap().split(',');
    let column = head
        .clone()
        .position(|own| own == "found_ineligible")
        .unwrap();
    let marked = data
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(column).unwrap());
    let marked: Vec<&str> = marked.collect();
    assert_eq!(marked, ["0", "0", "0", "0", "0", "1", "0", "0"]);
    let data = std::fs::read_to_string(place.path("out/data/primary.csv")).unwrap();
    assert!(data.contains("17"), "the true value is what is analysed");
}

/// A site without therapists that is closed before its registered first day, or on its first one, has never enrolled: no day of it
/// is a closed one, however long the study goes on.
#[test]
fn a_site_that_never_enrolled_has_no_closed_day() {
    let (head, tail) = IUH.split_once("id = \"rinkeby-kista\"").unwrap();
    let tail = tail.replacen("therapists = 2", "therapists = 0", 1);
    let ahead = tail.replacen("opens = 2025-02-03", "opens = 2025-04-01", 1);
    for (what, tail) in [("on its first day", tail), ("before it", ahead)] {
        let place = Place::open(&format!("{head}id = \"rinkeby-kista\"{tail}"));
        let words = "record site-closed --site rinkeby-kista --on 2025-03-03 --event-key S1";
        place.act_as("lead", words).json(0);
        place.days(60);
        place.enrol("KATL", "R1", "").json(0);
        let status = place.run("status --study study").json(0);
        let mut sites = status["sites"].as_array().unwrap().iter();
        let own = sites.find(|site| site["site"] == "rinkeby-kista").unwrap();
        assert_eq!(
            (&own["enrols"], &own["days_closed"]),
            (&json!(false), &json!(0)),
            "{what}"
        );
    }
}

/// A family drawn at one site and truly of another: documented once, and nothing moves.
#[test]
fn a_wrong_site_is_documented_and_moves_nothing() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let before = place.run("status --study study").json(0)["sites"].clone();
    let record = |site: &str, key: &str| {
        place.act(&format!(
            "record violation --family KATL --on 2025-03-03 --event-key {key} --set reason=wrong-stratum \
             --set field=site --set value={site}"
        ))
    };
    place
        .unchanged(|| record("skarpnack", "v1"))
        .refused(4, "nothing-wrong");
    place
        .unchanged(|| record("skarpnak", "v1"))
        .refused(4, "unknown-site");
    assert_eq!(record("rinkeby-kista", "v1").json(0)["replayed"], false);
    assert_eq!(record("rinkeby-kista", "v1").json(0)["replayed"], true);
    place
        .unchanged(|| record("rinkeby-kista", "v2"))
        .refused(4, "nothing-wrong");
    let status = place.run("status --study study").json(0);
    assert_eq!(
        (&status["sites"], &status["violations"]["wrong-stratum"]),
        (&before, &json!(1))
    );
    place.verify();
}

/// An exception that is withdrawn for the same report, one that comes after the draw, and answers that change after it: each is
/// told at once, kept, and listed for the study lead.
#[test]
fn exceptions_and_answers_that_come_and_go_are_flagged() {
    let place = Place::open(IUH);
    let codes = |ran: &Value| -> Vec<String> {
        let told = ran["warnings"].as_array().into_iter().flatten();
        told.map(|own| own["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let out = "--exception court-order";
    place.enrol("KATL", "R1", out).json(22);
    let drawn = place.enrol("KATL", "R1", "--request-id q2").json(0);
    assert_eq!(
        (&drawn["outcome"], codes(&drawn)),
        (&json!("allocated"), vec!["exception-withdrawn".to_owned()])
    );
    // For another report there is nothing to withdraw.
    place.enrol("MORU", "R1", out).json(22);
    let other = place.enrol("MORU", "R2", "").json(0);
    assert_eq!(codes(&other), [""; 0]);
    let late = place.enrol("MORU", "R3", out).json(0);
    assert_eq!(
        (&late["outcome"], codes(&late)),
        (&json!("returned"), vec!["exception-after-draw".to_owned()])
    );
    let words =
        Place::enrol_words("skarpnack", "MORU", "R2").replace("youngest_age=4", "youngest_age=5");
    let changed = place
        .act(&format!("{words} --request-id q3 --child BARN-AA"))
        .json(0);
    assert_eq!(
        (&changed["outcome"], codes(&changed)),
        (&json!("joined"), vec!["answers-after-draw".to_owned()])
    );
    assert_eq!(
        codes(&place.enrol("MORU", "R2", "--request-id q4").json(0)),
        [""; 0]
    );
    let again = place.unchanged(|| place.act(&format!("{words} --request-id q3 --child BARN-AA")));
    assert_eq!(again.json(0)["replayed"], true);
    let status = place.run("status --study study --conduct").json(0);
    assert_eq!(
        [
            &status["exceptions_withdrawn"],
            &status["exceptions_after_draw"],
            &status["answers_changed_after_draw"]
        ],
        [&json!(["KATL"]), &json!(["MORU"]), &json!(["MORU"])]
    );
    let told = place.run("status --study study --conduct --format table --lang sv");
    assert!(
        told.out.contains("Undantag angavs efter lottningen: MORU."),
        "{}",
        told.out
    );
    place.verify();
}
