//! What a cell is made from: the two files, the settings, and a row of the grid.

use super::at_most;
use super::cells::{Cell, File, Refused, read_protocol, scenario, text_of};
use super::edit::{Setting, get, one_for_all, set, set_each};
use super::faults::at_setting;
use super::grid::{Parameter, name};
use super::ratio::with_ratio;
use super::sections::OPTIONAL;
use crate::diagnostic::Diagnostic;
use crate::planning::arrivals::open_days;
use crate::planning::calendar::Months;
use crate::protocol::Protocol;
use crate::words;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use toml::{Table, Value};

/// Where a scenario says how many therapists each site has, instead of the protocol.
const THERAPISTS: &str = "capacity.therapists_per_site";
/// Where it says how many families each of them has at a time.
const SLOTS: &str = "capacity.families_per_therapist";

/// What a cell is made from.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) scenario: Arc<Table>,
    pub(super) protocol: Arc<Table>,
    pub(super) settings: Vec<Setting>,
}

impl Recipe {
    /// The value that a dotted path has, with the settings and without the grid.
    pub(super) fn held(&self) -> impl Fn(&str) -> Option<Value> + '_ {
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
    pub(super) fn cell(&self, row: &[Parameter]) -> Result<(Cell, Vec<Diagnostic>), Refused> {
        self.cell_beside(row, None)
    }

    /// The text of the scenario, with its settings and without its grid and priors.
    pub(super) fn text(&self) -> Result<String, Refused> {
        text_of(&self.edited(&[])?.scenario, File::Scenario)
    }

    /// The two files with the settings and a row of the grid.
    fn edited(&self, row: &[Parameter]) -> Result<Edited, Refused> {
        let mut table = (*self.scenario).clone();
        let mut protocol = (*self.protocol).clone();
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
        let varied = row.iter().find_map(|own| of_grid(&own.key));
        let fixed = || settings.iter().find_map(|own| of_file(&own.path));
        if let Some(finding) = varied.or_else(fixed) {
            return Err(at_setting(vec![finding]));
        }
        let mut ratio = None;
        for setting in &settings {
            let outcome = match setting.path.strip_prefix("protocol.") {
                _ if setting.path == "ratio" => {
                    ratio = Some(setting.value.clone());
                    Ok(())
                }
                Some(path) => set(&mut protocol, path, setting.value.clone()),
                None => {
                    begin(&mut table, &setting.path);
                    match one_for_all(&table, &protocol, setting) {
                        Some(finding) => Err(finding),
                        None => set(&mut table, &setting.path, setting.value.clone()),
                    }
                }
            };
            outcome.map_err(|finding| at_setting(vec![finding]))?;
        }
        if let Some(finding) = settings
            .iter()
            .find_map(|own| replaced(own, &table, &protocol))
        {
            return Err(at_setting(vec![finding]));
        }
        staff(&table, &mut protocol);
        Ok(Edited {
            scenario: table,
            protocol,
            settings,
            ratio,
        })
    }

