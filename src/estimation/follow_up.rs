//! Times to an event: which rows are analysed, who is at risk when, and how far follow-up reaches.
//!
//! What it offers to estimators of times:
//! - [`FollowUp::new`] takes `time`, `event` and, where given, `entry` of the columns. Rows that lack one of them are
//!   left out and counted per arm; codes, negative times, times before entry and intervals of length zero are refused
//!   with the rows at fault. The analysed rows are an [`Analysed`] whose outcome is the time, so that
//!   [`ModelMatrix`](super::prepared::ModelMatrix) and [`Strata`](super::prepared::Strata) work on them as they are.
//! - [`FollowUp::exits`] and [`FollowUp::entries`]: rows in the order of leaving and of entering, stratum by stratum.
//! - [`FollowUp::steps`]: numbers at risk and events per arm at every distinct time of an event, stratum by stratum.
//! - [`FollowUp::check_horizon`]: refuses a horizon that an arm's curve does not reach.
//!
//! A row is at risk at t when `entry < t ≤ time`, so an event precedes the end of follow-up on the same day. Two times
//! are tied when they are the same number. Whole days are exact; times that were computed, such as days / 30.4375, can
//! differ in their last digit where the days are equal, and no tolerance mends that here: give days.

use super::answer::Warning;
use super::columns::{Arm, Columns};
use super::entry::EventCodes;
use super::error::EstimationError;
use super::prepared::{Analysed, usable};
use super::row_order::ordered;
use crate::words;

/// The analysed rows of a comparison of times.
#[derive(Debug, Clone, Default)]
pub(super) struct FollowUp {
    /// The rows; `outcome` is the time of leaving, above the time of entry.
    pub(super) analysed: Analysed,
    /// What happened at that time, by row: 0 the end of follow-up, 1 the event, 2 and above other events.
    pub(super) event: Vec<u32>,
    /// Time of entry by row, from 0; none when everyone is followed from 0.
    pub(super) entry: Option<Vec<f64>>,
}

/// One distinct time at which somebody had an event, within one stratum. Pairs are control, treated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Stratum, as in the codes that were given; 0 without.
    pub(super) stratum: u32,
    /// The time.
    pub(super) time: f64,
    /// Rows at risk just before it.
    pub(super) at_risk: [usize; 2],
    /// Events of code 1.
    pub(super) events: [usize; 2],
    /// Events of codes 2 and above.
    pub(super) others: [usize; 2],
}

impl FollowUp {
    /// Leaves out rows without time, event or entry and checks the others.
    ///
    /// Errors: no row left in an arm; a time beyond ±1e100; a code that `codes` does not know, or a column that holds
    /// 1 and 2 only; a time below 0, before its entry, or equal to it.
    pub(super) fn new(columns: &Columns, codes: EventCodes) -> Result<Self, EstimationError> {
        let (Some(time), Some(event)) = (&columns.time, &columns.event) else {
            return Err(EstimationError::NoRows);
        };
        let rows = columns.arm.len();
        let entry = columns.entry.as_ref();
        let mut follow_up = Self {
            analysed: Analysed::with_capacity(rows),
            event: Vec::with_capacity(rows),
            entry: entry.map(|_| Vec::with_capacity(rows)),
        };
        let mut missing = [0usize; 2];
        let whole = entry.is_none()
            && time.iter().all(|time| time.is_some_and(usable))
            && event.iter().all(Option::is_some);
        if whole {
            // Column by column, as most are.
            let analysed = &mut follow_up.analysed;
            let treated = columns.arm.iter().filter(|arm| **arm == Arm::Treated);
            let treated = treated.count();
            analysed.n = [rows - treated, treated];
            analysed.rows.extend(0..rows);
            analysed.arm.extend_from_slice(&columns.arm);
            let times = time.iter().map(|time| time.unwrap_or_default());
            analysed.outcome.extend(times);
            let codes = event.iter().map(|event| event.unwrap_or_default());
            follow_up.event.extend(codes);
        }
        let rows = columns.arm.iter().zip(time).zip(event).enumerate();
        for (row, ((arm, time), event)) in rows.skip(follow_up.event.len()) {
            let entry = match &columns.entry {
                None => Some(0.0),
                Some(entry) => entry[row],
            };
            for (column, value) in [("time", *time), ("entry", entry)] {
                if value.is_some_and(|value| !usable(value)) {
                    return Err(EstimationError::NotFinite {
                        column: column.to_owned(),
                        row: columns.row_number(row),
                    });
                }
            }
            let (Some(time), Some(event), Some(entry)) = (*time, *event, entry) else {
                missing[arm.index()] += 1;
                continue;
            };
            follow_up.analysed.push(row, *arm, time);
            follow_up.event.push(event);
            if let Some(entries) = &mut follow_up.entry {
                // A negative zero is zero.
                entries.push(entry + 0.0);
            }
        }
        follow_up.analysed.check_arms(columns, 1)?;
        follow_up.check_codes(columns, codes)?;
        follow_up.check_intervals(columns)?;
        follow_up.analysed.note_other_arms(columns.other_arms);
        follow_up.note_missing(columns, missing);
        Ok(follow_up)
    }

