//! The studentized effect of `lin` for many arm vectors over the same rows: the inner loop of randomization tests.
//!
//! The value is that of [`Design`] with [`Form::Interacted`] and HC2; only the way is shorter. Covariates are made
//! orthonormal once over all rows (the interacted model does not notice), so that each arm's cross-products are well
//! conditioned whoever is in it, and a Cholesky factorization of each arm suffices. The cross-products of all rows are
//! known, so those of the larger arm are what the smaller arm's leave. One pass over the rows of each arm then gives
//! leverages, weights and residuals, some rows at a time. Where an arm comes near to not identifying its coefficients,
//! a row near to leverage one, or residuals near to rounding, the full path decides.

use super::centring::centre_into;
use super::columns::Arm;
use super::error::EstimationError;
use super::linear_model::{Design, Form, ROUNDING, Workspace};
use super::settings::{Df, Variance};
use crate::numerics::linear_algebra::{Cholesky, Qr, dot, largest, mean, weighted_square};
use crate::numerics::vector::{Wide, widest};
use std::array::from_fn;

/// Smallest part of a cross-product's diagonal that may be left, smallest `1 − h`, and largest loss of digits of
/// residuals: beyond them the full path takes over. What is lost by taking the larger arm from the total is then below
/// 1e-11.
const SAFE: f64 = 1e-4;

/// Rows that are taken at a time.
const WIDE: usize = 4;

/// Most covariates that are independent of each other on the short way.
const MOST: usize = 24;

/// An effect and its HC2 standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Studentized {
    /// Effect.
    pub estimate: f64,
    /// HC2 standard error.
    pub std_error: f64,
}

impl Studentized {
    /// `estimate / std_error`, `None` without variation.
    pub fn statistic(&self) -> Option<f64> {
        (self.std_error > 0.0).then(|| self.estimate / self.std_error)
    }
}

/// The effects in two outcomes on the same arms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Joint {
    /// In the first and the second outcome.
    pub effects: [Studentized; 2],
    /// HC2 covariance of the two effects; zero where one of them does not vary.
    pub covariance: f64,
}

/// Covariates and outcomes of the analysed rows, prepared, with the storage of the computation.
///
/// ```
/// use lottning::estimation::Arm;
/// use lottning::estimation::lin_statistic::LinStatistic;
/// let mut statistic = LinStatistic::new(&[], &[1.0, 3.0, 0.0, 1.0]);
/// let arm = [Arm::Treated, Arm::Treated, Arm::Control, Arm::Control];
/// // 2 − ½ with variance 2/2 + ½/2, by hand.
/// assert!((statistic.evaluate(&arm)?.estimate - 1.5).abs() < 1e-15);
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct LinStatistic {
    n: usize,
    covariates: Vec<f64>,
    outcomes: Vec<Outcome>,
    /// Number of columns of the orthonormal basis of the centred covariates.
    k: usize,
    /// Length of a record.
    length: usize,
    /// A record for every row: its part of the basis, zeros, and the two centred outcomes; at last a record of zeros.
    records: Vec<f64>,
    /// Of all rows, `length` × `length`.
    all: Vec<f64>,
    /// Records of the smaller arm, then of the larger one, each list filled up with the last record.
    rows: Vec<u32>,
    values: Rows,
    cholesky: Cholesky,
    gram: Vec<f64>,
    design: Design,
    workspace: Workspace,
}

#[derive(Debug, Clone, Default)]
struct Outcome {
    given: Vec<f64>,
    largest: f64,
}

/// Sums over some rows.
#[derive(Debug, Clone, Copy)]
struct Moments<const R: usize> {
    rows: f64,
    /// Of every column of the records.
    sums: [f64; R],
    /// Of products of every column with those of the basis up to itself.
    products: [[f64; R]; R],
}

impl<const R: usize> Moments<R> {
    /// Of a list of records and the first `M` outcomes.
    fn take<const M: usize>(records: &[[f64; R]], rows: &[u32]) -> Self {
        widest(Products::<R, M> { records, rows })
    }

