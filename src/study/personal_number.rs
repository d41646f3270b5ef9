//! Swedish personal and coordination numbers: what one looks like, where one stands in a text, and its one canonical form.
//!
//! Known are ten or twelve digits, with or without what people write in between, a possible date (day + 60 for
//! coordination numbers, also the official unknown day 60 and month 00) and the check digit. The scan of everything
//! that enters a study and the derivation of pseudonyms both stand on this file; nothing here shows a number.

use jiff::civil::Date;
use std::ops::Range;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Lengths of the runs of digits in which a number is written: whole, before its last four, and with an ISO date.
const SHAPES: [&[usize]; 5] = [&[12], &[10], &[8, 4], &[6, 4], &[4, 2, 2, 4]];

/// Letters that stand in the first place after the date of an interim number.
const INTERIM: [char; 12] = ['T', 'R', 'S', 'U', 'W', 'X', 'J', 'K', 'L', 'M', 'N', 'P'];

/// Where personal numbers stand in a text, as byte ranges.
pub(super) fn found_in(text: &str) -> Vec<Range<usize>> {
    shaped(text)
        .into_iter()
        .filter(|shaped| is_personal_number(&shaped.digits))
        .map(|shaped| shaped.range.clone())
        .collect()
}

/// Digits in the shape of a personal number, whatever their date and check digit.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Shaped {
    #[zeroize(skip)]
    range: Range<usize>,
    digits: Vec<u8>,
    /// Whether a `+` stands before the last four.
    plus: bool,
}

fn shaped(text: &str) -> Vec<Shaped> {
    let bytes = text.as_bytes();
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_digit() {
            match runs.last_mut().filter(|run| run.end == at) {
                Some(run) => run.end = at + 1,
                None => runs.push(at..at + 1),
            }
        }
    }
    let between = |pair: &[Range<usize>]| match pair {
        [left, right] => text.get(left.end..right.start),
        _ => None,
    };
    let joined = |pair: &[Range<usize>]| {
        between(pair)
            .is_some_and(|between| between.chars().count() <= 3 && between.chars().all(is_joint))
    };
    let mut found = Vec::new();
    for first in 0..runs.len() {
        for shape in SHAPES {
            let Some(group) = runs.get(first..first + shape.len()) else {
                continue;
            };
            let (Some(start), Some(end)) = (group.first(), group.last()) else {
                continue;
            };
            if !group
                .iter()
                .map(ExactSizeIterator::len)
                .eq(shape.iter().copied())
                || !group.windows(2).all(joined)
            {
                continue;
            }
            found.push(Shaped {
                range: start.start..end.end,
                digits: group
                    .iter()
                    .flat_map(|run| &bytes[run.clone()])
                    .map(|byte| byte - b'0')
                    .collect(),
                plus: group
                    .windows(2)
                    .filter_map(between)
                    .any(|between| between.contains('+')),
            });
        }
    }
    found
}

/// What people write between the date and the last four digits.
fn is_joint(sign: char) -> bool {
    matches!(
        sign,
        '-' | '+' | '.' | '_' | '/' | '\u{ad}' | '\u{2010}'
            ..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    ) || sign.is_whitespace()
}

fn is_personal_number(digits: &[u8]) -> bool {
    let (century, short) = match digits.len() {
        10 => (None, digits),
        12 => (
            Some(u32::from(digits[0]) * 10 + u32::from(digits[1])),
            &digits[2..],
        ),
        _ => return false,
    };
    luhn(short) && is_date(century, short)
}

/// Whether six digits are a date, with day + 60 for coordination numbers. Without the century a leap day is possible in
/// one of 18yy, 19yy and 20yy if yy is divisible by four.
fn is_date(century: Option<u32>, short: &[u8]) -> bool {
    let two = |at: usize| u32::from(short[at]) * 10 + u32::from(short[at + 1]);
    let (year, month, day) = (two(0), two(2), two(4));
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

/// The check digit of Luhn over ten digits, weights 2, 1, 2, …
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| {
            let product = u32::from(*digit) * if place % 2 == 0 { 2 } else { 1 };
            product / 10 + product % 10
        })
        .sum();
    digits.len() == 10 && sum.is_multiple_of(10)
}

/// Why a text has no canonical number. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// Not ten or twelve digits in a form that people write.
    #[error("not ten or twelve digits")]
    Form,
    /// A letter in the first place after the date: an interim number.
    #[error("an interim number")]
    Interim,
    /// The date does not exist; numbers of local series that begin with 99, reserve numbers, are among these.
    #[error("the date does not exist")]
    Date,
    /// The date lies after the day on which the number was read.
    #[error("the date lies in the future")]
    Future,
    /// The sign before the last four does not fit the century.
    #[error("the sign + does not fit the century")]
    Sign,
    /// The check digit is another one.
    #[error("the check digit is wrong")]
    CheckDigit,
}

/// A personal or coordination number in its canonical form, twelve digits. `Debug` hides it and memory forgets it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CanonicalNumber([u8; 12]);

