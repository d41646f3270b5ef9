//! `status`: how the study goes, without anything that would help to guess an arm.
//!
//! No totals per arm, no free slots, no block position: only whether a site's gate is open, which intake must know.

use super::failure::Failure;
use super::outside::Outside;
use super::study::{Study, unreadable};
use super::typed_time::{follows_typed_times, now};
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::caps::Alert;
use crate::study::conduct::Conduct;
use crate::study::flow::{SiteFlow, enrolled_until, sites as closed_days};
use crate::study::journal::Journal;
use crate::study::kernel::{FamilyIx, SiteIx, State, Status as Stands};
use crate::study::slots::{FreedByIntake, freed_by_intake};

/// How a study goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Id of the study.
    pub study: String,
    /// Hash of the sealed protocol.
    pub protocol_hash: String,
    /// `live` or `rehearsal`.
    pub mode: &'static str,
    /// Whether the draw or exception of the last screening is missing: rows were cut off, and nothing more is recorded.
    pub cut_off: bool,
    /// Whether families can still be enrolled: `open`, `target-reached`, `past-last-day` or `closed`.
    pub enrolment: &'static str,
    /// Registered last day of enrolment, if one ends it.
    pub last_day: Option<String>,
    /// Day as of which this is: see [`today`].
    pub as_of: String,
    /// Day until which whole days with a closed gate are counted: the last that has ended, at most the cut of the final lock.
    pub closed_until: String,
    /// Whether that is the day before [`Self::as_of`]: not while an epoch awaits its round, or where enrolment had ended and was amended.
    pub closed_until_yesterday: bool,
    /// Number of the epoch in force, from 0.
    pub epoch: u32,
    /// Families randomized in each epoch, from epoch 0.
    pub epochs: Vec<usize>,
    /// Commitment to the seed of each epoch, from epoch 0: public, to be held against a seed that is published later.
    pub commitments: Vec<String>,
    /// Whether the study follows typed times: it was opened at one, or is a rehearsal.
    pub typed_time: bool,
    /// Whether nobody is randomized until the value of a public round is recorded.
    pub awaits_beacon: bool,
    /// Number of events.
    pub events: u64,
    /// Time of the last event, UTC.
    pub last_event: String,
    /// Head of the ledger.
    pub head: String,
    /// Families screened.
    pub screened: usize,
    /// Families randomized, all arms together.
    pub randomized: usize,
    /// Registered number of families, if one ends enrolment.
    pub target: u32,
    /// Families whose last screening found them not eligible.
    pub not_eligible: usize,
    /// Families whose last screening met a closed gate.
    pub turned_away: usize,
    /// Families taken out by an exception.
    pub exceptions: usize,
    /// Families with a violation, by reason, all arms together.
    pub violations: Vec<(String, u32)>,
    /// Registered caps on exceptions and violations that are passed.
    pub alerts: Vec<Alert>,
    /// Families whose answers changed between screenings of the same report.
    pub changed_answers: Vec<String>,
    /// Families whose answers changed from one report to the next before they were randomized.
    pub changed_between: Vec<String>,
    /// Families with a child, or a name, that another family has which was screened and not randomized: each with the
    /// earlier one.
    pub two_names: Vec<(String, String)>,
    /// Randomized families that had been drawn before: later draws, kept for audit.
    pub linked: usize,
    /// Families, randomized or not, whose data were erased.
    pub erased: usize,
    /// Locks made: id, cut date, sequence.
    pub locks: Vec<(String, String, u64)>,
    /// Whether the seeds have been published.
    pub revealed: bool,
    /// Sites in the protocol's order.
    pub sites: Vec<SiteStatus>,
}

/// How a site goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteStatus {
    /// Id.
    pub site: String,
    /// Whether the site enrols.
    pub enrols: bool,
    /// Whether its gate is open.
    pub gate: &'static str,
    /// Families screened there last.
    pub screened: usize,
    /// Families randomized there, all arms together.
    pub randomized: usize,
    /// Families turned away there.
    pub turned_away: usize,
    /// Whole days on which its gate was closed, up to the last day that has ended.
    pub days_closed: i32,
}

/// Slots that were freed by people who screen, for the study lead: read from every row.
///
/// # Errors
/// The ledger cannot be read.
pub fn slots(study: &mut Study) -> Result<FreedByIntake, Failure> {
    let entries = study.entries()?;
    freed_by_intake(&study.journal.protocol, &entries)
        .map_err(|corrupt| unreadable(&corrupt, &study.folder))
}

/// How a study was run up to its last event, for the study lead.
pub fn conduct(study: &Study) -> Conduct {
    let journal = &study.journal;
    let until = journal.state.last_day;
    crate::study::conduct::conduct(&journal.protocol, &journal.state, until)
}

/// Families that are said to have received their own arm's service by mistake, for the study lead.
pub fn received_own(study: &Study) -> Vec<String> {
    names(&study.journal, &conduct(study).received_own)
}

/// The pseudonyms of families.
pub fn names(journal: &Journal, families: &[FamilyIx]) -> Vec<String> {
    let name = |family: &FamilyIx| journal.names.family_name(*family).to_owned();
    families.iter().map(name).collect()
}

