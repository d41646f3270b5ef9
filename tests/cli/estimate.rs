//! `lottning estimate`: the words of the contract, files as people have them, and what is wrong with them.

use sha2::{Digest, Sha256};

use crate::process::{Folder, Run};

/// Two arms, a third one, a factor, a missing outcome, a missing covariate.
const ROWS: &[&str] = &[
    "arm;days;age;site;accepted",
    "iuh;31,5;4;a;1",
    "standard;NA;5;b;0",
    "iuh;20,25;7;b;0",
    "standard;40;3;a;1",
    "standard;35;8;b;1",
    "other;9;9;a;0",
    "iuh;22;;a;0",
    "standard;33;6;a;0",
    "iuh;27;9;b;1",
];

const ARMS: &str = "--arm arm --control standard --treated iuh";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.file("d.csv", ROWS.join("\n") + "\n");
    folder
}

fn number(run: &Run, key: &str) -> f64 {
    run.json()["results"][0][key].as_f64().unwrap()
}

/// By hand: mean(31.5, 20.25, 22, 27) − mean(40, 35, 33) = 25.1875 − 36 = −10.8125; the variances are
/// 25.807291… (sum of squares 77.421875 / 3) and 13 (26 / 2), so the standard error is √(25.8072917/4 + 13/3).
#[test]
fn a_difference_in_means_by_hand() {
    let run = folder().run(&format!(
        "estimate d.csv --estimator difference-in-means {ARMS} --outcome days --json"
    ));
    assert_eq!(run.exit, 0, "{}", run.err);
    assert!((number(&run, "estimate") + 10.8125).abs() < 1e-12);
    let squares: f64 = [31.5, 20.25, 22.0, 27.0_f64]
        .iter()
        .map(|y| (y - 25.1875) * (y - 25.1875))
        .sum();
    let variance = squares / 3.0 / 4.0 + 26.0 / 2.0 / 3.0;
    assert!((number(&run, "std_error") - variance.sqrt()).abs() < 1e-12);
    assert_eq!(run.json()["results"][0]["n_treated"], 4);
    assert_eq!(run.json()["results"][0]["n_control"], 3);
}

#[test]
fn the_json_is_that_of_the_contract() {
    let run = folder().run(&format!(
        "estimate d.csv --estimator lin {ARMS} --outcome days --covariates age --json --quiet"
    ));
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let document = run.json();
    assert_eq!(
        keys(&document),
        ["schema", "results", "warnings", "provenance"]
    );
    assert_eq!(document["schema"], "lottning.estimates/1");
    assert_eq!(
        keys(&document["results"][0])[..16],
        [
            "estimator",
            "term",
            "measure",
            "estimate",
            "std_error",
            "std_error_scale",
            "statistic",
            "df",
            "p_value",
            "conf_low",
            "conf_high",
            "level",
            "n_treated",
            "n_control",
            "variance",
            "interval"
        ]
    );
    assert_eq!(document["results"][0]["term"], "iuh vs standard");
    let codes: Vec<&str> = document["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|warning| warning["code"].as_str())
        .collect();
    assert!(
        codes.contains(&"other-arms-dropped") && codes.contains(&"outcome-missing"),
        "{codes:?}"
    );
    assert!(codes.contains(&"covariate-missing"), "{codes:?}");
    assert_eq!(keys(&document["provenance"]), ["version", "data_sha256"]);
    let bytes = document["provenance"]["data_sha256"]
        .as_str()
        .unwrap()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap());
    assert!(bytes.eq(Sha256::digest(ROWS.join("\n") + "\n")));
    assert!(
        run.err.contains("warning[outcome-missing]"),
        "warnings are never silenced"
    );
    assert!(!run.err.contains("semicolons"), "notes are");
}

#[test]
fn the_same_data_in_every_dialect_give_the_same_numbers() {
    let folder = folder();
    let text = ROWS.join("\n") + "\n";
    let point = text.replace(',', ".");
    folder.file("comma.csv", point.replace(';', ","));
    folder.file("tab.csv", text.replace(';', "\t"));
    folder.file("crlf.csv", text.replace('\n', "\r\n"));
    folder.file("mark.csv", format!("\u{feff}{point}"));
    let latin = text.replace("iuh", "h\u{e5}").replace("days", "dagar");
    let latin: Vec<u8> = latin.chars().map(|c| u8::try_from(c).unwrap()).collect();
    folder.file("latin.csv", latin);
    let words = format!(
        "--estimator linear {ARMS} --outcome days --covariates age,site --format csv --quiet"
    );
    let wanted = folder.run(&format!("estimate d.csv {words}"));
    assert_eq!(wanted.exit, 0, "{}", wanted.err);
    for name in ["comma.csv", "tab.csv", "crlf.csv", "mark.csv"] {
        let run = folder.run(&format!("estimate {name} {words}"));
        assert_eq!(run.out, wanted.out, "{name}: {}", run.err);
    }
    let run = folder.run(
        "estimate latin.csv --estimator linear --arm arm --control standard --treated hå --outcome dagar --covariates age,site --format csv",
    );
    assert_eq!(run.out, wanted.out.replace("iuh", "hå"), "{}", run.err);
    assert!(run.err.contains("Windows-1252"), "announced: {}", run.err);
}

