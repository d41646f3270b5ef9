//! The sense: numbers, verdicts, gates and draws follow from the rows before.

use super::children::Children;
use super::pairs::Pending;
use super::past::Past;
use super::projections::{Named, Projections};
use super::published::Published;
use super::seeds::{SeedFit, Seeds, is_of};
use super::told::Told;
use super::{Checker, DrawCheck, Finding};
use crate::allocation::{Mode, Seed};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::deeds::Deed;
use crate::study::duties::Duty;
use crate::study::identifiers::is_beacon_value;
use crate::study::journal::{Corrupt, Decoded, Entry, Journal, Parts, Value};
use crate::study::kernel::{Drawer, RecordedSource, State, What};
use crate::words;
use serde_json::Value as Json;
use std::sync::Arc;

/// A row that is looked at: its text, the fold before it, and what it says.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) entry: &'a Entry,
    pub(super) before: &'a Journal,
    pub(super) said: &'a Decoded<'a>,
}

impl<'a> Row<'a> {
    /// A text of the payload; none once erased.
    pub(super) fn payload(&self, key: &str) -> Option<&'a str> {
        self.said.payload.text(key)
    }

    /// A text of the public part.
    pub(super) fn public(&self, key: &str) -> Option<&'a str> {
        self.said.public.text(key)
    }

    /// The children that the payload of a screening names, or the new ones of a row in which one joins.
    pub(super) fn children(&self) -> impl Iterator<Item = &'a str> {
        let key = match self.said.what {
            What::Joined { .. } => "new_children",
            _ => "children",
        };
        let named = self.said.payload.get(key).and_then(Value::as_array);
        named.unwrap_or_default().iter().filter_map(Value::as_str)
    }

    /// Whether the payload is there.
    pub(super) fn is_seen(&self) -> bool {
        self.entry.payload.is_some()
    }
}

/// What is carried from row to row.
struct Carried<'a> {
    mode: Mode,
    pending: Option<Pending>,
    past: Past,
    children: Children,
    drawer: Option<Drawer<RecordedSource>>,
    /// Whether the draws of each epoch are derived again.
    checks: Vec<DrawCheck>,
    /// Rows that publish other seeds than those that were committed to.
    misfits: Vec<u64>,
    protocol: &'a Protocol,
}

/// The fold of rows that chain, each checked before against what must follow from the rows before.
pub(super) struct Sense<'a> {
    checker: Checker,
    carried: Carried<'a>,
    journal: Journal,
    fit: SeedFit,
    read: Result<(), Corrupt>,
    rows: u64,
    stored: Projections<'a>,
}

impl<'a> Sense<'a> {
    /// Before the first row; `told` is what the rows are known to say of others and of the study.
    pub(super) fn new(
        protocol: &'a Arc<Protocol>,
        told: &Told,
        seeds: &[Seed],
        stored: &'a [Named],
    ) -> Self {
        let published = &told.published;
        let (revealed, misfits) = revealed(protocol, published);
        let seeds = Seeds::of(protocol, published, seeds, revealed);
        Self {
            checker: Checker {
                findings: Vec::new(),
            },
            carried: Carried {
                mode: published.mode,
                pending: None,
                past: Past::default(),
                children: Children::default(),
                drawer: seeds.drawer(protocol, published),
                checks: seeds.checks(),
                misfits,
                protocol,
            },
            journal: Journal::trusting(Arc::clone(protocol), told.foresight.clone()),
            fit: seeds.fit,
            read: Ok(()),
            rows: 0,
            stored: Projections::of(protocol, stored),
        }
    }