impl CanonicalNumber {
    /// Reads a number as people write it, on the day `today`: with century or without, with `-`, `+` or nothing before
    /// the last four. Without a century it is the latest birth date that is not in the future; with `+` the latest of
    /// those born at least a hundred calendar years ago (from the year in which one turns 100 the sign is `+`).
    ///
    /// # Errors
    /// What is wrong: first the form, then the date, then the check digit.
    pub fn read(text: &str, today: Date) -> Result<Self, NotCanonical> {
        let text = text.trim();
        let shaped = shaped(text);
        let Some(whole) = shaped.iter().find(|own| own.range == (0..text.len())) else {
            return Err(if is_interim(text) {
                NotCanonical::Interim
            } else {
                NotCanonical::Form
            });
        };
        let digits = &whole.digits;
        let mut twelve = [0; 12];
        if digits.len() == 12 {
            twelve.copy_from_slice(digits);
        } else {
            twelve[2..].copy_from_slice(digits);
            let year = century(&twelve, whole.plus, today).ok_or(NotCanonical::Date)?;
            (twelve[0], twelve[1]) = ((year / 1000) as u8, (year / 100 % 10) as u8);
        }
        let own = Self(twelve);
        let century = u32::from(own.0[0]) * 10 + u32::from(own.0[1]);
        if !is_date(Some(century), &own.0[2..]) {
            return Err(NotCanonical::Date);
        }
        if earliest(&own.0) > ymd(today) {
            return Err(NotCanonical::Future);
        }
        if whole.plus && year(&own.0) + 100 > u32::from(today.year().unsigned_abs()) {
            return Err(NotCanonical::Sign);
        }
        if !luhn(&own.0[2..]) {
            return Err(NotCanonical::CheckDigit);
        }
        Ok(own)
    }

    /// The twelve digits as text, for the derivation of a pseudonym.
    pub(super) fn digits(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(
            self.0
                .iter()
                .map(|digit| char::from(b'0' + digit))
                .collect(),
        )
    }
}

impl std::fmt::Debug for CanonicalNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CanonicalNumber(hidden)")
    }
}

/// Whether a text has the shape of a personal number anywhere, right or wrong, or of an interim number: what a study
/// number of one's own must not look like.
pub(super) fn looks_like_one(text: &str) -> bool {
    !shaped(text).is_empty() || is_interim(text)
}

/// Date, perhaps a sign, a letter of an interim number, three digits.
fn is_interim(text: &str) -> bool {
    let plain: Vec<char> = text
        .trim()
        .chars()
        .filter(|sign| !is_joint(*sign))
        .collect();
    let Some((date, [letter, serial @ ..])) =
        plain.len().checked_sub(4).map(|at| plain.split_at(at))
    else {
        return false;
    };
    matches!(date.len(), 6 | 8)
        && date.iter().chain(serial).all(char::is_ascii_digit)
        && INTERIM.contains(&letter.to_ascii_uppercase())
}

/// The birth year of a number without its century.
fn century(twelve: &[u8; 12], plus: bool, today: Date) -> Option<u32> {
    let now = u32::try_from(today.year()).ok()?;
    let within = u32::from(twelve[2]) * 10 + u32::from(twelve[3]);
    let latest = now - if plus { 100 } else { 0 };
    // The latest year that ends so; one more century back if its date is still to come.
    let year = latest - (latest + 100 - within) % 100;
    let mut own = *twelve;
    (own[0], own[1]) = ((year / 1000) as u8, (year / 100 % 10) as u8);
    if earliest(&own) > ymd(today) {
        return year.checked_sub(100);
    }
    Some(year)
}

/// The year of twelve digits.
fn year(twelve: &[u8; 12]) -> u32 {
    twelve[..4]
        .iter()
        .fold(0, |year, digit| year * 10 + u32::from(*digit))
}

/// Year, month and day of twelve digits as one number; what is unknown counts as the earliest.
fn earliest(twelve: &[u8; 12]) -> u32 {
    let two = |at: usize| u32::from(twelve[at]) * 10 + u32::from(twelve[at + 1]);
    let day = if two(6) >= 60 { two(6) - 60 } else { two(6) };
    year(twelve) * 10_000 + two(4) * 100 + day
}