    fn note_missing(&mut self, columns: &Columns, missing: [usize; 2]) {
        let [control, treated] = missing;
        if control + treated == 0 {
            return;
        }
        let (t, c) = (&columns.labels.treated, &columns.labels.control);
        let message = if self.entry.is_some() {
            words!(
                "rows without a time, an event or an entry are left out: {treated} in {t}, {control} in {c}",
                "rader utan tid, händelse eller inträde är utelämnade: {treated} i {t}, {control} i {c}"
            )
        } else {
            words!(
                "rows without a time or an event are left out: {treated} in {t}, {control} in {c}",
                "rader utan tid eller händelse är utelämnade: {treated} i {t}, {control} i {c}"
            )
        };
        let warning = Warning::new("outcome-missing", message);
        self.analysed.warnings.push(warning);
    }

    fn check_codes(&self, columns: &Columns, codes: EventCodes) -> Result<(), EstimationError> {
        let rows = self.event.iter().zip(&self.analysed.rows);
        if codes == EventCodes::Event {
            let unknown: Vec<usize> = rows
                .filter(|(code, _)| **code > 1)
                .map(|(_, row)| columns.row_number(*row))
                .collect();
            return if unknown.is_empty() {
                Ok(())
            } else {
                Err(EstimationError::EventCode { rows: unknown })
            };
        }
        let occurs = |code: u32| self.event.contains(&code);
        if occurs(1) && occurs(2) && self.event.iter().all(|code| matches!(code, 1 | 2)) {
            return Err(EstimationError::EventsCodedOneTwo);
        }
        Ok(())
    }

    fn check_intervals(&self, columns: &Columns) -> Result<(), EstimationError> {
        let mut ends = self.time().iter().enumerate();
        let fine = |(row, time): (usize, &f64)| {
            let entry = self.entry_of(row);
            entry >= 0.0 && *time > entry
        };
        if ends.all(fine) {
            return Ok(());
        }
        let rows = |wrong: &dyn Fn(f64, f64) -> bool| -> Vec<usize> {
            let ends = self.time().iter().enumerate();
            let wrong = ends.filter(|(row, time)| wrong(self.entry_of(*row), **time));
            wrong
                .map(|(row, _)| columns.row_number(self.analysed.rows[row]))
                .collect()
        };
        let negative = rows(&|entry, time| entry < 0.0 || time < 0.0);
        if !negative.is_empty() {
            return Err(EstimationError::NegativeTime { rows: negative });
        }
        let before = rows(&|entry, time| time < entry);
        if !before.is_empty() {
            return Err(EstimationError::TimeBeforeEntry { rows: before });
        }
        let empty = rows(&|entry, time| time <= entry);
        if !empty.is_empty() {
            return Err(EstimationError::EmptyInterval { rows: empty });
        }
        Ok(())
    }

    /// Number of analysed rows.
    pub(super) fn len(&self) -> usize {
        self.event.len()
    }

    /// Time of leaving by row, above 0.
    pub(super) fn time(&self) -> &[f64] {
        &self.analysed.outcome
    }

    /// Time of entry of one row; 0 without a column.
    pub(super) fn entry_of(&self, row: usize) -> f64 {
        self.entry.as_ref().map_or(0.0, |entry| entry[row])
    }

    /// Events of code 1 in control and treated.
    pub(super) fn events(&self) -> [usize; 2] {
        let (mut all, mut treated) = (0, 0);
        for (code, arm) in self.event.iter().zip(&self.analysed.arm) {
            all += usize::from(*code == 1);
            treated += usize::from(*code == 1) & arm.index();
        }
        [all - treated, treated]
    }

