//! Cox's partial likelihood: its maximum, its information, its sandwich.
//!
//! `l(β) = Σ_t [Σ_{i dies at t} zᵢβ − Σ_{l<d} ln φ_l]`, `φ_l = Σ_{at risk} wᵢ − a_l Σ_{dying} wᵢ`, `wᵢ = exp(zᵢβ)`, with `a_l = l/d`
//! of Efron (1977, doi 10.1080/01621459.1977.10480613) or `a_l = 0` of Breslow (1974, doi 10.2307/2529620), over the distinct
//! times t of events in every stratum (Cox 1972). Score and information need no running matrix: with `x̄_l` the weighted
//! means in the risk set, `A₀ = Σ_l 1/φ_l` and `A₁ = Σ_l a_l/φ_l`, each row has the weight
//! `uᵢ = wᵢ (Σ_{entryᵢ<t≤timeᵢ} A₀(t) − [i dies] A₁(timeᵢ))`, and
//! `l' = Σ (δᵢ − uᵢ) zᵢ`, `−l'' = Σ uᵢ zᵢzᵢᵀ − Σ_t Σ_l x̄_l x̄_lᵀ`: sums over columns, O(n k²) an iteration after one sort.
//!
//! Covariates are centred within strata, which changes nothing, and scaled to unit length, so that a unit of measurement
//! changes nothing either. Linear predictors are shifted by their maximum in the stratum before they are
//! exponentiated. Rows with late entry leave the sums again by compensated subtraction. An event is code 1 of
//! [`FollowUp`]; every other code is the end of follow-up.

mod evaluation;
mod frame;
mod held;
mod lasting;
mod layers;
mod penalty;
mod proportionality;
mod sandwich;
mod subdistribution;
mod sums;

use super::follow_up::FollowUp;
use super::settings::Ties;
use crate::numerics::NumericsError;
use crate::numerics::linear_algebra::{Cholesky, axpy, combine, dot, largest};
use evaluation::Work;
use frame::Frame;
pub(super) use held::{Objective, Top};
pub(super) use proportionality::statistic;
pub(super) use sums::LogSum;
use sums::{mean, take_away};

/// A column is constant when less than this part of its largest value is left after centring.
const CONSTANT: f64 = 1e-13;

/// A column is a combination of others, or the same for all at risk, when less than this part of it is left.
const DEPENDENT: f64 = 1e-11;

/// Converged when a Newton step would gain less than half of this, in units of log-likelihood.
pub(super) const CONVERGED: f64 = 1e-18;

/// The likelihood is flat when a step gains less than half of this …
const FLAT: f64 = 1e-8;

/// … and yet has no maximum when that step moves some row's linear predictor by more than this.
const MOVING: f64 = 1e-2;

/// Newton steps, and halvings of one.
pub(super) const MOST_STEPS: usize = 60;

/// The partial likelihood of the rows, as a function of the coefficients of its columns.
#[derive(Debug, Clone)]
pub(super) struct PartialLikelihood {
    frame: Frame,
    ties: Ties,
    /// Column-major by position, centred within strata, of unit mean square.
    z: Vec<f64>,
    /// Which of the given columns each is.
    kept: Vec<usize>,
    /// What each column was divided by.
    scale: Vec<f64>,
    /// Sum over the dying, by column.
    dying: Vec<f64>,
    work: Work,
}

/// The maximum of the partial likelihood.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Maximum {
    /// Coefficient of the last column, in its own units.
    pub(super) coefficient: f64,
    /// Its variance from the inverse information.
    pub(super) variance: f64,
    /// Log-likelihood at 0 and at the maximum.
    pub(super) log_likelihood: [f64; 2],
    /// Score statistic of all coefficients at 0; none of the penalized likelihood.
    pub(super) score: Option<f64>,
    /// Wald statistic of all coefficients, from the information.
    pub(super) wald: f64,
    /// Number of coefficients.
    pub(super) coefficients: usize,
    /// Row of the inverse information that belongs to the last column, scaled.
    pub(super) direction: Vec<f64>,
    /// Coefficients of the scaled columns.
    pub(super) scaled: Vec<f64>,
}

/// Why there is no maximum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoMaximum {
    /// The last column is the same for all at risk at every time of an event.
    NotCompared,
    /// The other columns determine the last one.
    Aliased,
    /// Coefficients of these columns, as they were given, grow without bound.
    Diverges(Vec<usize>),
    /// No convergence within the steps.
    NotConverged,
}

impl PartialLikelihood {
    /// Orders the rows and takes the columns: `columns` are column-major over the analysed rows, at least one, the last
    /// the one that is asked for. `strata` has a code by row. Columns that are constant within strata are left out.
    pub(super) fn new(
        follow_up: &FollowUp,
        strata: Option<&[u32]>,
        columns: &[f64],
        ties: Ties,
    ) -> Self {
        Self::of(Frame::new(follow_up, strata), columns, ties)
    }

