//! Rules for outcomes that are not known, and rows beside a result, on cases that can be written out.

use crate::made_up::{Study, protocol};
use crate::registered::{Few, LATE, estimand, few, near, with};
use lottning::analysis::results::AnalysisResult;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::app::analyse::body;
use lottning::diagnostic::Lang;
use lottning::estimation::Arm::{Control, Treated};
use lottning::estimation::Estimate;
use lottning::estimation::known_weights::{Aside, known_weights};
use lottning::estimation::tipping::{ArmCounts, Verdict, tipping_pairs};
use lottning::protocol::model::Exit;
use lottning::study::kernel::{Command, FamilyIx, Report, ReportIx, Source, What};
use serde_json::Value;

/// Eight families; treated: one report, one gone after 50 days without any; control: one report.
fn one_gone(rest: &str) -> Few {
    let mut few = few(
        &format!(
            "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\n{rest}{}",
            estimand("risk-difference", "treatment-policy")
        ),
        8,
    );
    let (a, b, gone) = (few.treated[0], few.control[0], few.treated[3]);
    few.report(a, 5);
    few.report(b, 5);
    few.exit(gone, Exit::LeftCoverage, 50);
    few
}

fn beside<'r>(found: &'r AnalysisResult, name: &str) -> Vec<&'r Estimate> {
    let own = |row: &&Estimate| row.extra.get("sensitivity").is_some_and(|own| own == name);
    found.results.iter().filter(own).collect()
}

#[test]
fn each_rule_beside_the_registered_one_is_a_row() {
    let few = one_gone(
        "missing = { primary = \"complete-case\", sensitivity = [\"inverse-probability-of-censoring\", \"multiple-imputation\", \"manski\", \"lee\", \"tipping-point\"] }\n",
    );
    let found = few.run();
    // Known: 1 of 3 and 1 of 4.
    near(found.results[0].estimate, 1.0 / 3.0 - 0.25);
    assert!(!found.results[0].extra.contains_key("sensitivity"));
    // Without covariates each known treated family weighs 4/3: the same difference.
    let weighted = beside(&found, "inverse-probability-of-censoring");
    near(weighted[0].estimate, 1.0 / 3.0 - 0.25);
    // The unknown one has no report, or has one: 1/4 − 1/4 and 2/4 − 1/4.
    let bounds = beside(&found, "manski");
    assert_eq!(
        (bounds[0].term.as_str(), bounds[1].term.as_str()),
        ("lower", "upper")
    );
    near(bounds[0].estimate, 0.0);
    near(bounds[1].estimate, 0.25);
    // 4 of 4 are known in control and 3 of 4 in treated, so control is trimmed by q = 1/4, one family: without its one
    // report 1/3 − 0, without another one 1/3 − 1/3.
    let bounds = beside(&found, "lee");
    near(bounds[0].estimate, 0.0);
    near(bounds[1].estimate, 1.0 / 3.0);
    // 0 or 1 of the one unknown family: 1/4 or 2/4 against 1/4, both open, as 1/3 against 1/4 is.
    let tipping = beside(&found, "tipping-point")[0];
    assert_eq!(tipping.extra["pairs"], 2);
    assert_eq!(tipping.extra["turning"], 0);
    assert_eq!(tipping.extra["verdict"], "open");
    assert_eq!(tipping.estimate, None);
    // Every imputation has 1 + y* reports of 4 against 1 of 4: the estimate is mean(y*)/4, y* having probability
    // 1.5/4 (Beta(1.5, 2.5)). The mean of 100 has a standard error of √(0.375·0.625/100) = 0.0484.
    let imputed = beside(&found, "multiple-imputation")[0];
    let estimate = imputed.estimate.unwrap();
    assert!((4.0 * estimate - 0.375).abs() < 4.0 * 0.0484, "{estimate}");
    let hundredths = 400.0 * estimate;
    assert!((hundredths - hundredths.round()).abs() < 1e-9);
    assert_eq!(imputed.extra["imputed"], 1);
    assert!(imputed.extra["missing_information"].as_f64().unwrap() > 0.0);
    assert!(imputed.std_error.unwrap() > 0.0 && imputed.df.unwrap() > 0.0);
    // The same numbers again, from the study's own draws.
    assert_eq!(few.run().results, found.results);
}

