//! Adjusting p-values for several tests: pure functions of p-values, or of statistics on shared redraws.
//!
//! Which analyses belong together is the protocol's word and `run`'s business.

use super::randomization::TIE;
use crate::numerics::shares::Parts;
use crate::protocol::model::Multiplicity;

/// Holm's step-down adjustment: adjusted values in the order given.
///
/// `p̃_(i) = max_{j ≤ i} min(1, (m − j + 1)·p_(j))` with `p_(1) ≤ … ≤ p_(m)`. Rejecting where `p̃ ≤ α` keeps the
/// probability of any false rejection at most α, whatever the dependence. Values are in [0, 1]; one that does not exist
/// is to be given as 1, so that it counts among the m. Reference: Holm 1979, Scandinavian Journal of Statistics 6:65.
///
/// ```
/// use lottning::analysis::multiplicity::holm;
/// // By hand: 3·0.01, 2·0.02 and 1·0.03, which may not fall below the one before it.
/// let adjusted = holm(&[0.02, 0.01, 0.03]);
/// for (value, by_hand) in adjusted.iter().zip([0.04, 0.03, 0.04]) {
///     assert!((value - by_hand).abs() < 1e-15);
/// }
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; m];
    let mut largest = 0.0f64;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(((m - rank) as f64 * p[index]).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// A fixed sequence: each test stands only if all before it do, so its p is the largest so far.
///
/// Values are in [0, 1] in the registered order; one that does not exist is to be given as 1, and stops the sequence.
/// Rejecting where the adjusted p is at most α keeps the probability of any false rejection at most α, whatever the
/// dependence. Reference: Maurer, Hothorn & Lehmacher 1995, in Vollmar (ed.), Biometrie in der chemisch-pharmazeutischen
/// Industrie 6:3; Westfall & Krishen 2001, doi 10.1016/S0378-3758(00)00246-2.
///
/// ```
/// use lottning::analysis::multiplicity::fixed_sequence;
/// assert_eq!(fixed_sequence(&[0.01, 0.2, 0.03]), [0.01, 0.2, 0.2]);
/// ```
pub fn fixed_sequence(p: &[f64]) -> Vec<f64> {
    let mut largest = 0.0f64;
    p.iter()
        .map(|p| {
            largest = largest.max(*p);
            largest
        })
        .collect()
}

/// Benjamini and Hochberg's step-up adjustment (q-values): adjusted values in the order given.
///
/// `q_(i) = min_{j ≥ i} min(1, m·p_(j)/j)`. Rejecting where `q ≤ α` keeps the expected share of false rejections among all
/// at most α if the tests are independent or positively dependent; it does not keep the probability of any false rejection.
/// A value that does not exist is to be given as 1. Reference: Benjamini & Hochberg 1995, doi
/// 10.1111/j.2517-6161.1995.tb02031.x.
///
/// ```
/// use lottning::analysis::multiplicity::benjamini_hochberg;
/// // By hand: 3·0.01/1, 3·0.02/2 and 3·0.03/3, the last being the least.
/// for q in benjamini_hochberg(&[0.02, 0.01, 0.03]) {
///     assert!((q - 0.03).abs() < 1e-15);
/// }
/// ```
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut adjusted = vec![1.0; m];
    let mut smallest = 1.0f64;
    for (above, index) in order.into_iter().enumerate() {
        smallest = smallest.min(m as f64 * p[index] / (m - above) as f64);
        adjusted[index] = smallest;
    }
    adjusted
}

