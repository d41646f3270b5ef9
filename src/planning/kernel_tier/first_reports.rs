//! The day of a family's first report: how many reports it has follows from the word of its risk by a few comparisons,
//! and of the words of their days the least is that of the first.

use super::sweep::NEVER;
use super::walk::Words;
use crate::numerics::scattered::{Blocks, LANES, Scattered};
use crate::numerics::stream::{open_unit_of, replicate};
use crate::planning::arrivals::{FATE, Keys, NEAR};

/// Words of a block.
const BLOCK: u32 = 8;
/// Place of the first report's word in its block.
const BEGIN: u32 = FATE % BLOCK;
/// Parts of the range of a word for each of which the smallest count is listed, as a power of two.
const PARTS: u32 = 9;
/// Bits of a word that make a deviate.
const BITS: u32 = 53;

/// Number of reports of a family by the word of its risk, under one service.
#[derive(Debug)]
pub(super) struct CountByWord {
    /// Least upper 53 bits of the words with at least 1, 2, … reports, and one that no word reaches.
    least: Vec<u64>,
    guide: Vec<u8>,
}

impl CountByWord {
    /// Of a count that rises with the deviate; beyond [`NEAR`] one more than that stands for all.
    pub(super) fn new(count: impl Fn(f64) -> u32) -> Self {
        let mut least = Vec::new();
        for number in 1..=NEAR + 1 {
            let (mut low, mut high) = (0_u64, 1 << BITS);
            while low < high {
                let middle = low.midpoint(high);
                if count(open_unit_of(middle << 11)) >= number {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            if low == 1 << BITS {
                break;
            }
            least.push(low);
        }
        let below = |part: u64| {
            let from = part << (BITS - PARTS);
            least.iter().take_while(|own| **own <= from).count() as u8
        };
        let guide = (0..1 << PARTS).map(below).collect();
        least.push(u64::MAX);
        Self { least, guide }
    }

    /// Whether hardly any family has more reports than have their days beside them.
    pub(super) fn is_short(&self) -> bool {
        let rare = (1 << BITS) - (1 << (BITS - 20));
        let most = self.least.get(NEAR as usize);
        most.is_none_or(|least| *least >= rare)
    }

    /// The count for the word of a risk.
    pub(super) fn of(&self, word: u64) -> u32 {
        let own = word >> 11;
        let mut count = usize::from(self.guide[(own >> (BITS - PARTS)) as usize]);
        // Most parts hold one turn at most, which is taken without a guess.
        count += usize::from(self.least[count] <= own);
        while self.least[count] <= own {
            count += 1;
        }
        count as u32
    }
}

/// A block of words that a family still has to look at.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    place: u32,
    /// Reports whose words have not been seen.
    left: u32,
    /// Place of the next one within the block.
    first: u32,
    block: u64,
}

/// The words of the first reports of one study.
#[derive(Debug, Default)]
pub(super) struct FirstReports {
    open: Vec<Open>,
    /// How many of them have been added.
    added: usize,
    blocks: Blocks,
    /// Least word of the days of each family, in the order of the ledger; the largest there is without a report.
    least: Vec<u64>,
}

impl FirstReports {
    /// Before the first of so many families.
    pub(super) fn begin(&mut self, families: usize) {
        self.open.resize(families, Open::default());
        self.added = 0;
        self.least.clear();
        self.least.resize(families, u64::MAX);
    }

    /// A family has reports; its words begin with a block. `false` if they are not all there.
    pub(super) fn add(&mut self, place: usize, block: u64, count: u32) -> bool {
        // Every family is written, and the place moves on after those who have reports.
        if let Some(own) = self.open.get_mut(self.added) {
            *own = Open {
                place: place as u32,
                left: count,
                first: BEGIN,
                block: block + u64::from(FATE / BLOCK),
            };
        }
        self.added += usize::from(count > 0);
        count <= NEAR
    }

    /// Draws the words of all days.
    pub(super) fn draw(&mut self, keys: &Keys, replicate: u64) {
        let stream = Scattered::new(&keys.outcomes, replicate);
        self.open.truncate(self.added);
        let mut done = 0;
        while done < self.open.len() {
            let until = (done + LANES).min(self.open.len());
            let last = until - 1;
            let number = |lane: usize| self.open[(done + lane).min(last)].block;
            stream.blocks(&std::array::from_fn(number), &mut self.blocks);
            for (lane, place) in (done..until).enumerate() {
                let own = self.open[place];
                let end = (own.first + own.left).min(BLOCK);
                let mut least = self.least[own.place as usize];
                if own.first == BEGIN {
                    // Mostly so: few words, without a guess of how many count.
                    for word in BEGIN..BLOCK {
                        let seen = self.blocks.word(lane, word as usize);
                        least = least.min(if word < end { seen } else { u64::MAX });
                    }
                } else {
                    for word in own.first..end {
                        least = least.min(self.blocks.word(lane, word as usize));
                    }
                }
                self.least[own.place as usize] = least;
                let left = own.left - (end - own.first);
                if left > 0 {
                    self.open.push(Open {
                        left,
                        first: 0,
                        block: own.block + 1,
                        ..own
                    });
                }
            }
            done = until;
        }
    }

    /// The day of a window of `width` days on which each family has its first report, from 1; [`NEVER`] without one.
    pub(super) fn days(&self, width: i32) -> impl Iterator<Item = i32> {
        let of = move |least: &u64| {
            let day = 1 + (open_unit_of(*least) * f64::from(width)) as i32;
            // The largest word rounds to the end of the window itself.
            if day <= width { day } else { NEVER }
        };
        self.least.iter().map(of)
    }

    /// Words that were made.
    pub(super) fn made(&self) -> usize {
        self.open.len() * BLOCK as usize
    }

    /// As many words of the stream in bulk.
    pub(super) fn floor(keys: &Keys, number: u64, words: usize, into: &mut Words) -> u64 {
        into.begin(replicate(&keys.outcomes, number), words);
        into.last()
    }
}

#[cfg(test)]
mod tests {
    use super::CountByWord;
    use crate::numerics::stream::{open_unit_of, replicate};
    use crate::planning::mechanisms::truth::Truth;
    use rand_chacha::rand_core::Rng;

    /// The same counts as the world has, at random words and around every turn.
    #[test]
    fn counts_by_word_are_those_of_the_world() {
        let mut rng = replicate(&[4; 32], 0);
        for (risk, dispersion) in [(0.850_092, 0.0), (0.2, 0.0), (0.5, 1.2)] {
            let truth = Truth {
                rereport_control: risk,
                rereport_ratio: 1.0,
                window_days: None,
                reports_dispersion: dispersion,
                acceptance_control: 0.3,
                acceptance_difference: 0.0,
                started_after_days: 14,
            };
            let count = |u: f64| truth.reports(u, risk, 1.0);
            let own = CountByWord::new(count);
            let turns = own.least.iter().filter(|least| **least < 1 << 53);
            let around =
                turns.flat_map(|least| [(least - 1) << 11, least << 11, (least << 11) | 2047]);
            let some: Vec<u64> = around.chain((0..20_000).map(|_| rng.next_u64())).collect();
            for word in some {
                assert_eq!(own.of(word), count(open_unit_of(word)).min(20), "{word}");
            }
        }
    }
}
