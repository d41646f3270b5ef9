//! What one simulated study gives: a few numbers, whatever its size.

use crate::numerics::shares::within;

/// What one simulated study gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Families randomized.
    pub families: u32,
    /// Families screened.
    pub screened: u32,
    /// Families that met a closed gate.
    pub turned_away: u32,
    /// Families that met a closed gate and were never randomized.
    pub lost: u32,
    /// Days of enrolment, from the first opening to the last day of enrolment, both counted.
    pub enrolment_days: u32,
    /// Whole days on which a gate was closed during enrolment, over all sites.
    pub days_closed: u32,
    /// Therapists who took a vacant place until enrolment ended.
    pub replacements: u32,
    /// Share of arms guessed correctly; `None` where nobody was randomized.
    pub correct_guess_share: Option<f64>,
    /// Largest imbalance over strata at the end.
    pub imbalance: f64,
    /// What its own parameters make of it, where they are drawn from priors; `None` where the cell says it for every study.
    pub drawn: Option<Drawn>,
    /// Families randomized by the end of each calendar month of enrolment.
    pub reached: Vec<u32>,
    /// One per analysis, in the scenario's order.
    pub analyses: Vec<AnalysisRecord>,
}

/// What parameters that are drawn from priors make of a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// What it costs, where the scenario says what things cost.
    pub cost: Option<f64>,
    /// The number of families that it was to reach.
    pub target: u32,
}

/// What one analysis of a simulated study gives.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisRecord {
    /// The estimand's true value in this study: the mean over the randomized families of the difference between their
    /// potential outcomes, were every family followed to the end.
    pub truth: f64,
    /// The numbers, or the stable code of why there are none.
    pub found: Result<Found, &'static str>,
    /// The p-value adjusted over redraws that its family shares, where the registered rule asks for them, or with contrasts of
    /// subgroups that are screened with it; `None` for any other.
    pub joint: Option<f64>,
    /// The p-value that would have decided, had the treated service had no effect on anybody (of a monitored analysis 0 if
    /// any look would have stopped the study, else 1); one that is adjusted in [`joint`](Self::joint) is
    /// so here too, where all that are judged together have one. `None` where that is not asked.
    pub under_null: Option<Result<f64, &'static str>>,
    /// How the looks at it went; `None` for an analysis that is not monitored.
    pub looked: Option<Looked>,
}

impl AnalysisRecord {
    /// The p-value that decides; of a monitored analysis 0 if any of its looks stopped the study, else 1.
    pub(super) fn deciding(&self) -> Result<f64, &'static str> {
        match (&self.looked, &self.found) {
            (Some(looked), _) => Ok(f64::from(u8::from(!looked.rejects))),
            (None, Ok(found)) => Ok(found.p_value),
            (None, Err(code)) => Err(code),
        }
    }

    /// Whether the analysis rejects at a limit of its p-value, or at any of its looks; a failure does not.
    pub fn rejects(&self, limit: f64) -> bool {
        if let Some(looked) = &self.looked {
            return looked.rejects;
        }
        matches!(&self.found, Ok(found) if within(found.p_value, limit))
    }
}

/// In place of the information of a look at which a ratio was 0 or infinite, or nothing was left over for a standard error: it was
/// tested, and had none.
pub const TESTED_ALONE: f64 = -1.0;

/// How the looks at a monitored analysis went.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// Where the study was decided: a look by its place among the looks, from 0; their number for the analysis' own lock.
    pub stage: u16,
    /// Whether a boundary was crossed there.
    pub rejects: bool,
    /// Days from the first opening to the cut of that lock, both counted.
    pub days: u32,
    /// Information, 1/variance on the scale of looks, by look and at the analysis' own lock; 0 where none was held or there
    /// was no effect, [`TESTED_ALONE`] where the effect had none.
    pub information: Vec<f64>,
    /// What the study says by the stage-wise ordering; `None` where it does not exist.
    pub stage_wise: Option<StageWise>,
}

/// What a monitored study says at its end by the stage-wise ordering, on the measure's own scale. Of a log-rank test the p-value
/// alone; what stands in place of its estimate is that of [`Found`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageWise {
    /// Median-unbiased estimate.
    pub estimate: f64,
    /// Lower limit.
    pub conf_low: f64,
    /// Upper limit.
    pub conf_high: f64,
    /// Two-sided p-value.
    pub p_value: f64,
}

/// In place of the limits of an interval that does not exist: no number is within.
pub(super) const NO_INTERVAL: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);

impl Found {
    /// Whether there is an interval: none where nothing is left over for a standard error, and redraws decide.
    pub fn has_interval(&self) -> bool {
        self.conf_low <= self.conf_high
    }

    /// Whether the outcomes are fitted exactly, up to rounding: then there is nothing that a standard error could be of.
    pub fn is_exact(&self) -> bool {
        let rounding = !self.has_interval() && self.std_error.is_finite();
        self.std_error <= 0.0 || rounding
    }
}

/// The numbers of an analysis. Of a monitored one the interval is the repeated one; of a log-rank test the one-step log
/// hazard ratio (O − E)/V stands in place of an estimate, and of bounds the lower one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Estimate.
    pub estimate: f64,
    /// Standard error; infinite where the estimator gives none.
    pub std_error: f64,
    /// Lower limit; above the upper one where there is no interval.
    pub conf_low: f64,
    /// Upper limit.
    pub conf_high: f64,
    /// The p-value that decides; infinite where the analysis decides nothing, as bounds do.
    pub p_value: f64,
}
