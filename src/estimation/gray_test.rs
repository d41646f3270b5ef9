//! Gray's test of equal cumulative incidence in two arms, with the weight ρ = 0, within strata where given.
//!
//! Gray (1988, doi 10.1214/aos/1176350951, section 2). In one stratum, with arms r, left limits marked −, all other values at
//! the time itself: `h_r = Y_r/Ŝ_r−` with Ŝ_r the curve of any event, `R_r = h_r (1 − F̂_r−)` with F̂_r the incidence of the
//! event in the arm, and the pooled incidence `F̂ = Σ d/h`, h = h₀ + h₁ and d the events of both arms. The score of the
//! treated arm is `z = Σ (d₁ − d R₁/(R₀ + R₁))`. Its variance under equal incidence is
//! `Σ_r Σ_t (a_r² ΔF̂ κ + b_r² o_r κ'/h_r)/h_r` with o_r other events and
//! `D_r = h_r([r is treated] − h₁/h)`, `c_r = Σ_{u>t} D_r ΔF̂/(1 − F̂−)`, `q_r = (1 − F̂)/Ŝ_r`, `a_r = D_r + (1 − q_r) c_r`,
//! `b_r = −q_r c_r`. Ties take the factors `κ = 1 − (d − 1)/(h Ŝ_r− − 1)` and `κ' = 1 − (o_r − 1)/(Y_r − 1)` of sampling
//! without replacement.

use super::follow_up::{FollowUp, Step};

/// Score of the treated arm and its variance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct GrayTest {
    /// Events more than expected under equal incidence.
    pub(super) score: f64,
    /// Its variance, 0 when the arms are never compared.
    pub(super) variance: f64,
}

/// One time within one stratum. Pairs are control, treated.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at_risk: [f64; 2],
    others: [f64; 2],
    events: f64,
    /// `h_r`.
    weight: [f64; 2],
    /// `Ŝ_r−` and `Ŝ_r`.
    survival: [[f64; 2]; 2],
    /// `F̂−` and `F̂`.
    pooled: [f64; 2],
}

/// The running curves of one stratum.
#[derive(Debug, Clone)]
struct Curves {
    survival: [f64; 2],
    incidence: [f64; 2],
    pooled: f64,
    moments: Vec<Moment>,
}

impl Curves {
    fn new() -> Self {
        Self {
            survival: [1.0; 2],
            incidence: [0.0; 2],
            pooled: 0.0,
            moments: Vec::new(),
        }
    }

    /// Adds a time; the part of the score.
    fn add(&mut self, step: &Step) -> f64 {
        let at_risk = step.at_risk.map(|n| n as f64);
        let events = (step.events[0] + step.events[1]) as f64;
        let before = self.survival;
        let mut weight = [0.0; 2];
        let mut ratio = [0.0; 2];
        for arm in [0, 1] {
            // Somebody at risk: the curve has not yet come to 0.
            if step.at_risk[arm] > 0 {
                weight[arm] = at_risk[arm] / before[arm];
                ratio[arm] = weight[arm] * (1.0 - self.incidence[arm]);
                let left = step.at_risk[arm] - step.events[arm] - step.others[arm];
                self.incidence[arm] += before[arm] * step.events[arm] as f64 / at_risk[arm];
                self.survival[arm] *= left as f64 / at_risk[arm];
            }
        }
        let earlier = self.pooled;
        self.pooled += events / (weight[0] + weight[1]);
        self.moments.push(Moment {
            at_risk,
            others: step.others.map(|n| n as f64),
            events,
            weight,
            survival: [before, self.survival],
            pooled: [earlier, self.pooled],
        });
        let [r0, r1] = ratio;
        let [d0, d1] = step.events.map(|n| n as f64);
        // d₁ − d R₁/R over one denominator, so that equal shares give exactly zero.
        (d1 * r0 - d0 * r1) / (r0 + r1)
    }

    fn variance(&self) -> f64 {
        let mut variance = 0.0;
        for arm in [0, 1] {
            let mut later = 0.0;
            for moment in self.moments.iter().rev() {
                let own = moment.weight[arm];
                if own <= 0.0 {
                    continue;
                }
                let all = moment.weight[0] + moment.weight[1];
                // h_r([r = 1] − h₁/h), which is ±h₀h₁/h.
                let sign = if arm == 1 { 1.0 } else { -1.0 };
                let direct = sign * moment.weight[0] * (moment.weight[1] / all);
                let [earlier, pooled] = moment.pooled;
                let [before, after] = [moment.survival[0][arm], moment.survival[1][arm]];
                let q = if after > 0.0 {
                    (1.0 - pooled) / after
                } else {
                    0.0
                };
                let (a, b) = (direct + (1.0 - q) * later, -q * later);
                let ties = |events: f64, of: f64| {
                    if events > 1.0 {
                        1.0 - (events - 1.0) / (of - 1.0)
                    } else {
                        1.0
                    }
                };
                let increment = moment.events / all;
                variance += a * a * increment * ties(moment.events, all * before) / own;
                let others = moment.others[arm];
                variance += b * b * others * ties(others, moment.at_risk[arm]) / own / own;
                // A pooled incidence of 1 is reached by everyone's last event only, when nothing comes later.
                if earlier < 1.0 {
                    later += direct * increment / (1.0 - earlier);
                }
            }
        }
        variance
    }
}

/// The test over all strata; `strata` has a code by row. O(n log n).
pub(super) fn gray_test(follow_up: &FollowUp, strata: Option<&[u32]>) -> GrayTest {
    let mut test = GrayTest::default();
    let (mut stratum, mut curves) = (None, Curves::new());
    follow_up.steps(strata, |step| {
        if stratum.is_some_and(|own| own != step.stratum) {
            test.variance += curves.variance();
            curves = Curves::new();
        }
        stratum = Some(step.stratum);
        test.score += curves.add(step);
    });
    test.variance += curves.variance();
    test
}
