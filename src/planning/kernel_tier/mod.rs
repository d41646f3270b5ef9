//! The engine `kernel`: studies whose answer follows from counts, scores or times, without the days in between.
//!
//! A fast path reads the same words of the same streams as the whole state machine for what its figures depend on
//! (who comes when and where, fields, arms, outcomes, redraws), leaves out the rest (lengths of investigations, services,
//! days on which nothing counts), and ends in the same functions of the same counts, rows or days: a replicate gives the
//! same record as by the engine `study`, bit for bit. What all paths are valid for, and that of counts, stands in
//! `domain`, the rest in `score_domain` and `times_domain`; a cell outside it is refused before anything is run. A single
//! study that a path does not settle (an arm of a site with fewer than two families, a look without a test) is run by the
//! whole machine instead. To add a path: its file here, its part of the domain, a test that holds it to the engine `study`
//! and one that holds it to an exact figure.

mod domain;
mod first_reports;
mod guesses;
mod intake;
mod logarithm;
mod redraws;
mod score_domain;
mod scores;
mod side_by_side;
mod steps;
mod sweep;
mod times;
mod times_domain;
mod walk;
mod yes_no;

pub(super) use domain::misfits;

use super::on_demand::OnDemand;
use super::record::Record;
use super::scenario::Cell;
use crate::study::kernel::Refusal;
use scores::Scores;
use times::Times;
use yes_no::YesNo;

/// A fast path.
#[derive(Debug)]
enum Path<'c> {
    /// Yes-no outcomes, by counts.
    YesNo(Box<YesNo<'c>>),
    /// Scores, by their rows.
    Scores(Box<Scores<'c>>),
    /// Times to a first report, by their days.
    Times(Box<Times<'c>>),
}

impl<'c> Path<'c> {
    /// The path of a cell of the domain.
    fn of(cell: &'c Cell, seed: u64) -> Option<Self> {
        let (protocol, scenario) = (&cell.protocol, &cell.scenario);
        Some(if score_domain::is_meant(protocol, scenario) {
            Self::Scores(Box::new(Scores::new(cell, seed)?))
        } else if times_domain::is_meant(protocol, scenario) {
            Self::Times(Box::new(Times::new(cell, seed)?))
        } else {
            Self::YesNo(Box::new(YesNo::new(cell, seed)?))
        })
    }

    fn study(&mut self, replicate: u64) -> Option<Record> {
        match self {
            Self::YesNo(path) => path.study(replicate),
            Self::Scores(path) => path.study(replicate),
            Self::Times(path) => path.study(replicate),
        }
    }

    fn numbers(&self) -> Numbers {
        match self {
            Self::YesNo(path) => path.numbers(),
            Self::Scores(path) => path.numbers(),
            Self::Times(path) => path.numbers(),
        }
    }

    fn floor(&mut self, replicate: u64, numbers: &Numbers) -> u64 {
        match self {
            Self::YesNo(path) => path.floor(replicate, numbers),
            Self::Scores(path) => path.floor(replicate, numbers),
            Self::Times(path) => path.floor(replicate, numbers),
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
        if let Some(Path::YesNo(path)) = &mut self.path {
            path.set_draws(draws);
        }
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
    /// Of the outcomes: the blocks that the days of reports are taken from.
    pub outcomes: usize,
    /// Number of redraws, and words of each.
    pub redraws: (u64, usize),
}

impl Numbers {
    /// All words.
    pub fn words(&self) -> u64 {
        let (number, each) = self.redraws;
        let families: usize = self.sites.iter().chain(&self.scores).sum();
        (families + self.arms + self.outcomes) as u64 + number * each as u64
    }
}
