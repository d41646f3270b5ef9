//! `performance.csv`: every cell and analysis as a row, every number of `performance.json` as a column.
//!
//! A figure is two columns, its value and `_mcse`; shares of 0 and 1 have `_lower` and `_upper` too, the ends of an exact
//! interval. What is nested is named by its path: `reached.2026-03-31.families`, `looks.look-1.stopped`,
//! `parameters.truth.rereport_ratio`. What an alternative has more stands in its own rows: `differences.families`,
//! `differences.power` of the row's analysis and arm, and the cell that it is `compared_with`. What a row does not have is empty.

use crate::app::exit;
use crate::app::failure::Failure;
use crate::diagnostic::Words;
use serde_json::{Value, json};

/// Columns by their name, a list for each row.
type Rows = Vec<Vec<(String, String)>>;

/// Keys that name a member of a list.
const NAMES: [&str; 2] = ["by", "lock"];

/// The table, from the document's fields.
///
/// # Errors
/// The writer failed: a defect.
pub(super) fn csv(body: &Value) -> Result<String, Failure> {
    let failed = |reason: String| Failure::new(exit::UNEXPECTED, "no-answer", Words::same(reason));
    let rows = rows(body);
    let header = header(&rows);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut result = writer.write_record(&header);
    for row in &rows {
        let of = |key: &&str| {
            let own = row.iter().find(|(own, _)| own == key);
            own.map_or("", |(_, value)| value)
        };
        result = result.and_then(|()| writer.write_record(header.iter().map(of)));
    }
    result.map_err(|error| failed(error.to_string()))?;
    let bytes = writer
        .into_inner()
        .map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}

/// Every cell and analysis as a row, alternatives with what they have more.
fn rows(body: &Value) -> Rows {
    let list = |key: &str| {
        body.get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let mut alternatives = list("alternatives");
    let mut own = None;
    let mut first: Option<&Value> = None;
    let mut rows = Vec::new();
    for cell in list("cells") {
        // The rows of a cell are those of its comparisons, each once; cells may have other ones.
        let name = |row: &Value| (row.get("cell").cloned(), row.get("alternative").cloned());
        let goes_on =
            first.is_some_and(|own| name(own) == name(cell) && comparison(own) != comparison(cell));
        if !goes_on {
            first = Some(cell);
            own = cell.get("alternative").and_then(|_| alternatives.next());
        }
        let mut row = Vec::new();
        flatten(cell, "", &mut row);
        if let Some(own) = own {
            flatten(&more(own, comparison(cell)), "", &mut row);
        }
        rows.push(row);
    }
    rows
}

/// What a row or a figure of power is about: its analysis and, with several treated arms, its arm.
type Comparison<'a> = (Option<&'a Value>, Option<&'a Value>);

fn comparison(own: &Value) -> Comparison<'_> {
    (own.get("analysis"), own.get("arm"))
}

/// What an alternative has more, for the row of one comparison.
fn more(alternative: &Value, row: Comparison<'_>) -> Value {
    let mut differences = alternative["differences"].clone();
    let mut power = differences["power"].as_array().into_iter().flatten();
    let power = power.find(|own| comparison(own) == row);
    differences["power"] = power.cloned().unwrap_or(Value::Null);
    json!({"compared_with": alternative["compared_with"], "differences": differences})
}

/// Names of the columns of arms, looks, of what a size is by, and of what alternatives have more, and their values in each row.
pub(crate) fn further(body: &Value) -> (Vec<String>, Vec<Vec<String>>) {
    let is_further = |key: &str| {
        ["arm", "alternative", "compared_with", "size_by_p_alone"].contains(&key)
            || key.starts_with("differences.")
            || key.starts_with("looks.")
    };
    let mut rows = rows(body);
    for row in &mut rows {
        row.retain(|(key, _)| is_further(key));
    }
    let header: Vec<String> = header(&rows).into_iter().map(str::to_owned).collect();
    let of = |row: &Vec<(String, String)>, key: &String| {
        let own = row.iter().find(|(own, _)| own == key);
        own.map_or_else(String::new, |(_, value)| value.clone())
    };
    let values = rows
        .iter()
        .map(|row| header.iter().map(|key| of(row, key)).collect())
        .collect();
    (header, values)
}

