//! How well a design and an analysis do over many simulated studies, each figure with its Monte Carlo standard error.
//!
//! Formulas are those of Morris, White and Crowther 2019 (doi 10.1002/sim.8086, table 6), except that an estimate is
//! compared with the true value of its own study. Studies are added one by one in the order of their numbers, so the
//! sums do not depend on threads. A study whose analysis fails counts as not rejecting; failures are a figure of their
//! own.

use super::study::{AnalysisRecord, Record};
use serde::Serialize;

/// A simulated figure; `None` where there are too few studies for it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figure {
    /// The figure.
    pub value: Option<f64>,
    /// Its Monte Carlo standard error.
    pub mcse: Option<f64>,
}

impl Figure {
    fn new(value: f64, mcse: f64) -> Self {
        let finite = |x: f64| x.is_finite().then_some(x);
        Self {
            value: finite(value),
            mcse: finite(mcse),
        }
    }
}

/// Mean and sum of squares around it, updated value by value (Welford 1962).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    n: u64,
    mean: f64,
    square: f64,
}

impl Moments {
    /// Adds a value.
    pub fn add(&mut self, x: f64) {
        self.n += 1;
        let before = x - self.mean;
        self.mean += before / self.n as f64;
        self.square += before * (x - self.mean);
    }

    /// Adds a value, if there is one.
    pub fn extend(&mut self, x: Option<f64>) {
        if let Some(x) = x {
            self.add(x);
        }
    }

    /// Variance with n − 1.
    pub fn variance(&self) -> f64 {
        self.square / (self.n as f64 - 1.0)
    }

    /// The mean with its standard error.
    pub fn mean(&self) -> Figure {
        if self.n == 0 {
            return Figure::default();
        }
        Figure::new(self.mean, (self.variance() / self.n as f64).sqrt())
    }

    /// The standard deviation with its standard error `S/√(2(n − 1))`.
    pub fn deviation(&self) -> Figure {
        let s = self.variance().sqrt();
        Figure::new(s, s / (2.0 * (self.n as f64 - 1.0)).sqrt())
    }
}

/// A share with its standard error `√(p(1 − p)/n)`.
pub fn share(count: u64, of: u64) -> Figure {
    let (p, n) = (count as f64 / of as f64, of as f64);
    Figure::new(p, (p * (1.0 - p) / n).sqrt())
}

/// What an analysis found over many studies.
#[derive(Debug, Clone, PartialEq, Default)]
struct AnalysisSums {
    /// Limit of the deciding p; `None` where the analysis decides nothing.
    alpha: Option<f64>,
    failures: u64,
    first_failure: Option<(u64, &'static str)>,
    rejections: u64,
    covered: u64,
    truth: Moments,
    is_null: bool,
    estimate: Moments,
    error: Moments,
    variance: Moments,
}

impl AnalysisSums {
    fn add(&mut self, replicate: u64, record: &AnalysisRecord) {
        self.truth.add(record.truth);
        match &record.found {
            Err(code) => {
                self.failures += 1;
                self.first_failure = self.first_failure.or(Some((replicate, code)));
            }
            Ok(found) => {
                self.rejections +=
                    u64::from(self.alpha.is_some_and(|alpha| found.p_value <= alpha));
                let inside = found.conf_low <= record.truth && record.truth <= found.conf_high;
                self.covered += u64::from(inside);
                self.estimate.add(found.estimate);
                self.error.add(found.estimate - record.truth);
                self.variance.add(found.std_error * found.std_error);
            }
        }
    }

