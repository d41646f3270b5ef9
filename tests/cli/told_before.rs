//! What intake was told before and is told otherwise now: through a link, because one is gone, and after the other family's
//! erasure. No answer changes its arm in silence.

use super::place::{IUH, Place, family};
use super::verifier::both_accept;
use serde_json::{Value, json};

/// Records a row about families by the study lead.
fn by_lead(place: &Place, words: &str) -> Value {
    let words = format!("record {words} --on 2025-03-03");
    place.act_as("lead", &words).json(0)
}

fn link(place: &Place, one: &str, other: &str, key: &str) -> Value {
    let words = format!("linked --family {one} --set other={other} --event-key {key}");
    by_lead(place, &words)["sequence"].clone()
}

fn take_back(place: &Place, sequence: &Value, family: &str) {
    by_lead(
        place,
        &format!(
            "corrected --family {family} --set sequence={sequence} --set reason=wrong --event-key b{sequence}"
        ),
    );
}

/// Gives the receipt.
fn erase(place: &Place, name: &str) -> Value {
    let confirm = place.confirm().to_owned();
    let words = format!("erase --family {name} --reason request --confirm {confirm}");
    place.act_as("lead", &words).json(0)
}

/// The codes of an answer's warnings.
fn codes(answer: &Value) -> Vec<&str> {
    let warnings = answer["warnings"].as_array();
    let codes = warnings.into_iter().flatten();
    codes.filter_map(|own| own["code"].as_str()).collect()
}

/// The message of the only warning, which has a code.
fn only<'a>(answer: &'a Value, code: &str) -> &'a str {
    assert_eq!(codes(answer), [code], "{answer}");
    answer["warnings"][0]["message"].as_str().unwrap()
}

/// An answer that tells the draw of another one.
#[track_caller]
fn tells(answer: &Value, draw: &Value) {
    assert_eq!(
        (&answer["arm"], &answer["allocation"]),
        (&draw["arm"], &draw["allocation"]),
        "{answer}"
    );
}

/// Two families with different arms, the first one drawn first, and what they were answered.
fn two_arms(place: &Place) -> [(String, Value); 2] {
    // The arms never differ by more than four, so that six families have both.
    let drawn: Vec<(String, Value)> = (0..6)
        .map(family)
        .map(|name| {
            let answer = place.enrol(&name, "R1", "").json(0);
            (name, answer)
        })
        .collect();
    let other = drawn.iter().find(|own| own.1["arm"] != drawn[0].1["arm"]);
    [drawn[0].clone(), other.unwrap().clone()]
}

/// MORU is another name of the later drawn family; its first report is `returned` with that arm, its second `joined`. Then the
/// later family is found to be the earlier one, and then not.
#[test]
fn an_answer_that_a_link_or_its_end_changed_says_so_whatever_it_was_first() {
    let place = Place::open(IUH);
    let [(early, first), (late, second)] = two_arms(&place);
    link(&place, &late, "MORU", "l1");
    let reports = [("R1", "", "returned"), ("R2", "--child KLIN", "joined")];
    for (key, more, outcome) in reports {
        let told = place.enrol("MORU", key, more).json(0);
        assert_eq!(told["outcome"], outcome);
        // The other families were drawn with R1, too.
        let own: &[&str] = if key == "R1" { &["drawn-before"] } else { &[] };
        assert_eq!(codes(&told), own, "{told}");
        tells(&told, &second);
    }
    let wrong = link(&place, &early, &late, "l2");
    for (key, more, outcome) in reports {
        let again = place.unchanged(|| place.enrol("MORU", key, more)).json(0);
        assert_eq!(
            (&again["outcome"], &again["replayed"]),
            (&json!(outcome), &json!(true))
        );
        tells(&again, &first);
        assert!(only(&again, "families-linked").contains(&early), "{again}");
    }
    // A new report under either name of the later draw, and none under the earlier one.
    for name in ["MORU", &late] {
        let new = place.enrol(name, "R5", "").json(0);
        tells(&new, &first);
        assert!(only(&new, "families-linked").contains(&early), "{new}");
        let repeated = place.enrol(name, "R5", "").json(0);
        assert_eq!(
            (&repeated["replayed"], codes(&repeated)),
            (&json!(true), vec![])
        );
    }
    let own = place.enrol(&early, "R5", "").json(0);
    assert_eq!((&own["outcome"], codes(&own)), (&json!("returned"), vec![]));
    both_accept(&place);
    take_back(&place, &wrong, &early);
    // What was answered before the link holds again; what was answered under it does not.
    for (key, more, _) in reports {
        let again = place.enrol("MORU", key, more).json(0);
        tells(&again, &second);
        assert_eq!(codes(&again), Vec::<&str>::new(), "{again}");
    }
    for name in ["MORU", &late] {
        let again = place.enrol(name, "R5", "").json(0);
        tells(&again, &second);
        assert!(only(&again, "answered-under-a-link").contains(&early));
        let new = place.enrol(name, "R6", "").json(0);
        tells(&new, &second);
        let told = only(&new, "answered-under-a-link");
        assert!(told.starts_with("an earlier report") && told.contains(&early));
        let after = place.enrol(name, "R7", "").json(0);
        assert_eq!(codes(&after), Vec::<&str>::new(), "{after}");
    }
    both_accept(&place);
    // The name of the other family goes with its erasure, and the warning stays.
    erase(&place, &early);
    both_accept(&place);
    for name in ["MORU", &late] {
        let again = place.enrol(name, "R5", "").json(0);
        tells(&again, &second);
        let told = only(&again, "answered-under-a-link");
        assert!(told.contains("may have been answered") && told.contains("erased since"));
        assert!(!told.contains(&early) && !told.contains('~'), "{told}");
    }
    let after = place.enrol("MORU", "R1", "").json(0);
    assert_eq!(codes(&after), Vec::<&str>::new(), "{after}");
}

