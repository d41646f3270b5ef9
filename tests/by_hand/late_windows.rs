//! Windows that begin late: families whose follow-up ended before them are at risk of nothing in them.

use crate::made_up::{Study, protocol};
use crate::registered::{Few, estimand, near, with};
use lottning::protocol::model::Exit;
use lottning::study::kernel::FamilyIx;

/// Of ten treated families four left on day 50, one died on day 60 and two have reports, on days 123 and 130 and on day 200;
/// of ten control families two left on day 100 and two have a report, on day 123 and on day 300.
fn late(rest: &str) -> Few {
    let text = with(&format!(
        "outcome = \"late\"\n{rest}missing = {{ primary = \"censoring\" }}\n\n[[outcome]]\nid = \"late\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [123, 365]\n"
    ));
    // No gate: all twenty are drawn.
    let (from, until) = (
        text.find("[gate]").unwrap(),
        text.find("[exceptions]").unwrap(),
    );
    let text = format!("{}{}", &text[..from], &text[until..]);
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    let families: Vec<FamilyIx> = (0..20)
        .map(|_| study.enrol(day, 0, 1, &[2, 3, 0]).unwrap().0)
        .collect();
    let arm = |family: &FamilyIx| study.state.family(*family).unwrap().arm;
    let own = study.protocol.control;
    let (control, treated): (Vec<FamilyIx>, Vec<FamilyIx>) =
        families.iter().partition(|family| arm(family) == own);
    assert_eq!((treated.len(), control.len()), (10, 10));
    let mut few = Few {
        study,
        treated: treated.clone(),
        control: control.clone(),
        day,
    };
    for family in &treated[..4] {
        few.exit(*family, Exit::LeftCoverage, 50);
    }
    few.exit(treated[4], Exit::Death, 60);
    for family in &control[..2] {
        few.exit(*family, Exit::LeftCoverage, 100);
    }
    for (family, day) in [
        (treated[5], 123),
        (treated[5], 130),
        (treated[6], 200),
        (control[2], 123),
        (control[3], 300),
    ] {
        few.report(family, day);
    }
    few
}

/// Treated: six are followed on day 60, when one dies: 5/6. Five in the window: 5/6 · 3/5 = 1/2. Control: eight, 2/8.
#[test]
fn the_mean_count_of_a_late_window_goes_by_those_who_are_still_followed() {
    let measure = estimand("difference", "treatment-policy");
    let few = late(&format!(
        "summary = \"count\"\nestimator = \"mean-cumulative-count\"\n{measure}"
    ));
    let found = few.run();
    near(found.results[1].estimate, 0.5);
    near(found.results[2].estimate, 0.25);
    near(found.results[0].estimate, 0.25);
}

/// R 4.2.2, survival 3.5.3: `coxph(Surv(start, stop, event) ~ arm, cluster = id, ties = "efron")` with `eps = 1e-15` (its default stops at
/// nine digits) on whole days from the draw, follow-up to the end of its last day: 2.419738117369269, standard error of its logarithm
/// .872841082587683.
#[test]
fn the_rate_ratio_of_a_late_window_goes_by_those_who_are_still_followed() {
    let measure = estimand("rate-ratio", "treatment-policy");
    let few = late(&format!(
        "summary = \"count\"\nestimator = \"recurrent-rate-ratio\"\n{measure}"
    ));
    let found = few.run();
    near(found.results[0].estimate, 2.419_738_117_369_269);
    near(found.results[0].std_error, 0.872_841_082_587_683);
}

/// Treated: 5/6 are alive when the window begins, of whom 2/5 have a report: 1/3. Control: 2/8.
#[test]
fn deaths_before_a_late_window_are_of_those_who_had_not_left() {
    let measure = estimand("risk-difference", "treatment-policy");
    let few = late(&format!(
        "summary = \"first-time\"\nestimator = \"cumulative-incidence\"\nhorizon = 243\n{measure}"
    ));
    let found = few.run();
    near(found.results[1].estimate, 1.0 / 3.0);
    near(found.results[2].estimate, 0.25);
}

/// Rates go by the time in the window: five treated are followed in it, with three reports in 5·243 days, and eight control with two
/// in 8·243; the others have no time there, and count in neither. Of a Poisson model without covariates the ratio is that of the
/// rates, (3/5)/(2/8) = 12/5, and the variance of its logarithm 1/3 + 1/2.
#[test]
fn a_rate_of_a_late_window_is_of_those_who_are_followed_in_it() {
    let measure = estimand("rate-ratio", "treatment-policy");
    for estimator in ["poisson", "negative-binomial"] {
        let few = late(&format!(
            "summary = \"count\"\nestimator = \"{estimator}\"\nvariance = \"model\"\n{measure}"
        ));
        let found = few.run();
        let row = &found.results[0];
        assert_eq!((row.n_treated, row.n_control), (5, 8));
        let told = found
            .warnings
            .iter()
            .find(|own| own.code == "never-followed");
        let told = told.map(|own| own.message.en.as_str()).unwrap_or_default();
        assert!(told.contains("5 in ") && told.contains("2 in "), "{told:?}");
        near(row.estimate, 2.4);
        if estimator == "poisson" {
            near(row.std_error.map(|error| error * error), 1.0 / 3.0 + 0.5);
        }
    }
}
