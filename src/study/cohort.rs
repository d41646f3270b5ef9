//! The families that a closed gate turned away and that were never randomized: an observational cohort beside the trial.
//!
//! Its windows count from the first day on which a family was turned away, and its reports and exits come in as those of
//! randomized families do. It shows what happens to families that wait, and it is no comparison: nobody drew lots between
//! them and the others, and the gate is closed when there is much to do. A family that came back and was randomized is not
//! in it. Counts per site that could point to a family are masked.

use super::dataset::{self, OutcomeValue};
use super::kernel::{FamilyIx, SiteIx, State};
use crate::estimation::two_proportions::wilson;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, OutcomeKind, Summary};

/// Counts from 1 to this are not shown per site, nor are their complements.
pub const MASKED: u32 = 4;
/// Level of the intervals.
pub const LEVEL: f64 = 0.95;

/// A family of the cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnedAway {
    /// The family.
    pub family: FamilyIx,
    /// Where it was turned away first.
    pub site: SiteIx,
    /// The first day on which it was turned away: day 0 of its windows.
    pub on: Day,
}

/// The cohort of a lock.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohort {
    /// Families that a closed gate ever turned away, up to the cut.
    pub ever: u32,
    /// Of these, families that came back and were randomized: not in the cohort.
    pub randomized: u32,
    /// Of these, families whose data were erased: not in the cohort.
    pub erased: u32,
    /// Of these, families found to be another family of the study, which stands for both: not in the cohort.
    pub linked: u32,
    /// Families of the cohort.
    pub families: u32,
    /// One entry per outcome that counts reports, in the protocol's order.
    pub outcomes: Vec<CohortOutcome>,
}

/// An outcome of the cohort.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortOutcome {
    /// Index of the outcome in the protocol.
    pub outcome: usize,
    /// Families whose window was observed to its end.
    pub known: u32,
    /// Families whose follow-up ended before.
    pub unknown: u32,
    /// Families whose window had not ended at the cut.
    pub not_yet: u32,
    /// Of the known, families with at least one counted report.
    pub with_report: u32,
    /// Wilson's interval of their share; `None` when no family is known.
    pub interval: Option<(f64, f64)>,
    /// One entry per site, in the protocol's order.
    pub sites: Vec<CohortSite>,
}

/// A site of the cohort: `None` where a count is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CohortSite {
    /// The site.
    pub site: SiteIx,
    /// Families whose window was observed to its end, and of these with at least one counted report.
    pub counts: Option<(u32, u32)>,
}

/// The families of the cohort at a cut, in the order in which they were turned away.
pub fn families(state: &State, cut: Day) -> impl Iterator<Item = TurnedAway> + '_ {
    ever(state, cut).filter(|own| {
        let family = state.family(own.family);
        family.is_some_and(|family| {
            !family.is_randomized() && !family.erased && family.linked_to.is_none()
        })
    })
}

fn ever(state: &State, cut: Day) -> impl Iterator<Item = TurnedAway> + '_ {
    let own = state.turned_away.iter().filter(move |own| own.on <= cut);
    own.map(|own| TurnedAway {
        family: own.family,
        site: own.site,
        on: own.on,
    })
}

/// An outcome of a family of the cohort, as [`dataset::outcome`] counts it, from the day on which it was turned away. The
/// report that it was turned away with is its index report.
pub fn outcome(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    family: FamilyIx,
    outcome: usize,
    summary: Summary,
) -> OutcomeValue {
    let own = state.turned_away.iter().find(|own| own.family == family);
    let (Some(first), Some(known)) = (own, state.family(family)) else {
        return OutcomeValue::NotYet;
    };
    let mut from = *known;
    (from.randomized, from.report) = (first.on, first.report);
    dataset::outcome_from(protocol, state, cut, (family, &from), outcome, summary)
}

/// The cohort of a state (the ledger up to a lock) at a cut, inclusive.
pub fn cohort(protocol: &Protocol, state: &State, cut: Day) -> Cohort {
    let all: Vec<TurnedAway> = families(state, cut).collect();
    let count = |holds: fn(&super::kernel::Family) -> bool| {
        ever(state, cut)
            .filter(|own| state.family(own.family).is_some_and(holds))
            .count() as u32
    };
    let outcomes = protocol
        .outcomes
        .iter()
        .enumerate()
        .filter(|(_, own)| matches!(own.kind, OutcomeKind::Reports { .. }))
        .filter(|(place, _)| !beside(protocol, *place))
        .map(|(place, _)| one(protocol, state, cut, &all, place))
        .collect();
    Cohort {
        ever: ever(state, cut).count() as u32,
        randomized: count(|family| family.is_randomized() && !family.erased),
        erased: count(|family| family.erased),
        linked: count(|family| {
            !family.is_randomized() && !family.erased && family.linked_to.is_some()
        }),
        families: all.len() as u32,
        outcomes,
    }
}

/// Whether an outcome is only there for sensitivity analyses of another one.
fn beside(protocol: &Protocol, outcome: usize) -> bool {
    let analyses = || protocol.analyses.iter();
    analyses().any(|own| own.sensitivity_outcomes.contains(&outcome))
        && analyses().all(|own| own.outcome != outcome)
}

fn one(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    all: &[TurnedAway],
    place: usize,
) -> CohortOutcome {
    let mut own = CohortOutcome {
        outcome: place,
        known: 0,
        unknown: 0,
        not_yet: 0,
        with_report: 0,
        interval: None,
        sites: Vec::new(),
    };
    let mut sites = vec![(0, 0); protocol.sites.len()];
    for family in all {
        match outcome(protocol, state, cut, family.family, place, Summary::Any) {
            OutcomeValue::Known(value) => {
                let reported = u32::from(value > 0.0);
                own.known += 1;
                own.with_report += reported;
                if let Some((known, with_report)) = sites.get_mut(usize::from(family.site.0)) {
                    *known += 1;
                    *with_report += reported;
                }
            }
            OutcomeValue::Unknown(_) => own.unknown += 1,
            OutcomeValue::NotYet => own.not_yet += 1,
        }
    }
    own.interval = wilson(own.with_report.into(), own.known.into(), LEVEL)
        .ok()
        .filter(|_| own.known > 0);
    own.sites = (0..)
        .zip(masked(&sites))
        .map(|(site, counts)| CohortSite {
            site: SiteIx(site),
            counts,
        })
        .collect();
    own
}

/// Counts (families, with a report) per site, without those that could point to a family: a site is masked when its
/// families, those with a report or those without one number 1 to [`MASKED`]. Were one site masked alone, the total would
/// give it away, so the smallest of the other sites with families is masked with it.
pub fn masked(sites: &[(u32, u32)]) -> Vec<Option<(u32, u32)>> {
    let small = |count: u32| (1..=MASKED).contains(&count);
    let mut shown: Vec<bool> = sites
        .iter()
        .map(|(known, with)| !(small(*known) || small(*with) || small(known - with)))
        .collect();
    if shown.iter().filter(|shown| !**shown).count() == 1 {
        let next = (0..sites.len())
            .filter(|site| shown[*site] && sites[*site].0 > 0)
            .min_by_key(|site| sites[*site].0);
        if let Some(next) = next {
            shown[next] = false;
        }
    }
    sites
        .iter()
        .zip(shown)
        .map(|(counts, shown)| shown.then_some(*counts))
        .collect()
}
