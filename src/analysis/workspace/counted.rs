//! A contrast of a yes-no outcome as counts by site group and arm.

use super::Workspace;
use crate::estimation::counted_strata::{self, StratumCounts};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Covariate, Missing};

impl Workspace {
    /// Counts the contrast by site group, where the additive model is one of a yes-no outcome on arm and site groups and
    /// the counts answer for it.
    pub(super) fn count(&mut self, protocol: &Protocol, analysis: &Analysis) -> bool {
        let weighted = analysis.missing == Missing::CensoringWeights && !self.unknown.is_empty();
        if weighted || protocol.epoch() > 0 || !sites_alone(&analysis.covariates) {
            return false;
        }
        let with_sites = !analysis.covariates.is_empty();
        let groups = if with_sites { self.groups.number() } else { 1 };
        self.strata.clear();
        self.strata
            .resize(usize::from(groups), StratumCounts::default());
        let own = &self.contrast;
        for ((row, side), y) in own.rows.iter().zip(&own.side).zip(&own.y) {
            let one = y.total_cmp(&1.0).is_eq();
            let site = self.units[*row as usize].site;
            let group = if with_sites {
                self.groups.of(site)
            } else {
                Some(0)
            };
            let counts = group.and_then(|group| self.strata.get_mut(usize::from(group)));
            let Some(counts) = counts.filter(|_| one || *y == 0.0) else {
                return false;
            };
            counts.rows[side.index()] += 1;
            counts.ones[side.index()] += u32::from(one);
        }
        counted_strata::is_answered(&self.strata)
    }
}

/// Whether nothing but the site is adjusted for.
fn sites_alone(covariates: &[Covariate]) -> bool {
    covariates.iter().all(|own| *own == Covariate::Site)
}
