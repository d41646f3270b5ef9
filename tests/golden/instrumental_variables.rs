//! `instrumental-variables` for every variance and its degrees of freedom, against R 4.2.2: estimatr 1.0.0 (iv_robust),
//! clubSandwich 0.5.8, sandwich 3.0.2; limits of the Anderson–Rubin set by root finding on the test in R. Generator:
//! `instrumental-variables/generate.R`.

use crate::data::{Data, close};
use lottning::estimation::linear_model::{Design, Workspace};
use lottning::estimation::{Arm, Columns, Df, Settings, Variance, estimate};
use lottning::numerics::linear_algebra::{Qr, axpy};

const ID: &str = "instrumental-variables";

#[test]
fn every_row_agrees_with_r() {
    let data = Data::parse(include_str!("instrumental-variables/data.csv"));
    let expected = Data::parse(include_str!("instrumental-variables/results.csv"));
    assert_eq!(expected.rows(), 7 * (6 + 8));
    let mut sets = Vec::new();
    for row in 0..expected.rows() {
        let word = |column| expected.text(column, row);
        let mut columns = data.comparison("arm", "iuh", "standard", word("response"));
        columns.received = Some(data.numbers(word("received")));
        for name in word("covariates").split('/') {
            match name {
                "west" => columns.strata = vec![data.factor("site")],
                "age" => columns.covariates = vec![data.covariate("age")],
                "" => {}
                other => panic!("{other}"),
            }
        }
        if word("clustered") == "TRUE" {
            columns.cluster = Some(data.factor("family"));
        }
        let settings = Settings {
            variance: Variance::parse(word("variance")),
            df: Df::parse(word("df")),
            ..Settings::default()
        };
        let answer = estimate(ID, &columns, &settings).unwrap();
        let what = ["case", "variance", "df"].map(word);
        let what = format!("{what:?}");
        let number = |column| expected.number(column, row);
        let [effect, set] = &answer.results[..] else {
            panic!("{what}");
        };
        let scale = number("std_error").unwrap();
        close(&what, effect.estimate, number("estimate"), 1e-9, scale);
        close(&what, effect.std_error, number("std_error"), 1e-9, 0.0);
        close(&what, effect.df, number("nu"), 1e-8, 0.0);
        close(&what, effect.p_value, number("p_value"), 1e-8, 1e-12);
        close(&what, effect.conf_low, number("conf_low"), 1e-8, scale);
        close(&what, effect.conf_high, number("conf_high"), 1e-8, scale);
        let extra = |key: &str| effect.extra[key].as_f64();
        for (key, column) in [
            ("first_stage", "first_stage"),
            ("first_stage_std_error", "first_stage_se"),
            ("first_stage_f", "f"),
            ("itt", "itt"),
            ("itt_std_error", "itt_se"),
        ] {
            close(&what, extra(key), number(column), 1e-9, 1e-6);
        }
        assert_eq!(
            effect.extra["complier_share"].is_null(),
            word("received") == "visits"
        );
        close(&what, set.df, number("nu"), 1e-8, 0.0);
        close(&what, set.p_value, number("set_p"), 1e-8, 1e-12);
        assert_eq!(set.extra["set"], word("set"), "{what}");
        let (low, high) = (number("set_low"), number("set_high"));
        if word("set") == "interval" {
            close(&what, set.conf_low, low, 1e-7, scale);
            close(&what, set.conf_high, high, 1e-7, scale);
        } else {
            assert_eq!((set.conf_low, set.conf_high), (None, None));
            let ray = |key: &str| set.extra[key].as_f64();
            close(&what, ray("ray_to"), low, 1e-6, scale);
            close(&what, ray("ray_from"), high, 1e-6, scale);
        }
        sets.push(word("set").to_owned());
        let warned = |code| answer.warnings.iter().any(|w| w.code == code);
        assert_eq!(
            warned("weak-first-stage"),
            number("f").unwrap() < 10.0,
            "{what}"
        );
        assert_eq!(warned("received-in-control"), word("received") != "began");
        assert_eq!(warned("value-missing"), word("received") == "began");
        assert_eq!(warned("unbounded-set"), word("set") != "interval");
        assert_eq!(
            (Some(effect.n_treated as f64), Some(effect.n_control as f64)),
            (number("n_treated"), number("n_control"))
        );
    }
    for kind in ["interval", "two rays", "line"] {
        assert!(sets.iter().any(|set| set == kind), "no {kind}");
    }
}

