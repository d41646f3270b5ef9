//! Whether a randomization test can reject at all: the smallest p that its redraws can give, against what judges it.
//!
//! A test by redraws has no p below `2/(1 + R)`, whatever the effect. Where the limit of a look is smaller than that, the test
//! can never reject, and the power is lost without a sign of it. A share of alpha by Holm's rule judges the first test only:
//! one that cannot come first may come after others, if they can.

use super::multiplicity::holm;
use super::plan::{limit, treated_arms};
use crate::numerics::shares::within;
use crate::protocol::Protocol;
use crate::protocol::model::{Missing, Multiplicity, Role, Test};

/// The smallest two-sided p that `draws` redraws can give, when the statistic does not exist on `failed` of them, which
/// count as at least as extreme in both tails: `min(1, 2(1 + failed)/(1 + draws))`, in (0, 1].
///
/// Reference: Phipson & Smyth 2010, doi 10.2202/1544-6115.1585.
///
/// ```
/// use lottning::analysis::attainable::smallest_p;
/// // By hand: 2/10,000 and 2·5/10,000.
/// assert!((smallest_p(9_999, 0) - 0.0002).abs() < 1e-18);
/// assert!((smallest_p(9_999, 4) - 0.001).abs() < 1e-18);
/// assert!((smallest_p(0, 0) - 1.0).abs() < 1e-18);
/// ```
pub fn smallest_p(draws: u64, failed: u64) -> f64 {
    let failed = failed.min(draws);
    (2.0 * (1 + failed) as f64 / (1 + draws) as f64).min(1.0)
}

/// The fewest redraws whose smallest p is at most a limit in (0, 1]; `None` for any other limit, and where a count cannot
/// say it.
///
/// ```
/// use lottning::analysis::attainable::fewest_draws;
/// // By hand: 2/(1 + R) ≤ 0.05 from R = 39, and ≤ 0.000164 from R = 12,195 (2/12,196 = 0.00016399).
/// assert_eq!(fewest_draws(0.05), Some(39));
/// assert_eq!(fewest_draws(0.000164), Some(12_195));
/// assert_eq!(fewest_draws(0.0), None);
/// ```
pub fn fewest_draws(limit: f64) -> Option<u64> {
    let is_limit = limit > 1e-15 && limit <= 1.0;
    // Rounding of the quotient is at most one redraw either way.
    let near = is_limit.then(|| (2.0 / limit).ceil() as u64)?;
    (near.saturating_sub(2)..=near + 1).find(|draws| within(smallest_p(*draws, 0), limit))
}

/// How Holm's rule bars a test whose p cannot be small enough to be rejected first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// It cannot be rejected, whatever the effects.
    Always,
    /// It can be rejected only after this many others of its family.
    Until(usize),
}

/// Whether Holm's rule at `alpha` bars the test at `place` of a family, by the smallest p that each of its tests can give (0
/// where there is no smallest); `None` if it can be the first to be rejected, and for a place that there is not.
///
/// An adjusted p rises with every p of the family, so that none can be smaller than when all p are as small as they can be.
///
/// ```
/// use lottning::analysis::attainable::{Barred, barred};
/// // By hand at .05: 2·.03 = .06 is too much for the first, 1·.03 is not for the second, if the first can be rejected.
/// assert_eq!(barred(&[0.03, 0.001], 0, 0.05), Some(Barred::Until(1)));
/// assert_eq!(barred(&[0.03, 0.001], 1, 0.05), None);
/// assert_eq!(barred(&[0.03, 0.03], 0, 0.05), Some(Barred::Always));
/// assert_eq!(barred(&[0.06, 0.0], 0, 0.05), Some(Barred::Always));
/// // One is judged by exactly what it can reach: .1 + .2 is more than .3 by rounding alone.
/// assert_eq!(barred(&[0.1 + 0.2], 0, 0.3), None);
/// ```
pub fn barred(smallest: &[f64], place: usize, alpha: f64) -> Option<Barred> {
    let own = *smallest.get(place)?;
    let family = smallest.len();
    if holm(smallest)
        .get(place)
        .is_none_or(|least| !within(*least, alpha))
    {
        return Some(Barred::Always);
    }
    let before = (0..family).find(|before| within((family - before) as f64 * own, alpha));
    before.filter(|own| *own > 0).map(Barred::Until)
}

