//! Cox's partial likelihood of the arm alone, from four counts at every time of an event.
//!
//! Where the arm is the only column, a risk set is two numbers. With `θ = e^β`, and c and t those of control and treated who are
//! at risk, less the part of the dying that Efron's ties take away, each death has the term `φ = c + tθ`, and
//! `l = d β − Σ ln φ`, `l' = d − Σ tθ/φ`, `−l'' = Σ (tθ/φ)(c/φ)` with the d deaths of treated (Cox 1972; Efron 1977, doi
//! 10.1080/01621459.1977.10480613; Breslow 1974, doi 10.2307/2529620). A death at which one arm alone is at risk adds a
//! constant and is left out. `l'` falls everywhere, so that Newton's method within a bracket finds its root without the
//! likelihood; it has one exactly when both arms have a death while both are at risk. The estimator `cox` and the fast path
//! of simulated studies add up the same terms in the same order.

use super::endless::Endless;
use super::inference::{Fit, Inference};
use super::partial_likelihood::{CONVERGED, LogSum, MOST_STEPS, Maximum, NoMaximum};
use super::settings::Ties;
use crate::numerics::vector::{Wide, widest};

/// Terms that are summed side by side, and a multiple of it that are made before they are summed.
const LANES: usize = 4;
const SOME: usize = 64;

/// The farthest Newton step: a hazard ratio of 55.
const FARTHEST: f64 = 4.0;

/// The terms of all strata.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArmLikelihood {
    /// c and t of each death while both arms are at risk.
    control: Vec<f64>,
    treated: Vec<f64>,
    /// Deaths in control and treated among these.
    deaths: [u64; 2],
    /// At risk at the other deaths, less those who died at the same time before.
    alone: Vec<f64>,
}

/// Where the likelihood is highest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Highest {
    /// Log hazard ratio.
    pub(crate) coefficient: f64,
    /// Its variance, the inverse of the information.
    pub(crate) variance: f64,
    /// Score statistic at 0.
    score: f64,
}

impl ArmLikelihood {
    /// Forgets all terms.
    pub(crate) fn clear(&mut self) {
        self.control.clear();
        self.treated.clear();
        self.alone.clear();
        self.deaths = [0; 2];
    }

    /// Adds a time at which somebody had the event: how many were at risk just before it, and how many had it; control
    /// first. Times come stratum by stratum.
    pub(crate) fn add(&mut self, at_risk: [u32; 2], events: [u32; 2], ties: Ties) {
        let [n0, n1] = at_risk.map(f64::from);
        let [d0, d1] = events.map(f64::from);
        if at_risk.contains(&0) {
            for death in 0..events[0] + events[1] {
                let before = if ties == Ties::Efron { death } else { 0 };
                self.alone.push(n0 + n1 - f64::from(before));
            }
            return;
        }
        self.deaths[0] += u64::from(events[0]);
        self.deaths[1] += u64::from(events[1]);
        if events[0] + events[1] == 1 {
            self.control.push(n0);
            self.treated.push(n1);
            return;
        }
        for death in 0..events[0] + events[1] {
            let share = match ties {
                Ties::Efron => f64::from(death) / (d0 + d1),
                Ties::Breslow => 0.0,
            };
            self.control.push(n0 - share * d0);
            self.treated.push(n1 - share * d1);
        }
    }

    /// Adds times stratum by stratum, as [`ArmLikelihood::add`], each with control in the low half and treated in the high half.
    pub(crate) fn add_all(&mut self, at_risk: &[u64], events: &[u64], ties: Ties) {
        let sides = |own: u64| [own as u32, (own >> 32) as u32];
        let from = self.control.len();
        let mut count = from;
        self.control.resize(from + at_risk.len(), 0.0);
        self.treated.resize(from + at_risk.len(), 0.0);
        let mut deaths = 0;
        for (at_risk, events) in at_risk.iter().zip(events) {
            let ([n0, n1], [d0, d1]) = (sides(*at_risk), sides(*events));
            let plain = n0.min(n1) > 0 && d0 + d1 == 1;
            // Mostly one death among both arms: written in any case, and the place moves on if it is one.
            if let (Some(control), Some(treated)) =
                (self.control.get_mut(count), self.treated.get_mut(count))
            {
                (*control, *treated) = (f64::from(n0), f64::from(n1));
            }
            if plain {
                count += 1;
                deaths += *events;
            } else {
                // The next one comes after those of this time.
                let rest = self.control.len() - count;
                self.control.truncate(count);
                self.treated.truncate(count);
                self.add([n0, n1], [d0, d1], ties);
                count = self.control.len();
                self.control.resize(count + rest, 0.0);
                self.treated.resize(count + rest, 0.0);
            }
        }
        self.control.truncate(count);
        self.treated.truncate(count);
        let deaths = sides(deaths).map(u64::from);
        self.deaths = [self.deaths[0] + deaths[0], self.deaths[1] + deaths[1]];
    }

