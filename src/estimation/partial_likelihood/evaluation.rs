//! One evaluation of the partial likelihood: its value, score and information.

use super::frame::{EventTime, Frame, Part, Reach, RiskSet};
use super::sums::{LogSum, add_row};
use crate::estimation::settings::Ties;
use crate::numerics::exponential::exponentiate;
use crate::numerics::linear_algebra::{combine, dot, dots, each_dot, most, sum};

/// Rows, or risk-set means, that are summed at a time.
const BLOCK: usize = 256;

/// Rows from which a sum over them goes by lanes.
const LONG: usize = 16;

/// What one evaluation leaves behind, in reused storage.
#[derive(Debug, Clone, Default)]
pub(super) struct Work {
    /// `w` by position, divided by the largest in the stratum.
    pub(super) weight: Vec<f64>,
    /// `u` by position.
    pub(super) expected: Vec<f64>,
    pub(super) score: Vec<f64>,
    /// k × k, lower triangle, column-major.
    pub(super) information: Vec<f64>,
    /// `A₀` and `A₁`, by time.
    hazard: Vec<(f64, f64)>,
    means: Means,
}

/// Blocks of vectors whose products sum to `Σ_t Σ_l x̄_l x̄_lᵀ`, column by column; they are summed when they are full.
#[derive(Debug, Clone, Default)]
struct Means {
    blocks: Vec<[f64; BLOCK]>,
    filled: usize,
    /// k × k, lower triangle, column-major.
    products: Vec<f64>,
    /// How the vectors are made of the sums over risk sets.
    factors: Vec<Factors>,
    /// `Σ w z` by column, over the positions that were walked.
    sums: Vec<f64>,
}

/// How the vectors of one time are made: with A the sums over the risk set and B those without the dying, `x̄_l` is
/// `((1 − a_l) A + a_l B)/φ_l`, so that the d products of a time sum to those of two vectors, `own A` and `mixed A + rest B`.
/// Neither is a difference. With one death, or Breslow's terms, there is the first alone.
#[derive(Debug, Clone, Copy, Default)]
struct Factors {
    own: f64,
    mixed: f64,
    rest: f64,
}

impl Factors {
    /// One vector.
    fn one(own: f64) -> Self {
        Self {
            own,
            ..Self::default()
        }
    }

    /// Whether there are two vectors.
    fn two(self) -> bool {
        self.rest > 0.0
    }
}

impl Means {
    fn clear(&mut self, k: usize) {
        self.blocks.resize(k, [0.0; BLOCK]);
        self.filled = 0;
        self.products.clear();
        self.products.resize(k * k, 0.0);
    }

    fn push(&mut self, mean: impl Fn(usize) -> f64) {
        for (column, block) in self.blocks.iter_mut().enumerate() {
            block[self.filled] = mean(column);
        }
        self.filled += 1;
        if self.filled == BLOCK {
            self.sum();
        }
    }

    fn sum(&mut self) {
        let k = self.blocks.len();
        let column = |column: usize| &self.blocks[column][..self.filled];
        for a in 0..k {
            add_row(&mut self.products, k, a, column(a), column);
        }
        self.filled = 0;
    }

    /// Walks a block of times downwards from position `next`, several columns of `z` at a time.
    fn walk(&mut self, times: &[EventTime], next: usize, weight: &[f64], z: &[f64]) {
        let k = self.blocks.len();
        let mut at = 0;
        while at < k {
            match k - at {
                1 => self.walk_columns::<1>(at, times, next, weight, z),
                2 => self.walk_columns::<2>(at, times, next, weight, z),
                3 => self.walk_columns::<3>(at, times, next, weight, z),
                _ => self.walk_columns::<4>(at, times, next, weight, z),
            }
            at += 4;
        }
    }

