//! What people mistype, and files as they come: each error says what, where and what next, and nothing is lost.

use super::place::{Place, two_arms};
use super::process::Folder;

const ENROL: &str = "enrol --study study --seed-file keys/seed --actor intake";
const HEADER: &str = "site,family,report_key,received,answer.consent,field.earlier_reports";

/// Every finding and the failure end in advice.
#[track_caller]
fn advised(err: &str) {
    let lines: Vec<&str> = err.lines().collect();
    let said = lines.iter().any(|line| line.starts_with("  help: "));
    assert!(said, "no advice in: {err}");
}

#[test]
fn a_file_where_a_folder_is_needed() {
    let folder = Folder::new();
    folder.file("p.toml", two_arms());
    folder.file("there", "a file\n");
    let checked = folder.run("check p.toml --json").json();
    let confirm = checked["confirm"].as_str().unwrap().to_owned();
    for study in ["there", "there/below"] {
        let ran = folder.run(&format!(
            "open p.toml --study {study} --seed-file keys/seed --confirm {confirm} --actor lead"
        ));
        assert_eq!(ran.exit, 2, "{}", ran.err);
        let says = format!("cannot create {study}: a file stands where a folder is needed");
        assert!(ran.err.contains(&says), "{}", ran.err);
        advised(&ran.err);
    }
    // No seed was made for a study that there is not, and the file is as it was.
    assert!(!folder.path().join("keys").exists());
    let kept = std::fs::read_to_string(folder.path().join("there")).unwrap();
    assert_eq!(kept, "a file\n");
    let ran = folder.run("new there --lang sv");
    assert_eq!(ran.exit, 2, "{}", ran.err);
    assert!(
        ran.err.contains("en fil ligger där en mapp behövs"),
        "{}",
        ran.err
    );
    let ran = folder.run("check .");
    assert_eq!(ran.exit, 2, "{}", ran.err);
    advised(&ran.err);
}

#[test]
fn findings_of_a_file_name_the_file_and_its_columns() {
    let place = Place::open(&two_arms());
    let rows = "north,FA-AA,KX1,01/11/2025,yes,1\nnorth,FA-AB,K 2,2025-03-01,ja,\"1,5\"\n";
    place.write("rows.csv", format!("{HEADER}\n{rows}"));
    let ran = place.unchanged(|| place.run(&format!("{ENROL} --from rows.csv")));
    assert_eq!(ran.code, 4, "{}", ran.err);
    for says in [
        "rows.csv, row 2, column `received`",
        "rows.csv, row 3, column `report_key`",
        "rows.csv, row 3, column `answer.consent`",
        "rows.csv, row 3, column `field.earlier_reports`",
    ] {
        assert!(ran.err.contains(says), "{says}\n{}", ran.err);
    }
    // One family names the options that were typed.
    let ran = place.unchanged(|| {
        place.run(&format!(
            "{ENROL} --site nrth --family fa --report-key K/1 --received 1/3/2025 --answer consent=ja \
             --field earlier_reports=-1"
        ))
    });
    assert_eq!(ran.code, 4, "{}", ran.err);
    for says in [
        "enrol, `--site`: `nrth`",
        "enrol, `--family`:",
        "enrol, `--report-key`:",
        "enrol, `--received`:",
        "enrol, `--answer consent`:",
        "enrol, `--field earlier_reports`:",
    ] {
        assert!(ran.err.contains(says), "{says}\n{}", ran.err);
    }
    assert!(!ran.err.contains("column"), "{}", ran.err);
    let ran = place.run(
        "record capacity-changed --site north --on 2025-03-01 --event-key c1 --set therapists=2,5 \
         --study study --actor lead --lang sv",
    );
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(
        ran.err.contains("capacity-changed, `--set therapists`:"),
        "{}",
        ran.err
    );
}

/// Ten thousand columns are no ten thousand lines.
#[test]
fn a_wide_file_is_answered_in_a_few_lines() {
    let place = Place::open(&two_arms());
    let names: Vec<String> = (0..10_000).map(|number| format!("c{number}")).collect();
    let cells = vec!["1"; 10_000].join(",");
    place.write("wide.csv", format!("{}\n{cells}\n", names.join(",")));
    let ran = place.unchanged(|| place.run(&format!("{ENROL} --from wide.csv")));
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.lines().count() < 100, "{}", ran.err.lines().count());
    assert!(
        ran.err.contains("more findings of `unknown-column`"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("column `report_key` is missing"),
        "{}",
        ran.err
    );
    let ran = place.run("estimate wide.csv --estimator lin --arm arm --control a --outcome y");
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("and 9960 more columns"), "{}", ran.err);
    assert!(ran.err.len() < 5_000, "{}", ran.err.len());
}

