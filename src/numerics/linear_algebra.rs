//! Small dense linear algebra: QR with rank detection, Cholesky, and the sums that both are made of.
//!
//! Matrices are column-major slices, at most some tens of columns wide. Estimates that people read go through
//! [`Qr`]; [`Cholesky`] serves inner loops whose columns are already nearly orthogonal, with the QR as its oracle in
//! the tests. Sums run over fixed lanes, so that a result depends on nothing but its input; products of one column
//! with several others go four at a time ([`each_dot`], [`combine`]), which loads the column once.

use super::NumericsError;

/// A column is a combination of earlier ones when less than this part of its length is left after projecting them
/// out (the tolerance of R's `lm`).
pub const RANK_TOLERANCE: f64 = 1e-7;

/// `Σ a_i b_i` over the shorter of the two, in eight fixed lanes.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut lanes = [0.0f64; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for k in 0..8 {
            lanes[k] += x[k] * y[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    total(lanes) + rest
}

/// `Σ w_i x_i²` over the shorter of the two, in eight fixed lanes.
pub fn weighted_square(w: &[f64], x: &[f64]) -> f64 {
    let n = w.len().min(x.len());
    let (w, x) = (&w[..n], &x[..n]);
    let mut lanes = [0.0f64; 8];
    let (w_blocks, w_rest) = w.as_chunks::<8>();
    let (x_blocks, x_rest) = x.as_chunks::<8>();
    for (w, x) in w_blocks.iter().zip(x_blocks) {
        for k in 0..8 {
            lanes[k] += w[k] * x[k] * x[k];
        }
    }
    let rest: f64 = w_rest.iter().zip(x_rest).map(|(w, x)| w * x * x).sum();
    total(lanes) + rest
}

/// The sum of eight lanes.
fn total(lanes: [f64; 8]) -> f64 {
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5]))
        + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
}

/// Lanes of a product of one column with several others.
const LANES: usize = 4;

/// `Σ p_i c_i` of one column with N others, in four fixed lanes each; a column is as long as `p` or longer.
pub fn dots<const N: usize>(p: &[f64], others: [&[f64]; N]) -> [f64; N] {
    let (blocks, rest) = p.as_chunks::<LANES>();
    let split = others.map(|other| other[..p.len()].as_chunks::<LANES>());
    let lanes = lanes(blocks, split.map(|(blocks, _)| blocks));
    let mut sums = [0.0; N];
    for ((sum, lanes), (_, other)) in sums.iter_mut().zip(&lanes).zip(&split) {
        let last: f64 = rest.iter().zip(*other).map(|(p, c)| p * c).sum();
        *sum = ((lanes[0] + lanes[2]) + (lanes[1] + lanes[3])) + last;
    }
    sums
}

/// The lanes of [`dots`]. In a function of its own, or the compiler pairs lanes of different columns, which it then has to
/// shuffle in every step.
#[inline(never)]
fn lanes<const N: usize>(p: &[[f64; LANES]], others: [&[[f64; LANES]]; N]) -> [[f64; LANES]; N] {
    let mut lanes = [[0.0f64; LANES]; N];
    let others = others.map(|other| &other[..p.len()]);
    for (i, p) in p.iter().enumerate() {
        for (lanes, other) in lanes.iter_mut().zip(&others) {
            for ((lane, p), c) in lanes.iter_mut().zip(p).zip(&other[i]) {
                *lane += p * c;
            }
        }
    }
    lanes
}

/// `Σ p_i c_i` with each of `count` columns, in order, to `take` with its number; the same sums however they are grouped.
pub fn each_dot<'a>(
    p: &[f64],
    count: usize,
    column: impl Fn(usize) -> &'a [f64],
    mut take: impl FnMut(usize, f64),
) {
    let mut at = 0;
    while at + 4 <= count {
        let four = [column(at), column(at + 1), column(at + 2), column(at + 3)];
        for (own, sum) in (at..).zip(dots(p, four)) {
            take(own, sum);
        }
        at += 4;
    }
    match count - at {
        3 => {
            let three = [column(at), column(at + 1), column(at + 2)];
            for (own, sum) in (at..).zip(dots(p, three)) {
                take(own, sum);
            }
        }
        2 => {
            for (own, sum) in (at..).zip(dots(p, [column(at), column(at + 1)])) {
                take(own, sum);
            }
        }
        1 => {
            let [sum] = dots(p, [column(at)]);
            take(at, sum);
        }
        _ => {}
    }
}

