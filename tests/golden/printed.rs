//! Figures printed with R 4.2.2 (estimatr 1.0.0, clubSandwich 0.5.8, sandwich 3.0.2) on small classical data.

use lottning::estimation::{
    Arm, Columns, Covariate, Df, Estimate, Factor, Settings, Variance, estimate,
};
use lottning::numerics::linear_algebra::{Qr, axpy};

/// Fuel consumption, transmission (1 manual), horsepower and weight of 32 cars of 1973–74 (Motor Trend 1974; Henderson
/// and Velleman 1981).
const CARS: [(f64, f64, f64, f64); 32] = [
    (21.0, 1.0, 110.0, 2.620),
    (21.0, 1.0, 110.0, 2.875),
    (22.8, 1.0, 93.0, 2.320),
    (21.4, 0.0, 110.0, 3.215),
    (18.7, 0.0, 175.0, 3.440),
    (18.1, 0.0, 105.0, 3.460),
    (14.3, 0.0, 245.0, 3.570),
    (24.4, 0.0, 62.0, 3.190),
    (22.8, 0.0, 95.0, 3.150),
    (19.2, 0.0, 123.0, 3.440),
    (17.8, 0.0, 123.0, 3.440),
    (16.4, 0.0, 180.0, 4.070),
    (17.3, 0.0, 180.0, 3.730),
    (15.2, 0.0, 180.0, 3.780),
    (10.4, 0.0, 205.0, 5.250),
    (10.4, 0.0, 215.0, 5.424),
    (14.7, 0.0, 230.0, 5.345),
    (32.4, 1.0, 66.0, 2.200),
    (30.4, 1.0, 52.0, 1.615),
    (33.9, 1.0, 65.0, 1.835),
    (21.5, 0.0, 97.0, 2.465),
    (15.5, 0.0, 150.0, 3.520),
    (15.2, 0.0, 150.0, 3.435),
    (13.3, 0.0, 245.0, 3.840),
    (19.2, 0.0, 175.0, 3.845),
    (27.3, 1.0, 66.0, 1.935),
    (26.0, 1.0, 91.0, 2.140),
    (30.4, 1.0, 113.0, 1.513),
    (15.8, 1.0, 264.0, 3.170),
    (19.7, 1.0, 175.0, 2.770),
    (15.0, 1.0, 335.0, 3.570),
    (21.4, 1.0, 109.0, 2.780),
];

#[track_caller]
fn close(actual: Option<f64>, printed: f64, digits: i32) {
    let actual = actual.unwrap();
    assert!(
        (actual / printed - 1.0).abs() < 0.6 * 10f64.powi(1 - digits),
        "{actual} {printed}"
    );
}

fn cars(covariates: &[&str]) -> Columns {
    let column = |name: &str| -> Vec<Option<f64>> {
        CARS.iter()
            .map(|(_, _, hp, wt)| Some(if name == "hp" { *hp } else { *wt }))
            .collect()
    };
    Columns {
        arm: CARS
            .iter()
            .map(|c| {
                if c.1 > 0.5 {
                    Arm::Treated
                } else {
                    Arm::Control
                }
            })
            .collect(),
        outcome: CARS.iter().map(|c| Some(c.0)).collect(),
        covariates: covariates
            .iter()
            .map(|name| Covariate::numeric(*name, column(name)))
            .collect(),
        ..Columns::default()
    }
}

fn effect(id: &str, columns: &Columns, settings: &Settings) -> Estimate {
    estimate(id, columns, settings).unwrap().results.remove(0)
}

/// mpg ~ am + hp: coefficient, HC2 and Bell–McCaffrey degrees of freedom of am (CR2 on singleton clusters).
#[test]
fn cars_additive() {
    let row = effect("linear", &cars(&["hp"]), &Settings::default());
    close(row.estimate, 5.277_085_308_18, 12);
    close(row.std_error, 1.120_938_397_8, 11);
    close(row.df, 18.236_420_308, 11);
}

/// mpg ~ am, covariates hp and wt centred and interacted, HC2.
#[test]
fn cars_interacted() {
    let settings = Settings {
        df: Some(Df::Residual),
        ..Settings::default()
    };
    let row = effect("lin", &cars(&["hp", "wt"]), &settings);
    close(row.estimate, -0.743_172_624_71, 11);
    close(row.std_error, 1.240_650_747_487, 13);
    assert_eq!(row.df, Some(26.0));
    let row = effect("lin", &cars(&["hp"]), &settings);
    close(row.estimate, 5.276_752_405_2, 11);
    close(row.std_error, 1.168_137_211_7, 11);
    let row = effect("difference-in-means", &cars(&[]), &settings);
    close(row.estimate, 7.244_939_271_3, 11);
}