    /// Of the rows that are not among these.
    fn complement(&self, all: &[f64], n: usize) -> Self {
        let (all, _) = all.as_chunks::<R>();
        Self {
            rows: n as f64 - self.rows,
            sums: from_fn(|j| all[R][j] - self.sums[j]),
            products: from_fn(|j| from_fn(|l| all[j][l] - self.products[j][l])),
        }
    }
}

/// The work of [`Moments::take`].
struct Products<'r, const R: usize, const M: usize> {
    records: &'r [[f64; R]],
    rows: &'r [u32],
}

impl<const R: usize, const M: usize> Wide for Products<'_, R, M> {
    type Output = Moments<R>;

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn run(self) -> Moments<R> {
        let k = R - 2;
        let mut sums = [[0.0; WIDE]; R];
        let mut products = [[[0.0; WIDE]; R]; R];
        for own in self.rows.as_chunks::<WIDE>().0 {
            let tile = tile(self.records, *own);
            for j in 0..k + M {
                sums[j] = from_fn(|lane| sums[j][lane] + tile[j][lane]);
                for (product, other) in products[j].iter_mut().zip(&tile).take(k.min(j + 1)) {
                    *product = from_fn(|lane| product[lane] + tile[j][lane] * other[lane]);
                }
            }
        }
        Moments {
            rows: self.rows.len() as f64,
            sums: sums.map(total),
            products: products.map(|row| row.map(total)),
        }
    }
}

/// Column by column, the values of some records; a place without a record is a record of zeros.
#[allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]
#[inline(always)]
fn tile<const R: usize>(records: &[[f64; R]], rows: [u32; WIDE]) -> [[f64; WIDE]; R] {
    let rows: [&[f64; R]; WIDE] = rows.map(|row| records.get(row as usize).unwrap_or(&[0.0; R]));
    from_fn(|column| from_fn(|lane| rows[lane][column]))
}

