//! `lottning draw`, as scripts call it.

use std::path::Path;
use std::process::Command;

const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn draw_in(folder: &Path, arguments: &str) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .arg("draw")
        .args(arguments.split_whitespace())
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

fn draw(arguments: &str) -> Ran {
    draw_in(Path::new("."), &format!("{arguments} --seed {SEED}"))
}

fn json(ran: &Ran) -> serde_json::Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The arms are those of `tests/stability/allocations.txt` (mode draw, no strata), written by the independent program.
#[test]
fn a_list_is_csv_with_the_frozen_arms() {
    let ran = draw("--method permuted-block --n 40");
    let mut lines = ran.out.lines();
    assert_eq!(lines.next(), Some("sequence,stratum,arm"));
    let frozen = include_str!("../stability/allocations.txt")
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{SEED} draw draw 0 - permuted-block 1:1 - ")))
        .unwrap();
    for (i, letter) in frozen.chars().enumerate() {
        assert_eq!(lines.next(), Some(format!("{},,{letter}", i + 1).as_str()));
    }
    assert_eq!((lines.next(), ran.code), (None, 0));
}

#[test]
fn a_list_in_json_has_the_words_of_the_contract() {
    let found = json(&draw("--method big-stick --n 3 --arms iuh,standard --json"));
    assert_eq!(found["schema"], "lottning.draw/1");
    assert_eq!(found["method"], "big-stick");
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["sequence"], 1);
    assert_eq!(rows[0]["stratum"], "");
    assert!(
        rows.iter()
            .all(|row| row["arm"] == "iuh" || row["arm"] == "standard")
    );
}

#[test]
fn three_arms_have_three_names() {
    let ran = draw("--method permuted-block --block-len 6 --ratio 1:1:1 --n 6");
    for arm in [",a", ",b", ",c"] {
        assert_eq!(
            ran.out.lines().filter(|line| line.ends_with(arm)).count(),
            2
        );
    }
}

#[test]
fn strata_are_lists_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arrivals.csv");
    std::fs::write(
        &file,
        "plats;kön;x\nnorr; ja ;1,5\nsöder;nej;2\nnorr;ja;3\nsöder;nej;4\nnorr;ja;5\n",
    )
    .unwrap();
    let ran = draw_in(
        folder.path(),
        &format!("--method big-stick --strata arrivals.csv --by plats,kön --seed {SEED}"),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("semicolon"),
        "the dialect is announced: {}",
        ran.err
    );
    let strata: Vec<&str> = ran
        .out
        .lines()
        .skip(1)
        .map(|l| l.split(',').nth(1).unwrap())
        .collect();
    assert_eq!(
        strata,
        ["norr/ja", "söder/nej", "norr/ja", "söder/nej", "norr/ja"]
    );
    // The arms of one stratum are those of a file that holds this stratum alone.
    std::fs::write(&file, "plats,kön\nnorr,ja\nnorr,ja\nnorr,ja\n").unwrap();
    let alone = draw_in(
        folder.path(),
        &format!("--method big-stick --strata arrivals.csv --by plats,kön --seed {SEED} --quiet"),
    );
    let arms = |ran: &Ran| -> Vec<String> {
        let north = ran.out.lines().filter(|line| line.contains("norr/ja"));
        north
            .map(|line| line.rsplit(',').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(arms(&ran), arms(&alone));
    assert_eq!(alone.err, "");
}

/// A stratum's number of units is not known beforehand, so a method of lists is told how long its lists are.
#[test]
fn a_method_of_lists_stratifies_by_list_len() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arrivals.csv");
    std::fs::write(&file, format!("site\n{}", "north\nsouth\n".repeat(9))).unwrap();
    for method in ["random-allocation", "truncated-binomial", "maximal"] {
        let command = format!("--method {method} --strata arrivals.csv --by site --seed {SEED}");
        let ran = draw_in(folder.path(), &command);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("`--list-len`"), "{}", ran.err);
        let ran = draw_in(folder.path(), &format!("{command} --list-len 6"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        for site in ["north", "south"] {
            let own = ran.out.lines().filter(|line| line.contains(site));
            let arms: Vec<&str> = own.map(|line| line.rsplit(',').next().unwrap()).collect();
            for list in arms.chunks(6).filter(|list| list.len() == 6) {
                assert_eq!(
                    list.iter().filter(|arm| **arm == "a").count(),
                    3,
                    "{arms:?}"
                );
            }
        }
    }
}

#[test]
fn arrivals_that_cannot_be_used_are_exit_4_with_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arrivals.csv");
    let run = |by: &str| {
        draw_in(
            folder.path(),
            &format!("--method simple --strata arrivals.csv --by {by} --seed {SEED}"),
        )
    };
    std::fs::write(&file, "site,sex\nnorth,f\n,m\nsouth,NA\n").unwrap();
    let ran = run("site,sex");
    assert_eq!((ran.code, ran.out.as_str()), (4, ""));
    assert!(
        ran.err.contains("row 3") && ran.err.contains("row 4"),
        "{}",
        ran.err
    );
    let ran = run("sit");
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("did you mean `site`?"), "{}", ran.err);
    std::fs::write(&file, "site,sex\n").unwrap();
    assert_eq!(run("site").code, 4);
    assert_eq!(run("site,site").code, 2);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(run("site").code, 2);
}

