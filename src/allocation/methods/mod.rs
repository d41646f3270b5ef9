//! The registry of randomization methods: one file each, one line here.

use super::options::MethodEntry;

mod big_stick;
mod permuted_block;
mod simple;

/// Every method, in the order in which help lists them.
pub const METHODS: &[MethodEntry] = &[simple::ENTRY, permuted_block::ENTRY, big_stick::ENTRY];

/// The method of an id.
pub fn find(id: &str) -> Option<&'static MethodEntry> {
    METHODS.iter().find(|entry| entry.id == id)
}
