//! Sums of probabilities that come out right in the last digit: numbers of twice the precision of a double.
//!
//! Two doubles whose sum is the number, the second below half a unit in the last place of the first. Error of a sum or
//! product below 2^-100 of it (of a sum: of the larger term), so that a long sum of products, rounded to a double at the end,
//! is the nearest double but for ties that are as near as that. Plain operations alone, the same on every platform.
//! Source: Dekker 1971, doi 10.1007/BF01397083; Knuth 1998, volume 2, section 4.2.2, theorem B.

use std::ops::{Add, AddAssign, Div, Mul};

/// A number of about 106 bits, in size between 10^-250 and 10^250 or zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Twofold {
    high: f64,
    low: f64,
}

impl Twofold {
    /// One.
    pub const ONE: Self = Self {
        high: 1.0,
        low: 0.0,
    };

    /// The nearest double.
    #[must_use]
    pub fn rounded(self) -> f64 {
        self.high
    }

    /// The sum of two doubles where the first is not the smaller one, without error.
    fn ordered(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self {
            high: sum,
            low: low - (sum - high),
        }
    }

    /// The sum of two doubles, without error.
    fn sum(one: f64, two: f64) -> Self {
        let sum = one + two;
        let part = sum - one;
        Self {
            high: sum,
            low: (one - (sum - part)) + (two - part),
        }
    }

    /// The product of two doubles, without error.
    fn product(one: f64, two: f64) -> Self {
        let product = one * two;
        let ((a, b), (c, d)) = (halves(one), halves(two));
        Self {
            high: product,
            low: ((a * c - product) + a * d + b * c) + b * d,
        }
    }
}

/// A double as the sum of two with half the digits each.
fn halves(number: f64) -> (f64, f64) {
    let spread = 134_217_729.0 * number;
    let high = spread - (spread - number);
    (high, number - high)
}

impl From<f64> for Twofold {
    fn from(number: f64) -> Self {
        Self {
            high: number,
            low: 0.0,
        }
    }
}

impl From<Twofold> for f64 {
    fn from(number: Twofold) -> Self {
        number.rounded()
    }
}

/// Without error.
impl From<u64> for Twofold {
    fn from(number: u64) -> Self {
        let below = number & 0xffff_ffff;
        Self::sum((number - below) as f64, below as f64)
    }
}

impl Add for Twofold {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (high, low) = (
            Self::sum(self.high, other.high),
            Self::sum(self.low, other.low),
        );
        let carried = Self::ordered(high.high, high.low + low.high);
        Self::ordered(carried.high, carried.low + low.low)
    }
}

impl AddAssign for Twofold {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul for Twofold {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let main = Self::product(self.high, other.high);
        let rest = self.high * other.low + self.low * other.high;
        Self::ordered(main.high, main.low + rest)
    }
}

/// By a number that is not zero.
impl Div for Twofold {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let mut rest = self;
        let mut quotient = Self::default();
        for _ in 0..3 {
            let part = Self::from(rest.high / other.high);
            quotient += part;
            rest += part * other * Self::from(-1.0);
        }
        quotient
    }
}

#[cfg(test)]
mod tests {
    use super::Twofold;

    /// By law: n parts of 1/n are one, and 7/n of n parts of 1/7 too; in doubles the sum of ten tenths is not.
    #[test]
    fn parts_of_a_whole_are_the_whole() {
        let doubles = (0..10).fold(0.0, |sum, _| sum + 0.1);
        assert!(doubles < 1.0);
        for n in 1..2_000_u64 {
            let part = Twofold::ONE / Twofold::from(n);
            let sum = (0..n).fold(Twofold::default(), |sum, _| sum + part);
            assert_eq!(sum.rounded().to_bits(), 1.0_f64.to_bits(), "{n}");
            let product = part * Twofold::from(n);
            assert_eq!(product.rounded().to_bits(), 1.0_f64.to_bits(), "{n}");
        }
    }

    /// Whole numbers beyond the digits of a double: 2^53 + 1 squared is 2^106 + 2^54 + 1 by hand, of which less 2^106 the rest
    /// stands in the second double; and 2^64 - 1 is held without error.
    #[test]
    fn twice_the_digits_of_a_double() {
        let big = 1_u64 << 53;
        let own = Twofold::from(big + 1);
        let rest = own * own + Twofold::from(-(2.0_f64.powi(106)));
        assert_eq!(rest.rounded().to_bits(), 2.0_f64.powi(54).to_bits());
        let less = Twofold::from(u64::MAX) + Twofold::from(-(2.0_f64.powi(64)));
        assert_eq!(less.rounded().to_bits(), (-1.0_f64).to_bits());
    }

    /// Halves of a random walk: (1/3 + 2/3)^k is one for every k, by the binomial theorem summed term by term.
    #[test]
    fn binomial_probabilities_sum_to_one() {
        let third = Twofold::ONE / Twofold::from(3_u64);
        let rest = third + third;
        let mut row = vec![Twofold::ONE];
        for _ in 0..300 {
            let mut next = vec![Twofold::default(); row.len() + 1];
            for (place, own) in row.iter().enumerate() {
                next[place] += *own * third;
                next[place + 1] += *own * rest;
            }
            row = next;
            let sum = row.iter().fold(Twofold::default(), |sum, own| sum + *own);
            assert_eq!(sum.rounded().to_bits(), 1.0_f64.to_bits());
        }
    }
}