#[test]
fn characteristics_have_value_error_and_exact_figure() {
    let found = json(&draw(
        "--method permuted-block --n 40 --replicates 500 --characteristics --json",
    ));
    assert_eq!(found["schema"], "lottning.characteristics/1");
    for key in [
        "correct_guess_share",
        "best_guess_share",
        "forced_share",
        "imbalance_variance",
        "max_imbalance",
        "p_balanced",
    ] {
        for part in ["value", "mcse", "exact"] {
            assert!(found[key][part].is_number(), "{key}.{part}");
        }
    }
    // Blackwell & Hodges (1957): 17/24 for blocks of four.
    assert!((found["correct_guess_share"]["exact"].as_f64().unwrap() - 17.0 / 24.0).abs() < 1e-12);
    // A third of them is certain: staff at intake could guess, as `check` says of the same method.
    assert_eq!(found["warnings"].as_array().unwrap().len(), 1);
    assert_eq!(found["warnings"][0]["code"], "guessable");
    let said = found["warnings"][0]["message"].as_str().unwrap();
    assert!(
        said.contains("can guess 7.1 of the next ten families right, 5.0 by chance, and know 3.3"),
        "{said}"
    );
    // What to do about it is there too, as in `check --json`.
    let help = found["warnings"][0]["help"].as_str().unwrap();
    assert!(
        help.ends_with("let nobody at intake see earlier lots"),
        "{help}"
    );
}

/// At 3:1 in independent draws whoever keeps count is right less often than whoever names the larger arm each time: 3/4, by the
/// ratio alone. In blocks of four at 3:1 by hand: names a while any a is left, and b once three a are gone; b is the last, third,
/// second or first with 1/4 each: right 4, 3, 3 and 3 of four, 13/16, and certain 1, 1, 2 and 3, 7/16.
#[test]
fn the_larger_arm_is_the_best_guess_of_independent_draws() {
    let ran = draw("--method simple --ratio 3:1 --n 40 --replicates 400 --characteristics --json");
    let found = json(&ran);
    let exact = |found: &serde_json::Value, key: &str| found[key]["exact"].as_f64().unwrap();
    assert!((exact(&found, "best_guess_share") - 0.75).abs() < 1e-12);
    assert!(exact(&found, "correct_guess_share") < 0.5);
    let (value, mcse) = (
        found["best_guess_share"]["value"].as_f64().unwrap(),
        found["best_guess_share"]["mcse"].as_f64().unwrap(),
    );
    // √(3/16/40/400) = 0.0034: that of independent guesses.
    assert!((value - 0.75).abs() < 4.0 * mcse && (mcse - 0.003_42).abs() < 0.000_5);
    assert_eq!(found["warnings"], serde_json::json!([]));
    let ran =
        draw("--method permuted-block --ratio 3:1 --n 40 --replicates 4 --characteristics --json");
    let found = json(&ran);
    assert!((exact(&found, "best_guess_share") - 13.0 / 16.0).abs() < 1e-12);
    assert!((exact(&found, "forced_share") - 7.0 / 16.0).abs() < 1e-12);
    assert_eq!(found["warnings"][0]["code"], "guessable");
    assert!(ran.err.contains("warning[guessable]"), "{}", ran.err);
}

