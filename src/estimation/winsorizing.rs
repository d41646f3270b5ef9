//! Extreme outcomes drawn in: what lies beyond the quantiles of a share and of the rest counts as these.
//!
//! The difference of means of such outcomes is no longer that of the outcomes themselves. It says how much of an effect rests on
//! the few largest and smallest of them.

use crate::numerics::sample_quantile::at;

/// The two values that outcomes are drawn in to: the quantiles `share` and 1 − `share` of the outcomes of all arms together, so that
/// no arm has limits of its own (Hyndman and Fan's seventh definition, R's default). `None` without outcomes.
///
/// ```
/// use lottning::estimation::winsorizing::limits;
/// // R 4.2.2: quantile(c(0, 3, 5, 8, 100), c(.1, .9)) is 1.2 and 63.2.
/// let (low, high) = limits(&[8.0, 0.0, 100.0, 5.0, 3.0], 0.1).unwrap();
/// assert!((low - 1.2).abs() < 1e-12 && (high - 63.2).abs() < 1e-12);
/// ```
pub fn limits(outcomes: &[f64], share: f64) -> Option<(f64, f64)> {
    let mut rising = outcomes.to_vec();
    rising.sort_by(f64::total_cmp);
    let last = outcomes.len().saturating_sub(1) as f64;
    // The upper one counted from above, so that outcomes with another sign have the same limits with another sign.
    let place = share * last;
    Some((at(&rising, place)?, at(&rising, last - place)?))
}

/// An outcome within limits: itself, or the nearer limit.
pub fn drawn_in(outcome: f64, (low, high): (f64, f64)) -> f64 {
    outcome.max(low).min(high)
}
