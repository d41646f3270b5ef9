//! The randomization test inside a study, on counts: arms are drawn again for the families in their order, and the
//! registered statistic is that of the counts by site.
//!
//! Keys, streams, order of the numbers, ties, tails and the point at which no redraw that is left can change the
//! decision are those of `analysis::randomization`.

use super::walk::{Lists, Words};
use super::yes_no::Counts;
use crate::allocation::Cycle;
use crate::analysis::over_error;
use crate::analysis::randomization::{TestError, decide_by};
use crate::estimation::counted_strata::{self, StratumCounts};
use crate::numerics::stream;

/// Storage of redraws, kept from study to study.
#[derive(Debug, Default)]
pub(super) struct Redraws {
    words: Words,
    /// By site: families drawn to treatment, and those of them with a report.
    treated: Vec<[u32; 2]>,
    sites: Vec<StratumCounts>,
    /// Redraws of the last test.
    pub(super) number: u64,
}

/// What a test is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tested<'s> {
    /// The families and whether each has a report.
    pub(super) families: Order<'s>,
    /// Counts by site as they were seen.
    pub(super) seen: &'s [StratumCounts],
    /// The arm on trial.
    pub(super) treated: u8,
    /// Whether sites are covariates.
    pub(super) by_site: bool,
}

/// Families in the order in which their arms are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order<'s> {
    /// Site and report of each family in the order of the ledger.
    Ledger(&'s [u16], &'s [bool]),
    /// Twice the place in the ledger, plus 1 with a report, of each family, one site after the other, and where each
    /// site ends.
    Sites(&'s Cycle, &'s [u32], &'s [usize]),
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
        (draws, limits): (u64, &[f64]),
    ) -> Option<Result<f64, TestError>> {
        let mut value = |seen: &[StratumCounts]| {
            let strata = counts.strata(seen, tested.by_site)?;
            let any = strata.iter().any(|own| own.ones != [0, 0]);
            let largest = || if any { 1.0 } else { 0.0 };
            Some(over_error(counted_strata::studentized(strata), largest))
        };
        let Some(observed) = value(tested.seen)? else {
            return Some(Err(TestError::NoStatistic));
        };
        self.number = 0;
        let mut settled = true;
        let found = decide_by(observed, (draws, limits), |number| {
            self.number = number + 1;
            let rng = stream::replicate(key, number);
            settled &= match tested.families {
                Order::Ledger(sites, reported) => {
                    self.words.begin(rng, sites.len());
                    self.in_order(lists, tested, sites, reported)
                }
                Order::Sites(cycle, families, ends) => {
                    self.words.begin(rng, families.len());
                    self.in_blocks(cycle, tested, families, ends)
                }
            };
            let found = value(&self.sites);
            settled &= found.is_some();
            found.flatten()
        });
        settled.then(|| found.map(|figures| figures.p_value))
    }

    /// Draws the arms again in the order of the ledger, and counts.
    fn in_order(
        &mut self,
        lists: &mut Lists,
        tested: Tested<'_>,
        sites: &[u16],
        reported: &[bool],
    ) -> bool {
        self.treated.clear();
        self.treated.resize(tested.seen.len(), [0; 2]);
        let treated = &mut self.treated;
        lists.walk(sites, &mut self.words, |place, (site, _), _, arm| {
            let own = u32::from(arm.0 == tested.treated);
            treated[site][0] += own;
            treated[site][1] += own & u32::from(reported[place]);
        });
        self.sites.clear();
        let counted = tested.seen.iter().zip(&self.treated);
        self.sites
            .extend(counted.map(|(seen, [drawn, ones])| seen.with(*drawn, *ones)));
        true
    }

    /// The same block by block, one site after the other: the word of a family is that of its place. `false` where a word
    /// would have been drawn again.
    fn in_blocks(
        &mut self,
        cycle: &Cycle,
        tested: Tested<'_>,
        families: &[u32],
        ends: &[usize],
    ) -> bool {
        let words = self.words.some(families.len());
        let control = u32::from(tested.treated == 0);
        let mut from = 0;
        self.sites.clear();
        for (seen, end) in tested.seen.iter().zip(ends) {
            let own = &families[from..*end];
            from = *end;
            let mut counts = (0, 0);
            let mut block = |block: &[u32]| {
                let mut state = cycle.first();
                for family in block {
                    let arm = cycle.draw(&mut state, words[(family >> 1) as usize]);
                    let own = u32::from(arm) ^ control;
                    counts.0 += own;
                    counts.1 += own & family;
                }
            };
            if cycle.block() == 4 {
                // The compiler unrolls blocks of a length that it knows.
                let (blocks, rest) = own.as_chunks::<4>();
                for own in blocks {
                    block(own);
                }
                block(rest);
            } else {
                own.chunks(cycle.block()).for_each(block);
            }
            self.sites.push(seen.with(counts.0, counts.1));
        }
        cycle.is_plain(words)
    }

    /// Words of each redraw of the last test.
    pub(super) fn made(&self) -> usize {
        self.words.made()
    }
}
