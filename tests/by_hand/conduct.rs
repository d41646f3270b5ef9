//! Violations, caps, the direction of switches and changed answers, on cases that fit on paper.

use crate::in_memory::{Room, eligible, event, site_event};
use lottning::allocation::Arm;
use lottning::numerics::binomial::Binomial;
use lottning::protocol::model::Day;
use lottning::study::caps::{Alert, Capped, alerts, quarter};
use lottning::study::conduct::{at_least, conduct, direction, found_ineligible};
use lottning::study::kernel::{Event, FamilyIx, SiteIx, State, What, apply};
use lottning::study::recording::EventRequest;

const DAY: &str = "2025-03-03T09:00:00+01:00";
const LATER: &str = "2025-04-07T09:00:00+02:00";
const FAMILIES: [&str; 8] = [
    "FA-AA", "FA-BB", "FA-CC", "FA-DD", "FA-EE", "FA-FF", "FA-GG", "FA-HH",
];

fn day(text: &str) -> Day {
    Day::of(text.parse().unwrap())
}

/// Room for everybody: the gate never closes.
fn wide() -> String {
    crate::made_up::IUH.replace("therapists = 2", "therapists = 30")
}

fn violation(family: &str, key: &str, set: &[(&str, &str)]) -> EventRequest {
    EventRequest {
        set: set
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..event(
            "violation",
            family,
            "2025-04-01",
            &format!("{family}-{key}"),
        )
    }
}

/// Philadelphia (ASPE final report, volume 1, section 6.8.1): all six switches of 362 randomized families went from control
/// to service. At 1:1 each switch is towards the service with probability 1/2, so six of six have probability 1/64.
#[test]
fn six_of_six_switches_are_one_in_sixty_four() {
    let close = |p: f64, expected: f64| assert!((p - expected).abs() < 1e-15, "{p}");
    close(at_least(6, &[0.5; 6]), 1.0 / 64.0);
    // At least 5 of 6: 6 + 1 of 64 ways; at least none: all.
    close(at_least(5, &[0.5; 6]), 7.0 / 64.0);
    close(at_least(0, &[0.5; 6]), 1.0);
    assert_eq!((at_least(0, &[]), at_least(1, &[])), (1.0, 0.0));
    // Two switches of probabilities 1/2 and 2/3: both 1/3; at least one 1 - (1/2)(1/3) = 5/6.
    assert!((at_least(2, &[0.5, 2.0 / 3.0]) - 1.0 / 3.0).abs() < 1e-15);
    assert!((at_least(1, &[0.5, 2.0 / 3.0]) - 5.0 / 6.0).abs() < 1e-15);
    // Of one probability it is the binomial tail, whose continued fraction is another computation.
    for n in [1_usize, 7, 40] {
        let tail = Binomial::new(n as u64, 0.3).unwrap();
        for k in 1..=n {
            let ours = at_least(k, &vec![0.3; n]);
            assert!((ours - tail.sf(k as u64 - 1)).abs() < 1e-12, "{k} of {n}");
        }
    }
}

/// A state with families drawn to the arms given, in order, and switched to the arms given.
fn switched(
    text: &str,
    arms: &[u8],
    switches: &[(u32, u8)],
) -> (lottning::protocol::Protocol, State) {
    let protocol = crate::made_up::protocol(text);
    let mut state = State::new(&protocol);
    let on = day("2025-03-03");
    let mut happens = |what: What| {
        apply(
            &protocol,
            &mut state,
            &Event {
                day: on,
                what: &what,
            },
        );
    };
    for (family, arm) in (0..).zip(arms) {
        happens(What::Allocated {
            family: FamilyIx(family),
            site: SiteIx(0),
            epoch: 0,
            stratum: 0,
            draw: family,
            cell: 0,
            arm: Arm(*arm),
            allocation: family + 1,
        });
    }
    for (family, arm) in switches {
        happens(What::Serviced {
            family: FamilyIx(*family),
            service: lottning::protocol::model::Service::Switched,
            on,
            arm: Some(Arm(*arm)),
            by: None,
        });
    }
    (protocol, state)
}

/// The families that moved to the service of another arm, by arm, as the flow has them at a cut.
fn moved(protocol: &lottning::protocol::Protocol, state: &State, cut: &str) -> Vec<u32> {
    let flow = lottning::study::flow::flow(protocol, state, day(cut));
    flow.arms.iter().map(|arm| arm.switched).collect()
}