/// `y_i += c x_i`.
pub fn axpy(c: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += c * x;
    }
}

/// `y_i += Σ_l c_l x_il` over column-major `x` with as many rows as `y`, in the order of the columns. Gives `Σ y_i²` of
/// what comes of it.
pub fn combine(c: &[f64], x: &[f64], y: &mut [f64]) -> f64 {
    let n = y.len();
    let column = |l: usize| &x[l * n..(l + 1) * n];
    let (fours, rest) = c.as_chunks::<4>();
    let mut square = None;
    for (four, c) in fours.iter().enumerate() {
        let at = 4 * four;
        let columns = [column(at), column(at + 1), column(at + 2), column(at + 3)];
        square = Some(add(c, columns, y));
    }
    let at = 4 * fours.len();
    match *rest {
        [c0, c1, c2] => add(
            &[c0, c1, c2],
            [column(at), column(at + 1), column(at + 2)],
            y,
        ),
        [c0, c1] => add(&[c0, c1], [column(at), column(at + 1)], y),
        [c0] => add(&[c0], [column(at)], y),
        _ => square.unwrap_or_else(|| dot(y, y)),
    }
}

/// `y += Σ c_l x_l` of N columns, and `Σ y_i²` of what comes of it.
#[inline(never)]
fn add<const N: usize>(c: &[f64; N], x: [&[f64]; N], y: &mut [f64]) -> f64 {
    let x = x.map(|x| x[..y.len()].as_chunks::<LANES>());
    let blocks = x.map(|(blocks, _)| blocks);
    let (own, last) = y.as_chunks_mut::<LANES>();
    let blocks = blocks.map(|blocks| &blocks[..own.len()]);
    let mut squares = [0.0; LANES];
    for (i, y) in own.iter_mut().enumerate() {
        for lane in 0..LANES {
            let mut value = y[lane];
            for (c, x) in c.iter().zip(&blocks) {
                value += c * x[i][lane];
            }
            y[lane] = value;
            squares[lane] += value * value;
        }
    }
    let mut square = (squares[0] + squares[2]) + (squares[1] + squares[3]);
    for (i, y) in last.iter_mut().enumerate() {
        for (c, (_, x)) in c.iter().zip(&x) {
            *y += c * x[i];
        }
        square += *y * *y;
    }
    square
}

/// The largest of `value(x)`, at least `least`; what is no number is passed over.
pub fn most(values: &[f64], least: f64, value: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [least; 4];
    let (blocks, rest) = values.as_chunks::<4>();
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            let own = value(*x);
            *lane = if own > *lane { own } else { *lane };
        }
    }
    let mut most = least;
    for own in lanes.into_iter().chain(rest.iter().map(|x| value(*x))) {
        most = if own > most { own } else { most };
    }
    most
}

/// The smallest and the largest value; infinite without any. What is no number is passed over.
pub fn range(values: &[f64]) -> (f64, f64) {
    let mut lanes = [(f64::INFINITY, f64::NEG_INFINITY); 4];
    let (blocks, rest) = values.as_chunks::<4>();
    let take = |(low, high): &mut (f64, f64), x: f64| {
        *low = if x < *low { x } else { *low };
        *high = if x > *high { x } else { *high };
    };
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            take(lane, *x);
        }
    }
    let [mut all, others @ ..] = lanes;
    for x in rest {
        take(&mut all, *x);
    }
    // A lane that took nothing holds an empty range, which must not be taken for values.
    for (low, high) in others {
        all = (all.0.min(low), all.1.max(high));
    }
    all
}

/// The largest magnitude; 0 without any.
pub fn largest(values: &[f64]) -> f64 {
    most(values, 0.0, f64::abs)
}

/// Euclidean length, scaled so that neither large nor small entries overflow.
pub fn norm(x: &[f64]) -> f64 {
    root(dot(x, x), x)
}

/// The length of `x`, whose square has been added up.
fn root(square: f64, x: &[f64]) -> f64 {
    if square.is_finite() && square > 1e-280 {
        return square.sqrt();
    }
    let largest = largest(x);
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let sum: f64 = x.iter().map(|v| (v / largest) * (v / largest)).sum();
    largest * sum.sqrt()
}

