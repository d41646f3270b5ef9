//! The participant flow adds up, whatever happened.

use crate::made_up::{IUH, Numbers, Study, protocol};
use lottning::protocol::Protocol;
use lottning::protocol::model::{Day, Exit, Service};
use lottning::study::dataset;
use lottning::study::flow::{Flow, flow};
use lottning::study::kernel::{Answer, Command, Event, FamilyIx, SiteIx, What, apply};
use proptest::prelude::{ProptestConfig, any, proptest};

/// A study of arbitrary commands: enrolments with arbitrary answers, service, exits, capacity, corrections, links.
fn arbitrary(protocol: Protocol, number: u64, commands: usize) -> Study {
    let mut numbers = Numbers(number);
    let mut study = Study::new(protocol, number);
    let mut day = study.protocol.first_opening().plus(-3);
    for _ in 0..commands {
        day = day.plus(numbers.below(4) as i32);
        let families = study.state.families.len() as u64;
        let family = FamilyIx(numbers.below(families.max(1)) as u32);
        let on = day.plus(-(numbers.below(30) as i32));
        let site = SiteIx(numbers.below(study.protocol.sites.len() as u64) as u16);
        match numbers.below(17) {
            0..=7 => {
                let answers = if numbers.chance(80) {
                    1
                } else {
                    numbers.below(8)
                };
                let values = [numbers.below(6) as i64, 3, 0];
                study.enrol(day, usize::from(site.0), answers, &values);
            }
            8 => {
                study.again(day, family, site);
            }
            9 | 10 => {
                let service = Service::ALL[numbers.below(9) as usize];
                study.serve(family, service, on, day);
            }
            11 => {
                let exit = Exit::ALL[numbers.below(3) as usize];
                study.command(day, &Command::Record(What::Exited { family, exit, on }));
            }
            12 => {
                study.command(day, &Command::Record(What::Withdrawn { family, on }));
            }
            13 => {
                let therapists = numbers.below(4) as u32;
                let what = What::CapacityChanged {
                    site,
                    on: day,
                    therapists,
                };
                study.command(day, &Command::Record(what));
            }
            14 => {
                let sequence = 1 + numbers.below(study.state.sequence);
                study.command(day, &Command::Record(What::Corrected { sequence, on }));
            }
            15 => erase(&mut study, family),
            _ => {
                let other = FamilyIx(numbers.below(families.max(1)) as u32);
                // Whether drawn, turned away or never eligible: any two can be found to be one.
                let unit = family;
                let linked = What::Linked { unit, other, on };
                study.command(day, &Command::Record(linked));
            }
        }
    }
    study
}

/// As the fold of a ledger whose rows of a family are erased: it is known from the first of them on, and its days are gone.
fn erase(study: &mut Study, family: FamilyIx) {
    let what = What::Erased { family };
    let day = study.state.last_day;
    let event = Event { day, what: &what };
    apply(&study.protocol, &mut study.state, &event);
}

fn adds_up(study: &Study, cut: Day) -> Flow {
    let flow = flow(&study.protocol, &study.state, cut);
    let not_eligible: u32 = flow.not_eligible.iter().map(|reason| reason.families).sum();
    let exceptions: u32 = flow.exceptions.iter().map(|reason| reason.families).sum();
    assert_eq!(
        flow.screened,
        not_eligible + flow.turned_away + exceptions + flow.reason_erased + flow.randomized
    );
    assert!(flow.screenings >= flow.screened);
    assert_eq!(flow.randomized as usize, study.state.allocations.len());
    assert_eq!(
        flow.randomized,
        flow.arms.iter().map(|arm| arm.allocated).sum::<u32>()
    );
    for arm in &flow.arms {
        let ended = arm.withdrawn + arm.death + arm.all_children_18 + arm.left_coverage;
        let in_time = arm.followed + arm.under_follow_up + ended;
        assert_eq!(arm.allocated, in_time + arm.linked + arm.erased);
        assert!(arm.after_cut <= arm.under_follow_up + ended);
    }
    let drawn: usize = flow.sites.iter().map(|site| site.randomized.len()).sum();
    assert_eq!(drawn, flow.randomized as usize);
    let turned_away: u32 = flow.sites.iter().map(|site| site.turned_away).sum();
    assert_eq!(turned_away, flow.turned_away);
    for site in &flow.sites {
        let mut before = None;
        for (from, to) in &site.gate_closed {
            assert!(from <= to && *from >= site.opened && *to <= cut);
            assert!(before.is_none_or(|before| before < *from));
            // Nobody is randomized on a day on which the gate was closed from morning to night.
            assert!(!site.randomized.iter().any(|day| from <= day && day <= to));
            before = Some(*to);
        }
    }
    // What is not in the data set is said.
    let mut units = Vec::new();
    dataset::units(&study.state, cut, &mut units);
    for arm in &flow.arms {
        let own = units.iter().filter(|own| own.arm == arm.arm).count() as u32;
        let without = arm.linked + arm.erased + arm.after_cut;
        assert_eq!(own, arm.allocated - without);
    }
    flow
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_flow_adds_up_at_every_node(number in any::<u64>(), commands in 0usize..400) {
        let study = arbitrary(protocol(IUH), number, commands);
        for cut in [study.state.last_day, study.state.last_day.plus(-60), Day(22_000)] {
            adds_up(&study, cut);
        }
    }
}

