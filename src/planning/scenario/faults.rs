//! What is wrong with a grid's cells, at the place that a person wrote.

use super::cells::{Cell, File, Refused};
use super::grid::{MOST_CELLS, Parameter};
use super::prior::Prior;
use super::recipe::{Recipe, hex};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::planning::judging::Judge;
use crate::protocol::Protocol;
use crate::protocol::model::OutcomeKind;
use crate::words;
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Most findings of a grid that are told at once.
pub(super) const MOST_FAULTS: usize = 20;

pub(super) fn at_setting(diagnostics: Vec<Diagnostic>) -> Refused {
    Refused {
        file: File::Scenario,
        text: String::new(),
        edited: true,
        diagnostics,
    }
}

pub(super) fn too_many(span: Range<usize>) -> Diagnostic {
    Diagnostic::error(
        "too-many-cells",
        words!(
            "the grid has more than {MOST_CELLS} cells",
            "rutnätet har fler än {MOST_CELLS} celler"
        ),
    )
    .at(Place::span(span))
}

pub(super) fn no_cell(scenario: &str) -> Diagnostic {
    let at = scenario.find("leave_out").unwrap_or(0);
    Diagnostic::error(
        "too-few",
        words!(
            "every cell of the grid is left out",
            "varje cell i rutnätet utelämnas"
        ),
    )
    .at(Place::span(
        at..at + "leave_out".len().min(scenario.len() - at),
    ))
    .help(words!("leave out fewer cells", "utelämna färre celler"))
}

pub(super) fn same_cell(id: &str, row: &[Parameter]) -> Diagnostic {
    let span = row.last().map_or(0..0, |own| own.span.clone());
    Diagnostic::error(
        "same-cell",
        words!(
            "the grid has the cell `{id}` twice",
            "rutnätet har cellen `{id}` två gånger"
        ),
    )
    .at(Place::span(span))
    .help(words!(
        "list each value once; `1` and `1.0` are the same value",
        "ange varje värde en gång; `1` och `1.0` är samma värde"
    ))
}

/// Findings of a cell, moved to the value of the grid without which they are not there.
pub(super) fn blame(
    recipe: &Recipe,
    row: &[Parameter],
    refused: Refused,
    faults: &mut Vec<Diagnostic>,
) {
    let culprit = row.iter().enumerate().find(|(place, _)| {
        let mut rest = row.to_vec();
        rest.remove(*place);
        recipe.cell(&rest).is_ok()
    });
    let label = words!("in a cell of this grid", "i en cell i rutnätet");
    if let Some((_, culprit)) = culprit {
        moved(refused, &culprit.span, &label, faults);
        return;
    }
    // Several values are wrong, each for itself.
    let mut alone = false;
    for own in row {
        if let Err(refused) = recipe.cell(std::slice::from_ref(own)) {
            alone = true;
            moved(refused, &own.span, &label, faults);
        }
    }
    if let Some(first) = row.first()
        && !alone
    {
        moved(refused, &first.span, &label, faults);
    }
}

/// Errors of a text that nobody wrote, moved to where they come from.
fn moved(refused: Refused, span: &Range<usize>, label: &Words, faults: &mut Vec<Diagnostic>) {
    for mut finding in refused.diagnostics {
        if !finding.is_error() {
            continue;
        }
        finding.place = Some(Place::span(span.clone()));
        finding.label = Some(label.clone());
        // The same is wrong at both ends of a prior, or in several cells: it is told once.
        let is_told = |own: &Diagnostic| {
            (own.code, &own.message, &own.place) == (finding.code, &finding.message, &finding.place)
        };
        if !faults.iter().any(is_told) {
            faults.push(finding);
        }
    }
}