/// Reports from day 123 on alone, and those by the study's staff left out, are rows of the same analysis.
#[test]
fn the_same_analysis_of_another_outcome_is_a_row() {
    let outcomes = "[[outcome]]\nid = \"late\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [123, 365]\n\n[[outcome]]\nid = \"unseen\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [1, 365]\nnot_counted = { by_study_staff = true }\n";
    let mut few = one_gone(&format!(
        "missing = {{ primary = \"complete-case\" }}\nsensitivity_outcomes = [\"late\", \"unseen\"]\n{}\n{outcomes}\n[[analysis]]\nid = \"last\"\nlock = \"final\"\nrole = \"exploratory\"\noutcome = \"late\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = {{ primary = \"complete-case\" }}\n",
        estimand("risk-difference", "treatment-policy")
    ));
    let second = few.treated[1];
    few.report(second, 123);
    // A report of the study's own staff on day 200.
    let (third, late) = (few.treated[2], few.day.plus(crate::registered::LATE));
    let report = Report {
        family: third,
        report: ReportIx(few.study.state.reports.len() as u32),
        received: few.day.plus(200),
        source: Source::Register,
        incident: None,
        child: None,
        unknown_child: false,
        attached: None,
        by_study_staff: true,
    };
    let command = Command::Record(What::Reported(report));
    few.study.command(late, &command).expect("a report");
    let found = few.run();
    // All three known treated families have a report, one of four control families.
    near(found.results[0].estimate, 1.0 - 0.25);
    // From day 123: two of three treated families, none of control.
    near(beside(&found, "late")[0].estimate, 2.0 / 3.0);
    // Without the staff's: two of three, one of four.
    near(beside(&found, "unseen")[0].estimate, 2.0 / 3.0 - 0.25);
}

/// Eight families, one of four in each arm with a report: no difference. The treated one with its report, and a control family without
/// one, are found not to have been eligible, after the cut: without them 0 of 3 and 1 of 3. They stay in the result.
#[test]
fn families_found_ineligible_are_left_out_of_one_row_alone() {
    let own = format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
        estimand("risk-difference", "treatment-policy")
    );
    let mut few = few(&own, 8);
    let (reported, other) = (few.treated[0], few.control[1]);
    few.report(reported, 5);
    let first = few.control[0];
    few.report(first, 5);
    let name = lottning::study::conduct::ELIGIBLE_SET;
    let whole = few.run();
    assert!(beside(&whole, name).is_empty());
    let found_on = few.day.plus(LATE + 3);
    for family in [reported, other] {
        let what = What::Violation {
            family,
            on: found_on,
            reason: 0,
            truth: None,
            received: None,
        };
        let command = Command::Record(what);
        few.study.command(found_on, &command).expect("a violation");
    }
    let found = few.run();
    near(found.results[0].estimate, 0.0);
    assert_eq!(
        (found.results[0].n_treated, found.results[0].n_control),
        (4, 4)
    );
    assert_eq!(found.arms, whole.arms);
    let rows = beside(&found, name);
    assert_eq!(rows.len(), 1);
    near(rows[0].estimate, -1.0 / 3.0);
    assert_eq!((rows[0].n_treated, rows[0].n_control), (3, 3));
    assert_eq!(rows[0].extra["randomized_groups_whole"], false);
    let told = found.warnings.iter();
    let told: Vec<_> = told
        .filter(|own| own.code == "found-ineligible-left-out")
        .collect();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].message.en.contains("2 (iuh: 1, standard: 1)"),
        "{told:?}"
    );
    assert!(
        told[0].message.sv.contains("2 (iuh: 1, standard: 1)"),
        "{told:?}"
    );
}

