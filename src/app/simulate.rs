//! `simulate`: a scenario run through the study's own code, many times.

use crate::diagnostic::{Diagnostic, Words};
use crate::estimation::Warning;
use crate::planning::performance::Figure;
use crate::planning::scenario::{self, File, Refused};
use crate::planning::simulate::{self, CellPerformance, Options};
use crate::words;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use super::exit;
use super::failure::Failure;
use super::outside::Outside;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The scenario file.
    pub scenario: PathBuf,
    /// Settings `KEY=VALUE`, in their order.
    pub settings: Vec<String>,
    /// Seed, replicates, redraws, threads.
    pub options: Options,
    /// Folder for `performance.json`.
    pub out: Option<PathBuf>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// The cells in the order of the grid.
    pub cells: Vec<CellPerformance>,
    /// The document's fields.
    pub body: Value,
}

/// The schema of the answer.
pub const SCHEMA: &str = "performance/1";

/// Runs a scenario.
///
/// # Errors
/// A scenario or protocol that is refused, or a cell in which no study could be analysed: exit 3.
pub fn simulate(outside: &Outside, request: &Request) -> Result<Simulation, Failure> {
    let text = outside.read_text(&request.scenario, exit::INVALID_PROTOCOL)?;
    let name = request.scenario.display().to_string();
    let path = scenario::protocol_path(&text)
        .map_err(|refused| failure(refused, &name, &request.settings, Path::new("")))?;
    let folder = request.scenario.parent().unwrap_or(Path::new(""));
    let path = folder.join(path);
    let protocol = outside.read_text(&path, exit::INVALID_PROTOCOL)?;
    let plan = scenario::plan(&text, &protocol, &request.settings)
        .map_err(|refused| failure(refused, &name, &request.settings, &path))?;
    for warning in &plan.warnings {
        outside.progress.warn(warning);
    }
    let start = outside.clock.now();
    let progress = |done: u64, total: u64| {
        let seconds = outside.clock.now().duration_since(start).as_secs_f64();
        let rate = if seconds > 0.0 {
            done as f64 / seconds
        } else {
            0.0
        };
        let what = words!(
            "studies ({rate:.0} per second)",
            "studier ({rate:.0} per sekund)"
        );
        outside.progress.advance(&what, done, total);
    };
    let cells = simulate::simulate(&plan, &request.options, &progress).map_err(|error| {
        let code = match &error {
            simulate::SimulationError::AllFailed { .. } => exit::INVALID_PROTOCOL,
            simulate::SimulationError::Refused { .. }
            | simulate::SimulationError::Threads { .. } => exit::UNEXPECTED,
        };
        Failure::new(code, error.code(), error.words())
    })?;
    for warning in warnings(&cells) {
        let said = Diagnostic::warning(warning.code, warning.message.clone());
        outside.progress.warn(&said);
    }
    let body = body(&cells, request.options.seed);
    if let Some(out) = &request.out {
        let mut document = serde_json::Map::new();
        document.insert("schema".to_owned(), json!(format!("lottning.{SCHEMA}")));
        if let Value::Object(fields) = &body {
            document.extend(fields.clone());
        }
        let text = serde_json::to_string_pretty(&document).map_err(|error| {
            let reason = error.to_string();
            Failure::new(exit::UNEXPECTED, "no-answer", Words::same(reason))
        })?;
        outside.write(out.join("performance.json"), (text + "\n").as_bytes())?;
    }
    Ok(Simulation { cells, body })
}

fn failure(refused: Refused, scenario: &str, settings: &[String], protocol: &Path) -> Failure {
    let name = match refused.file {
        File::Scenario => scenario.to_owned(),
        File::Protocol => protocol.display().to_string(),
    };
    let (code, name) = match (refused.file, refused.edited) {
        (File::Scenario, false) => ("invalid-scenario", name),
        (File::Protocol, false) => ("invalid-protocol", name),
        (_, true) => {
            let all = settings.join(" ");
            ("invalid-setting", format!("{name} --set {all}"))
        }
    };
    Failure::refused_file(
        exit::INVALID_PROTOCOL,
        code,
        name,
        refused.text,
        refused.diagnostics,
    )
}

fn body(cells: &[CellPerformance], seed: u64) -> Value {
    let mut rows = Vec::new();
    for cell in cells {
        let parameters: serde_json::Map<String, Value> = cell
            .parameters
            .iter()
            .map(|(key, value)| {
                let value = serde_json::to_value(value).unwrap_or(Value::Null);
                (key.clone(), value)
            })
            .collect();
        for (id, found) in &cell.analyses {
            let first = found
                .first_failure
                .map(|(replicate, reason)| json!({"replicate": replicate, "reason": reason}));
            rows.push(json!({
                "cell": cell.cell,
                "parameters": parameters,
                "analysis": id,
                "replicates": found.replicates,
                "failures": found.failures,
                "power": found.power,
                "type_i_error": found.type_i_error,
                "bias": found.bias,
                "empirical_se": found.empirical_se,
                "model_se": found.model_se,
                "relative_error": found.relative_error,
                "coverage": found.coverage,
                "estimand": found.estimand,
                "first_failure": first,
                "stopped_early": cell.stopped_early,
                "draws": cell.draws,
                "families": cell.studies.families,
                "screened": cell.studies.screened,
                "turned_away": cell.studies.turned_away,
                "days_closed": cell.studies.days_closed,
                "correct_guess_share": cell.studies.correct_guess_share,
                "imbalance": cell.studies.imbalance,
                "protocol_hash": cell.protocol_hash,
            }));
        }
    }
    json!({
        "seed": seed,
        "version": env!("CARGO_PKG_VERSION"),
        "estimand": "mean over the randomized families of the difference between their potential outcomes",
        "warnings": warnings(cells)
            .iter()
            .map(|warning| json!({"code": warning.code, "message": warning.message.en}))
            .collect::<Vec<Value>>(),
        "cells": rows,
    })
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
    match figure.mcse {
        Some(mcse) if mcse > 0.0 => (-mcse.log10().floor()).clamp(0.0, 8.0) as usize,
        _ => 3,
    }
}

/// A part of `simulate` that is planned and not built yet.
pub fn not_built(option: &str) -> Failure {
    Failure::new(
        exit::USAGE,
        "not-built-yet",
        words!(
            "`{option}` of simulate is not built yet",
            "`{option}` för simulate finns inte än"
        ),
    )
    .help(Words::new(
        "what exists: --replicates, --seed, --draws, --threads, --set and --out",
        "det här finns: --replicates, --seed, --draws, --threads, --set och --out",
    ))
}