    fn performance(&self, replicates: u64) -> AnalysisPerformance {
        let n = self.estimate.n as f64;
        let power = match self.alpha {
            Some(_) => share(self.rejections, replicates),
            None => Figure::default(),
        };
        let empirical = self.estimate.deviation();
        // Root of the mean squared standard error; delta method for its own error.
        let mean_square = self.variance.mean;
        let model = mean_square.sqrt();
        let spread = self.variance.variance() / (4.0 * n * mean_square);
        let (model_se, relative) = if self.estimate.n < 2 {
            (Figure::default(), Figure::default())
        } else {
            let s = self.estimate.variance().sqrt();
            let ratio = model / s;
            let relative_spread = spread / mean_square + 1.0 / (2.0 * (n - 1.0));
            (
                Figure::new(model, spread.sqrt()),
                Figure::new(ratio - 1.0, ratio * relative_spread.sqrt()),
            )
        };
        AnalysisPerformance {
            replicates,
            failures: self.failures,
            first_failure: self.first_failure,
            power,
            type_i_error: (self.is_null && self.alpha.is_some() && replicates > 0).then_some(power),
            bias: self.error.mean(),
            empirical_se: if self.estimate.n < 2 {
                Figure::default()
            } else {
                empirical
            },
            model_se,
            relative_error: relative,
            coverage: if self.estimate.n == 0 {
                Figure::default()
            } else {
                share(self.covered, self.estimate.n)
            },
            estimand: self.truth.mean(),
        }
    }
}

/// Performance of one analysis in one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnalysisPerformance {
    /// Studies.
    pub replicates: u64,
    /// Studies whose analysis gave no numbers.
    pub failures: u64,
    /// Number of the first of them, and why.
    pub first_failure: Option<(u64, &'static str)>,
    /// Share of all studies that reject; a failure does not reject. Without a value where the analysis decides nothing.
    pub power: Figure,
    /// The same, where the services do not differ in what drives the outcome.
    pub type_i_error: Option<Figure>,
    /// Mean of estimate − true value of its study.
    pub bias: Figure,
    /// Standard deviation of the estimates.
    pub empirical_se: Figure,
    /// Root of the mean squared standard error.
    pub model_se: Figure,
    /// model_se / empirical_se − 1.
    pub relative_error: Figure,
    /// Share of intervals that hold the true value of their study, among analyses that gave numbers.
    pub coverage: Figure,
    /// Mean of the true values.
    pub estimand: Figure,
}

/// How enrolment and allocation went, over all studies of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudyPerformance {
    /// Families randomized.
    pub families: Figure,
    /// Families screened.
    pub screened: Figure,
    /// Families turned away by a closed gate.
    pub turned_away: Figure,
    /// Days on which a gate was closed, over all sites.
    pub days_closed: Figure,
    /// Share of arms that could be guessed.
    pub correct_guess_share: Figure,
    /// Largest imbalance over strata at the end.
    pub imbalance: Figure,
}

/// Sums over the studies of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    replicates: u64,
    families: Moments,
    screened: Moments,
    turned_away: Moments,
    days_closed: Moments,
    correct: Moments,
    imbalance: Moments,
    analyses: Vec<AnalysisSums>,
}

impl Sums {
    /// Nothing yet; the limit of each analysis' deciding p, and whether its expected effect is zero.
    pub fn new(analyses: &[(Option<f64>, bool)]) -> Self {
        Self {
            replicates: 0,
            families: Moments::default(),
            screened: Moments::default(),
            turned_away: Moments::default(),
            days_closed: Moments::default(),
            correct: Moments::default(),
            imbalance: Moments::default(),
            analyses: analyses
                .iter()
                .map(|(alpha, is_null)| AnalysisSums {
                    alpha: *alpha,
                    is_null: *is_null,
                    ..AnalysisSums::default()
                })
                .collect(),
        }
    }

    /// Adds the next study.
    pub fn add(&mut self, record: &Record) {
        self.families.add(f64::from(record.families));
        self.screened.add(f64::from(record.screened));
        self.turned_away.add(f64::from(record.turned_away));
        self.days_closed.add(f64::from(record.days_closed));
        self.imbalance.add(record.imbalance);
        if let Some(share) = record.correct_guess_share {
            self.correct.add(share);
        }
        for (sums, analysis) in self.analyses.iter_mut().zip(&record.analyses) {
            sums.add(self.replicates, analysis);
        }
        self.replicates += 1;
    }

    /// Studies so far.
    pub fn replicates(&self) -> u64 {
        self.replicates
    }

    /// Whether every power is known to within a Monte Carlo standard error.
    pub fn is_precise(&self, mcse: f64) -> bool {
        let mut deciding = self.analyses.iter().filter(|sums| sums.alpha.is_some());
        deciding.all(|sums| {
            // One rejection more and one less than seen: none of 1,000 is not infinitely precise.
            let n = self.replicates as f64;
            let p = (sums.rejections as f64 + 1.0) / (n + 2.0);
            (p * (1.0 - p) / n).sqrt() <= mcse
        })
    }

    /// Performance of every analysis.
    pub fn analyses(&self) -> Vec<AnalysisPerformance> {
        self.analyses
            .iter()
            .map(|sums| sums.performance(self.replicates))
            .collect()
    }

