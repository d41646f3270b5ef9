//! How far each arm is ahead of the arm with the fewest allocations: what a rule that treats arms alike remembers.

use crate::allocation::method::renamed;
use crate::allocation::weights::{Arm, MAX_ARMS};

/// Allocations of each arm above those of the arm with the fewest, so that one of them is always 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Lead([u64; MAX_ARMS]);

impl Lead {
    /// How far each of `arms` arms is ahead.
    pub(super) fn of(&self, arms: usize) -> &[u64] {
        &self.0[..arms]
    }

    /// What is held of arm `order[k]` becomes that of arm `k`.
    pub(super) fn rename(&mut self, order: &[usize]) {
        renamed(&mut self.0, order);
    }

    /// Counts one allocation; an arm beyond `arms` is not counted.
    pub(super) fn count(&mut self, arm: Arm, arms: usize) {
        let own = &mut self.0[..arms];
        if let Some(ahead) = own.get_mut(arm.index()) {
            *ahead += 1;
        }
        if !own.contains(&0) {
            for ahead in own {
                *ahead -= 1;
            }
        }
    }
}
