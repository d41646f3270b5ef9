//! The linear model behind `linear`, `lin` and `difference-in-means`: factored once, fitted to many outcomes.
//!
//! A [`Design`] holds what does not depend on the outcome: an orthogonal basis, leverages, the weights `a_i` of the
//! effect (`estimate = Σ a_i y_i`) and the Bell–McCaffrey degrees of freedom. [`Design::fit`] then costs O(nk). The
//! interacted model is the two arms' own regressions, so it is factored arm by arm; when an arm alone does not
//! identify it, the joint matrix is, with limited pivoting as in R's `lm`. Buffers are reused: a [`Design`] and a
//! [`Workspace`] that live through a simulation allocate only at the beginning.

use super::columns::Arm;
use super::error::EstimationError;
pub use super::inference::{Fit, Inference};
use super::settings::{Df, Variance};
use crate::numerics::linear_algebra::{Qr, axpy, dot, mean};

/// A row whose leverage is within this of one is fitted exactly whatever its outcome.
pub const LEVERAGE_TOLERANCE: f64 = 1e-8;

/// Residuals below this many units in the last place of the outcome are rounding.
pub(super) const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// How covariates enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `y ~ 1 + arm + covariates`.
    #[default]
    Additive,
    /// `y ~ 1 + arm + covariates + arm·covariates`, covariates centred at the mean of all rows (Lin 2013).
    Interacted,
}

/// A column that is a combination of others and was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// A covariate, by its position.
    Covariate(usize),
    /// The product of the arm and a covariate, by the covariate's position.
    Interaction(usize),
}

/// Rows that share a factorization: all rows, or one arm's.
#[derive(Debug, Clone, Default)]
struct Block {
    rows: Vec<u32>,
    qr: Qr,
    leverage: Vec<f64>,
    /// Weight of each row's outcome in the effect.
    weight: Vec<f64>,
}

/// A factored design: which rows, which columns, and what follows from them before any outcome is seen.
///
/// ```
/// use lottning::estimation::linear_model::{Design, Form, Workspace};
/// use lottning::estimation::{Arm, Df, Variance};
/// // Two treated (1, 3) and two control (0, 1): the difference of means is 2 − ½ by hand.
/// let arm = [Arm::Treated, Arm::Treated, Arm::Control, Arm::Control];
/// let design = Design::factor(&arm, &[], Form::Additive)?;
/// let inference = design.inference(Variance::Hc2, Df::BellMccaffrey, 0.95)?;
/// let fit = design.fit(&[1.0, 3.0, 0.0, 1.0], &inference, &mut Workspace::default());
/// assert!((fit.estimate - 1.5).abs() < 1e-15);
/// // HC2 is s₁²/n₁ + s₀²/n₀ = 2/2 + ½/2 = 1.25 here.
/// assert!((fit.std_error - 1.25f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Design {
    n: usize,
    covariates: usize,
    blocks: Vec<Block>,
    used: usize,
    coefficients: usize,
    dropped: Vec<Dropped>,
    /// `ℓᵀ(XᵀX)⁻¹ℓ = Σ a_i²`.
    weight_square: f64,
    bell_mccaffrey: Option<f64>,
    influential: Vec<usize>,
    exact: Vec<usize>,
    centred: Vec<f64>,
    columns: Vec<f64>,
    scratch: Vec<f64>,
}

/// Reusable storage of fits.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    outcome: Vec<f64>,
    residual: Vec<f64>,
}

impl Design {
    /// Factors a design. `covariates` is column-major, one value per row and covariate; constants are allowed and
    /// set aside.
    ///
    /// Errors: [`EstimationError::ArmAliased`], [`EstimationError::NoResidualDf`], [`EstimationError::NoRows`].
    pub fn factor(arm: &[Arm], covariates: &[f64], form: Form) -> Result<Self, EstimationError> {
        let mut design = Self::default();
        design.refactor(arm, covariates, form)?;
        Ok(design)
    }

    /// As [`Design::factor`], in the storage of an earlier design.
    pub fn refactor(
        &mut self,
        arm: &[Arm],
        covariates: &[f64],
        form: Form,
    ) -> Result<(), EstimationError> {
        self.begin(arm, covariates)?;
        match form {
            Form::Additive => self.joint(arm, false)?,
            Form::Interacted => {
                if !self.by_arm(arm) {
                    self.joint(arm, true)?;
                }
            }
        }
        self.finish()
    }

    /// As [`Design::factor`], always through the joint matrix: the reference path of the interacted model.
    pub fn factor_jointly(
        arm: &[Arm],
        covariates: &[f64],
        form: Form,
    ) -> Result<Self, EstimationError> {
        let mut design = Self::default();
        design.begin(arm, covariates)?;
        design.joint(arm, form == Form::Interacted)?;
        design.finish()?;
        Ok(design)
    }

