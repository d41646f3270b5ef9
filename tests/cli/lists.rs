//! Lists for other systems, and lists made elsewhere.

use crate::process::Folder;
use std::path::Path;
use std::process::Command;

const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn lottning(folder: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .args(arguments)
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

fn draw(folder: &Path, arguments: &str) -> Ran {
    let mut words = vec!["draw"];
    words.extend(arguments.split_whitespace());
    lottning(folder, &words)
}

fn json(ran: &Ran) -> serde_json::Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn column(text: &str, place: usize) -> Vec<&str> {
    let cell = |line| -> &str { str::split(line, ',').nth(place).unwrap() };
    text.lines().skip(1).map(cell).collect()
}

/// The arms are those of the plain list, as codes; the header is the randomization field's name, which every version of
/// REDCap reads, or the first row of the template of REDCap 14.7 and later.
#[test]
fn a_list_has_the_form_of_redcaps_allocation_table() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let plain = draw(folder, &format!("--method big-stick --n 30 --seed {SEED}"));
    let own = draw(
        folder,
        &format!("--method big-stick --n 30 --seed {SEED} --redcap rand_group"),
    );
    assert_eq!(own.code, 0, "{}", own.err);
    assert_eq!(own.out.lines().next(), Some("rand_group"));
    let letters: Vec<&str> = column(&plain.out, 2);
    let codes: Vec<&str> = letters
        .iter()
        .map(|arm| if *arm == "a" { "1" } else { "2" })
        .collect();
    assert_eq!(column(&own.out, 0), codes);
    assert!(own.err.contains("warning[list-readable]"), "{}", own.err);
    let template = draw(
        folder,
        &format!(
            "--method big-stick --n 30 --seed {SEED} --arms 7,8 --redcap redcap_randomization_group"
        ),
    );
    assert_eq!(
        template.out.lines().next(),
        Some("redcap_randomization_number,redcap_randomization_group")
    );
    let numbers: Vec<String> = (1..=30).map(|n| n.to_string()).collect();
    assert_eq!(column(&template.out, 0), numbers);
    let codes: Vec<&str> = letters
        .iter()
        .map(|arm| if *arm == "a" { "7" } else { "8" })
        .collect();
    assert_eq!(column(&template.out, 1), codes);
}

/// So many rows for every stratum of the file; the data access group comes before the strata fields, as in the template;
/// a stratum's rows are its own list.
#[test]
fn every_stratum_of_the_file_gets_its_list() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(
        folder.join("strata.csv"),
        "sex,redcap_data_access_group\n1,1330\n2,1330\n1,1331\n1,1330\n",
    )
    .unwrap();
    let command = format!(
        "--method random-allocation --strata strata.csv --by sex,redcap_data_access_group --seed {SEED}"
    );
    let ran = draw(
        folder,
        &format!("{command} --n 8 --redcap redcap_randomization_group"),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        ran.out.lines().next(),
        Some("redcap_randomization_number,redcap_randomization_group,redcap_data_access_group,sex")
    );
    let strata: Vec<String> = ran
        .out
        .lines()
        .skip(1)
        .map(|line| line.splitn(3, ',').nth(2).unwrap().to_owned())
        .collect();
    let mut expected = vec!["1330,1".to_owned(); 8];
    expected.extend(vec!["1330,2".to_owned(); 8]);
    expected.extend(vec!["1331,1".to_owned(); 8]);
    assert_eq!(strata, expected);
    // One block of eight in each: the method knows how long a list is.
    for list in column(&ran.out, 1).chunks(8) {
        assert_eq!(list.iter().filter(|code| **code == "1").count(), 4);
    }
    // Without --n, a row for each row of the file; the arms are those of the plain list.
    let rows = draw(
        folder,
        &format!(
            "{} --redcap rand_group",
            command.replace("random-allocation", "simple")
        ),
    );
    let plain = draw(folder, &command.replace("random-allocation", "simple"));
    let letters: Vec<&str> = column(&plain.out, 2);
    let codes: Vec<&str> = letters
        .iter()
        .map(|arm| if *arm == "a" { "1" } else { "2" })
        .collect();
    assert_eq!(column(&rows.out, 0), codes);
    assert_eq!(
        rows.out.lines().next(),
        Some("rand_group,redcap_data_access_group,sex")
    );
    let table = json(&draw(
        folder,
        &format!("{command} --n 4 --redcap rand_group --json"),
    ));
    assert_eq!(table["schema"], "lottning.redcap/1");
    assert_eq!(
        table["columns"],
        serde_json::json!(["rand_group", "redcap_data_access_group", "sex"])
    );
    assert_eq!(table["rows"].as_array().unwrap().len(), 12);
    assert_eq!(table["warnings"][0]["code"], "list-readable");
}

