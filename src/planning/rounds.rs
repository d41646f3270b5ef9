//! From studies to figures: records are taken in the order of their numbers, and the stopping rule is applied at the
//! same rounds wherever the records come from: run now, read back from pieces, or both.
//!
//! Cells that are compared are taken in step, so that their differences are those of the same replicates.

use super::judging::Judge;
use super::performance::{About, AboutLooks, AnalysisPerformance, Moments, Sums, Truth};
use super::record::Record;
use super::scenario::{Cell, Shared};
use super::simulate::{CellPerformance, Options, SimulationError, warnings};
use super::what_if::{Difference, Paired};
use crate::estimation::Warning;
use crate::protocol::model::{Analysis, Role};
use crate::words;

/// Studies between two looks at the precision, and the fewest before a cell may stop.
pub const ROUND: u64 = 1000;

/// Gives the records of studies `from..to` of one of the cells, by its place.
pub type Studies<'a, E> = dyn FnMut(usize, u64, u64) -> Result<Vec<Record>, E> + 'a;

/// Share of studies that some figures leave out, without an answer or with a ratio without end, above which a cell warns of them.
const MANY: f64 = 0.05;

/// A cell none of whose first studies could be analysed is given up.
const FIRST: u64 = 50;

/// What is known of the comparisons of a cell, in the scenario's order.
fn about(cell: &Cell, judge: &Judge) -> Vec<About> {
    let each = cell.scenario.comparisons().zip(&cell.is_null);
    each.zip(judge.limits())
        .enumerate()
        .map(|(place, (((index, _), is_null), limit))| About {
            limit: *limit,
            adjusted: judge.adjusts(place),
            level: 1.0 - cell.protocol.analyses[index].alpha,
            is_null: *is_null,
            believed: cell.is_believed(),
            truth: truth(&cell.protocol.analyses[index]),
        })
        .collect()
}

fn truth(analysis: &Analysis) -> Truth {
    if analysis.is_difference() {
        return Truth::Known;
    }
    // Bounds whatever the unknown outcomes are hold the effect among all families; trimmed ones are of some of them.
    if analysis.estimator == "manski-bounds" {
        return Truth::Bounded;
    }
    let ratio = analysis.estimand.measure.ends_with("-ratio");
    Truth::Other { ratio }
}

/// That some analyses have no true effect in a study, so that there is nothing to hold their estimates and intervals against, and
/// that bounds have no estimate.
pub(super) fn no_true_effect(cell: &Cell) -> Vec<Warning> {
    let ids = |of: fn(Truth) -> bool| -> Option<String> {
        let analyses = cell.scenario.analyses.iter();
        let analyses = analyses.map(|index| &cell.protocol.analyses[*index]);
        let own = analyses.filter(|own| of(truth(own)));
        let ids: Vec<String> = own.map(|own| format!("`{}`", own.id)).collect();
        (!ids.is_empty()).then(|| ids.join(", "))
    };
    let other = ids(|own| matches!(own, Truth::Other { .. })).map(|ids| {
        words!(
            "{ids}: no estimate of a difference of two means, which alone has a true effect in each study; bias, mean squared error and coverage are not computed",
            "{ids}: ingen skattning av en skillnad mellan två medelvärden, det enda som har en sann effekt i varje studie; skevhet, medelkvadratfel och täckning beräknas inte"
        )
    });
    let bounded = ids(|own| own == Truth::Bounded).map(|ids| {
        words!(
            "{ids}: bounds and no estimate; coverage is how often they hold the true effect, bias and mean squared error are not computed",
            "{ids}: gränser och ingen skattning; täckning är hur ofta de innehåller den sanna effekten, skevhet och medelkvadratfel beräknas inte"
        )
    });
    let all = other.into_iter().chain(bounded);
    all.map(|words| Warning::new("no-true-effect", words))
        .collect()
}

/// The true effect of a study on the scale of an analysis' estimate, of what its record has; `None` where it is not known there.
pub fn true_effect(analysis: &Analysis, recorded: f64) -> Option<f64> {
    match truth(analysis) {
        Truth::Known | Truth::Bounded => Some(recorded),
        Truth::Other { .. } => None,
    }
}

