//! What a simulation leaves in its folder for people: the planning report in both languages, its figures, and every cell as a
//! row of a table. The numbers are those of `performance.json`.

use super::folder::hash_text;
use super::order::Planned;
use crate::app::exit;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::diagnostic::{Lang, Words};
use crate::planning::simulate::CellPerformance;
use crate::planning::what_if::Difference;
use crate::report::simulation::{Planning, SIMULATED_FIGURES, planning_html};
use serde_json::Value;
use std::path::Path;
use toml::Table;

/// Writes them.
///
/// # Errors
/// What cannot be written.
pub(crate) fn write(
    outside: &Outside,
    planned: &Planned,
    cells: &[CellPerformance],
    alternatives: &[(String, String, Difference)],
    body: &Value,
    out: &Path,
) -> Result<(), Failure> {
    outside.write(out.join("performance.csv"), rows(body)?.as_bytes())?;
    let Some(first) = planned.base.cells.first() else {
        return Ok(());
    };
    let order = &planned.order;
    let mut keys = Vec::new();
    if let Ok(table) = order.scenario.parse::<Table>() {
        flatten(&table, "", &mut keys);
    }
    let hash = hash_text(planned);
    let planning = Planning {
        protocol: &first.protocol,
        scenario: &order.scenario_file,
        keys: &keys,
        settings: &order.settings,
        analyses: &first.scenario.analyses,
        cells,
        alternatives,
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

/// One row per cell and analysis: numbers as they are, figures as two columns, nothing of what is nested deeper.
fn rows(body: &Value) -> Result<String, Failure> {
    let failed = |reason: String| Failure::new(exit::UNEXPECTED, "no-answer", Words::same(reason));
    let cells = body.get("cells").and_then(Value::as_array);
    let cells: Vec<&serde_json::Map<String, Value>> = cells
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .collect();
    let is_figure = |value: &Value| value.get("mcse").is_some();
    let mut header: Vec<(String, bool)> = Vec::new();
    for (key, value) in cells.iter().flat_map(|cell| cell.iter()) {
        let shown = is_figure(value) || !(value.is_array() || value.is_object() || value.is_null());
        if shown && header.iter().all(|(own, _)| own != key) {
            header.push((key.clone(), is_figure(value)));
        }
    }
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut first: Vec<String> = Vec::new();
    for (key, figure) in &header {
        first.push(key.clone());
        if *figure {
            first.push(format!("{key}_mcse"));
        }
    }
    let mut result = writer.write_record(&first);
    for cell in cells {
        let mut row: Vec<String> = Vec::new();
        for (key, figure) in &header {
            let value = cell.get(key);
            if *figure {
                row.push(text(value.and_then(|own| own.get("value"))));
                row.push(text(value.and_then(|own| own.get("mcse"))));
            } else {
                row.push(text(value));
            }
        }
        result = result.and_then(|()| writer.write_record(&row));
    }
    result.map_err(|error| failed(error.to_string()))?;
    let bytes = writer
        .into_inner()
        .map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}
