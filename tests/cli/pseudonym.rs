//! `pseudonym`: the worked example, one pseudonym for every form of a number, and no number anywhere.

use super::personal_numbers::official;
use super::place::{IUH, Place};
use super::process::{Folder, Run};

/// The key of the worked example in `docs/pseudonyms.md`: the bytes 0 to 31.
const KEY: &str =
    "lottning-pseudonym-key/1\n000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

fn keyed() -> Folder {
    let folder = Folder::new();
    secret(&folder, "key", KEY);
    folder
}

fn secret(folder: &Folder, name: &str, text: &str) {
    let path = folder.file(name, text);
    private(&path);
}

#[cfg(unix)]
fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &std::path::Path) {}

fn run(folder: &Folder, more: &str, input: &str) -> Run {
    let words = format!("pseudonym --key key --study-id iuh-2025 {more}");
    let words: Vec<&str> = words.split_whitespace().collect();
    folder.run_with(&words, input.as_bytes())
}

fn column(answer: &Run) -> Vec<&str> {
    assert_eq!(answer.exit, 0, "{}", answer.err);
    answer.out.lines().skip(1).collect()
}

/// No digits of a number in what a run says, and not the words beside it either.
fn silent(answer: &Run, number: &str) {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    for text in [&answer.out, &answer.err] {
        assert!(!text.contains(number), "{text}");
        assert!(!digits(text).contains(&digits(number)), "{text}");
    }
}

/// The page's table, computed with Python's `hmac`: `docs/pseudonyms.md` says so.
#[test]
fn the_worked_example_of_the_page_is_answered() {
    let page = include_str!("../../docs/pseudonyms.md");
    let folder = keyed();
    let mut rows = 0;
    for row in page.lines().filter(|row| row.starts_with("| `")) {
        let cells: Vec<&str> = row
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let (number, pseudonym) = (cells[1], cells[4]);
        let answer = if number.starts_with('M') {
            run(&folder, &format!("--manual {number}"), "")
        } else {
            run(&folder, "", number)
        };
        assert_eq!(column(&answer), [pseudonym]);
        rows += 1;
    }
    assert_eq!(rows, 3);
}

#[test]
fn every_form_of_a_number_gives_one_pseudonym_and_no_two_numbers_the_same() {
    let folder = keyed();
    let mut all = std::collections::BTreeSet::new();
    for number in official() {
        let (date, last) = number.split_at(8);
        // On this day those born in 1926 or before have a plus in the short form.
        let old = number[..4].parse::<u32>().unwrap() <= 1926;
        let sign = if old { '+' } else { '-' };
        let mut forms = vec![
            number.to_owned(),
            format!("{date}-{last}"),
            format!("  {date} {last}  "),
            format!("{date}.{last}"),
            format!("{date}\u{2013}{last}"),
            format!("{}-{}-{}-{last}", &date[..4], &date[4..6], &date[6..]),
            format!("{}{sign}{last}", &date[2..]),
        ];
        if !old {
            forms.push(number[2..].to_owned());
        }
        let answer = run(&folder, "--on 2026-11-25", &forms.join("\n"));
        let made: std::collections::BTreeSet<&str> = column(&answer).into_iter().collect();
        assert_eq!(made.len(), 1, "{number}");
        let own = made.first().copied().unwrap();
        assert!(lottning::study::identifiers::is_pseudonym(own));
        assert!(all.insert(own.to_owned()), "{number}");
        silent(&answer, number);
    }
    assert_eq!(all.len(), 15);
}

#[test]
fn a_key_is_made_once_private_and_used_only_so() {
    let folder = Folder::new();
    let made = folder.run("pseudonym --new-key keys/own --json");
    assert_eq!(made.exit, 0, "{}", made.err);
    assert_eq!(made.json()["key_file"], "keys/own");
    let text = std::fs::read_to_string(folder.path().join("keys/own")).unwrap();
    let (first, digits) = text.split_once('\n').unwrap();
    assert_eq!((first, digits.len()), ("lottning-pseudonym-key/1", 65));
    assert!(!made.out.contains(digits.trim()) && !made.err.contains(digits.trim()));
    let again = folder.run("pseudonym --new-key keys/own --json");
    assert_eq!(
        (again.exit, again.failure()["code"].as_str()),
        (7, Some("exists"))
    );
    let kept = std::fs::read_to_string(folder.path().join("keys/own")).unwrap();
    assert_eq!(kept, text);
    let words = "pseudonym --key keys/own --study-id iuh-2025";
    let words: Vec<&str> = words.split(' ').collect();
    let used = folder.run_with(&words, official()[0].as_bytes());
    assert_eq!(used.exit, 0, "{}", used.err);
    folder.file("bad", "not a key\n");
    private(&folder.path().join("bad"));
    for (key, exit, code) in [("bad", 4, "key-invalid"), ("missing", 2, "file")] {
        let words = format!("pseudonym --key {key} --study-id iuh-2025 --manual M-1 --json");
        let refused = folder.run(&words);
        assert_eq!(
            (refused.exit, refused.failure()["code"].as_str()),
            (exit, Some(code))
        );
    }
}

