//! The randomization test inside a study, on counts: arms are drawn again for the families in their order, and the
//! registered statistic is that of the counts by site.
//!
//! Keys, streams, order of the numbers, ties, tails and the point at which no redraw that is left can change the
//! decision are those of `analysis::randomization`.

use super::walk::{Lists, Words};
use super::yes_no::Counts;
use crate::analysis::over_error;
use crate::analysis::randomization::{TestError, decide_by};
use crate::estimation::counted_strata::{self, StratumCounts};
use crate::numerics::stream;

/// Storage of redraws, kept from study to study.
#[derive(Debug, Default)]
pub(super) struct Redraws {
    words: Words,
    /// By site: families drawn to treatment, and in the upper half those of them with a report.
    treated: Vec<u64>,
    sites: Vec<StratumCounts>,
    /// Redraws of the last test.
    pub(super) number: u64,
}

/// What a test is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tested<'s> {
    /// Site of each family, in the order of the ledger.
    pub(super) sites: &'s [u16],
    /// Whether it has a report.
    pub(super) reported: &'s [bool],
    /// Counts as they were seen.
    pub(super) seen: &'s [StratumCounts],
    /// The arm on trial.
    pub(super) treated: u8,
    /// Whether sites are covariates.
    pub(super) by_site: bool,
}

impl Redraws {
    /// The p-value that decides, by `draws` redraws under a key; `None` where counts do not settle the statistic of a
    /// redraw.
    pub(super) fn p_value(
        &mut self,
        lists: &mut Lists,
        counts: &mut Counts,
        tested: Tested<'_>,
        key: &[u8; 32],
        (draws, alpha): (u64, Option<f64>),
    ) -> Option<Result<f64, TestError>> {
        let mut value = |seen: &[StratumCounts]| {
            let strata = counts.strata(seen, tested.by_site)?;
            let any = strata.iter().any(|own| own.ones != [0, 0]);
            let largest = || if any { 1.0 } else { 0.0 };
            Some(over_error(counted_strata::studentized(strata), largest))
        };
        let observed = match value(tested.seen)? {
            Some(observed) => observed,
            None => return Some(Err(TestError::NoStatistic)),
        };
        self.number = 0;
        let mut settled = true;
        let found = decide_by(observed, (draws, alpha), |number| {
            self.number = number + 1;
            self.redraw(lists, tested, key, number);
            let found = value(&self.sites);
            settled &= found.is_some();
            found.flatten()
        });
        settled.then(|| found.map(|figures| figures.p_value))
    }

    /// Draws the arms again and counts.
    fn redraw(&mut self, lists: &mut Lists, tested: Tested<'_>, key: &[u8; 32], number: u64) {
        let rng = stream::replicate(key, number);
        self.words.begin(rng, tested.sites.len());
        self.treated.clear();
        self.treated.resize(tested.seen.len(), 0);
        let treated = &mut self.treated;
        lists.walk(tested.sites, &mut self.words, |place, (site, _), _, arm| {
            let own = u64::from(arm.0 == tested.treated);
            treated[site] += own | (own & u64::from(tested.reported[place])) << 32;
        });
        self.sites.clear();
        for (seen, own) in tested.seen.iter().zip(&self.treated) {
            let rows = seen.rows[0] + seen.rows[1];
            let ones = seen.ones[0] + seen.ones[1];
            let (drawn, reported) = (*own as u32, (*own >> 32) as u32);
            self.sites.push(StratumCounts {
                rows: [rows - drawn, drawn],
                ones: [ones - reported, reported],
            });
        }
    }

    /// Words of each redraw of the last test.
    pub(super) fn made(&self) -> usize {
        self.words.made()
    }
}
