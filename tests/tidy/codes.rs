//! Every code that a message can carry has a page, and every page is about a code that exists.

use std::collections::BTreeSet;

use lottning::app::explain::pages;

use crate::sources::{Source, item_end, package, sources};

/// Calls whose first argument is a code, when it is a literal.
const FIRST: &[&str] = &[
    "Diagnostic::error(",
    "Diagnostic::warning(",
    "Warning::new(",
    ".error(",
    ".warning(",
    "self.push(",
    "unknown(",
    " state(",
    " data(",
];

/// Calls whose second argument is a code.
const SECOND: &[&str] = &["Failure::new(", "Failure::refused_file("];

/// The codes that occur in the shipped sources.
fn codes(sources: &[Source]) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let text = source.code_with_strings();
        let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
        let text = &text[..end];
        for call in FIRST {
            let arguments = text
                .match_indices(call)
                .map(|(at, _)| &text[at + call.len()..]);
            codes.extend(arguments.filter_map(literal));
        }
        for call in SECOND {
            let arguments = text
                .match_indices(call)
                .map(|(at, _)| &text[at + call.len()..]);
            let second = arguments.filter_map(|rest| rest.split_once(',').map(|(_, rest)| rest));
            codes.extend(second.filter_map(literal));
        }
        for (at, _) in text.match_indices("fn code(") {
            let body = &text[at..item_end(text, at)];
            codes.extend(
                body.split('"')
                    .skip(1)
                    .step_by(2)
                    .filter(|c| is_code(c))
                    .map(str::to_owned),
            );
        }
    }
    codes
}

/// The literal that a text begins with, if it can be a code.
fn literal(text: &str) -> Option<String> {
    let code = text.trim_start().strip_prefix('"')?.split('"').next()?;
    is_code(code).then(|| code.to_owned())
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[test]
fn each_code_has_a_page() {
    let pages: BTreeSet<String> = pages().map(|page| page.code.to_owned()).collect();
    let missing: Vec<String> = codes(&sources("src")).difference(&pages).cloned().collect();
    assert!(
        missing.is_empty(),
        "write src/app/pages/<code>.md and a line in src/app/codes.rs: {missing:?}"
    );
}

#[test]
fn each_page_is_about_a_code_that_occurs() {
    let text: String = sources("src")
        .iter()
        .map(|source| {
            let text = source.code_with_strings();
            // The registry itself does not count.
            let registry = |part: &str| part.split_once(']').map(|(_, rest)| rest.to_owned());
            let mut parts = text.split("pages![");
            let first = parts.next().unwrap_or_default().to_owned();
            first + &parts.filter_map(registry).collect::<String>()
        })
        .collect();
    let idle: Vec<&str> = pages()
        .map(|page| page.code)
        .filter(|code| !text.contains(&format!("\"{code}\"")))
        .collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn each_file_of_a_page_is_registered() {
    let known: BTreeSet<String> = pages().map(|page| format!("{}.md", page.code)).collect();
    let files = std::fs::read_dir(package().join("src/app/pages")).unwrap();
    let idle: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| !known.contains(name))
        .collect();
    assert!(
        idle.is_empty(),
        "a line in src/app/codes.rs is missing: {idle:?}"
    );
}

#[test]
fn codes_are_found_in_calls_and_in_matches() {
    let text = "fn f() { Diagnostic::error(\n    \"one\", x); Failure::new(exit::USAGE, \"two-b\", y); }\n\
                fn code(&self) -> &'static str { match self { A => \"three\", B { .. } => \"four\" } }\n\
                #[cfg(test)]\nmod tests { fn g() { Diagnostic::error(\"five\", x); } }";
    let found = codes(&[Source::new("src/x/y.rs", text)]);
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, ["four", "one", "three", "two-b"]);
}
