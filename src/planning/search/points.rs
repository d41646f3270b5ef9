//! What was simulated at each number, and how numbers go over into the scale on which power is a line.

use crate::numerics::normal;
use crate::planning::performance::{Figure, share};

/// What one study says to a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it rejected.
    pub rejected: bool,
    /// Whether its analysis gave no numbers; it does not reject then.
    pub failed: bool,
    /// Families that it randomized.
    pub families: u32,
}

/// What was simulated at one number.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The number.
    pub x: u64,
    /// Whether each replicate, from 0, rejected.
    pub rejected: Vec<bool>,
    /// Families randomized, over all replicates.
    pub families: u64,
    /// Replicates whose analysis gave no numbers.
    pub failures: u64,
}

impl Tried {
    /// Nothing yet.
    pub(super) fn new(x: u64) -> Self {
        Self {
            x,
            rejected: Vec::new(),
            families: 0,
            failures: 0,
        }
    }

    pub(super) fn add(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            self.rejected.push(outcome.rejected);
            self.families += u64::from(outcome.families);
            self.failures += u64::from(outcome.failed);
        }
    }

    /// Replicates.
    pub(super) fn studies(&self) -> u64 {
        self.rejected.len() as u64
    }

    pub(super) fn rejections(&self) -> u64 {
        self.rejected.iter().filter(|rejected| **rejected).count() as u64
    }

    /// Whether no study gave numbers: then there is no power, and none is shown as 0.
    pub fn all_failed(&self) -> bool {
        self.failures == self.studies()
    }

    /// Share of the studies that rejected; without a value where no study gave numbers.
    pub fn power(&self) -> Figure {
        if self.all_failed() {
            return Figure::default();
        }
        share(self.rejections(), self.studies())
    }
}

/// Means that do not fall, by pooling neighbours that do (Barlow, Bartholomew, Bremner and Brunk 1972, ISBN 0-471-04970-0,
/// chapter 1). `values` are pairs of a value and its weight, in order.
pub(super) fn rising(values: impl IntoIterator<Item = (f64, f64)>) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in values {
        let mut pool = (value, weight, 1);
        while let Some(last) = pools.pop_if(|last| last.0 > pool.0) {
            let weight = last.1 + pool.1;
            let mean = (last.0 * last.1 + pool.0 * pool.1) / weight;
            pool = (mean, weight, last.2 + pool.2);
        }
        pools.push(pool);
    }
    let each = pools.into_iter();
    each.flat_map(|(value, _, count)| std::iter::repeat_n(value, count))
        .collect()
}

/// Φ⁻¹(power) at each number, not falling; ½ is added to rejections and to the others, so that it is finite.
pub(super) fn heights(tried: &[Tried]) -> Vec<f64> {
    let shares = tried.iter().map(|own| {
        let n = own.studies() as f64;
        ((own.rejections() as f64 + 0.5) / (n + 1.0), n)
    });
    let at = |share: f64| normal::quantile(share).unwrap_or(0.0);
    rising(shares).into_iter().map(at).collect()
}

/// What Φ⁻¹(power) is a line of: its square root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Families that were randomized on average, which stop growing where no more arrive.
    Families,
    /// The number itself.
    Number,
}

impl By {
    /// Its name.
    pub fn text(self) -> &'static str {
        match self {
            Self::Families => "families",
            Self::Number => "number",
        }
    }
}

/// The numbers that were tried and what stands for each on the line, which does not fall.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Pairs (number, families or number), by number.
    knots: Vec<(f64, f64)>,
}

impl Scale {
    pub(super) fn new(tried: &[Tried], by: By) -> Self {
        let numbers = tried.iter().map(|own| own.x as f64);
        let stands: Vec<f64> = match by {
            By::Number => numbers.clone().collect(),
            By::Families => rising(tried.iter().map(|own| {
                let n = own.studies() as f64;
                (own.families as f64 / n.max(1.0), n.max(1.0))
            })),
        };
        Self {
            knots: numbers.zip(stands).collect(),
        }
    }

    /// The place of a number on the line; straight between the numbers tried, and level outside them.
    pub(super) fn root(&self, x: f64) -> f64 {
        let after = self.knots.partition_point(|(number, _)| *number < x);
        let before = after.checked_sub(1).and_then(|at| self.knots.get(at));
        let stands = match (before, self.knots.get(after)) {
            (Some((from, low)), Some((to, high))) => low + (high - low) * (x - from) / (to - from),
            (Some((_, own)), None) | (None, Some((_, own))) => *own,
            (None, None) => 0.0,
        };
        stands.max(0.0).sqrt()
    }

    /// The smallest number that has this place; the smallest number tried where it lies before all, `None` where it lies
    /// after all.
    pub(super) fn number(&self, root: f64) -> Option<f64> {
        let goal = root.max(0.0) * root.max(0.0);
        let after = self.knots.partition_point(|(_, own)| *own < goal);
        let (to, high) = *self.knots.get(after)?;
        let Some((from, low)) = after.checked_sub(1).map(|at| self.knots[at]) else {
            return Some(to);
        };
        Some(from + (to - from) * (goal - low) / (high - low))
    }
}

#[cfg(test)]
mod tests {
    use super::{By, Outcome, Scale, Tried, rising};

    /// By hand: 3 and 1, with weights 1 and 3, are pooled to 6/4; 1 and 2 stay.
    #[test]
    fn neighbours_that_fall_are_pooled() {
        let found = rising([(1.0, 1.0), (3.0, 1.0), (1.0, 3.0), (2.0, 1.0)]);
        assert_eq!(found, vec![1.0, 1.5, 1.5, 2.0]);
        // 5, 4, 3 go together whatever their order of arrival: mean 4.
        let all = rising([(5.0, 1.0), (4.0, 1.0), (3.0, 1.0)]);
        assert_eq!(all, vec![4.0; 3]);
    }

    /// By hand: 10, 20 and 40 asked for, 10, 16 and 16 reached. 13 families are reached half way from 10 to 20; 16 first at
    /// 20; 17 never.
    #[test]
    fn a_number_is_the_smallest_that_reaches_so_many() {
        let tried: Vec<Tried> = [(10, 10), (20, 16), (40, 16)]
            .iter()
            .map(|(x, families)| {
                let mut own = Tried::new(*x);
                let rejected = true;
                own.add(
                    &[Outcome {
                        rejected,
                        failed: false,
                        families: *families,
                    }; 2],
                );
                own
            })
            .collect();
        let scale = Scale::new(&tried, By::Families);
        assert_eq!(scale.number(4.0), Some(20.0));
        assert!((scale.number(13.0_f64.sqrt()).unwrap() - 15.0).abs() < 1e-12);
        assert_eq!(scale.number(17.0_f64.sqrt()), None);
        assert_eq!(scale.number(1.0), Some(10.0));
        assert!((scale.root(15.0) - 13.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!((scale.root(30.0), scale.root(99.0)), (4.0, 4.0));
        let own = Scale::new(&tried, By::Number);
        assert!((own.number(5.0).unwrap() - 25.0).abs() < 1e-12);
    }
}
