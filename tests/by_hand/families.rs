//! Families found to be one, children with another pseudonym, and corrections, on cases that fit on paper.

use crate::in_memory::{Room, eligible, event};
use lottning::app::{Failure, exit};
use lottning::protocol::model::{Day, Summary};
use lottning::study::dataset::{OutcomeValue, draws, outcome, units};
use lottning::study::flow::flow;
use lottning::study::kernel::{SiteIx, Status};
use lottning::study::recording::EventRequest;
use lottning::study::verify::verify;

const SCREENED: &str = "2025-03-03T09:00:00+01:00";
const NOW: &str = "2027-06-01T09:00:00+02:00";
const LATER: &str = "2027-06-02T09:00:00+02:00";
const LATE: &str = "2027-03-03";

/// Room for all: 20 therapists at each site.
fn open() -> Room {
    Room::open(&crate::made_up::IUH.replace("therapists = 2", "therapists = 20"))
}

/// Enrols at a time and gives outcome and arm.
fn enrol(
    room: &mut Room,
    at: &str,
    family: &str,
    key: &str,
    children: &[&str],
) -> Result<(&'static str, Option<String>), Failure> {
    let mut request = eligible("skarpnack", family, key);
    request.children = children.iter().map(|child| (*child).to_owned()).collect();
    room.enrol(at, &request)
        .map(|answer| (answer.outcome, answer.arm))
}

fn drawn(room: &mut Room, at: &str, family: &str, children: &[&str]) -> String {
    let (outcome, arm) = enrol(room, at, family, "R1", children).unwrap();
    assert_eq!(outcome, "allocated");
    arm.unwrap()
}

fn set(mut request: EventRequest, pairs: &[(&str, &str)]) -> EventRequest {
    for (key, value) in pairs {
        request.set.push(((*key).to_owned(), (*value).to_owned()));
    }
    request
}

fn link(
    room: &mut Room,
    at: &str,
    family: &str,
    other: &str,
) -> Result<Vec<&'static str>, Failure> {
    let key = format!("L-{family}-{other}-{}", &at[..10]);
    let request = set(
        event("linked", family, &at[..10], &key),
        &[("other", other)],
    );
    room.record(at, &request)
        .map(|receipt| receipt.warnings.iter().map(|own| own.code).collect())
}

fn reported(room: &mut Room, family: &str, on: &str, key: &str, child: Option<&str>) -> u64 {
    let mut request = event("report", family, on, key);
    request.child = child.map(str::to_owned);
    room.record(NOW, &request).unwrap().sequence
}

fn corrected(room: &mut Room, family: &str, sequence: u64) -> Result<(), Failure> {
    let sequence = sequence.to_string();
    let key = format!("K-{sequence}");
    let request = event("corrected", family, "2027-06-01", &key);
    let request = set(request, &[("sequence", &sequence), ("reason", "mistyped")]);
    room.record(NOW, &request).map(drop)
}

/// Reports (outcome 0 of the protocol) of a family at the late cut.
fn reports(room: &mut Room, family: &str) -> OutcomeValue {
    value(room, family, 0)
}

fn value(room: &mut Room, family: &str, place: usize) -> OutcomeValue {
    let protocol = room.protocol.clone();
    let ix = room.journal().names.family(family).unwrap();
    let cut = Day::of(LATE.parse().unwrap());
    outcome(&protocol, room.state(), cut, ix, place, Summary::Count)
}

fn rows(room: &mut Room) -> Vec<String> {
    let mut found = Vec::new();
    units(room.state(), Day::of(LATE.parse().unwrap()), &mut found);
    found
        .iter()
        .map(|unit| room.journal().names.family_name(unit.family).to_owned())
        .collect()
}

