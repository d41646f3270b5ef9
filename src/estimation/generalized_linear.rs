//! Generalized linear models: logistic regression, maximized or penalized (Firth), and log-linear regression of counts.
//!
//! A [`Design`] holds the columns that are linearly independent, intercept first and the arm last. [`Design::fit`]
//! maximizes the likelihood by Fisher scoring on a QR factorization of the weighted columns, with step halving, until
//! the score is zero in units of its standard error. Because the arm is the last column, its variance is `1/r²` of the
//! last diagonal element and its influence the last column of Q over `r`; holding it at a value, for a profile, drops
//! that column from the step. A likelihood without a maximum (separation) is found by linear predictors that go on
//! growing while nothing else moves, and says whether the arm is part of it (Albert and Anderson 1984, doi
//! 10.1093/biomet/71.1.1).

use super::centring::centre_into;
use super::columns::Arm;
use super::error::EstimationError;
use super::linear_model::{Dropped, Form, LEVERAGE_TOLERANCE};
use super::settings::Variance;
use crate::numerics::linear_algebra::{Qr, axpy, dot};
use crate::numerics::recent::Recent;

pub use super::families::Family;

/// The score is zero when its squared length, in units of its standard error, is below this: the next step of Newton's
/// method would be its square.
const CONVERGED: f64 = 1e-18;

/// The same where scoring is not Newton's method and steps shrink by a factor.
const CONVERGED_LINEARLY: f64 = 1e-24;

/// The terms of a deviance are known to this part of what they are differences of.
const ROUNDED_TERM: f64 = 4.0 * f64::EPSILON;

/// Pearson's statistic of a model that fits every outcome exactly is no more than this, and this part of the sum of the means: the
/// latter are relative residuals of 1e-12.
const EXACT: [f64; 2] = [100.0 * CONVERGED, 1e-24];

/// Steps of a linear predictor above this, when the score is zero, are growth without end.
const GROWING: f64 = 1e-3;

/// No linear predictor moves more than this in one step.
const LONGEST_STEP: f64 = 40.0;

/// A linear predictor beyond this that still grows is growing without end: its mean is a double's 0 or 1.
const ENDLESS: f64 = 200.0;

/// In a step of growth without end a linear predictor that grows moves by about 1 or more, all others by next to nothing.
const TOLD_APART: f64 = 0.1;

/// Steps at most: of a Newton method, and of one that shrinks by a factor.
const MOST_STEPS: [usize; 2] = [300, 5000];

/// A factored design of a generalized linear model.
#[derive(Debug, Clone)]
pub struct Design {
    n: usize,
    /// Number of covariates that were given.
    covariates: usize,
    /// Independent columns, column-major: intercept, covariates, arm, and products of the arm and covariates.
    columns: Vec<f64>,
    kept: Vec<usize>,
    dropped: Vec<usize>,
    /// All covariates as centred, where products need them to predict.
    centred: Vec<f64>,
    /// Whether the arm is the last column, so that its coefficient is the effect.
    has_effect: bool,
}

/// What is maximized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// The likelihood.
    Likelihood,
    /// The likelihood times the root of the information's determinant (Firth 1993, doi 10.1093/biomet/80.1.27), which
    /// for a logistic model takes the bias of order 1/n out and always has a finite maximum.
    Firth,
}

/// How the likelihood fails to have a maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separation {
    /// Some covariate's coefficient grows without end; the arm's has a limit and a finite standard error.
    Covariates,
    /// The arm's coefficient grows without end.
    Arm,
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Coefficients of the independent columns, the arm's last.
    pub coefficients: Vec<f64>,
    /// Linear predictor of each row, offset included.
    pub predictor: Vec<f64>,
    /// `−2 ln` of what was maximized, up to a constant.
    pub deviance: f64,
    /// Whether the maximum exists.
    pub separation: Option<Separation>,
    state: State,
}

