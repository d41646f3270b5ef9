//! What who sees only arms can guess, where each arm stands for a duplicate that is drawn beside it and that nobody sees.
//!
//! The observer knows the method and the arms before, and so how likely each state is that the method can be in: a belief over
//! states in which duplicates that are alike are put together. After each arm the belief is conditioned on it (the forward
//! recursion of a hidden Markov model; Rabiner 1989, doi 10.1109/5.18626, section III.A). The best guess is the arm with
//! the largest `P(arm | arms before)`; an arm is certain when no state that is possible has another.
//!
//! Exact where the beliefs that can be are few, otherwise along drawn lists; `None` where a belief itself is of too many states.

use super::exact::every_choice;
use super::method::{Design, Levels, Sequence, allocate};
use super::streams::Redraw;
use super::weights::{Arm, MAX_ARMS};
use std::collections::BTreeMap;
use std::ops::Range;

/// Most work of the exact figures: states of beliefs, and steps from them, looked at.
const EXACTLY: u64 = 600_000;
/// Work along drawn lists where one description is asked for.
pub(super) const THOROUGH: u64 = 24_000_000;
/// The same where several settings are compared.
pub(super) const QUICK: u64 = 8_000_000;
/// What a state costs that was not met before, in that work.
const NEW: u64 = 500;
/// What a belief costs that is kept beside others, and its states with it.
const BELIEF: u64 = 20;
/// What a step costs that was not taken before.
const STEP: u64 = 200;
/// Lists after which it is known what a list takes, and fewest from which a figure is taken unless fewer are asked for.
const FEWEST: u64 = 16;
/// States less likely than this are left along drawn lists: together they are far below any Monte Carlo error.
const NEGLIGIBLE: f64 = 1e-12;
/// Beliefs that agree to this part are one: what they tell differs by less than 1e-12.
const GRAIN: f64 = (1_u64 << 44) as f64;

/// Shares of the units of a list, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guessed {
    /// Expected share of right guesses of who names the likeliest arm, knowing the arms before.
    pub(super) best: f64,
    /// Expected share of arms that are certain for that guesser.
    pub(super) certain: f64,
}

/// Means over drawn lists of [`Guessed`], and their standard errors (of at least two lists).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Watched {
    /// Lists that were followed.
    pub(super) lists: u64,
    pub(super) best: (f64, Option<f64>),
    pub(super) certain: (f64, Option<f64>),
}

/// States with their probabilities given the arms before, by number.
type Belief = Vec<(u32, f64)>;

/// How a state goes on with a unit.
#[derive(Debug, Clone)]
struct Ahead {
    levels: Levels,
    shares: [f64; MAX_ARMS],
    /// The states after each arm with their chances given the arm, once they were asked for.
    after: [Option<Belief>; MAX_ARMS],
}

/// A state that was met.
#[derive(Debug)]
struct Met {
    sequence: Box<dyn Sequence>,
    ahead: Vec<Ahead>,
}

/// Follows beliefs; what was worked out of a state is kept.
struct Observer<'d> {
    design: &'d dyn Design,
    places: BTreeMap<Box<dyn Sequence>, u32>,
    met: Vec<Met>,
    work: u64,
    most: u64,
    /// [`Design::cost`].
    cost: u64,
    negligible: f64,
}

impl<'d> Observer<'d> {
    fn new(design: &'d dyn Design, most: u64, negligible: f64) -> Self {
        Self {
            design,
            places: BTreeMap::new(),
            met: Vec::new(),
            work: 0,
            most,
            cost: design.cost().max(1),
            negligible,
        }
    }

    fn is_spent(&self) -> bool {
        self.work > self.most
    }

    /// The number of a state.
    fn place(&mut self, mut sequence: Box<dyn Sequence>) -> u32 {
        self.design.forget_address(&mut *sequence);
        self.design.merge(&mut *sequence);
        if let Some(place) = self.places.get(&sequence) {
            return *place;
        }
        let place = self.met.len() as u32;
        self.work += NEW * self.cost;
        self.places.insert(sequence.clone(), place);
        self.met.push(Met {
            sequence,
            ahead: Vec::new(),
        });
        place
    }

