//! Help and messages of the command line, in both languages, as somebody reviewed them.

use std::path::Path;
use std::process::Command;

/// What `lottning` says with these words in a folder, each output under its own heading.
fn said(folder: &Path, words: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .current_dir(folder)
        .args(words.split_whitespace())
        .env_remove("LOTTNING_LANG")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let exit = output.status.code().unwrap();
    format!("$ lottning {words}\n{out}--- standard error\n{err}--- exit {exit}\n")
}

fn check(name: &str, texts: &[String]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("command");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, texts.join("\n")));
}

fn both(folder: &Path, words: &str) -> [String; 2] {
    ["en", "sv"].map(|lang| said(folder, &format!("{words} --lang {lang}")))
}

#[test]
fn help() {
    check("help", &both(Path::new("."), "--help"));
}

#[test]
fn help_of_estimate() {
    check("help-estimate", &[said(Path::new("."), "estimate --help")]);
}

#[test]
fn help_of_power() {
    let families = ["two-proportions", "two-means", "log-rank", "rates"];
    let texts = families.map(|family| said(Path::new("."), &format!("power {family} --help")));
    check("help-power", &texts);
}

/// What each family says of a size and of a power, in both languages.
#[test]
fn power() {
    let said: Vec<String> = [
        "power two-proportions --p0 .3 --p1 .2 --power .8",
        "power two-means --delta .5 --sd 1 --power .8 --cluster-size 10 --icc .05",
        "power two-means --delta 0 --sd 1 --power .8",
        "power log-rank --hazard-ratio .4 --power .8 --control-median 12 --accrual 24 --follow-up 12",
        "power rates --rate0 .5 --rate1 .35 --dispersion .7 --n-per-arm 400",
    ]
    .iter()
    .flat_map(|words| both(Path::new("."), words))
    .collect();
    check("power", &said);
}

#[test]
fn usage() {
    let folder = tempfile::tempdir().unwrap();
    let said: Vec<String> = [
        "estimat",
        "estimate --estimator lin",
        "estimate d.csv --estimatr lin",
        "estimate d.csv --estimator linn --arm a --control b --outcome y",
        "estimate d.csv --estimator lin --arm a --control b --outcome y --level 0,95",
        "estimate d.csv --estimator lin --arm a --control b --outcome y --interval wald",
        "estimate d.csv --estimator lin --arm a --control b --outcome y",
        "explain rugged-row",
    ]
    .iter()
    .flat_map(|words| both(folder.path(), words))
    .collect();
    check("usage", &said);
}

/// Every way in which a table can be refused, one small file each.
#[test]
fn tables() {
    let files: [(&str, &[u8]); 16] = [
        ("empty.csv", b""),
        ("no-rows.csv", b"arm,y\n"),
        ("duplicate.csv", b"arm,y,y\nt,1,2\n"),
        ("nameless.csv", b"arm,,y\nt,1,2\n"),
        ("ragged.csv", b"arm,y\nt,1,5\nc\n"),
        ("quote.csv", b"arm,y\n\"t,1\n"),
        ("stray.csv", b"arm,y\n\"t\"x,1\n"),
        ("delimiter.csv", b"arm,y;z\nt,1;2\n"),
        ("decimal.csv", b"arm;y;z\nt;1,5;1.5\n"),
        ("thousands.csv", b"arm;y\nt;1,234\n"),
        ("mixed.csv", b"arm,y\n\xc3\xa5,1\n\xe5,2\n"),
        ("undefined.csv", b"arm,y\n\x81,1\n"),
        ("utf16.csv", b"\xff\xfea\0"),
        ("nul.csv", b"arm,y\nt\0,1\n"),
        ("text.csv", b"arm,y\nt,one\nc,1 000\nt,2\n"),
        ("levels.csv", b"armm,y\nT,1\nC,2\n"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut texts = Vec::new();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let words =
            format!("estimate {name} --estimator lin --arm arm --control c --outcome y --quiet");
        texts.extend(both(folder.path(), &words));
    }
    check("tables", &texts);
}

#[test]
fn an_estimate() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("d.csv"),
        "arm;days\niuh;31,5\nstandard;NA\niuh;20,25\nstandard;40\nstandard;35\niuh;22\nstandard;33\niuh;27\n",
    )
    .unwrap();
    let words = "estimate d.csv --estimator lin --arm arm --control standard --outcome days";
    let mut texts = both(folder.path(), words).to_vec();
    texts.push(said(
        folder.path(),
        "estimate --counts 28/100,41/100 --estimator risk-difference --json",
    ));
    texts.push(said(
        folder.path(),
        "estimate --counts 28/100,41/100 --estimator risk-difference --format csv",
    ));
    check("estimate", &texts);
}
