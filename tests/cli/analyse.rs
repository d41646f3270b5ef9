//! `lottning analyse`: refused before the lock, the same bytes twice, a dry run that writes nothing.

use super::place::in_r;
use super::process::Folder;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A study of sixty families with reports and acceptances, enrolled by the program itself.
fn study() -> (Folder, String) {
    study_of(|text| text)
}

/// As [`study`], with the protocol as `edit` makes it.
fn study_of(edit: impl Fn(String) -> String) -> (Folder, String) {
    let folder = Folder::new();
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/protocols/iuh-2025/protocol.toml"
    );
    // Room for sixty families at once, and everything within the calendar of a test.
    let text = std::fs::read_to_string(source)
        .unwrap()
        .replace("therapists = 2", "therapists = 40");
    folder.file("protocol.toml", edit(text));
    let checked = folder.run("check protocol.toml --json").json();
    let hash = checked["protocol_hash"].as_str().unwrap()[..8].to_owned();
    // A seed that was there, the SHA-256 of a text: what is drawn is the same in each run.
    let seed = Sha256::digest(b"a study of sixty families");
    folder.file(
        "seed",
        format!("{}\n", lottning::study::journal::hex(&seed)),
    );
    let opened = folder.run(&format!(
        "open protocol.toml --study s --seed-file seed --confirm {hash} --actor lead --at 2025-02-03T08:00:00+01:00"
    ));
    assert_eq!(opened.exit, 0, "{}", opened.err);
    let sites = ["rinkeby-kista", "enskede-arsta-vantor", "skarholmen"];
    let mut arrivals = "site,family,child,report_key,received,at,answer.investigation-opened,answer.immediate-placement,answer.police-led,field.earlier_reports,field.youngest_age,field.category\n".to_owned();
    let mut reports = "family,on,event_key,child\n".to_owned();
    let mut accepted = "family,on,event_key,delivered_by\n".to_owned();
    for k in 0..60u32 {
        let letter = |n: u32| char::from(b'A' + (n % 26) as u8);
        let family = format!("FA{}{}", letter(k / 26), letter(k));
        let day = 3 + k % 20;
        let site = sites[(k % 3) as usize];
        let (reported, age) = (2 + k % 4, k * 7 % 18);
        let hour = 9 + k / 20;
        let more = if k % 3 == 0 {
            format!(" {family}B")
        } else {
            String::new()
        };
        let _ = writeln!(
            arrivals,
            "{site},{family},{family}A{more},i{k},2025-02-03,2025-02-{:02}T{hour:02}:{:02}:00+01:00,yes,no,no,{reported},{age},parent",
            3 + k / 3,
            k % 60,
        );
        if k % 5 < 2 {
            let _ = writeln!(
                reports,
                "{family},2025-06-{:02},r{k},{family}A",
                day.min(28)
            );
        }
        if k % 4 == 1 {
            let (day, pair) = (day.min(28), k % 3);
            let _ = writeln!(accepted, "{family},2025-04-{day:02},a{k},pair-{pair}");
        }
    }
    folder.file("arrivals.csv", arrivals);
    folder.file("reports.csv", reports);
    folder.file("accepted.csv", accepted);
    let enrolled =
        folder.run("enrol --from arrivals.csv --study s --seed-file seed --actor intake");
    assert_eq!(enrolled.exit, 0, "{}", enrolled.err);
    for (event, file) in [
        ("report", "reports.csv"),
        ("accepted", "accepted.csv"),
        ("started", "accepted.csv"),
    ] {
        let run = folder.run(&format!(
            "import {event} {file} --study s --actor register --at 2026-05-01T08:00:00+02:00"
        ));
        assert_eq!(run.exit, 0, "{}", run.err);
    }
    (folder, hash)
}

