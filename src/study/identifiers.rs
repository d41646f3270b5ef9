//! What may name something in a study, and the scan that keeps personal numbers out.
//!
//! Families and children are letters only, so that they can never look like a personal number; keys and actors are
//! short and plain. A value that holds a personal number is refused without an echo. What such a number looks like is
//! `super::personal_number`'s business.

use super::personal_number::found_in;

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

/// Whether a text is a date of the ledger: `2025-03-01`, a day that exists, years 0001 to 9998.
pub fn is_date(text: &str) -> bool {
    is_shaped(text, "0000-00-00") && year_holds(text) && text.parse::<jiff::civil::Date>().is_ok()
}

/// Whether a text has the shape of another in which `0` stands for any digit.
pub(super) fn is_shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(own, wanted)| {
            own == wanted && wanted != b'0' || wanted == b'0' && own.is_ascii_digit()
        })
}

/// Whether a date or time begins with a year that every program and every time zone can hold: 0001 to 9998.
pub(super) fn year_holds(text: &str) -> bool {
    !text.starts_with("0000") && !text.starts_with("9999")
}

/// Whether a text holds a personal or coordination number anywhere, or an interim or reserve number.
///
/// The signs that people write between digits (hyphens and dashes, `+`, `.`, `_`, `/`, blanks) are looked through, up to
/// three in a row: ten or twelve digits count that read as a date and a right check digit, in whatever groups they stand
/// between others; also within a longer run of digits, and around the sign before the last four.
pub fn holds_personal_number(text: &str) -> bool {
    !found_in(text).is_empty()
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
    use super::{is_date, is_key, is_pseudonym, masked};

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
