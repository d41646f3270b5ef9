//! How well the next arm can be guessed by whoever knows the earlier allocations of a stratum.
//!
//! The figures are those of [`crate::allocation::exact_characteristics`] at the size that a stratum will have; here
//! is only the question which size that is, and what guessing by the ratio alone would give.

use crate::allocation::{Options, Ratio, Refusal, exact_characteristics};

/// Longest sequence that is followed exactly; longer ones have the same share to three decimals.
const LONGEST: u64 = 400;

/// How well a sequence of one stratum can be guessed.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Guessing {
    /// Families per stratum for which it is computed.
    pub families_per_stratum: u64,
    /// Expected share of correct guesses under the convergence strategy; `None` where it cannot be computed exactly.
    pub correct_guess_share: Option<f64>,
    /// Share of correct guesses of someone who knows the ratio only and always names the largest arm.
    pub share_by_ratio_alone: f64,
    /// Expected share of allocations that are certain for whoever kept count and knows the block lengths.
    pub forced_share: Option<f64>,
}

impl Guessing {
    /// What knowing the past adds to the share of correct guesses.
    pub fn advantage(&self) -> Option<f64> {
        self.correct_guess_share
            .map(|share| share - self.share_by_ratio_alone)
    }
}

/// Guessing in a method with a ratio and options, when `families` fall into `strata` of equal size.
///
/// Refusals are those of the method. Reference: D. Blackwell, J. L. Hodges 1957, doi 10.1214/aoms/1177706973.
pub fn guessing(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    families: f64,
    strata: usize,
) -> Result<Guessing, Vec<Refusal>> {
    let per_stratum = (families / strata.max(1) as f64).round().max(1.0) as u64;
    let n = per_stratum.min(LONGEST);
    let exact = exact_characteristics(method, ratio, options, n)?;
    let largest = ratio.parts().iter().copied().max().unwrap_or(1);
    Ok(Guessing {
        families_per_stratum: n,
        correct_guess_share: exact.correct_guess_share,
        share_by_ratio_alone: largest as f64 / ratio.sum() as f64,
        forced_share: exact.forced_share,
    })
}
