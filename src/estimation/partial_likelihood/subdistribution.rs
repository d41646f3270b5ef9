//! The sandwich variance of Fine and Gray, with the part of the estimated weights.

use super::frame::{Frame, Reach, RiskSet};
use super::lasting::Lasting;

/// Sums over the times of events up to one of them.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// `x̄`.
    mean: f64,
    /// `Σ d/S₀` and `Σ x̄ d/S₀`.
    hazard: [f64; 2],
    /// The same with the factor `G(t−)`.
    followed: [f64; 2],
}

/// Score residuals by position in one direction: `weight` is `w` and `z` the covariates in that direction, by position.
///
/// With `x̄` the mean of a risk set and `S₀` its weight, `η = δ(z − x̄(T)) − w Σ_{t≤T} (z − x̄) d/S₀ − [competing] w/G(T−) Σ_{t>T}
/// (z − x̄) G(t−) d/S₀`, and, for the estimated G, `ψ = [ended at T] q(T)/Y(T) − Σ_{u≤T} q(u) c(u)/Y(u)²` over the times u at which
/// follow-up ended for c of Y rows, with `q(u) = Σ_{competing, T<u} Σ_{t≥u} (z − x̄) w G(t−)/G(T−) d/S₀` (Fine and Gray 1999, section 3.3).
pub(super) fn residuals(frame: &Frame, lasting: &Lasting, weight: &[f64], z: &[f64]) -> Vec<f64> {
    let n = frame.len();
    let mut sums = vec![Sums::default(); frame.times.len()];
    let mut risk_set = RiskSet::new(n, 1);
    lasting.downwards(frame, weight, z, &mut risk_set, |at, risk_set| {
        let hazard = frame.times[at].deaths as f64 / risk_set.weight();
        let mean = risk_set.column(0) / risk_set.weight();
        let followed = lasting.followed[at] * hazard;
        sums[at] = Sums {
            mean,
            hazard: [hazard, mean * hazard],
            followed: [followed, mean * followed],
        };
    });
    let mut sum = Sums::default();
    for own in &mut sums {
        for index in [0, 1] {
            sum.hazard[index] += own.hazard[index];
            sum.followed[index] += own.followed[index];
        }
        (own.hazard, own.followed) = (sum.hazard, sum.followed);
    }
    let until = |times: usize| {
        times
            .checked_sub(1)
            .map_or_else(Sums::default, |at| sums[at])
    };
    let all = sum.followed;
    let rest = |times: usize| {
        let own = until(times).followed;
        [all[0] - own[0], all[1] - own[1]]
    };
    let mut residual = vec![0.0; n];
    for part in frame.parts() {
        frame.upwards(&part, |reach| {
            let Reach::Until {
                position,
                until: times,
                dies,
            } = reach
            else {
                return;
            };
            let (w, z) = (weight[position], z[position]);
            let own = until(times);
            let mut value = w * (own.hazard[1] - z * own.hazard[0]);
            if dies {
                value += z - own.mean;
            }
            let inverse = lasting.inverse[position];
            if inverse > 0.0 {
                let [after, weighted] = rest(times);
                value += w * inverse * (weighted - z * after);
            }
            residual[position] = value;
        });
    }
    add_curve(lasting, weight, z, rest, &mut residual);
    residual
}

/// Adds `ψ`.
fn add_curve(
    lasting: &Lasting,
    weight: &[f64],
    z: &[f64],
    rest: impl Fn(usize) -> [f64; 2],
    residual: &mut [f64],
) {
    // Σ w/G and Σ w z/G over competing events before the time.
    let mut competing = [0.0; 2];
    let (mut position, mut compensator) = (0, 0.0);
    for ending in &lasting.endings {
        while position < ending.first {
            let own = weight[position] * lasting.inverse[position];
            competing[0] += own;
            competing[1] += own * z[position];
            // Rows that leave before this time, after the ones before.
            residual[position] -= compensator;
            position += 1;
        }
        let [after, weighted] = rest(ending.times);
        let q = competing[1] * after - competing[0] * weighted;
        compensator += q * ending.count / ending.at_risk / ending.at_risk;
        let group = ending.first..ending.end;
        for (value, ended) in residual[group.clone()]
            .iter_mut()
            .zip(&lasting.ended[group])
        {
            if *ended {
                *value += q / ending.at_risk;
            }
        }
    }
    for value in &mut residual[position..] {
        *value -= compensator;
    }
}
