//! Whether there is any new report, in every family of two arms: a study is a few counts by site and arm.

use super::Numbers;
use super::guesses::Guesses;
use super::intake::{Intake, Placed};
use super::redraws::{Order, Redraws, Tested};
use super::walk::{Lists, Words};
use crate::allocation::{Cycle, DesignTable, Guesser, MOST_CUTS};
use crate::analysis::covariates::SiteGroups;
use crate::analysis::together::limits;
use crate::analysis::{Effect, Scale};
use crate::estimation::counted_strata::{self, StratumCounts};
use crate::numerics::stream::{self, open_unit_of};
use crate::planning::analyst::{numbers, to_be_redrawn};
use crate::planning::arrivals::Keys;
use crate::planning::calendar::Months;
use crate::planning::record::{AnalysisRecord, Found, Record};
use crate::planning::scenario::Cell;
use rand_chacha::rand_core::Rng;

/// An analysis as this path needs it.
#[derive(Debug, Clone, Copy)]
struct Analysed {
    by_site: bool,
    level: f64,
    /// Whether a randomization test decides.
    tested: bool,
}

/// Counts of the strata of a model, made from those of the sites.
#[derive(Debug, Default)]
pub(super) struct Counts {
    cells: Vec<u32>,
    groups: SiteGroups,
    strata: Vec<StratumCounts>,
}

impl Counts {
    /// The strata of the model; `None` where they do not settle it.
    pub(super) fn strata(
        &mut self,
        sites: &[StratumCounts],
        by_site: bool,
    ) -> Option<&[StratumCounts]> {
        let groups = if by_site {
            self.cells.clear();
            self.cells.extend(sites.iter().flat_map(|own| own.rows));
            self.groups.realize(&self.cells, 2);
            self.groups.number()
        } else {
            1
        };
        self.strata.clear();
        self.strata
            .resize(usize::from(groups), StratumCounts::default());
        for (site, own) in sites.iter().enumerate() {
            let group = if by_site {
                self.groups.of(site)
            } else {
                Some(0)
            };
            let Some(into) = group.and_then(|group| self.strata.get_mut(usize::from(group))) else {
                continue; // a site without families
            };
            for side in [0, 1] {
                into.rows[side] += own.rows[side];
                into.ones[side] += own.ones[side];
            }
        }
        counted_strata::is_answered(&self.strata).then_some(&self.strata)
    }
}

/// Blocks that can be drawn for themselves, and the chance that the guess of an arm is right by the state of its block.
#[derive(Debug)]
struct Blocks {
    cycle: Cycle,
    chances: [[u64; 2]; MOST_CUTS],
}

impl Blocks {
    /// Where each site has a list of its own, and two equal arms are even after each block.
    fn new(lists: &Lists, guesses: &Guesses) -> Option<Box<Self>> {
        let cycle = lists.table.cycle().filter(|_| lists.are_sites())?;
        let (excess, plain) = (cycle.excess()?, guesses.plain?);
        let chances = excess.map(|excess| plain[(1 + excess.signum()) as usize]);
        Some(Box::new(Self { cycle, chances }))
    }
}

/// The path.
#[derive(Debug)]
pub(super) struct YesNo<'c> {
    keys: Keys,
    intake: Intake<'c>,
    lists: Lists,
    blocks: Option<Box<Blocks>>,
    treated: u8,
    /// Least upper 53 bits of the word of a risk with which a family has a report, by service.
    least: [u64; 2],
    /// Last days of the calendar months, counted from the first opening.
    months: Vec<i32>,
    analyses: Vec<Analysed>,
    /// What the p of each of them is held against.
    limits: Vec<Vec<f64>>,
    draws: u32,
    guesses: Guesses,
    arms: Words,
    sites: Vec<StratumCounts>,
    /// Whether each family has a report, in the order of the ledger.
    reported: Vec<bool>,
    /// Twice the place of each family, plus 1 with a report, one site after the other, and where each site ends.
    families: Vec<u32>,
    ends: Vec<usize>,
    counts: Counts,
    redraws: Redraws,
    tests: u64,
}

