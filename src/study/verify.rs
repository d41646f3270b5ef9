//! Does the ledger hold together, and was every arm drawn as promised?
//!
//! Three readings of the same rows: the chain (no seed, no meaning), the fold (numbers, gates and verdicts follow from
//! what came before) and the draws (with the seeds, every arm is derived again). `verifier/verify.py` does the same
//! without this code.

use super::journal::{Entry, GENESIS, Head, Journal, hex};
use super::kernel::{
    Drawer, Draws, FamilyIx, RecordedSource, Screening, State, Status, Verdict, What,
    missed_criteria,
};
use crate::allocation::{Mode, Seed, Unit};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::words;
use std::collections::HashSet;
use std::sync::Arc;

/// Whether the draws were derived again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawCheck {
    /// With the seeds of all epochs.
    Verified,
    /// No seed was given or published.
    NotChecked,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable code.
    pub code: &'static str,
    /// The event concerned, if one is.
    pub sequence: Option<u64>,
    /// What does not hold.
    pub message: Words,
}

/// The verdict on a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Whether everything that was checked holds.
    pub ok: bool,
    /// Whether the draws were derived again.
    pub draws: DrawCheck,
    /// Rows.
    pub events: u64,
    /// Allocations.
    pub allocations: u64,
    /// Hash of the last row.
    pub head: Head,
    /// Sequence number of the first row that does not hold.
    pub first_bad: Option<u64>,
    /// Everything that does not hold.
    pub findings: Vec<Finding>,
    /// Whether a seed was given that does not fit its commitment: then nothing else was said about draws.
    pub seed_mismatch: bool,
}

/// Checks a ledger: `seeds` are those of the epochs from 0 (empty: those published in the ledger, or none),
/// `expect_head` a head that was kept elsewhere.
pub fn verify(
    protocol: &Arc<Protocol>,
    entries: &[Entry],
    seeds: &[Seed],
    expect_head: Option<&str>,
) -> Verification {
    let head = entries.last().map_or(Head::EMPTY, Entry::head);
    let mut checker = Checker {
        findings: Vec::new(),
    };
    let sound = checker.chain(protocol, entries);
    let (draws, seed_mismatch) = checker.fold(protocol, &entries[..sound], seeds);
    if expect_head.is_some_and(|expected| !expected.eq_ignore_ascii_case(&head.to_hex())) {
        let found = head.to_hex();
        checker.push("head-mismatch", None, words!(
            "the ledger ends at {found}, not at the head that was expected: rows are missing, or rows were added since",
            "liggaren slutar vid {found}, inte vid det väntade huvudet: rader saknas, eller rader har tillkommit sedan dess"
        ));
    }
    let findings = checker.findings;
    Verification {
        ok: findings.is_empty() && !seed_mismatch,
        draws,
        events: entries.len() as u64,
        allocations: entries
            .iter()
            .filter(|entry| entry.kind == "allocated")
            .count() as u64,
        head,
        first_bad: findings.iter().filter_map(|finding| finding.sequence).min(),
        findings,
        seed_mismatch,
    }
}

struct Checker {
    findings: Vec<Finding>,
}

impl Checker {
    fn push(&mut self, code: &'static str, sequence: Option<u64>, message: Words) {
        self.findings.push(Finding {
            code,
            sequence,
            message,
        });
    }

