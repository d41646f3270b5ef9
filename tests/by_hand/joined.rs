//! Reports on children who joined a family after its draw, known by the enrolment where no other row says whom they are on.
//!
//! KATL is drawn on 4 March 2025; its window is 5 March 2025 to 4 March 2026. It comes back to intake with report N1, received
//! on 2 June 2025, with the children that each test says, and the register or the log has N1 too. Report N2, of 3 June, is
//! the log's alone and names nobody: it counts everywhere. So a family has 2 reports if N1 counts, and 1 if not.

use crate::in_memory::{Room, eligible, event};
use lottning::app::import::Imported;
use lottning::diagnostic::{Diagnostic, Place};
use lottning::protocol::model::{Day, Summary};
use lottning::report::data::{Data, files};
use lottning::study::children::{members, seen};
use lottning::study::dataset::{OutcomeValue, outcome, units};
use lottning::study::journal::{Journal, Stored};
use lottning::study::recording::EventRequest;
use lottning::study::verify::verify;

const DRAWN: &str = "2025-03-04T09:00:00+01:00";
const FIRST: &str = "2025-06-10T09:00:00+02:00";
const SECOND: &str = "2025-06-11T09:00:00+02:00";
const LATER: &str = "2025-06-12T09:00:00+02:00";
const CUT: &str = "2027-03-03";

/// What a row about N1 is.
#[derive(Clone, Copy)]
enum Row<'a> {
    /// Intake, with these children.
    Intake(&'a [&'a str]),
    /// The register, with a child or none.
    Register(&'a str),
    /// The log, with a child or none.
    Log(&'a str),
}

/// A study where KATL is drawn with these children, and has N2.
fn open(roster: &[&str]) -> Room {
    open_under(crate::made_up::IUH, roster)
}

fn open_under(protocol: &str, roster: &[&str]) -> Room {
    let mut room = Room::open(&protocol.replace("therapists = 2", "therapists = 20"));
    assert_eq!(enrol(&mut room, DRAWN, "KATL", "R1", roster), "allocated");
    let report = event("report", "KATL", "2025-06-03", "N2");
    room.record("2025-06-05T09:00:00+02:00", &report).unwrap();
    room
}

fn enrol(room: &mut Room, at: &str, family: &str, key: &str, children: &[&str]) -> &'static str {
    let mut request = eligible("skarpnack", family, key);
    request.children = children.iter().map(|child| (*child).to_owned()).collect();
    if key != "R1" {
        "2025-06-02".clone_into(&mut request.received);
        request.request_id = Some(format!("{key}-{}", &at[..10]));
    }
    room.enrol(at, &request).unwrap().outcome
}

fn logged(room: &mut Room, at: &str, child: &str) -> Vec<&'static str> {
    let mut request = event("report", "KATL", "2025-06-02", "N1");
    request.child = (!child.is_empty()).then(|| child.to_owned());
    let receipt = room.record(at, &request).unwrap();
    let codes = receipt.warnings.iter();
    codes
        .filter(|own| is_of_child(own))
        .map(|own| own.code)
        .collect()
}

/// Other columns that the protocol wants are another matter.
fn is_of_child(own: &Diagnostic) -> bool {
    own.place == Some(Place::column("child"))
}

/// Imports rows of family, day and key, with a child or none.
fn imports(room: &mut Room, at: &str, rows: &str) -> Imported {
    room.imports(at, &format!("family,on,event_key,child\n{rows}"))
}

fn note(room: &mut Room, at: &str, row: Row<'_>) {
    match row {
        Row::Intake(children) => {
            enrol(room, at, "KATL", "N1", children);
        }
        Row::Register(child) => {
            imports(room, at, &format!("KATL,2025-06-02,N1,{child}\n"));
        }
        Row::Log(child) => {
            logged(room, at, child);
        }
    }
}

fn set(mut request: EventRequest, pairs: &[(&str, &str)]) -> EventRequest {
    for (key, value) in pairs {
        request.set.push(((*key).to_owned(), (*value).to_owned()));
    }
    request
}

/// Takes back the last row.
fn take_back_last(room: &mut Room) {
    let sequence = room.journal().head.sequence.to_string();
    let request = event("corrected", "KATL", "2025-06-12", &format!("K{sequence}"));
    let request = set(request, &[("sequence", &sequence), ("reason", "mistyped")]);
    room.record(LATER, &request).unwrap();
}