    /// The same with a protocol that is known already, with its text: that of a cell whose settings differ from these in nothing
    /// that [`changes_protocol`].
    pub(super) fn cell_beside(
        &self,
        row: &[Parameter],
        known: Option<(&Protocol, &str)>,
    ) -> Result<(Cell, Vec<Diagnostic>), Refused> {
        let mut warnings = Vec::new();
        let Edited {
            scenario: table,
            mut protocol,
            settings,
            ratio,
        } = self.edited(row)?;
        let (protocol, protocol_text) = match (known, &ratio) {
            (Some((protocol, text)), _) => (protocol.clone(), text.to_owned()),
            (None, None) => {
                let text = text_of(&protocol, File::Protocol)?;
                (read_protocol(&text, true)?.0, text)
            }
            (None, Some(ratio)) => {
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
        at_most(&mut scenario);
        let is_null = scenario.comparisons().map(|(index, arm)| {
            let outcome = protocol.analyses[index].outcome;
            scenario.is_null(arm, &protocol.outcomes[outcome].kind)
        });
        let (_, last) = open_days(&scenario.world, &protocol);
        let mut hash = Sha256::new();
        for part in [&text, &protocol_text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let cell = Cell {
            id: name(row),
            month_ends: Months::new(protocol.first_opening(), last).ends,
            drawn_as: name(row),
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
            believed: String::new(),
            recipe: Self {
                settings,
                ..self.clone()
            },
        };
        Ok((cell, warnings))
    }
}

/// Both files with the settings in them, but for a ratio of the arms, which changes several things at once.
struct Edited {
    scenario: Table,
    protocol: Table,
    settings: Vec<Setting>,
    ratio: Option<Value>,
}

/// Whether a setting of this path changes the protocol: its own keys, the ratio, and the staff that takes the place of its own.
pub(super) fn changes_protocol(path: &str) -> bool {
    let staff = ["capacity", THERAPISTS, SLOTS];
    path == "ratio" || path.starts_with("protocol.") || staff.contains(&path)
}

/// What makes the file what it is and is read before anything is set: set, varied or believed it would change nothing.
fn of_file(path: &str) -> Option<Diagnostic> {
    let help = match path {
        "protocol" => words!(
            "write a scenario of its own for another protocol; a key of this one is set by its path, such as protocol.sample_size.stop.families",
            "skriv ett eget scenario för ett annat protokoll; en nyckel i detta anges med sin sökväg, till exempel protocol.sample_size.stop.families"
        ),
        "lottning-scenario" => words!(
            "leave it out: it is the version of the file's format",
            "utelämna den: den är versionen av filens format"
        ),
        _ => return None,
    };
    Some(
        Diagnostic::error(
            "not-applicable",
            words!(
                "`{path}` stands in the file and can neither be set nor varied",
                "`{path}` står i filen och kan varken anges här eller varieras"
            ),
        )
        .help(help),
    )
}

/// What is wrong with a setting whatever the files hold: its form, or a key that can only stand in a file.
pub fn never_set(text: &str) -> Option<Diagnostic> {
    match Setting::parts(text) {
        Err(finding) => Some(finding),
        Ok((path, _)) => of_file(path),
    }
}

/// What the cells of a grid share is not varied from cell to cell.
fn of_grid(path: &str) -> Option<Diagnostic> {
    (path.split('.').next() == Some("grid")).then(|| {
        Diagnostic::error(
            "not-applicable",
            words!(
                "`{path}` is of the whole grid and is not varied in it",
                "`{path}` gäller hela rutnätet och varieras inte i det"
            ),
        )
        .help(words!(
            "give it once, in `[grid]`",
            "ange det en gång, i `[grid]`"
        ))
    })
}

/// Begins the section of a path, where it is one that a file may leave out.
fn begin(table: &mut Table, path: &str) {
    if let Some((section, _)) = path.split_once('.')
        && (OPTIONAL.contains(&section) || section == "grid")
    {
        let empty = || Value::Table(Table::new());
        table.entry(section.to_owned()).or_insert_with(empty);
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A setting of the protocol's staff where the scenario's own takes its place: it would change nothing. A list of all sites or arms
/// holds staff too, and may be set where it is the scenario's.
fn replaced(setting: &Setting, table: &Table, protocol: &Table) -> Option<Diagnostic> {
    let path = &setting.path;
    let own = path.strip_prefix("protocol.")?;
    let parts: Vec<&str> = own.split('.').collect();
    let gated = get(protocol, "gate.arm");
    let gated = gated.as_ref().and_then(Value::as_str);
    let is_gated = |arm: &str| gated == Some(arm);
    let key = match parts[..] {
        ["site", _, "therapists"] | ["site"] => THERAPISTS,
        ["arm", arm, "families_per_therapist"] if is_gated(arm) => SLOTS,
        ["arm"] => SLOTS,
        _ => return None,
    };
    let held = get(table, key)?;
    if let [list] = parts[..] {
        let name = if list == "site" {
            "therapists"
        } else {
            "families_per_therapist"
        };
        let members = setting.value.as_array()?.iter();
        let members = members.filter(|own| {
            let id = own.get("id").and_then(Value::as_str);
            list == "site" || id.is_some_and(is_gated)
        });
        let mut numbers = members.filter_map(|own| own.get(name));
        let other = numbers.find(|own| **own != held)?;
        return Some(
            Diagnostic::error(
                "not-applicable",
                words!(
                    "`{name} = {other}` in `{path}` changes nothing: the scenario's `{key} = {held}` takes its place",
                    "`{name} = {other}` i `{path}` ändrar inget: scenariots `{key} = {held}` gäller i stället"
                ),
            )
            .help(words!(
                "write `{name} = {held}` in the list, or take `{key}` out of the scenario and leave this to the protocol",
                "skriv `{name} = {held}` i listan, eller ta bort `{key}` ur scenariot och låt protokollet gälla"
            )),
        );
    }
    Some(
        Diagnostic::error(
            "not-applicable",
            words!(
                "`{path}` changes nothing: the scenario's `{key} = {held}` takes its place",
                "`{path}` ändrar inget: scenariots `{key} = {held}` gäller i stället"
            ),
        )
        .help(words!(
            "vary `{key}`, or take it out of the scenario and leave this to the protocol",
            "variera `{key}`, eller ta bort den ur scenariot och låt protokollet gälla"
        )),
    )
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

#[cfg(test)]
mod tests {
    use super::{Setting, replaced};
    use toml::Table;

    /// By hand: a list of sites or arms is told of where a number of staff in it is other than the scenario's, which holds; one that
    /// says the same, or says nothing of it, is set.
    #[test]
    fn a_list_with_other_staff_than_the_scenario_has_is_told() {
        let table: Table = "[capacity]\ntherapists_per_site = 3\nfamilies_per_therapist = 2\n"
            .parse()
            .unwrap();
        let protocol: Table = "[gate]\narm = \"iuh\"\n".parse().unwrap();
        let said = |text: &str| {
            let setting = Setting::parse(text).unwrap();
            replaced(&setting, &table, &protocol).map(|own| own.message.en)
        };
        let sites =
            "protocol.site=[{ id = \"a\", therapists = 3 }, { id = \"b\", therapists = 2 }]";
        assert_eq!(
            said(sites).unwrap(),
            "`therapists = 2` in `protocol.site` changes nothing: the scenario's `capacity.therapists_per_site = 3` takes its place"
        );
        assert_eq!(said(&sites.replace('2', "3")), None);
        let arms =
            "protocol.arm=[{ id = \"iuh\", families_per_therapist = 1 }, { id = \"standard\" }]";
        assert!(
            said(arms)
                .unwrap()
                .contains("`families_per_therapist = 1` in `protocol.arm`")
        );
        // Slots of an arm that has no gate are none of the scenario's.
        assert_eq!(said(&arms.replace("iuh", "brief")), None);
        assert!(said("protocol.site.a.therapists=2").is_some());
    }
}
