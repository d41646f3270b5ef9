//! Registered analyses of times, rates, repeated events, bounds, weights and complier effects on four to eight families.

use crate::made_up::{IUH, Study, protocol};
use lottning::allocation::Arm;
use lottning::analysis::results::AnalysisResult;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::protocol::model::{Day, Exit, Received, Service, Summary};
use lottning::study::conduct::direction;
use lottning::study::course::course;
use lottning::study::dataset::{OutcomeValue, outcome};
use lottning::study::flow::flow;
use lottning::study::happenings::happenings;
use lottning::study::kernel::{Command, FamilyIx, What};
use lottning::study::uptake::received;

/// The shipped protocol with a stick of 1 and one more analysis, `own`, in place of the secondary one.
pub(crate) fn with(analysis: &str) -> String {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let text = format!(
        "{}[[analysis]]\nid = \"own\"\nlock = \"final\"\nrole = \"secondary\"\n{analysis}\n",
        &IUH[..start]
    );
    text.replace("max_imbalance = 4", "max_imbalance = 1")
}

pub(crate) fn estimand(measure: &str, strategy: &str) -> String {
    format!(
        "estimand = {{ population = \"all\", strategy = \"{strategy}\", measure = \"{measure}\" }}\n"
    )
}

/// Families on one day at one site, treated ones first, with the day.
pub(crate) struct Few {
    pub(crate) study: Study,
    pub(crate) treated: Vec<FamilyIx>,
    pub(crate) control: Vec<FamilyIx>,
    pub(crate) day: Day,
}

pub(crate) const LATE: i32 = 500;

pub(crate) fn few(analysis: &str, families: usize) -> Few {
    few_of(&with(analysis), families)
}

fn few_of(text: &str, families: usize) -> Few {
    let mut study = Study::new(protocol(text), 3);
    let day = study.protocol.first_opening();
    let all: Vec<FamilyIx> = (0..families)
        .map(|k| study.enrol(day, 0, 1, &[2, k as i64 % 17, 0]).unwrap().0)
        .collect();
    let arm = |family: &FamilyIx| study.state.family(*family).unwrap().arm;
    let control = study.protocol.control;
    let (control, treated): (Vec<FamilyIx>, Vec<FamilyIx>) =
        all.iter().partition(|family| arm(family) == control);
    assert_eq!(control.len(), treated.len());
    Few {
        study,
        treated,
        control,
        day,
    }
}

impl Few {
    pub(crate) fn report(&mut self, family: FamilyIx, on: i32) {
        let late = self.day.plus(LATE);
        self.study.report(family, self.day.plus(on), late);
    }

    pub(crate) fn exit(&mut self, family: FamilyIx, exit: Exit, on: i32) {
        let on = self.day.plus(on);
        let command = Command::Record(What::Exited { family, exit, on });
        self.study
            .command(self.day.plus(LATE), &command)
            .expect("an exit");
    }

    /// The result of `own`.
    pub(crate) fn run(&self) -> AnalysisResult {
        let (protocol, state) = (&self.study.protocol, &self.study.state);
        let plan = Plan::registered(protocol, 1);
        let late = self.day.plus(LATE);
        let found = run(protocol, state, &plan, late, &RunSettings::default());
        found.analyses.into_iter().nth(1).unwrap()
    }
}

