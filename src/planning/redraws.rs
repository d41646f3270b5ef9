//! Whether the randomization tests of a simulation can reject at all with the redraws that they have there.
//!
//! A simulated test has fewer redraws than the registered one, and no p below 2/(1 + R). Where that is above the limit that
//! decides, no study rejects whatever the effect, and the power would be 0 with an error of 0. A p that is adjusted for others is
//! held to a part of that limit.

use super::judging::{Family, Judge};
use super::scenario::Cell;
use super::simulate::Options;
use crate::analysis::attainable::{Barred, barred, fewest_draws, smallest_p};
use crate::analysis::multiplicity::benjamini_hochberg;
use crate::numerics::shares::within;

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
    /// Whether the test can never reject: no look and no end has a limit in reach, whatever was seen before. With looks, in no
    /// study in which one of them was held.
    pub never_rejects: bool,
    /// Ids of the looks at which it can never reject, each with the alpha that is spent by then, which its limit cannot pass.
    pub cannot_at: Vec<(String, f64)>,
    /// Whether there are looks that spend alpha.
    pub has_looks: bool,
    /// Whether not even the largest alpha that a look or the end has by itself is in reach, so that most or all studies do not
    /// reject.
    pub seldom_rejects: bool,
    /// Where not the p but what adjusts it for others is too much.
    pub together: Option<InFamily>,
}

/// How a test with too few redraws stands in the family that adjusts its p.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFamily {
    /// Registered hypotheses in it, simulated or not.
    pub hypotheses: usize,
    /// The rule that judges: `holm` or `benjamini-hochberg`.
    pub rule: &'static str,
    /// How many others must be rejected for it to be; `None` where not even those that are simulated are enough.
    pub others: Option<usize>,
}

/// The tests of a cell that have too few redraws, in the scenario's order: those that never reject, and those that cannot reject
/// at a look by the alpha of that look alone. None where tests are left out (0 redraws).
///
/// A nominal limit is at most the alpha that is spent so far, since to cross it alone is part of crossing any; so no look and no
/// end has a limit above the analysis' whole alpha. The end has that much only where no look spent anything: where one did, every
/// limit is below the whole alpha, and a smallest p of just that rejects at none.
pub fn too_few(cell: &Cell, options: &Options) -> Vec<TooFew> {
    let draws = options.draws_in(cell);
    let mut found = Vec::new();
    if draws == 0 {
        return found;
    }
    let smallest = smallest_p(u64::from(draws), 0);
    let judge = Judge::of(cell, draws);
    // What is not a test by redraws has no smallest p.
    let least = |place: usize| match cell.scenario.comparisons().nth(place) {
        Some((index, _)) if cell.protocol.analyses[index].test.is_some() => smallest,
        _ => 0.0,
    };
    for (place, (index, _)) in cell.scenario.comparisons().enumerate() {
        let own = &cell.protocol.analyses[index];
        let limit = judge.limits().get(place).copied().flatten();
        if own.test.is_none() {
            continue;
        }
        let looks = own.looks.iter().filter(|look| **look != own.lock);
        let looks: Vec<(usize, f64)> = looks
            .map(|look| (*look, cell.protocol.locks[*look].alpha))
            .filter(|(_, alpha)| *alpha > 0.0)
            .collect();
        let has_looks = !looks.is_empty();
        let most = if has_looks { Some(own.alpha) } else { limit };
        let never_rejects =
            most.is_none_or(|most| !within(smallest, most) || (has_looks && smallest >= most));
        let mut spent = 0.0;
        let by_then = looks.iter().map(|(look, alpha)| {
            spent += alpha;
            (cell.protocol.locks[*look].id.clone(), spent)
        });
        let cannot_at = by_then
            .filter(|(_, spent)| !within(smallest, *spent))
            .collect();
        let all = looks
            .into_iter()
            .chain(limit.map(|limit| (own.lock, limit)));
        let seldom_rejects = all.clone().all(|(_, limit)| !within(smallest, limit));
        // The smallest limit asks for most.
        let worst = all.min_by(|(_, one), (_, other)| one.total_cmp(other));
        if let Some((lock, limit)) = worst.filter(|(_, limit)| !within(smallest, *limit)) {
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
                cannot_at,
                has_looks,
                seldom_rejects,
                together: None,
            });
        } else if let Some(limit) = limit.filter(|_| !has_looks) {
            let mut families = judge.families().iter();
            if let Some((together, needed)) =
                families.find_map(|family| in_family(family, place, limit, &least))
            {
                found.push(TooFew {
                    analysis: own.id.clone(),
                    lock: cell.protocol.locks[own.lock].id.clone(),
                    draws,
                    smallest,
                    limit,
                    needed,
                    never_rejects: together.others.is_none(),
                    cannot_at: Vec::new(),
                    has_looks,
                    seldom_rejects: false,
                    together: Some(together),
                });
            }
        }
    }
    found
}

/// Whether the adjusted p of the comparison at a place can be above its limit for want of redraws alone, and the fewest redraws with
/// which it is not (by Benjamini and Hochberg's rule, with which it can be rejected at all); `least` gives the smallest p of each
/// simulated comparison. None of fixed sequences, and none of Westfall and Young's rule, whose redraws of all tests together give no
/// p above the smallest of each.
///
/// What is not simulated counts with a p of 1, as in [`Judge`]. An adjusted p rises with every p of its family, so that none can be
/// smaller than when all p are as small as they can be.
fn in_family(
    family: &Family,
    place: usize,
    limit: f64,
    least: &dyn Fn(usize) -> f64,
) -> Option<(InFamily, Option<u64>)> {
    if !family.registered.adjusts() {
        return None;
    }
    let own = family.places.iter().position(|own| *own == Some(place))?;
    let all = family.smallest(least);
    let hypotheses = all.len();
    let m = hypotheses as f64;
    let (others, part) = match family.rule() {
        "holm" => match barred(&all, own, limit)? {
            Barred::Always => (None, m),
            Barred::Until(others) => (Some(others), m),
        },
        "benjamini-hochberg" => {
            let simulated = family.in_it().max(1) as f64;
            let best = benjamini_hochberg(&all).get(own).copied()?;
            // Its own p is held against alpha · k/m where k of the p are no larger.
            let smallest = all.get(own).copied()?;
            let rank = (1..=hypotheses).find(|rank| within(m * smallest, limit * *rank as f64));
            match rank {
                Some(1) => return None,
                Some(rank) if within(best, limit) => (Some(rank - 1), m),
                _ => (None, m / simulated),
            }
        }
        _ => return None,
    };
    // The product is what the rule compares; the quotient may round to one redraw too few.
    let near = fewest_draws(limit / part);
    let needed = near.and_then(|near| {
        (near..near + 3).find(|draws| within(part * smallest_p(*draws, 0), limit))
    });
    let own = InFamily {
        hypotheses,
        rule: family.rule(),
        others,
    };
    Some((own, needed.or(near)))
}
