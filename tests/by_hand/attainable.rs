//! Tests that cannot reject, and sites at a look: what a redraw can be fitted on, and the smallest p that there is.

use crate::made_up::{IUH, LAST, Study, protocol};
use lottning::analysis::attainable::{Barred, barred, fewest_draws, out_of_reach, smallest_p};
use lottning::analysis::results::AnalysisResult;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::diagnostic::Words;
use lottning::protocol::Protocol;
use lottning::protocol::model::Day;

/// The shipped protocol without its gate and with one analysis, which the interim lock looks at if it spends `spent`.
fn text(own: &str, spent: f64) -> String {
    let gate = IUH.find("[gate]").unwrap();
    let after = IUH.find("[exceptions]").unwrap();
    let analyses = IUH.find("[[analysis]]").unwrap();
    let text = format!("{}{}", &IUH[..gate], &IUH[after..analyses]);
    let looks = if spent > 0.0 {
        "looks = [\"evaluation-2025\"]\n"
    } else {
        ""
    };
    let text = text
        .replace("families_per_therapist = 3", "")
        .replace("alpha = 0.0\n", &format!("alpha = {spent:?}\n"));
    format!(
        "{text}[[analysis]]\nid = \"primary\"\nlock = \"final\"\n{looks}outcome = \"rereport\"\nsummary = \"any\"\n\
         estimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"risk-difference\" }}\n\
         missing = {{ primary = \"complete-case\" }}\nrole = \"primary\"\n{own}"
    )
}

const LIN: &str = "estimator = \"lin\"\ncovariates = [\"site\"]\ntest = { kind = \"randomization\", draws = 999 }\n";

fn lock(protocol: &Protocol, id: &str) -> usize {
    protocol.locks.iter().position(|own| own.id == id).unwrap()
}

fn at(study: &Study, id: &str, cut: Day, draws: u32) -> AnalysisResult {
    let plan = Plan::registered(&study.protocol, lock(&study.protocol, id));
    let settings = RunSettings {
        lock: Some(id.to_owned()),
        draws: Some(draws),
        ..RunSettings::default()
    };
    run(&study.protocol, &study.state, &plan, cut, &settings)
        .analyses
        .remove(0)
}

fn told(result: &AnalysisResult, code: &str) -> bool {
    result.warnings.iter().any(|own| own.code == code)
}

/// Two sites of 30 families whose windows end before the look, and one with four of those and 30 families later. The four
/// lie in one arm in an eighth of all draws (2 of 2⁴; the stick holds at 4), where a model with an effect for each site
/// has nothing to go by.
#[test]
fn sites_are_merged_by_the_families_that_a_look_analyses() {
    let mut study = Study::new(protocol(&text(LIN, 0.001)), 8);
    let first = study.protocol.first_opening();
    let mut families = Vec::new();
    for (site, number) in [(0, 30), (1, 30), (2, 4)] {
        for k in 0..number {
            let values = [2 + k % 3, k % 17, k % 5];
            families.push(study.enrol(first, site, 1, &values).unwrap().0);
        }
    }
    for k in 0..30 {
        study.enrol(first.plus(300), 2, 1, &[2, k % 17, 0]).unwrap();
    }
    let cut = first.plus(420);
    for family in families.iter().step_by(3) {
        study.report(*family, first.plus(60), cut);
    }
    let found = at(&study, "evaluation-2025", cut, 999);
    assert_eq!(found.arms.iter().map(|arm| arm.analysed).sum::<u32>(), 64);
    assert!(found.deviations.iter().any(|own| own.code == "site-merged"));
    let test = found.test.as_ref().unwrap();
    assert_eq!((test.exact, test.failed), (false, 0));
    // 999 redraws give no p below .002, and the look spends .001; with 2,999 there may be one of 1/1,500.
    assert!(told(&found, "test-cannot-reject"));
    assert!(!told(
        &at(&study, "evaluation-2025", cut, 2_999),
        "test-cannot-reject"
    ));
    // Once every window has ended the site stands for itself.
    let later = at(&study, "final", first.plus(700), 999);
    assert_eq!(later.covariates, ["site"]);
}

