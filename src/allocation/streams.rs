//! Where the random numbers of a draw come from: keys by HMAC-SHA-256, one ChaCha20 stream per allocation.

use super::seed::Seed;
use super::wide::Placed;
use crate::numerics::stream;
use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::{ChaCha8Rng, ChaCha20Rng};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What a draw is for. A rehearsal or a list on its own can never show a live list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A study.
    Live,
    /// A trial run of a study, and every simulated study.
    Rehearsal,
    /// `lottning draw`.
    Draw,
}

impl Mode {
    /// The text in the derivation of keys.
    pub fn text(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Rehearsal => "rehearsal",
            Self::Draw => "draw",
        }
    }
}

/// What a random number decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The arm itself; stream = number of the allocation within stratum and epoch.
    Arm,
    /// A random block length; stream = number of the block.
    Block,
    /// The duplicate that an arm of an unequal ratio stands for; stream = number of the allocation.
    Duplicate,
}

impl Purpose {
    /// The text in the derivation of keys.
    pub fn text(self) -> &'static str {
        match self {
            Self::Arm => "arm",
            Self::Block => "block",
            Self::Duplicate => "duplicate",
        }
    }
}

/// One stratum's source of random integers.
pub trait Randomness {
    /// An unbiased integer in `0..n`, `n >= 1`, for a purpose and its running number.
    fn below(&mut self, purpose: Purpose, index: u64, n: u64) -> u64;

    /// The same for an `n` of several 64-bit limbs, least significant first; the answer has as many.
    fn below_wide(&mut self, purpose: Purpose, index: u64, n: &[u64]) -> Vec<u64>;

    /// The first place, in order, whose cumulative weight exceeds an unbiased integer below the sum of the weights,
    /// which are in lowest terms and not all zero.
    fn pick(&mut self, purpose: Purpose, index: u64, weights: &[u64]) -> usize {
        let point = self.below(purpose, index, weights.iter().sum());
        let mut cumulative = 0;
        let place = weights.iter().position(|weight| {
            cumulative += weight;
            cumulative > point
        });
        place.unwrap_or(0)
    }

    /// The same where places of the same number in `alike` are alike: for who follows every place, draws none and need not tell
    /// such places apart.
    fn pick_alike(
        &mut self,
        purpose: Purpose,
        index: u64,
        weights: &[u64],
        _alike: &[u64],
    ) -> usize {
        self.pick(purpose, index, weights)
    }

    /// The same for weights of any size, in lowest terms when they are asked for; `short` are they in 64 bits, for who follows every
    /// place.
    fn pick_wide(
        &mut self,
        purpose: Purpose,
        index: u64,
        weights: &dyn Fn() -> Placed<'static>,
        _short: &[u64],
        _alike: &[u64],
    ) -> usize {
        let weights = weights();
        let sum = weights.sum().limbs();
        let point = self.below_wide(purpose, index, sum);
        weights.arm_at(&point).index()
    }
}

/// Which list a draw belongs to; with the effective seed it gives the keys.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    /// Live, rehearsal or draw.
    pub mode: Mode,
    /// Id of the study; `draw` in `lottning draw`.
    pub study: &'a str,
    /// Number of the epoch, from 0.
    pub epoch: u32,
    /// Level of each stratification factor as text, in the protocol's order; empty without strata.
    pub levels: &'a [&'a str],
}

/// Key of the streams of one purpose in one stratum (`docs/allocation-spec.md`, "Key of a stream").
///
/// `HMAC-SHA-256(effective seed, "lottning/draw/1" ‖ lp(mode) ‖ lp(study) ‖ u32be(epoch) ‖ lp(purpose) ‖
/// u16be(number of factors) ‖ lp(level)…)`, `lp(s)` = u16 big-endian length, then UTF-8. Ids and levels are at most
/// 65,535 bytes long and factors at most 65,535; who reads them from a person checks that.
pub fn stream_key(effective_seed: &Seed, address: &Address<'_>, purpose: Purpose) -> [u8; 32] {
    finish(keyed(effective_seed), address, purpose)
}

