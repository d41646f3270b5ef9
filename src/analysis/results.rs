//! What an analysis says, as values: results, test, realized covariates, deviations, conclusion.
//!
//! No formatting here; `report` and `cli` show these values.

use crate::allocation::Arm;
use crate::diagnostic::Words;
use crate::estimation::{Estimate, Warning};
use crate::protocol::model::{Attribute, Average, Day, Missing, Role};
use std::ops::Range;

pub use super::deviations::DeviationLine;
pub use super::funnel::FunnelMonth;
pub use super::missingness::{Missingness, MissingnessTest, UnknownOf};
pub use super::randomization::TestError;
pub use super::subgroups::Subgroups;
pub use super::used::Used;

/// Everything that was computed for one lock.
#[derive(Debug, Clone)]
pub struct Analyses {
    /// Id of the lock, `None` in a dry run without a lock.
    pub lock: Option<String>,
    /// The cut date, inclusive.
    pub cut: Day,
    /// Whether the arms were redrawn: then no number says anything about the study's arms.
    pub dry_run: bool,
    /// The registered analyses, in the protocol's order.
    pub analyses: Vec<AnalysisResult>,
    /// Every difference between what was registered and what was done, in one list.
    pub ledger: Vec<DeviationLine>,
    /// Baseline characteristics by arm.
    pub baseline: Baseline,
    /// The test of all of them together.
    pub balance: Balance,
}

/// One registered analysis.
#[derive(Debug, Clone)]
pub struct AnalysisResult {
    /// Identifier.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// Whether it was registered in the sealed protocol (false: post hoc).
    pub prespecified: bool,
    /// Identifier of the outcome.
    pub outcome: String,
    /// Name of the outcome for people.
    pub outcome_label: Words,
    /// The estimand's measure, as registered.
    pub measure: String,
    /// The estimand in one sentence.
    pub estimand: Words,
    /// The five attributes of the estimand (ICH E9(R1)).
    pub attributes: Vec<Attribute>,
    /// What the result was computed from.
    pub used: Used,
    /// Who received the treated arm's service, by month of randomization; empty where the analysis does not ask.
    pub funnel: Vec<FunnelMonth>,
    /// Effects by subgroup with their interaction contrasts, all exploratory.
    pub subgroups: Vec<Subgroups>,
    /// The rule for outcomes that are not known.
    pub missing_rule: Missing,
    /// Who is unknown by arm, with a test; `None` where nobody is.
    pub missingness: Option<Missingness>,
    /// Limit of the deciding p; `None` where nothing is decided (an interim lock that spends no alpha).
    pub alpha: Option<f64>,
    /// The looks at it so far, this one last if anything could be weighed at it; empty for an analysis without interim looks.
    pub looks: Vec<LookResult>,
    /// Whether the last of the looks is this one.
    pub looked_here: bool,
    /// What was seen in each arm, unadjusted.
    pub arms: Vec<ArmOutcome>,
    /// The estimates; the first is the effect asked for.
    pub results: Vec<Estimate>,
    /// Whether a test is registered; it decides, and without it nothing does.
    pub test_registered: bool,
    /// The test that decides, if one is registered and exists.
    pub test: Option<TestResult>,
    /// The deciding p, adjusted as the protocol registers it: of a secondary analysis over the comparisons of the secondary
    /// analyses of the lock, of the primary one over its own where there are several.
    pub p_adjusted: Option<f64>,
    /// The deciding p of an exploratory analysis, adjusted by Benjamini and Hochberg over the exploratory comparisons of the
    /// lock where there are several: a screening, not a decision.
    pub q_value: Option<f64>,
    /// The realized covariates, after the merging of small sites, decided blind to outcome.
    pub covariates: Vec<String>,
    /// Where the run differs from what was registered.
    pub deviations: Vec<Deviation>,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
    /// Why the estimator has no answer, where it has none.
    pub refused: Option<Words>,
    /// What it shows, in words: "compatible with …", never "no effect".
    pub conclusion: Words,
    /// The comparisons of further treated arms with control; `test`, `p_adjusted`, `q_value`, `refused` and `conclusion` above are
    /// those of the first. Empty with two arms.
    pub further: Vec<Comparison>,
}

/// A further treated arm's comparison with control.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The treated arm.
    pub arm: Arm,
    /// Its rows among the results; the first is its effect.
    pub rows: Range<usize>,
    /// Its rows among those beside the result.
    pub beside: Range<usize>,
    /// As of the first comparison.
    pub test: Option<TestResult>,
    /// As of the first comparison.
    pub p_adjusted: Option<f64>,
    /// As of the first comparison.
    pub q_value: Option<f64>,
    /// As of the first comparison.
    pub refused: Option<Words>,
    /// As of the first comparison.
    pub conclusion: Words,
}

/// One comparison of a result, as its decision needs it.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// Its rows; the first is its effect.
    pub rows: &'a [Estimate],
    /// Whether a test is registered; it decides, and without it nothing does.
    pub test_registered: bool,
    /// The test that decides, if one is registered and exists.
    pub test: Option<&'a TestResult>,
    /// The deciding p, adjusted as registered.
    pub p_adjusted: Option<f64>,
    /// The deciding p of an exploratory comparison, adjusted by Benjamini and Hochberg.
    pub q_value: Option<f64>,
    /// Why the estimator has no answer, where it has none.
    pub refused: Option<&'a Words>,
}

