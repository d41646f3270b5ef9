//! Minimal cases whose derivation is in the comment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod allocation;
mod estimation;
