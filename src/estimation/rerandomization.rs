//! Redraws of complete randomization: in every stratum as many units to each arm as there were, every choice as likely.
//!
//! A unit is a row, or a cluster with the mean of its rows. The statistic is the difference of means, weighted by the
//! strata's sizes, over its own standard error. Few sequences are enumerated; else units are drawn by a derivation that
//! `docs/estimators/randomization-test.md` writes out. Units stand in the order of their values, so that no answer
//! depends on the order of rows. What a redraw means for p and interval is `inversion`'s.

use super::columns::Arm;
use super::inversion::Studentized;
use crate::numerics::linear_algebra::mean;
use crate::numerics::stream;
use rand_chacha::rand_core::Rng;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Most redraws that a thread takes at a time: the last ones are waited for by all.
const PIECE: usize = 1000;

/// Most sequences that are enumerated (a ruling of the design).
pub(super) const ENUMERATED: u64 = 100_000;

/// A value, and 1 if its unit was treated.
type Unit = (f64, f64);

/// The units of a stratum, sorted by value, then by arm.
#[derive(Debug, Clone)]
struct Stratum {
    units: Vec<Unit>,
    /// Sums over all units: value, value², treated, value where treated.
    total: [f64; 4],
    /// Units in control and treated.
    n: [usize; 2],
    /// Whether the drawn units are the treated ones.
    treated: bool,
    /// Its share of all units.
    weight: f64,
    /// Whether an arm has a single unit.
    small: bool,
}

/// Why units cannot be redrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alone {
    /// Number of the stratum.
    pub(super) stratum: usize,
}

/// Strata of units, and how those with a single unit in an arm are pooled.
#[derive(Debug, Clone)]
pub(super) struct Rerandomization {
    strata: Vec<Stratum>,
    /// Coefficient of the squared distance of a small stratum's difference from the pooled one, by stratum.
    pooled: Vec<f64>,
    /// Share of small strata's units among themselves, by stratum.
    shares: Vec<f64>,
    largest: usize,
}

/// Difference of means in a stratum, and its variance, in the terms of [`Studentized`].
#[derive(Debug, Clone, Copy)]
struct Part {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    e: f64,
}

impl Stratum {
    /// Values are centred, so that sums of squares keep their digits.
    fn new(arm: &[Arm], values: &[f64], weight: f64) -> Self {
        let centre = mean(values);
        let mut units: Vec<Unit> = arm
            .iter()
            .zip(values)
            .map(|(arm, y)| (y - centre, arm.index() as f64))
            .collect();
        units.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let treated = arm.iter().filter(|arm| **arm == Arm::Treated).count();
        let n = [units.len() - treated, treated];
        let of = |wanted: f64| {
            let own = units.iter().filter(move |u| (u.1 - wanted).abs() < 0.5);
            own.map(|u| u.0)
        };
        // The smaller arm is drawn; of equal arms the one with smaller values, so that their names do not matter.
        let drawn = n[1] < n[0] || (n[1] == n[0] && of(1.0).lt(of(0.0)));
        let mut total = [0.0; 4];
        for unit in &units {
            add(&mut total, unit);
        }
        Self {
            total,
            n,
            treated: drawn,
            weight,
            small: n[0].min(n[1]) == 1,
            units,
        }
    }

    fn drawn(&self) -> usize {
        self.n[usize::from(self.treated)]
    }

    /// The part of a stratum whose drawn units have these sums.
    fn part(&self, drawn: &[f64; 4]) -> Part {
        let mut rest = [0.0; 4];
        for ((rest, total), drawn) in rest.iter_mut().zip(&self.total).zip(drawn) {
            *rest = total - drawn;
        }
        let (treated, control) = if self.treated {
            (drawn, &rest)
        } else {
            (&rest, drawn)
        };
        let [n0, n1] = self.n.map(|n| n as f64);
        let mut part = Part {
            a: treated[0] / n1 - control[0] / n0,
            b: treated[2] / n1 - control[2] / n0,
            c: 0.0,
            d: 0.0,
            e: 0.0,
        };
        if self.small {
            return part;
        }
        for ([y, square, z, product], n) in [(treated, n1), (control, n0)] {
            let divisor = n * (n - 1.0);
            part.e += (z - z * z / n).max(0.0) / divisor;
            // What is left of a sum of squares when an arm does not vary is rounding.
            let spread = square - y * y / n;
            if spread > 1e-12 * self.total[1] {
                part.c += spread / divisor;
                part.d += (product - y * z / n) / divisor;
            }
        }
        part
    }

