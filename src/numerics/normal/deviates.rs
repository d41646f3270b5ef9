//! Normal deviates of simulated studies: the inverse distribution function of Wichura (1988, algorithm AS 241, PPND16,
//! doi 10.2307/2347330), whose relative error is about 1e-16, for one deviate or for many.
//!
//! Six in seven deviates lie in the middle, |u − ½| ≤ .425, where the algorithm is one ratio of polynomials and nothing else,
//! so that many are made side by side; the others are gathered and made side by side too. Only arithmetic and the root are
//! used, which are those of every platform, and a deviate has the same bits alone or among others.

#![allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]

use crate::numerics::vector::{Wide, widest};

/// Where the middle ends.
const MIDDLE: f64 = 0.425;
/// `MIDDLE²`
const MIDDLE_SQUARE: f64 = 0.180_625;

/// Coefficients of a ratio of polynomials, lowest power first.
type Ratio = [[f64; 8]; 2];

const CENTRAL: Ratio = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];

const OUTER: Ratio = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        0.000_774_545_014_278_341_4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        0.000_547_593_808_499_534_5,
        1.050_750_071_644_416_9e-9,
    ],
];

const FAR: Ratio = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        0.000_786_869_131_145_613_3,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_7e-15,
    ],
];

#[inline(always)]
fn ratio([above, below]: &Ratio, x: f64) -> f64 {
    polynomial(above, x) / polynomial(below, x)
}

/// By Horner's rule.
#[inline(always)]
fn polynomial(c: &[f64; 8], x: f64) -> f64 {
    let [c0, c1, c2, c3, c4, c5, c6, c7] = c;
    ((((((c7 * x + c6) * x + c5) * x + c4) * x + c3) * x + c2) * x + c1) * x + c0
}

#[inline(always)]
fn central(q: f64) -> f64 {
    q * ratio(&CENTRAL, MIDDLE_SQUARE - q * q)
}

/// Upper half of ln 2, of which multiples up to 2²⁰ are exact, and the rest of it.
const LN_2: [f64; 2] = [
    f64::from_bits(0x3fe6_2e42_fee0_0000),
    f64::from_bits(0x3dea_39ef_3579_3c76),
];

/// The bits of √½, and of 1.
const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE: u64 = 0x3ff0_0000_0000_0000;
/// Bits of a fraction.
const FRACTION: u32 = 52;
/// `2⁵²`, the low bits of which are those of a whole number added to it.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// `2/(2k + 1)` from k = 10 down to 1, in pairs of an even and an odd k.
const HALVES: [[f64; 2]; 5] = [
    [2.0 / 21.0, 2.0 / 19.0],
    [2.0 / 17.0, 2.0 / 15.0],
    [2.0 / 13.0, 2.0 / 11.0],
    [2.0 / 9.0, 2.0 / 7.0],
    [2.0 / 5.0, 2.0 / 3.0],
];

/// `−ln u` of a normal number below ½, to within 2 units in the last place.
///
/// `u = 2ᵏ m` with m between √½ and √2, and `ln m = 2 artanh s` for `s = (m − 1)/(m + 1)`, |s| < .172, whose series
/// ends with s²¹. Without a branch or a table the compiler takes several numbers in one instruction.
#[inline(always)]
fn minus_log(u: f64) -> f64 {
    let bits = u.to_bits().wrapping_add(ONE - ROOT_HALF);
    let m = f64::from_bits((bits & ((1 << FRACTION) - 1)) + ROOT_HALF);
    // The exponent with its offset, as the fraction of 2⁵².
    let k = f64::from_bits(bits >> FRACTION | WHOLE.to_bits()) - (WHOLE + 1023.0);
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let fourth = square * square;
    let [[mut even, mut odd], others @ ..] = HALVES;
    for [to_even, to_odd] in others {
        even = even * fourth + to_even;
        odd = odd * fourth + to_odd;
    }
    // Twice s is exact, and what follows is below a hundredth of it.
    let series = s * (square * (odd + square * even));
    -(k * LN_2[0] + (2.0 * s + (series + k * LN_2[1])))
}

/// Beyond the middle, where `r = √(−ln u)` of the nearer tail is at most 5.
#[inline(always)]
fn outer(r: f64) -> f64 {
    ratio(&OUTER, r - 1.6)
}

/// The part of the distribution on the nearer side.
#[inline(always)]
fn tail(u: f64) -> f64 {
    if u < 0.5 { u } else { 1.0 - u }
}

/// Greatest r of [`outer`].
const FAR_FROM: f64 = 5.0;

