//! Clusters of the analysed rows: families with several children, therapists, sites.
//!
//! The cluster must be the unit that was randomized, or be wider; which one that was no column tells. A cluster may lie
//! in both arms. A row without its cluster is refused, because it belongs to one.

use super::columns::{Arm, Columns, Factor};
use super::error::EstimationError;
use super::prepared::{Analysed, Groups};
use super::settings::Variance;

/// The clusters of the analysed rows, at least two.
#[derive(Debug, Clone)]
pub(super) struct Clusters<'c> {
    /// Cluster of each analysed row, and how many there are.
    pub(super) groups: Groups,
    factor: &'c Factor,
}

impl<'c> Clusters<'c> {
    /// The clusters of the analysed rows, or `None` without a column of them.
    ///
    /// Errors: [`EstimationError::GroupMissing`] with the row, [`EstimationError::TooFewClusters`] below two.
    pub(super) fn new(
        columns: &'c Columns,
        analysed: &Analysed,
    ) -> Result<Option<Self>, EstimationError> {
        let Some(factor) = &columns.cluster else {
            return Ok(None);
        };
        let groups = Groups::new(factor, columns, analysed)?;
        if groups.count < 2 {
            return Err(EstimationError::TooFewClusters {
                clusters: groups.count,
            });
        }
        Ok(Some(Self { groups, factor }))
    }

    /// The names of some clusters.
    pub(super) fn names(&self, clusters: &[u32], analysed: &Analysed) -> Vec<String> {
        names(self.factor, &self.groups, clusters, analysed)
    }

    /// As [`check_arms`].
    pub(super) fn check_arms(
        &self,
        analysed: &Analysed,
        variance: Variance,
    ) -> Result<(), EstimationError> {
        check_arms(self.factor, &self.groups, analysed, variance)
    }
}

fn names(factor: &Factor, groups: &Groups, clusters: &[u32], analysed: &Analysed) -> Vec<String> {
    let name = |cluster: &u32| {
        let place = groups.codes.iter().position(|code| code == cluster)?;
        let level = factor.codes[analysed.rows[place]]?;
        factor.levels.get(level as usize).cloned()
    };
    clusters.iter().filter_map(name).collect()
}

/// That each arm has rows of at least two clusters: one says nothing of how the clusters of its arm differ, and without covariates
/// its residuals sum to 0 whatever the outcomes, so that a variance by cluster would see rounding alone.
///
/// Errors: [`EstimationError::DecisiveCluster`] with the clusters that carry an arm alone.
pub(super) fn check_arms(
    factor: &Factor,
    groups: &Groups,
    analysed: &Analysed,
    variance: Variance,
) -> Result<(), EstimationError> {
    let alone = |arm: Arm| {
        let place = analysed.arm.iter().position(|own| *own == arm)?;
        (groups.per_arm[arm.index()] == 1).then(|| groups.codes[place])
    };
    let mut clusters: Vec<u32> = [Arm::Treated, Arm::Control]
        .into_iter()
        .filter_map(alone)
        .collect();
    clusters.sort_unstable();
    if clusters.is_empty() {
        return Ok(());
    }
    Err(EstimationError::DecisiveCluster {
        clusters: names(factor, groups, &clusters, analysed),
        variance: variance.text(),
    })
}
