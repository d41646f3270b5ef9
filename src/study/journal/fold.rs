//! The fold of a ledger: state, names, request ids and keys, moved forward entry by entry.

use super::canonical::{Object, Value as Own};
use super::decode::{Decoded, Gone, decode};
use super::encode::encode;
use super::entry::{Entry, Head, Parts, hex};
use super::foresight::{Foresight, erased_sequences, part};
use super::linking::{content_hash, report_key, with_retracted};
use super::names::Names;
use super::record::{Content, Recording};
use super::texts::{Texts, Uses};
use crate::allocation::Mode;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::duties::Duties;
use crate::study::identifiers::instant;
use crate::study::kernel::{Event, FamilyIx, State, Verdict, What, apply};
use crate::study::pages::{Shelf, Table};
use crate::words;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::Arc;

/// Keys of an enrolment's content: what a repeated request is compared by.
pub const ENROLMENT_KEYS: [&str; 8] = [
    "answers",
    "children",
    "exception",
    "family",
    "fields",
    "received",
    "report_key",
    "site",
];

/// An entry that cannot be read, or does not continue the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence} cannot be read: {reason}")]
pub struct Corrupt {
    /// Its sequence number.
    pub sequence: u64,
    /// Why, for the finding.
    pub reason: Words,
    /// If it opens an epoch, and the protocol that is here is not the one that it sealed: the epoch, and the hash of the
    /// file that it sealed, as the entry has it.
    pub sealed: Option<(u32, String)>,
}

/// How a study was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Live or rehearsal.
    pub mode: Mode,
    /// Whether the time of the opening was given by hand: the study then follows typed times.
    pub typed_time: bool,
    /// Commitment of each epoch's seed, 64 hexadecimal digits.
    pub commitments: Vec<String>,
    /// Value of each epoch's beacon, where one is recorded, as lower-case hexadecimal text.
    pub beacons: Vec<Option<String>>,
    /// Seeds published by `reveal`, 64 hexadecimal digits each; empty before.
    pub revealed: Vec<String>,
}

/// A family that the ledger does not have.
pub(super) const NOBODY: FamilyIx = FamilyIx(u32::MAX);

/// What a request id was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUse {
    /// SHA-256 of the canonical content.
    pub content: [u8; 32],
    /// The family.
    pub family: FamilyIx,
    /// What came of it: the kind of the deciding event (`allocated`, `returned`, `joined`, `exception`).
    pub outcome: &'static str,
    /// The family whose draw it was answered with: another one's under a link, also one that was taken back later. `None` if
    /// no arm was told.
    pub told: Option<FamilyIx>,
}

/// What a request that is used up can have come to.
pub(super) const OUTCOMES: [&str; 4] = ["allocated", "returned", "joined", "exception"];

/// What an event key was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// SHA-256 of the canonical content, as `recorded_hash` makes it.
    pub content: [u8; 32],
    /// The family, of an event of a family.
    pub family: Option<FamilyIx>,
    /// Sequence of the event.
    pub sequence: u64,
    /// Whether a correction retracted the event: its key may be used for what should have been recorded.
    pub retracted: bool,
}

/// Who looks on while entries are absorbed: the entry, the fold before it, and what it says.
pub(crate) type Watch<'a> = dyn FnMut(&Entry, &Journal, &Decoded<'_>) + 'a;

/// The fold of a ledger.
#[derive(Debug, Clone)]
pub struct Journal {
    /// The sealed protocol.
    pub protocol: Arc<Protocol>,
    /// The state machine's state.
    pub state: State,
    /// Names.
    pub names: Names,
    /// The head that this fold was made from.
    pub head: Head,
    /// How the study was opened, once it is.
    pub opening: Option<Opening>,
    /// Time of the last entry.
    pub last_time: Option<Timestamp>,
    /// Who has screened families, and who has changed capacity.
    pub duties: Duties,
    pub(super) requests: Uses<RequestUse>,
    /// Kinds of events that have keys.
    pub(super) kinds: Texts,
    /// Of these, those of the report keys that families were screened with, by site.
    pub(super) screening_scopes: Vec<u32>,
    /// Keys, in the scope of their kind.
    pub(super) keys: Uses<KeyUse>,
    pub(super) subjects: Table<Option<FamilyIx>>,
    /// The family whose draw each name was answered with last, by the name's own number.
    pub(super) told: Table<Option<FamilyIx>>,
    /// The projection that this fold was taken up from, while it may be read.
    pub(super) shelf: Option<Arc<Shelf>>,
    pub(super) foresight: Foresight,
    /// Whether an erased row may have named a family that rows up to its correction mean.
    unnamed: bool,
    /// Whether an erased row may have named a child that later rows mean.
    childless: bool,
    pub(super) pending: Option<(String, [u8; 32])>,
    /// Links that are taken back by a later row, as long as they hold: their row and the families, the second one [`NOBODY`] if
    /// the row was erased.
    pub(super) holding: Vec<(u64, FamilyIx, FamilyIx)>,
    /// Whether an erased row linked two families for good: they were one, and are not known to be.
    pub(super) parted: bool,
    chain_trusted: bool,
    zone: TimeZone,
    /// The time of the last row as it was read.
    moment: (String, Option<(Timestamp, Day)>),
}

