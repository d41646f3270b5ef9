//! What holds for every command: outputs apart, languages, formats, exit codes.

use std::io::Read;
use std::process::Stdio;

use crate::process::{Folder, command};

#[test]
fn help_and_version_are_answers() {
    let folder = Folder::new();
    for words in ["--help", "--version", "explain --help", "--lang sv --help"] {
        let run = folder.run(words);
        assert_eq!(run.exit, 0, "{words}");
        assert!(run.err.is_empty() && !run.out.is_empty(), "{words}");
        assert!(!run.out.contains('\u{1b}'), "no colour off a terminal");
    }
}

#[test]
fn wrong_usage_is_exit_2_and_says_what_next() {
    let folder = Folder::new();
    for (words, code, hint) in [
        ("", "unknown-command", "--help"),
        ("explian file", "unknown-command", "`explain`"),
        ("explain --jsn", "unknown-option", "`--json`"),
        ("explain", "missing-option", "explain"),
        ("explain fle", "unknown-code", "`file`"),
        ("explain file --format xml", "invalid-value", "csv"),
        ("explain file --lang", "invalid-value", "en"),
        ("explain file --lang de", "invalid-value", "en"),
        (
            "explain file --json --format csv",
            "conflicting-options",
            "",
        ),
        ("explain file more", "unknown-option", ""),
        ("completions klingon", "invalid-value", "bash"),
    ] {
        let run = folder.run(words);
        assert_eq!(run.exit, 2, "{words}: {}", run.err);
        assert!(run.out.is_empty(), "{words}");
        if !words.contains("json") {
            assert!(
                run.err.starts_with(&format!("error[{code}]: ")),
                "{words}: {}",
                run.err
            );
        }
        assert!(
            run.err.contains(code) && run.err.contains(hint),
            "{words}: {}",
            run.err
        );
    }
}

#[test]
fn a_failure_is_one_line_of_json_on_request() {
    let run = Folder::new().run("explain fle --json --lang sv");
    let failure = run.failure();
    assert_eq!(run.err.lines().count(), 1);
    assert_eq!(failure["schema"], "lottning.failure/1");
    assert_eq!(failure["exit"], 2);
    assert_eq!(failure["code"], "unknown-code");
    assert_eq!(failure["message"], "det finns ingen kod `fle`");
    assert_eq!(failure["help"], "menade du `file`?");
}

#[test]
fn the_language_comes_from_the_option_then_the_environment() {
    let folder = Folder::new();
    let run = |lang: &str, words: &[&str]| {
        let output = command(folder.path())
            .env("LOTTNING_LANG", lang)
            .args(words)
            .output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    assert!(run("sv", &["explain", "fle"]).starts_with("fel["));
    assert!(run("sv", &["explain", "fle", "--lang", "en"]).starts_with("error["));
    assert!(run("de", &["explain", "fle"]).starts_with("error["));
}

#[test]
fn a_page_comes_in_three_formats() {
    let folder = Folder::new();
    assert!(
        folder
            .run("explain ragged-row")
            .out
            .starts_with("# ragged-row\n")
    );
    let json = folder.run("explain ragged-row --json --lang sv");
    assert!(
        json.out.starts_with("{\n  \"schema\": \"lottning.page/1\""),
        "{}",
        json.out
    );
    assert!(json.json()["text"].as_str().unwrap().contains("cell"));
    let csv = folder.run("explain ragged-row --format csv");
    assert!(csv.out.starts_with("schema,code,text\n"), "{}", csv.out);
}

#[test]
fn completions_know_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "fish", "zsh", "powershell", "elvish"] {
        let run = folder.run(&format!("completions {shell}"));
        assert_eq!(run.exit, 0);
        assert!(run.out.contains("explain"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new();
    let mut child = command(folder.path())
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert!(child.wait().unwrap().success(), "{err}");
    assert!(err.is_empty(), "{err}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_unexpected_failure() {
    let folder = Folder::new();
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command(folder.path())
        .args(["explain", "file"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("error[no-answer]"), "{err}");
}
