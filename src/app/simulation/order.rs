//! An order: everything that a simulation's answer depends on, as it lies in `plan.json` beside the records.
//!
//! The plan hash is taken over all of it except the number of replicates: a replicate is the same study however many are
//! run, so a run may be extended by further ones.

use crate::app::exit;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::diagnostic::{Diagnostic, Words};
use crate::planning::pieces::plan_hash;
use crate::planning::scenario::{self, Cell, File, Plan, Refused, Shared};
use crate::planning::simulate::Options;
use crate::study::journal::hex;
use crate::words;
use serde::{Deserialize, Serialize};
use std::path::Path;

use super::settings;

/// Name of an order in its folder.
pub const PLAN_FILE: &str = "plan.json";
/// Schema of that file.
const SCHEMA: &str = "lottning.simulation-plan/1";

/// What a simulation's answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    schema: String,
    plan_hash: String,
    /// Version of the program.
    version: String,
    /// Path of the scenario as it was given.
    pub scenario_file: String,
    /// Its text.
    pub scenario: String,
    /// Path of the protocol.
    pub protocol_file: String,
    /// Its text.
    pub protocol: String,
    /// Settings `KEY=VALUE`, in their order.
    pub settings: Vec<String>,
    /// Alternatives, each a text of settings.
    pub what_if: Vec<String>,
    /// Seed.
    pub seed: u64,
    /// Redraws of each randomization test, instead of the scenario's.
    pub draws: Option<u32>,
    /// Studies per cell, instead of the scenario's number and stopping rule; not part of the plan hash.
    pub replicates: Option<u64>,
}

impl Order {
    /// The order of a scenario file, with its protocol.
    ///
    /// # Errors
    /// Files that cannot be read, or a scenario that names no protocol.
    pub fn of_files(
        outside: &Outside,
        scenario_file: &Path,
        settings: &[String],
        what_if: &[String],
        options: &Options,
    ) -> Result<Self, Failure> {
        let text = outside.read_text(scenario_file, exit::INVALID_PROTOCOL)?;
        let name = scenario_file.display().to_string();
        let path = scenario::protocol_path(&text)
            .map_err(|refused| refused_file(refused, &name, &typed(settings, None), ""))?;
        let folder = scenario_file.parent().unwrap_or(Path::new(""));
        let path = folder.join(path);
        let protocol = outside.read_text(&path, exit::INVALID_PROTOCOL)?;
        let mut own = Self {
            schema: SCHEMA.to_owned(),
            plan_hash: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario_file: name,
            scenario: text,
            protocol_file: path.display().to_string(),
            protocol,
            settings: settings.to_vec(),
            what_if: what_if.to_vec(),
            seed: options.seed,
            draws: options.draws,
            replicates: options.replicates,
        };
        own.plan_hash = hex(&own.hash());
        Ok(own)
    }

    /// The order that lies in a folder; `None` if there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or that no program of this version wrote.
    pub fn in_folder(outside: &Outside, folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(PLAN_FILE);
        if !outside.exists(&path) {
            return Ok(None);
        }
        let text = outside.read_text(&path, exit::INVALID_DATA)?;
        let name = path.display();
        let own: Self = serde_json::from_str(&text)
            .ok()
            .filter(|own: &Self| own.schema == SCHEMA)
            .ok_or_else(|| {
                Failure::new(
                    exit::INVALID_DATA,
                    "plan-damaged",
                    words!(
                        "{name} is no plan of a simulation",
                        "{name} är ingen plan för en simulering"
                    ),
                )
                .help(fresh_folder())
            })?;
        let version = env!("CARGO_PKG_VERSION");
        if own.version != version {
            let other = &own.version;
            return Err(Failure::new(
                exit::WRONG_STATE,
                "another-plan",
                words!(
                    "{name} was written by version {other} of the program, and this is {version}: their studies are not mixed",
                    "{name} skrevs av programmets version {other}, och detta är {version}: deras studier blandas inte"
                ),
            )
            .help(fresh_folder()));
        }
        if own.plan_hash != hex(&own.hash()) {
            return Err(Failure::new(
                exit::INVALID_DATA,
                "plan-damaged",
                words!(
                    "{name} was changed after it was written: its hash does not hold",
                    "{name} har ändrats efter att den skrevs: dess hash stämmer inte"
                ),
            )
            .help(fresh_folder()));
        }
        Ok(Some(own))
    }

    /// The same order with one more setting.
    #[must_use]
    pub fn with(&self, setting: &str) -> Self {
        let mut own = self.clone();
        own.settings.push(setting.to_owned());
        own.plan_hash = hex(&own.hash());
        own
    }