#[test]
fn a_family_counts_by_its_first_switch_away_from_its_arm() {
    // Arm 0 is iuh. Families 1, 3 and 5 (standard) go to iuh, family 0 (iuh) to standard. Family 1 goes back and forth
    // again, family 2 "switches" to the arm that it has: neither counts.
    let (protocol, state) = switched(
        &wide(),
        &[0, 1, 0, 1, 0, 1],
        &[(1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (1, 0), (5, 0)],
    );
    let own = direction(&protocol, &state, day("2025-12-31")).unwrap();
    assert_eq!((own.toward, own.to, own.of), (Arm(0), 3, 4));
    // At least 3 of 4 at 1/2: (4 + 1)/16.
    assert_eq!((own.expected, own.p_value), (0.5, 5.0 / 16.0));
    // The flow says the same by arm: family 0 of iuh; 1, 3 and 5 of standard.
    assert_eq!(moved(&protocol, &state, "2025-12-31"), [1, 3]);
    // Nothing had happened the day before.
    let before = direction(&protocol, &state, day("2025-03-02")).unwrap();
    assert_eq!((before.to, before.of, before.p_value), (0, 0, 1.0));
    assert_eq!(moved(&protocol, &state, "2025-03-02"), [0, 0]);
    // A corrected switch counts no more: rows 1 to 3 allocate, row 4 moves family 1 to iuh, row 5 family 0 to standard.
    let (protocol, mut state) = switched(&wide(), &[0, 1, 0], &[(1, 0), (0, 1)]);
    let on = day("2025-03-03");
    let what = What::Corrected { sequence: 4, on };
    apply(
        &protocol,
        &mut state,
        &Event {
            day: on,
            what: &what,
        },
    );
    let own = direction(&protocol, &state, day("2025-12-31")).unwrap();
    assert_eq!((own.to, own.of, own.p_value), (0, 1, 1.0));
    assert_eq!(moved(&protocol, &state, "2025-12-31"), [1, 0]);
}

/// With iuh:standard = 1:2, two of three families are standard: a switch that does not lean goes to iuh with 2/3.
/// With a ratio 1:1:2 of a, b, control and the gate at a: from b (1/4), to a with 1/(1+2); from control (1/2), to a with
/// 1/(1+1): 1/12 + 1/4 = 1/3.
#[test]
fn the_expected_share_follows_from_the_ratio() {
    // The shipped method keeps 1:1 only.
    let simple = wide()
        .lines()
        .filter(|line| !line.starts_with("max_imbalance"))
        .map(|line| {
            if line.starts_with("method = \"big-stick\"") {
                "method = \"simple\""
            } else {
                line
            }
        })
        .collect::<Vec<_>>()
        .join("\n");
    let two = simple.replacen("ratio = 1\ncontrol", "ratio = 2\ncontrol", 1);
    let (protocol, state) = switched(&two, &[0, 1], &[(1, 0)]);
    let own = direction(&protocol, &state, day("2025-12-31")).unwrap();
    assert!((own.expected - 2.0 / 3.0).abs() < 1e-15, "{own:?}");
    assert!((own.p_value - 2.0 / 3.0).abs() < 1e-15, "{own:?}");
    let three = two.replace(
        "[unit]\n",
        "[[arm]]\nid = \"network\"\nlabel = \"network\"\nratio = 1\n\n[unit]\n",
    );
    let (protocol, state) = switched(&three, &[0, 1, 2], &[]);
    let own = direction(&protocol, &state, day("2025-12-31")).unwrap();
    assert!((own.expected - 1.0 / 3.0).abs() < 1e-15, "{own:?}");
    first_by_day(&three);
    // A family drawn at 1:1 in epoch 0 and one drawn at 1:2 in epoch 1, both moved to iuh: 1/2 × 2/3 = 1/3, where 7/12 of
    // the switches would be expected to go there.
    let (first, _) = switched(&simple, &[], &[]);
    let (second, _) = switched(&two, &[], &[]);
    let protocol = lottning::protocol::carry_on(&first.into(), &simple, second, &two).unwrap();
    let (_, mut state) = switched(&simple, &[1, 1], &[(0, 0), (1, 0)]);
    state.allocations[1].epoch = 1;
    let own = direction(&protocol, &state, day("2025-12-31")).unwrap();
    assert!((own.expected - 7.0 / 12.0).abs() < 1e-15, "{own:?}");
    assert!((own.p_value - 1.0 / 3.0).abs() < 1e-15, "{own:?}");
}

/// A family of arm 1 goes to arm 2 on 20 March, of which a row tells, and to arm 0, with the gate, on 10 March, of which a later row
/// tells: its first switch was to arm 0, as soon as a cut has seen 10 March. On one day the first row is the first.
fn first_by_day(three: &str) {
    let (protocol, state) = switched(three, &[1], &[]);
    let toward = |rows: &[(&str, u8)], cut: &str| {
        let mut state = state.clone();
        for (on, to) in rows {
            let on = day(on);
            let what = What::Serviced {
                family: FamilyIx(0),
                service: lottning::protocol::model::Service::Switched,
                on,
                arm: Some(Arm(*to)),
                by: None,
            };
            let day = day("2025-04-01");
            apply(&protocol, &mut state, &Event { day, what: &what });
        }
        let own = direction(&protocol, &state, day(cut)).unwrap();
        (own.to, own.of)
    };
    let (second, first) = (("2025-03-20", 2), ("2025-03-10", 0));
    for cut in ["2025-12-31", "2025-03-10"] {
        assert_eq!(toward(&[second, first], cut), (1, 1), "{cut}");
        assert_eq!(toward(&[first, second], cut), (1, 1), "{cut}");
    }
    assert_eq!(toward(&[second, first], "2025-03-09"), (0, 0));
    assert_eq!(toward(&[second, ("2025-03-20", 0)], "2025-12-31"), (0, 1));
}

#[test]
fn an_error_is_documented_and_the_draw_stands() {
    let mut room = Room::open(&wide());
    for family in FAMILIES {
        room.enrol(DAY, &eligible("skarpnack", family, "R1"))
            .unwrap();
    }
    let before = room.state().clone();
    let at = |room: &mut Room, name: &str| room.journal().names.family(name).unwrap();
    // earlier_reports is the first field; the families were drawn with 3.
    let family = at(&mut room, "FA-BB");
    let wrong = [
        ("reason", "wrong-stratum"),
        ("field", "earlier_reports"),
        ("value", "5"),
    ];
    let told = room
        .record(LATER, &violation("FA-BB", "v1", &wrong))
        .unwrap();
    assert_eq!(told.warnings[0].code, "document-not-correct");
    assert_eq!(
        room.state().families[family.0 as usize].values[0],
        3,
        "as drawn"
    );
    assert_eq!(room.state().true_value(family, 0), Some(5));
    assert_eq!(
        room.state().true_value(family, 1),
        Some(4),
        "the other fields stand"
    );
    // A later finding replaces the truth, never what it was drawn with.
    let wrong = [
        ("reason", "wrong-stratum"),
        ("field", "earlier_reports"),
        ("value", "6"),
    ];
    room.record(LATER, &violation("FA-BB", "v2", &wrong))
        .unwrap();
    assert_eq!(room.state().true_value(family, 0), Some(6));
    // The value that is known already is no violation.
    let refused = room
        .record(LATER, &violation("FA-BB", "v3", &wrong))
        .unwrap_err();
    assert_eq!((refused.exit, refused.code), (4, "nothing-wrong"));
    // Found not to have been eligible: marked, and still a row of the data set.
    let found = [("reason", "found-ineligible"), ("criterion", "police-led")];
    room.record(LATER, &violation("FA-CC", "v1", &found))
        .unwrap();
    let family = at(&mut room, "FA-CC");
    assert!(found_ineligible(room.state(), family));
    let mut units = Vec::new();
    lottning::study::dataset::units(room.state(), day("2025-12-31"), &mut units);
    assert_eq!(units.len(), 8, "nobody leaves the randomized set");
    // What was received is kept; the service that the ledger knows moves by `switched` alone.
    let drawn = room.state().families[3].arm;
    let other = if drawn == Arm(0) { "standard" } else { "iuh" };
    let own = if drawn == Arm(0) { "iuh" } else { "standard" };
    let received = [("reason", "wrong-service"), ("received", own)];
    // Whether it is the family's own arm nobody is told, who could ask so without a trace: both are recorded, and the lead sees it.
    let wrong = room
        .record(LATER, &violation("FA-DD", "v1", &received))
        .unwrap();
    let received = [("reason", "wrong-service"), ("received", other)];
    let right = room
        .record(LATER, &violation("FA-DD", "v2", &received))
        .unwrap();
    for told in [wrong, right] {
        assert_eq!(told.warnings[0].code, "arm-not-checked");
    }
    let family = at(&mut room, "FA-DD");
    let protocol = room.protocol.clone();
    let of_own = conduct(&protocol, room.state(), day("2025-12-31")).received_own;
    assert_eq!(of_own, [family]);
    assert_eq!(room.state().families[3].service, drawn);
    room.record(
        LATER,
        &violation("FA-EE", "v1", &[("reason", "double-draw")]),
    )
    .unwrap();
    // No draw, stratum, arm or slot has moved.
    assert_eq!(room.state().allocations, before.allocations);
    assert_eq!(room.state().draws, before.draws);
    assert_eq!(room.state().sites, before.sites);
    let counts: Vec<u32> = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"))
        .violations
        .iter()
        .map(lottning::study::conduct::ViolationCount::families)
        .collect();
    assert_eq!(
        counts,
        [1, 1, 1, 1],
        "two findings about one family count once"
    );
}

/// What is wrong at the draw is wrong whenever it is found: of a lock with the cut 15 March, violations of 1 April that stand in its
/// ledger count like those before, as the covariates and the set without ineligible families use them. One that is retracted counts no
/// more, and a family drawn after the cut is in no data set that could leave it out.
#[test]
fn violations_count_whenever_they_were_found() {
    let mut room = Room::open(&wide());
    for family in FAMILIES {
        room.enrol(DAY, &eligible("skarpnack", family, "R1"))
            .unwrap();
    }
    room.enrol(
        "2025-03-20T09:00:00+01:00",
        &eligible("skarpnack", "FA-JJ", "R1"),
    )
    .unwrap();
    let wrong = [
        ("reason", "wrong-stratum"),
        ("field", "earlier_reports"),
        ("value", "5"),
    ];
    let found = [("reason", "found-ineligible")];
    let own = if room.state().families[3].arm == Arm(0) {
        "iuh"
    } else {
        "standard"
    };
    let received = [("reason", "wrong-service"), ("received", own)];
    let mut record = |family: &str, set: &[(&str, &str)]| {
        let told = room.record(LATER, &violation(family, "v1", set));
        told.unwrap().sequence
    };
    record("FA-AA", &wrong);
    record("FA-BB", &found);
    record("FA-JJ", &found);
    record("FA-DD", &received);
    let mistake = record("FA-CC", &found).to_string();
    let protocol = room.protocol.clone();
    let cut = day("2025-03-15");
    let counts = |room: &mut Room| -> Vec<u32> {
        let own = conduct(&protocol, room.state(), cut);
        let each = own.violations.iter();
        let each = each.map(lottning::study::conduct::ViolationCount::families);
        each.chain([own.left_out, own.received_own.len() as u32])
            .collect()
    };
    // Found ineligible, wrong stratum, double draw, wrong service; left out; received their own arm's service.
    assert_eq!(counts(&mut room), [3, 1, 0, 1, 2, 1]);
    let back = EventRequest {
        set: vec![
            ("sequence".to_owned(), mistake),
            ("reason".to_owned(), "mistaken".to_owned()),
        ],
        ..event("corrected", "FA-CC", "2025-04-02", "k1")
    };
    room.record(LATER, &back).unwrap();
    assert_eq!(counts(&mut room), [2, 1, 0, 1, 1, 1]);
}

/// FA-BB is another name of FA-AA, and both were drawn: found not to have been eligible under the second name, before or after the
/// link, the one family is left out; the violation is counted by the draw whose name it has, once.
#[test]
fn a_family_is_found_ineligible_under_whatever_name() {
    for before in [false, true] {
        let mut room = Room::open(&wide());
        for family in ["FA-AA", "FA-BB", "FA-CC"] {
            let request = eligible("skarpnack", family, "R1");
            assert_eq!(room.enrol(DAY, &request).unwrap().outcome, "allocated");
        }
        let found = violation("FA-BB", "v1", &[("reason", "found-ineligible")]);
        let mut link = event("linked", "FA-AA", "2025-03-03", "l1");
        link.set = vec![("other".into(), "FA-BB".into())];
        let mut both = [link, found];
        if before {
            both.reverse();
        }
        for request in &both {
            room.record(LATER, request).unwrap();
        }
        let unit = FamilyIx(0);
        assert_eq!(room.state().unit(FamilyIx(1)), unit);
        assert!(
            found_ineligible(room.state(), unit) && !found_ineligible(room.state(), FamilyIx(2))
        );
        let counted = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
        assert_eq!((counted.left_out, counted.violations[0].families()), (1, 1));
    }
}

#[test]
fn reasons_and_their_values_are_checked() {
    let text = format!(
        "{}\n[violations]\nreasons = [\"late-draw\", {{ id = \"wrong-service\", label = \"annan insats\" }}]\n",
        wide()
    );
    let mut room = Room::open(&text);
    room.enrol(DAY, &eligible("skarpnack", "FA-AA", "R1"))
        .unwrap();
    let reasons: Vec<&str> = room
        .protocol
        .violations
        .reasons
        .iter()
        .map(|own| own.id.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "found-ineligible",
            "wrong-stratum",
            "double-draw",
            "wrong-service",
            "late-draw"
        ]
    );
    assert_eq!(room.protocol.violations.reasons[3].label.en, "annan insats");
    for (set, code) in [
        (&[("reason", "late-drow")][..], "unknown-violation"),
        (&[("reason", "wrong-stratum")], "missing-set-key"),
        (
            &[("reason", "wrong-stratum"), ("field", "earlier_reports")],
            "missing-set-key",
        ),
        (
            &[
                ("reason", "wrong-stratum"),
                ("field", "reports"),
                ("value", "5"),
            ],
            "unknown-field",
        ),
        (
            &[
                ("reason", "wrong-stratum"),
                ("field", "category"),
                ("value", "5"),
            ],
            "invalid-value",
        ),
        (
            &[("reason", "late-draw"), ("received", "iuh")],
            "unknown-set-key",
        ),
        (&[("reason", "wrong-service")], "missing-set-key"),
        (
            &[("reason", "wrong-service"), ("received", "ihu")],
            "unknown-arm",
        ),
        (
            &[("reason", "found-ineligible"), ("criterion", "police")],
            "unknown-criterion",
        ),
    ] {
        let refused = room
            .record(LATER, &violation("FA-AA", "v1", set))
            .unwrap_err();
        let mut codes: Vec<&str> = refused.diagnostics.iter().map(|own| own.code).collect();
        codes.dedup();
        assert_eq!((refused.exit, codes), (4, vec![code]), "{set:?}");
    }
    room.record(LATER, &violation("FA-AA", "v1", &[("reason", "late-draw")]))
        .unwrap();
    // Without the section there are the four, and no other code.
    let mut room = Room::open(&wide());
    room.enrol(DAY, &eligible("skarpnack", "FA-AA", "R1"))
        .unwrap();
    assert!(
        room.record(LATER, &violation("FA-AA", "v1", &[("reason", "late-draw")]))
            .is_err()
    );
    room.record(
        LATER,
        &violation("FA-AA", "v1", &[("reason", "double-draw")]),
    )
    .unwrap();
}

