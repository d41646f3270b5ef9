//! One evaluation of the partial likelihood: its value, score and information.

use super::frame::{Frame, Part, Reach, RiskSet};
use super::layers::Nested;
use super::sums::{LogSum, add_row, each_weighted_dot};
use crate::estimation::settings::Ties;
use crate::numerics::exponential::exponentiate;
use crate::numerics::linear_algebra::{combine, dot, most};

/// Rows, or risk-set means, that are summed at a time.
const BLOCK: usize = 256;

/// What one evaluation leaves behind, in reused storage.
#[derive(Debug, Clone, Default)]
pub(super) struct Work {
    /// `w` by position, divided by the largest in the stratum.
    pub(super) weight: Vec<f64>,
    /// `u` by position.
    pub(super) expected: Vec<f64>,
    pub(super) score: Vec<f64>,
    /// k × k, lower triangle, column-major.
    pub(super) information: Vec<f64>,
    /// `Σ_t Σ_l x̄_l x̄_lᵀ`, in the same form.
    pub(super) products: Vec<f64>,
    nested: Nested,
    /// `A₀` and `A₁`, by time, where risk sets are not nested.
    hazard: Vec<(f64, f64)>,
    means: Means,
}

/// Blocks of the vectors `x̄_l`, column by column; their products are summed when they are full.
#[derive(Debug, Clone, Default)]
struct Means {
    blocks: Vec<[f64; BLOCK]>,
    filled: usize,
}

impl Means {
    fn push(&mut self, products: &mut [f64], mean: impl Fn(usize) -> f64) {
        for (column, block) in self.blocks.iter_mut().enumerate() {
            block[self.filled] = mean(column);
        }
        self.filled += 1;
        if self.filled == BLOCK {
            self.sum(products);
        }
    }

    fn sum(&mut self, products: &mut [f64]) {
        let k = self.blocks.len();
        let column = |column: usize| &self.blocks[column][..self.filled];
        for a in 0..k {
            add_row(products, k, a, column(a), column);
        }
        self.filled = 0;
    }
}

impl Work {
    /// Log-likelihood at `beta`, not finite when a risk set has no weight left. `z` is column-major by position, `dying` has
    /// the sums of its columns over the dying.
    pub(super) fn evaluate(
        &mut self,
        frame: &Frame,
        z: &[f64],
        dying: &[f64],
        ties: Ties,
        beta: &[f64],
    ) -> f64 {
        let (n, k) = (frame.len(), beta.len());
        let at_zero = beta.iter().all(|b| b.abs() <= 0.0);
        self.weight.clear();
        self.weight.resize(n, if at_zero { 1.0 } else { 0.0 });
        if !at_zero {
            combine(beta, z, &mut self.weight);
        }
        self.products.clear();
        self.products.resize(k * k, 0.0);
        self.expected.resize(n, 0.0);
        let mut log_likelihood = dot(beta, dying);
        if !at_zero {
            for part in frame.parts() {
                let own = &mut self.weight[part.rows];
                let highest = most(own, f64::NEG_INFINITY, |eta| eta);
                for eta in own.iter_mut() {
                    *eta -= highest;
                }
                log_likelihood -= highest * part.deaths as f64;
            }
            exponentiate(&mut self.weight);
        }
        if let Some(layers) = &frame.layers {
            let (nested, weight) = (&mut self.nested, &self.weight);
            log_likelihood -= nested.walk(layers, weight, z, ties, &mut self.products);
            nested.expect(layers, weight, &mut self.expected);
        } else {
            self.expected.fill(0.0);
            self.means.blocks.resize(k, [0.0; BLOCK]);
            self.means.filled = 0;
            self.hazard.resize(frame.times.len(), (0.0, 0.0));
            let mut sums = [RiskSet::new(n, k), RiskSet::new(n, k)];
            for part in frame.parts().filter(|part| !part.times.is_empty()) {
                log_likelihood -= self.log_risk(frame, &part, z, ties, &mut sums);
                self.expect(frame, &part);
            }
            self.means.sum(&mut self.products);
        }
        self.sum_rows(z, dying);
        log_likelihood
    }