    /// The likelihood of the subdistribution of events of code 1 (Fine and Gray 1999): rows with another event stay at risk
    /// with the weight of being still followed. Tied times as Breslow; there is no entry and no stratum.
    pub(super) fn subdistribution(follow_up: &FollowUp, columns: &[f64]) -> Self {
        Self::of(Frame::subdistribution(follow_up), columns, Ties::Breslow)
    }

    fn of(frame: Frame, columns: &[f64], ties: Ties) -> Self {
        let n = frame.len();
        let mut likelihood = Self {
            frame,
            ties,
            z: Vec::with_capacity(columns.len()),
            kept: Vec::new(),
            scale: Vec::new(),
            dying: Vec::new(),
            work: Work::default(),
        };
        let last = (columns.len() / n).saturating_sub(1);
        for (index, column) in columns.chunks_exact(n).enumerate() {
            likelihood.take(index, column, index == last);
        }
        let columns = likelihood.z.chunks_exact(n);
        likelihood.dying = columns
            .map(|column| likelihood.frame.sum_dying(column))
            .collect();
        likelihood
    }

    /// Centres a column within strata and scales it; a constant one is left out, unless `always`.
    fn take(&mut self, index: usize, column: &[f64], always: bool) {
        let start = self.z.len();
        let order = &self.frame.order;
        self.z.extend(order.iter().map(|row| column[*row as usize]));
        let own = &mut self.z[start..];
        let (mut widest, mut spread, mut square) = (0.0f64, 0.0f64, 0.0);
        for part in self.frame.parts() {
            let rows = &mut own[part.rows];
            let mean = mean(rows);
            let left = take_away(rows, mean);
            widest = widest.max(mean.abs() + left.0);
            spread = spread.max(left.0);
            square += left.1;
        }
        if spread <= CONSTANT * widest {
            if always {
                own.fill(0.0);
                self.kept.push(index);
                self.scale.push(1.0);
            } else {
                self.z.truncate(start);
            }
            return;
        }
        // Squares of values up to 1e100 stay in the range of doubles; those of very small ones do not.
        let mut scale = 1.0;
        if spread < 1e-100 {
            let factor = 1.0 / spread;
            for value in own.iter_mut() {
                *value *= factor;
            }
            scale = spread;
            square = dot(own, own);
        }
        let length = (square / own.len() as f64).sqrt();
        let factor = 1.0 / length;
        for value in own.iter_mut() {
            *value *= factor;
        }
        self.kept.push(index);
        self.scale.push(scale * length);
    }

    /// Which of the given columns are fitted.
    pub(super) fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// Log-likelihood at `beta` (scaled), with score and information left in the work; `None` when it is not a number,
    /// because a risk set has no weight left.
    fn evaluate(&mut self, beta: &[f64]) -> Option<f64> {
        let log_likelihood = self
            .work
            .evaluate(&self.frame, &self.z, &self.dying, self.ties, beta);
        log_likelihood.is_finite().then_some(log_likelihood)
    }

    /// Leaves out columns that are the same for all at risk at every time of an event, or combinations of earlier ones
    /// there; the last column must stay. The work holds an evaluation at 0.
    fn drop_dependent(&mut self, cholesky: &mut Cholesky) -> Result<(), NoMaximum> {
        let n = self.frame.len();
        loop {
            let k = self.kept.len();
            let information = &self.work.information;
            // What is left of Σ u z² when the risk sets' means are taken away.
            let same = (0..k).map(|index| index * k + index).position(|at| {
                let whole = information[at] + self.work.products[at];
                information[at] <= DEPENDENT * whole
            });
            let dropped = match same {
                Some(index) if index + 1 == k => return Err(NoMaximum::NotCompared),
                Some(index) => index,
                None => match cholesky.factor(k, information, DEPENDENT) {
                    Ok(()) => return Ok(()),
                    Err(NumericsError::NotPositiveDefinite { column }) if column + 1 < k => column,
                    Err(_) => return Err(NoMaximum::Aliased),
                },
            };
            self.kept.remove(dropped);
            self.scale.remove(dropped);
            self.dying.remove(dropped);
            self.z.drain(dropped * n..(dropped + 1) * n);
            self.evaluate(&vec![0.0; k - 1]);
        }
    }

