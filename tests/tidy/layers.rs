//! Imports go down the table of layers only; none is a glob.

use crate::sources::{Source, line, sources};

/// Rooms and their layer. `diagnostic` lies under `numerics`, whose errors speak two languages too.
const LAYERS: &[(&str, u8)] = &[
    ("diagnostic", 0),
    ("numerics", 1),
    ("table", 2),
    ("allocation", 2),
    ("estimation", 2),
    ("protocol", 3),
    ("study", 4),
    ("analysis", 5),
    ("planning", 6),
    ("report", 7),
    ("app", 8),
    ("cli", 9),
    ("web", 9),
];

/// Why `from` may not import `to`, if it may not.
fn refusal(from: &str, to: &str) -> Option<String> {
    let layer = |room: &str| LAYERS.iter().find(|(name, _)| *name == room).map(|l| l.1);
    let study = layer("study");
    let allowed = if from == to {
        true
    } else if to == "store" {
        from == "app"
    } else if from == "store" {
        layer(to) <= study && layer(to).is_some()
    } else {
        match (layer(from), layer(to)) {
            (Some(from), Some(to)) => to < from,
            _ => return Some(format!("`{from}` or `{to}` is not in the table of layers")),
        }
    };
    (!allowed).then(|| format!("`{from}` may not import `{to}`"))
}

pub(crate) fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let all = source.code();
        for (at, _) in all.match_indices("::*") {
            findings.push(format!("{}:{}: glob import", source.path, line(&all, at)));
        }
        let Some(room) = source.room() else {
            continue;
        };
        if source.is_test() {
            continue;
        }
        let code = source.shipped();
        for (at, _) in code.match_indices("crate::") {
            if code[..at].ends_with('$') {
                continue;
            }
            for name in names(&code[at + "crate::".len()..]) {
                // Macros stand at the root; the only one is `words!`, which belongs to `diagnostic`.
                let to = if name == "words" { "diagnostic" } else { &name };
                if let Some(why) = refusal(room, to) {
                    findings.push(format!("{}:{}: {why}", source.path, line(&code, at)));
                }
            }
        }
        let depth = depth(&source.path);
        for (at, _) in code.match_indices("super::") {
            let chain = code[at..]
                .split("::")
                .take_while(|part| *part == "super")
                .count();
            let starts = !code[..at].ends_with("::");
            if starts && chain >= depth {
                findings.push(format!(
                    "{}:{}: `super` leaves the room; write `crate::`",
                    source.path,
                    line(&code, at)
                ));
            }
        }
    }
    findings
}

/// The first names after `crate::`, one, or those of a group.
fn names(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![word(rest)];
    };
    let (mut depth, mut start, mut names) = (0usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(word(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(word(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// How many modules deep a file is: 1 for the root of a room.
fn depth(path: &str) -> usize {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    let parts = inside.split('/').count();
    if inside.ends_with("/mod") {
        parts - 1
    } else {
        parts
    }
}

#[test]
fn imports_go_down() {
    let found = findings(&sources("src"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_glob_in_tests_examples_and_benches() {
    let found: Vec<String> = ["tests", "examples", "benches"]
        .iter()
        .flat_map(|folder| findings(&sources(folder)))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_room_is_in_the_table() {
    for source in sources("src") {
        if let Some(room) = source.room() {
            let known = room == "store" || LAYERS.iter().any(|(name, _)| *name == room);
            assert!(known, "{room} is not in the table of layers");
        }
    }
}

#[test]
fn upward_imports_are_found() {
    for (path, text) in [
        ("src/study/kernel.rs", "use crate::app::Failure;"),
        ("src/allocation/mod.rs", "use crate::estimation::Columns;"),
        (
            "src/protocol/mod.rs",
            "use crate::{numerics::f, study::Ledger};",
        ),
        ("src/report/mod.rs", "fn f() { crate::store::open() }"),
        ("src/store/mod.rs", "use crate::planning::Scenario;"),
        ("src/table/mod.rs", "use super::app::Outside;"),
        ("src/table/column.rs", "use super::super::app::Outside;"),
        ("src/numerics/mod.rs", "use crate::diagnostic::*;"),
        ("src/newroom/mod.rs", "use crate::numerics::f;"),
    ] {
        let found = findings(&[Source::new(path, text)]);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
    }
    for (path, text) in [
        (
            "src/app/enrol.rs",
            "use crate::store::Sqlite; use super::exit;",
        ),
        ("src/store/mod.rs", "use crate::{study::Ledger, words};"),
        (
            "src/table/column.rs",
            "// crate::app\nuse super::dialect::Decimal;",
        ),
        (
            "src/table/mod.rs",
            "#[cfg(test)]\nmod tests { use crate::app::Outside; }",
        ),
    ] {
        let found = findings(&[Source::new(path, text)]);
        assert!(found.is_empty(), "{path}: {found:?}");
    }
}
