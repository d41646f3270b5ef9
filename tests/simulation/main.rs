//! Simulated figures against exact targets, within four Monte Carlo standard errors.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod allocation;
mod analysis;
mod coverage;
mod events;
mod judged;
mod kernel;
mod kernel_redraws;
mod kernel_scores;
mod kernel_times;
mod linear_model;
mod looks;
mod open_windows;
mod pairs;
mod planning;
mod proportion_ratios;
mod proportions;
mod ranks;
mod ratio_models;
mod search;
mod several_arms;
mod skewed;
mod strata;
mod survival;
mod target;
mod unknown_outcomes;
mod world;
