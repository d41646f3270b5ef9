//! Observed and expected events of a log-rank test, added up over the distinct times of events in all strata.
//!
//! `X² = (Σ d₁−e₁)² / Σ v` with `e₁ = d n₁/n` and the hypergeometric variance `v = d n₁n₀(n−d)/(n²(n−1))` at each distinct
//! time (Mantel 1966; Peto and Peto 1972, doi 10.2307/2344317); one degree of freedom. The estimator `log-rank` and the
//! fast path of simulated studies add up the same terms in the same order.

use crate::numerics::normal;

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

    /// X²; `None` where at no time of an event both arms are at risk with somebody left.
    pub(crate) fn statistic(&self) -> Option<f64> {
        (self.variance > 0.0).then_some(self.excess * self.excess / self.variance)
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