/// The one unknown family is too few for a covariate in the model of its arm, of the result and of the row beside it alike: the
/// same words of both are said once.
#[test]
fn what_holds_for_two_rows_is_said_once() {
    let outcomes = "[[outcome]]\nid = \"late\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [123, 365]\n";
    let few = one_gone(&format!(
        "covariates = [\"youngest_age\"]\nmissing = {{ primary = \"inverse-probability-of-censoring\" }}\nsensitivity_outcomes = [\"late\"]\n{}\n{outcomes}\n[[analysis]]\nid = \"last\"\nlock = \"final\"\nrole = \"exploratory\"\noutcome = \"late\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = {{ primary = \"complete-case\" }}\n",
        estimand("risk-difference", "treatment-policy")
    ));
    let found = few.run();
    assert_eq!((found.results.len(), beside(&found, "late").len()), (2, 1));
    let told = found.warnings.iter();
    let told: Vec<_> = told
        .filter(|own| own.code == "censoring-model-reduced")
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.en.contains("0 of 1 columns"), "{told:?}");
}

/// A saturated model in one arm: 5 of 10 known at x = 0 and 8 of 10 at x = 1 give the weights 2 and 5/4; in the other all
/// are known.
#[test]
fn weights_are_the_inverse_of_the_share_that_is_known() {
    let arm = [[Treated; 20], [Control; 20]].concat();
    let x: Vec<f64> = (0..40).map(|row| f64::from(row % 20 / 10)).collect();
    let known: Vec<bool> = (0..40)
        .map(|row| row >= 20 || [5, 8][row / 10] > row % 10)
        .collect();
    let found = known_weights(&arm, &known, &x);
    assert_eq!((found.columns, found.separated), ([0, 1], [false, false]));
    let expected = [vec![2.0; 5], vec![1.25; 8], vec![1.0; 20]].concat();
    for (found, expected) in found.weights.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }
    assert_eq!(found.weights.len(), expected.len());
    // With 4 unknown ones there are too few for the column: all weigh 20/16.
    let known: Vec<bool> = (0..40).map(|row| row >= 4).collect();
    let found = known_weights(&arm, &known, &x);
    assert_eq!(found.columns, [0, 0]);
    assert!(
        found.weights[..16]
            .iter()
            .all(|own| (own - 1.25).abs() < 1e-12)
    );
}

