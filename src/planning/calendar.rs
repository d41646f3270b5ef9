//! What is due on which day of a simulated study: a list per day, in the order in which things were scheduled.
//!
//! Memory is kept from study to study. Days count from the study's first day; what lies beyond the horizon is dropped,
//! because no data set sees it.

use crate::protocol::model::{Day, Exit, Service};
use crate::study::kernel::FamilyIx;

/// Something that will happen to a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Service; a switch is to the treated arm.
    Service(Service),
    /// A new report of concern is received.
    Report,
    /// One that is attached to the investigation, which is still open.
    Attached,
    /// A score is observed.
    Observed,
    /// Follow-up ends.
    Exit(Exit),
    /// A therapist comes or goes; the number of the change stands in place of a family.
    Staff,
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

/// The calendar months of enrolment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Months {
    /// Month of each day from the first opening, from 0.
    of: Vec<u16>,
    /// Last day of each month, or of enrolment.
    pub(super) ends: Vec<Day>,
}

impl Months {
    /// From the first opening to the last day of enrolment, both included.
    pub(super) fn new(first: Day, last: Day) -> Self {
        let mut months = Self::default();
        let mut day = first;
        while day <= last {
            let end = day.date().map_or(last, |own| Day::of(own.last_of_month()));
            let end = end.min(last);
            let days = (end.since(day) + 1) as usize;
            let number = months.ends.len() as u16;
            months.of.resize(months.of.len() + days, number);
            months.ends.push(end);
            day = end.plus(1);
        }
        months
    }

    /// The month of a day, counted from the first opening; the last one for later days.
    pub(super) fn of(&self, offset: i32) -> Option<usize> {
        let place = usize::try_from(offset).ok()?;
        self.of
            .get(place)
            .or(self.of.last())
            .map(|month| usize::from(*month))
    }
}

#[cfg(test)]
mod tests {
    use super::{Calendar, Due, Months};
    use crate::protocol::model::Day;
    use crate::study::kernel::FamilyIx;
    use jiff::civil::date;

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
        calendar.schedule(1, FamilyIx(5), Due::Staff);
        assert_eq!(calendar.take(1), Some((FamilyIx(1), Due::Report)));
        assert_eq!(calendar.take(1), Some((FamilyIx(5), Due::Staff)));
        assert!(calendar.is_empty());
        assert_eq!(calendar.take(9), None);
    }

    #[test]
    fn months_end_where_the_calendar_says() {
        let day = |y, m, d| Day::of(date(y, m, d));
        let months = Months::new(day(2025, 1, 30), day(2025, 3, 2));
        assert_eq!(
            months.ends,
            [day(2025, 1, 31), day(2025, 2, 28), day(2025, 3, 2)]
        );
        // 30 and 31 January, then February, then March; later days are of the last month.
        let of = [0, 1, 2, 29, 30, 31, 99].map(|offset| months.of(offset).unwrap());
        assert_eq!(of, [0, 0, 1, 1, 2, 2, 2]);
        assert_eq!(Months::default().of(0), None);
    }
}
