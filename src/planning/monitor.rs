//! Looks at the primary analysis of a simulated study, as `analysis::looks` weighs them in a live one.
//!
//! At each look the registered test decides against the limit that information and alpha leave it; a study that crosses
//! it stops, and its analysis is that of the look. A look at which there is no effect yet spends nothing. Who is enrolled
//! and when a lock is made is `study`'s to say.

use super::record::{Found, Looked, NO_INTERVAL, StageWise, TESTED_ALONE};
use crate::analysis::looks::{
    Standing, Told, ended, ended_p_value, is_weighed, looked_at, score_limits, settled, standing,
};
use crate::analysis::{Effect, Plan, Scale, Workspace};
use crate::estimation::EstimationError;
use crate::estimation::group_sequential::{Boundaries, Look};
use crate::numerics::shares::within;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day};
use crate::study::kernel::State;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Whose data are looked at: protocol, state, and the cut of the lock.
pub(super) type Data<'a> = (&'a Protocol, &'a State, Day);

/// A monitored analysis in the present study.
#[derive(Debug)]
pub(super) struct Monitor {
    /// Its place among the scenario's analyses.
    pub(super) place: usize,
    /// Its own lock.
    pub(super) lock: usize,
    /// The locks at which it is looked at before, in their order.
    looks: Vec<usize>,
    plan: Plan,
    effects: Vec<Result<Effect, EstimationError>>,
    /// Looks so far that saw an effect.
    seen: Vec<(usize, Look)>,
    /// Looks held so far.
    held: usize,
    information: Vec<f64>,
    ended: Option<Ended>,
}

/// How a study ended.
#[derive(Debug)]
struct Ended {
    found: Result<Found, &'static str>,
    looked: Looked,
    /// Of a ratio of 0 or infinity, the alpha at which its limits are still to be found.
    alone: Option<f64>,
}

impl Ended {
    /// Puts in the limits of a ratio of 0 or infinity, as a live analysis has them.
    fn bound(&mut self, plan: &Plan, data: Data<'_>, workspace: &mut Workspace) {
        let (Some(alpha), Ok(found)) = (self.alone.take(), &mut self.found) else {
            return;
        };
        let (protocol, state, _) = data;
        let analysis = &plan.planned()[0].analysis;
        match score_limits(workspace, (protocol, state), analysis, alpha) {
            Some(limits) => (found.conf_low, found.conf_high) = limits,
            None => self.found = Err("no-variation"),
        }
    }
}

impl Monitor {
    /// Of the first analysis of a scenario that has looks; `None` without one.
    pub(super) fn of(protocol: &Protocol, analyses: &[usize]) -> Option<Self> {
        let place = analyses
            .iter()
            .position(|index| !protocol.analyses[*index].looks.is_empty())?;
        let index = analyses[place];
        let own = &protocol.analyses[index];
        Some(Self {
            place,
            lock: own.lock,
            looks: own.looks.clone(),
            plan: Plan::chosen(protocol, &[index]),
            effects: Vec::new(),
            seen: Vec::new(),
            held: 0,
            information: vec![0.0; own.looks.len() + 1],
            ended: None,
        })
    }

    /// Before the first family.
    pub(super) fn restart(&mut self) {
        self.seen.clear();
        self.held = 0;
        self.information.fill(0.0);
        self.ended = None;
    }

    /// The locks at which it is looked at before its own.
    pub(super) fn looks(&self) -> &[usize] {
        &self.looks
    }

    /// The next look, unless the study has stopped.
    pub(super) fn next(&self) -> Option<usize> {
        self.looks
            .get(self.held)
            .copied()
            .filter(|_| self.ended.is_none())
    }

    /// No further look is held.
    pub(super) fn leave(&mut self) {
        self.held = self.looks.len();
    }

    /// Whether a look has stopped the study.
    pub(super) fn has_stopped(&self) -> bool {
        self.ended.is_some()
    }

    /// Holds the next look; `true` when it stops the study, `days` after its beginning.
    pub(super) fn look(
        &mut self,
        data: Data<'_>,
        days: u32,
        redraws: (u32, &mut ChaCha8Rng),
        workspace: &mut Workspace,
    ) -> bool {
        if self.next().is_none() {
            return false;
        }
        let found = self.effect(data, workspace);
        let redraw = self.redraw(data, redraws, workspace);
        let stops = self.hold(data.0, days, found, redraw);
        if let Some(ended) = &mut self.ended {
            ended.bound(&self.plan, data, workspace);
        }
        stops
    }

