//! A look while windows are open: an outcome is there when its window has ended, and not before, whatever became of the family.

use crate::made_up::{Study, protocol};
use crate::registered::{estimand, near, with};
use lottning::analysis::results::AnalysisResult;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::protocol::model::{Day, Exit, Service};
use lottning::study::kernel::{Command, FamilyIx, What};

/// Day on which everything is recorded.
const RECORDED: i32 = 900;

/// Six families drawn on day 0 at one site and six on a later day at another, three of each arm on both days.
struct Two {
    study: Study,
    day: Day,
    /// Treated and control families of the first and of the later day.
    early: [Vec<FamilyIx>; 2],
    later: [Vec<FamilyIx>; 2],
}

impl Two {
    fn new(analysis: &str, second: i32) -> Self {
        let mut study = Study::new(protocol(&with(analysis)), 3);
        let day = study.protocol.first_opening();
        let mut drawn = |site: usize, on: i32| {
            let all: Vec<FamilyIx> = (0..6)
                .map(|k| study.enrol(day.plus(on), site, 1, &[2, k, 0]).unwrap().0)
                .collect();
            let control = study.protocol.control;
            let arm = |family: &FamilyIx| study.state.family(*family).unwrap().arm;
            let (control, treated): (Vec<FamilyIx>, Vec<FamilyIx>) =
                all.iter().partition(|family| arm(family) == control);
            assert_eq!((treated.len(), control.len()), (3, 3));
            [treated, control]
        };
        let (early, later) = (drawn(0, 0), drawn(1, second));
        Self {
            study,
            day,
            early,
            later,
        }
    }

    fn report(&mut self, family: FamilyIx, on: i32) {
        let recorded = self.day.plus(RECORDED);
        self.study.report(family, self.day.plus(on), recorded);
    }

    fn exit(&mut self, family: FamilyIx, exit: Exit, on: i32) {
        let on = self.day.plus(on);
        let command = Command::Record(What::Exited { family, exit, on });
        let recorded = self.day.plus(RECORDED);
        self.study.command(recorded, &command).expect("an exit");
    }

    fn closed(&mut self, family: FamilyIx, on: i32) {
        let recorded = self.day.plus(RECORDED);
        let on = self.day.plus(on);
        self.study.serve(family, Service::Closed, on, recorded);
    }

    /// The result of `own` at a cut.
    fn at(&self, cut: i32) -> AnalysisResult {
        let (protocol, state) = (&self.study.protocol, &self.study.state);
        let plan = Plan::registered(protocol, 1);
        let cut = self.day.plus(cut);
        let found = run(protocol, state, &plan, cut, &RunSettings::default());
        found.analyses.into_iter().nth(1).unwrap()
    }
}

/// Analysed, unknown (left out or given by the rule) and not yet there: of the treated and of control.
fn counts(found: &AnalysisResult) -> [[u32; 3]; 2] {
    let of = |arm: &lottning::analysis::results::ArmOutcome| {
        [arm.analysed, arm.missing + arm.by_rule, arm.not_yet]
    };
    [of(&found.arms[0]), of(&found.arms[1])]
}

/// Drawn on day 0: a report in one of three treated families and in one of three of control, one of which, without any, left
/// on day 100. Drawn on day 200, all treated: one left on day 250, one died on day 260, and one stays.
fn left(analysis: &str) -> Two {
    let mut two = Two::new(analysis, 200);
    let ([reported, ..], [other, gone, ..]) = (&two.early[0][..], &two.early[1][..]) else {
        panic!("three of each arm");
    };
    let (reported, other, gone) = (*reported, *other, *gone);
    two.report(reported, 10);
    two.report(other, 10);
    two.exit(gone, Exit::LeftCoverage, 100);
    let (leaves, dies) = (two.later[0][0], two.later[0][1]);
    two.exit(leaves, Exit::LeftCoverage, 250);
    two.exit(dies, Exit::Death, 260);
    two
}

