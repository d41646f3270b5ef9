//! How much estimates vary, what their standard errors say of it, and how well both are known.
//!
//! The Monte Carlo error of a standard deviation follows from the fourth central moment of the estimates, and assumes no
//! normal law: Var(S²) = (μ₄ − μ₂²·(n − 3)/(n − 1))/n (Cramér 1946, ISBN 0-691-00547-8, section 27.4), and the error of S
//! is √Var(S²)/(2S) by the delta method; for normal estimates that is S/√(2(n − 1)) of Morris, White and Crowther 2019
//! (table 6). Of the relative error ½·log(V̄/S²) has the variance ¼·(Var V̄/V̄² + Var S²/S⁴ − 2·Cov(V̄, S²)/(V̄·S²)), where V
//! are the squared standard errors of the same studies and Cov(V̄, S²) = E[(V − EV)(X − EX)²]/n: an estimate that lies far
//! out often comes with a standard error of its own size.
//!
//! Moments are updated value by value (Pébay 2008, doi 10.2172/1028931), in the order of the studies.

use super::{Figure, Moments};

/// Estimates and squared standard errors of the same studies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spread {
    estimate: Moments,
    variance: Moments,
    /// Studies whose estimate has no standard error, as that of a bound.
    lacking: u64,
    /// Sums of (x − x̄)³ and (x − x̄)⁴ of the estimates.
    third: f64,
    fourth: f64,
    /// Sums of (v − v̄)(x − x̄) and (v − v̄)(x − x̄)².
    product: f64,
    product_of_square: f64,
}

impl Spread {
    /// Adds an estimate with its standard error, infinite where it has none.
    pub(super) fn add(&mut self, estimate: f64, std_error: f64) {
        let square = if std_error.is_finite() {
            std_error * std_error
        } else {
            self.lacking += 1;
            self.variance.mean
        };
        let (d, e) = (estimate - self.estimate.mean, square - self.variance.mean);
        let n = self.estimate.n as f64 + 1.0;
        let (d_n, second) = (d / n, self.estimate.square);
        let both = d * d_n * (n - 1.0);
        self.fourth += both * d_n * d_n * (n * n - 3.0 * n + 3.0) + 6.0 * d_n * d_n * second
            - 4.0 * d_n * self.third;
        self.third += both * d_n * (n - 2.0) - 3.0 * d_n * second;
        self.product_of_square +=
            both * e / n * (n - 2.0) - 2.0 * d_n * self.product - e / n * second;
        self.product += d_n * e * (n - 1.0);
        self.estimate.add(estimate);
        self.variance.add(square);
    }

    /// Variance of S², the squared standard deviation of the estimates.
    fn variance_of_square(&self) -> f64 {
        let n = self.estimate.n as f64;
        let second = self.estimate.variance();
        ((self.fourth / n - second * second * (n - 3.0) / (n - 1.0)) / n).max(0.0)
    }

    /// Standard deviation of the estimates.
    pub(super) fn empirical_se(&self) -> Figure {
        if self.estimate.n < 2 {
            return Figure::default();
        }
        let s = self.estimate.variance().sqrt();
        // Estimates that are all alike vary by nothing, and as far as is seen that is certain.
        let error = if s > 0.0 {
            self.variance_of_square().sqrt() / (2.0 * s)
        } else {
            0.0
        };
        Figure::new(s, error)
    }

    /// Whether every estimate has a standard error, and there are two at least.
    fn complete(&self) -> bool {
        self.estimate.n >= 2 && self.lacking == 0
    }

    /// Root of the mean squared standard error; without a value where an estimate has none.
    pub(super) fn model_se(&self) -> Figure {
        if !self.complete() {
            return Figure::default();
        }
        let mean = self.variance.mean;
        let n = self.estimate.n as f64;
        Figure::new(
            mean.sqrt(),
            (self.variance.variance() / (4.0 * n * mean)).sqrt(),
        )
    }

