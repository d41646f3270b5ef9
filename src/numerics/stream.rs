//! Random numbers with a frozen meaning: a named generator, an addressed stream, an unbiased bounded integer.
//!
//! Nothing here seeds itself. `below/1` and the addressing are part of the file format `lottning = 1` and never
//! change (`docs/allocation-spec.md`). Sampling of the `rand` crate is not used for anything recorded: its results
//! may change between versions.

use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_chacha::{ChaCha8Rng, ChaCha20Rng};

/// ChaCha20 at the beginning of one stream: the generator of every recorded allocation.
pub fn recorded(key: &[u8; 32], stream: u64) -> ChaCha20Rng {
    let mut rng = ChaCha20Rng::from_seed(*key);
    rng.set_stream(stream);
    rng
}

/// ChaCha8 at the beginning of one stream: redraws and simulated studies.
pub fn replicate(key: &[u8; 32], stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::from_seed(*key);
    rng.set_stream(stream);
    rng
}

/// `below/1` for one limb: an unbiased integer in `0..n` (Lemire 2019, doi 10.1145/3230636, algorithm 5).
///
/// `m = x·n` for a drawn 64-bit `x`; while `m mod 2^64 < 2^64 mod n` a new `x` is drawn; the result is `m >> 64`.
/// `n = 0` has no answer and gives 0 without drawing; callers guarantee `n >= 1`.
pub fn below(rng: &mut (impl Rng + ?Sized), n: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    let tail = n.wrapping_neg() % n;
    loop {
        let m = u128::from(rng.next_u64()) * u128::from(n);
        if m as u64 >= tail {
            return (m >> 64) as u64;
        }
    }
}

/// A double in `[0, 1)` with 53 random bits: the upper 53 bits of one 64-bit word, divided by 2^53.
pub fn unit(rng: &mut (impl Rng + ?Sized)) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A double in `(0, 1)`, the mid-point of one of 2^53 equal cells: safe to feed to a quantile function.
pub fn open_unit(rng: &mut (impl Rng + ?Sized)) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
}
