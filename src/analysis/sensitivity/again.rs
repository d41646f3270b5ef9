//! The rows beside a result once more, for who computes them again elsewhere: which analysis each is of, and the completed
//! data sets of a multiple imputation.

use super::{Completed, Ground, bounded, with_rule};
use crate::analysis::covariates::SiteGroups;
use crate::analysis::workspace::Workspace;
use crate::estimation::EstimationError;
use crate::protocol::model::{Analysis, Missing, Sensitivity, Skewed};

/// What stands behind a row beside the result.
#[derive(Debug, Clone)]
pub(in crate::analysis) enum Again {
    /// Another analysis of the same families.
    Plain(Box<Analysis>),
    /// The analysis on completed data sets, pooled.
    Imputed,
    /// As [`Again::Imputed`], the imputed outcomes of the treated arm moved.
    Shifted,
    /// Pairs of numbers of events among unknown outcomes.
    Pairs,
    /// The analysis of outcomes of which a share is drawn in at each end.
    Winsorized(f64),
    /// The effect on so many resamples.
    Resampled(u32),
}

/// Every row beside a result with its name, in the order of the results.
pub(in crate::analysis) fn again(ground: Ground<'_>, analysis: &Analysis) -> Vec<(String, Again)> {
    let plain = |analysis: Analysis| Again::Plain(Box::new(analysis));
    let mut list: Vec<(String, Again)> = Vec::new();
    for rule in &analysis.sensitivity {
        let own = match rule {
            Sensitivity::CompleteCase => plain(with_rule(analysis, Missing::CompleteCase)),
            Sensitivity::CensoringWeights => plain(with_rule(analysis, Missing::CensoringWeights)),
            Sensitivity::Manski => plain(bounded(analysis, "manski-bounds")),
            Sensitivity::Lee => plain(bounded(analysis, "lee-bounds")),
            Sensitivity::MultipleImputation => Again::Imputed,
            Sensitivity::TippingPoint if ground.binary => Again::Pairs,
            Sensitivity::TippingPoint => Again::Shifted,
        };
        list.push((rule.text().to_owned(), own));
    }
    for outcome in &analysis.sensitivity_outcomes {
        let id = ground.protocol.outcomes[*outcome].row();
        let other = Analysis {
            outcome: *outcome,
            ..analysis.clone()
        };
        list.push((id, plain(other)));
    }
    if let Some(average) = analysis.children {
        let other = average.other();
        list.push((other.text().to_owned(), plain(analysis.averaged(other))));
    }
    if let Some(clusters) = analysis.sensitivity_clusters {
        list.push((
            clusters.text().to_owned(),
            plain(analysis.clustered(clusters)),
        ));
    }
    if let Some(share) = analysis.sensitivity_winsorized {
        let name = Skewed::Winsorized.text().to_owned();
        list.push((name, Again::Winsorized(share)));
    }
    if let Some(number) = analysis.sensitivity_bootstrap {
        let name = Skewed::Bootstrap.text().to_owned();
        list.push((name, Again::Resampled(number)));
    }
    list
}

/// The completed data sets behind a pooled row.
#[derive(Debug, Clone)]
pub(in crate::analysis) struct Completions {
    /// Row of the lock and known outcome of each family, in ledger order.
    pub(in crate::analysis) rows: Vec<(u32, Option<f64>)>,
    /// Of each data set the outcomes of the families whose own is not known, in ledger order.
    pub(in crate::analysis) drawn: Vec<Vec<f64>>,
    /// How the sites are grouped in every one.
    pub(in crate::analysis) groups: SiteGroups,
}

/// The completed data sets behind a pooled row: those of the row, not others like them. The workspace is left with another
/// sample.
///
/// # Errors
/// A model of the unknown outcomes that cannot be fitted.
pub(in crate::analysis) fn completions(
    workspace: &mut Workspace,
    ground: Ground<'_>,
    analysis: &Analysis,
) -> Result<Completions, EstimationError> {
    let completed = Completed::new(workspace, ground, analysis)?;
    let unknown: Vec<usize> = (0..completed.rows.len())
        .filter(|place| completed.rows[*place].1.is_none())
        .collect();
    let outcomes = |drawn: &Vec<f64>| {
        let y = completed.completed(drawn, 0.0);
        unknown.iter().map(|place| y[*place]).collect()
    };
    let drawn = completed.drawn.iter().map(outcomes).collect();
    Ok(Completions {
        rows: completed.rows,
        drawn,
        groups: completed.groups,
    })
}
