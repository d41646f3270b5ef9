//! The score test of proportional hazards of Grambsch and Therneau (1994, doi 10.1093/biomet/81.3.515): whether the last column's
//! coefficient changes along a function g of time.
//!
//! In `β + θ g(t)` the score of θ at 0 is `Σ_t g Σ_l (z − x̄_l)`, and its information with the coefficients `Σ_t g V_t` and with
//! itself `Σ_t g² V_t`, with `V_t` the covariances in the risk set: sums over rows and over risk sets' means, as score and information
//! of the likelihood are. `survival::cox.zph` since 3.0.

use super::PartialLikelihood;
use super::frame::{Reach, RiskSet};
use crate::estimation::settings::Ties;
use crate::estimation::trend::Trend;
use crate::numerics::linear_algebra::{Cholesky, dot};

/// Hazards of one time, with g and with g²: `Σ_l 1/φ_l`, and with the share of a tie as a factor.
#[derive(Debug, Clone, Copy, Default)]
struct Hazards {
    whole: [f64; 2],
    shares: [f64; 2],
}

impl PartialLikelihood {
    /// The test's statistic, chi-square with one degree of freedom, where the likelihood was maximized last; `None` where nothing
    /// could change.
    pub(in crate::estimation) fn proportionality(&self, trend: &Trend) -> Option<f64> {
        let (frame, weight, z) = (&self.frame, &self.work.weight, &self.z);
        let (n, k) = (frame.len(), self.kept.len());
        let arm = &z[(k - 1) * n..];
        let (mut slope, mut cross, mut square) = (0.0, vec![0.0; k], 0.0);
        let mut hazards = vec![Hazards::default(); frame.times.len()];
        let (mut risk_set, mut dying) = (RiskSet::new(n, k), RiskSet::new(n, k));
        let mut mean = vec![0.0; k];
        let mut pulls = [vec![0.0; n], vec![0.0; n]];
        for part in frame.parts() {
            frame.downwards(&part, weight, z, &mut risk_set, |at, risk_set| {
                let event = &frame.times[at];
                let g = trend.at(event.time);
                dying.clear();
                for position in event.dying() {
                    slope += g * arm[position];
                    if event.deaths > 1 {
                        dying.add(weight[position], z, position);
                    }
                }
                let own = &mut hazards[at];
                for l in 0..event.deaths {
                    let share = match self.ties {
                        Ties::Efron => l as f64 / event.deaths as f64,
                        Ties::Breslow => 0.0,
                    };
                    let part = 1.0 / (risk_set.weight() - share * dying.weight());
                    for (column, mean) in mean.iter_mut().enumerate() {
                        *mean = part * (risk_set.column(column) - share * dying.column(column));
                    }
                    let last = mean[k - 1];
                    for (cross, mean) in cross.iter_mut().zip(&mean) {
                        *cross -= g * last * mean;
                    }
                    square -= g * g * last * last;
                    for (power, factor) in [g, g * g].into_iter().enumerate() {
                        own.whole[power] += factor * part;
                        own.shares[power] += factor * share * part;
                    }
                }
            });
            let mut sum = [0.0; 2];
            for own in &mut hazards[part.times.clone()] {
                sum = [sum[0] + own.whole[0], sum[1] + own.whole[1]];
                own.whole = sum;
            }
            let first = part.times.start;
            frame.upwards(&part, |reach| {
                let (position, until, sign, dies) = match reach {
                    Reach::Until {
                        position,
                        until,
                        dies,
                    } => (position, until, 1.0, dies),
                    Reach::NotUntil { position, until } => (position, until, -1.0, false),
                };
                if until == first {
                    return;
                }
                let own = hazards[until - 1];
                for (power, pull) in pulls.iter_mut().enumerate() {
                    let share = if dies { own.shares[power] } else { 0.0 };
                    pull[position] += sign * weight[position] * (own.whole[power] - share);
                }
            });
        }
        for pull in &mut pulls {
            for (pull, z) in pull.iter_mut().zip(arm) {
                *pull *= z;
            }
        }
        slope -= pulls[0].iter().sum::<f64>();
        for (cross, column) in cross.iter_mut().zip(z.chunks_exact(n)) {
            *cross += dot(&pulls[0], column);
        }
        square += dot(&pulls[1], arm);
        let mut cholesky = Cholesky::default();
        cholesky
            .factor(k, &self.work.information, f64::EPSILON)
            .ok()?;
        let mut explained = cross.clone();
        cholesky.solve(&mut explained);
        statistic(slope, square, dot(&cross, &explained))
    }
}

/// Of a slope, its information, and how much of that the coefficients explain.
pub(in crate::estimation) fn statistic(slope: f64, square: f64, explained: f64) -> Option<f64> {
    let left = square - explained;
    (left > 1e-10 * square).then(|| slope * slope / left)
}