fn ymd(date: Date) -> u32 {
    u32::from(date.year().unsigned_abs()) * 10_000
        + u32::from(date.month().unsigned_abs()) * 100
        + u32::from(date.day().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::{CanonicalNumber, NotCanonical, looks_like_one};
    use jiff::civil::{Date, date};

    // The official open test numbers of the Swedish Tax Agency (CC0); nobody has them.
    const OFFICIAL: [&str; 15] = [
        "200001012384",
        "200001012392",
        "200002292399",
        "200002292381",
        "199912282382",
        "200512312398",
        "194408139089",
        "199006022397",
        "191212121212",
        "202301612392",
        "202301622383",
        "202212912394",
        "194000712382",
        "191812602397",
        "196100602397",
    ];

    fn today() -> Date {
        date(2026, 11, 25)
    }

    fn read(text: &str) -> Result<String, NotCanonical> {
        CanonicalNumber::read(text, today()).map(|number| number.digits().to_string())
    }

    #[test]
    fn every_form_of_an_official_number_has_one_canonical_form() {
        for number in OFFICIAL {
            let (day, last) = number.split_at(8);
            // In 2026 whoever was born in 1926 or before has `+` in the short form.
            let old = number[..4].parse::<u32>().unwrap() <= 1926;
            let sign = if old { '+' } else { '-' };
            let short = &day[2..];
            let mut forms = vec![
                number.to_owned(),
                format!("{day}-{last}"),
                format!(" {day}-{last}\r"),
                format!("{day} {last}"),
                format!("{day}\u{2013}{last}"),
                format!("{}-{}-{}-{last}", &day[..4], &day[4..6], &day[6..]),
                format!("{short}{sign}{last}"),
                format!("{short} {sign} {last}"),
            ];
            if old {
                forms.push(format!("{day}+{last}"));
            } else {
                forms.push(format!("{short}{last}"));
                forms.push(format!("{short}\u{2212}{last}"));
            }
            for form in forms {
                assert_eq!(read(&form).as_deref(), Ok(number), "{number}");
            }
        }
    }

    /// The century of a short form by the day on which it is read: worked out by hand from the rule.
    #[test]
    fn a_short_form_is_the_latest_date_that_has_come_or_a_hundred_years_before() {
        let on = |text: &str, day: Date| {
            CanonicalNumber::read(text, day).map(|number| number.digits()[..4].to_owned())
        };
        // 1 January 00: in 2026 it is 2000, or 1900 with a plus.
        assert_eq!(on("000101-2384", today()).as_deref(), Ok("2000"));
        assert_eq!(on("000101+2384", today()).as_deref(), Ok("1900"));
        // The day before that birthday the latest one that had come was in 1900; on the day it is 2000.
        assert_eq!(on("000101-2384", date(1999, 12, 31)).as_deref(), Ok("1900"));
        assert_eq!(on("000101-2384", date(2000, 1, 1)).as_deref(), Ok("2000"));
        // 28 December 99: whoever was born in 1899 has a plus from 1999 on.
        assert_eq!(on("991228-2382", today()).as_deref(), Ok("1999"));
        assert_eq!(on("991228+2382", today()).as_deref(), Ok("1899"));
        // 29 February 00 exists in 2000, and not in 1900: with a plus there is no such date.
        assert_eq!(on("000229-2399", today()).as_deref(), Ok("2000"));
        assert_eq!(on("000229+2399", today()), Err(NotCanonical::Date));
        // A date that is still to come this year belongs to the century before, with either sign.
        assert_eq!(on("121212-1212", date(2012, 12, 11)).as_deref(), Ok("1912"));
        assert_eq!(on("121212+1212", date(2012, 12, 11)).as_deref(), Ok("1912"));
        assert_eq!(on("121212-1212", date(2012, 12, 12)).as_deref(), Ok("2012"));
    }

    #[test]
    fn what_has_no_canonical_form_is_refused_for_its_reason() {
        for (text, why) in [
            ("200001012383", NotCanonical::CheckDigit),
            // Impossible dates fail on the date first, whatever their check digit.
            ("200002302397", NotCanonical::Date),
            ("200013012384", NotCanonical::Date),
            ("230229-2399", NotCanonical::Date),
            // Reserve numbers are of no century.
            ("990001012384", NotCanonical::Date),
            ("20000101T238", NotCanonical::Interim),
            ("000101-p238", NotCanonical::Interim),
            ("20000101A238", NotCanonical::Form),
            ("20000101238", NotCanonical::Form),
            ("2000010123840", NotCanonical::Form),
            ("2.00001012384E11", NotCanonical::Form),
            ("200001012384 x", NotCanonical::Form),
            ("200001012384 191212121212", NotCanonical::Form),
            ("", NotCanonical::Form),
            // The sign of those of 100 years does not fit a child.
            ("20000101+2384", NotCanonical::Sign),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
        let before = CanonicalNumber::read("200001012384", date(1999, 12, 31));
        assert_eq!(before, Err(NotCanonical::Future));
        let hidden = format!("{:?}", CanonicalNumber::read(OFFICIAL[0], today()));
        assert_eq!(hidden, "Ok(CanonicalNumber(hidden))");
    }

    #[test]
    fn a_study_number_must_not_look_like_a_personal_number_even_a_mistyped_one() {
        for text in [
            "200001012383",
            "000101-2383",
            "x 20000230 2397",
            "20000101T238",
        ] {
            assert!(looks_like_one(text), "{text}");
        }
        for text in ["M-17", "2025-03-01", "protected.3"] {
            assert!(!looks_like_one(text), "{text}");
        }
    }
}
