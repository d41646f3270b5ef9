//! Two programs on families that prove to be one, on corrections and on erasures: both accept what the commands wrote, and both
//! name the same first row of each forgery.

use super::place::{IUH, Place, family};
use super::verifier::{Copied, both_accept, enrol_file, independent, own, put};
use lottning::study::journal::Entry;
use rusqlite::Connection;
use serde_json::{Value, json};

const HEADER: &str = "site,family,child,report_key,received,answer.investigation-opened,answer.immediate-placement,\
                      answer.police-led,field.earlier_reports,field.youngest_age,field.category";

fn enrol(place: &Place, numbers: impl Iterator<Item = usize>) -> Vec<Value> {
    let rows = numbers.map(|number| {
        format!(
            "skarpnack,{},,R1,2025-03-01,yes,no,no,3,4,violence",
            family(number)
        )
    });
    enrol_file(place, HEADER, rows)
}

/// Two holders of slots found to be one family, a family that was turned away found to be one that was drawn, a new name
/// under which a slot is freed, and a closure that was recorded by mistake.
///
/// Gives also the two names of the family that was first turned away.
fn troubled() -> (Place, [String; 2]) {
    let place = Place::open(IUH);
    // The arms never differ by more than four: of sixteen drawn families six are in the arm with six slots, whatever the
    // seed, and the last two of eighteen are turned away.
    let answers = enrol(&place, 0..18);
    let of = |outcome: &str, arm: &Value| -> Vec<String> {
        answers
            .iter()
            .filter(|answer| answer["outcome"] == outcome && answer["arm"] == *arm)
            .map(|answer| answer["family"].as_str().unwrap().to_owned())
            .collect()
    };
    let holders = of("allocated", &json!("iuh"));
    let others = of("allocated", &json!("standard"));
    let turned = of("gate-closed", &Value::Null);
    assert!(holders.len() == 6 && !others.is_empty() && turned.len() > 1);
    let record = |words: String| {
        place
            .act(&format!("record {words} --on 2025-03-03"))
            .json(0)
    };
    record(format!(
        "linked --family {} --set other={} --event-key l1",
        holders[0], holders[1]
    ));
    record(format!("closed --family {} --event-key c1", holders[1]));
    record(format!(
        "linked --family {} --set other={} --event-key l2",
        others[0], turned[0]
    ));
    record(format!(
        "linked --family {} --set other=FA-NEW --event-key l3",
        holders[2]
    ));
    record("closed --family FA-NEW --event-key c2".to_owned());
    let mistaken =
        record(format!("closed --family {} --event-key c3", holders[3]))["sequence"].clone();
    record(format!(
        "corrected --family {} --event-key k1 --set sequence={mistaken} --set reason=mistake",
        holders[3]
    ));
    // Three slots are free; the family that was turned away and linked is answered with its arm.
    let number = (0..18).find(|number| family(*number) == turned[0]).unwrap();
    let back = enrol(&place, std::iter::once(number));
    assert_eq!(back[0]["outcome"], "returned", "{back:?}");
    let more = enrol(&place, 20..36);
    let allocated = |answer: &&Value| answer["outcome"] == "allocated";
    assert!(more.iter().filter(allocated).count() >= 3);
    assert!(more.iter().any(|answer| answer["outcome"] == "gate-closed"));
    let names = [others[0].clone(), turned[0].clone()];
    (place, names)
}

/// Rows whose payload names one of the families.
fn named(rows: &[Entry], families: &[&str]) -> Vec<u64> {
    rows.iter()
        .filter(|row| {
            row.payload.as_ref().is_some_and(|payload| {
                families
                    .iter()
                    .any(|name| payload.contains(&format!("\"{name}\"")))
            })
        })
        .map(|row| row.sequence)
        .collect()
}

