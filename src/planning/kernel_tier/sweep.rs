//! The log-rank test of every look and lock from one order of the first reports: at a cut, who is at risk follows from
//! the reports that had come and from the days of the draws, which rise within a stratum.

use crate::analysis::covariates::SMALLEST_CELL;
use crate::analysis::{Effect, Scale};
use crate::estimation::observed_expected::ObservedExpected;

/// No report in the window.
pub(super) const NEVER: i32 = i32::MAX;

/// A family, in the order of the ledger.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    /// The day before the first of its window, counted from the first opening.
    pub(super) origin: i32,
    /// Day of its window on which it has its first report, from 1; [`NEVER`] without one.
    pub(super) report: i32,
    /// 1 with the treated arm.
    pub(super) side: u8,
}

impl Row {
    /// Last day of its window that is seen at a cut, below 1 where none is; `width` is that of the window.
    pub(super) fn followed(&self, cut: i32, width: i32) -> i32 {
        (cut - self.origin).min(width)
    }
}

/// Families by stratum, and their first reports in the order of stratum and day.
#[derive(Debug, Default)]
pub(super) struct Strata {
    /// Places of the families of each stratum, rising.
    members: Vec<u32>,
    /// Where each stratum ends.
    ends: Vec<usize>,
    /// Stratum, day and place of every family with a report.
    reports: Vec<u64>,
}

/// Bits of a place, and of a day.
const PLACE: u32 = 32;
const DAY: u32 = 16;

impl Strata {
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.ends.clear();
        self.reports.clear();
    }

    /// Adds the families of a further stratum, by their places.
    pub(super) fn add(&mut self, places: impl Iterator<Item = u32>, rows: &[Row]) {
        let stratum = (self.ends.len() as u64) << (PLACE + DAY);
        for place in places {
            self.members.push(place);
            let report = rows[place as usize].report;
            if report != NEVER {
                let day = (report as u64) << PLACE;
                self.reports.push(stratum | day | u64::from(place));
            }
        }
        self.ends.push(self.members.len());
    }

    /// Puts the reports in order, once all strata are there.
    pub(super) fn order(&mut self) {
        self.reports.sort_unstable();
    }

    /// Whether no stratum is so small that it is merged with another, of the first `families`.
    pub(super) fn stand(&self, rows: &[Row], families: usize) -> bool {
        let mut from = 0;
        let (mut strata, mut small) = (0, false);
        for end in &self.ends {
            let own = &self.members[from..*end];
            from = *end;
            let cells = cells(own, rows, families).1;
            if cells != [0, 0] {
                strata += 1;
                small |= cells.iter().any(|own| *own < SMALLEST_CELL);
            }
        }
        strata <= 1 || !small
    }

    /// The log-rank test at a cut, of the first `families`, which are those drawn until then; `None` where there is none
    /// or where strata are merged.
    pub(super) fn test(
        &self,
        rows: &[Row],
        families: usize,
        (cut, width): (i32, i32),
    ) -> Option<Effect> {
        let mut sums = ObservedExpected::default();
        let mut all = [0; 2];
        let (mut from, mut next) = (0, 0);
        let (mut strata, mut small) = (0, false);
        for (stratum, end) in self.ends.iter().enumerate() {
            let members = &self.members[from..*end];
            from = *end;
            let (members, mut at_risk) = cells(members, rows, families);
            if at_risk != [0, 0] {
                strata += 1;
                small |= at_risk.iter().any(|own| *own < SMALLEST_CELL);
            }
            all[0] += at_risk[0];
            all[1] += at_risk[1];
            let until = (stratum as u64 + 1) << (PLACE + DAY);
            let mut staying = members.len();
            while let Some(first) = self.reports.get(next).filter(|own| **own < until) {
                let now = *first >> PLACE;
                let day = (now as u32 & ((1 << DAY) - 1)) as i32;
                let mut events = [0; 2];
                while let Some(report) = self.reports.get(next).filter(|own| **own >> PLACE == now)
                {
                    next += 1;
                    let place = *report as u32 as usize;
                    if place < families && rows[place].followed(cut, width) >= day {
                        events[usize::from(rows[place].side)] += 1;
                    }
                }
                if events == [0, 0] {
                    continue;
                }
                // Whoever was drawn last is followed shortest.
                while let Some(place) = staying.checked_sub(1) {
                    let row = &rows[members[place] as usize];
                    let followed = row.followed(cut, width);
                    if followed >= day {
                        break;
                    }
                    // Whose report was seen has left with it.
                    at_risk[usize::from(row.side)] -= u32::from(row.report > followed);
                    staying = place;
                }
                sums.add(at_risk, events);
                at_risk[0] -= events[0];
                at_risk[1] -= events[1];
            }
        }
        if (strata > 1 && small) || all.contains(&0) {
            return None;
        }
        let (estimate, std_error) = sums.one_step()?;
        Some(Effect {
            estimate,
            std_error,
            scale: Scale::Score,
            statistic: sums.statistic(),
            df: None,
            p_value: sums.p_value(),
            conf_low: None,
            conf_high: None,
            n_treated: all[1],
            n_control: all[0],
        })
    }
}

/// Those of a stratum that are among the first `families`, and how many of them each arm has.
fn cells<'m>(members: &'m [u32], rows: &[Row], families: usize) -> (&'m [u32], [u32; 2]) {
    let number = members.partition_point(|place| (*place as usize) < families);
    let members = &members[..number];
    let treated = members
        .iter()
        .map(|place| u32::from(rows[*place as usize].side));
    let treated: u32 = treated.sum();
    (members, [number as u32 - treated, treated])
}

#[cfg(test)]
mod tests {
    use super::{NEVER, Row, Strata};

    /// By hand: two strata that are too small to stand beside each other, and the first alone. Draws on days 0, 2 and 4 in
    /// it, reports on days 3 (control), 2 (treated) and never (control) of their windows, cut on day 5: the third family
    /// is seen for 1 day. Treated, then at risk: day 2 of 1 and 1, an event in the treated arm: e = ½, v = ¼; day 3 of
    /// one control: nothing to compare. O − E = ½, V = ¼: one-step 2 ± 2, X² = 1.
    #[test]
    fn a_sweep_by_hand() {
        let row = |origin, report, side| Row {
            origin,
            report,
            side,
        };
        let rows = [row(0, 3, 0), row(2, 2, 1), row(4, NEVER, 0), row(4, 1, 1)];
        let mut strata = Strata::default();
        strata.add([0, 1, 2].into_iter(), &rows);
        strata.order();
        let found = strata.test(&rows, 3, (5, 100)).unwrap();
        assert_eq!((found.estimate, found.std_error), (2.0, 2.0));
        assert_eq!(
            (found.statistic, found.n_treated, found.n_control),
            (Some(1.0), 1, 2)
        );
        assert!(strata.stand(&rows, 3));
        // On day 3 the second family's report has not come, and on day 2 nobody is compared.
        assert_eq!(strata.test(&rows, 2, (3, 100)), None);
        strata.add([3].into_iter(), &rows);
        strata.order();
        assert!(!strata.stand(&rows, 4));
        assert_eq!(strata.test(&rows, 4, (5, 100)), None);
    }
}
