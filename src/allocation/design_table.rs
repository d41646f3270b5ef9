//! A design of two arms as a table of its states: the same weights and hidden draws, looked up instead of asked for.
//!
//! The table is made by asking the design itself, once, for every state that it can be in; no method is written down a
//! second time. It serves simulated studies and redraws that draw many millions of arms.

use super::method::{Design, Sequence, Unit};
use super::streams::{Purpose, Randomness};
use super::weights::Arm;
use std::collections::BTreeMap;

/// Most states of a table; a design with more is asked itself.
const MOST_STATES: usize = 1024;
/// Most answers of a hidden draw, such as the lengths of a block.
const MOST_ANSWERS: u64 = 64;

/// Where a sequence goes: to the one state, or to one of several by a hidden draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    /// Answers of the hidden draw.
    answers: u32,
    /// Whether there is a hidden draw: it takes a number also where it has one answer.
    drawn: bool,
    /// Place of the first state among the targets.
    first: u32,
}

/// One state: how the next arm is drawn, and where each arm leads.
#[derive(Debug, Clone, Copy)]
struct State {
    /// Sum of the weights in lowest terms.
    sum: u64,
    /// Weight of the first arm.
    weight: u64,
    /// `2^64 mod sum`: a word whose low product is below it is drawn again.
    tail: u64,
    next: [Step; 2],
}

/// A design of two arms, whose units are all alike.
#[derive(Debug, Clone)]
pub struct DesignTable {
    begin: Step,
    states: Vec<State>,
    targets: Vec<u16>,
}

/// Answers a hidden draw as it is told, and keeps what was asked.
#[derive(Debug, Default)]
struct Told {
    answer: u64,
    answers: u64,
    asked: u32,
}

impl Randomness for Told {
    fn below(&mut self, _: Purpose, _: u64, n: u64) -> u64 {
        self.answers = n;
        self.asked += 1;
        self.answer.min(n.saturating_sub(1))
    }

    fn below_wide(&mut self, _: Purpose, _: u64, n: &[u64]) -> Vec<u64> {
        self.asked += 2; // more than a table can hold
        vec![0; n.len()]
    }
}

/// Collects the states as they are met.
#[derive(Default)]
struct Met {
    places: BTreeMap<Box<dyn Sequence>, u16>,
    /// States that have not been asked yet, in the order of their places.
    open: Vec<Box<dyn Sequence>>,
    targets: Vec<u16>,
}

impl Met {
    fn place(&mut self, design: &dyn Design, mut sequence: Box<dyn Sequence>) -> Option<u16> {
        design.forget_address(&mut *sequence);
        if let Some(place) = self.places.get(&sequence) {
            return Some(*place);
        }
        let place = self.places.len();
        if place >= MOST_STATES {
            return None;
        }
        self.places.insert(sequence.clone(), place as u16);
        self.open.push(sequence);
        Some(place as u16)
    }

    /// Every state that `make` can lead to.
    fn step(
        &mut self,
        design: &dyn Design,
        mut make: impl FnMut(&mut Told) -> Box<dyn Sequence>,
    ) -> Option<Step> {
        let mut told = Told::default();
        let mut reached = vec![make(&mut told)];
        let answers = if told.asked == 0 { 1 } else { told.answers };
        if told.asked > 1 || answers > MOST_ANSWERS {
            return None;
        }
        for answer in 1..answers {
            reached.push(make(&mut Told {
                answer,
                ..Told::default()
            }));
        }
        let drawn = told.asked > 0;
        let mut places = Vec::with_capacity(reached.len());
        for sequence in reached {
            places.push(self.place(design, sequence)?);
        }
        let first = self.targets.len() as u32;
        self.targets.extend(&places);
        Some(Step {
            answers: places.len() as u32,
            drawn,
            first,
        })
    }
}

impl DesignTable {
    /// The table of a design whose weights do not depend on the unit; `None` for other than two arms, too many states, or
    /// a step that hides more than one draw.
    pub fn of(design: &dyn Design) -> Option<Self> {
        let unit = Unit::default();
        let mut met = Met::default();
        let begin = met.step(design, |told| design.begin(told))?;
        let mut states = Vec::new();
        while let Some(sequence) = met.open.get(states.len()).cloned() {
            if design.wide(&*sequence, &unit).is_some() {
                return None;
            }
            let weights = design.weights(&*sequence, &unit).reduced();
            let [first, second] = *weights.as_slice() else {
                return None;
            };
            let sum = weights.sum();
            let nowhere = Step {
                answers: 1,
                drawn: false,
                first: 0,
            };
            let mut next = [nowhere; 2];
            for (arm, weight) in [first, second].into_iter().enumerate() {
                if weight > 0 {
                    next[arm] = met.step(design, |told| {
                        let mut later = sequence.clone();
                        design.step(&mut *later, &unit, Arm(arm as u8), told);
                        later
                    })?;
                }
            }
            // An arm that never comes leads where the other one does, so that it asks for no other words.
            if first == 0 || second == 0 {
                next = [next[usize::from(first == 0)]; 2];
            }
            states.push(State {
                sum,
                weight: first,
                tail: sum.wrapping_neg() % sum,
                next,
            });
        }
        Some(Self {
            begin,
            states,
            targets: met.targets,
        })
    }

