//! What is undone: links that are taken back, erasures of families whose rows later rows mean, and what both programs, and the
//! commands that follow, say of it.

use super::place::{IUH, Place, family};
use super::verifier::{Copied, both_accept, put};
use serde_json::{Value, json};

/// Records a row about families by the study lead.
fn by_lead(place: &Place, words: &str) -> Value {
    let words = format!("record {words} --on 2025-03-03");
    place.act_as("lead", &words).json(0)
}

fn back(sequence: &Value, family: &str) -> String {
    format!(
        "record corrected --family {family} --on 2025-03-03 --set sequence={sequence} --set reason=wrong --event-key b{sequence}"
    )
}

fn erase(place: &Place, name: &str) {
    let confirm = place.confirm().to_owned();
    let words = format!("erase --family {name} --reason request --confirm {confirm}");
    place.act_as("lead", &words).json(0);
    both_accept(place);
    // The study goes on.
    assert_eq!(
        place.enrol("NEXT", "R1", "").json(0)["outcome"],
        "allocated"
    );
    both_accept(place);
}

fn not_eligible(place: &Place, family: &str, more: &str) {
    let words = Place::enrol_words("skarpnack", family, "R1");
    let words = words.replace("immediate-placement=no", "immediate-placement=yes");
    place.act(&format!("{words} {more}")).json(20);
}

/// The row that links two pseudonyms of a child is of GG, and only the erased rows of EE named the child: the study is read
/// without them, the child is one of GG.
#[test]
fn a_link_of_a_child_whom_an_erased_row_named_can_be_read() {
    let place = Place::open(IUH);
    place.enrol("EE", "R1", "--child EEK").json(0);
    let link = by_lead(&place, "linked --family EE --set other=GG --event-key l1");
    by_lead(
        &place,
        "linked --family GG --child EEK --set other_child=NEWK --event-key l2",
    );
    place.act_as("lead", &back(&link["sequence"], "EE")).json(0);
    both_accept(&place);
    erase(&place, "EE");
    let next = place.enrol("GG", "R1", "--child NEWK").json(0);
    assert_eq!(next["outcome"], "allocated");
    place
        .unchanged(|| place.enrol("HH", "R1", "--child EEK"))
        .refused(4, "child-of-another-family");
    both_accept(&place);
}

/// KK was first named by AA, which was not eligible, and moved to BB under another pseudonym; then AA is erased.
#[test]
fn a_child_who_moved_under_another_pseudonym_stays_with_its_family() {
    let place = Place::open(IUH);
    not_eligible(&place, "AA", "--child KK");
    by_lead(
        &place,
        "linked --family AA --child KK --set other_child=KKB --event-key l1",
    );
    place.enrol("BB", "R1", "--child KKB").json(0);
    by_lead(
        &place,
        "linked --family BB --child KK --set other_child=KKC --event-key l2",
    );
    both_accept(&place);
    erase(&place, "AA");
    place
        .unchanged(|| place.enrol("HH", "R1", "--child KKC"))
        .refused(4, "child-of-another-family");
    both_accept(&place);
}

/// While a link holds that proves wrong, a child joins that the other family is called by: an honest study. After the link is
/// taken back the same row would be a finding, and the command is refused.
#[test]
fn a_child_who_joined_while_a_wrong_link_held_is_no_finding() {
    for third in [false, true] {
        let place = Place::open(IUH);
        place.enrol("EE", "R1", "--child EEK").json(0);
        let mut child = "EE";
        if third {
            by_lead(&place, "linked --family EE --set other=BB --event-key l0");
            child = "BB";
        }
        let link = by_lead(&place, "linked --family EE --set other=GG --event-key l1");
        let joined = place.enrol("GG", "R1", &format!("--child {child}")).json(0);
        assert_eq!(joined["outcome"], "joined");
        both_accept(&place);
        place.act_as("lead", &back(&link["sequence"], "EE")).json(0);
        both_accept(&place);
        place
            .unchanged(|| place.enrol("HH", "R1", &format!("--child {child}")))
            .refused(4, "child-of-another-family");
    }
}

