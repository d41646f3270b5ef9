//! The values of a field of many families, made side by side.
//!
//! Where the steps of a field lie at equal distances a family's value is found by arithmetic; where few steps are met by
//! nearly all, it is counted how many of them a word is beyond. A family whom neither settles is left open: its value is no
//! number, and it is looked up.

#![allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "several columns of one length are walked together"
)]

use crate::numerics::vector::{InRegisters, Wide, in_widest, widest};
use pulp::Simd;

/// Families of one go.
pub(super) const SOME: usize = 128;

/// Bits of a word that make its deviate.
const DEVIATE: u32 = 53;
/// Most steps that are counted.
const MOST: usize = 24;
/// One in so many words, at most, is left open by counting, and one in so many is not worth a step.
const OPEN: [u64; 2] = [16, 64];
/// Nearer to a step than this, in steps, arithmetic does not say on which side a word lies. What it gets wrong is below a
/// tenth of that, for as many steps to all words as [`STEPS`].
const NEAR: f64 = 1e-6;
const STEPS: f64 = 1e8;
/// How far from its place a step may lie.
const OFF: f64 = 1e-8;

/// The bits of 1.
const ONE: u64 = 0x3ff0_0000_0000_0000;
/// `3·2⁵¹`: what is added to it is rounded to a whole number.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// One of the two laws of a field, of its own deviate or of that of the risk: steps over the words from one on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Law<'s> {
    /// Least upper 53 bits of a word.
    pub(super) from: u64,
    /// Least upper bits of the next value, by value; none reaches the last.
    pub(super) next: &'s [u64],
    pub(super) values: &'s [f64],
}

impl Law<'_> {
    /// Its steps.
    fn steps(&self) -> &[u64] {
        &self.next[..self.next.len().saturating_sub(1)]
    }
}

/// By how much each value is above the one before; `None` where that differs, or is more than one.
fn rise(values: &[f64]) -> Option<f64> {
    let rise = values.get(1).map_or(1.0, |own| own - values[0]);
    let alike = |pair: &[f64]| (pair[1] - pair[0] - rise).abs() == 0.0;
    (rise.abs() <= 1.0 && values.windows(2).all(alike)).then_some(rise)
}

/// Two laws as one way to values needs them: of a field's own word, and of the risk's.
#[derive(Debug)]
pub(super) enum Way {
    Even(Even),
    Counted(Counted),
    /// Every family is looked up.
    None,
}

impl Way {
    /// The way for two laws; `alone` is the least own word with which a field goes by it.
    pub(super) fn of(laws: [Law<'_>; 2], alone: u64) -> Self {
        if let Some(even) = Even::of(laws, alone) {
            return Self::Even(even);
        }
        Counted::of(laws, alone).map_or(Self::None, Self::Counted)
    }

    /// The values of families by their own words and those of their risks; what is left open is no number.
    pub(super) fn take(&self, own: &[u64; SOME], risk: &[u64; SOME], values: &mut [f64; SOME]) {
        match self {
            Self::Even(even) => widest(Evenly {
                law: even,
                own,
                risk,
                values,
            }),
            Self::Counted(counted) if counted.alone == 0 => in_widest(Counting::<false> {
                law: counted,
                own,
                risk,
                values,
            }),
            Self::Counted(counted) => in_widest(Counting::<true> {
                law: counted,
                own,
                risk,
                values,
            }),
            Self::None => values.fill(f64::NAN),
        }
    }
}

/// Steps at equal distances: the k-th is where `scale u + shift` is k, for the deviate's fraction u of all words.
#[derive(Debug)]
pub(super) struct Even {
    alone: u64,
    scale: [f64; 2],
    shift: [f64; 2],
    first: [f64; 2],
    rise: [f64; 2],
}

impl Even {
    fn of(laws: [Law<'_>; 2], alone: u64) -> Option<Self> {
        let mut even = Self {
            alone,
            scale: [0.0; 2],
            shift: [0.0; 2],
            first: [0.0; 2],
            rise: [0.0; 2],
        };
        let all = (1_u64 << DEVIATE) as f64;
        for (place, law) in laws.iter().enumerate() {
            let (from, steps) = (law.from as f64 / all, law.steps());
            // The last value has as many words as the others.
            even.scale[place] = (steps.len() + 1) as f64 / (1.0 - from);
            if even.scale[place] > STEPS {
                return None;
            }
            even.shift[place] = -from * even.scale[place];
            even.first[place] = law.values[0];
            even.rise[place] = rise(law.values)?;
            let is_off = |(k, least): (usize, &u64)| {
                let at = *least as f64 / all * even.scale[place] + even.shift[place];
                (at - (k + 1) as f64).abs() > OFF
            };
            if steps.iter().enumerate().any(is_off) {
                return None;
            }
        }
        Some(even)
    }
}

/// The work of [`Even`].
struct Evenly<'e> {
    law: &'e Even,
    own: &'e [u64; SOME],
    risk: &'e [u64; SOME],
    values: &'e mut [f64; SOME],
}

impl Wide for Evenly<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Even {
            alone,
            scale,
            shift,
            first,
            rise,
        } = *self.law;
        for i in 0..SOME {
            let (own, risk) = (self.own[i], self.risk[i]);
            let is_tied = own < alone;
            let word = if is_tied { risk } else { own };
            let (scale, shift) = if is_tied {
                (scale[1], shift[1])
            } else {
                (scale[0], shift[0])
            };
            let (first, rise) = if is_tied {
                (first[1], rise[1])
            } else {
                (first[0], rise[0])
            };
            let u = f64::from_bits(word >> (64 - 52) | ONE) - 1.0;
            let at = u * scale + shift;
            let nearest = (at + WHOLE) - WHOLE;
            let beyond = at - nearest;
            let step = if beyond < 0.0 { nearest - 1.0 } else { nearest };
            let value = first + rise * step;
            self.values[i] = if beyond.abs() < NEAR { f64::NAN } else { value };
        }
    }
}