    /// The last time of leaving in control and treated.
    pub(super) fn last(&self) -> [f64; 2] {
        let mut last = [0.0f64; 2];
        for (time, arm) in self.time().iter().zip(&self.analysed.arm) {
            last[arm.index()] = last[arm.index()].max(*time);
        }
        last
    }

    /// Refuses a horizon beyond an arm's last time, unless the arm's last rows all had the event then (`ended` for
    /// control, treated): its curve is zero from there on, and so is defined.
    pub(super) fn check_horizon(
        &self,
        columns: &Columns,
        horizon: f64,
        ended: [bool; 2],
    ) -> Result<(), EstimationError> {
        let last = self.last();
        for arm in [Arm::Treated, Arm::Control] {
            let own = last[arm.index()];
            if horizon > own && !ended[arm.index()] {
                return Err(EstimationError::HorizonBeyond {
                    arm: columns.labels.arm(arm).to_owned(),
                    horizon,
                    last: own,
                });
            }
        }
        Ok(())
    }

    /// Rows of an arm that are at risk just before a time.
    pub(super) fn at_risk(&self, arm: Arm, at: f64) -> usize {
        let rows = self.time().iter().zip(&self.analysed.arm).enumerate();
        rows.filter(|(row, (time, own))| **own == arm && **time >= at && self.entry_of(*row) < at)
            .count()
    }

    /// The first stretch before `until` in which nobody of an arm is at risk although somebody is later.
    pub(super) fn gap(&self, arm: Arm, until: f64) -> Option<(f64, f64)> {
        let mut followed = 0.0f64;
        for row in self.entries(None)? {
            let row = row as usize;
            if self.analysed.arm[row] != arm {
                continue;
            }
            let entry = self.entry_of(row);
            if entry >= until {
                return None;
            }
            if entry > followed {
                return Some((followed, entry));
            }
            followed = followed.max(self.time()[row]);
        }
        None
    }

    /// Rows in the order of stratum and time of leaving; of tied rows those with an event of code 1 first, else in their
    /// own order. `strata`: a code by row.
    pub(super) fn exits(&self, strata: Option<&[u32]>) -> Vec<u32> {
        ordered(self.time(), strata, |row| self.event[row] != 1)
    }

    /// Rows in the order of stratum and time of entry; none when everyone is followed from 0.
    pub(super) fn entries(&self, strata: Option<&[u32]>) -> Option<Vec<u32>> {
        let entry = self.entry.as_ref()?;
        Some(ordered(entry, strata, |_| false))
    }

    /// Walks the distinct times at which an event of any kind happened, in ascending order, stratum by stratum.
    ///
    /// O(n log n) for n rows; the walk itself holds one step at a time.
    pub(super) fn steps(&self, strata: Option<&[u32]>, mut each: impl FnMut(&Step)) {
        let (exits, entries) = (self.exits(strata), self.entries(strata));
        let stratum = |row: u32| strata.map_or(0, |codes| codes[row as usize]);
        let arm = |row: u32| self.analysed.arm[row as usize].index();
        let time = |row: u32| self.time()[row as usize];
        let same = |rows: &[u32], from: usize| {
            let first = stratum(rows[from]);
            let end = rows[from..].iter().position(|row| stratum(*row) != first);
            end.map_or(rows.len(), |end| from + end)
        };
        let mut start = 0;
        while start < exits.len() {
            let end = same(&exits, start);
            // Strata hold the same rows in both orders, so they have the same bounds.
            let leaving = &exits[start..end];
            let entering = entries.as_ref().map(|entries| &entries[start..end]);
            let mut at_risk = [0usize; 2];
            if entering.is_none() {
                for row in leaving {
                    at_risk[arm(*row)] += 1;
                }
            }
            let (mut next, mut entered) = (0, 0);
            while next < leaving.len() {
                let now = time(leaving[next]);
                if let Some(entering) = entering {
                    while entered < entering.len()
                        && self.entry_of(entering[entered] as usize) < now
                    {
                        at_risk[arm(entering[entered])] += 1;
                        entered += 1;
                    }
                }
                let mut step = Step {
                    stratum: stratum(leaving[next]),
                    time: now,
                    at_risk,
                    events: [0; 2],
                    others: [0; 2],
                };
                while next < leaving.len() && time(leaving[next]) <= now {
                    let row = leaving[next];
                    match self.event[row as usize] {
                        0 => {}
                        1 => step.events[arm(row)] += 1,
                        _ => step.others[arm(row)] += 1,
                    }
                    at_risk[arm(row)] -= 1;
                    next += 1;
                }
                if step.events != [0; 2] || step.others != [0; 2] {
                    each(&step);
                }
            }
            start = end;
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, in its helper functions too"
)]
mod tests {
    use super::{EventCodes, FollowUp, Step};
    use crate::estimation::columns::{Arm, Columns, Factor};
    use crate::estimation::error::EstimationError;
    use crate::estimation::prepared::{Groups, Strata};

