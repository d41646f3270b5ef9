//! Pages of `docs/` that must agree with the program.

use std::fs;

use lottning::app::exit;

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
