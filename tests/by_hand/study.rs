//! The chain, the gate, the bounded draw and the outcomes of a lock on cases that fit on paper.

use crate::in_memory::{Room, eligible, event};
use lottning::allocation::{Arm, Unit};
use lottning::protocol::Protocol;
use lottning::protocol::model::{Day, Summary};
use lottning::study::dataset::{OutcomeValue, outcome, units};
use lottning::study::journal::{Entry, GENESIS, hex};
use lottning::study::kernel::{
    Answer, Command, Draws, Enrolment, Event, FamilyIx, ReportIx, Roster, SiteIx, State, What,
    apply, decide,
};

/// The numbers are those of a program of its own (Python 3, hashlib and struct only):
/// ```text
/// part = lambda b: struct.pack(">I", len(b)) + b
/// H = lambda *p: hashlib.sha256(b"".join(map(part, p))).digest()
/// ph = hashlib.sha256(b"lottning = 1\n").digest(); salt = bytes(range(32)); payload = b'{"family":"KATL-MORU"}'
/// h1 = H(bytes(32), ph, struct.pack(">Q", 1), b"2025-03-01T08:15:30.000000Z", b"intake-1", b"closed",
///        b'{"site":"rinkeby-kista"}', hashlib.sha256(salt + payload).digest())
/// h2 = H(h1, ph, struct.pack(">Q", 2), b"2025-03-01T08:15:31.000000Z", b"lead", b"exported", b"{}",
///        hashlib.sha256(salt + b"{}").digest())
/// ```
#[test]
fn two_rows_chain_as_a_stranger_computes_them() {
    let protocol_hash: [u8; 32] = [
        0x01, 0x23, 0xba, 0xb3, 0x27, 0xf9, 0x30, 0xc2, 0xaa, 0x12, 0x03, 0x10, 0xed, 0xab, 0xb7,
        0x38, 0xa2, 0x3e, 0x24, 0xbc, 0xd4, 0xf7, 0x9e, 0xe1, 0x26, 0xcb, 0x9f, 0x65, 0xa2, 0x73,
        0xda, 0x6a,
    ];
    let salt: [u8; 32] = std::array::from_fn(|place| place as u8);
    let payload = r#"{"family":"KATL-MORU"}"#;
    let mut first = Entry {
        sequence: 1,
        time: "2025-03-01T08:15:30.000000Z".into(),
        actor: "intake-1".into(),
        kind: "closed".into(),
        public: r#"{"site":"rinkeby-kista"}"#.into(),
        payload: Some(payload.into()),
        salt: Some(salt),
        payload_hash: Entry::hash_payload(&salt, payload),
        hash: GENESIS,
    };
    assert_eq!(
        hex(&first.payload_hash),
        "eceada7fa62f8f6231882bdd00554fe9a32aac8f6d15f972a6d659e40564f868"
    );
    first.hash = first.chained(&GENESIS, &protocol_hash);
    assert_eq!(
        first.head().to_hex(),
        "82a991281de62e9069d0d68279d014faaddb1bdb744e7572c966fceeb3d36789"
    );
    // An erasure takes payload and salt, and the chain stands.
    let erased = Entry {
        payload: None,
        salt: None,
        ..first.clone()
    };
    assert_eq!(erased.chained(&GENESIS, &protocol_hash), first.hash);
    let second = Entry {
        sequence: 2,
        time: "2025-03-01T08:15:31.000000Z".into(),
        actor: "lead".into(),
        kind: "exported".into(),
        public: "{}".into(),
        payload_hash: Entry::hash_payload(&salt, "{}"),
        payload: Some("{}".into()),
        salt: Some(salt),
        hash: GENESIS,
    };
    assert_eq!(
        hex(&second.chained(&first.hash, &protocol_hash)),
        "51c5f4f0a93252a68f9729b5ba403858141b5844cbe42ec81c10a0b62b917630"
    );
}

/// Arms as written down beforehand.
struct Written(Vec<u8>);

impl Draws for Written {
    fn arm(&mut self, _: &Protocol, state: &State, _: u32, _: &Unit<'_>) -> Arm {
        Arm(self.0[state.allocations.len()])
    }
}

