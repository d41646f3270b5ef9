//! The data sets of a lock, row by row, on two families that fit on paper.

use crate::in_memory::{Room, eligible, event};
use lottning::protocol::model::Day;
use lottning::report::data::{Data, files};
use lottning::study::recording::EventRequest;

const NOW: &str = "2027-06-01T09:00:00+02:00";

fn record(room: &mut Room, request: EventRequest, pairs: &[(&str, &str)]) {
    let mut request = request;
    for (key, value) in pairs {
        request.set.push(((*key).to_owned(), (*value).to_owned()));
    }
    room.record(NOW, &request).unwrap();
}

/// The files of the room at a cut, by name.
fn exported(room: &mut Room, cut: &str) -> Vec<(String, String)> {
    let protocol = room.protocol.clone();
    let data = Data {
        protocol: &protocol,
        epochs: &protocol,
        state: room.state(),
        cut: Day::of(cut.parse().unwrap()),
        lock: "final",
    };
    let list = files(&data).into_iter();
    list.map(|file| (file.path, file.text)).collect()
}

fn text(files: &[(String, String)], name: &str) -> String {
    files.iter().find(|file| file.0 == name).unwrap().1.clone()
}

/// The cells of some columns, row by row.
fn cells(text: &str, columns: &[&str]) -> Vec<String> {
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let places: Vec<usize> = columns
        .iter()
        .map(|name| head.iter().position(|own| own == name).unwrap())
        .collect();
    lines
        .map(|line| {
            let own: Vec<&str> = line.split(',').collect();
            let picked: Vec<&str> = places.iter().map(|place| own[*place]).collect();
            picked.join(",")
        })
        .collect()
}

/// KATL is drawn on 4 March 2025, 29 days after the sites open (3 February), with a report of 1 March (day −3); MORU on
/// 6 March (day 31; −5). KATL has reports on day 10 (14 March; of the index incident, so not counted within 14 days), on
/// day 58 (1 May, by study staff) and on day 365 (4 March 2026), and one on day 366 that no window holds; an offer is accepted on day 20, the
/// service starts on day 30, and the investigation closes on day 90. MORU leaves the register's area on day 100 (14 June).
/// A family that was never drawn, and what came after the cut of 31 March 2026, are in no row.
fn room() -> Room {
    let mut room = Room::open(&crate::made_up::IUH.replace("therapists = 2", "therapists = 20"));
    for (at, family) in [
        ("2025-03-04T09:00:00+01:00", "KATL"),
        ("2025-03-06T09:00:00+01:00", "MORU"),
    ] {
        let mut request = eligible("skarpnack", family, "R1");
        request.children = vec![format!("{family}-AA"), format!("{family}-AB")];
        assert_eq!(room.enrol(at, &request).unwrap().outcome, "allocated");
    }
    let mut turned = eligible("skarpnack", "LINA", "R1");
    "no".clone_into(&mut turned.answers[0].1);
    room.enrol("2025-03-07T09:00:00+01:00", &turned).unwrap();
    let incident = ("incident_date", "2025-02-27");
    record(
        &mut room,
        event("report", "KATL", "2025-03-01", "R1"),
        &[incident],
    );
    record(
        &mut room,
        event("report", "KATL", "2025-03-14", "R2"),
        &[incident],
    );
    let mut staff = event("report", "KATL", "2025-05-01", "R3");
    staff.child = Some("KATL-AB".to_owned());
    record(&mut room, staff, &[("reporter", "study-staff")]);
    for (on, key) in [
        ("2026-03-04", "R4"),
        ("2026-03-05", "R5"),
        ("2026-04-02", "R6"),
    ] {
        record(&mut room, event("report", "KATL", on, key), &[]);
    }
    for (what, on) in [
        ("offered", "2025-03-20"),
        ("accepted", "2025-03-24"),
        ("started", "2025-04-03"),
        ("closed", "2025-06-02"),
    ] {
        record(&mut room, event(what, "KATL", on, what), &[]);
    }
    record(
        &mut room,
        event("left-coverage", "MORU", "2025-06-14", "L1"),
        &[],
    );
    room
}

#[test]
fn a_family_is_a_row_with_days_in_place_of_dates() {
    let mut room = room();
    let files = exported(&mut room, "2026-03-31");
    let families = text(&files, "families.csv");
    let columns = [
        "family",
        "site",
        "study_day",
        "report_day",
        "children",
        "field.earlier_reports",
        "field.category",
        "followed_days",
        "followed_to",
    ];
    // From 4 March 2025 to the cut of 31 March 2026 there are 392 days.
    assert_eq!(
        cells(&families, &columns),
        [
            "1,skarpnack,29,-3,2,3,violence,392,cut",
            "2,skarpnack,31,-5,2,3,violence,100,censored"
        ]
    );
    let columns = [
        "outcome.rereport.status",
        "outcome.rereport.value",
        "outcome.rereport.days",
        "outcome.rereport.end",
        "outcome.rereport_without_staff.value",
        "outcome.rereport_from_day_123.value",
        "outcome.rereport_from_day_123.days",
        "outcome.accepted.value",
        "outcome.investigation_days.status",
        "outcome.investigation_days.value",
    ];
    // Days 58 and 365 count for KATL; MORU's window has ended on 6 March 2026, and it was followed for 100 days of it: of days
    // 123 to 365, which are 243, for none.
    assert_eq!(
        cells(&families, &columns),
        [
            "known,2,365,window,1,1,243,1,known,90",
            "unknown,NA,100,censored,NA,NA,0,NA,unknown,NA"
        ]
    );
}

