//! Functions of a deviate that go up or down in steps, such as counts, looked up by the deviate's word.
//!
//! The steps are found by asking the function itself, so that a table gives what the function gives, whatever it is made
//! of. Guide table after Chen and Asau 1974, doi 10.1080/05695557408974949.

use crate::numerics::stream::open_unit_of;
use crate::planning::kernel_tier::yes_no::least_word;
use crate::planning::mechanisms::family::FieldLaw;

/// Parts of the guide, as a power of two.
const BITS: u32 = 10;
/// Bits of a word that make its deviate.
const DEVIATE: u32 = 53;

/// A step function of the upper 53 bits of a word.
#[derive(Debug)]
struct Steps {
    /// For each equal part of the words, the value of its first word, by place.
    guide: Box<[u32; 1 << BITS]>,
    /// Least upper bits of the next place; none reaches the last.
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
        let mut guide = Box::new([0; 1 << BITS]);
        for (part, place) in guide.iter_mut().enumerate() {
            let first = (part as u64) << (DEVIATE - BITS);
            *place = next.partition_point(|least| *least <= first) as u32;
        }
        Self {
            guide,
            next,
            values,
        }
    }

    fn at(&self, word: u64) -> f64 {
        let bits = word >> (64 - DEVIATE);
        let mut place = self.guide[(word >> (64 - BITS)) as usize] as usize;
        // Most parts hold one step at most, which is taken without a guess.
        place += usize::from(bits >= self.next[place]);
        while bits >= self.next[place] {
            place += 1;
        }
        self.values[place]
    }
}

/// The values of a field by two words: its own, and that of the family's risk.
#[derive(Debug)]
pub(super) struct FieldSteps {
    /// By its own deviate, and by that of the risk.
    laws: [Steps; 2],
    /// Least upper bits of the own word with which it stands for itself.
    alone: u64,
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
        Self {
            laws: [own, tied],
            alone,
        }
    }

    pub(super) fn at(&self, own: u64, risk: u64) -> f64 {
        let tied = own >> (64 - DEVIATE) < self.alone;
        let word = if tied { risk } else { own };
        self.laws[usize::from(tied)].at(word)
    }
}

#[cfg(test)]
mod tests {
    use super::FieldSteps;
    use crate::numerics::stream::{open_unit_of, replicate};
    use crate::planning::scenario::plan;
    use rand_chacha::rand_core::Rng;

    /// Every field of workload W2, tied upwards, downwards and not at all: at random words, and on both sides of each step.
    #[test]
    fn steps_are_those_of_the_law() {
        let scenario = include_str!("../../../simulations/workloads/w2.toml");
        let protocol = include_str!("../../../simulations/protocols/score.toml");
        let plan = plan(scenario, protocol, &[]).unwrap();
        let laws = &plan.cells[0].scenario.world.family.fields;
        let mut rng = replicate(&[4; 32], 0);
        for law in laws {
            let steps = FieldSteps::new(law);
            let same = |own: u64, risk: u64| {
                let wanted = law.at(open_unit_of(own), open_unit_of(risk)) as f64;
                let found = steps.at(own, risk);
                assert_eq!(found.to_bits(), wanted.to_bits(), "{own} {risk}");
            };
            for _ in 0..20_000 {
                same(rng.next_u64(), rng.next_u64());
            }
            let (own, tied) = (&steps.laws[0].next, &steps.laws[1].next);
            for bits in own.iter().chain(tied).filter(|bits| **bits < 1 << 53) {
                for word in [(*bits << 11) - 1, *bits << 11] {
                    same(word, rng.next_u64());
                    same(0, word);
                    same(u64::MAX, word);
                }
            }
        }
        assert_eq!(laws.len(), 6);
    }
}