#[test]
fn what_redcap_would_not_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(
        folder.join("strata.csv"),
        "sex,Site\nfemale,1\nkvinna å,2\n",
    )
    .unwrap();
    for (arguments, code, said) in [
        ("--method simple --n 4 --redcap RandGroup", 2, "RandGroup"),
        (
            "--method simple --n 4 --redcap rand --arms IUH,standard_care,x",
            0,
            "",
        ),
        (
            "--method simple --n 4 --redcap rand --arms iuh,vanlig-hjälp",
            2,
            "coded value",
        ),
        (
            "--method simple --strata strata.csv --by Site --redcap rand",
            2,
            "`Site`",
        ),
        (
            "--method simple --strata strata.csv --by sex --redcap rand",
            4,
            "kvinna å",
        ),
        (
            "--method simple --n 4 --redcap rand --characteristics",
            2,
            "--characteristics",
        ),
        (
            "--method simple --strata strata.csv --by sex --n 4",
            2,
            "`--n`",
        ),
        (
            "--method minimization --factors sex --n 4 --redcap rand",
            2,
            "depends on who comes",
        ),
    ] {
        let ran = draw(folder, &format!("{arguments} --seed {SEED}"));
        assert_eq!(ran.code, code, "{arguments}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments}: {}", ran.err);
    }
}

/// aaabbb in the north: coin ½, twice wrong, three times right: 3½ of 6. abab in the south: two coins, two right: 3 of 4.
/// Over all, in the order of the file (n n n s n s n n s s): a a a a b b b b a b: |D| reaches 4 and ends at 0.
const LIST: &str = "centre;group\nnorth;a\nnorth;a\nnorth;a\nsouth;a\nnorth;b\nsouth;b\nnorth;b\nnorth;b\nsouth;a\nsouth;b\n";

#[test]
fn a_list_made_elsewhere_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("list.csv"), LIST).unwrap();
    let found = json(&draw(
        folder,
        "--list list.csv --arm group --by centre --json",
    ));
    assert_eq!(found["schema"], "lottning.assessment/1");
    assert_eq!(found["arms"], serde_json::json!(["a", "b"]));
    assert_eq!(found["possible"], serde_json::Value::Null);
    let (north, south, all) = (&found["strata"][0], &found["strata"][1], &found["total"]);
    assert_eq!(north["stratum"], "north");
    assert_eq!(north["counts"], serde_json::json!({"a": 3, "b": 3}));
    assert_eq!(north["correct_guesses"], 3.5);
    assert_eq!(north["largest_imbalance"], 3.0);
    assert_eq!(north["longest_run"], 3);
    assert_eq!(south["correct_guess_share"], 0.75);
    assert_eq!(
        (&south["largest_imbalance"], &south["longest_run"]),
        (&1.0.into(), &1.into())
    );
    assert_eq!(all["n"], 10);
    assert_eq!(all["correct_guesses"], 6.5);
    assert_eq!(all["by_chance"], 0.5);
    assert_eq!(
        (&all["final_imbalance"], &all["largest_imbalance"]),
        (&0.0.into(), &4.0.into())
    );
    assert_eq!(all["longest_run"], 4);
    // In one list, without strata, the same rows are guessed otherwise.
    let one = json(&draw(folder, "--list list.csv --arm group --by= --json"));
    assert_eq!(one["strata"].as_array().unwrap().len(), 1);
    let table = draw(folder, "--list list.csv --arm group --by centre");
    assert!(
        table.out.contains("65.0 %") && table.out.contains("north"),
        "{}",
        table.out
    );
}

/// Behind 400 rows of 5:3 too much is hidden: nothing is claimed of them, and it is said.
#[test]
fn a_list_that_cannot_be_followed_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows = "a\na\nb\na\na\nb\na\nb\n".repeat(50);
    std::fs::write(folder.join("list.csv"), format!("arm\n{rows}")).unwrap();
    let ran = draw(
        folder,
        "--list list.csv --arms a,b --ratio 5:3 --method truncated-binomial --json",
    );
    let found = json(&ran);
    for own in [&found, &found["total"], &found["strata"][0]] {
        assert!(own["possible"].is_null(), "{own}");
    }
    assert!(found["total"]["first_impossible_row"].is_null());
    assert!(ran.err.contains("list-not-followed"), "{}", ran.err);
}