/// The warning of a simulated share says the share, not what is left of it two standard errors below, and advises.
#[test]
fn a_simulated_share_is_said_as_it_was_found() {
    let ran = draw(
        "--method biased-coin --ratio 1:1:1:1:1:1:1:1 --n 120 --replicates 10 --characteristics --json",
    );
    let found = json(&ran);
    let warning = &found["warnings"][0];
    assert_eq!(warning["code"], "guessable");
    let said = warning["message"].as_str().unwrap();
    let (_, said) = said.split_once("can guess ").unwrap();
    let said: f64 = said.split(' ').next().unwrap().parse().unwrap();
    let estimates = ["correct_guess_share", "best_guess_share"].map(|key| {
        assert!(found[key]["exact"].is_null());
        10.0 * found[key]["value"].as_f64().unwrap()
    });
    assert!(
        estimates
            .iter()
            .any(|own| (own - said).abs() <= 0.05 + 1e-9),
        "{said} {estimates:?}"
    );
    let help = warning["help"].as_str().unwrap();
    assert!(help.starts_with("use `--bias "), "{help}");
    assert!(
        help.contains("or use `--method big-stick` with `--max-imbalance "),
        "{help}"
    );
}

#[test]
fn what_one_replicate_cannot_say_is_null_with_a_warning() {
    let ran = draw("--method simple --n 8 --replicates 1 --characteristics --json");
    let found = json(&ran);
    assert!(found["imbalance_variance"]["value"].is_null());
    assert!(found["correct_guess_share"]["mcse"].is_null());
    assert_eq!(found["warnings"][0]["code"], "few-replicates");
    assert!(ran.err.contains("few-replicates"));
}

/// D of seven units is never 0: the exact chance is 0, written without a sign.
#[test]
fn no_figure_is_a_negative_zero() {
    for method in ["simple", "permuted-block", "big-stick", "urn"] {
        let ran = draw(&format!(
            "--method {method} --n 7 --replicates 20 --characteristics --json"
        ));
        assert_eq!(json(&ran)["p_balanced"]["exact"], 0.0);
        assert!(!ran.out.contains("-0.0"), "{method}: {}", ran.out);
    }
}

#[test]
fn wrong_usage_always_comes_with_advice_and_quotes_what_was_typed() {
    for (arguments, said, advice) in [
        (
            "--method urn --ratio 64:1 --n 4",
            "`urn` would draw the ratio 64:1 by 65 duplicates of arms, and at most 64 are possible",
            "permuted-block",
        ),
        (
            "--method urn --bias 1 --n 4",
            "`urn` does not use `--bias`",
            "`--urn`",
        ),
        (
            "--method urn --urn 1,1,1 --n 4",
            "`--urn` is `1,1,1`",
            "0,1",
        ),
        ("--method urn --urn 1, --n 4", "`--urn` is `1,`", "0,1"),
        (
            "--method permuted-block --block-lens 2,,4 --n 4",
            "`--block-lens` is `2,,4`",
            "4,6",
        ),
        (
            "--method biased-coin --bias 0.6666666667 --n 4",
            "at most nine decimals",
            "`2/3`",
        ),
        (
            "--method big-stick --max-imbalance 0 --n 4",
            "`0`",
            "a number from 1 to",
        ),
        (
            "--method big-stick --max-imbalance 3,0 --n 4",
            "`3,0`",
            "digits alone",
        ),
        ("--method simple --n 0", "no units", "from 1"),
        ("--method simple --n -1", "a whole number from 1", "--help"),
        ("--method simple --n 4 --ratio a:b", "`a:b`", "1:1"),
        ("--method simple --n 4 --arms a", "not 1", "--arms a,b"),
        (
            "--method simple --n 4 --replicates 0 --characteristics",
            "no replicates",
            "10000",
        ),
        (
            "--method minimization --factors f --n 4",
            "who arrives",
            "--arrivals",
        ),
    ] {
        let ran = draw(arguments);
        assert_eq!(ran.code, 2, "{arguments}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments}: {}", ran.err);
        let help = ran.err.split_once("help:").map_or("", |(_, help)| help);
        assert!(help.contains(advice), "{arguments}: {}", ran.err);
    }
}

