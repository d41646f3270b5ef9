//! What one simulated study gives: a few numbers, whatever its size.

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
    /// Share of arms guessed correctly; `None` where nobody was randomized.
    pub correct_guess_share: Option<f64>,
    /// Largest imbalance over strata at the end.
    pub imbalance: f64,
    /// Families randomized by the end of each calendar month of enrolment.
    pub reached: Vec<u32>,
    /// One per analysis, in the scenario's order.
    pub analyses: Vec<AnalysisRecord>,
}

/// What one analysis of a simulated study gives.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisRecord {
    /// The estimand's true value in this study: the mean over the randomized families of the difference between their
    /// potential outcomes, were every family followed to the end.
    pub truth: f64,
    /// The numbers, or the stable code of why there are none.
    pub found: Result<Found, &'static str>,
    /// The p-value that would have decided, had the treated service had no effect on anybody; `None` where that is not
    /// asked.
    pub under_null: Option<Result<f64, &'static str>>,
}

impl AnalysisRecord {
    /// Whether the analysis rejects at a limit of its p-value; a failure does not.
    pub fn rejects(&self, limit: f64) -> bool {
        matches!(&self.found, Ok(found) if found.p_value <= limit)
    }
}

/// The numbers of an analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Estimate.
    pub estimate: f64,
    /// Standard error.
    pub std_error: f64,
    /// Lower limit.
    pub conf_low: f64,
    /// Upper limit.
    pub conf_high: f64,
    /// The p-value that decides.
    pub p_value: f64,
}
