//! `simulate --replay CELL:REPLICATE DIR`: which study is meant. How it is lived through again is in
//! [`crate::app::rehearse::replay`].

use super::flaws::failed;
use super::folder::hash_text;
use super::order::Planned;
use crate::app::exit;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::app::rehearse::replay::{Replay, Replayed, replay};
use crate::diagnostic::Words;
use crate::planning::simulate::SimulationError;
use crate::words;
use std::path::Path;

/// Replays one study of an order into a folder. Its number may lie beyond those that were run: a replicate is the same
/// study however many there are.
///
/// # Errors
/// Words that name no study (exit 2), and as [`replay`].
pub fn replayed(
    outside: &Outside,
    planned: &Planned,
    wanted: &str,
    folder: &Path,
) -> Result<Replayed, Failure> {
    // A cell may have colons in its name (`ratio=1:2`).
    let parts = wanted.rsplit_once(':').and_then(|(cell, number)| {
        let is_number = number.bytes().all(|b| b.is_ascii_digit());
        Some((cell, number.parse::<u64>().ok().filter(|_| is_number)?))
    });
    let Some((name, replicate)) = parts else {
        return Err(Failure::new(
            exit::USAGE,
            "invalid-value",
            words!(
                "`{wanted}` is no CELL:REPLICATE",
                "`{wanted}` är inget CELL:UPPREPNING"
            ),
        )
        .help(Words::new(
            "the cell as the answer names it, a colon, and the number of the replicate from 0: base:17",
            "cellen som svaret anger den, ett kolon och upprepningens nummer från 0: base:17",
        )));
    };
    let groups = planned.groups();
    let cells = || groups.iter().flatten();
    let Some(cell) = cells().find(|cell| cell.id == name) else {
        let what = Words::new("cell", "cell");
        return Err(Failure::unknown_id(
            &what,
            name,
            cells().map(|cell| cell.id.as_str()),
        ));
    };
    let options = planned.order.options(None);
    let own = if cell.priors.is_empty() {
        None
    } else {
        let own = cell.in_replicate(options.seed, replicate);
        let own = own.map_err(|refused| SimulationError::Drawn {
            cell: cell.id.clone(),
            replicate,
            values: cell.drawn(options.seed, replicate),
            refused: Box::new(refused),
        });
        Some(own.map_err(|error| failed(&error))?)
    };
    replay(
        outside,
        &Replay {
            cell: own.as_ref().unwrap_or(cell),
            plan_hash: &hash_text(planned),
            options: &options,
            replicate,
            folder,
        },
    )
}
