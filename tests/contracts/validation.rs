//! `docs/validation.md` says which evidence stands behind each registered thing, from the tests as they are.
//!
//! A kind of evidence counts for an item when a test file of that kind names its id in quotes, or a golden folder has
//! its name; the contract tests iterate over the registries, so every member has them. After a change of the tests,
//! `LOTTNING_WRITE_DOCS=1 cargo test --test contracts validation` writes the page anew.

use lottning::allocation::METHODS;
use lottning::estimation::ESTIMATORS;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const KINDS: [&str; 6] = [
    "by_hand",
    "published",
    "golden",
    "contracts",
    "simulation",
    "stability",
];

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> String {
    let mut text = String::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return text;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text += &std::fs::read_to_string(&path).unwrap();
        }
    }
    text
}

fn evidence(id: &str) -> Vec<bool> {
    KINDS
        .iter()
        .map(|kind| {
            let folder = root().join("tests").join(kind);
            let vectors =
                std::fs::read_to_string(folder.join("allocations.txt")).unwrap_or_default();
            *kind == "contracts"
                || (*kind == "golden" && folder.join(id).is_dir())
                || (*kind == "stability" && vectors.contains(id))
                || sources(&folder).contains(&format!("\"{id}\""))
        })
        .collect()
}

fn page() -> String {
    let mut text = String::from(
        "# Evidence\n\nGenerated from the registries and the tests (`tests/contracts/validation.rs`); what each kind of test may claim is in\n[architecture.md](architecture.md) and in the head of its files. *by hand*: a derivation in the comment; *published*: a printed\ntable; *golden*: another program's numbers with its generator; *contracts*: laws that every member obeys; *simulation*: exact\ntargets or four Monte Carlo standard errors; *stability*: frozen vectors.\n",
    );
    for (title, ids) in [
        (
            "Randomization methods",
            METHODS.iter().map(|entry| entry.id).collect::<Vec<_>>(),
        ),
        (
            "Estimators",
            ESTIMATORS.iter().map(|entry| entry.id).collect(),
        ),
    ] {
        let _ = writeln!(
            text,
            "\n## {title}\n\n| id | {} |",
            KINDS.join(" | ").replace('_', " ")
        );
        let _ = writeln!(text, "|---|{}", "---|".repeat(KINDS.len()));
        for id in ids {
            let cells: Vec<&str> = evidence(id)
                .into_iter()
                .map(|has| if has { "yes" } else { "–" })
                .collect();
            let _ = writeln!(text, "| `{id}` | {} |", cells.join(" | "));
        }
    }
    text += &crate::literature::tables();
    text += &crate::oracles::tables();
    text
}

#[test]
fn the_page_of_evidence_is_the_one_of_the_tests() {
    let path = root().join("docs/validation.md");
    if std::env::var_os("LOTTNING_WRITE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written,
        page(),
        "write docs/validation.md anew, see the head of this file"
    );
}

#[test]
fn nothing_is_registered_without_evidence() {
    for method in METHODS {
        let evidence = evidence(method.id);
        assert!(evidence[0], "{} has no case by hand", method.id);
        assert!(evidence[5], "{} has no frozen vectors", method.id);
    }
    for estimator in ESTIMATORS {
        let evidence = evidence(estimator.id);
        let others = [0, 1, 4].iter().filter(|kind| evidence[**kind]).count();
        assert!(evidence[2] && others > 0, "{}: {evidence:?}", estimator.id);
    }
}

/// What an estimator computes, and when not to use it, is written down for whoever reads its numbers.
#[test]
fn every_estimator_has_a_page() {
    for entry in ESTIMATORS {
        let path = root().join(format!("docs/estimators/{}.md", entry.id));
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            page.starts_with(&format!("# `{}`", entry.id)),
            "{}",
            path.display()
        );
        for part in ["ssum", "10."] {
            // Assumptions, and a reference with its DOI.
            assert!(page.contains(part), "{}: {part}", path.display());
        }
    }
}