    /// Holds the next look at an effect that is known, if there is one; `redraw` is the randomization test that decides
    /// against a limit, where one does.
    pub(super) fn hold(
        &mut self,
        protocol: &Protocol,
        days: u32,
        found: Option<(Effect, Look)>,
        redraw: Option<impl FnOnce(&Plan, f64) -> Result<f64, &'static str>>,
    ) -> bool {
        let (stage, Some(lock)) = (self.held, self.next()) else {
            return false;
        };
        self.held += 1;
        let Some((effect, own)) = found else {
            return false;
        };
        self.information[stage] = information(&own);
        let before = self.seen.last().map(|(lock, _)| *lock);
        self.seen.push((lock, own));
        let analysis = &self.plan.planned()[0].analysis;
        // Mostly it is certain without boundaries.
        if redraw.is_none() {
            let p_value = effect.p_value.unwrap_or(1.0);
            if settled(protocol, analysis, (before, lock), p_value) == Some(false) {
                return false;
            }
        }
        let ended = self.decided(protocol, (&effect, own), (stage, days), redraw);
        if !ended.looked.rejects {
            return false;
        }
        self.ended = Some(ended);
        true
    }

    /// The numbers of the analysis: of the look that stopped the study, or of its own lock, `days` after the beginning.
    pub(super) fn close(
        &mut self,
        data: Data<'_>,
        days: u32,
        redraws: (u32, &mut ChaCha8Rng),
        workspace: &mut Workspace,
    ) -> (Result<Found, &'static str>, Looked) {
        if let Some(ended) = self.ended.take() {
            return (ended.found, ended.looked);
        }
        let found = self
            .effect(data, workspace)
            .ok_or_else(|| match self.effects.first() {
                Some(Err(error)) => error.code(),
                Some(Ok(_)) => "no-variation",
                None => "no-rows",
            });
        let redraw = self.redraw(data, redraws, workspace);
        let mut ended = self.end(data.0, days, found, redraw);
        ended.bound(&self.plan, data, workspace);
        (ended.found, ended.looked)
    }

    /// As [`Monitor::close`], at an effect that is known, or the code of why there is none.
    pub(super) fn finish(
        &mut self,
        protocol: &Protocol,
        days: u32,
        found: Result<(Effect, Look), &'static str>,
        redraw: Option<impl FnOnce(&Plan, f64) -> Result<f64, &'static str>>,
    ) -> (Result<Found, &'static str>, Looked) {
        if let Some(ended) = self.ended.take() {
            return (ended.found, ended.looked);
        }
        let ended = self.end(protocol, days, found, redraw);
        (ended.found, ended.looked)
    }

    /// What the analysis at its own lock decides and says.
    fn end(
        &mut self,
        protocol: &Protocol,
        days: u32,
        found: Result<(Effect, Look), &'static str>,
        redraw: Option<impl FnOnce(&Plan, f64) -> Result<f64, &'static str>>,
    ) -> Ended {
        let stage = self.looks.len();
        let (effect, own) = match found {
            Ok(found) => found,
            Err(code) => {
                return Ended {
                    found: Err(code),
                    looked: self.looked((stage, days), false, None),
                    alone: None,
                };
            }
        };
        self.information[stage] = information(&own);
        self.seen.push((self.lock, own));
        self.decided(protocol, (&effect, own), (stage, days), redraw)
    }

    /// The randomization test that decides against a limit, where one does.
    fn redraw<'r>(
        &self,
        data: Data<'r>,
        (draws, keys): (u32, &'r mut ChaCha8Rng),
        workspace: &'r mut Workspace,
    ) -> Option<impl FnOnce(&Plan, f64) -> Result<f64, &'static str> + use<'r>> {
        let tests = self.plan.planned()[0].analysis.test.is_some() && draws > 0;
        tests.then_some(move |plan: &Plan, limit: f64| {
            let mut key = [0; 32];
            keys.fill_bytes(&mut key);
            let limits = [limit];
            let redraws = (&key, u64::from(draws), &limits[..]);
            plan.decision_here(data, (0, 0), redraws, workspace)
                .map(|figures| figures.p_value)
                .map_err(|error| error.code())
        })
    }

