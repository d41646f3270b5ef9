//! The registry of randomization methods: one file each, one line here.

use super::options::MethodEntry;

mod biased_coin;
mod big_stick;
mod completions;
mod lead;
mod maximal;
mod minimization;
mod permuted_block;
mod random_allocation;
mod simple;
mod truncated_binomial;
mod urn;

pub use completions::Completions;

/// Every method, in the order in which help lists them.
pub const METHODS: &[MethodEntry] = &[
    simple::ENTRY,
    permuted_block::ENTRY,
    random_allocation::ENTRY,
    big_stick::ENTRY,
    biased_coin::ENTRY,
    urn::ENTRY,
    truncated_binomial::ENTRY,
    maximal::ENTRY,
    minimization::ENTRY,
];

/// The method of an id.
pub fn find(id: &str) -> Option<&'static MethodEntry> {
    METHODS.iter().find(|entry| entry.id == id)
}
