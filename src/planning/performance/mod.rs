//! How well a design and an analysis do over many simulated studies, each figure with its Monte Carlo standard error.
//!
//! Formulas are those of Morris, White and Crowther 2019 (doi 10.1002/sim.8086, table 6), except that an estimate is
//! compared with the true value of its own study. Studies are added one by one in the order of their numbers, so the
//! sums do not depend on threads. A study whose analysis fails counts as not rejecting; failures are a figure of their
//! own. What a figure is stands in `figure`, what one analysis shows in `analysis`, how its estimates vary in `spread`, what two cells show together in
//! `pairs`.

mod analysis;
mod centred;
mod families;
mod figure;
mod looks;
mod pairs;
mod spread;

pub use analysis::{About, AnalysisPerformance, Truth};
pub use families::FamilyPerformance;
pub use figure::{Bound, Figure, Moments, share};
pub use looks::{AboutLooks, LookPerformance, LooksPerformance, StageWisePerformance};
pub use pairs::{PairedPower, Rejections, with_exact_ends};

use super::judging::Judge;
use super::record::Record;
use analysis::AnalysisSums;
use families::FamilySums;
use looks::LookSums;

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
        let target = record.drawn.map_or(self.target, |own| own.target);
        self.target_reached += u64::from(record.families >= target);
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
                let answers = |place: usize| {
                    let own = self.analyses.get(place);
                    own.is_some_and(AnalysisSums::has_answers)
                };
                let (places, shown) = family.performance(self.replicates, answers);
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
    use super::{About, Record, Sums, Truth};
    use crate::planning::record::{AnalysisRecord, Found, NO_INTERVAL};

    fn close(figure: super::Figure, value: f64, mcse: f64) {
        assert!((figure.value.unwrap() - value).abs() < 1e-12, "{figure:?}");
        assert!((figure.mcse.unwrap() - mcse).abs() < 1e-12, "{figure:?}");
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
            drawn: None,
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
            level: 0.95,
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

    /// By hand: hazard ratios 2, infinite, 0 and 8 of which the infinite one rejects, and one failure. Two studies are left out of the
    /// standard errors: the logarithms of the others are log 2 and 3·log 2, whose standard deviation is √2·log 2.
    #[test]
    fn a_ratio_without_end_is_counted_and_left_out_of_standard_errors() {
        let about = About {
            limit: Some(0.05),
            adjusted: false,
            level: 0.95,
            is_null: false,
            believed: false,
            truth: Truth::Other { ratio: true },
        };
        let mut sums = Sums::new(&[about], 10, 2);
        for (ratio, std_error, p) in [
            (2.0, 0.5, 0.3),
            (f64::INFINITY, f64::INFINITY, 0.01),
            (0.0, f64::INFINITY, 0.1),
            (8.0, 0.5, 0.2),
        ] {
            sums.add(&record(0.0, Ok(found(ratio, std_error, p))));
        }
        sums.add(&record(0.0, Err("no-events")));
        let own = sums.analyses()[0];
        assert_eq!((own.replicates, own.failures, own.endless), (5, 1, 2));
        close(own.power, 0.2, (0.16_f64 / 5.0).sqrt());
        let spread = own.empirical_se.value.unwrap();
        assert!((spread - 2.0_f64.sqrt() * 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(own.model_se.value, Some(0.5));
    }

    /// By hand: two intervals, of which one holds its truth, and a study that redraws decide of without one.
    #[test]
    fn what_has_no_interval_is_in_no_coverage() {
        let mut sums = sums(Some(0.05), false);
        let (conf_low, conf_high) = NO_INTERVAL;
        let exact = Found {
            conf_low,
            conf_high,
            ..found(1.0, 0.0, 0.01)
        };
        sums.add(&record(0.0, Ok(exact)));
        let own = sums.analyses()[0];
        assert_eq!((own.failures, own.power.value), (0, Some(1.0)));
        assert_eq!((own.coverage.value, own.bias.value), (None, Some(1.0)));
        sums.add(&record(0.0, Ok(found(0.1, 0.1, 0.2))));
        sums.add(&record(0.0, Ok(found(0.4, 0.1, 0.2))));
        let own = sums.analyses()[0];
        assert_eq!((own.coverage.value, own.bias.value), (Some(0.5), Some(0.5)));
        assert_eq!(own.bias_eliminated_coverage.value, Some(0.5));
    }

    /// By hand: what fits every outcome exactly has no standard error, or one of 0, or of rounding without an interval. Of the others
    /// the estimates are 0, .2, .4 and .6 and the squared standard errors .03, .03, .05 and .09: the mean is .05, and its root over the
    /// standard deviation of these four, √(.2/3), is √.75. The estimates of all seven have the mean 4.2/7 = .6 and the squares
    /// .04 + .16 + .36 + 3 = 3.56, less 7·.36 = 2.52 is 1.04, over 6.
    #[test]
    fn what_is_fitted_exactly_is_left_out_of_the_model_standard_error() {
        let mut sums = sums(Some(0.05), false);
        let others = [(0.0, 0.03), (0.2, 0.03), (0.4, 0.05), (0.6, 0.09_f64)];
        let alone = others.map(|(estimate, square)| found(estimate, square.sqrt(), 0.2));
        let (conf_low, conf_high) = NO_INTERVAL;
        let exact = Found {
            conf_low,
            conf_high,
            ..found(1.0, 0.0, 0.01)
        };
        let rounded = Found {
            std_error: 1e-17,
            ..exact
        };
        for own in alone {
            sums.add(&record(0.0, Ok(own)));
        }
        let before = sums.analyses()[0];
        assert_eq!(before.exact, 0);
        for own in [exact, rounded, found(1.0, 0.0, 0.01)] {
            sums.add(&record(0.0, Ok(own)));
        }
        let own = sums.analyses()[0];
        assert_eq!((own.failures, own.endless, own.exact), (0, 0, 3));
        let near = |figure: super::Figure, value: f64| {
            assert!((figure.value.unwrap() - value).abs() < 1e-12, "{figure:?}");
        };
        near(own.model_se, 0.05_f64.sqrt());
        near(own.relative_error, 0.75_f64.sqrt() - 1.0);
        assert_eq!(
            (own.model_se, own.relative_error),
            (before.model_se, before.relative_error)
        );
        near(own.empirical_se, (1.04_f64 / 6.0).sqrt());
        near(own.bias, 0.6);
        near(own.power, 3.0 / 7.0);
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
            level: 0.95,
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

    /// By law: with a prior what has no true effect varies from study to study by what is drawn as well, so that its spread is no measure of
    /// its standard errors: here they are those of their own estimates exactly, each of which is the ratio that was drawn.
    #[test]
    fn what_has_no_true_effect_has_no_relative_error_with_a_prior() {
        let truths = [
            Truth::Other { ratio: true },
            Truth::Other { ratio: false },
            Truth::Bounded,
            Truth::Known,
        ];
        for (believed, truth) in truths.iter().flat_map(|own| [(true, own), (false, own)]) {
            let about = About {
                limit: Some(0.05),
                adjusted: false,
                level: 0.95,
                is_null: false,
                believed,
                truth: *truth,
            };
            let mut sums = Sums::new(&[about], 10, 0);
            for ratio in [0.5, 1.0, 2.0] {
                sums.add(&record(0.0, Ok(found(ratio, 0.01, 0.2))));
            }
            let own = sums.analyses()[0];
            if *truth == truths[0] {
                assert!((own.empirical_se.value.unwrap() - 2.0_f64.ln()).abs() < 1e-12);
            }
            assert!((own.model_se.value.unwrap() - 0.01).abs() < 1e-12);
            let without = believed && *truth != Truth::Known;
            assert_eq!(own.relative_error.value.is_none(), without, "{truth:?}");
        }
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

    /// By law, as of power: where no twin gave a p there is no size, and not the size 0.
    #[test]
    fn twins_that_never_answer_have_no_size() {
        let mut sums = sums(Some(0.05), false);
        let mut study = record(0.0, Ok(found(0.1, 0.1, 0.2)));
        for (twin, size) in [(Err("no-variation"), None), (Ok(0.5), Some(0.0))] {
            study.analyses[0].under_null = Some(twin);
            sums.add(&study);
            let own = sums.analyses()[0].size;
            assert_eq!(own.and_then(|own| own.value), size);
        }
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