/// A registered test whose redraws are too few for a limit that may judge it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfReach {
    /// Index of the analysis.
    pub analysis: usize,
    /// Index of the lock.
    pub lock: usize,
    /// Registered redraws.
    pub draws: u32,
    /// The limit there that its smallest p is above: of the test itself, or of the first of its family.
    pub limit: f64,
    /// Tests that Holm's rule judges together, where the limit is that of the first of them; else 1.
    pub family: usize,
    /// Whether it can be rejected after others.
    pub barred: Barred,
}

/// The registered tests that may be judged at a lock by less than their smallest p: one entry for each analysis and lock, in
/// the protocol's order.
///
/// At a look the limit is at least the amount of alpha that the look may spend, at the analysis' own lock at least what looks
/// leave; with Holm's rule the smallest p of m comparisons is judged by alpha/m, and the others by more.
pub fn out_of_reach(protocol: &Protocol) -> Vec<OutOfReach> {
    let mut found = Vec::new();
    for (index, analysis) in protocol.analyses.iter().enumerate() {
        let Some(Test::Randomization { draws }) = analysis.test else {
            continue;
        };
        let looks = analysis.looks.iter().filter_map(|look| {
            let alpha = protocol.locks.get(*look)?.alpha;
            (*look != analysis.lock && alpha > 0.0).then_some((*look, alpha))
        });
        let own = limit(protocol, analysis).map(|own| (analysis.lock, own));
        let smallest = smallest_p(u64::from(draws), 0);
        for (lock, alpha) in looks.chain(own) {
            let alone = [smallest];
            let together = (lock == analysis.lock).then(|| judged_together(protocol, index));
            let (family, place) = match &together {
                Some((family, place)) => (family.as_slice(), *place),
                None => (alone.as_slice(), 0),
            };
            if let Some(barred) = barred(family, place, alpha) {
                let family = if within(smallest, alpha) {
                    family.len()
                } else {
                    1
                };
                found.push(OutOfReach {
                    analysis: index,
                    lock,
                    draws,
                    limit: alpha / family as f64,
                    family,
                    barred,
                });
            }
        }
    }
    found
}

/// The rule by which the comparisons of an analysis are judged together with others.
pub(super) fn rule_of(protocol: &Protocol, role: Role) -> Option<Multiplicity> {
    match role {
        Role::Primary => Some(protocol.primary_multiplicity),
        Role::Secondary => protocol.multiplicity,
        Role::Exploratory => None,
    }
}

/// The smallest p of each comparison that Holm's rule judges together with those of an analysis, of several arms and
/// analyses, and the place of its first among them. Bounds have no p and are none of them.
fn judged_together(protocol: &Protocol, index: usize) -> (Vec<f64>, usize) {
    let arms = treated_arms(protocol).count().max(1);
    let analysis = &protocol.analyses[index];
    let holm = rule_of(protocol, analysis.role) == Some(Multiplicity::Holm);
    let (mut family, mut place) = (Vec::new(), 0);
    for (other, own) in protocol.analyses.iter().enumerate() {
        let beside = own.role == analysis.role
            && own.lock == analysis.lock
            && own.missing != Missing::Bounds;
        if other != index && !(holm && beside) {
            continue;
        }
        if other == index {
            place = family.len();
        }
        let smallest = match own.test {
            Some(Test::Randomization { draws }) => smallest_p(u64::from(draws), 0),
            _ => 0.0,
        };
        let number = if holm { arms } else { 1 };
        family.extend(std::iter::repeat_n(smallest, number));
    }
    (family, place)
}

/// A small number with three significant digits, in both languages.
pub(crate) fn significant(value: f64) -> (String, String) {
    let places = (2.0 - libm::floor(libm::log10(value.max(1e-12)))).max(0.0) as usize;
    let en = format!("{value:.places$}");
    let sv = en.replace('.', ",");
    (en, sv)
}
