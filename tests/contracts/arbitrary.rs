//! Whatever the data, an estimator answers with numbers or refuses with a code: no NaN, no infinity, no p of 0, no negative
//! standard error, no limits out of order.

use crate::estimation::settings;
use crate::made_up::{IUH, LAST, protocol, study};
use crate::registered::analysis;
use crate::several_arms::three_arms;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::diagnostic::Lang;
use lottning::estimation::{
    Arm, Columns, Covariate, ESTIMATORS, Estimate, EstimatorEntry, Factor, OutcomeDomain, Role,
};
use lottning::protocol::model::{Exit, Service};
use lottning::study::kernel::{Command, What};
use proptest::prelude::{ProptestConfig, any};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, proptest};
use serde_json::Value;

/// Numbers from one byte each, taken in turn.
struct Bytes<'b> {
    all: &'b [u8],
    at: usize,
}

impl Bytes<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.at += 1;
        usize::from(
            self.all[self.at % self.all.len()].rotate_left((self.at / self.all.len()) as u32),
        ) % n
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

fn factor(bytes: &mut Bytes<'_>, name: &str, rows: usize, levels: usize) -> Factor {
    let names = ["a", "b", "c", "d", "e"];
    let codes: Vec<usize> = (0..rows).map(|_| bytes.below(levels)).collect();
    Factor::from_texts(name, codes.iter().map(|code| Some(names[*code])))
}

/// Few rows of an estimator's columns: missing values, ties, constants, extreme sizes, empty arms.
fn columns(entry: &EstimatorEntry, rows: usize, bytes: &mut Bytes<'_>) -> Columns {
    let mut own = Columns::default();
    let one_armed = bytes.below(12) == 0;
    let flat = bytes.below(8) == 0;
    let size = bytes.of(&[1.0, 1.0, 1e-9, 1e9]);
    let side = |bytes: &mut Bytes<'_>| {
        if one_armed {
            Arm::Control
        } else {
            bytes.of(&[Arm::Control, Arm::Treated])
        }
    };
    own.arm = (0..rows).map(|_| side(bytes)).collect();
    let column = |bytes: &mut Bytes<'_>, from: &[f64], missing: usize| {
        let one = |bytes: &mut Bytes<'_>| (bytes.below(missing) > 0).then(|| bytes.of(from));
        (0..rows).map(|_| one(bytes)).collect::<Vec<Option<f64>>>()
    };
    if entry.uses(Role::Outcome) {
        let from: &[f64] = match entry.outcome {
            OutcomeDomain::Number => &[0.0, 1.0, -1.0, 2.5, 2.5, 7.0],
            OutcomeDomain::ZeroOne => &[0.0, 1.0],
            OutcomeDomain::Count => &[0.0, 0.0, 1.0, 2.0, 9.0],
        };
        let scale = if entry.outcome == OutcomeDomain::Number {
            size
        } else {
            1.0
        };
        own.outcome = column(bytes, if flat { &from[..1] } else { from }, 9);
        for y in own.outcome.iter_mut().flatten() {
            *y *= scale;
        }
    }
    if entry.uses(Role::Covariates) && bytes.below(3) > 0 {
        let values = column(bytes, &[0.0, 1.0, 1.0, 4.0], 9);
        own.covariates.push(Covariate::numeric("age", values));
    }
    let strata = entry.required.contains(&Role::Strata) || bytes.below(2) == 0;
    if entry.uses(Role::Strata) && strata {
        own.strata.push(factor(bytes, "site", rows, 2));
    }
    if entry.uses(Role::Cluster) && bytes.below(2) == 0 {
        own.cluster = Some(factor(bytes, "family", rows, 5));
    }
    if entry.uses(Role::Weights) && bytes.below(2) == 0 {
        own.weights = Some(column(bytes, &[1.0, 0.5, 3.0, 1e-6, 1e6], 20));
    }
    if entry.uses(Role::Received) {
        own.received = Some(column(bytes, &[0.0, 1.0], 20));
    }
    if entry.uses(Role::Exposure) {
        own.exposure = Some(column(bytes, &[0.1, 1.0, 365.0], 20));
    }
    if entry.uses(Role::Time) {
        own.time = Some(column(bytes, &[1.0, 2.0, 3.0, 5.0, 8.0], 20));
    }
    if entry.uses(Role::Event) {
        own.event = Some((0..rows).map(|_| Some(bytes.of(&[0, 1, 1, 2]))).collect());
    }
    if entry.required.contains(&Role::Entry) {
        own.entry = Some(vec![Some(0.0); rows]);
    }
    if entry.uses(Role::Id) {
        let names: Vec<String> = (0..rows).map(|row| format!("{row}")).collect();
        own.id = Some(Factor::from_texts(
            "id",
            names.iter().map(|name| Some(name.as_str())),
        ));
    }
    own
}

