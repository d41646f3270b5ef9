//! Regressions with a ratio as their effect, and stratified tables, on data sets of the literature.

use lottning::estimation::generalized_linear::{Design, Family, Objective};
use lottning::estimation::linear_model::Form;
use lottning::estimation::{
    Answer, Arm, Columns, Covariate, Factor, Measure, Settings, Variance, estimate,
};

#[track_caller]
fn near(actual: Option<f64>, expected: f64, relative: f64) {
    let actual = actual.unwrap();
    assert!(
        (actual - expected).abs() <= relative * expected.abs(),
        "{actual} {expected}"
    );
}

fn measured(measure: Measure) -> Settings {
    Settings {
        measure: Some(measure),
        ..Settings::default()
    }
}

/// Admissions to Berkeley in 1973 by department (Bickel, Hammel and O'Connell 1975, Science 187:398), men against
/// women: admitted and rejected men, admitted and rejected women, as in R's `UCBAdmissions`.
const UCB: [[u32; 4]; 6] = [
    [512, 313, 89, 19],
    [353, 207, 17, 8],
    [120, 205, 202, 391],
    [138, 279, 131, 244],
    [53, 138, 94, 299],
    [22, 351, 24, 317],
];

fn ucb() -> Columns {
    let mut columns = Columns::default();
    let mut departments = Vec::new();
    for (cells, name) in UCB.iter().zip(["a", "b", "c", "d", "e", "f"]) {
        let arms = [Arm::Treated, Arm::Treated, Arm::Control, Arm::Control];
        for ((cell, arm), admitted) in cells.iter().zip(arms).zip([1.0, 0.0, 1.0, 0.0]) {
            for _ in 0..*cell {
                columns.arm.push(arm);
                columns.outcome.push(Some(admitted));
                departments.push(Some(name));
            }
        }
    }
    columns.strata = vec![Factor::from_texts("department", departments)];
    columns
}

/// `"mantel-haenszel"`: R 4.2.2 `mantelhaen.test(UCBAdmissions, correct = FALSE)` prints χ² 1.5247 and common odds
/// ratio .9046968 with .7719074 to 1.0603298; the risk difference and its two variances by R code of the formulas.
#[test]
fn admissions_by_department() {
    let columns = ucb();
    let of = |measure| estimate("mantel-haenszel", &columns, &measured(measure)).unwrap();
    let odds = of(Measure::OddsRatio);
    let row = odds.effect().unwrap();
    near(row.estimate, 0.904_696_828_3, 1e-9);
    near(row.conf_low, 0.771_907_361_8, 1e-9);
    near(row.conf_high, 1.060_329_764_4, 1e-9);
    let test = &odds.results[1];
    near(test.statistic, 1.524_606_66, 1e-8);
    let difference = of(Measure::RiskDifference);
    let row = difference.effect().unwrap();
    near(row.estimate, -0.018_425_196_191, 1e-10);
    near(row.std_error, 0.014_825_394_438, 1e-10);
}

fn table(text: &str) -> (Vec<&str>, Vec<Vec<&str>>) {
    let mut lines = text.lines().map(|line| line.split(',').collect());
    (lines.next().unwrap(), lines.collect())
}

fn births() -> Columns {
    let (_, rows) = table(include_str!("birthwt/data.csv"));
    assert_eq!(rows.len(), 189);
    let number = |column: usize| rows.iter().map(move |row| row[column].parse::<f64>().ok());
    Columns {
        arm: rows
            .iter()
            .map(|row| {
                if row[1] == "1" {
                    Arm::Treated
                } else {
                    Arm::Control
                }
            })
            .collect(),
        outcome: number(0).collect(),
        covariates: vec![
            Covariate::numeric("age", number(2).collect()),
            Covariate::numeric("lwt", number(3).collect()),
        ],
        ..Columns::default()
    }
}

