//! What stratification costs: every stratum keeps an imbalance of its own, and they add up.
//!
//! A stratum's number of families is not known beforehand; families are taken to fall into strata of equal size by
//! chance (Poisson), and each stratum's variance is the method's, exactly, at the number it then has.

use super::guessing::share_unit;
use crate::allocation::{Options, Ratio, Refusal, exact_characteristics};

/// Longest stratum whose variance is followed; the imbalance of larger strata is no reason for fewer of them.
const LONGEST: f64 = 800.0;
/// Longest list without strata whose variance is followed.
const LONGEST_ALONE: f64 = 400.0;

/// Balance over all strata together, for two arms. Figures are of the difference between equal arms; where the arms are
/// unequal, of the number in an arm − its share of the families.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Together {
    /// Number of strata.
    pub strata: usize,
    /// Families of all strata.
    pub families: f64,
    /// Whether the arms are equal, so that the figures are of their difference.
    pub equal_arms: bool,
    /// Standard deviation over all strata.
    pub imbalance_sd: f64,
    /// The same for independent lots in the ratio: with equal arms the square root of the families.
    pub coin_sd: f64,
    /// The same for the method without strata.
    pub without_strata_sd: f64,
    /// Largest of it that can be over all strata, if the method bounds it below the number of families.
    pub largest: Option<f64>,
}

/// Balance over `strata` strata of equal size, when `families` fall into them by chance.
///
/// `None` with other than two arms (whose imbalances cannot be added up) and where the variance is not known exactly. With
/// blocks of B, two equal arms, that are left anywhere in the last block with equal chance the variance is
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
    let Some(unit) = share_unit(ratio).filter(|_| beyond <= LONGEST && mean > 0.0) else {
        return Ok(None);
    };
    let longest = beyond.max(families.min(LONGEST_ALONE)) as u64;
    let exact = exact_characteristics(method, ratio, options, longest)?;
    let Some(squares) = exact.squares else {
        return Ok(None);
    };
    let (mut own, mut chance) = (0.0, (-mean).exp());
    for (place, variance) in squares.iter().take(beyond as usize).enumerate() {
        chance *= mean / (place as f64 + 1.0);
        own += chance * variance;
    }
    // From the imbalance to the number in an arm − its share; the difference of equal arms is the imbalance itself.
    let equal_arms = ratio.is_equal();
    let unit = if equal_arms { 1.0 } else { unit };
    let coin = if equal_arms {
        families
    } else {
        families * unit / ratio.sum() as f64
    };
    let largest = exact.farthest.map(|own| strata as f64 * own * unit);
    Ok(Some(Together {
        strata,
        families,
        equal_arms,
        imbalance_sd: unit * (strata as f64 * own).sqrt(),
        coin_sd: coin.sqrt(),
        without_strata_sd: unit * alone(&squares, families).max(0.0).sqrt(),
        largest: largest.filter(|largest| *largest < families),
    }))
}

/// The variance of one list of so many families: the mean of four neighbours, since families are not whole blocks; beyond
/// what was followed it goes on growing as it did over the second half.
fn alone(squares: &[f64], families: f64) -> f64 {
    let mean = |from: usize, to: usize| {
        let own = squares.get(from..to).unwrap_or_default();
        own.iter().sum::<f64>() / own.len().max(1) as f64
    };
    let (n, len) = (families as usize, squares.len());
    if n <= len {
        return mean(n.saturating_sub(4), n.max(1));
    }
    let window = len / 4;
    let growth = (mean(len - window, len) - mean(len / 2 - window, len / 2)) / (len / 2) as f64;
    mean(len - window, len) + growth * (families - len as f64 + window as f64 / 2.0)
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

    /// A method without a bound has none, however unlikely the largest imbalance is: 800 families in two strata could all be
    /// in one arm. Soares & Wu's stick bounds each stratum.
    #[test]
    fn only_a_method_with_a_bound_has_a_largest_imbalance() {
        for method in ["simple", "biased-coin", "urn"] {
            assert_eq!(found(method, &[], 800.0, 2).largest, None, "{method}");
        }
        let stick = found("big-stick", &[("max_imbalance", "3")], 800.0, 2);
        assert_eq!(stick.largest, Some(6.0));
    }

    #[test]
    fn what_cannot_be_added_up_is_absent() {
        let options = Options::of(&[("block_len", "6")]);
        let ratio = read_ratio("1:1:1").unwrap();
        let found = together("permuted-block", &ratio, &options, 100.0, 5).unwrap();
        assert_eq!(found, None);
    }

    /// Blocks of three at 1:2 in 25 strata of 60. In a block n1 − n/3 is 0 after none; ⅔ or −⅓ with chance ⅓, ⅔ after one: 2/9;
    /// ⅓ or −⅔ with chance ⅔, ⅓ after two: 2/9. Left anywhere: 4/27 a stratum. Without strata the mean of four neighbours,
    /// here three with 2/9 or two. A coin: N · 2/9.
    #[test]
    fn unequal_arms_are_compared_with_their_shares() {
        let ratio = read_ratio("1:2").unwrap();
        let options = Options::of(&[("block_len", "3")]);
        let blocks = together("permuted-block", &ratio, &options, 1500.0, 25)
            .unwrap()
            .unwrap();
        assert!(!blocks.equal_arms);
        assert!((blocks.imbalance_sd - (25.0f64 * 4.0 / 27.0).sqrt()).abs() < 1e-9);
        assert!((blocks.coin_sd - (1500.0f64 * 2.0 / 9.0).sqrt()).abs() < 1e-9);
        assert!(blocks.without_strata_sd > 0.3 && blocks.without_strata_sd < 0.5);
    }

    /// Simple randomization loses nothing by strata, below and beyond what is followed: variance n.
    #[test]
    fn strata_cost_simple_randomization_nothing() {
        for (families, strata) in [(90.0, 9), (2000.0, 40)] {
            let coins = found("simple", &[], families, strata);
            let without = coins.without_strata_sd / coins.imbalance_sd;
            assert!((without - 1.0).abs() < 0.02, "{coins:?}");
        }
    }
}
