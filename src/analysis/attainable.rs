//! Whether a randomization test can reject at all: the smallest p that its redraws can give, against what judges it.
//!
//! A test by redraws has no p below `2/(1 + R)`, whatever the effect. Where the limit of a look, or a share of alpha among
//! several tests, is smaller than that, the test can never reject, and the power is lost without a sign of it.

use super::plan::{limit, treated_arms};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Missing, Multiplicity, Role, Test};

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
    let within = limit > 1e-15 && limit <= 1.0;
    // Rounding of the quotient is at most one redraw either way.
    let near = within.then(|| (2.0 / limit).ceil() as u64)?;
    (near.saturating_sub(2)..=near + 1).find(|draws| smallest_p(*draws, 0) <= limit)
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
    /// The smallest limit by which the p may be judged there.
    pub limit: f64,
}

/// The registered tests that may be judged at a lock by less than their smallest p: one entry for each analysis and lock, in
/// the protocol's order.
///
/// At a look the limit is at least the amount of alpha that the look may spend, at the analysis' own lock at least what looks
/// leave; with Holm's rule the smallest p of m comparisons is judged by alpha/m.
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
        let own = limit(protocol, analysis);
        let own = own.map(|own| (analysis.lock, own / beside(protocol, analysis)));
        for (lock, limit) in looks.chain(own) {
            if smallest_p(u64::from(draws), 0) > limit {
                found.push(OutOfReach {
                    analysis: index,
                    lock,
                    draws,
                    limit,
                });
            }
        }
    }
    found
}

/// By how many the alpha of an analysis is divided at worst: by the comparisons of its family, of several arms and analyses,
/// where Holm's rule judges it. Bounds have no p and are none of them.
pub(super) fn beside(protocol: &Protocol, analysis: &Analysis) -> f64 {
    let rule = match analysis.role {
        Role::Primary => Some(protocol.primary_multiplicity),
        Role::Secondary => protocol.multiplicity,
        Role::Exploratory => None,
    };
    if rule != Some(Multiplicity::Holm) {
        return 1.0;
    }
    let own = |other: &&Analysis| {
        other.role == analysis.role
            && other.lock == analysis.lock
            && other.missing != Missing::Bounds
    };
    let analyses = protocol.analyses.iter().filter(own).count();
    (analyses * treated_arms(protocol).count()).max(1) as f64
}

/// A small number with three significant digits, in both languages.
pub(crate) fn significant(value: f64) -> (String, String) {
    let places = (2.0 - libm::floor(libm::log10(value.max(1e-12)))).max(0.0) as usize;
    let en = format!("{value:.places$}");
    let sv = en.replace('.', ",");
    (en, sv)
}
