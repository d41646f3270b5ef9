//! From studies to figures: records are taken in the order of their numbers, and the stopping rule is applied at the
//! same rounds wherever the records come from: run now, read back from pieces, or both.
//!
//! Cells that are compared are taken in step, so that their differences are those of the same replicates.

use super::performance::{AnalysisPerformance, Moments, Sums};
use super::scenario::Cell;
use super::simulate::{CellPerformance, Options, SimulationError, warnings};
use super::study::Record;
use super::what_if::{Difference, Paired};
use crate::analysis::plan::limit;

/// Studies between two looks at the precision, and the fewest before a cell may stop.
pub const ROUND: u64 = 1000;

/// Gives the records of studies `from..to` of one of the cells, by its place.
pub type Studies<'a, E> = dyn FnMut(usize, u64, u64) -> Result<Vec<Record>, E> + 'a;

/// The limit of each analysis' deciding p-value, and whether its expected effect is zero.
pub(super) fn about(cell: &Cell) -> Vec<(Option<f64>, bool)> {
    let of = |index: &usize| {
        let analysis = &cell.protocol.analyses[*index];
        let kind = &cell.protocol.outcomes[analysis.outcome].kind;
        (
            limit(&cell.protocol, analysis),
            cell.scenario.world.is_null(kind),
        )
    };
    cell.scenario.analyses.iter().map(of).collect()
}

/// Limit of the deciding p-value of each analysis of a cell, in the scenario's order; `None` where it decides nothing.
pub fn limits(cell: &Cell) -> Vec<Option<f64>> {
    about(cell).into_iter().map(|(limit, _)| limit).collect()
}

/// Sums up one cell, or several in step: then also what each of the others has more than the first.
///
/// Number of studies and stopping rule are the first cell's; all stop together, once each of them is precise enough.
///
/// # Errors
/// What `studies` gives, and [`SimulationError::AllFailed`].
pub fn summarize<E: From<SimulationError>>(
    cells: &[&Cell],
    options: &Options,
    studies: &mut Studies<'_, E>,
    done: &dyn Fn(u64),
) -> Result<(Vec<CellPerformance>, Vec<Difference>), E> {
    let Some(first) = cells.first() else {
        return Ok((Vec::new(), Vec::new()));
    };
    let replicates = options.wanted(first);
    let stop = match options.replicates {
        Some(_) => None,
        None => first.scenario.precision.stop_at_mcse,
    };
    let abouts: Vec<Vec<(Option<f64>, bool)>> = cells.iter().map(|cell| about(cell)).collect();
    let mut sums: Vec<Sums> = abouts.iter().map(|about| Sums::new(about)).collect();
    let mut paired: Vec<Paired> = abouts
        .iter()
        .skip(1)
        .map(|about| Paired::new(&abouts[0], about))
        .collect();
    let mut costs = vec![Moments::default(); cells.len()];
    let mut stopped_early = false;
    let mut at = 0;
    while at < replicates {
        let to = replicates.min(at + ROUND);
        let base = studies(0, at, to)?;
        let cost = |place: usize, record: &Record| {
            let cost = cells[place].scenario.cost?;
            Some(cost.of(cells[place], record))
        };
        for record in &base {
            sums[0].add(record);
            costs[0].extend(cost(0, record));
        }
        for place in 1..cells.len() {
            let own = studies(place, at, to)?;
            for (record, base) in own.iter().zip(&base) {
                sums[place].add(record);
                let amount = cost(place, record);
                costs[place].extend(amount);
                paired[place - 1].add((base, cost(0, base)), (record, amount));
            }
        }
        at = to;
        done(at);
        if at < replicates && stop.is_some_and(|mcse| sums.iter().all(|sums| sums.is_precise(mcse)))
        {
            stopped_early = true;
            break;
        }
    }
    let mut answer = Vec::with_capacity(cells.len());
    for (place, cell) in cells.iter().enumerate() {
        let (sums, about) = (&sums[place], &abouts[place]);
        let mut found = performance(cell, options, sums, about, stopped_early)?;
        found.cost = cell.scenario.cost.map(|_| costs[place].mean());
        answer.push(found);
    }
    let differences = paired
        .iter()
        .map(|paired| paired.difference(first))
        .collect();
    Ok((answer, differences))
}

fn performance(
    cell: &Cell,
    options: &Options,
    sums: &Sums,
    about: &[(Option<f64>, bool)],
    stopped_early: bool,
) -> Result<CellPerformance, SimulationError> {
    let ids = cell.scenario.analyses.iter();
    let ids = ids.map(|index| cell.protocol.analyses[*index].id.clone());
    let analyses: Vec<(String, AnalysisPerformance)> = ids.zip(sums.analyses()).collect();
    if let Some((id, (_, reason))) = analyses
        .iter()
        .filter(|(_, found)| found.failures == found.replicates)
        .find_map(|(id, found)| Some((id, found.first_failure?)))
    {
        return Err(SimulationError::AllFailed {
            cell: cell.id.clone(),
            analysis: id.clone(),
            reason,
        });
    }
    Ok(CellPerformance {
        cell: cell.id.clone(),
        parameters: cell.parameters.clone(),
        protocol_hash: cell.protocol.hash.to_hex(),
        stopped_early,
        draws: options.draws_in(cell),
        analyses,
        studies: sums.studies(),
        cost: None,
        warnings: warnings(cell, about),
    })
}
