//! Clusters of the analysed rows: families with several children, therapists, sites.
//!
//! The cluster must be the unit that was randomized, or be wider; which one that was no column tells. A cluster may lie
//! in both arms. A row without its cluster is refused, because it belongs to one.

use super::columns::{Columns, Factor};
use super::error::EstimationError;
use super::prepared::{Analysed, Groups};

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
        let name = |cluster: &u32| {
            let place = self.groups.codes.iter().position(|code| code == cluster)?;
            let level = self.factor.codes[analysed.rows[place]]?;
            self.factor.levels.get(level as usize).cloned()
        };
        clusters.iter().filter_map(name).collect()
    }
}