/// Two families are drawn, 4 and 6 March, and found to be one in June. Whichever is typed first, the draw of 4 March is
/// the unit: its window is 5 March 2025 to 4 March 2026. Reports: under KATL 1 May and 4 March 2026 (day 365); under
/// MORU 5 March 2026 (day 366 of the unit, day 364 of its own) and 1 June: three of four count for KATL.
#[test]
fn of_two_draws_the_earlier_one_is_the_unit_whatever_order_is_typed() {
    for (family, other) in [("KATL", "MORU"), ("MORU", "KATL")] {
        let mut room = open();
        let first = drawn(&mut room, "2025-03-04T09:00:00+01:00", "KATL", &["KATL-AA"]);
        let second = drawn(&mut room, "2025-03-06T09:00:00+01:00", "MORU", &["MORU-AA"]);
        let warned = link(&mut room, "2025-06-02T09:00:00+02:00", family, other).unwrap();
        let wanted: &[&str] = if first == second {
            &["link-recorded"]
        } else {
            &["linked-arms-differ", "link-recorded"]
        };
        assert_eq!(warned, wanted);
        for (family, on, key) in [
            ("KATL", "2025-05-01", "R2"),
            ("KATL", "2026-03-04", "R3"),
            ("MORU", "2026-03-05", "R4"),
            ("MORU", "2025-06-01", "R5"),
        ] {
            reported(&mut room, family, on, key, None);
        }
        assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(3.0));
        assert_eq!(rows(&mut room), ["KATL"]);
        // The sensitivity set has both draws: MORU's own window has both of its reports.
        let mut every = Vec::new();
        draws(room.state(), Day::of(LATE.parse().unwrap()), &mut every);
        assert_eq!(every.len(), 2);
        assert_eq!(
            every[1].family,
            room.journal().names.family("MORU").unwrap()
        );
        assert_eq!(reports(&mut room, "MORU"), OutcomeValue::Known(2.0));
        // Both names are answered with the unit's arm, and draw nothing.
        for name in ["KATL", "MORU"] {
            let again = enrol(&mut room, NOW, name, "R9", &["KATL-AA", "MORU-AA"]).unwrap();
            assert_eq!(again, ("returned", Some(first.clone())), "{name}");
        }
        let protocol = room.protocol.clone();
        let flow = flow(&protocol, room.state(), Day::of(LATE.parse().unwrap()));
        assert_eq!((flow.screened, flow.randomized), (2, 2), "both draws stay");
        let linked: u32 = flow.arms.iter().map(|arm| arm.linked).sum();
        assert_eq!(linked, 1);
        // Again, in either order or by the same command: nothing more happens.
        let refused = link(&mut room, NOW, other, family).unwrap_err();
        assert_eq!(
            (refused.exit, refused.code),
            (exit::WRONG_STATE, "already-linked")
        );
        let before = room.journal().head;
        link(&mut room, "2025-06-02T09:00:00+02:00", family, other).unwrap();
        assert_eq!(
            room.journal().head,
            before,
            "a repetition is answered again"
        );
    }
}

/// The arms of two linked draws are said to differ, and neither is named.
#[test]
fn a_conflict_of_arms_is_flagged_without_an_arm() {
    let mut room = open();
    let first = drawn(&mut room, SCREENED, "KATL", &[]);
    let mut other = None;
    for number in 0..12_u8 {
        let name = format!("MO-{}A", char::from(b'A' + number));
        let arm = drawn(&mut room, SCREENED, &name, &[]);
        if arm == first {
            assert_eq!(
                link(&mut room, NOW, "KATL", &name).unwrap(),
                ["link-recorded"]
            );
        } else {
            other = Some(name);
            break;
        }
    }
    let other = other.unwrap();
    let request = set(
        event("linked", &other, "2025-06-01", "L1"),
        &[("other", "KATL")],
    );
    let receipt = room.record(NOW, &request).unwrap();
    assert_eq!(receipt.warnings.len(), 2);
    let texts = receipt
        .warnings
        .iter()
        .flat_map(|own| [&own.message.en, &own.message.sv]);
    for text in texts {
        for arm in ["iuh", "standard", "intensi"] {
            assert!(!text.to_lowercase().contains(arm), "{text}");
        }
    }
}

