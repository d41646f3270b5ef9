//! What may name something in a study, and the scan that keeps personal numbers out.
//!
//! Families and children are letters only, so that they can never look like a personal number; keys and actors are
//! short and plain. A value that holds a personal number is refused without an echo. What such a number looks like is
//! `super::personal_number`'s business.

use super::personal_number::found_in;
use crate::protocol::model::Day;
use jiff::Timestamp;
use jiff::civil::Date;

/// Whether a text is a pseudonym of a family or child: `[A-Z]{2,8}(-[A-Z]{2,8})*`, at most 64 characters.
pub fn is_pseudonym(text: &str) -> bool {
    text.len() <= 64
        && text.split('-').all(|group| {
            (2..=8).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_uppercase())
        })
}

/// Whether a text is a key of a report, event, actor or request: `[A-Za-z0-9._-]{1,64}`.
pub fn is_key(text: &str) -> bool {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    // Counted, for without a way out in the middle several bytes are looked at together.
    (1..=64).contains(&text.len()) && text.bytes().filter(is_sign).count() == text.len()
}

/// Whether a text can be the value of a public round: 16 to 256 lower-case hexadecimal digits, an even number.
pub fn is_beacon_value(text: &str) -> bool {
    (16..=256).contains(&text.len())
        && text.len().is_multiple_of(2)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether a text is a date of the ledger: `2025-03-01`, a day that exists, years 0001 to 9998.
pub fn is_date(text: &str) -> bool {
    date(text).is_some()
}

/// The day of a text that is a date of the ledger ([`is_date`]).
pub(super) fn date(text: &str) -> Option<Date> {
    let own = shaped(text.as_bytes(), b"0000-00-00")?;
    let year = number(own, 0..4);
    // Those that every program and every time zone can hold.
    let holds = (1..=9998).contains(&year);
    let [month, day] = [5..7, 8..10].map(|place| number(own, place) as i8);
    Date::new(year as i16, month, day).ok().filter(|_| holds)
}

/// The instant of a text that is a time of the ledger: `2025-03-01T08:15:30.000000Z`, one shape, so that text order is time
/// order. No leap second: a text of the shape with second 60 names no instant that a clock of the program can give.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let own = shaped(text.as_bytes(), b"0000-00-00T00:00:00.000000Z")?;
    let day = Day::of(date(text.get(..10)?)?);
    let [hour, minute, second] = [11..13, 14..16, 17..19].map(|place| number(own, place));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(day.0) * 86_400 + i64::from((hour * 60 + minute) * 60 + second);
    Timestamp::new(seconds, number(own, 20..26) * 1000).ok()
}

/// The bytes, if they have the shape of others in which `0` stands for any digit.
fn shaped<'a, const N: usize>(bytes: &'a [u8], shape: &[u8; N]) -> Option<&'a [u8; N]> {
    let own: &[u8; N] = bytes.try_into().ok()?;
    let holds =
        |(byte, wanted): &(&u8, &u8)| byte == wanted || **wanted == b'0' && byte.is_ascii_digit();
    (own.iter().zip(shape).filter(holds).count() == N).then_some(own)
}

/// The number that digits make.
fn number<const N: usize>(bytes: &[u8; N], place: std::ops::Range<usize>) -> i32 {
    let digits = bytes.get(place).unwrap_or_default().iter();
    digits.fold(0, |sum, byte| sum * 10 + i32::from(byte.wrapping_sub(b'0')))
}

/// Whether a text holds a personal or coordination number anywhere, or an interim or reserve number.
///
/// The signs that people write between digits (hyphens and dashes, `+`, `.`, `_`, `/`, blanks) are looked through, up to
/// three in a row: ten or twelve digits count that read as a date and a right check digit, in whatever groups they stand
/// between others; also within a longer run of digits, and around the sign before the last four.
pub fn holds_personal_number(text: &str) -> bool {
    !found_in(text).is_empty()
}

/// Whether what stands in a column of numbers holds one, as [`holds_personal_number`]. Of a decimal number (digits, one point,
/// digits) only what a person would write is taken for one: a whole part of up to five digits cannot hold its date, and one of
/// up to nine is no part of it where eight or more decimals follow. Any other text is read as everywhere.
pub fn number_holds_personal_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = unsigned.split_once('.').is_some_and(|(whole, part)| {
        let (long, decimals) = (whole.len(), part.len());
        digits(whole) && digits(part) && (long <= 5 || long <= 9 && decimals >= 8)
    });
    !is_decimal && holds_personal_number(text)
}

