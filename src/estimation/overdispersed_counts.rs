//! Coefficients and overdispersion of a negative binomial model together, by Newton's method.
//!
//! With `ln μ = offset + Xβ` and ρ = ln κ the observed information of (β, ρ) has, per row and with `d = 1/(1+μκ)`, the weight
//! `μ(1+κy)d²` in the block of β and `κ(y−μ)μd²` beside it (Lawless 1987, doi 10.2307/3314912, section 2). It starts at the
//! Poisson maximum and the moments of its residuals. The answer is a place to begin: nothing is told but that a maximum is near,
//! so that whatever is out of the ordinary (no overdispersion to speak of, separation, an information that is not
//! definite) is left to the slower way.

use super::overdispersion::Overdispersion;
use crate::numerics::exponential::exponentiate;
use crate::numerics::linear_algebra::{Cholesky, combine, dot, dots, each_dot};

/// Steps at most, for Poisson's coefficients and for all.
const MOST_STEPS: usize = 15;

/// Poisson's coefficients are near enough when a step would gain less than half of this, in units of log-likelihood.
const NEAR: f64 = 1e-6;

/// The maximum is reached when a step gains less than half of this.
const REACHED: f64 = 1e-13;

/// Linear predictors beyond this are none of ordinary counts.
const FAR: f64 = 30.0;

/// Of the sum of counts, how much their squared residuals must exceed it to be overdispersed beyond doubt.
const DOUBT: f64 = 1e-3;

/// What is near the maximum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Near {
    /// Of the columns.
    pub(super) coefficients: Vec<f64>,
    /// 1/θ.
    pub(super) kappa: f64,
    /// Observed information of ln κ by itself.
    pub(super) information: f64,
}

/// Rows, and storage for what is summed over them.
#[derive(Debug)]
struct Rows<'a> {
    /// Column-major, as many rows as `y`.
    columns: &'a [f64],
    y: &'a [f64],
    offset: Option<&'a [f64]>,
    /// Of each row, and of each row a weight, what pulls at its predictor, and what ties that to ln κ.
    mean: Vec<f64>,
    weight: Vec<f64>,
    pull: Vec<f64>,
    tie: Vec<f64>,
    product: Vec<f64>,
}

/// Score and information, with room for ln κ as the last parameter.
#[derive(Debug, Default)]
struct Sums {
    score: Vec<f64>,
    /// Lower triangle, column-major.
    information: Vec<f64>,
    cholesky: Cholesky,
}

impl Sums {
    /// Solves for a step, in `score`'s place; answers what it gains, twice.
    fn step(&mut self, parameters: usize) -> Option<f64> {
        let score = self.score.clone();
        self.cholesky
            .factor(parameters, &self.information, 1e-8)
            .ok()?;
        self.cholesky.solve(&mut self.score);
        let gain = dot(&score, &self.score);
        gain.is_finite().then_some(gain)
    }
}

/// Whole-number counts `y` with the columns of a design, of which the first is an intercept that begins at `intercept`.
/// `None` unless Newton's method goes straight to a maximum inside.
pub(super) fn near_maximum(
    columns: &[f64],
    y: &[f64],
    offset: Option<&[f64]>,
    intercept: f64,
    spread: &Overdispersion,
) -> Option<Near> {
    let n = y.len();
    let k = columns.len() / n;
    let mut rows = Rows {
        columns,
        y,
        offset,
        mean: Vec::with_capacity(n),
        weight: vec![0.0; n],
        pull: vec![0.0; n],
        tie: vec![0.0; n],
        product: vec![0.0; n],
    };
    let mut sums = Sums::default();
    let mut beta = vec![0.0; k];
    beta[0] = intercept;
    rows.predict(&beta)?;
    let mut gain = f64::INFINITY;
    for _ in 0..MOST_STEPS {
        rows.poisson(k, &mut sums);
        gain = sums.step(k)?;
        take(&mut beta, &sums.score);
        rows.predict(&beta)?;
        if gain <= NEAR {
            break;
        }
    }
    if gain > NEAR {
        return None;
    }
    let mut log_kappa = rows.start()?;
    for _ in 0..MOST_STEPS {
        let kappa = libm::exp(log_kappa);
        let information = rows.negative_binomial(k, kappa, spread, &mut sums)?;
        gain = sums.step(k + 1)?;
        take(&mut beta, &sums.score);
        log_kappa += sums.score[k].clamp(-1.0, 1.0);
        if gain <= REACHED {
            // The step was taken: what is left to gain is as its square.
            return Some(Near {
                coefficients: beta,
                kappa: libm::exp(log_kappa),
                information,
            });
        }
        rows.predict(&beta)?;
    }
    None
}