    /// Maximizes by Newton's method with halved steps.
    ///
    /// Errors: see [`NoMaximum`].
    pub(super) fn maximize(&mut self) -> Result<Maximum, NoMaximum> {
        let mut cholesky = Cholesky::default();
        let start = vec![0.0; self.kept.len()];
        let Some(at_zero) = self.evaluate(&start) else {
            return Err(NoMaximum::NotConverged);
        };
        // What remains is evaluated at 0, where the log-likelihood is the same without the others.
        self.drop_dependent(&mut cholesky)?;
        let k = self.kept.len();
        let mut beta = vec![0.0; k];
        let mut log_likelihood = at_zero;
        let (mut score, mut flat) = (None, false);
        let (mut step, mut tried) = (vec![0.0; k], vec![0.0; k]);
        // At 0 it was factored to see whether columns depend on each other.
        let mut factored = true;
        for _ in 0..MOST_STEPS {
            let information = &self.work.information;
            if !std::mem::replace(&mut factored, false)
                && cholesky.factor(k, information, f64::EPSILON).is_err()
            {
                return Err(NoMaximum::Diverges(self.moving(&beta)));
            }
            step.copy_from_slice(&self.work.score);
            cholesky.solve(&mut step);
            let gain = dot(&step, &self.work.score);
            let score = *score.get_or_insert(gain);
            // Near a maximum the next step is far smaller; without one it is as long again.
            let moves = gain <= FLAT && self.moves_far(&step);
            if moves && flat {
                return Err(NoMaximum::Diverges(self.moving(&step)));
            }
            flat = moves;
            if gain <= CONVERGED {
                let own = [at_zero, log_likelihood];
                return Ok(self.maximum(&cholesky, &beta, own, Some(score)));
            }
            // Near the maximum the log-likelihood rounds; a step there is taken as it is.
            let least = log_likelihood - 1e-11 * log_likelihood.abs().max(1.0);
            let mut found = false;
            for _ in 0..MOST_STEPS {
                for ((tried, beta), step) in tried.iter_mut().zip(&beta).zip(&step) {
                    *tried = beta + step;
                }
                if let Some(value) = self.evaluate(&tried).filter(|value| *value >= least) {
                    log_likelihood = value;
                    beta.copy_from_slice(&tried);
                    found = true;
                    break;
                }
                for step in &mut step {
                    *step *= 0.5;
                }
            }
            if !found {
                break;
            }
        }
        Err(NoMaximum::NotConverged)
    }

    fn maximum(
        &self,
        cholesky: &Cholesky,
        beta: &[f64],
        log_likelihood: [f64; 2],
        score: Option<f64>,
    ) -> Maximum {
        let k = beta.len();
        let mut direction = vec![0.0; k];
        direction[k - 1] = 1.0;
        cholesky.solve(&mut direction);
        // βᵀ I β from the lower triangle.
        let mut wald = 0.0;
        for b in 0..k {
            for a in b..k {
                let times = if a == b { 1.0 } else { 2.0 };
                wald += times * beta[a] * beta[b] * self.work.information[b * k + a];
            }
        }
        let scale = self.scale[k - 1];
        Maximum {
            coefficient: beta[k - 1] / scale,
            variance: direction[k - 1] / scale / scale,
            log_likelihood,
            score,
            wald,
            coefficients: k,
            direction,
            scaled: beta.to_vec(),
        }
    }

    /// Whether some row's linear predictor changes by more than [`MOVING`].
    fn moves_far(&self, step: &[f64]) -> bool {
        let n = self.frame.len();
        // A value in a column of unit mean square is at most √n.
        let most: f64 = step.iter().map(|step| step.abs()).sum();
        if most * (n as f64).sqrt() <= MOVING {
            return false;
        }
        let mut change = vec![0.0; n];
        combine(step, &self.z, &mut change);
        largest(&change) > MOVING
    }

    /// The columns that move linear predictors most, as they were given.
    fn moving(&self, step: &[f64]) -> Vec<usize> {
        let columns = self.z.chunks_exact(self.frame.len());
        let moves: Vec<f64> = step
            .iter()
            .zip(columns)
            .map(|(step, column)| step.abs() * largest(column))
            .collect();
        let furthest = largest(&moves);
        let moving = moves.iter().zip(&self.kept);
        moving
            .filter(|(own, _)| **own >= 0.1 * furthest)
            .map(|(_, index)| *index)
            .collect()
    }

    /// Variance of the last coefficient at the maximum by the sandwich: the sum over groups of the squared sum of their
    /// rows' score residuals, in the direction of the coefficient. `groups` has a code by analysed row; without, each
    /// row is its own.
    pub(super) fn sandwich(&self, maximum: &Maximum, groups: Option<&[u32]>) -> f64 {
        // Projected on one direction, each row has one number.
        let mut along = vec![0.0; self.frame.len()];
        for (v, column) in maximum
            .direction
            .iter()
            .zip(self.z.chunks_exact(along.len()))
        {
            axpy(*v, column, &mut along);
        }
        let (frame, weight) = (&self.frame, &self.work.weight);
        let residual = match &frame.lasting {
            None => sandwich::score_residuals(frame, weight, &along, self.ties),
            Some(lasting) => subdistribution::residuals(frame, lasting, weight, &along),
        };
        let square = match groups {
            None => dot(&residual, &residual),
            Some(groups) => {
                let count = groups.iter().max().map_or(0, |most| *most as usize + 1);
                let mut sums = vec![0.0; count];
                for (value, row) in residual.iter().zip(&self.frame.order) {
                    sums[groups[*row as usize] as usize] += value;
                }
                dot(&sums, &sums)
            }
        };
        let scale = self.scale.last().copied().unwrap_or(1.0);
        square / scale / scale
    }
}