#[test]
fn analyse_is_refused_before_the_lock_and_repeats_after_it() {
    let (folder, hash) = study();
    let early = folder.run("analyse --study s --lock final --actor lead --json");
    assert_eq!(early.exit, 7, "{}", early.err);
    assert_eq!(early.failure()["code"], "not-locked");

    let before = folder.run("verify --study s").json();
    let dry = folder.run("analyse --study s --dry-run");
    assert_eq!(dry.exit, 0, "{}", dry.err);
    let dry = dry.json();
    assert_eq!(dry["schema"], "lottning.analysis/1");
    assert_eq!(dry["dry_run"], true);
    assert!(dry["lock"].is_null());
    let after = folder.run("verify --study s").json();
    assert_eq!(before["head"], after["head"], "a dry run writes nothing");

    let lock = folder.run(&format!(
        "lock final --study s --cut 2026-05-01 --confirm {hash} --actor lead --at 2026-05-02T08:00:00+02:00"
    ));
    assert_eq!(lock.exit, 0, "{}", lock.err);
    let run = |at: &str| {
        let words = format!("analyse --study s --lock final --actor lead --at {at}");
        let run = folder.run(&words);
        assert_eq!(run.exit, 0, "{}", run.err);
        run.json()
    };
    let mut first = run("2026-05-03T08:00:00+02:00");
    let mut second = run("2026-05-04T08:00:00+02:00");
    assert_ne!(first["head"], second["head"]);
    for document in [&mut first, &mut second] {
        document.as_object_mut().unwrap().remove("head");
    }
    assert_eq!(first.to_string(), second.to_string());

    assert_eq!(first["lock"], "final");
    assert_eq!(first["dry_run"], false);
    let primary = &first["analyses"][0];
    assert_eq!(primary["id"], "primary");
    assert_eq!(primary["role"], "primary");
    assert_eq!(primary["prespecified"], true);
    assert_eq!(primary["test"]["draws"], 10_000);
    assert_eq!(primary["test"]["exact"], false);
    assert!(primary["test"]["p_value"].as_f64().unwrap() > 0.0);
    assert_eq!(primary["results"][0]["estimator"], "lin");
    assert_eq!(primary["results"][0]["variance"], "hc2");
    assert!(primary["covariates"].is_array() && primary["deviations"].is_array());
    // 24 of the 60 families have a report: k mod 5 is 0 or 1.
    let events = |arm: usize| primary["arms"][arm]["events"].as_u64().unwrap();
    assert_eq!(events(0) + events(1), 24);
    // 15 accepted and started: k mod 4 is 1.
    let acceptance = &first["analyses"][1];
    let events = |arm: usize| acceptance["arms"][arm]["events"].as_u64().unwrap();
    assert_eq!(events(0) + events(1), 15);
    assert!(acceptance["test"].is_null());
}

/// R computes both from the folder for replication.
fn recomputed(folder: &Folder) {
    let export = folder.run(
        "export --replicate out --lock final --study s --actor lead --at 2026-05-05T08:00:00+02:00",
    );
    assert_eq!(export.exit, 0, "{}", export.err);
    let script = folder.path().join("out/replicate.R");
    let Some(output) = in_r(&script) else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{told}");
    let (computed, _) = text.split_once("Taken over").unwrap();
    for number in ["children/results/1/std_error", "children/results/2/df"] {
        assert!(computed.contains(number), "{number}: {text}");
    }
    // After the result: complete cases, imputations, two bounds, the tipping point, two other outcomes, and then the pairs.
    assert!(
        computed.contains("primary/results/9/units_treated"),
        "{text}"
    );
}

/// An analysis of children, each counting alike.
const CHILDREN: &str = r#"
[[analysis]]
id = "children"
lock = "final"
outcome = "rereport"
summary = "any"
estimand = { population = "all randomized families", strategy = "treatment-policy", measure = "risk-difference" }
estimator = "lin"
covariates = ["site", "earlier_reports"]
children = "child-average"
missing = { primary = "complete-case" }
role = "exploratory"
"#;

/// By law: clusters move no estimate, and only the treated arm has them: of the families whose service started, those of a pair
/// are one. The rows stay when the ledger is read from its projection or from its first row.
#[test]
fn families_of_a_pair_are_taken_together_beside_the_result() {
    let (folder, hash) = study_of(|text| format!("{text}{CHILDREN}"));
    let lock = folder.run(&format!(
        "lock final --study s --cut 2026-05-01 --confirm {hash} --actor lead --at 2026-05-02T08:00:00+02:00"
    ));
    assert_eq!(lock.exit, 0, "{}", lock.err);
    let run = |at: &str| {
        let run = folder.run(&format!(
            "analyse --study s --lock final --actor lead --at {at}"
        ));
        assert_eq!(run.exit, 0, "{}", run.err);
        run.json()["analyses"].clone()
    };
    let all = run("2026-05-03T08:00:00+02:00");
    let primary = &all[0];
    let rows = primary["results"].as_array().unwrap();
    let row = rows.iter().find(|row| row["sensitivity"] == "delivered-by");
    let row = row.unwrap();
    let difference = row["estimate"].as_f64().unwrap() - rows[0]["estimate"].as_f64().unwrap();
    assert!(difference.abs() < 1e-12);
    assert_eq!(
        (&row["variance"], &rows[0]["variance"]),
        (&"cr2".into(), &"hc2".into())
    );
    let number = |key: &str| row[key].as_u64().unwrap();
    assert!(number("units_treated") < number("n_treated"));
    assert_eq!(number("units_control"), number("n_control"));
    let told = primary["warnings"].as_array().unwrap();
    let told = told
        .iter()
        .find(|own| own["code"] == "delivered-by")
        .unwrap();
    let message = told["message"].as_str().unwrap();
    let together = number("n_treated") - number("units_treated") + 3;
    assert!(
        message.contains(&format!("{together} families are clustered by the 3 who")),
        "{message}"
    );
    // Whether the fold is stored or not.
    let projection = folder.path().join("s/ledger.projection");
    if projection.exists() {
        std::fs::remove_file(projection).unwrap();
    }
    assert_eq!(run("2026-05-04T08:00:00+02:00"), all);
    // A third of the sixty families have two children.
    let children = &all[3];
    assert_eq!(children["id"], "children");
    let [own, beside] = [&children["results"][0], &children["results"][1]];
    let rows = |row: &serde_json::Value| {
        row["n_treated"].as_u64().unwrap() + row["n_control"].as_u64().unwrap()
    };
    assert_eq!((rows(own), rows(beside)), (80, 60));
    assert_eq!(beside["sensitivity"], "family-average");
    assert!(beside["family_minus_child_average"].is_array());
    recomputed(&folder);
    let verified = folder.run("verify --study s --seed-file seed").json();
    assert_eq!(verified["ok"], true, "{verified}");
}

