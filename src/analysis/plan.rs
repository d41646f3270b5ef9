//! The registered plan, compiled: the analyses of a lock, and their numbers alone for simulated studies.
//!
//! A [`Plan`] holds the analyses; a [`Workspace`] holds the storage of their computation, so that a simulation runs the
//! plan thousands of times without the heap growing with families. The words around the numbers are made in `run`,
//! from the same numbers.

use super::multiplicity::{Sizes, westfall_young};
use super::randomization::{
    Statistic, TestError, TestFigures, decide_by, decide_here, monte_carlo_here,
};
use super::reference_set::replicate;
use super::statistic::{Registered, Sampled};
use super::subgroups::contrasts;
use super::workspace::{Effect, Workspace};
use crate::allocation::Arm;
use crate::estimation::EstimationError;
use crate::numerics::decimals;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day, OutcomeKind, Summary};
use crate::study::kernel::State;

/// An analysis that is to be run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What is to be computed.
    pub analysis: Analysis,
    /// Whether the sealed protocol registered it; false is post hoc.
    pub prespecified: bool,
}

/// The analyses of a lock, in the protocol's order, post hoc ones last.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    planned: Vec<Planned>,
}

/// The arms that are compared with the control arm, in the protocol's order.
pub fn treated_arms(protocol: &Protocol) -> impl Iterator<Item = Arm> {
    let control = protocol.control;
    (0..protocol.arms.len())
        .map(|index| Arm(index as u8))
        .filter(move |arm| *arm != control)
}

impl Plan {
    /// The registered analyses of a lock, and those that it looks at before their own.
    pub fn registered(protocol: &Protocol, lock: usize) -> Self {
        Self::of(protocol, |analysis| {
            analysis.lock == lock || analysis.looks.contains(&lock)
        })
    }

    /// Some analyses of a protocol, by their indices: for simulated studies.
    pub fn chosen(protocol: &Protocol, indices: &[usize]) -> Self {
        Self::of(protocol, |analysis| {
            let own = |index: &usize| protocol.analyses.get(*index);
            indices
                .iter()
                .filter_map(own)
                .any(|own| own.id == analysis.id)
        })
    }

    /// Every registered analysis, whatever its lock: for a dry run without one.
    pub fn everything(protocol: &Protocol) -> Self {
        Self::of(protocol, |_| true)
    }

    fn of(protocol: &Protocol, chosen: impl Fn(&Analysis) -> bool) -> Self {
        let planned = protocol
            .analyses
            .iter()
            .filter(|analysis| chosen(analysis))
            .map(|analysis| Planned {
                analysis: analysis.clone(),
                prespecified: true,
            })
            .collect();
        Self { planned }
    }

    /// The plan with one more analysis, which no protocol registered: its results are marked post hoc.
    #[must_use]
    pub fn with_post_hoc(mut self, analysis: Analysis) -> Self {
        self.planned.push(Planned {
            analysis,
            prespecified: false,
        });
        self
    }

    /// The analyses.
    pub fn planned(&self) -> &[Planned] {
        &self.planned
    }

    /// The effect of every analysis into `effects`: of each treated arm in the protocol's order.
    pub fn effects(
        &self,
        protocol: &Protocol,
        state: &State,
        cut: Day,
        workspace: &mut Workspace,
        effects: &mut Vec<Result<Effect, EstimationError>>,
    ) {
        effects.clear();
        workspace.load(protocol, state, cut);
        for planned in &self.planned {
            workspace.sample(protocol, state, cut, &planned.analysis);
            for treated in treated_arms(protocol) {
                effects.push(
                    workspace
                        .fit(protocol, state, &planned.analysis, treated)
                        .and_then(|fitted| fitted.effect()),
                );
            }
        }
    }

    /// The randomization test of the first treated arm in the analysis with index `index`, by `draws` redraws under `key` on the calling
    /// thread; never by enumeration. For simulated studies.
    ///
    /// # Errors
    /// [`TestError`].
    pub fn test_here(
        &self,
        (protocol, state, cut): (&Protocol, &State, Day),
        index: usize,
        redraws: (&[u8; 32], u64),
        workspace: &mut Workspace,
    ) -> Result<TestFigures, TestError> {
        self.here((protocol, state, cut), (index, 0), redraws, &[], workspace)
    }

    /// As [`Plan::test_here`], of the treated arm at a place among them, stopping when the redraws that are left cannot move the
    /// p across any of the limits (none: all are made): the same decision, with a fraction of the redraws.
    ///
    /// # Errors
    /// [`TestError`].
    pub fn decision_here(
        &self,
        (protocol, state, cut): (&Protocol, &State, Day),
        comparison: (usize, usize),
        (key, draws, limits): (&[u8; 32], u64, &[f64]),
        workspace: &mut Workspace,
    ) -> Result<TestFigures, TestError> {
        let data = (protocol, state, cut);
        self.here(data, comparison, (key, draws), limits, workspace)
    }