    fn begin(&mut self, arm: &[Arm], covariates: &[f64]) -> Result<(), EstimationError> {
        self.n = arm.len();
        if self.n == 0 {
            return Err(EstimationError::NoRows);
        }
        self.covariates = covariates.len() / self.n;
        self.dropped.clear();
        self.used = 0;
        self.coefficients = 0;
        self.centred.clear();
        for column in covariates.chunks_exact(self.n) {
            centre_into(column, &mut self.centred);
        }
        Ok(())
    }

    fn block(&mut self) -> usize {
        if self.used == self.blocks.len() {
            self.blocks.push(Block::default());
        }
        let block = &mut self.blocks[self.used];
        block.rows.clear();
        self.used += 1;
        self.used - 1
    }

    /// The two arms' own regressions; false when one of them does not identify all its coefficients.
    fn by_arm(&mut self, arm: &[Arm]) -> bool {
        for which in [Arm::Treated, Arm::Control] {
            let index = self.block();
            let block = &mut self.blocks[index];
            let of_arm = arm.iter().enumerate().filter(|(_, a)| **a == which);
            block.rows.extend(of_arm.map(|(row, _)| row as u32));
            let m = block.rows.len();
            if m <= self.covariates {
                self.used = 0;
                return false;
            }
            self.columns.clear();
            self.columns.resize(m, 1.0);
            for column in self.centred.chunks_exact(self.n) {
                self.columns
                    .extend(block.rows.iter().map(|row| column[*row as usize]));
            }
            block.qr.factor(m, &self.columns);
            if block.qr.rank() <= self.covariates {
                self.used = 0;
                return false;
            }
            let sign = if which == Arm::Treated { 1.0 } else { -1.0 };
            block.contrast(0, sign, &mut self.scratch);
            self.coefficients += block.qr.rank();
        }
        true
    }

    fn joint(&mut self, arm: &[Arm], interacted: bool) -> Result<(), EstimationError> {
        let (n, p) = (self.n, self.covariates);
        self.used = 0;
        self.coefficients = 0;
        let index = self.block();
        self.columns.clear();
        self.columns.resize(n, 1.0);
        self.columns.extend_from_slice(&self.centred);
        self.columns.extend(arm.iter().map(|a| a.index() as f64));
        if interacted {
            for column in self.centred.chunks_exact(n) {
                self.columns
                    .extend(arm.iter().zip(column).map(|(a, x)| a.index() as f64 * x));
            }
        }
        let block = &mut self.blocks[index];
        block.rows.extend(0..n as u32);
        block.qr.factor(n, &self.columns);
        let arm_column = p + 1;
        let Some(position) = block.qr.kept().iter().position(|c| *c == arm_column) else {
            return Err(EstimationError::ArmAliased);
        };
        block.contrast(position, 1.0, &mut self.scratch);
        self.coefficients = block.qr.rank();
        self.dropped
            .extend(block.qr.dropped().iter().map(|&column| {
                if column <= p {
                    Dropped::Covariate(column.saturating_sub(1))
                } else {
                    Dropped::Interaction(column - p - 2)
                }
            }));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), EstimationError> {
        if self.n <= self.coefficients {
            return Err(EstimationError::NoResidualDf {
                rows: self.n,
                coefficients: self.coefficients,
            });
        }
        self.influential.clear();
        self.exact.clear();
        self.weight_square = self.blocks[..self.used]
            .iter()
            .map(|block| dot(&block.weight, &block.weight))
            .sum();
        let negligible = 1e-8 * self.weight_square.sqrt();
        for block in &self.blocks[..self.used] {
            for ((row, h), a) in block.rows.iter().zip(&block.leverage).zip(&block.weight) {
                if 1.0 - h < LEVERAGE_TOLERANCE {
                    if a.abs() > negligible {
                        self.influential.push(*row as usize);
                    } else {
                        self.exact.push(*row as usize);
                    }
                }
            }
        }
        self.bell_mccaffrey = if self.influential.is_empty() {
            let trace_square: f64 = self.blocks[..self.used]
                .iter()
                .map(|block| block.trace_square(&mut self.scratch))
                .sum();
            Some(self.weight_square * self.weight_square / trace_square)
        } else {
            None
        };
        Ok(())
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.n
    }

    /// Number of coefficients that are identified, intercept and arm included.
    pub fn coefficients(&self) -> usize {
        self.coefficients
    }

    /// Columns that were set aside as combinations of others.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// Rows of leverage one on which the effect depends: HC2 and HC3 do not exist.
    pub fn influential_rows(&self) -> &[usize] {
        &self.influential
    }

    /// Rows of leverage one on which the effect does not depend: they carry no information about it.
    pub fn exact_rows(&self) -> &[usize] {
        &self.exact
    }

