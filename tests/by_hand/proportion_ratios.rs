//! Ratios of proportions and the exact two-by-two table, on cases small enough for paper.

use lottning::estimation::{
    Answer, Columns, Counts, EstimationError, Interval, PValue, Settings, estimate,
};

fn answer(id: &str, counts: [u64; 4], settings: &Settings) -> Answer {
    let [treated_events, treated_units, control_events, control_units] = counts;
    let columns = Columns::from_counts(Counts {
        treated_events,
        treated_units,
        control_events,
        control_units,
    });
    estimate(id, &columns, settings).unwrap()
}

fn interval(interval: Interval) -> Settings {
    Settings {
        interval: Some(interval),
        ..Settings::default()
    }
}

#[track_caller]
fn close(actual: Option<f64>, expected: f64) {
    let actual = actual.unwrap();
    assert!(
        (actual - expected).abs() <= 1e-11 * expected.abs().max(1.0),
        "{actual} {expected}"
    );
}

/// z for 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// 6/10 against 3/12. Risk ratio 0.6/0.25 = 2.4, variance of its logarithm 1/6 − 1/10 + 1/3 − 1/12 = 19/60.
/// Odds ratio 6·9/(4·3) = 4.5, variance 1/6 + 1/4 + 1/3 + 1/9 = 31/36.
#[test]
fn log_wald_on_twenty_two() {
    let table = [6, 10, 3, 12];
    for (id, ratio, variance) in [
        ("risk-ratio", 2.4, 19.0 / 60.0),
        ("odds-ratio", 4.5, 31.0 / 36.0),
    ] {
        let answer = answer(id, table, &interval(Interval::LogWald));
        let row = answer.effect().unwrap();
        let se = f64::sqrt(variance);
        close(row.estimate, ratio);
        close(row.std_error, se);
        close(row.statistic, ratio.ln() / se);
        close(row.conf_low, (ratio.ln() - Z * se).exp());
        close(row.conf_high, (ratio.ln() + Z * se).exp());
        assert!(answer.warnings.is_empty());
    }
}

/// 3/4 against 1/4. Equal proportions: (1/2)/√(½·½·(1/4 + 1/4)·8/7) = √7/2.
/// Odds ratio ψ: half of all have the event, so p̃0 = 1 − p̃1 = 1 − s with s = √ψ/(1 + √ψ), and
/// T² = (3 − 4s)²/(2s(1 − s))·7/8 = z² is s²(16 + 2c) − s(24 + 2c) + 9 = 0 with c = 8z²/7; s gives √ψ = s/(1 − s).
#[test]
fn score_limits_of_an_odds_ratio_by_a_quadratic() {
    let c = 8.0 * Z * Z / 7.0;
    let (a, b) = (16.0 + 2.0 * c, 24.0 + 2.0 * c);
    let root = (b * b - 36.0 * a).sqrt();
    let limit = |s: f64| (s / (1.0 - s)).powi(2);
    let answer = answer("odds-ratio", [3, 4, 1, 4], &Settings::default());
    let row = answer.effect().unwrap();
    close(row.estimate, 9.0);
    close(row.statistic, 7f64.sqrt() / 2.0);
    close(row.conf_low, limit((b - root) / (2.0 * a)));
    close(row.conf_high, limit((b + root) / (2.0 * a)));
}

/// 4/4 against 2/4. Under the risk ratio θ, p̃0 solves 8θp² − (6θ + 8)p + 6 = (4p − 3)(2θp − 2) = 0: the smaller root
/// is 3/4 while θ < 4/3, and p̃1 = 3θ/4. There T² = (1 − θ/2)²/(8/7·(3θ/4·(1 − 3θ/4)/4 + θ²·3/64)), whose denominator is
/// 8/7·3θ/16·(1 − θ/2), so T² = z² is 1 − θ/2 = 3z²θ/14: the lower limit is 1/(1/2 + 3z²/14) < 4/3.
#[test]
fn score_limit_of_a_risk_ratio_in_closed_form() {
    let answer = answer("risk-ratio", [4, 4, 2, 4], &Settings::default());
    let row = answer.effect().unwrap();
    close(row.estimate, 2.0);
    close(row.conf_low, 1.0 / (0.5 + 3.0 * Z * Z / 14.0));
    assert!(row.conf_high > Some(2.0));
}

