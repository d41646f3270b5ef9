//! Runs the registered analyses on a simulated study, through `analysis::plan` and in storage that is kept from study
//! to study. Nothing is estimated here. An analysis with looks is `monitor`'s.

use super::monitor::{Data, Monitor};
use super::record::{Found, Looked, NO_INTERVAL};
use super::screening::Screened;
use crate::analysis::plan::treated_arms;
use crate::analysis::together::{Together, families, limits};
use crate::analysis::{Effect, Plan, Scale, Workspace};
use crate::estimation::EstimationError;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Missing};
use crate::study::kernel::State;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// The analyses of one lock.
#[derive(Debug)]
struct Locked {
    lock: usize,
    plan: Plan,
    effects: Vec<Result<Effect, EstimationError>>,
}

/// Comparisons of one lock that are adjusted on redraws that they share.
#[derive(Debug)]
struct Joint {
    /// Place of the lock.
    lock: usize,
    /// Places among the scenario's comparisons.
    places: Vec<usize>,
    /// Places of analysis and arm in the plan of the lock.
    planned: Vec<(usize, usize)>,
}

#[derive(Debug)]
pub(super) struct Analyst {
    locks: Vec<Locked>,
    /// Place of the lock and, within its plan, of each analysis of the scenario; none for a monitored one.
    places: Vec<Option<(usize, usize)>>,
    /// What the p of each analysis of the scenario is held against.
    limits: Vec<Vec<f64>>,
    /// Treated arms.
    arms: usize,
    joint: Vec<Joint>,
    screened: Vec<Screened>,
    pub(super) monitor: Option<Monitor>,
    workspace: Workspace,
}

impl Analyst {
    /// For the analyses of a scenario, by their indices in the protocol.
    pub(super) fn new(protocol: &Protocol, analyses: &[usize]) -> Self {
        let monitor = Monitor::of(protocol, analyses);
        let monitored = monitor.as_ref().map(|own| own.place);
        let others = || {
            let places = analyses.iter().enumerate();
            places.filter(move |(place, _)| Some(*place) != monitored)
        };
        let mut numbers: Vec<usize> = others()
            .map(|(_, index)| protocol.analyses[*index].lock)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let locks: Vec<Locked> = numbers
            .into_iter()
            .map(|lock| {
                let at = others().filter(|(_, index)| protocol.analyses[**index].lock == lock);
                let own: Vec<usize> = at.map(|(_, index)| *index).collect();
                Locked {
                    lock,
                    plan: Plan::chosen(protocol, &own),
                    effects: Vec::new(),
                }
            })
            .collect();
        let place = |(place, index): (usize, &usize)| {
            let wanted = &protocol.analyses[*index];
            if Some(place) == monitored {
                return None;
            }
            let lock = locks.iter().position(|own| own.lock == wanted.lock)?;
            let planned = locks[lock].plan.planned();
            let own = planned.iter().position(|p| p.analysis.id == wanted.id)?;
            Some((lock, own))
        };
        let places: Vec<Option<(usize, usize)>> = analyses.iter().enumerate().map(place).collect();
        let arms = treated_arms(protocol).count();
        let joint_of = |family: Together| {
            let mut own = Joint {
                lock: 0,
                places: Vec::new(),
                planned: Vec::new(),
            };
            for (index, arm) in &family.members {
                let at = analyses.iter().position(|own| own == index)?;
                let (lock, planned) = places[at]?;
                own.lock = lock;
                own.places.push(at * arms + arm);
                own.planned.push((planned, *arm));
            }
            Some(own)
        };
        let at = |index: usize| {
            let place = analyses.iter().position(|own| *own == index)?;
            Some((place, places[place]?))
        };
        let screened = families(protocol);
        let screened = screened
            .iter()
            .filter_map(|own| Screened::of(protocol, analyses, arms, own, &at));
        let redraws = |own: &Together| own.adjusts() && own.word() == "westfall-young";
        let joint = families(protocol).into_iter().filter(redraws);
        Self {
            screened: screened.collect(),
            joint: joint.filter_map(joint_of).collect(),
            arms,
            places,
            limits: analyses.iter().map(|own| limits(protocol, *own)).collect(),
            locks,
            monitor,
            workspace: Workspace::default(),
        }
    }

    /// Places of all comparisons whose p is adjusted here with that of the one at a place, itself among them: on redraws that they
    /// share, or with contrasts of subgroups. `None` for one that is adjusted with no others, or by their p alone.
    pub(super) fn beside(&self, place: usize) -> Option<&[usize]> {
        let joint = self.joint.iter().map(|own| own.places.as_slice());
        let screened = self.screened.iter().map(|own| own.places.as_slice());
        joint.chain(screened).find(|own| own.contains(&place))
    }

    /// The locks of the analyses that are not monitored, in their order.
    pub(super) fn locks(&self) -> impl Iterator<Item = usize> {
        self.locks.iter().map(|own| own.lock)
    }

    /// Holds the next look; `true` when it stops the study.
    pub(super) fn look(
        &mut self,
        data: Data<'_>,
        days: u32,
        redraws: (u32, &mut ChaCha8Rng),
    ) -> bool {
        let Self {
            monitor, workspace, ..
        } = self;
        monitor
            .as_mut()
            .is_some_and(|monitor| monitor.look(data, days, redraws, workspace))
    }

