//! The locks of a simulated study: when each is made, and the looks at a monitored analysis, in the order of the days.
//!
//! A look is held at the end of the day of its registered cut, on the data of that day; a study that it stops enrols
//! nobody from then on, and follows those whom it has to the end for its other analyses. A look that would come no earlier
//! than the analysis' own lock is not held: that lock spends its part.

use super::study::Simulator;
use crate::protocol::Protocol;
use crate::protocol::model::{Cut, Day};
use crate::study::kernel::{Command, Event, Refusal, State, apply, decide};
use rand_chacha::ChaCha8Rng;

/// The cut of a lock: as registered or made, or when the last window of whoever has been randomized has ended.
pub(super) fn cut(protocol: &Protocol, state: &State, lock: usize) -> Day {
    match protocol.locks[lock].cut {
        Cut::On(date) => Day::of(date),
        Cut::AfterLastWindow { grace_days } => {
            let families = state.allocations.iter();
            let last = families
                .filter_map(|allocated| state.family(allocated.family))
                .map(|family| family.randomized)
                .max()
                .unwrap_or(state.last_day.max(protocol.first_opening()));
            last.plus(protocol.last_window()).plus(grace_days)
        }
    }
}

/// Days from the first opening to a cut, both counted.
pub(super) fn days(first: Day, cut: Day) -> u32 {
    (cut.since(first) + 1).max(0) as u32
}

impl Simulator<'_> {
    /// Makes a lock.
    pub(super) fn make(&mut self, lock: usize) -> Result<(), Refusal> {
        let protocol = &self.cell.protocol;
        let cut = cut(protocol, &self.state, lock);
        let command = Command::Lock {
            lock: lock as u16,
            cut,
        };
        let day = cut.max(self.state.last_day);
        let decision = match decide(protocol, &self.state, &command, day, &mut self.drawer) {
            // A study without families has nothing to lock, and its analyses find none.
            Err(Refusal::NobodyRandomized { .. }) => return Ok(()),
            decision => decision?,
        };
        for what in decision.events.iter().flatten() {
            let event = Event { day, what };
            apply(protocol, &mut self.state, &event);
        }
        Ok(())
    }

    /// Holds the looks that are due at the end of a day on which families are still `enrolling` or not, or all that are
    /// left where there is no day; `true` when one of them has stopped the study.
    pub(super) fn look_on(
        &mut self,
        day: Option<Day>,
        enrolling: bool,
        redraws: &mut ChaCha8Rng,
    ) -> Result<bool, Refusal> {
        let protocol = &self.cell.protocol;
        while let Some(monitor) = &mut self.analyst.monitor {
            let Some(lock) = monitor.next() else {
                return Ok(monitor.has_stopped());
            };
            let own = match (&protocol.locks[lock].cut, day) {
                (Cut::On(date), Some(day)) if Day::of(*date) <= day => Day::of(*date),
                (_, None) => cut(protocol, &self.state, lock),
                (_, Some(_)) => return Ok(false),
            };
            let last = match protocol.locks[monitor.lock].cut {
                // While families are enrolled nobody knows when their last window will end.
                Cut::AfterLastWindow { .. } if enrolling => None,
                Cut::AfterLastWindow { .. } | Cut::On(_) => {
                    Some(cut(protocol, &self.state, monitor.lock))
                }
            };
            if last.is_some_and(|last| own >= last) {
                monitor.leave();
                return Ok(false);
            }
            self.make(lock)?;
            let days = days(self.first, own);
            let data = (protocol, &self.state, own);
            if self.analyst.look(data, days, (self.draws, redraws)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
