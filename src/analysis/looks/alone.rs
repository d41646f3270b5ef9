//! Looks at what has a test and no standard error: a ratio of 0 or infinity, and an effect that leaves nothing over for one, of which redraws
//! decide. They are looks without information. And a lock at which nothing can be weighed at all.

use super::{EarlierLook, listed, spent, standing, weight};
use crate::analysis::plan::treated_arms;
use crate::analysis::results::AnalysisResult;
use crate::analysis::statistic::over_error;
use crate::analysis::workspace::{Effect, Scale, Workspace};
use crate::estimation::Warning;
use crate::estimation::group_sequential::Look;
use crate::estimation::lin_statistic::Studentized;
use crate::numerics::decimals;
use crate::protocol::Protocol;
use crate::protocol::model::Analysis;
use crate::study::kernel::State;
use crate::words;

/// An effect as it is looked at: as it is weighed or, of a ratio of 0 or infinity, which is tested and has no standard error, as a
/// look without information, at which the deviate of its test stands in place of an estimate. So is one that leaves nothing over for a
/// standard error, where redraws decide, of the analysis that was sampled. Such a look spends its own amount alone, and the others go on
/// without it. `None` where there is nothing to test.
pub(crate) fn looked_at(
    effect: &Effect,
    analysis: &Analysis,
    workspace: &Workspace,
) -> Option<Look> {
    let endless = effect.scale == Scale::Log && effect.std_error.is_infinite();
    let tested = effect.statistic.filter(|_| endless);
    let own = (effect.estimate, effect.std_error, effect.scale);
    weight(effect)
        .or_else(|| alone(tested, effect.p_value))
        .or_else(|| exact(analysis, workspace, own))
}

/// A look at an effect without a standard error, which is endless in its own and is told so far as deviates go; redraws decide of it.
pub(super) fn exact(
    analysis: &Analysis,
    workspace: &Workspace,
    (estimate, std_error, scale): (f64, f64, Scale),
) -> Option<Look> {
    analysis.test.filter(|_| scale == Scale::Identity)?;
    let own = Studentized {
        estimate,
        std_error,
    };
    let sizes = workspace.y.iter().map(|y| y.abs());
    let value = over_error(own, || sizes.clone().fold(0.0, f64::max))?;
    value.is_infinite().then_some(Look {
        estimate: FARTHEST.copysign(value),
        std_error: f64::INFINITY,
        df: None,
    })
}

/// A lock at which nothing can be weighed against the earlier looks, which are in their order: what is left of alpha is a valid limit,
/// and what was seen and decided at them stands whatever there is now.
pub(super) fn unweighed(
    protocol: &Protocol,
    analysis: &Analysis,
    lock: usize,
    earlier: &[&EarlierLook],
    result: &mut AnalysisResult,
) {
    let gone = earlier.last();
    let gone = gone.map_or(0.0, |before| spent(protocol, analysis, before.lock));
    result.alpha = Some(decimals::sum(&[spent(protocol, analysis, lock), -gone]));
    let looks: Vec<(usize, Look)> = earlier.iter().map(|own| (own.lock, own.look)).collect();
    let tested: Vec<Option<f64>> = earlier.iter().map(|own| own.p_value).collect();
    let standing = standing(protocol, analysis, &looks);
    let first = listed(protocol, analysis, (&looks, &tested), &standing, result);
    if let Some(index) = first {
        let id = &protocol.locks[looks[index].0].id;
        result.warnings.push(Warning::new(
            "crossed-earlier",
            words!(
                "the boundary was crossed at the look `{id}` already: the study's decision was taken there, and that nothing can be weighed now takes nothing of it back",
                "gränsen passerades redan vid titten `{id}`: studiens beslut togs där, och att inget kan vägas nu tar inte tillbaka något av det"
            ),
        ));
    }
}

/// Deviates are no larger.
pub(super) const FARTHEST: f64 = 37.0;

/// A look at a ratio of 0 or infinity, by the deviate of its test.
pub(super) fn alone(statistic: Option<f64>, p_value: Option<f64>) -> Option<Look> {
    let deviate = statistic.filter(|_| p_value.is_some())?;
    Some(Look {
        estimate: deviate,
        std_error: f64::INFINITY,
        df: None,
    })
}

/// The limits of the sampled ratio, of 0 or infinity, at the level that a look leaves it: it has no standard error to repeat, and its
/// test is inverted at its own critical value instead. `None` where none is found.
pub(crate) fn score_limits(
    workspace: &mut Workspace,
    (protocol, state): (&Protocol, &State),
    analysis: &Analysis,
    alpha: f64,
) -> Option<(f64, f64)> {
    let analysis = Analysis {
        alpha,
        ..analysis.clone()
    };
    let treated = treated_arms(protocol).next()?;
    let fitted = workspace.fit(protocol, state, &analysis, treated).ok()?;
    let effect = fitted.effect().ok()?;
    effect.conf_low.zip(effect.conf_high)
}

/// Bounds a ratio of 0 or infinity that was looked at: its limit is at the level of the look, as every repeated one.
pub(in crate::analysis) fn bound(
    workspace: &mut Workspace,
    ground: (&Protocol, &State),
    analysis: &Analysis,
    result: &mut AnalysisResult,
) {
    let Some(alpha) = result.alpha.filter(|_| result.looked_here) else {
        return;
    };
    let own = result.results.first_mut();
    if let Some(row) = own.filter(|row| row.endless().is_some()) {
        let limits = score_limits(workspace, ground, analysis, alpha);
        let (low, high) = limits.unzip();
        row.conf_low = low.filter(|low| *low > 0.0);
        row.conf_high = high.filter(|high| high.is_finite());
    }
}
