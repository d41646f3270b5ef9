//! Ratios of proportions and exact tests as printed.

use lottning::estimation::proportion_ratios::{Limits, Ratio, ratio};
use lottning::estimation::{Columns, Counts, Settings, estimate};

fn counts(x1: u64, n1: u64, x0: u64, n0: u64) -> Counts {
    Counts {
        treated_events: x1,
        treated_units: n1,
        control_events: x0,
        control_units: n0,
    }
}

/// The level whose quantile is `z √(N/(N−1))` smaller: with it the limits are those of the score test without N/(N−1)
/// at 95 %, which is what the older papers print.
fn without_inflation(counts: Counts, which: Ratio) -> (f64, f64) {
    let n = (counts.treated_units + counts.control_units) as f64;
    let z = 1.959_963_984_540_054 * ((n - 1.0) / n).sqrt();
    let level = 1.0 - lottning::numerics::normal::two_sided(z);
    let effect = ratio(counts, which, Limits::Score, level).unwrap();
    (effect.conf_low.unwrap(), effect.conf_high.unwrap())
}

/// Koopman (1984, Biometrics 40:513, doi 10.2307/2531405), example: 36/40 against 16/80 has ratio 4.5 and 95 % limits
/// 2.94 and 7.15. Gart and Nam (1988, Biometrics 44:323, doi 10.2307/2531848), 8/15 against 4/15: score limits 0.815
/// and 5.336, and 6/10 against 6/20: 0.844 and 4.594, as pinned by the tests of the R package ratesci.
#[test]
fn score_limits_of_risk_ratios() {
    for (counts, low, high, rounding) in [
        (counts(36, 40, 16, 80), 2.94, 7.15, 0.005),
        (counts(8, 15, 4, 15), 0.815, 5.336, 0.0005),
        (counts(6, 10, 6, 20), 0.844, 4.594, 0.0005),
    ] {
        let (l, h) = without_inflation(counts, Ratio::Risk);
        assert!(
            (l - low).abs() <= rounding && (h - high).abs() <= rounding,
            "{l} {h}"
        );
    }
}

/// Fisher (1935, The Design of Experiments, section 5): the lady tasting tea, three of four right: 34 of 70 tables.
/// Convictions of twins (Fisher 1934, table 1; `?fisher.test` in R): 2 of 15 dizygotic against 10 of 13 monozygotic,
/// p .0005367241191 and conditional odds ratio .0469 (R 4.2.2 prints .04693660883, to its own tolerance of 1e-4).
#[test]
fn fishers_own_tables() {
    let exact = |counts| {
        let columns = Columns::from_counts(counts);
        let answer = estimate("fisher-exact", &columns, &Settings::default());
        answer.unwrap().results.remove(0)
    };
    let tea = exact(counts(3, 4, 1, 4));
    assert!((tea.p_value.unwrap() - 34.0 / 70.0).abs() < 1e-13);
    assert!((tea.estimate.unwrap() - 6.4083).abs() < 5e-5);
    // The limits of the conditional odds ratio ω are where 3 or more, and 3 or fewer, have .025: over tables with 0 to 4 right the weights are
    // 1, 16ω, 36ω², 16ω³, ω⁴. R's .2117329 and 621.9337505 are roots to its tolerance 1.2e-4, of the upper one's inverse.
    let tail = |odds: f64, from: usize, to: usize| {
        let weights = [1.0, 16.0, 36.0, 16.0, 1.0];
        let weight = |right: usize| weights[right] * odds.powi(right as i32);
        (from..=to).map(weight).sum::<f64>() / (0..=4).map(weight).sum::<f64>()
    };
    let (low, high) = (tea.conf_low.unwrap(), tea.conf_high.unwrap());
    assert!((tail(low, 3, 4) - 0.025).abs() < 1e-12 && (low - 0.211_732_9).abs() < 1.2e-4);
    assert!((tail(high, 0, 3) - 0.025).abs() < 1e-12);
    assert!((high.recip() - 621.933_750_5_f64.recip()).abs() < 1.2e-4);
    let twins = exact(counts(2, 12, 15, 18));
    let minlike = twins.extra["p_minlike"].as_f64().unwrap();
    assert!((minlike / 5.367_241_191e-4 - 1.0).abs() < 1e-9);
    assert!((twins.estimate.unwrap() - 0.046_936_6).abs() < 1e-6);
    assert!((twins.conf_low.unwrap() - 0.003_325_8).abs() < 1e-4);
    assert!((twins.conf_high.unwrap() - 0.363_182).abs() < 1e-4);
}
