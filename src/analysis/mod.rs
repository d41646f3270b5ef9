//! The registered plan, run on a locked data set.
//!
//! [`run()`] answers with everything that a report shows ([`results`]); [`plan`] computes the same numbers alone, in
//! storage that is reused, for simulated studies. What counts as a family's outcome is `study::dataset`, what an
//! estimator does is `estimation`, which arms could have been drawn is [`reference_set`]. Nothing here writes a ledger
//! or formats a page, and before a lock nothing is run on true arms ([`dry_run`]).

pub mod attainable;
pub mod balance;
mod baseline;
mod being_known;
mod children;
pub mod covariates;
mod delivery;
pub mod deviations;
mod dry_run;
pub mod funnel;
mod handover;
pub mod looks;
pub mod missingness;
pub mod multiplicity;
mod notes;
pub mod plan;
pub mod randomization;
mod redraws;
pub mod reference_set;
pub mod replication;
pub mod results;
mod rows;
mod run;
mod sensitivity;
mod statistic;
pub mod subgroups;
pub mod together;
mod used;
mod wording;
mod workspace;

pub use baseline::baseline;
pub use dry_run::dry_run;
pub use plan::Plan;
pub use run::{RunSettings, registered_p, run};
pub(crate) use statistic::over_error;
pub use wording::conclusion;
pub(crate) use workspace::weighed;
pub use workspace::{Effect, Scale, Workspace};
