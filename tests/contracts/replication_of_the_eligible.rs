//! R computes the rows without families that were found not to have been eligible, of every estimator, and makes the sets again from
//! the one column that says who they are.

use crate::made_up::LAST;
use crate::registered::lived;
use crate::replication::{all_alike, deliver, everything, folder, said, text};
use lottning::study::conduct::ELIGIBLE_SET;
use lottning::study::kernel::{Command, What};

#[test]
fn r_computes_the_rows_without_families_found_ineligible() {
    let mut study = lived(&everything().replace("draws = 999", "draws = 99"));
    deliver(&mut study);
    let all = study.state.allocations.clone();
    // Two of nine, of both arms as they come.
    for own in all.iter().enumerate().filter(|(place, _)| place % 9 < 2) {
        let what = What::Violation {
            family: own.1.family,
            on: LAST.plus(1),
            reason: 0,
            truth: None,
            received: None,
        };
        study
            .command(LAST.plus(1), &Command::Record(what))
            .expect("a violation");
    }
    let mut files = folder(&study, "final", LAST, &[]);
    let families = text(&files, "data/families.csv");
    let head = families.lines().next().unwrap();
    let column = head.split(',').position(|own| own == "found_ineligible");
    let column = column.unwrap();
    let cell = |line: &str| line.split(',').nth(column).unwrap().to_owned();
    let marked: Vec<bool> = families
        .lines()
        .skip(1)
        .map(|line| cell(line) == "1")
        .collect();
    let wanted: Vec<bool> = (0..all.len()).map(|place| place % 9 < 2).collect();
    assert_eq!(marked, wanted);
    let codebook = text(&files, "codebook.csv");
    assert!(codebook.contains("data/families.csv,found_ineligible,"));
    let Some(found) = all_alike("eligible", &files) else {
        return;
    };
    let alike = found.numbers("alike");
    for id in ["primary", "lin", "cox", "poisson", "manski-bounds"] {
        let column = format!("{id}.{ELIGIBLE_SET}/family");
        assert!(alike.contains(&column), "{column}");
    }
    // A family that is marked otherwise is another set: every such file has a family too many.
    let families = files
        .iter_mut()
        .find(|own| own.path == "data/families.csv")
        .unwrap();
    let lines = families.text.lines().enumerate().map(|(row, line)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if row == 3 {
            assert_eq!(cells[column], "0");
            cells[column] = "1";
        }
        cells.join(",")
    });
    families.text = lines.collect::<Vec<_>>().join("\n") + "\n";
    let found = said("eligible-otherwise", &files).unwrap();
    assert_eq!(found.status, 1);
    let differing = found.numbers("DIFFERS");
    assert!(differing.contains(&format!("lin.{ELIGIBLE_SET}/family")));
    assert!(differing.iter().all(|own| own.contains(ELIGIBLE_SET)));
}
