//! Where numbers of persons stand in a text, however they are spelled.
//!
//! Found are ten or twelve digits that read as a date, a number from 001 and the right check digit: in any grouping by
//! the signs that people write, glued to other digits, or both around the sign before the last four. Found are also
//! interim numbers and the reserve numbers of health care that can be told from other codes. What this costs is
//! measured in `tests/contracts/personal_numbers.rs` and said in `docs/pseudonyms.md`.

use std::ops::Range;

use super::form::{Chain, chains, is_date, is_joint, is_number, luhn, two};

/// Letters that stand in the first place after the date of an interim number.
const INTERIM: &[u8] = b"TRSUWXJKLMNP";

/// A value of so many hexadecimal digits is a hash, a seed or the value of a public round.
const HASH: usize = 32;

/// Digits of a date without its century, which stand together in a number with letters.
const DATE: usize = 6;

/// More digits than a study number of one's own may have: ten make a personal number.
const MANY_DIGITS: usize = 10;

/// Where numbers of persons stand in a text, as byte ranges; they may overlap.
pub(in crate::study) fn found_in(text: &str) -> Vec<Range<usize>> {
    if !has_digits(text) {
        return Vec::new();
    }
    let hashes = hashes(text);
    let mut found: Vec<Range<usize>> = chains(text)
        .iter()
        .flat_map(|chain| in_chain(text, chain))
        .filter(|range| !hashes.iter().any(|hash| hash.contains(&range.start)))
        .collect();
    found.extend(with_letters(text));
    found
}

/// Whether a text has the digits of a number of a person: ten, or a date of six together before letters.
fn has_digits(text: &str) -> bool {
    let (mut all, mut together) = (0, 0);
    text.bytes().any(|byte| {
        let digit = byte.is_ascii_digit();
        all += usize::from(digit);
        together = if digit { together + 1 } else { 0 };
        all >= MANY_DIGITS || together >= DATE
    })
}

/// Whether a text could be a number of a person, right or mistyped: what a study number of one's own must not look like.
pub(in crate::study) fn looks_like_one(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= MANY_DIGITS || is_interim(text) || !found_in(text).is_empty()
}

/// Whether a whole text is an interim number, with any signs.
pub(super) fn is_interim(text: &str) -> bool {
    let plain: String = text.chars().filter(|sign| !is_joint(*sign)).collect();
    with_letters(&plain).contains(&(0..plain.len()))
}

fn in_chain(text: &str, chain: &Chain) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for length in [10, 12] {
        for start in 0..(chain.len() + 1).saturating_sub(length) {
            let place = start..start + length;
            if !is_spelled(chain, &place) {
                continue;
            }
            let digits = chain.digits(bytes, &place);
            if is_number(&digits) || is_reserve(&digits) {
                found.extend(chain.bytes(&place));
            }
        }
    }
    found
}

/// Whether digits of a chain stand together as one number would: between other groups in any grouping of their own; in
/// one group, whatever is glued to them; or around one sign before the last four, glued to other digits or not.
fn is_spelled(chain: &Chain, place: &Range<usize>) -> bool {
    let whole = chain.is_edge(place.start) && chain.is_edge(place.end);
    let (first, last) = (chain.group(place.start), chain.group(place.end - 1));
    let around_one_sign = last == first + 1
        && chain.group(place.end - 5) == first
        && chain.group(place.end - 4) == last;
    whole || first == last || around_one_sign
}

/// Reserve numbers in twelve digits: 99, a year and six digits, the check digit over the last eight (Stockholm); or a
/// day from 32 to 59 (Inera). Formats: Inera, "Lokala reservidentiteter".
fn is_reserve(digits: &[u8]) -> bool {
    if digits.len() != 12 {
        return false;
    }
    let stockholm =
        two(digits, 0) == 99 && (18..=22).contains(&two(digits, 2)) && luhn(&digits[4..]);
    let inera = (18..=20).contains(&two(digits, 0))
        && (1..=12).contains(&two(digits, 4))
        && (32..=59).contains(&two(digits, 6))
        && luhn(&digits[2..]);
    stockholm || inera
}

