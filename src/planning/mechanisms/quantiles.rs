//! Inverse distribution functions of counts, as tables: one uniform deviate in, one count out.

use crate::numerics::root::bisect;

/// Where a table ends: the rest of the distribution above it is less likely than a double can tell from nothing.
const TAIL: f64 = 1e-15;
/// Below this a probability loses digits, and the next step is nothing at all.
const UNDERFLOW: f64 = 1e-300;
/// Longest table.
const LONGEST: usize = 100_000;

/// A distribution of whole numbers as its cumulative probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct CountTable {
    least: i64,
    cumulative: Vec<f64>,
    /// For each of [`GUIDE`] equal parts of (0, 1), the first place that a deviate in it can have (Chen
    /// and Asau 1974, doi 10.1080/05695557408974949).
    guide: Vec<u32>,
}

/// Parts of the guide.
const GUIDE: usize = 512;
/// Most values of a part that are gone through one after the other.
const FEW: usize = 8;

impl CountTable {
    /// From probabilities of `least`, `least + 1`, …, which are divided by their sum.
    pub fn new(least: i64, masses: &[f64]) -> Self {
        let total: f64 = masses.iter().sum();
        let mut sum = 0.0;
        let cumulative = masses.iter().map(|mass| {
            sum += mass / total;
            sum
        });
        Self::from_cumulative(least, cumulative.collect())
    }

    /// From cumulative probabilities of `least`, `least + 1`, …; the last value takes what is left.
    pub fn from_cumulative(least: i64, cumulative: Vec<f64>) -> Self {
        let mut place = 0;
        let last = cumulative.len().saturating_sub(1);
        let guide = (0..GUIDE)
            .map(|part| {
                let from = part as f64 / GUIDE as f64;
                while place < last && cumulative[place] <= from {
                    place += 1;
                }
                place as u32
            })
            .collect();
        Self {
            least,
            cumulative,
            guide,
        }
    }

    /// `least` plus a negative binomial count with a mean and a variance of `mean + dispersion·mean²`; dispersion 0 is
    /// Poisson. `mean > 0`.
    pub fn negative_binomial(least: i64, mean: f64, dispersion: f64) -> Self {
        let mut law = CountLaw::of_mean(mean, dispersion);
        if law.mass < UNDERFLOW {
            return Self::around_the_mode(least, mean, dispersion);
        }
        let mut masses = vec![law.mass];
        let mut sum = law.mass;
        while 1.0 - sum > TAIL && masses.len() < LONGEST {
            law.next();
            masses.push(law.mass);
            sum += law.mass;
            if law.mass < TAIL * TAIL && masses.len() as f64 > mean {
                break;
            }
        }
        Self::new(least, &masses)
    }

    /// The same where the probability of nothing is too small for a double, so that a walk from there would stay at nothing:
    /// outwards from the most likely count, to what no double tells from nothing beside it.
    fn around_the_mode(least: i64, mean: f64, dispersion: f64) -> Self {
        let beginning = CountLaw::of_mean(mean, dispersion);
        let mode = (mean * (1.0 - dispersion)).floor().max(0.0);
        let from_mode = CountLaw {
            k: mode,
            mass: 1.0,
            ..beginning
        };
        let mut masses = Vec::new();
        let (mut k, mut mass) = (mode, 1.0);
        while k > 0.0 && mass > TAIL * TAIL {
            k -= 1.0;
            mass *= (k + 1.0) / beginning.factor(k);
            masses.push(mass);
        }
        masses.reverse();
        masses.push(1.0);
        let mut law = from_mode;
        while law.mass > TAIL * TAIL && masses.len() < LONGEST {
            law.next();
            masses.push(law.mass);
        }
        Self::new(least.saturating_add(k as i64), &masses)
    }

    /// The greatest value.
    pub fn greatest(&self) -> i64 {
        self.least + self.cumulative.len().saturating_sub(1) as i64
    }

    /// The law given that the value is at most `most`, which is not below its least one; the same table where none is above.
    #[must_use]
    pub fn up_to(self, most: i64) -> Self {
        let kept = most.saturating_sub(self.least).saturating_add(1).max(1);
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        match self.cumulative.get(..kept) {
            Some(own) if kept < self.cumulative.len() => {
                let total = own.last().copied().unwrap_or(1.0);
                let cumulative = own.iter().map(|sum| sum / total).collect();
                Self::from_cumulative(self.least, cumulative)
            }
            _ => self,
        }
    }