/// KATL is drawn. MORU was found not eligible before and turned up again: another name of KATL from now on, counted once.
/// SILL was never heard of: its name is enough.
#[test]
fn a_family_that_was_not_drawn_becomes_another_name() {
    let mut room = open();
    let mut missed = eligible("skarpnack", "MORU", "R7");
    missed.fields[0].1 = "1".into();
    assert_eq!(
        room.enrol(SCREENED, &missed).unwrap().outcome,
        "not-eligible"
    );
    let arm = drawn(&mut room, "2025-03-04T09:00:00+01:00", "KATL", &["KATL-AA"]);
    let protocol = room.protocol.clone();
    let late = Day::of(LATE.parse().unwrap());
    let before = flow(&protocol, room.state(), late);
    assert_eq!((before.screened, before.randomized), (2, 1));
    link(&mut room, "2025-06-01T09:00:00+02:00", "MORU", "KATL").unwrap();
    link(&mut room, "2025-06-01T09:00:00+02:00", "SILL", "KATL").unwrap();
    let after = flow(&protocol, room.state(), late);
    assert_eq!(
        (after.screened, after.screenings, after.randomized),
        (1, 2, 1)
    );
    let missed: u32 = after.not_eligible.iter().map(|own| own.families).sum();
    assert_eq!(
        missed, 0,
        "the family that was randomized is not also not eligible"
    );
    // Whatever happens under either name happens to KATL.
    for (name, key, on) in [
        ("KATL", "R2", "2025-07-01"),
        ("MORU", "R3", "2025-08-01"),
        ("SILL", "R4", "2025-09-01"),
    ] {
        let again = enrol(&mut room, NOW, name, key, &["KATL-AA"]).unwrap();
        assert_eq!(again, ("returned", Some(arm.clone())), "{name}");
        reported(&mut room, name, on, key, None);
    }
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(3.0));
    assert_eq!(reports(&mut room, "SILL"), OutcomeValue::Known(3.0));
    room.record(NOW, &event("withdrawn", "SILL", "2025-08-15", "W1"))
        .unwrap();
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Unknown(Some(2.0)));
    assert_eq!(rows(&mut room), ["KATL"]);
    assert_eq!(room.state().allocations.len(), 1);
}

/// Register and log name one report under both names before the link, and once more after it: one report of KATL.
#[test]
fn one_report_seen_under_two_names_counts_once() {
    for drawn_too in [true, false] {
        let mut room = open();
        drawn(&mut room, SCREENED, "KATL", &[]);
        let mut other = eligible("skarpnack", "MORU", "R1");
        if !drawn_too {
            other.fields[0].1 = "1".into();
        }
        room.enrol("2025-03-04T09:00:00+01:00", &other).unwrap();
        reported(&mut room, "KATL", "2025-05-01", "R2", None);
        let under_other = reported(&mut room, "MORU", "2025-05-01", "R2", None);
        assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
        link(&mut room, NOW, "KATL", "MORU").unwrap();
        assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
        // The same report again under either name is a repetition, not another report.
        let head = room.journal().head;
        for name in ["KATL", "MORU"] {
            reported(&mut room, name, "2025-05-01", "R2", None);
        }
        assert_eq!(room.journal().head, head);
        // It stands until nobody has seen it any more.
        corrected(&mut room, "MORU", under_other).unwrap();
        assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
    }
}

/// A, B and C are found to be one in two steps, in every order: C was drawn first and is the unit.
#[test]
fn links_do_not_chain_and_have_no_circle() {
    for order in [
        [("BETT", "AGDA"), ("AGDA", "CESA")],
        [("AGDA", "CESA"), ("BETT", "AGDA")],
        [("CESA", "BETT"), ("AGDA", "BETT")],
    ] {
        let mut room = open();
        let arm = drawn(&mut room, "2025-03-03T09:00:00+01:00", "CESA", &[]);
        drawn(&mut room, "2025-03-04T09:00:00+01:00", "AGDA", &[]);
        drawn(&mut room, "2025-03-05T09:00:00+01:00", "BETT", &[]);
        for (family, other) in order {
            link(&mut room, NOW, family, other).unwrap();
        }
        link(&mut room, NOW, "BETT", "DORI").unwrap();
        assert_eq!(rows(&mut room), ["CESA"]);
        for name in ["AGDA", "BETT", "CESA", "DORI"] {
            let again = enrol(&mut room, NOW, name, "R8", &[]).unwrap();
            assert_eq!(again, ("returned", Some(arm.clone())), "{name}");
            reported(&mut room, name, "2025-06-01", &format!("R-{name}"), None);
        }
        assert_eq!(reports(&mut room, "CESA"), OutcomeValue::Known(4.0));
        for (one, two) in [("AGDA", "BETT"), ("DORI", "CESA"), ("BETT", "CESA")] {
            let refused = link(&mut room, LATER, one, two).unwrap_err();
            assert_eq!(refused.code, "already-linked");
        }
        let units: Vec<Option<u32>> = room
            .state()
            .families
            .iter()
            .map(|own| own.linked_to.map(|unit| unit.0))
            .collect();
        assert_eq!(units, [None, Some(0), Some(0), Some(0)]);
    }
}