/// The value below which a normal variable falls with probability `u`, for `u` inside (0, 1).
///
/// ```
/// use lottning::numerics::normal::deviate;
/// assert!((deviate(0.975) - 1.959_963_984_540_054).abs() < 1e-15); // Abramowitz and Stegun 1964, table 26.5
/// ```
pub fn deviate(u: f64) -> f64 {
    let q = u - 0.5;
    if q.abs() <= MIDDLE {
        return central(q);
    }
    let r = minus_log(tail(u)).sqrt();
    let z = if r <= FAR_FROM {
        outer(r)
    } else {
        ratio(&FAR, r - FAR_FROM)
    };
    z.copysign(q)
}

/// Deviates of which those beyond the middle are made side by side.
const SOME: usize = 128;
/// As many as are made in one go.
const LANES: usize = 8;

/// As [`deviate`], of each of `u` into `z`, up to the shorter of the two.
pub fn deviates(u: &[f64], z: &mut [f64]) {
    widest(Deviates { u, z });
}

/// The work of [`deviates`].
struct Deviates<'d> {
    u: &'d [f64],
    z: &'d mut [f64],
}

impl Wide for Deviates<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { u, z } = self;
        let (mut places, mut tails) = ([0_u8; SOME], [0.0; SOME]);
        for (u, z) in u.chunks(SOME).zip(z.chunks_mut(SOME)) {
            for (u, z) in u.iter().zip(&mut *z) {
                *z = central(u - 0.5);
            }
            // Every one is written, and the place moves on after those beyond the middle.
            let mut beyond = 0;
            for (place, u) in u.iter().enumerate().take(z.len()) {
                places[beyond] = place as u8;
                tails[beyond] = tail(*u);
                beyond += usize::from((u - 0.5).abs() > MIDDLE);
            }
            // The last few are filled up with what is beyond the middle too.
            let all = beyond.next_multiple_of(LANES);
            tails[beyond..all].fill(1.0 - MIDDLE - 0.5);
            let (blocks, _) = tails[..all].as_chunks_mut::<LANES>();
            let mut far = false;
            for block in blocks {
                for own in block {
                    let r = minus_log(*own).sqrt();
                    far |= r > FAR_FROM;
                    *own = outer(r);
                }
            }
            for (place, own) in places[..beyond].iter().zip(&tails) {
                let place = usize::from(*place);
                z[place] = own.copysign(u[place] - 0.5);
            }
            if far {
                beyond_outer(u, z);
            }
        }
    }
}

/// Puts right those that lie farther out than [`outer`] is for.
#[cold]
fn beyond_outer(u: &[f64], z: &mut [f64]) {
    for (u, z) in u.iter().zip(z) {
        if (u - 0.5).abs() > MIDDLE {
            *z = deviate(*u);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{deviate, deviates, minus_log};
    use crate::numerics::normal::{cdf, quantile};
    use crate::numerics::stream::{open_unit, replicate};

    /// Against the quantile of another library, in the middle, in both tails and far out; and there and back.
    #[test]
    fn deviates_are_quantiles() {
        let mut rng = replicate(&[2; 32], 0);
        let mut u: Vec<f64> = (0..20_000).map(|_| open_unit(&mut rng)).collect();
        u.extend((1..53).map(|power| libm::exp2(-f64::from(power))));
        u.extend((1..53).map(|power| 1.0 - libm::exp2(-f64::from(power))));
        u.extend([0.075, 0.925, 0.5]);
        let mut z = vec![0.0; u.len()];
        deviates(&u, &mut z);
        for (u, z) in u.iter().zip(&z) {
            assert_eq!(z.to_bits(), deviate(*u).to_bits());
            let other = quantile(*u).unwrap();
            assert!(
                (z - other).abs() <= 4e-15 * other.abs().max(1.0),
                "{u}: {z} {other}"
            );
            let back = if *u < 0.5 {
                cdf(*z) / u
            } else {
                cdf(-z) / (1.0 - u)
            };
            assert!((back - 1.0).abs() < 1e-13, "{u}: {back}");
        }
        assert_eq!(deviate(0.5).to_bits(), 0.0_f64.to_bits());
    }

    /// Beside libm, itself right to less than one unit in the last place, for everything below the middle and around the
    /// powers of two and of √2.
    #[test]
    fn a_logarithm_is_that_of_libm() {
        let mut rng = replicate(&[3; 32], 0);
        let random = (0..100_000).map(|_| 0.075 * open_unit(&mut rng));
        let turns = (4..54).flat_map(|power| {
            let two = libm::exp2(-f64::from(power));
            [two, two * std::f64::consts::SQRT_2]
        });
        let around = turns.flat_map(|own| [own.next_down(), own, own.next_up()]);
        for u in random.chain(around) {
            let (own, other) = (minus_log(u), -libm::log(u));
            let units = own.to_bits().abs_diff(other.to_bits());
            assert!(units <= 2, "{u:e}: {own} {other}");
        }
    }
}