    /// `Σ_t Σ_l ln φ_l` of one stratum, with its hazards and means left behind.
    fn log_risk(
        &mut self,
        frame: &Frame,
        part: &Part,
        z: &[f64],
        ties: Ties,
        sums: &mut [RiskSet; 2],
    ) -> f64 {
        let [risk_set, dying] = sums;
        let (weight, hazard, means) = (&self.weight, &mut self.hazard, &mut self.means);
        let products = &mut self.products;
        let (mut logs, mut sum) = (LogSum::new(), 0.0);
        frame.downwards(part, weight, z, risk_set, |at, risk_set| {
            let event = &frame.times[at];
            let deaths = event.deaths as f64;
            let total = risk_set.weight();
            if event.deaths == 1 {
                logs.add(total);
                let part = 1.0 / total;
                hazard[at] = (part, 0.0);
                means.push(products, |column| part * risk_set.column(column));
                return;
            }
            if ties == Ties::Breslow {
                sum += deaths * libm::log(total);
                hazard[at] = (deaths / total, 0.0);
                let part = deaths.sqrt() / total;
                means.push(products, |column| part * risk_set.column(column));
                return;
            }
            dying.clear();
            for position in event.dying() {
                dying.add(weight[position], z, position);
            }
            let mut own = (0.0, 0.0);
            for l in 0..event.deaths {
                let share = l as f64 / deaths;
                let left = total - share * dying.weight();
                logs.add(left);
                let part = 1.0 / left;
                own.0 += part;
                own.1 += share * part;
                means.push(products, |column| {
                    part * (risk_set.column(column) - share * dying.column(column))
                });
            }
            hazard[at] = own;
        });
        sum + logs.value()
    }

    /// `u` of the rows of one stratum.
    fn expect(&mut self, frame: &Frame, part: &Part) {
        // Σ G(t−) A₀ from each time on.
        let mut rest = vec![0.0; frame.lasting.as_ref().map_or(0, |_| part.times.len() + 1)];
        if let Some(lasting) = &frame.lasting {
            for at in part.times.clone().rev() {
                rest[at] = rest[at + 1] + lasting.followed[at] * self.hazard[at].0;
            }
        }
        let mut sum = 0.0;
        for (hazard, _) in &mut self.hazard[part.times.clone()] {
            sum += *hazard;
            *hazard = sum;
        }
        let hazard = &self.hazard;
        let until = |time: usize| {
            if time > part.times.start {
                hazard[time - 1]
            } else {
                (0.0, 0.0)
            }
        };
        let (weight, expected) = (&self.weight, &mut self.expected);
        frame.upwards(part, |reach| match reach {
            Reach::Until {
                position,
                until: time,
                dies,
            } => {
                let (mut own, share) = until(time);
                if dies {
                    own -= share;
                }
                if let Some(lasting) = &frame.lasting {
                    own += lasting.inverse[position] * rest[time];
                }
                expected[position] = weight[position] * own;
            }
            Reach::NotUntil {
                position,
                until: time,
            } => expected[position] -= weight[position] * until(time).0,
        });
    }

    /// Score and information from the rows and the risk sets' means; blocks of rows stay in the cache.
    fn sum_rows(&mut self, z: &[f64], dying: &[f64]) {
        let (n, k) = (self.expected.len(), dying.len());
        self.score.clear();
        self.score.extend_from_slice(dying);
        self.information.clear();
        self.information.resize(k * k, 0.0);
        for begin in (0..n).step_by(BLOCK) {
            let end = (begin + BLOCK).min(n);
            let expected = &self.expected[begin..end];
            let column = |column: usize| &z[column * n + begin..column * n + end];
            for a in 0..k {
                let information = &mut self.information;
                let own = each_weighted_dot(expected, column(a), a + 1, column, |b, sum| {
                    information[b * k + a] += sum;
                });
                self.score[a] -= own;
            }
        }
        for (value, product) in self.information.iter_mut().zip(&self.products) {
            *value -= product;
        }
    }
}