/// Zero cells: what exists is given, what does not is null, and a warning says why.
#[test]
fn zero_cells() {
    let default = Settings::default();
    for id in ["risk-ratio", "odds-ratio"] {
        // No events at all: 0/0, T is zero everywhere.
        let none = answer(id, [0, 5, 0, 7], &default);
        let row = none.effect().unwrap();
        assert_eq!((row.estimate, row.std_error), (None, None));
        assert_eq!((row.statistic, row.p_value), (Some(0.0), Some(1.0)));
        assert_eq!((row.conf_low, row.conf_high), (Some(0.0), None));
        assert_eq!(none.warnings[0].code, "zero-cell");
        // None among the treated.
        let zero = answer(id, [0, 5, 4, 7], &default);
        let row = zero.effect().unwrap();
        assert_eq!((row.estimate, row.conf_low), (Some(0.0), Some(0.0)));
        assert!(row.conf_high.is_some() && row.std_error.is_none());
        // None in control: infinite.
        let infinite = answer(id, [4, 7, 0, 5], &default);
        let row = infinite.effect().unwrap();
        assert_eq!((row.estimate, row.conf_high), (None, None));
        assert!(row.conf_low > Some(0.0));
        let wald = answer(id, [4, 7, 0, 5], &interval(Interval::LogWald));
        let row = wald.effect().unwrap();
        assert_eq!(
            (row.p_value, row.conf_low, row.conf_high),
            (None, None, None)
        );
        assert_eq!(wald.warnings[0].code, "zero-cell");
    }
    // Every unit of both arms: the risk ratio is 1 with an interval, the odds ratio is undefined.
    let all = answer("risk-ratio", [5, 5, 7, 7], &default);
    let row = all.effect().unwrap();
    assert_eq!((row.estimate, row.p_value), (Some(1.0), Some(1.0)));
    assert!(row.conf_low > Some(0.0) && row.conf_high.is_some());
    let all = answer("odds-ratio", [5, 5, 7, 7], &default);
    assert_eq!(all.effect().unwrap().estimate, None);
}

/// 2 of 2 against 0 of 2: one table of C(4,2) = 6 is as extreme on its side, so both p-values are 2/6.
/// P_ψ(X = 2) = ψ²/(1 + 4ψ + ψ²) = α/2 = 1/40 is 39ψ² − 4ψ − 1 = 0.
#[test]
fn fisher_on_four() {
    for p_value in [PValue::Central, PValue::Minlike] {
        let settings = Settings {
            p_value: Some(p_value),
            ..Settings::default()
        };
        let exact = answer("fisher-exact", [2, 2, 0, 2], &settings);
        let row = exact.effect().unwrap();
        close(row.p_value, 1.0 / 3.0);
        assert_eq!((row.estimate, row.conf_high), (None, None));
        close(row.conf_low, (2.0 + 43f64.sqrt()) / 39.0);
    }
}

/// 1 of 2 against 1 of 2: E_ψ[X] = (4ψ + 2ψ²)/(1 + 4ψ + ψ²) = 1 gives ψ = 1, with variance (1 + 1)/6 = 1/3.
/// P_ψ(X ≥ 1) = (4ψ + ψ²)/(1 + 4ψ + ψ²) = 1/40 is 39ψ² + 156ψ − 1 = 0; the upper limit is the inverse.
#[test]
fn fisher_in_the_middle() {
    let exact = answer("fisher-exact", [1, 2, 1, 2], &Settings::default());
    let row = exact.effect().unwrap();
    close(row.estimate, 1.0);
    close(row.std_error, 3f64.sqrt());
    close(row.p_value, 1.0);
    let low = ((156.0f64 * 156.0 + 4.0 * 39.0).sqrt() - 156.0) / 78.0;
    close(row.conf_low, low);
    close(row.conf_high, 1.0 / low);
}

/// Ninety million units: half of a million against half of another, symmetric, so p is 1 and ψ is 1; and a difference so
/// large that p is below the smallest double is reported as the smallest normal one and not an error.
#[test]
fn fisher_is_quick_and_finite_for_large_tables() {
    let million = [500_000, 1_000_000, 500_000, 1_000_000];
    let exact = answer("fisher-exact", million, &Settings::default());
    close(exact.effect().unwrap().estimate, 1.0);
    close(exact.effect().unwrap().p_value, 1.0);
    let apart = [900_000, 1_000_000, 100_000, 1_000_000];
    let exact = answer("fisher-exact", apart, &Settings::default());
    let row = exact.effect().unwrap();
    assert_eq!(row.p_value, Some(f64::MIN_POSITIVE));
    assert!(
        row.conf_low > Some(75.0) && row.conf_high < Some(87.0),
        "{row:?}"
    );
    let columns = Columns::from_counts(Counts {
        treated_events: 1,
        treated_units: u64::MAX,
        control_events: 1,
        control_units: 3,
    });
    let refused = estimate("fisher-exact", &columns, &Settings::default());
    assert!(matches!(refused, Err(EstimationError::TooManyUnits { .. })));
}