/// Gives a cell its priors, once their ends are found to be possible.
pub(super) fn believe(cell: &mut Cell, priors: &[Prior], faults: &mut Vec<Diagnostic>) {
    if priors.is_empty() {
        return;
    }
    let months = cell.month_ends.clone();
    let mut priors = priors.to_vec();
    for prior in &mut priors {
        let mut longest = Vec::new();
        let mut reads = Vec::new();
        if let Some(finding) = of_whole_run(prior) {
            if !faults.contains(&finding) {
                faults.push(finding);
            }
            continue;
        }
        let at = |value: f64| {
            let mut recipe = cell.recipe.clone();
            recipe.settings.push(prior.setting(value));
            recipe.cell(&[])
        };
        for value in prior.extremes() {
            let made = at(value);
            reads.extend(
                made.as_ref()
                    .ok()
                    .and_then(|(end, _)| of_end(&prior.key, cell, end)),
            );
            match made {
                Ok((end, _)) if !judged_alike(cell, &end) => {
                    let finding = decided_not_believed(prior);
                    if !faults.contains(&finding) {
                        faults.push(finding);
                    }
                }
                Ok((end, _)) => {
                    if end.month_ends.len() > longest.len() {
                        longest.clone_from(&end.month_ends);
                    }
                }
                Err(refused) if is_wrong_type(&refused) && takes_whole(cell, prior, value) => {
                    let finding = not_whole(prior);
                    if !faults.contains(&finding) {
                        faults.push(finding);
                    }
                }
                Err(refused) => {
                    // An end that is never drawn itself is told as it is written, with what is wrong there.
                    let end = prior.stated(value);
                    let Words { en, sv } = Words::number(end);
                    let (label, refused) = match at(end) {
                        Err(refused) => {
                            (words!("the prior reaches {en}", "priorn når {sv}"), refused)
                        }
                        Ok(_) => (
                            words!("the prior reaches beyond {en}", "priorn når bortom {sv}"),
                            refused,
                        ),
                    };
                    moved(refused, &prior.span, &label, faults);
                }
            }
        }
        if !longest.is_empty() && longest != months {
            cell.month_ends = longest;
        }
        match reads.iter().max() {
            Some(Reads::Nothing) => {
                let finding = read_in_no_study(prior);
                if !faults.contains(&finding) {
                    faults.push(finding);
                }
            }
            Some(Reads::Figures) => prior.lived = false,
            Some(Reads::Studies) | None => {}
        }
    }
    let mut recipe = cell.recipe.clone();
    let middle = priors.iter().map(|prior| prior.setting(prior.at(0.5)));
    recipe.settings.extend(middle);
    cell.believed = recipe.text().unwrap_or_default();
    if faults.is_empty() {
        cell.is_null = always_null(cell, &priors);
    }
    let mut hash = Sha256::new();
    hash.update(&cell.content);
    for prior in &priors {
        hash.update(format!(
            "{:?}",
            (
                &prior.key,
                prior.extremes(),
                prior.at(0.25),
                prior.at(0.5),
                prior.at(0.75)
            )
        ));
    }
    cell.content = hex(&hash.finalize());
    cell.priors = priors;
}

/// What reads a parameter that has a prior.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reads {
    /// Neither a study nor a figure.
    Nothing,
    /// What studies cost, or whether they reach their target: no study itself.
    Figures,
    /// Studies.
    Studies,
}

/// What differs between a cell and the same cell at an end of a prior; `None` where the end is what the files say.
fn of_end(key: &str, cell: &Cell, end: &Cell) -> Option<Reads> {
    if key.split('.').next() == Some("cost") {
        return Some(Reads::Figures);
    }
    // Every other key of a scenario is of the made-up world.
    if !key.starts_with("protocol.") {
        return Some(Reads::Studies);
    }
    if cell.protocol_text == end.protocol_text {
        return None;
    }
    let lived = |own: &Cell| {
        let protocol = lived_by(cell, own.protocol.clone());
        format!("{:?}", (own.protocol.last_window(), protocol))
    };
    Some(if lived(cell) != lived(end) {
        Reads::Studies
    } else if cell.protocol.sample_size.target != end.protocol.sample_size.target {
        Reads::Figures
    } else {
        Reads::Nothing
    })
}

/// The protocol of a cell at an end of a prior, with that of the cell itself wherever no simulated study goes by what it says: what
/// people planned with, are told and are warned of, the registered number of redraws, in whose place a simulation has its own,
/// analyses, their outcomes and their locks that the scenario leaves out, and how soon a report is of the same incident, which no simulated
/// report is. The end of the last window is compared beside it, and what studies are judged by is held elsewhere.
fn lived_by(cell: &Cell, end: Protocol) -> Protocol {
    let own = &cell.protocol;
    let mut protocol = Protocol {
        hash: own.hash,
        study: own.study.clone(),
        capacity: own.capacity,
        violations: own.violations.clone(),
        ..end
    };
    protocol.sample_size.target = own.sample_size.target;
    protocol.sample_size.assumed = own.sample_size.assumed;
    protocol.exceptions.cap = own.exceptions.cap;
    for (arm, own) in protocol.arms.iter_mut().zip(&own.arms) {
        // That of a gate is the gate's.
        arm.families_per_therapist = own.families_per_therapist;
    }
    let is_run = |place: usize| cell.scenario.analyses.contains(&place);
    let analyses = protocol.analyses.iter_mut().zip(&own.analyses);
    for (place, (analysis, own)) in analyses.enumerate() {
        if is_run(place) {
            analysis.test = own.test;
            analysis.sensitivity_winsorized = own.sensitivity_winsorized;
            analysis.sensitivity_bootstrap = own.sensitivity_bootstrap;
        } else {
            analysis.clone_from(own);
        }
    }
    let is_read = |outcome: usize| {
        let mut run = cell.scenario.analyses.iter();
        run.any(|place| own.analyses[*place].outcome == outcome)
    };
    let outcomes = protocol.outcomes.iter_mut().zip(&own.outcomes);
    for (place, (outcome, own)) in outcomes.enumerate() {
        if !is_read(place) {
            outcome.clone_from(own);
        }
        without_incidents(&mut outcome.kind);
    }
    let is_held = |lock: usize| {
        let mut run = cell.scenario.analyses.iter();
        run.any(|place| {
            own.analyses[*place].lock == lock || own.analyses[*place].looks.contains(&lock)
        })
    };
    for (place, (lock, own)) in protocol.locks.iter_mut().zip(&own.locks).enumerate() {
        if !is_held(place) {
            lock.clone_from(own);
        }
    }
    protocol
}

