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

/// Whether a text holds a personal or coordination number anywhere.
///
/// Runs of digits are looked at as they stand and with what people write before the last four (hyphens and dashes, `+`,
/// `.`, `_`, `/`, spaces) or within an ISO date; longer or shorter runs do not count.
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