impl<'c> YesNo<'c> {
    /// For a cell of the domain.
    pub(super) fn new(cell: &'c Cell, seed: u64) -> Option<Self> {
        let (protocol, scenario) = (&cell.protocol, &cell.scenario);
        let risk = scenario.world.same_risk()?;
        let allocation = &protocol.allocation;
        let table = DesignTable::of(&*allocation.design)?;
        let sites = protocol.sites.len();
        let list = |site| protocol.stratum(site, &[]) as u32;
        let lists = Lists::new(table, (0..sites).map(list).collect());
        let first = protocol.first_opening();
        let intake = Intake::new(cell);
        let months = Months::new(first, first.plus(intake.last()));
        let analyses = scenario.analyses.iter().map(|index| {
            let own = &protocol.analyses[*index];
            Analysed {
                by_site: !own.covariates.is_empty(),
                level: 1.0 - own.alpha,
                tested: own.test.is_some(),
            }
        });
        let held = scenario.analyses.iter();
        let held = held.map(|index| limits(protocol, *index));
        let guesser = Guesser::new(&*allocation.design, &allocation.ratio).ok();
        let guesses = Guesses::new(guesser, lists.len());
        Some(Self {
            keys: Keys::new(seed, cell.group()),
            blocks: Blocks::new(&lists, &guesses),
            guesses,
            treated: scenario.world.treated.0,
            least: risk.map(|risk| least_word(1.0 - risk)),
            months: months.ends.iter().map(|end| end.since(first)).collect(),
            analyses: analyses.collect(),
            limits: held.collect(),
            draws: scenario.precision.draws,
            arms: Words::default(),
            sites: vec![StratumCounts::default(); sites],
            reported: Vec::new(),
            families: Vec::new(),
            ends: Vec::new(),
            counts: Counts::default(),
            redraws: Redraws::default(),
            tests: 0,
            intake,
            lists,
        })
    }

    pub(super) fn set_draws(&mut self, draws: u32) {
        self.draws = draws;
    }

    /// One study; `None` where the counts do not settle it.
    pub(super) fn study(&mut self, replicate: u64) -> Option<Record> {
        self.intake.take(&self.keys, replicate);
        let more = self.count(replicate)?;
        let families = self.intake.families;
        let truth = if families == 0 {
            0.0
        } else {
            more as f64 / families as f64
        };
        let mut keys = None;
        let mut analyses = Vec::with_capacity(self.analyses.len());
        self.tests = 0;
        for place in 0..self.analyses.len() {
            let own = self.analyses[place];
            let redrawn = own.tested && self.draws > 0;
            let figures = if redrawn { to_be_redrawn } else { numbers };
            let mut found = self.analyse(own, figures)?;
            if redrawn && let Ok(figures) = &mut found {
                let stream = || stream::replicate(&self.keys.redraws, replicate);
                let mut key = [0; 32];
                keys.get_or_insert_with(stream).fill_bytes(&mut key);
                match self.test(place, &key)? {
                    Ok(p_value) => figures.p_value = p_value,
                    Err(code) => found = Err(code),
                }
            }
            analyses.push(AnalysisRecord {
                truth,
                found,
                joint: None,
                under_null: None,
                looked: None,
            });
        }
        let reached = self.months.iter().map(|end| self.intake.reached(*end));
        Some(Record {
            families: families as u32,
            screened: families as u32,
            turned_away: 0,
            lost: 0,
            enrolment_days: (self.intake.ended + 1).max(0) as u32,
            days_closed: 0,
            replacements: 0,
            correct_guess_share: self.guesses.correct_share(families),
            imbalance: self.guesses.imbalance(),
            drawn: None,
            reached: reached.collect(),
            analyses,
        })
    }

