//! `[grid]`: what is varied from cell to cell, and the cells that follow from it.
//!
//! `full` crosses its keys, `zip` lets keys go together, and `when` adds keys to the cells in which others have stated
//! values, or leaves such cells out. A cell is known by what is set in it, in an order of its own and not of the file, so
//! that a grid that grows keeps the names of the cells that it had.

use super::edit::Setting;
use crate::diagnostic::{Diagnostic, Place};
use crate::protocol::findings::suggestion;
use crate::words;
use std::ops::Range;
use toml::Value;

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
pub(super) struct Axis {
    pub(super) rows: Vec<Vec<Parameter>>,
}

/// What is done in cells in which keys have stated values.
#[derive(Debug, Clone)]
pub(super) struct When {
    pub(super) is: Vec<(String, Vec<Value>)>,
    pub(super) axes: Vec<Axis>,
    pub(super) leave_out: bool,
    /// Where the condition stands.
    pub(super) span: Range<usize>,
}

/// What a file varies.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    pub(super) axes: Vec<Axis>,
    pub(super) when: Vec<When>,
    /// Each varied key, as a full path, and where it stands.
    pub(super) keys: Vec<(String, Range<usize>)>,
    /// Keys of conditions, and where they stand.
    pub(super) conditions: Vec<(String, Range<usize>)>,
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
    use super::{Grid, Parameter, Setting, name};
    use crate::planning::scenario::axes::read;
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
