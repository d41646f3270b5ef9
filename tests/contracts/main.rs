//! Contracts: the laws that registered things declare, on generated inputs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod allocation;
mod analysis;
mod arbitrary;
mod conduct;
mod estimation;
mod flow;
mod lin_statistic;
mod linear_algebra;
mod literature;
mod mechanisms;
mod minimization;
mod oracles;
mod personal_numbers;
mod protocol;
mod redrawn_scores;
mod registered;
mod replication;
mod replication_of_children;
mod replication_of_columns;
mod replication_of_late_windows;
mod replication_of_names;
mod replication_of_the_eligible;
mod several_arms;
mod simulated;
mod skewed;
mod study;
mod times;
mod told;
mod validation;
mod weighted_redraws;
mod without_events;

#[path = "../made_up/mod.rs"]
#[allow(dead_code, reason = "each kind of test uses a part of it")]
mod made_up;

#[path = "../in_memory/mod.rs"]
#[allow(dead_code, reason = "each kind of test uses a part of it")]
mod in_memory;