#[track_caller]
pub(crate) fn near(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

/// Treated: two reports on day 10, then followed to the end; the other left the city on day 100. Control: a report on day
/// 20 and a death on day 50; the other a report on day 200.
fn lived(analysis: &str) -> Few {
    let mut few = few(analysis, 4);
    let [a, b, c, d] = [
        few.treated[0],
        few.treated[1],
        few.control[0],
        few.control[1],
    ];
    few.report(a, 10);
    few.report(a, 10);
    few.exit(b, Exit::LeftCoverage, 100);
    few.report(c, 20);
    few.exit(c, Exit::Death, 50);
    few.report(d, 200);
    few
}

/// Without a report everything is 0: the model fits exactly, there is no p, and that is said. With one report it is not.
#[test]
fn without_variation_there_is_no_test() {
    let mut few = few(
        &format!(
            "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
            estimand("risk-difference", "treatment-policy")
        ),
        8,
    );
    let said = |found: &AnalysisResult| {
        let own = found.warnings.iter();
        own.filter(|own| own.code == "no-variation").count()
    };
    let found = few.run();
    near(found.results[0].estimate, 0.0);
    assert_eq!(found.results[0].p_value, None);
    assert_eq!(said(&found), 1, "{:?}", found.warnings);
    let treated = few.treated[0];
    few.report(treated, 20);
    assert_eq!(said(&few.run()), 0);
}

#[test]
fn the_mean_number_of_reports_counts_both_of_one_day() {
    let few = lived(&format!(
        "outcome = \"rereport\"\nsummary = \"count\"\nestimator = \"mean-cumulative-count\"\nmissing = {{ primary = \"censoring\" }}\n{}",
        estimand("difference", "treatment-policy")
    ));
    let found = few.run();
    // Treated: two families at risk on day 10, two reports: 2/2 = 1. Control (Ghosh & Lin): 1/2 on day 20; S(200−) = ½
    // after the death of one of two; ½ · 1/1 on day 200: together 1.
    near(found.results[0].estimate, 0.0);
    near(found.results[1].estimate, 1.0);
    near(found.results[2].estimate, 1.0);
    assert_eq!(found.arms[0].by_rule + found.arms[1].by_rule, 1);
    assert_eq!(found.used.estimator, "mean-cumulative-count");
    assert_eq!(found.used.columns[0].0, "time");
    assert!(found.used.options.contains(&("horizon", "365".to_owned())));
}

#[test]
fn times_to_the_first_report_compete_with_death() {
    let few = lived(&format!(
        "outcome = \"rereport\"\nsummary = \"first-time\"\nestimator = \"cumulative-incidence\"\nhorizon = 100\nmissing = {{ primary = \"censoring\" }}\n{}",
        estimand("risk-difference", "treatment-policy")
    ));
    let found = few.run();
    // Treated: 1 of 2 at risk on day 10. Control: 1 of 2 on day 20; the death came after that report.
    near(found.results[0].estimate, 0.0);
    for row in &found.results[1..3] {
        near(row.estimate, 0.5);
    }
    // Days of the window: 10 of day 10, and follow-up to day 100.
    let mut days = Vec::new();
    let (protocol, state) = (&few.study.protocol, &few.study.state);
    let late = few.day.plus(LATE);
    let own = course(protocol, state, late, few.treated[0], 0, &mut days).unwrap();
    assert_eq!(
        (own.days, days.as_slice()),
        (365.0, [10.0, 10.0].as_slice())
    );
    let own = course(protocol, state, late, few.treated[1], 0, &mut days).unwrap();
    assert_eq!((own.days, days.len()), (100.0, 0));
    // The conclusion counts families.
    assert!(found.conclusion.en.contains("Per 100 families"));
}

#[test]
fn a_death_ends_a_time_that_cannot_compete_and_that_is_said() {
    let mut few = lived(&format!(
        "outcome = \"rereport\"\nsummary = \"first-time\"\nestimator = \"rmst\"\nhorizon = 100\nmissing = {{ primary = \"censoring\" }}\n{}",
        estimand("restricted-mean-difference", "treatment-policy")
    ));
    // A fifth and a sixth family: the control one dies on day 60 without a report.
    let day = few.day;
    let more: Vec<FamilyIx> = (0..2)
        .map(|_| few.study.enrol(day, 0, 1, &[2, 1, 0]).unwrap().0)
        .collect();
    let control = few.study.protocol.control;
    for family in more {
        if few.study.state.family(family).unwrap().arm == control {
            few.exit(family, Exit::Death, 60);
        }
    }
    let found = few.run();
    // Treated: days 10, 100, 100: ⅓·10 + ⅔·100 = 70. Control: S = 1 to day 20, ⅔ to day 100: 20 + ⅔·80 = 220/3.
    near(found.results[0].estimate, 70.0 - 220.0 / 3.0);
    let said = |code: &str| found.warnings.iter().any(|own| own.code == code);
    assert!(said("terminal-as-censoring"));
    assert!(
        found.conclusion.en.contains("days without"),
        "{}",
        found.conclusion.en
    );
}

#[test]
fn rates_count_the_days_that_families_were_followed() {
    let few = lived(&format!(
        "outcome = \"rereport\"\nsummary = \"count\"\nestimator = \"poisson\"\nmissing = {{ primary = \"censoring\" }}\n{}",
        estimand("rate-ratio", "treatment-policy")
    ));
    let found = few.run();
    // 2 reports in 365 + 100 days against 2 in 50 + 365.
    near(found.results[0].estimate, (2.0 / 465.0) / (2.0 / 415.0));
    assert_eq!(found.results[0].std_error_scale, "log");
    assert!(
        found.conclusion.en.contains("rate ratio"),
        "{}",
        found.conclusion.en
    );
    let exposure = found.used.columns.iter().find(|own| own.0 == "exposure");
    assert_eq!(exposure.unwrap().1, ["days"]);
}

#[test]
fn worst_case_bounds_take_what_was_seen_before_a_family_left() {
    let analysis = |estimator: &str, strategy: &str| {
        format!(
            "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"{estimator}\"\nmissing = {{ primary = \"bounds\" }}\n{}",
            estimand("risk-difference", strategy)
        )
    };
    let mut few = lived(&analysis("manski-bounds", "treatment-policy"));
    let found = few.run();
    // Treated 1 and unknown, control 1 and 1: between ½ − 1 and 1 − 1.
    near(found.results[0].estimate, -0.5);
    near(found.results[1].estimate, 0.0);
    // With a report before it left, the family has a report, whatever came later.
    let family = few.treated[1];
    few.report(family, 90);
    near(few.run().results[0].estimate, 0.0);
    // Trimmed bounds compare those who were followed: 1 of 2 against 2 of 2.
    let few = lived(&analysis("lee-bounds", "principal-stratum"));
    let found = few.run();
    assert_eq!(
        (
            found.results[0].term.as_str(),
            found.results[1].term.as_str()
        ),
        ("lower", "upper")
    );
    near(found.results[0].estimate, 0.0);
    assert_eq!(found.deciding_p(), None);
    let told = &found.estimand;
    assert!(
        told.en
            .contains(", in those of all whose outcome would be known in either arm.")
            && told
                .sv
                .contains(", bland de av all vars utfall skulle vara känt i båda grupperna."),
        "{told:?}"
    );
}

/// A coefficient of a model with covariates compares families that are alike in them; without, it compares the arms as they are.
#[test]
fn a_hazard_ratio_with_covariates_is_given_them() {
    for (covariates, given) in [("", false), ("covariates = [\"youngest_age\"]\n", true)] {
        let found = lived(&format!(
            "outcome = \"rereport\"\nsummary = \"first-time\"\nestimator = \"cox\"\n{covariates}missing = {{ primary = \"censoring\" }}\n{}",
            estimand("hazard-ratio", "treatment-policy")
        ))
        .run();
        let (en, sv) = (&found.estimand.en, &found.estimand.sv);
        assert_eq!(
            en.ends_with("then received, given the covariates."),
            given,
            "{en}"
        );
        assert_eq!(sv.ends_with(", givet kovariaterna."), given, "{sv}");
        let summary = &found.attributes[4].value.en;
        assert_eq!(summary == "hazard ratio, given the covariates", given);
    }
}

#[test]
fn weights_let_known_outcomes_stand_for_unknown_ones() {
    let analysis = |missing: &str| {
        format!(
            "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = {{ primary = \"{missing}\" }}\n{}",
            estimand("risk-difference", "treatment-policy")
        )
    };
    let build = |missing: &str| {
        let mut few = few(&analysis(missing), 8);
        let (a, b) = (few.treated[0], few.control[0]);
        few.report(a, 5);
        few.report(b, 5);
        let gone = few.treated[3];
        few.exit(gone, Exit::LeftCoverage, 50);
        few
    };
    // Without covariates every known treated family weighs 4/3: the same estimate as of the known ones, 1/3 − 1/4.
    let weighted = build("inverse-probability-of-censoring").run();
    near(weighted.results[0].estimate, 1.0 / 3.0 - 0.25);
    let complete = build("complete-case").run();
    near(complete.results[0].estimate, 1.0 / 3.0 - 0.25);
    near(
        weighted.results[0].std_error,
        complete.results[0].std_error.unwrap(),
    );
    let weights = weighted.used.columns.iter().find(|own| own.0 == "weights");
    assert!(weights.is_some());
}

#[test]
fn who_received_the_service_divides_the_effect() {
    let mut few = few(
        &format!(
            "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"instrumental-variables\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
            estimand("complier-difference", "principal-stratum")
        ),
        8,
    );
    let late = few.day.plus(LATE);
    // Three of four treated families start; one of them was switched away before. A control family is switched to it.
    let (day, treated) = (few.day, few.study.state.family(few.treated[0]).unwrap().arm);
    let standard = few.study.protocol.control;
    for k in 0..3 {
        let family = few.treated[k];
        few.study
            .serve(family, Service::Started, day.plus(20), late);
    }
    let switch = |few: &mut Few, family, to| {
        let what = What::Serviced {
            family,
            service: Service::Switched,
            on: few.day.plus(10),
            arm: Some(to),
            by: None,
        };
        few.study
            .command(late, &Command::Record(what))
            .expect("a switch");
    };
    let (away, over) = (few.treated[2], few.control[0]);
    switch(&mut few, away, standard);
    switch(&mut few, over, treated);
    let got = |family| received(&few.study.state, late, family, treated, Received::Started);
    let own = |list: &[FamilyIx]| {
        list.iter()
            .map(|family| got(*family))
            .collect::<Vec<bool>>()
    };
    assert_eq!(own(&few.treated), [true, true, false, false]);
    assert_eq!(own(&few.control), [true, false, false, false]);
    // A start in the standard service is none of this one.
    let other = few.control[1];
    few.study.serve(other, Service::Started, day.plus(20), late);
    // Half of the treated families have a report and none of the control: (½ − 0)/(½ − ¼) = 2.
    for k in 0..2 {
        let family = few.treated[k];
        few.report(family, 30);
    }
    let found = few.run();
    near(found.results[0].estimate, 2.0);
    let [month] = found.funnel.as_slice() else {
        panic!("all were randomized in one month");
    };
    assert_eq!(
        (month.month.as_str(), month.randomized),
        ("2025-02", [4, 4])
    );
    assert_eq!(month.received, [2, 1]);
    assert!(
        found
            .estimand
            .en
            .contains(", in those of all who receive the service of “")
            && found
                .estimand
                .sv
                .contains(", bland de av all som får insatsen ”"),
        "{}",
        found.estimand.en
    );
    // Of 8 families, F = (¼)²/((1 + ¾)/12) = 3/7, and the discriminant of the set is below 0 for every t above 2: all numbers.
    let told = &found.conclusion;
    assert!(
        told.en.contains("no bounded interval")
            && told.en.contains("with any difference in “")
            && told.en.contains("per 100 families")
            && told.sv.contains("vilken skillnad som helst i ”"),
        "{}",
        told.en
    );
    assert!(!told.en.contains("Best estimate") && told.en.contains("leaves the direction open"));
}

/// A switch to the arm that a family was drawn to is none: it does not make a service received that did not start, ends none, and is no
/// event of an outcome. After a switch away it is the way back.
#[test]
fn a_switch_to_the_own_arm_is_no_switch() {
    let outcomes = "[[outcome]]\nid = \"moved\"\nlabel = { sv = \"Bytte\", en = \"Moved\" }\nkind = \"binary\"\nevent = [\"switched\"]\nwindow_days = [1, 365]\n\n[[outcome]]\nid = \"stayed\"\nlabel = { sv = \"Dagar\", en = \"Days\" }\nkind = \"duration\"\nfrom = \"randomized\"\nto = \"switched\"\nhorizon_days = 100\n\n[[lock]]";
    let analysis = format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"instrumental-variables\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
        estimand("complier-difference", "principal-stratum")
    );
    let text = with(&analysis).replacen("[[lock]]", outcomes, 1);
    let mut few = few_of(&text, 12);
    let (day, late) = (few.day, few.day.plus(LATE));
    let treated = few.study.state.family(few.treated[0]).unwrap().arm;
    let standard = few.study.protocol.control;
    let mut switch = |family, on, to| {
        let what = What::Serviced {
            family,
            service: Service::Switched,
            on: day.plus(on),
            arm: Some(to),
            by: None,
        };
        let command = Command::Record(what);
        few.study.command(late, &command).expect("a switch");
    };
    let (own, over) = (few.treated.clone(), few.control.clone());
    // Of the treated: one to the own arm that never starts, one that starts after it, one away and back, one back before it went
    // away, by the order of the rows too, one away, and one of whom nothing is said.
    switch(own[0], 10, treated);
    switch(own[1], 10, treated);
    switch(own[2], 10, standard);
    switch(own[2], 20, treated);
    switch(own[3], 30, standard);
    switch(own[3], 10, treated);
    switch(own[4], 40, standard);
    // Of the control: one to its own arm, one to the treated one, and one there and back.
    switch(over[0], 10, standard);
    switch(over[1], 10, treated);
    switch(over[2], 10, treated);
    switch(over[2], 20, standard);
    few.study
        .serve(own[1], Service::Started, day.plus(20), late);
    let (protocol, state) = (&few.study.protocol, &few.study.state);
    let got = |family: &FamilyIx| received(state, late, *family, treated, Received::Started);
    let all = |list: &[FamilyIx]| list.iter().map(got).collect::<Vec<bool>>();
    assert_eq!(all(&own), [false, true, true, false, false, false]);
    assert_eq!(all(&over), [false, true, true, false, false, false]);
    // The event of an outcome, and its day: days to the first switch away, 100 without one.
    let place = |id: &str| {
        let mut outcomes = protocol.outcomes.iter();
        outcomes.position(|own| own.id == id).unwrap()
    };
    let (moved, stayed) = (place("moved"), place("stayed"));
    let days = [100, 100, 10, 30, 40, 100, 100, 10, 10, 100, 100, 100];
    for (family, days) in own.iter().chain(&over).zip(days) {
        let value = |place, summary| outcome(protocol, state, late, *family, place, summary);
        let away = f64::from(u8::from(days < 100));
        assert_eq!(value(moved, Summary::Any), OutcomeValue::Known(away));
        let told = value(stayed, Summary::Value);
        assert_eq!(told, OutcomeValue::Known(f64::from(days)));
        for place in [moved, stayed] {
            let mut events = Vec::new();
            course(protocol, state, late, *family, place, &mut events);
            let first = (days < 100).then(|| f64::from(days));
            assert_eq!(events, first.into_iter().collect::<Vec<_>>());
            let rows = happenings(protocol, state, late, *family);
            let mut counted = rows.iter().filter(|own| own.counts_for.contains(&place));
            let day = counted.next().map(|own| own.day);
            assert_eq!((day, counted.count()), ((days < 100).then_some(days), 0));
        }
    }
    let found = flow(protocol, state, late);
    let by_arm = |arm: Arm| found.arms[arm.index()].switched;
    assert_eq!((by_arm(treated), by_arm(standard)), (3, 2));
    let found = direction(protocol, state, late).unwrap();
    assert_eq!((found.to, found.of), (2, 5));
}

