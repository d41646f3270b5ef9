//! Where a ledger's bytes live: memory and SQLite behind [`crate::study::journal::Ledger`].
//!
//! No trial decision is taken here. One contract suite runs on every back end (`tests/store`). To add one, implement
//! the trait in a file of its own and give it to the suite.

mod beside;
mod form;
mod memory;
mod reasons;
mod rows;
mod sqlite;

pub use beside::read_beside;
pub use memory::MemoryLedger;
pub use sqlite::SqliteLedger;
