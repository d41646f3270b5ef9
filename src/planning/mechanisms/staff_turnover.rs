//! `staff-turnover`: therapists leave, their places stay vacant for a while, and somebody new begins.
//!
//! A vacancy is a `capacity-changed` of the study itself: the site has fewer slots, families in service keep theirs, and
//! the gate stays closed until enough of them have closed. With whoever begins, what the families of a pair share is
//! drawn anew. Each place is left at a constant rate while it is filled, and a stated number of places of every site may
//! be left in a stated month.

use super::{Arms, Mechanism, MechanismEntry, not_negative, or_default};
use crate::planning::arrivals::StaffChange;
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::study::dataset::DAYS_PER_MONTH;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "staff-turnover",
    about: "therapists leave, their places stay vacant for a while, and somebody new begins",
    about_sv: "behandlare slutar, platserna står tomma en tid, och någon ny börjar",
    keys: &["leave_per_year", "vacant_days", "at_month", "leaving"],
    build: Some(build),
};

/// Most changes of one place: those of a year a day, for thirty years.
const MOST: usize = 8000;

#[derive(Debug)]
struct StaffTurnover {
    /// Rate per day at which a filled place is left.
    per_day: f64,
    vacant_days: i32,
    /// Day on which the first `leaving` places of every site are left.
    together: Option<(i32, u32)>,
}

fn build(out: &mut Findings<'_>, section: &Section<'_>, _: Arms<'_>) -> Option<Box<dyn Mechanism>> {
    let rate = or_default(out, section, "leave_per_year", 0.0, |out, value| {
        not_negative(out, value, 50.0)
    });
    let vacant = section.need(out, "vacant_days");
    let vacant = vacant.and_then(|value| value.days(out, 1, 3650));
    let month = or_default(out, section, "at_month", None, |out, value| {
        not_negative(out, value, 240.0).map(Some)
    });
    let leaving = or_default(out, section, "leaving", None, |out, value| {
        value.count(out, 1, 10_000).map(Some)
    });
    let (rate, vacant, month, leaving) = (rate?, vacant?, month?, leaving?);
    let together = match (month, leaving) {
        (Some(month), Some(leaving)) => Some(((month * DAYS_PER_MONTH).round() as i32, leaving)),
        (None, None) => None,
        (Some(_), None) => {
            section.missing(out, "leaving");
            return None;
        }
        (None, Some(_)) => {
            section.missing(out, "at_month");
            return None;
        }
    };
    if rate <= 0.0 && together.is_none() {
        out.error(
            "not-applicable",
            &section.span,
            words!("nobody ever leaves", "ingen slutar någonsin"),
            words!(
                "write `leave_per_year`, or `at_month` and `leaving`, or remove the mechanism",
                "ange `leave_per_year`, eller `at_month` och `leaving`, eller ta bort mekanismen"
            ),
        );
        return None;
    }
    Some(Box::new(StaffTurnover {
        per_day: rate / 365.25,
        vacant_days: vacant,
        together,
    }))
}

impl Mechanism for StaffTurnover {
    fn staff_changes(&self) -> bool {
        true
    }

    fn staff(
        &self,
        position: u32,
        last: i32,
        deviate: &mut dyn FnMut() -> f64,
        changes: &mut Vec<StaffChange>,
    ) {
        let mut day = 0;
        let together = self.together.filter(|(_, leaving)| position < *leaving);
        let mut together = together.map(|(day, _)| day);
        for _ in 0..MOST {
            let stays = if self.per_day > 0.0 {
                (-libm::log(deviate()) / self.per_day).min(1e9) as i32 + 1
            } else {
                i32::MAX / 4
            };
            let mut leaves = day + stays;
            // Who is there when the others go, goes; who is away already is not missed a second time.
            if let Some(all) = together
                && all <= leaves
            {
                if all >= day {
                    leaves = all;
                }
                together = None;
            }
            if leaves > last {
                return;
            }
            changes.push(StaffChange {
                day: leaves,
                position,
                begins: false,
            });
            day = leaves + self.vacant_days;
            changes.push(StaffChange {
                day,
                position,
                begins: true,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StaffTurnover;
    use crate::planning::arrivals::StaffChange;
    use crate::planning::mechanisms::Mechanism;

    fn days(turnover: &StaffTurnover, position: u32, deviates: &[f64]) -> Vec<(i32, bool)> {
        let mut changes: Vec<StaffChange> = Vec::new();
        let mut next = deviates.iter().copied().cycle();
        turnover.staff(position, 700, &mut || next.next().unwrap(), &mut changes);
        changes.iter().map(|own| (own.day, own.begins)).collect()
    }

    /// By hand: at 1/100 a day, u = e^−2.005 stays 200 days and leaves on day 201, is replaced 60 days later, and so on.
    #[test]
    fn a_place_is_left_and_filled_in_turn() {
        let turnover = StaffTurnover {
            per_day: 0.01,
            vacant_days: 60,
            together: None,
        };
        let found = days(&turnover, 0, &[(-2.005_f64).exp()]);
        assert_eq!(
            found,
            [(201, false), (261, true), (462, false), (522, true)]
        );
    }

    #[test]
    fn stated_leavings_are_of_the_first_places_and_once() {
        let turnover = StaffTurnover {
            per_day: 0.0,
            vacant_days: 90,
            together: Some((365, 1)),
        };
        assert_eq!(days(&turnover, 0, &[0.5]), [(365, false), (455, true)]);
        assert_eq!(days(&turnover, 1, &[0.5]), []);
        // A place that is vacant on that day is left once.
        let both = StaffTurnover {
            per_day: 0.01,
            vacant_days: 60,
            together: Some((240, 1)),
        };
        let found = days(&both, 0, &[(-2.005_f64).exp()]);
        assert_eq!(found[..2], [(201, false), (261, true)]);
        assert_eq!(found[2], (462, false));
    }
}
