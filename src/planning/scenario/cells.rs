//! From a file to the cells that are run: settings, grid, and the protocol that each cell sees.

use super::edit::{Setting, get, set, set_each};
use super::grid::{MOST_CELLS, Parameter, name};
use super::prior::Prior;
use super::ratio::with_ratio;
use super::sections::{MOST_REPLICATES, Varied, read, version};
use super::{Scenario, Shared};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::findings::Findings;
use crate::protocol::{self, Protocol};
use crate::words;
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeTable;
use toml::{Table, Value};

/// One cell: a scenario and the protocol that is run in it.
#[derive(Debug)]
pub struct Cell {
    /// What the grid sets, as `key=value` in the order of the keys' names; `base` without a grid.
    pub id: String,
    /// What the grid sets, in the grid's order.
    pub parameters: Vec<(String, Value)>,
    /// SHA-256 over everything that the cell is made of, scenario and protocol, as 64 hexadecimal digits.
    pub content: String,
    /// The scenario.
    pub scenario: Scenario,
    /// The protocol.
    pub protocol: Protocol,
    /// The text that it was read from, with all settings.
    pub protocol_text: String,
    /// What is believed of parameters that are not known.
    pub priors: Vec<Prior>,
    /// For each analysis whether its expected effect is zero, whatever is drawn from the priors.
    pub is_null: Vec<bool>,
    recipe: Recipe,
}

/// What a cell is made from.
#[derive(Debug, Clone)]
struct Recipe {
    scenario: Arc<Table>,
    protocol: Arc<Table>,
    settings: Vec<Setting>,
}

impl Cell {
    /// What is drawn from the priors in a replicate.
    pub fn drawn(&self, seed: u64, replicate: u64) -> Vec<(String, f64)> {
        let group = self.group();
        let draw = |prior: &Prior| (prior.key.clone(), prior.draw(seed, group, replicate));
        self.priors.iter().map(draw).collect()
    }

    /// The cell as it is in a replicate, with what is drawn from the priors; the cell itself must be run where it has
    /// none.
    ///
    /// # Errors
    /// What was drawn does not go together, although the ends of each prior do.
    pub fn in_replicate(&self, seed: u64, replicate: u64) -> Result<Self, Refused> {
        let group = self.group();
        let mut recipe = self.recipe.clone();
        recipe.settings.extend(
            self.priors
                .iter()
                .map(|prior| prior.setting(prior.draw(seed, group, replicate))),
        );
        let (mut cell, _) = recipe.cell(&[])?;
        cell.id.clone_from(&self.id);
        cell.parameters.clone_from(&self.parameters);
        cell.content.clone_from(&self.content);
        cell.is_null.clone_from(&self.is_null);
        Ok(cell)
    }

