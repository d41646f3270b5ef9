//! What a simulation leaves in its folder for people: the planning report in both languages, its figures, and every cell as a
//! row of a table. The numbers are those of `performance.json`.

use super::folder::hash_text;
use super::order::Planned;
use super::rows;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::diagnostic::{Diagnostic, Lang, Words};
use crate::planning::simulate::CellPerformance;
use crate::planning::what_if::Difference;
use crate::report::simulation::{Planning, SIMULATED_FIGURES, planning_html};
use serde_json::Value;
use std::path::Path;
use toml::Table;

/// Cells, what alternatives have more, and what was to be known before.
pub(crate) type Answer<'a> = (
    &'a [CellPerformance],
    &'a [(String, String, Difference)],
    &'a [Diagnostic],
);

/// Writes them.
///
/// # Errors
/// What cannot be written.
pub(crate) fn write(
    outside: &Outside,
    planned: &Planned,
    (cells, alternatives, notes): Answer<'_>,
    body: &Value,
    out: &Path,
) -> Result<(), Failure> {
    outside.write(out.join("performance.csv"), rows::csv(body)?.as_bytes())?;
    let Some(first) = planned.base.cells.first() else {
        return Ok(());
    };
    let order = &planned.order;
    let mut keys = Vec::new();
    if let Ok(table) = order.scenario.parse::<Table>() {
        flatten(&table, "", &mut keys);
    }
    let hash = hash_text(planned);
    let notes: Vec<&Words> = notes.iter().map(|own| &own.message).collect();
    let planning = Planning {
        protocol: &first.protocol,
        scenario: &order.scenario_file,
        keys: &keys,
        settings: &order.settings,
        analyses: &first.scenario.analyses,
        cells,
        alternatives,
        notes: &notes,
        seed: order.seed,
        version: env!("CARGO_PKG_VERSION"),
        plan_hash: &hash,
    };
    for (lang, code) in [(Lang::Sv, "sv"), (Lang::En, "en")] {
        let page = planning_html(&planning, lang);
        outside.write(out.join(format!("report.{code}.html")), page.as_bytes())?;
        for entry in SIMULATED_FIGURES {
            if let Some(figure) = entry.draw(&planning, lang) {
                let name = format!("{}.{code}.svg", entry.id);
                outside.write(out.join(name), figure.standalone().as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Every key of a scenario by its dotted path; a member of a list by its `id`.
fn flatten(table: &Table, path: &str, keys: &mut Vec<(String, String)>) {
    let join = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) if path.is_empty() || key == "full" => {
                flatten(inner, &join(key), keys);
            }
            toml::Value::Array(items) if items.iter().all(toml::Value::is_table) => {
                for (number, item) in items.iter().enumerate() {
                    let inner = item.as_table().cloned().unwrap_or_default();
                    let id = inner.get("id").and_then(toml::Value::as_str);
                    let id = id.map_or_else(|| (number + 1).to_string(), str::to_owned);
                    let mut rest = inner.clone();
                    rest.remove("id");
                    flatten(&rest, &format!("{}.{id}", join(key)), keys);
                }
            }
            other => keys.push((join(key), other.to_string())),
        }
    }
}