/// The sum over the lanes.
#[allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]
#[inline(always)]
fn total(lanes: [f64; WIDE]) -> f64 {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

/// One arm's regression on its own centred columns, whitened: `t = L⁻¹(b − b̄)`.
#[derive(Debug, Clone, Copy)]
struct Side<const R: usize> {
    /// Rows of `L⁻¹`.
    inverse: [[f64; R]; R],
    /// `L⁻¹b̄`.
    centre: [f64; R],
    /// Coefficients of the outcomes on `t`.
    slopes: [[f64; R]; 2],
    /// Of the outcomes.
    means: [f64; 2],
    /// Fitted outcomes at the mean of all rows.
    values: [f64; 2],
}

impl<const R: usize> Side<R> {
    /// Fits `M` outcomes on `k` columns; `None` where the cross-products do not identify the coefficients safely.
    fn fit<const M: usize>(
        k: usize,
        moments: &Moments<R>,
        gram: &mut Vec<f64>,
        cholesky: &mut Cholesky,
    ) -> Option<Self> {
        let (m, products) = (moments.rows, &moments.products);
        let mean = moments.sums.map(|sum| sum / m);
        gram.clear();
        gram.resize(k * k, 0.0);
        for j in 0..k {
            for l in 0..=j {
                gram[l * k + j] = products[j][l] - m * mean[l] * mean[j];
            }
            if gram[j * k + j] <= SAFE * products[j][j] {
                return None;
            }
        }
        cholesky.factor(k, gram, SAFE).ok()?;
        let mut side = Self {
            inverse: [[0.0; R]; R],
            centre: [0.0; R],
            slopes: [[0.0; R]; 2],
            means: [mean[R - 2], mean[R - 1]],
            values: [mean[R - 2], mean[R - 1]],
        };
        for j in 0..k {
            let scale = 1.0 / cholesky.l(j, j);
            for l in 0..j {
                let earlier = (l..j).map(|own| cholesky.l(j, own) * side.inverse[own][l]);
                side.inverse[j][l] = -scale * earlier.sum::<f64>();
            }
            side.inverse[j][j] = scale;
            let row = side.inverse[j];
            side.centre[j] = (0..=j).map(|l| row[l] * mean[l]).sum();
            for outcome in 0..M {
                let own = &products[R - 2 + outcome];
                let product = |l: usize| own[l] - m * mean[l] * side.means[outcome];
                let slope: f64 = (0..=j).map(|l| row[l] * product(l)).sum();
                side.slopes[outcome][j] = slope;
                side.values[outcome] -= side.centre[j] * slope;
            }
        }
        Some(side)
    }
}

/// What each row of an arm has: a number for every record of its list.
#[derive(Debug, Clone, Default)]
struct Rows {
    /// `1 − h`.
    free: Vec<f64>,
    /// `a`.
    weight: Vec<f64>,
    residuals: [Vec<f64>; 2],
}

impl Rows {
    /// Computes them for a list of records, `m` of which count.
    fn take<const R: usize, const M: usize>(
        &mut self,
        side: &Side<R>,
        m: usize,
        records: &[[f64; R]],
        rows: &[u32],
    ) {
        widest(Each::<R, M> {
            into: self,
            side,
            m,
            records,
            rows,
        });
    }

    /// Adds the sums of `a²e²/(1 − h)` by pairs of outcomes, and of `e²`; `None` when a row is near leverage one.
    fn add_to<const M: usize>(&mut self, sums: &mut Sums) -> Option<()> {
        let [first, second] = &self.residuals;
        // What is no number is not safe either.
        let safe = self.free.iter().filter(|free| **free >= SAFE).count();
        if safe < self.free.len() {
            return None;
        }
        for (weight, free) in self.weight.iter_mut().zip(&self.free) {
            *weight = *weight * *weight / free;
        }
        sums.meat[0] += weighted_square(&self.weight, first);
        sums.squares[0] += dot(first, first);
        if M == 2 {
            sums.meat[1] += weighted_square(&self.weight, second);
            sums.squares[1] += dot(second, second);
            for (weight, e) in self.weight.iter_mut().zip(first) {
                *weight *= e;
            }
            sums.meat[2] += dot(&self.weight, second);
        }
        Some(())
    }
}

/// The work of [`Rows::take`].
struct Each<'r, const R: usize, const M: usize> {
    into: &'r mut Rows,
    side: &'r Side<R>,
    m: usize,
    records: &'r [[f64; R]],
    rows: &'r [u32],
}

impl<const R: usize, const M: usize> Wide for Each<'_, R, M> {
    type Output = ();

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn run(self) {
        let Self {
            into,
            side,
            m,
            records,
            rows,
        } = self;
        let share = 1.0 / m as f64;
        let Rows {
            free,
            weight,
            residuals: [first, second],
        } = into;
        for column in [&mut *free, &mut *weight, &mut *first, &mut *second] {
            column.resize(rows.len(), 0.0);
        }
        let places = free.as_chunks_mut().0.iter_mut();
        let places = places.zip(weight.as_chunks_mut().0);
        let places = places.zip(first.as_chunks_mut().0);
        let places = places.zip(second.as_chunks_mut().0);
        for (own, (((free, weight), first), second)) in
            rows.as_chunks::<WIDE>().0.iter().zip(places)
        {
            let tile = tile(records, *own);
            let (mut f, mut a) = ([1.0 - share; WIDE], [share; WIDE]);
            let mut y = tile[R - 2].map(|y| y - side.means[0]);
            let mut z = tile[R - 1].map(|z| z - side.means[1]);
            for j in 0..R - 2 {
                let mut t = [-side.centre[j]; WIDE];
                for (factor, column) in side.inverse[j].iter().zip(&tile).take(j + 1) {
                    t = from_fn(|lane| t[lane] + factor * column[lane]);
                }
                f = from_fn(|lane| f[lane] - t[lane] * t[lane]);
                a = from_fn(|lane| a[lane] - side.centre[j] * t[lane]);
                y = from_fn(|lane| y[lane] - side.slopes[0][j] * t[lane]);
                if M == 2 {
                    z = from_fn(|lane| z[lane] - side.slopes[1][j] * t[lane]);
                }
            }
            (*free, *weight, *first) = (f, a, y);
            if M == 2 {
                *second = z;
            }
        }
        for column in [free, weight, first, second] {
            column.truncate(m);
        }
    }
}

