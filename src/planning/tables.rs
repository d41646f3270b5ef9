//! Every two-by-two table of two binomial samples, the p-value of a test in each, and the chance of each table.
//!
//! This is where power without Monte Carlo error comes from. Sums run in a fixed order, so results do not depend on
//! anything but the arguments. Formulas are in `two_proportions`.

use crate::numerics::binomial::Binomial;
use crate::numerics::{NumericsError, normal};

/// A test of a two-by-two table whose rejections can be enumerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableTest {
    /// Normal test of the difference with the pooled variance.
    Pooled,
    /// Normal test of the difference with the unpooled variance.
    Unpooled,
    /// Normal test of the difference with the pooled variance and Yates's correction: the difference is moved towards 0 by
    /// half of `1/n1 + 1/n0`, at most to 0.
    Continuity,
    /// Fisher's exact test; two-sided it counts the tables that are not more likely than the observed one.
    Fisher,
    /// Fisher's exact test; two-sided twice the smaller tail.
    FisherCentral,
}

/// The alternative of a test: on both sides, or on the side where the treated arm is lower or higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Both.
    Both,
    /// A lower proportion in the treated arm.
    Lower,
    /// A higher proportion in the treated arm.
    Higher,
}

/// A p-value is at most alpha up to this relative rounding: exact p-values are fractions that can equal alpha.
const TIE: f64 = 1e-9;
/// Tables as likely as the observed one up to rounding belong to its tail (as in R's `fisher.test`).
const AS_LIKELY: f64 = 1e-7;

/// The p-value of a test in each table of `n1` treated and `n0` control individuals.
#[derive(Debug, Clone)]
pub struct Tables {
    n1: usize,
    n0: usize,
    /// Row `x1`, column `x0`.
    p: Vec<f64>,
}

impl Tables {
    /// Computes every p-value: `(n1 + 1)(n0 + 1)` of them.
    pub fn new(test: TableTest, tail: Tail, n1: usize, n0: usize) -> Self {
        let mut tables = Self {
            n1,
            n0,
            p: vec![1.0; (n1 + 1) * (n0 + 1)],
        };
        match test {
            TableTest::Pooled => tables.normal(tail, true, false),
            TableTest::Unpooled => tables.normal(tail, false, false),
            TableTest::Continuity => tables.normal(tail, true, true),
            TableTest::Fisher => tables.fisher(tail, false),
            TableTest::FisherCentral => tables.fisher(tail, true),
        }
        tables
    }

    /// The p-value of the table with `x1` treated and `x0` control events.
    pub fn p_value(&self, x1: usize, x0: usize) -> f64 {
        self.p[x1 * (self.n0 + 1) + x0]
    }

    fn normal(&mut self, tail: Tail, pooled: bool, corrected: bool) {
        let (n1, n0) = (self.n1 as f64, self.n0 as f64);
        let correction = if corrected {
            0.5 * (1.0 / n1 + 1.0 / n0)
        } else {
            0.0
        };
        for x1 in 0..=self.n1 {
            for x0 in 0..=self.n0 {
                let (a, b) = (x1 as f64, x0 as f64);
                let (p1, p0) = (a / n1, b / n0);
                // The counts are compared crosswise, so that equal proportions are equal in floating point too.
                let crude = (a * n0 - b * n1) / (n1 * n0);
                let difference = (crude.abs() - correction).max(0.0).copysign(crude);
                let variance = if pooled {
                    let mean = (a + b) / (n1 + n0);
                    mean * (1.0 - mean) * (1.0 / n1 + 1.0 / n0)
                } else {
                    p1 * (1.0 - p1) / n1 + p0 * (1.0 - p0) / n0
                };
                let p = if difference == 0.0 {
                    if tail == Tail::Both { 1.0 } else { 0.5 }
                } else {
                    // Without variance a difference is infinitely many standard errors large.
                    let z = if variance > 0.0 {
                        difference / variance.sqrt()
                    } else {
                        f64::INFINITY.copysign(difference)
                    };
                    match tail {
                        Tail::Both => normal::two_sided(z),
                        Tail::Lower => normal::cdf(z),
                        Tail::Higher => normal::sf(z),
                    }
                };
                self.p[x1 * (self.n0 + 1) + x0] = p;
            }
        }
    }