/// `Σ x_i` in eight fixed lanes.
pub fn sum(x: &[f64]) -> f64 {
    sum_of(x, |v| v)
}

fn sum_of(values: &[f64], value: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (blocks, rest) = values.as_chunks::<8>();
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane += value(*x);
        }
    }
    let rest: f64 = rest.iter().map(|x| value(*x)).sum();
    total(lanes) + rest
}

/// Arithmetic mean in two passes: the second adds the mean of what the first left over.
pub fn mean(x: &[f64]) -> f64 {
    if x.is_empty() {
        return 0.0;
    }
    let n = x.len() as f64;
    let first = sum(x) / n;
    first + sum_of(x, |v| v - first) / n
}

/// The mean, and the smallest and the largest value, as [`mean`] and [`range`] give them, in two passes for both.
pub fn mean_and_range(x: &[f64]) -> (f64, (f64, f64)) {
    if x.is_empty() {
        return (0.0, range(x));
    }
    let n = x.len() as f64;
    let first = sum(x) / n;
    let (blocks, rest) = x.as_chunks::<LANES>();
    let (mut sums, mut lows, mut highs) = (
        [0.0; LANES],
        [f64::INFINITY; LANES],
        [f64::NEG_INFINITY; LANES],
    );
    for block in blocks {
        for (((own, sum), low), high) in block.iter().zip(&mut sums).zip(&mut lows).zip(&mut highs)
        {
            *sum += own - first;
            *low = if own < low { *own } else { *low };
            *high = if own > high { *own } else { *high };
        }
    }
    let rest_sum: f64 = rest.iter().map(|own| own - first).sum();
    let sum = (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest_sum;
    let (mut low, mut high) = range(rest);
    for lane in 0..LANES {
        (low, high) = (low.min(lows[lane]), high.max(highs[lane]));
    }
    (first + sum / n, (low, high))
}

/// `Σ w_i x_i / Σ w_i` in two passes, as [`mean`]; weights are above zero.
pub fn weighted_mean(w: &[f64], x: &[f64]) -> f64 {
    let total = sum(w);
    let first = dot(w, x) / total;
    let mut lanes = [0.0f64; 8];
    let (w_blocks, w_rest) = w.as_chunks::<8>();
    let (x_blocks, x_rest) = x.as_chunks::<8>();
    for (w, x) in w_blocks.iter().zip(x_blocks) {
        for ((lane, w), x) in lanes.iter_mut().zip(w).zip(x) {
            *lane += w * (x - first);
        }
    }
    let rest = w_rest.iter().zip(x_rest);
    let rest: f64 = rest.map(|(w, x)| w * (x - first)).sum();
    first + (self::total(lanes) + rest) / total
}

/// A projection is taken away once more when it leaves less than this of a column (Daniel et al. 1976).
const AGAIN_BELOW: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// A QR factorization `X = QR` of the columns that are linearly independent, in the order in which they were given.
///
/// Gram–Schmidt orthogonalization, each column projected on the earlier ones once more where the first projection took
/// much of it away (Daniel, Gragg, Kaufman & Stewart 1976, doi 10.1090/S0025-5718-1976-0431641-8). Twice is enough for Q
/// to be orthogonal to working precision when the columns are independent (Giraud, Langou, Rozložník & van den Eshof
/// 2005, doi 10.1007/s00211-005-0615-4), which the test of rank sees to.
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
    /// Upper triangle with a diagonal above zero, column `j` at `j·(j+1)/2`.
    r: Vec<f64>,
    /// Thin Q, n × rank.
    q: Vec<f64>,
    /// What is taken away of the column at hand, by earlier column.
    taken: Vec<f64>,
}

impl Qr {
    /// Factors the columns of an n-row column-major matrix; a trailing partial column is ignored.
    pub fn factor(&mut self, n: usize, columns: &[f64]) {
        self.begin(n, columns.len() / n.max(1));
        for column in columns.chunks_exact(n.max(1)) {
            self.push(column);
        }
    }

    /// Begins a factorization of about `k` columns with n rows, which [`Qr::push`] then takes one by one: for callers
    /// that make their columns as they go and need not hold the matrix.
    pub fn begin(&mut self, n: usize, k: usize) {
        self.n = n;
        self.rank = 0;
        self.kept.clear();
        self.dropped.clear();
        self.r.clear();
        self.q.clear();
        self.q.reserve_exact(n * k.min(n));
    }

