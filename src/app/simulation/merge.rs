//! `simulate --merge DIR`: puts the pieces of all shards together, and names what is missing, damaged or foreign.
//!
//! Records are read in the order of their numbers and summed up by the same rule as in one run, so the answer has the
//! same bytes. Memory holds one round of studies at a time.

use super::flaws::{Lack, failed, refused};
use super::folder::{Flaw, Folder};
use super::order::{Order, Planned};
use super::pace::Pace;
use crate::app::exit;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::diagnostic::Words;
use crate::planning::judging::Judge;
use crate::planning::record::Record;
use crate::planning::rounds::{ROUND, summarize};
use crate::planning::scenario::Cell;
use crate::planning::simulate::{CellPerformance, Options, SimulationError, Threads};
use crate::planning::what_if::Difference;
use crate::words;
use std::path::Path;

/// Cells by their group (a cell of the scenario, then the same cell of the alternatives), with what each alternative
/// has more.
pub(crate) type Summed = Vec<(Vec<CellPerformance>, Vec<Difference>)>;

/// Runs an order on this machine. With a folder, studies that lie there are not run again and those that are run are
/// written there.
///
/// # Errors
/// As [`crate::app::simulate::simulate`].
pub(crate) fn run(
    outside: &Outside,
    planned: &Planned,
    out: Option<&Path>,
    threads: Option<usize>,
) -> Result<Summed, Failure> {
    let options = planned.order.options(threads);
    let threads = Threads::new(threads).map_err(|error| failed(&error))?;
    let mut folder = match out {
        None => None,
        Some(out) => {
            let mut folder = Folder::begin(outside, out, planned, false)?;
            folder.discard_damaged();
            Some(folder)
        }
    };
    let groups = planned.groups();
    let wanted =
        |cells: &Vec<&_>| cells.len() as u64 * cells.first().map_or(0, |cell| options.wanted(cell));
    // Where a cell stops on precision it stops at the latest at a power of one half.
    let expected = |cells: &Vec<&Cell>| {
        let stop = cells
            .first()
            .and_then(|cell| cell.scenario.precision.stop_at_mcse);
        match (options.replicates, stop) {
            (None, Some(mcse)) => {
                let rounds = (0.25 / (mcse * mcse) / ROUND as f64).ceil() as u64;
                wanted(cells).min(cells.len() as u64 * (rounds.max(1) * ROUND))
            }
            _ => wanted(cells),
        }
    };
    let pace = Pace::new(outside);
    let mut before = 0;
    let mut answer = Vec::with_capacity(groups.len());
    for (group, cells) in groups.iter().enumerate() {
        let later: u64 = groups[group + 1..].iter().map(expected).sum();
        let most = expected(cells);
        let stop = cells
            .first()
            .and_then(|cell| cell.scenario.precision.stop_at_mcse)
            .filter(|_| options.replicates.is_none());
        let mut seen: Vec<Seen> = cells.iter().map(|cell| Seen::new(cell, &options)).collect();
        let total = std::cell::Cell::new(before + most + later);
        let mut run = |place: usize, from: u64, to: u64| -> Result<Vec<Record>, Stopped> {
            match &mut folder {
                None => {
                    let records = threads.records(cells[place], &options, from, to)?;
                    let done =
                        before + from * cells.len() as u64 + (place as u64 + 1) * (to - from);
                    pace.ran(to - from, done, total.get());
                    Ok(records)
                }
                Some(folder) => {
                    let unit = (group, place);
                    let mut here = 0;
                    let mut progress = |studies: u64| {
                        here += studies;
                        let done = before + from * cells.len() as u64 + place as u64 * (to - from);
                        pace.ran(studies, done + here, total.get());
                    };
                    folder.ensure(
                        planned,
                        (&threads, &options),
                        unit,
                        &(from..to),
                        None,
                        &mut progress,
                    )?;
                    let read = folder.read(planned.unit(group, place), &(from..to))?;
                    let out = out.unwrap_or(Path::new(""));
                    read.map_err(|flaws| {
                        Stopped::Failed(refused(folder, planned, out, &flaws, &[]))
                    })
                }
            }
        };
        let mut studies = |place: usize, from: u64, to: u64| -> Result<Vec<Record>, Stopped> {
            let records = run(place, from, to)?;
            seen[place].add(&records);
            if let (Some(mcse), true) = (stop, place + 1 == cells.len()) {
                // A power far from one half is known sooner.
                let needed = seen.iter().map(|own| own.needed(mcse)).max();
                let each = needed.unwrap_or(to).max(to);
                total.set(before + most.min(each * cells.len() as u64) + later);
            }
            Ok(records)
        };
        let summed = summarize(cells, &options, &mut studies, &|_| {});
        match summed {
            Ok(summed) => answer.push(summed),
            Err(Stopped::Failed(failure)) => return Err(failure),
            Err(Stopped::Flawed) => {}
        }
        before += seen.iter().map(|own| own.studies).sum::<u64>();
    }
    pace.ended(before);
    Ok(answer)
}