    fn here(
        &self,
        data: (&Protocol, &State, Day),
        comparison: (usize, usize),
        (key, draws): (&[u8; 32], u64),
        limits: &[f64],
        workspace: &mut Workspace,
    ) -> Result<TestFigures, TestError> {
        let sampled = self.sampled_here(data, comparison, workspace)?;
        let Workspace {
            history,
            arms,
            redrawer,
            redrawn,
            ..
        } = workspace;
        let mut statistic = Registered::new(&sampled);
        if limits.is_empty() {
            return monte_carlo_here(
                history,
                arms,
                &mut statistic,
                (key, draws),
                (redrawer, redrawn),
            );
        }
        decide_here(
            history,
            arms,
            &mut statistic,
            (key, draws, limits),
            (redrawer, redrawn),
        )
    }

    /// Westfall and Young's adjusted p-values of some comparisons, by `draws` redraws under `key` that they share, on the calling
    /// thread; 1 where a statistic does not exist or does not vary. For simulated studies; a registered run adjusts alike.
    pub fn jointly_here(
        &self,
        data: (&Protocol, &State, Day),
        comparisons: &[(usize, usize)],
        (key, draws): (&[u8; 32], u64),
        workspace: &mut Workspace,
    ) -> Vec<f64> {
        let mut adjusted = vec![1.0; comparisons.len()];
        let (mut places, mut sizes) = (Vec::new(), Vec::new());
        for (place, comparison) in comparisons.iter().enumerate() {
            let Ok(sampled) = self.sampled_here(data, *comparison, workspace) else {
                continue;
            };
            let Workspace {
                history,
                arms,
                redrawer,
                redrawn,
                ..
            } = workspace;
            let mut statistic = Registered::new(&sampled);
            let Some(observed) = statistic.value(arms).filter(|own| !own.is_nan()) else {
                continue;
            };
            let mut values = Vec::with_capacity(draws as usize);
            let found = decide_by(observed, (draws, &[]), |number| {
                history.redraw(redrawer, &mut replicate(key, number), redrawn);
                let value = statistic.value(redrawn);
                values.push(value.map_or(f64::INFINITY, f64::abs));
                value
            });
            if found.is_ok() {
                places.push(place);
                sizes.push(Sizes {
                    observed: observed.abs(),
                    redrawn: values,
                });
            }
        }
        for (place, found) in places.into_iter().zip(westfall_young(&sizes, None)) {
            adjusted[place] = found;
        }
        adjusted
    }

    /// The p-values of the contrasts of subgroups that the analysis with an index registers, in their order; one that does not exist is
    /// left out, and one without a p has 1. For simulated studies; a registered run has the same.
    pub fn contrasts_here(
        &self,
        (protocol, state, cut): (&Protocol, &State, Day),
        index: usize,
        workspace: &mut Workspace,
    ) -> Vec<f64> {
        let (Some(planned), Some(treated)) =
            (self.planned.get(index), treated_arms(protocol).next())
        else {
            return Vec::new();
        };
        workspace.load(protocol, state, cut);
        workspace.sample(protocol, state, cut, &planned.analysis);
        contrasts(workspace, (protocol, state), &planned.analysis, treated)
    }

    /// The sampled outcome of a comparison, with history and arms of the state in the workspace.
    fn sampled_here(
        &self,
        (protocol, state, cut): (&Protocol, &State, Day),
        (index, place): (usize, usize),
        workspace: &mut Workspace,
    ) -> Result<Sampled, TestError> {
        let (Some(planned), Some(treated)) =
            (self.planned.get(index), treated_arms(protocol).nth(place))
        else {
            return Err(TestError::NoStatistic);
        };
        workspace.load(protocol, state, cut);
        workspace.sample(protocol, state, cut, &planned.analysis);
        workspace.history.reload(protocol, state);
        workspace.arms.clear();
        workspace
            .arms
            .extend(state.allocations.iter().map(|allocated| allocated.arm));
        Ok(workspace.sampled(protocol, state, &planned.analysis, treated))
    }
}

/// The limit of the deciding p of an analysis at its own lock: its alpha without what looks on the way may spend, which is
/// right whatever was seen there and a little strict ([`super::looks`] weighs it by information); `None` at an interim
/// lock, where nothing is decided.
pub fn limit(protocol: &Protocol, analysis: &Analysis) -> Option<f64> {
    let interim = |lock: &usize| protocol.locks.get(*lock).filter(|lock| lock.interim);
    if interim(&analysis.lock).is_some() {
        return None;
    }
    let looks = analysis.looks.iter().filter_map(interim);
    let spent = looks.map(|lock| -lock.alpha);
    let terms: Vec<f64> = std::iter::once(analysis.alpha).chain(spent).collect();
    Some(decimals::sum(&terms))
}

/// Whether the analysed value is 0 or 1: of a first event, whether it was seen.
pub(super) fn is_binary(protocol: &Protocol, analysis: &Analysis) -> bool {
    match analysis.summary {
        Summary::Any | Summary::FirstTime => true,
        Summary::Count => false,
        Summary::Value => matches!(
            protocol.outcomes[analysis.outcome].kind,
            OutcomeKind::Binary { .. }
        ),
    }
}
