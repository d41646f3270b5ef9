//! The linear model behind `linear`, `lin` and `difference-in-means`: factored once, fitted to many outcomes.
//!
//! A [`Design`] holds what does not depend on the outcome: an orthogonal basis, leverages, the weights `a_i` of the
//! effect (`estimate = Σ a_i y_i`) and the Bell–McCaffrey degrees of freedom. [`Design::fit`] then costs O(nk). The
//! interacted model is the two arms' own regressions, so it is factored arm by arm; when an arm alone does not
//! identify it, the joint matrix is, with limited pivoting as in R's `lm`. With weights all this happens on rows
//! multiplied by the root of their weight. Columns are made one by one as the factorization takes them, so that a
//! design holds two copies of its columns and no more; buffers are reused, so that a [`Design`] and a [`Workspace`] that
//! live through a simulation allocate only at the beginning. Variances that respect clusters are `cluster_variance`'s.

use super::block::Block;
use super::centring::Centring;
use super::columns::Arm;
use super::error::EstimationError;
pub use super::inference::{Fit, Inference};
use super::settings::{Df, Variance};
use crate::numerics::linear_algebra::{
    dot, each_mean_and_range, largest, mean, most, weighted_mean,
};

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
    /// Whether nobody asks for degrees of freedom.
    for_statistic: bool,
    influential: Vec<usize>,
    exact: Vec<usize>,
    centring: Vec<Centring>,
    /// Root of each row's weight, the largest near one; empty without weights.
    root: Vec<f64>,
    /// Whether a constant in the outcome changes nothing, so that it may be taken away first.
    constant_free: bool,
    column: Vec<f64>,
    scratch: Vec<f64>,
}

/// Reusable storage of fits.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    outcome: Vec<f64>,
    residual: Vec<f64>,
    fitted: Vec<f64>,
}

impl Design {
    /// An empty design for statistics by the thousand: those of redraws, which have no use for degrees of freedom. Its
    /// [`Design::bell_mccaffrey`] is `None`.
    pub(crate) fn for_statistic() -> Self {
        Self {
            for_statistic: true,
            ..Self::default()
        }
    }

    /// Factors a design. `covariates` is column-major, one value per row and covariate; constants are allowed and
    /// set aside.
    ///
    /// Errors: [`EstimationError::ArmAliased`], [`EstimationError::NoResidualDf`], [`EstimationError::NoRows`].
    pub fn factor(arm: &[Arm], covariates: &[f64], form: Form) -> Result<Self, EstimationError> {
        let mut design = Self::default();
        design.refactor(arm, covariates, form)?;
        Ok(design)
    }

    /// As [`Design::factor`], by weighted least squares: `weights` are above zero, one per row; only their ratios
    /// matter. Covariates are centred at their weighted means.
    pub fn factor_weighted(
        arm: &[Arm],
        covariates: &[f64],
        weights: &[f64],
        form: Form,
    ) -> Result<Self, EstimationError> {
        let mut design = Self::default();
        design.refactor_weighted(arm, covariates, weights, form)?;
        Ok(design)
    }

    /// As [`Design::factor`], in the storage of an earlier design.
    pub fn refactor(
        &mut self,
        arm: &[Arm],
        covariates: &[f64],
        form: Form,
    ) -> Result<(), EstimationError> {
        self.root.clear();
        self.build(arm, covariates, form, false)
    }

    /// As [`Design::factor_weighted`], in the storage of an earlier design.
    pub fn refactor_weighted(
        &mut self,
        arm: &[Arm],
        covariates: &[f64],
        weights: &[f64],
        form: Form,
    ) -> Result<(), EstimationError> {
        self.weigh(weights);
        self.build(arm, covariates, form, false)
    }

    /// As [`Design::factor`], always through the joint matrix: the reference path of the interacted model.
    pub fn factor_jointly(
        arm: &[Arm],
        covariates: &[f64],
        form: Form,
    ) -> Result<Self, EstimationError> {
        let mut design = Self::default();
        design.build(arm, covariates, form, true)?;
        Ok(design)
    }