/// By hand: the day is the civil one of the study's time zone, 2026-05-04 at half past midnight in Stockholm being still the
/// third in UTC.
#[test]
fn a_named_deviation_is_recorded_once_and_shown_by_who_when_and_why() {
    let (folder, hash) = study();
    let lock = |more: &str| {
        folder.run(&format!(
            "lock final --study s --cut 2026-05-01 --confirm {hash} --actor lead --at 2026-05-02T08:00:00+02:00 {more}"
        ))
    };
    let unknown = lock("--deviation late-dat");
    assert_eq!(unknown.exit, 2, "{}", unknown.err);
    assert!(unknown.err.contains("late-data"), "{}", unknown.err);
    let made = lock("--deviation late-data --deviation arms-known --deviation late-data");
    assert_eq!(made.exit, 0, "{}", made.err);

    let run = |more: &str, at: &str| {
        let words = format!("analyse --study s --lock final --actor analyst --at {at} {more}");
        let run = folder.run(&words);
        assert_eq!(run.exit, 0, "{}", run.err);
        let mut document = run.json();
        document.as_object_mut().unwrap().remove("head");
        document
    };
    let lines = |document: &serde_json::Value| -> Vec<String> {
        let all = document["deviations"].as_array().unwrap();
        let named = all.iter().filter(|own| own["analysis"].is_null());
        let text = |own: &serde_json::Value, key: &str| own[key].as_str().unwrap().to_owned();
        named
            .map(|own| {
                ["code", "when", "who", "why"]
                    .map(|key| text(own, key))
                    .join("|")
            })
            .collect()
    };
    let locked = [
        "arms-known|2026-05-02|lead|Somebody who decides on the analysis knew arms or results.",
        "late-data|2026-05-02|lead|Data came later than planned.",
    ];
    let first = run("", "2026-05-03T08:00:00+02:00");
    assert_eq!(lines(&first), locked);
    let second = run("--deviation error-in-program", "2026-05-04T00:30:00+02:00");
    let own = "error-in-program|2026-05-04|analyst|An error in a program was found.";
    assert_eq!(lines(&second), [locked[0], locked[1], own]);
    assert_ne!(first["results_sha256"], second["results_sha256"]);
    // Asked for again, or not at all: it stands, and the bytes are the same.
    let again = run("--deviation error-in-program", "2026-05-05T08:00:00+02:00");
    assert_eq!(second.to_string(), again.to_string());
    let after = run("", "2026-05-06T08:00:00+02:00");
    assert_eq!(second.to_string(), after.to_string());

    let verified = folder.run("verify --study s --seed-file seed").json();
    assert_eq!(verified["ok"], true, "{verified}");
    let report = folder.run("report --study s --lock final --out r");
    assert_eq!(report.exit, 0, "{}", report.err);
    let page = std::fs::read_to_string(folder.path().join("r/report.sv.html")).unwrap();
    assert!(page.contains("Ett fel i ett program upptäcktes."));
    let dry = folder.run("analyse --study s --dry-run --deviation late-data");
    assert_eq!(dry.exit, 2, "a dry run records nothing");
}

/// The paths that people read are those of their language; the keys and files are the same.
#[test]
fn report_names_the_page_of_the_language() {
    let (folder, _) = study();
    for (lang, out, said, other) in [
        ("sv", "sv", "Rapporten: ", "report.en.html"),
        ("en", "en", "The report: ", "report.sv.html"),
    ] {
        let report = format!("report --study s --dry-run --out {out} --lang {lang}");
        let told = folder.run(&format!("{report} --format table"));
        assert_eq!(told.exit, 0, "{}", told.err);
        let page = format!("{out}/report.{lang}.html");
        let line = told.out.lines().find(|own| own.starts_with(said));
        assert!(line.is_some_and(|own| own.ends_with(&page)), "{}", told.out);
        assert!(!told.out.contains(other), "{}", told.out);
        let page = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(page.contains(&format!("<html lang=\"{lang}\"")), "{lang}");
        let document = folder.run(&format!("{report} --json")).json();
        assert_eq!(document["schema"], "lottning.report-files/1");
        let files = document["files"].as_array().unwrap();
        assert!(
            files
                .iter()
                .any(|own| own.as_str().unwrap().ends_with(other))
        );
    }
}

#[test]
fn analyse_is_also_written_analyze_and_needs_a_lock_or_a_dry_run() {
    let folder = Folder::new();
    assert_eq!(folder.run("analyze --study s --actor lead").exit, 2);
    assert_eq!(folder.run("analyse --study s --lock final").exit, 2);
}