/// Weights, factorization and pulls at a linear predictor.
#[derive(Debug, Clone, Default)]
struct State {
    /// √w per row.
    root: Vec<f64>,
    /// Score of each row's linear predictor over √w.
    pull: Vec<f64>,
    /// Mean of each row.
    mean: Vec<f64>,
    weighted: Vec<f64>,
    qr: Qr,
    /// Of the penalized likelihood: the columns with the weights of its pseudo-trials too.
    augmented: Qr,
    leverage: Vec<f64>,
    deviance: f64,
}

impl Design {
    /// A design with an intercept, covariates (column-major, one value per row and covariate) and the arm; with
    /// [`Form::Interacted`] also their products, which fits the arms apart. Without products the arm's coefficient is
    /// the effect.
    ///
    /// Errors: [`EstimationError::NoRows`], [`EstimationError::ArmAliased`], [`EstimationError::NoResidualDf`].
    pub fn factor(arm: &[Arm], covariates: &[f64], form: Form) -> Result<Self, EstimationError> {
        let n = arm.len();
        if n == 0 {
            return Err(EstimationError::NoRows);
        }
        let p = covariates.len() / n;
        let interacted = form == Form::Interacted;
        let mut columns = Vec::with_capacity(n * (2 + if interacted { 2 * p } else { p }));
        columns.resize(n, 1.0);
        for column in covariates.chunks_exact(n) {
            centre_into(column, &mut columns);
        }
        let centred = if interacted {
            columns[n..].to_vec()
        } else {
            Vec::new()
        };
        columns.extend(arm.iter().map(|a| a.index() as f64));
        for column in centred.chunks_exact(n) {
            columns.extend(arm.iter().zip(column).map(|(a, x)| a.index() as f64 * x));
        }
        let mut qr = Qr::default();
        qr.factor(n, &columns);
        for (to, from) in qr.kept().iter().enumerate() {
            columns.copy_within(from * n..(from + 1) * n, to * n);
        }
        columns.truncate(qr.rank() * n);
        if qr.dropped().contains(&(p + 1)) {
            return Err(EstimationError::ArmAliased);
        }
        if n <= qr.rank() {
            return Err(EstimationError::NoResidualDf {
                rows: n,
                coefficients: qr.rank(),
            });
        }
        Ok(Self {
            n,
            covariates: p,
            columns,
            kept: qr.kept().to_vec(),
            dropped: qr.dropped().to_vec(),
            centred,
            has_effect: !interacted,
        })
    }

    /// Columns that are constant or combinations of others and were set aside.
    pub fn dropped(&self) -> impl Iterator<Item = Dropped> {
        self.dropped.iter().map(|&column| {
            if column <= self.covariates {
                Dropped::Covariate(column.saturating_sub(1))
            } else {
                Dropped::Interaction(column - self.covariates - 2)
            }
        })
    }

    /// Number of coefficients, intercept and arm included.
    pub fn coefficients(&self) -> usize {
        self.kept.len()
    }

    /// The independent columns, column-major: the intercept first, the arm's last.
    pub(super) fn columns(&self) -> &[f64] {
        &self.columns
    }

    /// The design of the rows that are left in the limit, with their outcomes, where covariates tell the outcomes of the others
    /// without error: those have likelihood 1 there, whatever the other coefficients are. `None` where the arm cannot be told
    /// from the covariates in the rows that are left.
    pub fn beyond_separation(&self, fit: &Fit, y: &[f64]) -> Option<(Self, Vec<f64>)> {
        let step = fit
            .state
            .clone()
            .step(self, Objective::Likelihood, self.coefficients());
        let growth = self.predictor(&step.coefficients, None);
        let left: Vec<usize> = (0..self.n)
            .filter(|row| growth[*row].abs() <= TOLD_APART)
            .collect();
        if left.len() == self.n {
            return None;
        }
        let n = left.len();
        let rows = |column: &[f64]| left.iter().map(|row| column[*row]).collect::<Vec<f64>>();
        let columns: Vec<f64> = self.columns.chunks_exact(self.n).flat_map(rows).collect();
        let mut qr = Qr::default();
        qr.factor(n, &columns);
        let kept: Vec<usize> = qr.kept().iter().map(|own| self.kept[*own]).collect();
        if kept.last() != self.kept.last() || n <= kept.len() {
            return None;
        }
        let columns = qr
            .kept()
            .iter()
            .flat_map(|own| columns[own * n..(own + 1) * n].to_vec())
            .collect();
        let design = Self {
            n,
            columns,
            kept,
            centred: Vec::new(),
            ..self.clone()
        };
        Some((design, rows(y)))
    }

