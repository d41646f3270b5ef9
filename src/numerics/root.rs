//! Root finding for one-dimensional continuous functions.
//!
//! `bisect` asks a yes/no question and needs nothing but monotony; `brent` is for smooth functions. Neither ever
//! leaves the bracket that it was given.

use super::NumericsError;

/// The point in `[low, high]` where a monotone predicate turns from true to false, to within `tolerance`.
///
/// `holds(low)` is taken for true and `holds(high)` for false; neither is evaluated. At most 200 halvings.
///
/// ```
/// let root = lottning::numerics::root::bisect(0.0, 2.0, 1e-14, |x| x * x < 2.0);
/// assert!((root - 2f64.sqrt()).abs() < 1e-13);
/// ```
pub fn bisect(low: f64, high: f64, tolerance: f64, mut holds: impl FnMut(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..200 {
        if high - low <= tolerance {
            break;
        }
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + 0.5 * (high - low)
}

/// A root of a continuous function in `[low, high]`, by Brent's method (1973, chapter 4), to within `tolerance`.
///
/// The function must have different signs at the ends (an exact zero at an end is a root).
///
/// ```
/// let root = lottning::numerics::root::brent(1.0, 2.0, 1e-14, |x| x * x - 2.0)?;
/// assert!((root - 2f64.sqrt()).abs() < 1e-13);
/// # Ok::<(), lottning::numerics::NumericsError>(())
/// ```
pub fn brent(
    low: f64,
    high: f64,
    tolerance: f64,
    mut function: impl FnMut(f64) -> f64,
) -> Result<f64, NumericsError> {
    let (mut a, mut b) = (low, high);
    let (mut fa, mut fb) = (function(a), function(b));
    if fa == 0.0 {
        return Ok(a);
    }
    if fb == 0.0 {
        return Ok(b);
    }
    if fa.is_nan() || fb.is_nan() || (fa > 0.0) == (fb > 0.0) {
        return Err(NumericsError::NoBracket { low, high });
    }
    let (mut c, mut fc) = (a, fa);
    let mut step = b - a;
    let mut previous = step;
    for _ in 0..300 {
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let bound = 2.0 * f64::EPSILON * b.abs() + 0.5 * tolerance;
        let middle = 0.5 * (c - b);
        if middle.abs() <= bound || fb == 0.0 {
            return Ok(b);
        }
        if previous.abs() >= bound && fa.abs() > fb.abs() {
            let s = fb / fa;
            let (mut p, mut q) = if a - c == 0.0 {
                (2.0 * middle * s, 1.0 - s)
            } else {
                let (q, r) = (fa / fc, fb / fc);
                (
                    s * (2.0 * middle * q * (q - r) - (b - a) * (r - 1.0)),
                    (q - 1.0) * (r - 1.0) * (s - 1.0),
                )
            };
            if p > 0.0 {
                q = -q;
            } else {
                p = -p;
            }
            if 2.0 * p < (3.0 * middle * q - (bound * q).abs()).min((previous * q).abs()) {
                previous = step;
                step = p / q;
            } else {
                step = middle;
                previous = middle;
            }
        } else {
            step = middle;
            previous = middle;
        }
        a = b;
        fa = fb;
        b += if step.abs() > bound {
            step
        } else {
            bound.copysign(middle)
        };
        fb = function(b);
        if (fb > 0.0) == (fc > 0.0) {
            c = a;
            fc = fa;
            step = b - a;
            previous = step;
        }
    }
    Ok(b)
}

/// Quantile of a continuous distribution on `(0, top)` from its tails and density: a bracket by doubling and halving,
/// then Newton steps on ln x of the logarithm of the nearer tail, kept inside the bracket.
pub(super) fn monotone_quantile(
    p: f64,
    cdf: impl Fn(f64) -> f64,
    sf: impl Fn(f64) -> f64,
    pdf: impl Fn(f64) -> f64,
    top: f64,
) -> f64 {
    let lower = p <= 0.5;
    let q = 1.0 - p;
    // Whether x lies below the quantile.
    let below = |x: f64| if lower { cdf(x) < p } else { sf(x) > q };
    let mut x = if top.is_finite() { 0.5 * top } else { 1.0 };
    let (mut low, mut high) = (0.0, top);
    for _ in 0..2200 {
        if below(x) {
            low = x;
            if high.is_finite() {
                break;
            }
            x *= 2.0;
        } else {
            high = x;
            if low > 0.0 {
                break;
            }
            x *= 0.5;
        }
        if x == 0.0 || !x.is_finite() {
            return x.min(f64::MAX);
        }
    }
    x = if low > 0.0 && high < 4.0 * low {
        0.5 * (low + high)
    } else {
        x
    };
    for _ in 0..300 {
        let (tail, target) = if lower { (cdf(x), p) } else { (sf(x), q) };
        let is_below = if lower { tail < target } else { tail > target };
        if is_below {
            low = low.max(x);
        } else {
            high = high.min(x);
        }
        let slope = if lower { pdf(x) } else { -pdf(x) } * x / tail;
        let next = x * libm::exp((libm::log(target) - libm::log(tail)) / slope);
        let next = if next > low && next < high {
            next
        } else {
            0.5 * (low + high)
        };
        let step = (next - x).abs();
        x = next;
        if step <= 4.0 * f64::EPSILON * x {
            break;
        }
    }
    x
}