/// What is known of the looks at the monitored analysis of a cell; `None` without one.
fn about_looks(cell: &Cell) -> Option<AboutLooks> {
    let own = |index: &usize| &cell.protocol.analyses[*index];
    let mut analyses = cell.scenario.analyses.iter().map(own).enumerate();
    let (place, analysis) = analyses.find(|(_, own)| !own.looks.is_empty())?;
    let locks = analysis.looks.iter().chain([&analysis.lock]);
    Some(AboutLooks {
        place,
        locks: locks
            .map(|lock| cell.protocol.locks[*lock].id.clone())
            .collect(),
        has_truth: truth(analysis) == Truth::Known,
    })
}

/// No study has given numbers of the primary analysis, or of any. Another analysis that never does is only warned of.
fn refuse_failures(cell: &Cell, sums: &Sums) -> Result<(), SimulationError> {
    let failed = sums.all_failed();
    let all = failed.len() == cell.scenario.analyses.len();
    let is_primary = |place: usize| {
        let analysis = &cell.protocol.analyses[cell.scenario.analyses[place]];
        analysis.role == Role::Primary
    };
    let mut refused = failed
        .into_iter()
        .filter(|(place, _)| all || is_primary(*place));
    let Some((place, reason)) = refused.next() else {
        return Ok(());
    };
    Err(SimulationError::AllFailed {
        replicates: sums.replicates(),
        cell: cell.id.clone(),
        analysis: cell.names().into_iter().nth(place).unwrap_or_default(),
        reason,
    })
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
    let judges: Vec<Judge> = cells
        .iter()
        .map(|cell| Judge::of(cell, options.draws_in(cell)))
        .collect();
    let empty = |(cell, judge): (&&Cell, &Judge)| {
        let target = cell.protocol.sample_size.target;
        Sums::new(&about(cell, judge), target, cell.month_ends.len())
            .with_looks(about_looks(cell).as_ref())
            .with_judge(judge.clone(), &cell.is_null)
    };
    let mut sums: Vec<Sums> = cells.iter().zip(&judges).map(empty).collect();
    let mut paired: Vec<Paired> = cells
        .iter()
        .zip(&judges)
        .skip(1)
        .map(|(cell, judge)| Paired::new((first, &judges[0]), (cell, judge)))
        .collect();
    let mut costs = vec![Moments::default(); cells.len()];
    let mut stopped_early = false;
    let mut at = 0;
    while at < replicates {
        // The first few by themselves: they tell whether the rest is worth running.
        let step = if at == 0 { FIRST } else { ROUND - at % ROUND };
        let to = replicates.min(at + step);
        let base = studies(0, at, to)?;
        let cost = |place: usize, record: &Record| {
            if let Some(own) = record.drawn {
                return own.cost;
            }
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
        if at == 0 && to >= FIRST {
            for (cell, sums) in cells.iter().zip(&sums) {
                refuse_failures(cell, sums)?;
            }
        }
        at = to;
        done(at);
        let whole = at < replicates && at.is_multiple_of(ROUND);
        if whole && stop.is_some_and(|mcse| sums.iter().all(|sums| sums.is_precise(mcse))) {
            stopped_early = true;
            break;
        }
    }
    let mut answer = Vec::with_capacity(cells.len());
    for (place, cell) in cells.iter().enumerate() {
        let sums = &sums[place];
        let mut found = performance(cell, options, sums, stopped_early)?;
        found.cost = cell.scenario.cost.map(|_| costs[place].mean());
        answer.push(found);
    }
    let differences = paired
        .iter()
        .map(|paired| paired.difference(first))
        .collect();
    Ok((answer, differences))
}

/// That many of the studies of a cell gave an analysis no numbers, if many did: failures among how many studies, and the code
/// of the first.
pub fn many_failures(
    id: &str,
    cell: &str,
    (failures, replicates): (u64, u64),
    reason: &str,
) -> Option<Warning> {
    let words = if failures == replicates {
        words!(
            "`{id}` gave no numbers in any of {replicates} studies of the cell `{cell}` (the first: {reason}): it has no power, bias or coverage",
            "`{id}` gav inga tal i någon av {replicates} studier i cellen `{cell}` (den första: {reason}): den har varken styrka, skevhet eller täckning"
        )
    } else {
        words!(
            "`{id}` gave no numbers in {failures} of {replicates} studies of the cell `{cell}` (the first: {reason}): they count as not rejecting, and bias, standard errors and coverage are of the others alone",
            "`{id}` gav inga tal i {failures} av {replicates} studier i cellen `{cell}` (den första: {reason}): de räknas som att de inte förkastar, och skevhet, medelfel och täckning gäller bara de övriga"
        )
    };
    let many = failures as f64 > MANY * replicates as f64;
    many.then(|| Warning::new("many-failures", words))
}

/// That the ratio of an analysis is 0 or infinite in many studies of a cell, which its standard errors leave out: how many of how
/// many.
fn many_endless(id: &str, cell: &str, (endless, replicates): (u64, u64)) -> Option<Warning> {
    let many = endless as f64 > MANY * replicates as f64;
    many.then(|| {
        Warning::new(
            "many-endless-ratios",
            words!(
                "the ratio of `{id}` is 0 or infinite in {endless} of {replicates} studies of the cell `{cell}`: they count in the power, and standard errors are of the others alone",
                "kvoten i `{id}` är 0 eller oändlig i {endless} av {replicates} studier i cellen `{cell}`: de räknas i styrkan, och medelfelen gäller bara de övriga"
            ),
        )
    })
}

/// That an analysis has no standard error in many studies of a cell, since it fits every outcome exactly: how many of how many.
fn many_exact(id: &str, cell: &str, (exact, replicates): (u64, u64)) -> Option<Warning> {
    let many = exact as f64 > MANY * replicates as f64;
    many.then(|| {
        Warning::new(
            "many-exact-fits",
            words!(
                "`{id}` fits every outcome exactly in {exact} of {replicates} studies of the cell `{cell}`, without a standard error: they count in the power and the empirical standard error, and the model standard error and its relative error are of the others alone",
                "`{id}` anpassas exakt till alla utfall i {exact} av {replicates} studier i cellen `{cell}`, utan medelfel: de räknas i styrkan och det empiriska medelfelet, och det skattade medelfelet och dess relativa fel gäller bara de övriga"
            ),
        )
    })
}

fn performance(
    cell: &Cell,
    options: &Options,
    sums: &Sums,
    stopped_early: bool,
) -> Result<CellPerformance, SimulationError> {
    refuse_failures(cell, sums)?;
    let names = cell.names().into_iter();
    let analyses: Vec<(String, AnalysisPerformance)> = names.zip(sums.analyses()).collect();
    let mut warnings = warnings(cell, options);
    for (id, own) in &analyses {
        let reason = own.first_failure.map_or("", |(_, reason)| reason);
        let counts = (own.failures, own.replicates);
        warnings.extend(many_failures(id, &cell.id, counts, reason));
        warnings.extend(many_endless(id, &cell.id, (own.endless, own.replicates)));
        warnings.extend(many_exact(id, &cell.id, (own.exact, own.replicates)));
    }
    Ok(CellPerformance {
        cell: cell.id.clone(),
        parameters: cell.parameters.clone(),
        protocol_hash: cell.protocol.hash.to_hex(),
        stopped_early,
        draws: options.draws_in(cell),
        engine: cell.scenario.engine,
        analyses,
        studies: sums.studies(),
        looks: about_looks(cell).map(|own| own.place).zip(sums.looks()),
        cost: None,
        month_ends: cell.month_ends.clone(),
        believed: cell.is_believed(),
        priors: cell.priors.iter().map(|prior| prior.key.clone()).collect(),
        content: cell.content.clone(),
        rejections: match cell.scenario.shared {
            Shared::Families => sums.rejections(),
            Shared::Nothing => Vec::new(),
        },
        warnings,
    })
}
