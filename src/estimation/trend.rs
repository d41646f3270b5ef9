//! Along which a hazard ratio may change over time: g(t) = 1 − S(t−), with S of all rows together (Kaplan and Meier), so that no
//! late event has more weight than the events before it; and the test of such a change where the arm is the only column.

use super::follow_up::FollowUp;
use super::partial_likelihood::statistic;
use super::settings::Ties;

/// g by time of an event.
#[derive(Debug, Clone, Default)]
pub(super) struct Trend {
    times: Vec<f64>,
    values: Vec<f64>,
}

impl Trend {
    /// Of all strata together.
    pub(super) fn new(follow_up: &FollowUp) -> Self {
        let (mut trend, mut survival) = (Self::default(), 1.0);
        follow_up.steps(None, |step| {
            let (events, at_risk) = (
                step.events[0] + step.events[1],
                step.at_risk[0] + step.at_risk[1],
            );
            if events > 0 {
                trend.times.push(step.time);
                trend.values.push(1.0 - survival);
                survival *= 1.0 - events as f64 / at_risk as f64;
            }
        });
        trend
    }

    /// g just before a time of an event.
    pub(super) fn at(&self, time: f64) -> f64 {
        let place = self.times.partition_point(|own| *own < time);
        self.values.get(place).copied().unwrap_or_default()
    }
}

/// The statistic of [`super::partial_likelihood::PartialLikelihood::proportionality`] where the arm is the only column.
pub(super) fn proportionality(
    follow_up: &FollowUp,
    (strata, ties): (Option<&[u32]>, Ties),
    coefficient: f64,
) -> Option<f64> {
    let trend = Trend::new(follow_up);
    let ratio = libm::exp(coefficient);
    let (mut slope, mut plain, mut cross, mut square) = (0.0, 0.0, 0.0, 0.0);
    follow_up.steps(strata, |step| {
        let [d0, d1] = step.events.map(|own| own as f64);
        if d0 + d1 == 0.0 || step.at_risk.contains(&0) {
            return;
        }
        let g = trend.at(step.time);
        let [n0, n1] = step.at_risk.map(|own| own as f64);
        slope += g * d1;
        for death in 0..step.events[0] + step.events[1] {
            let share = match ties {
                Ties::Efron => death as f64 / (d0 + d1),
                Ties::Breslow => 0.0,
            };
            let (control, treated) = (n0 - share * d0, (n1 - share * d1) * ratio);
            let part = treated / (control + treated);
            let spread = part * (control / (control + treated));
            slope -= g * part;
            plain += spread;
            cross += g * spread;
            square += g * g * spread;
        }
    });
    statistic(slope, square, cross * cross / plain)
}