    fn columns(rows: &[(u8, f64, f64, u32)]) -> Columns {
        let arm = |z: u8| if z == 1 { Arm::Treated } else { Arm::Control };
        Columns {
            arm: rows.iter().map(|row| arm(row.0)).collect(),
            entry: Some(rows.iter().map(|row| Some(row.1)).collect()),
            time: Some(rows.iter().map(|row| Some(row.2)).collect()),
            event: Some(rows.iter().map(|row| Some(row.3)).collect()),
            ..Columns::default()
        }
    }

    fn steps(follow_up: &FollowUp, strata: Option<&[u32]>) -> Vec<Step> {
        let mut steps = Vec::new();
        follow_up.steps(strata, |step| steps.push(*step));
        steps
    }

    /// By hand. Control (0,2] event, (2,5] end, (1,5] event, (0,5] other; treated (0,2] end, (1,4] event.
    /// At 2 at risk are, of control, those who entered before 2 and left at or after it: rows 1, 3, 4, not row 2, who
    /// enters at 2; of treated both. At 4: rows 2, 3, 4 and the second treated. At 5: rows 2, 3, 4 and nobody.
    #[test]
    fn risk_sets_by_hand() {
        let columns = columns(&[
            (0, 0.0, 2.0, 1),
            (0, 2.0, 5.0, 0),
            (0, 1.0, 5.0, 1),
            (0, 0.0, 5.0, 2),
            (1, 0.0, 2.0, 0),
            (1, 1.0, 4.0, 1),
        ]);
        let follow_up = FollowUp::new(&columns, EventCodes::Several).unwrap();
        let step = |time, at_risk, events, others| Step {
            stratum: 0,
            time,
            at_risk,
            events,
            others,
        };
        assert_eq!(
            steps(&follow_up, None),
            [
                step(2.0, [3, 2], [1, 0], [0, 0]),
                step(4.0, [3, 1], [0, 1], [0, 0]),
                step(5.0, [3, 0], [1, 0], [1, 0]),
            ]
        );
        assert_eq!((follow_up.events(), follow_up.last()), ([2, 1], [5.0, 4.0]));
        // Two strata: rows 1, 3, 5 and rows 2, 4, 6. Times at which all leave without an event are no step.
        let strata = [0, 1, 0, 1, 0, 1];
        let within: Vec<(u32, f64, [usize; 2])> = steps(&follow_up, Some(&strata))
            .iter()
            .map(|step| (step.stratum, step.time, step.at_risk))
            .collect();
        assert_eq!(
            within,
            [
                (0, 2.0, [2, 1]),
                (0, 5.0, [1, 0]),
                (1, 4.0, [2, 1]),
                (1, 5.0, [2, 0])
            ]
        );
    }

    #[test]
    fn wrong_rows_are_refused_by_number() {
        let good = [(0, 0.0, 2.0, 1), (1, 1.0, 3.0, 0), (1, 0.0, 1.0, 1)];
        let refusal = |row: usize, wrong: (u8, f64, f64, u32), codes| {
            let mut rows = good;
            rows[row] = wrong;
            FollowUp::new(&columns(&rows), codes).unwrap_err()
        };
        let one = EventCodes::Event;
        for (wrong, expected) in [
            (
                (1, 3.0, 2.0, 1),
                EstimationError::TimeBeforeEntry { rows: vec![3] },
            ),
            (
                (1, 3.0, 3.0, 1),
                EstimationError::EmptyInterval { rows: vec![3] },
            ),
            (
                (1, -1.0, 3.0, 1),
                EstimationError::NegativeTime { rows: vec![3] },
            ),
            (
                (1, 1.0, 3.0, 2),
                EstimationError::EventCode { rows: vec![3] },
            ),
        ] {
            assert_eq!(refusal(1, wrong, one), expected);
        }
        // Without a column of entry everyone is followed from 0.
        let mut from_origin = columns(&[(0, 0.0, 0.0, 1), (1, 0.0, 3.0, 0)]);
        from_origin.entry = None;
        let empty = EstimationError::EmptyInterval { rows: vec![2] };
        assert_eq!(FollowUp::new(&from_origin, one).unwrap_err(), empty);
        let several = EventCodes::Several;
        let coded = columns(&[(0, 0.0, 2.0, 1), (1, 1.0, 3.0, 2), (1, 0.0, 1.0, 1)]);
        let refused = FollowUp::new(&coded, several).unwrap_err();
        assert_eq!(refused, EstimationError::EventsCodedOneTwo);
        for codes in [[0, 2, 1], [1, 3, 1], [1, 1, 1], [2, 3, 0]] {
            let mut coded = coded.clone();
            coded.event = Some(codes.into_iter().map(Some).collect());
            assert_eq!(FollowUp::new(&coded, several).unwrap().event, codes);
        }
    }