/// One therapist with three families. Arms in order: iuh, standard, iuh, iuh, then the gate is shut whatever comes.
#[test]
fn the_gate_counts_slots_and_nothing_else() {
    let text = crate::made_up::IUH.replace("therapists = 2", "therapists = 1");
    let protocol = lottning::protocol::parse(text.as_bytes()).protocol.unwrap();
    let mut state = State::new(&protocol);
    let mut draws = Written(vec![0, 1, 0, 0, 1, 0]);
    let day = Day::of(jiff::civil::date(2025, 3, 3));
    let (site, other) = (SiteIx(0), SiteIx(1));
    let mut enrol = |state: &mut State, family: u32, site: SiteIx| {
        let mut values = [0; lottning::protocol::model::MAX_FIELDS];
        values[0] = 3;
        let command = Command::Enrol(Enrolment {
            family: FamilyIx(family),
            site,
            report: ReportIx(family),
            received: day,
            children: Roster::EMPTY,
            answers: 0b001,
            values,
            exception: None,
        });
        let decision = decide(&protocol, state, &command, day, &mut draws).unwrap();
        for what in decision.events.into_iter().flatten() {
            apply(&protocol, state, &Event { day, what: &what });
        }
        decision.answer
    };
    // Four allocations, three of them to the gate's arm: 1, 1, 2, 3 slots.
    for (family, arm, taken) in [(0, 0, 1), (1, 1, 1), (2, 0, 2), (3, 0, 3)] {
        assert_eq!(
            enrol(&mut state, family, site),
            Answer::Allocated {
                arm: Arm(arm),
                allocation: family + 1
            }
        );
        assert_eq!(
            (state.sites[0].taken, state.gate_open(site)),
            (taken, taken < 3)
        );
    }
    assert_eq!(enrol(&mut state, 4, site), Answer::GateClosed);
    // The other site has its own three slots; the fifth allocation is standard and takes none.
    assert_eq!(
        enrol(&mut state, 5, other),
        Answer::Allocated {
            arm: Arm(1),
            allocation: 5
        }
    );
    assert_eq!(state.sites[1].taken, 0);
    // Closing the standard family frees nothing; closing an iuh family frees one, once.
    let closed = |state: &mut State, family: u32| {
        let what = What::Serviced {
            family: FamilyIx(family),
            service: lottning::protocol::model::Service::Closed,
            on: day,
            arm: None,
            by: None,
        };
        apply(&protocol, state, &Event { day, what: &what });
    };
    closed(&mut state, 1);
    assert_eq!(state.sites[0].taken, 3);
    closed(&mut state, 0);
    closed(&mut state, 0);
    assert_eq!((state.sites[0].taken, state.gate_open(site)), (2, true));
    assert_eq!(
        enrol(&mut state, 4, site),
        Answer::Allocated {
            arm: Arm(0),
            allocation: 6
        }
    );
    // Shut, open, shut: three changes, all on this day at this site.
    let gates: Vec<bool> = state.gates.iter().map(|change| change.open).collect();
    assert_eq!(gates, [false, true, false]);
}

/// With a bound of 1 the second of each pair is forced to the other arm, whatever the seed: after 1, 3, 5 … draws the
/// arms differ by one, after 2, 4, 6 … they are level. Each site has a list of its own.
#[test]
fn a_big_stick_of_one_draws_pairs() {
    let text = crate::made_up::IUH
        .replace("max_imbalance = 4", "max_imbalance = 1")
        .replace("therapists = 2", "therapists = 9");
    let mut room = Room::open(&text);
    let sites = ["skarpnack", "skarholmen"];
    let mut differences = [0_i32; 2];
    for number in 0..24_u8 {
        let site = usize::from(number % 3 == 1);
        let family = format!("FA-{}A", char::from(b'A' + number));
        let answer = room
            .enrol(
                "2025-03-03T09:00:00+01:00",
                &eligible(sites[site], &family, "R1"),
            )
            .unwrap();
        differences[site] += if answer.arm.as_deref() == Some("iuh") {
            1
        } else {
            -1
        };
        assert!(differences[site].abs() <= 1);
    }
    assert_eq!(differences, [0, 0], "16 and 8 families");
}

const NOW: &str = "2027-06-01T09:00:00+02:00";

/// Families randomized on 3 March 2025; window days 1 to 365 are 4 March 2025 to 3 March 2026.
fn followed(build: impl FnOnce(&mut Room)) -> Room {
    let text = crate::made_up::IUH.replace("therapists = 2", "therapists = 20");
    let mut room = Room::open(&text);
    build(&mut room);
    room
}

fn enrol(room: &mut Room, family: &str, children: &[&str]) {
    let mut request = eligible("skarpnack", family, "R1");
    request.children = children.iter().map(|child| (*child).to_owned()).collect();
    room.enrol("2025-03-03T09:00:00+01:00", &request).unwrap();
}

fn happens(room: &mut Room, what: &str, family: &str, on: &str, key: &str) {
    room.record(NOW, &event(what, family, on, key)).unwrap();
}

/// The outcome with this place in the protocol (0 rereport, 1 accepted, 2 investigation days) at a cut.
fn value(room: &mut Room, family: &str, place: usize, cut: &str) -> OutcomeValue {
    let protocol = room.protocol.clone();
    let ix = room.journal().names.family(family).unwrap();
    let cut = Day::of(cut.parse().unwrap());
    outcome(&protocol, room.state(), cut, ix, place, Summary::Count)
}