#[test]
fn wrong_usage_is_exit_2_and_says_what_to_do() {
    for (arguments, said) in [
        ("--method ern --n 4", "did you mean `urn`?"),
        ("--method dice --n 4", "there is no method `dice`"),
        ("--method big-stik --n 4", "did you mean `big-stick`?"),
        (
            "--method big-stick --block-len 4 --n 4",
            "does not use `--block-len`",
        ),
        (
            "--method simple --max-imbalance 4 --n 4",
            "does not use `--max-imbalance`",
        ),
        ("--method simple --bias 2/3 --n 4", "--bias"),
        ("--method big-stick --ratio 64:1 --n 4", "permuted-block"),
        ("--method biased-coin --ratio 37:28 --n 4", "at most 64"),
        ("--method urn --ratio 40:24:1 --n 4", "permuted-block"),
        (
            "--method truncated-binomial --ratio 99:1 --n 100",
            "permuted-block",
        ),
        ("--method maximal --ratio 63:2 --n 65", "at most 64"),
        ("--method maximal --ratio 2:1 --n 8", "use 6 or 9"),
        ("--method maximal --arms a,b,c --n 7", "use 6 or 9"),
        (
            "--method maximal --arms a,b,c --n 999 --max-imbalance 50",
            "`--max-imbalance` up to 43",
        ),
        ("--method biased-coin --bias 0.49 --n 4", "below 1/2"),
        ("--method biased-coin --bias 1.5 --n 4", "not a probability"),
        ("--method urn --urn 0,0 --n 4", "stay empty"),
        ("--method truncated-binomial --n 7", "use 6 or 8"),
        ("--method maximal --n 7", "use 6 or 8"),
        ("--method maximal --n 1002", "`--list-len`"),
        ("--method random-allocation --ratio 2:1 --n 8", "use 6 or 9"),
        (
            "--method random-allocation --strata x.csv --by a",
            "`--list-len`",
        ),
        ("--method permuted-block --ratio 2:1 --n 6", "use 3 or 6"),
        ("--method permuted-block --block-len 3 --n 6", "use 2 or 4"),
        (
            "--method permuted-block --block-len -4 --n 6",
            "`--block-len` is `-4`",
        ),
        (
            "--method permuted-block --block-len 4 --block-lens 2,4 --n 6",
            "both given",
        ),
        (
            "--method permuted-block --block-len 4 --block-len 4 --n 6",
            "more than once",
        ),
        ("--method permuted-block --block-lens 2,2 --n 6", "twice"),
        ("--method simple --ratio 1:0 --n 4", "part 0"),
        ("--method simple --ratio 1:1:1 --arms a,b --n 4", "3 parts"),
        ("--method simple --arms a,a --n 4", "named twice"),
        ("--method simple --arms a, --n 4", "no name"),
        ("--method simple --n 0", "no units"),
        ("--method simple --n -1", "-1"),
        ("--method simple --n 99999999999", "at most 1000000"),
        ("--method simple", "`--n`"),
        ("--method simple --n 4 --strata x.csv --by a", "`--strata`"),
        ("--method simple --strata x.csv", "--by"),
        ("--method simple --n 4 --replicates 9", "--characteristics"),
        ("--method simple --characteristics", "`--n` is missing"),
        (
            "--method simple --n 4 --replicates 0 --characteristics",
            "no replicates",
        ),
        (
            "--method simple --n 0 --replicates 5 --characteristics",
            "no units",
        ),
    ] {
        let ran = draw(arguments);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (2, ""),
            "{arguments}: {}",
            ran.err
        );
        assert!(ran.err.contains(said), "{arguments}: {}", ran.err);
    }
}

/// A text that may be a real seed with a slip is never repeated.
#[test]
fn a_seed_that_is_none_is_exit_2_without_an_echo() {
    for seed in [
        "c0ffee",
        &SEED[1..],
        &format!("{}g", &SEED[1..]),
        &format!("{SEED}0"),
    ] {
        let ran = draw_in(
            Path::new("."),
            &format!("--method simple --n 4 --seed {seed}"),
        );
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(!ran.err.contains(seed), "{}", ran.err);
    }
}

#[test]
fn words_are_swedish_when_asked_for() {
    let ran = draw("--method big-stick --ratio 64:1 --n 4 --lang sv");
    assert!(ran.err.contains("dubbletter av armar"), "{}", ran.err);
    let ran = draw("--method simple --n 4 --replicates 9 --characteristics --lang sv");
    assert!(ran.out.contains("andel rätta gissningar"), "{}", ran.out);
}
