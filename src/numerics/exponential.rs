//! The exponential function of many numbers at once.

#![allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]

use crate::numerics::vector::{Wide, widest};

/// `log₂ e`.
const LOG2_E: f64 = std::f64::consts::LOG2_E;

/// `ln 2` to 32 bits, so that whole multiples up to 2²¹ are exact, and the rest of it.
const LN_2: [f64; 2] = [
    f64::from_bits(0x3fe6_2e42_fee0_0000),
    f64::from_bits(0x3dea_39ef_3579_3c76),
];

/// Added and taken away again, it rounds to a whole number, which the low bits of the sum hold.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// `1/k!` from k = 13 down to 2, in pairs of an odd and an even k.
const FACTORIALS: [[f64; 2]; 6] = [
    [1.0 / 6_227_020_800.0, 1.0 / 479_001_600.0],
    [1.0 / 39_916_800.0, 1.0 / 3_628_800.0],
    [1.0 / 362_880.0, 1.0 / 40_320.0],
    [1.0 / 5_040.0, 1.0 / 720.0],
    [1.0 / 120.0, 1.0 / 24.0],
    [1.0 / 6.0, 0.5],
];

/// Values that are exponentiated side by side.
const LANES: usize = 8;

/// Within this the result is a normal number.
const LARGEST: f64 = 700.0;

/// Exponentiates each value in place, to within one unit in the last place.
///
/// `eˣ = 2ᵐ eʳ` with a whole m and `|r| ≤ ln 2 / 2`, whose Taylor polynomial of degree 13 leaves out less than 5e-18 of it.
/// Without a branch or a table the compiler takes several values in one instruction. Eight values with one beyond ±700, or
/// with one that is no number, go to [`libm::exp`].
///
/// ```
/// let mut values = [0.0, 1.0, -800.0];
/// lottning::numerics::exponential::exponentiate(&mut values);
/// let unit = f64::EPSILON * 2.0;
/// assert!((values[1] - std::f64::consts::E).abs() <= unit && (values[0], values[2]) == (1.0, 0.0));
/// ```
pub fn exponentiate(values: &mut [f64]) {
    widest(Exponentiate(values));
}

/// The work of [`exponentiate`].
struct Exponentiate<'v>(&'v mut [f64]);

impl Wide for Exponentiate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (blocks, rest) = self.0.as_chunks_mut::<LANES>();
        for block in blocks {
            if are_moderate(block) {
                exponentiate_moderate(block);
            } else {
                by_libm(block);
            }
        }
        if !rest.is_empty() {
            let mut block = [0.0; LANES];
            block[..rest.len()].copy_from_slice(rest);
            if are_moderate(&block) {
                exponentiate_moderate(&mut block);
                rest.copy_from_slice(&block[..rest.len()]);
            } else {
                one_by_one(rest);
            }
        }
    }
}

#[inline(always)]
fn are_moderate(block: &[f64; LANES]) -> bool {
    let mut moderate = true;
    for x in block {
        moderate &= x.abs() < LARGEST;
    }
    moderate
}

#[inline(always)]
fn exponentiate_moderate(block: &mut [f64; LANES]) {
    for x in block {
        *x = moderate(*x);
    }
}

/// Of less than a whole block, with some beyond the range of [`moderate`].
#[cold]
fn one_by_one(rest: &mut [f64]) {
    for x in rest {
        *x = if x.abs() < LARGEST {
            moderate(*x)
        } else {
            libm::exp(*x)
        };
    }
}

/// Of a block with some beyond the range of [`moderate`].
#[cold]
fn by_libm(block: &mut [f64; LANES]) {
    for x in block {
        *x = libm::exp(*x);
    }
}

/// `eˣ` for `|x| < 700`.
#[inline(always)]
fn moderate(x: f64) -> f64 {
    let shifted = x * LOG2_E + WHOLE;
    let m = shifted - WHOLE;
    let r = (x - m * LN_2[0]) - m * LN_2[1];
    // Two short chains of operations instead of a long one.
    let square = r * r;
    let [[mut odd, mut even], others @ ..] = FACTORIALS;
    for [to_odd, to_even] in others {
        odd = odd * square + to_odd;
        even = even * square + to_even;
    }
    let power = 1.0 + (r + square * (even + r * odd));
    // Only the exponent of the result changes; the sign of m is kept by the arithmetic modulo 2⁶⁴.
    f64::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 52))
}

#[cfg(test)]
mod tests {
    use super::exponentiate;

    /// Beside libm, itself right to less than one unit: both are then neighbours of the same true value, so that they
    /// differ by at most one. Small values, whole multiples of ln 2 and of half of it, and an even grid.
    #[test]
    fn within_a_unit_of_libm() {
        let mut values = Vec::new();
        for step in -140_000..=140_000 {
            values.push(f64::from(step) * 0.004_999_37);
        }
        for step in -2019..=2019 {
            let near = f64::from(step) * 0.5 * std::f64::consts::LN_2;
            values.extend([near.next_down(), near, near.next_up()]);
        }
        for power in 0..1074 {
            let small = 2f64.powi(-power);
            values.extend([small, -small, 1.7 * small, -1.7 * small]);
        }
        let mut own = values.clone();
        exponentiate(&mut own);
        for (x, own) in values.into_iter().zip(own) {
            let other = libm::exp(x);
            let units = own.to_bits().abs_diff(other.to_bits());
            assert!(units <= 1, "exp({x:e}): {own:e} and {other:e}");
        }
    }

    /// The ends of the range, and what is no number.
    #[test]
    fn the_ends_are_those_of_libm() {
        let values = [
            700.0,
            -700.0,
            709.9,
            -746.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            -745.1,
            710.0,
        ];
        let mut own = values;
        exponentiate(&mut own);
        for (x, own) in values.into_iter().zip(own) {
            assert_eq!(own.to_bits(), libm::exp(x).to_bits(), "exp({x})");
        }
        exponentiate(&mut []);
    }
}
