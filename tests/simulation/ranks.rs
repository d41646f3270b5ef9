//! Coverage of the intervals of ranks, redraws and bounds, within four Monte Carlo standard errors or above.

use lottning::estimation::{Answer, Arm, Columns, Settings, estimate};
use lottning::numerics::{normal, stream};
use rand_chacha::ChaCha8Rng;

const STUDIES: u64 = 2000;
/// Four standard errors of a share of .95.
const FOUR: f64 = 4.0 * 0.004_873_4;

fn noise(rng: &mut ChaCha8Rng) -> f64 {
    normal::quantile(stream::open_unit(rng)).unwrap()
}

/// `m` treated and `n` control outcomes; `y` gives one from its arm and a stream.
fn study(
    number: u64,
    m: usize,
    n: usize,
    mut y: impl FnMut(bool, &mut ChaCha8Rng) -> Option<f64>,
) -> Columns {
    let mut rng = stream::replicate(&[11; 32], number);
    let treated = |i: usize| i < m;
    Columns {
        arm: (0..m + n)
            .map(|i| {
                if treated(i) {
                    Arm::Treated
                } else {
                    Arm::Control
                }
            })
            .collect(),
        outcome: (0..m + n).map(|i| y(treated(i), &mut rng)).collect(),
        ..Columns::default()
    }
}

fn covered(answer: &Answer, row: usize, truth: f64) -> bool {
    let row = &answer.results[row];
    row.conf_low.is_none_or(|low| low <= truth) && row.conf_high.is_none_or(|high| truth <= high)
}

/// Shift 1 of a normal outcome, and its index Φ(1/√2); treated outcomes twice as spread in the second round, where the
/// index is Φ(1/√5) and there is no shift.
#[test]
fn rank_sum_covers() {
    for spread in [1.0, 2.0] {
        let index = normal::cdf(1.0 / (1.0f64 + spread * spread).sqrt());
        let (mut by_index, mut by_shift) = (0, 0);
        for number in 0..STUDIES {
            let columns = study(number, 14, 22, |treated, rng| {
                let e = noise(rng);
                Some(if treated { 1.0 + spread * e } else { e })
            });
            let answer = estimate("rank-sum", &columns, &Settings::default()).unwrap();
            by_index += u64::from(covered(&answer, 0, index));
            by_shift += u64::from(covered(&answer, 1, 1.0));
        }
        let share = |count: u64| count as f64 / STUDIES as f64;
        assert!(
            share(by_index) > 0.95 - FOUR && share(by_index) < 0.985,
            "{spread} {by_index}"
        );
        if spread < 1.5 {
            assert!(share(by_shift) > 0.95 - FOUR, "{by_shift}");
        }
    }
}

/// A constant effect of 2 on outcomes with a long tail: every choice of arms is enumerated, so the interval is exact.
#[test]
fn the_interval_of_a_randomization_test_covers() {
    let mut count = 0;
    for number in 0..600 {
        let columns = study(number, 5, 8, |treated, rng| {
            let e = -stream::open_unit(rng).ln();
            Some(if treated { e + 2.0 } else { e })
        });
        let answer = estimate("randomization-test", &columns, &Settings::default()).unwrap();
        assert_eq!(answer.results[0].extra["draws"], 1287);
        count += u64::from(covered(&answer, 0, 2.0));
    }
    let error = (0.95f64 * 0.05 / 600.0).sqrt();
    assert!(count as f64 / 600.0 > 0.95 - 4.0 * error, "{count}");
}

/// Control outcomes are known for everyone who is known when treated, and 15 of 100 more become known by treatment, those
/// with higher outcomes: the effect among the always-known is 1 and lies between the bounds.
#[test]
fn bounds_cover_the_effect() {
    let (mut lee, mut manski) = (0, 0);
    for number in 0..STUDIES {
        let columns = study(number, 120, 120, |treated, rng| {
            let (u, e) = (stream::unit(rng), noise(rng));
            let e = e.clamp(-4.0, 4.0);
            let always = u < 0.7;
            let made_known = treated && u < 0.85;
            let y = if always { e } else { e + 1.0 };
            (always || made_known).then_some(if treated { y + 1.0 } else { y })
        });
        let settings = Settings {
            range: Some((-10.0, 10.0)),
            ..Settings::default()
        };
        let answer = estimate("lee-bounds", &columns, &Settings::default()).unwrap();
        lee += u64::from(covered(&answer, 0, 1.0));
        let answer = estimate("manski-bounds", &columns, &settings).unwrap();
        manski += u64::from(covered(&answer, 0, 1.0));
    }
    assert!(lee as f64 / STUDIES as f64 > 0.95 - FOUR, "{lee}");
    assert!(manski as f64 / STUDIES as f64 > 0.95 - FOUR, "{manski}");
}
