//! Where the random numbers of a draw come from: keys by HMAC-SHA-256, one ChaCha20 stream per allocation.

use super::seed::Seed;
use crate::numerics::stream;
use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::ChaCha8Rng;
use sha2::Sha256;

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
    /// The duplicate arm of ratio-preserving minimization; stream = number of the allocation.
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
/// u16be(number of factors) ‖ lp(level)…)`, `lp(s)` = u16 big-endian length, then UTF-8.
pub fn stream_key(effective_seed: &Seed, address: &Address<'_>, purpose: Purpose) -> [u8; 32] {
    // HMAC takes a key of any length, so the error of `new_from_slice` cannot occur; an all-zero key would be
    // caught by the frozen vectors.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(effective_seed.bytes()) else {
        return [0; 32];
    };
    mac.update(b"lottning/draw/1");
    lengthened(&mut mac, address.mode.text());
    lengthened(&mut mac, address.study);
    mac.update(&address.epoch.to_be_bytes());
    lengthened(&mut mac, purpose.text());
    mac.update(&(address.levels.len() as u16).to_be_bytes());
    for level in address.levels {
        lengthened(&mut mac, level);
    }
    mac.finalize().into_bytes().into()
}

fn lengthened(mac: &mut Hmac<Sha256>, text: &str) {
    mac.update(&(text.len() as u16).to_be_bytes());
    mac.update(text.as_bytes());
}

/// The keys of one stratum, by purpose: ChaCha20 from the start of the addressed stream for every number.
#[derive(Clone)]
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
        Self {
            arm: stream_key(effective_seed, address, Purpose::Arm),
            block: stream_key(effective_seed, address, Purpose::Block),
            duplicate: stream_key(effective_seed, address, Purpose::Duplicate),
        }
    }
}

impl Randomness for StratumKeys {
    fn below(&mut self, purpose: Purpose, index: u64, n: u64) -> u64 {
        let key = match purpose {
            Purpose::Arm => &self.arm,
            Purpose::Block => &self.block,
            Purpose::Duplicate => &self.duplicate,
        };
        stream::below(&mut stream::recorded(key, index), n)
    }
}

/// One replicate of a redraw: ChaCha8, numbers taken one after another whatever their purpose, families in ledger
/// order. A block length is taken when its stratum starts or when the block before it is full.
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
}
