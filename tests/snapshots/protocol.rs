//! Each code of a protocol: one bad file, what it looks like in the terminal in both languages, and a page.

use lottning::app::explain;
use lottning::protocol::{CODES, parse};
use std::path::Path;
use std::process::Command;

/// Warnings that `check` adds from the numbers of a valid protocol.
const OF_CHECK: [&str; 4] = [
    "capacity-below-target",
    "factor-not-adjusted",
    "guessable",
    "underpowered",
];

fn codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = CODES.iter().chain(&OF_CHECK).copied().collect();
    codes.sort_unstable();
    codes
}

fn bad_file(code: &str) -> String {
    format!("tests/snapshots/protocol/{code}.toml")
}

/// Standard error and exit code of `check`.
fn check(file: &str, lang: &str) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", file, "--lang", lang])
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
        snapshot_path => "protocol",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        for code in codes() {
            let file = bad_file(code);
            let (en, exit) = check(&file, "en");
            let (sv, exit_sv) = check(&file, "sv");
            assert!(en.contains(&format!("[{code}]: ")), "{file} does not give {code}:\n{en}");
            assert!(sv.contains(&format!("[{code}]: ")), "{file} does not give {code}:\n{sv}");
            assert_eq!(exit, exit_sv);
            let bytes = std::fs::read(&file).unwrap();
            let refused = parse(&bytes).protocol.is_none();
            assert_eq!(exit, Some(if refused { 3 } else { 0 }), "{file}");
            insta::assert_snapshot!(code, format!("{en}\n{}\n\n{sv}", "-".repeat(80)));
        }
    });
}

#[test]
fn every_bad_file_is_of_a_code_and_every_code_has_a_page() {
    let codes = codes();
    for code in &codes {
        assert!(
            explain::pages().any(|page| page.code == *code),
            "{code} has no page"
        );
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/protocol");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.split('.').next().unwrap_or_default();
        assert!(codes.contains(&stem), "{name} is of no code");
    }
}

#[test]
fn codes_are_listed_once_and_every_finding_is_listed() {
    let mut listed: Vec<&str> = CODES.to_vec();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), CODES.len());
    // What an allocation method refuses keeps the method's own code.
    let of_methods = [
        "ratio-not-preserved",
        "invalid-value",
        "unknown-option",
        "unknown-id",
    ];
    for code in codes() {
        for finding in parse(&std::fs::read(bad_file(code)).unwrap()).diagnostics {
            assert!(
                CODES.contains(&finding.code) || of_methods.contains(&finding.code),
                "{} is not listed",
                finding.code
            );
        }
    }
}
