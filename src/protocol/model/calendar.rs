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
        let month = i32::from(date.month());
        // Years from March on, so that a leap day is the last of its year; months of 153 days in five.
        let year = i32::from(date.year()) - i32::from(month < 3);
        let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let before = (153 * ((month + 9) % 12) + 2) / 5;
        let from_march_of_year_0 = 365 * year + leap + before + i32::from(date.day()) - 1;
        Self(from_march_of_year_0 - 719_468)
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

#[cfg(test)]
mod tests {
    use super::Day;
    use jiff::civil::date;

    /// By the calendar of `jiff`: every day around leap years and ends of centuries, and both ends of its years.
    #[test]
    fn days_are_those_of_the_calendar() {
        let epoch = date(1970, 1, 1);
        for year in [
            -9999, -401, -1, 0, 1, 1600, 1899, 1900, 1970, 2000, 2024, 2025, 2100, 9999,
        ] {
            let mut day = date(year, 1, 1);
            loop {
                let expected = day.duration_since(epoch).as_hours() / 24;
                assert_eq!(i64::from(Day::of(day).0), expected, "{day}");
                match day.tomorrow() {
                    Ok(next) if next.year() == year => day = next,
                    _ => break,
                }
            }
        }
        assert_eq!(Day::of(epoch), Day(0));
    }
}
