//! The slope of Firth's penalty: `½ ∂ ln det I/∂β_r = ½ Σ_t Σ_l E_l[(z − x̄_l)_r (z − x̄_l)ᵀ I⁻¹ (z − x̄_l)]`.
//!
//! With `A = I⁻¹` and `a = zᵀAz` a third central moment is `E[z a] − 2 E[z zᵀ] A x̄ − x̄ E[a] + 2 x̄ x̄ᵀAx̄`. As score and information
//! it needs no running matrix: the first two terms are sums over rows, of `uᵢ aᵢ zᵢ` and of `wᵢ zᵢ zᵢᵀA cᵢ` with `cᵢ` the sum of
//! `x̄_l/φ_l` over the times at which the row is at risk, less the parts that Efron's ties take from the dying.

use super::evaluation::Work;
use super::frame::{Frame, Reach, RiskSet};
use crate::estimation::settings::Ties;
use crate::numerics::linear_algebra::{Cholesky, axpy, dot};

/// Storage that is used again.
#[derive(Debug, Clone)]
pub(super) struct Penalty {
    columns: usize,
    /// The columns by position, and `a` as the last one.
    wide: Vec<f64>,
    /// By time and column: `Σ_l x̄_l/φ_l`, then its running sum; and the same with the share of a tie as a factor.
    means: Vec<f64>,
    shares: Vec<f64>,
}

impl Penalty {
    /// For columns by position.
    pub(super) fn new(z: &[f64], rows: usize) -> Self {
        let mut wide = Vec::with_capacity(z.len() + rows);
        wide.extend_from_slice(z);
        wide.resize(z.len() + rows, 0.0);
        Self {
            columns: z.len() / rows.max(1),
            wide,
            means: Vec::new(),
            shares: Vec::new(),
        }
    }

    /// The slope where `work` was evaluated, whose information is factored.
    pub(super) fn slope(
        &mut self,
        frame: &Frame,
        work: &Work,
        cholesky: &Cholesky,
        ties: Ties,
    ) -> Vec<f64> {
        let (n, k) = (frame.len(), self.columns);
        let inverse: Vec<f64> = (0..k)
            .flat_map(|column| {
                let mut own = vec![0.0; k];
                own[column] = 1.0;
                cholesky.solve(&mut own);
                own
            })
            .collect();
        let times = |vector: &[f64]| -> Vec<f64> {
            let rows = inverse.chunks_exact(k);
            rows.map(|row| dot(row, vector)).collect()
        };
        let (z, a) = self.wide.split_at_mut(n * k);
        a.fill(0.0);
        let mut along = vec![0.0; n];
        for (row, column) in inverse.chunks_exact(k).zip(z.chunks_exact(n)) {
            along.fill(0.0);
            for (weight, column) in row.iter().zip(z.chunks_exact(n)) {
                axpy(*weight, column, &mut along);
            }
            for ((a, along), z) in a.iter_mut().zip(&along).zip(column) {
                *a += along * z;
            }
        }
        self.means.clear();
        self.means.resize(k * frame.times.len(), 0.0);
        self.shares.clear();
        self.shares.resize(k * frame.times.len(), 0.0);
        let mut slope = vec![0.0; k];
        let mut risk_set = RiskSet::new(n, k + 1);
        let mut dying = RiskSet::new(n, k + 1);
        let mut mean = vec![0.0; k];
        let (wide, means, shares) = (&self.wide, &mut self.means, &mut self.shares);
        for part in frame.parts() {
            frame.downwards(&part, &work.weight, wide, &mut risk_set, |at, risk_set| {
                let event = &frame.times[at];
                dying.clear();
                if event.deaths > 1 {
                    for position in event.dying() {
                        dying.add(work.weight[position], wide, position);
                    }
                }
                for l in 0..event.deaths {
                    let share = match ties {
                        Ties::Efron => l as f64 / event.deaths as f64,
                        Ties::Breslow => 0.0,
                    };
                    let own = 1.0 / (risk_set.weight() - share * dying.weight());
                    let of =
                        |column| own * (risk_set.column(column) - share * dying.column(column));
                    for (column, mean) in mean.iter_mut().enumerate() {
                        *mean = of(column);
                    }
                    let factor = 2.0 * dot(&mean, &times(&mean)) - of(k);
                    axpy(factor, &mean, &mut slope);
                    axpy(own, &mean, &mut means[at * k..(at + 1) * k]);
                    axpy(share * own, &mean, &mut shares[at * k..(at + 1) * k]);
                }
            });
        }
        // What a row has of a time, as it is multiplied with its covariates.
        for own in [&mut self.means, &mut self.shares] {
            for vector in own.chunks_exact_mut(k) {
                let product = times(vector);
                vector.copy_from_slice(&product);
            }
        }
        self.add_rows(frame, work, &mut slope);
        for own in &mut slope {
            *own *= 0.5;
        }
        slope
    }

    fn add_rows(&mut self, frame: &Frame, work: &Work, slope: &mut [f64]) {
        let (n, k) = (frame.len(), self.columns);
        let (z, a) = self.wide.split_at(n * k);
        let mut pull: Vec<f64> = work.expected.iter().zip(a).map(|(u, a)| u * a).collect();
        for part in frame.parts() {
            for at in part.times.clone().skip(1) {
                let (before, own) = self.means.split_at_mut(at * k);
                axpy(1.0, &before[(at - 1) * k..], &mut own[..k]);
            }
            let (means, shares) = (&self.means, &self.shares);
            let along = |vectors: &[f64], time: usize, position: usize| -> f64 {
                let own = &vectors[time * k..(time + 1) * k];
                let row = own.iter().enumerate();
                row.map(|(column, own)| own * z[column * n + position])
                    .sum()
            };
            let first = part.times.start;
            frame.upwards(&part, |reach| {
                let (position, own) = match reach {
                    Reach::Until { until, .. } | Reach::NotUntil { until, .. }
                        if until == first =>
                    {
                        return;
                    }
                    Reach::Until {
                        position,
                        until,
                        dies,
                    } => {
                        let whole = along(means, until - 1, position);
                        let part = if dies {
                            along(shares, until - 1, position)
                        } else {
                            0.0
                        };
                        (position, whole - part)
                    }
                    Reach::NotUntil { position, until } => {
                        (position, -along(means, until - 1, position))
                    }
                };
                pull[position] -= 2.0 * work.weight[position] * own;
            });
        }
        for (slope, column) in slope.iter_mut().zip(z.chunks_exact(n)) {
            *slope += dot(&pull, column);
        }
    }
}