    /// The name under which random numbers are drawn: empty where cells share them.
    pub fn group(&self) -> &str {
        match self.scenario.shared {
            Shared::Families => "",
            Shared::Nothing => &self.id,
        }
    }
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
    let (_, varied, _) = self::scenario(scenario, &parsed.0, false)?;
    let mut recipe = Recipe {
        scenario: Arc::new(parse_table(scenario, File::Scenario)?),
        protocol: Arc::new(parse_table(protocol, File::Protocol)?),
        settings: Vec::new(),
    };
    for text in settings {
        let setting = Setting::parse(text).map_err(|finding| at_setting(vec![finding]))?;
        recipe.settings.push(setting);
    }
    // Settings by themselves before the grid, so that each is blamed for its own.
    let (base, found) = recipe.cell(&[])?;
    let group = base.scenario.shared;
    let held = recipe.held();
    let grid = varied.grid.without(&recipe.settings);
    let is_set = |prior: &Prior| recipe.settings.iter().any(|own| own.path == prior.key);
    let mut priors = varied.priors;
    priors.retain(|prior| !is_set(prior));
    let in_file = |diagnostics| Refused {
        file: File::Scenario,
        text: scenario.to_owned(),
        edited: false,
        diagnostics,
    };
    let unknown = grid.unknown_conditions(&held);
    if !unknown.is_empty() {
        return Err(in_file(unknown));
    }
    let Some(rows) = grid.cells(&held) else {
        let span = grid.keys.first().map_or(0..0, |(_, span)| span.clone());
        return Err(in_file(vec![too_many(span)]));
    };
    if rows.is_empty() {
        return Err(in_file(vec![no_cell(scenario)]));
    }
    warnings.extend(found);
    let mut faults: Vec<Diagnostic> = Vec::new();
    let mut cells: Vec<Cell> = Vec::with_capacity(rows.len());
    for row in &rows {
        match recipe.cell(row) {
            Err(refused) => blame(&recipe, row, refused, &mut faults),
            Ok((mut cell, found)) => {
                warnings.extend(found);
                if let Some(twin) = cells.iter().find(|other| other.id == cell.id) {
                    faults.push(same_cell(&twin.id, row));
                }
                believe(&mut cell, &priors, &mut faults);
                cells.push(cell);
            }
        }
        if faults.len() > MOST_FAULTS {
            break;
        }
    }
    if !faults.is_empty() {
        faults.sort_by_key(|own| {
            own.place
                .as_ref()
                .and_then(|place| place.span.clone())
                .map(|span| span.start)
        });
        faults.dedup();
        return Err(in_file(faults));
    }
    debug_assert!(cells.iter().all(|cell| cell.scenario.shared == group));
    let mut said: Vec<Diagnostic> = Vec::new();
    for warning in warnings {
        if !said.contains(&warning) {
            said.push(warning);
        }
    }
    Ok(Plan {
        cells,
        warnings: said,
    })
}

/// Most findings of a grid that are told at once.
const MOST_FAULTS: usize = 20;

fn at_setting(diagnostics: Vec<Diagnostic>) -> Refused {
    Refused {
        file: File::Scenario,
        text: String::new(),
        edited: true,
        diagnostics,
    }
}

fn too_many(span: Range<usize>) -> Diagnostic {
    Diagnostic::error(
        "too-many-cells",
        words!(
            "the grid has more than {MOST_CELLS} cells",
            "rutnätet har fler än {MOST_CELLS} celler"
        ),
    )
    .at(Place::span(span))
}

fn no_cell(scenario: &str) -> Diagnostic {
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

fn same_cell(id: &str, row: &[Parameter]) -> Diagnostic {
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
        "list each value once; 1 and 1.0 are the same value",
        "ange varje värde en gång; 1 och 1.0 är samma värde"
    ))
}

/// Findings of a cell, moved to the value of the grid without which they are not there.
fn blame(recipe: &Recipe, row: &[Parameter], refused: Refused, faults: &mut Vec<Diagnostic>) {
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
        if !faults.contains(&finding) {
            faults.push(finding);
        }
    }
}

/// Gives a cell its priors, once their ends are found to be possible.
fn believe(cell: &mut Cell, priors: &[Prior], faults: &mut Vec<Diagnostic>) {
    if priors.is_empty() {
        return;
    }
    for prior in priors {
        for value in prior.extremes() {
            let mut recipe = cell.recipe.clone();
            recipe.settings.push(prior.setting(value));
            match recipe.cell(&[]) {
                Ok((end, _)) => {
                    for (all, own) in cell.is_null.iter_mut().zip(&end.is_null) {
                        *all &= own;
                    }
                }
                Err(refused) => {
                    let label = words!("the prior reaches {value}", "priorn når {value}");
                    moved(refused, &prior.span, &label, faults);
                }
            }
        }
    }
    cell.priors = priors.to_vec();
    let mut hash = Sha256::new();
    hash.update(&cell.content);
    for prior in priors {
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
}

type Read = (Scenario, Varied, Vec<Diagnostic>);

fn scenario(text: &str, protocol: &Protocol, edited: bool) -> Result<Read, Refused> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut out = Findings::new(text);
    out.guide = "docs/scenario.md";
    for error in &errors {
        out.push(syntax(error, text));
    }
    let (read, varied) = read(&mut out, tree.get_ref(), protocol);
    let diagnostics = out.into_sorted();
    match read {
        Some(scenario) => Ok((scenario, varied, diagnostics)),
        None => Err(Refused {
            file: File::Scenario,
            text: text.to_owned(),
            edited,
            diagnostics,
        }),
    }
}

