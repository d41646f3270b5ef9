//! Normal deviates of simulated studies: the inverse distribution function of Wichura (1988, algorithm AS 241, PPND16,
//! doi 10.2307/2347330), whose relative error is about 1e-16, for one deviate or for many.
//!
//! Four in five to six in seven deviates lie in the middle, |u − ½| ≤ .425, where the algorithm is one ratio of polynomials and
//! nothing else, so that many are made side by side; the others are made again one by one. Logarithm and root are those
//! of every platform, and a deviate has the same bits alone or among others.

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

fn ratio(of: &Ratio, x: f64) -> f64 {
    let value = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    value(&of[0]) / value(&of[1])
}

fn central(q: f64) -> f64 {
    q * ratio(&CENTRAL, MIDDLE_SQUARE - q * q)
}

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
    let tail = if q < 0.0 { u } else { 1.0 - u };
    let r = (-libm::log(tail)).sqrt();
    let z = if r <= 5.0 {
        ratio(&OUTER, r - 1.6)
    } else {
        ratio(&FAR, r - 5.0)
    };
    z.copysign(q)
}

/// As [`deviate`], of each of `u` into `z`, up to the shorter of the two.
pub fn deviates(u: &[f64], z: &mut [f64]) {
    for (u, z) in u.iter().zip(&mut *z) {
        *z = central(u - 0.5);
    }
    for (u, z) in u.iter().zip(z) {
        if (u - 0.5).abs() > MIDDLE {
            *z = deviate(*u);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{deviate, deviates};
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
}
