//! How well a design and an analysis do over many simulated studies, each figure with its Monte Carlo standard error.
//!
//! Formulas are those of Morris, White and Crowther 2019 (doi 10.1002/sim.8086, table 6), except that an estimate is
//! compared with the true value of its own study. Studies are added one by one in the order of their numbers, so the
//! sums do not depend on threads. A study whose analysis fails counts as not rejecting; failures are a figure of their
//! own. What one analysis shows is in `analysis`, how its estimates vary in `spread`, what two cells show together in
//! `pairs`.

mod analysis;
mod centred;
mod families;
mod looks;
mod pairs;
mod spread;

pub use analysis::{About, AnalysisPerformance, Truth};
pub use families::FamilyPerformance;
pub use looks::{AboutLooks, LookPerformance, LooksPerformance, StageWisePerformance};
pub use pairs::{PairedPower, Rejections, with_exact_ends};

use super::judging::Judge;
use super::record::Record;
use analysis::AnalysisSums;
use families::FamilySums;
use looks::LookSums;
use serde::Serialize;

/// A simulated figure; `None` where there are too few studies for it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figure {
    /// The figure.
    pub value: Option<f64>,
    /// Its Monte Carlo standard error.
    pub mcse: Option<f64>,
    /// Of a share of 0 or 1, and of a difference of shares between studies that all agree, whose standard errors are 0 however few
    /// studies there are: the lower end of its exact 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
}

/// What is known of a share that none or all of the studies have: it is no larger, or no smaller, than this.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Whether none has it, so that the share is at most `value`; else it is at least that.
    pub at_most: bool,
    /// The end of the interval, rounded away from the share to two digits.
    pub value: f64,
    /// Decimals of these.
    pub places: usize,
}

impl Figure {
    fn new(value: f64, mcse: f64) -> Self {
        let finite = |x: f64| x.is_finite().then_some(x);
        Self {
            value: finite(value),
            mcse: finite(mcse),
            lower: None,
            upper: None,
        }
    }

    /// The figure in other units, `by` times as large.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        let times = |own: Option<f64>| own.map(|own| by * own);
        Self {
            value: times(self.value),
            mcse: times(self.mcse),
            lower: times(self.lower),
            upper: times(self.upper),
        }
    }

    /// How far a difference of 0 between studies that all agree may be from 0 on either side, rounded up to two digits, and the
    /// decimals of these; `None` of every other figure.
    pub fn within(&self) -> Option<(f64, usize)> {
        let (value, lower, upper) = (self.value?, self.lower?, self.upper?);
        (lower < value && value < upper)
            .then(|| rounded_away(upper - value))
            .flatten()
    }

    /// What is known of a share of 0 or 1, or of a difference of −1 or 1; `None` of every other figure.
    pub fn bound(&self) -> Option<Bound> {
        let (value, lower, upper) = (self.value?, self.lower?, self.upper?);
        if lower < value && value < upper {
            return None;
        }
        let at_most = value <= lower;
        let (away, places) = rounded_away(upper - lower)?;
        Some(Bound {
            at_most,
            value: if at_most { lower + away } else { upper - away },
            places,
        })
    }
}

/// A distance above 0 rounded up to two digits, and their decimals.
fn rounded_away(away: f64) -> Option<(f64, usize)> {
    if away <= 0.0 {
        return None;
    }
    let places = (1.0 - away.log10().floor()).clamp(0.0, 12.0) as usize;
    let unit = 10.0_f64.powi(-(places as i32));
    // What is a whole number of units up to rounding stays it.
    Some(((away / unit - 1e-9).ceil() * unit, places))
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

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.n
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
}

/// A share with its standard error `√(p(1 − p)/n)`, and of 0 or 1 the exact 95 % interval, whose other end is `1 − .025^(1/n)`
/// away (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404).
pub fn share(count: u64, of: u64) -> Figure {
    let (p, n) = (count as f64 / of as f64, of as f64);
    let mut figure = Figure::new(p, (p * (1.0 - p) / n).sqrt());
    let away = 1.0 - libm::pow(0.025, 1.0 / n);
    let ends = match count {
        _ if of == 0 => None,
        0 => Some((0.0, away)),
        all if all == of => Some((1.0 - away, 1.0)),
        _ => None,
    };
    (figure.lower, figure.upper) = ends.unzip();
    figure
}

