//! Files are short, named by a domain noun, and open by saying what they answer for.

use crate::sources::{Source, sources};

/// Lines of code: documentation and blank lines are not counted, so that nobody is tempted to explain less.
const LIMIT: usize = 500;

const NAMES: &[&str] = &[
    "utils", "util", "helpers", "helper", "common", "imp", "prelude", "misc",
];

pub(crate) fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let path = &source.path;
        for part in path.trim_end_matches(".rs").split('/') {
            if NAMES.contains(&part) {
                findings.push(format!("{path}: `{part}` is no domain noun"));
            }
        }
        let opening = source
            .text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .count();
        if opening == 0 {
            findings.push(format!("{path}: does not open with `//!`"));
        }
        if !source.is_test() {
            let lines = shipped_lines(source);
            if lines > LIMIT {
                findings.push(format!(
                    "{path}: {lines} lines of code without tests, at most {LIMIT}"
                ));
            }
        }
    }
    findings
}

/// Lines of the file that are not under `#[cfg(test)]`; by convention the tests are the end of a file.
fn shipped_lines(source: &Source) -> usize {
    let code = source.code_with_strings();
    let end = code.find("#[cfg(test)]\nmod ").unwrap_or(code.len());
    let lines = code[..end].lines();
    lines.filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn files_are_short_and_named() {
    let found = findings(&sources("src"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn long_files_and_bad_names_are_found() {
    let long = "//! Long.\n".to_owned() + &"fn f() {}\n".repeat(501);
    let tested =
        "//! Fine.\n#[cfg(test)]\nmod tests {\n".to_owned() + &"fn f() {}\n".repeat(501) + "}\n";
    for (path, text, count) in [
        ("src/study/mod.rs", long.as_str(), 1),
        ("src/study/mod.rs", tested.as_str(), 0),
        ("src/study/utils.rs", "//! A.\n", 1),
        ("src/common/mod.rs", "//! A.\n", 1),
        ("src/study/mod.rs", "fn f() {}\n", 1),
    ] {
        assert_eq!(findings(&[Source::new(path, text)]).len(), count, "{path}");
    }
}