/// MORU was answered as KATL under a wrong link. It has no draw of its own; its next answer says what the first one was,
/// whatever comes of it: a draw, a screening without one, another family's draw.
#[test]
fn a_family_that_was_answered_as_another_one_hears_of_it_with_its_next_answer() {
    for erased in [false, true] {
        let place = Place::open(IUH);
        let first = place.enrol("KATL", "R1", "").json(0);
        place.enrol("SILL", "R1", "").json(0);
        for name in ["MORU", "VALL", "TORP"] {
            let wrong = link(&place, "KATL", name, &format!("l-{name}"));
            let told = place.enrol(name, "R1", "").json(0);
            assert_eq!(told["outcome"], "returned");
            tells(&told, &first);
            take_back(&place, &wrong, "KATL");
        }
        if erased {
            erase(&place, "KATL");
        }
        both_accept(&place);
        let said = |answer: &Value, what: &str| {
            let warnings = answer["warnings"].as_array().unwrap();
            let own = warnings
                .iter()
                .find(|own| own["code"] == "answered-under-a-link");
            let message = own.unwrap()["message"].as_str().unwrap();
            assert!(message.starts_with(what), "{message}");
            let whose = if erased {
                "a family that has been erased since"
            } else {
                "KATL"
            };
            assert!(message.contains(whose), "{message}");
        };
        // The same request is decided anew, and a new report is an answer of its own.
        let same = place.enrol("MORU", "R1", "").json(0);
        assert_eq!(
            (&same["outcome"], &same["replayed"]),
            (&json!("allocated"), &json!(false))
        );
        said(&same, "this request was answered");
        let again = place.enrol("MORU", "R1", "").json(0);
        assert_eq!((&again["replayed"], codes(&again)), (&json!(true), vec![]));
        let words = Place::enrol_words("skarpnack", "VALL", "R2");
        let words = words.replace("immediate-placement=no", "immediate-placement=yes");
        let missed = place.act(&words).json(20);
        said(&missed, "an earlier report was answered");
        // Found to be a third family, under which its own name stands for that one.
        link(&place, "SILL", "TORP", "l4");
        let third = place.enrol("TORP", "R2", "").json(0);
        assert_eq!(third["outcome"], "returned");
        said(&third, "an earlier report");
        both_accept(&place);
    }
}

