//! The allocations that could have been: which arms the design could have given the same families in the same order.
//!
//! A [`History`] is what the randomization test conditions on: the allocations in ledger order with their strata,
//! epochs and balancing factors, and the design. It says whether arms were possible at all, draws them again exactly as
//! `docs/allocation-spec.md` (section 8) writes it, and lists every possible sequence with its design probability when
//! there are few. Admission is never simulated. What is computed from the arms is `randomization`'s business.

use crate::allocation::{
    Arm, Design, Levels, MAX_FACTORS, Randomness, Redraw, Sequence, Unit, allocate, every_choice,
    redraw_key, replicates_key,
};
use crate::protocol::Protocol;
use crate::study::kernel::State;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most sequences that are enumerated (a ruling of the design).
pub const ENUMERATED: u64 = 100_000;

/// Families in ledger order, each with the list of its stratum and epoch and the levels of its balancing factors.
#[derive(Debug, Clone, Default)]
pub struct History {
    lists: Vec<u32>,
    /// The levels of all families one after another, so many each; families of other designs have zeros.
    levels: Vec<u16>,
    factors: usize,
    designs: Vec<Arc<dyn Design>>,
}

/// Method state per list, reused from redraw to redraw of histories under one protocol.
#[derive(Debug, Default)]
pub struct Redrawer {
    sequences: Vec<Option<Box<dyn Sequence>>>,
    begun: Vec<bool>,
}

impl History {
    /// A history from the list of each family (in ledger order) and the design of each list; `None` when a list has
    /// no design.
    pub fn new(lists: Vec<u32>, designs: Vec<Arc<dyn Design>>) -> Option<Self> {
        lists
            .iter()
            .all(|list| (*list as usize) < designs.len())
            .then_some(Self {
                lists,
                designs,
                ..Self::default()
            })
    }

    /// The same history with the levels of each family's balancing factors, in ledger order; families that are not
    /// named have the first level of each factor.
    #[must_use]
    pub fn with_levels(mut self, levels: &[Levels]) -> Self {
        let number = |own: &Levels| own.as_slice().len();
        self.factors = levels.iter().map(number).max().unwrap_or(0);
        self.levels.clear();
        for place in 0..self.lists.len() {
            let own = levels.get(place).copied().unwrap_or_default();
            self.add(&own);
        }
        self
    }

    fn add(&mut self, own: &Levels) {
        let mut padded = [0; MAX_FACTORS];
        padded[..own.as_slice().len()].copy_from_slice(own.as_slice());
        self.levels.extend_from_slice(&padded[..self.factors]);
    }

