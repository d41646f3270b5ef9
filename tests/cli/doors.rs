//! What people bring to the doors of a study: a head that is none, a child whose pseudonym is `NA`, a lock without data, an
//! answer as CSV, a file of one column.

use super::place::{IUH, Place, family};

/// What is no head says nothing of the ledger, and must not look like a forged one.
#[test]
fn a_head_that_is_none_is_wrong_usage_and_no_finding() {
    let place = Place::open(IUH);
    let head = place.run("status --study study").json(0)["head"]
        .as_str()
        .unwrap()
        .to_owned();
    for typed in ["zz", &head[..63], &format!("{head}0"), &"zz".repeat(32)] {
        let ran = place.run(&format!("verify --study study --expect-head {typed}"));
        ran.refused(2, "invalid-head");
        let characters = format!("`{typed}` ({} characters)", typed.len());
        assert!(ran.err.contains(&characters), "{}", ran.err);
        assert!(
            ran.err.contains("64 hexadecimal digits are expected"),
            "{}",
            ran.err
        );
    }
    let swedish = place.run("verify --study study --expect-head zz --lang sv");
    assert!(
        swedish.err.contains("64 hexadecimala siffror väntas"),
        "{}",
        swedish.err
    );
    // In capitals it is one, and another one is a finding.
    let upper = head.to_uppercase();
    place
        .run(&format!("verify --study study --expect-head {upper}"))
        .json(0);
    place
        .run(&format!(
            "verify --study study --expect-head {}",
            "0".repeat(64)
        ))
        .json(8);
}

/// Pseudonyms are letters, so `NA` is one; an empty cell is none.
#[test]
fn a_family_or_a_child_called_na_is_one() {
    let place = Place::open(IUH);
    let header = "site,family,child,report_key,received,answer.investigation-opened,answer.immediate-placement,\
                  answer.police-led,field.earlier_reports,field.youngest_age,field.category";
    let row = |name: &str, child: &str| {
        format!("skarpnack,{name},{child},R1,2025-03-01,yes,no,no,3,4,violence")
    };
    let rows = [
        header.to_owned(),
        row("FA-AA", "NA"),
        row("FA-AB", ""),
        row("NA", "NB"),
    ];
    place.write("all.csv", rows.join("\n") + "\n");
    let ran = place.act("enrol --from all.csv --seed-file keys/seed");
    assert_eq!(ran.code, 4, "{}", ran.err);
    let children = |name: &str| -> Option<serde_json::Value> {
        let rows = place.entries();
        let screened = rows.iter().filter(|own| own.kind == "screened");
        let payloads = screened.map(|own| {
            serde_json::from_str::<serde_json::Value>(own.payload.as_ref().unwrap()).unwrap()
        });
        payloads
            .into_iter()
            .find(|own| own["family"] == name)
            .map(|own| own["children"].clone())
    };
    assert_eq!(children("FA-AA"), Some(serde_json::json!(["NA"])));
    assert_eq!(children("FA-AB"), Some(serde_json::json!([])));
    // A family is called by its index child, and that child is of FA-AA: it was read, and refused for what it is.
    assert!(ran.err.contains("[child-of-another-family]"), "{}", ran.err);
    let other = Place::open(IUH);
    other.write("all.csv", [header, &row("NA", "")].join("\n") + "\n");
    assert_eq!(
        other
            .act("enrol --from all.csv --seed-file keys/seed")
            .json(0)["family"],
        "NA"
    );
    // In an import the same: the family, the child, and the other name of a link.
    other.write(
        "death.csv",
        "family,on,event_key,child\nNA,2025-03-03,d1,\n",
    );
    other.act("import death death.csv").json(0);
    place.write(
        "death.csv",
        "family,on,event_key,child\nFA-AA,2025-03-03,d1,NA\n",
    );
    place.act("import death death.csv").json(0);
    let last = place.entries().pop().unwrap();
    assert!(last.payload.unwrap().contains("\"child\":\"NA\""));
    other.write(
        "link.csv",
        "family,on,event_key,other\nNA,2025-03-03,l1,NAA\nNAA,2025-03-03,l2,NB\n",
    );
    assert_eq!(other.act("import linked link.csv").json(0)["recorded"], 2);
}

