//! Rows beside the result of a skewed number: outcomes drawn in, and the studentized bootstrap, on cases that can be written out.

use crate::registered::{Few, estimand, few, near, with};
use lottning::analysis::results::AnalysisResult;
use lottning::estimation::Arm::{Control, Treated};
use lottning::estimation::resampling::{BootstrapT, Effect, Resampler};
use lottning::estimation::winsorizing::limits;
use lottning::estimation::{Columns, Estimate, EstimationError, Factor, Labels, Settings};
use lottning::protocol::parse;

const BOTH: &str = "sensitivity_winsorized = 0.1\nsensitivity_bootstrap = 1999\n";

fn counted(estimator: &str, rest: &str) -> String {
    format!(
        "outcome = \"rereport\"\nsummary = \"count\"\nestimator = \"{estimator}\"\nmissing = {{ primary = \"complete-case\" }}\n{rest}{}",
        estimand("difference", "treatment-policy")
    )
}

/// Eight families with these numbers of reports.
fn reported(analysis: &str, treated: [i32; 4], control: [i32; 4]) -> Few {
    let mut few = few(analysis, 8);
    let families: Vec<_> = few.treated.iter().chain(&few.control).copied().collect();
    for (family, reports) in families.into_iter().zip([treated, control].concat()) {
        for number in 0..reports {
            few.report(family, 20 + 25 * number);
        }
    }
    few
}

fn beside<'r>(found: &'r AnalysisResult, name: &str) -> Vec<&'r Estimate> {
    let own = |row: &&Estimate| row.extra.get("sensitivity").is_some_and(|own| own == name);
    found.results.iter().filter(own).collect()
}

/// Reports 0, 0, 1, 9 against 0, 1, 1, 2: a difference of 3/2. All eight in order are 0, 0, 0, 1, 1, 1, 2, 9: the quantile 0.1 at place
/// 0.7 is 0 and the quantile 0.9 at place 6.3 is 2 + 0.3·7 = 4.1 (R 4.2.2: quantile(c(0, 0, 1, 9, 0, 1, 1, 2), .9)). With 9 drawn in the
/// treated mean is 5.1/4, squares about the means are 11.3075 and 2: the difference is 0.275 and its variance 13.3075/12.
#[test]
fn two_rows_stand_beside_a_skewed_number() {
    let text = counted("difference-in-means", BOTH);
    let few = reported(&text, [0, 0, 1, 9], [0, 1, 1, 2]);
    let found = few.run();
    near(found.results[0].estimate, 1.5);
    let rows = beside(&found, "winsorized");
    assert_eq!(rows.len(), 1);
    near(rows[0].estimate, 0.275);
    let std_error = rows[0].std_error.unwrap();
    near(Some(std_error * std_error), 13.3075 / 12.0);
    assert_eq!(rows[0].extra["winsorized_share"], 0.1);
    near(rows[0].extra["winsorized_to"][0].as_f64(), 0.0);
    near(rows[0].extra["winsorized_to"][1].as_f64(), 4.1);
    assert_eq!(rows[0].extra["moved"], serde_json::json!([1, 0]));
    let told = |code: &str| -> Vec<&str> {
        let own = found.warnings.iter().filter(|own| own.code == code);
        own.map(|own| own.message.en.as_str()).collect()
    };
    let said = told("outcomes-winsorized");
    assert!(said.len() == 1 && said[0].contains("10% of"), "{said:?}");
    assert!(
        said[0].contains("1; standard: 0, iuh: 1") || said[0].contains("1; iuh: 1, standard: 0")
    );
    // The same effect and standard error, another interval.
    let rows = beside(&found, "bootstrap");
    assert_eq!(rows.len(), 1);
    let own = rows[0];
    assert_eq!(own.estimate, found.results[0].estimate);
    assert_eq!(own.std_error, found.results[0].std_error);
    assert_eq!(
        (own.interval.as_str(), own.variance.as_str()),
        ("bootstrap-t", "hc2")
    );
    assert_eq!(own.df, None);
    assert_eq!(own.extra["resamples"], 1999);
    // All of an arm alike: 0, 0, 0, 0 or 1, 1, 1, 1 or 9, 9, 9, 9 with (16 + 1 + 1)/256, and so in control: of 1999 resamples 9.88 have
    // no variance in either arm, with a standard deviation of 3.14.
    let failed = own.extra["failed"].as_u64().unwrap();
    assert!(failed <= 22, "{failed}");
    assert_eq!(told("resamples-failed").len(), usize::from(failed > 0));
    let (low, high) = (own.conf_low.unwrap(), own.conf_high.unwrap());
    assert!(low < 1.5 && 1.5 < high);
    let p = own.p_value.unwrap() * 1000.0;
    assert!((p - p.round()).abs() < 1e-9 && p >= 1.0, "{p}");
    // What decides is the result's own, and the same numbers come again.
    assert_eq!(found.alpha, Some(0.05));
    assert_eq!(few.run().results, found.results);
}