    fn walk_columns<const N: usize>(
        &mut self,
        at: usize,
        times: &[EventTime],
        mut next: usize,
        weight: &[f64],
        z: &[f64],
    ) {
        let n = weight.len();
        let columns: [&[f64]; N] =
            std::array::from_fn(|column| &z[(at + column) * n..(at + column + 1) * n]);
        let mut sums: [f64; N] = std::array::from_fn(|column| self.sums[at + column]);
        let blocks = &mut self.blocks[at..at + N];
        let mut filled = self.filled;
        let add = |sums, from, to| add_rows(sums, &weight[from..to], columns.map(|c| &c[from..to]));
        for (event, factors) in times.iter().rev().zip(&self.factors) {
            if factors.two() {
                let dying = event.dying();
                let without = add(sums, dying.end, next);
                sums = add(without, dying.start, dying.end);
                for ((block, sum), without) in blocks.iter_mut().zip(sums).zip(without) {
                    block[filled] = factors.own * sum;
                    block[filled + 1] = factors.mixed * sum + factors.rest * without;
                }
                filled += 2;
            } else {
                sums = add(sums, event.first, next);
                for (block, sum) in blocks.iter_mut().zip(sums) {
                    block[filled] = factors.own * sum;
                }
                filled += 1;
            }
            next = event.first;
        }
        self.sums[at..at + N].copy_from_slice(&sums);
    }
}

impl Work {
    /// Log-likelihood at `beta`, not finite when a risk set has no weight left. `z` is column-major by position, `dying` has
    /// the sums of its columns over the dying.
    pub(super) fn evaluate(
        &mut self,
        frame: &Frame,
        z: &[f64],
        dying: &[f64],
        ties: Ties,
        beta: &[f64],
    ) -> f64 {
        let (n, k) = (frame.len(), beta.len());
        let at_zero = beta.iter().all(|b| b.abs() <= 0.0);
        self.weight.clear();
        self.weight.resize(n, if at_zero { 1.0 } else { 0.0 });
        if !at_zero {
            combine(beta, z, &mut self.weight);
        }
        self.means.clear(k);
        self.hazard.resize(frame.times.len(), (0.0, 0.0));
        self.expected.clear();
        self.expected.resize(n, 0.0);
        let nested = frame.nested();
        let mut log_likelihood = dot(beta, dying);
        let mut sums = (!nested).then(|| [RiskSet::new(n, k), RiskSet::new(n, k)]);
        for part in frame.parts() {
            if part.times.is_empty() {
                continue;
            }
            if !at_zero {
                let own = &mut self.weight[part.rows.clone()];
                let highest = most(own, f64::NEG_INFINITY, |eta| eta);
                for eta in own.iter_mut() {
                    *eta -= highest;
                }
                exponentiate(own);
                let events = frame.times[part.times.clone()].iter();
                let deaths: usize = events.map(|event| event.deaths).sum();
                log_likelihood -= highest * deaths as f64;
            }
            match &mut sums {
                None => {
                    log_likelihood -= self.walk(frame, &part, z, ties);
                    self.expect_nested(frame, &part);
                }
                Some(sums) => {
                    log_likelihood -= self.log_risk(frame, &part, z, ties, sums);
                    self.expect(frame, &part);
                }
            }
        }
        self.means.sum();
        self.sum_rows(z, dying);
        log_likelihood
    }

    /// `Σ_t Σ_l ln φ_l` of one stratum whose risk sets are nested, with its hazards and means left behind.
    fn walk(&mut self, frame: &Frame, part: &Part, z: &[f64], ties: Ties) -> f64 {
        let means = &mut self.means;
        means.sums.clear();
        means.sums.resize(means.blocks.len(), 0.0);
        let (mut logs, mut several) = (LogSum::new(), 0.0);
        let (mut total, mut next) = (0.0, part.rows.end);
        let mut end = part.times.end;
        while end > part.times.start {
            // As many times as the block has room for.
            means.factors.clear();
            let (mut begin, mut filled, top) = (end, means.filled, next);
            while begin > part.times.start && filled + 2 <= BLOCK {
                begin -= 1;
                let event = frame.times[begin];
                let dying = event.dying();
                let without = total + short_sum(&self.weight[dying.end..next]);
                total = if event.deaths == 1 {
                    without + self.weight[event.first]
                } else {
                    without + short_sum(&self.weight[dying])
                };
                next = event.first;
                let (factors, hazard) = if event.deaths == 1 {
                    logs.add(total);
                    let own = 1.0 / total;
                    (Factors::one(own), (own, 0.0))
                } else if ties == Ties::Breslow {
                    let deaths = event.deaths as f64;
                    several += deaths * libm::log(total);
                    (Factors::one(deaths.sqrt() / total), (deaths / total, 0.0))
                } else {
                    efron(event.deaths, total, without, &mut logs)
                };
                means.factors.push(factors);
                self.hazard[begin] = hazard;
                filled += 1 + usize::from(factors.two());
            }
            means.walk(&frame.times[begin..end], top, &self.weight, z);
            means.filled = filled;
            if filled + 2 > BLOCK {
                means.sum();
            }
            end = begin;
        }
        several + logs.value()
    }

