//! `[accrual]`: when families for whom an investigation is opened come to a site.
//!
//! Poisson arrivals at a rate that is drawn per site from a gamma law (so that the total has more variance than
//! Poisson), on the days on which the site is open: from its opening, not in closed weeks, until enrolment ends.

use super::{MechanismEntry, or_default, positive};
use crate::numerics::chi_square::ChiSquare;
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::model::Day;
use crate::protocol::tree::Section;
use crate::study::dataset::DAYS_PER_MONTH;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "accrual",
    about: "arrivals per site: a gamma rate, Poisson on open days",
    about_sv: "familjer per enhet: gammafördelad takt, Poisson på öppna dagar",
    keys: &["families_per_month_and_site", "closed_weeks", "months"],
    build: None,
};

/// Keys of `families_per_month_and_site`.
const RATE: &[&str] = &["mean", "gamma_shape", "sites"];

/// Arrivals.
#[derive(Debug, Clone, PartialEq)]
pub struct Accrual {
    /// Mean number of families per month of open days, by site.
    pub per_month: Vec<f64>,
    /// Shape of the gamma law of a site's rate; `None` for a fixed rate.
    pub gamma_shape: Option<f64>,
    /// ISO weeks without arrivals.
    pub closed_weeks: Vec<i8>,
    /// Months of enrolment from the first site's opening.
    pub months: f64,
}

impl Accrual {
    /// Reads the section.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        protocol: &Protocol,
    ) -> Option<Self> {
        let names: Vec<&str> = protocol.sites.iter().map(|site| site.id.as_str()).collect();
        let rate = section.need(out, "families_per_month_and_site");
        let rate = rate.and_then(|value| value.section(out, RATE));
        let mean = rate.as_ref().and_then(|rate| {
            let value = rate.need(out, "mean")?;
            positive(out, &value, 10_000.0)
        });
        let shape = match &rate {
            None => None,
            Some(rate) => or_default(out, rate, "gamma_shape", None, |out, value| {
                positive(out, value, 1e6).map(Some)
            }),
        };
        let own = match &rate {
            None => None,
            Some(rate) => or_default(out, rate, "sites", vec![None; names.len()], |out, value| {
                let table = value.section(out, &names)?;
                let read = names.iter().map(|name| {
                    or_default(out, &table, name, None, |out, value| {
                        positive(out, value, 10_000.0).map(Some)
                    })
                });
                read.collect::<Vec<_>>().into_iter().collect()
            }),
        };
        let weeks = or_default(out, section, "closed_weeks", Vec::new(), |out, value| {
            let items = value.items(out)?;
            let read = |item: &_| -> Option<i8> {
                let value: &crate::protocol::tree::Value<'_> = item;
                i8::try_from(value.whole(out, 1, 53)?).ok()
            };
            let weeks: Vec<Option<i8>> = items.iter().map(read).collect();
            weeks.into_iter().collect()
        });
        let months = section.need(out, "months");
        let months = months.and_then(|value| positive(out, &value, 240.0));
        let mean = mean?;
        Some(Self {
            per_month: own?.iter().map(|own| own.unwrap_or(mean)).collect(),
            gamma_shape: shape?,
            closed_weeks: weeks?,
            months: months?,
        })
    }

    /// The last day of enrolment, `months` after the first opening.
    pub fn last_day(&self, first_opening: Day) -> Day {
        first_opening.plus((self.months * DAYS_PER_MONTH).round() as i32 - 1)
    }

    /// The days on which a site that opens on `opens` can receive families.
    pub fn open_days(&self, opens: Day, last: Day) -> Vec<Day> {
        let mut open = false;
        let days = (opens.0..=last.0).map(Day);
        days.filter(|day| {
            // A week begins on a Monday; the day 0 was a Thursday.
            if *day == opens || (day.0 + 3).rem_euclid(7) == 0 {
                let week = day.date().map(|date| date.iso_week_date().week());
                open = week.is_some_and(|week| !self.closed_weeks.contains(&week));
            }
            open
        })
        .collect()
    }

    /// Number of deviates that a site's rate takes.
    pub fn deviates(&self) -> usize {
        match self.gamma_shape {
            Some(shape) if is_small_whole(shape) => shape as usize,
            Some(_) => 1,
            None => 0,
        }
    }

    /// A site's rate per open day from its deviates in (0, 1).
    ///
    /// Gamma with mean 1 and shape `s`: for a whole `s` up to 16 the sum of `s` exponentials divided by `s`, otherwise
    /// the quantile. The number of families in `T` open months then has mean `mT` and variance `mT + (mT)²/s`.
    pub fn rate(&self, site: usize, mut deviate: impl FnMut() -> f64) -> f64 {
        let relative = match self.gamma_shape {
            None => 1.0,
            Some(shape) if is_small_whole(shape) => {
                let sum: f64 = (0..shape as u32).map(|_| -libm::log(deviate())).sum();
                sum / shape
            }
            Some(shape) => ChiSquare::new(2.0 * shape)
                .and_then(|law| law.quantile(deviate()))
                .map_or(1.0, |value| value / (2.0 * shape)),
        };
        relative * self.per_month.get(site).copied().unwrap_or(0.0) / DAYS_PER_MONTH
    }
}

fn is_small_whole(shape: f64) -> bool {
    shape.fract() == 0.0 && (1.0..=16.0).contains(&shape)
}

#[cfg(test)]
mod tests {
    use super::{Accrual, Day};
    use jiff::civil::date;

    /// Against the calendar of `jiff`, day by day over twelve years, for sites that open on each day of a week: weeks at a turn
    /// of the year, the 53rd of a long year, and four in summer are closed.
    #[test]
    fn closed_weeks_are_those_of_the_calendar() {
        let accrual = Accrual {
            per_month: vec![1.0],
            gamma_shape: None,
            closed_weeks: vec![1, 28, 29, 30, 31, 53],
            months: 144.0,
        };
        let last = Day::of(date(2037, 1, 8));
        for weekday in 0..7 {
            let opens = Day::of(date(2024, 12, 25)).plus(weekday);
            let open = |day: &Day| {
                let week = day.date().unwrap().iso_week_date().week();
                !accrual.closed_weeks.contains(&week)
            };
            let days: Vec<Day> = (opens.0..=last.0).map(Day).filter(open).collect();
            assert_eq!(accrual.open_days(opens, last), days, "{weekday}");
        }
    }
}
