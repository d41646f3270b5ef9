//! How a study was run against its protocol, folded from the ledger: violations by arm, caps that are passed, and whether
//! switches of service lean towards the arm that is scarce.
//!
//! Everything here is by the arm as randomized, or of the direction of switches, and is for the study lead: it is shown by
//! `status --conduct` and by the report of a lock, never to intake.

use super::caps::{Alert, alerts};
use super::dataset;
use super::kernel::{Family, FamilyIx, Occurred, State, Switch};
use super::slots::FreedByIntake;
use crate::allocation::Arm;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Policy, Violations};
use std::collections::BTreeMap;

/// Name of the set of units without families that were found not to have been eligible, marked blind to the arm by facts
/// that existed before the draw. An analysis of it is a sensitivity analysis, never the primary one.
pub const ELIGIBLE_SET: &str = "without-found-ineligible";

/// How a study was run.
#[derive(Debug, Clone, PartialEq)]
pub struct Conduct {
    /// Families with a violation that stands, by reason in the protocol's order, whenever it happened or was found.
    pub violations: Vec<ViolationCount>,
    /// Families of the data set that [`ELIGIBLE_SET`] leaves out.
    pub left_out: u32,
    /// Caps that are passed.
    pub alerts: Vec<Alert>,
    /// The direction of switches, if the study has an arm that they can lean towards.
    pub direction: Option<Direction>,
    /// Families whose answers changed between screenings of the same report, in the ledger's order.
    pub changed: Vec<FamilyIx>,
    /// Families whose answers changed from one report to the next before they were randomized, in the ledger's order.
    pub changed_between: Vec<FamilyIx>,
    /// Families with a child, or a report, that had been screened with another family, which was not randomized.
    pub came_back: Vec<FamilyIx>,
    /// Families that may have been drawn before under another name: screened for the report of a family that was drawn, or after a
    /// child of theirs was drawn with another family, and no link has made the two one.
    pub of_a_drawn: Vec<FamilyIx>,
    /// Families that were taken out by an exception and then screened without it for the same report.
    pub exception_withdrawn: Vec<FamilyIx>,
    /// Drawn families for which an exception was declared.
    pub exception_after_draw: Vec<FamilyIx>,
    /// Drawn families with other answers to a report than it was screened with.
    pub answers_after_draw: Vec<FamilyIx>,
    /// Families with a violation that names their own arm as the one whose service they received by mistake: a violation that
    /// was none, to be corrected by the study lead.
    pub received_own: Vec<FamilyIx>,
    /// Slots that were freed by people who screen; `None` where the rows were not read.
    pub slots: Option<FreedByIntake>,
}

/// Families with a violation of one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViolationCount {
    /// Index of the reason in the protocol.
    pub reason: u16,
    /// Families by arm as randomized.
    pub arms: Vec<u32>,
}

impl ViolationCount {
    /// Families of all arms.
    pub fn families(&self) -> u32 {
        self.arms.iter().sum()
    }
}

/// Whether switches lean towards an arm.
///
/// If a switch had nothing to do with which arm is wanted, the families that switch would be a random part of the
/// randomized ones, and each would lead towards `toward` with the probability that it was drawn elsewhere and then goes
/// there. The test is one-sided and exact: the probability of at least so many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// The arm that is tested: the gate's, or else the only one that is not the control.
    pub toward: Arm,
    /// Families whose first switch away from their arm led to it.
    pub to: u32,
    /// Families that switched away from their arm.
    pub of: u32,
    /// Expected share of switches towards it when they do not lean: the mean over the families, each by the ratio of the
    /// epoch in which it was drawn.
    pub expected: f64,
    /// Probability of at least `to`; 1 without a switch.
    pub p_value: f64,
}

/// Folds how a study was run, from a state: the whole ledger, or that up to a lock. Violations count whenever they were found, also
/// after the cut, as the analyses use them; switches are services, and count up to the cut, inclusive.
pub fn conduct(protocol: &Protocol, state: &State, cut: Day) -> Conduct {
    Conduct {
        violations: violations(protocol, state),
        left_out: left_out(state, cut),
        alerts: alerts(protocol, state),
        direction: direction(protocol, state, cut),
        changed: families(state, |family| family.changed_answers),
        changed_between: families(state, |family| family.changed_between),
        came_back: came_from(state, false),
        of_a_drawn: came_from(state, true),
        exception_withdrawn: families(state, |family| family.exception_withdrawn),
        exception_after_draw: families(state, |family| family.exception_after_draw),
        answers_after_draw: families(state, |family| family.answers_after_draw),
        received_own: received_own(state),
        slots: None,
    }
}

fn families(state: &State, holds: impl Fn(&Family) -> bool) -> Vec<FamilyIx> {
    (0..)
        .zip(&state.families)
        .filter(|(_, family)| holds(family) && !family.is_another_name())
        .map(|(place, _)| FamilyIx(place))
        .collect()
}

/// Families that came from another one: from a drawn one, or from one that is not.
fn came_from(state: &State, drawn: bool) -> Vec<FamilyIx> {
    let of_a_drawn = |own: &Family, before: FamilyIx| {
        let earlier = state.family(before).map_or(0, |before| before.allocation);
        // Of two that came from one another the later draw is the one to look at.
        state.is_drawn(before) && (!own.is_randomized() || own.allocation > earlier)
    };
    (0..)
        .map(FamilyIx)
        .zip(&state.families)
        .filter(|(_, own)| !own.is_another_name())
        .filter_map(|(family, own)| Some((family, own, state.unit(own.came_from?))))
        .filter(|(family, _, before)| state.unit(*family) != *before)
        .filter(|(_, own, before)| of_a_drawn(own, *before) == drawn)
        .map(|(family, ..)| family)
        .collect()
}

