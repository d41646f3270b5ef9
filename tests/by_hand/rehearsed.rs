//! What a rehearsal adds to a simulated study, whatever its draws are.

use lottning::allocation::{Mode, Seed};
use lottning::planning::rehearsal::{Step, scenario_of, steps};
use lottning::planning::scenario::plan;
use lottning::study::kernel::{
    ChildIx, Command, Enrolment, FamilyIx, RecordedSource, Report, What,
};

/// The steps of rehearsals of a month, of twenty worlds.
fn rehearsals(text: &str) -> Vec<Vec<Step>> {
    let protocol = crate::made_up::protocol(text);
    let months = ["accrual.months=1".to_owned()];
    let planned = plan(&scenario_of(&protocol), text, &months).unwrap();
    let of = |seed| {
        let arms = Seed::from_bytes([9; 32]);
        let source = RecordedSource::new(Mode::Rehearsal, arms, Vec::new());
        steps(&planned.cells[0], seed, source).unwrap()
    };
    (1..=20).map(of).collect()
}

fn enrolment(step: &Step) -> Option<Enrolment> {
    match step.command {
        Command::Enrol(own) => Some(own),
        _ => None,
    }
}

fn report(step: &Step) -> Option<Report> {
    match step.command {
        Command::Record(What::Reported(own)) => Some(own),
        _ => None,
    }
}

/// The children that a family was named with first.
fn roster(steps: &[Step], family: FamilyIx) -> Vec<ChildIx> {
    let mut enrolments = steps.iter().filter_map(enrolment);
    let first = enrolments.find(|own| own.family == family).unwrap();
    first.children.as_slice().to_vec()
}

/// The first report of a rehearsal is seen by reception too, and brings a child whom nobody had named beside those that the family was
/// drawn with: that a family comes back, and that a sibling joins, is seen in every rehearsal with a report.
#[test]
fn the_first_report_of_a_rehearsal_brings_a_sibling() {
    let mut seen = 0;
    for steps in rehearsals(crate::made_up::IUH) {
        let Some(place) = steps.iter().position(|step| report(step).is_some()) else {
            continue;
        };
        seen += 1;
        let first = report(&steps[place]).unwrap();
        let before = roster(&steps, first.family);
        let again = enrolment(&steps[place + 1]).unwrap();
        assert_eq!((again.family, again.report), (first.family, first.report));
        let (new, own) = again.children.as_slice().split_last().unwrap();
        assert_eq!(own, before);
        let named = steps[..place].iter().filter_map(enrolment);
        let mut named = named.flat_map(|own| own.children.as_slice().to_vec());
        assert!(named.all(|own| own != *new));
    }
    assert!(seen > 0);
}

/// Where the protocol wants to know whom a report is on, it names a child that its family was drawn with, in turns: every child of a
/// family is named by some. A protocol that does not want it has no child in any.
#[test]
fn a_report_of_a_rehearsal_names_a_child_where_the_protocol_wants_it() {
    let unwanted = crate::made_up::IUH.replace(", \"child\"]", "]");
    let (mut named, mut places) = (0, std::collections::BTreeSet::new());
    for steps in rehearsals(crate::made_up::IUH) {
        for own in steps.iter().filter_map(report) {
            let roster = roster(&steps, own.family);
            let child = own.child.unwrap();
            places.insert(roster.iter().position(|other| *other == child).unwrap());
            named += 1;
        }
    }
    assert!(named > 0 && places.len() > 1, "{places:?}");
    for steps in rehearsals(&unwanted) {
        let mut reports = steps.iter().filter_map(report);
        assert!(reports.all(|own| own.child.is_none()));
    }
}
