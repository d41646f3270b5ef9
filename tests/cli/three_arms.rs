//! Scenarios of three arms, as people meet them: tables with a row for each comparison, what is refused, and the report.

use crate::process::{Folder, Run};
use serde_json::Value;
use std::path::Path;

/// The shipped scenario of three arms in a folder of its own.
fn folder() -> Folder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let folder = Folder::new();
    for name in ["three-arms.toml", "protocols/three-arms.toml"] {
        folder.file(name, std::fs::read(root.join(name)).unwrap());
    }
    folder
}

fn simulate(folder: &Folder, words: &[&str]) -> Run {
    let order = ["simulate", "three-arms.toml", "--replicates", "20"];
    folder.run_with(&[&order[..], words].concat(), b"")
}

/// Rows of a table by the names of its columns.
fn rows(text: &str) -> Vec<impl Fn(&str) -> String + use<>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of = |row: csv::StringRecord| {
        let header = header.clone();
        move |key: &str| {
            let place = header.iter().position(|own| own == key).unwrap();
            row[place].to_owned()
        }
    };
    rows.into_iter().map(of).collect()
}

/// What an alternative has more stands in the rows of its own arms and cell, in both tables as in JSON.
#[test]
fn the_tables_have_what_the_document_has_of_each_arm() {
    let folder = folder();
    let alternatives = [
        "--what-if",
        "months=9",
        "--what-if",
        "ratio=1:1:2",
        "--out",
        "d",
    ];
    let told = simulate(&folder, &[&alternatives[..], &["--json"]].concat());
    assert_eq!(told.exit, 0, "{}", told.err);
    let told = told.json();
    let shown = simulate(&folder, &[&alternatives[..], &["--format", "csv"]].concat());
    let kept = std::fs::read_to_string(folder.path().join("d/performance.csv")).unwrap();
    let own = told["cells"].as_array().unwrap();
    let all = told["alternatives"].as_array().unwrap();
    // Two cells of the grid, each as it is and in two alternatives, with two arms.
    assert_eq!((own.len(), all.len()), (12, 4));
    for table in [rows(&shown.out), rows(&kept)] {
        assert_eq!(table.len(), 12);
        for (place, (row, own)) in table.iter().zip(own).enumerate() {
            for key in ["cell", "analysis", "arm"] {
                assert_eq!(row(key), own[key], "{place}");
            }
            // Rows by hand: base, months, ratio of the first cell, then of the second; two arms each.
            let [group, of_group, arm] = [place / 6, place % 6 / 2, place % 2];
            let number = |value: &Value, text: String| {
                // What a reader of JSON makes of the digits may be one unit off.
                let (own, told) = (text.parse::<f64>().unwrap(), value.as_f64().unwrap());
                assert!(
                    (own - told).abs() <= 4.0 * f64::EPSILON * told.abs(),
                    "{own} {told}"
                );
            };
            if of_group == 0 {
                assert_eq!(row("compared_with"), "");
                assert_eq!(row("differences.power"), "");
                continue;
            }
            let more = &all[2 * group + of_group - 1];
            assert_eq!(row("compared_with"), more["compared_with"]);
            assert_eq!(row("alternative"), more["alternative"]);
            let more = &more["differences"];
            number(&more["families"]["value"], row("differences.families"));
            let power = &more["power"][arm];
            assert_eq!(
                (&power["analysis"], &power["arm"]),
                (&own["analysis"], &own["arm"])
            );
            number(&power["value"], row("differences.power"));
        }
    }
}

