//! Coverage and size of the estimators of competing and repeated events, where the truth has a closed form.

use crate::survival::{exponential, near};
use lottning::estimation::{Arm, Columns, Factor, Settings, estimate};
use lottning::numerics::stream;

const REPLICATES: u32 = 2000;

fn covered(id: &str, columns: &Columns, horizon: Option<f64>, truth: f64) -> bool {
    let settings = Settings {
        horizon,
        ..Settings::default()
    };
    let row = estimate(id, columns, &settings).unwrap().results.remove(0);
    row.conf_low.unwrap() <= truth && truth <= row.conf_high.unwrap()
}

/// Exponential times of rate λ, of which every event is of code 1 with probability 0.6: `F(1) = 0.6(1 − exp(−λ))`. Gray's test
/// with equal rates rejects at its level.
#[test]
fn cumulative_incidence_covers_and_gray_test_has_its_size() {
    let kinds = |replicate: u32, rates| {
        let mut columns = exponential(replicate, 150, rates);
        let mut rng = stream::replicate(&[12; 32], u64::from(replicate));
        for code in columns.event.iter_mut().flatten().flatten() {
            if stream::open_unit(&mut rng) > 0.6 {
                *code *= 2;
            }
        }
        columns
    };
    let rates = [0.9, 0.5];
    let incidence = rates.map(|rate| 0.6 * -libm::expm1(-rate));
    let settings = Settings {
        horizon: Some(1.0),
        ..Settings::default()
    };
    let (mut within, mut rejected) = (0, 0);
    for replicate in 0..REPLICATES {
        let columns = kinds(replicate, rates);
        let truth = incidence[1] - incidence[0];
        within += u32::from(covered("cumulative-incidence", &columns, Some(1.0), truth));
        let equal = kinds(replicate, [0.7, 0.7]);
        let answer = estimate("cumulative-incidence", &equal, &settings).unwrap();
        rejected += u32::from(answer.results[3].p_value.unwrap() <= 0.05);
    }
    near(within, REPLICATES, 0.95);
    near(rejected, REPLICATES, 0.05);
}

/// Events of rate r·g, with g 0.4 or 1.6 by unit, until a death of rate 0.3, or an end that is uniform on 1 to 3: the mean until
/// 1 is `r(1 − exp(−0.3))/0.3`, and the ratio of rates is that of the r.
#[test]
fn means_and_rate_ratios_cover() {
    let rates = [1.2, 0.8];
    let mean = rates.map(|rate| rate * -libm::expm1(-0.3) / 0.3);
    let (mut means, mut ratios) = (0, 0);
    for replicate in 0..REPLICATES {
        let mut rng = stream::replicate(&[13; 32], u64::from(replicate));
        let mut columns = Columns::default();
        let (mut ids, mut entry, mut time, mut event) = (vec![], vec![], vec![], vec![]);
        for unit in 0..200 {
            let arm = match unit % 2 {
                0 => Arm::Control,
                _ => Arm::Treated,
            };
            let mut draw = |rate: f64| -libm::log(stream::open_unit(&mut rng)) / rate;
            let death = draw(0.3);
            let frailty = if draw(1.0) < core::f64::consts::LN_2 {
                0.4
            } else {
                1.6
            };
            let end = 1.0 + 2.0 * libm::exp(-draw(1.0));
            let last = death.min(end);
            let mut from = 0.0;
            while from < last {
                let next = from + draw(rates[arm.index()] * frailty);
                let code = if next < last {
                    1
                } else {
                    2 * u32::from(death <= end)
                };
                columns.arm.push(arm);
                ids.push(unit.to_string());
                entry.push(Some(from));
                time.push(Some(next.min(last)));
                event.push(Some(code));
                from = next;
            }
        }
        columns.id = Some(Factor::from_texts(
            "id",
            ids.iter().map(|id| Some(id.as_str())),
        ));
        (columns.entry, columns.time) = (Some(entry), Some(time));
        columns.event = Some(event);
        let truth = mean[1] - mean[0];
        means += u32::from(covered("mean-cumulative-count", &columns, Some(1.0), truth));
        let truth = rates[1] / rates[0];
        ratios += u32::from(covered("recurrent-rate-ratio", &columns, None, truth));
    }
    near(means, REPLICATES, 0.95);
    near(ratios, REPLICATES, 0.95);
}

/// `F(t) = 1 − (1 − p(1 − exp(−t)))^r` with p = 0.5 and r = 1 or 0.6, the model of Fine and Gray; who does not have the event has
/// another one at an exponential time; follow-up ends uniformly on 0.5 to 2.5.
#[test]
fn subdistribution_hazard_ratios_cover() {
    let (share, truth) = (0.5, 0.6);
    let mut within = 0;
    for replicate in 0..REPLICATES {
        let mut rng = stream::replicate(&[14; 32], u64::from(replicate));
        let mut columns = Columns::default();
        let (mut time, mut event) = (vec![], vec![]);
        for unit in 0..300 {
            let (arm, ratio) = match unit % 2 {
                0 => (Arm::Control, 1.0),
                _ => (Arm::Treated, truth),
            };
            let draw = stream::open_unit(&mut rng);
            let other = -libm::log(stream::open_unit(&mut rng));
            let end = 0.5 + 2.0 * stream::open_unit(&mut rng);
            // The inverse of F where it exists.
            let inner = -libm::expm1(libm::log1p(-draw) / ratio) / share;
            let (own, code) = if inner < 1.0 {
                (-libm::log1p(-inner), 1)
            } else {
                (other, 2)
            };
            columns.arm.push(arm);
            time.push(Some(own.min(end)));
            event.push(Some(if own <= end { code } else { 0 }));
        }
        (columns.time, columns.event) = (Some(time), Some(event));
        within += u32::from(covered("fine-gray", &columns, None, truth));
    }
    near(within, REPLICATES, 0.95);
}
