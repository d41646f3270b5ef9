//! Effects by subgroup and their contrasts, and the ledger of deviations, on cases that can be written out.

use crate::made_up::{Study, protocol};
use crate::registered::{LATE, estimand, near, with};
use lottning::analysis::deviations::Amended;
use lottning::analysis::results::AnalysisResult;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::protocol::model::Service;
use lottning::study::kernel::{Command, DelivererIx, FamilyIx, What};

/// Forty families in pairs of one treated and one control: pairs of category 0 and 1 in turn, 10 of each arm in each.
/// Reports: category 0: treated 3, control 5; category 1: treated 6, control 2.
fn forty() -> Study {
    let text = with(&format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\nsubgroups = [\"category\"]\nmissing = {{ primary = \"complete-case\" }}\n{}",
        estimand("risk-difference", "treatment-policy")
    ))
    .replace("families_per_therapist = 3", "families_per_therapist = 30");
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    let families: Vec<(FamilyIx, usize)> = (0..40usize)
        .map(|k| {
            let category = k / 2 % 2;
            let family = study.enrol(day, 0, 1, &[2, 1, category as i64]).unwrap().0;
            (family, category)
        })
        .collect();
    let control = study.protocol.control;
    let mut left = [[3, 6], [5, 2]];
    for (family, category) in families {
        let arm = usize::from(study.state.family(family).unwrap().arm == control);
        if left[arm][category] > 0 {
            left[arm][category] -= 1;
            study.report(family, day.plus(30), day.plus(LATE));
        }
    }
    assert_eq!(left, [[0, 0], [0, 0]]);
    study
}

#[test]
fn a_contrast_is_the_difference_of_two_effects() {
    let study = forty();
    let late = study.protocol.first_opening().plus(LATE);
    let plan = Plan::registered(&study.protocol, 1);
    let settings = RunSettings {
        draws: Some(99),
        ..RunSettings::default()
    };
    let found = run(&study.protocol, &study.state, &plan, late, &settings);
    let own = &found.analyses[1].subgroups[0];
    assert_eq!(own.factor, "category");
    assert_eq!(own.levels.len(), 5);
    assert_eq!(own.levels[0].families, [10, 10]);
    // 3/10 − 5/10 and 6/10 − 2/10. HC2 in a saturated model: Σ p(1 − p)/(n − 1) over the cells.
    let effect = own.levels[0].effect.unwrap();
    near(Some(effect.estimate), -0.2);
    near(Some(effect.std_error), ((0.21 + 0.25) / 9.0f64).sqrt());
    let effect = own.levels[1].effect.unwrap();
    near(Some(effect.estimate), 0.4);
    near(Some(effect.std_error), ((0.24 + 0.16) / 9.0f64).sqrt());
    // Nobody is of the other three categories.
    assert!(own.levels[2..].iter().all(|level| level.effect.is_none()));
    assert_eq!(own.contrasts.len(), 1);
    let contrast = &own.contrasts[0];
    assert_eq!(
        (contrast.level.as_str(), contrast.reference.as_str()),
        ("parent", "violence")
    );
    near(Some(contrast.effect.estimate), 0.6);
    near(Some(contrast.effect.std_error), (0.86 / 9.0f64).sqrt());
    // Equal cells: 4·9 degrees of freedom, weighed by the leverages alone, which are all alike.
    near(contrast.effect.df, 36.0);
    assert!(contrast.p_value.unwrap() > 0.0);
    // One contrast and no exploratory analysis: nothing to adjust for.
    assert_eq!(contrast.q_value, None);
}

#[test]
fn what_was_done_otherwise_stands_in_one_list() {
    let study = forty();
    let late = study.protocol.first_opening().plus(LATE);
    let plan = Plan::registered(&study.protocol, 1);
    let post_hoc = plan.planned()[1].analysis.clone();
    let plan = plan.with_post_hoc(post_hoc);
    let settings = RunSettings {
        lock: Some("final".to_owned()),
        draws: Some(99),
        amendments: vec![Amended {
            epoch: 1,
            day: "2025-06-01".to_owned(),
            actor: "lead-1".to_owned(),
        }],
        ..RunSettings::default()
    };
    let found = run(&study.protocol, &study.state, &plan, late, &settings);
    let codes: Vec<(&str, Option<&str>)> = found
        .ledger
        .iter()
        .map(|line| (&*line.code, line.analysis.as_deref()))
        .collect();
    // The study has families at one site only, so its indicators are dropped, and months and reports do not vary.
    assert_eq!(codes[0], ("amendment", None));
    assert!(codes.contains(&("site-dropped", Some("primary"))));
    assert!(codes.contains(&("covariate-constant", Some("primary"))));
    assert!(codes.contains(&("test-draws-changed", Some("primary"))));
    assert_eq!(codes.last(), Some(&("post-hoc", Some("own"))));
    let first = &found.ledger[0];
    assert_eq!(
        (first.when.as_str(), first.who.en.as_str()),
        ("2025-06-01", "lead-1")
    );
    for line in &found.ledger {
        for words in [&line.what, &line.why] {
            assert!(
                words.en.ends_with('.') && words.sv.ends_with('.'),
                "{words:?}"
            );
        }
        assert!(!line.when.is_empty());
    }
}

