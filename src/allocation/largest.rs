//! The expected largest imbalance on the way, from every state and every step that a list can take.
//!
//! `E[max |D|] = Σ (v − v') · P(max |D| ≥ v)` over the sizes v that occur, v' the next smaller one or 0; each
//! probability is what a chain loses that stops at v. So a list needs as many states as for the other figures, not as
//! many for every largest value so far.

/// Most steps over all sizes before the figure is given up as not feasible.
const BUDGET: u64 = 2_000_000_000;
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
    steps: Vec<(u32, f64)>,
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
    pub(super) fn step(&mut self, to: usize, size: u64, probability: f64) {
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

    /// `E[max |D|]` when the states before the first unit have these probabilities and no imbalance.
    pub(super) fn expected_largest(&self, start: &[f64]) -> Option<f64> {
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
        let last = sizes.last().copied().unwrap_or(0);
        let (mut expected, mut before, mut work) = (0.0, 0, 0);
        for size in sizes {
            work += self.kept as u64;
            if work > BUDGET {
                return None;
            }
            let reached = self.reach(start, size);
            expected += (size - before) as f64 * reached;
            before = size;
            // What is left is at most this, far below the last digit.
            if reached * (last - size) as f64 <= 1e-17 * expected {
                break;
            }
        }
        Some(expected)
    }

    /// Probability that |D| reaches a size.
    fn reach(&self, start: &[f64], size: u64) -> f64 {
        let mut reached = 0.0;
        let mut now = start.to_vec();
        let mut next = Vec::new();
        for layer in &self.layers {
            next.clear();
            next.resize(layer.sizes.len(), 0.0);
            let mut begin = 0;
            for (probability, end) in now.iter().zip(&layer.ends) {
                if *probability > 0.0 {
                    for (to, share) in &layer.steps[begin..*end] {
                        let to = *to as usize;
                        if layer.sizes[to] < size {
                            next[to] += probability * share;
                        } else {
                            reached += probability * share;
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
