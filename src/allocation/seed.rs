//! The seed of an epoch and its public commitment. A seed never appears in logs, reports or errors.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 bytes from which every draw of an epoch follows. `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

/// Why a text is not a seed. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// Not 64 lower- or upper-case hexadecimal digits.
    #[error("a seed is 64 hexadecimal digits")]
    NotHexadecimal,
}

/// The commitment of a seed to a sealed protocol.
pub type Commitment = [u8; 32];

impl Seed {
    /// A seed of given bytes; entropy is the caller's.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seed written as 64 hexadecimal digits, with or without a final newline.
    pub fn from_hex(text: &str) -> Result<Self, SeedError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text).as_bytes();
        if text.len() != 64 {
            return Err(SeedError::NotHexadecimal);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let high = char::from(pair[0])
                .to_digit(16)
                .ok_or(SeedError::NotHexadecimal)?;
            let low = char::from(pair[1])
                .to_digit(16)
                .ok_or(SeedError::NotHexadecimal)?;
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self(bytes))
    }

    /// 64 lower-case hexadecimal digits, as the seed file holds them before its newline.
    pub fn to_hex(&self) -> String {
        use std::fmt::Write;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    /// The raw bytes, for the derivation of keys.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the seed shows that nobody drew it by lot, so that it can be guessed: at most 8 different bytes, a pattern
    /// of hexadecimal digits that repeats itself, or bytes that go up or down by one step. A seed of entropy is taken for
    /// one of these less often than once in 10³³.
    pub fn is_guessable(&self) -> bool {
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(&self.0) {
            pair.copy_from_slice(&[byte >> 4, byte & 15]);
        }
        let mut seen = [false; 256];
        for byte in &self.0 {
            seen[usize::from(*byte)] = true;
        }
        let different = seen.iter().filter(|own| **own).count();
        let repeats = (1..=32).any(|period| digits[period..] == digits[..64 - period]);
        let step = self.0[1].wrapping_sub(self.0[0]);
        let climbs = self
            .0
            .windows(2)
            .all(|pair| pair[1].wrapping_sub(pair[0]) == step);
        different <= 8 || repeats || climbs
    }

    /// `SHA-256("lottning/commit/1" ‖ seed ‖ SHA-256(bytes of the sealed protocol file))`.
    pub fn commitment(&self, protocol_hash: &[u8; 32]) -> Commitment {
        let mut hash = Sha256::new();
        hash.update(b"lottning/commit/1");
        hash.update(self.0);
        hash.update(protocol_hash);
        hash.finalize().into()
    }

    /// The effective seed under a beacon value: `HMAC-SHA-256(seed, "lottning/beacon/1" ‖ value)`, value as
    /// lower-case hexadecimal text (upper-case digits are lowered).
    #[must_use]
    pub fn with_beacon(&self, value: &str) -> Self {
        // HMAC takes a key of any length, so the error cannot occur; the frozen vectors guard it.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return self.clone();
        };
        mac.update(b"lottning/beacon/1");
        mac.update(value.to_ascii_lowercase().as_bytes());
        Self(mac.finalize().into_bytes().into())
    }

    /// The code by which a stored projection is known to be made by who has this seed:
    /// `HMAC-SHA-256(seed, "lottning/projection/1" ‖ SHA-256(root))`; `root` is that hash.
    pub fn code_of_projection(&self, root: &[u8; 32]) -> [u8; 32] {
        self.vouching(root)
            .map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }

    /// Whether a code is that of a stored projection with this seed, compared in constant time.
    pub fn knows_projection(&self, root: &[u8; 32], code: &[u8; 32]) -> bool {
        self.vouching(root)
            .is_some_and(|mac| mac.verify_slice(code).is_ok())
    }

    fn vouching(&self, root: &[u8; 32]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(b"lottning/projection/1");
        mac.update(root);
        Some(mac)
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;
    use sha2::{Digest, Sha256};

    #[test]
    fn a_seed_that_nobody_drew_by_lot_is_told_from_one_of_entropy() {
        let given = |text: &str| Seed::from_hex(text).unwrap().is_guessable();
        let last = |text: &str| format!("{}{text}", "0".repeat(64 - text.len()));
        for guessable in [
            "00".repeat(32),
            "ff".repeat(32),
            "ab".repeat(32),
            "5".repeat(64),
            "0123456789abcdef".repeat(4),
            "0123456789abcdeffedcba9876543210".repeat(2),
            // 21 times three digits and one more: the pattern need not end with the seed.
            format!("{}1", "123".repeat(21)),
            format!("{}{}", "0123456789abcdef0", "0123456789abcdef0".repeat(3))[..64].to_owned(),
            last("1"),
            last("2025"),
            // 000102…1f and 1f1e…00, by counting.
            Seed::from_bytes(std::array::from_fn(|place| place as u8)).to_hex(),
            Seed::from_bytes(std::array::from_fn(|place| 31 - place as u8)).to_hex(),
        ] {
            assert!(given(&guessable), "{guessable}");
        }
        // Python: hashlib.sha256(b"one").hexdigest(), and the same with its first half repeated but for one digit.
        let one = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
        assert!(!given(one));
        assert!(!given(&format!("{}{}e", &one[..32], &one[..31])));
        // Whatever SHA-256 gives passes, by the thousand.
        for number in 0_u32..10_000 {
            let bytes: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
            assert!(!Seed::from_bytes(bytes).is_guessable(), "{number}");
        }
    }

    #[test]
    fn a_seed_vouches_for_a_projection_and_no_other_seed_does() {
        // Python: hmac.new(bytes(range(32)), b"lottning/projection/1" + bytes([7] * 32), hashlib.sha256).hexdigest()
        let expected = "bdccc8f7d86d830eee68132ea43918e6c64300feb5b9f85de5e29593a7db47e0";
        let bytes = std::array::from_fn(|place| place as u8);
        let seed = Seed::from_bytes(bytes);
        let code = seed.code_of_projection(&[7; 32]);
        assert_eq!(Seed::from_bytes(code).to_hex(), expected);
        assert!(seed.knows_projection(&[7; 32], &code));
        assert!(!seed.knows_projection(&[8; 32], &code), "of another root");
        assert!(!seed.knows_projection(&[7; 32], &[0; 32]), "none");
        assert!(!Seed::from_bytes([7; 32]).knows_projection(&[7; 32], &code));
    }
}
