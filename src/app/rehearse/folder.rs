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
    let file = folder.join(PROTOCOL);
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

/// The protocol of a rehearsal.
pub(super) const PROTOCOL: &str = "protocol.toml";

/// What a rehearsal writes into its folder.
const WRITTEN: [&str; 7] = [
    "study",
    "seed",
    PROTOCOL,
    "scenario.toml",
    "register.csv",
    "report",
    "replay.json",
];

/// What is in a folder before a rehearsal or a replay, and stays whatever becomes of it.
#[derive(Debug, Clone)]
pub struct Before {
    /// The folder itself, or the nearest one above it that is there.
    stands: PathBuf,
    /// Whether the user's own protocol lies there, under the name of the rehearsal's.
    pub(super) own_protocol: bool,
}

/// Takes away what was written into a folder that [`refuse_used`] had let pass, and the folders that were made for it, so
/// that nothing half made, and no seed, stays. What cannot be removed stays: why there is no study is what must be told.
pub fn take_away(outside: &Outside, folder: &Path, before: &Before) {
    let written = WRITTEN.iter();
    for name in written.filter(|name| !(before.own_protocol && **name == PROTOCOL)) {
        let path = outside.path(folder.join(name));
        let _ = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
    }
    let folder = outside.path(folder);
    for made in folder.ancestors().take_while(|own| *own != before.stands) {
        if std::fs::remove_dir(made).is_err() {
            break;
        }
    }
}

/// Refuses a folder that holds something that a rehearsal would write over; the protocol itself may lie there under the name
/// that the rehearsal gives it, and is not written.
///
/// # Errors
/// Exit 7.
pub fn refuse_used(
    outside: &Outside,
    folder: &Path,
    protocol: Option<&Path>,
) -> Result<Before, Failure> {
    let real = |path: &Path| std::fs::canonicalize(outside.path(path)).ok();
    let mine = protocol.and_then(real);
    let own = |path: &Path| path.ends_with(PROTOCOL) && mine.is_some() && real(path) == mine;
    let is_there = |path: &PathBuf| outside.path(path).symlink_metadata().is_ok();
    let there = WRITTEN.iter().map(|name| folder.join(name));
    let found: Vec<PathBuf> = there.filter(is_there).collect();
    if let Some(there) = found.iter().find(|path| !own(path)) {
        let there = there.display();
        return Err(Failure::new(
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
        )));
    }
    let full = outside.path(folder);
    let is_folder = |own: &&Path| own.as_os_str().is_empty() || own.is_dir();
    let stands = full.ancestors().find(is_folder);
    Ok(Before {
        stands: stands.unwrap_or(&full).to_owned(),
        own_protocol: !found.is_empty(),
    })
}