/// The day as of which the status of a study is told: today by the computer's clock, in the study's time zone. A study that follows
/// typed times, and one whose last event is ahead of the clock, is told of as of the day of its last event.
pub fn today(outside: &Outside, study: &Study) -> Day {
    let last = study.journal.state.last_day;
    if follows_typed_times(&study.journal) {
        return last;
    }
    study.journal.day(now(outside)).max(last)
}

/// The last day that has ended and on which the study enrolled; once the final lock has closed enrolment at most its cut, as in its
/// report.
fn whole_days_until(protocol: &Protocol, state: &State, today: Day) -> Day {
    let last = protocol.final_lock();
    let last = last.and_then(|last| state.lock(u16::try_from(last).ok()?));
    let ended = today.plus(-1);
    let ended = last.map_or(ended, |made| ended.min(made.cut));
    enrolled_until(protocol, state, ended)
}

/// The status of a study on a day. That day has not ended: nothing of it counts as a whole one.
pub fn status(study: &Study, today: Day) -> Status {
    let journal = &study.journal;
    let (state, protocol) = (&journal.state, &journal.protocol);
    let conduct = conduct(study);
    let until = whole_days_until(protocol, state, today);
    let closed = closed_days(protocol, state, until);
    let count = |stands: fn(&Stands) -> bool, site: Option<usize>| {
        state
            .families
            .iter()
            .filter(|family| site.is_none_or(|site| usize::from(family.site.0) == site))
            .filter(|family| stands(&family.status) && !family.is_another_name())
            .count()
    };
    let randomized: fn(&Stands) -> bool = |stands| *stands == Stands::Randomized;
    let turned_away: fn(&Stands) -> bool = |stands| *stands == Stands::TurnedAway;
    let screened: fn(&Stands) -> bool = |stands| *stands != Stands::Unscreened;
    let full = protocol.sample_size.stop_families;
    let target_reached = full.is_some_and(|families| state.randomized() as u32 >= families);
    let last_day = protocol.sample_size.stop_date.map(Day::of);
    let past_last_day = last_day.is_some_and(|last| today > last);
    Status {
        study: protocol.study.id.clone(),
        protocol_hash: protocol.hash.to_hex(),
        mode: journal
            .opening
            .as_ref()
            .map_or("live", |opening| opening.mode.text()),
        cut_off: journal.lacks_an_outcome(),
        enrolment: match (state.closed, target_reached, past_last_day) {
            (true, ..) => "closed",
            (false, true, _) => "target-reached",
            (false, false, true) => "past-last-day",
            (false, false, false) => "open",
        },
        last_day: last_day.map(super::refusal::date),
        as_of: super::refusal::date(today),
        closed_until: super::refusal::date(until),
        closed_until_yesterday: until == today.plus(-1),
        epoch: state.epoch,
        epochs: (0..=state.epoch)
            .map(|epoch| {
                let made = state.allocations.iter();
                made.filter(|made| made.epoch == epoch).count()
            })
            .collect(),
        commitments: study.commitments().to_vec(),
        typed_time: follows_typed_times(journal),
        awaits_beacon: protocol.study.beacon.is_some() && !state.beacon(),
        events: state.sequence,
        last_event: journal
            .last_time
            .map_or_else(String::new, |time| time.to_string()),
        head: journal.head.to_hex(),
        screened: count(screened, None),
        randomized: state.randomized(),
        target: protocol.sample_size.target,
        not_eligible: count(|stands| matches!(stands, Stands::NotEligible { .. }), None),
        turned_away: count(turned_away, None),
        exceptions: count(|stands| matches!(stands, Stands::Excepted { .. }), None),
        violations: conduct
            .violations
            .iter()
            .zip(&protocol.violations.reasons)
            .map(|(count, reason)| (reason.id.clone(), count.families()))
            .collect(),
        changed_answers: names(journal, &conduct.changed),
        changed_between: names(journal, &conduct.changed_between),
        two_names: journal
            .screened_under_two_names()
            .into_iter()
            .map(|(later, before)| {
                let name = |family| journal.names.family_name(family).to_owned();
                (name(later), name(before))
            })
            .collect(),
        alerts: conduct.alerts,
        linked: state
            .families
            .iter()
            .filter(|family| family.is_randomized() && family.linked_to.is_some())
            .count(),
        erased: state
            .families
            .iter()
            .filter(|family| family.erased && !family.is_another_name())
            .count(),
        locks: state
            .locks
            .iter()
            .map(|made| {
                let id = protocol.locks[usize::from(made.lock)].id.clone();
                (id, super::refusal::date(made.cut), made.sequence)
            })
            .collect(),
        revealed: state.revealed,
        sites: protocol
            .sites
            .iter()
            .enumerate()
            .map(|(place, site)| SiteStatus {
                site: site.id.clone(),
                enrols: !state.closed
                    && !target_reached
                    && !past_last_day
                    && !state.sites[place].closed,
                gate: if state.gate_open(SiteIx(place as u16)) {
                    "open"
                } else {
                    "closed"
                },
                screened: count(screened, Some(place)),
                randomized: count(randomized, Some(place)),
                turned_away: count(turned_away, Some(place)),
                days_closed: closed.get(place).map_or(0, SiteFlow::days_closed),
            })
            .collect(),
    }
}
