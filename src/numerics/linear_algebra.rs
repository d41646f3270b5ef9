//! Small dense linear algebra: Householder QR with rank detection, Cholesky, and the sums that both are made of.
//!
//! Matrices are column-major slices, at most some tens of columns wide. Estimates that people read go through
//! [`Qr`]; [`Cholesky`] serves inner loops whose columns are already nearly orthogonal, with the QR as its oracle in
//! the tests. Sums run over eight fixed lanes, so that a result depends on nothing but its input.

use super::NumericsError;

/// A column is a combination of earlier ones when less than this part of its length is left after projecting them
/// out (the tolerance of R's `lm`).
pub const RANK_TOLERANCE: f64 = 1e-7;

/// `Σ a_i b_i` over the shorter of the two, in eight fixed lanes.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for k in 0..8 {
            lanes[k] += x[k] * y[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5]))
        + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
        + rest
}

/// `y_i += c x_i`.
pub fn axpy(c: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += c * x;
    }
}

/// Euclidean length, scaled so that neither large nor small entries overflow.
pub fn norm(x: &[f64]) -> f64 {
    let square = dot(x, x);
    if square.is_finite() && square > 1e-280 {
        return square.sqrt();
    }
    let largest = x.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let sum: f64 = x.iter().map(|v| (v / largest) * (v / largest)).sum();
    largest * sum.sqrt()
}

/// Arithmetic mean in two passes: the second adds the mean of what the first left over.
pub fn mean(x: &[f64]) -> f64 {
    if x.is_empty() {
        return 0.0;
    }
    let n = x.len() as f64;
    let first = x.iter().sum::<f64>() / n;
    first + x.iter().map(|v| v - first).sum::<f64>() / n
}

/// A QR factorization `X = QR` of the columns that are linearly independent, in the order in which they were given.
///
/// Pivoting is limited, as in R's `lm`: a column that is a combination of *earlier* ones (less than
/// [`RANK_TOLERANCE`] of its own length is left) is set aside and named in [`Qr::dropped`]. A caller protects a
/// column by putting it early, or asks whether it is identified at all by putting it last. The test is relative to
/// each column's own length, so rescaling a column changes nothing. The buffers are kept for the next
/// factorization.
///
/// ```
/// use lottning::numerics::linear_algebra::Qr;
/// let mut qr = Qr::default();
/// // The third column is the sum of the other two.
/// qr.factor(3, &[1.0, 1.0, 1.0, 0.0, 1.0, 2.0, 1.0, 2.0, 3.0]);
/// assert_eq!((qr.rank(), qr.dropped()), (2, &[2][..]));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Qr {
    n: usize,
    rank: usize,
    kept: Vec<usize>,
    dropped: Vec<usize>,
    /// Householder vectors, n × rank, each of unit first element implied by `scale`.
    vectors: Vec<f64>,
    scale: Vec<f64>,
    /// Upper triangle, column `j` at `j·(j+1)/2`.
    r: Vec<f64>,
    /// Thin Q, n × rank.
    q: Vec<f64>,
}

impl Qr {
    /// Factors the columns of an n-row column-major matrix; a trailing partial column is ignored.
    pub fn factor(&mut self, n: usize, columns: &[f64]) {
        self.begin(n);
        for column in columns.chunks_exact(n.max(1)) {
            self.push(column);
        }
        self.finish();
    }

    /// Begins a factorization of columns with n rows, which [`Qr::push`] then takes one by one: for callers that make
    /// their columns as they go and need not hold the matrix.
    pub fn begin(&mut self, n: usize) {
        self.n = n;
        self.rank = 0;
        self.kept.clear();
        self.dropped.clear();
        self.vectors.clear();
        self.scale.clear();
        self.r.clear();
        self.q.clear();
    }

    /// Forms the thin Q after the last column.
    pub fn finish(&mut self) {
        if self.n > 0 {
            self.form_q();
        }
    }

    /// Takes the next column, of the length that [`Qr::begin`] was told.
    pub fn push(&mut self, column: &[f64]) {
        let (n, j) = (self.n, self.rank);
        let index = self.kept.len() + self.dropped.len();
        if j >= n {
            self.dropped.push(index);
            return;
        }
        let start = self.vectors.len();
        self.vectors.extend_from_slice(column);
        let (earlier, x) = self.vectors.split_at_mut(start);
        for (l, (v, tau)) in earlier.chunks_exact(n).zip(&self.scale).enumerate() {
            let (v, x) = (&v[l..], &mut x[l..]);
            axpy(-tau * dot(v, x), v, x);
        }
        let left = norm(&x[j..]);
        if left.is_nan() || left <= RANK_TOLERANCE * norm(column) {
            self.vectors.truncate(start);
            self.dropped.push(index);
            return;
        }
        self.r.extend_from_slice(&x[..j]);
        let alpha = -left.copysign(x[j]);
        self.r.push(alpha);
        // v = x − α e_j, H = I − τ v vᵀ with τ = 2/vᵀv = 1/(left·(left + |x_j|)).
        self.scale.push(1.0 / (left * (left + x[j].abs())));
        x[j] -= alpha;
        x[..j].fill(0.0);
        self.kept.push(index);
        self.rank += 1;
    }