    /// Linear predictors of all rows as if all were in one arm, without an offset.
    pub fn predictor_in(&self, coefficients: &[f64], arm: Arm) -> Vec<f64> {
        let (n, p) = (self.n, self.covariates);
        let mut eta = vec![0.0; n];
        let columns = self.columns.chunks_exact(n);
        for ((b, column), values) in coefficients.iter().zip(&self.kept).zip(columns) {
            if *column <= p {
                axpy(*b, values, &mut eta);
            } else if arm == Arm::Treated {
                match column - p - 1 {
                    0 => eta.iter_mut().for_each(|eta| *eta += b),
                    j => axpy(*b, &self.centred[(j - 1) * n..j * n], &mut eta),
                }
            }
        }
        eta
    }

    fn predictor(&self, coefficients: &[f64], offset: Option<&[f64]>) -> Vec<f64> {
        let mut eta = offset.map_or_else(|| vec![0.0; self.n], <[f64]>::to_vec);
        for (b, x) in coefficients.iter().zip(self.columns.chunks_exact(self.n)) {
            axpy(*b, x, &mut eta);
        }
        eta
    }

    /// Maximizes. `y` and `offset` have one value per row; `held` fixes the arm's coefficient; `start` is a first
    /// guess of the coefficients.
    ///
    /// Errors: [`EstimationError::NotConverged`] (the estimator's name is the caller's to fill in).
    pub fn fit(
        &self,
        family: Family,
        objective: Objective,
        y: &[f64],
        offset: Option<&[f64]>,
        held: Option<f64>,
        start: Option<&[f64]>,
    ) -> Result<Fit, EstimationError> {
        let k = self.coefficients();
        let free = if held.is_some() { k - 1 } else { k };
        let mut beta = start.map_or_else(
            || {
                let mut beta = vec![0.0; k];
                beta[0] = family.intercept(y, offset);
                beta
            },
            <[f64]>::to_vec,
        );
        if let (Some(value), Some(last)) = (held, beta.last_mut()) {
            *last = value;
        }
        let mut eta = self.predictor(&beta, offset);
        let mut state = State::default();
        if !state.evaluate(self, family, objective, y, &eta) {
            return Err(NOT_CONVERGED);
        }
        let mut candidate = State::default();
        let mut scale = state.effect_scale(self);
        let mut grown = 0;
        let newton = objective == Objective::Likelihood
            && matches!(family, Family::Binomial | Family::Poisson);
        let small = if newton {
            CONVERGED
        } else {
            CONVERGED_LINEARLY
        };
        for _ in 0..MOST_STEPS[usize::from(!newton)] {
            let step = state.step(self, objective, free);
            let direction = self.predictor(&step.coefficients, None);
            let longest = direction.iter().fold(0.0f64, |m, d| m.max(d.abs()));
            if !longest.is_finite() {
                return Err(NOT_CONVERGED);
            }
            let settled = step.decrement <= small + state.rounding(&eta);
            let flat = longest <= GROWING || objective == Objective::Firth;
            if longest <= 1e-10 || (settled && flat) {
                if newton || !settled {
                    // What is left after Newton's step is the square of what was: it is known already, so it is taken.
                    axpy(1.0, &step.coefficients, &mut beta);
                    axpy(1.0, &direction, &mut eta);
                }
                // Small steps of large counts are no small part of their residuals.
                let moved = !settled || (newton && state.is_exact());
                if moved && candidate.evaluate(self, family, objective, y, &eta) {
                    std::mem::swap(&mut state, &mut candidate);
                }
                return Ok(fitted(beta, eta, state, None));
            }
            if newton && family == Family::Binomial && held.is_none() && separates(y, &eta) {
                return Ok(fitted(beta, eta, state, Some(Separation::Arm)));
            }
            let still = step
                .coefficients
                .get(k - 1)
                .is_none_or(|b| b.abs() <= 1e-6 || !self.has_effect || held.is_some());
            let far = || eta.iter().any(|eta| eta.abs() > ENDLESS);
            if newton && family == Family::Binomial && longest > 1.0 && far() {
                let kind = self.kind(still, &state, scale);
                return Ok(fitted(beta, eta, state, Some(kind)));
            }
            if settled {
                grown += 1;
                if grown > 4 {
                    let kind = self.kind(still, &state, scale);
                    return Ok(fitted(beta, eta, state, Some(kind)));
                }
            }
            scale = state.effect_scale(self);
            let mut part = (LONGEST_STEP / longest).min(1.0);
            let slack = 1e-11 * (1.0 + state.deviance.abs()) + ROUNDED_TERM * state.sizes(y);
            let mut accepted = false;
            for _ in 0..40 {
                let mut next = eta.clone();
                axpy(part, &direction, &mut next);
                let full = candidate.evaluate(self, family, objective, y, &next);
                if !full && step.decrement < 1e-6 {
                    // The weights have gone to zero along a direction: the information is singular in the limit.
                    let kind = self.kind(still, &state, scale);
                    return Ok(fitted(beta, eta, state, Some(kind)));
                }
                if full && candidate.deviance <= state.deviance + slack {
                    eta = next;
                    accepted = true;
                    break;
                }
                part *= 0.5;
            }
            if !accepted {
                // No step improves: at the accuracy of the arithmetic this is the maximum, or there is none to find.
                if step.decrement <= 1e-12 {
                    return Ok(fitted(beta, eta, state, None));
                }
                return Err(NOT_CONVERGED);
            }
            axpy(part, &step.coefficients, &mut beta);
            std::mem::swap(&mut state, &mut candidate);
        }
        Err(NOT_CONVERGED)
    }