impl Journal {
    /// The fold of an empty ledger.
    pub fn new(protocol: Arc<Protocol>) -> Self {
        // A protocol exists only with a zone of the bundled database; UTC cannot be reached.
        let zone = TimeZone::get(&protocol.study.time_zone).unwrap_or(TimeZone::UTC);
        Self {
            state: State::new(&protocol),
            names: Names::default(),
            head: Head::EMPTY,
            opening: None,
            last_time: None,
            duties: Duties::default(),
            requests: Uses::default(),
            kinds: Texts::default(),
            screening_scopes: Vec::new(),
            keys: Uses::default(),
            subjects: Table::new(),
            told: Table::new(),
            shelf: None,
            foresight: Foresight::default(),
            unnamed: false,
            childless: false,
            pending: None,
            holding: Vec::new(),
            parted: false,
            chain_trusted: false,
            zone,
            moment: (String::new(), None),
            protocol,
        }
    }

    /// The fold of an empty ledger whose rows to come the caller follows: that each continues the chain, and what later ones
    /// say of earlier ones.
    pub(in crate::study) fn trusting(protocol: Arc<Protocol>, foresight: Foresight) -> Self {
        Self {
            foresight,
            chain_trusted: true,
            ..Self::new(protocol)
        }
    }

    /// Whether this fold was taken up from a projection a part of which turned out not to be whole: then nothing that
    /// was decided by it may be told or written, and the rows of the ledger are to be folded instead.
    pub fn is_doubtful(&self) -> bool {
        self.shelf.as_ref().is_some_and(|shelf| shelf.is_torn())
    }

    /// Whether this fold rests on a projection and not on the rows of the ledger alone.
    pub fn is_projected(&self) -> bool {
        self.shelf.is_some()
    }

    /// The civil day of an instant in the study's time zone.
    pub fn day(&self, time: Timestamp) -> Day {
        Day::of(self.zone.to_datetime(time).date())
    }

    /// The instant and civil day of a row's time. Rows of one transaction have the same.
    fn moment(&mut self, text: &str) -> Option<(Timestamp, Day)> {
        if self.moment.0 != text {
            let time = instant(text).or_else(|| text.parse().ok())?;
            let day = self.day(time);
            self.moment.0.clear();
            self.moment.0.push_str(text);
            self.moment.1 = Some((time, day));
        }
        self.moment.1
    }

    /// Moves the fold past entries that were read or appended, in order. An erased entry finds its family through the
    /// erasure that comes later, so entries that may be erased are handed over together with what follows them. So are
    /// links that a correction retracts ([`Journal::must_begin_anew`]).
    ///
    /// # Errors
    /// The first entry that cannot be read; the fold then stands before it.
    pub fn absorb(&mut self, entries: &[Entry]) -> Result<(), Corrupt> {
        self.absorb_watching(entries, &mut |_, _, _| {})
    }

    /// As [`Journal::absorb`]; `watch` sees each entry, the fold before it, and what it says.
    ///
    /// # Errors
    /// As [`Journal::absorb`].
    pub(crate) fn absorb_watching(
        &mut self,
        entries: &[Entry],
        watch: &mut Watch<'_>,
    ) -> Result<(), Corrupt> {
        self.foresee(entries);
        self.foresee_corrections(entries);
        entries
            .iter()
            .try_for_each(|entry| self.absorb_one(entry, entry.parts(), watch))
    }