fn received_own(state: &State) -> Vec<FamilyIx> {
    let own_arm = |family: FamilyIx, arm| {
        state.occurrences_of(family).any(|occurrence| {
            matches!(occurrence.what, Occurred::Violation { received, .. } if received == Some(arm))
        })
    };
    let drawn = state.allocations.iter();
    drawn
        .filter(|made| own_arm(made.family, made.arm))
        .map(|made| made.family)
        .collect()
}

fn violations(protocol: &Protocol, state: &State) -> Vec<ViolationCount> {
    (0..)
        .zip(&protocol.violations.reasons)
        .map(|(reason, _)| {
            let mut arms = vec![0; protocol.arms.len()];
            for allocated in &state.allocations {
                if has_violation(state, allocated.family, reason)
                    && let Some(count) = arms.get_mut(allocated.arm.index())
                {
                    *count += 1;
                }
            }
            ViolationCount { reason, arms }
        })
        .collect()
}

fn has_violation(state: &State, family: FamilyIx, reason: u16) -> bool {
    state.occurrences_of(family).any(|occurrence| {
        matches!(occurrence.what, Occurred::Violation { reason: own, .. } if own == reason)
    })
}

/// Families of the data set at a cut that were found not to have been eligible.
fn left_out(state: &State, cut: Day) -> u32 {
    let mut units = Vec::new();
    dataset::units(state, cut, &mut units);
    let found = units
        .iter()
        .filter(|unit| found_ineligible(state, unit.family));
    found.count() as u32
}

/// Whether a family is outside [`ELIGIBLE_SET`]: a violation that stands found it not to have been eligible, under whatever name
/// of it. When that was found does not matter; what is known at a lock is in the ledger up to it.
pub fn found_ineligible(state: &State, unit: FamilyIx) -> bool {
    state.occurrences_of_unit(unit).any(|occurrence| {
        let Occurred::Violation { reason, .. } = occurrence.what else {
            return false;
        };
        Violations::policy(reason) == Some(Policy::FoundIneligible)
    })
}

/// The direction of switches up to a cut. Counted is each family's first switch away from the arm that it was drawn to, by day and
/// then by row; of two families found to be one, the unit.
pub fn direction(protocol: &Protocol, state: &State, cut: Day) -> Option<Direction> {
    let toward = toward(protocol)?;
    let away = |switch: &Switch| {
        let family = state.family(switch.family)?;
        let counts = family.is_randomized()
            && !switch.retracted
            && switch.to != family.arm
            && switch.on <= cut
            && family.linked_to.is_none();
        counts.then_some((family, (switch.on, switch.sequence)))
    };
    let mut first = BTreeMap::new();
    for switch in &state.switches {
        if let Some((_, when)) = away(switch) {
            let own = first.entry(switch.family).or_insert(when);
            *own = when.min(*own);
        }
    }
    let (mut to, mut shares) = (0, Vec::new());
    for switch in &state.switches {
        if let Some((family, when)) = away(switch)
            && first.get(&switch.family) == Some(&when)
        {
            to += u32::from(switch.to == toward);
            let epoch = epoch_of(state, family.allocation);
            shares.push(share_toward(protocol.in_epoch(epoch), toward));
        }
    }
    let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len() as f64;
    Some(Direction {
        toward,
        to,
        of: shares.len() as u32,
        expected: if shares.is_empty() {
            share_toward(protocol, toward)
        } else {
            mean(&shares)
        },
        p_value: at_least(to as usize, &shares),
    })
}

/// The epoch of an allocation by its number.
fn epoch_of(state: &State, allocation: u32) -> u32 {
    let place = allocation.saturating_sub(1) as usize;
    state.allocations.get(place).map_or(0, |own| own.epoch)
}

fn toward(protocol: &Protocol) -> Option<Arm> {
    if let Some(gate) = &protocol.gate {
        return Some(gate.arm);
    }
    let mut treated = (0..protocol.arms.len())
        .map(|arm| Arm(arm as u8))
        .filter(|arm| *arm != protocol.control);
    treated.next().filter(|_| treated.next().is_none())
}

/// Probability that a switch leads to `toward` when it does not lean: the family was drawn to another arm, and goes to one
/// of the arms that it does not have in their ratio. With two arms, the other arm's part of the ratio.
fn share_toward(protocol: &Protocol, toward: Arm) -> f64 {
    let ratio: Vec<f64> = protocol.arms.iter().map(|arm| arm.ratio as f64).collect();
    let sum: f64 = ratio.iter().sum();
    let own = ratio.get(toward.index()).copied().unwrap_or(0.0);
    ratio
        .iter()
        .enumerate()
        .filter(|(arm, _)| *arm != toward.index())
        .map(|(_, part)| part / sum * own / (sum - part))
        .sum()
}

/// Probability of at least `k` successes in independent trials of the given probabilities: the distribution of their sum,
/// built trial by trial. With one probability it is the binomial tail.
pub fn at_least(k: usize, probabilities: &[f64]) -> f64 {
    let mut mass = vec![0.0; probabilities.len() + 1];
    mass[0] = 1.0;
    for (trial, p) in probabilities.iter().enumerate() {
        for successes in (0..=trial).rev() {
            mass[successes + 1] += mass[successes] * p;
            mass[successes] *= 1.0 - p;
        }
    }
    mass.iter().skip(k).sum::<f64>().min(1.0)
}