/// mpg ~ hp + am with wt as instrument for hp, HC2: two-stage least squares is least squares on the fitted hp, with the
/// residuals of the observed one. `iv_robust` prints coefficients, standard errors and the robust first-stage F.
#[test]
fn cars_with_a_continuous_instrument() {
    let data = Data::parse(include_str!("mtcars/data.csv"));
    let column =
        |name: &str| -> Vec<f64> { data.numbers(name).into_iter().map(Option::unwrap).collect() };
    let n = data.rows();
    let (y, hp, am, wt) = (column("mpg"), column("hp"), column("am"), column("wt"));
    let stack = |columns: &[&[f64]]| -> Vec<f64> {
        let ones = std::iter::repeat_n(1.0, n);
        ones.chain(columns.iter().flat_map(|c| c.iter().copied()))
            .collect()
    };
    let first = stack(&[&am, &wt]);
    let mut qr = Qr::default();
    qr.factor(n, &first);
    let mut fitted = vec![0.0; n];
    for (b, column) in qr.coefficients(&hp).iter().zip(first.chunks_exact(n)) {
        axpy(*b, column, &mut fitted);
    }
    let second = stack(&[&fitted, &am]);
    qr.factor(n, &second);
    let b = qr.coefficients(&y);
    // The structural residuals are orthogonal to the second stage, so this outcome has b and them.
    let mut outcome = y.clone();
    axpy(-b[1], &hp, &mut outcome);
    axpy(b[1], &fitted, &mut outcome);
    let mut workspace = Workspace::default();
    for (of, estimate, std_error) in [
        (1, -0.081_082_221_19, 0.014_527_622_214),
        (2, 4.535_414_357_60, 1.465_608_530_02),
    ] {
        let design = Design::coefficient(n, &second, of, &[]).unwrap();
        let inference = design.inference(Variance::Hc2, Df::Residual, 0.95).unwrap();
        let fit = design.fit(&outcome, &inference, &mut workspace);
        close("estimate", Some(fit.estimate), Some(estimate), 1e-9, 0.0);
        close("std_error", Some(fit.std_error), Some(std_error), 1e-9, 0.0);
    }
    let design = Design::coefficient(n, &first, 2, &[]).unwrap();
    let inference = design.inference(Variance::Hc2, Df::Residual, 0.95).unwrap();
    let fit = design.fit(&hp, &inference, &mut workspace);
    let t = fit.statistic.unwrap();
    close("F", Some(t * t), Some(16.785_579_624_2), 1e-11, 0.0);
    close("p", fit.p_value, Some(3.072_199_3e-4), 1e-7, 0.0);
}

/// 100 an arm; 60 treated begin (15 events), 40 do not (14), 40 events among control: iv_robust with HC2 and 198 degrees
/// of freedom, and the Anderson–Rubin set in R.
#[test]
fn a_trial_with_begun_and_not_begun() {
    let group = |arm, received, events: usize, of: usize| {
        (0..of).map(move |i| (arm, received, f64::from(u8::from(i < events))))
    };
    let rows: Vec<(Arm, f64, f64)> = group(Arm::Treated, 1.0, 15, 60)
        .chain(group(Arm::Treated, 0.0, 14, 40))
        .chain(group(Arm::Control, 0.0, 40, 100))
        .collect();
    let columns = Columns {
        arm: rows.iter().map(|r| r.0).collect(),
        received: Some(rows.iter().map(|r| Some(r.1)).collect()),
        outcome: rows.iter().map(|r| Some(r.2)).collect(),
        ..Columns::default()
    };
    let settings = Settings {
        df: Some(Df::Residual),
        ..Settings::default()
    };
    let answer = estimate(ID, &columns, &settings).unwrap();
    let near = |actual: Option<f64>, printed: f64, half: f64| {
        assert!(
            (actual.unwrap() - printed).abs() <= half,
            "{actual:?} {printed}"
        );
    };
    let (effect, set) = (&answer.results[0], &answer.results[1]);
    near(effect.estimate, -0.183_333_333_3, 1e-10);
    near(effect.std_error, 0.111_761_564_11, 1e-11);
    near(effect.conf_low, -0.403_729_09, 1e-8);
    near(effect.conf_high, 0.037_062_42, 1e-8);
    near(effect.p_value, 0.102_510_3, 1e-7);
    assert_eq!(effect.df, Some(198.0));
    near(effect.extra["itt"].as_f64(), -0.11, 1e-14);
    near(effect.extra["complier_share"].as_f64(), 0.6, 1e-14);
    near(set.conf_low, -0.408_925_075_529, 1e-12);
    near(set.conf_high, 0.037_776_443_477, 1e-12);
    assert_eq!(set.extra["set"], "interval");
    assert!(answer.warnings.is_empty(), "{:?}", answer.warnings);
}
