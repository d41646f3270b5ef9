//! Nothing below `app` and `store` touches files, network, environment, clock or entropy; nothing prints by macro.

use crate::sources::{Source, line, sources};

/// Calls that only `app` and `store` may make, and what to do instead.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread::sleep",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "SystemTime",
    "Instant::now",
    "Zoned::now",
    "Timestamp::now",
    "TimeZone::system",
    "SysRng",
    "OsRng",
    "ThreadRng",
    "thread_rng",
    "rand::rng",
    "rand::random",
    "getrandom",
    "SVGBackend::new",
    "BitMapBackend",
];

/// What the command line leaves to `app`.
const FILES_AND_NETWORK: &[&str] = &[
    "std::fs",
    "std::net",
    "SysRng",
    "Timestamp::now",
    "Zoned::now",
];

const PRINTS: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!"];

pub(crate) fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        // A group `std::{fs, io}` is written out, so that each of its names is seen.
        let code = ungrouped(&source.shipped());
        let forbidden = match source.room() {
            Some("app" | "store") | None => &[],
            Some("cli" | "web") => FILES_AND_NETWORK,
            Some(_) => OUTSIDE,
        };
        for call in forbidden.iter().chain(PRINTS) {
            for (at, _) in code.match_indices(call) {
                let end = code[at + call.len()..].chars().next();
                let start = code[..at].chars().next_back();
                let whole = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
                if whole(start) && (whole(end) || call.ends_with('!')) {
                    findings.push(format!(
                        "{}:{}: `{call}` belongs to `app` or `store` (or to a writer of `cli`)",
                        source.path,
                        line(&code, at)
                    ));
                }
            }
        }
    }
    findings
}

/// `std::{fs, io::{self, Read}}` also as `std::fs`, `std::io`: one level is enough for the names that count.
fn ungrouped(code: &str) -> String {
    let mut out = code.to_owned();
    for prefix in ["std::{", "rand::{", "std::io::{"] {
        let mut from = 0;
        while let Some(found) = out[from..].find(prefix) {
            let at = from + found;
            let open = at + prefix.len();
            let close = matching(&out, open);
            let head = &prefix[..prefix.len() - 1];
            let mut written = String::new();
            for name in out[open..close].split(',') {
                let name: String = name.split_whitespace().collect();
                written.push_str(&[head, name.as_str(), " "].concat());
            }
            out.replace_range(at..close, &written);
            from = at + written.len();
        }
    }
    out
}

/// The brace that closes the group whose inside begins at a byte.
fn matching(code: &str, open: usize) -> usize {
    let mut depth = 1;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at;
        }
    }
    code.len()
}

#[test]
fn the_rooms_below_are_pure() {
    let found = findings(&sources("src"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn forbidden_calls_are_found() {
    for (path, text) in [
        ("src/study/mod.rs", "use std::fs;"),
        ("src/study/mod.rs", "use std::{collections::BTreeMap, fs};"),
        ("src/planning/mod.rs", "let t = Instant::now();"),
        ("src/protocol/mod.rs", "let t = jiff::Timestamp::now();"),
        ("src/allocation/seed.rs", "rand::rngs::SysRng.fill()"),
        ("src/report/figure.rs", "SVGBackend::new(path, (1, 1))"),
        ("src/table/mod.rs", "std::env::var(\"X\")"),
        ("src/cli/open.rs", "std::fs::write(path, bytes)"),
        ("src/app/open.rs", "println!(\"done\")"),
    ] {
        let found = findings(&[Source::new(path, text)]);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
    }
    for (path, text) in [
        (
            "src/app/outside.rs",
            "use std::fs; let t = Timestamp::now();",
        ),
        ("src/cli/mod.rs", "std::env::args_os()"),
        (
            "src/study/mod.rs",
            "// std::fs\nlet s = \"std::fs\"; let x = std::fsx;",
        ),
        (
            "src/study/mod.rs",
            "#[cfg(test)]\nmod tests { use std::fs; }",
        ),
    ] {
        let found = findings(&[Source::new(path, text)]);
        assert!(found.is_empty(), "{path}: {found:?}");
    }
}
