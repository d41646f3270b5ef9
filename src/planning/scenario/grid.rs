//! `[grid]`: what is varied from cell to cell, and the cells that follow from it.
//!
//! `full` crosses its keys, `zip` lets keys go together, and `when` adds keys to the cells in which others have stated
//! values, or leaves such cells out. A cell is known by what is set in it, in an order of its own and not of the file, so
//! that a grid that grows keeps the names of the cells that it had.

use super::Shared;
use super::edit::Setting;
use crate::diagnostic::{Diagnostic, Place};
use crate::planning::mechanisms::or_default;
use crate::protocol::findings::{Findings, suggestion};
use crate::protocol::tree::{Section, Value as Read};
use crate::words;
use std::ops::Range;
use toml::{Table, Value};

/// Keys of `[grid]`.
pub(super) const GRID: &[&str] = &["full", "zip", "when", "common_random_numbers"];
/// Keys of a `[[grid.when]]`.
pub(super) const WHEN: &[&str] = &["is", "full", "zip", "leave_out"];

/// Most cells of a grid.
pub(super) const MOST_CELLS: usize = 10_000;

/// A key and the value that a cell gives it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) key: String,
    pub(super) value: Value,
    /// Where the value stands in the file.
    pub(super) span: Range<usize>,
}

/// Keys that are varied together: one of `full`, several of `zip`; a row is one value for each.
#[derive(Debug, Clone)]
struct Axis {
    rows: Vec<Vec<Parameter>>,
}

/// What is done in cells in which keys have stated values.
#[derive(Debug, Clone)]
struct When {
    is: Vec<(String, Vec<Value>)>,
    axes: Vec<Axis>,
    leave_out: bool,
    /// Where the condition stands.
    span: Range<usize>,
}

/// What a file varies.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    axes: Vec<Axis>,
    when: Vec<When>,
    /// Each varied key, as a full path, and where it stands.
    pub(super) keys: Vec<(String, Range<usize>)>,
    /// Keys of conditions, and where they stand.
    conditions: Vec<(String, Range<usize>)>,
}

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

/// Whether two values say the same: 1 and 1.0 do.
fn same(a: &Value, b: &Value) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => a == b,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(whole) => Some(*whole as f64),
        Value::Float(float) => Some(*float + 0.0),
        _ => None,
    }
}

/// Keeps the first of rows that say the same.
fn once(rows: &mut Vec<Vec<Parameter>>) {
    let alike = |a: &[Parameter], b: &[Parameter]| {
        let mut pairs = a.iter().zip(b);
        a.len() == b.len() && pairs.all(|(a, b)| a.key == b.key && same(&a.value, &b.value))
    };
    let mut kept: Vec<Vec<Parameter>> = Vec::with_capacity(rows.len());
    for row in rows.drain(..) {
        if !kept.iter().any(|own| alike(own, &row)) {
            kept.push(row);
        }
    }
    *rows = kept;
}

/// The name of a cell: what is set in it, in the order of the keys' names, each number in its shortest form.
pub(super) fn name(parameters: &[Parameter]) -> String {
    if parameters.is_empty() {
        return "base".to_owned();
    }
    let mut parts: Vec<String> = parameters
        .iter()
        .map(|own| {
            let key = &own.key;
            match (&own.value, number(&own.value)) {
                (Value::Integer(whole), _) => format!("{key}={whole}"),
                (_, Some(float)) => format!("{key}={float}"),
                (Value::String(text), _) => format!("{key}={text}"),
                (value, _) => format!("{key}={value}"),
            }
        })
        .collect();
    parts.sort_unstable();
    parts.join(",")
}

impl Grid {
    /// Without the keys that somebody has set. Rows of a `zip` that differed in these alone are one row then.
    pub(super) fn without(mut self, set: &[Setting]) -> Self {
        let is_set = |key: &str| set.iter().any(|setting| setting.covers(key));
        let thin = |axes: &mut Vec<Axis>| {
            for axis in axes.iter_mut() {
                let mut lost = false;
                for row in &mut axis.rows {
                    let had = row.len();
                    row.retain(|own| !is_set(&own.key));
                    lost |= row.len() < had;
                }
                if lost {
                    once(&mut axis.rows);
                }
            }
            axes.retain(|axis| axis.rows.iter().any(|row| !row.is_empty()));
        };
        thin(&mut self.axes);
        for when in &mut self.when {
            let had = !when.axes.is_empty();
            thin(&mut when.axes);
            // A condition of which nothing is left does nothing; it leaves no cell out.
            if had && when.axes.is_empty() {
                when.is.clear();
            }
        }
        self.when
            .retain(|when| !when.axes.is_empty() || (when.leave_out && !when.is.is_empty()));
        self.keys.retain(|(key, _)| !is_set(key));
        self
    }