    /// Checks the chain; gives the number of leading rows that hold. After the first broken row nothing can be said.
    fn chain(&mut self, protocol: &Protocol, entries: &[Entry]) -> usize {
        let erased: HashSet<u64> = entries
            .iter()
            .filter(|entry| entry.kind == "erased")
            .flat_map(|entry| super::journal::erased_sequences(&entry.public))
            .collect();
        let mut previous = GENESIS;
        let mut last_time = "";
        for (place, entry) in entries.iter().enumerate() {
            let expected = place as u64 + 1;
            let found = entry.sequence;
            let at = Some(expected);
            if found != expected {
                self.push(
                    "sequence-gap",
                    at,
                    words!(
                        "event {expected} is missing: event {found} stands in its place",
                        "händelse {expected} saknas: händelse {found} står på dess plats"
                    ),
                );
                return place;
            }
            match (&entry.payload, &entry.salt) {
                (Some(payload), Some(salt)) => {
                    if Entry::hash_payload(salt, payload) != entry.payload_hash {
                        self.push(
                            "payload-changed",
                            at,
                            words!(
                                "the content of event {expected} is not what was recorded",
                                "innehållet i händelse {expected} är inte det som registrerades"
                            ),
                        );
                        return place;
                    }
                }
                (None, None) if erased.contains(&expected) => {}
                _ => {
                    self.push(
                        "payload-missing",
                        at,
                        words!(
                            "the content of event {expected} is missing and no erasure names it",
                            "innehållet i händelse {expected} saknas och ingen radering anger det"
                        ),
                    );
                    return place;
                }
            }
            if entry.chained(&previous, &protocol.hash.0) != entry.hash {
                let message = if place == 0 {
                    words!(
                        "event {expected} does not begin the chain: it was changed, or the protocol file is not the sealed one",
                        "händelse {expected} inleder inte kedjan: den är ändrad, eller så är protokollfilen inte den förseglade"
                    )
                } else {
                    words!(
                        "event {expected} does not continue the chain: it was changed, moved or inserted",
                        "händelse {expected} fortsätter inte kedjan: den är ändrad, flyttad eller inskjuten"
                    )
                };
                self.push("chain-broken", at, message);
                return place;
            }
            if entry.time.as_str() < last_time {
                self.push(
                    "time-went-back",
                    at,
                    words!(
                        "event {expected} is earlier than the event before it",
                        "händelse {expected} är tidigare än händelsen före"
                    ),
                );
                return place;
            }
            if (place == 0) != (entry.kind == "opened") {
                self.push(
                    "opening-misplaced",
                    at,
                    Words::new(
                        "the first event, and no other, opens a study",
                        "den första händelsen, och ingen annan, öppnar en studie",
                    ),
                );
                return place;
            }
            previous = entry.hash;
            last_time = &entry.time;
        }
        entries.len()
    }

