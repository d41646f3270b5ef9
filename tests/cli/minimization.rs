//! `lottning draw --method minimization`, as scripts call it.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn draw(folder: &Path, arguments: &str) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .args(["draw", "--method"])
        .args(arguments.split_whitespace())
        .args(["--seed", SEED])
        .current_dir(folder)
        .env_remove("LOTTNING_LANG")
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn json(ran: &Ran) -> serde_json::Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// Every list of `tests/stability/minimization.txt` in mode draw, written by the independent program. Levels are
/// words here and digits there: relabelling changes nothing.
#[test]
fn lists_from_a_file_are_the_frozen_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for line in include_str!("../stability/minimization.txt").lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [
            "list",
            SEED,
            "draw",
            "draw",
            "0",
            strata,
            ratio,
            options,
            families,
            arms,
        ] = fields.as_slice()
        else {
            continue;
        };
        let mut names = String::new();
        let mut arguments = String::new();
        for option in options.split(';') {
            let (name, value) = option.split_once('=').unwrap();
            match (name, value) {
                ("ratio_preserving", "true") => arguments.push_str(" --ratio-preserving"),
                _ => write!(arguments, " --{} {value}", name.replace('_', "-")).unwrap(),
            }
            if name == "factors" {
                names = value.to_owned();
            }
        }
        let levels: Vec<&str> = strata.split('|').filter(|own| *own != "-").collect();
        let mut file = format!("{names},site,known\n");
        for family in families.split(',') {
            for digit in family.chars() {
                write!(file, "level {digit},").unwrap();
            }
            let levels = if levels.is_empty() {
                vec!["x", "y"]
            } else {
                levels.clone()
            };
            writeln!(file, "{}", levels.join(",")).unwrap();
        }
        std::fs::write(folder.path().join("arrivals.csv"), file).unwrap();
        let by = if levels.is_empty() {
            ""
        } else {
            "--by site,known"
        };
        let ran = draw(
            folder.path(),
            &format!("minimization --ratio {ratio} --arrivals arrivals.csv {by}{arguments}"),
        );
        let drawn: String = ran
            .out
            .lines()
            .skip(1)
            .filter_map(|row| row.chars().last())
            .collect();
        assert_eq!(
            (drawn.as_str(), ran.code),
            (*arms, 0),
            "{line}\n{}",
            ran.err
        );
        assert!(ran.out.starts_with("sequence,stratum,arm\n1,"));
        seen += 1;
    }
    assert!(seen >= 32);
}

/// By hand, p = 1, levels A, B, A, B: the first of each level is a coin, the second the other arm for certain. Guesses:
/// ½, ½, then ½·½ + ½·1 = ¾ (after a pair apart, a coin; after a pair alike, right), then 1: 11/16. The largest |D| is
/// 2 after a pair alike, else 1. All in one level: blocks of two, ¾ right, half forced.
#[test]
fn characteristics_of_arrivals_are_exact_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    for (levels, right, forced, largest) in [
        (["A", "B", "A", "B"], 11.0 / 16.0, 0.5, 1.5),
        (["A", "A", "A", "A"], 0.75, 0.5, 1.0),
    ] {
        let file = format!("level\n{}\n", levels.join("\n"));
        std::fs::write(folder.path().join("f.csv"), file).unwrap();
        let found = json(&draw(
            folder.path(),
            "minimization --arrivals f.csv --factors level --probability 1 --characteristics --replicates 4000 --json",
        ));
        assert_eq!(found["schema"], "lottning.characteristics/1");
        assert_eq!(found["n"], 4);
        for (key, expected) in [
            ("correct_guess_share", right),
            ("forced_share", forced),
            ("imbalance_variance", 0.0),
            ("max_imbalance", largest),
            ("p_balanced", 1.0),
        ] {
            let figure = |part: &str| found[key][part].as_f64().unwrap();
            assert!((figure("exact") - expected).abs() < 1e-12, "{key} {found}");
            let apart = (figure("value") - expected).abs();
            assert!(apart <= 4.0 * figure("mcse") + 1e-12, "{key} {found}");
        }
    }
}

