//! The participant flow: every number of the CONSORT diagram, from the ledger and nothing else.
//!
//! Counts are families. The numbers add up at every node, which the contract tests check for arbitrary ledgers:
//! screened = not eligible + turned away + exceptions + reason erased + randomized; randomized = the sum over arms; allocated is the sum
//! of followed, under follow-up, those whose follow-up ended before, later draws of a family, and erased families, and without the
//! last two and those randomized after the cut it is the families of the data set. Enrolment is counted up to the ledger's end, follow-up up to
//! the cut; families randomized between the two are said apart. A family under two names is counted once, unless both were
//! drawn. A family is in the arm that it was allocated to,
//! whatever service it had.

use super::dataset::{self, End};
use super::kernel::{Family, FamilyIx, Occurred, State, Status};
use super::uptake::happened;
use crate::allocation::Arm;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Exit, Service};

/// The flow of a study, or of a lock of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Families screened at least once.
    pub screened: u32,
    /// Screenings in all; a family that was turned away may be screened again.
    pub screenings: u32,
    /// Families whose last screening found them not eligible, by the first criterion that they missed, in the
    /// protocol's order; criteria that nobody missed are kept with 0.
    pub not_eligible: Vec<ReasonCount>,
    /// Families whose last screening met a closed gate.
    pub turned_away: u32,
    /// Families taken out by a declared exception, by reason; reasons that nobody had are kept with 0.
    pub exceptions: Vec<ReasonCount>,
    /// Families that were not randomized, for a reason that an erasure took.
    pub reason_erased: u32,
    /// Families randomized.
    pub randomized: u32,
    /// Of these, families that an earlier closed gate had turned away.
    pub randomized_after_turned_away: u32,
    /// Children who joined a randomized family later.
    pub joined_children: u32,
    /// One entry per arm, in the protocol's order.
    pub arms: Vec<ArmFlow>,
    /// One entry per site, in the protocol's order.
    pub sites: Vec<SiteFlow>,
}

/// A coded reason and how many families had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// The code.
    pub reason: String,
    /// Families.
    pub families: u32,
}

/// What happened to the families of an arm, as randomized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmFlow {
    /// The arm.
    pub arm: Arm,
    /// Families allocated.
    pub allocated: u32,
    /// Families whose allocated service did not start.
    pub not_started: u32,
    /// Families moved to another arm's service.
    pub switched: u32,
    /// Families that withdrew.
    pub withdrawn: u32,
    /// Families whose follow-up ended with a death.
    pub death: u32,
    /// Families whose children all turned 18 before the last window ended.
    pub all_children_18: u32,
    /// Families that left the register's coverage before the last window ended.
    pub left_coverage: u32,
    /// Families followed to the end of their last window at the cut.
    pub followed: u32,
    /// Families whose last window had not ended at the cut (interim locks) and that nothing had taken out of it, those after
    /// the cut among them. A family that has left is counted where it went, though no analysis has its outcome until its
    /// window has ended.
    pub under_follow_up: u32,
    /// Of these and of those who have left, families randomized after the cut: not in the data set.
    pub after_cut: u32,
    /// Later draws of a family that had been drawn before, whose follow-up is that of the first: not in the data set.
    pub linked: u32,
    /// Families whose data were erased, and with them the days of what happened: not in the data set.
    pub erased: u32,
}

/// Recruitment of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFlow {
    /// Index of the site.
    pub site: usize,
    /// First day on which the site enrolled: its registered one or that of the study's opening, whichever is later.
    pub opened: Day,
    /// Day of each randomization, in ledger order.
    pub randomized: Vec<Day>,
    /// Families whose last screening met a closed gate.
    pub turned_away: u32,
    /// Whole days on which the site enrolled and its gate was closed from morning to night, as inclusive ranges in order. The
    /// day on which a site stops enrolling is none.
    pub gate_closed: Vec<(Day, Day)>,
}

impl SiteFlow {
    /// Number of days on which the gate was closed.
    pub fn days_closed(&self) -> i32 {
        self.gate_closed
            .iter()
            .map(|(from, to)| to.since(*from) + 1)
            .sum()
    }
}

