//! Estimators as pure functions of columns: outcome, arm, covariates, strata and more in, estimates with everything
//! that a reader needs out.
//!
//! Arms are indices here; files, protocols, formatting and the randomization test live elsewhere. An answer carries
//! its estimand's measure, scale, interval, rows per arm and warnings; a non-answer is a typed
//! [`EstimationError`], never NaN. To add an estimator, write one file in `estimators/` and one line in
//! [`ESTIMATORS`]. Regression models share [`linear_model`], whose factorization serves many outcomes.

mod answer;
pub mod arm_imputation;
pub(crate) mod arm_likelihood;
mod binary_regression;
mod block;
mod bounds;
mod cells;
mod centring;
mod cluster_adjustment;
pub mod cluster_variance;
mod clusters;
mod columns;
pub mod conditional_odds;
pub mod counted_strata;
mod cumulative_events;
pub(crate) mod endless;
mod entry;
mod error;
pub mod estimators;
mod families;
mod follow_up;
pub mod generalized_linear;
mod gray_test;
pub mod group_sequential;
mod histories;
pub mod imputation;
mod inference;
pub mod inversion;
pub mod known_weights;
pub mod lin_statistic;
pub mod linear_model;
pub(crate) mod observed_expected;
mod overdispersed_counts;
mod overdispersion;
mod partial_likelihood;
mod prepared;
mod probability_index;
mod profile;
pub mod proportion_ratios;
mod ranks;
pub mod redrawn_scores;
mod refusal_codes;
mod refusals;
mod rerandomization;
pub mod resampling;
mod row_order;
mod satterthwaite;
mod scores;
mod settings;
mod shift;
mod survival_curve;
pub mod tipping;
mod trend;
pub mod two_proportions;
pub mod winsorizing;

pub(crate) use answer::reported;
pub use answer::{Answer, Estimate, Warning, printed_level};
pub use columns::{Arm, Columns, Counts, Covariate, Factor, Labels, Values};
pub use entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
pub use error::EstimationError;
pub use estimators::{ESTIMATORS, estimate, find};
pub use histories::HistoryError;
pub use prepared::Prepared;
pub use settings::{Df, Interval, Measure, PValue, Settings, Ties, Variance};
