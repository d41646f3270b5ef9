//! The studentized effect of `lin` for many arm vectors over the same rows: the inner loop of randomization tests.
//!
//! The value is that of [`Design`] with [`Form::Interacted`] and HC2; only the way is shorter. Covariates are made
//! orthonormal once over all rows (the interacted model does not notice), so that each arm's cross-products are well
//! conditioned whoever is in it, and a Cholesky factorization of each arm suffices. Where an arm comes near to not
//! identifying its coefficients, the full path decides.

use super::centring::centre_into;
use super::columns::Arm;
use super::error::EstimationError;
use super::linear_model::{Design, Form, LEVERAGE_TOLERANCE, ROUNDING, Workspace};
use super::settings::{Df, Variance};
use crate::numerics::linear_algebra::{Cholesky, Qr, axpy, dot, mean};

/// Smallest part of a cross-product's diagonal that may be left: below it the full path takes over.
const SAFE: f64 = 1e-8;

/// An effect and its HC2 standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// Covariates and outcome of the analysed rows, prepared, with the storage of the computation.
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
    /// Orthonormal basis of the centred covariates, n × k.
    basis: Vec<f64>,
    outcome: Vec<f64>,
    centred: Vec<f64>,
    largest: f64,
    rows: Vec<u32>,
    columns: Vec<f64>,
    y: Vec<f64>,
    leverage: Vec<f64>,
    weight: Vec<f64>,
    means: Vec<f64>,
    gram: Vec<f64>,
    cholesky: Cholesky,
    design: Design,
    workspace: Workspace,
}

impl LinStatistic {
    /// Prepares covariates (column-major, one value per row of `outcome`) and outcome.
    pub fn new(covariates: &[f64], outcome: &[f64]) -> Self {
        let n = outcome.len();
        let mut statistic = Self {
            n,
            covariates: covariates.to_vec(),
            ..Self::default()
        };
        if n > 0 {
            let mut centred = Vec::with_capacity(covariates.len());
            for column in covariates.chunks_exact(n) {
                centre_into(column, &mut centred);
            }
            let mut qr = Qr::default();
            qr.factor(n, &centred);
            statistic.basis = qr.q().to_vec();
        }
        statistic.set_outcome(outcome);
        statistic
    }

    /// Replaces the outcome, same rows.
    pub fn set_outcome(&mut self, outcome: &[f64]) {
        self.outcome.clear();
        self.outcome.extend_from_slice(outcome);
        let centre = mean(outcome);
        self.centred.clear();
        self.centred.extend(outcome.iter().map(|y| y - centre));
        self.largest = outcome.iter().fold(0.0, |m: f64, y| m.max(y.abs()));
    }

    /// Effect and HC2 standard error when the rows have these arms.
    ///
    /// Errors are those of [`Design::factor`] and [`Design::inference`]: an arm that is empty or determined by the
    /// covariates, rows of leverage one on which the effect depends.
    pub fn evaluate(&mut self, arm: &[Arm]) -> Result<Studentized, EstimationError> {
        let (mut estimate, mut square, mut residual_square, mut coefficients) = (0.0, 0.0, 0.0, 0);
        for (which, sign) in [(Arm::Treated, 1.0), (Arm::Control, -1.0)] {
            let Some(part) = self.part(arm, which) else {
                return self.full(arm);
            };
            estimate += sign * part.value;
            square += part.square;
            residual_square += part.residual_square;
            coefficients += part.coefficients;
        }
        if self.n <= coefficients {
            return self.full(arm);
        }
        let rounding = ROUNDING * self.largest;
        let exact = residual_square <= self.n as f64 * rounding * rounding;
        Ok(Studentized {
            estimate,
            std_error: if exact { 0.0 } else { square.sqrt() },
        })
    }

