//! The made-up clock, entropy and progress of a rehearsal.

use crate::app::{Clock, Entropy, Failure, Progress};
use crate::diagnostic::{Diagnostic, Words};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A clock that the rehearsal moves.
#[derive(Debug)]
pub(super) struct StageClock(pub(super) Arc<AtomicI64>);

impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Salts that depend on the protocol alone: a rehearsal hides nothing.
#[derive(Debug)]
pub(super) struct StageEntropy {
    pub(super) seed: [u8; 32],
    pub(super) count: AtomicU64,
}

impl Entropy for StageEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Failure> {
        for chunk in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(b"lottning/rehearsal-salt/1");
            hash.update(self.seed);
            hash.update(self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            let block: [u8; 32] = hash.finalize().into();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

/// The use cases' own notes are not the rehearsal's.
#[derive(Debug)]
pub(super) struct Unheard;

impl Progress for Unheard {
    fn note(&self, _: &Words) {}
    fn warn(&self, _: &Diagnostic) {}
    fn advance(&self, _: &Words, _: u64, _: u64) {}
}