    /// Degrees of freedom of the HC2 variance of the effect by Bell and McCaffrey (2002), as in Imbens and Kolesár
    /// (2016, doi 10.1162/REST_a_00552, section IV), or `None` when HC2 does not exist.
    ///
    /// With `g_i = (I−H)_{·i} b_i` and `b_i = a_i/√(1−h_i)`: `(Σ g_iᵀg_i)² / Σ_ij (g_iᵀg_j)²`, where
    /// `Σ_ij b_i² b_j² (I−H)_ij² = Σ b_i⁴ (1−2h_i) + ‖Σ b_i² q_i q_iᵀ‖²` needs only the thin Q.
    pub fn bell_mccaffrey(&self) -> Option<f64> {
        self.bell_mccaffrey
    }

    /// Fixes variance, reference distribution and level, and computes the critical value once.
    ///
    /// Errors: [`EstimationError::LeverageOne`] with the positions of the rows among the design's rows,
    /// [`EstimationError::OptionsClash`] for a pair that means nothing (Bell–McCaffrey belongs to HC2).
    pub fn inference(
        &self,
        variance: Variance,
        df: Df,
        level: f64,
    ) -> Result<Inference, EstimationError> {
        if matches!(variance, Variance::Hc2 | Variance::Hc3) && !self.influential.is_empty() {
            return Err(EstimationError::LeverageOne {
                rows: self.influential.clone(),
                variance: variance.text(),
            });
        }
        let clash = EstimationError::OptionsClash {
            df: df.text(),
            variance: variance.text(),
        };
        let df = match df {
            Df::Normal => None,
            Df::Residual => Some((self.n - self.coefficients) as f64),
            Df::BellMccaffrey if variance == Variance::Hc2 => {
                Some(self.bell_mccaffrey.ok_or(clash)?)
            }
            Df::BellMccaffrey | Df::Satterthwaite | Df::Welch => return Err(clash),
        };
        Inference::new(variance, df, level)
    }

    /// Fits one outcome, one value per row.
    pub fn fit(&self, y: &[f64], inference: &Inference, workspace: &mut Workspace) -> Fit {
        let centre = mean(y);
        let largest = y.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let (mut estimate, mut residual_square, mut meat) = (0.0, 0.0, 0.0);
        for block in &self.blocks[..self.used] {
            let m = block.rows.len();
            let outcome = &mut workspace.outcome;
            outcome.clear();
            outcome.extend(block.rows.iter().map(|row| y[*row as usize] - centre));
            let residual = &mut workspace.residual;
            residual.clear();
            residual.extend_from_slice(outcome);
            for q in block.qr.q().chunks_exact(m) {
                let c = dot(q, outcome);
                axpy(-c, q, residual);
            }
            estimate += dot(&block.weight, outcome);
            residual_square += dot(residual, residual);
            meat += block.meat(residual, inference.variance());
        }
        let (n, k) = (self.n as f64, self.coefficients as f64);
        let rounding = ROUNDING * largest;
        let square = if residual_square <= n * rounding * rounding {
            0.0
        } else {
            match inference.variance() {
                Variance::Classical => residual_square / (n - k) * self.weight_square,
                Variance::Hc1 => meat * n / (n - k),
                _ => meat,
            }
        };
        Fit::complete(estimate, square.sqrt(), residual_square, inference)
    }
}

impl Block {
    /// Leverages, and weights of the coefficient at `position` of the kept columns: `a = ± Q R⁻ᵀ e`.
    fn contrast(&mut self, position: usize, sign: f64, scratch: &mut Vec<f64>) {
        self.qr.leverages(&mut self.leverage);
        scratch.clear();
        scratch.resize(self.qr.rank(), 0.0);
        scratch[position] = sign;
        self.qr.solve_r_transposed(scratch);
        self.weight.clear();
        self.weight.resize(self.rows.len(), 0.0);
        for (c, q) in scratch
            .iter()
            .zip(self.qr.q().chunks_exact(self.rows.len()))
        {
            axpy(*c, q, &mut self.weight);
        }
    }

    /// `Σ a_i² e_i²` with the correction of a variance estimator; rows of leverage one have a residual of zero.
    fn meat(&self, residual: &[f64], variance: Variance) -> f64 {
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

    fn trace_square(&self, scratch: &mut Vec<f64>) -> f64 {
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

/// Appends a column minus its mean, scaled by a power of two so that squares stay in range, or zeros when it is
/// constant up to rounding.
pub(super) fn centre_into(column: &[f64], centred: &mut Vec<f64>) {
    let start = centred.len();
    let centre = mean(column);
    centred.extend(column.iter().map(|x| x - centre));
    let largest = column.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let spread = centred[start..].iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if spread <= 1e-11 * largest {
        centred[start..].fill(0.0);
        return;
    }
    let (_, exponent) = libm::frexp(spread);
    for x in &mut centred[start..] {
        *x = libm::ldexp(*x, -exponent);
    }
}
