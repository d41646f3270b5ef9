//! What one analysis found over many studies.

use super::centred::Centred;
use super::families::FamilyPerformance;
use super::pairs::{PairedPower, Rejections};
use super::spread::Spread;
use super::{Figure, Moments, share};
use crate::planning::judging::Twin;
use crate::planning::record::AnalysisRecord;

/// What is known of an analysis before it is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct About {
    /// Limit of the deciding p; `None` where the analysis decides nothing.
    pub limit: Option<f64>,
    /// Whether the p is adjusted for others beside it.
    pub adjusted: bool,
    /// Level of its interval.
    pub level: f64,
    /// Whether its expected effect is zero.
    pub is_null: bool,
    /// Whether a parameter is drawn from a prior, so that the share of studies that reject is an assurance.
    pub believed: bool,
    /// Whether the true effect of a study is known on the scale of the estimate.
    pub truth: Truth,
}

/// Whether the true effect of a study is known on the scale of the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// The mean difference of potential outcomes is what is estimated.
    Known,
    /// The mean difference of potential outcomes is what the interval is of, and the estimate is a bound of it.
    Bounded,
    /// It is another measure, whose true value in a study has no simple form: a ratio, a complier effect, a test.
    Other {
        /// Whether it is a ratio, with its standard error on the scale of the logarithm.
        ratio: bool,
    },
}

/// Sums over the studies that an analysis was run on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AnalysisSums {
    about: About,
    failures: u64,
    first_failure: Option<(u64, &'static str)>,
    /// Studies that gave numbers.
    answered: u64,
    /// Of those the ones whose ratio has no finite logarithm.
    endless: u64,
    /// Of those the ones that leave nothing over for a standard error.
    exact: u64,
    rejections: u64,
    /// Rejections by the p alone, before it is adjusted.
    unadjusted: u64,
    rejected: Rejections,
    covered: u64,
    /// Studies that gave an interval.
    bounded: u64,
    truth: Moments,
    /// Of all estimates, and of those that come with a standard error: what these say is held against how they vary themselves.
    spread: Spread,
    stated: Spread,
    error: Moments,
    squared_error: Moments,
    centred: Centred,
    null_studies: u64,
    /// Twins that gave a p.
    null_answered: u64,
    null_rejections: u64,
    /// Twins that were judged by the p alone.
    null_alone: u64,
}

impl AnalysisSums {
    pub(super) fn new(about: &About) -> Self {
        let none = Moments::default();
        Self {
            about: *about,
            failures: 0,
            first_failure: None,
            answered: 0,
            endless: 0,
            exact: 0,
            rejections: 0,
            unadjusted: 0,
            rejected: Rejections::default(),
            covered: 0,
            bounded: 0,
            truth: none,
            spread: Spread::default(),
            stated: Spread::default(),
            error: none,
            squared_error: none,
            centred: Centred::default(),
            null_studies: 0,
            null_answered: 0,
            null_rejections: 0,
            null_alone: 0,
        }
    }

    /// Adds a study, and whether the comparison is rejected there as registered, and in its twin, if it has one.
    pub(super) fn add(
        &mut self,
        replicate: u64,
        record: &AnalysisRecord,
        (rejects, twin): (bool, Option<Twin>),
    ) {
        self.truth.add(record.truth);
        if let Some(twin) = twin {
            self.null_studies += 1;
            self.null_answered += u64::from(matches!(record.under_null, Some(Ok(_))));
            self.null_rejections += u64::from(twin.rejects);
            self.null_alone += u64::from(twin.by_p_alone);
        }
        let found = match &record.found {
            Err(code) => {
                self.failures += 1;
                self.first_failure = self.first_failure.or(Some((replicate, code)));
                self.rejected.add(false);
                return;
            }
            Ok(found) => found,
        };
        let alone = self.about.limit.is_some_and(|limit| record.rejects(limit));
        self.unadjusted += u64::from(alone);
        self.rejections += u64::from(rejects);
        self.rejected.add(rejects);
        let inside = found.conf_low <= record.truth && record.truth <= found.conf_high;
        self.covered += u64::from(inside);
        self.bounded += u64::from(found.has_interval());
        let error = found.estimate - record.truth;
        self.answered += 1;
        let varies = match self.about.truth {
            Truth::Other { ratio: true } => libm::log(found.estimate),
            // Estimates vary around truths that vary themselves once there is a prior.
            Truth::Known if self.about.believed => error,
            Truth::Known | Truth::Bounded | Truth::Other { ratio: false } => found.estimate,
        };
        if !varies.is_finite() {
            // An odds ratio with an empty cell, a hazard ratio with an arm without events: it decides, and has no mean.
            self.endless += 1;
            return;
        }
        self.spread.add(varies, found.std_error);
        if found.is_exact() {
            // Its standard error of 0 says nothing of how estimates vary.
            self.exact += 1;
        } else {
            self.stated.add(varies, found.std_error);
        }
        self.error.add(error);
        self.squared_error.add(error * error);
        if !found.has_interval() {
            return;
        }
        let ends = (
            found.conf_low - record.truth,
            found.conf_high - record.truth,
        );
        self.centred.add(ends, &self.error);
    }

    /// Whether any study gave numbers.
    pub(super) fn has_answers(&self) -> bool {
        self.answered > 0
    }

