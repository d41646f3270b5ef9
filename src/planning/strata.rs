//! What stratification costs: every stratum keeps an imbalance of its own, and they add up.
//!
//! A stratum's number of families is not known beforehand; families are taken to fall into strata of equal size by
//! chance (Poisson), and each stratum's variance is the method's, exactly, at the number it then has.

use crate::allocation::{Options, Ratio, Refusal, exact_characteristics};

/// Longest stratum whose variance is followed; the imbalance of larger strata is no reason for fewer of them.
const LONGEST: f64 = 800.0;

/// Balance over all strata together, for two arms of equal size.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Together {
    /// Number of strata.
    pub strata: usize,
    /// Families of all strata.
    pub families: f64,
    /// Standard deviation of the difference between the arms over all strata.
    pub imbalance_sd: f64,
    /// The same for a fair coin without strata: the square root of the families.
    pub coin_sd: f64,
    /// Largest difference that can be over all strata, if the method bounds it below the number of families.
    pub largest: Option<f64>,
}

/// Balance over `strata` strata of equal size, when `families` fall into them by chance.
///
/// `None` with other than two arms of equal size (whose imbalances cannot be added up) and where the variance is not
/// known exactly. With blocks of B that are left anywhere in the last block with equal chance the variance is
/// `strata · (B + 1)/6` and the largest difference `strata · B/2` (A. Hallstrom, K. Davis 1988, Controlled Clinical
/// Trials 9:375–382); that is the limit of this figure for large strata. Refusals are those of the method.
pub fn together(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    families: f64,
    strata: usize,
) -> Result<Option<Together>, Vec<Refusal>> {
    let mean = families / strata.max(1) as f64;
    let beyond = mean + 8.0 * mean.sqrt() + 8.0;
    if ratio.arms() != 2 || !ratio.is_equal() || beyond > LONGEST || mean <= 0.0 {
        return Ok(None);
    }
    let exact = exact_characteristics(method, ratio, options, beyond as u64)?;
    let (Some(variances), Some(farthest)) = (exact.variances, exact.farthest) else {
        return Ok(None);
    };
    let (mut own, mut chance) = (0.0, (-mean).exp());
    for (place, variance) in variances.iter().enumerate() {
        chance *= mean / (place as f64 + 1.0);
        own += chance * variance;
    }
    let largest = strata as f64 * farthest;
    Ok(Some(Together {
        strata,
        families,
        imbalance_sd: (strata as f64 * own).sqrt(),
        coin_sd: families.sqrt(),
        largest: (largest < families).then_some(largest),
    }))
}

#[cfg(test)]
mod tests {
    use super::together;
    use crate::allocation::{Options, read_ratio};

    fn found(
        method: &str,
        options: &[(&str, &str)],
        families: f64,
        strata: usize,
    ) -> super::Together {
        let ratio = read_ratio("1:1").unwrap();
        let options = Options::of(options);
        together(method, &ratio, &options, families, strata)
            .unwrap()
            .unwrap()
    }

    /// Hallstrom & Davis (1988): 24 strata in blocks of four: standard deviation √(24·5/6) = 4.47, at most 48. With
    /// strata of 60 the last block is left anywhere in it with equal chance to 1e-12 (e^−60·(1 − cos 90°)).
    #[test]
    fn blocks_in_twenty_four_strata() {
        let blocks = found("permuted-block", &[], 24.0 * 60.0, 24);
        assert!((blocks.imbalance_sd - 20f64.sqrt()).abs() < 1e-9);
        assert_eq!(blocks.largest, Some(48.0));
        for (len, variance) in [("2", 0.5), ("6", 7.0 / 6.0), ("8", 1.5)] {
            let blocks = found("permuted-block", &[("block_len", len)], 1000.0, 10);
            assert!((blocks.imbalance_sd - (10.0f64 * variance).sqrt()).abs() < 1e-9);
        }
    }

    /// One family in each stratum on average: n is 0, 1, 2, 3, 4, … with chance e^−1/n!. Blocks of two have variance 1 at
    /// odd n and 0 at even n: P(odd) = (1 − e^−2)/2.
    #[test]
    fn strata_with_hardly_a_family_are_coins() {
        let blocks = found("permuted-block", &[("block_len", "2")], 50.0, 50);
        let expected = 50.0 * (1.0 - (-2.0f64).exp()) / 2.0;
        assert!((blocks.imbalance_sd - expected.sqrt()).abs() < 1e-9);
        assert_eq!(blocks.largest, None); // 50 strata could each be one off: that many families there are
        // A coin has variance n at n families, so strata change nothing.
        let coins = found("simple", &[], 90.0, 9);
        assert!((coins.imbalance_sd - 90f64.sqrt()).abs() < 1e-9);
        assert!((coins.coin_sd - coins.imbalance_sd).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_added_up_is_absent() {
        let options = Options::of(&[("block_len", "6")]);
        for ratio in ["1:2", "1:1:1"] {
            let ratio = read_ratio(ratio).unwrap();
            assert_eq!(
                together("permuted-block", &ratio, &options, 100.0, 5).unwrap(),
                None
            );
        }
    }
}