/// Folds the flow of a state (the ledger up to a lock) at a cut, inclusive.
pub fn flow(protocol: &Protocol, state: &State, cut: Day) -> Flow {
    let mut flow = Flow {
        screened: 0,
        screenings: 0,
        not_eligible: reasons(protocol.criteria.iter().map(|criterion| &criterion.id)),
        turned_away: 0,
        exceptions: reasons(protocol.exceptions.reasons.iter().map(|reason| &reason.id)),
        reason_erased: 0,
        randomized: 0,
        randomized_after_turned_away: 0,
        joined_children: 0,
        arms: (0..protocol.arms.len())
            .map(|arm| ArmFlow::empty(Arm(arm as u8)))
            .collect(),
        sites: sites(protocol, state, cut),
    };
    for (index, own) in state.families.iter().enumerate() {
        flow.screenings += u32::from(own.screenings);
        if own.is_another_name() {
            continue;
        }
        match own.status {
            Status::Unscreened => continue,
            Status::NotEligible { missed } => {
                let first = missed.trailing_zeros() as usize;
                match flow.not_eligible.get_mut(first) {
                    Some(reason) => reason.families += 1,
                    None => flow.reason_erased += 1,
                }
            }
            Status::TurnedAway => {
                flow.turned_away += 1;
                if let Some(site) = flow.sites.get_mut(usize::from(own.site.0)) {
                    site.turned_away += 1;
                }
            }
            Status::Excepted { reason } => match flow.exceptions.get_mut(usize::from(reason)) {
                Some(reason) => reason.families += 1,
                None => flow.reason_erased += 1,
            },
            Status::Randomized => {
                flow.randomized += 1;
                flow.randomized_after_turned_away += u32::from(own.turned_away);
                flow.joined_children += u32::from(own.joined);
                if let Some(arm) = flow.arms.get_mut(own.arm.index()) {
                    arm.add(protocol, state, cut, FamilyIx(index as u32), own);
                }
            }
        }
        flow.screened += 1;
    }
    flow
}

fn reasons<'a>(codes: impl IntoIterator<Item = &'a String>) -> Vec<ReasonCount> {
    codes
        .into_iter()
        .map(|code| ReasonCount {
            reason: code.clone(),
            families: 0,
        })
        .collect()
}

impl ArmFlow {
    fn empty(arm: Arm) -> Self {
        Self {
            arm,
            allocated: 0,
            not_started: 0,
            switched: 0,
            withdrawn: 0,
            death: 0,
            all_children_18: 0,
            left_coverage: 0,
            followed: 0,
            under_follow_up: 0,
            after_cut: 0,
            linked: 0,
            erased: 0,
        }
    }

    fn add(
        &mut self,
        protocol: &Protocol,
        state: &State,
        cut: Day,
        family: FamilyIx,
        own: &Family,
    ) {
        self.allocated += 1;
        // Service belongs to the draw under whose name it was given.
        let had = |service: Service| {
            let mut seen = state.occurrences_of(family);
            seen.any(|own| own.on <= cut && happened(state, own, service))
        };
        self.not_started += u32::from(had(Service::NotStarted));
        self.switched += u32::from(had(Service::Switched));
        let fate = fate(protocol, state, cut, family, own);
        let kept = !matches!(fate, Fate::Linked | Fate::Erased);
        self.after_cut += u32::from(kept && own.randomized > cut);
        *match fate {
            Fate::Linked => &mut self.linked,
            Fate::Erased => &mut self.erased,
            Fate::Followed => &mut self.followed,
            Fate::UnderFollowUp => &mut self.under_follow_up,
            Fate::Withdrawn => &mut self.withdrawn,
            Fate::Exited(Exit::Death) => &mut self.death,
            Fate::Exited(Exit::AllChildren18) => &mut self.all_children_18,
            Fate::Exited(Exit::LeftCoverage) => &mut self.left_coverage,
        } += 1;
    }
}

/// How follow-up of a family to the end of its last window stands at the cut.
enum Fate {
    /// Followed as the family of an earlier draw.
    Linked,
    Erased,
    Followed,
    UnderFollowUp,
    Withdrawn,
    Exited(Exit),
}

/// The fate of a randomized family; of several ends on the same day the one that [`dataset::follow_up`] goes by, and
/// among its equals the first in the order of [`Exit`], a withdrawal last.
fn fate(protocol: &Protocol, state: &State, cut: Day, family: FamilyIx, own: &Family) -> Fate {
    if own.linked_to.is_some() {
        return Fate::Linked;
    }
    if own.erased {
        return Fate::Erased;
    }
    let last = own.randomized.plus(protocol.last_window());
    let follow = dataset::follow_up(protocol, state, cut, family, own, last);
    let exits = match follow.end {
        End::Window => return Fate::Followed,
        End::Cut => return Fate::UnderFollowUp,
        End::Terminal => &protocol.exits.terminal,
        End::Censored => &protocol.exits.censors,
    };
    let ended = |exit: Exit| {
        state.occurrences_of_unit(family).any(|occurrence| {
            occurrence.what == Occurred::Exit(exit) && occurrence.on == follow.until
        })
    };
    Exit::ALL
        .into_iter()
        .find(|exit| exits.contains(exit) && ended(*exit))
        .map_or(Fate::Withdrawn, Fate::Exited)
}