/// A cap of one per site and quarter, and of one in four of the randomized families. Eight families: the third with a
/// violation makes 3/8 > 1/4; the second of a site in a quarter is more than one.
#[test]
fn caps_are_per_site_and_quarter_and_per_study() {
    let text = format!(
        "{}\n[violations]\ncap = {{ per_site_and_quarter = 1, study_share = 0.25 }}\n",
        wide()
    );
    let mut room = Room::open(&text);
    for (place, family) in FAMILIES.into_iter().enumerate() {
        let site = if place < 4 { "skarpnack" } else { "skarholmen" };
        room.enrol(DAY, &eligible(site, family, "R1")).unwrap();
    }
    let draw = [("reason", "double-draw")];
    let mut warned = |family: &str, on: &str, key: &str| -> Vec<&'static str> {
        let request = EventRequest {
            on: on.into(),
            ..violation(family, key, &draw)
        };
        let told = room.record("2025-12-01T09:00:00+01:00", &request).unwrap();
        let codes = told.warnings.iter().map(|warning| warning.code);
        codes
            .filter(|code| *code != "document-not-correct")
            .collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(warned("FA-AA", "2025-03-31", "a"), none);
    assert_eq!(warned("FA-BB", "2025-04-01", "b"), none, "the next quarter");
    assert_eq!(warned("FA-BB", "2025-07-01", "c"), none, "2 of 8 families");
    assert_eq!(
        warned("FA-EE", "2025-07-01", "d"),
        ["violation-cap"],
        "3 of 8 families, another site"
    );
    assert_eq!(
        warned("FA-FF", "2025-09-30", "e"),
        ["violation-cap", "violation-cap"]
    );
    let protocol = room.protocol.clone();
    let passed = alerts(&protocol, room.state());
    let site = protocol.site("skarholmen").unwrap() as u16;
    assert_eq!(
        passed,
        [
            Alert::Site {
                capped: Capped::Violations,
                site: SiteIx(site),
                quarter: (2025, 3),
                count: 2,
                cap: 1
            },
            Alert::Study {
                capped: Capped::Violations,
                families: 4,
                of: 8,
                share: 0.5,
                cap: 0.25
            },
        ]
    );
    let quarters = ["2025-03-31", "2025-04-01", "2025-06-30", "2025-12-31"];
    assert_eq!(
        quarters.map(|on| quarter(day(on)).unwrap()),
        [(2025, 1), (2025, 2), (2025, 2), (2025, 4)]
    );
}

/// Eight families. One has a violation, another one that is taken back and then, like a third with one that stands, is erased: of what is
/// erased the day is gone, and not that it was taken back. With 1/8 allowed, two families pass the cap, and one does not.
#[test]
fn a_violation_that_was_taken_back_counts_no_more_once_its_family_is_erased() {
    let text = format!(
        "{}\n[violations]\ncap = {{ study_share = 0.125 }}\n",
        wide()
    );
    let mut room = Room::open(&text);
    for family in FAMILIES {
        room.enrol(DAY, &eligible("skarpnack", family, "R1"))
            .unwrap();
    }
    let draw = [("reason", "double-draw")];
    for family in ["FA-AA", "FA-BB"] {
        room.record(LATER, &violation(family, "v", &draw)).unwrap();
    }
    let sequence = room.entries().last().unwrap().sequence.to_string();
    let mut back = event("corrected", "FA-BB", "2025-04-02", "k");
    back.set = [("sequence", sequence.as_str()), ("reason", "mistake")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec();
    room.record(LATER, &back).unwrap();
    let protocol = room.protocol.clone();
    let mut state = room.state().clone();
    let erase = |state: &mut State, family| {
        let what = What::Erased {
            family: FamilyIx(family),
        };
        let day = day("2025-04-30");
        apply(&protocol, state, &Event { day, what: &what });
        alerts(&protocol, state)
    };
    assert_eq!(alerts(&room.protocol, &state), []);
    assert_eq!(erase(&mut state, 1), [], "taken back");
    assert_eq!(erase(&mut state, 0), [], "one of eight");
    room.record(LATER, &violation("FA-CC", "v", &draw)).unwrap();
    let mut state = room.state().clone();
    for family in [0, 1, 2] {
        erase(&mut state, family);
    }
    let two = Alert::Study {
        capped: Capped::Violations,
        families: 2,
        of: 8,
        share: 0.25,
        cap: 0.125,
    };
    assert_eq!(alerts(&room.protocol, &state), [two]);
}

/// A, B, A on one report: the second and the third differ from one that came before. A screening of another report between
/// them hides nothing, and another report's answers are no change.
#[test]
fn changed_answers_are_compared_with_every_earlier_screening_of_the_report() {
    let mut room = Room::open(&wide());
    let mut screen = |report: &str, reports: &str| -> (bool, bool) {
        let mut request = eligible("skarpnack", "FA-AA", report);
        request.fields[0].1 = reports.into();
        // Never eligible, so that every screening is one of its own.
        request.answers[2].1 = "yes".into();
        let answer = room.enrol(DAY, &request).unwrap();
        let flagged = answer
            .warnings
            .iter()
            .any(|own| own.code == "answers-changed");
        (flagged, room.state().families[0].changed_answers)
    };
    assert_eq!(screen("R1", "3"), (false, false));
    assert_eq!(screen("R2", "4"), (false, false), "another report");
    assert_eq!(screen("R1", "3"), (false, false), "as before");
    assert_eq!(screen("R2", "4"), (false, false));
    assert_eq!(screen("R1", "5"), (true, true), "R1 was 3");
    assert_eq!(
        screen("R2", "4"),
        (false, true),
        "R2 never changed, the family did"
    );
    assert_eq!(screen("R1", "3"), (true, true), "R1 was 5");
    assert_eq!(screen("R3", "3"), (false, true));
    let changed = conduct(&room.protocol.clone(), room.state(), day("2025-12-31")).changed;
    assert_eq!(changed, [FamilyIx(0)]);
}

/// What differs between reports is told apart from what differs within one: R2 says another number than R1.
#[test]
fn answers_that_differ_between_reports_are_flagged_as_such() {
    let mut room = Room::open(&wide());
    let mut screen = |report: &str, reports: &str| -> Vec<&'static str> {
        let mut request = eligible("skarpnack", "FA-AA", report);
        request.fields[0].1 = reports.into();
        request.answers[2].1 = "yes".into();
        let answer = room.enrol(DAY, &request).unwrap();
        answer.warnings.iter().map(|own| own.code).collect()
    };
    assert_eq!(screen("R1", "3"), [""; 0]);
    assert_eq!(screen("R2", "4"), ["answers-differ"]);
    assert_eq!(screen("R2", "4"), [""; 0]);
    assert_eq!(screen("R2", "5"), ["answers-changed"]);
    let found = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
    assert_eq!(found.changed_between, [FamilyIx(0)]);
}