    /// The belief before the first unit.
    fn start(&mut self) -> Belief {
        let design = self.design;
        let mut begun = Vec::new();
        every_choice(|choices, chance| {
            let sequence = design.begin(choices);
            begun.push((sequence, chance(choices).rounded()));
        });
        let begun = begun.into_iter();
        put_together(begun.map(|(own, p)| (self.place(own), p)).collect(), 0.0)
    }

    /// Where a state's answers to a unit are kept.
    fn ahead(&mut self, state: u32, levels: &Levels) -> &mut Ahead {
        let met = &mut self.met[state as usize];
        let known = met.ahead.iter().position(|own| own.levels == *levels);
        let place = known.unwrap_or_else(|| {
            let weights = self.design.weights(&*met.sequence, &levels.unit());
            let sum = weights.sum() as f64;
            let mut shares = [0.0; MAX_ARMS];
            for (share, weight) in shares.iter_mut().zip(weights.as_slice()) {
                *share = *weight as f64 / sum;
            }
            met.ahead.push(Ahead {
                levels: *levels,
                shares,
                after: Default::default(),
            });
            met.ahead.len() - 1
        });
        &mut met.ahead[place]
    }

    /// The chance of each arm for the next unit.
    fn chances(&mut self, belief: &Belief, levels: &Levels) -> [f64; MAX_ARMS] {
        let mut chances = [0.0; MAX_ARMS];
        self.work += belief.len() as u64;
        for (state, probability) in belief {
            let shares = &self.ahead(*state, levels).shares;
            for (chance, share) in chances.iter_mut().zip(shares) {
                *chance += probability * share;
            }
        }
        chances
    }

    /// The belief after an arm; empty if no state has it.
    fn after(&mut self, belief: &Belief, levels: &Levels, arm: usize) -> Belief {
        let mut next = Vec::new();
        for (state, probability) in belief {
            let share = self.ahead(*state, levels).shares[arm];
            if share == 0.0 {
                continue;
            }
            if self.ahead(*state, levels).after[arm].is_none() {
                if self.is_spent() {
                    return Belief::new();
                }
                let found = self.steps(*state, levels, arm);
                self.ahead(*state, levels).after[arm] = Some(found);
            }
            let steps = self.ahead(*state, levels).after[arm].as_deref();
            for (to, chance) in steps.unwrap_or_default() {
                next.push((*to, probability * share * chance));
            }
        }
        self.work += next.len() as u64;
        put_together(next, self.negligible)
    }

    /// The states after an arm with their chances.
    fn steps(&mut self, state: u32, levels: &Levels, arm: usize) -> Belief {
        let (design, unit) = (self.design, levels.unit());
        let sequence = self.met[state as usize].sequence.clone();
        let mut reached = Vec::new();
        every_choice(|choices, chance| {
            let mut later = sequence.clone();
            design.step(&mut *later, &unit, Arm(arm as u8), choices);
            reached.push((later, chance(choices).rounded()));
        });
        self.work += STEP * self.cost * reached.len() as u64;
        let reached = reached.into_iter();
        put_together(reached.map(|(own, p)| (self.place(own), p)).collect(), 0.0)
    }
}

/// States by number, each once, with probabilities that sum to 1; those below a part of the whole are left.
fn put_together(mut all: Belief, negligible: f64) -> Belief {
    all.sort_unstable_by_key(|(state, _)| *state);
    let mut belief: Belief = Vec::with_capacity(all.len());
    for (state, probability) in all {
        match belief.last_mut() {
            Some((last, sum)) if *last == state => *sum += probability,
            _ => belief.push((state, probability)),
        }
    }
    let whole: f64 = belief.iter().map(|(_, p)| p).sum();
    belief.retain(|(_, p)| *p > negligible * whole);
    let whole: f64 = belief.iter().map(|(_, p)| p).sum();
    for (_, probability) in &mut belief {
        *probability /= whole;
    }
    belief
}

/// The largest chance, and whether no other arm has any.
fn seen(chances: &[f64; MAX_ARMS]) -> (f64, bool) {
    let open = chances.iter().filter(|chance| **chance > 0.0).count();
    let best = chances.iter().copied().fold(0.0, f64::max);
    (if open == 1 { 1.0 } else { best }, open == 1)
}