    fn observed(&self) -> Part {
        let mut sums = [0.0; 4];
        for unit in &self.units {
            if (unit.1 > 0.5) == self.treated {
                add(&mut sums, unit);
            }
        }
        self.part(&sums)
    }

    /// Every choice of the drawn units, in lexicographic order.
    fn every(&self) -> Vec<Part> {
        let (n, m) = (self.units.len(), self.drawn());
        let mut places: Vec<usize> = (0..m).collect();
        let mut parts = Vec::new();
        loop {
            let mut sums = [0.0; 4];
            for place in &places {
                add(&mut sums, &self.units[*place]);
            }
            parts.push(self.part(&sums));
            let Some(moving) = (0..m).rev().find(|i| places[*i] < n - m + i) else {
                return parts;
            };
            places[moving] += 1;
            for i in moving + 1..m {
                places[i] = places[i - 1] + 1;
            }
        }
    }
}

fn add(sums: &mut [f64; 4], (y, z): &Unit) {
    sums[0] += y;
    sums[1] += y * y;
    sums[2] += z;
    sums[3] += y * z;
}

/// Number of choices of `m` of `n`; beyond the limit any larger number.
fn choices(n: u64, m: u64) -> u64 {
    let mut all = 1u64;
    for i in 1..=m.min(n - m) {
        match all.checked_mul(n - m.min(n - m) + i) {
            Some(product) if product / i <= ENUMERATED => all = product / i,
            _ => return u64::MAX,
        }
    }
    all
}

impl Rerandomization {
    /// Units by their arms, values and strata; strata are numbered from 0 and hold both arms.
    pub(super) fn new(arm: &[Arm], values: &[f64], strata: &[u32]) -> Result<Self, Alone> {
        let number = strata.iter().max().map_or(0, |last| *last as usize + 1);
        let mut rows: Vec<(Vec<Arm>, Vec<f64>)> = vec![Default::default(); number];
        for ((arm, value), stratum) in arm.iter().zip(values).zip(strata) {
            let own = &mut rows[*stratum as usize];
            own.0.push(*arm);
            own.1.push(*value);
        }
        let all = values.len() as f64;
        let strata: Vec<Stratum> = rows
            .iter()
            .map(|(arm, values)| Stratum::new(arm, values, values.len() as f64 / all))
            .collect();
        let (pooled, shares) = pool(&strata)?;
        Ok(Self {
            largest: strata.iter().map(|s| s.units.len()).max().unwrap_or(0),
            strata,
            pooled,
            shares,
        })
    }

    /// Units in control and treated.
    pub(super) fn units(&self) -> [usize; 2] {
        let sum = |arm: usize| self.strata.iter().map(|s| s.n[arm]).sum();
        [sum(0), sum(1)]
    }

    /// The observed statistic.
    pub(super) fn observed(&self) -> Studentized {
        let parts: Vec<Part> = self.strata.iter().map(Stratum::observed).collect();
        self.whole(&parts)
    }

    /// Number of sequences of arms, if there are at most 100,000.
    pub(super) fn sequences(&self) -> Option<u64> {
        let counts = self
            .strata
            .iter()
            .map(|s| choices(s.units.len() as u64, s.drawn() as u64));
        let total = counts.fold(1u64, u64::saturating_mul);
        (total <= ENUMERATED).then_some(total)
    }

    /// The statistic on every sequence.
    pub(super) fn enumerate(&self) -> Vec<Studentized> {
        let every: Vec<Vec<Part>> = self.strata.iter().map(Stratum::every).collect();
        let total: usize = every.iter().map(Vec::len).product();
        let mut parts = Vec::with_capacity(every.len());
        (0..total)
            .map(|number| {
                let mut rest = number;
                parts.clear();
                for own in &every {
                    parts.push(own[rest % own.len()]);
                    rest /= own.len();
                }
                self.whole(&parts)
            })
            .collect()
    }

