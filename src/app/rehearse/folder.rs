//! The folder of a rehearsal: what the demo puts there first, and what is never written over.
//!
//! Everything in it is made up. What happens there is [`super::rehearse`].

use crate::app::Failure;
use crate::app::Outside;
use crate::app::exit;
use crate::diagnostic::Words;
use crate::words;
use std::path::{Path, PathBuf};

/// The shipped demo: the protocol of the IUH study and its world.
const DEMO_PROTOCOL: &str = include_str!("../../../protocols/iuh-2025/protocol.toml");

/// Writes the demo's protocol into its folder, to be rehearsed.
///
/// # Errors
/// The folder cannot be written.
pub fn demo_protocol(outside: &Outside, folder: &Path) -> Result<PathBuf, Failure> {
    let file = folder.join("protocol.toml");
    outside.write(&file, DEMO_PROTOCOL.as_bytes())?;
    Ok(file)
}

/// One year, a benefit, and enough families to fill the slots.
pub const DEMO_SETTINGS: [&str; 3] = [
    "months=12",
    "truth.rereport_ratio=0.85",
    "accrual.families_per_month_and_site={ mean = 8.5, gamma_shape = 8 }",
];

/// The world of the demo.
pub fn demo_scenario() -> String {
    crate::app::new::beside("protocol.toml")
}

/// What a rehearsal writes into its folder.
const WRITTEN: [&str; 7] = [
    "study",
    "seed",
    "protocol.toml",
    "scenario.toml",
    "register.csv",
    "report",
    "replay.json",
];

/// Takes away what was written into a folder that [`refuse_used`] had let pass, and the folder itself where it is then empty, so
/// that nothing half made, and no seed, stays. What cannot be removed stays: why there is no study is what must be told.
pub fn take_away(outside: &Outside, folder: &Path) {
    for name in WRITTEN {
        let path = outside.path(folder.join(name));
        let _ = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
    }
    let _ = std::fs::remove_dir(outside.path(folder));
}

/// Refuses a folder that holds something that a rehearsal would write over; the protocol itself may lie there.
///
/// # Errors
/// Exit 7.
pub fn refuse_used(
    outside: &Outside,
    folder: &Path,
    protocol: Option<&Path>,
) -> Result<(), Failure> {
    let there = WRITTEN
        .iter()
        .map(|name| folder.join(name))
        .find(|path| outside.exists(path) && protocol != Some(path.as_path()));
    let Some(there) = there else { return Ok(()) };
    let there = there.display();
    Err(Failure::new(
        exit::WRONG_STATE,
        "exists",
        words!(
            "{there} is there already and is not overwritten",
            "{there} finns redan och skrivs inte över"
        ),
    )
    .help(Words::new(
        "name another folder, or remove the earlier one",
        "ange en annan mapp, eller ta bort den tidigare",
    )))
}