/// MORU was answered as KATL through BASI, which both were linked to by mistake; BASI is erased and KATL stays. What MORU was
/// told is no more known, and its next answer says so: a draw, the repeated request, its own earlier draw.
#[test]
fn an_answer_through_a_family_that_was_erased_since_is_told_of() {
    for (drawn, again) in [(false, true), (false, false), (true, true), (true, false)] {
        let place = Place::open(IUH);
        let first = place.enrol("KATL", "R1", "").json(0);
        let own = drawn.then(|| place.enrol("MORU", "R1", "").json(0));
        let one = link(&place, "KATL", "BASI", "l1");
        let two = link(&place, "BASI", "MORU", "l2");
        let told = place.enrol("MORU", "R2", "").json(0);
        assert_eq!(told["outcome"], "returned");
        tells(&told, &first);
        take_back(&place, &two, "MORU");
        take_back(&place, &one, "KATL");
        erase(&place, "BASI");
        both_accept(&place);
        let key = if again { "R2" } else { "R3" };
        let next = place.enrol("MORU", key, "").json(0);
        match &own {
            Some(own) => tells(&next, own),
            None => assert_eq!(next["outcome"], "allocated"),
        }
        let said = only(&next, "answered-under-a-link");
        let answered = if drawn { "may have been" } else { "was" };
        let what = if again {
            "this request"
        } else {
            "an earlier report"
        };
        let begins = format!("{what} {answered} answered before");
        assert!(said.starts_with(&begins), "{said}");
        assert!(said.contains("of another family than MORU") && !said.contains("KATL"));
        // A request that is repeated is no new report, so that the next one may say it once more.
        place.enrol("MORU", "R4", "").json(0);
        let after = place.enrol("MORU", "R5", "").json(0);
        assert_eq!(codes(&after), Vec::<&str>::new(), "{after}");
        let earlier = place.enrol("KATL", "R7", "").json(0);
        tells(&earlier, &first);
        assert_eq!(codes(&earlier), Vec::<&str>::new(), "{earlier}");
        both_accept(&place);
    }
}

/// A request id is bound to its content also where the answer was given under a link that is gone.
#[test]
fn a_request_of_a_lost_link_is_not_used_for_another_one() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let wrong = link(&place, "KATL", "MORU", "l1");
    let first = place.enrol("MORU", "R1", "--request-id Q1").json(0);
    assert_eq!(first["outcome"], "returned");
    take_back(&place, &wrong, "KATL");
    place
        .unchanged(|| place.enrol("SILL", "R1", "--request-id Q1"))
        .refused(6, "request-reused");
    let words = Place::enrol_words("skarpnack", "MORU", "R1 --request-id Q1");
    let words = words.replace("earlier_reports=3", "earlier_reports=4");
    place
        .unchanged(|| place.act(&words))
        .refused(6, "request-reused");
    let other = place.enrol("SILL", "R9", "--request-id Q2").json(0);
    assert_eq!(
        (&other["outcome"], codes(&other)),
        (&json!("allocated"), vec![])
    );
    let anew = place.enrol("MORU", "R1", "--request-id Q1").json(0);
    assert_eq!(anew["outcome"], "allocated");
    // The report is that of KATL by its key and day, too.
    assert_eq!(codes(&anew), ["answered-under-a-link", "drawn-before"]);
    let told = anew["warnings"][0]["message"].as_str().unwrap();
    assert!(told.contains("KATL"), "{told}");
    both_accept(&place);
}

/// A family was taken out by an exception, and is found to be one that is drawn: the exception is repeated as it was, with a word;
/// its next report is answered with the arm; it is one family to the data.
#[test]
fn an_exception_of_a_family_that_is_drawn_now_says_so() {
    let place = Place::open(IUH);
    let first = place.enrol("KATL", "R1", "").json(0);
    let taken = place
        .enrol("MORU", "R1", "--exception court-order")
        .json(22);
    // By its key and day the report is that of KATL.
    assert_eq!(codes(&taken), ["drawn-before"], "{taken}");
    let right = link(&place, "KATL", "MORU", "l1");
    let again = place
        .unchanged(|| place.enrol("MORU", "R1", "--exception court-order"))
        .json(22);
    assert_eq!(
        (&again["outcome"], &again["arm"]),
        (&json!("exception"), &Value::Null)
    );
    assert!(only(&again, "drawn-since").contains("KATL"), "{again}");
    let next = place.enrol("MORU", "R2", "").json(0);
    assert_eq!(
        (&next["outcome"], codes(&next)),
        (&json!("returned"), vec![])
    );
    tells(&next, &first);
    let late = place.enrol("MORU", "R3", "--exception court-order").json(0);
    tells(&late, &first);
    assert_eq!(codes(&late), ["exception-after-draw"], "{late}");
    let status = place.run("status --study study").json(0);
    assert_eq!(
        (&status["randomized"], &status["linked"]),
        (&json!(1), &json!(0)),
        "{status}"
    );
    both_accept(&place);
    take_back(&place, &right, "KATL");
    let after = place
        .enrol("MORU", "R1", "--exception court-order")
        .json(22);
    assert_eq!(codes(&after), Vec::<&str>::new(), "{after}");
    // Drawn by itself later, alike.
    assert_eq!(
        place.enrol("MORU", "R4", "").json(0)["outcome"],
        "allocated"
    );
    let own = place
        .enrol("MORU", "R1", "--exception court-order")
        .json(22);
    assert!(only(&own, "drawn-since").contains("MORU"), "{own}");
    both_accept(&place);
}

