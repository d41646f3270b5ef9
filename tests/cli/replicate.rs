//! `export --replicate`: what the folder holds, and that R computes from it what was reported. R is the other program here; a
//! machine without it skips what R says, and says so, unless `LOTTNING_TEST_R` is set.

use std::process::Output;

use super::place::{Place, family, in_r, two_arms};
use serde_json::Value;

/// The rehearsed demo, locked, and its folder for replication.
fn demo() -> Place {
    let place = Place::with(&two_arms());
    assert_eq!(place.run("demo d").code, 0);
    let last: Value = place.run("verify --study d/study --json").json(0);
    assert_eq!(last["ok"], true);
    place
}

const EXPORT: &str =
    "export --replicate out --lock final --study d/study --actor analyst --at 2027-03-06T08:00:00Z";

fn text(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap()
}

/// What R says of the folder; `None` without R.
fn recomputed(place: &Place) -> Option<Output> {
    in_r(&place.path("out/replicate.R"))
}

#[test]
fn a_folder_holds_every_reported_number_and_no_family() {
    let place = demo();
    let receipt = place.run(EXPORT).json(0);
    assert_eq!(receipt["event"], "exported");
    let files: Vec<&str> = receipt["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file.as_str().unwrap())
        .collect();
    assert_eq!(
        files[..4],
        ["replicate.R", "results.json", "results.csv", "codebook.csv"]
            .map(|name| format!("out/{name}"))
    );
    let results: Value = serde_json::from_str(&text(&place, "out/results.json")).unwrap();
    assert_eq!(results["schema"], "lottning.analysis/1");
    let estimate = results["analyses"][0]["results"][0]["estimate"].to_string();
    let flat = text(&place, "out/results.csv");
    assert!(flat.contains(&format!("primary/results/1/estimate,{estimate}\n")));
    // Every column is explained, and no pseudonym is in any file.
    let codebook = text(&place, "out/codebook.csv");
    let families = text(&place, "d/register.csv");
    let pseudonym = families.lines().nth(1).unwrap();
    let pseudonym = pseudonym
        .split(',')
        .find(|cell| cell.contains('-') && cell.chars().all(|c| c.is_ascii_uppercase() || c == '-'))
        .unwrap();
    for file in files {
        let text = text(&place, file);
        assert!(!text.contains(pseudonym), "{file}");
        let Some(name) = file.strip_prefix("out/data/") else {
            continue;
        };
        for column in text.lines().next().unwrap().split(',') {
            let column = if column.starts_with("set.") {
                "set.*"
            } else {
                column
            };
            let line = format!("data/{name},{column},");
            assert!(codebook.contains(&line), "{line}");
        }
    }
    // Recorded as an export of its own kind, and never over something that is there.
    let verified = place.run("verify --study d/study --json").json(0);
    assert_eq!(verified["ok"], true);
    place.run(EXPORT).refused(7, "exists");
}

#[test]
fn nothing_is_exported_before_the_lock() {
    let place = Place::open(&two_arms());
    place
        .act("export --replicate out --lock final")
        .refused(7, "not-locked");
    assert!(!place.path("out").exists());
    assert_eq!(
        place
            .run("export --replicate out --study study --actor a")
            .code,
        2
    );
}

#[test]
fn r_computes_what_was_reported_and_sees_a_changed_number() {
    let place = demo();
    place.run(EXPORT).json(0);
    let Some(output) = recomputed(&place) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, over) = said.split_once("Taken over, not computed again:").unwrap();
    let (over, _) = over.split_once("\n\n").unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(" 0 differ"), "{said}");
    assert_eq!(over.trim(), "none");
    // Nothing but the table and its heads is printed.
    assert!(!said.lines().any(|line| line.trim() == "NULL"), "{said}");
    let flat = text(&place, "out/results.csv");
    for number in [
        "primary/results/1/std_error",
        "primary/results/3/estimate",
        "primary/test/p_value",
        "primary/alpha",
        "primary/arms/iuh/analysed",
        "acceptance/p_adjusted",
        "reports-per-family/results/1/conf_low",
    ] {
        let line = flat
            .lines()
            .find(|line| line.starts_with(&format!("{number},")))
            .unwrap();
        let value: f64 = line.rsplit(',').next().unwrap().parse().unwrap();
        let changed = flat.replace(line, &format!("{number},{}", value * 1.001 + 1e-5));
        place.write("out/results.csv", changed);
        let output = recomputed(&place).unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{number}: {said}");
        assert!(said.contains(" 1 differ"), "{number}: {said}");
    }
}

#[test]
fn the_script_of_the_demo() {
    let place = demo();
    place.run(EXPORT).json(0);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("replicate");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("script", text(&place, "out/replicate.R")));
}

/// The small protocol with an interim lock that spends .01 of alpha.
fn looked_at() -> String {
    let lock = "[[lock]]\nid = \"half\"\nkind = \"interim\"\ncut = 2026-06-30\nalpha = 0.01\n\n";
    let text = two_arms().replace("draws = 10000", "draws = 199");
    let text = text.replace("[[lock]]\n", &format!("{lock}[[lock]]\n"));
    let primary = "id = \"primary\"\nlock = \"final\"\n";
    text.replace(primary, &format!("{primary}looks = [\"half\"]\n"))
}

/// 44 families, 24 of them at once and 20 after ten months; a third of both are reported again after two months.
fn enrolled(place: &Place, numbers: std::ops::Range<usize>, received: &str, again: &str) {
    let rows: Vec<String> = numbers
        .clone()
        .map(|n| {
            let (site, earlier) = (["north", "south"][n % 2], n % 4);
            let family = family(n);
            format!("{site},{family},R1,{received},yes,{earlier}\n")
        })
        .collect();
    let rows = rows.concat();
    let head = "site,family,report_key,received,answer.consent,field.earlier_reports\n";
    place.write("families.csv", format!("{head}{rows}"));
    let ran = place.act("enrol --from families.csv --seed-file keys/seed");
    assert_eq!(ran.code, 0, "{}", ran.err);
    place.days(if numbers.start == 0 { 70 } else { 400 });
    for n in numbers.filter(|n| n % 3 == 0) {
        let family = family(n);
        let report = format!(
            "record report --family {family} --on {again} --event-key R2 --set incident_date={again}"
        );
        place.act(&report).json(0);
    }
}

#[test]
fn the_looks_of_a_study_are_computed_from_their_own_columns() {
    let place = Place::open(&looked_at());
    let confirm = place.confirm().to_owned();
    enrolled(&place, 0..24, "2025-03-03", "2025-05-10");
    place.days(300);
    enrolled(&place, 24..44, "2025-12-28", "2026-03-10");
    place.days(500);
    place
        .act(&format!("lock half --cut 2026-06-30 --confirm {confirm}"))
        .json(0);
    place.days(800);
    place
        .act(&format!("lock final --cut 2027-03-01 --confirm {confirm}"))
        .json(0);
    place.act("export --replicate out --lock final").json(0);
    let looked = text(&place, "out/data/primary.at.half.csv");
    assert_eq!(looked.lines().count(), 25);
    let flat = text(&place, "out/results.csv");
    for number in [
        "looks/half/critical_value",
        "looks/final/critical_value",
        "results/2/estimate",
    ] {
        assert!(flat.contains(&format!("\nprimary/{number},")), "{number}");
    }
    let Some(output) = recomputed(&place) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("Taken over, not computed again: none"),
        "{said}"
    );
}
