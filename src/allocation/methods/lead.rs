//! How far each arm is ahead of the arm with the fewest allocations: what a rule that treats arms alike remembers.

/// Allocations of each arm above those of the arm with the fewest, so that one of them is always 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lead<const PLACES: usize>([u64; PLACES]);

impl<const PLACES: usize> Lead<PLACES> {
    /// All arms level.
    pub(super) fn level() -> Self {
        Self([0; PLACES])
    }

    /// How far each of `arms` arms is ahead.
    pub(super) fn of(&self, arms: usize) -> &[u64] {
        &self.0[..arms]
    }

    /// What is held of each arm.
    pub(super) fn by_arm(&mut self) -> &mut [u64] {
        &mut self.0
    }

    /// Counts one allocation; an arm beyond `arms` is not counted.
    pub(super) fn count(&mut self, arm: usize, arms: usize) {
        let own = &mut self.0[..arms];
        if let Some(ahead) = own.get_mut(arm) {
            *ahead += 1;
        }
        if !own.contains(&0) {
            for ahead in own {
                *ahead -= 1;
            }
        }
    }
}