    /// Poisson given that it is from 1 to `most`, with a mean after that condition; `None` when no such law exists,
    /// which needs `1 < mean` below the uniform's `(1 + most)/2`.
    pub fn truncated_poisson(mean: f64, most: u32) -> Option<Self> {
        if most == 1 {
            return ((mean - 1.0).abs() < 1e-12).then(|| Self::new(1, &[1.0]));
        }
        if mean <= 1.0 || mean >= 0.5 * (1.0 + f64::from(most)) {
            return None;
        }
        let masses = |lambda: f64| -> Vec<f64> {
            let mut mass = 1.0;
            (1..=most)
                .map(|k| {
                    if k > 1 {
                        mass *= lambda / f64::from(k);
                    }
                    mass
                })
                .collect()
        };
        let mean_of = |lambda: f64| {
            let masses = masses(lambda);
            let total: f64 = masses.iter().sum();
            let weighted: f64 = masses.iter().zip(1..).map(|(m, k)| m * f64::from(k)).sum();
            weighted / total
        };
        let lambda = bisect(0.0, f64::from(most), 1e-14, |lambda| mean_of(lambda) < mean);
        Some(Self::new(1, &masses(lambda)))
    }

    /// The least value whose cumulative probability exceeds `u`.
    pub fn at(&self, u: f64) -> i64 {
        let part = ((u * GUIDE as f64) as usize).min(GUIDE - 1);
        let place = self.guide[part] as usize;
        let below = self.cumulative.split_last().map_or(&[][..], |(_, own)| own);
        let end = self
            .guide
            .get(part + 1)
            .map_or(below.len(), |own| *own as usize);
        let later = below.get(place..end).unwrap_or_default();
        // A part of a long table holds many values; one after the other they would be gone through for every deviate.
        let further = if later.len() > FEW {
            later.partition_point(|own| *own <= u)
        } else {
            later.iter().take_while(|own| **own <= u).count()
        };
        self.least + (place + further) as i64
    }

    /// Values and their probabilities.
    pub fn masses(&self) -> Vec<(i64, f64)> {
        let mut before = 0.0;
        let places = self.cumulative.iter().zip(self.least..);
        places
            .map(|(sum, value)| {
                let mass = sum - before;
                before = *sum;
                (value, mass)
            })
            .collect()
    }

    /// Mean, for tests and reports.
    pub fn mean(&self) -> f64 {
        let mut before = 0.0;
        self.cumulative
            .iter()
            .enumerate()
            .map(|(k, c)| {
                let mass = c - before;
                before = *c;
                mass * (self.least as f64 + k as f64)
            })
            .sum()
    }
}

/// A negative binomial law walked upwards from 0: `P(k+1) = P(k)·q·(k + r)/(k + 1)`, `r = 1/dispersion`,
/// `q = dispersion·μ/(1 + dispersion·μ)`; in the limit of no dispersion `P(k+1) = P(k)·μ/(k + 1)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountLaw {
    k: f64,
    mass: f64,
    /// `q`, or `μ` without dispersion.
    step: f64,
    /// `r`, or 0 without dispersion.
    size: f64,
}

impl CountLaw {
    /// With a mean.
    pub fn of_mean(mean: f64, dispersion: f64) -> Self {
        if dispersion > 0.0 {
            let odds = dispersion * mean;
            Self {
                k: 0.0,
                mass: libm::exp(-libm::log1p(odds) / dispersion),
                step: odds / (1.0 + odds),
                size: 1.0 / dispersion,
            }
        } else {
            Self {
                k: 0.0,
                mass: libm::exp(-mean),
                step: mean,
                size: 0.0,
            }
        }
    }

    /// With a probability of at least one event, inside (0, 1).
    pub fn of_risk(risk: f64, dispersion: f64) -> Self {
        let log_none = libm::log1p(-risk);
        if dispersion > 0.0 {
            Self {
                k: 0.0,
                mass: 1.0 - risk,
                step: -libm::expm1(dispersion * log_none),
                size: 1.0 / dispersion,
            }
        } else {
            Self {
                k: 0.0,
                mass: 1.0 - risk,
                step: -log_none,
                size: 0.0,
            }
        }
    }

