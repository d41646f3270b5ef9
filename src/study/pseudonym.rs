//! Keyed pseudonyms: letters that stand for a person and cannot be turned back without the key (`docs/pseudonyms.md`).
//!
//! A plain hash of a personal number can be undone by trying them all, so the hash has a key, which the key holder keeps
//! away from the study. The study's id goes into it too: the same person has another pseudonym in another study. Persons
//! with protected identity get theirs from a study number of their own, under a label of its own.

use super::identifiers::is_key;
use super::personal_number::{CanonicalNumber, looks_like_one};
use crate::allocation::Seed;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Label of pseudonyms derived from personal numbers.
const NUMBER: &[u8] = b"lottning/pseudonym/1";
/// Label of pseudonyms derived from study numbers: no other message begins so.
const MANUAL: &[u8] = b"lottning/pseudonym-manual/1";

/// First line of a key file; a seed file, which has as many digits, has none.
pub const KEY_FILE: &str = "lottning-pseudonym-key/1";

/// Why a text is no key file. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// 64 hexadecimal digits without the first line of a key file: the seed of a study.
    #[error("a seed, not a key of pseudonyms")]
    Seed,
    /// Anything else.
    #[error("not a key of pseudonyms")]
    Form,
}

/// Letters of a pseudonym: 26^28 is more than 2^131.
const LETTERS: usize = 28;
/// Letters of a group.
const GROUP: usize = 4;

/// 32 secret bytes that pseudonyms are made with. `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PseudonymKey([u8; 32]);

impl PseudonymKey {
    /// A key of given bytes; entropy is the caller's.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Whether two keys are the same.
    pub fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The key of a key file: the line [`KEY_FILE`], then 64 hexadecimal digits, with or without a final newline.
    ///
    /// # Errors
    /// Why the text is no key file; never with the text.
    pub fn from_file(text: &str) -> Result<Self, NotAKey> {
        let digits = |text: &str| Seed::from_hex(text).map(|seed| Self(*seed.bytes()));
        match text.split_once('\n') {
            Some((first, rest)) if first.trim_end_matches('\r') == KEY_FILE => {
                digits(rest).map_err(|_| NotAKey::Form)
            }
            _ => Err(digits(text).map_or(NotAKey::Form, |_| NotAKey::Seed)),
        }
    }

    /// The text of a key file.
    pub fn to_file(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(super::journal::hex(&self.0));
        Zeroizing::new(format!("{KEY_FILE}\n{}\n", *digits))
    }

    /// The pseudonym of a personal or coordination number in a study.
    pub fn of_number(&self, study: &str, number: &CanonicalNumber) -> String {
        self.pseudonym(NUMBER, study, &number.digits())
    }

    /// The pseudonym of a study number of one's own, which [`is_manual_number`] accepts. Small letters are as capitals.
    pub fn of_manual(&self, study: &str, number: &str) -> String {
        self.pseudonym(MANUAL, study, &number.to_ascii_uppercase())
    }

    /// `HMAC-SHA-256(key, label ‖ lp(study) ‖ lp(number))` as a whole number, big-endian, modulo 26^28, in letters.
    fn pseudonym(&self, label: &[u8], study: &str, number: &str) -> String {
        // HMAC takes a key of any length, so the error cannot occur; the worked example guards it.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(label);
        for part in [study, number] {
            mac.update(&(part.len() as u16).to_be_bytes());
            mac.update(part.as_bytes());
        }
        letters(mac.finalize().into_bytes().into())
    }
}

/// Whether a text is a key file by its first line, whatever comes after it.
pub fn is_key_file(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|first| first.trim_end() == KEY_FILE)
}

impl std::fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PseudonymKey(hidden)")
    }
}

/// Whether a text can be a study number of one's own: a key of a study (`[A-Za-z0-9._-]{1,64}`) of at most nine digits that
/// holds nothing like a personal, coordination, interim or reserve number, not even a mistyped one.
pub fn is_manual_number(text: &str) -> bool {
    is_key(text) && !looks_like_one(text)
}