    fn fisher(&mut self, tail: Tail, central: bool) {
        let mut pmf = Vec::new();
        let mut order = Vec::new();
        for events in 0..=self.n1 + self.n0 {
            let low = hypergeometric(self.n1, self.n0, events, &mut pmf);
            // P(X ≤ x) from below and P(X ≥ x) from above: small tails keep their digits.
            let mut lower = pmf.clone();
            let mut upper = pmf.clone();
            for k in 1..pmf.len() {
                lower[k] += lower[k - 1];
                let from_end = pmf.len() - 1 - k;
                upper[from_end] += upper[from_end + 1];
            }
            let two_sided = if tail == Tail::Both && !central {
                not_more_likely(&pmf, &mut order)
            } else {
                Vec::new()
            };
            for k in 0..pmf.len() {
                let p: f64 = match tail {
                    Tail::Lower => lower[k],
                    Tail::Higher => upper[k],
                    Tail::Both if central => 2.0 * lower[k].min(upper[k]),
                    Tail::Both => two_sided[k],
                };
                let (x1, x0) = (low + k, events - low - k);
                self.p[x1 * (self.n0 + 1) + x0] = p.min(1.0);
            }
        }
    }

    /// Chance that the p-value is at most `alpha` when the proportions are `p1` and `p0`:
    /// `Σ 1(p(x1, x0) ≤ α) b(x1; n1, p1) b(x0; n0, p0)`.
    pub fn power(&self, p1: f64, p0: f64, alpha: f64) -> Result<f64, NumericsError> {
        let b1 = masses(self.n1, p1)?;
        let b0 = masses(self.n0, p0)?;
        let limit = alpha * (1.0 + TIE);
        Ok(self
            .p
            .chunks_exact(self.n0 + 1)
            .zip(&b1)
            .map(|(row, mass)| {
                let inner: f64 = row
                    .iter()
                    .zip(&b0)
                    .map(|(p, mass)| if *p <= limit { *mass } else { 0.0 })
                    .sum();
                mass * inner
            })
            .sum::<f64>()
            .clamp(0.0, 1.0))
    }

    /// The smallest alpha at which the test has at least `power`: a p-value of one of the tables.
    pub fn alpha(&self, p1: f64, p0: f64, power: f64) -> Result<f64, NumericsError> {
        let b1 = masses(self.n1, p1)?;
        let b0 = masses(self.n0, p0)?;
        let mut tables: Vec<(f64, f64)> = self
            .p
            .iter()
            .enumerate()
            .map(|(at, p)| {
                let (x1, x0) = (at / (self.n0 + 1), at % (self.n0 + 1));
                (*p, b1[x1] * b0[x0])
            })
            .collect();
        tables.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = 0.0;
        for (p, mass) in tables {
            sum += mass;
            // The order of summation is another one than in `power`; its rounding is no reason to go one table on.
            if sum >= power - 1e-13 {
                return Ok(p);
            }
        }
        Ok(1.0)
    }
}

/// Probabilities of 0 … n events.
fn masses(n: usize, p: f64) -> Result<Vec<f64>, NumericsError> {
    let binomial = Binomial::new(n as u64, p)?;
    Ok((0..=n).map(|k| binomial.pmf(k as u64)).collect())
}

/// Probabilities of x1 treated events given `events` in all, from the least admissible x1 on, which is returned.
///
/// `P(k+1)/P(k) = (n1 − k)(m − k) / ((k + 1)(n0 − m + k + 1))`, from the mode outwards, then divided by the sum.
fn hypergeometric(n1: usize, n0: usize, events: usize, pmf: &mut Vec<f64>) -> usize {
    let low = events.saturating_sub(n0);
    let high = events.min(n1);
    let mode = ((events + 1) * (n1 + 1) / (n1 + n0 + 2)).clamp(low, high);
    pmf.clear();
    pmf.resize(high - low + 1, 0.0);
    pmf[mode - low] = 1.0;
    let ratio = |k: usize| {
        ((n1 - k) as f64 * (events - k) as f64) / ((k + 1) as f64 * (n0 + k + 1 - events) as f64)
    };
    for k in mode..high {
        pmf[k + 1 - low] = pmf[k - low] * ratio(k);
    }
    for k in (low..mode).rev() {
        pmf[k - low] = pmf[k + 1 - low] / ratio(k);
    }
    let sum: f64 = pmf.iter().sum();
    for value in pmf.iter_mut() {
        *value /= sum;
    }
    low
}