#[test]
fn both_programs_follow_linked_families_and_corrections() {
    let (place, _) = troubled();
    both_accept(&place);
    let rows = place.entries();
    let last = rows
        .iter()
        .rposition(|row| row.kind == "allocated")
        .unwrap();
    let copy = Copied::of(&place);
    let mut forged = rows.clone();
    let arm = if rows[last].public.contains("standard") {
        ("standard", "iuh")
    } else {
        ("iuh", "standard")
    };
    forged[last].public = put(
        &rows[last].public,
        &format!("\"arm\":\"{}\"", arm.0),
        &format!("\"arm\":\"{}\"", arm.1),
    );
    copy.forge(forged);
    assert_eq!(copy.both_reject("an arm", true), Some(last as u64 + 1));
}

/// The erasure of one family under both its names, written by hand as docs/ledger-spec.md says.
#[test]
fn both_programs_accept_the_erasure_of_a_family_under_all_its_names_and_no_other() {
    let (place, names) = troubled();
    let rows = place.entries();
    let own = named(&rows, &[&names[0], &names[1]]);
    assert!(
        own.len() >= 5,
        "screened, allocated, turned away, linked, returned: {own:?}"
    );
    let erased = |gone: &[u64], said: &[u64]| {
        let mut forged = rows.clone();
        for sequence in gone {
            let row = &mut forged[*sequence as usize - 1];
            (row.payload, row.salt) = (None, None);
        }
        let mut last = rows[rows.len() - 1].clone();
        last.kind = "erased".into();
        last.actor = "lead".into();
        last.public = json!({ "reason": "retention", "sequences": said }).to_string();
        last.payload = Some("{}".into());
        forged.push(last);
        let copy = Copied::of(&place);
        copy.forge(forged);
        copy
    };
    let copy = erased(&own, &own);
    copy.both_accept_copy();
    for (number, sequence) in own.iter().enumerate() {
        let said: Vec<u64> = own.iter().copied().filter(|one| one != sequence).collect();
        if number < 2 {
            assert_eq!(
                erased(&own, &said).both_reject("not named", true),
                Some(*sequence)
            );
        }
    }
    let other = rows
        .iter()
        .find(|row| row.kind == "closed")
        .unwrap()
        .sequence;
    let mut said: Vec<u64> = own.iter().copied().chain([other]).collect();
    said.sort_unstable();
    assert_eq!(
        erased(&own, &said).both_reject("not erased", true),
        Some(rows.len() as u64 + 1)
    );
}

/// Records a row about families on the day of the study's opening, by the study lead.
fn by_lead(place: &Place, words: &str) -> Value {
    place
        .act_as("lead", &format!("record {words} --on 2025-03-03"))
        .json(0)
}

fn erase(place: &Place, name: &str) {
    let confirm = place.confirm().to_owned();
    place
        .act_as(
            "lead",
            &format!("erase --family {name} --reason request --confirm {confirm}"),
        )
        .json(0);
}

/// KATL is drawn in rows 2 and 3; row 4 says that MORU is it, and a correction that it is not. What was recorded under the name
/// MORU before it was screened, the correction itself or a report, is then the first row of MORU: the link goes with KATL, whose
/// erasure is the first.
#[test]
fn a_family_whose_name_came_from_a_link_that_is_gone_is_erased_too() {
    for early in ["", "report --family MORU --event-key R0"] {
        let place = Place::open(IUH);
        place.enrol("KATL", "R1", "").json(0);
        by_lead(
            &place,
            "linked --family KATL --set other=MORU --event-key l1",
        );
        if !early.is_empty() {
            place
                .act(&format!("record {early} --on 2025-03-03"))
                .json(0);
        }
        by_lead(
            &place,
            "corrected --family MORU --set sequence=4 --set reason=mistaken --event-key k1",
        );
        assert_eq!(
            place.enrol("MORU", "R1", "").json(0)["outcome"],
            "allocated"
        );
        both_accept(&place);
        erase(&place, "KATL");
        both_accept(&place);
        erase(&place, "MORU");
        both_accept(&place);
        let rows = place.entries();
        let erased: Value = serde_json::from_str(&rows[rows.len() - 1].public).unwrap();
        assert_eq!(
            erased["sequences"][0], 5,
            "the correction or the report: {erased}"
        );
        // Before anything was lost, such a row begins no family.
        let copy = Copied::of(&place);
        let mut forged = rows.clone();
        let place_of = |kind: &str| rows.iter().position(|row| row.kind == kind).unwrap();
        let (first, last) = (place_of("erased"), rows.len() - 1);
        let public = (forged[first].public.clone(), forged[last].public.clone());
        (forged[first].public, forged[last].public) = (public.1, public.0);
        copy.forge(forged);
        assert_eq!(copy.both_reject("the order", true), Some(first as u64 + 1));
    }
}