    /// `Σ_t Σ_l ln φ_l` of one stratum, with its hazards and means left behind.
    fn log_risk(
        &mut self,
        frame: &Frame,
        part: &Part,
        z: &[f64],
        ties: Ties,
        sums: &mut [RiskSet; 2],
    ) -> f64 {
        let [risk_set, dying] = sums;
        let (weight, hazard, means) = (&self.weight, &mut self.hazard, &mut self.means);
        let (mut logs, mut sum) = (LogSum::new(), 0.0);
        frame.downwards(part, weight, z, risk_set, |at, risk_set| {
            let event = &frame.times[at];
            let deaths = event.deaths as f64;
            let total = risk_set.weight();
            if event.deaths == 1 {
                logs.add(total);
                let part = 1.0 / total;
                hazard[at] = (part, 0.0);
                means.push(|column| part * risk_set.column(column));
                return;
            }
            if ties == Ties::Breslow {
                sum += deaths * libm::log(total);
                hazard[at] = (deaths / total, 0.0);
                let part = deaths.sqrt() / total;
                means.push(|column| part * risk_set.column(column));
                return;
            }
            dying.clear();
            for position in event.dying() {
                dying.add(weight[position], z, position);
            }
            let mut own = (0.0, 0.0);
            for l in 0..event.deaths {
                let share = l as f64 / deaths;
                let left = total - share * dying.weight();
                logs.add(left);
                let part = 1.0 / left;
                own.0 += part;
                own.1 += share * part;
                means
                    .push(|column| part * (risk_set.column(column) - share * dying.column(column)));
            }
            hazard[at] = own;
        });
        sum + logs.value()
    }

    /// `u` of the rows of one stratum whose risk sets are nested.
    fn expect_nested(&mut self, frame: &Frame, part: &Part) {
        let times = &frame.times[part.times.clone()];
        let mut hazard = 0.0;
        for (at, event) in times.iter().enumerate() {
            let (own, share) = self.hazard[part.times.start + at];
            hazard += own;
            let end = times.get(at + 1).map_or(part.rows.end, |next| next.first);
            let rows = event.first..end;
            let expected = &mut self.expected[rows.clone()];
            for (expected, weight) in expected.iter_mut().zip(&self.weight[rows]) {
                *expected = weight * hazard;
            }
            if share > 0.0 {
                let dies = hazard - share;
                for position in event.dying() {
                    self.expected[position] = self.weight[position] * dies;
                }
            }
        }
    }

    /// `u` of the rows of one stratum.
    fn expect(&mut self, frame: &Frame, part: &Part) {
        // Σ G(t−) A₀ from each time on.
        let mut rest = vec![0.0; frame.lasting.as_ref().map_or(0, |_| part.times.len() + 1)];
        if let Some(lasting) = &frame.lasting {
            for at in part.times.clone().rev() {
                rest[at] = rest[at + 1] + lasting.followed[at] * self.hazard[at].0;
            }
        }
        let mut sum = 0.0;
        for (hazard, _) in &mut self.hazard[part.times.clone()] {
            sum += *hazard;
            *hazard = sum;
        }
        let hazard = &self.hazard;
        let until = |time: usize| {
            if time > part.times.start {
                hazard[time - 1]
            } else {
                (0.0, 0.0)
            }
        };
        let (weight, expected) = (&self.weight, &mut self.expected);
        frame.upwards(part, |reach| match reach {
            Reach::Until {
                position,
                until: time,
                dies,
            } => {
                let (mut own, share) = until(time);
                if dies {
                    own -= share;
                }
                if let Some(lasting) = &frame.lasting {
                    own += lasting.inverse[position] * rest[time];
                }
                expected[position] = weight[position] * own;
            }
            Reach::NotUntil {
                position,
                until: time,
            } => expected[position] -= weight[position] * until(time).0,
        });
    }

