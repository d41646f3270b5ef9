//! Maxima with the last coefficient free or held at a value, of the likelihood or of Firth's penalized likelihood, and the score
//! test of that value.

use super::penalty::Penalty;
use super::{CONVERGED, FLAT, MOST_STEPS, Maximum, NoMaximum, PartialLikelihood};
use crate::numerics::linear_algebra::{Cholesky, combine, dot, largest};

/// The penalized likelihood's steps, of the likelihood's own information, come nearer by a part of what is left.
const MOST_PENALIZED_STEPS: usize = 400;

/// No step of them moves a linear predictor by more.
const FARTHEST: f64 = 5.0;

/// Converged when a step of them would gain less than half of this …
const SETTLED: f64 = 1e-22;

/// … or less than half of this, and rounding lets it gain no less than the one before.
const ROUNDED: f64 = 1e-15;

/// What is maximized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::estimation) enum Objective {
    /// `l(β)`.
    Likelihood,
    /// `l(β) + ½ ln det I(β)` (Firth 1993; Heinze and Schemper 2001, doi 10.1111/j.0006-341X.2001.00114.x).
    Firth,
}

/// Where the objective is highest.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::estimation) struct Top {
    /// Coefficients of the scaled columns.
    beta: Vec<f64>,
    /// What was maximized, there.
    pub(in crate::estimation) value: f64,
}

impl PartialLikelihood {
    /// The largest penalized likelihood.
    ///
    /// Errors: [`NoMaximum::NotCompared`], [`NoMaximum::Aliased`], [`NoMaximum::NotConverged`].
    pub(in crate::estimation) fn penalized(&mut self) -> Result<(Maximum, Top), NoMaximum> {
        let at_zero = self.begin()?;
        let mut cholesky = Cholesky::default();
        self.factor(&mut cholesky)?;
        let null = at_zero + self.half_log_determinant(&cholesky);
        let top = self.highest(Objective::Firth, None, None)?;
        self.factor(&mut cholesky)?;
        let own = [null, top.value];
        Ok((self.maximum(&cholesky, &top.beta, own, None), top))
    }

    /// Where the largest likelihood is, after [`PartialLikelihood::maximize`].
    pub(in crate::estimation) fn top(maximum: &Maximum) -> Top {
        Top {
            beta: maximum.scaled.clone(),
            value: maximum.log_likelihood[1],
        }
    }

    /// The objective with the last coefficient held at `value`, in its own units, and the others where it is highest; `near` is
    /// where to begin.
    pub(in crate::estimation) fn held(
        &mut self,
        objective: Objective,
        value: f64,
        near: Option<&Top>,
    ) -> Result<Top, NoMaximum> {
        self.highest(objective, Some(value), near)
    }

    /// The score test of a value of the last coefficient, the others where they are likeliest: a normal deviate.
    pub(in crate::estimation) fn score_at(
        &mut self,
        value: f64,
        near: Option<&Top>,
    ) -> Result<(f64, Top), NoMaximum> {
        let top = self.highest(Objective::Likelihood, Some(value), near)?;
        let k = self.kept.len();
        let mut cholesky = Cholesky::default();
        self.factor(&mut cholesky)?;
        // The others' slopes are rounding; what they leave of the last one's information is the inverse of its inverse's element.
        let mut direction = vec![0.0; k];
        direction[k - 1] = 1.0;
        cholesky.solve(&mut direction);
        let score = self.work.score[k - 1] * direction[k - 1].sqrt();
        Ok((score, top))
    }

    /// Evaluates at 0 and leaves dependent columns out.
    fn begin(&mut self) -> Result<f64, NoMaximum> {
        let start = vec![0.0; self.kept.len()];
        let at_zero = self.evaluate(&start).ok_or(NoMaximum::NotConverged)?;
        self.drop_dependent(&mut Cholesky::default())?;
        Ok(at_zero)
    }

    fn factor(&self, cholesky: &mut Cholesky) -> Result<(), NoMaximum> {
        cholesky
            .factor(self.kept.len(), &self.work.information, f64::EPSILON)
            .map_err(|_| NoMaximum::NotConverged)
    }

    /// `½ ln det I` of the columns in their own units.
    fn half_log_determinant(&self, cholesky: &Cholesky) -> f64 {
        let scales = self.scale.iter().enumerate();
        scales
            .map(|(at, scale)| libm::log(cholesky.l(at, at)) + libm::log(*scale))
            .sum()
    }

    fn highest(
        &mut self,
        objective: Objective,
        held: Option<f64>,
        near: Option<&Top>,
    ) -> Result<Top, NoMaximum> {
        let k = self.kept.len();
        let mut beta = near.map_or_else(|| vec![0.0; k], |near| near.beta.clone());
        let mut free = k;
        if let Some(value) = held {
            beta[k - 1] = value * self.scale[k - 1];
            free -= 1;
        }
        match objective {
            Objective::Likelihood => self.climb(beta, free),
            Objective::Firth => self.climb_penalized(beta, free),
        }
    }

