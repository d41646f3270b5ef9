//! What an analysis says of itself: strata that were merged, and estimands as they are estimated.

use crate::made_up::{IUH, Study, protocol};
use crate::registered::{LATE, estimand, with};
use lottning::analysis::{Plan, RunSettings, baseline, run};
use lottning::diagnostic::Words;

/// The values of the attributes `variable`, `intercurrent_events` and `summary`, and the sentence.
fn said(analysis: &str) -> [Words; 4] {
    let protocol = protocol(&with(analysis));
    let own = &protocol.analyses[1];
    let [_, _, variable, events, summary] = protocol.estimand_attributes(own);
    [
        variable.value,
        events.value,
        summary.value,
        protocol.estimand_sentence(own),
    ]
}

fn policy(measure: &str) -> String {
    estimand(measure, "treatment-policy")
}

#[track_caller]
fn holds(words: &Words, en: &str, sv: &str) {
    assert!(words.en.contains(en) && words.sv.contains(sv), "{words:?}");
}

/// A duration that death cut short has no value, and the rule for unknown ones takes it; a rate is of those alive; a count ends.
#[test]
fn a_terminal_exit_is_said_as_the_outcome_and_the_estimator_take_it() {
    let measure = policy("difference");
    let [_, events, ..] = said(&format!(
        "outcome = \"investigation_days\"\nestimator = \"linear\"\nmissing = {{ primary = \"complete-case\" }}\n{measure}"
    ));
    holds(
        &events,
        "death, all children turning 18: an outcome not seen before is unknown (",
        "dödsfall, alla barn fyller 18: ett utfall som inte setts dessförinnan är okänt (",
    );
    for estimator in ["recurrent-rate-ratio", "poisson", "negative-binomial"] {
        let measure = policy("rate-ratio");
        let [_, events, ..] = said(&format!(
            "outcome = \"rereport\"\nsummary = \"count\"\nestimator = \"{estimator}\"\nmissing = {{ primary = \"censoring\" }}\n{measure}"
        ));
        holds(
            &events,
            "follow-up ends there, and rates are of those alive",
            "uppföljningen slutar där, och takterna gäller dem som lever",
        );
    }
    let measure = policy("risk-difference");
    let [_, events, ..] = said(&format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = {{ primary = \"complete-case\" }}\n{measure}"
    ));
    holds(
        &events,
        "the count stops there and is observed",
        "räkningen slutar där och är observerad",
    );
    holds(
        &events,
        "leaving the register’s area, withdrawal from the study: no event of interest",
        "flytt från registrets område, avbrutet deltagande: ingen händelse av intresse",
    );
}

/// Day 100 of a window that begins on the day after the draw is day 100 after it; of one that begins on day 123 it is day 222, and
/// the days of the window are said.
#[test]
fn a_horizon_is_said_with_its_day() {
    let late = ("from day 123 ", "från och med dag 123 ");
    for (outcome, first, day, (from_en, from_sv)) in [
        ("rereport", 1, 100, ("", "")),
        ("rereport_from_day_123", 123, 222, late),
    ] {
        let measure = policy("restricted-mean-difference");
        let [variable, _, summary, sentence] = said(&format!(
            "outcome = \"{outcome}\"\nsummary = \"first-time\"\nestimator = \"rmst\"\nhorizon = 100\nmissing = {{ primary = \"censoring\" }}\n{measure}"
        ));
        holds(
            &variable,
            &format!("days {first} to {day} after randomization"),
            &format!("dag {first} till {day} efter lottningen"),
        );
        let (days_en, days_sv) = if first == 1 {
            (format!("day {day}"), format!("dag {day}"))
        } else {
            (
                format!("days {first} to {day}"),
                format!("dag {first} till {day}"),
            )
        };
        holds(
            &summary,
            &format!("until the horizon ({days_en} after randomization)"),
            &format!("före horisonten ({days_sv} efter lottningen)"),
        );
        holds(
            &sentence,
            &format!("(the first) {from_en}until day {day} after randomization between"),
            &format!("(det första) {from_sv}till och med dag {day} efter lottningen mellan"),
        );
    }
}

#[test]
fn an_effect_within_strata_is_given_them() {
    for (covariates, en, sv) in [
        (
            "",
            "hazard ratio, given the stratum",
            "hasardkvot, givet stratumet",
        ),
        (
            "covariates = [\"youngest_age\"]\n",
            "hazard ratio, given the covariates and the stratum",
            "hasardkvot, givet kovariaterna och stratumet",
        ),
    ] {
        let measure = policy("hazard-ratio");
        let [_, _, summary, _] = said(&format!(
            "outcome = \"rereport\"\nsummary = \"first-time\"\nestimator = \"cox\"\nstrata = [\"site\"]\n{covariates}missing = {{ primary = \"censoring\" }}\n{measure}"
        ));
        assert_eq!((summary.en.as_str(), summary.sv.as_str()), (en, sv));
    }
    for (measure, given) in [("odds-ratio", true), ("risk-difference", false)] {
        let estimand = policy(measure);
        let [_, _, summary, _] = said(&format!(
            "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"mantel-haenszel\"\nstrata = [\"site\"]\nmissing = {{ primary = \"complete-case\" }}\n{estimand}"
        ));
        assert_eq!(summary.en.ends_with(", given the stratum"), given);
    }
}

/// Twenty families at five sites, two an arm at each: no site can stand alone with five, and all are one stratum.
#[test]
fn small_sites_that_became_one_stratum_are_named() {
    let measure = policy("risk-difference");
    let text = with(&format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"mantel-haenszel\"\nstrata = [\"site\"]\nmissing = {{ primary = \"complete-case\" }}\n{measure}"
    ));
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    for k in 0..20 {
        let on = day.plus(i32::from(k as u8 / 5));
        let (family, _) = study.enrol(on, k % 5, 1, &[2, 3, 0]).unwrap();
        if k % 3 == 0 {
            study.report(family, day.plus(60), day.plus(LATE));
        }
    }
    let plan = Plan::registered(&study.protocol, 1);
    let cut = day.plus(LATE);
    let found = run(
        &study.protocol,
        &study.state,
        &plan,
        cut,
        &RunSettings::default(),
    );
    let own = &found.analyses[1];
    assert_eq!(own.id, "own");
    let told = own
        .deviations
        .iter()
        .filter(|own| own.code == "site-merged");
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1, "{:?}", own.deviations);
    holds(
        &told[0].message,
        "count as one stratum",
        "räknas som ett enda stratum",
    );
    for site in &study.protocol.sites[..5] {
        assert!(told[0].message.en.contains(&site.name));
    }
}

/// One family an arm, of different categories: all of one arm have what none of the other has, and no spread can measure that.
#[test]
fn arms_that_share_nothing_are_infinitely_far_apart() {
    let text = IUH.replace("max_imbalance = 4", "max_imbalance = 1");
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    for category in 0..2 {
        study.enrol(day, 0, 1, &[2, 3, category]).unwrap();
    }
    let found = baseline(&study.protocol, &study.state, day.plus(LATE));
    let rows = found.rows.iter();
    let rows = rows.filter(|row| row.label.en == "Category of the report");
    let smd: Vec<Option<f64>> = rows.map(|row| row.smd).collect();
    let apart = smd[0].unwrap();
    assert!(apart.is_infinite() && smd[1] == Some(-apart), "{smd:?}");
    assert_eq!(smd[2..], [None, None, None]);
}