/// Ten families in each arm of the first two sites, three of them lost; six in each arm of the third, all lost. The third merges
/// into the second, whose known families stand for all of theirs: weights 10/7 and 16/7. Reports: 1 of 7 against 5 of 7 at the
/// first site, 4 of 7 against 3 of 7 at the second; an additive model weighs strata by w₁w₀/(w₁ + w₀), here 10/2 and 16/2, so
/// that the effect is (10·(−4/7) + 16·(1/7))/26 = −12/91.
#[test]
fn a_site_of_unknown_outcomes_alone_is_merged_like_any_small_one() {
    let text = with(&format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\ncovariates = [\"site\"]\nmissing = {{ primary = \"inverse-probability-of-censoring\", sensitivity = [\"complete-case\", \"multiple-imputation\"] }}\n{}",
        estimand("risk-difference", "treatment-policy")
    ));
    let text = text.replace("families_per_therapist = 3", "families_per_therapist = 20");
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    let late = day.plus(LATE);
    // Per site: families, and reports in the treated and the control arm.
    for (site, families, reports) in [(0, 20, [1, 5]), (1, 20, [4, 3]), (2, 12, [0, 0])] {
        let all: Vec<FamilyIx> = (0..families)
            .map(|_| study.enrol(day, site, 1, &[2, 3, 0]).unwrap().0)
            .collect();
        let control = study.protocol.control;
        let arm = |family: &FamilyIx| study.state.family(*family).unwrap().arm;
        let (standard, treated): (Vec<FamilyIx>, Vec<FamilyIx>) =
            all.iter().partition(|family| arm(family) == control);
        assert_eq!(standard.len(), treated.len());
        for (own, reports) in [treated, standard].into_iter().zip(reports) {
            let lost = if site == 2 { own.len() } else { 3 };
            let (gone, followed) = own.split_at(lost);
            for family in gone {
                let (exit, on, family) = (Exit::LeftCoverage, day.plus(50), *family);
                let gone = Command::Record(What::Exited { family, exit, on });
                study.command(late, &gone).expect("an exit");
            }
            for family in &followed[..reports] {
                study.report(*family, day.plus(60), late);
            }
        }
    }
    let plan = Plan::registered(&study.protocol, 1);
    let settings = RunSettings::default();
    let found = run(&study.protocol, &study.state, &plan, late, &settings);
    let own = &found.analyses[1];
    near(own.results[0].estimate, -12.0 / 91.0);
    let merged = |own: &&lottning::analysis::results::Deviation| own.code == "site-merged";
    let told: Vec<_> = own.deviations.iter().filter(merged).collect();
    assert_eq!(told.len(), 1, "{:?}", own.deviations);
    let name = |site: usize| study.protocol.sites[site].name.clone();
    assert!(
        told[0]
            .message
            .en
            .contains(&format!("{} + {}", name(1), name(2)))
    );
    // Without weights the third site has no rows: 7/2 in either stratum.
    near(beside(own, "complete-case")[0].estimate, -1.5 / 7.0);
    // The third site's outcomes are imputed by the second's, too. All weigh alike in the completed data: (treated − control)/26
    // reports. Logits of 1, 4, 5 and 3 of 7 drawn from their normal distribution have the mean chances .186292, .563333, .689642
    // and .436667 (integrated numerically in R): treated 1 + 3·.186292 + 4 + 9·.563333, control 5 + 3·.689642 + 3 + 9·.436667.
    // Within an imputation the two sums vary by 9.85 together (from the same integrals), so the mean of 100 by √9.85/26/10. By
    // the first site's they would differ by −7.15/26.
    let imputed = beside(own, "multiple-imputation")[0].estimate.unwrap();
    let error = 9.85f64.sqrt() / 260.0;
    assert!(
        (imputed - (10.628_874 - 13.998_929) / 26.0).abs() < 4.0 * error,
        "{imputed}"
    );
}

/// A column that has told rows apart is taken, and the others have one for each five of *their* rarer kind. Ten rows of a site are
/// all unknown; of thirty others four are: too few for the second column, so that all known ones weigh 30/26, by hand.
#[test]
fn rows_set_aside_do_not_count_for_the_columns_of_the_others() {
    let arm = [Treated; 40];
    let site = (0..40).map(|row| f64::from(u8::from(row >= 30)));
    let second = (0..40).map(|row| f64::from(u8::from((15..30).contains(&row))));
    let columns: Vec<f64> = site.chain(second).collect();
    let with = |unknown: &[usize]| {
        let known: Vec<bool> = (0..40)
            .map(|row| row < 30 && !unknown.contains(&row))
            .collect();
        known_weights(&arm, &known, &columns)
    };
    let found = with(&[0, 15, 16, 17]);
    assert_eq!((found.columns[1], found.aside[1].len()), (1, 1));
    assert_eq!(found.weights.len(), 26);
    for own in &found.weights {
        assert!((own - 30.0 / 26.0).abs() < 1e-12, "{own}");
    }
    // Of six there is one for five: 13 of 15 without the second column, 11 of 15 with it.
    let found = with(&[0, 1, 15, 16, 17, 18]);
    assert_eq!(found.columns[1], 2);
    for (own, expected) in found
        .weights
        .iter()
        .zip([vec![15.0 / 13.0; 13], vec![15.0 / 11.0; 11]].concat())
    {
        assert!((own - expected).abs() < 1e-9, "{own}");
    }
}

