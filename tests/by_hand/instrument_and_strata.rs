//! Complier effects and stratified differences on cases small enough for paper.

use lottning::estimation::{
    Answer, Arm, Columns, Df, EstimationError, Factor, Settings, Variance, estimate,
};

const IV: &str = "instrumental-variables";
const STRATIFIED: &str = "stratified-difference-in-means";

fn data(arm: &str, outcome: &[f64]) -> Columns {
    let arm = arm
        .chars()
        .map(|c| if c == '1' { Arm::Treated } else { Arm::Control });
    Columns {
        arm: arm.collect(),
        outcome: outcome.iter().map(|y| Some(*y)).collect(),
        ..Columns::default()
    }
}

fn received(arm: &str, outcome: &[f64], received: &str) -> Columns {
    let number = |c: char| c.to_digit(10).map(f64::from);
    Columns {
        received: Some(received.chars().map(number).collect()),
        ..data(arm, outcome)
    }
}

fn stratified(arm: &str, outcome: &[f64], strata: &str) -> Columns {
    let names: Vec<String> = strata.chars().map(String::from).collect();
    let names = names.iter().map(|name| Some(name.as_str()));
    Columns {
        strata: vec![Factor::from_texts("site", names)],
        ..data(arm, outcome)
    }
}

fn codes(answer: &Answer) -> Vec<&'static str> {
    answer.warnings.iter().map(|w| w.code).collect()
}