/// The columns of all rows; one that an earlier row lacks comes after the one that it follows.
fn header(rows: &[Vec<(String, String)>]) -> Vec<&str> {
    let mut header: Vec<&str> = Vec::new();
    for row in rows {
        let mut at = 0;
        for (key, _) in row {
            let known = header.iter().position(|own| own == key);
            let place = known.unwrap_or_else(|| {
                header.insert(at, key);
                at
            });
            at = place + 1;
        }
    }
    header
}

fn flatten(value: &Value, path: &str, row: &mut Vec<(String, String)>) {
    let join = |key: &str| {
        // A list within what has its name, as `looks.looks`, is said once.
        if path.is_empty() || path == key {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Null => {}
        Value::String(text) => row.push((path.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => row.push((path.to_owned(), value.to_string())),
        Value::Object(fields) => {
            if let (Some(value), Some(error)) = (fields.get("value"), fields.get("mcse")) {
                let ends = ["lower", "upper"];
                let ends = ends.map(|end| Some((format!("{path}_{end}"), fields.get(end)?)));
                let own = [(path.to_owned(), value), (format!("{path}_mcse"), error)];
                for (key, own) in own.into_iter().chain(ends.into_iter().flatten()) {
                    let text = if own.is_null() {
                        String::new()
                    } else {
                        own.to_string()
                    };
                    row.push((key, text));
                }
                return;
            }
            for (key, own) in fields {
                flatten(own, &join(key), row);
            }
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
            for (number, item) in items.iter().enumerate() {
                let mut fields = item.as_object().cloned().unwrap_or_default();
                let mut name = (number + 1).to_string();
                for key in NAMES {
                    if let Some(Value::String(own)) = fields.remove(key) {
                        name = own;
                    }
                }
                flatten(&Value::Object(fields), &join(&name), row);
            }
        }
        Value::Array(items) => {
            let words = items
                .iter()
                .map(|own| own.as_str().map_or_else(|| own.to_string(), str::to_owned));
            let words = words.collect::<Vec<_>>().join(" ");
            row.push((path.to_owned(), words));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{csv, further};
    use serde_json::json;

    /// By hand: a figure is two columns, a list is named by its members, and a column that the first row lacks stands where the
    /// second row has it.
    #[test]
    fn every_number_is_a_column() {
        let body = json!({"cells": [
            {"cell": "a", "parameters": {"x.y": 1.5}, "size": null, "power": {"value": 0.5, "mcse": 0.1},
             "reached": [{"by": "2026-03-31", "families": {"value": 3.0, "mcse": null}}], "priors": []},
            {"cell": "b, c", "size": {"value": 0.05, "mcse": 0.01}, "power": {"value": null, "mcse": null},
             "looks": {"looks": [{"lock": "one", "held": {"value": 1, "mcse": 0}}], "months": 2}, "priors": ["k", "l"]},
        ]});
        let text = csv(&body).unwrap();
        assert_eq!(
            text,
            "cell,size,size_mcse,parameters.x.y,power,power_mcse,looks.one.held,looks.one.held_mcse,looks.months,reached.2026-03-31.families,reached.2026-03-31.families_mcse,priors\n\
             a,,,1.5,0.5,0.1,,,,3.0,,\n\
             \"b, c\",0.05,0.01,,,,1,0,2,,,k l\n"
        );
    }

    /// By hand: a scenario with two analyses and an alternative; what it has more stands in its rows, each with its own power.
    #[test]
    fn what_an_alternative_has_more_stands_in_its_rows() {
        let body = json!({
            "cells": [
                {"cell": "base", "analysis": "one", "looks": {"looks": [{"lock": "l", "held": {"value": 1.0, "mcse": 0.0}}]}},
                {"cell": "base", "analysis": "two"},
                {"cell": "m=2", "analysis": "one", "alternative": "m=2"},
                {"cell": "m=2", "analysis": "two", "alternative": "m=2"},
            ],
            "alternatives": [{"alternative": "m=2", "compared_with": "base", "differences": {
                "families": {"value": 4.0, "mcse": 0.5},
                "power": [
                    {"analysis": "one", "value": 0.0, "mcse": 0.0, "lower": -0.1, "upper": 0.1},
                    {"analysis": "two", "value": 0.2, "mcse": 0.1},
                ],
            }}],
        });
        let (names, values) = further(&body);
        assert_eq!(
            names.join(","),
            "alternative,compared_with,differences.families,differences.families_mcse,differences.power,differences.power_mcse,\
             differences.power_lower,differences.power_upper,looks.l.held,looks.l.held_mcse"
        );
        let rows: Vec<String> = values.iter().map(|row| row.join(",")).collect();
        assert_eq!(
            rows,
            [
                ",,,,,,,,1.0,0.0",
                ",,,,,,,,,",
                "m=2,base,4.0,0.5,0.0,0.0,-0.1,0.1,,",
                "m=2,base,4.0,0.5,0.2,0.1,,,,",
            ]
        );
        assert!(csv(&body).unwrap().starts_with("cell,analysis,"));
    }

    /// By hand: alternatives with fewer analyses than the scenario, and another one: each has what is its own, and only of what both have.
    #[test]
    fn an_alternative_with_other_analyses_has_its_own_rows() {
        let row = |cell: &str, analysis: &str| json!({"cell": cell, "analysis": analysis, "alternative": cell});
        let more = |name: &str, families: f64, two: serde_json::Value| {
            json!({"alternative": name, "compared_with": "base", "differences": {
                "families": {"value": families, "mcse": 0.5},
                "power": [{"analysis": "one", "value": null, "mcse": null}, {"analysis": "two", "value": two, "mcse": two}],
            }})
        };
        let body = json!({
            "cells": [
                {"cell": "base", "analysis": "one"}, {"cell": "base", "analysis": "two"},
                row("b", "two"), row("c", "three"),
            ],
            "alternatives": [more("b", 1.0, json!(0.5)), more("c", 2.0, serde_json::Value::Null)],
        });
        let (_, values) = further(&body);
        let rows: Vec<String> = values.iter().map(|row| row.join(",")).collect();
        assert_eq!(
            rows,
            [
                ",,,,,",
                ",,,,,",
                "b,base,1.0,0.5,0.5,0.5",
                "c,base,2.0,0.5,,"
            ]
        );
    }

    /// By hand: two treated arms in each of two cells, and an alternative of both; every row has what is its own arm's.
    #[test]
    fn an_arm_has_what_its_own_alternative_has_more() {
        let power = |home: f64, brief: f64| {
            let figure = |arm: &str, value: f64| json!({"analysis": "one", "arm": arm, "value": value, "mcse": 0.1});
            json!([figure("home", home), figure("brief", brief)])
        };
        let row = |cell: &str, arm: &str, alternative: Option<&str>| {
            let mut row = json!({"cell": cell, "analysis": "one", "arm": arm});
            if let Some(name) = alternative {
                row["alternative"] = json!(name);
            }
            row
        };
        let mut cells = Vec::new();
        for base in ["a", "b"] {
            for (cell, alternative) in [(base, None), ("m=2", Some("m=2")), ("m=3", Some("m=3"))] {
                cells.extend(["home", "brief"].map(|arm| row(cell, arm, alternative)));
            }
        }
        let alternative = |name: &str, base: &str, families: f64, home: f64, brief: f64| {
            json!({"alternative": name, "compared_with": base, "differences": {
                "families": {"value": families, "mcse": 0.5}, "power": power(home, brief),
            }})
        };
        let body = json!({"cells": cells, "alternatives": [
            alternative("m=2", "a", 1.0, 0.1, 0.2),
            alternative("m=3", "a", 2.0, 0.3, 0.4),
            alternative("m=2", "b", 3.0, 0.5, 0.6),
            alternative("m=3", "b", 4.0, 0.7, 0.8),
        ]});
        let (names, values) = further(&body);
        assert_eq!(
            names.join(","),
            "arm,alternative,compared_with,differences.families,differences.families_mcse,differences.power,\
             differences.power_mcse"
        );
        let rows: Vec<String> = values.iter().map(|row| row.join(",")).collect();
        assert_eq!(
            rows,
            [
                "home,,,,,,",
                "brief,,,,,,",
                "home,m=2,a,1.0,0.5,0.1,0.1",
                "brief,m=2,a,1.0,0.5,0.2,0.1",
                "home,m=3,a,2.0,0.5,0.3,0.1",
                "brief,m=3,a,2.0,0.5,0.4,0.1",
                "home,,,,,,",
                "brief,,,,,,",
                "home,m=2,b,3.0,0.5,0.5,0.1",
                "brief,m=2,b,3.0,0.5,0.6,0.1",
                "home,m=3,b,4.0,0.5,0.7,0.1",
                "brief,m=3,b,4.0,0.5,0.8,0.1",
            ]
        );
    }
}