    /// Whether in every state one arm hides as many draws with as many answers as the other, so that how many words a unit takes
    /// does not depend on its arm.
    pub fn is_even(&self) -> bool {
        let even = |[first, second]: [Step; 2]| {
            first.drawn == second.drawn && first.answers == second.answers
        };
        self.states.iter().all(|own| even(own.next))
    }

    /// The state of a list before its first unit; `word` gives the next number of the stream.
    pub fn begin(&self, word: impl FnMut() -> u64) -> u16 {
        self.follow(self.begin, word)
    }

    /// The weights of the arms in a state, in lowest terms.
    #[inline]
    pub fn weights(&self, state: u16) -> [u64; 2] {
        let own = self.states[usize::from(state)];
        [own.weight, own.sum - own.weight]
    }

    /// Draws the next arm of a list in `state`, as [`super::allocate`] does, and moves the state past it.
    pub fn draw(&self, state: &mut u16, mut word: impl FnMut() -> u64) -> Arm {
        let own = self.states[usize::from(*state)];
        let arm = usize::from(below(own.sum, own.tail, &mut word) >= own.weight);
        *state = self.follow(own.next[arm], word);
        Arm(arm as u8)
    }

    /// As [`DesignTable::draw`], with the next two words of the stream at hand: the arm, the state after it, and how many words
    /// it took. `None` where a word may have to be drawn again, once in 2⁶⁰ times and less. What a hidden draw takes is no
    /// question to guess at; `EVEN` of a table that [is even](DesignTable::is_even), it is known before the arm.
    #[inline]
    pub fn draw_ahead<const EVEN: bool>(
        &self,
        state: u16,
        [word, hidden]: [u64; 2],
    ) -> Option<(Arm, u16, usize)> {
        let own = &self.states[usize::from(state)];
        let product = u128::from(word) * u128::from(own.sum);
        let arm = u64::from((product >> 64) as u64 >= own.weight);
        let chosen = |first: u64, second: u64| first ^ ((first ^ second) & arm.wrapping_neg());
        // Both steps are taken, so that none waits for the arm, and the arm chooses without a branch.
        let [first, second] = own.next;
        let answer = |step: Step| {
            let answers = u64::from(step.answers);
            let answer = u128::from(hidden) * u128::from(answers);
            ((answer >> 64) as u64, answer as u64, answers)
        };
        let places = [first, second].map(|step| u64::from(step.first));
        let (place, low, answers, drawn) = if EVEN {
            // One answer serves both.
            let (answer, low, answers) = answer(first);
            let place = chosen(places[0], places[1]) + answer;
            (place, low, answers, first.drawn)
        } else {
            let [own, other] = [answer(first), answer(second)];
            (
                chosen(places[0] + own.0, places[1] + other.0),
                chosen(own.1, other.1),
                chosen(own.2, other.2),
                chosen(u64::from(first.drawn), u64::from(second.drawn)) > 0,
            )
        };
        let again = answers > 1 && low < answers;
        if again || (product as u64) < own.tail {
            return None;
        }
        Some((
            Arm(arm as u8),
            self.targets[place as usize],
            1 + usize::from(drawn),
        ))
    }

    fn follow(&self, step: Step, mut word: impl FnMut() -> u64) -> u16 {
        let place = if step.drawn {
            let answers = u64::from(step.answers);
            below(answers, answers.wrapping_neg() % answers, &mut word)
        } else {
            0
        };
        self.targets[step.first as usize + place as usize]
    }
}

/// A design that hides nothing and begins anew after every so many units, whatever the arms: the k-th unit of all is
/// drawn by the k-th word, and each block can be drawn for itself.
#[derive(Debug, Clone)]
pub struct Cycle {
    len: usize,
    first: u8,
    states: [Cut; MOST_CUTS],
    /// Words that some state draws again.
    again: Vec<u64>,
}

/// Largest sum of weights for which the words that are drawn again are listed.
const LONGEST_SUM: u64 = 4096;
/// Most states of a [`Cycle`], a power of two.
pub const MOST_CUTS: usize = 64;