/// Three sites of 10, 10 and 12 rows by two indicators, the first without one. Where the second site has all known, the others are
/// saturated: 7 of 10 and 5 of 12; where the first has, 8 of 10 and 4 of 12; where the third has none known, 7 and 8 of 10.
#[test]
fn a_site_where_all_are_known_has_weight_one_and_the_others_their_model() {
    let arm = [Treated; 32];
    let site = |row: usize| (row / 10).min(2);
    let mut columns: Vec<f64> = Vec::new();
    for own in [1, 2] {
        columns.extend((0..32).map(|row| f64::from(u8::from(site(row) == own))));
    }
    let with = |known: [usize; 3]| {
        let known: Vec<bool> = (0..32)
            .map(|row| row - 10 * site(row) < known[site(row)])
            .collect();
        known_weights(&arm, &known, &columns)
    };
    let aside = |columns: &[usize], with, known| Aside {
        columns: columns.to_vec(),
        with,
        known,
    };
    let share = |known: usize, all: f64| vec![all / known as f64; known];
    for (known, expected, told) in [
        (
            [7, 10, 5],
            [share(7, 10.0), share(10, 10.0), share(5, 12.0)],
            aside(&[0], true, true),
        ),
        (
            [10, 8, 4],
            [share(10, 10.0), share(8, 10.0), share(4, 12.0)],
            aside(&[0, 1], false, true),
        ),
        (
            [7, 8, 0],
            [share(7, 10.0), share(8, 10.0), Vec::new()],
            aside(&[1], true, false),
        ),
    ] {
        let found = with(known);
        assert_eq!((found.columns[1], found.separated[1]), (2, false));
        assert_eq!(found.aside[1], [told]);
        let expected = expected.concat();
        assert_eq!(found.weights.len(), expected.len());
        for (found, expected) in found.weights.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found} is not {expected}"
            );
        }
    }
    // A number that separates the kinds leaves the arm's share: 20 of 32.
    let number: Vec<f64> = (0..32).map(f64::from).collect();
    let known: Vec<bool> = (0..32).map(|row| row < 20).collect();
    let found = known_weights(&arm, &known, &number);
    assert!(found.separated[1] && found.aside[1].is_empty());
    assert!(found.weights.iter().all(|own| (own - 1.6).abs() < 1e-12));
}

#[test]
fn a_verdict_turns_at_the_pair_nearest_to_what_is_expected() {
    // 2 of 20 and 10 of 20 known: lower (z = −0.4/√(0.3·0.7·0.1·40/39) = −2.73). With four unknown ones in each arm the
    // shares of the known ones expect 0.4 and 2 events.
    let treated = ArmCounts {
        events: 2,
        known: 20,
        unknown: 4,
        settled: 0,
    };
    let control = ArmCounts {
        events: 10,
        ..treated
    };
    let found = tipping_pairs(treated, control, 0.05).unwrap();
    assert_eq!((found.verdict, found.pairs), (Verdict::Lower, 25));
    // By hand: (a, b) of 24 each; z² = (8 + b − a)²·47·2/(… ) with events s = 12 + a + b of 48:
    // z = (8 + b − a)/24 / √(s/48·(1 − s/48)·(2/24)·(48/47)).
    let z = |a: f64, b: f64| {
        let s = (12.0 + a + b) / 48.0;
        (8.0 + b - a) / 24.0 / (s * (1.0 - s) * (2.0 / 24.0) * (48.0 / 47.0)).sqrt()
    };
    let mut turning = 0;
    let mut nearest = (f64::INFINITY, (0, 0));
    for a in 0..=4u64 {
        for b in 0..=4u64 {
            if z(a as f64, b as f64) < 1.959_963_984_540_054 {
                turning += 1;
                let gap = (a as f64 / 4.0 - 0.1).powi(2) + (b as f64 / 4.0 - 0.5).powi(2);
                if gap < nearest.0 {
                    nearest = (gap, (a, b));
                }
            }
        }
    }
    assert!(turning > 0);
    assert_eq!((found.turning, found.nearest), (turning, Some(nearest.1)));
    // Three of the treated arm's four had the event before they were lost: 2·5 pairs are left.
    let settled = ArmCounts {
        settled: 3,
        ..treated
    };
    assert_eq!(tipping_pairs(settled, control, 0.05).unwrap().pairs, 10);
    let nobody = ArmCounts {
        known: 0,
        ..control
    };
    assert!(tipping_pairs(treated, nobody, 0.05).is_none());
}

