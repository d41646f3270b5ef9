//! Least words of blocks of one stream of ChaCha8 from here and there, many at a time.
//!
//! A generator that jumps makes the four blocks that follow; where one of them is wanted, three are made in vain. Here each
//! lane of the same instructions has a place of its own (Bernstein 2008, "ChaCha, a variant of Salsa20"; the layout of
//! key, counter and stream is that of `rand_chacha`). The state of as many blocks as a register has lanes stays in
//! registers, the widest that the processor has.

#![allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]

use pulp::{Arch, Simd, WithSimd};

/// Blocks that are made at once; of fewer, the last is made again.
const LANES: usize = 32;
/// Words of 64 bits in a block.
const WORDS: usize = 8;

/// One half of a word in every lane.
type Lanes = [u32; LANES];

/// The first four words of every state: "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
/// Rounds by columns and diagonals.
const DOUBLE_ROUNDS: usize = 4;

/// A stream whose blocks are taken in any order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scattered {
    key: [u32; 8],
    stream: u64,
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

    /// The least of the words from place `FIRST` (0 to 7) until before `end` of each block, given by its number; the largest
    /// word where there is none.
    pub(crate) fn least_words<const FIRST: usize>(&self, blocks: &[Block], least: &mut Vec<u64>) {
        least.clear();
        least.resize(blocks.len(), u64::MAX);
        Arch::new().dispatch(LeastWords::<FIRST> {
            stream: *self,
            blocks,
            least,
        });
    }
}

/// A block by its number, and which of its words is the first that is not wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Block {
    pub(crate) number: u64,
    pub(crate) end: u32,
}

/// The work of [`Scattered::least_words`].
struct LeastWords<'w, const FIRST: usize> {
    stream: Scattered,
    blocks: &'w [Block],
    least: &'w mut [u64],
}

impl<const FIRST: usize> WithSimd for LeastWords<'_, FIRST> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (blocks, least) in self.blocks.chunks(LANES).zip(self.least.chunks_mut(LANES)) {
            let (mut low, mut high, mut ends) = ([0; LANES], [0; LANES], [0; LANES]);
            for lane in 0..LANES {
                let block = blocks[lane.min(blocks.len() - 1)];
                low[lane] = block.number as u32;
                high[lane] = (block.number >> 32) as u32;
                ends[lane] = u64::from(block.end);
            }
            let mut words = [[0; LANES]; 2 * WORDS];
            self.stream.make(simd, [&low, &high], &mut words);
            let mut found = [u64::MAX; LANES];
            for place in FIRST..WORDS {
                let [low, high] = [&words[2 * place], &words[2 * place + 1]];
                for lane in 0..LANES {
                    let word = u64::from(low[lane]) | u64::from(high[lane]) << 32;
                    let wanted = if (place as u64) < ends[lane] {
                        word
                    } else {
                        u64::MAX
                    };
                    found[lane] = found[lane].min(wanted);
                }
            }
            least.copy_from_slice(&found[..least.len()]);
        }
    }
}

impl Scattered {
    /// Makes the blocks whose numbers have these halves.
    #[inline(always)]
    fn make<S: Simd>(&self, simd: S, [low, high]: [&Lanes; 2], into: &mut [Lanes; 2 * WORDS]) {
        let ([c0, c1, c2, c3], [k0, k1, k2, k3, k4, k5, k6, k7]) = (CONSTANTS, self.key);
        let own = |word: u32| simd.splat_u32s(word);
        let (low, high) = (S::as_simd_u32s(low).0, S::as_simd_u32s(high).0);
        for (group, (low, high)) in low.iter().zip(high).enumerate() {
            let begin = [
                own(c0),
                own(c1),
                own(c2),
                own(c3),
                own(k0),
                own(k1),
                own(k2),
                own(k3),
                own(k4),
                own(k5),
                own(k6),
                own(k7),
                *low,
                *high,
                own(self.stream as u32),
                own((self.stream >> 32) as u32),
            ];
            let mut x = begin;
            for _ in 0..DOUBLE_ROUNDS {
                quarter::<S, 0, 4, 8, 12>(simd, &mut x);
                quarter::<S, 1, 5, 9, 13>(simd, &mut x);
                quarter::<S, 2, 6, 10, 14>(simd, &mut x);
                quarter::<S, 3, 7, 11, 15>(simd, &mut x);
                quarter::<S, 0, 5, 10, 15>(simd, &mut x);
                quarter::<S, 1, 6, 11, 12>(simd, &mut x);
                quarter::<S, 2, 7, 8, 13>(simd, &mut x);
                quarter::<S, 3, 4, 9, 14>(simd, &mut x);
            }
            for ((own, begin), lanes) in x.into_iter().zip(begin).zip(&mut *into) {
                S::as_mut_simd_u32s(lanes).0[group] = simd.add_u32s(own, begin);
            }
        }
    }
}