#[test]
fn what_happened_is_a_row_that_says_what_it_counts_for() {
    let mut room = room();
    let files = exported(&mut room, "2026-03-31");
    let events = text(&files, "events.csv");
    let columns = [
        "family",
        "event",
        "day",
        "counts_for",
        "index",
        "by_study_staff",
        "child",
        "incident_day",
    ];
    let reports = "rereport rereport_without_staff";
    assert_eq!(
        cells(&events, &columns),
        [
            "1,report,-3,NA,yes,no,NA,-5".to_owned(),
            "1,report,10,NA,no,no,NA,-5".to_owned(),
            "1,offered,16,NA,NA,NA,NA,NA".to_owned(),
            "1,accepted,20,accepted,NA,NA,NA,NA".to_owned(),
            "1,started,30,accepted,NA,NA,NA,NA".to_owned(),
            "1,report,58,rereport,no,yes,2,NA".to_owned(),
            "1,closed,90,investigation_days,NA,NA,NA,NA".to_owned(),
            format!("1,report,365,{reports} rereport_from_day_123,no,no,NA,NA"),
            "1,report,366,NA,no,no,NA,NA".to_owned(),
            "2,report,-5,NA,yes,no,NA,NA".to_owned(),
            "2,left-coverage,100,NA,NA,NA,NA,NA".to_owned(),
        ]
    );
}

/// A violation says that KATL had 9 earlier reports: the analyses take 9, the draw took 3, and both stand in the row.
#[test]
fn a_value_that_was_wrong_at_the_draw_stands_beside_the_true_one() {
    let mut room = room();
    let files = exported(&mut room, "2026-03-31");
    assert!(!text(&files, "families.csv").contains("drawn."));
    record(
        &mut room,
        event("violation", "KATL", "2025-04-01", "V1"),
        &[
            ("reason", "wrong-stratum"),
            ("field", "earlier_reports"),
            ("value", "9"),
        ],
    );
    let files = exported(&mut room, "2026-03-31");
    assert_eq!(
        cells(
            &text(&files, "families.csv"),
            &["field.earlier_reports", "drawn.earlier_reports"]
        ),
        ["9,3", "3,3"]
    );
    assert!(
        cells(
            &text(&files, "events.csv"),
            &["event", "day", "reason", "field"]
        )
        .contains(&"violation,28,wrong-stratum,earlier_reports".to_owned())
    );
}

/// MORU, drawn on 6 March 2025, is found on 6 April 2026 (day 396) not to have been eligible, after the cut of 31 March 2026 and
/// before the lock. Both files say so, as the row without such families and the report's counts of violations have it; a visit on
/// the same day is not at the cut.
#[test]
fn a_violation_stands_whenever_it_was_found() {
    let mut room = room();
    let marks = ["family", "found_ineligible"];
    let before = exported(&mut room, "2026-03-31");
    assert_eq!(
        cells(&text(&before, "families.csv"), &marks),
        ["1,no", "2,no"]
    );
    record(
        &mut room,
        event("violation", "MORU", "2026-04-06", "V1"),
        &[("reason", "found-ineligible")],
    );
    record(
        &mut room,
        event("home-visit", "MORU", "2026-04-06", "H1"),
        &[],
    );
    let after = exported(&mut room, "2026-03-31");
    assert_eq!(
        cells(&text(&after, "families.csv"), &marks),
        ["1,no", "2,yes"]
    );
    let columns = ["family", "event", "day", "counts_for", "reason"];
    let rows = cells(&text(&after, "events.csv"), &columns);
    let own = "2,violation,396,NA,found-ineligible".to_owned();
    assert!(rows.contains(&own), "{rows:?}");
    // One row more, in its place, and nothing else.
    let kept: Vec<&String> = rows.iter().filter(|row| **row != own).collect();
    let were = cells(&text(&before, "events.csv"), &columns);
    assert_eq!(kept, were.iter().collect::<Vec<_>>());
}

/// Nothing of the ledger's names or dates is in a file, and each column of each file has one line in the codebook, in two
/// languages.
#[test]
fn no_name_and_no_date_leaves_and_every_column_is_explained() {
    let mut room = room();
    let files = exported(&mut room, "2026-03-31");
    let codebook = text(&files, "codebook.csv");
    let mut explained = 0;
    for (name, text) in &files {
        for secret in ["KATL", "MORU", "LINA", "2025-03", "2026-03", "R1,", "-AA"] {
            assert!(!text.contains(secret), "{name}: {secret}");
        }
        if ["README.txt", "codebook.csv"].contains(&name.as_str()) {
            continue;
        }
        for column in text.lines().next().unwrap().split(',') {
            let line = format!("{name},{column},");
            assert_eq!(codebook.matches(&line).count(), 1, "{line}");
            explained += 1;
        }
    }
    assert_eq!(codebook.lines().count(), explained + 1);
}
