//! Limits of a log ratio by the profile of its likelihood.

use super::inference::Inference;
use crate::numerics::root::brent;

/// Logarithms of ratios beyond this distance from 0 are not told from infinite ones.
pub(super) const FARTHEST: f64 = 30.0;

/// A step of the search that is as small as this and cannot be taken ends it.
const NEAREST: f64 = 0.01;

/// The limit on the side that the sign of `reach` says; `None` where the profile does not fall far enough before the weights
/// of the rows vanish.
pub(super) fn limit<E>(
    drop: &mut impl FnMut(f64) -> Result<f64, E>,
    estimate: f64,
    reach: f64,
    inference: &Inference,
) -> Option<f64> {
    let wanted = inference.critical() * inference.critical();
    // Small steps, because far out nothing is left to factor.
    let mut step = (inference.critical() * reach).clamp(-1.0, 1.0);
    let side = step.signum();
    let (mut inner, mut outer) = (estimate, estimate + step);
    loop {
        match drop(outer) {
            Ok(fall) if fall >= wanted => break,
            Ok(_) if side * outer >= FARTHEST => return None,
            Ok(_) => {
                inner = outer;
                step *= 1.5;
                outer = side * (side * (inner + step)).min(FARTHEST);
            }
            // Too far for one step.
            Err(_) if step.abs() > NEAREST => {
                step *= 0.5;
                outer = inner + step;
            }
            Err(_) => return None,
        }
    }
    let mut failed = false;
    let limit = brent(inner, outer, 1e-11, |value| {
        drop(value).map_or_else(
            |_| {
                failed = true;
                0.0
            },
            |drop| drop - wanted,
        )
    });
    limit.ok().filter(|_| !failed)
}