/// Treated 7, 6, 5 with receipt 1, 1, 0; control 0, 1, 2 with none. β_Y = 5, V_YY = (2 + 2)/6 = 2/3, β_D = 2/3, V_DD = 1/9, V_YD =
/// (⅓ + 0 + ⅔)/6 = 1/6; 4 degrees of freedom, t² = 7.7086 (tables: 2.7764). The set −0.41207b² − 2·2.04856b + 19.8609 ≤ 0 is all
/// but what lies between −13.51 and 3.567. The arm's effect on the outcome has t² = 37.5: p = 1 − x(1 + (1 − x²)/2) with x² =
/// 37.5/41.5 is .0036. Wald: b = 7.5 with variance 26.5/6·9/4, t = 2.38, p = .076, from −1.3 to 16.3.
#[test]
fn a_weak_first_stage_concludes_by_anderson_and_rubin() {
    let mut few = few(
        &format!(
            "outcome = \"rereport\"\nsummary = \"count\"\nestimator = \"instrumental-variables\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
            estimand("complier-difference", "principal-stratum")
        ),
        6,
    );
    let (day, late) = (few.day, few.day.plus(LATE));
    for family in [few.treated[0], few.treated[1]] {
        few.study
            .serve(family, Service::Started, day.plus(20), late);
    }
    let counts = [
        (few.treated.clone(), [7, 6, 5]),
        (few.control.clone(), [0, 1, 2]),
    ];
    for (families, counts) in counts {
        for (family, count) in families.into_iter().zip(counts) {
            (0..count).for_each(|on| few.report(family, 30 + on));
        }
    }
    let found = few.run();
    near(found.results[0].estimate, 7.5);
    assert!((found.results[0].p_value.unwrap() - 0.076).abs() < 5e-4);
    assert!((found.deciding_p().unwrap() - 0.0036).abs() < 5e-5);
    assert_eq!(found.anderson_rubin(), Some(&found.results[1]));
    let told = &found.conclusion;
    for part in [
        "no bounded interval",
        "any difference except those between 1351 fewer and 357 more in “",
        "The Anderson–Rubin test speaks for an effect (p = 0.004, limit 0.05), but the data leave open in which direction.",
    ] {
        assert!(told.en.contains(part), "{}", told.en);
    }
    assert!(!told.en.contains("Best estimate") && !told.en.contains("125 fewer"));
    assert!(
        told.sv
            .contains("utom dem mellan 1351 färre och 357 fler i ”")
    );
}

