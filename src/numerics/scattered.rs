//! Blocks of one stream of ChaCha8 from here and there, many at a time.
//!
//! A generator that jumps makes the four blocks that follow; where one of them is wanted, three are made in vain. Here each
//! lane of the same instructions has a place of its own (Bernstein 2008, "ChaCha, a variant of Salsa20"; the layout of
//! key, counter and stream is that of `rand_chacha`).

/// Blocks that are made at once.
pub(crate) const LANES: usize = 32;

/// One word of the state in every lane.
type Lanes = [u32; LANES];

/// The first four words of every state: "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// A stream whose blocks are taken in any order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scattered {
    key: [u32; 8],
    stream: u64,
}

/// Blocks of eight words each.
#[derive(Debug, Clone)]
pub(crate) struct Blocks([Lanes; 16]);

impl Default for Blocks {
    fn default() -> Self {
        Self([[0; LANES]; 16])
    }
}

impl Blocks {
    /// A word of a block, by the lane of the block and its place there, from 0 to 7.
    pub(crate) fn word(&self, lane: usize, place: usize) -> u64 {
        let [low, high] = [self.0[2 * place][lane], self.0[2 * place + 1][lane]];
        u64::from(low) | u64::from(high) << 32
    }
}

impl Scattered {
    /// Stream `stream` of a key, as [`super::stream::replicate`] numbers them.
    pub(crate) fn new(key: &[u8; 32], stream: u64) -> Self {
        let words = key.as_chunks::<4>().0;
        Self {
            key: std::array::from_fn(|place| u32::from_le_bytes(words[place])),
            stream,
        }
    }

    /// Makes the blocks with these numbers.
    pub(crate) fn blocks(&self, numbers: &[u64; LANES], into: &mut Blocks) {
        let x = &mut into.0;
        self.begin(numbers, x, |word, own| *word = own);
        for _ in 0..DOUBLE_ROUNDS {
            for places in QUARTERS {
                if let Ok([a, b, c, d]) = x.get_disjoint_mut(places) {
                    quarter(a, b, c, d);
                }
            }
        }
        self.begin(numbers, x, |word, own| *word = word.wrapping_add(own));
    }

    /// Goes through the words of the state before the rounds.
    fn begin(&self, numbers: &[u64; LANES], x: &mut [Lanes; 16], each: impl Fn(&mut u32, u32)) {
        let stream = [self.stream as u32, (self.stream >> 32) as u32];
        let [constants @ .., low, high, s0, s1] = x;
        for (lanes, word) in constants.iter_mut().zip(CONSTANTS.iter().chain(&self.key)) {
            for own in lanes {
                each(own, *word);
            }
        }
        for (own, number) in low.iter_mut().zip(numbers) {
            each(own, *number as u32);
        }
        for (own, number) in high.iter_mut().zip(numbers) {
            each(own, (*number >> 32) as u32);
        }
        for (lanes, word) in [s0, s1].into_iter().zip(stream) {
            for own in lanes {
                each(own, word);
            }
        }
    }
}

/// Rounds by columns and diagonals.
const DOUBLE_ROUNDS: usize = 4;

/// The words of a double round's quarters: columns, then diagonals.
const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// A quarter round in every lane. On its own, the compiler takes several lanes in one instruction.
#[inline(never)]
fn quarter(a: &mut Lanes, b: &mut Lanes, c: &mut Lanes, d: &mut Lanes) {
    for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
        let (mut p, mut q, mut r, mut s) = (*a, *b, *c, *d);
        p = p.wrapping_add(q);
        s = (s ^ p).rotate_left(16);
        r = r.wrapping_add(s);
        q = (q ^ r).rotate_left(12);
        p = p.wrapping_add(q);
        s = (s ^ p).rotate_left(8);
        r = r.wrapping_add(s);
        q = (q ^ r).rotate_left(7);
        (*a, *b, *c, *d) = (p, q, r, s);
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocks, LANES, Scattered};
    use crate::numerics::stream::replicate;
    use rand_chacha::rand_core::Rng;

    #[test]
    fn blocks_are_those_of_the_generator() {
        let key: [u8; 32] = std::array::from_fn(|place| (7 * place + 3) as u8);
        for stream in [0, 5, (1 << 40) + 9] {
            let own = Scattered::new(&key, stream);
            let numbers: [u64; LANES] =
                std::array::from_fn(|lane| (lane as u64 * 7919) ^ (lane as u64) << 33);
            let mut blocks = Blocks::default();
            own.blocks(&numbers, &mut blocks);
            for (lane, number) in numbers.into_iter().enumerate() {
                let mut rng = replicate(&key, stream);
                rng.set_word_pos(u128::from(number) * 16);
                for place in 0..8 {
                    assert_eq!(blocks.word(lane, place), rng.next_u64());
                }
            }
        }
    }
}