#[test]
fn closed_days_are_whole_days_between_the_last_slot_and_the_first_free_one() {
    // One therapist with three slots at one site (the first), every family drawn to the gate's arm takes one.
    let text = IUH.replace("therapists = 2", "therapists = 1");
    let mut study = Study::new(protocol(&text), 5);
    let first = study.protocol.first_opening();
    let mut served = Vec::new();
    let mut closed = None;
    for passed in 0..200 {
        let day = first.plus(passed);
        if let Some((family, Answer::Allocated { .. })) = study.enrol(day, 0, 1, &[3, 3, 0]) {
            served.push(family);
        }
        if !study.state.gate_open(SiteIx(0)) {
            closed = Some(day);
            break;
        }
    }
    let closed = closed.expect("three families of 200 are drawn to the arm");
    let holding = served
        .into_iter()
        .find(|family| study.state.family(*family).unwrap().slot)
        .unwrap();
    // Full on day c, free again on day c + 9: the days c + 1 to c + 8 were closed from morning to night, eight of them.
    study.serve(holding, Service::Closed, closed.plus(9), closed.plus(9));
    let flow = adds_up(&study, closed.plus(30));
    assert_eq!(
        flow.sites[0].gate_closed,
        [(closed.plus(1), closed.plus(8))]
    );
    assert_eq!(flow.sites[0].days_closed(), 8);
    assert!(flow.sites[1].gate_closed.is_empty());
}

#[test]
fn a_family_ends_by_what_happened_first() {
    let mut study = Study::new(protocol(IUH), 9);
    let day = study.protocol.first_opening();
    let mut families = Vec::new();
    for site in 0..5 {
        let (family, answer) = study.enrol(day, site, 1, &[3, 3, 0]).unwrap();
        assert!(matches!(answer, Answer::Allocated { .. }));
        families.push(family);
    }
    let late = day.plus(400);
    let exit = |study: &mut Study, family, exit, on: i32| {
        let on = day.plus(on);
        study.command(late, &Command::Record(What::Exited { family, exit, on }));
    };
    // 0: left, then died: left counts. 1: died on the day of leaving: the death counts. 2: left after its last window
    // of 365 days: followed. 3: withdrew. 4: nothing.
    exit(&mut study, families[0], Exit::LeftCoverage, 100);
    exit(&mut study, families[0], Exit::Death, 101);
    exit(&mut study, families[1], Exit::LeftCoverage, 50);
    exit(&mut study, families[1], Exit::Death, 50);
    exit(&mut study, families[2], Exit::LeftCoverage, 366);
    let on = day.plus(10);
    study.command(
        late,
        &Command::Record(What::Withdrawn {
            family: families[3],
            on,
        }),
    );
    let flow = adds_up(&study, late);
    let sum =
        |of: fn(&lottning::study::flow::ArmFlow) -> u32| flow.arms.iter().map(of).sum::<u32>();
    assert_eq!(sum(|arm| arm.left_coverage), 1);
    assert_eq!(sum(|arm| arm.death), 1);
    assert_eq!(sum(|arm| arm.withdrawn), 1);
    assert_eq!(sum(|arm| arm.followed), 2);
    // At a cut on day 60 the first had not left yet.
    let early = adds_up(&study, day.plus(60));
    let sum =
        |of: fn(&lottning::study::flow::ArmFlow) -> u32| early.arms.iter().map(of).sum::<u32>();
    assert_eq!(
        (sum(|arm| arm.left_coverage), sum(|arm| arm.under_follow_up)),
        (0, 3)
    );
}

/// Of eight families one withdraws and is then erased, one is erased, and one proves to be another: none of the three was followed to
/// the end, and without them the arms have those of the data set.
#[test]
fn who_is_erased_or_drawn_before_is_not_followed_to_the_end() {
    let text = IUH.replace("therapists = 2", "therapists = 30");
    let mut study = Study::new(protocol(&text), 9);
    let day = study.protocol.first_opening();
    let mut families = Vec::new();
    for _ in 0..8 {
        let enrolled = study.enrol(day, 0, 1, &[3, 3, 0]);
        families.push(enrolled.unwrap().0);
    }
    let late = day.plus(400);
    let record = |study: &mut Study, what| study.command(late, &Command::Record(what));
    let on = day.plus(10);
    let family = families[0];
    record(&mut study, What::Withdrawn { family, on });
    let (unit, other) = (families[2], families[5]);
    record(&mut study, What::Linked { unit, other, on });
    for family in [families[0], families[1]] {
        erase(&mut study, family);
    }
    let flow = adds_up(&study, late);
    let counts = flow.arms.iter().map(|own| {
        [
            own.followed,
            own.withdrawn,
            own.linked,
            own.erased,
            own.after_cut,
        ]
    });
    let all = counts.fold([0; 5], |all, own| {
        std::array::from_fn(|place| all[place] + own[place])
    });
    assert_eq!(all, [5, 0, 1, 2, 0]);
}
