//! The days of every family's counted reports, read once for all outcomes that count by the same rules.

use crate::protocol::model::{Day, OutcomeKind};
use crate::study::dataset::{self, Rules, Unit};
use crate::study::kernel::State;

/// Lists of days, in storage that is used again.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    lists: Vec<List>,
    used: usize,
}

#[derive(Debug)]
struct List {
    rules: Rules,
    /// One family after the other.
    days: Vec<Day>,
    /// Where the days of each family end.
    ends: Vec<usize>,
}

impl Reports {
    /// Forgets what was read.
    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    /// The place of the list for an outcome, which is read if it was not; `None` for an outcome without reports.
    pub(crate) fn read(
        &mut self,
        state: &State,
        units: &[Unit],
        kind: &OutcomeKind,
    ) -> Option<usize> {
        let rules = dataset::rules(kind)?;
        let mut read = self.lists[..self.used].iter();
        if let Some(place) = read.position(|own| own.rules == rules) {
            return Some(place);
        }
        let place = self.used;
        if place == self.lists.len() {
            self.lists.push(List {
                rules,
                days: Vec::new(),
                ends: Vec::new(),
            });
        }
        let list = &mut self.lists[place];
        list.rules = rules;
        list.days.clear();
        list.ends.clear();
        for unit in units {
            if let Some(own) = state.family(unit.family) {
                dataset::report_days(state, (unit.family, own), rules, &mut list.days);
            }
            list.ends.push(list.days.len());
        }
        self.used += 1;
        Some(place)
    }

    /// The days of the family in a row; none without a list.
    pub(crate) fn of(&self, list: Option<usize>, row: usize) -> &[Day] {
        let Some(list) = list.map(|place| &self.lists[place]) else {
            return &[];
        };
        let from = row.checked_sub(1).map_or(0, |before| list.ends[before]);
        &list.days[from..list.ends[row]]
    }
}