    /// Takes the next column, of the length that [`Qr::begin`] was told.
    pub fn push(&mut self, column: &[f64]) {
        self.push_from(column.iter().copied());
    }

    /// As [`Qr::push`], of a column that is made on the way.
    pub fn push_from(&mut self, column: impl Iterator<Item = f64>) {
        let (n, j) = (self.n, self.rank);
        let index = self.kept.len() + self.dropped.len();
        let (start, corner) = (self.q.len(), self.r.len());
        self.q.extend(column);
        let (earlier, x) = self.q.split_at_mut(start);
        // The products with earlier columns, and the square of its own length.
        let mut square = products(j, earlier, x, &mut self.taken);
        let length = root(square, x);
        if j >= n || length.is_nan() || length <= 0.0 {
            self.q.truncate(start);
            self.dropped.push(index);
            return;
        }
        self.r.resize(corner + j, 0.0);
        let mut left = length;
        for pass in 0..2 {
            if j == 0 {
                break;
            }
            let before = left;
            if pass > 0 {
                products(j, earlier, x, &mut self.taken);
            }
            square = combine(&self.taken, earlier, x);
            for (r, taken) in self.r[corner..].iter_mut().zip(&self.taken) {
                *r -= taken;
            }
            left = root(square, x);
            if left >= AGAIN_BELOW * before {
                break;
            }
        }
        if left.is_nan() || left <= RANK_TOLERANCE * length {
            self.q.truncate(start);
            self.r.truncate(corner);
            self.dropped.push(index);
            return;
        }
        let inverse = 1.0 / left;
        for x in x {
            *x = if inverse.is_finite() {
                *x * inverse
            } else {
                *x / left
            };
        }
        self.r.push(left);
        self.kept.push(index);
        self.rank += 1;
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
        let mut all = Vec::new();
        self.coefficients_into(&mut y.to_vec(), &mut Vec::new(), &mut all);
        all
    }

    /// As [`Qr::coefficients`], into `all`; leaves the residuals in `y`, and `taken` is storage.
    pub fn coefficients_into(&self, y: &mut [f64], taken: &mut Vec<f64>, all: &mut Vec<f64>) {
        all.clear();
        all.resize(self.rank, 0.0);
        // What the first projection left over is projected too: as accurate as a column of the factorization.
        for _ in 0..2 {
            project(self.rank, &self.q, y, taken);
            for (all, taken) in all.iter_mut().zip(&*taken) {
                *all -= taken;
            }
        }
        self.solve_r(all);
    }

    /// Diagonal of the hat matrix, `h_i = ‖q_i‖²`.
    pub fn leverages(&self, h: &mut Vec<f64>) {
        h.clear();
        h.resize(self.n, 0.0);
        if self.n == 0 {
            return;
        }
        let (fours, rest) = self.q.split_at(self.rank / 4 * 4 * self.n);
        for four in fours.chunks_exact(4 * self.n) {
            let (first, second) = four.split_at(2 * self.n);
            let ((q0, q1), (q2, q3)) = (first.split_at(self.n), second.split_at(self.n));
            for ((((h, q0), q1), q2), q3) in h.iter_mut().zip(q0).zip(q1).zip(q2).zip(q3) {
                *h = (((*h + q0 * q0) + q1 * q1) + q2 * q2) + q3 * q3;
            }
        }
        for column in rest.chunks_exact(self.n) {
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

/// `x −= QQᵀx`, and `−Qᵀx`, for Q of k columns.
fn project(k: usize, q: &[f64], x: &mut [f64], taken: &mut Vec<f64>) {
    products(k, q, x, taken);
    combine(taken, q, x);
}

/// `−Qᵀx`, for Q of k columns, and `xᵀx`.
fn products(k: usize, q: &[f64], x: &[f64], taken: &mut Vec<f64>) -> f64 {
    let n = x.len();
    taken.clear();
    let column = |l: usize| if l < k { &q[l * n..(l + 1) * n] } else { x };
    let mut square = 0.0;
    each_dot(x, k + 1, column, |l, sum| {
        if l < k {
            taken.push(-sum);
        } else {
            square = sum;
        }
    });
    square
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