    /// As [`Journal::absorb_watching`], of one entry whose texts were read. What entries to come say of it is known.
    ///
    /// # Errors
    /// As [`Journal::absorb`].
    pub(crate) fn absorb_one(
        &mut self,
        entry: &Entry,
        parts: Parts<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<(), Corrupt> {
        let corrupt = |reason: Words| Corrupt {
            sequence: entry.sequence,
            reason,
            sealed: None,
        };
        if entry.sequence != self.head.sequence + 1 {
            let (expected, there) = (self.head.sequence + 1, entry.sequence);
            return Err(Corrupt {
                sequence: expected,
                reason: words!(
                    "event {there} stands in its place",
                    "händelse {there} står på dess plats"
                ),
                sealed: None,
            });
        }
        // Before the chain, which begins with the first of these files, and binds a later one from the next row on.
        if !self.chain_trusted
            && let Some(own) = self.other_protocol(entry, &parts)
        {
            return Err(Corrupt {
                sealed: Some(own),
                ..corrupt(Words::new(
                    "it sealed another protocol than the one that is here",
                    "den förseglade ett annat protokoll än det som finns här",
                ))
            });
        }
        if let Some(payload) = parts.payload.object() {
            self.glance(entry, payload);
        }
        let protocol = Arc::clone(&self.protocol);
        let protocol = protocol.in_epoch(self.state.epoch);
        if !self.chain_trusted && entry.chained(&self.head.hash, &protocol.hash.0) != entry.hash {
            return Err(corrupt(Words::new(
                "it does not continue the chain",
                "den fortsätter inte kedjan",
            )));
        }
        let (time, day) = self.moment(&entry.time).ok_or_else(|| {
            corrupt(Words::new(
                "its time is not RFC 3339",
                "dess tid följer inte RFC 3339",
            ))
        })?;
        let placeholder = self
            .foresight
            .erased
            .get(&entry.sequence)
            .map(|erasure| format!("~{erasure}"));
        let erased_family = (entry.kind == "erased")
            .then(|| {
                erased_sequences(&entry.public)
                    .first()
                    .and_then(|first| *self.subjects.get(*first as usize - 1)?)
            })
            .flatten();
        let retracted = self.foresight.corrected.contains(&entry.sequence);
        let mut decoded = decode(
            protocol,
            &mut self.names,
            (entry, parts),
            placeholder.as_deref(),
            erased_family,
            Gone {
                retracted,
                family: self.unnamed,
                child: self.childless,
            },
        )
        .map_err(corrupt)?;
        if let What::EpochOpened { epoch } = decoded.what
            && (epoch != self.state.epoch + 1 || epoch > self.protocol.epoch())
        {
            return Err(corrupt(words!(
                "it opens epoch {epoch}, whose protocol is not here",
                "den öppnar epok {epoch}, vars protokoll inte finns här"
            )));
        }
        watch(entry, self, &decoded);
        // A link that is taken back later was made all the same.
        self.duties.note(&entry.actor, &decoded.what, &self.state);
        // No projection is kept of a fold between such a row and its erasure, which comes after its correction.
        self.unnamed |= retracted && entry.kind == "linked" && entry.payload.is_none();
        self.childless |= entry.payload.is_none()
            && matches!(entry.kind.as_str(), "screened" | "joined" | "linked");
        let unseen = entry.payload.is_none() && matches!(decoded.what, What::Linked { .. });
        self.parted |= unseen && !retracted;
        let parted = retracted.then(|| part(&mut decoded.what)).flatten();
        let event = Event {
            day,
            what: &decoded.what,
        };
        apply(&self.protocol, &mut self.state, &event);
        match parted {
            Some(other) => {
                // What an erased row linked its family to is not known any more.
                let known = entry.payload.is_some();
                let end = if known { other } else { NOBODY };
                let pair = decoded.subject.map(|own| (entry.sequence, own, end));
                self.holding.extend(pair);
                if let Some(row) = self.state.link_rows.last_mut() {
                    row.other = other;
                }
            }
            None => self.note_links(entry, &decoded),
        }
        self.note(entry, &decoded);
        self.subjects.push(decoded.subject);
        self.last_time = Some(time);
        self.head = entry.head();
        Ok(())
    }

    /// Looks at the places where the names of a screening are looked for in a moment ([`Texts::glance`]).
    fn glance(&self, entry: &Entry, payload: &Object<'_>) {
        if entry.kind != "screened" {
            return;
        }
        let text = |key: &str| payload.text(key).unwrap_or("");
        let children = payload.get("children").and_then(Own::as_array);
        let children = children.unwrap_or_default().iter();
        let names = children.filter_map(Own::as_str);
        let key = text("report_key");
        let site = self.protocol.site(text("site"));
        let scope = site.and_then(|site| self.screening_scopes.get(site));
        let met = self.names.glance(names.chain([text("family")]))
            ^ self.names.glance_at_report(key)
            ^ self.requests.glance(0, text("request_id"))
            ^ scope.map_or(0, |scope| self.keys.glance(*scope, key));
        std::hint::black_box(met);
    }

    /// The epoch that an entry opens and the hash of the protocol that it sealed, if the one that is here is another.
    fn other_protocol(&self, entry: &Entry, parts: &Parts<'_>) -> Option<(u32, String)> {
        let epoch = match entry.kind.as_str() {
            "opened" => 0,
            "epoch-opened" => self.state.epoch + 1,
            _ => return None,
        };
        let sealed = parts.public.object()?.text("protocol_hash")?;
        let here = self.protocol.in_epoch(epoch).hash.to_hex();
        // An epoch beyond those that are here is refused where it opens.
        (epoch <= self.protocol.epoch() && sealed != here).then(|| (epoch, sealed.to_owned()))
    }

    /// Notes request ids, event keys, commitments and seeds.
    fn note(&mut self, entry: &Entry, decoded: &Decoded<'_>) {
        let text = |object: &Object<'_>, key: &str| object.text(key).map(str::to_owned);
        match &decoded.what {
            What::Opened => {
                let mode = match text(&decoded.public, "mode").as_deref() {
                    Some("live") => Mode::Live,
                    _ => Mode::Rehearsal,
                };
                self.opening = Some(Opening {
                    mode,
                    typed_time: decoded.public.contains_key("clock"),
                    commitments: text(&decoded.public, "commitment").into_iter().collect(),
                    beacons: vec![None],
                    revealed: Vec::new(),
                });
            }
            What::EpochOpened { .. } => {
                if let Some(opening) = &mut self.opening {
                    opening
                        .commitments
                        .extend(text(&decoded.public, "commitment"));
                    opening.beacons.push(None);
                }
            }
            What::Beacon { epoch } => {
                let value = text(&decoded.public, "value");
                if let Some(opening) = &mut self.opening
                    && let Some(own) = opening.beacons.get_mut(*epoch as usize)
                {
                    *own = value;
                }
            }
            What::Revealed => {
                if let Some(opening) = &mut self.opening {
                    opening.revealed = decoded
                        .public
                        .get("seeds")
                        .and_then(Own::as_array)
                        .map(|seeds| {
                            seeds
                                .iter()
                                .filter_map(Own::as_str)
                                .map(str::to_owned)
                                .collect()
                        })
                        .unwrap_or_default();
                }
            }
            What::Screened(screening) => {
                let used = matches!(screening.verdict, Verdict::Drawn | Verdict::Exception);
                let id = text(&decoded.payload, "request_id").filter(|_| used);
                self.pending = id.map(|id| (id, content_hash(&decoded.payload)));
                if let Some(key) = decoded.payload.text("report_key") {
                    self.note_screened(screening, key, entry.sequence);
                }
            }
            What::Exception { family, .. } => {
                if let Some((id, content)) = self.pending.take() {
                    self.used(&id, content, (*family, None), &entry.kind);
                }
            }
            What::Allocated { family, .. } => {
                let told = Some(self.state.unit(*family));
                self.note_told(decoded, told);
                if let Some((id, content)) = self.pending.take() {
                    self.used(&id, content, (*family, told), &entry.kind);
                }
            }
            What::Returned { family, .. } | What::Joined { family, .. } => {
                self.note_returned(decoded, entry.sequence);
                let told = self.governing(*family);
                self.note_told(decoded, told);
                if let Some(id) = decoded.payload.text("request_id") {
                    let content = content_hash(&decoded.payload);
                    self.used(id, content, (*family, told), &entry.kind);
                }
            }
            What::Corrected { sequence, .. } => {
                self.holding.retain(|(link, ..)| link != sequence);
            }
            _ => {}
        }
        let Some((kind, key)) = key_of(entry, decoded) else {
            return;
        };
        let content = if decoded.payload.is_empty() {
            decoded.public.hash(|key| key != "clock")
        } else {
            decoded.payload.hash(|key| key != "family")
        };
        let retracts = match decoded.what {
            What::Corrected { sequence, .. } => Some(sequence),
            _ => None,
        };
        let own = KeyUse {
            content: with_retracted(content, retracts),
            family: decoded.subject,
            sequence: entry.sequence,
            retracted: false,
        };
        let scope = self.kinds.name(0, &kind);
        self.keys.note(scope, &key, own);
    }

    fn used(
        &mut self,
        id: &str,
        content: [u8; 32],
        (family, told): (FamilyIx, Option<FamilyIx>),
        kind: &str,
    ) {
        let outcome = OUTCOMES.iter().find(|own| **own == kind);
        let own = RequestUse {
            content,
            family,
            outcome: outcome.unwrap_or(&OUTCOMES[0]),
            told,
        };
        self.requests.note(0, id, own);
    }

    /// The recorded value of an epoch's beacon.
    pub fn beacon(&self, epoch: u32) -> Option<&str> {
        let beacons = &self.opening.as_ref()?.beacons;
        beacons.get(epoch as usize)?.as_deref()
    }

    /// What the key of an entry was used for before it.
    pub(crate) fn key_before(&self, entry: &Entry, decoded: &Decoded<'_>) -> Option<&KeyUse> {
        let (kind, key) = key_of(entry, decoded)?;
        self.key(&kind, &key)
    }

    /// What a request id was used for, if it was used up.
    pub fn request(&self, id: &str) -> Option<&RequestUse> {
        self.requests.get(0, id)
    }

    /// The family that an event concerns, by its sequence number.
    pub fn subject(&self, sequence: u64) -> Option<FamilyIx> {
        let place = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.subjects.get(place).copied().flatten()
    }

    /// Entries that continue the chain with `recordings`, all at one time by one actor. `salts` gives one salt each.
    /// An overridden clock is noted in the public part of the first entry.
    pub fn entries(
        &self,
        recordings: &[Recording],
        time: Timestamp,
        overridden: bool,
        actor: &str,
        salts: &[[u8; 32]],
    ) -> Vec<Entry> {
        let mut previous = self.head;
        let protocol = self.protocol.in_epoch(self.state.epoch);
        let time = time_text(time);
        recordings
            .iter()
            .zip(salts)
            .enumerate()
            .map(|(place, (recording, salt))| {
                let clock = (overridden && place == 0).then_some("override");
                let encoded = encode(protocol, recording, clock);
                let mut entry = Entry {
                    sequence: previous.sequence + 1,
                    time: time.clone(),
                    actor: actor.to_owned(),
                    kind: encoded.kind.to_owned(),
                    public: encoded.public,
                    payload_hash: Entry::hash_payload(salt, &encoded.payload),
                    payload: Some(encoded.payload),
                    salt: Some(*salt),
                    hash: super::entry::GENESIS,
                };
                entry.hash = entry.chained(&previous.hash, &protocol.hash.0);
                previous = entry.head();
                entry
            })
            .collect()
    }
}

/// A time as the ledger writes it: UTC with six decimals.
pub fn time_text(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// The kind and the key by which an entry is told from a repetition, if it has one.
fn key_of<'a>(entry: &'a Entry, decoded: &'a Decoded<'_>) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    if let What::Reported(report) = &decoded.what {
        if decoded.payload.is_empty() {
            return None;
        }
        let (kind, key) = report_key(report.source, report.report);
        return Some((kind.into(), key.into()));
    }
    let key = decoded.payload.text("event_key");
    let key = key.or_else(|| decoded.public.text("event_key"))?;
    Some((entry.kind.as_str().into(), key.into()))
}

/// Hash of an enrolment's content.
pub fn enrolment_hash(content: &Content) -> [u8; 32] {
    let text = content.text_where(|key| ENROLMENT_KEYS.contains(&key));
    Sha256::digest(text.as_bytes()).into()
}

/// The derived id of an enrolment request without one: from study, family and report key.
pub fn derived_request_id(study: &str, family: &str, report_key: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["lottning/request/1", study, family, report_key] {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    format!("auto-{}", &hex(&digest)[..40])
}