/// A big-endian number modulo 26^28 as letters, A = 0, the most significant first, in groups joined by hyphens.
fn letters(mut number: [u8; 32]) -> String {
    let mut digits = [0; LETTERS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest * 256 + u32::from(*byte);
            (*byte, rest) = ((value / 26) as u8, value % 26);
        }
        *digit = rest as u8;
    }
    let groups: Vec<String> = digits
        .chunks(GROUP)
        .map(|group| group.iter().map(|digit| char::from(b'A' + digit)).collect())
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::{NotAKey, PseudonymKey, is_key_file, is_manual_number, letters};
    use crate::allocation::Seed;
    use crate::study::identifiers::is_pseudonym;
    use crate::study::personal_number::CanonicalNumber;
    use jiff::civil::date;

    fn key(first: u8) -> PseudonymKey {
        PseudonymKey::from_bytes(std::array::from_fn(|place| first + place as u8))
    }

    fn number(text: &str) -> CanonicalNumber {
        CanonicalNumber::read(text, date(2026, 11, 25)).unwrap()
    }

    /// 27 = 1·26 + 1 is …BB; 26^28 − 1 is all Z; 26^28 and 0 are all A. 26^28 by Python 3, `hex(26**28)`.
    #[test]
    fn letters_are_the_number_in_base_26() {
        let mut bytes = [0; 32];
        assert_eq!(letters(bytes), "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA");
        bytes[31] = 27;
        assert_eq!(letters(bytes), "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AABB");
        let power = 0x3aca_d73b_b2b0_1f76_d5d1_1c1f_1000_0000_u128;
        let mut bytes = [0; 32];
        bytes[15] = 0x0c;
        bytes[16..].copy_from_slice(&power.to_be_bytes());
        assert_eq!(letters(bytes), "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA");
        bytes[16..].copy_from_slice(&(power - 1).to_be_bytes());
        assert_eq!(letters(bytes), "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ");
    }

    /// The worked example of `docs/pseudonyms.md`, computed with Python 3 (hmac, hashlib; see the page).
    #[test]
    fn the_worked_example_is_the_one_of_the_page() {
        let key = key(0);
        assert_eq!(
            key.of_number("iuh-2025", &number("191212121212")),
            "XRFB-YNDG-RAHF-DJXO-BPPI-MVZV-PYGS"
        );
        assert_eq!(
            key.of_number("iuh-2025", &number("202301612392")),
            "LYNV-JGKW-BOHD-ADZO-SBXT-SDPR-YEIB"
        );
        assert_eq!(
            key.of_manual("iuh-2025", "M-17"),
            "PUHV-GKGQ-JZLS-UGIH-HSLI-SGFY-CYDE"
        );
    }

    #[test]
    fn small_letters_of_a_study_number_are_as_capitals() {
        let capitals = key(0).of_manual("iuh-2025", "M-17");
        assert_eq!(key(0).of_manual("iuh-2025", "m-17"), capitals);
    }

    #[test]
    fn a_key_file_has_a_first_line_of_its_own_and_a_seed_is_none() {
        let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let text = format!("lottning-pseudonym-key/1\n{digits}\n");
        assert_eq!(key(0).to_file().as_str(), text);
        assert_eq!(PseudonymKey::from_file(&text), Ok(key(0)));
        assert_eq!(
            PseudonymKey::from_file(&text.replace('\n', "\r\n")),
            Ok(key(0))
        );
        assert_eq!(PseudonymKey::from_file(text.trim_end()), Ok(key(0)));
        assert!(is_key_file(&text) && Seed::from_hex(&text).is_err());
        let seed = format!("{digits}\n");
        assert_eq!(PseudonymKey::from_file(&seed), Err(NotAKey::Seed));
        assert_eq!(PseudonymKey::from_file(digits), Err(NotAKey::Seed));
        assert!(!is_key_file(&seed));
        for other in [
            "",
            "lottning-pseudonym-key/1\n",
            &text.replace("key/1", "key/2"),
            &text[..text.len() - 2],
            &format!("{text}{seed}"),
        ] {
            assert_eq!(PseudonymKey::from_file(other), Err(NotAKey::Form));
        }
    }

    #[test]
    fn study_key_and_kind_of_number_each_give_another_pseudonym() {
        let one = number("200001012384");
        let all = [
            key(0).of_number("iuh-2025", &one),
            key(0).of_number("iuh-2026", &one),
            key(1).of_number("iuh-2025", &one),
            key(0).of_number("iuh-2025", &number("200001012392")),
            // The label keeps a study number apart even if it were the same twelve digits.
            key(0).of_manual("iuh-2025", "200001012384"),
        ];
        for (place, own) in all.iter().enumerate() {
            assert!(is_pseudonym(own), "{own}");
            assert!(!all[..place].contains(own));
        }
        assert_eq!(format!("{:?}", key(0)), "PseudonymKey(hidden)");
    }

    #[test]
    fn a_study_number_is_a_short_code_and_no_personal_number() {
        for text in ["M-17", "a", "protected.3", "2025-03-01", "123456789"] {
            assert!(is_manual_number(text), "{text}");
        }
        for text in [
            "",
            "no blanks",
            "åtta",
            "191212121212",
            "191212121213",
            "121212-1212",
            "20000101T238",
            "12.12.12.T238",
            "1912-1212-1212",
            "19-121212-121",
            "1234567890",
        ] {
            assert!(!is_manual_number(text), "{text}");
        }
    }
}