/// A state of a [`Cycle`]: its arm by one comparison.
#[derive(Debug, Clone, Copy, Default)]
struct Cut {
    /// Least word of the second arm, where either is possible.
    least: u64,
    next: [u8; 2],
    /// 0 where the first arm is certain.
    flip: u8,
}

impl DesignTable {
    /// The design as a [`Cycle`], if it is one of at most 64 states.
    pub fn cycle(&self) -> Option<Cycle> {
        let steps = self.states.iter().flat_map(|own| own.next);
        let plain = steps.chain([self.begin]).all(|step| !step.drawn);
        if !plain || self.states.len() > MOST_CUTS {
            return None;
        }
        let target = |step: Step| self.targets[step.first as usize] as u8;
        let first = target(self.begin);
        let mut states = [Cut::default(); MOST_CUTS];
        let mut again = Vec::new();
        for (cut, own) in states.iter_mut().zip(&self.states) {
            let least = |part: u64| (u128::from(part) << 64).div_ceil(u128::from(own.sum)) as u64;
            let certain = own.weight == 0 || own.weight == own.sum;
            *cut = Cut {
                least: if certain { 0 } else { least(own.weight) },
                next: own.next.map(target),
                flip: u8::from(own.weight < own.sum),
            };
            // The first word of each of the sum's parts is the only one of it whose product can be too low.
            if own.tail > 0 && own.sum > LONGEST_SUM {
                return None;
            }
            let parts = 0..if own.tail > 0 { own.sum } else { 0 };
            again.extend(
                parts
                    .map(least)
                    .filter(|word| word.wrapping_mul(own.sum) < own.tail),
            );
        }
        again.sort_unstable();
        again.dedup();
        let mut reached = vec![first];
        for len in 1..=MOST_CUTS {
            let mut later = Vec::new();
            for place in reached {
                let own = self.states[usize::from(place)];
                let weights = [own.weight, own.sum - own.weight];
                for (step, weight) in own.next.into_iter().zip(weights) {
                    if weight > 0 && !later.contains(&target(step)) {
                        later.push(target(step));
                    }
                }
            }
            if later == [first] {
                return Some(Cycle {
                    len,
                    first,
                    states,
                    again,
                });
            }
            reached = later;
        }
        None
    }
}

impl Cycle {
    /// Units of a block.
    pub fn block(&self) -> usize {
        self.len
    }

    /// The state at the beginning of a block.
    pub fn first(&self) -> u8 {
        self.first
    }

    /// The place of the arm that a word draws; the state moves past it. It is the design's where [`Cycle::is_plain`].
    pub fn draw(&self, state: &mut u8, word: u64) -> u8 {
        let own = &self.states[usize::from(*state) % MOST_CUTS];
        let arm = u8::from(word < own.least) ^ own.flip;
        *state = own.next[usize::from(arm & 1)];
        arm
    }

    /// How many more units have the first arm than the second in each state, if that is the same however a state was reached,
    /// and none at the beginning of a block.
    pub fn excess(&self) -> Option<[i32; MOST_CUTS]> {
        let mut known = [None; MOST_CUTS];
        known[usize::from(self.first)] = Some(0);
        let mut open = vec![self.first];
        while let Some(state) = open.pop() {
            let own = self.states[usize::from(state) % MOST_CUTS];
            let excess = known[usize::from(state)].unwrap_or(0);
            let arms = if own.least == 0 {
                own.flip..=own.flip
            } else {
                0..=1
            };
            for arm in arms {
                let (next, later) = (own.next[usize::from(arm)], excess + 1 - 2 * i32::from(arm));
                let slot = &mut known[usize::from(next)];
                match slot {
                    Some(found) if *found != later => return None,
                    Some(_) => {}
                    None => {
                        *slot = Some(later);
                        open.push(next);
                    }
                }
            }
        }
        Some(known.map(|own| own.unwrap_or(0)))
    }

    /// The state of a block, for a table by states of at most [`MOST_CUTS`].
    pub fn place(state: u8) -> usize {
        usize::from(state) % MOST_CUTS
    }

    /// Whether none of the words is one that some state would draw again.
    pub fn is_plain(&self, words: &[u64]) -> bool {
        // Counted to the end: no branch by word.
        let among = |own: &u64| words.iter().map(|word| u32::from(word == own)).sum::<u32>() > 0;
        !self.again.iter().any(among)
    }
}