#[test]
fn standard_input_is_a_dash() {
    let arguments = format!("estimate - --estimator linear {ARMS} --outcome days --json");
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let run = folder().run_with(&arguments, ROWS.join("\n").as_bytes());
    assert_eq!(run.exit, 0, "{}", run.err);
    assert!(
        (number(&run, "estimate") + 10.8125).abs() < 1e-12,
        "no covariates: the same by hand"
    );
}

#[test]
fn counts_and_rows_agree() {
    let folder = Folder::new();
    let mut rows = "arm,y\n".to_owned();
    for (arm, events, units) in [("t", 28, 100), ("c", 41, 100)] {
        for unit in 0..units {
            rows += &[arm, if unit < events { ",1\n" } else { ",0\n" }].concat();
        }
    }
    folder.file("d.csv", rows);
    for interval in [
        "miettinen-nurminen",
        "mee",
        "newcombe",
        "wald",
        "agresti-caffo",
    ] {
        let counts = folder.run(&format!(
            "estimate --counts 28/100,41/100 --treated t --control c --estimator risk-difference --interval {interval} --json"
        ));
        let rows = folder.run(&format!(
            "estimate d.csv --arm arm --control c --outcome y --estimator risk-difference --interval {interval} --json"
        ));
        assert_eq!(counts.exit, 0, "{}", counts.err);
        assert_eq!(
            counts.json()["results"],
            rows.json()["results"],
            "{interval}"
        );
        assert!(counts.json()["provenance"]["data_sha256"].is_null());
    }
}

#[test]
fn swedish_has_a_decimal_comma_and_json_has_not() {
    let folder = Folder::new();
    let words = "estimate --counts 28/100,41/100 --estimator risk-difference --lang sv";
    let table = folder.run(words);
    assert!(
        table.out.contains("-0,1300") && table.out.contains("skattning"),
        "{}",
        table.out
    );
    let json = folder.run(&format!("{words} --json"));
    assert!((number(&json, "estimate") + 0.13).abs() < 1e-12);
}

#[test]
fn a_factor_needs_no_word() {
    let run = folder().run(&format!(
        "estimate d.csv --estimator linear {ARMS} --outcome days --covariates site --json"
    ));
    // By hand: y ~ arm + site, rows (arm, site, y): (1,a,31.5) (1,b,20.25) (0,a,40) (0,b,35) (1,a,22) (0,a,33) (1,b,27).
    // Within a: treated 31.5, 22 (mean 26.75), control 40, 33 (36.5); weight 2·2/4 = 1.
    // Within b: treated 20.25, 27 (23.625), control 35; weight 2·1/3 = 2/3.
    // The additive effect is the weighted mean of the differences: (−9.75·1 − 11.375·2/3)/(5/3) = −10.4.
    assert!(
        (number(&run, "estimate") + 10.4).abs() < 1e-12,
        "{}",
        run.err
    );
}

