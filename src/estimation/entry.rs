//! The registry entry of an estimator: what it needs, which options it uses, which laws it obeys.

use super::answer::Answer;
use super::columns::Columns;
use super::error::EstimationError;
use super::settings::{Df, Interval, Measure, PValue, Settings, Ties, Variance};

/// A column's role, as on the command line (`--outcome`, `--covariates`, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The outcome.
    Outcome,
    /// Baseline covariates.
    Covariates,
    /// Randomization strata.
    Strata,
    /// Clusters.
    Cluster,
    /// Weights.
    Weights,
    /// Whether the treated arm's service was received.
    Received,
    /// Exposure of a count.
    Exposure,
    /// Time to the event or the end of follow-up.
    Time,
    /// What happened at that time, as a code.
    Event,
    /// Time of entry.
    Entry,
    /// Whose rows belong together.
    Id,
}

impl Role {
    /// Every role, in the order of the command line's help.
    pub const ALL: [Self; 11] = [
        Self::Outcome,
        Self::Covariates,
        Self::Strata,
        Self::Cluster,
        Self::Weights,
        Self::Received,
        Self::Exposure,
        Self::Time,
        Self::Event,
        Self::Entry,
        Self::Id,
    ];

    /// The word on the command line.
    pub fn text(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Covariates => "covariates",
            Self::Strata => "strata",
            Self::Cluster => "cluster",
            Self::Weights => "weights",
            Self::Received => "received",
            Self::Exposure => "exposure",
            Self::Time => "time",
            Self::Event => "event",
            Self::Entry => "entry",
            Self::Id => "id",
        }
    }
}

/// Values of the options that an estimator accepts; the first of each list is its default. An empty list: the
/// estimator has no such option.
#[derive(Debug, Clone, Copy)]
pub struct OptionDomain {
    /// Variance estimators.
    pub variances: &'static [Variance],
    /// Reference distributions.
    pub dfs: &'static [Df],
    /// Kinds of interval.
    pub intervals: &'static [Interval],
    /// Measures.
    pub measures: &'static [Measure],
    /// Ways to handle tied times.
    pub ties: &'static [Ties],
    /// Kinds of exact p-value.
    pub p_values: &'static [PValue],
    /// Whether the estimator needs a horizon, and so takes one.
    pub horizon: bool,
    /// Whether it draws, and so takes a number of draws and a seed.
    pub draws: bool,
    /// Whether it takes the range of the outcome.
    pub range: bool,
    /// Whether the arms can be fitted apart.
    pub interacted: bool,
}

impl OptionDomain {
    /// No option at all: where a domain's literal begins.
    pub const NONE: Self = Self {
        variances: &[],
        dfs: &[],
        intervals: &[],
        measures: &[],
        ties: &[],
        p_values: &[],
        horizon: false,
        draws: false,
        range: false,
        interacted: false,
    };
}

/// What an outcome must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeDomain {
    /// Any number.
    Number,
    /// 0 or 1.
    ZeroOne,
    /// A whole number from 0.
    Count,
}

/// Codes that the event column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventCodes {
    /// 0 the end of follow-up, 1 the event.
    Event,
    /// 0 the end of follow-up, 1 the event, 2 and above other events that end or compete.
    Several,
}

/// What exchanging the arms does to the effect asked for; the p-value stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// Estimate and limits change their sign, as a difference; those of a measure whose standard error is on the
    /// scale of the logarithm become their inverses.
    Negates,
    /// Estimate and limits become their inverses, as a ratio; the standard error of the logarithm stays.
    Inverts,
    /// Estimate and limits are mirrored at one half, as a probability index.
    Complements,
    /// Everything stays: a test without an effect, or an effect that is not the arm's own.
    Stays,
    /// Nothing is promised.
    Unsaid,
}

/// Laws that the contract tests check on generated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symmetries {
    /// What exchanging the arms does to the first row.
    pub arm_exchange: Exchange,
    /// The order of rows does not matter.
    pub row_order: bool,
    /// Replacing a numeric covariate by a + b·covariate changes nothing.
    pub covariate_affine: bool,
    /// Replacing the outcome by a + b·outcome multiplies estimate and standard error by b and |b|.
    pub outcome_affine: bool,
}

impl Symmetries {
    /// Only that the order of rows does not matter: where a literal begins.
    pub const ROW_ORDER: Self = Self {
        arm_exchange: Exchange::Unsaid,
        row_order: true,
        covariate_affine: false,
        outcome_affine: false,
    };
}