    /// `model_se / empirical_se − 1`; without a value where an estimate has no standard error.
    pub(super) fn relative_error(&self) -> Figure {
        if !self.complete() {
            return Figure::default();
        }
        let n = self.estimate.n as f64;
        let (mean, second) = (self.variance.mean, self.estimate.variance());
        let of_mean = self.variance.variance() / (n * mean * mean);
        let of_square = self.variance_of_square() / (second * second);
        let together = self.product_of_square / (n * n * mean * second);
        let relative = (of_mean + of_square - 2.0 * together).max(0.0) / 4.0;
        let ratio = (mean / second).sqrt();
        Figure::new(ratio - 1.0, ratio * relative.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;
    use crate::numerics::stream::{replicate, unit};
    use crate::planning::performance::Figure;

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 1e-12 * expected.abs().max(1e-3),
            "{found} is not {expected}"
        );
    }

    fn spread(pairs: &[(f64, f64)]) -> Spread {
        let mut sums = Spread::default();
        for (estimate, std_error) in pairs {
            sums.add(*estimate, *std_error);
        }
        sums
    }

    /// By hand: estimates 0, 0, 0, 4 with squared standard errors 1, 1, 1, 5. Deviations −1, −1, −1, 3: S² = 12/3 = 4,
    /// m₄ = (3 + 81)/4 = 21, Var S² = (21 − 16/3)/4 = 47/12, error √(47/12)/4. Squared errors: mean 2, deviations −1, −1,
    /// −1, 3, variance 4; Var V̄ = 1. Σ(v − v̄)(x − x̄)² = −3 + 27 = 24, Cov = 24/16 = 1.5. Relative: 1/4 + (47/12)/16 −
    /// 2·1.5/(2·4) = .25 + .2447917 − .375 = .1197917, over 4; ratio √(2/4).
    #[test]
    fn four_studies_by_hand() {
        let sums = spread(&[(0.0, 1.0), (0.0, 1.0), (0.0, 1.0), (4.0, 5.0_f64.sqrt())]);
        let Figure { value, mcse, .. } = sums.empirical_se();
        close(value.unwrap(), 2.0);
        close(mcse.unwrap(), (47.0_f64 / 12.0).sqrt() / 4.0);
        let Figure { value, mcse, .. } = sums.model_se();
        close(value.unwrap(), 2.0_f64.sqrt());
        close(mcse.unwrap(), (4.0_f64 / (4.0 * 4.0 * 2.0)).sqrt());
        let Figure { value, mcse, .. } = sums.relative_error();
        close(value.unwrap(), 0.5_f64.sqrt() - 1.0);
        let relative = (0.25 + 47.0 / 192.0 - 0.375) / 4.0;
        close(mcse.unwrap(), 0.5_f64.sqrt() * f64::sqrt(relative));
    }

    /// By hand: one estimate without a standard error: the spread of estimates is told, and nothing of standard errors.
    #[test]
    fn an_estimate_without_a_standard_error() {
        let sums = spread(&[(0.0, 1.0), (0.0, f64::INFINITY), (0.0, 1.0), (4.0, 1.0)]);
        close(sums.empirical_se().value.unwrap(), 2.0);
        close(
            sums.empirical_se().mcse.unwrap(),
            (47.0_f64 / 12.0).sqrt() / 4.0,
        );
        assert_eq!(sums.model_se(), Figure::default());
        assert_eq!(sums.relative_error(), Figure::default());
    }