fn said(value: &Value, path: &str) -> Result<(), TestCaseError> {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            prop_assert!(number.is_finite(), "{path} {number}");
            if path.ends_with("p_value")
                || path.ends_with("p_central")
                || path.ends_with("p_minlike")
            {
                prop_assert!(number > 0.0 && number <= 1.0, "{path} {number}");
            }
        }
        Value::String(text) => prop_assert!(
            !text.contains("NaN") && !text.contains("inf "),
            "{path} {text}"
        ),
        Value::Array(all) => {
            for own in all {
                said(own, path)?;
            }
        }
        Value::Object(all) => {
            for (key, own) in all {
                said(own, &format!("{path}/{key}"))?;
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
    Ok(())
}

fn sane(row: &Estimate) -> Result<(), TestCaseError> {
    let numbers = [
        row.estimate,
        row.std_error,
        row.statistic,
        row.df,
        row.p_value,
        row.conf_low,
        row.conf_high,
        Some(row.level),
    ];
    prop_assert!(
        numbers.iter().flatten().all(|own| own.is_finite()),
        "{row:?}"
    );
    prop_assert!(row.std_error.is_none_or(|own| own >= 0.0), "{row:?}");
    prop_assert!(row.df.is_none_or(|own| own > 0.0), "{row:?}");
    prop_assert!(
        row.p_value.is_none_or(|own| own > 0.0 && own <= 1.0),
        "{row:?}"
    );
    if let (Some(low), Some(high)) = (row.conf_low, row.conf_high) {
        prop_assert!(low <= high, "{row:?}");
    }
    let whole = serde_json::to_value(row).unwrap();
    said(&whole, "")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// On few rows, with weights, clusters and strata or without, under each combination of options in its turn.
    #[test]
    fn no_estimator_says_what_is_no_number(rows in 0usize..15, bytes in proptest::collection::vec(any::<u8>(), 40..200), which in 0usize..1000) {
        for entry in ESTIMATORS {
            let mut bytes = Bytes { all: &bytes, at: 0 };
            let columns = columns(entry, rows, &mut bytes);
            let all = settings(entry, &columns);
            for settings in [all[0], all[which % all.len()]] {
                match entry.estimate(&columns, &settings) {
                    Ok(answer) => {
                        prop_assert!(!answer.results.is_empty(), "{}", entry.id);
                        for row in &answer.results {
                            sane(row)?;
                        }
                        let codes = answer.warnings.iter();
                        prop_assert!(codes.clone().all(|own| !own.code.is_empty()));
                    }
                    Err(error) => {
                        let (code, words) = (error.code(), error.words());
                        prop_assert!(!code.is_empty());
                        for lang in [Lang::En, Lang::Sv] {
                            let text = words.get(lang);
                            prop_assert!(!text.is_empty() && !text.contains("NaN"), "{} {text}", entry.id);
                        }
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Every estimator that a protocol may name, in small studies of three arms, with exits, weights and clusters.
    #[test]
    fn no_registered_analysis_of_three_arms_says_what_is_no_number(families in 0usize..40, number in 0u64..1000) {
        let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
        let mut text = three_arms(&IUH[..start].replace("draws = 10000", "draws = 99"));
        for entry in ESTIMATORS.iter().filter(|entry| entry.in_plan) {
            let (id, rest) = (entry.id, analysis(entry));
            text += "[[analysis]]\nid = \"own-";
            text += id;
            text += "\"\nlock = \"final\"\nrole = \"exploratory\"\n";
            text += &rest;
        }
        let mut study = study(protocol(&text), families, number);
        let all: Vec<_> = study.state.allocations.iter().map(|own| own.family).collect();
        for (k, family) in all.into_iter().enumerate() {
            let own = *study.state.family(family).unwrap();
            let on = own.randomized.plus(50 + k as i32);
            let exit = [Exit::LeftCoverage, Exit::Death][k % 2];
            if (k as u64 * 7 + number).is_multiple_of(5) {
                let command = Command::Record(What::Exited { family, exit, on });
                study.command(LAST, &command).unwrap();
            }
            if k % 3 > 0 {
                study.serve(family, Service::Started, own.randomized.plus(5), LAST);
            }
        }
        let plan = Plan::registered(&study.protocol, 1);
        let found = run(&study.protocol, &study.state, &plan, LAST, &RunSettings::default());
        for own in &found.analyses {
            for row in &own.results {
                sane(row)?;
            }
            for place in 0..own.comparisons() {
                let compared = own.compared(place);
                let p = [compared.test.map(|test| test.p_value), compared.p_adjusted, compared.q_value];
                for p in p.into_iter().flatten() {
                    prop_assert!(p > 0.0 && p <= 1.0, "{} {p}", own.id);
                }
            }
            for words in own.conclusions() {
                prop_assert!(!words.en.is_empty() && !words.en.contains("NaN"), "{}", words.en);
            }
        }
    }
}
