//! How a cluster's part of the effect is adjusted for the leverage of its rows, in as few dimensions as suffice.

use super::block::Block;
use super::linear_model::{Design, LEVERAGE_TOLERANCE};
use super::settings::Variance;
use crate::numerics::linear_algebra::{axpy, dot, norm};
use crate::numerics::symmetric_eigen::SymmetricEigen;

/// Eigenvalues of `B_s` below this are zero when rows have weights, where small ones can be meant.
const WEIGHTED_TOLERANCE: f64 = 1e-12;

/// A block of the design with its rows in the order of clusters.
pub(super) struct Part<'d> {
    /// The block.
    pub(super) block: &'d Block,
    /// Root of the weight of each row of the block; empty without weights.
    roots: Vec<f64>,
    /// Places in the block, cluster by cluster.
    order: Vec<u32>,
    /// Where each cluster begins in `order`.
    starts: Vec<u32>,
    /// `QᵀWQ`, k × k; empty without weights.
    pub(super) weighted_gram: Vec<f64>,
}

impl<'d> Part<'d> {
    /// Sorts the rows of a block by cluster.
    pub(super) fn new(block: &'d Block, roots: &[f64], cluster: &[u32], clusters: usize) -> Self {
        let of = |row: &u32| cluster[*row as usize] as usize;
        let mut starts = vec![0u32; clusters + 1];
        for row in &block.rows {
            starts[of(row) + 1] += 1;
        }
        for which in 0..clusters {
            starts[which + 1] += starts[which];
        }
        let mut next = starts.clone();
        let mut order = vec![0u32; block.rows.len()];
        for (place, row) in block.rows.iter().enumerate() {
            let slot = &mut next[of(row)];
            order[*slot as usize] = place as u32;
            *slot += 1;
        }
        let roots: Vec<f64> = if roots.is_empty() {
            Vec::new()
        } else {
            block.rows.iter().map(|row| roots[*row as usize]).collect()
        };
        let mut weighted_gram = Vec::new();
        if !roots.is_empty() {
            let (m, k) = (block.rows.len(), block.qr.rank());
            let mut column = vec![0.0; m];
            weighted_gram.resize(k * k, 0.0);
            for j in 0..k {
                let q = &block.qr.q()[j * m..(j + 1) * m];
                for ((x, q), root) in column.iter_mut().zip(q).zip(&roots) {
                    *x = root * root * q;
                }
                for l in 0..=j {
                    let entry = dot(&column, &block.qr.q()[l * m..(l + 1) * m]);
                    weighted_gram[j * k + l] = entry;
                    weighted_gram[l * k + j] = entry;
                }
            }
        }
        Self {
            block,
            roots,
            order,
            starts,
            weighted_gram,
        }
    }

    /// Places of a cluster's rows in the block.
    pub(super) fn members(&self, cluster: usize) -> &[u32] {
        &self.order[self.starts[cluster] as usize..self.starts[cluster + 1] as usize]
    }

    /// Length of a cluster's features in `P`.
    pub(super) fn features(&self) -> usize {
        let k = self.block.qr.rank();
        if self.roots.is_empty() { k } else { 2 * k }
    }
}

/// The adjustment of one cluster's part in one block, with the storage of its computation.
pub(super) struct Adjustment {
    variance: Variance,
    /// Parts of `a_s` below this are rounding.
    negligible: f64,
    /// Rows of Q of the members, row by row, m × k.
    pub(super) q: Vec<f64>,
    /// Roots of their weights; empty without weights.
    pub(super) roots: Vec<f64>,
    /// `a` of the members.
    weight: Vec<f64>,
    /// `c` of the members.
    pub(super) corrected: Vec<f64>,
    /// Number of members.
    pub(super) m: usize,
    /// Number of coefficients of the block.
    pub(super) k: usize,
    matrix: Vec<f64>,
    other: Vec<f64>,
    basis: Vec<f64>,
    eigen: SymmetricEigen,
}