/// KATL is drawn, MORU is not eligible; GONE is a name that hangs between them, in either order. MORU is answered with KATL's
/// arm. Then GONE proves not to be KATL: what was answered stays, and MORU has a draw of its own when it is enrolled again.
#[test]
fn a_name_that_hung_on_a_link_that_is_taken_back_keeps_what_it_was_answered() {
    let links = [
        "linked --family KATL --set other=GONE --event-key l1",
        "linked --family GONE --set other=MORU --event-key l2",
        "linked --family SILL --set other=MORU --event-key l3",
    ];
    for (order, wrong) in [([0, 1, 2], 5), ([1, 0, 2], 6), ([2, 1, 0], 7)] {
        let place = Place::open(IUH);
        place.enrol("KATL", "R1", "").json(0);
        let words = Place::enrol_words("skarpnack", "MORU", "R1");
        let words = words.replace("immediate-placement=no", "immediate-placement=yes");
        place.act(&words).json(20);
        for link in order {
            by_lead(&place, links[link]);
        }
        let first = place.enrol("SILL", "R2", "").json(0);
        assert_eq!(
            (&first["outcome"], &first["allocation"]),
            (&json!("returned"), &json!(1))
        );
        by_lead(
            &place,
            &format!(
                "corrected --family KATL --set sequence={wrong} --set reason=mistaken --event-key k1"
            ),
        );
        both_accept(&place);
        let second = place.enrol("MORU", "R3", "").json(0);
        assert_eq!(
            (&second["outcome"], &second["allocation"]),
            (&json!("allocated"), &json!(2))
        );
        let third = place.enrol("SILL", "R4", "").json(0);
        assert_eq!(
            (&third["outcome"], &third["arm"]),
            (&json!("returned"), &second["arm"])
        );
        assert_eq!(place.enrol("KATL", "R2", "").json(0)["allocation"], 1);
        both_accept(&place);
    }
}

/// MORU and KATL are screened and not eligible (rows 2, 3) and linked (row 4); one is drawn under either name (rows 5, 6). Once
/// the link is taken back the draw is that name's, with its number and arm, and the other family was never drawn: it is drawn by
/// itself, as number 2, and the link cannot be used to draw the first one again.
#[test]
fn a_wrong_link_of_two_families_that_were_not_drawn_is_taken_back_after_a_draw() {
    for (drawn, other) in [("MORU", "KATL"), ("KATL", "MORU")] {
        let place = Place::open(IUH);
        for family in ["MORU", "KATL"] {
            let words = Place::enrol_words("skarpnack", family, "R1");
            let words = words.replace("immediate-placement=no", "immediate-placement=yes");
            place.act(&words).json(20);
        }
        by_lead(
            &place,
            "linked --family MORU --set other=KATL --event-key l1",
        );
        let first = place.enrol(drawn, "R2", "").json(0);
        assert_eq!(first["outcome"], "allocated");
        // Service under the name that was drawn moves no slot of the other.
        let closed = format!("record closed --family {drawn} --event-key c1 --on 2025-03-03");
        place.act(&closed).json(0);
        let receipt = by_lead(
            &place,
            "corrected --family MORU --set sequence=4 --set reason=mistaken --event-key k1",
        );
        assert_eq!(receipt["warnings"][0]["code"], "link-taken-back");
        both_accept(&place);
        let again = place.enrol(drawn, "R3", "").json(0);
        assert_eq!(
            (&again["outcome"], &again["arm"], &again["allocation"]),
            (&json!("returned"), &first["arm"], &json!(1))
        );
        let second = place.enrol(other, "R3", "").json(0);
        assert_eq!(
            (&second["outcome"], &second["allocation"]),
            (&json!("allocated"), &json!(2))
        );
        assert_eq!(
            place.enrol(other, "R3", "").json(0)["replayed"],
            json!(true)
        );
        both_accept(&place);
        let status = place.run("status --study study").json(0);
        assert_eq!(
            (&status["randomized"], &status["linked"]),
            (&json!(2), &json!(0))
        );
    }
}

