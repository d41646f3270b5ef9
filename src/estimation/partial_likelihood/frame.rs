//! Rows in the order of stratum, time and event, and the walk over their risk sets.

use super::lasting::Lasting;
use super::layers::Layers;
use crate::estimation::follow_up::FollowUp;
use crate::numerics::linear_algebra::sum;
use std::ops::Range;

/// The order of the rows, which no coefficient changes.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Analysed row by position.
    pub(super) order: Vec<u32>,
    strata: Vec<Stratum>,
    /// Distinct times of events, stratum by stratum.
    pub(super) times: Vec<EventTime>,
    late: Option<Late>,
    /// Where everyone is at risk from the beginning until the own time, so that a risk set is all later positions.
    pub(super) layers: Option<Layers>,
    /// With competing events, whose rows stay at risk with a falling weight.
    pub(super) lasting: Option<Lasting>,
}

/// Positions and times of events of one stratum, as ends; it begins where the previous one ends.
#[derive(Debug, Clone, Copy)]
struct Stratum {
    rows: usize,
    times: usize,
    deaths: usize,
}

/// Positions and times of one stratum.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) rows: Range<usize>,
    pub(super) times: Range<usize>,
    pub(super) deaths: usize,
}

/// A distinct time of events; the dying are the positions from `first` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventTime {
    pub(super) time: f64,
    pub(super) first: usize,
    pub(super) deaths: usize,
}

impl EventTime {
    /// Positions of the dying.
    pub(super) fn dying(&self) -> Range<usize> {
        self.first..self.first + self.deaths
    }
}

/// Positions in the order of stratum and time of entry, with that time.
#[derive(Debug, Clone)]
struct Late {
    positions: Vec<u32>,
    entry: Vec<f64>,
}

/// A row, and which time of an event its own sums reach to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    /// It is at risk until this time, the last at or before its own.
    Until {
        position: usize,
        /// Times of the stratum that it reaches; the last is `until - 1`.
        until: usize,
        /// Whether it dies at the last.
        dies: bool,
    },
    /// It was not at risk until this time, the last at or before its entry.
    NotUntil { position: usize, until: usize },
}

impl Frame {
    /// Orders the rows; `strata` has a code by row.
    pub(super) fn new(follow_up: &FollowUp, strata: Option<&[u32]>) -> Self {
        let mut frame = Self::ordered(follow_up, strata);
        if frame.late.is_none() {
            frame.layers = Some(Layers::new(&frame));
        }
        frame
    }

    fn ordered(follow_up: &FollowUp, strata: Option<&[u32]>) -> Self {
        let order = follow_up.exits(strata);
        let mut frame = Self {
            strata: Vec::new(),
            times: Vec::new(),
            late: None,
            layers: None,
            lasting: None,
            order,
        };
        frame.find_times(follow_up, strata);
        frame.find_entries(follow_up, strata);
        frame
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Sum of a column over the dying.
    pub(super) fn sum_dying(&self, column: &[f64]) -> f64 {
        let mut lanes = [0.0f64; 4];
        let own = |event: &EventTime| match event.deaths {
            1 => column[event.first],
            _ => sum(&column[event.dying()]),
        };
        let (blocks, rest) = self.times.as_chunks::<4>();
        for block in blocks {
            for (lane, event) in lanes.iter_mut().zip(block) {
                *lane += own(event);
            }
        }
        lanes.iter().sum::<f64>() + rest.iter().map(own).sum::<f64>()
    }

    /// Strata, one after the other.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        let (mut row, mut time) = (0, 0);
        self.strata.iter().map(move |stratum| {
            let part = Part {
                rows: row..stratum.rows,
                times: time..stratum.times,
                deaths: stratum.deaths,
            };
            (row, time) = (stratum.rows, stratum.times);
            part
        })
    }

    /// Orders the rows of a subdistribution, for which those with a competing event stay at risk after it.
    pub(super) fn subdistribution(follow_up: &FollowUp) -> Self {
        let mut frame = Self::ordered(follow_up, None);
        let times = frame.times.iter().map(|event| event.time);
        frame.lasting = Some(Lasting::new(follow_up, &frame.order, times));
        frame
    }

    fn find_times(&mut self, follow_up: &FollowUp, strata: Option<&[u32]>) {
        let stratum = |row: u32| strata.map_or(0, |codes| codes[row as usize]);
        let (mut open, mut deaths) = (false, 0);
        let mut own = self.order.first().map_or(0, |row| stratum(*row));
        for (position, row) in self.order.iter().enumerate() {
            if stratum(*row) != own {
                own = stratum(*row);
                open = false;
                self.strata.push(Stratum {
                    rows: position,
                    times: self.times.len(),
                    deaths: std::mem::take(&mut deaths),
                });
            }
            // Events stand before the other rows of the same time.
            if follow_up.event[*row as usize] != 1 {
                open = false;
                continue;
            }
            deaths += 1;
            let now = follow_up.time()[*row as usize];
            match self.times.last_mut() {
                Some(last) if open && last.time >= now => last.deaths += 1,
                _ => self.times.push(EventTime {
                    time: now,
                    first: position,
                    deaths: 1,
                }),
            }
            open = true;
        }
        self.strata.push(Stratum {
            rows: self.order.len(),
            times: self.times.len(),
            deaths,
        });
    }