#[test]
fn a_seed_is_no_key_and_a_key_is_no_seed() {
    let place = Place::open(IUH);
    let words = "pseudonym --key keys/seed --study-id iuh-2025 --manual M-1";
    private(&place.path("keys/seed"));
    let refused = place.run(words);
    assert!(
        refused.err.contains("keys/seed is a seed file"),
        "{}",
        refused.err
    );
    let next = "the first line `lottning-pseudonym-key/1`";
    assert!(refused.err.contains(next), "{}", refused.err);
    refused.refused(4, "key-invalid");
    place.write("keys/own", KEY);
    private(&place.path("keys/own"));
    place.write(
        "p.toml",
        std::fs::read(place.path("study/protocol.toml")).unwrap(),
    );
    let confirm = place.confirm();
    for words in [
        "verify --study study --seed-file keys/own".to_owned(),
        format!("open p.toml --study other --seed-file keys/own --confirm {confirm} --actor a"),
    ] {
        let refused = place.run(&words);
        let says = "keys/own is the key of pseudonyms, not a seed file";
        assert!(refused.err.contains(says), "{words}: {}", refused.err);
        refused.refused(9, "seed-invalid");
    }
    assert!(!place.path("other/ledger.sqlite").exists());
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = keyed();
    for mode in [0o640, 0o604, 0o660] {
        let path = folder.path().join("key");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = run(&folder, "--json", official()[0]);
        let code = refused.failure()["code"].clone();
        assert_eq!((refused.exit, code.as_str()), (7, Some("key-not-private")));
        assert_eq!(refused.out, "");
    }
}

#[test]
fn a_key_inside_a_study_is_neither_made_nor_used() {
    let place = Place::open(IUH);
    let inside = ["study/key", "study/deep/er/key", "study/../study/key"];
    for path in inside {
        let refused = place.run(&format!("pseudonym --new-key {path}"));
        refused.refused(7, "key-inside-study");
        assert!(!place.path(path).exists());
    }
    place.write("study/key", KEY);
    private(&place.path("study/key"));
    let words = "pseudonym --key study/key --study-id iuh-2025 --manual M-1";
    place.run(words).refused(7, "key-inside-study");
    // A name for it elsewhere leads to the same place.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(place.path("study/key"), place.path("link")).unwrap();
        let words = "pseudonym --key link --study-id iuh-2025 --manual M-1";
        place.run(words).refused(7, "key-inside-study");
    }
}

#[test]
fn a_file_comes_back_with_the_named_columns_replaced() {
    let folder = keyed();
    folder.file(
        "f.csv",
        "site;child_number;guardian;note\nrinkeby;20000101-2384;191212121212;a,b\nspanga;200001012392;19121212-1212;\n",
    );
    let answer = run(
        &folder,
        "--from f.csv --column child_number --column guardian --quiet",
        "",
    );
    let alone = |number| column(&run(&folder, "", number))[0].to_owned();
    let (first, second) = (alone("200001012384"), alone("200001012392"));
    assert_eq!(
        answer.out,
        format!(
            "site,child_number,guardian,note\n\
             rinkeby,{first},{guardian},\"a,b\"\n\
             spanga,{second},{guardian},\n",
            guardian = "XRFB-YNDG-RAHF-DJXO-BPPI-MVZV-PYGS"
        )
    );
    let json = run(
        &folder,
        "--from f.csv --column child_number --column guardian --json",
        "",
    )
    .json();
    assert_eq!(json["schema"], "lottning.pseudonyms/1");
    assert_eq!(json["study"], "iuh-2025");
    assert_eq!(json["rows"][1]["child_number"], second.as_str());
    assert_eq!(json["rows"][1]["note"], serde_json::Value::Null);
}