/// No report in the treated arm, one in control on day 20 among two and two, one on day 200 among one and two: with shares 1/2 and 2/3
/// of the treated the score is −7/6, its variance 1/4 + 2/9 = 17/36, z = −7/√17 with p 0.09. The result has no estimate, says how far the
/// ratio may be, and decides by that p.
#[test]
fn a_hazard_ratio_without_a_maximum_is_said_and_decides_by_its_score_test() {
    let analysis = format!(
        "outcome = \"rereport\"\nsummary = \"first-time\"\nestimator = \"cox\"\nmissing = {{ primary = \"censoring\" }}\n{}",
        estimand("hazard-ratio", "treatment-policy")
    );
    let mut few = few(&analysis, 4);
    let (first, second) = (few.control[0], few.control[1]);
    few.report(first, 20);
    few.report(second, 200);
    let found = few.run();
    let row = &found.results[0];
    assert_eq!(
        (row.estimate, row.std_error, row.conf_low),
        (None, None, None)
    );
    near(row.statistic, -7.0 / 17f64.sqrt());
    assert_eq!(found.deciding_p(), row.p_value);
    let x = row.conf_high.unwrap();
    let (p, q) = (x / (1.0 + x), 2.0 * x / (1.0 + 2.0 * x));
    near(
        Some((p + q) / (p * (1.0 - p) + q * (1.0 - q)).sqrt()),
        1.959_963_984_540_054,
    );
    assert!(
        found
            .warnings
            .iter()
            .any(|own| own.code == "no-finite-ratio")
    );
    let (en, sv) = (&found.conclusion.en, &found.conclusion.sv);
    let limit = format!("{x:.2}");
    assert!(
        en.contains("has no finite estimate")
            && en.contains(&format!("{limit} and any ratio below it")),
        "{en}"
    );
    assert!(
        sv.contains("ingen ändlig skattning") && sv.contains(&limit.replace('.', ",")),
        "{sv}"
    );
    assert!(
        !en.contains("any difference") && !en.contains("Best estimate"),
        "{en}"
    );
}
