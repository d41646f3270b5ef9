//! Exact rationals of options: a probability as `4/5` or `0.8`, a weight as `2` or `0.5`. Never a float.

/// Most digits of a number that is read: two of them still multiply within 64 bits.
const DIGITS: usize = 9;

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

    /// From `a/b`, or a decimal with at most nine digits in all; no sign, no exponent, a point as the mark.
    pub(super) fn read(text: &str) -> Option<Self> {
        let whole = |digits: &str| -> Option<u64> {
            let plain = (1..=DIGITS).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten()
        };
        if let Some((over, under)) = text.split_once('/') {
            return Self::new(whole(over.trim())?, whole(under.trim())?);
        }
        let Some((units, decimals)) = text.split_once('.') else {
            return Self::new(whole(text)?, 1);
        };
        whole(units)?;
        whole(decimals)?;
        let all = whole(&format!("{units}{decimals}"))?;
        Self::new(all, 10_u64.pow(decimals.len() as u32))
    }
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

/// Greatest common divisor; that of 0 and `n` is `n`.
pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
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
        assert_eq!(read("0.333333333"), None); // ten digits
        assert_eq!(read("0.33333333"), Some((33_333_333, 100_000_000)));
        for text in [
            "", "/", "4/0", "-1", "+1", "1e-1", ".8", "0.", "0,8", "4/5/6", "a", "80%", "0.8.1",
        ] {
            assert_eq!(read(text), None, "{text}");
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