    /// Whether the arm's coefficient stands still, with a standard error that does too.
    fn kind(&self, still: bool, state: &State, before: f64) -> Separation {
        let now = state.effect_scale(self);
        if !self.has_effect || (still && now <= before * (1.0 + 1e-3)) {
            Separation::Covariates
        } else {
            Separation::Arm
        }
    }
}

fn fitted(
    coefficients: Vec<f64>,
    predictor: Vec<f64>,
    state: State,
    separation: Option<Separation>,
) -> Fit {
    Fit {
        coefficients,
        predictor,
        deviance: state.deviance,
        separation,
        state,
    }
}

/// Whether a linear predictor is on the right side of 0 in every row: then no finite coefficients are the best.
fn separates(y: &[f64], eta: &[f64]) -> bool {
    y.iter()
        .zip(eta)
        .all(|(y, eta)| if *y > 0.5 { *eta > 0.0 } else { *eta < 0.0 })
}

const NOT_CONVERGED: EstimationError = EstimationError::NotConverged { estimator: "" };

struct Step {
    /// Change of each coefficient; a held one's is zero.
    coefficients: Vec<f64>,
    /// Squared length of the score in units of its standard error.
    decrement: f64,
}

impl State {
    /// Weights, factorization and deviance at a linear predictor; false when the weighted columns are no longer
    /// independent.
    fn evaluate(
        &mut self,
        design: &Design,
        family: Family,
        objective: Objective,
        y: &[f64],
        eta: &[f64],
    ) -> bool {
        self.root.clear();
        self.pull.clear();
        self.mean.clear();
        let mut deviance = 0.0;
        // Without a covariate of their own, many rows are alike.
        let mut recent = Recent::default();
        for (y, eta) in y.iter().zip(eta) {
            let row = recent.of([*y, *eta], || family.row(*y, *eta));
            self.root.push(row.root_weight);
            self.pull.push(row.pull);
            self.mean.push(row.mean);
            deviance += row.deviance;
        }
        self.weighted.clear();
        for column in design.columns.chunks_exact(design.n) {
            self.weighted
                .extend(column.iter().zip(&self.root).map(|(x, w)| x * w));
        }
        self.qr.factor(design.n, &self.weighted);
        if self.qr.rank() < design.coefficients() || !deviance.is_finite() {
            return false;
        }
        if objective == Objective::Firth {
            let determinant: f64 = (0..design.coefficients())
                .map(|j| libm::log(self.qr.r(j, j).abs()))
                .sum();
            deviance -= 2.0 * determinant;
        }
        self.deviance = deviance;
        true
    }

