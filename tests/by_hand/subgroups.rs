//! Effects by subgroup and their contrasts, and the ledger of deviations, on cases that can be written out.

use crate::made_up::{Study, protocol};
use crate::registered::{LATE, estimand, near, with};
use lottning::analysis::deviations::Amended;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::study::kernel::FamilyIx;

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
            time: "2025-06-01T08:00:00.000000Z".to_owned(),
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
