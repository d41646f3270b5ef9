//! Runs the registered analyses on a simulated study, through `analysis::plan` and in storage that is kept from study
//! to study. Nothing is estimated here.

use super::study::Found;
use crate::analysis::{Effect, Plan, Workspace};
use crate::estimation::EstimationError;
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::kernel::State;
use rand_chacha::rand_core::Rng;

/// The analyses of one lock.
#[derive(Debug)]
struct Locked {
    lock: usize,
    plan: Plan,
    effects: Vec<Result<Effect, EstimationError>>,
}

#[derive(Debug)]
pub(super) struct Analyst {
    locks: Vec<Locked>,
    /// Place of the lock and, within its plan, of each analysis of the scenario.
    places: Vec<(usize, usize)>,
    workspace: Workspace,
}

impl Analyst {
    /// For the analyses of a scenario, by their indices in the protocol, on the given locks.
    pub(super) fn new(protocol: &Protocol, analyses: &[usize], locks: &[usize]) -> Self {
        let locks: Vec<Locked> = locks
            .iter()
            .map(|lock| {
                let at = |index: &&usize| protocol.analyses[**index].lock == *lock;
                let own: Vec<usize> = analyses.iter().filter(at).copied().collect();
                Locked {
                    lock: *lock,
                    plan: Plan::chosen(protocol, &own),
                    effects: Vec::new(),
                }
            })
            .collect();
        let place = |index: &usize| {
            let wanted = &protocol.analyses[*index];
            let lock = locks.iter().position(|own| own.lock == wanted.lock)?;
            let planned = locks[lock].plan.planned();
            let own = planned.iter().position(|p| p.analysis.id == wanted.id)?;
            Some((lock, own))
        };
        Self {
            // Every analysis of a protocol has a lock of it, so none is left out.
            places: analyses.iter().filter_map(place).collect(),
            locks,
            workspace: Workspace::default(),
        }
    }

    /// The numbers of every analysis, in the scenario's order. The randomization test of a replicate is redrawn from a
    /// key of its own, the next 32 bytes of `keys`.
    pub(super) fn analyse(
        &mut self,
        protocol: &Protocol,
        state: &State,
        cuts: &[Day],
        draws: u32,
        keys: &mut impl Rng,
        mut each: impl FnMut(Result<Found, &'static str>),
    ) {
        for (locked, cut) in self.locks.iter_mut().zip(cuts) {
            let Locked { plan, effects, .. } = locked;
            plan.effects(protocol, state, *cut, &mut self.workspace, effects);
        }
        for (lock, index) in &self.places {
            let locked = &self.locks[*lock];
            let test = locked.plan.planned()[*index].analysis.test;
            let mut found = match locked.effects.get(*index) {
                Some(Ok(effect)) => numbers(effect),
                Some(Err(error)) => Err(error.code()),
                None => Err("no-rows"),
            };
            if let Ok(found_numbers) = &mut found
                && test.is_some()
                && draws > 0
            {
                let mut key = [0; 32];
                keys.fill_bytes(&mut key);
                let tested = locked.plan.decision_here(
                    (protocol, state, cuts[*lock]),
                    *index,
                    (&key, u64::from(draws)),
                    &mut self.workspace,
                );
                match tested {
                    Ok(figures) => found_numbers.p_value = figures.p_value,
                    Err(error) => found = Err(error.code()),
                }
            }
            each(found);
        }
    }
}

fn numbers(effect: &Effect) -> Result<Found, &'static str> {
    match (effect.conf_low, effect.conf_high, effect.p_value) {
        (Some(conf_low), Some(conf_high), Some(p_value)) => Ok(Found {
            estimate: effect.estimate,
            std_error: effect.std_error,
            conf_low,
            conf_high,
            p_value,
        }),
        _ => Err("no-variation"),
    }
}
