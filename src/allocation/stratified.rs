//! Operating characteristics of a list with strata: of each stratum's list by itself, and of all of them as one.
//!
//! Each stratum has a list of its own, of as many units as came in it; those of one stratum say nothing of another's. The
//! strata are drawn together, in the order of arrival, so that what is said of all of them is simulated as it comes about.

use super::characteristics::{Characteristics, Drawn, Figure, Tally, watched};
use super::exact::Exact;
use super::guess::Guesser;
use super::method::{Design, Levels, Sequence};
use super::observer::{self, Watched};
use super::options::{Options, Refusal, choose};
use super::seed::Seed;
use super::streams::Redraw;
use super::weights::Ratio;
use crate::numerics::Twofold;
use crate::numerics::stream::replicates_key;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;

/// Most products of two probabilities before the chance of balance over all strata is given up as not feasible.
const BUDGET: usize = 20_000_000;

/// Strata whose lists are alike: as many units, with the same levels of the balanced factors in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct Alike {
    /// The strata, by their numbers from 0 in order of their first arrival.
    pub strata: Vec<usize>,
    /// Figures of one such list, from `strata.len()` lists in each replicate.
    pub characteristics: Characteristics,
}

/// Operating characteristics of a list with strata.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratified {
    /// Strata that are alike, in order of their first arrival.
    pub alike: Vec<Alike>,
    /// All strata together: shares of all units; the imbalance is that of the arms over all strata, the largest one on the way
    /// in the order of arrival. `n` counts all units.
    pub whole: Characteristics,
    /// Expected number of correct guesses over all strata: the sum of those of each.
    pub correct_guesses: Figure,
}

/// Draws `replicates` lists with strata and describes them.
///
/// `arrivals` are the number of the stratum, from 0 in order of the first arrival, and the levels of each unit in order of arrival;
/// at least one. As when such a list is drawn, no method is told how many units a stratum will have. Definitions and errors are
/// those of [`super::characteristics()`]; within a replicate the strata take their numbers from one stream as their units come,
/// so that one stratum alone has the figures of a list without strata. A guesser knows each stratum's past. The exact
/// figures of all strata are sums over independent lists: shares always, variance and chance of balance for two arms, whose
/// difference count / part is a sum too, and where every list ends in balance. No law is at hand for the largest imbalance of several
/// strata: it is simulated alone.
///
/// # Errors
/// Refusals are those of [`super::exact_characteristics`].
pub fn stratified_characteristics(
    id: &str,
    ratio: &Ratio,
    options: &Options,
    arrivals: &[(usize, Levels)],
    replicates: u64,
    seed: &Seed,
) -> Result<Stratified, Vec<Refusal>> {
    let design = choose(id, ratio, options, None)?;
    let guesser = Guesser::new(&*design, ratio).map_err(|refusal| vec![refusal])?;
    let mut lists: Vec<Vec<Levels>> = Vec::new();
    for (stratum, levels) in arrivals {
        lists.resize(lists.len().max(stratum + 1), Vec::new());
        lists[*stratum].push(*levels);
    }
    // Kinds of lists in order of their first stratum.
    let mut known: BTreeMap<&[Levels], usize> = BTreeMap::new();
    let mut kinds: Vec<Vec<usize>> = Vec::new();
    for (stratum, list) in lists.iter().enumerate() {
        let kind = *known.entry(list).or_insert(kinds.len());
        kinds.resize(kinds.len().max(kind + 1), Vec::new());
        kinds[kind].push(stratum);
    }
    let rules: (&dyn Design, &Guesser) = (&*design, &guesser);
    let key = replicates_key("draw", &seed.to_hex());
    let tallies = || (0..=kinds.len()).map(|_| Tally::default()).collect();
    let tallies: Vec<Tally> = (0..replicates)
        .into_par_iter()
        .fold(tallies, |mut tallies: Vec<Tally>, replicate| {
            let mut randomness = Redraw::new(&key, replicate);
            let (each, whole) = together(rules, arrivals, lists.len(), &mut randomness);
            for (tally, kind) in tallies.iter_mut().zip(&kinds) {
                for own in kind {
                    tally.add(&each[*own]);
                }
            }
            if let Some(tally) = tallies.last_mut() {
                tally.add(&whole);
            }
            tallies
        })
        .reduce(tallies, |one, other| {
            one.into_iter()
                .zip(other)
                .map(|(one, two)| one.with(two))
                .collect()
        });
    let work = observer::THOROUGH / kinds.len().max(1) as u64;
    let seen: Vec<Option<Watched>> = kinds
        .iter()
        .zip(0_u64..)
        .map(|(kind, place)| {
            let list: &[Levels] = &lists[kind[0]];
            // Streams of its own: on the same ones lists of nearly as many units would have all but one error.
            let first = place.saturating_mul(replicates);
            let own = first..first.saturating_add(replicates);
            watched(&*design, (list.len() as u64, list), &key, own, work)
        })
        .collect();
    let exact: Vec<(usize, u64, Exact)> = kinds
        .iter()
        .map(|kind| {
            let list = &lists[kind[0]];
            let n = list.len() as u64;
            (kind.len(), n, design.exact(&guesser, n, list))
        })
        .collect();
    let n = arrivals.len() as u64;
    let all = of_all(&exact, n, &guesser);
    let alike = kinds
        .into_iter()
        .zip(&tallies)
        .zip(exact.iter().zip(&seen))
        .map(|((strata, tally), ((_, n, exact), seen))| Alike {
            strata,
            characteristics: tally.figures(*n, replicates, &guesser, exact, seen.as_ref()),
        })
        .collect();
    let seen = seen_of_all(&exact, &seen, n);
    let whole = tallies
        .last()
        .map(|own| own.figures(n, replicates, &guesser, &all, seen.as_ref()));
    let whole = whole.unwrap_or_else(|| Tally::default().figures(n, 0, &guesser, &all, None));
    let times = |share: Option<f64>| share.map(|share| share * n as f64);
    let share = whole.correct_guess_share;
    let correct_guesses = Figure {
        value: times(share.value),
        mcse: times(share.mcse),
        exact: guesses(&exact).map(Twofold::rounded),
        ..Figure::default()
    };
    Ok(Stratified {
        alike,
        whole,
        correct_guesses,
    })
}

