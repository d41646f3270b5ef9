//! What a study would show: exact and closed-form power, and simulated studies.
//!
//! Closed forms and enumerations stand in a file per family of outcomes ([`two_proportions`], [`two_means`], [`log_rank`],
//! [`rates`]); a figure that has an exact answer is never simulated. A simulated study is a [`scenario`] run through `study::kernel` and `analysis`
//! ([`simulate`]); what happens in it is made by [`mechanisms`], and what it says is summed up in [`performance`].
//! Nothing here reads a file, allocates families by rules of its own, or estimates.

mod admission;
mod analyst;
pub mod arrivals;
mod calendar;
pub mod capacity;
mod closing;
pub mod clustering;
pub mod cost;
pub mod figure;
pub mod guessing;
pub mod judging;
pub mod kernel_tier;
mod locking;
pub mod log_rank;
pub mod mechanisms;
mod monitor;
mod normal_test;
mod on_demand;
pub mod performance;
pub mod pieces;
mod power_error;
mod predictability;
pub mod prior;
pub mod rates;
pub mod ratios;
mod reach;
pub mod record;
mod record_bytes;
pub mod redraws;
pub mod rehearsal;
pub mod rounds;
pub mod scenario;
mod screening;
pub mod search;
pub mod simulate;
mod sizing;
pub mod strata;
pub mod study;
mod t_test;
pub mod tables;
pub mod two_means;
pub mod two_proportions;
pub mod what_if;
pub mod world;

pub use power_error::PowerError;
