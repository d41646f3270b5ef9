//! Our side of each entry of `docs/differences.md`; R's side is printed there with its versions.

use crate::data::Data;
use lottning::estimation::arm_imputation::ArmImputation;
use lottning::estimation::{
    Arm, Columns, Counts, Covariate, Df, EstimationError, Factor, Settings, estimate,
};
use lottning::numerics::stream;

#[test]
fn a_level_that_only_one_arm_has() {
    let data = Data::parse(include_str!("lin/data.csv"));
    let mut columns = data.comparison("arm", "iuh", "standard", "outcome");
    columns.covariates = vec![data.covariate("age"), data.covariate("rare")];
    let settings = Settings {
        df: Some(Df::Residual),
        ..Settings::default()
    };
    let answer = estimate("lin", &columns, &settings).unwrap();
    let row = answer.effect().unwrap();
    assert!((row.estimate.unwrap() + 1.384_152_518_258).abs() < 1e-11);
    assert!((row.std_error.unwrap() - 0.352_550_020_479).abs() < 1e-11);
    // The choice does not move with the units of another covariate.
    for factor in [1e-8, 1e8] {
        let mut other = columns.clone();
        let age = data
            .numbers("age")
            .iter()
            .map(|x| x.map(|x| factor * x))
            .collect();
        other.covariates[0] = Covariate::numeric("age", age);
        let rescaled = estimate("lin", &other, &settings)
            .unwrap()
            .results
            .remove(0);
        assert!((rescaled.estimate.unwrap() - row.estimate.unwrap()).abs() < 1e-11);
    }
}

#[test]
fn one_row_alone_in_its_combination() {
    let level = ["a"; 7].into_iter().chain(["b"; 3]).map(Some);
    let columns = Columns {
        arm: [1, 1, 1, 0, 0, 0, 0, 1, 0, 0]
            .map(|z| if z == 1 { Arm::Treated } else { Arm::Control })
            .to_vec(),
        outcome: [5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 1.0, 2.0, 4.0]
            .map(Some)
            .to_vec(),
        covariates: vec![Covariate::factor(Factor::from_texts("b", level))],
        ..Columns::default()
    };
    assert_eq!(
        estimate("lin", &columns, &Settings::default()).unwrap_err(),
        EstimationError::LeverageOne {
            rows: vec![9],
            variance: "hc2"
        }
    );
}

#[test]
fn one_pair_beside_larger_strata() {
    let block = ["1"; 2].into_iter().chain(["2"; 4]).chain(["3"; 4]);
    let columns = Columns {
        arm: [1, 0, 1, 1, 0, 0, 1, 1, 0, 0]
            .map(|z| if z == 1 { Arm::Treated } else { Arm::Control })
            .to_vec(),
        outcome: [1.0, 3.0, 2.0, 5.0, 4.0, 6.0, 7.0, 9.0, 2.0, 8.0]
            .map(Some)
            .to_vec(),
        strata: vec![Factor::from_texts("block", block.map(Some))],
        ..Columns::default()
    };
    assert_eq!(
        estimate(
            "stratified-difference-in-means",
            &columns,
            &Settings::default()
        )
        .unwrap_err(),
        EstimationError::SingleInStratum {
            strata: vec!["1".into()]
        }
    );
}

#[test]
fn a_covariate_with_a_large_offset() {
    let columns = Columns {
        arm: (0..30)
            .map(|i| {
                if i % 2 == 1 {
                    Arm::Treated
                } else {
                    Arm::Control
                }
            })
            .collect(),
        outcome: (0..30)
            .map(|i| {
                let i = f64::from(i);
                Some(i % 2.0 + i / 10.0 + (i + 1.0).sin())
            })
            .collect(),
        covariates: vec![Covariate::numeric(
            "x",
            (0..30).map(|i| Some(1e9 + f64::from(i) / 100.0)).collect(),
        )],
        ..Columns::default()
    };
    let answer = estimate("linear", &columns, &Settings::default()).unwrap();
    assert!(answer.warnings.is_empty());
    // 1e9 carries the hundredths to about 1e-7, so nine digits of R's are compared to seven.
    assert!((answer.results[0].estimate.unwrap() - 0.962_427_220_8).abs() < 1e-7);
}

/// The set of times at which the band holds one half begins after the first event, whose lower limit is, by hand,
/// .9^exp(2.575829·√(1/90)/.1053605) = .25; R's `quantile` answers 16.25.
#[test]
fn a_lower_limit_of_the_median_where_the_band_rises() {
    let times = [
        14.875, 16.25, 19.125, 45.5, 58.75, 80.75, 86.5, 87.875, 116.125, 119.75,
    ];
    let columns = Columns {
        arm: [[Arm::Treated; 10], [Arm::Control; 10]].concat(),
        time: Some([times, times].concat().into_iter().map(Some).collect()),
        event: Some(vec![Some(1); 20]),
        ..Columns::default()
    };
    let settings = Settings {
        horizon: Some(50.0),
        level: 0.99,
        ..Settings::default()
    };
    let answer = estimate("kaplan-meier", &columns, &settings).unwrap();
    let extra = &answer.results[1].extra;
    assert_eq!(extra["median_low"], 14.875);
    // R 4.2.2 with survival 3.5.3: 69.75 and 116.125, where the limits fall throughout.
    assert_eq!(extra["median"], 69.75);
    assert_eq!(extra["median_high"], 116.125);
}

