//! Reads `[grid]`: its axes, and the conditions under which others join them. The cells that follow are `grid`'s.

use super::Shared;
use super::edit::Setting;
use super::grid::{Axis, Grid, Parameter, When};
use crate::planning::mechanisms::or_default;
use crate::protocol::findings::Findings;
use crate::protocol::tree::{Section, Value as Read};
use crate::words;
use std::ops::Range;
use toml::{Table, Value};

/// Keys of `[grid]`.
pub(super) const GRID: &[&str] = &["full", "zip", "when", "common_random_numbers"];
/// Keys of a `[[grid.when]]`.
pub(super) const WHEN: &[&str] = &["is", "full", "zip", "leave_out"];

/// Reads the section and what cells share.
pub(super) fn read(out: &mut Findings<'_>, root: &Section<'_>) -> (Grid, Option<Shared>) {
    let mut grid = Grid::default();
    let Some(section) = root.section(out, "grid", GRID) else {
        return (grid, Some(Shared::Families));
    };
    let shared = or_default(
        out,
        &section,
        "common_random_numbers",
        Shared::Families,
        |out, value| {
            value.one_of(
                out,
                &[("families", Shared::Families), ("none", Shared::Nothing)],
            )
        },
    );
    grid.axes = axes(out, &section, &mut grid.keys);
    let outer = grid.keys.clone();
    if let Some(value) = section.get("when")
        && let Some(items) = value.items_or_one(out)
    {
        for (place, mut item) in items.into_iter().enumerate() {
            item.key = format!("[[grid.when]] {}", place + 1);
            if let Some(section) = item.section(out, WHEN) {
                // Conditions may name different values of one key, so their own keys may come again.
                let mut keys = outer.clone();
                let when = when(out, &section, &mut keys, &mut grid.conditions);
                grid.when.push(when);
                for key in keys.split_off(outer.len()) {
                    if grid.keys.iter().all(|known| known.0 != key.0) {
                        grid.keys.push(key);
                    }
                }
            }
        }
    }
    (grid, shared)
}

fn when(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    keys: &mut Vec<(String, Range<usize>)>,
    conditions: &mut Vec<(String, Range<usize>)>,
) -> When {
    let mut is = Vec::new();
    let span = section.key_span("is");
    if let Some(value) = section.need(out, "is")
        && let Some(table) = value.open_section(out)
    {
        for (span, value) in table.entries() {
            let Some(items) = value.items_or_one(out) else {
                continue;
            };
            if value.need_items(out, &items) {
                let path = full_path(&value.key);
                conditions.push((path.clone(), span));
                is.push((path, items.iter().map(|item| plain(out, item)).collect()));
            }
        }
    }
    let leave_out = or_default(out, section, "leave_out", false, |out, value| {
        value.flag(out)
    });
    let axes = axes(out, section, keys);
    if leave_out == Some(axes.is_empty()) {
        return When {
            is,
            leave_out: axes.is_empty(),
            axes,
            span,
        };
    }
    if leave_out == Some(true) {
        section.refuse(
            out,
            &["full", "zip"],
            &words!(
                "a cell that is left out has nothing to vary",
                "en cell som utelämnas har inget att variera"
            ),
        );
    } else if ["full", "zip"].iter().all(|key| section.get(key).is_none()) {
        section.missing(out, "full");
    }
    When {
        is,
        axes,
        leave_out: false,
        span,
    }
}

/// `full` and `zip` of a section; keys that are new go to `keys`.
fn axes(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    keys: &mut Vec<(String, Range<usize>)>,
) -> Vec<Axis> {
    let mut axes = Vec::new();
    if let Some(value) = section.get("full")
        && let Some(table) = value.open_section(out)
    {
        for (span, value) in table.entries() {
            if let Some(column) = column(out, &span, &value, keys) {
                let rows = column.into_iter().map(|one| vec![one]).collect();
                axes.push(Axis { rows });
            }
        }
    }
    if let Some(value) = section.get("zip")
        && let Some(groups) = value.items_or_one(out)
    {
        for group in groups {
            let Some(table) = group.open_section(out) else {
                continue;
            };
            axes.extend(zipped(out, &table, keys));
        }
    }
    axes
}

fn zipped(
    out: &mut Findings<'_>,
    table: &Section<'_>,
    keys: &mut Vec<(String, Range<usize>)>,
) -> Option<Axis> {
    let mut rows: Vec<Vec<Parameter>> = Vec::new();
    let mut first: Option<String> = None;
    for (span, value) in table.entries() {
        let column = column(out, &span, &value, keys)?;
        let Some(first) = &first else {
            first = Some(value.key.clone());
            rows = column.into_iter().map(|one| vec![one]).collect();
            continue;
        };
        if column.len() != rows.len() {
            let (own, wanted, key) = (column.len(), rows.len(), &value.key);
            out.error(
                "lists-differ",
                &value.span,
                words!(
                    "`{key}` has {own} values and `{first}` has {wanted}, and they go together",
                    "`{key}` har {own} värden och `{first}` har {wanted}, och de följs åt"
                ),
                words!(
                    "give the keys of a `zip` lists of the same length; `full` crosses lists of any",
                    "ge nycklarna i `zip` lika långa listor; `full` korsar listor av alla längder"
                ),
            );
            return None;
        }
        for (row, one) in rows.iter_mut().zip(column) {
            row.push(one);
        }
    }
    (!rows.is_empty()).then_some(Axis { rows })
}

/// The values of a key that is varied nowhere else.
fn column(
    out: &mut Findings<'_>,
    span: &Range<usize>,
    value: &Read<'_>,
    keys: &mut Vec<(String, Range<usize>)>,
) -> Option<Vec<Parameter>> {
    let items = value.items(out)?;
    if !value.need_items(out, &items) {
        return None;
    }
    let path = full_path(&value.key);
    if keys.iter().any(|(known, _)| *known == path) {
        varied_twice(out, span, &path);
        return None;
    }
    keys.push((path.clone(), span.clone()));
    let column = items.iter().map(|item| Parameter {
        key: path.clone(),
        value: plain(out, item),
        span: item.span.clone(),
    });
    Some(column.collect())
}

/// A key that the file varies in two places.
pub(super) fn varied_twice(out: &mut Findings<'_>, span: &Range<usize>, path: &str) {
    out.error(
        "varied-twice",
        span,
        words!(
            "`{path}` is varied in two places",
            "`{path}` varieras på två ställen"
        ),
        words!(
            "a key has one place: in `full`, in `zip` or in a prior",
            "en nyckel har en plats: i `full`, i `zip` eller i en prior"
        ),
    );
}

fn full_path(key: &str) -> String {
    Setting::new(key, Value::Boolean(true)).path
}

/// A value as the file has it.
fn plain(out: &Findings<'_>, value: &Read<'_>) -> Value {
    let text = out.source.get(value.span.clone()).unwrap_or_default();
    let parsed = format!("x = {text}").parse::<Table>().ok();
    parsed
        .and_then(|mut table| table.remove("x"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}
