//! Rows that share a factorization, all rows of a design or one arm's, and the weights of their outcomes in an effect.

use super::linear_model::LEVERAGE_TOLERANCE;
use super::settings::Variance;
use crate::numerics::linear_algebra::{Qr, axpy, dot};

/// A factored part of a design. With weights everything here is on the scale of rows multiplied by the root of their
/// weight.
#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    /// Position of each row of the block among the design's rows.
    pub(super) rows: Vec<u32>,
    /// Their columns.
    pub(super) qr: Qr,
    /// Diagonal of the block's hat matrix.
    pub(super) leverage: Vec<f64>,
    /// Weight `a_i` of each row's outcome in the effect.
    pub(super) weight: Vec<f64>,
    /// The effect's weights on the orthogonal basis: `a = Q t`.
    pub(super) basis_weight: Vec<f64>,
}

impl Block {
    /// Leverages, and weights of the coefficient at `position` of the kept columns: `a = ± Q R⁻ᵀ e`.
    pub(super) fn contrast(&mut self, position: usize, sign: f64) {
        self.qr.leverages(&mut self.leverage);
        self.basis_weight.clear();
        self.basis_weight.resize(self.qr.rank(), 0.0);
        self.basis_weight[position] = sign;
        self.qr.solve_r_transposed(&mut self.basis_weight);
        self.weight.clear();
        self.weight.resize(self.rows.len(), 0.0);
        for (c, q) in self
            .basis_weight
            .iter()
            .zip(self.qr.q().chunks_exact(self.rows.len()))
        {
            axpy(*c, q, &mut self.weight);
        }
    }

    /// Residuals of an outcome in the order of the block's rows, in place.
    pub(super) fn residuals(&self, outcome: &[f64], residual: &mut Vec<f64>) {
        residual.clear();
        residual.extend_from_slice(outcome);
        for q in self.qr.q().chunks_exact(self.rows.len().max(1)) {
            let c = dot(q, outcome);
            axpy(-c, q, residual);
        }
    }

    /// What a row's `a_i e_i` is multiplied by, so that squares sum to the variance; a row of leverage one has a
    /// residual of zero.
    pub(super) fn correction(leverage: f64, variance: Variance) -> f64 {
        let free = 1.0 - leverage;
        if free < LEVERAGE_TOLERANCE {
            return 0.0;
        }
        match variance {
            Variance::Hc2 => 1.0 / free.sqrt(),
            Variance::Hc3 => 1.0 / free,
            _ => 1.0,
        }
    }

    /// `Σ a_i² e_i²` with the correction of a variance estimator; rows of leverage one have a residual of zero.
    pub(super) fn meat(&self, residual: &[f64], variance: Variance) -> f64 {
        let power = match variance {
            Variance::Hc2 => 1,
            Variance::Hc3 => 2,
            _ => 0,
        };
        let mut sum = 0.0;
        for ((a, h), e) in self.weight.iter().zip(&self.leverage).zip(residual) {
            let free = 1.0 - h;
            if free < LEVERAGE_TOLERANCE {
                continue;
            }
            let square = a * a * e * e;
            sum += match power {
                0 => square,
                1 => square / free,
                _ => square / (free * free),
            };
        }
        sum
    }

    /// `Σ_ij b_i² b_j² (I−H)_ij²` with `b_i = a_i/√(1−h_i)`, from the thin Q alone.
    pub(super) fn trace_square(&self, scratch: &mut Vec<f64>) -> f64 {
        let m = self.rows.len();
        let k = self.qr.rank();
        scratch.clear();
        scratch.resize(2 * m, 0.0);
        let (b, weighted) = scratch.split_at_mut(m);
        let mut sum = 0.0;
        for ((b, a), h) in b.iter_mut().zip(&self.weight).zip(&self.leverage) {
            let free = 1.0 - h;
            if free >= LEVERAGE_TOLERANCE {
                *b = a * a / free;
                sum += *b * *b * (1.0 - 2.0 * h);
            }
        }
        let q = self.qr.q();
        for j in 0..k {
            let column = &q[j * m..(j + 1) * m];
            for ((w, b), q) in weighted.iter_mut().zip(b.iter()).zip(column) {
                *w = b * q;
            }
            for l in 0..=j {
                let entry = dot(weighted, &q[l * m..(l + 1) * m]);
                sum += if l == j {
                    entry * entry
                } else {
                    2.0 * entry * entry
                };
            }
        }
        sum
    }
}
