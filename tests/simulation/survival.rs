//! Coverage and size of the estimators of times to an event, where the truth has a closed form.

use lottning::estimation::{Arm, Columns, Settings, Variance, estimate};
use lottning::numerics::stream;

const REPLICATES: u32 = 3000;

/// `n` rows an arm with exponential times at `rates` of control and treated; follow-up ends uniformly on 1 to 3.
pub(crate) fn exponential(replicate: u32, n: usize, rates: [f64; 2]) -> Columns {
    let mut rng = stream::replicate(&[11; 32], u64::from(replicate));
    let mut columns = Columns::default();
    let (mut time, mut event) = (Vec::new(), Vec::new());
    for row in 0..2 * n {
        let arm = if row < n { Arm::Treated } else { Arm::Control };
        let own = -libm::log(stream::open_unit(&mut rng)) / rates[arm.index()];
        let end = 1.0 + 2.0 * stream::open_unit(&mut rng);
        columns.arm.push(arm);
        time.push(Some(own.min(end)));
        event.push(Some(u32::from(own <= end)));
    }
    columns.time = Some(time);
    columns.event = Some(event);
    columns
}

/// Four Monte Carlo standard errors around a share.
pub(crate) fn near(count: u32, replicates: u32, share: f64) {
    let observed = f64::from(count) / f64::from(replicates);
    let error = 4.0 * (share * (1.0 - share) / f64::from(replicates)).sqrt();
    assert!((observed - share).abs() < error, "{observed} {share}");
}

/// `S(τ) = exp(−λτ)` and `∫₀^τ S = (1 − exp(−λτ))/λ`, 150 rows an arm, horizon 1: intervals of the differences cover at
/// their level.
#[test]
fn differences_of_curves_cover() {
    let (rates, horizon) = ([0.9, 0.5], 1.0);
    let settings = Settings {
        horizon: Some(horizon),
        ..Settings::default()
    };
    let survival = rates.map(|rate| libm::exp(-rate * horizon));
    let mean = [0, 1].map(|arm: usize| (1.0 - survival[arm]) / rates[arm]);
    for (id, truth) in [
        ("kaplan-meier", survival[1] - survival[0]),
        ("rmst", mean[1] - mean[0]),
    ] {
        let mut covered = 0;
        for replicate in 0..REPLICATES {
            let columns = exponential(replicate, 150, rates);
            let row = estimate(id, &columns, &settings).unwrap().results.remove(0);
            let (low, high) = (row.conf_low.unwrap(), row.conf_high.unwrap());
            covered += u32::from(low <= truth && truth <= high);
        }
        near(covered, REPLICATES, 0.95);
    }
}

/// Equal rates: the log-rank test rejects at its level.
#[test]
fn log_rank_has_its_size() {
    let mut rejected = 0;
    for replicate in 0..REPLICATES {
        let columns = exponential(replicate, 150, [0.7, 0.7]);
        let row = estimate("log-rank", &columns, &Settings::default()).unwrap();
        rejected += u32::from(row.results[0].p_value.unwrap() <= 0.05);
    }
    near(rejected, REPLICATES, 0.05);
}

/// Proportional hazards with a log ratio of ln(0.5/0.9): intervals of `cox` cover at their level, by the information and by
/// the sandwich.
#[test]
fn hazard_ratios_cover() {
    let rates = [0.9, 0.5];
    let truth = rates[1] / rates[0];
    for variance in [Variance::Model, Variance::Robust] {
        let settings = Settings {
            variance: Some(variance),
            ..Settings::default()
        };
        let mut covered = 0;
        for replicate in 0..REPLICATES {
            let columns = exponential(replicate, 150, rates);
            let row = estimate("cox", &columns, &settings)
                .unwrap()
                .results
                .remove(0);
            let (low, high) = (row.conf_low.unwrap(), row.conf_high.unwrap());
            covered += u32::from(low <= truth && truth <= high);
        }
        near(covered, REPLICATES, 0.95);
    }
}