/// One replicate: the list of each stratum, and all of them as one.
fn together(
    (design, guesser): (&dyn Design, &Guesser),
    arrivals: &[(usize, Levels)],
    strata: usize,
    randomness: &mut Redraw,
) -> (Vec<Drawn>, Drawn) {
    let mut sequences: Vec<Option<Box<dyn Sequence>>> = (0..strata).map(|_| None).collect();
    let mut each = vec![Drawn::default(); strata];
    let mut whole = Drawn::default();
    for (stratum, levels) in arrivals {
        let sequence = sequences[*stratum].get_or_insert_with(|| design.begin(randomness));
        let told = each[*stratum].draw((design, guesser), &mut **sequence, levels, randomness);
        whole.add(guesser, told);
    }
    (each, whole)
}

/// What could be guessed of the units of all lists, from what could be of each: means of independent lists.
fn seen_of_all(lists: &[(usize, u64, Exact)], seen: &[Option<Watched>], n: u64) -> Option<Watched> {
    let mut whole = Watched {
        lists: u64::MAX,
        best: (0.0, Some(0.0)),
        certain: (0.0, Some(0.0)),
    };
    for ((strata, units, _), own) in lists.iter().zip(seen) {
        let own = own.as_ref()?;
        // All strata of a kind have the estimate of one, and its error with it.
        let part = *strata as f64 * *units as f64 / n as f64;
        let add = |sum: &mut (f64, Option<f64>), own: (f64, Option<f64>)| {
            sum.0 += part * own.0;
            sum.1 = sum.1.zip(own.1).map(|(sum, own)| sum.hypot(part * own));
        };
        add(&mut whole.best, own.best);
        add(&mut whole.certain, own.certain);
        whole.lists = whole.lists.min(own.lists);
    }
    Some(whole)
}

