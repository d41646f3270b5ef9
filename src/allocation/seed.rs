//! The seed of an epoch and its public commitment. A seed never appears in logs, reports or errors.

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
        use hmac::{Hmac, KeyInit, Mac};
        // HMAC takes a key of any length, so the error cannot occur; the frozen vectors guard it.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return self.clone();
        };
        mac.update(b"lottning/beacon/1");
        mac.update(value.to_ascii_lowercase().as_bytes());
        Self(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(hidden)")
    }
}