#[test]
fn what_is_refused_is_named_by_row_and_column_and_never_repeated() {
    let folder = keyed();
    let lines = "200001012384\n\n200001012383\n20000230-2397\n20000101T238\n990001012384\nx\n";
    let refused = run(&folder, "--json", lines);
    assert_eq!((refused.exit, refused.out.as_str()), (4, ""));
    let failure = refused.failure();
    let findings = failure["diagnostics"].as_array().unwrap();
    let rows: Vec<i64> = findings
        .iter()
        .map(|finding| finding["row"].as_i64().unwrap())
        .collect();
    assert_eq!(rows, [3, 4, 5, 6, 7], "{failure}");
    for line in lines.lines().filter(|line| line.len() > 1) {
        silent(&refused, line);
    }
    folder.file(
        "f.csv",
        "site,number\nrinkeby,200001012383\n191212121212,200001012384\nrinkeby,\n",
    );
    let refused = run(&folder, "--from f.csv --column number --json", "");
    let failure = refused.failure();
    let findings: Vec<(String, i64, String)> = failure["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap().to_owned();
            (
                text("code"),
                finding["row"].as_i64().unwrap(),
                text("column"),
            )
        })
        .collect();
    let wanted = [
        ("personal-number", 3, "site"),
        ("not-canonical", 2, "number"),
        ("not-canonical", 4, "number"),
    ];
    let wanted = wanted.map(|(code, row, column)| (code.to_owned(), row, column.to_owned()));
    assert_eq!(findings, wanted);
    for number in ["200001012383", "191212121212", "200001012384"] {
        silent(&refused, number);
    }
    assert_eq!(run(&folder, "", "").exit, 4, "no number at all");
    // However it is spelled, a number in a column that was not named is not written out.
    for cell in [
        "19.12.12.12.1212",
        "12-12-12-1212",
        "case 1719121212121299",
        "19121212T123",
    ] {
        folder.file(
            "f.csv",
            format!("site,number\nx,200001012384\n{cell},200001012392\n"),
        );
        let refused = run(&folder, "--from f.csv --column number --json", "");
        assert_eq!((refused.exit, refused.out.as_str()), (4, ""));
        let finding = &refused.failure()["diagnostics"][0];
        assert_eq!(
            (
                finding["code"].as_str(),
                finding["row"].as_i64(),
                finding["column"].as_str()
            ),
            (Some("personal-number"), Some(3), Some("site"))
        );
        silent(&refused, cell);
    }
}

#[test]
fn a_number_on_the_command_line_is_never_taken_and_never_repeated() {
    let folder = keyed();
    for number in official() {
        for form in [
            number.to_owned(),
            format!("{}-{}", &number[2..8], &number[8..]),
        ] {
            for more in [
                form.clone(),
                format!("--manual {form}"),
                format!("--manual=x{form}"),
                format!("--from f.csv --column {form}"),
                format!("--from {form} --column number"),
                format!("--on {form}"),
                format!("--rekey {form}"),
            ] {
                folder.file("f.csv", "number\n200001012384\n");
                let refused = run(&folder, &more, "");
                assert!([2, 4].contains(&refused.exit), "{more}: {}", refused.exit);
                silent(&refused, number);
                silent(&refused, &form);
            }
            let words = format!("pseudonym --key {form} --study-id iuh-2025 --manual M-1");
            silent(&folder.run(&words), number);
            let words = format!("pseudonym --key key --study-id {form} --manual M-1");
            silent(&folder.run(&words), number);
            let words = format!("pseudonym --new-key missing/{form}/../key");
            silent(&folder.run(&words), number);
        }
    }
    // Mistyped and interim numbers are no study numbers either.
    for text in ["191212121213", "20000101T238"] {
        let refused = run(&folder, &format!("--manual {text} --json"), "");
        assert_eq!(
            (refused.exit, refused.failure()["code"].as_str()),
            (4, Some("not-a-study-number"))
        );
        silent(&refused, text);
    }
}