    /// The regression of one arm at the mean of all rows, or `None` where the short way is not safe.
    fn part(&mut self, arm: &[Arm], which: Arm) -> Option<Part> {
        let n = self.n;
        self.rows.clear();
        let of_arm = arm.iter().enumerate().filter(|(_, a)| **a == which);
        self.rows.extend(of_arm.map(|(row, _)| row as u32));
        let m = self.rows.len();
        let k = self.basis.len() / n.max(1);
        if m <= k + 1 {
            return None;
        }
        let size = m as f64;
        self.y.clear();
        self.y
            .extend(self.rows.iter().map(|row| self.centred[*row as usize]));
        let y_mean = self.y.iter().sum::<f64>() / size;
        for y in &mut self.y {
            *y -= y_mean;
        }
        self.columns.clear();
        self.means.clear();
        for column in self.basis.chunks_exact(n) {
            let start = self.columns.len();
            self.columns
                .extend(self.rows.iter().map(|row| column[*row as usize]));
            let column = &mut self.columns[start..];
            let column_mean = column.iter().sum::<f64>() / size;
            for x in column {
                *x -= column_mean;
            }
            self.means.push(column_mean);
        }
        self.gram.clear();
        self.gram.resize(k * k, 0.0);
        for j in 0..k {
            let column = &self.columns[j * m..(j + 1) * m];
            for i in j..k {
                self.gram[j * k + i] = dot(column, &self.columns[i * m..(i + 1) * m]);
            }
            let own = self.gram[j * k + j];
            if own <= SAFE * (own + size * self.means[j] * self.means[j]) {
                return None;
            }
        }
        self.cholesky.factor(k, &self.gram, SAFE).ok()?;
        self.orthonormalize(m);
        // The fitted value at the mean of all rows is a contrast with weights 1/m − Q L⁻¹ x̄.
        self.cholesky.solve_l(&mut self.means);
        self.leverage.clear();
        self.leverage.resize(m, 1.0 / size);
        self.weight.clear();
        self.weight.resize(m, 1.0 / size);
        let mut value = y_mean;
        for (q, c) in self.columns.chunks_exact(m).zip(&self.means) {
            for ((h, a), q) in self.leverage.iter_mut().zip(&mut self.weight).zip(q) {
                *h += q * q;
                *a -= c * q;
            }
            let b = dot(q, &self.y);
            value -= c * b;
            axpy(-b, q, &mut self.y);
        }
        self.sum(value, k)
    }

    /// Columns · L⁻ᵀ in place: an orthonormal basis of the arm's centred covariates.
    fn orthonormalize(&mut self, m: usize) {
        let k = self.means.len();
        for j in 0..k {
            let (before, rest) = self.columns.split_at_mut(j * m);
            let column = &mut rest[..m];
            for (l, q) in before.chunks_exact(m).enumerate() {
                axpy(-self.cholesky.l(j, l), q, column);
            }
            let scale = 1.0 / self.cholesky.l(j, j);
            for x in column {
                *x *= scale;
            }
        }
    }

    fn sum(&self, value: f64, k: usize) -> Option<Part> {
        let mut square = 0.0;
        for ((a, h), e) in self.weight.iter().zip(&self.leverage).zip(&self.y) {
            let free = 1.0 - h;
            if free < LEVERAGE_TOLERANCE {
                return None;
            }
            square += a * a * e * e / free;
        }
        Some(Part {
            value,
            square,
            residual_square: dot(&self.y, &self.y),
            coefficients: k + 1,
        })
    }

    fn full(&mut self, arm: &[Arm]) -> Result<Studentized, EstimationError> {
        self.design
            .refactor(arm, &self.covariates, Form::Interacted)?;
        let inference = self.design.inference(Variance::Hc2, Df::Normal, 0.95)?;
        let fit = self
            .design
            .fit(&self.outcome, &inference, &mut self.workspace);
        Ok(Studentized {
            estimate: fit.estimate,
            std_error: fit.std_error,
        })
    }
}

/// One arm's fitted mean at the mean of all rows.
struct Part {
    value: f64,
    square: f64,
    residual_square: f64,
    coefficients: usize,
}