/// Two children a family, three families an arm. By hand: the means of the families are 6, 7.5 and 9 treated, 3.5, 11.5
/// and 4 control. CR2 is their own variance: (2.25 + 241/12)/3, with the four degrees of freedom of three against three.
#[test]
fn clusters_and_weights_have_their_columns() {
    let folder = Folder::new();
    let mut rows = "arm,y,family,w\n".to_owned();
    for (family, arm, a, b) in [
        ("f1", "t", 5, 7),
        ("f2", "t", 6, 9),
        ("f3", "c", 4, 3),
        ("f4", "t", 8, 10),
        ("f5", "c", 12, 11),
        ("f6", "c", 2, 6),
    ] {
        let lines = [a, b].map(|y| format!("{arm},{y},{family},2\n"));
        rows += &lines.concat();
    }
    folder.file("d.csv", rows);
    let words = "estimate d.csv --estimator linear --arm arm --control c --outcome y --cluster family --json";
    let run = folder.run(words);
    assert_eq!(run.exit, 0, "{}", run.err);
    let variance: f64 = (2.25 + 241.0 / 12.0) / 3.0;
    assert!((number(&run, "estimate") - 7.0 / 6.0).abs() < 1e-12);
    assert!((number(&run, "std_error") - variance.sqrt()).abs() < 1e-12);
    assert!((number(&run, "df") - 4.0).abs() < 1e-9);
    let row = &run.json()["results"][0];
    assert_eq!(
        (&row["variance"], &row["interval"]),
        (&"cr2".into(), &"t".into())
    );
    assert_eq!(
        (&row["n_treated"], &row["units_treated"]),
        (&6.into(), &3.into())
    );
    assert_eq!(row["units_control"], 3);
    assert!(run.err.contains("warning[few-clusters]"), "{}", run.err);
    // Equal weights are none.
    let weighted = folder.run(&format!("{words} --weights w"));
    assert_eq!(weighted.json()["results"], run.json()["results"]);
    // A row without its cluster, and a weight of zero, by row.
    folder.file(
        "bad.csv",
        "arm,y,family,w\nt,1,a,1\nt,2,,1\nc,3,b,0\nc,2,c,1\n",
    );
    let words = "estimate bad.csv --estimator lin --arm arm --control c --outcome y";
    for (option, code, hint) in [
        ("--cluster family", "group-missing", "row 3"),
        ("--weights w", "invalid-weight", "row 4"),
    ] {
        let run = folder.run(&format!("{words} {option}"));
        assert_eq!(run.exit, 4, "{}", run.err);
        assert!(
            run.err.contains(code) && run.err.contains(hint),
            "{}",
            run.err
        );
    }
}

/// Who received is a column of 0 and 1 or of the arms' names. By hand: the arm moves the outcome by 3 and receipt by 2/3.
#[test]
fn a_complier_effect_shows_its_set() {
    let folder = Folder::new();
    let mut rows = "arm,y,got,began\n".to_owned();
    for (arm, y, got) in [
        ("t", "8", "1"),
        ("t", "6", "1"),
        ("t", "4", "0"),
        ("c", "3", "0"),
        ("c", "5", "0"),
        ("c", "1", "0"),
    ] {
        let began = if got == "1" { "t" } else { "c" };
        rows += [arm, y, got, began].join(",").as_str();
        rows += "\n";
    }
    folder.file("d.csv", rows);
    let words =
        "estimate d.csv --estimator instrumental-variables --arm arm --control c --outcome y";
    let run = folder.run(&format!("{words} --received got --json"));
    assert_eq!(run.exit, 0, "{}", run.err);
    assert!((number(&run, "estimate") - 4.5).abs() < 1e-12);
    let set = &run.json()["results"][1];
    assert_eq!(
        (&set["set"], &set["interval"]),
        (&"line".into(), &"anderson-rubin".into())
    );
    assert!(set["conf_low"].is_null() && set["conf_high"].is_null());
    assert!(run.err.contains("warning[unbounded-set]"), "{}", run.err);
    let named = folder.run(&format!("{words} --received began --json"));
    assert_eq!(named.json()["results"], run.json()["results"]);
    let table = folder.run(&format!("{words} --received got --lang sv"));
    assert!(table.out.contains("alla tal"), "{}", table.out);
    let run = folder.run(words);
    assert_eq!(run.exit, 2);
    assert!(run.err.contains("--received"), "{}", run.err);
}

