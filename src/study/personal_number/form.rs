//! What a personal number is made of: digits in groups, the signs between them, a date, a check digit.

use std::ops::Range;
use zeroize::Zeroizing;

/// So many signs in a row may stand between two digits of a number.
pub(super) const JOINTS: usize = 3;

/// Digits of a text that nothing but signs keeps apart. It holds places, never the digits.
pub(super) struct Chain {
    /// Where each digit stands, and the number of its group.
    digits: Vec<(usize, usize)>,
}

impl Chain {
    /// The number of digits.
    pub(super) fn len(&self) -> usize {
        self.digits.len()
    }

    /// The number of the group that a digit stands in.
    pub(super) fn group(&self, digit: usize) -> usize {
        self.digits
            .get(digit)
            .map_or(usize::MAX, |(_, group)| *group)
    }

    /// Whether a group begins at a digit, or the chain ends there.
    pub(super) fn is_edge(&self, digit: usize) -> bool {
        digit == 0 || self.group(digit) != self.group(digit - 1)
    }

    /// The values of some digits.
    pub(super) fn digits(&self, text: &[u8], place: &Range<usize>) -> Zeroizing<Vec<u8>> {
        let digits = self.digits.get(place.clone()).unwrap_or_default();
        let bytes = digits.iter().filter_map(|(at, _)| text.get(*at));
        Zeroizing::new(bytes.map(|byte| byte.wrapping_sub(b'0')).collect())
    }

    /// The bytes from the first to the last of some digits.
    pub(super) fn bytes(&self, place: &Range<usize>) -> Option<Range<usize>> {
        let digits = self.digits.get(place.clone())?;
        Some(digits.first()?.0..digits.last()?.0 + 1)
    }

    /// The bytes of each group.
    pub(super) fn groups(&self) -> Vec<Range<usize>> {
        self.digits
            .chunk_by(|one, next| one.1 == next.1)
            .filter_map(|group| Some(group.first()?.0..group.last()?.0 + 1))
            .collect()
    }
}

/// The chains of digits in a text, in order.
pub(super) fn chains(text: &str) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    // Signs since the last digit, while they can join.
    let mut signs = None;
    for (at, sign) in text.char_indices() {
        if !sign.is_ascii_digit() {
            signs = signs
                .filter(|signs| *signs < JOINTS && is_joint(sign))
                .map(|signs| signs + 1);
            continue;
        }
        match (signs, chains.last_mut()) {
            (Some(signs), Some(chain)) => {
                let group = chain.digits.last().map_or(0, |(_, group)| *group);
                chain.digits.push((at, group + usize::from(signs > 0)));
            }
            _ => chains.push(Chain {
                digits: vec![(at, 0)],
            }),
        }
        signs = Some(0);
    }
    chains
}

/// What people write between the digits of a number, and what comes along unseen when they copy one. A line's end and
/// what parts the values of a list join nothing.
pub(super) fn is_joint(sign: char) -> bool {
    is_minus(sign)
        || matches!(
            sign,
            '+' | '.' | '_' | '/' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
        )
        || (sign.is_whitespace() && !matches!(sign, '\n' | '\r'))
}

/// Hyphens and dashes.
pub(super) fn is_minus(sign: char) -> bool {
    matches!(
        sign,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}

/// Whether ten or twelve digits are a personal or coordination number: a date, a number from 001 and the check digit.
pub(super) fn is_number(digits: &[u8]) -> bool {
    let (century, short) = match digits.len() {
        10 => (None, digits),
        12 => (Some(two(digits, 0)), &digits[2..]),
        _ => return false,
    };
    luhn(short) && is_date(century, short) && has_serial(short)
}

/// Whether the three digits after the date are one of the numbers that are given: 001 to 999, for personal numbers as for
/// coordination numbers (Skatteverket, "Rättslig vägledning", edition 2020.9, and its notice 2010:3).
pub(super) fn has_serial(short: &[u8]) -> bool {
    short.len() == 10 && short[6..9] != [0, 0, 0]
}

/// Two digits as a number.
pub(super) fn two(digits: &[u8], at: usize) -> u32 {
    let digit = |at: usize| digits.get(at).copied().map_or(0, u32::from);
    digit(at) * 10 + digit(at + 1)
}

/// Whether six digits are a date, with day + 60 for coordination numbers. Without the century a leap day is possible in
/// one of 18yy, 19yy and 20yy if yy is divisible by four.
pub(super) fn is_date(century: Option<u32>, short: &[u8]) -> bool {
    let (year, month, day) = (two(short, 0), two(short, 2), two(short, 4));
    if century.is_some_and(|century| !(18..=20).contains(&century)) {
        return false;
    }
    let coordination = day >= 60;
    let day = if coordination { day - 60 } else { day };
    // Coordination numbers may have an unknown month (00) and an unknown day (60, that is 0).
    if coordination && (month == 0 || day == 0) {
        return month <= 12 && day <= 31;
    }
    if !(1..=12).contains(&month) {
        return false;
    }
    let leap = match century {
        Some(century) => is_leap(century * 100 + year),
        None => year % 4 == 0,
    };
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=days).contains(&day)
}

fn is_leap(year: u32) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

/// The check digit of Luhn over an even number of digits, weights 2, 1, 2, …
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| {
            let product = u32::from(*digit) * if place % 2 == 0 { 2 } else { 1 };
            product / 10 + product % 10
        })
        .sum();
    sum.is_multiple_of(10)
}