    #[test]
    fn missing_rows_are_left_out_and_counted() {
        let mut columns = columns(&[
            (0, 0.0, 2.0, 1),
            (0, 0.0, 2.0, 1),
            (1, 1.0, 3.0, 0),
            (1, 1.0, 4.0, 0),
            (1, 1.0, 5.0, 0),
        ]);
        columns.time.as_mut().unwrap()[0] = None;
        columns.event.as_mut().unwrap()[2] = None;
        columns.entry.as_mut().unwrap()[4] = None;
        let follow_up = FollowUp::new(&columns, EventCodes::Event).unwrap();
        assert_eq!((follow_up.len(), follow_up.analysed.n), (2, [1, 1]));
        assert_eq!(follow_up.analysed.rows, [1, 3]);
        assert_eq!(
            follow_up.analysed.warnings[0].message.en,
            "rows without a time, an event or an entry are left out: 2 in treated, 1 in control"
        );
    }

    #[test]
    fn a_horizon_reaches_as_far_as_the_shorter_arm() {
        let columns = columns(&[(0, 0.0, 2.0, 1), (1, 1.0, 3.0, 0)]);
        let follow_up = FollowUp::new(&columns, EventCodes::Event).unwrap();
        let check = |horizon, ended| follow_up.check_horizon(&columns, horizon, ended);
        assert_eq!(check(2.0, [false; 2]), Ok(()));
        assert_eq!(check(2.5, [true, false]), Ok(()));
        let beyond = |arm: &str, horizon, last| {
            Err(EstimationError::HorizonBeyond {
                arm: arm.into(),
                horizon,
                last,
            })
        };
        assert_eq!(check(2.5, [false; 2]), beyond("control", 2.5, 2.0));
        assert_eq!(check(4.0, [true, false]), beyond("treated", 4.0, 3.0));
    }

    /// Levels that do not occur get no number; a group in both arms counts in both.
    #[test]
    fn groups_and_crossed_strata() {
        let mut columns = columns(&[
            (0, 0.0, 2.0, 1),
            (1, 0.0, 2.0, 1),
            (1, 1.0, 3.0, 0),
            (0, 1.0, 4.0, 0),
        ]);
        let mut family = Factor::from_texts("family", ["c", "c", "b", "a"].map(Some));
        family.levels.insert(2, "bb".into());
        family.codes[0] = Some(3);
        family.codes[1] = Some(3);
        let follow_up = FollowUp::new(&columns, EventCodes::Event).unwrap();
        let groups = Groups::new(&family, &columns, &follow_up.analysed).unwrap();
        assert_eq!(groups.codes, [2, 2, 1, 0]);
        assert_eq!((groups.count, groups.per_arm), (3, [2, 2]));
        family.codes[2] = None;
        let missing = EstimationError::GroupMissing {
            column: "family".into(),
            row: 4,
        };
        let refused = Groups::new(&family, &columns, &follow_up.analysed);
        assert_eq!(refused, Err(missing));
        columns.strata = vec![
            Factor::from_texts("site", ["b", "b", "a", "a"].map(Some)),
            Factor::from_texts("size", ["2", "2", "1", "1"].map(Some)),
        ];
        let strata = Strata::new(&columns, &follow_up.analysed).unwrap().unwrap();
        assert_eq!(
            (strata.name.as_str(), strata.codes),
            ("site/size", vec![1, 1, 0, 0])
        );
        assert_eq!(strata.levels, ["a/1", "b/2"]);
    }
}