/// Rows as a spreadsheet counts them: the header is row 1. In blocks of four the north's third a in a row (row 4) has no place.
#[test]
fn a_list_is_held_against_a_method() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("list.csv"), LIST).unwrap();
    let ran = draw(
        folder,
        "--list list.csv --arm group --by centre --method permuted-block --json",
    );
    let found = json(&ran);
    assert_eq!(found["possible"], false);
    assert_eq!(found["total"]["first_impossible_row"], 4);
    assert_eq!(found["strata"][1]["possible"], true);
    assert!(ran.err.contains("row 4"), "{}", ran.err);
    for (method, possible) in [
        ("big-stick", true),
        ("big-stick --max-imbalance 2", false),
        ("truncated-binomial", true),
        ("maximal --max-imbalance 3", true),
        ("maximal --max-imbalance 2", false),
        ("permuted-block --block-lens 2,6", true), // the north is one block of six, the south two of two
    ] {
        let command = format!("--list list.csv --arm group --by centre --method {method} --json");
        assert_eq!(
            json(&draw(folder, &command))["possible"],
            possible,
            "{method}"
        );
    }
}

/// What this program drew is possible under the method that drew it, in its own form and in REDCap's, found by their columns.
#[test]
fn own_lists_and_redcaps_are_read_without_being_told_the_columns() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("strata.csv"), "sex\n1\n2\n").unwrap();
    for method in [
        "permuted-block --block-lens 2,4,6",
        "random-allocation",
        "big-stick",
        "biased-coin --bias 1",
        "truncated-binomial",
        "maximal",
    ] {
        let command = format!(
            "--method {method} --strata strata.csv --by sex --n 60 --redcap redcap_randomization_group --seed {SEED}"
        );
        std::fs::write(folder.join("redcap.csv"), draw(folder, &command).out).unwrap();
        let found = json(&draw(
            folder,
            &format!("--list redcap.csv --method {method} --json"),
        ));
        assert_eq!(found["possible"], true, "{method}");
        assert_eq!(found["strata"].as_array().unwrap().len(), 2, "{method}");
        assert_eq!(found["total"]["n"], 120);
        let plain = draw(folder, &format!("--method {method} --n 60 --seed {SEED}"));
        std::fs::write(folder.join("plain.csv"), plain.out).unwrap();
        let found = json(&draw(
            folder,
            &format!("--list plain.csv --method {method} --json"),
        ));
        assert_eq!(
            (&found["possible"], &found["total"]["n"]),
            (&true.into(), &60.into()),
            "{method}"
        );
    }
}

#[test]
fn lists_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("list.csv"), LIST).unwrap();
    std::fs::write(folder.join("gap.csv"), "arm\na\n\nb\nNA\n").unwrap();
    for (arguments, code, said) in [
        ("--list list.csv", 2, "`--arm` is missing"),
        ("--list list.csv --arm grupp", 4, "grupp"),
        (
            "--list list.csv --arm group --by centre --arms a,c",
            4,
            "none of the arms",
        ),
        (
            "--list list.csv --arm group",
            2,
            "whether `centre` make the strata is not known: `--by` is missing",
        ),
        (
            "--list list.csv --arm group --by= --ratio 1:1:1",
            2,
            "3 parts",
        ),
        (
            "--list list.csv --arm group --block-len 4",
            2,
            "`--block-len` belongs to a method",
        ),
        (
            "--list list.csv --arm group --method permuted --json",
            2,
            "permuted",
        ),
        (
            "--list list.csv --arm group --method minimization --factors centre",
            2,
            "balances factors",
        ),
        ("--list list.csv --arm group --n 4", 2, "--n"),
        (
            "--list list.csv --arm group --method maximal --by centre --list-len 7",
            2,
            "use 6 or 8",
        ),
        ("--list gap.csv", 4, "row 5"),
        ("--arm group --method simple --n 4", 2, "--list"),
    ] {
        let ran = draw(folder, arguments);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (code, ""),
            "{arguments}: {}",
            ran.err
        );
        assert!(ran.err.contains(said), "{arguments}: {}", ran.err);
    }
}

/// (`p/q`, `r`) and (`p`, `q/r`) are two strata, each with its list of two places; together they would be a a b b.
#[test]
fn levels_with_a_slash_are_strata_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows = "x,y,arm\np/q,r,a\np,q/r,a\np/q,r,b\np,q/r,b\n";
    std::fs::write(folder.join("slash.csv"), rows).unwrap();
    let found = json(&draw(
        folder,
        "--list slash.csv --arm arm --by x,y --method permuted-block --block-len 2 --json",
    ));
    assert_eq!(found["possible"], true);
    assert_eq!(found["strata"][0]["stratum"], r"p\/q/r");
    assert_eq!(found["strata"][1]["stratum"], r"p/q\/r");
    let list = draw(
        folder,
        &format!("--method simple --strata slash.csv --by x,y --seed {SEED}"),
    );
    assert_eq!(
        column(&list.out, 1),
        [r"p\/q/r", r"p/q\/r", r"p\/q/r", r"p/q\/r"]
    );
}

