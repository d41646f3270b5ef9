//! Ranks of two samples: midranks after a shift, the conditional distribution of the rank sum, differences by order.
//!
//! Samples are sorted. A shift δ is taken from the treated values; two values tie when their floating-point difference
//! is δ, so that counts of differences and ranks agree to the last bit. The conditional distribution is that of the
//! observed midranks over all ways to choose the treated rows, by the shift algorithm of Streitberg and Röhmel (1986,
//! Statistical Software Newsletter 12:10; 1987, Computational Statistics Quarterly 3:185). Nothing here knows columns.

use crate::numerics::normal;
use std::collections::BTreeMap;

/// Most additions that one exact distribution may take: about 100 rows in equal arms.
const WORK: f64 = 5e7;

/// Rows that tie with one another: so many treated, so many control. In rising order.
type Group = (usize, usize);

/// Two sorted samples.
#[derive(Debug, Clone)]
pub(super) struct Samples {
    /// Treated values, sorted.
    pub(super) x: Vec<f64>,
    /// Control values, sorted.
    pub(super) y: Vec<f64>,
}

/// How likely are rank sums as extreme as the observed one?
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tails {
    /// Probability of a rank sum of the treated rows that is at most the observed one.
    pub(super) lower: f64,
    /// Probability of one that is at least the observed one.
    pub(super) upper: f64,
    /// The rank sum minus its mean over its standard deviation; `None` when all rows tie.
    pub(super) z: Option<f64>,
}

impl Tails {
    /// min(1, 2 · smaller tail).
    pub(super) fn two_sided(&self) -> f64 {
        (2.0 * self.lower.min(self.upper)).min(1.0)
    }
}

impl Samples {
    /// Sorts the samples.
    pub(super) fn new(mut x: Vec<f64>, mut y: Vec<f64>) -> Self {
        x.sort_by(f64::total_cmp);
        y.sort_by(f64::total_cmp);
        Self { x, y }
    }

    /// Number of pairs of a treated and a control row.
    pub(super) fn pairs(&self) -> u64 {
        self.x.len() as u64 * self.y.len() as u64
    }

    /// Groups of tied rows after the treated values are lowered by `shift`.
    pub(super) fn groups(&self, shift: f64) -> Vec<Group> {
        let run = |values: &[f64]| {
            let first = values.first().copied().unwrap_or(0.0);
            values.iter().take_while(|v| **v <= first).count()
        };
        let (mut x, mut y) = (self.x.as_slice(), self.y.as_slice());
        let mut groups = Vec::new();
        loop {
            let (a, b) = match (x.first(), y.first()) {
                (None, None) => return groups,
                (Some(_), None) => (run(x), 0),
                (None, Some(_)) => (0, run(y)),
                (Some(own), Some(other)) => {
                    let difference = own - other;
                    if difference < shift {
                        (run(x), 0)
                    } else if difference > shift {
                        (0, run(y))
                    } else {
                        (run(x), run(y))
                    }
                }
            };
            groups.push((a, b));
            (x, y) = (&x[a..], &y[b..]);
        }
    }

    /// Number of differences `x − y` that are at most `limit`.
    fn at_most(&self, limit: f64) -> u64 {
        let mut count = 0;
        let mut first = 0;
        // The larger x is, the more control values it takes to come down to the limit.
        for x in &self.x {
            while first < self.y.len() && x - self.y[first] > limit {
                first += 1;
            }
            count += (self.y.len() - first) as u64;
        }
        count
    }

    /// The `k`-th smallest difference `x − y`, counted from 1; O(rows) memory whatever the number of pairs.
    fn difference(&self, k: u64) -> f64 {
        from_key(first_key(|key| self.at_most(from_key(key)) >= k))
    }

    /// The Hodges–Lehmann estimate of the shift: the median of all differences `x − y`.
    pub(super) fn hodges_lehmann(&self) -> f64 {
        let pairs = self.pairs();
        let upper = self.difference(pairs / 2 + 1);
        if pairs % 2 == 1 {
            upper
        } else {
            let lower = self.difference(pairs / 2);
            lower + 0.5 * (upper - lower)
        }
    }

    /// The largest difference below `limit` and the smallest above it.
    pub(super) fn neighbours(&self, limit: f64) -> (Option<f64>, Option<f64>) {
        let key = to_key(limit);
        let below = self.at_most(from_key(key - 1));
        let up_to = self.at_most(limit);
        (
            (below > 0).then(|| self.difference(below)),
            (up_to < self.pairs()).then(|| self.difference(up_to + 1)),
        )
    }

    /// Whether a number is one of the differences.
    pub(super) fn is_difference(&self, value: f64) -> bool {
        self.at_most(value) > self.at_most(from_key(to_key(value) - 1))
    }

