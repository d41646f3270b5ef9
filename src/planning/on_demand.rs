//! The whole machine for studies that a fast path leaves to it: made when the first of them comes, for most cells have none,
//! and where parameters have priors every replicate has a cell of its own.

use super::record::Record;
use super::scenario::Cell;
use super::study::Simulator;
use crate::study::kernel::Refusal;

/// A [`Simulator`] that is not there before it is needed.
#[derive(Debug)]
pub(super) struct OnDemand<'c> {
    cell: &'c Cell,
    seed: u64,
    draws: u32,
    made: Option<Box<Simulator<'c>>>,
}

impl<'c> OnDemand<'c> {
    /// Of a cell, with the scenario's number of redraws.
    pub(super) fn new(cell: &'c Cell, seed: u64) -> Self {
        Self {
            cell,
            seed,
            draws: cell.scenario.precision.draws,
            made: None,
        }
    }

    /// With another number of redraws per randomization test.
    pub(super) fn with_draws(self, draws: u32) -> Self {
        Self {
            draws,
            made: None,
            ..self
        }
    }

    /// One study.
    ///
    /// # Errors
    /// As [`Simulator::study`].
    pub(super) fn study(&mut self, replicate: u64) -> Result<Record, Refusal> {
        let (cell, seed, draws) = (self.cell, self.seed, self.draws);
        let make = || Box::new(Simulator::new(cell, seed).with_draws(draws));
        self.made.get_or_insert_with(make).study(replicate)
    }
}
