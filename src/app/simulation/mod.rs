//! `simulate` beyond one run on one machine: shards in a folder, what puts them together, job arrays, single
//! replicates to look into.
//!
//! An [`order`] is all that the answer depends on; a `folder` keeps the records of an order in pieces. What a piece is
//! and what the records say is `planning`'s.

mod flaws;
mod folder;
pub mod found;
pub mod merge;
pub mod order;
mod pace;
pub(crate) mod pages;
pub mod replayed;
pub(super) mod rows;
pub mod search;
mod settings;
pub mod shard;
pub mod slurm;