impl Adjustment {
    /// For one design and variance.
    pub(super) fn new(design: &Design, variance: Variance) -> Self {
        Self {
            variance,
            negligible: 1e-8 * design.weight_square().sqrt(),
            q: Vec::new(),
            roots: Vec::new(),
            weight: Vec::new(),
            corrected: Vec::new(),
            m: 0,
            k: 0,
            matrix: Vec::new(),
            other: Vec::new(),
            basis: Vec::new(),
            eigen: SymmetricEigen::default(),
        }
    }

    /// Takes a cluster's rows.
    pub(super) fn gather(&mut self, part: &Part<'_>, members: &[u32]) {
        let (rows, k) = (part.block.rows.len(), part.block.qr.rank());
        (self.m, self.k) = (members.len(), k);
        self.q.clear();
        self.weight.clear();
        self.roots.clear();
        let q = part.block.qr.q();
        for member in members {
            let place = *member as usize;
            self.q.extend((0..k).map(|j| q[j * rows + place]));
            self.weight.push(part.block.weight[place]);
            if !part.roots.is_empty() {
                self.roots.push(part.roots[place]);
            }
        }
    }

    /// Computes `c` from `a`; whether the effect rests on this cluster alone.
    pub(super) fn adjust(&mut self, part: &Part<'_>) -> bool {
        self.corrected.clear();
        self.corrected.extend_from_slice(&self.weight);
        let leverage = dot(&self.q, &self.q);
        // The largest eigenvalue of H_ss is at most its trace.
        let may_decide = leverage > 1.0 - LEVERAGE_TOLERANCE;
        match self.variance {
            Variance::Cr2 if !self.roots.is_empty() => {
                let decides = may_decide && self.with_leverage(part, |_| 1.0);
                self.weighted_root(part);
                decides
            }
            Variance::Cr2 => self.with_leverage(part, |free| 1.0 / free.sqrt()),
            Variance::Cr3 => self.with_leverage(part, |free| 1.0 / free),
            _ => may_decide && self.with_leverage(part, |_| 1.0),
        }
    }

    /// `c = f(I−H_ss) a`, where `free` is an eigenvalue of `I−H_ss` and a zero one maps to zero, in the smaller of the
    /// cluster's and the coefficients' dimensions. Whether a part of `a` that is not rounding lies where it is zero.
    ///
    /// With CR0 and CR1 `a` stays as it is, and only the answer counts.
    fn with_leverage(&mut self, part: &Part<'_>, f: impl Fn(f64) -> f64) -> bool {
        let (m, k) = (self.m, self.k);
        let keep = matches!(self.variance, Variance::Cr0 | Variance::Cr1)
            || (self.variance == Variance::Cr2 && !self.roots.is_empty());
        let negligible = self.negligible;
        let mut decides = false;
        let mut coordinate = |lambda: f64, x: f64, length: f64| {
            let free = 1.0 - lambda;
            if free < LEVERAGE_TOLERANCE {
                decides |= (length * x).abs() > negligible;
                0.0
            } else {
                f(free) * x
            }
        };
        if m == 1 {
            let c = coordinate(dot(&self.q, &self.q), self.weight[0], 1.0);
            if !keep {
                self.corrected[0] = c;
            }
            return decides;
        }
        self.matrix.clear();
        if m <= k {
            // H_ss = Q_s Q_sᵀ itself.
            for a in self.q.chunks_exact(k) {
                self.matrix
                    .extend(self.q.chunks_exact(k).map(|b| dot(a, b)));
            }
            self.eigen.factor(m, &self.matrix);
            if keep {
                let mut x = self.weight.clone();
                self.eigen.apply(&mut x, |l, x| coordinate(l, x, 1.0));
            } else {
                self.eigen
                    .apply(&mut self.corrected, |l, x| coordinate(l, x, 1.0));
            }
        } else {
            // Q_sᵀ Q_s has the same eigenvalues, and a_s = Q_s t stays in the span of Q_s.
            self.matrix.resize(k * k, 0.0);
            for row in self.q.chunks_exact(k) {
                for (j, column) in self.matrix.chunks_exact_mut(k).enumerate() {
                    axpy(row[j], row, column);
                }
            }
            self.eigen.factor(k, &self.matrix);
            let mut t = part.block.basis_weight.clone();
            self.eigen.apply(&mut t, |lambda, x| {
                coordinate(lambda, x, lambda.max(0.0).sqrt())
            });
            if !keep {
                for (c, row) in self.corrected.iter_mut().zip(self.q.chunks_exact(k)) {
                    *c = dot(row, &t);
                }
            }
        }
        decides
    }