/// Eight independent lots: 2 of 256 sequences have one arm alone, and 16 have one family in an arm, where HC2 does not exist.
/// These 18 count in both tails, so that no p is below 2·18/256 = .14.
#[test]
fn sequences_without_a_statistic_are_told_and_can_make_a_test_hopeless() {
    let own =
        "estimator = \"difference-in-means\"\ntest = { kind = \"randomization\", draws = 999 }\n";
    let text = text(own, 0.0);
    let start = text.find("[allocation]").unwrap();
    let end = start + text[start..].find("\n[exceptions]").unwrap();
    let text = format!(
        "{}[allocation]\nmethod = \"simple\"\nstrata = []\n{}",
        &text[..start],
        &text[end..]
    );
    let drawn = |number: u64| {
        let mut study = Study::new(protocol(&text), number);
        let first = study.protocol.first_opening();
        for k in 0..8 {
            let family = study.enrol(first, 0, 1, &[2, k, 0]).unwrap().0;
            if k < 4 {
                study.report(family, first.plus(60), first.plus(700));
            }
        }
        study
    };
    let treated = |study: &Study| {
        let arms = study.state.allocations.iter();
        arms.filter(|own| own.arm.index() == 0).count()
    };
    // An observed allocation with a statistic.
    let study = (1..100)
        .map(drawn)
        .find(|own| (2..=6).contains(&treated(own)))
        .unwrap();
    let found = at(
        &study,
        "final",
        study.protocol.first_opening().plus(700),
        999,
    );
    let test = found.test.as_ref().unwrap();
    assert_eq!((test.exact, test.draws, test.failed), (true, 256, 18));
    assert!(test.p_value >= 36.0 / 256.0);
    assert!(told(&found, "test-failed-redraws") && told(&found, "test-cannot-reject"));
}

/// By hand: 2/(1 + R) ≤ α from R = 2/α − 1.
#[test]
fn the_fewest_redraws_are_those_that_reach_the_limit() {
    for limit in [0.05, 0.025, 0.01, 0.001, 0.000_164, 0.000_01, 0.3, 1.0] {
        let draws = fewest_draws(limit).unwrap();
        assert!(smallest_p(draws, 0) <= limit, "{limit}");
        assert!(
            draws == 0 || draws == 1 || smallest_p(draws - 1, 0) > limit,
            "{limit}"
        );
    }
    assert_eq!(fewest_draws(-1.0), None);
    assert_eq!(fewest_draws(f64::NAN), None);
    let looked = protocol(&text(LIN, 0.001));
    let found = out_of_reach(&looked);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].lock, found[0].draws),
        (lock(&looked, "evaluation-2025"), 999)
    );
    assert!((found[0].limit - 0.001).abs() < 1e-15);
}

/// By hand at .05 over three tests, by redraws with smallest p of .03 and .02 and one without a smallest: first comes the one
/// without (3·0); then 2·.02 = .04 and 2·.03 = .06, so the one of .02 after one other and the one of .03 after both. With
/// .03 twice no second can come, and with .02 three times (3·.02 = .06) no first. A family whose tests are all too coarse for
/// the first place cannot reject at all.
#[test]
fn holms_rule_lets_a_coarse_test_come_after_others_that_can() {
    let of = |smallest: &[f64]| -> Vec<_> {
        let places = 0..smallest.len();
        places.map(|own| barred(smallest, own, 0.05)).collect()
    };
    let (always, until) = (Some(Barred::Always), |own| Some(Barred::Until(own)));
    assert_eq!(of(&[0.03, 0.02, 0.0]), [until(2), until(1), None]);
    assert_eq!(of(&[0.03, 0.03, 0.0]), [always, always, None]);
    assert_eq!(of(&[0.02; 3]), [always; 3]);
    assert_eq!(of(&[0.06, 0.0]), [always, None]);
    assert_eq!(of(&[0.05]), [None]);
    assert_eq!(barred(&[0.1], 1, 0.05), None);
}