/// Numbers with letters after a date without signs: interim numbers and reserve numbers.
///
/// A date with signs does not count: `2025-03-14-R001` is a day and a counter.
fn with_letters(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let plain = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let mut found = Vec::new();
    let ends = (1..bytes.len()).filter(|at| digit(at - 1) && !digit(*at));
    for end in ends {
        let length = bytes[..end]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let Some(date) = dated(&bytes[end - length..end]) else {
            continue;
        };
        let signs: usize = text[end..]
            .chars()
            .take_while(|sign| is_joint(*sign))
            .take(super::form::JOINTS)
            .map(char::len_utf8)
            .sum();
        let last = end + signs;
        let Some(four) = bytes.get(last..last + 4).filter(|_| !plain(last + 4)) else {
            continue;
        };
        let four: Vec<u8> = four.iter().map(u8::to_ascii_uppercase).collect();
        let serial = four[1..].iter().all(u8::is_ascii_digit);
        let interim = date.real && INTERIM.contains(&four[0]) && serial;
        let letters = signs == 0 && date.whole && is_lettered_reserve(date.real, &four);
        if interim || letters {
            found.push(end - date.length..last + 4);
        }
    }
    found
}

/// The date that a group of digits ends with.
struct Dated {
    /// Digits of the date: six, or eight with its century.
    length: usize,
    /// Eight digits and nothing before them.
    whole: bool,
    /// The century is one in which people were born; that of a national reserve number is not.
    real: bool,
}

fn dated(group: &[u8]) -> Option<Dated> {
    let digits: Vec<u8> = group.iter().map(|byte| byte.wrapping_sub(b'0')).collect();
    let short = digits.get(digits.len().checked_sub(6)?..)?;
    let century = digits.len().checked_sub(8).map(|at| two(&digits, at));
    let whole = digits.len() == 8;
    if let Some(century) = century
        && is_date(Some(century), short)
    {
        let (length, real) = (8, true);
        return Some(Dated {
            length,
            whole,
            real,
        });
    }
    // National reserve numbers: the century of birth, 19 or 20, and three for each series.
    let real = !(whole && century.is_some_and(|century| century >= 22 && century % 3 != 0));
    (is_date(None, short) && (real || two(short, 4) <= 31)).then_some(Dated {
        length: if real { 6 } else { 8 },
        whole,
        real,
    })
}

/// The last four of reserve numbers with several letters: national (two letters, the sex and a digit, after a century of 22 or
/// later) and Värmland's (S, the kind, a digit and a letter or digit). Formats: Inera, "Nationellt reservidformat" 1.0
/// and "Lokala reservidentiteter".
fn is_lettered_reserve(real: bool, four: &[u8]) -> bool {
    let letter = |at: usize| four[at].is_ascii_uppercase();
    let digit = |at: usize| four[at].is_ascii_digit();
    if real {
        four[0] == b'S' && b"FUXPL".contains(&four[1]) && digit(2) && (letter(3) || digit(3))
    } else {
        let series = |at: usize| letter(at) && !b"IOQVW".contains(&four[at]);
        series(0) && series(1) && (letter(2) || digit(2)) && digit(3)
    }
}

/// Runs of hexadecimal digits with letters among them that are too long to be anything but a hash, a seed or a value of
/// a public round.
fn hashes(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = 0;
    for end in 0..=bytes.len() {
        if bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
            continue;
        }
        let run = &bytes[start..end];
        if run.len() >= HASH
            && run.iter().all(u8::is_ascii_hexdigit)
            && run.iter().any(u8::is_ascii_alphabetic)
        {
            found.push(start..end);
        }
        start = end + 1;
    }
    found
}