    /// The numbers of every comparison, in the scenario's order. `cut` and `days` tell the cut of a lock, and how many days
    /// there are from the first opening to it. The randomization test of a replicate is redrawn from a key of its own, the
    /// next 32 bytes of `keys`.
    pub(super) fn analyse(
        &mut self,
        (protocol, state): (&Protocol, &State),
        at: &dyn Fn(usize) -> (Day, u32),
        draws: u32,
        keys: &mut ChaCha8Rng,
        mut each: impl FnMut(Result<Found, &'static str>, Option<Looked>),
    ) {
        for locked in &mut self.locks {
            let Locked { plan, effects, .. } = locked;
            let (cut, _) = at(locked.lock);
            plan.effects(protocol, state, cut, &mut self.workspace, effects);
        }
        for (place, limits) in self.places.iter().zip(&self.limits) {
            let Some((lock, index)) = place else {
                if let Some(monitor) = &mut self.monitor {
                    let (cut, days) = at(monitor.lock);
                    let redraws = (draws, &mut *keys);
                    let data = (protocol, state, cut);
                    let (found, looked) = monitor.close(data, days, redraws, &mut self.workspace);
                    each(found, Some(looked));
                }
                continue;
            };
            let locked = &self.locks[*lock];
            let analysis = &locked.plan.planned()[*index].analysis;
            let test = analysis.test;
            for arm in 0..self.arms {
                let redrawn = test.is_some() && draws > 0;
                let mut found = match locked.effects.get(*index * self.arms + arm) {
                    Some(Ok(effect)) if analysis.missing == Missing::Bounds => bounds(effect),
                    Some(Ok(effect)) if redrawn => to_be_redrawn(effect),
                    Some(Ok(effect)) => numbers(effect),
                    Some(Err(error)) => Err(error.code()),
                    None => Err("no-rows"),
                };
                if let Ok(found_numbers) = &mut found
                    && redrawn
                {
                    let mut key = [0; 32];
                    keys.fill_bytes(&mut key);
                    let tested = locked.plan.decision_here(
                        (protocol, state, at(locked.lock).0),
                        (*index, arm),
                        (&key, u64::from(draws), limits),
                        &mut self.workspace,
                    );
                    match tested {
                        Ok(figures) => found_numbers.p_value = figures.p_value,
                        Err(error) => found = Err(error.code()),
                    }
                }
                each(found, None);
            }
        }
    }

    /// The p-values of comparisons that are adjusted on redraws that they share, each with its place among the scenario's. The
    /// redraws of a family are from a key of their own, the next 32 bytes of `keys`; without redraws there is none.
    pub(super) fn jointly(
        &mut self,
        (protocol, state): (&Protocol, &State),
        at: &dyn Fn(usize) -> (Day, u32),
        (draws, keys): (u32, &mut ChaCha8Rng),
        mut each: impl FnMut(usize, f64),
    ) {
        if draws == 0 {
            return;
        }
        for family in &self.joint {
            let mut key = [0; 32];
            keys.fill_bytes(&mut key);
            let locked = &self.locks[family.lock];
            let adjusted = locked.plan.jointly_here(
                (protocol, state, at(locked.lock).0),
                &family.planned,
                (&key, u64::from(draws)),
                &mut self.workspace,
            );
            for (place, adjusted) in family.places.iter().zip(adjusted) {
                each(*place, adjusted);
            }
        }
    }
}

impl Analyst {
    /// The q-values of comparisons that are screened with contrasts of subgroups, each with its place among the scenario's; `p` gives
    /// the deciding p of each.
    pub(super) fn screen(
        &mut self,
        (protocol, state): (&Protocol, &State),
        at: &dyn Fn(usize) -> (Day, u32),
        p: &dyn Fn(usize) -> f64,
    ) -> Vec<(usize, f64)> {
        let mut found = Vec::new();
        for family in &self.screened {
            let locked = &self.locks[family.lock];
            let data = (protocol, state, at(locked.lock).0);
            let mut contrasts = Vec::new();
            for index in &family.grouped {
                let own = locked
                    .plan
                    .contrasts_here(data, *index, &mut self.workspace);
                contrasts.extend(own);
            }
            let own = family.places.iter().map(|place| p(*place)).collect();
            let q_values = family.q_values(own, &contrasts);
            found.extend(family.places.iter().copied().zip(q_values));
        }
        found
    }
}

pub(super) fn numbers(effect: &Effect) -> Result<Found, &'static str> {
    let limits = match effect.scale {
        Scale::Identity | Scale::Log => effect.conf_low.zip(effect.conf_high),
        // No interval exists; nothing is counted of it.
        Scale::Score => Some((effect.estimate, effect.estimate)),
    };
    match (limits, effect.p_value) {
        (Some((conf_low, conf_high)), Some(p_value)) => Ok(Found {
            estimate: effect.estimate,
            std_error: effect.std_error,
            conf_low,
            conf_high,
            p_value,
        }),
        _ => Err("no-variation"),
    }
}

/// As [`numbers`], of an effect whose p is to be that of redraws: it exists where nothing is left over for a standard error too, and
/// there is no interval then.
pub(super) fn to_be_redrawn(effect: &Effect) -> Result<Found, &'static str> {
    let (conf_low, conf_high) = effect.conf_low.zip(effect.conf_high).unwrap_or(NO_INTERVAL);
    let decided = Effect {
        p_value: effect.p_value.or(Some(1.0)),
        conf_low: Some(conf_low),
        conf_high: Some(conf_high),
        ..*effect
    };
    numbers(&decided)
}

/// As [`numbers`], of bounds: an interval and no test.
fn bounds(effect: &Effect) -> Result<Found, &'static str> {
    let bounded = Effect {
        p_value: Some(f64::INFINITY),
        ..*effect
    };
    numbers(&bounded)
}