    /// Folds the rows that chain, checking before each what must follow from the rows before.
    fn fold(
        &mut self,
        protocol: &Arc<Protocol>,
        entries: &[Entry],
        seeds: &[Seed],
    ) -> (DrawCheck, bool) {
        let published = published(entries);
        let given = if seeds.is_empty() {
            published.1.as_slice()
        } else {
            seeds
        };
        let mismatch = given.len() < published.0.len()
            || given
                .iter()
                .zip(&published.0)
                .any(|(seed, commitment)| hex(&seed.commitment(&protocol.hash.0)) != *commitment);
        let (seed_mismatch, usable) = match (seeds.is_empty(), given.is_empty(), mismatch) {
            (_, true, _) => (false, false),
            (true, false, true) => {
                let at = entries.iter().find(|entry| entry.kind == "revealed");
                self.push(
                    "reveal-mismatch",
                    at.map(|entry| entry.sequence),
                    Words::new(
                        "a published seed is not the one that was committed to",
                        "ett publicerat frö är inte det som utfästes",
                    ),
                );
                (false, false)
            }
            (false, false, true) => (true, false),
            (_, false, false) => (false, true),
        };
        let mut drawer = usable.then(|| {
            let first = given[0].clone();
            Drawer::new(RecordedSource::new(published.2, first, given[1..].to_vec()))
        });
        let mut journal = Journal::new(Arc::clone(protocol));
        let mut drawn = None;
        let read = journal.absorb_watching(entries, &mut |entry, state, what| {
            self.entry(protocol, state, what, entry, &mut drawn, drawer.as_mut());
        });
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
        }
        (
            if usable {
                DrawCheck::Verified
            } else {
                DrawCheck::NotChecked
            },
            seed_mismatch,
        )
    }

    /// One row against the state before it. `drawn` is the family that the row before screened for a draw.
    fn entry(
        &mut self,
        protocol: &Protocol,
        state: &State,
        what: &What,
        entry: &Entry,
        drawn: &mut Option<FamilyIx>,
        drawer: Option<&mut Drawer<RecordedSource>>,
    ) {
        let sequence = entry.sequence;
        let at = Some(sequence);
        let screened_before = drawn.take();
        match what {
            What::Opened => {
                let public: serde_json::Value =
                    serde_json::from_str(&entry.public).unwrap_or_default();
                let own = public
                    .get("protocol_hash")
                    .and_then(serde_json::Value::as_str);
                if own != Some(protocol.hash.to_hex().as_str()) {
                    self.push(
                        "protocol-mismatch",
                        at,
                        Words::new(
                            "the study was opened with another protocol file",
                            "studien öppnades med en annan protokollfil",
                        ),
                    );
                }
            }
            What::Screened(screening) => {
                if screening.verdict == Verdict::Drawn {
                    *drawn = Some(screening.family);
                }
                if entry.payload.is_some() && !verdict_holds(protocol, screening) {
                    self.push(
                        "verdict-differs",
                        at,
                        words!(
                            "the verdict of event {sequence} does not follow from its answers",
                            "utfallet i händelse {sequence} följer inte av svaren"
                        ),
                    );
                }
                let closed = !state.gate_open(screening.site);
                if closed && screening.verdict == Verdict::Drawn {
                    self.push(
                        "drawn-past-a-closed-gate",
                        at,
                        words!(
                            "event {sequence} let a family past a closed gate",
                            "händelse {sequence} släppte in en familj fast porten var stängd"
                        ),
                    );
                }
                if !closed && screening.verdict == Verdict::GateClosed {
                    self.push(
                        "turned-away-at-an-open-gate",
                        at,
                        words!(
                            "event {sequence} turned a family away while a slot was free",
                            "händelse {sequence} avvisade en familj fast det fanns plats"
                        ),
                    );
                }
            }
            What::Allocated {
                family,
                epoch,
                stratum,
                draw,
                arm,
                allocation,
                ..
            } => {
                let known = state.family(*family);
                if screened_before != Some(*family) {
                    self.push("allocated-without-screening", at, words!(
                        "event {sequence} allocates a family that the event before it did not screen",
                        "händelse {sequence} lottar en familj som händelsen före inte screenade"
                    ));
                }
                if known.is_some_and(|family| family.status == Status::Randomized) {
                    self.push(
                        "allocated-twice",
                        at,
                        words!(
                            "event {sequence} allocates a family that has an arm",
                            "händelse {sequence} lottar en familj som redan har en arm"
                        ),
                    );
                }
                let expected_draw = state.draws.get(*stratum as usize).copied();
                let in_order = *allocation as usize == state.allocations.len() + 1
                    && *epoch == state.epoch
                    && Some(*draw) == expected_draw;
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
                    && drawer.arm(protocol, state, *stratum, &Unit::default()) != *arm
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
            _ => {}
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

/// Commitments by epoch, published seeds and mode, as the rows say.
fn published(entries: &[Entry]) -> (Vec<String>, Vec<Seed>, Mode) {
    let (mut commitments, mut seeds, mut mode) = (Vec::new(), Vec::new(), Mode::Live);
    for entry in entries {
        let public: serde_json::Value = serde_json::from_str(&entry.public).unwrap_or_default();
        let text = |key: &str| public.get(key).and_then(serde_json::Value::as_str);
        if entry.kind == "opened" && text("mode") == Some(Mode::Rehearsal.text()) {
            mode = Mode::Rehearsal;
        }
        commitments.extend(text("commitment").map(str::to_owned));
        if entry.kind == "revealed"
            && let Some(texts) = public.get("seeds").and_then(serde_json::Value::as_array)
        {
            seeds = texts
                .iter()
                .filter_map(|seed| seed.as_str().and_then(|seed| Seed::from_hex(seed).ok()))
                .collect();
        }
    }
    (commitments, seeds, mode)
}