    /// Newton's method in the first `free` coefficients.
    fn climb(&mut self, mut beta: Vec<f64>, free: usize) -> Result<Top, NoMaximum> {
        let mut value = self.evaluate(&beta).ok_or(NoMaximum::NotConverged)?;
        let mut cholesky = Cholesky::default();
        let mut flat = false;
        for _ in 0..MOST_STEPS {
            let step = self.step(&mut cholesky, &self.work.score, free);
            let Some((mut step, gain)) = step else {
                return Err(NoMaximum::Diverges(self.moving(&beta)));
            };
            let moves = gain <= FLAT && self.moves_far(&step);
            if moves && flat {
                return Err(NoMaximum::Diverges(self.moving(&step)));
            }
            flat = moves;
            if gain <= CONVERGED {
                return Ok(Top { beta, value });
            }
            let least = value - 1e-11 * value.abs().max(1.0);
            let mut tried = None;
            for _ in 0..MOST_STEPS {
                let next: Vec<f64> = beta.iter().zip(&step).map(|(b, s)| b + s).collect();
                if let Some(found) = self.evaluate(&next).filter(|found| *found >= least) {
                    tried = Some((next, found));
                    break;
                }
                shorten(&mut step, 0.5);
            }
            let Some(next) = tried else { break };
            (beta, value) = next;
        }
        Err(NoMaximum::NotConverged)
    }

    /// Steps of the likelihood's information, longer or shorter as the slope along the last one was found to fall: the penalty's
    /// own curvature, which the information lacks.
    fn climb_penalized(&mut self, mut beta: Vec<f64>, free: usize) -> Result<Top, NoMaximum> {
        let mut penalty = Penalty::new(&self.z, self.frame.len());
        let mut cholesky = Cholesky::default();
        let value = self.evaluate(&beta).ok_or(NoMaximum::NotConverged)?;
        self.factor(&mut cholesky)?;
        let mut value = value + self.half_log_determinant(&cholesky);
        let (mut length, mut before) = (1.0, f64::INFINITY);
        // The last step taken, and the slope along it where it began.
        let mut last: Option<(Vec<f64>, f64)> = None;
        for _ in 0..MOST_PENALIZED_STEPS {
            let slope = self.penalized_slope(&mut penalty, &cholesky);
            let own = self.step(&mut Cholesky::default(), &slope, free);
            let (mut step, gain) = own.ok_or(NoMaximum::NotConverged)?;
            if gain <= SETTLED || (gain <= ROUNDED && gain >= before) {
                return Ok(Top { beta, value });
            }
            before = gain;
            if let Some((step, begun)) = &last {
                let left = dot(step, &slope) / begun;
                length *= (1.0 / (1.0 - left)).clamp(0.25, 2.0);
                length = length.clamp(0.05, 4.0);
            }
            let farthest = self.farthest(&step) * length;
            let part = length * (FARTHEST / farthest).min(1.0);
            shorten(&mut step, part);
            let least = value - 1e-11 * value.abs().max(1.0);
            let mut found = false;
            for _ in 0..MOST_STEPS {
                let next: Vec<f64> = beta.iter().zip(&step).map(|(b, s)| b + s).collect();
                let own = self.evaluate(&next);
                let own = own.filter(|_| self.factor(&mut cholesky).is_ok());
                let own = own.map(|own| own + self.half_log_determinant(&cholesky));
                if let Some(own) = own.filter(|own| *own >= least) {
                    (beta, value, found) = (next, own, true);
                    break;
                }
                shorten(&mut step, 0.5);
            }
            if !found {
                break;
            }
            let begun = dot(&step, &slope);
            last = Some((step, begun));
        }
        Err(NoMaximum::NotConverged)
    }

    /// The step of the first `free` coefficients, and its product with their slope; `None` without information.
    fn step(&self, cholesky: &mut Cholesky, slope: &[f64], free: usize) -> Option<(Vec<f64>, f64)> {
        let k = self.kept.len();
        let mut step = slope.to_vec();
        step.truncate(free);
        if free > 0 {
            let columns = self.work.information.chunks_exact(k).take(free);
            let block: Vec<f64> = columns.flat_map(|own| own[..free].to_vec()).collect();
            cholesky.factor(free, &block, f64::EPSILON).ok()?;
            cholesky.solve(&mut step);
        }
        let gain = dot(&step, &slope[..free]);
        step.resize(k, 0.0);
        Some((step, gain))
    }

    /// The slope of `l + ½ ln det I`.
    fn penalized_slope(&self, penalty: &mut Penalty, cholesky: &Cholesky) -> Vec<f64> {
        let own = penalty.slope(&self.frame, &self.work, cholesky, self.ties);
        self.work
            .score
            .iter()
            .zip(own)
            .map(|(u, p)| u + p)
            .collect()
    }

    /// The most that a step moves a linear predictor.
    fn farthest(&self, step: &[f64]) -> f64 {
        let mut change = vec![0.0; self.frame.len()];
        combine(step, &self.z, &mut change);
        largest(&change)
    }
}

fn shorten(step: &mut [f64], by: f64) {
    for own in step {
        *own *= by;
    }
}