    /// The coefficient of column `of` in the regression on all `columns`, which are column-major with `n` rows and
    /// hold the intercept if there is one; `weights` is empty or has one weight above zero per row. The effect of an
    /// arm is one such coefficient, and printed tables have others.
    ///
    /// Errors: [`EstimationError::ArmAliased`] when the column is a combination of earlier ones,
    /// [`EstimationError::NoResidualDf`], [`EstimationError::NoRows`].
    ///
    /// ```
    /// use lottning::estimation::linear_model::{Design, Workspace};
    /// use lottning::estimation::{Df, Variance};
    /// // y on 1 and x at x = 0, 1, 2: the slope of 1, 2, 6 is 5/2.
    /// let design = Design::coefficient(3, &[1.0, 1.0, 1.0, 0.0, 1.0, 2.0], 1, &[])?;
    /// let inference = design.inference(Variance::Classical, Df::Residual, 0.95)?;
    /// let fit = design.fit(&[1.0, 2.0, 6.0], &inference, &mut Workspace::default());
    /// assert!((fit.estimate - 2.5).abs() < 1e-14);
    /// # Ok::<(), lottning::estimation::EstimationError>(())
    /// ```
    pub fn coefficient(
        n: usize,
        columns: &[f64],
        of: usize,
        weights: &[f64],
    ) -> Result<Self, EstimationError> {
        let mut design = Self::default();
        design.weigh(weights);
        design.begin(n, &[])?;
        design.constant_free = false;
        let index = design.block();
        design.blocks[index].rows.extend(0..n as u32);
        design.blocks[index].qr.begin(n, columns.len() / n);
        for column in columns.chunks_exact(n) {
            design.take(index, column, Centring::NONE);
        }
        design.finish_joint(index, of)?;
        Ok(design)
    }

    /// Roots of weights, scaled by a power of two so that the largest lies between ½ and 1.
    fn weigh(&mut self, weights: &[f64]) {
        let (_, exponent) = libm::frexp(largest(weights));
        self.root.clear();
        // All alike: without weights, which is shorter.
        if weights
            .windows(2)
            .any(|pair| pair[0].to_bits() != pair[1].to_bits())
        {
            let root = |w: &f64| libm::ldexp(*w, -exponent).sqrt();
            self.root.extend(weights.iter().map(root));
        }
    }

    fn build(
        &mut self,
        arm: &[Arm],
        covariates: &[f64],
        form: Form,
        jointly: bool,
    ) -> Result<(), EstimationError> {
        self.begin(arm.len(), covariates)?;
        if form == Form::Additive || jointly || !self.by_arm(arm, covariates) {
            self.joint(arm, covariates, form)?;
        }
        self.finish()
    }

