//! From a file to the cells that are run: settings, grid, and the protocol that each cell sees.

use super::Scenario;
use super::edit::{Setting, set, set_each};
use super::sections::{Axis, MOST_REPLICATES, read, version};
use crate::allocation::{METHODS, MethodEntry};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::findings::Findings;
use crate::protocol::{self, Protocol};
use crate::words;
use toml::de::DeTable;
use toml::{Table, Value};

/// Most cells of a grid.
const MOST_CELLS: usize = 10_000;

/// One cell: a scenario and the protocol that is run in it.
#[derive(Debug)]
pub struct Cell {
    /// What the grid sets, as `key=value` joined by commas; `base` without a grid.
    pub id: String,
    /// What the grid sets.
    pub parameters: Vec<(String, Value)>,
    /// The scenario.
    pub scenario: Scenario,
    /// The protocol.
    pub protocol: Protocol,
    /// The text that it was read from, with all settings.
    pub protocol_text: String,
}

/// Everything that is to be run.
#[derive(Debug)]
pub struct Plan {
    /// Cells in the order of the grid, the last key running fastest.
    pub cells: Vec<Cell>,
    /// Warnings of scenario and protocol.
    pub warnings: Vec<Diagnostic>,
}

/// Which file findings point into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// The scenario.
    Scenario,
    /// The protocol.
    Protocol,
}

/// A scenario or its protocol is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The file.
    pub file: File,
    /// The text that the findings point into; with settings it is not the file's own.
    pub text: String,
    /// Whether settings were applied to the text.
    pub edited: bool,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The protocol's path as the scenario has it, relative to the scenario's folder.
///
/// # Errors
/// A text that is no scenario, or names no protocol.
pub fn protocol_path(scenario: &str) -> Result<String, Refused> {
    let refused = |diagnostics| Refused {
        file: File::Scenario,
        text: scenario.to_owned(),
        edited: false,
        diagnostics,
    };
    let (tree, errors) = DeTable::parse_recoverable(scenario);
    if scenario.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(refused(vec![
            Diagnostic::error(
                "empty-scenario",
                words!("the file is empty", "filen är tom"),
            )
            .help(words!(
                "simulations/iuh-2025.toml is a scenario to begin from",
                "simulations/iuh-2025.toml är ett scenario att börja från"
            )),
        ]));
    }
    if !errors.is_empty() {
        return Err(refused(
            errors.iter().map(|error| syntax(error, scenario)).collect(),
        ));
    }
    if let Some(finding) = version(&tree) {
        return Err(refused(vec![finding]));
    }
    let path = tree.get_ref().get("protocol");
    match path.and_then(|value| value.get_ref().as_str()) {
        Some(path) if !path.trim().is_empty() => Ok(path.to_owned()),
        _ => {
            let finding = Diagnostic::error(
                "missing-key",
                words!(
                    "the scenario names no protocol",
                    "scenariot anger inget protokoll"
                ),
            )
            .help(words!(
                "add `protocol = \"…\"`, a path from the scenario's folder",
                "lägg till `protocol = \"…\"`, en sökväg från scenariots mapp"
            ));
            Err(refused(vec![match path {
                Some(value) => finding.at(Place::span(value.span())),
                None => finding,
            }]))
        }
    }
}

fn syntax(error: &toml::de::Error, source: &str) -> Diagnostic {
    let detail = error.message().trim();
    let finding = Diagnostic::error(
        "toml-syntax",
        words!("this is not TOML: {detail}", "detta är inte TOML: {detail}"),
    );
    match error.span() {
        Some(span) => {
            let start = source.floor_char_boundary(span.start.min(source.len()));
            let end = source.ceil_char_boundary(span.end.clamp(start, source.len()));
            finding.at(Place::span(start..end))
        }
        None => finding,
    }
}

