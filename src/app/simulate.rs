//! `simulate`: a scenario run through the study's own code, many times.
//!
//! Here is what every way of running one answers with; shards, merging, job arrays and replays are in
//! [`super::simulation`].

use crate::diagnostic::{Diagnostic, Words};
use crate::estimation::{Warning, printed_level};
use crate::planning::performance::{FamilyPerformance, Figure};
use crate::planning::redraws::too_few;
use crate::planning::simulate::{CellPerformance, Options, compare};
use crate::planning::what_if::Difference;
use crate::words;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::simulation::merge::{self, Summed};
use super::simulation::order::{Order, Planned};
use super::simulation::pages;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The scenario file; `None` takes the plan that lies in the folder `out`.
    pub scenario: Option<PathBuf>,
    /// Settings `KEY=VALUE`, in their order.
    pub settings: Vec<String>,
    /// Alternatives, each a text of settings.
    pub what_if: Vec<String>,
    /// Seed, replicates, redraws, threads.
    pub options: Options,
    /// Folder for records and answer.
    pub out: Option<PathBuf>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// The cells in the order of the grid; each is followed by the same cell of every alternative.
    pub cells: Vec<CellPerformance>,
    /// Alternative, cell that it is compared with, and what it has more.
    pub alternatives: Vec<(String, String, Difference)>,
    /// The document's fields.
    pub body: Value,
}

impl Simulation {
    /// Columns of a table with a row per cell and analysis, of what the other columns do not hold: looks, and what an alternative
    /// has more than the cell that it is compared with. Their names, and for each row their values.
    pub fn further_columns(&self) -> (Vec<String>, Vec<Vec<String>>) {
        super::simulation::rows::further(&self.body)
    }
}

/// The schema of the answer.
pub const SCHEMA: &str = "performance/1";

/// Reads what is to be run, and warns of what a planner should know about it.
///
/// # Errors
/// A scenario or protocol that is refused: exit 3; neither a scenario nor a plan: exit 2.
pub fn planned(outside: &Outside, request: &Request) -> Result<Planned, Failure> {
    let planned = read(outside, request)?;
    for warning in notes(&planned)? {
        outside.progress.warn(&warning);
    }
    Ok(planned)
}

/// Reads what is to be run.
///
/// # Errors
/// As [`planned`].
pub(super) fn read(outside: &Outside, request: &Request) -> Result<Planned, Failure> {
    let there = || match &request.out {
        Some(out) => Order::in_folder(outside, out),
        None => Ok(None),
    };
    let order = match &request.scenario {
        Some(scenario) => Order::of_files(
            outside,
            scenario,
            &request.settings,
            &request.what_if,
            &request.options,
        )?,
        None => there()?.ok_or_else(|| {
            Failure::new(
                exit::USAGE,
                "missing-option",
                Words::new("missing: SCENARIO.toml", "saknas: SCENARIO.toml"),
            )
            .help(Words::new(
                "it is written: lottning simulate SCENARIO.toml",
                "så skrivs det: lottning simulate SCENARIO.toml",
            ))
        })?,
    };
    order.planned()
}

/// What a planner should know before anything is run, each said once: warnings of scenario and protocol, of the alternatives too,
/// and of redraws.
///
/// # Errors
/// As [`of_redraws`].
pub(super) fn notes(planned: &Planned) -> Result<Vec<Diagnostic>, Failure> {
    let mut said: Vec<Diagnostic> = Vec::new();
    let plans = planned.alternatives.iter().map(|(_, plan)| plan);
    let plans = std::iter::once(&planned.base).chain(plans);
    let of_plans = plans.flat_map(|plan| plan.warnings.iter().cloned());
    for warning in of_plans.chain(of_redraws(planned)?) {
        if !said.contains(&warning) {
            said.push(warning);
        }
    }
    Ok(said)
}

