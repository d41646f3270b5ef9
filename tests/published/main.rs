//! Published: agreement with the literature; the test names table and page, and the printed rounding is the tolerance.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod allocation;
mod events;
mod group_sequential;
mod imputation;
mod minimization;
mod multiplicity;
mod nist;
mod panels;
mod peers;
mod peers_minimization;
mod power;
mod power_clusters;
mod power_events;
mod power_means;
mod proportion_ratios;
mod proportions;
mod randomization;
mod ranks;
mod ratio_models;
mod restricted;
mod star;
mod survival;