    /// How enrolment and allocation went.
    pub fn studies(&self) -> StudyPerformance {
        StudyPerformance {
            families: self.families.mean(),
            screened: self.screened.mean(),
            turned_away: self.turned_away.mean(),
            days_closed: self.days_closed.mean(),
            correct_guess_share: self.correct.mean(),
            imbalance: self.imbalance.mean(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AnalysisRecord, Moments, Record, Sums, share};
    use crate::planning::study::Found;

    fn close(figure: super::Figure, value: f64, mcse: f64) {
        assert!((figure.value.unwrap() - value).abs() < 1e-12, "{figure:?}");
        assert!((figure.mcse.unwrap() - mcse).abs() < 1e-12, "{figure:?}");
    }

    #[test]
    fn moments_by_hand() {
        // 1, 2, 6: mean 3, squares 4 + 1 + 9 = 14, variance 7, standard error of the mean √(7/3).
        let mut moments = Moments::default();
        for x in [1.0, 2.0, 6.0] {
            moments.add(x);
        }
        close(moments.mean(), 3.0, (7.0_f64 / 3.0).sqrt());
        close(moments.deviation(), 7.0_f64.sqrt(), 7.0_f64.sqrt() / 2.0);
    }

    #[test]
    fn shares_of_the_literature() {
        // 800 of 1000: .012649; 500 of 10,000: .0021794 (√(p(1−p)/n)).
        assert!((share(800, 1000).mcse.unwrap() - 0.012_649).abs() < 5e-7);
        assert!((share(500, 10_000).mcse.unwrap() - 0.002_179_4).abs() < 5e-8);
    }

    fn record(truth: f64, found: Result<Found, &'static str>) -> Record {
        Record {
            families: 10,
            screened: 12,
            turned_away: 1,
            enrolment_days: 300,
            days_closed: 3,
            correct_guess_share: Some(0.5),
            imbalance: 1.0,
            analyses: vec![AnalysisRecord { truth, found }],
        }
    }

    fn found(estimate: f64, std_error: f64, p_value: f64) -> Found {
        Found {
            estimate,
            std_error,
            conf_low: estimate - 2.0 * std_error,
            conf_high: estimate + 2.0 * std_error,
            p_value,
        }
    }

    #[test]
    fn three_studies_and_a_failure_by_hand() {
        // Estimates 0.1, 0.3, −0.1; truths 0, 0.1, 0.1; standard errors 0.1, 0.1, 0.05. Errors 0.1, 0.2, −0.2.
        let mut sums = Sums::new(&[(Some(0.05), false)]);
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.2))));
        sums.add(&record(0.1, Ok(found(0.3, 0.1, 0.05))));
        sums.add(&record(0.1, Ok(found(-0.1, 0.05, 0.01))));
        sums.add(&record(0.1, Err("no-rows")));
        let p = sums.analyses()[0];
        assert_eq!(
            (p.replicates, p.failures, p.first_failure),
            (4, 1, Some((3, "no-rows")))
        );
        close(p.power, 0.5, (0.25_f64 / 4.0).sqrt());
        assert_eq!(p.type_i_error, None);
        // Errors: mean 1/30, squares around it .09 − 3/900 = .0866667, variance .0433333, over 3.
        close(
            p.bias,
            0.1 / 3.0,
            (0.043_333_333_333_333_33_f64 / 3.0).sqrt(),
        );
        // Estimates: mean .1, squares 0 + .04 + .04, variance .04.
        close(p.empirical_se, 0.2, 0.2 / 2.0);
        // Squared standard errors .01, .01, .0025: mean .0075, variance (2·.0025² + .005²)/2 = 1.875e-5.
        let model = 0.0075_f64.sqrt();
        close(
            p.model_se,
            model,
            (1.875e-5_f64 / (4.0 * 3.0 * 0.0075)).sqrt(),
        );
        let relative = (1.875e-5_f64 / (4.0 * 3.0 * 0.0075 * 0.0075) + 0.25).sqrt();
        close(p.relative_error, model / 0.2 - 1.0, model / 0.2 * relative);
        // 0 in (−.1, .3), .1 at the limit of (.1, .5) up to rounding, .1 not in (−.2, 0).
        assert!(p.coverage.value.unwrap() < 1.0);
        assert!((p.estimand.value.unwrap() - 0.075).abs() < 1e-15);
    }

    #[test]
    fn type_i_error_is_said_only_when_nothing_differs() {
        let mut sums = Sums::new(&[(Some(0.05), true)]);
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.01))));
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.5))));
        assert_eq!(sums.analyses()[0].type_i_error.unwrap().value, Some(0.5));
        assert!(!sums.is_precise(0.01));
    }

    /// By law: an analysis that may decide nothing has no power, however small its p.
    #[test]
    fn what_decides_nothing_has_no_power() {
        let mut sums = Sums::new(&[(None, true)]);
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.0001))));
        sums.add(&record(0.0, Ok(found(0.3, 0.1, 0.5))));
        let p = sums.analyses()[0];
        assert_eq!((p.power, p.type_i_error), (super::Figure::default(), None));
        close(p.bias, 0.2, 0.1); // errors .1 and .3
    }
}
