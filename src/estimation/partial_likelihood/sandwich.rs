//! The sandwich variance of Lin and Wei.

use super::frame::{Frame, Part, Reach, RiskSet};
use crate::estimation::settings::Ties;

/// Sums over the `d` terms of one time, of covariates projected on one direction.
#[derive(Debug, Clone, Copy, Default)]
struct Term {
    /// `Σ x̄_l/d`.
    of_events: f64,
    /// `Σ 1/φ_l` and `Σ x̄_l/φ_l`, over this time and the earlier ones of its stratum.
    hazard: [f64; 2],
    /// `Σ a_l/φ_l` and `Σ a_l x̄_l/φ_l`.
    share: [f64; 2],
}

/// Score residuals by position in one direction: `weight` is `w` and `z` the covariates in that direction, by position.
///
/// `[dies](z − Σ_l x̄_l/d) − Σ_t Σ_l (1 − [dies at t] a_l) w (z − x̄_l)/φ_l` over the times at which the row is at risk (Lin
/// and Wei 1989, doi 10.1080/01621459.1989.10478874, section 2; with Efron's terms Therneau and Grambsch 2000, chapter 7).
pub(super) fn score_residuals(frame: &Frame, weight: &[f64], z: &[f64], ties: Ties) -> Vec<f64> {
    let n = frame.len();
    let mut residual = vec![0.0; n];
    let mut terms = vec![Term::default(); frame.times.len()];
    let mut risk_set = RiskSet::new(n, 1);
    let mut dying = RiskSet::new(n, 1);
    for part in frame.parts() {
        frame.downwards(&part, weight, z, &mut risk_set, |at, risk_set| {
            let event = &frame.times[at];
            dying.clear();
            for position in event.dying() {
                dying.add(weight[position], z, position);
            }
            let deaths = event.deaths as f64;
            let mut own = Term::default();
            for l in 0..event.deaths {
                let share = match ties {
                    Ties::Efron => l as f64 / deaths,
                    Ties::Breslow => 0.0,
                };
                let left = risk_set.weight() - share * dying.weight();
                let centre = (risk_set.column(0) - share * dying.column(0)) / left;
                own.of_events += centre / deaths;
                own.hazard[0] += 1.0 / left;
                own.hazard[1] += centre / left;
                own.share[0] += share / left;
                own.share[1] += share * centre / left;
            }
            terms[at] = own;
        });
        accumulate(&mut terms, &part);
        frame.upwards(&part, |reach| match reach {
            Reach::Until {
                position,
                until,
                dies,
            } => {
                let Some(term) = reached(&terms, &part, until) else {
                    return;
                };
                let (w, z) = (weight[position], z[position]);
                residual[position] = w * (term.hazard[1] - z * term.hazard[0]);
                if dies {
                    residual[position] +=
                        z - term.of_events + w * (z * term.share[0] - term.share[1]);
                }
            }
            Reach::NotUntil { position, until } => {
                if let Some(term) = reached(&terms, &part, until) {
                    let (w, z) = (weight[position], z[position]);
                    residual[position] += w * (z * term.hazard[0] - term.hazard[1]);
                }
            }
        });
    }
    residual
}

/// Sums the hazards of a stratum up to each of its times.
fn accumulate(terms: &mut [Term], part: &Part) {
    let mut sum = [0.0; 2];
    for term in &mut terms[part.times.clone()] {
        for (sum, own) in sum.iter_mut().zip(&mut term.hazard) {
            *sum += *own;
            *own = *sum;
        }
    }
}

/// The last term that a row reaches.
fn reached<'a>(terms: &'a [Term], part: &Part, until: usize) -> Option<&'a Term> {
    (until > part.times.start).then(|| &terms[until - 1])
}