/// One number for all arms is not one arm's: by a setting, after another one, and in a grid; the table to write is shown.
#[test]
fn one_number_for_all_arms_is_told_with_the_table_to_write() {
    let folder = folder();
    let text = std::fs::read_to_string(folder.path().join("three-arms.toml")).unwrap();
    let own = "truth.acceptance_difference.brief=0.2";
    let table = "acceptance_difference = { home = 0.1, brief = 0.2 }";
    let run = simulate(&folder, &["--set", own]);
    assert_eq!(run.exit, 3, "{}", run.err);
    assert!(
        run.err
            .contains("`truth.acceptance_difference = 0.1` is one number for all treated arms"),
        "{}",
        run.err
    );
    assert!(run.err.contains(table), "{}", run.err);
    let run = simulate(&folder, &["--set", own, "--lang", "sv"]);
    assert!(
        run.err
            .contains("`truth.acceptance_difference = 0.1` är ett tal för alla behandlade armar"),
        "{}",
        run.err
    );
    let both = ["truth.rereport_ratio=0.5", "truth.rereport_ratio.home=0.4"];
    let run = simulate(&folder, &["--set", both[0], "--set", both[1]]);
    assert!(
        run.err
            .contains("rereport_ratio = { home = 0.4, brief = 0.5 }"),
        "{}",
        run.err
    );
    // As it is shown, it is read.
    let set = "truth.acceptance_difference={ home = 0.1, brief = 0.2 }";
    let run = simulate(&folder, &["--set", set]);
    assert_eq!(run.exit, 0, "{}", run.err);
    let key = "\"truth.rereport_ratio.brief\" = [1.00, 0.80]";
    assert!(text.contains(key));
    let grid = text.replace(key, "\"truth.acceptance_difference.brief\" = [0.2]");
    folder.file("three-arms.toml", grid);
    let run = simulate(&folder, &[]);
    assert_eq!(run.exit, 3, "{}", run.err);
    assert!(run.err.contains(table), "{}", run.err);
}

/// A ratio of too few arms: the example has as many as the protocol.
#[test]
fn the_example_of_a_ratio_has_as_many_arms_as_the_protocol() {
    let folder = folder();
    for (lang, words) in [("en", "for example 1:1:2"), ("sv", "till exempel 1:1:2")] {
        let run = simulate(&folder, &["--set", "ratio=1:2", "--lang", lang]);
        assert_eq!(run.exit, 3, "{}", run.err);
        assert!(run.err.contains(words), "{}", run.err);
    }
    let run = simulate(&folder, &["--set", "ratio=1:1:2"]);
    assert_eq!(run.exit, 0, "{}", run.err);
}

/// What the planning report says in short: every comparison, and how often one of them is found; and which effect is meant.
#[test]
fn the_report_says_in_short_what_is_found_of_every_arm() {
    let folder = folder();
    let run = simulate(&folder, &["--out", "d", "--json"]);
    assert_eq!(run.exit, 0, "{}", run.err);
    for (lang, caption, one, until) in [
        (
            "en",
            "In short",
            "at least one of primary:home, primary:brief",
            "Data-generating",
        ),
        (
            "sv",
            "I korthet",
            "minst en av primary:home, primary:brief",
            "Hur data uppstår</h2>",
        ),
    ] {
        let page = folder.path().join(format!("d/report.{lang}.html"));
        let page = std::fs::read_to_string(page).unwrap();
        let (_, short) = page.split_once(caption).unwrap();
        let (short, _) = short.split_once("</table>").unwrap();
        assert!(!short.contains(until));
        for cell in [
            "truth.rereport_ratio.brief=1",
            "truth.rereport_ratio.brief=0.8",
        ] {
            for name in ["primary:home", "primary:brief", one] {
                let row = format!("{cell} · {name}<");
                assert_eq!(short.matches(&row).count(), 1, "{row}\n{short}");
            }
        }
    }
}

