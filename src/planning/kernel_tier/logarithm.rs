//! The logarithm of a deviate to thirteen decimals, for sums whose whole part alone is asked for.
//!
//! A sum of waiting times decides a day, and its last digits do not, unless it lies next to midnight; there the caller
//! adds it up again in the exact way. `u = 2ᵏ m` with m between √½ and √2, and `ln m = 2 artanh s` for `s = (m − 1)/(m + 1)`,
//! |s| < .172, whose series ends with s¹⁵: what follows is below 2e-14. Without a branch or a table the compiler takes
//! several words in one instruction.

/// The bits of √½, and of 1.
const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE: u64 = 0x3ff0_0000_0000_0000;
/// Bits of a fraction.
const FRACTION: u32 = 52;
/// `2⁵²`, the low bits of which are those of a whole number added to it.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// `−ln u` for the deviate `u` of a word (`numerics::stream::open_unit_of`), within 1e-13.
#[allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]
#[inline(always)]
pub(super) fn minus_log(word: u64) -> f64 {
    // 2⁵³ u
    let deviate = (word >> 11) as f64 + 0.5;
    let bits = deviate.to_bits().wrapping_add(ONE - ROOT_HALF);
    let m = f64::from_bits((bits & ((1 << FRACTION) - 1)) + ROOT_HALF);
    // The exponent with its offset, as the fraction of 2⁵².
    let k = f64::from_bits(bits >> FRACTION | WHOLE.to_bits()) - (WHOLE + 1023.0 + 53.0);
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let fourth = square * square;
    let even = 2.0 / 3.0 + fourth * (2.0 / 7.0 + fourth * (2.0 / 11.0 + fourth * (2.0 / 15.0)));
    let odd = 2.0 / 5.0 + fourth * (2.0 / 9.0 + fourth * (2.0 / 13.0));
    let series = 2.0 * s + (s * square) * (even + square * odd);
    -(k * std::f64::consts::LN_2 + series)
}

#[cfg(test)]
mod tests {
    use super::minus_log;
    use crate::numerics::stream::{open_unit_of, replicate};
    use rand_chacha::rand_core::Rng;

    #[test]
    fn thirteen_decimals_are_right() {
        let mut rng = replicate(&[5; 32], 0);
        let ends = [0, 1 << 11, u64::MAX, u64::MAX >> 1, 1 << 63];
        let some = (0..100_000).map(|place| rng.next_u64() >> (place % 64));
        for word in ends.into_iter().chain(some) {
            let exact = -libm::log(open_unit_of(word));
            let found = minus_log(word);
            assert!((found - exact).abs() < 1e-13, "{word}: {found} {exact}");
        }
    }
}