    /// Thin Q by applying the reflections, last first, to the first `rank` unit vectors.
    fn form_q(&mut self) {
        let (n, k) = (self.n, self.rank);
        self.q.clear();
        self.q.resize(n * k, 0.0);
        for (c, column) in self.q.chunks_exact_mut(n).enumerate() {
            column[c] = 1.0;
        }
        for l in (0..k).rev() {
            let v = &self.vectors[l * n + l..(l + 1) * n];
            let tau = self.scale[l];
            for column in self.q.chunks_exact_mut(n).skip(l) {
                let x = &mut column[l..];
                axpy(-tau * dot(v, x), v, x);
            }
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.n
    }

    /// Number of independent columns.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Indices of the independent columns, in order; position in this list is the position in R and in coefficients.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// Indices of the columns that are combinations of earlier ones.
    pub fn dropped(&self) -> &[usize] {
        &self.dropped
    }

    /// Thin Q, rows × rank, column-major.
    pub fn q(&self) -> &[f64] {
        &self.q
    }

    /// `R[row, column]` for row ≤ column < rank.
    pub fn r(&self, row: usize, column: usize) -> f64 {
        self.r[column * (column + 1) / 2 + row]
    }

    /// Solves `R b = c` in place; `c` has length rank.
    pub fn solve_r(&self, c: &mut [f64]) {
        for j in (0..self.rank).rev() {
            c[j] /= self.r(j, j);
            let b = c[j];
            for (row, c) in c.iter_mut().enumerate().take(j) {
                *c -= b * self.r(row, j);
            }
        }
    }

    /// Solves `Rᵀ b = c` in place; `c` has length rank.
    pub fn solve_r_transposed(&self, c: &mut [f64]) {
        for j in 0..self.rank {
            let sum: f64 = (0..j).map(|row| self.r(row, j) * c[row]).sum();
            c[j] = (c[j] - sum) / self.r(j, j);
        }
    }

    /// Least-squares coefficients of the independent columns, `R⁻¹Qᵀy`, in the order of [`Qr::kept`].
    pub fn coefficients(&self, y: &[f64]) -> Vec<f64> {
        let mut y = y.to_vec();
        // Qᵀy by the reflections themselves: a little more accurate than by the explicit Q.
        for l in 0..self.rank {
            let v = &self.vectors[l * self.n + l..(l + 1) * self.n];
            let x = &mut y[l..];
            axpy(-self.scale[l] * dot(v, x), v, x);
        }
        y.truncate(self.rank);
        self.solve_r(&mut y);
        y
    }

    /// Diagonal of the hat matrix, `h_i = ‖q_i‖²`.
    pub fn leverages(&self, h: &mut Vec<f64>) {
        h.clear();
        h.resize(self.n, 0.0);
        if self.n == 0 {
            return;
        }
        for column in self.q.chunks_exact(self.n) {
            for (h, q) in h.iter_mut().zip(column) {
                *h += q * q;
            }
        }
    }

    /// `(XᵀX)⁻¹ = R⁻¹R⁻ᵀ` of the independent columns, rank × rank, column-major.
    pub fn inverse_gram(&self) -> Vec<f64> {
        let k = self.rank;
        let mut inverse = vec![0.0; k * k];
        for (j, column) in inverse.chunks_exact_mut(k.max(1)).enumerate() {
            column[j] = 1.0;
            self.solve_r_transposed(column);
            self.solve_r(column);
        }
        inverse
    }
}

/// A Cholesky factorization `A = LLᵀ` of a small positive definite matrix, in reused storage.
#[derive(Debug, Clone, Default)]
pub struct Cholesky {
    k: usize,
    /// Lower triangle, row `i` at `i·(i+1)/2`.
    l: Vec<f64>,
}

impl Cholesky {
    /// Factors the lower triangle of a k × k column-major matrix.
    ///
    /// A pivot below `tolerance` times its own diagonal element means that the matrix is not safely definite.
    pub fn factor(&mut self, k: usize, a: &[f64], tolerance: f64) -> Result<(), NumericsError> {
        self.k = k;
        self.l.clear();
        for i in 0..k {
            let start = self.l.len();
            for j in 0..=i {
                let row_j = if j == i { start } else { j * (j + 1) / 2 };
                let sum: f64 = (0..j).map(|m| self.l[start + m] * self.l[row_j + m]).sum();
                let value = a[j * k + i] - sum;
                if i == j {
                    if value.is_nan() || value <= tolerance * a[i * k + i] {
                        return Err(NumericsError::NotPositiveDefinite { column: i });
                    }
                    self.l.push(value.sqrt());
                } else {
                    self.l.push(value / self.l[row_j + j]);
                }
            }
        }
        Ok(())
    }

    /// `L[row, column]` for column ≤ row.
    pub fn l(&self, row: usize, column: usize) -> f64 {
        self.l[row * (row + 1) / 2 + column]
    }

    /// Solves `L b = c` in place.
    pub fn solve_l(&self, c: &mut [f64]) {
        for i in 0..self.k {
            let sum: f64 = (0..i).map(|j| self.l(i, j) * c[j]).sum();
            c[i] = (c[i] - sum) / self.l(i, i);
        }
    }

    /// Solves `LLᵀ b = c` in place.
    pub fn solve(&self, c: &mut [f64]) {
        self.solve_l(c);
        for i in (0..self.k).rev() {
            let sum: f64 = (i + 1..self.k).map(|j| self.l(j, i) * c[j]).sum();
            c[i] = (c[i] - sum) / self.l(i, i);
        }
    }
}
