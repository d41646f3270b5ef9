//! `simulate --shard I/N --out DIR`: runs one share of every cell and writes it down.
//!
//! A shard knows nothing of the others: it needs the order and the folder. What the folder holds already is not run
//! again, so the same command goes on after a kill. The stopping rule is the merge's: a shard runs its whole share.

use super::folder::{Folder, hash_text};
use super::order::Planned;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::planning::pieces::{LONGEST, Shard};
use crate::planning::simulate::Threads;
use serde_json::{Value, json};
use std::path::Path;

/// Schema of the answer.
pub const SCHEMA: &str = "shard/1";

/// What a shard did.
#[derive(Debug, Clone, PartialEq)]
pub struct Sharded {
    /// Studies run now.
    pub ran: u64,
    /// Studies that were there already.
    pub found: u64,
    /// Cells.
    pub cells: usize,
    /// The document's fields.
    pub body: Value,
}

/// Runs a shard.
///
/// # Errors
/// A folder of another simulation, or one that cannot be written.
pub fn shard(
    outside: &Outside,
    planned: &Planned,
    out: &Path,
    own: Shard,
    threads: Option<usize>,
) -> Result<Sharded, Failure> {
    let mut folder = Folder::begin(outside, out, planned, true)?;
    folder.discard_damaged();
    let options = planned.order.options(threads);
    let threads = Threads::new(threads).map_err(|error| super::flaws::failed(&error))?;
    let mut shares = Vec::new();
    for (group, cells) in planned.groups().iter().enumerate() {
        // Alternatives run as many studies as the cell that they are compared with.
        let wanted = cells.first().map_or(0, |cell| options.wanted(cell));
        let range = own.replicates(wanted);
        for place in 0..cells.len() {
            shares.push(((group, place), range.clone()));
        }
    }
    let total: u64 = shares
        .iter()
        .map(|(_, range)| range.end - range.start)
        .sum();
    let mut done = 0;
    let pace = super::pace::Pace::new(outside);
    for (unit, range) in shares.iter().cloned() {
        let mut from = range.start;
        while from < range.end {
            let to = range.end.min((from / LONGEST + 1) * LONGEST);
            let mut here = 0;
            let mut progress = |studies: u64| {
                here += studies;
                pace.ran(studies, done + here, total);
            };
            folder.ensure(
                planned,
                (&threads, &options),
                unit,
                &(from..to),
                Some(own),
                &mut progress,
            )?;
            done += to - from;
            from = to;
        }
    }
    pace.ended(total);
    let (ran, cells) = (folder.ran, shares.len());
    let Shard { number, of } = own;
    Ok(Sharded {
        ran,
        found: total - ran,
        cells,
        body: json!({
            "shard": format!("{number}/{of}"),
            "plan_hash": hash_text(planned),
            "cells": cells,
            "studies": total,
            "ran": ran,
            "found": total - ran,
            "folder": out.display().to_string(),
        }),
    })
}
