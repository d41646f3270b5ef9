//! Rows of one id as its history: (entry, time] after (entry, time], each ending with an event, the end of follow-up or a
//! terminal event.

use super::answer::Warning;
use super::columns::{Columns, Factor};
use super::error::{EstimationError, list};
use super::follow_up::FollowUp;
use super::prepared::Groups;
use crate::diagnostic::Words;
use crate::words;

/// Why rows of one id are no history. Rows are numbers as people count them, each the later of two rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// An id with rows in both arms.
    #[error("{}", self.words())]
    TwoArms {
        /// Rows.
        rows: Vec<usize>,
    },
    /// Rows that overlap in time.
    #[error("{}", self.words())]
    Overlap {
        /// Rows.
        rows: Vec<usize>,
    },
    /// Rows after a terminal event.
    #[error("{}", self.words())]
    AfterTerminal {
        /// Rows.
        rows: Vec<usize>,
    },
}

impl HistoryError {
    /// Stable code, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TwoArms { .. } => "id-in-two-arms",
            Self::Overlap { .. } => "rows-overlap",
            Self::AfterTerminal { .. } => "row-after-terminal",
        }
    }

    /// What is wrong and what to do next, in both languages.
    pub fn words(&self) -> Words {
        let (Self::TwoArms { rows } | Self::Overlap { rows } | Self::AfterTerminal { rows }) = self;
        let shown = list(rows);
        match self {
            Self::TwoArms { .. } => words!(
                "row {shown} belongs to an id that has an earlier row in the other arm; one unit has one arm, that which was drawn",
                "rad {shown} hör till ett id som har en tidigare rad i den andra armen; en enhet har en arm, den som lottades"
            ),
            Self::Overlap { .. } => words!(
                "row {shown} begins before the earlier row of the same id ends, so that the unit is counted twice; let each row begin where the last one ended, and merge reports of the same day by a registered rule",
                "rad {shown} börjar innan den tidigare raden för samma id slutar, så att enheten räknas dubbelt; låt varje rad börja där den förra slutade, och slå ihop anmälningar samma dag enligt en registrerad regel"
            ),
            Self::AfterTerminal { .. } => words!(
                "row {shown} comes after a terminal event (code 2 or above) of the same id; leave it out or correct the earlier code",
                "rad {shown} kommer efter en slutgiltig händelse (kod 2 eller högre) för samma id; utelämna den eller rätta den tidigare koden"
            ),
        }
    }
}

/// Numbers the ids and checks their histories. Gaps between the rows of an id are allowed: nobody counts as at risk there.
///
/// Errors: a row without an id; an id in two arms; rows of an id that overlap, twins among them; a row after a terminal
/// event, code 2 or above. The warnings of `follow_up` gain one when ids are followed no longer than to an event.
pub(super) fn histories(
    id: &Factor,
    columns: &Columns,
    follow_up: &mut FollowUp,
) -> Result<Groups, EstimationError> {
    let groups = Groups::new(id, columns, &follow_up.analysed)?;
    let rows = ordered(follow_up, &groups.codes);
    let (mut arms, mut overlap, mut after) = (Vec::new(), Vec::new(), Vec::new());
    let mut open = [0usize; 2];
    let own = |row: usize| groups.codes[row];
    let mut ends = rows.iter().skip(1).map(|row| Some(*row as usize));
    for row in &rows {
        let row = *row as usize;
        let next = ends.next().flatten();
        let Some(next) = next.filter(|next| own(*next) == own(row)) else {
            if follow_up.event[row] == 1 {
                open[follow_up.analysed.arm[row].index()] += 1;
            }
            continue;
        };
        let number = columns.row_number(follow_up.analysed.rows[next]);
        if follow_up.analysed.arm[next] != follow_up.analysed.arm[row] {
            arms.push(number);
        } else if follow_up.event[row] > 1 {
            after.push(number);
        } else if follow_up.entry_of(next) < follow_up.time()[row] {
            overlap.push(number);
        }
    }
    for list in [&mut arms, &mut overlap, &mut after] {
        list.sort_unstable();
    }
    if !arms.is_empty() {
        return Err(HistoryError::TwoArms { rows: arms }.into());
    }
    if !overlap.is_empty() {
        return Err(HistoryError::Overlap { rows: overlap }.into());
    }
    if !after.is_empty() {
        return Err(HistoryError::AfterTerminal { rows: after }.into());
    }
    follow_up
        .analysed
        .warnings
        .extend(open_end(columns, open, &groups));
    Ok(groups)
}

/// Rows by id, then by entry, then by time of leaving.
fn ordered(follow_up: &FollowUp, codes: &[u32]) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..codes.len() as u32).collect();
    let key = |row: u32| {
        let row = row as usize;
        (codes[row], follow_up.entry_of(row), follow_up.time()[row])
    };
    rows.sort_unstable_by(|a, b| {
        let ((id, entry, time), (other, later, end)) = (key(*a), key(*b));
        let times = entry.total_cmp(&later).then(time.total_cmp(&end));
        id.cmp(&other).then(times).then(a.cmp(b))
    });
    rows
}

fn open_end(columns: &Columns, open: [usize; 2], groups: &Groups) -> Option<Warning> {
    let [control, treated] = open;
    if control + treated == 0 {
        return None;
    }
    let [of_control, of_treated] = groups.per_arm;
    let (t, c) = (&columns.labels.treated, &columns.labels.control);
    Some(Warning::new(
        "follow-up-ends-with-event",
        words!(
            "the follow-up of {treated} of {of_treated} ids in {t} and {control} of {of_control} in {c} ends with an event; where it went on, add a last row with event 0, or the counts are too high",
            "uppföljningen slutar med en händelse för {treated} av {of_treated} id i {t} och {control} av {of_control} i {c}; där den fortsatte, lägg till en sista rad med händelse 0, annars blir antalen för höga"
        ),
    ))
}
