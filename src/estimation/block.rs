//! Rows that share a factorization, all rows of a design or one arm's, and the weights of their outcomes in an effect.

use super::linear_model::LEVERAGE_TOLERANCE;
use super::settings::Variance;
use crate::numerics::linear_algebra::{
    Qr, combine, dot, each_dot, each_weighted_dot, weighted_square,
};

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
    /// `a_i²/(1−h_i)`, zero for a row of leverage one.
    pub(super) share: Vec<f64>,
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
        // Nothing but zeros stands before the position.
        let columns = &self.qr.q()[position * self.rows.len()..];
        combine(&self.basis_weight[position..], columns, &mut self.weight);
        let rows = self.weight.iter().zip(&self.leverage);
        self.share.clear();
        self.share.extend(rows.map(|(a, h)| {
            let free = 1.0 - h;
            let alone = free < LEVERAGE_TOLERANCE;
            let (square, free) = if alone { (0.0, 1.0) } else { (a * a, free) };
            square / free
        }));
    }

    /// Residuals of an outcome in the order of the block's rows, and the sum of their squares; `fitted` is storage.
    pub(super) fn residuals(
        &self,
        outcome: &[f64],
        fitted: &mut Vec<f64>,
        residual: &mut Vec<f64>,
    ) -> f64 {
        fitted.clear();
        let (q, m) = (self.qr.q(), outcome.len());
        let column = |j: usize| &q[j * m..(j + 1) * m];
        each_dot(outcome, self.qr.rank(), column, |_, c| fitted.push(-c));
        residual.clear();
        residual.extend_from_slice(outcome);
        combine(fitted, q, residual)
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
        if variance == Variance::Hc2 {
            return weighted_square(&self.share, residual);
        }
        let mut sum = 0.0;
        for ((a, h), e) in self.weight.iter().zip(&self.leverage).zip(residual) {
            let corrected = Self::correction(*h, variance) * a * e;
            sum += corrected * corrected;
        }
        sum
    }

    /// `Σ_ij b_i² b_j² (I−H)_ij²` with `b_i = a_i/√(1−h_i)`, from the thin Q alone.
    pub(super) fn trace_square(&self, weighted: &mut Vec<f64>) -> f64 {
        let m = self.rows.len();
        let q = self.qr.q();
        let column = |j: usize| &q[j * m..(j + 1) * m];
        let rows = self.share.iter().zip(&self.leverage);
        weighted.clear();
        weighted.extend(rows.map(|(b, h)| b * (1.0 - 2.0 * h)));
        let mut sum = dot(&self.share, weighted);
        for j in 0..self.qr.rank() {
            each_weighted_dot(&self.share, column(j), j + 1, column, |l, entry| {
                sum += if l == j { 1.0 } else { 2.0 } * entry * entry;
            });
        }
        sum
    }
}