/// A run of steps of which it is counted how many a word is beyond.
#[derive(Debug)]
pub(super) struct Counted {
    alone: u64,
    /// Last word before each step, by law.
    before: Vec<[u64; 2]>,
    /// Least and greatest word that the run is for.
    least: [u64; 2],
    most: [u64; 2],
    first: [f64; 2],
    rise: [f64; 2],
}

impl Counted {
    fn of(laws: [Law<'_>; 2], alone: u64) -> Option<Self> {
        let mut counted = Self {
            alone,
            before: Vec::new(),
            least: [0; 2],
            most: [0; 2],
            first: [0.0; 2],
            rise: [0.0; 2],
        };
        for (place, law) in laws.iter().enumerate() {
            if place == 1 && alone == 0 {
                break;
            }
            let steps = law.steps();
            let end = 1_u64 << DEVIATE;
            let least = |step: usize| if step == 0 { law.from } else { steps[step - 1] };
            let until = |step: usize| steps.get(step).copied().unwrap_or(end);
            // The run of so many steps that leaves the fewest words open, and what may be cut off at its ends.
            let run = MOST.min(steps.len());
            let words = |first: &usize| until(first + run) - least(*first);
            let mut first = (0..=steps.len() - run).max_by_key(words)?;
            let mut last = first + run;
            let few = (end - law.from) / OPEN[1];
            while first < last && least(first + 1) - least(first) < few {
                first += 1;
            }
            while first < last && until(last) - until(last - 1) < few {
                last -= 1;
            }
            let open = (end - law.from) - (until(last) - least(first));
            if open > (end - law.from) / OPEN[0] {
                return None;
            }
            let word = |bits: u64| bits << (64 - DEVIATE);
            counted.least[place] = word(least(first));
            counted.most[place] = word(until(last) - 1) | ((1 << (64 - DEVIATE)) - 1);
            counted.first[place] = law.values[first];
            counted.rise[place] = rise(&law.values[first..=last])?;
            for (number, step) in steps[first..last].iter().enumerate() {
                if number == counted.before.len() {
                    // No word is beyond the last of them.
                    counted.before.push([u64::MAX; 2]);
                }
                counted.before[number][place] = word(*step) - 1;
            }
        }
        Some(counted)
    }
}

/// The work of [`Counted`], for a field that is tied to the risk or not.
struct Counting<'c, const TIED: bool> {
    law: &'c Counted,
    own: &'c [u64; SOME],
    risk: &'c [u64; SOME],
    values: &'c mut [f64; SOME],
}

impl<const TIED: bool> InRegisters for Counting<'_, TIED> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let law = self.law;
        let (own, _) = S::as_simd_u64s(self.own);
        let (risk, _) = S::as_simd_u64s(self.risk);
        let (values, _) = S::as_mut_simd_f64s(self.values);
        let alone = simd.splat_u64s(law.alone);
        let one = simd.splat_f64s(1.0);
        for ((own, risk), value) in own.iter().zip(risk).zip(values) {
            let tied = simd.less_than_u64s(*own, alone);
            let word = if TIED {
                simd.select_u64s(tied, *risk, *own)
            } else {
                *own
            };
            let mut count = simd.splat_f64s(0.0);
            for before in &law.before {
                let mut last = simd.splat_u64s(before[0]);
                if TIED {
                    last = simd.select_u64s(tied, simd.splat_u64s(before[1]), last);
                }
                let is_beyond = simd.greater_than_u64s(word, last);
                count = simd.select_f64s(is_beyond, simd.add_f64s(count, one), count);
            }
            let mut least = simd.splat_u64s(law.least[0]);
            let mut most = simd.splat_u64s(law.most[0]);
            let mut first = simd.splat_f64s(law.first[0]);
            let mut rise = simd.splat_f64s(law.rise[0]);
            if TIED {
                least = simd.select_u64s(tied, simd.splat_u64s(law.least[1]), least);
                most = simd.select_u64s(tied, simd.splat_u64s(law.most[1]), most);
                first = simd.select_f64s(tied, simd.splat_f64s(law.first[1]), first);
                rise = simd.select_f64s(tied, simd.splat_f64s(law.rise[1]), rise);
            }
            let found = simd.add_f64s(first, simd.mul_f64s(rise, count));
            let nan = simd.splat_f64s(f64::NAN);
            let found = simd.select_f64s(simd.less_than_u64s(word, least), nan, found);
            *value = simd.select_f64s(simd.greater_than_u64s(word, most), nan, found);
        }
    }
}
