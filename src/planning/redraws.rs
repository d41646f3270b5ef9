//! Whether the randomization tests of a simulation can reject at all with the redraws that they have there.
//!
//! A simulated test has fewer redraws than the registered one, and no p below 2/(1 + R). Where that is above the limit that
//! decides, no study rejects whatever the effect, and the power would be 0 with an error of 0.

use super::rounds::limits;
use super::scenario::Cell;
use super::simulate::Options;
use crate::analysis::attainable::{fewest_draws, smallest_p};

/// A test with too few redraws for a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct TooFew {
    /// Id of the analysis.
    pub analysis: String,
    /// Id of the lock whose limit is out of reach.
    pub lock: String,
    /// Redraws in each study.
    pub draws: u32,
    /// The smallest p that they can give.
    pub smallest: f64,
    /// The limit: of a look the alpha that is its own, which earlier looks may add to.
    pub limit: f64,
    /// The fewest redraws that can reach it.
    pub needed: Option<u64>,
    /// Whether the test can never reject: no look and no end has a limit in reach, whatever was seen before.
    pub never_rejects: bool,
    /// Whether not even the largest alpha that a look or the end has by itself is in reach, so that most or all studies do not
    /// reject.
    pub seldom_rejects: bool,
}

/// The tests of a cell that have too few redraws, in the scenario's order: those that never reject, and those that cannot reject
/// at a look by the alpha of that look alone. None where tests are left out (0 redraws).
///
/// A nominal limit is at most the alpha that is spent so far, since to cross it alone is part of crossing any; so no look and no
/// end has a limit above the analysis' whole alpha. The end has that much only where no look spent anything.
pub fn too_few(cell: &Cell, options: &Options) -> Vec<TooFew> {
    let draws = options.draws_in(cell);
    let mut found = Vec::new();
    if draws == 0 {
        return found;
    }
    let smallest = smallest_p(u64::from(draws), 0);
    for (index, limit) in cell.scenario.analyses.iter().zip(limits(cell)) {
        let own = &cell.protocol.analyses[*index];
        if own.test.is_none() {
            continue;
        }
        let looks = own.looks.iter().filter(|look| **look != own.lock);
        let looks: Vec<(usize, f64)> = looks
            .map(|look| (*look, cell.protocol.locks[*look].alpha))
            .filter(|(_, alpha)| *alpha > 0.0)
            .collect();
        let most = if looks.is_empty() {
            limit
        } else {
            Some(own.alpha)
        };
        let never_rejects = most.is_none_or(|most| smallest > most);
        let all = looks
            .into_iter()
            .chain(limit.map(|limit| (own.lock, limit)));
        let seldom_rejects = all.clone().all(|(_, limit)| smallest > limit);
        // The smallest limit asks for most.
        let worst = all.min_by(|(_, one), (_, other)| one.total_cmp(other));
        if let Some((lock, limit)) = worst.filter(|(_, limit)| smallest > *limit) {
            found.push(TooFew {
                analysis: own.id.clone(),
                lock: cell.protocol.locks[lock].id.clone(),
                draws,
                smallest,
                limit: if never_rejects {
                    most.unwrap_or(limit)
                } else {
                    limit
                },
                needed: fewest_draws(limit),
                never_rejects,
                seldom_rejects,
            });
        }
    }
    found
}