impl AnalysisResult {
    /// The look before this one at which the study was decided; nothing later takes that back.
    pub fn decided_earlier(&self) -> Option<&LookResult> {
        let earlier = self.looks.len().checked_sub(usize::from(self.looked_here));
        self.looks[..earlier?].iter().find(|look| look.crossed)
    }

    /// Number of comparisons: of treated arms.
    pub fn comparisons(&self) -> usize {
        1 + self.further.len()
    }

    /// A comparison by its place among the treated arms, from 0; a place that there is not gives one without rows.
    pub fn compared(&self, place: usize) -> Compared<'_> {
        let Some(further) = place.checked_sub(1) else {
            let until = self.further.first().map(|own| own.rows.start);
            let until = until.unwrap_or(self.results.len());
            return Compared {
                rows: self.results.get(..until).unwrap_or(&self.results),
                test_registered: self.test_registered,
                test: self.test.as_ref(),
                p_adjusted: self.p_adjusted,
                q_value: self.q_value,
                refused: self.refused.as_ref(),
            };
        };
        let own = self.further.get(further);
        let rows = own.and_then(|own| self.results.get(own.rows.clone()));
        Compared {
            rows: rows.unwrap_or_default(),
            test_registered: self.test_registered,
            test: own.and_then(|own| own.test.as_ref()),
            p_adjusted: own.and_then(|own| own.p_adjusted),
            q_value: own.and_then(|own| own.q_value),
            refused: own.and_then(|own| own.refused.as_ref()),
        }
    }

    /// The comparison whose effect a row of the results is; `None` for the rows beside it.
    pub fn compared_first(&self, row: usize) -> Option<Compared<'_>> {
        let mut starts = self.further.iter().map(|own| own.rows.start);
        let place = match row {
            0 => 0,
            _ => starts.position(|own| own == row)? + 1,
        };
        Some(self.compared(place))
    }

    /// Place of the comparison that a row of the results belongs to.
    pub fn comparison_of(&self, row: usize) -> usize {
        let owns = |own: &Comparison| own.rows.contains(&row) || own.beside.contains(&row);
        self.further.iter().position(owns).map_or(0, |own| own + 1)
    }

    /// Place of the comparison of a treated arm.
    pub fn comparison_with(&self, treated: Arm) -> usize {
        let own = self.further.iter().position(|own| own.arm == treated);
        own.map_or(0, |own| own + 1)
    }

    /// What was concluded in each comparison.
    pub fn conclusions(&self) -> impl Iterator<Item = &Words> {
        let further = self.further.iter().map(|own| &own.conclusion);
        std::iter::once(&self.conclusion).chain(further)
    }

    /// Whether it tests hypotheses: bounds have no p, and take no part where several p are adjusted.
    pub fn is_tested(&self) -> bool {
        self.missing_rule != Missing::Bounds
    }

    /// The rows in the order in which they are read: of an effect among compliers the set of Anderson and Rubin, by which it is
    /// judged, before the interval that stands on the standard error alone; a row keeps to its comparison.
    pub fn as_read(&self) -> Vec<&Estimate> {
        let mut rows: Vec<&Estimate> = self.results.iter().collect();
        for place in 1..rows.len() {
            if rows[place].is_anderson_rubin() && !rows[place - 1].is_anderson_rubin() {
                rows.swap(place - 1, place);
            }
        }
        rows
    }

    /// [`Compared::deciding_p`] of the first comparison.
    pub fn deciding_p(&self) -> Option<f64> {
        self.compared(0).deciding_p()
    }

    /// [`Compared::anderson_rubin`] of the first comparison.
    pub fn anderson_rubin(&self) -> Option<&Estimate> {
        self.compared(0).anderson_rubin()
    }
}

impl<'a> Compared<'a> {
    /// The p that decides: of the registered test, or of the estimator where no test is registered; of an effect among
    /// compliers that of the test of Anderson and Rubin, which holds whatever the strength of the first stage.
    pub fn deciding_p(&self) -> Option<f64> {
        match (self.test, self.test_registered) {
            (Some(test), _) => Some(test.p_value),
            (None, true) => None,
            (None, false) => {
                let row = self.anderson_rubin().or(self.rows.first());
                row.and_then(|row| row.p_value)
            }
        }
    }

    /// The row of the test of Anderson and Rubin beside the first estimate, if that is an effect among compliers.
    pub fn anderson_rubin(&self) -> Option<&'a Estimate> {
        let first = self.rows.first()?;
        let own = |row: &&Estimate| {
            row.is_anderson_rubin()
                && row.term == first.term
                && !row.extra.contains_key("sensitivity")
        };
        self.rows.iter().find(own)
    }
}