    /// Draws arms and outcomes; how many more families would have a report under treatment than under control. `None`
    /// where a word of the arms would have been drawn again.
    fn count(&mut self, replicate: u64) -> Option<i64> {
        let numbers = stream::replicate(&self.keys.arms, replicate);
        self.arms.begin(numbers, self.intake.families);
        self.guesses.restart();
        let Some(blocks) = self.blocks.take() else {
            return Some(self.in_order());
        };
        let found = self.in_blocks(&blocks.cycle, &blocks.chances);
        self.blocks = Some(blocks);
        found
    }

    /// In the order of the ledger, whatever the design.
    fn in_order(&mut self) -> i64 {
        self.intake.in_order();
        self.sites.fill(StratumCounts::default());
        self.reported.resize(self.intake.families, false);
        let (mut more, least) = (0, self.least);
        self.lists.walk(
            &self.intake.sites,
            &mut self.arms,
            |place, (site, list), weights, arm| {
                let word = self.intake.risks[place] >> 11;
                let reports = least.map(|least| word >= least);
                more += i64::from(reports[1]) - i64::from(reports[0]);
                let side = usize::from(arm.0 == self.treated);
                let own = &mut self.sites[site];
                own.rows[side] += 1;
                own.ones[side] += u32::from(reports[side]);
                self.reported[place] = reports[side];
                self.guesses.see(list, arm, weights);
            },
        );
        more
    }

    /// One site after the other, where each has a list of its own and a family's word is that of its place.
    fn in_blocks(&mut self, cycle: &Cycle, chances: &[[u64; 2]; MOST_CUTS]) -> Option<i64> {
        let words = self.arms.some(self.intake.families);
        let control = u32::from(self.treated == 0);
        let (mut treated_reports, mut control_reports) = (0_u32, 0_u32);
        self.families.clear();
        self.ends.clear();
        self.intake.place();
        for (site, counts) in self.sites.iter_mut().enumerate() {
            let from = self.families.len();
            let would = would_report(self.intake.of_site(site), self.least, &mut self.families);
            control_reports += would[0];
            treated_reports += would[1];
            // Then the arms, a block at a time: place, and whether it does report.
            let (mut drawn, mut ones, mut both, mut correct) = (0, 0, 0, 0);
            let mut block = |block: &mut [u32]| {
                let mut state = cycle.first();
                for family in block {
                    let chances = &chances[Cycle::place(state)];
                    let arm = cycle.draw(&mut state, words[(*family >> 2) as usize]);
                    let treated = u32::from(arm & 1) ^ control;
                    let reports = (*family >> (treated ^ 1)) & 1;
                    correct += chances[usize::from(arm & 1)];
                    drawn += treated;
                    ones += reports;
                    both += reports & treated;
                    *family = (*family >> 2) << 1 | reports;
                }
            };
            let own = &mut self.families[from..];
            let all = own.len() as u32;
            if cycle.block() == 4 {
                // The compiler unrolls blocks of a length that it knows.
                let (blocks, rest) = own.as_chunks_mut::<4>();
                for own in blocks {
                    block(own);
                }
                block(rest);
            } else {
                own.chunks_mut(cycle.block()).for_each(block);
            }
            *counts = StratumCounts {
                rows: [all - drawn, drawn],
                ones: [ones - both, both],
            };
            self.ends.push(self.families.len());
            let [n0, n1] = counts.rows.map(u64::from);
            let by_arm = if control == 1 { [n1, n0] } else { [n0, n1] };
            self.guesses.add(site, by_arm, correct);
        }
        let more = i64::from(treated_reports) - i64::from(control_reports);
        cycle.is_plain(words).then_some(more)
    }

