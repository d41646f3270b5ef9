//! Power of a comparison of two proportions: formulas, and exact enumeration of every table.
//!
//! One of sample size, power, alpha and effect is left out and solved for. Formulas are the field's usual ones and
//! their n is unrounded; exact tests enumerate the tables of [`super::tables`]. What the simulator adds (capacity,
//! dilution, covariates) is not here.

mod question;
mod solver;

pub use super::figure::{Caution, Direction, Solved};
pub use super::power_error::PowerError;
pub use question::{Answer, Question, Test};
pub use solver::MOST_TABLES;

use super::power_error::{check_design, probability, range};
use solver::Solver;

/// Solves for the one of sample size, power, alpha and effect that is left out.
///
/// With `d = |p1 − p0|`, `n1 = ratio·n0`, `s0² = p̄(1−p̄)(1/n1 + 1/n0)` with `p̄ = (n1·p1 + n0·p0)/(n1 + n0)`,
/// `s1² = p1(1−p1)/n1 + p0(1−p0)/n0` and `z` the upper `alpha/sides` point, the power is
/// - `pooled`: `Φ((d − z·s0)/s1)`; `unpooled`: `Φ(d/s1 − z)`;
/// - `arcsine`: `Φ(h/√(1/n1 + 1/n0) − z)`, `h = |2·asin√p1 − 2·asin√p0|`;
/// - `continuity`: `Φ((d − (1/n1 + 1/n0)/2 − z·s0)/s1)`, whose n is that of Fleiss, Tytun and Ury;
/// - `log-odds`: as `pooled` with `d` the difference of log odds, `s0² = (1/n1 + 1/n0)/(p̄(1−p̄))` and
///   `s1² = 1/(n1·p1(1−p1)) + 1/(n0·p0(1−p0))`;
/// - `t`: as `unpooled`, both tails, z and Φ those of t with `n1 + n0 − 2` degrees of freedom (a t test on the outcomes), or
///   with clusters those of a t test on cluster means, or Satterthwaite's;
/// - `strict` adds the farther tail, `d` replaced by `−d`;
/// - exact: the sum of `b(x1; n1, p1)·b(x0; n0, p0)` over the tables that the test rejects.
///
/// With a margin m (`pooled`, `unpooled`, `t`) `d = |p1 − p0 − m|`, and `s0` of `pooled` takes the proportions that maximize
/// the likelihood among those that differ by m (Farrington and Manning 1990, doi 10.1002/sim.4780091208, method 3).
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
    probability("p0", question.p0)?;
    question.p1.map_or(Ok(()), |p1| probability("p1", p1))?;
    check_design(
        (question.power, question.alpha, question.n_control),
        question.ratio,
        question.sides,
    )?;
    question.clustering.map_or(Ok(()), |own| own.check())?;
    let null = question.p0 + question.margin;
    let inside = null > 0.0 && null < 1.0;
    range("margin", question.margin, inside, "(−p0, 1 − p0)")?;
    let marginal = question.margin != 0.0;
    if marginal && !matches!(question.test, Test::Pooled | Test::Unpooled | Test::T) {
        return Err(PowerError::MarginNotUsed);
    }
    let distance = question.p1.map(|p1| p1 - null);
    if let (Some(side), Some(distance)) = (question.direction, distance)
        && side.contradicts(distance)
    {
        return Err(if marginal {
            PowerError::WithinMargin
        } else {
            PowerError::WrongSide
        });
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