/// One look at a monitored analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct LookResult {
    /// Id of the lock.
    pub lock: String,
    /// Information as a share of the most that there was at a look so far: at the last one, unless it fell.
    pub information: f64,
    /// Normal deviate of the effect.
    pub z: f64,
    /// Critical value of |z|; `None` where nothing can be spent.
    pub critical: Option<f64>,
    /// Alpha spent until then, of both sides together.
    pub cumulative_alpha: f64,
    /// Whether it was decided there: by the p of the registered test where there is one, else |z| reached the critical value.
    pub crossed: bool,
}

/// What was seen in an arm, before any adjustment.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmOutcome {
    /// The arm.
    pub arm: Arm,
    /// Families randomized.
    pub randomized: u32,
    /// Families in the analysis.
    pub analysed: u32,
    /// Families whose outcome is not known and that the missing-data rule left out.
    pub missing: u32,
    /// Of the analysed families, those whose outcome is not known and that the rule gave a value.
    pub by_rule: u32,
    /// Families whose window had not ended at the cut: never analysed.
    pub not_yet: u32,
    /// Mean of the outcome over the analysed families (a proportion if it is 0/1), or over their children where each child counts
    /// alike; `None` without families.
    pub mean: Option<f64>,
    /// Number of families with the outcome, if it is 0/1.
    pub events: Option<u32>,
    /// Of the analysed families, those with an outcome other than 0, whatever it counts or measures.
    pub having: u32,
    /// Children of the analysed families, where children are analysed.
    pub children: Option<ArmChildren>,
}

impl ArmOutcome {
    /// Over how many the mean is: families, or children.
    pub(crate) fn averaged(&self) -> u32 {
        match self.children {
            Some(own) if own.average == Average::Child => own.number,
            Some(_) | None => self.analysed,
        }
    }
}

/// The children of the analysed families of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArmChildren {
    /// Whether each child counts alike in the arm's mean, or each family by the mean over its children.
    pub average: Average,
    /// Children on the rosters at the draw.
    pub number: u32,
    /// Of these, those with an outcome other than 0.
    pub having: u32,
}

/// Result of a randomization test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// Two-sided p: min(1, 2 · smaller tail).
    pub p_value: f64,
    /// Whether every sequence was enumerated.
    pub exact: bool,
    /// Redraws, or sequences enumerated.
    pub draws: u64,
    /// Redraws on which the statistic could not be computed; they count as at least as extreme.
    pub failed: u64,
    /// Monte Carlo standard error of the p, 0 when exact.
    pub mcse: f64,
    /// Level of the interval: 1 − the limit against which the test decides, which at a look is not the registered alpha.
    pub level: f64,
    /// Lower end of the constant effects that the test does not reject at 1 − level; `None` where it has no end, does not
    /// exist, or there are more than two arms.
    pub conf_low: Option<f64>,
    /// Upper end.
    pub conf_high: Option<f64>,
    /// Why the test is approximate: the gate couples admission to earlier arms.
    pub approximate: Option<Words>,
}

/// A difference between what was registered and what was run.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// Stable code, for example `site-merged`.
    pub code: &'static str,
    /// What and why.
    pub message: Words,
}

/// The test of balance over all characteristics at once: an audit of the draw, and no reason to adjust.
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    /// The test, or why there is none.
    pub test: Result<BalanceTest, TestError>,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
}

/// A test of balance by redraws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BalanceTest {
    /// Independent columns that the characteristics are.
    pub characteristics: u32,
    /// Pillai's trace; of two arms the share of the variation of the arm that the characteristics explain.
    pub statistic: f64,
    /// Share of the reference set at or above it.
    pub p_value: f64,
    /// The smallest p that could have come out.
    pub p_smallest: f64,
    /// Whether every sequence was enumerated.
    pub exact: bool,
    /// Redraws, or sequences enumerated.
    pub draws: u64,
    /// Monte Carlo standard error of the p, 0 when exact.
    pub mcse: f64,
}

/// The baseline table. No p-values of single rows: differences at baseline are due to chance by design.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Families per arm, in the protocol's order.
    pub families: Vec<u32>,
    /// Characteristics.
    pub rows: Vec<BaselineRow>,
}

/// One line of the baseline table.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineRow {
    /// The characteristic.
    pub label: Words,
    /// The level, for a characteristic with levels.
    pub level: Option<Words>,
    /// One cell per arm.
    pub arms: Vec<BaselineCell>,
    /// Standardized mean difference, first arm − control, by the pooled standard deviation; infinite where the arms differ and neither
    /// has a spread, `None` if undefined.
    pub smd: Option<f64>,
}

/// One cell of the baseline table.
#[derive(Debug, Clone, PartialEq)]
pub enum BaselineCell {
    /// A number: families with a value, mean, standard deviation, median and quartiles, families without a value.
    Number {
        /// Families with a value.
        n: u32,
        /// Mean.
        mean: f64,
        /// Standard deviation with n − 1.
        sd: f64,
        /// Median.
        median: f64,
        /// Lower and upper quartile.
        quartiles: (f64, f64),
        /// Families without a value.
        missing: u32,
    },
    /// A count of families out of those with a value.
    Share {
        /// Families with the level.
        count: u32,
        /// Families with a value.
        of: u32,
    },
    /// Nothing to show: no family has a value.
    Empty,
}
