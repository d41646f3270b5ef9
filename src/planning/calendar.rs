//! What is due on which day of a simulated study: a list per day, in the order in which things were scheduled.
//!
//! Memory is kept from study to study. Days count from the study's first day; what lies beyond the horizon is dropped,
//! because no data set sees it.

use crate::protocol::model::Service;
use crate::study::kernel::FamilyIx;

/// Something that will happen to a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Service; a switch is to the treated arm.
    Service(Service),
    /// A new report of concern is received.
    Report,
    /// The family leaves the register's coverage.
    Left,
}

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Entry {
    family: FamilyIx,
    due: Due,
    next: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Calendar {
    /// First and last entry of each day.
    days: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    left: usize,
}

impl Calendar {
    /// An empty calendar of `days` days.
    pub(super) fn restart(&mut self, days: usize) {
        self.days.clear();
        self.days.resize(days, (NONE, NONE));
        self.entries.clear();
        self.left = 0;
    }

    pub(super) fn schedule(&mut self, day: i32, family: FamilyIx, due: Due) {
        let Some(slot) = usize::try_from(day)
            .ok()
            .and_then(|day| self.days.get_mut(day))
        else {
            return;
        };
        let place = self.entries.len() as u32;
        self.entries.push(Entry {
            family,
            due,
            next: NONE,
        });
        if slot.0 == NONE {
            slot.0 = place;
        } else {
            self.entries[slot.1 as usize].next = place;
        }
        slot.1 = place;
        self.left += 1;
    }

    /// Takes the next entry of a day; entries that are scheduled meanwhile for the same day follow.
    pub(super) fn take(&mut self, day: usize) -> Option<(FamilyIx, Due)> {
        let slot = self.days.get_mut(day)?;
        let entry = *self.entries.get(slot.0 as usize)?;
        slot.0 = entry.next;
        self.left -= 1;
        Some((entry.family, entry.due))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Calendar, Due};
    use crate::study::kernel::FamilyIx;

    #[test]
    fn entries_come_in_order_and_beyond_the_horizon_not_at_all() {
        let mut calendar = Calendar::default();
        calendar.restart(3);
        for (day, family) in [(1, 0), (1, 1), (3, 2), (-1, 3), (0, 4)] {
            calendar.schedule(day, FamilyIx(family), Due::Report);
        }
        assert_eq!(calendar.take(0), Some((FamilyIx(4), Due::Report)));
        assert_eq!(calendar.take(0), None);
        assert_eq!(calendar.take(1), Some((FamilyIx(0), Due::Report)));
        calendar.schedule(1, FamilyIx(5), Due::Left);
        assert_eq!(calendar.take(1), Some((FamilyIx(1), Due::Report)));
        assert_eq!(calendar.take(1), Some((FamilyIx(5), Due::Left)));
        assert!(calendar.is_empty());
        assert_eq!(calendar.take(9), None);
    }
}