/// Windows end on days 365 and 565. At a look on day 400 those of the first six have ended: 1 of 3 treated families, 1 of the
/// 2 of control that are known, −1/6, also weighted (no covariates); at the bounds the one that left had a report or none:
/// 1/3 − 2/3 and 1/3 − 1/3. Who left or died in an open window stands beside those who stay: not yet. On day 565 all windows
/// have ended: 1 of 5 treated (the death is known, without a report), 1 of 5 of control.
#[test]
fn who_leaves_an_open_window_is_not_yet_known() {
    let rows = "missing = { primary = \"complete-case\", sensitivity = [\"inverse-probability-of-censoring\", \"manski\"] }\n";
    let risk = estimand("risk-difference", "treatment-policy");
    let two = left(&format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\n{rows}{risk}"
    ));
    let look = two.at(400);
    assert_eq!(counts(&look), [[3, 0, 3], [2, 1, 3]]);
    near(look.results[0].estimate, 1.0 / 3.0 - 0.5);
    let beside = |name: &str| -> Vec<Option<f64>> {
        let rows = look.results.iter();
        rows.filter(|row| row.extra.get("sensitivity").is_some_and(|own| own == name))
            .map(|row| row.estimate)
            .collect()
    };
    near(
        beside("inverse-probability-of-censoring")[0],
        1.0 / 3.0 - 0.5,
    );
    let bounds = beside("manski");
    near(bounds[0], -1.0 / 3.0);
    near(bounds[1], 0.0);
    assert_eq!(counts(&two.at(564)), [[3, 0, 3], [2, 1, 3]]);
    let all = two.at(565);
    assert_eq!(counts(&all), [[5, 1, 0], [5, 1, 0]]);
    near(all.results[0].estimate, 0.0);
}

/// The same families by the mean over their children (one each, whom no report names), and by whether service was accepted
/// and started, where the rule gives those who left a no.
#[test]
fn children_and_rules_wait_for_the_window_too() {
    let risk = estimand("risk-difference", "treatment-policy");
    let rest = format!("summary = \"any\"\nestimator = \"linear\"\n{risk}");
    let missing = "missing = { primary = \"complete-case\" }\n";
    let two = left(&format!(
        "outcome = \"rereport\"\nchildren = \"family-average\"\n{missing}{rest}"
    ));
    assert_eq!(counts(&two.at(400)), [[3, 0, 3], [2, 1, 3]]);
    assert_eq!(counts(&two.at(565)), [[5, 1, 0], [5, 1, 0]]);
    let two = left(&format!(
        "outcome = \"accepted\"\nestimator = \"linear\"\nmissing = {{ primary = \"not-accepted\" }}\n{risk}"
    ));
    assert_eq!(counts(&two.at(400)), [[3, 0, 3], [3, 1, 3]]);
    assert_eq!(counts(&two.at(565)), [[6, 1, 0], [6, 1, 0]]);
}

/// Horizon 122 days, drawn on days 0 and 300. The first six: closed after 40, 60 and 80 days if treated, after 100, 110 and
/// never (122) if not: 60 − 332/3 = −152/3. Of the later six all treated ones are closed after 20 days and one of control after
/// 10. A look on day 350 has the first six alone; were the closed ones known, it would be 240/6 − 342/4 = −45.5. On day 422 all
/// are known: 240/6 − (332 + 10 + 122 + 122)/6 = 40 − 586/6 = −173/3.
#[test]
fn a_short_duration_does_not_come_before_a_long_one() {
    let mut two = Two::new(
        &format!(
            "outcome = \"investigation_days\"\nestimator = \"linear\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
            estimand("difference", "treatment-policy")
        ),
        300,
    );
    let [treated, control] = two.early.clone();
    for (family, on) in treated.into_iter().zip([40, 60, 80]) {
        two.closed(family, on);
    }
    for (family, on) in control.into_iter().zip([100, 110]) {
        two.closed(family, on);
    }
    let [treated, control] = two.later.clone();
    for family in treated {
        two.closed(family, 320);
    }
    two.closed(control[0], 310);
    for cut in [350, 421] {
        let look = two.at(cut);
        assert_eq!(counts(&look), [[3, 0, 3], [3, 0, 3]]);
        near(look.results[0].estimate, -152.0 / 3.0);
    }
    let all = two.at(422);
    assert_eq!(counts(&all), [[6, 0, 0], [6, 0, 0]]);
    near(all.results[0].estimate, -173.0 / 3.0);
}
