//! The registry entry of an estimator: what it needs, which options it uses, which laws it obeys.

use super::answer::Answer;
use super::columns::Columns;
use super::error::EstimationError;
use super::settings::{Df, Interval, Measure, Settings, Variance};

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
}

impl Role {
    /// The word on the command line.
    pub fn text(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Covariates => "covariates",
            Self::Strata => "strata",
            Self::Cluster => "cluster",
            Self::Weights => "weights",
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
    /// Words that the contract promises and that are not built yet: refused by name.
    pub later_variances: &'static [Variance],
    /// As above.
    pub later_dfs: &'static [Df],
}

/// Laws that the contract tests check on generated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symmetries {
    /// Exchanging the arms changes the sign of estimate and limits, and nothing else.
    pub arm_exchange: bool,
    /// The order of rows does not matter.
    pub row_order: bool,
    /// Replacing a numeric covariate by a + b·covariate changes nothing.
    pub covariate_affine: bool,
    /// Replacing the outcome by a + b·outcome multiplies estimate and standard error by b and |b|.
    pub outcome_affine: bool,
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
    /// Columns that the contract promises and that are not built yet: refused by name.
    pub later: &'static [Role],
    /// Whether two-by-two counts may stand instead of rows.
    pub counts: bool,
    /// Whether the outcome must be 0 or 1.
    pub binary: bool,
    /// Options.
    pub options: OptionDomain,
    /// Declared laws.
    pub symmetries: Symmetries,
    /// The estimator itself; call it through [`super::estimate`], which checks columns and options first.
    pub(super) run: fn(&Columns, &Settings) -> Result<Answer, EstimationError>,
}

impl EstimatorEntry {
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
        self.check_columns(columns)?;
        (self.run)(columns, settings)
    }

    /// Whether the options are this estimator's; a protocol asks this before any data exist.
    pub fn check_options(&self, settings: &Settings) -> Result<(), EstimationError> {
        let o = &self.options;
        if !(settings.level > 0.0 && settings.level < 1.0) {
            return Err(EstimationError::Level {
                level: settings.level,
            });
        }
        let check = |option: &'static str, value: &'static str, built: bool, later: bool| {
            if built {
                Ok(())
            } else if later {
                Err(EstimationError::NotBuilt {
                    estimator: self.id,
                    option,
                    value,
                })
            } else {
                Err(EstimationError::OptionNotUsed {
                    estimator: self.id,
                    option,
                    value,
                })
            }
        };
        if let Some(v) = settings.variance {
            check(
                "variance",
                v.text(),
                o.variances.contains(&v),
                o.later_variances.contains(&v),
            )?;
        }
        if let Some(v) = settings.df {
            check("df", v.text(), o.dfs.contains(&v), o.later_dfs.contains(&v))?;
        }
        if let Some(v) = settings.interval {
            check("interval", v.text(), o.intervals.contains(&v), false)?;
        }
        if let Some(v) = settings.measure {
            check("measure", v.text(), o.measures.contains(&v), false)?;
        }
        Ok(())
    }

    fn check_columns(&self, columns: &Columns) -> Result<(), EstimationError> {
        let given = [
            (Role::Covariates, !columns.covariates.is_empty()),
            (Role::Strata, !columns.strata.is_empty()),
            (Role::Cluster, columns.cluster.is_some()),
            (Role::Weights, columns.weights.is_some()),
        ];
        for (role, given) in given {
            if given && self.later.contains(&role) {
                return Err(EstimationError::NotBuilt {
                    estimator: self.id,
                    option: "column",
                    value: role.text(),
                });
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