/// Without a report there is nothing to draw in and nothing that varies: rows without interval, as the result.
#[test]
fn without_variation_the_rows_have_no_interval() {
    let few = reported(&counted("linear", BOTH), [0; 4], [0; 4]);
    let found = few.run();
    for name in ["winsorized", "bootstrap"] {
        let rows = beside(&found, name);
        assert_eq!(rows.len(), 1, "{name}");
        near(rows[0].estimate, 0.0);
        let limits = [rows[0].p_value, rows[0].conf_low, rows[0].conf_high];
        assert_eq!(limits, [None; 3], "{name}");
    }
    let rows = beside(&found, "winsorized");
    assert_eq!(rows[0].extra["moved"], serde_json::json!([0, 0]));
}

/// One event alone: of the treated arm of a resample none has it with probability (3/4)⁴ and all have it with (1/4)⁴, together 82/256,
/// and the control arm never varies, so that far more than α/2 have no standard error: there is no limit, and a p all the same.
#[test]
fn where_too_many_resamples_have_no_effect_there_are_no_limits() {
    let few = reported(&counted("lin", BOTH), [0, 0, 0, 1], [0; 4]);
    let found = few.run();
    let own = beside(&found, "bootstrap")[0];
    near(own.estimate, 0.25);
    // 640.3 of 1999, with a standard deviation of 20.9.
    let failed = own.extra["failed"].as_f64().unwrap();
    assert!((failed - 640.3).abs() < 4.0 * 20.9, "{failed}");
    assert_eq!((own.conf_low, own.conf_high), (None, None));
    assert!(own.p_value.unwrap() >= 2.0 * failed / 2000.0);
    for code in ["resamples-failed", "bootstrap-without-limits"] {
        assert!(found.warnings.iter().any(|own| own.code == code), "{code}");
    }
}

/// Outcomes with another sign have the same limits with another sign; one outcome is its own limits.
#[test]
fn limits_are_alike_from_both_ends() {
    let outcomes = [3.0, -1.0, 12.0, 0.5, 8.0, 7.0, 2.0];
    for share in [0.01, 0.07, 0.1, 0.25] {
        let (low, high) = limits(&outcomes, share).unwrap();
        let other = limits(&outcomes.map(|y| -y), share).unwrap();
        near(Some(other.0), -high);
        near(Some(other.1), -low);
    }
    // Places 1.5 and 4.5 of −1, 0.5, 2, 3, 7, 8, 12.
    assert_eq!(limits(&outcomes, 0.25), Some((1.25, 7.5)));
    assert_eq!(limits(&[4.0], 0.25), Some((4.0, 4.0)));
    assert_eq!(limits(&[], 0.25), None);
}

fn studentized(t: &[Option<f64>]) -> Vec<Option<Effect>> {
    // se* = 2, about the effect 2.
    let one = |t: &Option<f64>| {
        t.map(|t| Effect {
            estimate: 2.0 + 2.0 * t,
            std_error: 2.0,
        })
    };
    t.iter().map(one).collect()
}

/// Nine resamples with t of −3 to 5. At α = 0.2 places 1 and 9 of 10: −3 and 5, so that the limits of 2 with standard error ½ are 2 − 5/2
/// and 2 + 3/2; at 0.4 places 2 and 8: −2 and 4; at 0.3 places 1.5 and 8.5: −2.5 and 4.5. θ̂/se is 4: at or above it are 4 and 5, so
/// that the p is 2·3/10.
#[test]
fn limits_and_p_of_nine_resamples() {
    let own = Effect {
        estimate: 2.0,
        std_error: 0.5,
    };
    let all: Vec<Option<f64>> = (-3..6).map(|t| Some(f64::from(t))).collect();
    let found = BootstrapT::new(own, &studentized(&all));
    for (alpha, low, high) in [(0.2, -0.5, 3.5), (0.4, 0.0, 3.0), (0.3, -0.25, 3.25)] {
        let (lower, upper) = found.limits(alpha);
        near(lower, low);
        near(upper, high);
    }
    // Place 0.5 is before the first.
    assert_eq!(found.limits(0.1), (None, None));
    let (p, mcse) = found.p_value();
    near(Some(p), 0.6);
    near(Some(mcse), 2.0 * (0.3f64 * 0.7 / 9.0).sqrt());
    // One without an effect in place of the largest: it is first and last. At 0.2 it stands where the limits would be; at 0.4 the
    // limits are by −3 and 4. It counts in both tails: 4 and itself.
    let mut some = all;
    some[8] = None;
    let found = BootstrapT::new(own, &studentized(&some));
    assert_eq!(found.failed(), 1);
    assert_eq!(found.limits(0.2), (None, None));
    let (lower, upper) = found.limits(0.4);
    near(lower, 0.0);
    near(upper, 3.5);
    near(Some(found.p_value().0), 0.6);
}