/// Two families that were not drawn: the one screened last has the newer answers and is the unit.
#[test]
fn of_two_families_without_a_draw_the_one_screened_last_is_the_unit() {
    let mut room = open();
    for (at, family, reports) in [
        ("2025-03-03T09:00:00+01:00", "MORU", "1"),
        ("2025-03-04T09:00:00+01:00", "KATL", "0"),
    ] {
        let mut missed = eligible("skarpnack", family, "R1");
        missed.fields[0].1 = reports.into();
        assert_eq!(room.enrol(at, &missed).unwrap().outcome, "not-eligible");
    }
    link(&mut room, "2025-03-05T09:00:00+01:00", "MORU", "KATL").unwrap();
    let names = &room.journal().names;
    let (moru, katl) = (names.family("MORU"), names.family("KATL"));
    assert_eq!(moru, katl);
    let unit = room.state().family(katl.unwrap()).unwrap();
    assert_eq!((unit.values[0], unit.screenings), (0, 1));
    // Eligible at last, under the older name: one draw, and the newer name has it.
    let arm = drawn(&mut room, "2025-03-06T09:00:00+01:00", "MORU", &[]);
    let again = enrol(&mut room, "2025-03-07T09:00:00+01:00", "KATL", "R2", &[]).unwrap();
    assert_eq!(again, ("returned", Some(arm)));
    assert_eq!(room.state().allocations.len(), 1);
}

/// The household of the index child decides: KATL is drawn with the child; MORU, the other household, names it too.
#[test]
fn a_child_in_two_households_keeps_the_arm_of_the_first() {
    let mut room = open();
    let arm = drawn(&mut room, SCREENED, "KATL", &["BARN-AA"]);
    let at = "2025-04-01T09:00:00+02:00";
    let refused = enrol(&mut room, at, "MORU", "R2", &["BARN-AA", "BARN-BB"]).unwrap_err();
    assert_eq!(
        (refused.exit, refused.code),
        (exit::INVALID_DATA, "child-of-another-family")
    );
    assert!(
        refused.message.en.contains("BARN-AA belongs to KATL"),
        "{refused:?}"
    );
    assert!(refused.help.clone().unwrap().en.contains("--family KATL"));
    assert!(refused.help.unwrap().en.contains("--set other="));
    assert_eq!(room.state().families.len(), 1, "nothing was recorded");
    // Under the known name: the second household's child joins.
    let joined = enrol(&mut room, at, "KATL", "R2", &["BARN-AA", "BARN-BB"]).unwrap();
    assert_eq!(joined, ("joined", Some(arm.clone())));
    // Or the study lead links the second household, and the same command is answered.
    link(&mut room, "2025-04-02T09:00:00+02:00", "KATL", "MORU").unwrap();
    let at = "2025-04-03T09:00:00+02:00";
    let again = enrol(&mut room, at, "MORU", "R3", &["BARN-AA", "BARN-BB"]).unwrap();
    assert_eq!(again, ("returned", Some(arm)));
    // A report on the child who was on the roster counts under either household; one on the child who joined does not.
    reported(&mut room, "MORU", "2025-05-01", "R4", Some("BARN-AA"));
    reported(&mut room, "KATL", "2025-05-02", "R5", Some("BARN-BB"));
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
}

