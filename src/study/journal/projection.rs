//! The stored projection: a fold as bytes, so that a command need not read a long ledger from its first row.
//!
//! It is disposable and never the truth. Its stamp says what it was made from: form and version of the program, hashes
//! of the protocols, head of the ledger. Bytes whose stamp or check sum does not fit are ignored and made again, and
//! `verify` folds from the rows and compares.
//!
//! The bytes are a root, which is read whole, and pages, which are read when they are asked for
//! (`docs/adr/0006-projection-in-pages.md`): eight bytes that say what the sums belong to, length and sum of the root, the
//! root, the pages.

use super::entry::Head;
use super::fold::{Journal, KeyUse, OUTCOMES, Opening, RequestUse};
use crate::allocation::Mode;
use crate::protocol::Protocol;
use crate::protocol::model::MAX_FIELDS;
use crate::study::coded::{Coded, Sink, Source, check_sum, coded};
use crate::study::kernel::FamilyIx;
use crate::study::pages::{Bytes, Limits, Row, Shelf};
use jiff::Timestamp;
use std::sync::Arc;

/// Grows with every change of what a projection holds, or of how.
const FORM: u8 = 7;

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
    fn put(&self, out: &mut Sink) {
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
    fn put(&self, out: &mut Sink) {
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

/// Bytes before the root.
const BEFORE: usize = 24;

/// A stored projection whose stamp was read: of this version of the program.
#[derive(Debug)]
pub struct Stored {
    hashes: Vec<[u8; 32]>,
    head: Head,
    root: Vec<u8>,
    /// How much of the root the stamp takes.
    stamp: usize,
    shelf: Arc<Shelf>,
}

impl Stored {
    /// Reads root and stamp; `None` of a root that is not whole, or of another program.
    pub fn read(bytes: Box<dyn Bytes>) -> Option<Self> {
        let mut before = [0; BEFORE];
        if !bytes.read(0, &mut before) {
            return None;
        }
        let (words, _) = before.as_chunks();
        let [seed, len, sum] = [0, 1, 2].map(|own| u64::from_le_bytes(words[own]));
        if len > bytes.len() {
            return None;
        }
        let mut root = vec![0; usize::try_from(len).ok()?];
        if !bytes.read(BEFORE as u64, &mut root) || check_sum(seed, &root) != sum {
            return None;
        }
        let mut source = Source::new(&root);
        let input = &mut source;
        let same = String::take(input)? == MAGIC
            && u8::take(input)? == FORM
            && String::take(input)? == env!("CARGO_PKG_VERSION");
        let (hashes, head) = (Vec::take(input)?, Head::take(input)?);
        let stamp = root.len() - source.left();
        (same && seed == seed_of(&head)).then(|| Self {
            hashes,
            head,
            stamp,
            shelf: Arc::new(Shelf::new(bytes, BEFORE as u64 + len, seed)),
            root,
        })
    }

    /// The head of the ledger that it was made from.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many epochs after the first it knows.
    pub fn later_epochs(&self) -> u32 {
        self.hashes.len().saturating_sub(1) as u32
    }

    /// The fold; `None` of other protocols or of a root that does not hold together. Its pages are read when they are
    /// asked for ([`Journal::is_doubtful`]). Whether the ledger still has the row of the head is for the caller to see.
    pub fn journal(&self, protocol: &Arc<Protocol>) -> Option<Journal> {
        if self.hashes != hashes(protocol) {
            return None;
        }
        let (own, source) = self.take(protocol)?;
        let limits = limits(&own);
        let fits = source.ends()
            && own.state.sequence == self.head.sequence
            && own.subjects.len() as u64 == self.head.sequence
            && own.state.fits(protocol, &limits)
            && own.names.fits(&limits);
        self.shelf.limit(limits);
        fits.then_some(own)
    }

    /// As [`Stored::journal`], with everything in memory; `None` also if a page is not whole.
    pub fn whole_journal(&self, protocol: &Arc<Protocol>) -> Option<Journal> {
        let mut own = self.journal(protocol)?;
        own.state.load_all();
        own.names.load_all();
        own.requests.load_all();
        own.kinds.load_all();
        own.keys.load_all();
        own.subjects.load_all();
        let doubtful = own.is_doubtful();
        own.shelf = None;
        (!doubtful).then_some(own)
    }

    fn take(&self, protocol: &Arc<Protocol>) -> Option<(Journal, Source<'_>)> {
        let rest = self.root.get(self.stamp..)?;
        let mut source = Source::of_root(rest, Arc::clone(&self.shelf));
        let input = &mut source;
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
        own.shelf = Some(Arc::clone(&self.shelf));
        Some((own, source))
    }

    /// Whether root and pages are whole and end where the bytes do.
    pub fn is_whole(&self, protocol: &Arc<Protocol>) -> bool {
        self.take(protocol)
            .is_some_and(|(_, source)| source.ends() && self.shelf.is_whole(&source.spots))
    }
}

fn limits(journal: &Journal) -> Limits {
    let mut limits = Limits {
        arms: journal.protocol.arms.len() as u8,
        fields: MAX_FIELDS as u8,
        ..Limits::default()
    };
    journal.state.limit(&mut limits);
    journal.names.limit(&mut limits);
    limits
}

impl Row for Option<FamilyIx> {
    const IN_PAGE: usize = 512;

    fn blank() -> Self {
        None
    }

    fn fits(&self, _: usize, limits: &Limits) -> bool {
        self.is_none_or(|own| own.0 < limits.families)
    }
}

impl Row for RequestUse {
    const IN_PAGE: usize = 64;

    fn blank() -> Self {
        Self {
            content: [0; 32],
            family: FamilyIx(0),
            outcome: OUTCOMES[0],
        }
    }

    fn fits(&self, _: usize, limits: &Limits) -> bool {
        self.family.0 < limits.families
    }
}

impl Row for KeyUse {
    const IN_PAGE: usize = 64;

    fn blank() -> Self {
        Self {
            content: [0; 32],
            family: None,
            sequence: 0,
            retracted: false,
        }
    }

    fn fits(&self, _: usize, limits: &Limits) -> bool {
        self.family.fits(0, limits) && self.sequence <= limits.sequence
    }
}

/// What sums belong to: the first bytes of the head's hash.
fn seed_of(head: &Head) -> u64 {
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
        let seed = seed_of(&self.head);
        let mut out = Sink {
            seed,
            ..Sink::default()
        };
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
        if self.is_doubtful() {
            return None;
        }
        let Sink { root, body, .. } = out;
        let mut all = Vec::with_capacity(BEFORE + root.len() + body.len());
        for word in [seed, root.len() as u64, check_sum(seed, &root)] {
            all.extend_from_slice(&word.to_le_bytes());
        }
        all.extend_from_slice(&root);
        all.extend_from_slice(&body);
        Some(all)
    }
}
