//! What may name something in a study, and the scan that keeps personal numbers out.
//!
//! Families and children are letters only, so that they can never look like a personal number; keys and actors are
//! short and plain. A value that holds a personal number is refused without an echo. The scan knows the Swedish
//! forms: ten or twelve digits, with or without what people write in between, a possible date (day + 60 for
//! coordination numbers, also the official unknown day 60 and month 00) and the check digit.

use std::ops::Range;

/// Whether a text is a pseudonym of a family or child: `[A-Z]{2,8}(-[A-Z]{2,8})*`, at most 64 characters.
pub fn is_pseudonym(text: &str) -> bool {
    text.len() <= 64
        && text.split('-').all(|group| {
            (2..=8).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_uppercase())
        })
}

/// Whether a text is a key of a report, event, actor or request: `[A-Za-z0-9._-]{1,64}`.
pub fn is_key(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Whether a text can be the value of a public round: 16 to 256 lower-case hexadecimal digits, an even number.
pub fn is_beacon_value(text: &str) -> bool {
    (16..=256).contains(&text.len())
        && text.len().is_multiple_of(2)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether a text holds a personal or coordination number anywhere.
///
/// Runs of digits are looked at as they stand and with what people write before the last four (hyphens and dashes, `+`,
/// `.`, `_`, `/`, spaces) or within an ISO date; longer or shorter runs do not count.
pub fn holds_personal_number(text: &str) -> bool {
    !personal_numbers(text).is_empty()
}

/// A text with the digits of personal numbers crossed out; as many bytes as before.
pub fn masked(text: &str) -> String {
    let found = personal_numbers(text);
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

/// Lengths of the runs of digits in which a number is written: whole, before its last four, and with an ISO date.
const SHAPES: [&[usize]; 5] = [&[12], &[10], &[8, 4], &[6, 4], &[4, 2, 2, 4]];

/// Where personal numbers stand in a text, as byte ranges.
fn personal_numbers(text: &str) -> Vec<Range<usize>> {
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
    let joined = |pair: &[Range<usize>]| match pair {
        [left, right] => text
            .get(left.end..right.start)
            .is_some_and(|between| between.chars().count() <= 3 && between.chars().all(is_joint)),
        _ => false,
    };
    let mut found = Vec::new();
    for first in 0..runs.len() {
        for shape in SHAPES {
            let Some(group) = runs.get(first..first + shape.len()) else {
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
            let digits: Vec<u8> = group
                .iter()
                .flat_map(|run| &bytes[run.clone()])
                .map(|byte| byte - b'0')
                .collect();
            if let ([start, ..], [.., end], true) = (group, group, is_personal_number(&digits)) {
                found.push(start.start..end.end);
            }
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
    if !luhn(short) {
        return false;
    }
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
        // Without the century a leap day is possible in one of 18yy, 19yy and 20yy if yy is divisible by four.
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

#[cfg(test)]
mod tests {
    use super::{holds_personal_number, is_key, is_pseudonym, masked};

    // The official open test numbers of the Swedish Tax Agency (CC0); nobody has them.
    const PERSONAL: [&str; 9] = [
        "200001012384",
        "200001012392",
        "200002292399",
        "200002292381",
        "199912282382",
        "200512312398",
        "194408139089",
        "199006022397",
        "191212121212",
    ];
    const COORDINATION: [&str; 6] = [
        "202301612392",
        "202301622383",
        "202212912394",
        "194000712382",
        "191812602397",
        "196100602397",
    ];

    #[test]
    fn every_form_of_the_official_test_numbers_is_found() {
        for number in PERSONAL.iter().chain(&COORDINATION) {
            let (date, last) = number.split_at(8);
            for text in [
                (*number).to_owned(),
                number[2..].to_owned(),
                format!("{date}-{last}"),
                format!("{}-{last}", &date[2..]),
                format!("{}+{last}", &date[2..]),
                format!("{}_{last}", &date[2..]),
                format!("{date}.{last}"),
                format!("{date} – {last}"),
                format!("{date}\u{2011}{last}"),
                format!("{}-{}-{}-{last}", &date[..4], &date[4..6], &date[6..]),
                format!("R.{number}.x"),
                format!("nr {date}-{last}!"),
            ] {
                assert!(holds_personal_number(&text), "{text}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_one_is_not_found() {
        for text in [
            "200001012383",  // wrong check digit, by construction
            "200002302397",  // 30 February
            "20000101238",   // eleven digits
            "2000010123840", // thirteen digits
            "2025-03-01",    // a date
            "KATL-MORU",
            "R-2025-000017",
            "191212,121212",    // a comma joins nothing
            "19121212----1212", // nor do four signs
        ] {
            assert!(!holds_personal_number(text), "{text}");
        }
    }

    #[test]
    fn a_number_is_crossed_out_and_nothing_else() {
        assert_eq!(
            masked("å 19121212–1212, 2025-03-01 121212-1212"),
            "å xxxxxxxx–xxxx, 2025-03-01 xxxxxx-xxxx"
        );
        assert_eq!(masked("R-2025-000017"), "R-2025-000017");
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