/// Adds a step to as many parameters as there are.
fn take(beta: &mut [f64], step: &[f64]) {
    for (beta, step) in beta.iter_mut().zip(step) {
        *beta += step;
    }
}

impl Rows<'_> {
    /// Means at these coefficients.
    fn predict(&mut self, beta: &[f64]) -> Option<()> {
        self.mean.clear();
        match self.offset {
            Some(offset) => self.mean.extend_from_slice(offset),
            None => self.mean.resize(self.y.len(), 0.0),
        }
        combine(beta, self.columns, &mut self.mean);
        if !self.mean.iter().all(|eta| eta.abs() < FAR) {
            return None;
        }
        exponentiate(&mut self.mean);
        Some(())
    }

    fn poisson(&mut self, k: usize, sums: &mut Sums) {
        self.weight.copy_from_slice(&self.mean);
        for ((pull, y), mean) in self.pull.iter_mut().zip(self.y).zip(&self.mean) {
            *pull = y - mean;
        }
        self.sum(k, k, sums);
    }

    /// Sums score and information of the coefficients, among as many `parameters`.
    fn sum(&mut self, k: usize, parameters: usize, sums: &mut Sums) {
        let n = self.y.len();
        let column = |column: usize| &self.columns[column * n..(column + 1) * n];
        sums.score.clear();
        sums.score.resize(parameters, 0.0);
        sums.information.clear();
        sums.information.resize(parameters * parameters, 0.0);
        each_dot(&self.pull, k, column, |a, sum| sums.score[a] = sum);
        for a in 0..k {
            let weighted = self.product.iter_mut().zip(&self.weight).zip(column(a));
            for ((product, weight), x) in weighted {
                *product = weight * x;
            }
            let information = &mut sums.information;
            each_dot(&self.product, a + 1, column, |b, sum| {
                information[b * parameters + a] = sum;
            });
        }
    }

    /// ln κ by the moments `E[(y − μ)² − μ] = κμ²`; `None` when they leave in doubt that κ > 0.
    fn start(&self) -> Option<f64> {
        let (mut excess, mut square, mut count) = (0.0, 0.0, 0.0);
        for (y, mean) in self.y.iter().zip(&self.mean) {
            excess += (y - mean) * (y - mean) - y;
            square += mean * mean;
            count += y;
        }
        let kappa = excess / square;
        (excess > DOUBT * count && kappa < 1e3).then(|| libm::log(kappa))
    }

    /// Score and information of the coefficients and, last, of ln κ; answers the last's own information.
    fn negative_binomial(
        &mut self,
        k: usize,
        kappa: f64,
        spread: &Overdispersion,
        sums: &mut Sums,
    ) -> Option<f64> {
        for (row, (y, mean)) in self.y.iter().zip(&self.mean).enumerate() {
            let part = 1.0 / (1.0 + mean * kappa);
            let pull = (y - mean) * part;
            self.pull[row] = pull;
            self.weight[row] = mean * (1.0 + kappa * y) * part * part;
            self.tie[row] = kappa * pull * mean * part;
        }
        self.sum(k, k + 1, sums);
        let (slope, bend) = spread.slopes(kappa, self.y, &self.mean)?;
        let n = self.y.len();
        for (a, column) in self.columns.chunks_exact(n).enumerate() {
            let [own] = dots(&self.tie, [column]);
            sums.information[a * (k + 1) + k] = own;
        }
        let information = -kappa * (slope + kappa * bend);
        sums.score[k] = kappa * slope;
        sums.information[k * (k + 1) + k] = information;
        Some(information)
    }
}
