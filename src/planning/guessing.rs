//! How well the next arm can be guessed by whoever knows the earlier allocations of a stratum, and how well the arms of
//! a stratum balance.
//!
//! The figures are those of [`crate::allocation::exact_characteristics`] at the size that a stratum will have; here
//! is only the question which size that is, and what guessing by the ratio alone would give.

use crate::allocation::{Options, Ratio, Refusal, exact_characteristics};

/// Longest sequence that is followed exactly; longer ones have the same share to three decimals.
const LONGEST: f64 = 400.0;

/// How well a sequence of one stratum can be guessed, and how well it balances.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Guessing {
    /// Families per stratum for which it is computed: whole ratios.
    pub families_per_stratum: u64,
    /// Expected share of correct guesses under the convergence strategy; `None` where it cannot be computed exactly.
    pub correct_guess_share: Option<f64>,
    /// Share of correct guesses of someone who knows the ratio only and always names the largest arm.
    pub share_by_ratio_alone: f64,
    /// Expected share of allocations that are certain for whoever kept count and knows the block lengths.
    pub forced_share: Option<f64>,
    /// Standard deviation of the imbalance of a stratum in the end.
    pub imbalance_sd: Option<f64>,
    /// Expectation of the largest imbalance on the way.
    pub max_imbalance: Option<f64>,
    /// Probability that a stratum ends without imbalance.
    pub p_balanced: Option<f64>,
}

impl Guessing {
    /// What knowing the past adds to the share of correct guesses.
    pub fn advantage(&self) -> Option<f64> {
        self.correct_guess_share
            .map(|share| share - self.share_by_ratio_alone)
    }

    /// Right guesses among ten families of someone who keeps count, or names the largest arm where that is better.
    pub fn right_of_ten(&self) -> Option<f64> {
        self.correct_guess_share
            .map(|share| 10.0 * share.max(self.share_by_ratio_alone))
    }
}

/// Guessing in a method with a ratio and options, when `families` fall into `strata` of equal size.
///
/// Refusals are those of the method. Reference: D. Blackwell, J. L. Hodges 1957, doi 10.1214/aoms/1177706973.
///
/// ```
/// use lottning::allocation::{Options, read_ratio};
/// use lottning::planning::guessing::guessing;
///
/// let ratio = read_ratio("1:1").map_err(|refusal| vec![refusal])?;
/// // 48 families in two strata, blocks of four: whoever keeps count has 17 of 24 right, 12 by chance.
/// let found = guessing("permuted-block", &ratio, &Options::default(), 48.0, 2)?;
/// assert_eq!(found.families_per_stratum, 24);
/// assert!(found.correct_guess_share.is_some_and(|share| (24.0 * share - 17.0).abs() < 1e-9));
/// # Ok::<(), Vec<lottning::allocation::Refusal>>(())
/// ```
pub fn guessing(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    families: f64,
    strata: usize,
) -> Result<Guessing, Vec<Refusal>> {
    // Whole ratios: with an odd number two arms could never be level, whatever the method.
    let sum = ratio.sum() as f64;
    let ratios = (families / strata.max(1) as f64 / sum).round().max(1.0);
    let n = if ratios * sum <= LONGEST {
        ratios * sum
    } else {
        (LONGEST / sum).floor().max(1.0) * sum
    };
    let n = n as u64;
    let exact = exact_characteristics(method, ratio, options, n)?;
    let largest = ratio.parts().iter().copied().max().unwrap_or(1);
    Ok(Guessing {
        families_per_stratum: n,
        correct_guess_share: exact.correct_guess_share,
        share_by_ratio_alone: largest as f64 / ratio.sum() as f64,
        forced_share: exact.forced_share,
        imbalance_sd: exact.imbalance_variance.map(f64::sqrt),
        max_imbalance: exact.max_imbalance,
        p_balanced: exact.p_balanced,
    })
}
