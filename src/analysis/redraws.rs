//! What a statistic is on every redraw: kept, so that one pass serves the p, its interval and several hypotheses.
//!
//! `randomization` counts tails without keeping anything, for simulated studies; here the numbers of a registered run are
//! kept, five a redraw, and `estimation::inversion` counts them at any constant effect. Which arms are redrawn is
//! `reference_set`'s.

use super::attainable::smallest_p;
use super::randomization::{TestError, TestFigures, observe};
use super::reference_set::{Enumeration, History, Redrawer, replicate};
use super::statistic::Registered;
use crate::allocation::Arm;
use crate::estimation::inversion::{Counting, Inversion, Limits, Studentized, TIE};
use crate::numerics::shares::Parts;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Where the allocations that could have been come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// Every sequence, with its probability.
    Every(&'a Enumeration),
    /// Redraws 0, 1, … under a key.
    Key(&'a [u8; 32], u64),
}

/// A registered statistic on the observed arms and on all redraws.
#[derive(Debug, Clone)]
pub(super) struct Redrawn {
    observed: Studentized,
    draws: Vec<Studentized>,
    /// Probabilities of the sequences, where all were listed.
    weights: Option<Vec<f64>>,
}

impl Redrawn {
    /// Computes it on all threads; the order is that of the redraws, so the bytes do not depend on them.
    ///
    /// # Errors
    /// [`TestError`].
    pub(super) fn new(
        history: &History,
        arms: &[Arm],
        source: Source<'_>,
        statistic: &Registered<'_>,
    ) -> Result<Self, TestError> {
        let mut own = statistic.clone();
        observe(history, arms, &mut own)?;
        let observed = own.studentized(arms).ok_or(TestError::NoStatistic)?;
        let (draws, weights) = match source {
            Source::Every(enumeration) => {
                let found: Vec<(Studentized, f64)> = (0..enumeration.total())
                    .into_par_iter()
                    .map_init(
                        || (statistic.clone(), Vec::new()),
                        |(statistic, arms), number| {
                            let probability = enumeration.sequence(number, arms);
                            let value = statistic.studentized(arms);
                            (value.unwrap_or(Studentized::NONE), probability)
                        },
                    )
                    .collect();
                let (draws, weights) = found.into_iter().unzip();
                (draws, Some(weights))
            }
            Source::Key(_, 0) => return Err(TestError::NoDraws),
            Source::Key(key, number) => {
                let draws = (0..number)
                    .into_par_iter()
                    .map_init(
                        || (statistic.clone(), Redrawer::default(), Vec::new()),
                        |(statistic, redrawer, arms), number| {
                            history.redraw(redrawer, &mut replicate(key, number), arms);
                            statistic.studentized(arms).unwrap_or(Studentized::NONE)
                        },
                    )
                    .collect();
                (draws, None)
            }
        };
        let found = Self {
            observed,
            draws,
            weights,
        };
        if found.varies() {
            Ok(found)
        } else {
            Err(TestError::NoVariation)
        }
    }

    /// Whether the null distribution has any variance.
    fn varies(&self) -> bool {
        let own = self.observed.value(0.0).unwrap_or(0.0);
        let size = if own.is_finite() { own.abs() } else { 1.0 };
        let tolerance = TIE * size.max(1.0);
        let values = self.draws.iter().filter_map(|draw| draw.value(0.0));
        values
            .into_iter()
            .any(|value| value < own - tolerance || value > own + tolerance)
    }

    fn inversion(&self) -> Inversion<'_> {
        Inversion {
            observed: self.observed,
            draws: &self.draws,
            counting: self
                .weights
                .as_deref()
                .map_or(Counting::Redraws, Counting::Weighted),
        }
    }

    /// The test of no effect: the figures of [`super::randomization::exact`] and
    /// [`super::randomization::monte_carlo`].
    pub(super) fn figures(&self) -> Result<TestFigures, TestError> {
        let shares = self.inversion().shares(0.0).ok_or(TestError::NoStatistic)?;
        let (upper, lower) = (shares.upper, shares.lower);
        let q = upper.min(lower);
        let draws = self.draws.len() as u64;
        let exact = self.weights.is_some();
        let failed = self.draws.iter().filter(|draw| draw.a.is_nan()).count();
        Ok(TestFigures {
            statistic: self.observed.value(0.0).ok_or(TestError::NoStatistic)?,
            p_value: shares.two_sided(),
            upper,
            lower,
            exact,
            draws,
            failed: failed as u64,
            mcse: if exact {
                0.0
            } else {
                2.0 * (q * (1.0 - q) / draws as f64).sqrt()
            },
        })
    }

    /// The smallest two-sided p that any of these allocations could have given: of redraws that of their number and of those
    /// without a statistic, of all sequences twice the smaller of the probabilities of the two extremes.
    pub(super) fn smallest_p(&self) -> f64 {
        let Some(weights) = &self.weights else {
            let failed = self.draws.iter().filter(|draw| draw.a.is_nan()).count();
            return smallest_p(self.draws.len() as u64, failed as u64);
        };
        let values = || self.draws.iter().map(|draw| draw.value(0.0)).zip(weights);
        let known = || values().filter_map(|(value, _)| value);
        let ends = [
            known().fold(f64::INFINITY, f64::min),
            known().fold(f64::NEG_INFINITY, f64::max),
        ];
        let near = |end: f64, value: f64| {
            let size = if end.is_finite() { end.abs() } else { 1.0 };
            value.total_cmp(&end).is_eq() || (value - end).abs() <= TIE * size.max(1.0)
        };
        let mut parts = Parts::default();
        for (value, weight) in values() {
            let at = ends.map(|end| value.is_none_or(|value| near(end, value)));
            parts.add(*weight, at);
        }
        let [least, greatest] = parts.shares();
        (2.0 * least.min(greatest)).min(1.0)
    }

    /// All constant effects that the test does not reject at `alpha`, as their smallest interval.
    pub(super) fn limits(&self, alpha: f64) -> Option<Limits> {
        self.inversion().limits(alpha)
    }

    /// Sizes of the statistic: observed, and on every redraw; infinite where it does not exist.
    pub(super) fn sizes(&self) -> (f64, Vec<f64>) {
        let size = |own: &Studentized| own.value(0.0).map_or(f64::INFINITY, f64::abs);
        (size(&self.observed), self.draws.iter().map(size).collect())
    }

    /// The statistic on every redraw, as a function of a constant effect.
    pub(super) fn kept(&self) -> &[Studentized] {
        &self.draws
    }

    /// Probabilities of the sequences, where all were listed.
    pub(super) fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }
}