/// Expected number of correct guesses of all lists.
fn guesses(lists: &[(usize, u64, Exact)]) -> Option<Twofold> {
    expected(lists, |own| own.correct_guess_share)
}

/// A share of the units of each list, as a number over all lists.
fn expected(
    lists: &[(usize, u64, Exact)],
    share: impl Fn(&Exact) -> Option<f64>,
) -> Option<Twofold> {
    let mut sum = Twofold::default();
    for (strata, n, exact) in lists {
        sum += Twofold::from(*strata as u64 * n) * Twofold::from(share(exact)?);
    }
    Some(sum)
}

/// The exact figures of all lists together, of `n` units in all.
fn of_all(lists: &[(usize, u64, Exact)], n: u64, guesser: &Guesser) -> Exact {
    if let [(1, _, only)] = lists {
        return only.clone();
    }
    let share = |of: fn(&Exact) -> Option<f64>| {
        let mut shares = lists.iter().map(|(.., exact)| of(exact));
        let first = shares.next().flatten()?;
        // The mean of equal shares is that share, without a rounding.
        if shares.all(|own| own == Some(first)) {
            return Some(first);
        }
        Some((expected(lists, of)? / Twofold::from(n)).rounded())
    };
    let level = |own: &Exact| own.p_balanced == Some(1.0) && own.imbalance_variance == Some(0.0);
    let (mut imbalance_variance, mut p_balanced) = (None, None);
    if lists.iter().all(|(.., exact)| level(exact)) {
        (imbalance_variance, p_balanced) = (Some(0.0), Some(1.0));
    } else if let Some(law) = law_of_all(lists) {
        p_balanced = Some(law.get(&0).copied().unwrap_or_default().rounded().min(1.0));
        imbalance_variance = Some(variance_of(&law, guesser));
    }
    if guesser.is_plain() && p_balanced != Some(1.0) {
        // The difference of two equal arms has mean 0, so that variances add up, with no law at hand too.
        let mut sum = Some(Twofold::default());
        for (strata, _, exact) in lists {
            let own = exact.imbalance_variance.map(Twofold::from);
            let strata = Twofold::from(*strata as u64);
            sum = sum.zip(own).map(|(sum, own)| sum + own * strata);
        }
        imbalance_variance = sum.map(Twofold::rounded);
    }
    Exact {
        correct_guess_share: share(|own| own.correct_guess_share),
        best_guess_share: share(|own| own.best_guess_share),
        forced_share: share(|own| own.forced_share),
        best_guess_bound: share(|own| own.best_guess_bound),
        forced_bound: share(|own| own.forced_bound),
        imbalance_variance,
        p_balanced,
        ..Exact::default()
    }
}

/// The law of the sum of the differences count / part of independent lists with two arms, in whole numbers of the guesser's unit.
fn law_of_all(lists: &[(usize, u64, Exact)]) -> Option<BTreeMap<i64, Twofold>> {
    let mut all = BTreeMap::from([(0_i64, Twofold::ONE)]);
    let mut work = 0;
    for (strata, _, exact) in lists {
        let own = exact.differences.as_ref()?;
        for _ in 0..*strata {
            work += all.len() * own.len();
            if work > BUDGET {
                return None;
            }
            let mut next = BTreeMap::new();
            for (before, p) in &all {
                for (difference, q) in own {
                    let sum: &mut Twofold = next.entry(before + difference).or_default();
                    *sum += *p * Twofold::from(*q);
                }
            }
            all = next;
        }
    }
    Some(all)
}

/// Variance of the imbalance, which is the difference without its sign unless the arms are equal.
fn variance_of(law: &BTreeMap<i64, Twofold>, guesser: &Guesser) -> f64 {
    let [mut mean, mut square] = [Twofold::default(); 2];
    for (difference, p) in law {
        let size = if guesser.is_plain() {
            *difference as f64
        } else {
            difference.unsigned_abs() as f64
        };
        let size = Twofold::from(size / guesser.unit());
        mean += *p * size;
        square += *p * size * size;
    }
    (square + mean * mean * Twofold::from(-1.0))
        .rounded()
        .max(0.0)
}