pub(super) fn read_protocol(
    text: &str,
    edited: bool,
) -> Result<(Protocol, Vec<Diagnostic>), Refused> {
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

pub(super) fn text_of(table: &Table, file: File) -> Result<String, Refused> {
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

impl Recipe {
    /// The value that a dotted path has, with the settings and without the grid.
    fn held(&self) -> impl Fn(&str) -> Option<Value> + '_ {
        move |path: &str| {
            let set = self.settings.iter().rev().find(|own| own.path == path);
            if let Some(setting) = set {
                return Some(setting.value.clone());
            }
            match path.strip_prefix("protocol.") {
                Some(path) => get(&self.protocol, path),
                None => get(&self.scenario, path),
            }
        }
    }

    /// The cell of a row of the grid, and its warnings.
    fn cell(&self, row: &[Parameter]) -> Result<(Cell, Vec<Diagnostic>), Refused> {
        let mut table = (*self.scenario).clone();
        let mut protocol = (*self.protocol).clone();
        let mut warnings = Vec::new();
        table.remove("prior");
        if let Some(grid) = table.remove("grid") {
            // What cells share is said beside the axes.
            let mut kept = Table::new();
            if let Some(shared) = grid.get("common_random_numbers") {
                kept.insert("common_random_numbers".to_owned(), shared.clone());
            }
            table.insert("grid".to_owned(), Value::Table(kept));
        }
        let mut settings = self.settings.clone();
        settings.extend(
            row.iter()
                .map(|own| Setting::new(&own.key, own.value.clone())),
        );
        let mut ratio = None;
        for setting in &settings {
            let outcome = match setting.path.strip_prefix("protocol.") {
                _ if setting.path == "ratio" => {
                    ratio = Some(setting.value.clone());
                    Ok(())
                }
                Some(path) => set(&mut protocol, path, setting.value.clone()),
                None => set(&mut table, &setting.path, setting.value.clone()),
            };
            outcome.map_err(|finding| at_setting(vec![finding]))?;
        }
        staff(&table, &mut protocol);
        let (protocol, protocol_text) = match &ratio {
            None => {
                let text = text_of(&protocol, File::Protocol)?;
                (read_protocol(&text, true)?.0, text)
            }
            Some(ratio) => {
                let kept = with_ratio(&mut protocol, ratio, &mut warnings)?;
                (kept, text_of(&protocol, File::Protocol)?)
            }
        };
        let text = text_of(&table, File::Scenario)?;
        let (mut scenario, _, found) = scenario(&text, &protocol, true)?;
        warnings.extend(found.into_iter().map(|mut finding| {
            finding.place = None;
            finding
        }));
        let precision = &mut scenario.precision;
        precision.replicates = precision.replicates.min(MOST_REPLICATES as u64);
        let is_null = scenario.analyses.iter().map(|index| {
            let outcome = protocol.analyses[*index].outcome;
            scenario.world.is_null(&protocol.outcomes[outcome].kind)
        });
        let mut hash = Sha256::new();
        for part in [&text, &protocol_text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let cell = Cell {
            id: name(row),
            parameters: row
                .iter()
                .map(|own| (own.key.clone(), own.value.clone()))
                .collect(),
            content: hex(&hash.finalize()),
            is_null: is_null.collect(),
            scenario,
            protocol,
            protocol_text,
            priors: Vec::new(),
            recipe: Self {
                settings,
                ..self.clone()
            },
        };
        Ok((cell, warnings))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Therapists and slots of the scenario take the place of the protocol's, so that the gate sees a protocol and nothing
/// else.
fn staff(table: &Table, protocol: &mut Table) {
    let Some(capacity) = table.get("capacity") else {
        return;
    };
    if let Some(therapists) = capacity.get("therapists_per_site") {
        set_each(protocol, "site", "therapists", therapists);
    }
    if let Some(families) = capacity.get("families_per_therapist") {
        let arm = protocol.get("gate").and_then(|gate| gate.get("arm"));
        if let Some(arm) = arm.and_then(Value::as_str).map(str::to_owned) {
            let path = format!("arm.{arm}.families_per_therapist");
            let _ = set(protocol, &path, families.clone());
        }
    }
}