    /// A family as its design knows it.
    fn unit(&self, place: usize) -> Unit<'_> {
        let first = place * self.factors;
        let levels = self.levels.get(first..first + self.factors);
        Unit {
            levels: levels.unwrap_or_default(),
        }
    }

    /// All allocations of a state.
    pub fn of(protocol: &Protocol, state: &State) -> Self {
        let mut history = Self::default();
        history.reload(protocol, state);
        history
    }

    /// As [`History::of`], in the storage of an earlier one.
    pub fn reload(&mut self, protocol: &Protocol, state: &State) {
        // The lists of an epoch stand after those of the epochs before it, a list per stratum of its own protocol.
        self.lists.clear();
        self.levels.clear();
        self.designs.clear();
        let last = protocol.epoch();
        let factors = |epoch| protocol.in_epoch(epoch).allocation.factors.len();
        self.factors = (0..=last).map(factors).max().unwrap_or(0);
        let (mut first, mut epoch) = (0, 0);
        for allocated in &state.allocations {
            while epoch < allocated.epoch.min(last) {
                first += protocol.in_epoch(epoch).strata() as u32;
                epoch += 1;
            }
            let own = protocol.in_epoch(epoch);
            let list = first + allocated.stratum;
            self.lists.push(list);
            if self.factors > 0 {
                self.add(&own.cell_levels(allocated.cell));
            }
            let needed = self.designs.len().max(list as usize + 1);
            self.designs
                .resize_with(needed, || Arc::clone(&own.allocation.design));
        }
    }

    /// Number of families.
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Whether nobody was randomized.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    fn design(&self, list: u32) -> &dyn Design {
        &*self.designs[list as usize]
    }

    /// Draws the arms of all families again, numbers taken one after another.
    pub fn redraw(
        &self,
        redrawer: &mut Redrawer,
        randomness: &mut dyn Randomness,
        arms: &mut Vec<Arm>,
    ) {
        arms.clear();
        redrawer.begun.clear();
        redrawer.begun.resize(self.designs.len(), false);
        if redrawer.sequences.len() < self.designs.len() {
            redrawer.sequences.resize_with(self.designs.len(), || None);
        }
        for (family, &list) in self.lists.iter().enumerate() {
            let place = list as usize;
            let design = self.design(list);
            let slot = &mut redrawer.sequences[place];
            let begun = std::mem::replace(&mut redrawer.begun[place], true);
            let sequence = match slot {
                Some(sequence) => {
                    if !begun {
                        design.restart(&mut **sequence, randomness);
                    }
                    sequence
                }
                none => none.insert(design.begin(randomness)),
            };
            arms.push(allocate(
                design,
                &mut **sequence,
                &self.unit(family),
                0,
                randomness,
            ));
        }
    }

    /// The first allocation that the design could not have made, if there is one: its place from 0. A list whose
    /// hidden states become too many is not followed further.
    pub fn impossible(&self, arms: &[Arm]) -> Option<usize> {
        let mut walks: Vec<Option<Latent>> = Vec::new();
        walks.resize_with(self.designs.len(), || None);
        for (place, (&list, arm)) in self.lists.iter().zip(arms).enumerate() {
            let design = self.design(list);
            if design.ways().is_some() {
                continue;
            }
            let walk = walks[list as usize].get_or_insert_with(|| Latent::begin(design));
            if walk.states.len() > FOLLOWED {
                continue;
            }
            *walk = walk.step(design, &self.unit(place), *arm);
            if walk.states.is_empty() {
                return Some(place);
            }
        }
        None
    }

    /// Every possible sequence of arms with its probability, or `None` when there are more than `limit`.
    pub fn enumerate(&self, limit: u64) -> Option<Enumeration> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.designs.len()];
        for (place, list) in self.lists.iter().enumerate() {
            members[*list as usize].push(place);
        }
        let mut total = 1u64;
        let mut lists = Vec::new();
        for (list, places) in members.into_iter().enumerate() {
            if places.is_empty() {
                continue;
            }
            let design = self.design(list as u32);
            let units: Vec<Unit<'_>> = places.iter().map(|place| self.unit(*place)).collect();
            if exceeds(design, &units, limit) {
                return None;
            }
            let sequences = sequences(design, &units, limit / total)?;
            total = total.checked_mul(sequences.len() as u64)?;
            lists.push((places, sequences));
        }
        (total <= limit).then_some(Enumeration {
            families: self.lists.len(),
            lists,
            total,
        })
    }
}

/// Replicate `replicate` of the test of an analysis.
pub(super) fn replicate(key: &[u8; 32], replicate: u64) -> Redraw {
    Redraw::new(key, replicate)
}

/// The key of the redraws of a registered analysis on a lock.
pub fn test_key(protocol: &Protocol, analysis: &str, lock: usize) -> [u8; 32] {
    let lock = protocol.locks.get(lock).map_or("", |lock| lock.id.as_str());
    redraw_key(&protocol.hash.0, analysis, lock)
}

/// The key of the redraws that the secondary analyses of a lock share: that of an analysis called `westfall-young/joint`,
/// which no analysis can be called.
pub fn joint_key(protocol: &Protocol, lock: usize) -> [u8; 32] {
    test_key(protocol, "westfall-young/joint", lock)
}