#[test]
fn study_numbers_have_a_label_of_their_own_and_come_by_line_or_column_too() {
    let folder = keyed();
    let one = column(&run(&folder, "--manual M-17", ""))[0].to_owned();
    assert_eq!(column(&run(&folder, "--manual", "M-17\n M-18 \n"))[0], one);
    folder.file("f.csv", "child,age\nM-17,3\n");
    let answer = run(&folder, "--from f.csv --column child --manual", "");
    assert_eq!(column(&answer), [format!("{one},3")]);
    let both = run(&folder, "--from f.csv --column child --manual M-17", "");
    assert_eq!(both.exit, 2);
    // Small letters are as capitals, so that one person has one pseudonym.
    assert_eq!(column(&run(&folder, "--manual m-17", ""))[0], one);
    for blank in ["", " ", "M 17", "M-17 x"] {
        let words = [
            "pseudonym",
            "--key",
            "key",
            "--study-id",
            "iuh-2025",
            "--manual",
            blank,
            "--json",
        ];
        let refused = folder.run_with(&words, b"M-17\n");
        let code = refused.failure()["code"].clone();
        assert_eq!(
            (refused.exit, code.as_str()),
            (4, Some("not-a-study-number")),
            "{blank:?}"
        );
    }
    let blank = run(&folder, "--from f.csv --column child --manual= --json", "");
    assert_eq!(blank.exit, 2);
}

#[test]
fn another_key_gives_a_map_from_old_to_new_without_a_number() {
    let folder = keyed();
    secret(&folder, "new", &KEY.replace("00010203", "ff010203"));
    let numbers = "200001012384\n191212121212\n20000101-2384\n";
    let answer = run(&folder, "--rekey new", numbers);
    let old = column(&run(&folder, "", numbers)).join("\n");
    let old: Vec<&str> = old.lines().collect();
    let fresh = folder.run_with(
        &["pseudonym", "--key", "new", "--study-id", "iuh-2025"],
        numbers.as_bytes(),
    );
    let fresh = column(&fresh);
    assert!(answer.out.starts_with("old,new\n"));
    // Each pair once, in the order of arrival; the third line is the first person again.
    let wanted = [0, 1].map(|row| format!("{},{}", old[row], fresh[row]));
    assert_eq!(column(&answer), wanted);
    folder.file("f.csv", "a,b\n1,200001012384\n2,200001012384\n");
    let answer = run(&folder, "--rekey new --from f.csv --column b", "");
    assert_eq!(column(&answer), &wanted[..1]);
    silent(&answer, "200001012384");
}

/// A byte-order mark before the first number is none of it, and a key does not replace itself.
#[test]
fn a_mark_of_the_encoding_is_no_part_of_a_number_and_a_key_does_not_replace_itself() {
    let folder = keyed();
    let number = official()[0];
    let plain = run(&folder, "", number);
    let marked = run(&folder, "", &format!("\u{feff}{number}\r\n"));
    assert_eq!(column(&marked), column(&plain), "{}", marked.err);
    secret(&folder, "copy", KEY);
    for same in ["key", "copy"] {
        let refused = run(&folder, &format!("--rekey {same}"), number);
        assert_eq!(refused.exit, 7, "{}", refused.err);
        assert!(refused.err.contains("[key-unchanged]"), "{}", refused.err);
        assert!(refused.out.is_empty());
        silent(&refused, number);
    }
}

/// The column of children as `enrol --from` reads it: none, one or several of them.
#[test]
fn a_cell_of_children_may_hold_none_or_several() {
    let folder = keyed();
    folder.file(
        "f.csv",
        "family,child\n191212121212,20000101-2384 200001012392\n191212121212,NA\n191212121212,\n191212121212,20000101-2384\n",
    );
    let answer = run(
        &folder,
        "--from f.csv --column family --column child --quiet",
        "",
    );
    let alone = |number| column(&run(&folder, "", number))[0].to_owned();
    let [house, first, second] = ["191212121212", "200001012384", "200001012392"].map(alone);
    assert_eq!(
        answer.out,
        format!("family,child\n{house},{first} {second}\n{house},\n{house},\n{house},{first}\n")
    );
    // A family has a number, and a column of another name one number in each cell.
    folder.file(
        "g.csv",
        "family,sibling\n191212121212,20000101-2384 200001012392\n,20000101-2384\n",
    );
    let refused = run(
        &folder,
        "--from g.csv --column family --column sibling --quiet",
        "",
    );
    assert_eq!(refused.exit, 4);
    for place in ["row 2, column `sibling`", "row 3, column `family`"] {
        assert!(refused.err.contains(place), "{}", refused.err);
    }
}
