//! The expected number of events until a horizon, per arm, where other events may end follow-up for good.
//!
//! With Y at risk, d counted and e ending events at the distinct times u of one arm,
//! `μ̂(τ) = Σ_{u≤τ} Ŝ(u−) d/Y` and `Ŝ(u) = Π (1 − e/Y)`. What ends follow-up decides what μ̂ is:
//! - every event, so that code 1 is counted once: the cumulative incidence of Aalen and Johansen (1978, Scandinavian
//!   Journal of Statistics 5:141–150), a probability;
//! - codes 2 and above, so that code 1 can happen again: the mean of Ghosh and Lin (2000, doi
//!   10.1111/j.0006-341X.2000.00554.x, section 2), which without such codes is that of Nelson and Aalen.
//!
//! The variance is the infinitesimal jackknife (Jaeckel 1972): the sum of squared derivatives of μ̂(τ) to the weights of
//! those who were randomized. The derivative of one row followed over (entry, time] is
//! `Σ_{u∈(entry,time]} (B − A)(u) + [counted] Ŝ(u−)/Y − [ends] R(u)/Y`, with `A = Ŝ(u−) d/Y²`, `B = R e/Y²` and
//! `R(u) = (μ̂(τ) − μ̂(u))/(1 − e/Y)`, 0 where nobody is left; rows of one unit are summed before they are squared.

use super::columns::Arm;
use super::follow_up::FollowUp;

/// A standard error below this part of the estimate is rounding: a true one is at least about one over the rows.
const ROUNDING: f64 = 1e-12;

/// What ends follow-up for good, and is not its end by design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The event itself and every other one.
    AnyEvent,
    /// Codes 2 and above.
    OtherEvents,
}

/// A time of events in one arm.
#[derive(Debug, Clone, Copy)]
struct Jump {
    time: f64,
    at_risk: f64,
    /// `Ŝ(u−)`.
    before: f64,
    /// `μ̂(u)`.
    mean: f64,
    /// `e`.
    ending: f64,
    /// `R(u)`.
    rest: f64,
    /// `Σ (B − A)` up to this time.
    compensator: f64,
    counted: f64,
}

/// One arm until the horizon.
#[derive(Debug, Clone, Default)]
struct Course {
    jumps: Vec<Jump>,
    survival: f64,
    mean: f64,
    emptied: Option<f64>,
}

/// The expected number of events of both arms at the horizon. Pairs are control, treated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CumulativeEvents {
    /// `μ̂(τ)`, from 0.
    pub(super) mean: [f64; 2],
    /// Derivative of the arm's `μ̂(τ)` to the weight of each row.
    pub(super) influence: Vec<f64>,
    /// `Ŝ(τ)`: exactly 0 when everyone at risk had an ending event.
    pub(super) survival: [f64; 2],
    /// When everyone at risk had an ending event while others were followed later.
    pub(super) emptied: [Option<f64>; 2],
    /// Events of code 1 and of other codes until the horizon.
    pub(super) events: [[usize; 2]; 2],
}

impl CumulativeEvents {
    /// Estimates both arms at `horizon`, above 0, which [`FollowUp::check_horizon`] has yet to judge. O(n log n).
    pub(super) fn new(follow_up: &FollowUp, horizon: f64, ending: Ending) -> Self {
        let mut courses = [Course::new(), Course::new()];
        let mut events = [[0; 2]; 2];
        let last = follow_up.last();
        follow_up.steps(None, |step| {
            if step.time > horizon {
                return;
            }
            for (arm, course) in courses.iter_mut().enumerate() {
                let (counted, others) = (step.events[arm], step.others[arm]);
                if counted + others == 0 {
                    continue;
                }
                events[arm][0] += counted;
                events[arm][1] += others;
                let ends = match ending {
                    Ending::AnyEvent => counted + others,
                    Ending::OtherEvents => others,
                };
                course.add(step.time, step.at_risk[arm], counted, ends);
                if ends == step.at_risk[arm] && step.time < last[arm] {
                    course.emptied.get_or_insert(step.time);
                }
            }
        });
        courses.iter_mut().for_each(Course::finish);
        let rows = follow_up.analysed.arm.iter().enumerate();
        let influence = rows.map(|(row, arm)| {
            let span = (follow_up.entry_of(row), follow_up.time()[row]);
            let code = follow_up.event[row];
            let ends = code > 1 || (code == 1 && ending == Ending::AnyEvent);
            let happens = (span.1 <= horizon).then_some((code == 1, ends));
            courses[arm.index()].influence(span, happens)
        });
        Self {
            influence: influence.collect(),
            mean: [courses[0].mean, courses[1].mean],
            survival: [courses[0].survival, courses[1].survival],
            emptied: [courses[0].emptied, courses[1].emptied],
            events,
        }
    }