    /// Score and information from the rows and the risk sets' means; blocks of rows stay in the cache.
    fn sum_rows(&mut self, z: &[f64], dying: &[f64]) {
        let (n, k) = (self.expected.len(), dying.len());
        self.score.clear();
        self.score.extend_from_slice(dying);
        self.information.clear();
        self.information.resize(k * k, 0.0);
        let mut product = [0.0; BLOCK];
        for begin in (0..n).step_by(BLOCK) {
            let end = (begin + BLOCK).min(n);
            let product = &mut product[..end - begin];
            let expected = &self.expected[begin..end];
            let column = |column: usize| &z[column * n + begin..column * n + end];
            each_dot(expected, k, column, |a, sum| self.score[a] -= sum);
            for a in 0..k {
                for ((product, u), z) in product.iter_mut().zip(expected).zip(column(a)) {
                    *product = u * z;
                }
                add_row(&mut self.information, k, a, product, column);
            }
        }
        for (value, product) in self.information.iter_mut().zip(&self.means.products) {
            *value -= product;
        }
    }
}

/// Adds `Σ w z` of some columns to their sums, one row after the other where there are few.
#[inline]
fn add_rows<const N: usize>(mut sums: [f64; N], weight: &[f64], columns: [&[f64]; N]) -> [f64; N] {
    if weight.len() >= LONG {
        let parts = dots(weight, columns);
        return std::array::from_fn(|column| sums[column] + parts[column]);
    }
    let columns = columns.map(|column| &column[..weight.len()]);
    for (row, w) in weight.iter().enumerate() {
        for (sum, column) in sums.iter_mut().zip(&columns) {
            *sum += w * column[row];
        }
    }
    sums
}

/// `Σ w`, one after the other where there are few.
fn short_sum(weight: &[f64]) -> f64 {
    if weight.len() >= LONG {
        sum(weight)
    } else {
        weight.iter().sum()
    }
}

/// The terms of Efron at one time of `deaths` deaths: `total` and `without` are the weight of the risk set with and without
/// the dying. Answers the factors of the vectors, and `A₀` and `A₁`.
fn efron(deaths: usize, total: f64, without: f64, logs: &mut LogSum) -> (Factors, (f64, f64)) {
    if deaths == 2 {
        let left = 0.5 * (total + without);
        logs.add(total);
        logs.add(left);
        let (own, half) = (1.0 / total, 0.5 / left);
        let factors = Factors {
            own,
            mixed: half,
            rest: half,
        };
        return (factors, (own + 2.0 * half, half));
    }
    let step = 1.0 / deaths as f64;
    let mut hazard = (0.0, 0.0);
    // Products of 1 − a_l and a_l, times total/φ_l, with themselves and each other: weights may be too small for squares.
    let mut products = [0.0; 3];
    for l in 0..deaths {
        let share = l as f64 * step;
        let left = (1.0 - share) * total + share * without;
        logs.add(left);
        let part = 1.0 / left;
        hazard.0 += part;
        hazard.1 += share * part;
        let (with, out) = ((1.0 - share) * (part * total), share * (part * total));
        products[0] += with * with;
        products[1] += with * out;
        products[2] += out * out;
    }
    let rest = products[2].sqrt();
    let mixed = products[1] / rest;
    let own = (products[0] - mixed * mixed).max(0.0).sqrt();
    let factors = Factors {
        own: own / total,
        mixed: mixed / total,
        rest: rest / total,
    };
    (factors, hazard)
}
