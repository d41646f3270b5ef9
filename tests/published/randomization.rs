//! Randomization tests and bounds of small published or printed data.

use super::ranks::samples;
use lottning::estimation::{Columns, Estimate, Factor, Settings, estimate};

fn test(columns: &Columns, settings: &Settings) -> Estimate {
    let mut answer = estimate("randomization-test", columns, settings).unwrap();
    answer.results.remove(0)
}

#[track_caller]
fn close(actual: Option<f64>, printed: f64, tolerance: f64) {
    let actual = actual.unwrap();
    assert!((actual - printed).abs() <= tolerance, "{actual} {printed}");
}

/// Extra hours of sleep of ten patients on two drugs (Student 1908, Biometrika 6:1).
const FIRST: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
const SECOND: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

/// In pairs: 4 of 2^10 sequences are as extreme, p = .00390625; standard error .3889587239 (R 4.2.2, t.test).
#[test]
fn sleep_in_pairs() {
    let mut columns = samples(&SECOND, &FIRST);
    let names: Vec<String> = (0..10).map(|i| format!("patient {i}")).collect();
    let twice = names.iter().chain(&names).map(|n| Some(n.as_str()));
    columns.strata = vec![Factor::from_texts("patient", twice)];
    let row = test(&columns, &Settings::default());
    assert_eq!(row.extra["draws"], 1024);
    close(row.p_value, 0.003_906_25, 1e-15);
    close(row.estimate, 1.58, 1e-12);
    close(row.std_error, 0.388_958_723_9, 5e-11);
}

/// Unpaired: C(20, 10) = 184,756 sequences are too many to list; their p is .0814479638 (R 4.2.2). With equal arms the
/// studentized difference rises with the difference, so the test is the same. Four Monte Carlo standard errors.
#[test]
fn sleep_unpaired() {
    for seed in [1, 2] {
        let settings = Settings {
            draws: Some(100_000),
            seed: Some(seed),
            ..Settings::default()
        };
        let row = test(&samples(&SECOND, &FIRST), &settings);
        assert_eq!(row.extra["exact"], false);
        let error = row.extra["p_std_error"].as_f64().unwrap();
        close(row.p_value, 0.081_447_963_8, 4.0 * error);
        close(row.std_error, 0.849_091_017_2, 5e-11);
    }
}

/// Two blocks of six (R 4.2.2): 25/12, standard error 1.64780999444; of 300 sequences 39 are at or above, doubled 78.
#[test]
fn two_blocks() {
    let mut columns = samples(
        &[5.0, 7.0, 8.0, 10.0, 12.0],
        &[6.0, 9.0, 4.0, 3.0, 11.0, 2.0, 6.0],
    );
    let block = ["a", "a", "b", "b", "b", "a", "a", "a", "a", "b", "b", "b"];
    columns.strata = vec![Factor::from_texts("block", block.map(Some))];
    let row = test(&columns, &Settings::default());
    assert_eq!(row.extra["draws"], 300);
    close(row.p_value, 78.0 / 300.0, 1e-12);
    close(row.estimate, 25.0 / 12.0, 1e-12);
    close(row.std_error, 1.647_809_994_44, 5e-12);
}

/// Six families of two (R 4.2.2): 1.16666667, standard error 2.72845092396; 16 of C(6, 3) = 20 sequences.
#[test]
fn six_families() {
    let mut columns = samples(
        &[5.0, 7.0, 6.0, 9.0, 12.0, 11.0],
        &[4.0, 3.0, 8.0, 10.0, 2.0, 6.0],
    );
    let family = ["1", "1", "2", "2", "4", "4", "3", "3", "5", "5", "6", "6"];
    // The order of outcomes is that of the blocks; families by turns of two, treated 1, 2 and 4.
    columns.outcome = [5, 7, 6, 9, 8, 10, 4, 3, 12, 11, 2, 6]
        .map(|y| Some(f64::from(y)))
        .to_vec();
    columns.cluster = Some(Factor::from_texts("family", family.map(Some)));
    let row = test(&columns, &Settings::default());
    assert_eq!(row.extra["draws"], 20);
    assert_eq!(row.extra["units_treated"], 3);
    close(row.p_value, 16.0 / 20.0, 1e-12);
    close(row.estimate, 1.166_666_67, 5e-9);
    close(row.std_error, 2.728_450_923_96, 5e-12);
}

/// Eight of ten treated outcomes known, 1 to 8; six of ten control outcomes, mean 4: a quarter is trimmed, (−.5, 1.5),
/// naive .5 (Lee 2009, doi 10.1111/j.1467-937X.2009.00536.x, section 3; numbers by hand).
#[test]
fn lee_bounds_of_ten_and_ten() {
    let treated: Vec<f64> = (1..=8).map(f64::from).collect();
    let mut columns = samples(&treated, &[2.0, 3.0, 4.0, 4.0, 5.0, 6.0]);
    for (arm, unknown) in [(columns.arm[0], 2), (columns.arm[8], 4)] {
        for _ in 0..unknown {
            columns.arm.push(arm);
            columns.outcome.push(None);
        }
    }
    let answer = estimate("lee-bounds", &columns, &Settings::default()).unwrap();
    close(answer.results[0].estimate, -0.5, 1e-14);
    close(answer.results[1].estimate, 1.5, 1e-14);
    let extra = &answer.results[0].extra;
    close(extra["trimmed_share"].as_f64(), 0.25, 1e-15);
    close(extra["complete_case"].as_f64(), 0.5, 1e-14);
    assert_eq!(extra["trimmed_arm"], "treated");
}