/// Adjusts the p-values of a family by its registered rule, in the order given; `None` without one.
///
/// A value that does not exist is to be given as 1. `jointly` gives the values by Westfall and Young, asked for by that rule
/// alone; none falls below the own p, which has redraws of its own. One test has nothing beside it, whatever the rule.
///
/// ```
/// use lottning::analysis::multiplicity::by_rule;
/// use lottning::protocol::model::Multiplicity;
/// // By hand: 2·.03 and 1·.04, which may not fall below it.
/// let holm = by_rule(Some(Multiplicity::Holm), &[0.03, 0.04], Vec::new);
/// assert_eq!(holm, Some(vec![0.06, 0.06]));
/// assert_eq!(by_rule(Some(Multiplicity::None), &[0.03, 0.04], Vec::new), None);
/// ```
pub fn by_rule(
    rule: Option<Multiplicity>,
    p: &[f64],
    jointly: impl FnOnce() -> Vec<f64>,
) -> Option<Vec<f64>> {
    match rule {
        None | Some(Multiplicity::None) => None,
        Some(_) if p.len() == 1 => Some(p.to_vec()),
        Some(Multiplicity::Holm) => Some(holm(p)),
        Some(Multiplicity::FixedSequence) => Some(fixed_sequence(p)),
        Some(Multiplicity::WestfallYoung) => {
            let joint = jointly();
            Some(joint.iter().zip(p).map(|(q, p)| q.max(*p)).collect())
        }
    }
}

/// A hypothesis for [`westfall_young`]: how large its statistic was, and is on each of the shared redraws.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizes {
    /// |t| as observed.
    pub observed: f64,
    /// |t| on redraw 0, 1, …; infinite where it does not exist.
    pub redrawn: Vec<f64>,
}

/// Westfall and Young's step-down maxT adjustment on shared redraws: adjusted values in the order given.
///
/// Hypotheses are ordered by their observed |t|, largest first. On each redraw `u_k` is the largest |t| of the k-th
/// hypothesis and those after it; `p̃_k` is the share of redraws with `u_k ≥ |t_k|`, made to rise along the order. The share is
/// `(1 + b)/(1 + R)`, or with `weights` (probabilities of all sequences) their sum. Statistics within 1e-9 of the larger
/// of |t| and 1 tie. The redraws carry the dependence of the outcomes, so that less is lost than with Holm; the probability
/// of any false rejection is kept exactly if none of the hypotheses' outcomes depends on the arm (subset pivotality).
/// Reference: Westfall & Young 1993, Resampling-Based Multiple Testing, algorithms 2.8 and 4.1; Ge, Dudoit & Speed 2003,
/// doi 10.1007/BF02595811, box 2.
///
/// All hypotheses have as many redraws; missing ones count as infinite.
pub fn westfall_young(hypotheses: &[Sizes], weights: Option<&[f64]>) -> Vec<f64> {
    let m = hypotheses.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|a, b| hypotheses[*b].observed.total_cmp(&hypotheses[*a].observed));
    let redraws = hypotheses.iter().map(|own| own.redrawn.len()).max();
    let redraws = redraws.unwrap_or(0);
    let mut shares = vec![Parts::default(); m];
    let mut counts = vec![0u64; m];
    for redraw in 0..redraws {
        let weight = weights.map(|weights| weights.get(redraw).copied().unwrap_or(0.0));
        let mut largest = 0.0f64;
        for index in order.iter().rev() {
            let own = &hypotheses[*index];
            let size = own.redrawn.get(redraw).copied();
            largest = largest.max(size.unwrap_or(f64::INFINITY));
            let scale = if own.observed.is_finite() {
                own.observed.max(1.0)
            } else {
                1.0
            };
            let extreme = largest >= own.observed - TIE * scale;
            if let Some(weight) = weight {
                shares[*index].add(weight, [extreme, false]);
            }
            counts[*index] += u64::from(extreme);
        }
    }
    let mut adjusted = vec![1.0; m];
    let mut greatest = 0.0f64;
    for index in order {
        let share = match weights {
            Some(_) => shares[index].shares()[0],
            None => (1 + counts[index]) as f64 / (1 + redraws) as f64,
        };
        greatest = greatest.max(share.min(1.0));
        adjusted[index] = greatest;
    }
    adjusted
}
