//! The stored projection: a fold as bytes, so that a command need not read a long ledger from its first row.
//!
//! It is disposable and never the truth. Its stamp says what it was made from: form and version of the program, hashes
//! of the protocols, head of the ledger. Bytes whose stamp or hash does not fit are ignored and made again, and
//! `verify` folds from the rows and compares.
//!
//! The bytes are a root, which is read whole, and pages, which are read when they are asked for
//! (`docs/adr/0006-projection-in-pages.md`): length of the root, its SHA-256, a code, the root, the pages. The root has the
//! sum of each page. The code is zero, or made of the hash with the seed in force
//! ([`Seed::code_of_projection`]): nothing is drawn by a projection that the seed does not vouch for.

use super::entry::Head;
use super::fold::{Journal, KeyUse, OUTCOMES, Opening, RequestUse};
use crate::allocation::{Mode, Seed};
use crate::protocol::Protocol;
use crate::protocol::model::MAX_FIELDS;
use crate::study::coded::{Coded, Sink, Source, coded};
use crate::study::kernel::FamilyIx;
use crate::study::pages::{Bytes, Limits, Row, Shelf};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Grows with every change of what a projection holds, or of how.
const FORM: u8 = 19;

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
        self.told.put(out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(Self {
            content: Coded::take(input)?,
            family: Coded::take(input)?,
            outcome: OUTCOMES.get(usize::take(input)?)?,
            told: Coded::take(input)?,
        })
    }
}

const MAGIC: &str = "lottning projection";

/// Bytes before the root.
const BEFORE: usize = 72;
/// Those of them that are the code.
const CODE: std::ops::Range<usize> = 40..BEFORE;

/// A stored projection whose stamp was read: of this version of the program.
#[derive(Debug)]
pub struct Stored {
    hashes: Vec<[u8; 32]>,
    head: Head,
    root: Vec<u8>,
    hash: [u8; 32],
    code: [u8; 32],
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
        let (len, hashes) = before.split_first_chunk()?;
        let len = u64::from_le_bytes(*len);
        let ([hash, code], []) = hashes.as_chunks::<32>() else {
            return None;
        };
        if len > bytes.len() {
            return None;
        }
        let mut root = vec![0; usize::try_from(len).ok()?];
        if !bytes.read(BEFORE as u64, &mut root) || <[u8; 32]>::from(Sha256::digest(&root)) != *hash
        {
            return None;
        }
        let mut source = Source::new(&root);
        let input = &mut source;
        let same = String::take(input)? == MAGIC
            && u8::take(input)? == FORM
            && String::take(input)? == env!("CARGO_PKG_VERSION");
        let (hashes, head) = (Vec::take(input)?, Head::take(input)?);
        let stamp = root.len() - source.left();
        same.then(|| Self {
            hashes,
            head,
            hash: *hash,
            code: *code,
            stamp,
            shelf: Arc::new(Shelf::new(bytes, BEFORE as u64 + len)),
            root,
        })
    }

    /// Whether it was made with a seed, root and pages: then it is what that seed's holder made of the rows up to its head.
    pub fn is_vouched_for_by(&self, seed: &Seed) -> bool {
        seed.knows_projection(&self.hash, &self.code)
    }

    /// Whether two projections are the same, whoever vouches for them.
    pub fn same(one: &[u8], other: &[u8]) -> bool {
        one.get(..CODE.start) == other.get(..CODE.start)
            && one.get(CODE.end..) == other.get(CODE.end..)
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
        if self.hashes != hashes(protocol, protocol.epoch()) {
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
        own.told.load_all();
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
        own.told = Coded::take(input)?;
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
    let protocol = &*journal.protocol;
    // Lists can differ from epoch to epoch.
    let most = |count: fn(&Protocol) -> usize| {
        let epochs = (0..=protocol.epoch()).map(|epoch| count(protocol.in_epoch(epoch)));
        epochs.max().unwrap_or(0)
    };
    let mut limits = Limits {
        arms: protocol.arms.len() as u8,
        fields: MAX_FIELDS as u8,
        criteria: protocol.criteria.len() as u8,
        exceptions: most(|own| own.exceptions.reasons.len()) as u16,
        violations: most(|own| own.violations.reasons.len()) as u16,
        outcomes: most(|own| own.outcomes.len()) as u16,
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
            told: None,
        }
    }

    fn fits(&self, _: usize, limits: &Limits) -> bool {
        self.family.0 < limits.families && self.told.fits(0, limits)
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

/// Hashes of the protocols of the epochs up to one.
fn hashes(protocol: &Protocol, epoch: u32) -> Vec<[u8; 32]> {
    (0..=epoch)
        .map(|epoch| protocol.in_epoch(epoch).hash.0)
        .collect()
}

impl Journal {
    /// The fold as bytes; `None` in the middle of a transaction. With a seed, that of the epoch in force, it can be drawn by.
    pub fn projection(&self, seed: Option<&Seed>) -> Option<Vec<u8>> {
        if self.pending.is_some() {
            return None;
        }
        let mut out = Sink::default();
        MAGIC.to_owned().put(&mut out);
        FORM.put(&mut out);
        env!("CARGO_PKG_VERSION").to_owned().put(&mut out);
        // Those of epochs that its rows have opened: a later one changes nothing of the fold before it.
        hashes(&self.protocol, self.state.epoch).put(&mut out);
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
        self.told.put(&mut out);
        if self.is_doubtful() {
            return None;
        }
        let Sink { root, body, .. } = out;
        let mut all = Vec::with_capacity(BEFORE + root.len() + body.len());
        let hash: [u8; 32] = Sha256::digest(&root).into();
        all.extend_from_slice(&(root.len() as u64).to_le_bytes());
        all.extend_from_slice(&hash);
        all.extend_from_slice(&seed.map_or([0; 32], |seed| seed.code_of_projection(&hash)));
        all.extend_from_slice(&root);
        all.extend_from_slice(&body);
        Some(all)
    }
}