#[test]
fn what_is_missing_or_not_used_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("good.csv", "site,reports\nnorth,0-2\nsouth,3+\n");
    write("hole.csv", "site,reports\nnorth,0-2\nsouth,\n");
    let file = "--arrivals good.csv --factors";
    for (arguments, code, says) in [
        (
            "minimization --n 9 --factors site".to_owned(),
            2,
            "[missing-option]",
        ),
        (
            "minimization --factors site".to_owned(),
            2,
            "[missing-option]",
        ),
        (
            "minimization --arrivals good.csv".to_owned(),
            2,
            "[factors-needed]",
        ),
        (
            format!("minimization {file} site --n 2"),
            2,
            "[conflicting-options]",
        ),
        (
            "minimization --strata good.csv --by site --factors reports".to_owned(),
            2,
            "[unknown-option]",
        ),
        (format!("big-stick {file} site"), 2, "[unknown-option]"),
        (
            "big-stick --arrivals good.csv".to_owned(),
            2,
            "[unknown-option]",
        ),
        (
            format!("minimization {file} site --by site"),
            2,
            "[factor-is-stratum]",
        ),
        (
            "big-stick --n 4 --by site".to_owned(),
            2,
            "[missing-option]",
        ),
        (format!("minimization {file} sitt"), 4, "[unknown-column]"),
        (
            "minimization --arrivals hole.csv --factors site,reports".to_owned(),
            4,
            "[missing-level]",
        ),
        (
            "minimization --arrivals hole.csv --factors site,reports".to_owned(),
            4,
            "with a level of its own, such as `unknown`), or take `reports` out of `--factors`",
        ),
        (
            format!("minimization {file} sitt --by reports"),
            4,
            "did you mean `site`?; `--factors` names columns of the file as its first row has them",
        ),
        (
            format!("minimization {file} site --probability 0.4"),
            2,
            "--probability",
        ),
        (
            format!("minimization {file} site --ratio 2:1:1 --probability 1/4"),
            2,
            "--probability",
        ),
        (
            format!("minimization {file} site --factor-weights 1,2"),
            2,
            "--factor-weights",
        ),
        (
            format!("minimization {file} site --ratio-preserving=maybe"),
            2,
            "--ratio-preserving",
        ),
        // Neither would change a draw: one factor has nothing to be weighed against, equal arms no ratio to lose.
        (
            format!("minimization {file} site --factor-weights 2"),
            2,
            "error[option-not-used]: `--factor-weights` is `2`",
        ),
        (
            format!("minimization {file} site --ratio-preserving"),
            2,
            "error[option-not-used]: `--ratio-preserving`",
        ),
        (
            format!("minimization {file} site --ratio 2:2:2 --ratio-preserving"),
            2,
            "error[option-not-used]: `--ratio-preserving`",
        ),
        (
            format!("minimization {file} site --max-imbalance 3"),
            2,
            "[unknown-option]",
        ),
    ] {
        let ran = draw(folder.path(), &arguments);
        assert_eq!(ran.code, code, "{arguments}\n{}", ran.err);
        assert!(ran.err.contains(says), "{arguments}\n{}", ran.err);
        assert!(ran.out.is_empty());
    }
    let ran = draw(folder.path(), &format!("minimization {file} site,reports"));
    assert_eq!((ran.code, ran.out.lines().count()), (0, 3), "{}", ran.err);
}

/// An unequal ratio without duplicates is drawn, with a warning in the language asked for; with duplicates without one.
#[test]
fn a_ratio_of_the_long_run_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("few.csv"), "a\nx\ny\nx\n").unwrap();
    let call = "minimization --factors a --arrivals few.csv";
    let plain = draw(folder.path(), &format!("{call} --ratio 2:1"));
    assert_eq!(plain.code, 0, "{}", plain.err);
    for words in ["ratio-not-preserved", "the ratio 2:1 holds in the long run"] {
        assert!(plain.err.contains(words), "{}", plain.err);
    }
    let swedish = draw(folder.path(), &format!("{call} --ratio 2:1 --lang sv"));
    assert!(
        swedish.err.contains("i det långa loppet"),
        "{}",
        swedish.err
    );
    let figures = format!("{call} --ratio 2:1 --characteristics --replicates 10");
    assert!(draw(folder.path(), &figures).err.contains("long run"));
    for other in ["--ratio 2:1 --ratio-preserving", "--ratio 1:1"] {
        let quiet = draw(folder.path(), &format!("{call} {other}"));
        assert!(!quiet.err.contains("long run"), "{}", quiet.err);
    }
}