    fn begin(&mut self, n: usize, covariates: &[f64]) -> Result<(), EstimationError> {
        self.n = n;
        if n == 0 {
            return Err(EstimationError::NoRows);
        }
        self.covariates = covariates.len() / n;
        self.constant_free = true;
        self.dropped.clear();
        self.used = 0;
        self.coefficients = 0;
        self.centring.clear();
        self.scratch.clear();
        self.scratch.extend(self.root.iter().map(|r| r * r));
        let centring = &mut self.centring;
        if self.root.is_empty() {
            each_mean_and_range(n, covariates, |mean, range| {
                centring.push(Centring::within(mean, range));
            });
        } else {
            for column in covariates.chunks_exact(n) {
                let mean = weighted_mean(&self.scratch, column);
                centring.push(Centring::new(column, mean));
            }
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

    /// Gives a column, one value per row of the design, to a block's factorization, centred and weighted.
    fn take(&mut self, block: usize, column: &[f64], centring: Centring) {
        let Block { rows, qr, .. } = &mut self.blocks[block];
        let (root, whole) = (&self.root, rows.len() == column.len());
        let of = |x| centring.of(x);
        match (whole, root.is_empty()) {
            (true, true) => qr.push_shifted(column, centring.centre, centring.scale),
            (true, false) => qr.push_from(column.iter().zip(root).map(|(x, root)| of(*x) * root)),
            (false, true) => qr.push_from(rows.iter().map(|row| of(column[*row as usize]))),
            (false, false) => {
                let weighted = |row: &u32| of(column[*row as usize]) * root[*row as usize];
                qr.push_from(rows.iter().map(weighted));
            }
        }
    }

    /// As [`Design::take`], of the column that stands in `self.column`.
    fn take_own(&mut self, block: usize) {
        let column = std::mem::take(&mut self.column);
        self.take(block, &column, Centring::NONE);
        self.column = column;
    }

    /// The intercept, and the centred covariates of the block's rows; so many others will follow.
    fn take_intercept_and_covariates(&mut self, index: usize, covariates: &[f64], others: usize) {
        let m = self.blocks[index].rows.len();
        let columns = 1 + self.covariates + others;
        self.blocks[index].qr.begin(m, columns);
        self.column.clear();
        self.column.resize(self.n, 1.0);
        self.take_own(index);
        for (j, column) in covariates.chunks_exact(self.n).enumerate() {
            self.take(index, column, self.centring[j]);
        }
    }

    /// The two arms' own regressions; false when one of them does not identify all its coefficients.
    fn by_arm(&mut self, arm: &[Arm], covariates: &[f64]) -> bool {
        for which in [Arm::Treated, Arm::Control] {
            let index = self.block();
            let block = &mut self.blocks[index];
            // Every row is written, and the place moves on after those of the arm: nothing depends on a guess of the arms.
            block.rows.resize(arm.len(), 0);
            let mut count = 0;
            for (row, own) in arm.iter().enumerate() {
                block.rows[count] = row as u32;
                count += usize::from(*own == which);
            }
            block.rows.truncate(count);
            if block.rows.len() <= self.covariates {
                self.used = 0;
                return false;
            }
            self.take_intercept_and_covariates(index, covariates, 0);
            let block = &mut self.blocks[index];
            if block.qr.rank() <= self.covariates {
                self.used = 0;
                return false;
            }
            let sign = if which == Arm::Treated { 1.0 } else { -1.0 };
            block.contrast(0, sign);
            self.coefficients += block.qr.rank();
        }
        true
    }

    fn joint(
        &mut self,
        arm: &[Arm],
        covariates: &[f64],
        form: Form,
    ) -> Result<(), EstimationError> {
        let (n, p) = (self.n, self.covariates);
        self.used = 0;
        self.coefficients = 0;
        let index = self.block();
        self.blocks[index].rows.extend(0..n as u32);
        let others = if form == Form::Interacted { p + 1 } else { 1 };
        self.take_intercept_and_covariates(index, covariates, others);
        // Beside an intercept alone its place on the axis does not matter, and centred it is nearly orthogonal to that.
        let treated: usize = arm.iter().map(|a| a.index()).sum();
        let centre = match form {
            Form::Additive => treated as f64 / n as f64,
            Form::Interacted => 0.0,
        };
        self.column.clear();
        let own = arm.iter().map(|a| a.index() as f64 - centre);
        self.column.extend(own);
        self.take_own(index);
        if form == Form::Interacted {
            for (j, column) in covariates.chunks_exact(n).enumerate() {
                let centring = self.centring[j];
                let products = arm.iter().zip(column);
                self.column.clear();
                self.column
                    .extend(products.map(|(a, x)| a.index() as f64 * centring.of(*x)));
                self.take_own(index);
            }
        }
        self.position(index, p + 1)?;
        self.dropped
            .extend(self.blocks[index].qr.dropped().iter().map(|&column| {
                if column <= p {
                    Dropped::Covariate(column.saturating_sub(1))
                } else {
                    Dropped::Interaction(column - p - 2)
                }
            }));
        Ok(())
    }

    /// The contrast of one column of a block that holds all rows.
    fn position(&mut self, index: usize, column: usize) -> Result<(), EstimationError> {
        let block = &mut self.blocks[index];
        let Some(position) = block.qr.kept().iter().position(|c| *c == column) else {
            return Err(EstimationError::ArmAliased);
        };
        block.contrast(position, 1.0);
        self.coefficients = block.qr.rank();
        Ok(())
    }

    fn finish_joint(&mut self, index: usize, column: usize) -> Result<(), EstimationError> {
        self.position(index, column)?;
        self.finish()
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
            if 1.0 - most(&block.leverage, 0.0, |h| h) >= LEVERAGE_TOLERANCE {
                continue;
            }
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
        self.bell_mccaffrey = if self.influential.is_empty() && !self.for_statistic {
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

    /// The parts of the design: all rows, or one arm's each.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks[..self.used]
    }

    /// Root of each row's weight; empty without weights.
    pub(super) fn roots(&self) -> &[f64] {
        &self.root
    }

    /// `Σ a_i²` over the rows, on the weighted scale.
    pub(super) fn weight_square(&self) -> f64 {
        self.weight_square
    }

    /// Estimate and residuals of an outcome, one value per row; `visit` sees the residuals of each block.
    pub(super) fn residuals(
        &self,
        y: &[f64],
        workspace: &mut Workspace,
        mut visit: impl FnMut(&Block, &[f64]),
    ) -> Residuals {
        let centre = if self.constant_free { mean(y) } else { 0.0 };
        let mut found = Residuals::default();
        for block in self.blocks() {
            let outcome = &mut workspace.outcome;
            outcome.clear();
            if block.rows.len() == y.len() {
                outcome.extend(y.iter().map(|y| y - centre));
            } else {
                outcome.extend(block.rows.iter().map(|row| y[*row as usize] - centre));
            }
            if !self.root.is_empty() {
                for (y, row) in outcome.iter_mut().zip(&block.rows) {
                    *y *= self.root[*row as usize];
                }
            }
            found.square +=
                block.residuals(outcome, &mut workspace.fitted, &mut workspace.residual);
            found.estimate += dot(&block.weight, outcome);
            visit(block, &workspace.residual);
        }
        let rounding = ROUNDING * largest(y);
        found.exact = found.square <= self.n as f64 * rounding * rounding;
        found
    }

    /// HC2 covariance of the effects in two outcomes, one value per row each: `Σ a_i² e_i f_i/(1 − h_i)`; zero when the
    /// residuals of one are rounding.
    pub fn covariance(&self, y: &[f64], z: &[f64], workspace: &mut Workspace) -> f64 {
        let mut residuals = Vec::with_capacity(self.n);
        let first = self.residuals(y, workspace, |_, e| residuals.extend_from_slice(e));
        let (mut sum, mut rest) = (0.0, &residuals[..]);
        let second = self.residuals(z, workspace, |block, e| {
            let (own, others) = rest.split_at(e.len());
            rest = others;
            let rows = block.share.iter().zip(own).zip(e);
            sum += rows.map(|((share, y), z)| share * y * z).sum::<f64>();
        });
        if first.exact || second.exact {
            0.0
        } else {
            sum
        }
    }

    /// Fits one outcome, one value per row.
    pub fn fit(&self, y: &[f64], inference: &Inference, workspace: &mut Workspace) -> Fit {
        let mut meat = 0.0;
        let variance = inference.variance();
        let found = self.residuals(y, workspace, |block, residual| {
            meat += block.meat(residual, variance);
        });
        let (n, k) = (self.n as f64, self.coefficients as f64);
        let square = if found.exact {
            0.0
        } else {
            match variance {
                Variance::Classical => found.square / (n - k) * self.weight_square,
                Variance::Hc1 => meat * n / (n - k),
                _ => meat,
            }
        };
        Fit::complete(found.estimate, square.sqrt(), found.square, inference)
    }
}

/// What a fit leaves over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Residuals {
    /// Effect of the arm.
    pub(super) estimate: f64,
    /// Sum of squared residuals, on the weighted scale.
    pub(super) square: f64,
    /// Whether they are rounding.
    pub(super) exact: bool,
}