/// A lock is made once: one without data would end enrolment, or use up a look, for nothing.
#[test]
fn a_lock_without_a_family_is_refused_with_what_next() {
    let place = Place::open(IUH);
    let confirm = place.confirm().to_owned();
    let lock = |id: &str, cut: &str| {
        place.days(3000);
        place.unchanged(|| {
            place.act_as(
                "lead",
                &format!("lock {id} --cut {cut} --confirm {confirm}"),
            )
        })
    };
    for (id, cut) in [
        ("final", "2020-01-01"),
        ("final", "2027-05-01"),
        ("evaluation-2025", "2025-11-30"),
    ] {
        let refused = lock(id, cut);
        refused.refused(7, "nobody-randomized");
        assert!(
            refused.err.contains("enrol families first"),
            "{}",
            refused.err
        );
    }
    // Nothing is closed by it. With a family drawn after the registered cut that look is still empty.
    let late = Place::open(IUH);
    late.days(300);
    late.enrol(&family(0), "R1", "").json(0);
    let confirm = late.confirm().to_owned();
    let words = format!("lock evaluation-2025 --cut 2025-11-30 --confirm {confirm}");
    let refused = late.unchanged(|| late.act_as("lead", &words));
    refused.refused(7, "nobody-randomized");
    assert!(
        refused.err.contains("the first one was on 2025-12-28"),
        "{}",
        refused.err
    );
    let early = late.unchanged(|| {
        late.act_as(
            "lead",
            &format!("lock final --cut 2025-01-01 --confirm {confirm}"),
        )
    });
    early.refused(7, "windows-not-ended");
}

/// The CSV of an answer says as much as its JSON.
#[test]
fn an_enrolment_as_csv_has_reasons_and_warnings() {
    let place = Place::open(IUH);
    let refused =
        Place::enrol_words("skarpnack", "FA-AA", "R1").replace("police-led=no", "police-led=yes");
    let csv = place.act(&format!("{refused} --format csv"));
    assert_eq!(csv.code, 20, "{}", csv.err);
    let mut lines = csv.out.lines();
    let header =
        "schema,outcome,family,arm,allocation,replayed,head,reasons,warnings,warning_messages";
    assert_eq!(lines.next(), Some(header));
    let line = lines.next().unwrap();
    assert!(
        line.starts_with("lottning.enrolment/1,not-eligible,FA-AA,,,false,"),
        "{line}"
    );
    assert!(line.ends_with(",police-led,,"), "{line}");
    // Other answers to the same report are warned of, in the CSV too.
    let changed = place.act(&format!(
        "{} --format csv",
        Place::enrol_words("skarpnack", "FA-AA", "R1")
    ));
    assert_eq!(changed.code, 0, "{}", changed.err);
    assert!(
        changed.out.contains(",,answers-changed,"),
        "{}",
        changed.out
    );
    let said = changed
        .out
        .lines()
        .nth(1)
        .unwrap()
        .split(",answers-changed,")
        .nth(1)
        .unwrap();
    assert!(!said.trim_matches('"').is_empty(), "{said}");
    let same = place.act(&format!(
        "{} --format csv",
        Place::enrol_words("skarpnack", "FA-AA", "R1")
    ));
    assert!(same.out.contains(",true,"), "{}", same.out);
}

/// One column has nothing that separates it from another.
#[test]
fn a_file_of_one_column_is_announced_without_a_separator() {
    let place = Place::with(IUH);
    let seed = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";
    let draw = |file: &str| {
        place.run(&format!(
            "draw --method simple --strata {file} --by site --seed {seed}"
        ))
    };
    place.write("one.csv", "site\nnorth\nsouth\n");
    place.write("two.csv", "site;sex\nnorth;1\nsouth;2\n");
    let one = draw("one.csv");
    assert_eq!(one.code, 0, "{}", one.err);
    assert!(
        one.err
            .contains("one.csv: 2 rows, 1 column; decimal point, UTF-8"),
        "{}",
        one.err
    );
    assert!(
        draw("two.csv")
            .err
            .contains("2 columns; separated by semicolons")
    );
}
