//! Random numbers with a frozen meaning: a named generator, an addressed stream, an unbiased bounded integer.
//!
//! Nothing here seeds itself. `below/1` and the addressing are part of the file format `lottning = 1` and never
//! change (`docs/allocation-spec.md`). Sampling of the `rand` crate is not used for anything recorded: its results
//! may change between versions.

use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_chacha::{ChaCha8Rng, ChaCha20Rng};
use sha2::{Digest, Sha256};

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

/// Key of replicates that a person seeds: `SHA-256("lottning/replicates/1" ‖ lp(purpose) ‖ lp(seed text))`;
/// stream = replicate, from 0.
///
/// `purpose` is the verb (`draw`, `estimate`, `simulate`). The seed's text is canonical: 64 lower-case hexadecimal
/// digits for `draw`, a decimal integer without sign or leading zeros for the others.
pub fn replicates_key(purpose: &str, seed_text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"lottning/replicates/1");
    for text in [purpose, seed_text] {
        debug_assert!(
            u16::try_from(text.len()).is_ok(),
            "a text of a key is at most 65,535 bytes"
        );
        hash.update((text.len() as u16).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// `below/1` for one limb: an unbiased integer in `0..n` (Lemire 2019, doi 10.1145/3230636, algorithm 5).
///
/// `m = x·n` for a drawn 64-bit `x`; while `m mod 2^64 < 2^64 mod n` a new `x` is drawn; the result is `m >> 64`.
/// `n = 0` has no answer and gives 0 without drawing; callers guarantee `n >= 1`.
pub fn below(rng: &mut (impl Rng + ?Sized), n: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    loop {
        let m = u128::from(rng.next_u64()) * u128::from(n);
        // 2^64 mod n is below n, so the division is rarely needed.
        let low = m as u64;
        if low >= n || low >= n.wrapping_neg() % n {
            return (m >> 64) as u64;
        }
    }
}

/// `below/1` for several limbs: an unbiased integer in `0..n`, `n` as 64-bit limbs, least significant first.
///
/// `L` is the least number of limbs with `n < 2^(64L)`; `x` is `L` drawn words, first drawn least significant;
/// `m = x·n`; while `m mod 2^(64L) < 2^(64L) mod n` a new `x` is drawn; the result is `m >> 64L`, as `L` limbs. One
/// limb draws and answers as [`below`]. `n = 0` has no answer and gives no limbs without drawing.
///
/// ```
/// use lottning::numerics::stream::{below_wide, recorded};
///
/// let drawn = below_wide(&mut recorded(&[7; 32], 0), &[0, 1]); // below 2^64
/// assert_eq!(drawn.len(), 2);
/// assert_eq!(drawn[1], 0);
/// ```
pub fn below_wide(rng: &mut (impl Rng + ?Sized), n: &[u64]) -> Vec<u64> {
    let limbs = n
        .iter()
        .rposition(|limb| *limb != 0)
        .map_or(0, |top| top + 1);
    let n = &n[..limbs];
    if n.is_empty() {
        return Vec::new();
    }
    loop {
        let x: Vec<u64> = (0..limbs).map(|_| rng.next_u64()).collect();
        let mut m = product(&x, n);
        let high = m.split_off(limbs);
        // The tail is below n, so what is not below n need not know it.
        if !less(&m, n) || !less(&m, &tail(n)) {
            return high;
        }
    }
}

/// `2^(64L) mod n` for `n` of `L` limbs with a leading limb: one binary digit of the power after the other.
fn tail(n: &[u64]) -> Vec<u64> {
    // The power is a one followed by 64·L zeros; a remainder stays below n, so twice a remainder has one more bit.
    let mut rest = vec![0; n.len()];
    rest[0] = 1;
    if !less(&rest, n) {
        rest[0] = 0; // n = 1
    }
    for _ in 0..64 * n.len() {
        let mut carried = false;
        for limb in &mut rest {
            let out = *limb >> 63 == 1;
            *limb = *limb << 1 | u64::from(carried);
            carried = out;
        }
        if carried || !less(&rest, n) {
            let mut borrow = false;
            for (limb, part) in rest.iter_mut().zip(n) {
                let (once, first) = limb.overflowing_sub(*part);
                let (twice, second) = once.overflowing_sub(u64::from(borrow));
                *limb = twice;
                borrow = first || second;
            }
        }
    }
    rest
}

/// Schoolbook product of two numbers of as many limbs.
fn product(x: &[u64], y: &[u64]) -> Vec<u64> {
    let mut m = vec![0; x.len() + y.len()];
    for (i, a) in x.iter().enumerate() {
        let mut carry = 0;
        for (j, b) in y.iter().enumerate() {
            let sum = u128::from(*a) * u128::from(*b) + u128::from(m[i + j]) + carry;
            m[i + j] = sum as u64;
            carry = sum >> 64;
        }
        m[i + y.len()] = carry as u64;
    }
    m
}

/// Whether a number is below another of as many limbs.
fn less(x: &[u64], y: &[u64]) -> bool {
    x.iter().rev().lt(y.iter().rev())
}

/// A double in `[0, 1)` with 53 random bits: the upper 53 bits of one 64-bit word, divided by 2^53.
pub fn unit(rng: &mut (impl Rng + ?Sized)) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A double in `(0, 1)`, the mid-point of one of 2^53 equal cells: safe to feed to a quantile function.
pub fn open_unit(rng: &mut (impl Rng + ?Sized)) -> f64 {
    open_unit_of(rng.next_u64())
}

/// The next deviates of [`open_unit`]. Of a few at a time, word by word is faster than [`fill`], which pays from some tens on.
pub fn open_units(rng: &mut impl Rng, deviates: &mut [f64]) {
    for deviate in deviates {
        *deviate = open_unit_of(rng.next_u64());
    }
}

/// The double of [`open_unit`] for a word that is already drawn.
#[allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]
#[inline(always)]
pub fn open_unit_of(word: u64) -> f64 {
    ((word >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
}

/// Fills `words` with the next words of a generator: the same as asking for them one after the other, in one go.
pub fn fill(rng: &mut (impl Rng + ?Sized), words: &mut [u64]) {
    let mut bytes = [0; 256];
    for some in words.chunks_mut(bytes.len() / 8) {
        let own = &mut bytes[..some.len() * 8];
        rng.fill_bytes(own);
        for (word, eight) in some.iter_mut().zip(own.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*eight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{open_unit, open_units, replicate};

    /// One by one or in one piece, across the generator's blocks: the same deviates, and the same place in the stream after.
    #[test]
    fn deviates_in_one_piece_are_those_one_by_one() {
        let (mut one, mut many) = (replicate(&[3; 32], 8), replicate(&[3; 32], 8));
        for count in [1, 8, 13, 0, 45, 7] {
            let mut found = vec![0.0; count];
            open_units(&mut many, &mut found);
            for own in found {
                assert_eq!(own.to_bits(), open_unit(&mut one).to_bits());
            }
        }
        assert_eq!(
            open_unit(&mut one).to_bits(),
            open_unit(&mut many).to_bits()
        );
    }
}
