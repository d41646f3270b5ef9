//! R computes rates and times of a window that begins after some families left: they have no time in it, and a rate leaves them out.
//! The folder says who they are, and one that is missing for another reason is seen.

use crate::made_up::{IUH, LAST, Study, protocol, study};
use crate::registered::analysis;
use crate::replication::{all_alike, folder, said, text};
use crate::replication_of_columns::{altered, cells};
use lottning::estimation::{ESTIMATORS, Role};
use lottning::protocol::model::Exit;
use lottning::report::File;
use lottning::study::kernel::{Command, What};
use std::collections::BTreeSet;

/// The outcome whose window begins on day 123.
const LATE: &str = "\"rereport_from_day_123\"";

/// A study of every estimator of rates and times in a late window, of which a fifth left before it, in both arms, and a tenth in it.
fn early() -> Study {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let mut all = IUH[..start].replace("draws = 10000", "draws = 99");
    let timed = ESTIMATORS
        .iter()
        .filter(|own| own.uses(Role::Exposure) || own.uses(Role::Time));
    for entry in timed.filter(|own| own.in_plan) {
        let own = analysis(entry).replace("\"rereport\"", LATE);
        assert!(own.contains(LATE));
        // Small sites are merged by all who are in the analysis, with those who left early.
        let own = own.replace("[\"earlier_reports\"]", "[\"site\", \"earlier_reports\"]");
        all.extend([format!(
            "[[analysis]]\nid = \"{}\"\nlock = \"final\"\nrole = \"exploratory\"\n{own}\n",
            entry.id
        )]);
    }
    let mut study = study(protocol(&all), 200, 4);
    let families: Vec<_> = study.state.allocations.clone();
    for (place, own) in families.iter().enumerate() {
        let (exit, day) = match place % 20 {
            1 | 2 | 11 => (Exit::LeftCoverage, 50),
            12 => (Exit::Death, 122),
            3 => (Exit::LeftCoverage, 123),
            4 => (Exit::LeftCoverage, 200),
            _ => continue,
        };
        let on = study.state.family(own.family).unwrap().randomized.plus(day);
        let family = own.family;
        let command = Command::Record(What::Exited { family, exit, on });
        study.command(LAST, &command).unwrap();
    }
    study
}

/// The number of a family, by a row of a column of `families.csv` that is as asked.
fn found(files: &[File], asked: impl Fn(&[&str], &dyn Fn(&str) -> usize) -> bool) -> usize {
    let mut lines = text(files, "data/families.csv").lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = |column: &str| head.iter().position(|own| *own == column).unwrap();
    let cells = lines.map(|line| line.split(',').collect::<Vec<&str>>());
    let own = cells.into_iter().find(|own| asked(own, &place)).unwrap();
    own[place("family")].parse().unwrap()
}

/// The files without a family's row in the columns of the Poisson model.
fn lost(files: &[File], family: usize) -> Vec<File> {
    altered(files, "data/poisson.csv", |text| {
        let start = format!("{family},");
        let kept = text.lines().filter(|line| !line.starts_with(&start));
        kept.collect::<Vec<_>>().join("\n") + "\n"
    })
}

#[test]
fn r_leaves_out_of_rates_who_left_before_the_window_and_sees_who_else_is_missing() {
    let study = early();
    let files = folder(&study, "final", LAST, &[]);
    let results = text(&files, "results.json");
    assert_eq!(results.matches("\"never-followed\"").count(), 2);
    let rows = |path: &str| text(&files, path).lines().count() - 1;
    assert_eq!((rows("data/cox.csv"), rows("data/poisson.csv")), (200, 160));
    let codebook = text(&files, "codebook.csv");
    assert!(codebook.contains("data/families.csv,poisson.followed,"));
    let Some(all) = all_alike("late", &files) else {
        return;
    };
    let alike = all.numbers("alike");
    for id in ["poisson", "negative-binomial", "cox", "log-rank"] {
        assert!(alike.contains(&format!("{id}/family")), "{id}");
    }
    assert!(alike.contains("poisson/exposure"));
    // Followed, with an event and without one; and a family that is said not to have been followed, and was.
    let without = found(&files, |own, at| {
        own[at("poisson.followed")] == "243" && own[at("poisson.value")] == "0"
    });
    let with = found(&files, |own, at| {
        own[at("poisson.followed")] == "243" && own[at("poisson.value")] != "0"
    });
    let never = |files: &[File], family: usize| {
        altered(files, "data/families.csv", |text| {
            cells(text, "poisson.followed", |row, own| {
                let own = if row + 1 == family { "0" } else { own };
                own.to_owned()
            })
        })
    };
    let longer = altered(&files, "data/poisson.csv", |text| {
        cells(text, "exposure", |row, own| {
            let days: f64 = own.parse().unwrap();
            (if row == 5 { days + 1.0 } else { days }).to_string()
        })
    });
    for (name, files, column) in [
        ("late-lost", lost(&files, without), "family"),
        (
            "late-lost-event",
            lost(&never(&files, with), with),
            "family",
        ),
        ("late-never", never(&files, without), "family"),
        ("late-longer", longer, "exposure"),
    ] {
        let found = said(name, &files).unwrap();
        assert_eq!(found.status, 1, "{name}");
        let differing: BTreeSet<String> = found.numbers("DIFFERS");
        let column = format!("poisson/{column}");
        assert!(differing.contains(&column), "{name}: {differing:?}");
        let of = |own: &String| own.starts_with("poisson/");
        assert!(differing.iter().all(of), "{name}: {differing:?}");
    }
}
