//! The one canonical form of a personal or coordination number: twelve digits, from what people write.

use jiff::civil::Date;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::form::{chains, has_serial, is_date, is_minus, luhn, two};
use super::scan::is_interim;

/// Lengths of the groups of digits in which a number is read: whole, before its last four, and with an ISO date.
const SHAPES: [&[usize]; 5] = [&[12], &[10], &[8, 4], &[6, 4], &[4, 2, 2, 4]];

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
    /// The sign before the last four is a `+`, and the date is not of somebody who turns 100 or more that year.
    #[error("the sign + does not fit the date")]
    Plus,
    /// The sign before the last four is a `-`, and the date lies in the future or is of somebody who turns 100 that year.
    #[error("the sign - does not fit the date")]
    Minus,
    /// The three digits after the date are 000, which nobody has.
    #[error("the number after the date is 000")]
    Serial,
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
    /// those born at least a hundred calendar years ago (from the year in which one turns 100 the sign is `+`). With `-`
    /// it is not one of those: a short form that could only be of somebody who turns 100 this year is refused.
    ///
    /// # Errors
    /// What is wrong: first the form, then the date, then the check digit.
    pub fn read(text: &str, today: Date) -> Result<Self, NotCanonical> {
        let text = text.trim();
        let whole = match chains(text).as_slice() {
            [chain] => Some(chain.groups()),
            _ => None,
        };
        let groups = whole.filter(|groups| {
            groups.first().is_some_and(|first| first.start == 0)
                && groups.last().is_some_and(|last| last.end == text.len())
                && SHAPES.iter().any(|shape| {
                    groups
                        .iter()
                        .map(ExactSizeIterator::len)
                        .eq(shape.iter().copied())
                })
        });
        let Some(groups) = groups else {
            return Err(if is_interim(text) {
                NotCanonical::Interim
            } else {
                NotCanonical::Form
            });
        };
        let signs = match groups.as_slice() {
            [.., date, last] => text.get(date.end..last.start).unwrap_or_default(),
            _ => "",
        };
        let plus = signs.contains('+');
        let digits: Zeroizing<Vec<u8>> = Zeroizing::new(
            text.bytes()
                .filter(u8::is_ascii_digit)
                .map(|digit| digit - b'0')
                .collect(),
        );
        let mut twelve = [0; 12];
        let short = digits.len() == 10;
        if short {
            twelve[2..].copy_from_slice(&digits);
            let year = century(&twelve, plus, today).ok_or(NotCanonical::Date)?;
            (twelve[0], twelve[1]) = ((year / 1000) as u8, (year / 100 % 10) as u8);
        } else {
            twelve.copy_from_slice(&digits);
        }
        let own = Self(twelve);
        if !is_date(Some(two(&own.0, 0)), &own.0[2..]) {
            return Err(NotCanonical::Date);
        }
        if earliest(&own.0) > ymd(today) {
            return Err(NotCanonical::Future);
        }
        let turns_100 = year(&own.0) + 100 <= u32::from(today.year().unsigned_abs());
        if plus && !turns_100 {
            return Err(NotCanonical::Plus);
        }
        if short && turns_100 && !plus && signs.contains(is_minus) {
            return Err(NotCanonical::Minus);
        }
        if !luhn(&own.0[2..]) {
            return Err(NotCanonical::CheckDigit);
        }
        if !has_serial(&own.0[2..]) {
            return Err(NotCanonical::Serial);
        }
        Ok(own)
    }

    /// The twelve digits as text, for the derivation of a pseudonym.
    pub(in crate::study) fn digits(&self) -> Zeroizing<String> {
        Zeroizing::new(
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

/// The birth year of a number without its century.
fn century(twelve: &[u8; 12], plus: bool, today: Date) -> Option<u32> {
    let now = u32::try_from(today.year()).ok()?;
    let within = two(twelve, 2);
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
    two(twelve, 0) * 100 + two(twelve, 2)
}

/// Year, month and day of twelve digits as one number; what is unknown counts as the earliest.
fn earliest(twelve: &[u8; 12]) -> u32 {
    let day = match two(twelve, 6) {
        day @ 60.. => day - 60,
        day => day,
    };
    year(twelve) * 10_000 + two(twelve, 4) * 100 + day
}

fn ymd(date: Date) -> u32 {
    u32::from(date.year().unsigned_abs()) * 10_000
        + u32::from(date.month().unsigned_abs()) * 100
        + u32::from(date.day().unsigned_abs())
}
