//! Pages of `docs/` that must agree with the program.

use std::fs;

use lottning::app::exit;
use lottning::estimation::ESTIMATORS;

use crate::sources::package;

/// The rows of the table of exit codes, as they must stand in the page.
fn rows() -> Vec<String> {
    exit::ALL
        .iter()
        .map(|code| {
            format!(
                "| {} | `{}` | {} | {} |",
                code.number, code.name, code.en, code.sv
            )
        })
        .collect()
}

fn differences(page: &str) -> Vec<String> {
    let written: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| exit"))
        .collect();
    let wanted = rows();
    let missing = wanted
        .iter()
        .filter(|row| !written.contains(&row.as_str()))
        .cloned();
    let idle = written
        .iter()
        .filter(|row| !wanted.iter().any(|wanted| wanted == *row))
        .map(|row| (*row).to_owned());
    missing.chain(idle).collect()
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let page = fs::read_to_string(package().join("docs/exit-codes.md")).unwrap();
    assert_eq!(differences(&page), [""; 0]);
}

#[test]
fn a_page_that_differs_is_found() {
    let page = rows().join("\n");
    assert!(differences(&page).is_empty());
    assert_eq!(differences(&page.replace("| 5 |", "| 6 |")).len(), 2);
}

/// Every word of the glossary stands there once, in both languages.
#[test]
fn the_glossary_has_no_word_twice() {
    let page = fs::read_to_string(package().join("docs/glossary.md")).unwrap();
    let mut words: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|word| *word != "English")
        .collect();
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), count);
    assert!(count > 40, "the glossary was not read");
}

/// What a page of an estimator must have, each by one of some words.
const OF_A_PAGE: [(&str, &[&str]); 6] = [
    ("formula", &["**Formula", "Σ", " = ", "`y ~"]),
    ("assumptions", &["**Assumes**", "## Assumptions"]),
    (
        "when not to use it",
        &["hen not to use it", "**Not for**", "**Not** for"],
    ),
    (
        "R call",
        &[
            "**R.**",
            "## Which R call agrees",
            "## Which programs agree",
        ],
    ),
    (
        "differences",
        &[
            "differences.md",
            "othing differs",
            "agree",
            "greement",
            "where they differ",
        ],
    ),
    ("reference", &["**References.**", "## References"]),
];

/// What a page lacks.
fn lacking(page: &str) -> Vec<&'static str> {
    let lacks = |words: &[&str]| !words.iter().any(|own| page.contains(own));
    let parts = OF_A_PAGE.iter();
    parts
        .filter(|(_, words)| lacks(words))
        .map(|(part, _)| *part)
        .collect()
}

/// Every estimator has a page under its id, with every part; and no page is of none.
#[test]
fn every_estimator_has_a_whole_page() {
    let folder = package().join("docs/estimators");
    for entry in ESTIMATORS {
        let page = fs::read_to_string(folder.join(format!("{}.md", entry.id))).unwrap();
        assert!(page.starts_with(&format!("# `{}`\n", entry.id)));
        assert_eq!(lacking(&page), [""; 0], "{}", entry.id);
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), ESTIMATORS.len());
    let without = "# `mean`\n\n**Formula.** A mean.\n\n**R.** `mean` agrees.\n";
    let lacks = ["assumptions", "when not to use it", "reference"];
    assert_eq!(lacking(without), lacks);
}

/// The tests that the page of guards names exist.
#[test]
fn every_guard_names_a_test_that_exists() {
    let page = fs::read_to_string(package().join("docs/guards.md")).unwrap();
    let mut found = 0;
    for name in page.split('`').skip(1).step_by(2) {
        let Some((file, test)) = name.split_once("::") else {
            continue;
        };
        if !file.starts_with("tests/") {
            continue;
        }
        let text = fs::read_to_string(package().join(file)).unwrap_or_default();
        assert!(text.contains(&format!("fn {test}(")), "{name}");
        found += 1;
    }
    assert!(found > 40, "the page was not read: {found}");
}
