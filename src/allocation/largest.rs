//! The expected largest imbalance on the way, from every state and every step that a list can take.
//!
//! `E[max |D|] = Σ (v − v') · P(max |D| ≥ v)` over the sizes v that occur, v' the next smaller one or 0; each
//! probability is what a chain loses that stops at v. So a list needs as many states as for the other figures, not as
//! many for every largest value so far.

use crate::numerics::Twofold;
use std::ops::{Add, Mul};

/// Most steps over all sizes before the figure is given up as not feasible.
const BUDGET: u64 = 200_000_000;
/// Most steps over all sizes that are followed with twice the digits of a double; beyond, the last digits may differ.
const TWOFOLD: u64 = 40_000_000;
/// Most steps that are kept.
const KEPT: usize = 6_000_000;

/// One unit's states and the steps to them.
#[derive(Debug, Default)]
struct Layer {
    /// |D| of each state.
    sizes: Vec<u64>,
    /// For each state before, in order, where its steps end in `steps`.
    ends: Vec<usize>,
    /// State reached and the probability of the step.
    steps: Vec<(u32, Twofold)>,
}

/// All states of a list, unit by unit.
#[derive(Debug, Default)]
pub(super) struct Paths {
    layers: Vec<Layer>,
    kept: usize,
    too_many: bool,
}

impl Paths {
    /// Begins the steps of the next unit.
    pub(super) fn open(&mut self) {
        self.layers.push(Layer::default());
    }

    /// A step from the state under way to one with a number and |D| in the new layer; a new state has the next number.
    pub(super) fn step(&mut self, to: usize, size: u64, probability: Twofold) {
        self.kept += 1;
        self.too_many |= self.kept > KEPT;
        let Some(layer) = self.layers.last_mut().filter(|_| !self.too_many) else {
            return;
        };
        if to == layer.sizes.len() {
            layer.sizes.push(size);
        }
        layer.steps.push((to as u32, probability));
    }

    /// Ends the steps of one state.
    pub(super) fn close(&mut self) {
        if let Some(layer) = self.layers.last_mut() {
            layer.ends.push(layer.steps.len());
        }
    }

    /// `E[max |D|]`, in so many units of the sizes, when the states before the first unit have these probabilities and no imbalance.
    /// It is rounded once, after the division.
    pub(super) fn expected_largest(&self, start: &[Twofold], unit: f64) -> Option<f64> {
        if self.too_many {
            return None;
        }
        let mut sizes: Vec<u64> = self
            .layers
            .iter()
            .flat_map(|layer| layer.sizes.iter().copied())
            .filter(|size| *size > 0)
            .collect();
        sizes.sort_unstable();
        sizes.dedup();
        let work = (self.kept as u64).saturating_mul(sizes.len() as u64);
        if work > BUDGET {
            return None;
        }
        if work <= TWOFOLD {
            let expected = self.expected::<Twofold>(start, &sizes);
            return Some((expected / Twofold::from(unit)).rounded());
        }
        Some(self.expected::<f64>(start, &sizes) / unit)
    }

    /// `Σ (v − v') · P(max |D| ≥ v)` over sizes in ascending order.
    fn expected<P: Probability>(&self, start: &[Twofold], sizes: &[u64]) -> P {
        let start: Vec<P> = start.iter().copied().map(P::from).collect();
        let last = sizes.last().copied().unwrap_or(0);
        let (mut expected, mut before) = (P::default(), 0);
        for size in sizes {
            let reached = self.reach(&start, *size);
            expected = expected + P::from(Twofold::from(size - before)) * reached;
            before = *size;
            // What is left is at most this, far below the last digit.
            if reached.into() * (last - size) as f64 <= 1e-17 * expected.into() {
                break;
            }
        }
        expected
    }

    /// Probability that |D| reaches a size.
    fn reach<P: Probability>(&self, start: &[P], size: u64) -> P {
        let mut reached = P::default();
        let mut now = start.to_vec();
        let mut next = Vec::new();
        for layer in &self.layers {
            next.clear();
            next.resize(layer.sizes.len(), P::default());
            let mut begin = 0;
            for (probability, end) in now.iter().zip(&layer.ends) {
                if *probability > P::default() {
                    for (to, share) in &layer.steps[begin..*end] {
                        let (to, share) = (*to as usize, P::from(*share));
                        if layer.sizes[to] < size {
                            next[to] = next[to] + *probability * share;
                        } else {
                            reached = reached + *probability * share;
                        }
                    }
                }
                begin = *end;
            }
            std::mem::swap(&mut now, &mut next);
        }
        reached
    }
}

/// What probabilities are followed with: a double, or twice its digits.
trait Probability:
    Copy + Default + PartialOrd + Add<Output = Self> + Mul<Output = Self> + From<Twofold> + Into<f64>
{
}

impl Probability for f64 {}
impl Probability for Twofold {}
