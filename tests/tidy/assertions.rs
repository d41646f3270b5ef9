//! Every test asserts something: itself, or through a function of the tests that does.

use std::collections::BTreeSet;

use crate::sources::{Source, item_end, line, sources};

/// Functions by name and body.
fn functions(code: &str) -> Vec<(String, usize, String)> {
    code.match_indices("fn ")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .map(|(at, _)| {
            let name: String = code[at + 3..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            (name, at, code[at..item_end(code, at)].to_owned())
        })
        .filter(|(name, ..)| !name.is_empty())
        .collect()
}

pub(crate) fn findings(sources: &[Source]) -> Vec<String> {
    let codes: Vec<(&str, String)> = sources
        .iter()
        .map(|source| (source.path.as_str(), source.code()))
        .collect();
    let all: Vec<(String, usize, String)> =
        codes.iter().flat_map(|(_, code)| functions(code)).collect();
    // Functions that assert, then those that call them, until nothing is added.
    let mut asserting: BTreeSet<&str> = all
        .iter()
        .filter(|(_, _, body)| body.contains("assert"))
        .map(|(name, ..)| name.as_str())
        .collect();
    loop {
        let before = asserting.len();
        for (name, _, body) in &all {
            if calls(body, &asserting) {
                asserting.insert(name);
            }
        }
        if asserting.len() == before {
            break;
        }
    }
    let mut findings = Vec::new();
    for (path, code) in &codes {
        for (name, at, body) in functions(code) {
            let head = code[..at].trim_end();
            let attributes = head.rfind(['}', ';']).map_or(head, |end| &head[end..]);
            if !attributes.contains("#[test]") || attributes.contains("should_panic") {
                continue;
            }
            if !body.contains("assert") && !calls(&body, &asserting) {
                findings.push(format!(
                    "{path}:{}: `{name}` asserts nothing",
                    line(code, at)
                ));
            }
        }
    }
    findings
}

/// Whether a body calls one of the functions.
fn calls(body: &str, names: &BTreeSet<&str>) -> bool {
    let inside = body.split_once('{').map_or("", |(_, inside)| inside);
    inside.match_indices('(').any(|(at, _)| {
        let head = &inside[..at];
        let start = head
            .rfind(|c: char| !c.is_alphanumeric() && c != '_')
            .map_or(0, |i| {
                i + head[i..].chars().next().map_or(1, char::len_utf8)
            });
        names.contains(&head[start..])
    })
}

#[test]
fn each_test_asserts() {
    let mut all = sources("tests");
    all.extend(sources("src"));
    let found = findings(&all);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn empty_tests_are_found() {
    let bad = "#[test]\nfn a() { let x = 1; }\n#[test]\nfn b() { run(); }\nfn run() { work() }";
    assert_eq!(findings(&[Source::new("tests/x.rs", bad)]).len(), 2);
    let good = "#[test]\nfn a() { assert!(true); }\n#[test]\nfn b() { same(1) }\nfn same(x: u8) { deep(x) }\n\
                fn deep(x: u8) { assert_eq!(x, 1) }\n#[test]\n#[should_panic]\nfn c() { f() }";
    assert_eq!(findings(&[Source::new("tests/x.rs", good)]), [""; 0]);
}
