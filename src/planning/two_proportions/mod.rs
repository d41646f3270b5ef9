//! Power of a comparison of two proportions: formulas, and exact enumeration of every table.
//!
//! One of sample size, power, alpha and effect is left out and solved for. Formulas are the field's usual ones and
//! their n is unrounded; exact tests enumerate the tables of [`super::tables`]. What the simulator adds (capacity,
//! dilution, covariates) is not here.

mod error;
mod question;
mod solver;

pub use error::PowerError;
pub use question::{Answer, Caution, Direction, Question, Solved, Test};
pub use solver::MOST_TABLES;

use solver::Solver;

/// Solves for the one of sample size, power, alpha and effect that is left out.
///
/// With `d = |p1 − p0|`, `n1 = ratio·n0`, `s0² = p̄(1−p̄)(1/n1 + 1/n0)` with `p̄ = (n1·p1 + n0·p0)/(n1 + n0)`,
/// `s1² = p1(1−p1)/n1 + p0(1−p0)/n0` and `z` the upper `alpha/sides` point, the power is
/// - `pooled`: `Φ((d − z·s0)/s1)`; `unpooled`: `Φ(d/s1 − z)`;
/// - `arcsine`: `Φ(h/√(1/n1 + 1/n0) − z)`, `h = |2·asin√p1 − 2·asin√p0|`;
/// - `continuity`: `Φ((d − (1/n1 + 1/n0)/2 − z·s0)/s1)`, whose n is that of Fleiss, Tytun and Ury;
/// - `strict` adds the farther tail, `d` replaced by `−d`;
/// - exact: the sum of `b(x1; n1, p1)·b(x0; n0, p0)` over the tables that the test rejects.
///
/// In an arm with clusters its n is divided by the design effect (not in `p̄`). The effect is the `p1` nearest to `p0`
/// with the power. An exact n is the smallest with the power.
///
/// Assumes independent individuals (or clusters) with one probability per arm. Fleiss, Levin and Paik 2003,
/// doi 10.1002/0471445428, equations 4.14 and 4.18; arcsine: Cohen 1988, chapter 6.
///
/// ```
/// use lottning::planning::two_proportions::{Question, solve};
/// let answer = solve(&Question::power_at(0.3, 0.2, 300.0, 0.05))?;
/// assert!((answer.value - 0.809_025_665_325).abs() < 1e-9); // R: power.prop.test
/// let n = solve(&Question { n_control: None, power: Some(0.8), ..Question::power_at(0.3, 0.2, 0.0, 0.05) })?;
/// assert_eq!(n.n_control, 294);
/// # Ok::<(), lottning::planning::two_proportions::PowerError>(())
/// ```
pub fn solve(question: &Question) -> Result<Answer, PowerError> {
    check(question)?;
    let solver = Solver::new(question);
    match (
        question.p1,
        question.n_control,
        question.power,
        question.alpha,
    ) {
        (Some(p1), Some(n), None, Some(alpha)) => {
            let power = solver.power(p1, n, alpha)?;
            solver.answer(Solved::Power, power, (p1, n, power, alpha))
        }
        (Some(p1), None, Some(power), Some(alpha)) => {
            let (n, steady) = solver.n(p1, power, alpha)?;
            let mut answer = solver.answer(Solved::N, n, (p1, n, power, alpha))?;
            answer.n_control_steady = steady;
            Ok(answer)
        }
        (Some(p1), Some(n), Some(power), None) => {
            let alpha = solver.alpha(p1, n, power)?;
            solver.answer(Solved::Alpha, alpha, (p1, n, power, alpha))
        }
        (None, Some(n), Some(power), Some(alpha)) => {
            let p1 = solver.effect(n, power, alpha)?;
            solver.answer(Solved::Effect, p1, (p1, n, power, alpha))
        }
        (Some(_), Some(_), Some(_), Some(_)) => Err(PowerError::Overdetermined),
        _ => Err(PowerError::Underdetermined),
    }
}

fn check(question: &Question) -> Result<(), PowerError> {
    let inside = |name, value: f64| {
        if value > 0.0 && value < 1.0 {
            Ok(())
        } else {
            let range = "(0, 1)";
            Err(PowerError::OutOfRange { name, value, range })
        }
    };
    let range = |name, value: f64, holds: bool, range| {
        if holds && value.is_finite() {
            Ok(())
        } else {
            Err(PowerError::OutOfRange { name, value, range })
        }
    };
    inside("p0", question.p0)?;
    for (name, value) in [
        ("p1", question.p1),
        ("power", question.power),
        ("alpha", question.alpha),
    ] {
        value.map_or(Ok(()), |value| inside(name, value))?;
    }
    range("ratio", question.ratio, question.ratio > 0.0, "(0, ∞)")?;
    let sides = f64::from(question.sides);
    range("sides", sides, matches!(question.sides, 1 | 2), "{1, 2}")?;
    if let Some(n) = question.n_control {
        range("n", n, n >= 1.0, "[1, ∞)")?;
    }
    if let Some(clusters) = &question.clustering {
        let (size, icc, cv) = (clusters.size, clusters.icc, clusters.size_cv);
        range("cluster-size", size, size >= 1.0, "[1, ∞)")?;
        range("icc", icc, (0.0..=1.0).contains(&icc), "[0, 1]")?;
        range("cluster-size-cv", cv, cv >= 0.0, "[0, ∞)")?;
    }
    let side = question.p1.map(|p1| p1 - question.p0);
    match (question.direction, side) {
        (Some(Direction::Lower), Some(d)) if d > 0.0 => return Err(PowerError::WrongSide),
        (Some(Direction::Higher), Some(d)) if d < 0.0 => return Err(PowerError::WrongSide),
        _ => {}
    }
    if question.test.table().is_some() {
        if question.clustering.is_some() {
            return Err(PowerError::ExactClusters);
        }
        if let Some(n) = question.n_control.filter(|n| n.fract() != 0.0) {
            return Err(PowerError::NotWhole { n });
        }
    }
    Ok(())
}
