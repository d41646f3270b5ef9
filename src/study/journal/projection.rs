//! The stored projection: a fold as bytes, so that a command need not read a long ledger from its first row.
//!
//! It is disposable and never the truth. Its stamp says what it was made from: form and version of the program, hashes
//! of the protocols, head of the ledger. Bytes whose stamp or check sum does not fit are ignored and made again, and
//! `verify` folds from the rows and compares.

use super::entry::Head;
use super::fold::{Journal, KeyUse, OUTCOMES, Opening, RequestUse};
use crate::allocation::Mode;
use crate::protocol::Protocol;
use crate::study::coded::{Coded, Source, coded, framed};
use jiff::Timestamp;
use std::io::Read;
use std::sync::Arc;

/// Grows with every change of what a projection holds, or of how.
const FORM: u8 = 5;

coded!(Head { sequence, hash });
coded!(KeyUse {
    content,
    family,
    sequence,
    retracted,
});
coded!(Opening {
    mode,
    typed_time,
    commitments,
    beacons,
    revealed,
});

impl Coded for Mode {
    fn put(&self, out: &mut Vec<u8>) {
        self.text().to_owned().put(out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
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

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(Self {
            content: Coded::take(input)?,
            family: Coded::take(input)?,
            outcome: OUTCOMES.get(usize::take(input)?)?,
        })
    }
}

const MAGIC: &str = "lottning projection";

/// A stored projection whose stamp was read: of this version of the program.
pub struct Stored<'a> {
    hashes: Vec<[u8; 32]>,
    head: Head,
    rest: Source<'a>,
}

impl std::fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl<'a> Stored<'a> {
    /// Reads the stamp; `None` of what is cut or changed at its beginning, or of another program.
    pub fn read(from: &'a mut dyn Read) -> Option<Self> {
        let mut rest = Source::new(from)?;
        let input = &mut rest;
        let same = String::take(input)? == MAGIC
            && u8::take(input)? == FORM
            && String::take(input)? == env!("CARGO_PKG_VERSION");
        let (hashes, head) = (Vec::take(input)?, Head::take(input)?);
        (same && rest.seed() == seed(&head)).then_some(Self { hashes, head, rest })
    }

    /// The head of the ledger that it was made from.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many epochs after the first it knows.
    pub fn later_epochs(&self) -> u32 {
        self.hashes.len().saturating_sub(1) as u32
    }

    /// The fold; `None` of other protocols or of bytes that are not whole. Whether the ledger still has the row of the
    /// head is for the caller to see.
    pub fn journal(self, protocol: &Arc<Protocol>) -> Option<Journal> {
        if self.hashes != hashes(protocol) {
            return None;
        }
        let mut rest = self.rest;
        let input = &mut rest;
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
        rest.ends().then_some(own)
    }

    /// The head of stored bytes that are whole to the end.
    pub fn whole(mut bytes: &[u8]) -> Option<Head> {
        let mut beginning = bytes;
        let head = Stored::read(&mut beginning)?.head();
        Source::new(&mut bytes)?.is_whole().then_some(head)
    }
}

/// What frames are told apart by: the first bytes of the head's hash.
fn seed(head: &Head) -> u64 {
    let (words, _) = head.hash.as_chunks::<8>();
    words.first().map_or(0, |word| u64::from_le_bytes(*word))
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
        let mut out = Vec::new();
        MAGIC.to_owned().put(&mut out);
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
        Some(framed(seed(&self.head), &out))
    }
}