/// A text with the digits of personal numbers crossed out; as many bytes as before.
pub fn masked(text: &str) -> String {
    let found = found_in(text);
    text.char_indices()
        .map(|(at, sign)| {
            let inside = found.iter().any(|range| range.contains(&at));
            if inside && sign.is_ascii_digit() {
                'x'
            } else {
                sign
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{
        date, holds_personal_number, instant, is_date, is_key, is_pseudonym, masked,
        number_holds_personal_number,
    };
    use jiff::{SignedDuration, Timestamp, civil};

    /// By hand: 000101-2384 is the number of docs/pseudonyms.md. Its digits among the decimals of a number are a number's; written
    /// without a point, as a person would with one, or as a table program writes a whole number, they are the person's.
    #[test]
    fn decimals_of_a_number_are_no_personal_number() {
        for text in ["8.20000101238412", "-5.0001012384", "123456.20000101238412"] {
            assert!(holds_personal_number(text), "{text}");
            assert!(!number_holds_personal_number(text), "{text}");
        }
        for text in [
            "0001012384",
            "200001012384",
            "000101-2384",
            "000101.2384",
            "20000101.2384",
            "200001012384.0",
            "0001012384.00000000",
            "2000.01.01.2384",
            "8.5 000101-2384",
        ] {
            assert!(number_holds_personal_number(text), "{text}");
        }
        assert!(!number_holds_personal_number("12.5"));
    }

    #[test]
    fn dates_have_one_form() {
        assert!(is_date("2024-02-29") && is_date("9998-12-31") && is_date("0001-01-01"));
        for date in [
            "2025-02-29",
            "20250301",
            "2025-03-01 ",
            "2025-3-1",
            "0000-01-01",
            "9999-01-01",
        ] {
            assert!(!is_date(date), "{date}");
        }
    }

    /// By `jiff`, which parses the same texts: every day of 800 years and the ends of the range.
    #[test]
    fn dates_are_those_of_the_calendar() {
        let days = civil::date(1799, 12, 1).series(jiff::Span::new().days(1));
        for day in days.take(800 * 366) {
            assert_eq!(date(&day.to_string()), Some(day));
        }
        for year in ["0001", "0004", "1900", "2000", "2025", "2100", "9998"] {
            for month in 0..=19 {
                for day in 0..=39 {
                    let text = format!("{year}-{month:02}-{day:02}");
                    assert_eq!(date(&text), text.parse().ok(), "{text}");
                }
            }
        }
    }

    /// By `jiff`, of instants a year, some hours and 11 microseconds apart over the whole range.
    #[test]
    fn instants_are_those_of_the_calendar() {
        let mut time: Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
        let last: Timestamp = "9998-12-31T23:59:59.999999Z".parse().unwrap();
        let step = SignedDuration::from_micros(31_570_000_000_011);
        let mut met = 0;
        while time <= last {
            assert_eq!(instant(&format!("{time:.6}")), Some(time));
            time += step;
            met += 1;
        }
        assert!(met > 9900, "{met}");
        assert_eq!(instant(&format!("{last:.6}")), Some(last));
    }

    #[test]
    fn a_number_is_crossed_out_and_nothing_else() {
        assert_eq!(
            masked("å 19121212–1212, 2025-03-01 121212-1212"),
            "å xxxxxxxx–xxxx, 2025-03-01 xxxxxx-xxxx"
        );
        assert_eq!(masked("R-2025-000017"), "R-2025-000017");
        assert_eq!(masked("19.12.12.12.1212"), "xx.xx.xx.xx.xxxx");
        assert_eq!(masked("nr 19121212T123."), "nr xxxxxxxxTxxx.");
    }

    #[test]
    fn pseudonyms_are_groups_of_capitals() {
        for text in ["KATL-MORU", "AB", "ABCDEFGH-AB-CD"] {
            assert!(is_pseudonym(text), "{text}");
        }
        for text in [
            "",
            "A",
            "ABCDEFGHI",
            "AB-",
            "-AB",
            "ab",
            "AB1",
            "ÅÄ",
            "AB_CD",
            "AB--CD",
        ] {
            assert!(!is_pseudonym(text), "{text}");
        }
    }

    #[test]
    fn keys_are_short_and_plain() {
        assert!(is_key("R.2025-1_a"));
        assert!(is_key(&"k".repeat(64)));
        for text in ["", "a b", "å", "a/b", &"k".repeat(65)] {
            assert!(!is_key(text), "{text}");
        }
    }
}