    /// The step of Fisher scoring over the first `free` coefficients.
    fn step(&mut self, design: &Design, objective: Objective, free: usize) -> Step {
        let n = design.n;
        let penalized = objective == Objective::Firth;
        let mut pull = self.pull.clone();
        if penalized {
            // The penalty's score of a row is h(½ − p): that of h more trials, half of them events. Their information is
            // counted too, because steps by the data's own overshoot where h is large.
            self.qr.leverages(&mut self.leverage);
            self.weighted.clear();
            for column in design.columns.chunks_exact(n) {
                let rows = column.iter().zip(&self.root).zip(&self.leverage);
                self.weighted
                    .extend(rows.map(|((x, root), h)| x * root * (1.0 + h).sqrt()));
            }
            self.augmented.factor(n, &self.weighted);
            let rows = self.leverage.iter().zip(&self.mean);
            for ((pull, root), (h, p)) in pull.iter_mut().zip(&self.root).zip(rows) {
                if *root > 0.0 {
                    *pull = (*pull + h * (0.5 - p) / root) / (1.0 + h).sqrt();
                }
            }
        }
        let qr = if penalized && self.augmented.rank() == design.coefficients() {
            &self.augmented
        } else {
            &self.qr
        };
        let mut coefficients = vec![0.0; design.coefficients()];
        for (c, q) in coefficients[..free].iter_mut().zip(qr.q().chunks_exact(n)) {
            *c = dot(q, &pull);
        }
        let decrement = dot(&coefficients, &coefficients);
        // R of the first columns is the leading triangle of R.
        for j in (0..free).rev() {
            coefficients[j] /= qr.r(j, j);
            let b = coefficients[j];
            for (row, c) in coefficients[..j].iter_mut().enumerate() {
                *c -= b * qr.r(row, j);
            }
        }
        Step {
            coefficients,
            decrement,
        }
    }

    /// See [`Fit::is_exact`].
    fn is_exact(&self) -> bool {
        let means: f64 = self.mean.iter().sum();
        dot(&self.pull, &self.pull) <= EXACT[0] + EXACT[1] * means
    }

    /// What the squared length of the score can be by rounding alone: a linear predictor η is known to ε(1 + |η|), and a row's share
    /// of the score to as many of its weight's roots.
    fn rounding(&self, eta: &[f64]) -> f64 {
        let rows = self.root.iter().zip(eta);
        let own = rows.map(|(root, eta)| root * f64::EPSILON * (1.0 + eta.abs()));
        own.map(|own| own * own).sum()
    }

    /// `Σ (y + μ)`, of which the terms of the deviance of counts are differences.
    fn sizes(&self, y: &[f64]) -> f64 {
        y.iter().sum::<f64>() + self.mean.iter().sum::<f64>()
    }

