//! One row of the ledger and the hash chain over all of them (`docs/ledger-spec.md`).

use sha2::{Digest, Sha256};

/// A hash of the chain.
pub type Hash = [u8; 32];

/// The entry before the first one.
pub const GENESIS: Hash = [0; 32];

/// A row of the ledger as it is stored: text and bytes, nothing interpreted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1.
    pub sequence: u64,
    /// UTC, RFC 3339 with six decimals and `Z`.
    pub time: String,
    /// Who recorded it.
    pub actor: String,
    /// Kind of event.
    pub kind: String,
    /// Canonical JSON that is never erased: what later decisions and proofs depend on.
    pub public: String,
    /// Canonical JSON of who and what; `None` once erased.
    pub payload: Option<String>,
    /// 32 random bytes; `None` once erased.
    pub salt: Option<[u8; 32]>,
    /// `SHA-256(salt ‖ payload)`, kept when both are erased.
    pub payload_hash: Hash,
    /// The chain up to and including this entry.
    pub hash: Hash,
}

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// Sequence of the last entry, 0 for an empty ledger.
    pub sequence: u64,
    /// Its hash, [`GENESIS`] for an empty ledger.
    pub hash: Hash,
}

impl Head {
    /// Of an empty ledger.
    pub const EMPTY: Self = Self {
        sequence: 0,
        hash: GENESIS,
    };

    /// The hash as 64 lower-case hexadecimal digits: what commands print and `--expect-head` takes.
    pub fn to_hex(&self) -> String {
        hex(&self.hash)
    }
}

impl Entry {
    /// `SHA-256(salt ‖ payload)`.
    pub fn hash_payload(salt: &[u8; 32], payload: &str) -> Hash {
        let mut hash = Sha256::new();
        hash.update(salt);
        hash.update(payload.as_bytes());
        hash.finalize().into()
    }

    /// The chain's hash of this entry after `previous`: SHA-256 over previous entry, protocol hash, sequence (u64
    /// big-endian), time, actor, kind, public part and payload hash, each preceded by its length as u32 big-endian.
    pub fn chained(&self, previous: &Hash, protocol_hash: &Hash) -> Hash {
        let sequence = self.sequence.to_be_bytes();
        let parts: [&[u8]; 8] = [
            previous,
            protocol_hash,
            &sequence,
            self.time.as_bytes(),
            self.actor.as_bytes(),
            self.kind.as_bytes(),
            self.public.as_bytes(),
            &self.payload_hash,
        ];
        let len = parts.iter().map(|part| 4 + part.len()).sum();
        let mut bytes = Vec::with_capacity(len);
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Sha256::digest(&bytes).into()
    }

    /// The end of a chain that ends here.
    pub fn head(&self) -> Head {
        Head {
            sequence: self.sequence,
            hash: self.hash,
        }
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
