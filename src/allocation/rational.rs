//! Exact rationals of options: a probability as `4/5` or `0.8`, a weight as `2` or `0.5`. Never a float: what is read
//! is what is drawn from, and two terms are equal only if they are.

use super::weights::gcd;

/// Largest numerator and denominator that are read: products with the parts of a ratio stay within 64 bits.
const LARGEST: u64 = 1_000_000_000;

/// A non-negative fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rational {
    /// Numerator.
    pub(super) over: u64,
    /// Denominator, at least 1.
    pub(super) under: u64,
}

impl Rational {
    /// A fraction in lowest terms; `None` with denominator 0.
    pub(super) fn new(over: u64, under: u64) -> Option<Self> {
        let divisor = gcd(over, under);
        (under > 0).then(|| Self {
            over: over / divisor,
            under: under / divisor,
        })
    }

    /// From `a/b` or a decimal; no sign, no exponent, a point as the mark. Both terms are at most 1,000,000,000, so a
    /// decimal has at most nine places.
    pub(super) fn read(text: &str) -> Option<Self> {
        let read = if let Some((over, under)) = text.split_once('/') {
            (digits(over.trim())?, digits(under.trim())?)
        } else if let Some((units, decimals)) = text.split_once('.') {
            let under = 10_u64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
            let whole = digits(units)?.checked_mul(under)?;
            (whole.checked_add(digits(decimals)?)?, under)
        } else {
            (digits(text)?, 1)
        };
        (read.0.max(read.1) <= LARGEST)
            .then(|| Self::new(read.0, read.1))
            .flatten()
    }
}

impl Rational {
    /// The fraction with the smallest denominator up to 1000 that is nearest to a decimal of ten to eighteen places;
    /// `None` for any other text.
    pub(super) fn near(text: &str) -> Option<Self> {
        let (units, decimals) = text.split_once('.')?;
        if !(10..=18).contains(&decimals.len()) {
            return None;
        }
        let scale = 10_u128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        let units = digits(units).filter(|units| *units <= LARGEST)?;
        let value = u128::from(units) * scale + u128::from(digits(decimals)?);
        // The distance of over/under from the decimal is off/(under · scale).
        let nearest = (1..=1000_u128).map(|under| {
            let over = (value * under + scale / 2) / scale;
            ((over * scale).abs_diff(value * under), under, over)
        });
        let (_, under, over) = nearest.reduce(|best, next| {
            let nearer = next.0 * best.1 < best.0 * next.1;
            if nearer { next } else { best }
        })?;
        Self::new(u64::try_from(over).ok()?, u64::try_from(under).ok()?)
    }
}

/// ASCII digits only.
fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let cross = |a: u64, b: u64| u128::from(a) * u128::from(b);
        cross(self.over, other.under).cmp(&cross(other.over, self.under))
    }
}

impl std::fmt::Display for Rational {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.under {
            1 => write!(f, "{}", self.over),
            under => write!(f, "{}/{under}", self.over),
        }
    }
}

/// Positive numbers as whole ones in the same proportion, in lowest terms; `None` above `most` or with a zero.
pub(super) fn proportion(numbers: &[Rational], most: u64) -> Option<Vec<u64>> {
    let common = numbers.iter().try_fold(1_u64, |common, number| {
        (common / gcd(common, number.under)).checked_mul(number.under)
    })?;
    let whole: Vec<u64> = numbers
        .iter()
        .map(|number| number.over.checked_mul(common / number.under))
        .collect::<Option<_>>()?;
    let divisor = whole.iter().copied().fold(0, gcd).max(1);
    let lowest: Vec<u64> = whole.iter().map(|number| number / divisor).collect();
    lowest
        .iter()
        .all(|number| (1..=most).contains(number))
        .then_some(lowest)
}

#[cfg(test)]
mod tests {
    use super::{Rational, proportion};

    fn read(text: &str) -> Option<(u64, u64)> {
        Rational::read(text).map(|own| (own.over, own.under))
    }

    #[test]
    fn fractions_and_decimals_are_read_exactly_and_nothing_else_is() {
        assert_eq!(read("4/5"), Some((4, 5)));
        assert_eq!(read("0.8"), Some((4, 5)));
        assert_eq!(read("80/100"), Some((4, 5)));
        assert_eq!(read("1"), Some((1, 1)));
        assert_eq!(read("1.0"), Some((1, 1)));
        assert_eq!(read("0"), Some((0, 1)));
        assert_eq!(read("0.333333333"), Some((333_333_333, 1_000_000_000)));
        assert_eq!(read("0.3333333333"), None); // ten places
        assert_eq!(read("1/1000000001"), None);
        for text in [
            "", "/", "4/0", "-1", "+1", "1e-1", ".8", "0.", "0,8", "4/5/6", "a", "80%", "0.8.1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_decimal_that_is_too_long_is_near_a_fraction() {
        let near = |text: &str| Rational::near(text).map(|own| own.to_string());
        assert_eq!(near("0.6666666667").as_deref(), Some("2/3"));
        assert_eq!(near("0.666666666666666667").as_deref(), Some("2/3"));
        assert_eq!(near("0.7000000000").as_deref(), Some("7/10"));
        assert_eq!(near("0.8571428571").as_deref(), Some("6/7"));
        for text in [
            "0.666666667",
            "2/3",
            "0.66666666x7",
            "-0.6666666667",
            "0.0000000000000000001",
        ] {
            assert_eq!(near(text), None, "{text}");
        }
    }

    #[test]
    fn order_and_proportion_are_exact() {
        let of = |text: &str| Rational::read(text).unwrap();
        assert!(of("0.33333333") < of("1/3") && of("1/3") < of("0.33333334"));
        assert_eq!(
            proportion(&[of("2"), of("1")], 9).as_deref(),
            Some(&[2, 1][..])
        );
        assert_eq!(
            proportion(&[of("0.5"), of("0.75")], 9).as_deref(),
            Some(&[2, 3][..])
        );
        assert_eq!(
            proportion(&[of("6"), of("3")], 9).as_deref(),
            Some(&[2, 1][..])
        );
        assert_eq!(proportion(&[of("0"), of("1")], 9), None);
        assert_eq!(proportion(&[of("1/10"), of("1")], 9), None);
    }
}
