//! The binomial distribution with guarded arguments.

use super::NumericsError;
use super::beta::Beta;

/// Number of successes in `n` independent trials of probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binomial {
    n: u64,
    p: f64,
}

impl Binomial {
    /// A distribution with 0 ≤ p ≤ 1.
    pub fn new(n: u64, p: f64) -> Result<Self, NumericsError> {
        if (0.0..=1.0).contains(&p) {
            Ok(Self { n, p })
        } else {
            Err(NumericsError::Domain {
                function: "binomial",
                name: "p",
                value: p,
            })
        }
    }

    /// `P(X = k)` through logarithms of gamma functions; 0 for k > n.
    pub fn pmf(&self, k: u64) -> f64 {
        if k > self.n {
            return 0.0;
        }
        let (n, x) = (self.n as f64, k as f64);
        if self.p == 0.0 {
            return f64::from(u8::from(k == 0));
        }
        if self.p >= 1.0 {
            return f64::from(u8::from(k == self.n));
        }
        let choose = libm::lgamma(n + 1.0) - libm::lgamma(x + 1.0) - libm::lgamma(n - x + 1.0);
        libm::exp(choose + x * libm::log(self.p) + (n - x) * libm::log1p(-self.p))
    }

    /// `P(X ≤ k) = I_(1−p)(n−k, k+1)`.
    ///
    /// ```
    /// use lottning::numerics::binomial::Binomial;
    /// let at_most_one = Binomial::new(3, 0.5)?.cdf(1); // (1 + 3)/8, by counting
    /// assert!((at_most_one - 0.5).abs() < 1e-13); // the tail is that of a beta variable, by a continued fraction
    /// # Ok::<(), lottning::numerics::NumericsError>(())
    /// ```
    pub fn cdf(&self, k: u64) -> f64 {
        if k >= self.n || self.p == 0.0 {
            return 1.0;
        }
        if self.p >= 1.0 {
            return 0.0;
        }
        Beta::new(k as f64 + 1.0, (self.n - k) as f64).map_or(1.0, |beta| beta.sf(self.p))
    }

    /// `P(X > k)`, accurate in the upper tail.
    pub fn sf(&self, k: u64) -> f64 {
        if k >= self.n || self.p == 0.0 {
            return 0.0;
        }
        if self.p >= 1.0 {
            return 1.0;
        }
        Beta::new(k as f64 + 1.0, (self.n - k) as f64).map_or(0.0, |beta| beta.cdf(self.p))
    }
}