/// Sums over the rows of both arms: `a²e²/(1 − h)` by pairs of outcomes, and `e²`.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Of the first outcome, of the second, and of both.
    meat: [f64; 3],
    squares: [f64; 2],
}

impl LinStatistic {
    /// Prepares covariates (column-major, one value per row of `outcome`) and outcome.
    pub fn new(covariates: &[f64], outcome: &[f64]) -> Self {
        Self::of(covariates, &[outcome])
    }

    /// As [`LinStatistic::new`] with a second outcome of the same rows, for [`LinStatistic::evaluate_both`].
    pub fn of_two(covariates: &[f64], outcome: &[f64], second: &[f64]) -> Self {
        Self::of(covariates, &[outcome, second])
    }

    fn of(covariates: &[f64], outcomes: &[&[f64]]) -> Self {
        let n = outcomes.iter().map(|y| y.len()).min().unwrap_or(0);
        let mut statistic = Self {
            n,
            covariates: covariates.to_vec(),
            ..Self::default()
        };
        if n == 0 {
            return statistic;
        }
        let mut centred = Vec::with_capacity(covariates.len());
        for column in covariates.chunks_exact(n) {
            centre_into(column, &mut centred);
        }
        let mut qr = Qr::default();
        qr.factor(n, &centred);
        statistic.k = qr.rank();
        let lengths = [2, 4, 6, 8, 10, 14, 18, MOST + 2];
        let length = lengths.into_iter().find(|length| qr.rank() + 2 <= *length);
        let length = length.unwrap_or(0);
        statistic.length = length;
        statistic.records.resize((n + 1) * length, 0.0);
        let mut fill = |place: usize, column: &mut dyn Iterator<Item = f64>| {
            for (record, value) in statistic
                .records
                .chunks_exact_mut(length.max(1))
                .zip(column)
            {
                record[place] = value;
            }
        };
        if length > 0 {
            for (place, column) in qr.q().chunks_exact(n).enumerate() {
                fill(place, &mut column.iter().copied());
            }
            for (outcome, given) in outcomes.iter().enumerate() {
                let centre = mean(given);
                fill(length - 2 + outcome, &mut given.iter().map(|y| y - centre));
            }
        }
        for given in outcomes {
            statistic.outcomes.push(Outcome {
                given: given.to_vec(),
                largest: largest(given),
            });
        }
        statistic
    }

    /// Effect and HC2 standard error in the first outcome when the rows have these arms.
    ///
    /// Errors are those of [`Design::factor`] and [`Design::inference`]: an arm that is empty or determined by the
    /// covariates, rows of leverage one on which the effect depends.
    pub fn evaluate(&mut self, arm: &[Arm]) -> Result<Studentized, EstimationError> {
        match self.short::<1>(arm) {
            Some(found) => Ok(found.effects[0]),
            None => Ok(self.full(arm, 1)?.effects[0]),
        }
    }

    /// Effects in both outcomes, and their covariance.
    ///
    /// Errors as [`LinStatistic::evaluate`].
    pub fn evaluate_both(&mut self, arm: &[Arm]) -> Result<Joint, EstimationError> {
        match self.short::<2>(arm) {
            Some(found) => Ok(found),
            None => self.full(arm, 2),
        }
    }

    /// The short way for the first `M` outcomes, or `None` where it is not safe. For a known length of the records the
    /// loops unroll.
    fn short<const M: usize>(&mut self, arm: &[Arm]) -> Option<Joint> {
        if arm.len() != self.n || self.outcomes.len() < M {
            return None;
        }
        match self.length {
            2 => self.of_length::<2, M>(arm),
            4 => self.of_length::<4, M>(arm),
            6 => self.of_length::<6, M>(arm),
            8 => self.of_length::<8, M>(arm),
            10 => self.of_length::<10, M>(arm),
            14 => self.of_length::<14, M>(arm),
            18 => self.of_length::<18, M>(arm),
            26 => self.of_length::<26, M>(arm),
            _ => None,
        }
    }