/// Reports of KATL that count, after a look at all that must agree with them: children of the roster with those that name nobody,
/// the exported rows, a fold of the rows anew, a projection that is stored and read, and `verify`.
fn counted(room: &mut Room) -> u32 {
    let protocol = room.protocol.clone();
    let cut = Day::of(CUT.parse().unwrap());
    let family = room.journal().names.family("KATL").unwrap();
    let state = room.state().clone();
    let mut rows = Vec::new();
    units(&state, cut, &mut rows);
    let all = members(&state, &rows);
    let seen = seen(&protocol, &state, cut, (family, &all), 0).unwrap();
    let reports = seen.reports.iter().sum::<u32>() + seen.unnamed;
    let own = outcome(&protocol, &state, cut, family, 0, Summary::Count);
    assert_eq!(own, OutcomeValue::Known(reports.into()), "the family");
    let id = &protocol.outcomes[0].id;
    let counting = exported(room, &["event", "counts_for"]);
    let counting = counting.iter().filter(|row| {
        let (event, counts) = row.split_once(',').unwrap();
        event == "report" && counts.split(' ').any(|own| own == id)
    });
    assert_eq!(counting.count(), reports as usize, "export --data");
    let entries = room.entries();
    let mut anew = Journal::new(protocol.clone());
    anew.absorb(&entries).unwrap();
    assert_eq!(anew.state, state, "a fold");
    let bytes = room.journal().projection(None).unwrap();
    let stored = Stored::read(Box::new(bytes)).unwrap();
    let stored = stored.whole_journal(&protocol).unwrap();
    assert_eq!(stored.state, state, "a projection");
    let verdict = verify(&protocol, &entries, std::slice::from_ref(&room.seed), None);
    assert!(verdict.ok, "{:?}", verdict.findings);
    reports
}

/// Cells of the exported rows of what happened.
fn exported(room: &mut Room, columns: &[&str]) -> Vec<String> {
    let protocol = room.protocol.clone();
    let data = Data {
        protocol: &protocol,
        epochs: &protocol,
        state: room.state(),
        cut: Day::of(CUT.parse().unwrap()),
        lock: "final",
    };
    let list = files(&data);
    let file = list.iter().find(|file| file.path == "events.csv").unwrap();
    let mut lines = file.text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = |name: &&str| head.iter().position(|own| own == name).unwrap();
    let places: Vec<usize> = columns.iter().map(place).collect();
    let cells = |line: &str| {
        let own: Vec<&str> = line.split(',').collect();
        let picked: Vec<&str> = places.iter().map(|place| own[*place]).collect();
        picked.join(",")
    };
    lines.map(cells).collect()
}

