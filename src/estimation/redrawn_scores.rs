//! The log-rank and the rank-sum test on redrawn arms: what does not depend on the arms is put in order once, and a redraw then
//! takes time linear in the rows.
//!
//! Both are studentized by the variance that they have on the same arms, so that the test by redraws is also one of the hypothesis
//! of the estimator alone in large samples. Which arms are redrawn is the caller's business.

use super::columns::Arm;
use super::observed_expected::ObservedExpected;
use super::probability_index::ProbabilityIndex;

/// Rows in the order of their times.
#[derive(Debug, Clone, Default)]
pub struct TimesInOrder {
    /// Rows, in rising order of time.
    order: Vec<u32>,
    /// Where the rows of each distinct time end.
    ends: Vec<usize>,
    /// Whether the row has its event at its time.
    event: Vec<bool>,
}

/// Storage of the computation.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    at_risk: Vec<[u32; 2]>,
    events: Vec<[u32; 2]>,
    touched: Vec<u32>,
    groups: Vec<(usize, usize)>,
}

impl TimesInOrder {
    /// Of the time and the event of each row; times are tied where they are the same number.
    pub fn new(time: &[f64], event: &[bool]) -> Self {
        let mut order: Vec<u32> = (0..time.len() as u32).collect();
        order.sort_by(|a, b| time[*a as usize].total_cmp(&time[*b as usize]));
        let mut ends = Vec::new();
        for tied in order.chunk_by(|a, b| time[*a as usize].total_cmp(&time[*b as usize]).is_eq()) {
            ends.push(ends.last().copied().unwrap_or(0) + tied.len());
        }
        Self {
            order,
            ends,
            event: event.to_vec(),
        }
    }

    /// Observed − expected events of the treated arm and its hypergeometric variance, summed over strata; `side` and `stratum` are
    /// those of each row, and a row without a side takes no part. `None` where at no time of an event both arms are at risk
    /// with somebody left.
    ///
    /// The terms are those of the estimator `log-rank`, added in the order of the times.
    pub fn excess(
        &self,
        side: &[Option<Arm>],
        stratum: impl Fn(usize) -> usize,
        strata: usize,
        counted: &mut Counted,
    ) -> Option<(f64, f64)> {
        let Counted {
            at_risk,
            events,
            touched,
            ..
        } = counted;
        at_risk.clear();
        at_risk.resize(strata, [0; 2]);
        events.clear();
        events.resize(strata, [0; 2]);
        for (row, side) in side.iter().enumerate() {
            if let Some(side) = side {
                at_risk.get_mut(stratum(row))?[side.index()] += 1;
            }
        }
        let mut sums = ObservedExpected::default();
        let mut start = 0;
        for end in &self.ends {
            let rows = &self.order[start..*end];
            start = *end;
            touched.clear();
            for row in rows {
                let row = *row as usize;
                if let (Some(side), true) = (side[row], self.event[row]) {
                    let at = stratum(row);
                    let own = events.get_mut(at)?;
                    if *own == [0; 2] {
                        touched.push(at as u32);
                    }
                    own[side.index()] += 1;
                }
            }
            for at in &*touched {
                let at = *at as usize;
                sums.add(at_risk[at], events[at]);
                events[at] = [0; 2];
            }
            for row in rows {
                let row = *row as usize;
                if let Some(side) = side[row] {
                    at_risk[stratum(row)][side.index()] -= 1;
                }
            }
        }
        sums.excess()
    }
}

/// Rows in the order of their values.
#[derive(Debug, Clone, Default)]
pub struct Ranked {
    /// Of each row the place of its value among the distinct ones.
    place: Vec<u32>,
    distinct: usize,
}

impl Ranked {
    /// Of the value of each row.
    pub fn new(y: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..y.len() as u32).collect();
        order.sort_by(|a, b| y[*a as usize].total_cmp(&y[*b as usize]));
        let (mut place, mut distinct) = (vec![0; y.len()], 0);
        for tied in order.chunk_by(|a, b| y[*a as usize].total_cmp(&y[*b as usize]).is_eq()) {
            for row in tied {
                place[*row as usize] = distinct;
            }
            distinct += 1;
        }
        Self {
            place,
            distinct: distinct as usize,
        }
    }

    /// The probability index minus one half, and its variance by Brunner and Munzel; a row without a side takes no part. `None`
    /// with fewer than two rows in an arm.
    pub fn index(&self, side: &[Option<Arm>], counted: &mut Counted) -> Option<(f64, f64)> {
        let groups = &mut counted.groups;
        groups.clear();
        groups.resize(self.distinct, (0, 0));
        let (mut treated, mut control) = (0, 0);
        for (place, side) in self.place.iter().zip(side) {
            let group = &mut groups[*place as usize];
            match side {
                Some(Arm::Treated) => {
                    group.0 += 1;
                    treated += 1;
                }
                Some(Arm::Control) => {
                    group.1 += 1;
                    control += 1;
                }
                None => {}
            }
        }
        if treated < 2 || control < 2 {
            return None;
        }
        let index = ProbabilityIndex::of_groups(groups, (treated, control));
        let error = index.std_error?;
        Some((index.estimate - 0.5, error * error))
    }
}