/// An event that was taken back is answered as one that says nothing, and is recorded anew under another key.
#[test]
fn the_receipt_of_an_event_that_was_taken_back_says_so() {
    let place = Place::open(IUH);
    place.enrol("EE", "R1", "").json(0);
    let events = [
        "linked --family EE --set other=GG --event-key KEY",
        "closed --family EE --event-key KEY",
        "withdrawn --family EE --event-key KEY",
    ];
    for words in events {
        let first = by_lead(&place, words);
        place
            .act_as("lead", &back(&first["sequence"], "EE"))
            .json(0);
        let again = by_lead(&place, words);
        assert_eq!(again["replayed"], true);
        assert_eq!(again["sequence"], first["sequence"]);
        let told = &again["warnings"][0];
        assert_eq!(told["code"], "retracted", "{again}");
        let number = first["sequence"].as_u64().unwrap() + 1;
        let message = told["message"].as_str().unwrap();
        assert!(message.contains(&format!("event {number} ")), "{message}");
        let anew = by_lead(&place, &words.replace("KEY", "KEY2"));
        assert_eq!(anew["replayed"], false);
    }
    both_accept(&place);
}

/// A file that brings such an event once more is answered alike, in earnest and as a dry run.
#[test]
fn an_import_of_an_event_that_was_taken_back_says_so() {
    let place = Place::open(IUH);
    for name in ["EE", "GG"] {
        place.enrol(name, "R1", "").json(0);
    }
    let first = by_lead(&place, "closed --family EE --event-key KEY");
    place
        .act_as("lead", &back(&first["sequence"], "EE"))
        .json(0);
    let repeated = by_lead(&place, "closed --family EE --event-key KEY");
    let rows = "EE,2025-03-03,KEY\nGG,2025-03-03,OTHER\n";
    place.write("closed.csv", format!("family,on,event_key\n{rows}"));
    for (more, recorded) in [(" --dry-run", 0), ("", 1), ("", 0)] {
        let told = place
            .act(&format!("import closed closed.csv{more}"))
            .json(0);
        assert_eq!(told["recorded"], recorded, "{told}");
        let warnings = told["warnings"].as_array().unwrap();
        let taken_back: Vec<&Value> = warnings
            .iter()
            .filter(|own| own["code"] == "retracted")
            .collect();
        assert_eq!(taken_back, [&repeated["warnings"][0]]);
    }
}

/// A closure under the other name keeps the link, whatever arm the family has: two families of either arm are refused alike, in
/// earnest and as a dry run.
#[test]
fn whether_a_link_is_taken_back_tells_no_arm() {
    let place = Place::open(IUH);
    let mut arms = Vec::new();
    // Within the bound of the big stick, four families of one arm at most come before one of the other, and six slots are free.
    for number in 0..5 {
        let name = family(number);
        let drawn = place.enrol(&name, "R1", "").json(0);
        if arms.contains(&drawn["arm"]) {
            continue;
        }
        arms.push(drawn["arm"].clone());
        let other = format!("{name}-II");
        let link = by_lead(
            &place,
            &format!("linked --family {name} --set other={other} --event-key l{number}"),
        );
        by_lead(
            &place,
            &format!("closed --family {other} --event-key c{number}"),
        );
        let words = back(&link["sequence"], &name);
        let sequence = &link["sequence"];
        place.write(
            "back.csv",
            format!("family,on,event_key,sequence,reason\n{name},2025-03-03,b{number},{sequence},mistake\n"),
        );
        let file = "import corrected back.csv".to_owned();
        for words in [
            format!("{words} --dry-run"),
            words,
            format!("{file} --dry-run"),
            file,
        ] {
            place
                .unchanged(|| place.act_as("lead", &words))
                .refused(7, "link-relied-on");
        }
    }
    assert_eq!(arms.len(), 2, "{}", json!(arms));
    both_accept(&place);
}