/// A coordination number becomes a personal number. The register names the child's new pseudonym before anybody links
/// it: that report counts once the link is recorded, and so do later ones.
#[test]
fn a_child_with_a_new_pseudonym_is_the_child_that_it_was() {
    let mut room = open();
    drawn(&mut room, SCREENED, "KATL", &["GAMM-AL"]);
    reported(&mut room, "KATL", "2025-05-01", "R2", Some("NYYY-AA"));
    assert_eq!(
        reports(&mut room, "KATL"),
        OutcomeValue::Known(0.0),
        "a child not on the roster"
    );
    let mut request = event("linked", "KATL", "2025-06-01", "L1");
    request.child = Some("GAMM-AL".into());
    request.set.push(("other_child".into(), "NYYY-AA".into()));
    room.record(NOW, &request).unwrap();
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
    reported(&mut room, "KATL", "2025-07-01", "R3", Some("NYYY-AA"));
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(2.0));
    // The child does not join under its new name, and is one child.
    let again = enrol(&mut room, NOW, "KATL", "R9", &["NYYY-AA", "GAMM-AL"]).unwrap();
    assert_eq!(again.0, "returned");
    let family = room.state().families[0];
    assert_eq!((family.children, family.joined), (1, 0));
    // The same command again is a repetition; another one says that they are one.
    let head = room.journal().head;
    room.record(NOW, &request).unwrap();
    assert_eq!(room.journal().head, head);
    request.event_key = "L2".into();
    assert_eq!(
        room.record(NOW, &request).unwrap_err().code,
        "already-linked"
    );
    request.child = Some("OKAN-DD".into());
    request.set[0].1 = "OKAN-EE".into();
    request.event_key = "L3".into();
    assert_eq!(
        room.record(NOW, &request).unwrap_err().code,
        "invalid-event"
    );
}

/// The new number came first: the child joined under it, and is found to be the child of the roster.
#[test]
fn a_child_that_joined_under_its_new_pseudonym_is_on_the_roster_after_all() {
    let mut room = open();
    drawn(&mut room, SCREENED, "KATL", &["GAMM-AL"]);
    let joined = enrol(
        &mut room,
        "2025-04-01T09:00:00+02:00",
        "KATL",
        "R2",
        &["NYYY-AA"],
    )
    .unwrap();
    assert_eq!(joined.0, "joined");
    reported(&mut room, "KATL", "2025-05-01", "R3", Some("NYYY-AA"));
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(0.0));
    let mut request = event("linked", "KATL", "2025-06-01", "L1");
    request.child = Some("GAMM-AL".into());
    request.set.push(("other_child".into(), "NYYY-AA".into()));
    room.record(NOW, &request).unwrap();
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
    let family = room.state().families[0];
    assert_eq!((family.children, family.joined), (1, 0));
}

/// Another family cannot take the child under either name.
#[test]
fn both_pseudonyms_of_a_child_belong_to_its_family() {
    let mut room = open();
    drawn(&mut room, SCREENED, "KATL", &["GAMM-AL"]);
    let mut request = event("linked", "KATL", "2025-03-03", "L1");
    request.child = Some("GAMM-AL".into());
    request.set.push(("other_child".into(), "NYYY-AA".into()));
    room.record(SCREENED, &request).unwrap();
    for child in ["GAMM-AL", "NYYY-AA"] {
        let refused = enrol(&mut room, SCREENED, "MORU", "R1", &[child]).unwrap_err();
        assert_eq!(refused.code, "child-of-another-family");
    }
    // Nor can a child of another family be called one of this family.
    drawn(&mut room, SCREENED, "MORU", &["ANNA-NA"]);
    request.set[0].1 = "ANNA-NA".into();
    request.event_key = "L2".into();
    let refused = room.record(SCREENED, &request).unwrap_err();
    assert_eq!(refused.code, "child-of-another-family");
}

/// A sibling was first seen in another family that was not drawn, and moves to the family that is.
#[test]
fn a_sibling_of_a_family_without_a_draw_moves_to_the_one_that_is_drawn() {
    let mut room = open();
    let mut missed = eligible("skarpnack", "MORU", "R1");
    missed.fields[0].1 = "1".into();
    missed.children = vec!["BARN-AA".into()];
    room.enrol(SCREENED, &missed).unwrap();
    let at = "2025-03-04T09:00:00+01:00";
    let arm = drawn(&mut room, at, "KATL", &["BARN-AA", "BARN-BB"]);
    let counts: Vec<u16> = room
        .state()
        .families
        .iter()
        .map(|own| own.children)
        .collect();
    assert_eq!(counts, [0, 2]);
    let refused = enrol(&mut room, at, "MORU", "R2", &["BARN-AA"]).unwrap_err();
    assert!(refused.message.en.contains("KATL"), "{refused:?}");
    // Without the child MORU is another family, and is drawn on its own.
    let other = enrol(&mut room, at, "MORU", "R2", &[]).unwrap();
    assert_eq!(other.0, "allocated");
    let again = enrol(&mut room, at, "KATL", "R3", &["BARN-BB"]).unwrap();
    assert_eq!(again, ("returned", Some(arm)));
}