/// Codes in the order of numbers: 1, 2, 10; which of them has which part of an unequal ratio is never guessed.
#[test]
fn codes_are_in_the_order_of_numbers_and_unequal_parts_need_named_arms() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("codes.csv"), "arm\n10\n2\n1\n1\n").unwrap();
    let found = json(&draw(folder, "--list codes.csv --json"));
    assert_eq!(found["arms"], serde_json::json!(["1", "2", "10"]));
    let ran = draw(folder, "--list codes.csv --ratio 2:1:1");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("`--arms 1,2,10`"), "{}", ran.err);
    let found = json(&draw(
        folder,
        "--list codes.csv --ratio 2:1:1 --arms 1,2,10 --json",
    ));
    assert_eq!(found["total"]["final_imbalance"], 0.0);
}

#[test]
fn redcaps_own_columns_stand_once_and_groups_are_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows = "sex,redcap_data_access_group,redcap_randomization_number,sexx\n1,north,1,1\n";
    std::fs::write(folder.join("strata.csv"), rows).unwrap();
    let by = |names: &str| format!("--strata strata.csv --by {names} --redcap");
    for (arguments, code, said) in [
        (format!("{} sex", by("sex")), 2, "`sex`"),
        (
            format!("{} redcap_randomization_number", by("sex")),
            2,
            "keeps",
        ),
        (
            format!("{} redcap_data_access_group", by("sex")),
            2,
            "keeps",
        ),
        (
            format!("{} rand", by("redcap_randomization_number")),
            2,
            "twice",
        ),
        (format!("{} rand", by("sex,sex")), 2, "twice"),
        (
            format!("{} rand", by("redcap_data_access_group")),
            4,
            "`north`",
        ),
    ] {
        let ran = draw(
            folder,
            &format!("--method simple {arguments} --seed {SEED}"),
        );
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (code, ""),
            "{arguments}: {}",
            ran.err
        );
        assert!(ran.err.contains(said), "{arguments}: {}", ran.err);
        assert!(ran.err.contains("help:"), "{arguments}: {}", ran.err);
    }
}

#[test]
fn advice_names_no_column_that_is_in_use_and_no_ratio_that_nobody_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("list.csv"), "site,group\n1,a\n2,a\n").unwrap();
    let ran = draw(folder, "--list list.csv --arm group --by site,sit");
    assert_eq!(ran.code, 4);
    assert!(!ran.err.contains("did you mean `site`"), "{}", ran.err);
    let ran = draw(folder, "--list list.csv --arm group");
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("same arm in every row"), "{}", ran.err);
    assert!(!ran.err.contains("ratio"), "{}", ran.err);
    json(&draw(
        folder,
        "--list list.csv --arm group --arms a,b --json",
    ));
}

/// REDCap's table with the record that somebody joined to it: every row would be a stratum of its own, of which nothing can be guessed
/// (50 %). By site, in two strata of four, of 1, 2, 1, 2 and 1, 2, 2, 1 (blocks of four) the second, the fourth and half of the others
/// are: 75 %, by hand.
#[test]
fn a_record_beside_each_row_of_redcaps_table_is_no_stratum() {
    let folder = Folder::new();
    let rows = "1,1,1,1\n2,2,2,1\n3,3,1,1\n4,4,2,1\n5,5,1,2\n6,6,2,2\n7,7,2,2\n8,8,1,2\n";
    folder.file(
        "record.csv",
        format!("record_id,redcap_randomization_number,redcap_randomization_group,site\n{rows}"),
    );
    let refused = folder.run("draw --list record.csv");
    assert_eq!(refused.exit, 2, "{}", refused.out);
    assert!(refused.err.contains("`--by` is missing"), "{}", refused.err);
    assert!(refused.err.contains("record_id"), "{}", refused.err);
    assert!(refused.err.contains("`--by site`"), "{}", refused.err);
    let by_site = folder.run("draw --list record.csv --by site --json");
    assert_eq!(by_site.exit, 0, "{}", by_site.err);
    let found = by_site.json();
    assert_eq!(found["strata"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["total"]["correct_guess_share"], 0.75);
}