    /// Hash of everything that makes a replicate what it is.
    pub fn hash(&self) -> [u8; 32] {
        let Self {
            schema: _,
            plan_hash: _,
            version,
            scenario_file: _,
            scenario,
            protocol_file: _,
            protocol,
            settings,
            what_if,
            seed,
            draws,
            replicates: _,
        } = self;
        let (counts, seed) = (
            format!("{} {}", settings.len(), what_if.len()),
            seed.to_string(),
        );
        let draws = draws.map_or_else(String::new, |draws| draws.to_string());
        let mut parts: Vec<&[u8]> = vec![
            version.as_bytes(),
            scenario.as_bytes(),
            protocol.as_bytes(),
            seed.as_bytes(),
            draws.as_bytes(),
            counts.as_bytes(),
        ];
        parts.extend(settings.iter().chain(what_if).map(String::as_bytes));
        plan_hash(parts)
    }

    /// What runs it, beside threads.
    pub fn options(&self, threads: Option<usize>) -> Options {
        Options {
            seed: self.seed,
            replicates: self.replicates,
            draws: self.draws,
            threads,
        }
    }

    /// What this order and another one differ in, for a message.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        [
            (self.scenario != other.scenario, "SCENARIO.toml"),
            (self.protocol != other.protocol, "protocol"),
            (self.settings != other.settings, "--set"),
            (self.what_if != other.what_if, "--what-if"),
            (self.seed != other.seed, "--seed"),
            (self.draws != other.draws, "--draws"),
            (self.replicates != other.replicates, "--replicates"),
        ]
        .into_iter()
        .filter_map(|(differs, name)| differs.then_some(name))
        .collect()
    }

    /// The command that orders it, without `lottning` and without what says where it is run.
    pub fn command(&self) -> String {
        let mut words = vec!["simulate".to_owned(), quoted(&self.scenario_file)];
        let each = |option: &str, texts: &[String]| -> Vec<String> {
            texts
                .iter()
                .flat_map(|text| [option.to_owned(), quoted(text)])
                .collect()
        };
        words.extend(each("--set", &self.settings));
        words.extend(each("--what-if", &self.what_if));
        words.extend(["--seed".to_owned(), self.seed.to_string()]);
        if let Some(draws) = self.draws {
            words.extend(["--draws".to_owned(), draws.to_string()]);
        }
        if let Some(replicates) = self.replicates {
            words.extend(["--replicates".to_owned(), replicates.to_string()]);
        }
        words.join(" ")
    }

    /// Its file.
    ///
    /// # Errors
    /// Never in practice: everything in it is text and numbers.
    pub(super) fn file(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|error| {
                Failure::new(
                    exit::UNEXPECTED,
                    "no-answer",
                    Words::same(error.to_string()),
                )
            })
    }

    /// Reads scenario and protocol, and spreads the cells.
    ///
    /// # Errors
    /// What is wrong with them: exit 3.
    pub fn planned(self) -> Result<Planned, Failure> {
        let plan = |settings: &[String], alternative: Option<&str>| {
            scenario::plan(&self.scenario, &self.protocol, settings).map_err(|refused| {
                let typed = typed(&self.settings, alternative);
                refused_file(refused, &self.scenario_file, &typed, &self.protocol_file)
            })
        };
        if let Some(failure) = settings::wrong(&self.settings) {
            return Err(failure);
        }
        let mut base = plan(&self.settings, None)?;
        let mut alternatives = Vec::with_capacity(self.what_if.len());
        for text in &self.what_if {
            let changes = settings::alternative(text)?;
            let name = changes.join(" ");
            let mut all = self.settings.clone();
            all.extend(changes);
            let mut plan = plan(&all, Some(text))?;
            for cell in &mut plan.cells {
                cell.id = if cell.parameters.is_empty() {
                    name.clone()
                } else {
                    format!("{} | {name}", cell.id)
                };
            }
            let own_numbers = |cell: &Cell| cell.scenario.shared == Shared::Nothing;
            if base.cells.iter().any(own_numbers) {
                plan.cells = on_numbers_of(&base, &plan, &name).map_err(|refused| {
                    let typed = typed(&self.settings, Some(text));
                    refused_file(refused, &self.scenario_file, &typed, &self.protocol_file)
                })?;
            }
            alternatives.push((name, plan));
        }
        let alone = |plan: &Plan| {
            let mut cells = base.cells.iter();
            let lost = cells.find(|cell| same_cell(plan, cell).is_none());
            lost.map(|cell| cell.id.clone())
        };
        let lost =
            |(name, plan): &(String, Plan)| alone(plan).map(|id| settings::without_cell(name, &id));
        if let Some(failure) = alternatives.iter().find_map(lost) {
            return Err(failure);
        }
        for (place, (name, plan)) in alternatives.iter().enumerate() {
            let earlier = &alternatives[..place];
            if let Some((twin, _)) = earlier.iter().find(|(_, other)| same_studies(other, plan)) {
                return Err(settings::same_alternative(twin, name));
            }
        }
        let idle: Vec<Diagnostic> = alternatives
            .iter()
            .filter(|(_, plan)| same_studies(&base, plan))
            .map(|(name, _)| settings::changes_nothing(name))
            .collect();
        base.warnings.extend(idle);
        Ok(Planned {
            hash: self.hash(),
            order: self,
            base,
            alternatives,
        })
    }
}

