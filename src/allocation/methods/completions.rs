//! In how many ways a list of equal arms can be completed: to end level, no two arms ever further apart than a bound.
//!
//! Arms are alike, so only how far each is ahead of the last matters, in descending order, and the units left. Every such
//! state has its count, a whole number of any size, from those of the states one unit later.

use crate::allocation::weights::{MAX_ARMS, MAX_DUPLICATES};
use crate::numerics::Whole;

/// How far each of at most `PLACES` arms is ahead of the arm with the fewest, in descending order; 0 beyond the last arm.
type Leads<const PLACES: usize> = [u64; PLACES];

/// Number of ways in which a list of equal arms can be completed: to end level, no arm ever ahead of another by more
/// than the bound (Berger, Ivanova & Deloria Knoll 2003, doi 10.1002/sim.1538, for two arms).
#[derive(Debug, Clone)]
pub struct Completions {
    arms: usize,
    length: u64,
    bound: u64,
    /// Binomial coefficients: by upper number, then by lower.
    choose: Vec<Vec<u64>>,
    /// By rank of the leads: the place among those whose sum leaves the same rest when divided by the arms.
    places: Vec<u32>,
    /// By units left, then by place.
    rows: Vec<Vec<Whole>>,
    none: Whole,
}

impl Completions {
    /// All counts for lists of `length` units of 2 to 64 `arms` (or duplicates of arms) with a bound of at least 1.
    ///
    /// The arms divide the length. Costs a number for each unit and each of [`Completions::states`] / arms.
    ///
    /// ```
    /// use lottning::allocation::methods::Completions;
    ///
    /// // Three arms, twelve units: 12!/(4!)³ lists end level, 18,684 of them never with two arms three apart.
    /// let within_two = Completions::new(3, 12, 2);
    /// assert_eq!(within_two.count(&[0, 0, 0], 12).to_u64(), Some(18_684));
    /// assert_eq!(Completions::new(3, 12, 4).count(&[0, 0, 0], 12).to_u64(), Some(34_650));
    /// ```
    pub fn new(arms: usize, length: u64, bound: u64) -> Self {
        let arms = arms.clamp(2, MAX_DUPLICATES);
        if arms <= MAX_ARMS {
            Self::counted::<MAX_ARMS>(arms, length, bound)
        } else {
            Self::counted::<MAX_DUPLICATES>(arms, length, bound)
        }
    }

    fn counted<const PLACES: usize>(arms: usize, length: u64, bound: u64) -> Self {
        let bound = bound.min(length / arms as u64);
        let mut own = Self {
            arms,
            length,
            bound,
            choose: pascal(bound as usize + arms, arms),
            places: Vec::new(),
            rows: Vec::with_capacity(length as usize + 1),
            none: Whole::default(),
        };
        // The leads by the rest that their sum leaves: it is that of the units drawn.
        let mut alike: Vec<Vec<Leads<PLACES>>> = vec![Vec::new(); arms];
        for rank in 0..Self::states(arms, bound) {
            let leads = own.leads_at::<PLACES>(rank);
            let rest = (leads.iter().sum::<u64>() % arms as u64) as usize;
            own.places.push(alike[rest].len() as u32);
            alike[rest].push(leads);
        }
        for left in 0..=length {
            let drawn = length - left;
            let states = &alike[(drawn % arms as u64) as usize];
            let row = states.iter().map(|leads| own.ways(leads, left)).collect();
            own.rows.push(row);
        }
        own
    }

    /// Number of states in which a list of so many equal arms can stand, whatever the units left: C(bound + arms − 1, arms − 1),
    /// at most 2^64 − 1.
    pub fn states(arms: usize, bound: u64) -> u64 {
        let mut states: u128 = 1;
        for below in 1..arms as u128 {
            states = states * (u128::from(bound) + below) / below;
            if states > u128::from(u64::MAX) {
                return u64::MAX;
            }
        }
        states as u64
    }

    /// The ways to complete a list whose arms have these counts and that has so many units left; zero where it cannot be.
    ///
    /// Only the differences of the counts matter; there is one for each arm.
    pub fn count(&self, counts: &[u64], left: u64) -> &Whole {
        if counts.len() != self.arms {
            return &self.none;
        }
        let mut leads = [0; MAX_DUPLICATES];
        leads[..self.arms].copy_from_slice(counts);
        self.descend(&mut leads);
        self.at(&leads, left)
    }

    /// Where the count of a state is kept among those with so many units left.
    pub(super) fn place<const PLACES: usize>(
        &self,
        leads: &Leads<PLACES>,
        left: u64,
    ) -> Option<usize> {
        let drawn = self.length.checked_sub(left)?;
        let arms = self.arms as u64;
        if leads[0] > self.bound || leads.iter().sum::<u64>() % arms != drawn % arms {
            return None;
        }
        let place = self.places.get(self.rank(leads) as usize)?;
        Some(*place as usize)
    }

    /// The counts with so many units left.
    pub(super) fn row(&self, left: u64) -> &[Whole] {
        self.rows.get(left as usize).map_or(&[], Vec::as_slice)
    }

    /// The ways after one more unit for the arm at each place of the leads. Arms that are as far ahead have the same ways, found once;
    /// with one more the first of them is still in its place of the descending order.
    pub(super) fn after_each<const PLACES: usize>(
        &self,
        leads: &Leads<PLACES>,
        left: u64,
    ) -> Vec<&Whole> {
        let own = &leads[..self.arms];
        let mut all = Vec::with_capacity(self.arms);
        for alike in own.chunk_by(|one, other| one == other) {
            let mut next = *leads;
            next[all.len()] += 1;
            if next[self.arms - 1] > 0 {
                next[..self.arms].iter_mut().for_each(|lead| *lead -= 1);
            }
            let ways = match left.checked_sub(1) {
                Some(left) => self.at(&next, left),
                None => &self.none,
            };
            all.resize(all.len() + alike.len(), ways);
        }
        all
    }