    /// Checks the next row, which was found to chain, and folds it.
    pub(super) fn row(&mut self, entry: &Entry, parts: Parts<'_>) {
        self.stored.compare(&self.journal, self.rows);
        self.rows += 1;
        self.stored.meet(entry.head());
        let Self {
            checker, carried, ..
        } = self;
        let mut watch = |entry: &Entry, before: &Journal, said: &Decoded<'_>| {
            let row = Row {
                entry,
                before,
                said,
            };
            checker.row(carried, &row);
        };
        if self.read.is_ok() {
            self.read = self.journal.absorb_one(entry, parts, &mut watch);
        }
    }

    /// What does not hold, whether the draws of each epoch were derived again, and how the seeds that were given fit.
    pub(super) fn end(mut self) -> (Vec<Finding>, Vec<DrawCheck>, SeedFit) {
        self.stored.compare(&self.journal, u64::MAX);
        let checker = &mut self.checker;
        if let Err(corrupt) = self.read {
            let (sequence, Words { en, sv }) = (corrupt.sequence, corrupt.reason);
            checker.push(
                "unreadable",
                Some(sequence),
                words!(
                    "event {sequence} cannot be read: {en}",
                    "händelse {sequence} kan inte läsas: {sv}"
                ),
            );
        } else {
            checker.unfollowed(self.carried.pending.as_ref(), self.rows + 1);
        }
        self.stored.judge(checker);
        (self.checker.findings, self.carried.checks, self.fit)
    }
}

/// The published seeds by epoch, as far as they are what was committed to, and the rows that publish any other, or not one per
/// epoch.
fn revealed(protocol: &Protocol, published: &Published) -> (Vec<Option<Seed>>, Vec<u64>) {
    let mut own = vec![None; published.commitments.len()];
    let mut misfits = Vec::new();
    for row in &published.revealed {
        let mut fit = row.seeds.is_some();
        let seeds = row.seeds.iter().flatten().enumerate();
        for ((epoch, seed), place) in seeds.zip(&mut own) {
            if is_of(protocol, published, epoch, seed) {
                *place = Some(seed.clone());
            } else {
                fit = false;
            }
        }
        if !fit {
            misfits.push(row.sequence);
        }
    }
    (own, misfits)
}

impl Checker {
    /// One actor with both of two duties.
    fn duty(&mut self, row: &Row<'_>) {
        let Row {
            entry,
            before,
            said,
        } = *row;
        let (sequence, actor) = (entry.sequence, &entry.actor);
        match before.duties.forbid(actor, &said.what, &before.state) {
            Some(Duty::Intake) => self.push(
                "duties-mixed",
                Some(sequence),
                words!(
                    "event {sequence} changed capacity, opened or closed a site, linked or parted families, erased one or opened an epoch, by {actor}, who had screened families",
                    "händelse {sequence} ändrade kapacitet, öppnade eller stängde en enhet, kopplade eller skilde familjer, raderade en eller öppnade en epok, av {actor}, som hade screenat familjer"
                ),
            ),
            Some(Duty::Capacity) => self.push(
                "duties-mixed",
                Some(sequence),
                words!(
                    "event {sequence} screened a family by {actor}, who had changed capacity, opened or closed a site, linked or parted families, erased one or opened an epoch",
                    "händelse {sequence} screenade en familj av {actor}, som hade ändrat kapacitet, öppnat eller stängt en enhet, kopplat eller skilt familjer, raderat en eller öppnat en epok"
                ),
            ),
            None => {}
        }
    }

    /// Published seeds are one per epoch and those that were committed to.
    fn revealed(&mut self, misfits: &[u64], sequence: u64) {
        if misfits.contains(&sequence) {
            self.push(
                "reveal-mismatch",
                Some(sequence),
                Words::new(
                    "the published seeds are not those that were committed to, one per epoch",
                    "de publicerade fröna är inte de som utfästes, ett per epok",
                ),
            );
        }
    }

