//! An option that would have no effect is refused (exit 2) with what to do, never passed over in silence.

use super::place::{Place, two_arms};
use super::process::Folder;

const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[test]
fn options_of_a_file_are_refused_where_none_is_read() {
    let folder = Folder::new();
    for option in ["--delimiter comma", "--decimal comma", "--encoding utf-8"] {
        let flag = option.split_once(' ').unwrap().0;
        for (command, instead) in [
            (
                format!("draw --method simple --n 4 --seed {SEED}"),
                "`--list`",
            ),
            (
                format!(
                    "draw --method simple --n 4 --seed {SEED} --characteristics --replicates 4"
                ),
                "`--strata`",
            ),
            (
                format!("draw --method simple --n 4 --seed {SEED} --redcap grp"),
                "`--strata`",
            ),
            (
                "estimate --counts 3/10,5/10 --estimator risk-difference".to_owned(),
                "DATA.csv",
            ),
            ("pseudonym --new-key k".to_owned(), "`--from`"),
            (
                "pseudonym --key k --study-id s --manual 12".to_owned(),
                "`--from`",
            ),
            (
                "enrol --site north --family FA-A --report-key K --received 2025-03-01 \
                 --seed-file s --actor intake --study nowhere"
                    .to_owned(),
                "`--from`",
            ),
        ] {
            let ran = folder.run(&format!("{command} {option}"));
            assert_eq!(
                (ran.exit, ran.out.as_str()),
                (2, ""),
                "{command} {option}: {}",
                ran.err
            );
            let said = format!("error[option-not-used]: `{flag}`");
            assert!(
                ran.err.contains(&said) && ran.err.contains(instead),
                "{}",
                ran.err
            );
        }
    }
    assert!(!folder.path().join("k").exists(), "no key was made");
}

#[test]
fn options_of_a_file_are_taken_where_one_is_read() {
    let folder = Folder::new();
    folder.file("s.csv", "site;sex\nnorth;1\nsouth;2\n");
    let words = format!("draw --method simple --strata s.csv --by site --seed {SEED}");
    let plain = folder.run(&words);
    let told = folder.run(&format!("{words} --delimiter semicolon --encoding utf-8"));
    assert_eq!((plain.exit, told.exit), (0, 0), "{}{}", plain.err, told.err);
    assert_eq!(plain.out, told.out);
}

/// The parser asks for `--list` beside `--arm` only where the two could stand together.
#[test]
fn the_column_of_a_list_is_refused_where_a_list_is_drawn() {
    let folder = Folder::new();
    for more in ["", "--characteristics --replicates 4", "--redcap grp"] {
        let ran = folder.run(&format!(
            "draw --method simple --n 4 --seed {SEED} --arm group {more}"
        ));
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{more}: {}", ran.err);
        assert!(
            ran.err.contains("error[option-not-used]: `--arm`"),
            "{}",
            ran.err
        );
        assert!(
            ran.err.contains("`--list`") && ran.err.contains("`--arms`"),
            "{}",
            ran.err
        );
    }
}

/// A time for all rows and a time in a row: which one counts would be a guess, so nothing is recorded.
#[test]
fn a_time_for_a_file_that_has_its_own_is_refused() {
    let place = Place::open(&two_arms());
    let head = "site,family,report_key,received,answer.consent,field.earlier_reports,at";
    let row = |family: &str, at: &str| format!("north,{family},R1,2025-03-01,yes,1,{at}");
    let file = |rows: &[String]| {
        place.write("rows.csv", format!("{head}\n{}\n", rows.join("\n")));
    };
    let words = "enrol --from rows.csv --study study --actor intake-1 --seed-file keys/seed";
    file(&[row("FA-AA", ""), row("FA-AB", "2025-03-03T10:00:00+01:00")]);
    let ran = place.unchanged(|| place.run(&format!("{words} --at 2025-03-03T11:00:00+01:00")));
    ran.refused(2, "conflicting-options");
    assert!(ran.err.contains("row 3"), "{}", ran.err);
    // Each way alone is taken, with the time that was given.
    file(&[row("FA-AA", ""), row("FA-AB", "")]);
    let ran = place.run(&format!("{words} --at 2025-03-03T11:00:00+01:00"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    file(&[row("FA-AC", "2025-03-03T12:00:00+01:00")]);
    let ran = place.run(words);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let times: Vec<String> = place
        .entries()
        .iter()
        .filter(|entry| entry.kind == "allocated")
        .map(|entry| entry.time.clone())
        .collect();
    assert_eq!(
        times,
        [
            "2025-03-03T10:00:00.000000Z",
            "2025-03-03T10:00:00.000000Z",
            "2025-03-03T11:00:00.000000Z"
        ]
    );
}
