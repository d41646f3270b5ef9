//! Samples without the families that were found not to have been eligible: a sensitivity analysis, never the primary one.

use super::Workspace;
use crate::study::conduct::found_ineligible;
use crate::study::kernel::State;

/// Whether a row of the lock is left out.
pub(in crate::analysis) fn is_out(left_out: &[bool], row: usize) -> bool {
    left_out.get(row).is_some_and(|out| *out)
}

impl Workspace {
    /// Whether any family of the lock was found not to have been eligible.
    pub(in crate::analysis) fn any_ineligible(&self, state: &State) -> bool {
        let mut units = self.units.iter();
        units.any(|unit| found_ineligible(state, unit.family))
    }

    /// Leaves them out of every sample from now on.
    pub(in crate::analysis) fn leave_ineligible_out(&mut self, state: &State) {
        let found = self.units.iter();
        let found = found.map(|unit| found_ineligible(state, unit.family));
        self.left_out.clear();
        self.left_out.extend(found);
    }

    /// Leaves nobody out any longer.
    pub(in crate::analysis) fn keep_all(&mut self) {
        self.left_out.clear();
    }

    /// Families left out, by arm.
    pub(in crate::analysis) fn left_out_by_arm(&self) -> Vec<u32> {
        let (_, arms) = self.shape;
        let mut counts = vec![0; arms];
        for (row, unit) in self.units.iter().enumerate() {
            if let Some(count) = counts.get_mut(unit.arm.index())
                && is_out(&self.left_out, row)
            {
                *count += 1;
            }
        }
        counts
    }
}