    /// By law: sums are those of the definitions, over all studies at once, and where the estimates lie moves nothing.
    #[test]
    fn moments_are_those_of_the_definitions() {
        let mut words = replicate(&[7; 32], 0);
        let pairs: Vec<(f64, f64)> = (0..500)
            .map(|_| {
                let x = unit(&mut words).powi(3);
                (x, 0.2 + x * unit(&mut words))
            })
            .collect();
        let n = pairs.len() as f64;
        let mean = pairs.iter().map(|(x, _)| x).sum::<f64>() / n;
        let mean_v = pairs.iter().map(|(_, s)| s * s).sum::<f64>() / n;
        let sum = |of: &dyn Fn(f64, f64) -> f64| {
            let each = pairs.iter().map(|(x, s)| of(x - mean, s * s - mean_v));
            each.sum::<f64>()
        };
        for away in [0.0, 1000.0] {
            let moved: Vec<_> = pairs.iter().map(|(x, s)| (x + away, *s)).collect();
            let sums = spread(&moved);
            for (found, expected) in [
                (sums.third, sum(&|d, _| d.powi(3))),
                (sums.fourth, sum(&|d, _| d.powi(4))),
                (sums.product, sum(&|d, e| d * e)),
                (sums.product_of_square, sum(&|d, e| d * d * e)),
            ] {
                assert!(
                    (found - expected).abs() < 1e-9 * expected.abs(),
                    "{found} {expected}"
                );
            }
        }
    }

    /// By law: of estimates that follow a normal law the error is S/√(2(n − 1)), for any n: with m₄ = 3·S⁴·(n − 1)²/n² up to
    /// what the sample has of its own. 200,000 quantiles of the normal law, evenly spaced: within .1 %.
    #[test]
    fn a_normal_law_has_the_error_of_the_table() {
        let n = 200_000_u32;
        let mut sums = Spread::default();
        for k in 0..n {
            let share = (f64::from(k) + 0.5) / f64::from(n);
            sums.add(crate::numerics::normal::quantile(share).unwrap(), 1.0);
        }
        let Figure { value, mcse, .. } = sums.empirical_se();
        let table = value.unwrap() / (2.0 * f64::from(n - 1)).sqrt();
        assert!(
            (mcse.unwrap() / table - 1.0).abs() < 1e-3,
            "{mcse:?} {table}"
        );
    }

    /// By law: an estimate is 1 with probability p and else 0, so that S² = p(1 − p) and, with q = 1 − p, μ₄ = pq(q³ + p³);
    /// its squared standard error is 1 or 2, tied to it. Over many simulations of 400 studies the spread of each figure is
    /// what its error says on average (a difference of 4 standard errors of a spread of 4,000 values, 4.5 %, and the delta
    /// method's own). At p = .02 a normal law would say .00496 for the empirical standard error, a fifth of what it is.
    #[test]
    fn errors_are_the_spread_of_the_figures() {
        let (p, studies, simulations) = (0.02, 400, 4000);
        let mut figures = [Vec::new(), Vec::new()];
        let mut errors = [0.0, 0.0];
        for simulation in 0..simulations {
            let mut words = replicate(&[9; 32], simulation);
            let mut sums = Spread::default();
            for _ in 0..studies {
                let far = unit(&mut words) < p;
                let large = unit(&mut words) < if far { 0.9 } else { 0.3 };
                sums.add(f64::from(u8::from(far)), if large { 2.0 } else { 1.0 });
            }
            for (at, figure) in [sums.empirical_se(), sums.relative_error()]
                .iter()
                .enumerate()
            {
                // A simulation without a single far estimate has no spread and no ratio: probability .98⁴⁰⁰ = 3e-4.
                if let (Some(value), Some(mcse)) = (figure.value, figure.mcse) {
                    // The relative error is skew: on the logarithm its error is the share of it.
                    let is_ratio = at == 1;
                    figures[at].push(if is_ratio { (1.0 + value).ln() } else { value });
                    errors[at] += if is_ratio {
                        (mcse / (1.0 + value)).powi(2)
                    } else {
                        mcse.powi(2)
                    };
                }
            }
        }
        for (values, squares) in figures.iter().zip(errors) {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let own = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let ratio = (squares / n / own).sqrt();
            assert!((ratio - 1.0).abs() < 0.12, "{ratio}");
        }
        // By the law of the two-point estimate: √((μ₄ − S⁴)/n)/(2S).
        let q = 1.0 - p;
        let law = f64::sqrt((p * q * (q.powi(3) + p.powi(3)) - p * p * q * q) / 400.0)
            / (2.0 * f64::sqrt(p * q));
        assert!((law - 0.024_0).abs() < 5e-4, "{law}");
    }
}
