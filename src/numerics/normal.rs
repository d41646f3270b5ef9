//! The standard normal distribution.
//!
//! Tails come from `libm::erfc`, because the error function of statrs is wrong in the tenth digit on part of its
//! range; the quantile of statrs is right to 3e-15 and is wrapped with a guard.

mod deviates;
mod tails;

pub use deviates::{deviate, deviates};
pub use tails::upper_tails;

use super::NumericsError;
use statrs::distribution::{ContinuousCDF, Normal};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Density `exp(−x²/2)/√(2π)`.
pub fn pdf(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / (2.0 * PI).sqrt()
}

/// `P(Z ≤ x) = erfc(−x/√2)/2`.
///
/// ```
/// assert_eq!(lottning::numerics::normal::cdf(0.0), 0.5);
/// ```
pub fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// `P(Z > x)`, accurate in the upper tail.
pub fn sf(x: f64) -> f64 {
    0.5 * libm::erfc(x * FRAC_1_SQRT_2)
}

/// `ln P(Z > x)`, accurate also where `P(Z > x)` is below the smallest double.
///
/// Beyond 10 the Mills ratio is the continued fraction `1/(x + 1/(x + 2/(x + 3/(x + …))))`
/// (Abramowitz and Stegun 1964, 26.2.14).
pub fn ln_sf(x: f64) -> f64 {
    if x < 0.0 {
        return libm::log1p(-sf(-x));
    }
    if x < 10.0 {
        return libm::log(sf(x));
    }
    let mut tail = x;
    for k in (1..=60).rev() {
        tail = x + f64::from(k) / tail;
    }
    -0.5 * x * x - 0.5 * libm::log(2.0 * PI) - libm::log(tail)
}

/// The two-sided p-value of a normal statistic, `P(|Z| ≥ |z|)`.
pub fn two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() * FRAC_1_SQRT_2)
}

/// The value below which a normal variable falls with probability `p`, for 0 < p < 1.
///
/// ```
/// let z = lottning::numerics::normal::quantile(0.975)?;
/// assert!((z - 1.959_963_984_540_054).abs() < 1e-14); // Abramowitz and Stegun 1964, table 26.5
/// # Ok::<(), lottning::numerics::NumericsError>(())
/// ```
pub fn quantile(p: f64) -> Result<f64, NumericsError> {
    NumericsError::probability("normal quantile", p)?;
    Ok(Normal::standard().inverse_cdf(p))
}
