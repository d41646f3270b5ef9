//! Back ends of the ledger are interchangeable: one suite on each, and what only a file can do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod contract;
mod form;
mod sqlite;
mod torn;
