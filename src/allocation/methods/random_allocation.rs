//! `random-allocation`: all lists of one length that end in the ratio are equally likely (the random allocation rule).
//!
//! That is one block as long as the list, so the block of `permuted-block` is used.

use super::permuted_block::PermutedBlock;
use crate::allocation::Choice;
use crate::allocation::options::{
    LIST_LEN, LONGEST_LIST, MethodEntry, Options, Refusal, Setting, list_len,
};
use crate::allocation::weights::Ratio;

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "random-allocation",
    about: "one block as long as the list",
    about_sv: "ett enda block, lika långt som listan",
    options: &[LIST_LEN],
    needs_n: true,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[1, 1], &[("list_len", "10")]),
        Setting::new(&[3, 1], &[]),
        Setting::new(&[2, 1], &[("list_len", "12")]),
        Setting::new(&[2, 2, 1], &[("list_len", "15")]),
    ],
    declines: &[
        (Setting::new(&[2, 1], &[]), "list-not-divided"),
        (
            Setting::new(&[1, 1], &[("list_len", "11")]),
            "list-not-divided",
        ),
        (
            Setting::new(&[2, 2, 1], &[("list_len", "4")]),
            "list-not-divided",
        ),
        (Setting::new(&[1, 1], &[("list_len", "0")]), "invalid-value"),
        (
            Setting::new(&[1, 1], &[("list_len", "1000001")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "4")]),
            "unknown-option",
        ),
    ],
    build,
};

fn build(ratio: &Ratio, options: &Options, n: Option<u64>) -> Result<Choice, Refusal> {
    let length = list_len(options, n, ratio, LONGEST_LIST)?;
    Ok(Box::new(PermutedBlock::of_length(ratio, length)))
}