/// A report of 1 May was typed for 1 May 2026, outside the window, and is set right under its own report key.
#[test]
fn a_correction_retracts_and_what_follows_replaces() {
    let mut room = open();
    drawn(&mut room, SCREENED, "KATL", &[]);
    let wrong = reported(&mut room, "KATL", "2026-05-01", "R2", None);
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(0.0));
    // The report key is taken until the mistake is retracted.
    let right = event("report", "KATL", "2025-05-01", "R2");
    assert_eq!(room.record(NOW, &right).unwrap_err().exit, exit::REUSED);
    corrected(&mut room, "KATL", wrong).unwrap();
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(0.0));
    // The mistaken row once more, from a file that is imported again: known, and still retracted.
    let head = room.journal().head;
    assert_eq!(reported(&mut room, "KATL", "2026-05-01", "R2", None), wrong);
    assert_eq!(room.journal().head, head);
    let replaced = room.record(NOW, &right).unwrap().sequence;
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
    let refused = corrected(&mut room, "KATL", wrong).map(drop);
    // The same correction again is a repetition.
    assert_eq!(refused, Ok(()));
    corrected(&mut room, "KATL", replaced).unwrap();
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(0.0));
}

/// The log saw the report on 1 May, the register on 2 March 2026, both inside the window; the register's date was wrong
/// and beyond it, and without the register the log's date stands again.
#[test]
fn a_retracted_sighting_leaves_the_others() {
    let mut room = open();
    drawn(&mut room, SCREENED, "KATL", &[]);
    reported(&mut room, "KATL", "2025-05-01", "R2", None);
    let protocol = room.protocol.clone();
    let request = event("report", "KATL", "2026-04-01", "R2");
    let register = lottning::study::recording::prepare(
        room.journal(),
        &request,
        lottning::study::kernel::Source::Register,
    )
    .unwrap();
    // The register's row goes straight to the state machine: `import` is the command's business.
    let mut state = room.state().clone();
    let day = Day::of("2027-06-01".parse().unwrap());
    let apply = |state: &mut lottning::study::kernel::State, what| {
        let event = lottning::study::kernel::Event { day, what: &what };
        lottning::study::kernel::apply(&protocol, state, &event);
    };
    let count = |state: &lottning::study::kernel::State| {
        let cut = Day::of(LATE.parse().unwrap());
        let family = lottning::study::kernel::FamilyIx(0);
        outcome(&protocol, state, cut, family, 0, Summary::Count)
    };
    apply(&mut state, register.recording.what);
    assert_eq!(
        count(&state),
        OutcomeValue::Known(0.0),
        "1 April 2026 is day 394"
    );
    let sequence = state.sequence;
    let on = day;
    apply(
        &mut state,
        lottning::study::kernel::What::Corrected { sequence, on },
    );
    assert_eq!(count(&state), OutcomeValue::Known(1.0));
}

/// One therapist, three slots. A closure frees a slot; retracting the closure takes nothing back: the gate saw it. What
/// the data set reads is changed: the investigation has no closing day any more.
#[test]
fn a_correction_changes_what_data_sets_read_and_never_a_slot() {
    let mut room = Room::open(&crate::made_up::IUH.replace("therapists = 2", "therapists = 1"));
    let mut number = 0_u8;
    let mut first = None;
    let site = room.protocol.site("skarpnack").unwrap();
    while room.state().gate_open(SiteIx(site as u16)) {
        let name = format!("FA-{}A", char::from(b'A' + number));
        number += 1;
        if drawn(&mut room, SCREENED, &name, &[]) == "iuh" {
            first = first.or(Some(name));
        }
    }
    let family = first.unwrap();
    assert_eq!(room.state().sites[site].taken, 3);
    let closed = event("closed", &family, "2025-04-12", "C1");
    let closed = room.record(NOW, &closed).unwrap().sequence;
    assert_eq!(room.state().sites[site].taken, 2);
    assert_eq!(value(&mut room, &family, 2), OutcomeValue::Known(40.0));
    corrected(&mut room, &family, closed).unwrap();
    assert_eq!(
        room.state().sites[site].taken,
        2,
        "a gate's past is not undone"
    );
    assert_eq!(value(&mut room, &family, 2), OutcomeValue::Known(122.0));
    // Exits and withdrawals too: follow-up goes on as if it had never ended.
    let gone = event("withdrawn", &family, "2025-03-20", "W1");
    let gone = room.record(NOW, &gone).unwrap().sequence;
    assert_eq!(
        reports(&mut room, &family),
        OutcomeValue::Unknown(Some(0.0))
    );
    corrected(&mut room, &family, gone).unwrap();
    assert_eq!(reports(&mut room, &family), OutcomeValue::Known(0.0));
}