    /// Every cell, the last key running fastest, and a finding for each condition that holds in none of them; `None` for more
    /// than [`MOST_CELLS`]. `held` gives the value that a path has without the grid.
    pub(super) fn cells(
        &self,
        held: &dyn Fn(&str) -> Option<Value>,
    ) -> Option<(Vec<Vec<Parameter>>, Vec<Diagnostic>)> {
        let mut cells = crossed(vec![Vec::new()], &self.axes)?;
        let mut idle = Vec::new();
        for when in &self.when {
            if !cells.iter().any(|cell| when.holds(cell, held)) {
                idle.push(never_holds(when, &cells, held));
            }
            let mut next = Vec::with_capacity(cells.len());
            for cell in cells {
                if !when.holds(&cell, held) {
                    next.push(cell);
                } else if !when.leave_out {
                    // A key that an earlier condition has varied in this cell is varied already.
                    let fresh: Vec<Axis> = when
                        .axes
                        .iter()
                        .filter(|axis| {
                            let own = axis.rows.iter().flatten();
                            let mut keys = own.map(|own| &own.key);
                            !keys.any(|key| cell.iter().any(|known| known.key == *key))
                        })
                        .cloned()
                        .collect();
                    next.extend(crossed(vec![cell], &fresh)?);
                }
                if next.len() > MOST_CELLS {
                    return None;
                }
            }
            cells = next;
        }
        Some((cells, idle))
    }

    /// Conditions on keys that nothing has, with the nearest name.
    pub(super) fn unknown_conditions(
        &self,
        held: &dyn Fn(&str) -> Option<Value>,
    ) -> Vec<Diagnostic> {
        let known: Vec<&str> = self.keys.iter().map(|(key, _)| key.as_str()).collect();
        self.conditions
            .iter()
            .filter(|(key, _)| !known.contains(&key.as_str()) && held(key).is_none())
            .map(|(key, span)| {
                Diagnostic::error(
                    "unknown-key",
                    words!(
                        "no cell has a value of `{key}`",
                        "ingen cell har något värde på `{key}`"
                    ),
                )
                .at(Place::span(span.clone()))
                .help(suggestion(key, &known))
            })
            .collect()
    }
}

impl When {
    /// Whether it holds in a cell.
    fn holds(&self, cell: &[Parameter], held: &dyn Fn(&str) -> Option<Value>) -> bool {
        self.is.iter().all(|(key, values)| {
            let value = value_in(cell, key, held);
            value.is_some_and(|value| values.iter().any(|one| same(one, &value)))
        })
    }
}

fn value_in(cell: &[Parameter], key: &str, held: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    let own = cell.iter().find(|own| own.key == key);
    own.map_or_else(|| held(key), |own| Some(own.value.clone()))
}

/// A condition that holds in no cell: what its keys have there instead.
fn never_holds(
    when: &When,
    cells: &[Vec<Parameter>],
    held: &dyn Fn(&str) -> Option<Value>,
) -> Diagnostic {
    let mut there: Vec<String> = Vec::new();
    for (key, _) in &when.is {
        let mut values: Vec<String> = Vec::new();
        for value in cells.iter().filter_map(|cell| value_in(cell, key, held)) {
            let text = value.to_string();
            if !values.contains(&text) {
                values.push(text);
            }
        }
        let values = values.join(", ");
        there.push(format!("{key} = {values}"));
    }
    let there = there.join("; ");
    Diagnostic::error(
        "condition-never-holds",
        words!(
            "this condition holds in no cell, so that it does nothing",
            "villkoret gäller inte i någon cell, så det gör ingenting"
        ),
    )
    .at(Place::span(when.span.clone()))
    .help(words!("in the cells: {there}", "i cellerna: {there}"))
}

fn crossed(mut cells: Vec<Vec<Parameter>>, axes: &[Axis]) -> Option<Vec<Vec<Parameter>>> {
    for axis in axes {
        if cells.len().checked_mul(axis.rows.len())? > MOST_CELLS {
            return None;
        }
        cells = cells
            .iter()
            .flat_map(|cell| {
                axis.rows.iter().map(move |row| {
                    let mut cell = cell.clone();
                    cell.extend(row.iter().cloned());
                    cell
                })
            })
            .collect();
    }
    Some(cells)
}

#[cfg(test)]
mod tests {
    use super::{Grid, Parameter, Setting, name, read};
    use crate::protocol::findings::Findings;
    use crate::protocol::tree::Section;
    use toml::Value;
    use toml::de::DeTable;

    fn grid(text: &str) -> (Grid, Vec<&'static str>) {
        let (tree, _) = DeTable::parse_recoverable(text);
        let mut out = Findings::new(text);
        let root = Section::root(&mut out, tree.get_ref(), &["grid"]);
        let (grid, _) = read(&mut out, &root);
        let codes = out.into_sorted().into_iter().map(|finding| finding.code);
        (grid, codes.collect())
    }

    fn names(text: &str) -> Vec<String> {
        let (grid, codes) = grid(text);
        assert_eq!(codes, Vec::<&str>::new());
        let held = |key: &str| (key == "b").then_some(Value::Integer(7));
        let (cells, idle) = grid.cells(&held).unwrap();
        assert_eq!(idle, []);
        cells.iter().map(|cell| name(cell)).collect()
    }

