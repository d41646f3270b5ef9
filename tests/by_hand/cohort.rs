//! The families that a closed gate turned away, on cases that fit on paper.

use crate::in_memory::{Room, eligible, event, site_event};
use lottning::estimation::two_proportions::wilson;
use lottning::protocol::model::{Day, Summary};
use lottning::study::cohort::{CohortOutcome, cohort, families, masked, outcome};
use lottning::study::dataset::OutcomeValue;
use lottning::study::flow::flow;
use lottning::study::recording::EventRequest;

const CLOSED: &str = "2025-03-03T09:00:00+01:00";
const NOW: &str = "2026-04-01T09:00:00+02:00";

fn day(text: &str) -> Day {
    Day::of(text.parse().unwrap())
}

/// The gate of Skärholmen is closed on 3 March 2025, when five families come: windows 4 March 2025 to 3 March 2026. Then:
///
/// | family | what happens | in the cohort |
/// |---|---|---|
/// | AA | a report on day 1, and its index report again in the log | known, with a report |
/// | BB | a report on day 0 and one on day 366 | known, without |
/// | CC | screened for another report on 1 April, when a slot is free | randomized, not in it |
/// | DD | screened again on 1 April and not eligible | known, without |
/// | EE | leaves the register's coverage on 1 July | unknown |
/// | FF | turned away on 20 March 2026 | its window has not ended |
#[test]
fn windows_count_from_the_first_day_turned_away() {
    let text = crate::made_up::IUH.replace("therapists = 2", "therapists = 0");
    let mut room = Room::open(&text);
    for name in ["FA-AA", "FA-BB", "FA-CC", "FA-DD", "FA-EE"] {
        let answer = room
            .enrol(CLOSED, &eligible("skarholmen", name, "R1"))
            .unwrap();
        assert_eq!(answer.outcome, "gate-closed");
    }
    // Turned away twice: the first day counts.
    room.enrol(
        "2025-03-10T09:00:00+01:00",
        &eligible("skarholmen", "FA-AA", "R1"),
    )
    .unwrap();
    let capacity = |key: &str, therapists: &str| EventRequest {
        set: vec![("therapists".into(), therapists.into())],
        ..site_event("capacity-changed", "skarholmen", "2025-04-01", key)
    };
    room.record("2025-04-01T09:00:00+02:00", &capacity("c1", "1"))
        .unwrap();
    let back = room
        .enrol(
            "2025-04-01T10:00:00+02:00",
            &eligible("skarholmen", "FA-CC", "R2"),
        )
        .unwrap();
    assert_eq!(back.outcome, "allocated");
    let mut not = eligible("skarholmen", "FA-DD", "R1");
    not.answers[2].1 = "yes".into();
    let no = room.enrol("2025-04-01T11:00:00+02:00", &not).unwrap();
    assert_eq!(no.outcome, "not-eligible");
    room.record("2025-04-01T12:00:00+02:00", &capacity("c2", "0"))
        .unwrap();
    let late = room
        .enrol(
            "2026-03-20T09:00:00+01:00",
            &eligible("skarholmen", "FA-FF", "R1"),
        )
        .unwrap();
    assert_eq!(late.outcome, "gate-closed");
    for (what, family, on, key) in [
        ("report", "FA-AA", "2025-03-01", "R1"),
        ("report", "FA-AA", "2025-03-04", "R2"),
        ("report", "FA-BB", "2025-03-03", "R2"),
        ("report", "FA-BB", "2026-03-04", "R3"),
        ("left-coverage", "FA-EE", "2025-07-01", "x1"),
    ] {
        room.record(NOW, &event(what, family, on, key)).unwrap();
    }
    let (protocol, cut) = (room.protocol.clone(), day("2026-03-25"));
    let state = room.state().clone();
    let own = cohort(&protocol, &state, cut);
    assert_eq!(
        (own.ever, own.randomized, own.erased, own.families),
        (6, 1, 0, 5)
    );
    let site = protocol.site("skarholmen").unwrap();
    let CohortOutcome {
        known,
        unknown,
        not_yet,
        with_report,
        interval,
        ..
    } = own.outcomes[0].clone();
    assert_eq!((known, unknown, not_yet, with_report), (3, 1, 1, 1));
    assert_eq!(interval, Some(wilson(1, 3, 0.95).unwrap()));
    assert_eq!(
        own.outcomes.len(),
        1,
        "outcomes of service belong to randomized families"
    );
    assert_eq!(
        own.outcomes[0].sites[site].counts, None,
        "three families are masked"
    );
    let rows: Vec<_> = families(&state, cut)
        .map(|own| (own.family.0, own.on))
        .collect();
    let first = day("2025-03-03");
    assert_eq!(
        rows,
        [
            (0, first),
            (1, first),
            (3, first),
            (4, first),
            (5, day("2026-03-20"))
        ]
    );
    let count = |family| {
        let family = lottning::study::kernel::FamilyIx(family);
        outcome(&protocol, &state, cut, family, 0, Summary::Count)
    };
    assert_eq!(count(0), OutcomeValue::Known(1.0));
    assert_eq!(count(1), OutcomeValue::Known(0.0));
    assert_eq!(count(4), OutcomeValue::Unknown(Some(0.0)));
    assert_eq!(count(5), OutcomeValue::NotYet);
    // The flow adds up: turned away at last 4 (AA, BB, EE, FF), not eligible at last 1 (DD), randomized 1 (CC); the cohort
    // are those who were ever turned away and not randomized.
    let flow = flow(&protocol, &state, cut);
    let not_eligible: u32 = flow.not_eligible.iter().map(|reason| reason.families).sum();
    assert_eq!(
        (
            flow.screened,
            flow.turned_away,
            not_eligible,
            flow.randomized
        ),
        (6, 4, 1, 1)
    );
    assert_eq!(own.families, flow.turned_away + not_eligible);
    assert_eq!(own.ever, own.families + flow.randomized_after_turned_away);
    // BB proves to be AA, and DD's rows are erased: neither is followed on its own.
    let mut less = state.clone();
    for what in [
        lottning::study::kernel::What::Linked {
            unit: lottning::study::kernel::FamilyIx(0),
            other: lottning::study::kernel::FamilyIx(1),
            on: cut,
        },
        lottning::study::kernel::What::Erased {
            family: lottning::study::kernel::FamilyIx(3),
        },
    ] {
        let event = lottning::study::kernel::Event {
            day: cut,
            what: &what,
        };
        lottning::study::kernel::apply(&protocol, &mut less, &event);
    }
    let own_less = cohort(&protocol, &less, cut);
    assert_eq!(
        (
            own_less.ever,
            own_less.randomized,
            own_less.linked,
            own_less.erased,
            own_less.families
        ),
        (6, 1, 1, 1, 3)
    );
    // A day earlier than the first screening nobody was turned away; on the day itself five were.
    assert_eq!(cohort(&protocol, &state, day("2025-03-02")).ever, 0);
    assert_eq!(cohort(&protocol, &state, first).ever, 5);
}

/// Counts are masked from 1 to 4, as are their complements; one masked site alone could be had by subtraction.
#[test]
fn small_counts_of_a_site_are_masked_and_cannot_be_subtracted() {
    let shown =
        |sites: &[(u32, u32)]| -> Vec<bool> { masked(sites).iter().map(Option::is_some).collect() };
    assert_eq!(shown(&[(20, 10), (30, 15), (0, 0)]), [true, true, true]);
    assert_eq!(
        shown(&[(20, 20), (30, 0)]),
        [true, true],
        "none and all are no small counts"
    );
    // Four families; the smaller of the others goes with them, an empty site hides nothing.
    assert_eq!(
        shown(&[(4, 0), (30, 15), (20, 10), (0, 0)]),
        [false, true, false, true]
    );
    // One with a report; four without.
    assert_eq!(shown(&[(9, 1), (9, 5), (30, 15)]), [false, false, true]);
    // A site alone has no other to hide behind: the total is its own.
    assert_eq!(shown(&[(3, 1)]), [false]);
    assert_eq!(masked(&[(20, 10)]), [Some((20, 10))]);
}
