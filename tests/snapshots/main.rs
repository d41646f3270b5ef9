//! Words and pictures as somebody reviewed them. A snapshot says nothing of correctness.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod command;
mod planning;
mod protocol;
mod report;
mod scenario;
