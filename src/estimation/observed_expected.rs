//! Observed and expected events of a log-rank test, added up over the distinct times of events in all strata.
//!
//! `X² = (Σ d₁−e₁)² / Σ v` with `e₁ = d n₁/n` and the hypergeometric variance `v = d n₁n₀(n−d)/(n²(n−1))` at each distinct
//! time (Mantel 1966; Peto and Peto 1972, doi 10.2307/2344317); one degree of freedom. The estimator `log-rank` and the
//! fast path of simulated studies add up the same terms in the same order.

use crate::numerics::normal;
use crate::numerics::vector::{Wide, widest};

/// Sums over the distinct times of events. Pairs are control, treated.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ObservedExpected {
    /// Events.
    pub(crate) observed: [u32; 2],
    /// Events expected under equal hazards.
    pub(crate) expected: [f64; 2],
    /// Observed − expected of the treated arm.
    excess: f64,
    /// Variance of the excess.
    pub(crate) variance: f64,
}

impl ObservedExpected {
    /// Adds a time at which somebody had an event: how many were at risk just before it, and how many had it.
    pub(crate) fn add(&mut self, at_risk: [u32; 2], events: [u32; 2]) {
        let [n0, n1] = at_risk.map(f64::from);
        let [d0, d1] = events.map(f64::from);
        let (n, d) = (n0 + n1, d0 + d1);
        self.observed[0] += events[0];
        self.observed[1] += events[1];
        let [p0, p1] = [n0, n1].map(|own| own / n);
        self.expected[0] += d * p0;
        self.expected[1] += d * p1;
        // d₁ − d n₁/n over one denominator, so that equal shares give exactly zero.
        self.excess += (d1 * n0 - d0 * n1) / n;
        if n > 1.0 {
            self.variance += (d * p1 * p0) * ((n - d) / (n - 1.0));
        }
    }

    /// Adds times one after the other, as [`ObservedExpected::add`], each with control in the low half and treated in the high
    /// half. The terms are made side by side, and added in their order.
    pub(crate) fn add_all(&mut self, at_risk: &[u64], events: &[u64]) {
        *self = widest(AddAll {
            sums: *self,
            at_risk,
            events,
        });
    }

    /// X²; `None` where at no time of an event both arms are at risk with somebody left.
    pub(crate) fn statistic(&self) -> Option<f64> {
        (self.variance > 0.0).then_some(self.excess * self.excess / self.variance)
    }

    /// Observed − expected of the treated arm, and its variance, if there is a test.
    pub(crate) fn excess(&self) -> Option<(f64, f64)> {
        (self.variance > 0.0).then_some((self.excess, self.variance))
    }

    /// Two-sided p-value: a chi-square with one degree of freedom is a squared normal, whose tail is known further out.
    pub(crate) fn p_value(&self) -> Option<f64> {
        self.statistic()
            .map(|square| normal::two_sided(square.sqrt()))
    }

    /// The one-step log hazard ratio (O − E)/V with its standard error 1/√V (Peto and Peto 1972), if there is a test.
    pub(crate) fn one_step(&self) -> Option<(f64, f64)> {
        let excess = f64::from(self.observed[1]) - self.expected[1];
        let exists = self.variance > 0.0;
        exists.then(|| (excess / self.variance, 1.0 / self.variance.sqrt()))
    }
}

/// Times whose terms are made before they are added.
const SOME: usize = 64;

/// The work of [`ObservedExpected::add_all`].
struct AddAll<'a> {
    sums: ObservedExpected,
    at_risk: &'a [u64],
    events: &'a [u64],
}

impl Wide for AddAll<'_> {
    type Output = ObservedExpected;

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn run(self) -> ObservedExpected {
        let mut sums = self.sums;
        let [mut control, mut treated] = sums.expected;
        let (mut excess, mut variance, mut observed) = (sums.excess, sums.variance, 0);
        let mut terms = [[0.0; SOME]; 4];
        for (at_risk, events) in self.at_risk.chunks(SOME).zip(self.events.chunks(SOME)) {
            let [controls, treateds, excesses, spreads] = &mut terms;
            let into = controls.iter_mut().zip(treateds);
            let into = into.zip(excesses.iter_mut().zip(spreads));
            for ((at_risk, events), ((to_control, to_treated), (to_excess, to_variance))) in
                at_risk.iter().zip(events).zip(into)
            {
                let n0 = f64::from(*at_risk as u32);
                let n1 = f64::from((*at_risk >> 32) as u32);
                let d0 = f64::from(*events as u32);
                let d1 = f64::from((*events >> 32) as u32);
                let (n, d) = (n0 + n1, d0 + d1);
                let (p0, p1) = (n0 / n, n1 / n);
                *to_control = d * p0;
                *to_treated = d * p1;
                *to_excess = (d1 * n0 - d0 * n1) / n;
                let spread = (d * p1 * p0) * ((n - d) / (n - 1.0));
                *to_variance = if n > 1.0 { spread } else { 0.0 };
            }
            let [controls, treateds, excesses, spreads] = &terms;
            let expected = controls.iter().zip(treateds);
            let own = expected.zip(excesses.iter().zip(spreads));
            for (events, ((to_control, to_treated), (to_excess, to_variance))) in
                events.iter().zip(own)
            {
                observed += *events;
                control += to_control;
                treated += to_treated;
                excess += to_excess;
                variance += to_variance;
            }
        }
        sums.observed[0] += observed as u32;
        sums.observed[1] += (observed >> 32) as u32;
        sums.expected = [control, treated];
        (sums.excess, sums.variance) = (excess, variance);
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::ObservedExpected;

    /// Side by side the same bits as one by one, of any number of times, some with one or two at risk.
    #[test]
    fn many_times_are_added_as_one_by_one() {
        let time = |place: u64| {
            let at_risk = [
                place * 7 % 5 + u64::from(place.is_multiple_of(3)),
                1 + place * 11 % 40,
            ];
            let events = [
                at_risk[0].min(place % 2),
                u64::from(place.is_multiple_of(2)),
            ];
            [at_risk, events]
        };
        for number in (0..40).chain(120..140) {
            let times: Vec<_> = (0..number).map(time).collect();
            let (mut one, mut all) = (ObservedExpected::default(), ObservedExpected::default());
            for [at_risk, events] in &times {
                one.add(at_risk.map(|own| own as u32), events.map(|own| own as u32));
            }
            let pair = |own: [u64; 2]| own[0] | own[1] << 32;
            let at_risk: Vec<u64> = times.iter().map(|own| pair(own[0])).collect();
            let events: Vec<u64> = times.iter().map(|own| pair(own[1])).collect();
            all.add_all(&at_risk, &events);
            assert_eq!(one, all);
        }
    }
}
