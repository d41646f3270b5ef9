//! What a test by redraws needs of an outcome whose statistic is no difference of means.

use super::Workspace;
use crate::analysis::statistic::Score;
use crate::estimation::redrawn_scores::{Ranked, TimesInOrder};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Factor};
use crate::study::kernel::State;
use std::collections::BTreeMap;

impl Workspace {
    /// The sampled outcome, put in order once for all redraws; `None` where the statistic is a difference of means.
    pub(super) fn score(
        &self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
    ) -> Option<Score> {
        match analysis.estimator.as_str() {
            "rank-sum" => Some(Score::RankSum(Ranked::new(&self.y))),
            "log-rank" => {
                let first = (0..self.rows.len()).map(|place| self.courses.first(place));
                let (time, event): (Vec<f64>, Vec<bool>) = first.unzip();
                Some(Score::LogRank {
                    times: TimesInOrder::new(&time, &event),
                    strata: self.strata_beside_sites(protocol, state, analysis),
                })
            }
            _ => None,
        }
    }

    /// The stratum of each analysed family by what it was drawn by but its site, and how many there are.
    fn strata_beside_sites(
        &self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
    ) -> (Vec<u32>, usize) {
        let factors = analysis.strata.iter().filter(|own| **own != Factor::Site);
        let factors: Vec<Factor> = factors.copied().collect();
        let mut known: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
        let codes = self.rows.iter().map(|row| {
            let unit = &self.units[*row as usize];
            let level = |factor: &Factor| {
                let own = state.family(unit.family)?;
                Some(protocol.level(*factor, unit.site, &own.values))
            };
            let levels = factors.iter().filter_map(level).collect();
            let next = known.len() as u32;
            *known.entry(levels).or_insert(next)
        });
        let codes = codes.collect();
        (codes, known.len().max(1))
    }
}