#[test]
fn what_a_draw_saw_is_never_retracted() {
    let mut room = open();
    drawn(&mut room, SCREENED, "KATL", &[]);
    drawn(&mut room, SCREENED, "MORU", &[]);
    enrol(&mut room, SCREENED, "KATL", "R2", &["NYYY-AA"]).unwrap();
    let violation = set(
        event("violation", "KATL", "2025-04-01", "V1"),
        &[("reason", "found-ineligible")],
    );
    let retractable = room.record(NOW, &violation).unwrap().sequence;
    // Rows: 1 opened, 2–3 KATL screened and allocated, 4–5 MORU, 6–7 joined and its sighting, 8 the violation.
    assert_eq!(retractable, 8);
    for (family, sequence, code) in [
        ("KATL", 2, "not-retractable"),
        ("KATL", 3, "not-retractable"),
        ("KATL", 6, "not-retractable"),
        ("KATL", 7, "not-retractable"),
        ("MORU", 8, "invalid-event"),
        ("KATL", 1, "invalid-event"),
        ("KATL", 9, "invalid-event"),
    ] {
        let refused = corrected(&mut room, family, sequence).unwrap_err();
        assert_eq!(refused.code, code, "{sequence}");
    }
    corrected(&mut room, "KATL", 8).unwrap();
    let request = set(
        event("corrected", "KATL", "2025-06-01", "other-key"),
        &[("sequence", "8"), ("reason", "mistyped")],
    );
    assert_eq!(
        room.record(NOW, &request).unwrap_err().code,
        "already-retracted"
    );
    assert_eq!(room.state().families[0].status, Status::Randomized);
}

/// A link that was wrong is left out from the beginning. KATL is drawn; MORU is linked to it in June and comes back, with a new
/// child, under its own name, and a report is recorded under it. Once the link is taken back MORU is a family that was never
/// screened: it is drawn by itself, with that child on its roster, and the report is its own.
#[test]
fn a_wrong_link_is_taken_back() {
    let mut room = open();
    drawn(&mut room, "2025-03-04T09:00:00+01:00", "KATL", &["KATL-AA"]);
    link(&mut room, "2025-06-02T09:00:00+02:00", "KATL", "MORU").unwrap();
    let row = room.journal().head.sequence;
    let joined = enrol(
        &mut room,
        "2025-06-02T10:00:00+02:00",
        "MORU",
        "R1",
        &["MORU-AA"],
    );
    assert_eq!(joined.unwrap().0, "joined");
    let at = "2025-06-02T11:00:00+02:00";
    let report = event("report", "MORU", "2025-06-02", "R2");
    room.record(at, &report).unwrap();
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
    // Under either name, and only once.
    let back = |room: &mut Room, key: &str| {
        let sequence = row.to_string();
        let request = set(
            event("corrected", "MORU", "2025-06-03", key),
            &[("sequence", &sequence), ("reason", "mistyped")],
        );
        room.record("2025-06-03T09:00:00+02:00", &request)
    };
    let receipt = back(&mut room, "K1").unwrap();
    assert_eq!(receipt.warnings[0].code, "link-taken-back");
    assert!(back(&mut room, "K1").unwrap().replayed);
    assert_eq!(back(&mut room, "K2").unwrap_err().code, "already-retracted");
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(0.0));
    let today = room.state().last_day;
    let status = lottning::app::status::status(room.desk.study(), today);
    assert_eq!(
        (status.screened, status.randomized, status.linked),
        (1, 1, 0)
    );
    drawn(&mut room, "2025-06-04T09:00:00+02:00", "MORU", &["MORU-AA"]);
    assert_eq!(room.state().allocations.len(), 2);
    let moru = room.journal().names.family("MORU").unwrap();
    let own = room.state().families[moru.0 as usize];
    assert_eq!(
        (own.children, own.joined),
        (1, 0),
        "on the roster at its draw"
    );
    assert_eq!(rows(&mut room), ["KATL", "MORU"]);
    // 2 June lies before the draw of 4 June.
    assert_eq!(reports(&mut room, "MORU"), OutcomeValue::Known(0.0));
    let entries = room.entries();
    let verdict = verify(&room.protocol.clone(), &entries, &[room.seed.clone()], None);
    assert!(verdict.ok, "{:?}", verdict.findings);
}

