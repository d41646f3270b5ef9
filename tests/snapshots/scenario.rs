//! Each code of a scenario: one bad file, what it looks like in the terminal in both languages, and a page.

use lottning::app::explain;
use lottning::planning::scenario::CODES;
use std::path::Path;
use std::process::Command;

/// Warnings of settings and of dates, with which a scenario is run; `tests/contracts` and `tests/cli` make them.
const WARNINGS: [&str; 3] = ["mean-cut-by-range", "months-beyond-stop", "ratio-by-blocks"];

fn simulate(file: &str, lang: &str) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["simulate", file, "--replicates", "1", "--lang", lang])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (
        String::from_utf8(output.stderr).unwrap(),
        output.status.code(),
    )
}

#[test]
fn every_code_has_a_bad_file_that_says_so_in_both_languages() {
    insta::with_settings!({
        snapshot_path => "scenario",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        for code in CODES.iter().filter(|code| !WARNINGS.contains(code)) {
            let file = format!("tests/snapshots/scenario/{code}.toml");
            let (en, exit) = simulate(&file, "en");
            let (sv, exit_sv) = simulate(&file, "sv");
            assert!(en.contains(&format!("[{code}]: ")), "{file} does not give {code}:\n{en}");
            assert!(sv.contains(&format!("[{code}]: ")), "{file} does not give {code}:\n{sv}");
            assert_eq!((exit, exit_sv), (Some(3), Some(3)), "{file}");
            insta::assert_snapshot!(*code, format!("{en}\n{}\n\n{sv}", "-".repeat(80)));
        }
    });
}

#[test]
fn every_bad_file_is_of_a_code_and_every_code_has_a_page() {
    for code in CODES {
        assert!(
            explain::pages().any(|page| page.code == *code),
            "{code} has no page"
        );
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/scenario");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.split('.').next().unwrap_or_default();
        assert!(
            stem == "protocols" || CODES.contains(&stem),
            "{name} is of no code"
        );
    }
}