    fn analyse(
        &mut self,
        own: Analysed,
        figures: fn(&Effect) -> Result<Found, &'static str>,
    ) -> Option<Result<Found, &'static str>> {
        let strata = self.counts.strata(&self.sites, own.by_site)?;
        let fit = match counted_strata::fit(strata, own.level) {
            Ok(fit) => fit,
            Err(error) => return Some(Err(error.code())),
        };
        let rows = |side: usize| strata.iter().map(|own| own.rows[side]).sum();
        Some(figures(&Effect {
            estimate: fit.estimate,
            std_error: fit.std_error,
            scale: Scale::Identity,
            statistic: fit.statistic,
            df: fit.df,
            p_value: fit.p_value,
            conf_low: fit.conf_low,
            conf_high: fit.conf_high,
            n_treated: rows(1),
            n_control: rows(0),
        }))
    }

    fn test(&mut self, place: usize, key: &[u8; 32]) -> Option<Result<f64, &'static str>> {
        let tested = Tested {
            families: match &self.blocks {
                Some(blocks) => Order::Sites(&blocks.cycle, &self.families, &self.ends),
                None => Order::Ledger(&self.intake.sites, &self.reported),
            },
            seen: &self.sites,
            treated: self.treated,
            by_site: self.analyses[place].by_site,
        };
        let found = self.redraws.p_value(
            &mut self.lists,
            &mut self.counts,
            tested,
            key,
            (u64::from(self.draws), &self.limits[place]),
        )?;
        self.tests += self.redraws.number;
        Some(found.map_err(|error| error.code()))
    }

    /// How many numbers the last study had.
    pub(super) fn numbers(&self) -> Numbers {
        Numbers {
            sites: self.intake.made().collect(),
            scores: Vec::new(),
            arms: self.arms.made(),
            outcomes: 0,
            redraws: (self.tests, self.redraws.made()),
        }
    }

    /// The numbers of a study in bulk.
    pub(super) fn floor(&mut self, replicate: u64, numbers: &Numbers) -> u64 {
        let mut sum = 0;
        let mut bulk = |rng, words: usize| {
            self.arms.begin(rng, words);
            sum ^= self.arms.last();
        };
        for (site, words) in numbers.sites.iter().enumerate() {
            bulk(self.keys.families_at(replicate, site), *words);
        }
        bulk(stream::replicate(&self.keys.arms, replicate), numbers.arms);
        for number in 0..numbers.redraws.0 {
            let rng = stream::replicate(&self.keys.redraws, number);
            bulk(rng, numbers.redraws.1);
        }
        sum
    }
}

/// Puts behind others the families of a site: place, whether one would report under control, and under treatment. Gives how many would.
// By itself, so that what the loop counts stays in registers.
#[inline(never)]
fn would_report(
    placed: Placed<'_>,
    [least_control, least_treated]: [u64; 2],
    families: &mut Vec<u32>,
) -> [u32; 2] {
    let from = families.len();
    families.resize(from + placed.len(), 0);
    let (mut control, mut treated) = (0, 0);
    let mut rest = families[from..].iter_mut();
    for ((place, _, risk), own) in placed.zip(&mut rest) {
        let risk = risk >> 11;
        let stays = u32::from(risk >= least_control);
        let would = u32::from(risk >= least_treated);
        control += stays;
        treated += would;
        *own = (place as u32) << 2 | stays << 1 | would;
    }
    let unused = rest.len();
    families.truncate(families.len() - unused);
    [control, treated]
}

/// The least upper 53 bits of a word whose deviate is at least `u`.
pub(super) fn least_word(u: f64) -> u64 {
    let (mut low, mut high) = (0_u64, 1 << 53);
    while low < high {
        let middle = low.midpoint(high);
        if open_unit_of(middle << 11) >= u {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::least_word;
    use crate::numerics::stream::open_unit_of;

    #[test]
    fn the_least_word_is_where_the_comparison_turns() {
        for u in [0.7, 0.8, 1.0 - 0.3 * 0.666_666_666_666_666_7, 0.5, 1e-12] {
            let least = least_word(u);
            assert!(open_unit_of(least << 11) >= u);
            assert!(open_unit_of((least - 1) << 11) < u);
            assert!(open_unit_of((least << 11) | 2047) >= u);
        }
        assert_eq!(least_word(1.5), 1 << 53);
        assert_eq!(least_word(0.0), 0);
    }
}
