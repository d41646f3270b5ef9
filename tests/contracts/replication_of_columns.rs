//! R makes given columns again: merged sites, weights of known outcomes for unknown ones, arms and outcomes. What was altered in the
//! folder is named, and the numbers that it would have hidden differ.

use crate::made_up::{IUH, LAST, Study, protocol, study};
use crate::registered::{analysis, with};
use crate::replication::{all_alike, folder, r_is_here, said, text};
use crate::several_arms::three_arms;
use lottning::estimation::ESTIMATORS;
use lottning::protocol::model::{Exit, Service};
use lottning::report::File;
use lottning::study::kernel::{Command, What};
use std::collections::BTreeSet;
use std::process;

/// The registered protocol with its primary analysis alone, which weighs for unknown outcomes.
fn primary() -> String {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    IUH[..start].replace("draws = 10000", "draws = 99")
}

/// A study in which a third of the families left the city, but none of the treated ones at one site and of the others at the first.
fn leaving(text: &str) -> Study {
    let mut study = study(protocol(text), 400, 8);
    let control = study.protocol.control;
    let all = study.state.allocations.clone();
    for (place, drawn) in all.iter().enumerate() {
        let own = *study.state.family(drawn.family).unwrap();
        let all_known = own.site.0 == u16::from(drawn.arm != control) * 2;
        if place % 3 == 0 && !all_known {
            let exited = What::Exited {
                family: drawn.family,
                exit: Exit::LeftCoverage,
                on: own.randomized.plus(100),
            };
            study.command(LAST, &Command::Record(exited)).unwrap();
        }
    }
    study
}

/// The files with one of them as `edit` makes it.
pub(crate) fn altered(files: &[File], path: &str, edit: impl Fn(&str) -> String) -> Vec<File> {
    let mut files = files.to_vec();
    let own = files.iter_mut().find(|file| file.path == path).unwrap();
    let edited = edit(&own.text);
    assert_ne!(own.text, edited, "{path}");
    own.text = edited;
    files
}

/// A column of a file with each cell as `edit` makes it from the number of its row and what stands there.
pub(crate) fn cells(text: &str, column: &str, edit: impl Fn(usize, &str) -> String) -> String {
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    let place = head.split(',').position(|own| own == column).unwrap();
    let mut made = vec![head.to_owned()];
    for (row, line) in lines.enumerate() {
        let mut own: Vec<String> = line.split(',').map(str::to_owned).collect();
        own[place] = edit(row, &own[place]);
        made.push(own.join(","));
    }
    made.join("\n") + "\n"
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|own| (*own).to_owned()).collect()
}

/// Sites that indicators tell apart, and a weight, an indicator, a family and a site that are altered.
#[test]
fn what_was_altered_in_given_columns_is_named() {
    let study = leaving(&primary());
    let files = folder(&study, "final", LAST, &[]);
    let results = text(&files, "results.json");
    assert!(results.contains("censoring-model-separated"));
    let Some(found) = all_alike("leaving", &files) else {
        return;
    };
    let alike = found.numbers("alike");
    let columns = ["weight", "sites", "treated", "y", "family"];
    for column in columns {
        assert!(alike.contains(&format!("primary/{column}")), "{column}");
    }
    // Which numbers rest on draws that are given is said.
    for told in [
        "completed data sets (data/primary.multiple-imputation.drawn.csv)",
        "redrawn allocations (data/primary.redraws.csv)",
        "of them are computed from random draws that are given.",
    ] {
        assert!(found.text.contains(told), "{told}: {}", found.text);
    }
    let data = "data/primary.csv";
    let more = |row: usize, own: &str| match row {
        5 => (own.parse::<f64>().unwrap() * 1.001).to_string(),
        _ => own.to_owned(),
    };
    let weight = altered(&files, data, |text| cells(text, "weight", more));
    let other = |row: usize, own: &str| match (row, own) {
        (5, "0") => "1".to_owned(),
        (5, _) => "0".to_owned(),
        _ => own.to_owned(),
    };
    let head = text(&files, data).lines().next().unwrap();
    let site = head.split(',').find(|own| own.starts_with("x.site_"));
    let site = site.unwrap();
    let indicator = altered(&files, data, |text| cells(text, site, other));
    let treated = altered(&files, data, |text| cells(text, "treated", other));
    let outcome = altered(&files, data, |text| cells(text, "y", other));
    // Without one of the families that are weighed for, the weights of its arm would be others.
    let lost = altered(&files, "data/primary.unknown.csv", |text| {
        let (text, _) = text.trim_end().rsplit_once('\n').unwrap();
        format!("{text}\n")
    });
    let column = format!("primary/{site}");
    for (name, files, wanted) in [
        ("weight", weight, names(&["primary/weight"])),
        ("indicator", indicator, names(&[&column])),
        ("outcome", outcome, names(&["primary/y"])),
        (
            "lost",
            lost,
            names(&["primary.unknown/family", "primary/weight"]),
        ),
        ("treated", treated, names(&["primary/treated"])),
    ] {
        let found = said(name, &files).unwrap();
        assert_eq!(found.status, 1, "{name}");
        let differing = found.numbers("DIFFERS");
        assert!(differing.is_superset(&wanted), "{name}: {differing:?}");
        if ["weight", "indicator"].contains(&name) {
            // R uses its own: no number differs.
            assert_eq!(differing, wanted, "{name}");
            let family = text(&files, data).lines().nth(6).unwrap();
            let family = family.split(',').next().unwrap();
            let row = found.differing()[0].split_whitespace();
            let row: Vec<&str> = row.collect();
            assert_eq!(row[row.len() - 2], family, "{name}: {row:?}");
        }
    }
}