    /// Maximizes.
    ///
    /// Errors: [`NoMaximum::NotCompared`] without a death while both arms are at risk, [`NoMaximum::Diverges`] where only
    /// one arm has one.
    pub(crate) fn maximize(&self) -> Result<Highest, NoMaximum> {
        match self.deaths {
            [0, 0] => return Err(NoMaximum::NotCompared),
            [0, _] | [_, 0] => return Err(NoMaximum::Diverges(vec![0])),
            _ => {}
        }
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let (mut beta, mut at_zero) = (0.0, None);
        for _ in 0..MOST_STEPS {
            let (score, information) = self.slope(beta);
            let step = score / information;
            let gain = step * score;
            let at_zero = *at_zero.get_or_insert(gain);
            if gain <= CONVERGED {
                return Ok(Highest {
                    coefficient: beta,
                    variance: 1.0 / information,
                    score: at_zero,
                });
            }
            if score > 0.0 {
                low = beta;
            } else {
                high = beta;
            }
            let next = beta + step.clamp(-FARTHEST, FARTHEST);
            beta = if low < next && next < high {
                next
            } else {
                low.midpoint(high)
            };
        }
        Err(NoMaximum::NotConverged)
    }

    /// The score test and the one limit of a ratio without a finite estimate, where only one arm has a death while both are at
    /// risk; `critical` is the quantile of the limit.
    pub(crate) fn endless(&self, critical: f64) -> Option<Endless> {
        let score = |beta: f64| {
            let (score, information) = self.slope(beta);
            Some(score / information.sqrt())
        };
        self.deaths
            .contains(&0)
            .then(|| Endless::of(score, critical))?
    }

    /// `l'` and `−l''`.
    fn slope(&self, beta: f64) -> (f64, f64) {
        let (taken, information) = widest(Sums {
            ratio: libm::exp(beta),
            control: &self.control,
            treated: &self.treated,
        });
        (self.deaths[1] as f64 - taken, information)
    }

    /// Log-likelihood, of every death.
    fn log_likelihood(&self, beta: f64) -> f64 {
        let ratio = libm::exp(beta);
        let mut log_risk = LogSum::new();
        for (control, treated) in self.control.iter().zip(&self.treated) {
            log_risk.add(control + treated * ratio);
        }
        for alone in &self.alone {
            log_risk.add(*alone);
        }
        self.deaths[1] as f64 * beta - log_risk.value()
    }

    /// As [`ArmLikelihood::maximize`], with what else is said of a maximum.
    pub(super) fn maximum(&self) -> Result<Maximum, NoMaximum> {
        let Highest {
            coefficient,
            variance,
            score,
        } = self.maximize()?;
        Ok(Maximum {
            coefficient,
            variance,
            log_likelihood: [0.0, coefficient].map(|beta| self.log_likelihood(beta)),
            score: Some(score),
            wald: coefficient * coefficient / variance,
            coefficients: 1,
            ..Maximum::default()
        })
    }
}

/// `Σ tθ/φ` and `Σ (tθ/φ)(c/φ)`, some side by side.
struct Sums<'s> {
    ratio: f64,
    control: &'s [f64],
    treated: &'s [f64],
}

impl Wide for Sums<'_> {
    type Output = (f64, f64);

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn run(self) -> (f64, f64) {
        let whole = self.control.len().min(self.treated.len()) / LANES * LANES;
        let (controls, control_rest) = self.control.split_at(whole);
        let (treateds, treated_rest) = self.treated.split_at(whole);
        let (mut taken, mut information) = ([0.0; LANES], [0.0; LANES]);
        let (mut shares, mut spreads) = ([0.0; SOME], [0.0; SOME]);
        for (controls, treateds) in controls.chunks(SOME).zip(treateds.chunks(SOME)) {
            let into = shares.iter_mut().zip(&mut spreads);
            for ((control, treated), (share, spread)) in controls.iter().zip(treateds).zip(into) {
                (*share, *spread) = term(*control, *treated, self.ratio);
            }
            let shares = shares[..controls.len()].as_chunks::<LANES>().0;
            let spreads = spreads[..controls.len()].as_chunks::<LANES>().0;
            for (share, spread) in shares.iter().zip(spreads) {
                for lane in 0..LANES {
                    taken[lane] += share[lane];
                    information[lane] += spread[lane];
                }
            }
        }
        let [taken0, taken1, taken2, taken3] = taken;
        let [information0, information1, information2, information3] = information;
        let mut taken = (taken0 + taken2) + (taken1 + taken3);
        let mut information = (information0 + information2) + (information1 + information3);
        for (control, treated) in control_rest.iter().zip(treated_rest) {
            let (share, spread) = term(*control, *treated, self.ratio);
            taken += share;
            information += spread;
        }
        (taken, information)
    }
}

