//! The day of a family's first report: how many reports it has follows from the word of its risk by a few comparisons,
//! and of the words of their days the least is that of the first.

use super::sweep::NEVER;
use super::walk::Words;
use crate::numerics::scattered::{Block, Scattered};
use crate::numerics::stream::{open_unit_of, replicate};
use crate::numerics::vector::{Wide, widest};
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
    parts: Box<[Part; 1 << PARTS]>,
}

/// One of the equal parts into which the words are divided.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// Count of its first word, and the least upper bits beyond it that have one more.
    count: u32,
    next: u64,
    /// Whether it has more turns than that.
    crowded: bool,
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
        least.push(u64::MAX);
        let count = |own: u64| least.partition_point(|least| *least <= own);
        let part = |part: usize| {
            let from = (part as u64) << (BITS - PARTS);
            let (first, last) = (count(from), count(from + ((1 << (BITS - PARTS)) - 1)));
            Part {
                count: first as u32,
                next: least[first],
                crowded: last > first + 1,
            }
        };
        let parts = Box::new(std::array::from_fn(part));
        Self { least, parts }
    }

    /// Whether hardly any family has more reports than have their days beside them.
    pub(super) fn is_short(&self) -> bool {
        let rare = (1 << BITS) - (1 << (BITS - 20));
        let most = self.least.get(NEAR as usize);
        most.is_none_or(|least| *least >= rare)
    }

    /// The count for the word of a risk.
    pub(super) fn of(&self, word: u64) -> u32 {
        let part = &self.parts[(word >> (u64::BITS - PARTS)) as usize];
        let own = word >> 11;
        // Most parts hold one turn at most, which is taken without a guess.
        if part.crowded {
            return self.search(own);
        }
        part.count + u32::from(part.next <= own)
    }

    /// The count for the upper bits of a word.
    #[cold]
    fn search(&self, own: u64) -> u32 {
        self.least.partition_point(|least| *least <= own) as u32
    }
}

/// The words of the first reports of one study.
#[derive(Debug, Default)]
pub(super) struct FirstReports {
    /// Families whose days are not all known, and the block of each that is to be looked at next. Its end counts all words
    /// that are left, so that it may lie beyond the block.
    families: Vec<u32>,
    blocks: Vec<Block>,
    /// How many of them there are.
    open: usize,
    found: Vec<u64>,
    /// Least word of the days of each family; the largest there is without a report.
    least: Vec<u64>,
    made: usize,
}

impl FirstReports {
    /// Before the first of so many families.
    pub(super) fn begin(&mut self, families: usize) {
        self.families.resize(families, 0);
        self.blocks.resize(families, Block::default());
        self.open = 0;
        self.least.clear();
        self.least.resize(families, u64::MAX);
    }

    /// The family at a place has reports; its words begin with a block.
    #[inline]
    pub(super) fn add(&mut self, place: usize, block: u64, count: u32) {
        // Every family is written, and the place moves on after those who have reports.
        let open = self.families.get_mut(self.open);
        if let (Some(family), Some(own)) = (open, self.blocks.get_mut(self.open)) {
            *family = place as u32;
            *own = Block {
                number: block + u64::from(FATE / BLOCK),
                end: BEGIN + count,
            };
        }
        self.open += usize::from(count > 0);
    }

    /// Draws the words of all days.
    pub(super) fn draw(&mut self, keys: &Keys, replicate: u64) {
        let stream = Scattered::new(&keys.outcomes, replicate);
        let blocks = &self.blocks[..self.open];
        stream.least_words::<{ BEGIN as usize }>(blocks, &mut self.found);
        self.made = 0;
        while self.open > 0 {
            self.made += self.open;
            self.settle();
            let blocks = &self.blocks[..self.open];
            stream.least_words::<0>(blocks, &mut self.found);
        }
    }

    /// Takes what was found; families with words in a further block stay.
    fn settle(&mut self) {
        let mut left = 0;
        for (open, found) in self.found.iter().enumerate() {
            let (family, block) = (self.families[open], self.blocks[open]);
            let own = &mut self.least[family as usize];
            *own = (*own).min(*found);
            self.families[left] = family;
            self.blocks[left] = Block {
                number: block.number + 1,
                end: block.end.wrapping_sub(BLOCK),
            };
            left += usize::from(block.end > BLOCK);
        }
        self.open = left;
    }

    /// The day of a window of `width` days on which each family has its first report, from 1; [`NEVER`] without one.
    pub(super) fn days(&self, width: i32, days: &mut Vec<i32>) {
        days.resize(self.least.len(), NEVER);
        widest(FirstDays {
            least: &self.least,
            width,
            days,
        });
    }

    /// Words that were made.
    pub(super) fn made(&self) -> usize {
        self.made * BLOCK as usize
    }

    /// As many words of the stream in bulk.
    pub(super) fn floor(keys: &Keys, number: u64, words: usize, into: &mut Words) -> u64 {
        into.begin(replicate(&keys.outcomes, number), words);
        into.last()
    }
}

/// The work of [`FirstReports::days`].
struct FirstDays<'d> {
    least: &'d [u64],
    width: i32,
    days: &'d mut [i32],
}

impl Wide for FirstDays<'_> {
    type Output = ();

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn run(self) {
        for (day, least) in self.days.iter_mut().zip(self.least) {
            let own = 1 + (open_unit_of(*least) * f64::from(self.width)) as i32;
            // The largest word rounds to the end of the window itself.
            *day = if own <= self.width { own } else { NEVER };
        }
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
