//! The row of the studentized bootstrap: the same effect, its interval and p by drawing the families again.
//!
//! A check of the interval of a mean difference where outcomes are skewed, such as costs; it decides nothing. The draws are those of
//! the analysis' own key, a stream for each resample, so that they are the same whenever and on however many threads they are made.

use super::{Found, Ground, fitted};
use crate::analysis::reference_set::bootstrap_key;
use crate::analysis::workspace::Workspace;
use crate::estimation::resampling::{BootstrapT, Effect, Resampler};
use crate::estimation::{Estimate, EstimationError, Warning, reported};
use crate::numerics::stream::replicate;
use crate::protocol::model::{Analysis, Covariate, Skewed};
use crate::words;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::json;

/// The effect on every resample of the sampled families, in the order of the streams; `None` where it or its standard error does not
/// exist.
///
/// # Errors
/// Families that cannot be drawn again, such as one that is alone with its arm in a stratum.
pub(in crate::analysis) fn resamples(
    workspace: &Workspace,
    ground: Ground<'_>,
    analysis: &Analysis,
    number: u32,
) -> Result<Vec<Option<Effect>>, EstimationError> {
    let (protocol, state) = (ground.protocol, ground.state);
    let handed = workspace.handed(protocol, state, analysis, ground.treated);
    let group = |row: &usize| {
        let site = workspace.units.get(*row).map(|unit| unit.site);
        let group = site.and_then(|site| workspace.groups.of(site));
        group.map_or(u32::MAX, u32::from)
    };
    let within: Vec<u32> = if analysis.covariates.contains(&Covariate::Site) {
        handed.rows.iter().map(group).collect()
    } else {
        Vec::new()
    };
    let settings = Workspace::settings(analysis);
    let estimator = &analysis.estimator;
    let resampler = Resampler::new(estimator, &handed.columns, &settings, &within)?;
    let key = bootstrap_key(protocol, &analysis.id, analysis.lock);
    let all = 0..u64::from(number);
    Ok(all
        .into_par_iter()
        .map_init(
            || resampler.clone(),
            |own, number| own.draw(&mut replicate(&key, number)),
        )
        .collect())
}

/// The effect of the analysis with the interval and the p of so many resamples.
pub(super) fn resampled(
    workspace: &mut Workspace,
    ground: Ground<'_>,
    analysis: &Analysis,
    number: u32,
) -> Found {
    workspace.sample(ground.protocol, ground.state, ground.cut, analysis);
    let (mut rows, mut warnings) = fitted(workspace, ground, analysis)?;
    let Some(row) = rows.first_mut() else {
        return Err(EstimationError::NoRows);
    };
    let own = row.estimate.zip(row.std_error);
    (row.df, row.p_value, row.conf_low, row.conf_high) = (None, None, None, None);
    "bootstrap-t".clone_into(&mut row.interval);
    row.extra.insert("resamples".into(), json!(number));
    // Where nothing varies there is neither test nor interval, as in the result.
    if let Some((estimate, std_error)) = own.filter(|(_, std_error)| *std_error > 0.0) {
        let drawn = resamples(workspace, ground, analysis, number)?;
        let own = Effect {
            estimate,
            std_error,
        };
        let found = BootstrapT::new(own, &drawn);
        warnings.extend(complete(row, &found, analysis.alpha, number));
    }
    Ok((rows, warnings))
}

/// Fills a row with the interval and the p; what there is to tell of them.
fn complete(row: &mut Estimate, found: &BootstrapT, alpha: f64, number: u32) -> Vec<Warning> {
    let (p_value, mcse) = found.p_value();
    row.statistic = Some(found.statistic());
    row.p_value = Some(reported(p_value));
    (row.conf_low, row.conf_high) = found.limits(alpha);
    let failed = found.failed();
    row.extra.insert("failed".into(), json!(failed));
    row.extra.insert("mcse".into(), json!(mcse));
    let name = Skewed::Bootstrap.text();
    let mut told = Vec::new();
    if failed > 0 {
        told.push(Warning::new(
            "resamples-failed",
            words!(
                "resamples of `{name}` on which the effect or its standard error does not exist: {failed} of {number}; they count as more extreme than every other at both ends",
                "bootstrapurval i `{name}` där effekten eller dess medelfel inte finns: {failed} av {number}; de räknas som mer extrema än alla andra åt båda håll"
            ),
        ));
    }
    if row.conf_low.is_none() {
        told.push(Warning::new(
            "bootstrap-without-limits",
            words!(
                "`{name}` has no limits at this level: with {number} resamples, {failed} of them without an effect, none stands where a limit would be",
                "`{name}` har inga gränser på den här nivån: med {number} bootstrapurval, varav {failed} utan effekt, står inget där en gräns skulle vara"
            ),
        ));
    }
    told
}