/// No p-value is 0, where R 4.2.2 prints 0 for each of these.
#[test]
fn a_p_value_too_small_for_a_number() {
    let least = Some(f64::MIN_POSITIVE);
    let run = |id: &str, columns: &Columns| {
        let settings = Settings::default();
        estimate(id, columns, &settings).unwrap().results.remove(0)
    };
    let counts = |treated_events, control_events| {
        Columns::from_counts(Counts {
            treated_events,
            treated_units: 1000,
            control_events,
            control_units: 1000,
        })
    };
    let apart = counts(1000, 0);
    assert_eq!(run("risk-difference", &apart).p_value, least);
    for columns in [apart, counts(950, 50)] {
        let row = run("fisher-exact", &columns);
        assert_eq!(row.p_value, least);
        assert_eq!(row.extra["p_minlike"].as_f64(), least);
    }
    // 2000 an arm, 0 and 0.001 in turn, the treated ones 1 more.
    let y = (0..4000).map(|k| f64::from(k % 2) / 1000.0 + if k < 2000 { 1.0 } else { 0.0 });
    let arm = (0..4000).map(|k| if k < 2000 { Arm::Treated } else { Arm::Control });
    let columns = Columns {
        arm: arm.collect(),
        outcome: y.map(Some).collect(),
        ..Columns::default()
    };
    for id in ["difference-in-means", "linear", "lin", "rank-sum"] {
        assert_eq!(run(id, &columns).p_value, least, "{id}");
    }
    assert_eq!(run("rank-sum", &columns).extra["p_upper"].as_f64(), least);
}

/// R 4.2.2, survival 3.5.3: `coxph` with `timefix = FALSE`, and `survdiff` of the ranks of the times.
#[test]
fn times_that_differ_by_rounding_are_two_times() {
    let columns = Columns {
        arm: [1, 1, 0, 0, 1, 0, 0, 1]
            .map(|z| if z == 1 { Arm::Treated } else { Arm::Control })
            .to_vec(),
        time: Some(
            [0.3, 2.0, 0.1 + 0.2, 2.0, 1.0, 3.0, 1.5, 4.0]
                .map(Some)
                .to_vec(),
        ),
        event: Some([1, 0, 1, 0, 1, 1, 1, 0].map(Some).to_vec()),
        ..Columns::default()
    };
    let row = |id: &str, columns: &Columns| {
        let answer = estimate(id, columns, &Settings::default()).unwrap();
        answer.effect().unwrap().clone()
    };
    let test = row("log-rank", &columns);
    let of = |key: &str| test.extra[key].as_f64().unwrap();
    let excess = of("observed_treated") - of("expected_treated");
    assert!((excess + 0.328_571_428_571).abs() < 1e-11, "{excess}");
    assert!((test.statistic.unwrap() - 0.087_423_566_352_7).abs() < 1e-12);
    let cox = row("cox", &columns);
    assert!((cox.estimate.unwrap().ln() + 0.270_066_663_449).abs() < 1e-10);
    assert!((cox.std_error.unwrap() - 0.916_110_860_979).abs() < 1e-10);
    // Written alike they are tied: what R gives as they come.
    let mut rounded = columns;
    if let Some(time) = &mut rounded.time {
        time[2] = Some(0.3);
    }
    let test = row("log-rank", &rounded);
    assert!((test.statistic.unwrap() - 0.136_919_315_403).abs() < 1e-11);
    let cox = row("cox", &rounded);
    assert!((cox.estimate.unwrap().ln() + 0.327_450_150_237).abs() < 1e-10);
}

#[test]
fn imputations_where_predictions_tie_and_rows_are_told_apart() {
    const DRAWS: u64 = 20_000;
    let mean = |model: &ArmImputation, draw: u64| {
        let mut rng = stream::replicate(&[3; 32], draw);
        let found = model.draw(&mut || stream::open_unit(&mut rng)).unwrap();
        found.iter().sum::<f64>() / found.len() as f64
    };
    let known = (1..=40u32).filter(|k| k % 4 != 1);
    let outcome = |k: u32| {
        let five = if k.is_multiple_of(4) { 5 } else { 0 };
        f64::from(20 + 2 * (7 * k % 13) + five + 11 * k % 9)
    };
    let known: Vec<f64> = known.map(outcome).collect();
    let model = ArmImputation::new(&known, 10, &[], false).unwrap();
    let means: Vec<f64> = (0..DRAWS).map(|draw| mean(&model, draw)).collect();
    let variance = |values: &[f64]| {
        let centre = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|x| (x - centre) * (x - centre));
        squares.sum::<f64>() / values.len() as f64
    };
    let by_hand = (variance(&known) * ((1.0 - 1.0 / 30.0) / 10.0 + 1.0 / 30.0)).sqrt();
    assert!((by_hand - 2.988).abs() < 5e-4, "{by_hand}");
    // The error of a standard deviation is its own over the root of twice the number.
    let slack = 4.0 / (2.0 * DRAWS as f64).sqrt();
    let found = variance(&means).sqrt();
    assert!((found / by_hand - 1.0).abs() < slack, "{found}");
    for unknown in [1, 2] {
        let known: Vec<f64> = (0..20u8)
            .map(|row| f64::from((row % 2) | (row / 10)))
            .collect();
        let mut indicator = vec![0.0; 10];
        indicator.resize(20 + unknown, 1.0);
        let model = ArmImputation::new(&known, unknown, &indicator, true).unwrap();
        let share = (0..DRAWS).map(|draw| mean(&model, draw)).sum::<f64>() / DRAWS as f64;
        let by_hand: f64 = 10.5 / 11.0;
        let slack = 4.0 * (by_hand * (1.0 - by_hand) / DRAWS as f64).sqrt();
        assert!((share - by_hand).abs() < slack, "{unknown}: {share}");
    }
}