/// Reads a scenario and its protocol, applies settings `KEY=VALUE` in their order, and spreads the grid.
///
/// A setting of a key that the grid varies takes the key out of the grid.
///
/// ```
/// let protocol = include_str!("../../../protocols/iuh-2025/protocol.toml");
/// let scenario = include_str!("../../../simulations/iuh-2025.toml");
/// let plan = lottning::planning::scenario::plan(scenario, protocol, &["months=12".to_string()])
///     .map_err(|refused| format!("{refused:?}"))?;
/// assert_eq!(plan.cells.len(), 3); // no effect, benefit, harm
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// Everything that is wrong with one of the two, at once.
pub fn plan(scenario: &str, protocol: &str, settings: &[String]) -> Result<Plan, Refused> {
    protocol_path(scenario)?;
    let mut warnings = Vec::new();
    let parsed = read_protocol(protocol, false)?;
    warnings.extend(parsed.1);
    // The file by itself first: its findings point at what the person wrote. A key that only a setting makes right
    // (a protocol that has to be changed first) is rare, so the file must stand without its settings.
    let axes = check(scenario, &parsed.0, false)?;
    let table: Table = parse_table(scenario, File::Scenario)?;
    let protocol_table: Table = parse_table(protocol, File::Protocol)?;
    let on_setting = |finding: Diagnostic| Refused {
        file: File::Scenario,
        text: String::new(),
        edited: true,
        diagnostics: vec![finding],
    };
    let mut base = Vec::new();
    for text in settings {
        base.push(Setting::parse(text).map_err(on_setting)?);
    }
    let axes: Vec<(Axis, Vec<Value>)> = axes
        .into_iter()
        .filter(|axis| {
            let path = Setting::new(&axis.key, Value::Boolean(true)).path;
            base.iter().all(|setting| setting.path != path)
        })
        .map(|axis| {
            let values = grid_values(&table, &axis.key);
            (axis, values)
        })
        .collect();
    let number = axes
        .iter()
        .try_fold(1_usize, |number, (axis, _)| number.checked_mul(axis.values))
        .filter(|number| *number <= MOST_CELLS);
    let Some(number) = number else {
        let span = axes.first().map_or(0..0, |(axis, _)| axis.span.clone());
        return Err(Refused {
            file: File::Scenario,
            text: scenario.to_owned(),
            edited: false,
            diagnostics: vec![
                Diagnostic::error(
                    "too-many-cells",
                    words!(
                        "the grid has more than {MOST_CELLS} cells",
                        "rutnätet har fler än {MOST_CELLS} celler"
                    ),
                )
                .at(Place::span(span)),
            ],
        });
    };
    let mut cells = Vec::with_capacity(number);
    for index in 0..number {
        let mut rest = index;
        let mut parameters: Vec<(String, Value)> = Vec::new();
        for (axis, values) in axes.iter().rev() {
            parameters.push((axis.key.clone(), values[rest % values.len()].clone()));
            rest /= values.len();
        }
        parameters.reverse();
        let mut all = base.clone();
        all.extend(
            parameters
                .iter()
                .map(|(key, value)| Setting::new(key, value.clone())),
        );
        let cell = cell(&table, &protocol_table, &all, parameters, &mut warnings);
        let mut cell = cell.map_err(|mut refused| {
            // Without a setting it is the grid that is at fault: the finding moves to its key in the file.
            if base.is_empty()
                && refused.file == File::Scenario
                && let Some((axis, _)) = axes.first()
            {
                scenario.clone_into(&mut refused.text);
                refused.edited = false;
                for finding in &mut refused.diagnostics {
                    finding.place = Some(Place::span(axis.span.clone()));
                    finding.label =
                        Some(Words::new("in a cell of this grid", "i en cell i rutnätet"));
                }
            }
            refused
        })?;
        cell.scenario.precision.replicates = cell
            .scenario
            .precision
            .replicates
            .min(MOST_REPLICATES as u64);
        cells.push(cell);
    }
    warnings.dedup();
    Ok(Plan { cells, warnings })
}