/// Twenty pairs of one treated and one control, categories in turn. Of the treated ones t = 0 … 19 is reported again if 3 divides t,
/// and visited by t² mod 7 unless t mod 5 is 4, who is visited by nobody named; of the control ones c if c mod 5 is 1 or 2. `by`
/// tells by whom instead.
fn visited(by: impl Fn(usize) -> Option<u32>) -> AnalysisResult {
    let text = with(&format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\nclusters = \"delivered-by\"\nsubgroups = [\"category\"]\nmissing = {{ primary = \"complete-case\" }}\n{}",
        estimand("risk-difference", "treatment-policy")
    ))
    .replace("families_per_therapist = 3", "families_per_therapist = 30");
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    let late = day.plus(LATE);
    let control = study.protocol.control;
    let mut count = [0, 0];
    for k in 0..40usize {
        let values = [2, 1, (k / 2 % 2) as i64];
        let family = study.enrol(day, 0, 1, &values).unwrap().0;
        let treated = study.state.family(family).unwrap().arm != control;
        let place = count[usize::from(treated)];
        count[usize::from(treated)] += 1;
        let reported = if treated {
            place % 3 == 0
        } else {
            [1, 2].contains(&(place % 5))
        };
        if reported {
            study.report(family, day.plus(30), late);
        }
        if let Some(by) = by(place).filter(|_| treated) {
            let what = What::Serviced {
                family,
                service: Service::HomeVisit,
                on: day.plus(12),
                arm: None,
                by: Some(DelivererIx(by)),
            };
            study
                .command(late, &Command::Record(what))
                .expect("a visit");
        }
    }
    assert_eq!(count, [20, 20]);
    let plan = Plan::registered(&study.protocol, 1);
    let settings = RunSettings::default();
    let found = run(&study.protocol, &study.state, &plan, late, &settings);
    found.analyses.into_iter().nth(1).unwrap()
}

/// Effects 4/10 − 4/10 and 3/10 − 4/10. Errors, degrees of freedom and p: R 4.2.2, clubSandwich 0.5.8, `lm(y ~ 0 + G0 + G1 + Z0 + Z1)`,
/// `vcovCR(type = "CR2")` by deliverer, `linear_contrast(test = "Satterthwaite")` of Z0, Z1 and Z1 − Z0. The deliverers have
/// families in both categories, so that the contrast has not the sum of both variances.
#[test]
fn a_contrast_of_families_by_who_delivered_takes_clusters_over_levels() {
    let found = visited(|t| (t % 5 != 4).then_some((t * t % 7) as u32));
    let own = &found.subgroups[0];
    let expected = [
        (0.0, 0.189_192_100_241_133, 11.179_297_597_042_5),
        (-0.1, 0.188_140_440_620_366, 10.295_719_844_358),
    ];
    for (level, (estimate, std_error, df)) in own.levels.iter().zip(expected) {
        let effect = level.effect.unwrap();
        assert_eq!(level.families, [10, 10]);
        near(Some(effect.estimate), estimate);
        near(Some(effect.std_error), std_error);
        near(effect.df, df);
    }
    let contrast = &own.contrasts[0];
    near(Some(contrast.effect.estimate), -0.1);
    near(Some(contrast.effect.std_error), 0.269_461_636_102_043);
    near(contrast.effect.df, 14.221_211_592_382_1);
    near(contrast.effect.conf_low, -0.677_095_472_387_728);
    near(contrast.p_value, 0.716_025_451_080_787);
    // The registered clusters are the result's too.
    assert_eq!(found.results[0].variance, "cr2");
}

/// One who delivered to every treated family of a level: its effect rests on that one, and is no number.
#[test]
fn a_level_that_rests_on_one_deliverer_has_no_effect() {
    let found = visited(|t| Some(if t % 2 == 0 { 0 } else { 1 + t as u32 }));
    let own = &found.subgroups[0];
    assert_eq!(own.levels[0].families, [10, 10]);
    assert!(own.levels[0].effect.is_none() && own.levels[1].effect.is_some());
    assert!(own.contrasts.is_empty());
    let told = found.warnings.iter();
    let told = told.filter(|own| own.code == "subgroup-not-estimated");
    assert!(
        told.map(|own| own.message.en.as_str())
            .all(|text| text.ends_with(": 2"))
    );
    assert!(
        found
            .warnings
            .iter()
            .any(|own| own.code == "subgroup-not-estimated")
    );
}
