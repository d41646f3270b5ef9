//! Words of a stream in bulk, and the arms that they draw.

use crate::allocation::{Arm, DesignTable};
use crate::numerics::stream::fill;
use rand_chacha::ChaCha8Rng;

/// Words that a generator makes at once.
const CHUNK: usize = 32;

/// A stream of which words are taken one after the other, and made in bulk.
#[derive(Debug, Default)]
pub(super) struct Words {
    rng: Option<ChaCha8Rng>,
    all: Vec<u64>,
    made: usize,
    taken: usize,
}

impl Words {
    /// Begins a stream and makes the first `expected` words.
    pub(super) fn begin(&mut self, rng: ChaCha8Rng, expected: usize) {
        self.rng = Some(rng);
        self.made = 0;
        self.taken = 0;
        self.make(expected);
    }

    /// Makes words until there are `number` and some.
    pub(super) fn make(&mut self, number: usize) {
        let until = number.div_ceil(CHUNK).max(self.made / CHUNK) * CHUNK;
        if self.all.len() < until {
            self.all.resize(until, 0);
        }
        if let Some(rng) = &mut self.rng {
            fill(rng, &mut self.all[self.made..until]);
        }
        self.made = until;
    }

    /// The next word.
    pub(super) fn next(&mut self) -> u64 {
        if self.taken == self.made {
            self.make(self.made + 1);
        }
        let word = self.all[self.taken];
        self.taken += 1;
        word
    }

    /// The next `number` words.
    pub(super) fn some(&mut self, number: usize) -> &[u64] {
        let until = self.taken + number;
        if until > self.made {
            self.make(until);
        }
        let some = &self.all[self.taken..until];
        self.taken = until;
        some
    }

    /// All words that were made.
    pub(super) fn all(&self) -> &[u64] {
        &self.all[..self.made]
    }

    /// The last word that was made.
    pub(super) fn last(&self) -> u64 {
        let last = self.made.checked_sub(1);
        last.map_or(0, |last| self.all[last])
    }

    /// How many words were made.
    pub(super) fn made(&self) -> usize {
        self.made
    }
}

/// A list that has no unit yet.
const UNBEGUN: u16 = u16::MAX;

/// The lists of a design: which one a site's families are on, and where each stands.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) table: DesignTable,
    /// The list of each site.
    pub(super) of_site: Vec<u32>,
    states: Vec<u16>,
    /// Whether its table is.
    even: bool,
}

impl Lists {
    pub(super) fn new(table: DesignTable, of_site: Vec<u32>) -> Self {
        let number = of_site.iter().max().map_or(0, |last| *last as usize + 1);
        Self {
            even: table.is_even(),
            table,
            of_site,
            states: vec![UNBEGUN; number],
        }
    }

    /// Whether each site has a list of its own.
    pub(super) fn are_sites(&self) -> bool {
        (0..).zip(&self.of_site).all(|(site, list)| site == *list)
    }

    /// Number of lists.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// Draws the arms of families in ledger order, given by their sites. `each` is told the place, the site and the list,
    /// the weights of the draw in lowest terms, and the arm.
    #[inline]
    pub(super) fn walk(
        &mut self,
        sites: &[u16],
        words: &mut Words,
        each: impl FnMut(usize, (usize, usize), [u64; 2], Arm),
    ) {
        self.begin();
        self.go_on(sites, words, each);
    }

    /// Before the first family of all lists.
    pub(super) fn begin(&mut self) {
        self.states.fill(UNBEGUN);
    }

    /// As [`Lists::walk`], for families that follow those of lists that have begun; places are those among them.
    #[inline]
    pub(super) fn go_on(
        &mut self,
        sites: &[u16],
        words: &mut Words,
        each: impl FnMut(usize, (usize, usize), [u64; 2], Arm),
    ) {
        if self.even {
            self.follow::<true>(sites, words, each);
        } else {
            self.follow::<false>(sites, words, each);
        }
    }

    #[inline]
    fn follow<const EVEN: bool>(
        &mut self,
        sites: &[u16],
        words: &mut Words,
        mut each: impl FnMut(usize, (usize, usize), [u64; 2], Arm),
    ) {
        let table = &self.table;
        let mut ahead = Ahead {
            taken: words.taken,
            words,
        };
        if let [only] = &mut self.states[..] {
            // The state of the one list stays at hand.
            let mut state = *only;
            for (place, site) in sites.iter().enumerate() {
                let (weights, arm) = ahead.draw::<EVEN>(table, &mut state);
                each(place, (usize::from(*site), 0), weights, arm);
            }
            *only = state;
        } else {
            for (place, site) in sites.iter().enumerate() {
                let site = usize::from(*site);
                let list = self.of_site[site] as usize;
                let (weights, arm) = ahead.draw::<EVEN>(table, &mut self.states[list]);
                each(place, (site, list), weights, arm);
            }
        }
        ahead.words.taken = ahead.taken;
    }
}

/// Words that arms are drawn from, and how many are taken, which stays at hand.
struct Ahead<'w> {
    words: &'w mut Words,
    taken: usize,
}

impl Ahead<'_> {
    /// The next arm of a list, and the weights of its draw.
    #[allow(
        clippy::inline_always,
        reason = "called for each family, with state and place in registers"
    )]
    #[inline(always)]
    fn draw<const EVEN: bool>(&mut self, table: &DesignTable, state: &mut u16) -> ([u64; 2], Arm) {
        let next = self.words.all[..self.words.made].get(self.taken..self.taken + 2);
        if let (Some([word, hidden]), true) = (next, *state != UNBEGUN) {
            let weights = table.weights(*state);
            let ahead = table.draw_ahead::<EVEN>(*state, [*word, *hidden]);
            if let Some((arm, next, taken)) = ahead {
                *state = next;
                self.taken += taken;
                return (weights, arm);
            }
        }
        self.one_by_one(table, state)
    }

    /// As [`Ahead::draw`], at the beginning of a list, at the end of the words, and where one is drawn again.
    #[cold]
    fn one_by_one(&mut self, table: &DesignTable, state: &mut u16) -> ([u64; 2], Arm) {
        let words = &mut *self.words;
        words.taken = self.taken;
        if *state == UNBEGUN {
            *state = table.begin(|| words.next());
        }
        // Whoever comes later has words at hand.
        words.make(words.taken + 2);
        let weights = table.weights(*state);
        let arm = table.draw(state, || words.next());
        self.taken = words.taken;
        (weights, arm)
    }
}

#[cfg(test)]
mod tests {
    use super::Words;
    use crate::numerics::stream::replicate;
    use rand_chacha::rand_core::Rng;

    #[test]
    fn words_in_bulk_are_the_words_of_the_stream() {
        let (key, mut words) = ([3; 32], Words::default());
        for (stream, expected) in [(0, 0), (1, 5), (2, 100)] {
            words.begin(replicate(&key, stream), expected);
            let mut plain = replicate(&key, stream);
            for _ in 0..40 {
                assert_eq!(words.next(), plain.next_u64());
                let own: Vec<u64> = words.some(3).to_vec();
                assert_eq!(own, [(); 3].map(|()| plain.next_u64()));
            }
        }
    }
}