/// The cell of an alternative beside a cell of the scenario. An alternative may set a key that the grid varies; its cells
/// then have fewer parameters.
fn same_cell(plan: &Plan, base: &Cell) -> Option<usize> {
    plan.cells
        .iter()
        .position(|cell| is_beside(cell, base) && cell.group() == base.group())
}

fn is_beside(cell: &Cell, base: &Cell) -> bool {
    let mut all = cell.parameters.iter();
    all.all(|parameter| base.parameters.contains(parameter))
}

/// The cells of an alternative where every cell has random numbers of its own: one for each cell of the scenario, on its numbers.
fn on_numbers_of(base: &Plan, plan: &Plan, name: &str) -> Result<Vec<Cell>, Refused> {
    let beside = |base: &Cell| {
        let own = plan.cells.iter().find(|cell| is_beside(cell, base))?;
        let id = if base.parameters.is_empty() {
            name.to_owned()
        } else {
            format!("{} | {name}", base.id)
        };
        Some(own.beside(base, id))
    };
    base.cells.iter().filter_map(beside).collect()
}

/// Whether two plans run the same studies, cell by cell.
fn same_studies(one: &Plan, other: &Plan) -> bool {
    let mut pairs = one.cells.iter().zip(&other.cells);
    one.cells.len() == other.cells.len() && pairs.all(|(own, other)| own.is_same(other))
}

fn fresh_folder() -> Words {
    Words::new(
        "name another folder with --out, or remove this one and run the shards again",
        "ange en annan mapp med --out, eller ta bort mappen och kör delarna igen",
    )
}

/// An order with its cells.
#[derive(Debug)]
pub struct Planned {
    /// The order.
    pub order: Order,
    /// Its hash.
    pub hash: [u8; 32],
    /// The scenario as it is.
    pub base: Plan,
    /// Alternatives by name.
    pub alternatives: Vec<(String, Plan)>,
}

impl Planned {
    /// For each cell of the scenario: the cell, then the same cell of every alternative.
    pub fn groups(&self) -> Vec<Vec<&Cell>> {
        self.base
            .cells
            .iter()
            .map(|base| {
                let others = self.alternatives.iter();
                let others = others.filter_map(|(_, plan)| plan.cells.get(same_cell(plan, base)?));
                std::iter::once(base).chain(others).collect()
            })
            .collect()
    }

    /// Place of a cell among all, by its group and its place in it.
    pub fn unit(&self, group: usize, place: usize) -> usize {
        group * (1 + self.alternatives.len()) + place
    }
}

/// The options that change what is simulated, as they were typed.
fn typed(settings: &[String], alternative: Option<&str>) -> String {
    let mut words = Vec::new();
    if !settings.is_empty() {
        words.push(format!("--set {}", settings.join(" ")));
    }
    words.extend(alternative.map(|own| format!("--what-if {own}")));
    words.join(" ")
}

/// A scenario or protocol that is refused, under the name of its file and with the options that changed it.
fn refused_file(refused: Refused, scenario: &str, typed: &str, protocol: &str) -> Failure {
    let name = match refused.file {
        File::Scenario => scenario.to_owned(),
        File::Protocol => protocol.to_owned(),
    };
    let (code, name) = match (refused.file, refused.edited) {
        (File::Scenario, false) => ("invalid-scenario", name),
        (File::Protocol, false) => ("invalid-protocol", name),
        (_, true) => ("invalid-setting", format!("{name} {typed}")),
    };
    Failure::refused_file(
        exit::INVALID_PROTOCOL,
        code,
        name,
        refused.text,
        refused.diagnostics,
    )
}

/// A word as a shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A path as a shell reads it back.
pub(crate) fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_of_a_shell() {
        assert_eq!(quoted("a/b.toml"), "a/b.toml");
        assert_eq!(quoted("x={ mean = 8 }"), "'x={ mean = 8 }'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