/// How enrolment and allocation went, over all studies of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyPerformance {
    /// Families randomized.
    pub families: Figure,
    /// Families screened.
    pub screened: Figure,
    /// Families turned away by a closed gate.
    pub turned_away: Figure,
    /// Families turned away by a closed gate and never randomized.
    pub lost: Figure,
    /// Share of studies that reached the protocol's target.
    pub target_reached: Figure,
    /// Days on which a gate was closed, over all sites.
    pub days_closed: Figure,
    /// Share of arms that could be guessed.
    pub correct_guess_share: Figure,
    /// Largest imbalance over strata at the end.
    pub imbalance: Figure,
    /// Families randomized by the end of each calendar month of enrolment.
    pub reached: Vec<Figure>,
}

/// Sums over the studies of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    replicates: u64,
    target: u32,
    target_reached: u64,
    families: Moments,
    screened: Moments,
    turned_away: Moments,
    lost: Moments,
    days_closed: Moments,
    correct: Moments,
    imbalance: Moments,
    reached: Vec<Moments>,
    analyses: Vec<AnalysisSums>,
    looks: Option<LookSums>,
    judge: Judge,
    together: Vec<FamilySums>,
}

impl Sums {
    /// Nothing yet; what is known of each analysis, the protocol's target, and the calendar months of enrolment.
    pub fn new(analyses: &[About], target: u32, months: usize) -> Self {
        let none = Moments::default();
        Self {
            replicates: 0,
            target,
            target_reached: 0,
            families: none,
            screened: none,
            turned_away: none,
            lost: none,
            days_closed: none,
            correct: none,
            imbalance: none,
            reached: vec![none; months],
            analyses: analyses.iter().map(AnalysisSums::new).collect(),
            looks: None,
            judge: Judge::alone(analyses.iter().map(|own| own.limit)),
            together: Vec::new(),
        }
    }

    /// With comparisons that are judged together.
    #[must_use]
    pub fn with_judge(mut self, judge: Judge, null: &[bool]) -> Self {
        self.together = FamilySums::of(&judge, null);
        self.judge = judge;
        self
    }

    /// With an analysis that is monitored.
    #[must_use]
    pub fn with_looks(mut self, looks: Option<&AboutLooks>) -> Self {
        self.looks = looks.map(LookSums::new);
        self
    }

    /// Adds the next study.
    pub fn add(&mut self, record: &Record) {
        self.families.add(f64::from(record.families));
        self.screened.add(f64::from(record.screened));
        self.turned_away.add(f64::from(record.turned_away));
        self.lost.add(f64::from(record.lost));
        self.days_closed.add(f64::from(record.days_closed));
        self.imbalance.add(record.imbalance);
        self.target_reached += u64::from(record.families >= self.target);
        if let Some(share) = record.correct_guess_share {
            self.correct.add(share);
        }
        // A study whose enrolment a prior made shorter stands where it ended.
        for (month, sums) in self.reached.iter_mut().enumerate() {
            let families = record.reached.get(month).copied();
            sums.add(f64::from(families.unwrap_or(record.families)));
        }
        let rejected = self.judge.rejects(record);
        let twins = self.judge.rejects_twins(&record.analyses);
        let decided = rejected.iter().copied().zip(twins);
        let each = self.analyses.iter_mut().zip(&record.analyses);
        for ((sums, analysis), decided) in each.zip(decided) {
            sums.add(self.replicates, analysis, decided);
        }
        for family in &mut self.together {
            family.add(&self.judge, &record.analyses, &rejected);
        }
        if let Some(looks) = &mut self.looks {
            looks.add(&record.analyses, record.families);
        }
        self.replicates += 1;
    }

    /// Studies so far.
    pub fn replicates(&self) -> u64 {
        self.replicates
    }

    /// Analyses of which no study so far has given numbers: their places, and why the first study gave none.
    pub fn all_failed(&self) -> Vec<(usize, &'static str)> {
        let places = self.analyses.iter().enumerate();
        places
            .filter_map(|(place, sums)| Some((place, sums.all_failed(self.replicates)?)))
            .collect()
    }

    /// Whether every power is known to within a Monte Carlo standard error.
    pub fn is_precise(&self, mcse: f64) -> bool {
        let mut each = self.analyses.iter();
        each.all(|sums| sums.is_precise(self.replicates, mcse))
    }

    /// Performance of every analysis.
    pub fn analyses(&self) -> Vec<AnalysisPerformance> {
        let each = self.analyses.iter();
        let each = each.map(|sums| sums.performance(self.replicates));
        let mut found: Vec<AnalysisPerformance> = each.collect();
        if self.replicates > 0 {
            for family in &self.together {
                let (places, shown) = family.performance(self.replicates);
                for place in places {
                    if let Some(own) = found.get_mut(*place) {
                        own.family = Some(shown);
                    }
                }
            }
        }
        found
    }