/// Had the program weighed wrongly, its numbers would differ from those of the weights that R makes: here it reports what no
/// weights give, with weights of 1.
#[test]
fn numbers_of_wrong_weights_differ() {
    let study = leaving(&primary());
    let files = folder(&study, "final", LAST, &[]);
    let files = altered(&files, "data/primary.csv", |text| {
        cells(text, "weight", |_, _| "1".to_owned())
    });
    let files = altered(&files, "results.csv", |text| {
        let value = |number: &str| {
            let mut lines = text.lines();
            let line = lines.find(|line| line.starts_with(&format!("{number},")));
            line.unwrap().rsplit(',').next().unwrap().to_owned()
        };
        let lines = text.lines().map(|line| {
            let (number, _) = line.rsplit_once(',').unwrap();
            let unweighted = number.strip_prefix("primary/results/1/");
            unweighted.map_or(line.to_owned(), |own| {
                format!("{number},{}", value(&format!("primary/results/2/{own}")))
            })
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    });
    let Some(found) = said("unweighted", &files) else {
        return;
    };
    let differing = found.numbers("DIFFERS");
    assert_eq!(found.status, 1);
    for number in ["results/1/estimate", "results/1/std_error", "weight"] {
        let number = format!("primary/{number}");
        assert!(differing.contains(&number), "{number}: {differing:?}");
    }
    assert!(!differing.contains("primary/results/2/estimate"));
}

/// A study in which an age tells who left: of the treated all whose youngest child was older than 8, and no others. The model of being
/// known has no maximum there, nor do indicators tell rows apart: the weights of that arm are its share of known outcomes, here and in R.
#[test]
fn a_number_that_tells_who_left_gives_up_the_model_of_one_arm() {
    let mut study = study(protocol(&primary()), 400, 8);
    let control = study.protocol.control;
    let fields = &study.protocol.fields;
    let age = fields
        .iter()
        .position(|own| own.id == "youngest_age")
        .unwrap();
    let all = study.state.allocations.clone();
    let mut counts = [0; 2];
    for (place, drawn) in all.iter().enumerate() {
        let own = *study.state.family(drawn.family).unwrap();
        let leaves = if drawn.arm == control {
            place % 3 == 0
        } else {
            own.values[age] > 8
        };
        if drawn.arm != control {
            counts[usize::from(leaves)] += 1;
        }
        if leaves {
            let exited = What::Exited {
                family: drawn.family,
                exit: Exit::LeftCoverage,
                on: own.randomized.plus(100),
            };
            study.command(LAST, &Command::Record(exited)).unwrap();
        }
    }
    let files = folder(&study, "final", LAST, &[]);
    let results = text(&files, "results.json");
    assert!(results.contains("the covariates separate the families with a known outcome"));
    // By hand: each known treated family weighs all by known ones.
    let [known, gone] = counts.map(f64::from);
    let table = text(&files, "data/primary.csv");
    let mut lines = table.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = |column: &str| head.iter().position(|own| *own == column).unwrap();
    let (weight, treated) = (place("weight"), place("treated"));
    let mut weighed = 0.0;
    for line in lines {
        let own: Vec<&str> = line.split(',').collect();
        if own[treated] == "1" {
            let weight: f64 = own[weight].parse().unwrap();
            assert!((weight - (known + gone) / known).abs() < 1e-12, "{line}");
            weighed += 1.0;
        }
    }
    assert!((weighed - known).abs() < 0.5 && gone > 0.0);
    all_alike("left-by-age", &files);
}

/// Completed data sets of three arms group their sites by the families of all three: counted in two of them, no site would have
/// enough in the third.
#[test]
fn sites_of_completed_data_sets_are_those_of_all_arms() {
    let study = leaving(&three_arms(&primary()));
    let files = folder(&study, "final", LAST, &[]);
    let sites = |path: &str| {
        let head = text(&files, path).lines().next().unwrap();
        head.split(',')
            .filter(|own| own.starts_with("x.site_"))
            .count()
    };
    let path = "data/primary.multiple-imputation.letter.csv";
    assert_eq!(sites(path), study.protocol.sites.len() - 1);
    all_alike("leaving-three-arms", &files);
}

/// The script's own weights are those of R's `glm` alone, also in the limit, and with a column that says nothing new (tests/golden/known-weights: `generate.R`,
/// `separated.R`).
#[test]
fn the_scripts_weights_are_the_golden_ones() {
    if !r_is_here() {
        return;
    }
    let asked = r#"
source("src/report/replicate/weights.R")
d <- read.csv("tests/golden/known-weights/data.csv")
s <- read.csv("tests/golden/known-weights/separated.csv")
apart <- function(d, known, X) {
  p <- rep(NA_real_, nrow(d))
  for (a in unique(d$arm)) p[d$arm == a] <- being_known(known[d$arm == a], X[d$arm == a, ])
  max(abs(1 / p - d$weight)[known == 1])
}
known <- as.integer(!is.na(d$outcome))
cat(apart(d, known, cbind(d$age, d$reports)), apart(d, known, cbind(d$age, d$reports, d$age)), apart(s, s$known, cbind(s$site == "b", s$site == "c", s$site == "d", s$age)))
"#;
    let apart = differences(asked);
    assert_eq!(apart.len(), 3, "{apart:?}");
    assert!(apart.iter().all(|own| *own < 1e-10), "{apart:?}");
}

/// Once rows are set aside the others have a column for each five of their own rarer kind (docs/protocol.md), in one round of setting
/// aside and in two: 40 rows of group b are all unknown, and of the 60 others 12 are, so that two of four columns are left to R's `glm`;
/// where those of group c, too, are all known, 8 of 48 are unknown, for one column.
#[test]
fn fewer_columns_are_kept_once_rows_are_set_aside() {
    if !r_is_here() {
        return;
    }
    let asked = r#"
source("src/report/replicate/weights.R")
i <- 1:100
b <- as.integer(i <= 40)
c <- as.integer(i > 40 & i <= 52)
X <- cbind(b, c, i * 7 %% 11, i * i %% 13, i * 5 %% 17)
apart <- function(known, own, columns) {
  p <- being_known(known, X)
  fit <- glm(known[own] ~ X[own, columns], family = binomial, control = glm.control(epsilon = 1e-14))
  max(abs(p[own] - fitted(fit)), abs(p[b == 1]), abs(p[!own & b == 0] - 1))
}
once <- ifelse(b == 1, 0, as.integer(i %% 5 != 0))
twice <- ifelse(c == 1, 1, ifelse(b == 1, 0, as.integer(i %% 6 != 0)))
cat(apart(once, b == 0, 2:3), apart(twice, b == 0 & c == 0, 3))
"#;
    let apart = differences(asked);
    assert_eq!(apart.len(), 2, "{apart:?}");
    assert!(apart.iter().all(|own| *own < 1e-10), "{apart:?}");
}

/// Numbers that R says.
fn differences(asked: &str) -> Vec<f64> {
    let output = process::Command::new("Rscript")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-e", asked])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.split_whitespace()
        .filter_map(|own| own.parse().ok())
        .collect()
}

/// Each comparison with control has what its own arm's service was received by, and R finds it there.
#[test]
fn r_finds_what_each_of_several_arms_received() {
    let entry = ESTIMATORS
        .iter()
        .find(|own| own.id == "instrumental-variables");
    let two = with(&analysis(entry.unwrap())).replace("draws = 10000", "draws = 99");
    let mut study = study(protocol(&three_arms(&two)), 60, 4);
    for (place, drawn) in study.state.allocations.clone().iter().enumerate() {
        let own = *study.state.family(drawn.family).unwrap();
        if place % 3 > 0 {
            let on = own.randomized.plus(5);
            study.serve(drawn.family, Service::Started, on, LAST);
        }
    }
    let files = folder(&study, "final", LAST, &[]);
    let families = text(&files, "data/families.csv");
    let control = &study.protocol.arms[study.protocol.control.index()].id;
    for arm in study.protocol.arms.iter().filter(|own| own.id != *control) {
        let head = families.lines().next().unwrap();
        let column = format!("own.received.{}", arm.id);
        assert!(head.split(',').any(|own| own == column), "{head}");
    }
    if let Some(found) = all_alike("three-arms-received", &files) {
        let alike = found.numbers("alike");
        for path in ["own/results/1/estimate", "own/results/3/estimate"] {
            assert!(alike.contains(path), "{path}");
        }
    }
}
