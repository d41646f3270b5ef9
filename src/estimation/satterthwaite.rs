//! Satterthwaite's degrees of freedom of a cluster-robust variance, from sums over clusters in the space of the coefficients.

use super::cluster_adjustment::{Adjustment, Part};
use crate::numerics::linear_algebra::{axpy, dot};

/// How far below 1 rounding may leave degrees of freedom.
const LEAST: f64 = 1e-6;

/// Sums for `tr P` and `tr P²`, with `P = D + FᵀKF`: D diagonal with `d_s = c_sᵀc_s`, F the clusters' features
/// `Q_sᵀc̃_s` (with weights also `Q_sᵀDc_s`), K of the model alone.
pub(super) struct Traces {
    /// Where each block's features begin.
    offsets: Vec<usize>,
    /// Features of the cluster at hand.
    features: Vec<f64>,
    /// `K` times them.
    image: Vec<f64>,
    touched: Vec<bool>,
    own: f64,
    beside: f64,
    trace: f64,
    diagonal: f64,
    /// `Γ = Σ_s f_s f_sᵀ`.
    gram: Vec<f64>,
    grams: Vec<(usize, Vec<f64>)>,
}

impl Traces {
    /// Empty sums over the parts of a design.
    pub(super) fn new(parts: &[Part<'_>]) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        for part in parts {
            end += part.features();
            offsets.push(end);
        }
        let grams = parts
            .iter()
            .map(|part| (part.block.qr.rank(), part.weighted_gram.clone()))
            .collect();
        Self {
            offsets,
            features: vec![0.0; end],
            image: vec![0.0; end],
            touched: vec![false; parts.len()],
            own: 0.0,
            beside: 0.0,
            trace: 0.0,
            diagonal: 0.0,
            gram: vec![0.0; end * end],
            grams,
        }
    }

    /// Begins a cluster.
    pub(super) fn begin(&mut self) {
        self.features.fill(0.0);
        self.touched.fill(false);
        self.own = 0.0;
        self.beside = 0.0;
    }

    /// Takes a cluster's part in one block.
    pub(super) fn take(&mut self, place: usize, adjustment: &Adjustment) {
        if adjustment.m == 0 {
            return;
        }
        self.touched[place] = true;
        let k = adjustment.k;
        let own = &mut self.features[self.offsets[place]..self.offsets[place + 1]];
        let rows = adjustment.q.chunks_exact(k).zip(&adjustment.corrected);
        if adjustment.roots.is_empty() {
            for (row, c) in rows {
                self.own += c * c;
                axpy(*c, row, own);
            }
        } else {
            let (light, heavy) = own.split_at_mut(k);
            for ((row, c), root) in rows.zip(&adjustment.roots) {
                let square = root * root;
                self.own += square * c * c;
                axpy(*c, row, light);
                axpy(square * c, row, heavy);
            }
        }
        let start = self.offsets[place];
        let features = &self.features[start..self.offsets[place + 1]];
        let image = &mut self.image[start..self.offsets[place + 1]];
        kernel(&self.grams[place], features, image);
        self.beside += dot(features, image);
    }

    /// Adds the cluster to the sums.
    pub(super) fn end(&mut self) {
        self.trace += self.own + self.beside;
        self.diagonal += self.own * self.own + 2.0 * self.own * self.beside;
        let end = self.features.len();
        for (first, touched) in self.touched.iter().enumerate() {
            if !touched {
                continue;
            }
            for j in self.offsets[first]..self.offsets[first + 1] {
                let f = self.features[j];
                for (second, touched) in self.touched.iter().enumerate() {
                    if *touched {
                        let range = self.offsets[second]..self.offsets[second + 1];
                        let column = &mut self.gram[j * end..(j + 1) * end];
                        axpy(f, &self.features[range.clone()], &mut column[range]);
                    }
                }
            }
        }
    }

    /// `(tr P)²/tr(P²)` with `tr(P²) = Σ d² + 2Σ d f ᵀKf + tr(KΓKΓ)`.
    ///
    /// P is positive semidefinite, so that this is never below 1. Where rounding says so, what it sums has cancelled: one
    /// cluster weighs so much that the others say nothing, and there is no answer.
    pub(super) fn satterthwaite(&self, parts: &[Part<'_>]) -> Option<f64> {
        let end = self.features.len();
        // KΓ, column by column; Γ is symmetric.
        let mut product = vec![0.0; end * end];
        for (column, image) in self
            .gram
            .chunks_exact(end)
            .zip(product.chunks_exact_mut(end))
        {
            for place in 0..parts.len() {
                let range = self.offsets[place]..self.offsets[place + 1];
                kernel(
                    &self.grams[place],
                    &column[range.clone()],
                    &mut image[range],
                );
            }
        }
        let mut square = self.diagonal;
        for i in 0..end {
            for j in 0..end {
                square += product[j * end + i] * product[i * end + j];
            }
        }
        let df = self.trace * self.trace / square;
        (df.is_finite() && df >= 1.0 - LEAST).then_some(df)
    }
}

/// `K f` of one block: `−f` without weights; with them `(T u − v, −u)` for `f = (u, v)` and `T = QᵀWQ`.
fn kernel((k, gram): &(usize, Vec<f64>), f: &[f64], image: &mut [f64]) {
    if gram.is_empty() {
        for (y, x) in image.iter_mut().zip(f) {
            *y = -x;
        }
        return;
    }
    let (u, v) = f.split_at(*k);
    let (above, below) = image.split_at_mut(*k);
    for (i, y) in above.iter_mut().enumerate() {
        *y = dot(&gram[i * k..(i + 1) * k], u) - v[i];
    }
    for (y, u) in below.iter_mut().zip(u) {
        *y = -u;
    }
}