/// MORU was linked to two drawn families at once and told the arm of the earlier one, whose erasure took the row of that link.
/// The row of the other link is there, and is no proof that its family's arm was told: MORU hears of it when it is found to be
/// that family after all. The receipt of the erasure says that an answer cannot be traced any more, and of one without such a
/// link that none is lost.
#[test]
fn a_link_that_can_be_read_does_not_hide_one_that_was_erased() {
    let place = Place::open(IUH);
    let [(early, first), (late, second)] = two_arms(&place);
    let shown = link(&place, &late, "MORU", "l1");
    let lost = link(&place, &early, "MORU", "l2");
    tells(&place.enrol("MORU", "R1", "").json(0), &first);
    take_back(&place, &lost, "MORU");
    take_back(&place, &shown, "MORU");
    let (confirm, words) = (
        place.confirm().to_owned(),
        "--lang sv erase --reason request",
    );
    let words_of_it = format!("{words} --family {early} --confirm {confirm}");
    // Said beforehand alike, with nothing erased.
    let dry = place.unchanged(|| place.act_as("lead", &format!("{words_of_it} --dry-run")));
    let dry = dry.json(0);
    let erased = place.act_as("lead", &words_of_it);
    let erased = erased.json(0);
    assert_eq!(erased["untraceable_answers"], 1, "{erased}");
    // The families are drawn, and the end of their service is not recorded.
    let stays = "slot-may-stay-taken";
    assert_eq!(
        codes(&erased),
        ["name-forgotten", "untraceable-answers", stays]
    );
    assert_eq!(dry["warnings"], erased["warnings"]);
    let message = erased["warnings"][1]["message"].as_str().unwrap();
    assert!(message.contains("kan 1 inte spåras till en lott"));
    assert!(!message.contains("MORU") && !message.contains(&early));
    both_accept(&place);
    link(&place, &late, "MORU", "l3");
    for key in ["R1", "R2"] {
        let again = place.enrol("MORU", key, "").json(0);
        tells(&again, &second);
        let told = only(&again, "answered-under-a-link");
        assert!(told.contains("may have been answered") && told.contains("erased since"));
    }
    let after = place.enrol("MORU", "R3", "").json(0);
    assert_eq!(codes(&after), Vec::<&str>::new(), "{after}");
    both_accept(&place);
    // Whoever was never linked loses nobody's answer, nor does an answer that was lost before count again.
    let other = (0..6)
        .map(family)
        .find(|name| *name != early && *name != late);
    let erased = erase(&place, &other.unwrap());
    assert_eq!(erased["untraceable_answers"], 0, "{erased}");
    assert_eq!(codes(&erased), ["name-forgotten", stays]);
}

/// The family that MORU was linked to had been found to be one with an earlier draw, whose arm MORU was told. The erasure takes both
/// draws, and parts them: that the link hung on the later one, drawn after MORU, is no proof that MORU was told its own arm.
#[test]
fn an_erasure_that_parts_two_draws_hides_no_answer() {
    for on_the_first in [false, true] {
        let place = Place::open(IUH);
        let [(early, first), (late, _)] = two_arms(&place);
        let own = place.enrol("MORU", "R1", "").json(0);
        let third = place.enrol("VALL", "R1", "").json(0);
        assert!(own["allocation"].as_u64() < third["allocation"].as_u64());
        let met = if on_the_first { early.as_str() } else { "VALL" };
        link(&place, &early, "VALL", "l1");
        let wrong = link(&place, met, "MORU", "l2");
        tells(&place.enrol("MORU", "R2", "").json(0), &first);
        take_back(&place, &wrong, "MORU");
        let erased = erase(&place, "VALL");
        assert_eq!(erased["untraceable_answers"], 1, "{erased}");
        both_accept(&place);
        for key in ["R2", "R3"] {
            let again = place.enrol("MORU", key, "").json(0);
            tells(&again, &own);
            assert!(only(&again, "answered-under-a-link").contains("may have been answered"));
        }
        // Who was drawn before any of them, or never asked meanwhile, hears of nothing.
        let other = place.enrol(&late, "R7", "").json(0);
        assert_eq!(codes(&other), Vec::<&str>::new(), "{other}");
        both_accept(&place);
    }
}