    /// The statistic on redraws 0, 1, … under a key, on all threads: redraw r takes its numbers from stream r, so the
    /// answer does not depend on them.
    pub(super) fn redraw(&self, key: &[u8; 32], draws: u64) -> Vec<Studentized> {
        (0..usize::try_from(draws).unwrap_or(usize::MAX))
            .into_par_iter()
            .with_max_len(PIECE)
            .map_init(
                || (Vec::with_capacity(self.largest), Vec::new()),
                |(units, parts), number| {
                    self.one(&mut stream::replicate(key, number as u64), units, parts)
                },
            )
            .collect()
    }

    /// One redraw: in each stratum unit i of the drawn arm is the one at place `i + below(N − i)` of those left.
    fn one(&self, rng: &mut impl Rng, units: &mut Vec<Unit>, parts: &mut Vec<Part>) -> Studentized {
        parts.clear();
        for stratum in &self.strata {
            units.clear();
            units.extend_from_slice(&stratum.units);
            let mut sums = [0.0; 4];
            for first in 0..stratum.drawn() {
                let left = (units.len() - first) as u64;
                let chosen = first + stream::below(rng, left) as usize;
                add(&mut sums, &units[chosen]);
                units[chosen] = units[first];
            }
            parts.push(stratum.part(&sums));
        }
        self.whole(parts)
    }

    /// `Σ w a`, `Σ w² V`, and for strata with a single unit in an arm the variance between them.
    fn whole(&self, parts: &[Part]) -> Studentized {
        let mut all = Studentized::default();
        let (mut centre, mut of_arm) = (0.0, 0.0);
        for ((stratum, part), share) in self.strata.iter().zip(parts).zip(&self.shares) {
            let (w, square) = (stratum.weight, stratum.weight * stratum.weight);
            all.a += w * part.a;
            all.b += w * part.b;
            all.c += square * part.c;
            all.d += square * part.d;
            all.e += square * part.e;
            centre += share * part.a;
            of_arm += share * part.b;
        }
        for (part, coefficient) in parts.iter().zip(&self.pooled) {
            if *coefficient > 0.0 {
                let (y, z) = (part.a - centre, part.b - of_arm);
                all.c += coefficient * y * y;
                all.d += coefficient * y * z;
                all.e += coefficient * z * z;
            }
        }
        all
    }
}

/// How strata with a single unit in an arm are pooled: `Σ N_k²/((n − 2N_k)(n + Σ N_i²/(n − 2N_i)))·(τ_k − τ̄)²` over
/// them, n their units (Pashley and Miratrix 2021, doi 10.3102/1076998620946272, equation 7); with equal sizes the
/// sample variance of the differences over their number. Coefficients are on the scale of all units.
fn pool(strata: &[Stratum]) -> Result<(Vec<f64>, Vec<f64>), Alone> {
    let size = |stratum: &Stratum| {
        if stratum.small {
            stratum.units.len() as f64
        } else {
            0.0
        }
    };
    let n: f64 = strata.iter().map(size).sum();
    let none = vec![0.0; strata.len()];
    let Some(first) = strata.iter().position(|stratum| stratum.small) else {
        return Ok((none.clone(), none));
    };
    let small = strata.iter().filter(|s| s.small).count() as f64;
    let length = strata[first].units.len();
    let alike = strata
        .iter()
        .filter(|s| s.small)
        .all(|s| s.units.len() == length);
    let all: f64 = strata.iter().map(|s| s.units.len() as f64).sum();
    let scale = (n / all) * (n / all);
    let half = strata.iter().position(|s| 2.0 * size(s) >= n);
    let coefficient: Vec<f64> = if alike && small > 1.0 {
        let own = scale / (small * (small - 1.0));
        strata
            .iter()
            .map(|s| if s.small { own } else { 0.0 })
            .collect()
    } else if let Some(stratum) = half {
        return Err(Alone { stratum });
    } else {
        let sum: f64 = strata
            .iter()
            .map(|s| size(s) * size(s) / (n - 2.0 * size(s)))
            .sum();
        strata
            .iter()
            .map(|s| scale * size(s) * size(s) / ((n - 2.0 * size(s)) * (n + sum)))
            .collect()
    };
    Ok((coefficient, strata.iter().map(|s| size(s) / n).collect()))
}