    fn of_length<const R: usize, const M: usize>(&mut self, arm: &[Arm]) -> Option<Joint> {
        let (n, k) = (self.n, self.k);
        let treated = arm.iter().filter(|arm| **arm == Arm::Treated).count();
        let (smaller, m) = if 2 * treated <= n {
            (Arm::Treated, treated)
        } else {
            (Arm::Control, n - treated)
        };
        if m <= k + 1 {
            return None;
        }
        let second = m.next_multiple_of(WIDE);
        self.divide(arm, smaller, (m, second));
        let (records, _) = self.records.as_chunks::<R>();
        if self.all.is_empty() {
            let every: Vec<u32> = (0..(n as u32).next_multiple_of(WIDE as u32)).collect();
            let all = Moments::<R>::take::<2>(records, &every);
            self.all = all.products.as_flattened().to_vec();
            self.all.extend(all.sums);
        }
        let (own, others) = self.rows.split_at(second);
        let mut moments = Moments::<R>::take::<M>(records, own);
        moments.rows = m as f64;
        let mut found = Joint::default();
        let mut sums = Sums::default();
        for (is_smaller, size, rows) in [(true, m, own), (false, n - m, others)] {
            if !is_smaller {
                moments = moments.complement(&self.all, n);
            }
            let side = Side::fit::<M>(k, &moments, &mut self.gram, &mut self.cholesky)?;
            let sign = if is_smaller == (smaller == Arm::Treated) {
                1.0
            } else {
                -1.0
            };
            for (effect, value) in found.effects.iter_mut().zip(side.values).take(M) {
                effect.estimate += sign * value;
            }
            self.values.take::<R, M>(&side, size, records, rows);
            self.values.add_to::<M>(&mut sums)?;
        }
        for (outcome, effect) in found.effects.iter_mut().enumerate().take(M) {
            let rounding = ROUNDING / SAFE * self.outcomes[outcome].largest;
            if sums.squares[outcome] <= n as f64 * rounding * rounding {
                return None;
            }
            effect.std_error = sums.meat[outcome].sqrt();
        }
        found.covariance = sums.meat[2];
        Some(found)
    }

    /// Lists the records of the smaller arm, of which there are `m`, and from `second` on those of the other.
    fn divide(&mut self, arm: &[Arm], smaller: Arm, (m, second): (usize, usize)) {
        let n = self.n;
        let zeros = n as u32;
        self.rows.clear();
        self.rows
            .resize(second + (n - m).next_multiple_of(WIDE), zeros);
        let (mut at, mut next) = (0, second);
        for (row, arm) in (0u32..).zip(arm) {
            // Chosen without a branch, which a processor could not foresee.
            let own = usize::from(*arm == smaller);
            let place = next ^ ((at ^ next) & own.wrapping_neg());
            if let Some(place) = self.rows.get_mut(place) {
                *place = row;
            }
            at += own;
            next += 1 - own;
        }
    }

    /// The full path for the first outcomes.
    fn full(&mut self, arm: &[Arm], outcomes: usize) -> Result<Joint, EstimationError> {
        self.design
            .refactor(arm, &self.covariates, Form::Interacted)?;
        let inference = self.design.inference(Variance::Hc2, Df::Normal, 0.95)?;
        let mut found = Joint::default();
        for (effect, outcome) in found.effects.iter_mut().zip(&self.outcomes).take(outcomes) {
            let fit = self
                .design
                .fit(&outcome.given, &inference, &mut self.workspace);
            *effect = Studentized {
                estimate: fit.estimate,
                std_error: fit.std_error,
            };
        }
        if let [first, second] = &self.outcomes[..outcomes] {
            found.covariance =
                self.design
                    .covariance(&first.given, &second.given, &mut self.workspace);
        }
        Ok(found)
    }
}