/// A report stands under a name that only a link gave, which was then taken back and erased (rows 4, 7 and 8). Whichever row after
/// the report is changed in the file, its hash left as it is, that row is the first bad one: the rows after it still say that
/// the link is gone, so nobody can tell whether the report was of a known family.
#[test]
fn a_row_under_a_name_of_a_lost_link_is_not_blamed_for_a_change_after_it() {
    let place = Place::open(IUH);
    place.enrol("FA-AA", "R1", "").json(0);
    by_lead(
        &place,
        "linked --family FA-AA --set other=FA-CA --event-key l1",
    );
    place
        .act("record report --family FA-CA --on 2025-03-03 --event-key R2 --set reporter=school")
        .json(0);
    by_lead(
        &place,
        "capacity-changed --site skarpnack --event-key cap-1 --set therapists=3",
    );
    by_lead(
        &place,
        "corrected --family FA-AA --set sequence=4 --set reason=mistyped --event-key k1",
    );
    erase(&place, "FA-AA");
    both_accept(&place);
    let kinds: Vec<String> = place.entries().into_iter().map(|own| own.kind).collect();
    let after = ["capacity-changed", "corrected", "erased"];
    assert_eq!(
        (kinds[4].as_str(), &kinds[5..]),
        ("reported", &after.map(str::to_owned)[..])
    );
    let study = place.path("study");
    let connection = Connection::open(study.join("ledger.sqlite")).unwrap();
    let set = |sequence: u64, actor: &str| {
        let changed = connection.execute(
            "UPDATE event SET actor = ?1 WHERE sequence = ?2",
            (actor, sequence as i64),
        );
        assert_eq!(changed.unwrap(), 1);
    };
    for sequence in 6..=8 {
        let actor = place.entries()[sequence as usize - 1].actor.clone();
        set(sequence, "somebody");
        for (code, answer) in [own(&study, &[]), independent(&study, &[])] {
            assert_eq!(
                (code, &answer["first_bad"]),
                (8, &json!(sequence)),
                "{answer}"
            );
        }
        set(sequence, &actor);
    }
    both_accept(&place);
}

/// EE and DD are drawn (rows 2 to 5). A link says that AA is DD (row 6), so AA is answered with DD's arm (row 7); the link proves
/// wrong (row 8), and AA is drawn (rows 10 and 11, after its report). Then EE, DD and AA are found to be one, and are erased together, by one
/// row each. The link that was taken back went with DD, whose row need not come first.
fn three_found_to_be_one() -> Place {
    let place = Place::open(IUH);
    for name in ["EE", "DD"] {
        assert_eq!(place.enrol(name, "R1", "").json(0)["outcome"], "allocated");
    }
    let wrong = by_lead(&place, "linked --family DD --set other=AA --event-key l1");
    assert_eq!(place.enrol("AA", "R2", "").json(0)["outcome"], "returned");
    let back = format!(
        "corrected --family DD --set sequence={} --set reason=mistaken --event-key k1",
        wrong["sequence"]
    );
    by_lead(&place, &back);
    assert_eq!(place.enrol("AA", "R3", "").json(0)["outcome"], "allocated");
    by_lead(&place, "linked --family EE --set other=AA --event-key l2");
    by_lead(&place, "linked --family EE --set other=DD --event-key l3");
    both_accept(&place);
    place
}