const LATE: &str = "2027-03-03";

#[test]
fn a_window_begins_on_its_first_day_and_includes_its_last() {
    let mut room = followed(|room| {
        enrol(room, "KATL", &[]);
        for (key, on) in [
            ("R2", "2025-03-03"), // day 0: before the window
            ("R3", "2025-03-04"), // day 1
            ("R4", "2025-10-01"),
            ("R5", "2026-03-03"), // day 365
            ("R6", "2026-03-04"), // day 366: after it
        ] {
            happens(room, "report", "KATL", on, key);
        }
    });
    assert_eq!(value(&mut room, "KATL", 0, LATE), OutcomeValue::Known(3.0));
    // A cut on the last day has seen the whole window; a day earlier it has not.
    assert_eq!(
        value(&mut room, "KATL", 0, "2026-03-03"),
        OutcomeValue::Known(3.0)
    );
    assert_eq!(
        value(&mut room, "KATL", 0, "2026-03-02"),
        OutcomeValue::NotYet
    );
}

#[test]
fn what_intake_saw_what_is_one_incident_and_who_joined_later_do_not_count() {
    let mut room = followed(|room| {
        enrol(room, "KATL", &["KATL-AA"]);
        let mut back = eligible("skarpnack", "KATL", "R2");
        back.received = "2025-04-01".into();
        back.children = vec!["KATL-AA".into(), "KATL-BB".into()];
        // Seen by intake alone: not counted. The sibling joins here.
        assert_eq!(
            room.enrol("2025-04-02T09:00:00+02:00", &back)
                .unwrap()
                .outcome,
            "joined"
        );
        for (key, on, child, incident) in [
            ("R1", "2025-03-01", "KATL-AA", "2025-02-20"), // the index report itself, now with its incident
            ("R3", "2025-03-15", "KATL-AA", "2025-02-20"), // the same incident, 14 days after the index: not counted
            ("R4", "2025-03-16", "KATL-AA", "2025-02-20"), // the same incident, 15 days after: counted
            ("R5", "2025-03-10", "KATL-AA", "2025-03-05"), // another incident: counted
            ("R6", "2025-05-01", "KATL-BB", "2025-04-30"), // a child who joined: not counted
            ("R7", "2025-05-01", "KATL-CC", "2025-04-30"), // a child that the roster does not have: not counted
            ("R8", "2025-05-02", "KATL-AA", "2025-04-30"), // counted
        ] {
            let mut request = event("report", "KATL", on, key);
            request.child = Some(child.into());
            request.set.push(("incident_date".into(), incident.into()));
            room.record(NOW, &request).unwrap();
        }
    });
    assert_eq!(value(&mut room, "KATL", 0, LATE), OutcomeValue::Known(3.0));
    // Once the log has the report that intake saw, it counts.
    let mut sighted = event("report", "KATL", "2025-04-01", "R2");
    sighted.child = Some("KATL-AA".into());
    room.record(NOW, &sighted).unwrap();
    assert_eq!(value(&mut room, "KATL", 0, LATE), OutcomeValue::Known(4.0));
}

#[test]
fn terminal_exits_end_a_count_and_censoring_exits_make_it_unknown() {
    // One report on 1 April 2025 and one on 1 September 2025; the exit on 1 July 2025 comes between them.
    for (exit, on, expected) in [
        ("death", "2025-07-01", OutcomeValue::Known(1.0)),
        ("all-children-18", "2025-07-01", OutcomeValue::Known(1.0)),
        (
            "left-coverage",
            "2025-07-01",
            OutcomeValue::Unknown(Some(1.0)),
        ),
        ("withdrawn", "2025-07-01", OutcomeValue::Unknown(Some(1.0))),
        (
            "left-coverage",
            "2026-03-02",
            OutcomeValue::Unknown(Some(2.0)),
        ), // day 364
        ("left-coverage", "2026-03-03", OutcomeValue::Known(2.0)), // the last day: the window was seen
        ("death", "2026-03-10", OutcomeValue::Known(2.0)),         // after the window
    ] {
        let mut room = followed(|room| {
            enrol(room, "KATL", &[]);
            happens(room, "report", "KATL", "2025-04-01", "R2");
            happens(room, "report", "KATL", "2025-09-01", "R3");
            happens(room, exit, "KATL", on, "x1");
        });
        assert_eq!(
            value(&mut room, "KATL", 0, LATE),
            expected,
            "{exit} on {on}"
        );
        // Before the window's last day, 3 March 2026, a cut knows nothing yet, whoever has left by then.
        for cut in ["2025-05-01", "2025-08-01", "2026-03-02"] {
            assert_eq!(
                value(&mut room, "KATL", 0, cut),
                OutcomeValue::NotYet,
                "{exit} on {on}, cut {cut}"
            );
        }
        let ended = value(&mut room, "KATL", 0, "2026-03-03");
        assert_eq!(ended, expected, "{exit} on {on}, cut on the last day");
    }
    // On the same day a terminal exit comes before a censoring one, in whatever order they were recorded.
    for order in [["death", "left-coverage"], ["left-coverage", "death"]] {
        let mut room = followed(|room| {
            enrol(room, "KATL", &[]);
            for exit in order {
                happens(room, exit, "KATL", "2025-07-01", "x1");
            }
        });
        assert_eq!(value(&mut room, "KATL", 0, LATE), OutcomeValue::Known(0.0));
    }
}