/// Rejections so far in a cell, for a guess at how many studies its precision takes.
struct Seen {
    judge: Judge,
    rejections: Vec<u64>,
    studies: u64,
}

impl Seen {
    fn new(cell: &Cell, options: &Options) -> Self {
        let judge = Judge::of(cell, options.draws_in(cell));
        Self {
            rejections: vec![0; judge.limits().len()],
            judge,
            studies: 0,
        }
    }

    fn add(&mut self, records: &[Record]) {
        self.studies += records.len() as u64;
        for record in records {
            let each = self.judge.rejects(record).into_iter();
            for (rejections, rejects) in self.rejections.iter_mut().zip(each) {
                *rejections += u64::from(rejects);
            }
        }
    }

    /// Studies after which every power that was seen is known to within a Monte Carlo standard error: whole rounds.
    fn needed(&self, mcse: f64) -> u64 {
        let n = self.studies as f64;
        let deciding = self.judge.limits().iter().zip(&self.rejections);
        let each = deciding.filter(|(limit, _)| limit.is_some());
        let most = each.map(|(_, rejections)| {
            let p = (*rejections as f64 + 1.0) / (n + 2.0);
            p * (1.0 - p) / (mcse * mcse)
        });
        let most = most.fold(0.0, f64::max);
        ((most / ROUND as f64).ceil() as u64).max(1) * ROUND
    }
}

/// Puts together what lies in a folder.
///
/// # Errors
/// No plan there (exit 2), pieces that are missing (7), damaged, foreign or contradictory (4): all of them named.
pub(crate) fn merge(outside: &Outside, path: &Path) -> Result<(Planned, Summed), Failure> {
    let Some(order) = Order::in_folder(outside, path)? else {
        let name = path.display();
        return Err(Failure::new(
            exit::USAGE,
            "no-plan",
            words!(
                "there is no plan.json in {name}: nothing was simulated there",
                "det finns ingen plan.json i {name}: ingenting har simulerats där"
            ),
        )
        .help(Words::new(
            "name the folder that the shards were given with --out",
            "ange mappen som delarna fick med --out",
        )));
    };
    let planned = order.planned()?;
    let mut folder = Folder::look(outside, path, &planned)?;
    let options = planned.order.options(None);
    let groups = planned.groups();
    let mut flaws: Vec<Flaw> = Vec::new();
    let mut lacking: Vec<Lack> = Vec::new();
    let mut answer = Vec::with_capacity(groups.len());
    for (group, cells) in groups.iter().enumerate() {
        let mut studies = |place: usize, from: u64, to: u64| {
            let read = folder.read(planned.unit(group, place), &(from..to))?;
            read.map_err(|_| Stopped::Flawed)
        };
        match summarize(cells, &options, &mut studies, &|_| {}) {
            Ok(summed) => answer.push(summed),
            Err(Stopped::Failed(failure)) => return Err(failure),
            Err(Stopped::Flawed) => {
                let wanted = cells.first().map_or(0, |cell| options.wanted(cell));
                for (place, cell) in cells.iter().enumerate() {
                    let unit = planned.unit(group, place);
                    flaws.extend(folder.flaws(unit, wanted)?);
                    let gaps = folder.gaps(unit, &(0..wanted));
                    if !gaps.is_empty() {
                        lacking.push(Lack {
                            cell: cell.id.clone(),
                            wanted,
                            gaps,
                        });
                    }
                }
            }
        }
    }
    if flaws.is_empty()
        && lacking.is_empty()
        && folder.damaged.is_empty()
        && folder.foreign.is_empty()
    {
        return Ok((planned, answer));
    }
    Err(refused(&folder, &planned, path, &flaws, &lacking))
}

/// Why summing up stopped.
enum Stopped {
    Failed(Failure),
    /// Pieces are missing, damaged or contradictory; they are noted elsewhere.
    Flawed,
}

impl From<SimulationError> for Stopped {
    fn from(error: SimulationError) -> Self {
        Self::Failed(failed(&error))
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