fn grid_values(table: &Table, key: &str) -> Vec<Value> {
    table
        .get("grid")
        .and_then(|grid| grid.get("full"))
        .and_then(|full| full.get(key))
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// The text must be a sound scenario for a protocol; gives the axes of its grid.
fn check(text: &str, protocol: &Protocol, edited: bool) -> Result<Vec<Axis>, Refused> {
    scenario(text, protocol, edited).map(|(_, axes, _)| axes)
}

type Read = (Scenario, Vec<Axis>, Vec<Diagnostic>);

fn scenario(text: &str, protocol: &Protocol, edited: bool) -> Result<Read, Refused> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut out = Findings::new(text);
    out.guide = "docs/scenario.md";
    for error in &errors {
        out.push(syntax(error, text));
    }
    let (read, grid) = read(&mut out, tree.get_ref(), protocol);
    let diagnostics = out.into_sorted();
    match read {
        Some(scenario) => Ok((scenario, grid.full, diagnostics)),
        None => Err(Refused {
            file: File::Scenario,
            text: text.to_owned(),
            edited,
            diagnostics,
        }),
    }
}

fn read_protocol(text: &str, edited: bool) -> Result<(Protocol, Vec<Diagnostic>), Refused> {
    let parsed = protocol::parse(text.as_bytes());
    match parsed.protocol {
        Some(protocol) => Ok((protocol, parsed.diagnostics)),
        None => Err(Refused {
            file: File::Protocol,
            text: text.to_owned(),
            edited,
            diagnostics: parsed.diagnostics,
        }),
    }
}

fn parse_table(text: &str, file: File) -> Result<Table, Refused> {
    text.parse::<Table>().map_err(|error| Refused {
        file,
        text: text.to_owned(),
        edited: false,
        diagnostics: vec![syntax(&error, text)],
    })
}

fn text_of(table: &Table, file: File) -> Result<String, Refused> {
    toml::to_string(table).map_err(|error| {
        let reason = error.to_string();
        Refused {
            file,
            text: String::new(),
            edited: true,
            diagnostics: vec![Diagnostic::error("toml-syntax", Words::same(reason))],
        }
    })
}

fn cell(
    table: &Table,
    protocol: &Table,
    settings: &[Setting],
    parameters: Vec<(String, Value)>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Cell, Refused> {
    let mut table = table.clone();
    let mut protocol = protocol.clone();
    table.remove("grid").map(|grid| {
        // What cells share is said beside the axes.
        let mut kept = Table::new();
        if let Some(shared) = grid.get("common_random_numbers") {
            kept.insert("common_random_numbers".to_owned(), shared.clone());
        }
        table.insert("grid".to_owned(), Value::Table(kept))
    });
    let mut ratio = None;
    for setting in settings {
        let outcome = match setting.path.strip_prefix("protocol.") {
            _ if setting.path == "ratio" => {
                ratio = Some(setting.value.clone());
                Ok(())
            }
            Some(path) => set(&mut protocol, path, setting.value.clone()),
            None => set(&mut table, &setting.path, setting.value.clone()),
        };
        outcome.map_err(|finding| Refused {
            file: File::Scenario,
            text: String::new(),
            edited: true,
            diagnostics: vec![finding],
        })?;
    }
    if let Some(capacity) = table.get("capacity") {
        if let Some(therapists) = capacity.get("therapists_per_site") {
            set_each(&mut protocol, "site", "therapists", therapists);
        }
        if let Some(families) = capacity.get("families_per_therapist") {
            let arm = protocol.get("gate").and_then(|gate| gate.get("arm"));
            if let Some(arm) = arm.and_then(Value::as_str).map(str::to_owned) {
                let path = format!("arm.{arm}.families_per_therapist");
                let _ = set(&mut protocol, &path, families.clone());
            }
        }
    }
    let sealed = match &ratio {
        None => read_protocol(&text_of(&protocol, File::Protocol)?, true)?.0,
        Some(ratio) => with_ratio(&mut protocol, ratio, warnings)?,
    };
    let protocol_text = text_of(&protocol, File::Protocol)?;
    let protocol = sealed;
    let text = text_of(&table, File::Scenario)?;
    let (scenario, _, found) = scenario(&text, &protocol, true)?;
    warnings.extend(found.into_iter().map(|mut finding| {
        finding.place = None;
        finding
    }));
    let id = if parameters.is_empty() {
        "base".to_owned()
    } else {
        let parts: Vec<String> = parameters
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) => format!("{key}={text}"),
                value => format!("{key}={value}"),
            })
            .collect();
        parts.join(",")
    };
    Ok(Cell {
        id,
        parameters,
        scenario,
        protocol,
        protocol_text,
    })
}