    #[test]
    fn full_crosses_and_zip_goes_together() {
        let text = "[grid]\nfull = { a = [1.0, 2.5] }\nzip = { c = [1, 2], d = [3, 4] }\n";
        assert_eq!(
            names(text),
            [
                "a=1,c=1,d=3",
                "a=1,c=2,d=4",
                "a=2.5,c=1,d=3",
                "a=2.5,c=2,d=4"
            ]
        );
        // Several groups are crossed with each other.
        let text = "[grid]\nzip = [{ c = [1, 2], d = [3, 4] }, { a = [5, 6] }]\n";
        assert_eq!(names(text).len(), 4);
    }

    #[test]
    fn conditions_add_keys_or_leave_cells_out() {
        let text = "[grid]\nfull = { a = [1, 2, 3] }\n[[grid.when]]\nis = { a = 1.0 }\nfull = { c = [4, 5] }\n\
                    [[grid.when]]\nis = { a = [2], b = 7 }\nleave_out = true\n";
        assert_eq!(names(text), ["a=1,c=4", "a=1,c=5", "a=3"]);
        // What an earlier condition varied can be a condition.
        let text = "[grid]\nfull = { a = [1, 2] }\n[[grid.when]]\nis = { a = 1 }\nfull = { c = [4, 5] }\n\
                    [[grid.when]]\nis = { c = 5 }\nzip = { d = [8, 9], e = [1, 2] }\n";
        assert_eq!(
            names(text),
            ["a=1,c=4", "a=1,c=5,d=8,e=1", "a=1,c=5,d=9,e=2", "a=2"]
        );
    }

    /// A condition that names a value that no cell has does nothing, which is hardly what was meant.
    #[test]
    fn a_condition_that_never_holds_is_said() {
        let text = "[grid]\nfull = { a = [1, 2] }\n[[grid.when]]\nis = { a = 3, b = 7 }\nleave_out = true\n";
        let (grid, codes) = grid(text);
        assert_eq!(codes, Vec::<&str>::new());
        let (cells, idle) = grid.cells(&|_| Some(Value::Integer(7))).unwrap();
        assert_eq!((cells.len(), idle.len()), (2, 1));
        assert_eq!(idle[0].code, "condition-never-holds");
        assert_eq!(
            idle[0].help.as_ref().unwrap().en,
            "in the cells: a = 1, 2; b = 7"
        );
    }

    /// By hand: of three rows two differ in `c` alone; with `c` set they are one, and with `d` set too nothing is left to vary.
    #[test]
    fn rows_that_a_setting_makes_equal_are_one() {
        let text = "[grid]\nzip = { d = [3, 4, 3.0], c = [1, 2, 5] }\n";
        let left = |keys: &[&str]| {
            let set: Vec<Setting> = keys
                .iter()
                .map(|key| Setting::new(key, Value::Integer(9)))
                .collect();
            let (cells, _) = grid(text).0.without(&set).cells(&|_| None).unwrap();
            cells.iter().map(|cell| name(cell)).collect::<Vec<_>>()
        };
        assert_eq!(left(&["c"]), ["d=3", "d=4"]);
        assert_eq!(left(&["c", "d"]), ["base"]);
        assert_eq!(left(&[]).len(), 3);
    }

    /// A cell keeps its name when keys change places and values join.
    #[test]
    fn names_are_of_the_content() {
        let one = names("[grid]\nfull = { z = [1.0], a = [1, 2] }\n");
        let other = names("[grid]\nfull = { a = [1, 2, 3], z = [1, 1.5] }\n");
        assert!(
            one.iter().all(|name| other.contains(name)),
            "{one:?} {other:?}"
        );
        assert!(names("").iter().all(|name| name == "base"));
    }

    #[test]
    fn what_does_not_fit_together_is_said_at_once() {
        let text = "[grid]\nfull = { a = [1], b = [] }\nzip = { a = [1], c = [1, 2], d = [1] }\n\
                    [[grid.when]]\nis = { a = 1 }\n[[grid.when]]\nis = { a = 1 }\nleave_out = true\nfull = { e = [1] }\n";
        let (_, codes) = grid(text);
        assert_eq!(
            codes,
            ["too-few", "varied-twice", "missing-key", "not-applicable"]
        );
        assert_eq!(
            grid("[grid]\nzip = { c = [1, 2], d = [1] }\n").1,
            ["lists-differ"]
        );
    }

    #[test]
    fn a_grid_without_an_end_is_refused_before_it_is_made() {
        let list = (0..101)
            .map(|k| k.to_string())
            .collect::<Vec<_>>()
            .join(",");
        let (grid, _) = grid(&format!(
            "[grid]\nfull = {{ a = [{list}], b = [{list}] }}\n"
        ));
        assert!(grid.cells(&|_| None).is_none());
        let one = Parameter {
            key: "k".to_owned(),
            value: Value::Float(-0.0),
            span: 0..0,
        };
        assert_eq!(name(&[one]), "k=0");
    }
}