    fn effect(&mut self, data: Data<'_>, workspace: &mut Workspace) -> Option<(Effect, Look)> {
        let (protocol, state, cut) = data;
        self.plan
            .effects(protocol, state, cut, workspace, &mut self.effects);
        let effect = self.effects.first()?.as_ref().ok()?;
        let analysis = &self.plan.planned()[0].analysis;
        Some((*effect, looked_at(effect, analysis, workspace)?))
    }

    /// What the last of the looks that were seen decides, and what the study says if it ends there.
    fn decided(
        &self,
        protocol: &Protocol,
        (effect, own): (&Effect, Look),
        at: (usize, u32),
        redraw: Option<impl FnOnce(&Plan, f64) -> Result<f64, &'static str>>,
    ) -> Ended {
        let analysis = &self.plan.planned()[0].analysis;
        let standing = standing(protocol, analysis, &self.seen);
        let p_value = match redraw {
            Some(redraw) => redraw(&self.plan, standing.nominal()),
            None => effect.p_value.ok_or("no-variation"),
        };
        let rejects = p_value.is_ok_and(|p_value| within(p_value, standing.nominal()));
        let found = p_value.and_then(|p_value| {
            let (conf_low, conf_high) = limits(effect, &own, &standing).ok_or("no-variation")?;
            Ok(Found {
                estimate: effect.estimate,
                std_error: effect.std_error,
                conf_low,
                conf_high,
                p_value,
            })
        });
        let plan = standing.by_stages(&self.seen, self.lock);
        let stage_wise = stage_wise(effect, &own, plan, analysis);
        Ended {
            found,
            looked: self.looked(at, rejects, stage_wise),
            alone: (effect.scale == Scale::Log && !is_weighed(&own)).then_some(standing.nominal()),
        }
    }

    fn looked(
        &self,
        (stage, days): (usize, u32),
        rejects: bool,
        stage_wise: Option<StageWise>,
    ) -> Looked {
        Looked {
            stage: stage as u16,
            rejects,
            days,
            information: self.information.clone(),
            stage_wise,
        }
    }
}

/// What a record has of the information at a look: [`TESTED_ALONE`] where there was none and an effect all the same.
fn information(own: &Look) -> f64 {
    if is_weighed(own) {
        own.information()
    } else {
        TESTED_ALONE
    }
}

/// The repeated interval, as a live analysis has it. Of a test without an estimate, that of what stands in its place; of a ratio of
/// 0 or infinity, which has no standard error to repeat, that of the registered level until [`Ended::bound`]; of what leaves nothing
/// over for a standard error, none.
fn limits(effect: &Effect, own: &Look, standing: &Standing) -> Option<(f64, f64)> {
    if !is_weighed(own) {
        let none = (effect.scale == Scale::Identity).then_some(NO_INTERVAL);
        return effect.conf_low.zip(effect.conf_high).or(none);
    }
    let scale = match effect.scale {
        Scale::Score => Scale::Identity,
        scale @ (Scale::Identity | Scale::Log) => scale,
    };
    standing.repeated(own, told(effect, scale, own))
}

fn told(effect: &Effect, scale: Scale, own: &Look) -> Told {
    Told::of((effect.estimate, effect.std_error, scale), own)
}

/// What the study says by the order of stages, as a live analysis has it: nothing where the information fell at a look, an
/// earlier one was past its boundary without a rejection, or this one rejects short of its own.
fn stage_wise(
    effect: &Effect,
    own: &Look,
    plan: Option<&Boundaries>,
    analysis: &Analysis,
) -> Option<StageWise> {
    if effect.scale == Scale::Score {
        // A test without an estimate has a stage-wise p alone; what stands in place of its estimate is kept as it is.
        return Some(StageWise {
            estimate: own.estimate,
            conf_low: own.estimate,
            conf_high: own.estimate,
            p_value: ended_p_value(own, plan?)?,
        });
    }
    let last = ended(own, plan?, analysis)?;
    let told = told(effect, effect.scale, own);
    Some(StageWise {
        estimate: told.value(last.estimate)?,
        conf_low: told.value(last.conf_low)?,
        conf_high: told.value(last.conf_high)?,
        p_value: last.p_value,
    })
}