    /// Which studies rejected, for every analysis; `None` for one that decides nothing.
    pub fn rejections(&self) -> Vec<Option<Rejections>> {
        self.analyses.iter().map(AnalysisSums::rejections).collect()
    }

    /// How the looks at a monitored analysis went.
    pub fn looks(&self) -> Option<LooksPerformance> {
        self.looks.as_ref().map(LookSums::performance)
    }

    /// How enrolment and allocation went.
    pub fn studies(&self) -> StudyPerformance {
        StudyPerformance {
            families: self.families.mean(),
            screened: self.screened.mean(),
            turned_away: self.turned_away.mean(),
            lost: self.lost.mean(),
            target_reached: if self.replicates == 0 {
                Figure::default()
            } else {
                share(self.target_reached, self.replicates)
            },
            days_closed: self.days_closed.mean(),
            correct_guess_share: self.correct.mean(),
            imbalance: self.imbalance.mean(),
            reached: self.reached.iter().map(Moments::mean).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{About, Moments, Record, Sums, Truth, share};
    use crate::planning::record::{AnalysisRecord, Found};

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
    }

    #[test]
    fn shares_of_the_literature() {
        // 800 of 1000: .012649; 500 of 10,000: .0021794 (√(p(1−p)/n)).
        assert!((share(800, 1000).mcse.unwrap() - 0.012_649).abs() < 5e-7);
        assert!((share(500, 10_000).mcse.unwrap() - 0.002_179_4).abs() < 5e-8);
    }

    /// By hand: 1 − .025^(1/1000) = .0036821, of one study .975; shown to two digits, never on the wrong side.
    #[test]
    fn none_and_all_of_some_studies_have_a_bound() {
        let none = share(0, 1000);
        assert!((none.upper.unwrap() - 0.003_682_1).abs() < 5e-8);
        assert_eq!((none.mcse, none.lower), (Some(0.0), Some(0.0)));
        let bound = none.bound().unwrap();
        assert!(bound.at_most && (bound.value - 0.0037).abs() < 1e-12);
        assert_eq!(bound.places, 4);
        let all = share(1000, 1000);
        let bound = all.bound().unwrap();
        assert!(!bound.at_most && (bound.value - 0.9963).abs() < 1e-12);
        let percent = all.scaled(100.0).bound().unwrap();
        assert!((percent.value - 99.63).abs() < 1e-9 && percent.places == 2);
        assert!((share(0, 1).upper.unwrap() - 0.975).abs() < 1e-12);
        for own in [share(1, 1000), share(999, 1000), share(0, 0)] {
            assert_eq!((own.lower, own.upper, own.bound()), (None, None, None));
        }
        let text = serde_json::to_string(&share(500, 1000)).unwrap();
        assert!(!text.contains("lower"), "{text}");
    }

    fn record(truth: f64, found: Result<Found, &'static str>) -> Record {
        Record {
            families: 10,
            screened: 12,
            turned_away: 1,
            enrolment_days: 300,
            lost: 1,
            days_closed: 3,
            replacements: 0,
            correct_guess_share: Some(0.5),
            imbalance: 1.0,
            reached: vec![4, 10],
            analyses: vec![AnalysisRecord {
                truth,
                found,
                joint: None,
                under_null: None,
                looked: None,
            }],
        }
    }

    fn sums(limit: Option<f64>, is_null: bool) -> Sums {
        let about = About {
            limit,
            adjusted: false,
            is_null,
            believed: false,
            truth: Truth::Known,
        };
        Sums::new(&[about], 10, 2)
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
        let mut sums = sums(Some(0.05), false);
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
        // Estimates: mean .1, squares 0 + .04 + .04, variance .04; fourth powers .0032, over 3; (n − 3)/(n − 1) is 0.
        let of_square = 0.0032_f64 / 3.0 / 3.0;
        close(p.empirical_se, 0.2, of_square.sqrt() / 0.4);
        // Squared standard errors .01, .01, .0025: mean .0075, variance (2·.0025² + .005²)/2 = 1.875e-5.
        let model = 0.0075_f64.sqrt();
        close(
            p.model_se,
            model,
            (1.875e-5_f64 / (4.0 * 3.0 * 0.0075)).sqrt(),
        );
        // Σ(v − v̄)(x − x̄)² = .0025·0 + .0025·.04 − .005·.04 = −.0001, over n² = 9.
        let relative = 1.875e-5_f64 / (3.0 * 0.0075 * 0.0075)
            + of_square / 0.0016
            + 2.0 * 0.0001 / (9.0 * 0.0075 * 0.04);
        close(
            p.relative_error,
            model / 0.2 - 1.0,
            model / 0.2 * relative.sqrt() / 2.0,
        );
        // 0 in (−.1, .3), .1 at the limit of (.1, .5) up to rounding, .1 not in (−.2, 0).
        assert!(p.coverage.value.unwrap() < 1.0);
        assert!((p.estimand.value.unwrap() - 0.075).abs() < 1e-15);
        // Squared errors .01, .04, .04: mean .03, squares around it .0004 + .0001 + .0001, variance .0003.
        close(p.mean_squared_error, 0.03, (0.0003_f64 / 3.0).sqrt());
        // Ends − truth: (−.1, .3), (0, .4), (−.3, −.1); the mean error 1/30 lies in the first two.
        close(
            p.bias_eliminated_coverage,
            2.0 / 3.0,
            (2.0_f64 / 27.0).sqrt(),
        );
        let studies = sums.studies();
        close(studies.reached[0], 4.0, 0.0);
        close(studies.target_reached, 1.0, 0.0);
        assert_eq!(sums.all_failed(), []);
    }

    /// By law: with a prior the share is an assurance and no power, and estimates vary around truths that vary too, so that
    /// what their standard errors are held against is the spread of the errors: .1, .2, −.2, variance .0433333.
    #[test]
    fn a_prior_turns_power_into_assurance() {
        let about = About {
            limit: Some(0.05),
            adjusted: false,
            is_null: false,
            believed: true,
            truth: Truth::Known,
        };
        let mut sums = Sums::new(&[about], 10, 0);
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.2))));
        sums.add(&record(0.1, Ok(found(0.3, 0.1, 0.05))));
        sums.add(&record(0.1, Ok(found(-0.1, 0.05, 0.01))));
        let p = sums.analyses()[0];
        assert_eq!(p.power, super::Figure::default());
        assert!((p.assurance.unwrap().value.unwrap() - 2.0 / 3.0).abs() < 1e-15);
        let spread = 0.043_333_333_333_333_33_f64.sqrt();
        // Fourth powers of .2/3, .5/3 and −.7/3 in thirds of a tenth: (16 + 625 + 2401)/81e4, over 3; (n − 3)/(n − 1) is 0.
        let of_square = (16.0 + 625.0 + 2401.0) / 81e4 / 9.0;
        close(
            p.empirical_se,
            spread,
            f64::sqrt(of_square) / (2.0 * spread),
        );
    }

    /// By hand: of four twins one rejects, one fails: size 1/4.
    #[test]
    fn the_size_counts_failures_as_not_rejecting() {
        let mut sums = sums(Some(0.05), false);
        for p in [Ok(0.04), Ok(0.06), Err("no-rows"), Ok(0.5)] {
            let mut study = record(0.0, Ok(found(0.1, 0.1, 0.2)));
            study.analyses[0].under_null = Some(p);
            sums.add(&study);
        }
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.2))));
        let size = sums.analyses()[0].size.unwrap();
        close(size, 0.25, (0.25_f64 * 0.75 / 4.0).sqrt());
    }

    #[test]
    fn an_analysis_that_never_answers_is_named() {
        let mut sums = sums(Some(0.05), false);
        assert_eq!(sums.all_failed(), []);
        sums.add(&record(0.0, Err("no-rows")));
        assert_eq!(sums.all_failed(), [(0, "no-rows")]);
        // It has no power, not the power 0.
        assert_eq!(sums.analyses()[0].power.value, None);
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.2))));
        assert_eq!(sums.all_failed(), []);
        assert_eq!(sums.analyses()[0].power.value, Some(0.0));
    }

    #[test]
    fn type_i_error_is_said_only_when_nothing_differs() {
        let mut sums = sums(Some(0.05), true);
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.01))));
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.5))));
        assert_eq!(sums.analyses()[0].type_i_error.unwrap().value, Some(0.5));
        assert!(!sums.is_precise(0.01));
    }

    /// By law: an analysis that may decide nothing has no power, however small its p.
    #[test]
    fn what_decides_nothing_has_no_power() {
        let mut sums = sums(None, true);
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.0001))));
        sums.add(&record(0.0, Ok(found(0.3, 0.1, 0.5))));
        let p = sums.analyses()[0];
        assert_eq!((p.power, p.type_i_error), (super::Figure::default(), None));
        close(p.bias, 0.2, 0.1); // errors .1 and .3
    }
}