#[test]
fn a_binary_outcome_needs_all_its_events_inside_the_window() {
    // Days 0 to 365: 3 March 2025 to 3 March 2026.
    for (accepted, started, expected) in [
        (Some("2025-03-03"), Some("2026-03-03"), 1.0),
        (Some("2025-03-03"), Some("2026-03-04"), 0.0),
        (Some("2025-03-03"), None, 0.0),
        (None, Some("2025-05-01"), 0.0),
        (None, None, 0.0),
    ] {
        let mut room = followed(|room| {
            enrol(room, "KATL", &[]);
            for (what, on) in [("accepted", accepted), ("started", started)] {
                if let Some(on) = on {
                    happens(room, what, "KATL", on, "k1");
                }
            }
        });
        assert_eq!(
            value(&mut room, "KATL", 1, LATE),
            OutcomeValue::Known(expected),
            "{accepted:?} {started:?}"
        );
    }
}

#[test]
fn a_duration_is_known_when_its_horizon_has_passed() {
    // Horizon 122 days: 3 July 2025. Closed on 12 April: day 40.
    for (closed, withdrawn, cut, expected) in [
        (Some("2025-04-12"), None, LATE, OutcomeValue::Known(40.0)),
        (Some("2025-04-12"), None, "2025-07-02", OutcomeValue::NotYet), // closed before the horizon, as not all of those drawn that day are
        (
            Some("2025-04-12"),
            None,
            "2025-07-03",
            OutcomeValue::Known(40.0),
        ), // the last day of the horizon
        (Some("2025-04-12"), None, "2025-04-11", OutcomeValue::NotYet),
        (Some("2025-07-03"), None, LATE, OutcomeValue::Known(122.0)),
        (Some("2025-07-11"), None, LATE, OutcomeValue::Known(122.0)), // day 130: longer than the horizon
        (None, None, LATE, OutcomeValue::Known(122.0)),
        (None, None, "2025-07-02", OutcomeValue::NotYet),
        (
            Some("2025-05-02"),
            Some("2025-04-22"),
            LATE,
            OutcomeValue::Unknown(None),
        ), // withdrew on day 50
        (
            Some("2025-05-02"),
            Some("2025-04-22"),
            "2025-07-02",
            OutcomeValue::NotYet,
        ),
    ] {
        let mut room = followed(|room| {
            enrol(room, "KATL", &[]);
            if let Some(on) = closed {
                happens(room, "closed", "KATL", on, "c1");
            }
            if let Some(on) = withdrawn {
                happens(room, "withdrawn", "KATL", on, "w1");
            }
        });
        assert_eq!(
            value(&mut room, "KATL", 2, cut),
            expected,
            "{closed:?} {withdrawn:?} {cut}"
        );
    }
}

#[test]
fn the_rows_of_a_lock_are_the_families_randomized_up_to_its_cut() {
    let mut room = followed(|room| {
        enrol(room, "KATL", &[]);
        let late = eligible("skarholmen", "MORU", "R1");
        room.enrol("2025-04-03T00:30:00+02:00", &late).unwrap();
    });
    let mut rows = Vec::new();
    // MORU came on 2 April in universal time and on 3 April in Stockholm: the study's day counts.
    for (cut, expected) in [
        ("2025-03-02", 0),
        ("2025-03-03", 1),
        ("2025-04-02", 1),
        ("2025-04-03", 2),
    ] {
        units(room.state(), Day::of(cut.parse().unwrap()), &mut rows);
        assert_eq!(rows.len(), expected, "{cut}");
    }
    // The first site opened on 3 February 2025: 28 and 59 days before.
    let months: Vec<f64> = rows
        .iter()
        .map(|row| row.months_since_start * 30.4375)
        .collect();
    assert!(
        (months[0] - 28.0).abs() < 1e-12 && (months[1] - 59.0).abs() < 1e-12,
        "{months:?}"
    );
}
