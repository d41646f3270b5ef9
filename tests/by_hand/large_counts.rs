//! Counts so large that what is maximized is less than its rounding.

use lottning::estimation::{Arm, Columns, Covariate, Settings, Variance, estimate};

/// Counts whose deviance is far less than its terms round. R 4.2.2: MASS::glm.nb (MASS 7.3-58.2, epsilon = 1e-15) for the counts of
/// millions, and glm(family = poisson, epsilon = 1e-16) for counts of 10¹² that vary by some millionths, whose effect is, up to
/// squares of them, that of the least squares of their logarithms, −9.38093536823e-06.
#[test]
fn large_counts_settle() {
    let unit: [f64; 16] = [
        12.0, 31.0, 8.0, 22.0, 15.0, 40.0, 9.0, 27.0, 33.0, 18.0, 45.0, 29.0, 51.0, 38.0, 60.0,
        21.0,
    ];
    let x = [
        3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0, 9.0, 7.0, 9.0, 3.0,
    ];
    let arm = |row: usize| if row < 8 { Arm::Treated } else { Arm::Control };
    let columns = |count: &dyn Fn(usize) -> f64| Columns {
        arm: (0..16).map(arm).collect(),
        outcome: (0..16).map(|row| Some(count(row))).collect(),
        covariates: vec![Covariate::numeric("x", x.map(Some).to_vec())],
        ..Columns::default()
    };
    let settings = Settings {
        variance: Some(Variance::Model),
        ..Settings::default()
    };
    let found = |id: &str, columns: &Columns| {
        let row = estimate(id, columns, &settings).unwrap().results.remove(0);
        (row.estimate.unwrap().ln(), row.std_error.unwrap())
    };
    let near = |own: f64, other: f64, relative: f64| {
        assert!((own / other - 1.0).abs() < relative, "{own} and {other}");
    };
    for (times, effect, error) in [
        (1e6, -0.359_790_505_213, 0.220_385_279_489),
        (1e8, -0.359_789_294_926, 0.220_385_741_19),
    ] {
        let own = columns(&|row| unit[row] * times + 7.0 * (row + 1) as f64);
        let (own_effect, own_error) = found("negative-binomial", &own);
        near(own_effect, effect, 1e-7);
        near(own_error, error, 1e-6);
    }
    let own = columns(&|row| 1e12 + 1e6 * unit[row]);
    let (effect, error) = found("poisson", &own);
    near(effect, -9.380_941_263_6e-6, 1e-7);
    near(error, 5.503_299_888_18e-7, 1e-9);
}