    fn at<const PLACES: usize>(&self, leads: &Leads<PLACES>, left: u64) -> &Whole {
        let place = self.place(leads, left);
        place
            .and_then(|place| self.row(left).get(place))
            .unwrap_or(&self.none)
    }

    /// The count of a state from those with one unit less.
    fn ways<const PLACES: usize>(&self, leads: &Leads<PLACES>, left: u64) -> Whole {
        let (sum, arms) = (leads.iter().sum::<u64>(), self.arms as u64);
        // What cannot have come up, and what cannot be levelled any more.
        if sum > self.length - left || arms * leads[0] - sum > left {
            return Whole::default();
        }
        if left == 0 {
            return Whole::from(1);
        }
        let after = self.after_each(leads, left).into_iter();
        after.fold(Whole::default(), |all, ways| all.plus(ways))
    }

    /// Puts counts in descending order, the last at 0.
    fn descend<const PLACES: usize>(&self, leads: &mut Leads<PLACES>) {
        let own = &mut leads[..self.arms];
        own.sort_unstable_by(|one, other| other.cmp(one));
        let least = own.last().copied().unwrap_or(0);
        for lead in own {
            *lead -= least;
        }
    }

    /// The number of leads in the combinatorial number system (Knuth 2011, The Art of Computer Programming 4A, 7.2.1.3,
    /// theorem L), which counts the descending sequences without gaps.
    fn rank<const PLACES: usize>(&self, leads: &Leads<PLACES>) -> u64 {
        let parts = self.arms - 1;
        (0..parts)
            .map(|i| self.choose[leads[i] as usize + parts - 1 - i][parts - i])
            .sum()
    }

    /// The leads of a rank.
    fn leads_at<const PLACES: usize>(&self, rank: u64) -> Leads<PLACES> {
        let parts = self.arms - 1;
        let (mut leads, mut rest) = ([0; PLACES], rank);
        for (i, lead) in leads.iter_mut().enumerate().take(parts) {
            let lower = parts - i;
            let upper = self.choose.partition_point(|row| row[lower] <= rest) - 1;
            rest -= self.choose[upper][lower];
            *lead = (upper + 1 - lower) as u64;
        }
        leads
    }
}

/// Binomial coefficients with upper numbers up to `upper` and lower ones below `width`; those too large for 64 bits are as large as
/// can be.
fn pascal(upper: usize, width: usize) -> Vec<Vec<u64>> {
    let mut rows: Vec<Vec<u64>> = Vec::with_capacity(upper + 1);
    for n in 0..=upper {
        let above = |k: usize| n.checked_sub(1).map_or(0, |last| rows[last][k]);
        let row = (0..width).map(|k| match k {
            0 => 1,
            _ => above(k).saturating_add(above(k - 1)),
        });
        let row = row.collect();
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::Completions;

    /// n = 4, bound 1: abab, abba, baab, baba. Bound 2 adds aabb and bbaa. After a, with bound 1: only b.
    #[test]
    fn completions_of_four_units() {
        let count = |bound, counts: [u64; 2], left| {
            let all = Completions::new(2, 4, bound);
            all.count(&counts, left).to_u64()
        };
        assert_eq!(count(1, [0, 0], 4), Some(4));
        assert_eq!(count(1, [1, 0], 3), Some(2));
        assert_eq!(count(1, [3, 4], 3), Some(2));
        assert_eq!(count(1, [2, 0], 2), Some(0));
        assert_eq!(count(1, [0, 0], 3), Some(0));
        assert_eq!(count(2, [0, 0], 4), Some(6));
        assert_eq!(count(99, [0, 0], 4), Some(6));
        assert_eq!(count(99, [0, 0], 5), Some(0));
    }

    /// Each rank is that of its own leads, and no two states share one.
    #[test]
    fn ranks_and_leads_are_one_to_one() {
        for (arms, bound) in [(2, 7), (3, 5), (5, 3), (8, 2), (10, 3), (64, 1)] {
            let own = Completions::new(arms, 40 * arms as u64, bound);
            let states = Completions::states(arms, bound);
            assert_eq!(own.places.len() as u64, states);
            for rank in 0..states {
                let leads = own.leads_at::<64>(rank);
                assert!(leads.windows(2).all(|pair| pair[0] >= pair[1]));
                assert!(leads[0] <= bound && leads[arms - 1] == 0);
                assert_eq!(own.rank(&leads), rank);
            }
        }
        // Each of 64 places once, in any order: 64! lists; one is ahead of the other 63 after the first unit.
        let once = Completions::new(64, 64, 1);
        let mut counts = [0; 64];
        counts[5] = 1;
        let (all, later) = (once.count(&[0; 64], 64), once.count(&counts, 63));
        let sum = (0..64).fold(super::Whole::default(), |sum, _| sum.plus(later));
        assert_eq!(*all, sum);
        assert_eq!(once.count(&[0; 64], 0).to_u64(), Some(1));
        // 64! has 296 binary digits (its logarithm to base 10 is 89.1033).
        assert_eq!(all.bits(), 296);
        // By hand: C(5, 2), C(9, 7).
        assert_eq!(Completions::states(3, 3), 10);
        assert_eq!(Completions::states(8, 2), 36);
        assert_eq!(Completions::states(8, u64::MAX), u64::MAX);
    }
}
