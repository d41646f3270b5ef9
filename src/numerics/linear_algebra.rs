//! Small dense linear algebra: QR with rank detection, Cholesky, and the sums that both are made of.
//!
//! Matrices are column-major slices, at most some tens of columns wide. Estimates that people read go through
//! [`Qr`]; [`Cholesky`] serves inner loops whose columns are already nearly orthogonal, with the QR as its oracle in
//! the tests. Sums run over fixed lanes, so that a result depends on nothing but its input; products of one column
//! with several others go together ([`each_dot`], [`combine`]), which loads the column once.

mod passes;

use super::NumericsError;

/// A column is a combination of earlier ones when less than this part of its length is left after projecting them
/// out (the tolerance of R's `lm`).
pub const RANK_TOLERANCE: f64 = 1e-7;

/// `Σ a_i b_i` over the shorter of the two, in eight fixed lanes.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    passes::dot(&a[..n], &b[..n])
}

/// `Σ w_i x_i²` over the shorter of the two, in eight fixed lanes.
pub fn weighted_square(w: &[f64], x: &[f64]) -> f64 {
    let n = w.len().min(x.len());
    passes::weighted_square(&w[..n], &x[..n])
}

/// The sum of eight lanes.
fn total(lanes: [f64; 8]) -> f64 {
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5]))
        + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
}

/// Most columns that go together.
const TOGETHER: usize = 8;

/// Of so many columns, how many go together next: not few at the end, whose sums would wait for each other.
fn next_of(left: usize) -> usize {
    if left > TOGETHER && left < 2 * TOGETHER {
        left.div_ceil(2)
    } else {
        left.min(TOGETHER)
    }
}

/// Calls a function with a number of columns that is known when it is compiled.
macro_rules! together {
    ($columns:expr, $work:ident($($own:expr),*)) => {
        match $columns {
            1 => $work::<1>($($own),*),
            2 => $work::<2>($($own),*),
            3 => $work::<3>($($own),*),
            4 => $work::<4>($($own),*),
            5 => $work::<5>($($own),*),
            6 => $work::<6>($($own),*),
            7 => $work::<7>($($own),*),
            _ => $work::<TOGETHER>($($own),*),
        }
    };
}

/// N columns of a column-major matrix with `n` rows, from the `at`-th on.
fn columns<const N: usize>(x: &[f64], n: usize, at: usize) -> [&[f64]; N] {
    let mut columns = [&[][..]; N];
    for (column, l) in columns.iter_mut().zip(at..) {
        *column = &x[l * n..(l + 1) * n];
    }
    columns
}

/// `Σ p_i c_i` of one column with N others, in four fixed lanes each; a column is as long as `p` or longer.
pub fn dots<const N: usize>(p: &[f64], others: [&[f64]; N]) -> [f64; N] {
    passes::dots(p, others)
}

/// `Σ p_i c_i` with each of `count` columns, in order, to `take` with its number; the same sums however they are grouped.
pub fn each_dot<'a>(
    p: &[f64],
    count: usize,
    column: impl Fn(usize) -> &'a [f64],
    mut take: impl FnMut(usize, f64),
) {
    let mut sums = [0.0; TOGETHER];
    let mut at = 0;
    while at < count {
        let some = next_of(count - at);
        together!(some, dots_from(p, at, &column, &mut sums));
        for (own, sum) in (at..).zip(&sums[..some]) {
            take(own, *sum);
        }
        at += some;
    }
}

/// [`dots`] with the columns from the `at`-th on.
fn dots_from<'a, const N: usize>(
    p: &[f64],
    at: usize,
    column: impl Fn(usize) -> &'a [f64],
    sums: &mut [f64; TOGETHER],
) {
    let mut others = [&[][..]; N];
    for (other, own) in others.iter_mut().zip(at..) {
        *other = column(own);
    }
    sums[..N].copy_from_slice(&passes::dots(p, others));
}

/// As [`each_dot`] of the products `w_i p_i`, which are not stored.
pub(crate) fn each_weighted_dot<'a>(
    w: &[f64],
    p: &[f64],
    count: usize,
    column: impl Fn(usize) -> &'a [f64],
    mut take: impl FnMut(usize, f64),
) {
    let mut sums = [0.0; TOGETHER];
    let mut at = 0;
    while at < count {
        let some = next_of(count - at);
        together!(some, weighted_dots_from(w, p, at, &column, &mut sums));
        for (own, sum) in (at..).zip(&sums[..some]) {
            take(own, *sum);
        }
        at += some;
    }
}

