//! The stored projection: a fold as bytes, so that a command need not read a long ledger from its first row.
//!
//! It is disposable and never the truth. Its stamp says what it was made from: form and version of the program, hashes
//! of the protocols, head of the ledger. Bytes whose stamp or check sum does not fit are ignored and made again, and
//! `verify` folds from the rows and compares.

use super::entry::Head;
use super::fold::{Journal, KeyUse, OUTCOMES, Opening, RequestUse};
use crate::allocation::Mode;
use crate::protocol::Protocol;
use crate::study::coded::{Coded, check_sum, coded, take_bytes};
use jiff::Timestamp;
use std::sync::Arc;

/// Grows with every change of what a projection holds, or of how.
const FORM: u8 = 1;

coded!(Head { sequence, hash });
coded!(KeyUse { content, sequence });
coded!(Opening {
    mode,
    commitments,
    beacons,
    revealed,
});

impl Coded for Mode {
    fn put(&self, out: &mut Vec<u8>) {
        self.text().to_owned().put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        let text = String::take(input)?;
        [Self::Live, Self::Rehearsal, Self::Draw]
            .into_iter()
            .find(|mode| mode.text() == text)
    }
}

impl Coded for RequestUse {
    fn put(&self, out: &mut Vec<u8>) {
        self.content.put(out);
        self.family.put(out);
        let place = OUTCOMES.iter().position(|own| *own == self.outcome);
        place.unwrap_or(0).put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(Self {
            content: Coded::take(input)?,
            family: Coded::take(input)?,
            outcome: OUTCOMES.get(usize::take(input)?)?,
        })
    }
}

const MAGIC: &[u8] = b"lottning projection";

/// Stored bytes that are whole and were made by this version of the program.
#[derive(Debug)]
pub struct Stored<'a> {
    hashes: Vec<[u8; 32]>,
    head: Head,
    fold: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Stored<'a> {
    /// Reads the stamp; `None` of bytes that are cut, changed, or of another program.
    pub fn read(whole: &'a [u8]) -> Option<Self> {
        let (mut input, sum) = whole.split_at_checked(whole.len().checked_sub(8)?)?;
        if check_sum(input).to_le_bytes() != sum {
            return None;
        }
        let input = &mut input;
        let same = take_bytes(input, MAGIC.len())? == MAGIC
            && u8::take(input)? == FORM
            && String::take(input)? == env!("CARGO_PKG_VERSION");
        let (hashes, head) = (Vec::take(input)?, Head::take(input)?);
        same.then_some(Self {
            hashes,
            head,
            fold: input,
            whole,
        })
    }

    /// The head of the ledger that they were made from.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many epochs after the first they know.
    pub fn later_epochs(&self) -> u32 {
        self.hashes.len().saturating_sub(1) as u32
    }

    /// The fold; `None` of other protocols. Whether the ledger still has the row of the head is for the caller to see.
    pub fn journal(&self, protocol: &Arc<Protocol>) -> Option<Journal> {
        if self.hashes != hashes(protocol) {
            return None;
        }
        let mut input = self.fold;
        let input = &mut input;
        let mut own = Journal::new(Arc::clone(protocol));
        own.head = self.head;
        own.state = Coded::take(input)?;
        own.names = Coded::take(input)?;
        own.opening = Coded::take(input)?;
        let time: Option<i64> = Coded::take(input)?;
        own.last_time = match time {
            Some(time) => Some(Timestamp::from_microsecond(time).ok()?),
            None => None,
        };
        own.duties = Coded::take(input)?;
        own.requests = Coded::take(input)?;
        own.kinds = Coded::take(input)?;
        own.keys = Coded::take(input)?;
        own.subjects = Coded::take(input)?;
        input.is_empty().then_some(own)
    }

    /// Whether they are what a fold of rows up to the same head gives.
    pub fn is_of(&self, journal: &Journal) -> bool {
        journal.projection().as_deref() == Some(self.whole)
    }
}

fn hashes(protocol: &Protocol) -> Vec<[u8; 32]> {
    (0..=protocol.epoch())
        .map(|epoch| protocol.in_epoch(epoch).hash.0)
        .collect()
}

impl Journal {
    /// The fold as bytes; `None` in the middle of a transaction.
    pub fn projection(&self) -> Option<Vec<u8>> {
        if self.pending.is_some() {
            return None;
        }
        let mut out = MAGIC.to_vec();
        FORM.put(&mut out);
        env!("CARGO_PKG_VERSION").to_owned().put(&mut out);
        hashes(&self.protocol).put(&mut out);
        self.head.put(&mut out);
        self.state.put(&mut out);
        self.names.put(&mut out);
        self.opening.put(&mut out);
        self.last_time.map(Timestamp::as_microsecond).put(&mut out);
        self.duties.put(&mut out);
        self.requests.put(&mut out);
        self.kinds.put(&mut out);
        self.keys.put(&mut out);
        self.subjects.put(&mut out);
        let sum = check_sum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        Some(out)
    }
}