#[test]
fn decimals_and_shares_as_people_type_them() {
    let folder = Folder::new();
    let ran = folder.run("power two-proportions --p0 0,40 --p1 0.30 --power 0.8");
    assert_eq!(ran.exit, 2, "{}", ran.err);
    assert!(
        ran.err.contains("write decimals with a point: 0.40"),
        "{}",
        ran.err
    );
    let ran = folder.run("power two-proportions --p0 40 --p1 30 --power 0.8 --lang sv");
    assert_eq!(ran.exit, 2, "{}", ran.err);
    assert!(ran.err.contains("skrivs 0.40, inte 40"), "{}", ran.err);
    // Swedish advice has no English placeholder.
    let ran = folder.run("chk --lang sv");
    assert!(!ran.err.contains("COMMAND"), "{}", ran.err);
}

#[test]
fn a_map_and_a_seed_that_are_none() {
    let place = Place::open(&two_arms());
    place.write("m.toml", "garbage");
    place.write("e.csv", "family,on,event_key\nFA-AA,2025-03-01,e1\n");
    let ran = place.unchanged(|| {
        place.run("import offered e.csv --map m.toml --study study --actor handler --lang sv")
    });
    ran.refused(4, "invalid-map");
    assert!(
        ran.err.contains("detta är inte TOML") && ran.err.contains("[columns]"),
        "{}",
        ran.err
    );
    let ran = place.unchanged(|| {
        place.run(
            "enrol --site north --family FA-AA --report-key K --received 2025-03-01 --answer consent=yes \
             --field earlier_reports=1 --study study --seed-file p.toml --actor intake",
        )
    });
    ran.refused(9, "seed-invalid");
    advised(&ran.err);
}

/// A protocol as Windows writes it: CRLF and a byte-order mark are read, UTF-16 is named.
#[test]
fn a_protocol_from_another_editor() {
    let folder = Folder::new();
    let text = two_arms();
    folder.file("crlf.toml", text.replace('\n', "\r\n"));
    folder.file("bom.toml", format!("\u{feff}{text}"));
    for file in ["crlf.toml", "bom.toml"] {
        let ran = folder.run(&format!("check {file}"));
        assert_eq!(ran.exit, 0, "{file}: {}", ran.err);
    }
    let wide: Vec<u8> = std::iter::once(0xFEFF)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    folder.file("wide.toml", wide);
    let ran = folder.run("check wide.toml");
    assert_eq!(ran.exit, 3, "{}", ran.err);
    assert!(ran.err.contains("the file is in UTF-16"), "{}", ran.err);
    advised(&ran.err);
}

/// What people read has the names of the protocol; JSON keeps the codes.
#[test]
fn answers_name_arms_questions_and_violations_in_words() {
    let place = Place::open(&two_arms());
    let enrol = "enrol --study study --seed-file keys/seed --actor intake --site north --received 2025-03-01 \
                 --field earlier_reports=1";
    let words = |family: &str, consent: &str, more: &str| {
        let at = place.tick();
        place.run(&format!(
            "{enrol} --family {family} --report-key R-{family} --answer consent={consent} --at {at} {more}"
        ))
    };
    let ran = words("FA-AA", "yes", "--format table --lang sv");
    let out = ran.out;
    assert!(
        out.contains("insats (`new`)") || out.contains("insats (`usual`)"),
        "{out}"
    );
    let out = words("FA-AB", "no", "--format table --lang sv").out;
    assert!(
        out.contains(
            "uppfyller inte kriterierna: Har familjen informerats om studien? (`consent`)"
        ),
        "{out}"
    );
    let at = place.tick();
    let ran = place.run(&format!(
        "record violation --family FA-AA --on 2025-03-03 --event-key v1 --set reason=wrong-stratum \
         --set field=earlier_reports --set value=3 --study study --actor handler --at {at}"
    ));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let out = place
        .run("status --study study --format table --lang sv")
        .out;
    assert!(
        out.contains(
            "Familjer med avsteg, alla armar tillsammans: lottad med fel värde på ett fält: 1."
        ),
        "{out}"
    );
    let json = place.run("status --study study --json").json(0);
    assert_eq!(json["violations"]["wrong-stratum"], 1);
    assert_eq!(json["violations"]["double-draw"], 0);
}
