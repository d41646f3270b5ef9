//! The noncentral t distribution: the distribution of a t statistic when there is an effect.
//!
//! The published series (Lenth 1989, doi 10.2307/2347693; Benton and Krishnamoorthy 2003, doi
//! 10.1016/S0167-9473(02)00283-9) lose digits in one of the tails or need many terms for a large noncentrality. Here both
//! tails are the same integral of a positive, unimodal function, so that each keeps its relative accuracy however small
//! it is: 1e-12 up to a million degrees of freedom. The central distribution is [`super::student_t`].

use super::{NumericsError, normal};
use std::f64::consts::PI;

/// The integrand is followed until it is below e^−44 of its greatest value.
const DEPTH: f64 = 44.0;

/// `T = (Z + δ)/√(V/ν)` with a standard normal Z and an independent chi-square V with ν degrees of freedom.
///
/// ```
/// use lottning::numerics::noncentral_t::NoncentralT;
/// // Power of a one-sided t test at .05 with 20 in each arm and an effect of half a standard deviation.
/// let t = NoncentralT::new(38.0, 0.5 * 10f64.sqrt())?;
/// assert!((t.sf(1.685_954_460_17) - 0.463_374_349_3).abs() < 1e-10); // R 4.2.2, qt and power.t.test
/// # Ok::<(), lottning::numerics::NumericsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoncentralT {
    /// ν
    df: f64,
    /// δ
    ncp: f64,
    /// Logarithm of the density of ln √(V/ν) at 0.
    ln_peak: f64,
}

impl NoncentralT {
    /// A distribution with real `df > 0` and a finite noncentrality `ncp`.
    ///
    /// # Errors
    /// [`NumericsError::Domain`] otherwise.
    pub fn new(df: f64, ncp: f64) -> Result<Self, NumericsError> {
        NumericsError::positive("noncentral t", "df", df)?;
        if !ncp.is_finite() {
            return Err(NumericsError::Domain {
                function: "noncentral t",
                name: "ncp",
                value: ncp,
            });
        }
        Ok(Self {
            df,
            ncp,
            ln_peak: 0.5 * libm::log(df / PI) - stirling_error(0.5 * df),
        })
    }

    /// `P(T ≤ t)`, accurate in the lower tail.
    pub fn cdf(&self, t: f64) -> f64 {
        self.integral(t, -1.0)
    }

    /// `P(T > t)`, accurate in the upper tail.
    pub fn sf(&self, t: f64) -> f64 {
        self.integral(t, 1.0)
    }

    /// `∫ Φ(±(δ − t·e^u)) f(u) du` over u = ln √(V/ν), whose density is `e^(ln_peak − ν(e^(2u) − 1 − 2u)/2)`.
    ///
    /// The logarithm of the integrand is concave as a function of e^u, so the integrand has one maximum; it is smooth and
    /// falls off at both ends, where the trapezoidal rule converges geometrically: points are doubled until two answers
    /// agree.
    fn integral(&self, t: f64, side: f64) -> f64 {
        let log = |u: f64| self.log_integrand(u, t, side);
        let peak = maximum(log);
        let top = log(peak);
        if !top.is_finite() {
            return 0.0;
        }
        let end = |direction: f64| {
            let mut step = 0.25 / (1.0 + self.df.sqrt());
            let mut u = peak + direction * step;
            while log(u) > top - DEPTH && step < 1e4 {
                step *= 1.5;
                u = peak + direction * step;
            }
            u
        };
        let (low, high) = (end(-1.0), end(1.0));
        let value = |u: f64| libm::exp(log(u) - top);
        let mut count = 32_u32;
        let mut step = (high - low) / f64::from(count);
        let mut sum: f64 = (0..=count).map(|i| value(low + f64::from(i) * step)).sum();
        let mut before = sum * step;
        for _ in 0..12 {
            sum += (0..count)
                .map(|i| value(low + (f64::from(i) + 0.5) * step))
                .sum::<f64>();
            count *= 2;
            step *= 0.5;
            let now = sum * step;
            let change = (now - before).abs();
            before = now;
            if change <= 1e-13 * now {
                break;
            }
        }
        (libm::exp(top + self.ln_peak) * before).min(1.0)
    }

    fn log_integrand(&self, u: f64, t: f64, side: f64) -> f64 {
        let gap = side * (self.ncp - t * libm::exp(u));
        -0.5 * self.df * (libm::expm1(2.0 * u) - 2.0 * u) + normal::ln_sf(-gap)
    }
}

/// Where a unimodal function is greatest, to within a hundredth of its width: a bracket by doubling, then golden section.
fn maximum(function: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let (mut low, mut high) = (-1.0, 1.0);
    while function(low) > function(0.5 * low) && low > -700.0 {
        low *= 2.0;
    }
    while function(high) > function(0.5 * high) && high < 350.0 {
        high *= 2.0;
    }
    let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut fa, mut fb) = (function(a), function(b));
    for _ in 0..200 {
        // Near the maximum the function is flat to rounding: the spread of its values says when to stop.
        if (fa - fb).abs() < 1e-6 && (high - low) < 1e-2 {
            break;
        }
        if fa > fb || (fa - fb).is_nan() {
            (high, b, fb) = (b, a, fa);
            a = high - GOLDEN * (high - low);
            fa = function(a);
        } else {
            (low, a, fa) = (a, b, fb);
            b = low + GOLDEN * (high - low);
            fb = function(b);
        }
    }
    if fa > fb { a } else { b }
}

/// `ln Γ(x) − (x − ½) ln x + x − ½ ln 2π`, x > 0: recurrence up to 12, then Stirling's series
/// (Abramowitz and Stegun 1964, 6.1.41).
fn stirling_error(x: f64) -> f64 {
    if x < 12.0 {
        // δ(x) = δ(x+1) + (x + ½) ln(1 + 1/x) − 1.
        return stirling_error(x + 1.0) + (x + 0.5) * libm::log1p(1.0 / x) - 1.0;
    }
    let s = 1.0 / (x * x);
    (1.0 / 12.0
        + s * (-1.0 / 360.0
            + s * (1.0 / 1260.0
                + s * (-1.0 / 1680.0 + s * (1.0 / 1188.0 - s * 691.0 / 360_360.0)))))
        / x
}