fn keyed(effective_seed: &Seed) -> Hmac<Sha256> {
    // HMAC takes a key of any length (RFC 2104), and 32 bytes are given.
    match Hmac::<Sha256>::new_from_slice(effective_seed.bytes()) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes a key of any length"),
    }
}

fn finish(mut mac: Hmac<Sha256>, address: &Address<'_>, purpose: Purpose) -> [u8; 32] {
    mac.update(b"lottning/draw/1");
    lengthened(address.mode.text(), |part| mac.update(part));
    lengthened(address.study, |part| mac.update(part));
    mac.update(&address.epoch.to_be_bytes());
    lengthened(purpose.text(), |part| mac.update(part));
    mac.update(&(address.levels.len() as u16).to_be_bytes());
    for level in address.levels {
        lengthened(level, |part| mac.update(part));
    }
    mac.finalize().into_bytes().into()
}

fn lengthened(text: &str, mut update: impl FnMut(&[u8])) {
    debug_assert!(
        u16::try_from(text.len()).is_ok(),
        "a text of a key is at most 65,535 bytes"
    );
    update(&(text.len() as u16).to_be_bytes());
    update(text.as_bytes());
}

/// Key of the redraws of one registered analysis of one lock:
/// `SHA-256("lottning/redraw/1" ‖ protocol hash ‖ lp(analysis) ‖ lp(lock))`; stream = replicate, from 0.
pub fn redraw_key(protocol_hash: &[u8; 32], analysis: &str, lock: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"lottning/redraw/1");
    hash.update(protocol_hash);
    lengthened(analysis, |part| hash.update(part));
    lengthened(lock, |part| hash.update(part));
    hash.finalize().into()
}

/// The keys of one stratum, by purpose: ChaCha20 from the start of the addressed stream for every number.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StratumKeys {
    arm: [u8; 32],
    block: [u8; 32],
    duplicate: [u8; 32],
}

impl std::fmt::Debug for StratumKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StratumKeys(hidden)")
    }
}

impl StratumKeys {
    /// Derives the keys of a stratum from the effective seed.
    pub fn derive(effective_seed: &Seed, address: &Address<'_>) -> Self {
        let mac = keyed(effective_seed);
        Self {
            arm: finish(mac.clone(), address, Purpose::Arm),
            block: finish(mac.clone(), address, Purpose::Block),
            duplicate: finish(mac, address, Purpose::Duplicate),
        }
    }
}

impl StratumKeys {
    fn stream(&self, purpose: Purpose, index: u64) -> ChaCha20Rng {
        let key = match purpose {
            Purpose::Arm => &self.arm,
            Purpose::Block => &self.block,
            Purpose::Duplicate => &self.duplicate,
        };
        stream::recorded(key, index)
    }
}

impl Randomness for StratumKeys {
    fn below(&mut self, purpose: Purpose, index: u64, n: u64) -> u64 {
        stream::below(&mut self.stream(purpose, index), n)
    }

    fn below_wide(&mut self, purpose: Purpose, index: u64, n: &[u64]) -> Vec<u64> {
        stream::below_wide(&mut self.stream(purpose, index), n)
    }
}

/// One replicate of a redraw: ChaCha8, numbers taken one after another whatever their purpose, families in ledger
/// order. A block length is taken when its stratum meets its first family, and at once when a block is full.
#[derive(Debug, Clone)]
pub struct Redraw(ChaCha8Rng);

impl Redraw {
    /// Replicate `replicate` (from 0) under a redraw key.
    pub fn new(key: &[u8; 32], replicate: u64) -> Self {
        Self(stream::replicate(key, replicate))
    }
}

impl Randomness for Redraw {
    fn below(&mut self, _purpose: Purpose, _index: u64, n: u64) -> u64 {
        stream::below(&mut self.0, n)
    }

    fn below_wide(&mut self, _purpose: Purpose, _index: u64, n: &[u64]) -> Vec<u64> {
        stream::below_wide(&mut self.0, n)
    }
}