/// A child that was screened with a family that was not randomized comes back under another family name, as its child or as
/// the child that the family is called by: told at once, and both names are in the status. Under `turned_away = "final"` a
/// family that met a closed gate does not come back under another name either.
#[test]
fn a_family_that_comes_back_under_another_name_is_flagged() {
    let mut room = Room::open(&wide());
    let mut first = eligible("skarpnack", "FA-AA", "R1");
    first.children = vec!["BARN-AA".into()];
    first.answers[2].1 = "yes".into();
    assert_eq!(room.enrol(DAY, &first).unwrap().outcome, "not-eligible");
    let mut told = |family: &str, children: &[&str]| -> Vec<&'static str> {
        let mut request = eligible("skarpnack", family, &format!("{family}-2"));
        request.children = children.iter().map(|own| (*own).to_owned()).collect();
        let answer = room.enrol(DAY, &request).unwrap();
        assert_eq!(answer.outcome, "allocated");
        answer.warnings.iter().map(|own| own.code).collect()
    };
    assert_eq!(told("FA-CC", &["BARN-CC"]), [""; 0]);
    assert_eq!(told("BARN-AA", &[]), ["screened-before"]);
    assert_eq!(told("FA-BB", &["FA-AA"]), ["screened-before"]);
    let today = room.state().last_day;
    let status = lottning::app::status::status(room.desk.study(), today);
    let pair = |later: &str| (later.to_owned(), "FA-AA".to_owned());
    assert_eq!(status.two_names, [pair("BARN-AA"), pair("FA-BB")]);
}

/// A gate that closed on 3 March. That day and the one of the question have not been closed from morning to night: 0 whole days on the
/// 3rd and 4th, 1 (the 4th) on the 5th, 3 on the 7th. It opens on the 7th: still 3, whatever day it is asked.
#[test]
fn days_closed_are_whole_days_that_have_ended_and_never_fall() {
    let mut room = Room::open(crate::made_up::IUH);
    room.record(DAY, &capacity("c0", "0")).unwrap();
    let site = room.protocol.site("skarholmen").unwrap();
    let closed = |room: &mut Room, on: &str| {
        let status = lottning::app::status::status(room.desk.study(), day(on));
        assert_eq!((status.as_of.as_str(), status.enrolment), (on, "open"));
        let before = day(on).plus(-1).date().unwrap().to_string();
        assert_eq!(status.closed_until, before);
        status.sites[site].days_closed
    };
    for (on, days) in [
        ("2025-03-03", 0),
        ("2025-03-04", 0),
        ("2025-03-05", 1),
        ("2025-03-07", 3),
    ] {
        assert_eq!(closed(&mut room, on), days, "{on}");
    }
    room.record("2025-03-07T12:00:00+01:00", &capacity("c1", "1"))
        .unwrap();
    for on in ["2025-03-07", "2025-03-08", "2025-03-20"] {
        assert_eq!(closed(&mut room, on), 3, "{on}");
    }
}

#[test]
fn who_was_turned_away_for_good_comes_back_under_no_name() {
    let text = crate::made_up::IUH.replace("may-return", "final");
    let mut room = Room::open(&text);
    room.record(DAY, &capacity("c0", "0")).unwrap();
    let mut first = eligible("skarholmen", "FA-AA", "R1");
    first.children = vec!["BARN-AA".into()];
    assert_eq!(room.enrol(DAY, &first).unwrap().outcome, "gate-closed");
    room.record(DAY, &capacity("c1", "1")).unwrap();
    for (family, child) in [
        ("FA-BB", "BARN-AA"),
        ("BARN-AA", "BARN-DD"),
        ("FA-CC", "FA-AA"),
    ] {
        let mut request = eligible("skarholmen", family, "R2");
        request.children = vec![child.into()];
        let refused = room.enrol(DAY, &request).unwrap_err();
        assert_eq!(refused.code, "turned-away-for-good", "{family}");
        assert!(refused.message.en.contains("FA-AA"), "{refused:?}");
    }
}

/// A report is recognized by its key at one site, without any child: told at once, in the status, and refused under `turned_away =
/// "final"`. Once a family was drawn there with that key, as where each family's reports are numbered from 1, the key says nothing
/// without the day on which the report was received.
#[test]
fn a_report_that_comes_back_under_another_name_is_recognized_by_its_key() {
    let mut room = Room::open(&wide());
    let mut first = eligible("skarpnack", "FA-AA", "R7");
    first.answers[2].1 = "yes".into();
    assert_eq!(room.enrol(DAY, &first).unwrap().outcome, "not-eligible");
    let mut told = |site: &str, family: &str, key: &str| -> Vec<&'static str> {
        let answer = room.enrol(DAY, &eligible(site, family, key)).unwrap();
        assert_eq!(answer.outcome, "allocated");
        answer.warnings.iter().map(|own| own.code).collect()
    };
    assert_eq!(told("skarholmen", "FA-BB", "R7"), [""; 0], "another site");
    assert_eq!(told("skarpnack", "FA-CC", "R8"), [""; 0], "another key");
    assert_eq!(told("skarpnack", "FA-DD", "R7"), ["screened-before"]);
    let mut request = eligible("skarpnack", "FA-EE", "R7");
    request.received = "2025-02-28".into();
    let answer = room.enrol(DAY, &request).unwrap();
    assert_eq!(answer.warnings, [], "a key of many");
    let today = room.state().last_day;
    let status = lottning::app::status::status(room.desk.study(), today);
    assert_eq!(status.two_names, [("FA-DD".to_owned(), "FA-AA".to_owned())]);
    let found = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
    assert_eq!((found.came_back.len(), found.of_a_drawn.len()), (1, 0));

    let mut room = Room::open(&crate::made_up::IUH.replace("may-return", "final"));
    room.record(DAY, &capacity("c0", "0")).unwrap();
    let first = eligible("skarholmen", "FA-AA", "R7");
    assert_eq!(room.enrol(DAY, &first).unwrap().outcome, "gate-closed");
    room.record(DAY, &capacity("c1", "1")).unwrap();
    let head = room.journal().head;
    let refused = room
        .enrol(DAY, &eligible("skarholmen", "FA-BB", "R7"))
        .unwrap_err();
    assert_eq!((refused.exit, refused.code), (7, "turned-away-for-good"));
    assert!(refused.message.en.contains("report R7"), "{refused:?}");
    assert_eq!(room.journal().head, head, "nothing was recorded");
    let other = eligible("skarholmen", "FA-BB", "R8");
    assert_eq!(room.enrol(DAY, &other).unwrap().outcome, "allocated");
}

/// Whoever draws a family again under another name is told so, whatever comes of it, and the study lead sees the two: by the
/// report, of the same key and day at the same site, and by a child that was drawn with another family since.
#[test]
fn a_draw_that_may_be_a_repeated_one_is_told_and_listed() {
    let mut room = Room::open(&wide());
    let mut told = |family: &str, key: &str, child: Option<&str>, police: &str| {
        let mut request = eligible("skarpnack", family, key);
        request.children = child.into_iter().map(str::to_owned).collect();
        request.answers[2].1 = police.into();
        let answer = room.enrol(DAY, &request).unwrap();
        let codes: Vec<&str> = answer.warnings.iter().map(|own| own.code).collect();
        (answer.outcome, codes)
    };
    let none: Vec<&str> = Vec::new();
    assert_eq!(told("FA-AA", "R7", None, "no"), ("allocated", none.clone()));
    let again = vec!["drawn-before"];
    assert_eq!(
        told("FA-BB", "R7", None, "yes"),
        ("not-eligible", again.clone())
    );
    assert_eq!(
        told("FA-CC", "R7", None, "no"),
        ("allocated", again.clone())
    );
    let other = ("not-eligible", none);
    assert_eq!(told("FA-DD", "R8", Some("BARN-AA"), "yes"), other);
    let (outcome, codes) = told("FA-EE", "R9", Some("BARN-AA"), "no");
    assert_eq!((outcome, codes), ("allocated", vec!["screened-before"]));
    let (outcome, codes) = told("FA-DD", "R10", None, "no");
    assert_eq!(
        (outcome, codes),
        ("allocated", vec!["answers-differ", "drawn-before"])
    );
    let names = |families: &[FamilyIx]| -> Vec<u32> { families.iter().map(|own| own.0).collect() };
    let found = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
    // By their order: FA-BB and FA-CC came with the report of FA-AA, FA-DD after FA-EE was drawn with its child.
    assert_eq!(names(&found.of_a_drawn), [1, 2, 3]);
    assert_eq!(names(&found.came_back), [4]);
    let today = room.state().last_day;
    let status = lottning::app::status::status(room.desk.study(), today);
    assert_eq!(status.two_names, []);
    // Two names that are linked are one family, and no draw is a repeated one of another.
    for other in ["FA-BB", "FA-CC"] {
        let mut link = event("linked", "FA-AA", "2025-03-03", other);
        link.set = vec![("other".into(), other.into())];
        room.record(DAY, &link).unwrap();
    }
    let found = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
    assert_eq!(names(&found.of_a_drawn), [3]);
}