/// Three secondary analyses of the same numbers: 7 of 30 treated and 15 of 30 control families have a report. The difference is
/// −8/30 with the squared error (7·23 + 15·15)/(30²·29) = .014789, so t = −2.193 on about 57 degrees of freedom, p between .03 and
/// .04 (tables: t = 2.00 at .05, 2.39 at .02), and no interval holds 0. Thrice that, by Holm's rule, is above .05: p and interval are on
/// different sides, and it is said that the p was adjusted. Unadjusted they agree.
#[test]
fn an_adjusted_p_and_its_interval_may_disagree() {
    let plain = "estimator = \"difference-in-means\"\n";
    let with = |rule: &str| {
        let own = text(plain, 0.0).replace("max_imbalance = 4", "max_imbalance = 1");
        let start = own.find("[[analysis]]").unwrap();
        let block = |id: &str| {
            let block = own[start..].replace("role = \"primary\"", "role = \"secondary\"");
            block.replace("id = \"primary\"", &format!("id = \"{id}\""))
        };
        let blocks = [block("one"), block("two"), block("three")].concat();
        protocol(&format!(
            "{own}{blocks}\n[multiplicity]\nsecondary = \"{rule}\"\n"
        ))
    };
    for (rule, number) in [("holm", 3), ("none", 0)] {
        let mut study = Study::new(with(rule), 8);
        let first = study.protocol.first_opening();
        let mut reports = [7, 15];
        let control = study.protocol.control;
        let mut families = [0; 2];
        for k in 0..60i64 {
            let values = [2, k % 17, 0];
            let family = study.enrol(first, (k % 2) as usize, 1, &values).unwrap().0;
            let arm = usize::from(study.state.family(family).unwrap().arm == control);
            families[arm] += 1;
            if reports[arm] > 0 {
                reports[arm] -= 1;
                study.report(family, first.plus(60), first.plus(700));
            }
        }
        assert_eq!((families, reports), ([30, 30], [0, 0]));
        let plan = Plan::registered(&study.protocol, lock(&study.protocol, "final"));
        let settings = RunSettings::default();
        let (protocol, cut) = (&study.protocol, first.plus(700));
        let found = run(protocol, &study.state, &plan, cut, &settings).analyses;
        let row = &found[1].results[0];
        let p = row.p_value.unwrap();
        assert!((row.estimate.unwrap() + 8.0 / 30.0).abs() < 1e-12 && p > 0.03 && p < 0.04);
        assert!(row.conf_high.unwrap() < 0.0);
        let told = found.iter().flat_map(|own| &own.warnings);
        let told: Vec<_> = told
            .filter(|own| own.code == "test-and-interval-disagree")
            .collect();
        assert_eq!(told.len(), number, "{told:?}");
        for own in told {
            let Words { en, sv } = &own.message;
            assert!(en.contains("adjusted for several tests"), "{en}");
            assert!(sv.contains("justerat för flera test"), "{sv}");
        }
    }
}