/// Simulated reports are of no incident that has a day.
fn without_incidents(kind: &mut OutcomeKind) {
    if let OutcomeKind::Reports {
        same_incident_within_days,
        ..
    } = kind
    {
        *same_incident_within_days = None;
    }
}

/// A prior on what no study goes by: every study would be the same whatever is drawn, and the power be called an assurance.
fn read_in_no_study(prior: &Prior) -> Diagnostic {
    let key = &prior.key;
    Diagnostic::error(
        "not-applicable",
        words!(
            "no simulated study reads `{key}`: a prior on it changes nothing",
            "ingen simulerad studie läser `{key}`: en prior på den ändrar inget"
        ),
    )
    .at(Place::span(prior.span.clone()))
    .help(words!(
        "put the prior on the key of the scenario that is meant, such as `truth.rereport_control` or `truth.rereport_ratio`",
        "sätt priorn på den nyckel i scenariot som avses, till exempel `truth.rereport_control` eller `truth.rereport_ratio`"
    ))
}

/// For each comparison whether its expected effect is zero at every end of each prior, the others in their middle: the file's own
/// value of what has a prior is never drawn and says nothing. What goes together in no study is not said to be without effect.
fn always_null(cell: &Cell, priors: &[Prior]) -> Vec<bool> {
    let mut all = vec![true; cell.is_null.len()];
    for (place, prior) in priors.iter().enumerate() {
        for value in prior.extremes() {
            let mut recipe = cell.recipe.clone();
            recipe.settings.extend(
                priors.iter().enumerate().map(|(other, own)| {
                    own.setting(if other == place { value } else { own.at(0.5) })
                }),
            );
            let Ok((end, _)) = recipe.cell(&[]) else {
                return vec![false; all.len()];
            };
            for (all, own) in all.iter_mut().zip(&end.is_null) {
                *all &= own;
            }
        }
    }
    all
}

/// A prior on how many studies are run and how: not of a study, in which it would change nothing.
fn of_whole_run(prior: &Prior) -> Option<Diagnostic> {
    let key = &prior.key;
    let section = key.split('.').next().unwrap_or(key);
    (section == "precision").then(|| {
        Diagnostic::error(
            "not-applicable",
            words!(
                "`{key}` is of the whole run, and a prior is drawn in each study",
                "`{key}` gäller hela körningen, och en prior dras i varje studie"
            ),
        )
        .at(Place::span(prior.span.clone()))
        .help(words!(
            "give `{key}` one value, or vary it in the grid",
            "ge `{key}` ett värde, eller variera den i rutnätet"
        ))
    })
}

/// Whether every study is judged by the same limits and rules.
fn judged_alike(cell: &Cell, end: &Cell) -> bool {
    let draws = cell.scenario.precision.draws;
    Judge::of(cell, draws) == Judge::of(end, draws)
}

/// A prior on what a study is judged by, such as alpha: the protocol decides it, and nobody can be unsure of it.
fn decided_not_believed(prior: &Prior) -> Diagnostic {
    let key = &prior.key;
    Diagnostic::error(
        "not-applicable",
        words!(
            "`{key}` is what studies are judged by: it is decided in the protocol, and has no prior",
            "`{key}` är det som studier bedöms efter: det bestäms i protokollet och har ingen prior"
        ),
    )
    .at(Place::span(prior.span.clone()))
    .help(words!(
        "vary `{key}` in the grid: each value is then a cell of its own",
        "variera `{key}` i rutnätet: varje värde blir då en egen cell"
    ))
}

fn is_wrong_type(refused: &Refused) -> bool {
    let mut errors = refused.diagnostics.iter().filter(|own| own.is_error());
    errors.any(|own| own.code == "wrong-type")
}

/// Whether the nearest whole number of what a prior reaches is of the right type.
fn takes_whole(cell: &Cell, prior: &Prior, value: f64) -> bool {
    let Some(setting) = prior.rounded(value) else {
        return false;
    };
    let mut recipe = cell.recipe.clone();
    recipe.settings.push(setting);
    !recipe.cell(&[]).is_err_and(|own| is_wrong_type(&own))
}

fn not_whole(prior: &Prior) -> Diagnostic {
    let key = &prior.key;
    Diagnostic::error(
        "wrong-type",
        words!(
            "`{key}` takes whole numbers, and its prior is not of whole numbers",
            "`{key}` är ett heltal, och dess prior är inte av heltal"
        ),
    )
    .at(Place::span(prior.span.clone()))
    .help(words!(
        "add `whole = true` to this prior: what is drawn is then rounded",
        "lägg till `whole = true` i denna prior: det som dras avrundas då"
    ))
}