    pub(super) fn all_failed(&self, replicates: u64) -> Option<&'static str> {
        let all = replicates > 0 && self.failures == replicates;
        all.then_some(self.first_failure?.1)
    }

    pub(super) fn is_precise(&self, replicates: u64, mcse: f64) -> bool {
        // One rejection more and one less than seen: none of 1,000 is not infinitely precise.
        let n = replicates as f64;
        let p = (self.rejections as f64 + 1.0) / (n + 2.0);
        self.about.limit.is_none() || (p * (1.0 - p) / n).sqrt() <= mcse
    }

    pub(super) fn rejections(&self) -> Option<Rejections> {
        // As power, which a failure is never: without a study that gave numbers there is nothing to compare.
        let decides = self.about.limit.is_some() && self.answered > 0;
        decides.then(|| self.rejected.clone())
    }

    pub(super) fn performance(&self, replicates: u64) -> AnalysisPerformance {
        let rejecting = match self.about.limit {
            // Without a study that gave numbers there is no power: a failure is never shown as 0.
            Some(_) if replicates > self.failures => Some(share(self.rejections, replicates)),
            _ => None,
        };
        let believed = self.about.believed;
        let known = self.about.truth == Truth::Known;
        // Then estimates vary with what is drawn too, which no standard error is of, and no true value takes it out.
        let spreads = believed && !known;
        let against = |figure: Figure| if known { figure } else { Figure::default() };
        let within = known || self.about.truth == Truth::Bounded;
        let held = |figure: Figure| if within { figure } else { Figure::default() };
        // As power: without a twin that gave a p there is no size.
        let size = (self.null_answered > 0 && replicates > self.failures)
            .then(|| share(self.null_rejections, self.null_studies));
        AnalysisPerformance {
            replicates,
            level: self.about.level,
            failures: self.failures,
            first_failure: self.first_failure,
            endless: self.endless,
            exact: self.exact,
            power: rejecting.filter(|_| !believed).unwrap_or_default(),
            assurance: rejecting.filter(|_| believed),
            type_i_error: rejecting.filter(|_| self.about.is_null),
            size,
            size_by_p_alone: size
                .filter(|_| self.about.adjusted)
                .map(|_| self.null_alone > 0),
            bias: against(self.error.mean()),
            empirical_se: self.spread.empirical_se(),
            model_se: self.stated.model_se(),
            relative_error: if spreads {
                Figure::default()
            } else {
                self.stated.relative_error()
            },
            coverage: if self.bounded == 0 {
                Figure::default()
            } else {
                held(share(self.covered, self.bounded))
            },
            bias_eliminated_coverage: against(self.centred.coverage(self.error.mean)),
            mean_squared_error: against(self.squared_error.mean()),
            estimand: held(self.truth.mean()),
            difference: None,
            unadjusted: rejecting
                .filter(|_| self.about.adjusted)
                .map(|_| share(self.unadjusted, replicates)),
            family: None,
        }
    }
}

/// Performance of one analysis in one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnalysisPerformance {
    /// Studies.
    pub replicates: u64,
    /// Level of the intervals: 1 − alpha, as registered.
    pub level: f64,
    /// Studies whose analysis gave no numbers.
    pub failures: u64,
    /// Number of the first of them, and why.
    pub first_failure: Option<(u64, &'static str)>,
    /// Studies whose ratio is 0 or infinite: they count in power, and standard errors are of the others.
    pub endless: u64,
    /// Studies whose outcomes are fitted exactly, with nothing left over for a standard error: they count in power, bias and
    /// `empirical_se`, and `model_se` and `relative_error` are of the others.
    pub exact: u64,
    /// Share of all studies that reject, by the p adjusted as registered; a failure does not reject. Without a value where the
    /// analysis decides nothing, or gave no numbers in any study.
    pub power: Figure,
    /// The same share, averaged over what is believed of parameters that have a prior; power is then without a value.
    pub assurance: Option<Figure>,
    /// The same, where the services do not differ in what drives the outcome.
    pub type_i_error: Option<Figure>,
    /// Share of studies in which the randomization test would reject, had the treated service had no effect on anybody:
    /// behind a gate the test is approximate, and this is its size. By the p adjusted as registered, as power is; by the p alone where
    /// the twins have no p of one that is judged with it. A failure does not reject.
    pub size: Option<Figure>,
    /// Whether `size` is by the p alone, where the registered p is adjusted for others; `None` where it is not, or there is no size.
    pub size_by_p_alone: Option<bool>,
    /// Mean of estimate − true value of its study.
    pub bias: Figure,
    /// Standard deviation of the estimates, of ratios on the scale of the logarithm; with a prior, of estimate − true value of its study,
    /// where that is known on the scale of the estimate.
    pub empirical_se: Figure,
    /// Root of the mean squared standard error, among studies that have one.
    pub model_se: Figure,
    /// model_se / empirical_se − 1, both of the studies that have a standard error. Without a value where there is a prior and no true
    /// value: estimates then vary with the parameter too.
    pub relative_error: Figure,
    /// Share of intervals that hold the true value of their study, among analyses that gave one.
    pub coverage: Figure,
    /// Share of intervals that hold the true value of their study plus the bias.
    pub bias_eliminated_coverage: Figure,
    /// Mean of (estimate − true value of its study)².
    pub mean_squared_error: Figure,
    /// Mean of the true values.
    pub estimand: Figure,
    /// How power differs from the first cell's, where cells share their families.
    pub difference: Option<PairedPower>,
    /// The share that would reject by the p alone, where it is adjusted.
    pub unadjusted: Option<Figure>,
    /// What the comparisons that are judged together show, where several of them are simulated.
    pub family: Option<FamilyPerformance>,
}
