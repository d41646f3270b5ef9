//! Golden: agreement with another program, whose generator script, versions and data are committed beside the numbers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod bounds;
mod clusters;
mod cox;
mod cox_firth;
mod data;
mod differences;
mod distributions;
mod events;
mod fine_gray;
mod instrumental_variables;
mod known_weights;
mod mtcars;
mod noncentral;
mod power_families;
mod power_two_proportions;
mod printed;
mod proportion_ratios;
mod randomization_test;
mod rank_sum;
mod ratio_models;
mod redrawn_statistics;
mod regression;
mod risk_difference;
mod skewed;
mod stratified;
mod survival;