#[test]
fn wrong_usage_is_exit_2() {
    let folder = folder();
    let lin = format!("estimate d.csv --estimator lin {ARMS} --outcome days");
    let many = "estimate d.csv --estimator lin --arm arm --control standard --outcome days";
    for (words, code, hint) in [
        (
            format!("estimate d.csv --estimator linn {ARMS} --outcome days"),
            "unknown-estimator",
            "`lin`",
        ),
        (format!("{lin} --variance hc9"), "unknown-id", "`hc0`"),
        (format!("{lin} --df welhc"), "unknown-id", "`welch`"),
        (
            format!("{lin} --interval wald"),
            "option-not-used",
            "--interval",
        ),
        (format!("{lin} --ties efron"), "option-not-used", "--ties"),
        (
            format!("{lin} --cluster site --variance hc2"),
            "variance-and-cluster",
            "`cr2`",
        ),
        (
            format!("{lin} --variance cr2"),
            "variance-and-cluster",
            "--cluster",
        ),
        (
            format!("{lin} --cluster site --df bell-mccaffrey"),
            "options-clash",
            "cr2",
        ),
        (format!("{lin} --level 95"), "level-out-of-range", "0.95"),
        (format!("{lin} --level 0,95"), "invalid-value", "number"),
        (
            format!("{lin} --covariates days"),
            "conflicting-options",
            "once",
        ),
        (format!("{lin} --delimiter pipe"), "unknown-id", "semicolon"),
        (many.to_owned(), "missing-option", "iuh, other"),
        (
            format!("{many} --treated standard"),
            "conflicting-options",
            "same level",
        ),
        (
            "estimate d.csv --estimator lin --arm arm --control standard".into(),
            "missing-option",
            "--outcome",
        ),
        ("estimate --estimator lin".into(), "missing-option", "DATA"),
        (
            "estimate --counts 1/2 --estimator risk-difference".into(),
            "invalid-value",
            "28/100",
        ),
        (
            "estimate --counts 1/2,1/2 --estimator lin".into(),
            "counts-not-used",
            "rows",
        ),
        (
            "estimate d.csv --counts 1/2,1/2 --estimator risk-difference".into(),
            "conflicting-options",
            "--counts",
        ),
        (
            "estimate nowhere.csv --estimator lin --arm a --control b --outcome c".into(),
            "file",
            "nowhere.csv",
        ),
        (
            "estimate . --estimator lin --arm a --control b --outcome c".into(),
            "file",
            "folder",
        ),
    ] {
        let run = folder.run(&words);
        assert_eq!(run.exit, 2, "{words}: {}", run.err);
        assert!(run.out.is_empty(), "{words}");
        assert!(
            run.err.contains(&format!("error[{code}]: ")),
            "{words}: {}",
            run.err
        );
        assert!(run.err.contains(hint), "{words}: {}", run.err);
    }
}

#[test]
fn wrong_data_is_exit_4_with_row_and_column() {
    let folder = Folder::new();
    let words = "--estimator lin --arm arm --control c --treated t --outcome y --covariates x";
    for (name, bytes, code, hint) in [
        (
            "unknown column",
            "arm,z,x\nt,1,1\nc,2,2\n",
            "unknown-column",
            "`y`",
        ),
        (
            "wrong type",
            "arm,y,x\nt,1,1\nc,two,2\n",
            "not-a-number",
            "row 3, column `y`: `two`",
        ),
        (
            "thousands",
            "arm,y,x\nt,1 000,1\nc,2,2\n",
            "thousands-separator",
            "row 2, column `y`",
        ),
        (
            "unknown level",
            "arm,y,x\nT,1,1\nc,2,2\n",
            "unknown-level",
            "`T`",
        ),
        (
            "duplicate header",
            "arm,y,y\nt,1,1\n",
            "duplicate-header",
            "`y`",
        ),
        ("ragged row", "arm,y,x\nt,1\nc,2,2\n", "ragged-row", "row 2"),
        (
            "decimal comma in a comma file",
            "arm,y,x\nt,1,5,1\nc,2,2\n",
            "ragged-row",
            "decimal comma",
        ),
        ("empty file", "", "empty-file", "empty"),
        ("no rows", "arm,y,x\n", "no-rows", "header"),
        ("one arm", "arm,y,x\nc,1,1\nc,2,2\n", "unknown-level", "`t`"),
        (
            "ambiguous decimals",
            "arm;y;x\nt;1,5;1.5\nc;2;2\n",
            "decimal-ambiguous",
            "--decimal",
        ),
        (
            "ambiguous delimiter",
            "arm,y;x\nt,1;1\n",
            "delimiter-ambiguous",
            "--delimiter",
        ),
        (
            "unclosed quote",
            "arm,y,x\n\"t,1,1\nc,2,2\n",
            "unclosed-quote",
            "row 2",
        ),
        ("too few rows", "arm,y,x\nt,1,1\nc,2,2\n", "", "arm"),
    ] {
        folder.file("d.csv", bytes);
        let run = folder.run(&format!("estimate d.csv {words}"));
        assert_eq!(run.exit, 4, "{name}: {}", run.err);
        assert!(run.out.is_empty(), "{name}");
        assert!(
            run.err.contains(&format!("[{code}")) && run.err.contains(hint),
            "{name}: {}",
            run.err
        );
    }
    folder.file("d.csv", b"arm,y,x\nt,1,\xe5\nc,2,\xc3\xa5\n");
    let run = folder.run(&format!("estimate d.csv {words}"));
    assert_eq!(run.exit, 4, "{}", run.err);
    assert!(
        run.err.contains("encoding-ambiguous") && run.err.contains("--encoding"),
        "{}",
        run.err
    );
}

