//! From a file to the cells that are run: settings, grid, and the protocol that each cell sees.

use super::edit::Setting;
use super::faults::{MOST_FAULTS, at_setting, believe, blame, no_cell, same_cell, too_many};
use super::prior::Prior;
use super::recipe::{Recipe, changes_protocol, hex};
use super::sections::{Varied, read, version};
use super::{Scenario, Shared};
use crate::allocation::Arm;
use crate::analysis::plan::treated_arms;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::findings::Findings;
use crate::protocol::model::Day;
use crate::protocol::{self, Protocol};
use crate::study::dataset::DAYS_PER_MONTH;
use crate::words;
use sha2::{Digest, Sha256};
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
    /// SHA-256 over everything that the cell is made of, scenario, protocol and priors, and the name of the random numbers where they
    /// are another cell's, as 64 hexadecimal digits.
    pub content: String,
    /// The scenario.
    pub scenario: Scenario,
    /// The protocol.
    pub protocol: Protocol,
    /// The text that it was read from, with all settings.
    pub protocol_text: String,
    /// What is believed of parameters that are not known.
    pub priors: Vec<Prior>,
    /// For each comparison whether its expected effect is zero, whatever is drawn from the priors.
    pub is_null: Vec<bool>,
    /// The scenario's text with some value of each prior in its place; empty where a study is read anew all the same.
    pub(super) believed: String,
    /// Last days of the calendar months in which families can be randomized, whatever is drawn from the priors.
    pub month_ends: Vec<Day>,
    /// The cell under whose name random numbers are drawn where cells have their own: itself, or the one that it is compared with.
    pub(super) drawn_as: String,
    pub(super) recipe: Recipe,
}

impl Cell {
    /// A name for each comparison: the id of its analysis, and with several treated arms that of the arm after a colon.
    pub fn names(&self) -> Vec<String> {
        let arms: Vec<Arm> = treated_arms(&self.protocol).collect();
        let name = |(index, arm): (usize, usize)| {
            let id = &self.protocol.analyses[index].id;
            match arms.get(arm).filter(|_| arms.len() > 1) {
                Some(arm) => format!("{id}:{}", self.protocol.arms[arm.index()].id),
                None => id.clone(),
            }
        };
        self.scenario.comparisons().map(name).collect()
    }

    /// What is drawn from the priors in a replicate.
    pub fn drawn(&self, seed: u64, replicate: u64) -> Vec<(String, f64)> {
        let group = self.group();
        let draw = |prior: &Prior| (prior.key.clone(), prior.draw(seed, group, replicate));
        self.priors.iter().map(draw).collect()
    }

    /// Whether something that studies live by is drawn from a prior: what they show is then an average over what is believed.
    pub fn is_believed(&self) -> bool {
        self.priors.iter().any(|prior| prior.lived)
    }

    /// The parameters with a prior that studies live by.
    pub fn believed_keys(&self) -> Vec<&str> {
        let lived = self.priors.iter().filter(|prior| prior.lived);
        lived.map(|prior| prior.key.as_str()).collect()
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
        let mut priors = self.priors.iter();
        let known = (!priors.any(|prior| changes_protocol(&prior.key)))
            .then_some((&self.protocol, self.protocol_text.as_str()));
        let (mut cell, _) = recipe.cell_beside(&[], known)?;
        cell.id.clone_from(&self.id);
        cell.parameters.clone_from(&self.parameters);
        cell.content.clone_from(&self.content);
        cell.is_null.clone_from(&self.is_null);
        cell.drawn_as.clone_from(&self.drawn_as);
        Ok(cell)
    }

    /// The cell once more, under another name and on the random numbers of another cell, where cells have their own.
    ///
    /// # Errors
    /// Never in practice: what it is made of was read before.
    pub fn beside(&self, other: &Self, id: String) -> Result<Self, Refused> {
        let (mut cell, _) = self.recipe.cell(&[])?;
        cell.id = id;
        cell.parameters.clone_from(&self.parameters);
        cell.content.clone_from(&self.content);
        cell.is_null.clone_from(&self.is_null);
        cell.priors.clone_from(&self.priors);
        cell.believed.clone_from(&self.believed);
        cell.month_ends.clone_from(&self.month_ends);
        cell.drawn_as.clone_from(&other.drawn_as);
        if cell.group() != self.group() {
            let mut hash = Sha256::new();
            hash.update(&cell.content);
            hash.update(cell.group());
            cell.content = hex(&hash.finalize());
        }
        Ok(cell)
    }

    /// Whether the studies of another cell are the same as this one's, whatever the words that made it: `2` and `2.0` are one value.
    pub fn is_same(&self, other: &Self) -> bool {
        let read = |own: &Self| format!("{:?} {:?}", own.scenario, own.priors_drawn());
        self.group() == other.group()
            && self.protocol_text == other.protocol_text
            && read(self) == read(other)
    }

    /// What is believed, without where the file says it.
    fn priors_drawn(&self) -> Vec<(&str, [f64; 3])> {
        let points = |own: &Prior| [0.25, 0.5, 0.75].map(|u| own.at(u));
        let mut all: Vec<(&str, [f64; 3])> = self
            .priors
            .iter()
            .map(|own| (own.key.as_str(), points(own)))
            .collect();
        all.sort_by(|one, other| one.0.cmp(other.0));
        all
    }

    /// The name under which random numbers are drawn: empty where cells share them.
    pub fn group(&self) -> &str {
        match self.scenario.shared {
            Shared::Families => "",
            Shared::Nothing => &self.drawn_as,
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
    // That a permission is not there yet says whether a study may be opened, and nothing of what it would find.
    warnings.extend(
        parsed
            .1
            .into_iter()
            .filter(|own| own.code != "permission-missing"),
    );
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
    let is_set = |prior: &Prior| recipe.settings.iter().any(|own| own.covers(&prior.key));
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
    let Some((rows, idle)) = grid.cells(&held) else {
        let span = grid.keys.first().map_or(0..0, |(_, span)| span.clone());
        return Err(in_file(vec![too_many(span)]));
    };
    // A setting may well leave a condition without a cell.
    if !idle.is_empty() && settings.is_empty() {
        return Err(in_file(idle));
    }
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
                warnings.extend(beyond_stop(&cell));
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

/// Enrolment for at least a month after the protocol's stop date, which is never simulated.
fn beyond_stop(cell: &Cell) -> Option<Diagnostic> {
    let stop = cell.protocol.sample_size.stop_date?;
    let accrual = &cell.scenario.world.accrual;
    let last = accrual.last_day(cell.protocol.first_opening());
    let Words { en, sv } = Words::number(accrual.months);
    (f64::from(last.since(Day::of(stop))) >= DAYS_PER_MONTH).then(|| {
        Diagnostic::warning(
            "months-beyond-stop",
            words!(
                "{en} months of enrolment end after {stop}, the protocol's `stop.or_date`: nothing is simulated after it",
                "{sv} månaders intag slutar efter {stop}, protokollets `stop.or_date`: inget simuleras efter det"
            ),
        )
        .help(words!(
            "fewer months, or a later --set protocol.sample_size.stop.or_date",
            "färre månader, eller ett senare --set protocol.sample_size.stop.or_date"
        ))
    })
}

type Read = (Scenario, Varied, Vec<Diagnostic>);

pub(super) fn scenario(text: &str, protocol: &Protocol, edited: bool) -> Result<Read, Refused> {
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
