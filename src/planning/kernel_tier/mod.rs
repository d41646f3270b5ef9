//! The engine `kernel`: studies whose answer follows from counts or scores, without the days in between.
//!
//! A fast path reads the same words of the same streams as the whole state machine for what its figures depend on
//! (who comes when and where, fields, arms, outcomes, redraws), leaves out the rest (lengths of investigations, services,
//! days of reports), and ends in the same functions of the same counts or rows: a replicate gives the same record as by the engine
//! `study`, bit for bit. What a path is valid for stands in `domain`, and a cell outside it is refused before anything
//! is run. A single study in which a path's counts do not settle the answer (an arm of a site with fewer than two
//! families) is run by the whole machine instead. To add a path: its file here, its part of the domain, a test that
//! holds it to the engine `study` and one that holds it to an exact figure.

mod domain;
mod intake;
mod logarithm;
mod redraws;
mod score_domain;
mod scores;
mod steps;
mod walk;
mod yes_no;

pub(super) use domain::misfits;

use super::on_demand::OnDemand;
use super::record::Record;
use super::scenario::Cell;
use crate::study::kernel::Refusal;
use scores::Scores;
use yes_no::YesNo;

/// A fast path.
#[derive(Debug)]
enum Path<'c> {
    /// Yes-no outcomes, by counts.
    YesNo(Box<YesNo<'c>>),
    /// Scores, by their rows.
    Scores(Box<Scores<'c>>),
}

impl<'c> Path<'c> {
    /// The path of a cell of the domain.
    fn of(cell: &'c Cell, seed: u64) -> Option<Self> {
        if score_domain::is_meant(&cell.protocol, &cell.scenario) {
            let path = Scores::new(cell, seed)?;
            return Some(Self::Scores(Box::new(path)));
        }
        let path = YesNo::new(cell, seed)?;
        Some(Self::YesNo(Box::new(path)))
    }

    fn with_draws(self, draws: u32) -> Self {
        match self {
            Self::YesNo(path) => Self::YesNo(Box::new(path.with_draws(draws))),
            Self::Scores(_) => self,
        }
    }

    fn study(&mut self, replicate: u64) -> Option<Record> {
        match self {
            Self::YesNo(path) => path.study(replicate),
            Self::Scores(path) => path.study(replicate),
        }
    }

    fn numbers(&self) -> Numbers {
        match self {
            Self::YesNo(path) => path.numbers(),
            Self::Scores(path) => path.numbers(),
        }
    }

    fn floor(&mut self, replicate: u64, numbers: &Numbers) -> u64 {
        match self {
            Self::YesNo(path) => path.floor(replicate, numbers),
            Self::Scores(path) => path.floor(replicate, numbers),
        }
    }
}

/// Runs the studies of one cell by a fast path.
#[derive(Debug)]
pub struct Kernel<'c> {
    path: Option<Path<'c>>,
    whole: OnDemand<'c>,
    /// Studies that the path left to the whole machine.
    left: u64,
}

impl<'c> Kernel<'c> {
    /// For a cell that was read with `engine = "kernel"`; any other cell is run by the whole machine.
    pub fn new(cell: &'c Cell, seed: u64) -> Self {
        let whole = OnDemand::new(cell, seed);
        let fits = misfits(&cell.protocol, &cell.scenario).is_empty();
        Self {
            path: fits.then(|| Path::of(cell, seed)).flatten(),
            whole,
            left: 0,
        }
    }

    /// With another number of redraws per randomization test than the scenario's; 0 leaves the test out.
    #[must_use]
    pub fn with_draws(mut self, draws: u32) -> Self {
        self.whole = self.whole.with_draws(draws);
        self.path = self.path.map(|path| path.with_draws(draws));
        self
    }

    /// One study: the record that [`Simulator::study`](super::study::Simulator::study) gives.
    ///
    /// # Errors
    /// As [`Simulator::study`](super::study::Simulator::study).
    pub fn study(&mut self, replicate: u64) -> Result<Record, Refusal> {
        let found = self.path.as_mut().and_then(|path| path.study(replicate));
        if let Some(record) = found {
            return Ok(record);
        }
        self.left += 1;
        self.whole.study(replicate)
    }

    /// Studies so far that were left to the whole machine.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// How many random numbers the last study had; none where the whole machine ran it.
    pub fn numbers(&self) -> Numbers {
        self.path.as_ref().map(Path::numbers).unwrap_or_default()
    }

    /// Draws the numbers of a study in bulk and does nothing with them: the floor of its speed. Returns a word, so that
    /// the work cannot be left out.
    pub fn floor(&mut self, replicate: u64, numbers: &Numbers) -> u64 {
        let path = self.path.as_mut();
        path.map_or(0, |path| path.floor(replicate, numbers))
    }
}

/// Sizes of the streams that a study reads, in words of 64 bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Of each site's families.
    pub sites: Vec<usize>,
    /// Of each site's scores.
    pub scores: Vec<usize>,
    /// Of the arms.
    pub arms: usize,
    /// Number of redraws, and words of each.
    pub redraws: (u64, usize),
}

impl Numbers {
    /// All words.
    pub fn words(&self) -> u64 {
        let (number, each) = self.redraws;
        let families: usize = self.sites.iter().chain(&self.scores).sum();
        (families + self.arms) as u64 + number * each as u64
    }
}