/// Two links are taken back and one stands. What was recorded of GG while it was one with EE is no finding, nor what the standing
/// name BB says; but a row of GG after its link is gone, or a correction across the two links that are gone, is one: families
/// are parted pair by pair.
#[test]
fn families_are_parted_pair_by_pair() {
    let place = Place::open(IUH);
    place.enrol("EE", "R1", "").json(0);
    place.enrol("CC", "R1", "").json(0);
    let visit = |family: &str, key: &str| format!("home-visit --family {family} --event-key {key}");
    by_lead(&place, "linked --family EE --set other=BB --event-key l0");
    let first = by_lead(&place, "linked --family EE --set other=GG --event-key l1");
    let second = by_lead(&place, "linked --family CC --set other=HH --event-key l2");
    by_lead(&place, &visit("GG", "v1"));
    let of_other = by_lead(&place, &visit("HH", "v2"));
    by_lead(&place, &visit("BB", "v3"));
    both_accept(&place);
    let early = place.entries().len();
    for (link, family) in [(&first, "EE"), (&second, "CC")] {
        place
            .act_as("lead", &back(&link["sequence"], family))
            .json(0);
    }
    by_lead(&place, &visit("BB", "v4"));
    both_accept(&place);
    place
        .unchanged(|| {
            place.act_as(
                "lead",
                &format!("record {} --on 2025-03-03", visit("GG", "v5")),
            )
        })
        .refused(4, "unknown-family");
    // GG was never drawn, and its link is gone: both programs name the row.
    let copy = Copied::of(&place);
    let mut forged = copy.entries();
    let at = forged
        .iter()
        .position(|own| {
            own.payload
                .as_ref()
                .is_some_and(|text| text.contains("\"v1\""))
        })
        .unwrap();
    let mut late = forged[at].clone();
    late.time.clone_from(&forged.last().unwrap().time);
    late.payload = late.payload.map(|text| put(&text, "v1", "v9"));
    forged.push(late);
    let last = forged.len() as u64;
    copy.forge(forged);
    assert_eq!(
        copy.both_reject("a visit after the link is gone", true),
        Some(last)
    );
    // While both links hold, a correction of HH's row by GG, which is one with EE alone.
    let copy = Copied::of(&place);
    let mut forged = copy.entries();
    let mut across = forged[early].clone();
    assert_eq!(across.kind, "corrected");
    let own = first["sequence"].to_string();
    across.public = put(&across.public, &own, &of_other["sequence"].to_string());
    across.payload = across
        .payload
        .map(|text| put(&text, "\"EE\"", "\"GG\"").replace(&format!("b{own}"), "b99"));
    across.public = across.public.replace(&format!("b{own}"), "b99");
    across.time.clone_from(&forged[early - 1].time);
    forged.insert(early, across);
    copy.forge(forged);
    assert_eq!(
        copy.both_reject("a correction across two pairs", true),
        Some(early as u64 + 1)
    );
}