#[track_caller]
fn close(actual: Option<f64>, expected: f64) {
    let actual = actual.unwrap();
    assert!(
        (actual - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        "{actual} {expected}"
    );
}

/// Treated: 8 with receipt 1, 6 with 1, 4 with 0; control 3, 5, 1 with 0. β_Y = 6 − 3 = 3, β_D = 2/3, b = 4.5.
/// Y − bD: treated 3.5, 1.5, 4 (mean 3, squares ¼ + 9/4 + 1 = 7/2), control as it is (squares 8). HC2 with three an arm: squares
/// over 6: (7/2 + 8)/6 = 23/12; over β_D²: 69/16. Residual df 4, Bell–McCaffrey 4 too.
/// V_YY = (8 + 8)/6 = 8/3, V_DD = (2/3)/6 = 1/9, V_YD = (2·⅓ + 0·⅓ + (−2)(−⅔))/6 = 1/3: V_YY − 2bV_YD + b²V_DD = 8/3 − 3 + 9/4 = 23/12.
#[test]
fn three_an_arm() {
    let columns = received("111000", &[8.0, 6.0, 4.0, 3.0, 5.0, 1.0], "110000");
    let answer = estimate(IV, &columns, &Settings::default()).unwrap();
    let (effect, set) = (&answer.results[0], &answer.results[1]);
    close(effect.estimate, 4.5);
    close(effect.std_error.map(|s| s * s), 69.0 / 16.0);
    close(effect.df, 4.0);
    close(effect.extra["first_stage"].as_f64(), 2.0 / 3.0);
    close(effect.extra["first_stage_f"].as_f64(), 4.0);
    close(effect.extra["complier_share"].as_f64(), 2.0 / 3.0);
    close(effect.extra["itt"].as_f64(), 3.0);
    close(
        effect.extra["itt_std_error"].as_f64().map(|s| s * s),
        8.0 / 3.0,
    );
    // t² at 5 % with 4 degrees of freedom is 7.7, above F = 4, so the set is unbounded: with t² = 7.7086 (tables: t = 2.7764),
    // (4/9 − t²/9)b² − 2(2 − t²/3)b + (9 − 8t²/3) ≤ 0 is −0.4121b² + 1.1391b − 11.556: never above 0, the whole line.
    assert_eq!(set.extra["set"], "line");
    assert_eq!(
        (set.conf_low, set.conf_high, set.std_error),
        (None, None, None)
    );
    assert_eq!(codes(&answer), ["weak-first-stage", "unbounded-set"]);
    let told = &answer.warnings[0].message;
    assert!(told.en.contains("(F = 4.00)") && told.sv.contains("(F = 4,00)"));
    // At level ½, t² = 0.5486 (t = 0.7407): 0.3835b² − 3.6343b + 7.5371 ≤ 0, an interval around 4.5.
    let settings = Settings {
        level: 0.5,
        ..Settings::default()
    };
    let answer = estimate(IV, &columns, &settings).unwrap();
    let set = &answer.results[1];
    assert_eq!(set.extra["set"], "interval");
    let (low, high) = (set.conf_low.unwrap(), set.conf_high.unwrap());
    assert!(
        (low - 3.0656).abs() < 1e-3 && (high - 6.4112).abs() < 1e-3,
        "{low} {high}"
    );
    // Both ends are where the test is exactly at its level: Y − bD by hand, squares over 6.
    let t2 = (effect_t(0.5)).powi(2);
    for b in [low, high] {
        let square = 8.0 / 3.0 - 2.0 * b / 3.0 + b * b / 9.0;
        let apart = 3.0 - 2.0 * b / 3.0;
        assert!((apart * apart / square - t2).abs() < 1e-9);
    }
}

/// The quantile of Student's t with four degrees of freedom, which has a closed form: with α = 4p(1−p),
/// t = 2√(q − 1), q = cos(arccos(√α)/3)/√α (Shaw 2006).
fn effect_t(level: f64) -> f64 {
    let p = 0.5 + 0.5 * level;
    let root = (4.0 * p * (1.0 - p)).sqrt();
    2.0 * ((root.acos() / 3.0).cos() / root - 1.0).sqrt()
}

/// With F = 4 below t² but a strong effect on the outcome, the set is two rays. Outcomes as above, treated moved up by 20:
/// β_Y = 23, and (4/9 − t²/9)b² − 2(46/3 − t²/3)b + (529 − 8t²/3) ≤ 0 has two roots.
#[test]
fn two_rays() {
    let columns = received("111000", &[28.0, 26.0, 24.0, 3.0, 5.0, 1.0], "110000");
    let answer = estimate(IV, &columns, &Settings::default()).unwrap();
    let set = &answer.results[1];
    assert_eq!(set.extra["set"], "two rays");
    assert_eq!((set.conf_low, set.conf_high), (None, None));
    let t2 = effect_t(0.95).powi(2);
    let [to, from] = ["ray_to", "ray_from"].map(|key| set.extra[key].as_f64().unwrap());
    for b in [to, from] {
        let value = (4.0 - t2) / 9.0 * b * b - 2.0 * (46.0 - t2) / 3.0 * b + 529.0 - 8.0 * t2 / 3.0;
        assert!(value.abs() < 1e-8 * 529.0, "{b} {value}");
    }
    // The estimate, 34.5, lies in the upper ray; no effect does not lie in the set, and the test says so.
    assert!(to < 0.0 && from > 0.0 && from < 34.5);
    assert!(set.p_value.unwrap() < 0.05);
}

#[test]
fn receipt_that_says_nothing_is_refused_or_told() {
    let y = [8.0, 6.0, 4.0, 3.0, 5.0, 1.0];
    for nothing in ["000000", "111111", "100100"] {
        let columns = received("111000", &y, nothing);
        let error = estimate(IV, &columns, &Settings::default()).unwrap_err();
        assert_eq!(error, EstimationError::NoFirstStage, "{nothing}");
        assert!(!error.is_usage());
    }
    // Receipt in control is counted.
    let answer = estimate(IV, &received("111000", &y, "111100"), &Settings::default()).unwrap();
    assert_eq!(answer.warnings[0].code, "received-in-control");
    assert!(
        answer.warnings[0]
            .message
            .en
            .starts_with("1 of 3 rows in control received")
    );
    // Everyone as the arm says: the effect of the arm, and both intervals are one.
    let answer = estimate(IV, &received("111000", &y, "111000"), &Settings::default()).unwrap();
    let (effect, set) = (&answer.results[0], &answer.results[1]);
    close(effect.estimate, 3.0);
    close(effect.std_error.map(|s| s * s), 8.0 / 3.0);
    close(set.conf_low, effect.conf_low.unwrap());
    close(set.conf_high, effect.conf_high.unwrap());
    assert!(effect.extra["first_stage_f"].is_null());
    assert_eq!(codes(&answer), ["full-compliance"]);
    // A missing receipt leaves its row out, by arm; an arm without any is refused.
    let mut columns = received("111000", &y, "110000");
    columns.received.as_mut().unwrap()[0] = None;
    let answer = estimate(IV, &columns, &Settings::default()).unwrap();
    assert_eq!(answer.results[0].n_treated, 2);
    assert_eq!(
        answer.warnings[0].message.en,
        "rows without a value of received are left out: 1 in treated, 0 in control"
    );
    columns.received.as_mut().unwrap()[..3].fill(None);
    let error = estimate(IV, &columns, &Settings::default()).unwrap_err();
    assert_eq!(error.code(), "too-few-rows");
    // An outcome that receipt explains exactly has no test; nothing is infinite.
    let exact = [5.3, 5.3, 2.3, 2.3, 2.3, 2.3];
    let answer = estimate(
        IV,
        &received("111000", &exact, "110000"),
        &Settings::default(),
    )
    .unwrap();
    close(answer.results[0].estimate, 3.0);
    assert_eq!(answer.results[0].std_error, Some(0.0));
    assert!(codes(&answer).contains(&"no-variation"));
    let constant = estimate(
        IV,
        &received("111000", &[2.0; 6], "110000"),
        &Settings::default(),
    )
    .unwrap();
    close(constant.results[0].estimate, 0.0);
    assert!(constant.results[1].extra["set"].is_null());
}

/// Two blocks of six: differences ½ and 11/3, equal weights: 25/12. Variance ¼(2/2 + 7/4 + 4/3 + (61/3)/3), 12 − 4 degrees of freedom.
/// Bell–McCaffrey: w = ½, cells 2, 4, 3, 3: (¼(½ + ¼ + ⅓ + ⅓))² / (1/16 (1/(4·1) + 1/(16·3) + 1/(9·2) + 1/(9·2))) = (17/12)²/(55/144)
/// = 289/55.
#[test]
fn two_blocks_of_six() {
    let y = [
        5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 10.0, 12.0, 11.0, 2.0, 6.0,
    ];
    let columns = stratified("110000111000", &y, "aaaaaabbbbbb");
    let answer = estimate(STRATIFIED, &columns, &Settings::default()).unwrap();
    let row = answer.effect().unwrap();
    close(row.estimate, 25.0 / 12.0);
    close(
        row.std_error.map(|s| s * s),
        0.25 * (1.0 + 7.0 / 4.0 + 4.0 / 3.0 + 61.0 / 9.0),
    );
    close(row.df, 8.0);
    // R 4.2.2, estimatr 1.0.0, difference_in_means(blocks =): printed to 9 and 12 digits.
    assert!((row.std_error.unwrap() - 1.647_809_994_44).abs() < 5e-12);
    assert!((row.p_value.unwrap() - 0.241_710_620_463).abs() < 5e-13);
    assert!((row.conf_low.unwrap() + 1.716_523_33).abs() < 5e-9);
    assert!((row.conf_high.unwrap() - 5.883_189_99).abs() < 5e-9);
    assert_eq!(row.extra["strata"], 2);
    assert!(answer.warnings.is_empty());
    let settings = Settings {
        df: Some(Df::BellMccaffrey),
        ..Settings::default()
    };
    let answer = estimate(STRATIFIED, &columns, &settings).unwrap();
    close(answer.effect().unwrap().df, 289.0 / 55.0);
}

/// Unequal blocks: a holds 2 and 2 of 12 rows, b 2 and 6. Differences 4 − 2 and 10 − 5: (4·2 + 8·5)/12 = 4.
#[test]
fn blocks_weigh_by_their_size() {
    let y = [3.0, 5.0, 1.0, 3.0, 9.0, 11.0, 3.0, 7.0, 5.0, 5.0, 4.0, 6.0];
    let columns = stratified("110011000000", &y, "aaaabbbbbbbb");
    let row = estimate(STRATIFIED, &columns, &Settings::default()).unwrap();
    let row = row.effect().unwrap();
    close(row.estimate, 4.0);
    // s² is 2, 2 in a and 2, 10/5 in b.
    let square = (1.0 + 1.0) / 9.0 + 4.0 / 9.0 * (1.0 + 2.0 / 6.0);
    close(row.std_error.map(|s| s * s), square);
}

/// Four pairs with differences 1, 3, 2, 6: mean 3, squares 4 + 0 + 1 + 9 = 14, variance 14/(4·3), three degrees of freedom.
#[test]
fn pairs_are_a_design_of_their_own() {
    let y = [2.0, 1.0, 5.0, 2.0, 4.0, 2.0, 9.0, 3.0];
    let columns = stratified("10101010", &y, "aabbccdd");
    let answer = estimate(STRATIFIED, &columns, &Settings::default()).unwrap();
    let row = answer.effect().unwrap();
    close(row.estimate, 3.0);
    close(row.std_error.map(|s| s * s), 14.0 / 12.0);
    close(row.df, 3.0);
    assert_eq!(row.variance, "paired");
    assert_eq!(codes(&answer), ["paired-strata"]);
}

#[test]
fn strata_without_a_variance_are_refused_by_name() {
    let y = [2.0, 1.0, 5.0, 2.0, 4.0, 2.0, 9.0, 3.0];
    let refused = |arm: &str, strata: &str, settings: &Settings| {
        estimate(STRATIFIED, &stratified(arm, &y, strata), settings).unwrap_err()
    };
    let default = Settings::default();
    let single = |names: &[&str]| EstimationError::SingleInStratum {
        strata: names.iter().map(|&name| name.to_owned()).collect(),
    };
    // A pair beside a larger stratum, one against two, a lone pair, and pairs when HC2 was asked for.
    assert_eq!(refused("10110011", "aabbbbbb", &default), single(&["a"]));
    assert_eq!(
        refused("10010010", "aaabbbcc", &default),
        single(&["a", "b", "c"])
    );
    let hc2 = Settings {
        variance: Some(Variance::Hc2),
        ..default
    };
    assert_eq!(
        refused("10101010", "aabbccdd", &hc2),
        single(&["a", "b", "c", "d"])
    );
    assert_eq!(
        refused("11110011", "aabbbbbb", &default),
        EstimationError::OneArmedStratum {
            stratum: "a".into(),
            absent: "control".into()
        }
    );
    assert_eq!(
        refused("11001010", "abbbbbbb", &default),
        EstimationError::SingletonStratum {
            stratum: "a".into()
        }
    );
    let pair = stratified("10", &y[..2], "aa");
    assert_eq!(
        estimate(STRATIFIED, &pair, &default).unwrap_err(),
        single(&["a"])
    );
    let mut missing = stratified("11001010", &y, "aaaabbbb");
    missing.strata[0].codes[5] = None;
    assert_eq!(
        estimate(STRATIFIED, &missing, &default).unwrap_err(),
        EstimationError::StratumMissing {
            column: "site".into(),
            row: 7
        }
    );
}