#[test]
fn all_findings_are_reported_at_once_and_in_json() {
    let folder = Folder::new();
    folder.file("d.csv", "arm,y\nt,x\nc,1\nt,z\nc,2\n");
    let run = folder
        .run("estimate d.csv --estimator lin --arm arm --control c --outcome y --json --quiet");
    let failure = run.failure();
    assert_eq!(failure["exit"], 4);
    let rows: Vec<u64> = failure["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["row"].as_u64())
        .collect();
    assert_eq!(rows, [2, 4]);
    let run = folder.run("estimate d.csv --estimator lin --arm a --control c --outcome b --covariates q --json --quiet");
    assert_eq!(run.failure()["diagnostics"].as_array().unwrap().len(), 3);
}

#[test]
fn rows_of_other_arms_are_not_judged() {
    let folder = Folder::new();
    folder.file(
        "d.csv",
        "arm,y,x\nt,1,1\nc,2,2\nt,3,5\nc,5,3\nother,bad,7\n,1,1\nt,2,2\nc,4,4\n",
    );
    let run = folder.run(
        "estimate d.csv --estimator linear --arm arm --control c --treated t --outcome y --covariates x --json",
    );
    assert_eq!(run.exit, 0, "{}", run.err);
    assert!(
        run.err.contains("other-arms-dropped") && run.err.contains("arm-missing"),
        "{}",
        run.err
    );
}

/// Times from a file as people have it: semicolons, a decimal comma, a missing time, a third arm.
#[test]
fn times_from_a_file() {
    let folder = Folder::new();
    let rows = [
        "arm;dagar;händelse;enhet",
        "iuh;1,0;1;a",
        "iuh;4,5;0;b",
        "iuh;;0;b",
        "standard;2,0;1;a",
        "standard;3,0;0;b",
        "other;3,0;7;b",
    ];
    folder.file("t.csv", rows.join("\n") + "\n");
    let times = "--time dagar --event händelse --json";
    let run = folder.run(&format!("estimate t.csv --estimator cox {ARMS} {times}"));
    assert_eq!(run.exit, 0, "{}", run.err);
    // By hand in tests/by_hand/survival.rs: the ratio is √2.
    assert!((number(&run, "estimate") - 2.0f64.sqrt()).abs() < 1e-12);
    let codes: Vec<String> = run.json()["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes, ["other-arms-dropped", "outcome-missing"]);
    let run = folder.run(&format!(
        "estimate t.csv --estimator cox {ARMS} --cluster enhet --variance model {times}"
    ));
    assert_eq!(run.exit, 2, "{}", run.err);
    assert!(run.err.contains("options-clash"));
    let run = folder.run(&format!(
        "estimate t.csv --estimator rmst {ARMS} --horizon 4 {times}"
    ));
    assert_eq!(run.exit, 4, "{}", run.err);
    assert!(run.err.contains("horizon-beyond-follow-up") && run.err.contains("standard"));
    let run = folder.run(&format!("estimate t.csv --estimator rmst {ARMS} {times}"));
    assert_eq!(run.exit, 2, "{}", run.err);
    folder.file("u.csv", rows.join("\n").replace("4,5;0", "4,5;2") + "\n");
    let run = folder.run(&format!(
        "estimate u.csv --estimator log-rank {ARMS} {times}"
    ));
    assert_eq!(run.exit, 4, "{}", run.err);
    assert!(run.err.contains("not-an-event-code"));
}

/// An interval without an end on one side shows the other, and says that there is none.
#[test]
fn an_interval_open_at_one_end_is_shown() {
    let folder = Folder::new();
    let ratio = "estimate --counts 5/56,0/29 --estimator risk-ratio";
    // Lower limit by R (tests/golden/risk-ratio): 0.717495078277114.
    let table = folder.run(ratio).out;
    assert!(table.contains("0.7175 to ∞"), "{table}");
    let table = folder.run(&format!("{ratio} --lang sv")).out;
    assert!(table.contains("0,7175 till ∞"), "{table}");
    let json = folder.run(&format!("{ratio} --json")).json();
    assert!(json["results"][0]["conf_high"].is_null());
    // Two rows in each arm: no shift is ever rejected at 5 % (the least p is 2/6, by hand).
    folder.file("four.csv", "arm,y\n1,4\n1,5\n0,1\n0,2.5\n");
    let table = folder
        .run("estimate four.csv --estimator rank-sum --arm arm --control 0 --outcome y")
        .out;
    assert!(table.contains("any number"), "{table}");
}