/// `below/1` of `numerics::stream` on words that are already drawn.
fn below(n: u64, tail: u64, word: &mut impl FnMut() -> u64) -> u64 {
    loop {
        let m = u128::from(word()) * u128::from(n);
        if m as u64 >= tail {
            return (m >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cycle, DesignTable};
    use crate::allocation::{Options, Redraw, Unit, allocate, choose, read_ratio};
    use crate::numerics::stream;
    use rand_chacha::rand_core::Rng;

    /// Two lists that take turns, a thousand units: the table draws what the design draws, from the same numbers.
    fn follows(method: &str, ratio: &str, options: &[(&str, &str)]) {
        let ratio = read_ratio(ratio).unwrap();
        let design = choose(method, &ratio, &Options::of(options), None).unwrap();
        let table = DesignTable::of(&*design).unwrap();
        let (key, unit) = ([7; 32], Unit::default());
        for replicate in 0..3 {
            let mut numbers = Redraw::new(&key, replicate);
            let mut same = stream::replicate(&key, replicate);
            let mut word = || same.next_u64();
            let mut lists = [design.begin(&mut numbers), design.begin(&mut numbers)];
            let mut states = [table.begin(&mut word), table.begin(&mut word)];
            for step in 0..1000_usize {
                let list = step * step % 3 % 2;
                let arm = allocate(&*design, &mut *lists[list], &unit, 0, &mut numbers);
                assert_eq!(
                    table.draw(&mut states[list], &mut word),
                    arm,
                    "{method} {step}"
                );
            }
        }
    }

    #[test]
    fn a_table_draws_what_its_design_draws() {
        follows("permuted-block", "1:1", &[("block_len", "4")]);
        follows("permuted-block", "1:1", &[("block_lens", "2,4,6")]);
        follows("permuted-block", "2:1", &[("block_lens", "3,6")]);
        follows("big-stick", "1:1", &[("max_imbalance", "3")]);
        follows("simple", "3:1", &[]);
        // Duplicates are hidden draws, also where one of them is certain.
        follows("big-stick", "2:1", &[("max_imbalance", "3")]);
        follows("biased-coin", "1:2", &[("bias", "1")]);
        follows("truncated-binomial", "3:1", &[("list_len", "16")]);
    }

    /// Blocks drawn one by one, each from its own words.
    #[test]
    fn a_cycle_draws_what_its_design_draws() {
        for (ratio, length) in [("1:1", 4), ("1:1", 6), ("2:1", 3), ("1:1", 2)] {
            let ratio = read_ratio(ratio).unwrap();
            let options = Options::of(&[("block_len", &length.to_string())]);
            let design = choose("permuted-block", &ratio, &options, None).unwrap();
            let cycle = DesignTable::of(&*design).unwrap().cycle().unwrap();
            assert_eq!(cycle.block(), length);
            // Equal arms are even at the beginning of a block, and one apart after one unit; with 2:1 a block is not even.
            let excess = cycle.excess().map(|own| own[Cycle::place(cycle.first())]);
            assert_eq!(excess, (ratio.is_equal()).then_some(0));
            let (key, unit) = ([9; 32], Unit::default());
            let mut numbers = Redraw::new(&key, 0);
            let mut words = stream::replicate(&key, 0);
            let mut list = design.begin(&mut numbers);
            for _ in 0..500 {
                let mut state = cycle.first();
                for _ in 0..length {
                    let arm = allocate(&*design, &mut *list, &unit, 0, &mut numbers);
                    let word = words.next_u64();
                    assert!(cycle.is_plain(&[word]));
                    assert_eq!(cycle.draw(&mut state, word), arm.0);
                }
            }
        }
        // With weights 1:2 the word 0 is drawn again, for 2^64 mod 3 is 1.
        let ratio = read_ratio("1:2").unwrap();
        let options = Options::of(&[("block_len", "3")]);
        let design = choose("permuted-block", &ratio, &options, None).unwrap();
        let cycle = DesignTable::of(&*design).unwrap().cycle().unwrap();
        assert!(cycle.is_plain(&[1, 2, u64::MAX]));
        assert!(!cycle.is_plain(&[1, 0, 2]));
    }

    #[test]
    fn what_hides_lengths_or_never_ends_is_no_cycle() {
        for (method, options) in [
            ("permuted-block", [("block_lens", "2,4")]),
            ("big-stick", [("max_imbalance", "3")]),
        ] {
            let ratio = read_ratio("1:1").unwrap();
            let design = choose(method, &ratio, &Options::of(&options), None).unwrap();
            assert!(DesignTable::of(&*design).unwrap().cycle().is_none());
        }
    }

    #[test]
    fn a_table_has_two_arms_and_few_states() {
        for (method, ratio, options) in [
            ("permuted-block", "1:1:1", vec![("block_len", "6")]),
            ("permuted-block", "1:1", vec![("block_len", "1000")]),
            // A duplicate has one of hundreds of weights.
            ("maximal", "2:1", vec![("list_len", "12")]),
        ] {
            let ratio = read_ratio(ratio).unwrap();
            let design = choose(method, &ratio, &Options::of(&options), None).unwrap();
            assert!(DesignTable::of(&*design).is_none(), "{method} {options:?}");
        }
    }
}