/// Three arms of four families. Reports: two in `iuh`, one in `standard`, one in `letter`, where another family is gone after 50
/// days without any.
///
/// Worst case: `iuh` 2/4 − 1/4 on both sides; the gone family of `letter` has no report or one: 1/4 − 1/4 and 2/4 − 1/4. Trimmed:
/// nothing of `iuh`; of `standard` against `letter` (known: 4 of 4 and 3 of 4) one family of four: 1/3 − 1/3 without one of no
/// report, 1/3 − 0 without the one with a report.
#[test]
fn bounds_say_of_which_arm_they_are() {
    let own = |id: &str, rest: &str| {
        format!(
            "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"exploratory\"\noutcome = \"rereport\"\nsummary = \"any\"\n{rest}{}",
            estimand("risk-difference", "treatment-policy")
        )
    };
    let text = with(&format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = {{ primary = \"complete-case\", sensitivity = [\"manski\", \"lee\"] }}\n{}\n{}",
        estimand("risk-difference", "treatment-policy"),
        own(
            "bounded",
            "estimator = \"manski-bounds\"\nmissing = { primary = \"bounds\" }\n"
        )
    ));
    let third =
        "[[arm]]\nid = \"letter\"\nlabel = { sv = \"Brev\", en = \"Letter\" }\nratio = 1\n\n";
    let text = text
        .replace("[unit]\n", &format!("{third}[unit]\n"))
        .replace("method = \"big-stick\"", "method = \"permuted-block\"")
        .replace("max_imbalance = 1", "block_len = 12");
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    let late = day.plus(LATE);
    let mut arms: [Vec<FamilyIx>; 3] = Default::default();
    for _ in 0..12 {
        let family = study.enrol(day, 0, 1, &[2, 3, 0]).unwrap().0;
        arms[study.state.family(family).unwrap().arm.index()].push(family);
    }
    let [iuh, standard, letter] = &arms;
    for family in [iuh[0], iuh[1], standard[0], letter[0]] {
        study.report(family, day.plus(5), late);
    }
    let (exit, on) = (Exit::LeftCoverage, day.plus(50));
    let family = letter[3];
    let gone = Command::Record(What::Exited { family, exit, on });
    study.command(late, &gone).expect("an exit");
    let plan = Plan::registered(&study.protocol, 1);
    let settings = RunSettings::default();
    let found = run(&study.protocol, &study.state, &plan, late, &settings);
    let body = body(&study.protocol, &found, Lang::En);
    let rows = |analysis: usize, name: Option<&str>| -> Vec<(String, String, f64)> {
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("none").to_owned();
        let all = body["analyses"][analysis]["results"].as_array().unwrap();
        all.iter()
            .filter(|row| row["sensitivity"].as_str() == name)
            .map(|row| {
                (
                    text(row, "arm"),
                    text(row, "term"),
                    row["estimate"].as_f64().unwrap(),
                )
            })
            .collect()
    };
    let worst = [
        ("iuh", "lower", 0.25),
        ("iuh", "upper", 0.25),
        ("letter", "lower", 0.0),
        ("letter", "upper", 0.25),
    ];
    let trimmed = [
        ("iuh", "lower", 0.25),
        ("iuh", "upper", 0.25),
        ("letter", "lower", 0.0),
        ("letter", "upper", 1.0 / 3.0),
    ];
    for (analysis, name, expected) in [
        (1, Some("manski"), worst),
        (1, Some("lee"), trimmed),
        (2, None, worst),
    ] {
        let found = rows(analysis, name);
        assert_eq!(found.len(), 4, "{found:?}");
        for (row, (arm, term, estimate)) in found.iter().zip(expected) {
            assert_eq!((row.0.as_str(), row.1.as_str()), (arm, term));
            near(Some(row.2), estimate);
        }
    }
    // Rows that name their arm in the term have no need of it.
    assert!(
        rows(1, None)
            .iter()
            .all(|row| row.0 == "none" && row.1.ends_with(" vs standard"))
    );
}

/// Ten families of a category and arm, with some age; in the treated arm no outcome of the second category is known, in the control arm
/// one of the first is not. Five of the first in either arm were reported again. Gives also the number in the treated arm of the second.
fn two_categories(covariates: &str, age: impl Fn(usize) -> i64) -> (AnalysisResult, usize) {
    let text = with(&format!(
        "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\ncovariates = {covariates}\nmissing = {{ primary = \"complete-case\", sensitivity = [\"multiple-imputation\"] }}\n{}",
        estimand("risk-difference", "treatment-policy")
    ));
    let text = text.replace("families_per_therapist = 3", "families_per_therapist = 30");
    let mut study = Study::new(protocol(&text), 3);
    let day = study.protocol.first_opening();
    let late = day.plus(LATE);
    let mut cells: [[Vec<FamilyIx>; 2]; 2] = Default::default();
    for k in 0..40usize {
        let category = k / 2 % 2;
        let family = study
            .enrol(day, 0, 1, &[2, age(k), category as i64])
            .unwrap()
            .0;
        let control = study.state.family(family).unwrap().arm == study.protocol.control;
        cells[usize::from(control)][category].push(family);
    }
    let [[first, second], [control, _]] = &cells;
    for family in first[..5].iter().chain(&control[..5]) {
        study.report(*family, day.plus(60), late);
    }
    for family in second.iter().chain(&control[9..]) {
        let (exit, on, family) = (Exit::LeftCoverage, day.plus(50), *family);
        let gone = Command::Record(What::Exited { family, exit, on });
        study.command(late, &gone).expect("an exit");
    }
    let plan = Plan::registered(&study.protocol, 1);
    let mut found = run(
        &study.protocol,
        &study.state,
        &plan,
        late,
        &RunSettings::default(),
    );
    (found.analyses.remove(1), second.len())
}

/// The imputation of the treated arm says so, and that of the control arm nothing.
#[test]
fn a_level_without_known_outcomes_is_told_of() {
    let (found, of_second) = two_categories("[\"category\"]", |_| 1);
    let told = found.warnings.iter();
    let told: Vec<_> = told
        .filter(|own| own.code == "imputed-by-whole-arm")
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let en = &told[0].message.en;
    assert!(
        en.starts_with(&format!(
            "in iuh no family with a known outcome is of the kind of {of_second} "
        )),
        "{en}"
    );
    assert!(
        en.contains("by `category=parent`: none of their kind stands for them"),
        "{en}"
    );
}

/// Ten known outcomes in the treated arm, five of either kind, have room for one column of the two. In the control arm the second
/// category, none of whom was reported, is told apart by its indicator, and of the first five were and four not, which is room for none.
#[test]
fn columns_that_an_imputation_has_no_room_for_are_told_of() {
    let told = |own: &AnalysisResult| -> Vec<(String, String)> {
        let told = own.warnings.iter();
        let told = told.filter(|own| own.code == "imputation-model-reduced");
        told.map(|own| (own.message.en.clone(), own.message.sv.clone()))
            .collect()
    };
    let (found, _) = two_categories("[\"category\", \"youngest_age\"]", |k| (k % 5) as i64);
    let told_of = told(&found);
    assert_eq!(told_of.len(), 2, "{told_of:?}");
    for ((en, sv), arm) in told_of.iter().zip(["standard", "iuh"]) {
        assert!(
            en.starts_with(&format!("in {arm} there are too few families")),
            "{en}"
        );
        assert!(en.ends_with("go by 1 of 2 columns"), "{en}");
        assert!(
            sv.starts_with(&format!("i {arm} är det för få familjer")),
            "{sv}"
        );
        assert!(sv.ends_with("går efter 1 av 2 kolumner"), "{sv}");
    }
    // One column is room enough for one.
    let (found, _) = two_categories("[\"category\"]", |_| 1);
    assert!(told(&found).is_empty(), "{:?}", told(&found));
}
