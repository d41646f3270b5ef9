//! The stable code of each refusal, and whether the request or the data is at fault; the words are `error`'s.

use super::error::EstimationError;

impl EstimationError {
    /// Whether the request itself is wrong (exit 2), rather than the data (exit 4).
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::UnknownEstimator { .. }
                | Self::OptionNotUsed { .. }
                | Self::VarianceAndCluster { .. }
                | Self::OptionsClash { .. }
                | Self::ClustersUnused { .. }
                | Self::IntervalClash { .. }
                | Self::Level { .. }
                | Self::HorizonMissing { .. }
                | Self::Horizon { .. }
                | Self::Range { .. }
                | Self::Looks { .. }
                | Self::RangeMissing { .. }
                | Self::Draws { .. }
                | Self::ColumnNotUsed { .. }
                | Self::ColumnMissing { .. }
                | Self::CountsNotUsed { .. }
        )
    }

    /// Stable code, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownEstimator { .. } => "unknown-estimator",
            Self::OptionNotUsed { .. } => "option-not-used",
            Self::VarianceAndCluster { .. } => "variance-and-cluster",
            Self::OptionsClash { .. }
            | Self::ClustersUnused { .. }
            | Self::IntervalClash { .. } => "options-clash",
            Self::Level { .. } => "level-out-of-range",
            Self::HorizonMissing { .. } | Self::RangeMissing { .. } => "missing-option",
            Self::Horizon { .. } | Self::Range { .. } | Self::Looks { .. } | Self::Draws { .. } => {
                "invalid-value"
            }
            Self::ColumnNotUsed { .. } => "column-not-used",
            Self::ColumnMissing { .. } => "column-needed",
            Self::CountsNotUsed { .. } => "counts-not-used",
            Self::Counts { .. } => "impossible-counts",
            Self::UnequalLengths { .. } => "unequal-lengths",
            Self::NoRows => "no-rows",
            Self::TooFewRows { .. } => "too-few-rows",
            Self::NotFinite { .. } => "not-finite",
            Self::NotBinary { .. } => "not-binary",
            Self::NotCount { .. } => "not-a-count",
            Self::NotPositive { .. } => "not-positive",
            Self::TooManyUnits { .. } => "too-many-units",
            Self::ArmNeverCounted { .. } => "arm-without-events",
            Self::SameOutcome { .. } => "same-outcome",
            Self::Separation { .. } => "separation",
            Self::EventCode { .. } | Self::EventsCodedOneTwo => "not-an-event-code",
            Self::NegativeTime { .. } => "negative-time",
            Self::TimeBeforeEntry { .. } => "time-before-entry",
            Self::EmptyInterval { .. } => "empty-interval",
            Self::History(error) => error.code(),
            Self::NoEvents => "no-events",
            Self::NoVariation => "no-variation",
            Self::ArmWithoutEvents { .. } | Self::MonotoneLikelihood { .. } => {
                "monotone-likelihood"
            }
            Self::NeverCompared => "never-compared",
            Self::NotConverged { .. } => "not-converged",
            Self::HorizonBeyond { .. } => "horizon-beyond-follow-up",
            Self::OutsideRange { .. } => "outside-range",
            Self::ClusterSplit { .. } => "cluster-split",
            Self::AloneInStratum { .. } => "alone-in-stratum",
            Self::CovariateEmpty { .. } => "covariate-empty",
            Self::StratumMissing { .. } => "stratum-missing",
            Self::GroupMissing { .. } => "group-missing",
            Self::OneArmedStratum { .. } => "one-armed-stratum",
            Self::SingletonStratum { .. } => "singleton-stratum",
            Self::SingleInStratum { .. } => "single-in-stratum",
            Self::NoFirstStage => "no-first-stage",
            Self::ArmAliased => "arm-aliased",
            Self::NoResidualDf { .. } => "no-residual-df",
            Self::LeverageOne { .. } => "leverage-one",
            Self::TooFewClusters { .. } => "too-few-clusters",
            Self::DecisiveCluster { .. } => "decisive-cluster",
            Self::InvalidWeight { .. } => "invalid-weight",
            Self::Numerics(_) => "numerics",
        }
    }
}