    /// The mean of a law with a probability of at least one event.
    pub fn mean_of_risk(risk: f64, dispersion: f64) -> f64 {
        let log_none = libm::log1p(-risk);
        if dispersion > 0.0 {
            libm::expm1(-dispersion * log_none) / dispersion
        } else {
            -log_none
        }
    }

    /// What the probability of a count is multiplied by, before it is divided by the next count, to give that of the next.
    fn factor(&self, k: f64) -> f64 {
        if self.size > 0.0 {
            self.step * (k + self.size)
        } else {
            self.step
        }
    }

    fn next(&mut self) {
        let factor = self.factor(self.k);
        self.k += 1.0;
        self.mass *= factor / self.k;
    }

    /// The least count whose cumulative probability exceeds `u`, at most `most`.
    pub fn at(mut self, u: f64, most: u32) -> u32 {
        let mut sum = self.mass;
        let mut count = 0;
        while sum <= u && count < most {
            self.next();
            sum += self.mass;
            count += 1;
        }
        count
    }
}

/// Laws by the numbers that they follow from, each in a place of its own until another one takes it: families of the same
/// number of children who come on the same day have the same law, in every study of a cell.
#[derive(Debug, Clone)]
pub(in crate::planning) struct KeptLaws {
    laws: Vec<Option<([u64; 2], CountLaw)>>,
}

impl KeptLaws {
    /// Places, as a power of two.
    const PLACES: u32 = 11;

    pub(in crate::planning) fn new() -> Self {
        Self {
            laws: vec![None; 1 << Self::PLACES],
        }
    }