/// With several treated arms the effect is against control, and no arm is "either".
#[test]
fn the_estimand_is_of_an_arm_against_control() {
    let folder = folder();
    let told = simulate(&folder, &["--out", "d", "--json"]).json();
    let estimand = told["estimand"].as_str().unwrap();
    assert!(
        estimand.ends_with("under the arm of the row and under control"),
        "{estimand}"
    );
    for (lang, words, wrong) in [
        (
            "en",
            "under assignment to the arm of the comparison and to control",
            "either arm",
        ),
        (
            "sv",
            "till jämförelsens arm eller till kontrollarmen",
            "den ena eller den andra armen",
        ),
    ] {
        let page = folder.path().join(format!("d/report.{lang}.html"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains(words) && !page.contains(wrong), "{lang}");
    }
}

/// A replayed study says of each comparison the p by Holm's rule, by hand from the two p without it, and whether it is rejected;
/// without a randomization test the registered analysis has the same.
#[test]
fn a_replay_says_what_is_decided_of_each_arm() {
    let folder = folder();
    let words = [
        "--set",
        "truth.rereport_ratio.brief=0.4",
        "--draws",
        "0",
        "--json",
    ];
    let run = simulate(
        &folder,
        &[&words[..], &["--replay", "base:3", "r"]].concat(),
    );
    assert_eq!(run.exit, 0, "{}", run.err);
    let told = run.json();
    let both = told["analyses"].as_array().unwrap();
    assert_eq!(both.len(), 2);
    let p = [0, 1].map(|place| both[place]["simulated"]["p_value"].as_f64().unwrap());
    let least = p[0].min(p[1]);
    let doubled = (2.0 * least).min(1.0);
    for (own, p) in both.iter().zip(p) {
        // Holm of two: the smaller doubled; the larger as it is, and no smaller than that.
        let by_hand = if p > least { p.max(doubled) } else { doubled };
        let adjusted = own["simulated"]["p_adjusted"].as_f64().unwrap();
        assert!((adjusted - by_hand).abs() < 1e-12, "{own}");
        assert_eq!(own["simulated"]["rejected"], by_hand <= 0.05);
        let registered = own["registered_p_adjusted"].as_f64().unwrap();
        assert!((registered - adjusted).abs() < 1e-12, "{own}");
        assert!(own["registered_q_value"].is_null());
    }
}

/// A number of the protocol's staff changes nothing beside the scenario's own, which takes its place: by a setting, in a grid and in a
/// prior it is refused. Without the scenario's it is set.
#[test]
fn staff_that_the_scenario_replaces_is_not_set() {
    let place = crate::place::Place::with(crate::place::IUH);
    let scenario = include_str!("../../simulations/iuh-2025.toml");
    let scenario = scenario.replace("../protocols/iuh-2025/protocol.toml", "p.toml");
    place.write("s.toml", &scenario);
    let site = "protocol.site.rinkeby-kista.therapists=1";
    let arm = "protocol.arm.iuh.families_per_therapist=1";
    let short = "simulate s.toml --replicates 2 --draws 0 --set months=3";
    for (held, own, key) in [
        (
            "capacity.therapists_per_site=3",
            site,
            "capacity.therapists_per_site",
        ),
        (
            "capacity.families_per_therapist=2",
            arm,
            "capacity.families_per_therapist",
        ),
    ] {
        let run = place.run(&format!("{short} --set {held} --set {own}"));
        run.refused(3, "not-applicable");
        assert!(run.err.contains(key), "{}", run.err);
        let run = place.run(&format!("{short} --lang sv --set {own} --set {held}"));
        assert!(run.err.contains("ändrar inget"), "{}", run.err);
    }
    let run = place.run(&format!("{short} --set {site} --set {arm}"));
    assert_eq!(run.code, 0, "{}", run.err);
    let lengths = "investigation_days = {";
    let held = scenario.replace(lengths, &format!("therapists_per_site = 3\n{lengths}"));
    let key = "protocol.site.rinkeby-kista.therapists";
    let (before, _) = held.split_once("[grid]").unwrap();
    for more in [
        format!("[grid]\nfull = {{ \"{key}\" = [1, 2] }}\n"),
        format!("[[prior]]\nkey = \"{key}\"\nvalues = [1, 2]\n"),
    ] {
        let precision = "[precision]\nreplicates = 2\ndraws_in_simulation = 0\n\n";
        place.write("s.toml", format!("{before}{precision}{more}"));
        let run = place.run("simulate s.toml");
        run.refused(3, "not-applicable");
        assert!(
            run.err.contains("capacity.therapists_per_site"),
            "{}",
            run.err
        );
        assert!(run.err.contains("s.toml:"), "{}", run.err);
    }
}