    /// `c̃ = D⁻¹ B_s^{+1/2} D ã` with `D` the roots of the weights and
    /// `B_s = I − D⁻¹Q_sQ_sᵀD − DQ_sQ_sᵀD⁻¹ + D⁻¹Q_s(QᵀWQ)Q_sᵀD⁻¹`.
    fn weighted_root(&mut self, part: &Part<'_>) {
        let (m, k) = (self.m, self.k);
        // Rows of D⁻¹Q_s and DQ_s on an orthonormal basis of both, or as they are in a small cluster.
        self.other.clear();
        for inverse in [true, false] {
            for (row, root) in self.q.chunks_exact(k).zip(&self.roots) {
                let factor = if inverse { 1.0 / root } else { *root };
                self.other.extend(row.iter().map(|q| factor * q));
            }
        }
        let small = m <= 2 * k;
        let r = if small { m } else { self.onto_basis() };
        let (light, heavy) = self.other.split_at(r * k);
        let mut image = vec![0.0; k];
        self.matrix.clear();
        for i in 0..r {
            let (light_i, heavy_i) = (&light[i * k..][..k], &heavy[i * k..][..k]);
            for (l, column) in image.iter_mut().zip(part.weighted_gram.chunks_exact(k)) {
                *l = dot(column, light_i);
            }
            for j in 0..r {
                let (light_j, heavy_j) = (&light[j * k..][..k], &heavy[j * k..][..k]);
                let own = f64::from(u8::from(i == j));
                self.matrix.push(
                    own - dot(light_i, heavy_j) - dot(heavy_i, light_j) + dot(&image, light_j),
                );
            }
        }
        self.eigen.factor(r, &self.matrix);
        // D a on the basis: D Q_s t.
        let mut x: Vec<f64> = heavy
            .chunks_exact(k)
            .map(|row| dot(row, &part.block.basis_weight))
            .collect();
        self.eigen.apply(&mut x, |value, x| {
            if value < WEIGHTED_TOLERANCE {
                0.0
            } else {
                x / value.sqrt()
            }
        });
        if small {
            self.corrected.copy_from_slice(&x);
        } else {
            self.corrected.fill(0.0);
            for (x, z) in x.iter().zip(self.basis.chunks_exact(m)) {
                axpy(*x, z, &mut self.corrected);
            }
        }
        for (c, root) in self.corrected.iter_mut().zip(&self.roots) {
            *c /= root;
        }
    }

    /// Replaces `D⁻¹Q_s` and `DQ_s` by their coordinates on an orthonormal basis of both, and says how long it is.
    ///
    /// Gram–Schmidt twice; a column that is nothing but rounding beside the others adds nothing.
    fn onto_basis(&mut self) -> usize {
        let (m, k) = (self.m, self.k);
        self.basis.clear();
        let mut column = vec![0.0; m];
        for half in self.other.chunks_exact(m * k) {
            for j in 0..k {
                for (x, row) in column.iter_mut().zip(half.chunks_exact(k)) {
                    *x = row[j];
                }
                let before = norm(&column);
                for _ in 0..2 {
                    for z in self.basis.chunks_exact(m) {
                        axpy(-dot(z, &column), z, &mut column);
                    }
                }
                let left = norm(&column);
                if left > 1e-14 * before {
                    self.basis.extend(column.iter().map(|x| x / left));
                }
            }
        }
        let r = self.basis.len() / m;
        let mut coordinates = Vec::with_capacity(2 * r * k);
        for half in self.other.chunks_exact(m * k) {
            for z in self.basis.chunks_exact(m) {
                let start = coordinates.len();
                coordinates.resize(start + k, 0.0);
                for (z, row) in z.iter().zip(half.chunks_exact(k)) {
                    axpy(*z, row, &mut coordinates[start..]);
                }
            }
        }
        self.other = coordinates;
        r
    }
}
