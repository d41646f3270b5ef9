//! Competing events in the partial likelihood of a subdistribution (Fine and Gray 1999, doi 10.1080/01621459.1999.10474144).
//!
//! A row with a competing event at T stays at risk at the later times t with the weight `G(t−)/G(T−)`, where G is the
//! Kaplan–Meier curve of the end of follow-up, both arms together: the probability of still being followed then. So the sums
//! of a risk set are those of the rows that are still followed, plus `G(t−)` times the sums of `w/G(T−)` over the rows that
//! had a competing event before t. There is no late entry and no stratum.

use super::frame::{Frame, RiskSet};
use crate::estimation::follow_up::FollowUp;

/// Weights of rows that stay at risk, and the curve of the end of follow-up.
#[derive(Debug, Clone)]
pub(super) struct Lasting {
    /// `1/G(T−)` by position for a row with a competing event, 0 for others.
    pub(super) inverse: Vec<f64>,
    /// `G(t−)` by time of events.
    pub(super) followed: Vec<f64>,
    /// Whether a row's follow-up ended without an event, by position.
    pub(super) ended: Vec<bool>,
    /// Times at which follow-up ended.
    pub(super) endings: Vec<Endings>,
}

/// A time at which follow-up ended for some.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endings {
    /// First position whose time is not before this one.
    pub(super) first: usize,
    /// First position whose time is after this one.
    pub(super) end: usize,
    /// First time of events that is not before this one.
    pub(super) times: usize,
    /// Rows whose follow-up ended.
    pub(super) count: f64,
    /// Rows that were followed until then.
    pub(super) at_risk: f64,
}

impl Lasting {
    /// Reads the rows in the order of the frame.
    pub(super) fn new(
        follow_up: &FollowUp,
        order: &[u32],
        times: impl Iterator<Item = f64>,
    ) -> Self {
        let n = order.len();
        let time = |position: usize| follow_up.time()[order[position] as usize];
        let code = |position: usize| follow_up.event[order[position] as usize];
        let mut lasting = Self {
            inverse: vec![0.0; n],
            followed: Vec::new(),
            ended: vec![false; n],
            endings: Vec::new(),
        };
        let mut curve = 1.0;
        let mut times = times.peekable();
        let mut first = 0;
        while first < n {
            let now = time(first);
            let mut end = first;
            let mut ended = 0usize;
            let before = lasting.followed.len();
            if times.next_if(|event| *event <= now).is_some() {
                lasting.followed.push(curve);
            }
            while end < n && time(end) <= now {
                match code(end) {
                    0 => {
                        ended += 1;
                        lasting.ended[end] = true;
                    }
                    1 => {}
                    _ => lasting.inverse[end] = 1.0 / curve,
                }
                end += 1;
            }
            if ended > 0 {
                let at_risk = n - first;
                lasting.endings.push(Endings {
                    first,
                    end,
                    times: before,
                    count: ended as f64,
                    at_risk: at_risk as f64,
                });
                curve *= (at_risk - ended) as f64 / at_risk as f64;
            }
            first = end;
        }
        lasting
    }

    /// Walks the times downwards, as [`Frame::downwards`]; rows with a competing event leave those that stay at risk by
    /// compensated subtraction.
    pub(super) fn downwards(
        &self,
        frame: &Frame,
        weight: &[f64],
        z: &[f64],
        risk_set: &mut RiskSet,
        mut each: impl FnMut(usize, &RiskSet),
    ) {
        let n = weight.len();
        let mut staying = RiskSet::new(n, z.len() / n);
        let mut both = staying.clone();
        for (position, inverse) in self.inverse.iter().enumerate() {
            if *inverse > 0.0 {
                staying.add_exactly(weight[position] * inverse, z, position);
            }
        }
        let mut next = n;
        for (at, event) in frame.times.iter().enumerate().rev() {
            while next > event.first {
                next -= 1;
                risk_set.add(weight[next], z, next);
                let inverse = self.inverse[next];
                if inverse > 0.0 {
                    staying.add_exactly(-weight[next] * inverse, z, next);
                }
            }
            both.combine(risk_set, self.followed[at], &staying);
            each(at, &both);
        }
    }
}
