//! The end of a simulated study: the locks that analyses need are made, the registered analyses are run, and what is to be kept of
//! it goes into its record.

use super::locking::{cut, days};
use super::record::{AnalysisRecord, Record};
use super::study::Simulator;
use crate::numerics::stream;
use crate::protocol::model::Day;
use crate::study::kernel::Refusal;

impl Simulator<'_> {
    /// Makes the locks that analyses need and that were not made before.
    pub(super) fn lock(&mut self) -> Result<(), Refusal> {
        let mut wanted: Vec<usize> = self.analyst.locks().collect();
        let monitor = self.analyst.monitor.as_ref();
        // A study that a look has stopped has no later lock of the analysis that stopped it.
        wanted.extend(monitor.filter(|own| !own.has_stopped()).map(|own| own.lock));
        wanted.sort_unstable();
        wanted.dedup();
        for lock in wanted {
            if self.state.lock(lock as u16).is_none() {
                self.make(lock)?;
            }
        }
        Ok(())
    }

    /// What the study shows.
    pub(super) fn record(&mut self, replicate: u64) -> Record {
        let protocol = &self.cell.protocol;
        let families = self.state.randomized();
        let followed = self.follower.follow(protocol, &self.state.allocations);
        let mut analyses = Vec::with_capacity(self.truths.len());
        let mut truths = self.truths.iter();
        let (state, first) = (&self.state, self.first);
        let at = |lock: usize| {
            let cut = cut(protocol, state, lock);
            (cut, days(first, cut))
        };
        let mut redraws = stream::replicate(&self.keys.redraws, replicate);
        self.analyst.analyse(
            (protocol, state),
            &at,
            self.draws,
            &mut redraws,
            |found, looked| {
                let sum = truths.next().copied().unwrap_or(0.0);
                let truth = if families == 0 {
                    0.0
                } else {
                    sum / families as f64
                };
                analyses.push(AnalysisRecord {
                    truth,
                    found,
                    joint: None,
                    under_null: None,
                    looked,
                });
            },
        );
        let own = (self.draws, &mut redraws);
        self.analyst
            .jointly((protocol, state), &at, own, |place, adjusted| {
                if let Some(own) = analyses.get_mut(place).filter(|own| own.found.is_ok()) {
                    own.joint = Some(adjusted);
                }
            });
        let p = |place: usize| {
            let own: Option<&AnalysisRecord> = analyses.get(place);
            own.and_then(|own| own.deciding().ok()).unwrap_or(1.0)
        };
        for (place, q_value) in self.analyst.screen((protocol, state), &at, &p) {
            if let Some(own) = analyses.get_mut(place).filter(|own| own.found.is_ok()) {
                own.joint = Some(q_value);
            }
        }
        let turned_away = self.state.turned_away.len() as u32;
        let gone = self.state.turned_away.iter();
        let lost = gone
            .filter_map(|own| self.state.family(own.family))
            .filter(|family| !family.is_randomized())
            .count() as u32;
        let mut reached = self.reached.clone();
        let mut sum = 0;
        for families in &mut reached {
            sum += *families;
            *families = sum;
        }
        Record {
            families: families as u32,
            screened: self.state.families.len() as u32,
            turned_away,
            lost,
            enrolment_days: (self.ended.since(self.first) + 1).max(0) as u32,
            days_closed: self.days_closed(),
            replacements: self.replacements(),
            correct_guess_share: followed.correct_share,
            imbalance: followed.imbalance,
            drawn: None,
            reached,
            analyses,
        }
    }

    /// Therapists who took a vacant place until enrolment ended.
    fn replacements(&self) -> u32 {
        let last = self.ended.since(self.first);
        let begun = self
            .staff
            .iter()
            .filter(|own| own.begins && own.day <= last);
        begun.count() as u32
    }

    /// Whole days from morning to night on which a site's gate was closed, until enrolment ended.
    fn days_closed(&self) -> u32 {
        let mut days = 0;
        for site in 0..self.sites.len() {
            let mut closed: Option<Day> = None;
            let own = self.state.gates.iter();
            for change in own.filter(|change| usize::from(change.site.0) == site) {
                if !change.open {
                    closed = closed.or(Some(change.day));
                } else if let Some(from) = closed.take() {
                    days += (change.day.min(self.ended.plus(1)).since(from) - 1).max(0);
                }
            }
            if let Some(from) = closed {
                days += (self.ended.plus(1).since(from) - 1).max(0);
            }
        }
        days as u32
    }
}
