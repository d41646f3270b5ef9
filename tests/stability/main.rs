//! What must never change: append-only vectors, written by a program that shares nothing with this one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod allocation;
mod generator;
mod minimization;
mod reference_set;