fn columns(strata: &[&str]) -> Columns {
    let arm: Vec<_> = (0..strata.len())
        .map(|row| [Control, Treated][row % 2])
        .collect();
    Columns {
        labels: Labels {
            treated: "iuh".into(),
            control: "standard".into(),
        },
        outcome: (0..arm.len()).map(|row| Some((row * row) as f64)).collect(),
        arm,
        strata: vec![Factor::from_texts(
            "site",
            strata.iter().map(|own| Some(*own)),
        )],
        ..Columns::default()
    }
}

/// A family that is alone with its arm in a stratum could only be replaced by itself.
#[test]
fn families_that_are_alone_are_not_drawn_again() {
    let settings = Settings::default();
    let id = "stratified-difference-in-means";
    let pairs = columns(&["a", "a", "b", "b", "c", "c", "c", "c"]);
    let refused = Resampler::new(id, &pairs, &settings, &[]).map(|_| ());
    let strata = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(refused, Err(EstimationError::SingleInStratum { strata }));
    let mut few = columns(&["a", "a", "a"]);
    few.strata.clear();
    let refused = Resampler::new("lin", &few, &settings, &[]).map(|_| ());
    let alone = EstimationError::TooFewRows {
        arm: "iuh".to_owned(),
        rows: 1,
        needed: 2,
    };
    assert_eq!(refused, Err(alone));
    assert!(Resampler::new("risk-ratio", &few, &settings, &[]).is_err());
}

/// What the two keys do not fit is told in the file.
#[test]
fn what_the_keys_do_not_fit_is_told() {
    let codes = |text: &str| -> Vec<&'static str> {
        let parsed = parse(with(text).as_bytes());
        let errors = parsed.diagnostics.iter().filter(|own| own.is_error());
        errors.map(|own| own.code).collect()
    };
    let own = |estimator: &str, rest: &str| codes(&counted(estimator, rest));
    for estimator in [
        "lin",
        "linear",
        "difference-in-means",
        "stratified-difference-in-means",
    ] {
        assert_eq!(
            own(estimator, &BOTH.replace("0.1", "0.25")),
            [""; 0],
            "{estimator}"
        );
    }
    for (rest, code) in [
        ("sensitivity_winsorized = 0.0\n", "out-of-range"),
        ("sensitivity_winsorized = 0.3\n", "out-of-range"),
        ("sensitivity_bootstrap = 998\n", "out-of-range"),
        ("sensitivity_bootstrap = 0.5\n", "wrong-type"),
        (
            "clusters = \"delivered-by\"\nsensitivity_bootstrap = 999\n",
            "not-applicable",
        ),
    ] {
        assert_eq!(own("lin", rest), [code], "{rest}");
    }
    // Outcomes by pairs can be drawn in.
    let clustered = "clusters = \"delivered-by\"\nsensitivity_winsorized = 0.01\n";
    assert_eq!(own("lin", clustered), [""; 0]);
    // Another estimator, yes or no, weights, children.
    let ranks = counted("rank-sum", BOTH).replace("\"difference\"", "\"probability-index\"");
    assert_eq!(codes(&ranks), ["not-applicable"; 2]);
    let any = counted("lin", BOTH)
        .replace("\"count\"", "\"any\"")
        .replace("\"difference\"", "\"risk-difference\"");
    assert_eq!(codes(&any), ["not-applicable"; 2]);
    let weighed = counted("lin", BOTH).replace("complete-case", "inverse-probability-of-censoring");
    assert_eq!(codes(&weighed), ["not-applicable"]);
    let children = counted("lin", &format!("children = \"family-average\"\n{BOTH}"));
    let told = codes(&children);
    let refused = told.iter().filter(|code| **code == "not-applicable");
    assert_eq!(refused.count(), 2, "{told:?}");
}