#[test]
fn families_that_are_erased_together_are_accepted_in_whatever_order_a_lost_link_went() {
    let place = three_found_to_be_one();
    let before = place.entries().len();
    erase(&place, "EE");
    both_accept(&place);
    let rows = place.entries();
    let erased = || rows.iter().filter(|row| row.kind == "erased");
    assert_eq!((erased().count(), rows.len()), (3, before + 3));
    let firsts: Vec<String> = erased()
        .map(|row| {
            let public: Value = serde_json::from_str(&row.public).unwrap();
            let first = public["sequences"][0].as_u64().unwrap();
            rows[first as usize - 1].kind.clone()
        })
        .collect();
    assert_eq!(firsts.iter().filter(|kind| *kind == "screened").count(), 2);
    assert!(firsts.contains(&"returned".to_owned()), "{firsts:?}");
    // A later erasure of another command lends its link to none before it.
    let copy = Copied::of(&place);
    let mut forged = rows.clone();
    let odd = firsts.iter().position(|kind| kind == "returned").unwrap();
    let of_link = (0..3)
        .find(|own| {
            let public: Value = serde_json::from_str(&rows[before + own].public).unwrap();
            public["sequences"].as_array().unwrap().contains(&json!(6))
        })
        .unwrap();
    forged.swap(before + odd, before);
    let last = if of_link == 0 { odd } else { of_link };
    forged.swap(before + last, before + 2);
    let late = forged.len() - 1;
    forged[late].time = forged[late].time.replace(".000000Z", ".000001Z");
    copy.forge(forged);
    assert_eq!(
        copy.both_reject("a link of another command", true),
        Some(before as u64 + 1)
    );
}

/// A small generator of choices; nothing of a study depends on it but what is done.
fn choose(state: &mut u64, most: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % most
}

/// Enrolments, links, corrections, service and erasures at random among five names and four children: whatever was accepted verifies
/// in both programs, and no erasure is refused.
#[test]
fn whatever_is_linked_parted_and_erased_verifies() {
    const NAMES: [&str; 5] = ["AA", "BB", "CC", "DD", "EE"];
    const CHILDREN: [&str; 4] = ["KA", "KB", "KC", "KD"];
    let roomy = IUH.replace("therapists = 2", "therapists = 50");
    for run in 1..=4_u64 {
        let place = Place::open(&roomy);
        let mut state = run;
        let mut recorded: Vec<(String, Value)> = Vec::new();
        for step in 0..45 {
            let mut one = |of: &[&'static str]| of[choose(&mut state, of.len())];
            let (family, other) = (one(&NAMES), one(&NAMES));
            let (child, second) = (one(&CHILDREN), one(&CHILDREN));
            let what = choose(&mut state, 20);
            let ran = match what {
                0..=7 => {
                    let child = if what < 3 { format!("--child {child}") } else { String::new() };
                    place.enrol(family, &format!("R{step}"), &child)
                }
                8..=11 => place.act_as("lead", &format!(
                    "record linked --family {family} --set other={other} --on 2025-03-03 --event-key k{step}"
                )),
                12 => place.act_as("lead", &format!(
                    "record linked --family {family} --child {child} --set other_child={second} --on 2025-03-03 --event-key k{step}"
                )),
                13..=16 if !recorded.is_empty() => {
                    let (family, sequence) = &recorded[choose(&mut state, recorded.len())];
                    place.act_as("lead", &format!(
                        "record corrected --family {family} --set sequence={sequence} --set reason=wrong --on 2025-03-03 --event-key k{step}"
                    ))
                }
                17 | 18 => {
                    let kind = ["withdrawn", "home-visit"][choose(&mut state, 2)];
                    place.act(&format!("record {kind} --family {family} --on 2025-03-03 --event-key k{step}"))
                }
                _ => {
                    let confirm = place.confirm().to_owned();
                    let ran = place.act_as("lead", &format!(
                        "erase --family {family} --reason request --confirm {confirm}"
                    ));
                    assert!(!ran.err.contains("[erasure-un"), "run {run}, step {step}: {}", ran.err);
                    if ran.code == 0 {
                        both_accept(&place);
                    }
                    continue;
                }
            };
            assert!(
                [0, 4, 6, 7].contains(&ran.code),
                "run {run}, step {step}: {}",
                ran.err
            );
            if ran.code == 0 && what >= 8 {
                recorded.push((family.to_owned(), ran.json(0)["sequence"].clone()));
            }
        }
        both_accept(&place);
    }
}