/// mpg ~ hp: the HC family on a continuous regressor, from leverages and residuals of the QR.
#[test]
fn cars_hc_family() {
    let n = CARS.len();
    let y: Vec<f64> = CARS.iter().map(|c| c.0).collect();
    let mut x = vec![1.0; n];
    x.extend(CARS.iter().map(|c| c.2));
    let mut qr = Qr::default();
    qr.factor(n, &x);
    let b = qr.coefficients(&y);
    close(Some(b[0]), 30.098_860_539_6, 12);
    close(Some(b[1]), -0.068_228_278_071_6, 12);
    let mut e = y.clone();
    axpy(-b[0], &x[..n], &mut e);
    axpy(-b[1], &x[n..], &mut e);
    let (mut h, inverse) = (Vec::new(), qr.inverse_gram());
    qr.leverages(&mut h);
    let se = |correction: &dyn Fn(f64) -> f64| {
        let sum: f64 = (0..n)
            .map(|i| {
                let a = inverse[2] + inverse[3] * x[n + i];
                a * a * e[i] * e[i] * correction(1.0 - h[i])
            })
            .sum();
        Some(sum.sqrt())
    };
    close(se(&|_| 1.0), 0.013_129_799_090_8, 12);
    close(se(&|_| 32.0 / 30.0), 0.013_560_398_191_4, 12);
    close(se(&|free| 1.0 / free), 0.014_714_732_639_6, 12);
    close(se(&|free| 1.0 / (free * free)), 0.016_601_932_653_4, 12);
    let sigma: f64 = e.iter().map(|e| e * e).sum::<f64>() / 30.0;
    close(Some((sigma * inverse[3]).sqrt()), 0.010_119_303_810_4, 10);
}

/// Extra hours of sleep (Student 1908), unpaired: Welch; Bell–McCaffrey is 18 exactly for two equal arms of ten.
#[test]
fn sleep() {
    let hours = [
        0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0, 1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5,
        1.6, 4.6, 3.4,
    ];
    let columns = Columns {
        arm: (0..20)
            .map(|i| if i < 10 { Arm::Control } else { Arm::Treated })
            .collect(),
        outcome: hours.iter().map(|h| Some(*h)).collect(),
        ..Columns::default()
    };
    let row = effect("difference-in-means", &columns, &Settings::default());
    close(row.estimate, 1.58, 12);
    close(row.std_error, 0.849_091_017_2, 10);
    close(row.df, 17.776_473_52, 10);
    close(row.p_value, 0.079_394_14, 7);
    close(row.conf_low, -0.205_483_230_7, 10);
    close(row.conf_high, 3.365_483_231, 10);
    let settings = Settings {
        variance: Some(Variance::Hc2),
        df: Some(Df::BellMccaffrey),
        ..Settings::default()
    };
    let df = effect("difference-in-means", &columns, &settings)
        .df
        .unwrap();
    assert!((df - 18.0).abs() < 1e-12);
    // Each person is a pair of their own: t.test(paired = TRUE).
    let names: Vec<String> = (0..20).map(|i| format!("person {}", i % 10)).collect();
    let names = names.iter().map(|name| Some(name.as_str()));
    let paired = Columns {
        strata: vec![Factor::from_texts("person", names)],
        ..columns
    };
    let row = effect(
        "stratified-difference-in-means",
        &paired,
        &Settings::default(),
    );
    close(row.estimate, 1.58, 12);
    close(row.std_error, 0.388_958_723_9, 10);
    close(row.statistic, 4.062_127_683, 10);
    close(row.p_value, 0.002_832_89, 6);
    assert_eq!(row.df, Some(9.0));
}

/// Four treated against eight control.
#[test]
fn four_and_eight() {
    let columns = Columns {
        arm: (0..12)
            .map(|i| if i < 4 { Arm::Treated } else { Arm::Control })
            .collect(),
        outcome: [1, 4, 2, 8, 5, 7, 3, 9, 10, 12, 6, 11]
            .iter()
            .map(|y| Some(f64::from(*y)))
            .collect(),
        ..Columns::default()
    };
    let row = effect("difference-in-means", &columns, &Settings::default());
    close(row.estimate, -4.125, 12);
    close(row.std_error, 1.904_138_662_9, 11);
    close(row.df, 6.173_474_080_4, 11);
    close(
        effect("lin", &columns, &Settings::default()).df,
        6.096_774_193_5,
        11,
    );
}