    /// All distinct differences, sorted, if there are at most `most` pairs of distinct values.
    pub(super) fn distinct_differences(&self, most: usize) -> Option<Vec<f64>> {
        let distinct = |values: &[f64]| {
            let mut values = values.to_vec();
            values.dedup();
            values
        };
        let (x, y) = (distinct(&self.x), distinct(&self.y));
        if x.len().checked_mul(y.len())? > most {
            return None;
        }
        let mut all: Vec<f64> = x
            .iter()
            .flat_map(|x| y.iter().map(move |y| x - y))
            .collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        Some(all)
    }
}

/// A double as an integer of the same order.
pub(super) fn to_key(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The double of an integer, see [`to_key`].
pub(super) fn from_key(key: i64) -> f64 {
    f64::from_bits((key ^ (((key >> 63) as u64) >> 1) as i64) as u64)
}

/// The smallest key of a finite double on which a rising predicate holds; the largest one if there is none.
pub(super) fn first_key(mut holds: impl FnMut(i64) -> bool) -> i64 {
    let (mut low, mut high) = (to_key(-f64::MAX), to_key(f64::MAX));
    while low < high {
        // Rounded down also where keys are negative; their distance may be beyond i64.
        let middle = low.wrapping_add((high.wrapping_sub(low) as u64 / 2) as i64);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    high
}

/// The rank test of a set of groups, exact or normal, with the distributions that it has computed.
#[derive(Debug, Clone, Default)]
pub(super) struct RankTest {
    /// Whether tails are exact.
    pub(super) exact: bool,
    /// Probabilities of the reduced rank sums, by the sizes of the groups and the number of rows that are chosen.
    known: BTreeMap<Vec<u32>, Vec<f64>>,
}

/// Midranks times two, reduced to small integers: from 0, in lowest terms.
struct Scores {
    /// Reduced score of each group.
    group: Vec<u64>,
    /// Whether the chosen rows are the treated ones; else the control ones.
    treated: bool,
    /// Rows chosen.
    chosen: usize,
    /// Largest possible sum.
    largest: u64,
    /// Observed sum.
    observed: u64,
}

impl Scores {
    fn new(groups: &[Group]) -> Self {
        let total = |of: fn(&Group) -> usize| groups.iter().map(of).sum::<usize>();
        let (treated, control) = (total(|g| g.0), total(|g| g.1));
        let smaller = treated <= control;
        let mut before = 0u64;
        let mut group: Vec<u64> = Vec::with_capacity(groups.len());
        for (a, b) in groups {
            let size = (a + b) as u64;
            group.push(2 * before + size + 1);
            before += size;
        }
        let least = group.first().copied().unwrap_or(0);
        let mut divisor = 0;
        for score in &mut group {
            *score -= least;
            divisor = greatest_common_divisor(divisor, *score);
        }
        for score in &mut group {
            *score /= divisor.max(1);
        }
        let chosen = treated.min(control);
        let mut left = chosen;
        let mut largest = 0;
        for (score, (a, b)) in group.iter().zip(groups).rev() {
            let own = left.min(a + b);
            largest += score * own as u64;
            left -= own;
        }
        let own = |g: &Group| if smaller { g.0 } else { g.1 };
        let observed = group
            .iter()
            .zip(groups)
            .map(|(score, g)| score * own(g) as u64)
            .sum();
        Self {
            group,
            treated: smaller,
            chosen,
            largest,
            observed,
        }
    }

    /// Number of ways to choose rows for each sum, by adding one row after another.
    fn ways(&self, groups: &[Group]) -> Vec<f64> {
        let width = self.largest as usize + 1;
        let mut ways = vec![0.0f64; width * (self.chosen + 1)];
        if let Some(none) = ways.first_mut() {
            *none = 1.0;
        }
        let (mut rows, mut reach) = (0, 0);
        for (score, (a, b)) in self.group.iter().zip(groups) {
            let score = *score as usize;
            for _ in 0..a + b {
                rows += 1;
                reach = (reach + score).min(width - 1);
                for chosen in (1..=self.chosen.min(rows)).rev() {
                    let (fewer, own) = ways.split_at_mut(chosen * width);
                    let fewer = &fewer[(chosen - 1) * width..];
                    // Scores rise, so no sum of rows so far is beyond `reach`.
                    if score <= reach {
                        for (own, fewer) in own[score..=reach].iter_mut().zip(fewer) {
                            *own += fewer;
                        }
                    }
                }
            }
        }
        ways.split_off(self.chosen * width)
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

impl RankTest {
    /// Exact where the observed ranks allow it.
    pub(super) fn new(samples: &Samples) -> Self {
        Self {
            exact: untied(samples) <= WORK,
            known: BTreeMap::new(),
        }
    }

    /// Tails of the treated rows' rank sum.
    pub(super) fn tails(&mut self, groups: &[Group]) -> Tails {
        let z = standardized(groups);
        if !self.exact {
            let (lower, upper) = z.map_or((1.0, 1.0), |z| (normal::cdf(z), normal::sf(z)));
            return Tails { lower, upper, z };
        }
        let scores = Scores::new(groups);
        let sizes: Vec<u32> = groups.iter().map(|g| (g.0 + g.1) as u32).collect();
        let ways = self
            .known
            .entry(sizes)
            .or_insert_with(|| scores.ways(groups));
        let observed = scores.observed as usize;
        let below: f64 = ways[..observed].iter().sum();
        let own = ways[observed];
        let above: f64 = ways[observed + 1..].iter().sum();
        let all = below + own + above;
        let (lower, upper) = ((below + own) / all, (above + own) / all);
        let (lower, upper) = if scores.treated {
            (lower, upper)
        } else {
            (upper, lower)
        };
        Tails { lower, upper, z }
    }

    /// Additions that one evaluation takes at most, whatever the shift.
    pub(super) fn work(&self, samples: &Samples) -> f64 {
        if self.exact {
            untied(samples)
        } else {
            (samples.x.len() + samples.y.len()) as f64
        }
    }
}

/// Additions of the shift algorithm with midranks in halves, which another shift may bring about.
fn untied(samples: &Samples) -> f64 {
    let rows = (samples.x.len() + samples.y.len()) as f64;
    let chosen = samples.x.len().min(samples.y.len()) as f64;
    2.0 * rows * chosen * (chosen * (rows - chosen) + 1.0)
}

/// `(W − m(N+1)/2)/√V` with `V = mn/12·(N + 1 − Σ(t³ − t)/(N(N − 1)))`: no continuity correction.
fn standardized(groups: &[Group]) -> Option<f64> {
    let (mut m, mut n, mut doubled, mut ties) = (0usize, 0usize, 0.0, 0.0);
    for (a, b) in groups {
        let (size, before) = ((a + b) as f64, (m + n) as f64);
        // Midranks around the mean rank need the number of rows, so the sum is centred below.
        doubled += *a as f64 * (2.0 * before + size + 1.0);
        ties += size * size * size - size;
        m += a;
        n += b;
    }
    let (m, n) = (m as f64, n as f64);
    let total = m + n;
    let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let all_tie = groups.len() < 2;
    (!all_tie && variance > 0.0).then(|| 0.5 * (doubled - m * (total + 1.0)) / variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::{RankTest, Samples, from_key, to_key};

    /// Every order of keys is that of the doubles.
    #[test]
    fn keys_keep_the_order_and_come_back() {
        let values = [
            -f64::MAX,
            -1.5,
            -f64::MIN_POSITIVE,
            0.0,
            1e-300,
            2.0,
            f64::MAX,
        ];
        for pair in values.windows(2) {
            assert!(to_key(pair[0]) < to_key(pair[1]));
        }
        for value in values {
            assert_eq!(from_key(to_key(value)).to_bits(), value.to_bits());
        }
        assert_eq!(to_key(-0.0), to_key(0.0));
    }

    /// By hand: x = 1, 4; y = 0, 3: differences −2, 1, 1, 4.
    #[test]
    fn differences_by_their_order() {
        let samples = Samples::new(vec![4.0, 1.0], vec![3.0, 0.0]);
        let all: Vec<f64> = (1..=4).map(|k| samples.difference(k)).collect();
        assert_eq!(all, [-2.0, 1.0, 1.0, 4.0]);
        assert!((samples.hodges_lehmann() - 1.0).abs() < 1e-15);
        assert_eq!(samples.neighbours(1.0), (Some(-2.0), Some(4.0)));
        assert_eq!(samples.neighbours(-2.0), (None, Some(1.0)));
        assert_eq!(samples.distinct_differences(4), Some(vec![-2.0, 1.0, 4.0]));
        assert_eq!(samples.distinct_differences(3), None);
        // Lowered by 1, the treated values are 0 and 3: two ties.
        assert_eq!(samples.groups(1.0), [(1, 1), (1, 1)]);
    }

    /// By hand: ranks 1, 2½, 2½, 4 with two chosen; sums 3½, 3½, 5, 5, 6½, 6½. Observed 2½ + 4.
    #[test]
    fn the_distribution_of_four_ranks_with_a_tie() {
        let samples = Samples::new(vec![2.0, 3.0], vec![1.0, 2.0]);
        let mut test = RankTest::new(&samples);
        assert!(test.exact);
        let tails = test.tails(&samples.groups(0.0));
        assert!((tails.upper - 2.0 / 6.0).abs() < 1e-15);
        assert!((tails.lower - 1.0).abs() < 1e-15);
        // Variance 4/12·(5 − 6/12) = 1.5, W − mean = 6.5 − 5.
        assert!((tails.z.unwrap_or(0.0) - 1.5 / 1.5f64.sqrt()).abs() < 1e-15);
    }
}