/// The protocol with another ratio of its arms; where its method cannot keep the ratio, by permuted blocks of one and
/// two ratio sums.
fn with_ratio(
    protocol: &mut Table,
    ratio: &Value,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Protocol, Refused> {
    let text = ratio.as_str().unwrap_or_default();
    let parts: Option<Vec<i64>> = text
        .split(':')
        .map(|part| part.trim().parse().ok())
        .collect();
    let arms = protocol.get_mut("arm").and_then(Value::as_array_mut);
    let refuse = |message: Words| Refused {
        file: File::Scenario,
        text: String::new(),
        edited: true,
        diagnostics: vec![Diagnostic::error("invalid-value", message).help(words!(
            "one whole number per arm, in the protocol's order, for example 1:2",
            "ett heltal per arm, i protokollets ordning, till exempel 1:2"
        ))],
    };
    let sum = match (parts, arms) {
        (Some(parts), Some(arms)) if parts.len() == arms.len() => {
            for (arm, part) in arms.iter_mut().zip(&parts) {
                if let Some(arm) = arm.as_table_mut() {
                    arm.insert("ratio".to_owned(), Value::Integer(*part));
                }
            }
            parts
                .iter()
                .fold(0_i64, |sum, part| sum.saturating_add(*part))
        }
        _ => {
            return Err(refuse(words!(
                "`{ratio}` is no ratio of the protocol's arms",
                "`{ratio}` är inget förhållande mellan protokollets armar"
            )));
        }
    };
    let first = read_protocol(&text_of(protocol, File::Protocol)?, true);
    let keeps = !matches!(&first, Err(refused) if refused
        .diagnostics
        .iter()
        .any(|finding| matches!(finding.code, "ratio-not-preserved" | "block-not-divided" | "list-not-divided")));
    if keeps {
        return first.map(|(protocol, _)| protocol);
    }
    if let Some(kept) = by_switch(protocol)? {
        return Ok(kept);
    }
    if let Some(Value::Table(allocation)) = protocol.get_mut("allocation") {
        let strata = allocation.get("strata").cloned();
        allocation.clear();
        allocation.insert(
            "method".to_owned(),
            Value::String("permuted-block".to_owned()),
        );
        let lengths = [sum, sum.saturating_mul(2)].map(Value::Integer);
        allocation.insert("block_lens".to_owned(), Value::Array(lengths.to_vec()));
        if let Some(strata) = strata {
            allocation.insert("strata".to_owned(), strata);
        }
    }
    let double = sum.saturating_mul(2);
    warnings.push(Diagnostic::warning(
        "ratio-by-blocks",
        words!(
            "the protocol's method cannot keep the ratio {text}; permuted blocks of {sum} and {double} are simulated instead",
            "protokollets metod kan inte hålla förhållandet {text}; i stället simuleras permuterade block om {sum} och {double}"
        ),
    ));
    read_protocol(&text_of(protocol, File::Protocol)?, true).map(|(protocol, _)| protocol)
}

/// The protocol with the switch by which its method keeps the ratio, if it has one and may be used.
fn by_switch(protocol: &mut Table) -> Result<Option<Protocol>, Refused> {
    let Some(Value::Table(allocation)) = protocol.get_mut("allocation") else {
        return Ok(None);
    };
    let method = allocation.get("method").and_then(Value::as_str);
    let entry = METHODS.iter().find(|entry| Some(entry.id) == method);
    let Some(switch) = entry.and_then(MethodEntry::ratio_switch) else {
        return Ok(None);
    };
    let before = allocation.insert(switch.to_owned(), Value::Boolean(true));
    let kept = read_protocol(&text_of(protocol, File::Protocol)?, true);
    if let Ok((kept, _)) = kept {
        return Ok(Some(kept));
    }
    if let Some(Value::Table(allocation)) = protocol.get_mut("allocation") {
        match before {
            Some(before) => allocation.insert(switch.to_owned(), before),
            None => allocation.remove(switch),
        };
    }
    Ok(None)
}