    /// The law of two numbers, which is `made` if it is not kept.
    pub(super) fn law(&mut self, of: [f64; 2], made: impl FnOnce() -> CountLaw) -> CountLaw {
        let key = of.map(f64::to_bits);
        // Multiplication by an odd number spreads the lower digits over the upper ones (Knuth, section 6.4).
        let spread = (key[0] ^ key[1].rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = &mut self.laws[(spread >> (64 - Self::PLACES)) as usize];
        match place {
            Some((own, law)) if *own == key => *law,
            _ => place.insert((key, made())).1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CountLaw, CountTable, KeptLaws};

    /// Mean, dispersion, and quantiles at 1e-6, .1, .5, .9 and 1 − 1e-6 (R 4.2.2).
    const GREAT: [(f64, f64, [i64; 5]); 3] = [
        (800.0, 0.0, [669, 764, 800, 836, 938]),
        (5000.0, 0.0, [4668, 4909, 5000, 5091, 5340]),
        (2000.0, 0.001, [1650, 1901, 1999, 2100, 2386]),
    ];

    /// By hand: of 1, 2 and 3 with .5, .3 and .2 the first two are .625 and .375 of what is left.
    #[test]
    fn a_law_is_cut_at_the_greatest_value() {
        let law = || CountTable::new(1, &[0.5, 0.3, 0.2]);
        let cut = law().up_to(2);
        assert_eq!([0.0, 0.624, 0.626, 0.999].map(|u| cut.at(u)), [1, 1, 2, 2]);
        assert_eq!(law().up_to(3), law());
        assert_eq!(law().up_to(i64::MAX), law());
        assert_eq!(law().up_to(1).at(0.99), 1);
    }

    /// A thousand laws in turn, more than once: each is the one that is made anew, to the last bit.
    #[test]
    fn laws_are_kept_as_they_were_made() {
        let mut kept = KeptLaws::new();
        let mut made = 0;
        for round in 0..3 {
            for place in 0..1000 {
                let (risk, ratio) = (0.2 + f64::from(place) * 1e-4, f64::from(1 + place % 3));
                let law = || CountLaw::of_mean(CountLaw::mean_of_risk(risk, 1.2) * ratio, 1.2);
                let found = kept.law([risk, ratio], || {
                    made += 1;
                    law()
                });
                assert_eq!(found, law(), "{round} {place}");
            }
        }
        assert!((1000..2500).contains(&made), "{made}");
    }

    #[test]
    fn geometric_by_hand() {
        // Dispersion 1 and mean 1 is geometric with 1/2: cumulative 1/2, 3/4, 7/8.
        let table = CountTable::negative_binomial(2, 1.0, 1.0);
        assert_eq!(
            [0.0, 0.49, 0.51, 0.76, 0.88].map(|u| table.at(u)),
            [2, 2, 3, 4, 5]
        );
        let law = CountLaw::of_risk(0.5, 1.0);
        assert_eq!(
            [0.0, 0.49, 0.51, 0.76, 0.88].map(|u| law.at(u, 99)),
            [0, 0, 1, 2, 3]
        );
        assert!((CountLaw::mean_of_risk(0.5, 1.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_guide_leads_to_the_place_that_a_plain_search_finds() {
        for table in [
            CountTable::negative_binomial(0, 3.5, 0.5),
            CountTable::negative_binomial(0, 0.01, 2.0),
            CountTable::new(5, &[1.0]),
            CountTable::new(0, &[0.1; 18]),
        ] {
            let last = table.cumulative.len() - 1;
            for step in 0..4096 {
                let u = (f64::from(step) + 0.25) / 4096.0;
                let plain = table.cumulative.partition_point(|c| *c <= u).min(last);
                assert_eq!(table.at(u), table.least + plain as i64, "{u}");
            }
        }
    }

    /// R 4.2.2, `qpois` and `qnbinom(size = 1000)`: laws whose probability of nothing is no double have their quantiles all the same.
    #[test]
    fn great_means_have_their_quantiles() {
        for (mean, dispersion, quantiles) in GREAT {
            let table = CountTable::negative_binomial(0, mean, dispersion);
            let found = [1e-6, 0.1, 0.5, 0.9, 1.0 - 1e-6].map(|u| table.at(u));
            assert_eq!(found, quantiles, "{mean} {dispersion}");
            assert!(
                (table.mean() / mean - 1.0).abs() < 1e-12,
                "{}",
                table.mean()
            );
        }
    }

    /// By law: where the walk from nothing is possible, that from the most likely count gives the same values but for deviates within
    /// rounding of a step.
    #[test]
    fn both_walks_give_one_law() {
        for (mean, dispersion) in [(500.0, 0.0), (600.0, 0.001), (40.0, 0.0), (40.0, 0.3)] {
            let walked = CountTable::negative_binomial(3, mean, dispersion);
            let around = CountTable::around_the_mode(3, mean, dispersion);
            // Beyond the table of the walk nothing is left.
            let below = |place: usize| walked.cumulative.get(place).copied().unwrap_or(1.0);
            for (value, mass) in around.masses() {
                let place = usize::try_from(value - 3).unwrap();
                let own = below(place) - place.checked_sub(1).map_or(0.0, below);
                assert!(
                    (own - mass).abs() < 1e-12,
                    "{mean} {dispersion} {value}: {own} {mass}"
                );
            }
        }
    }

    #[test]
    fn risk_and_mean_are_two_names_of_one_law() {
        for (risk, dispersion) in [(0.4, 1.2), (0.34, 1.2), (0.4, 0.0), (0.9, 0.3)] {
            let mean = CountLaw::mean_of_risk(risk, dispersion);
            let (a, b) = (
                CountLaw::of_risk(risk, dispersion),
                CountLaw::of_mean(mean, dispersion),
            );
            assert!((a.mass - b.mass).abs() < 1e-14 && (a.step - b.step).abs() < 1e-13);
            let table = CountTable::negative_binomial(0, mean, dispersion);
            assert!(
                (table.mean() - mean).abs() < 1e-9,
                "{} {mean}",
                table.mean()
            );
        }
    }

    #[test]
    fn the_guide_finds_what_a_walk_finds() {
        let table = CountTable::negative_binomial(0, 40.0, 0.3);
        for k in 0..20_000 {
            let u = (f64::from(k) + 0.5) / 20_000.0;
            let walked = table.cumulative.iter().position(|c| *c > u).unwrap();
            assert_eq!(table.at(u), walked as i64);
        }
    }

    #[test]
    fn siblings_have_the_stated_mean() {
        let table = CountTable::truncated_poisson(1.7, 6).unwrap();
        assert!((table.mean() - 1.7).abs() < 1e-12);
        assert_eq!(table.at(0.0), 1);
        assert_eq!(table.at(1.0), 6);
        assert!(CountTable::truncated_poisson(1.0, 6).is_none());
        assert!(CountTable::truncated_poisson(3.5, 6).is_none());
        assert_eq!(CountTable::truncated_poisson(1.0, 1).unwrap().at(0.5), 1);
    }
}
