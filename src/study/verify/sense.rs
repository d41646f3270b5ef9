//! The sense: numbers, verdicts, gates and draws follow from the rows before.

use super::chain::Chain;
use super::children::Children;
use super::pairs::Pending;
use super::past::Past;
use super::published::Published;
use super::{Checker, DrawCheck};
use crate::allocation::{Mode, Seed};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::deeds::Deed;
use crate::study::duties::{Duties, Duty};
use crate::study::identifiers::is_beacon_value;
use crate::study::journal::{Decoded, Entry, Head, Journal, LedgerError, Rows, Stored, Value, hex};
use crate::study::kernel::{Drawer, RecordedSource, State, What};
use crate::words;
use serde_json::Value as Json;
use std::collections::HashSet;
use std::slice::from_ref;
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
    duties: Duties,
    past: Past,
    children: Children,
    drawer: Option<Drawer<RecordedSource>>,
    protocol: &'a Protocol,
}

impl Checker {
    /// Folds the rows that chain, checking before each what must follow from the rows before. Gives whether the draws
    /// were derived again, and whether a seed was given that does not fit its commitment.
    pub(super) fn sense(
        &mut self,
        protocol: &Arc<Protocol>,
        rows: &mut dyn Rows,
        chain: Chain,
        seeds: &[Seed],
        stored: &[Vec<u8>],
    ) -> Result<(DrawCheck, bool), LedgerError> {
        let Chain {
            sound,
            published,
            // An erasure beyond the first broken row still says whose the rows before it were.
            mut journal,
            ..
        } = chain;
        let fits = |seeds: &[Seed]| {
            seeds.len() == published.commitments.len()
                && seeds.iter().zip(&published.commitments).enumerate().all(
                    |(epoch, (seed, commitment))| {
                        let hash = protocol.in_epoch(epoch as u32).hash.0;
                        hex(&seed.commitment(&hash)) == *commitment
                    },
                )
        };
        let revealed = self.revealed(&published, fits);
        let seed_mismatch = !seeds.is_empty() && !fits(seeds);
        let usable = match (seeds.is_empty(), seed_mismatch) {
            (true, _) => revealed.as_deref(),
            (false, false) => Some(seeds),
            (false, true) => None,
        };
        let effective = usable.map(|seeds| {
            let seeds = seeds.iter().zip(&published.beacons);
            seeds
                .map(|(seed, beacon)| match beacon {
                    Some(value) => seed.with_beacon(value),
                    None => seed.clone(),
                })
                .collect::<Vec<Seed>>()
        });
        let drawer = effective
            .as_deref()
            .and_then(<[Seed]>::split_first)
            .map(|(first, later)| {
                let mode = published.mode;
                Drawer::new(RecordedSource::new(mode, first.clone(), later.to_vec()))
            });
        let draws = if drawer.is_some() {
            DrawCheck::Verified
        } else {
            DrawCheck::NotChecked
        };
        // These rows were found to chain, and need not be hashed again.
        journal.trust_chain();
        let mut carried = Carried {
            mode: published.mode,
            pending: None,
            duties: Duties::default(),
            past: Past::default(),
            children: Children::default(),
            drawer,
            protocol,
        };
        let mut watch = |entry: &Entry, before: &Journal, said: &Decoded<'_>| {
            self.row(
                &mut carried,
                &Row {
                    entry,
                    before,
                    said,
                },
            );
        };
        // A stored projection is compared where its rows end.
        let mut kept: Vec<(Head, &[u8])> = stored
            .iter()
            .filter_map(|bytes| {
                let own = Stored::read(Box::new(bytes.clone()))?;
                own.is_whole(protocol).then(|| (own.head(), &**bytes))
            })
            .collect();
        kept.sort_by_key(|(head, _)| head.sequence);
        let differ = |journal: &Journal, (_, bytes): &(Head, &[u8])| {
            let own = journal.projection(None);
            own.is_none_or(|own| !Stored::same(&own, bytes))
        };
        let (mut read, mut place, mut compared, mut differs) = (Ok(()), 0, 0, false);
        let mut met: HashSet<Head> = HashSet::new();
        rows.each(&mut |entry| {
            if place == sound {
                return;
            }
            while let Some(own) = kept
                .get(compared)
                .filter(|(head, _)| head.sequence <= place)
            {
                differs |= differ(&journal, own);
                compared += 1;
            }
            place += 1;
            if kept.iter().any(|(head, _)| *head == entry.head()) {
                met.insert(entry.head());
            }
            if read.is_ok() {
                read = journal.absorb_watching(from_ref(entry), &mut watch);
            }
        })?;
        differs |= kept[compared..].iter().any(|own| differ(&journal, own));
        if let Err(corrupt) = read {
            let (sequence, reason) = (corrupt.sequence, corrupt.reason);
            self.push(
                "unreadable",
                Some(sequence),
                words!(
                    "event {sequence} cannot be read: {reason}",
                    "händelse {sequence} kan inte läsas: {reason}"
                ),
            );
        } else {
            self.unfollowed(carried.pending.as_ref(), sound + 1);
        }
        let lost = kept
            .iter()
            .any(|(head, _)| head.sequence > 0 && !met.contains(head));
        if lost {
            self.push(
                "rows-missing",
                None,
                Words::new(
                    "the stored projection was made of rows that the ledger does not have: rows are missing, or the ledger was replaced; keep a copy of the folder and compare with a head that was kept elsewhere",
                    "den lagrade projektionen gjordes av rader som inte finns i liggaren: rader saknas, eller så har liggaren bytts ut; behåll en kopia av mappen och jämför med ett huvud som sparats på annat håll",
                ),
            );
        } else if differs {
            self.push(
                "projection-differs",
                None,
                Words::new(
                    "the stored projection is not the fold of the rows that it says it was made from; remove the file",
                    "den lagrade projektionen motsvarar inte de rader som den anger; ta bort filen",
                ),
            );
        }
        Ok((draws, seed_mismatch))
    }

    /// One actor with both of two duties.
    fn duty(&mut self, duties: &mut Duties, entry: &Entry, what: &What, state: &State) {
        let (sequence, actor) = (entry.sequence, &entry.actor);
        match duties.forbid(actor, what, state) {
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
        duties.note(actor, what, state);
    }

    /// The published seeds, if they are one per epoch and those that were committed to.
    fn revealed(
        &mut self,
        published: &Published,
        fits: impl Fn(&[Seed]) -> bool,
    ) -> Option<Vec<Seed>> {
        let (sequence, seeds) = published.revealed.as_ref()?;
        let seeds: Option<Vec<Seed>> = seeds.iter().cloned().collect();
        let fitting = seeds.filter(|seeds| fits(seeds));
        if fitting.is_none() {
            self.push(
                "reveal-mismatch",
                Some(*sequence),
                Words::new(
                    "the published seeds are not those that were committed to, one per epoch",
                    "de publicerade fröna är inte de som utfästes, ett per epok",
                ),
            );
        }
        fitting
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
        self.duty(&mut carried.duties, entry, what, state);
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
                self.allocated(protocol, row, carried.drawer.as_mut());
            }
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
        if hash != Some(protocol.hash.to_hex().as_str()) || state.closed {
            self.push(
                "protocol-mismatch",
                Some(entry.sequence),
                Words::new(
                    "the epoch was opened with another protocol file, or after the final lock",
                    "epoken öppnades med en annan protokollfil, eller efter den slutliga låsningen",
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
            && !state.beacon
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