    fn find_entries(&mut self, follow_up: &FollowUp, strata: Option<&[u32]>) {
        let Some(entries) = follow_up.entries(strata) else {
            return;
        };
        let mut position = vec![0u32; self.order.len()];
        for (at, row) in (0u32..).zip(&self.order) {
            position[*row as usize] = at;
        }
        self.late = Some(Late {
            positions: entries.iter().map(|row| position[*row as usize]).collect(),
            entry: entries
                .iter()
                .map(|row| follow_up.entry_of(*row as usize))
                .collect(),
        });
    }

    /// Walks the times of one stratum downwards with the sums over the risk set of each. `weight` by position, `z`
    /// column-major by position.
    pub(super) fn downwards(
        &self,
        part: &Part,
        weight: &[f64],
        z: &[f64],
        risk_set: &mut RiskSet,
        mut each: impl FnMut(usize, &RiskSet),
    ) {
        risk_set.clear();
        if let Some(lasting) = &self.lasting {
            lasting.downwards(self, weight, z, risk_set, each);
            return;
        }
        let mut next = part.rows.end;
        let mut entering = part.rows.end;
        for at in part.times.clone().rev() {
            let event = &self.times[at];
            match &self.late {
                None => {
                    while next > event.first {
                        next -= 1;
                        risk_set.add(weight[next], z, next);
                    }
                }
                Some(late) => {
                    while next > event.first {
                        next -= 1;
                        risk_set.add_exactly(weight[next], z, next);
                    }
                    while entering > part.rows.start && late.entry[entering - 1] >= event.time {
                        entering -= 1;
                        let position = late.positions[entering] as usize;
                        risk_set.add_exactly(-weight[position], z, position);
                    }
                }
            }
            each(at, risk_set);
        }
    }

    /// Walks the rows of one stratum upwards, each with the times that it reaches, and with late entry again with those
    /// that it was not at risk at.
    pub(super) fn upwards(&self, part: &Part, mut each: impl FnMut(Reach)) {
        let mut until = part.times.start;
        let mut dying = 0;
        for position in part.rows.clone() {
            if until < part.times.end && self.times[until].first == position {
                dying = self.times[until].deaths;
                until += 1;
            }
            each(Reach::Until {
                position,
                until,
                dies: dying > 0,
            });
            dying = dying.saturating_sub(1);
        }
        let Some(late) = &self.late else { return };
        let mut until = part.times.start;
        for entering in part.rows.clone() {
            while until < part.times.end && self.times[until].time <= late.entry[entering] {
                until += 1;
            }
            each(Reach::NotUntil {
                position: late.positions[entering] as usize,
                until,
            });
        }
    }
}

/// Sums over a risk set: weights, and weighted covariates.
#[derive(Debug, Clone)]
pub(super) struct RiskSet {
    n: usize,
    /// `Σ w`, then `Σ w z` by column.
    sums: Vec<f64>,
    /// What rounding lost of each, with late entry.
    lost: Vec<f64>,
}

impl RiskSet {
    /// No row, of `n`, with this many columns.
    pub(super) fn new(n: usize, columns: usize) -> Self {
        Self {
            n,
            sums: vec![0.0; columns + 1],
            lost: vec![0.0; columns + 1],
        }
    }

    pub(super) fn clear(&mut self) {
        self.sums.fill(0.0);
        self.lost.fill(0.0);
    }

    /// Adds a row.
    pub(super) fn add(&mut self, weight: f64, z: &[f64], position: usize) {
        let Some((first, others)) = self.sums.split_first_mut() else {
            return;
        };
        *first += weight;
        let mut at = position;
        for sum in others {
            *sum += weight * z[at];
            at += self.n;
        }
    }

    /// Adds a row with a sign, keeping what rounding loses (Neumaier 1974), so that rows can leave again.
    pub(super) fn add_exactly(&mut self, weight: f64, z: &[f64], position: usize) {
        for (index, (sum, lost)) in self.sums.iter_mut().zip(&mut self.lost).enumerate() {
            let term = match index {
                0 => weight,
                column => weight * z[(column - 1) * self.n + position],
            };
            let next = *sum + term;
            *lost += if sum.abs() >= term.abs() {
                (*sum - next) + term
            } else {
                (term - next) + *sum
            };
            *sum = next;
        }
    }

    /// Becomes the sum of one set and a multiple of another.
    pub(super) fn combine(&mut self, one: &Self, factor: f64, other: &Self) {
        for column in 0..self.sums.len() {
            let own = one.sums[column] + one.lost[column];
            self.sums[column] = own + factor * (other.sums[column] + other.lost[column]);
            self.lost[column] = 0.0;
        }
    }

    /// `Σ w`.
    pub(super) fn weight(&self) -> f64 {
        self.sums[0] + self.lost[0]
    }

    /// `Σ w z` of a column.
    pub(super) fn column(&self, column: usize) -> f64 {
        self.sums[column + 1] + self.lost[column + 1]
    }
}
