//! The dry run: the same families, other arms. It shows how the analysis will look without showing what it says.
//!
//! Every arm of the state is replaced by a redraw of the design under a key of its own before anything is computed, so
//! no number that is split by arm knows the true arms. What stays are facts that have no arm: who came when and where,
//! what was recorded of each family, the days on which a gate was closed. What a family was served with (`service`,
//! the slot it holds) follows the redrawn arm, so that no switch can be read from a difference between the two.

use super::reference_set::{History, Redrawer, dry_run_key, replicate};
use crate::protocol::Protocol;
use crate::study::kernel::State;

/// The state with redrawn arms.
///
/// It depends on the protocol and on the order, strata and epochs of the allocations, never on their arms. Purpose
/// `dry-run`, replicate 0.
pub fn dry_run(protocol: &Protocol, state: &State) -> State {
    let mut other = state.clone();
    let history = History::of(protocol, state);
    let mut arms = Vec::new();
    history.redraw(
        &mut Redrawer::default(),
        &mut replicate(&dry_run_key(protocol), 0),
        &mut arms,
    );
    for (allocated, arm) in other.allocations.iter_mut().zip(arms) {
        allocated.arm = arm;
        if let Some(family) = other.families.get_mut(allocated.family.0 as usize) {
            family.arm = arm;
            family.service = arm;
            family.slot = false;
        }
    }
    for site in &mut other.sites {
        site.taken = 0;
    }
    other
}