/// The key of the redraws of the test of balance on a lock (a lock that there is not gives that without one): that of an
/// analysis called `balance/omnibus`.
pub fn balance_key(protocol: &Protocol, lock: usize) -> [u8; 32] {
    test_key(protocol, "balance/omnibus", lock)
}

/// The key of the redraws of the test of who is unknown in an outcome: that of an analysis called `missingness/<outcome>`, so
/// that analyses of one outcome have one answer.
pub fn missingness_key(protocol: &Protocol, outcome: usize, lock: usize) -> [u8; 32] {
    let outcome = protocol.outcomes.get(outcome);
    let id = outcome.map_or("", |outcome| outcome.id.as_str());
    test_key(protocol, &format!("missingness/{id}"), lock)
}

/// The key of the imputations of an analysis: that of an analysis called `<id>/multiple-imputation`, stream = imputation.
pub fn imputation_key(protocol: &Protocol, analysis: &str, lock: usize) -> [u8; 32] {
    test_key(protocol, &format!("{analysis}/multiple-imputation"), lock)
}

/// The key of the resamples of an analysis: that of an analysis called `<id>/bootstrap`, stream = resample.
pub fn bootstrap_key(protocol: &Protocol, analysis: &str, lock: usize) -> [u8; 32] {
    test_key(protocol, &format!("{analysis}/bootstrap"), lock)
}

/// The key of a dry run's arms: purpose `dry-run`, seed text = the protocol's hash in hexadecimal digits.
pub(super) fn dry_run_key(protocol: &Protocol) -> [u8; 32] {
    replicates_key("dry-run", &protocol.hash.to_hex())
}

/// Paths (arms and random block lengths) that one sequence of arms may have before enumeration is given up untried.
const PATHS_PER_SEQUENCE: u64 = 16;
/// Most states of a list that are held while its paths are counted.
const HELD: usize = 50_000;
/// Most hidden states of a list that are followed in the search for an impossible allocation.
const FOLLOWED: usize = 4096;

/// The states that a list may be in after the arms that were seen, with their joint probability: random block lengths
/// and duplicates of arms are not seen.
#[derive(Debug, Clone, Default)]
struct Latent {
    states: BTreeMap<Box<dyn Sequence>, f64>,
}

impl Latent {
    fn begin(design: &dyn Design) -> Self {
        let mut own = Self::default();
        every_choice(|choices, chance| {
            let sequence = design.begin(choices);
            own.add(design, sequence, chance(choices).rounded());
        });
        own
    }

    fn add(&mut self, design: &dyn Design, mut sequence: Box<dyn Sequence>, probability: f64) {
        design.merge(&mut *sequence);
        *self.states.entry(sequence).or_insert(0.0) += probability;
    }

    /// The states after one more arm; none if the arm was impossible.
    fn step(&self, design: &dyn Design, unit: &Unit<'_>, arm: Arm) -> Self {
        let mut next = Self::default();
        for (sequence, probability) in &self.states {
            let weights = design.weights(&**sequence, unit);
            let weight = weights.as_slice().get(arm.index()).copied().unwrap_or(0);
            if weight == 0 {
                continue;
            }
            let reached = probability * (weight as f64 / weights.sum() as f64);
            every_choice(|choices, chance| {
                let mut later = sequence.clone();
                design.step(&mut *later, unit, arm, choices);
                next.add(design, later, reached * chance(choices).rounded());
            });
        }
        next
    }

    fn probability(&self) -> f64 {
        self.states.values().sum()
    }

    fn arms(&self, design: &dyn Design, unit: &Unit<'_>) -> usize {
        self.states.first_key_value().map_or(0, |(sequence, _)| {
            design.weights(&**sequence, unit).as_slice().len()
        })
    }
}

