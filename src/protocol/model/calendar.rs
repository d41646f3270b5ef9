//! Civil dates as days, for the state machine.
//!
//! Dates are civil dates in the study's time zone; [`Day`] counts them from 1970-01-01. Clock times and zones are the
//! journal's business.

use jiff::civil::Date;

/// A civil date as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Day(pub i32);

impl Day {
    /// The day of a civil date.
    pub fn of(date: Date) -> Self {
        const EPOCH: Date = Date::constant(1970, 1, 1);
        let span = date.duration_since(EPOCH);
        Self((span.as_hours() / 24) as i32)
    }

    /// The civil date of the day, if the calendar has it (years −9999 to 9999).
    pub fn date(self) -> Option<Date> {
        Date::constant(1970, 1, 1)
            .checked_add(jiff::Span::new().try_days(self.0).ok()?)
            .ok()
    }

    /// `self − earlier` in days.
    pub fn since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// The day `days` later.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}