/// An estimator in the registry: one file, one line.
#[derive(Debug, Clone, Copy)]
pub struct EstimatorEntry {
    /// Identifier, kebab-case.
    pub id: &'static str,
    /// One sentence in English.
    pub about: &'static str,
    /// The same sentence in Swedish.
    pub about_sv: &'static str,
    /// Columns that must be given.
    pub required: &'static [Role],
    /// Columns that may be given.
    pub optional: &'static [Role],
    /// Whether two-by-two counts may stand instead of rows.
    pub counts: bool,
    /// What the outcome must be, for estimators that have one.
    pub outcome: OutcomeDomain,
    /// Codes of the event column, for estimators that have one.
    pub events: Option<EventCodes>,
    /// Whether a protocol's analysis may name it: all but what a study has in another form, such as the test that goes by its own
    /// draw.
    pub in_plan: bool,
    /// Options.
    pub options: OptionDomain,
    /// Declared laws.
    pub symmetries: Symmetries,
    /// The estimator itself; call it through [`super::estimate`], which checks columns and options first.
    pub(super) run: fn(&Columns, &Settings) -> Result<Answer, EstimationError>,
}

impl EstimatorEntry {
    /// Whether the outcome must be 0 or 1.
    pub fn binary(&self) -> bool {
        self.outcome == OutcomeDomain::ZeroOne
    }

    /// Whether a column of this role may be given.
    pub fn uses(&self, role: Role) -> bool {
        self.required.contains(&role) || self.optional.contains(&role)
    }

    /// Checks columns and options against the entry, then estimates.
    pub fn estimate(
        &self,
        columns: &Columns,
        settings: &Settings,
    ) -> Result<Answer, EstimationError> {
        self.check_options(settings)?;
        self.check_clusters(settings, columns.has(Role::Cluster))?;
        self.check_columns(columns)?;
        (self.run)(columns, settings).map(Answer::reported)
    }

    /// Whether the options are this estimator's; a protocol asks this before any data exist.
    pub fn check_options(&self, settings: &Settings) -> Result<(), EstimationError> {
        let o = &self.options;
        if !(settings.level > 0.0 && settings.level < 1.0) {
            return Err(EstimationError::Level {
                level: settings.level,
            });
        }
        let check = |option: &'static str, value: &'static str, built: bool| {
            if built {
                Ok(())
            } else {
                Err(EstimationError::OptionNotUsed {
                    estimator: self.id,
                    option,
                    value,
                })
            }
        };
        if let Some(v) = settings.variance {
            check("variance", v.text(), o.variances.contains(&v))?;
        }
        if let Some(v) = settings.df {
            check("df", v.text(), o.dfs.contains(&v))?;
        }
        if let Some(v) = settings.interval {
            check("interval", v.text(), o.intervals.contains(&v))?;
        }
        if let Some(v) = settings.measure {
            check("measure", v.text(), o.measures.contains(&v))?;
        }
        if let Some(v) = settings.ties {
            check("ties", v.text(), o.ties.contains(&v))?;
        }
        if let Some(v) = settings.p_value {
            check("p-value", v.text(), o.p_values.contains(&v))?;
        }
        check("horizon", "", settings.horizon.is_none() || o.horizon)?;
        check("draws", "", settings.draws.is_none() || o.draws)?;
        check("seed", "", settings.seed.is_none() || o.draws)?;
        check("range", "", settings.range.is_none() || o.range)?;
        check("interacted", "", !settings.interacted || o.interacted)?;
        match settings.horizon {
            None if o.horizon => Err(EstimationError::HorizonMissing { estimator: self.id }),
            Some(horizon) if !(horizon > 0.0 && horizon.is_finite()) => {
                Err(EstimationError::Horizon { horizon })
            }
            _ => Ok(()),
        }?;
        match settings.range {
            Some((low, high)) if !(low < high && (high - low).is_finite()) => {
                Err(EstimationError::Range { low, high })
            }
            _ => Ok(()),
        }
    }

    /// Whether the variance goes with clusters or their absence, for estimators whose variances say so.
    pub fn check_clusters(
        &self,
        settings: &Settings,
        clustered: bool,
    ) -> Result<(), EstimationError> {
        match settings.variance {
            Some(variance)
                if self.uses(Role::Cluster)
                    && variance.clustered().is_some_and(|own| own != clustered) =>
            {
                Err(EstimationError::VarianceAndCluster {
                    variance: variance.text(),
                    clustered,
                })
            }
            _ => Ok(()),
        }
    }

    fn check_columns(&self, columns: &Columns) -> Result<(), EstimationError> {
        // Without rows there are no columns, which says more than a missing column.
        let no_rows = columns.arm.is_empty();
        for role in Role::ALL {
            let needed = self.required.contains(&role);
            let given = columns.has(role)
                || (role == Role::Outcome && self.uses(role))
                || (no_rows && needed);
            if columns.counts.is_some() && !given {
                continue;
            }
            if given && !self.uses(role) {
                return Err(EstimationError::ColumnNotUsed {
                    estimator: self.id,
                    role,
                });
            }
            if !given && self.required.contains(&role) {
                return Err(EstimationError::ColumnMissing {
                    estimator: self.id,
                    role,
                });
            }
        }
        if columns.counts.is_some() {
            return if self.counts {
                Ok(())
            } else {
                Err(EstimationError::CountsNotUsed { estimator: self.id })
            };
        }
        columns.check_lengths()
    }
}