/// Expected shares of a list of `n` units, at least 1, by every belief that can be; `None` where there are too many. Units beyond
/// `arrivals` have the first level of every factor.
pub(super) fn exactly(design: &dyn Design, n: u64, arrivals: &[Levels]) -> Option<Guessed> {
    let mut observer = Observer::new(design, EXACTLY, 0.0);
    let mut now = vec![(observer.start(), 1.0)];
    let [mut best, mut certain] = [0.0; 2];
    for place in 0..n {
        let levels = arrivals.get(place as usize).copied().unwrap_or_default();
        let mut places: BTreeMap<Vec<(u32, u64)>, usize> = BTreeMap::new();
        let mut next: Vec<(Belief, f64)> = Vec::new();
        for (belief, probability) in &now {
            let chances = observer.chances(belief, &levels);
            let (largest, is_certain) = seen(&chances);
            best += probability * largest;
            certain += probability * f64::from(u8::from(is_certain));
            if place + 1 == n {
                continue;
            }
            for (arm, chance) in chances.iter().enumerate() {
                if *chance == 0.0 {
                    continue;
                }
                let later = observer.after(belief, &levels, arm);
                observer.work += BELIEF;
                if observer.is_spent() {
                    return None;
                }
                let grains = |(state, p): &(u32, f64)| (*state, (p * GRAIN).round() as u64);
                let at = places
                    .entry(later.iter().map(grains).collect())
                    .or_insert(next.len());
                if *at == next.len() {
                    next.push((later, 0.0));
                }
                next[*at].1 += probability * chance;
            }
        }
        now = next;
    }
    Some(Guessed {
        best: best / n as f64,
        certain: certain / n as f64,
    })
}

/// Mean shares of drawn lists of `n` units, one after the other from the stream of `key` with the list's number: of those numbered
/// `lists`, or of the first so many, at least [`FEWEST`], as these promise to take `work`. `None` if it takes twice as much. Lists of
/// the same number begin alike, so that means of which the errors are to be independent need numbers of their own.
pub(super) fn along(
    design: &dyn Design,
    (n, arrivals): (u64, &[Levels]),
    key: &[u8; 32],
    lists: Range<u64>,
    work: u64,
) -> Option<Watched> {
    let mut observer = Observer::new(design, work.saturating_mul(2), NEGLIGIBLE);
    let start = observer.start();
    let (mut best, mut certain) = (Vec::new(), Vec::new());
    let mut number = lists.end.saturating_sub(lists.start);
    let mut list = 0;
    while list < number {
        let mut randomness = Redraw::new(key, lists.start + list);
        let mut sequence = design.begin(&mut randomness);
        let mut belief = start.clone();
        let mut own = [0.0; 2];
        for place in 0..n {
            let levels = arrivals.get(place as usize).copied().unwrap_or_default();
            let (largest, is_certain) = seen(&observer.chances(&belief, &levels));
            own[0] += largest;
            own[1] += f64::from(u8::from(is_certain));
            let unit = levels.unit();
            let arm = allocate(design, &mut *sequence, &unit, place, &mut randomness);
            belief = observer.after(&belief, &levels, arm.index());
            if observer.is_spent() {
                return None;
            }
        }
        best.push(own[0] / n as f64);
        certain.push(own[1] / n as f64);
        list += 1;
        if list == FEWEST {
            let affordable = work.saturating_mul(FEWEST) / observer.work.max(1);
            number = number.min(affordable.max(FEWEST));
        }
    }
    (list > 0).then(|| Watched {
        lists: list,
        best: mean(&best),
        certain: mean(&certain),
    })
}

/// Mean and its standard error.
fn mean(shares: &[f64]) -> (f64, Option<f64>) {
    // From the first one on, so that of a constant no error is left.
    let number = shares.len() as f64;
    let first = shares.first().copied().unwrap_or(0.0);
    let mean = first + shares.iter().map(|own| own - first).sum::<f64>() / number;
    let squares: f64 = shares.iter().map(|own| (own - mean).powi(2)).sum();
    let error = (shares.len() > 1).then(|| (squares / (number - 1.0) / number).sqrt());
    (mean, error)
}
