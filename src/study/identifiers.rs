//! What may name something in a study, and the scan that keeps personal numbers out.
//!
//! Families and children are letters only, so that they can never look like a personal number; keys and actors are
//! short and plain. A value that holds a personal number is refused without an echo. The scan knows the Swedish
//! forms: ten or twelve digits, with `-` or `+` or without, a possible date (day + 60 for coordination numbers, also
//! the official unknown day 60 and month 00) and the check digit.

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

/// Whether a text holds a personal or coordination number anywhere.
///
/// Runs of digits are looked at as they stand and with one `-` or `+` before the last four; a run of exactly ten or
/// twelve digits counts, longer or shorter runs do not.
pub fn holds_personal_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        if !bytes[start].is_ascii_digit() {
            start += 1;
            continue;
        }
        let end = run(bytes, start);
        let mut digits: Vec<u8> = bytes[start..end].iter().map(|byte| byte - b'0').collect();
        if is_personal_number(&digits) {
            return true;
        }
        let separated = matches!(bytes.get(end), Some(b'-' | b'+' | b' '))
            && matches!(digits.len(), 6 | 8)
            && run(bytes, end + 1) == end + 5;
        if separated {
            digits.extend(bytes[end + 1..end + 5].iter().map(|byte| byte - b'0'));
            if is_personal_number(&digits) {
                return true;
            }
        }
        start = end;
    }
    false
}

fn run(bytes: &[u8], start: usize) -> usize {
    start
        + bytes[start.min(bytes.len())..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
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
    use super::{holds_personal_number, is_key, is_pseudonym};

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
        ] {
            assert!(!holds_personal_number(text), "{text}");
        }
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