/// For each value the total probability of the values that are not more likely.
fn not_more_likely(pmf: &[f64], order: &mut Vec<usize>) -> Vec<f64> {
    order.clear();
    order.extend(0..pmf.len());
    order.sort_by(|a, b| pmf[*a].total_cmp(&pmf[*b]));
    let mut p = vec![1.0; pmf.len()];
    let (mut sum, mut next) = (0.0, 0);
    for &k in &*order {
        while next < order.len() && pmf[order[next]] <= pmf[k] * (1.0 + AS_LIKELY) {
            sum += pmf[order[next]];
            next += 1;
        }
        p[k] = sum;
    }
    p
}

#[cfg(test)]
mod tests {
    use super::{TableTest, Tables, Tail};

    #[test]
    fn the_lady_tasting_tea() {
        // Four cups each, 4 against 0: one of C(8,4) = 70 divisions; two-sided 2/70. 3 against 1: 16 + 1 of 70 above.
        let one = Tables::new(TableTest::Fisher, Tail::Higher, 4, 4);
        assert!((one.p_value(4, 0) - 1.0 / 70.0).abs() < 1e-15);
        assert!((one.p_value(3, 1) - 17.0 / 70.0).abs() < 1e-15);
        for test in [TableTest::Fisher, TableTest::FisherCentral] {
            let two = Tables::new(test, Tail::Both, 4, 4);
            assert!((two.p_value(4, 0) - 2.0 / 70.0).abs() < 1e-15);
            assert!((two.p_value(3, 1) - 34.0 / 70.0).abs() < 1e-15);
            assert!((two.p_value(2, 2) - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn the_two_two_sided_fishers_differ_when_the_margin_is_skew() {
        // n1 = 2, n0 = 3, two events: P(x1 = 0, 1, 2) = 3/10, 6/10, 1/10. Observed 0: not more likely are 0 and 2
        // (4/10); twice the smaller tail is 6/10.
        let likely = Tables::new(TableTest::Fisher, Tail::Both, 2, 3);
        assert!((likely.p_value(0, 2) - 0.4).abs() < 1e-15);
        let central = Tables::new(TableTest::FisherCentral, Tail::Both, 2, 3);
        assert!((central.p_value(0, 2) - 0.6).abs() < 1e-15);
    }

    #[test]
    fn a_p_value_equal_to_alpha_rejects() {
        // Three each, 3 against 0: one of C(6,3) = 20. Power at p1 = p0 = 1/2: 1/64 at alpha exactly 1/20.
        let tables = Tables::new(TableTest::Fisher, Tail::Higher, 3, 3);
        let power = tables.power(0.5, 0.5, 0.05).unwrap();
        assert!((power - 1.0 / 64.0).abs() < 1e-15, "{power}");
    }

    #[test]
    fn alpha_is_the_inverse_of_power() {
        let tables = Tables::new(TableTest::Pooled, Tail::Both, 20, 30);
        let alpha = tables.alpha(0.2, 0.5, 0.5).unwrap();
        assert!(tables.power(0.2, 0.5, alpha).unwrap() >= 0.5);
        assert!(tables.power(0.2, 0.5, alpha * 0.999_999).unwrap() < 0.5);
    }

    #[test]
    fn no_variance_is_an_infinite_difference_and_no_difference_none() {
        let tables = Tables::new(TableTest::Unpooled, Tail::Both, 5, 5);
        assert!(tables.p_value(5, 0).abs() < 1e-300);
        assert!((tables.p_value(0, 0) - 1.0).abs() < 1e-15);
        assert!((tables.p_value(5, 5) - 1.0).abs() < 1e-15);
    }
}