/// A chain KATL, MORU, SILL: without the first link, MORU and SILL are one family still.
#[test]
fn a_link_of_a_chain_is_taken_back_alone() {
    let mut room = open();
    drawn(&mut room, "2025-03-04T09:00:00+01:00", "KATL", &[]);
    link(&mut room, "2025-06-02T09:00:00+02:00", "KATL", "MORU").unwrap();
    let row = room.journal().head.sequence;
    link(&mut room, "2025-06-02T10:00:00+02:00", "MORU", "SILL").unwrap();
    corrected(&mut room, "KATL", row).unwrap();
    let (names, state) = (room.journal().names.clone(), room.state().clone());
    let unit = |name: &str| names.family(name).map(|own| state.unit(own));
    assert_eq!(unit("MORU"), unit("SILL"));
    assert_ne!(unit("MORU"), unit("KATL"));
    let before = room.journal().head;
    corrected(&mut room, "KATL", row).unwrap();
    assert_eq!(
        room.journal().head,
        before,
        "a repetition is answered again"
    );
}

/// One therapist with one slot. MORU, linked to the family that has it, closes it under its name, and the gate lets another
/// family in. The gate has relied on the link, so the link stands.
#[test]
fn a_link_that_moved_a_slot_stands() {
    let one = crate::made_up::IUH
        .replace("therapists = 2", "therapists = 1")
        .replace("families_per_therapist = 3", "families_per_therapist = 1");
    let mut room = Room::open(&one);
    let mut held = None;
    for number in 0..12_u8 {
        let name = format!("FA-{}A", char::from(b'A' + number));
        if enrol(&mut room, SCREENED, &name, "R1", &[])
            .unwrap()
            .1
            .as_deref()
            == Some("iuh")
        {
            held = Some(name);
            break;
        }
    }
    let held = held.unwrap();
    assert_eq!(
        enrol(&mut room, SCREENED, "NYYY", "R1", &[]).unwrap().0,
        "gate-closed"
    );
    link(&mut room, SCREENED, &held, "MORU").unwrap();
    let row = room.journal().head.sequence;
    room.record(SCREENED, &event("closed", "MORU", "2025-03-03", "C1"))
        .unwrap();
    assert_eq!(
        enrol(&mut room, SCREENED, "NYYY", "R1", &[]).unwrap().0,
        "allocated"
    );
    let before = room.journal().head;
    let refused = corrected(&mut room, &held, row).unwrap_err();
    assert_eq!(
        (refused.exit, refused.code),
        (exit::WRONG_STATE, "link-relied-on")
    );
    assert_eq!(room.journal().head, before);
    // The message names the closure, the row after the link. It can be taken back; the slot stays free, so the link stands.
    let closed = format!("event {}", row + 1);
    assert!(refused.message.en.starts_with(&closed), "{refused:?}");
    corrected(&mut room, "MORU", row + 1).unwrap();
    let refused = corrected(&mut room, &held, row).unwrap_err();
    assert!(refused.message.en.starts_with(&closed), "{refused:?}");
}

/// Another pseudonym of a child that was wrong is nobody's again, and a report that named it is of an unknown child.
#[test]
fn a_wrong_pseudonym_of_a_child_is_taken_back() {
    let mut room = open();
    drawn(&mut room, "2025-03-04T09:00:00+01:00", "KATL", &["KATL-AA"]);
    reported(&mut room, "KATL", "2025-05-01", "R2", Some("KATL-BB"));
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(0.0));
    let mut request = set(
        event("linked", "KATL", "2025-06-01", "L1"),
        &[("other_child", "KATL-BB")],
    );
    request.child = Some("KATL-AA".into());
    let row = room.record(NOW, &request).unwrap().sequence;
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(1.0));
    corrected(&mut room, "KATL", row).unwrap();
    assert_eq!(reports(&mut room, "KATL"), OutcomeValue::Known(0.0));
}
