//! The sense: numbers, verdicts, gates and draws follow from the rows before.

use super::published::{Published, published};
use super::{Checker, DrawCheck};
use crate::allocation::{Mode, Seed};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::study::duties::{Duties, Duty};
use crate::study::identifiers::is_beacon_value;
use crate::study::journal::{Entry, Journal, Stored, erased_sequences, hex};
use crate::study::kernel::{
    Drawer, Draws, FamilyIx, RecordedSource, Screening, SiteIx, State, Status, Verdict, What,
    missed_criteria,
};
use crate::words;
use serde_json::Value;
use std::sync::Arc;

/// A screening that must be followed by its allocation or exception.
struct Pending {
    family: FamilyIx,
    site: SiteIx,
    /// The stratum and the cell of balancing factors that its values give, unless they are erased.
    place: Option<(u32, u32)>,
    verdict: Verdict,
    /// The request, unless it is erased.
    request: Option<String>,
}

/// A row that is looked at: its text, what it says, and the request that its payload names.
struct Row<'a> {
    entry: &'a Entry,
    what: &'a What,
    request: Option<&'a str>,
}

impl Checker {
    /// Folds the rows that chain, checking before each what must follow from the rows before. Gives whether the draws
    /// were derived again, and whether a seed was given that does not fit its commitment.
    pub(super) fn sense(
        &mut self,
        protocol: &Arc<Protocol>,
        entries: &[Entry],
        sound: usize,
        seeds: &[Seed],
        stored: Option<&[u8]>,
    ) -> (DrawCheck, bool) {
        // An erasure beyond the first broken row still says whose the rows before it were.
        let (all, entries) = (entries, &entries[..sound]);
        let published = published(entries);
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
        let mut drawer =
            effective
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
        let mut journal = Journal::new(Arc::clone(protocol));
        journal.foresee(all);
        journal.foresee_corrections(entries);
        let mut pending = None;
        let mut duties = Duties::default();
        let mut watch = |entry: &Entry, state: &State, what: &What, request: Option<&str>| {
            self.duty(&mut duties, entry, what);
            let row = Row {
                entry,
                what,
                request,
            };
            self.row(protocol, state, &row, &mut pending, drawer.as_mut());
        };
        // A stored projection is compared where its rows end.
        let made_from = stored.and_then(Stored::whole);
        let rows = made_from.map_or(0, |head| head.sequence as usize);
        let (before, after) = entries.split_at(rows.min(entries.len()));
        let mut read = journal.absorb_watching(before, &mut watch);
        let differs = made_from.is_some() && journal.projection().as_deref() != stored;
        if read.is_ok() {
            read = journal.absorb_watching(after, &mut watch);
        }
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
            self.unfollowed(pending.as_ref(), entries.len() as u64 + 1);
        }
        self.erasures(entries);
        if differs {
            self.push(
                "projection-differs",
                None,
                Words::new(
                    "the stored projection is not the fold of the rows that it says it was made from; remove the file",
                    "den lagrade projektionen motsvarar inte de rader som den anger; ta bort filen",
                ),
            );
        }
        (draws, seed_mismatch)
    }

    /// One actor with both of two duties.
    fn duty(&mut self, duties: &mut Duties, entry: &Entry, what: &What) {
        let (sequence, actor) = (entry.sequence, &entry.actor);
        match duties.forbid(actor, what) {
            Some(Duty::Intake) => self.push(
                "duties-mixed",
                Some(sequence),
                words!(
                    "event {sequence} changed capacity, opened or closed a site, linked families or opened an epoch, by {actor}, who had screened families",
                    "händelse {sequence} ändrade kapacitet, öppnade eller stängde en plats, kopplade familjer eller öppnade en epok, av {actor}, som hade screenat familjer"
                ),
            ),
            Some(Duty::Capacity) => self.push(
                "duties-mixed",
                Some(sequence),
                words!(
                    "event {sequence} screened a family by {actor}, who had changed capacity, opened or closed a site, linked families or opened an epoch",
                    "händelse {sequence} screenade en familj av {actor}, som hade ändrat kapacitet, öppnat eller stängt en plats, kopplat familjer eller öppnat en epok"
                ),
            ),
            None => {}
        }
        duties.note(actor, what);
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

    /// One row against the state before it.
    fn row(
        &mut self,
        protocol: &Protocol,
        state: &State,
        row: &Row<'_>,
        pending: &mut Option<Pending>,
        drawer: Option<&mut Drawer<RecordedSource>>,
    ) {
        let Row {
            entry,
            what,
            request,
        } = *row;
        let sequence = entry.sequence;
        let before = pending.take();
        let follows = match (&before, what) {
            (
                Some(own),
                What::Allocated {
                    family,
                    site,
                    stratum,
                    cell,
                    ..
                },
            ) => {
                own.verdict == Verdict::Drawn
                    && (own.family, own.site) == (*family, *site)
                    && own.place.is_none_or(|own| own == (*stratum, *cell))
            }
            (Some(own), What::Exception { family, site, .. }) => {
                own.verdict == Verdict::Exception && (own.family, own.site) == (*family, *site)
            }
            (None, What::Allocated { .. } | What::Exception { .. }) => false,
            _ => true,
        };
        let same_request = before.as_ref().is_none_or(|own| {
            let own = own.request.as_deref();
            own == request || own.is_none() || request.is_none()
        });
        if !(follows && same_request) {
            self.push(
                "not-as-screened",
                Some(sequence),
                words!(
                    "event {sequence} does not follow from the screening before it",
                    "händelse {sequence} följer inte av screeningen före"
                ),
            );
        } else if !matches!(what, What::Allocated { .. } | What::Exception { .. }) {
            self.unfollowed(before.as_ref(), sequence);
        }
        self.ending(protocol, state, what, sequence);
        match what {
            What::Opened => self.opened(protocol.in_epoch(0), entry),
            What::EpochOpened { epoch } => self.epoch(protocol.in_epoch(*epoch), state, entry),
            What::Beacon { epoch } => self.beacon(protocol.in_epoch(*epoch), state, *epoch, entry),
            What::Screened(screening) => {
                let own = protocol.in_epoch(state.epoch);
                *pending = self.screened(own, state, screening, row);
            }
            What::Allocated { .. } => self.allocated(protocol, state, what, sequence, drawer),
            _ => {}
        }
    }

    fn opened(&mut self, protocol: &Protocol, entry: &Entry) {
        let public: Value = serde_json::from_str(&entry.public).unwrap_or_default();
        let text = |key: &str| public.get(key).and_then(Value::as_str).unwrap_or("");
        let holds = text("protocol_hash") == protocol.hash.to_hex()
            && text("study") == protocol.study.id
            && text("custody") == protocol.study.custody.text()
            && [Mode::Live.text(), Mode::Rehearsal.text()].contains(&text("mode"))
            && public.get("format").and_then(Value::as_u64) == Some(1);
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
        let public: Value = serde_json::from_str(&entry.public).unwrap_or_default();
        let hash = public.get("protocol_hash").and_then(Value::as_str);
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
        let public: Value = serde_json::from_str(&entry.public).unwrap_or_default();
        let text = |key: &str| public.get(key).and_then(Value::as_str).unwrap_or("");
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

    fn screened(
        &mut self,
        protocol: &Protocol,
        state: &State,
        screening: &Screening,
        row: &Row<'_>,
    ) -> Option<Pending> {
        let sequence = row.entry.sequence;
        let seen = row.entry.payload.is_some();
        if seen && !verdict_holds(protocol, screening) {
            self.push(
                "verdict-differs",
                Some(sequence),
                words!(
                    "the verdict of event {sequence} does not follow from its answers",
                    "utfallet i händelse {sequence} följer inte av svaren"
                ),
            );
        }
        if screening.verdict == Verdict::GateClosed && state.gate_open(screening.site) {
            self.push(
                "turned-away-at-an-open-gate",
                Some(sequence),
                words!(
                    "event {sequence} turned a family away while a slot was free",
                    "händelse {sequence} avvisade en familj fast en plats var ledig"
                ),
            );
        }
        let (site, values) = (usize::from(screening.site.0), &screening.values);
        let place = (
            protocol.stratum(site, values) as u32,
            protocol.cell(site, values),
        );
        matches!(screening.verdict, Verdict::Drawn | Verdict::Exception).then(|| Pending {
            family: screening.family,
            site: screening.site,
            place: seen.then_some(place),
            verdict: screening.verdict,
            request: row.request.map(str::to_owned),
        })
    }

    fn allocated(
        &mut self,
        protocol: &Protocol,
        state: &State,
        what: &What,
        sequence: u64,
        drawer: Option<&mut Drawer<RecordedSource>>,
    ) {
        let What::Allocated {
            family,
            site,
            epoch,
            stratum,
            cell,
            draw,
            arm,
            allocation,
        } = what
        else {
            return;
        };
        let at = Some(sequence);
        let awaits = protocol.in_epoch(state.epoch).study.beacon.is_some();
        if awaits && !state.beacon {
            self.push(
                "drawn-before-the-beacon",
                at,
                words!(
                    "event {sequence} draws before the value of the epoch's public round is recorded",
                    "händelse {sequence} lottar innan värdet av epokens offentliga omgång är registrerat"
                ),
            );
        }
        if !state.gate_open(*site) {
            self.push(
                "drawn-past-a-closed-gate",
                at,
                words!(
                    "event {sequence} let a family past a closed gate",
                    "händelse {sequence} släppte in en familj trots intagsstopp"
                ),
            );
        }
        if state
            .family(*family)
            .is_some_and(|family| family.status == Status::Randomized)
        {
            self.push(
                "allocated-twice",
                at,
                words!(
                    "event {sequence} allocates a family that has an arm",
                    "händelse {sequence} lottar en familj som redan har en arm"
                ),
            );
        }
        let in_order = *allocation as usize == state.allocations.len() + 1
            && *epoch == state.epoch
            && Some(*draw) == state.draws.get(*stratum as usize).copied();
        if !in_order {
            self.push(
                "numbers-out-of-order",
                at,
                words!(
                    "event {sequence} breaks the numbering of allocations or draws",
                    "händelse {sequence} bryter numreringen av lottningar eller dragningar"
                ),
            );
        } else if let Some(drawer) = drawer
            && drawer.arm(
                protocol,
                state,
                *stratum,
                &protocol.in_epoch(state.epoch).cell_levels(*cell).unit(),
            ) != *arm
        {
            self.push(
                "draw-differs",
                at,
                words!(
                    "the arm of event {sequence} is not the one that the seed gives",
                    "armen i händelse {sequence} är inte den som fröet ger"
                ),
            );
        }
    }

    /// A screening that nothing followed: its allocation or exception should stand at `sequence`.
    fn unfollowed(&mut self, pending: Option<&Pending>, sequence: u64) {
        if pending.is_some() {
            self.push("screening-without-outcome", Some(sequence), words!(
                "event {sequence} should be the allocation or exception of the screening before it",
                "händelse {sequence} borde vara lottningen eller undantaget efter screeningen före"
            ));
        }
    }

    /// Erasures name earlier rows, and the rows that they name have lost their content.
    fn erasures(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.kind == "erased") {
            let sequence = entry.sequence;
            let named = erased_sequences(&entry.public);
            let earlier = !named.is_empty() && named.iter().all(|own| *own < sequence);
            let left = named
                .iter()
                .filter_map(|own| entries.get(usize::try_from(*own - 1).ok()?))
                .find(|row| row.sequence < sequence && row.payload.is_some());
            if let Some(row) = left {
                let own = row.sequence;
                self.push(
                    "erasure-incomplete",
                    Some(own),
                    words!(
                        "event {sequence} says that the content of event {own} is erased, and it is there",
                        "händelse {sequence} anger att innehållet i händelse {own} är raderat, men det finns kvar"
                    ),
                );
            }
            if !earlier {
                self.push(
                    "erasure-incomplete",
                    Some(sequence),
                    words!(
                        "event {sequence} erases rows that are not earlier ones",
                        "händelse {sequence} raderar rader som inte är tidigare"
                    ),
                );
            }
        }
    }
}

/// Whether a screening's verdict on the criteria follows from its answers and values.
fn verdict_holds(protocol: &Protocol, screening: &Screening) -> bool {
    let missed = missed_criteria(protocol, screening.answers, &screening.values);
    match screening.verdict {
        Verdict::NotEligible { missed: recorded } => recorded == missed && missed != 0,
        Verdict::GateClosed | Verdict::Exception | Verdict::Drawn => missed == 0,
    }
}