/// Recruitment of each site up to a cut, without those whom the gate turned away.
pub fn sites(protocol: &Protocol, state: &State, cut: Day) -> Vec<SiteFlow> {
    let mut sites: Vec<SiteFlow> = state
        .sites
        .iter()
        .enumerate()
        .map(|(site, own)| SiteFlow {
            site,
            opened: own.opens,
            randomized: Vec::new(),
            turned_away: 0,
            gate_closed: Vec::new(),
        })
        .collect();
    for allocated in &state.allocations {
        if let Some(own) = state.family(allocated.family)
            && let Some(site) = sites.get_mut(usize::from(own.site.0))
        {
            site.opened = site.opened.min(own.randomized);
            site.randomized.push(own.randomized);
        }
    }
    let enrolment = enrolment(protocol, state, cut);
    for site in &mut sites {
        let mut enrolled = enrolled(state, site.site);
        match enrolled.first() {
            Some((from, _)) => site.opened = site.randomized.iter().copied().fold(*from, Day::min),
            // It was closed before the first day on which it would have enrolled, or on it.
            None if state
                .enrolling
                .iter()
                .any(|own| own.enrols && usize::from(own.site.0) == site.site) => {}
            // A state that no ledger opened.
            None => enrolled.push((site.opened, Day(i32::MAX))),
        }
        let enrolled = both(&enrolled, &enrolment);
        site.gate_closed = gate_closed(protocol, state, (site.site, &enrolled));
    }
    sites
}

/// When a site enrolled, as inclusive ranges in order; the last one may have no end.
fn enrolled(state: &State, site: usize) -> Vec<(Day, Day)> {
    let mut ranges: Vec<(Day, Day)> = Vec::new();
    let mut since: Option<Day> = None;
    let own = state.enrolling.iter();
    for change in own.filter(|change| usize::from(change.site.0) == site) {
        if change.enrols {
            since = Some(since.map_or(change.day, |from| from.min(change.day)));
        } else if let Some(from) = since.take().filter(|from| *from < change.day) {
            ranges.push((from, change.day.plus(-1)));
        }
    }
    ranges.extend(since.map(|from| (from, Day(i32::MAX))));
    ranges
}

/// When the study enrolled until a cut, as inclusive ranges in order: in each epoch from the day on which it was opened, or its
/// public round recorded, to the registered last day, the family that reached the registered number, or the day before the next
/// epoch; each epoch by its own protocol, since a later one moves no day that has been.
fn enrolment(protocol: &Protocol, state: &State, cut: Day) -> Vec<(Day, Day)> {
    let next = state.epochs.iter().skip(1);
    let next = next.map(|own| own.opened.plus(-1)).chain([cut]);
    (0..)
        .zip(state.epochs.iter().zip(next))
        .filter_map(|(epoch, (own, before_next))| {
            let protocol = protocol.in_epoch(epoch);
            let from = match protocol.study.beacon {
                Some(_) => own.beacon?,
                None => own.opened,
            };
            let size = &protocol.sample_size;
            let full = size.stop_families.and_then(|families| {
                let reached = state.allocations.get(families.checked_sub(1)? as usize)?;
                Some(state.family(reached.family)?.randomized)
            });
            let ends = [
                Some(before_next),
                Some(cut),
                size.stop_date.map(Day::of),
                full,
            ];
            let to = ends.into_iter().flatten().min()?;
            (from <= to).then_some((from, to))
        })
        .collect()
}

/// The last day until another one on which the study enrolled; if there is none that one, or the registered last day before it.
pub fn enrolled_until(protocol: &Protocol, state: &State, until: Day) -> Day {
    let days = enrolment(protocol, state, until);
    let registered = protocol.sample_size.stop_date.map(Day::of);
    let never = || registered.map_or(until, |last| until.min(last));
    days.last().map_or_else(never, |(_, last)| *last)
}

/// The days that are in both of two lists of inclusive ranges in order.
fn both(own: &[(Day, Day)], other: &[(Day, Day)]) -> Vec<(Day, Day)> {
    let common = |(from, to): (Day, Day)| {
        let others = other.iter();
        others.map(move |(first, last)| (from.max(*first), to.min(*last)))
    };
    own.iter()
        .flat_map(|range| common(*range))
        .filter(|(from, to)| from <= to)
        .collect()
}

/// Whole days on which a site enrolled and its gate was closed from morning to night.
fn gate_closed(
    protocol: &Protocol,
    state: &State,
    (site, enrolled): (usize, &[(Day, Day)]),
) -> Vec<(Day, Day)> {
    let Some(gate) = &protocol.gate else {
        return Vec::new();
    };
    let slots = protocol
        .in_epoch(state.epoch)
        .sites
        .get(site)
        .map_or(0, |own| own.therapists * gate.families_per_therapist);
    let mut ranges: Vec<(Day, Day)> = Vec::new();
    let mut close = |from: Day, to: Day| {
        for (first, last) in enrolled {
            let (from, to) = (from.max(*first), to.min(*last));
            if from > to {
                continue;
            }
            match ranges.last_mut() {
                Some((_, before)) if before.plus(1) == from => *before = to,
                _ => ranges.push((from, to)),
            }
        }
    };
    // The first whole day of the closure that lasts, if one does.
    let mut since = (slots == 0).then_some(Day(i32::MIN));
    for change in &state.gates {
        if usize::from(change.site.0) != site {
            continue;
        }
        if !change.open {
            since = Some(change.day.plus(1));
        } else if let Some(from) = since.take() {
            close(from, change.day.plus(-1));
        }
    }
    if let Some(from) = since {
        close(from, Day(i32::MAX));
    }
    ranges
}