/// The products of [`each_weighted_dot`] with the columns from the `at`-th on.
fn weighted_dots_from<'a, const N: usize>(
    w: &[f64],
    p: &[f64],
    at: usize,
    column: impl Fn(usize) -> &'a [f64],
    sums: &mut [f64; TOGETHER],
) {
    let mut others = [&[][..]; N];
    for (other, own) in others.iter_mut().zip(at..) {
        *other = column(own);
    }
    sums[..N].copy_from_slice(&passes::weighted_dots(w, p, others));
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
    if c.is_empty() {
        return dot(y, y);
    }
    let (mut at, mut square) = (0, 0.0);
    while at < c.len() {
        let some = next_of(c.len() - at);
        square = together!(some, add_from(c, x, at, y));
        at += some;
    }
    square
}

/// `y_i += Σ_l c_l x_il` of the N columns from the `at`-th on, and `Σ y_i²` of what comes of it.
fn add_from<const N: usize>(c: &[f64], x: &[f64], at: usize, y: &mut [f64]) -> f64 {
    let mut own = [0.0; N];
    own.copy_from_slice(&c[at..at + N]);
    passes::add(&own, columns(x, y.len(), at), y)
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
    passes::sum_less(x, 0.0)
}

/// Arithmetic mean in two passes: the second adds the mean of what the first left over.
pub fn mean(x: &[f64]) -> f64 {
    if x.is_empty() {
        return 0.0;
    }
    let n = x.len() as f64;
    let first = sum(x) / n;
    first + passes::sum_less(x, first) / n
}

/// The mean, and the smallest and the largest value, as [`mean`] and [`range`] give them, in two passes for both.
pub fn mean_and_range(x: &[f64]) -> (f64, (f64, f64)) {
    if x.is_empty() {
        return (0.0, range(x));
    }
    let [found] = passes::means_and_ranges([x]);
    found
}

/// [`mean_and_range`] of each column of a column-major matrix with `n` rows, one at least, to `take` in their order.
pub(crate) fn each_mean_and_range(n: usize, x: &[f64], mut take: impl FnMut(f64, (f64, f64))) {
    let groups = x.chunks_exact(3 * n);
    let rest = groups.remainder();
    for group in groups {
        for (mean, range) in passes::means_and_ranges::<3>(columns(group, n, 0)) {
            take(mean, range);
        }
    }
    for column in rest.chunks_exact(n) {
        let (mean, range) = mean_and_range(column);
        take(mean, range);
    }
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
    /// Thin Q, n × rank, and room for more columns.
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
        let room = n * k.min(n);
        if self.q.len() < room {
            self.q.reserve_exact(room - self.q.len());
            self.q.resize(room, 0.0);
        }
    }

    /// Takes the next column, of the length that [`Qr::begin`] was told.
    pub fn push(&mut self, column: &[f64]) {
        self.push_from(column.iter().copied());
    }

    /// As [`Qr::push`], of a column that is made on the way.
    pub fn push_from(&mut self, column: impl Iterator<Item = f64>) {
        for (own, value) in self.next().iter_mut().zip(column) {
            *own = value;
        }
        self.take();
    }

    /// As [`Qr::push`], of `(x_i − shift) c`.
    pub(crate) fn push_shifted(&mut self, x: &[f64], shift: f64, c: f64) {
        passes::shifted(x, shift, c, self.next());
        self.take();
    }

    /// Where the next column goes.
    fn next(&mut self) -> &mut [f64] {
        let (start, end) = (self.rank * self.n, (self.rank + 1) * self.n);
        if self.q.len() < end {
            self.q.resize(end, 0.0);
        }
        &mut self.q[start..end]
    }

    /// Takes the column that has been put there.
    fn take(&mut self) {
        let (n, j) = (self.n, self.rank);
        let index = self.kept.len() + self.dropped.len();
        let corner = self.r.len();
        let (earlier, x) = self.q[..(j + 1) * n].split_at_mut(j * n);
        // The products with earlier columns, and the square of its own length.
        let mut square = products(j, earlier, x, &mut self.taken);
        let length = root(square, x);
        if j >= n || length.is_nan() || length <= 0.0 {
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
            self.r.truncate(corner);
            self.dropped.push(index);
            return;
        }
        let inverse = 1.0 / left;
        if inverse.is_finite() {
            passes::scale(inverse, x);
        } else {
            for x in x {
                *x /= left;
            }
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
        &self.q[..self.rank * self.n]
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
            project(self.rank, self.q(), y, taken);
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
        let mut at = 0;
        while at < self.rank {
            let some = next_of(self.rank - at);
            together!(some, add_squares_from(&self.q, at, h));
            at += some;
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

/// `h_i += Σ_l q_il²` of the N columns from the `at`-th on.
fn add_squares_from<const N: usize>(q: &[f64], at: usize, h: &mut [f64]) {
    passes::add_squares(columns::<N>(q, h.len(), at), h);
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