/// `"logistic"` and `"g-computation"`: low birth weight on smoking, age and the mother's weight (`birthwt/PROVENANCE.md`),
/// R 4.2.2: logit coefficient .67076374075 (.325877763586), standardized risks .3972194152 and .2565853194, risk
/// difference .1406340958, risk ratio 1.548098762, standard error of the influence function with n − 1 .06943667124.
#[test]
fn birth_weights() {
    let columns = births();
    let logit = estimate("logistic", &columns, &Settings::default()).unwrap();
    let row = logit.effect().unwrap();
    near(row.estimate.map(f64::ln), 0.670_763_740_75, 1e-10);
    // glm() keeps the weights of its last step but one, which is the difference in the ninth digit.
    near(row.std_error, 0.325_877_763_586, 1e-7);
    let standardized = |measure| estimate("g-computation", &columns, &measured(measure)).unwrap();
    let difference = standardized(Measure::RiskDifference);
    let row = difference.effect().unwrap();
    near(row.estimate, 0.140_634_095_8, 1e-9);
    near(row.std_error, 0.069_436_671_24, 1e-9);
    near(row.extra["risk_treated"].as_f64(), 0.397_219_415_2, 1e-9);
    near(row.extra["risk_control"].as_f64(), 0.256_585_319_4, 1e-9);
    let ratio = standardized(Measure::RiskRatio);
    near(ratio.effect().unwrap().estimate, 1.548_098_762, 1e-9);
}

/// `"logistic"` with Firth's penalty on 3/10 against 0/10, where the likelihood has no maximum: adding ½ to each cell of
/// a saturated table (Heinze and Schemper 2002, doi 10.1002/sim.1047): logarithm of (3.5/7.5)/(0.5/10.5) =
/// 2.28238238568, standard error 1.66304 from the information at the solution (R 4.2.2). The intercept is the logarithm of
/// .5/10.5, −3.04452243772, with standard error 1.51814.
#[test]
fn firth_on_a_separated_table() {
    let mut columns = Columns::default();
    for (arm, events) in [(Arm::Control, 0), (Arm::Treated, 3)] {
        for unit in 0..10 {
            columns.arm.push(arm);
            columns
                .outcome
                .push(Some(f64::from(u8::from(unit < events))));
        }
    }
    let settings = Settings {
        variance: Some(Variance::Firth),
        ..Settings::default()
    };
    let firth = estimate("logistic", &columns, &settings).unwrap();
    let row = firth.effect().unwrap();
    near(row.estimate.map(f64::ln), 2.282_382_385_68, 1e-10);
    near(row.std_error, 1.663_04, 1e-5);
    // The estimator tells the arm alone; the fit has the intercept.
    let y: Vec<f64> = columns.outcome.iter().flatten().copied().collect();
    let design = Design::factor(&columns.arm, &[], Form::Additive).unwrap();
    let fit = design.fit(Family::Binomial, Objective::Firth, &y, None, None, None);
    let fit = fit.unwrap();
    near(Some(fit.coefficients[0]), -3.044_522_437_72, 1e-10);
    near(Some(fit.coefficients[1]), 2.282_382_385_68, 1e-10);
    let p = 1.0 / (1.0 + fit.coefficients[0].exp().recip());
    near(Some((10.0 * p * (1.0 - p)).sqrt().recip()), 1.518_14, 5e-6);
}

fn infections() -> Columns {
    let (_, rows) = table(include_str!("cgd/data.csv"));
    assert_eq!(rows.len(), 128);
    Columns {
        arm: rows
            .iter()
            .map(|row| {
                if row[0] == "placebo" {
                    Arm::Control
                } else {
                    Arm::Treated
                }
            })
            .collect(),
        outcome: rows.iter().map(|row| row[1].parse().ok()).collect(),
        exposure: Some(rows.iter().map(|row| row[2].parse().ok()).collect()),
        ..Columns::default()
    }
}

/// `"poisson"` and `"negative-binomial"`: serious infections by days followed (`cgd/PROVENANCE.md`), R 4.2.2: quasi-Poisson
/// −1.052514459 (.3171831234), HC0 .31714945; `MASS::glm.nb` −1.031103005 (.313681824), whose theta stops at 1e-4.
#[test]
fn infections_by_days_followed() {
    let columns = infections();
    let of = |id: &str, variance| -> Answer {
        let settings = Settings {
            variance,
            ..Settings::default()
        };
        estimate(id, &columns, &settings).unwrap()
    };
    let robust = of("poisson", None);
    let row = robust.effect().unwrap();
    near(row.estimate.map(f64::ln), -1.052_514_459, 1e-9);
    near(row.std_error, 0.317_149_45, 1e-7);
    let model = of("poisson", Some(Variance::Model));
    let row = model.effect().unwrap();
    let dispersion = row.extra["pearson_dispersion"].as_f64().unwrap();
    near(
        row.std_error.map(|se| se * dispersion.sqrt()),
        0.317_183_123_4,
        1e-6,
    );
    let negative = of("negative-binomial", None);
    let row = negative.effect().unwrap();
    near(row.estimate.map(f64::ln), -1.031_103_005, 1e-6);
    near(row.std_error, 0.313_681_824, 1e-5);
}