/// Warnings of randomization tests that have too few redraws for a look.
///
/// # Errors
/// A test that could reject in no study: exit 2 if `--draws` asks for so few, else exit 3.
pub(super) fn of_redraws(planned: &Planned) -> Result<Vec<Diagnostic>, Failure> {
    let options = planned.order.options(None);
    let plans = planned.alternatives.iter().map(|(_, plan)| plan);
    let cells = std::iter::once(&planned.base)
        .chain(plans)
        .flat_map(|plan| &plan.cells);
    let mut warnings: Vec<Diagnostic> = Vec::new();
    for own in cells.flat_map(|cell| too_few(cell, &options)) {
        let (id, lock, draws) = (&own.analysis, &own.lock, own.draws);
        let shown = |value: f64| {
            let places = (2.0 - value.max(1e-12).log10().floor()).max(0.0) as usize;
            let en = format!("{value:.places$}");
            (en.clone(), en.replace('.', ","))
        };
        let ((p_en, p_sv), (limit_en, limit_sv)) = (shown(own.smallest), shown(own.limit));
        let help = match own.needed {
            Some(needed) => words!(
                "at least {needed} redraws, with --draws or `draws_in_simulation`; 0 decides by the estimator's own p-value",
                "minst {needed} omlottningar, med --draws eller `draws_in_simulation`; 0 avgör med skattningens eget p-värde"
            ),
            None => words!(
                "0 redraws decide by the estimator's own p-value",
                "0 omlottningar avgör med skattningens eget p-värde"
            ),
        };
        if own.never_rejects {
            let code = match options.draws {
                Some(_) => exit::USAGE,
                None => exit::INVALID_PROTOCOL,
            };
            let message = if let Some(together) = &own.together {
                let (m, rule) = (together.hypotheses, together.rule);
                words!(
                    "with {draws} redraws the test of `{id}` has no p below {p_en}, which `{rule}` over {m} hypotheses at `{lock}` adjusts to more than {limit_en}: it would reject in no study whatever the effect",
                    "med {draws} omlottningar kan testet av `{id}` inte ge ett p-värde under {p_sv}, som `{rule}` över {m} hypoteser vid `{lock}` justerar till mer än {limit_sv}: det skulle inte förkasta i någon studie hur stor effekten än är"
                )
            } else if own.has_looks {
                words!(
                    "with {draws} redraws the test of `{id}` has no p below {p_en}, and with looks every limit that it is judged by is below {limit_en}: it would reject in no study whatever the effect",
                    "med {draws} omlottningar kan testet av `{id}` inte ge ett p-värde under {p_sv}, och med tittar är varje gräns som det bedöms mot under {limit_sv}: det skulle inte förkasta i någon studie hur stor effekten än är"
                )
            } else {
                words!(
                    "with {draws} redraws the test of `{id}` has no p below {p_en}, and it is judged by {limit_en}: it would reject in no study whatever the effect",
                    "med {draws} omlottningar kan testet av `{id}` inte ge ett p-värde under {p_sv}, och det bedöms mot {limit_sv}: det skulle inte förkasta i någon studie hur stor effekten än är"
                )
            };
            return Err(Failure::new(code, "test-cannot-reject", message).help(help));
        }
        let named = own.cannot_at.iter().map(|(look, spent)| {
            let (en, sv) = shown(*spent);
            (format!("`{look}` ({en})"), format!("`{look}` ({sv})"))
        });
        let (looks, looks_sv): (Vec<String>, Vec<String>) = named.unzip();
        let (looks, looks_sv) = (looks.join(", "), looks_sv.join(", "));
        let others = own.together.and_then(|own| Some((own, own.others?)));
        let message = if let Some((together, others)) = others {
            let (m, rule) = (together.hypotheses, together.rule);
            words!(
                "with {draws} redraws the test of `{id}` has no p below {p_en}, and by `{rule}` over {m} hypotheses at `{lock}` it can reject only in studies in which {others} of the others are rejected too: the power is lower than with the registered redraws",
                "med {draws} omlottningar kan testet av `{id}` inte ge ett p-värde under {p_sv}, och enligt `{rule}` över {m} hypoteser vid `{lock}` kan det förkasta bara i studier där {others} av de andra också förkastas: styrkan är lägre än med de registrerade omlottningarna"
            )
        } else if looks.is_empty() {
            words!(
                "with {draws} redraws the test of `{id}` has no p below {p_en}, and at `{lock}` it may be judged by {limit_en}: the power is lower than with the registered redraws",
                "med {draws} omlottningar kan testet av `{id}` inte ge ett p-värde under {p_sv}, och vid `{lock}` kan det bedömas mot {limit_sv}: styrkan är lägre än med de registrerade omlottningarna"
            )
        } else if own.seldom_rejects {
            words!(
                "with {draws} redraws the test of `{id}` has no p below {p_en}: whatever the effect it cannot reject at {looks}, by the alpha that is spent by then, and at the end only where that is judged by more than its own share: it rejects in few studies or none, and the power says nothing of the registered test",
                "med {draws} omlottningar kan testet av `{id}` inte ge ett p-värde under {p_sv}: hur stor effekten än är kan det inte förkasta vid {looks_sv}, med det alfa som är förbrukat dittills, och vid slutet bara om det bedöms mot mer än sin egen del: det förkastar i få studier eller ingen, och styrkan säger inget om det registrerade testet"
            )
        } else {
            words!(
                "with {draws} redraws the test of `{id}` has no p below {p_en}: whatever the effect it cannot reject at {looks}, by the alpha that is spent by then, and the power is lower than with the registered redraws",
                "med {draws} omlottningar kan testet av `{id}` inte ge ett p-värde under {p_sv}: hur stor effekten än är kan det inte förkasta vid {looks_sv}, med det alfa som är förbrukat dittills, och styrkan är lägre än med de registrerade omlottningarna"
            )
        };
        let warning = Diagnostic::warning("test-cannot-reject", message).help(help);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    Ok(warnings)
}

/// Runs a scenario.
///
/// # Errors
/// A scenario or protocol that is refused, or a cell in which no study could be analysed: exit 3.
pub fn simulate(outside: &Outside, request: &Request) -> Result<Simulation, Failure> {
    let planned = planned(outside, request)?;
    let out = request.out.as_deref();
    let summed = merge::run(outside, &planned, out, request.options.threads)?;
    answered(outside, &planned, summed, out)
}

/// Puts together the studies that shards wrote into a folder.
///
/// # Errors
/// As `merge::merge`.
pub fn merged(outside: &Outside, folder: &Path) -> Result<Simulation, Failure> {
    let (planned, summed) = merge::merge(outside, folder)?;
    answered(outside, &planned, summed, Some(folder))
}

fn answered(
    outside: &Outside,
    planned: &Planned,
    summed: Summed,
    out: Option<&Path>,
) -> Result<Simulation, Failure> {
    let mut cells = Vec::new();
    let mut alternatives = Vec::new();
    let mut summed = summed;
    compare(summed.iter_mut().filter_map(|(group, _)| group.first_mut()));
    for (group, differences) in summed {
        let base = group
            .first()
            .map_or_else(String::new, |cell| cell.cell.clone());
        for ((name, _), difference) in planned.alternatives.iter().zip(differences) {
            alternatives.push((name.clone(), base.clone(), difference));
        }
        cells.extend(group);
    }
    for warning in warnings(&cells) {
        let said = Diagnostic::warning(warning.code, warning.message.clone());
        outside.progress.warn(&said);
    }
    let notes = notes(planned)?;
    let body = body(planned, &cells, &alternatives, &notes);
    if let Some(out) = out {
        let mut document = Map::new();
        document.insert("schema".to_owned(), json!(format!("lottning.{SCHEMA}")));
        if let Value::Object(fields) = &body {
            document.extend(fields.clone());
        }
        let text = serde_json::to_string_pretty(&document).map_err(|error| {
            let reason = error.to_string();
            Failure::new(exit::UNEXPECTED, "no-answer", Words::same(reason))
        })?;
        outside.write(out.join("performance.json"), (text + "\n").as_bytes())?;
        pages::write(
            outside,
            planned,
            (&cells, &alternatives, &notes),
            &body,
            out,
        )?;
    }
    Ok(Simulation {
        cells,
        alternatives,
        body,
    })
}

fn body(
    planned: &Planned,
    cells: &[CellPerformance],
    alternatives: &[(String, String, Difference)],
    notes: &[Diagnostic],
) -> Value {
    let seed = planned.order.seed;
    let mut rows = Vec::new();
    let of_group = 1 + planned.alternatives.len();
    for (at, cell) in cells.iter().enumerate() {
        let alternative = (at % of_group)
            .checked_sub(1)
            .and_then(|place| planned.alternatives.get(place))
            .map(|(name, _)| name);
        let parameters: Map<String, Value> = cell
            .parameters
            .iter()
            .map(|(key, value)| {
                let value = serde_json::to_value(value).unwrap_or(Value::Null);
                (key.clone(), value)
            })
            .collect();
        for (place, (id, found)) in cell.analyses.iter().enumerate() {
            let first = found
                .first_failure
                .map(|(replicate, reason)| json!({"replicate": replicate, "reason": reason}));
            let (analysis, arm) = id.split_once(':').unzip();
            let mut row = json!({
                "cell": cell.cell,
                "parameters": parameters,
                "analysis": analysis.unwrap_or(id),
                "replicates": found.replicates,
                "failures": found.failures,
                "endless": found.endless,
                "exact_fits": found.exact,
                "power": found.power,
                "assurance": found.assurance,
                "type_i_error": found.type_i_error,
                "size": found.size,
                "unadjusted": found.unadjusted,
                "bias": found.bias,
                "empirical_se": found.empirical_se,
                "model_se": found.model_se,
                "relative_error": found.relative_error,
                "level": printed_level(found.level),
                "coverage": found.coverage,
                "bias_eliminated_coverage": found.bias_eliminated_coverage,
                "mean_squared_error": found.mean_squared_error,
                "estimand": found.estimand,
                "difference": found.difference,
                "first_failure": first,
                "stopped_early": cell.stopped_early,
                "engine": cell.engine.text(),
                "draws": cell.draws,
                "families": cell.studies.families,
                "screened": cell.studies.screened,
                "turned_away": cell.studies.turned_away,
                "lost": cell.studies.lost,
                "target_reached": cell.studies.target_reached,
                "reached": reached(cell),
                "days_closed": cell.studies.days_closed,
                "correct_guess_share": cell.studies.correct_guess_share,
                "imbalance": cell.studies.imbalance,
                "priors": cell.priors,
                "protocol_hash": cell.protocol_hash,
                "content": cell.content,
            });
            if let Value::Object(fields) = &mut row {
                let looks = cell.looks.as_ref().filter(|(own, _)| *own == place);
                if let Some((_, looks)) = looks {
                    fields.insert("looks".to_owned(), json!(looks));
                }
                if let Some(alone) = found.size_by_p_alone {
                    fields.insert("size_by_p_alone".to_owned(), json!(alone));
                }
                if let Some(arm) = arm {
                    fields.insert("arm".to_owned(), json!(arm));
                }
                if let Some(own) = &found.family {
                    fields.insert("family".to_owned(), family(own));
                }
                if let Some(cost) = cell.cost {
                    fields.insert("cost".to_owned(), json!(cost));
                }
                if let Some(name) = alternative {
                    fields.insert("alternative".to_owned(), json!(name));
                }
            }
            rows.push(row);
        }
    }
    let estimand = if rows.iter().any(|row| row.get("arm").is_some()) {
        "mean over the randomized families of the difference between their potential outcomes under the arm of the row and under control"
    } else {
        "mean over the randomized families of the difference between their potential outcomes"
    };
    let of_cells = warnings(cells);
    let of_cells = of_cells.iter().map(|own| (own.code, &own.message));
    let said = notes.iter().map(|own| (own.code, &own.message));
    let mut body = json!({
        "seed": seed,
        "version": env!("CARGO_PKG_VERSION"),
        "estimand": estimand,
        "warnings": said
            .chain(of_cells)
            .map(|(code, message)| json!({"code": code, "message": message.en}))
            .collect::<Vec<Value>>(),
        "cells": rows,
    });
    if let (false, Value::Object(fields)) = (alternatives.is_empty(), &mut body) {
        let all: Vec<Value> = alternatives.iter().map(difference).collect();
        fields.insert("alternatives".to_owned(), Value::Array(all));
    }
    body
}

/// What comparisons that are judged together show; keys without a value are left out.
fn family(own: &FamilyPerformance) -> Value {
    let mut fields = Map::new();
    fields.insert("rule".to_owned(), json!(own.rule));
    fields.insert("comparisons".to_owned(), json!(own.comparisons));
    fields.insert("at_least_one".to_owned(), json!(own.at_least_one));
    fields.insert("all".to_owned(), json!(own.all));
    for (key, figure) in [("family_wise_error", own.error), ("size", own.size)] {
        if let Some(figure) = figure {
            fields.insert(key.to_owned(), json!(figure));
        }
    }
    Value::Object(fields)
}

fn difference((name, cell, found): &(String, String, Difference)) -> Value {
    let power: Vec<Value> = found
        .power
        .iter()
        .map(|(id, figure)| {
            let (analysis, arm) = id.split_once(':').unzip();
            let mut own = Map::new();
            own.insert("analysis".to_owned(), json!(analysis.unwrap_or(id)));
            if let Some(arm) = arm {
                own.insert("arm".to_owned(), json!(arm));
            }
            own.insert("value".to_owned(), json!(figure.value));
            own.insert("mcse".to_owned(), json!(figure.mcse));
            if let (Some(lower), Some(upper)) = (figure.lower, figure.upper) {
                own.insert("lower".to_owned(), json!(lower));
                own.insert("upper".to_owned(), json!(upper));
            }
            Value::Object(own)
        })
        .collect();
    json!({
        "alternative": name,
        "compared_with": cell,
        "replicates": found.replicates,
        "differences": {
            "families": found.families,
            "days_closed": found.days_closed,
            "cost": found.cost,
            "power": power,
        },
    })
}

/// Families randomized by the end of each month.
fn reached(cell: &CellPerformance) -> Vec<Value> {
    let months = cell.month_ends.iter().zip(&cell.studies.reached);
    months
        .map(|(end, families)| json!({"by": super::refusal::date(*end), "families": families}))
        .collect()
}

/// The warnings of all cells, each said once.
fn warnings(cells: &[CellPerformance]) -> Vec<&Warning> {
    let mut said: Vec<&Warning> = Vec::new();
    for warning in cells.iter().flat_map(|cell| &cell.warnings) {
        if !said.contains(&warning) {
            said.push(warning);
        }
    }
    said
}

/// Decimals that a figure's Monte Carlo error supports: its first digit is the last one shown.
pub fn decimals(figure: &Figure) -> usize {
    // Read from the rounded error: .0096 is shown as .01.
    let exponent = |mcse: f64| format!("{mcse:.0e}").split_once('e')?.1.parse::<i32>().ok();
    match figure.mcse {
        Some(mcse) if mcse > 0.0 => {
            exponent(mcse).map_or(3, |places| places.saturating_neg().clamp(0, 8) as usize)
        }
        _ => 3,
    }
}