    /// `1/|r|` of the last column: the arm's model standard error.
    fn effect_scale(&self, design: &Design) -> f64 {
        let last = design.coefficients() - 1;
        1.0 / self.qr.r(last, last).abs()
    }
}

impl Fit {
    /// The effect: the arm's coefficient.
    pub fn effect(&self) -> f64 {
        self.coefficients.last().copied().unwrap_or_default()
    }

    /// Standard error of the effect.
    ///
    /// `model`: from the information. `hc0`: the sandwich `Σ a_i² u_i²` with the row's score `u_i` and the weight
    /// `a = W½ q/r` of its influence; `hc1` times n/(n−k); `hc2` and `hc3` divide by `1 − h_i` and `(1 − h_i)²` with the
    /// leverage of the weighted columns, as `sandwich::vcovHC`.
    ///
    /// Errors: [`EstimationError::LeverageOne`] with positions of rows, for `hc2` and `hc3`.
    pub fn std_error(&self, variance: Variance) -> Result<f64, EstimationError> {
        let state = &self.state;
        let (n, k) = (state.root.len(), self.coefficients.len());
        let r = state.qr.r(k - 1, k - 1).abs();
        let power = match variance {
            Variance::Hc0 | Variance::Hc1 => 0,
            Variance::Hc2 => 1,
            Variance::Hc3 => 2,
            _ => return Ok(1.0 / r),
        };
        let q = &state.qr.q()[(k - 1) * n..k * n];
        let mut leverage = Vec::new();
        state.qr.leverages(&mut leverage);
        let mut influential = Vec::new();
        let mut sum = 0.0;
        for (row, ((q, h), pull)) in q.iter().zip(&leverage).zip(&state.pull).enumerate() {
            let free = 1.0 - h;
            if power > 0 && free < LEVERAGE_TOLERANCE {
                if q.abs() > 1e-8 {
                    influential.push(row);
                }
                continue;
            }
            let square = (q * pull) * (q * pull);
            sum += match power {
                0 => square,
                1 => square / free,
                _ => square / (free * free),
            };
        }
        if !influential.is_empty() {
            return Err(EstimationError::LeverageOne {
                rows: influential,
                variance: variance.text(),
            });
        }
        if variance == Variance::Hc1 {
            sum *= n as f64 / (n as f64 - k as f64);
        }
        Ok(sum.sqrt() / r)
    }

    /// Rows of leverage one on which the effect depends: a sandwich does not see them.
    pub fn influential_rows(&self) -> Vec<usize> {
        match self.std_error(Variance::Hc2) {
            Err(EstimationError::LeverageOne { rows, .. }) => rows,
            _ => Vec::new(),
        }
    }

    /// Whether the effect has an estimate, or none that a score test with the model's variance could stand in for.
    pub fn exists(&self, variance: Variance) -> bool {
        self.separation != Some(Separation::Arm) || variance != Variance::Model
    }

    /// Of a fit with the arm's coefficient held: the normal deviate of its score, by the information that the others leave (Rao 1948,
    /// doi 10.1017/S0305004100023987).
    pub fn score(&self) -> f64 {
        let (n, k) = (self.state.root.len(), self.coefficients.len());
        let qr = &self.state.qr;
        dot(&qr.q()[(k - 1) * n..k * n], &self.state.pull) * qr.r(k - 1, k - 1).signum()
    }

    /// Mean of each row.
    pub fn means(&self) -> &[f64] {
        &self.state.mean
    }

    /// Whether every outcome is fitted exactly: all that is left of Pearson's statistic is the residue of convergence, which is the
    /// squared score in units of its standard error, or the rounding of the means.
    pub fn is_exact(&self) -> bool {
        self.state.is_exact()
    }

    /// `Σ pull²`, Pearson's statistic.
    pub fn pearson(&self) -> f64 {
        dot(&self.state.pull, &self.state.pull)
    }
}