/// The reports that count, whichever of the rows comes first.
fn in_each_order(roster: &[&str], rows: [Row<'_>; 2]) -> u32 {
    let [there, back] = [rows, [rows[1], rows[0]]].map(|rows| {
        let mut room = open(roster);
        for (at, row) in [FIRST, SECOND].into_iter().zip(rows) {
            note(&mut room, at, row);
        }
        counted(&mut room)
    });
    assert_eq!(there, back, "the order of rows");
    there
}

/// AA and AB were on the roster; AC, AD and no other joined. With intake's children the register's or the log's row of N1 names
/// nobody: on AC, or AC and AD, N1 does not count (1 report); with AA among them, or nobody, it does (2).
#[test]
fn a_report_screened_with_late_children_alone_is_on_them() {
    let roster = ["KATL-AA", "KATL-AB"];
    for (children, expected) in [
        (&["KATL-AC"][..], 1),
        (&["KATL-AC", "KATL-AD"], 1),
        (&["KATL-AA", "KATL-AC"], 2),
        (&["KATL-AC", "KATL-AA", "KATL-AD"], 2),
        (&["KATL-AB"], 2),
        (&[], 2),
    ] {
        for other in [Row::Register(""), Row::Log("")] {
            let found = in_each_order(&roster, [Row::Intake(children), other]);
            assert_eq!(found, expected, "{children:?}");
        }
    }
}

/// Intake names AC alone, or AC with AA. A child that the register or the log names decides: AA counts (2) and AC does not (1),
/// whatever intake says. Named before AC joined, AC was nobody whom the study knew, which does not count either.
#[test]
fn a_child_that_a_row_of_the_report_names_decides() {
    let roster = ["KATL-AA", "KATL-AB"];
    for children in [&["KATL-AC"][..], &["KATL-AA", "KATL-AC"]] {
        for (child, expected) in [("KATL-AA", 2), ("KATL-AC", 1)] {
            for other in [Row::Register(child), Row::Log(child)] {
                let found = in_each_order(&roster, [Row::Intake(children), other]);
                assert_eq!(found, expected, "{children:?} {child}");
            }
        }
    }
}

/// AC joined with an earlier report. When it comes again alone no child is new (`returned`), and N1 is on it all the same: 1.
#[test]
fn a_late_child_that_comes_again_is_late_still() {
    for first in [true, false] {
        let mut room = open(&["KATL-AA"]);
        assert_eq!(
            enrol(&mut room, FIRST, "KATL", "N0", &["KATL-AC"]),
            "joined"
        );
        if first {
            imports(&mut room, FIRST, "KATL,2025-06-02,N1,\n");
        }
        let again = enrol(&mut room, SECOND, "KATL", "N1", &["KATL-AC"]);
        assert_eq!(again, "returned");
        if !first {
            imports(&mut room, SECOND, "KATL,2025-06-02,N1,\n");
        }
        assert_eq!(counted(&mut room), 1);
        // Intake comes once more with the same report, and with AA: now it is on AA too.
        assert_eq!(
            enrol(&mut room, LATER, "KATL", "N1", &["KATL-AA"]),
            "returned"
        );
        assert_eq!(counted(&mut room), 2);
    }
}

/// Of a family that was drawn without a named child nobody knows who was there: AC may have been, and N1 counts, as a report
/// of it did before: 2.
#[test]
fn without_a_roster_a_report_counts() {
    for other in [Row::Register(""), Row::Log("")] {
        let found = in_each_order(&[], [Row::Intake(&["KATL-AC"]), other]);
        assert_eq!(found, 2);
    }
}

/// Intake names AC alone and the register nobody: 1. The log's row on AA makes it a report on AA: 2. It is taken back: 1 again.
/// So is the register's row: nobody but intake has N1, which never counts, and it is recorded anew, on AA: 2.
#[test]
fn corrections_leave_what_the_other_rows_say() {
    let mut room = open(&["KATL-AA", "KATL-AB"]);
    note(&mut room, FIRST, Row::Intake(&["KATL-AC"]));
    note(&mut room, FIRST, Row::Register(""));
    let register = room.journal().head.sequence;
    assert_eq!(counted(&mut room), 1);
    note(&mut room, SECOND, Row::Log("KATL-AA"));
    assert_eq!(counted(&mut room), 2);
    take_back_last(&mut room);
    assert_eq!(counted(&mut room), 1);
    let sequence = register.to_string();
    let request = event("corrected", "KATL", "2025-06-12", "K-register");
    let request = set(request, &[("sequence", &sequence), ("reason", "mistyped")]);
    room.record(LATER, &request).unwrap();
    assert_eq!(counted(&mut room), 1);
    note(&mut room, LATER, Row::Register("KATL-AA"));
    assert_eq!(counted(&mut room), 2);
}

/// AC, with whom N1 came, is found to be AB, who was on the roster, under another pseudonym: 1 before, 2 after. The link was wrong
/// and is taken back: 1.
#[test]
fn a_late_child_that_is_one_of_the_roster_counts() {
    let mut room = open(&["KATL-AA", "KATL-AB"]);
    note(&mut room, FIRST, Row::Register(""));
    note(&mut room, SECOND, Row::Intake(&["KATL-AC"]));
    assert_eq!(counted(&mut room), 1);
    let mut request = event("linked", "KATL", "2025-06-12", "L1");
    request.child = Some("KATL-AB".into());
    let request = set(request, &[("other_child", "KATL-AC")]);
    room.record(LATER, &request).unwrap();
    assert_eq!(counted(&mut room), 2);
    take_back_last(&mut room);
    assert_eq!(counted(&mut room), 1);
}

/// N1 came with AD, who is found to be AC, another late child: 1. Then AC is found to be AB of the roster, and so is AD: 2. The last link
/// was wrong: 1.
#[test]
fn a_late_child_is_one_of_the_roster_by_way_of_another() {
    let mut room = open(&["KATL-AA", "KATL-AB"]);
    note(&mut room, FIRST, Row::Register(""));
    enrol(&mut room, FIRST, "KATL", "N0", &["KATL-AC"]);
    note(&mut room, SECOND, Row::Intake(&["KATL-AD"]));
    for (child, other, expected) in [("KATL-AC", "KATL-AD", 1), ("KATL-AB", "KATL-AC", 2)] {
        let mut request = event("linked", "KATL", "2025-06-12", other);
        request.child = Some(child.into());
        let request = set(request, &[("other_child", other)]);
        room.record(LATER, &request).unwrap();
        assert_eq!(counted(&mut room), expected, "{child}");
    }
    take_back_last(&mut room);
    assert_eq!(counted(&mut room), 1);
}

/// MORU, screened on 10 June with its child AC for N1 and not eligible, is found to be KATL: AC joins KATL, and N1, which the register
/// has under either name, is on it: 1, as if the link had come first. So too where both names have N1.
#[test]
fn another_name_of_a_family_brings_its_reports_and_children() {
    for (linked_first, name) in [(true, "MORU"), (false, "MORU"), (false, "KATL")] {
        let mut room = open(&["KATL-AA"]);
        let link = |room: &mut Room| {
            let request = event("linked", "KATL", "2025-06-10", "L1");
            room.record(SECOND, &set(request, &[("other", "MORU")]))
                .unwrap();
        };
        if linked_first {
            link(&mut room);
        }
        let mut request = eligible("skarpnack", "MORU", "N1");
        request.children = vec!["MORU-AC".into()];
        "2025-06-02".clone_into(&mut request.received);
        "no".clone_into(&mut request.answers[0].1);
        let at = if linked_first { SECOND } else { FIRST };
        room.enrol(at, &request).unwrap();
        imports(&mut room, SECOND, &format!("{name},2025-06-02,N1,\n"));
        if !linked_first {
            link(&mut room);
        }
        assert_eq!(counted(&mut room), 1, "{linked_first} {name}");
    }
}

/// The exported row of N1 says that it is on a child who joined later, and names no child of the roster. N2 says nothing.
#[test]
fn the_exported_row_says_whom_it_is_on() {
    let mut room = open(&["KATL-AA"]);
    note(&mut room, FIRST, Row::Register(""));
    note(&mut room, SECOND, Row::Intake(&["KATL-AC"]));
    let rows = exported(&mut room, &["day", "about", "child"]);
    assert!(rows.contains(&"90,other,NA".to_owned()), "{rows:?}");
    assert!(rows.contains(&"91,NA,NA".to_owned()), "{rows:?}");
}

/// The protocol wants to know whom a report is on. That is asked where it matters: of a family with two children, or one child and one
/// who joined, and of a family whose children nobody named if one joined; not of one child, or of none that is known, not where
/// another row of the report has said it, and not where the protocol does not want it. A file says it once.
#[test]
fn a_report_that_says_not_whom_it_is_on_is_told_of_where_it_matters() {
    let (one, two) = (["KATL-AA"], ["KATL-AA", "KATL-AB"]);
    let (none, told): ([&str; 0], _) = ([], ["not-carried"]);
    assert_eq!(logged(&mut open(&one), FIRST, ""), none);
    assert_eq!(logged(&mut open(&[]), FIRST, ""), none);
    assert_eq!(logged(&mut open(&two), FIRST, ""), told);
    assert_eq!(logged(&mut open(&two), FIRST, "KATL-AB"), none);
    for roster in [&one[..], &[]] {
        let mut room = open(roster);
        note(&mut room, FIRST, Row::Intake(&["KATL-AC"]));
        assert_eq!(logged(&mut room, SECOND, ""), told);
    }
    let said = |imported: Imported| {
        let own = imported.warnings.into_iter().filter(is_of_child);
        own.map(|own| own.code).collect::<Vec<_>>()
    };
    let rows = "KATL,2025-06-02,N1,\nKATL,2025-06-01,N3,\n";
    assert_eq!(said(imports(&mut open(&two), FIRST, rows)), told);
    let mut room = open(&two);
    logged(&mut room, FIRST, "KATL-AA");
    assert_eq!(
        said(imports(&mut room, SECOND, "KATL,2025-06-02,N1,\n")),
        none
    );
    let unwanted = crate::made_up::IUH.replace(", \"child\"]", "]");
    assert_eq!(logged(&mut open_under(&unwanted, &two), FIRST, ""), none);
}
