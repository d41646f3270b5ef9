//! Functions of a deviate that go up or down in steps, such as counts, looked up by the deviate's word.
//!
//! The steps are found by asking the function itself, so that a table gives what the function gives, whatever it is made
//! of. Guide table after Chen and Asau 1974, doi 10.1080/05695557408974949.

use super::side_by_side::{Law, SOME, Way};
use crate::numerics::stream::open_unit_of;
use crate::planning::kernel_tier::yes_no::least_word;
use crate::planning::mechanisms::family::FieldLaw;

/// Bits of a word that make its deviate.
const DEVIATE: u32 = 53;
/// Fewest and most parts of a guide, as powers of two.
const PARTS: [u32; 2] = [3, 10];
/// Of so many parts one at most has several steps, where there are parts enough.
const CROWDED: usize = 256;

/// One of the equal parts into which the words are divided.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// Least word beyond the step that the part has, none if it has no step.
    least: u64,
    /// Values below and beyond it.
    values: [f64; 2],
}

/// A step function of the upper 53 bits of a word.
#[derive(Debug)]
struct Steps {
    /// Least upper bits of the next value, by value; none reaches the last.
    next: Vec<u64>,
    values: Vec<f64>,
}

impl Steps {
    /// Of a function that never turns, from the word with these upper bits on.
    fn of(from: u64, value: impl Fn(f64) -> i64) -> Self {
        const END: u64 = 1 << DEVIATE;
        let at = |bits: u64| value(open_unit_of(bits << (64 - DEVIATE)));
        let from = from.min(END - 1);
        let last = at(END - 1);
        let (mut next, mut values) = (Vec::new(), vec![at(from) as f64]);
        let (mut low, mut own) = (from, at(from));
        while own != last {
            let (mut below, mut above) = (low, END - 1);
            while below + 1 < above {
                let middle = below.midpoint(above);
                if at(middle) == own {
                    below = middle;
                } else {
                    above = middle;
                }
            }
            next.push(above);
            (low, own) = (above, at(above));
            values.push(own as f64);
        }
        next.push(u64::MAX);
        Self { next, values }
    }

    /// Divides the words from `from` on into the least number of parts of which few have several steps.
    fn divide(&self, from: u64) -> Division {
        let words = u64::BITS - (u64::MAX - from).leading_zeros();
        let [fewest, most] = PARTS;
        let steps = &self.next[..self.next.len() - 1];
        let few = |bits: &u32| {
            let part = |least: &u64| ((least << (64 - DEVIATE)) - from) >> (words - bits);
            let parts = steps.chunk_by(|one, other| part(one) == part(other));
            parts.filter(|own| own.len() > 1).count() * CROWDED <= 1 << bits
        };
        let bits = (fewest..most).find(few).unwrap_or(most);
        Division {
            from,
            shift: words - bits,
            first: 0,
        }
    }

    /// The parts of a division.
    fn parts(&self, own: Division) -> impl Iterator<Item = Part> {
        let step = move |word: u64| {
            let bits = word >> (64 - DEVIATE);
            self.next.partition_point(|least| *least <= bits)
        };
        let last = (u64::MAX - own.from) >> own.shift;
        (0..=last).map(move |part| {
            let least = own.from + (part << own.shift);
            let most = least.saturating_add((1 << own.shift) - 1);
            let (from, to) = (step(least), step(most));
            match to - from {
                0 => Part {
                    least: u64::MAX,
                    values: [self.values[from]; 2],
                },
                1 => Part {
                    least: self.next[from] << (64 - DEVIATE),
                    values: [self.values[from], self.values[to]],
                },
                // To be searched for.
                _ => Part {
                    least: 0,
                    values: [f64::NAN; 2],
                },
            }
        })
    }

    /// The value of a word, whatever its part.
    #[cold]
    fn search(&self, word: u64) -> f64 {
        let bits = word >> (64 - DEVIATE);
        self.values[self.next.partition_point(|least| *least <= bits)]
    }
}

/// The words from one on, divided into parts of equal size.
#[derive(Debug, Clone, Copy)]
struct Division {
    from: u64,
    /// Size of a part, as a power of two.
    shift: u32,
    /// Place of the first one among the parts of all divisions.
    first: usize,
}

/// The values of a field by two words: its own, and that of the family's risk.
#[derive(Debug)]
pub(super) struct FieldSteps {
    /// By its own deviate, and by that of the risk.
    laws: [Steps; 2],
    divisions: [Division; 2],
    parts: Vec<Part>,
    /// Least own word with which it stands for itself.
    alone: u64,
    /// How the values of many are made side by side.
    way: Way,
}