/// Three secondary analyses under Holm's rule at .05, of which only one has a test by redraws: with 99 its smallest p is 2/100 =
/// .02, above .05/3 and below .05/2, so it may come second. By hand. Where all have as few none can be first.
#[test]
fn a_test_too_coarse_for_a_share_of_alpha_is_not_told_to_be_hopeless() {
    let coarse =
        "estimator = \"difference-in-means\"\ntest = { kind = \"randomization\", draws = 99 }\n";
    let plain = "estimator = \"difference-in-means\"\n";
    let with = |second: &str| {
        let own = text(LIN, 0.0);
        let start = own.find("[[analysis]]").unwrap();
        let block = |id: &str, rest: &str| {
            let block = own[start..].replace(LIN, rest);
            let block = block.replace("role = \"primary\"", "role = \"secondary\"");
            block.replace("id = \"primary\"", &format!("id = \"{id}\""))
        };
        let (one, two, three) = (
            block("one", coarse),
            block("two", second),
            block("three", second),
        );
        let rule = "\n[multiplicity]\nsecondary = \"holm\"\n";
        protocol(&format!("{own}{one}{two}{three}{rule}"))
    };
    let found = out_of_reach(&with(plain));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].analysis, found[0].family), (1, 3));
    assert_eq!(found[0].barred, Barred::Until(1));
    assert!((found[0].limit - 0.05 / 3.0).abs() < 1e-15);
    let found = out_of_reach(&with(coarse));
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|own| own.barred == Barred::Always));
    for (second, code, number) in [
        (plain, "test-rejects-only-after-others", 1),
        (coarse, "test-cannot-reject", 3),
    ] {
        let mut study = Study::new(with(second), 8);
        let first = study.protocol.first_opening();
        for k in 0..60i64 {
            let family = study
                .enrol(first, (k % 2) as usize, 1, &[2, k % 17, 0])
                .unwrap()
                .0;
            if k % 3 == 0 {
                study.report(family, first.plus(60), first.plus(700));
            }
        }
        let plan = Plan::registered(&study.protocol, lock(&study.protocol, "final"));
        let settings = RunSettings::default();
        let found = run(
            &study.protocol,
            &study.state,
            &plan,
            first.plus(700),
            &settings,
        );
        let own: Vec<_> = found
            .analyses
            .iter()
            .flat_map(|own| &own.warnings)
            .collect();
        let of = |code: &str| own.iter().filter(|own| own.code == code).count();
        assert_eq!(of(code), number, "{own:?}");
        let other = ["test-cannot-reject", "test-rejects-only-after-others"];
        let other = other.iter().filter(|own| **own != code);
        assert!(other.into_iter().all(|own| of(own) == 0), "{own:?}");
    }
}

/// Twelve families in two lists of 6, 20² = 400 ways, all as likely. The treated have 3, 4 and 5 reports in each list and the
/// others 0, 1 and 2, so that no other way parts them as far: p is 2/400 = .005, which a limit of .005 lets it reject.
#[test]
fn a_test_whose_smallest_p_is_its_limit_can_reject() {
    let own = "estimator = \"difference-in-means\"\nalpha = 0.005\ntest = { kind = \"randomization\", draws = 999 }\n";
    let text = text(own, 0.0)
        .replace("measure = \"risk-difference\"", "measure = \"difference\"")
        .replace("summary = \"any\"", "summary = \"count\"");
    let listed = text.replace(
        "method = \"big-stick\"                            # families and staff know the arm, so a method that is hard to guess\nmax_imbalance = 4\nstrata = [\"site\"]",
        "method = \"random-allocation\"\nlist_len = 6\nstrata = []",
    );
    assert_ne!(listed, text);
    let mut study = Study::new(protocol(&listed), 5);
    let day = study.protocol.first_opening();
    let control = study.protocol.control;
    for _ in 0..2 {
        let mut seen = [0; 2];
        for _ in 0..6 {
            let (family, _) = study.enrol(day, 0, 1, &[2, 3, 0]).unwrap();
            let treated = study.state.family(family).unwrap().arm != control;
            let reports = seen[usize::from(treated)] + if treated { 3 } else { 0 };
            seen[usize::from(treated)] += 1;
            (0..reports).for_each(|own| study.report(family, day.plus(30 + own), LAST));
        }
        assert_eq!(seen, [3, 3]);
    }
    let found = at(&study, "final", LAST, 999);
    let test = found.test.as_ref().unwrap();
    assert!(test.exact && test.draws == 400, "{test:?}");
    assert!((test.p_value - 0.005).abs() < 1e-17);
    assert!(!told(&found, "test-cannot-reject"), "{:?}", found.warnings);
}
