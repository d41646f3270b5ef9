//! Upper tails of many normal values at once.

use crate::numerics::exponential::exponentiate;
use std::f64::consts::FRAC_1_SQRT_2;

/// Chebyshev coefficients of `erfc(x) exp(x²)/t` in `2t − 1`, where `t = 4/(4 + x)` maps x from 0 to infinity to the interval
/// from 1 to 0: interpolated in 64 nodes with 60 digits; the first is halved. What is left out is below 2e-17. The form is
/// that of Schonfelder (1978, doi 10.1090/S0025-5718-1978-0494846-8).
const COEFFICIENTS: [f64; 24] = [
    0.408_024_469_549_131_46,
    0.376_358_235_676_367_45,
    0.147_580_354_572_223_63,
    0.049_571_317_930_027_586,
    0.014_227_107_557_117_175,
    0.003_443_493_262_717_524,
    0.000_682_254_183_283_808,
    0.000_103_404_519_757_561_89,
    9.728_545_951_990_15e-6,
    -1.198_871_375_841_204_5e-7,
    -2.174_776_770_344_956_3e-7,
    -3.029_176_773_599_139_4e-8,
    9.479_917_565_204_55e-10,
    8.633_411_694_990_956e-10,
    6.872_156_425_953_403e-11,
    -1.703_489_843_829_627_7e-11,
    -3.392_130_686_829_088_7e-12,
    2.615_808_766_854_024_4e-13,
    1.212_767_580_310_864e-13,
    -2.114_689_543_244_809e-15,
    -4.117_340_933_404_178e-15,
    -6.328_712_721_700_708e-17,
    1.439_311_098_344_984_6e-16,
    4.561_494_798_284_130_5e-18,
];

/// Values whose powers are taken at once, and of which so many go side by side.
const SOME: usize = 32;
const LANES: usize = 8;

/// Puts `P(Z > z)` in place of each value z, to 1e-15 of itself times 1 + z²/2; infinite values have the tails 0 and 1.
///
/// Without a branch or a table the compiler takes several values in one instruction.
///
/// ```
/// let mut z = [0.0, 1.959_963_984_540_054, -1.959_963_984_540_054];
/// lottning::numerics::normal::upper_tails(&mut z);
/// assert!((z[0] - 0.5).abs() < 1e-15 && (z[1] - 0.025).abs() < 1e-15 && (z[2] - 0.975).abs() < 1e-15);
/// ```
pub fn upper_tails(values: &mut [f64]) {
    let mut powers = [0.0; SOME];
    for some in values.chunks_mut(SOME) {
        let powers = &mut powers[..some.len()];
        for (power, z) in powers.iter_mut().zip(&*some) {
            *power = -0.5 * z * z;
        }
        exponentiate(powers);
        let (blocks, rest) = some.as_chunks_mut::<LANES>();
        let (own, last) = powers.as_chunks::<LANES>();
        for (z, power) in blocks.iter_mut().zip(own) {
            *z = tails(z, power);
        }
        if !rest.is_empty() {
            let (mut z, mut power) = ([0.0; LANES], [1.0; LANES]);
            z[..rest.len()].copy_from_slice(rest);
            power[..rest.len()].copy_from_slice(last);
            rest.copy_from_slice(&tails(&z, &power)[..rest.len()]);
        }
    }
}

/// The tails of some values, with `exp(−z²/2)` of each: the series by Clenshaw's recurrence, of all side by side.
fn tails(z: &[f64; LANES], power: &[f64; LANES]) -> [f64; LANES] {
    let t = z.map(|z| 4.0 / (4.0 + z.abs() * FRAC_1_SQRT_2));
    let x = t.map(|t| 2.0 * t - 1.0);
    let (mut one, mut two) = ([0.0; LANES], [0.0; LANES]);
    let [first, others @ ..] = &COEFFICIENTS;
    for c in others.iter().rev() {
        for lane in 0..LANES {
            let next = 2.0 * x[lane] * one[lane] + (c - two[lane]);
            (one[lane], two[lane]) = (next, one[lane]);
        }
    }
    std::array::from_fn(|lane| {
        let series = x[lane] * one[lane] + (first - two[lane]);
        let tail = 0.5 * t[lane] * series * power[lane];
        if z[lane] < 0.0 { 1.0 - tail } else { tail }
    })
}

#[cfg(test)]
mod tests {
    use super::upper_tails;
    use crate::numerics::normal::sf;

    /// Beside the error function of libm, in both directions and to where nothing is left.
    #[test]
    fn tails_are_those_of_libm() {
        let grid: Vec<f64> = (-40_000..=40_000)
            .map(|step| f64::from(step) * 0.000_937)
            .collect();
        let mut own = grid.clone();
        upper_tails(&mut own);
        for (z, own) in grid.into_iter().zip(own) {
            let other = sf(z);
            let room = 1e-15 * (1.0 + 0.5 * z * z) * other;
            assert!((own - other).abs() <= room, "{z}: {own:e} {other:e}");
        }
        let mut ends = [f64::INFINITY, f64::NEG_INFINITY, 40.0, -40.0];
        upper_tails(&mut ends);
        assert_eq!(
            ends.map(f64::to_bits),
            [0.0, 1.0, 0.0, 1.0f64].map(f64::to_bits)
        );
        upper_tails(&mut []);
    }
}