/// `tθ/φ` and `(tθ/φ)(c/φ)` of a death.
#[allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]
#[inline(always)]
fn term(control: f64, treated: f64, ratio: f64) -> (f64, f64) {
    let own = treated * ratio;
    let inverse = 1.0 / (control + own);
    let share = own * inverse;
    (share, share * (control * inverse))
}

impl Highest {
    /// Test and limits of the log hazard ratio.
    pub(crate) fn fit(&self, inference: &Inference) -> Fit {
        Fit::complete(self.coefficient, self.variance.sqrt(), 0.0, inference)
    }
}

#[cfg(test)]
mod tests {
    use super::ArmLikelihood;
    use crate::estimation::partial_likelihood::NoMaximum;
    use crate::estimation::settings::Ties;

    /// By hand: control dies among 2 and 1, then treated among 1 and 1, then control alone: `l' = 1 − θ/(2+θ) − θ/(1+θ)` is 0
    /// at θ² = 2; `−l'' = 2θ/(2+θ)² + θ/(1+θ)²`, and at 0 `l' = 1/6`, `−l'' = 2/9 + 1/4`, `l = −ln 3 − ln 2`.
    #[test]
    fn a_maximum_by_hand() {
        let mut own = ArmLikelihood::default();
        for ties in [Ties::Efron, Ties::Breslow] {
            own.clear();
            own.add([2, 1], [1, 0], ties);
            own.add([1, 1], [0, 1], ties);
            own.add([1, 0], [1, 0], ties);
            let found = own.maximum().unwrap();
            let ratio = 2f64.sqrt();
            assert!((found.coefficient - 0.5 * 2f64.ln()).abs() < 1e-15);
            let information = 2.0 * ratio / (2.0 + ratio).powi(2) + ratio / (1.0 + ratio).powi(2);
            assert!((found.variance * information - 1.0).abs() < 1e-14);
            assert!((found.score.unwrap() - (1.0 / 36.0) / (17.0 / 36.0)).abs() < 1e-15);
            assert!((found.log_likelihood[0] + 6f64.ln()).abs() < 1e-15);
        }
    }

    /// By hand: one control and one treated of two and two die together. Efron: φ is `2+2θ`, then `1.5+1.5θ`; Breslow twice
    /// `2+2θ`: θ = 1 by symmetry, and −l'' is ¼ each.
    #[test]
    fn ties_by_hand() {
        for (ties, log_likelihood) in [(Ties::Efron, -12f64.ln()), (Ties::Breslow, -16f64.ln())] {
            let mut own = ArmLikelihood::default();
            own.add([2, 2], [1, 1], ties);
            let found = own.maximum().unwrap();
            assert_eq!((found.coefficient, found.variance), (0.0, 2.0));
            assert!((found.log_likelihood[1] - log_likelihood).abs() < 1e-15);
        }
    }

    /// Many times at once are the same terms in the same order as one by one: single deaths, ties, and an arm alone.
    #[test]
    fn many_times_are_added_as_one_by_one() {
        let pair = |[control, treated]: [u32; 2]| u64::from(control) | u64::from(treated) << 32;
        for ties in [Ties::Efron, Ties::Breslow] {
            let (mut one, mut all) = (ArmLikelihood::default(), ArmLikelihood::default());
            let mut times = [Vec::new(), Vec::new()];
            for place in 0..100_u32 {
                let at_risk = [3 + place % 4, 2 + place % 3 * u32::from(place % 7 > 0)];
                let at_risk = [at_risk[0], at_risk[1] * u32::from(place % 11 > 0)];
                let events = [1 + u32::from(place % 5 == 0), u32::from(place % 6 == 1)];
                let events = [
                    events[0] - u32::from(events[1] > 0),
                    events[1].min(at_risk[1]),
                ];
                one.add(at_risk, events, ties);
                times[0].push(pair(at_risk));
                times[1].push(pair(events));
            }
            all.add_all(&times[0], &times[1], ties);
            assert_eq!(one.control, all.control);
            assert_eq!(one.treated, all.treated);
            assert_eq!((one.deaths, one.alone), (all.deaths, all.alone));
        }
    }

    #[test]
    fn without_a_maximum() {
        let mut own = ArmLikelihood::default();
        own.add([2, 0], [1, 0], Ties::Efron);
        assert_eq!(own.maximize(), Err(NoMaximum::NotCompared));
        own.add([1, 3], [0, 2], Ties::Efron);
        assert_eq!(own.maximize(), Err(NoMaximum::Diverges(vec![0])));
        // A ratio of a thousand is found all the same.
        for _ in 0..1000 {
            own.add([1, 1], [0, 1], Ties::Efron);
        }
        own.add([1, 1], [1, 0], Ties::Efron);
        assert!(own.maximize().is_ok_and(|found| found.coefficient > 6.0));
    }
}