/// A child has two pseudonyms, and the new one was typed first: the row names the known one as the child. Once both are known the
/// same command is still the same.
#[test]
fn a_link_of_two_pseudonyms_is_repeated_in_either_order() {
    let place = Place::open(IUH);
    place.enrol("EE", "R1", "--child KC").json(0);
    for (words, key) in [
        ("--child KF --set other_child=KC", "l1"),
        ("--child KC --set other_child=KE", "l2"),
    ] {
        let words = format!("linked --family EE {words} --event-key {key}");
        let first = by_lead(&place, &words);
        assert_eq!(first["replayed"], false);
        let again = place.unchanged(|| by_lead(&place, &words));
        assert_eq!(
            (&again["replayed"], &again["sequence"]),
            (&json!(true), &first["sequence"])
        );
    }
    // In a file alike.
    place.write(
        "links.csv",
        "family,child,on,event_key,other_child\nEE,KF,2025-03-03,l1,KC\nEE,KG,2025-03-03,l3,KC\n",
    );
    for new in [1, 0] {
        let told = place.act("import linked links.csv").json(0);
        assert_eq!(
            (&told["recorded"], &told["replayed_rows"]),
            (&json!(new), &json!(2 - new))
        );
    }
    // Another child under the key is another content.
    let other =
        "record linked --family EE --child KF --set other_child=KH --event-key l1 --on 2025-03-03";
    place
        .unchanged(|| place.act_as("lead", other))
        .refused(6, "key-reused");
    both_accept(&place);
}

/// A request was answered with the arm of another family, through a link that is taken back: repeated, it is answered with what
/// holds now, and says that the earlier receipt holds no more. So does the next report
/// of a family that was answered last under the link. One that rested on no such link is answered as ever.
#[test]
fn a_request_that_rested_on_a_link_that_is_gone_says_so_when_it_is_repeated() {
    let place = Place::open(IUH);
    // The arms differ by four at most, so that six families have both.
    let names: Vec<String> = (0..6).map(family).collect();
    let drawn: Vec<Value> = names
        .iter()
        .map(|name| place.enrol(name, "R1", "").json(0))
        .collect();
    let other = (1..6)
        .find(|own| drawn[*own]["arm"] != drawn[0]["arm"])
        .unwrap();
    let (first, second) = (&names[0], &names[other]);
    for (name, key, own) in [
        (second.as_str(), "l1", Some(&drawn[other])),
        ("MORU", "l2", None),
    ] {
        let link = by_lead(
            &place,
            &format!("linked --family {first} --set other={name} --event-key {key}"),
        );
        let answer = place.enrol(name, "R2", "").json(0);
        assert_eq!(
            (&answer["outcome"], &answer["arm"]),
            (&json!("returned"), &drawn[0]["arm"])
        );
        // It tells another draw than its own, once.
        let told = answer["warnings"].to_string();
        assert_eq!(told.contains("families-linked"), own.is_some(), "{answer}");
        let held = place.enrol(name, "R2", "").json(0);
        assert_eq!(
            (&held["replayed"], &held["arm"], held.get("warnings")),
            (&json!(true), &answer["arm"], None)
        );
        place
            .act_as("lead", &back(&link["sequence"], first))
            .json(0);
        let again = place.enrol(name, "R2", "").json(0);
        let told = &again["warnings"][0];
        assert_eq!(told["code"], "answered-under-a-link", "{again}");
        assert!(
            told["message"].as_str().unwrap().contains(first.as_str()),
            "{told}"
        );
        if let Some(own) = own {
            assert_eq!(again["replayed"], true);
            assert_eq!(
                (&again["arm"], &again["allocation"]),
                (&own["arm"], &own["allocation"])
            );
        } else {
            // It had no draw of its own: this is one, and its repetition has nothing more to say.
            assert_eq!(again["outcome"], "allocated");
            let after = place.enrol(name, "R2", "").json(0);
            assert_eq!(
                (&after["replayed"], &after["arm"]),
                (&json!(true), &again["arm"])
            );
            let codes = after["warnings"].to_string();
            assert!(!codes.contains("answered-under-a-link"), "{after}");
        }
        // The next report says it where the last one that is recorded was answered under the link, and says it once.
        let next = place.enrol(name, "R9", "").json(0);
        let told = next["warnings"].to_string();
        assert_eq!(
            told.contains("answered-under-a-link"),
            own.is_some(),
            "{next}"
        );
        let untouched = place.enrol(name, "R10", "").json(0);
        assert!(
            !untouched["warnings"]
                .to_string()
                .contains("answered-under-a-link")
        );
    }
    both_accept(&place);
}