/// A quarter round of four words of the state, in every lane.
#[inline(always)]
fn quarter<S: Simd, const A: usize, const B: usize, const C: usize, const D: usize>(
    simd: S,
    x: &mut [S::u32s; 2 * WORDS],
) {
    let (mut a, mut b, mut c, mut d) = (x[A], x[B], x[C], x[D]);
    a = simd.add_u32s(a, b);
    d = rotate_left::<S, 16>(simd, simd.xor_u32s(d, a));
    c = simd.add_u32s(c, d);
    b = rotate_left::<S, 12>(simd, simd.xor_u32s(b, c));
    a = simd.add_u32s(a, b);
    d = rotate_left::<S, 8>(simd, simd.xor_u32s(d, a));
    c = simd.add_u32s(c, d);
    b = rotate_left::<S, 7>(simd, simd.xor_u32s(b, c));
    (x[A], x[B], x[C], x[D]) = (a, b, c, d);
}

#[inline(always)]
fn rotate_left<S: Simd, const BITS: u32>(simd: S, x: S::u32s) -> S::u32s {
    let high = simd.wrapping_dyn_shl_u32s(x, simd.splat_u32s(BITS));
    let low = simd.wrapping_dyn_shr_u32s(x, simd.splat_u32s(32 - BITS));
    simd.or_u32s(high, low)
}

#[cfg(test)]
mod tests {
    use super::{Block, LANES, Scattered, WORDS};
    use crate::numerics::stream::replicate;
    use rand_chacha::rand_core::Rng;

    /// Beside the generator: each word alone, and the least of several.
    #[test]
    fn words_are_those_of_the_generator() {
        let key: [u8; 32] = std::array::from_fn(|place| (7 * place + 3) as u8);
        for (stream, number) in [(0, 1), (5, LANES), (5, 0), ((1 << 40) + 9, 2 * LANES + 7)] {
            let own = Scattered::new(&key, stream);
            let numbers = (0..number as u64).map(|lane| (lane * 7919) ^ lane << 33);
            let numbers: Vec<u64> = numbers.collect();
            let ask = |first: usize, end: usize| {
                let block = |number: &u64| Block {
                    number: *number,
                    end: end as u32,
                };
                let blocks: Vec<Block> = numbers.iter().map(block).collect();
                let mut least = vec![3];
                match first {
                    0 => own.least_words::<0>(&blocks, &mut least),
                    1 => own.least_words::<1>(&blocks, &mut least),
                    2 => own.least_words::<2>(&blocks, &mut least),
                    3 => own.least_words::<3>(&blocks, &mut least),
                    4 => own.least_words::<4>(&blocks, &mut least),
                    5 => own.least_words::<5>(&blocks, &mut least),
                    6 => own.least_words::<6>(&blocks, &mut least),
                    _ => own.least_words::<7>(&blocks, &mut least),
                }
                least
            };
            let words = numbers.iter().map(|number| {
                let mut rng = replicate(&key, stream);
                rng.set_word_pos(u128::from(*number) * 16);
                [(); WORDS].map(|()| rng.next_u64())
            });
            let words: Vec<[u64; WORDS]> = words.collect();
            for first in 0..WORDS {
                for end in first..=WORDS {
                    let least = |words: &[u64; WORDS]| {
                        let some = words[first..end].iter().copied();
                        some.min().unwrap_or(u64::MAX)
                    };
                    let expected: Vec<u64> = words.iter().map(least).collect();
                    assert_eq!(ask(first, end), expected, "{stream} {first} {end}");
                }
            }
        }
    }
}
