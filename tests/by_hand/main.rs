//! Minimal cases whose derivation is in the comment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod allocation;
mod analysis;
mod attainable;
mod audits;
mod children;
mod clusters;
mod cohort;
mod conduct;
mod data;
mod delivery;
mod epochs;
mod estimation;
mod events;
mod expanded;
mod families;
mod instrument_and_strata;
mod joined;
mod large_counts;
mod late_windows;
mod looks;
mod looks_at_proportions;
mod minimization;
mod multiplicity;
mod open_windows;
mod proportion_ratios;
mod ranks_and_bounds;
mod ratio_models;
mod registered;
mod rehearsed;
mod skewed;
mod study;
mod subgroups;
mod suppression;
mod survival;
mod told;
mod unknown_outcomes;
mod without_events;

#[path = "../made_up/mod.rs"]
#[allow(dead_code, reason = "each kind of test uses a part of it")]
mod made_up;

#[path = "../in_memory/mod.rs"]
#[allow(dead_code, reason = "each kind of test uses a part of it")]
mod in_memory;
