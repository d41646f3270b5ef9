//! One row of the ledger and the hash chain over all of them (`docs/ledger-spec.md`).

use super::canonical::Object;
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
        self.chained_in(&mut Vec::new(), previous, protocol_hash)
    }

    /// As [`Entry::chained`], with room for the bytes that are hashed.
    pub(crate) fn chained_in(
        &self,
        bytes: &mut Vec<u8>,
        previous: &Hash,
        protocol_hash: &Hash,
    ) -> Hash {
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
        bytes.clear();
        bytes.reserve(parts.iter().map(|part| 4 + part.len()).sum());
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Sha256::digest(bytes).into()
    }

    /// Its texts, read.
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            public: Part::of(&self.public),
            payload: Part::of(self.payload.as_deref().unwrap_or("{}")),
        }
    }

    /// The end of a chain that ends here.
    pub fn head(&self) -> Head {
        Head {
            sequence: self.sequence,
            hash: self.hash,
        }
    }
}

/// The texts of a row, read once for whoever looks at them. An erased payload is empty.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// The public part.
    pub(crate) public: Part<'a>,
    /// The payload.
    pub(crate) payload: Part<'a>,
}

/// A text of a row that should be an object in canonical form.
#[derive(Debug)]
pub(crate) struct Part<'a>(Option<(Object<'a>, bool)>);

impl<'a> Part<'a> {
    fn of(text: &'a str) -> Self {
        Self(Object::read(text))
    }

    /// The object, if it is one.
    pub(crate) fn object(&self) -> Option<&Object<'a>> {
        self.0.as_ref().map(|(object, _)| object)
    }

    /// The object itself, if it is one.
    pub(super) fn into_object(self) -> Option<Object<'a>> {
        self.0.map(|(object, _)| object)
    }

    /// Whether it is an object in canonical form.
    pub(crate) fn is_canonical(&self) -> bool {
        matches!(self.0, Some((_, true)))
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' } else { b'a' - 10 } + value);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