/// A report with the same key that came on another day was drawn in between: it hides neither draw of the first day's.
#[test]
fn a_later_draw_with_the_key_of_another_day_hides_no_repeated_one() {
    let mut room = Room::open(&wide());
    let mut told = |family: &str, received: &str| {
        let mut request = eligible("skarpnack", family, "K1");
        request.received = received.into();
        let answer = room.enrol(DAY, &request).unwrap();
        let codes: Vec<&str> = answer.warnings.iter().map(|own| own.code).collect();
        (answer.outcome, codes)
    };
    assert_eq!(told("FA-AA", "2025-03-01"), ("allocated", vec![]));
    assert_eq!(told("FA-BB", "2025-02-25"), ("allocated", vec![]));
    let again = ("allocated", vec!["drawn-before"]);
    assert_eq!(told("FA-CC", "2025-03-01"), again);
    assert_eq!(told("FA-DD", "2025-02-25"), again);
    assert_eq!(told("FA-EE", "2025-02-26"), ("allocated", vec![]));
    let found = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
    let listed: Vec<u32> = found.of_a_drawn.iter().map(|own| own.0).collect();
    assert_eq!(listed, [2, 3]);
}

/// A family that was turned back with one report and drawn with a later one came with both: whoever comes under another name with the
/// key and day of the first is told so too, as is who comes with those of a report that a drawn family came back with. A key that
/// others had on the same day, one of whom was turned back after it, hides nobody; another day is another report.
#[test]
fn a_report_that_a_drawn_family_was_turned_back_with_is_remembered() {
    let mut room = Room::open(&wide());
    let mut told = |family: &str, key: &str, received: &str, police: &str| {
        let mut request = eligible("skarpnack", family, key);
        request.received = received.into();
        request.answers[2].1 = police.into();
        let answer = room.enrol(DAY, &request).unwrap();
        let codes: Vec<&str> = answer.warnings.iter().map(|own| own.code).collect();
        (answer.outcome, codes)
    };
    let (first, other) = ("2025-02-25", "2025-03-01");
    let turned_back = |codes: &[&'static str]| ("not-eligible", codes.to_vec());
    let drawn = |codes: &[&'static str]| ("allocated", codes.to_vec());
    assert_eq!(told("FA-AA", "K1", first, "yes"), turned_back(&[]));
    let again = turned_back(&["screened-before"]);
    assert_eq!(told("FA-BB", "K1", first, "yes"), again);
    assert_eq!(told("FA-AA", "K2", other, "no"), drawn(&["answers-differ"]));
    // FA-BB was turned back with the report, and FA-AA is drawn.
    let both = drawn(&["screened-before", "drawn-before"]);
    assert_eq!(told("FA-CC", "K1", first, "no"), both);
    assert_eq!(told("FA-DD", "K1", other, "no"), drawn(&[]));
    assert_eq!(told("FA-AA", "K3", other, "no").0, "returned");
    assert_eq!(told("FA-EE", "K3", other, "no"), drawn(&["drawn-before"]));
    let found = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
    let listed: Vec<u32> = found.of_a_drawn.iter().map(|own| own.0).collect();
    // FA-BB, not drawn, came with the report of FA-AA, which is drawn now; so did FA-CC, and FA-EE with another of it.
    assert_eq!(listed, [1, 2, 4]);
}

/// Reports of drawn families are logged or imported, not screened: whoever comes to the site of the draw with the key and day of one
/// that the study has of a drawn family is told so as well, and listed. One that a correction retracted was none, whichever
/// came after it; another day or another site is another report; and nobody is let in by a report that is logged of somebody else.
#[test]
fn a_report_that_was_logged_of_a_drawn_family_is_remembered() {
    let mut room = Room::open(&wide());
    let told = |room: &mut Room, site: &str, family: &str, key: &str| {
        let mut request = eligible(site, family, key);
        request.received = "2025-03-02".into();
        let answer = room.enrol(DAY, &request).unwrap();
        assert_eq!(answer.outcome, "allocated");
        let codes: Vec<&str> = answer.warnings.iter().map(|own| own.code).collect();
        codes
    };
    let none: [&str; 0] = [];
    assert_eq!(told(&mut room, "skarpnack", "FA-AA", "K1"), none);
    for (key, on) in [
        ("K2", "2025-03-02"),
        ("K3", "2025-03-02"),
        ("K4", "2025-03-01"),
        ("K5", "2025-03-02"),
    ] {
        room.record(DAY, &event("report", "FA-AA", on, key))
            .unwrap();
    }
    let again = told(&mut room, "skarpnack", "FA-BB", "K2");
    assert_eq!(again, ["drawn-before"]);
    let other_day = told(&mut room, "skarpnack", "FA-CC", "K4");
    assert_eq!(other_day, none);
    let other_site = told(&mut room, "skarholmen", "FA-DD", "K2");
    assert_eq!(other_site, none);
    for key in ["K3", "K5"] {
        let named = format!("\"{key}\"");
        let row = room.entries().into_iter().rfind(|row| {
            let payload = row.payload.as_deref().unwrap_or_default();
            row.kind == "reported" && payload.contains(&named)
        });
        let sequence = row.unwrap().sequence.to_string();
        let mut back = event("corrected", "FA-AA", "2025-03-03", key);
        back.set = vec![
            ("sequence".into(), sequence),
            ("reason".into(), "mistake".into()),
        ];
        room.record(DAY, &back).unwrap();
    }
    let retracted = told(&mut room, "skarpnack", "FA-EE", "K3");
    assert_eq!(retracted, none);
    // One of them was of FA-BB.
    room.record(DAY, &event("report", "FA-BB", "2025-03-02", "K5"))
        .unwrap();
    let anew = told(&mut room, "skarpnack", "FA-FF", "K5");
    assert_eq!(anew, ["drawn-before"]);
    let found = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
    let listed: Vec<u32> = found.of_a_drawn.iter().map(|own| own.0).collect();
    // By their order, FA-BB and FA-FF.
    assert_eq!(listed, [1, 5]);

    let mut room = Room::open(&crate::made_up::IUH.replace("may-return", "final"));
    let request = |family: &str, received: &str| {
        let mut request = eligible("skarholmen", family, "K1");
        request.received = received.into();
        request
    };
    let (first, other) = ("2025-02-25", "2025-03-01");
    room.record(DAY, &capacity("c1", "9")).unwrap();
    assert_eq!(
        room.enrol(DAY, &request("FA-AA", other)).unwrap().outcome,
        "allocated"
    );
    room.record(DAY, &capacity("c0", "0")).unwrap();
    assert_eq!(
        room.enrol(DAY, &request("FA-BB", first)).unwrap().outcome,
        "gate-closed"
    );
    room.record(DAY, &capacity("c2", "9")).unwrap();
    room.record(DAY, &event("report", "FA-AA", first, "K1"))
        .unwrap();
    let refused = room.enrol(DAY, &request("FA-CC", first)).unwrap_err();
    assert_eq!(refused.code, "turned-away-for-good");
}

/// What docs/concealment.md says of a repeated request: another actor who gives it whole is told the arm, at whatever time, and no row
/// says so; with a part of it changed nothing is told; with another report the row says who came.
#[test]
fn another_actor_is_told_an_arm_by_the_whole_request_or_in_a_row() {
    let mut room = Room::open(&wide());
    let request = eligible("skarpnack", "FA-AA", "K1");
    let first = room.enrol_as("desk-a", DAY, &request).unwrap();
    assert_eq!((first.outcome, first.replayed), ("allocated", false));
    let rows = room.entries().len();
    for at in [DAY, LATER, "2025-03-01T09:00:00+01:00"] {
        let again = room.enrol_as("desk-b", at, &request).unwrap();
        let told = (again.outcome, again.replayed, &again.arm, again.allocation);
        assert_eq!(told, ("allocated", true, &first.arm, first.allocation));
    }
    let mut other = request.clone();
    other.received = "2025-02-28".into();
    let refused = room.enrol_as("desk-b", DAY, &other).unwrap_err();
    assert_eq!((refused.exit, refused.code), (6, "request-reused"));
    let arm = first.arm.as_deref().unwrap();
    let said = &refused.message.en;
    assert!(!said.contains(arm), "{said}");
    assert_eq!(room.entries().len(), rows);
    let report = eligible("skarpnack", "FA-AA", "K2");
    let came = room.enrol_as("desk-b", DAY, &report).unwrap();
    assert_eq!((came.outcome, &came.arm), ("returned", &first.arm));
    let written = room.entries().split_off(rows);
    let written = written.iter().map(|row| (row.kind.as_str(), &*row.actor));
    let both = [("returned", "desk-b"), ("reported", "desk-b")];
    assert_eq!(written.collect::<Vec<_>>(), both);
}

/// Who comes to a site with a report of 2 March 2025: what came of it, and what was warned of.
fn comes(
    room: &mut Room,
    (site, family): (&str, &str),
    key: &str,
    police: &str,
) -> (&'static str, Vec<&'static str>) {
    let mut request = eligible(site, family, key);
    request.received = "2025-03-02".into();
    request.answers[2].1 = police.into();
    let answer = room.enrol(DAY, &request).unwrap();
    let codes = answer.warnings.iter().map(|own| own.code).collect();
    (answer.outcome, codes)
}

/// Logs a report of 2 March 2025.
fn logs(room: &mut Room, family: &str, key: &str) {
    room.record(DAY, &event("report", family, "2025-03-02", key))
        .unwrap();
}

/// Imports it from a register.
fn imports(room: &mut Room, family: &str, key: &str) {
    let rows = format!("family,on,event_key\n{family},2025-03-02,{key}\n");
    assert_eq!(room.imports(DAY, &rows).recorded, 1);
}

fn links(room: &mut Room, family: &str, other: &str) {
    let mut link = event("linked", family, "2025-03-03", &format!("{family}-{other}"));
    link.set = vec![("other".into(), other.into())];
    room.record(DAY, &link).unwrap();
}

/// Retracts the row of a report with this key that came at this place among them, from 0.
fn retracts_report(room: &mut Room, family: &str, key: &str, place: usize) {
    let named = format!("\"{key}\"");
    let rows = room.entries().into_iter().filter(|row| {
        let payload = row.payload.as_deref().unwrap_or_default();
        row.kind == "reported" && payload.contains(&named)
    });
    let sequence = rows.map(|row| row.sequence).nth(place).unwrap();
    let mut back = event("corrected", family, "2025-03-03", &format!("{key}-{place}"));
    back.set = vec![
        ("sequence".into(), sequence.to_string()),
        ("reason".into(), "mistake".into()),
    ];
    room.record(DAY, &back).unwrap();
}

/// By their order, the families that may be drawn under two names.
fn drawn_twice(room: &mut Room) -> Vec<u32> {
    let found = conduct(&room.protocol.clone(), room.state(), day("2025-12-31"));
    found.of_a_drawn.iter().map(|own| own.0).collect()
}

/// A report that was logged of a family before its draw, or of a name that was found to be a drawn family's afterwards, is one of a
/// drawn family from then on: not before, and not where the family was not drawn.
#[test]
fn a_report_that_was_logged_before_the_draw_or_the_link_is_remembered() {
    let mut room = Room::open(&wide());
    let none = ("allocated", vec![]);
    let again = ("allocated", vec!["drawn-before"]);
    let here = |family| ("skarpnack", family);
    assert_eq!(
        comes(&mut room, here("FA-AA"), "K1", "yes").0,
        "not-eligible"
    );
    logs(&mut room, "FA-AA", "K2");
    logs(&mut room, "FA-AA", "K4");
    assert_eq!(comes(&mut room, here("FA-BB"), "K4", "no"), none);
    assert_eq!(comes(&mut room, here("FA-AA"), "K3", "no").0, "allocated");
    assert_eq!(comes(&mut room, here("FA-CC"), "K2", "no"), again);
    let elsewhere = ("skarholmen", "FA-DD");
    assert_eq!(comes(&mut room, elsewhere, "K2", "no"), none);

    // A name that was turned back elsewhere, and is one of FA-AA's from the link on.
    let elsewhere = ("skarholmen", "FA-EE");
    assert_eq!(comes(&mut room, elsewhere, "K5", "yes").0, "not-eligible");
    logs(&mut room, "FA-EE", "K6");
    logs(&mut room, "FA-EE", "K7");
    assert_eq!(comes(&mut room, here("FA-FF"), "K6", "no"), none);
    links(&mut room, "FA-AA", "FA-EE");
    assert_eq!(comes(&mut room, here("FA-GG"), "K7", "no"), again);
    let elsewhere = ("skarholmen", "FA-HH");
    assert_eq!(comes(&mut room, elsewhere, "K7", "no"), none);
    // FA-CC and FA-GG; FA-EE was named before FA-FF.
    assert_eq!(drawn_twice(&mut room), [2, 6]);
}

/// However many families have a report with one key and day before it, that of a drawn one is remembered: with none to sixteen before.
#[test]
fn a_report_is_remembered_behind_many_with_its_key_and_day() {
    let mut room = Room::open(&wide());
    let comes = |room: &mut Room, family: &str, key: &str, police: &str| {
        comes(room, ("skarpnack", family), key, police)
    };
    let name = |first: char, number: u8| format!("{first}A-A{}", char::from(b'A' + number));
    let drawn = name('D', 0);
    assert_eq!(comes(&mut room, &drawn, "K0", "no").0, "allocated");
    for before in 0..=16 {
        let key = format!("N{before}");
        let own = name('T', before);
        let turned_back = comes(&mut room, &own, "K1", "yes").0;
        assert_eq!(turned_back, "not-eligible");
        for other in 0..before {
            logs(&mut room, &name('T', other), &key);
        }
        logs(&mut room, &drawn, &key);
        let told = comes(&mut room, &name('C', before), &key, "no");
        assert_eq!(told, ("allocated", vec!["drawn-before"]), "{before}");
    }
}

/// A report that the log and a register have stands while one of them does.
#[test]
fn a_report_of_two_sources_is_remembered_until_both_are_retracted() {
    let mut room = Room::open(&wide());
    let none = ("allocated", vec![]);
    let again = ("allocated", vec!["drawn-before"]);
    let here = |family| ("skarpnack", family);
    assert_eq!(comes(&mut room, here("FA-AA"), "K1", "no"), none);
    for key in ["K2", "K3", "K4"] {
        logs(&mut room, "FA-AA", key);
        imports(&mut room, "FA-AA", key);
    }
    retracts_report(&mut room, "FA-AA", "K2", 0);
    retracts_report(&mut room, "FA-AA", "K3", 1);
    for place in [0, 1] {
        retracts_report(&mut room, "FA-AA", "K4", place);
    }
    assert_eq!(comes(&mut room, here("FA-BB"), "K2", "no"), again);
    assert_eq!(comes(&mut room, here("FA-CC"), "K3", "no"), again);
    assert_eq!(comes(&mut room, here("FA-DD"), "K4", "no"), none);
    assert_eq!(drawn_twice(&mut room), [1, 2]);
}

/// Two drawn names of one family: a report that is logged under either is of a family drawn at both sites, and at no third one.
#[test]
fn a_report_of_a_family_with_two_draws_is_remembered_where_each_was_made() {
    let mut room = Room::open(&wide());
    let none = ("allocated", vec![]);
    let again = ("allocated", vec!["drawn-before"]);
    let (first, second, third) = ("skarpnack", "skarholmen", "rinkeby-kista");
    assert_eq!(comes(&mut room, (first, "FA-AA"), "K1", "no"), none);
    assert_eq!(comes(&mut room, (second, "FA-BB"), "K1", "no"), none);
    links(&mut room, "FA-AA", "FA-BB");
    logs(&mut room, "FA-BB", "K2");
    logs(&mut room, "FA-AA", "K3");
    assert_eq!(comes(&mut room, (second, "FA-CC"), "K2", "no"), again);
    assert_eq!(comes(&mut room, (first, "FA-DD"), "K2", "no"), again);
    assert_eq!(comes(&mut room, (second, "FA-EE"), "K3", "no"), again);
    assert_eq!(comes(&mut room, (first, "FA-FF"), "K3", "no"), again);
    assert_eq!(comes(&mut room, (third, "FA-GG"), "K2", "no"), none);
    assert_eq!(comes(&mut room, (third, "FA-HH"), "K3", "no"), none);
    assert_eq!(drawn_twice(&mut room), [2, 3, 4, 5]);
}

/// A report that is logged of a drawn family after another one was drawn with it at the same site is told of where it is logged: the
/// screening of the other could not know it. Not so with another day, at another site, of a family that is not drawn, and of the report
/// that both came with, whose second screening was told of.
#[test]
fn a_report_that_another_family_was_drawn_with_is_told_of_where_it_is_logged() {
    let mut room = Room::open(&wide());
    let none = ("allocated", vec![]);
    let here = |family| ("skarpnack", family);
    assert_eq!(comes(&mut room, here("FA-AA"), "K1", "no"), none);
    assert_eq!(comes(&mut room, here("FA-BB"), "K2", "no"), none);
    assert_eq!(comes(&mut room, here("FA-CC"), "K3", "no"), none);
    assert_eq!(comes(&mut room, ("skarholmen", "FA-DD"), "K4", "no"), none);
    assert_eq!(
        comes(&mut room, here("FA-EE"), "K5", "yes").0,
        "not-eligible"
    );
    assert_eq!(
        comes(&mut room, here("FA-FF"), "K1", "no"),
        ("allocated", vec!["drawn-before"])
    );
    let mut told = |family: &str, on: &str, key: &str| {
        let receipt = room.record(DAY, &event("report", family, on, key)).unwrap();
        let told = receipt.warnings.into_iter();
        let told = told.filter(|own| own.code == "drawn-before");
        told.map(|own| own.message.en).collect::<Vec<_>>()
    };
    let (same, other) = ("2025-03-02", "2025-03-01");
    assert_eq!(
        told("FA-AA", same, "K2"),
        [
            "FA-BB, which is drawn, came with a report K2 that was received on the same day as this one of FA-AA to a site where FA-AA was drawn; both are kept"
        ]
    );
    for (family, on, key) in [
        ("FA-AA", other, "K3"),
        ("FA-AA", same, "K4"),
        ("FA-AA", same, "K5"),
        ("FA-AA", same, "K1"),
        ("FA-EE", same, "K3"),
    ] {
        let none: [&str; 0] = [];
        assert_eq!(told(family, on, key), none, "{family} {on} {key}");
    }
}

/// A drawn family that comes back with a report that another drawn family has is told of it there, since its log cannot say it later: the
/// other was drawn with it, came back with it (`returned`, or `joined` with a child who is new), or has it in its log. Not so with another
/// day, at another site, of a family that is not drawn, or with a report of its own. It tells no arm.
#[test]
fn a_report_that_another_family_has_is_told_of_where_a_drawn_family_comes_back_with_it() {
    let mut room = Room::open(&wide());
    let none = ("allocated", vec![]);
    let here = |family| ("skarpnack", family);
    for (family, key) in [("FA-AA", "K1"), ("FA-BB", "K2"), ("FA-CC", "K3")] {
        assert_eq!(comes(&mut room, here(family), key, "no"), none);
    }
    assert_eq!(comes(&mut room, ("skarholmen", "FA-DD"), "K4", "no"), none);
    let turned_back = comes(&mut room, here("FA-EE"), "K5", "yes").0;
    assert_eq!(turned_back, "not-eligible");
    logs(&mut room, "FA-CC", "K6");
    let mut came = |(site, family): (&str, &str), on: &str, key: &str, more: &[&str]| {
        let mut request = eligible(site, family, key);
        on.clone_into(&mut request.received);
        request.request_id = Some(format!("{family}-{key}-again"));
        let more = more.iter().map(|child| (*child).to_owned());
        request.children.extend(more);
        let answer = room.enrol(DAY, &request).unwrap();
        let told = answer.warnings.iter();
        let told = told.filter(|own| own.code == "drawn-before");
        let told: Vec<String> = told.map(|own| own.message.en.clone()).collect();
        // Of what it came with to the site of its draw, the log does not say it again.
        if site == "skarpnack" {
            let logged = room.record(DAY, &event("report", family, on, key));
            let after = logged.unwrap().warnings;
            assert!(after.iter().all(|own| own.code != "drawn-before"));
        }
        (answer.outcome, told)
    };
    let said = |own: &str, other: &str, key: &str| {
        vec![format!(
            "{other}, which is drawn too, has a report {key} at this site that was received on the same day as this one of {own}; both are kept"
        )]
    };
    let (same, other) = ("2025-03-02", "2025-03-01");
    let returned = |told: Vec<String>| ("returned", told);
    assert_eq!(
        came(here("FA-AA"), same, "K2", &[]),
        returned(said("FA-AA", "FA-BB", "K2"))
    );
    assert_eq!(
        came(here("FA-AA"), same, "K3", &["FA-AA-NEW"]),
        ("joined", said("FA-AA", "FA-CC", "K3"))
    );
    assert_eq!(
        came(here("FA-BB"), same, "K3", &[]),
        returned(said("FA-BB", "FA-AA", "K3"))
    );
    assert_eq!(
        came(here("FA-BB"), same, "K6", &[]),
        returned(said("FA-BB", "FA-CC", "K6"))
    );
    for (place, on, key) in [
        (here("FA-CC"), other, "K2"),
        (("skarholmen", "FA-CC"), same, "K1"),
        (here("FA-CC"), same, "K4"),
        (here("FA-CC"), same, "K5"),
        (here("FA-CC"), same, "K9"),
        (("skarholmen", "FA-DD"), same, "K4"),
    ] {
        assert_eq!(
            came(place, on, key, &[]),
            returned(vec![]),
            "{place:?} {on} {key}"
        );
    }
}

/// A key that somebody was drawn with on another day names a family that was turned back with it on this one, by the day.
#[test]
fn a_drawn_family_hides_none_that_was_turned_back_with_its_key_on_another_day() {
    let mut room = Room::open(&crate::made_up::IUH.replace("may-return", "final"));
    let request = |family: &str, received: &str| {
        let mut request = eligible("skarholmen", family, "K1");
        request.received = received.into();
        request
    };
    let (first, other) = ("2025-02-25", "2025-03-01");
    room.record(DAY, &capacity("c1", "9")).unwrap();
    let outcome = |room: &mut Room, family: &str, received: &str| {
        let answer = room.enrol(DAY, &request(family, received));
        answer.map_or_else(|refused| refused.code, |answer| answer.outcome)
    };
    assert_eq!(outcome(&mut room, "FA-AA", other), "allocated");
    room.record(DAY, &capacity("c0", "0")).unwrap();
    assert_eq!(outcome(&mut room, "FA-BB", first), "gate-closed");
    room.record(DAY, &capacity("c2", "9")).unwrap();
    assert_eq!(outcome(&mut room, "FA-CC", first), "turned-away-for-good");
    assert_eq!(outcome(&mut room, "FA-CC", "2025-02-26"), "allocated");
}

/// One of three drawn families was excepted twice before it was drawn: a third of three families, not two of five. With the cap
/// at 0.34 nothing is passed; with a fourth family excepted it is two of four.
#[test]
fn a_family_that_was_excepted_and_drawn_counts_once_in_the_share() {
    let text = wide().replace(
        "cap = { per_site_and_quarter = 1, study_share = 0.02 }",
        "cap = { study_share = 0.34 }",
    );
    let mut room = Room::open(&text);
    let reason = room.protocol.exceptions.reasons[0].id.clone();
    let mut excepted = |family: &str, key: &str| -> Vec<&'static str> {
        let mut request = eligible("skarpnack", family, key);
        request.exception = Some(reason.clone());
        let answer = room.enrol(DAY, &request).unwrap();
        assert_eq!(answer.outcome, "exception");
        answer.warnings.iter().map(|own| own.code).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(excepted("FA-AA", "R1"), none, "one of one shows nothing");
    excepted("FA-AA", "R2");
    for family in ["FA-AA", "FA-BB", "FA-CC"] {
        let request = eligible("skarpnack", family, "R3");
        assert_eq!(room.enrol(DAY, &request).unwrap().outcome, "allocated");
    }
    assert_eq!(alerts(&room.protocol.clone(), room.state()), []);
    let mut request = eligible("skarpnack", "FA-DD", "R1");
    request.exception = Some(reason);
    assert_eq!(
        room.enrol(DAY, &request).unwrap().warnings[0].code,
        "exception-cap"
    );
    let protocol = room.protocol.clone();
    assert_eq!(
        alerts(&protocol, room.state()),
        [Alert::Study {
            capped: Capped::Exceptions,
            families: 2,
            of: 4,
            share: 0.5,
            cap: 0.34
        }]
    );
}

/// Events with their `--set` values.
type After<'a> = &'a [(&'a str, &'a [(&'a str, &'a str)])];

/// Whatever happens to a family after its draw, the next family gets the next number of the stratum and of the study.
#[test]
fn a_drawn_number_is_never_returned() {
    let after: [After<'_>; 7] = [
        &[],
        &[("withdrawn", &[])],
        &[("not-started", &[]), ("closed", &[])],
        &[("violation", &[("reason", "found-ineligible")])],
        &[("violation", &[("reason", "double-draw")])],
        &[("switched", &[("arm", "iuh")]), ("declined", &[])],
        &[("death", &[])],
    ];
    for events in after {
        let mut room = Room::open(&wide());
        room.enrol(DAY, &eligible("skarpnack", "FA-AA", "R1"))
            .unwrap();
        room.enrol(DAY, &eligible("skarpnack", "FA-BB", "R1"))
            .unwrap();
        for (place, (what, set)) in events.iter().enumerate() {
            let mut request = violation("FA-BB", &format!("k{place}"), set);
            request.event = (*what).into();
            room.record(LATER, &request).unwrap();
        }
        follows(&mut room, 3, &format!("{events:?}"));
    }
    // An exception before a draw takes no number, and one that is claimed after the draw changes nothing.
    let mut room = Room::open(&wide());
    room.enrol(DAY, &eligible("skarpnack", "FA-AA", "R1"))
        .unwrap();
    let mut excepted = eligible("skarpnack", "FA-BB", "R1");
    excepted.exception = Some("court-order".into());
    assert_eq!(room.enrol(DAY, &excepted).unwrap().outcome, "exception");
    let mut late = eligible("skarpnack", "FA-AA", "R2");
    late.exception = Some("court-order".into());
    assert_eq!(room.enrol(DAY, &late).unwrap().outcome, "returned");
    assert_eq!(room.state().exceptions.len(), 1);
    follows(&mut room, 2, "an exception");
    // Corrections, links and erasures are rows that change what is read, never what was drawn.
    let on = day("2025-03-03");
    for what in [
        What::Corrected { sequence: 3, on },
        What::Linked {
            unit: FamilyIx(0),
            other: FamilyIx(1),
            on,
        },
        What::Erased {
            family: FamilyIx(1),
        },
    ] {
        let protocol = crate::made_up::protocol(&wide());
        let (_, mut state) = switched(&wide(), &[0, 1], &[]);
        let (draws, allocations) = (state.draws.clone(), state.allocations.clone());
        let on = day("2025-03-03");
        apply(
            &protocol,
            &mut state,
            &Event {
                day: on,
                what: &what,
            },
        );
        assert_eq!(
            (draws, allocations),
            (state.draws, state.allocations),
            "{what:?}"
        );
    }
}

/// The next family of the stratum gets this number, and its draw is the one before it plus one.
fn follows(room: &mut Room, number: u32, why: &str) {
    let answer = room
        .enrol(
            "2025-04-08T09:00:00+02:00",
            &eligible("skarpnack", "FA-ZZ", "R1"),
        )
        .unwrap();
    assert_eq!(answer.allocation, Some(number), "{why}");
    let last = room.state().allocations.last().copied().unwrap();
    assert_eq!(last.draw, number - 1, "{why}");
}

fn capacity(key: &str, therapists: &str) -> EventRequest {
    EventRequest {
        set: vec![("therapists".into(), therapists.into())],
        ..site_event("capacity-changed", "skarholmen", "2025-03-03", key)
    }
}

/// In ledger order and over all sites: who has screened changes no capacity and opens or closes no site, and the other way
/// round. A repetition of what was done before is answered, and a refusal leaves no trace.
#[test]
fn nobody_both_screens_families_and_changes_capacity() {
    let mut room = Room::open(&wide());
    let family = |name: &str| eligible("skarpnack", name, "R1");
    room.record_as("lead", DAY, &capacity("c1", "3")).unwrap();
    room.enrol_as("intake-1", DAY, &family("FA-AA")).unwrap();
    let head = room.journal().head;
    // Another site does not help.
    let closes = site_event("site-closed", "skarholmen", "2025-03-03", "s1");
    for refused in [
        room.record_as("intake-1", DAY, &capacity("c2", "0")),
        room.record_as("intake-1", DAY, &closes),
        room.enrol_as("lead", DAY, &family("FA-BB"))
            .map(|_| unreachable()),
        // A family that was randomized already is screened by nobody else either.
        room.enrol_as("lead", DAY, &eligible("skarpnack", "FA-AA", "R2"))
            .map(|_| unreachable()),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!((refused.exit, refused.code), (4, "duties-mixed"));
    }
    assert_eq!(room.journal().head, head);
    // The lead's own repetition, and the enroller's, are answered; other deeds are nobody's duty.
    assert!(
        room.record_as("lead", DAY, &capacity("c1", "3"))
            .unwrap()
            .replayed
    );
    assert!(
        room.enrol_as("intake-1", DAY, &family("FA-AA"))
            .unwrap()
            .replayed
    );
    room.record_as(
        "intake-1",
        LATER,
        &event("accepted", "FA-AA", "2025-04-01", "k"),
    )
    .unwrap();
    room.record_as("lead", LATER, &event("started", "FA-AA", "2025-04-01", "k"))
        .unwrap();
    room.record_as("lead", LATER, &closes).unwrap();
    room.enrol_as("intake-2", LATER, &family("FA-BB")).unwrap();
    let entries = room.entries();
    let protocol = room.protocol.clone();
    assert!(lottning::study::verify::verify(&protocol, &entries, &[], None).ok);
    // A ledger written by another program: the row that mixes the duties is named.
    for (sequence, actor) in [(3, "lead"), (2, "intake-1")] {
        let mut forged = entries.clone();
        forged[sequence - 1].actor = actor.into();
        let mut previous = lottning::study::journal::GENESIS;
        for row in &mut forged {
            row.hash = row.chained(&previous, &protocol.hash.0);
            previous = row.hash;
        }
        let verdict = lottning::study::verify::verify(&protocol, &forged, &[], None);
        let found: Vec<_> = verdict
            .findings
            .iter()
            .map(|own| (own.code, own.sequence))
            .collect();
        assert_eq!(found[0], ("duties-mixed", Some(3)), "{found:?}");
    }
}

/// For a result that must be an error.
fn unreachable() -> lottning::app::record::Receipt {
    panic!("it was not refused")
}

/// Turned away, the slot freed, screened again: drawn where families may return, refused where it is final.
#[test]
fn a_family_that_was_turned_away_returns_as_the_protocol_says() {
    for (word, returns) in [("may-return", true), ("final", false)] {
        let text = crate::made_up::IUH
            .replace("therapists = 2", "therapists = 0")
            .replace(
                "turned_away = \"may-return\"",
                &format!("turned_away = \"{word}\""),
            );
        let mut room = Room::open(&text);
        let request = eligible("skarholmen", "FA-AA", "R1");
        assert_eq!(room.enrol(DAY, &request).unwrap().outcome, "gate-closed");
        room.record(DAY, &capacity("c1", "1")).unwrap();
        for key in ["R1", "R2"] {
            let again = room.enrol(LATER, &eligible("skarholmen", "FA-AA", key));
            if returns {
                assert!(again.unwrap().arm.is_some());
            } else {
                let refused = again.unwrap_err();
                assert_eq!((refused.exit, refused.code), (7, "turned-away-for-good"));
            }
        }
        // Another family, with another report, is drawn in both.
        let other = room
            .enrol(LATER, &eligible("skarholmen", "FA-BB", "R3"))
            .unwrap();
        assert_eq!(other.outcome, "allocated");
    }
}

/// Drawn within two strata by earlier reports, below 4 and from 4 on. Four families with 3; one of them truly had 7. Its draw
/// stays the one that it was in its stratum, the next family with 7 is the first of the other stratum, and the baseline mean of
/// all is (3 + 3 + 3 + 7 + 7) / 5 = 4.6 where the values drawn with would give 3.8. A correction of the violation takes it back.
#[test]
fn analyses_read_the_true_value_and_draws_keep_the_one_drawn_with() {
    let text = wide()
        .replace("strata = [\"site\"]", "strata = [\"earlier_reports\"]")
        .replace(
            "id = \"earlier_reports\"",
            "cuts = [4]\nid = \"earlier_reports\"",
        );
    let mut room = Room::open(&text);
    for family in &FAMILIES[..4] {
        room.enrol(DAY, &eligible("skarpnack", family, "R1"))
            .unwrap();
    }
    let wrong = [
        ("reason", "wrong-stratum"),
        ("field", "earlier_reports"),
        ("value", "7"),
    ];
    room.record(LATER, &violation(FAMILIES[1], "v1", &wrong))
        .unwrap();
    let mut next = eligible("skarpnack", FAMILIES[4], "R1");
    next.fields[0].1 = "7".into();
    room.enrol(LATER, &next).unwrap();
    let places: Vec<(u32, u32)> = room
        .state()
        .allocations
        .iter()
        .map(|own| (own.stratum, own.draw))
        .collect();
    assert_eq!(places, [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)]);
    let mean = |state: &State, protocol: &lottning::protocol::Protocol| -> f64 {
        let table = lottning::analysis::baseline(protocol, state, day("2025-12-31"));
        let cells = table.rows[0].arms.iter().map(|cell| match cell {
            lottning::analysis::results::BaselineCell::Number { n, mean, .. } => {
                f64::from(*n) * mean
            }
            _ => 0.0,
        });
        cells.sum::<f64>() / 5.0
    };
    let protocol = room.protocol.clone();
    let mut state = room.state().clone();
    assert!((mean(&state, &protocol) - 4.6).abs() < 1e-12);
    // Rows: 1 opens, 2 to 9 enrol four families, 10 is the violation.
    let on = day("2025-05-01");
    let what = What::Corrected {
        sequence: 10,
        on: day("2025-03-03"),
    };
    apply(
        &protocol,
        &mut state,
        &Event {
            day: on,
            what: &what,
        },
    );
    assert!((mean(&state, &protocol) - 3.8).abs() < 1e-12);
}