impl FieldSteps {
    pub(super) fn new(law: &FieldLaw) -> Self {
        let alone = least_word(law.tie());
        let own = Steps::of(alone, |own| law.at(own, 0.5));
        // Below the tie's least word a field goes by the risk alone; where there is no such word it never does.
        let tied = if alone > 0 {
            Steps::of(0, |risk| law.at(open_unit_of(0), risk))
        } else {
            Steps::of(u64::MAX, |own| law.at(own, 0.5))
        };
        let alone = alone << (64 - DEVIATE);
        let mut divisions = [own.divide(alone), tied.divide(0)];
        let mut parts: Vec<Part> = own.parts(divisions[0]).collect();
        divisions[1].first = parts.len();
        parts.extend(tied.parts(divisions[1]));
        let way = Way::of(
            [(&own, alone), (&tied, 0)].map(|(steps, from)| Law {
                from: from >> (64 - DEVIATE),
                next: &steps.next,
                values: &steps.values,
            }),
            alone,
        );
        Self {
            way,
            laws: [own, tied],
            divisions,
            parts,
            alone,
        }
    }

    /// The value for the word of the field and that of the risk.
    #[inline]
    pub(super) fn at(&self, own: u64, risk: u64) -> f64 {
        // Without a branch, which half of the families would take.
        let tied = u64::from(own < self.alone);
        let word = own ^ ((own ^ risk) & tied.wrapping_neg());
        let division = &self.divisions[tied as usize];
        let place = (word.wrapping_sub(division.from) >> division.shift) as usize;
        let part = &self.parts[division.first + place];
        let value = part.values[usize::from(word >= part.least)];
        if value.is_nan() {
            return self.laws[tied as usize].search(word);
        }
        value
    }
}

impl FieldSteps {
    /// The values of families by their own words and those of their risks, side by side.
    pub(super) fn many(&self, own: &[u64; SOME], risk: &[u64; SOME], values: &mut [f64; SOME]) {
        self.way.take(own, risk, values);
        // A sum shows whether anything was left open.
        let mut lanes = [0.0; 8];
        for block in values.as_chunks::<8>().0 {
            for (lane, value) in lanes.iter_mut().zip(block) {
                *lane += value;
            }
        }
        if lanes.iter().sum::<f64>().is_nan() {
            for ((value, own), risk) in values.iter_mut().zip(own).zip(risk) {
                if value.is_nan() {
                    *value = self.at(*own, *risk);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldSteps, SOME};
    use crate::numerics::stream::{open_unit_of, replicate};
    use crate::planning::scenario::plan;
    use rand_chacha::rand_core::Rng;

    /// Every field of workload W2, tied upwards, downwards and not at all: at random words, and on both sides of each step; one
    /// by one and side by side.
    #[test]
    fn steps_are_those_of_the_law() {
        let scenario = include_str!("../../../simulations/workloads/w2.toml");
        let protocol = include_str!("../../../simulations/protocols/score.toml");
        let plan = plan(scenario, protocol, &[]).unwrap();
        let laws = &plan.cells[0].scenario.world.family.fields;
        let mut rng = replicate(&[4; 32], 0);
        for law in laws {
            let steps = FieldSteps::new(law);
            let mut words: Vec<[u64; 2]> = (0..20_000)
                .map(|_| [rng.next_u64(), rng.next_u64()])
                .collect();
            let (own, tied) = (&steps.laws[0].next, &steps.laws[1].next);
            for bits in own.iter().chain(tied).filter(|bits| **bits < 1 << 53) {
                for word in [(*bits << 11) - 1, *bits << 11] {
                    words.extend([[word, rng.next_u64()], [0, word], [u64::MAX, word]]);
                }
            }
            for some in words.chunks(SOME) {
                let (mut own, mut risk) = ([0; SOME], [0; SOME]);
                for (place, words) in some.iter().enumerate() {
                    [own[place], risk[place]] = *words;
                }
                let mut many = [0.0; SOME];
                steps.many(&own, &risk, &mut many);
                for ([own, risk], among) in some.iter().zip(many) {
                    let wanted = law.at(open_unit_of(*own), open_unit_of(*risk)) as f64;
                    let found = steps.at(*own, *risk);
                    assert_eq!(found.to_bits(), wanted.to_bits(), "{own} {risk}");
                    assert_eq!(among.to_bits(), wanted.to_bits(), "{own} {risk}");
                }
            }
        }
        assert_eq!(laws.len(), 6);
    }
}