/// Whether a list has more than `limit` sequences, or more than [`PATHS_PER_SEQUENCE`] paths for each of these, counted over states without
/// listing them. Duplicates of an arm that are alike are one path.
fn exceeds(design: &dyn Design, units: &[Unit<'_>], limit: u64) -> bool {
    let begun = Latent::begin(design);
    let paths = limit.saturating_mul(PATHS_PER_SEQUENCE);
    let power = |each: u64| units.iter().try_fold(1u64, |all, _| all.checked_mul(each));
    if let Some(ways) = design.ways() {
        let few = power(ways).is_some_and(|all| all <= paths);
        // Every sequence of arms is possible; with hidden duplicates several ways are one.
        let arms = begun.arms(design, &Unit::default()) as u64;
        let many = power(arms).is_none_or(|all| all > limit);
        if few || many || !design.hides_duplicates() {
            return !few;
        }
    }
    let mut now: BTreeMap<Box<dyn Sequence>, u64> = begun
        .states
        .into_keys()
        .map(|sequence| (sequence, 1))
        .collect();
    for unit in units {
        let mut next: BTreeMap<Box<dyn Sequence>, u64> = BTreeMap::new();
        for (sequence, own_paths) in &now {
            let weights = design.weights(&**sequence, unit);
            for (index, weight) in weights.as_slice().iter().enumerate() {
                if *weight == 0 {
                    continue;
                }
                every_choice(|choices, _| {
                    let mut later = sequence.clone();
                    design.step(&mut *later, unit, Arm(index as u8), choices);
                    design.merge(&mut *later);
                    let own = next.entry(later).or_insert(0);
                    *own = own.saturating_add(*own_paths);
                });
            }
        }
        now = next;
        let all = now
            .values()
            .fold(0u64, |sum, paths| sum.saturating_add(*paths));
        if all > paths || now.len() > HELD {
            return true;
        }
    }
    false
}

/// The sequences of arms of one list with their probabilities, or `None` when there are more than `limit`.
fn sequences(design: &dyn Design, units: &[Unit<'_>], limit: u64) -> Option<Vec<(Vec<Arm>, f64)>> {
    let n = units.len();
    let mut now = vec![(Vec::with_capacity(n), Latent::begin(design))];
    for unit in units {
        let mut next = Vec::new();
        for (arms, latent) in now {
            for index in 0..latent.arms(design, unit) {
                let arm = Arm(index as u8);
                let later = latent.step(design, unit, arm);
                if later.states.is_empty() {
                    continue;
                }
                let mut longer: Vec<Arm> = Vec::with_capacity(n);
                longer.extend_from_slice(&arms);
                longer.push(arm);
                next.push((longer, later));
            }
            if next.len() as u64 > limit {
                return None;
            }
        }
        now = next;
    }
    Some(
        now.into_iter()
            .map(|(arms, latent)| (arms, latent.probability()))
            .collect(),
    )
}

/// A list's places in the ledger, and its sequences of arms with their probabilities.
type Listed = (Vec<usize>, Vec<(Vec<Arm>, f64)>);

/// Every possible sequence of arms; the lists are independent, so a sequence is one choice from each.
#[derive(Debug, Clone)]
pub struct Enumeration {
    families: usize,
    lists: Vec<Listed>,
    total: u64,
}

impl Enumeration {
    /// Number of sequences.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Writes the arms of a sequence by its number and returns its probability.
    pub fn sequence(&self, number: u64, arms: &mut Vec<Arm>) -> f64 {
        arms.clear();
        arms.resize(self.families, Arm(0));
        let mut rest = number;
        let mut probability = 1.0;
        for (places, sequences) in &self.lists {
            let choices = sequences.len() as u64;
            let (own, chance) = &sequences[(rest % choices) as usize];
            rest /= choices;
            probability *= chance;
            for (place, arm) in places.iter().zip(own) {
                arms[*place] = *arm;
            }
        }
        probability
    }
}