    /// Infinitesimal-jackknife variance of each arm. `units` has a code by row, and no unit is in both arms; without,
    /// each row is a unit of its own.
    pub(super) fn variance(&self, follow_up: &FollowUp, units: Option<&[u32]>) -> [f64; 2] {
        let arms = &follow_up.analysed.arm;
        let mut variance = [0.0; 2];
        match units {
            None => {
                for (value, arm) in self.influence.iter().zip(arms) {
                    variance[arm.index()] += value * value;
                }
            }
            Some(units) => {
                let count = units.iter().max().map_or(0, |most| *most as usize + 1);
                let mut sums = vec![(Arm::Control, 0.0); count];
                for ((value, unit), arm) in self.influence.iter().zip(units).zip(arms) {
                    let sum = &mut sums[*unit as usize];
                    *sum = (*arm, sum.1 + value);
                }
                for (arm, sum) in sums {
                    variance[arm.index()] += sum * sum;
                }
            }
        }
        for (variance, mean) in variance.iter_mut().zip(self.mean) {
            if variance.sqrt() <= ROUNDING * mean {
                *variance = 0.0;
            }
        }
        variance
    }
}

impl Course {
    fn new() -> Self {
        Self {
            survival: 1.0,
            ..Self::default()
        }
    }

    fn add(&mut self, time: f64, at_risk: usize, counted: usize, ending: usize) {
        let (y, d) = (at_risk as f64, counted as f64);
        let before = self.survival;
        self.mean += before * d / y;
        self.survival *= (at_risk - ending) as f64 / y;
        self.jumps.push(Jump {
            time,
            at_risk: y,
            before,
            mean: self.mean,
            ending: ending as f64,
            rest: 0.0,
            compensator: 0.0,
            counted: d,
        });
    }

    fn finish(&mut self) {
        let mut sum = 0.0;
        for jump in &mut self.jumps {
            let left = jump.at_risk - jump.ending;
            if left > 0.0 {
                jump.rest = (self.mean - jump.mean) * jump.at_risk / left;
            }
            let hazard = jump.rest * jump.ending - jump.before * jump.counted;
            sum += hazard / jump.at_risk / jump.at_risk;
            jump.compensator = sum;
        }
    }

    fn reached(&self, time: f64) -> Option<&Jump> {
        let reached = self.jumps.partition_point(|jump| jump.time <= time);
        reached.checked_sub(1).and_then(|at| self.jumps.get(at))
    }

    /// The derivative of one row; `happens`: whether its end within the horizon is counted and whether it ends.
    fn influence(&self, (entry, time): (f64, f64), happens: Option<(bool, bool)>) -> f64 {
        let Some(last) = self.reached(time) else {
            return 0.0;
        };
        let before = self.reached(entry).map_or(0.0, |jump| jump.compensator);
        let mut sum = last.compensator - before;
        if let Some((counted, ends)) = happens {
            if counted {
                sum += last.before / last.at_risk;
            }
            if ends {
                sum -= last.rest / last.at_risk;
            }
        }
        sum
    }
}