    /// One row against the fold before it.
    fn row(&mut self, carried: &mut Carried<'_>, row: &Row<'_>) {
        let Row {
            entry,
            before,
            said,
        } = *row;
        let (protocol, state) = (carried.protocol, &before.state);
        let (sequence, what) = (entry.sequence, &said.what);
        self.duty(row);
        let in_force = protocol.in_epoch(state.epoch);
        if carried.mode == Mode::Live {
            self.permitted(in_force, entry, what);
        }
        self.followed(&mut carried.pending, row);
        self.ending(protocol, state, what, sequence);
        self.payload(in_force, row);
        self.family(&carried.past, row);
        self.children(&mut carried.children, &carried.past, row);
        self.past(&mut carried.past, row);
        match what {
            What::Opened => self.opened(protocol.in_epoch(0), entry),
            What::EpochOpened { epoch } => self.epoch(protocol.in_epoch(*epoch), state, entry),
            What::Beacon { epoch } => self.beacon(protocol.in_epoch(*epoch), state, *epoch, entry),
            What::Screened(screening) => {
                carried.pending = self.screened(in_force, screening, row);
            }
            What::Allocated { .. } => {
                let check = carried.checks.get(state.epoch as usize);
                let known = check == Some(&DrawCheck::Verified);
                let drawer = carried.drawer.as_mut().filter(|_| known);
                self.allocated(protocol, row, drawer);
            }
            What::Revealed => self.revealed(&carried.misfits, sequence),
            _ => {}
        }
    }

    /// An actor without a role for what the row says, under the protocol in force.
    fn permitted(&mut self, protocol: &Protocol, entry: &Entry, what: &What) {
        let (sequence, actor) = (entry.sequence, &entry.actor);
        let deed = Deed::of_row(&entry.kind, what);
        if !deed.is_of(protocol, actor) {
            let (name, _) = deed.row();
            self.push(
                "not-permitted",
                Some(sequence),
                words!(
                    "event {sequence} is by {actor}, who has no role for `{name}` in the protocol in force",
                    "händelse {sequence} är av {actor}, som inte har någon roll för `{name}` i det gällande protokollet"
                ),
            );
        }
    }

    fn opened(&mut self, protocol: &Protocol, entry: &Entry) {
        let public: Json = serde_json::from_str(&entry.public).unwrap_or_default();
        let text = |key: &str| public.get(key).and_then(Json::as_str).unwrap_or("");
        let holds = text("protocol_hash") == protocol.hash.to_hex()
            && text("study") == protocol.study.id
            && text("custody") == protocol.study.custody.text()
            && [Mode::Live.text(), Mode::Rehearsal.text()].contains(&text("mode"))
            && public.get("format").and_then(Json::as_u64) == Some(1);
        if !holds {
            self.push(
                "protocol-mismatch",
                Some(entry.sequence),
                Words::new(
                    "the study was opened with another protocol file, or in another format",
                    "studien öppnades med en annan protokollfil, eller i ett annat format",
                ),
            );
        }
    }

    /// An epoch is the next one, its protocol is the one that is here, and nobody enrols after the end.
    fn epoch(&mut self, protocol: &Protocol, state: &State, entry: &Entry) {
        let public: Json = serde_json::from_str(&entry.public).unwrap_or_default();
        let hash = public.get("protocol_hash").and_then(Json::as_str);
        if hash != Some(protocol.hash.to_hex().as_str()) || state.closed || state.revealed {
            self.push(
                "protocol-mismatch",
                Some(entry.sequence),
                Words::new(
                    "the epoch was opened with another protocol file, or after the final lock or the publication of the seeds",
                    "epoken öppnades med en annan protokollfil, eller efter den slutliga låsningen eller att fröna publicerats",
                ),
            );
        }
    }

    /// A beacon is the one that the epoch's protocol names, once, before the epoch's first draw.
    fn beacon(&mut self, protocol: &Protocol, state: &State, epoch: u32, entry: &Entry) {
        let public: Json = serde_json::from_str(&entry.public).unwrap_or_default();
        let text = |key: &str| public.get(key).and_then(Json::as_str).unwrap_or("");
        let round = protocol.study.beacon.as_ref().map(|own| own.round.as_str());
        let holds = round == Some(text("round"))
            && epoch == state.epoch
            && !state.beacon()
            && is_beacon_value(text("value"));
        if !holds {
            self.push(
                "beacon-mismatch",
                Some(entry.sequence),
                Words::new(
                    "the value is not of the round that the epoch's protocol waits for, or is no value",
                    "värdet gäller inte den omgång som epokens protokoll väntar på, eller är inget värde",
                ),
            );
        }
    }
}
